"""The engine: Newton against its safeguard, batches against single games, warm against cold."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from alliancegame.errors import InvalidValueError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.aggregative import (
    FAILED,
    NEWTON,
    SAFEGUARD,
    ZERO_TRUST,
    best_deviations,
    concave_in_own_burden,
    marginal_payoffs,
    solve_plan,
    solve_plans,
)
from tests.oracle import Hand
from tests.problems import BANK, Problem, alliance, nato_like, random_alliance

KNOWN = [p for p in BANK.values() if p.burdens is not None]
UNIQUE = [p for p in KNOWN if not p.others]
"""With several equilibria, a warm start may rightly end in another one."""


def ids(problem: Problem) -> str:
    return problem.name


@pytest.fixture(scope="module")
def nato() -> BurdenSharingGame:
    return nato_like()[0]


# --- Newton and its safeguard ---------------------------------------------------------------------


@pytest.mark.parametrize("problem", KNOWN, ids=ids)
def test_newton_and_share_functions_agree_on_responses(problem: Problem) -> None:
    fast = solve_plan(problem.game, problem.committed)
    slow = solve_plan(problem.game, problem.committed, safeguard_only=True)
    assert slow.column("status")[0] == SAFEGUARD
    assert fast.column("status")[0] in (NEWTON, SAFEGUARD)
    assert slow.burden[0] == pytest.approx(fast.burden[0], rel=1e-10, abs=1e-12)


@pytest.mark.parametrize(
    "name",
    ["K1", "K2", "K5", "K8", "symmetric log", "corner contributors", "designed, trust impact",
     "designed, stationary trust", "designed, linear", "all at the upper bound"],
)  # fmt: skip
def test_newton_and_share_functions_agree_on_nash(name: str) -> None:
    problem = BANK[name]
    slow = solve_plan(problem.game, problem.plan, safeguard_only=True)
    assert slow.column("status")[0] == SAFEGUARD
    assert slow.burden[0] == pytest.approx(
        problem.burdens, rel=max(1e-10, problem.digits), abs=1e-12
    )


@pytest.mark.parametrize("family", ["log, summation", "linear, summation"])
def test_newton_and_share_functions_agree_on_random_responses(family: str) -> None:
    rng = np.random.default_rng(21)
    for _ in range(40):
        game, plan = random_alliance(rng, family)
        plan = plan.replace(burden=0.5 * float(game.by_member("burden_max").min()))
        fast, slow = solve_plan(game, plan), solve_plan(game, plan, safeguard_only=True)
        assert slow.burden[0] == pytest.approx(fast.burden[0], rel=1e-9, abs=1e-11)


def test_the_safeguard_takes_over_where_newton_cannot_go() -> None:
    """Linear allies without influence jump from nothing to everything."""
    game = alliance((4, 2, 1, 2, 1), (0.3, 0.1, 0.2, 0.05, 0.1), consumption="linear")
    batch = solve_plan(game, Plan(burden=0.01))
    assert batch.column("status")[0] in (NEWTON, SAFEGUARD)
    assert (game.by_member("gdp") * batch.burden[0])[1:].sum() == pytest.approx(0.2 - 0.04)


# --- Batches --------------------------------------------------------------------------------------


def a_plane(game: BurdenSharingGame, problem_plan: Plan, seed: int = 0) -> tuple[Any, Any, Any]:
    """Scenarios around a plan, some without the leader's burden."""
    rng = np.random.default_rng(seed)
    count, n = 24, game.size
    threats = rng.uniform(0, 1, (count, n)) * (rng.random((count, 1)) < 0.8)
    demands = rng.uniform(0.2, 1.5, (count, 1)) * problem_plan.demand_by_member(game.members)
    low, high = (game.by_member(k)[game.members.leader_index] for k in ("burden_min", "burden_max"))
    burdens = low + (min(high, 0.2) - low) * rng.uniform(0.05, 1, count)
    burdens[::3] = np.nan
    return threats, np.minimum(demands, game.by_member("burden_max")), burdens


