"""Announced paths of a user's own control problem: value, gradient by costates, best path."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import InvalidValueError
from alliancegame.game.parameters import Array
from alliancegame.solve.dynamic.announced import FLAT, STEEP
from alliancegame.solve.dynamic.control import TrustControl, check_range
from alliancegame.solve.dynamic.course import MOST_TAIL
from alliancegame.solve.dynamic.interpolation import Interpolant
from alliancegame.solve.dynamic.kept import Nothing
from alliancegame.solve.dynamic.law import STILL
from alliancegame.solve.dynamic.markov import (
    Tabulated,
    action_grid,
    best_actions,
    climb,
    solve_quickly,
)

STEP = 1e-6
FORBIDDEN = 1e12
"""The cost of a path with a forbidden action, in a climb that wants numbers."""
ROUNDS = 20
"""How often a path may be left for another one that a deviation in one period leads to."""
DEVIATING = 24
"""Periods of a path in which deviations are tried, besides the last."""
GAIN = 1e-9
"""A deviation that gains less than this share of the value leads nowhere."""


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


def plan_values(control: TrustControl, discount: float, plans: Array) -> Array:
    """What plans (case, period) are worth whose last actions are kept for ever, shape (case,)."""
    state = np.tile(np.asarray(control.initial, dtype=np.float64), (len(plans), 1))
    total, last = np.zeros(len(plans)), plans.shape[1] + tail_of(control, discount) - 1
    for t in range(last + 1):
        action = plans[:, min(t, plans.shape[1] - 1)]
        weight = discount**t / (1 - discount if t == last else 1.0)
        total += weight * control.exact(state, action)
        ahead = control.advance(state, action)
        check_range(control, state, action, ahead)
        state = ahead
    return total


def best_kept_action(control: TrustControl, discount: float) -> float:
    """The best action to keep for ever: a grid, then a climb from every local peak of it."""
    axis = action_grid(control)

    def worth(_: NDArray[np.intp], tried: Array) -> Array:
        return plan_values(control, discount, tried[:, None])

    values = np.concatenate([[-np.inf], worth(np.arange(len(axis)), axis), [-np.inf]])
    k = np.flatnonzero((values[1:-1] > values[:-2]) & (values[1:-1] >= values[2:]))
    if not len(k):
        return float(axis[0])
    low, high = axis[np.maximum(k - 1, 0)], axis[np.minimum(k + 1, len(axis) - 1)]
    found, tops = climb(worth, axis[k], low, high)
    return float(found[tops.argmax()])


def deviation_values(
    control: TrustControl, discount: float, path: Array, tried: Array, shown: int
) -> Array:
    """What a path is worth with another action in one period, shape (period, action).

    The first `shown` periods and the last one are tried; in the last the action changes for ever.
    """
    periods = np.unique(np.append(np.arange(min(shown, len(path))), len(path) - 1))
    plans = np.tile(path, (len(periods), len(tried), 1))
    plans[np.arange(len(periods)), :, periods] = tried
    worth = plan_values(control, discount, plans.reshape(-1, len(path)))
    table = np.full((len(path), len(tried)), -np.inf)
    table[periods] = worth.reshape(len(periods), -1)
    return table


def best_announced(control: TrustControl, discount: float, horizon: int) -> tuple[Array, float]:
    """The best announced path found: L-BFGS-B from several starts, gradient by costates.

    Starts are three constant actions, the best one to keep, the myopic actions and, with at most two
    states, the path of the optimal policy on a table. From the best end the best other action of the
    grid in one period is climbed from again, as long as there is one that gains.
    """
    from scipy.optimize import minimize

    low, high = control.action
    tail = tail_of(control, discount)
    unit = np.sqrt(np.maximum(discount ** np.arange(horizon), 1e-4))

    def cost(y: Array) -> tuple[float, Array]:
        value, slope = _worth(control, discount, np.clip(y / unit, low, high), tail)
        if not np.isfinite(value):  # An action on the path is forbidden.
            return FORBIDDEN, np.zeros(horizon)
        return -value, -slope / unit

    def climbed(start: Array) -> tuple[Array, float]:
        if not np.isfinite(plan_values(control, discount, start[None])[0]):
            return start, -np.inf
        found = minimize(
            cost, start * unit, jac=True, method="L-BFGS-B",
            bounds=list(zip(low * unit, high * unit, strict=True)),
            options={"maxiter": 400, "ftol": FLAT * 1e-3, "gtol": STEEP * 1e-2},
        )  # fmt: skip
        return np.clip(found.x / unit, low, high), -float(found.fun)

    best, top = np.full(horizon, low), -np.inf
    for start in _starts(control, discount, horizon):
        end, value = climbed(start)
        if value > top:
            best, top = end, value
    for _ in range(ROUNDS):
        axis = action_grid(control)
        worth = deviation_values(control, discount, best, axis, DEVIATING)
        t, k = np.unravel_index(int(worth.argmax()), worth.shape)
        if not worth[t, k] > top + GAIN * max(1.0, abs(top)):
            break
        other = best.copy()
        other[t] = axis[k]
        best, top = climbed(other)
    return best, top


def _starts(control: TrustControl, discount: float, horizon: int) -> list[Array]:
    """Paths to climb from."""
    low, high = control.action
    constant = (low, 0.5 * (low + high), high, best_kept_action(control, discount))
    starts = [np.full(horizon, action) for action in constant]
    starts.append(_policy_path(control, 0.0, Nothing(), horizon))
    if len(control.states) <= 2:
        try:  # Only a start: the law may leave its bounds in states that no path reaches.
            value, _ = solve_quickly(Tabulated(control), discount)
            starts.append(_policy_path(control, discount, value, horizon))
        except InvalidValueError:
            pass
    return starts


def _policy_path(
    control: TrustControl, discount: float, value: Interpolant | Nothing, horizon: int
) -> Array:
    """The actions of the policy that is best given the value of the next period's state."""
    actions, state = np.empty(horizon), np.asarray(control.initial, dtype=np.float64)[None, :]
    for t in range(horizon):
        actions[t : t + 1] = best_actions(control, discount, value, state)[0]  # type: ignore[arg-type]
        ahead = control.advance(state, actions[t : t + 1])
        check_range(control, state, actions[t : t + 1], ahead)
        state = ahead
    return actions


def _worth(
    control: TrustControl, discount: float, actions: Array, tail: int
) -> tuple[float, Array]:
    states, whole = walk(control, actions, tail)
    periods, count = states.shape
    weight = discount ** np.arange(periods)
    weight[-1] /= 1 - discount
    value = float(weight @ control.exact(states, whole))
    if not np.isfinite(value):
        return value, np.zeros(len(actions))
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
    rise = ends[0][1] - ends[1][1]
    rise = np.where(np.isfinite(rise), rise, 0.0)  # At the edge of what is forbidden.
    return rise / width, (ends[0][2] - ends[1][2]) / width[:, None]
