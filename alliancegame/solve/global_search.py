"""Global maxima that are proved: branch and bound with enclosures, all open boxes at a time.

Functions come as enclosures (`alliancegame.payoff.enclosures`): called with arrays (lo, hi) they
return arrays (lo, hi) that contain every value on each box. Upper bounds therefore hold in spite of
rounding, whatever the search did. Method: Hansen and Walster (2004), Global Optimization Using
Interval Analysis, chapters 9 and 11.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from alliancegame.game.parameters import Array
from alliancegame.payoff import intervals as iv
from alliancegame.payoff.intervals import Interval

Function = Callable[[Interval], Interval]
"""An enclosure of a function of one variable: (lo, hi) to (lo, hi), arrays of one shape."""

PIECES = 16
"""Boxes to begin with between two breaks."""

BISECTIONS = 60
"""Halvings that place the maximum of a concave box."""

KEPT = 64
"""At most so many best points are kept."""


@dataclasses.dataclass(frozen=True)
class Maximum:
    """What is known of the maximum of a function over an interval.

    `value` is attained (it is the proved lower end of the function at `points[0]`), and nowhere does
    the function exceed `bound`. `points` are the best points found, best first, one for each
    neighbourhood. `open` counts the boxes that could still hide more than the tolerance when the
    budget of boxes ended or they could not be halved, `boxes` all that were looked at; `proved` says
    that none is open.
    """

    value: float
    bound: float
    points: Array
    open: int
    boxes: int

    @property
    def proved(self) -> bool:
        """Whether the maximum is enclosed to tolerance."""
        return self.open == 0

    @property
    def gap(self) -> float:
        """How far the bound stands above the value."""
        return self.bound - self.value if np.isfinite(self.bound) else np.inf


def maximise_1d(
    value: Function,
    slope: Function | None,
    curvature: Function | None,
    low: float,
    high: float,
    breaks: Sequence[float] = (),
    tolerance: float = 1e-10,
    *,
    start: Sequence[float] = (),
    budget: int = 20_000,
) -> Maximum:
    """The global maximum of a function that is continuous on [low, high], with a proved bound.

    `value`, `slope` and `curvature` enclose the function, its first and its second derivative; either
    derivative may be None. `slope` encloses all slopes between the ends of a box, one-sided ones at
    kinks too; `curvature` is the whole line on boxes that may have a kink inside (`line` makes both so).
    No box goes across one of the `breaks`. Jumps are the caller's: one call for each continuous piece,
    with the limits at its ends. `start` are points to try first. `tolerance` is absolute; `budget` is
    the number of boxes after which the search ends. Raises `ValueError` unless low <= high.

    A box goes if its bound is below the best value plus the tolerance; a monotone one becomes an
    end, a convex one both ends, a concave one the tangent's bound at its best point. What is left is
    halved.
    """
    with np.errstate(all="ignore"):  # Unbounded ends are ordinary here.
        return _maximise(
            _Search(value, slope, curvature, tolerance), low, high, breaks, start, budget
        )


def _maximise(
    search: _Search,
    low: float,
    high: float,
    breaks: Sequence[float],
    start: Sequence[float],
    budget: int,
) -> Maximum:
    if not low <= high:
        raise ValueError(f"low must be at most high, got {low} and {high}.")
    inner = sorted({float(b) for b in breaks if low < b < high})
    if low == high:
        search.look(np.array([low, *start]))
        return search.result(0, 1)
    corners = np.unique(
        np.concatenate(
            [
                np.linspace(a, b, PIECES + 1)
                for a, b in zip([low, *inner], [*inner, high], strict=True)
            ]
        )
    )
    search.look(np.concatenate([corners, [x for x in start if low <= x <= high]]))
    boxes, seen = (corners[:-1], corners[1:]), 0
    search.upper = np.full(boxes[0].shape, np.inf)
    while boxes[0].size and seen + boxes[0].size <= budget:
        seen += boxes[0].size
        boxes = search.halve(search.reduce(boxes))
    return search.result(boxes[0].size, seen, boxes)


class _Search:
    """The best value so far, and the largest bound of what was put aside."""

    def __init__(
        self, value: Function, slope: Function | None, curvature: Function | None, tolerance: float
    ) -> None:
        self.value: Any = value
        self.slope: Any = slope
        self.curvature: Any = curvature
        self.tolerance = tolerance
        self.best = -np.inf
        self.bound = -np.inf
        self.stuck = 0
        self.upper: Array = np.empty(0)
        self.points: list[tuple[float, float]] = []

    def look(self, points: Array) -> tuple[Array, Array]:
        """Evaluate at points, keep the best, and return the ends of the values."""
        lo, hi = self.value((points, points))
        if points.size:
            self.best = max(self.best, float(np.max(lo)))
            near = lo >= self.best - self.tolerance
            self.points += list(zip(lo[near].tolist(), points[near].tolist(), strict=True))
            if len(self.points) > 4 * KEPT:
                self.points = sorted(self.points, reverse=True)[: 2 * KEPT]
        return lo, hi

    def reduce(self, boxes: Interval) -> Interval:
        """Bound all boxes, put aside those that are decided, and return the rest."""
        lo, hi = boxes
        centre = lo + 0.5 * (hi - lo)
        _, upper = self.value((lo, hi))
        _, at_centre = self.look(centre)
        decided = np.zeros(lo.shape, dtype=bool)
        if self.slope is not None:
            slope = self.slope((lo, hi))
            upper = np.minimum(upper, _linear(at_centre, slope, lo, centre, hi))
            rising, falling = slope[0] >= 0, slope[1] <= 0
            if np.any(rising | falling):
                end = np.where(rising, hi, lo)
                _, top = self.look(end[rising | falling])
                upper[rising | falling] = np.minimum(upper[rising | falling], top)
                decided |= rising | falling
        if self.slope is not None and self.curvature is not None and not decided.all():
            upper, decided = self._bend(lo, hi, centre, at_centre, upper, decided)
        gone = decided | (upper <= self.best + self.tolerance)
        if gone.any():
            self.bound = max(self.bound, float(np.max(upper[gone])))
        self.upper = upper[~gone]
        return lo[~gone], hi[~gone]

    def _bend(
        self, lo: Array, hi: Array, centre: Array, at_centre: Array, upper: Array, decided: Any
    ) -> tuple[Array, Any]:
        """What the curvature says of boxes that are not decided."""
        bend = self.curvature((lo, hi))
        here = self.slope((centre, centre))
        upper = np.minimum(upper, _parabola(at_centre, here, bend[1], lo, centre, hi))
        convex = ~decided & (bend[0] >= 0)
        if convex.any():
            _, left = self.look(lo[convex])
            _, right = self.look(hi[convex])
            upper[convex] = np.minimum(upper[convex], np.maximum(left, right))
        concave = ~decided & ~convex & (bend[1] <= 0) & (upper > self.best + self.tolerance)
        if concave.any():
            a, b = lo[concave], hi[concave]
            top = self._top(a, b)
            _, height = self.look(top)
            tangent = _linear(height, self.slope((top, top)), a, top, b)
            upper[concave] = np.minimum(upper[concave], tangent)
            # Not yet tight (slopes too wide at a point): the box is halved like any other.
            concave[concave] = tangent <= np.maximum(height, self.best) + self.tolerance
        return upper, decided | convex | concave

    def _top(self, lo: Array, hi: Array) -> Array:
        """The maximum of concave boxes by bisection on the sign of the slope."""
        a, b = lo.copy(), hi.copy()
        for _ in range(BISECTIONS):
            middle = a + 0.5 * (b - a)
            down, up = self.slope((middle, middle))
            rising = down + up > 0
            a, b = np.where(rising, middle, a), np.where(rising, b, middle)
        return np.asarray(a + 0.5 * (b - a))

    def halve(self, boxes: Interval) -> Interval:
        """Two halves of each box; those too narrow for that count as open."""
        lo, hi = boxes
        middle = lo + 0.5 * (hi - lo)
        narrow = (middle <= lo) | (middle >= hi)
        if narrow.any():
            self.stuck += int(narrow.sum())
            self.bound = max(self.bound, float(np.max(self.upper[narrow])))
        lo, middle, hi = lo[~narrow], middle[~narrow], hi[~narrow]
        self.upper = np.concatenate([self.upper[~narrow]] * 2)
        return np.concatenate([lo, middle]), np.concatenate([middle, hi])

    def result(self, left: int, seen: int, boxes: Interval | None = None) -> Maximum:
        """The answer; boxes that are left keep their last bounds."""
        bound = max(self.bound, self.best)
        if boxes is None:
            # A single point was asked for.
            point = np.array([p for _, p in self.points[:1]])
            bound = float(self.value((point, point))[1][0]) if point.size else bound
        elif left:
            bound = max(bound, float(np.max(self.upper)))
        opened = left + self.stuck if bound > self.best + self.tolerance else 0
        return Maximum(self.best, bound, self._neighbourhoods(), opened, seen)

    def _neighbourhoods(self) -> Array:
        """The best points, one for each neighbourhood, best first."""
        kept: list[float] = []
        good = [(v, x) for v, x in self.points if v >= self.best - self.tolerance]
        reach = 1e-6 * max((abs(x) for _, x in good), default=1.0)
        for _, x in sorted(good, reverse=True):
            if all(abs(x - y) > reach for y in kept):
                kept.append(x)
            if len(kept) >= KEPT:
                break
        return np.array(kept)


def _linear(at: Array, slope: Interval, lo: Array, point: Array, hi: Array) -> Array:
    """The most that a function with value `at` a point and such slopes reaches on the box."""
    zero = np.zeros_like(point)
    _, right = iv.multiply((slope[1], slope[1]), iv.subtract((hi, hi), (point, point)))
    _, left = iv.multiply(iv.negative((slope[0], slope[0])), iv.subtract((point, point), (lo, lo)))
    _, top = iv.add((at, at), (zero, np.maximum(np.maximum(right, left), 0.0)))
    return np.asarray(top)


def _parabola(at: Array, slope: Interval, bend: Array, lo: Array, point: Array, hi: Array) -> Array:
    """The same from slopes at the point itself and the largest curvature on the box."""
    best = np.full(point.shape, -np.inf)
    for end in (lo, hi):
        step = iv.subtract((end, end), (point, point))
        along = iv.multiply(slope, step)
        curve = iv.multiply(
            iv.multiply((bend, bend), (np.full_like(bend, 0.5),) * 2), iv.multiply(step, step)
        )
        # With t from 0 to 1: t * along + t^2 * curve is at most max(along, 0) + max(curve, 0).
        _, reach = iv.add((at, at), iv.add((along[1],) * 2, (curve[1],) * 2))
        _, crest = _crest(at, along[1], curve[1])
        best = np.maximum(best, np.maximum(reach, crest))
    return np.asarray(best)


def _crest(at: Array, along: Array, curve: Array) -> Interval:
    """An interval over t in [0, 1] of at + t * along + t^2 * curve, by its upper end at inner tops."""
    inner = (along > 0) & (curve < 0) & (along < -2 * curve)
    square = iv.multiply((along, along), (along, along))
    four = iv.multiply((curve, curve), (np.full_like(curve, -4.0),) * 2)
    quotient, _ = iv.reciprocal(four)
    _, rise = iv.multiply(square, quotient)
    rise = np.where(inner, rise, 0.0)
    return iv.add((at, at), (np.zeros_like(at), np.maximum(rise, 0.0)))
