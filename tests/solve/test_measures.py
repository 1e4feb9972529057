"""Outcome measures of docs/theory/outcomes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from alliancegame.game.plan import Plan
from alliancegame.solve import measures
from alliancegame.solve.nash import respond, solve_nash, status_quo
from tests.oracle import Hand
from tests.problems import BANK, alliance


def test_savings_are_the_part_of_security_that_others_pay() -> None:
    found = solve_nash(BANK["K1"].game)
    assert found.savings == pytest.approx(1 - 4.6666666666666667 / 5.3333333333333333)
    alone = alliance((10, 1), (1.0, 0.0))
    assert solve_nash(alone).savings == pytest.approx(0.0, abs=1e-15)


def test_savings_mean_nothing_without_security_or_with_weak_links() -> None:
    game = BANK["K1"].game
    assert math.isnan(measures.savings(game, np.zeros(3), np.zeros(3)))
    assert math.isnan(solve_nash(BANK["symmetric rho=-2"].game).savings)
    assert not math.isnan(solve_nash(BANK["symmetric rho=0.3"].game).savings)


@pytest.mark.parametrize(
    "name", ["designed, status quo", "designed, trust impact", "designed, stationary trust"]
)
def test_frontier_identity(name: str) -> None:
    """I = q (1 - cs) / (q (1 - cs) + cs), q = T t_l b_l T^zeta: lost trust bows the frontier inward."""
    problem = BANK[name]
    for burden in (0.01, 0.03, 0.06):
        found = respond(problem.game, problem.plan.replace(burden=burden))
        game, trust = problem.game, found.trust["L"]
        q = trust * game.return_spillin * trust**game.cohesion
        kept = q * (1 - found.savings)
        assert found.leader_influence == pytest.approx(kept / (kept + found.savings), rel=1e-12)


def test_without_trust_cost_influence_and_savings_add_up_to_one() -> None:
    game = BANK["designed, status quo"].game
    for burden in (0.005, 0.02, 0.08):
        found = respond(game, Plan(burden=burden))
        assert found.leader_influence + found.savings == pytest.approx(1.0, abs=1e-14)


def test_allied_burden_is_weighted_by_gdp() -> None:
    game = alliance((10, 3, 1), 0.05)
    assert measures.allied_burden(game, np.array([0.5, 0.02, 0.06])) == pytest.approx(0.03)


def leader_payoff_at(game: Any, security: float, influence: float, burden: float) -> float:
    """The leader's payoff from its four terms, by hand."""
    theta, alpha, h = (
        game.by_member(k)[0] for k in ("security_weight", "influence_weight", "private_weight")
    )
    total = math.log(1 - burden) if game.consumption == "log" else 1 - burden
    total += theta * math.log(security)
    if alpha:
        total += alpha * (math.log(influence) if game.influence_value == "log" else influence)
    return total + (h * math.log(burden) if h else 0.0)


@pytest.mark.parametrize(
    ("name", "h"),
    [("designed, trust impact", 0.0), ("designed, trust impact", 0.004), ("designed, linear", 0.0),
     ("designed, linear", 0.01), ("designed, share m<1", 0.0), ("designed, share m<1", 0.003)],
)  # fmt: skip
def test_compensated_savings_hold_security_at_the_status_quo(name: str, h: float) -> None:
    game = BANK[name].game.replace(private_weight={"L": h})
    A = status_quo(game)
    scale, security = measures.leader_scale(game), A.security["L"]
    for plan in (
        Plan(),
        Plan(threat=0.5, demand=0.03),
        Plan(threat=0.9, demand=0.04, burden=0.025),
    ):
        found = solve_nash(game, plan)
        x = (1 - found.compensated_savings) * security / scale
        payoff = leader_payoff_at(game, security, found.leader_influence, x)
        assert payoff == pytest.approx(found.leader_payoff, abs=1e-12)
        peak = h / (1 + h) if game.consumption == "log" else h
        assert x >= peak - 1e-12
    assert A.compensated_savings == pytest.approx(A.savings, abs=1e-12)


def test_above_the_isoquant_is_better_off() -> None:
    """On (cs^c, I), being above A's isoquant and being better off are the same thing."""
    game = BANK["designed, congestion"].game.replace(decay=0.4)
    A = status_quo(game)
    scale, security = measures.leader_scale(game), A.security["L"]

    def on_isoquant(saved: float) -> float:
        """The influence at which A's payoff is kept with these savings."""
        x = (1 - saved) * security / scale
        return brentq(
            lambda p: leader_payoff_at(game, security, p, x) - A.leader_payoff, 1e-12, 1e6
        )

    signs = set()
    for threat in (0.05, 0.2, 0.5, 1.0):
        for burden in (0.02, 0.03, 0.034):
            found = respond(game, Plan(threat=threat, demand=0.05, burden=burden))
            above = found.leader_influence > on_isoquant(found.compensated_savings)
            assert above == (found.leader_payoff > A.leader_payoff)
            signs.add(above)
    assert signs == {True, False}


