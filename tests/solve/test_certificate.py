"""Certificates attacked: planted profiles whose regret must come out true; claims that must not be made."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from alliancegame.game.plan import Plan
from alliancegame.solve.certificate import Certificate, consumption_share, usd_bn
from alliancegame.solve.nash import certify, respond, solve_nash
from alliancegame.solve.tolerances import Tolerances
from tests.oracle import Hand
from tests.problems import BANK, FAMILIES, Problem, alliance, random_alliance, symmetric

KNOWN = [p for p in BANK.values() if p.burdens is not None and p.digits <= 1e-11]


def true_regret(hand: Hand, x: list[float]) -> float:
    """The largest gain, by brute force: a grid, and golden section beside its best points."""
    points, keep = (400, 3) if hand.n < 10 else (80, 1)
    return max(hand.best_deviation(i, x, points, keep)[1] for i in hand.players)


def assert_true(problem_game: Any, x: Any, plan: Plan, hand: Hand) -> Certificate:
    made = certify(problem_game, x, plan)
    regret = true_regret(hand, list(x))
    assert made.regret == pytest.approx(regret, rel=1e-8, abs=1e-12)
    if regret > 1e-6:
        assert made.verdict == "unverified"
        assert made.unique == "not proven"
    return made


# --- Planted non-equilibria -----------------------------------------------------------------------


@pytest.mark.parametrize("problem", KNOWN, ids=lambda problem: problem.name)
def test_equilibria_are_certified(problem: Problem) -> None:
    made = certify(problem.game, problem.burdens, problem.plan)
    assert made.verdict == "certified"
    assert made.regret < 1e-12
    assert made.unique == problem.unique


@pytest.mark.parametrize("problem", KNOWN, ids=lambda problem: problem.name)
def test_perturbed_burdens(problem: Problem) -> None:
    """Somebody pays a little or much more or less: the regret is exactly what it costs."""
    hand = Hand(problem.game, problem.plan)
    rng = np.random.default_rng(1)
    for size in (1e-4, 0.03, 0.5):
        x = np.array(problem.burdens)
        for i in hand.players:
            x[i] *= 1 + size * rng.uniform(-1, 1)
        x = np.clip(x, hand.burden_min, hand.burden_max)
        if problem.plan.burden is not None:
            x[hand.lead] = problem.plan.burden
        assert_true(problem.game, x.tolist(), problem.plan, hand)


@pytest.mark.parametrize("problem", KNOWN, ids=lambda problem: problem.name)
def test_members_moved_to_their_bounds(problem: Problem) -> None:
    hand = Hand(problem.game, problem.plan)
    for i in list(hand.players)[:3]:
        for bound in (hand.burden_max[i], max(hand.burden_min[i], 1e-9)):
            x = list(problem.burdens or ())
            x[i] = bound
            made = assert_true(problem.game, x, problem.plan, hand)
            if made.regret > 1e-6:
                assert made.worst in hand.members


@pytest.mark.parametrize("name", ["bunching", "bunching, little trust"])
def test_allies_moved_off_the_kink(name: str) -> None:
    problem = BANK[name]
    hand = Hand(problem.game, problem.plan)
    for step in (1e-3, 1e-6, -1e-3, -1e-6):
        x = list(problem.burdens or ())
        x[x.index(0.03)] += step
        made = assert_true(problem.game, x, problem.plan, hand)
        assert made.regret > 1e-3 * abs(step)


@pytest.mark.parametrize("family", list(FAMILIES))
def test_arbitrary_profiles_of_random_games(family: str) -> None:
    rng = np.random.default_rng(17)
    for _ in range(12):
        game, plan = random_alliance(rng, family)
        hand = Hand(game, plan)
        low, high = game.by_member("burden_min"), game.by_member("burden_max")
        x = low + (high - low) * rng.uniform(0.001, 0.999, game.size) ** 2
        if plan.burden is not None:
            x[hand.lead] = plan.burden
        assert_true(game, x.tolist(), plan, hand)


def test_nobody_contributes() -> None:
    """Security is zero, and payoffs minus infinity: whoever moves gains without bound."""
    made = certify(BANK["K1"].game, (0, 0, 0))
    assert (made.verdict, made.regret) == ("unverified", math.inf)
    assert made.regret_usd_bn == math.inf


def test_nobody_contributes_to_the_council() -> None:
    """Influence by council weight; the least contribution takes all of it, a supremum."""
    game = alliance((1, 1, 1), 0.0, influence_weight=0.1, council_weight=(2, 1, 1))
    made = certify(game, (0, 0, 0))
    assert made.regret == pytest.approx(0.1 * math.log(4), rel=1e-8)
    assert made.verdict == "unverified"
    share = game.replace(influence_value="share", decisiveness=0.5)
    assert certify(share, (0, 0, 0)).regret == pytest.approx(0.1 * 0.75, rel=1e-6)


def test_one_member_without_influence() -> None:
    """ln 0 for one member alone: its regret is infinite, and it is named."""
    problem = BANK["symmetric log"]
    x = list(problem.burdens or ())
    x[2] = 0.0
    made = certify(problem.game, x)
    assert (made.verdict, made.regret, made.worst) == ("unverified", math.inf, "A2")


def test_a_committed_leader_is_no_player() -> None:
    problem = BANK["designed, status quo"]
    plan = Plan(burden=0.2)
    x = respond(problem.game, plan).burdens
    assert certify(problem.game, x, plan).verdict == "certified"
    free = certify(problem.game, x)
    assert (free.verdict, free.worst) == ("unverified", "L")
    assert free.regret == pytest.approx(true_regret(Hand(problem.game), x.tolist()), rel=1e-8)


# --- Payoffs that are not concave -----------------------------------------------------------------


def contest(m: float, alpha: float = 0.3, theta: float = 0.0, n: int = 2) -> Any:
    return alliance(
        (1,) * n, theta, influence_weight=alpha, influence_value="share", decisiveness=m
    )


@pytest.mark.parametrize("m", [1.5, 1.7, 1.9])
def test_contests_with_increasing_returns_are_proved(m: float) -> None:
    """Payoffs are not concave: a scan says that it is an equilibrium, interval arithmetic proves it."""
    game, burdens = symmetric(2, 0.0, 0.3, influence_value="share", decisiveness=m)
    found = solve_nash(game)
    assert found.burdens == pytest.approx(burdens, rel=1e-9)
    for made in (found.certificate, certify(game, burdens)):
        assert made.verdict == "certified"
        assert made.regret <= 1e-9
        assert "interval arithmetic" in made.method
        assert "whole action set" in made.scope


@pytest.mark.parametrize("m", [1.2, 1.3, 1.4])
def test_contests_with_slightly_increasing_returns_are_solved(m: float) -> None:
    game, burdens = symmetric(2, 0.0, 0.3, influence_value="share", decisiveness=m)
    assert max(Hand(game).gains(burdens, 2000)) < 1e-13
    assert solve_nash(game).burdens == pytest.approx(burdens, rel=1e-6)


@pytest.mark.parametrize("m", [2.2, 3.0, 6.0])
def test_local_optima_do_not_pass(m: float) -> None:
    """First-order conditions hold, and so do second-order ones near by; giving up is better."""
    game, burdens = symmetric(2, 0.0, 0.3, influence_value="share", decisiveness=m)
    hand = Hand(game)
    assert hand.slope(0, burdens) == pytest.approx(0.0, abs=1e-12)
    made = certify(game, burdens)
    assert made.verdict == "unverified"
    assert made.regret == pytest.approx(true_regret(hand, burdens), rel=1e-8)
    assert made.regret > 1e-3


def test_regret_of_arbitrary_profiles_without_concavity() -> None:
    rng = np.random.default_rng(8)
    for m in (1.5, 3.0):
        game = contest(m, theta=0.05, n=3)
        hand = Hand(game)
        for _ in range(6):
            x = rng.uniform(0.001, 0.3, 3).tolist()
            made = certify(game, x)
            assert made.regret == pytest.approx(true_regret(hand, x), rel=1e-6)
            assert made.verdict == "unverified"


# --- Uniqueness -----------------------------------------------------------------------------------

SEATS = {"influence_weight": 0.005, "private_weight": 0.003}
PROVEN = {
    "Nash": Plan(threat=0.5, demand=0.03),
    "response": Plan(threat=0.5, demand=0.03, burden=0.03),
}


@pytest.mark.parametrize("plan", PROVEN.values(), ids=list(PROVEN))
def test_uniqueness_is_proven_under_the_conditions_of_the_theorem(plan: Plan) -> None:
    for changes in (
        {},
        {"consumption": "linear"},
        {"effectiveness": (1, 0.5, 2, 1), "burden_max": (0.1, 0.03, 0.05, 0.04)},
        {"spillin": (0, 0.5, 1.0, 0.2), "umbrella": (0, 0.5, 0.9, 0.2)},
        {"decay": 0.5, "cohesion": 0.3, "contagion": 0.2},
        {"congestion": 1.0, "umbrella": 0.7, "return_spillin": 0.5},
    ):
        made = solve_nash(alliance((6, 3, 2, 1), 0.05, **(SEATS | changes)), plan).certificate
        assert made.unique == "proven", (changes, made.reason)
        assert "theory, What is proved" in made.reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"spillin": 1.1}, "spill-ins above 1"),
        ({"spillin": (0, 0.5, 1.01, 1.0), "umbrella": 0.5}, "spill-ins above 1"),
        ({"substitution": 0.8, "decisiveness": 2.0}, "substitution other than 1"),
        ({"influence_value": "share", "decisiveness": 0.9}, "decisiveness other than 1"),
        ({"council_weight": (1, 1, 1, 1.5)}, "unequal council weights"),
    ],
)
@pytest.mark.parametrize("plan", PROVEN.values(), ids=list(PROVEN))
def test_each_condition_on_followers_broken(
    changes: dict[str, Any], reason: str, plan: Plan
) -> None:
    made = solve_nash(alliance((6, 3, 2, 1), 0.05, **(SEATS | changes)), plan).certificate
    assert made.unique == "not proven"
    assert reason in made.reason
    assert made.verdict == "certified"  # An equilibrium all the same.


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"umbrella": 1.2}, "exceeds beta_i"),
        ({"return_spillin": 1.2}, "exceeds beta_i"),
        ({"spillin": 0.9}, "exceeds beta_i"),
        ({"spillin": (0, 1, 1, 0.9)}, "exceeds beta_i"),
        ({"influence_value": "share", "decisiveness": 0.9,
          "influence_weight": (0.01, 0, 0, 0)}, "needs log influence"),
        ({"influence_value": "share", "influence_weight": (0, 0.01, 0, 0)}, "needs log influence"),
        ({"council_weight": (1, 1, 1, 1.5), "influence_weight": (0.01, 0, 0, 0)},
         "unequal council weights"),
    ],
)  # fmt: skip
def test_each_condition_on_simultaneous_nash_broken(changes: dict[str, Any], reason: str) -> None:
    """The allies' answer is still proven unique; with the leader as a player it is not."""
    game = alliance((6, 3, 2, 1), 0.05, **(SEATS | changes))
    made = solve_nash(game, PROVEN["Nash"].replace(threat=0.0)).certificate
    assert made.unique == "not proven"
    assert reason in made.reason
    assert "401 burdens" in made.reason
    assert respond(game, PROVEN["response"]).certificate.unique == "proven"


