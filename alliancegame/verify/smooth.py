"""2. Smoothness: on which boxes the derivatives of a formula bound it.

The argument: on a box, a `Max`, `Min` or `Piecewise` whose comparison is decided there is its branch. Where
all are decided, and there is neither pole nor cusp, the formula is continuous on the box and smooth inside
it: then its slopes bound it. Elsewhere nothing is said of derivatives: a slope of one sign on both sides of
a pole bounds nothing.
"""

from __future__ import annotations

import functools
from typing import Any

import sympy as sp

from alliancegame.verify.intervals import Known, branches, enclose

BRANCHING = (sp.Max, sp.Min, sp.Piecewise)


@functools.lru_cache(maxsize=4096)
def derivatives(formula: Any, own: tuple[Any, ...]) -> tuple[list[Any], list[list[Any]]]:
    """First and second derivatives."""
    slopes = [sp.diff(formula, s) for s in own]
    return slopes, [[sp.diff(slope, s) for s in own] for slope in slopes]


@functools.lru_cache(maxsize=4096)
def _parts(formula: Any, *functions: Any) -> list[Any]:
    """The parts of a formula that are made by these functions."""
    return list(formula.atoms(*functions))


def smooth(formula: Any, inside: Known) -> bool:
    """Whether a formula is continuous on a box, and its derivatives hold inside it.

    No branch is open. Logarithms and powers are smooth away from 0, and y^q is continuous down to 0 if
    q > 0; all other operations are smooth everywhere.
    """
    if _parts(formula, *BRANCHING):
        return False
    for part in _parts(formula, sp.log, sp.Pow):
        base = enclose(part.args[0], inside)
        if base.lo > 0:
            continue
        q = part.exp if part.is_Pow else sp.nan  # A logarithm has none.
        # Not near 0 if q is unknown; no pole; no root of what may be negative.
        if not q.is_Rational or (q < 0 <= base.hi) or (not q.is_Integer and base.lo < 0):
            return False
    return True


def settled(formula: Any, inside: Known) -> Any:
    """The formula with its branch in place of every `Max`, `Min`, ... that is decided on a box."""
    found = {node: _branch(node, inside) for node in _parts(formula, *BRANCHING)}
    chosen = {node: branch for node, branch in found.items() if branch is not None}
    return settled(formula.xreplace(chosen), inside) if chosen else formula


def _branch(node: Any, inside: Known) -> Any:
    """The branch of a node that is decided on a box; None if it is not."""
    if node.func is sp.Piecewise:
        left = branches(node, inside)
        return left[0] if len(left) == 1 and left[0] is not sp.nan else None
    sides, largest = [enclose(part, inside) for part in node.args], node.func is sp.Max
    for k, one in enumerate(sides):
        others = sides[:k] + sides[k + 1 :]
        if all(one.lo >= y.hi if largest else one.hi <= y.lo for y in others):
            return node.args[k]
    return None
