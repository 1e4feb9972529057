"""The commands optimum and shares: tables, JSON, exit codes, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import alliancegame as ag
from alliancegame.solve.result import result_from_dict

Run = Callable[..., Any]


def row_of(text: str, label: str) -> list[str]:
    return next(line for line in text.splitlines() if line.startswith(f"{label} ")).split()


def test_optimum(run: Run) -> None:
    shown = run("optimum", "three-allies", "--threat", "1").stdout
    found = ag.price_of_anarchy(ag.load_model("three-allies"), ag.Plan(threat=1.0))
    best = found.optimum
    assert f"{100 * best.burdens[0]:.2f}" in row_of(shown, "Leader")
    assert f"{100 * best.allied_burden:.2f}" in row_of(shown, "allies")
    text = " ".join(shown.split())
    for row in map(found.row, found.equilibria):
        assert f"price of anarchy {row['price']:.4f}" in text
    assert "certified, no profile is better" in text
    assert max(map(len, shown.splitlines())) <= 80


def test_tariffs_are_options_wherever_a_plan_is(run: Run) -> None:
    trading = ("three-allies", "--set", "trade_exposure=0.1", "--tariff", "10%", "--json")
    found = json.loads(run("optimum", *trading).stdout)
    assert len(found["equilibria"]) == 2
    assert found["equilibria"][1]["plan"]["tariff"] == 0.1
    swept = run("sweep", *trading, "--over", "decay=0,0.4", "--no-picture").stdout
    assert json.loads(swept)["outcomes"]["success"] == 2
    alone = ("sweep", *trading[:3], "--over", "tariff=0,0.1", "--no-picture", "--json")
    assert json.loads(run(*alone).stdout)["outcomes"] == {"status quo": 1, "success": 1}


def test_optimum_as_json(run: Run) -> None:
    shown = json.loads(run("optimum", "three-allies", "--weights", "equal", "--json").stdout)
    found = result_from_dict(shown)
    assert found.optimum.weighting == "equal"
    assert found.optimum.burdens == pytest.approx(
        ag.solve_social_optimum(ag.load_model("three-allies"), "equal").burdens
    )
    assert len(found.equilibria) == 1


def test_weights_by_member(run: Run) -> None:
    words = ("optimum", "three-allies", "--weights", "Large=2", "--weights", "Middle=50%")
    shown = json.loads(run(*words, "--json").stdout)
    assert shown["optimum"]["weights"] == [1.0, 2.0, 0.5, 1.0]
    assert "weights given" in run(*words).stdout


def test_what_is_not_proved_has_its_own_exit_code(run: Run) -> None:
    shared = ("--set", "influence_value=share", "--set", "decisiveness=0.5")
    text = run("optimum", "three-allies", *shared, "--weights", "equal", code=3).stdout
    assert "approximate" in text
    assert "nothing is proved" in " ".join(text.split())


def test_shares(run: Run) -> None:
    shown = run("shares", "three-allies", "--pledge", "2.5%").stdout
    found = ag.burden_shares(ag.load_model("three-allies"), pledge=0.025)
    expected = [f"{100 * v:.2f}" for v in found.to_frame().filter(like="share_").loc["Leader"]]
    assert row_of(shown, "Leader")[1:] == expected
    assert "2.50" in row_of(shown, "nato")
    assert "pledge 2.50 % of GDP" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80
    back = result_from_dict(json.loads(run("shares", "three-allies", "--json").stdout))
    assert list(back.burdens) == list(found.burdens)


def test_a_pledge_out_of_bounds_has_no_payoffs(run: Run) -> None:
    shown = run("shares", "three-allies", "--pledge", "30%").stdout
    assert row_of(shown, "nato")[-1] in ("-", "nothing")


@pytest.mark.parametrize(
    ("words", "message", "code"),
    [
        (["optimum", "three-alies"], "Did you mean 'three-allies'?", 1),
        (["optimum", "three-allies", "--weights", "gpd"], "Did you mean 'gdp'?", 1),
        (["optimum", "three-allies", "--weights", "Larg=2"], "Did you mean 'Large'?", 1),
        (["optimum", "three-allies", *["--weights", "Large=2"] * 2], "Large is given twice", 2),
        (["optimum", "three-allies", "--weights", "Large=-2"], "weight of Large must be >= 0", 1),
        (["optimum", "three-allies", "--weights", "Large=much"], "must be a number", 1),
        (
            ["shares", "three-allies", "--weights", "gdp", "--weights", "Large=2"],
            "not of the form MEMBER=NUMBER",
            2,
        ),
        (["shares", "three-allies", "--pledge", "0"], "pledge must be a share of GDP in (0, 1)", 1),
        (["shares", "three-allies", "--pledge", "two"], "pledge must be a number", 1),
        (["optimum", "three-allies", "--threat", "2"], "threat of the plan must be in [0, 1]", 1),
    ],
)
def test_refusals(run: Run, words: list[str], message: str, code: int) -> None:
    result = run(*words, code=code)
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert result.stdout == ""
