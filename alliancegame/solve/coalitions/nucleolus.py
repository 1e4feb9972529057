"""The nucleolus: the division whose largest excess is least, then whose next largest is least, ..."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import ConvergenceError, EmptySetError
from alliancegame.game.checks import check_flag
from alliancegame.game.coalition import CoalitionGame, check_is_game, subset_sums
from alliancegame.game.parameters import Array
from alliancegame.solve.coalitions.core import ZeroNormalised, incidence
from alliancegame.solve.coalitions.values import Allocation
from alliancegame.solve.result import numbers

PRICED = 1e-7
"""A row with a price above this (prices add up to 1) is tight at every optimum."""

CHECKED = 1e-8
"""Excesses may be off by this, relative to the largest surplus, before the answer is refused."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Nucleolus(Allocation):
    """The nucleolus, with the excesses that each linear program found.

    `levels`, falling, are the excesses v(S) - x(S) at which coalitions were settled, one a program;
    `violation` is the most by which any coalition's recomputed excess breaks its level, in the unit
    of the game.
    """

    kind: ClassVar[str] = "nucleolus"

    levels: Array = dataclasses.field(default_factory=lambda: np.zeros(0))
    violation: float = 0.0

    def _content(self) -> dict[str, Any]:
        return {**super()._content(), "levels": self.levels.tolist(), "violation": self.violation}

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the nucleolus from its plain values."""
        return dataclasses.replace(
            super().from_content(content),
            levels=numbers(content["levels"]),
            violation=float(content["violation"]),
        )


def nucleolus(game: CoalitionGame, *, pre: bool = False) -> Nucleolus:
    """The nucleolus of a game, to 20 players; with `pre` the prenucleolus (nobody's v(i) assured).

    A sequence of linear programs (Maschler, Peleg and Shapley 1979). Each lowers the largest excess
    of the coalitions whose worth is not yet settled. Rows with a positive price are tight at every
    optimum, which holds in degenerate programs too, where tight rows at one optimum prove nothing;
    they are settled, and so is every coalition in their span. At least one new direction is settled
    each time, so that there are at most n - 1 programs. The point is then solved from the settled
    rows alone, and the excesses of all coalitions are checked against the levels.

    Raises `EmptySetError` if single players' worths exceed v(N), so that there is no imputation;
    `CoalitionSizeError`; `ConvergenceError` if the answer does not check. Source: Schmeidler (1969).
    """
    check_is_game(game, "nucleolus")
    check_flag(pre, "pre")
    made = ZeroNormalised.of(game)
    n, v = made.players, made.values
    if not pre and v[-1] < 0:
        raise EmptySetError(
            f"there is no division of v(N) = {game.grand:g} that gives every player its own worth, as "
            f"these add up to {float(made.alone.sum()):g}: use pre=True for the prenucleolus."
        )
    settled = Settled.nothing(n, float(v[-1]))
    undetermined = _outside_span(settled.rows)
    checks: list[tuple[NDArray[np.bool_], int]] = []
    while np.linalg.matrix_rank(settled.rows) < n:
        independent, sums = settled.independent()
        answer, masks = made.least_excess(independent, sums, undetermined, not pre)
        checks.append((undetermined, settled.levels))
        tight = masks[answer.prices > PRICED]
        idle = np.flatnonzero(answer.low_prices[:n] > PRICED)
        before = np.linalg.matrix_rank(settled.rows)
        settled = settled.extended(
            incidence(tight, n), v[tight], np.eye(n)[idle], float(answer.x[n])
        )
        if np.linalg.matrix_rank(settled.rows) == before:
            raise ConvergenceError("a program of the nucleolus settled nothing; rescale the game.")
        undetermined = undetermined & _outside_span(settled.rows)
    x, levels, inconsistent = settled.solved()
    excess = v - subset_sums(x)
    violation = max(
        [inconsistent, *(float(excess[open_].max()) - levels[k] for open_, k in checks)],
        default=inconsistent,
    )
    if not pre:
        violation = max(violation, -float(x.min()))
    if violation > CHECKED:
        raise ConvergenceError(
            f"the nucleolus does not check: some excess is {violation * made.scale:.2g} above its "
            "level; rescale the game."
        )
    rule = "prenucleolus" if pre else "nucleolus"
    method = f"{len(checks)} linear programs, all {2**n} excesses checked"
    return Nucleolus(
        game.players, rule, made.restored(x), np.zeros(n), game.grand, method,
        levels=levels * made.scale, violation=max(violation, 0.0) * made.scale,
    )  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False)
class Settled:
    """What programs have settled: rows x + level = worth; `level_of` is -1 for rows without a level.

    `rows` (row, n), `worths` (row,), `level_of` (row,), and the levels as the programs gave them.
    """

    rows: Array
    worths: Array
    level_of: NDArray[np.int64]
    found: tuple[float, ...]

    @classmethod
    def nothing(cls, n: int, total: float) -> Settled:
        """Only that x(N) = v(N)."""
        return cls(np.ones((1, n)), np.array([total]), np.array([-1]), ())

    @property
    def levels(self) -> int:
        """How many levels there are."""
        return len(self.found)

    def extended(self, tight: Array, worths: Array, idle: Array, level: float) -> Settled:
        """With coalitions tight at a new level, and players held at their own worth (0)."""
        return Settled(
            np.concatenate([self.rows, tight, idle]),
            np.concatenate([self.worths, worths, np.zeros(len(idle))]),
            np.concatenate(
                [self.level_of, np.full(len(tight), self.levels), np.full(len(idle), -1)]
            ),
            (*self.found, level),
        )

    def independent(self) -> tuple[Array, Array]:
        """Linearly independent rows, and x's sums over them."""
        kept: list[int] = []
        for k in range(len(self.rows)):
            if np.linalg.matrix_rank(self.rows[[*kept, k]]) == len(kept) + 1:
                kept.append(k)
        levels = np.array([*self.found, 0.0])  # The last one for rows without a level.
        return self.rows[kept], (self.worths - levels[self.level_of])[kept]

    def solved(self) -> tuple[Array, Array, float]:
        """The point and the levels from all rows by least squares, and the largest residual."""
        n, K = self.rows.shape[1], self.levels
        of_level = (self.level_of[:, None] == np.arange(K)).astype(np.float64)
        system = np.column_stack([self.rows, of_level])
        solution = np.linalg.lstsq(system, self.worths, rcond=None)[0]
        residual = float(np.abs(system @ solution - self.worths).max())
        return solution[:n], solution[n:], residual


def _outside_span(rows: Array) -> NDArray[np.bool_]:
    """Which coalitions' sums the rows do not determine, shape (2^n,)."""
    n = rows.shape[1]
    _, sizes, directions = np.linalg.svd(rows, full_matrices=True)
    free = directions[(sizes > 1e-9 * sizes[0]).sum() :]
    outside = np.zeros(2**n, dtype=bool)
    for direction in free:
        outside |= np.abs(subset_sums(direction)) > 1e-9
    return outside
