"""Every figure on every shipped model: what is drawn is what was solved, and it can be read."""

from __future__ import annotations

import functools
import itertools
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

import alliancegame as ag
from alliancegame.errors import InvalidValueError, UnknownNameError
from alliancegame.figures import style
from alliancegame.figures.burdens import MOST_MEMBERS, burdens
from alliancegame.figures.decomposition import decomposition, money
from alliancegame.figures.exposure import exposure
from alliancegame.figures.isoquants import isoquants
from alliancegame.figures.plane import plane
from alliancegame.figures.signs import LOOKS, signs
from alliancegame.figures.threat import threat_curve
from alliancegame.report.findings import Findings, investigate
from alliancegame.report.pictures import pictures

MODELS = ("nato-2014", "nato-2024", "three-allies", "us-allies-2024")


def silent(_: str) -> None:
    pass


@functools.cache
def solved(model: str) -> Findings:
    return investigate(ag.load_model(model), None, None, silent)


@pytest.fixture(scope="module", params=MODELS)
def found(request: pytest.FixtureRequest) -> Findings:
    return solved(request.param)


@pytest.fixture(scope="module")
def drawn(found: Findings) -> dict[str, Figure]:
    return {picture.name: picture.figure for picture in pictures(found)}


@pytest.fixture(scope="module")
def small() -> Findings:
    return solved("three-allies")


def markers(axes: Axes) -> np.ndarray:
    """Single points drawn with a marker, shape (points, 2)."""
    lines = [
        line
        for line in axes.lines
        if line.get_marker() not in ("None", "") and line.get_xydata().size
    ]
    return np.concatenate([line.get_xydata() for line in lines])


def curve(axes: Axes, expected: np.ndarray) -> bool:
    """Whether a line with exactly these points is drawn."""
    return any(
        line.get_xydata().shape == expected.shape
        and np.allclose(line.get_xydata(), expected, rtol=1e-12, equal_nan=True)
        for line in axes.lines
    )


def visible_texts(figure: Figure) -> list[Text]:
    """Text on the figure that somebody reads: inside its axes' limits, not empty."""
    figure.draw_without_rendering()
    ticks = [label for axes in figure.findobj(Axes) for label in hidden_ticks(axes)]
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible()
        and text.get_text().strip()
        and text.get_window_extent().width > 1
        and text not in ticks
    ]


def hidden_ticks(axes: Axes) -> list[Text]:
    """Labels of ticks that lie outside the limits, which are not drawn."""
    hidden = []
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        slack = 1e-9 * (high - low)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not low - slack <= tick.get_loc() <= high + slack:
                hidden += [tick.label1, tick.label2]
    return hidden


def test_nothing_overlaps_and_nothing_is_cut_off(drawn: dict[str, Figure]) -> None:
    for name, figure in drawn.items():
        width, height = figure.get_size_inches() * figure.dpi
        boxes = [(t.get_text(), t.get_window_extent().padded(-0.75)) for t in visible_texts(figure)]
        for text, box in boxes:
            assert min(box.x0, box.y0) > -2, (name, text)
            assert max(box.x1 - width, box.y1 - height) < 2, (name, text)
        for (one, a), (other, b) in itertools.combinations(boxes, 2):
            assert not a.overlaps(b), (name, one, other)


def test_type_is_legible_at_printed_size(drawn: dict[str, Figure]) -> None:
    for name, figure in drawn.items():
        assert figure.get_figwidth() in (style.SINGLE, style.DOUBLE), name
        for text in visible_texts(figure):
            assert text.get_fontsize() >= 6.0, (name, text.get_text())


def test_axes_say_what_and_in_which_unit(drawn: dict[str, Figure]) -> None:
    for name, figure in drawn.items():
        if name == "signs":
            continue
        for axes in figure.axes:
            if axes.get_label() == "<colorbar>":
                continue
            assert "(" in axes.get_xlabel(), (name, axes.get_xlabel())


def test_the_plane_shows_points_frontiers_and_isoquants(
    found: Findings, drawn: dict[str, Figure]
) -> None:
    left, right = drawn["plane"].axes[:2]
    at = [(e.savings, e.leader_influence) for e in found.points.values()]
    compensated = [(e.compensated_savings, e.leader_influence) for e in found.points.values()]
    assert markers(left) == pytest.approx(np.array(at))
    assert markers(right) == pytest.approx(np.array(compensated))
    for line in found.frontiers.values():
        assert curve(left, np.column_stack([line.savings, line.influences]))
    for line in found.isoquants.values():
        assert curve(right, line)
    assert "compensated" in right.get_xlabel()
    assert "compensated" not in left.get_xlabel()
    named = {text.get_text() for text in left.texts}
    assert set(found.points) <= named
    assert any(text.startswith("trust 1.00") for text in named)


def test_the_tinted_side_is_where_the_leader_gains(found: Findings) -> None:
    first = found.isoquants["A"]
    order = np.argsort(first[:, 1])
    for case in found.cases:
        e = case.comparison.result
        edge = np.interp(e.leader_influence, first[order, 1], first[order, 0])
        assert (e.compensated_savings > edge) == (case.comparison.delta_payoff > 0)


