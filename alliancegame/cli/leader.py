"""What a leader's options add: credible threats, national interest; and the command sensitivities."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from alliancegame.cli import inputs, output
from alliancegame.cli.equilibria import certificate_line, exit_code, finish, model_name
from alliancegame.cli.output import NO_NUMBER, Column, percent, share, short

if TYPE_CHECKING:
    from alliancegame.cli.equilibria import Facts
    from alliancegame.solve.leader.credible import CredibleResult
    from alliancegame.solve.leader.result import StackelbergResult
    from alliancegame.study.sensitivities import Sensitivities

SHOWN = 6
"""Members with a column of their own in the table of derivatives."""


def interest_facts(found: StackelbergResult) -> Facts:
    """Where a plan was chosen for national interest: what that means for the payoff."""
    if found.interest is None:
        return []
    turned = found.directions
    agree = "agree" if turned["agree"] else "disagree"
    text = (
        f"maximised: W = {found.objective_value:.4f}, {short(turned['national_interest'], signed=True)} "
        f"against A (psi = {found.interest.weight:.3f}); the payoff changes by "
        f"{short(turned['payoff'], signed=True)}: they {agree}"
    )
    return [("interest", text)]


def print_credible(found: CredibleResult, changed: str) -> None:
    """The best plan with credible threats: who is abandoned, and what credibility costs."""
    game = found.game
    output.print_title(f"{model_name(found.response)}: the best plan if threats must be credible")
    table = found.found.to_frame()
    if len(table):
        output.print_table(
            [
                Column("ally", [str(name) for name in table.index], left=True),
                Column("threat\n", [f"{v:.3g}" for v in table["threat"].tolist()], drop=3),
                Column("burden\n% of GDP", percent(table["burden"].tolist())),
                Column("demand\n% of GDP", percent(table["demand"].tolist()), drop=2),
                Column("shortfall\n%", percent(table["shortfall"].tolist()), drop=1),
                Column(
                    f"gain of {game.leader}\nif carried out",
                    [short(v, signed=True) for v in table["gain"].tolist()],
                ),
                Column("threat is\n", table["status"].tolist(), left=True),
            ]
        )
    lead = game.members.leader_index
    own = f"{game.leader} spends {share(found.response.burdens[lead])} of GDP"
    facts: Facts = [
        ("best plan", found.plan.describe()),
        ("outcome", f"{found.outcome}; {own}"),
        ("threats", found.found.message),
        ("credibility", found.price()),
    ]
    if found.interest is not None:
        text = (
            f"maximised: W = {found.objective_value:.4f} with the forces that executions leave "
            f"(psi = {found.interest.weight:.3f})"
        )
        facts.append(("interest", text))
    if found.aimed is not None:
        text = f"aiming at single allies adds {short(found.gain_over_uniform)} to the best uniform plan"
        facts.append(("by ally", text))
    facts += [
        ("search", found.search),
        ("equilibrium", certificate_line(found.certificate)),
    ]
    finish(facts, changed)


def sensitivities(
    model: inputs.Model,
    parameters: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PARAMETER",
            help="Names such as gdp, decay or 'gdp[DEU]'; by default all.",
        ),
    ] = None,
    threat: inputs.Threat = None,
    demand: inputs.Demand = None,
    burden: inputs.Burden = None,
    tariff: inputs.Tariff = None,
    model_plan: inputs.ModelPlan = False,
    changes: inputs.Set = None,
    recalibrate: inputs.Recalibrate = False,
    latex: Annotated[bool, typer.Option("--latex", help="Write the table as LaTeX.")] = False,
    json: inputs.Json = False,
) -> int:
    """Differentiate an equilibrium in every parameter.

    Exact derivatives d burden / d parameter, and of the leader's payoff; left and right where they
    differ (an ally that just bunches at its demand, a bound that just binds).
    """
    import alliancegame as ag

    if latex and json:
        raise typer.BadParameter("give one of --latex and --json.", param_hint="--latex")
    with output.working():
        game = inputs.load(model, changes, recalibrate, quiet=json or latex)
        base = inputs.base_plan(game, model_plan)
        plan = inputs.plan_from(game, base, threat, demand, burden, tariff)
        found = ag.sensitivities(ag.solve_nash(game, plan), parameters or None)
    if json:
        output.write(found.to_json() + "\n")
    elif latex:
        output.write(found.to_latex())
    else:
        _print(found, inputs.describe_changes(changes, recalibrate))
    return exit_code([found.equilibrium.certificate])


def _print(found: Sensitivities, changed: str) -> None:
    game, equilibrium = found.game, found.equilibrium
    output.print_title(
        f"{model_name(equilibrium)}: derivatives of burdens under {equilibrium.plan.describe()}"
    )
    table = found.to_frame()
    gdp = game.by_member("gdp")
    allies = sorted(
        (i for i in range(game.size) if i != game.members.leader_index), key=lambda i: -gdp[i]
    )
    order = [game.members.leader_index, *allies][:SHOWN]

    def numbers(values: list[float]) -> list[str]:
        return [NO_NUMBER if math.isnan(v) else short(v, signed=True) for v in values]

    output.print_table(
        [
            Column("parameter", [str(name) for name in table.columns], left=True),
            *(
                Column(f"{game.members[i]}\n", numbers(table.iloc[i].tolist()), drop=k)
                for k, i in enumerate(order)
            ),
            Column(f"payoff of\n{game.leader}", numbers(table.iloc[-1].tolist())),
        ]
    )
    facts: Facts = [("found", found.headline())]
    if game.size > SHOWN:
        text = f"{SHOWN} of {game.size} members; all of them with --json"
        facts.append(("columns", text))
    facts.append(("equilibrium", certificate_line(equilibrium.certificate)))
    finish(facts, changed)
