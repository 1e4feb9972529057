"""Sound enclosures of SymPy expressions over arrays of boxes.

`enclosure(expression, symbols)` turns an expression into a list of interval operations once, each
distinct subexpression a single time, and evaluates it over many boxes at a time. What the
result may be used for: every value of the expression at a point of the box, where it has one, lies
between the ends (docs/theory/equilibrium). Rounding and accuracy: `intervals`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np
import sympy as sp

from alliancegame.errors import UnsupportedFormError
from alliancegame.payoff import intervals as iv
from alliancegame.payoff.intervals import BROKEN, SMOOTH, Interval

Step = Callable[[list[Any]], Any]
"""One operation: from everything computed so far to an interval with flags, or a condition."""

_MONOTONE: dict[Any, tuple[Any, float, float]] = {
    sp.tanh: (np.tanh, -1.0, 1.0),
    sp.atan: (np.arctan, -np.inf, np.inf),
    sp.sinh: (np.sinh, -np.inf, np.inf),
}

SUPPORTED = (
    sp.Add, sp.Mul, sp.Pow, sp.exp, sp.log, sp.Abs, sp.sign, sp.Max, sp.Min, sp.sin, sp.cos,
    sp.cosh, sp.Piecewise, *_MONOTONE,
)  # fmt: skip
"""The operations that have an enclosure."""


@dataclasses.dataclass(frozen=True)
class Enclosure:
    """A compiled expression. Call it with one (lo, hi) for each symbol: arrays or numbers.

    Returns (lo, hi), arrays of the shape to which the arguments broadcast. `levelled` also says how
    smooth the expression is known to be on each whole box: `intervals.SMOOTH`, `CONTINUOUS` (a Max, a
    Min or an Abs may have its kink there), or `BROKEN` (a division by zero, the end of a logarithm's
    domain, a second branch of a Piecewise).
    """

    expression: Any
    symbols: tuple[Any, ...]
    steps: tuple[Step, ...]

    def __call__(self, *boxes: tuple[Any, Any]) -> Interval:
        """(lo, hi) over the boxes."""
        lo, hi, _ = self.levelled(*boxes)
        return lo, hi

    def levelled(self, *boxes: tuple[Any, Any]) -> tuple[Any, Any, Any]:
        """(lo, hi, level) over the boxes."""
        if len(boxes) != len(self.symbols):
            raise TypeError(f"{len(self.symbols)} boxes are needed, got {len(boxes)}.")
        given = [(np.asarray(b[0], dtype=float), np.asarray(b[1], dtype=float)) for b in boxes]
        shape = np.broadcast_shapes(*(end.shape for box in given for end in box))
        done: list[Any] = [(lo, hi, SMOOTH) for lo, hi in given]
        with np.errstate(all="ignore"):
            for step in self.steps:
                done.append(step(done))
        made = (np.broadcast_to(v, shape) for v in done[-1])
        return next(made), next(made), next(made)


def enclosure(expression: Any, symbols: Sequence[Any]) -> Enclosure:
    """Compile an expression in `symbols` (SymPy) to an `Enclosure`.

    Raises `UnsupportedFormError` for functions without an enclosure, and for a symbol that is not in
    the list.
    """
    writer = _Writer(tuple(symbols))
    last = writer.place(sp.sympify(expression))
    writer.steps.append(lambda done: done[last])
    return Enclosure(expression, tuple(symbols), tuple(writer.steps))


class _Writer:
    """Writes the steps; every distinct subexpression gets one place."""

    def __init__(self, symbols: tuple[Any, ...]) -> None:
        self.symbols = symbols
        self.steps: list[Step] = []
        self.places: dict[Any, int] = {s: k for k, s in enumerate(symbols)}

    def place(self, node: Any) -> int:
        if node not in self.places:
            step = self.condition(node) if _is_condition(node) else self.number(node)
            self.steps.append(step)
            self.places[node] = len(self.symbols) + len(self.steps) - 1
        return self.places[node]

    def number(self, node: Any) -> Step:
        if node.is_number and not node.args:
            lo, hi = constant(node)
            return lambda done: (lo, hi, SMOOTH)
        if isinstance(node, sp.Mul) and (found := _share(node)) is not None:
            return self.share(*found)
        if isinstance(node, (sp.Add, sp.Mul)):
            return self.chain(iv.add if isinstance(node, sp.Add) else iv.multiply, node.args)
        if isinstance(node, sp.Pow):
            return self.power(*node.args)
        if isinstance(node, (sp.Max, sp.Min)):
            return self.extreme(iv.maximum if isinstance(node, sp.Max) else iv.minimum, node.args)
        if isinstance(node, sp.Piecewise):
            return self.piecewise(node.args)
        if node.args and isinstance(node, SUPPORTED):
            return self.function(type(node), self.place(node.args[0]))
        if isinstance(node, sp.Symbol):
            raise UnsupportedFormError(
                f"symbol {node} has no box: known are {', '.join(map(str, self.symbols))}."
            )
        raise UnsupportedFormError(
            f"{type(node).__name__} in {node} has no enclosure; there is one for sums, products, powers, "
            "exp, log, Abs, sign, Max, Min, Piecewise, sin, cos, sinh, cosh, tanh and atan."
        )

    def chain(self, operation: Any, args: Sequence[Any]) -> Step:
        places = [self.place(a) for a in args]

        def step(done: list[Any]) -> Any:
            parts = [done[k] for k in places]
            lo, hi = reduce(operation, [(p[0], p[1]) for p in parts])
            return lo, hi, reduce(np.minimum, [p[2] for p in parts])

        return step

    def share(self, part: Any, rest: Any, factor: Any) -> Step:
        """The step of factor * part / (part + rest), tight where part and rest are not negative."""
        a, b, c = self.place(part), self.place(rest), self.place(factor)
        plain = self.place(part * factor), self.place((part + rest) ** -1)

        def step(done: list[Any]) -> Any:
            (lo, hi), level = iv.share(done[a][:2], done[b][:2])
            level = np.minimum(np.minimum(level, done[a][2]), done[b][2])
            tight = iv.multiply((lo, hi), done[c][:2])
            loose = iv.multiply(*(done[k][:2] for k in plain))
            made = iv.intersect(tight, loose)
            return *made, np.minimum(level, done[c][2])

        return step

    def extreme(self, operation: Any, args: Sequence[Any]) -> Step:
        places = [self.place(a) for a in args]

        def step(done: list[Any]) -> Any:
            lo, hi, level = done[places[0]]
            for k in places[1:]:
                (lo, hi), apart = operation((lo, hi), done[k][:2])
                level = np.minimum(np.minimum(level, done[k][2]), apart)
            return lo, hi, level

        return step

    def power(self, base: Any, exponent: Any) -> Step:
        b = self.place(base)
        if exponent.is_number:
            lo, hi = constant(exponent)
            if lo == hi and float(lo).is_integer() and abs(lo) <= 64:
                whole = int(lo)
                return lambda done: _and(iv.whole_power(done[b][:2], whole), done[b][2])
            return lambda done: _and(iv.real_power(done[b][:2], (lo, hi), clip=True), done[b][2])
        e = self.place(exponent)
        return lambda done: _and(
            iv.real_power(done[b][:2], done[e][:2], clip=False), np.minimum(done[b][2], done[e][2])
        )

    def function(self, kind: Any, a: int) -> Step:
        if kind in _MONOTONE:
            function, least, most = _MONOTONE[kind]
            return lambda done: (
                *iv.increasing(function, done[a][:2], least, most),
                done[a][2],
            )
        partial = {sp.log: iv.log, sp.Abs: iv.absolute, sp.sign: iv.sign}
        if kind in partial:
            operation: Any = partial[kind]
            return lambda done: _and(operation(done[a][:2]), done[a][2])
        if kind in (sp.sin, sp.cos):
            return lambda done: (*iv.sine(done[a][:2], shift=kind is sp.cos), done[a][2])
        total: Any = iv.exp if kind is sp.exp else iv.cosh
        return lambda done: (*total(done[a][:2]), done[a][2])

    def piecewise(self, branches: Sequence[Any]) -> Step:
        places = [(self.place(value), self.place(when)) for value, when in branches]

        def step(done: list[Any]) -> Any:
            reach: Any = np.True_
            lo: Any = np.inf
            hi: Any = -np.inf
            level: Any = SMOOTH
            for value, when in places:
                may, may_not = done[when]
                here = reach & may
                lo = np.where(here, np.minimum(lo, done[value][0]), lo)
                hi = np.where(here, np.maximum(hi, done[value][1]), hi)
                settled = np.where(may_not, BROKEN, done[value][2])
                level = np.where(here, np.minimum(level, settled), level)
                reach = reach & may_not
            level = np.where(reach, BROKEN, level)
            empty = lo > hi
            return np.where(empty, -np.inf, lo), np.where(empty, np.inf, hi), level

        return step

    def condition(self, node: Any) -> Step:
        """A step that gives (may be true, may be false)."""
        if node in (sp.true, sp.false):
            holds = np.bool_(bool(node))
            return lambda done: (holds, ~holds)
        if isinstance(node, (sp.And, sp.Or)):
            parts = [self.place(a) for a in node.args]
            may, not_may = (
                (np.logical_and, np.logical_or)
                if isinstance(node, sp.And)
                else (np.logical_or, np.logical_and)
            )
            return lambda done: (
                reduce(may, [done[k][0] for k in parts]),
                reduce(not_may, [done[k][1] for k in parts]),
            )
        if isinstance(node, sp.Not):
            inner = self.place(node.args[0])
            return lambda done: (done[inner][1], done[inner][0])
        if isinstance(node, sp.ITE):
            given, then, other = (self.place(a) for a in node.args)
            return lambda done: tuple(
                (done[given][0] & done[then][k]) | (done[given][1] & done[other][k]) for k in (0, 1)
            )
        if type(node) not in _RELATIONS:
            raise UnsupportedFormError(f"condition {node} has no enclosure; use <, <=, >, >=.")
        relation = _RELATIONS[type(node)]
        left, right = (self.place(a) for a in node.args)
        return lambda done: relation(done[left], done[right])


def _share(product: Any) -> tuple[Any, Any, Any] | None:
    """(part, rest, factor) if the product is factor * part / (part + rest), as contests have it."""
    for inverse in product.args:
        if not (isinstance(inverse, sp.Pow) and isinstance(inverse.base, sp.Add)):
            continue
        if not (inverse.exp.is_number and inverse.exp.is_negative):
            continue
        others = [a for a in product.args if a is not inverse]
        for part in inverse.base.args:
            factor = _quotient(others, part) if part.free_symbols else None
            if factor is not None:
                remaining = inverse.base ** (inverse.exp + 1)
                return part, inverse.base - part, factor * remaining
    return None


def _quotient(factors: list[Any], divisor: Any) -> Any:
    """The product of factors over the divisor, if its factors are among them; None elsewhere."""
    number, body = divisor.as_coeff_Mul()
    powers: dict[Any, Any] = {}
    for factor in factors:
        base, exponent = factor.as_base_exp()
        powers[base] = powers.get(base, 0) + exponent
    for factor in sp.Mul.make_args(body):
        base, exponent = factor.as_base_exp()
        left = powers.get(base, sp.S.Zero) - exponent
        if base not in powers or not (left.is_number and left.is_nonnegative):
            return None
        powers[base] = left
    return sp.Mul(1 / number, *(base**exponent for base, exponent in powers.items()))


def _less(a: Any, b: Any) -> tuple[Any, Any]:
    return np.asarray(a[0] < b[1]), np.asarray(a[1] >= b[0])


def _at_most(a: Any, b: Any) -> tuple[Any, Any]:
    return np.asarray(a[0] <= b[1]), np.asarray(a[1] > b[0])


def _equal(a: Any, b: Any) -> tuple[Any, Any]:
    point = (a[0] == a[1]) & (b[0] == b[1]) & (a[0] == b[0])
    return np.asarray((a[0] <= b[1]) & (b[0] <= a[1])), np.asarray(~point)


_RELATIONS: dict[Any, Callable[[Any, Any], tuple[Any, Any]]] = {
    sp.StrictLessThan: _less,
    sp.LessThan: _at_most,
    sp.StrictGreaterThan: lambda a, b: _less(b, a),
    sp.GreaterThan: lambda a, b: _at_most(b, a),
    sp.Equality: _equal,
    sp.Unequality: lambda a, b: _equal(a, b)[::-1],
}


def _is_condition(node: Any) -> bool:
    return isinstance(node, (sp.logic.boolalg.Boolean, sp.core.relational.Relational)) and not (
        isinstance(node, sp.Symbol)
    )


def _and(made: tuple[Interval, Any], level: Any) -> tuple[Any, Any, Any]:
    (lo, hi), own = made
    return lo, hi, np.minimum(own, level)


def constant(node: Any) -> tuple[float, float]:
    """The ends of a number's enclosure: equal where it is a float64, next to each other elsewhere."""
    if node in (sp.oo, -sp.oo):
        return (float(node), float(node))
    if isinstance(node, (sp.Rational, sp.Float)):
        whole = sp.Rational(node)
        exact = Fraction(int(whole.p), int(whole.q))
        try:
            near = exact.numerator / exact.denominator
        except OverflowError as error:
            raise UnsupportedFormError(f"the number {node} is beyond double precision.") from error
        if Fraction(near) == exact:
            return near, near
        return float(np.nextafter(near, -np.inf)), float(np.nextafter(near, np.inf))
    value = node.evalf(40)
    if not value.is_Float:
        raise UnsupportedFormError(f"{node} is not a real number.")
    near = float(value)
    return float(np.nextafter(near, -np.inf)), float(np.nextafter(near, np.inf))
