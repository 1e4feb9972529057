"""Commands about what the alliance could gain together: optimum, shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alliancegame.cli import inputs, output
from alliancegame.cli.codes import Exit
from alliancegame.cli.equilibria import certificate_line, exit_code, finish
from alliancegame.cli.output import NO_NUMBER, Column, fixed, headed, percent, share, short
from alliancegame.errors import unknown_name

if TYPE_CHECKING:
    from alliancegame.cli.equilibria import Facts
    from alliancegame.game.game import BurdenSharingGame
    from alliancegame.solve.planning.social_optimum import OptimumCertificate
    from alliancegame.study.anarchy import Anarchy
    from alliancegame.study.shares import BurdenShares

Weights = Annotated[
    list[str] | None,
    typer.Option(
        "--weights",
        metavar="RULE|MEMBER=NUMBER",
        help="How much members count: gdp (in proportion to GDP), equal, or --weights DEU=2 "
        "--weights FRA=1.5 (the others 1).  [default: gdp]",
    ),
]


def _weights(game: BurdenSharingGame, texts: Sequence[str] | None) -> Any:
    """Weights by name, or by member with 1 for those who are not named."""
    if not texts:
        return "gdp"
    if len(texts) == 1 and "=" not in texts[0]:
        return texts[0].strip()
    weights: dict[str, Any] = dict.fromkeys(game.members, 1.0)
    named: set[str] = set()
    for text in texts:
        label, sign, value = (part.strip() for part in text.partition("="))
        if not (sign and label and value):
            raise typer.BadParameter(
                f"{text!r} is not of the form MEMBER=NUMBER.", param_hint="--weights"
            )
        if label not in game.members:
            raise unknown_name("member", label, game.members, " in --weights")
        if label in named:
            raise typer.BadParameter(
                f"the weight of {label} is given twice: name each member once.",
                param_hint="--weights",
            )
        named.add(label)
        weights[label] = inputs.number(value)
    return weights


def _verdict(made: OptimumCertificate) -> tuple[str, Any]:
    claim = (
        f", no profile is better by more than {short(made.gap)} of payoff for each unit of weight"
        if math.isfinite(made.gap)
        else ", the best that was found; nothing is proved about others"
    )
    return "optimum", headed(made.verdict, f"{claim} ({made.reason})")


def optimum(
    model: inputs.Model,
    weights: Weights = None,
    threat: inputs.Threat = None,
    demand: inputs.Demand = None,
    burden: inputs.Burden = None,
    tariff: inputs.Tariff = None,
    model_plan: inputs.ModelPlan = False,
    changes: inputs.Set = None,
    recalibrate: inputs.Recalibrate = False,
    json: inputs.Json = False,
) -> int:
    """Find what one planner would choose, and what anarchy costs.

    The planner maximises the weighted sum of all payoffs, without pressure and without transfers.
    The price of anarchy is that of the equilibrium without pressure, A, and of the plan that
    options name, if they name one.
    """
    import alliancegame as ag

    with output.working():
        game = inputs.load(model, changes, recalibrate, quiet=json)
        base = inputs.base_plan(game, model_plan)
        plan = inputs.plan_from(game, base, threat, demand, burden, tariff)
        named = plan.pressure or plan.burden is not None
        found = ag.price_of_anarchy(game, [plan] if named else [], _weights(game, weights))
    if json:
        output.write(found.to_json() + "\n")
    else:
        _print_optimum(found, inputs.describe_changes(changes, recalibrate))
    code = exit_code([e.certificate for e in found.equilibria])
    certified = found.optimum.certificate.verdict == "certified"
    return code if certified else Exit.NOT_CERTIFIED


def _print_optimum(found: Anarchy, changed: str) -> None:
    from alliancegame.solve.certificate import usd_bn

    best, base = found.optimum, found.equilibria[0]
    game, lead = best.game, best.game.members.leader_index
    gdp = game.by_member("gdp")
    gains = usd_bn(game, best.payoffs - base.payoffs, base.burdens)
    change = (best.burdens - base.burdens) * gdp
    allies = [i for i in range(game.size) if i != lead]
    model = game.provenance.get("model", "model")
    output.print_title(f"{model}: the social optimum, weights {best.weighting}")
    output.print_table(
        [
            Column("member", [*game.members, "allies"], left=True),
            Column("weight\n", [*fixed(best.weights, 4), ""], drop=3),
            Column("burden in A\n% of GDP", percent([*base.burdens, base.allied_burden])),
            Column("optimum\n% of GDP", percent([*best.burdens, best.allied_burden])),
            Column(
                "change of\nspending, bn US$",
                fixed([*change, sum(change[i] for i in allies)], signed=True),
                drop=1,
            ),
            Column("influence\n%", percent([*best.influences, sum(best.influences[i] for i in allies)]),
                   drop=2),
            Column("gain\nbn US$", fixed([*gains, sum(gains[i] for i in allies)], signed=True)),
        ],
        bold=[lead],
        footer=1,
    )  # fmt: skip
    facts: Facts = []
    for equilibrium in found.equilibria:
        row = found.row(equilibrium)
        text = (
            f"price of anarchy {row['price']:.4f}: {_gift(game, row)} would make up for it, "
            f"{short(row['gift_usd_bn'])} bn US$ a year; what members gain and lose in the optimum adds "
            f"up to {short(row['usd_bn'], signed=True)} bn US$"
        )
        facts.append((row["situation"], text))
    worse = sum(g < 0 for g in gains)
    facts.append(("against A", f"{worse} of {game.size} members are worse off in the optimum"))
    facts.append(_verdict(best.certificate))
    facts.append(("", best.certificate.method))
    facts.append(("A", certificate_line(base.certificate)))
    finish(facts, changed)


def _gift(game: BurdenSharingGame, row: dict[str, Any]) -> str:
    """What everybody would have to be given, in words."""
    of = "consumption" if game.consumption == "log" else "GDP"
    return f"{row['gift']:.3%} of everybody's {of}"


def shares(
    model: inputs.Model,
    weights: Weights = None,
    pledge: Annotated[
        str, typer.Option(metavar="SHARE", help="NATO's pledge, share of GDP: 0.02 or 2%.")
    ] = "2%",
    changes: inputs.Set = None,
    recalibrate: inputs.Recalibrate = False,
    json: inputs.Json = False,
) -> int:
    """Compare sharing rules: who would pay how much of the total.

    A is what members choose, the optimum what one planner chooses; gdp and benefit divide the
    optimum's total in proportion to GDP and to what security is worth; Lindahl's rule and NATO's
    (the same share of GDP for all) have totals of their own.
    """
    import alliancegame as ag

    with output.working():
        game = inputs.load(model, changes, recalibrate, quiet=json)
        pledged: Any = inputs.number(pledge)
        found = ag.burden_shares(game, _weights(game, weights), pledge=pledged)
    if json:
        output.write(found.to_json() + "\n")
    else:
        _print_shares(found, inputs.describe_changes(changes, recalibrate))
    made = [found.optimum.certificate.verdict, found.baseline.certificate.verdict]
    return Exit.DONE if made == ["certified"] * 2 else Exit.NOT_CERTIFIED


def _print_shares(found: BurdenShares, changed: str) -> None:
    from alliancegame.study.shares import RULES

    game, table, totals = found.game, found.to_frame(), found.totals
    rules = list(found.burdens)
    model = game.provenance.get("model", "model")
    output.print_title(f"{model}: sharing rules, weights {found.optimum.weighting}")
    drops = {"optimum": 1, "lindahl": 2}
    output.print_table(
        [Column("% of all\nspending", list(game.members), left=True)]
        + [
            Column(f"{rule}\n", percent(table[f"share_{rule}"]), drop=drops.get(rule, 0))
            for rule in rules
        ],
        bold=[game.members.leader_index],
    )
    output.print_text()
    output.print_table(
        [
            Column("rule", rules, left=True),
            Column("total\nbn US$", fixed(totals["spending"])),
            Column("total\n% of GDP", percent(totals["of_gdp"])),
            Column("welfare\nless A's", fixed(totals["welfare_change"], signed=True), drop=2),
            Column("worth\nbn US$", fixed(totals["usd_bn"], signed=True)),
            Column(
                "worse off\nof members",
                [NO_NUMBER if math.isnan(n) else f"{n:.0f}" for n in totals["worse_off"]],
                drop=1,
            ),
        ]
    )
    facts: Facts = [(rule, RULES[rule]) for rule in rules]
    facts.append(("pledge", f"{share(found.pledge)} of GDP"))
    facts.append(_verdict(found.optimum.certificate))
    facts.append(("A", certificate_line(found.baseline.certificate)))
    finish(facts, changed)