def test_threat_curves_show_gains_best_threats_and_thresholds(
    found: Findings, drawn: dict[str, Figure]
) -> None:
    left, right = drawn["threat_curve"].axes
    for line in found.curves.values():
        assert curve(left, np.column_stack([line.threats, line.gains_usd_bn]))
    assert found.own_curve is not None
    own = found.curves[found.own_curve]
    assert curve(right, np.column_stack([own.threats, own.gains_usd_bn]))
    spots = markers(right)
    assert spots[0][0] == own.best
    assert spots[0][1] == pytest.approx(own.best_gain_usd_bn, rel=0.05)
    if np.isfinite(own.threshold):
        assert spots[-1] == pytest.approx((own.threshold, 0.0))
    assert set(found.curves) <= {text.get_text() for text in left.texts}
    assert "bn US$ a year" in left.get_ylabel().replace("\n", " ").replace("\\", "")


def test_burdens_have_a_dot_for_every_member_and_place(
    found: Findings, drawn: dict[str, Figure]
) -> None:
    (axes,) = drawn["burdens"].axes
    game = found.game
    assert [line.get_label() for line in axes.lines][: len(found.points)] == list(found.points)
    assert len(axes.get_yticklabels()) == game.size
    names = game.provenance["names"]
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert sorted(shown) == sorted(names.values())
    assert shown[0] == names[game.leader]
    order = [{name: label for label, name in names.items()}[name] for name in shown]
    for line, result in zip(axes.lines, found.points.values(), strict=False):
        assert line.get_xdata() == pytest.approx(100 * result.burden[order].to_numpy())
    dashed = axes.lines[len(found.points)]
    assert set(dashed.get_xdata()) == {5.0}
    allied = found.baseline.burden[order[1:]].to_numpy()
    assert (np.diff(allied) <= 0).all()


def test_decomposition_bars_add_up(found: Findings, drawn: dict[str, Figure]) -> None:
    (axes,) = drawn["decomposition"].axes
    widths = np.array([[bar.get_width() for bar in bars] for bars in axes.containers])
    (sums,) = (line.get_xdata() for line in axes.lines if line.get_label() == "sum")
    assert widths.sum(axis=0) == pytest.approx(sums, abs=1e-9)
    expected = [c.delta_payoff * money(c) for c in found.comparisons.values()]
    assert sums == pytest.approx(expected)
    assert sums == pytest.approx([c.gain_usd_bn for c in found.comparisons.values()], rel=1e-3)


def test_sign_strips_are_the_intervals(found: Findings, drawn: dict[str, Figure]) -> None:
    assert found.signs is not None
    panels = drawn["signs"].axes
    shown = [s for s in found.signs if s.recalibrated in (None, True)]
    keys = list(dict.fromkeys(s.axis.key for s in shown))
    assert len(panels) == len(keys)
    for panel, key in zip(panels, keys, strict=True):
        group = [s for s in shown if s.axis.key == key]
        pieces = [
            (bar.get_x(), bar.get_x() + bar.get_width(), bar.get_facecolor())
            for container in panel.containers
            for bar in container
        ]
        for low, high, sign in (i for s in group for i in s.intervals):
            assert any(
                a == pytest.approx(low) and b == pytest.approx(high) and c == rgba(LOOKS[sign][0])
                for a, b, c in pieces
            )
        assert [label.get_text() for label in panel.get_yticklabels()] == [
            s.plan for s in reversed(group)
        ]


def rgba(color: str) -> tuple[float, float, float, float]:
    from matplotlib.colors import to_rgba

    return to_rgba(color)


def test_exposure_is_drawn_where_all_distances_are_known() -> None:
    fit = solved("nato-2024").exposure
    assert fit is not None
    assert fit.correlation == pytest.approx(-0.7511, abs=1e-4)
    assert fit.correlation == pytest.approx(fit.values.rank().corr(fit.distances.rank()))
    (axes,) = exposure(fit.values, fit.distances, correlation=fit.correlation, to="Russia").axes
    assert len(markers(axes)) == 30
    assert markers(axes) == pytest.approx(np.column_stack([fit.distances, fit.values]))
    with pytest.raises(InvalidValueError, match="same labels"):
        exposure(fit.values, fit.distances[::-1], correlation=0.0, to="Russia")


def test_isoquants_show_on_which_side_of_a_every_point_lies(small: Findings) -> None:
    path = [ag.solve_nash(small.game, ag.Plan(threat=t)) for t in (0.1, 0.2)]
    left, right = isoquants(small.points, small.isoquants, path=path, source="made up").axes
    apart = markers(right)
    gains = [0.0, *(c.delta_payoff for c in small.comparisons.values())]
    assert np.sign(np.round(apart[:, 0], 3)) == pytest.approx(np.sign(gains))
    assert apart[:, 1] == pytest.approx(markers(left)[:, 1])
    assert "percentage points" in right.get_xlabel()
    alone = isoquants({"A": small.baseline}, {"A": small.isoquants["A"]}, span=0.3)
    assert len(alone.axes) == 1
    assert alone.get_figwidth() == style.SINGLE


