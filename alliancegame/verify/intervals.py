"""Intervals with outward-rounded ends, and SymPy expressions enclosed over them.

An `Interval` holds every value that an expression can take. Each end is computed by python-flint's
balls (which bound their own rounding) and pushed outwards. What is not known is the whole line, so
that a mistake of precision can only make the checker say less.
"""

from __future__ import annotations

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

    def __neg__(self) -> Interval:
        return Interval(-self.hi, -self.lo)

    def __sub__(self, other: Interval) -> Interval:
        return self + -other

    def __mul__(self, other: Interval) -> Interval:
        ends = [_times(a, b) for a in (self.lo, self.hi) for b in (other.lo, other.hi)]
        sides = [Interval(end) for end in ends]
        return Interval(min(s.lo for s in sides), max(s.hi for s in sides))

    def __truediv__(self, other: Interval) -> Interval:
        return self * other.reciprocal()

    def reciprocal(self) -> Interval:
        """1 / y. Where y can be zero with either sign (or only zero) nothing is known."""
        if self.lo > 0 or self.hi < 0:
            return Interval(1 / self.hi, 1 / self.lo)
        if self.lo == 0 and self.hi > 0:
            return Interval(1 / self.hi, INFINITE)
        if self.hi == 0 and self.lo < 0:
            return Interval(NEGATIVE, 1 / self.lo)
        return Interval(NEGATIVE, INFINITE)

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
        return Interval(_raised(low, q), _raised(high, q))

    def log(self) -> Interval:
        """Logarithms of the y > 0, and minus infinity where there is none: the payoff of ruin."""
        return Interval(*(end.log() if end > 0 else NEGATIVE for end in (self.lo, self.hi)))

    def rising(self, function: Callable[[Any], Any]) -> Interval:
        """The image under a function that rises everywhere (exp, tanh)."""
        return Interval(function(self.lo), function(self.hi))

    def inside(self, low: Any, high: Any) -> bool:
        """Whether every value is proved to lie in [low, high]."""
        return bool(self.lo >= low and self.hi <= high)

    def __repr__(self) -> str:
        return f"[{float(self.lo)!r}, {float(self.hi)!r}]"


def _times(a: Any, b: Any) -> Any:
    """A product of ends. Zero times an infinite end is zero: ends stand for finite numbers."""
    return ZERO if a == 0 or b == 0 else a * b


def _raised(end: Any, q: Any) -> Any:
    return ZERO if end == 0 else INFINITE if end == INFINITE else end**q


def total(parts: Iterable[Interval]) -> Interval:
    """A sum."""
    found = Interval(0)
    for part in parts:
        found = found + part
    return found


def enclose(expression: Any, known: dict[Any, Interval]) -> Interval:
    """Every value of a SymPy expression whose symbols lie in the intervals `known`.

    What is worked out is put into `known`, so that shared parts are worked out once.
    Raises `NotEnclosedError` for a function that has no rule below.
    """
    found = known.get(expression)
    if found is None:
        found = known[expression] = _enclosed(expression, known)
    return found


def _enclosed(expression: Any, known: dict[Any, Interval]) -> Interval:
    if expression.is_Rational:
        return Interval(int(expression.p)) / Interval(int(expression.q))
    if expression.is_Pow and expression.exp.is_Rational:
        return enclose(expression.base, known).power(expression.exp)
    parts = [enclose(part, known) for part in expression.args]
    if expression.is_Add:
        return total(parts)
    if expression.is_Mul:
        product = parts[0]
        for part in parts[1:]:
            product = product * part
        return product
    if expression.func is sp.log:
        return parts[0].log()
    if expression.func is sp.exp:
        return parts[0].rising(lambda end: ZERO if end == NEGATIVE else end.exp())
    if expression.func is sp.tanh:
        return parts[0].rising(lambda end: end.tanh())
    if expression.func in (sp.Min, sp.Max):
        pick = min if expression.func is sp.Min else max
        return Interval(pick(p.lo for p in parts), pick(p.hi for p in parts))
    raise NotEnclosedError(f"no rule of enclosure for {expression.func}")
