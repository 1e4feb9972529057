"""Bad input at the door: an error of ours that names what is wrong, what is allowed, what is near.

Files, tables and calibration have their own tests; here stand games, plans, solvers and results.
`pytest.raises(AllianceGameError)` is the point: nothing of NumPy, SymPy or Numba reaches a user.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import alliancegame as ag
from alliancegame.errors import AllianceGameError

FACTS: dict[str, Any] = {
    "members": ["USA", "FRA", "DEU"], "leader": "USA", "gdp": [30.0, 3.0, 5.0],
    "security_weight": 0.03, "influence_weight": 0.005, "private_weight": 0.002,
}  # fmt: skip


def game(**changes: Any) -> ag.BurdenSharingGame:
    return ag.BurdenSharingGame(**(FACTS | changes))


def refused(call: Callable[[], Any], *words: str) -> None:
    """One of our errors, with every word in its message (and warnings are errors of pytest's)."""
    with pytest.raises(AllianceGameError) as caught:
        call()
    message = str(caught.value)
    for word in words:
        assert word in message, message


# --- Games ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gdp", "words"),
    [
        ([30.0, math.nan, 5.0], ("gdp of FRA", "finite", "nan")),
        ([30.0, math.inf, 5.0], ("gdp of FRA", "finite", "inf")),
        (np.array([30.0, 3.0, -math.inf]), ("gdp of DEU", "finite")),
        ([30.0, 3 + 1j, 5.0], ("gdp of FRA", "real", "complex")),
        (np.array([30.0, 3.0, 5.0 + 0j]), ("gdp of USA", "real")),
        ([30.0, -3.0, 5.0], ("gdp", "FRA", "> 0", "-3")),
        ([30.0, 3.0, 0.0], ("gdp", "DEU", "> 0", "got 0")),
        ([30.0, 3.0], ("gdp", "3 numbers", "(2,)")),
        ([[30.0, 3.0, 5.0]], ("gdp", "(1, 3)")),
        ([[30.0], [3.0, 4.0], 5.0], ("gdp", "unequal length")),
        ("30, 3, 5", ("gdp", "number", "'30, 3, 5'")),
        ([30.0, "three", 5.0], ("gdp of FRA", "'three'")),
        (None, ("gdp", "None")),
        (True, ("gdp", "True")),
        ({"USA": 30.0, "FRA": 3.0}, ("gdp", "no value for DEU")),
        ({"USA": 30.0, "FRA": 3.0, "DEU": 5.0, "DEUX": 1.0}, ("'DEUX'", "gdp", "'DEU'")),
        (pd.Series([30.0, 3.0, 5.0], index=["USA", "FRA", "GER"]), ("'GER'", "gdp")),
        (pd.Series([30.0, math.nan, 5.0], index=["USA", "FRA", "DEU"]), ("gdp of FRA", "finite")),
        (pd.DataFrame({"gdp": [30.0, 3.0, 5.0]}), ("gdp",)),
        (np.ma.array([30.0, 3.0, 5.0], mask=[0, 1, 0]), ("gdp", "masked")),
        (np.array(["2024", "2025", "2026"], dtype="datetime64[Y]"), ("gdp of USA", "number")),
        (object(), ("gdp", "number")),
    ],
)  # fmt: skip
def test_gdp(gdp: Any, words: tuple[str, ...]) -> None:
    refused(lambda: game(gdp=gdp), *words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"members": ["USA"], "gdp": 1.0}, ("at least two members", "got 1")),
        ({"members": [], "gdp": 1.0}, ("at least two members", "got 0")),
        ({"members": ["USA", "FRA", "FRA"]}, ("duplicate member 'FRA'",)),
        ({"members": ["USA", "", "DEU"]}, ("label", "''")),
        ({"members": ["USA", 33, 49]}, ("label", "33")),
        ({"members": "USA"}, ("members", "list of labels")),
        ({"members": None}, ("members", "list of labels")),
        ({"leader": "UAS"}, ("unknown leader 'UAS'", "Did you mean 'USA'", "DEU, FRA, USA")),
        ({"leader": 0}, ("leader", "label")),
        ({"leader": ["USA"]}, ("leader", "label")),
    ],
    ids=str,
)
def test_members(change: dict[str, Any], words: tuple[str, ...]) -> None:
    refused(lambda: game(**change), *words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"burden_max": 1.0}, ("burden_max of USA", "below 1", 'consumption="linear"')),
        ({"burden_max": 0.0}, ("burden_max", "got 0")),
        ({"burden_min": 0.25}, ("burden_min of USA", "burden_max 0.25")),
        ({"burden_min": -0.1}, ("burden_min", "-0.1")),
        ({"influence_weight": -0.01}, ("influence_weight", ">= 0", "-0.01")),
        ({"private_weight": {"USA": 0, "FRA": -1, "DEU": 0}}, ("private_weight for FRA", ">= 0")),
        ({"effectiveness": 0}, ("effectiveness", "> 0")),
        ({"spillin": -0.5}, ("spillin", ">= 0")),
        ({"umbrella": [0, 0.5, math.nan]}, ("umbrella of DEU", "finite")),
        ({"council_weight": 0}, ("council_weight", "> 0")),
        ({"credibility": 1.01}, ("credibility", "[0, 1]", "1.01")),
        ({"trust": 1.5}, ("trust", "[0, 1]", "1.5")),
        ({"trust": 0.9, "trust_ceiling": 0.8}, ("trust of FRA", "trust_ceiling 0.8", "0.9")),
        ({"decay": -0.4}, ("decay", ">= 0")),
        ({"curvature": 0}, ("curvature", "> 0")),
        ({"recovery": 2}, ("recovery", "[0, 1]")),
        ({"cohesion": "much"}, ("cohesion", "'much'")),
        ({"congestion": [1, 1, 1]}, ("congestion", "number")),
        ({"substitution": 0}, ("substitution = 0",)),
        ({"substitution": 21}, ("substitution", "[-20, 20]")),
        ({"substitution": -1, "private_weight": 0}, ("private_weight > 0 or burden_min > 0",)),
        ({"decisiveness": 0}, ("decisiveness", "(0, 20]")),
        ({"consumption": "logs"}, ("'logs'", "Did you mean 'log'", "linear, log")),
        ({"influence_value": "shares"}, ("Did you mean 'share'",)),
        ({"horizon": "long"}, ("horizon", "impact, stationary")),
        ({"security_weight": None}, ("security_weight has no default",)),
        ({"security_weigth": 0.1}, ("'security_weigth'", "Did you mean 'security_weight'")),
        ({"beta": 0.1}, ("unknown parameter 'beta'", "spillin")),
        ({"trust_law": 3}, ("trust_law",)),
    ],
    ids=str,
)  # fmt: skip
def test_parameters(change: dict[str, Any], words: tuple[str, ...]) -> None:
    refused(lambda: game(**change), *words)
    if "security_weight" not in change:
        refused(lambda: game().replace(**change), *words)


