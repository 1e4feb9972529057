"""Where a payoff jumps, an equilibrium ends when somebody would rather be on the other side.

With trigger threats an ally that is exactly indifferent between meeting its demand and missing it is in
equilibrium only as long as its own side is no worse. Parameters that move the comparison against its
side have no derivative: there the profile is no equilibrium any more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from alliancegame.game.parameters import Array
from alliancegame.solve.derivatives.directions import ON, SLACK, Point
from alliancegame.solve.derivatives.implicit import Linear, Mask, linearise
from alliancegame.solve.derivatives.moves import Key, Moves, directly
from alliancegame.solve.trigger.sides import Sides


@dataclasses.dataclass(frozen=True, eq=False)
class Torn:
    """A member that does as well by another burden: the profile with that burden, and its payoff there.

    `payoff` is everybody's, linearised; `sits` is what the other burden sits on ("" if nothing).
    """

    member: int
    x: Array
    below: Mask
    payoff: Linear
    sits: str


def torn(point: Point) -> tuple[Torn, ...]:
    """The allies who are indifferent between both sides of their demand."""
    if point.game.shortfall != "trigger":
        return ()
    sides = Sides.of(point.game, point.plan)
    members = np.flatnonzero(sides.choosing)
    if not len(members):
        return ()
    profiles = np.repeat(point.x[None], len(members), axis=0)
    complies = sides.comply(profiles)[0]
    replies, payoffs = sides.replies(profiles, members, ~complies[members])
    now = sides.described(point.x[None]).payoff[0]
    close = payoffs - now[members] >= -SLACK
    return tuple(
        _torn(point, int(i), float(y), not bool(complies[i]))
        for i, y in zip(members[close], replies[close], strict=True)
    )


def _torn(point: Point, member: int, burden: float, complies: bool) -> Torn:
    game = point.game
    x, below = point.x.copy(), point.below.copy()
    x[member], below[member] = burden, not complies
    floor = "demand" if complies else "burden_min"
    ends = {
        "burden_max": float(game.by_member("burden_max")[member]),
        floor: max(
            float(point.plan.demand_by_member(game.members)[member]) if complies else 0.0,
            float(game.by_member("burden_min")[member]),
        ),
    }
    sits = next((name for name, end in ends.items() if abs(burden - end) <= ON), "")
    return Torn(
        member, x, below, linearise(game, point.form, point.values, x, below, "payoff"), sits
    )


def ended(
    point: Point, one: Torn, keys: Sequence[Key], made: Moves, burdens: Array, payoffs: Array, sign: float
) -> Mask:  # fmt: skip
    """Keys that move the comparison against the side on which a member is, (key,).

    `burdens` and `payoffs`, (n, key), are the derivatives of the profile in the direction `sign`.
    """
    i = one.member
    there = burdens.copy()
    there[i] = made.pins[one.sits][i] if one.sits else 0.0
    direct = directly(point, keys, (one.payoff,), one.x, one.below)[0, i]
    moves = one.payoff.burdens[i][:, None] * there
    gap = direct + moves.sum(axis=0) - payoffs[i]
    size = np.abs(direct) + np.abs(moves).sum(axis=0) + np.abs(payoffs[i])
    return np.asarray(gap * sign > 1e-9 * size)
