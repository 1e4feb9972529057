"""What is true is accepted: every form, known answers, and only as far as it can be known."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from tests.problems import BANK, alliance
from tests.verify import by_hand
from tests.verify.conftest import saved

PRESSED = ag.Plan(threat=0.5, demand=0.03)
TAXED = ag.Plan(threat=0.3, tariff=0.2, demand=0.03)
TARIFF = {"trade_exposure": 0.1, "deadweight": 0.2, "tariff_decay": 0.5}
FORMS: dict[str, tuple[dict[str, Any], ag.Plan]] = {
    "council": ({}, PRESSED),
    "a response": ({}, PRESSED.replace(burden=0.03)),
    "hub": ({"influence": "hub", "rival_pull": 0.05}, PRESSED),
    "hub, m = 2, shares": (
        {"influence": "hub", "rival_pull": 0.05, "influence_value": "share", "decisiveness": 2},
        PRESSED,
    ),
    "hub, m = 1/2": ({"influence": "hub", "rival_pull": 0.05, "decisiveness": 0.5}, PRESSED),
    "shares, m = 3": ({"influence_value": "share", "decisiveness": 3}, PRESSED),
    "logistic": ({"shortfall": "logistic"}, PRESSED),
    "trigger": ({"shortfall": "trigger"}, PRESSED),
    "tariff": (TARIFF, TAXED),
    "tariff, logistic": (TARIFF | {"shortfall": "logistic"}, TAXED),
    "tariff, trigger": (TARIFF | {"shortfall": "trigger"}, TAXED),
    "rho = 2": ({"substitution": 2.0}, PRESSED),
    "rho = -1": ({"substitution": -1.0}, PRESSED),
    "rho = 1/2": ({"substitution": 0.5}, PRESSED),
    "weakest link": ({"technology": "weakest-link"}, PRESSED),
    "best shot": ({"technology": "best-shot"}, PRESSED),
    "linear": ({"consumption": "linear", "burden_max": 10}, PRESSED),
    "stationary": (
        {"horizon": "stationary", "recovery": 0.1, "contagion": 0.2, "curvature": 1.5}, PRESSED
    ),
    "scarred": ({"horizon": "stationary", "recovery": 0.1, "scarring": 0.2, "influence_value": "share"},
                PRESSED),
    "corners": ({"influence_weight": 0, "private_weight": 0}, PRESSED),
    "congestion": ({"congestion": 0.7, "cohesion": 0.5}, PRESSED),
}  # fmt: skip


def regret_of(report: Any) -> Any:
    return next(c for c in report.claims if c.claim == "regret")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_checked_to_a_tight_bound(form: str) -> None:
    """Payoffs by hand agree with the terms in intervals; best replies by a grid are certified."""
    parameters, plan = FORMS[form]
    usual = {"influence_weight": 0.01, "private_weight": 0.004, "decay": 0.3, "burden_max": 0.25}
    game = alliance((8, 3, 2, 1), 0.05, **(usual | parameters))
    burdens = by_hand.Alliance(game, plan).equilibrium([0.02] * 4)
    content = by_hand.record(game, plan, burdens, regret=1e-14, verdict="certified")
    report = ag.verify(by_hand.file(content))
    assert report.accepted, report.to_dict()
    wrong = [*burdens[:2], burdens[2] * 1.05, *burdens[3:]]
    moved = by_hand.record(game, plan, wrong, regret=1e-7)
    report = ag.verify(by_hand.file(moved))
    assert regret_of(report).status == "refused"
    assert "gains at least" in regret_of(report).detail


@pytest.mark.parametrize("name", sorted(BANK))
def test_the_bank_is_accepted(name: str) -> None:
    problem = BANK[name]
    report = ag.verify(saved(ag.solve_nash(problem.game, problem.plan)))
    assert report.accepted, report.to_dict()


def test_bounds_are_tight_where_payoffs_are_flat(files: dict[str, Any]) -> None:
    """At an interior optimum the bound is slope^2 / (2 |bend|): of order 1e-33, not 1e-16."""
    detail = regret_of(ag.verify(files["nash"])).detail
    assert float(detail.split("more than ")[1].split(" ")[0]) < 1e-30


def test_what_an_estimate_says_is_not_checkable(files: dict[str, Any]) -> None:
    for kind, open_claims in (
        ("stackelberg", {"leader gap", "selection"}), ("comparison", {"decomposition"}),
        ("comparisons", {"decomposition"}), ("nash", set()), ("response", set()), ("set", set()),
        ("multiple", set()),
    ):  # fmt: skip
        report = ag.verify(files[kind])
        assert {c.claim for c in report.claims if c.status != "accepted"} == open_claims, kind
        assert report.status == ("not checkable" if open_claims else "accepted")
        assert report.accepted is not bool(open_claims)


@pytest.mark.parametrize("threat", [1.0, 0.1])
def test_k6_the_largest_demand_that_is_met(threat: float) -> None:
    from scipy.special import lambertw

    theta, shelter = 0.04, 0.02
    game = alliance((1, 1), (0, theta), consumption="linear", shortfall="trigger")
    z = -float(lambertw(-math.exp(-1 - threat * shelter / theta), -1).real)
    for beyond, status in ((-1e-9, "accepted"), (1e-9, "refused")):
        demand = theta * z - shelter + beyond
        plan = ag.Plan(threat=threat, demand=demand, burden=shelter)
        content = by_hand.record(game, plan, (shelter, demand), regret=1e-12, verdict="certified")
        assert regret_of(ag.verify(by_hand.file(content))).status == status


def test_k7_both_equilibria(trigger_pair: dict[str, Any]) -> None:
    report = ag.verify(trigger_pair)
    assert report.accepted
    assert len(report.claims) == 6


def test_profiles_that_are_no_equilibria_of_trigger_threats(trigger_pair: dict[str, Any]) -> None:
    game = ag.BurdenSharingGame(**trigger_pair["game"])
    plan = ag.Plan(**trigger_pair["plan"])
    for burdens in (
        (0.02, 0.04, 0.04),
        (0.02, 0.012, 0.012),
        (0.02, math.nextafter(0.04, 0), 0.012),
    ):
        content = by_hand.record(game, plan, burdens, regret=1e-9, verdict="certified")
        assert regret_of(ag.verify(by_hand.file(content))).status == "refused"


@pytest.mark.parametrize(
    ("technology", "burdens", "status"),
    [
        ("best-shot", (0.05, 0, 0), "accepted"),
        ("best-shot", (0, 0.05, 0), "accepted"),
        ("best-shot", (0.05, 0.05, 0), "refused"),
        ("weakest-link", (0.05, 0.05, 0.05), "accepted"),
        ("weakest-link", (0.02, 0.02, 0.02), "accepted"),
        ("weakest-link", (0.02, 0.02, 0.03), "refused"),
        ("weakest-link", (0.06, 0.06, 0.06), "refused"),
    ],
)
def test_limit_technologies(technology: str, burdens: tuple[float, ...], status: str) -> None:
    game = alliance((1, 1, 1), 0.05, technology=technology, consumption="linear")
    content = by_hand.record(game, ag.Plan(), burdens, regret=1e-12, verdict="certified")
    assert regret_of(ag.verify(by_hand.file(content))).status == status


@pytest.mark.parametrize(("m", "status"), [(2.0, "accepted"), (5.0, "refused")])
def test_a_symmetric_contest_beyond_existence(m: float, status: str) -> None:
    """At alpha m / 4 each the conditions hold for every m; beyond m = 2 it pays to leave."""
    game = alliance(
        (1, 1),
        0,
        influence_weight=0.1,
        influence_value="share",
        decisiveness=m,
        consumption="linear",
    )
    content = by_hand.record(game, ag.Plan(), (0.025 * m,) * 2, regret=1e-9, verdict="certified")
    assert regret_of(ag.verify(by_hand.file(content))).status == status


def test_nothing_at_all_is_left_for_the_least_contribution() -> None:
    """Alone in the council, anything takes all influence: the gain is a supremum."""
    game = alliance((1, 1), 0, influence_weight=0.1, influence_value="share")
    content = by_hand.record(game, ag.Plan(), (0, 0), regret=1e-9, verdict="certified")
    assert regret_of(ag.verify(by_hand.file(content))).status == "refused"


def test_nato_2024() -> None:
    found = ag.solve_nash(ag.load_model("nato-2024"), ag.Plan(threat=0.5))
    assert ag.verify(saved(found)).accepted


def test_nothing_of_the_solvers_is_imported(files: dict[str, Any], tmp_path: Path) -> None:
    """Not by importing the checker, and not by checking."""
    path = tmp_path / "result.json"
    path.write_text(json.dumps(files["comparison"]), encoding="utf-8")
    code = (
        "import json, sys\n"
        "import alliancegame.verify as checker\n"
        f"report = checker.verify({str(path)!r})\n"
        "print(json.dumps([report.status, sorted(sys.modules)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    status, loaded = json.loads(done.stdout)
    assert status == "not checkable"
    ours = {name for name in loaded if name.startswith("alliancegame.")}
    allowed = (
        "alliancegame.errors",
        "alliancegame._version",
        "alliancegame.game",
        "alliancegame.verify",
    )
    assert {n for n in ours if not n.startswith(allowed)} == {
        "alliancegame.payoff", "alliancegame.payoff.terms",
    }  # fmt: skip
    assert not {"numba", "llvmlite", "scipy", "cvxpy", "pandas", "alliancegame.solve"} & set(loaded)


def test_a_report_can_be_read(files: dict[str, Any]) -> None:
    report = ag.verify(files["stackelberg"])
    assert "not checkable" in report.headline()
    assert "not checkable" in repr(report)
    assert list(report.to_frame().columns) == ["of", "claim", "status", "detail"]
    assert json.loads(json.dumps(report.to_dict()))["status"] == "not checkable"


def test_a_result_of_another_kind_is_not_checkable() -> None:
    chicken = ag.FiniteGame([[[0, 7], [2, 6]], [[0, 2], [7, 6]]])
    content = json.loads(ag.find_equilibria(chicken).to_json(certificate=True))
    assert ag.verify(content).status == "not checkable"


def test_an_unverified_result_claims_nothing() -> None:
    game = alliance((1, 1), 0.05)
    content = by_hand.record(game, ag.Plan(), (0.2, 0.2), regret=1e-9, verdict="unverified")
    report = ag.verify(by_hand.file(content))
    assert regret_of(report).status == "not checkable"


def test_files_without_claims_are_what_they_were(
    small: ag.BurdenSharingGame, tmp_path: Path
) -> None:
    found = ag.solve_nash(small)
    assert "claims" not in json.loads(found.to_json())
    found.to_json(tmp_path / "with.json", certificate=True)
    again = ag.load_result(tmp_path / "with.json")
    assert np.array_equal(again.burdens, found.burdens)
    assert ag.verify(tmp_path / "with.json").accepted
