"""Interval arithmetic on arrays: pairs (lo, hi) whose operations contain every true result.

An interval is a pair of float64 arrays (or numbers) that broadcast against each other, lo <= hi, ends
included; infinite ends mean "unbounded". Sums are rounded outward exactly (the error of a sum is
known), products and quotients by one unit in the last place (IEEE 754 rounds them correctly), and
values of NumPy's exp, log, power and the like by `ULPS` units: the C libraries and the vectorised
loops that NumPy uses document at most 4.

Points where an operation is undefined (log of a negative number, division by zero) belong to no
result: an interval encloses the values where there are any. If there are none it is the whole line.
Each operation that can be undefined, jump or bend says so in a second value, its level: `SMOOTH`
where it is defined and smooth on the whole box, `CONTINUOUS` where it is defined and may have a kink,
`BROKEN` elsewhere. Proofs of existence and of concavity need it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bound = Any
Interval = tuple[Bound, Bound]
Flags = NDArray[np.bool_]
Level = Any

ULPS = 4
"""How far values of NumPy's elementary functions may be from the truth, in units in the last place."""

_PAD = (ULPS + 1) * float(np.finfo(np.float64).eps)
_TINY = (ULPS + 1) * float(np.finfo(np.float64).smallest_subnormal)
_MOST = float(np.finfo(np.float64).max)
_HUGE = 1e300
WHOLE: Interval = (-np.inf, np.inf)
BROKEN, CONTINUOUS, SMOOTH = 0, 1, 2


def ordered(lo: Bound, hi: Bound) -> Interval:
    """An interval from computed ends: nan is unbounded, an overflow on the wrong side is finite."""
    lo = np.where(np.isnan(lo), -np.inf, np.minimum(lo, _MOST))
    hi = np.where(np.isnan(hi), np.inf, np.maximum(hi, -_MOST))
    return lo, hi


def padded(lo: Bound, hi: Bound) -> Interval:
    """Ends that an elementary function computed, moved outward by its possible error."""
    return ordered(
        np.where(np.isinf(lo), lo, lo - (np.abs(lo) * _PAD + _TINY)),
        np.where(np.isinf(hi), hi, hi + (np.abs(hi) * _PAD + _TINY)),
    )


def _level(smooth: Any, continuous: Any = False) -> Level:
    return np.where(smooth, SMOOTH, np.where(continuous, CONTINUOUS, BROKEN))


def add(a: Interval, b: Interval) -> Interval:
    """Sum, rounded outward where the sum is not exact (Knuth's two-sum gives its error)."""
    lo, low_error = _two_sum(a[0], b[0])
    hi, high_error = _two_sum(a[1], b[1])
    return ordered(
        np.where(low_error >= 0, lo, np.nextafter(lo, -np.inf)),
        np.where(high_error <= 0, hi, np.nextafter(hi, np.inf)),
    )


def _two_sum(x: Bound, y: Bound) -> tuple[Bound, Bound]:
    """The rounded sum and its exact error; the error is nan where the sum is huge or not finite."""
    total = np.add(x, y)
    part = total - x
    error = (x - (total - part)) + (y - part)
    return total, np.where(np.abs(total) < _HUGE, error, np.nan)


def negative(a: Interval) -> Interval:
    """The interval with its sign changed."""
    return -np.asarray(a[1]), -np.asarray(a[0])


def subtract(a: Interval, b: Interval) -> Interval:
    """Difference."""
    return add(a, negative(b))


def multiply(a: Interval, b: Interval) -> Interval:
    """Product; zero times an infinite end is zero, as the end is a bound and no value."""
    corners = [_product(x, y) for x in a for y in b]
    lo = np.minimum(np.minimum(corners[0], corners[1]), np.minimum(corners[2], corners[3]))
    hi = np.maximum(np.maximum(corners[0], corners[1]), np.maximum(corners[2], corners[3]))
    exact = _exact_zero(a) | _exact_zero(b)
    down, up = np.nextafter(lo, -np.inf), np.nextafter(hi, np.inf)
    one_sign = ((a[0] >= 0) & (b[0] >= 0)) | ((a[1] <= 0) & (b[1] <= 0))
    other = ((a[0] >= 0) & (b[1] <= 0)) | ((a[1] <= 0) & (b[0] >= 0))
    down = np.where(one_sign, np.maximum(down, 0.0), down)
    up = np.where(other, np.minimum(up, 0.0), up)
    return ordered(np.where(exact, 0.0, down), np.where(exact, 0.0, up))


def _product(x: Bound, y: Bound) -> Bound:
    return np.where((x == 0) | (y == 0), 0.0, np.multiply(x, y))


