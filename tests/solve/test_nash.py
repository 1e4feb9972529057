"""solve_nash, respond, certify: kinks and corners exact, failures honest, others listed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from alliancegame.errors import (
    AllianceGameError,
    ConvergenceError,
    InvalidValueError,
    ZeroTrustError,
)
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, nash
from alliancegame.solve.nash import certify, respond, solve_nash, status_quo
from alliancegame.solve.tolerances import Tolerances
from tests.oracle import Hand
from tests.problems import BANK, alliance, independent, nato_like

# --- Exact points ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bunching", "bunching, little trust"])
def test_allies_that_bunch_sit_exactly_on_the_demand(name: str) -> None:
    problem = BANK[name]
    found = respond(problem.game, problem.plan)
    assert (found.burdens == 0.03).tolist() == [x == 0.03 for x in problem.burdens or ()]
    assert (found.burdens == 0.03).sum() >= 2
    assert found.burdens[1] == 0.0


def test_bunching_over_a_range_of_demands() -> None:
    """The same allies under eight demands: on the kink exactly where one-sided slopes say so."""
    for demand in np.linspace(0.01, 0.08, 8):
        game, expected, plan = independent((0.02, 0.05, 0.08, 0.12), threat=0.7, demand=demand)
        found = respond(game, plan)
        assert found.burdens == pytest.approx(expected, abs=1e-13)
        hand = Hand(game, plan)
        for i in hand.allies:
            below = hand.slope(i, expected, float(demand) * (1 - 1e-15))
            above = hand.slope(i, expected, float(demand))
            assert (found.burdens[i] == demand) == (above <= 0 <= below)


def test_bunching_of_a_large_alliance() -> None:
    """At a demand within NATO's range some allies sit on it, exactly, and nobody regrets it."""
    game, _ = nato_like()
    found = respond(game, Plan(threat=0.6, demand=0.025, burden=0.034))
    assert 3 <= (found.burdens == 0.025).sum() < 30
    assert found.certificate.verdict == "certified"
    hand = Hand(game, found.plan)
    assert max(hand.gains(found.burdens.tolist(), 40)) < 1e-12


@pytest.mark.parametrize(
    ("name", "exact"),
    [
        ("K1", {2: 0.0}),
        ("K4", {2: 0.0}),
        ("corner contributors", {2: 0.0}),
        ("all at the upper bound", {0: 0.02, 1: 0.03, 2: 0.01}),
        ("all at the lower bound", {0: 0.05, 1: 0.06, 2: 0.07}),
    ],
)
def test_corners_and_bounds_are_exact(name: str, exact: dict[int, float]) -> None:
    found = solve_nash(BANK[name].game)
    assert {i: found.burdens[i] for i in exact} == exact


def test_an_ally_that_values_nothing_gives_exactly_nothing() -> None:
    """Without value of security a threat means nothing, at full strength and with CES too."""
    for forms in ({}, {"substitution": 0.3, "decisiveness": 2.0}):
        game = alliance((4, 2, 1), (0.05, 0.05, 0.0), **forms)
        for plan in (
            Plan(),
            Plan(threat=1.0),
            Plan(threat=1.0, burden=0.02),
            Plan(threat=1.0, burden=0.0),
        ):
            found = solve_nash(game, plan)
            assert found.burdens[2] == 0.0
            assert found.certificate.verdict == "certified"
            assert found.burdens == pytest.approx(Hand(game, plan).equilibrium().burdens, abs=1e-12)


# --- Responses and Nash ---------------------------------------------------------------------------


def test_a_burden_named_in_the_plan_is_held_fixed() -> None:
    problem = BANK["designed, status quo"]
    plan = Plan(threat=0.3, burden=0.05)
    found = solve_nash(problem.game, plan)
    assert found.burdens[0] == 0.05
    assert (found.concept, found.plan) == ("response", plan)
    assert np.array_equal(found.burdens, respond(problem.game, plan).burdens)


def test_respond_needs_the_leaders_burden() -> None:
    with pytest.raises(InvalidValueError, match=r"respond needs plan\.burden.*use solve_nash"):
        respond(BANK["K1"].game, Plan(threat=0.3))


def test_the_leader_may_commit_to_nothing() -> None:
    """Its own payoff is then minus infinity (log influence), but it is no player."""
    game = alliance((4, 2, 1), 0.05, influence_weight=0.01)
    found = respond(game, Plan(burden=0.0))
    assert found.leader_payoff == -math.inf
    assert found.certificate.verdict == "certified"
    assert found.burdens == pytest.approx(Hand(game, found.plan).equilibrium().burdens, rel=1e-11)


