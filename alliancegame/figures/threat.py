"""The leader's gain against the threat, for several decays of trust."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from alliancegame.errors import InvalidValueError, unknown_name
from alliancegame.figures.inputs import drawn_from_each
from alliancegame.figures.style import (
    DOUBLE,
    FAINT,
    GREY,
    INK,
    SMALL,
    Mark,
    canvas,
    dress,
    mark,
    place_labels,
    signed,
    spread,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from alliancegame.study.backfire import Backfire


@drawn_from_each("Backfire", "ag.backfire_threshold(game)")
def threat_curve(
    curves: Mapping[str, Backfire], own: str | None = None, *, height: float = 3.1
) -> Figure:
    """V(threat) - V(0) in bn US$ a year: (a) several decays, (b) one of them near its best threat.

    `curves` maps labels ("κ = 0.4") to solved curves; `own` is the label of the game's own decay
    (the first if None), drawn in black and by itself on (b). Dots mark the best threat, crosses the
    backfire threshold, where the gain has gone.

    Raises `UnknownNameError`, `InvalidValueError` if there is no curve.
    """
    if not curves:
        raise InvalidValueError("threat_curve needs at least one curve.")
    own = next(iter(curves)) if own is None else own
    if own not in curves:
        raise unknown_name("curve", own, curves)
    leader = curves[own].game.leader
    figure, (left, right) = canvas(DOUBLE, height, 1, 2)
    gain = f"gain of {leader} over no threat (bn US$ a year)"
    threat = "threat τ (share of protection withdrawn from an ally that pays nothing)"
    dress(left, threat, gain, "a  compared")
    dress(right, threat, gain, f"b  close up, {own}")
    others = [label for label in curves if label != own]
    looks = {own: mark(0)} | {label: mark(1 + i) for i, label in enumerate(others)}
    for label in [*others, own]:
        _curve(left, curves[label], looks[label])
    _curve(right, curves[own], looks[own])
    for panel in (left, right):
        panel.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
        panel.set_xlim(0, 1)
    _legend(left)
    _name_ends(left, curves)
    _close_up(right, curves[own])
    return figure


def _curve(axes: Axes, curve: Backfire, look: Mark) -> None:
    axes.plot(
        curve.threats, curve.gains_usd_bn, color=look.color, linestyle=look.dash, linewidth=1.2
    )
    if curve.best > 0:
        height = _height(curve, curve.best)
        axes.plot(curve.best, height, "o", color=look.color, markersize=4, clip_on=False)
    if math.isfinite(curve.threshold):
        axes.plot(
            curve.threshold, 0, "X", color=look.color, markersize=5.5, zorder=5, clip_on=False
        )


def _height(curve: Backfire, threat: float) -> float:
    """The curve at a threat that need not be among its points."""
    return float(np.interp(threat, curve.threats, curve.gains_usd_bn))


def _legend(axes: Axes) -> None:
    """What dots and crosses mean, above the panel, where no curve comes."""
    for shape, text in (("o", "best threat"), ("X", "backfire threshold")):
        axes.plot([], [], shape, color=GREY, markersize=4.5, label=text)
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.02, 0.985), ncols=2, fontsize=SMALL, frameon=False,
        handletextpad=0.0, columnspacing=0.6, borderaxespad=0.2,
    )  # fmt: skip


def _name_ends(axes: Axes, curves: Mapping[str, Backfire]) -> None:
    """Each curve's label at its right end, outside the panel."""
    low, high = axes.get_ylim()
    ends = np.array(
        [curve.gains_usd_bn[np.isfinite(curve.gains_usd_bn)][-1] for curve in curves.values()]
    )
    for label, at in zip(curves, spread(ends, 0.06 * (high - low), low, high), strict=True):
        axes.text(
            1.015, at, label, transform=axes.get_yaxis_transform(), fontsize=SMALL, color=INK,
            va="center",
        )  # fmt: skip


def _close_up(axes: Axes, curve: Backfire) -> None:
    """The own curve where it is decided whether pressure pays, best threat and threshold named."""
    best, peak = curve.best, _height(curve, curve.best)
    end = curve.threshold * 1.35 if math.isfinite(curve.threshold) and curve.threshold > 0 else 1.0
    end = min(max(end, 0.1), 1.0)
    shown = curve.gains_usd_bn[(curve.threats <= end) & np.isfinite(curve.gains_usd_bn)]
    span = max(float(np.ptp(shown)), 1e-9)
    axes.set(
        xlim=(0, end), ylim=(float(shown.min()) - 0.08 * span, float(shown.max()) + 0.22 * span)
    )
    spots, words = [], []
    if best > 0:
        spots.append((best, peak))
        words.append(f"best threat {best:.2f}: {signed(peak)} bn US$")
    if math.isfinite(curve.threshold):
        spots.append((curve.threshold, 0.0))
        words.append(f"backfires above {curve.threshold:.2f}")
    else:
        axes.text(
            0.03, 0.95, "never falls below no threat", transform=axes.transAxes, fontsize=SMALL,
            color=GREY,
        )  # fmt: skip
    steps = np.linspace(0, end, 300)
    heights = np.interp(steps, curve.threats, curve.gains_usd_bn)
    lines = np.concatenate([np.column_stack([steps, y]) for y in (heights, 0 * steps)])
    place_labels(axes, np.array(spots).reshape(-1, 2), words, avoid=lines)
