"""Isoquants on the plane of compensated savings and influence, and the path of growing pressure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from alliancegame.errors import InvalidValueError, unknown_name
from alliancegame.figures.inputs import drawn_from_each
from alliancegame.figures.parts import CORNERS, draw_plane, name_sides, tint_better, window
from alliancegame.figures.style import DOUBLE, SINGLE, canvas, credit, dress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alliancegame.game.parameters import Array
    from alliancegame.solve.result import Equilibrium


@drawn_from_each("Equilibrium", "ag.solve_nash(game)")
def isoquants(
    points: Mapping[str, Equilibrium],
    curves: Mapping[str, Array],
    *,
    path: Sequence[Equilibrium] = (),
    span: float = 0.02,
    source: str = "",
    height: float = 3.3,
) -> Figure:
    """Points on the plane of (csᶜ, I) with the isoquants through them, A first.

    `curves` holds arrays of shape (samples, 2), csᶜ and influence, under the labels of points.
    `path` is a row of equilibria under growing pressure, drawn as a line. With several points a
    second panel shows how far each is from A's isoquant, at its own influence: right is better;
    labels are cut there at a double space. At least `span` of both axes is shown.

    Raises `UnknownNameError` for a label that is no point, `InvalidValueError` without A's isoquant.
    """
    labels = list(points)
    for label in curves:
        if label not in points:
            raise unknown_name("point", label, points)
    if not labels or labels[0] not in curves:
        raise InvalidValueError("isoquants needs a first point and the curve through it.")
    leader = points[labels[0]].game.leader
    spots, way = _spots(list(points.values())), _spots(path)
    first = np.asarray(curves[labels[0]], dtype=float)
    limits = window(spots, span)
    several = len(points) > 1
    figure, panels = canvas(DOUBLE if several else SINGLE, height, 1, 1 + several, squeeze=False)
    if source:
        credit(figure, source)
    influence = f"influence of {leader}, I (share)"
    for panel, (xlabel, title) in zip(
        panels[0],
        (
            (f"compensated savings of {leader}, csᶜ (share)", "a  the plane" if several else ""),
            ("csᶜ beyond A's isoquant (percentage points)", "b  distance from A's isoquant"),
        ),
        strict=False,
    ):
        dress(panel, xlabel, influence, title)
        name_sides(panel)
    tint_better(panels[0, 0], first, limits)
    draw_plane(panels[0, 0], labels, spots, curves, limits, CORNERS, way)
    if several:
        apart, away = _beyond(first, spots), _beyond(first, way)
        across = _reach(np.concatenate([apart, away])[:, 0])
        upright = np.column_stack([np.zeros(2), limits[1]])
        close = np.array([across, limits[1]])
        tint_better(panels[0, 1], upright, close)
        letters = [label.split("  ")[0] for label in labels]
        draw_plane(panels[0, 1], letters, apart, {letters[0]: upright}, close, CORNERS, away)
    return figure


def _spots(equilibria: Sequence[Equilibrium]) -> Array:
    rows = [(e.compensated_savings, e.leader_influence) for e in equilibria]
    return np.array(rows, dtype=float).reshape(-1, 2)


def _reach(gaps: Array) -> tuple[float, float]:
    """Limits that show every gap, A's isoquant, and enough room on either side to name it."""
    spread = max(float(np.ptp(gaps)), 1e-3)
    high = max(float(gaps.max()), 0.0) + 0.6 * spread
    return min(float(gaps.min()) - 0.25 * spread, -0.5 * high), high


def _beyond(curve: Array, spots: Array) -> Array:
    """Savings beyond a curve's at the same influence, in percentage points, and the influence."""
    known = curve[np.isfinite(curve).all(axis=1)]
    known = known[np.argsort(known[:, 1])]
    gap = 100 * (spots[:, 0] - np.interp(spots[:, 1], known[:, 1], known[:, 0]))
    return np.column_stack([gap, spots[:, 1]])
