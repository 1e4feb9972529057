"""The planner's problem with influence in logs: a search over the price of the council's sum.

The objective is F(z) - A ln C(z), F concave, C convex, A the weighted value of influence. Let
phi(c) = max F over C <= c, a concave function of one number. For every price q, the climb of
F - q C gives a point of phi's graph and a line above it: phi(c) <= D(q) + q c. Between two such
points the lines' crossing bounds phi, and minus A ln c plus a line is convex, so that the largest
value of the bound lies at the points or at the crossing. Where it exceeds the best by more than is
wanted, the climb at the chord's slope puts a new point between the two (a sandwich algorithm,
Rote 1992). The bound is proved: lines come from the slopes of concave functions.
"""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np

from alliancegame.game.parameters import Array
from alliancegame.solve.planning.ascent import Summit, climb
from alliancegame.solve.planning.planner import Planned, Problem, residual_of

MOST_POINTS = 400
"""Climbs at most."""


@dataclasses.dataclass(frozen=True, eq=False)
class Touch:
    """A price, the point that it leads to, and the line c -> `height` + price * c above phi."""

    price: float
    point: Array
    council: float
    value: float
    height: float

    def above(self, c: float) -> float:
        """The line at c."""
        return self.height + self.price * c


def price_search(problem: Problem, start: Array, enough: float) -> Planned:
    """The global optimum, with a proved bound, to `enough` unless rounding or effort end it."""
    A = float(problem.stakes.sum())
    z = problem.coordinates(start)
    anchor = A / problem.council(z)
    touches = [_touch(problem, 0.0, z, enough), _touch(problem, anchor, z, enough)]
    best = max(t.value - A * math.log(t.council) for t in touches)
    left = _left_bound(problem, touches, A, best, enough)
    while left > best + enough and len(touches) < MOST_POINTS // 4:
        last = max(touches, key=lambda t: t.price)
        touches.append(_touch(problem, 3.0 * last.price, last.point, enough))
        best = max(best, touches[-1].value - A * math.log(touches[-1].council))
        left = _left_bound(problem, touches, A, best, enough)
    touches.sort(key=lambda t: t.price, reverse=True)
    while len(touches) < MOST_POINTS:
        tops = [_top(one, other, A) for one, other in itertools.pairwise(touches)]
        k = int(np.argmax(tops))
        if tops[k] <= best + enough:
            break
        made = _between(problem, touches[k], touches[k + 1], enough)
        if made is None:
            break
        touches.insert(k + 1, made)
        best = max(best, made.value - A * math.log(made.council))
    tops = [_top(one, other, A) for one, other in itertools.pairwise(touches)]
    bound = max(left, *tops, *(t.above(t.council) - A * math.log(t.council) for t in touches))
    top = max(touches, key=lambda t: t.value - A * math.log(t.council))
    found = _polished(problem, top)
    x = problem.burdens(found.point)
    text = (
        f"search over the price of the council's sum, {len(touches)} concave problems; lines above "
        "them bound every other point"
    )
    return Planned(x, found.value, max(bound, found.value), residual_of(problem, x), text)


def _touch(problem: Problem, price: float, start: Array, enough: float) -> Touch:
    found = climb(problem.hill("pulled", price), start, enough=enough / 30)
    council = problem.council(found.point)
    return Touch(
        price, found.point, council, found.value + price * council, found.value + found.gap
    )


def _top(left: Touch, right: Touch, A: float) -> float:
    """The bound's largest value between two touches, `left` having the higher price and smaller C."""
    if not (right.council > left.council and left.price > right.price):
        return -math.inf
    c = (right.height - left.height) / (left.price - right.price)
    c = min(max(c, left.council), right.council)
    # Rounding may move the crossing: both lines hold everywhere, so take the lower one on each side.
    return max(
        min(left.above(c), right.above(c)) - A * math.log(c),
        *(t.above(t.council) - A * math.log(t.council) for t in (left, right)),
    )


def _between(problem: Problem, left: Touch, right: Touch, enough: float) -> Touch | None:
    """A touch at the slope of the chord; None if rounding leaves no room for one."""
    price = (right.value - left.value) / (right.council - left.council)
    if not left.price > price > right.price:
        price = (left.price + right.price) / 2
    if not left.price > price > right.price:
        return None
    return _touch(problem, price, (left.point + right.point) / 2, enough)


def _left_bound(
    problem: Problem, touches: list[Touch], A: float, best: float, enough: float
) -> float:
    """What the objective is at most where C is below that of the highest price.

    Shares of influence are worth at most sum a_i ln(a_i / A) together, whatever C is, and the rest
    is below its own line there.
    """
    last = max(touches, key=lambda t: t.price)
    least = problem.council(problem.coordinates(problem.low))
    if least >= last.council:
        return -math.inf
    if least > 0:
        found = max(last.above(c) - A * math.log(c) for c in (least, last.council))
        if found <= best + enough:
            return found
    stakes = problem.stakes[problem.stakes > 0]
    entropy = float((stakes * np.log(stakes / A)).sum())
    # Any price gives a line above; a good one is near the slope of what is left without influence.
    rows = problem.stage.rows
    wants = float(problem.weights @ (rows["theta"] + rows["private"])) / problem.stage.m
    slope = max(wants, 1e-12 * A) / last.council
    found = math.inf
    for price in (0.65 * slope, 0.9 * slope, 0.3 * slope, last.price):
        base = climb(problem.hill("base", price), last.point, enough=enough / 30)
        found = min(found, base.value + base.gap + price * last.council + entropy)
        if found <= best + enough:
            break
    return found


def _polished(problem: Problem, top: Touch) -> Summit:
    """A climb of the objective itself from the best point: at most as far as rounding."""
    return climb(problem.hill(), top.point, enough=0.0)