def one_by_one(game: BurdenSharingGame, plane: tuple[Any, Any, Any], **options: Any) -> list[Any]:
    return [
        solve_plans(game, *(part[s : s + 1] for part in plane), whole=True, **options)
        for s in range(len(plane[2]))
    ]


@pytest.mark.parametrize("problem", UNIQUE, ids=ids)
def test_batches_singles_warm_and_cold_agree(problem: Problem) -> None:
    plane = a_plane(problem.game, problem.plan)
    warm = solve_plans(problem.game, *plane, whole=True, warm=True)
    cold = solve_plans(problem.game, *plane, whole=True, warm=False)
    singles = one_by_one(problem.game, plane)
    for name in ("burden", "payoff", "influence", "security", "trust", "info"):
        there = getattr(cold, name)
        alone = np.vstack([getattr(s, name) for s in singles])
        assert np.array_equal(there, alone, equal_nan=True)
        if name != "info":
            # Newton stops when nobody could gain 1e-13; nearly free-riding allies then still
            # exchange some 1e-12 of burden.
            assert getattr(warm, name) == pytest.approx(there, rel=1e-11, abs=1e-11)
    assert warm.leader_payoff == pytest.approx(cold.leader_payoff, rel=1e-11, abs=1e-11)


def test_a_batch_without_member_arrays_says_the_same(nato: BurdenSharingGame) -> None:
    plane = a_plane(nato, Plan())
    whole, short = (solve_plans(nato, *plane, whole=wanted) for wanted in (True, False))
    assert np.array_equal(whole.info, short.info)
    assert whole.leader_payoff == pytest.approx(whole.payoff[:, 0], rel=1e-13)


def test_a_single_plan_is_a_batch_of_one(nato: BurdenSharingGame) -> None:
    plan = Plan(threat=0.4, demand=0.03, burden=0.03)
    batch = solve_plans(nato, np.array([0.4]), np.array([0.03]), np.array([0.03]), whole=True)
    single = solve_plan(nato, plan)
    for name in ("burden", "payoff", "influence", "security", "trust", "info"):
        assert np.array_equal(getattr(batch, name), getattr(single, name))


def test_uniform_and_targeted_pressure_are_one(nato: BurdenSharingGame) -> None:
    threats, burdens = np.linspace(0, 1, 7), np.full(7, 0.03)
    wide = np.repeat(threats[:, None], nato.size, axis=1)
    uniform = solve_plans(nato, threats, np.full(7, 0.04), burdens, whole=True)
    targeted = solve_plans(nato, wide, np.full_like(wide, 0.04), burdens, whole=True)
    assert np.array_equal(uniform.burden, targeted.burden)


def test_a_batch_never_dies_of_one_cell() -> None:
    """In the long run full threats leave no trust: those cells fail, and the others do not notice."""
    game = alliance(
        (3, 1, 1), 0.05, influence_weight=0.01, private_weight=0.004, decay=0.3, scarring=0.1,
        horizon="stationary",
    )  # fmt: skip
    threats = np.array([0.0, 0.5, 0.0, 1.0, 0.0])
    batch = solve_plans(game, threats, np.full(5, 0.05), np.full(5, np.nan), whole=True)
    assert batch.column("status").tolist() == [NEWTON, ZERO_TRUST, NEWTON, ZERO_TRUST, NEWTON]
    assert np.isnan(batch.leader_payoff[[1, 3]]).all()
    assert np.isnan(batch.burden[[1, 3]]).all()
    assert batch.burden[2] == pytest.approx(batch.burden[0], rel=1e-12)
    assert batch.burden[4] == pytest.approx(batch.burden[0], rel=1e-12)
    assert {NEWTON, SAFEGUARD, FAILED, ZERO_TRUST} == set(aggregative.REASONS)


