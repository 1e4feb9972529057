"""What the command line refuses: messages, exit codes, and never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from alliancegame.cli.app import app

Run = Callable[..., Any]

SOLVE = ["solve", "three-allies"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show", "three-alies"], "Did you mean 'three-allies'?"),
        (["show", "nowhere.toml"], "there is no model file"),
        ([*SOLVE, "--set", "decai=1"], "Did you mean 'decay'?"),
        ([*SOLVE, "--set", "decay=-1"], "decay must be >= 0, got -1"),
        ([*SOLVE, "--set", "decay=nan"], "decay must be finite"),
        ([*SOLVE, "--set", "decay=much"], "decay must be a number, got 'much'"),
        ([*SOLVE, "--set", "decay[Larg]=1"], "Did you mean 'Large'"),
        ([*SOLVE, "--set", "decay[Leader]=1"], "only allies have one"),
        ([*SOLVE, "--set", "cohesion[Large]=1"], "one value for the alliance"),
        ([*SOLVE, "--set", "spillin=1", "--set", "spillin[Large]=1"], "Give one or the other"),
        ([*SOLVE, "--set", "horizon=stationry"], "Did you mean 'stationary'?"),
        ([*SOLVE, "--set", "threat=1"], "use --threat"),
        ([*SOLVE, "--threat", "2"], "threat of the plan must be in [0, 1], got 2"),
        ([*SOLVE, "--threat", "half"], "must be a number, got 'half'"),
        ([*SOLVE, "--threat", "Larg=0.5"], "Did you mean 'Large'"),
        ([*SOLVE, "--threat", "Leader=0.5"], "it leads"),
        ([*SOLVE, "--threat", "1", "--demand", "0"], "demand of the plan must be > 0"),
        ([*SOLVE, "--threat", "1", "--demand", "5"], "5 % is written 0.05 or 5%"),
        ([*SOLVE, "--burden", "0.5"], "burden of the plan must be in [0, 0.25]"),
        ([*SOLVE, "--recalibrate"], "no observed burdens"),
        (
            ["show", "nato-2024", "--set", "security_weight=1", "--recalibrate"],
            "take one of the two away",
        ),
        (
            ["show", "nato-2024", "--set", "private_weight=0.03", "--recalibrate"],
            "imply a negative security_weight",
        ),
        (["compare", "three-allies", "thret=1"], "Did you mean 'threat'?"),
        (["compare", "three-allies", "burden[Large]=1"], "the leader's own"),
        (["compare", "three-allies", "tariff=-1"], "tariff of the plan must be >= 0"),
        (["stackelberg", "three-allies", "--commit", "treat"], "Did you mean 'threat'?"),
        (["stackelberg", "three-allies", "--threat", "1"], "threat is committed"),
        (["threshold", "three-allies", "--own-burden", "free"], "Known: committed"),
        (
            ["threshold", "three-allies", "--points", "1"],
            "points must be a whole number, at least 3",
        ),
        (["certify", "three-allies", "nofile.csv"], "nofile.csv: No such file or directory"),
        (["new", "a/b"], "must be a file name"),
        (["new", "nato-2024"], "choose another"),
    ],
)
def test_bad_input(run: Run, words: list[str], message: str) -> None:
    result = run(*words, code=1)
    assert message in result.stderr
    assert result.stdout == ""
    assert sum(line.startswith("error: ") for line in result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["solv"], "Did you mean 'solve'?"),
        (["solve"], "Missing argument 'MODEL'"),
        ([*SOLVE, "--thread", "1"], "--threat"),
        ([*SOLVE, "--set", "decay"], "'decay' is not of the form"),
        ([*SOLVE, "--set", "decay[Large=1"], "is not of the form"),
        ([*SOLVE, "--threat", "=0.5"], "ALLY=NUMBER"),
        (["compare", "three-allies", "0.5"], "'0.5' is not of the form"),
    ],
)
def test_usage(run: Run, words: list[str], message: str) -> None:
    assert message in run(*words, code=2).stderr


def test_no_trust_is_no_solution(run: Run) -> None:
    result = run("solve", "three-allies", "--set", "trust=0", code=4)
    assert "trust of every ally is zero" in result.stderr
    searched = run("stackelberg", "three-allies", "--set", "trust=0", code=4)
    assert "trust of every ally is zero even without a threat" in searched.stderr


@pytest.mark.filterwarnings("default")
def test_warnings_are_words(run: Run) -> None:
    result = run("show", "three-allies", "--set", "substitution=0.05")
    assert result.stderr.startswith("warning: substitution = 0.05 is close to 0")
    assert "cli.py" not in result.stderr


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(28, "No space left on device", "out/report.html"), 1, "out/report.html: No space"),
        (BrokenPipeError(), 141, ""),
        (ZeroDivisionError("oops"), 70, "please report it to the project"),
    ],
)
def test_exceptions_become_exit_codes(
    monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int, words: str
) -> None:
    def fails(*_words: Any) -> None:
        raise raised

    monkeypatch.setattr("alliancegame.library.load_model", fails)
    result = CliRunner().invoke(app, ["show", "nato-2024"])
    assert result.exit_code == code
    assert words in result.stderr
    assert ("Traceback" in result.stderr) == (code == 70)
