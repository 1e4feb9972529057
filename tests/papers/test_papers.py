"""The essay's four pictures: each script runs alone and writes its picture; B is above, C below."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from matplotlib.figure import Figure

SCRIPTS = sorted((Path(__file__).parents[2] / "papers").glob("*.py"))
NAMES = {"spenders", "status_quo", "pressure_pays", "pressure_backfires"}


def module(name: str) -> ModuleType:
    (path,) = (script for script in SCRIPTS if script.stem == name)
    spec = importlib.util.spec_from_file_location(f"papers_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def distances(figure: Figure) -> list[float]:
    """Points on the second panel: savings beyond A's isoquant, A first."""
    right = figure.axes[1]
    drawn = [line for line in right.lines if line.get_marker() not in ("None", "")]
    return [float(line.get_xdata()[0]) for line in drawn]


def test_the_essay_has_four_pictures() -> None:
    assert {script.stem for script in SCRIPTS} == NAMES


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_each_script_runs_alone(script: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script), str(folder)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (folder / f"{script.stem}.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / f"{script.stem}.pdf").read_bytes().startswith(b"%PDF")
    assert len(list(folder.iterdir())) == 2


def test_spending_is_drawn_as_observed_with_credit() -> None:
    spenders = module("spenders")
    rows = spenders.observed()
    (axes,) = spenders.picture().axes
    widths = sorted((bar.get_width() for bar in axes.patches if bar.get_width() > 1), reverse=True)
    assert widths == pytest.approx([float(row["spending_usd_bn"]) for row in rows])
    credit = axes.figure.get_supxlabel()
    assert "NATO Public Diplomacy Division" in credit
    assert "SIPRI" in credit
    assert [label.get_text() for label in axes.get_yticklabels()][-1] == "United States"


def test_a_lies_on_its_own_isoquant() -> None:
    (axes,) = module("status_quo").picture().axes
    curve, point = (line.get_xydata() for line in axes.lines)
    assert np.interp(point[0, 1], curve[:, 1], curve[:, 0]) == pytest.approx(point[0, 0], abs=1e-5)


def test_b_lies_on_a_higher_isoquant() -> None:
    a, b = distances(module("pressure_pays").picture())
    assert a == pytest.approx(0, abs=1e-3)
    assert b > 0.1


def test_the_same_pressure_pushed_ends_below_the_isoquant() -> None:
    figure = module("pressure_backfires").picture()
    a, b, c = distances(figure)
    assert a == pytest.approx(0, abs=1e-3)
    assert b > 0.1
    assert c < -0.5
    assert "the allies spend more at every step" in figure.get_supxlabel()
