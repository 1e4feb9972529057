"""Results: labelled views, tables, and JSON that comes back bit by bit."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alliancegame._version import __version__
from alliancegame.errors import ResultFileError
from alliancegame.game.plan import Plan
from alliancegame.solve.nash import respond, solve_nash
from alliancegame.solve.result import Equilibrium, jsonable, load_result, result_from_dict
from tests.problems import BANK, alliance

ARRAYS = ("burdens", "payoffs", "influences", "securities", "operating_trust")


@pytest.fixture(scope="module")
def found() -> Equilibrium:
    problem = BANK["designed, trust impact"]
    return solve_nash(problem.game.replace(decay=0.4), problem.plan)


def assert_same(one: Equilibrium, other: Equilibrium) -> None:
    for name in ARRAYS:
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
    for name in ("game", "plan", "concept", "certificate", "message"):
        assert getattr(one, name) == getattr(other, name)
    assert len(one.others) == len(other.others)
    for mine, theirs in zip(one.others, other.others, strict=True):
        assert_same(mine, theirs)


@pytest.mark.parametrize(
    "name",
    [
        "K1",
        "designed, trust impact",
        "three equilibria",
        "designed, rho=-2",
        "bunching",
        "nato-like",
    ],
)
def test_json_round_trip_is_bit_equal(name: str, tmp_path: Path) -> None:
    problem = BANK[name]
    result = solve_nash(problem.game, problem.plan)
    text = result.to_json(tmp_path / "result.json")
    assert (tmp_path / "result.json").read_text(encoding="utf-8") == text + "\n"
    again = load_result(tmp_path / "result.json")
    assert_same(again, result)
    assert again.provenance == result.provenance
    assert again.to_json() == text


def test_infinities_and_nan_survive(tmp_path: Path) -> None:
    """JSON has none; a leader without influence and a failed result have both."""
    game = alliance((4, 2, 1), 0.05, influence_weight=0.01)
    lost = respond(game, Plan(burden=0.0))
    failed = solve_nash(
        game.replace(horizon="stationary", scarring=0.1), Plan(threat=0.5), throw=False
    )
    for number, result in enumerate((lost, failed)):
        path = tmp_path / f"{number}.json"
        result.to_json(path)
        json.loads(path.read_text(), parse_constant=pytest.fail)  # No bare NaN or Infinity.
        assert_same(load_result(path), result)
    assert load_result(tmp_path / "0.json").leader_payoff == -math.inf
    assert load_result(tmp_path / "1.json").certificate.regret == math.inf


def test_provenance_says_where_a_result_comes_from(found: Equilibrium) -> None:
    told = found.provenance
    assert told["game_hash"] == found.game.hash
    assert told["version"] == __version__
    assert told["replaced"] == {"decay": 0.4}
    data = found.to_dict()
    assert (data["schema"], data["kind"]) == (1, "equilibrium")
    assert data["certificate"]["tolerances"]["certified"] == 1e-9


def test_series_by_member(found: Equilibrium) -> None:
    for name, values in (
        ("burden", found.burdens),
        ("payoff", found.payoffs),
        ("influence", found.influences),
        ("security", found.securities),
        ("trust", found.operating_trust),
    ):
        series = getattr(found, name)
        assert list(series.index) == ["L", "A1", "A2", "A3"]
        assert series.name == name
        assert series.tolist() == values.tolist()
    gdp, effectiveness = (found.game.by_member(k) for k in ("gdp", "effectiveness"))
    assert found.spending.tolist() == pytest.approx(gdp * found.burdens)
    assert found.contribution.tolist() == pytest.approx(effectiveness * gdp * found.burdens)
    assert found.influence.sum() == pytest.approx(1.0)
    assert found.trust["L"] == pytest.approx(
        (gdp[1:] * found.operating_trust[1:]).sum() / gdp[1:].sum()
    )


def test_numbers_of_the_leader(found: Equilibrium) -> None:
    assert found.leader_payoff == found.payoff["L"]
    assert found.leader_influence == found.influence["L"]
    assert found.allied_burden == pytest.approx(found.spending[1:].sum() / 11.0)
    assert found.savings == pytest.approx(1 - found.contribution["L"] / found.security["L"])
    assert not found.multiple


def test_tables(found: Equilibrium) -> None:
    frame = found.to_frame()
    assert list(frame.index) == ["L", "A1", "A2", "A3"]
    assert list(frame.columns) == [
        "burden", "spending", "contribution", "security", "influence", "trust", "payoff",
    ]  # fmt: skip
    latex = found.to_latex()
    assert latex.startswith(r"\begin{tabular}")
    assert r"\toprule" in latex
    assert f"{found.burden['A1']:.5g}" in latex
    html = found._repr_html_()
    assert "<table" in html
    assert "certified" in html


def test_one_line_says_it_all(found: Equilibrium) -> None:
    line = repr(found)
    assert line.startswith("<Equilibrium: nash equilibrium under threat by ally (")
    assert f"L spends {found.burden['L']:.2%} of GDP" in line
    assert "certified, uniqueness proven" in line


def test_labels_are_escaped_in_html_and_latex() -> None:
    game = alliance((2, 1), 0.05).replace(members=["L & <b>", "A_1"], leader="L & <b>")
    result = solve_nash(game)
    assert "<b>" not in result._repr_html_()
    assert r"A\_1" in result.to_latex()


def test_results_are_frozen(found: Equilibrium) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.message = "changed"  # type: ignore[misc]


def test_plain_values() -> None:
    plain = jsonable({"a": np.array([1.0, math.nan]), 2: (np.int64(3), -math.inf), "t": "x"})
    assert plain == {"a": [1.0, "nan"], "2": [3, "-inf"], "t": "x"}


# --- Files that are no results --------------------------------------------------------------------


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ResultFileError, match="cannot be read"):
        load_result(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not JSON"),
        ("[1, 2]", "no 'kind'"),
        ('{"schema": 1}', "no 'kind'"),
        ('{"schema": 2, "kind": "equilibrium"}', "schema 2; this version reads schema 1"),
        ('{"kind": "equilibrium"}', "schema None"),
        ('{"schema": 1, "kind": "equilibrum"}', "unknown kind 'equilibrum'"),
        ('{"schema": 1, "kind": "equilibrium"}', "incomplete"),
        ('{"schema": 1, "kind": "signs"}', "incomplete"),
        ('{"schema": 1, "kind": "equilibrium", "game": 3}', "incomplete"),
    ],
)
def test_bad_content(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ResultFileError, match=words):
        load_result(path)


@pytest.mark.parametrize(
    "missing", ["game", "plan", "burden", "certificate", "others", "provenance"]
)
def test_missing_parts_are_named(found: Equilibrium, missing: str) -> None:
    data = json.loads(found.to_json())
    del data[missing]
    with pytest.raises(ResultFileError, match=missing):
        result_from_dict(data)


@pytest.mark.parametrize(
    "change",
    [
        {"burden": ["x", 1, 2, 3]},
        {"burden": [0.1]},
        {"plan": {"thret": 0.1}},
        {"plan": {"threat": 7}},
        {"certificate": {"verdict": "certified"}},
        {"game": {"members": ["L", "A1"], "leader": "B", "gdp": 1, "security_weight": 1}},
        {"others": 3},
        {"provenance": {"game": 5}},
    ],
)
def test_damaged_parts_are_errors_of_ours(found: Equilibrium, change: dict[str, Any]) -> None:
    """A hand-edited or truncated result never ends in a traceback from NumPy or Python."""
    data = json.loads(found.to_json()) | change
    with pytest.raises(ResultFileError):
        result_from_dict(data)


def test_every_result_of_the_report_is_known_to_a_fresh_interpreter() -> None:
    """`load_result` alone registers them: nothing else may have been imported before."""
    import subprocess
    import sys

    code = (
        "from alliancegame.solve import result\n"
        "result._register_all()\n"
        "print(*sorted(result._KINDS))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"signs", "comparisons", "stackelberg", "frontier", "equilibrium"} <= set(done)
