"""Pictures that say what they show: frames, zero lines, titles, markers side by side."""

from __future__ import annotations

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.figures import burdens, regime_map, swept
from alliancegame.figures.burdens import _aside
from alliancegame.figures.style import wrapped


@pytest.fixture(scope="module")
def game():
    return ag.load_model("three-allies")


def test_fields_end_at_their_values_and_name_the_plan(game) -> None:
    over = {"decay": np.linspace(0, 1.5, 9), "threat": [0.0, 0.5, 1.0]}
    axes = swept(ag.sweep(game, over, ag.Plan(demand=0.04), solve="compare")).axes[0]
    assert axes.get_xlim() == (0.0, 1.5)
    assert axes.get_ylim() == (0.0, 1.0)
    assert axes.get_yticks().tolist() == [0.0, 0.5, 1.0]
    title = axes.get_title(loc="left")
    assert "demand 4 %" in title
    assert "threat 1" not in title


def test_fields_draw_where_the_gain_is_nothing(game) -> None:
    over = {"decay": np.linspace(0, 1.5, 16), "threat": np.linspace(0, 1, 9)}
    found = ag.sweep(game, over, ag.Plan(demand=0.05), solve="compare")
    figure = swept(found)
    (zero,) = [c for c in figure.axes[0].collections if hasattr(c, "levels")]
    assert zero.levels.tolist() == [0.0]
    points = np.concatenate([path.vertices for path in zero.get_paths()])
    assert len(points) > 3
    assert points[:, 1].min() > 0  # without a threat the gain is nothing everywhere
    root = ag.backfire_threshold(game, burden="simultaneous").break_even_decay[0]
    top = points[points[:, 1].argmax()]
    assert top[0] == pytest.approx(root, abs=0.05)
    assert "gain_usd_bn" not in figure.axes[1].get_ylabel()


def test_maps_have_no_empty_words(game) -> None:
    found = ag.regime_map(game, ("demand", (0.02, 0.1)), points=5)
    assert not found.fixed().startswith(";")
    assert not regime_map(found).axes[0].get_title(loc="left").startswith(";")
    quiet = ag.regime_map(game, ("decay", (0, 1)), ("demand", (0.02, 0.1)), points=5)
    assert quiet.fixed().startswith("no threat; ")


def test_lines_of_a_label_are_about_as_long() -> None:
    text = "share of protection withdrawn from an ally that pays nothing"
    lines = wrapped(text, 57).splitlines()
    assert len(lines) == 2
    assert min(map(len, lines)) > 20
    assert wrapped("", 20) == ""


def test_markers_that_would_hide_one_another_stand_apart(game) -> None:
    moved = _aside(np.array([[1.0, 3.0], [1.0, 2.0], [1.0, 1.0]]))
    assert len(set(moved[:, 0])) == 3
    assert not moved[:, 1].any()
    burdens({"plan": ag.compare(game, ag.Plan(threat=1e-6))})
