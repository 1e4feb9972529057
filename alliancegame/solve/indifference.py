"""Who may give a little less or more at no gain or loss: where equilibria are continua.

Allies of the degenerate kind (`degenerate`) see one sum of contributions. Such an ally is content where its
worth theta e Y / c - b r g_l is that sum, c the marginal cost of a burden: 1, or below its demand
1 - chi T / d under a tariff (docs/theory/equilibrium, What is proved).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan

Mask = NDArray[np.bool_]

NEAR = 1e-12
"""Worths this near to each other, relative to their parts, count as one."""


def degenerate(game: BurdenSharingGame) -> Mask:
    """Allies of the degenerate kind that the theorem names, pressure aside."""
    if "_degenerate" not in game.__dict__:
        object.__setattr__(game, "_degenerate", _degenerate(game))
    found: Mask = game.__dict__["_degenerate"]
    return found


def _degenerate(game: BurdenSharingGame) -> Mask:
    spillin, _ = game.congested
    kind = (
        (game.consumption == "linear")
        & (spillin == 1)
        & (game.by_member("influence_weight") == 0)
        & (game.by_member("private_weight") == 0)
    )
    kind[game.members.leader_index] = False
    return np.asarray(kind)


@dataclasses.dataclass(frozen=True, eq=False)
class Side:
    """What members see who give a little less, or a little more: each (n,).

    `may` says who is of the kind and has room that way, with no threat at the margin; `cost` is the
    marginal cost, and `floor` to `limit` the burdens over which that stays so.
    """

    may: Mask
    cost: Array
    floor: Array
    limit: Array


def sides(game: BurdenSharingGame, plan: Plan, burden: Array, cover: Array) -> tuple[Side, Side]:
    """Below the burdens, and above them. A threat is felt where it takes away some of `cover`, (n,)."""
    low, high = game.by_member("burden_min"), game.by_member("burden_max")
    demand = plan.demand_by_member(game.members)
    believed = plan.threat_by_member(game.members) * game.by_member("credibility")
    threatened = believed * game.by_member("security_weight") * cover > 0
    levy = np.zeros(game.size)
    if plan.taxed:
        levy = plan.tariff_by_member(game.members) * game.by_member("trade_exposure")
    kinked = threatened | (levy > 0)
    made = []
    for up in (False, True):
        under = kinked & ((burden < demand) if up else (burden <= demand))
        floor = np.where(kinked & ~under, np.maximum(low, demand), low)
        limit = np.where(under, np.minimum(high, demand), high)
        cost = np.where(under, 1 - levy / demand, 1.0)
        room = burden < limit if up else burden > floor
        may = degenerate(game) & room & ~(under & threatened) & (cost > 0)
        made.append(Side(np.asarray(may), np.asarray(cost), floor, limit))
    below, above = made
    return below, above


@dataclasses.dataclass(frozen=True, eq=False)
class Sharing:
    """Allies who share one sum, (n,), and the burdens `floor` to `limit` over which they can."""

    who: Mask
    floor: Array
    limit: Array


def exchangeable(
    game: BurdenSharingGame, plan: Plan, burden: Array, trust: Array
) -> Sharing | None:
    """Allies of the degenerate kind with one worth, of whom one may give what another takes back.

    Whoever could give more does not want to, and whoever could give less does not want to either:
    with one worth both are indifferent, and so are all in between.
    """
    if degenerate(game).sum() < 2:
        return None
    lead = game.members.leader_index
    _, umbrella = game.congested
    scale = game.by_member("effectiveness") * game.by_member("gdp")
    cover = umbrella * trust * scale[lead] * burden[lead]
    below, above = sides(game, plan, burden, cover)
    with np.errstate(all="ignore"):
        less, more = (
            game.by_member("security_weight") * scale / side.cost for side in (below, above)
        )
    for i in np.flatnonzero(below.may):
        near = NEAR * (less[i] + cover[i])
        takes, gives = (
            side.may & (np.abs(worth - cover - (less[i] - cover[i])) <= near)
            for side, worth in ((below, less), (above, more))
        )
        if np.delete(gives, i).any():
            floor, limit = (
                np.where(gives, one, other)
                for one, other in ((above.floor, below.floor), (above.limit, below.limit))
            )
            return Sharing(np.asarray(takes | gives), floor, limit)
    return None


def with_leader(
    game: BurdenSharingGame, plan: Plan, burden: Array, trust: Array
) -> Iterator[tuple[int, float, float]]:
    """Allies with whom a leader of the degenerate kind may share, and to which burdens they can go.

    With linear consumption, alpha = h = 0 for both, beta_i = 1 and b_l T^zeta b_i r_i = 1, ally and
    leader see the same security up to a factor, and one's gift replaces the other's.
    """
    lead = game.members.leader_index
    weights = [game.by_member(name)[lead] for name in ("influence_weight", "private_weight")]
    if game.consumption != "linear" or any(weights) or not degenerate(game).any():
        return
    _, umbrella = game.congested
    worth: Any = (
        game.by_member("security_weight") * game.by_member("effectiveness") * game.by_member("gdp")
    )
    returned = game.return_spillin * trust[lead] ** game.cohesion
    alike = np.isclose(returned * umbrella * trust, 1.0, rtol=NEAR, atol=0.0)
    # Any contribution of the leader brings a threat to bear: it moves along the continuum.
    below, above = sides(game, plan, burden, umbrella * trust)
    low, high = (float(game.by_member(f"burden_{end}")[lead]) for end in ("min", "max"))
    lead_more, lead_less = burden[lead] < high, burden[lead] > low
    with np.errstate(all="ignore"):
        same = [
            alike
            & side.may
            & np.isclose(worth / side.cost, umbrella * trust * worth[lead], rtol=NEAR, atol=0.0)
            for side in (below, above)
        ]
    for i in np.flatnonzero((same[0] & lead_more) | (same[1] & lead_less)):
        floor = below.floor[i] if same[0][i] else burden[i]
        limit = above.limit[i] if same[1][i] else burden[i]
        yield int(i), float(floor), float(limit)
