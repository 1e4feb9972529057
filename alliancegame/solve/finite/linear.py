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


def unique_solution(rows: Sequence[Sequence[Fraction]], unknowns: int) -> list[Fraction] | None:
    """The solution of a system of at least as many equations, if it has exactly one."""
    rows = [list(row) for row in rows]
    for column in range(unknowns):
        found = next((r for r in range(column, len(rows)) if rows[r][column]), None)
        if found is None:
            return None
        rows[column], rows[found] = rows[found], rows[column]
        lead = rows[column][column]
        rows[column] = [value / lead for value in rows[column]]
        for r, row in enumerate(rows):
            if r != column and row[column]:
                factor = row[column]
                rows[r] = [a - factor * b for a, b in zip(row, rows[column], strict=True)]
    if any(row[unknowns] for row in rows[unknowns:]):
        return None
    return [rows[k][unknowns] for k in range(unknowns)]


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
