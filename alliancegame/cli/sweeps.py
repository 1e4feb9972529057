"""Commands about many values: map, uncertainty, sweep."""

from __future__ import annotations

import contextlib
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alliancegame.cli import inputs, output
from alliancegame.cli.codes import Exit
from alliancegame.cli.equilibria import finish
from alliancegame.cli.output import Column, fixed, percent, short
from alliancegame.cli.wording import typed
from alliancegame.errors import InvalidValueError

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from alliancegame.cli.equilibria import Facts
    from alliancegame.game.game import BurdenSharingGame
    from alliancegame.game.plan import Plan
    from alliancegame.study.maps import RegimeMap
    from alliancegame.study.uncertainty import Uncertainty

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

_VALUES = re.compile(r"([^:,]+):([^:,]+)(?::([^:,]+))?")


# --- map -----------------------------------------------------------------------------------------


def map_(
    model: inputs.Model,
    x: Annotated[
        str,
        typer.Option(
            "--x",
            metavar="KEY=LOW:HIGH",
            help="Across: a parameter (decay=0:1, 'decay[DEU]=0:1') or threat, demand, burden.",
        ),
    ] = "decay=0:1",
    y: Annotated[
        str, typer.Option("--y", metavar="KEY=LOW:HIGH", help="Up: another one.")
    ] = "threat=0:1",
    points: Annotated[
        int, typer.Option(metavar="N", help="Grid values along each; boundaries are refined.")
    ] = 41,
    threat: inputs.Threat = None,
    demand: inputs.Demand = None,
    burden: inputs.Burden = None,
    model_plan: inputs.ModelPlan = False,
    changes: inputs.Set = None,
    recalibrate: Everywhere = False,
    out: Out = None,
    no_picture: NoPicture = False,
    json: inputs.Json = False,
) -> int:
    """Map where pressure pays, over two parameters.

    Regions are the outcomes that compare names. Boundaries between them are found by bisection, not
    by pixels.
    """
    import alliancegame as ag

    across, up = (_range(text, f"--{name}") for text, name in ((x, "x"), (y, "y")))
    with output.working() as shown:
        game, plan = _game_and_plan(
            model, changes, False, threat, demand, burden, model_plan, quiet=json
        )
        if not json:
            inputs.note_final(game, [across[0], up[0]])
        folder = None if no_picture else _folder(out, game)
        found = ag.regime_map(
            game, across, up, plan, points, recalibrate=recalibrate,
            progress=_counting(shown, "solving the map"),
        )  # fmt: skip
        written = [] if folder is None else _write_map(folder, found)
    if json:
        output.write_json({**found.to_dict(), "files": [str(path) for path in written]})
    else:
        _print_map(found, written, _changed(changes, recalibrate))
    return _code(found.codes.size - found.failed, found.not_certified)


def _write_map(folder: Path, found: RegimeMap) -> list[Path]:
    from alliancegame.figures import regime_map

    return _write(
        folder, f"map-{_stem(found.x)}-{_stem(found.y)}", regime_map(found), found.to_json()
    )


def _print_map(found: RegimeMap, written: Sequence[Path], changed: str) -> None:
    name = found.game.provenance.get("model", "model")
    output.print_title(f"{name}: outcomes over {found.x} and {found.y}; {found.fixed()}")
    table = found.to_frame()
    output.print_table(
        [
            Column("outcome", list(table.index), left=True),
            Column("share\n%", percent(table["share"])),
            Column("grid\npoints", [str(count) for count in table["points"]]),
            Column("least gain\nbn US$", fixed(table["least_gain_usd_bn"], signed=True)),
            Column("largest gain\nbn US$", fixed(table["greatest_gain_usd_bn"], signed=True)),
        ],
        colour=True,
    )
    across, up = (
        f"{q.key} from {values[0]:g} to {values[-1]:g}"
        for q, values in zip(found.quantities, (found.x_values, found.y_values), strict=True)
    )
    rows, columns = found.codes.shape
    edges = (
        f"to {found.tolerance:g} of each range along the edges of a {columns} by {rows} grid; "
        f"{found.solved} comparisons with A"
    )
    facts: Facts = [
        ("across, up", f"{across}; {up}"),
        ("boundaries", edges),
        *_failures(found.failed, found.codes.size, "grid points", found.reasons),
        *_certificate(found.worst_regret, found.not_certified, "grid points"),
    ]
    finish([*facts, *_files(written)], changed)


