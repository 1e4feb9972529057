"""The box of uniform plans that a leader searches: the points of each committed dimension."""

from __future__ import annotations

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array

MOST_LOST = 0.99
"""Of an ally's GDP by a committed tariff."""


def most_demand(game: BurdenSharingGame) -> float:
    """The largest uniform demand that every ally could meet."""
    return float(np.delete(game.by_member("burden_max"), game.members.leader_index).min())


def most_tariffs(game: BurdenSharingGame) -> Array:
    """The largest tariff on each ally that is searched: 100 %, or what leaves it something; (n,).

    0 for those without trade exposure, to whom a tariff can only cost trust.
    """
    exposed = np.where(
        np.arange(game.size) == game.members.leader_index, 0.0, game.by_member("trade_exposure")
    )
    if not exposed.any():
        raise InvalidValueError(
            "a tariff is to be committed, but no ally has trade_exposure > 0: it would do nothing."
        )
    most = np.full(game.size, MOST_LOST)
    if game.consumption == "log" and game.shortfall != "proportional":
        most -= game.by_member("burden_max")
    with np.errstate(divide="ignore"):
        found = np.minimum(1.0, np.maximum(most, 0.0) / exposed)
    return np.where(exposed > 0, found, 0.0)


def most_tariff(game: BurdenSharingGame) -> float:
    """The largest uniform tariff that is searched."""
    exposed = np.delete(game.by_member("trade_exposure"), game.members.leader_index) > 0
    return float(np.delete(most_tariffs(game), game.members.leader_index)[exposed].min())


def axis(game: BurdenSharingGame, name: str, points: int) -> Array:
    """The points of one committed dimension, denser at small threats, burdens and demands."""
    share = np.linspace(0.0, 1.0, points)
    if name == "tariff":
        return most_tariff(game) * share**2
    if name == "threat":
        # A small demand is met at a small threat: beyond, threats only cost trust.
        return np.union1d(share, share[1] * 0.5 ** np.arange(1, 8))
    lead = game.members.leader_index
    highs = game.by_member("burden_max")
    if name == "burden":
        low, high = float(game.by_member("burden_min")[lead]), float(highs[lead])
        return low + (high - low) * share**2
    return most_demand(game) * np.linspace(0.02, 1.0, points) ** 2
