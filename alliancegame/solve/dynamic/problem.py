"""A game under a discount factor, as solvers of paths see it, and how its paths become results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from alliancegame.errors import UnsupportedFormError, ZeroTrustError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.certificate import consumption_share
from alliancegame.solve.dynamic.announced import Announced
from alliancegame.solve.dynamic.control import (
    FLOOR,
    GameControl,
    check_range,
    game_control,
    game_stage,
    law_of,
)
from alliancegame.solve.dynamic.law import Law, TrustMotion
from alliancegame.solve.dynamic.result import PathCertificate, Policy, TrustPath
from alliancegame.solve.dynamic.stage import NO_ANSWER, Stage
from alliancegame.solve.nash import status_quo


class Problem:
    """A game, a law, a discount factor and a demand, as the solvers of announced paths see them."""

    def __init__(
        self,
        game: BurdenSharingGame,
        discount: float,
        demand: Any,
        law: TrustMotion | None,
        by_ally: bool,
        tariff: Any = 0.0,
    ) -> None:
        plan = Plan(threat=1.0, demand=demand, tariff=tariff)
        aggregative.check_plan(game, plan)
        self.game, self.discount, self.user_law = game, discount, law
        self.demand, self.tariff = plan.demand, plan.tariff
        self.asked = plan.demand_by_member(game.members)
        self.levied = plan.tariff_by_member(game.members) if plan.taxed else None
        self.by_ally = by_ally and law is None
        if by_ally and law is not None:
            raise UnsupportedFormError(
                "a law of your own has one trust common to all allies: threats by ally need the game's."
            )
        self.law: Law = law_of(game, law, self.by_ally, self.levied)
        self.stage: Stage = game_stage(game, self.asked, self.law, self.levied)
        actions = int(self.stage.group.max()) + 1 if self.by_ally else 1
        self.announced = Announced(self.law, discount, self.stage, actions)
        check_trust(self.stage, self.law, game)

    def actions_of(self, threat: Array) -> Array:
        """A threat by member as actions."""
        allies = self.stage._allies
        if not self.by_ally:
            return threat[allies][:1]
        found = np.empty(self.announced.actions)
        found[self.stage.group[allies]] = threat[allies]
        return found

    def control(self, floor: float = FLOOR, most_states: int = 2) -> GameControl:
        """The problem under uniform threats, for policies."""
        return game_control(
            self.game, self.asked, self.user_law, tariff=self.levied, floor=floor,
            most_states=most_states,
        )  # fmt: skip

    def never(self) -> tuple[float, float]:
        """What no pressure ever is worth, neither threat nor tariff, and its first period."""
        if self.levied is not None:
            calm = Problem(self.game, self.discount, self.demand, self.user_law, self.by_ally)
            return calm.never()
        zero = np.zeros((1, self.announced.actions))
        tail = self.announced.tail(self.law.initial[None], zero)
        state, asked = self.announced.states(zero, tail)
        periods, branches, _ = state.shape
        weight = self.announced.weights(periods) * self.discount ** np.arange(periods)[:, None]
        weight[-1] /= 1 - self.discount
        live = np.flatnonzero(weight.ravel() > 0)
        threat = asked[live // branches]
        trust = self.law.operating(state.reshape(periods * branches, -1)[live], threat)
        distinct, back = np.unique(np.round(trust, 13), axis=0, return_inverse=True)
        payoff = self.stage.best(np.zeros((len(distinct), 1)), distinct)[0][back.ravel()]
        return float(weight.ravel()[live] @ payoff), float(payoff[0])

    def money(self, gain: float) -> float:
        """A payoff of one period in bn US$ at A's burden."""
        lead = self.game.members.leader_index
        own = status_quo(self.game).burdens[lead]
        return float(consumption_share(self.game, gain, own) * self.game.by_member("gdp")[lead])