def test_compensated_savings_may_exceed_one_or_not_exist() -> None:
    game = alliance((4, 2, 1), (0.05, 0.04, 0.04), influence_weight=0.01)
    security = np.array([2.0, 1.0, 1.0])
    best = 0.05 * math.log(2.0)
    assert measures.compensated_savings(game, security, 1.0, best + 0.1) > 1
    assert measures.compensated_savings(game, security, 1.0, best) == pytest.approx(1.0)
    wanting = game.replace(private_weight=0.01)
    assert math.isnan(measures.compensated_savings(wanting, security, 1.0, best + 0.1))
    assert math.isnan(measures.compensated_savings(game, np.zeros(3), 1.0, best))
    assert math.isnan(measures.compensated_savings(game, security, 0.0, best))
    weak = BANK["symmetric rho=-2"].game
    assert math.isnan(measures.compensated_savings(weak, np.ones(4), 1.0, -0.1))
    far = measures.compensated_savings(game, security, 1.0, best - 50.0)
    assert far == pytest.approx(1 - 4 / 2)  # All of GDP, and no more, can be given up in logs.


@pytest.mark.parametrize(
    "name", ["designed, status quo", "designed, congestion", "designed, effectiveness"]
)
def test_interest_weight_is_the_formula_of_the_model(name: str) -> None:
    game = BANK[name].game
    A = status_quo(game)
    size = A.security["L"] / measures.leader_scale(game)
    saved, alpha = A.savings, game.by_member("influence_weight")[0]
    expected = 1 / (1 + (saved / alpha) * size / (1 - (1 - saved) * size))
    found = measures.interest_weight(game, saved, A.leader_influence, A.security["L"])
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("curvature", [0.0, 0.5, -1.0, 1.0])
@pytest.mark.parametrize(
    "changes",
    [{}, {"private_weight": {"L": 0.004}}, {"influence_value": "share", "decisiveness": 0.7}],
)
def test_interest_has_the_leaders_own_slope_at_the_status_quo(
    curvature: float, changes: dict[str, Any]
) -> None:
    """dI/dcs along W and along the payoff at constant security are the same, by finite differences."""
    game = BANK["designed, status quo"].game.replace(**changes)
    A = status_quo(game)
    saved, influence, security = A.savings, A.leader_influence, A.security["L"]
    psi = measures.interest_weight(game, saved, influence, security, curvature)
    assert 0 < psi < 1
    scale, step = measures.leader_scale(game), 1e-6

    def slope(value: Any) -> float:
        in_savings = value(saved + step, influence) - value(saved - step, influence)
        return float(in_savings / (value(saved, influence + step) - value(saved, influence - step)))

    own = slope(lambda cs, p: leader_payoff_at(game, security, p, (1 - cs) * security / scale))
    assert slope(lambda cs, p: measures.national_interest(psi, cs, p, curvature)) == pytest.approx(
        own, rel=1e-6
    )


def test_interest_weight_at_the_edges() -> None:
    game = BANK["designed, status quo"].game
    assert measures.interest_weight(game.replace(influence_weight=0.0), 0.5, 0.5, 1.0) == 0.0
    assert math.isnan(measures.interest_weight(game, 0.0, 0.5, 1.0))
    assert math.isnan(measures.interest_weight(game, 0.5, 0.0, 1.0))


def test_national_interest() -> None:
    assert measures.national_interest(0.3, 0.4, 0.6) == pytest.approx(0.6**0.3 * 0.4**0.7)
    assert measures.national_interest(0.3, 0.4, 0.6, 1.0) == pytest.approx(0.3 * 0.6 + 0.7 * 0.4)
    near = measures.national_interest(0.3, 0.4, 0.6, 1e-6)
    assert near == pytest.approx(measures.national_interest(0.3, 0.4, 0.6), rel=1e-5)
    assert math.isnan(measures.national_interest(0.3, -0.1, 0.6))


def test_influence_worth() -> None:
    game = alliance((2, 1), 0.05, influence_weight=0.2)
    assert measures.influence_worth(game, 0.5) == pytest.approx(0.2 * math.log(0.5))
    assert measures.influence_worth(game, 0.0) == -math.inf
    share = game.replace(influence_value="share")
    assert measures.influence_worth(share, 0.5) == pytest.approx(0.1)
    assert measures.influence_worth(game.replace(influence_weight=0.0), 0.0) == 0.0


def test_measures_are_those_of_the_payoff_by_hand() -> None:
    problem = BANK["designed, rho=0.3"]
    found, hand = solve_nash(problem.game, problem.plan), Hand(problem.game, problem.plan)
    x = found.burdens.tolist()
    assert found.savings == pytest.approx(1 - hand.contribution(0, x) / hand.security(0, x))
    assert found.leader_influence == pytest.approx(hand.influence(0, x))
