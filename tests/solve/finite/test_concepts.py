"""Dominance, risk dominance, quantal response, correlated equilibria: published values and cross-checks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import alliancegame as ag
from alliancegame.errors import AllianceGameError, GameTooLargeError
from alliancegame.solve.finite import correlated
from alliancegame.solve.result import result_from_dict
from tests.finite_games import TEXTBOOK

CHICKEN, STAG = (
    next(k for k in TEXTBOOK if k.name == name).game for name in ("chicken", "stag hunt")
)


# --- Correlated equilibrium ----------------------------------------------------------------------


def test_aumann_s_chicken() -> None:
    """Aumann (1974): told to yield one is indifferent if 6a + 2b = 7a; the sum 12a + 18b with a + 2b = 1
    is then largest: a = 1/2, b = 1/4, and both earn 5.25."""
    found = ag.solve_correlated(CHICKEN)
    assert found.payoffs == pytest.approx((5.25, 5.25), abs=1e-9)
    assert found.distribution == pytest.approx(np.array([[0, 0.25], [0.25, 0.5]]), abs=1e-9)
    assert found.certificate.verdict == "certified"
    assert found.gap <= 1e-9
    assert ag.solve_correlated(CHICKEN, "fairest").value == pytest.approx(5.25, abs=1e-9)
    assert ag.solve_correlated(CHICKEN, "leader").payoffs == pytest.approx((7, 2), abs=1e-9)


def test_objectives_are_what_they_say() -> None:
    random = np.random.default_rng(4)
    game = ag.FiniteGame(list(random.integers(-9, 9, (3, 3, 2, 3))), ("a", "b", "c"))
    every = [
        ag.solve_correlated(game, o)
        for o in ("leader", "alliance", "fairest", "b", {"a": 1, "c": 2}, np.ones(game.shape))
    ]
    for found in every:
        assert found.certificate.verdict == "certified"
        assert found.distribution.sum() == pytest.approx(1)
    leader, alliance, fairest, second, weighted, constant = every
    assert leader.payoffs[0] == pytest.approx(max(f.payoffs[0] for f in every), abs=1e-7)
    assert sum(alliance.payoffs) == pytest.approx(max(sum(f.payoffs) for f in every), abs=1e-7)
    assert min(fairest.payoffs) == pytest.approx(max(min(f.payoffs) for f in every), abs=1e-7)
    assert second.payoffs[1] == pytest.approx(max(f.payoffs[1] for f in every), abs=1e-7)
    assert weighted.value == pytest.approx(weighted.payoffs[0] + 2 * weighted.payoffs[2])
    assert constant.value == pytest.approx(1)


@settings(max_examples=15)
@given(st.integers(0, 10**6))
def test_nash_inside_correlated_inside_coarse(seed: int) -> None:
    """Every Nash equilibrium is correlated, every correlated one coarse: the optima are ordered."""
    game = ag.FiniteGame(list(np.random.default_rng(seed).integers(0, 6, (2, 3, 3))))
    best = max(float(sum(p.payoffs)) for p in ag.find_equilibria(game))
    inner = ag.solve_correlated(game)
    outer = ag.solve_correlated(game, coarse=True)
    assert best <= inner.value + 1e-7
    assert inner.value <= outer.value + 1e-7
    for found in (inner, outer):
        assert found.certificate.verdict == "certified"
        assert found.gap <= 1e-6


def test_coarse_can_do_better() -> None:
    """A game in which obeying blindly beats every correlated equilibrium (found by search, checked by
    a second linear program in SciPy)."""
    from scipy.optimize import linprog

    for seed in range(30):
        game = ag.FiniteGame(list(np.random.default_rng(seed).integers(0, 5, (2, 3, 3))))
        inner, outer = (ag.solve_correlated(game, coarse=c) for c in (False, True))
        if outer.value > inner.value + 1e-3:
            break
    else:
        pytest.fail("no such game among thirty")
    A, B = game.payoffs
    rows = [(np.tile(A[k], (3, 1)) - A).ravel() for k in range(3)]
    rows += [(np.tile(B[:, [k]], (1, 3)) - B).ravel() for k in range(3)]
    solved = linprog(-(A + B).ravel(), A_ub=rows, b_ub=np.zeros(6), A_eq=np.ones((1, 9)), b_eq=[1])
    assert outer.value == pytest.approx(-solved.fun, abs=1e-7)


def test_a_wrong_distribution_is_caught() -> None:
    """The regret of a distribution is recomputed from payoffs: here (yield, yield) for sure."""
    sure = np.array([[0.0, 0.0], [0.0, 1.0]])
    assert correlated._gains(CHICKEN, sure, coarse=False) == [1.0, 1.0]
    assert correlated._gains(CHICKEN, sure, coarse=True) == [1.0, 1.0]


def test_correlated_results_travel_and_refuse() -> None:
    found = ag.solve_correlated(CHICKEN)
    assert result_from_dict(found.to_dict()).to_json() == found.to_json()
    assert found.to_frame()["probability"].sum() == pytest.approx(1)
    for objective, words in (
        ("leadr", "Did you mean 'leader'"),
        ([1, 2, 3], "shape (2, 2)"),
        ({"9": 1}, "unknown player '9'"),
        ({"1": "x"}, "weight of 1"),
        (7, "objective must be"),
    ):
        with pytest.raises(AllianceGameError) as caught:
            ag.solve_correlated(CHICKEN, objective)
        assert words in str(caught.value)
    with pytest.raises(GameTooLargeError, match="22,500 cells.*20,000"):
        ag.solve_correlated(ag.FiniteGame(np.zeros((2, 150, 150))))


# --- Dominance ---------------------------------------------------------------------------------


def test_mixed_dominators() -> None:
    """The third row is below the mean of the other two, and below neither."""
    game = ag.FiniteGame([[[3, 0], [0, 3], [1, 1]], [[1, 1], [1, 1], [0, 0]]])
    found = ag.eliminate_dominated(game)
    (step,) = found.steps
    assert (step.player, step.strategy) == ("1", "3")
    combined = [
        sum(p * game.fractions[0][int(s) - 1, j] for s, p in step.dominator.items()) for j in (0, 1)
    ]
    assert min(combined) > 1
    assert found.game.shape == (2, 2)
    assert ag.eliminate_dominated(game, mixed=False).steps == ()
    assert "no equilibrium is lost" in found.statement


def test_iteration_and_order_of_rounds() -> None:
    """A game solved in three rounds (each elimination makes the next)."""
    A = [[1, 1, 0], [0, 0, 2]]
    B = [[0, 2, 1], [3, 1, 0]]
    found = ag.eliminate_dominated(
        ag.FiniteGame([A, B], strategies=(("up", "down"), ("l", "m", "r")))
    )
    assert found.solved
    assert [(s.round, s.strategy) for s in found.steps] == [(1, "r"), (2, "down"), (3, "l")]
    assert list(found.to_frame()["dominated by"]) == ["1 m", "1 up", "1 m"]


def test_weak_dominance_can_lose_equilibria() -> None:
    game = ag.FiniteGame([[[1, 1], [1, 0]], [[1, 1], [1, 0]]])
    assert ag.eliminate_dominated(game).steps == ()
    weak = ag.eliminate_dominated(game, strict=False)
    assert weak.solved
    assert "can be lost" in weak.statement
    assert len(ag.find_equilibria(game)) == 3


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_strict_elimination_keeps_every_equilibrium(seed: int) -> None:
    game = ag.FiniteGame(list(np.random.default_rng(seed).integers(0, 7, (2, 4, 3))))
    found = ag.eliminate_dominated(game)
    whole, left = ag.find_equilibria(game), ag.find_equilibria(found.game)
    assert {str(p.strategies) for p in whole} == {str(p.strategies) for p in left}


def test_harsanyi_and_selten() -> None:
    """The stag hunt: hunting pays more (4 > 3), the hare is safer (products 1 and 4)."""
    (row,) = ag.risk_dominance(STAG).to_dict("records")
    assert (row["product of one"], row["product of other"]) == (1, 4)
    assert (row["risk"], row["payoff"]) == ("2, 2", "1, 1")
    (row,) = ag.risk_dominance(CHICKEN).to_dict("records")
    assert (row["risk"], row["payoff"]) == ("neither", "neither")
    with pytest.raises(AllianceGameError, match="two players"):
        ag.risk_dominance(ag.FiniteGame(np.zeros((3, 2, 2, 2))))


# --- Quantal response ----------------------------------------------------------------------------


def test_asymmetric_matching_pennies_in_closed_form() -> None:
    """Along the branch the logit conditions hold, evaluated here from scratch."""
    A, B = np.array([[9.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    path = ag.quantal_response(ag.FiniteGame([A, B]), until=20)
    assert path.residual < 1e-8
    for lam, row in list(zip(path.precisions, path.probabilities, strict=True))[::7]:
        x, y = row[:2], row[2:]
        for own, earned in ((x, A @ y), (y, x @ B)):
            weights = np.exp(lam * (earned - earned.max()))
            assert own == pytest.approx(weights / weights.sum(), abs=1e-7)
    assert path.precisions[-1] == pytest.approx(20)
    assert path.probabilities[0] == pytest.approx(0.5)


def test_the_branch_ends_at_the_risk_dominant_equilibrium() -> None:
    """In 2 x 2 coordination games it selects the risk-dominant one (Turocy, 2005)."""
    path = ag.quantal_response(STAG)
    assert path.limit[0][1] > 0.999
    assert path.limit[1][1] > 0.999
    assert path.regret < 1e-6
    assert path.turns == 0
    assert path.at(0.0)[0] == pytest.approx((0.5, 0.5), abs=1e-3)
    assert path.to_frame().index.name == "precision"


def test_a_branch_that_turns_back() -> None:
    """A fold (found by search over random games): the branch is followed back and on to the end."""
    for seed in range(60):
        game = ag.FiniteGame(list(np.random.default_rng(seed).integers(0, 9, (2, 3, 3))))
        path = ag.quantal_response(game, until=10)
        if path.turns:
            break
    assert path.turns >= 2
    assert path.turns % 2 == 0
    assert path.precisions[-1] == pytest.approx(10)
    assert path.residual < 1e-7


def test_three_players_and_refusals() -> None:
    game = ag.FiniteGame(list(np.random.default_rng(0).normal(size=(3, 2, 3, 2))))
    path = ag.quantal_response(game)
    nearest = min(
        max(
            np.abs(np.array(m, float) - np.array(o, float)).max()
            for m, o in zip(path.limit, p.mixtures, strict=True)
        )
        for p in ag.find_equilibria(game)
    )
    assert nearest < 0.05
    assert result_from_dict(path.to_dict()).to_json() == path.to_json()
    with pytest.raises(AllianceGameError, match="until must be > 0"):
        ag.quantal_response(game, until=0)
    with pytest.raises(AllianceGameError, match="precision must be in"):
        path.at(1e9)


def test_flat_games_stay_uniform() -> None:
    path = ag.quantal_response(ag.FiniteGame(np.ones((2, 2, 3))))
    assert path.probabilities[-1] == pytest.approx([0.5, 0.5, 1 / 3, 1 / 3, 1 / 3])
    assert path.regret == pytest.approx(0, abs=1e-12)
