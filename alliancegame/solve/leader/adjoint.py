"""Slopes of the leader's payoff in a plan, allies answering: one linear solve for all of them.

The implicit function theorem in adjoint form, on the same linearised conditions as `sensitivities`
(`solve.derivatives`). Members on their demand or a bound stay there; the leader is among those who
answer if the plan names no burden. Not for triggers, where answers jump.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.payoff.conditions import derivatives
from alliancegame.payoff.form import Form
from alliancegame.solve.derivatives.directions import ON
from alliancegame.solve.derivatives.implicit import Mask, linearise
from alliancegame.solve.derivatives.inputs import PLANNED, Given, moved, seen


@dataclasses.dataclass(frozen=True, eq=False)
class PlanSlopes:
    """Slopes of the leader's payoff: by name in each ally's threat, demand, tariff, (n,); in the burden."""

    by_ally: Mapping[str, Array]
    burden: float


def plan_slopes(
    game: BurdenSharingGame,
    form: Form,
    values: Given,
    x: Array,
    *,
    committed: bool,
    wanted: Sequence[str] = PLANNED,
) -> PlanSlopes:
    """Slopes at a plan, to which x, shape (n,), is the answer; nan where conditions are singular.

    `values` are those of `inputs.given`; `committed` says that the plan names the leader's burden.
    """
    n, lead = game.size, game.members.leader_index
    allies = np.arange(n) != lead
    demand = values["demand"][0]
    below = allies & (x < demand)
    conditions, payoffs = (
        linearise(game, form, values, x, below, of, exponents=False)
        for of in ("marginal", "payoff")
    )
    bunched = allies & (np.abs(x - demand) <= ON) & _pressed(game, values)
    # A demand at the upper bound does not hold who would spend more still.
    bunched &= ~((x >= game.by_member("burden_max") - ON) & (conditions.value > 0))
    free = (x > game.by_member("burden_min") + ON) & (x < game.by_member("burden_max") - ON)
    free &= ~bunched
    free[lead] &= not committed
    own, slopes = payoffs.burdens[lead], conditions.burdens[free]
    unit = np.maximum(np.abs(np.diag(conditions.burdens))[free], 1e-300)
    worth = np.zeros(n)
    try:
        worth[free] = np.linalg.solve((slopes[:, free] / unit[:, None]).T, own[free]) / unit
    except np.linalg.LinAlgError:
        worth[free] = np.nan
    # What it is worth to the leader that somebody who sits moves with what it sits on.
    pushed = np.where(free, 0.0, own - worth[free] @ slopes)
    found = {}
    for name in wanted:
        moves = moved(game, form, values, name, x, below)
        # Who sits has no condition: `worth` is 0 there.
        found[name] = payoffs.along(moves)[:, lead] - conditions.along(moves)[:, free] @ worth[free]
        if name == "demand":
            found[name] += np.where(bunched, pushed, 0.0)
        found[name][lead] = 0.0
    return PlanSlopes(found, float(pushed[lead]))


def _pressed(game: BurdenSharingGame, values: Given) -> Mask:
    """Allies whose payoff has a kink at the demand, (n,)."""
    if game.shortfall != "proportional":
        return np.full(game.size, False)
    bite = game.by_member("credibility") * values["threat"][0]
    levy = game.by_member("trade_exposure") * values["tariff"][0]
    return np.asarray((bite * game.by_member("security_weight") > 0) | (levy > 0))


def ridges(
    game: BurdenSharingGame,
    form: Form,
    values: Given,
    x: Array,
    member: int,
    demands: Array,
    name: Literal["threat", "tariff"],
) -> Array:
    """Smallest threats or tariffs at which an ally just meets each of `demands`, others held; (demand,).

    Nothing is missing on its demand, so that the marginal payoff below it is linear in either; trust
    is held. nan where none does, where the ally would spend more anyhow, and without a kink.
    """
    n = game.size
    if game.shortfall != "proportional":
        return np.full(len(demands), np.nan)
    below = np.arange(n) == member
    facts = {
        fact: np.broadcast_to(value, (1, n))[0, member]
        for fact, value in seen(game, form, values, x, below).items()
    }
    rho, m = game.substitution, game.decisiveness
    g, now = facts["scale"] * demands, facts["g"]
    there = {
        **facts, "x": demands, "g": g, "demand": demands, "below": np.ones_like(demands),
        "Z": facts["Z"] + g**rho - now**rho, "C": facts["C"] + facts["weight"] * (g**m - now**m),
    }  # fmt: skip
    push, strength = ("bite", "credibility") if name == "threat" else ("levy", "trade_exposure")
    call = derivatives(form, "ally", "marginal", ("value",))
    with np.errstate(all="ignore"):
        bare, full = (call({**there, push: size * np.ones_like(demands)})[0] for size in (0.0, 0.5))
        found = -bare / ((full - bare) / 0.5 * game.by_member(strength)[member])
    most = 1.0 if name == "threat" else np.inf
    return np.where((found > 0) & (found <= most), found, np.nan)
