"""The commands map, uncertainty and sweep: tables, JSON, files, refusals, and going on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.solve.result import result_from_dict

Run = Callable[..., Any]

WIDTH = 80


def words(text: str) -> str:
    return " ".join(text.split())


# --- map -----------------------------------------------------------------------------------------


def test_map(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "o"
    shown = run("map", "three-allies", "--points", "11", "--out", str(out)).stdout
    found = ag.regime_map(ag.load_model("three-allies"), points=11)
    assert max(map(len, shown.splitlines())) <= WIDTH
    for name, share in found.shares.items():
        assert f"{name} {100 * share:.2f}" in words(shown)
    assert "certified: nobody gains more than" in words(shown)
    assert "demand 5 %; all weights as they are" in words(shown)
    stem = "map-decay-threat"
    assert sorted(path.name for path in out.iterdir()) == [
        f"{stem}.json", f"{stem}.pdf", f"{stem}.png",
    ]  # fmt: skip
    assert ag.load_result(out / f"{stem}.json").to_dict() == found.to_dict()
    assert (out / f"{stem}.png").read_bytes().startswith(b"\x89PNG")


def test_map_json_and_options(run: Run, tmp_path: Path) -> None:
    command = (
        "map", "nato-2024", "--x", "influence_weight[USA]=0:2%", "--y", "demand=2%:5%", "--threat",
        "0.3", "--burden", "3.4%", "--points", "5", "--recalibrate", "--set", "decay=0.3",
        "--out", str(tmp_path), "--json",
    )  # fmt: skip
    data = json.loads(run(*command).stdout)
    assert [Path(path).suffix for path in data["files"]] == [".png", ".pdf", ".json"]
    found = result_from_dict(data)
    game = ag.load_model("nato-2024").replace(decay=0.3)
    plan = ag.Plan(threat=0.3, burden=0.034)
    same = ag.regime_map(
        game, ("influence_weight[USA]", (0, 0.02)), ("demand", (0.02, 0.05)), plan, 5,
        recalibrate=True,
    )  # fmt: skip
    assert found.codes.tolist() == same.codes.tolist()
    assert found.shares == same.shares
    assert found.recalibrated == "security_weight"


def test_map_without_files(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = run("map", "three-allies", "--points", "5", "--no-picture").stdout
    assert "written" not in shown
    assert not list(tmp_path.iterdir())


def test_map_of_nothing(run: Run) -> None:
    result = run(
        "map", "three-allies", "--x", "decay=-2:-1", "--points", "3", "--no-picture", code=4
    )
    assert "9 of 9 grid points: decay must be >= 0" in words(result.stdout)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--x", "dekay=0:1"), 1, "Did you mean 'decay'"),
        (("--x", "decay"), 2, "is not of the form decay=0:1"),
        (("--x", "decay=0:1:5"), 2, "is not of the form decay=0:1"),
        (("--x", "decay=a:b"), 2, "is not of the form decay=0:1"),
        (("--x", "decay=1:0"), 1, "low, high"),
        (("--points", "1"), 1, "points must be a whole number from 2"),
        (("--points", "x"), 2, "valid int"),
        (("--recalibrate", "--set", "security_weight=0.03"), 1, "also replaced"),
    ],
)
def test_map_refuses(run: Run, arguments: tuple[str, ...], code: int, message: str) -> None:
    result = run("map", "three-allies", *arguments, "--no-picture", code=code)
    assert message in words(result.stderr)
    assert result.stdout == ""


def test_a_file_in_the_place_of_the_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "o").touch()
    result = run("map", "three-allies", "--points", "3", "--out", str(tmp_path / "o"), code=1)
    assert "is a file" in words(result.stderr)


# --- uncertainty ---------------------------------------------------------------------------------


def test_uncertainty(run: Run, tmp_path: Path) -> None:
    command = (
        "uncertainty", "three-allies", "--prior", "decay=uniform(0.2,0.9)", "--prior",
        "return_spillin = normal(0.5, 0.1)", "--draws", "256", "--seed", "3", "--out", str(tmp_path),
    )  # fmt: skip
    shown = run(*command).stdout
    assert max(map(len, shown.splitlines())) <= WIDTH
    found = ag.load_result(tmp_path / "uncertainty.json")
    assert found.priors == {"decay": "uniform(0.2, 0.9)", "return_spillin": "normal(0.5, 0.1)"}
    chance, error = found.probability_of_gain
    assert f"gains with probability {100 * chance:.1f} ± {100 * error:.1f} %" in words(shown)
    assert found.plan == ag.Plan(threat=0.5)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".pdf", ".png"}
    again = json.loads(run(*command, "--json").stdout)
    assert again["codes"] == found.codes.tolist()
    assert len(again["files"]) == 3


def test_uncertainty_counts_what_has_no_answer(run: Run) -> None:
    command = ("uncertainty", "three-allies", "--draws", "64", "--no-picture", "--prior")
    shown = words(run(*command, "decay=uniform(-0.5,0.5)").stdout)
    assert "32 of 64 draws: decay must be >= 0" in shown
    nothing = words(run(*command, "decay=uniform(-2,-1)", code=4).stdout)
    assert "64 of 64 draws" in nothing
    assert "certified" not in nothing


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "Missing option '--prior'"),
        (("--prior", "decay"), 2, "is not of the form decay=uniform(0.2,0.6)"),
        (("--prior", "decay=unifrm(0,1)"), 1, "Did you mean 'uniform'"),
        (("--prior", "decay=uniform(0)"), 1, "write uniform(low,high)"),
        (("--prior", "decay=uniform(0,x)"), 1, "must be a number"),
        (("--prior", "decay=0.5"), 1, "is no prior"),
        (("--prior", "dekay=uniform(0,1)"), 1, "Did you mean 'decay'"),
        (("--prior", "decay=uniform(0,1)", "--prior", "decay=uniform(0,2)"), 1, "twice"),
        (("--prior", "decay=uniform(0,1)", "--draws", "100"), 1, "power of two"),
        (("--prior", "decay=uniform(0,1)", "--method", "sobool"), 1, "Did you mean 'sobol'"),
    ],
)
def test_uncertainty_refuses(run: Run, arguments: tuple[str, ...], code: int, message: str) -> None:
    result = run("uncertainty", "three-allies", *arguments, "--no-picture", code=code)
    assert message in words(result.stderr)


# --- sweep ---------------------------------------------------------------------------------------


def test_sweep(run: Run, tmp_path: Path) -> None:
    import xarray as xr

    store = tmp_path / "s.zarr"
    command = (
        "sweep", "three-allies", "--over", "decay=-0.1:1:12", "--over", "threat=0,0.5,100%",
        "--store", str(store), "--out", str(tmp_path / "o"),
    )  # fmt: skip
    shown = run(*command).stdout
    assert max(map(len, shown.splitlines())) <= WIDTH
    for text in ("36: 12 decay by 3 threat", "3 of 36 cells: decay must be >= 0", "certified"):
        assert text in words(shown)
    found = xr.open_zarr(store)
    assert dict(found.sizes) == {"decay": 12, "threat": 3, "member": 4}
    assert found["decay"].values == pytest.approx(np.linspace(-0.1, 1, 12))
    assert found["threat"].values.tolist() == [0.0, 0.5, 1.0]
    assert {path.name for path in (tmp_path / "o").iterdir()} == {
        "sweep-decay-threat.pdf", "sweep-decay-threat.png",
    }  # fmt: skip
    data = json.loads(run(*command, "--json").stdout)
    assert data["cells"] == 36
    assert data["failed"] == 3
    assert data["store"] == str(store)
    gains = found["gain_usd_bn"].values
    assert data["ranges"]["gain_usd_bn"]["largest"] == np.nanmax(gains)


def test_sweep_over_forms_and_many_keys(run: Run, tmp_path: Path) -> None:
    result = run(
        "sweep", "three-allies", "--over", "consumption=log,linear", "--over", "decay[Large]=0:1:2",
        "--over", "burden=3%:4%:2", "--solve", "respond", "--output", "allied_burden",
        "--out", str(tmp_path),
    )  # fmt: skip
    assert "8: 2 consumption by 2 decay[Large] by 2 plan_burden" in words(result.stdout)
    assert "only sweeps of one or two keys have a picture" in result.stderr
    assert "leader_payoff" not in result.stdout
    assert not list(tmp_path.iterdir())


def test_a_store_of_another_sweep_is_refused(run: Run, tmp_path: Path) -> None:
    store = str(tmp_path / "s.zarr")
    run("sweep", "three-allies", "--over", "threat=0:1:3", "--store", store, "--no-picture")
    result = run(
        "sweep", "three-allies", "--over", "threat=0:1:4", "--store", store, "--no-picture", code=1
    )
    assert "another" in words(result.stderr)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "Missing option '--over'"),
        (("--over", "thret=0:1:5"), 1, "Did you mean 'threat'"),
        (("--over", "threat=0:1"), 2, "is not of the form decay=0:1:50"),
        (("--over", "threat=0:1:x"), 2, "is not of the form decay=0:1:50"),
        (("--over", "threat=0:1:0"), 1, "whole number from 1"),
        (("--over", "threat"), 2, "is not of the form"),
        (("--over", "threat=a,b"), 1, "goes over numbers"),
        (("--over", "threat=0,1", "--over", "threat=0.5"), 1, "twice"),
        (("--over", "threat=0:1:3", "--solve", "nsh"), 1, "Did you mean 'nash'"),
        (("--over", "threat=0:1:3", "--solve", "respond"), 1, "needs the leader's burden"),
        (("--over", "threat=0:1:9999", "--over", "decay=0:1:9999"), 1, "--allow-large"),
    ],
)
def test_sweep_refuses(run: Run, arguments: tuple[str, ...], code: int, message: str) -> None:
    result = run("sweep", "three-allies", *arguments, "--no-picture", code=code)
    assert message in words(result.stderr)


def test_an_interrupted_sweep_says_how_to_go_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt("sweep interrupted; 3 of 9 chunks are done and kept.")

    monkeypatch.setattr("alliancegame.study.sweep.sweep", stopped)
    result = run("sweep", "three-allies", "--over", "threat=0:1:3", "--no-picture", code=130)
    assert "3 of 9 chunks are done and kept" in result.stderr
    assert result.stdout == ""
