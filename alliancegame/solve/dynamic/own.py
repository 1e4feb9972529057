"""The four concepts for a user's own payoff and law of motion."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from alliancegame.errors import UnsupportedFormError
from alliancegame.game.parameters import Array
from alliancegame.solve.dynamic import custom, kept
from alliancegame.solve.dynamic.checks import (
    TOLERANCE,
    deviations_of,
    markov_checks,
    warn_if_coarse,
)
from alliancegame.solve.dynamic.control import TrustControl, check_range
from alliancegame.solve.dynamic.markov import ACTIONS, Tabulated, best_actions, solve_markov
from alliancegame.solve.dynamic.result import ControlPath, PathCertificate, Policy

Act = Callable[[Array, int], Array]
SLACK = 1e-6
"""A deviation that gains more than this (as a share of values above 1) leaves a path unverified."""
NO_MONEY = "money and allies have no meaning here"


def solve_control(
    control: TrustControl,
    concept: str,
    periods: int,
    discount: float,
    tolerance: float | None,
    nodes: int | None,
) -> ControlPath:
    """The same concepts for a user's own payoff and law."""
    if concept in ("open-loop", "stationary") and control.turnover:
        raise UnsupportedFormError(
            f'concept="{concept}" with turnover needs the model\'s own two-component law; use "markov".'
        )
    if concept == "markov":
        return _markov(control, periods, discount, tolerance, nodes)
    if concept == "myopic":

        def act(state: Array, _: int) -> Array:
            return kept.myopic_actions(control, state)

        value = _myopic_value(control, discount, act, nodes)
        return _judged(control, _path(control, concept, periods, discount, act, value), None)
    if concept == "stationary":
        path = np.array([custom.best_kept_action(control, discount)])
    else:
        path, _ = custom.best_announced(control, discount, periods)
    value = custom.path_value(control, discount, path)
    announced = path.reshape(-1, 1)
    found = _path(
        control, concept, periods, discount, lambda _, t: announced[min(t, len(path) - 1)], value
    )
    return _judged(control, found, path)


def _markov(
    control: TrustControl, periods: int, discount: float, tolerance: float | None, nodes: int | None
) -> ControlPath:
    count = len(control.states)
    if count > 2:
        raise UnsupportedFormError(
            f'{count} states ({", ".join(control.states)}): concept="markov" handles two at the most; '
            'use concept="open-loop".'
        )
    aim = TOLERANCE[count] if tolerance is None else tolerance
    solution = solve_markov(Tabulated(control, nodes), discount, aim)
    warn_if_coarse(solution.residual, aim, nodes)
    spline = solution.grid.interpolant(solution.values)
    policy = Policy(control.states, solution.grid.points, solution.actions, solution.values)
    start = np.asarray(control.initial, dtype=np.float64)[None, :]
    value = float(best_actions(control, discount, spline, start)[1][0])
    path = _path(
        control, "markov", periods, discount,
        lambda state, _: best_actions(control, discount, spline, state)[0], value,
    )  # fmt: skip
    checks = markov_checks(control, solution, path.states, path.actions, value, aim)
    good = checks["bellman_residual"] <= aim and checks["deviation_gain"] <= SLACK
    known: dict[str, Any] = {
        "verdict": "approximate" if good else "unverified",
        "scope": (
            "states between the nodes and deviations in one period are sampled; "
            f"{_resolution(control)}; {NO_MONEY}"
        ),
        **checks,
    }
    certificate = dataclasses.replace(path.certificate, **known)
    return dataclasses.replace(path, certificate=certificate, policy=policy)


def _path(
    control: TrustControl, concept: str, periods: int, discount: float, act: Act, value: float
) -> ControlPath:
    """The path of a rule of action, its value known, as a result without residuals."""
    states, actions = np.empty((periods, len(control.states))), np.empty(periods)
    state = np.asarray(control.initial, dtype=np.float64)[None, :]
    for t in range(periods):
        states[t], actions[t] = state[0], act(state, t)[0]
        ahead = control.advance(state, actions[t : t + 1])
        check_range(control, state, actions[t : t + 1], ahead)
        state = ahead
    certificate = PathCertificate(
        "unverified",
        math.nan,
        math.nan,
        math.nan,
        math.nan,
        math.nan,
        math.nan,
        math.nan,
        math.nan,
        math.nan,
        f"{concept} path of a user's own problem",
        f"nothing was checked; {NO_MONEY}",
    )
    payoffs = np.array(control.exact(states, actions))
    return ControlPath(
        concept, discount, control.states, states, actions, payoffs, value, certificate
    )


def _judged(control: TrustControl, path: ControlPath, announced: Array | None) -> ControlPath:
    """The path with the largest gain of a deviation, of the kind that its concept rules out."""
    tried = deviations_of(control)
    shown = min(custom.DEVIATING, len(path.actions))
    if announced is None:
        states = np.repeat(path.states[:shown], len(tried), axis=0)
        other = control.exact(states, np.tile(tried, shown)).reshape(shown, -1).max(axis=1)
        gain = float((other - path.payoffs[:shown]).max())
        kind = (
            f"another action in each of the first {shown} periods, for that period's payoff alone"
        )
        scale = float(np.abs(path.payoffs).max())
    else:
        other = custom.deviation_values(control, path.discount, announced, tried, shown)
        gain, scale = float(other.max()) - path.value, abs(path.value)
        kind = "another action for ever"
        if path.concept == "open-loop":
            kind = (
                f"another action in one of the first {shown} periods (in the last one for ever), the "
                "rest of the path as announced; changes in several periods at once are not tried"
            )
    good = gain <= SLACK * max(1.0, scale)
    certificate = dataclasses.replace(
        path.certificate,
        verdict="approximate" if good else "unverified",
        deviation_gain=max(gain, 0.0),
        scope=f"deviations tried: {kind}; {_resolution(control)}; {NO_MONEY}",
    )
    return dataclasses.replace(path, certificate=certificate)


def _resolution(control: TrustControl) -> str:
    """How closely actions were searched and checked."""
    low, high = control.action
    return (
        f"actions were searched on a grid of step {(high - low) / (ACTIONS - 1):.3g} with a climb from "
        f"every local peak, and deviations on one of step {(high - low) / len(deviations_of(control)):.3g} "
        "between its points: a peak of the payoff that is narrower may be missed"
    )


def _myopic_value(control: TrustControl, discount: float, act: Act, nodes: int | None) -> float:
    if not control.turnover:
        path = followed(control, discount, lambda state: act(state, 0))
        return custom.path_value(control, discount, path)
    grid = Tabulated(control, nodes).grid
    worth = kept.policy_value(control, discount, grid, kept.myopic_actions(control, grid.points))
    start = np.asarray(control.initial, dtype=np.float64)[None, :]
    return float(grid.interpolant(worth)(start)[0])


def followed(control: TrustControl, discount: float, act: Callable[[Array], Array]) -> Array:
    """A policy's actions until nothing counts any more."""
    actions = []
    state = np.asarray(control.initial, dtype=np.float64)[None, :]
    for _ in range(custom.tail_of(control, discount)):
        actions.append(act(state))
        state = control.advance(state, actions[-1])
    return np.concatenate(actions)
