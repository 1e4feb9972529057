"""ContinuousGame: a user's own game, any number of players with bounded actions, payoffs in SymPy."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import InvalidValueError, refusing_change, unknown_name
from alliancegame.game import expressions as ex
from alliancegame.game.checks import shown
from alliancegame.game.parameters import Array, as_number, frozen_array

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True)
class Action:
    """One action of a player: the name of its symbol and its bounds."""

    name: str
    low: float
    high: float

    @property
    def symbol(self) -> Any:
        """The SymPy symbol that stands for it in the payoffs."""
        return ex.symbol(self.name)


@refusing_change(
    "games do not change (tried to set {name}): make a changed copy with game.replace(...)"
)
@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class ContinuousGame:
    """A game in which players choose numbers from intervals.

    `payoffs` is {player: SymPy expression}; `actions` is {player: (symbol, low, high)}, or a list of
    such triples for a player with several actions, each between its own bounds. `parameters`, {symbol
    or name: number}, are symbols that are no actions: `replace` changes them, and derivatives of
    equilibria are taken in them. Sums, products, powers, exp, log, Abs, Max, Min, Piecewise,
    sin, cos, sinh, cosh, tanh and atan are understood. Payoffs are in any unit.

    Raises `InvalidValueError` (bounds, names used twice, what is no formula), `UnknownNameError` (a
    symbol that is neither action nor parameter) and `UnsupportedFormError` (other functions).

    >>> import sympy as sp
    >>> x, y, v = sp.symbols("x y v")
    >>> contest = ContinuousGame(
    ...     {"1": v * x / (x + y) - x, "2": y / (x + y) - y},
    ...     {"1": (x, 0.01, 3), "2": (y, 0.01, 3)},
    ...     {v: 3},
    ... )
    >>> contest
    <ContinuousGame: 1 (x), 2 (y); v = 3>
    """

    payoffs: Mapping[str, Any]
    actions: Mapping[str, tuple[Action, ...]]
    parameters: Mapping[str, float]
    title: str
    provenance: Mapping[str, Any]

    def __init__(
        self,
        payoffs: Mapping[str, Any],
        actions: Mapping[str, Any],
        parameters: Mapping[Any, float] | None = None,
        *,
        title: str = "",
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        players = _players(payoffs, actions)
        made = {p: _actions(p, actions[p]) for p in players}
        names = [a.name for p in players for a in made[p]]
        for k, name in enumerate(names):
            if name in names[:k]:
                raise InvalidValueError(
                    f"the symbol {name!r} is an action twice: every action needs its own."
                )
        values = {
            name: as_number(value, f"parameter {name}")
            for name, value in ex.checked_parameters(parameters, names).items()
        }
        known = [*names, *values]
        checked = {p: ex.checked(payoffs[p], f"the payoff of {p}", known) for p in players}
        if not isinstance(title, str):
            raise InvalidValueError(f"title must be text, got {shown(title)}.")
        for name, value in (
            ("payoffs", checked), ("actions", made), ("parameters", values), ("title", title),
            ("provenance", dict(provenance or {})),
        ):  # fmt: skip
            object.__setattr__(self, name, value)

    @property
    def players(self) -> tuple[str, ...]:
        """The players in order."""
        return tuple(self.payoffs)

    @property
    def size(self) -> int:
        """The number of players."""
        return len(self.payoffs)

    @cached_property
    def every_action(self) -> tuple[Action, ...]:
        """All actions, player after player: the order of a profile's numbers."""
        return tuple(a for p in self.players for a in self.actions[p])

    @cached_property
    def owner(self) -> NDArray[np.intp]:
        """The place of the player who chooses each action."""
        counts = [len(self.actions[p]) for p in self.players]
        return np.repeat(np.arange(self.size), counts)

    @cached_property
    def low(self) -> Array:
        """Lower bounds of all actions."""
        return frozen_array([a.low for a in self.every_action])

    @cached_property
    def high(self) -> Array:
        """Upper bounds of all actions."""
        return frozen_array([a.high for a in self.every_action])

    @cached_property
    def symbols(self) -> tuple[Any, ...]:
        """The symbols of all actions."""
        return tuple(a.symbol for a in self.every_action)

    @cached_property
    def numeric(self) -> tuple[Any, ...]:
        """Payoffs in player order with the parameters' values put in."""
        values = {ex.symbol(name): ex.number(value) for name, value in self.parameters.items()}
        return tuple(self.payoffs[p].subs(values) for p in self.players)

    def index_of(self, player: Any) -> int:
        """The place of a player. Raises `UnknownNameError`."""
        if not isinstance(player, str) or player not in self.payoffs:
            raise unknown_name("player", player, self.players)
        return self.players.index(player)

    def own(self, player: int) -> list[int]:
        """The places of a player's actions."""
        return np.flatnonzero(self.owner == player).tolist()

    def vector(self, profile: Any) -> Array:
        """A profile as an array in action order: from a result, a dict by player, or numbers.

        Raises `InvalidValueError` for numbers outside their bounds.
        """
        numbers = as_profile(profile, self.players, [len(self.actions[p]) for p in self.players])
        return within(numbers, self.low, self.high, [a.name for a in self.every_action])

    def by_player(self, vector: Array) -> dict[str, float | Array]:
        """A profile's numbers by player: a number, or an array for several actions."""
        made: dict[str, float | Array] = {}
        for i, player in enumerate(self.players):
            own = np.asarray(vector)[self.own(i)]
            made[player] = float(own[0]) if own.size == 1 else frozen_array(own)
        return made

    def replace(self, **changes: Any) -> ContinuousGame:
        """The game with other values of its parameters, or another title."""
        title = changes.pop("title", self.title)
        for name in changes:
            if name not in self.parameters:
                raise unknown_name("parameter", name, self.parameters)
        return ContinuousGame(
            self.payoffs,
            {p: [(a.symbol, a.low, a.high) for a in made] for p, made in self.actions.items()},
            {**self.parameters, **changes},
            title=title,
            provenance=self.provenance,
        )

    def to_dict(self) -> dict[str, Any]:
        """The game as plain values; formulas as nested lists, never as program text."""
        return {
            "type": "continuous",
            "players": list(self.players),
            "payoffs": [ex.to_tree(self.payoffs[p]) for p in self.players],
            "actions": [[[a.name, a.low, a.high] for a in self.actions[p]] for p in self.players],
            "parameters": dict(self.parameters),
            "title": self.title,
        }

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any], provenance: Mapping[str, Any] | None = None
    ) -> ContinuousGame:
        """The game that `to_dict` described. Raises `InvalidValueError`."""
        players = data["players"]
        trees = zip(players, data["payoffs"], strict=True)
        bounds = zip(players, data["actions"], strict=True)
        return cls(
            {p: ex.from_tree(tree, f"the payoff of {p}") for p, tree in trees},
            {p: [tuple(a) for a in made] for p, made in bounds},
            data["parameters"],
            title=data["title"],
            provenance=provenance,
        )

    def to_frame(self) -> pd.DataFrame:
        """Players, actions, bounds and payoffs, a row for each action."""
        import pandas as pd

        rows = [
            (p, a.name, a.low, a.high, str(self.payoffs[p]))
            for p in self.players
            for a in self.actions[p]
        ]
        return pd.DataFrame(rows, columns=["player", "action", "low", "high", "payoff"])

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the game's content: equal games have equal hashes."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ContinuousGame) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        who = ", ".join(f"{p} ({', '.join(a.name for a in self.actions[p])})" for p in self.players)
        values = ", ".join(f"{name} = {value:g}" for name, value in self.parameters.items())
        start = f"{self.title}: " if self.title else ""
        return f"<ContinuousGame: {start}{who}{'; ' + values if values else ''}>"

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False))


