"""Characteristic functions and stability: by hand, against Nash and the optimum, published sizes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import CoalitionSizeError, InvalidValueError, UnknownNameError
from alliancegame.solve.nash import solve_nash
from alliancegame.solve.planning.blocs import one_against_singles, solve_blocs
from alliancegame.solve.result import result_from_dict
from alliancegame.study.coalitions import blocs_of, money_weights
from tests.oracle import Hand
from tests.problems import BANK, alliance

# --- Equilibria between blocs --------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["K1", "K2", "K8", "designed, congestion", "designed, rho=-2", "designed, linear"]
)
def test_single_blocs_are_nash_and_one_bloc_is_the_optimum(name: str) -> None:
    game = BANK[name].game
    n = game.size
    weights = np.linspace(1.0, 2.0, n)
    single = solve_blocs(game, np.arange(n), weights)
    assert single.burdens == pytest.approx(solve_nash(game).burdens, abs=1e-7)
    whole = solve_blocs(game, np.zeros(n, dtype=np.int64), weights)
    best = ag.solve_social_optimum(game, weights)
    assert float(weights @ whole.payoffs) == pytest.approx(best.welfare, abs=1e-8)
    assert whole.proved


def partial_agreement(theta: float, h: float, n: int, k: int) -> tuple[float, float]:
    """K8 with a coalition of k: k theta / X + h / x = 1 inside, theta / X + h / y = 1 outside."""
    low, high = 1e-9, 10.0
    for _ in range(200):
        X = (low + high) / 2
        inside = h / (1 - k * theta / X) if k * theta < X else math.inf
        outside = h / (1 - theta / X) if theta < X else math.inf
        low, high = (X, high) if k * inside + (n - k) * outside > X else (low, X)
    return h / (1 - k * theta / X), h / (1 - theta / X)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_coalitions_of_k8_by_hand(k: int) -> None:
    theta, h, n = 0.5, 0.07, 4
    game = alliance((1,) * n, theta, consumption="linear", private_weight=h)
    x, y = partial_agreement(theta, h, n, k)
    found = solve_blocs(game, one_against_singles(game, frozenset(range(k))), np.ones(n))
    assert found.burdens == pytest.approx([x] * k + [y] * (n - k), rel=1e-9)
    X, x0 = k * x + (n - k) * y, theta / n + h
    gain = k * ((1 - x + theta * math.log(X) + h * math.log(x)) - (
        1 - x0 + theta * math.log(n * x0) + h * math.log(x0)))  # fmt: skip
    worth = ag.coalition_game(game)
    assert worth(game.members[:k]) == pytest.approx(gain, abs=1e-9)


# --- Characteristic functions --------------------------------------------------------------------


@pytest.fixture(scope="module")
def small() -> Any:
    return ag.load_model("three-allies")


@pytest.mark.parametrize("convention", ["gamma", "delta"])
def test_no_coalition_gains_by_any_joint_deviation(small: Any, convention: str) -> None:
    """Against the payoff by hand and a search of SciPy's: the worth is the best answer's."""
    from scipy.optimize import minimize

    worth = money_weights(small)
    base = np.array(Hand(small).payoffs(solve_nash(small).burdens.tolist()))
    game = ag.coalition_game(small, convention=convention)
    assert game.provenance["regret_usd_bn"] < 1e-4
    assert game.provenance["proved"]
    assert convention in game.provenance["convention"]
    hand = Hand(small)
    for inside in ({0, 1}, {1, 2, 3}, {0, 2, 3}):
        numbers = np.arange(4)
        outside = np.full(4, 9) if convention == "delta" else numbers
        blocs = np.where(np.isin(numbers, list(inside)), -1, outside)
        found = solve_blocs(small, blocs, worth)
        for bloc in np.unique(blocs):
            mine = np.flatnonzero(blocs == bloc)

            def loss(z: Any, mine: Any = mine, x: Any = found.burdens) -> float:
                moved = x.copy()
                moved[mine] = z
                return -sum(worth[i] * hand.payoff(i, moved.tolist()) for i in mine)

            here = loss(found.burdens[mine])
            for start in (0.01, 0.05, 0.2):
                end = minimize(
                    loss,
                    np.full(len(mine), start),
                    method="L-BFGS-B",
                    bounds=[(1e-6, 0.25)] * len(mine),
                )
                assert end.fun >= here - 1e-5
        total = sum(worth[i] * (hand.payoff(i, found.burdens.tolist()) - base[i]) for i in inside)
        assert game({small.members[i] for i in inside}) == pytest.approx(total, abs=1e-6)


def test_what_the_whole_alliance_can_gain(small: Any) -> None:
    """Single members gain nothing, everybody together what the planner with money weights gains."""
    game = ag.coalition_game(small)
    assert [game({m}) for m in small.members] == [0.0] * 4
    best = ag.solve_social_optimum(small, money_weights(small))
    nash = float(money_weights(small) @ solve_nash(small).payoffs)
    assert game.grand == pytest.approx(best.welfare - nash, abs=1e-7)
    found = ag.shapley(game)
    assert found.values.sum() == pytest.approx(game.grand)
    assert ag.core(game).empty is False
    assert ag.nucleolus(game).values.sum() == pytest.approx(game.grand)


def test_blocs_as_players(small: Any) -> None:
    game = ag.coalition_game(small, {"East": ["Middle", "Frontier"]})
    assert game.players == ("East", "Leader", "Large")
    # A bloc alone gains what it can by acting as one; everybody together is everybody together.
    assert game({"East"}) == pytest.approx(
        ag.coalition_game(small)({"Middle", "Frontier"}), abs=1e-6
    )
    assert game.grand == pytest.approx(ag.coalition_game(small).grand, abs=1e-6)


@pytest.mark.parametrize(
    ("players", "error", "message"),
    [
        ({"East": ["Middel"]}, UnknownNameError, "Did you mean 'Middle'"),
        ({"East": ["Middle"], "West": ["Middle"]}, InvalidValueError, "is in two players"),
        ({"East": "Middle"}, InvalidValueError, "must be a list"),
        ({"East": []}, InvalidValueError, "must be a list"),
        ({"Large": ["Middle"]}, InvalidValueError, "name of a member who plays alone"),
    ],
)
def test_bad_blocs(small: Any, players: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        blocs_of(small, players)


def test_bad_characteristic_functions(small: Any) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'gamma'"):
        ag.coalition_game(small, convention="gama")
    with pytest.raises(CoalitionSizeError, match="at most 10 players, got 31.*blocs"):
        ag.coalition_game(ag.load_model("nato-2024"))


# --- Stability -----------------------------------------------------------------------------------


def environment(n: int, a: float, c: float, leads: bool) -> tuple[Callable[[int], float], Any]:
    """Barrett (1994): benefit (a Q - Q^2 / 2) / n, cost c q^2 / 2; signatories first, or all at once.

    Outsiders: (a - Q) / n = c y. Signatories: k (a - Q) / n dQ/dQ_s = c q, dQ/dQ_s being 1 in Nash
    and 1 / (1 + (n - k) / (n c)) where outsiders answer them.
    """

    def abatement(k: int) -> tuple[float, float, float]:
        answer = (n - k) / (n * c)
        share = k * k / (n * c) / (1 + answer) / ((1 + answer) if leads else 1.0)
        signed = share * a / (1 + share)
        total = (signed + answer * a) / (1 + answer)
        return signed / max(k, 1), (a - total) / (n * c), total

    def payoff(q: float, total: float) -> float:
        return (a * total - total**2 / 2) / n - c * q**2 / 2

    return (
        lambda k: payoff(abatement(k)[0], abatement(k)[2]),
        lambda k: payoff(abatement(k)[1], abatement(k)[2]),
    )


@pytest.mark.parametrize("n", [3, 5, 20])
def test_linear_benefits_and_quadratic_costs(n: int) -> None:
    """At most three sign (Barrett 1994, proposition 2): q = k b / c inside, b / c outside; b = c = 1."""

    def member(k: int) -> float:
        return k * k + (n - k) - k**2 / 2

    def outsider(k: int) -> float:
        return k * k + (n - k) - 1 / 2

    # With two, a third is indifferent: both are stable, as who is indifferent stays.
    assert ag.stable_sizes(member, outsider, n) == (2, 3)


def test_barretts_larger_agreements() -> None:
    """Quadratic benefits and costs, signatories leading: four of ten at a = 100, c = 0.25 (table 1).

    The smaller the cost, the larger the agreement; all at once, at most two sign.
    """
    assert ag.stable_sizes(*environment(10, 100.0, 0.25, leads=True), 10) == (4,)
    sizes = [
        ag.stable_sizes(*environment(10, 100.0, c, leads=True), 10) for c in (0.01, 0.1, 0.5, 5)
    ]
    assert sizes == [(10,), (6,), (3,), (2,)]
    for c in (0.01, 0.25, 1.0, 5.0, 100.0):
        assert max(ag.stable_sizes(*environment(10, 100.0, c, leads=False), 10), default=0) <= 2


def test_sizes_agree_with_the_coalitions_themselves() -> None:
    """The same game player by player: every coalition of a stable size is stable, and no other."""
    n = 5
    member, outsider = environment(n, 100.0, 0.3, leads=True)

    def payoffs(inside: frozenset[int]) -> list[float]:
        k = len(inside)
        return [
            member(k) if p in inside and k > 1 else outsider(k if k > 1 else 0) for p in range(n)
        ]

    def alone(k: int) -> float:
        return outsider(k if k > 1 else 0)

    sizes = ag.stable_sizes(lambda k: member(k) if k > 1 else alone(0), alone, n)
    found = ag.stable_coalitions(payoffs, players=range(n))
    assert {len(one.coalition) for one in found} == set(sizes)
    assert len(found) == sum(math.comb(n, k) for k in sizes)
    one = ag.coalition_stability(payoffs, range(n), players=range(n))
    assert one.external
    assert one.internal == (n in sizes)


def test_stability_of_an_alliance_by_hand(small: Any) -> None:
    """Each gain is a difference between two equilibria, solved one by one here."""
    weights = small.by_member("gdp") / small.by_member("gdp").mean()
    inside = {0, 1, 3}
    found = ag.coalition_stability(small, ["Leader", "Large", "Frontier"])
    hand = Hand(small)

    def payoffs(members: set[int]) -> list[float]:
        blocs = one_against_singles(small, frozenset(members))
        return hand.payoffs(solve_blocs(small, blocs, weights).burdens.tolist())

    now = payoffs(inside)
    gains = [payoffs(inside ^ {i})[i] - now[i] for i in range(4)]
    assert found.gains == pytest.approx(gains, abs=1e-9)
    assert found.coalition == ("Leader", "Large", "Frontier")
    assert found.internal == all(gains[i] <= found.slack for i in inside)
    assert found.external == (gains[2] <= found.slack)
    assert found.surplus == pytest.approx(-sum(gains[i] * money_weights(small)[i] for i in inside))
    assert result_from_dict(found.to_dict()).to_dict() == found.to_dict()


def test_leave_one_out(small: Any) -> None:
    found = ag.leave_one_out(small)
    assert [len(one.coalition) for one in found] == [4, 3, 3, 3, 3]
    assert set(small.members) - set(found[2].coalition) == {"Large"}
    assert found[0].gains == pytest.approx(ag.coalition_stability(small).gains, abs=1e-10)
    assert found[0].leavers == ("Frontier", "Middle", "Large")
    listed = {one.coalition for one in ag.stable_coalitions(small)}
    for one in found:
        assert one.stable == (one.coalition in listed)


def test_every_pair_that_is_listed_is_stable(small: Any) -> None:
    listed = [one.coalition for one in ag.stable_coalitions(small, weights="equal")]
    for r in (2, 3, 4):
        for members in itertools.combinations(small.members, r):
            one = ag.coalition_stability(small, members, weights="equal")
            assert one.stable == (members in listed)


def test_coalitions_among_some(small: Any) -> None:
    """Those among some players are those of the whole list; without outsiders, the internal ones."""
    players, some = list(range(5)), [0, 2, 3, 4]

    def payoffs(members: frozenset[int]) -> list[float]:
        random = np.random.default_rng(sum(1 << k for k in members))
        return random.normal(size=5).round(3).tolist()

    def by_hand(kind: str) -> list[tuple[int, ...]]:
        return [
            c
            for count in range(2, 5)
            for c in itertools.combinations(some, count)
            if getattr(ag.coalition_stability(payoffs, c, players=players), kind)
        ]

    found = ag.stable_coalitions(payoffs, players=players, among=some)
    internal = ag.stable_coalitions(payoffs, players=players, among=some, external=False)
    assert [one.coalition for one in found] == by_hand("stable")
    assert [one.coalition for one in internal] == by_hand("internal")
    assert internal
    for one in internal:
        assert one.external is None
        assert "outsiders not asked" in one.headline()
        assert result_from_dict(one.to_dict()).to_json() == one.to_json()
    pair = ["Large", "Frontier"]
    stays = ag.coalition_stability(small, pair).internal
    assert len(ag.stable_coalitions(small, among=pair, external=False)) == stays


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (({"a": 1},), {}, "needs an alliance, or a function"),
        ((len,), {}, "players of a function must be a list"),
        ((len,), {"players": "ab"}, "must be a list of labels.*'ab'"),
        ((len,), {"players": ["a", "a"]}, "has 'a' twice"),
        ((lambda s: {"a": 1.0},), {"players": ["a", "b"]}, "payoffs of 'b' are missing"),
        ((lambda s: [1.0],), {"players": ["a", "b"]}, "must be 2 numbers"),
        ((lambda s: [1.0, math.nan],), {"players": ["a", "b"]}, "payoff of b must be finite"),
    ],
)
def test_bad_stability(arguments: Any, options: Any, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        ag.coalition_stability(*arguments, **options)


def test_more_bad_stability(small: Any) -> None:
    with pytest.raises(UnknownNameError, match="unknown player 'c'"):
        ag.coalition_stability(lambda s: [0, 0], ["c"], players=["a", "b"])
    with pytest.raises(UnknownNameError, match="Did you mean 'Large'"):
        ag.coalition_stability(small, ["Larg"])
    with pytest.raises(InvalidValueError, match="must be a list of members, got"):
        ag.coalition_stability(small, "Large")
    with pytest.raises(CoalitionSizeError, match="at most 10 players, got 31"):
        ag.stable_coalitions(ag.load_model("nato-2024"))
    for n in (1, 2.5, True):
        with pytest.raises(InvalidValueError, match="n must be a whole number, from 2"):
            ag.stable_sizes(float, float, n)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match=r"member\(1\) must be finite"):
        ag.stable_sizes(lambda k: math.nan, float, 3)
