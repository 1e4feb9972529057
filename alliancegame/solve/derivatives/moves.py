"""Parameters by key ("gdp[DEU]", "congestion", "decay" for all), and how each moves the conditions."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from alliancegame.errors import InvalidValueError, UnknownNameError, unknown_name
from alliancegame.game.checks import shown
from alliancegame.game.congestion import SPREAD
from alliancegame.game.game import PARAMETERS, BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.payoff.form import Form
from alliancegame.solve.derivatives import inputs
from alliancegame.solve.derivatives.directions import ON, Point
from alliancegame.solve.derivatives.implicit import Linear, Mask

BOUNDS = ("burden_min", "burden_max")
PLANNED = (*inputs.PLANNED, "burden")
NAMES = (
    *(n for n in PARAMETERS if n in (*inputs.BY_MEMBER, *inputs.SCALARS, *BOUNDS)),
    *PLANNED,
)
"""What static games depend on: parameters in the registry's order, then the plan."""
_NEEDS = {
    "council_weight": 'influence="council"',
    "rival_pull": 'influence="hub"',
    "width": 'shortfall="logistic"',
    "substitution": 'technology="ces"',
    "trade_exposure": "a plan with a tariff",
    "deadweight": "a plan with a tariff",
    "tariff_decay": "a plan with a tariff",
    "tariff": "trade_exposure > 0 or tariff_decay > 0",
}

_KEY = re.compile(r"(\w+)(?:\[(.+)\])?")

Key = tuple[str, int | None]
"""A parameter, and whose; None for a number of the game, or one number for all members."""


def text(game: BurdenSharingGame, key: Key) -> str:
    """A key as it is written: "gdp[DEU]", "congestion"."""
    name, member = key
    return name if member is None else f"{name}[{game.members[member]}]"


def _owners(game: BurdenSharingGame, plan: Plan, name: str) -> list[int | None]:
    """Whose a parameter can be: each member's, and one number for all where it is kept as one."""
    lead = game.members.leader_index
    if name == "burden":
        return [None] if plan.burden is not None else []
    if name in inputs.SCALARS:
        return [None]
    kept = getattr(plan if name in PLANNED else game, name)
    whole: list[int | None] = [] if isinstance(kept, (np.ndarray, Mapping)) else [None]
    everybody = name not in PLANNED and PARAMETERS[name].scope == "member"
    return whole + [i for i in range(game.size) if everybody or i != lead]


def keys_of(game: BurdenSharingGame, plan: Plan, wanted: Iterable[str] | str | None) -> list[Key]:
    """The keys that `wanted` names, in its order; all if None. Raises errors of ours."""
    known = names_of(game, plan)
    if wanted is None:
        return [(name, owner) for name in known for owner in _owners(game, plan, name)]
    names = [wanted] if isinstance(wanted, str) else wanted
    if isinstance(names, (bytes, Mapping)) or not isinstance(names, Iterable):
        raise InvalidValueError(
            f'parameters must be names such as ["gdp", "decay[DEU]"], got {shown(wanted)}.'
        )
    found: list[Key] = []
    for one in names:
        found += [key for key in _named(game, plan, one, known) if key not in found]
    if not found:
        raise InvalidValueError(
            "parameters names none: leave it out for all, or name some, as gdp."
        )
    return found


def names_of(game: BurdenSharingGame, plan: Plan) -> tuple[str, ...]:
    """What this game depends on under this plan: those of `NAMES` that its forms have."""
    has = {*inputs.names_of(game, plan), *BOUNDS, "burden"}
    return tuple(name for name in NAMES if name in has)


def _named(game: BurdenSharingGame, plan: Plan, one: object, known: tuple[str, ...]) -> list[Key]:
    match = _KEY.fullmatch(one) if isinstance(one, str) else None
    if match is None:
        raise InvalidValueError(
            f'a parameter is named as "gdp" or "gdp[{game.leader}]", got {shown(one)}.'
        )
    name, label = match[1], match[2]
    if name not in known:
        if name in _NEEDS:
            raise UnknownNameError(
                f"{name} does not move this game: it needs {_NEEDS[name]}. Known here: "
                f"{', '.join(known)}."
            )
        if name in PARAMETERS:
            raise UnknownNameError(
                f"{name} has no derivative here: it is a form, or counts only over time, outside the "
                f"alliance or where threats must be credible. Known here: {', '.join(known)}."
            )
        raise unknown_name("parameter", name, known)
    owners = _owners(game, plan, name)
    if not owners:
        raise InvalidValueError(
            "burden has a derivative only where the plan names the leader's burden; here it is played "
            "simultaneously: use respond(game, Plan(burden=...))."
        )
    if label is None:
        return [(name, owner) for owner in owners]
    if label not in game.members:
        raise unknown_name("member", label, game.members, f" in {one}")
    if game.members.index_of(label) not in owners:
        whose = "allies" if owners != [None] else "nobody in particular"
        raise InvalidValueError(f"{name} belongs to {whose}, not to {label}.")
    return [(name, game.members.index_of(label))]


@dataclasses.dataclass(frozen=True, eq=False)
class Moves:
    """How parameters move conditions, payoffs and what members sit on, burdens held.

    `conditions` and `payoffs` are (2, n, key): on the pieces above and under the own demand, all who sit
    on theirs above it for the leader; `pins` (n,
    key) for each of demand, burden_min, burden_max and burden; `values` (key,). `begins` (n, key) marks
    members without forces whom a parameter gives a first reason to have some.
    """

    conditions: Array
    payoffs: Array
    pins: Mapping[str, Array]
    values: Array
    begins: Mask


