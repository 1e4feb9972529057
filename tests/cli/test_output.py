"""How things are printed: widths, labels, numbers, steps, closed streams."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alliancegame.cli import output

Run = Callable[..., Any]


def test_labels_are_neither_cut_nor_read_as_markup(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    label = "[bold]Grand Duchy of Somewhere Far Away"
    text = (Path(__file__).parents[2] / "models" / "three-allies.toml").read_text(encoding="utf-8")
    file = tmp_path / "odd.toml"
    file.write_text(
        text.replace("Large = 8000", f'"{label}" = 8000')
        .replace("Large = 0.025", f'"{label}" = 0.025')
        .replace("\nLarge = ", f'\n"{label}" = '),
        encoding="utf-8",
    )
    monkeypatch.setenv("COLUMNS", "50")
    for command in ("solve", "compare", "show"):
        shown = run(command, str(file)).stdout
        assert label in shown
        assert "…" not in shown
    assert "(no room for: " in run("solve", str(file)).stdout


@pytest.mark.parametrize(
    ("values", "signed", "expected"),
    [
        ([967.71, 0.525, float("nan")], False, ["967.71", "0.53", "-"]),
        ([28719.93, 8.02], False, ["28,720", "8"]),
        ([0.02, 0.0], False, ["0.020000", "0.000000"]),
        ([-1e-9, 3.0], True, ["0.0000", "+3.0000"]),
        ([float("inf")], False, ["inf"]),
        ([0.0], True, ["0.0000"]),
    ],
)
def test_fixed(values: list[float], signed: bool, expected: list[str]) -> None:
    assert output.fixed(values, signed=signed) == expected


def test_steps_are_plain_lines_outside_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("alliancegame")
    before = logger.level
    with output.working() as shown:
        logger.info("Compiling the %s kernels, once for this machine", "log")
        shown.say("drawing")
    logger.info("afterwards")
    captured = capsys.readouterr()
    assert captured.err == (
        "Compiling the log kernels, once for this machine (some ten seconds) ...\ndrawing ...\n"
    )
    assert captured.out == ""
    assert logger.level == before


def test_streams_that_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    output.error("nobody hears this")
    with output.working() as shown:
        shown.say("nor this")
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OSError, match="standard output is closed"):
        output.write("nor this")
    output.drop_pending()
