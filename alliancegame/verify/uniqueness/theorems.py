"""Theorems: when an equilibrium is the only one (docs/theory/equilibrium, What is proved).

The argument: a theorem proves that if its conditions hold. Each is a pair: whether it holds, and what
to say if not. They are written anew here, in intervals, so that "holds" means: for certain.
"""

from __future__ import annotations

from alliancegame.verify.intervals import Interval
from alliancegame.verify.payoffs import Stage
from alliancegame.verify.uniqueness.continua import exchangeable, shared_with_leader, valued

FLAT = 1e-9
"""A levy this near to the demand, relatively, counts as equal to it: no gain is larger than that."""

Conditions = dict[str, bool]
"""What to say of a condition that fails, and whether it holds."""


def why_not(stage: Stage) -> str:
    """Why no theorem proves this equilibrium to be the only one; empty if one does."""
    return _failing(followers(stage) | (simultaneous(stage) if stage.plan.burden is None else {}))


def why_not_by_total(stage: Stage) -> str:
    """Why the leader's condition is not proved to be one of its burden and one allied total; or empty.

    A continuum is excluded at the profile of the stage alone: every profile that is listed needs that.
    """
    voice = "influence" not in valued(stage, stage.lead) or _council(stage)
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
    voice = _council(stage) or not any("influence" in valued(stage, i) for i in allies)
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
    voice = voice or not any("influence" in valued(stage, i) for i in stage.members)
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


def _flat(stage: Stage, i: int) -> bool:
    """Neither security nor private benefits are valued, and chi T = d: 1 - x - chi T (1 - x / d) is flat.

    Influence alone settles nothing: a lone ally may have all of it whatever it gives.
    """
    levy, demand = float(stage.of["levy"][i].hi), stage.demand[i]
    return valued(stage, i) <= {"influence"} and abs(levy - demand) <= FLAT * demand
