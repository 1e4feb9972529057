"""The picture of a plan's channels: bars are the parts, the dot their sum."""

from __future__ import annotations

import pytest

import alliancegame as ag
from alliancegame import figures
from alliancegame.errors import InvalidValueError
from alliancegame.figures.style import rendered
from alliancegame.study.channels import CHANNELS


def test_channels() -> None:
    game = ag.load_model("three-allies")
    plans = {
        "full threat": ag.Plan(threat=1.0),
        "one ally, for $5 more $": ag.Plan(threat={"Large": 0.9}, burden=0.03),
    }
    found = {label: ag.channels(game, plan) for label, plan in plans.items()}
    figure = figures.channels(found)
    (axes,) = figure.axes
    names = list(CHANNELS)[:-1]  # No tariff, no revenue.
    for name, bars in zip(names, axes.containers, strict=True):
        widths = [bar.get_width() for bar in bars]  # type: ignore[union-attr]
        assert widths == pytest.approx([c[name] * c.unit_usd_bn for c in found.values()])
    dots = next(line for line in axes.lines if line.get_marker() == "o")
    sums = [sum(c.parts) * c.unit_usd_bn for c in found.values()]
    assert list(dots.get_xdata()) == pytest.approx(sums)  # type: ignore[arg-type]
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels == ["full threat", r"one ally, for \$5 more \$"]
    assert rendered(figure, "png").startswith(b"\x89PNG")
    assert rendered(figure, "png") == rendered(figures.channels(found), "png")


def test_nothing_to_draw() -> None:
    with pytest.raises(InvalidValueError, match="at least one"):
        figures.channels({})
