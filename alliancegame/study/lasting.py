"""A plan kept for ever against A for ever: what it gains at first, and in all, when trust carries over."""

from __future__ import annotations

import dataclasses

import numpy as np

from alliancegame.errors import GameTooLargeError, ZeroTrustError
from alliancegame.game.checks import further_forms
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.certificate import consumption_share
from alliancegame.solve.dynamic.course import Course
from alliancegame.solve.dynamic.law import AllianceLaw, groups_of
from alliancegame.solve.keys import Key
from alliancegame.solve.nash import solve_nash
from alliancegame.solve.scenarios import Scenarios

MOST_ALONE = 2000
"""Periods with a trust of their own that are solved one by one."""


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

    Trust begins at `trust` and moves by the game's law, also at A, where it may recover; a tariff costs
    trust in every period. The path of trust depends on nobody's burden, so that every form has one:
    periods are solved by the kernel where payoffs are concave and their answer is settled (or the forms
    are the plain ones), and otherwise one by one by `solve_nash`, with the answer best for the leader.

    Raises `GameTooLargeError` if too many periods would be solved one by one, and as `solve_nash` if one
    of them has no equilibrium.
    """
    kept = _worth(game, plan, discount)
    quiet = _worth(game, Plan(demand=plan.demand), discount)
    return Lasting(discount, kept[0] - quiet[0], kept[1] - quiet[1])


def _worth(game: BurdenSharingGame, plan: Plan, discount: float) -> tuple[float, float]:
    """The leader's first payoff and its discounted sum under one plan for ever."""
    threat = plan.threat_by_member(game.members)
    allies = np.arange(game.size) != game.members.leader_index
    tariff = plan.tariff_by_member(game.members) if plan.taxed else None
    uniform = bool(np.ptp(threat[allies]) == 0)
    law = AllianceLaw(game, groups_of(game, not uniform, tariff), tariff)
    asked = np.zeros((1, law.count))
    asked[0, law.group[allies]] = threat[allies]
    path = Course(law, discount)
    state, threats = path.states(asked, path.tail(law.initial[None], asked))
    periods, branches, _ = state.shape
    weight = path.weights(periods) * discount ** np.arange(periods)[:, None]
    weight[-1] /= 1 - discount
    live = np.flatnonzero(weight.ravel() > 0)
    trust = law.operating(state.reshape(periods * branches, -1)[live], threats[live // branches])
    by_member = np.zeros((len(trust), game.size))
    ceiling = game.by_member("trust_ceiling")[allies]
    by_member[:, allies] = np.minimum(trust[:, law.group[allies]], 1.0) * ceiling
    payoff = _payoffs(game, plan, by_member)
    return float(payoff[0]), float(weight.ravel()[live] @ payoff)


def _payoffs(game: BurdenSharingGame, plan: Plan, trust: Array) -> Array:
    """The leader's payoff under a plan at operating trust (case, member), shape (case,).

    Minus infinity where it has lost all influence that it values in logs.
    """
    still = game.replace(
        decay=0.0,
        contagion=0.0,
        scarring=0.0,
        tariff_decay=0.0,
        horizon="impact",
        trust_ceiling=1.0,
    )  # Rounded, trust may end above a ceiling by its last digit.
    mantissa, exponent = np.frexp(trust)  # Periods whose trust is the same, to rounding, are one.
    rounded = np.ldexp(mantissa.round(13), exponent)
    distinct, back = np.unique(rounded, axis=0, return_inverse=True)
    payoff = np.full(len(distinct), np.nan)
    left = np.ones(len(distinct), dtype=bool)
    beyond = further_forms(game, plan)
    smooth = game.technology == "ces" and game.shortfall == "proportional"
    if smooth and aggregative.concave_in_own_burden(game):
        places = [(label, game.members.index_of(label)) for label in game.allies]
        columns = {Key("trust", label): distinct[:, place] for label, place in places}
        cells = Scenarios(still, plan, columns, np.arange(len(distinct)))
        batch = cells.solve(whole=True)
        left = ~cells.settled(batch) if beyond else np.zeros_like(left)
        payoff = np.where(np.isfinite(batch.leader_payoff), batch.leader_payoff, -np.inf)
    if left.sum() > MOST_ALONE:
        raise GameTooLargeError(
            f"a comparison with a discount factor would solve {left.sum()} periods one by one, at most "
            f"{MOST_ALONE} ({', '.join(beyond) or 'payoffs are not concave'}): name the leader's burden in "
            "the plan, lower discount, or set turnover to 0."
        )
    for k in np.flatnonzero(left):
        payoff[k] = _alone(still.replace(trust=distinct[k]), plan)
    return payoff[back.ravel()]


def _alone(game: BurdenSharingGame, plan: Plan) -> float:
    """One period: the leader's payoff in its best equilibrium."""
    try:
        return solve_nash(game, plan).leader_payoff
    except ZeroTrustError:
        return -np.inf
