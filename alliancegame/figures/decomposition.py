"""Why the leader gains or loses: commitment, leverage and lost trust, plan by plan."""

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
    SMALL,
    VERMILLION,
    canvas,
    dress,
    plain,
    signed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from alliancegame.game.parameters import Array
    from alliancegame.study.compare import Comparison

PARTS = (
    ("commitment", "committing its own burden", GREEN, "//"),
    ("leverage", "pressure, had trust stayed unharmed", BLUE, ""),
    ("trust_loss", "trust lost", VERMILLION, "xx"),
)
"""Attribute of a comparison, words, colour, hatching."""


def money(comparison: Comparison) -> float:
    """What a unit of the leader's payoff is worth at A, bn US$ a year (to first order)."""
    lead = comparison.game.members.leader_index
    gdp = float(comparison.game.by_member("gdp")[lead])
    left = 1 - float(comparison.baseline.burdens[lead])
    return gdp * left if comparison.game.consumption == "log" else gdp


def decomposition(comparisons: Mapping[str, Comparison]) -> Figure:
    """Bars for the parts of the leader's payoff difference to A, and a dot for their sum.

    The parts add up exactly in payoff; they are drawn in bn US$ a year at the worth of a unit of
    payoff at A, so that they add up on the page as well.

    Raises `InvalidValueError` for no comparison.
    """
    if not comparisons:
        raise InvalidValueError("decomposition needs at least one comparison.")
    leader = next(iter(comparisons.values())).game.leader
    figure, axes = canvas(DOUBLE, 0.95 + 0.62 * len(comparisons))
    dress(axes, f"difference to A for {leader} (bn US$ a year)")
    rows = np.arange(len(comparisons), dtype=float)[::-1]
    axes.axvline(0, color=INK, linewidth=0.6)
    for k, (name, words, color, hatch) in enumerate(PARTS):
        values = np.array([getattr(c, name) * money(c) for c in comparisons.values()])
        axes.barh(
            rows + 0.24 * (1 - k), values, 0.2, color=color, label=words, hatch=hatch,
            edgecolor="white", linewidth=0,
        )  # fmt: skip
    sums = np.array([c.delta_payoff * money(c) for c in comparisons.values()])
    axes.plot(sums, rows, "o", color=BLACK, markersize=4.5, label="sum", zorder=4)
    _write_sums(axes, sums, rows)
    axes.set_yticks(rows, [plain(label) for label in comparisons])
    axes.set_ylim(-0.55, rows[0] + 0.55)
    axes.margins(x=0.12)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    for height in (rows[:-1] + rows[1:]) / 2:
        axes.axhline(height, color=FAINT, linewidth=0.5)
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside upper left", ncols=4, fontsize=SMALL,
        frameon=False, handletextpad=0.4, columnspacing=1.2,
    )  # fmt: skip
    return figure


def _write_sums(axes: Axes, sums: Array, rows: Array) -> None:
    """The sum in figures at the right edge, clear of every bar."""
    for value, row in zip(sums, rows, strict=True):
        axes.text(
            1.01, row, signed(value), transform=axes.get_yaxis_transform(), fontsize=SMALL,
            color=INK, va="center",
        )  # fmt: skip
    axes.text(
        1.01, 1.0, "sum", transform=axes.transAxes, fontsize=SMALL, color=INK, va="bottom",
    )  # fmt: skip
