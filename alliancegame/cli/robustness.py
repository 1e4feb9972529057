"""The robustness command: the same question over functional forms."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alliancegame.cli import inputs, output
from alliancegame.cli.codes import Exit
from alliancegame.cli.equilibria import finish
from alliancegame.cli.output import Column, fixed

if TYPE_CHECKING:
    from alliancegame.study.robustness import Robustness
    from alliancegame.study.sweeping.progress import Progress

Forms = Annotated[
    list[str] | None,
    typer.Option(
        "--over",
        metavar="FORM=VALUE,VALUE…",
        help="A form and its values: influence=council,hub or substitution=1,0.7; may be repeated.  "
        "[default: influence, influence_value, substitution, consumption, shortfall]",
    ),
]


def _counting(shown: output.Working) -> Callable[[Progress], None]:
    """Shows how many kernels are compiled and specifications answered, in a terminal only."""
    live = sys.stderr is not None and sys.stderr.isatty()

    def count(now: Progress) -> None:
        if live:
            shown.say(f"robustness: {now.done} of {now.cells} {now.things}")

    return count


def _forms(texts: Sequence[str] | None) -> dict[str, list[Any]] | None:
    if not texts:
        return None
    forms: dict[str, list[Any]] = {}
    for text in texts:
        name, sign, values = (part.strip() for part in text.partition("="))
        if not (sign and name and values):
            raise typer.BadParameter(
                f"{text!r} is not of the form FORM=VALUE,VALUE.", param_hint="--over"
            )
        if name in forms:
            raise typer.BadParameter(f"{name} is given twice.", param_hint="--over")
        forms[name] = [inputs.number(value) for value in values.split(",")]
    return forms


def robustness(
    model: inputs.Model,
    over: Forms = None,
    threat: inputs.Threat = None,
    demand: inputs.Demand = None,
    burden: inputs.Burden = None,
    tariff: inputs.Tariff = None,
    model_plan: inputs.ModelPlan = False,
    keep_weights: Annotated[
        bool,
        typer.Option(
            "--keep-weights", help="Do not calibrate each specification to the burdens at A."
        ),
    ] = False,
    changes: inputs.Set = None,
    recalibrate: inputs.Recalibrate = False,
    json: inputs.Json = False,
) -> int:
    """Ask whether a verdict survives other functional forms.

    The plan is compared with A in every combination of forms. Each specification is calibrated to the
    burdens at A, so that all have the same status quo.
    """
    import alliancegame as ag

    with output.working() as shown:
        game = inputs.load(model, changes, recalibrate)
        base = inputs.base_plan(game, model_plan or not (threat or demand or burden or tariff))
        plan = inputs.plan_from(game, base, threat, demand, burden, tariff)
        found = ag.robustness(
            game,
            plan,
            forms=_forms(over),
            recalibrate=not keep_weights,
            progress=_counting(shown),
        )
    if json:
        output.write(found.to_json() + "\n")
    else:
        _print(found)
        finish(_facts(found), inputs.describe_changes(changes, recalibrate))
    certified = all(s.verdict == "certified" for s in found.specifications if not s.message)
    return Exit.DONE if certified and found.answered else Exit.NOT_CERTIFIED


def _print(found: Robustness) -> None:
    model = found.game.provenance.get("model", "model")
    output.print_title(f"{model}: {found.plan.describe()}, form by form")
    frame = found.by_form()
    if frame.empty:
        return
    values = [f"{v:g}" if isinstance(v, float) else str(v) for v in frame["value"]]
    output.print_table(
        [
            Column("form", list(frame["form"]), left=True),
            Column("value", values, left=True),
            Column("specifications", [str(n) for n in frame["specifications"]]),
            Column("better off", [f"{share:.0%}" for share in frame["better off"]]),
            Column("mean gain\nbn US$", fixed(frame["mean gain_usd_bn"], signed=True)),
        ]
    )


def _facts(found: Robustness) -> list[tuple[str, Any]]:
    facts: list[tuple[str, Any]] = [
        (outcome, f"{share:.0%} of {found.answered} specifications")
        for outcome, share in found.shares.items()
    ]
    own = [s.outcome for s in found.specifications if s.own]
    if own:
        facts.append(("its own forms", own[0]))
    missing = [s for s in found.specifications if s.message]
    if missing:
        facts.append(("no answer", f"{len(missing)}, for example: {missing[0].message}"))
    return facts
