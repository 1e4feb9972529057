"""The command report: everything about a model in one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alliancegame.cli import inputs, output
from alliancegame.cli.equilibria import exit_code

if TYPE_CHECKING:
    from alliancegame.report import ReportFiles


def report(
    model: inputs.Model,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="The folder to write to.  [default: out/ and the model's name]",
        ),
    ] = None,
    threat: inputs.Threat = None,
    demand: inputs.Demand = None,
    burden: inputs.Burden = None,
    tariff: inputs.Tariff = None,
    changes: inputs.Set = None,
    recalibrate: inputs.Recalibrate = False,
    json: inputs.Json = False,
) -> int:
    """Write everything about a model as one page, report.html.

    Figures, tables and results are written beside it. The plan is the model's own, except for what
    --threat, --demand, --burden and --tariff say. An earlier report in the folder is replaced.
    """
    import alliancegame as ag

    with output.working() as shown:
        shown.say("loading the model")
        game = inputs.load(model, changes, recalibrate, quiet=json)
        own = inputs.base_plan(game, model_plan=True)
        plan = inputs.plan_from(game, own, threat, demand, burden, tariff)
        folder = out or Path("out") / str(game.provenance.get("model", "model"))
        named = plan if threat or demand or burden or tariff else None
        files = ag.report(game, folder, named, progress=shown.say)
    if not json:
        _print_files(files)
        best = _best(files)
        if best:
            output.print_text(f"\nbest plan: {best}")
    found = ag.compare(game, plan)
    if json:
        summary = {"outcome": found.outcome, "gain_usd_bn": found.gain_usd_bn}
        summary["verdict"] = found.certificate.verdict
        output.write_json({**_as_json(files), "plan": plan.to_dict(), **summary})
    else:
        output.print_text(f"{'the plan' if named else 'own plan'}: {found.headline()}")
    return exit_code([found.baseline.certificate, found.certificate])


def _best(files: ReportFiles) -> str:
    """The best plan with which the page begins, in a line; empty if none was found."""
    import alliancegame as ag

    for path in files.results:
        if path.name == "plans.json":
            first = ag.load_result(path)[0]
            saved = {p.name: p for p in files.results}.get("stackelberg.json")
            return first.headline() if saved is not None else ""
    return ""


def _as_json(files: ReportFiles) -> dict[str, object]:
    return {
        "folder": str(files.folder),
        "html": str(files.html),
        "latex": str(files.latex),
        "figures": [str(path) for path in files.figures],
        "tables": [str(path) for path in files.tables],
        "results": [str(path) for path in files.results],
    }


def _print_files(files: ReportFiles) -> None:
    parts = {"figures": files.figures, "tables": files.tables, "results": files.results}
    counted = [f"{name}/ ({_count(paths)})" for name, paths in parts.items() if paths]
    output.write(f"written  {_shown(files.html)}\n")
    output.write(f"beside   {', '.join([*counted, files.latex.name])}\n")


def _count(paths: Sequence[Path]) -> str:
    return f"{len(paths)} file{'s' if len(paths) != 1 else ''}"


def _shown(path: Path) -> Path:
    """The path as one would type it here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
