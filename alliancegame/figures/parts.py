"""What the pictures of the leader's plane share: their window, points, lines and the better side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from alliancegame.figures.style import GREY, SMALL, TINT, Box, mark, place_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from alliancegame.game.parameters import Array

MARGIN = 0.45
"""Room around the points, as a share of their spread."""

CORNERS: tuple[Box, ...] = ((0.66, 0.9, 1.0, 1.0), (0.0, 0.0, 0.34, 0.1))
"""Where `name_sides` writes, in fractions of the axes."""


def window(spots: Array, span: float = 0.02) -> Array:
    """Limits around points, shape (2, 2): x and y, low and high; at least `span`, inside [0, 1]."""
    known = spots[np.isfinite(spots).all(axis=1)]
    low, high = known.min(axis=0), known.max(axis=0)
    half = (0.5 + MARGIN) * np.maximum(high - low, span)
    middle = (low + high) / 2
    floor, ceiling = np.minimum(low, 0.0), np.maximum(high, 1.0)
    return np.column_stack([np.maximum(middle - half, floor), np.minimum(middle + half, ceiling)])


def samples(lines: Mapping[str, Array], limits: Array) -> Array:
    """Points along lines inside limits, close enough that no label slips in between."""
    dense = [np.empty((0, 2))]
    for line in lines.values():
        known = line[np.isfinite(line).all(axis=1)]
        if not len(known):
            continue
        steps = np.linspace(0, len(known) - 1, 40 * max(len(known), 2))
        places = np.arange(len(known))
        at = np.column_stack([np.interp(steps, places, column) for column in known.T])
        dense.append(at[((at >= limits[:, 0]) & (at <= limits[:, 1])).all(axis=1)])
    return np.concatenate(dense)


def draw_plane(
    axes: Axes,
    labels: Sequence[str],
    spots: Array,
    lines: Mapping[str, Array],
    limits: Array,
    kept_free: Sequence[Box],
    path: Array | None = None,
) -> None:
    """Lines and points in the marks of their labels, every point named, inside limits.

    `spots` has shape (labels, 2); a point that is not finite is left out. `path` is one more line.
    """
    axes.set(xlim=limits[0], ylim=limits[1])
    for label, line in lines.items():
        look = mark(labels.index(label))
        axes.plot(*line.T, color=look.color, linestyle=look.dash, linewidth=1.1)
    avoid = dict(lines)
    if path is not None and len(path):
        axes.plot(*path.T, color=GREY, linewidth=0.8, zorder=1)
        avoid["path"] = path
    shown = [i for i in range(len(labels)) if np.isfinite(spots[i]).all()]
    for i in shown:
        look = mark(i)
        axes.plot(
            *spots[i], look.shape, color=look.color, markersize=5.5, markeredgecolor="white",
            markeredgewidth=0.6, zorder=5,
        )  # fmt: skip
    names = [labels[i] for i in shown]
    place_labels(axes, spots[shown], names, avoid=samples(avoid, limits), kept_free=kept_free)


def tint_better(axes: Axes, line: Array, limits: Array) -> None:
    """Tint the side of A's isoquant on which the leader is better off."""
    seen = line[np.isfinite(line).all(axis=1)]
    beyond = max(float(limits[0, 1]), float(seen[:, 0].max())) + 1
    axes.fill_betweenx(seen[:, 1], seen[:, 0], beyond, color=TINT, linewidth=0, zorder=0)


def name_sides(axes: Axes) -> None:
    """Say in two corners which side of A's isoquant is the better one."""
    for x, y, side, where in ((0.97, 0.95, "right", "better"), (0.03, 0.05, "left", "worse")):
        axes.text(
            x, y, f"{where} than A", transform=axes.transAxes, fontsize=SMALL, color=GREY,
            va="center", ha=side,
        )  # fmt: skip
