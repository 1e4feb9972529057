"""Announced paths of a user's own control problem: value, gradient by costates, best path."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.parameters import Array
from alliancegame.solve.dynamic.announced import FLAT, MOST_TAIL, STEEP
from alliancegame.solve.dynamic.control import TrustControl, check_range
from alliancegame.solve.dynamic.law import STILL
from alliancegame.solve.dynamic.markov import climb

STEP = 1e-6


def walk(control: TrustControl, actions: Array, tail: int) -> tuple[Array, Array]:
    """States and actions by period: the path, then its last action for `tail` periods."""
    whole = np.concatenate([actions, np.repeat(actions[-1:], tail)])
    states = np.empty((len(whole), len(control.states)))
    states[0] = control.initial
    for t in range(1, len(whole)):
        states[t] = control.advance(states[t - 1 : t], whole[t - 1 : t])[0]
        check_range(control, states[t - 1 : t], whole[t - 1 : t], states[t : t + 1])
    return states, whole


def tail_of(control: TrustControl, discount: float) -> int:
    """Periods after which nothing counts any more."""
    return min(int(np.ceil(np.log(STILL) / np.log(discount))), MOST_TAIL)


def path_value(control: TrustControl, discount: float, actions: Array) -> float:
    """What a path is worth whose last action is kept for ever (no turnover)."""
    states, whole = walk(control, actions, tail_of(control, discount))
    weight = discount ** np.arange(len(whole))
    weight[-1] /= 1 - discount
    return float(weight @ control.exact(states, whole))


def best_kept_action(control: TrustControl, discount: float, points: int = 65) -> float:
    """The best action to keep for ever: a grid, then a climb from its best point."""
    axis = np.linspace(*control.action, points)

    def worth(which: NDArray[np.intp], tried: Array) -> Array:
        return np.array([path_value(control, discount, np.array([a])) for a in tried])

    values = worth(np.arange(points), axis)
    k = int(np.argmax(values))
    low, high = axis[max(k - 1, 0)], axis[min(k + 1, points - 1)]
    return float(climb(worth, axis[k : k + 1], np.array([low]), np.array([high]))[0][0])


def best_announced(control: TrustControl, discount: float, horizon: int) -> tuple[Array, float]:
    """The best announced path: L-BFGS-B from three constant starts, gradient by costates."""
    from scipy.optimize import minimize

    low, high = control.action
    tail = tail_of(control, discount)
    unit = np.sqrt(np.maximum(discount ** np.arange(horizon), 1e-4))

    def cost(y: Array) -> tuple[float, Array]:
        value, slope = _worth(control, discount, np.clip(y / unit, low, high), tail)
        return -value, -slope / unit

    best, top = np.full(horizon, low), -np.inf
    for start in (low, 0.5 * (low + high), high):
        found = minimize(
            cost, np.full(horizon, start) * unit, jac=True, method="L-BFGS-B",
            bounds=list(zip(low * unit, high * unit, strict=True)),
            options={"maxiter": 400, "ftol": FLAT * 1e-3, "gtol": STEEP * 1e-2},
        )  # fmt: skip
        if -found.fun > top:
            best, top = np.clip(found.x / unit, low, high), -float(found.fun)
    return best, top


def _worth(
    control: TrustControl, discount: float, actions: Array, tail: int
) -> tuple[float, Array]:
    states, whole = walk(control, actions, tail)
    periods, count = states.shape
    weight = discount ** np.arange(periods)
    weight[-1] /= 1 - discount
    value = float(weight @ control.exact(states, whole))
    by_action, ahead_action = _slope(control, states, whole, None)
    by_state, ahead_state = np.empty((periods, count)), np.empty((periods, count, count))
    for s in range(count):
        by_state[:, s], ahead_state[:, :, s] = _slope(control, states, whole, s)
    slope, costate = weight * by_action, np.zeros(count)
    for t in range(periods - 1, -1, -1):
        if t < periods - 1:
            slope[t] += ahead_action[t] @ costate
            costate = costate @ ahead_state[t]
        costate = costate + weight[t] * by_state[t]
    slope[len(actions) - 1] += slope[len(actions) :].sum()
    return value, slope[: len(actions)]


def _slope(
    control: TrustControl, states: Array, actions: Array, which: int | None
) -> tuple[Array, Array]:
    """Slopes of payoff and next state in one state or (None) in the action, inside the bounds."""
    ends = []
    for sign in (1.0, -1.0):
        s, a = states.copy(), actions.copy()
        if which is None:
            a = np.clip(a + sign * STEP, *control.action)
        else:
            s[:, which] = np.clip(s[:, which] + sign * STEP, *control.bounds)
        at = a if which is None else s[:, which]
        ends.append((at, control.exact(s, a), control.advance(s, a)))
    width = ends[0][0] - ends[1][0]
    return (ends[0][1] - ends[1][1]) / width, (ends[0][2] - ends[1][2]) / width[:, None]
