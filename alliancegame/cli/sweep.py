"""The command sweep: a model solved for every combination of values."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alliancegame.cli import inputs, output
from alliancegame.cli.codes import Exit
from alliancegame.cli.equilibria import finish
from alliancegame.cli.output import Column, short
from alliancegame.cli.ranges import (
    VALUES,
    NoPicture,
    assigned,
    certificate,
    code_of,
    failures,
    files_of,
    folder_of,
    game_and_plan,
    malformed,
    stem_of,
    write_files,
)
from alliancegame.cli.wording import typed
from alliancegame.errors import InvalidValueError

if TYPE_CHECKING:
    import xarray as xr

    from alliancegame.cli.equilibria import Facts
    from alliancegame.game.game import BurdenSharingGame
    from alliancegame.game.plan import Plan


def sweep(
    model: inputs.Model,
    over: Annotated[
        list[str],
        typer.Option(
            "--over",
            metavar="KEY=VALUES",
            help="What to go over: decay=0:1:50 (from, to, how many), threat=0,0.5,1, "
            "consumption=log,linear, 'decay[DEU]=0:1:5'. May be repeated: all combinations.",
        ),
    ],
    solve: Annotated[
        str,
        typer.Option(
            metavar="WHAT", help="compare, nash, respond, stackelberg or backfire_threshold."
        ),
    ] = "compare",
    outputs: Annotated[
        list[str] | None,
        typer.Option("--output", metavar="NAME", help="What to keep. May be repeated."),
    ] = None,
    threat: inputs.Threat = None,
    demand: inputs.Demand = None,
    burden: inputs.Burden = None,
    tariff: inputs.Tariff = None,
    model_plan: inputs.ModelPlan = False,
    store: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR.zarr",
            help="Where answers go, chunk by chunk. A sweep that was stopped goes on if the same "
            "command is given again.",
        ),
    ] = None,
    workers: Annotated[int, typer.Option(metavar="N", help="Processes on this machine.")] = 1,
    allow_large: Annotated[
        bool, typer.Option("--allow-large", help="Agree to a very large sweep.")
    ] = False,
    allow_mixed: Annotated[
        bool,
        typer.Option(
            "--allow-mixed", help="Go on with a store made by other versions or processors."
        ),
    ] = False,
    changes: inputs.Set = None,
    recalibrate: inputs.Recalibrate = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="The folder for the picture (PNG and PDF).  [default: out/ and the model's name]",
        ),
    ] = None,
    no_picture: NoPicture = False,
    json: inputs.Json = False,
) -> int:
    """Solve a model for every combination of values.

    The plan is as the options and --over say; where neither names any of it, the model's own.
    Answers are kept in a Zarr store, which xarray opens (xarray.open_zarr); without --store only a
    summary and the picture remain. Sweeps of one or two keys have a picture.
    """
    from alliancegame.study.sweep import sweep as solve_all

    values = _over(over)
    own = model_plan or not (threat or demand or burden or tariff or _plan_keys(values))
    with output.working(), _interruptible(store):
        game, plan = game_and_plan(
            model, changes, recalibrate, threat, demand, burden, tariff, own, quiet=json
        )
        folder = None if no_picture else folder_of(out, game)
        if not json:
            _remark(game, plan, values, solve)
    with _interruptible(store):
        found = solve_all(
            game, values, plan, solve=solve, outputs=outputs or None, workers=workers, store=store,
            allow_large=allow_large, allow_mixed=allow_mixed,
        )  # fmt: skip
    written = [] if folder is None else _write_sweep(folder, found, list(values))
    summary = _summary(found)
    if json:
        files = [str(path) for path in written]
        place = None if store is None else str(store)
        output.write_json({**summary, "store": place, "files": files})
    else:
        _print_sweep(found, summary, store, written, inputs.describe_changes(changes, recalibrate))
    return code_of(summary["cells"] - summary["failed"], summary["not_certified"])


@contextlib.contextmanager
def _interruptible(store: Path | None) -> Iterator[None]:
    """Ctrl-C leaves as a message that says what is kept, and how to go on."""
    try:
        yield
    except KeyboardInterrupt as error:
        kept = str(error).removeprefix("sweep interrupted").lstrip(":; ")
        if not kept and store is None:
            kept = "nothing is kept without --store DIR.zarr"
        elif not kept:
            kept = f"what was solved is in {store}; give the same command again to go on"
        output.error(typed(f"interrupted: {kept}"))
        raise typer.Exit(Exit.INTERRUPTED) from error


def _plan_keys(values: Mapping[str, Any]) -> set[str]:
    """The fields of a plan that a sweep goes over."""
    return {key.partition("[")[0] for key in values} & {"threat", "demand", "burden", "tariff"}


def _remark(game: BurdenSharingGame, plan: Plan, values: Mapping[str, Any], solve: str) -> None:
    """What explains a sweep of nothing but zeros, and the scale of single members' spill-ins."""
    inputs.note_final(game, values)
    pressed = plan.pressure or {"threat", "tariff"} & _plan_keys(values)
    if solve in ("compare", "nash", "respond") and not pressed:
        output.note(
            "note: nobody is under pressure anywhere in this sweep: give --threat, --model-plan or "
            "--over threat=0:1:11"
        )


