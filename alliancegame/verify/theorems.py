"""4. Theorems: when an equilibrium is the only one (docs/theory/equilibrium, What is proved).

The argument: a theorem proves that if its conditions hold. Each is a pair: whether it holds, and what
to say if not. They are written anew here, in intervals, so that "holds" means: for certain.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import sympy as sp

from alliancegame.verify.intervals import RULES, Interval
from alliancegame.verify.payoffs import Stage

NEAR = 1e-12
"""Worths this near to each other, relatively, count as equal: then a continuum is not excluded."""

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
    names = ", ".join(sorted({game.members[i] for pair in exchangeable(stage) for i in pair}))
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
    names = ", ".join(game.members[i] for i in stage.allies if not back[i].hi <= beta[i].lo)
    alike = ", ".join(game.members[i] for i in shared_with_leader(stage))
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
    short = RULES[sp.Max]([Interval(0), Interval(1) - low / demand])
    used = low + stage.of["levy"][i] * short
    return bool(used.hi < 1 and high.hi < 1 and demand.hi < 1)


def _flat(stage: Stage, i: int) -> bool:
    """Nothing is valued but consumption, and chi T = d: 1 - x - chi T (1 - x / d) is flat."""
    weights = (stage.of[f"{k}_weight"][i] for k in ("security", "influence", "private"))
    levy, demand = float(stage.of["levy"][i].hi), stage.demand[i]
    return all(weight.hi <= 0 for weight in weights) and abs(levy - demand) <= 1e-6 * demand


# --- The continua that the theorems leave out ------------------------------------------------------


def exchangeable(stage: Stage) -> list[tuple[int, int]]:
    """Pairs of allies of whom the first can give less and the second more, at no gain or loss.

    Linear c, alpha = h = 0, beta = 1, no pressure at the margin, one theta_i e_i Y_i - b_i r_i g_l.
    """
    of, leader = stage.of, stage.shared["leader"]
    kind = [i for i in stage.allies if _plain(stage, i) and of["spillin"][i].hi >= 1]
    worth = {i: of["security_weight"][i] * of["scale"][i] - of["shelter"][i] * leader for i in kind}
    pairs = itertools.permutations(kind, 2)
    return [(i, j) for i, j in pairs if _near(worth[i], worth[j]) and _may_pass(stage, i, j)]


def shared_with_leader(stage: Stage) -> list[int]:
    """Allies with whom the leader may share: both plain, b_l T^zeta b_i r_i = 1, one worth to both."""
    lead, back, shelter = stage.lead, stage.shared["returned"], stage.of["shelter"]
    worth, kind = (
        stage.product("security_weight", "scale"),
        [i for i in stage.allies if _plain(stage, i)],
    )
    return [
        i
        for i in (kind if _plain(stage, lead) else ())
        if _near(back * shelter[i], Interval(1)) and _near(worth[i], shelter[i] * worth[lead])
        if _may_pass(stage, i, lead) or _may_pass(stage, lead, i)
    ]


def _plain(stage: Stage, i: int) -> bool:
    """A payoff of 1 - x + theta ln S alone, with no pressure at or above the burden."""
    weights = (stage.of[name][i].hi for name in ("influence_weight", "private_weight"))
    free = not stage.pressed(i) or stage.burdens[i] >= stage.demand[i]
    return stage.game.consumption == "linear" and free and not any(w > 0 for w in weights)


def _near(a: Interval, b: Interval) -> bool:
    """Whether two numbers are not proved to differ by more than NEAR, relatively."""
    slack = (Interval(NEAR) * Interval(max(a.hi, -a.lo, b.hi, -b.lo))).hi
    return not (a.lo > b.hi + slack or b.lo > a.hi + slack)


def _may_pass(stage: Stage, i: int, j: int) -> bool:
    return room(stage, i)[0] > 0 and room(stage, j)[1] > 0


def room(stage: Stage, i: int) -> tuple[float, float]:
    """How much lower a burden can be without pressure that bites, and how much higher."""
    low, high = (float(stage.game.by_member(f"burden_{end}")[i]) for end in ("min", "max"))
    floor = max(low, stage.demand[i]) if stage.pressed(i) else low
    return stage.burdens[i] - floor, high - stage.burdens[i]
