"""Honouring a threat: what carrying it out costs today, and the rent that it keeps tomorrow."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from alliancegame.errors import InvalidValueError, UnsupportedFormError
from alliancegame.game.checks import check_game, check_smooth
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, measures
from alliancegame.solve.finite.plainly import PlainResult
from alliancegame.solve.leader.execution import stakes_at
from alliancegame.solve.nash import solve_nash, status_quo

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True, repr=False)
class Honour(PlainResult):
    """What honouring a threat costs once, what it keeps in every later period, and the patience needed.

    `cost` is the leader's payoff loss in the period in which it does not come (>= 0); `rent` what
    belief in the threat is worth to it in each later period; `discount` = cost / (cost + rent), inf
    if the rent is not positive and the cost is. `usd_bn` are cost and rent at A's consumption.
    """

    kind: ClassVar[str] = "honour"

    plan: Plan
    cost: float
    rent: float
    discount: float
    usd_bn: tuple[float, float]

    @property
    def statement(self) -> str:
        """What has been shown."""
        cost, rent = self.usd_bn
        head = (
            f"honouring the threat costs {cost:.3g} bn US$ once and keeps {rent:+.3g} bn US$ a year"
        )
        if math.isinf(self.discount):
            return f"{head}: no patience makes it worth while"
        return f"{head}: it is honoured from a discount factor of {self.discount:.4g} on"

    def headline(self) -> str:
        """One line that says what was found."""
        return self.statement

    def to_frame(self) -> pd.DataFrame:
        """Cost and rent, in payoff and bn US$, and the discount factor."""
        import pandas as pd

        rows = {"cost": self.cost, "rent": self.rent, "discount": self.discount}
        rows |= {"cost, bn US$": self.usd_bn[0], "rent, bn US$ a year": self.usd_bn[1]}
        return pd.DataFrame({"value": rows})


def honour_threat(game: BurdenSharingGame, plan: Plan) -> Honour:
    """The discount factor from which the leader carries out a threat that allies have defied.

    Allies call the bluff: they spend what they do at A. The leader then either does not come (the
    abandoned part c tau phi of each ally's forces is lost to its security in this period, as in
    docs/theory/equilibrium; execution saves nothing) and is believed ever after, which is worth its payoff
    in the equilibrium under the plan; or comes, and is never believed again: A for ever.
    The leader's own burden is A's, or the plan's.

    Raises `InvalidValueError` for a plan without a threat; `UnsupportedFormError` for tariffs, triggers and
    the exact limits of the technology.

    >>> import alliancegame as ag
    >>> game = ag.load_model("three-allies")
    >>> 0 < honour_threat(game, ag.Plan(threat=0.5)).discount < 1
    True
    """
    check_game(game, "honour_threat")
    check_smooth(game, "honour_threat")
    aggregative.check_plan(game, plan)
    if not plan.threat_by_member(game.members).any():
        raise InvalidValueError("the plan threatens nobody: honour_threat needs threat > 0.")
    if plan.taxed:
        raise UnsupportedFormError(
            "honour_threat is not written for a tariff, which is levied whether the leader is believed or "
            "not: leave tariff out of the plan."
        )
    a, lead = status_quo(game), game.members.leader_index
    profile = a.burdens.copy()
    if plan.burden is not None:
        profile[lead] = plan.burden
    here = aggregative.best_deviations(game, profile, plan)
    unpaid = game.replace(execution_saving=0.0)
    stakes = stakes_at(unpaid, plan, profile[None], float(here.trust[lead]))
    cost = -float(stakes.worth(np.ones((1, game.size), dtype=bool))[0])
    under = solve_nash(game, plan)
    rent = under.leader_payoff - a.leader_payoff
    if cost <= 0:
        discount = 0.0
    elif rent <= 0 or math.isinf(cost):
        discount = math.inf
    else:
        discount = cost / (cost + rent)
    money = float(measures.payoff_worth(game, a.burdens)[lead])
    return Honour(plan, cost, rent, discount, (cost * money, rent * money))
