"""The plane of savings and influence: frontiers on one panel, isoquants on another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from alliancegame.errors import InvalidValueError, unknown_name
from alliancegame.figures.inputs import drawn_from_each
from alliancegame.figures.parts import CORNERS, draw_plane, name_sides, tint_better, window
from alliancegame.figures.style import (
    DOUBLE,
    FAINT,
    GREY,
    INK,
    SMALL,
    Box,
    canvas,
    dress,
    mark,
    spread,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from alliancegame.game.parameters import Array
    from alliancegame.solve.result import Equilibrium
    from alliancegame.study.frontier import Frontier

MAP: Box = (0.64, 0.62, 1.0, 1.0)
"""Where the map of the whole plane stands, in fractions of the axes."""


@drawn_from_each("Equilibrium", "ag.solve_nash(game)")
def plane(
    points: Mapping[str, Equilibrium],
    frontiers: Mapping[str, Frontier],
    isoquants: Mapping[str, Array],
    *,
    height: float = 3.4,
) -> Figure:
    """Where plans lead on the leader's plane, on two panels that must not be laid on each other.

    `points` maps labels to solved profiles, A first. (a) has savings cs and the frontiers, each
    under the label of the point whose trust it has; (b) has compensated savings cs^c and the
    isoquants, arrays of shape (samples, 2) with cs^c and influence, under the label of the point
    they pass through. On (b), and only there, right of A's isoquant means better off than at A.

    Raises `InvalidValueError` where savings are undefined, `UnknownNameError` for a label that is
    no point.
    """
    for label in (*frontiers, *isoquants):
        if label not in points:
            raise unknown_name("point", label, points)
    cs = np.array([(e.savings, e.leader_influence) for e in points.values()])
    compensated = np.array([(e.compensated_savings, e.leader_influence) for e in points.values()])
    if not np.isfinite(cs).all():
        raise InvalidValueError(
            "the plane needs savings, and they have no meaning for substitution < 0 or no security."
        )
    leader = next(iter(points.values())).game.leader
    figure, (left, right) = canvas(DOUBLE, height, 1, 2)
    influence = f"influence of {leader}, I (share)"
    dress(left, f"savings of {leader}, cs (share of its security)", influence, "a  frontiers")
    dress(right, f"compensated savings of {leader}, csᶜ (share)", influence, "b  isoquants")
    curves = {label: np.column_stack([f.savings, f.influences]) for label, f in frontiers.items()}
    labels = list(points)
    trusts = [float(e.operating_trust[e.game.members.leader_index]) for e in points.values()]
    seen, held = window(cs), window(compensated)
    _whole_plane(left, labels, curves, seen)
    _name_frontiers(left, curves, dict(zip(labels, trusts, strict=True)), seen)
    draw_plane(left, labels, cs, curves, seen, (MAP,))
    first = isoquants.get(labels[0])
    if first is not None and np.isfinite(first).all(axis=1).any():
        tint_better(right, first, held)
        name_sides(right)
    draw_plane(right, labels, compensated, isoquants, held, CORNERS)
    return figure


def _whole_plane(
    axes: Axes, labels: Sequence[str], curves: Mapping[str, Array], limits: Array
) -> None:
    """A small map in the empty corner: the frontiers from end to end, and the window shown."""
    inset = axes.inset_axes((0.7, 0.7, 0.29, 0.29))
    for label, line in curves.items():
        inset.plot(*line.T, color=mark(labels.index(label)).color, linewidth=0.7)
    (x0, x1), (y0, y1) = limits
    inset.plot([x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0], color=GREY, linewidth=0.7)
    inset.set(xlim=(0, 1), ylim=(0, 1), xticks=(0, 1), yticks=(0, 1))
    inset.set_xticklabels(("0", "1"))
    inset.patch.set(facecolor="white", alpha=0.9)
    inset.tick_params(labelsize=SMALL - 0.5, length=1.5, width=0.5, pad=1.5, color=GREY)
    inset.tick_params(labelcolor=GREY)
    for text in (*inset.get_xticklabels(), *inset.get_yticklabels()):
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.4, "alpha": 0.9})
    for spine in inset.spines.values():
        spine.set(linewidth=0.5, color=FAINT)


def _seen(line: Array, limits: Array) -> bool:
    """Whether any of a line is in the panel."""
    inside = (line >= limits[:, 0]) & (line <= limits[:, 1])
    return bool(inside.all(axis=1).any())


def _name_frontiers(
    axes: Axes, curves: Mapping[str, Array], trusts: Mapping[str, float], limits: Array
) -> None:
    """The allies' mean trust beside the end of each frontier, outside the panel."""
    right, (low, high) = float(limits[0, 1]), limits[1]
    ends: dict[str, float] = {}
    for label, line in curves.items():
        order = np.argsort(line[:, 0])
        end = float(np.interp(right, line[order, 0], line[order, 1]))
        text = f"trust {trusts[label]:.2f}"
        if text in ends or not _seen(line, limits):
            continue
        if low <= end <= high:
            ends[text] = end
        else:  # it leaves the panel above or below, before its right end
            ends[f"{text}, {'below' if end < low else 'above'}"] = min(max(end, low), high)
    heights = spread(np.array([*ends.values()]), 0.055 * (high - low), low, high)
    for text, height in zip(ends, heights, strict=True):
        axes.text(
            1.015, height, text, transform=axes.get_yaxis_transform(),
            fontsize=SMALL, color=INK, va="center",
        )  # fmt: skip
