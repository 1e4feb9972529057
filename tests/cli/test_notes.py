"""What the commands remark on, refuse, and translate from Python."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alliancegame as ag
from alliancegame.cli.wording import typed

Run = Callable[..., Any]


def words(text: str) -> str:
    return " ".join(text.split())


def test_one_members_umbrella_is_final_and_that_is_said(run: Run) -> None:
    asked = ("solve", "three-allies", "--set", "umbrella[Large]=0.2")
    said = run(*asked).stderr
    game = ag.load_model("three-allies")
    now = game.congested[1][game.members.index_of("Large")]
    assert f"umbrella[Large] is final, after congestion: Large's is now {now:.3g}" in said
    assert run(*asked, "--json").stderr == ""
    assert run("solve", "three-allies", "--set", "decay[Large]=0.2").stderr == ""
    sweep = ("sweep", "three-allies", "--over", "umbrella[Large]=0.1,0.2", "--no-picture")
    assert "is final, after congestion" in run(*sweep).stderr


def test_show_has_final_values(run: Run) -> None:
    data = json.loads(run("show", "three-allies", "--json").stdout)
    game = ag.load_model("three-allies")
    by_hand = dict(zip(game.members, game.congested[1].tolist(), strict=True))
    del by_hand["Leader"]
    assert data["parameters"]["umbrella"]["final"] == by_hand
    assert "final" not in data["parameters"]["decay"]
    assert "b_i" in run("show", "three-allies").stdout


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (
            ("compare", "three-allies", "--threat", "0.5", "--threat", "1"), 1,
            "--threat is given twice; several plans: compare three-allies threat=0.5 threat=1",
        ),
        (("compare", "three-allies", "--threat", "Large=1", "--threat", "Large=0"), 1, "for Large"),
        (("compare", "three-allies", "--burden", "0.03", "--burden", "0.04"), 2, "given 2 times"),
        (("solve", "three-allies", "--set", "decay=0", "--set", "decay=1"), 1, "decay twice"),
        (("compare", "three-allies", "threat=0.5,threat=1"), 1, "names threat twice"),
        (
            ("sweep", "three-allies", "--over", "decay=0:1:5000", "--over", "threat=0:1:5000"), 1,
            "--allow-large",
        ),
        (("sweep", "three-allies", "--over", "decay=0,1", "--solve", "respond"), 1, "--burden 0.033"),
        (
            ("uncertainty", "three-allies", "--prior", "decay=uniform(0,1)", "--draws", "1000"), 1,
            "or --method latin-hypercube",
        ),
    ],
)  # fmt: skip
def test_refusals_speak_the_language_of_the_command(
    run: Run, command: tuple[str, ...], code: int, said: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    told = words(run(*command, code=code).stderr)
    assert said in told
    for python in ("=True", 'method="', "n must"):
        assert python not in told


def test_wording() -> None:
    assert typed('use solve="nash".') == "use --solve nash."
    assert typed("agree with allow_mixed=True.") == "agree with --allow-mixed."


def test_a_sweep_without_a_plan_takes_the_models_own(run: Run) -> None:
    plain = ("sweep", "three-allies", "--over", "decay=0,0.4", "--no-picture", "--json")
    own = json.loads(run(*plain, "--model-plan").stdout)
    assert json.loads(run(*plain).stdout) == own
    assert set(own["outcomes"]) != {"status quo"}
    nobody = run("sweep", "three-allies", "--over", "demand=0.03,0.05", "--no-picture").stderr
    assert "nobody is under pressure anywhere in this sweep" in nobody


def test_stackelberg_says_when_no_threat_is_best(run: Run) -> None:
    shown = words(run("stackelberg", "nato-2024", "--set", "decay=0.8").stdout)
    assert "threat none is best: commitment pays, pressure does not" in shown
    assert "e-17" not in shown
    demand = words(run("stackelberg", "three-allies", "--commit", "demand").stdout)
    assert "a demand without a threat does nothing" in demand


def test_free_threats_are_noted(run: Run) -> None:
    asked = ("compare", "three-allies", "--threat", "0.5", "--set", "decay=0")
    assert "decay is 0: threats cost no trust in this game" in words(run(*asked).stdout)


def test_a_sweep_of_plans_prints_the_gap_of_its_search(run: Run) -> None:
    asked = ("sweep", "nato-2024", "--over", "decay=0.4,0.8", "--solve", "stackelberg")
    shown = words(run(*asked, "--no-picture").stdout)
    assert "in 1 no threat is best" in shown
    assert "a better plan could gain up to" in shown
    assert "certified: no ally gains more than" in shown


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_interrupted_sweeps_say_what_is_kept(tmp_path: Path) -> None:
    store = tmp_path / "big.zarr"
    asked = [
        sys.executable, "-m", "alliancegame.cli", "sweep", "three-allies", "--over", "decay=0:1:3000",
        "--over", "threat=0:1:3000", "--no-picture", "--store", str(store),
    ]  # fmt: skip
    started = subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(1200):
            if started.poll() is not None or len(list(store.glob("status/c/**/*"))) > 3:
                break
            time.sleep(0.1)
        started.send_signal(signal.SIGINT)
        told = started.communicate(timeout=120)[1]
    finally:
        started.kill()
    assert started.returncode == 130, told
    assert "error: interrupted: " in told
    assert f"chunks are done and kept in {store}" in told
    assert "of 9,000,000 cells)" in told
    assert "Give the same command again to go on" in told


@pytest.mark.parametrize(
    ("mean", "spread", "shown"),
    [
        (-1.1, 0.00767, "-1.1000 ± 0.0077"),
        (12.3456, 1.26, "+12.3 ± 1.3"),
        (250.4, 31.0, "+250 ± 31"),
    ],
)
def test_a_mean_has_the_decimals_of_its_error(mean: float, spread: float, shown: str) -> None:
    from alliancegame.cli.sweeps import _with_error

    assert _with_error(mean, spread) == shown


def test_tables_with_semicolons_are_recognised(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "burdens.csv"
    table.write_text("member;burden\nLeader;0.03\n")
    said = words(run("certify", "three-allies", str(table), code=1).stderr)
    assert "fields seem separated by ';': save with commas" in said
    run("new", "mine", "--dir", str(tmp_path))
    csv = tmp_path / "mine.csv"
    csv.write_text(csv.read_text().replace(",", ";"))
    said = words(run("show", str(tmp_path / "mine.toml"), code=1).stderr)
    assert "fields seem separated by ';': save the table with commas" in said


def test_an_impossible_calibration_is_said_line_by_line(tmp_path: Path) -> None:
    game = ag.load_model("three-allies").replace(private_weight=0.0, influence_weight=0.9)
    burdens = dict(zip(game.members, (0.035, 0.02, 0.02, 0.02), strict=True))
    with pytest.raises(ag.errors.CalibrationError) as caught:
        ag.calibrate(game, burdens)
    lines = str(caught.value).splitlines()
    assert len(lines) >= 3
    assert "influence_weight at most" in str(caught.value)
    assert "private_weight" not in str(caught.value)
    both = game.replace(private_weight=0.9)
    with pytest.raises(
        ag.errors.CalibrationError, match="neither influence_weight nor private_weight"
    ):
        ag.calibrate(both, burdens)
