"""3. Deviations: the most that a member can gain by another burden, over its whole action set.

The argument: the set is cut at the demand, where the payoff has a kink or a jump, and at the profile.
On a box that is left the payoff is at most the least of four bounds (`_ceiling`); the box that could
hide most is halved until no box can hide more than the target, or a point gains more than it.
"""

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


def largest_gain(payoff: Payoff, burden: float, target: Any) -> Gain:
    """Bound what a deviation from `burden` can gain, until it is known whether that exceeds `target`.

    At a jump the piece under the demand is closed, so that the bound holds for the supremum.
    """
    here, at = payoff.number("payoff", burden), Interval(burden).lo
    order, heap, found = itertools.count(), list[Any](), ZERO

    def consider(group: tuple[Curve, ...], known: dict[Any, Interval], a: Any, b: Any) -> None:
        most = min(_ceiling(curve, known, a, b, at) for curve in group) - here.lo
        heapq.heappush(heap, (-most.upper(), next(order), group, known, a, b))

    for (low, high, below), group in itertools.product(payoff.pieces, payoff.best_of):
        a, b = Interval(low).lo, Interval(high).hi
        for left, right in itertools.pairwise((a, at, b) if a < at < b else (a, b)):
            consider(group, payoff.on_piece(below), left, right)
    for _ in range(BOXES):
        most, _, group, known, a, b = heapq.heappop(heap)
        if -most <= target:
            return Gain(max(-most, ZERO), found)
        middle = ((a + b) / 2).lower()
        there = [enclose(curve.value, {**known, x: Interval(middle)}).lo for curve in group]
        found = max(found, (min(there) - here.hi).lower())
        if found > target or not a < middle < b:
            return Gain(-most, found)
        consider(group, known, a, middle)
        consider(group, known, middle, b)
    return Gain(-heap[0][0], found)


def _ceiling(curve: Curve, known: dict[Any, Interval], a: Any, b: Any, at: Any) -> Any:
    """An upper bound of a curve over [a, b]: the least of what four arguments give."""

    def over(formula: Any, low: Any, high: Any) -> Interval:
        return enclose(formula, {**known, x: Interval(low, high)})

    values = over(curve.value, a, b).hi
    slope = over(curve.slope, a, b)
    if slope.hi <= 0:  # It falls: highest at the left end.
        return min(values, over(curve.value, a, a).hi)
    if slope.lo >= 0:  # It rises: highest at the right end.
        return min(values, over(curve.value, b, b).hi)
    bend = over(curve.bend, a, b).hi
    if bend > 0:
        return values
    # Concave: below its tangent at the end nearer to the profile, and by |bend| t^2 / 2 below it at
    # distance t. With slope s into the box it rises by no more than s^2 / (2 |bend|), or s (b - a).
    end, inward = (a, Interval(1)) if a >= at else (b, Interval(-1))
    s = Interval(max((over(curve.slope, end, end) * inward).hi, ZERO))
    rise = (s * (Interval(b) - Interval(a))).hi
    if bend < 0:
        rise = min(rise, (s * s / (Interval(2) * Interval(-bend))).hi)
    return min(values, (over(curve.value, end, end).hi + rise).upper())
