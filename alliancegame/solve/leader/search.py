"""Global search over a leader's plans: cover, refine where better plans could hide, polish.

Nothing proves the leader's payoff single-peaked in its plan. The box is therefore covered by a
grid; each cell gets an estimate of the most that could hide in it (its best corner plus the bulge
that the second differences around it allow); cells that could beat the best plan are halved until
none can by more than a tolerance, or the rounds end; and the best points are polished.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.parameters import Array
from alliancegame.solve.tolerances import Tolerances

Evaluate = Callable[[Array], Array]
"""From points (point, dimension) to payoffs (point,), nan or -inf where there is none."""

MOST_CELLS = 4096
"""Cells refined in one round at the most; the estimates of those left out count in the gap."""


@dataclasses.dataclass(frozen=True)
class Found:
    """The best point, its value, and how far from the best in the box it could be.

    `gap` is an estimate, `Tolerances.leader_gap` at the least: the most that a cell not resolved
    further could hide if second differences inside it are no larger than those seen around it.
    `spacing` is the finest spacing reached in the refinement by dimension, `evaluations` the number of
    plans solved, `failed` those without answer.
    """

    point: Array
    value: float
    gap: float
    grid: tuple[int, ...]
    spacing: Array
    evaluations: int
    failed: int


def maximise(
    evaluate: Evaluate,
    axes: Sequence[Array],
    tolerances: Tolerances,
    starts: Array | None = None,
) -> Found:
    """The best point of the box spanned by the axes (each strictly increasing, shape (points,)).

    `starts`, shape (point, dimension), are offered beside the grid.

    Raises `ValueError` if no point has a finite payoff.
    """
    counted = _Counter(evaluate)
    shape = tuple(len(axis) for axis in axes)
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = counted(nodes.reshape(-1, len(axes))).reshape(shape)
    if not np.isfinite(values).any():
        raise ValueError("no plan on the grid has a finite payoff")
    best = _Best(nodes.reshape(-1, len(axes)), values.ravel())
    if starts is not None:
        best.offer(starts, counted(starts))
    _polish_peaks(counted, nodes, values, axes, best)
    cells = _cells(values, axes)
    gap, spacing = _refine(counted, cells, best, tolerances)
    _polish(counted, best, spacing, axes, 1e-9)
    return Found(
        best.point,
        best.value,
        max(gap, tolerances.leader_gap),
        shape,
        spacing,
        counted.count,
        counted.failed,
    )


class _Counter:
    """The payoff function, counting; failures become minus infinity."""

    def __init__(self, evaluate: Evaluate) -> None:
        self.evaluate, self.count, self.failed = evaluate, 0, 0

    def __call__(self, points: Array) -> Array:
        values = np.asarray(self.evaluate(points), dtype=np.float64)
        self.count += len(points)
        self.failed += int(np.isnan(values).sum())
        return np.where(np.isnan(values), -np.inf, values)


class _Best:
    """The best point so far."""

    def __init__(self, points: Array, values: Array) -> None:
        self.point, self.value = points[0], -np.inf
        self.offer(points, values)

    def offer(self, points: Array, values: Array) -> bool:
        """Take the best of these points if it is better; the first of equal ones stays."""
        i = int(np.argmax(values))
        better = bool(values[i] > self.value)
        if better:
            self.point, self.value = points[i].copy(), float(values[i])
        return better


def _polish_peaks(
    counted: _Counter, nodes: Array, values: Array, axes: Sequence[Array], best: _Best
) -> None:
    """Climb from every local peak of the grid that stands near the top (three at the most)."""
    peaks = np.flatnonzero(_local_peaks(values).ravel() & np.isfinite(values).ravel())
    flat = nodes.reshape(-1, len(axes))
    for i in peaks[np.argsort(-values.ravel()[peaks], kind="stable")][:3]:
        candidate = _Best(flat[i : i + 1], values.ravel()[i : i + 1])
        spacing = np.array([np.diff(axis).max() for axis in axes])
        _polish(counted, candidate, spacing, axes, 1e-4)
        best.offer(candidate.point[None, :], np.array([candidate.value]))


def _local_peaks(values: Array) -> NDArray[np.bool_]:
    """Grid points that no neighbour along an axis beats."""
    peak = np.ones(values.shape, dtype=bool)
    for axis in range(values.ndim):
        ahead = np.roll(values, -1, axis)
        behind = np.roll(values, 1, axis)
        index: list[slice | int] = [slice(None)] * values.ndim
        index[axis] = -1
        ahead[tuple(index)] = -np.inf
        index[axis] = 0
        behind[tuple(index)] = -np.inf
        peak &= (values >= ahead) & (values >= behind)
    return peak


def _polish(
    counted: _Counter, best: _Best, spacing: Array, axes: Sequence[Array], finest: float
) -> None:
    """Pattern search on a shrinking lattice around the best point; it follows ridges and kinks.

    `finest` is the lattice spacing at which it stops, as a share of the box.
    """
    low = np.array([axis[0] for axis in axes])
    high = np.array([axis[-1] for axis in axes])
    offsets = np.array(list(itertools.product((-1.0, -0.5, 0.0, 0.5, 1.0), repeat=len(axes))))
    step = np.array(spacing, dtype=np.float64)
    floor = finest * (high - low)
    for _ in range(120):
        points = np.clip(best.point + offsets * step, low, high)
        if not best.offer(points, counted(points)):
            step = step / 3
        if np.all(step <= floor):
            return


@dataclasses.dataclass
class _Cells:
    """Boxes with the values at their corners and the second differences around them."""

    low: Array
    high: Array
    corners: Array
    bend: Array

    def bound(self) -> Array:
        """What each cell could hide at the most, by the second differences around it."""
        most: Array = self.corners.max(axis=1) + self.bend.sum(axis=1) / 8
        return most

    def take(self, chosen: NDArray[np.intp]) -> _Cells:
        return _Cells(self.low[chosen], self.high[chosen], self.corners[chosen], self.bend[chosen])


def _cells(values: Array, axes: Sequence[Array]) -> _Cells:
    """The cells of the grid that have a finite corner."""
    dims = len(axes)
    lows = np.stack(np.meshgrid(*(a[:-1] for a in axes), indexing="ij"), axis=-1).reshape(-1, dims)
    highs = np.stack(np.meshgrid(*(a[1:] for a in axes), indexing="ij"), axis=-1).reshape(-1, dims)
    corners = np.stack(
        [
            values[tuple(slice(c, c - 1 or None) if c else slice(None, -1) for c in corner)].ravel()
            for corner in itertools.product((0, 1), repeat=dims)
        ],
        axis=1,
    )
    bends = [_cell_bend(values, axes[d], d).ravel() for d in range(dims)]
    cells = _Cells(lows, highs, corners, np.stack(bends, axis=1))
    return cells.take(np.flatnonzero(np.isfinite(cells.corners).any(axis=1)))


def _cell_bend(values: Array, axis: Array, d: int) -> Array:
    """|second derivative| * width^2 in dimension d, the largest seen at the corners of each cell."""
    if len(axis) < 3:
        return np.zeros(tuple(k - 1 for k in values.shape))
    v = np.moveaxis(np.where(np.isfinite(values), values, np.nan), d, 0)
    width = np.diff(axis).reshape(-1, *([1] * (v.ndim - 1)))
    slope = np.diff(v, axis=0) / width
    second = np.abs(np.diff(slope, axis=0)) / (0.5 * (width[1:] + width[:-1]))
    second = np.concatenate([second[:1], second, second[-1:]])
    second = np.nan_to_num(second, nan=0.0)
    cell = np.maximum(second[:-1], second[1:]) * width**2
    for other in range(1, v.ndim):
        front = [slice(None)] * v.ndim
        back = [slice(None)] * v.ndim
        front[other], back[other] = slice(None, -1), slice(1, None)
        cell = np.maximum(cell[tuple(front)], cell[tuple(back)])
    return np.moveaxis(cell, 0, d)


def _refine(
    counted: _Counter, cells: _Cells, best: _Best, tolerances: Tolerances
) -> tuple[float, Array]:
    """Halve the cells that could still hide a better plan; return what is left, and the spacing."""
    spacing = (cells.high - cells.low).min(axis=0)
    left_out = -np.inf
    for _ in range(tolerances.refine):
        open_cells = np.flatnonzero(cells.bound() > best.value + tolerances.leader_gap)
        if not open_cells.size:
            return left_out - best.value, spacing
        order = open_cells[np.argsort(-cells.bound()[open_cells], kind="stable")]
        if len(order) > MOST_CELLS:
            left_out = max(left_out, float(cells.bound()[order[MOST_CELLS]]))
            order = order[:MOST_CELLS]
        cells = _halve(counted, cells.take(order), best)
        spacing = np.minimum(spacing, (cells.high - cells.low).min(axis=0))
    rest = float(cells.bound().max()) if len(cells.low) else -np.inf
    return max(left_out, rest) - best.value, spacing


def _halve(counted: _Counter, cells: _Cells, best: _Best) -> _Cells:
    """Split cells in the middle of every dimension; the bend is measured anew inside each cell."""
    count, dims = cells.low.shape
    steps = np.array(list(itertools.product((0, 1, 2), repeat=dims)))
    width = cells.high - cells.low
    points = cells.low[:, None, :] + 0.5 * steps[None, :, :] * width[:, None, :]
    old = (steps != 1).all(axis=1)  # The corners, in the order in which cells keep them.
    flat = np.empty((count, len(steps)))
    flat[:, old] = cells.corners
    fresh = points[:, ~old].reshape(-1, dims)
    values = counted(fresh)
    best.offer(fresh, values)
    flat[:, ~old] = values.reshape(count, -1)
    lattice = flat.reshape(count, *([3] * dims))
    children = []
    for half in itertools.product((0, 1), repeat=dims):
        low = cells.low + 0.5 * np.array(half) * width
        corner_values = np.stack(
            [_at(lattice, half, corner) for corner in itertools.product((0, 1), repeat=dims)],
            axis=1,
        )
        bends = [_lattice_bend(lattice, d, half) for d in range(dims)]
        bend = np.maximum(np.stack(bends, axis=1), 0.0625 * cells.bend)
        children.append(_Cells(low, low + 0.5 * width, corner_values, bend))
    joined = _Cells(
        *(
            np.concatenate([getattr(child, field.name) for child in children])
            for field in dataclasses.fields(_Cells)
        )
    )
    return joined.take(np.flatnonzero(np.isfinite(joined.corners).any(axis=1)))


def _at(lattice: Array, half: tuple[int, ...], corner: tuple[int, ...]) -> Array:
    """The values at one corner of one half of every cell."""
    index: tuple[Any, ...] = tuple(h + c for h, c in zip(half, corner, strict=True))
    picked: Array = lattice[(slice(None), *index)]
    return picked


def _lattice_bend(lattice: Array, d: int, half: tuple[int, ...]) -> Array:
    """The second difference of a halved cell in dimension d, at the corners of one of its halves."""
    moved = np.moveaxis(lattice, d + 1, 1)
    with np.errstate(invalid="ignore"):
        second = np.abs(moved[:, 0] - 2 * moved[:, 1] + moved[:, 2])
    rest = tuple(slice(h, h + 2) for k, h in enumerate(half) if k != d)
    picked = np.nan_to_num(second[(slice(None), *rest)], nan=0.0, posinf=0.0)
    largest: Array = picked.reshape(len(lattice), -1).max(axis=1)
    return largest
