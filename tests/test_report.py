"""The report: complete, self-contained, true to the results, whole or not there at all."""

from __future__ import annotations

import dataclasses
import importlib
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import alliancegame as ag
from alliancegame.errors import InvalidValueError, ResultFileError, UnknownNameError
from alliancegame.figures.style import settle
from alliancegame.game.game import BurdenSharingGame
from alliancegame.report import ReportFiles, contents, findings, report, words, write
from alliancegame.study.sign_series import Signs

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """A page read strictly: every element closed in order, and what a test asks for."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text.replace("\N{NO-BREAK SPACE}", " "))
        self.close()
        assert self.open == [], self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("style", "script"):
            return
        self.words.append(data)
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@dataclasses.dataclass(frozen=True)
class Written:
    game: BurdenSharingGame
    files: ReportFiles
    page: Page


def written(game: BurdenSharingGame, folder: Path, plan: ag.Plan | None = None) -> Written:
    files = report(game, folder, plan)
    return Written(game, files, Page(files.html.read_text("utf-8")))


@pytest.fixture(scope="module")
def flagship(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return written(ag.load_model("nato-2024"), tmp_path_factory.mktemp("report") / "nato-2024")


@pytest.fixture(scope="module")
def small() -> BurdenSharingGame:
    return ag.load_model("three-allies")


def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the drawing, and time, out where only words and files matter."""
    monkeypatch.setattr(contents, "pictures", lambda found: [])
    timeless(monkeypatch)


def timeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the section on trust over time, which takes half of a report's time."""
    monkeypatch.setattr(findings, "investigate_dynamics", lambda *_: None)


def drawing_only(monkeypatch: pytest.MonkeyPatch, *kinds: str) -> None:
    """Make and lay out every figure, and render none but of these kinds."""
    full = contents.rendered

    def render(figure: Figure, kind: str, *options: Any, **more: Any) -> bytes:
        settle(figure)
        return full(figure, kind, *options, **more) if kind in kinds else b"not rendered"

    monkeypatch.setattr(contents, "rendered", render)


def test_the_folder_holds_what_is_listed_and_nothing_else(flagship: Written) -> None:
    files = flagship.files
    on_disk = {path for path in files.folder.rglob("*") if path.is_file()}
    assert on_disk == set(files.paths)
    assert all(path.stat().st_size > 100 for path in files.paths)
    pictures = {path.stem for path in files.figures}
    assert pictures == {
        "plane", "threat_curve", "decomposition", "burdens", "signs", "exposure", "trust_paths",
        "trust_policy", "trust_lost", "trust_regimes",
    }  # fmt: skip
    assert {path.suffix for path in files.figures} == {".png", ".pdf"}
    assert len(files.figures) == 2 * len(pictures)
    with pytest.raises(dataclasses.FrozenInstanceError):
        files.html = Path("x")  # type: ignore[misc]


