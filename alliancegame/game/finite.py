"""FiniteGame: players, their labelled strategies, and payoffs; exact wherever numbers are rational."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from numbers import Rational
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import InvalidValueError, unknown_name
from alliancegame.game.parameters import Array

if TYPE_CHECKING:
    import pandas as pd

PLACES = 9
"""Floats that are decimals of at most so many places are read as those decimals."""
LARGEST_DECIMAL = 1e6
"""Above it only integers are read exactly: a float has no room for nine places there."""

Exact = NDArray[Any]
"""Arrays of fractions or of Python integers."""


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class FiniteGame:
    """A game in strategic form: n players, finitely many strategies each.

    `payoffs` are n arrays of shape (m_1, ..., m_n), one for each player in order. Integers,
    `Fraction`, `Decimal`, text such as "1/3", and floats that are decimals of at most nine places
    are rational numbers and are kept as such (`exact` is then True, and two-player equilibria come
    out as fractions). Other floats are computed with as the binary numbers that they are.

    `players` are labels (default "1", "2", ...), `strategies` one list of labels for each player
    (default "1", "2", ...). Players and strategies are named by label or by index, from 0.

    Raises `InvalidValueError` for arrays of different shapes, a number of arrays that does not fit
    their dimensions, values that are no finite numbers, and labels that do not fit.

    >>> game = FiniteGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], players=("row", "column"))
    >>> game.shape, game.exact
    ((2, 2), True)
    """

    payoffs: tuple[Array, ...]
    players: tuple[str, ...]
    strategies: tuple[tuple[str, ...], ...]
    title: str
    provenance: Mapping[str, Any]
    exact: bool
    _given: tuple[Exact, ...] | None

    def __init__(
        self,
        payoffs: Sequence[Any],
        players: Sequence[str] | None = None,
        strategies: Sequence[Sequence[str]] | None = None,
        *,
        title: str = "",
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        arrays, given, exact = _read(payoffs)
        shape = arrays[0].shape
        for name, value in (
            ("payoffs", arrays),
            ("players", _labels("player", players, len(shape))),
            ("strategies", _strategies(strategies, shape)),
            ("title", str(title)),
            ("provenance", MappingProxyType(dict(provenance or {}))),
            ("exact", exact),
            ("_given", given),
        ):
            object.__setattr__(self, name, value)

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of strategies of each player."""
        return self.payoffs[0].shape

    @property
    def size(self) -> int:
        """The number of players."""
        return len(self.payoffs)

    @property
    def cells(self) -> int:
        """The number of pure profiles."""
        return self.payoffs[0].size

    @cached_property
    def fractions(self) -> tuple[Exact, ...]:
        """The payoffs as the rational numbers that exact methods compute with, in `payoffs`' shapes."""
        if self._given is not None:
            return self._given
        return tuple(_fractions(a, decimal=self.exact) for a in self.payoffs)

    @cached_property
    def integers(self) -> tuple[Exact, ...]:
        """Every player's payoffs times a positive number of its own, as Python integers."""
        return tuple(scaled_to_integers(a) for a in self.fractions)

    @cached_property
    def smallest(self) -> tuple[Fraction, ...]:
        """Every player's smallest payoff, exactly: `levelled` plus this are the payoffs."""
        return tuple(Fraction(a.min()) for a in (self.fractions if self.exact else self.payoffs))

    @cached_property
    def levelled(self) -> tuple[Array, ...]:
        """The payoffs less each player's smallest, as floats: no digits go to a common offset."""
        if self.exact:
            return tuple((a - a.min()).astype(np.float64) for a in self.fractions)
        return tuple(a - a.min() for a in self.payoffs)

    @property
    def comparable(self) -> tuple[NDArray[Any], ...]:
        """Payoffs whose order is exact: floats, or integers where fractions were given."""
        return self.payoffs if self._given is None else self.integers

    def index_of(self, player: str | int) -> int:
        """The place of a player, named by label or index."""
        return _place(player, self.players, "player")

    def strategy_index(self, player: str | int, strategy: str | int) -> int:
        """The place of a player's strategy, named by label or index."""
        i = self.index_of(player)
        return _place(strategy, self.strategies[i], "strategy", f" of player {self.players[i]}")

    def profile_index(self, profile: Any) -> tuple[int, ...]:
        """The cell of a pure profile: one strategy for each player, or a dict by player."""
        if isinstance(profile, Mapping):
            chosen = {self.index_of(player): s for player, s in profile.items()}
            missing = [p for i, p in enumerate(self.players) if i not in chosen]
            if missing:
                raise InvalidValueError(f"the profile has no strategy for {', '.join(missing)}.")
            profile = [chosen[i] for i in range(self.size)]
        if isinstance(profile, (str, bytes)) or not isinstance(profile, Sequence):
            raise InvalidValueError(
                f"a pure profile names one strategy for each of {self.size} players, got {profile!r}."
            )
        if len(profile) != self.size:
            raise InvalidValueError(
                f"the profile names {len(profile)} strategies for {self.size} players."
            )
        return tuple(self.strategy_index(i, s) for i, s in enumerate(profile))

    def two_players(self, method: str) -> None:
        """Raise `InvalidValueError` unless the game has two players, as `method` needs."""
        if self.size != 2:
            raise InvalidValueError(
                f"{method} is for two players, and this game has {self.size}: "
                f"{', '.join(self.players)}. find_equilibria and solve_nash take any number."
            )

    def restrict(self, keep: Sequence[Sequence[int]]) -> FiniteGame:
        """The game in which every player has only the strategies kept, by index, in their order."""
        mesh = np.ix_(*[np.asarray(k, dtype=np.intp) for k in keep])
        arrays = [a[mesh] for a in (self.payoffs if self._given is None else self._given)]
        labels = [[s[k] for k in kept] for s, kept in zip(self.strategies, keep, strict=True)]
        smaller = FiniteGame(arrays, self.players, labels, title=self.title)
        object.__setattr__(smaller, "exact", self.exact)
        return smaller

    def rounded(self, places: int = 6) -> FiniteGame:
        """The game with payoffs rounded to decimals, and so exact: ties up to rounding become ties."""
        if not 0 <= places <= PLACES:
            raise InvalidValueError(f"places must be from 0 to {PLACES}, got {places}.")
        scale = 10**places
        arrays = [
            np.array([Fraction(round(x * scale), scale) for x in a.flat], dtype=object).reshape(
                a.shape
            )
            for a in self.fractions
        ]
        return FiniteGame(
            arrays, self.players, self.strategies, title=self.title, provenance=self.provenance
        )

    def to_frame(self, *, digits: int = 4) -> pd.DataFrame:
        """The game as a table.

        Two players: the bimatrix as papers print it, rows for the first player's strategies, each
        cell with both payoffs, the row player's first. More players: a row for each pure profile,
        and a column of payoffs for each player.
        """
        import pandas as pd

        if self.size == 2:
            rows, columns = (
                pd.Index(s, name=p) for s, p in zip(self.strategies, self.players, strict=True)
            )
            text = [
                [self.cell_text((i, j), digits) for j in range(self.shape[1])]
                for i in range(self.shape[0])
            ]
            return pd.DataFrame(text, index=rows, columns=columns)
        profiles = pd.MultiIndex.from_product(self.strategies, names=list(self.players))
        by_player = zip(self.players, self.payoffs, strict=True)
        return pd.DataFrame({f"payoff of {p}": a.ravel() for p, a in by_player}, index=profiles)

    def cell_text(self, cell: tuple[int, ...], digits: int = 4) -> str:
        """The payoffs of a cell as text, the first player's first."""
        return ", ".join(number(self.entry(i, cell), digits) for i in range(self.size))

    def entry(self, player: int, cell: tuple[int, ...]) -> Fraction | float:
        """One payoff: a fraction where the game is exact, a float elsewhere."""
        if not self.exact:
            return float(self.payoffs[player][cell])
        if self._given is not None:
            return self._given[player][cell]  # type: ignore[no-any-return]
        return _fraction(float(self.payoffs[player][cell]), decimal=True)

    def to_latex(self, *, digits: int = 4) -> str:
        """The bimatrix as LaTeX (booktabs): best replies underlined, pure equilibria in bold.

        Raises `InvalidValueError` for more than two players.
        """
        from alliancegame.game.bimatrix_latex import bimatrix

        self.two_players("to_latex")
        return bimatrix(self, digits)

    def to_nfg(self, path: Any = None) -> str:
        """The game as Gambit's .nfg text (payoff form), also written to `path` if one is given."""
        from alliancegame.game.nfg import write

        return write(self, path)

    @classmethod
    def from_nfg(cls, source: Any) -> FiniteGame:
        """Read a game from Gambit's .nfg text, or from a file of it; both forms are read.

        Raises `GameFileError` for anything else.
        """
        from alliancegame.game.nfg import read

        return read(source)

    def to_dict(self) -> dict[str, Any]:
        """Players, strategies and payoffs as plain values; rational payoffs as text such as "1/3"."""
        numbers: list[list[Any]]
        if self.exact:
            numbers = [[str(x) for x in a.flat] for a in self.fractions]
        else:
            numbers = [a.ravel().tolist() for a in self.payoffs]
        return {
            "players": list(self.players),
            "strategies": [list(s) for s in self.strategies],
            "payoffs": numbers,
            "title": self.title,
        }

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any], provenance: Mapping[str, Any] | None = None
    ) -> FiniteGame:
        """The game that `to_dict` described."""
        shape = tuple(len(s) for s in data["strategies"])
        arrays = [np.array(a, dtype=object).reshape(shape) for a in data["payoffs"]]
        title = data.get("title", "")
        return cls(arrays, data["players"], data["strategies"], title=title, provenance=provenance)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the game's content: equal games have equal hashes."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FiniteGame) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        sizes = "×".join(map(str, self.shape))
        kind = "exact" if self.exact else "float"
        return f"<FiniteGame {self.title + ': ' if self.title else ''}{sizes}, {kind}: " + (
            f"{' against '.join(self.players)}>" if self.size == 2 else f"{self.size} players>"
        )

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html())


