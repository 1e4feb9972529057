"""Linear programs whose answers are checked here: a solver's word alone is never taken.

All programs of this package have one shape: maximise c . x over x >= 0 with G x <= 0 and sums of
given blocks of x equal to given totals. For any multipliers >= 0 of G, a bound of the optimum follows
by arithmetic, so optimality is re-checked without the solver.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from alliancegame.errors import ConvergenceError
from alliancegame.game.parameters import Array

FEASIBLE = 1e-9
"""How far a constraint may be missed, relative to its largest coefficient."""


@dataclasses.dataclass(frozen=True, eq=False)
class Optimum:
    """A point, what it attains, a bound that nothing can exceed, and by how much constraints are missed."""

    point: Array
    value: float
    bound: float
    violation: float

    @property
    def gap(self) -> float:
        """What a better point could still gain."""
        return max(self.bound - self.value, 0.0)


def maximise_on_simplex(objective: Array, constraints: Array) -> Optimum | None:
    """Maximise objective . x over probability vectors x with constraints @ x <= 0, by HiGHS.

    None if there is no such x (shown by multipliers that make every x violate a combination of
    constraints). Raises `ConvergenceError` if the solver's answer fails the check.
    """
    from scipy.optimize import linprog

    size = np.abs(constraints).max(axis=1, initial=0.0)
    G = constraints[size > 0] / size[size > 0, None]
    scale = max(float(np.abs(objective).max(initial=0.0)), 1e-300)
    n = len(objective)
    options: dict[str, Any] = {"method": "highs", "options": {"presolve": True}}
    if len(G):
        options |= {"A_ub": G, "b_ub": np.zeros(len(G))}
    found = linprog(-objective / scale, A_eq=np.ones((1, n)), b_eq=[1.0], **options)
    if found.x is None:
        if not _surely_empty(G):
            raise ConvergenceError(
                f"a linear program of {n} variables was not solved ({found.message}): rescale payoffs, "
                "or use rounded()."
            )
        return None
    x = np.maximum(found.x, 0.0)
    x = x / x.sum()
    violation = float(np.maximum(G @ x, 0.0).max(initial=0.0))
    multipliers = np.maximum(-found.ineqlin.marginals, 0.0) if len(G) else np.zeros(0)
    bound = float((objective / scale - multipliers @ G).max()) * scale
    made = Optimum(x, float(objective @ x), bound, violation)
    if violation > FEASIBLE or made.gap > 1e-7 * scale:
        raise ConvergenceError(
            f"the solution of a linear program fails the check: constraints are missed by "
            f"{violation:.2g}, duality gap {made.gap:.2g}. Rescale payoffs, or use rounded()."
        )
    return made


def _surely_empty(G: Array) -> bool:
    """Whether multipliers y >= 0, adding up to 1, make every coefficient of y G positive (Farkas)."""
    from scipy.optimize import linprog

    if not len(G):
        return False
    rows, n = G.shape
    # Maximise t with y G >= t.
    found = linprog(
        np.r_[np.zeros(rows), -1.0],
        A_ub=np.hstack([-G.T, np.ones((n, 1))]),
        b_ub=np.zeros(n),
        A_eq=np.r_[np.ones(rows), 0.0][None],
        b_eq=[1.0],
        bounds=[*[(0, None)] * rows, (None, None)],
        method="highs",
    )
    if found.x is None:
        return False
    y = np.maximum(found.x[:rows], 0.0)
    return bool((y @ G).min() > 0)


def maximise_least(objectives: Array, constraints: Array) -> tuple[Optimum, Array]:
    """Maximise the least of objectives @ x over probability vectors x with constraints @ x <= 0.

    `objectives` has shape (objectives, n), `constraints` (rows, n). Solved by cvxpy; the bound comes
    from its multipliers by arithmetic. Returns the optimum and the weights of the objectives in it.
    The programs of this package always have a solution (an equilibrium). Raises `ConvergenceError`
    if the answer fails the check.
    """
    import cvxpy

    cp: Any = cvxpy  # It has types for some of its names only.

    count, n = objectives.shape
    # Where no choice matters there is nothing to solve (and solvers may call such a program infeasible).
    if not len(constraints) and (objectives == objectives[:, :1]).all():
        value = float(objectives.min())
        weights = np.zeros(count)
        weights[int(objectives[:, 0].argmin())] = 1.0
        return Optimum(np.eye(n)[0], value, value, 0.0), weights
    size = np.abs(constraints).max(axis=1, initial=0.0)
    G = constraints[size > 0] / size[size > 0, None]
    centre = objectives.mean(axis=1, keepdims=True)
    scale = float(np.abs(objectives - centre).max(initial=0.0)) or float(np.ptp(centre)) or 1.0
    x, least = cp.Variable(n, nonneg=True), cp.Variable()
    within = (objectives - centre.min()) / scale
    conditions = [within @ x >= least, cp.sum(x) == 1]
    if len(G):
        conditions.append(G @ x <= 0)
    problem = cp.Problem(cp.Maximize(least), conditions)
    try:
        problem.solve(solver=cp.SCIPY, scipy_options={"method": "highs"})
    except cp.error.SolverError as error:
        raise ConvergenceError(
            f"a linear program of {n} variables was not solved: {error}."
        ) from error
    if x.value is None:
        raise ConvergenceError(
            f"a linear program of {n} variables was not solved ({problem.status}): rescale payoffs, or "
            "use rounded()."
        )
    point = np.maximum(x.value, 0.0)
    point = point / point.sum()
    weights = np.maximum(np.atleast_1d(conditions[0].dual_value), 0.0)
    weights = weights / weights.sum() if weights.sum() > 0 else np.full(count, 1 / count)
    multipliers = (
        np.maximum(np.atleast_1d(conditions[2].dual_value), 0.0) if len(G) else np.zeros(0)
    )
    bound = float((weights @ within - multipliers @ G).max()) * scale + float(centre.min())
    violation = float(np.maximum(G @ point, 0.0).max(initial=0.0))
    made = Optimum(point, float((objectives @ point).min()), bound, violation)
    if violation > FEASIBLE or made.gap > 1e-7 * scale:
        raise ConvergenceError(
            f"the solution of a linear program fails the check: constraints are missed by "
            f"{violation:.2g}, duality gap {made.gap:.2g}. Rescale payoffs, or use rounded()."
        )
    return made, weights
