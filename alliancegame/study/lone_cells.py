"""Cells that are answered one by one: the outputs of a sweep from the scalar solvers' results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.solve.leader.stackelberg import solve_stackelberg
from alliancegame.solve.nash import solve_nash
from alliancegame.solve.result import Equilibrium
from alliancegame.solve.tolerances import Tolerances
from alliancegame.study.backfire import backfire_threshold
from alliancegame.study.compare import Comparison, compare_without_best


def lone_values(
    solve: str, game: BurdenSharingGame, plan: Plan, tolerances: Tolerances
) -> Callable[[str], Any]:
    """One cell by the scalar solvers: its outputs by name, codes as their words.

    Raises what the solvers raise.
    """
    if solve == "backfire_threshold":
        return _backfire_values(game, plan)
    if solve == "compare":
        return _comparison_values(compare_without_best(game, plan, tolerances))
    if solve == "stackelberg":
        return _stackelberg_values(game, plan, tolerances)
    return _equilibrium_values(solve_nash(game, plan, tolerances=tolerances))


def _equilibrium_values(e: Equilibrium) -> Callable[[str], Any]:
    """Outputs of one scalar solution, by name."""
    lead = e.game.members.leader_index
    table: dict[str, Callable[[], Any]] = {
        "burden": lambda: e.burdens,
        "spending": lambda: e.burdens * e.game.by_member("gdp"),
        "payoff": lambda: e.payoffs,
        "influence": lambda: e.influences,
        "security": lambda: e.securities,
        "trust": lambda: e.operating_trust,
        "leader_payoff": lambda: e.leader_payoff,
        "leader_burden": lambda: e.burdens[lead],
        "leader_influence": lambda: e.leader_influence,
        "savings": lambda: e.savings,
        "allied_burden": lambda: e.allied_burden,
        "mean_trust": lambda: e.operating_trust[lead],
        "regret": lambda: e.certificate.regret,
        "verdict": lambda: e.certificate.verdict,
        "unique": lambda: e.certificate.unique,
    }
    return lambda name: table[name]()


def _comparison_values(c: Comparison) -> Callable[[str], Any]:
    own = {
        "outcome": c.outcome,
        "delta_payoff": c.delta_payoff,
        "gain_usd_bn": c.gain_usd_bn,
        "delta_savings": c.delta_savings,
        "delta_influence": c.delta_influence,
        "commitment": c.commitment,
        "leverage": c.leverage,
        "trust_loss": c.trust_loss,
    }
    rest = _equilibrium_values(c.result)
    return lambda name: own[name] if name in own else rest(name)


def _stackelberg_values(
    game: BurdenSharingGame, plan: Plan, tolerances: Tolerances
) -> Callable[[str], Any]:
    """The best (threat, burden), the demand as in the plan."""
    found = solve_stackelberg(game, ("threat", "burden"), plan=plan, tolerances=tolerances)
    compared = compare_without_best(game, found.plan, tolerances)
    lead = game.members.leader_index
    rest = _comparison_values(compared)
    demand = np.delete(found.plan.demand_by_member(game.members), lead)
    own = {
        "best_threat": float(found.plan.threat),
        "best_demand": float(demand[0]) if np.ptp(demand) == 0 else np.nan,
        "best_burden": found.plan.burden,
        "leader_gap": found.leader_gap,
    }
    return lambda name: own[name] if name in own else rest(name)


def _backfire_values(game: BurdenSharingGame, plan: Plan) -> Callable[[str], Any]:
    demand = np.delete(plan.demand_by_member(game.members), game.members.leader_index)
    if np.ptp(demand) > 0:
        raise InvalidValueError("backfire_threshold needs one demand for all allies.")
    found = backfire_threshold(game, float(demand[0]))
    own = {
        "threshold": found.threshold,
        "best_threat": found.best,
        "best_gain": found.best_gain,
        "best_gain_usd_bn": found.best_gain_usd_bn,
        "break_even_decay": found.break_even_decay[0],
    }
    return lambda name: own[name]
