"""Derivatives of everybody's payoff in everybody's burden, against the payoff written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from alliancegame.payoff.slopes import aggregates, local, slopes, summed
from alliancegame.solve.planning.stages import stage_of
from tests.oracle import Hand
from tests.problems import BANK, FAMILIES, FURTHER, random_alliance

STEP = 1e-25


def slopes_by_hand(hand: Hand, x: list[float]) -> np.ndarray[Any, Any]:
    """Slope of member j's payoff in the burden of i, by complex steps; shape (j, i)."""
    found = np.empty((hand.n, hand.n))
    for i in range(hand.n):
        moved: list[Any] = list(x)
        moved[i] = complex(x[i], STEP)
        for j in range(hand.n):
            value = hand.payoff(j, moved)
            found[j, i] = value.imag / STEP if isinstance(value, complex) else 0.0
    return found


def close(found: Any, expected: Any, relative: float) -> bool:
    size = np.abs(expected).max(initial=1e-12)
    return bool(np.abs(found - expected).max() <= relative * size)


@pytest.mark.parametrize(
    "family",
    [*FAMILIES, *(pytest.param(f, marks=pytest.mark.long if "m<1" in f else ()) for f in FURTHER),
     pytest.param("log, summation", id="logistic", marks=pytest.mark.long)],
)  # fmt: skip
@pytest.mark.parametrize("seed", range(6))
def test_random_games(family: str, seed: int, request: pytest.FixtureRequest) -> None:
    rng = np.random.default_rng(seed)
    game, plan = random_alliance(rng, family)
    if "logistic" in request.node.callspec.id:
        game = game.replace(shortfall="logistic", width=0.02)
    hand, stage = Hand(game, plan), stage_of(game, plan)
    low, high = game.by_member("burden_min"), game.by_member("burden_max")
    x = low + (high - low) * rng.uniform(0.05, 0.6, game.size)
    found = slopes(stage, x)
    assert found.value == pytest.approx(hand.payoffs(x.tolist()), rel=1e-11, abs=1e-11)
    assert close(found.first, slopes_by_hand(hand, x.tolist()), 1e-10)
    weights, sums = rng.uniform(0, 2, game.size), aggregates(stage, x)
    value, first, second = summed(local(stage, x, sums.totals).weighted(weights), sums)
    assert value == pytest.approx(weights @ found.value)
    assert close(first, weights @ found.first, 1e-10)
    assert close(second, np.einsum("j,jih->ih", weights, found.second), 1e-10)
    for i in range(game.size):
        step = 1e-5 * x[i]
        up, down = x.copy(), x.copy()
        up[i], down[i] = x[i] + step, x[i] - step
        rate = (slopes_by_hand(hand, up.tolist()) - slopes_by_hand(hand, down.tolist())) / (
            2 * step
        )
        assert close(found.second[:, :, i], rate, 1e-5)
    assert np.abs(found.second - found.second.transpose(0, 2, 1)).max() <= 1e-9 * np.abs(
        found.second
    ).max(initial=1.0)


def test_terms_without_weight_are_absent() -> None:
    """Members that spend nothing and want nothing from it: no ln 0."""
    problem = BANK["K1"]
    x = np.array([0.4, 0.1, 0.0])
    found = slopes(stage_of(problem.game, problem.plan), x)
    assert np.isfinite(found.value).all()
    assert np.isfinite(found.first).all()
    assert np.isfinite(found.second).all()
    assert found.value == pytest.approx(Hand(problem.game).payoffs(x.tolist()))
