"""What is typed: options shared by commands, and how they become games and plans.

A word that is not of the right shape is a usage error (exit code 2); a number, name or label that
the model does not admit is refused by the library itself (exit code 1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alliancegame.cli import output
from alliancegame.errors import InvalidValueError, ModelFileError, unknown_member, unknown_name

if TYPE_CHECKING:
    from alliancegame.game.game import BurdenSharingGame
    from alliancegame.game.plan import Plan

Model = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="A shipped model's name, or the path of a model file."),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Change a parameter: decay=0.3, consumption=linear, or for one member "
        "'decay[DEU]=0.2' (in quotes). May be repeated. Nothing else changes; names and units: "
        "alliancegame show MODEL.",
    ),
]
Recalibrate = Annotated[
    bool,
    typer.Option(
        "--recalibrate",
        help="After --set, calibrate again, so that without pressure the equilibrium is what was "
        "observed.",
    ),
]
Threat = Annotated[
    list[str] | None,
    typer.Option(
        "--threat",
        metavar="[ALLY=]NUMBER",
        help="Threat in [0, 1]: 0 none, 1 full. For all allies, or --threat DEU=0.3 --threat "
        "FRA=0.2 (the others 0).",
    ),
]
Demand = Annotated[
    list[str] | None,
    typer.Option(
        "--demand",
        metavar="[ALLY=]SHARE",
        help="Demanded defence spending, share of GDP: 0.02 or 2%. For all allies, or by ally.  "
        "[default: the demand of the model's own plan]",
    ),
]
Tariff = Annotated[
    list[str] | None,
    typer.Option(
        "--tariff",
        metavar="[ALLY=]RATE",
        help="Tariff for those who miss the demand: 0.1 or 10%. It costs them by their trade_exposure. "
        "For all allies, or by ally (the others 0).",
    ),
]
Burden = Annotated[
    str | None,
    typer.Option(
        "--burden",
        metavar="SHARE",
        help="The leader's own defence spending, share of GDP, to which it commits; without it, "
        "the leader plays at the same time as its allies.",
    ),
]
ModelPlan = Annotated[
    bool,
    typer.Option(
        "--model-plan",
        help="Begin with the model's own plan (see: alliancegame show MODEL), not with no pressure.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]

_ASSIGNMENT = re.compile(r"\s*([^\[\]=,]+?)\s*(?:\[([^\[\]]+)\])?\s*=\s*(.+?)\s*", re.DOTALL)
_PLAN_FIELDS = ("threat", "demand", "burden", "tariff")
_CONGESTED = ("spillin", "umbrella")


def number(text: str) -> float | str:
    """A number, or one in per cent; other text is left for the library to refuse."""
    bare = text.strip()
    try:
        return float(bare[:-1]) / 100 if bare.endswith("%") else float(bare)
    except ValueError:
        return text


# --- Games ---------------------------------------------------------------------------------------


def load(
    model: str, changes: Sequence[str] | None, recalibrate: bool = False, *, quiet: bool = False
) -> BurdenSharingGame:
    """The model with the changes of --set, calibrated again if that is asked for.

    Unless it is to be `quiet`, a remark says on which scale single members' spill-ins are.
    """
    from alliancegame.library import load_model

    game = load_model(model)
    if changes:
        asked = _changes(game, changes)
        if not quiet:
            note_final(game.replace(**_congestion(asked)), _keys(changes))
        game = game.replace(**asked)
    return _recalibrated(game) if recalibrate else game


def note_final(game: BurdenSharingGame, keys: Iterable[str]) -> None:
    """Remark on keys such as umbrella[FRA], whose values are on another scale than the alliance's."""
    from alliancegame.game.congestion import final_note

    for key in keys:
        name, _, label = key.partition("[")
        said = final_note(game, name.strip(), label.rstrip("] ").strip() or None)
        if said:
            output.note(f"note: {key} is {said}")


def _keys(texts: Iterable[str]) -> list[str]:
    return [text.partition("=")[0].strip() for text in texts]


def _congestion(changes: Mapping[str, Any]) -> dict[str, Any]:
    """What --set says of congestion, which members' present values depend on."""
    return {name: changes[name] for name in ("congestion", "gdp") if name in changes}


def describe_changes(changes: Sequence[str] | None, recalibrate: bool) -> str:
    """What --set and --recalibrate did, in words; empty if nothing."""
    if recalibrate:
        weights = "then calibrated again to the observed burdens"
    else:
        weights = "nothing calibrated again (--recalibrate does)"
    listed = ", ".join(changes) if changes else "no parameter"
    return f"{listed}; {weights}" if changes or recalibrate else ""


