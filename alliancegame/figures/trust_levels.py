"""Pictures of long-run levels of trust: under threats kept for ever, and under the optimal policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.figures.inputs import drawn_from
from alliancegame.figures.style import (
    BLUE,
    DOUBLE,
    FAINT,
    GREEN,
    GREY,
    ORANGE,
    SINGLE,
    SMALL,
    VERMILLION,
    canvas,
    dress,
    mark,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from alliancegame.study.long_run import LongRun


@drawn_from("LongRun", "ag.long_run_trust(game)")
def long_run(found: LongRun, *, height: float = 2.9) -> Figure:
    """Next year's trust against this one's under the optimal policy, and the threat that it takes.

    Dots are long-run levels, rings thresholds: above one trust returns, below it is lost. Lines break
    where the policy jumps.
    """
    figure, (left, right) = canvas(DOUBLE, height, 1, 2)
    dress(left, "trust in this period (1: full)", "trust in the next period", "a  where trust goes")
    dress(right, "trust in this period (1: full)", "optimal threat", "b  what the leader does")
    left.plot([0, 1], [0, 1], color=GREY, linewidth=0.7)
    broken = np.flatnonzero(np.abs(np.diff(found.threats)) > 0.1) + 1
    trust = np.insert(found.trust, broken, np.nan)
    left.plot(trust, np.insert(found.ahead, broken, np.nan), color=BLUE, linewidth=1.3)
    right.plot(trust, np.insert(found.threats, broken, np.nan), color=BLUE, linewidth=1.3)
    for at in found.thresholds:
        left.plot(at, at, "o", color=VERMILLION, markerfacecolor="white", markersize=4.5, zorder=5)
        for panel in (left, right):
            panel.axvline(at, color=FAINT, linewidth=0.8, linestyle=":", zorder=0)
    for at in found.levels:
        left.plot(at, at, "o", color=VERMILLION, markersize=4.5, zorder=5)
    left.plot([], [], "o", color=VERMILLION, markersize=4.5, label="long-run level")
    left.plot(
        [], [], "o", color=VERMILLION, markerfacecolor="white", markersize=4.5, label="threshold"
    )
    left.set(xlim=(-0.01, 1.02), ylim=(-0.01, 1.02))
    right.set(xlim=(-0.01, 1.02), ylim=(-0.03, 1.05))
    left.legend(loc="upper left", fontsize=SMALL, frameon=False)
    return figure


@drawn_from("BurdenSharingGame", 'ag.load_model("nato-2024")')
def trust_levels(
    game: Any, threats: tuple[float, ...] = (0.0, 0.2, 0.4), *, height: float = 2.9
) -> Figure:
    """Next period's trust against this one's under threats kept for ever.

    Where a curve meets the diagonal from above trust stays (dots); where it crosses from below there is
    a threshold (rings): above it trust returns, below it trust is lost. The law must have one state.
    """
    from alliancegame.solve.dynamic.control import law_of

    law = law_of(game, None)
    if len(law.states) != 1:
        raise InvalidValueError("trust_levels needs a law with one state.")
    figure, axes = canvas(SINGLE * 1.3, height)
    dress(axes, "trust in this period (1: full)", "trust in the next period", "")
    trust = np.linspace(1e-6, 1, 2001)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.7)
    colors = (BLUE, ORANGE, VERMILLION, GREEN)
    for k, threat in enumerate(threats):
        color = colors[k % len(colors)]
        ahead = law.advance(trust[:, None], np.full(len(trust), float(threat)))[:, 0]
        axes.plot(
            trust,
            ahead,
            color=color,
            linewidth=1.2,
            linestyle=mark(k).dash,
            label=f"threat {threat:g}",
        )
        _cross(axes, trust, ahead, color)
    axes.plot([], [], "o", color=GREY, markersize=4, label="long-run level")
    axes.plot([], [], "o", color=GREY, markerfacecolor="white", markersize=4, label="threshold")
    axes.set(xlim=(-0.01, 1.02), ylim=(-0.01, 1.02))
    axes.legend(loc="upper left", fontsize=SMALL, frameon=False)
    return figure


def _cross(axes: Axes, trust: Any, ahead: Any, color: str) -> None:
    move = np.sign(np.where(np.abs(ahead - trust) < 1e-9, 0.0, ahead - trust))
    for i in np.flatnonzero(move[:-1] * move[1:] < 0):
        face = color if move[i] > 0 else "white"
        at = 0.5 * (trust[i] + trust[i + 1])
        axes.plot(at, at, "o", color=color, markerfacecolor=face, markersize=4.5, zorder=5)
    if move[0] < 0:
        axes.plot(0, 0, "o", color=color, markersize=4.5, zorder=5)
    if move[-1] >= 0 and ahead[-1] >= 1 - 1e-12:
        axes.plot(1, 1, "o", color=color, markersize=4.5, zorder=5)
