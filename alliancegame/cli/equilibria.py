"""Commands about equilibria: solve, equilibria, certify; and what is printed of a certificate.

Tables come first and what they amount to comes last, where a terminal of 24 lines shows it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alliancegame.cli import inputs, output
from alliancegame.cli.codes import Exit
from alliancegame.cli.output import Column, fixed, percent, share, short

if TYPE_CHECKING:
    from rich.text import Text

    from alliancegame.solve.certificate import Certificate
    from alliancegame.solve.every.result import AllianceEquilibria
    from alliancegame.solve.result import Equilibrium

    Facts = list[tuple[str, str | Text]]


def exit_code(certificates: Iterable[Certificate]) -> int:
    """Whether all are certified, as an exit code."""
    return Exit.DONE if all(c.verdict == "certified" for c in certificates) else Exit.NOT_CERTIFIED


def solve(
    model: inputs.Model,
    threat: inputs.Threat = None,
    demand: inputs.Demand = None,
    burden: inputs.Burden = None,
    tariff: inputs.Tariff = None,
    model_plan: inputs.ModelPlan = False,
    changes: inputs.Set = None,
    recalibrate: inputs.Recalibrate = False,
    json: inputs.Json = False,
) -> int:
    """Find who pays how much: the Nash equilibrium in burdens.

    Without options, under no pressure: the status quo, A, with its certificate. With --burden the
    leader's own burden is held fixed, and its allies answer.
    """
    import alliancegame as ag

    with output.working():
        game = inputs.load(model, changes, recalibrate, quiet=json)
        base = inputs.base_plan(game, model_plan)
        plan = inputs.plan_from(game, base, threat, demand, burden, tariff)
        found = ag.solve_nash(game, plan)
    if json:
        output.write(found.to_json(certificate=True) + "\n")
    else:
        _print_equilibrium(found, inputs.describe_changes(changes, recalibrate))
    return exit_code([found.certificate])


def _print_equilibrium(found: Equilibrium, changed: str) -> None:
    game, lead = found.game, found.game.members.leader_index
    kind = {"nash": "Nash equilibrium", "response": "the allies' response"}[found.concept]
    output.print_title(f"{model_name(found)}: {kind} under {found.plan.describe()}")
    gdp = game.by_member("gdp")
    spending = (found.burdens * gdp).tolist()
    allies = [i for i in range(game.size) if i != lead]
    trust = [math.nan if i == lead else t for i, t in enumerate(found.operating_trust.tolist())]
    output.print_table(
        [
            Column("member", [*game.members, "allies"], left=True),
            Column("burden\n% of GDP", percent([*found.burdens, found.allied_burden])),
            Column("spending\nbn US$", fixed([*spending, sum(spending[i] for i in allies)])),
            Column("security\neffective bn US$", [*fixed(found.securities), ""], drop=3),
            Column(
                "influence\n%",
                percent([*found.influences, sum(found.influences[i] for i in allies)]),
            ),
            Column("trust\n", fixed([*trust, found.operating_trust[lead]], 4), drop=2),
            Column("payoff\n", [*fixed(found.payoffs), ""], drop=1),
        ],
        bold=[lead],
        footer=1,
    )
    own = (
        f"{game.leader} spends {share(found.burdens[lead])} of GDP, has "
        f"{share(found.leader_influence)} of the influence, and does not pay for "
        f"{share(found.savings)} of its security"
    )
    allied = f"spend {share(found.allied_burden)} of their GDP"
    facts: Facts = [("leader", own), ("allies", allied)]
    bunched = _bunched(found)
    if bunched:
        facts.append(("at the demand", f"exactly: {', '.join(bunched)}"))
    facts += certificate_facts(found.certificate)
    for other in found.others:
        text = (
            f"an equilibrium in which {game.leader} spends {share(other.burdens[lead])} and the "
            f"allies {share(other.allied_burden)} of GDP ({other.certificate.verdict})"
        )
        facts.append(("also", text))
    finish(facts, changed)


def _bunched(found: Equilibrium) -> list[str]:
    """Allies under threat that spend exactly what is demanded."""
    members = found.game.members
    asked = found.plan.demand_by_member(members)
    threats = found.plan.threat_by_member(members)
    return [
        m for m, x, d, t in zip(members, found.burdens, asked, threats, strict=True) if t and x == d
    ]


def model_name(found: Equilibrium) -> str:
    """The name of the model that was solved."""
    return str(found.game.provenance.get("model", "model"))


def certificate_facts(made: Certificate) -> Facts:
    """What is claimed of an equilibrium, and of its uniqueness."""
    claim = (
        f": nobody gains more than {short(made.regret)} of payoff ({short(made.regret_usd_bn)} bn US$) "
        f"by any deviation"
    )
    facts: Facts = [("certificate", output.headed(made.verdict, claim))]
    if made.verdict != "certified":
        facts.append(("", f"how it is known: {made.method}"))
    return [*facts, ("", f"uniqueness {made.unique}: {made.reason}")]


def certificate_line(made: Certificate) -> Text:
    """The same in one line; reasons only where something is not certified or not unique."""
    claim = f", regret {short(made.regret)} of payoff; uniqueness {made.unique}"
    doubt = "" if made.unique == "proven" else f" ({made.reason})"
    method = "" if made.verdict == "certified" else f"; {made.method}"
    return output.headed(made.verdict, f"{claim}{doubt}{method}")


def finish(facts: Facts, changed: str) -> None:
    """Print the facts under a table, and what was changed in the model."""
    if changed:
        facts.append(("changed", changed))
    output.print_text()
    output.print_facts(facts)


def equilibria(
    model: inputs.Model,
    threat: inputs.Threat = None,
    demand: inputs.Demand = None,
    burden: inputs.Burden = None,
    tariff: inputs.Tariff = None,
    model_plan: inputs.ModelPlan = False,
    changes: inputs.Set = None,
    recalibrate: inputs.Recalibrate = False,
    json: inputs.Json = False,
) -> int:
    """List equilibria, and say whether any can be missing.

    The last lines say what is known of the list. Trigger threats (--set shortfall=trigger) have
    several equilibria, or none; exit code 4 says that none was found.
    """
    import alliancegame as ag

    with output.working():
        game = inputs.load(model, changes, recalibrate, quiet=json)
        base = inputs.base_plan(game, model_plan)
        plan = inputs.plan_from(game, base, threat, demand, burden, tariff)
        found = ag.find_equilibria(game, plan)
    if json:
        output.write(found.to_json(certificate=True) + "\n")
    else:
        _print_all(found, inputs.describe_changes(changes, recalibrate))
    return exit_code(e.certificate for e in found) if len(found) else Exit.NO_SOLUTION


def _print_all(found: AllianceEquilibria, changed: str) -> None:
    game, lead = found.game, found.game.members.leader_index
    name = str(game.provenance.get("model", "model"))
    output.print_title(f"{name}: every equilibrium under {found.plan.describe()}")
    listed = found.equilibria
    if listed:
        output.print_table(
            [
                Column("", [str(k + 1) for k in range(len(listed))]),
                Column(f"{game.leader}\n% of GDP", percent([e.burdens[lead] for e in listed])),
                Column("allies\n% of GDP", percent([e.allied_burden for e in listed])),
                *(
                    Column(f"{m}\n% of GDP", percent([e.burdens[i] for e in listed]), drop=2 + i)
                    for i, m in enumerate(game.members)
                    if i != lead
                ),
                Column("leader's payoff\n", fixed([e.leader_payoff for e in listed]), drop=1),
                Column("verdict\n", [e.certificate.verdict for e in listed], left=True),
            ]
        )
    facts: Facts = [(found.completeness, found.statement)]
    facts += [("continuum", part.statement) for part in found.components]
    if found.cycle:
        moves = "; ".join(f"{turn.member} to {share(turn.reply)}" for turn in found.cycle)
        facts.append(("a circle", f"best replies come round: {moves}"))
    finish(facts, changed)


def certify(
    model: inputs.Model,
    burdens: Annotated[
        Path,
        typer.Argument(
            metavar="BURDENS.csv",
            help="A CSV file with the columns member and burden (share of GDP), a row for each "
            "member.",
        ),
    ],
    threat: inputs.Threat = None,
    demand: inputs.Demand = None,
    burden: inputs.Burden = None,
    tariff: inputs.Tariff = None,
    model_plan: inputs.ModelPlan = False,
    changes: inputs.Set = None,
    recalibrate: inputs.Recalibrate = False,
    json: inputs.Json = False,
) -> int:
    """Check whether given burdens are an equilibrium.

    Finds what any member could gain by any deviation from them, wherever they come from. Exit code
    0 says that they are a certified equilibrium, 3 that they are not.
    """
    import alliancegame as ag

    with output.working():
        game = inputs.load(model, changes, recalibrate, quiet=json)
        base = inputs.base_plan(game, model_plan)
        plan = inputs.plan_from(game, base, threat, demand, burden, tariff)
        profile = inputs.read_burdens(burdens)
        if plan.burden is not None:
            profile.setdefault(game.leader, plan.burden)
        made = ag.certify(game, profile, plan)
    if json:
        output.write_json(made.to_dict())
        return exit_code([made])
    output.print_title(f"{burdens} in {game.provenance.get('model')} under {plan.describe()}")
    facts = certificate_facts(made)
    if made.worst is not None:
        facts.append(("gains most", made.worst))
    if made.verdict == "certified":
        facts.append(("method", made.method))
    facts.append(("scope", made.scope))
    if changed := inputs.describe_changes(changes, recalibrate):
        facts.append(("changed", changed))
    output.print_facts(facts)
    return exit_code([made])
