"""Which parameters matter: first and total Sobol indices with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alliancegame.figures.inputs import drawn_from
from alliancegame.figures.style import (
    BLUE,
    DOUBLE,
    FAINT,
    GREY,
    SMALL,
    VERMILLION,
    canvas,
    dress,
    plain,
)
from alliancegame.study.evaluate import quantity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alliancegame.study.sensitivity import Sensitivity


@drawn_from("Sensitivity", "ag.global_sensitivity(game, ranges)")
def sensitivity(found: Sensitivity) -> Figure:
    """Two marks for each parameter, the most important on top: its own share, and with interactions.

    Lines are confidence intervals. What lies between the marks of a parameter it owes to others.
    """
    order = np.argsort(-found.total, kind="stable")
    rows = np.arange(len(order), dtype=float)[::-1]
    figure, axes = canvas(DOUBLE, 1.15 + 0.3 * len(order))
    for values, errors, color, shape, fill, words, shift in (
        (found.first, found.first_error, BLUE, "s", BLUE, "first: by itself", 0.13),
        (
            found.total,
            found.total_error,
            VERMILLION,
            "o",
            "white",
            "total: with interactions",
            -0.13,
        ),
    ):
        axes.errorbar(
            values[order], rows + shift, xerr=errors[order], fmt=shape, color=color, markersize=4.5,
            markerfacecolor=fill, elinewidth=0.9, capsize=2, label=words,
        )  # fmt: skip
    said = f"share of the variance of {found.output} ({100 * found.level:.3g} % intervals)"
    dress(axes, said)
    names = []
    for j in order:
        facts = quantity(found.game, found.plan, found.keys[j])
        symbol = f"  ${facts.symbol}$" if facts.symbol else ""
        names.append(f"{plain(found.keys[j])}{symbol}")
    axes.set_yticks(rows, names)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=GREY, linewidth=0.6, zorder=0)
    for height in (rows[:-1] + rows[1:]) / 2:
        axes.axhline(height, color=FAINT, linewidth=0.5, zorder=0)
    top = float(max((found.total + found.total_error).max(), 1.0))
    low = float(min((found.first - found.first_error).min(), 0.0))
    axes.set(xlim=(low - 0.02, top + 0.02), ylim=(-0.6, len(order) - 0.4))
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside upper left", ncols=2, fontsize=SMALL,
        frameon=False, handletextpad=0.4,
    )  # fmt: skip
    return figure