def moves_of(point: Point, keys: Sequence[Key]) -> Moves:
    """The derivatives of all that keys move."""
    game = point.game
    values = np.array([value_of(game, point.plan, key) for key in keys])
    pins, begins = pins_of(game, keys, point.x, point.over.value)
    functions = (point.over, point.under, point.payoff_over, point.payoff_under)
    made = directly(point, keys, functions, point.x, point.below & ~point.kinked)
    return Moves(made[:2], made[2:], pins, values, begins)


def pins_of(
    game: BurdenSharingGame, keys: Sequence[Key], x: Array, marginals: Array
) -> tuple[dict[str, Array], Mask]:
    """How keys move what members sit on: `pins` and `begins` of `Moves`, from marginals (n,) at x."""
    n = game.size
    pins = {name: np.zeros((n, len(keys))) for name in ("demand", *BOUNDS, "burden")}
    begins = np.zeros((n, len(keys)), dtype=bool)
    for j, (name, owner) in enumerate(keys):
        whose = slice(None) if owner is None else owner
        if name in pins:
            pins[name][game.members.leader_index if name == "burden" else whose, j] = 1.0
        starts = _from_nothing(game, x, marginals, name)
        if starts is not None:
            pins["burden_min"][whose, j] += starts[whose]
            begins[whose, j] = starts[whose] > 0
    return pins, begins


def directly(
    point: Point, keys: Sequence[Key], functions: Sequence[Linear], x: Array, below: Mask
) -> Array:
    """Derivatives in keys of functions that were linearised at x, burdens held: (function, n, key)."""
    seen = moved_by_key(point.game, point.form, point.values, keys, x, below)
    return np.array([function.along(seen).T for function in functions])


def moved_by_key(
    game: BurdenSharingGame,
    form: Form,
    values: inputs.Given,
    keys: Sequence[Key],
    x: Array,
    below: Mask,
) -> dict[str, Array]:
    """Derivatives of what is seen in each key, burdens held: name -> (key, n), of `inputs.facts_of`."""
    found = {fact: np.zeros((len(keys), game.size)) for fact in inputs.facts_of(form)}
    for name in dict.fromkeys(name for name, _ in keys):
        if name in BOUNDS or name == "burden":
            continue
        seen = inputs.moved(game, form, values, name, x, below)
        for j, (other, owner) in enumerate(keys):
            if other != name:
                continue
            share = 1.0 if owner is None else _final_share(game, name, owner)
            for fact, move in seen.items():
                found[fact][j] = move.sum(axis=0) if owner is None else move[owner] / share
    return found


def value_of(game: BurdenSharingGame, plan: Plan, key: Key) -> float:
    """Where a parameter stands; spill-ins and umbrellas of one member after congestion."""
    name, owner = key
    if name == "burden":
        return float(plan.burden or 0.0)
    if owner is None:
        return float(getattr(plan if name in PLANNED else game, name))
    if name in SPREAD:
        return float(game.congested[SPREAD.index(name)][owner])
    values = (
        getattr(plan, f"{name}_by_member")(game.members)
        if name in PLANNED
        else game.by_member(name)
    )
    return float(values[owner])


def _final_share(game: BurdenSharingGame, name: str, owner: int) -> float:
    """What congestion leaves of one unit of the alliance's number for this member."""
    if name not in SPREAD or isinstance(getattr(game, name), np.ndarray):
        return 1.0
    gdp = game.by_member("gdp")
    return float((gdp[owner] / gdp.sum()) ** game.congestion)


def _from_nothing(game: BurdenSharingGame, x: Array, marginals: Array, name: str) -> Array | None:
    """How a burden of 0 begins to rise with a weight that is 0 and gives it an infinite slope, (n,).

    Next to h ln x the condition is h/x = -F(0): the burden is h / -F(0) to the first order. The same
    holds for influence in logs, with m times its weight.
    """
    if name == "private_weight":
        factor = 1.0
    elif name == "influence_weight" and game.influence_value == "log":
        factor = game.decisiveness
    else:
        return None
    idle = (game.by_member(name) == 0) & (x <= ON) & (marginals < 0)
    with np.errstate(divide="ignore"):
        return np.where(idle, -factor / np.where(idle, marginals, 1.0), 0.0)


def closed(game: BurdenSharingGame, plan: Plan, keys: Sequence[Key], side: str) -> Mask:
    """Keys that cannot move to a side because they stand at the end of their range, (key,)."""
    ceiling = game.by_member("trust_ceiling")
    lead = game.members.leader_index
    found = []
    for key in keys:
        name, owner = key
        value = value_of(game, plan, key)
        if name in PLANNED:
            low, high = (0.0, 1.0) if name == "threat" else (0.0, np.inf)
        else:
            low, high = PARAMETERS[name].low, PARAMETERS[name].high
        if owner is None and name in inputs.BY_MEMBER:
            who = np.arange(game.size) != lead
        else:
            who = np.arange(game.size) == (lead if owner is None else owner)
        if name == "trust":
            high = min(high, float(ceiling[who].min()))
        if name == "burden":
            low, high = (float(game.by_member(bound)[lead]) for bound in BOUNDS)
        found.append(value <= low if side == "left" else value >= high)
    return np.array(found, dtype=bool)
