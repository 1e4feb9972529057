"""Enclosures contain what they claim: against values in 40 digits at points of the boxes."""

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from alliancegame.errors import UnsupportedFormError
from alliancegame.payoff import intervals as iv
from alliancegame.payoff.enclosures import enclosure
from alliancegame.payoff.lines import as_pieces, derivative, line

x, y = sp.symbols("x y", real=True)
THIRD = sp.Rational(1, 3)

EXPRESSIONS = [
    x + y + THIRD,
    x - y - 0.1,
    x * y,
    x / (x + y),
    3 * y * x / (2 * x + y**2 + 1),
    x**1.5 / (x**1.5 + sp.Abs(y)) ** 2,
    x**2 * y / (x + y) ** 3,
    1 / x,
    x**2 - 2 * x + 1,
    x**3 * y**-2,
    x**-3,
    sp.sqrt(x) + y**0.7,
    x ** (-THIRD),
    sp.Abs(x - y) ** 3,
    sp.Abs(x) ** y,
    sp.exp(x - y**2),
    sp.log(x) - sp.log(y) ** 2,
    sp.Max(x, y, x * y) - sp.Min(x, 1),
    sp.sin(3 * x) * sp.cos(y) + sp.pi,
    sp.tanh(x) + sp.atan(y) - sp.sinh(x) / sp.cosh(y),
    sp.sign(x) * y,
    sp.Piecewise((x**2, x < y), (sp.exp(y), sp.And(x >= y, x > 1)), (-x, True)),
    sp.Piecewise((x, sp.ITE(x < 1, y < x, y > 0)), (1, True)),
    sp.Piecewise((x, sp.Or(x < 0, y > 1)), (y, sp.Ne(x, y)), (sp.E, True)),
]

number = st.floats(-4, 4, allow_nan=False).map(lambda v: float(np.round(v, 3)))
wide = st.floats(0, 3)


