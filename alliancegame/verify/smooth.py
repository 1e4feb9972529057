"""2. Smoothness: on which boxes the derivatives of a formula bound it.

The argument: on a box, a `Max` or `Min` whose comparison is decided there is its branch. Where all are
decided, and there is neither pole nor cusp, the formula is continuous on the closed box and smooth inside
it. That is all that the mean value theorem and Taylor's need: on the border a slope may be infinite, as
that of sqrt(x) at 0, and is then enclosed as such, or as unknown. Elsewhere nothing is said of derivatives:
a slope of one sign on both sides of a pole bounds nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import sympy as sp

from alliancegame.verify.intervals import Known, enclose


@functools.lru_cache(maxsize=4096)
def derivatives(formula: Any, own: tuple[Any, ...]) -> tuple[list[Any], list[list[Any]]]:
    """First and second derivatives."""
    slopes = [sp.diff(formula, s) for s in own]
    return slopes, [[sp.diff(slope, s) for s in own] for slope in slopes]


@functools.lru_cache(maxsize=4096)
def _parts(formula: Any, *functions: Any) -> list[Any]:
    """The parts of a formula that are made by these functions."""
    return list(formula.atoms(*functions))


def smooth(formula: Any, own: tuple[Any, ...], inside: Known) -> bool:
    """Whether a formula is continuous on a box of own actions, and differentiable inside it.

    No branch is open. Logarithms and powers are smooth where what they are taken of, their base, is not 0.
    A power y^q with q > 0 is continuous there too, so that a base may be 0 on the border of the box. All
    other operations are smooth everywhere; one that is not has no rule, and `enclose` raises.
    """
    if _parts(formula, *BRANCHES):
        return False
    for part in _parts(formula, sp.log, sp.Pow):
        base, q = part.args[0], part.exp if part.is_Pow else None
        there = enclose(base, inside)
        if there.lo > 0:
            continue
        if q is None or not q.is_Rational or (q < 0 <= there.hi):
            return False  # A logarithm, or a pole; or nothing is known of the exponent.
        if not q.is_Integer and (there.lo < 0 or not _border(base, own, inside)):
            return False  # A root of what may be negative, or a cusp as of sqrt(y^2) = |y|.
    return True


def _border(base: Any, own: tuple[Any, ...], inside: Known) -> bool:
    """Whether a base that is nowhere negative can be 0 on the border of a box alone.

    It is so if the base rises (or falls) in an own action all over the box: then it is more than 0
    everywhere but on one side. One in which no own action moves here is a constant, and so is its root.
    """
    moved = [s for s in own if base.has(s) and inside[s].lo < inside[s].hi]
    slopes = [enclose(sp.diff(base, s), inside) for s in moved]
    return not moved or any(slope.lo > 0 or slope.hi < 0 for slope in slopes)


def settled(formula: Any, inside: Known) -> Any:
    """The formula with its branch in place of every `Max`, `Min`, ... that is decided on a box."""
    found = {node: BRANCHES[node.func](node, inside) for node in _parts(formula, *BRANCHES)}
    chosen = {node: branch for node, branch in found.items() if branch is not None}
    return settled(formula.xreplace(chosen), inside) if chosen else formula


def _extreme(node: Any, inside: Known) -> Any:
    """The part of a `Max` (or `Min`) that is it all over a box; None if that is open. Ties are both."""
    sides, largest = [enclose(part, inside) for part in node.args], node.func is sp.Max
    for k, one in enumerate(sides):
        others = sides[:k] + sides[k + 1 :]
        if all(one.lo >= y.hi if largest else one.hi <= y.lo for y in others):
            return node.args[k]
    return None


BRANCHES: dict[Any, Callable[[Any, Known], Any]] = {sp.Max: _extreme, sp.Min: _extreme}
"""What has branches, and which of them is decided on a box (None: open). `own.rules` adds `Piecewise`."""