# --- What a batch says of the leader and of trust -------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["designed, trust impact", "designed, rho=0.3", "designed, share m<1", "designed, linear"],
)
def test_leader_marginal_payoff_and_trust(name: str) -> None:
    problem = BANK[name]
    for burden in (0.01, 0.034, 0.05):
        plan = problem.plan.replace(burden=burden)
        batch, hand = solve_plan(problem.game, plan), Hand(problem.game, plan)
        x = batch.burden[0].tolist()
        assert batch.column("leader_marginal")[0] == pytest.approx(hand.slope(0, x), abs=1e-9)
        assert batch.column("mean_trust")[0] == pytest.approx(hand.mean_trust, rel=1e-13)
        assert batch.trust[0] == pytest.approx(hand.trusts(), rel=1e-13)
        assert batch.payoff[0] == pytest.approx(hand.payoffs(x), rel=1e-12)


def test_trust_unharmed_is_trust_without_a_threat_under_the_same_plan() -> None:
    problem = BANK["designed, trust impact"]
    batch = solve_plan(problem.game, problem.committed, unharmed=True)
    hand = Hand(problem.game, problem.committed, unharmed=True)
    assert batch.trust[0] == pytest.approx(hand.trusts(), rel=1e-14)
    assert batch.burden[0] == pytest.approx(hand.equilibrium().burdens, rel=1e-10)
    stationary = BANK["designed, stationary trust"]
    batch = solve_plan(stationary.game, stationary.committed, unharmed=True)
    assert batch.trust[0, 1:] == pytest.approx([0.9, 0.8, 1.0], rel=1e-14)  # The ceilings.


@pytest.mark.parametrize("problem", KNOWN, ids=ids)
def test_marginal_payoffs_are_slopes(problem: Problem) -> None:
    """At a kink: the one above the demand, which is also what the slope by hand takes there."""
    hand, x = Hand(problem.game, problem.plan), list(problem.burdens or ())
    x = [max(value, 1e-3) for value in x]
    found = marginal_payoffs(problem.game, np.array(x), problem.plan)
    assert found == pytest.approx([hand.slope(i, x) for i in range(hand.n)], rel=1e-9, abs=1e-9)


def test_marginal_payoffs_are_linear_in_the_weights() -> None:
    problem = BANK["designed, trust impact"]
    x = np.array(problem.burdens)
    parts = [
        marginal_payoffs(problem.game, x, problem.plan, weights=weights)
        for weights in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    ]
    bare = parts[0]
    weights = [
        problem.game.by_member(k) for k in ("security_weight", "influence_weight", "private_weight")
    ]
    total = bare + sum(w * (p - bare) for w, p in zip(weights, parts[1:], strict=True))
    assert total == pytest.approx(marginal_payoffs(problem.game, x, problem.plan), abs=1e-12)
    assert bare == pytest.approx(-1 / (1 - x))


@pytest.mark.parametrize("position", [0, 1, 3])
def test_the_leader_may_stand_anywhere(position: int) -> None:
    problem = BANK["designed, trust impact"]
    order = [1, 2, 3]
    order.insert(position, 0)
    facts = problem.game.to_dict()
    moved = BurdenSharingGame.from_dict(
        {
            name: [value[i] for i in order] if isinstance(value, list) else value
            for name, value in facts.items()
        }
    )
    plan = Plan(
        threat=problem.plan.threat_by_member(problem.game.members)[order],
        demand=problem.plan.demand_by_member(problem.game.members)[order],
    )
    assert moved.members.leader_index == position
    found = solve_plan(moved, plan).burden[0]
    assert found == pytest.approx(np.array(problem.burdens)[order], rel=1e-11)


# --- Deviations, concavity, the door --------------------------------------------------------------


