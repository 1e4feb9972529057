"""3. Deviations: the most that a player can gain by other actions, over its whole action set.

The argument: the action set is cut into boxes, at the profile first. On a box that is left the payoff is
at most the least of four bounds (`_ceiling`); the box that could hide most is halved, until no box can hide
more than the target or a point is found that gains more than it.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from alliancegame.verify.intervals import INFINITE, ZERO, Interval, Known, enclose, total
from alliancegame.verify.smooth import derivatives, settled, smooth

BOXES = 4000
"""Boxes tried for a player before the question is left open."""

Box = tuple[Interval, ...]
"""One interval for each of a player's own actions."""


class Gain(NamedTuple):
    """No deviation gains more than `most`; one was found that gains `least` or more."""

    most: Any
    least: Any


@dataclasses.dataclass(frozen=True)
class Payoff:
    """A player's payoff, a formula in its own actions `own`, at a profile in which they are `at`.

    Of all other symbols the intervals are `known`. `pieces` make up the action set: boxes, with what is
    known on each alone (of an ally, whether it is below the demand). `now` is the payoff of the profile.
    """

    formula: Any
    known: Known
    own: tuple[Any, ...]
    at: Box
    pieces: Sequence[tuple[Box, Known]]
    now: Interval

    def on(self, box: Box, piece: Known) -> Known:
        """What is known on a box of a piece."""
        return {**self.known, **piece, **dict(zip(self.own, box, strict=True))}


def largest_gain(payoff: Payoff, target: Any) -> Gain:
    """Bound what a deviation can gain, until it is known whether that exceeds `target`.

    A piece is closed, so that at a jump the bound holds for the supremum.
    """
    now, order, found = payoff.now, itertools.count(), ZERO
    if not now.lo.is_finite():
        return Gain(INFINITE, ZERO)  # The payoff of the profile is not proved to exist.
    heap = list[Any]()

    def consider(box: Box, piece: Known, depth: int) -> None:
        most = (Interval(_ceiling(payoff, box, piece)) - now).hi
        heapq.heappush(heap, (-most, next(order), box, piece, depth))

    for box, piece in payoff.pieces:
        consider(box, piece, 0)
    for _ in range(BOXES):
        minus, _, box, piece, depth = heapq.heappop(heap)
        if -minus <= target:
            return Gain(max(-minus, ZERO), found)
        middle = tuple(Interval(((side.lo + side.hi) / 2).lower()) for side in box)
        found = max(found, (enclose(payoff.formula, payoff.on(middle, piece)) - now).lo)
        # Actions are cut in turn, at the profile first and then in the middle.
        j = depth % len(box)
        side, here = box[j], payoff.at[j].lo
        cut = here if side.lo < here < side.hi else middle[j].lo
        if found > target or not side.lo < cut < side.hi:
            return Gain(-minus, found)
        for half in (Interval(side.lo, cut), Interval(cut, side.hi)):
            consider((*box[:j], half, *box[j + 1 :]), piece, depth + 1)
    return Gain(-heap[0][0], found)


def _ceiling(payoff: Payoff, box: Box, piece: Known) -> Any:
    """An upper bound of the payoff u(y) for all y of a box: the least of what four arguments give.

    1. The enclosure of u. The others need derivatives, and hold where u is `smooth`:
    2. where u rises (falls) in an action all over the box, the bound on the side where that is greatest
       (least);
    3. u(p) + G (y - p), p the point of the box nearest to the profile and G the gradient over the box (mean
       value theorem);
    4. u(p) + g (y - p) - mu |y - p|^2 / 2, g the gradient at p (unknown where there is none), where all
       second derivatives of u along lines are at most -mu <= 0 (Taylor).
    """
    inside = payoff.on(box, piece)
    most = enclose(payoff.formula, inside).hi
    free = [j for j, side in enumerate(box) if side.lo < side.hi]
    formula = settled(payoff.formula, inside)
    if not free or not smooth(formula, payoff.own, inside):
        return most
    slopes, bends = derivatives(formula, payoff.own)
    gradient = [enclose(slope, inside) for slope in slopes]
    for j in free:
        if gradient[j].lo >= 0 or gradient[j].hi <= 0:
            end = Interval(box[j].hi if gradient[j].lo >= 0 else box[j].lo)
            return min(most, _ceiling(payoff, (*box[:j], end, *box[j + 1 :]), piece))
    sides = zip(box, payoff.at, strict=True)
    nearest = tuple(Interval(min(max(p.lo, side.lo), side.hi)) for side, p in sides)
    there, steps = payoff.on(nearest, piece), [a - p for a, p in zip(box, nearest, strict=True)]
    here = enclose(formula, there)
    most = min(most, (here + total(gradient[j] * steps[j] for j in free)).hi)
    mu = min(_concavity(bends[j], j, free, inside) for j in free)
    if mu >= 0:
        rises = (_rise(enclose(slopes[j], there), steps[j], mu) for j in free)
        most = min(most, (here + total(rises)).hi)
    return most


def _concavity(row: Sequence[Any], j: int, free: Sequence[int], inside: Known) -> Any:
    """A mu with this row's diagonal, plus the sizes of all others, at most -mu.

    If it is so in every row, no second derivative along a line exceeds -mu (Gershgorin).
    """
    others = total(enclose(row[k], inside).absolute() for k in free if k != j)
    return (Interval(0) - enclose(row[j], inside) - others).lo


def _rise(slope: Interval, step: Interval, mu: Any) -> Interval:
    """The most that g s - mu s^2 / 2 can be: no more than g s, nor than g^2 / (2 mu), nor less than 0."""
    most = max((slope * step).hi, ZERO)
    return Interval(min(most, (slope * slope / Interval(2 * mu)).hi) if mu > 0 else most)
