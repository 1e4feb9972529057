"""The planner's problem with shares of influence of unequal worth: a search over their sum.

The objective is F(z) + s(z), F concave, s = sum a_i q_i / C the weighted shares, q_i a member's pull
in the council, linear in z, and C their sum. Wherever s(z) = s, sum (a_i - s) q_i is zero, so that any
multiple of it may be added:

    F + s <= s + L(s, y),   L(s, y) = max over z of F + y sum (a_i - s) q_i   for every number y.

L is the largest of functions affine in s, hence convex, and over an interval of s the bound is largest
at an end. Intervals are halved, the one with the highest bound first, until none can hold more than
what was found (branch and bound); with y chosen at the middle the bound is off by the width squared.
"""

from __future__ import annotations

import dataclasses
import heapq
import math

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.parameters import Array
from alliancegame.solve.planning.ascent import climb
from alliancegame.solve.planning.planner import Planned, Problem, many_starts, residual_of

MOST_INTERVALS = 400
"""Intervals at most."""

TRIES = 12
"""Multipliers tried at the middle of an interval; any of them bounds."""


LARGEST = 1e4
"""Multipliers are at most this over C at the start: sums that no point has need no larger ones."""


@dataclasses.dataclass(frozen=True, eq=False)
class Answer:
    """The climb of F + y sum (a_i - s) q_i: its upper bound, its point, and what that is worth."""

    bound: float
    point: Array
    worth: float
    excess: float


def share_search(problem: Problem, start: Array, enough: float) -> Planned:
    """The global optimum, with a proved bound, to `enough` unless rounding or effort end it."""
    wanted = max(enough, 1e-10 * float(problem.weights.sum()))
    z = problem.coordinates(start)
    first = climb(problem.hill(), z, enough=0.0)
    best, point = first.value, first.point
    low, high = reachable(problem)
    queue: list[tuple[float, int, float, float, float]] = []
    multiplier = 1.0 / problem.council(first.point)
    count, closed = 0, -math.inf
    pending = [(low, high, multiplier, math.inf)]
    while True:
        for a, b, y, above in pending:
            bound, answers, chosen = _bound(problem, a, b, y, point, wanted)
            count += 1
            for answer in answers:
                if answer.worth > best:
                    best, point = answer.worth, answer.point
            heapq.heappush(queue, (-min(bound, above), count, a, b, chosen))
        top, _, a, b, y = heapq.heappop(queue)
        if -top <= best + wanted or count >= MOST_INTERVALS or b - a <= 1e-15 * high:
            closed = -top
            break
        middle = (a + b) / 2
        pending = [(a, middle, y, -top), (middle, b, y, -top)]
    if closed > best + wanted:
        others = many_starts(problem, start)
        if others.value > best:
            best, point = others.value, problem.coordinates(others.burdens)
    found = climb(problem.hill(), point, enough=0.0)
    value = max(found.value, best)
    x = problem.burdens(found.point if found.value >= best else point)
    text = f"search over the worth of influence, {count} intervals; concave problems bound each of them"
    return Planned(x, value, max(closed, value), residual_of(problem, x), text)


def reachable(problem: Problem) -> tuple[float, float]:
    """The least and the largest worth s of shares in the box, widened by what rounding could hide.

    s is a ratio of sums linear in pulls, so it is extreme where members on one side of s have the
    largest pull that they can have, and the rest the least (Dinkelbach, 1967). Beyond it no point has
    sum (a_i - s) q_i = 0 and multipliers run to their limit, which makes the bound at the other end
    of such an interval useless, however narrow it is.
    """
    stakes = problem.stakes
    least, most = (problem.pulls(problem.coordinates(x)) for x in (problem.low, problem.high))
    rounding = 4 * len(stakes) * float(np.finfo(float).eps) * float(stakes.max())
    ends = []
    for sign in (-1.0, 1.0):
        # The members on the far side of s become fewer every round, until s is its own answer.
        s = float(stakes.min() if sign > 0 else stakes.max())
        for _ in range(len(stakes) + 1):
            pulls = np.where(sign * (stakes - s) > 0, most, least)
            council = float(pulls.sum())
            new = float(stakes @ pulls) / council if council > 0 else s
            if sign * (new - s) <= 0:
                break
            s = new
        ends.append(s + sign * rounding)
    return max(ends[0], float(stakes.min())), min(ends[1], float(stakes.max()))


def _bound(
    problem: Problem, low: float, high: float, guess: float, start: Array, wanted: float
) -> tuple[float, list[Answer], float]:
    """An upper bound where s is in [low, high], the climbs that gave it, and the multiplier."""
    middle = (low + high) / 2
    answers, y = _multiplier(problem, middle, guess, start, wanted)
    near = answers[-1].point
    ends = [_answer(problem, s, y, near, wanted) for s in (low, high)]
    bound = max(s + end.bound for s, end in zip((low, high), ends, strict=True))
    return bound, [*answers, *ends], y


def _multiplier(
    problem: Problem, s: float, guess: float, start: Array, wanted: float
) -> tuple[list[Answer], float]:
    """About the multiplier at which s(z) = s: where L(s, y) is least in y. Falsi with a safeguard."""
    answers = [_answer(problem, s, guess, start, wanted)]
    left, right, y = -math.inf, math.inf, guess
    at_left, at_right, step = 0.0, 0.0, max(abs(guess), 1e-12)
    most = LARGEST / problem.council(start)
    for _ in range(TRIES):
        here = answers[-1].excess
        if abs(y) >= most or abs(here) <= 1e-7 * problem.council(answers[-1].point) * (
            abs(s) + 1e-300
        ):
            break
        if here < 0:
            left, at_left = y, here
        else:
            right, at_right = y, here
        if math.isinf(right):
            y, step = min(left + step, most), 4 * step
        elif math.isinf(left):
            y, step = max(right - step, -most), 4 * step
        else:
            inner = left + (right - left) * min(max(-at_left / (at_right - at_left), 0.1), 0.9)
            if not left < inner < right:
                break
            y = inner
        answers.append(_answer(problem, s, y, answers[-1].point, wanted))
    return answers, y


def _answer(problem: Problem, s: float, y: float, start: Array, wanted: float) -> Answer:
    stakes = problem.stakes
    found = climb(problem.hill("base", -y * (stakes - s)), start, enough=wanted / 30)
    pulls = problem.pulls(found.point)
    council = float(pulls.sum())
    excess = float((stakes - s) @ pulls)
    # Not from the climb's value: a large multiplier would leave only rounding of it.
    base = problem.evaluate(found.point, _under(problem, found.point), "base")[0]
    share = float(stakes @ pulls) / council if council > 0 else -math.inf
    return Answer(found.value + found.gap, found.point, base + share, excess)


def _under(problem: Problem, z: Array) -> NDArray[np.bool_]:
    """Who is on the piece under its demand."""
    return np.asarray(problem.burdens(z) < problem.stage.rows["demand"])
