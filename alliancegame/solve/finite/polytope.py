"""Vertices of a best-reply polytope: all of them, exactly, with the constraints tight at each.

The polytope of one player is {x >= 0, M' x <= 1} for a positive matrix M of shape (d, k): x is that
player's strategy up to scale, and constraint j is tight where the opponent's strategy j is a best
reply (von Stengel, 2002, "Computing equilibria for two-person games", section 2).

Two ways, one answer. Where no vertex has more than d tight constraints, a search along edges in
floating point proposes bases, and the proposal is then *proved*: rounding is bounded at every vertex
so that the signs of all slacks are certain, and every edge has both its ends among the vertices.
Since the graph of a polytope is connected, none is missing. Anything else is left to the double
description method over integers (Motzkin et al., 1953; Fukuda and Prodon, 1996).
"""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import GameTooLargeError
from alliancegame.game.parameters import Array
from alliancegame.solve.finite.linear import solve_exactly

Labels = NDArray[np.bool_]

MOST_VERTICES = 200_000
"""Vertices of one polytope beyond which enumeration is refused."""
MOST_DOUBTFUL = 1_000
"""Vertices that rounding leaves open and fractions settle; beyond, the exact method takes over."""
MOST_RAYS = 20_000
"""The same for the exact method, whose adjacency tests grow with the square."""
_CHUNK = 2_000_000
_UNIT = float(np.finfo(np.float64).eps)


@dataclasses.dataclass(frozen=True, eq=False)
class Vertices:
    """The vertices of {x >= 0, M' x <= K}, the origin left out.

    `labels` has shape (vertices, d + k): the first d say x_i = 0, the others that a constraint is
    tight. `simple` says that every vertex has exactly d tight constraints. `points` are exact
    coordinates where they were computed; `point` gives those of any vertex.
    """

    matrix: NDArray[Any]
    level: int
    labels: Labels
    simple: bool
    points: tuple[tuple[Fraction, ...], ...] | None = None

    def point(self, vertex: int) -> tuple[Fraction, ...]:
        """A vertex as a mixed strategy: exact, and adding up to one."""
        if self.points is not None:
            return self.points[vertex]
        d = self.matrix.shape[0]
        tight = np.flatnonzero(self.labels[vertex])
        inside = [i for i in range(d) if i not in tight]
        rows = [[self.matrix[i, j - d] for i in inside] for j in tight if j >= d]
        solution = solve_exactly(rows, [self.level] * len(rows))
        if solution is None:
            raise ArithmeticError("a vertex that was proved has a singular basis")
        total = sum(solution, Fraction(0))
        made = [Fraction(0)] * d
        for i, x in zip(inside, solution, strict=True):
            made[i] = x / total
        return tuple(made)


def best_reply_vertices(payoff: NDArray[Any]) -> Vertices:
    """The vertices for the opponent's payoffs, integers of shape (d, k): own strategies by theirs.

    Raises `GameTooLargeError` beyond MOST_VERTICES (or MOST_RAYS, where vertices are degenerate).
    """
    low, high = min(payoff.flat), max(payoff.flat)
    level = max(high - low, 1)
    matrix = payoff - low + level
    scaled = np.array([[x / level for x in row] for row in matrix.tolist()], dtype=np.float64)
    bases = _search(scaled)
    if bases is not None and _proved(matrix, level, scaled, bases):
        labels = np.zeros((len(bases), sum(scaled.shape)), dtype=bool)
        np.put_along_axis(labels, bases, True, axis=1)
        origin = labels[:, : scaled.shape[0]].all(axis=1)
        return Vertices(matrix, level, labels[~origin], simple=True)
    return _double_description(matrix, level)


# --- Simple polytopes: search in floating point, then proof ------------------------------------


def _constraints(matrix: Array) -> tuple[Array, Array]:
    """C x <= b: nonnegativity first, then the best-reply constraints."""
    d, k = matrix.shape
    return np.vstack([-np.eye(d), matrix.T]), np.r_[np.zeros(d), np.ones(k)]


