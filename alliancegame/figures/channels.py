"""Where a plan's gain or loss for the leader comes from: own burden, allies, trust."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.figures.difference_bars import Part, difference_bars
from alliancegame.figures.inputs import drawn_from_each
from alliancegame.figures.style import BLUE, GREEN, ORANGE, PURPLE, VERMILLION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alliancegame.study.channels import Channels

LOOKS = (
    ("own burden", "the leader's own burden", GREEN, "//"),
    ("compliance", "allies that spend more", BLUE, ""),
    ("hedging", "allies that spend less", ORANGE, ".."),
    ("trust", "trust lost, at given burdens", VERMILLION, "xx"),
    ("revenue", "revenue of tariffs", PURPLE, "--"),
)
"""Channel, words, colour, hatching."""


@drawn_from_each("Channels", "ag.channels(game, plan)")
def channels(found: Mapping[str, Channels]) -> Figure:
    """Bars for the parts of the leader's payoff difference to A by channel, and a dot for their sum.

    `found` maps labels to results of `alliancegame.channels`. The parts add up exactly in payoff;
    they are drawn in bn US$ a year at the worth of a unit of payoff at A.

    Raises `InvalidValueError` for no result.
    """
    if not found:
        raise InvalidValueError("channels needs at least one decomposition.")
    leader = next(iter(found.values())).game.leader
    parts = [
        Part(words, color, hatch, np.array([_part(c, name) for c in found.values()]))
        for name, words, color, hatch in LOOKS
        if any(name in c.names for c in found.values())
    ]
    sums = np.array([c.delta_payoff * c.unit_usd_bn for c in found.values()])
    return difference_bars(leader, list(found), parts, sums)


def _part(found: Channels, name: str) -> float:
    """A channel's part in bn US$ a year, 0 where the plan has none."""
    return found[name] * found.unit_usd_bn if name in found.names else 0.0
