"""Commands about trust over time: path."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alliancegame.cli import inputs, output
from alliancegame.cli.codes import Exit
from alliancegame.cli.equilibria import finish
from alliancegame.cli.output import Column, fixed, percent, share, short
from alliancegame.cli.pressure import _demand

if TYPE_CHECKING:
    from rich.text import Text

    from alliancegame.solve.dynamic.result import TrustPath

    Facts = list[tuple[str, str | Text]]

CENTS = 6
"""Digits of bn US$ that are shown: what lies below comes from rounding."""
ROWS = 12
"""Periods shown in the table; the rest is in --json."""


def path(
    model: inputs.Model,
    concept: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="myopic (every period's best plan), stationary (the best plan to keep for ever), "
            "open-loop (the best path announced at the start) or markov (the best policy as a "
            "function of trust).",
        ),
    ] = "markov",
    periods: Annotated[int, typer.Option(metavar="N", help="How many periods are shown.")] = 40,
    discount: Annotated[
        str, typer.Option(metavar="NUMBER", help="Weight of the next period, in (0, 1).")
    ] = "0.95",
    demand: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="Demanded defence spending, share of GDP, of all allies: 0.02 or 2%.  "
            "[default: the demand of the model's own plan]",
        ),
    ] = None,
    tariff: Annotated[
        str,
        typer.Option(
            metavar="RATE", help="Tariff levied on all allies in every period: 0.1 or 10%."
        ),
    ] = "0",
    by_ally: Annotated[
        bool, typer.Option("--by-ally", help="Threaten every ally differently (open-loop only).")
    ] = False,
    turnover: Annotated[
        list[int] | None,
        typer.Option(
            "--turnover",
            metavar="PERIOD",
            help="A new leader comes at the end of this period of the path shown; may be repeated.",
        ),
    ] = None,
    changes: inputs.Set = None,
    recalibrate: inputs.Recalibrate = False,
    json: inputs.Json = False,
) -> int:
    """Follow threats and trust over time, and what they cost.

    Pressure that pays today can cost more tomorrow: lost trust carries over. Without --set
    recovery=... trust never returns in the shipped models. Values are for ever, against a leader
    who never puts on any pressure.
    """
    import alliancegame as ag

    with output.working():
        game = inputs.load(model, changes, recalibrate)
        weight: Any = inputs.number(discount)
        found = ag.solve_trust_path(
            game, concept, periods, weight, demand=_demand(game, demand), by_ally=by_ally,
            tariff=inputs.plan_value("tariff", tariff), turnovers=turnover or (),
        )  # fmt: skip
    if json:
        output.write(found.to_json() + "\n")
    else:
        _print_path(found)
        finish(_facts(found), inputs.describe_changes(changes, recalibrate))
    return Exit.DONE if found.certificate.verdict == "approximate" else Exit.NOT_CERTIFIED


def _print_path(found: TrustPath) -> None:
    output.print_title(
        f"{found.game.provenance.get('model')}: {found.concept} path, discount {found.discount:g}"
    )
    frame = found.to_frame()
    last = found.periods - 1
    rows = (
        list(range(found.periods))
        if found.periods <= ROWS
        else sorted({*range(6), *(round(5 + i * (last - 5) / 5) for i in range(6))})
    )
    lead = found.game.members.leader_index
    gains = [
        round(found._money(float(found.payoffs[t, lead]) - found.never_first), CENTS) for t in rows
    ]
    threat = frame["threat"].to_numpy()
    trust = frame["operating_trust"].to_numpy()
    output.print_table(
        [
            Column("period", [str(t) for t in rows]),
            Column("threat\n(mean)", [f"{threat[t]:.4f}" for t in rows]),
            Column("trust\n(mean)", [f"{trust[t]:.4f}" for t in rows]),
            Column("own burden\n% of GDP", percent(found.burdens[t, lead] for t in rows)),
            Column("allies\n% of GDP", percent(frame["allied_burden"].to_numpy()[rows])),
            Column("gain\nbn US$", fixed(gains, signed=True)),
        ]
    )


def _facts(found: TrustPath) -> Facts:
    made = found.certificate
    against = "no pressure" if found.tariff else "never threatening"
    flag = "first it gains, in all it loses (dynamic backfire)" if found.dynamic_backfire else ""
    numbers = [
        ("Bellman residual", made.bellman_residual, made.bellman_residual_usd_bn),
        ("Euler error", made.euler_error, made.euler_error_usd_bn),
        ("one deviation gains", made.deviation_gain, made.deviation_gain_usd_bn),
        ("grid error", made.grid_error, made.grid_error_usd_bn),
    ]
    known = ", ".join(
        f"{name} {value:.1e} ({money:.1e} bn US$)" if value else f"{name} 0"
        for name, value, money in numbers
        if math.isfinite(value)
    )
    facts: Facts = [
        (
            "present value",
            (
                f"{short(round(found.present_value_usd_bn, CENTS), signed=True)} bn US$ against {against}, "
                f"{short(round(found.gain_usd_bn_a_year, CENTS), signed=True)} bn US$ a year"
            ),
        ),
        ("gain", f"of each period, against {against} in the first one"),
        ("demand", share(found.demand) if isinstance(found.demand, float) else "by ally"),
        *([("tariff", f"{share(found.tariff)} in every period")] if found.tariff else []),
        (made.verdict, known or "no residual applies"),
        ("method", made.method),
        ("scope", made.scope),
    ]
    if flag:
        facts.insert(1, ("backfire", flag))
    return facts
