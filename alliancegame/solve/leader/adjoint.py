"""Slopes of the leader's payoff in a plan, allies answering: one linear solve for all of them.

The implicit function theorem in adjoint form, on the conditions of `solve.implicit`. Members on their
demand or a bound stay there; the leader is among those who answer if the plan names no burden.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.payoff.conditions import derivatives, trust_terms
from alliancegame.solve.derivatives.directions import ON
from alliancegame.solve.derivatives.implicit import form_of, rates_of
from alliancegame.solve.derivatives.inputs import STEP, Given, operating_trust, seen

_ALLY = ("own", "Z", "C", "G", "bite", "umbrella", "demand")
_LEADER = ("own", "Z", "C", "weight", "returned")


@dataclasses.dataclass(frozen=True, eq=False)
class PlanSlopes:
    """Slopes of the leader's payoff: in each ally's threat and demand, (n,), and in the own burden."""

    threat: Array
    demand: Array
    burden: float


def plan_slopes(game: BurdenSharingGame, values: Given, x: Array, *, committed: bool) -> PlanSlopes:
    """Slopes at a plan, to which x, shape (n,), is the answer; nan where conditions are singular.

    `values` are those of `inputs.given`; `committed` says that the plan names the leader's burden.
    """
    n, lead = game.size, game.members.leader_index
    allies = np.flatnonzero(np.arange(n) != lead)
    facts = {
        name: np.array(np.broadcast_to(value, (1, n))[0])
        for name, value in seen(game, values, x).items()
    }
    facts["below"] = (x < facts["demand"]).astype(np.float64)
    form = form_of(game)
    partial = {name: np.zeros(n) for name in (*_ALLY, "weight", "returned")}
    mine = {name: np.array([value[lead]]) for name, value in facts.items()}
    theirs = {name: value[allies] for name, value in facts.items()}
    with np.errstate(all="ignore"):
        found = derivatives(form, "ally", "marginal", _ALLY)(theirs)
        for name, value in zip(_ALLY, found, strict=True):
            partial[name][allies] = value
        found = derivatives(form, "leader", "marginal", _LEADER)(mine)
        for name, value in zip(_LEADER, found, strict=True):
            partial[name][lead] = np.ravel(value)[0]
        found = derivatives(form, "leader", "payoff", _LEADER)(mine)
    payoff = {name: float(np.ravel(v)[0]) for name, v in zip(_LEADER, found, strict=True)}
    rates = rates_of(game, facts, x)
    pressed = facts["bite"] * facts["theta"] > 0
    bunched = (np.abs(x - facts["demand"]) <= ON) & pressed
    bunched[lead] = False
    free = (x > game.by_member("burden_min") + ON) & (x < game.by_member("burden_max") - ON)
    free &= ~bunched
    free[lead] &= not committed
    own = payoff["Z"] * rates[0] + payoff["C"] * rates[1]
    own[lead] += payoff["own"]
    slopes = sum(
        (np.outer(partial[k], rate) for k, rate in zip("ZCG", rates, strict=True)),
        np.diag(partial["own"]),
    )[free]
    unit = np.maximum(np.abs(partial["own"][free]), 1e-300)
    worth = np.zeros(n)
    try:
        worth[free] = np.linalg.solve((slopes[:, free] / unit[:, None]).T, own[free]) / unit
    except np.linalg.LinAlgError:
        worth[free] = np.nan
    # What it is worth to the leader that somebody who sits moves with what it sits on.
    pushed = np.where(free, 0.0, own - worth[free] @ slopes)
    by_demand = np.where(bunched, pushed, -worth * partial["demand"])
    by_demand[lead] = 0.0
    by_trust, by_mean, by_returned = _through_trust(game, values, facts)
    council = payoff["C"] - worth @ partial["C"]
    weight = payoff["weight"] - worth[lead] * partial["weight"][lead]
    weight += council * facts["g"][lead] ** game.decisiveness
    returned = payoff["returned"] - worth[lead] * partial["returned"][lead]
    by_threat = -worth * partial["bite"] * game.by_member("credibility")
    _, umbrella = game.congested
    by_threat = by_threat - by_trust @ (worth * partial["umbrella"] * umbrella)
    by_threat += by_mean * (weight * game.by_member("council_weight")[lead])
    by_threat += by_returned * returned
    by_threat[lead] = 0.0
    return PlanSlopes(by_threat, by_demand, float(pushed[lead]))


def _through_trust(
    game: BurdenSharingGame, values: Given, facts: dict[str, Array]
) -> tuple[Array, Array, Array]:
    """Derivatives in threats (n,): of allies' trust (n, n), its mean, and the returned spill-in."""
    n = game.size
    # Without contagion no ally's threat touches another's trust: one step serves all.
    seed = np.diag(np.ones(n)) if game.contagion else np.ones((1, n))
    stepped = {**values, "threat": values["threat"] + 1j * STEP * seed}
    trust, mean = operating_trust(game, stepped)
    slopes = trust.imag / STEP
    by_trust = slopes if game.contagion else np.diag(slopes[0])
    gdp = game.by_member("gdp").copy()
    gdp[game.members.leader_index] = 0.0
    by_mean = by_trust @ gdp / gdp.sum()
    level = float(np.real(mean.ravel()[0]))
    step = max(level, 1e-30) * STEP
    returned = trust_terms()["returned"](game.return_spillin, level + 1j * step, game.cohesion)
    return by_trust, by_mean, by_mean * float(np.imag(returned)) / step


def ridge_threats(
    game: BurdenSharingGame, values: Given, x: Array, member: int, demands: Array
) -> Array:
    """Smallest threats at which an ally just meets each of `demands`, others' burdens held; (demand,).

    On its demand R = 1 whatever the threat, so that the marginal payoff below it is linear in the threat;
    trust is held. nan where no threat does, or where the ally would spend more anyhow.
    """
    n = game.size
    facts = {
        name: np.broadcast_to(value, (1, n))[0, member]
        for name, value in seen(game, values, x).items()
    }
    rho, m = game.substitution, game.decisiveness
    g, now = facts["scale"] * demands, facts["g"]
    there = {
        **facts, "x": demands, "g": g, "demand": demands, "below": np.ones_like(demands),
        "Z": facts["Z"] + g**rho - now**rho, "C": facts["C"] + facts["weight"] * (g**m - now**m),
    }  # fmt: skip
    call = derivatives(form_of(game), "ally", "marginal", ("value",))
    with np.errstate(all="ignore"):
        bare, full = (
            call({**there, "bite": bite * np.ones_like(demands)})[0] for bite in (0.0, 0.5)
        )
        threat = -bare / ((full - bare) / 0.5 * game.by_member("credibility")[member])
    return np.where((threat > 0) & (threat <= 1), threat, np.nan)
