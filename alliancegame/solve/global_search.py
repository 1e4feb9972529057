"""Global maxima that are proved: branch and bound with enclosures, all open boxes at a time.

Functions come as enclosures (`alliancegame.payoff.enclosures`): called with arrays (lo, hi) they
return arrays (lo, hi) that contain every value on each box. Upper bounds therefore hold in spite of
rounding, whatever the search did. Method: Hansen and Walster (2004), Global Optimization Using
Interval Analysis, chapters 9 and 11. Many functions are searched at a time; one is a batch of one.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.parameters import Array
from alliancegame.payoff import intervals as iv
from alliancegame.payoff.intervals import Interval

Function = Callable[[Interval], Interval]
"""An enclosure of a function of one variable: (lo, hi) to (lo, hi), arrays of one shape."""

Family = Callable[[Interval, NDArray[np.intp]], Interval]
"""Enclosures of many functions: boxes, and for each box which function it is about."""

PIECES = 16
"""Boxes to begin with between two breaks."""

STEPS = 90
"""At most so many steps place the maximum of a concave box, every third of them a halving."""

KEPT = 64
"""At most so many best points of a function are kept."""


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
    if not low <= high:
        raise ValueError(f"low must be at most high, got {low} and {high}.")
    family = [
        None if f is None else (lambda box, _, f=f: f(box)) for f in (value, slope, curvature)
    ]
    return maximise_many(
        family[0], family[1], family[2], np.array([low]), np.array([high]), [breaks], tolerance,
        start=[start], budget=budget,
    )[0]  # fmt: skip


def maximise_many(
    value: Any,
    slope: Any,
    curvature: Any,
    low: Array,
    high: Array,
    breaks: Sequence[Sequence[float]],
    tolerance: float = 1e-10,
    *,
    start: Sequence[Sequence[float]],
    budget: int = 20_000,
    pieces: int = PIECES,
) -> list[Maximum]:
    """`maximise_1d` for many functions at a time; `budget` is for each, `Family` their type."""
    with np.errstate(all="ignore"):  # Unbounded ends are ordinary here.
        search = _Search(value, slope, curvature, tolerance, len(low))
        boxes, which = search.begin(low, high, breaks, start, pieces)
        seen = 0
        while which.size and seen + which.size <= budget * len(low):
            seen += which.size
            search.count += np.bincount(which, minlength=len(low))
            boxes, which = search.halve(*search.reduce(boxes, which))
        return search.results(which)


class _Search:
    """The best value of each function so far, and the largest bound of what was put aside."""

    def __init__(self, value: Any, slope: Any, curvature: Any, tolerance: float, size: int) -> None:
        self.value, self.slope, self.curvature = value, slope, curvature
        self.tolerance = tolerance
        self.best = np.full(size, -np.inf)
        self.bound = np.full(size, -np.inf)
        self.stuck = np.zeros(size, dtype=np.int64)
        self.count = np.zeros(size, dtype=np.int64)
        self.upper = np.empty(0)
        self.points: list[list[tuple[float, float]]] = [[] for _ in range(size)]

    def begin(
        self, low: Array, high: Array, breaks: Sequence[Any], start: Sequence[Any], pieces: int
    ) -> tuple[Interval, NDArray[np.intp]]:
        """The first boxes, after a look at their corners and at the points given."""
        boxes: list[Array] = []
        which: list[NDArray[np.intp]] = []
        tried: list[Array] = []
        about: list[NDArray[np.intp]] = []
        for k, (a, b) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
            ends = [a, *sorted({float(t) for t in breaks[k] if a < t < b}), b]
            cuts = [np.linspace(s, t, pieces + 1) for s, t in itertools.pairwise(ends)]
            corners = np.unique(np.concatenate(cuts))
            points = np.concatenate([corners, [float(t) for t in start[k] if a <= t <= b]])
            tried.append(points)
            about.append(np.full(points.size, k, dtype=np.intp))
            if a < b:
                boxes.append(np.stack([corners[:-1], corners[1:]]))
                which.append(np.full(corners.size - 1, k, dtype=np.intp))
        _, top = self.look(np.concatenate(tried), np.concatenate(about))
        fixed = (low == high)[np.concatenate(about)]
        np.maximum.at(self.bound, np.concatenate(about)[fixed], top[fixed])
        if not boxes:
            return (np.empty(0), np.empty(0)), np.empty(0, dtype=np.intp)
        ends_of = np.concatenate(boxes, axis=1)
        self.upper = np.full(ends_of.shape[1], np.inf)
        return (ends_of[0], ends_of[1]), np.concatenate(which)

    def look(self, points: Array, which: Any) -> tuple[Array, Array]:
        """Evaluate at points, keep the best, and return the ends of the values."""
        lo, hi = self.value((points, points), which)
        if points.size:
            np.maximum.at(self.best, which, lo)
            near = np.flatnonzero(lo >= self.best[which] - self.tolerance)
            for k in near.tolist():
                kept = self.points[which[k]]
                kept.append((float(lo[k]), float(points[k])))
                if len(kept) > 4 * KEPT:
                    kept[:] = sorted(kept, reverse=True)[: 2 * KEPT]
        return lo, hi

    def reduce(self, boxes: Interval, which: Any) -> tuple[Interval, Any]:
        """Bound all boxes, put aside those that are decided, and return the rest."""
        lo, hi = boxes
        centre = lo + 0.5 * (hi - lo)
        upper = np.array(self.value((lo, hi), which)[1])
        _, at_centre = self.look(centre, which)
        decided = np.zeros(lo.shape, dtype=bool)
        if self.slope is not None:
            slope = self.slope((lo, hi), which)
            upper = np.minimum(upper, _linear(at_centre, slope, lo, centre, hi))
            decided = (slope[0] >= 0) | (slope[1] <= 0)
            if decided.any():
                end = np.where(slope[0] >= 0, hi, lo)[decided]
                _, top = self.look(end, which[decided])
                upper[decided] = np.minimum(upper[decided], top)
            if self.curvature is not None and not decided.all():
                upper, decided = self._bend(lo, hi, centre, at_centre, which, upper, decided)
        gone = decided | (upper <= self.best[which] + self.tolerance)
        np.maximum.at(self.bound, which[gone], upper[gone])
        self.upper = upper[~gone]
        return (lo[~gone], hi[~gone]), which[~gone]

    def _bend(
        self, lo: Array, hi: Array, centre: Array, at_centre: Array, which: Any, upper: Array, decided: Any
    ) -> tuple[Array, Any]:  # fmt: skip
        """What the curvature says of boxes that are not decided."""
        bend = self.curvature((lo, hi), which)
        here = self.slope((centre, centre), which)
        upper = np.minimum(upper, _parabola(at_centre, here, bend[1], lo, centre, hi))
        convex = ~decided & (bend[0] >= 0)
        if convex.any():
            _, left = self.look(lo[convex], which[convex])
            _, right = self.look(hi[convex], which[convex])
            upper[convex] = np.minimum(upper[convex], np.maximum(left, right))
        hopeful = upper > self.best[which] + self.tolerance
        concave = ~decided & ~convex & (bend[1] <= 0) & hopeful
        if concave.any():
            a, b, about = lo[concave], hi[concave], which[concave]
            top = self._top(a, b, about)
            _, height = self.look(top, about)
            tangent = _linear(height, self.slope((top, top), about), a, top, b)
            upper[concave] = np.minimum(upper[concave], tangent)
            # Not yet tight (slopes too wide at a point): the box is halved like any other.
            concave[concave] = tangent <= np.maximum(height, self.best[about]) + self.tolerance
        return upper, decided | convex | concave

    def _top(self, lo: Array, hi: Array, which: Any) -> Array:
        """Where concave boxes have their maxima, as nearly as slopes tell: any answer is safe.

        Between a rising and a falling end by secants, which halve the slope at an end that stays
        (Dowell and Jarratt 1971, the Illinois method), and by halves where that is slow.
        """
        ends = [self.slope((end, end), which) for end in (lo, hi)]
        left, right = (down + up for down, up in ends)
        top = np.where(left <= 0, lo, np.where(right >= 0, hi, lo + 0.5 * (hi - lo)))
        # A slope that is not known at an end (a logarithm's, at zero) is no reason not to look.
        open_ = np.flatnonzero(~(left <= 0) & ~(right >= 0))
        a, b, left, right = lo[open_], hi[open_], left[open_], right[open_]
        moved = np.zeros(open_.size)
        for turn in range(STEPS):
            if not open_.size:
                break
            share = left / (left - right)
            sound = (share > 0) & (share < 1) & (turn % 3 != 2)
            x = a + (b - a) * np.where(sound, share, 0.5)
            top[open_] = x
            down, up = self.slope((x, x), which[open_])
            tilt, rising = down + up, down + up > 0
            right = np.where(rising, np.where(moved > 0, right / 2, right), tilt)
            left = np.where(rising, tilt, np.where(moved < 0, left / 2, left))
            a, b = np.where(rising, x, a), np.where(rising, b, x)
            moved = np.where(rising, 1.0, -1.0)
            left_over = ~((down <= 0) & (up >= 0)) & (b - a > 4e-16 * np.abs(b))
            open_, a, b = open_[left_over], a[left_over], b[left_over]
            left, right, moved = left[left_over], right[left_over], moved[left_over]
        return np.asarray(top)

    def halve(self, boxes: Interval, which: Any) -> tuple[Interval, Any]:
        """Two halves of each box; those too narrow for that count as open."""
        lo, hi = boxes
        middle = lo + 0.5 * (hi - lo)
        narrow = (middle <= lo) | (middle >= hi)
        if narrow.any():
            np.add.at(self.stuck, which[narrow], 1)
            np.maximum.at(self.bound, which[narrow], self.upper[narrow])
        lo, middle, hi, which = lo[~narrow], middle[~narrow], hi[~narrow], which[~narrow]
        self.upper = np.concatenate([self.upper[~narrow]] * 2)
        halves = np.concatenate([lo, middle]), np.concatenate([middle, hi])
        return halves, np.concatenate([which, which])

    def results(self, left: NDArray[np.intp]) -> list[Maximum]:
        """The answers; boxes that are left keep their last bounds."""
        np.maximum.at(self.bound, left, self.upper)
        bound = np.maximum(self.bound, self.best)
        undecided = self.stuck + np.bincount(left, minlength=self.best.size)
        undecided[bound <= self.best + self.tolerance] = 0
        return [
            Maximum(
                float(self.best[k]), float(bound[k]), self._neighbourhoods(k), int(undecided[k]),
                int(self.count[k]),
            )
            for k in range(self.best.size)
        ]  # fmt: skip

    def _neighbourhoods(self, k: int) -> Array:
        """The best points of one function, one for each neighbourhood, best first."""
        kept: list[float] = []
        good = [(v, x) for v, x in self.points[k] if v >= self.best[k] - self.tolerance]
        reach = 1e-6 * max((abs(x) for _, x in good), default=1.0)
        for _, x in sorted(good, reverse=True):
            if all(abs(x - y) > reach for y in kept):
                kept.append(x)
            if len(kept) >= KEPT:
                break
        return np.array(kept)


def _linear(at: Array, slope: Interval, lo: Array, point: Array, hi: Array) -> Array:
    """The most that a function with value `at` a point and such slopes reaches on the box."""
    _, right = iv.multiply((slope[1], slope[1]), iv.subtract((hi, hi), (point, point)))
    _, left = iv.multiply(iv.negative((slope[0], slope[0])), iv.subtract((point, point), (lo, lo)))
    rise = np.maximum(np.maximum(right, left), 0.0)
    return np.asarray(iv.add((at, at), (rise, rise))[1])


def _parabola(at: Array, slope: Interval, bend: Array, lo: Array, point: Array, hi: Array) -> Array:
    """The same from slopes at the point itself and the largest curvature on the box."""
    best = at
    half = iv.multiply((bend, bend), (np.full_like(bend, 0.5),) * 2)
    for end in (lo, hi):
        step = iv.subtract((end, end), (point, point))
        _, along = iv.multiply(slope, step)
        _, curve = iv.multiply(half, iv.multiply(step, step))
        # Along t in [0, 1] the function is at most at + t * along + t^2 * curve.
        _, reach = iv.add((at, at), iv.add((along, along), (curve, curve)))
        best = np.maximum(np.maximum(best, reach), _crest(at, along, curve))
    return np.asarray(best)


def _crest(at: Array, along: Array, curve: Array) -> Array:
    """The top of that parabola, at + along^2 / (-4 curve), where it lies between 0 and 1."""
    inner = (along > 0) & (curve < 0) & (along < -2 * curve)
    quarter, _ = iv.reciprocal(iv.multiply((curve, curve), (np.full_like(curve, -4.0),) * 2))
    _, rise = iv.multiply(iv.multiply((along, along), (along, along)), quarter)
    rise = np.where(inner, rise, 0.0)
    return np.asarray(iv.add((at, at), (rise, rise))[1])
