"""1. Intervals: what a formula can be, if its numbers lie in given ranges.

The argument: each end of an `Interval` is computed by python-flint, whose balls bound their own
rounding, and is pushed outwards. So an interval holds every value that is possible, and what is not
known is the whole line: a lack of precision can only make the checker say less, never more.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable
from typing import Any

import sympy as sp
from flint import arb

PRECISION = 160
"""Bits of the ends. Gains at a profile of doubles are of order 1e-30, far above 2^-160."""

INFINITE, NEGATIVE, ZERO = arb.pos_inf(), arb.neg_inf(), arb(0)


class NotEnclosedError(Exception):
    """An expression for which no rule of enclosure is written here."""


class Interval:
    """All reals from `lo` to `hi`; the ends are exact numbers, or infinite."""

    __slots__ = ("hi", "lo")

    def __init__(self, lo: Any, hi: Any = None) -> None:
        """Of one exact number (an int or a double), or of two ends, which are rounded outwards."""
        low, high = arb(lo), arb(lo if hi is None else hi)
        self.lo = NEGATIVE if low.is_nan() else low.lower()
        self.hi = INFINITE if high.is_nan() else high.upper()

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.lo + other.lo, self.hi + other.hi)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.lo - other.hi, self.hi - other.lo)

    def __mul__(self, other: Interval) -> Interval:
        """The hull of the products of ends; zero times an infinite end is zero, as ends bound numbers."""
        pairs = [(a, b) for a in (self.lo, self.hi) for b in (other.lo, other.hi)]
        ends = [Interval(ZERO if a == 0 or b == 0 else a * b) for a, b in pairs]
        return Interval(min(end.lo for end in ends), max(end.hi for end in ends))

    def __truediv__(self, other: Interval) -> Interval:
        return self * other.reciprocal()

    def reciprocal(self) -> Interval:
        """1 / y. Where y can be zero with either sign (or only zero) nothing is known."""
        low = 1 / self.hi if self.hi < 0 or (self.lo >= 0 and self.hi > 0) else NEGATIVE
        high = 1 / self.lo if self.lo > 0 or (self.hi <= 0 and self.lo < 0) else INFINITE
        return Interval(low, high)

    def power(self, exponent: sp.Rational) -> Interval:
        """y^q; for q that is no whole number, over the y >= 0 alone, where it is defined."""
        if exponent < 0:
            return self.power(-exponent).reciprocal()
        if exponent == 0:
            return Interval(1)
        q = arb(int(exponent.p)) / arb(int(exponent.q))
        low, high = self.lo, self.hi
        if not exponent.is_Integer:
            low, high = max(low, ZERO), max(high, ZERO)
        elif exponent.p % 2 == 0 and low < 0:
            low, high = max(low, -high, ZERO), max(-low, high)
        return Interval(*(end if end == 0 or end == INFINITE else end**q for end in (low, high)))

    def log(self) -> Interval:
        """Logarithms of the y > 0, and minus infinity where there is none: the payoff of ruin."""
        return Interval(*(end.log() if end > 0 else NEGATIVE for end in (self.lo, self.hi)))

    def rising(self, function: Callable[[Any], Any]) -> Interval:
        """The image under a function that rises everywhere (exp, exp - 1, tanh)."""
        return Interval(function(self.lo), function(self.hi))

    def inside(self, low: Any, high: Any) -> bool:
        """Whether every value is proved to lie in [low, high]."""
        return bool(self.lo >= low and self.hi <= high)

    def __repr__(self) -> str:
        return f"[{float(self.lo)!r}, {float(self.hi)!r}]"


def total(parts: Iterable[Interval]) -> Interval:
    """A sum."""
    return sum(parts, Interval(0))


RULES: dict[Any, Callable[[list[Interval]], Interval]] = {
    sp.Add: total,
    sp.Mul: lambda parts: functools.reduce(operator.mul, parts),
    sp.log: lambda parts: parts[0].log(),
    sp.exp: lambda parts: parts[0].rising(lambda end: ZERO if end == NEGATIVE else end.exp()),
    sp.tanh: lambda parts: parts[0].rising(lambda end: end.tanh()),
    sp.Min: lambda parts: Interval(min(p.lo for p in parts), min(p.hi for p in parts)),
    sp.Max: lambda parts: Interval(max(p.lo for p in parts), max(p.hi for p in parts)),
}
"""The operations of the terms. There is no other: what is not listed is not enclosed."""


def enclose(expression: Any, known: dict[Any, Interval]) -> Interval:
    """Every value of a SymPy expression whose symbols lie in the intervals `known`.

    What is worked out is put into `known`, so that shared parts are worked out once.
    Raises `NotEnclosedError` for a function that has no rule above.
    """
    if expression in known:
        return known[expression]
    if expression.is_Rational:
        found = Interval(int(expression.p)) / Interval(int(expression.q))
    elif expression.is_Pow and expression.exp.is_Rational:
        found = enclose(expression.base, known).power(expression.exp)
    elif expression.func in RULES:
        found = RULES[expression.func]([enclose(part, known) for part in expression.args])
    else:
        raise NotEnclosedError(f"no rule of enclosure for {expression.func}")
    known[expression] = found
    return found
