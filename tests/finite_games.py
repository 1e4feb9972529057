"""The bank of finite games whose equilibria are known, and a slow, exact, independent enumeration."""

from __future__ import annotations

import dataclasses
import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

import alliancegame as ag

F = Fraction
HALF = F(1, 2)


@dataclasses.dataclass(frozen=True)
class Known:
    """A game and all its extreme equilibria, as pairs of mixtures; `source` says how they are known."""

    name: str
    payoffs: Any
    extreme: frozenset[Any]
    components: int
    source: str

    @property
    def game(self) -> ag.FiniteGame:
        return ag.FiniteGame(self.payoffs)


def pure(m: int, i: int) -> tuple[F, ...]:
    return tuple(F(int(k == i)) for k in range(m))


def cell(i: int, j: int, m: int = 2, n: int = 2) -> tuple[tuple[F, ...], tuple[F, ...]]:
    return pure(m, i), pure(n, j)


TEXTBOOK = (
    Known(
        "prisoner's dilemma", [[[3, 0], [5, 1]], [[3, 5], [0, 1]]], frozenset({cell(1, 1)}), 1,
        "defection dominates strictly",
    ),
    Known(
        "chicken", [[[0, 7], [2, 6]], [[0, 2], [7, 6]]],
        frozenset({cell(0, 1), cell(1, 0), ((F(1, 3), F(2, 3)), (F(1, 3), F(2, 3)))}), 3,
        "Aumann (1974): row is indifferent if 7(1-q) = 2q + 6(1-q), q = 1/3",
    ),
    Known(
        "stag hunt", [[[4, 1], [3, 3]], [[4, 3], [1, 3]]],
        frozenset({cell(0, 0), cell(1, 1), ((F(2, 3), F(1, 3)), (F(2, 3), F(1, 3)))}), 3,
        "indifferent if 4q + (1-q) = 3, q = 2/3",
    ),
    Known(
        "battle of the sexes", [[[2, 0], [0, 1]], [[1, 0], [0, 2]]],
        frozenset({cell(0, 0), cell(1, 1), ((F(2, 3), F(1, 3)), (F(1, 3), F(2, 3)))}), 3,
        "p = 2(1-p) and 2q = 1-q",
    ),
    Known(
        "matching pennies", [[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]],
        frozenset({((HALF, HALF), (HALF, HALF))}), 1, "zero sum, symmetric",
    ),
    Known(
        "rock, paper, scissors",
        [[[0, -1, 1], [1, 0, -1], [-1, 1, 0]], [[0, 1, -1], [-1, 0, 1], [1, -1, 0]]],
        frozenset({((F(1, 3),) * 3, (F(1, 3),) * 3)}), 1, "zero sum, symmetric",
    ),
    Known(
        "a game of ties", [[[1, 1], [1, 1]], [[1, 1], [1, 1]]],
        frozenset(cell(i, j) for i in (0, 1) for j in (0, 1)), 1,
        "everything is an equilibrium: one subset of dimension 2",
    ),
    Known(
        "entry deterrence", [[[-1, 1], [0, 0]], [[0, 2], [3, 3]]],
        frozenset({cell(0, 1), cell(1, 0), (pure(2, 1), (HALF, HALF))}), 2,
        "Selten's chain store, one stage: out against any fight with q >= 1/2, and (in, yield)",
    ),
    Known(
        "von Stengel and Zamir's 3 x 2 chapter game",
        [[[3, 3], [2, 5], [0, 6]], [[3, 2], [2, 6], [3, 1]]],
        frozenset(
            {
                cell(0, 0, 3),
                ((F(4, 5), F(1, 5), F(0)), (F(2, 3), F(1, 3))),
                ((F(0), F(1, 3), F(2, 3)), (F(1, 3), F(2, 3))),
            }
        ), 3, "von Stengel (2007), Algorithmic Game Theory, example 3.3",
    ),
)  # fmt: skip
"""Two players."""

EIGHT = Known(
    "degenerate: nashpy's support enumeration finds 5 of 8",
    [[[3, 2, 1], [3, 2, 0], [3, 0, 1]], [[2, 2, 1], [2, 2, 0], [1, 1, 3]]],
    frozenset(), 1, "the independent enumeration below",
)  # fmt: skip

SEVENTY_FIVE = (
    [
        [9504, -660, 19976, -20526, 1776, -8976], [-111771, 31680, -130944, 168124, -8514, 52764],
        [397584, -113850, 451176, -586476, 29216, -178761],
        [171204, -45936, 208626, -263076, 14124, -84436],
        [1303104, -453420, 1227336, -1718376, 72336, -461736],
        [737154, -227040, 774576, -1039236, 48081, -300036],
    ],
    np.array(
        [
            [72336, -461736, 1227336, -1718376, 1303104, -453420],
            [48081, -300036, 774576, -1039236, 737154, -227040],
            [29216, -178761, 451176, -586476, 397584, -113850],
            [14124, -84436, 208626, -263076, 171204, -45936],
            [1776, -8976, 19976, -20526, 9504, -660],
            [-8514, 52764, -130944, 168124, -111771, 31680],
        ]
    ).T,
)  # fmt: skip
"""Von Stengel (1999), New maximal numbers of equilibria in bimatrix games: 75 equilibria."""


# --- The slow way --------------------------------------------------------------------------------


def slow_vertices(own: np.ndarray) -> dict[tuple[F, ...], frozenset[int]]:
    """Vertices of {(x, v): x a mixture, best reply value v} by trying every set of tight constraints.

    `own` has shape (m, n): the opponent's payoff for my strategy by its strategy. Labels 0..m-1 are
    unplayed strategies of mine, m..m+n-1 best replies of the opponent.
    """
    m, n = own.shape
    found: dict[tuple[F, ...], frozenset[int]] = {}
    for tight in itertools.combinations(range(m + n), m):
        rows = [[F(1)] * m + [F(0)]]
        for k in tight:
            if k < m:
                rows.append([F(int(i == k)) for i in range(m)] + [F(0)])
            else:
                rows.append([F(int(own[i, k - m])) for i in range(m)] + [F(-1)])
        matrix = sympy.Matrix(
            [[sympy.Rational(x.numerator, x.denominator) for x in r] for r in rows]
        )
        if matrix.det() == 0:
            continue
        solution = matrix.LUsolve(sympy.Matrix([1] + [0] * m))
        numbers = [F(int(s.p), int(s.q)) for s in solution]
        x, v = tuple(numbers[:m]), numbers[m]
        payoffs = [sum(x[i] * int(own[i, j]) for i in range(m)) for j in range(n)]
        if min(x) < 0 or max(payoffs) > v:
            continue
        labels = {i for i in range(m) if x[i] == 0} | {m + j for j in range(n) if payoffs[j] == v}
        found[x] = frozenset(labels)
    return found


def slow_extreme(A: Any, B: Any) -> frozenset[Any]:
    """All extreme equilibria of a bimatrix game of integers, without any code of the library."""
    A, B = np.asarray(A), np.asarray(B)
    m, n = A.shape
    first = slow_vertices(B)
    second = {
        y: frozenset((k + m if k < n else k - n) for k in labels)
        for y, labels in slow_vertices(A.T).items()
    }
    whole = frozenset(range(m + n))
    return frozenset(
        (x, y)
        for x, ours in first.items()
        for y, theirs in second.items()
        if ours | theirs == whole
    )
