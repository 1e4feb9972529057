"""How exact a policy is: residuals, Euler errors, deviations along its path, another grid."""

from __future__ import annotations

import warnings

import numpy as np

from alliancegame.errors import CoarseGridWarning
from alliancegame.game.parameters import Array
from alliancegame.solve.dynamic.control import Control
from alliancegame.solve.dynamic.markov import MarkovSolution, Tabulated, best_actions, solve_markov

TOLERANCE = {1: 1e-8, 2: 1e-6}
"""Bellman residuals above which a grid counts as too coarse, by the number of states."""
DEVIATIONS = 33
"""Threats tried in every period for one-shot deviations."""
OFFSET_DEVIATIONS = 256
"""The same in users' own problems: four between any two actions of the search, none of them its own."""
CHECKED = 12
"""Periods of an announced path in which they are tried; of a policy's, twice as many."""


def warn_if_coarse(residual: float, aim: float, nodes: int | None) -> None:
    """Warn with the residual if it stays above what was aimed at."""
    if residual > aim:
        warnings.warn(
            f"the grid is too coarse: the Bellman residual is {residual:.2g}, above the {aim:.2g} aimed "
            f"at; raise nodes (now {nodes or 'the default'}), or accept the error with tolerance=.",
            CoarseGridWarning,
            stacklevel=4,
        )


def deviations_of(control: Control) -> Array:
    """The actions tried as deviations."""
    low, high = control.action
    if control.thorough:
        return low + (high - low) * (np.arange(OFFSET_DEVIATIONS) + 0.5) / OFFSET_DEVIATIONS
    return np.linspace(low, high, DEVIATIONS)


def markov_checks(
    control: Control,
    solution: MarkovSolution,
    states: Array,
    actions: Array,
    value: float,
    aim: float,
) -> dict[str, float]:
    """Residual, Euler error, deviations along the path, and what a grid half as fine would say."""
    spline = solution.grid.interpolant(solution.values)
    discount = solution.discount
    shown = slice(0, 2 * CHECKED)
    tried = deviations_of(control)
    state = np.repeat(states[shown], len(tried), axis=0)
    action = np.tile(tried, len(states[shown]))

    def worth(s: Array, a: Array) -> Array:
        ahead = control.advance(s, a)
        onward = spline(ahead)
        if control.turnover:
            onward = (1 - control.turnover) * onward + control.turnover * spline(
                control.jump(ahead)
            )
        if control.cut:
            onward = np.where((ahead < control.low - 1e-9).any(axis=1), -np.inf, onward)
        return control.exact(s, a) + discount * onward

    other = worth(state, action).reshape(-1, len(tried)).max(axis=1)
    kept_to = worth(states[shown], actions[shown])
    half = max(solution.grid.shape[0] // 2, 8)
    coarse = solve_markov(Tabulated(control, half), discount, aim, refine=0)
    start = np.asarray(control.initial)[None, :]
    there = best_actions(control, discount, coarse.grid.interpolant(coarse.values), start)[1]
    return {
        "bellman_residual": solution.residual,
        "euler_error": float(solution.euler.max()),
        "deviation_gain": max(float((other - kept_to).max()), 0.0),
        "grid_error": abs(float(there[0]) - value),
    }
