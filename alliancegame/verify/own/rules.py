"""Rules for what is found in users' own games alone: further functions, conditions, `Piecewise`.

A condition is enclosed as a number: 1 if it holds, 0 if it does not, [0, 1] if that is open. On these "and"
is the smallest of several, "or" the largest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from flint import arb

from alliancegame.verify.intervals import BRANCHED, RULES, WHOLE, Interval, Known, enclose, hull
from alliancegame.verify.smooth import BRANCHES


def _periodic(function: Callable[[Any], Any]) -> Callable[[Interval], Interval]:
    """The rule of a sine or cosine, of all values as one ball."""

    def rule(y: Interval) -> Interval:
        short = y.hi - y.lo < 7  # More than a whole period, 2 pi, has all values.
        there = function(y.lo.union(y.hi)) if short else arb(0, 1)
        return Interval(max(there.lower(), arb(-1)), min(there.upper(), arb(1)))

    return rule


def _less(a: Interval, b: Interval) -> Interval:
    return Interval(int(a.hi < b.lo), int(a.lo < b.hi))


def _equal(a: Interval, b: Interval) -> Interval:
    return Interval(int(a.lo == a.hi == b.lo == b.hi), int(a.lo <= b.hi and b.lo <= a.hi))


def _not(y: Interval) -> Interval:
    return Interval(1) - y


_and, _or = RULES[sp.Min], RULES[sp.Max]

RULES |= {
    sp.Abs: Interval.absolute,
    sp.sinh: lambda y: y.increasing(arb.sinh),
    sp.atan: lambda y: y.increasing(arb.atan),
    sp.cosh: lambda y: y.absolute().increasing(arb.cosh),
    sp.sin: _periodic(arb.sin),
    sp.cos: _periodic(arb.cos),
    type(sp.pi): lambda: Interval(arb.pi()),
    type(sp.E): lambda: Interval(arb.const_e()),
    type(sp.nan): lambda: WHOLE,
    type(sp.true): lambda: Interval(1),
    type(sp.false): lambda: Interval(0),
    sp.StrictLessThan: _less,
    sp.StrictGreaterThan: lambda a, b: _less(b, a),
    sp.LessThan: lambda a, b: _not(_less(b, a)),
    sp.GreaterThan: lambda a, b: _not(_less(a, b)),
    sp.Equality: _equal,
    sp.Unequality: lambda a, b: _not(_equal(a, b)),
    sp.And: _and,
    sp.Or: _or,
    sp.Not: _not,
    sp.ITE: lambda y, a, b: _or(_and(y, a), _and(_not(y), b)),
}


def _may_hold(pieces: Any, known: Known) -> list[Any]:
    """The branches of a `Piecewise` that may hold, up to the first that does; nan if none may."""
    found = []
    for branch, condition in pieces.args:
        holds = enclose(condition, known)
        found += [branch] if holds.hi > 0 else []
        if holds.lo > 0:
            return found
    return [*found, sp.nan]


def _enclosed(pieces: Any, known: Known) -> Interval:
    return hull(enclose(branch, known) for branch in _may_hold(pieces, known))


def _decided(pieces: Any, inside: Known) -> Any:
    left = _may_hold(pieces, inside)
    return left[0] if len(left) == 1 and left[0] is not sp.nan else None


def _signed(node: Any, inside: Known) -> Any:
    y = enclose(node.args[0], inside)
    return node.args[0] if y.lo >= 0 else -node.args[0] if y.hi <= 0 else None


BRANCHED[sp.Piecewise], BRANCHES[sp.Piecewise], BRANCHES[sp.Abs] = _enclosed, _decided, _signed