def _exact_zero(a: Interval) -> Flags:
    return np.asarray((a[0] == 0) & (a[1] == 0))


def reciprocal(a: Interval) -> tuple[Interval, Level]:
    """Inverse; [0, b] gives [1/b, inf), a box around 0 the whole line."""
    lo, hi = np.asarray(a[0], dtype=float), np.asarray(a[1], dtype=float)
    inside = ((lo < 0) & (hi > 0)) | ((lo == 0) & (hi == 0))
    low = np.where(
        inside | (hi == 0), -np.inf, np.nextafter(1.0 / np.where(hi == 0, 1.0, hi), -np.inf)
    )
    high = np.where(
        inside | (lo == 0), np.inf, np.nextafter(1.0 / np.where(lo == 0, 1.0, lo), np.inf)
    )
    low = np.where((lo >= 0) & ~inside, np.maximum(low, 0.0), low)
    high = np.where((hi <= 0) & ~inside, np.minimum(high, 0.0), high)
    return ordered(low, high), _level((lo > 0) | (hi < 0))


def share(part: Interval, rest: Interval) -> tuple[Interval, Level]:
    """What part / (part + rest) can be: it rises in part and falls in rest where neither is negative.

    Elsewhere it is the whole line; at 0 / 0 anything from 0 to 1.
    """
    negative_there = (part[0] < 0) | (rest[0] < 0)
    low_sum, high_sum = (
        add((part[0], part[0]), (rest[1], rest[1])),
        add((part[1], part[1]), (rest[0], rest[0])),
    )
    low = np.nextafter(np.where(low_sum[1] > 0, part[0] / low_sum[1], 0.0), -np.inf)
    high = np.nextafter(np.where(high_sum[0] > 0, part[1] / high_sum[0], 1.0), np.inf)
    low = np.where(np.isnan(low), 0.0, np.clip(low, 0.0, 1.0))
    high = np.where(np.isnan(high), 1.0, np.clip(high, 0.0, 1.0))
    low, high = np.where(negative_there, -np.inf, low), np.where(negative_there, np.inf, high)
    return (low, high), _level(~negative_there & (np.asarray(part[0]) + rest[0] > 0))


def whole_power(a: Interval, exponent: int) -> tuple[Interval, Level]:
    """Power with a whole exponent: even powers are not negative, odd ones increase."""
    if exponent < 0:
        base, _ = whole_power(a, -exponent)
        inverse, _ = reciprocal(base)
        level = _level((np.asarray(a[0]) > 0) | (np.asarray(a[1]) < 0))
        if exponent % 2 == 0:  # Both sides of zero go to +infinity.
            return (np.maximum(inverse[0], 0.0), inverse[1]), level
        return inverse, level
    lo, hi = np.asarray(a[0], dtype=float), np.asarray(a[1], dtype=float)
    if exponent == 0:
        return (np.ones_like(lo), np.ones_like(hi)), SMOOTH
    if exponent == 1:
        return (lo, hi), SMOOTH
    below, above = _power(lo, float(exponent)), _power(hi, float(exponent))
    if exponent % 2:
        low, high = padded(below, above)
        return (
            np.where(lo >= 0, np.maximum(low, 0.0), low),
            np.where(hi <= 0, np.minimum(high, 0.0), high),
        ), SMOOTH
    straddles = (lo <= 0) & (hi >= 0)
    low, high = padded(np.minimum(below, above), np.maximum(below, above))
    low = np.where(straddles, 0.0, np.maximum(low, 0.0))
    return (low, np.where((lo == 0) & (hi == 0), 0.0, high)), SMOOTH


def real_power(a: Interval, b: Interval, *, clip: bool) -> tuple[Interval, Level]:
    """Power for a >= 0, whose extremes lie at corners; `clip`: negative a is outside the domain.

    Without `clip` (the exponent might be whole) a box that reaches below zero gives the whole line.
    """
    lo, hi = np.asarray(a[0], dtype=float), np.asarray(a[1], dtype=float)
    base = np.maximum(lo, 0.0), np.maximum(hi, 0.0)
    corners = [_power(x, y) for x in base for y in b]
    low = np.minimum(np.minimum(corners[0], corners[1]), np.minimum(corners[2], corners[3]))
    high = np.maximum(np.maximum(corners[0], corners[1]), np.maximum(corners[2], corners[3]))
    exact = (low == high) & ((low == 0.0) | (low == 1.0)) & (base[0] == base[1])
    down, up = padded(low, high)
    down = np.where(exact, low, np.maximum(down, 0.0))
    up = np.where(exact, high, up)
    outside = (hi < 0) if clip else (lo < 0)
    level = _level(lo > 0, (lo >= 0) & (np.asarray(b[0]) > 0))
    return ordered(np.where(outside, -np.inf, down), np.where(outside, np.inf, up)), level


