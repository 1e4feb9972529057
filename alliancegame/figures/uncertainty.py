"""What priors mean for a plan: probabilities of outcomes, the leader's gain, and every member's."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.figures.inputs import drawn_from
from alliancegame.figures.regime_map import FILLS
from alliancegame.figures.style import (
    BLACK,
    BLUE,
    DOUBLE,
    FAINT,
    GREY,
    INK,
    SMALL,
    canvas,
    credit,
    dress,
    plain,
    signed,
)
from alliancegame.study.maps import NO_ANSWER
from alliancegame.study.outcomes import OUTCOMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from alliancegame.study.uncertainty import Uncertainty

MOST_MEMBERS = 45
"""In larger alliances the members with most GDP are shown, and the figure says so."""

BINS = 40


@drawn_from("Uncertainty", "ag.uncertainty(game, plan)")
def uncertainty(found: Uncertainty) -> Figure:
    """(a) How probable each outcome is, (b) the leader's gain, (c) the gain of every member.

    Error bars on (a) are 1.96 standard errors. (b) is a histogram in which each outcome has its
    colour. On (c) dots are medians, thick lines hold the middle half of the draws, thin ones nine
    tenths; gains are in per cent of each member's GDP.

    Raises `InvalidValueError` if no draw has an answer.
    """
    if found.failed == found.n:
        raise InvalidValueError("no draw has an answer: there is nothing to draw.")
    shown = _shown(found)
    height = max(3.4, 0.75 + 0.118 * len(shown))
    figure, panels = canvas(
        DOUBLE, height, 2, 2, gridspec_kw={"height_ratios": (2, 3), "width_ratios": (1.0, 1.0)}
    )
    grid = panels[0, 0].get_gridspec()
    for panel in panels[:, 1]:
        panel.remove()
    _probabilities(panels[0, 0], found)
    _histogram(panels[1, 0], found)
    _members(figure.add_subplot(grid[:, 1]), found, shown)
    drawn = "; ".join(f"{key} {words}" for key, words in found.priors.items())
    weights = f"; {found.recalibrated} calibrated anew for every draw" if found.recalibrated else ""
    text = f"{found.plan.describe()}; {found.n} draws ({found.method}): {drawn}{weights}"
    credit(figure, textwrap.fill(plain(text), 150))
    return figure


def _shown(found: Uncertainty) -> list[int]:
    """Positions of the members shown: by median gain in shares of GDP, the largest at the top."""
    gdp = found.game.by_member("gdp")
    members = np.argsort(-gdp, kind="stable")[:MOST_MEMBERS]
    middle = found.gain_quantiles[len(found.levels) // 2] / gdp
    ordered: list[int] = members[np.argsort(-middle[members], kind="stable")].tolist()
    return ordered


def _probabilities(axes: Axes, found: Uncertainty) -> None:
    table = found.table
    rows = np.arange(len(table), dtype=float)[::-1]
    chances = 100 * table["probability"].to_numpy()
    errors = 196 * table["standard_error"].to_numpy()
    for row, name, chance in zip(rows, table.index, chances, strict=True):
        color, hatch = FILLS[name]
        axes.barh(
            row, chance, 0.66, color=color, hatch=hatch, edgecolor=GREY if name == NO_ANSWER else "white",
            linewidth=0,
        )  # fmt: skip
    axes.errorbar(
        chances,
        rows,
        xerr=errors,
        fmt="none",
        ecolor=BLACK,
        elinewidth=0.8,
        capsize=2,
        capthick=0.8,
    )
    for row, chance, error in zip(rows, chances, errors, strict=True):
        axes.annotate(
            f"{chance:.1f} ± {error:.1f}", (chance + error, row), xytext=(4, 0),
            textcoords="offset points", fontsize=SMALL, color=INK, va="center",
        )  # fmt: skip
    dress(axes, "probability (%, ± 1.96 standard errors)", title="a  outcome")
    axes.set_yticks(rows, list(table.index))
    axes.tick_params(axis="y", length=0)
    axes.set(xlim=(0, max(float(chances.max()) * 1.35, 1.0)), ylim=(-0.6, len(table) - 0.4))


def _histogram(axes: Axes, found: Uncertainty) -> None:
    known = np.isfinite(found.gains_usd_bn)
    gains, codes = found.gains_usd_bn[known], found.codes[known]
    met = [code for code in range(len(OUTCOMES)) if (codes == code).any()]
    edges = np.histogram_bin_edges(gains, BINS)
    if len(gains) and edges[0] < 0 < edges[-1]:
        edges = edges - edges[np.argmin(np.abs(edges))]
        edges = np.append(edges, edges[-1] + np.diff(edges)[-1])
        edges = np.append(edges[0] - np.diff(edges)[0], edges)
    weight = 100 / found.n
    axes.hist(
        [gains[codes == code] for code in met], edges.tolist(), stacked=True,
        weights=[np.full(int((codes == code).sum()), weight) for code in met],
        color=[FILLS[OUTCOMES[code]][0] for code in met], edgecolor="white", linewidth=0.3,
    )  # fmt: skip
    leader = found.game.leader
    lead = found.game.members.leader_index
    low, middle, high = (
        float(found.gain_quantiles[i, lead]) for i in (0, len(found.levels) // 2, -1)
    )
    top = axes.get_ylim()[1]
    axes.plot([0, 0], [0, top], color=BLACK, linewidth=0.8)
    axes.plot([low, high], [1.06 * top] * 2, color=INK, linewidth=1.0, clip_on=False)
    axes.plot(middle, 1.06 * top, "o", color=INK, markersize=4, clip_on=False)
    axes.set_ylim(0, 1.28 * top)
    axes.text(
        0.5, 0.99, f"median {signed(middle)}; 90 % within {signed(low)} to {signed(high)}",
        transform=axes.transAxes, ha="center", va="top", fontsize=SMALL, color=INK,
    )  # fmt: skip
    dress(
        axes, f"gain of {leader} over A (bn US$ a year)", "share of draws (%)",
        f"b  what {leader} gains",
    )  # fmt: skip


def _members(axes: Axes, found: Uncertainty, shown: list[int]) -> None:
    gdp = found.game.by_member("gdp")
    share = 100 * (found.gain_quantiles / gdp)[:, shown]
    rows = np.arange(len(shown), dtype=float)[::-1]
    axes.axvline(0, color=FAINT, linewidth=0.8, zorder=0)
    axes.hlines(rows, share[0], share[-1], color=BLUE, linewidth=0.8)
    axes.hlines(rows, share[1], share[-2], color=BLUE, linewidth=2.2)
    axes.plot(share[len(found.levels) // 2], rows, "o", color=BLACK, markersize=2.6, zorder=3)
    left_out = found.game.size - len(shown)
    note = f" ({left_out} smaller members not shown)" if left_out else ""
    dress(
        axes, "gain over A (% of own GDP)", title=f"c  by member: median, middle half, 90 %{note}"
    )
    names = [plain(found.game.members[i]) for i in shown]
    axes.set_yticks(rows, names)
    axes.tick_params(axis="y", length=0, labelsize=SMALL - 0.5)
    axes.grid(axis="y", color=FAINT, linewidth=0.3)
    axes.set_axisbelow(True)
    axes.set_ylim(-0.8, len(shown) - 0.2)