def exact(expression, at):
    """The value in 40 digits from the doubles themselves, None where it is undefined."""
    with mpmath.workdps(40):
        f = sp.lambdify((x, y), expression, "mpmath")
        try:
            value = f(*(mpmath.mpf(v) for v in at))
        except (ZeroDivisionError, ValueError, OverflowError):
            return None
        if isinstance(value, mpmath.mpc):
            return None
        value = mpmath.mpf(value)
        return value if mpmath.isfinite(value) else None


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
@given(
    corner=st.tuples(number, number),
    size=st.tuples(wide, wide),
    where=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
@settings(max_examples=25, deadline=None)
def test_values_lie_inside(expression, corner, size, where):
    boxes = [(c, c + s) for c, s in zip(corner, size, strict=True)]
    lo, hi = enclosure(expression, [x, y])(*boxes)
    for share in (where, (0, 0), (1, 1), (0, 1)):
        at = [min(max(a + t * (b - a), a), b) for (a, b), t in zip(boxes, share, strict=True)]
        value = exact(expression, at)
        if value is not None:
            assert mpmath.mpf(float(lo)) <= value <= mpmath.mpf(float(hi))


@pytest.mark.parametrize("expression", EXPRESSIONS[:20], ids=str)
def test_enclosures_shrink_with_the_box(expression):
    f = enclosure(expression, [x, y])
    widths = [float(iv.width(f((1.3, 1.3 + w), (0.7, 0.7 + w)))) for w in (1e-1, 1e-4, 1e-8, 0.0)]
    assert widths[1] < 1e-2
    assert widths[2] < 1e-6
    assert widths[3] < 1e-13
    assert widths == sorted(widths, reverse=True)


def test_many_boxes_at_a_time():
    f = enclosure(x / (x + y), [x, y])
    lo, hi = f((np.linspace(1, 2, 5), np.linspace(1.5, 3, 5)), (1.0, 2.0))
    assert lo.shape == hi.shape == (5,)
    one = f((1.25, 1.875), (1.0, 2.0))
    assert (lo[1], hi[1]) == (one[0], one[1])


def test_domains():
    def at(expression, box):
        lo, hi, level = enclosure(expression, [x]).levelled(box)
        return float(lo), float(hi), int(level)

    assert at(sp.log(x), (0.0, 1.0)) == (-np.inf, 0.0, iv.BROKEN)
    assert at(sp.log(x), (-2.0, -1.0)) == (-np.inf, np.inf, iv.BROKEN)
    assert at(1 / x, (-1.0, 1.0)) == (-np.inf, np.inf, iv.BROKEN)
    lo, hi, level = at(1 / x, (0.0, 2.0))
    assert 0.499 < lo < 0.5
    assert hi == np.inf
    assert level == iv.BROKEN
    assert at(x**-2, (-1.0, 2.0))[0] >= 0
    assert at(sp.sqrt(x), (-1.0, 4.0))[2] == iv.BROKEN
    assert at(sp.sqrt(x), (0.0, 4.0))[2] == iv.CONTINUOUS
    assert at(sp.Abs(x), (-1.0, 4.0)) == (0.0, 4.0, iv.CONTINUOUS)
    assert at(x**2, (-1.0, 2.0))[:2] == pytest.approx((0, 4))
    assert at(x**2, (-1.0, 2.0))[2] == 2
    step = sp.Piecewise((0, x < 1), (1, True))
    assert at(step, (0.0, 1.0)) == (0.0, 1.0, iv.BROKEN)
    assert at(step, (1.0, 2.0)) == (1.0, 1.0, iv.SMOOTH)
    assert at(sp.Piecewise((0, x < 1)), (0.0, 2.0))[2] == iv.BROKEN


def test_shares_are_tight():
    """x / (x + y) has x twice, and still its range on a box is what monotonicity says."""
    f = enclosure(3 * x / (x + y), [x, y])
    assert [float(v) for v in f((1.0, 2.0), (1.0, 3.0))] == pytest.approx([0.75, 2.0], rel=1e-12)
    assert [float(v) for v in f((0.0, 2.0), (0.0, 3.0))] == pytest.approx([0, 3])
    assert f.levelled((0.0, 1.0), (0.0, 1.0))[2] == iv.BROKEN
    squared = enclosure(x**2 / (x + y) ** 2, [x, y])
    assert float(squared((1.0, 2.0), (0.0, 3.0))[1]) < 2.1


def test_numbers_that_no_double_holds():
    lo, hi = enclosure(THIRD, [])()
    assert lo < 1 / 3 <= hi or lo <= 1 / 3 < hi
    lo, hi = enclosure(x * sp.Float("0.1", 30), [x])((1.0, 1.0))
    assert lo < hi
    with pytest.raises(UnsupportedFormError, match="real number"):
        enclosure(sp.I * x, [x])


def test_sums_are_exact_where_they_can_be():
    lo, hi = enclosure(x + y, [x, y])((0.0, 0.0), (0.0, 1.5))
    assert (lo, hi) == (0.0, 1.5)
    lo, hi = enclosure(x + y, [x, y])((1.0, 1.0), (1e-30, 1e-30))
    assert lo == 1.0
    assert hi == np.nextafter(1.0, 2)
    lo, hi = enclosure(x + y, [x, y])((1e308, 1e308), (1e308, 1e308))
    assert np.isfinite(lo)
    assert hi == np.inf


def test_refusals():
    with pytest.raises(UnsupportedFormError, match="gamma"):
        enclosure(sp.gamma(x), [x])
    with pytest.raises(UnsupportedFormError, match="no box"):
        enclosure(x + y, [x])
    with pytest.raises(TypeError):
        enclosure(x, [x])((0, 1), (0, 1))


@pytest.mark.parametrize(
    "expression", [sp.Max(x, 1 - x), sp.Abs(x - 1), sp.Min(x, 1, x**2)], ids=str
)
def test_kinks_become_pieces_of_the_same_value(expression):
    for at in (-1.0, 0.2, 0.5, 1.0, 3.0):
        assert float(as_pieces(expression).subs(x, at)) == pytest.approx(
            float(expression.subs(x, at))
        )
        step = (expression.subs(x, at + 1e-6) - expression.subs(x, at - 1e-6)) / 2e-6
        if at not in (0.5, 1.0):
            assert float(derivative(expression, x).subs(x, at)) == pytest.approx(
                float(step), abs=1e-4
            )


def test_lines_claim_nothing_across_kinks_and_jumps():
    jump = line(sp.Piecewise((x, x < 1), (x - 1, True)), x)
    value, slope, curvature = jump.functions(())
    assert slope((0.5, 1.5)) == (-np.inf, np.inf)
    assert [float(v) for v in slope((0.0, 0.5))] == [1.0, 1.0]
    kink = line(sp.Max(x, y), x, [y])
    value, slope, curvature = kink.functions([0.5])
    assert [float(v) for v in slope((0.0, 1.0))] == [0.0, 1.0]
    assert curvature((0.0, 1.0)) == (-np.inf, np.inf)
    assert [float(v) for v in curvature((0.6, 1.0))] == [0.0, 0.0]
    assert [float(v) for v in value((0.6, 1.0))] == [0.6, 1.0]
