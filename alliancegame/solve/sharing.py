"""The extreme ways to share one sum of contributions: ends of continua (docs/theory/equilibrium).

Linear allies of one worth share their sum in any way within bounds, and a linear leader and such an ally
theirs (`indifference.exchangeable`, `indifference.with_leader`).
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import indifference
from alliancegame.solve.indifference import Sharing

MOST_SHARING = 8
"""Up to so many sharers all end points are listed; beyond, one for each who carries all it can."""


@dataclasses.dataclass(frozen=True, eq=False)
class Shared:
    """Profiles between which a continuum lies, (end, n): `who` moves along it, `total` is their sum.

    `listed` is False if there are more ends than these.
    """

    who: tuple[int, ...]
    profiles: Array
    total: float
    listed: bool = True


def ways(game: BurdenSharingGame, plan: Plan, burdens: Array, trust: Array) -> list[Shared]:
    """The continua through a profile (n,) that is an equilibrium, at operating trust (n,)."""
    found = []
    allies = indifference.exchangeable(game, plan, burdens, trust)
    if allies is not None:
        found.append(_among_allies(game, burdens, allies))
    if plan.burden is None:
        for ally, *ends in indifference.with_leader(game, plan, burdens, trust):
            found.append(_with_leader(game, burdens, trust, ally, *ends))
    return [one for one in found if len(one.profiles)]


def _among_allies(game: BurdenSharingGame, burdens: Array, sharing: Sharing) -> Shared:
    """All ways to divide one sum within bounds: the corners have all but one at a bound."""
    who, floor, limit = np.flatnonzero(sharing.who), sharing.floor, sharing.limit
    scale = game.by_member("effectiveness") * game.by_member("gdp")
    low, high = floor[who] * scale[who], limit[who] * scale[who]
    total = float((burdens * scale)[who].sum())
    listed = len(who) <= MOST_SHARING
    corners: list[Array] = []
    for k in range(len(who)):
        rest = [j for j in range(len(who)) if j != k]
        choices = itertools.product((0, 1), repeat=len(rest)) if listed else [(0,) * len(rest)]
        for ends in choices:
            given = np.empty(len(who))
            given[rest] = [high[j] if end else low[j] for j, end in zip(rest, ends, strict=True)]
            given[k] = total - given[rest].sum()
            if low[k] - 1e-12 * total <= given[k] <= high[k] + 1e-12 * total:
                profile = np.array(burdens)
                profile[who] = np.clip(given / scale[who], floor[who], limit[who])
                corners.append(profile)
    profiles = np.array(corners).reshape(len(corners), game.size)
    return Shared(tuple(who.tolist()), profiles, total, listed)


def _with_leader(
    game: BurdenSharingGame, burdens: Array, trust: Array, ally: int, floor: float, limit: float
) -> Shared:
    """The leader gives what an ally takes back: g_i + b_i r_i g_l stays as it is."""
    lead = game.members.leader_index
    low, high = (float(game.by_member(f"burden_{end}")[lead]) for end in ("min", "max"))
    scale = game.by_member("effectiveness") * game.by_member("gdp")
    rate = game.congested[1][ally] * trust[ally] * scale[lead] / scale[ally]
    x, xl = burdens[ally], burdens[lead]
    ups = min(high - xl, (x - floor) / rate)
    downs = min(xl - low, (limit - x) / rate)
    profiles = np.array([burdens, burdens])
    for profile, change in zip(profiles, (ups, -downs), strict=True):
        profile[lead] = np.clip(xl + change, low, high)
        profile[ally] = np.clip(x - rate * change, floor, limit)
    return Shared((lead, ally), profiles, float(x * scale[ally]))