# --- Plans ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"threat": 1.1}, ("threat", "[0, 1]", "1.1")),
        ({"threat": -0.1}, ("threat", "[0, 1]", "-0.1")),
        ({"threat": math.nan}, ("threat", "finite")),
        ({"threat": {"FRA": 2}}, ("threat of FRA", "[0, 1]", "2")),
        ({"threat": "high"}, ("threat", "'high'")),
        ({"demand": 0}, ("demand", "> 0", "got 0")),
        ({"demand": -0.02}, ("demand", "> 0", "-0.02")),
        ({"demand": {"DEU": 0}}, ("demand of DEU", "> 0")),
        ({"burden": -0.01}, ("burden", ">= 0", "-0.01")),
        ({"burden": math.inf}, ("burden", "finite")),
        ({"tariff": -0.1}, ("tariff", ">= 0")),
    ],
    ids=str,
)
def test_plans(fields: dict[str, Any], words: tuple[str, ...]) -> None:
    refused(lambda: ag.Plan(**fields), *words)


@pytest.mark.parametrize("solve", [ag.solve_nash, ag.respond, ag.compare])
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"threat": {"FRN": 0.5}}, ("'FRN'", "threat", "Did you mean 'FRA'")),
        ({"threat": {"USA": 0.5}}, ("threat", "leader USA", "allies only")),
        ({"demand": {"ITA": 0.02}}, ("'ITA'", "demand")),
        ({"threat": [0.1, 0.2]}, ("threat", "3 numbers", "(2,)")),
        ({"threat": 0.5, "demand": 0.3}, ("demand on FRA", "(0, 0.25]", "0.3")),
        ({"burden": 0.26}, ("burden of the plan", "[0, 0.25]", "USA", "0.26")),
    ],
    ids=str,
)
def test_plans_against_the_game(solve: Any, fields: dict[str, Any], words: tuple[str, ...]) -> None:
    refused(lambda: solve(game(), ag.Plan(**({"burden": 0.03} | fields))), *words)
    quiet = {"throw": False} if solve is not ag.compare else {}
    refused(lambda: solve(game(), ag.Plan(**({"burden": 0.03} | fields)), **quiet), *words)


