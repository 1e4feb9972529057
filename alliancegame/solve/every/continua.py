"""Continua of equilibria, with their end points: members whose gifts replace each other exactly."""

from __future__ import annotations

import itertools

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import certificate, multiple, nash
from alliancegame.solve.every.result import Continuum
from alliancegame.solve.result import Equilibrium
from alliancegame.solve.tolerances import Tolerances

MOST_SHARING = 8
"""Up to so many sharers all end points are listed; beyond, one for each who carries all it can."""


def components(
    game: BurdenSharingGame, plan: Plan, known: list[Equilibrium], tolerances: Tolerances
) -> tuple[Continuum, ...]:
    """The continua through known equilibria (docs/theory/equilibrium, the degenerate linear game).

    Linear allies of one worth share their sum in any way, and a linear leader and such an ally
    theirs; every end point is certified, and a continuum with an end that is not is left out.
    """
    found: list[Continuum] = []
    for one in known:
        x, trust = one.burdens, one.operating_trust
        allies = certificate.exchangeable(game, plan, x, trust)
        if allies.any():
            made = _among_allies(game, plan, one, allies, tolerances)
            if made is not None and not any(_same(made, other) for other in found):
                found.append(made)
        if plan.burden is None:
            for i in np.flatnonzero(certificate.shared_with_leader(game, plan, x, trust)):
                traded = _with_leader(game, plan, one, int(i), tolerances)
                if traded is not None and not any(_same(traded, other) for other in found):
                    found.append(traded)
    return tuple(found)


def _same(one: Continuum, other: Continuum) -> bool:
    return len(one.ends) == len(other.ends) and all(
        any(multiple.same(a.burdens, b.burdens) for b in other.ends) for a in one.ends
    )


def _certified(
    game: BurdenSharingGame, plan: Plan, profiles: list[Array], tolerances: Tolerances, message: str
) -> tuple[Equilibrium, ...] | None:
    """Ends as results; None unless every one is an equilibrium and there are several."""
    ends = nash._certified_at(
        game, plan, multiple.distinct(np.array(profiles)), tolerances, message
    )
    fine = len(ends) > 1 and all(e.certificate.verdict != "unverified" for e in ends)
    return tuple(ends) if fine else None


def _among_allies(
    game: BurdenSharingGame,
    plan: Plan,
    one: Equilibrium,
    sharing: np.ndarray,
    tolerances: Tolerances,
) -> Continuum | None:
    """All ways to divide one sum within bounds: the corners have all but one at a bound."""
    who = np.flatnonzero(sharing)
    scale = game.by_member("effectiveness") * game.by_member("gdp")
    floor, limit = certificate.sharing_bounds(game, plan)
    low, high = floor[who] * scale[who], limit[who] * scale[who]
    total = float((one.burdens * scale)[who].sum())
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
                profile = np.array(one.burdens)
                profile[who] = np.clip(given, low, high) / scale[who]
                corners.append(profile)
    if not corners:
        return None
    ends_made = _certified(game, plan, corners, tolerances, "an end of a continuum")
    if ends_made is None:
        return None
    names = tuple(game.members[int(i)] for i in who)
    statement = (
        f"{', '.join(names)} share contributions of {total:.6g} in any way within their bounds: "
        f"{len(ends_made)} end points"
        + ("" if listed else ", one for each who carries all it can; others are not listed")
    )
    return Continuum(names, ends_made, statement, listed)


def _with_leader(
    game: BurdenSharingGame, plan: Plan, one: Equilibrium, ally: int, tolerances: Tolerances
) -> Continuum | None:
    """The leader gives what an ally takes back: g_i + b_i r_i g_l stays as it is."""
    lead = game.members.leader_index
    scale = game.by_member("effectiveness") * game.by_member("gdp")
    floor, limit = certificate.sharing_bounds(game, plan)
    rate = game.congested[1][ally] * one.operating_trust[ally] * scale[lead] / scale[ally]
    x, xl = one.burdens[ally], one.burdens[lead]
    ups = min(limit[lead] - xl, (x - floor[ally]) / rate)
    downs = min(xl - floor[lead], (limit[ally] - x) / rate)
    profiles = []
    for change in (ups, -downs):
        profile = np.array(one.burdens)
        profile[lead] = np.clip(xl + change, floor[lead], limit[lead])
        profile[ally] = np.clip(x - rate * change, floor[ally], limit[ally])
        profiles.append(profile)
    ends = _certified(game, plan, profiles, tolerances, "an end of a continuum")
    if ends is None:
        return None
    names = (game.leader, game.members[ally])
    statement = (
        f"{names[0]} and {names[1]} replace each other's contributions between two end points"
    )
    return Continuum(names, ends, statement)