def test_decisiveness_matters_to_the_leader_only_through_its_own_weight() -> None:
    quiet = {"influence_weight": 0.0, "private_weight": 0.003, "substitution": 1.0}
    game = alliance((6, 3, 2, 1), 0.05, influence_value="share", decisiveness=0.9, **quiet)
    assert solve_nash(game).certificate.unique == "proven"


def test_lost_trust_can_restore_the_proof() -> None:
    game = alliance((6, 3, 2, 1), 0.05, umbrella=1.2, trust=0.8, **SEATS)
    assert solve_nash(game).certificate.unique == "proven"  # 0.96 <= 1.


# --- A continuum ----------------------------------------------------------------------------------


def linear(gdp: tuple[float, ...], theta: tuple[float, ...], **changes: Any) -> Any:
    return alliance(gdp, theta, consumption="linear", **changes)


def assert_continuum(game: Any, plan: Plan, profiles: Any, names: str) -> None:
    """Every profile is an equilibrium by hand, and every certificate says that it is not the only one."""
    hand = Hand(game, plan)
    for x in profiles:
        assert max(hand.gains(x, 200)) < 1e-13
        made = certify(game, x, plan)
        assert made.verdict == "certified"
        assert made.unique == "multiple"
        assert names in made.reason
    found = solve_nash(game, plan)
    assert found.certificate.unique == "multiple"
    assert names in found.certificate.reason
    assert found.multiple


