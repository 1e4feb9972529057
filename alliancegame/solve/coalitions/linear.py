"""Linear programs whose answer is checked: no solver's status is believed alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from alliancegame.errors import ConvergenceError
from alliancegame.game.parameters import Array

TOLERANCE = 1e-7
"""Infeasibility and duality gap above this, relative to the data, are no solution."""


@dataclasses.dataclass(frozen=True, eq=False)
class LinearSolution:
    """A checked optimum of min c x subject to A x >= b, E x = d, x >= low.

    `prices` of the rows A x >= b are >= 0, `equal_prices` belong to E x = d and `low_prices` >= 0 to
    the bounds: c = A' prices + E' equal_prices + low_prices. `violation` is the largest breach of a
    constraint, `gap` the primal minus the dual value; both were recomputed here.
    """

    x: Array
    value: float
    prices: Array
    equal_prices: Array
    low_prices: Array
    violation: float
    gap: float


def minimise(c: Array, A: Array, b: Array, E: Array, d: Array, low: Array) -> LinearSolution:
    """Solve min c x subject to A x >= b, E x = d, x >= low (minus infinity: free).

    By HiGHS through SciPy. Raises `ConvergenceError` if there is no optimum, or if what comes back
    is not feasible, primal and dual, with equal values, to 1e-7 of the size of the data.
    """
    from scipy.optimize import linprog

    bounds = [(None if np.isinf(v) else float(v), None) for v in low]
    answer = linprog(
        c, -A if len(A) else None, -b if len(A) else None, E, d, bounds, method="highs"
    )
    if answer.x is None or answer.status != 0:
        raise ConvergenceError(f"a linear program was not solved: {answer.message}")
    return checked(c, A, b, E, d, low, answer)


def checked(
    c: Array, A: Array, b: Array, E: Array, d: Array, low: Array, answer: Any
) -> LinearSolution:
    """What a solver returned, recomputed from the data; see `minimise`."""
    x = np.asarray(answer.x, dtype=np.float64)
    prices = np.maximum(-np.asarray(answer.ineqlin.marginals), 0.0) if len(A) else np.zeros(0)
    equal = np.asarray(answer.eqlin.marginals, dtype=np.float64)
    rest = c - (A.T @ prices if len(A) else 0.0) - E.T @ equal
    bounded = np.isfinite(low)
    low_prices = np.where(bounded, np.maximum(rest, 0.0), 0.0)
    size = 1.0 + max(float(np.abs(v).max(initial=0.0)) for v in (b, d, x, low[bounded]))
    violation = max(
        float((b - A @ x).max(initial=0.0)) if len(A) else 0.0,
        float(np.abs(E @ x - d).max(initial=0.0)),
        float((low - x)[bounded].max(initial=0.0)),
    )
    unpriced = float(np.abs(rest - low_prices).max(initial=0.0))
    value = float(c @ x)
    dual = float(b @ prices if len(A) else 0.0) + float(d @ equal)
    dual += float(low[bounded] @ low_prices[bounded])
    gap = value - dual
    if not (
        violation <= TOLERANCE * size and unpriced <= TOLERANCE and abs(gap) <= TOLERANCE * size
    ):
        raise ConvergenceError(
            f"a linear program's answer does not check: breach {violation:.2g}, dual breach "
            f"{unpriced:.2g}, duality gap {gap:.2g} at data of size {size:.2g}; rescale the game."
        )
    return LinearSolution(x, value, prices, equal, low_prices, violation, gap)
