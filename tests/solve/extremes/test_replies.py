"""Payoffs, best replies and certificates of weakest link and best shot, against the payoff by hand."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import alliancegame as ag
from alliancegame.payoff import terms
from alliancegame.solve.extremes.problem import problem
from tests.solve.extremes.by_hand import Extreme, extreme_game, random_extreme

TECHNOLOGIES = st.sampled_from(["weakest-link", "best-shot"])


@settings(max_examples=10)
@given(st.integers(0, 10**6), TECHNOLOGIES)
def test_payoffs_and_gains_are_those_by_hand(seed: int, technology: str) -> None:
    game, plan = random_extreme(seed, technology)
    hand, faced = Extreme(game, plan), problem(game, plan)
    x = np.random.default_rng(seed).uniform(0.001, 0.4, game.size)
    x = np.where(faced.players, x, faced.low)
    burdens = list(x)
    np.testing.assert_allclose(faced.payoffs(x), hand.payoffs(burdens), rtol=1e-12)
    np.testing.assert_allclose(faced.securities(x), hand.securities(burdens), rtol=1e-12)
    np.testing.assert_allclose(faced.influences(x), hand.influences(burdens), rtol=1e-12)
    true = [
        hand.best_deviation(i, burdens, 150, 3)[1] if i in hand.players else 0.0
        for i in range(hand.n)
    ]
    np.testing.assert_allclose(faced.gains(x), true, atol=1e-9)


@settings(max_examples=8)
@given(st.integers(0, 10**6), TECHNOLOGIES)
def test_many_profiles_at_once_are_the_same(seed: int, technology: str) -> None:
    game, plan = random_extreme(seed, technology)
    faced = problem(game, plan)
    x = np.random.default_rng(seed).uniform(0.001, 0.4, (5, game.size))
    x[:, faced.lead] = x[:, faced.lead] if plan.burden is None else plan.burden
    replies, values = faced.replies(x)
    for one, reply, value in zip(x, replies, values, strict=True):
        np.testing.assert_allclose(reply, faced.replies(one)[0], rtol=1e-13)
        np.testing.assert_allclose(value, faced.replies(one)[1], rtol=1e-13)


@pytest.mark.parametrize("technology", ["weakest-link", "best-shot"])
def test_security_is_the_term_of_the_model(technology: str) -> None:
    game, plan = extreme_game(technology, spillin=[1, 0.8, 0.9], umbrella=0.7), ag.Plan(threat=0.5)
    x = np.array([0.04, 0.02, 0.06])
    term = terms.weakest_link if technology == "weakest-link" else terms.best_shot
    umbrella = sp.Rational(7, 10) * (1 - sp.Rational(1, 2) * (1 - sp.Rational(2, 5))) * 0.04
    expected = float(term([sp.Float(0.02), sp.Float(0.8 * 0.06), umbrella]))
    assert problem(game, plan).securities(x)[1] == pytest.approx(expected, rel=1e-14)


def test_the_limits_of_the_ces_are_approached() -> None:
    """With substitution -20 or far above 1 the CES is near the exact limit, from the right side."""
    x = np.array([0.04, 0.02, 0.06])
    least = problem(extreme_game("weakest-link"), ag.Plan()).securities(x)
    power = (x**-20.0).sum() ** (-1 / 20)
    assert np.all(least == 0.02)
    assert 0.9 < power / 0.02 <= 1.0


def test_a_local_optimum_is_no_equilibrium() -> None:
    """Nobody gains by a small step, and everybody by becoming the champion: the regret is the true one."""
    game = extreme_game("best-shot", private_weight=0.01)
    alone = 0.01 / 1.01
    champion = 0.26 / 1.26
    low = ag.certify(game, [alone] * 3)
    assert low.verdict == "unverified"
    # From the private optimum, where c' = h / x, to the champion's burden.
    gain = np.log((1 - champion) / (1 - alone)) + 0.26 * np.log(champion / alone)
    assert low.regret == pytest.approx(gain, rel=1e-9)
    slopes = [Extreme(game).payoff(0, [alone + d, alone, alone]) for d in (-1e-5, 0.0)]
    assert slopes[0] < slopes[1]


def test_two_champions_are_one_too_many() -> None:
    game = extreme_game("best-shot")
    wrong = ag.certify(game, [0.2, 0.2, 0.0])
    assert wrong.verdict == "unverified"
    assert wrong.regret == pytest.approx(-np.log(0.8), rel=1e-9)  # Stop spending: covered anyway.
    right = ag.certify(game, [0.2, 0.0, 0.0])
    assert (right.verdict, right.unique) == ("certified", "multiple")


def test_matched_below_the_kink_a_threat_moves_the_ally() -> None:
    """At 5 % each an umbrella at half trust binds, and the ally's gain is what a search finds."""
    game = extreme_game("weakest-link", private_weight=0.01)
    plan = ag.Plan(threat=0.5, demand=0.1, burden=0.05)
    made = ag.certify(game, [0.05] * 3, plan)
    hand = Extreme(game, plan)
    assert made.regret == pytest.approx(hand.best_deviation(1, [0.05] * 3)[1], rel=1e-6)
    assert made.verdict == "unverified"


def test_no_security_is_no_equilibrium() -> None:
    made = ag.certify(extreme_game("weakest-link"), [0.0, 0.0, 0.0])
    assert made.verdict == "unverified"
    assert made.regret == np.inf