def test_tied_allies_may_share_in_any_way() -> None:
    """theta e Y - b r g_l is 0.16 for both; A3 values too little to contribute."""
    game = linear((4, 2, 1, 1), (0.3, 0.1, 0.2, 0.05))
    profiles = [(0.01, a, 0.16 - 2 * a, 0.0) for a in (0.0, 0.03, 0.08)]
    assert_continuum(game, Plan(burden=0.01), profiles, "A1, A2 may")


def test_tied_allies_above_their_demands_may_share_what_is_above() -> None:
    """A threat has no slope for an ally that has met the demand."""
    game = linear((4, 2, 1), (0.3, 0.1, 0.2))
    profiles = [(0.01, 0.005, 0.15), (0.01, 0.04, 0.08), (0.01, 0.07, 0.02)]
    assert_continuum(game, Plan(threat=0.5, demand=0.005, burden=0.01), profiles, "A1, A2 may")


def test_leader_and_ally_may_share_in_any_way() -> None:
    """With b_l b r = beta = 1 and linear payoffs both see one security."""
    game = linear((1, 1), (1.0, 1.0))
    assert_continuum(game, Plan(), [(0.0, 1.0), (0.3, 0.7), (1.0, 0.0)], "L and A1 may")
    half = linear((2, 1), (0.5, 0.5), umbrella=0.5, return_spillin=2.0)
    assert_continuum(half, Plan(), [(0.25, 0.25), (0.5, 0.0), (0.0, 0.5)], "L and A1 may")


