"""The specification curve: what a plan brings in every combination of functional forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.figures.inputs import drawn_from
from alliancegame.figures.regime_map import FILLS
from alliancegame.figures.style import (
    BLACK,
    DOUBLE,
    FAINT,
    GREY,
    INK,
    SMALL,
    canvas,
    dress,
    plain,
)
from alliancegame.study.outcomes import OUTCOMES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alliancegame.study.robustness import Robustness, Specification

ROW = 0.16
"""Height of the row of one value of a form, inches."""
SHAPES = dict(zip(OUTCOMES, ("o", "^", "D", "s", "v", "X"), strict=True))


@drawn_from("Robustness", "ag.robustness(game, plan)")
def specification_curve(found: Robustness) -> Figure:
    """The leader's gains in order, and under each the forms behind it (Simonsohn et al. 2020).

    The specification of the game as it was given is ringed. Those without an answer are counted in the
    legend. Raises `InvalidValueError` if none has one.
    """
    answered = [s for s in found.specifications if s.outcome in OUTCOMES]
    if not answered:
        raise InvalidValueError("no specification has an answer, so there is nothing to draw.")
    answered.sort(key=lambda s: s.gain_usd_bn)
    values: list[tuple[str, Any]] = []
    for name in answered[0].forms:
        tried = {s.forms[name] for s in found.specifications}
        ordered = list(dict.fromkeys(s.forms[name] for s in found.specifications))
        if len(tried) > 1:
            values += [(name, value) for value in ordered]
    lower = 0.5 + ROW * len(values)
    figure, panels = canvas(
        DOUBLE, 2.5 + lower, 2, 1, sharex=True, gridspec_kw={"height_ratios": [2.1, lower]}
    )
    _gains(panels[0], found, answered)
    _forms(panels[1], answered, values)
    return figure


def _gains(axes: Any, found: Robustness, answered: list[Specification]) -> None:
    place = 1 + np.arange(len(answered))
    gains = np.array([s.gain_usd_bn for s in answered])
    dress(axes, "", "the leader's gain, bn US$ a year")
    axes.axhline(0, color=BLACK, linewidth=0.8)
    for outcome in OUTCOMES:
        chosen = np.array([s.outcome == outcome for s in answered])
        if chosen.any():
            share = found.shares[outcome]
            axes.scatter(
                place[chosen], gains[chosen], s=16, marker=SHAPES[outcome], linewidth=0.5,
                color=FILLS[outcome][0], edgecolor=INK, zorder=3,
                label=f"{outcome} ({share:.0%})",
            )  # fmt: skip
    own = [k for k, s in enumerate(answered) if s.own]
    if own:
        axes.scatter(
            place[own], gains[own], s=70, facecolor="none", edgecolor=BLACK, linewidth=1.1, zorder=4,
            label="the game's own forms",
        )  # fmt: skip
    missing = len(found) - found.answered
    if missing:
        axes.scatter([], [], s=0, label=f"{missing} of {len(found)} without an answer")
    linear = max(float(np.median(np.abs(gains))) / 10, 1e-9)
    if np.abs(gains).max() > 100 * linear:
        _logarithmic(axes, gains, 10.0 ** np.floor(np.log10(linear)))
    axes.legend(fontsize=SMALL, frameon=False, labelcolor=GREY, loc="upper left", ncols=2)
    axes.tick_params(axis="x", length=0)
    axes.spines["bottom"].set_visible(False)


def _logarithmic(axes: Any, gains: Any, linear: float) -> None:
    """A scale that is linear up to `linear` and logarithmic beyond, and says so, ticks on both sides."""
    axes.set_yscale("symlog", linthresh=linear)
    decades = linear * 10.0 ** np.arange(np.ceil(np.log10(np.abs(gains).max() / linear)) + 1)
    low, high = axes.get_ylim()
    ticks = [t for t in (*-decades[::-1], 0.0, *decades) if low <= t <= high]
    axes.set_yticks(ticks, [plain(f"{t:,g}" if abs(t) < 1e6 else f"{t:.0e}") for t in ticks])
    axes.minorticks_off()
    axes.set_ylabel(f"the leader's gain, bn US$ a year\n(logarithmic beyond {linear:g})")


def _forms(axes: Any, answered: list[Specification], values: list[tuple[str, Any]]) -> None:
    dress(axes, f"{len(answered)} specifications, in the order of the gain")
    height = len(values)
    for row, (name, value) in enumerate(values):
        at = height - 1 - row
        axes.axhline(at, color=FAINT, linewidth=0.4, zorder=1)
        chosen = [k for k, s in enumerate(answered, 1) if s.forms[name] == value]
        axes.scatter(chosen, np.full(len(chosen), at), s=7, color=INK, marker="s", linewidth=0)
        if row and values[row - 1][0] != name:
            axes.axhline(at + 0.5, color=GREY, linewidth=0.6)
    labels = [
        f"{name} {value:g}" if isinstance(value, float) else f"{name}: {value}"
        for name, value in values
    ]
    axes.set_yticks(np.arange(height)[::-1], [plain(text.replace("_", " ")) for text in labels])
    axes.set_ylim(-0.6, height - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, len(answered) + 1)
    axes.xaxis.get_major_locator().set_params(integer=True)