def test_the_page_needs_nothing_from_outside(flagship: Written) -> None:
    page = flagship.page
    for tag, attributes in page.tags:
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            target = attributes.get(name)
            assert target is None or target.startswith(("data:", "#")), (tag, target)
    assert not page.all("script")
    assert not page.all("link")
    style = flagship.files.html.read_text("utf-8").split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_the_page_is_accessible(flagship: Written) -> None:
    page = flagship.page
    assert page.all("html") == [{"lang": "en"}]
    assert [level for level, _ in page.tags if level == "h1"] == ["h1"]
    for image in page.all("img"):
        assert len(image["alt"] or "") > 40
        assert image["width"] is not None
        assert image["height"] is not None
    assert all(head.get("scope") in ("col", "row") for head in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    anchors = [link["href"] for link in page.all("a")]
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert all(anchor is not None and anchor[1:] in ids for anchor in anchors)
    named = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(named) == len(set(named))


def test_every_member_stands_in_the_page_with_its_burdens(flagship: Written) -> None:
    game = flagship.game
    base = ag.solve_nash(game)
    rows = {row[0]: row for row in flagship.page.rows}
    for label, name in game.provenance["names"].items():
        row = rows[f"{name} ({label})"]
        assert row[3] == words.percent(base.burden[label])


def test_verdicts_stand_beside_their_signs_over_every_range(flagship: Written) -> None:
    page = flagship.page
    signs = ag.load_result(flagship.files.folder / "results" / "signs.json")
    assert isinstance(signs, Signs)
    cells = {cell for row in page.rows for cell in row}
    assert len(signs) == 29
    for series in signs:
        assert series.statement() in cells
        assert series.weights() in cells
    keys = {"decay", "influence_weight[USA]", "influence_weight", "return_spillin", "demand"}
    for plan in signs.plans:
        assert {series.axis.key for series in signs.of(plan)} == keys
    assert "pressure pays (B)" in page.text
    assert "pressure backfires (C)" in page.text


def test_the_page_says_in_plain_words_how_small_and_how_assumed_the_gain_is(
    flagship: Written,
) -> None:
    text = flagship.page.text
    best = ag.solve_stackelberg(flagship.game).comparison
    assert f"is tiny, {words.money(best.gain_usd_bn)} a year" in text
    assert "rests on 14 assumed parameters and forms" in text
    assert "its sign turns inside 8 of the 8 ranges" in text
    assert "decay" in text.split("Assumed:")[1].split("observed:")[0]


def test_the_adjective_follows_from_the_result(
    small: BurdenSharingGame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    text = written(small.replace(influence_weight=0.0), tmp_path).page.text
    assert "is sizeable" in text
    assert "tiny" not in text
    assert [words.size(share) for share in (0.001, 0.02, 0.2)] == ["tiny", "small", "sizeable"]


def test_the_numbers_agree_with_the_library(flagship: Written) -> None:
    folder, game = flagship.files.folder, flagship.game
    plans = pd.read_csv(folder / "tables" / "plans.csv", index_col="label")
    best = ag.solve_stackelberg(game, ("threat", "burden"), demand=0.05)
    expected = [
        0.0,
        best.comparison.gain_usd_bn,
        ag.compare(game, ag.default_plan(game)).gain_usd_bn,
        ag.compare(game, ag.Plan(threat=1.0)).gain_usd_bn,
    ]
    assert plans["usd_bn"].fillna(0.0).to_numpy() == pytest.approx(expected, abs=1e-9)
    assert list(plans["outcome"]) == ["status quo", "success", "backfire", "backfire"]
    members = pd.read_csv(folder / "tables" / "members.csv", index_col="member")
    assert list(members.index) == list(game.members)
    assert members["burden_A"].to_numpy() == pytest.approx(ag.solve_nash(game).burdens)
    frame = ag.compare(game, ag.Plan(threat=1.0)).table
    assert members["worth_full_usd_bn"].to_numpy() == pytest.approx(frame["usd_bn"].to_numpy())
    parameters = pd.read_csv(folder / "tables" / "parameters.csv", index_col="parameter")
    assert set(parameters["status"]) == {"observed", "calibrated", "assumed"}
    assert parameters.loc["security_weight", "status"] == "calibrated"
    exposure = pd.read_csv(folder / "tables" / "exposure.csv", index_col="member")
    ranks = exposure.rank().corr().iloc[0, 1]
    assert f"{ranks:+.2f}".replace("-", "−") in flagship.page.text


def test_every_result_can_be_loaded_and_says_the_same(flagship: Written) -> None:
    folder = flagship.files.folder / "results"
    for path in flagship.files.results:
        assert ag.load_result(path).to_json() + "\n" == path.read_text("utf-8")
    status_quo = ag.load_result(folder / "status_quo.json")
    assert status_quo.burdens == pytest.approx(ag.solve_nash(flagship.game).burdens)
    assert ag.load_result(folder / "stackelberg.json").outcome == "success"
    assert [c.outcome for c in ag.load_result(folder / "plans.json")] == [
        "success", "backfire", "backfire",
    ]  # fmt: skip
    assert flagship.files.latex.read_text("utf-8") == ag.latex(flagship.game)


def test_the_section_on_time_says_what_was_solved(flagship: Written) -> None:
    game, folder, text = flagship.game, flagship.files.folder, flagship.page.text
    myopic, markov = (
        ag.load_result(folder / "results" / f"trust_{concept}.json")
        for concept in ("myopic", "markov")
    )
    assert myopic.first_threat == pytest.approx(ag.solve_stackelberg(game).plan.threat, abs=1e-4)
    assert markov.threats.max() == 0
    assert f"USA threatens with {myopic.first_threat:.2g} at first" in text
    assert f"at a discount factor of {markov.discount:g}, it never threatens" in text
    patience = ag.patience_threshold(game)
    assert f"from a discount factor of {patience.never:.2f} on" in text
    assert "a dynamic backfire" in text
    assert myopic.dynamic_backfire
    assert f"{words.money(myopic.present_value_usd_bn)} in present value" in text
    fit = ag.load_result(folder / "results" / "opinion.json")
    low, high = fit.decay_range
    assert f"assumed at {game.decay:g}" in text
    assert f"{low:.2f} log points by views of the country" in text
    assert f"{high:.2f} by confidence in the president" in text
    assert "Opinion is not elite reliance" in text
    regimes = pd.read_csv(folder / "tables" / "trust_regimes.csv")
    assert {"myopic_threat", "stationary_threat", "open-loop_threat", "markov_threat"} <= set(
        regimes
    )
    assert game.decay in set(regimes["decay"])
    paths = pd.read_csv(folder / "tables" / "trust_paths.csv", index_col=["concept", "period"])
    assert np.allclose(paths.loc["myopic", "threat"], myopic.to_frame()["threat"])
    assert "Trust over time" in [link for link in flagship.page.words if "Trust" in link]


def test_certificates_say_unique_and_how_wide_the_search_was(flagship: Written) -> None:
    text = flagship.page.text
    found = ag.solve_stackelberg(flagship.game, demand=0.05)
    assert "certified" in text
    assert "proven: theorem on simultaneous Nash" in text
    assert found.search in text
    assert f"{found.leader_gap:.1e}".replace("-", "−") in text


def test_the_same_question_gives_the_same_files(
    small: BurdenSharingGame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing_only(monkeypatch, "png")
    first, again = (report(small, tmp_path / name) for name in ("first", "again"))
    for one, other in zip(first.paths, again.paths, strict=True):
        assert one.name == other.name
        assert one.read_bytes() == other.read_bytes(), one.name


def test_the_callers_plan_is_discussed(
    small: BurdenSharingGame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    plan = ag.Plan(
        threat={"Large": 0.8}, demand={"Large": 0.03, "Middle": 0.04, "Frontier": 0.05}, burden=0.03
    )
    made = written(small, tmp_path, plan)
    expected = ag.compare(small, plan)
    members = pd.read_csv(made.files.folder / "tables" / "members.csv", index_col="member")
    assert members["burden_plan"].to_numpy() == pytest.approx(expected.result.burdens)
    assert plan.describe() in made.page.text
    assert "the demand differs by ally" in made.page.text


def test_an_inadmissible_plan_of_the_caller_is_an_error(
    small: BurdenSharingGame, tmp_path: Path
) -> None:
    with pytest.raises(InvalidValueError, match="burden of the plan"):
        report(small, tmp_path / "new", ag.Plan(burden=0.9))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("changes", "missing", "reason"),
    [
        ({"substitution": -1.0, "private_weight": 0.003}, "plane", "no meaning"),
        ({"influence_weight": 0.0}, None, "nobody in this game values influence"),
        ({"decay": 0.0}, None, ""),
        ({"substitution": 0.5}, None, ""),
        ({"consumption": "linear", "burden_max": 2.0}, None, ""),
        ({"influence_value": "share"}, None, ""),
        ({"horizon": "stationary"}, "threat_curve", "trust of every ally is zero"),
        ({"decay": {"Large": 0.2, "Middle": 0.4, "Frontier": 0.8}}, None, ""),
    ],
    ids=["weakest", "no influence", "no decay", "ces", "linear", "share", "no trust", "by member"],
)
def test_other_forms_are_reported_and_what_has_no_meaning_is_left_out(
    small: BurdenSharingGame,
    changes: dict[str, object],
    missing: str | None,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawing_only(monkeypatch)
    over_time = not {"substitution", "influence_weight", "influence_value", "horizon"} & set(
        changes
    )
    if not over_time:
        timeless(monkeypatch)
    made = written(small.replace(**changes), tmp_path)
    drawn = {path.stem for path in made.files.figures}
    wanted = {"plane", "threat_curve", "decomposition", "burdens", "signs"}
    if over_time and not made.game.trust_law.harmless:
        wanted |= {"trust_paths"}
        if isinstance(made.game.decay, float):
            wanted |= {"trust_policy", "trust_lost", "trust_regimes"}
        else:
            assert "the law of trust has 3 states" in made.page.text
    elif over_time:
        assert "no threat costs any trust here" in made.page.text
    assert drawn == wanted - {missing}
    assert reason in made.page.text
    assert "nan" not in re.findall(r"[a-z]+", made.page.text)
    for path in made.files.results:
        ag.load_result(path)


def test_a_game_without_a_file_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    game = BurdenSharingGame(
        ["L<b>", "A&B", 'C"'], "L<b>", gdp=[10, 6, 1e-3], security_weight=0.04,
        influence_weight=0.01, burden_max=0.9,
    )  # fmt: skip
    made = written(game, tmp_path)
    assert {"L<b>", "A&B", 'C"'} <= {row[0] for row in made.page.rows}
    assert "it has no pressure and names no burden" in made.page.text


def test_models_are_found_by_name_and_by_path(
    tmp_path: Path, small: BurdenSharingGame, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    model = ag.save_model(small, tmp_path / "mine.toml")
    for source in ("three-allies", model):
        assert report(source, tmp_path / "out").html.is_file()
    with pytest.raises(UnknownNameError, match="three-allies"):
        report("three-alies", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_progress_is_told_and_nothing_is_printed(
    small: BurdenSharingGame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    quick(monkeypatch)
    told: list[str] = []
    report(small, tmp_path, progress=told.append)
    assert any("best plan" in text for text in told)
    assert capsys.readouterr() == ("", "")


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_failure_while_writing_leaves_the_old_report_whole(
    small: BurdenSharingGame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    report(small, tmp_path)
    before = snapshot(tmp_path)

    def full(self: Path, content: bytes) -> int:
        if self.name == "report.html":
            raise OSError(28, "No space left on device")
        return original(self, content)

    original = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ResultFileError, match="No space left"):
        report(small.replace(decay=0.0), tmp_path)
    assert snapshot(tmp_path) == before
    monkeypatch.setattr(Path, "write_bytes", original)
    with monkeypatch.context() as patch:
        patch.setattr(contents, "page", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            report(small.replace(decay=0.0), tmp_path)
    assert snapshot(tmp_path) == before


def test_the_page_is_put_in_place_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    placed: list[str] = []
    original = Path.replace

    def watched(self: Path, target: Path) -> Path:
        placed.append(Path(target).name)
        return original(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    write.publish(tmp_path, {"report.html": b"a", "model.tex": b"b", "tables/x.csv": b"c"})
    assert placed[-1] == "report.html"
    assert sorted(placed) == ["model.tex", "report.html", "x.csv"]


def test_what_only_an_earlier_report_had_is_removed_and_other_files_stay(tmp_path: Path) -> None:
    old = {"report.html": b"old", "model.tex": b"old", "figures/exposure.png": b"old"}
    write.publish(tmp_path, old)
    (tmp_path / "figures" / "mine.png").write_bytes(b"mine")
    write.publish(tmp_path, {"report.html": b"new", "model.tex": b"new"})
    assert snapshot(tmp_path) == {
        "report.html": b"new", "model.tex": b"new", "figures/mine.png": b"mine",
    }  # fmt: skip


def test_a_file_in_the_folders_place_is_refused_before_anything_is_solved(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    for out in (tmp_path / "taken", tmp_path / "taken" / "deeper"):
        with pytest.raises(InvalidValueError, match="must be a folder"):
            report("no-such-model", out)


def test_the_package_can_be_called_in_whatever_order_it_is_imported() -> None:
    package = importlib.import_module("alliancegame.report")
    assert callable(package)
    assert callable(ag.report)
    code = (
        "import alliancegame.report, alliancegame as ag;"
        "import sys; sys.exit(not callable(ag.report))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_percentages_never_use_powers_of_ten() -> None:
    shares = [0.0337, 0.0000663, 0.1, -0.02, 0.0, 1.0]
    assert [words.percent(share) for share in shares] == [
        "3.37 %", "0.00663 %", "10.0 %", "−2.00 %", "0 %", "100 %",
    ]  # fmt: skip
    assert words.percent(np.float64(0.00001), 2) == "0.0010 %"


def test_nothing_is_solved_for_a_folder_that_cannot_be_written(monkeypatch: Any) -> None:
    monkeypatch.setattr(write.tempfile, "mkdtemp", _denied)
    with pytest.raises(ResultFileError, match="nothing can be written there"):
        ag.report("no-model-is-loaded", "out")


def _denied(**_: Any) -> str:
    raise PermissionError(13, "Permission denied")
