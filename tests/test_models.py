"""The shipped models: their numbers against the publications, and the wheel that carries them."""

from __future__ import annotations

import csv
import importlib.util
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import alliancegame
from alliancegame.game.files import read
from alliancegame.game.game import PARAMETERS, BurdenSharingGame
from alliancegame.game.spec import STATUSES, ModelSpec
from alliancegame.library import default_plan, load_model, models_folder

ROOT = Path(__file__).parents[1]
MODELS = {
    "nato-2014": 27,
    "nato-2024": 31,
    "nato-2024-exit": 31,
    "three-allies": 4,
    "us-allies-2024": 35,
}
JOINED_LATER = {"MNE", "MKD", "FIN", "SWE"}
PACIFIC = {"AUS", "JPN", "KOR", "PHL"}


def rows(name: str) -> list[dict[str, str]]:
    with (models_folder() / "data" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def nato(year: int) -> pd.DataFrame:
    frame = pd.DataFrame(rows("nato_defence_expenditure.csv")).query(f"year == '{year}'")
    columns = ["defexp_usd_current_mn", "gdp_usd_current_mn"]
    numbers = frame.set_index("iso3")[columns].replace("", "nan").astype(float)
    return numbers.set_axis(["spending", "gdp"], axis=1)


def spec(name: str) -> ModelSpec:
    return read(models_folder() / f"{name}.toml")


@pytest.mark.parametrize("name", MODELS)
def test_members_and_names(name: str) -> None:
    found = spec(name)
    assert found.name == name
    assert len(found.members) == MODELS[name]
    assert found.description
    assert not {"ISL", "XNE", "XNT"} & set(found.members)


def test_who_is_a_member() -> None:
    now = set(spec("nato-2024").members)
    assert set(spec("nato-2014").members) == now - JOINED_LATER
    assert set(spec("us-allies-2024").members) == now | PACIFIC
    with_forces = nato(2024)["spending"].dropna().index
    assert now == set(with_forces) - {"XNE", "XNT"}


@pytest.mark.parametrize(("name", "year"), [("nato-2014", 2014), ("nato-2024", 2024)])
def test_sums_agree_with_the_nato_total(name: str, year: int) -> None:
    found, published = spec(name), nato(year)
    gdp, burden = found.values["gdp"], found.observed
    assert isinstance(gdp, dict)
    assert burden is not None
    spending = sum(gdp[code] * burden[code] for code in gdp)
    assert spending == pytest.approx(published.loc["XNT", "spending"] / 1000, abs=5e-4)
    with_iceland = sum(gdp.values()) + published.loc["ISL", "gdp"] / 1000
    assert with_iceland == pytest.approx(published.loc["XNT", "gdp"] / 1000, abs=5e-4)


@pytest.mark.parametrize(
    ("name", "code", "percent"),
    [
        ("nato-2024", "USA", 3.3695),
        ("nato-2024", "POL", 4.1202),
        ("nato-2024", "SVN", 1.2908),
        ("nato-2014", "LUX", 0.3677),
        ("nato-2014", "GRC", 2.2222),
        ("us-allies-2024", "USA", 3.3695),
        ("us-allies-2024", "JPN", 1.3714),
        ("us-allies-2024", "KOR", 2.5621),
        ("us-allies-2024", "PHL", 1.3243),
        ("us-allies-2024", "AUS", 1.8838),
    ],
)
def test_observed_burdens(name: str, code: str, percent: float) -> None:
    burden = spec(name).observed
    assert burden is not None
    assert 100 * burden[code] == pytest.approx(percent, abs=5e-5)


def test_allied_burden_of_the_flagship() -> None:
    found = spec("nato-2024")
    gdp, burden = found.values["gdp"], found.observed
    assert isinstance(gdp, dict)
    assert burden is not None
    allies = [code for code in gdp if code != "USA"]
    total = sum(gdp[code] for code in allies)
    assert sum(gdp[code] * burden[code] for code in allies) / total == pytest.approx(
        0.0201, abs=5e-5
    )


@pytest.mark.parametrize("name", MODELS)
def test_every_number_says_what_it_is(name: str) -> None:
    found = spec(name)
    document = tomllib.loads((models_folder() / f"{name}.toml").read_text(encoding="utf-8"))
    required = {"gdp", "influence_weight", "private_weight", "spillin", "umbrella", "decay"}
    assert required <= set(document["parameters"]) <= set(PARAMETERS)
    for parameter in (*found.values, "security_weight"):
        origin = found.origins[parameter]
        assert origin.status in STATUSES
        assert len(origin.source) > 5, parameter
    expected = "assumed" if name == "three-allies" else "observed"
    assert found.origins["gdp"].status == expected
    if name != "three-allies":
        assert found.origins["security_weight"].status == "calibrated"
        assert found.observed_origin is not None
        assert found.observed_origin.status == "observed"
    assert found.plan_origin.status == "assumed"


def test_parameters_of_the_flagship() -> None:
    game = load_model("nato-2024")
    assert game.umbrella == 0.7
    assert game.spillin == game.congestion == game.substitution == game.decisiveness == 1
    assert game.return_spillin == 0.5
    assert game.decay == 0.4
    alpha = dict(zip(game.members, game.by_member("influence_weight"), strict=True))
    private = dict(zip(game.members, game.by_member("private_weight"), strict=True))
    assert alpha.pop("USA") == 0.01
    assert private.pop("USA") == 0
    assert set(alpha.values()) == {0.005}
    assert set(private.values()) == {0.003}
    assert default_plan(game).to_dict() == {
        "threat": 0.5,
        "demand": 0.05,
        "burden": None,
        "tariff": 0.0,
    }


def test_the_teaching_model_does_what_its_file_says() -> None:
    game = load_model("three-allies")
    without = alliancegame.solve_nash(game)
    assert (100 * without.burden).round(1).tolist() == [3.5, 1.9, 2.2, 3.4]
    assert alliancegame.compare(game, default_plan(game)).outcome == "success"
    full = default_plan(game).replace(threat=1.0)
    assert alliancegame.compare(game, full).outcome == "backfire"


def weights_by_hand(game: BurdenSharingGame) -> pd.Series:
    """docs/howto/calibrate for summation, council and logs at observed burdens, one by one."""
    burden = game.provenance["observed_burden"]
    gdp = dict(zip(game.members, game.by_member("gdp").tolist(), strict=True))
    alpha = dict(zip(game.members, game.by_member("influence_weight").tolist(), strict=True))
    private = dict(zip(game.members, game.by_member("private_weight").tolist(), strict=True))
    force = {m: gdp[m] * burden[m] for m in gdp}
    lead, everybody = force[game.leader], sum(force.values())
    found = {}
    for m in game.members:
        if m == game.leader:
            security = lead + float(game.return_spillin) * (everybody - lead)
        else:
            share = gdp[m] / sum(gdp.values())
            others = everybody - lead - force[m]
            security = force[m] + share * others + float(game.umbrella) * share * lead
        influence = alpha[m] * (1 / burden[m] - gdp[m] / everybody)
        marginal = 1 / (1 - burden[m]) - private[m] / burden[m] - influence
        found[m] = marginal * security / gdp[m]
    return pd.Series(found)


@pytest.mark.parametrize("name", ["nato-2014", "nato-2024", "us-allies-2024"])
def test_calibrated_weights_against_a_formula_written_by_hand(name: str) -> None:
    game = load_model(name)
    np.testing.assert_allclose(game.by_member("security_weight"), weights_by_hand(game), rtol=1e-9)
    assert (game.by_member("security_weight") > 0).all()


def test_calibrated_values_of_security_fall_with_distance_to_russia() -> None:
    weights = weights_by_hand(load_model("nato-2024")).drop("USA")
    distance = pd.DataFrame(rows("distance_to_russia.csv")).set_index("iso3")
    border = distance["min_border_km_russia"].astype(float)
    assert set(border.index) == set(weights.index)
    assert weights.corr(border[weights.index], method="spearman") == pytest.approx(-0.751, abs=5e-4)


def test_only_a_handful_of_sipri_figures_is_shipped() -> None:
    assert {row["iso3"] for row in rows("pacific_allies_2024.csv")} == PACIFIC
    spenders = rows("big_spenders_2024.csv")
    assert sum(row["source"] == "SIPRI" for row in spenders) == 8
    spending = [float(row["spending_usd_bn"]) for row in spenders]
    assert spending == sorted(spending, reverse=True)
    assert [row["iso3"] for row in spenders[:3]] == ["USA", "CHN", "RUS"]


def test_every_data_file_has_its_terms() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    readme = (models_folder() / "data" / "README.md").read_text(encoding="utf-8")
    files = list((models_folder() / "data").glob("*.csv"))
    assert len(files) == 5
    for file in files:
        assert f"models/data/{file.name}" in notice
        assert f"## {file.name}" in readme


def extractor() -> ModuleType:
    found = importlib.util.spec_from_file_location("extract", models_folder() / "data/extract.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_extractor_makes_the_shipped_files_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From long tables that hold the shipped figures, and others besides."""
    extract = extractor()
    long = []
    for row in rows("nato_defence_expenditure.csv"):
        words = {key: row[key] for key in ("iso3", "country", "year", "is_estimate", "edition")}
        for variable, number in ((extract.EXPENDITURE, "Table 2"), (extract.GDP, "Table 5")):
            if row[variable]:
                cell = {"variable": variable, "value": row[variable], "nato_table": number}
                long.append(words | cell)
        long.append(words | {"variable": "other", "value": "1", "nato_table": "Table 9"})
    pd.DataFrame(long).to_csv(tmp_path / "nato_defence_expenditure.csv", index=False)
    panel = [row | {"other": "1"} for row in rows("pacific_allies_2024.csv")]
    for row in rows("big_spenders_2024.csv"):
        if row["source"] == "SIPRI" and row["iso3"] not in PACIFIC:
            words = {key: row[key] for key in ("iso3", "country", "year")}
            flag = "estimate" if row["is_estimate"] == "1" else ""
            numbers = {"milex_usd_bn": row["spending_usd_bn"], "milex_pct_gdp": row["pct_gdp"]}
            panel.append(words | numbers | {"sipri_flag": flag})
    pd.DataFrame(panel).to_csv(tmp_path / "military_expenditure_panel.csv", index=False)
    distance = [*rows("distance_to_russia.csv"), {"iso3": "ISL"}, {"iso3": "USA"}]
    pd.DataFrame(distance).to_csv(tmp_path / "alliances.csv", index=False)
    polls = [*rows("us_confidence.csv"), rows("us_confidence.csv")[0] | {"iso3": "KEN"}]
    pd.DataFrame(polls).to_csv(tmp_path / "us_confidence.csv", index=False)
    assert extract.main([str(tmp_path), "--check"]) == 0
    monkeypatch.setattr(extract, "HERE", tmp_path / "out")
    (tmp_path / "out").mkdir()
    assert extract.main([str(tmp_path)]) == 0
    for name in extract.FILES:
        shipped = (models_folder() / "data" / name).read_bytes()
        assert (tmp_path / "out" / name).read_bytes() == shipped
    assert "374 rows" in capsys.readouterr().out
    (tmp_path / "out" / "pacific_allies_2024.csv").write_text("x", encoding="utf-8")
    assert extract.main([str(tmp_path), "--check"]) == 1
    assert "pacific_allies_2024.csv" in capsys.readouterr().out


def test_versions_agree() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {alliancegame.__version__}\n" in citation
    assert f"## {alliancegame.__version__} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_folder(tmp_path: Path) -> None:
    """Built through the sdist, installed alone, used where nothing of the repository is."""

    def run(*command: str, **env: str) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=empty,
            env=os.environ | env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    empty, dist, site = tmp_path / "empty", tmp_path / "dist", tmp_path / "site"
    empty.mkdir()
    run("-m", "build", "--no-isolation", "--outdir", str(dist), str(ROOT))
    (wheel,) = dist.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in ("py.typed", "_models/nato-2024.toml", "_models/data/README.md"):
        assert f"alliancegame/{wanted}" in names
    assert sum(name.endswith("/NOTICE") for name in names) == 1
    assert {name.split("/")[0].split("-")[0] for name in names} == {"alliancegame"}
    install = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site))
    run(*install, str(wheel))
    code = (
        "import alliancegame as ag; print(ag.__file__);"
        "g = ag.load_model('nato-2024'); print(g.size, g.security_weight.sum());"
        "print(ag.new_model('mine')); print(ag.load_model('mine.toml').size)"
    )
    where, game, *mine = run("-c", code, PYTHONPATH=str(site)).splitlines()
    assert Path(where).is_relative_to(site)
    assert game.split()[0] == "31"
    assert float(game.split()[1]) == pytest.approx(weights_by_hand(load_model("nato-2024")).sum())
    assert mine[-1] == "4"
