"""Why the leader gains or loses: commitment, leverage and lost trust, plan by plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.figures.difference_bars import Part, difference_bars
from alliancegame.figures.inputs import drawn_from_each
from alliancegame.figures.style import BLUE, GREEN, VERMILLION
from alliancegame.solve import measures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alliancegame.study.compare import Comparison

PARTS = (
    ("commitment", "committing its own burden", GREEN, "//"),
    ("leverage", "pressure, had trust stayed unharmed", BLUE, ""),
    ("trust_loss", "trust lost", VERMILLION, "xx"),
)
"""Attribute of a comparison, words, colour, hatching."""


def money(comparison: Comparison) -> float:
    """What a unit of the leader's payoff is worth at A, bn US$ a year (to first order)."""
    game = comparison.game
    worth = measures.payoff_worth(game, comparison.baseline.burdens)
    return float(worth[game.members.leader_index])


@drawn_from_each("Comparison", "ag.compare(game, plan)")
def decomposition(comparisons: Mapping[str, Comparison]) -> Figure:
    """Bars for the parts of the leader's payoff difference to A, and a dot for their sum.

    The parts add up exactly in payoff; they are drawn in bn US$ a year at the worth of a unit of
    payoff at A, so that they add up on the page as well.

    Raises `InvalidValueError` for no comparison.
    """
    if not comparisons:
        raise InvalidValueError("decomposition needs at least one comparison.")
    leader = next(iter(comparisons.values())).game.leader
    parts = [
        Part(
            words, color, hatch,
            np.array([getattr(c, name) * money(c) for c in comparisons.values()]),
        )
        for name, words, color, hatch in PARTS
    ]  # fmt: skip
    sums = np.array([c.delta_payoff * money(c) for c in comparisons.values()])
    return difference_bars(leader, list(comparisons), parts, sums)
