"""Pictures of finite games: feasible payoffs, the logit branch, and how play moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alliancegame.figures.inputs import drawn_from
from alliancegame.figures.style import (
    BLACK,
    DOUBLE,
    GREY,
    INK,
    MARKS,
    NORMAL,
    SINGLE,
    TINT,
    canvas,
    dress,
    place_labels,
    plain,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from alliancegame.game.parameters import Array
    from alliancegame.solve.finite.learning import Trajectory
    from alliancegame.solve.finite.quantal import QuantalPath
    from alliancegame.solve.finite.repeated import FeasibleSet

MOST_LABELS = 9


@drawn_from("FeasibleSet", "ag.feasible_set(game)")
def feasible_set(found: FeasibleSet, *, height: float = 3.2) -> Figure:
    """Two players' feasible payoffs, the individually rational part tinted, pure equilibria named."""
    from alliancegame.solve.finite.many import pure_cells

    game = found.game
    figure, axes = canvas(SINGLE, height)
    dress(axes, f"payoff of {game.players[0]}", f"payoff of {game.players[1]}")
    outline = np.vstack([found.corners, found.corners[:1]])
    if len(found.rational) > 2:
        axes.fill(*found.rational.T, color=TINT, linewidth=0, zorder=0)
    axes.plot(*outline.T, color=GREY, linewidth=0.9, zorder=1)
    for value, line in zip(found.minmax, (axes.axvline, axes.axhline), strict=True):
        line(value, color=GREY, linewidth=0.6, linestyle=(0, (2, 2)), zorder=1)
    cells = list(np.ndindex(game.shape))
    points = np.array([[float(a[c]) for a in game.payoffs] for c in cells])
    stable = set(pure_cells(game))
    for cell, point in zip(cells, points, strict=True):
        fill = BLACK if cell in stable else "white"
        axes.plot(
            *point, "o", markersize=4, markerfacecolor=fill, markeredgecolor=INK, markeredgewidth=0.7,
            zorder=5,
        )  # fmt: skip
    axes.margins(0.2)
    few = len(cells) <= MOST_LABELS
    named = [k for k, c in enumerate(cells) if few or c in stable][: 2 * MOST_LABELS]
    texts = [", ".join(s[k] for s, k in zip(game.strategies, cells[c], strict=True)) for c in named]
    place_labels(axes, points[named], texts, avoid=_dense(outline))
    return figure


@drawn_from("QuantalPath", "ag.quantal_response(game)")
def quantal(path: QuantalPath, *, height: float = 2.6) -> Figure:
    """Choice probabilities along the logit branch against precision, a panel for each player."""
    game = path.game
    figure, axes = canvas(DOUBLE, height, 1, game.size, squeeze=False, sharey=True)
    ends = np.cumsum(game.shape)
    for i, panel in enumerate(axes[0]):
        shares = path.probabilities[:, ends[i] - game.shape[i] : ends[i]]
        dress(panel, "precision (1 / payoff)", "probability" if i == 0 else "", game.players[i])
        _lines(panel, path.precisions, shares, game.strategies[i])
    return figure


@drawn_from("Trajectory", "ag.replicator(game, start)")
def learning(path: Trajectory, *, height: float = 2.6) -> Figure:
    """Shares of strategies over time, a panel for each population; rounds on a logarithmic axis."""
    game, count = path.game, len(path.shares)
    figure, axes = canvas(
        DOUBLE if count > 1 else SINGLE, height, 1, count, squeeze=False, sharey=True
    )
    rounds = path.process == "fictitious play"
    for i, panel in enumerate(axes[0]):
        title = game.players[i] if count > 1 else f"{' and '.join(game.players)}, one population"
        label = "share of past play" if rounds else "share"
        dress(panel, "round" if rounds else "time", label if i == 0 else "", title)
        if rounds:
            panel.set_xscale("log")
        _lines(panel, path.times, path.shares[i], game.strategies[i])
    return figure


def _lines(axes: Axes, x: Array, shares: Array, labels: tuple[str, ...]) -> None:
    for k, label in enumerate(labels):
        look = MARKS[k % len(MARKS)]
        axes.plot(
            x,
            shares[:, k],
            color=look.color,
            linestyle=look.dash,
            linewidth=1.1,
            label=plain(label),
        )
    axes.set_ylim(-0.03, 1.03)
    columns = min(len(labels), 3)
    axes.legend(
        fontsize=NORMAL - 0.5, frameon=False, labelcolor=INK, loc="upper center", ncols=columns,
        bbox_to_anchor=(0.5, -0.28), handlelength=2.2, columnspacing=1.2,
    )  # fmt: skip


def _dense(line: Array) -> Array:
    """Points close together along a closed line."""
    steps = np.linspace(0, len(line) - 1, 60 * len(line))
    places = np.arange(len(line))
    return np.column_stack([np.interp(steps, places, column) for column in line.T])