def test_no_plan_is_no_pressure() -> None:
    game = BANK["designed, trust impact"].game
    assert np.array_equal(solve_nash(game).burdens, solve_nash(game, Plan()).burdens)
    assert np.array_equal(solve_nash(game).burdens, solve_nash(game, Plan(demand=0.02)).burdens)


def test_the_status_quo_is_solved_once() -> None:
    game = BANK["K5"].game
    assert status_quo(game) is status_quo(game)
    assert np.array_equal(status_quo(game).burdens, solve_nash(game).burdens)


def test_threats_to_nobody_who_believes_them_change_only_trust() -> None:
    game = BANK["designed, status quo"].game.replace(credibility=0.0)
    calm, pressed = solve_nash(game), solve_nash(game, Plan(threat=0.9))
    assert pressed.burdens == pytest.approx(calm.burdens, rel=1e-12)
    worn = solve_nash(game.replace(decay=0.5), Plan(threat=0.9))
    assert worn.leader_influence < calm.leader_influence


# --- Several equilibria ---------------------------------------------------------------------------


def test_every_root_of_the_leaders_condition_is_reported() -> None:
    """Against a dense scan of the leader's slope, by hand, along the allies' exact answers.

    The allies are alike and answer alike (their response is unique), so one number says it.
    """
    problem = BANK["three equilibria"]
    hand = Hand(problem.game)

    def slope(lead: float) -> float:
        ally = brentq(lambda x: hand.slope(1, [lead, *[x] * 4]), 1e-9, 0.9, xtol=1e-15)
        return hand.slope(0, [lead, *[ally] * 4])

    grid = np.linspace(1e-3, 0.2, 800)
    signs = np.sign([slope(point) for point in grid])
    found = solve_nash(problem.game)
    brackets = grid[:-1][signs[:-1] != signs[1:]]
    roots = sorted(one.burdens[0] for one in (found, *found.others))
    assert len(brackets) == len(roots) == 3
    for bracket, root in zip(brackets, roots, strict=True):
        assert bracket <= root <= bracket + (grid[1] - grid[0])


def test_slight_changes_of_the_game_keep_the_number_of_equilibria_odd() -> None:
    game = BANK["three equilibria"].game
    counts = set()
    for spillin in (0.0, 0.1, 0.3, 0.6, 0.9, 1.0):
        found = solve_nash(game.replace(spillin=spillin))
        counts.add(1 + len(found.others))
        assert (1 + len(found.others)) % 2 == 1
        assert found.multiple == bool(found.others)
    assert counts == {1, 3}


@pytest.mark.parametrize(
    ("gdp", "theta"),
    [
        ((0.81, 1.38, 1.31, 1.63), (0.06915884620768717, 0.038, 0.043, 0.01)),
        ((0.96, 2.01), (0.0766520558158241, 0.038)),
        ((2.32, 2.66, 1.26), (0.04197510844796025, 0.038, 0.025)),
        ((0.59, 0.64, 2.99, 2.62), (0.19492346161008256, 0.027, 0.04, 0.011)),
    ],
)
def test_one_flat_root_is_not_taken_for_two(gdp: Any, theta: Any) -> None:
    """The leader hardly contributes and its condition is nearly flat: rounding moves the root."""
    found = solve_nash(alliance(gdp, theta, spillin=0.9))
    assert 0 < found.burdens[0] < 1e-4
    assert found.others == ()
    assert found.certificate.unique == "not proven"


def test_certify_knows_that_an_equilibrium_is_one_of_several() -> None:
    problem = BANK["three equilibria"]
    for burdens in (problem.burdens, *problem.others):
        made = certify(problem.game, burdens)
        assert made.unique == "multiple"
        assert made.regret < 1e-12


# --- Failure --------------------------------------------------------------------------------------


def without_trust(**changes: Any) -> Any:
    facts: dict[str, Any] = {
        "influence_weight": 0.01, "private_weight": 0.004, "horizon": "stationary", "scarring": 0.1,
    }  # fmt: skip
    return alliance((3, 1, 1), 0.05, **(facts | changes))


def test_zero_trust_with_log_influence_is_refused() -> None:
    game = without_trust()
    for plan in (Plan(threat=0.5), Plan(threat=0.5, burden=0.03)):
        with pytest.raises(
            ZeroTrustError, match=r"trust of every ally is zero.*L values influence"
        ):
            solve_nash(game, plan)
        found = solve_nash(game, plan, throw=False)
        assert found.certificate.verdict == "unverified"
        assert "trust of every ally is zero" in found.message
        assert found.certificate.regret == math.inf
        assert np.isnan(found.burdens).all()
    assert solve_nash(game).certificate.verdict == "certified"  # Only threats leave scars.


