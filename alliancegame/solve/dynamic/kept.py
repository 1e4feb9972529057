"""Myopic plans, the best plan to keep for ever, and what following a policy is worth."""

from __future__ import annotations

import numpy as np

from alliancegame.game.parameters import Array
from alliancegame.solve.dynamic.announced import Announced
from alliancegame.solve.dynamic.control import Control
from alliancegame.solve.dynamic.interpolation import Grid
from alliancegame.solve.dynamic.law import settled
from alliancegame.solve.dynamic.markov import best_actions, climb

THREATS = 41
BURDENS = 33
NODES = 13
"""Half the number of points of trust at which a plan kept for ever is weighed while searching."""


class Nothing:
    """The value of a future that does not count."""

    def __call__(self, states: Array) -> Array:
        """Zero in every state."""
        return np.zeros(len(states))


def myopic_actions(control: Control, states: Array) -> Array:
    """The action that is best for the period alone, shape (case,): a global search."""
    return best_actions(control, 0.0, Nothing(), states)[0]  # type: ignore[arg-type]


def policy_value(control: Control, discount: float, grid: Grid, actions: Array) -> Array:
    """The value at the nodes of a policy given there: one linear system."""
    payoff = control.exact(grid.points, actions)
    ahead = control.advance(grid.points, actions)
    matrix = grid.matrix(ahead)
    if control.turnover:
        jumped = grid.matrix(control.jump(ahead))
        matrix = (1 - control.turnover) * matrix + control.turnover * jumped
    return np.asarray(np.linalg.solve(np.eye(len(payoff)) - discount * matrix, payoff))


def best_kept_plan(problem: Announced) -> tuple[float, float, float]:
    """The uniform threat and own burden that are best if kept for ever: a global search.

    The third number is by how much any threat of the grid is better than the one found.

    For every threat on a grid the path of trust is computed and thinned to few points with weights
    (cubic interpolation in trust, or in time where there are several groups); own burdens are then
    searched over their range, and the best threats are climbed from.
    """
    worth = np.vectorize(lambda threat: _best_burden(problem, float(threat))[0])
    axis = np.linspace(0.0, 1.0, THREATS)
    values = worth(axis)
    k = int(np.argmax(values))
    low, high = axis[max(k - 1, 0)], axis[min(k + 1, THREATS - 1)]
    found, _ = climb(
        lambda _, points: np.asarray(worth(points)),
        np.array([axis[k]]), np.array([low]), np.array([high]), 5,
    )  # fmt: skip
    threat = float(found[0])
    top, burden = _best_burden(problem, threat)
    return threat, burden, max(float(values.max()) - top, 0.0)


def _best_burden(problem: Announced, threat: float) -> tuple[float, float]:
    """What a threat kept for ever is worth with the best burden kept for ever, and that burden."""
    points, weights = _thinned(problem, threat)
    low, high = problem.stage.burden_bounds

    def total(burdens: Array) -> Array:
        count = len(burdens)
        found = problem.stage.payoff(
            np.full(count * len(points), threat),
            np.tile(points, (count, 1)),
            np.repeat(burdens, len(points)),
        ).reshape(count, -1)
        bad = ~np.isfinite(found).all(axis=1)
        return np.where(bad, -np.inf, np.where(np.isfinite(found), found, 0.0) @ weights)

    axis = low + (high - low) * np.linspace(0.0, 1.0, BURDENS) ** 2
    values = total(axis)
    k = int(np.argmax(values))
    found, top = climb(
        lambda _, tried: total(np.asarray(tried)),
        axis[k : k + 1],
        axis[max(k - 1, 0)][None],
        axis[min(k + 1, BURDENS - 1)][None],
    )
    return float(top[0]), float(found[0])


def _thinned(problem: Announced, threat: float) -> tuple[Array, Array]:
    """Points of operating trust (point, group) and weights that stand for a whole path."""
    asked = np.full((1, problem.actions), threat)
    if not problem.law.turnover:
        return _stands_for(*_lone_path(problem, asked))
    tail = problem.tail(problem.law.initial[None], asked)
    state, path = problem.states(asked, tail)
    periods, branches, _ = state.shape
    weight = problem.weights(periods) * problem.discount ** np.arange(periods)[:, None]
    weight[-1] /= 1 - problem.discount
    live = np.flatnonzero(weight.ravel() > 0)
    trust = problem.law.operating(
        state.reshape(periods * branches, -1)[live], path[live // branches]
    )
    return _stands_for(trust, weight.ravel()[live])


def _lone_path(problem: Announced, asked: Array) -> tuple[Array, Array]:
    """Operating trust (period, group) and weights of a plan kept for ever, until trust has settled."""
    law, limit = problem.law, problem.most_tail
    state, states = law.initial[None], []
    for _ in range(limit + 1):
        states.append(state[0])
        ahead = law.advance(state, asked)
        if settled(state, ahead):
            break
        state = ahead
    weight = np.asarray(problem.discount ** np.arange(len(states)), dtype=np.float64)
    weight[-1] /= 1 - problem.discount
    path = np.array(states)
    return law.operating(path, np.repeat(asked, len(path), axis=0)), weight


def _stands_for(trust: Array, weight: Array) -> tuple[Array, Array]:
    """Few points of trust (point, group) with weights that stand for many."""
    return _by_level(trust[:, 0], weight) if trust.shape[1] == 1 else _by_time(trust, weight)


def _by_level(trust: Array, weight: Array) -> tuple[Array, Array]:
    from scipy.interpolate import CubicSpline

    level = np.log(np.maximum(trust, 1e-300))
    if np.ptp(level) < 1e-9:
        return trust[:1, None], np.array([weight.sum()])
    order = np.argsort(level)
    mass = np.cumsum(weight[order])
    likely = np.interp(np.linspace(0, 1, NODES) * mass[-1], mass, level[order])
    nodes = np.unique(np.concatenate([np.linspace(level.min(), level.max(), NODES), likely]))
    apart = np.concatenate([[True], np.diff(nodes) > 1e-3 * np.ptp(nodes)])
    nodes = nodes[apart]
    return np.exp(nodes)[:, None], weight @ CubicSpline(nodes, np.eye(len(nodes)))(level)


def _by_time(trust: Array, weight: Array) -> tuple[Array, Array]:
    from scipy.interpolate import CubicSpline

    periods = len(trust)
    if periods <= 2 * NODES:
        return trust, weight
    late = np.geomspace(NODES, periods - 1, NODES).round()
    nodes = np.unique(np.concatenate([np.arange(NODES), late]).astype(int))
    basis = CubicSpline(nodes, np.eye(len(nodes)))(np.arange(periods))
    return trust[nodes], weight @ basis
