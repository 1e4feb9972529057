"""The command about finite games: the alliance as a matrix, its equilibria, and commitment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alliancegame.cli import inputs, output
from alliancegame.cli.equilibria import exit_code
from alliancegame.cli.output import Column
from alliancegame.errors import InvalidValueError

if TYPE_CHECKING:
    from alliancegame.game.finite import FiniteGame
    from alliancegame.game.game import BurdenSharingGame
    from alliancegame.game.plan import Plan
    from alliancegame.solve.finite.commitment import Commitment
    from alliancegame.solve.finite.profile import EquilibriumSet

MOST_COLUMNS = 12
"""Strategies of the second player beyond which the table is not printed."""
MOST_ROWS = 40
MOST_LISTED = 20


def matrix(
    model: inputs.Model,
    plans: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PLANS]...",
            help="The leader's strategies, such as threat=0.5,demand=0.03,burden=0.034. Without any: no "
            "pressure, and the model's own plan.",
        ),
    ] = None,
    burdens: Annotated[
        list[str] | None,
        typer.Option(
            "--spend",
            metavar="SHARE",
            help="A strategy of every bloc: what its members spend, a share of GDP (0.02 or 2%), "
            "'status quo' (what each spends without pressure), or 'comply' (that, or the highest "
            "demand of the plans if it is more). May be repeated.  [default: comply, status quo]",
        ),
    ] = None,
    blocs: Annotated[
        list[str] | None,
        typer.Option(
            "--bloc",
            metavar="NAME=ALLY,ALLY",
            help="Allies that choose together. May be repeated; others stay at the status quo.  "
            "[default: one bloc of all allies]",
        ),
    ] = None,
    payoffs: Annotated[
        bool,
        typer.Option(
            "--payoffs", help="Show payoffs of the model, not differences from A in bn US$ a year."
        ),
    ] = False,
    changes: inputs.Set = None,
    recalibrate: inputs.Recalibrate = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print the matrix in LaTeX.")] = False,
    json: inputs.Json = False,
) -> int:
    """Draw the alliance as a matrix, and find all its equilibria.

    The leader's plans against what blocs of allies spend: the game that papers draw, with payoffs from
    the model. A plan that names no burden leaves the leader's own at the status quo.
    """
    import alliancegame as ag

    if latex and json:
        raise typer.BadParameter("give --latex or --json, not both.", param_hint="--latex")
    with output.working():
        game = inputs.load(model, changes, recalibrate, quiet=json)
        base = inputs.base_plan(game, False)
        chosen = inputs.plans_from(game, base, plans) if plans else _usual(game)
        grid = ag.discretise(
            game,
            _by_label(chosen),
            _burdens(game, chosen, burdens or ["comply", "status quo"]),
            _blocs(blocs),
            units="payoff" if payoffs else "usd_bn",
        )
        if latex:
            output.write(grid.to_latex())
            return 0
        found = ag.find_equilibria(grid)
        committed = ag.solve_commitment(grid) if grid.size == 2 else None
    if json:
        output.write_json(
            {
                "game": grid.to_dict(),
                "units": grid.provenance["units"],
                "equilibria": found.to_dict(),
                "commitment": None if committed is None else committed.to_dict(),
            }
        )
    else:
        _print(grid, found, committed, inputs.describe_changes(changes, recalibrate))
    return exit_code([profile.certificate for profile in found])


def _usual(game: BurdenSharingGame) -> list[Plan]:
    """No pressure, and the model's own plan."""
    calm, pressing = (inputs.base_plan(game, own) for own in (False, True))
    if not pressing.pressure:
        raise InvalidValueError(
            "the model proposes no plan with a threat: name the leader's plans, such as threat=0.5."
        )
    return [calm, pressing]


def _by_label(plans: Sequence[Plan]) -> dict[str, Plan]:
    """The leader's strategies by label, each once."""
    made: dict[str, Plan] = {}
    for plan in plans:
        label = plan.describe()
        if label in made:
            raise typer.BadParameter(
                f"the plan {label!r} is given twice: name each of the leader's strategies once.",
                param_hint="PLANS",
            )
        made[label] = plan
    return made


