"""Intervals enclose, and the search for deviations finds what a scan finds: no more, no less."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

import alliancegame as ag
from alliancegame.verify.intervals import PRECISION, Interval, NotEnclosedError, enclose
from alliancegame.verify.payoffs import Stage
from tests.problems import alliance
from tests.verify import by_hand

a, b = sp.symbols("a b", positive=True)
EXPRESSIONS = (
    a + b, a * b - a, a / b, a**2 / (1 + b), (a - b) ** 3, (a - b) ** 2, a ** sp.Rational(0.7),
    b ** sp.Rational(-1.3), sp.log(a + b), sp.exp(-a * b), sp.tanh(a - 2 * b), 1 / (a - b),
    sp.log(a - b), sp.Min(a, 2 * b), sp.Max(a, 2 * b), (a - b) ** -2, (a + b) ** sp.Rational(1, 3),
)  # fmt: skip
ENDS = st.floats(0, 8, allow_subnormal=False)


@given(st.sampled_from(EXPRESSIONS), ENDS, ENDS, ENDS, ENDS, st.floats(0, 1), st.floats(0, 1))
def test_values_lie_in_their_enclosures(
    expression: Any, low: float, wide: float, other: float, wider: float, s: float, t: float
) -> None:
    """Inside a box, at exact points, to 40 digits."""
    mpmath.mp.dps = 40
    x, y = mpmath.mpf(low) + mpmath.mpf(wide) * s, mpmath.mpf(other) + mpmath.mpf(wider) * t
    try:
        value = sp.lambdify((a, b), expression, "mpmath")(x, y)
    except (ZeroDivisionError, ValueError):
        return
    with ctx.workprec(PRECISION):
        box = {
            a: Interval(low) + Interval(wide) * Interval(0, 1),
            b: Interval(other) + Interval(wider) * Interval(0, 1),
        }
        found = enclose(expression, box)
        if isinstance(value, mpmath.mpc) or not mpmath.isfinite(value):
            return
        near = arb(mpmath.nstr(value, 40)) + arb(0, 1e-35 * (1 + abs(float(value))))
        assert not near < found.lo
        assert not near > found.hi


def test_points_are_enclosed_to_the_last_digits() -> None:
    with ctx.workprec(PRECISION):
        third = Interval(1) / Interval(3)
        assert 0 < float(third.hi - third.lo) < 1e-47
        assert float((Interval(0).log()).hi) == -math.inf
        nothing = Interval(0) * Interval(0).log()
        assert nothing.lo == 0 == nothing.hi
        assert repr(Interval(0, 1)) == "[0.0, 1.0]"
        with pytest.raises(NotEnclosedError, match="erf"):
            enclose(sp.erf(a), {a: Interval(1)})


RANDOM = {
    "consumption": ("log", "linear"), "influence": ("council", "hub"),
    "influence_value": ("log", "share"), "shortfall": ("proportional", "trigger", "logistic"),
    "decisiveness": (0.5, 1.0, 2.5), "horizon": ("impact", "stationary"),
}  # fmt: skip


@pytest.mark.parametrize("seed", range(14))
def test_the_largest_gain_is_that_of_a_scan(seed: int) -> None:
    """At profiles from anywhere, for every form: bounded from above, and found from below."""
    draw = np.random.default_rng(seed)
    forms = {name: draw.choice(values).item() for name, values in RANDOM.items()}
    technology = draw.choice([0.4, 1.0, 1.0, 3.0, -1.0, "weakest-link", "best-shot"])
    if technology in ("weakest-link", "best-shot"):
        forms["technology"] = str(technology)
    else:
        forms["substitution"] = float(technology)
    game = alliance(
        draw.uniform(1, 5, 3).tolist(), draw.uniform(0.01, 0.06, 3).tolist(), burden_max=0.2,
        influence_weight=draw.uniform(0, 0.02, 3).tolist(), private_weight=0.003, rival_pull=0.02,
        decay=0.4, recovery=0.1, trade_exposure=0.1, deadweight=0.3, **forms,
    )  # fmt: skip
    plan = ag.Plan(
        threat=float(draw.uniform(0, 1)), tariff=float(draw.choice([0, 0.15])), demand=0.04
    )
    burdens = draw.choice([0.004, 0.02, 0.04, 0.07, 0.2], 3).tolist()
    hand = by_hand.Alliance(game, plan)
    with ctx.workprec(PRECISION):
        stage = Stage(game, plan, burdens)
        for i in range(3):
            best = max(_scan(hand, i, burdens), 0.0)
            above = stage.gain(i, arb(best + 1e-7))
            assert float(above.most) <= best + 1e-7
            assert float(above.least) <= best + 1e-7
            if best > 1e-7:
                below = stage.gain(i, arb(best - 1e-7))
                assert float(below.least) > best - 1e-7


def _scan(hand: by_hand.Alliance, i: int, burdens: list[float]) -> float:
    """The largest gain at points close together, refined, and just under the demand."""
    profile = list(burdens)
    now = hand.payoff(i, profile)

    def gain(x: float) -> float:
        profile[i] = x
        return hand.payoff(i, profile) - now

    points = np.unique([*np.linspace(1e-9, 0.2, 2001), math.nextafter(0.04, 0), 0.04])
    gains = [gain(x) for x in points]
    for k in np.argsort(gains)[-3:]:
        fine = points[max(k - 1, 0) : k + 2]
        for _ in range(3):
            fine = np.linspace(fine[0], fine[-1], 101)
            found = [gain(x) for x in fine]
            gains += found
            top = int(np.argmax(found))
            fine = fine[max(top - 1, 0) : top + 2]
    return max(gains)