def _search(matrix: Array) -> NDArray[np.intp] | None:
    """Bases met by walking along all edges from the origin, shape (vertices, d); None if stuck."""
    C, b = _constraints(matrix)
    d = matrix.shape[0]
    frontier = np.arange(d)[None, :]
    seen = _keys(frontier, len(C))
    found = [frontier]
    while len(frontier):
        new = []
        step = max(1, _CHUNK // (len(C) * d))
        for start in range(0, len(frontier), step):
            reached = _neighbours(C, b, frontier[start : start + step])
            if reached is None:
                return None
            new.append(reached)
        candidates = np.concatenate(new)
        keys, first = np.unique(_keys(candidates, len(C)), return_index=True)
        fresh = ~np.isin(keys, seen)
        frontier = np.sort(candidates[first[fresh]], axis=1)
        seen = np.concatenate([seen, keys[fresh]])
        found.append(frontier)
        if len(seen) > MOST_VERTICES:
            raise GameTooLargeError(
                f"a best-reply polytope of this game has more than {MOST_VERTICES:,} vertices, the "
                "limit of complete enumeration. solve_nash finds one equilibrium of larger games; "
                "fewer strategies (after iterated dominance, or a coarser grid) can be enumerated."
            )
    return np.concatenate(found)


def _keys(sets: NDArray[np.intp], count: int) -> NDArray[Any]:
    """Sets of constraints as sortable keys, one for each row of indices below `count`."""
    member = np.zeros((len(sets), count), dtype=bool)
    np.put_along_axis(member, sets, True, axis=1)
    packed = np.packbits(member, axis=1)
    width = 8 if count <= 64 else packed.shape[1]
    padded = np.zeros((len(sets), width), dtype=np.uint8)
    padded[:, : packed.shape[1]] = packed
    return padded.view(np.uint64 if width == 8 else np.dtype((np.void, width))).ravel()


def _neighbours(C: Array, b: Array, bases: NDArray[np.intp]) -> NDArray[np.intp] | None:
    """The other end of each edge at each vertex, as sorted bases; None where a basis is singular."""
    try:
        inverse = np.linalg.inv(C[bases])
    except np.linalg.LinAlgError:
        return None
    x = np.einsum("vij,vj->vi", inverse, b[bases])
    slack = np.maximum(b - x @ C.T, 0.0)
    np.put_along_axis(slack, bases, np.inf, axis=1)
    # Along edge k a constraint's slack falls at these rates; the first to reach zero is met.
    rates = np.matmul(-C, inverse).transpose(0, 2, 1)  # (vertex, edge, constraint)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = slack[:, None, :] / rates
    ratio[rates <= 1e-12] = np.inf
    entering = ratio.argmin(axis=2)
    if not np.isfinite(np.take_along_axis(ratio, entering[:, :, None], axis=2)).all():
        return None
    v, d = bases.shape
    reached = np.repeat(bases[:, None, :], d, axis=1)
    edge = np.arange(d)
    reached[:, edge, edge] = entering
    return reached.reshape(v * d, d)


def _proved(matrix: NDArray[Any], level: int, scaled: Array, bases: NDArray[np.intp]) -> bool:
    """Whether these are all vertices of the polytope, and all simple.

    Rounding is bounded at each; where the bound does not settle it, fractions do.
    """
    C, b = _constraints(scaled)
    step = max(1, _CHUNK // (len(C) * len(scaled)))
    parts = [bases[start : start + step] for start in range(0, len(bases), step)]
    doubtful = np.concatenate([part[~_certainly_simple(C, b, part)] for part in parts])
    if len(doubtful) > MOST_DOUBTFUL or not _edges_closed(bases):
        return False
    return all(_exactly_simple(matrix, level, basis) for basis in doubtful)


def _exactly_simple(matrix: NDArray[Any], level: int, basis: NDArray[np.intp]) -> bool:
    """Whether a basis is nonsingular and every other constraint slack, in fractions."""
    d, k = matrix.shape
    tight = {int(t) for t in basis}
    inside = [i for i in range(d) if i not in tight]
    rows = [[matrix[i, t - d] for i in inside] for t in sorted(tight) if t >= d]
    x = solve_exactly(rows, [level] * len(rows))
    if x is None or (x and min(x) <= 0):
        return False
    for j in range(k):
        if d + j not in tight:
            used = sum((p * int(matrix[i, j]) for p, i in zip(x, inside, strict=True)), Fraction(0))
            if used >= level:
                return False
    return True


def _certainly_simple(C: Array, b: Array, bases: NDArray[np.intp]) -> Labels:
    """Which bases are surely nonsingular with every other constraint surely slack, shape (vertices,).

    With R the computed inverse of the basis A and e a bound of |I - R A|, the solution differs from
    the computed x by at most |R||r| + e/(1-e) max(|R||r|), r the residual (Rump, 2010, section 10).
    Entries of C carry a rounding error of their own from scaling.
    """
    d = C.shape[1]
    gamma = (2 * d + 8) * _UNIT
    A = C[bases]
    try:
        R = np.linalg.inv(A)
    except np.linalg.LinAlgError:
        return np.zeros(len(bases), dtype=bool)
    size = np.matmul(np.abs(R), np.abs(A))
    e = (np.abs(np.eye(d) - np.matmul(R, A)) + gamma * (size + 1)).sum(axis=2).max(axis=1)
    good = e < 0.5
    e = np.minimum(e, 0.5)
    right = b[bases]
    x = np.einsum("vij,vj->vi", R, right)
    scale = np.einsum("vij,vj->vi", np.abs(A), np.abs(x)) + np.abs(right)
    residual = np.abs(np.einsum("vij,vj->vi", A, x) - right) + gamma * scale
    spread = np.einsum("vij,vj->vi", np.abs(R), residual) * (1 + gamma)
    error = spread + (e / (1 - e))[:, None] * spread.max(axis=1, keepdims=True)
    slack = b - x @ C.T
    doubt = error @ np.abs(C).T + gamma * (np.abs(x) @ np.abs(C).T + np.abs(b))
    certain = slack > 1.01 * doubt
    np.put_along_axis(certain, bases, True, axis=1)
    settled: Labels = good & certain.all(axis=1)
    return settled


def _edges_closed(bases: NDArray[np.intp]) -> bool:
    """Whether every edge (all tight constraints of a vertex but one) has both its ends here."""
    d = bases.shape[1]
    if d == 1:
        return len(bases) == 2
    count = int(bases.max()) + 1
    edges = [_keys(np.delete(bases, k, axis=1), count) for k in range(d)]
    return bool((np.unique(np.concatenate(edges), return_counts=True)[1] == 2).all())


# --- Any polytope: the double description method over the integers ------------------------------


def _double_description(matrix: NDArray[Any], level: int) -> Vertices:
    """All vertices by adding one constraint after another to the nonnegative orthant.

    The cone {(x, t) >= 0, level t - M' x >= 0}: its rays with t > 0 are the vertices.
    """
    d, k = matrix.shape
    rows = [[-int(x) for x in matrix[:, j]] + [level] for j in range(k)]
    rays: list[tuple[int, ...]] = [tuple(int(i == j) for j in range(d + 1)) for i in range(d + 1)]
    tight = ~np.eye(d + 1, dtype=bool)  # tight[ray, i]: coordinate i (or t) is zero
    for row in sorted(rows, reverse=True):
        values = [sum(a * x for a, x in zip(row, ray, strict=True) if x) for ray in rays]
        sign = np.array([(v > 0) - (v < 0) for v in values])
        made, labels = _between(rays, values, sign, tight, d + 1)
        kept = np.flatnonzero(sign >= 0)
        tight = np.vstack(
            [
                np.column_stack([tight[kept], sign[kept] == 0]),
                np.column_stack([labels, np.ones(len(made), dtype=bool)]),
            ]
        )
        rays = [rays[i] for i in kept] + made
        if len(rays) > MOST_RAYS:
            raise GameTooLargeError(
                f"a best-reply polytope of this degenerate game has more than {MOST_RAYS:,} extreme "
                "rays, the limit of exact enumeration. solve_nash finds one equilibrium; fewer "
                "strategies (after iterated dominance, or a coarser grid) can be enumerated."
            )
    return _as_vertices(matrix, level, rays)


def _between(
    rays: list[tuple[int, ...]], values: list[int], sign: NDArray[Any], tight: Labels, size: int
) -> tuple[list[tuple[int, ...]], Labels]:
    """New rays on the hyperplane, one for each adjacent pair of rays on different sides of it."""
    above, below = np.flatnonzero(sign > 0), np.flatnonzero(sign < 0)
    made: list[tuple[int, ...]] = []
    labels: list[Labels] = []
    zeros = tight.astype(np.float32)
    open_ = (1 - zeros).T
    for a in above:
        common = zeros[below] @ zeros[a]
        near = below[common >= size - 2]
        if not near.size:
            continue
        shared = tight[near] & tight[a]
        step = max(1, _CHUNK * 4 // len(rays))
        for start in range(0, len(near), step):
            part = shared[start : start + step]
            holders = ((part.astype(np.float32) @ open_) == 0).sum(axis=1)
            for c, labelled in zip(
                near[start : start + step][holders == 2], part[holders == 2], strict=True
            ):
                p, q = values[a], -values[c]
                ray = [q * x + p * y for x, y in zip(rays[a], rays[c], strict=True)]
                divisor = math.gcd(*ray)
                made.append(tuple(x // divisor for x in ray))
                labels.append(labelled)
    empty = np.zeros((0, tight.shape[1]), dtype=bool)
    return made, np.array(labels, dtype=bool) if labels else empty


def _as_vertices(matrix: NDArray[Any], level: int, rays: list[tuple[int, ...]]) -> Vertices:
    """Strategies and labels, taken afresh from the exact coordinates."""
    d, k = matrix.shape
    points, labels = [], []
    for ray in rays:
        x, t = ray[:d], ray[d]
        total = sum(x)
        if total == 0 or t == 0:
            continue
        values = [sum(xi * mi for xi, mi in zip(x, matrix[:, j], strict=True)) for j in range(k)]
        points.append(tuple(Fraction(xi, total) for xi in x))
        labels.append([xi == 0 for xi in x] + [v == level * t for v in values])
    made = np.array(labels, dtype=bool)
    return Vertices(matrix, level, made, bool((made.sum(axis=1) == d).all()), tuple(points))
