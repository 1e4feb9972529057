"""All equilibria of best shot: champions, exhaustive grids, games without any equilibrium."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import alliancegame as ag
from alliancegame.solve import extremes
from alliancegame.solve.extremes import best
from alliancegame.solve.extremes.problem import problem
from tests.solve.extremes.by_hand import Extreme, extreme_game, random_extreme


def profiles(found: extremes.Found) -> list[tuple[float, ...]]:
    return sorted(tuple(np.round(e.burdens, 9)) for e in found.equilibria)


@pytest.mark.parametrize("n", [2, 3, 6])
def test_hirshleifer_one_equilibrium_for_each_champion(n: int) -> None:
    """Hirshleifer 1983: one provides theta / (1 + theta), the others nothing."""
    found = extremes.equilibria(extreme_game("best-shot", n))
    assert found.completeness == "proven"
    assert profiles(found) == sorted(
        tuple(0.2 if i == k else 0.0 for i in range(n)) for k in range(n)
    )


def test_the_best_for_the_leader_stands_first() -> None:
    """An ally is the champion: the leader has everything and pays nothing."""
    found = ag.solve_nash(extreme_game("best-shot"))
    assert found.multiple
    assert len(found.others) == 2
    assert found.burdens[0] == 0.0
    assert found.savings == 1.0
    paying = found.others[-1]
    assert paying.savings == pytest.approx(0.0, abs=1e-12)


def test_others_still_spend_their_private_optimum() -> None:
    """With h and alpha the others' condition is x / (1 - x) = h + alpha (1 - p)."""
    game = extreme_game("best-shot", private_weight=0.02, influence_weight=0.01)
    found = extremes.equilibria(game)
    assert len(found.equilibria) == 3
    assert found.completeness == "proven"
    for one in found.equilibria:
        champion = int(np.argmax(one.burdens))
        weight = 0.02 + 0.01 * (1 - one.influences) + 0.25 * (np.arange(3) == champion)
        np.testing.assert_allclose(one.burdens / (1 - one.burdens), weight, rtol=1e-10)


def test_small_members_cannot_be_champions() -> None:
    """A twentieth of the size: its forces are worth less to the others than their own."""
    game = extreme_game("best-shot", gdp=[20.0, 1.0, 1.0])
    found = extremes.equilibria(game)
    assert profiles(found) == [(0.2, 0.0, 0.0)]
    assert ag.solve_nash(game).certificate.unique == "proven"


def test_without_spill_ins_everybody_is_on_its_own() -> None:
    game = extreme_game("best-shot", spillin=0.0, umbrella=0.0, return_spillin=0.0)
    found = extremes.equilibria(game)
    np.testing.assert_allclose(found.equilibria[0].burdens, 0.2, rtol=1e-12)
    assert found.single
    assert found.unique[0] == "proven"


def odd_circle() -> ag.BurdenSharingGame:
    """The leader covers B, B covers A, A covers the leader, and nobody else covers anybody."""
    return extreme_game(
        "best-shot", gdp=[2.0, 10.0, 1.0], umbrella=[0, 0, 1.0], spillin=[0, 1e3, 0], return_spillin=0.3,
    )  # fmt: skip


def test_an_odd_circle_has_no_equilibrium() -> None:
    game = odd_circle()
    found = extremes.equilibria(game)
    assert (found.equilibria, found.completeness) == ((), "proven")
    assert found.cycle is not None
    assert len(found.cycle) >= 6
    hand = Extreme(game)
    for before, after in itertools.pairwise(found.cycle):  # Each step is a best reply that gains.
        (i,) = np.flatnonzero(~np.isclose(before, after))
        assert hand.payoff(i, after) > hand.payoff(i, before) + 1e-6
    np.testing.assert_allclose(found.cycle[0], found.cycle[-1], atol=1e-9)
    assert not hand.grid_equilibria([0.0, 0.05, 0.1, 0.2, 0.3])
    with pytest.raises(ag.errors.ConvergenceError, match="there is no pure one"):
        ag.solve_nash(game)