def test_zero_trust_is_admissible_where_payoffs_stay_finite() -> None:
    for changes in (
        {"influence_value": "share", "decisiveness": 0.7},
        {"influence_weight": {"L": 0.0, "A1": 0.01, "A2": 0.01}},
    ):
        base = without_trust()
        game = base.replace(**changes)
        found = solve_nash(game, Plan(threat=0.5))
        assert found.certificate.verdict == "certified"
        assert found.leader_influence == 0.0
        assert found.trust.tolist() == [0.0, 0.0, 0.0]
        expected = Hand(game, Plan(threat=0.5)).equilibrium().burdens
        assert found.burdens == pytest.approx(expected, rel=1e-9)


def test_weak_links_without_trust_leave_no_finite_payoff() -> None:
    """docs/theory/model, Security: only profiles with finite payoffs are equilibria."""
    game = without_trust(substitution=-0.5, decisiveness=2.0, influence_weight=0.0)
    for plan in (Plan(threat=0.5), Plan(threat=0.5, burden=0.03), Plan(burden=0.0)):
        with pytest.raises(ConvergenceError, match="no equilibrium"):
            solve_nash(game, plan)
        assert solve_nash(game, plan, throw=False).certificate.verdict == "unverified"


def test_failure_to_converge_says_what_to_try(monkeypatch: pytest.MonkeyPatch) -> None:
    solve = aggregative.solve_plan

    def fail(*arguments: Any, **options: Any) -> Any:
        batch = solve(*arguments, **options)
        batch.info[0, 0] = aggregative.FAILED
        return batch

    monkeypatch.setattr(nash.aggregative, "solve_plan", fail)
    with pytest.raises(ConvergenceError, match=r"no equilibrium found.*try"):
        solve_nash(BANK["K1"].game)
    found = solve_nash(BANK["K1"].game, throw=False)
    assert found.certificate.verdict == "unverified"
    assert "try" in found.message


def test_a_stationary_point_that_is_no_equilibrium_raises() -> None:
    """Tullock contest with m = 3: at the symmetric stationary point both would rather give up."""
    game = alliance((1, 1), 0.0, influence_weight=0.3, influence_value="share", decisiveness=3.0)
    with pytest.raises(ConvergenceError, match=r"no equilibrium.*could gain"):
        solve_nash(game)
    found = solve_nash(game, throw=False)
    assert found.certificate.verdict == "unverified"
    assert found.certificate.regret == pytest.approx(max(Hand(game).gains(found.burdens.tolist())))


def test_stricter_tolerances_are_kept() -> None:
    strict = Tolerances(certified=1e-300)
    found = solve_nash(BANK["K5"].game, tolerances=strict)
    assert found.certificate.verdict == "approximate"
    assert found.certificate.tolerances == strict
    with pytest.raises(ConvergenceError):
        solve_nash(BANK["K5"].game, tolerances=Tolerances(certified=0.0, approximate=1e-300))


@pytest.mark.parametrize(
    ("burdens", "words"),
    [
        ((0.1, 0.1), "3 numbers"),
        ((0.1, 0.1, 1.5), r"burden of A2 must be in \[0, 0.999\], got 1.5"),
        ((0.1, -0.1, 0.1), r"burden of A1.*got -0.1"),
        ((0.1, math.nan, 0.1), "burden of A1 must be finite"),
        ({"L": 0.1, "A1": 0.1}, "no value for A2"),
        ({"L": 0.1, "A1": 0.1, "A3": 0.1}, "unknown member 'A3'"),
    ],
)
def test_certify_checks_its_profile(burdens: Any, words: str) -> None:
    with pytest.raises(AllianceGameError, match=words):
        certify(BANK["K1"].game, burdens)


def test_certify_compares_with_what_solve_nash_finds() -> None:
    """An equilibrium that the solver does not return is still one, and then there are two."""
    game = BANK["three equilibria"].game
    alone = solve_nash(game, tolerances=Tolerances(roots=2))
    for burdens in (BANK["three equilibria"].burdens, *BANK["three equilibria"].others):
        made = certify(game, burdens, tolerances=Tolerances(roots=2))
        assert made.verdict == "certified"
        same = np.abs(alone.burdens - burdens).max() < 1e-6
        assert made.unique == ("not proven" if same else "multiple")


def test_certify_checks_the_leaders_burden_against_the_plan() -> None:
    with pytest.raises(InvalidValueError, match=r"burden of L must be the 0.2 that the plan names"):
        certify(BANK["K1"].game, (0.1, 0.1, 0.1), Plan(burden=0.2))
