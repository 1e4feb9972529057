"""What map, uncertainty and sweep share: options, keys with values, files, and facts."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alliancegame.cli import inputs, output
from alliancegame.cli.codes import Exit
from alliancegame.cli.output import short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alliancegame.cli.equilibria import Facts
    from alliancegame.game.game import BurdenSharingGame
    from alliancegame.game.plan import Plan

Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="The folder for the picture (PNG and PDF) and the result (JSON).  "
        "[default: out/ and the model's name]",
    ),
]
NoPicture = Annotated[bool, typer.Option("--no-picture", help="Write no files.")]
Everywhere = Annotated[
    bool,
    typer.Option(
        "--recalibrate",
        help="Calibrate again at every value, so that without pressure the equilibrium stays what "
        "was observed; otherwise it moves with the values.",
    ),
]

VALUES = re.compile(r"([^:,]+):([^:,]+)(?::([^:,]+))?")


def game_and_plan(
    model: str,
    changes: Sequence[str] | None,
    recalibrate: bool,
    threat: Sequence[str] | None,
    demand: Sequence[str] | None,
    burden: str | None,
    tariff: Sequence[str] | None,
    model_plan: bool,
    *,
    quiet: bool,
) -> tuple[BurdenSharingGame, Plan]:
    """The model with its changes, and the plan that the options name."""
    game = inputs.load(model, changes, recalibrate, quiet=quiet)
    base = inputs.base_plan(game, model_plan)
    return game, inputs.plan_from(game, base, threat, demand, burden, tariff)


def changes_of(changes: Sequence[str] | None, recalibrate: bool) -> str:
    """What --set changed, in words; empty if nothing."""
    return inputs.describe_changes(changes, recalibrate) if changes else ""


def assigned(text: str, option: str, example: str) -> tuple[str, str]:
    """(key, value) of "decay=…" or "decay[DEU]=…"."""
    key, sign, value = (part.strip() for part in text.partition("="))
    if not (key and sign and value):
        raise malformed(text, option, example)
    return key, value


def range_of(text: str, option: str) -> tuple[str, tuple[float, float]]:
    """(key, (from, to)) of "decay=0:1"."""
    key, values = assigned(text, option, "decay=0:1")
    parts = VALUES.fullmatch(values)
    low, high = (inputs.number(part) for part in parts.groups()[:2]) if parts else ("", "")
    if parts is None or parts[3] or not (isinstance(low, float) and isinstance(high, float)):
        raise malformed(text, option, "decay=0:1 (from, to)")
    return key, (low, high)


def malformed(text: str, option: str, example: str) -> typer.BadParameter:
    """The usage error for an option that is not of its form."""
    return typer.BadParameter(f"{text!r} is not of the form {example}.", param_hint=option)


def folder_of(out: Path | None, game: BurdenSharingGame) -> Path:
    """Where files go, known to be a folder before anything is solved."""
    from alliancegame.report.write import check_folder

    return check_folder(out or Path("out") / str(game.provenance.get("model", "model")))


def stem_of(key: str) -> str:
    """A key as part of a file's name."""
    return re.sub(r"[^\w]+", "-", key).strip("-")


def write_files(folder: Path, stem: str, figure: Figure, result: str | None = None) -> list[Path]:
    """Picture and result, each put in place whole."""
    from alliancegame.figures.style import rendered

    files = {f"{stem}.{kind}": rendered(figure, kind) for kind in ("png", "pdf")}
    if result is not None:
        files[f"{stem}.json"] = (result + "\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        part = folder / f".{name}.part"
        try:
            part.write_bytes(content)
            part.replace(folder / name)
        finally:
            part.unlink(missing_ok=True)
    return [folder / name for name in files]


def counting(shown: output.Working, what: str) -> Callable[[int], None]:
    """Shows how many equilibria are solved, in a terminal only."""
    live = sys.stderr is not None and sys.stderr.isatty()
    shown.say(what)

    def count(done: int) -> None:
        if live:
            shown.say(f"{what}: {done:,} solved")

    return count


def failures(failed: int, count: int, what: str, reasons: Mapping[str, int]) -> Facts:
    """How many have no answer, and the most frequent reasons."""
    if not failed:
        return []
    listed = [f"{why.rstrip('.')} ({n})" for why, n in list(reasons.items())[:3]]
    more = [f"{len(reasons) - 3} other reasons"] if len(reasons) > 3 else []
    return [("no answer", f"{failed} of {count} {what}: {'; '.join([*listed, *more])}")]


def certificate(regret: float, doubtful: int, what: str, *, allies: bool = False) -> Facts:
    """The claim on deviations; with `allies`, of the allies alone (a leader's plan was searched)."""
    if math.isnan(regret):
        return []
    who = "no ally" if allies else "nobody"
    claim = f": {who} gains more than {short(regret)} of payoff by any deviation, anywhere"
    if not doubtful:
        return [("certificate", output.headed("certified", claim))]
    return [("certificate", output.headed("approximate", f", {doubtful} {what}{claim}"))]


def files_of(written: Sequence[Path]) -> Facts:
    """What was written, as one would type it here."""
    from alliancegame.cli.reports import _shown

    return [("written", ", ".join(str(_shown(path)) for path in written))] if written else []


def code_of(answered: int, doubtful: int) -> int:
    """The exit code: no answer at all, some not certified, or done."""
    if not answered:
        return Exit.NO_SOLUTION
    return Exit.NOT_CERTIFIED if doubtful else Exit.DONE
