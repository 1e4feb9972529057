"""V(tau), the backfire threshold and break-even decay."""

from __future__ import annotations

import math

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import (
    AllianceGameError,
    InvalidValueError,
    UnknownNameError,
    ZeroTrustError,
)
from alliancegame.study.sweep import sweep


@pytest.fixture(scope="module")
def game():
    return ag.load_model("nato-2024")


@pytest.fixture(scope="module")
def found(game):
    return ag.backfire_threshold(game, demand=0.05)


def test_agrees_with_independent_rough_computations(found):
    assert found.best_gain == pytest.approx(0.51e-4, rel=0.02)
    assert found.best_gain_usd_bn == pytest.approx(1.4, abs=0.1)
    assert found.best == pytest.approx(0.23, abs=0.01)
    assert found.threshold == pytest.approx(0.457, abs=0.002)
    assert found.acceptable == ((0.0, found.threshold),)


def test_values_are_those_of_a_full_stackelberg_search(game, found):
    for threat in (0.0, 0.3, 1.0):
        i = int(np.argmin(np.abs(found.threats - threat)))
        s = ag.solve_stackelberg(game, ("burden",), threat=threat)
        assert found.values[i] == pytest.approx(s.leader_payoff, abs=1e-13)
        assert found.own_burdens[i] == pytest.approx(s.plan.burden, abs=1e-6)


def test_at_the_threshold_pressure_is_worth_nothing(game, found):
    v = [
        ag.solve_stackelberg(game, ("burden",), threat=t).leader_payoff
        for t in (0.0, found.threshold, found.threshold + 1e-3)
    ]
    assert v[1] == pytest.approx(v[0], abs=1e-11)
    assert v[2] < v[0]


def test_break_even_decay_makes_full_pressure_worth_nothing(game, found):
    (kappa,) = found.break_even_decay
    at = game.replace(decay=kappa)
    v = [ag.solve_stackelberg(at, ("burden",), threat=t).leader_payoff for t in (0.0, 1.0)]
    assert v[1] == pytest.approx(v[0], abs=1e-10)


def test_without_decay_it_never_backfires_and_with_a_high_one_at_once(game):
    free = ag.backfire_threshold(game.replace(decay=0.0))
    assert math.isnan(free.threshold)
    assert free.best == 1.0
    assert free.acceptable == ((0.0, 1.0),)
    dear = ag.backfire_threshold(game.replace(decay=0.8))
    assert dear.threshold == 0.0
    assert dear.best == 0.0
    assert dear.best_gain == 0.0


def test_acceptable_set_may_have_a_hole(game):
    """A trust cost that is steep at first: small threats hurt, a large one pays."""
    b = ag.backfire_threshold(ag.load_model("nato-2024").replace(curvature=0.25, decay=0.29))
    values = dict(zip(b.threats, b.gains, strict=True))
    for threat, gain in values.items():
        inside = any(low <= threat <= high for low, high in b.acceptable)
        assert inside == (gain >= -1e-12) or abs(gain) < 1e-9
    assert len(b.acceptable) == 2
    assert b.threshold == 0.0


def test_simultaneous_burden_is_nash(game):
    b = ag.backfire_threshold(game, burden="simultaneous", points=11)
    e = ag.solve_nash(game, ag.Plan(threat=0.5))
    assert b.values[5] == pytest.approx(e.leader_payoff, abs=1e-14)


def test_bad_input_and_round_trip(game, found, tmp_path):
    with pytest.raises(UnknownNameError, match="committed"):
        ag.backfire_threshold(game, burden="commited")
    with pytest.raises(AllianceGameError, match="demand"):
        ag.backfire_threshold(game, demand=0.0)
    with pytest.raises(InvalidValueError, match="break_even_threat"):
        ag.backfire_threshold(game, break_even_threat=0.0)
    found.to_json(tmp_path / "b.json")
    back = ag.load_result(tmp_path / "b.json")
    assert back.threshold == found.threshold
    assert np.array_equal(back.values, found.values)


@pytest.mark.parametrize("burden", ["committed", "simultaneous"])
def test_without_trust_there_is_nothing_to_compare_with(burden):
    gone = ag.load_model("three-allies").replace(trust=0.0)
    with pytest.raises(ZeroTrustError, match="trust of every ally is zero"):
        ag.backfire_threshold(gone, burden=burden)


def test_break_even_decay_of_a_small_threat_under_a_curved_law():
    """A threat of 0.05 with curvature 2 costs 1/400 of the decay: the root lies beyond 8."""
    game = ag.load_model("nato-2024").replace(curvature=2.0)
    found = ag.backfire_threshold(game, points=5, break_even_threat=0.05)
    (root,) = found.break_even_decay
    assert root == pytest.approx(11.0283, abs=1e-3)

    def gain(decay):
        held = game.replace(decay=decay)
        best = [
            ag.solve_stackelberg(held, ("burden",), threat=threat).leader_payoff
            for threat in (0.05, 0.0)
        ]
        return best[0] - best[1]

    assert gain(root * 0.99) > 0 > gain(root * 1.01)


def test_the_best_gain_is_that_of_the_best_threat():
    game = ag.load_model("three-allies")
    found = ag.backfire_threshold(game, points=11)
    held = ag.solve_stackelberg(game, ("burden",), threat=found.best).leader_payoff
    calm = ag.solve_stackelberg(game, ("burden",)).leader_payoff
    assert found.best_gain == pytest.approx(held - calm, abs=1e-11)
    assert found.best_gain > found.gains.max()
    swept = sweep(game, {"demand": [0.05]}, solve="backfire_threshold")
    exact = ag.backfire_threshold(game)
    assert float(swept.best_gain[0]) == exact.best_gain
    assert float(swept.best_gain_usd_bn[0]) == exact.best_gain_usd_bn


def test_a_simultaneous_burden_is_that_of_the_best_equilibrium():
    game = ag.BurdenSharingGame(
        list("Labcd"), "L", [2.76, 1, 1, 1, 1], 0.094, influence_weight=0.0036, private_weight=0.0017,
        umbrella=1.3, return_spillin=2.0, spillin=0.0, decay=0.3,
    )  # fmt: skip
    found = ag.backfire_threshold(game, 0.005, burden="simultaneous", points=3)
    alone = [
        ag.solve_nash(game, ag.Plan(threat=t, demand=0.005)).leader_payoff for t in found.threats
    ]
    assert found.values == pytest.approx(alone, abs=1e-10)
    assert found.best == 1.0


@pytest.mark.parametrize("points", [3.5, "a", True, 2, None])
def test_points_are_a_whole_number(points):
    with pytest.raises(InvalidValueError, match="points must be a whole number"):
        ag.backfire_threshold(ag.load_model("three-allies"), points=points)
