"""The command alignment: tables, JSON, exit codes, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import alliancegame as ag
from alliancegame.solve.result import result_from_dict

Run = Callable[..., Any]
RIVAL = ("--set", "rival_umbrella[Large]=500", "--set", "realignment_cost=0.001")


def test_everybody_stays(run: Run) -> None:
    shown = run("alignment", "three-allies", "--threat", "0.5").stdout
    text = " ".join(shown.split())
    found = ag.solve_alignment(ag.load_model("three-allies"), ag.Plan(threat=0.5))
    assert f"{100 * found[0].burdens[0]:.2f}" in text
    assert "each of 8 alliances was solved: complete" in text
    assert "nearest to leaving, and stays" in text
    assert max(map(len, shown.splitlines())) <= 80


def test_somebody_leaves(run: Run) -> None:
    text = " ".join(run("alignment", "three-allies", *RIVAL).stdout.split())
    assert "Large leaves (realigned" in text
    assert "Large realigned" in text
    shown = json.loads(run("alignment", "three-allies", *RIVAL, "--json").stdout)
    back = result_from_dict(shown)
    assert isinstance(back, ag.Alignments)
    assert back[0].leavers == ("Large",)


def test_unravelling(run: Run) -> None:
    words = ("alignment", "three-allies", "--set", "rival_umbrella=0.7", "--unravelling")
    back = result_from_dict(json.loads(run(*words, "--json").stdout))
    text = " ".join(run(*words).stdout.split())
    assert back.headline().split("(")[0].strip() in text
    assert "resolution" in text


def test_what_is_not_known_complete_has_its_own_exit_code(run: Run) -> None:
    text = run("alignment", "three-allies", "--method", "search", code=3).stdout
    assert "not known complete" in " ".join(text.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["alignment", "three-alies"], "Did you mean 'three-allies'?"),
        (["alignment", "three-allies", "--threat", "2"], "threat of the plan must be in [0, 1]"),
        (["alignment", "three-allies", "--method", "serch"], "Did you mean 'search'?"),
        (["alignment", "three-allies", "--set", "deterrent=-1"], "deterrent must be >= 0"),
        (["alignment", "three-allies", "--set", "outside_influence=2"], "must be in [0, 1]"),
        (["alignment", "three-allies", "--set", "deterrent[Leader]=1"], "only allies have one"),
    ],
)
def test_refusals(run: Run, words: list[str], message: str) -> None:
    result = run(*words, code=1)
    assert message in " ".join(result.stderr.split())
    assert result.stdout == ""