def test_ties_that_leave_nothing_to_share_are_no_continuum() -> None:
    at_bounds = linear((4, 2, 1), (0.3, 0.1, 0.2), burden_max=0.03)
    crowded_out = linear((4, 2, 1, 1), (0.3, 0.05, 0.1, 0.5))
    for game in (at_bounds, crowded_out):
        found = respond(game, Plan(burden=0.01))
        assert found.certificate.unique == "proven"
        hand = Hand(game, found.plan)
        for start in (0.0, 0.01, 0.03):
            x = hand.equilibrium([0.01, *[start] * (game.size - 1)]).burdens
            assert x == pytest.approx(found.burdens.tolist(), abs=1e-12)


def test_only_those_who_may_share_are_named() -> None:
    """A3 and A4 are tied with each other, at a value too low to contribute."""
    game = linear((4, 2, 1, 2, 1), (0.3, 0.1, 0.2, 0.05, 0.1))
    made = respond(game, Plan(burden=0.01)).certificate
    assert made.unique == "multiple"
    assert "A1, A2 may" in made.reason


@pytest.mark.parametrize(
    "changes",
    [
        {"consumption": "log"},
        {"influence_weight": 0.001},
        {"private_weight": 0.001},
        {"spillin": 0.9},
        {"security_weight": (0.3, 0.1, 0.2001)},
    ],
)
def test_anything_that_tells_tied_allies_apart_ends_the_continuum(changes: dict[str, Any]) -> None:
    game = linear((4, 2, 1), (0.3, 0.1, 0.2)).replace(**({"burden_max": 0.9} | changes))
    assert respond(game, Plan(burden=0.01)).certificate.unique == "proven"


# --- The certificate itself -----------------------------------------------------------------------


def test_regret_bounds_what_anybody_can_gain() -> None:
    """The cheap bound of the solvers is no smaller than the true regret."""
    for problem in KNOWN:
        found = solve_nash(problem.game, problem.plan)
        true = certify(problem.game, found.burdens, problem.plan).regret
        assert true <= found.certificate.regret + 1e-13
        assert found.certificate.regret <= 1e-9


def test_money() -> None:
    game = alliance((10, 4, 2), 0.05)
    gains, burdens = np.array([0.01, 0.02, 0.0]), np.array([0.1, 0.2, 0.3])
    expected = [math.expm1(0.01) * 0.9 * 10, math.expm1(0.02) * 0.8 * 4, 0.0]
    assert usd_bn(game, gains, burdens).tolist() == pytest.approx(expected)
    flat = game.replace(consumption="linear")
    assert usd_bn(flat, gains, burdens).tolist() == pytest.approx([0.1, 0.08, 0.0])
    assert consumption_share(flat, 0.02, 0.5) == pytest.approx(0.02)


def test_regret_in_money_is_that_of_the_worst_member() -> None:
    problem = BANK["designed, status quo"]
    x = np.array(problem.burdens)
    x[1] = 0.1
    made = certify(problem.game, x)
    assert made.worst == "A1"
    worth = math.expm1(made.regret) * (1 - 0.1) * 7.0
    assert made.regret_usd_bn == pytest.approx(worth)


@pytest.mark.parametrize("regret", [0.0, 1e-12, math.inf])
def test_certificates_round_trip(regret: float) -> None:
    made = Certificate(
        "certified", regret, 2 * regret, None, "proven", "why", "how", "where", Tolerances(roots=11)
    )
    assert Certificate.from_dict(made.to_dict()) == made
    assert "certified" in str(made)
