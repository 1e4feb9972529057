"""Plan: threats, demands and the leader's own burden."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from alliancegame.errors import InvalidValueError, UnknownNameError
from alliancegame.game.members import Members
from alliancegame.game.plan import DEFAULT_DEMAND, Plan

MEMBERS = Members(("FRA", "USA", "DEU"), "USA")


def test_no_pressure_by_default() -> None:
    plan = Plan()
    assert not plan.pressure
    assert plan.burden is None
    assert plan.threat_by_member(MEMBERS).tolist() == [0.0, 0.0, 0.0]
    assert plan.describe() == "no pressure"


@pytest.mark.parametrize(
    "threat",
    [
        {"FRA": 0.2, "DEU": 0.4},
        [0.2, 0.9, 0.4],
        np.array([0.2, 0.0, 0.4]),
        pd.Series({"DEU": 0.4, "FRA": 0.2}),
    ],
)
def test_threats_by_ally_leave_the_leader_out(threat: object) -> None:
    plan = Plan(threat=threat)
    assert plan.pressure
    assert plan.threat_by_member(MEMBERS).tolist() == [0.2, 0.0, 0.4]


def test_scalars_hold_for_every_ally() -> None:
    plan = Plan(threat=0.5, demand=0.03)
    assert plan.threat_by_member(MEMBERS).tolist() == [0.5, 0.0, 0.5]
    assert plan.demand_by_member(MEMBERS).tolist() == [0.03, DEFAULT_DEMAND, 0.03]


def test_missing_allies_have_no_threat_and_the_default_demand() -> None:
    plan = Plan(threat={"DEU": 0.4}, demand={"FRA": 0.02})
    assert plan.threat_by_member(MEMBERS).tolist() == [0.0, 0.0, 0.4]
    assert plan.demand_by_member(MEMBERS).tolist() == [0.02, DEFAULT_DEMAND, DEFAULT_DEMAND]


def test_arrays_by_member_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Plan(threat=0.5).threat_by_member(MEMBERS)[0] = 1.0


def test_one_plan_serves_games_of_different_members() -> None:
    plan, others = Plan(threat={"DEU": 0.4}), Members(("DEU", "USA"), "USA")
    assert plan.threat_by_member(MEMBERS).tolist() == [0.0, 0.0, 0.4]
    assert plan.threat_by_member(others).tolist() == [0.4, 0.0]
    assert plan.threat_by_member(MEMBERS).tolist() == [0.0, 0.0, 0.4]


def test_replace_changes_what_is_named() -> None:
    plan = Plan(threat=0.5, demand=0.03, burden=0.02)
    changed = plan.replace(threat=0.7)
    assert changed == Plan(threat=0.7, demand=0.03, burden=0.02)
    assert plan.threat == 0.5
    assert plan.replace(burden=None).burden is None
    with pytest.raises(
        UnknownNameError, match=r"unknown plan field 'thret'.*Did you mean 'threat'"
    ):
        plan.replace(thret=0.1)
    with pytest.raises(InvalidValueError, match="threat"):
        plan.replace(threat=7)


@pytest.mark.parametrize("threat", [0.5, {"DEU": 0.4}, [0.1, 0.0, 0.2]])
def test_dicts_round_trip(threat: object) -> None:
    plan = Plan(threat=threat, demand=0.04, burden=0.03)
    again = Plan(**plan.to_dict())
    assert again == plan
    assert hash(again) == hash(plan)
    assert plan != Plan(threat=threat, demand=0.04)
    assert plan != "plan"


def test_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Plan().threat = 0.3  # type: ignore[misc]


def test_described_in_one_phrase() -> None:
    assert Plan(threat=0.5).describe() == "threat 0.5, demand 5 %"
    assert Plan(burden=0.0337).describe().startswith("own burden 3.37")
    by_ally = Plan(threat={"FRA": 0.2, "DEU": 0.4}, demand=0.03, burden=0.02).describe()
    assert by_ally.startswith("threat by ally (FRA 0.2; DEU 0.4), demand 3 %, own burden 2")


def test_demands_by_ally_that_are_all_the_default_are_one() -> None:
    everybody = Plan(threat={"FRA": 0.2}, demand={"FRA": 0.05, "DEU": 0.05})
    assert everybody.describe() == "threat by ally (FRA 0.2), demand 5 %"
    other = Plan(threat=0.2, demand={"FRA": 0.03, "DEU": 0.03})
    assert other.describe() == "threat 0.2, demand by ally (FRA 3 %; DEU 3 %)"
    many = Plan(threat={f"M{k}": 0.1 * k for k in range(1, 9)}).describe()
    assert many.startswith("threat by ally (0.1 to 0.8: M1 0.1; ")
    assert "and 2 more)" in many


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("threat", 1.2, r"threat of the plan must be in \[0, 1\], got 1.2"),
        ("threat", -0.1, r"in \[0, 1\], got -0.1"),
        ("threat", np.nan, "must be finite"),
        ("threat", 1j, "must be real"),
        ("threat", "much", "must be a number, got 'much'"),
        ("threat", None, "must be a number"),
        ("threat", [[0.1]], r"shape \(1, 1\)"),
        ("threat", [[0.1], [0.1, 0.2]], "unequal length"),
        ("threat", {"FRA": 1.5}, r"threat of FRA must be in \[0, 1\], got 1.5"),
        ("threat", [0.1, 3.0, 0.1], "threat of member 1"),
        ("demand", 0.0, "demand of the plan must be > 0, got 0"),
        ("demand", -0.02, "> 0, got -0.02"),
        ("demand", {"DEU": 0}, "demand of DEU must be > 0"),
        ("demand", np.inf, "must be finite"),
        ("burden", -0.01, "burden of the plan must be >= 0, got -0.01"),
        ("burden", "2 %", "must be a number"),
        ("burden", [0.1], "must be a number"),
        ("burden", np.nan, "must be finite"),
        ("tariff", -1, "tariff of the plan must be >= 0"),
    ],
)
def test_bad_values_at_the_door(field: str, value: object, words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        Plan(**{field: value})


def test_tariffs_press_too() -> None:
    plan = Plan(tariff={"FRA": 0.1}, demand=0.02)
    assert plan.pressure
    assert plan.taxed
    assert "tariff" in plan.describe()
    assert not Plan(tariff={"FRA": 0.0}).pressure


def test_names_are_checked_against_the_members() -> None:
    with pytest.raises(
        UnknownNameError, match=r"unknown member 'FRAN' in threat.*Did you mean 'FRA'"
    ):
        Plan(threat={"FRAN": 0.1}).threat_by_member(MEMBERS)
    with pytest.raises(InvalidValueError, match="names the leader USA"):
        Plan(demand={"USA": 0.1}).demand_by_member(MEMBERS)
    with pytest.raises(InvalidValueError, match=r"3 numbers.*shape \(2,\)"):
        Plan(threat=[0.1, 0.2]).threat_by_member(MEMBERS)
