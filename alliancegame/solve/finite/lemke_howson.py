"""One equilibrium of any bimatrix game: Lemke and Howson's (1964) path, exactly.

Complementary pivoting in integers with the lexicographic rule, which visits no basis twice; so the
path ends at an equilibrium also where the game is degenerate (von Stengel, 2002, section 2).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from numpy.typing import NDArray

from alliancegame.game.finite import FiniteGame
from alliancegame.solve.finite.mixtures import Mixtures

MOST_PIVOTS = 20_000


def path_end(game: FiniteGame, label: int = 0) -> Mixtures | None:
    """The equilibrium at the end of the path on which `label` is missing, from 0 to m + n - 1.

    None if the path is longer than MOST_PIVOTS.
    """
    m, n = game.shape
    A, B = (_positive(a) for a in game.integers)
    # Player 2's conditions B'x + r = 1 (rows j), player 1's Ay + s = 1 (rows i).
    tables = [
        _Tableau([[B[i, j] for i in range(m)] for j in range(n)], range(m), range(m, m + n)),
        _Tableau([[A[i, j] for j in range(n)] for i in range(m)], range(m, m + n), range(m)),
    ]
    entering, turn = ("strategy", label), int(label >= m)
    for _ in range(MOST_PIVOTS):
        kind, left = tables[turn].pivot(entering)
        if left == label:
            break
        entering = ("slack" if kind == "strategy" else "strategy", left)
        turn = 1 - turn
    else:
        return None
    x = tables[0].mixture(range(m))
    y = tables[1].mixture(range(m, m + n))
    return x, y


def _positive(payoff: NDArray[Any]) -> NDArray[Any]:
    positive: NDArray[Any] = payoff - min(payoff.flat) + 1
    return positive


class _Tableau:
    """A dictionary in integers: columns for strategies, slacks, and the right side."""

    def __init__(self, rows: list[list[int]], own: range, slack: range) -> None:
        size = len(rows)
        self.columns = {("strategy", v): k for k, v in enumerate(own)}
        self.columns |= {("slack", v): len(own) + k for k, v in enumerate(slack)}
        self.rows = [
            [int(x) for x in row] + [int(k == i) for k in range(size)] + [1]
            for i, row in enumerate(rows)
        ]
        self.basis = [("slack", v) for v in slack]
        self.denominator = 1
        self.first_slack = len(own)

    def pivot(self, entering: tuple[str, int]) -> tuple[str, int]:
        """Bring a variable into the basis; the one that leaves."""
        column = self.columns[entering]
        candidates = [i for i, row in enumerate(self.rows) if row[column] > 0]
        order = [-1, *range(self.first_slack, len(self.rows[0]) - 1)]
        for k in order:  # lexicographic minimum ratio
            if len(candidates) == 1:
                break
            ratios = [Fraction(self.rows[i][k], self.rows[i][column]) for i in candidates]
            least = min(ratios)
            candidates = [i for i, q in zip(candidates, ratios, strict=True) if q == least]
        out = candidates[0]
        top = self.rows[out]
        lead = top[column]
        for i, row in enumerate(self.rows):
            if i != out:
                factor = row[column]
                self.rows[i] = [
                    (lead * x - factor * y) // self.denominator
                    for x, y in zip(row, top, strict=True)
                ]
        self.denominator = lead
        left, self.basis[out] = self.basis[out], entering
        return left

    def mixture(self, strategies: range) -> tuple[Fraction, ...]:
        """The strategies' values in the basis, as probabilities."""
        values = dict.fromkeys(strategies, 0)
        for variable, row in zip(self.basis, self.rows, strict=True):
            if variable[0] == "strategy":
                values[variable[1]] = row[-1]
        total = sum(values.values())
        return tuple(Fraction(values[v], total) for v in strategies)
