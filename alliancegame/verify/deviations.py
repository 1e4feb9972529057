"""3. Deviations: the most that a member can gain by another burden, over its whole action set.

The argument: the set is cut at the demand, where the payoff has a kink or a jump, and at the profile.
On a box that is left the payoff is at most the least of four bounds (`_ceiling`); the box that could
hide most is halved until no box can hide more than the target, or a point gains more than it.
"""

from __future__ import annotations

import heapq
import itertools
from typing import Any, NamedTuple

from alliancegame.verify.intervals import ZERO, Interval, enclose
from alliancegame.verify.payoffs import Curve, Known, Payoff, symbol, x

BOXES = 4000
"""Boxes tried for a member before the question is left open."""


class Gain(NamedTuple):
    """No deviation gains more than `most`; one was found that gains `least` or more."""

    most: Any
    least: Any


def largest_gain(payoff: Payoff, burden: float, target: Any) -> Gain:
    """Bound what a deviation from `burden` can gain, until it is known whether that exceeds `target`.

    At a jump the piece under the demand is closed, so that the bound holds for the supremum.
    """
    here, at = payoff.number("payoff", burden), Interval(burden).lo
    order, heap, found = itertools.count(), list[Any](), ZERO

    def consider(group: tuple[Curve, ...], known: Known, a: Any, b: Any) -> None:
        most = min(_ceiling(curve, known, a, b, at) for curve in group) - here.lo
        heapq.heappush(heap, (-most.upper(), next(order), group, known, a, b))

    for (low, high, below), group in itertools.product(payoff.pieces, payoff.best_of):
        a, b = Interval(low).lo, Interval(high).hi
        known = {**payoff.known, symbol("below"): Interval(below)}
        for left, right in itertools.pairwise((a, at, b) if a < at < b else (a, b)):
            consider(group, known, left, right)
    for _ in range(BOXES):
        most, _, group, known, a, b = heapq.heappop(heap)
        if -most <= target:
            return Gain(max(-most, ZERO), found)
        middle = ((a + b) / 2).lower()
        there = [enclose(value, {**known, x: Interval(middle)}).lo for value, _, _ in group]
        found = max(found, (min(there) - here.hi).lower())
        if found > target or not a < middle < b:
            return Gain(-most, found)
        consider(group, known, a, middle)
        consider(group, known, middle, b)
    return Gain(-heap[0][0], found)


def _ceiling(curve: Curve, known: Known, a: Any, b: Any, at: Any) -> Any:
    """An upper bound of a curve over [a, b]: the least of what four arguments give."""
    value, slope, bend = curve
    box = {**known, x: Interval(a, b)}
    most, steep = enclose(value, box).hi, enclose(slope, box)
    falls, rises = steep.hi <= 0, steep.lo >= 0
    left = falls or (
        not rises and a >= at
    )  # The highest end, or else the one nearer to the profile.
    end = {**known, x: Interval(a if left else b)}
    if falls or rises:
        return min(most, enclose(value, end).hi)
    curved = enclose(bend, box).hi
    if curved > 0:
        return most
    # Concave: below its tangent at that end, and by |bend| t^2 / 2 below it at distance t. With slope
    # s into the box it rises by no more than s (b - a), or s^2 / (2 |bend|).
    s = Interval(max((enclose(slope, end) * Interval(1 if left else -1)).hi, ZERO))
    rise = (s * (Interval(b) - Interval(a))).hi
    if curved < 0:
        rise = min(rise, (s * s / Interval(-2 * curved)).hi)
    return min(most, (enclose(value, end).hi + rise).upper())
