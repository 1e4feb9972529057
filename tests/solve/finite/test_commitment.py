"""Commitment: published values, brute force over mixtures and over types, and refusals."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import alliancegame as ag
from alliancegame.errors import AllianceGameError, GameTooLargeError
from alliancegame.solve.finite import commitment_programs as module
from alliancegame.solve.result import result_from_dict

HALF = Fraction(1, 2)


def test_conitzer_and_sandholm() -> None:
    """Their introductory example (2006): Nash 2, pure commitment 3, mixed 3.5."""
    found = ag.solve_commitment(ag.FiniteGame([[[2, 4], [1, 3]], [[1, 0], [0, 1]]]))
    assert found.strategy == (HALF, HALF)
    assert found.value == 3.5
    assert found.pure_value == 3
    assert found.nash_payoffs == (2, 2)
    assert found.value_of_commitment == 1.5
    assert found.pessimistic_value == pytest.approx(3.5, abs=1e-9)
    assert not found.attained
    assert found.certificate.verdict == "certified"
    assert found.gap <= 1e-12


def test_inspector_leadership() -> None:
    """Inspection game (Turocy and von Stengel, 2001, section 5): the mixed equilibrium has inspection
    1/10 and cheating 1/5 and is worth -2; committing to 1/10 makes the other comply: -1/10."""
    inspector = [[0, -10], [-1, -6]]
    inspectee = [[0, 10], [0, -90]]
    game = ag.FiniteGame(
        [inspector, inspectee],
        ("inspector", "inspectee"),
        (("don't", "inspect"), ("comply", "cheat")),
    )
    (nash,) = ag.find_equilibria(game)
    assert nash.mixtures == ((Fraction(9, 10), Fraction(1, 10)), (Fraction(4, 5), Fraction(1, 5)))
    assert nash.payoffs[0] == -2
    found = ag.solve_commitment(game)
    assert found.strategy == (Fraction(9, 10), Fraction(1, 10))
    assert found.answers == ("comply",)
    assert found.value == pytest.approx(-0.1, abs=1e-15)
    assert found.value_of_commitment == pytest.approx(1.9, abs=1e-12)
    near = found.pessimistic_strategy
    assert near[1] > 0.1
    assert found.epsilon <= 1e-3 * 10
    reply = np.array(near) @ np.array(inspectee)
    assert reply[0] > reply[1]


def test_leader_of_a_zero_sum_game_gains_nothing() -> None:
    random = np.random.default_rng(0)
    A = random.integers(-9, 9, (4, 5))
    found = ag.solve_commitment(ag.FiniteGame([A, -A]))
    nash = ag.solve_nash(ag.FiniteGame([A, -A]))
    assert found.value == pytest.approx(float(nash.payoffs[0]), abs=1e-9)
    assert found.pessimistic_value == pytest.approx(float(nash.payoffs[0]), abs=1e-9)


def test_strong_and_weak_differ_by_an_interval() -> None:
    """The follower never cares: it can help or harm. And a weakly dominated answer, which is best only
    on an edge: strong uses it, weak cannot."""
    game = ag.FiniteGame([[[5, 0], [4, 1]], [[2, 2], [3, 3]]])
    found = ag.solve_commitment(game)
    assert found.interval == (pytest.approx(1), pytest.approx(5))
    dominated = ag.FiniteGame([[[9, 1], [0, 0]], [[1, 1], [0, 1]]])
    found = ag.solve_commitment(dominated)
    assert found.interval == (pytest.approx(1), pytest.approx(9))
    assert found.pure_value == 9
    assert found.pure_pessimistic_value == 1


def test_either_player_can_lead() -> None:
    A, B = [[2, 4], [1, 3]], [[1, 0], [0, 1]]
    one = ag.solve_commitment(ag.FiniteGame([A, B]))
    other = ag.solve_commitment(
        ag.FiniteGame([np.transpose(B), np.transpose(A)], ("follower", "leader")), leader="leader"
    )
    assert other.strategy == one.strategy
    assert other.value == one.value


def brute(A: Any, B: Any, steps: int) -> tuple[float, float]:
    """Strong and weak values over a grid of mixtures of two rows, with exact comparison."""
    first = np.arange(steps + 1)
    x = np.column_stack([first, steps - first])
    earned, mine = x @ np.asarray(B), x @ np.asarray(A) / steps
    best = earned == earned.max(axis=1, keepdims=True)
    strong = np.where(best, mine, -np.inf).max()
    weak = np.where(best, mine, np.inf).min(axis=1).max()
    return float(strong), float(weak)


def matrices(m: int, n: int) -> st.SearchStrategy[Any]:
    row = st.lists(st.integers(-4, 4), min_size=n, max_size=n)
    return st.tuples(*[st.lists(row, min_size=m, max_size=m)] * 2)


@settings(max_examples=60)
@given(matrices(2, 3))
def test_against_a_grid_of_mixtures(payoffs: Any) -> None:
    """A grid can only find less, and misses the optimum by at most a step times the slope of payoffs."""
    A, B = payoffs
    found = ag.solve_commitment(ag.FiniteGame([A, B]))
    strong, weak = brute(A, B, 5040)
    assert strong <= found.value + 1e-9
    assert found.value - strong <= 16 / 5040
    assert weak <= found.pessimistic_value + 1e-9
    assert found.pessimistic_value - weak <= 16 / 5040 * 2
    low, high = found.nash_payoffs or (0, 0)
    assert found.value >= high - 1e-9
    assert found.pessimistic_value >= low - 1e-9
    assert found.interval[0] <= found.interval[1] + 1e-9
    assert found.pure_value <= found.value + 1e-9


@settings(max_examples=40)
@given(matrices(3, 3))
def test_the_pessimistic_strategy_earns_what_it_says(payoffs: Any) -> None:
    A, B = (np.array(M) for M in payoffs)
    found = ag.solve_commitment(ag.FiniteGame([A, B]))
    x = np.array([float(p) for p in found.pessimistic_strategy])
    earned = x @ B
    best = earned >= earned.max() - 1e-13
    worst = (x @ A)[best].min()
    assert worst >= found.pessimistic_value - found.epsilon - 1e-9
    assert found.epsilon <= 1e-3 * max(np.ptp(A), 1e-9) + 1e-12


@pytest.mark.parametrize("seed", range(6))
def test_types_against_all_answers_and_against_an_integer_program(seed: int) -> None:
    """Branch and bound, every combination of answers by SciPy, and the mixed-integer form of Paruchuri
    and others (2008) must agree."""
    from scipy.optimize import LinearConstraint, linprog, milp

    random = np.random.default_rng(seed)
    m, n, count = 3, 3, 3
    A, B = random.integers(-9, 9, (2, count, m, n)).astype(float)
    p = random.dirichlet(np.ones(count))
    games = [(float(q), ag.FiniteGame([a, b])) for q, a, b in zip(p, A, B, strict=True)]
    found = ag.solve_commitment(types=games)
    best = -np.inf
    for answers in itertools.product(range(n), repeat=count):
        rows = np.vstack([(B[t] - B[t][:, [k]]).T for t, k in enumerate(answers)])
        c = sum(p[t] * A[t][:, k] for t, k in enumerate(answers))
        solved = linprog(-c, A_ub=rows, b_ub=np.zeros(len(rows)), A_eq=np.ones((1, m)), b_eq=[1])
        if solved.status == 0:
            best = max(best, -solved.fun)
    assert found.value == pytest.approx(best, abs=1e-9)
    assert found.value == pytest.approx(integer_program(A, B, p, milp, LinearConstraint), abs=1e-6)
    assert found.pessimistic_value <= found.value + 1e-9
    assert found.nash_payoffs is None


def integer_program(A: Any, B: Any, p: Any, milp: Any, LinearConstraint: Any) -> float:
    """z[t, i, j] = x_i q_tj, with big numbers for 'answer j is best'."""
    count, m, n = A.shape
    nz, big = count * m * n, 1000.0
    size = nz + count * n + count  # z, q, a
    z = np.arange(nz).reshape(count, m, n)
    q = nz + np.arange(count * n).reshape(count, n)
    a = nz + count * n + np.arange(count)
    rows, low, high = [], [], []

    def add(entries: dict[int, float], lo: float, hi: float) -> None:
        row = np.zeros(size)
        for k, v in entries.items():
            row[k] += v
        rows.append(row), low.append(lo), high.append(hi)

    for t in range(count):
        add({int(k): 1.0 for k in z[t].ravel()}, 1, 1)
        add({int(k): 1.0 for k in q[t]}, 1, 1)
        for i in range(m):
            entries = {int(k): 1.0 for k in z[t, i]}
            if t:
                entries |= {int(k): -1.0 for k in z[0, i]}
                add(entries, 0, 0)
        for j in range(n):
            add({int(k): 1.0 for k in z[t, :, j]} | {int(q[t, j]): -1.0}, -np.inf, 0)
            earned = {int(z[t, i, h]): -B[t, i, j] for i in range(m) for h in range(n)}
            add(earned | {int(a[t]): 1.0}, 0, np.inf)
            add(earned | {int(a[t]): 1.0, int(q[t, j]): big}, -np.inf, big)
    c = np.zeros(size)
    for t in range(count):
        c[z[t]] = -p[t] * A[t]
    integrality = np.zeros(size)
    integrality[q.ravel()] = 1
    bounds = (
        np.r_[np.zeros(nz + count * n), np.full(count, -big)],
        np.r_[np.ones(nz + count * n), np.full(count, big)],
    )
    from scipy.optimize import Bounds

    solved = milp(
        c,
        constraints=LinearConstraint(np.array(rows), low, high),
        integrality=integrality,
        bounds=Bounds(*bounds),
    )
    return float(-solved.fun)


def test_the_alliance_s_leader() -> None:
    """Commitment on the grid of the alliance model is worth at least the best pure equilibrium."""
    game = ag.load_model("three-allies")
    plans = [ag.Plan(threat=t, demand=0.03) for t in (0, 0.25, 0.5, 0.75, 1)]
    grid = ag.discretise(game, plans, [0.005, 0.01, 0.02, 0.03, 0.04])
    found = ag.solve_commitment(grid)
    assert found.certificate.verdict == "certified"
    assert found.value >= max(float(p.payoffs[0]) for p in ag.find_equilibria(grid)) - 1e-12
    assert found.pure_value <= found.value + 1e-12


def test_results_travel() -> None:
    found = ag.solve_commitment(ag.FiniteGame([[[2, 4], [1, 3]], [[1, 0], [0, 1]]]))
    again = result_from_dict(found.to_dict())
    assert again.to_json() == found.to_json()
    assert list(found.to_frame()["value"]) == pytest.approx([3.5, 3.5, 3, 3])
    assert "commits to 1/2" in found.headline() or "0.5" in found.headline()


G = ag.FiniteGame([[[2, 4], [1, 3]], [[1, 0], [0, 1]]])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, ("FiniteGame, or types", "NoneType")),
        ({"game": [[1]]}, ("FiniteGame", "list")),
        ({"game": G, "types": [(1.0, G)]}, ("not both",)),
        ({"game": G, "leader": 2}, ("from 0 to 1", "2")),
        ({"game": G, "leader": "x"}, ("unknown player 'x'",)),
        ({"game": G, "epsilon": 0}, ("epsilon", "(0, 1]")),
        ({"types": []}, ("pairs",)),
        ({"types": [(0.5, G)]}, ("add up to 1", "0.5")),
        ({"types": [(1.5, G), (-0.5, G)]}, ("type 1", "(0, 1]", "1.5")),
        ({"types": [(1.0, [[1]])]}, ("type 1", "list")),
        (
            {"types": [(0.5, G), (0.5, ag.FiniteGame([[[1, 2]], [[1, 2]]]))]},
            ("type 2", "other strategies"),
        ),
        ({"game": ag.FiniteGame(np.zeros((3, 2, 2, 2)))}, ("two players", "has 3")),
    ],
    ids=str,
)  # fmt: skip
def test_refusals(arguments: Any, words: tuple[str, ...]) -> None:
    with pytest.raises(AllianceGameError) as caught:
        ag.solve_commitment(**arguments)
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_too_many_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PROGRAMS", 5)
    with pytest.raises(GameTooLargeError, match="more than 5 linear programs"):
        ag.solve_commitment(types=[(0.25, G)] * 4)


@settings(max_examples=30)
@given(st.lists(matrices(2, 3), min_size=2, max_size=2), st.integers(1, 9))
def test_weak_and_strong_values_against_two_types(payoffs: Any, tenths: int) -> None:
    """A grid of mixtures of two rows, every type answering for itself; a grid can only find less."""
    p = tenths / 10
    steps = 5040
    x = np.column_stack([np.arange(steps + 1), steps - np.arange(steps + 1)])
    strong, weak = np.zeros(steps + 1), np.zeros(steps + 1)
    for chance, (A, B) in zip((p, 1 - p), payoffs, strict=True):
        earned, mine = x @ np.array(B), x @ np.array(A) / steps
        best = earned == earned.max(axis=1, keepdims=True)
        strong += chance * np.where(best, mine, -np.inf).max(axis=1)
        weak += chance * np.where(best, mine, np.inf).min(axis=1)
    types = [
        (chance, ag.FiniteGame(list(pair)))
        for chance, pair in zip((p, 1 - p), payoffs, strict=True)
    ]
    found = ag.solve_commitment(types=types)
    assert strong.max() <= found.value + 1e-9
    assert found.value - strong.max() <= 16 / steps
    assert weak.max() <= found.pessimistic_value + 1e-9
    assert found.pessimistic_value - weak.max() <= 32 / steps


def corners(B: Any, answer: int) -> list[tuple[Fraction, ...]]:
    """All corners of {x : `answer` is best}, from every choice of tight constraints, in fractions."""
    m, n = len(B), len(B[0])
    rows = [[Fraction(B[i][k] - B[i][answer]) for i in range(m)] for k in range(n) if k != answer]
    rows += [[Fraction(-int(i == j)) for i in range(m)] for j in range(m)]
    found = set()
    for tight in itertools.combinations(range(len(rows)), m - 1):
        x = sympy_solution([rows[k] for k in tight], m)
        if x and all(sum(a * b for a, b in zip(row, x, strict=True)) <= 0 for row in rows):
            found.add(x)
    return sorted(found)


def sympy_solution(rows: Any, m: int) -> tuple[Fraction, ...] | None:
    import sympy as sp

    system = sp.Matrix([[sp.Rational(v.numerator, v.denominator) for v in row] for row in rows])
    system = system.col_join(sp.ones(1, m))
    if system.det() == 0:
        return None
    return tuple(
        Fraction(int(v.p), int(v.q)) for v in system.LUsolve(sp.Matrix([0] * (m - 1) + [1]))
    )


@pytest.mark.parametrize("offset", [0, 10**18, -(10**30)])
@pytest.mark.parametrize("seed", range(4))
def test_against_all_corners_in_fractions(seed: int, offset: int) -> None:
    """Strong and weak values from the corners of every answer's region, and with payoffs far from 0:
    no digit may go to the offset."""
    random = np.random.default_rng(seed)
    A, B = random.integers(-6, 7, (2, 3, 3)).tolist()
    regions = {k: corners(B, k) for k in range(3)}
    strong, weak = [], []
    for k, region in regions.items():
        if not region:
            continue
        value = max(sum(p * A[i][k] for i, p in enumerate(x)) for x in region)
        strong.append(value)
        middle = [sum(x[i] for x in region) / len(region) for i in range(3)]
        earned = [sum(middle[i] * B[i][j] for i in range(3)) for j in range(3)]
        if all(earned[j] < earned[k] for j in range(3) if j != k):
            weak.append(value)
    game = ag.FiniteGame(
        [[[u + offset for u in row] for row in A], [[u - 3 * offset for u in row] for row in B]]
    )
    found = ag.solve_commitment(game)
    assert found.certificate.verdict == "certified"
    assert found.certificate.regret <= 1e-12
    exact = sum(p * A[i][int(found.answers[0]) - 1] for i, p in enumerate(found.strategy))
    assert float(exact) == pytest.approx(float(max(strong)), abs=1e-12)
    assert found.value == float(offset + max(strong))
    assert found.pessimistic_value == float(offset + max(weak))
    plain = ag.solve_commitment(ag.FiniteGame([A, B]))
    assert found.value_of_commitment == pytest.approx(plain.value_of_commitment, abs=1e-9)
    assert found.strategy == plain.strategy


def test_scales_that_differ_by_many_orders() -> None:
    """Units of payoffs are anybody's: a follower in cents of cents, a leader in billions."""
    A, B = np.array([[2, 4], [1, 3]]), np.array([[1, 0], [0, 1]])
    for leader, follower in ((1e9, 1e-9), (1e-12, 1e12), (1e60, 1.0)):
        found = ag.solve_commitment(ag.FiniteGame([A * leader, B * follower]))
        assert found.value == pytest.approx(3.5 * leader, rel=1e-12)
        assert found.pessimistic_value == pytest.approx(3.5 * leader, rel=1e-9)
        assert found.certificate.verdict == "certified"
