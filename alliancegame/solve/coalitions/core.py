"""The core and the least core of a coalition game, by linear programs whose rows are found as needed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import ConvergenceError
from alliancegame.game.coalition import CoalitionGame, check_is_game, scale_of, subset_sums
from alliancegame.game.parameters import Array
from alliancegame.solve.coalitions.linear import LinearSolution, minimise
from alliancegame.solve.result import Result, numbers

if TYPE_CHECKING:
    import pandas as pd

DECIDED = 1e-9
"""An excess below this, relative to the largest worth, is none."""

ALL_ROWS = 8
"""Up to here a program has all coalitions as rows from the start."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Core(Result):
    """Whether the core is empty, the least core's epsilon, and a point.

    `epsilon` is the smallest number such that some division of v(N) leaves no coalition more than
    epsilon short (minus infinity with one player). The core is empty exactly if it is positive;
    `empty` is None if it is 0 to rounding on the wrong side and neither can be shown. `values`, of
    shape (n,), is a division in the least core, so that it is in the core if there is one. If the
    core is empty, `objection` has the balanced weights that prove it (Bondareva and Shapley): they
    cover every player exactly once, and the coalitions' worths, so weighted, exceed v(N).
    `violation` and `gap` are the recomputed breach and duality gap, in the unit of the game.
    """

    kind: ClassVar[str] = "core"

    players: tuple[Any, ...]
    empty: bool | None
    epsilon: float
    values: Array
    objection: Mapping[str, float]
    violation: float
    gap: float

    @property
    def point(self) -> pd.Series[float] | None:
        """A division in the core, by player; None if there is none."""
        return None if self.empty or self.empty is None else self.least_core_point

    @cached_property
    def least_core_point(self) -> pd.Series[float]:
        """A division in the least core, by player."""
        return self.to_frame()["value"]

    def headline(self) -> str:
        """One line that says what was found."""
        state = {True: "empty", False: "not empty", None: "undecided"}[self.empty]
        return f"core {state}; least core at epsilon {self.epsilon:.6g}"

    def to_frame(self) -> pd.DataFrame:
        """The division in the least core, a row a player."""
        import pandas as pd

        return pd.DataFrame({"value": self.values}, index=pd.Index(self.players, name="player"))

    def _content(self) -> dict[str, Any]:
        return {
            "players": list(self.players), "empty": self.empty, "epsilon": self.epsilon,
            "values": self.values.tolist(), "objection": dict(self.objection),
            "violation": self.violation, "gap": self.gap,
        }  # fmt: skip

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        return cls(
            tuple(content["players"]), content["empty"], float(content["epsilon"]),
            numbers(content["values"]), dict(content["objection"]), float(content["violation"]),
            float(content["gap"]),
        )  # fmt: skip


def core(game: CoalitionGame) -> Core:
    """Whether the core is empty, with a point of it or a proof that there is none; the least core.

    To 20 players. The linear program min epsilon, x(S) >= v(S) - epsilon for every coalition but
    the empty and the grand one, x(N) = v(N), gets its rows as they are violated; at the end all
    coalitions are checked at the point, and the prices of the rows prove the bound from below.

    Raises `CoalitionSizeError`, and `ConvergenceError` if the program's answer does not check.
    Source: Gillies (1959); Bondareva (1963); Maschler, Peleg and Shapley (1979).
    """
    check_is_game(game, "core")
    made = ZeroNormalised.of(game)
    if game.size == 1:
        return Core(game.players, False, -math.inf, np.array([game.grand]), {}, 0.0, 0.0)
    undetermined = np.ones(made.values.size, dtype=bool)
    undetermined[[0, -1]] = False
    answer, rows = made.least_excess(np.ones((1, game.size)), made.values[-1:], undetermined, False)
    x, scale = answer.x[: game.size], made.scale
    reached = float((made.values - subset_sums(x))[1:-1].max())
    proved = answer.value - abs(answer.gap)
    empty = True if proved > DECIDED else False if reached <= DECIDED else None
    return Core(
        game.players, empty, answer.value * scale, made.restored(x),
        _objection(game, rows, answer) if empty else {},
        max(reached - answer.value, answer.violation) * scale, abs(answer.gap) * scale,
    )  # fmt: skip


