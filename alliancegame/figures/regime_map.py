"""Where pressure pays: regions of outcomes over two parameters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from alliancegame.figures.inputs import drawn_from
from alliancegame.figures.style import (
    BLACK,
    DOUBLE,
    GREY,
    INK,
    NORMAL,
    SMALL,
    Box,
    canvas,
    dress,
    place_labels,
    plain,
    settle,
    signed,
    wrapped,
)
from alliancegame.study.maps import GAINS, LEAST_SHARE, LOSSES, NO_ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from alliancegame.game.parameters import Array
    from alliancegame.study.evaluate import Quantity
    from alliancegame.study.maps import RegimeMap

HEIGHT, LEGEND = 4.1, 1.7
"""Of the figure, and about the width of the legend beside the map, inches."""

FILLS = {
    "success": ("#9CCBE6", ""),
    "windfall": ("#A8DCCB", "///"),
    "break-even": ("#FAF3A8", "..."),
    "status quo": ("#FFFFFF", ""),
    "futile": ("#F6D58E", "\\\\\\"),
    "backfire": ("#F0A987", ""),
    NO_ANSWER: ("#E3E3E3", "xxx"),
}
"""Colour and hatching of each outcome: tints that the names can be read on."""


@drawn_from("RegimeMap", "ag.regime_map(game, x, y)")
def regime_map(found: RegimeMap) -> Figure:
    """The regions in their colours, their names and shares, and the leader's gain as thin contours.

    Black lines are where a gain turns into a loss; thin ones part outcomes of the same sign. A
    diamond marks the game's own values, if they stand in the rectangle.
    """
    figure, axes = canvas(DOUBLE, HEIGHT)
    dress(axes)
    for quantity, axis, name in zip(found.quantities, (axes.xaxis, axes.yaxis), "xy", strict=True):
        _label(axes, quantity, axis, name)
    axes.set(xlim=found.x_values[[0, -1]], ylim=found.y_values[[0, -1]])
    for outcome, rings in found.regions.items():
        _fill(axes, outcome, rings)
    for line in found.lines:
        turns = any(name in GAINS for name in line.between) and any(
            name in LOSSES for name in line.between
        )
        axes.plot(
            *line.points.T, color=BLACK if turns else GREY, linewidth=1.5 if turns else 0.7, zorder=3,
            solid_capstyle="round",
        )  # fmt: skip
    axes.set_title(found.fixed(), fontsize=SMALL, color=GREY, loc="left", pad=4)
    _legend(figure, found, _contours(axes, found))
    settle(figure)
    kept = _names(axes, found)
    _own(axes, found, kept)
    return figure


def _label(axes: Axes, quantity: Quantity, axis: Any, name: str) -> None:
    put = axes.set_xlabel if name == "x" else axes.set_ylabel
    room = int(20 * (DOUBLE - LEGEND - 0.7 if name == "x" else HEIGHT - 0.6))
    put(wrapped(quantity.label(), room), fontsize=NORMAL, color=INK)
    if quantity.unit == "share of GDP":
        axis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")


def _fill(axes: Axes, outcome: str, rings: Iterable[Array]) -> None:
    """One path for all rings, so that holes stay empty and no seams show."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    corners, codes = [], []
    for ring in rings:
        corners += [*ring, ring[0]]
        codes += [Path.MOVETO, *[Path.LINETO] * (len(ring) - 1), Path.CLOSEPOLY]
    color, hatch = FILLS[outcome]
    axes.add_patch(
        PathPatch(
            Path(np.array(corners), codes), facecolor=color, hatch=hatch, linewidth=0,
            edgecolor="white" if outcome != NO_ANSWER else GREY, zorder=1,
        )
    )  # fmt: skip


def _legend(figure: Figure, found: RegimeMap, contours: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Patch(
            facecolor=FILLS[name][0], hatch=FILLS[name][1],
            edgecolor="white" if name != NO_ANSWER else GREY, linewidth=0,
            label=f"{name} {100 * share:.3g} %",
        )
        for name, share in found.shares.items()
        if share >= LEAST_SHARE
    ]  # fmt: skip
    if found.break_even:
        handles.append(Line2D([], [], color=BLACK, linewidth=1.5, label="gain turns into loss"))
    if contours:
        words = f"gain of {found.game.leader},\nbn US$ a year"
        handles.append(Line2D([], [], color=GREY, linewidth=0.5, label=plain(words)))
    figure.legend(
        handles=handles, loc="outside right upper", fontsize=SMALL, frameon=False,
        labelcolor=INK, handlelength=1.6, labelspacing=0.7,
    )  # fmt: skip


def _contours(axes: Axes, found: RegimeMap) -> bool:
    """Lines of equal gain, with their bn US$, if there are; the line of no gain is the black one."""
    from matplotlib.ticker import MaxNLocator

    gains = np.ma.masked_invalid(found.gains_usd_bn)
    if gains.count() < gains.size / 2 or np.ptp(gains) <= 0:
        return False
    levels = [v for v in MaxNLocator(8).tick_values(gains.min(), gains.max()) if v != 0]
    lines = axes.contour(
        found.x_values, found.y_values, gains, levels, colors=GREY, linewidths=0.5, linestyles="solid",
        zorder=2,
    )  # fmt: skip
    axes.clabel(lines, fmt=signed, fontsize=SMALL - 0.5, colors=INK, inline_spacing=2)
    return True


def _names(axes: Axes, found: RegimeMap) -> list[Box]:
    """Each outcome's name where its region has most room for it; the boxes, in shares of the axes."""
    from scipy.ndimage import distance_transform_edt

    rows, columns = found.codes.shape
    taken = []
    for outcome, share in found.shares.items():
        if share < LEAST_SHARE:
            continue
        half = np.array([0.03, 0.009 * len(outcome)])
        step = 1 / np.array([rows - 1, columns - 1])
        here = np.pad(found.outcomes == outcome, 1)
        room = distance_transform_edt(here, sampling=tuple(step / half))[1:-1, 1:-1]
        if room.max() < 1:
            continue
        spot = np.array(np.unravel_index(int(np.argmax(room)), room.shape)) * step
        y, x = np.clip(spot, half, 1 - half)
        axes.text(
            x, y, outcome, transform=axes.transAxes, ha="center", va="center", fontsize=NORMAL + 1,
            color=INK, fontweight="bold", zorder=6,
            bbox={"facecolor": FILLS[outcome][0], "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip
        taken.append((x - half[1], y - half[0], x + half[1], y + half[0]))
    return taken


def _own(axes: Axes, found: RegimeMap, kept: list[Box]) -> None:
    """The game's own values."""
    (x, y), (low, high) = found.own, (found.x_values, found.y_values)
    if not (math.isfinite(x) and math.isfinite(y)):
        return
    if not (low[0] <= x <= low[-1] and high[0] <= y <= high[-1]):
        return
    axes.plot(
        x, y, "D", color=BLACK, markerfacecolor="white", markersize=5, markeredgewidth=1.1, zorder=7,
        clip_on=False,
    )  # fmt: skip
    name = str(found.game.provenance.get("model", "the game"))
    samples = [_dense(line) for line in found.break_even]
    avoid = np.concatenate(samples) if samples else None
    (label,) = place_labels(axes, np.array([[x, y]]), [name], avoid=avoid, kept_free=kept)
    label.set(zorder=7, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.8})


def _dense(line: Array) -> Array:
    """Points along a line, close enough for a label to keep clear of it."""
    steps = np.linspace(0, len(line) - 1, 20 * len(line))
    places = np.arange(len(line))
    return np.column_stack([np.interp(steps, places, column) for column in line.T])