def test_a_model_without_equilibrium() -> None:
    """Every one of the 16 assignments of roles leaves somebody who gains, in three-allies."""
    game = ag.load_model("three-allies").replace(technology="best-shot")
    faced, hand = problem(game, ag.Plan()), Extreme(game)
    for own in itertools.product((True, False), repeat=game.size):
        roles = np.array([own, np.logical_not(own), np.zeros(game.size, dtype=bool)])
        x, _ = best.settle(faced, roles, faced.high)
        gains = [hand.best_deviation(i, list(x), 100)[1] for i in hand.players]
        assert max(gains) > 1e-5
    found = extremes.equilibria(game)
    assert (found.equilibria, found.completeness) == ((), "proven")
    assert found.cycle is not None


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"spillin": [1, 0.5, 0.3]},
        {"umbrella": 0.4, "return_spillin": 0.6},
        {"gdp": [1.0, 1.5, 0.7]},
        {"gdp": [1.0, 3.0, 2.0], "spillin": 0.2, "return_spillin": 0.1},
    ],
)
def test_every_profile_of_a_grid_agrees(changes: dict[str, object]) -> None:
    """Champions spend 20 % whatever their size, the others nothing: both are points of the grid."""
    game = extreme_game("best-shot", **changes)
    levels = [round(0.025 * k, 10) for k in range(13)]
    found = extremes.equilibria(game)
    assert set(profiles(found)) == Extreme(game).grid_equilibria(levels)
    assert found.completeness == "proven"


def every_assignment(game: ag.BurdenSharingGame, plan: ag.Plan) -> list[np.ndarray]:
    """Equilibria by trying all roles of everybody, 3^n, without any bound."""
    faced = problem(game, plan)
    found: list[np.ndarray] = []
    for roles in itertools.product(range(3), repeat=game.size):
        allowed = np.zeros((3, game.size), dtype=bool)
        allowed[list(roles), range(game.size)] = True
        x, _ = best.settle(faced, allowed, faced.high)
        if faced.gains(x).max() <= 1e-10 and not any(np.allclose(x, y, rtol=1e-7) for y in found):
            found.append(x)
    return found


@settings(max_examples=4)
@given(st.integers(0, 10**6))
def test_branching_loses_nothing(seed: int) -> None:
    game, plan = random_extreme(seed, "best-shot")
    game = game.replace(influence_value="log")
    found = extremes.equilibria(game, plan)
    assert found.completeness == "proven"
    slow = every_assignment(game, plan)
    assert len(slow) == len(found.equilibria)
    for one in found.equilibria:
        assert any(np.allclose(one.burdens, x, rtol=1e-6) for x in slow)
        assert max(Extreme(game, plan).gains(list(one.burdens), 150)) <= 1e-9


def test_a_threat_makes_an_ally_spend_up_to_the_demand() -> None:
    """Covered by the leader alone, the allies stop exactly at the kink."""
    game = extreme_game("best-shot", private_weight=0.02, influence_weight=0.01)
    answer = ag.respond(game, ag.Plan(threat=0.5, demand=0.1, burden=0.2))
    np.testing.assert_array_equal(answer.burdens, [0.2, 0.1, 0.1])
    assert answer.certificate.verdict == "certified"
    assert answer.certificate.unique == "proven"


def test_share_influence_is_searched_and_says_so() -> None:
    game = extreme_game(
        "best-shot", private_weight=0.02, influence_weight=0.01, influence_value="share"
    )
    found = extremes.equilibria(game)
    assert found.completeness == "not known"
    assert sorted(int(np.argmax(e.burdens)) for e in found.equilibria) == [0, 1, 2]


def test_a_large_alliance() -> None:
    """The flagship's 31 members: enumerated, not searched."""
    game = ag.load_model("nato-2024").replace(technology="best-shot")
    found = extremes.equilibria(game, ag.Plan(threat=0.5))
    assert found.completeness == "proven"
    assert len(found.equilibria) == 1
    assert found.equilibria[0].certificate.verdict == "certified"
