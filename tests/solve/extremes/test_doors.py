"""Weakest link and best shot at the public doors: what is taken, what is refused, what comes back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import AllianceGameError, InvalidValueError, UnsupportedFormError
from tests.solve.extremes.by_hand import extreme_game

PLAN = ag.Plan(threat=0.5, demand=0.1)


def game(technology: str = "best-shot", **changes: Any) -> ag.BurdenSharingGame:
    return extreme_game(
        technology, **({"private_weight": 0.02, "influence_weight": 0.01, "decay": 0.3} | changes)
    )


@pytest.mark.parametrize("technology", ["weakest-link", "best-shot"])
def test_compare_takes_the_best_for_the_leader(technology: str) -> None:
    made = ag.compare(game(technology), PLAN.replace(burden=0.15))
    assert made.baseline.multiple
    assert made.baseline.leader_payoff == max(
        e.leader_payoff for e in (made.baseline, *made.baseline.others)
    )
    parts = made.commitment + made.leverage + made.trust_loss
    assert parts == pytest.approx(made.delta_payoff, abs=1e-12)
    assert math.isnan(made.versus_best_burden)  # Commitment is not searched for these technologies.
    assert "nan" not in ag.explain(made)
    assert math.isnan(made.baseline.savings) == (technology == "weakest-link")
    assert math.isnan(made.baseline.compensated_savings) == (technology == "weakest-link")


@pytest.mark.parametrize("technology", ["weakest-link", "best-shot"])
def test_results_travel(technology: str, tmp_path: Any) -> None:
    made = ag.solve_nash(game(technology), PLAN.replace(burden=0.15))
    made.to_json(tmp_path / "made.json")
    read = ag.load_result(tmp_path / "made.json")
    np.testing.assert_array_equal(read.burdens, made.burdens)
    assert read.certificate == made.certificate
    assert len(read.others) == len(made.others)
    assert read.game == made.game


def test_certify_names_what_is_known_of_the_number() -> None:
    shot = game()
    known = ag.solve_nash(shot)
    assert ag.certify(shot, known.others[0].burdens).unique == "multiple"
    fixed = ag.respond(shot, PLAN.replace(burden=0.2))
    assert ag.certify(shot, fixed.burdens, fixed.plan).unique == "proven"
    assert ag.certify(shot, [0.2, 0.3, 0.1], fixed.plan).verdict == "unverified"


REFUSED: dict[str, Callable[[ag.BurdenSharingGame], Any]] = {
    "solve_stackelberg": lambda g: ag.solve_stackelberg(g),
    "solve_social_optimum": lambda g: ag.solve_social_optimum(g),
    "backfire_threshold": lambda g: ag.backfire_threshold(g),
    "frontier": lambda g: ag.frontier(g),
    "solve_trust_path": lambda g: ag.solve_trust_path(g),
    "follow_trust_path": lambda g: ag.follow_trust_path(g, [PLAN]),
    "discretise": lambda g: ag.discretise(g, plans=[PLAN], burdens=[0.01, 0.02]),
    "honour_threat": lambda g: ag.honour_threat(g, PLAN),
    "price_of_anarchy": lambda g: ag.price_of_anarchy(g),
    "burden_shares": lambda g: ag.burden_shares(g),
    "coalition_game": lambda g: ag.coalition_game(g),
    "coalition_stability": lambda g: ag.coalition_stability(g, ["L", "A1"]),
    "leave_one_out": lambda g: ag.leave_one_out(g),
    "stable_coalitions": lambda g: ag.stable_coalitions(g),
    "uncertainty": lambda g: ag.uncertainty(g, {"decay": (0, 1)}, plan=PLAN),
    "global_sensitivity": lambda g: ag.global_sensitivity(g, {"decay": (0, 1)}, plan=PLAN),
    "calibrate": lambda g: ag.calibrate(g, observed=[0.1, 0.1, 0.1]),
    "identified_set": lambda g: ag.identified_set(g, [0.1, 0.1, 0.1]),
    "sweep": lambda g: ag.sweep(g, over={"decay": [0.1, 0.2]}, plan=PLAN),
    "regime_map": lambda g: ag.regime_map(g),
    "dynamic_backfire": lambda g: ag.dynamic_backfire(g, [PLAN]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_whatever_is_not_written_for_them_refuses(name: str) -> None:
    with pytest.raises(UnsupportedFormError, match="not written for"):
        REFUSED[name](game())


@pytest.mark.parametrize(
    ("changes", "plan", "words"),
    [
        ({"influence": "hub"}, ag.Plan(), "council"),
        ({"influence": "hub", "influence_weight": 0.0}, ag.Plan(), "council"),
        ({"influence_value": "share", "decisiveness": 1.5}, ag.Plan(), "decisiveness > 1"),
        ({"shortfall": "trigger"}, PLAN, "trigger"),
        ({"shortfall": "logistic"}, PLAN, "logistic"),
    ],
)
def test_forms_that_are_not_covered(changes: dict[str, Any], plan: ag.Plan, words: str) -> None:
    for call in (ag.solve_nash, lambda g, p: ag.certify(g, [0.1] * 3, p)):
        with pytest.raises(UnsupportedFormError, match=words):
            call(game(**changes), plan)


def test_a_tariff_is_refused() -> None:
    with pytest.raises(UnsupportedFormError, match="tariff"):
        ag.solve_nash(game(trade_exposure=0.1), ag.Plan(tariff=0.1))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"spillin": 0.0}, "spillin > 0 for A1"),
        ({"umbrella": [1, 1, 0]}, "umbrella > 0 for A2"),
        ({"trust": 0.0}, "trust > 0"),
        ({"return_spillin": 0.0}, "return_spillin > 0"),
        ({"substitution": 0.5}, "leave substitution at 1"),
    ],
)
def test_a_missing_link_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        game("weakest-link", **changes)


@pytest.mark.parametrize(
    ("burdens", "plan"),
    [
        ([0.1, 0.1], None),
        ([0.1, 0.1, math.nan], None),
        ([0.1, 0.1, 0.95], None),
        ("x", None),
        (None, None),
        ([0.1, 0.1, 0.1], 5),
        ([0.1, 0.1, 0.1], ag.Plan(burden=0.2)),
        ([0.1, 0.1, 0.1], ag.Plan(burden=0.95)),
    ],
)
def test_bad_profiles_and_plans(burdens: Any, plan: Any) -> None:
    with pytest.raises(AllianceGameError):
        ag.certify(game(), burdens, plan)


def test_trust_that_has_gone() -> None:
    with pytest.raises(ag.errors.ZeroTrustError):
        ag.solve_nash(game(trust=0.0))
    assert ag.solve_nash(game(trust=0.0, influence_weight=0.0)).certificate.verdict == "certified"
