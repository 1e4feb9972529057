"""The stage game of a plan for the NumPy derivatives of `payoff.slopes`: trust as the kernels have it."""

from __future__ import annotations

import numpy as np

from alliancegame.errors import ZeroTrustError
from alliancegame.game.checks import check_plain_forms
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.payoff.form import Form
from alliancegame.payoff.slopes import Stage
from alliancegame.solve import aggregative


def stage_of(game: BurdenSharingGame, plan: Plan) -> Stage:
    """What members face under a plan.

    Raises `ZeroTrustError` as `solve_nash` does, and `UnsupportedFormError` beyond the plain forms.
    """
    from alliancegame.payoff import terms

    check_plain_forms(game, "the planner's problem", plan)
    lead = game.members.leader_index
    middle = (game.by_member("burden_min") + game.by_member("burden_max")) / 2
    trust = aggregative.best_deviations(game, middle, plan).trust
    alpha = game.by_member("influence_weight")
    if trust[lead] == 0 and alpha[lead] > 0 and game.influence_value == "log":
        raise ZeroTrustError(
            f"trust of every ally is zero under {plan.describe()}, and {game.leader} values influence "
            "in logs: its payoff is minus infinity. Lower the threat or decay, or raise recovery."
        )
    theta = game.by_member("security_weight")
    spillin, umbrella = game.congested
    bite = plan.threat_by_member(game.members) * game.by_member("credibility")
    weight = np.array(game.by_member("council_weight"))
    weight[lead] *= trust[lead]
    rows = {
        "scale": game.by_member("effectiveness") * game.by_member("gdp"),
        "theta": theta,
        "alpha": alpha,
        "private": game.by_member("private_weight"),
        "spillin": spillin,
        "umbrella": umbrella * trust,
        "bite": np.where(theta > 0, bite, 0.0),
        "demand": plan.demand_by_member(game.members),
        "weight": weight,
    }
    form = Form(
        game.consumption, game.influence_value, game.substitution == 1, game.decisiveness == 1
    )
    returned = terms.returned_spillin(game.return_spillin, float(trust[lead]), game.cohesion)
    return Stage(form, lead, rows, float(returned), game.substitution, game.decisiveness)