def check_trust(stage: Stage, law: Law, game: BurdenSharingGame) -> None:
    """Raise `ZeroTrustError` if the leader's payoff is minus infinity without any threat."""
    trust = law.operating(law.initial[None, :], np.zeros(1))
    if not np.isfinite(stage.best(np.zeros((1, 1)), trust)[0]).all():
        raise ZeroTrustError(
            f"trust of every ally is zero even without a threat, and {game.leader} values influence in "
            'logs: raise trust, or use influence_value="share".'
        )


def shown_tables(
    problem: Problem, states: Array, threats: Array, own: Array
) -> tuple[Array, Array, Array, Array, Array, float]:
    """Tables by period and member of a path of states, actions and own burdens."""
    trust = problem.law.operating(states, threats)
    batch = problem.stage.solve(threats, trust, own, whole=True)
    game, allies = problem.game, problem.stage._allies
    by_member = np.zeros((len(states), game.size))
    by_member[:, allies] = (
        threats if threats.shape[1] == 1 else threats[:, problem.stage.group[allies]]
    )
    operating = batch.trust.copy()
    regret = problem.stage.regret(threats, trust, batch)
    return by_member, operating, batch.burden, batch.payoff, batch.influence, regret


def finish(
    problem: Problem,
    concept: str,
    states: Array,
    threats: Array,
    own: Array,
    value: float,
    turnovers: Sequence[int],
    checks: dict[str, float],
    method: str,
    scope: str,
    tolerance: float,
    policy: Policy | None = None,
) -> TrustPath:
    """A path as a result: tables, what no pressure is worth, and the certificate."""
    by_member, trust, burdens, payoffs, influences, regret = shown_tables(
        problem, states, threats, own
    )
    never, never_first = problem.never()
    known = {"bellman_residual": math.nan, "euler_error": math.nan, "grid_error": math.nan} | checks
    allowed = 1e-9 if problem.stage.concave else NO_ANSWER
    if not problem.stage.concave:
        scope += (
            "; payoffs are not concave: the answer of the allies that the conditions lead to, checked in "
            "every period shown by a scan of all burdens; others may exist, better or worse for "
            f"{problem.game.leader}"
        )
    sound = regret <= allowed and all(
        not math.isfinite(known[name]) or known[name] <= limit
        for name, limit in (("bellman_residual", tolerance), ("deviation_gain", 1e-6))
    )
    certificate = PathCertificate(
        "approximate" if sound else "unverified",
        **known,
        **{f"{name}_usd_bn": problem.money(amount) for name, amount in known.items()},
        allied_regret=regret,
        method=method,
        scope=scope,
    )
    return TrustPath(
        problem.game, concept, problem.discount, problem.demand, problem.law.states, states,
        by_member, trust, burdens, payoffs, influences, value, never, never_first,
        tuple(int(t) for t in turnovers), certificate, policy, problem.tariff,
    )  # fmt: skip


def next_state(
    law: Law, state: Array, threat: Array, period: int, turnovers: Sequence[int]
) -> Array:
    """The next period's state; a new leader comes at the end of the periods in `turnovers`."""
    ahead = law.advance(state, threat)
    return law.jump(ahead) if period in turnovers else ahead


def policy_path(
    problem: Problem, control: GameControl, act: Any, periods: int, turnovers: Sequence[int]
) -> tuple[Array, Array, Array]:
    """States, threats (period, 1) and own burdens of following a policy from the start."""
    state = control.initial[None, :]
    states, threats = np.empty((periods, len(control.states))), np.empty(periods)
    for t in range(periods):
        states[t] = state[0]
        if t and np.array_equal(states[t], states[t - 1]):
            threats[t] = threats[t - 1]
        else:
            threats[t] = act(state)[0]
        state = next_state(problem.law, state, threats[t : t + 1], t, turnovers)
        check_range(control, states[t : t + 1], threats[t : t + 1], state)
    own = control.best(states, threats)[1]
    return states, threats[:, None], own
