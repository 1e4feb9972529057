"""6. Theorems: when an equilibrium is the only one (docs/theory/equilibrium, What is proved).

The argument: a theorem proves that if its conditions hold. Each is a pair: whether it holds, and what
to say if not. They are written anew here, in intervals, so that "holds" means: for certain.
"""

from __future__ import annotations

import itertools

from alliancegame.verify.intervals import Interval
from alliancegame.verify.payoffs import Stage

NEAR = 1e-12
"""Worths this near to each other, relatively, count as equal: then a continuum is not excluded."""

FLAT = 1e-9
"""A levy this near to the demand, relatively, counts as equal to it: no gain is larger than that."""

SHIFTED = 1e-3
"""A burden may be this far from that of the equilibrium, relatively: regret is quadratic in that."""

Conditions = dict[str, bool]
"""What to say of a condition that fails, and whether it holds."""


def why_not(stage: Stage) -> str:
    """Why no theorem proves this equilibrium to be the only one; empty if one does."""
    return _failing(followers(stage) | (simultaneous(stage) if stage.plan.burden is None else {}))


def why_not_by_total(stage: Stage) -> str:
    """Why the leader's condition is not proved to be one of its burden and one allied total; or empty.

    A continuum is excluded at the profile of the stage alone: every profile that is listed needs that.
    """
    voice = "influence" not in _valued(stage, stage.lead) or _council(stage)
    conditions = {
        "the plan names the leader's burden": stage.plan.burden is None,
        "the leader values influence, and not of a council with m = 1": voice,
    }
    return _failing(conditions | followers(stage))


def _failing(conditions: Conditions) -> str:
    return next((why for why, holds in conditions.items() if not holds), "")


def followers(stage: Stage) -> Conditions:
    """Allies' answer to a fixed x_l: their shares of one total fall in it, so that it has one root."""
    game, allies = stage.game, stage.allies
    summed = game.technology == "ces" and game.substitution == 1
    smooth = game.shortfall == "proportional" or not any(map(stage.pressed, allies))
    voice = _council(stage) or not any("influence" in _valued(stage, i) for i in allies)
    solvent = all(_solvent(stage, i) for i in allies)
    moved = not any(_flat(stage, i) for i in allies)
    names = ", ".join(sorted({stage.names[i] for pair in exchangeable(stage) for i in pair}))
    return {
        "forces do not add up (substitution is not 1)": summed,
        "the shortfall is not proportional": smooth,
        "allies value influence, and not of a council with m = 1 and equal weights among them": voice,
        "spill-ins are not all in [0, 1]": all(stage.of["spillin"][i].hi <= 1 for i in allies),
        "a tariff could leave an ally without consumption": solvent,
        "a levy takes from an ally just what a burden below the demand costs": moved,
        f"a continuum is not excluded: {names} may share a burden in any way": not names,
    }


def simultaneous(stage: Stage) -> Conditions:
    """What Nash with the leader needs beside that: v log, and b_l T^zeta b_i r_i <= beta_i."""
    game, of = stage.game, stage.of
    voice = game.influence_value == "log" and _council(stage)
    voice = voice or not any("influence" in _valued(stage, i) for i in stage.members)
    taxed = game.consumption == "log" and game.deadweight < 1 and any(t.hi > 0 for t in of["levy"])
    beta, b = of["spillin"], of["umbrella"]
    if isinstance(game.spillin, float) and isinstance(game.umbrella, float):
        # One number each, spread alike: compared before congestion, that is exactly.
        beta, b = ([Interval(number)] * game.size for number in (game.spillin, game.umbrella))
    back = [stage.shared["returned"] * b[i] * of["trust"][i] for i in stage.members]
    names = ", ".join(stage.names[i] for i in stage.allies if not back[i].hi <= beta[i].lo)
    alike = ", ".join(stage.names[i] for i in shared_with_leader(stage))
    return {
        "influence is valued otherwise than by ln p of a council with m = 1": voice,
        "revenue moves the leader's marginal cost, which the theorem leaves out": not taxed,
        f"b_l T^zeta b_i r_i <= beta_i fails for {names}": not names,
        f"a continuum is not excluded: {game.leader} and {alike} may share": not alike,
    }


def _council(stage: Stage) -> bool:
    weights = {float(stage.game.by_member("council_weight")[i]) for i in stage.allies}
    return stage.game.influence == "council" and stage.game.decisiveness == 1 and len(weights) == 1


def _solvent(stage: Stage, i: int) -> bool:
    """1 - x - losses > 0 below the demand too: losses are linear there, so if it is at both ends."""
    low, demand, levy = (stage.of[name][i] for name in ("burden_min", "demand", "levy"))
    used = low + levy * (Interval(1) - low / demand)
    linear = stage.game.consumption == "linear"
    return linear or not stage.pressed(i) or bool(used.hi < 1 and demand.hi < 1)


