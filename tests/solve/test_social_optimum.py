"""The planner's optimum: closed forms, the payoff by hand, global searches, and what is proved."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import InvalidValueError, UnknownNameError, ZeroTrustError
from alliancegame.game.plan import Plan
from alliancegame.payoff.convex import program_optimum
from alliancegame.solve.nash import solve_nash
from alliancegame.solve.planning.ascent import climb
from alliancegame.solve.planning.planner import plan_burdens, problem_of
from alliancegame.solve.planning.share_search import reachable
from alliancegame.solve.planning.stages import stage_of
from alliancegame.solve.result import result_from_dict
from tests.oracle import Hand
from tests.problems import BANK, FAMILIES, alliance, random_alliance, symmetric

CHEAP = [
    name for name, problem in BANK.items()
    if problem.game.size <= 6 and problem.game.consumption == "log"
]  # fmt: skip


def best_by_evolution(hand: Hand, weights: Any, low: Any, high: Any, seed: int = 1) -> float:
    """SciPy's global optimiser on the payoff by hand, polished: no part of the library."""
    from scipy.optimize import differential_evolution

    def loss(x: Any) -> float:
        value = sum(w * hand.payoff(i, list(x)) for i, w in enumerate(weights) if w > 0)
        return 1e6 if math.isinf(value) else -value

    bounds = [(a + 1e-9 * (b - a), b) if b > a else (a, b) for a, b in zip(low, high, strict=True)]
    free = [k for k, (a, b) in enumerate(bounds) if b > a]

    def of_free(z: Any) -> float:
        x = np.array([a for a, _ in bounds])
        x[free] = z
        return loss(x)

    found = differential_evolution(
        of_free, [bounds[k] for k in free], seed=seed, tol=1e-10, popsize=8, maxiter=120
    )
    return -float(found.fun)


# --- Closed forms --------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 5, 9])
@pytest.mark.parametrize("weights", ["gdp", "equal"])
def test_k8(n: int, weights: str) -> None:
    """The known answer: Nash theta / n + h, the optimum theta + h."""
    game = alliance((1,) * n, 0.5, consumption="linear", private_weight=0.07)
    found = ag.solve_social_optimum(game, weights)
    assert found.burdens == pytest.approx([0.57] * n, abs=1e-12)
    assert found.certificate.verdict == "certified"
    assert solve_nash(game).burdens == pytest.approx([0.5 / n + 0.07] * n)


@pytest.mark.parametrize(
    "forms",
    [
        {"spill": 0.8},
        {"spill": 0.5, "consumption": "linear"},
        {"spill": 0.7, "substitution": -2.0, "decisiveness": 0.6},
        {"spill": 0.6, "substitution": 0.3, "decisiveness": 0.7},
        {"spill": 1.0, "substitution": 0.8, "decisiveness": 1.5},
        {"influence_value": "share", "decisiveness": 0.5},
    ],
)
def test_symmetric_members(forms: dict[str, Any]) -> None:
    """Seats are a contest that nobody wins together: x c'(x) = theta + h, whatever the spill-ins."""
    game, _ = symmetric(4, 0.06, 0.02, 0.004, **forms)
    found = ag.solve_social_optimum(game)
    x = 0.064 if forms.get("consumption") == "linear" else 0.064 / 1.064
    assert found.burdens == pytest.approx([x] * 4, rel=1e-7)
    assert found.certificate.verdict == "certified"


def test_pure_public_good_with_weights() -> None:
    """max sum w_i ln(1 - g_i / Y_i) + (sum w theta) ln G: w_i G = T (Y_i - g_i), T the sum."""
    Y, theta, w = np.array([10.0, 6.0, 2.0]), 1.0, np.array([1.0, 0.5, 0.2])
    T = theta * w.sum()
    G = T * Y.sum() / (T + w.sum())
    x = 1 - w * G / (T * Y)
    assert x.min() > 0
    found = ag.solve_social_optimum(alliance(Y, theta), w)
    assert found.burdens == pytest.approx(x, abs=1e-9)


