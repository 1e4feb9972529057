"""6. Theorems: when an equilibrium is the only one (docs/theory/equilibrium, What is proved).

The argument: a theorem proves that if its conditions hold. Each is a pair: whether it holds, and what
to say if not. They are written anew here, in intervals, so that "holds" means: for certain.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import sympy as sp

from alliancegame.verify.intervals import RULES, Interval
from alliancegame.verify.payoffs import Stage

NEAR = 1e-12
"""Worths this near to each other, relatively, count as equal: then a continuum is not excluded."""

FLAT = 1e-9
"""A levy this near to the demand, relatively, counts as equal to it: no gain is larger than that."""

Conditions = dict[str, bool]
"""What to say of a condition that fails, and whether it holds."""


def why_not(stage: Stage) -> str:
    """Why no theorem proves this equilibrium to be the only one; empty if one does."""
    conditions = followers(stage) | (simultaneous(stage) if stage.plan.burden is None else {})
    return next((why for why, holds in conditions.items() if not holds), "")


def why_not_by_total(stages: Sequence[Stage]) -> str:
    """Why the leader's condition is not proved to be one of its burden and one allied total; or empty.

    `stages` are of one game and plan, at all profiles listed: at each a continuum must be excluded.
    """
    for stage in stages:
        voice = stage.of["influence_weight"][stage.lead].hi <= 0 or _council(stage)
        conditions = {
            "the plan names the leader's burden": stage.plan.burden is None,
            "the leader values influence, and not of a council with m = 1": voice,
            **followers(stage),
        }
        if why := next((why for why, holds in conditions.items() if not holds), ""):
            return why
    return "" if stages else "no equilibrium is listed"


def followers(stage: Stage) -> Conditions:
    """Allies' answer to a fixed x_l: their shares of one total fall in it, so that it has one root."""
    game, of, allies = stage.game, stage.of, stage.allies
    summed = game.technology == "ces" and game.substitution == 1
    smooth = game.shortfall == "proportional" or not any(map(stage.pressed, allies))
    voice = _council(stage) or all(of["influence_weight"][i].hi <= 0 for i in allies)
    spill = all(of["spillin"][i].inside(0, 1) for i in allies)
    solvent = game.consumption == "linear" or all(_solvent(stage, i) for i in allies)
    moved = not any(_flat(stage, i) for i in allies)
    names = ", ".join(sorted({stage.names[i] for pair in exchangeable(stage) for i in pair}))
    return {
        "forces do not add up (substitution is not 1)": summed,
        "the shortfall is not proportional": smooth,
        "allies value influence, and not of a council with m = 1 and equal weights among them": voice,
        "spill-ins are not all in [0, 1]": spill,
        "a tariff could leave an ally without consumption": solvent,
        "a levy takes from an ally just what a burden below the demand costs": moved,
        f"a continuum is not excluded: {names} may share a burden in any way": not names,
    }


def simultaneous(stage: Stage) -> Conditions:
    """What Nash with the leader needs beside that: v log, and b_l T^zeta b_i r_i <= beta_i."""
    game, of, lead = stage.game, stage.of, stage.lead
    voice = game.influence_value == "log" and _council(stage)
    untaxed = game.deadweight == 1 or all(of["levy"][i].hi <= 0 for i in stage.allies)
    beta, b = of["spillin"], of["umbrella"]
    if isinstance(game.spillin, float) and isinstance(game.umbrella, float):
        # One number each, spread alike: compared before congestion, that is exactly.
        beta, b = ([Interval(number)] * game.size for number in (game.spillin, game.umbrella))
    back = [stage.shared["returned"] * b[i] * of["trust"][i] for i in stage.members]
    names = ", ".join(stage.names[i] for i in stage.allies if not back[i].hi <= beta[i].lo)
    alike = ", ".join(stage.names[i] for i in shared_with_leader(stage))
    return {
        "the leader values influence otherwise than by ln p of a council with m = 1": voice
        or of["influence_weight"][lead].hi <= 0,
        "revenue of a tariff moves the leader's marginal cost, which the theorem leaves out": untaxed
        or game.consumption == "linear",
        f"b_l T^zeta b_i r_i <= beta_i fails for {names}": not names,
        f"a continuum is not excluded: {game.leader} and {alike} may share": not alike,
    }


def _council(stage: Stage) -> bool:
    weights = {float(stage.game.by_member("council_weight")[i]) for i in stage.allies}
    return stage.game.influence == "council" and stage.game.decisiveness == 1 and len(weights) == 1


