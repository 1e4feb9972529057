"""The best that every ally can do outside: two concave problems in one burden each, solved exactly.

What others do does not matter to an ally that has left, so each ally has one best way out and one
payoff there, whoever else leaves (docs/theory/model, Leaving).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.outside import OUTSIDE_PARAMETERS
from alliancegame.game.parameters import Array

ALIGNED, AUTONOMOUS, REALIGNED = "aligned", "autonomous", "realigned"
HALVINGS = 120
"""Enough to close any range of burdens to neighbouring numbers."""


@dataclasses.dataclass(frozen=True, eq=False)
class Alone:
    """Best answers of members who face nobody: arrays of shape (n,), all finite or payoff -inf."""

    burdens: Array
    payoffs: Array
    securities: Array


@dataclasses.dataclass(frozen=True, eq=False)
class Outside:
    """Every ally's best way out: its name, and what the ally does, gets and has there.

    Arrays have shape (n,) in member order; the leader cannot leave, and its entries are nan.
    `autonomous` and `realigned` are the payoffs of the two ways; of equals, autonomy is taken.
    """

    choices: tuple[str, ...]
    burdens: Array
    payoffs: Array
    influences: Array
    securities: Array
    autonomous: Array
    realigned: Array


def has_outside(game: BurdenSharingGame) -> bool:
    """Whether any number about leaving was given: a deterrent, an umbrella, a cost, an influence."""
    allies = np.arange(game.size) != game.members.leader_index
    for parameter in OUTSIDE_PARAMETERS:
        values = game.by_member(parameter.name)[allies]
        if np.any(np.isfinite(values) & (values != 0)) or (
            parameter.unset and np.isfinite(values).any()
        ):
            return True
    return False


def outside_influence(game: BurdenSharingGame) -> Array:
    """p_i^out by member: as given, or the influence at A; nan for the leader."""
    from alliancegame.solve.nash import status_quo

    values = np.array(game.by_member("outside_influence"))
    lead = game.members.leader_index
    missing = np.isnan(values)
    missing[lead] = False
    if missing.any():
        values[missing] = status_quo(game).influences[missing]
    values[lead] = np.nan
    return values


def outside_options(game: BurdenSharingGame) -> Outside:
    """Every ally's best way out, found once for each game."""
    found: Outside | None = game.__dict__.get("_outside")
    if found is None:
        found = _outside_options(game)
        object.__setattr__(game, "_outside", found)
    return found


def _outside_options(game: BurdenSharingGame) -> Outside:
    nothing = np.zeros(game.size)
    influence = outside_influence(game)
    bounds = game.by_member("burden_min"), game.by_member("burden_max")
    lone = best_alone(
        game, game.by_member("deterrent"), game.by_member("deterrent_cost"), influence, nothing,
        *bounds,
    )  # fmt: skip
    rival = best_alone(
        game, game.by_member("rival_umbrella"), nothing, influence,
        game.by_member("realignment_cost"), *bounds,
    )  # fmt: skip
    lead = game.members.leader_index
    over = rival.payoffs > lone.payoffs

    def pick(name: str) -> Array:
        values: Array = np.where(over, getattr(rival, name), getattr(lone, name))
        values[lead] = np.nan
        return values

    choices = [REALIGNED if there else AUTONOMOUS for there in over]
    choices[lead] = ALIGNED
    ways = [np.array(way.payoffs) for way in (lone, rival)]
    for way in ways:
        way[lead] = np.nan
    return Outside(
        tuple(choices), pick("burdens"), pick("payoffs"), influence, pick("securities"), *ways
    )


def best_alone(
    game: BurdenSharingGame,
    cover: Array,
    cost: Array,
    influence: Array,
    politics: Array,
    low: Array,
    high: Array,
) -> Alone:
    """Maximise the payoff outside over every member's own burden in [low, high], shape (n,) each.

    The payoff is strictly concave or linear in the burden, so the sign of its slope leads to the
    maximum: intervals are halved until they cannot be.
    """
    given = (
        game.by_member("effectiveness") * game.by_member("gdp"),
        cover,
        cost,
        influence,
        politics,
    )
    left, right = np.array(low), np.array(high)
    if game.consumption == "log":  # Beyond 1 - F nothing is left to consume.
        right = np.maximum(np.minimum(right, 1 - cost), low)
    for _ in range(HALVINGS):
        middle = 0.5 * (left + right)
        rising = _total(game, 1, middle, given) > 0
        left, right = np.where(rising, middle, left), np.where(rising, right, middle)
    ends = np.array([low, left, right, high])
    values = np.array([_total(game, 0, x, given) for x in ends])
    best = np.argmax(np.nan_to_num(values, nan=-np.inf, neginf=-np.inf), axis=0)
    columns = np.arange(game.size)
    burdens, payoffs = ends[best, columns], values[best, columns]
    return Alone(burdens, payoffs, given[0] * burdens + cover)


def _total(game: BurdenSharingGame, order: int, x: Array, given: tuple[Any, ...]) -> Array:
    """The payoff outside (order 0) or its slope (1) at burdens x; a term without weight is absent."""
    from alliancegame.payoff.outside import functions

    weights = {
        "": np.ones(game.size),
        "theta": game.by_member("security_weight"),
        "alpha": game.by_member("influence_weight"),
        "private": game.by_member("private_weight"),
    }
    total = np.zeros(game.size)
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, *calls in functions(game.consumption, game.influence_value):
            weight, value = weights[name], calls[order](x, given[0] * x, *given)
            total = total + np.where(weight > 0, weight * value, 0.0)
        if game.consumption == "log":  # Nothing is left to consume.
            spent = x + given[2] >= 1
            total = np.where(spent, -np.inf, total)
    return total
