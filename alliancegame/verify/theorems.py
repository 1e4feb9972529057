"""The theorems on uniqueness (docs/theory/equilibrium, What is proved), their conditions written anew.

Each function returns why a theorem cannot be used, or an empty text where it proves uniqueness.
"""

from __future__ import annotations

import itertools

from alliancegame.verify.intervals import Interval
from alliancegame.verify.payoffs import Stage

NEAR = 1e-12
"""Worths this near to each other, relatively, count as equal: then a continuum is not excluded."""


def followers(stage: Stage) -> str:
    """Allies' answer to a fixed x_l: one, if rho = m = 1, council with equal t, beta in [0, 1], ..."""
    game, allies = stage.game, stage.allies
    if game.technology != "ces" or game.substitution != 1:
        return "forces do not add up (substitution is not 1)"
    if game.shortfall != "proportional" and any(map(stage.pressed, allies)):
        return "the shortfall is not proportional"
    if any(stage.each("influence_weight")[i].hi > 0 for i in allies) and not _council(stage):
        return "allies value influence, which is no council with m = 1 and equal weights among them"
    spillin = stage.congested("spillin")
    if not all(spillin[i].inside(0, 1) for i in allies):
        return "spill-ins are not all in [0, 1]"
    if game.consumption == "log" and not all(_solvent(stage, i) for i in allies):
        return "a tariff could leave an ally without consumption"
    if any(_indifferent(stage, i) for i in allies):
        return "a levy takes from an ally just what a burden below the demand costs"
    pairs = exchangeable(stage)
    if pairs:
        names = sorted({game.members[i] for pair in pairs for i in pair})
        return f"a continuum is not excluded: {', '.join(names)} may share a burden in any way"
    return ""


def simultaneous(stage: Stage) -> str:
    """Nash with the leader: one if, beside `followers`, v is log and b_l T^zeta b_i r_i <= beta_i."""
    game, lead = stage.game, stage.lead
    why_not = followers(stage)
    if why_not:
        return why_not
    usual = game.influence_value == "log" and _council(stage)
    if stage.each("influence_weight")[lead].hi > 0 and not usual:
        return "the leader values influence otherwise than by ln p of a council with m = 1"
    taxed = game.deadweight < 1 and any(levy.hi > 0 for levy in stage.levy)
    if game.consumption == "log" and taxed:
        return "revenue of a tariff moves the leader's marginal cost, which the theorem leaves out"
    # Where one number each is spread alike, they are compared before congestion: exactly.
    spread = all(isinstance(getattr(game, name), float) for name in ("spillin", "umbrella"))
    read = stage.each if spread else stage.congested
    beta, b = read("spillin"), read("umbrella")
    for i in stage.allies:
        if not (stage.returned * b[i] * stage.trust[i]).hi <= beta[i].lo:
            return f"b_l T^zeta b_i r_i <= beta_i fails for {game.members[i]}"
    shared = shared_with_leader(stage)
    if shared:
        return f"a continuum is not excluded: {game.leader} and {game.members[shared[0]]} may share"
    return ""


def _indifferent(stage: Stage, i: int) -> bool:
    """Nothing is valued but consumption, and chi T = d: 1 - x - chi T (1 - x / d) is the same for all x."""
    weights = (stage.each(f"{name}_weight")[i] for name in ("security", "influence", "private"))
    levy, demand = float(stage.levy[i].hi), float(stage.demand[i])
    return all(weight.hi <= 0 for weight in weights) and abs(levy - demand) <= 1e-6 * demand


def _council(stage: Stage) -> bool:
    weights = {float(stage.game.by_member("council_weight")[i]) for i in stage.allies}
    return stage.game.influence == "council" and stage.game.decisiveness == 1 and len(weights) == 1


def _solvent(stage: Stage, i: int) -> bool:
    """1 - x - losses > 0 over the action set: losses are linear on each piece, so at the ends."""
    low, high = (float(stage.game.by_member(f"burden_{end}")[i]) for end in ("min", "max"))
    if not stage.pressed(i):
        return high < 1
    short = Interval(1) - Interval(low) / Interval(stage.demand[i])
    used = Interval(low) + stage.levy[i] * Interval(max(short.hi, Interval(0).hi))
    return bool(used.hi < 1 and high < 1 and stage.demand[i] < 1)


def exchangeable(stage: Stage) -> list[tuple[int, int]]:
    """Pairs of allies of whom the first can give less and the second more, at no gain or loss.

    Linear c, alpha = h = 0, beta = 1, no pressure at the margin, one theta e Y - b r g_l.
    """
    kind = [i for i in stage.allies if _plain(stage, i) and stage.congested("spillin")[i].hi >= 1]
    return [
        (i, j)
        for i, j in itertools.permutations(kind, 2)
        if _near(_worth(stage, i), _worth(stage, j)) and _less(stage, i) and _more(stage, j)
    ]


def shared_with_leader(stage: Stage) -> list[int]:
    """Allies with whom the leader may share: both plain, b_l T^zeta b_i r_i = 1, one worth to both."""
    lead = stage.lead
    if not _plain(stage, lead):
        return []
    b, theta = stage.congested("umbrella"), stage.each("security_weight")
    return [
        i
        for i in stage.allies
        if _plain(stage, i)
        and _near(stage.returned * b[i] * stage.trust[i], Interval(1))
        and _near(
            theta[i] * stage.scale[i], b[i] * stage.trust[i] * theta[lead] * stage.scale[lead]
        )
        and ((_less(stage, i) and _more(stage, lead)) or (_more(stage, i) and _less(stage, lead)))
    ]


def _plain(stage: Stage, i: int) -> bool:
    """A payoff of 1 - x + theta ln S alone, with no pressure at or above the burden."""
    weights = (stage.each(name)[i].hi for name in ("influence_weight", "private_weight"))
    free = not stage.pressed(i) or stage.burdens[i] >= stage.demand[i]
    return stage.game.consumption == "linear" and free and not any(w > 0 for w in weights)


def _worth(stage: Stage, i: int) -> Interval:
    """theta_i e_i Y_i - b_i r_i g_l."""
    shelter = stage.congested("umbrella")[i] * stage.trust[i] * stage.g[stage.lead]
    return stage.each("security_weight")[i] * stage.scale[i] - shelter


def _near(a: Interval, b: Interval) -> bool:
    """Whether two numbers are not proved to differ by more than NEAR, relatively."""
    size = Interval(max(a.hi, -a.lo, b.hi, -b.lo))
    slack = (Interval(NEAR) * size).hi
    return not (a.lo > b.hi + slack or b.lo > a.hi + slack)


def floor(stage: Stage, i: int) -> float:
    """The least burden down to which no pressure bites."""
    low = float(stage.game.by_member("burden_min")[i])
    return max(low, stage.demand[i]) if stage.pressed(i) else low


def _less(stage: Stage, i: int) -> bool:
    return stage.burdens[i] > floor(stage, i)


def _more(stage: Stage, i: int) -> bool:
    return stage.burdens[i] < float(stage.game.by_member("burden_max")[i])
