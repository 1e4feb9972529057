"""Linear algebra over the rationals: fraction-free elimination on Python integers (Bareiss, 1968)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

Rows = list[list[int]]


def solve_exactly(matrix: Sequence[Sequence[int]], right: Sequence[int]) -> list[Fraction] | None:
    """The solution of a square integer system, or None if the matrix is singular."""
    n = len(matrix)
    rows = [[*map(int, row), int(b)] for row, b in zip(matrix, right, strict=True)]
    if len(_echelon(rows, n)) < n:
        return None
    solution = [Fraction(0)] * n
    for i in reversed(range(n)):
        known = sum((rows[i][j] * solution[j] for j in range(i + 1, n)), Fraction(0))
        solution[i] = (rows[i][n] - known) / rows[i][i]
    return solution


def rank(matrix: Sequence[Sequence[Fraction]]) -> int:
    """The rank of a matrix of rationals."""
    if not matrix or not matrix[0]:
        return 0
    rows = []
    for row in matrix:
        scale = 1
        for x in row:
            scale *= x.denominator
        rows.append([int(x * scale) for x in row])
    return len(_echelon(rows, len(matrix[0])))


def _echelon(rows: Rows, columns: int) -> list[int]:
    """Bring rows to echelon form in place; the columns that hold pivots."""
    pivots: list[int] = []
    previous = 1
    for column in range(columns):
        top = len(pivots)
        found = next((i for i in range(top, len(rows)) if rows[i][column]), None)
        if found is None:
            continue
        rows[top], rows[found] = rows[found], rows[top]
        lead = rows[top][column]
        for row in rows[top + 1 :]:
            factor = row[column]
            row[:] = [
                (lead * x - factor * y) // previous for x, y in zip(row, rows[top], strict=True)
            ]
        pivots.append(column)
        previous = lead
    return pivots
