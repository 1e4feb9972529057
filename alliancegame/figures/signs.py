"""How firm a verdict is: the sign of each plan's gain along the range of each assumption."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.figures.inputs import drawn_from
from alliancegame.figures.style import (
    BLACK,
    BLUE,
    DOUBLE,
    FAINT,
    GREY,
    INK,
    SMALL,
    VERMILLION,
    YELLOW,
    canvas,
    dress,
    plain,
)
from alliancegame.study.sign_series import GAIN, LOSS, NO_ANSWER, NOTHING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from alliancegame.study.sign_series import Axis, Signs, SignSeries

SMALL_ELL = "b\N{LATIN SUBSCRIPT SMALL LETTER L}"
"""Hardly to be read at this size, so it is set as a formula."""

LOOKS = {
    GAIN: (BLUE, "+"),
    LOSS: (VERMILLION, "−"),
    NOTHING: (YELLOW, "0"),
    NO_ANSWER: (FAINT, "?"),
}
"""Colour and character of each sign: the character says the same as the colour."""


@drawn_from("Signs", "alliancegame.study.signs.gain_signs(game, plan)")
def signs(result: Signs, *, recalibrated: bool = True) -> Figure:
    """A strip for each plan and parameter, coloured by sign; a line at the game's own value.

    `recalibrated` picks, where A depends on the parameter, the series with refitted security
    weights or the one without. Every parameter has an axis of its own, in its own unit.

    Raises `InvalidValueError` if there is no such series.
    """
    shown = [s for s in result if s.recalibrated in (None, recalibrated)]
    if not shown:
        raise InvalidValueError("there is no series of signs to draw.")
    axes_by_key = {s.axis.key: s.axis for s in shown}
    groups = {key: [s for s in shown if s.axis.key == key] for key in axes_by_key}
    heights = [len(group) + 1.6 for group in groups.values()]
    figure, panels = canvas(
        DOUBLE, 0.35 + 0.165 * sum(heights), len(groups), 1, squeeze=False,
        gridspec_kw={"height_ratios": heights},
    )  # fmt: skip
    for panel, (key, group) in zip(panels[:, 0], groups.items(), strict=True):
        _strips(panel, axes_by_key[key], group)
    _legend(figure, shown)
    return figure


def _strips(panel: Axes, axis: Axis, group: list[SignSeries]) -> None:
    low = min(s.axis.values[0] for s in group)
    high = max(s.axis.values[-1] for s in group)
    for row, series in enumerate(reversed(group)):
        for left, right, sign in series.intervals:
            color, character = LOOKS[sign]
            panel.barh(row, right - left, 0.74, left, color=color, edgecolor="white", linewidth=0.6)
            if right - left > 0.025 * (high - low):
                panel.text(
                    (left + right) / 2, row, character, ha="center", va="center_baseline",
                    fontsize=SMALL + 1,
                    color="white" if sign in (GAIN, LOSS) else INK,
                )  # fmt: skip
    dress(panel)
    panel.set_title(
        plain(
            f"{axis.words}, {axis.symbol} ({axis.unit}); the model has {axis.show(axis.base)}"
        ).replace(SMALL_ELL, r"$b_{\ell}$"),
        fontsize=SMALL, color=INK, loc="left", pad=2,
    )  # fmt: skip
    if low <= axis.base <= high:
        panel.axvline(axis.base, color=BLACK, linewidth=1.1)
    panel.set_yticks(np.arange(len(group)), [plain(s.plan) for s in reversed(group)])
    panel.set(xlim=(low, high), ylim=(-0.5, len(group) - 0.5))
    if axis.key == "demand" and not axis.relative:
        panel.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
    panel.locator_params(axis="x", nbins=6)
    panel.tick_params(axis="y", length=0)
    for side in ("left", "bottom"):
        panel.spines[side].set_visible(False)


def _legend(figure: Figure, shown: list[SignSeries]) -> None:
    from matplotlib.patches import Patch

    words = {
        GAIN: "+ better off than without the plan",
        LOSS: "− worse off",
        NOTHING: "0 no difference: no threat is best",
        NO_ANSWER: "? no answer",
    }
    met = {sign for series in shown for sign in series.signs}
    patches = [Patch(color=LOOKS[s][0], label=text) for s, text in words.items() if s in met]
    figure.legend(
        handles=patches, loc="outside upper left", ncols=4, fontsize=SMALL, frameon=False,
        labelcolor=GREY,
    )  # fmt: skip
