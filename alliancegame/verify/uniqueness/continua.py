"""Continua that the theorems leave out: members who may share a burden in any way.

The argument: with linear consumption, and security alone to be gained, a member's marginal payoff depends
on a sum. Two members can then give each the other's part if a contribution is worth as much to both, where
they are, or where a profile that is moved by less than what any regret shows would have them.
"""

from __future__ import annotations

import itertools

from alliancegame.verify.intervals import Interval
from alliancegame.verify.payoffs import Stage

NEAR = 1e-12
"""Worths this near to each other, relatively, count as equal: then a continuum is not excluded."""

SHIFTED = 1e-3
"""A burden may be this far from that of the equilibrium, relatively: regret is quadratic in that."""


def valued(stage: Stage, i: int) -> set[str]:
    """What a member values beside consumption."""
    names = ("security", "influence", "private")
    return {name for name in names if stage.of[f"{name}_weight"][i].hi > 0}


def _sides(stage: Stage, i: int, up: bool, leader: Interval) -> list[tuple[float, Interval]]:
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
        each = itertools.product(_sides(stage, i, False, leader), _sides(stage, j, True, leader))
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
        ways = [one for up in room if room[up] for one in _sides(stage, i, up, Interval(1))]
        return any(_near(one, shelter[i] * worth) for _, one in ways)

    whole = [i for i in stage.allies if _near(stage.shared["returned"] * shelter[i], Interval(1))]
    return [i for i in whole if _plain(stage, lead) and _plain(stage, i) and shares(i)]


def _plain(stage: Stage, i: int) -> bool:
    """A payoff of 1 - x - losses + theta ln S alone."""
    return stage.game.consumption == "linear" and valued(stage, i) <= {"security"}


def _near(a: Interval, b: Interval) -> bool:
    """Whether two numbers are not proved to differ by more than NEAR, relatively."""
    most = Interval(max(a.absolute().hi, b.absolute().hi))
    return bool((a - b).absolute().lo <= (Interval(NEAR) * most).hi)
