"""The stage game of a plan for the NumPy derivatives of `payoff.slopes`: trust as the kernels have it."""

from __future__ import annotations

import numpy as np

from alliancegame.errors import UnsupportedFormError, ZeroTrustError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.payoff.form import Form
from alliancegame.payoff.slopes import Stage
from alliancegame.solve import aggregative
from alliancegame.solve.trigger.sides import without_jumps


def as_planned(game: BurdenSharingGame, plan: Plan) -> BurdenSharingGame:
    """The game as planners compute with it: trigger shortfalls have no jumps without pressure.

    Raises `UnsupportedFormError` for forms that they are not written for, with the reason.
    """
    if game.technology != "ces":
        raise UnsupportedFormError(
            f"the planner's problem is not written for technology={game.technology!r}: its security is "
            'nowhere smooth where it matters, and no search of it is sound. Use technology="ces", with '
            "substitution for how forces add up."
        )
    if game.shortfall != "trigger":
        return game
    if plan.pressure:
        raise UnsupportedFormError(
            'the planner\'s problem is not written for shortfall="trigger" under pressure: the sum of '
            "payoffs jumps at every demand, and its supremum need not be attained. Leave out the plan, or "
            'use shortfall="proportional" or "logistic".'
        )
    return without_jumps(game)


def stage_of(game: BurdenSharingGame, plan: Plan) -> Stage:
    """What members face under a plan, for a game as `as_planned` gives it.

    Raises `ZeroTrustError` as `solve_nash` does, and `UnsupportedFormError` as `as_planned`.
    """
    from alliancegame.payoff import terms

    game = as_planned(game, plan)
    lead = game.members.leader_index
    middle = (game.by_member("burden_min") + game.by_member("burden_max")) / 2
    trust = aggregative.best_deviations(game, middle, plan, points=1).trust
    alpha = game.by_member("influence_weight")
    if trust[lead] == 0 and alpha[lead] > 0 and game.influence_value == "log":
        raise ZeroTrustError(
            f"trust of every ally is zero under {plan.describe()}, and {game.leader} values influence "
            "in logs: its payoff is minus infinity. Lower the threat or decay, or raise recovery."
        )
    theta, gdp = game.by_member("security_weight"), game.by_member("gdp")
    spillin, umbrella = game.congested
    bite = plan.threat_by_member(game.members) * game.by_member("credibility")
    levy = game.by_member("trade_exposure") * plan.tariff_by_member(game.members)
    pressed = bool(np.any(bite) or np.any(levy))
    form = Form(
        game.consumption, game.influence_value, game.substitution == 1, game.decisiveness == 1,
        game.influence, game.shortfall if pressed else "proportional", bool(np.any(levy)),
    )  # fmt: skip
    weight = np.array(trust if form.hub else game.by_member("council_weight"))
    weight[lead] = game.by_member("council_weight")[lead] * trust[lead]
    allied = np.where(np.arange(game.size) == lead, 0.0, gdp)
    rows = {
        "scale": game.by_member("effectiveness") * gdp,
        "theta": theta,
        "alpha": alpha,
        "private": game.by_member("private_weight"),
        "spillin": spillin,
        "umbrella": umbrella * trust,
        "bite": np.where(theta > 0, bite, 0.0),
        "demand": plan.demand_by_member(game.members),
        "weight": weight,
        "levy": levy,
        "rival": game.by_member("rival_pull"),
        "width": np.full(game.size, game.width),
        "share": allied / allied.sum(),
        "trade": allied * (1 - game.deadweight) / gdp[lead],
    }
    returned = terms.returned_spillin(game.return_spillin, float(trust[lead]), game.cohesion)
    return Stage(form, lead, rows, float(returned), game.substitution, game.decisiveness)
