"""Regions of a rectangle: exact partitions with boundaries where the labels change."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alliancegame.study.regions import Partition, area, partition


def divide(label_at, n=11, *, x=(0.0, 1.0), y=(0.0, 1.0), **options) -> Partition:
    across, up = np.linspace(*x, n), np.linspace(*y, n)
    points = np.column_stack([axis.ravel() for axis in np.meshgrid(across, up)])
    return partition(label_at(points).reshape(n, n), label_at, across, up, **options)


def areas(found: Partition) -> dict[int, float]:
    return {region.label: area(region.rings) for region in found.regions}


def circle(p):
    return (np.hypot(p[:, 0] - 0.47, p[:, 1] - 0.52) < 0.3).astype(int)


def sectors(p):
    angle = np.arctan2(p[:, 1] - 0.437, p[:, 0] - 0.523)
    return np.floor((angle + math.pi) / (2 * math.pi) * 3).clip(0, 2).astype(int)


def stripes(p):
    return np.floor((p[:, 0] + 0.3 * p[:, 1]) * 4.3).astype(int)


def check_sound(found: Partition, label_at, size=1.0) -> None:
    """Regions fill the rectangle, lines have what they say on their sides."""
    assert sum(areas(found).values()) == pytest.approx(size, rel=1e-12)
    for region in found.regions:
        assert area(region.rings) >= -1e-15
    for line in found.boundaries:
        assert line.labels[0] < line.labels[1]


@pytest.mark.parametrize("label_at", [circle, sectors, stripes])
@pytest.mark.parametrize("n", [2, 3, 8, 21])
def test_regions_fill_the_rectangle_exactly(label_at, n):
    check_sound(divide(label_at, n), label_at)


def test_a_circle():
    found = divide(circle, 21)
    assert areas(found)[1] == pytest.approx(math.pi * 0.09, rel=2e-3)
    (line,) = found.boundaries
    assert np.array_equal(line.points[0], line.points[-1])
    radius = np.hypot(line.points[:, 0] - 0.47, line.points[:, 1] - 0.52)
    assert np.abs(radius - 0.3).max() < 1e-6
    (outer,) = [region for region in found.regions if region.label == 1]
    (hole,) = [region for region in found.regions if region.label == 0]
    assert len(outer.rings) == 1
    assert len(hole.rings) == 2
    assert min(area([ring]) for ring in hole.rings) < 0 < max(area([ring]) for ring in hole.rings)


def test_tolerance_bounds_the_distance_to_the_boundary():
    for tolerance in (1e-3, 1e-5, 1e-9):
        (line,) = divide(circle, 21, tolerance=tolerance).boundaries
        radius = np.hypot(line.points[:, 0] - 0.47, line.points[:, 1] - 0.52)
        assert np.abs(radius - 0.3).max() < tolerance


def test_bends_are_followed():
    """A boundary that turns inside a cell is not cut off there."""

    def tip(p):
        return (np.abs(p[:, 1] - 0.503) < 0.3 * np.sqrt(np.clip(0.52 - p[:, 0], 0, None))).astype(
            int
        )

    found = divide(tip, 11)
    exact = 2 * 0.3 * 0.52**1.5 / 1.5
    assert areas(found)[1] == pytest.approx(exact, rel=1e-2)
    points = np.concatenate([line.points for line in found.boundaries])
    assert points[:, 0].max() == pytest.approx(0.52, abs=2e-3)


def test_three_regions_meet_in_one_point():
    found = divide(sectors, 11, refine=8)
    assert len(found.boundaries) == 3
    ends = np.array([line.points[[0, -1]] for line in found.boundaries]).reshape(-1, 2)
    near = ends[np.hypot(*(ends - [0.523, 0.437]).T) < 0.02]
    assert len(near) == 3
    assert np.ptp(near, axis=0).max() == 0
    assert np.hypot(*(near[0] - [0.523, 0.437])) < 0.1 / 2**8 * 2


def test_a_saddle_keeps_the_partition():
    def saddle(p):
        return ((p[:, 0] - 0.501) * (p[:, 1] - 0.499) > 1e-5).astype(int)

    found = divide(saddle, 6)
    check_sound(found, saddle)
    assert areas(found)[1] == pytest.approx(0.5, abs=2e-3)


def test_several_changes_on_one_edge_are_told_apart():
    def bands(p):
        return np.digitize(p[:, 0], [0.32, 0.41, 0.47])

    found = divide(bands, 3)
    assert areas(found) == pytest.approx({0: 0.32, 1: 0.09, 2: 0.06, 3: 0.53}, abs=1e-6)
    assert [line.labels for line in found.boundaries] == [(0, 1), (1, 2), (2, 3)]
    assert all(len(line.points) == 2 for line in found.boundaries)


def test_a_strip_thinner_than_the_smallest_cell_is_a_line():
    def thin(p):
        return np.digitize(p[:, 1], [0.333, 0.333 + 1e-5])

    found = divide(thin, 11)
    assert [line.labels for line in found.boundaries] == [(0, 2)]
    assert areas(found) == pytest.approx({0: 0.333, 2: 0.667}, abs=2e-5)


def test_labels_that_hold_on_an_edge_only():
    def floor(p):
        return np.where(p[:, 1] == 0, 7, (p[:, 0] > 0.35).astype(int))

    found = divide(floor, 11)
    check_sound(found, floor)
    assert set(areas(found)) == {0, 1, 7}
    assert areas(found)[7] < 1e-5
    assert areas(found)[1] == pytest.approx(0.65, abs=1e-5)


def test_one_label_everywhere():
    found = divide(lambda p: np.full(len(p), 3), 5)
    assert areas(found) == {3: 1.0}
    assert found.boundaries == ()
    (region,) = found.regions
    assert region.rings[0].tolist() == [[0, 0], [1, 0], [1, 1], [0, 1]]


def test_units_do_not_matter():
    def scaled(p):
        return circle(np.column_stack([(p[:, 0] + 5) / 10, p[:, 1] / 1e-3]))

    found = divide(scaled, 21, x=(-5.0, 5.0), y=(0.0, 1e-3))
    assert areas(found)[1] == pytest.approx(areas(divide(circle, 21))[1] * 1e-2, rel=1e-5)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(2, 9), st.integers(0, 4))
def test_any_labels_make_a_partition(seed, n, refine):
    """Waves of several labels, however badly resolved."""
    waves = np.random.default_rng(seed)
    slopes, shifts = waves.normal(0, 9, (3, 2)), waves.uniform(0, 7, 3)

    def label_at(p):
        heights = np.sin(p @ slopes.T + shifts)
        return np.argmax(heights, axis=1) + 3 * (heights.max(axis=1) > 0.9)

    found = divide(label_at, n, refine=refine)
    check_sound(found, label_at)
    drawn = sum(len(line.points) - 1 for line in found.boundaries)
    assert (drawn > 0) == (len(found.regions) > 1)


def test_the_first_label_is_on_the_left():
    for line in divide(sectors, 11).boundaries:
        middle = len(line.points) // 2
        p, q = line.points[middle - 1], line.points[middle]
        along = (q - p) / np.hypot(*(q - p))
        left = (p + q) / 2 + 1e-4 * np.array([-along[1], along[0]])
        right = (p + q) / 2 - 1e-4 * np.array([-along[1], along[0]])
        assert tuple(sectors(np.array([left, right]))) == line.labels