def _objection(
    game: CoalitionGame, rows: NDArray[np.int64], answer: LinearSolution
) -> dict[str, float]:
    """The prices as balanced weights: sum over S with i in S of the weight of S is 1 for every i.

    Stationarity in x says that the prices of the coalitions of a player add up to one number, the
    price of x(N) with its sign turned.
    """
    cover = -float(answer.equal_prices[0])
    return {
        game.label(int(mask)): float(price) / cover
        for mask, price in zip(rows, answer.prices, strict=True)
        if price > 1e-9
    }


@dataclasses.dataclass(frozen=True, eq=False)
class ZeroNormalised:
    """A game in which single players are worth 0 and the largest worth is 1: `values`, (2^n,).

    Cores and nucleoli move with it: x_i = alone_i + scale * x0_i.
    """

    values: Array
    alone: Array
    scale: float

    @classmethod
    def of(cls, game: CoalitionGame) -> ZeroNormalised:
        """Normalise a game."""
        alone = game.values[2 ** np.arange(game.size)]
        surplus = game.values - subset_sums(alone)
        surplus[2 ** np.arange(game.size)] = 0.0
        # Differences that are only rounding of the worths are no surplus.
        surplus[np.abs(surplus) <= 4e-16 * game.size * scale_of(game.values)] = 0.0
        scale = scale_of(surplus)
        return cls(surplus / scale, alone, scale)

    def restored(self, x: Array) -> Array:
        """A division of the normalised game as one of the game itself."""
        return np.asarray(self.alone + self.scale * x)

    @property
    def players(self) -> int:
        """The number of players."""
        return len(self.alone)

    def least_excess(
        self, fixed: Array, sums: Array, undetermined: NDArray[np.bool_], individual: bool
    ) -> tuple[LinearSolution, NDArray[np.int64]]:
        """The least epsilon with x(S) + epsilon >= v(S) for all undetermined S, and its rows.

        `fixed` x = `sums` holds what is settled, shape (rows, n) and (rows,); `individual` asks for
        x >= 0. The variables are (x, epsilon).
        """
        n, v = self.players, self.values
        c = np.append(np.zeros(n), 1.0)
        E = np.column_stack([fixed, np.zeros(len(fixed))])
        low = np.append(np.zeros(n) if individual else np.full(n, -np.inf), -np.inf)
        rows = self._first_rows(undetermined)
        for _ in range(200):
            A = np.column_stack([incidence(rows, n), np.ones(len(rows))])
            answer = minimise(c, A, v[rows], E, sums, low)
            excess = np.where(undetermined, v - subset_sums(answer.x[:n]) - answer.x[n], -np.inf)
            excess[rows] = -np.inf
            worst = np.argsort(excess)[-4 * n :]
            worst = worst[excess[worst] > DECIDED / 10]
            if not len(worst):
                return answer, rows
            rows = np.concatenate([rows, worst])
        raise ConvergenceError("the rows of a linear program over coalitions did not settle.")

    def _first_rows(self, undetermined: NDArray[np.bool_]) -> NDArray[np.int64]:
        """All rows of a small game; else single players and all but one, which bound epsilon."""
        if self.players <= ALL_ROWS:
            return np.flatnonzero(undetermined)
        single = 2 ** np.arange(self.players)
        rows = np.concatenate([single, undetermined.size - 1 - single])
        return np.asarray(rows[undetermined[rows]])


def incidence(masks: NDArray[np.int64], n: int) -> Array:
    """Who is in which coalition, shape (coalition, n), 0 or 1."""
    return np.asarray((masks[:, None] >> np.arange(n)) & 1, dtype=np.float64)
