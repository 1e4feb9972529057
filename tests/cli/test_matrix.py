"""The command `matrix`: what it prints, its JSON and LaTeX, and its refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import alliancegame as ag
from alliancegame.solve.result import result_from_dict

Run = Callable[..., Any]


def test_the_usual_matrix(run: Run) -> None:
    shown = run("matrix", "three-allies").stdout
    text = " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80
    for words in (
        "Leader against allies; differences from A, bn US$ a year", "* 0, 0", "* pure equilibrium",
        "certified: Leader: no pressure; allies: status quo (0, 0)", "complete: the game is",
        "Leader commits to no pressure",
    ):  # fmt: skip
        assert words in text


def test_json_is_the_results(run: Run) -> None:
    words = (
        "matrix",
        "three-allies",
        "threat=0",
        "threat=0.5,demand=0.03",
        "--spend",
        "1%",
        "--spend",
        "3%",
    )
    data = json.loads(run(*words, "--payoffs", "--json").stdout)
    grid = ag.discretise(
        ag.load_model("three-allies"),
        {"no pressure": ag.Plan(), "threat 0.5, demand 3 %": ag.Plan(threat=0.5, demand=0.03)},
        {"1%": 0.01, "3%": 0.03},
    )
    assert data["units"] == "payoff"
    assert ag.FiniteGame.from_dict(data["game"]) == grid
    assert result_from_dict(data["equilibria"]).to_json() == ag.find_equilibria(grid).to_json()
    assert result_from_dict(data["commitment"]).value == ag.solve_commitment(grid).value


def test_latex_and_blocs(run: Run) -> None:
    assert run("matrix", "three-allies", "--latex").stdout.startswith(r"\begin{tabular}")
    words = ("--bloc", "big=Large,Middle", "--bloc", "front=Frontier")
    shown = " ".join(run("matrix", "three-allies", *words).stdout.split())
    assert "2 x 2 x 2 cells: not printed" in shown
    assert "big: status quo; front: status quo" in shown
    assert "decay=0" in run("matrix", "three-allies", "--set", "decay=0").stdout


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("--bloc", "Large"), "NAME=ALLY", 2),
        (("--latex", "--json"), "not both", 2),
        (("--bloc", "a=Lrge"), "Did you mean 'Large'", 1),
        (("--spend", "much"), "unknown burden 'much'", 1),
        (("--spend", "90%"), "[0, 0.25]", 1),
        (("threat=0",), "comply needs a plan", 1),
        (("threat=0.5", "--bloc", "a=Large", "--bloc", "b=Middle", "--latex"), "two players", 1),
        (("threat=2",), "[0, 1]", 1),
        (("threat=0.5", "threat=0.50"), "'threat 0.5, demand 5 %' is given twice", 2),
        (("--spend", "2%", "--spend", "0.02"), "'0.02' is given twice, as '2%' and as '0.02'", 2),
        (("--spend", "comply", "--spend", "comply"), "'comply' is given twice", 2),
    ],
    ids=str,
)
def test_refusals(run: Run, words: tuple[str, ...], said: str, code: int) -> None:
    done = run("matrix", "three-allies", *words, code=code)
    assert said in " ".join(done.stderr.split())