def _solvent(stage: Stage, i: int) -> bool:
    """1 - x - losses > 0 over the action set: losses are linear on each piece, so at its ends."""
    low, high, demand = (stage.of[k][i] for k in ("burden_min", "burden_max", "demand"))
    if not stage.pressed(i):
        return bool(high.hi < 1)
    short = RULES[sp.Max](Interval(0), Interval(1) - low / demand)
    used = low + stage.of["levy"][i] * short
    return bool(used.hi < 1 and high.hi < 1 and demand.hi < 1)


def _flat(stage: Stage, i: int) -> bool:
    """Nothing is valued but consumption, and chi T = d: 1 - x - chi T (1 - x / d) is flat."""
    weights = (stage.of[f"{k}_weight"][i] for k in ("security", "influence", "private"))
    levy, demand = float(stage.of["levy"][i].hi), stage.demand[i]
    return all(weight.hi <= 0 for weight in weights) and abs(levy - demand) <= FLAT * demand


# --- The continua that the theorems leave out ------------------------------------------------------


class Side(NamedTuple):
    """How far a burden can move one way at no threat, and what a unit of it costs there."""

    room: float
    cost: Interval


def side(stage: Stage, i: int, up: bool, leader: Interval) -> Side | None:
    """What an ally sees who gives a little more (`up`) or less; None if it cannot, or a threat is felt.

    A threat takes away some of theta b r g_l, a levy chi T / d of the cost below the demand.
    """
    of, x, d = stage.of, stage.values[i], stage.demand[i]
    low, high = (float(stage.game.by_member(f"burden_{end}")[i]) for end in ("min", "max"))
    felt = of["bite"][i] * of["security_weight"][i] * of["shelter"][i] * leader
    threatened = stage.pressed(i) and felt.hi > 0
    kinked = threatened or (stage.pressed(i) and of["levy"][i].hi > 0)
    under = kinked and (x < d if up else x <= d)
    cost = Interval(1) - of["levy"][i] / of["demand"][i] if under else Interval(1)
    floor, limit = (low, min(d, high)) if under else (max(d, low) if kinked else low, high)
    room = limit - x if up else x - floor
    return None if room <= 0 or cost.hi <= 0 or (under and threatened) else Side(room, cost)


def exchangeable(stage: Stage) -> list[tuple[int, int]]:
    """Pairs of allies of whom the first can give less and the second more, at no gain or loss.

    Linear c, alpha = h = 0, beta = 1, no threat at the margin, one theta_i e_i Y_i / c - b_i r_i g_l
    with c the marginal cost of a burden.
    """
    of, leader = stage.of, stage.shared["leader"]
    kind = [i for i in stage.allies if _plain(stage, i) and of["spillin"][i].hi >= 1]

    def worths(up: bool) -> dict[int, Interval]:
        seen = {i: side(stage, i, up, leader) for i in kind}
        worth = stage.product("security_weight", "scale")
        return {i: worth[i] / one.cost for i, one in seen.items() if one is not None}

    cover = [of["shelter"][i] * leader for i in stage.members]
    pairs = itertools.product(worths(False).items(), worths(True).items())
    return [
        (i, j)
        for (i, less), (j, more) in pairs
        if i != j and _near(less + cover[j], more + cover[i])
    ]


def shared_with_leader(stage: Stage) -> list[int]:
    """Allies with whom the leader may share: both plain, b_l T^zeta b_i r_i = 1, one worth to both."""
    lead, back, shelter = stage.lead, stage.shared["returned"], stage.of["shelter"]
    low, high = (float(stage.game.by_member(f"burden_{end}")[lead]) for end in ("min", "max"))
    room = (high - stage.values[lead], stage.values[lead] - low)
    worth, found = stage.product("security_weight", "scale"), []
    for i in stage.allies if _plain(stage, lead) else ():
        if not (_plain(stage, i) and _near(back * shelter[i], Interval(1))):
            continue
        # Any contribution of the leader brings a threat to bear: it moves along the continuum.
        ways = [(side(stage, i, up, Interval(1)), room[up]) for up in (False, True)]
        fits = (
            one is not None and left > 0 and _near(worth[i] / one.cost, shelter[i] * worth[lead])
            for one, left in ways
        )
        found += [i] if any(fits) else []
    return found


def _plain(stage: Stage, i: int) -> bool:
    """A payoff of 1 - x - losses + theta ln S alone."""
    weights = (stage.of[name][i].hi for name in ("influence_weight", "private_weight"))
    return stage.game.consumption == "linear" and not any(w > 0 for w in weights)


def _near(a: Interval, b: Interval) -> bool:
    """Whether two numbers are not proved to differ by more than NEAR, relatively."""
    slack = (Interval(NEAR) * Interval(max(a.hi, -a.lo, b.hi, -b.lo))).hi
    return not (a.lo > b.hi + slack or b.lo > a.hi + slack)
