"""Changes of sign of falling functions: smooth, at jumps, at the ends, and to the last digits."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alliancegame.solve.extremes.crossing import UNITS, crossing


@given(
    st.lists(st.floats(1e-6, 0.9), min_size=1, max_size=5),
    st.lists(st.floats(0.0, 1.0), max_size=3),
)
def test_smooth_functions_and_jumps(places: list[float], guesses: list[float]) -> None:
    """Marginal payoffs theta / x - 1 / (1 - x), and the same with a jump through zero."""
    at = np.array(places)
    theta = at / (1 - at)
    low, high = np.zeros_like(at), np.ones_like(at)
    first = np.array(guesses)[:, None] * np.ones_like(at) if guesses else None

    def smooth(x: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return theta / x - 1 / (1 - x)

    found = crossing(smooth, low, high, first)
    np.testing.assert_allclose(found, at, rtol=4e-15, atol=1e-16)
    jump = crossing(lambda x: np.where(x < at, 1.0, -1.0), low, high, first)
    assert np.all((jump >= at) & (jump <= at + UNITS * np.spacing(jump)))


def test_nothing_changes_sign() -> None:
    low, high = np.array([0.0, 0.1, 0.2]), np.array([0.5, 0.5, 0.2])
    np.testing.assert_array_equal(crossing(lambda x: -1 - x, low, high), low)
    np.testing.assert_array_equal(crossing(lambda x: 2 - x, low, high), high)


def test_a_kink_that_is_named_is_hit_exactly() -> None:
    kink = np.array([0.1, 0.3])
    first = np.stack([np.nextafter(kink, 0), kink])
    falling = lambda x: np.where(x < kink, 1.0, -1.0)  # noqa: E731
    np.testing.assert_array_equal(crossing(falling, kink * 0, kink * 0 + 1, first), kink)