def test_best_deviations_are_best_replies() -> None:
    problem = BANK["bunching"]
    hand = Hand(problem.game, problem.plan)
    x = np.array([0.04, 0.01, 0.02, 0.05, 0.03, 0.2])
    found = best_deviations(problem.game, x, problem.plan)
    for i in hand.allies:
        assert found.reply[i] == pytest.approx(hand.reply(i, x.tolist()), abs=1e-13)
        assert found.gain[i] == pytest.approx(hand.best_deviation(i, x.tolist())[1], abs=1e-14)
    assert (found.gain[0], found.reply[0]) == (0.0, 0.04)  # The plan binds the leader.
    assert found.payoff == pytest.approx(hand.payoffs(x.tolist()), rel=1e-13)


@pytest.mark.parametrize(
    ("forms", "concave"),
    [
        ({}, True),
        ({"decisiveness": 2.0}, True),
        ({"influence_value": "share"}, True),
        ({"influence_value": "share", "decisiveness": 0.5}, True),
        ({"influence_value": "share", "decisiveness": 1.5}, False),
        ({"influence_value": "share", "decisiveness": 1.5, "influence_weight": 0.0}, True),
        ({"substitution": -2.0}, True),
    ],
)
def test_concavity_is_claimed_only_where_it_is_proved(forms: dict[str, Any], concave: bool) -> None:
    game = alliance((2, 1), 0.05, **({"influence_weight": 0.01, "private_weight": 0.01} | forms))
    assert concave_in_own_burden(game) is concave


@pytest.mark.parametrize("problem", KNOWN, ids=ids)
def test_claimed_concavity_holds(problem: Problem) -> None:
    """Slopes by hand fall along every member's whole action set, across the kink too."""
    assert concave_in_own_burden(problem.game)
    hand, x = Hand(problem.game, problem.plan), list(problem.burdens or ())
    for i in list(hand.players)[:6]:
        low, high = hand.burden_min[i], hand.burden_max[i]
        points = [low + (high - low) * (k / 60) ** 3 for k in range(1, 60)]
        slopes = [hand.slope(i, x, point) for point in sorted([*points, hand.demand[i]])]
        assert all(b <= a + 1e-9 * abs(a) for a, b in itertools.pairwise(slopes))


def test_plans_are_checked_against_the_game() -> None:
    game = alliance((3, 2, 1), 0.05, burden_min=0.01, burden_max=(0.2, 0.04, 0.3))
    for burden in (0.005, 0.21):
        with pytest.raises(
            InvalidValueError, match=rf"burden of the plan.*\[0.01, 0.2\].*L, got {burden}"
        ):
            aggregative.check_plan(game, Plan(burden=burden))
    with pytest.raises(InvalidValueError, match=r"demand on A1 must be in \(0, 0.04\].*got 0.05"):
        aggregative.check_plan(game, Plan(threat=0.5, demand=0.05))
    aggregative.check_plan(game, Plan(demand=0.05))  # Nobody is threatened with it.
    aggregative.check_plan(game, Plan(threat={"A2": 0.5}, demand=0.05))


@pytest.mark.parametrize("family", ["log, summation", "linear, CES", "log, share, m<1"])
def test_the_search_in_the_kernel_finds_what_certify_finds(family: str) -> None:
    """Iterations stopped early leave profiles that are no equilibria: both must see by how much."""
    seen = 0
    for seed in range(30):
        game, plan = random_alliance(np.random.default_rng([seed, 11]), family)
        lead = game.by_member("burden_max")[game.members.leader_index]
        burden = 0.3 * lead if plan.burden is None else plan.burden
        held = plan.replace(burden=burden)
        batch = solve_plans(
            game,
            held.threat_by_member(game.members)[None, :],
            held.demand_by_member(game.members)[None, :],
            np.array([burden]),
            whole=True,
            search=True,
            tolerance=1e-3,
        )
        true = best_deviations(game, batch.burden[0], held).gain.max()
        assert batch.column("regret")[0] == pytest.approx(true, rel=1e-6, abs=1e-12)
        seen += true > 1e-9
    assert seen > 3
