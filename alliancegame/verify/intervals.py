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
        """The hull of the products of ends; zero times an infinite end is zero, as ends bound numbers.

        A factor of which nothing is known, as 1 / 0, may be no number: not even zero times it is known.
        """
        if any(y.lo == NEGATIVE and y.hi == INFINITE for y in (self, other)):
            return WHOLE
        pairs = [(a, b) for a in (self.lo, self.hi) for b in (other.lo, other.hi)]
        return hull(Interval(ZERO if a == 0 or b == 0 else a * b) for a, b in pairs)

    def __truediv__(self, other: Interval) -> Interval:
        return self * other.reciprocal()

    def reciprocal(self) -> Interval:
        """1 / y. Where y can be zero with either sign (or only zero) nothing is known."""
        low = 1 / self.hi if self.hi < 0 or (self.lo >= 0 and self.hi > 0) else NEGATIVE
        high = 1 / self.lo if self.lo > 0 or (self.hi <= 0 and self.lo < 0) else INFINITE
        return Interval(low, high)

    def power(self, q: sp.Rational) -> Interval:
        """y^q; for a q that is no whole number, over the y >= 0 alone, where it is defined."""
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
            base = self.size()
        ends = (base.lo, base.hi)
        return Interval(*(end if end == 0 or end == INFINITE else end**exponent for end in ends))

    def log(self) -> Interval:
        """Logarithms of the y > 0, and minus infinity where there is none: the payoff of ruin."""
        return Interval(*(end.log() if end > 0 else NEGATIVE for end in (self.lo, self.hi)))

    def size(self) -> Interval:
        """Absolute values."""
        return Interval(max(self.lo, -self.hi, ZERO), max(-self.lo, self.hi))

    def rising(self, function: Callable[[Any], Any]) -> Interval:
        """The image under a function that falls nowhere (exp, exp - 1, tanh)."""
        return Interval(function(self.lo), function(self.hi))

    def wave(self, function: Callable[[Any], Any]) -> Interval:
        """The image under a sine or cosine, of all as one ball."""
        short = self.hi - self.lo < 7  # More than a whole period, 2 pi, has all values.
        there = function(self.lo.union(self.hi)) if short else arb(0, 1)
        return Interval(max(there.lower(), arb(-1)), min(there.upper(), arb(1)))

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


RISING = {
    sp.exp: arb.exp, sp.tanh: arb.tanh, sp.sinh: arb.sinh, sp.atan: arb.atan, sp.sign: arb.sgn,
}  # fmt: skip
"""Functions of one number that fall nowhere."""
RULES: dict[Any, Callable[..., Interval]] = {
    **{made: functools.partial(Interval.rising, function=by) for made, by in RISING.items()},
    sp.Add: lambda *parts: total(parts),
    sp.Mul: lambda *parts: functools.reduce(operator.mul, parts),
    sp.Min: lambda *parts: Interval(min(y.lo for y in parts), min(y.hi for y in parts)),
    sp.Max: lambda *parts: Interval(max(y.lo for y in parts), max(y.hi for y in parts)),
    sp.Abs: Interval.size,
    sp.log: Interval.log,
    sp.cosh: lambda y: y.size().rising(arb.cosh),
    sp.sin: lambda y: y.wave(arb.sin),
    sp.cos: lambda y: y.wave(arb.cos),
    type(sp.pi): lambda: Interval(arb.pi()),
    type(sp.E): lambda: Interval(arb.const_e()),
    type(sp.nan): lambda: WHOLE,
}
"""The operations of the terms, and those of users' own games. There is no other."""
HOLDS = {
    sp.StrictLessThan: {-1}, sp.LessThan: {-1, 0}, sp.Equality: {0}, sp.GreaterThan: {0, 1},
    sp.StrictGreaterThan: {1}, sp.Unequality: {-1, 1},
}  # fmt: skip
"""The signs of a - b for which a comparison of a with b holds."""

Known = dict[Any, Interval]
"""Symbols, and the intervals in which they lie; and what `enclose` has worked out with them."""

REAL = sp.Symbol("real")
"""With this in `known`, as in users' games, nothing is known of what may be no real number.

That is a logarithm or a root of what may be negative, and whatever is made of it.

In an alliance a logarithm of what is not positive is ruin, and what is negative under a root is rounding.
"""


def enclose(expression: Any, known: Known) -> Interval:
    """Every value of a SymPy expression whose symbols lie in the intervals `known`.

    What is worked out is put into `known`, so that shared parts are worked out once.
    Raises `NotEnclosedError` for a function that has no rule above.
    """
    if expression in known:
        return known[expression]
    function = expression.func
    if expression.is_Rational or expression.is_Float:
        exact = sp.Rational(expression)
        found = Interval(int(exact.p)) / Interval(int(exact.q))
    elif expression.is_Pow:
        base, q = enclose(expression.base, known), expression.exp
        found = base.power(q) if q.is_Rational else _any_power(base, enclose(q, known))
    elif function is sp.Piecewise:
        found = hull([enclose(branch, known) for branch in branches(expression, known)])
    elif function in RULES:
        found = RULES[function](*(enclose(part, known) for part in expression.args))
    else:
        raise NotEnclosedError(f"no rule of enclosure for {function}")
    if REAL in known and function is not sp.Piecewise and not _exists(expression, known):
        found = WHOLE
    known[expression] = found
    return found


def _exists(expression: Any, known: Known) -> bool:
    """Whether it is known that a value is a real number, unless a branch is still to be chosen."""
    parts = [enclose(part, known) for part in expression.args]
    root = expression.func is sp.log or (expression.is_Pow and not expression.exp.is_Integer)
    whole = any(y.lo == NEGATIVE and y.hi == INFINITE for y in parts)
    return not (whole or (root and parts[0].lo < 0))


def _any_power(y: Interval, q: Interval) -> Interval:
    """exp(q ln y) for y >= 0. Where it may not be real nothing is known."""
    return (q * y.log()).rising(arb.exp) if y.lo >= 0 else WHOLE


def branches(pieces: Any, known: Known) -> list[Any]:
    """The branches of a `Piecewise` that may hold, up to the first that does; nan if none may."""
    found = []
    for branch, condition in pieces.args:
        holds = decided(condition, known)
        found += [branch] if holds != sp.false else []
        if holds == sp.true:
            return found
    return [*found, sp.nan]


def decided(condition: Any, known: Known) -> Any:
    """A condition in which every comparison that `known` decides is replaced by true or false."""
    decides = {}
    for one in condition.atoms(*HOLDS):
        gap = enclose(one.lhs, known) - enclose(one.rhs, known)
        possible = {-1: gap.lo < 0, 0: gap.lo <= 0 <= gap.hi, 1: gap.hi > 0}
        signs = {sign for sign, may in possible.items() if may}
        if signs <= HOLDS[one.func] or not signs & HOLDS[one.func]:
            decides[one] = sp.true if signs <= HOLDS[one.func] else sp.false
    return condition.xreplace(decides)
