"""What goes into the report's files, as bytes by path."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from alliancegame.figures.style import TYPE3, rendered
from alliancegame.report import tables
from alliancegame.report.page import page
from alliancegame.report.pictures import NAMES, pictures
from alliancegame.report.write import FIGURES, LATEX, PAGE, RESULTS, TABLES
from alliancegame.study.compare import Comparisons

if TYPE_CHECKING:
    from alliancegame.report.findings import Findings
    from alliancegame.solve.result import Result

PNG_DPI = 160
"""Sharp on the page and in a talk; for print there are the PDF files."""

KEYS = ("best", "plan", "full")

ALL_NAMES = (
    *(f"{FIGURES}/{name}.{kind}" for name in NAMES for kind in ("png", "pdf")),
    *(f"{TABLES}/{name}.csv" for name in tables.NAMES),
    *(
        f"{RESULTS}/{name}.json"
        for name in (
            "stackelberg",
            "threat_curve",
            "signs",
            "plans",
            "trust_myopic",
            "trust_stationary",
            "trust_markov",
            "patience",
            "trust_regimes",
            "opinion",
        )
    ),
    *(f"{RESULTS}/frontier_{key}.json" for key in ("A", *KEYS)),
)
"""Files that some report has and another has not."""


def contents(found: Findings, progress: Callable[[str], None]) -> dict[str, bytes]:
    """Every file of the report."""
    files: dict[str, bytes] = {}
    drawn, images = [], {}
    for picture in pictures(found):
        progress(f"drawing {picture.name}")
        images[picture.name] = rendered(picture.figure, "png", PNG_DPI)
        files[f"{FIGURES}/{picture.name}.png"] = images[picture.name]
        files[f"{FIGURES}/{picture.name}.pdf"] = rendered(picture.figure, "pdf", pdf_fonts=TYPE3)
        drawn.append(picture)
    progress("writing tables and results")
    for name, frame in tables.frames(found).items():
        files[f"{TABLES}/{name}.csv"] = frame.to_csv(lineterminator="\n").encode()
    for name, result in _results(found).items():
        files[f"{RESULTS}/{name}.json"] = (result.to_json() + "\n").encode()
    files[LATEX] = found.latex.encode()
    files[PAGE] = page(found, drawn, images).encode()
    return files


def _results(found: Findings) -> dict[str, Result]:
    """Everything solved, by the name of its file; `load_result` reads each."""
    made: dict[str, Result] = {"status_quo": found.baseline}
    if found.cases:
        made["plans"] = Comparisons(tuple(case.comparison for case in found.cases))
    for case in found.cases:
        if case.stackelberg is not None:
            made["stackelberg"] = case.stackelberg
    if found.own_curve is not None:
        made["threat_curve"] = found.curves[found.own_curve]
    keys = {"A": "A", **{case.label: case.key for case in found.cases}}
    made |= {f"frontier_{keys[label]}": line for label, line in found.frontiers.items()}
    if found.signs is not None:
        made["signs"] = found.signs
    if found.dynamics is not None:
        made |= {f"trust_{concept}": path for concept, path in found.dynamics.paths.items()}
        more = {name: getattr(found.dynamics, name) for name in ("patience", "regimes", "fit")}
        names = {"patience": "patience", "regimes": "trust_regimes", "fit": "opinion"}
        made |= {names[name]: result for name, result in more.items() if result is not None}
    return made
