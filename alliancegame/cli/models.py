"""Commands about models: models, show, new, latex."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alliancegame.cli import inputs, output
from alliancegame.cli.output import Column

if TYPE_CHECKING:
    from alliancegame.game.game import BurdenSharingGame
    from alliancegame.game.parameters import Parameter

CHANGED = {"status": "assumed", "source": "--set"}


def models(json: inputs.Json = False) -> None:
    """List the shipped models, with the terms of their data."""
    import dataclasses

    from alliancegame.library import list_models

    entries = list_models()
    if json:
        output.write_json([dataclasses.asdict(entry) for entry in entries])
        return
    output.print_table(
        [
            Column("model", [e.name for e in entries], left=True),
            Column("members", [str(e.members) for e in entries]),
            Column("year", [str(e.year or output.NO_NUMBER) for e in entries]),
            Column("title", [e.title for e in entries], left=True),
        ]
    )
    users: dict[str, list[str]] = {}
    for entry in entries:
        for terms in entry.terms:
            users.setdefault(terms, []).append(entry.name)
    output.print_text("\nTerms of the data (the code is MIT)")
    output.print_facts((f"  {', '.join(names)}", terms) for terms, names in users.items())


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the model.")],
    folder: Annotated[
        Path, typer.Option("--dir", metavar="FOLDER", help="Where to write the two files.")
    ] = Path(),
    json: inputs.Json = False,
) -> None:
    """Begin a model of your own.

    Writes NAME.toml, with comments, and NAME.csv for your figures. They work as they are, with
    invented figures; nothing that exists is overwritten.
    """
    from alliancegame.library import new_model

    toml = new_model(name, folder)
    table = toml.with_suffix(".csv") if toml.suffix == ".toml" else toml
    if json:
        output.write_json({"model": str(toml), "table": str(table)})
        return
    typed = shlex.quote(str(toml))
    output.write(
        f"written  {table}\n"
        f"         {toml}\n\n"
        f"Put your figures into {table.name}, one row for each member;\n"
        f"{toml.name} says what each number means. Then type\n"
        f"  alliancegame show {typed}\n"
        f"  alliancegame report {typed}\n"
    )


def latex(
    model: inputs.Model, changes: inputs.Set = None, recalibrate: inputs.Recalibrate = False
) -> None:
    """Print payoffs and first-order conditions as LaTeX."""
    import alliancegame as ag

    game = inputs.load(model, changes, recalibrate)
    with output.working():
        text = ag.latex(game)
    output.write(text.rstrip("\n") + "\n")


def show(
    model: inputs.Model,
    changes: inputs.Set = None,
    recalibrate: inputs.Recalibrate = False,
    json: inputs.Json = False,
) -> None:
    """Show a model's members and parameters.

    With units, and the status (observed, calibrated, assumed) and source of every number.
    """
    with output.working():  # calibration needs the kernels
        game = inputs.load(model, changes, recalibrate, quiet=json)
    if json:
        output.write_json(_as_json(game))
        return
    known = game.provenance
    output.print_title(f"{known.get('model')}: {known.get('title')}")
    if known.get("description"):
        output.print_text(known["description"] + "\n")
    _print_members(game)
    _print_parameters(game)
    _print_rest(game, inputs.describe_changes(changes, recalibrate))


def _origin(game: BurdenSharingGame, name: str) -> dict[str, str]:
    """Status and source of a parameter, as the file or --set gives them."""
    if name in game.provenance.get("replaced", {}):
        return CHANGED
    stated: dict[str, str] = game.provenance.get("parameters", {}).get(name, CHANGED)
    return stated


def _as_json(game: BurdenSharingGame) -> dict[str, Any]:
    from alliancegame.game.game import PARAMETERS

    values = game.to_dict()
    known = dict(game.provenance)
    known.pop("parameters", None)
    return {
        "members": values["members"],
        "leader": values["leader"],
        "parameters": {
            name: {
                "value": values[name],
                "symbol": parameter.symbol,
                "unit": parameter.unit,
                "meaning": parameter.doc,
                "admissible": parameter.admissible,
                **_origin(game, name),
                **_final(game, name),
            }
            for name, parameter in PARAMETERS.items()
        },
        "game_hash": game.hash,
        "provenance": known,
    }


def _final(game: BurdenSharingGame, name: str) -> dict[str, Any]:
    """What congestion leaves of a spill-in or umbrella, by ally."""
    from alliancegame.game.congestion import final_value, is_spread

    if not is_spread(game, name):
        return {}
    return {"final": {ally: final_value(game, name, ally) for ally in game.allies}}


def _print_members(game: BurdenSharingGame) -> None:
    from alliancegame.game.congestion import SPREAD, final_value, is_spread
    from alliancegame.game.game import PARAMETERS
    from alliancegame.game.outside import OUTSIDE_PARAMETERS

    outside = {parameter.name for parameter in OUTSIDE_PARAMETERS}
    names = game.provenance.get("names", {})
    labels = list(game.members)
    gdp = game.by_member("gdp")
    columns = [Column("member", labels, left=True)]
    if any(names.get(label, label) != label for label in labels):
        columns.append(Column("name", [names.get(m, m) for m in labels], drop=3, left=True))
    columns.append(Column("GDP\nbn US$", output.fixed(gdp, 6)))
    observed = game.provenance.get("observed_burden")
    if observed:
        shares = [observed[label] for label in labels]
        spending = [share * size for share, size in zip(shares, gdp, strict=True)]
        columns.append(Column("observed\n% of GDP", output.percent(shares)))
        columns.append(Column("spending\nbn US$", output.fixed(spending), drop=1))
    for parameter in PARAMETERS.values():
        if parameter.name in outside:  # Most have none: a column would say little.
            continue
        if parameter.name != "gdp" and _varies(game, parameter):
            cells = output.fixed(game.by_member(parameter.name), 4)
            if parameter.scope == "ally":
                cells[game.members.leader_index] = output.NO_NUMBER
            head = parameter.name.replace("_", "\n", 1)
            columns.append(Column(head, cells, drop=2))
    for name in SPREAD:
        if is_spread(game, name):
            cells = output.fixed((final_value(game, name, m) for m in labels), 4)
            cells[game.members.leader_index] = output.NO_NUMBER
            columns.append(Column(f"{PARAMETERS[name].symbol}\nfinal", cells, drop=4))
    output.print_table(columns, bold=[game.members.leader_index])
    sparse = [(p.name, _exceptions(game, p)) for p in OUTSIDE_PARAMETERS if _varies(game, p)]
    if sparse:
        output.print_text()
        output.print_facts(sparse)
    output.print_text()


def _exceptions(game: BurdenSharingGame, parameter: Parameter) -> str:
    """Allies whose value is not the most common one, and that one."""
    values = dict(zip(game.members, game.by_member(parameter.name).tolist(), strict=True))
    known = {m: v for m, v in values.items() if m in game.allies and not math.isnan(v)}
    common = Counter(known.values()).most_common(1)[0][0]
    named = ", ".join(f"{m} {_plain(v)}" for m, v in known.items() if v != common)
    unset = len(known) < len(game.allies)
    rest = f"; {parameter.unset} for those not given" if unset else ""
    return f"{named}; the others {_plain(common)}{rest}"


def _counted(game: BurdenSharingGame, parameter: Parameter, leader: bool = False) -> list[float]:
    """The allies' values of a parameter by member, and the leader's if it has one and is wanted."""
    values = zip(game.members, game.by_member(parameter.name).tolist(), strict=True)
    wanted = leader and parameter.scope == "member"
    return [
        value
        for label, value in values
        if (wanted or label != game.leader) and not math.isnan(value)
    ]


def _varies(game: BurdenSharingGame, parameter: Parameter) -> bool:
    return parameter.by_member and len(set(_counted(game, parameter))) > 1


def _text(game: BurdenSharingGame, parameter: Parameter) -> str:
    """A parameter's value in a few words."""
    value = getattr(game, parameter.name)
    if not parameter.by_member:
        return value if isinstance(value, str) else f"{value:g}"
    if parameter.unset and not _counted(game, parameter):
        return parameter.unset
    allies, everybody = _counted(game, parameter), _counted(game, parameter, leader=True)
    if _varies(game, parameter):
        return f"{_plain(min(everybody))} to {_plain(max(everybody))}"
    own = [value for value in everybody if value != allies[0]]
    return _plain(allies[0]) + (f", {game.leader} {_plain(own[0])}" if own else "")


