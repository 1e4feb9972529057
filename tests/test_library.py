"""Models by name and path, saving, new models, and games from a user's own table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from alliancegame.errors import (
    AllianceGameError,
    CalibrationError,
    InvalidValueError,
    ModelFileError,
    UnknownNameError,
)
from alliancegame.game.game import PARAMETERS, BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.library import (
    default_plan,
    from_frame,
    list_models,
    load_model,
    models_folder,
    new_model,
    save_model,
)
from alliancegame.study.calibrate import calibrate

SHIPPED = ["nato-2014", "nato-2024", "nato-2024-exit", "three-allies", "us-allies-2024"]


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {"gdp": [20000.0, 4000.0, 500.0], "burden": [0.034, 0.02, 0.03]},
        index=["USA", "DEU", "POL"],
    )


def test_list_models_shows_what_they_are_and_their_terms() -> None:
    models = list_models()
    assert [entry.name for entry in models] == SHIPPED
    assert len(models) == len(models[:2]) + 3
    text = repr(models)
    for word in (*SHIPPED, "credit NATO", "SIPRI", "31", "2014"):
        assert word in text
    frame = models.to_frame()
    assert list(frame.index) == SHIPPED
    assert frame.loc["nato-2024", "members"] == 31
    assert "non-commercial" in frame.loc["us-allies-2024", "terms"]


def test_load_by_name_and_by_path_is_the_same(tmp_path: Path) -> None:
    by_name = load_model("three-allies")
    copy = tmp_path / "own.toml"
    copy.write_bytes((models_folder() / "three-allies.toml").read_bytes())
    assert load_model(copy) == load_model(str(copy)) == by_name
    assert load_model(copy).provenance["file"] == "own.toml"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nato2024", ["unknown model", "Did you mean 'nato-2024'?", "Known: nato-2014"]),
        ("nowhere.toml", ["no model file 'nowhere.toml'"]),
        ("some/folder/model", ["no model file"]),
    ],
)
def test_unknown_models(name: str, words: list[str]) -> None:
    with pytest.raises(UnknownNameError) as caught:
        load_model(name)
    for word in words:
        assert word in str(caught.value)


def test_near_names_and_forgotten_suffixes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    new_model("mymodel")
    with pytest.raises(UnknownNameError, match=r"mymodel\.toml is here: give its path"):
        load_model("mymodel")
    with pytest.raises(UnknownNameError, match=r"Did you mean 'mymodel\.toml'"):
        load_model("mymodl.toml")


def test_default_plan() -> None:
    assert default_plan(load_model("three-allies")) == Plan(threat=0.5, demand=0.05)
    by_hand = BurdenSharingGame(["A", "B"], "A", [1, 1], 0.1)
    assert default_plan(by_hand) == Plan()


def test_errors_deep_in_a_file_name_the_file(tmp_path: Path) -> None:
    text = (models_folder() / "three-allies.toml").read_text(encoding="utf-8")
    for old, new, words in (
        (
            "return_spillin = { value = 0.5",
            "return_spillin = { value = -1",
            "return_spillin must be",
        ),
        ("demand = 0.05", "demand = 0.5", "demand of Large must be at most its burden_max 0.25"),
        ('{ value = "council"', '{ value = "councl"', "Did you mean 'council'"),
    ):
        assert old in text
        path = tmp_path / "bad.toml"
        path.write_text(text.replace(old, new), encoding="utf-8")
        with pytest.raises(ModelFileError) as caught:
            load_model(path)
        assert str(caught.value).startswith("bad.toml: ")
        assert words in str(caught.value)


@pytest.mark.parametrize("name", SHIPPED)
def test_saved_models_load_as_equal_games(name: str, tmp_path: Path) -> None:
    game = load_model(name)
    again = load_model(save_model(game, tmp_path / "copy.toml"))
    assert again == game
    assert again.hash == game.hash
    assert default_plan(again) == default_plan(game)
    for key in ("names", "parameters", "observed_burden", "year"):
        assert again.provenance[key] == game.provenance[key], key
    terms = {cited["terms"] for cited in again.provenance["data"].values()}
    assert terms == {cited["terms"] for cited in game.provenance["data"].values()}


def test_saving_says_what_was_replaced(tmp_path: Path) -> None:
    game = load_model("nato-2024").replace(decay={"DEU": 0.9}, substitution=0.8)
    again = load_model(save_model(game, tmp_path / "copy.toml"))
    assert again == game
    stated = again.provenance["parameters"]
    assert stated["decay"] == {"status": "assumed", "source": "replaced in Python"}
    assert stated["security_weight"]["status"] == "calibrated"
    assert stated["umbrella"] == game.provenance["parameters"]["umbrella"]


def test_games_made_by_hand_can_be_saved(tmp_path: Path) -> None:
    game = BurdenSharingGame(["A", "B b"], "B b", [1, 2], 0.1, decay=[0.3, 0], consumption="linear")
    assert load_model(save_model(game, tmp_path / "hand.toml")) == game


def test_games_calibrated_by_hand_can_be_saved(tmp_path: Path) -> None:
    game = BurdenSharingGame(["A", "B"], "A", [2, 1], 0.1, congestion=1)
    game = calibrate(game, observed={"A": 0.03, "B": 0.02})
    again = load_model(save_model(game, tmp_path / "hand.toml"))
    assert again == game
    assert again.provenance["parameters"]["security_weight"]["status"] == "calibrated"
    assert again.provenance["observed_burden"] == {"A": 0.03, "B": 0.02}


def test_saving_where_one_cannot_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be written"):
        save_model(load_model("three-allies"), tmp_path / "no" / "such" / "folder.toml")


def test_a_new_model_loads_as_it_is(tmp_path: Path) -> None:
    path = new_model("mine", tmp_path / "models")
    assert path == tmp_path / "models" / "mine.toml"
    game = load_model(path)
    assert game.leader == "AAA"
    assert game.size == 4
    assert game.provenance["model"] == "mine"
    assert game.provenance["calibrated"] == ["security_weight"]
    assert "@NAME@" not in path.read_text(encoding="utf-8")


def test_every_commented_line_of_a_new_model_works(tmp_path: Path) -> None:
    path = new_model("mine", tmp_path)
    rows = [line.split(",") for line in (tmp_path / "mine.csv").read_text().splitlines()]
    rows = [[*row, "2024", "9000", "180"] for row in rows[1:]]
    head = "member,name,gdp,burden,year,gdp_mn,spending_mn"
    (tmp_path / "mine.csv").write_text("\n".join([head, *map(",".join, rows)]), encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    for line in ("where =", "[data.figures.gives]", "gdp = {", "burden = {", "burden = 0.035"):
        assert f"\n# {line}" in text
        text = text.replace(f"\n# {line}", f"\n{line}")
    path.write_text(text, encoding="utf-8")
    game = load_model(path)
    assert game.gdp.tolist() == [9.0] * 4
    assert game.provenance["observed_burden"]["BBB"] == pytest.approx(0.02)
    assert default_plan(game).burden == 0.035


def test_new_models_never_overwrite(tmp_path: Path) -> None:
    new_model("mine", tmp_path)
    with pytest.raises(ModelFileError, match=r"mine\.csv is there already"):
        new_model("mine", tmp_path)


@pytest.mark.parametrize("name", ["", "a/b", ".hidden", 'quo"te', "nato-2024"])
def test_bad_names_for_new_models(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError):
        new_model(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_from_frame_calibrates_to_the_burdens() -> None:
    game = from_frame(table(), leader="USA", congestion=1, umbrella=0.7, decay=0.3)
    assert list(game.members) == ["USA", "DEU", "POL"]
    assert game.decay == 0.3
    assert game.provenance["calibrated"] == ["security_weight"]
    assert game.provenance["observed_burden"] == {"USA": 0.034, "DEU": 0.02, "POL": 0.03}
    assert (game.by_member("security_weight") > 0).all()


def test_from_frame_with_labels_and_names_in_columns() -> None:
    frame = table().reset_index(names="member")
    frame["name"] = ["United States", "Germany", "Poland"]
    game = from_frame(frame, leader="USA", congestion=1, umbrella=0.7)
    assert game == from_frame(table(), leader="USA", congestion=1, umbrella=0.7)
    assert game.provenance["names"]["DEU"] == "Germany"


def test_from_frame_with_weights_given() -> None:
    frame = table().assign(security_weight=[0.04, 0.02, 0.03])
    game = from_frame(frame, leader="USA")
    assert game.by_member("security_weight").tolist() == [0.04, 0.02, 0.03]
    assert game.provenance["calibrated"] == []
    game = from_frame(table().drop(columns="burden"), leader="USA", security_weight=0.03)
    assert game.security_weight == 0.03


@pytest.mark.parametrize(
    ("frame", "keywords", "error", "words"),
    [
        (table().rename(columns={"gdp": "GDP"}), {}, UnknownNameError, ["Did you mean 'gdp'?"]),
        (table().assign(decya=1), {}, UnknownNameError, ["Did you mean 'decay'?"]),
        (table(), {"decya": 1}, UnknownNameError, ["Did you mean 'decay'?"]),
        (table().assign(congestion=1), {}, InvalidValueError, ["one value for the alliance"]),
        (table(), {"gdp": 3}, InvalidValueError, ["gdp is given twice"]),
        (table().drop(columns="gdp"), {}, InvalidValueError, ["gdp is missing"]),
        (table().drop(columns="burden"), {}, InvalidValueError, ["security_weight is missing"]),
        (table().assign(gdp=[1, None, 1]), {}, InvalidValueError, ["gdp of DEU", "nan"]),
        (table().assign(gdp=[1, -1, 1]), {}, InvalidValueError, ["gdp for DEU must be > 0", "-1"]),
        (table().assign(gdp=[1, 1 + 2j, 1]), {}, InvalidValueError, ["complex"]),
        (table().assign(gdp=["1", "x", 1]), {}, InvalidValueError, ["gdp of USA must be a number"]),
        (table().reset_index(drop=True), {}, InvalidValueError, ["label must be text, got 0"]),
        (table().rename(index={"POL": "DEU"}), {}, InvalidValueError, ["duplicate member 'DEU'"]),
        (table().iloc[:1], {}, InvalidValueError, ["at least two members"]),
        (pd.concat([table(), table()], axis=1), {}, InvalidValueError, ["two columns 'gdp'"]),
    ],
)  # fmt: skip
def test_from_frame_refuses_bad_tables(
    frame: pd.DataFrame,
    keywords: dict[str, float],
    error: type[AllianceGameError],
    words: list[str],
) -> None:
    with pytest.raises(error) as caught:
        from_frame(frame, leader="USA", **keywords)
    for word in words:
        assert word in str(caught.value)


def test_from_frame_with_an_unknown_leader() -> None:
    with pytest.raises(UnknownNameError, match=r"leader 'US'.*Did you mean 'USA'"):
        from_frame(table(), leader="US", security_weight=0.03)


def test_burdens_too_small_for_the_weights_are_a_calibration_error() -> None:
    frame = table().assign(burden=[0.034, 0.001, 0.03])
    with pytest.raises(CalibrationError, match="DEU"):
        from_frame(frame, leader="USA", private_weight=0.01)


def test_every_numeric_parameter_can_be_a_column_or_a_name() -> None:
    for name, parameter in PARAMETERS.items():
        if parameter.scope == "choice" or name in ("gdp", "security_weight"):
            continue
        given = {name: parameter.default} if not parameter.by_member else {}
        frame = table().assign(**{name: parameter.default} if parameter.by_member else {})
        game = from_frame(frame, leader="USA", security_weight=0.03, **given)
        assert name in game.values()


def test_loading_a_model_without_calibration_needs_no_slow_library() -> None:
    code = (
        "import sys; from alliancegame.library import load_model, list_models;"
        "load_model('three-allies'); list_models();"
        "slow = {'pandas', 'scipy', 'sympy', 'numba', 'matplotlib', 'xarray', 'cvxpy'};"
        "sys.exit(', '.join(slow & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
