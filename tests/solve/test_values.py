"""Shapley and Banzhaf: published values, the definition by permutations, axioms, samples."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import alliancegame as ag
from alliancegame.errors import CoalitionSizeError, InvalidValueError, UnknownNameError
from alliancegame.game.coalition import CoalitionGame
from tests.coalitions import airport, gloves, random_game, security_council

WORTHS = st.integers(2, 5).flatmap(
    lambda n: st.lists(st.integers(-50, 50), min_size=2**n - 1, max_size=2**n - 1)
)


def made(worths: list[int]) -> CoalitionGame:
    return CoalitionGame([0.0, *worths])


def by_orders(game: CoalitionGame) -> list[float]:
    """The definition: the mean over all n! orders of arrival."""
    total = dict.fromkeys(game.players, Fraction(0))
    for order in itertools.permutations(game.players):
        for k, player in enumerate(order):
            total[player] += Fraction(game(order[: k + 1])) - Fraction(game(order[:k]))
    return [float(total[p] / math.factorial(game.size)) for p in game.players]


def by_coalitions(game: CoalitionGame) -> list[float]:
    """The definition of Banzhaf: the mean over all coalitions of the others."""
    found = []
    for player in game.players:
        others = [p for p in game.players if p != player]
        swings = [
            game((*s, player)) - game(s)
            for r in range(len(others) + 1)
            for s in itertools.combinations(others, r)
        ]
        found.append(math.fsum(swings) / len(swings))
    return found


def test_gloves() -> None:
    assert ag.shapley(gloves(1, 2)).values == pytest.approx([2 / 3, 1 / 6, 1 / 6], abs=1e-15)
    assert ag.banzhaf(gloves(1, 2)).values == pytest.approx([3 / 4, 1 / 4, 1 / 4], abs=1e-15)


def test_security_council() -> None:
    """Shapley and Shubik (1954): 421/2145 and 4/2145; Banzhaf: 848 and 84 of 5080 swings."""
    game = security_council()
    assert ag.shapley(game).values == pytest.approx([421 / 2145] * 5 + [4 / 2145] * 10, abs=1e-15)
    power = ag.banzhaf(game, normalised=True)
    assert power.values == pytest.approx([848 / 5080] * 5 + [84 / 5080] * 10, abs=1e-15)
    assert power.total == 1.0


def test_airport() -> None:
    """Littlechild and Owen (1973): every part of the runway is shared by those who need it."""
    costs = [3.0, 5.0, 5.0, 9.0, 16.0]
    shares = np.cumsum(np.diff([0.0, *costs]) / np.arange(5, 0, -1))
    assert ag.shapley(airport(costs)).values == pytest.approx(-shares, abs=1e-13)


@pytest.mark.parametrize("family", ["continuous", "rough", "simple"])
@pytest.mark.parametrize("n", [1, 2, 5, 6])
def test_against_the_definitions(family: str, n: int) -> None:
    game = random_game(np.random.default_rng(n), n, family)
    assert ag.shapley(game).values == pytest.approx(by_orders(game), abs=1e-13)
    assert ag.banzhaf(game).values == pytest.approx(by_coalitions(game), abs=1e-13)


@given(WORTHS)
def test_efficiency_and_dummy(worths: list[int]) -> None:
    game = made(worths)
    assert ag.shapley(game).values.sum() == pytest.approx(game.grand, abs=1e-11)
    # One more player, who adds 7 to whatever there is.
    more = CoalitionGame(np.concatenate([game.values, game.values + 7.0]))
    for rule in (ag.shapley, ag.banzhaf):
        assert rule(more).values == pytest.approx([*rule(game).values, 7.0], abs=1e-11)


@given(WORTHS, st.data())
def test_additivity_and_symmetry(worths: list[int], data: Any) -> None:
    one = made(worths)
    others = st.lists(st.integers(-50, 50), min_size=len(worths), max_size=len(worths))
    other = made(data.draw(others))
    order = data.draw(st.permutations(range(one.size)))
    renamed = CoalitionGame(lambda s: one([order[k] for k in s]), range(one.size))
    for rule in (ag.shapley, ag.banzhaf):
        both = CoalitionGame(2 * one.values + other.values)
        assert rule(both).values == pytest.approx(
            2 * rule(one).values + rule(other).values, abs=1e-10
        )
        assert rule(renamed).values == pytest.approx(rule(one).values[list(order)], abs=1e-11)


@pytest.mark.parametrize("rule", [ag.shapley, ag.banzhaf])
def test_samples_agree_with_exact_values(rule: Any) -> None:
    game = random_game(np.random.default_rng(4), 7, "continuous")
    exact = rule(game)
    sampled = rule(game, method="sampled", samples=3000, seed=11)
    again = rule(game, method="sampled", samples=3000, seed=11)
    assert sampled.values.tolist() == again.values.tolist()
    errors = np.abs(sampled.values - exact.values) / sampled.standard_errors
    assert sampled.standard_errors.min() > 0
    assert errors.max() < 4
    assert sampled.samples == 3000
    if rule is ag.shapley:
        assert sampled.values.sum() == pytest.approx(game.grand, abs=1e-11)


@pytest.mark.parametrize("rule", [ag.shapley, ag.banzhaf])
def test_standard_errors_are_as_large_as_the_errors(rule: Any) -> None:
    """Over many seeds, errors in units of their standard error have a mean square of about 1."""
    game = random_game(np.random.default_rng(5), 5, "continuous")
    exact = rule(game).values
    runs = [rule(game, method="sampled", samples=200, seed=s) for s in range(150)]
    ratio = np.array([(run.values - exact) / run.standard_errors for run in runs])
    assert 0.8 < np.sqrt((ratio**2).mean()) < 1.2


def test_beyond_twenty_players_values_are_sampled() -> None:
    """A majority of 25 equal votes: 1/25 each, known without sampling."""
    game = CoalitionGame(lambda s: float(len(s) >= 13), range(25))
    found = ag.shapley(game, samples=2000, seed=3)
    assert (np.abs(found.values - 0.04) < 5 * found.standard_errors).all()
    assert found.values.sum() == pytest.approx(1.0)
    assert "sampled, 2000 draws" in found.method
    assert "standard_error" in found.to_frame()
    with pytest.raises(CoalitionSizeError, match="at most 20 players, got 25"):
        ag.shapley(game, method="exact")


def test_results_travel() -> None:
    for found in (ag.shapley(gloves(2, 1)), ag.banzhaf(gloves(2, 1), method="sampled", samples=8)):
        from alliancegame.solve.result import result_from_dict

        back = result_from_dict(found.to_dict())
        assert back.values.tolist() == found.values.tolist()
        assert back.to_dict() == found.to_dict()
    assert found["l1"] == found.value["l1"]
    assert "shapley" in repr(ag.shapley(gloves(2, 1)))
    with pytest.raises(UnknownNameError, match="player"):
        found["x"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "exakt"}, "Did you mean 'exact'"),
        (
            {"method": "sampled", "samples": 3},
            "samples must be a whole number, from 4 to 100,000,000, got 3",
        ),
        ({"method": "sampled", "samples": 10.5}, "samples"),
        ({"method": "sampled", "seed": -1}, "seed must be a whole number"),
        ({"method": "sampled", "seed": None}, "seed"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    for rule in (ag.shapley, ag.banzhaf):
        with pytest.raises((InvalidValueError, UnknownNameError), match=message):
            rule(gloves(1, 1), **options)


def test_what_is_no_game() -> None:
    for rule in (ag.shapley, ag.banzhaf, ag.core, ag.nucleolus):
        with pytest.raises(InvalidValueError, match="needs a CoalitionGame, got dict"):
            rule({frozenset("a"): 1.0})
    with pytest.raises(InvalidValueError, match="cannot be normalised"):
        ag.banzhaf(CoalitionGame([0, 0, 0, 0]), normalised=True)