def _valued(stage: Stage, i: int) -> set[str]:
    """What a member values beside consumption."""
    names = ("security", "influence", "private")
    return {name for name in names if stage.of[f"{name}_weight"][i].hi > 0}


def _flat(stage: Stage, i: int) -> bool:
    """Neither security nor private benefits are valued, and chi T = d: 1 - x - chi T (1 - x / d) is flat.

    Influence alone settles nothing: a lone ally may have all of it whatever it gives.
    """
    levy, demand = float(stage.of["levy"][i].hi), stage.demand[i]
    return _valued(stage, i) <= {"influence"} and abs(levy - demand) <= FLAT * demand


# --- The continua that the theorems leave out ------------------------------------------------------


def sides(stage: Stage, i: int, up: bool, leader: Interval) -> list[tuple[float, Interval]]:
    """How far an ally's contribution can rise (`up`) or fall, and theta_i e_i Y_i / c: what is possible.

    A levy takes chi T / d of the cost c of a burden below the demand, a threat some of theta b r g_l:
    where that is felt, as where there is no room, nothing can move. The burden may be `SHIFTED`.
    """
    of, d = stage.of, stage.demand[i]
    threat = of["bite"][i] * of["security_weight"][i] * of["shelter"][i] * leader
    kinked = bool(threat.hi > 0 or of["levy"][i].hi > 0)
    found: dict[bool, tuple[float, Interval]] = {}
    for x in _shifted(stage.values[i]) if kinked else (stage.values[i],):
        low, high, cost = stage.low[i], stage.high[i], Interval(1)
        under = kinked and (x < d if up else x <= d)
        if kinked:
            low, high = (low, min(d, high)) if under else (max(d, low), high)
            cost -= of["levy"][i] / of["demand"][i] if under else Interval(0)
        room = high - x if up else x - low
        if room > 0 and cost.hi > 0 and not (under and threat.lo > 0):
            worth = of["security_weight"][i] * of["scale"][i] / cost
            found[under] = (room * float(of["scale"][i].hi), worth)
    return list(found.values())


def _leader(stage: Stage) -> Interval:
    """The leader's contribution; one that the plan does not name may be `SHIFTED`."""
    if stage.plan.burden is not None:
        return stage.shared["leader"]
    return stage.of["scale"][stage.lead] * Interval(*_shifted(stage.values[stage.lead])[:2])


def _shifted(x: float) -> tuple[float, float, float]:
    slack = 1e-9 + SHIFTED * x
    return max(x - slack, 0.0), x + slack, x


def exchangeable(stage: Stage) -> dict[tuple[int, int], float]:
    """Pairs of allies of whom the first can give less and the second more at no gain; how much.

    Linear c, alpha = h = 0, beta = 1, no threat at the margin, one theta_i e_i Y_i / c - b_i r_i g_l
    with c the marginal cost of a burden.
    """
    leader, spillin = _leader(stage), stage.of["spillin"]
    found: dict[tuple[int, int], float] = {}
    kind = [i for i in stage.allies if _plain(stage, i) and spillin[i].hi >= 1]
    for i, j in itertools.permutations(kind, 2):
        each = itertools.product(sides(stage, i, False, leader), sides(stage, j, True, leader))
        for (down, mine), (up, theirs) in each:
            gap = (stage.of["shelter"][i] - stage.of["shelter"][j]) * leader
            if _near(mine, theirs + gap):
                found[i, j] = min(down, up)
    return found


def shared_with_leader(stage: Stage) -> list[int]:
    """Allies with whom the leader may share: both plain, b_l T^zeta b_i r_i = 1, one worth to both."""
    lead, x, shelter = stage.lead, stage.values[stage.lead], stage.of["shelter"]
    worth = stage.of["security_weight"][lead] * stage.of["scale"][lead]
    room = {False: x < stage.high[lead], True: x > stage.low[lead]}

    def shares(i: int) -> bool:
        # The leader moves the other way, and any contribution of its own brings a threat to bear.
        ways = [one for up in room if room[up] for one in sides(stage, i, up, Interval(1))]
        return any(_near(one, shelter[i] * worth) for _, one in ways)

    whole = [i for i in stage.allies if _near(stage.shared["returned"] * shelter[i], Interval(1))]
    return [i for i in whole if _plain(stage, lead) and _plain(stage, i) and shares(i)]


def _plain(stage: Stage, i: int) -> bool:
    """A payoff of 1 - x - losses + theta ln S alone."""
    return stage.game.consumption == "linear" and _valued(stage, i) <= {"security"}


def _near(a: Interval, b: Interval) -> bool:
    """Whether two numbers are not proved to differ by more than NEAR, relatively."""
    most = Interval(max(a.size().hi, b.size().hi))
    return bool((a - b).size().lo <= (Interval(NEAR) * most).hi)