# --- uncertainty ---------------------------------------------------------------------------------


def uncertainty(
    model: inputs.Model,
    prior: Annotated[
        list[str],
        typer.Option(
            "--prior",
            metavar="KEY=PRIOR",
            help="What is believed: 'decay=uniform(0.2,0.6)', also normal(mean,sd), "
            "lognormal(median,sigma), triangular(low,mode,high), beta(a,b,low,high). May be repeated.",
        ),
    ],
    n: Annotated[int, typer.Option("--draws", metavar="N", help="How many draws.")] = 4096,
    method: Annotated[
        str, typer.Option(metavar="HOW", help="sobol, latin-hypercube or monte-carlo.")
    ] = "sobol",
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed, the same draws.")] = 0,
    threat: inputs.Threat = None,
    demand: inputs.Demand = None,
    burden: Annotated[
        str | None,
        typer.Option(
            "--burden",
            metavar="SHARE",
            help="The leader's own defence spending, share of GDP, to which it commits; none if it "
            "plays at the same time as its allies.",
        ),
    ] = None,
    changes: inputs.Set = None,
    recalibrate: Everywhere = False,
    out: Out = None,
    no_picture: NoPicture = False,
    json: inputs.Json = False,
) -> int:
    """Say how probable each outcome is, if parameters are uncertain.

    The plan is the model's own, except for what --threat, --demand and --burden say.
    """
    import alliancegame as ag

    priors = _priors(prior)
    with output.working() as shown:
        game, plan = _game_and_plan(model, changes, False, threat, demand, burden, True, quiet=json)
        if not json:
            inputs.note_final(game, priors)
        folder = None if no_picture else _folder(out, game)
        found = ag.uncertainty(
            game, priors, plan, n, method=method, recalibrate=recalibrate, seed=seed,
            progress=_counting(shown, "solving the draws"),
        )  # fmt: skip
        written = [] if folder is None else _write_uncertainty(folder, found)
    if json:
        output.write_json({**found.to_dict(), "files": [str(path) for path in written]})
    else:
        _print_uncertainty(found, written, _changed(changes, recalibrate))
    return _code(found.n - found.failed, found.not_certified)


def _with_error(mean: float, spread: float) -> str:
    """A mean and its standard error with the same decimals: two digits of the error."""
    if not (math.isfinite(spread) and spread > 0):
        return f"{short(mean, signed=True)} ± {short(spread)}"
    places = min(max(1 - math.floor(math.log10(spread)), 0), 12)
    return f"{mean:+.{places}f} ± {spread:.{places}f}"


def _priors(texts: Sequence[str]) -> dict[str, Any]:
    from alliancegame.study.priors import typed_prior

    found: dict[str, Any] = {}
    for text in texts:
        key, value = _assigned(text, "--prior", "decay=uniform(0.2,0.6)")
        if key in found:
            raise InvalidValueError(f"--prior gives {key} twice: a parameter has one prior.")
        found[key] = typed_prior(value, inputs.number)
    return found


def _write_uncertainty(folder: Path, found: Uncertainty) -> list[Path]:
    from alliancegame.figures import uncertainty as picture

    if found.failed == found.n:
        return []
    return _write(folder, "uncertainty", picture(found), found.to_json())


