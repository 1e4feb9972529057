"""alliancegame path: tables, JSON, exit codes, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from alliancegame.solve.result import result_from_dict

Run = Callable[..., Any]


def test_path_prints_what_its_json_holds(run: Run) -> None:
    arguments = (
        "path",
        "three-allies",
        "--set",
        "recovery=0.2",
        "--discount",
        "0.3",
        "--periods",
        "20",
    )
    shown = run(*arguments).stdout
    assert max(map(len, shown.splitlines())) <= 80
    found = result_from_dict(json.loads(run(*arguments, "--json").stdout))
    assert found.concept == "markov"
    assert found.periods == 20
    assert f"{found.first_threat:.4f}" in shown
    assert "against never threatening" in " ".join(shown.split())
    assert "Bellman residual" in shown


def test_dynamic_backfire_is_said(run: Run) -> None:
    shown = run("path", "three-allies", "--concept", "myopic", "--periods", "4").stdout
    assert "dynamic backfire" in " ".join(shown.split())


def test_threats_by_ally(run: Run) -> None:
    done = run(
        "path", "three-allies", "--concept", "open-loop", "--by-ally", "--periods", "3",
        "--set", "recovery=1", "--discount", "20%",
    )  # fmt: skip
    assert "threats by ally" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--discount", "1"), "discount must be in (0, 1)"),
        (("--discount", "x"), "discount must be a number"),
        (("--concept", "markow"), "Did you mean 'markov'"),
        (("--by-ally",), "open-loop"),
        (("--set", "recovery=2"), "recovery must be in [0, 1]"),
        (("--periods", "0"), "periods"),
    ],
)
def test_refusals(run: Run, arguments: tuple[str, ...], words: str) -> None:
    done = run("path", "three-allies", *arguments, code=1)
    assert words in " ".join(done.stderr.split())


def test_a_tariff_beside_the_threats(run: Run) -> None:
    arguments = (
        "path", "three-allies", "--set", "trade_exposure=0.1", "--set", "tariff_decay=0.4",
        "--concept", "myopic", "--periods", "2", "--tariff", "10%",
    )  # fmt: skip
    shown = run(*arguments).stdout
    assert "10 % in every period" in shown or "10.00 % in every period" in shown
    assert "against no pressure" in " ".join(shown.split())
    assert result_from_dict(json.loads(run(*arguments, "--json").stdout)).tariff == 0.1
