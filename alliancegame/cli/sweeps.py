"""Commands about many values: map and uncertainty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alliancegame.cli import inputs, output
from alliancegame.cli.equilibria import finish
from alliancegame.cli.output import Column, fixed, percent, short
from alliancegame.cli.ranges import (
    Everywhere,
    NoPicture,
    Out,
    assigned,
    certificate,
    changes_of,
    code_of,
    counting,
    failures,
    files_of,
    folder_of,
    game_and_plan,
    range_of,
    stem_of,
    write_files,
)
from alliancegame.errors import InvalidValueError

if TYPE_CHECKING:
    from alliancegame.cli.equilibria import Facts
    from alliancegame.study.maps import RegimeMap
    from alliancegame.study.uncertainty import Uncertainty


# --- map -----------------------------------------------------------------------------------------


def map_(
    model: inputs.Model,
    x: Annotated[
        str,
        typer.Option(
            "--x",
            metavar="KEY=LOW:HIGH",
            help="Across: a parameter (decay=0:1, 'decay[DEU]=0:1') or threat, demand, burden, tariff.",
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
    tariff: inputs.Tariff = None,
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

    across, up = (range_of(text, f"--{name}") for text, name in ((x, "x"), (y, "y")))
    with output.working() as shown:
        game, plan = game_and_plan(
            model, changes, False, threat, demand, burden, tariff, model_plan, quiet=json
        )
        if not json:
            inputs.note_final(game, [across[0], up[0]])
        folder = None if no_picture else folder_of(out, game)
        found = ag.regime_map(
            game, across, up, plan, points, recalibrate=recalibrate,
            progress=counting(shown, "solving the map"),
        )  # fmt: skip
        written = [] if folder is None else _write_map(folder, found)
    if json:
        output.write_json({**found.to_dict(), "files": [str(path) for path in written]})
    else:
        _print_map(found, written, changes_of(changes, recalibrate))
    return code_of(found.codes.size - found.failed, found.not_certified)


def _write_map(folder: Path, found: RegimeMap) -> list[Path]:
    from alliancegame.figures import regime_map

    return write_files(
        folder, f"map-{stem_of(found.x)}-{stem_of(found.y)}", regime_map(found), found.to_json()
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
        *failures(found.failed, found.codes.size, "grid points", found.reasons),
        *certificate(found.worst_regret, found.not_certified, "grid points"),
    ]
    finish([*facts, *files_of(written)], changed)


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
    tariff: inputs.Tariff = None,
    changes: inputs.Set = None,
    recalibrate: Everywhere = False,
    out: Out = None,
    no_picture: NoPicture = False,
    json: inputs.Json = False,
) -> int:
    """Say how probable each outcome is, given priors.

    The plan is the model's own, except for what --threat, --demand, --burden and --tariff say.
    """
    import alliancegame as ag

    priors = _priors(prior)
    with output.working() as shown:
        game, plan = game_and_plan(
            model, changes, False, threat, demand, burden, tariff, True, quiet=json
        )
        if not json:
            inputs.note_final(game, priors)
        folder = None if no_picture else folder_of(out, game)
        found = ag.uncertainty(
            game, priors, plan, n, method=method, recalibrate=recalibrate, seed=seed,
            progress=counting(shown, "solving the draws"),
        )  # fmt: skip
        written = [] if folder is None else _write_uncertainty(folder, found)
    if json:
        output.write_json({**found.to_dict(), "files": [str(path) for path in written]})
    else:
        _print_uncertainty(found, written, changes_of(changes, recalibrate))
    return code_of(found.n - found.failed, found.not_certified)


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
        key, value = assigned(text, "--prior", "decay=uniform(0.2,0.6)")
        if key in found:
            raise InvalidValueError(f"--prior gives {key} twice: a parameter has one prior.")
        found[key] = typed_prior(value, inputs.number)
    return found


def _write_uncertainty(folder: Path, found: Uncertainty) -> list[Path]:
    from alliancegame.figures import uncertainty as picture

    if found.failed == found.n:
        return []
    return write_files(folder, "uncertainty", picture(found), found.to_json())


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
        *failures(found.failed, found.n, "draws", found.reasons),
        *certificate(found.worst_regret, found.not_certified, "draws"),
    ]
    finish([*facts, *files_of(written)], changed)
