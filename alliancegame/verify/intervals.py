"""1. Intervals: what a formula can be, if its numbers lie in given ranges.

The argument: each end of an `Interval` is computed by python-flint, whose balls bound their own
rounding, and is pushed outwards. So an interval holds every value that is possible, and what is not
known is the whole line: a lack of precision can only make the checker say less, never more. An infinite end
stands for a limit, as that of ln y at 0.
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

    @property
    def unknown(self) -> bool:
        """Whether it is the whole line: what it encloses may be any number, or none, as 1 / 0."""
        return bool(self.lo == NEGATIVE and self.hi == INFINITE)

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.lo + other.lo, self.hi + other.hi)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.lo - other.hi, self.hi - other.lo)

    def __mul__(self, other: Interval) -> Interval:
        """The hull of the products of ends.

        0 times infinite is 0: an infinite end bounds numbers, and 0 times each of them is 0.
        """
        if self.unknown or other.unknown:
            return WHOLE
        pairs = [(a, b) for a in (self.lo, self.hi) for b in (other.lo, other.hi)]
        return hull(Interval(ZERO if a == 0 or b == 0 else a * b) for a, b in pairs)

    def __truediv__(self, other: Interval) -> Interval:
        return self * other.reciprocal()

    def reciprocal(self) -> Interval:
        """1 / y for the y other than 0. Of both signs, or of 0 alone, nothing is known.

        If 0 is one end, 1 / y has no bound on that side, and an infinite end says so.
        """
        low = 1 / self.hi if self.hi < 0 or (self.lo >= 0 and self.hi > 0) else NEGATIVE
        high = 1 / self.lo if self.lo > 0 or (self.hi <= 0 and self.lo < 0) else INFINITE
        return Interval(low, high)

    def power(self, q: sp.Rational) -> Interval:
        """y^q; for a q that is no whole number, over the y >= 0 alone (but see `REAL`)."""
        if q < 0:
            return self.power(-q).reciprocal()
        if q == 0:
            return Interval(1)
        base, exponent = self, arb(int(q.p)) / arb(int(q.q))
        if not q.is_Integer:
            if self.hi < 0:
                return WHOLE
            base = Interval(max(self.lo, ZERO), self.hi)
        elif q.p % 2 == 0:
            base = self.absolute()
        ends = (base.lo, base.hi)
        return Interval(*(end if end == 0 or end == INFINITE else end**exponent for end in ends))

    def log(self) -> Interval:
        """Logarithms of the y > 0, and minus infinity where there is none: the payoff of ruin."""
        return Interval(*(end.log() if end > 0 else NEGATIVE for end in (self.lo, self.hi)))

    def absolute(self) -> Interval:
        """Absolute values."""
        return Interval(max(self.lo, -self.hi, ZERO), max(-self.lo, self.hi))

    def increasing(self, function: Callable[[Any], Any]) -> Interval:
        """The image under a function that falls nowhere (exp, tanh, ...)."""
        return Interval(function(self.lo), function(self.hi))

    def __repr__(self) -> str:
        return f"[{float(self.lo)!r}, {float(self.hi)!r}]"


WHOLE = Interval(NEGATIVE, INFINITE)
"""Nothing is known."""


def total(parts: Iterable[Interval]) -> Interval:
    """A sum."""
    return sum(parts, Interval(0))


def hull(parts: Iterable[Interval]) -> Interval:
    """The least interval that holds all of them."""
    every = list(parts)
    return Interval(min(y.lo for y in every), max(y.hi for y in every))


RULES: dict[Any, Callable[..., Interval]] = {
    sp.Add: lambda *parts: total(parts),
    sp.Mul: lambda *parts: functools.reduce(operator.mul, parts),
    sp.Min: lambda *parts: Interval(min(y.lo for y in parts), min(y.hi for y in parts)),
    sp.Max: lambda *parts: Interval(max(y.lo for y in parts), max(y.hi for y in parts)),
    sp.log: Interval.log,
    sp.exp: lambda y: y.increasing(arb.exp),
    sp.tanh: lambda y: y.increasing(arb.tanh),
}
"""The operations of the model's terms. `own.rules` adds those found in users' own games alone."""

Known = dict[Any, Interval]
"""Symbols, and the intervals in which they lie; and what `enclose` has worked out with them."""

BRANCHED: dict[Any, Callable[[Any, Known], Interval]] = {}
"""Rules for what is more than a function of its parts, as a `Piecewise` of users' games (`own.rules`)."""

REAL = sp.Symbol("real")
"""A flag and no number: with it in `known`, as in users' games, roots of what may be negative are unknown.

So are logarithms. In an alliance a logarithm of what is not positive is ruin, and what is negative under a
root is rounding.
"""


def enclose(expression: Any, known: Known) -> Interval:
    """Every value of a SymPy expression whose symbols lie in the intervals `known`.

    What is worked out is put into `known`, so that shared parts are worked out once. An unknown part makes
    all that contains it unknown, even 0 times it, or its hyperbolic tangent: it may be no number.
    Raises `NotEnclosedError` for a function that has no rule above.
    """
    if expression in known:
        return known[expression]
    function, q = expression.func, expression.exp if expression.is_Pow else None
    if expression.is_Rational or expression.is_Float:
        exact = sp.Rational(expression)
        found = Interval(int(exact.p)) / Interval(int(exact.q))
    elif function in BRANCHED:
        found = BRANCHED[function](expression, known)
    else:
        parts = [enclose(part, known) for part in expression.args]
        rule = _power(q) if q is not None else RULES.get(function)
        if rule is None:
            raise NotEnclosedError(f"no rule of enclosure for {function}")
        root = function is sp.log or (q is not None and not q.is_Integer)
        lost = root and REAL in known and parts[0].lo < 0
        found = WHOLE if lost or any(part.unknown for part in parts) else rule(*parts)
    known[expression] = found
    return found


def _power(exponent: Any) -> Callable[..., Interval]:
    """The rule of a power: y^q, or exp(q ln y) where q is no number of the formula."""
    if exponent.is_Rational:
        return lambda y, _: y.power(exponent)
    return lambda y, q: (q * y.log()).increasing(arb.exp) if y.lo >= 0 else WHOLE
