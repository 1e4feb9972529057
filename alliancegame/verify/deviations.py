"""The most that a member can gain by any deviation: bounded by branch and bound over its action set."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
from typing import Any

from alliancegame.verify.intervals import ZERO, Interval, enclose
from alliancegame.verify.payoffs import Curve, Payoff, x

BOXES = 4000
"""Boxes tried for a member before the question is left open."""


@dataclasses.dataclass(frozen=True)
class Gain:
    """No deviation gains more than `most`; one was found that gains `least` or more."""

    most: Any
    least: Any
    boxes: int


def largest_gain(payoff: Payoff, burden: float, target: Any) -> Gain:
    """Bound what a deviation from `burden` can gain, until it is known whether that exceeds `target`.

    Boxes in which somebody could still gain most are halved first. At a jump the piece under the
    demand is closed, so that the bound holds for the supremum.
    """
    here = payoff.number("payoff", burden)
    at = Interval(burden).lo
    order = itertools.count()
    heap: list[Any] = []

    def consider(group: tuple[Curve, ...], known: dict[Any, Interval], a: Any, b: Any) -> None:
        most = min(_ceiling(curve, known, a, b, at) for curve in group) - here.lo
        heapq.heappush(heap, (-most.upper(), next(order), group, known, a, b))

    for low, high, below in payoff.pieces:
        a, b = Interval(low).lo, Interval(high).hi
        ends = (a, at, b) if a < at < b else (a, b)
        for group in payoff.worst_of:
            known = payoff.on_piece(below)
            for left, right in itertools.pairwise(ends):
                consider(group, known, left, right)
    found = ZERO
    for boxes in range(BOXES):
        most, _, group, known, a, b = heapq.heappop(heap)
        if -most <= target:
            return Gain(max(-most, ZERO), found, boxes)
        middle = ((a + b) / 2).lower()
        there = [enclose(curve.value, {**known, x: Interval(middle)}).lo for curve in group]
        found = max(found, (min(there) - here.hi).lower())
        if found > target or not a < middle < b:
            return Gain(-most, found, boxes)
        consider(group, known, a, middle)
        consider(group, known, middle, b)
    return Gain(-heap[0][0], found, BOXES)


def _ceiling(curve: Curve, known: dict[Any, Interval], a: Any, b: Any, at: Any) -> Any:
    """An upper bound of a curve over [a, b]: the least of what four arguments give."""
    box = {**known, x: Interval(a, b)}
    values = enclose(curve.value, box).hi
    slope = enclose(curve.slope, box)

    def value(end: Any) -> Any:
        return enclose(curve.value, {**known, x: Interval(end)}).hi

    if slope.hi <= 0:  # It falls: highest at the left end.
        return min(values, value(a))
    if slope.lo >= 0:  # It rises: highest at the right end.
        return min(values, value(b))
    bend = enclose(curve.bend, box).hi
    if bend > 0:
        return values
    # Concave: below its tangent at the end nearer to the profile, and by |bend| t^2 / 2 below it at
    # distance t. With slope s into the box it rises by no more than s^2 / (2 |bend|), or s (b - a).
    end, inward = (a, Interval(1)) if a >= at else (b, Interval(-1))
    s = Interval((enclose(curve.slope, {**known, x: Interval(end)}) * inward).hi)
    if s.hi <= 0:
        return min(values, value(end))
    rise = (s * (Interval(b) - Interval(a))).hi
    if bend < 0:
        rise = min(rise, (s * s / (Interval(2) * Interval(-bend))).hi)
    return min(values, (value(end) + rise).upper())