def _changes(game: BurdenSharingGame, texts: Iterable[str]) -> dict[str, Any]:
    """The changes for `game.replace`: a value by name, or some members' values."""
    everybody: dict[str, Any] = {}
    named: dict[str, dict[str, Any]] = {}
    for text in texts:
        name, label, value = _assignment(text, "--set", "decay=0.3 or 'decay[DEU]=0.2'")
        _check_set(game, name, label)
        if name in everybody if label is None else label in named.get(name, {}):
            key = name if label is None else f"{name}[{label}]"
            raise InvalidValueError(f"--set gives {key} twice: give it one value.")
        if label is None:
            everybody[name] = _value(name, value)
        else:
            named.setdefault(name, {})[label] = _value(name, value)
    changes = dict(everybody)
    for name, values in named.items():
        changes[name] = _rest(game, name, everybody) | values
    return changes


def _rest(game: BurdenSharingGame, name: str, everybody: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the members that are not named: empty where today's value simply stays."""
    import numpy as np

    if name in _CONGESTED:
        # A value for everybody is spread by congestion, values by member are final: the others
        # keep what they have only if it is written out.
        if name in everybody:
            raise InvalidValueError(
                f"{name} is given for everybody and for single members: one value is spread by "
                "congestion, values by member are final. Give one or the other."
            )
        crowding = everybody.get("congestion", game.congestion)
        final = game.replace(congestion=crowding).congested[_CONGESTED.index(name)]
        if not isinstance(getattr(game, name), np.ndarray):
            return dict(zip(game.members, final.tolist(), strict=True))
    return dict.fromkeys(game.members, everybody[name]) if name in everybody else {}


def _check_set(game: BurdenSharingGame, name: str, label: str | None) -> None:
    """What --set alone knows: plan fields, and labels for parameters that have no such value."""
    from alliancegame.game.game import PARAMETERS

    if name in _PLAN_FIELDS:
        raise InvalidValueError(f"{name} belongs to the plan: use --{name}, not --set {name}.")
    if label is None or name not in PARAMETERS:
        return
    parameter = PARAMETERS[name]
    if not parameter.by_member:
        raise InvalidValueError(f"{name} is one value for the alliance: use --set {name}=VALUE.")
    if label not in game.members:
        raise unknown_member(label, game.members, full_names(game), f" in {name}")
    if parameter.scope == "ally" and label == game.leader:
        raise InvalidValueError(f"{name} of {label}: only allies have one, and {label} leads.")


def full_names(game: BurdenSharingGame) -> Mapping[str, str]:
    """Members' full names by label, as far as the model gives them."""
    names: Mapping[str, str] = game.provenance.get("names", {})
    return names


def _value(name: str, text: str) -> float | str:
    from alliancegame.game.game import PARAMETERS

    return text if name in PARAMETERS and PARAMETERS[name].scope == "choice" else number(text)


def _recalibrated(game: BurdenSharingGame) -> BurdenSharingGame:
    from alliancegame.study.calibrate import calibrate

    observed = game.provenance.get("observed_burden")
    if not observed:
        raise InvalidValueError(
            f"--recalibrate: {game.provenance.get('model', 'the model')} has no observed burdens; "
            "its weights are given, so there is nothing to calibrate."
        )
    free = [*game.provenance.get("calibrated", []), "security_weight"][0]
    if free in game.provenance.get("replaced", {}):
        raise InvalidValueError(
            f"--recalibrate finds {free}, which --set also gives: take one of the two away."
        )
    found = calibrate(game, observed=observed, free=free)
    return found.replace(provenance={**found.provenance, "recalibrated": True})


def _assignment(text: str, option: str, example: str) -> tuple[str, str | None, str]:
    found = _ASSIGNMENT.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is not of the form {example}.", param_hint=option)
    name, label, value = found.groups()
    return name, label.strip() if label else None, value


# --- Plans ---------------------------------------------------------------------------------------


def base_plan(game: BurdenSharingGame, model_plan: bool) -> Plan:
    """The model's own plan, or no pressure (with the demand of the model's plan)."""
    from alliancegame.game.plan import Plan
    from alliancegame.library import default_plan

    own = default_plan(game)
    return own if model_plan else Plan(demand=own.demand)


def plan_from(
    game: BurdenSharingGame,
    base: Plan,
    threat: Sequence[str] | None,
    demand: Sequence[str] | None,
    burden: str | None,
    tariff: Sequence[str] | None = None,
) -> Plan:
    """The base plan with what the options name."""
    fields = plan_fields(game, base, threat, demand, burden, tariff)
    return base.replace(**fields) if fields else base


def plan_fields(
    game: BurdenSharingGame,
    base: Plan,
    threat: Sequence[str] | None,
    demand: Sequence[str] | None,
    burden: str | None,
    tariff: Sequence[str] | None = None,
) -> dict[str, Any]:
    """What the options name, as fields of a plan."""
    fields: dict[str, Any] = {}
    for name, given in (("threat", threat), ("demand", demand), ("tariff", tariff)):
        if given:
            fields[name] = _by_ally(game, base, name, *_read_by_ally(name, given, _model_of(game)))
    if burden is not None:
        fields["burden"] = plan_value("burden", burden)
    return fields


def plans_from(game: BurdenSharingGame, base: Plan, texts: Sequence[str]) -> list[Plan]:
    """One plan for each text such as threat=0.5,demand=0.03,burden=0.034 or 'threat[DEU]=0.5'."""
    return [_plan(game, base, text) for text in texts]


def _plan(game: BurdenSharingGame, base: Plan, text: str) -> Plan:
    everyone: dict[str, Any] = {}
    named: dict[str, dict[str, Any]] = {}
    for part in re.split(r",(?![^\[]*\])", text):
        name, label, value = _assignment(part, "PLANS", "threat=0.5,demand=0.03")
        if name not in _PLAN_FIELDS:
            raise unknown_name("plan field", name, _PLAN_FIELDS, f" in the plan {text!r}")
        if label is not None and name == "burden":
            raise InvalidValueError(
                f"burden in the plan {text!r} is the leader's own: burden=VALUE."
            )
        if label in named.get(name, {}) if label is not None else name in everyone:
            raise InvalidValueError(
                f"the plan {text!r} names {name}{f'[{label}]' if label else ''} twice; several plans "
                "stand apart, with a blank between them."
            )
        if label is not None:
            named.setdefault(name, {})[label] = plan_value(name, value)
        else:
            everyone[name] = plan_value(name, value)
    fields = everyone | {
        name: _by_ally(game, base, name, everyone.get(name), given) for name, given in named.items()
    }
    return base.replace(**fields)


def _model_of(game: BurdenSharingGame) -> str:
    return str(game.provenance.get("model", "MODEL"))


def _read_by_ally(name: str, texts: Iterable[str], model: str) -> tuple[Any, dict[str, Any]]:
    """(the value for everyone or None, values by ally)."""
    everyone: Any = None
    named: dict[str, Any] = {}
    plain: list[str] = []
    for text in texts:
        label, sign, value = (part.strip() for part in text.rpartition("="))
        if sign and not (label and value):
            raise typer.BadParameter(
                f"{text!r} is neither a number nor of the form ALLY=NUMBER.",
                param_hint=f"--{name}",
            )
        if label in named if sign else plain:
            raise InvalidValueError(_twice(name, label, [*plain, value], model))
        if sign:
            named[label] = plan_value(name, value)
        else:
            plain.append(value)
            everyone = plan_value(name, value)
    return everyone, named


def _twice(name: str, label: str, values: Sequence[str], model: str) -> str:
    """A repeated option is no list of plans: what to type instead."""
    if label:
        return f"--{name} is given twice for {label}: give it one value."
    plans = " ".join(f"{name}={value}" for value in values)
    return f"--{name} is given twice; several plans: compare {model} {plans}"


def _by_ally(
    game: BurdenSharingGame, base: Plan, name: str, everyone: Any, named: dict[str, Any]
) -> Any:
    """One value, or values by ally: those not named have everyone's, else no threat or the base's."""
    if game.leader in named:
        raise InvalidValueError(f"{name} of {game.leader}: it leads, and plans are for its allies.")
    if not named:
        return everyone
    if everyone is not None:
        return dict.fromkeys(game.allies, everyone) | named
    if name != "demand":
        return named
    demands = dict(zip(game.members, base.demand_by_member(game.members).tolist(), strict=True))
    return {ally: demands[ally] for ally in game.allies} | named


def plan_value(name: str, text: str) -> float | str | None:
    """A number of a plan; `none` is no own burden. More than the whole GDP is remarked upon."""
    if name == "burden" and text.strip().lower() == "none":
        return None
    value = number(text)
    if name in ("demand", "burden") and isinstance(value, float) and 1 <= value <= 100:
        output.note(
            f"note: {name} {text} is {value:.0%} of GDP; {value:g} % is written {value / 100:g} or "
            f"{value:g}%"
        )
    return value


# --- Burdens from a file -------------------------------------------------------------------------


def read_burdens(path: Path) -> dict[str, Any]:
    """Burdens (shares of GDP) by member from a CSV file with the columns member and burden."""
    import csv

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except UnicodeDecodeError as error:
        raise ModelFileError(f"{path}: not a UTF-8 text file: {error}.") from error
    except csv.Error as error:
        raise ModelFileError(f"{path}: not a CSV file: {error}.") from error
    columns = [name for name in (rows[0] if rows else {}) if name is not None]
    for wanted in ("member", "burden"):
        if wanted not in columns:
            found = f"found {', '.join(columns)}" if columns else "the file has no rows"
            if len(columns) == 1 and ";" in columns[0]:
                found = "fields seem separated by ';': save with commas"
            raise ModelFileError(
                f"{path}: the column {wanted!r} is missing ({found}); it needs the columns member "
                "and burden (a share of GDP), and a row for each member."
            )
    burdens: dict[str, Any] = {}
    for row in rows:
        label = (row["member"] or "").strip()
        if label in burdens:
            raise ModelFileError(f"{path}: member {label!r} stands twice.")
        burdens[label] = number(row["burden"] or "")
    return burdens
