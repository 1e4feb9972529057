"""Long-run levels of trust under the optimal policy: a Skiba point, its basins, its indifference."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import alliancegame as ag
from alliancegame import figures
from alliancegame.errors import InvalidValueError, UnsupportedFormError
from alliancegame.study.long_run import crossings

DECAY, RECOVERY, BASE, HALF = 0.5, 0.6, 0.05, 0.4


def impact(state, threat):
    return state[:, 0] * np.exp(-DECAY * threat)


def recover(state, threat):
    """Convex, then concave: slow for those who distrust most, but never nothing."""
    trust = state * np.exp(-DECAY * threat)[:, None]
    pace = BASE + (1 - BASE) * trust**4 / (trust**4 + HALF**4)
    return trust + RECOVERY * pace * (1 - trust)


LAW = ag.TrustMotion(impact=impact, recover=recover)


@pytest.fixture(scope="module")
def game():
    small = ag.load_model("three-allies")
    weights = dict(zip(small.members, small.by_member("influence_weight"), strict=True))
    return small.replace(influence_weight=weights | {"Leader": 0.002}, influence_value="share")


@pytest.fixture(scope="module")
def found(game):
    return ag.long_run_trust(game, 0.8, law=LAW)


@pytest.fixture(scope="module")
def sides(game, found):
    """Paths of the optimal policy from just below and just above the threshold."""
    (threshold,) = found.thresholds
    return [
        ag.solve_trust_path(
            game, "markov", periods=45, discount=0.8, tolerance=1e-6,
            law=dataclasses.replace(LAW, initial=(threshold + step,)),
        )
        for step in (-0.0005, 0.0005)
    ]  # fmt: skip


def test_two_levels_and_a_threshold_at_which_the_policy_jumps(found) -> None:
    low, high = found.levels
    (threshold,) = found.thresholds
    assert low < threshold < high
    assert found.residual <= 1e-6
    at = np.searchsorted(found.trust, threshold)
    assert found.threats[at - 2] > 0.9
    assert found.threats[at + 1] < 0.1
    for level in found.levels:
        assert np.interp(level, found.trust, found.ahead) == pytest.approx(level, abs=1e-4)


def test_the_threshold_separates_the_basins(found, sides) -> None:
    for path, level in zip(sides, found.levels, strict=True):
        assert path.states[-1, 0] == pytest.approx(level, abs=1e-3)
        assert path.certificate.verdict == "approximate"
    below, above = sides
    assert np.all(np.diff(below.states[:8, 0]) < 0)
    assert np.all(np.diff(above.states[:8, 0]) > 0)


def test_at_the_threshold_the_leader_is_indifferent(game, found, sides) -> None:
    """Independent of any policy: the two courses of threats, from the threshold itself."""
    law = dataclasses.replace(LAW, initial=found.thresholds)
    down, up = (
        ag.follow_trust_path(game, list(path.threats[:, 1]), 2, 0.8, law=law).value
        for path in sides
    )
    never = ag.follow_trust_path(game, [0.0], 2, 0.8, law=law).value
    assert down == pytest.approx(up, abs=1e-5)
    assert min(down, up) > never + 1e-4


def test_without_a_threshold_there_is_one_level(game) -> None:
    plain = ag.long_run_trust(game.replace(recovery=0.4, decay=0.4), 0.8)
    assert len(plain.levels) == 1
    assert plain.thresholds == ()
    still = ag.long_run_trust(ag.load_model("three-allies"), 0.95)
    assert still.levels == ()  # Recovery 0 and no threat: every trust stays.
    assert "stays" in still.headline()


def test_result_and_picture(found, tmp_path) -> None:
    found.to_json(tmp_path / "l.json")
    back = ag.load_result(tmp_path / "l.json")
    assert back.to_frame().equals(found.to_frame())
    assert back.levels == found.levels
    assert "threshold between" in found.headline()
    left, right = figures.long_run(found).axes
    dots = [
        line.get_xdata()[0]
        for line in left.lines
        if line.get_marker() == "o" and len(line.get_xdata())
    ]
    assert sorted(dots) == pytest.approx(sorted([*found.levels, *found.thresholds]))
    shown = right.lines[0].get_ydata()
    assert np.isnan(shown).sum() >= 1  # Broken where the policy jumps.
    assert np.nanmax(shown) == found.threats.max()


def test_bad_input(game) -> None:
    for bad in (None, 0, 1, "x", [], True, np.nan):
        with pytest.raises(InvalidValueError, match="discount"):
            ag.long_run_trust(game, bad)
        with pytest.raises(InvalidValueError, match="floor"):
            ag.long_run_trust(game, 0.8, floor=bad)
    with pytest.raises(InvalidValueError, match="needs a game"):
        ag.long_run_trust("nato-2024")
    with pytest.raises(InvalidValueError, match="TrustMotion"):
        ag.long_run_trust(game, 0.8, law=lambda r: r)
    with pytest.raises(UnsupportedFormError, match="one state"):
        ag.long_run_trust(game.replace(scarring=0.1), 0.8)


def test_slow_recovery_near_the_floor_does_not_hide_the_level_above_it() -> None:
    slow = ag.load_model("three-allies").replace(
        recovery=0.3, recovery_threshold=0.5, recovery_sharpness=6.0
    )
    found = ag.long_run_trust(slow, 0.5)
    assert found.levels == pytest.approx((0.9450,), abs=1e-4)
    assert "every level" not in found.headline()
    ((low, high),) = found.still  # (0.02 / 0.5)**6 of 0.3: some 1e-9 a period.
    assert low == pytest.approx(0.02)
    assert high < 0.03
    assert "[0.02, 0.02" in found.headline()
    for start in (0.1, 1.0):  # The map itself leads there from both sides.
        trust = start
        for _ in range(3000):
            trust = float(np.interp(trust, found.trust, found.ahead))
        assert trust == pytest.approx(found.levels[0], abs=2e-3)


def test_crossings_of_maps_with_levels_that_stay() -> None:
    trust = np.linspace(0.1, 1.0, 101)
    assert crossings(trust, trust)[2]
    to_stretch = np.where(trust > 0.5, trust - 0.1 * (trust - 0.5), trust)
    stable, unstable, everywhere = crossings(trust, to_stretch)
    assert not everywhere
    assert not len(unstable)
    assert trust[stable[0]] == pytest.approx(0.5, abs=0.01)  # Not the lower end.
    up = np.where(trust < 0.5, trust + 0.1 * (0.5 - trust), trust)
    stable, unstable, everywhere = crossings(trust, up)
    assert (everywhere, len(stable), len(unstable)) == (False, 1, 0)
    assert trust[stable[0]] == pytest.approx(0.5, abs=0.01)
    one = np.where(np.arange(101) < 8, trust, trust + 0.1 * (0.7 - trust))
    stable, _, everywhere = crossings(trust, one)
    assert not everywhere
    assert trust[stable[0]] == pytest.approx(0.7, abs=0.01)


def test_regimes_count_levels_where_recovery_near_the_floor_is_slow() -> None:
    slow = ag.load_model("three-allies").replace(recovery_threshold=0.5, recovery_sharpness=6.0)
    found = ag.trust_regimes(slow, {"recovery": [0.3], "discount": [0.5]})
    assert found.levels[0, 0] == 1
