"""The commands, in process: what they print, what their JSON holds, and their exit codes."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alliancegame as ag
from alliancegame.cli import inputs
from alliancegame.report import ReportFiles
from alliancegame.solve.result import result_from_dict

WIDTH = 80
SHIPPED = ["nato-2014", "nato-2024", "nato-2024-exit", "three-allies", "us-allies-2024"]

Run = Callable[..., Any]


def table_of(text: str) -> list[list[str]]:
    """The rows of the first table, split at two blanks or more."""
    lines = text.split("\n\n")
    body = next(part for part in lines if "───" in part)
    rows = body.split("\n")
    first = next(i for i, row in enumerate(rows) if row.startswith("─"))
    return [
        re.split(r"\s{2,}", row.strip()) for row in rows[first + 1 :] if row and row[0] not in "─("
    ]


def row_of(text: str, label: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"{label} "))


# --- models, show, new, latex ----------------------------------------------------------------------


def test_models(run: Run) -> None:
    shown = run("models").stdout
    assert [row[0] for row in table_of(shown)] == SHIPPED
    assert max(map(len, shown.splitlines())) <= WIDTH
    text = " ".join(shown.split())
    for words in ("31 2024 NATO in 2024", "credit NATO; not for sale", "SIPRI: credit SIPRI"):
        assert words in text
    listed = json.loads(run("models", "--json").stdout)
    assert [entry["name"] for entry in listed] == SHIPPED
    assert set(listed[0]) == {"name", "title", "members", "year", "terms"}


@pytest.mark.parametrize("model", SHIPPED)
def test_show_fits_and_leaves_nothing_out(run: Run, model: str) -> None:
    shown = run("show", model).stdout
    game = ag.load_model(model)
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert "…" not in shown
    assert "no room" not in shown
    for label in game.members:
        assert row_of(shown, label)
    for name in ag.PARAMETERS:
        assert name in shown
    for status in ("assumed", game.provenance["parameters"]["gdp"]["status"]):
        assert status in shown


def test_show_says_what_was_changed(run: Run) -> None:
    words = ("show", "three-allies", "--set", "decay[Large]=0.2", "--set", "umbrella=50%")
    shown = run(*words).stdout
    assert row_of(shown, "decay").split()[2:5] == ["0.2", "to", "0.4"]
    assert re.search(r"  umbrella +what the leader's forces are worth to an ally \| --set", shown)
    assert "decay[Large]=0.2, umbrella=50%; nothing calibrated again" in " ".join(shown.split())
    data = json.loads(run(*words, "--json").stdout)
    assert (
        data["parameters"]["umbrella"] | {"value": 0.5, "source": "--set"}
        == (data["parameters"]["umbrella"])
    )
    assert data["parameters"]["gdp"]["unit"] == "bn US$"
    assert data["parameters"]["scarring"]["source"] == "default of the model"
    assert data["leader"] == "Leader"


def test_new_model_is_ready_to_solve(run: Run, tmp_path: Path) -> None:
    written = run("new", "mine", "--dir", str(tmp_path / "models"))
    toml = tmp_path / "models" / "mine.toml"
    assert toml.is_file()
    assert toml.with_suffix(".csv").is_file()
    assert f"alliancegame show {toml}\n" in written.stdout
    assert "AAA" in run("solve", str(toml)).stdout
    again = run("new", "mine", "--dir", str(toml.parent), code=1)
    assert "is there already" in again.stderr
    assert json.loads(run("new", "b", "--dir", str(tmp_path), "--json").stdout) == {
        "model": str(tmp_path / "b.toml"),
        "table": str(tmp_path / "b.csv"),
    }


def test_latex(run: Run) -> None:
    printed = run("latex", "three-allies").stdout
    assert printed.rstrip() == ag.latex(ag.load_model("three-allies")).rstrip()


# --- solve and certify -----------------------------------------------------------------------------


def test_solve_prints_everybody_aligned(run: Run) -> None:
    shown = run("solve", "nato-2024").stdout
    game = ag.load_model("nato-2024")
    rows = table_of(shown)
    assert [row[0] for row in rows] == [*game.members, "allies"]
    assert max(map(len, shown.splitlines())) <= WIDTH
    ends = {len(row_of(shown, label)) for label in game.members}
    assert len(ends) == 1
    burden = game.provenance["observed_burden"]
    assert rows[0][1] == f"{100 * burden['USA']:.2f}"
    assert rows[-1][1] == "2.01"
    text = " ".join(shown.split())
    for words in ("burden", "% of GDP", "bn US$", "certified: nobody gains", "uniqueness proven"):
        assert words in text


def test_solve_json_is_the_result(run: Run) -> None:
    words = ("--threat", "0.2", "--threat", "Frontier=50%", "--demand", "0.03", "--burden", "3.4%")
    data = json.loads(run("solve", "three-allies", *words, "--json").stdout)
    plan = ag.Plan(threat={"Large": 0.2, "Middle": 0.2, "Frontier": 0.5}, demand=0.03, burden=0.034)
    found = ag.respond(ag.load_model("three-allies"), plan)
    again = result_from_dict(data)
    assert again.plan == plan
    assert again.burdens.tolist() == found.burdens.tolist()
    assert again.certificate == found.certificate


def test_solve_names_allies_that_bunch(run: Run) -> None:
    shown = run("solve", "nato-2024", "--threat", "0.5", "--demand", "0.02").stdout
    found = ag.solve_nash(ag.load_model("nato-2024"), ag.Plan(threat=0.5, demand=0.02))
    bunched = found.burden[found.burden == 0.02].index
    assert len(bunched) > 0
    assert f"exactly: {', '.join(bunched)}" in " ".join(shown.split())


def test_solve_begins_with_no_pressure_or_the_models_plan(run: Run) -> None:
    def plan(*words: str) -> Any:
        data = json.loads(run("solve", "three-allies", *words, "--json").stdout)["plan"]
        return data["threat"], data["demand"], data["burden"]

    assert plan() == (0.0, 0.05, None)
    assert plan("--model-plan") == (0.5, 0.05, None)
    assert plan("--model-plan", "--demand", "0.04", "--burden", "none") == (0.5, 0.04, None)
    assert plan("--demand", "Large=3%")[1] == {"Large": 0.03, "Middle": 0.05, "Frontier": 0.05}


def write_burdens(path: Path, burdens: dict[Any, Any]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["member", "burden"])
        writer.writerows(burdens.items())
    return path


def test_certify_tells_equilibria_from_others(run: Run, tmp_path: Path) -> None:
    burdens = ag.solve_nash(ag.load_model("three-allies"), ag.Plan(threat=0.3)).burden.to_dict()
    file = tmp_path / "burdens.csv"
    words = ("certify", "three-allies", str(write_burdens(file, burdens)), "--threat", "0.3")
    assert "certified: nobody gains" in " ".join(run(*words).stdout.split())

    write_burdens(file, burdens | {"Large": burdens["Large"] + 2e-5})
    assert json.loads(run(*words, "--json", code=3).stdout)["verdict"] == "approximate"

    write_burdens(file, burdens | {"Large": burdens["Large"] + 0.01})
    shown = run(*words, code=3).stdout
    assert "unverified" in shown
    assert re.search(r"gains most +Large", shown)


def test_certify_adds_the_leaders_committed_burden(run: Run, tmp_path: Path) -> None:
    game = ag.load_model("three-allies")
    burdens = ag.respond(game, ag.Plan(burden=0.03)).burden.to_dict()
    del burdens["Leader"]
    file = write_burdens(tmp_path / "burdens.csv", burdens)
    run("certify", "three-allies", str(file), "--burden", "0.03")
    assert "Leader" in run("certify", "three-allies", str(file), code=1).stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("member,spending\nLarge,0.02\n", "column 'burden' is missing (found member, spending)"),
        ("", "the file has no rows"),
        ("member,burden\nLarge,0.02\nLarge,0.03\n", "'Large' stands twice"),
        (
            "member,burden\nLeader,0\nLarge,two\nMiddle,0\nFrontier,0\n",
            "must be a number, got 'two'",
        ),
        ("member,burden\nLarje,0.03\n", "Did you mean 'Large'?"),
        ("member,burden\nLarge,0.03\n", "no value for Leader"),
        ("member,burden\nLeader,3\nLarge,0\nMiddle,0\nFrontier,0\n", "in [0, 0.25], got 3"),
        (b"member,burden\n\xff\xfe,1\n", "not a UTF-8 text file"),
    ],
)
def test_certify_refuses_bad_tables(
    run: Run, tmp_path: Path, text: str | bytes, words: str
) -> None:
    file = tmp_path / "burdens.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert words in run("certify", "three-allies", str(file), code=1).stderr


# --- stackelberg, compare, threshold ---------------------------------------------------------------


def test_stackelberg(run: Run) -> None:
    shown = " ".join(run("stackelberg", "three-allies").stdout.split())
    best = ag.solve_stackelberg(ag.load_model("three-allies"), ("threat", "burden"))
    assert best.plan.describe() in shown
    for words in (best.outcome, "by the search's estimate", "the plan certified"):
        assert words in shown
    data = json.loads(run("stackelberg", "three-allies", "--commit", "burden", "--json").stdout)
    assert data["kind"] == "stackelberg"
    assert data["commit"] == ["burden"]
    assert data["plan"]["threat"] == 0.0


def test_compare_one_plan(run: Run) -> None:
    found = ag.compare(ag.load_model("nato-2024"), ag.Plan(threat=0.5))
    result = run("compare", "nato-2024")
    shown = " ".join(result.stdout.split())
    assert max(map(len, result.stdout.splitlines())) <= WIDTH
    assert f"outcome {found.outcome}: USA gains" in shown
    assert f"{found.gain_usd_bn:+.3g} bn US$ a year" in shown
    assert f"{found.trust_loss:+.3g} lost trust" in shown
    assert row_of(result.stdout, "DEU").split()[-1] == f"{found.table['usd_bn']['DEU']:+.3f}"
    explained = run("compare", "nato-2024", "--explain").stdout
    assert explained.split() == ag.explain(found).split()
    assert result_from_dict(json.loads(run("compare", "nato-2024", "--json").stdout)).plan == (
        found.plan
    )


def test_compare_many_plans(run: Run) -> None:
    words = (
        "compare",
        "three-allies",
        "threat=0",
        "threat=0.5,burden=0.034",
        "threat[Large]=.5,threat=0",
    )
    shown = run(*words).stdout
    game = ag.load_model("three-allies")
    plans = [
        ag.Plan(threat=0.0),
        ag.Plan(threat=0.5, burden=0.034),
        ag.Plan(threat={"Large": 0.5, "Middle": 0, "Frontier": 0}),
    ]
    expected = ag.compare(game, plans)
    assert [row[1] for row in table_of(shown)] == [c.outcome for c in expected]
    for plan in plans:
        assert plan.describe() in shown
    data = json.loads(run(*words, "--json").stdout)
    assert data["kind"] == "comparisons"
    assert [c.plan for c in result_from_dict(data)] == plans
    base = json.loads(
        run("compare", "three-allies", "threat=0.1", "--demand", "4%", "--json").stdout
    )
    assert base["result"]["plan"] == ag.Plan(threat=0.1, demand=0.04).to_dict()


def test_threshold(run: Run) -> None:
    found = ag.backfire_threshold(ag.load_model("three-allies"), points=21)
    words = ("threshold", "three-allies", "--points", "21")
    shown = " ".join(run(*words).stdout.split())
    assert f"best threat {found.best:.4f}" in shown
    assert f"backfires above a threat of {found.threshold:.4f}" in shown
    data = json.loads(run(*words, "--json").stdout)
    assert data["threshold"] == found.threshold


# --- report ----------------------------------------------------------------------------------------


def test_report(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("report", "three-allies")
    page = Path("out", "three-allies", "report.html")
    assert page.is_file()
    assert f"written  {page}\n" in result.stdout
    game = ag.load_model("three-allies")
    headline = ag.compare(game, ag.default_plan(game)).headline()
    assert f"own plan: {headline}" in " ".join(result.stdout.split())
    best = ag.load_result(Path("out", "three-allies", "results", "plans.json"))[0].headline()
    assert f"best plan: {best}" in " ".join(result.stdout.split())
    assert result.stderr.startswith("loading the model ...\n")


def test_report_passes_on_what_is_asked(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def fake(game: Any, out: Path, plan: Any, *, progress: Callable[[str], None]) -> ReportFiles:
        asked.extend([game.decay, out, plan])
        progress("writing")
        return ReportFiles(out, out / "report.html", out / "model.tex", (), (out / "a.csv",), ())

    monkeypatch.setattr(ag, "report", fake)
    data = json.loads(run("report", "three-allies", "--out", str(tmp_path), "--json").stdout)
    assert asked == [0.4, tmp_path, None]
    assert data["html"] == str(tmp_path / "report.html")
    assert data["tables"] == [str(tmp_path / "a.csv")]
    assert (data["outcome"], data["verdict"]) == ("success", "certified")
    words = ("--set", "decay=2", "--threat", "0.2", "--burden", "0.034", "--out", "here")
    assert (
        f"written  {Path('here', 'report.html')}\n" in run("report", "three-allies", *words).stdout
    )
    assert asked[3:] == [2.0, Path("here"), ag.Plan(threat=0.2, burden=0.034)]


def test_report_cannot_replace_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    result = run("report", "three-allies", "--out", str(tmp_path / "file"), code=1)
    assert "must be a folder" in result.stderr
    assert (tmp_path / "file").read_text() == "not a folder"


# --- --set and --recalibrate -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "name", "value"),
    [
        (["decay=0.3"], "decay", 0.3),
        (["decay=30%"], "decay", 0.3),
        (["consumption=linear"], "consumption", "linear"),
        (["decay[Large]=0.2"], "decay", [0.0, 0.2, 0.4, 0.4]),
        (["decay[Large]=0.2", "decay=0.3"], "decay", [0.0, 0.2, 0.3, 0.3]),
        (["gdp[Leader]=1"], "gdp", [1.0, 8000.0, 4000.0, 2000.0]),
    ],
)
def test_set(texts: list[str], name: str, value: Any) -> None:
    found = getattr(inputs.load("three-allies", texts), name)
    assert (found if isinstance(value, float | str) else found.tolist()) == value


@pytest.mark.parametrize("congestion", [[], ["congestion=0.5"]])
def test_set_of_one_umbrella_leaves_the_others(congestion: list[str]) -> None:
    before = inputs.load("nato-2024", congestion).congested[1]
    game = inputs.load("nato-2024", ["umbrella[DEU]=0.5", *congestion])
    germany = game.members.index_of("DEU")
    after = game.congested[1].copy()
    assert after[germany] == 0.5
    after[germany] = before[germany]
    lead = game.members.leader_index
    after[lead] = before[lead]
    assert after.tolist() == pytest.approx(before.tolist(), rel=1e-15)


def test_recalibrate(run: Run) -> None:
    words = ("solve", "nato-2024", "--set", "return_spillin=0.3")
    shown = " ".join(run(*words).stdout.split())
    assert "changed return_spillin=0.3; nothing calibrated again" in shown
    again = run(*words, "--recalibrate", "--json").stdout
    found = result_from_dict(json.loads(again))
    observed = ag.load_model("nato-2024").provenance["observed_burden"]
    assert found.burden.to_dict() == pytest.approx(observed, abs=1e-9)
    assert found.provenance["replaced"] == {"return_spillin": 0.3}
    assert "calibrated again to the observed" in " ".join(
        run(*words, "--recalibrate").stdout.split()
    )


def test_equilibria_are_listed_with_what_is_known_of_the_list(run):
    words = ("--set", "shortfall=trigger", "--threat", "0.5", "--demand", "0.02")
    shown = run("equilibria", "three-allies", *words).stdout
    assert "1 equilibrium, and no others" in " ".join(shown.split())
    assert "proven" in shown
    data = json.loads(run("equilibria", "three-allies", *words, "--json").stdout)
    assert data["kind"] == "alliance-equilibria"
    assert data["complete"] is True
    assert len(data["equilibria"]) == 1