# --- Solvers --------------------------------------------------------------------------------------


def test_respond_without_a_burden() -> None:
    refused(lambda: ag.respond(game(), ag.Plan(threat=0.5)), "plan.burden", "solve_nash")


def test_zero_trust_with_log_influence() -> None:
    lost = game(horizon="stationary", scarring=0.1)
    refused(
        lambda: ag.solve_nash(lost, ag.Plan(threat=0.5)), "trust", "zero", "USA", "Lower the threat"
    )
    none = game(trust=0.0)
    refused(lambda: ag.solve_nash(none), "trust", "zero", "USA")


@pytest.mark.parametrize(
    ("burdens", "words"),
    [
        ([0.03, 0.02], ("burden", "3 numbers")),
        ([0.03, 0.02, 0.26], ("burden of DEU", "[0, 0.25]", "0.26")),
        ([0.03, -0.02, 0.02], ("burden of FRA", "-0.02")),
        ([0.03, math.nan, 0.02], ("burden of FRA", "finite")),
        ({"USA": 0.03, "FRA": 0.02}, ("burden", "no value for DEU")),
        ({"USA": 0.03, "FRA": 0.02, "DUE": 0.02}, ("'DUE'", "Did you mean 'DEU'")),
        ("burdens", ("burden", "number")),
        (None, ("burden", "None")),
    ],
    ids=str,
)
def test_certified_profiles(burdens: Any, words: tuple[str, ...]) -> None:
    refused(lambda: ag.certify(game(), burdens), *words)


def test_players_and_names() -> None:
    refused(lambda: game().members.index_of("GER"), "'GER'", "DEU, FRA, USA")
    refused(lambda: game().by_member("gpd"), "'gpd'", "Did you mean 'gdp'")
    refused(lambda: ag.Plan().replace(thret=0.1), "'thret'", "Did you mean 'threat'")


def test_files_that_are_no_results(tmp_path: Any) -> None:
    path = tmp_path / "result.json"
    refused(lambda: ag.load_result(path), "result.json", "cannot be read")
    path.write_text("{", encoding="utf-8")
    refused(lambda: ag.load_result(path), "result.json", "not JSON")
    path.write_text('{"schema": 9, "kind": "equilibrium"}', encoding="utf-8")
    refused(lambda: ag.load_result(path), "schema 9", "schema 1")


@pytest.mark.parametrize(
    "ask",
    [
        lambda g, p, t: ag.solve_nash(g, p, tolerances=t),
        lambda g, p, t: ag.respond(g, p, tolerances=t),
        lambda g, p, t: ag.certify(g, [0.03, 0.02, 0.02], tolerances=t),
        lambda g, p, t: ag.find_equilibria(g, p, tolerances=t),
        lambda g, p, t: ag.solve_stackelberg(g, tolerances=t),
        lambda g, p, t: ag.credible_targets(g, p, tolerances=t),
        lambda g, p, t: ag.solve_alignment(g, p, tolerances=t),
        lambda g, p, t: ag.compare(g, p, tolerances=t),
        lambda g, p, t: ag.robustness(g, p, tolerances=t),
        lambda g, p, t: ag.sweep(g, {"decay": [0.1]}, p, tolerances=t),
    ],
)
@pytest.mark.parametrize("given", [1e-9, "tight", None])
def test_tolerances_of_another_type(ask: Any, given: Any) -> None:
    plan = ag.Plan(threat=0.5, burden=0.03)
    refused(lambda: ask(game(), plan, given), "ag.Tolerances", repr(given))


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (ag.backfire_threshold, "backfire_threshold"),
        (ag.frontier, "frontier"),
        (lambda g: ag.discretise(g, [ag.Plan()], [0.02]), "discretise"),
        (lambda g: ag.uncertainty(g, {"decay": (0, 1)}, ag.Plan()), "uncertainty"),
        (lambda g: ag.global_sensitivity(g, {"decay": (0, 1)}, ag.Plan()), "global_sensitivity"),
    ],
)
def test_forms_are_refused_in_the_name_of_the_question(ask: Any, name: str) -> None:
    refused(lambda: ask(game(technology="best-shot")), f"{name} is not written for", "best-shot")
    if name in ("backfire_threshold", "frontier", "discretise"):
        refused(lambda: ask(game(shortfall="trigger")), f"{name} is not written", '"logistic"')


