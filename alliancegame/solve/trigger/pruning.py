"""Compliance sets, branched and pruned by bounds that are proved (`worth`)."""

from __future__ import annotations

import dataclasses

import numpy as np

from alliancegame.solve.trigger.sides import Mask, Sides
from alliancegame.solve.trigger.worth import Nodes, bounded

INDIFFERENT = 1e-7
"""A side that is worse by no more is not excluded: far above what rounding can do to a bound."""

NARROW = 0.001
"""A leader's range of relative width below this is no longer halved: allies are tried instead."""


@dataclasses.dataclass(frozen=True, eq=False)
class Pruned:
    """Compliance sets that were not excluded, (set, n), and whether none is missing."""

    sets: Mask
    finished: bool
    nodes: int
    games: int


def prune(sides: Sides, most_nodes: int, most_sets: int) -> Pruned:
    """Every compliance set that may be an equilibrium.

    All open nodes are treated at once, a level of the tree at a time; after `most_nodes` nodes or
    `most_sets` sets it stops, unfinished. A node is whose side is fixed, whose is open, and a range
    of the leader's burden (a point if the plan names it). That the theorems hold is the caller's to
    check.
    """
    nodes = Nodes.root(sides)
    found: dict[bytes, Mask] = {}
    seen = games = 0
    while len(nodes.low):
        seen += len(nodes.low)
        if seen > most_nodes or len(found) > most_sets:
            return Pruned(_stacked(found, sides), False, seen, games)
        bounds = bounded(sides, nodes)
        games += bounds.games
        may_comply, may_defy = bounds.most >= -INDIFFERENT, bounds.least <= INDIFFERENT
        dead = nodes.tried & np.where(nodes.fixed, ~may_comply, ~may_defy)
        dead |= nodes.open & ~may_comply & ~may_defy
        alive = ~dead.any(axis=1) & (bounds.low <= bounds.high)
        gained = nodes.open & may_comply & ~may_defy
        settled = gained | (nodes.open & ~may_comply)
        wide = nodes.high - nodes.low
        shrunk = (bounds.high - bounds.low < 0.7 * wide) & (wide > NARROW * nodes.high)
        nodes = Nodes(
            nodes.fixed | gained, nodes.open & ~settled, nodes.tried, bounds.low, bounds.high
        )
        moved = settled.any(axis=1) | shrunk
        unsure = nodes.open.any(axis=1)
        for row in nodes.fixed[alive & ~unsure]:
            found.setdefault(row.tobytes(), row)
        split = nodes.take(alive & unsure & ~moved)
        nodes = Nodes.joined(nodes.take(alive & unsure & moved), *_split(sides, split))
    return Pruned(_stacked(found, sides), True, seen, games)


def _stacked(found: dict[bytes, Mask], sides: Sides) -> Mask:
    return np.array(list(found.values()), dtype=bool).reshape(len(found), sides.game.size)


def _split(sides: Sides, nodes: Nodes) -> tuple[Nodes, Nodes]:
    """Each node twice: its leader's range halved if that is wide, else an ally complies or defies.

    The ally is that with the largest demand in money: its side says most about the others.
    """
    wide = nodes.high - nodes.low > NARROW * nodes.high
    scale = sides.game.by_member("effectiveness") * sides.game.by_member("gdp") * sides.demand
    rows = np.flatnonzero(~wide)
    chosen = np.where(nodes.open, scale, -1.0).argmax(axis=1)[rows]
    middle = np.where(wide, 0.5 * (nodes.low + nodes.high), nodes.high)
    rest, first, tried = (np.array(mask) for mask in (nodes.open, nodes.fixed, nodes.tried))
    rest[rows, chosen] = False
    first[rows, chosen] = tried[rows, chosen] = True
    lower = Nodes(first, rest, tried, nodes.low, middle)
    upper = Nodes(nodes.fixed, rest, tried, np.where(wide, middle, nodes.low), nodes.high)
    return lower, upper
