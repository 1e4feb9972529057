"""A payoff along one variable: enclosures of it, of its slope and of its curvature, sound at kinks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy as sp

from alliancegame.payoff import intervals as iv
from alliancegame.payoff.enclosures import Enclosure, enclosure
from alliancegame.payoff.intervals import Interval


def as_pieces(expression: Any) -> Any:
    """The expression with Max, Min, Abs and sign written as Piecewise, so that it can be differentiated."""
    tree = sp.S(expression)
    return tree.replace(lambda node: isinstance(node, (sp.Max, sp.Min, sp.Abs, sp.sign)), _pieces)


def _pieces(node: Any) -> Any:
    first = node.args[0]
    if isinstance(node, sp.Abs):
        return sp.Piecewise((first, first >= 0), (-first, True))
    if isinstance(node, sp.sign):
        return sp.Piecewise((1, first > 0), (-1, first < 0), (0, True))
    better: Any = (lambda a, b: a >= b) if isinstance(node, sp.Max) else (lambda a, b: a <= b)
    made = first
    for other in node.args[1:]:
        made = sp.Piecewise((made, better(made, other)), (other, True))
    return made


def derivative(expression: Any, symbol: Any) -> Any:
    """The derivative away from kinks; at a kink, that of the branch which holds there."""
    return sp.diff(as_pieces(expression), symbol)


@dataclasses.dataclass(frozen=True)
class Line:
    """Enclosures of an expression and of its first two derivatives in `symbol`, others given later."""

    symbol: Any
    others: tuple[Any, ...]
    enclosures: tuple[Enclosure, Enclosure, Enclosure]

    def value(self, others: Sequence[Any]) -> Callable[[Interval], Interval]:
        """The function of (lo, hi) with the other symbols at numbers or boxes (lo, hi)."""
        fixed = [_box(v) for v in others]
        return lambda box: self.enclosures[0](box, *fixed)

    def slope(self, others: Sequence[Any]) -> Callable[[Interval], Interval]:
        """The same of the slope: the whole line where the function may jump."""
        fixed = [_box(v) for v in others]
        value, slope, _ = self.enclosures

        def enclose(box: Interval) -> Interval:
            lo, hi = slope(box, *fixed)
            broken = value.levelled(box, *fixed)[2] < iv.CONTINUOUS
            return np.where(broken, -np.inf, lo), np.where(broken, np.inf, hi)

        return enclose

    def curvature(self, others: Sequence[Any]) -> Callable[[Interval], Interval]:
        """The same of the curvature: the whole line where the function or its slope may have a kink."""
        fixed = [_box(v) for v in others]
        value, slope, bend = self.enclosures

        def enclose(box: Interval) -> Interval:
            lo, hi = bend(box, *fixed)
            smooth = [e.levelled(box, *fixed)[2] >= iv.SMOOTH for e in (value, slope)]
            kinked = ~(smooth[0] & smooth[1])
            return np.where(kinked, -np.inf, lo), np.where(kinked, np.inf, hi)

        return enclose

    def functions(self, others: Sequence[Any]) -> tuple[Any, Any, Any]:
        """Value, slope and curvature, as `maximise_1d` takes them."""
        return self.value(others), self.slope(others), self.curvature(others)


def line(expression: Any, symbol: Any, others: Sequence[Any] = ()) -> Line:
    """Compile an expression along one of its symbols. Raises `UnsupportedFormError`."""
    slope = derivative(expression, symbol)
    symbols = (symbol, *others)
    made = [enclosure(e, symbols) for e in (expression, slope, sp.diff(slope, symbol))]
    return Line(symbol, tuple(others), (made[0], made[1], made[2]))


def _box(value: Any) -> Interval:
    return value if isinstance(value, tuple) else (value, value)