def test_games_of_another_kind_are_sent_to_their_own_functions() -> None:
    dilemma = ag.FiniteGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
    refused(lambda: ag.solve_stackelberg(dilemma), "takes no finite game", "solve_commitment")  # type: ignore[arg-type]
    refused(lambda: ag.respond(dilemma, ag.Plan(burden=0.1)), "respond needs a game")  # type: ignore[arg-type]
    refused(lambda: ag.sensitivities(ag.solve_nash(dilemma)), "action_sensitivities")  # type: ignore[arg-type]
    refused(lambda: game().replace(**{"decay[FRA]": 0.1}), "decay={'FRA': ...}")
    kept = game().replace(decay={"FRA": 0.1}).by_member("decay")
    assert kept[1] == 0.1
    assert kept[2] == game().by_member("decay")[2]


def test_a_profile_that_is_no_equilibrium_says_who_could_gain() -> None:
    wrong = ag.certify(game(), [0.03, 0.2, 0.02])
    assert str(wrong).startswith("unverified: FRA could gain up to ")


def test_shares_meant_as_per_cent() -> None:
    refused(lambda: ag.burden_shares(game(), pledge=2), "pledge", "(0, 1)", "2 % is 0.02")


def test_results_that_cannot_be_written_or_checked(tmp_path: Any) -> None:
    found = ag.solve_nash(game())
    refused(lambda: found.to_json(tmp_path / "none" / "a.json"), "a.json", "cannot be written")
    text = found.to_json(certificate=True)
    refused(lambda: ag.verify(text), "json.loads")
    with pytest.raises(AllianceGameError) as caught:
        ag.verify(text)
    assert len(str(caught.value)) < 100  # The text itself is not repeated.
    (tmp_path / "notes.txt").write_text("none", encoding="utf-8")
    assert "not JSON" in ag.verify(tmp_path / "notes.txt").claims[0].detail


# --- Extreme, and yet admissible ------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"gdp": [3e7, 1e-3, 5.0]},
        {"gdp": [1e-9, 1e-9, 1e-9]},
        {"gdp": [1e12, 1e12, 1e12]},
        {"security_weight": 1e4},
        {"security_weight": 1e-12},
        {"influence_weight": 50.0},
        {"private_weight": 50.0},
        {"decay": 700.0, "influence_value": "share", "decisiveness": 0.7},
        {"cohesion": 50.0, "trust": 0.5},
        {"congestion": 30.0},
        {"council_weight": [1e6, 1.0, 1e-6]},
        {"spillin": 1e6, "umbrella": 1e6},
        {"burden_max": 1e-6},
        {"burden_min": 0.2499999, "burden_max": 0.25},
        {"trust": 1e-9},
    ],
    ids=str,
)
@pytest.mark.parametrize("plan", [ag.Plan(), ag.Plan(threat=1.0, demand=1e-7)], ids=["A", "full"])
def test_extreme_numbers_end_in_a_certificate_or_in_an_error_of_ours(
    change: dict[str, Any], plan: ag.Plan
) -> None:
    """No warning of NumPy, no traceback of anybody else, and never a wrong certificate."""
    extreme = game(**change)
    try:
        found = ag.solve_nash(extreme, plan)
    except AllianceGameError:
        return
    assert found.certificate.verdict == "certified"
    assert np.isfinite(found.payoffs).all()
    assert ag.certify(extreme, found.burdens, plan).regret <= 1e-9


@pytest.mark.parametrize("bad", [5, [1], {}, True, b"a"], ids=repr)
def test_paths_that_are_none(bad: Any) -> None:
    found = ag.solve_nash(game())
    doors: dict[str, Callable[[], Any]] = {
        "save_model": lambda: ag.save_model(game(), bad),
        "new_model": lambda: ag.new_model("fresh", bad),
        "to_json": lambda: found.to_json(bad),
        "load_result": lambda: ag.load_result(bad),
        "report": lambda: ag.report(game(), bad),
    }
    for name, call in doors.items():
        refused(call, f"{name} needs a path such as", repr(bad))
