"""FiniteGame: players, their labelled strategies, and payoffs; exact wherever numbers are rational."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import InvalidValueError
from alliancegame.game.checks import check_names, check_whole, listed, shown
from alliancegame.game.finite_payoffs import (
    PLACES,
    Exact,
    checked_text,
    fraction_of,
    fractions_of,
    place_of,
    read_labels,
    read_payoffs,
    read_strategies,
    scaled_to_integers,
)
from alliancegame.game.parameters import Array

if TYPE_CHECKING:
    import pandas as pd


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
        arrays, given, exact = read_payoffs(payoffs)
        shape = arrays[0].shape
        for name, value in (
            ("payoffs", arrays),
            ("players", read_labels("player", players, len(shape))),
            ("strategies", read_strategies(strategies, shape)),
            ("title", checked_text(title, "title")),
            ("provenance", MappingProxyType(dict(check_names(provenance, "provenance") or {}))),
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
        return tuple(fractions_of(a, decimal=self.exact) for a in self.payoffs)

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
        return place_of(player, self.players, "player")

    def strategy_index(self, player: str | int, strategy: str | int) -> int:
        """The place of a player's strategy, named by label or index."""
        i = self.index_of(player)
        return place_of(strategy, self.strategies[i], "strategy", f" of player {self.players[i]}")

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
        keep = self._kept(keep)
        mesh = np.ix_(*[np.asarray(k, dtype=np.intp) for k in keep])
        arrays = [a[mesh] for a in (self.payoffs if self._given is None else self._given)]
        labels = [[s[k] for k in kept] for s, kept in zip(self.strategies, keep, strict=True)]
        smaller = FiniteGame(arrays, self.players, labels, title=self.title)
        object.__setattr__(smaller, "exact", self.exact)
        return smaller

    def _kept(self, keep: Any) -> list[list[int]]:
        """Checked indices of the strategies to keep, by player."""
        rows = listed(keep, "keep", "indices of strategies for each player")
        if len(rows) != self.size:
            raise InvalidValueError(
                f"keep must have the indices of {self.size} players, got {len(rows)} lists."
            )
        made = []
        for i, row in enumerate(rows):
            own = listed(row, f"keep of player {self.players[i]}", "indices of strategies")
            made.append([self.strategy_index(i, k) for k in own])
            if not own or len(set(made[-1])) < len(own):
                raise InvalidValueError(
                    f"keep of player {self.players[i]} must name one strategy or more, each once; "
                    f"got {shown(own)}."
                )
        return made

    def rounded(self, places: int = 6) -> FiniteGame:
        """The game with payoffs rounded to decimals, and so exact: ties up to rounding become ties."""
        check_whole(places, "places", 0, PLACES)
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

        check_whole(digits, "digits", 1, 17)
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
        try:
            if self._given is not None and self.exact:
                return self._given[player][cell]  # type: ignore[no-any-return]
            value = float(self.payoffs[player][cell])
        except (IndexError, TypeError) as error:
            raise InvalidValueError(
                f"an entry is named by the index of a player, from 0 to {self.size - 1}, and of its cell "
                f"in the shape {self.shape}; got {shown(player)} and {shown(cell)}."
            ) from error
        return fraction_of(value, decimal=True) if self.exact else value

    def to_latex(self, *, digits: int = 4) -> str:
        """The bimatrix as LaTeX (booktabs): best replies underlined, pure equilibria in bold.

        Raises `InvalidValueError` for more than two players.
        """
        from alliancegame.game.bimatrix_latex import bimatrix

        self.two_players("to_latex")
        check_whole(digits, "digits", 1, 17)
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
        """The game that `to_dict` described.

        Raises `InvalidValueError` for anything else.
        """
        given: Any = data
        for key in ("players", "strategies", "payoffs"):
            if not isinstance(given, Mapping) or key not in given:
                raise InvalidValueError(
                    "from_dict needs what to_dict gives, a dict with players, strategies and payoffs; "
                    f"got {shown(data)}."
                )
        rows = [
            listed(own, "strategies", "labels")
            for own in listed(data["strategies"], "strategies", "lists of labels")
        ]
        shape = tuple(len(s) for s in rows)
        arrays = []
        for values in listed(data["payoffs"], "payoffs", "numbers by player"):
            numbers = listed(values, "payoffs of a player", "numbers")
            if len(numbers) != math.prod(shape):
                raise InvalidValueError(
                    f"a player's payoffs must be {math.prod(shape)} numbers, one for each profile of "
                    f"shape {shape}; got {len(numbers)}."
                )
            made = np.empty(len(numbers), dtype=object)
            made[:] = numbers
            arrays.append(made.reshape(shape))
        title = data.get("title", "")
        return cls(arrays, data["players"], rows, title=title, provenance=provenance)

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


def check_finite_game(game: Any, function: str) -> None:
    """Raise `InvalidValueError` for anything but a finite game."""
    if not isinstance(game, FiniteGame):
        raise InvalidValueError(
            f"{function} needs a FiniteGame, got {shown(game)}: make one of payoffs, "
            "ag.FiniteGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]]), or of an alliance, ag.discretise(...)."
        )