def number(value: Any, digits: int = 4) -> str:
    """A payoff or probability as text: integers and short fractions exactly, the rest in digits."""
    if isinstance(value, Fraction):
        if value.denominator == 1 and abs(value) < 10**digits:
            return str(value.numerator)
        decimal = f"{float(value):.{digits}g}"
        return decimal if Fraction(decimal) == value or len(str(value)) > 7 else str(value)
    return f"{float(value):.{digits}g}"


def scaled_to_integers(values: Exact) -> Exact:
    """Fractions times their least common denominator, as Python integers."""
    scale = math.lcm(*{x.denominator for x in values.flat})
    whole = np.empty(values.shape, dtype=object)
    whole.ravel()[:] = [x.numerator * (scale // x.denominator) for x in values.flat]
    return whole


def _read(payoffs: Any) -> tuple[tuple[Array, ...], tuple[Exact, ...] | None, bool]:
    """Checked payoffs as floats, as fractions if any were given as such, and whether all are rational."""
    if isinstance(payoffs, (str, bytes)) or not hasattr(payoffs, "__len__"):
        raise InvalidValueError(
            f"payoffs must be one array for each player, got {type(payoffs).__name__}."
        )
    n = len(payoffs)
    if n < 2:
        raise InvalidValueError(f"payoffs must be arrays for at least two players, got {n}.")
    raw = [_raw(a, i) for i, a in enumerate(payoffs)]
    shape = raw[0].shape
    for i, a in enumerate(raw):
        if a.shape != shape:
            raise InvalidValueError(
                f"payoffs of player {i + 1} have shape {a.shape}, those of player 1 {shape}: "
                "every player needs one payoff for each profile."
            )
    if len(shape) != n:
        raise InvalidValueError(
            f"{n} payoff arrays are for {n} players and need {n} dimensions, one for each player's "
            f"strategies; got shape {shape}. Give {len(shape)} arrays of this shape, or more dimensions."
        )
    if 0 in shape:
        raise InvalidValueError(f"every player needs a strategy, got payoffs of shape {shape}.")
    if any(a.dtype == object for a in raw):
        given = [_objects(a, i) for i, a in enumerate(raw)]
        floats = tuple(_frozen(np.array(a, dtype=np.float64)) for a, _ in given)
        exact = all(rational for _, rational in given)
        return floats, tuple(a for a, _ in given), exact
    floats = tuple(_frozen(np.array(a, dtype=np.float64)) for a in raw)
    for i, a in enumerate(floats):
        if not np.isfinite(a).all():
            cell = tuple(int(k) for k in np.argwhere(~np.isfinite(a))[0])
            raise InvalidValueError(
                f"payoff of player {i + 1} at {cell} must be finite, got {float(a[cell])!r}."
            )
    return floats, None, all(_decimal(a) for a in floats)


def _raw(values: Any, player: int) -> NDArray[Any]:
    what = f"payoffs of player {player + 1}"
    if np.ma.is_masked(values):
        raise InvalidValueError(f"{what} have masked (missing) entries.")
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InvalidValueError(f"{what} must be an array, got lists of unequal length.") from error
    if array.dtype.kind in "iuf":
        if array.dtype.kind != "f" and array.size and np.abs(array.astype(object)).max() > 2**53:
            return array.astype(object)
        return array
    return array.astype(object)


def _objects(values: NDArray[Any], player: int) -> tuple[Exact, bool]:
    """Fractions cell by cell, and whether all of them were rational as given."""
    made = np.empty(values.shape, dtype=object)
    rational = True
    for cell in np.ndindex(values.shape):
        made[cell], exactly = _as_fraction(values[cell], f"payoff of player {player + 1} at {cell}")
        rational = rational and exactly
    made.setflags(write=False)
    return made, rational


def _as_fraction(value: Any, what: str) -> tuple[Fraction, bool]:
    if isinstance(value, (bool, np.bool_, complex, np.complexfloating)) or value is None:
        raise InvalidValueError(f"{what} must be a real number, got {value!r}.")
    if isinstance(value, np.integer):
        return Fraction(int(value)), True
    if isinstance(value, Rational):
        return Fraction(int(value.numerator), int(value.denominator)), True
    if isinstance(value, (float, np.floating)):
        value = float(value)
        if not math.isfinite(value):
            raise InvalidValueError(f"{what} must be finite, got {value!r}.")
        decimal = bool(_decimal(np.array([value])))
        return _fraction(value, decimal=decimal), decimal
    try:
        return Fraction(str(value)), True
    except (ValueError, ZeroDivisionError) as error:
        raise InvalidValueError(
            f"{what} must be a finite number or a fraction such as '1/3', got {value!r}."
        ) from error


def _decimal(values: Array) -> bool:
    """Whether all floats are integers, or decimals of at most PLACES places."""
    whole = values == np.rint(values)
    small = np.where(np.abs(values) <= LARGEST_DECIMAL, values, np.inf)
    short = np.round(small, PLACES) == values
    return bool((whole | short).all())


def _fraction(value: float, *, decimal: bool) -> Fraction:
    if decimal and value != int(value):
        return Fraction(round(value * 10**PLACES), 10**PLACES)
    return Fraction(value)


def _fractions(values: Array, *, decimal: bool) -> Exact:
    made = np.empty(values.shape, dtype=object)
    made.ravel()[:] = [_fraction(x, decimal=decimal) for x in values.ravel().tolist()]
    made.setflags(write=False)
    return made


def _frozen(values: Array) -> Array:
    values.setflags(write=False)
    return values


def _labels(kind: str, labels: Any, count: int) -> tuple[str, ...]:
    """Given labels, or "1", "2", ... by default."""
    if labels is None:
        return tuple(str(k + 1) for k in range(count))
    if isinstance(labels, (str, bytes)) or not hasattr(labels, "__iter__"):
        raise InvalidValueError(f"labels of {_many(kind)} must be a list, got {labels!r}.")
    made = tuple(labels)
    for label in made:
        if not isinstance(label, str) or not label.strip():
            raise InvalidValueError(f"a label of a {kind} must be text, got {label!r}.")
    if len(made) != count:
        raise InvalidValueError(
            f"{count} labels of {_many(kind)} are needed, got {len(made)}: {', '.join(made)}."
        )
    return _unique(made, kind)


def _many(kind: str) -> str:
    return "strategies" if kind == "strategy" else f"{kind}s"


def _unique(labels: tuple[str, ...], kind: str) -> tuple[str, ...]:
    for k, label in enumerate(labels):
        if label in labels[:k]:
            raise InvalidValueError(f"duplicate {kind} {label!r}: labels must be unique.")
    return labels


def _strategies(strategies: Any, shape: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
    if strategies is None:
        return tuple(_labels("strategy", None, m) for m in shape)
    if isinstance(strategies, (str, bytes)) or not hasattr(strategies, "__len__"):
        raise InvalidValueError(f"strategies must be a list for each player, got {strategies!r}.")
    if len(strategies) != len(shape):
        raise InvalidValueError(
            f"strategies must be one list of labels for each of {len(shape)} players, "
            f"got {len(strategies)}."
        )
    return tuple(_labels("strategy", s, m) for s, m in zip(strategies, shape, strict=True))


def _place(name: str | int, labels: Sequence[str], kind: str, where: str = "") -> int:
    if isinstance(name, (int, np.integer)) and not isinstance(name, bool):
        if not 0 <= name < len(labels):
            raise InvalidValueError(
                f"index of a {kind}{where} must be from 0 to {len(labels) - 1}, got {name}."
            )
        return int(name)
    if name not in labels:
        raise unknown_name(kind, name, labels, where)
    return list(labels).index(str(name))
