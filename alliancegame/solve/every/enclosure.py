"""Where a simultaneous equilibrium can be at all: ranges of the leader's burden that are not excluded.

Under the conditions on followers, without pressure, the allied total over a range of the leader's
burden is bounded by two games, and with it the leader's best burden (`trigger.worth`, 1 and 2). A range
that holds no best burden against such totals holds no equilibrium; the others are cut to what is left
of them and halved. What remains are small ranges around the equilibria.
"""

from __future__ import annotations

import numpy as np

from alliancegame.game.checks import further_forms
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, certificate
from alliancegame.solve.trigger.sides import Mask, Sides
from alliancegame.solve.trigger.worth import Nodes, bounded

WIDTH = 1e-5
"""Ranges narrower than this, relative to their upper end, are no longer halved."""
NEAR = 1e-3
TINY = 1e-9
MOST_CELLS = 3000


def applies(game: BurdenSharingGame, plan: Plan) -> bool:
    """Whether the bounds are proved for this game and plan."""
    valued = game.by_member("influence_weight").any()
    fine = not (certificate.missing_conditions(game) + further_forms(game, plan))
    fine = fine and aggregative.tables(game).concave and not plan.pressure
    fine = fine and (game.influence_value == "log" or not valued)
    return bool(fine and plan.burden is None and not certificate.degenerate(game).any())


def leader_ranges(game: BurdenSharingGame, plan: Plan) -> Array | None:
    """Ranges (range, 2) of the leader's burden outside which no equilibrium lies.

    They are in order, and one where they are nearer to each other than `NEAR`. None if too many are
    met on the way.
    """
    sides = Sides.of(game, plan)
    nodes = Nodes.root(sides)
    kept: list[Array] = []
    cells = 0
    while len(nodes.low):
        cells += len(nodes.low)
        if cells > MOST_CELLS:
            return None
        bounds = bounded(sides, nodes)
        low, high = bounds.low, bounds.high
        alive = low <= high
        wide = nodes.high - nodes.low
        small = alive & (high - low <= np.maximum(WIDTH * high, TINY))
        kept.append(np.stack([low, high], axis=1)[small])
        shrunk = alive & ~small & (high - low < 0.7 * wide)
        split = alive & ~small & ~shrunk
        middle = 0.5 * (low + high)
        again = (
            _at(nodes, shrunk, low, high),
            _at(nodes, split, low, middle),
            _at(nodes, split, middle, high),
        )
        nodes = Nodes.joined(*again)
    return _joined(np.concatenate(kept))


def _at(nodes: Nodes, chosen: Mask, low: Array, high: Array) -> Nodes:
    some = nodes.take(chosen)
    return Nodes(some.fixed, some.open, some.tried, low[chosen], high[chosen])


def _joined(ranges: Array) -> Array:
    """Ranges in order, one where they are near each other."""
    made: list[list[float]] = []
    for low, high in ranges[np.argsort(ranges[:, 0])]:
        if made and low <= made[-1][1] * (1 + NEAR) + TINY:
            made[-1][1] = max(made[-1][1], high)
        else:
            made.append([low, high])
    return np.array(made).reshape(len(made), 2)