def _burdens(
    game: BurdenSharingGame, plans: Sequence[Plan], texts: Sequence[str]
) -> dict[str, Any]:
    """Strategies of the blocs by label."""
    from alliancegame.solve.nash import status_quo

    made: dict[str, Any] = {}
    known: dict[Any, str] = {}
    for text in map(str.strip, texts):
        value = inputs.number(text)
        if value in known:
            again = "" if known[value] == text else f", as {known[value]!r} and as {text!r}"
            raise typer.BadParameter(
                f"{text!r} is given twice{again}: name each strategy of the blocs once.",
                param_hint="--spend",
            )
        known[value] = text
        if text == "comply":
            asked = [p.demand_by_member(game.members) for p in plans if p.pressure]
            if not asked:
                raise InvalidValueError("--spend comply needs a plan with a threat and its demand.")
            spent = [max(values) for values in zip(status_quo(game).burdens, *asked, strict=True)]
            made["comply"] = dict(zip(game.members, map(float, spent), strict=True))
        else:
            made[text] = value
    return made


def _blocs(texts: Sequence[str] | None) -> dict[str, list[str]] | None:
    if not texts:
        return None
    made: dict[str, list[str]] = {}
    for text in texts:
        name, found, members = text.partition("=")
        if not found or not name.strip() or not members.strip():
            raise typer.BadParameter(
                f"{text!r} is not of the form NAME=ALLY,ALLY.", param_hint="--bloc"
            )
        if name.strip() in made:
            raise typer.BadParameter(
                f"the bloc {name.strip()!r} is named twice: give all its allies at once, "
                f"{name.strip()}=ALLY,ALLY.",
                param_hint="--bloc",
            )
        made[name.strip()] = [member.strip() for member in members.split(",")]
    return made


def _print(
    grid: FiniteGame, found: EquilibriumSet, committed: Commitment | None, changed: str
) -> None:
    units = (
        "payoffs of the model (a bloc's: GDP-weighted mean)"
        if grid.provenance["units"] == "payoff"
        else "differences from A, bn US$ a year"
    )
    output.print_title(f"{grid.title}: {' against '.join(grid.players)}; {units}")
    if grid.size == 2 and grid.shape[1] <= MOST_COLUMNS and grid.shape[0] <= MOST_ROWS:
        _print_bimatrix(grid, found)
    else:
        output.print_text(f"{' x '.join(map(str, grid.shape))} cells: not printed")
    output.print_text()
    facts: list[tuple[str, Any]] = []
    for k, profile in enumerate(found):
        if k == MOST_LISTED:
            facts.append(("", f"... and {len(found) - k} more (--json lists all)"))
            break
        paid = ", ".join(output.short(float(u)) for u in profile.payoffs)
        claim = f": {profile.describe()} ({paid})"
        facts.append(("equilibrium", output.headed(profile.certificate.verdict, claim)))
    facts.append(("known", found.statement))
    if committed is not None:
        low, high = committed.interval
        facts.append(
            (
                "commitment",
                committed.headline().partition(":")[0]
                + f", worth {output.short(high)} if indifferent allies help and {output.short(low)} "
                + f"(supremum) if they harm; answer {', '.join(committed.answers)}",
            )
        )
    if changed:
        facts.append(("changed", changed))
    output.print_facts(facts)


def _print_bimatrix(grid: FiniteGame, found: EquilibriumSet) -> None:
    """The leader's payoff first in each cell; pure equilibria carry a star."""
    stars = {profile.cell for profile in found.pure}
    rows, columns = grid.strategies
    cells = [
        Column(
            label,
            [("* " if (i, j) in stars else "") + grid.cell_text((i, j)) for i in range(len(rows))],
            drop=j,
        )
        for j, label in enumerate(columns)
    ]
    output.print_table([Column(grid.players[0], rows, left=True), *cells])
    if stars:
        output.print_text("* pure equilibrium")