def _print_uncertainty(found: Uncertainty, written: Sequence[Path], changed: str) -> None:
    game, lead = found.game, found.game.members.leader_index
    name = game.provenance.get("model", "model")
    output.print_title(f"{name}: {found.plan.describe()}, over {found.n} draws")
    middle = len(found.levels) // 2
    gains, burdens = found.gain_quantiles, found.burden_quantiles
    low, high = (f"{100 * found.levels[i]:g} %" for i in (0, -1))
    output.print_table(
        [
            Column("member", list(game.members), left=True),
            Column("gain\nmedian, bn US$", fixed(gains[middle], signed=True)),
            Column(f"gain\n{low}", fixed(gains[0], signed=True)),
            Column(f"gain\n{high}", fixed(gains[-1], signed=True)),
            Column("burden\nmedian, %", percent(burdens[middle])),
            Column(f"burden\n{low}, %", percent(burdens[0]), drop=1),
            Column(f"burden\n{high}, %", percent(burdens[-1]), drop=1),
        ],
        bold=[lead],
    )
    output.print_text()
    table = found.table
    output.print_table(
        [
            Column("outcome", list(table.index), left=True),
            Column("probability\n%", percent(table["probability"])),
            Column("standard error\n%", percent(table["standard_error"])),
            Column("draws", [str(count) for count in table["draws"]]),
        ],
        colour=True,
    )
    chance, error = found.probability_of_gain
    mean, spread = found.mean_gain_usd_bn
    weights = f"; {found.recalibrated} calibrated anew for each" if found.recalibrated else ""
    gain = (
        f"{game.leader} gains with probability {100 * chance:.1f} ± {100 * error:.1f} %; its mean gain "
        f"is {_with_error(mean, spread)} bn US$ a year"
    )
    made = (
        f"{found.method}, {found.replicates} independent sets, seed {found.seed}; ± is a standard "
        f"error{weights}"
    )
    facts: Facts = [
        ("leader", gain),
        ("priors", "; ".join(f"{key} {words}" for key, words in found.priors.items())),
        ("draws", made),
        *_failures(found.failed, found.n, "draws", found.reasons),
        *_certificate(found.worst_regret, found.not_certified, "draws"),
    ]
    finish([*facts, *_files(written)], changed)


# --- sweep ---------------------------------------------------------------------------------------


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
    own = model_plan or not (threat or demand or burden or _plan_keys(values))
    with output.working(), _interruptible(store):
        game, plan = _game_and_plan(
            model, changes, recalibrate, threat, demand, burden, own, quiet=json
        )
        folder = None if no_picture else _folder(out, game)
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
    return _code(summary["cells"] - summary["failed"], summary["not_certified"])


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
    return {key.partition("[")[0] for key in values} & {"threat", "demand", "burden"}


def _remark(game: BurdenSharingGame, plan: Plan, values: Mapping[str, Any], solve: str) -> None:
    """What explains a sweep of nothing but zeros, and the scale of single members' spill-ins."""
    inputs.note_final(game, values)
    pressed = plan.pressure or "threat" in _plan_keys(values)
    if solve in ("compare", "nash", "respond") and not pressed:
        output.note(
            "note: nobody is threatened anywhere in this sweep: give --threat, --model-plan or "
            "--over threat=0:1:11"
        )


def _over(texts: Sequence[str]) -> dict[str, Any]:
    """Values by key: numbers from LOW:HIGH:COUNT, or a list of numbers or of names of forms."""
    import numpy as np

    found: dict[str, Any] = {}
    for text in texts:
        key, values = _assigned(text, "--over", "decay=0:1:50 or decay=0,0.2,0.4")
        if key in found:
            raise InvalidValueError(f"--over gives {key} twice: list all its values in one.")
        parts = _VALUES.fullmatch(values)
        if parts is None:
            found[key] = [inputs.number(part) for part in values.split(",")]
            continue
        low, high, count = (inputs.number(part) if part else None for part in parts.groups())
        if not (isinstance(low, float) and isinstance(high, float) and isinstance(count, float)):
            raise _malformed(text, "--over", "decay=0:1:50 (from, to, how many)")
        if count != int(count) or not 1 <= count <= 10**7:
            raise InvalidValueError(f"--over {text}: how many must be a whole number from 1.")
        found[key] = np.linspace(low, high, int(count))
    return found


def _write_sweep(folder: Path, found: xr.Dataset, keys: Sequence[str]) -> list[Path]:
    from alliancegame.figures import swept

    if len(keys) > 2:
        output.note("note: only sweeps of one or two keys have a picture")
        return []
    return _write(folder, "-".join(["sweep", *map(_stem, keys)]), swept(found))


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
    from alliancegame.study.compare import OUTCOMES

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
    facts += _failures(summary["failed"], summary["cells"], "cells", summary["reasons"])
    if "verdict" in found:
        regret = ranges.get("regret", {}).get("largest", math.nan)
        leads = summary["gain_below_gap"] is not None
        facts += _certificate(regret, summary["not_certified"], "cells", allies=leads)
    if store is not None:
        facts.append(("store", str(store)))
    finish([*facts, *_files(written)], changed)


