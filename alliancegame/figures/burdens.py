"""Who pays how much: burdens by ally, without pressure and under plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.figures.inputs import drawn_from_each
from alliancegame.figures.style import (
    DOUBLE,
    FAINT,
    GREY,
    INK,
    SMALL,
    canvas,
    dress,
    mark,
    plain,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from alliancegame.solve.result import Equilibrium
    from alliancegame.study.compare import Comparison

MOST_MEMBERS = 60
"""In larger alliances the allies with most GDP are shown, and the figure says so."""


STEP = 0.26
"""Distance of markers that would otherwise hide one another, in rows."""


@drawn_from_each("Comparison", "ag.compare(game, plan)")
def burdens(
    comparisons: Mapping[str, Comparison], *, places: Mapping[str, int] | None = None
) -> Figure:
    """A dot for A and for each plan on one line by ally, the leader on top; demands are dashed.

    `comparisons` maps labels to comparisons with the same A. Allies are sorted by their burden at
    A. `places` says which mark (see `style.mark`) each plan has elsewhere, 1 for the first plan.

    Raises `InvalidValueError` for no comparison, or if they have different baselines.
    """
    if not comparisons:
        raise InvalidValueError("burdens needs at least one comparison.")
    first = next(iter(comparisons.values()))
    base = first.baseline
    for label, other in comparisons.items():
        if not np.array_equal(other.baseline.burdens, base.burdens):
            raise InvalidValueError(
                f"comparison {label!r} has another baseline than the first one."
            )
    rows = _rows(base)
    names = base.game.provenance.get("names", {})
    members = [base.game.members[i] for i in rows]
    figure, axes = canvas(DOUBLE, 1.15 + 0.152 * len(rows))
    dress(axes, "defence spending (% of GDP)")
    heights = np.arange(len(rows), dtype=float)[::-1]
    heights[0] += 0.5
    results = {label: c.result for label, c in comparisons.items()}
    _dots(axes, rows, heights, {"A": base, **results}, places or {})
    _demands(axes, comparisons, rows, heights)
    axes.set_yticks(heights, [plain(names.get(m, m)) for m in members])
    axes.set_ylim(-0.8, heights[0] + 0.8)
    axes.set_xlim(left=0)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color=FAINT, linewidth=0.4)
    axes.set_axisbelow(True)
    left_out = base.game.size - len(rows)
    note = f"; {left_out} smaller allies not shown" if left_out else ""
    axes.set_title(
        f"leader on top, allies by their burden without pressure{note}", fontsize=SMALL, color=GREY,
        loc="left", pad=4,
    )  # fmt: skip
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside upper left", ncols=5, fontsize=SMALL,
        frameon=False, handletextpad=0.3, columnspacing=1.4,
    )  # fmt: skip
    return figure


def _rows(base: Equilibrium) -> NDArray[np.intp]:
    """Positions of the members shown: the leader, then allies by their burden at A."""
    game = base.game
    lead = game.members.leader_index
    allies = np.array([i for i in range(game.size) if i != lead])
    if len(allies) > MOST_MEMBERS:
        largest = np.argsort(-game.by_member("gdp")[allies], kind="stable")[:MOST_MEMBERS]
        allies = allies[np.sort(largest)]
    ordered = allies[np.argsort(-base.burdens[allies], kind="stable")]
    return np.concatenate([[lead], ordered])


def _dots(
    axes: Axes,
    rows: NDArray[np.intp],
    heights: NDArray[np.float64],
    results: Mapping[str, Equilibrium],
    places: Mapping[str, int],
) -> None:
    table = 100 * np.array([result.burdens[rows] for result in results.values()])
    axes.hlines(heights, table.min(axis=0), table.max(axis=0), color=GREY, linewidth=0.8, zorder=1)
    aside = _aside(table)
    for i, (label, values) in enumerate(zip(results, table, strict=True)):
        look = mark(places.get(label, i))
        axes.plot(
            values, heights + aside[i], look.shape, color=look.color, markersize=4, label=plain(label),
            zorder=3,            markerfacecolor="white" if i == 0 else look.color, markeredgewidth=0.9,
        )  # fmt: skip


def _aside(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far markers that would hide one another are moved up or down; same shape as `table`."""
    near = 0.012 * float(table.max(initial=1.0))
    moved = np.zeros_like(table)
    for column in range(table.shape[1]):
        order = np.argsort(table[:, column], kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(table[order, column]) > near) + 1)
        for group in groups:
            moved[np.sort(group), column] = STEP * ((len(group) - 1) / 2 - np.arange(len(group)))
    return moved


def _demands(
    axes: Axes,
    comparisons: Mapping[str, Comparison],
    rows: NDArray[np.intp],
    heights: NDArray[np.float64],
) -> None:
    """One dashed line for a common demand, a tick by ally otherwise; only of plans with pressure."""
    seen = set()
    for comparison in comparisons.values():
        plan, game = comparison.plan, comparison.game
        if not plan.pressure:
            continue
        demand = 100 * plan.demand_by_member(game.members)[rows][1:]
        if tuple(demand) in seen:
            continue
        seen.add(tuple(demand))
        if np.ptp(demand) > 0:
            axes.plot(demand, heights[1:], "|", color=INK, markersize=6, label="demand", zorder=2)
            continue
        axes.plot(
            [demand[0]] * 2, [-0.8, heights[1] + 0.45], color=INK, linewidth=0.8, linestyle=(0, (4, 3)),
            label=f"demand, {demand[0]:.3g} %", zorder=0,
        )  # fmt: skip
