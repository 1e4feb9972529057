"""Pictures of trust over time: what is drawn is what was solved; nothing overlaps its axes."""

from __future__ import annotations

import numpy as np
import pytest

import alliancegame as ag
from alliancegame import figures
from alliancegame.errors import InvalidValueError
from alliancegame.figures import style
from alliancegame.solve.dynamic.control import law_of


@pytest.fixture(scope="module")
def game():
    return ag.load_model("three-allies").replace(recovery=0.2)


@pytest.fixture(scope="module")
def path(game):
    return ag.solve_trust_path(game, "markov", periods=10, discount=0.3)


def test_paths_are_drawn_as_solved(game, path) -> None:
    never = ag.follow_trust_path(game, [0.0], periods=10, discount=0.3)
    figure = figures.trust_paths({"policy": path, "no $ threat": never})
    panels = figure.axes[:4]
    for panel, what in zip(panels[:3], ("threat", "operating_trust", "allied_burden"), strict=True):
        scale = 100 if what == "allied_burden" else 1
        for line, found in zip(panel.lines, (path, never), strict=True):
            assert np.allclose(line.get_ydata(), scale * found.to_frame()[what])
    gain = panels[3].lines[0].get_ydata()
    assert gain[0] == pytest.approx(path._money(path.first_gain))
    assert np.allclose(panels[3].lines[1].get_ydata(), 0.0, atol=1e-9)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words[0].startswith("policy (+")
    assert len(style.rendered(figure, "png")) > 1000
    with pytest.raises(InvalidValueError, match="at least one"):
        figures.trust_paths({})


def test_policy_and_value(path) -> None:
    figure = figures.trust_policy(path)
    left, right = figure.axes
    assert np.array_equal(left.lines[0].get_ydata(), path.policy.threats)
    worth = right.lines[0].get_ydata()
    assert worth[-1] == 0
    assert worth[0] == pytest.approx(
        path._money(0.7 * float(path.policy.values[0] - path.policy.values[-1]))
    )
    myopic = ag.solve_trust_path(path.game, "myopic", periods=2, discount=0.3)
    with pytest.raises(InvalidValueError, match="markov"):
        figures.trust_policy(myopic)


def test_what_is_lost_and_won_back_adds_up(path) -> None:
    (axes,) = figures.lost_and_won_back(path).axes
    lost, won = ([bar.get_height() for bar in bars] for bars in axes.containers)
    assert np.allclose(np.array(lost) + path.states[:, 0], path.operating_trust[:, 0])
    assert np.allclose(np.array(won)[:-1], path.states[1:, 0] - path.operating_trust[:-1, 0])


def test_regime_map(game) -> None:
    found = ag.trust_regimes(game, {"decay": [0.05, 0.4, 0.8], "discount": [0.2, 0.8]})
    figure = figures.trust_regime_map(found)
    shown = figure.axes[1].collections[0].get_array()
    assert np.allclose(np.asarray(shown).ravel(), found.first_threats.T.ravel())
    assert {t.get_text() for t in figure.legends[0].get_texts()} <= {
        "no threat", "threats that end", "threats for ever", "trust collapses",
    }  # fmt: skip


def test_levels_are_fixed_points(game) -> None:
    two = game.replace(recovery=0.5, recovery_threshold=0.5)
    (axes,) = figures.trust_levels(two, threats=(0.3,)).axes
    spots = [
        line.get_xdata()[0]
        for line in axes.lines
        if line.get_marker() == "o" and len(line.get_xdata())
    ]
    law = law_of(two, None)
    assert len(spots) == 3
    for at in spots:
        ahead = law.advance(np.array([[at]]), np.array([0.3]))[0, 0]
        assert ahead == pytest.approx(at, abs=1e-3)
    with pytest.raises(InvalidValueError, match="one state"):
        figures.trust_levels(game.replace(institutional_share=0.5))