def _plain(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _print_parameters(game: BurdenSharingGame) -> None:
    from alliancegame.game.game import PARAMETERS
    from alliancegame.game.spec import DEFAULT

    at_default = [n for n in PARAMETERS if _origin(game, n)["source"] == DEFAULT.source]
    named = [p for n, p in PARAMETERS.items() if n not in at_default]
    output.print_table(
        [
            Column("parameter", [p.name for p in named], left=True),
            Column("symbol", [p.symbol for p in named], drop=1, left=True),
            Column("value", [_text(game, p) for p in named]),
            Column("unit", [_unit(p) for p in named], left=True),
            Column("status", [_origin(game, p.name)["status"] for p in named], left=True),
        ]
    )
    if at_default:
        defaults = "; ".join(f"{n} {_text(game, PARAMETERS[n])}" for n in at_default)
        output.print_text()
        output.print_facts([("at their defaults", defaults)])
    output.print_text("\nMeaning | source")
    output.print_facts(
        (f"  {p.name}", f"{p.doc} | {_origin(game, p.name)['source']}") for p in named
    )


def _unit(parameter: Parameter) -> str:
    return "" if parameter.unit == "1" or parameter.scope == "choice" else parameter.unit


def _print_rest(game: BurdenSharingGame, changed: str) -> None:
    from alliancegame.library import default_plan

    known = game.provenance
    names = known.get("names", {})
    full = names.get(game.leader, game.leader)
    leader = game.leader if full == game.leader else f"{game.leader} ({full})"
    facts = [("members", f"{game.size}, led by {leader}")]
    if known.get("observed_origin"):
        origin = known["observed_origin"]
        facts.append(("observed burdens", f"{origin['status']}: {origin['source']}"))
    facts.append(("own plan", default_plan(game).describe()))
    facts += [
        ("data", f"{cited['title']}; {cited['source']}. Terms: {cited['terms']}")
        for cited in known.get("data", {}).values()
    ]
    if changed:
        facts.append(("changed", changed))
    output.print_text()
    output.print_facts(facts)