@pytest.mark.parametrize(
    ("draw", "error"),
    [
        (lambda f: plane(f.points, {"Z": f.frontiers["A"]}, {}), UnknownNameError),
        (lambda f: isoquants(f.points, {"Z": f.isoquants["A"]}), UnknownNameError),
        (lambda f: isoquants(f.points, {}), InvalidValueError),
        (lambda f: threat_curve({}), InvalidValueError),
        (lambda f: threat_curve(f.curves, "κ = 7"), UnknownNameError),
        (lambda f: burdens({}), InvalidValueError),
        (lambda f: decomposition({}), InvalidValueError),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    small: Findings, draw: Callable[[Findings], Figure], error: type[Exception]
) -> None:
    with pytest.raises(error):
        draw(small)


def test_burdens_of_different_baselines_are_not_mixed(small: Findings) -> None:
    other = ag.compare(small.game.replace(return_spillin=1.0), ag.Plan(threat=0.5))
    with pytest.raises(InvalidValueError, match="baseline"):
        burdens({**small.comparisons, "other": other})


def test_signs_without_the_series_asked_for_are_refused(small: Findings) -> None:
    from alliancegame.study.signs import gain_signs

    only = gain_signs(small.game, ag.Plan(threat=0.5), ranges={}, points=3)
    with pytest.raises(InvalidValueError, match="no series"):
        signs(only)


def test_the_plane_needs_savings(small: Findings) -> None:
    weakest = small.game.replace(substitution=-1.0, private_weight=0.003)
    point = ag.solve_nash(weakest)
    with pytest.raises(InvalidValueError, match="savings"):
        plane({"A": point}, {"A": ag.frontier(weakest, points=5)}, {})


def test_large_alliances_show_their_largest_members() -> None:
    labels = ["L", *(f"m{i}" for i in range(80))]
    game = ag.BurdenSharingGame(
        labels, "L", gdp=[1000.0, *np.linspace(1, 40, 80)], security_weight=0.04,
        influence_weight=0.005, private_weight=0.002, congestion=1.0,
    )  # fmt: skip
    (axes,) = burdens({"plan": ag.compare(game, ag.Plan(threat=0.3))}).axes
    assert len(axes.get_yticklabels()) == MOST_MEMBERS + 1
    assert "20 smaller allies not shown" in axes.get_title(loc="left")


def test_dollars_in_names_are_no_formula() -> None:
    game = ag.BurdenSharingGame(["L$x$", "a$b$"], "L$x$", gdp=[10, 6], security_weight=0.04)
    figure = burdens({"p$q$": ag.compare(game, ag.Plan(threat=0.5))})
    assert b"PNG" in style.rendered(figure, "png")[:8]
    texts = [text.get_text() for text in visible_texts(figure)]
    assert r"L\$x\$" in texts


def test_files_are_the_same_every_time(small: Findings) -> None:
    starts = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}
    for kind, start in starts.items():
        one, other = (
            style.rendered(decomposition(small.comparisons), kind, dpi=72) for _ in range(2)
        )
        assert one == other
        assert one.startswith(start)
    with pytest.raises(ValueError, match="png"):
        style.rendered(decomposition(small.comparisons), "bmp")


def test_figures_can_be_made_in_threads(small: Findings) -> None:
    def make(_: int) -> bytes:
        figure = plane(small.points, small.frontiers, small.isoquants)
        return style.rendered(figure, "png", dpi=72)

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(make, range(2)))) == 1


def test_pyplot_is_never_imported() -> None:
    code = (
        "import sys, alliancegame.figures, alliancegame.report.contents;"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_labels_keep_out_of_each_others_way() -> None:
    generator = np.random.default_rng(1)
    _, axes = style.canvas(style.DOUBLE, 3.0)
    points = generator.uniform(0, 1, (25, 2))
    axes.set(xlim=(-0.1, 1.1), ylim=(-0.1, 1.1))
    labels = style.place_labels(axes, points, [f"point {i}" for i in range(25)])
    boxes = [label.get_window_extent().padded(-0.75) for label in labels]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def test_positions_are_spread_within_their_bounds() -> None:
    spread = style.spread(np.array([0.5, 0.5, 0.51, 0.99]), 0.1, 0.0, 1.0)
    assert (np.diff(np.sort(spread)) >= 0.1 - 1e-12).all()
    assert spread.min() >= 0
    assert spread.max() <= 1
    tight = style.spread(np.zeros(5), 1.0, 0.0, 1.0)
    assert np.sort(tight) == pytest.approx([0, 0.25, 0.5, 0.75, 1])


def test_signed_numbers_use_a_real_minus() -> None:
    assert [style.signed(v) for v in (1.5, -0.25, 1e-16)] == ["+1.5", "−0.25", "0"]


def test_exposure_takes_series() -> None:
    values = pd.Series([0.03, 0.02], index=["a", "b"])
    figure = exposure(values, pd.Series([1.0, 9.0], index=["a", "b"]), correlation=-1.0, to="X")
    assert "−1" in figure.axes[0].texts[0].get_text()
