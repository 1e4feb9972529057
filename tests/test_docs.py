"""The README and the pages: their code runs, their output is real, their tables are complete."""

from __future__ import annotations

import ast
import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

import alliancegame as ag
from alliancegame.game.game import PARAMETERS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="a copy of the project without docs/")

PAGES = sorted(
    path for path in DOCS.glob("**/*.md") if "_build" not in path.relative_to(DOCS).parts
)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)|:alt:|\{image\} (?P<image>\S+)")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def fences(page: Path) -> list[tuple[str, str]]:
    """What stands between fences of three backticks: (the word behind the first, the text)."""
    found: list[tuple[str, str]] = []
    kind, inside = "", []
    opened = False
    for line in page.read_text(encoding="utf-8").splitlines():
        if not line.startswith("```"):
            inside.append(line)
        elif opened:
            found.append((kind, "".join(f"{text}\n" for text in inside)))
            opened = False
        else:
            kind, inside, opened = line.removeprefix("```").strip(), [], True
    return found


def cells(page: Path) -> list[str]:
    """The code cells of a page, without their options."""
    return [
        "".join(f"{line}\n" for line in text.splitlines() if not line.startswith(":"))
        for kind, text in fences(page)
        if kind == "{code-cell}"
    ]


def run_cell(code: str, names: dict[str, Any], where: str) -> Any:
    """Run a cell as a notebook does; the value of its last expression."""
    tree = ast.parse(code, where)
    last = tree.body[-1] if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    if last is not None:
        tree.body.pop()
    exec(compile(tree, where, "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), where, "eval"), names)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in; the pages' own scripts and the benchmarks can be imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.syspath_prepend(str(DOCS / "scripts"))
    return tmp_path


# --- README --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("workplace")
def test_readme_shows_what_its_example_prints() -> None:
    import readme

    code, shown = readme.example()
    assert readme.printed(code) == shown, "run docs/scripts/readme.py"


def test_readme_commands_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    used = set(re.findall(r"\bmake ([a-z]+)\b(?! sure)", (ROOT / "README.md").read_text("utf-8")))
    assert {"report", "test"} <= used <= targets


def test_readme_names_every_model() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [e.name for e in ag.list_models() if f"`{e.name}`" not in text] == []


# --- pages ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("page", [p for p in PAGES if cells(p)], ids=name)
def test_cells_run(page: Path) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for i, code in enumerate(cells(page)):
        with contextlib.redirect_stdout(io.StringIO()):
            shown = run_cell(code, names, f"{name(page)}, cell {i + 1}")
        views = [
            getattr(shown, show)()
            for show in ("_repr_png_", "_repr_html_", "_repr_markdown_")
            if hasattr(shown, show)
        ]
        # A figure of Matplotlib has a view as HTML, which is empty unless it is drawn in a browser.
        assert any(views) or not views or isinstance(shown, Figure)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_code_that_is_only_shown_is_not_python(page: Path) -> None:
    kinds = {kind for kind, _ in fences(page) if not kind.startswith("{")}
    assert kinds <= {"text", "console", "toml"}, "python belongs in a {code-cell}, which is run"


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for match in LINK.finditer(text):
        target = match["target"] or match["image"]
        if target is None or re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{target} in {name(page)}"
        if anchor:
            assert anchor in anchors(file), f"{target} in {name(page)}"


def anchors(file: Path) -> set[str]:
    """What a link into a page may name: its headings, and labels put before them."""
    text = file.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}
    return slugs | set(re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE))


def test_sources_that_pages_cite_are_listed() -> None:
    listed = anchors(DOCS / "theory" / "references.md") | anchors(DOCS / "theory" / "model.md")
    for page in PAGES:
        cited = re.findall(r"\{ref\}`(?:[^`<]*<)?([\w-]+)>?`", page.read_text(encoding="utf-8"))
        assert set(cited) <= listed, name(page)


@pytest.mark.usefixtures("workplace")
def test_notation_table_has_every_parameter() -> None:
    import notation

    rows = str(notation.notation()).splitlines()[2:]
    assert [re.search(r"\| `(\w+)` \|", row)[1] for row in rows] == list(PARAMETERS)  # type: ignore[index]
    for row, parameter in zip(rows, PARAMETERS.values(), strict=True):
        assert parameter.doc in row
        assert all(f'`"{choice}"`' in row for choice in parameter.choices)


def test_reference_names_only_what_is_public() -> None:
    """And misses nothing: a directive of ours adds the public names that it does not list."""
    text = (DOCS / "reference.md").read_text(encoding="utf-8")
    named = re.findall(r"^\.\. auto(?:function|class):: alliancegame\.(\w+)$", text, re.MULTILINE)
    assert set(named) <= set(ag.__all__)
    assert len(named) > 20
    assert ".. rest-of-public-names::" in text


def test_status_cites_tests_that_exist() -> None:
    text = (DOCS / "status.md").read_text(encoding="utf-8")
    cited = set(re.findall(r"`(tests/[\w/]+(?:\.py)?)`", text))
    assert cited
    assert [path for path in sorted(cited) if not (ROOT / path).exists()] == []


@pytest.mark.usefixtures("workplace")
def test_flagship_agrees_with_the_orientation_figures() -> None:
    import flagship

    assert [o.what for o in flagship.ORIENTATION if not o.agrees()] == []


@pytest.mark.usefixtures("workplace")
def test_picture_shows_what_the_library_says() -> None:
    import draw_plane

    drawn, now = draw_plane.shown(), draw_plane.coordinates()
    assert list(drawn) == list(now)
    for label, expected in now.items():
        assert drawn[label] == pytest.approx(expected, abs=1e-3), "run docs/scripts/draw_plane.py"
    assert draw_plane.FILE.stat().st_size < 100_000
