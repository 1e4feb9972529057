"""Bars for the parts of differences to A, row by row, with a dot for their sum."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from alliancegame.figures.style import (
    BLACK,
    DOUBLE,
    FAINT,
    INK,
    SMALL,
    canvas,
    dress,
    plain,
    signed,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alliancegame.game.parameters import Array

SPREAD = 0.76
"""The height that the bars of a row take, of the distance between rows."""


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """One part of all rows: words for the legend, colour, hatching and values, shape (rows,)."""

    words: str
    color: str
    hatch: str
    values: Array


def difference_bars(
    leader: str, labels: Sequence[str], parts: Sequence[Part], sums: Array
) -> Figure:
    """Rows of bars, one for each part, in bn US$ a year; sums, shape (rows,), stand at the right edge."""
    count = len(parts)
    figure, axes = canvas(DOUBLE, 0.95 + (0.26 + 0.12 * count) * len(labels))
    dress(axes, f"difference to A for {leader} (bn US$ a year)")
    rows = np.arange(len(labels), dtype=float)[::-1]
    axes.axvline(0, color=INK, linewidth=0.6)
    step = SPREAD / count
    for k, part in enumerate(parts):
        axes.barh(
            rows + step * ((count - 1) / 2 - k), part.values, 0.84 * step, color=part.color,
            label=part.words, hatch=part.hatch, edgecolor="white", linewidth=0,
        )  # fmt: skip
    axes.plot(sums, rows, "o", color=BLACK, markersize=4.5, label="sum", zorder=4)
    # In figures at the right edge, clear of every bar.
    for value, row in zip(sums, rows, strict=True):
        axes.text(
            1.01, row, signed(value), transform=axes.get_yaxis_transform(), fontsize=SMALL,
            color=INK, va="center",
        )  # fmt: skip
    axes.text(1.01, 1.0, "sum", transform=axes.transAxes, fontsize=SMALL, color=INK, va="bottom")
    axes.set_yticks(rows, [plain(label) for label in labels])
    axes.set_ylim(-0.55, rows[0] + 0.55)
    axes.margins(x=0.1)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    for height in (rows[:-1] + rows[1:]) / 2:
        axes.axhline(height, color=FAINT, linewidth=0.5)
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside upper left", ncols=count + 1, fontsize=SMALL,
        frameon=False, handletextpad=0.4, columnspacing=1.2,
    )  # fmt: skip
    return figure
