"""AggregativeGame: many players whose payoffs depend on the own action and on a few sums over all."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from alliancegame.errors import InvalidValueError, refusing_change, unknown_name
from alliancegame.game import expressions as ex
from alliancegame.game.checks import shown
from alliancegame.game.custom import ContinuousGame, as_profile, within
from alliancegame.game.parameters import Array, by_member_values, frozen_array

if TYPE_CHECKING:
    import pandas as pd

MOST_EXPANDED = 12
"""Up to so many players the game can be written out as a `ContinuousGame`."""


@refusing_change(
    "games do not change (tried to set {name}): make a changed copy with game.replace(...)"
)
@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class AggregativeGame:
    """A game with one formula for everybody: own action, sums over all players, own parameters.

    `players` are labels, or their number. `action` is (symbol, low, high), bounds as numbers or by
    player. `aggregates` is {symbol or name: expression}: each is the sum over all players, the own one
    included, of its expression in the own action and the own parameters. `payoff` is an expression in
    the own action, the aggregates and the parameters. `parameters` are {symbol or name: value}, a
    number or a value by player (array in player order, or dict). Players that differ in kind do so by
    parameters, for example one that is 1 for the leader and 0 for others.

    Raises as `ContinuousGame`.

    >>> import sympy as sp
    >>> q, total, cost = sp.symbols("q Q c")
    >>> cournot = AggregativeGame(
    ...     3, (q, 0, 10), q * (10 - total) - cost * q, {total: q}, {cost: [1, 2, 3]}
    ... )
    >>> cournot.size
    3
    """

    players: tuple[str, ...]
    action: str
    low: Array
    high: Array
    payoff: Any
    aggregates: Mapping[str, Any]
    parameters: Mapping[str, float | Array]
    title: str
    provenance: Mapping[str, Any]

    def __init__(
        self,
        players: Sequence[str] | int,
        action: Any,
        payoff: Any,
        aggregates: Any,
        parameters: Mapping[Any, Any] | None = None,
        *,
        title: str = "",
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        labels = _labels(players)
        if not isinstance(action, (list, tuple)) or len(action) != 3:
            raise InvalidValueError(f"action must be (symbol, low, high), got {shown(action)}.")
        name = ex.symbol_name(action[0], "the action")
        low, high = (_by_player(b, f"bound of {name}", labels) for b in action[1:])
        if not np.all(low < high):
            k = int(np.argmin(low < high))
            raise InvalidValueError(
                f"bounds of {name} must be low < high, got {low[k]:g} and {high[k]:g} for {labels[k]}."
            )
        if not isinstance(aggregates, Mapping) or not aggregates:
            raise InvalidValueError(
                f"aggregates must be a dict {{symbol: expression of {name}}}, got {shown(aggregates)}."
            )
        sums = {ex.symbol_name(key, "an aggregate"): value for key, value in aggregates.items()}
        if name in sums:
            raise InvalidValueError(
                f"the name {name!r} is used twice: names of symbols must differ."
            )
        given = ex.checked_parameters(parameters, [name, *sums])
        values = {
            key: by_member_values(value, what=f"parameter {key}", members=labels)
            for key, value in given.items()
        }
        rules = {z: ex.checked(rule, f"aggregate {z}", [name, *values]) for z, rule in sums.items()}
        formula = ex.checked(payoff, "the payoff", [name, *sums, *values])
        if not isinstance(title, str):
            raise InvalidValueError(f"title must be text, got {shown(title)}.")
        for key, value in (
            ("players", labels), ("action", name), ("low", low), ("high", high),
            ("payoff", formula), ("aggregates", rules), ("parameters", values), ("title", title),
            ("provenance", dict(provenance or {})),
        ):  # fmt: skip
            object.__setattr__(self, key, value)

    @property
    def size(self) -> int:
        """The number of players."""
        return len(self.players)

    @property
    def symbol(self) -> Any:
        """The symbol of the own action."""
        return ex.symbol(self.action)

    def index_of(self, player: Any) -> int:
        """The place of a player. Raises `UnknownNameError`."""
        if not isinstance(player, str) or player not in self.players:
            raise unknown_name("player", player, self.players)
        return self.players.index(player)

    def by_player_value(self, name: str) -> Array:
        """A parameter's values in player order."""
        return np.broadcast_to(np.asarray(self.parameters[name], dtype=float), (self.size,))

    def vector(self, profile: Any) -> Array:
        """A profile as an array in player order. Raises `InvalidValueError`."""
        numbers = as_profile(profile, self.players, [1] * self.size)
        return within(numbers, self.low, self.high, [f"{self.action} of {p}" for p in self.players])

    def by_player(self, vector: Array) -> dict[str, float | Array]:
        """A profile's numbers by player."""
        return dict(zip(self.players, np.asarray(vector).tolist(), strict=True))

    def replace(self, **changes: Any) -> AggregativeGame:
        """The game with other values of its parameters, or another title."""
        title = changes.pop("title", self.title)
        for name in changes:
            if name not in self.parameters:
                raise unknown_name("parameter", name, self.parameters)
        return AggregativeGame(
            self.players, (self.symbol, self.low, self.high), self.payoff, self.aggregates,
            {**self.parameters, **changes}, title=title, provenance=self.provenance,
        )  # fmt: skip

    def expanded(self) -> ContinuousGame:
        """The same game written out, an action x_1, x_2, ... for each player; at most 12 players."""
        if self.size > MOST_EXPANDED:
            raise InvalidValueError(
                f"a game of {self.size} players is too large to be written out: at most {MOST_EXPANDED}."
            )
        own = [ex.symbol(f"{self.action}_{k + 1}") for k in range(self.size)]
        local = [
            {self.symbol: own[k]}
            | {ex.symbol(p): ex.number(self.by_player_value(p)[k]) for p in self.parameters}
            for k in range(self.size)
        ]
        sums = {
            ex.symbol(z): sum(rule.subs(at) for at in local) for z, rule in self.aggregates.items()
        }
        payoffs = {p: self.payoff.subs(local[k]).subs(sums) for k, p in enumerate(self.players)}
        bounds = zip(self.players, own, self.low.tolist(), self.high.tolist(), strict=True)
        return ContinuousGame(
            payoffs, {p: (s, a, b) for p, s, a, b in bounds}, title=self.title,
            provenance=self.provenance,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """The game as plain values; formulas as nested lists, never as program text."""
        return {
            "type": "aggregative",
            "players": list(self.players),
            "action": [self.action, self.low.tolist(), self.high.tolist()],
            "payoff": ex.to_tree(self.payoff),
            "aggregates": [[z, ex.to_tree(rule)] for z, rule in self.aggregates.items()],
            "parameters": {
                name: value if isinstance(value, float) else np.asarray(value).tolist()
                for name, value in self.parameters.items()
            },
            "title": self.title,
        }

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any], provenance: Mapping[str, Any] | None = None
    ) -> AggregativeGame:
        """The game that `to_dict` described. Raises `InvalidValueError`."""
        rules = {z: ex.from_tree(tree, f"aggregate {z}") for z, tree in data["aggregates"]}
        return cls(
            data["players"], tuple(data["action"]), ex.from_tree(data["payoff"], "the payoff"), rules,
            data["parameters"], title=data["title"], provenance=provenance,
        )  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """Every player's bounds and parameters, a row each."""
        import pandas as pd

        columns: dict[str, Any] = {"low": self.low, "high": self.high}
        columns |= {name: self.by_player_value(name) for name in self.parameters}
        return pd.DataFrame(columns, index=pd.Index(self.players, name="player"))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the game's content: equal games have equal hashes."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AggregativeGame) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        start = f"{self.title}: " if self.title else ""
        sums = ", ".join(f"{z} = sum of {rule}" for z, rule in self.aggregates.items())
        return f"<AggregativeGame: {start}{self.size} players; {shown(str(self.payoff))}; {sums}>"

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html())


def _labels(players: Any) -> tuple[str, ...]:
    if isinstance(players, (int, np.integer)) and not isinstance(players, bool) and players >= 1:
        return tuple(str(k + 1) for k in range(int(players)))
    if not isinstance(players, (list, tuple)) or not players:
        raise InvalidValueError(
            f"players must be a list of labels or their number, got {shown(players)}."
        )
    for k, label in enumerate(players):
        if not isinstance(label, str) or not label.strip():
            raise InvalidValueError(f"the label of a player must be text, got {shown(label)}.")
        if label in players[:k]:
            raise InvalidValueError(f"duplicate player {label!r}: labels must be unique.")
    return tuple(players)


def _by_player(value: Any, what: str, labels: Sequence[str]) -> Array:
    made = by_member_values(value, what=what, members=labels)
    return frozen_array(np.broadcast_to(np.asarray(made, dtype=float), (len(labels),)).copy())
