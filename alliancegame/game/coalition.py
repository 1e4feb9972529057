"""CoalitionGame: what every coalition is worth (a cooperative game with transferable utility)."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import (
    AllianceGameError,
    CoalitionSizeError,
    InvalidValueError,
    unknown_name,
)
from alliancegame.game.checks import check_names, check_unique, check_whole, listed, shown
from alliancegame.game.parameters import Array, as_number, frozen_array

if TYPE_CHECKING:
    import pandas as pd

MAX_PLAYERS = 20
"""Up to here all 2^n coalitions are tabulated, and solutions are exact."""

MAX_SAMPLED = 1000
"""Up to here a function is sampled."""

Coalition = frozenset[Any]
Masks = NDArray[np.int64]


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class CoalitionGame:
    """A game in characteristic function form: `value` says what each coalition can have.

    `value` is a dict `{frozenset of players: worth}` that has every coalition (the empty one may be
    missing: it is worth 0), a function of a frozenset of players, or an array of shape (2^n,) in
    which the bits of the index say who is in: bit k is player k. `players` are labels in order; a
    dict's own players are found, an array's are 0 to n - 1 unless they are named. Worths are in any
    unit that players can transfer; solutions are in the same.

    A function is called once for each coalition when the whole table is first needed, and never
    tabulated beyond 20 players: `shapley` and `banzhaf` then sample it.

    Raises `InvalidValueError` (missing coalitions, nan, a worth of the empty coalition, duplicate
    players, a function that raises: its error is the cause), `UnknownNameError` (a coalition with
    somebody who is no player) and `CoalitionSizeError` (too many players).

    >>> gloves = CoalitionGame(lambda s: min(len(s & {"l"}), len(s & {"r1", "r2"})), ["l", "r1", "r2"])
    >>> gloves({"l", "r2"})
    1.0
    """

    players: tuple[Any, ...]
    provenance: Mapping[str, Any]
    _function: Callable[[Coalition], Any]
    _given: Array | None

    def __init__(
        self,
        value: Mapping[Any, float] | Callable[[Coalition], float] | Sequence[float] | Array,
        players: Iterable[Any] | None = None,
        *,
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        named = None if players is None else _checked_players(players)
        object.__setattr__(self, "provenance", dict(check_names(provenance, "provenance") or {}))
        object.__setattr__(self, "_function", self.__call__)
        object.__setattr__(self, "_given", None)
        if isinstance(value, Mapping):
            found, table = _from_mapping(value, named)
            object.__setattr__(self, "players", found)
            object.__setattr__(self, "_given", table)
        elif callable(value):
            if named is None:
                raise InvalidValueError("a function of coalitions needs players=[...], in order.")
            _limit(len(named), MAX_SAMPLED, "a function of coalitions can be sampled")
            object.__setattr__(self, "players", named)
            object.__setattr__(self, "_function", value)
            _empty_is_nothing(self._call(frozenset()))
        else:
            table = _from_array(value, named)
            size = (table.size - 1).bit_length()
            object.__setattr__(self, "players", tuple(range(size)) if named is None else named)
            object.__setattr__(self, "_given", table)

    @property
    def size(self) -> int:
        """The number of players."""
        return len(self.players)

    @property
    def grand(self) -> float:
        """The worth of everybody together."""
        return self(self.players)

    def __call__(self, coalition: Iterable[Any]) -> float:
        """The worth of a coalition, given by its players."""
        mask = self.mask(coalition)
        members = self.coalition(mask)
        return float(self.values[mask]) if self.tabulated else self._call(members)

    @property
    def tabulated(self) -> bool:
        """Whether the table of all worths stands already."""
        return self._given is not None or "values" in self.__dict__

    @cached_property
    def values(self) -> Array:
        """All worths, shape (2^n,): bit k of the index is player k. Raises beyond 20 players."""
        if self._given is not None:
            return self._given
        _limit(self.size, MAX_PLAYERS, "all coalitions can be tabulated")
        return frozen_array([self._call(self.coalition(m)) for m in range(2**self.size)])

    def _call(self, members: Coalition) -> float:
        try:
            worth = self._function(members)
        except AllianceGameError:  # It says already what is wrong.
            raise
        except Exception as error:
            raise InvalidValueError(
                f"the function gives no value of {_named(members)}: it raises {type(error).__name__} "
                f"({error}). It must give a number for every coalition of players, and 0 for the empty one."
            ) from error
        return as_number(worth, f"value of {_named(members)}")

    @cached_property
    def _position(self) -> dict[Any, int]:
        return {player: k for k, player in enumerate(self.players)}

    def mask(self, coalition: Iterable[Any]) -> int:
        """The index of a coalition in `values`. Raises `InvalidValueError`, `UnknownNameError`."""
        if isinstance(coalition, str):
            raise InvalidValueError(
                f"a coalition is a set of players, got the text {coalition!r}: write {{{coalition!r}}}."
            )
        members = listed(coalition, "a coalition", "its players", ordered=False)
        return sum(1 << place for place in {self.index_of(player) for player in members})

    def coalition(self, mask: int) -> Coalition:
        """The players of an index of `values`."""
        check_whole(mask, "the index of a coalition", 0, 2**self.size - 1)
        return frozenset(p for k, p in enumerate(self.players) if mask >> k & 1)

    def index_of(self, player: Any) -> int:
        """The position of a player. Raises `UnknownNameError`."""
        try:
            return self._position[player]
        except (KeyError, TypeError) as error:
            raise unknown_name("player", player, [str(p) for p in self.players]) from error

    def excesses(self, allocation: Any) -> Array:
        """v(S) - x(S) of every coalition, shape (2^n,), at an allocation of shape (n,).

        `allocation` is numbers in the order of players, a dict or Series by player, or an `Allocation`.
        """
        if hasattr(allocation, "values") and isinstance(allocation.values, np.ndarray):
            given = list(allocation.values)
        elif isinstance(allocation, Mapping):
            missing = [p for p in self.players if p not in allocation]
            if missing:
                raise InvalidValueError(f"the allocation has nothing for {missing[0]!r}.")
            given = [allocation[p] for p in self.players]
        else:
            given = listed(allocation, "an allocation", "numbers in the order of players")
        if len(given) != self.size:
            raise InvalidValueError(
                f"an allocation must have {self.size} numbers, one for each player, got {len(given)}."
            )
        parts = [as_number(x, f"part of {p}") for x, p in zip(given, self.players, strict=True)]
        return np.asarray(self.values - subset_sums(np.array(parts)))

    @cached_property
    def superadditive(self) -> bool:
        """Whether disjoint coalitions never lose by joining (to rounding). Takes 3^n steps."""
        _limit(self.size, 14, "superadditivity can be checked")
        v, slack = self.values, self._slack
        whole = np.arange(v.size)
        for mask in range(1, v.size):
            others = whole[(whole & mask) == 0]
            if (v[others | mask] < v[others] + v[mask] - slack).any():
                return False
        return True

    @cached_property
    def convex(self) -> bool:
        """Whether players are worth more to larger coalitions (to rounding); the core is then not empty."""
        v, masks = self.values, np.arange(2**self.size)
        for i, j in itertools.combinations(range(self.size), 2):
            a, b = 1 << i, 1 << j
            s = masks[(masks & (a | b)) == 0]
            if (v[s | a | b] - v[s | b] < v[s | a] - v[s] - self._slack).any():
                return False
        return True

    @property
    def _slack(self) -> float:
        return 1e-12 * max(float(np.abs(self.values).max()), 1e-300)

    def to_frame(self) -> pd.DataFrame:
        """Every coalition and its worth, small coalitions first."""
        import pandas as pd

        order = sorted(range(2**self.size), key=lambda m: (m.bit_count(), m))
        rows = [[self.label(m), m.bit_count(), float(self.values[m])] for m in order]
        return pd.DataFrame(rows, columns=["coalition", "size", "value"]).set_index("coalition")

    def label(self, mask: int) -> str:
        """A coalition in words, players in order."""
        check_whole(mask, "the index of a coalition", 0, 2**self.size - 1)
        inside = [str(p) for k, p in enumerate(self.players) if mask >> k & 1]
        return "{" + ", ".join(inside) + "}"

    def __repr__(self) -> str:
        return f"<CoalitionGame: {self.size} players>"


def subset_sums(parts: Array) -> Array:
    """The sum of parts over every subset, shape (2^n,) from (n,): bit k of the index is part k."""
    sums = np.zeros(2 ** len(parts))
    for k, part in enumerate(parts):
        sums[1 << k : 2 << k] = sums[: 1 << k] + part
    return sums


def coalition_sizes(n: int) -> NDArray[np.int64]:
    """The number of players of every subset, shape (2^n,)."""
    return subset_sums(np.ones(n)).astype(np.int64)


def _limit(count: int, most: int, what: str) -> None:
    if count > most:
        raise CoalitionSizeError(
            f"{what} for at most {most} players, got {count}: join players into blocs, or (for "
            "shapley and banzhaf) give the game as a function, which is sampled."
        )


def _checked_players(players: Iterable[Any]) -> tuple[Any, ...]:
    made = tuple(listed(players, "players", "labels, in order"))
    if not made:
        raise InvalidValueError("a coalition game needs at least one player.")
    check_unique(made, "players")
    return made


def _named(members: Iterable[Any]) -> str:
    return "{" + ", ".join(sorted(map(str, members))) + "}"


def _empty_is_nothing(worth: float) -> None:
    if worth != 0:
        raise InvalidValueError(
            f"the empty coalition must be worth 0, got {worth:g}: subtract it from every coalition."
        )


def _from_mapping(
    value: Mapping[Any, float], named: tuple[Any, ...] | None
) -> tuple[tuple[Any, ...], Array]:
    worths: dict[Coalition, float] = {}
    for key, worth in value.items():
        if isinstance(key, str) or not isinstance(key, Iterable):
            raise InvalidValueError(
                f"a coalition is a frozenset of players, got {key!r}: write frozenset({{{key!r}}})."
            )
        members = frozenset(key)
        if members in worths:
            raise InvalidValueError(f"the coalition {_named(members)} stands twice.")
        worths[members] = as_number(worth, f"value of {_named(members)}")
    everybody = frozenset[Any]().union(*worths)
    players = _sorted(everybody) if named is None else named
    if not players:
        raise InvalidValueError("a coalition game needs at least one player.")
    for stranger in everybody - set(players):
        raise unknown_name("player", stranger, [str(p) for p in players], " in a coalition")
    n = len(players)
    _limit(n, MAX_PLAYERS, "coalitions can be listed")
    _empty_is_nothing(worths.setdefault(frozenset(), 0.0))
    if len(worths) < 2**n:
        _missing(players, worths)
    place = {player: 1 << k for k, player in enumerate(players)}
    table = np.empty(2**n)
    for members, worth in worths.items():
        table[sum(place[p] for p in members)] = worth
    return players, frozen_array(table)


def _missing(players: tuple[Any, ...], worths: Mapping[Coalition, float]) -> None:
    absent = (
        _named(s)
        for r in range(1, len(players) + 1)
        for s in map(frozenset, itertools.combinations(players, r))
        if s not in worths
    )
    first = ", ".join(itertools.islice(absent, 3))
    count = 2 ** len(players) - len(worths)
    raise InvalidValueError(
        f"{count} of the {2 ** len(players) - 1} coalitions of {len(players)} players are missing, such "
        f"as {first}: give each a value, or give a function."
    )


def _sorted(players: frozenset[Any]) -> tuple[Any, ...]:
    try:
        return tuple(sorted(players))
    except TypeError:
        return tuple(sorted(players, key=str))


def _from_array(value: Any, named: tuple[Any, ...] | None) -> Array:
    try:
        table = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidValueError(
            "a coalition game is made from a dict by coalition, a function of a coalition, or an "
            f"array of 2^n numbers; got {shown(value)}."
        ) from error
    n = max(table.size, 1).bit_length() - 1
    if table.ndim != 1 or table.size < 2 or table.size != 2**n:
        raise InvalidValueError(
            f"an array of coalitions must have shape (2^n,), one number each, got {table.shape}."
        )
    _limit(n, MAX_PLAYERS, "coalitions can be listed")
    if named is not None and len(named) != n:
        raise InvalidValueError(
            f"{table.size} numbers are for {n} players, got {len(named)} players."
        )
    labels = tuple(range(n)) if named is None else named
    for mask in np.flatnonzero(~np.isfinite(table)):
        inside = [p for k, p in enumerate(labels) if mask >> k & 1]
        raise InvalidValueError(
            f"value of {_named(inside)} must be finite, got {float(table[mask])!r}."
        )
    _empty_is_nothing(float(table[0]))
    return frozen_array(table)


def scale_of(values: Array) -> float:
    """A number to which rounding in a game's worths is relative; 1 for a game of zeros."""
    largest = float(np.abs(values).max())
    return largest if largest > 0 and math.isfinite(largest) else 1.0


def check_is_game(game: Any, what: str) -> None:
    """Raise unless this is a CoalitionGame."""
    if not isinstance(game, CoalitionGame):
        raise InvalidValueError(
            f"{what} needs a CoalitionGame, got {type(game).__name__}: make one from what each "
            "coalition is worth, or by coalition_game() from an alliance."
        )
