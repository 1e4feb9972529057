"""alliancegame verify: tables, JSON, exit codes, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alliancegame as ag

Run = Callable[..., Any]


@pytest.fixture
def saved(tmp_path: Path) -> dict[str, str]:
    """True, forged, half open and damaged files, by name."""
    game = ag.load_model("three-allies")
    paths = {
        name: tmp_path / f"{name}.json" for name in ("true", "forged", "open", "plain", "text")
    }
    found = ag.solve_nash(game)
    found.to_json(paths["true"], certificate=True)
    found.to_json(paths["plain"])
    content = json.loads(paths["true"].read_text())
    content["burden"][1] *= 1.001
    paths["forged"].write_text(json.dumps(content))
    ag.compare(game, ag.Plan(threat=0.5)).to_json(paths["open"], certificate=True)
    paths["text"].write_text("It is certified.")
    return {name: str(path) for name, path in paths.items()}


def test_every_claim_is_shown(run: Run, saved: dict[str, str]) -> None:
    shown = run("verify", saved["true"]).stdout
    for words in (
        "equilibrium: accepted (3 accepted)",
        "nobody gains more than",
        "simultaneous Nash",
    ):
        assert words in " ".join(shown.split())


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["true"], 0), (["true", "true"], 0), (["forged"], 5), (["open"], 6), (["true", "open"], 6),
        (["open", "forged"], 5), (["plain"], 6), (["text"], 5),
    ],
)  # fmt: skip
def test_exit_codes(run: Run, saved: dict[str, str], names: list[str], code: int) -> None:
    run("verify", *(saved[name] for name in names), code=code)


def test_the_remedy_for_a_file_without_claims(run: Run, saved: dict[str, str]) -> None:
    assert "certificate=True" in " ".join(run("verify", saved["plain"], code=6).stdout.split())


def test_json(run: Run, saved: dict[str, str]) -> None:
    true, forged = json.loads(
        run("verify", "--json", saved["true"], saved["forged"], code=5).stdout
    )
    assert true["file"] == saved["true"]
    assert true["status"] == "accepted"
    assert forged["status"] == "refused"
    assert {c["status"] for c in forged["claims"]} <= {"accepted", "refused", "not checkable"}


def test_files_that_are_not_there(run: Run, tmp_path: Path) -> None:
    assert "cannot be read" in run("verify", str(tmp_path / "none.json"), code=1).stderr
    run("verify", code=2)


def test_payoffs_are_written_out(run: Run, saved: dict[str, str]) -> None:
    shown = run("verify", saved["true"], "--payoffs").stdout
    words = " ".join(shown.split())
    assert "payoffs of equilibrium" in words
    assert "Leader 0 <= x <= 0.25: 0.01*log(x) + log(1 - x)" in words
    found = json.loads(run("verify", saved["true"], "--payoffs", "--json").stdout)
    assert list(found[0]["payoffs"]["equilibrium"]) == ["Leader", "Large", "Middle", "Frontier"]
