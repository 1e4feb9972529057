"""The command about leaving: alignment."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from alliancegame.cli import inputs, output
from alliancegame.cli.codes import Exit
from alliancegame.cli.equilibria import certificate_facts, finish
from alliancegame.cli.output import Column, fixed, percent, share, short

if TYPE_CHECKING:
    from alliancegame.cli.equilibria import Facts
    from alliancegame.solve.leaving.result import Alignments, Alliance
    from alliancegame.study.unravelling import Unravelling


def alignment(
    model: inputs.Model,
    threat: inputs.Threat = None,
    demand: inputs.Demand = None,
    burden: inputs.Burden = None,
    tariff: inputs.Tariff = None,
    model_plan: inputs.ModelPlan = False,
    method: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="How alliances are enumerated: auto, exhaustive, bounds or search.",
        ),
    ] = "auto",
    unravelling: Annotated[
        bool,
        typer.Option(
            "--unravelling",
            help="Instead: the smallest threat at which the full alliance comes apart, demand and "
            "burden as given.",
        ),
    ] = False,
    changes: inputs.Set = None,
    recalibrate: inputs.Recalibrate = False,
    json: inputs.Json = False,
) -> int:
    """Find who stays, who stands alone, who turns to the rival.

    What allies have outside are the parameters deterrent, deterrent_cost, rival_umbrella,
    realignment_cost and outside_influence. Exit code 0 says that every equilibrium shown is certified
    and that they are all there are.
    """
    import alliancegame as ag

    with output.working():
        game = inputs.load(model, changes, recalibrate, quiet=json)
        base = inputs.base_plan(game, model_plan)
        plan = inputs.plan_from(game, base, threat, demand, burden, tariff)
        if unravelling:
            scan = ag.unravelling(game, plan)
        else:
            found = ag.solve_alignment(game, plan, method=method)
    changed = inputs.describe_changes(changes, recalibrate)
    if unravelling:
        if json:
            output.write(scan.to_json() + "\n")
        else:
            _print_scan(scan, changed)
        return Exit.DONE
    if json:
        output.write(found.to_json() + "\n")
    else:
        _print_alignments(found, changed)
    certified = all(a.certificate.verdict == "certified" for a in found)
    return Exit.DONE if certified and found.complete else Exit.NOT_CERTIFIED


def _print_alignments(found: Alignments, changed: str) -> None:
    game = found.game
    model = game.provenance.get("model", "model")
    output.print_title(f"{model}: who stays under {found.plan.describe()}")
    facts: Facts = []
    if found.alliances:
        _print_alliance(found, found[0])
    for alliance in found.alliances[1:9]:
        facts.append(("also", f"{alliance.size} members, outside: {_outside(alliance)}"))
    if len(found) > 9:
        facts.append(("", f"and {len(found) - 9} more; --json has them all"))
    if not found.alliances:
        facts.append(
            ("found", "no equilibrium: in every alliance that was tried somebody would move")
        )
    for k, step in enumerate(found.cascade, 1):
        members = f"of {1 + len(step.stayers)}"
        what = "leaves" if step.leaves else "is nearest to leaving, and stays"
        gain = f"{short(step.gain, signed=True)} of payoff, {short(step.gain_usd_bn, signed=True)} bn US$"
        facts.append((f"round {k}", f"{members}: {step.ally} {what} ({step.alignment}: {gain})"))
    if found.returning:
        facts.append(("would return", ", ".join(found.returning)))
    facts.append(("enumeration", found.method))
    if found.alliances:
        facts += certificate_facts(found[0].certificate)[:1]
    finish(facts, changed)


def _print_alliance(found: Alignments, alliance: Alliance) -> None:
    game, lead = found.game, found.game.members.leader_index
    margins = [math.nan if i == lead else v for i, v in enumerate(_margins(found, alliance))]
    output.print_table(
        [
            Column("member", list(game.members), left=True),
            Column("alignment\n", list(alliance.alignments), left=True),
            Column("burden\n% of GDP", percent(alliance.burdens)),
            Column("influence\n%", percent(alliance.influences), drop=2),
            Column("trust\n", fixed(_trust(found, alliance), 4), drop=3),
            Column("payoff\n", fixed(alliance.payoffs), drop=1),
            Column("payoff over\nthat outside", fixed(margins, 4, signed=True)),
        ],
        bold=[lead],
    )


def _margins(found: Alignments, alliance: Alliance) -> list[float]:
    """What each ally would lose by its best way out; zero for those outside."""
    margins: list[float] = (alliance.payoffs - found.outside.payoffs).tolist()
    return margins


def _trust(found: Alignments, alliance: Alliance) -> list[float]:
    lead = found.game.members.leader_index
    return [math.nan if i == lead else t for i, t in enumerate(alliance.operating_trust.tolist())]


def _outside(alliance: Alliance) -> str:
    words = dict(zip(alliance.members, alliance.alignments, strict=True))
    return ", ".join(f"{m} {words[m]}" for m in alliance.leavers) or "nobody"


def _print_scan(scan: Unravelling, changed: str) -> None:
    model = scan.game.provenance.get("model", "model")
    output.print_title(f"{model}: at which threat the alliance comes apart")
    facts: Facts = [("found", scan.headline())]
    for switch in scan.switches:
        facts.append(
            (f"threat {switch.threat:.6f}", f"{switch.ally} would rather be {switch.moves}")
        )
    left = [m for m in scan.alliance if m not in scan.after]
    if not math.isnan(scan.threshold):
        facts.append(("leaving there", ", ".join(left) or "nobody in turn"))
    facts.append(
        (
            "resolution",
            f"changes that come and go within {share(scan.resolution)} of threat are missed",
        )
    )
    finish(facts, changed)