# --- what they share -----------------------------------------------------------------------------


def _game_and_plan(
    model: str,
    changes: Sequence[str] | None,
    recalibrate: bool,
    threat: Sequence[str] | None,
    demand: Sequence[str] | None,
    burden: str | None,
    model_plan: bool,
    *,
    quiet: bool,
) -> tuple[BurdenSharingGame, Plan]:
    game = inputs.load(model, changes, recalibrate, quiet=quiet)
    base = inputs.base_plan(game, model_plan)
    return game, inputs.plan_from(game, base, threat, demand, burden)


def _changed(changes: Sequence[str] | None, recalibrate: bool) -> str:
    return inputs.describe_changes(changes, recalibrate) if changes else ""


def _assigned(text: str, option: str, example: str) -> tuple[str, str]:
    """(key, value) of "decay=…" or "decay[DEU]=…"."""
    key, sign, value = (part.strip() for part in text.partition("="))
    if not (key and sign and value):
        raise _malformed(text, option, example)
    return key, value


def _range(text: str, option: str) -> tuple[str, tuple[float, float]]:
    key, values = _assigned(text, option, "decay=0:1")
    parts = _VALUES.fullmatch(values)
    low, high = (inputs.number(part) for part in parts.groups()[:2]) if parts else ("", "")
    if parts is None or parts[3] or not (isinstance(low, float) and isinstance(high, float)):
        raise _malformed(text, option, "decay=0:1 (from, to)")
    return key, (low, high)


def _malformed(text: str, option: str, example: str) -> typer.BadParameter:
    return typer.BadParameter(f"{text!r} is not of the form {example}.", param_hint=option)


def _folder(out: Path | None, game: BurdenSharingGame) -> Path:
    """Where files go, known to be a folder before anything is solved."""
    from alliancegame.report.write import check_folder

    return check_folder(out or Path("out") / str(game.provenance.get("model", "model")))


def _stem(key: str) -> str:
    """A key as part of a file's name."""
    return re.sub(r"[^\w]+", "-", key).strip("-")


def _write(folder: Path, stem: str, figure: Figure, result: str | None = None) -> list[Path]:
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


def _counting(shown: output.Working, what: str) -> Callable[[int], None]:
    """Shows how many equilibria are solved, in a terminal only."""
    live = sys.stderr is not None and sys.stderr.isatty()
    shown.say(what)

    def count(done: int) -> None:
        if live:
            shown.say(f"{what}: {done:,} solved")

    return count


def _failures(failed: int, count: int, what: str, reasons: Mapping[str, int]) -> Facts:
    if not failed:
        return []
    listed = [f"{why.rstrip('.')} ({n})" for why, n in list(reasons.items())[:3]]
    more = [f"{len(reasons) - 3} other reasons"] if len(reasons) > 3 else []
    return [("no answer", f"{failed} of {count} {what}: {'; '.join([*listed, *more])}")]


def _certificate(regret: float, doubtful: int, what: str, *, allies: bool = False) -> Facts:
    """The claim on deviations; with `allies`, of the allies alone (a leader's plan was searched)."""
    if math.isnan(regret):
        return []
    who = "no ally" if allies else "nobody"
    claim = f": {who} gains more than {short(regret)} of payoff by any deviation, anywhere"
    if not doubtful:
        return [("certificate", output.headed("certified", claim))]
    return [("certificate", output.headed("approximate", f", {doubtful} {what}{claim}"))]


def _files(written: Sequence[Path]) -> Facts:
    from alliancegame.cli.reports import _shown

    return [("written", ", ".join(str(_shown(path)) for path in written))] if written else []


def _code(answered: int, doubtful: int) -> int:
    if not answered:
        return Exit.NO_SOLUTION
    return Exit.NOT_CERTIFIED if doubtful else Exit.DONE