def _power(base: Bound, exponent: Bound) -> Bound:
    return np.power(base, exponent)


def exp(a: Interval) -> Interval:
    """Exponential."""
    lo, hi = padded(np.exp(a[0]), np.exp(a[1]))
    return np.maximum(lo, 0.0), hi


def log(a: Interval) -> tuple[Interval, Level]:
    """log(a): -inf where a reaches zero, the whole line where a has no positive point."""
    lo, hi = np.asarray(a[0], dtype=float), np.asarray(a[1], dtype=float)
    low, high = padded(np.log(np.maximum(lo, 0.0)), np.log(np.maximum(hi, 0.0)))
    low, high = np.where(lo == 1, 0.0, low), np.where(hi == 1, 0.0, high)
    return (np.where(lo <= 0, -np.inf, low), np.where(hi < 0, np.inf, high)), _level(lo > 0)


def absolute(a: Interval) -> tuple[Interval, Level]:
    """abs(a), smooth away from zero."""
    lo, hi = np.asarray(a[0]), np.asarray(a[1])
    low = np.maximum(np.maximum(lo, -hi), 0.0)
    return (low, np.maximum(-lo, hi)), _level((lo > 0) | (hi < 0), True)


def sign(a: Interval) -> tuple[Interval, Level]:
    """The sign of a: -1, 0 or 1."""
    lo, hi = np.asarray(a[0]), np.asarray(a[1])
    return (np.sign(lo), np.sign(hi)), _level((lo > 0) | (hi < 0))


def increasing(function: Any, a: Interval, least: float, most: float) -> Interval:
    """An increasing elementary function of NumPy, with its range."""
    lo, hi = padded(function(a[0]), function(a[1]))
    return np.maximum(lo, least), np.minimum(hi, most)


def cosh(a: Interval) -> Interval:
    """cosh(a)."""
    (lo, hi), _ = absolute(a)
    low, high = padded(np.cosh(lo), np.cosh(hi))
    return np.maximum(low, 1.0), high


def sine(a: Interval, *, shift: bool = False) -> Interval:
    """sin(a), or cos(a) with `shift`: extremes where the box may hold a turning point."""
    function = np.cos if shift else np.sin
    finite = np.isfinite(a[0]) & np.isfinite(a[1])
    lo, hi = np.where(finite, a[0], 0.0), np.where(finite, a[1], 0.0)
    large = np.maximum(np.abs(lo), np.abs(hi)) > 1e8  # Turning points are not located that far out.
    low, high = padded(
        np.minimum(function(lo), function(hi)), np.maximum(function(lo), function(hi))
    )
    quarter = 0.0 if shift else 0.25
    tops, bottoms = (_holds(lo, hi, quarter), _holds(lo, hi, quarter + 0.5))
    low = np.where(bottoms | large | ~finite, -1.0, np.maximum(low, -1.0))
    high = np.where(tops | large | ~finite, 1.0, np.minimum(high, 1.0))
    return low, high


def _holds(lo: Bound, hi: Bound, phase: float) -> Flags:
    """Whether (k + phase) * 2 pi may lie in [lo, hi] for a whole k; near misses count."""
    slack = 1e-6
    start, end = lo / (2 * np.pi) - phase - slack, hi / (2 * np.pi) - phase + slack
    return np.asarray(np.floor(end) >= np.ceil(start))


def maximum(a: Interval, b: Interval) -> tuple[Interval, Level]:
    """max(a, b), smooth where one of them is always the larger."""
    apart = _level((a[0] > b[1]) | (b[0] > a[1]), True)
    return (np.maximum(a[0], b[0]), np.maximum(a[1], b[1])), apart


def minimum(a: Interval, b: Interval) -> tuple[Interval, Level]:
    """min(a, b), smooth where one of them is always the smaller."""
    apart = _level((a[0] > b[1]) | (b[0] > a[1]), True)
    return (np.minimum(a[0], b[0]), np.minimum(a[1], b[1])), apart


def hull(a: Interval, b: Interval) -> Interval:
    """The smallest interval that contains both."""
    return np.minimum(a[0], b[0]), np.maximum(a[1], b[1])


def intersect(a: Interval, b: Interval) -> Interval:
    """What two enclosures of the same values have in common."""
    return np.maximum(a[0], b[0]), np.minimum(a[1], b[1])


def width(a: Interval) -> Bound:
    """How wide an interval is."""
    return np.subtract(a[1], a[0])
