"""Core, least core and nucleolus: published answers, Kohlberg's criterion, degenerate programs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import alliancegame as ag
from alliancegame.errors import CoalitionSizeError, ConvergenceError, EmptySetError
from alliancegame.game.coalition import CoalitionGame
from alliancegame.solve.coalitions import linear
from alliancegame.solve.result import result_from_dict
from tests.coalitions import (
    airport,
    bankruptcy,
    gloves,
    kohlberg,
    random_game,
    security_council,
)

FAMILIES = ["continuous", "rough", "simple"]


def least_core_by_brute_force(game: CoalitionGame) -> float:
    """The same program, with every row from the start, by another of SciPy's solvers."""
    from scipy.optimize import linprog

    n = game.size
    masks = np.arange(1, 2**n - 1)
    rows = np.column_stack([(masks[:, None] >> np.arange(n)) & 1, np.ones(len(masks))])
    found = linprog(
        np.append(np.zeros(n), 1.0), -rows, -game.values[masks],
        np.append(np.ones(n), 0.0)[None, :], [game.grand], (None, None), method="highs-ipm",
    )  # fmt: skip
    return float(found.fun)


# --- Published answers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estate", "division"),
    [
        (100, (100 / 3,) * 3),
        (200, (50, 75, 75)),
        (300, (50, 100, 150)),
        (500, (200 / 3, 500 / 3, 800 / 3)),
    ],
)
def test_bankruptcy_of_the_talmud(estate: float, division: Sequence[float]) -> None:
    """Aumann and Maschler (1985), who prove that the Talmud's divisions are nucleoli."""
    game = bankruptcy(estate, (100, 200, 300))
    found = ag.nucleolus(game)
    assert found.values == pytest.approx(division, abs=1e-11)
    assert found.values.sum() == pytest.approx(estate, abs=1e-11)
    assert kohlberg(game, division)


def talmud(estate: float, claims: Sequence[float]) -> list[float]:
    """Half of the claims by constrained equal awards, then equal losses: no linear program."""
    half = np.asarray(claims) / 2

    def equal_awards(amount: float) -> Any:
        low, high = 0.0, float(half.max())
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if np.minimum(half, middle).sum() < amount else (low, middle)
        return np.minimum(half, high)

    if estate <= half.sum():
        return list(equal_awards(estate))
    return list(np.asarray(claims) - equal_awards(float(sum(claims)) - estate))


@pytest.mark.parametrize("seed", range(8))
def test_bankruptcy_with_any_claims(seed: int) -> None:
    rng = np.random.default_rng(seed)
    claims = np.sort(rng.uniform(1, 100, 2 + seed % 6))
    estate = float(rng.uniform(0.05, 0.95) * claims.sum())
    found = ag.nucleolus(bankruptcy(estate, claims))
    assert found.values == pytest.approx(talmud(estate, claims), abs=1e-9)


def airport_nucleolus(costs: Sequence[float]) -> list[float]:
    """Littlechild (1974), as a recursion: costs rise, and one player stands at each."""
    paid: list[float] = []
    n = len(costs)
    for k in range(n - 1):
        paid.append(min((costs[i] - sum(paid)) / (i - k + 2) for i in range(k, n - 1)))
    return [*paid, costs[-1] - sum(paid)]


@pytest.mark.parametrize("costs", [(3, 5, 9, 16), (1, 1, 1, 10), (2, 2.5, 2.75, 8, 9, 9.5, 30)])
def test_airport(costs: Sequence[float]) -> None:
    game = airport(costs)
    found = ag.nucleolus(game)
    assert -found.values == pytest.approx(airport_nucleolus(costs), abs=1e-11)
    assert kohlberg(game, found.values)


def test_gloves_and_the_security_council() -> None:
    game = gloves(1, 2)
    found = ag.core(game)
    assert found.empty is False
    assert found.point is not None
    assert found.point.tolist() == pytest.approx([1, 0, 0], abs=1e-9)
    assert ag.nucleolus(game).values == pytest.approx([1, 0, 0], abs=1e-12)
    # Who has a veto has it all; those who have one are equal.
    assert ag.nucleolus(security_council()).values == pytest.approx([0.2] * 5 + [0] * 10, abs=1e-9)


def test_majority_has_no_core_and_says_why() -> None:
    game = CoalitionGame(lambda s: float(len(s) >= 2), ["a", "b", "c"])
    found = ag.core(game)
    assert found.empty is True
    assert found.point is None
    assert found.epsilon == pytest.approx(1 / 3)
    assert found.objection == pytest.approx({"{a, b}": 0.5, "{a, c}": 0.5, "{b, c}": 0.5})
    assert found.least_core_point.tolist() == pytest.approx([1 / 3] * 3)


def test_one_player_and_a_game_of_nothing() -> None:
    alone = CoalitionGame([0.0, 4.0], ["a"])
    assert ag.nucleolus(alone).values.tolist() == [4.0]
    assert ag.core(alone).epsilon == -math.inf
    assert ag.core(alone).empty is False
    nothing = CoalitionGame(np.zeros(16))
    assert ag.nucleolus(nothing).values == pytest.approx([0] * 4, abs=1e-15)
    assert ag.core(nothing).empty is False
    assert result_from_dict(ag.core(alone).to_dict()).epsilon == -math.inf


def test_additive_games_have_one_answer() -> None:
    game = CoalitionGame(lambda s: math.fsum(s), [0.1, 0.2, 0.7])
    for found in (ag.nucleolus(game), ag.core(game), ag.shapley(game)):
        assert found.values == pytest.approx([0.1, 0.2, 0.7], abs=1e-12)


