"""One-sided derivatives of an equilibrium: the implicit function theorem with complementarity.

Away from kinks every member either stays on its condition F_i = 0, or sits on a point (its demand, a
bound, a burden that the plan names) and moves with it. A member that sits there without being held
(its one-sided marginal payoff is 0) may stay or leave, depending on the direction: each way is
tried, and the one whose signs agree is the derivative (the linear complementarity problem of the
directional derivative; Robinson 1980).
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve.derivatives.implicit import Linear, Mask, linearise
from alliancegame.solve.derivatives.inputs import Given, given, players

ON = 1e-12
"""Burdens this close to the demand or a bound are on it, as in `solve.dynamic.slopes`."""
SLACK = 1e-9
"""One-sided marginal payoffs smaller than this do not hold a member where it sits."""
SINGULAR = 1e13
"""Condition numbers from which on the conditions count as singular (a fold, a continuum)."""
MOST_WAYS = 729

Stay = tuple[bool, str]
"""How a member moves: on the piece under its demand or not, and what it sits on ("" if nothing)."""


@dataclasses.dataclass(frozen=True, eq=False)
class Point:
    """A profile of burdens with everything that its one-sided derivatives need.

    `over` and `under` are the conditions on the pieces above and under the demand of those who sit on
    theirs; everybody else has one piece.
    """

    game: BurdenSharingGame
    plan: Plan
    values: Given
    x: Array
    kinked: Mask
    over: Linear
    under: Linear
    payoff_over: Linear
    payoff_under: Linear
    ways: tuple[tuple[Stay, ...], ...]

    @property
    def loose(self) -> tuple[int, ...]:
        """Members who sit on a kink or a bound without being held there."""
        return tuple(i for i, ways in enumerate(self.ways) if len(ways) > 1)

    def condition(self, below: bool) -> Linear:
        """The conditions on one of the two pieces."""
        return self.under if below else self.over


def point_at(game: BurdenSharingGame, plan: Plan, x: Array) -> Point:
    """Linearise conditions and payoffs at a profile of shape (n,)."""
    values = given(game, plan)
    demand = plan.demand_by_member(game.members)
    allies = np.arange(game.size) != game.members.leader_index
    bite = plan.threat_by_member(game.members) * game.by_member("credibility")
    pressed = allies & (bite * game.by_member("security_weight") > 0)
    # A threat of nothing has no kink yet, but a derivative in the threat gives it one.
    kinked = allies & (np.abs(x - demand) <= ON) & (game.by_member("security_weight") > 0)
    below = x < demand
    over, under = (
        linearise(game, values, x, np.where(kinked, flag, below), "marginal")
        for flag in (False, True)
    )
    payoff_over, payoff_under = (
        linearise(game, values, x, np.where(kinked, flag, below), "payoff")
        for flag in (False, True)
    )
    chooses = players(game, plan)
    at_low = np.abs(x - game.by_member("burden_min")) <= ON
    at_high = np.abs(x - game.by_member("burden_max")) <= ON
    ways = tuple(
        _ways(
            bool(chooses[i]), bool(kinked[i]), bool(below[i] and pressed[i]), bool(at_low[i]),
            bool(at_high[i]), float(over.value[i]), float(under.value[i]),
        )
        for i in range(game.size)
    )  # fmt: skip
    return Point(game, plan, values, x, kinked, over, under, payoff_over, payoff_under, ways)


def _ways(
    chooses: bool, kinked: bool, below: bool, low: bool, high: bool, over: float, under: float
) -> tuple[Stay, ...]:
    """What a member may do in the first order, from where it is and its one-sided marginals."""
    if not chooses:
        return ((below, "burden"),)
    found: list[Stay] = []
    for piece in (True, False) if kinked else (below,):
        slope = under if piece else over
        if not (low or high or kinked) or abs(slope) <= SLACK:
            found.append((piece, ""))
        if low and slope <= SLACK:
            found.append((piece, "burden_min"))
        if high and slope >= -SLACK:
            found.append((piece, "burden_max"))
    if kinked and (over <= SLACK or high) and (under >= -SLACK or low):
        found.append((False, "demand"))
    return tuple(found)


def directional(point: Point, moves: Array, pins: Mapping[str, Array], sign: float) -> Array:
    """Derivatives of burdens, (n, case), as parameters move in the direction `sign`.

    `moves` are the derivatives of the conditions on both pieces with burdens held, (2, n, case): over,
    under. `pins` says how demands, bounds and a named burden move, each (n, case). nan where no way
    agrees in sign, or the conditions are singular. Signed like ordinary derivatives: both directions
    agree where there is one.
    """
    n, cases = moves.shape[1:]
    found = np.full((n, cases), np.nan)
    todo = np.full(cases, True)
    count = int(np.prod([len(ways) for ways in point.ways], dtype=float))
    if count > MOST_WAYS or any(not ways for ways in point.ways):
        return found
    for chosen in itertools.product(*point.ways):
        step = _step(point, chosen, moves[:, :, todo] * sign, pins, todo, sign)
        if step is None:
            continue
        good = np.isfinite(step).all(axis=0)
        if point.loose:
            good &= _agrees(point, chosen, step, moves[:, :, todo] * sign, pins, todo, sign)
        at = np.flatnonzero(todo)[good]
        found[:, at] = step[:, good] * sign
        todo[at] = False
        if not todo.any():
            break
    return found


def _step(
    point: Point, chosen: Sequence[Stay], moves: Array, pins: Mapping[str, Array], todo: Mask, sign: float
) -> Array | None:  # fmt: skip
    """The moves of one way, (n, case): F_i stays 0, or a member moves with what it sits on.

    None if the conditions are singular.
    """
    step = np.zeros((len(chosen), int(todo.sum())))
    free = np.array([not pin for _, pin in chosen])
    for i, (_, pin) in enumerate(chosen):
        if pin:
            step[i] = pins[pin][i, todo] * sign
    if free.any():
        rows: list[int] = np.flatnonzero(free).tolist()
        slopes = np.array([point.condition(chosen[i][0]).burdens[i] for i in rows])
        right = np.array([-moves[int(chosen[i][0]), i] for i in rows])
        right -= slopes[:, ~free] @ step[~free]
        # Each row in units of its own diagonal: curvatures differ by orders of magnitude.
        unit = np.maximum(np.abs(slopes[np.arange(len(rows)), rows]), 1e-300)
        matrix = slopes[:, free] / unit[:, None]
        if not np.isfinite(matrix).all() or not np.linalg.cond(matrix) < SINGULAR:
            return None
        step[free] = np.linalg.solve(matrix, right / unit[:, None])
    return step


def _agrees(
    point: Point, chosen: Sequence[Stay], step: Array, moves: Array, pins: Mapping[str, Array],
    todo: Mask, sign: float,
) -> Mask:  # fmt: skip
    """Where the signs of a way agree, (case,): moves stay on their piece, and nobody sits unheld."""
    good = np.full(step.shape[1], True)
    game, x = point.game, point.x
    for i in point.loose:
        below, pin = chosen[i]
        own = step[i]
        room = 1e-9 * np.maximum(np.abs(own), 1e-12)
        to = {name: pins[name][i, todo] * sign for name in ("demand", "burden_min", "burden_max")}
        if abs(x[i] - game.by_member("burden_min")[i]) <= ON:
            good &= own >= to["burden_min"] - room
        if abs(x[i] - game.by_member("burden_max")[i]) <= ON:
            good &= own <= to["burden_max"] + room
        if point.kinked[i] and pin != "demand":
            good &= own <= to["demand"] + room if below else own >= to["demand"] - room
        for side in (False, True):
            if not pin or (pin != "demand" and side != below):
                continue
            if pin == "demand" and not point.kinked[i]:
                continue
            condition = point.condition(side)
            slope = float(condition.value[i])
            change = condition.burdens[i] @ step + moves[int(side), i]
            small = 1e-9 * (np.abs(condition.burdens[i]) @ np.abs(step) + 1e-12)
            rises = (slope > SLACK) | ((abs(slope) <= SLACK) & (change >= -small))
            falls = (slope < -SLACK) | ((abs(slope) <= SLACK) & (change <= small))
            if pin == "burden_min" or (pin == "demand" and not side):
                good &= falls
            else:
                good &= rises
    return good
