"""A plan kept for ever against A for ever: what it gains at first, and in all, when trust carries over."""

from __future__ import annotations

import dataclasses

import numpy as np

from alliancegame.game.checks import check_plain_forms
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve.certificate import consumption_share
from alliancegame.solve.dynamic.announced import Announced
from alliancegame.solve.dynamic.law import AllianceLaw, groups_of
from alliancegame.solve.dynamic.stage import Stage


@dataclasses.dataclass(frozen=True)
class Lasting:
    """The leader's payoff under a plan kept for ever minus that at A for ever.

    `first` is that of the first period, `value` the discounted sum at the factor `discount` (the
    expectation over turnover). A burden that the plan names is kept; otherwise, and at A, the leader's
    is a reply in every period.
    """

    discount: float
    first: float
    value: float

    def usd_bn(self, game: BurdenSharingGame, burdens: Array) -> float:
        """The sum as a present value in bn US$, at these burdens (shape (n,)): A's."""
        lead, weight = game.members.leader_index, 1 - self.discount
        yearly = consumption_share(game, weight * self.value, float(burdens[lead]))
        return float(yearly) * float(game.by_member("gdp")[lead]) / weight


def against_a(game: BurdenSharingGame, plan: Plan, discount: float) -> Lasting:
    """What a plan kept for ever brings the leader, in the first period and in all.

    Trust begins at `trust` and moves by the game's law, also at A, where it may recover.
    """
    check_plain_forms(game, "a comparison with a discount factor", plan)
    threat = plan.threat_by_member(game.members)
    allies = np.arange(game.size) != game.members.leader_index
    uniform = bool(np.ptp(threat[allies]) == 0)
    law = AllianceLaw(game, groups_of(game, each=not uniform))
    stage = Stage(game, law.group, plan.demand_by_member(game.members))
    announced = Announced(stage, law, discount, law.count)
    asked = np.zeros((1, law.count))
    asked[0, law.group[allies]] = threat[allies]
    own = np.nan if plan.burden is None else plan.burden
    kept, quiet = _worth(announced, asked, own), _worth(announced, np.zeros_like(asked), np.nan)
    return Lasting(discount, kept[0] - quiet[0], kept[1] - quiet[1])


def _worth(announced: Announced, asked: Array, burden: float) -> tuple[float, float]:
    """The leader's first payoff and its discounted sum under one plan for ever."""
    law = announced.law
    state, path = announced.states(asked, announced.tail(law.initial[None], asked))
    periods, branches, _ = state.shape
    weight = announced.weights(periods) * announced.discount ** np.arange(periods)[:, None]
    weight[-1] /= 1 - announced.discount
    live = np.flatnonzero(weight.ravel() > 0)
    threat = path[live // branches]
    trust = law.operating(state.reshape(periods * branches, -1)[live], threat)
    payoff = announced.stage.solve(threat, trust, np.full(len(live), burden)).leader_payoff
    payoff = np.where(np.isfinite(payoff), payoff, -np.inf)
    return float(payoff[0]), float(weight.ravel()[live] @ payoff)
