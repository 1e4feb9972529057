"""Random games against the payoff by hand and a slow search for equilibria, both in tests.oracle."""

from __future__ import annotations

import numpy as np
import pytest

from alliancegame.solve.aggregative import solve_plan
from alliancegame.solve.nash import certify, solve_nash
from alliancegame.solve.result import Equilibrium
from tests.oracle import Hand
from tests.problems import FAMILIES, FURTHER, alliance, nato_like, random_alliance

GAMES, BATCH = 40, 8
SEEDS = [range(start, start + BATCH) for start in range(0, GAMES, BATCH)]


def assert_described(found: Equilibrium, hand: Hand) -> None:
    """Payoffs, influence, security and trust of the profile are those of the oracle."""
    x = found.burdens.tolist()
    assert found.payoffs == pytest.approx(hand.payoffs(x), rel=1e-12, abs=1e-12)
    assert found.influences == pytest.approx(hand.influences(x), rel=1e-12, abs=1e-14)
    assert found.securities == pytest.approx(hand.securities(x), rel=1e-12)
    assert found.operating_trust == pytest.approx(hand.trusts(), rel=1e-13)


@pytest.mark.parametrize(
    ("family", "seeds"),
    [
        *((family, seeds) for family in FAMILIES for seeds in SEEDS),
        *(
            pytest.param(family, seeds, marks=pytest.mark.long if "m<1" in family else ())
            for family in FURTHER
            for seeds in SEEDS[:2]
        ),
    ],
    ids=str,
)
def test_solver_and_slow_search_agree(family: str, seeds: range) -> None:
    """The solver's equilibrium is one by brute force, and the search ends in one the solver knows."""
    for seed in seeds:
        game, plan = random_alliance(np.random.default_rng([seed, 2024]), family)
        found, hand = solve_nash(game, plan), Hand(game, plan)
        assert found.certificate.verdict == "certified", seed
        assert_described(found, hand)
        for one in (found, *found.others):
            assert max(hand.gains(one.burdens.tolist(), 100)) < 1e-10, seed
        searched = hand.equilibrium(sweeps=400)
        assert searched.settled, seed
        distance = min(
            np.abs(one.burdens - searched.burdens).max() for one in (found, *found.others)
        )
        assert distance < 1e-9, seed


@pytest.mark.parametrize("family", list(FAMILIES))
def test_the_search_reaches_one_equilibrium_from_anywhere_if_uniqueness_is_proven(
    family: str,
) -> None:
    rng = np.random.default_rng(99)
    for _ in range(10):
        game, plan = random_alliance(rng, family)
        found, hand = solve_nash(game, plan), Hand(game, plan)
        if found.certificate.unique != "proven":
            continue
        low, high = game.by_member("burden_min"), game.by_member("burden_max")
        for share in (0.001, 0.9):
            searched = hand.equilibrium((low + share * (high - low)).tolist(), sweeps=400)
            assert np.abs(found.burdens - searched.burdens).max() < 1e-9


@pytest.mark.parametrize("seed", range(12))
def test_contests_with_increasing_returns(seed: int) -> None:
    """Payoffs are not concave: what is found is an equilibrium by brute force, or nothing is."""
    rng = np.random.default_rng([seed, 7])
    game, plan = random_alliance(rng, "log, share, m<1")
    game = game.replace(decisiveness=float(rng.choice([1.3, 2.0])))
    found, hand = solve_nash(game, plan, throw=False), Hand(game, plan)
    if found.certificate.verdict == "unverified":
        assert "no equilibrium" in found.message
        return
    gain = max(hand.gains(found.burdens.tolist(), 1000))
    assert gain == pytest.approx(found.certificate.regret, abs=1e-9)
    assert found.certificate.verdict == "certified"
    assert found.certificate.unique != "proven" or not any(game.by_member("influence_weight"))


@pytest.mark.parametrize("n", [3, 8, 20, 60])
@pytest.mark.parametrize("spill", [0.6, 0.95, 1.0])
def test_strong_strategic_substitutes(n: int, spill: float) -> None:
    """K2 with many members: simultaneous replies diverge ever faster, the joint Newton does not care."""
    rng = np.random.default_rng(n)
    theta = rng.uniform(0.5, 1.0, n)
    game = alliance(
        (1,) * n, theta, consumption="linear", spillin=spill, umbrella=spill, return_spillin=spill,
        private_weight=0.01,
    )  # fmt: skip
    found = solve_nash(game)
    assert found.certificate.verdict == "certified"
    assert found.certificate.unique == "proven"
    hand = Hand(game)
    assert (
        max(abs(hand.reply(i, found.burdens.tolist()) - found.burdens[i]) for i in range(0, n, 5))
        < 1e-9
    )
    assert solve_plan(game, found.plan).column("steps")[0] < 40


def test_a_large_unequal_alliance() -> None:
    """31 members, five orders of magnitude of GDP: every burden chosen beforehand comes back."""
    game, burdens = nato_like(31, seed=12)
    found = solve_nash(game)
    assert found.burdens == pytest.approx(burdens, rel=1e-10)
    assert_described(found, Hand(game))
    assert certify(game, burdens).verdict == "certified"
