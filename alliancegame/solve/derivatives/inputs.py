"""From parameters and plan to what members' conditions depend on, with exact derivatives.

The chain runs through congestion and the trust law. It is written once, for complex numbers too:
a step of size 1e-30 in the imaginary direction gives derivatives without rounding of differences.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.congestion import SPREAD
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.payoff.conditions import observations, trust_terms
from alliancegame.payoff.form import Form
from alliancegame.solve.own_payoff import OUT_OF_REACH

TINY = 1e-60
"""Stands for a burden of zero, as in the engine."""
NIL = 1e-300
"""Stands for a zero whose logarithm a derivative in an exponent needs."""
STEP = 1e-30

BY_MEMBER = (
    "gdp", "security_weight", "influence_weight", "private_weight", "effectiveness", "spillin",
    "umbrella", "council_weight", "credibility", "trade_exposure", "rival_pull", "trust",
    "trust_ceiling", "decay", "threat", "demand", "tariff",
)  # fmt: skip
SCALARS = (
    "return_spillin", "congestion", "cohesion", "substitution", "decisiveness", "width", "deadweight",
    "curvature", "contagion", "tariff_decay", "recovery",
)  # fmt: skip
PLANNED = ("threat", "demand", "tariff")
"""What of these belongs to the plan."""
_ALWAYS = (
    "g", "Z", "C", "G", "scale", "theta", "alpha", "private", "spillin", "umbrella", "bite", "demand",
    "weight", "returned", "rho", "m",
)  # fmt: skip
_HUB = ("rival", "share", "share_x")
_TAXED = ("levy", "revenue")

Given = dict[str, Any]


def form_of(game: BurdenSharingGame, taxed: bool = False) -> Form:
    """The functional forms that shape the game's expressions, `taxed` with tariffs.

    A trigger is the plain shortfall with a demand out of reach for those who miss theirs.
    """
    shortfall = "logistic" if game.shortfall == "logistic" else "proportional"
    return Form(
        game.consumption, game.influence_value, game.substitution == 1, game.decisiveness == 1,
        game.influence, shortfall, taxed,
    )  # fmt: skip


def bears_tariffs(game: BurdenSharingGame, plan: Plan) -> bool:
    """Whether tariffs reach payoffs: there is one, or one would be felt."""
    return plan.taxed or bool(game.by_member("trade_exposure").any())


def names_of(game: BurdenSharingGame, plan: Plan) -> tuple[str, ...]:
    """Parameters that move the static game in its form: by member, then numbers of the game.

    A tariff of nothing moves what it would reach; exposure, deadweight and the trust that a tariff costs
    count once there is one.
    """
    absent = {"council_weight"} if game.influence == "hub" else {"rival_pull"}
    if game.shortfall != "logistic":
        absent.add("width")
    if game.technology != "ces":
        absent.add("substitution")
    if not plan.taxed:
        absent |= {"trade_exposure", "deadweight", "tariff_decay"}
        if not bears_tariffs(game, plan) and game.tariff_decay == 0:
            absent.add("tariff")
    return tuple(name for name in (*BY_MEMBER, *SCALARS) if name not in absent)


def facts_of(form: Form) -> tuple[str, ...]:
    """What conditions of a form depend on beside the own burden, under the names of `payoff.symbolic`."""
    more = (("width",) if form.logistic else ()) + (_HUB if form.hub else ())
    return (*_ALWAYS, *more, *(_TAXED if form.taxed else ()))


def given(game: BurdenSharingGame, plan: Plan) -> Given:
    """Every number of game and plan that moves the static game: (1, n) by member, (1, 1) scalars."""
    found: Given = {}
    for name in BY_MEMBER:
        if name in PLANNED:
            value = getattr(plan, f"{name}_by_member")(game.members)
        elif name in SPREAD:
            value = np.broadcast_to(getattr(game, name), (game.size,))
        else:
            value = game.by_member(name)
        found[name] = value[None, :]
    for name in SCALARS:
        found[name] = np.array([[getattr(game, name)]])
    return found


def operating_trust(game: BurdenSharingGame, values: Mapping[str, Any]) -> tuple[Any, Any]:
    """Trust when allies answer, (case, n), and the allies' mean, (case, 1); docs/theory/model, Trust.

    The leader's entry has no meaning.
    """
    law = trust_terms()
    allies = np.arange(game.size) != game.members.leader_index
    gdp = np.where(allies, values["gdp"], 0.0)
    share = gdp / gdp.sum(axis=-1, keepdims=True)
    threat = values["threat"]
    cost = law["cost"](threat + NIL * (np.real(threat) == 0), values["curvature"])
    weighed = share * cost
    others = weighed.sum(axis=-1, keepdims=True) - weighed
    impact = law["impact"](
        values["decay"], cost, values["contagion"], others, values["tariff_decay"], values["tariff"]
    )
    if game.horizon == "impact":
        trust = values["trust"] * impact
    else:
        gone = (game.scarring > 0) & (np.real(threat) > 0)
        if game.recovery > 0:
            trust = law["stationary"](impact, values["recovery"], values["trust_ceiling"])
        else:
            trust = values["trust"] * np.ones_like(impact)
            gone = gone | (np.real(impact) != 1)
        trust = np.where(gone, 0.0, trust)
    return trust, (share * trust).sum(axis=-1, keepdims=True)


def seen(
    game: BurdenSharingGame,
    form: Form,
    values: Mapping[str, Any],
    x: Array,
    below: NDArray[np.bool_],
) -> dict[str, Any]:
    """What conditions depend on at burdens x of shape (n,): `facts_of` and more, each (case, n) or less.

    `below`, shape (n,), says who is on the piece under its demand.
    """
    lead = game.members.leader_index
    allies = np.arange(game.size) != lead
    x = np.maximum(x, TINY)
    gdp = values["gdp"]
    crowding = (gdp / gdp.sum(axis=-1, keepdims=True)) ** values["congestion"]
    spread = {
        name: values[name]
        if isinstance(getattr(game, name), np.ndarray)
        else values[name] * crowding
        for name in SPREAD
    }
    trust, mean = operating_trust(game, values)
    scale = values["effectiveness"] * gdp
    g = scale * x
    rho, m = values["substitution"], values["decisiveness"]
    weight = values["council_weight"] * np.where(allies, 1.0, mean)
    theta = values["security_weight"]
    demand = values["demand"]
    if game.shortfall == "trigger":
        demand = np.where(below, OUT_OF_REACH, demand)
    facts = {
        "x": x,
        "below": below.astype(np.float64),
        "g": g,
        "Z": np.where(allies, g**rho, 0.0).sum(axis=-1, keepdims=True),
        "C": (weight * g**m).sum(axis=-1, keepdims=True),
        "G": g[..., lead : lead + 1],
        "scale": scale,
        "theta": theta,
        "alpha": values["influence_weight"],
        "private": values["private_weight"],
        "spillin": spread["spillin"],
        "umbrella": spread["umbrella"] * trust,
        "bite": _bite(theta, values["credibility"] * values["threat"]),
        "demand": demand,
        "weight": np.where(allies, trust, weight) if form.hub else weight,
        "returned": trust_terms()["returned"](values["return_spillin"], mean, values["cohesion"]),
        "rho": rho,
        "m": m,
        "width": values["width"],
    }
    if form.hub or form.taxed:
        facts |= _observed(game, form, values, facts)
    return facts


def _observed(
    game: BurdenSharingGame, form: Form, values: Mapping[str, Any], facts: dict[str, Any]
) -> dict[str, Any]:
    """What the leader observes of every ally, and what that depends on; sums over allies (case, 1)."""
    lead = slice(game.members.leader_index, game.members.leader_index + 1)
    allies = np.arange(game.size) != lead.start
    gdp = values["gdp"]
    more = {
        "rival": values["rival_pull"],
        "levy": values["trade_exposure"] * values["tariff"],
        "gdp": gdp,
        "deadweight": values["deadweight"],
        "lead_gdp": gdp[..., lead],
        "lead_x": facts["x"][lead],
        "lead_scale": facts["scale"][..., lead],
    }
    allied = np.where(allies, gdp, 0.0)
    part = allied / allied.sum(axis=-1, keepdims=True)
    # Exponents may move: the form with a symbol for m.
    general = dataclasses.replace(form, proportional=False)
    for name, observe in observations(general).items():
        value, slope = (np.where(allies, made, 0.0) for made in observe(facts | more))
        weight = 1.0 if name == "revenue" else part
        more[name] = (weight * value).sum(axis=-1, keepdims=True)
        more[f"{name} of each"] = weight * slope
    return more


def _bite(theta: Any, believed: Any) -> Any:
    """What a threat takes from reliability; short of all where security is worth nothing.

    There it counts only for what the first bit of worth would do, and R^(rho - 1) must be finite.
    """
    return np.where((np.real(theta) == 0) & (np.real(believed) == 1), 1 - 1e-9, believed)


def steps(values: Any) -> Array:
    """Sizes of imaginary steps: tiny beside the value itself, and beside everything where it is 0."""
    size = np.abs(np.asarray(values, dtype=np.float64))
    return np.asarray(np.where(size > STEP, STEP * size, 1e-100))


def moved(
    game: BurdenSharingGame,
    form: Form,
    values: Given,
    name: str,
    x: Array,
    below: NDArray[np.bool_],
) -> dict[str, Array]:
    """Derivatives of what is seen in one parameter, burdens held: name -> (case, n), of `facts_of`.

    A case is a member whose value moves, or the one number for all. Spill-ins and umbrellas kept as
    one number move as they stand in the game, before congestion.
    """
    n = game.size
    size = steps(values[name])
    if name in BY_MEMBER:
        value = values[name] + 1j * np.diag(size[0])
        size = size[0][:, None]
    else:
        value = values[name] + 1j * size
    with np.errstate(all="ignore"):
        found = seen(game, form, {**values, name: value}, x, below)
        cases = value.shape[0]
        return {k: np.broadcast_to(np.imag(found[k]) / size, (cases, n)) for k in facts_of(form)}


def jumps(game: BurdenSharingGame, name: str) -> bool:
    """Whether long-run trust jumps in this parameter, so that there is no derivative."""
    sudden = game.scarring > 0 or game.recovery == 0
    touched = name in ("threat", "scarring") or (game.recovery == 0 and name in (
        "decay", "contagion", "recovery", "tariff", "tariff_decay"))  # fmt: skip
    return game.horizon == "stationary" and sudden and touched


def players(game: BurdenSharingGame, plan: Plan) -> NDArray[np.bool_]:
    """Who chooses its burden: everybody, or the allies if the plan names the leader's."""
    free = np.full(game.size, True)
    free[game.members.leader_index] = plan.burden is None
    return free
