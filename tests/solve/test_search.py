"""The global search over plans, against functions whose best point is known."""

from __future__ import annotations

import numpy as np
import pytest

from alliancegame.solve.leader.search import maximise
from alliancegame.solve.tolerances import Tolerances

AXES = [np.linspace(0.0, 1.0, 25), np.linspace(0.0, 0.25, 25)]


def two_peaks(points):
    """A broad low hill and a narrow higher one, a fiftieth of the box wide."""
    x, y = points[:, 0], points[:, 1] / 0.25
    hill = np.exp(-8 * ((x - 0.25) ** 2 + (y - 0.3) ** 2))
    needle = 1.2 * np.exp(-((x - 0.8134) ** 2 + (y - 0.7071) ** 2) / (2 * 0.02**2))
    return np.maximum(hill, needle)


def test_the_higher_of_two_planted_peaks_is_found():
    found = maximise(two_peaks, AXES, Tolerances())
    assert found.value == pytest.approx(1.2, abs=1e-12)
    assert found.point == pytest.approx([0.8134, 0.7071 * 0.25], abs=1e-6)


def test_a_ridge_with_a_kink_is_followed_to_its_top():
    def ridge(points):
        x, y = points[:, 0], 4 * points[:, 1]
        return -np.abs(x - y) * 5 - (x - 0.371) ** 2

    found = maximise(ridge, AXES, Tolerances())
    assert found.value == pytest.approx(0.0, abs=1e-9)


def test_the_best_point_may_lie_in_a_corner():
    found = maximise(lambda p: p[:, 0] - p[:, 1], AXES, Tolerances())
    assert found.point.tolist() == [1.0, 0.0]
    assert found.gap <= 1e-8


def test_plans_without_an_answer_are_counted_and_never_chosen():
    def half(points):
        return np.where(points[:, 0] > 0.5, np.nan, points[:, 0])

    found = maximise(half, AXES, Tolerances())
    assert found.point[0] == pytest.approx(0.5, abs=1e-3)
    assert found.failed > 0


def test_nothing_finite_is_an_error():
    with pytest.raises(ValueError, match="no plan"):
        maximise(lambda p: np.full(len(p), np.nan), AXES, Tolerances())


def test_the_gap_admits_what_a_coarse_search_leaves_open():
    def wave(points):
        return np.sin(60 * points[:, 0]) + np.cos(240 * points[:, 1])

    coarse = maximise(wave, AXES, Tolerances(refine=0))
    fine = maximise(wave, AXES, Tolerances())
    assert coarse.value + coarse.gap >= fine.value
    assert coarse.gap > 1e-3
    assert fine.gap <= 1e-6
    assert fine.value == pytest.approx(2.0, abs=1e-7)


def test_one_and_three_dimensions():
    one = maximise(lambda p: -((p[:, 0] - 0.3) ** 2), AXES[:1], Tolerances())
    assert one.point == pytest.approx([0.3], abs=1e-6)
    axes = [np.linspace(0, 1, 25)] * 3
    three = maximise(lambda p: -((p - [0.2, 0.5, 0.9]) ** 2).sum(axis=1), axes, Tolerances())
    assert three.point == pytest.approx([0.2, 0.5, 0.9], abs=1e-5)