def _over(texts: Sequence[str]) -> dict[str, Any]:
    """Values by key: numbers from LOW:HIGH:COUNT, or a list of numbers or of names of forms."""
    import numpy as np

    found: dict[str, Any] = {}
    for text in texts:
        key, values = assigned(text, "--over", "decay=0:1:50 or decay=0,0.2,0.4")
        if key in found:
            raise InvalidValueError(f"--over gives {key} twice: list all its values in one.")
        parts = VALUES.fullmatch(values)
        if parts is None:
            found[key] = [inputs.number(part) for part in values.split(",")]
            continue
        low, high, count = (inputs.number(part) if part else None for part in parts.groups())
        if not (isinstance(low, float) and isinstance(high, float) and isinstance(count, float)):
            raise malformed(text, "--over", "decay=0:1:50 (from, to, how many)")
        if count != int(count) or not 1 <= count <= 10**7:
            raise InvalidValueError(f"--over {text}: how many must be a whole number from 1.")
        found[key] = np.linspace(low, high, int(count))
    return found


def _write_sweep(folder: Path, found: xr.Dataset, keys: Sequence[str]) -> list[Path]:
    from alliancegame.figures import swept

    if len(keys) > 2:
        output.note("note: only sweeps of one or two keys have a picture")
        return []
    return write_files(folder, "-".join(["sweep", *map(stem_of, keys)]), swept(found))


def _summary(found: xr.Dataset) -> dict[str, Any]:
    """Sizes, counts, and the range of every number by cell."""
    import numpy as np

    status = found["status"].values
    answered = status <= 1
    codes = {name for name in found.data_vars if "flag_values" in found[name].attrs}
    ranges = {}
    for name in found.data_vars:
        if name in codes or found[name].dtype.kind != "f":
            continue
        known = found[name].values
        known = known[np.isfinite(known)]
        if known.size:
            ranges[str(name)] = {
                "least": float(known.min()),
                "median": float(np.median(known)),
                "largest": float(known.max()),
                "unit": str(found[name].attrs.get("units", "")),
            }
    verdict = found["verdict"].values[answered] if "verdict" in found else np.array([])
    quiet, hidden = _stackelberg_counts(found)
    return {
        "title": str(found.attrs.get("title", "")),
        "sizes": {str(dim): int(size) for dim, size in found.sizes.items()},
        "cells": int(status.size),
        "failed": int((~answered).sum()),
        "not_certified": int(np.sum(verdict != 2)),
        "reasons": _reasons(found) if not answered.all() else {},
        "outcomes": _outcomes(found),
        "without_threat": quiet,
        "gain_below_gap": hidden,
        "ranges": ranges,
    }


def _stackelberg_counts(found: xr.Dataset) -> tuple[int | None, int | None]:
    """In how many cells no threat is best, and the gain is below what the search may have missed."""
    import numpy as np

    if not {"best_threat", "leader_gap", "delta_payoff"} <= set(found.data_vars):
        return None, None
    gain, gap = found["delta_payoff"].values, found["leader_gap"].values
    return int(np.sum(found["best_threat"].values == 0)), int(np.sum(gain < gap))


def _outcomes(found: xr.Dataset) -> dict[str, int]:
    from alliancegame.study.outcomes import OUTCOMES

    if "outcome" not in found:
        return {}
    codes = found["outcome"].values
    counts = {name: int((codes == code).sum()) for code, name in enumerate(OUTCOMES)}
    return {name: count for name, count in counts.items() if count}


def _reasons(found: xr.Dataset) -> dict[str, int]:
    import numpy as np

    from alliancegame.study.cells import Solved
    from alliancegame.study.evaluate import reason_counts

    status = found["status"].values.ravel()
    texts = found["reason"].values.ravel()
    bad = np.flatnonzero(status > 1)
    return reason_counts(Solved({}, status, {int(k): str(texts[k]) for k in bad}))


def _gap(summary: Mapping[str, Any]) -> str:
    """How much better plans the search may have missed, and where that is more than the gain."""
    gap = summary["ranges"].get("leader_gap", {}).get("largest", math.nan)
    text = f"a better plan could gain up to {short(gap)} of payoff, by the search's estimate"
    if summary["gain_below_gap"]:
        text += f"; that is more than the gain itself in {summary['gain_below_gap']} cells"
    return text


def _print_sweep(
    found: xr.Dataset,
    summary: Mapping[str, Any],
    store: Path | None,
    written: Sequence[Path],
    changed: str,
) -> None:
    output.print_title(summary["title"])
    ranges = summary["ranges"]
    if ranges:
        output.print_table(
            [
                Column("output", list(ranges), left=True),
                Column("least", [short(r["least"]) for r in ranges.values()]),
                Column("median", [short(r["median"]) for r in ranges.values()]),
                Column("largest", [short(r["largest"]) for r in ranges.values()]),
                Column("unit", [r["unit"] for r in ranges.values()], left=True, drop=1),
            ]
        )
    sizes = " by ".join(f"{n} {dim}" for dim, n in found.sizes.items() if dim != "member")
    met = ", ".join(f"{name} {count}" for name, count in summary["outcomes"].items())
    facts: Facts = [("cells", f"{summary['cells']}: {sizes}")]
    if met:
        facts.append(("outcomes", met))
    if summary["without_threat"]:
        facts.append(
            (
                "",
                f"in {summary['without_threat']} no threat is best: there commitment pays, at most",
            )
        )
    if summary["gain_below_gap"] is not None:
        facts.append(("search", _gap(summary)))
    facts += failures(summary["failed"], summary["cells"], "cells", summary["reasons"])
    if "verdict" in found:
        regret = ranges.get("regret", {}).get("largest", math.nan)
        leads = summary["gain_below_gap"] is not None
        facts += certificate(regret, summary["not_certified"], "cells", allies=leads)
    if store is not None:
        facts.append(("store", str(store)))
    finish([*facts, *files_of(written)], changed)