# --- Random games --------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 9])
@pytest.mark.parametrize("pre", [False, True])
def test_kohlbergs_criterion(family: str, n: int, pre: bool) -> None:
    """Rough and simple games have many ties: programs with several optima at once."""
    for seed in range(3 if n < 9 else 1):
        game = random_game(np.random.default_rng(100 * n + seed), n, family)
        found = ag.nucleolus(game, pre=pre)
        assert kohlberg(game, found.values, pre=pre)
        assert found.values.sum() == pytest.approx(game.grand, abs=1e-9)
        assert (np.diff(found.levels) <= 1e-9).all()
        moved = found.values + 0.01 * (np.eye(n)[0] - 1 / n)
        assert not kohlberg(game, moved, pre=pre)  # The criterion tells points apart.


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n", [2, 4, 7, 10])
def test_least_core(family: str, n: int) -> None:
    game = random_game(np.random.default_rng(n), n, family)
    found = ag.core(game)
    assert found.epsilon == pytest.approx(least_core_by_brute_force(game), abs=1e-7)
    excess = game.excesses(found.values)[1:-1]
    assert excess.max() == pytest.approx(found.epsilon, abs=1e-9)
    assert found.empty == (found.epsilon > 1e-9)
    if found.objection:
        weights = {frozenset(map(int, k[1:-1].split(", "))): w for k, w in found.objection.items()}
        for player in game.players:
            cover = sum(w for s, w in weights.items() if player in s)
            assert cover == pytest.approx(1.0, abs=1e-9)
        assert sum(w * game(s) for s, w in weights.items()) > game.grand
    if not found.empty:
        nucleolus = ag.nucleolus(game).values
        assert game.excesses(nucleolus)[1:-1].max() <= 1e-9  # In the core, if there is one.


@given(st.integers(0, 10**6), st.sampled_from(FAMILIES), st.integers(2, 5))
def test_covariance(seed: int, family: str, n: int) -> None:
    """With worths in another unit and a gift to each player, shares move likewise."""
    rng = np.random.default_rng(seed)
    game = random_game(rng, n, family)
    factor, gifts = float(rng.choice([1e-3, 0.5, 7.0, 1e4])), rng.integers(-20, 20, n)
    other = CoalitionGame(lambda s: factor * game(s) + sum(float(gifts[k]) for k in s), range(n))
    expected = factor * ag.nucleolus(game).values + gifts
    assert ag.nucleolus(other).values == pytest.approx(expected, abs=1e-8 * max(factor, 1.0))


@given(st.integers(0, 10**6), st.sampled_from(FAMILIES))
def test_symmetry_and_anonymity(seed: int, family: str) -> None:
    rng = np.random.default_rng(seed)
    game = random_game(rng, 4, family)
    order = rng.permutation(4)
    renamed = CoalitionGame(lambda s: game([int(order[k]) for k in s]), range(4))
    found = ag.nucleolus(game).values
    assert ag.nucleolus(renamed).values == pytest.approx(found[order], abs=1e-8)


def test_rows_that_come_as_needed_change_nothing() -> None:
    """Nine players and more start with few rows; the value is that of all rows."""
    game = random_game(np.random.default_rng(2), 12, "continuous")
    assert ag.core(game).epsilon == pytest.approx(least_core_by_brute_force(game), abs=1e-7)
    found = ag.nucleolus(game)
    assert game.excesses(found.values)[1:-1].max() == pytest.approx(found.levels[0], abs=1e-9)


# --- What is refused -----------------------------------------------------------------------------


def test_no_imputation() -> None:
    game = CoalitionGame([0, 1, 1, 1.5])
    with pytest.raises(EmptySetError, match=r"v\(N\) = 1.5.*add up to 2.*pre=True"):
        ag.nucleolus(game)
    assert ag.nucleolus(game, pre=True).values == pytest.approx([0.75, 0.75])


def test_too_many_players() -> None:
    big = CoalitionGame(len, range(22))
    for rule in (ag.core, ag.nucleolus):
        with pytest.raises(CoalitionSizeError, match="got 22"):
            rule(big)


def test_wrong_answers_of_a_solver_are_found_out() -> None:
    """min x subject to x >= 1: a point outside, a point that is not best, prices that are false."""
    from types import SimpleNamespace

    def answer(x: float, price: float) -> Any:
        return SimpleNamespace(
            x=[x], ineqlin=SimpleNamespace(marginals=[-price]), eqlin=SimpleNamespace(marginals=[])
        )

    data = (
        np.ones(1),
        np.ones((1, 1)),
        np.ones(1),
        np.zeros((0, 1)),
        np.zeros(0),
        np.array([-np.inf]),
    )
    assert linear.checked(*data, answer(1.0, 1.0)).gap == 0.0
    for x, price in ((0.9, 1.0), (1.5, 1.0), (1.0, 0.4)):
        with pytest.raises(ConvergenceError, match="does not check"):
            linear.checked(*data, answer(x, price))
    with pytest.raises(ConvergenceError, match="not solved"):  # Unbounded.
        linear.minimise(np.ones(1), np.zeros((0, 1)), np.zeros(0), *data[3:])


def test_results_travel() -> None:
    found = ag.nucleolus(bankruptcy(200, (100, 200, 300)))
    back = result_from_dict(found.to_dict())
    assert type(back) is type(found)
    assert back.to_dict() == found.to_dict()
    assert back.levels.tolist() == found.levels.tolist()
    empty = ag.core(CoalitionGame(lambda s: float(len(s) >= 2), [1, 2, 3]))
    assert result_from_dict(empty.to_dict()).to_dict() == empty.to_dict()
