"""Climb a smooth function on a box, kinks of single coordinates included, by projected Newton steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.parameters import Array

Evaluate = Callable[[Array, NDArray[np.bool_]], tuple[float, Array, Array]]
"""Value, gradient and Hessian at a point; the flags say who is on the piece under its kink."""


@dataclasses.dataclass(frozen=True, eq=False)
class Hill:
    """A function to climb: `evaluate`, bounds `low` and `high`, and `kinks`, each of shape (n,).

    A kink is a point inside the bounds where the slope in that coordinate falls; nan for none.
    Coordinates with `low` = `high` stay. `steep` ones, shape (n,), have an infinite slope at 0 and
    never get there.
    """

    evaluate: Evaluate
    low: Array
    high: Array
    kinks: Array
    steep: NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, eq=False)
class Summit:
    """Where a climb ended.

    `gap` is the most that any point of the box could be higher **if the function is concave**: the
    one-sided slope in each coordinate times the room in its direction, added up. `residual` is the
    largest slope that still points into the box.
    """

    point: Array
    value: float
    gap: float
    residual: float
    steps: int


def climb(hill: Hill, start: Array, *, enough: float = 1e-13, steps: int = 200) -> Summit:
    """Climb from a point until no point of the box can be higher by `enough`, or rounding stops it."""
    z = np.clip(start, hill.low, hill.high)
    made = _look(hill, z)
    best = None
    for count in range(steps):
        summit = Summit(z, made.value, made.gap, float(np.abs(made.slope).max(initial=0.0)), count)
        if best is None or summit.gap < best.gap or summit.value > best.value + abs(best.gap):
            best = summit
        if made.gap <= max(enough, 2e-16 * abs(made.value)):
            break
        step = _newton_step(made)
        moved = _walk(hill, z, made, step)
        if moved is None:
            moved = _walk(hill, z, made, _gradient_step(made))
        if moved is None or np.array_equal(moved[0], z):
            break
        z, made = moved
    if best is None:
        raise ValueError("climb needs at least one step")
    return best


def residual_slope(hill: Hill, point: Array) -> float:
    """The largest slope at a point that still points into the box."""
    return float(np.abs(_look(hill, point).slope).max(initial=0.0))


@dataclasses.dataclass(frozen=True, eq=False)
class _View:
    """What can be seen from a point: `slope` is the one that leads upwards, 0 where none does."""

    value: float
    slope: Array
    hessian: Array
    gap: float
    free: NDArray[np.bool_]
    floor: Array
    ceiling: Array


def _look(hill: Hill, z: Array) -> _View:
    at_kink = z == hill.kinks
    with np.errstate(invalid="ignore"):
        under = z < hill.kinks
    value, right, hessian = hill.evaluate(z, under)
    left = right
    if at_kink.any():
        _, left, below = hill.evaluate(z, under | at_kink)
        hessian = np.where((left < 0)[:, None] | (left < 0)[None, :], below, hessian)
    up, down = hill.high - z, z - hill.low
    slope = np.where((right > 0) & (up > 0), right, np.where((left < 0) & (down > 0), left, 0.0))
    gap = float((np.maximum(right, 0.0) * up + np.maximum(-left, 0.0) * down).sum())
    stuck = (at_kink | (up <= 0) | (down <= 0)) & (slope == 0)
    # A step stays on one smooth piece: it ends at the next kink or bound in its direction.
    rises = slope > 0
    has = ~np.isnan(hill.kinks)
    ceiling = np.where(has & ((z < hill.kinks) | (at_kink & ~rises)), hill.kinks, hill.high)
    floor = np.where(has & ((z > hill.kinks) | (at_kink & rises)), hill.kinks, hill.low)
    floor = np.where(hill.steep, np.maximum(floor, 0.1 * z), floor)
    return _View(value, slope, hessian, gap, ~stuck & (up + down > 0), floor, ceiling)


def _newton_step(made: _View) -> Array:
    """The step to the top of the quadratic that fits here, bent downwards where it is not."""
    step = np.zeros_like(made.slope)
    free = made.free
    if not free.any():
        return step
    hessian = made.hessian[np.ix_(free, free)]
    # Coordinates of one size: curvatures differ by orders of magnitude between members.
    size = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-30))
    scaled, slope = -hessian * np.outer(size, size), made.slope[free] * size
    try:
        np.linalg.cholesky(scaled - 1e-12 * np.eye(len(size)))
        step[free] = size * np.linalg.solve(scaled, slope)
    except np.linalg.LinAlgError:
        curvature, axes = np.linalg.eigh(scaled)
        step[free] = size * (axes @ ((axes.T @ slope) / np.maximum(np.abs(curvature), 1e-12)))
    return step


def _gradient_step(made: _View) -> Array:
    """A step along the slope, as long as each coordinate's own curvature allows."""
    return made.slope / np.maximum(np.abs(np.diag(made.hessian)), 1e-12) * made.free


def _walk(hill: Hill, z: Array, made: _View, step: Array) -> tuple[Array, _View] | None:
    """As far along the step as the value rises; None if it does not."""
    # At the end of a piece only the direction of the one-sided slope is open.
    step = np.where(
        ((z <= made.floor) & (step < 0)) | ((z >= made.ceiling) & (step > 0)), 0.0, step
    )
    slack = 4e-16 * max(abs(made.value), 1.0)
    length = 1.0
    for _ in range(40):
        new = np.clip(z + length * step, made.floor, made.ceiling)
        new = np.where(hill.low == hill.high, z, new)
        there = _look(hill, new)
        rise = float(made.slope @ (new - z))
        if there.value >= made.value + 1e-4 * max(rise, 0.0) - slack and (
            there.value > made.value + slack or there.gap < made.gap
        ):
            return new, there
        length *= 0.5
    return None
