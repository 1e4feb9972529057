"""A planner's concave objective as a convex program in cvxpy, from the one symbolic definition.

For rho > 0 in burdens, without influence in the sum; for rho < 0 in the logarithms of burdens, where
influence in logs is concave as well (`solve.planner.problem_shape` gives the reasons).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from alliancegame.game.parameters import Array
from alliancegame.payoff.slopes import Stage


def program_optimum(
    stage: Stage, weights: Array, low: Array, high: Array, *, influence: bool
) -> Array | None:
    """Burdens that a conic solver thinks optimal, shape (n,); None if it fails.

    `influence` says whether influence in logs is in the sum (rho < 0 only). The answer is a start
    for what checks it, and nothing is claimed of it.
    """
    import cvxpy as cp

    free = low < high
    logs = stage.rho < 0
    if stage.rows["bite"][weights > 0].any() and (free[stage.lead] or stage.rho != 1):
        return None
    variable = cp.Variable(stage.size)
    if logs:
        bounds = np.log(np.maximum(low, 1e-12)), np.log(high)
    else:
        bounds = np.maximum(low, 1e-12 * high), high
    objective = sum(
        weights[j] * _payoff(cp, stage, int(j), variable, logs, influence, float(high[stage.lead]))
        for j in np.flatnonzero(weights > 0)
    )
    limits = [variable >= bounds[0], variable <= bounds[1]]
    limits += [variable[j] == bounds[1][j] for j in np.flatnonzero(~free)]
    problem = cp.Problem(cp.Maximize(objective), limits)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of inaccuracy: the answer is only a start.
            problem.solve(solver=cp.CLARABEL)  # type: ignore[no-untyped-call]
    except cp.SolverError:
        return None
    if variable.value is None or not np.isfinite(variable.value).all():
        return None
    x = np.exp(variable.value) if logs else variable.value
    return np.asarray(np.clip(x, low, high), dtype=np.float64)


def _payoff(
    cp: Any, stage: Stage, j: int, variable: Any, logs: bool, influence: bool, lead_burden: float
) -> Any:
    """A member's payoff as a cvxpy expression; `lead_burden` is the leader's where that is given."""
    import sympy as sp

    from alliancegame.payoff import symbolic as sy

    problem = (sy.leader_problem if j == stage.lead else sy.ally_problem)(stage.form)
    own = cp.exp(variable[j]) if logs else variable[j]
    facts = {
        sy.rho_symbol: stage.rho, sy.m_symbol: stage.m, sy.returned: stage.returned,
        **{getattr(sy, name): float(stage.rows[name][j]) for name in (
            "theta", "alpha", "private", "spillin", "umbrella", "bite", "demand", "weight")},
    }  # fmt: skip
    total = 0.0
    for term in problem.terms:
        worth = 1.0 if term.weight is None else float(term.weight.subs(facts))
        if worth == 0:
            continue
        if term.name == "consumption":
            used = term.value.subs(facts)
            # ln(1 - x) and 1 - x are the only forms; both fall in what is used.
            total += cp.log(1 - own) if used.has(sp.log) else 1 - own
        elif term.name == "private":
            total += worth * (variable[j] if logs else cp.log(own))
        elif term.name == "security":
            total += worth * _log_security(
                cp, stage, j, variable, logs, problem, facts, lead_burden
            )
        elif influence:
            total += worth * _log_influence(cp, stage, j, variable)
    return total


def _log_security(
    cp: Any,
    stage: Stage,
    j: int,
    variable: Any,
    logs: bool,
    problem: Any,
    facts: dict[Any, float],
    lead_burden: float,
) -> Any:
    """Ln S of a member: S^rho is a sum of own forces, the others' and the leader's, each with its worth."""
    import sympy as sp

    from alliancegame.payoff import symbolic as sy

    rho, scale = stage.rho, stage.rows["scale"]
    others = sp.Symbol("others", positive=True)
    form_rho = sy.substitution(stage.form)
    power = problem.security_power.subs(sy.Z, others + (sy.g**form_rho if j != stage.lead else 0))
    lead = sp.Symbol("lead", positive=True)
    pieces = []
    for below in (0, 1):
        # On each side of the demand the worth of the umbrella is affine in the own burden.
        plain = sp.expand(
            power.subs(sy.below, below).subs(facts).subs(sy.G ** form_rho.subs(facts), lead)
        )
        plain = sp.expand(plain.subs(sy.g ** form_rho.subs(facts), sp.Symbol("own")))
        pieces.append([plain.coeff(sp.Symbol("own")), plain.coeff(others), plain.coeff(lead)])
    of_own, of_others, _ = (float(v.subs(sy.x, 0)) for v in pieces[0])
    allies = [i for i in range(stage.size) if i not in (j, stage.lead)]
    if logs:
        of_lead = float(pieces[0][2])
        parts = [(of_own, j), *((of_others, i) for i in allies), (of_lead, stage.lead)]
        logarithms = [
            np.log(worth) + rho * (np.log(scale[i]) + variable[i])
            for worth, i in parts
            if worth > 0
        ]
        return cp.log_sum_exp(cp.hstack(logarithms)) / rho
    forces = [scale[i] * variable[i] for i in range(stage.size)]
    powers = forces if rho == 1 else [cp.power(g, rho) for g in forces]
    total = of_own * powers[j] + of_others * sum(powers[i] for i in allies)
    if j != stage.lead:
        total += _umbrella(
            cp, stage, variable, j, [piece[2] for piece in pieces], powers, lead_burden
        )
    return cp.log(total) / rho


def _umbrella(
    cp: Any,
    stage: Stage,
    variable: Any,
    j: int,
    worths: list[Any],
    powers: list[Any],
    lead_burden: float,
) -> Any:
    """The leader's forces to an ally: under a threat, the smaller of the pieces on either side."""
    from alliancegame.payoff import symbolic as sy

    if stage.rows["bite"][j] == 0:
        return float(worths[0]) * powers[stage.lead]
    pieces = [float(w.subs(sy.x, 0)) + float(w.diff(sy.x)) * variable[j] for w in worths]
    return cp.minimum(*pieces) * float(stage.rows["scale"][stage.lead] * lead_burden)


def _log_influence(cp: Any, stage: Stage, j: int, variable: Any) -> Any:
    """Ln p of a member in log burdens."""
    pulls = np.log(stage.rows["weight"]) + stage.m * np.log(stage.rows["scale"])
    logarithms = pulls + stage.m * variable
    return logarithms[j] - cp.log_sum_exp(logarithms)
