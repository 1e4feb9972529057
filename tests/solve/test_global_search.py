"""Global maxima against planted answers and dense scans; bounds that hold when the search is cut short."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from alliancegame.payoff.lines import line
from alliancegame.solve.global_search import maximise_1d

x = sp.Symbol("x", real=True)


def maximum(expression, low, high, breaks=(), tolerance=1e-10, derivatives=2, **more):
    value, slope, curvature = line(sp.sympify(expression), x).functions(())
    slope = slope if derivatives >= 1 else None
    curvature = curvature if derivatives >= 2 else None
    return maximise_1d(value, slope, curvature, low, high, breaks, tolerance, **more)


def needle(at, width):
    return sp.exp(-(((x - at) / width) ** 2))


PLANTED = {
    "double well": (-((x**2 - 1) ** 2) + x / 100, -2, 2, None),
    "needle": (2 * needle(0.123456, 1e-4) + needle(-0.5, 0.3), -1, 1, 0.123456),
    "kink": (-sp.Abs(x - sp.Rational(1, 3)), 0, 1, 1 / 3),
    "saddle": (-((x - 0.25) ** 4), 0, 1, 0.25),
    "plateau": (sp.Min(x, sp.Rational(1, 2)), 0, 1, None),
    "corner": (x**2, 0, 1, 1.0),
    "root at the corner": (sp.sqrt(x) - 3 * x, 0, 1, 1 / 36),
    "logarithm": (sp.log(x) - 4 * x, 0, 1, 0.25),
    "two walls": (sp.log(x) + sp.log(1 - x) / 1000, 0, 1, 1 / 1.001),
    "two kinks": (sp.Max(-((x - 0.2) ** 2), 0.1 - sp.Abs(x - 0.8)), 0, 1, 0.8),
    "local optima": (sp.sin(40 * x) + x / 10 - (x - 1) ** 2 / 50, 0, 3, None),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted(name):
    expression, low, high, at = PLANTED[name]
    found = maximum(expression, low, high)
    scan = np.linspace(low, high, 100_001)
    with np.errstate(all="ignore"):
        highest = np.nanmax(np.broadcast_to(sp.lambdify(x, expression, "numpy")(scan), scan.shape))
    assert found.proved
    assert found.gap <= 1.1e-10
    assert found.value >= highest - 1e-6
    assert found.bound >= highest - 1e-15
    if at is not None:
        assert found.points[0] == pytest.approx(at, abs=1e-5)


@pytest.mark.parametrize("derivatives", [0, 1])
def test_fewer_derivatives_give_the_same(derivatives):
    found = maximum(-((x - 0.3) ** 2) + x**3 / 9, 0, 1, derivatives=derivatives, tolerance=1e-6)
    full = maximum(-((x - 0.3) ** 2) + x**3 / 9, 0, 1)
    assert found.proved
    assert found.bound >= full.value - 1e-15
    assert found.value == pytest.approx(full.value, abs=1e-6)


def test_all_best_points_are_found():
    found = maximum(-((x**2 - 1) ** 2), -2, 2)
    assert sorted(found.points) == pytest.approx([-1, 1], abs=1e-4)


def test_the_bound_holds_when_the_budget_ends():
    expression = sp.sin(200 * x) + needle(0.7003, 1e-5) / 3
    full = maximum(expression, 0, 3)
    for budget in (0, 20, 100, 300):
        cut = maximum(expression, 0, 3, budget=budget)
        assert cut.bound >= full.value - 1e-12
        assert not cut.proved
        assert cut.open > 0
        assert cut.boxes <= budget


def test_a_point_and_a_jump_inside():
    found = maximum(x**2, 2, 2)
    assert found.value <= 4 <= found.bound
    assert found.proved
    jump = sp.Piecewise((x, x < 1), (x / 2, True))  # The supremum 1 is not attained.
    found = maximum(jump, 0, 2)
    assert found.bound >= 1.0
    assert found.value <= 1.0
    assert found.bound == pytest.approx(1.0, abs=1e-6)


def test_breaks_and_given_starts():
    demand = 0.04
    pressed = sp.log(1 - x) + 0.05 * sp.log(0.02 * (1 - 0.6 * sp.Max(0, 1 - x / demand)) + x)
    found = maximum(pressed, 0, 0.25, breaks=[demand], start=[demand])
    scan = np.linspace(0, 0.25, 200_001)
    best = np.max(sp.lambdify(x, pressed, "numpy")(scan))
    assert found.proved
    assert found.value == pytest.approx(best, abs=1e-9)
    assert found.bound >= best


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0.02, 0.5), st.floats(-1, 1)), min_size=1, max_size=4
    )
)
@settings(max_examples=10, deadline=None)
def test_random_hills(hills):
    expression = sp.Add(*(h * needle(at, w) for at, w, h in hills))
    found = maximum(expression, 0, 1)
    scan = np.linspace(0, 1, 20_001)
    value = np.broadcast_to(sp.lambdify(x, expression, "numpy")(scan), scan.shape)
    assert found.bound >= value.max() - 1e-14
    assert found.value >= value.max() - 1e-9
    assert found.proved
    assert found.gap <= 1.1e-10


def test_a_wrong_interval():
    with pytest.raises(ValueError, match="low"):
        maximum(x, 1, 0)