def _players(payoffs: Any, actions: Any) -> tuple[str, ...]:
    for what, given in (("payoffs", payoffs), ("actions", actions)):
        if not isinstance(given, Mapping) or not given:
            raise InvalidValueError(f"{what} must be a dict by player, got {shown(given)}.")
        for player in given:
            if not isinstance(player, str) or not player.strip():
                raise InvalidValueError(f"a player of {what} must be text, got {shown(player)}.")
    for player in actions:
        if player not in payoffs:
            raise unknown_name("player", player, payoffs, " in actions")
    missing = [p for p in payoffs if p not in actions]
    if missing:
        raise InvalidValueError(
            f"actions has no action for {', '.join(missing)}: give every player one."
        )
    return tuple(payoffs)


def _actions(player: str, given: Any) -> tuple[Action, ...]:
    what = f"actions of {player}"
    several = isinstance(given, (list, tuple)) and given and isinstance(given[0], (list, tuple))
    triples = given if several else [given]
    made = []
    for triple in triples:
        if not isinstance(triple, (list, tuple)) or len(triple) != 3:
            raise InvalidValueError(
                f"{what} must be (symbol, low, high), or a list of such triples, got {shown(given)}."
            )
        name = ex.symbol_name(triple[0], what)
        low, high = (as_number(b, f"bound of {name}") for b in triple[1:])
        if not low < high:
            raise InvalidValueError(
                f"bounds of {name} must be low < high, got {low:g} and {high:g}; an action without "
                "choice is a parameter."
            )
        made.append(Action(name, low, high))
    return tuple(made)


def as_profile(profile: Any, players: Sequence[str], counts: Sequence[int]) -> Array:
    """Numbers of a profile in action order from a result, a dict by player, or numbers in order."""
    given = getattr(profile, "action", profile)
    if hasattr(given, "to_dict") and hasattr(given, "index"):
        given = given.to_dict()
    if isinstance(given, Mapping):
        for player in given:
            if player not in players:
                raise unknown_name("player", player, players, " in the profile")
        missing = [p for p in players if p not in given]
        if missing:
            raise InvalidValueError(f"the profile has no action for {', '.join(missing)}.")
        parts = [given[p] for p in players]
        flat = []
        for player, part, count in zip(players, parts, counts, strict=True):
            own = list(part) if isinstance(part, (list, tuple, np.ndarray)) else [part]
            if len(own) != count:
                raise InvalidValueError(
                    f"{player} has {count} action{'s' if count > 1 else ''}, the profile gives {len(own)}."
                )
            flat += own
    elif isinstance(given, (list, tuple, np.ndarray)):
        flat = list(np.asarray(given, dtype=object).ravel())
    else:
        raise InvalidValueError(
            f"a profile is a dict {{player: action}} or numbers in order, got {shown(profile)}."
        )
    if len(flat) != sum(counts):
        raise InvalidValueError(f"the profile must have {sum(counts)} numbers, got {len(flat)}.")
    return np.array([as_number(v, "an action of the profile") for v in flat])


def within(numbers: Array, low: Array, high: Array, names: Sequence[str]) -> Array:
    """The numbers, if they are within bounds (up to rounding at the bounds). Raises `InvalidValueError`."""
    slack = 1e-12 * np.maximum(1.0, np.maximum(np.abs(low), np.abs(high)))
    for k in np.flatnonzero((numbers < low - slack) | (numbers > high + slack)).tolist():
        raise InvalidValueError(
            f"{names[k]} must be in [{low[k]:g}, {high[k]:g}], the profile has {numbers[k]:g}."
        )
    return np.clip(numbers, low, high)