# --- The payoff by hand --------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHEAP)
def test_no_slope_is_left_in_the_payoff_by_hand(name: str) -> None:
    """At the optimum of every game of the bank: payoffs, and slopes by complex steps."""
    game = BANK[name].game
    found = ag.solve_social_optimum(game, "equal")
    hand = Hand(game)
    assert found.payoffs == pytest.approx(hand.payoffs(found.burdens.tolist()), abs=1e-10)
    assert found.welfare == pytest.approx(sum(hand.payoffs(found.burdens.tolist())))
    for i in range(game.size):
        x: list[Any] = found.burdens.tolist()
        x[i] = complex(x[i], 1e-25)
        slope = sum(complex(hand.payoff(j, x)).imag for j in range(game.size)) / 1e-25
        at_low = found.burdens[i] <= game.by_member("burden_min")[i]
        at_high = found.burdens[i] >= game.by_member("burden_max")[i]
        assert slope <= 1e-7 or at_high
        assert slope >= -1e-7 or at_low


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(3))
def test_against_a_global_optimiser(family: str, seed: int) -> None:
    rng = np.random.default_rng(40 + seed)
    game, plan = random_alliance(rng, family)
    while game.size > 4:
        game, plan = random_alliance(rng, family)
    plan = Plan() if plan.burden is None else plan
    weights = rng.uniform(0.1, 2.0, game.size)
    found = ag.solve_social_optimum(game, weights, plan=plan)
    low, high = (np.array(game.by_member(end)) for end in ("burden_min", "burden_max"))
    if plan.burden is not None:
        low[game.members.leader_index] = high[game.members.leader_index] = plan.burden
    best = best_by_evolution(Hand(game, plan), weights, low, high)
    slack = 1e-9 + 1e-9 * abs(best)
    assert found.welfare >= best - slack
    if found.certificate.verdict == "certified":
        assert best <= found.welfare + (found.certificate.gap + 1e-9) * weights.sum()


def test_where_local_climbs_end_elsewhere_the_bound_still_holds() -> None:
    """A game with large stakes in influence; climbs of the sum itself from anywhere never beat it."""
    game = alliance(
        (5, 2, 1), (0.02, 0.1, 0.05), consumption="linear", spillin=0.2, umbrella=0.3,
        influence_weight=(0.4, 0.02, 0.3), return_spillin=0.1,
    )  # fmt: skip
    weights = np.array([1.0, 0.3, 2.0])
    found = ag.solve_social_optimum(game, weights)
    low, high = (np.array(game.by_member(end)) for end in ("burden_min", "burden_max"))
    problem = problem_of(stage_of(game, Plan()), weights, low, high)
    assert problem.kind == "priced"
    rng = np.random.default_rng(0)
    ends = [climb(problem.hill(), high * 10 ** rng.uniform(-4, 0, 3)).value for _ in range(20)]
    assert max(ends) <= found.welfare + 1e-10
    assert found.certificate.verdict == "certified"


# --- What is proved, and by what -----------------------------------------------------------------

_SHARES = {"influence_value": "share", "decisiveness": 0.5}


@pytest.mark.parametrize(
    ("forms", "kind", "coordinate"),
    [
        ({}, "direct", "burden"),
        ({"influence_weight": 0.1}, "priced", "burden"),
        ({"influence_weight": 0.1, "decisiveness": 2.0, "substitution": 0.8}, "priced", "burden"),
        ({"influence_weight": 0.1, "decisiveness": 0.5, "substitution": 0.8}, "searched", "burden"),
        ({"influence_weight": 0.1, "decisiveness": 0.5, "substitution": 0.5}, "priced", "power"),
        ({"influence_weight": 0.1, "substitution": -1.0, "private_weight": 0.1}, "direct", "log"),
        (_SHARES | {"influence_weight": 0.1}, "direct", "burden"),
        (_SHARES | {"influence_weight": (0.1, 0.2, 0)}, "searched", "burden"),
        (_SHARES | {"influence_weight": (0.1, 0.2, 0), "substitution": 0.5}, "shared", "power"),
    ],
)
def test_cases(forms: dict[str, Any], kind: str, coordinate: str) -> None:
    """Concavity is claimed where it holds: midpoints of random chords, in the coordinates named."""
    game = alliance((3, 2, 1), 0.2, burden_max=0.6, **forms)
    low, high = np.full(3, 0.0), np.full(3, 0.6)
    problem = problem_of(stage_of(game, Plan()), np.ones(3), low, high)
    assert (problem.kind, problem.coordinate) == (kind, coordinate)
    rng = np.random.default_rng(3)
    below = np.zeros(3, dtype=bool)
    mode: Any = "whole"
    price: Any = 0.0
    if kind == "priced":
        mode, price = "pulled", 0.4
    elif kind == "shared":
        mode, price = "base", -0.7 * (problem.stakes - 0.15)
    bent = False
    for _ in range(200):
        a, b = (problem.coordinates(0.6 * 10 ** rng.uniform(-3, 0, 3)) for _ in range(2))
        values = [problem.evaluate(z, below, mode, price)[0] for z in (a, (a + b) / 2, b)]
        bent |= values[1] < (values[0] + values[2]) / 2 - 1e-12
    if kind != "searched":
        assert not bent
    else:
        found = ag.solve_social_optimum(game, "equal")
        assert found.certificate.verdict == "approximate"
        assert math.isinf(found.certificate.gap)
        assert "nothing proved" in found.certificate.method


