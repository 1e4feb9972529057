"""Where a plan's gain or loss for the leader comes from: own burden, allies, trust."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.figures.style import (
    BLACK,
    BLUE,
    DOUBLE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    SMALL,
    VERMILLION,
    canvas,
    dress,
    plain,
    signed,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alliancegame.study.channels import Channels

LOOKS = (
    ("own burden", "the leader's own burden", GREEN, "//"),
    ("compliance", "allies that spend more", BLUE, ""),
    ("hedging", "allies that spend less", ORANGE, ".."),
    ("trust", "trust lost, at given burdens", VERMILLION, "xx"),
)
"""Channel, words, colour, hatching."""


def channels(found: Mapping[str, Channels]) -> Figure:
    """Bars for the parts of the leader's payoff difference to A by channel, and a dot for their sum.

    `found` maps labels to results of `alliancegame.channels`. The parts add up exactly in payoff;
    they are drawn in bn US$ a year at the worth of a unit of payoff at A.

    Raises `InvalidValueError` for no result.
    """
    if not found:
        raise InvalidValueError("channels needs at least one decomposition.")
    leader = next(iter(found.values())).game.leader
    figure, axes = canvas(DOUBLE, 0.95 + 0.74 * len(found))
    dress(axes, f"difference to A for {leader} (bn US$ a year)")
    rows = np.arange(len(found), dtype=float)[::-1]
    axes.axvline(0, color=INK, linewidth=0.6)
    for k, (name, words, color, hatch) in enumerate(LOOKS):
        values = np.array([c[name] * c.unit_usd_bn for c in found.values()])
        axes.barh(
            rows + 0.19 * (1.5 - k), values, 0.16, color=color, label=words, hatch=hatch,
            edgecolor="white", linewidth=0,
        )  # fmt: skip
    sums = np.array([c.delta_payoff * c.unit_usd_bn for c in found.values()])
    axes.plot(sums, rows, "o", color=BLACK, markersize=4.5, label="sum", zorder=4)
    for value, row in zip(sums, rows, strict=True):
        axes.text(
            1.01, row, signed(value), transform=axes.get_yaxis_transform(), fontsize=SMALL,
            color=INK, va="center",
        )  # fmt: skip
    axes.text(1.01, 1.0, "sum", transform=axes.transAxes, fontsize=SMALL, color=INK, va="bottom")
    axes.set_yticks(rows, [plain(label) for label in found])
    axes.set_ylim(-0.55, rows[0] + 0.55)
    axes.margins(x=0.08)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    for height in (rows[:-1] + rows[1:]) / 2:
        axes.axhline(height, color=FAINT, linewidth=0.5)
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside upper left", ncols=5, fontsize=SMALL,
        frameon=False, handletextpad=0.4, columnspacing=1.2,
    )  # fmt: skip
    return figure
