"""One-sided derivatives of an equilibrium: the implicit function theorem with complementarity.

Away from kinks every member either stays on its condition F_i = 0, or sits on a point (its demand, a
bound, a burden that the plan names) and moves with it. A member that sits there without being held
(its one-sided marginal payoff is 0) may stay or leave, depending on the direction: each way is
tried, and the one whose signs agree is the derivative (the linear complementarity problem of the
directional derivative; Robinson 1980).

Where a trigger makes payoffs jump, an ally that meets its demand exactly has the demand for a floor: it
moves with it, or leaves it upwards. What it would gain by the jump itself is `trigger`'s to watch.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.payoff.form import Form
from alliancegame.solve.derivatives.implicit import Linear, Mask, linearise
from alliancegame.solve.derivatives.inputs import Given, bears_tariffs, form_of, given, players
from alliancegame.solve.trigger.sides import who_chooses

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
    theirs (`kinked`, where both pieces meet); everybody else has one piece, `below` its demand or not.
    `floored` marks those whose floor is the demand: under it a trigger makes the payoff jump.
    """

    game: BurdenSharingGame
    plan: Plan
    form: Form
    values: Given
    x: Array
    below: Mask
    kinked: Mask
    floored: Mask
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

    @property
    def lead(self) -> int:
        """The leader's position."""
        return self.game.members.leader_index

    def change(
        self, chosen: Sequence[Stay], i: int, side: bool, moves: Array, demand: Array
    ) -> tuple[Array, Array]:
        """How a member's condition changes: with burdens, (n,), and directly, (case,).

        `moves` (2, n, case) are direct changes on both pieces, `demand` (n, case) those of demands. The
        leader collects revenue from who goes under its demand: (d - x)/d of the levy.
        """
        if i != self.lead:
            return self.condition(side).burdens[i], moves[int(side), i]
        more = collected(self.over, self.under, i, self.kinked)
        more = np.where([below for below, _ in chosen], more, 0.0)
        return self.over.burdens[i] + more, moves[0, i] - more @ demand


def collected(over: Linear, under: Linear, lead: int, kinked: Mask) -> Array:
    """What an ally's step under its demand adds to the leader's condition or payoff, by burden, (n,)."""
    return np.where(kinked, under.burdens[lead] - over.burdens[lead], 0.0)


def point_at(game: BurdenSharingGame, plan: Plan, x: Array) -> Point:
    """Linearise conditions and payoffs at a profile of shape (n,)."""
    values = given(game, plan)
    demand = plan.demand_by_member(game.members)
    form = form_of(game, bears_tariffs(game, plan))
    allies = np.arange(game.size) != game.members.leader_index
    on_demand = np.abs(x - demand) <= ON
    kinked = floored = np.full(game.size, False)
    if game.shortfall == "trigger":
        threat = plan.threat_by_member(game.members)
        floored = who_chooses(game, plan, demand, threat) & on_demand & (x >= demand)
    elif game.shortfall == "proportional":
        # A threat of nothing has no kink yet, but a derivative in the threat gives it one.
        felt = (game.by_member("security_weight") > 0) | (game.by_member("trade_exposure") > 0)
        kinked = allies & on_demand & felt
    below = (x < demand) & allies
    pieces = [np.where(kinked, flag, below) for flag in (False, True)]
    over, under = (linearise(game, form, values, x, piece, "marginal") for piece in pieces)
    payoff_over, payoff_under = (
        linearise(game, form, values, x, piece, "payoff") for piece in pieces
    )
    chooses = players(game, plan)
    at_low = np.abs(x - game.by_member("burden_min")) <= ON
    at_high = np.abs(x - game.by_member("burden_max")) <= ON
    ways = tuple(
        _ways(
            bool(chooses[i]), bool(kinked[i]), "demand" if floored[i] else "burden_min",
            bool(at_low[i] or floored[i]), bool(at_high[i]), float(over.value[i]), float(under.value[i]),
        )
        for i in range(game.size)
    )  # fmt: skip
    return Point(
        game, plan, form, values, x, below, kinked, floored, over, under, payoff_over, payoff_under, ways
    )  # fmt: skip


def _ways(
    chooses: bool, kinked: bool, floor: str, low: bool, high: bool, over: float, under: float
) -> tuple[Stay, ...]:
    """What a member may do in the first order, from where it is and its one-sided marginals.

    Who sits on no kink has one piece, on which `over` and `under` agree; `floor` is what it sits on if
    `low`.
    """
    if not chooses:
        return ((False, "burden"),)
    found: list[Stay] = []
    for piece in (True, False) if kinked else (False,):
        slope = under if piece else over
        if not (low or high or kinked) or abs(slope) <= SLACK:
            found.append((piece, ""))
        if low and slope <= SLACK:
            found.append((piece, floor))
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
        demand = pins["demand"][:, todo] * sign
        changes = [point.change(chosen, i, chosen[i][0], moves, demand) for i in rows]
        slopes = np.array([row for row, _ in changes])
        right = np.array([-shift for _, shift in changes])
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
        if point.floored[i]:
            good &= own >= to["demand"] - room
        elif abs(x[i] - game.by_member("burden_min")[i]) <= ON:
            good &= own >= to["burden_min"] - room
        if abs(x[i] - game.by_member("burden_max")[i]) <= ON:
            good &= own <= to["burden_max"] + room
        if point.kinked[i] and pin != "demand":
            good &= own <= to["demand"] + room if below else own >= to["demand"] - room
        for side in (False, True):
            if not pin or (side != below and not (pin == "demand" and point.kinked[i])):
                continue
            slope = float(point.condition(side).value[i])
            row, shift = point.change(chosen, i, side, moves, pins["demand"][:, todo] * sign)
            change = row @ step + shift
            small = 1e-9 * (np.abs(row) @ np.abs(step) + 1e-12)
            rises = (slope > SLACK) | ((abs(slope) <= SLACK) & (change >= -small))
            falls = (slope < -SLACK) | ((abs(slope) <= SLACK) & (change <= small))
            if pin == "burden_min" or (pin == "demand" and not side):
                good &= falls
            else:
                good &= rises
    return good