@pytest.mark.parametrize("m", [1.0, 0.8])
def test_shares_of_unequal_worth(m: float) -> None:
    """Not concave, solved by a search over the worth of influence; evolution finds nothing better."""
    game = alliance(
        (3, 2, 1), 0.2, burden_max=0.6, influence_weight=(0.3, 0.05, 0.6), influence_value="share",
        decisiveness=m, substitution=m if m < 1 else 1.0, private_weight=0.01,
        consumption="linear" if m == 1 else "log",
    )  # fmt: skip
    weights = np.array([1.0, 2.0, 1.5])
    found = ag.solve_social_optimum(game, weights)
    assert found.certificate.verdict == "certified"
    assert "over the worth of influence" in found.certificate.method
    best = best_by_evolution(Hand(game), weights, [0.0] * 3, [0.6] * 3)
    assert best == pytest.approx(found.welfare, abs=1e-8)


@pytest.mark.parametrize("m", [0.5, 0.8, 1.0])
@pytest.mark.parametrize("least", [0.005, 0.02])
def test_shares_where_nobody_can_spend_nothing(m: float, least: float) -> None:
    """Not every worth of shares can then be had: the bound closes all the same."""
    rng = np.random.default_rng(int(1000 * least + 10 * m))
    gdp, theta = rng.uniform(1, 10, 4), rng.uniform(0.02, 0.2, 4)
    game = alliance(
        gdp, theta, burden_min=least, burden_max=0.6, influence_value="share", decisiveness=m,
        influence_weight=rng.uniform(0.01, 0.4, 4), substitution=min(m, 1), private_weight=0.01,
    )  # fmt: skip
    weights = rng.uniform(0.2, 2, 4)
    found = ag.solve_social_optimum(game, weights)
    assert found.certificate.verdict == "certified"
    best = best_by_evolution(Hand(game), weights, [least] * 4, [0.6] * 4)
    assert best <= found.welfare + found.certificate.gap * weights.sum() + 1e-12
    assert best == pytest.approx(found.welfare, abs=1e-6)


def test_the_worths_that_shares_can_have_are_those_of_the_corners() -> None:
    """A ratio of linear sums is extreme at a corner of the box: all of them, for random games."""
    rng = np.random.default_rng(8)
    for _ in range(30):
        n = int(rng.integers(2, 6))
        low = rng.choice([0.0, 0.001, 0.02, 0.1], n)
        high = np.where(rng.random(n) < 0.2, low, low + rng.uniform(0.01, 0.5, n))
        high[0] = low[0] + 0.1
        game = alliance(
            rng.uniform(1, 10, n), 0.1, burden_min=low, burden_max=np.maximum(high, low + 1e-6),
            influence_value="share", influence_weight=rng.uniform(0, 1, n), decisiveness=0.7,
        )  # fmt: skip
        problem = problem_of(stage_of(game, Plan()), rng.uniform(0.1, 2, n), low, high)
        corners = [
            problem.pulls(problem.coordinates(np.where(pick, high, low)))
            for pick in itertools.product((False, True), repeat=n)
        ]
        worths = [float(problem.stakes @ q / q.sum()) for q in corners]
        least, most = reachable(problem)
        assert least <= min(worths) <= max(worths) <= most
        assert (least, most) == pytest.approx((min(worths), max(worths)), rel=1e-12, abs=1e-12)


