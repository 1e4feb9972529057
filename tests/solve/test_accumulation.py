"""The dynamic public good: K11, Riccati equations by other means, and unequal members."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp
from scipy.linalg import solve_continuous_are

import alliancegame as ag
from alliancegame.errors import InvalidValueError, UnknownNameError


def test_known_answer_k11() -> None:
    found = ag.solve_accumulation(depreciation=0.1, interest=0.05)
    stocks = found.steady_state
    assert stocks["feedback"] == pytest.approx(0.966782, abs=5e-7)
    assert stocks["open-loop"] == pytest.approx(0.992556, abs=5e-7)
    assert stocks["cooperative"] == pytest.approx(0.996264, abs=5e-7)
    assert found.interior


positive = st.floats(0.2, 5.0)


@given(
    st.lists(st.tuples(positive, positive, positive), min_size=2, max_size=5), positive, positive
)
def test_free_riding_grows_without_commitment(
    rows: list[tuple[float, float, float]], wear: float, rate: float
) -> None:
    """Equal members: feedback below open-loop below cooperative (Fershtman and Nitzan 1991)."""
    (a, b, c), n = rows[0], len(rows)
    found = ag.solve_accumulation(a, b, c, depreciation=wear, interest=rate, members=n)
    low, middle, high = found.steady_state
    assert low < middle < high
    total = found.values.sum(axis=1)
    assert (
        total["cooperative"] >= max(total["feedback"], total["open-loop"]) - 1e-9 * abs(total).max()
    )


@given(
    st.lists(st.tuples(positive, positive, positive), min_size=2, max_size=5), positive, positive
)
def test_unequal_members_solve_the_coupled_equations(
    rows: list[tuple[float, float, float]], wear: float, rate: float
) -> None:
    """The Hamilton-Jacobi-Bellman equation of every member holds for all stocks."""
    a, b, c = np.array(rows).T
    found = ag.solve_accumulation(a, b, c, depreciation=wear, interest=rate, members=len(rows))
    course = found.courses["feedback"]
    assert course.residual < 1e-12
    assert course.speed < 0
    G = np.linspace(-1.0, 3.0, 5)[:, None]
    g = course.contributions + (G - course.stock) * course.reaction
    slope = c * g  # V_i'(G)
    bend = c * course.reaction  # V_i''
    drift = g.sum(axis=1, keepdims=True) - wear * G
    # r V' = a - b G - c g g' + V'' * drift + V' * (sum of reactions - wear), differentiated once
    left = rate * slope
    right = a - b * G - c * g * course.reaction + bend * drift
    right = right + slope * (course.reaction.sum() - wear)
    assert np.allclose(left, right, atol=1e-8 * (1 + np.abs(left).max()))


def test_unequal_formula_meets_the_equal_one() -> None:
    equal = ag.solve_accumulation(1.0, 2.0, 3.0, depreciation=0.2, interest=0.1, members=3)
    nearly = ag.solve_accumulation(
        1.0, [2.0, 2.0, 2.0 + 1e-12], 3.0, depreciation=0.2, interest=0.1, members=3
    )
    assert nearly.steady_state["feedback"] == pytest.approx(
        equal.steady_state["feedback"], rel=1e-10
    )


def test_cooperative_riccati_agrees_with_scipy() -> None:
    a, b, c = np.array([1.0, 2.0]), np.array([0.5, 1.5]), np.array([1.0, 3.0])
    found = ag.solve_accumulation(a, b, c, depreciation=0.3, interest=0.2)
    A = np.array([[-0.3 - 0.1]])  # Discounting at r shifts the drift by r/2.
    P = solve_continuous_are(A, np.ones((1, 2)), [[b.sum()]], np.diag(c))
    assert np.allclose(found.courses["cooperative"].reaction, -P[0, 0] / c, rtol=1e-12)


@pytest.mark.parametrize("concept", ["feedback", "open-loop", "cooperative"])
def test_paths_and_values_agree_with_integration(concept: str) -> None:
    a, b, c = [1.0, 2.0], [0.5, 1.5], [1.0, 3.0]
    found = ag.solve_accumulation(a, b, c, depreciation=0.3, interest=0.2, start=0.4)
    times = np.linspace(0, 8, 9)
    path = found.path(concept, times)
    course = found.courses[concept]

    def drift(t: float, G: np.ndarray) -> np.ndarray:
        g = found.path(concept, [t])[list(found.members)].to_numpy().sum()
        return np.asarray(g - 0.3 * G)

    ran = solve_ivp(drift, (0, 8), [0.4], t_eval=times, rtol=1e-10, atol=1e-12)
    assert np.allclose(ran.y[0], path["stock"], atol=1e-8)
    for i in range(2):

        def flow(t: float, i: int = i) -> float:
            gap = (0.4 - course.stock) * np.exp(course.speed * t)
            G, g = course.stock + gap, course.contributions[i] + gap * course.reaction[i]
            return float(np.exp(-0.2 * t) * (a[i] * G - b[i] * G**2 / 2 - c[i] * g**2 / 2))

        total = quad(flow, 0, 150, limit=500)[0]
        assert found.values.loc[concept].iloc[i] == pytest.approx(total, rel=1e-7)


def test_open_loop_paths_solve_the_costate_equations() -> None:
    a, b, c = np.array([1.0, 2.0]), np.array([0.5, 1.5]), np.array([1.0, 3.0])
    found = ag.solve_accumulation(a, b, c, depreciation=0.3, interest=0.2, start=0.4)
    h, times = 1e-5, np.array([0.7, 2.0])
    at, up, down = (found.path("open-loop", times + d) for d in (0, h, -h))
    names = list(found.members)
    slope = c * (up[names].to_numpy() - down[names].to_numpy()) / (2 * h)
    expected = 0.5 * c * at[names].to_numpy() - a + b * at[["stock"]].to_numpy()
    assert np.allclose(slope, expected, atol=1e-8)


def test_bad_input_and_round_trip(tmp_path) -> None:
    good = {"depreciation": 0.1, "interest": 0.05}
    for bad in ({"cost": 0.0}, {"benefit": -1.0}, {"depreciation": 0.0}, {"interest": -0.1},
                {"members": 0}, {"members": ["A", "A"]}, {"saturation": [1.0, 2.0, 3.0]}):  # fmt: skip
        with pytest.raises(InvalidValueError):
            ag.solve_accumulation(**{**good, **bad})
    found = ag.solve_accumulation(**good, members=["USA", "DEU"], start=5.0)
    assert not found.interior
    with pytest.raises(UnknownNameError, match="feedback"):
        found.path("feedbak", [0.0])
    found.to_json(tmp_path / "a.json")
    back = ag.load_result(tmp_path / "a.json")
    assert back.steady_state.equals(found.steady_state)
    assert back.values.equals(found.values)
