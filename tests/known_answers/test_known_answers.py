"""Known answers and the rest of the bank: the payoff by hand agrees, and so do the solvers."""

from __future__ import annotations

import numpy as np
import pytest

from alliancegame.game.plan import Plan
from alliancegame.solve.nash import respond, solve_nash
from tests.oracle import Hand
from tests.problems import BANK, Problem, alliance, symmetric

KNOWN = [p for p in BANK.values() if p.burdens is not None]


@pytest.fixture(params=KNOWN, ids=lambda problem: problem.name)
def problem(request: pytest.FixtureRequest) -> Problem:
    found: Problem = request.param
    return found


def test_answers_are_equilibria_of_the_payoff_by_hand(problem: Problem) -> None:
    """No solver of the library has a part in this: it tests the bank and the hand-written payoff."""
    hand = Hand(problem.game, problem.plan)
    for answer in (problem.burdens, *problem.others):
        assert answer is not None
        assert max(hand.gains(answer, 150 if hand.n < 10 else 40)) < 3e-13


def test_solve_nash(problem: Problem) -> None:
    found = solve_nash(problem.game, problem.plan)
    assert found.burdens == pytest.approx(problem.burdens, rel=problem.digits, abs=1e-14)
    assert found.certificate.verdict == "certified"
    assert found.certificate.unique == problem.unique
    assert [o.burdens.tolist() for o in found.others] == [
        pytest.approx(o, rel=problem.digits) for o in problem.others
    ]


def test_respond_to_the_leaders_equilibrium_burden(problem: Problem) -> None:
    found = respond(problem.game, problem.committed)
    assert found.burdens == pytest.approx(problem.burdens, rel=10 * problem.digits, abs=1e-13)
    assert found.certificate.verdict == "certified"
    assert found.concept == "response"


# --- What section 11 says beyond the burdens ------------------------------------------------------


def total(problem: Problem) -> float:
    return float(solve_nash(problem.game, problem.plan).contribution.sum())


def test_k1_total_and_neutrality() -> None:
    game = BANK["K1"].game
    assert total(BANK["K1"]) == pytest.approx(16 / 3, rel=1e-12)
    moved = solve_nash(game.replace(gdp=(9, 7, 2)))
    assert float(moved.contribution.sum()) == pytest.approx(16 / 3, rel=1e-12)
    assert moved.contribution.tolist() == pytest.approx([9 - 16 / 3, 7 - 16 / 3, 0])


def test_k2_simultaneous_replies_diverge() -> None:
    """The reason for a joint Newton: everybody answering everybody at once runs away."""
    hand, x = Hand(BANK["K2"].game), [0.36] * 4
    start = abs(x[0] - 1 / 2.8)
    for _ in range(4):
        x = [hand.reply(i, x) for i in range(4)]
    assert abs(x[0] - 1 / 2.8) > 8 * start
    assert hand.equilibrium().burdens == pytest.approx([1 / 2.8] * 4)  # One after another: fine.


@pytest.mark.parametrize("rho", [-0.5, 0.3, 0.5, 0.8])
def test_k3_for_other_elasticities(rho: float) -> None:
    theta = np.array([3.0, 2.0, 1.0])
    Z = (theta ** (rho / (1 - rho))).sum() ** (1 - rho)
    least = 1e-9 if rho < 0 else 0.0  # Weak links must contribute something.
    game = alliance((1,) * 3, theta, consumption="linear", substitution=rho, burden_min=least)
    found = solve_nash(game)
    assert found.burdens == pytest.approx((theta / Z) ** (1 / (1 - rho)), rel=1e-10)
    assert float((found.burdens**rho).sum()) == pytest.approx(Z, rel=1e-10)


def test_k4_total_and_shares() -> None:
    found = solve_nash(BANK["K4"].game)
    assert found.burdens.sum() == pytest.approx(0.4, rel=1e-12)
    assert found.influence.tolist() == pytest.approx([0.6, 0.4, 0.0])
    assert found.burdens[2] == 0.0


def test_k5_total() -> None:
    assert total(BANK["K5"]) == pytest.approx(1.5771068, abs=5e-8)


@pytest.mark.parametrize("n", [2, 3, 8])
def test_k8_for_any_number(n: int) -> None:
    game = alliance((1,) * n, 0.5, consumption="linear", private_weight=0.07)
    assert solve_nash(game).burdens == pytest.approx([0.5 / n + 0.07] * n, rel=1e-12)


@pytest.mark.parametrize("n", [2, 3, 6, 20])
@pytest.mark.parametrize("forms", [{"spill": 0.4}, {"spill": 0.9, "consumption": "linear"}])
def test_symmetric_members_of_any_number(n: int, forms: dict[str, float]) -> None:
    game, burdens = symmetric(n, 0.3, 0.05, 0.01, **forms)  # type: ignore[arg-type]
    assert solve_nash(game).burdens == pytest.approx(burdens, rel=1e-12)


def test_continuum_has_one_total() -> None:
    problem = BANK["continuum"]
    found = solve_nash(problem.game, problem.plan)
    assert found.contribution.drop("L").sum() == pytest.approx(problem.allied, rel=1e-11)
    assert found.certificate.unique == "multiple"
    assert "A1, A2" in found.certificate.reason


def test_three_equilibria_where_the_model_text_names_two() -> None:
    """An odd number, all certified, all found whatever the plan's wording; the best first."""
    problem = BANK["three equilibria"]
    found = solve_nash(problem.game, Plan(threat=0.0))
    everyone = [found, *found.others]
    assert len(everyone) == 3
    assert found.multiple
    for one in everyone:
        assert one.certificate.verdict == "certified"
        assert one.certificate.unique == "multiple"
        assert max(Hand(problem.game).gains(one.burdens.tolist(), 2000)) < 1e-14
    payoffs = [one.leader_payoff for one in everyone]
    assert payoffs == sorted(payoffs, reverse=True)
    # Section 7 gives the outer two to five digits.
    assert found.burdens == pytest.approx([0.00738] + [0.02792] * 4, abs=5e-6)
    assert found.others[1].burdens == pytest.approx([0.02446] + [0.00883] * 4, abs=5e-6)
