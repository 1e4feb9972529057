"""Pictures of maps, uncertainty, sensitivity and sweeps: they show what was found, and can be read."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.text import Text
from scipy import stats

import alliancegame as ag
from alliancegame.errors import InvalidValueError, UnknownNameError
from alliancegame.figures import regime_map, sensitivity, swept, uncertainty
from alliancegame.figures.regime_map import FILLS
from alliancegame.figures.style import DOUBLE, SINGLE, rendered
from alliancegame.study.maps import NO_ANSWER, RegimeMap
from alliancegame.study.outcomes import OUTCOMES
from alliancegame.study.sensitivity import Sensitivity
from alliancegame.study.sweep import sweep
from alliancegame.study.uncertainty import Uncertainty

PLAN = ag.Plan(threat=0.5)


@pytest.fixture(scope="module")
def small() -> ag.BurdenSharingGame:
    return ag.load_model("three-allies")


@pytest.fixture(scope="module")
def mapped(small: ag.BurdenSharingGame) -> RegimeMap:
    return ag.regime_map(small, ("decay", (-0.2, 1.0)), ("threat", (0.0, 1.0)), PLAN, points=25)


@pytest.fixture(scope="module")
def committed(small: ag.BurdenSharingGame) -> RegimeMap:
    """Futile, backfire, success, and an axis in per cent."""
    return ag.regime_map(small, ("threat", (0.0, 1.0)), ("burden", (0.025, 0.05)), points=21)


@pytest.fixture(scope="module")
def drawn() -> Uncertainty:
    priors = {"decay": stats.norm(0.3, 0.2), "return_spillin": (0.2, 0.8)}
    return ag.uncertainty(ag.load_model("nato-2024"), priors, PLAN, n=512)


@pytest.fixture(scope="module")
def shares() -> Sensitivity:
    ones = np.array([0.6, 0.05, 0.3])
    game = ag.load_model("nato-2024")
    names = {"decay": "uniform(0, 1)", "influence_weight[USA]": "uniform(0, 1)", "burden": "x"}
    return Sensitivity(
        game, PLAN, names, "gain_usd_bn", "bn US$ a year", 64, 0, 0.95, "", ones, 0.1 * ones,
        ones + 0.05, 0.1 * ones, None, None, 1.0, 2.0, 320, 0, {},
    )  # fmt: skip


@pytest.fixture(scope="module")
def figures(
    mapped: RegimeMap, committed: RegimeMap, drawn: Uncertainty, shares: Sensitivity,
    small: ag.BurdenSharingGame,
) -> dict[str, Figure]:  # fmt: skip
    over = {"decay": np.linspace(-0.1, 1.0, 12), "threat": np.linspace(0.0, 1.0, 9)}
    plane = sweep(small, over, PLAN, solve="compare")
    line = sweep(small, {"burden": np.linspace(0.02, 0.06, 9)}, PLAN)
    return {
        "map": regime_map(mapped),
        "committed": regime_map(committed),
        "uncertainty": uncertainty(drawn),
        "sensitivity": sensitivity(shares),
        "field": swept(plane),
        "outcomes": swept(plane, "outcome"),
        "line": swept(line),
    }


def texts(figure: Figure) -> list[Text]:
    """Text that somebody reads: visible, not empty, and no tick outside its axis."""
    figure.draw_without_rendering()
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            slack = 1e-9 * (high - low)
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not low - slack <= tick.get_loc() <= high + slack:
                    hidden |= {id(tick.label1), id(tick.label2)}
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and id(text) not in hidden
    ]


def test_nothing_is_cut_off_and_labels_keep_apart(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        width, height = figure.get_size_inches() * figure.dpi
        boxes = [(t.get_text(), t.get_rotation(), t.get_window_extent()) for t in texts(figure)]
        for text, _, box in boxes:
            assert min(box.x0, box.y0) > -2, (name, text)
            assert max(box.x1 - width, box.y1 - height) < 2, (name, text)
        level = [(text, box.padded(-1)) for text, turn, box in boxes if turn in (0, 90)]
        for (one, a), (other, b) in itertools.combinations(level, 2):
            assert not a.overlaps(b), (name, one, other)


def test_type_is_legible_at_printed_size(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        assert figure.get_figwidth() in (SINGLE, DOUBLE), name
        for text in texts(figure):
            assert text.get_fontsize() >= 6.0, (name, text.get_text())


def test_files_are_the_same_every_time(mapped: RegimeMap, figures: dict[str, Figure]) -> None:
    assert rendered(regime_map(mapped), "png") == rendered(regime_map(mapped), "png")
    for name, figure in figures.items():
        assert rendered(figure, "pdf").startswith(b"%PDF"), name
        assert len(rendered(figure, "png")) > 5000, name


def said(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in texts(figure))


def test_a_map_shows_its_regions_and_their_shares(mapped: RegimeMap, figures: Any) -> None:
    figure = figures["map"]
    (axes,) = figure.axes
    patches = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
    assert len(patches) == len(mapped.regions)
    for patch, (name, rings) in zip(patches, mapped.regions.items(), strict=True):
        corners = patch.get_path().vertices
        assert len(corners) == sum(len(ring) + 1 for ring in rings), name
    for name in ("success", "backfire", NO_ANSWER):
        assert f"{name} {100 * mapped.shares[name]:.3g} %" in said(figure)
        assert any(text.get_text() == name for text in axes.texts)
    assert "status quo" not in said(figure)
    lines = [line.get_xydata() for line in axes.lines]
    for points in mapped.break_even:
        assert any(np.array_equal(points, line) for line in lines)
    assert "decay" in axes.get_xlabel()
    assert "log points" in axes.get_xlabel()
    assert r"bn US\$ a year" in said(figure)


def test_a_map_marks_the_model(mapped: RegimeMap, figures: Any) -> None:
    (axes,) = figures["map"].axes
    marks = [line for line in axes.lines if line.get_marker() == "D"]
    assert [tuple(line.get_xydata()[0]) for line in marks] == [(0.4, 0.5)]
    assert any(text.get_text() == "three-allies" for text in axes.texts)
    (quiet,) = figures["committed"].axes
    assert not [line for line in quiet.lines if line.get_marker() == "D"]


def test_shares_of_gdp_are_in_per_cent(figures: Any) -> None:
    figure = figures["committed"]
    (axes,) = figure.axes
    figure.draw_without_rendering()
    assert {label.get_text()[-1] for label in axes.get_yticklabels()} == {"%"}
    assert "share of GDP" in axes.get_ylabel()


def test_every_outcome_has_a_look_of_its_own() -> None:
    assert set(FILLS) == {*OUTCOMES, NO_ANSWER}
    assert len({color for color, _ in FILLS.values()}) == len(FILLS)


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_names_can_be_read_on_every_fill() -> None:
    """Contrast of at least 7 (WCAG 2.1, level AAA)."""
    for name, (color, _) in FILLS.items():
        assert (luminance(color) + 0.05) / (luminance("#222222") + 0.05) > 7, name


def test_uncertainty_shows_probabilities_gains_and_members(
    drawn: Uncertainty, figures: Any
) -> None:
    figure = figures["uncertainty"]
    chances, gains, members = figure.axes
    widths = [bar.get_width() for bar in chances.patches]
    assert widths == pytest.approx(100 * drawn.table["probability"].to_numpy())
    heights = sum(bar.get_height() for bar in gains.patches)
    assert heights == pytest.approx(100 * (1 - drawn.failed / drawn.n))
    labels = [label.get_text() for label in members.get_yticklabels()]
    assert sorted(labels) == sorted(drawn.game.members)
    middle = 100 * drawn.gain_quantiles[2] / drawn.game.by_member("gdp")
    order = [drawn.game.members.index_of(label) for label in labels]
    (dots,) = [line for line in members.lines if line.get_marker() == "o"]
    assert dots.get_xdata() == pytest.approx(middle[order])
    assert (np.diff(dots.get_xdata()) <= 0).all()
    assert "512 draws (sobol)" in said(figure).replace("\n", " ")
    assert "no answer" in said(figure)


def test_uncertainty_needs_an_answer(small: ag.BurdenSharingGame) -> None:
    nothing = ag.uncertainty(small, {"decay": (-2, -1)}, PLAN, n=32)
    with pytest.raises(InvalidValueError, match="no draw has an answer"):
        uncertainty(nothing)


def test_sensitivity_has_the_most_important_on_top(shares: Sensitivity, figures: Any) -> None:
    (axes,) = figures["sensitivity"].axes
    labels = [label.get_text().split()[0] for label in axes.get_yticklabels()]
    assert labels == ["decay", "burden", "influence_weight[USA]"]
    first, total = (bars[0].get_xdata() for bars in axes.containers)
    assert first.tolist() == shares.first[[0, 2, 1]].tolist()
    assert total.tolist() == shares.total[[0, 2, 1]].tolist()
    assert "95 % intervals" in axes.get_xlabel()


def test_sweeps_show_their_cells(figures: Any) -> None:
    field = figures["field"]
    axes, bar = field.axes
    (mesh,) = [c for c in axes.collections if isinstance(c, QuadMesh)]
    assert mesh.get_array().shape == (9, 12)
    assert mesh.get_array().mask.sum() == 9
    assert mesh.norm.vmin == -mesh.norm.vmax
    assert "bn US$ a year" in bar.get_ylabel().replace("\\", "")
    assert {"success", "backfire", "status quo", "no answer"} <= set(
        said(figures["outcomes"]).splitlines()
    )
    (line,) = figures["line"].axes
    assert len(line.lines[0].get_xdata()) == 9


def test_sweeps_without_a_picture(small: ag.BurdenSharingGame) -> None:
    over = {"decay": [0.1, 0.2], "threat": [0.1], "umbrella": [0.6, 0.7]}
    with pytest.raises(InvalidValueError, match="one or two dimensions"):
        swept(sweep(small, over, PLAN, solve="compare"))
    one = sweep(small, {"decay": [0.1, 0.2]}, PLAN, solve="compare")
    with pytest.raises(UnknownNameError, match="Did you mean 'savings'"):
        swept(one, "saving")


def test_names_of_forms_are_an_axis(small: ag.BurdenSharingGame) -> None:
    over = {"threat": [0.1, 0.5, 0.9], "consumption": ["log", "linear"]}
    figure = swept(sweep(small, over, PLAN, solve="compare"))
    figure.draw_without_rendering()
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["log", "linear"]