def test_where_no_optimum_exists_none_is_claimed() -> None:
    """Nobody needs security: the least burden takes all influence, and no burden is the least."""
    for game in (alliance((2, 1), 0.0, influence_weight=0.1), BANK["K4"].game):
        made = ag.solve_social_optimum(game).certificate
        assert made.verdict in ("approximate", "unverified")
        assert made.gap > 1e-6


@pytest.mark.parametrize("name", ["K1", "K8", "symmetric rho=-2", "designed, rho=-2"])
def test_the_conic_program_and_newton_agree(name: str) -> None:
    game = BANK[name].game
    stage = stage_of(game, Plan())
    low, high = (np.array(game.by_member(end)) for end in ("burden_min", "burden_max"))
    conic = program_optimum(stage, np.ones(game.size), low, high, influence=True)
    assert conic is not None
    problem = problem_of(stage, np.ones(game.size), low, high)
    alone = climb(problem.hill(), problem.coordinates(solve_nash(game).burdens + 1e-4))
    assert problem.burdens(alone.point) == pytest.approx(conic, abs=1e-4)
    assert alone.gap < 1e-11
    assert "cvxpy" in plan_burdens(problem, low + 0.1).method


def test_a_threat_under_a_burden_that_is_given_makes_concave_kinks() -> None:
    """Allies may sit exactly on their demand; nobody's slope points away from there."""
    problem = BANK["bunching"]
    plan = problem.plan.replace(demand=0.16)
    found = ag.solve_social_optimum(problem.game, "equal", plan=plan)
    assert found.certificate.verdict == "certified"
    assert found.burdens[0] == plan.burden
    assert (found.burdens == 0.16).any() or (found.burdens[1:] < 0.16).all()
    hand = Hand(problem.game, plan)
    best = best_by_evolution(
        hand, np.ones(6), [plan.burden, *[0.0] * 5], [plan.burden, *[0.999] * 5]
    )
    assert found.welfare >= best - 1e-8


def test_a_threat_under_a_free_burden_is_searched() -> None:
    game = ag.load_model("three-allies")
    plan = Plan(threat=0.5)
    found = ag.solve_social_optimum(game, plan=plan)
    assert found.certificate.verdict == "approximate"
    assert "nothing" not in found.certificate.method
    assert "solved globally" in found.certificate.method
    weights = game.by_member("gdp") / game.by_member("gdp").mean()
    best = best_by_evolution(Hand(game, plan), weights, [0.0] * 4, [0.25] * 4)
    assert found.welfare >= best - 1e-8
    # Threats cost trust and reliability: a planner has no use for them.
    assert found.welfare < ag.solve_social_optimum(game).welfare


def test_flagship() -> None:
    game = ag.load_model("nato-2024")
    found = ag.solve_social_optimum(game)
    assert found.certificate.verdict == "certified"
    assert "not concave" in found.certificate.reason
    assert found.welfare > float(found.weights @ solve_nash(game).payoffs)
    hand = Hand(game)
    assert found.welfare == pytest.approx(
        float(found.weights @ np.array(hand.payoffs(found.burdens.tolist()))), abs=1e-10
    )
    back = result_from_dict(found.to_dict())
    assert back.to_dict() == found.to_dict()


def test_zero_weights_cost_a_member_all_it_can_pay() -> None:
    game = alliance((3, 2, 1), 0.2, burden_max=0.3)
    found = ag.solve_social_optimum(game, {"L": 1.0, "A1": 1.0, "A2": 0.0})
    assert found.burdens[2] == 0.3


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ("gdpp", UnknownNameError, "Did you mean 'gdp'"),
        ({"L": -1.0, "A1": 1.0}, InvalidValueError, "weight of L must be >= 0, got -1"),
        ([0.0, 0.0], InvalidValueError, "0 for everybody"),
        ([1.0], InvalidValueError, "weights"),
        ([math.nan, 1.0], InvalidValueError, "weights"),
        ({"L": 1.0, "B": 1.0}, UnknownNameError, "B"),
    ],
)
def test_bad_weights(weights: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ag.solve_social_optimum(alliance((2, 1), 0.1), weights)


def test_no_trust_left() -> None:
    game = alliance((2, 1), 0.1, influence_weight=0.1, trust=0.0)
    with pytest.raises(ZeroTrustError, match="minus infinity"):
        ag.solve_social_optimum(game)
