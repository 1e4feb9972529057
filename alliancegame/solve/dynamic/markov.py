"""The optimal policy as a function of trust: policy iteration on a table, then a continuous polish.

The discretised problem (a grid of actions, linear interpolation, whose operator is a contraction) is
solved first, by Howard's policy iteration. From there the value is a cubic spline and the action is
continuous: every local peak over the action grid is climbed with the exact payoff, policies are
evaluated exactly (one linear system), and nodes are added where the Bellman equation does not hold
between them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.parameters import Array
from alliancegame.solve.dynamic.control import SLIP, Control, Payoff, check_range
from alliancegame.solve.dynamic.interpolation import Grid, Interpolant, spaced

ACTIONS = 65
NODES = {1: 65, 2: 25}
MOST_NODES = {1: 400, 2: 3000}
DENSE = 700
"""Nodes up to which a policy is evaluated by one dense linear system; above, by GMRES."""
NEAR = 0.005
"""How far from the table's best action the exact one is looked for first, as a share of the range."""
PEAKS = 3
PEAK_SLACK = 1e-4
"""Local peaks lower than the best by more than this share of the spread of payoffs are not climbed."""
SETTLED = 1e-12
"""Policy iteration ends when no value changes by more than this share."""


@dataclasses.dataclass(frozen=True, eq=False)
class MarkovSolution:
    """A value function, its policy at the nodes, and how far both are from exact.

    `actions` and `values` have shape (node,); `probes` are states between the nodes, shape (case,
    state), at which `residuals` |TV - V| were measured with the exact payoff and a global search of
    the action. `euler` is the residual of the first-order condition there (see `euler_errors`).
    """

    control: Control
    discount: float
    grid: Grid
    values: Array
    actions: Array
    probes: Array
    residuals: Array
    euler: Array
    rounds: int

    @property
    def residual(self) -> float:
        """The largest Bellman residual found."""
        return float(self.residuals.max())

    def value(self, states: Array) -> Array:
        """The value of states (case, state), shape (case,)."""
        return self.grid.interpolant(self.values)(states)

    def act(self, states: Array) -> tuple[Array, Array]:
        """The best action in states (case, state), by a global search, and the value of it."""
        return best_actions(self.control, self.discount, self.grid.interpolant(self.values), states)


def expected(control: Control, value: Interpolant, ahead: Array) -> Array:
    """The expected value of the next period's state, over turnover; -inf below a floor."""
    found = value(ahead)
    if control.turnover:
        found = (1 - control.turnover) * found + control.turnover * value(control.jump(ahead))
    if control.cut:
        found = np.where((ahead < control.low - SLIP).any(axis=1), -np.inf, found)
    return found


def action_grid(control: Control, points: int = ACTIONS) -> Array:
    """Evenly spaced actions, both ends among them."""
    return np.linspace(*control.action, points)


def crossed(states: Array, actions: Array) -> tuple[Array, Array]:
    """Every state with every action: (case, state) and (case,), actions varying fastest."""
    return np.repeat(states, len(actions), axis=0), np.tile(actions, len(states))


class Tabulated:
    """A control problem on a grid of states and actions: payoffs and transitions, made once.

    It serves every discount factor.
    """

    def __init__(self, control: Control, nodes: int | None = None, actions: int = ACTIONS) -> None:
        count = NODES[len(control.states)] if nodes is None else nodes
        self.control = control
        self.actions = action_grid(control, actions)
        self.grid = Grid(
            [
                spaced(low, high, count, control.logarithmic)
                for low, high in zip(control.low, control.high, strict=True)
            ],
            control.logarithmic,
        )
        state, action = crossed(self.grid.points, self.actions)
        self.shape = (len(self.grid.points), len(self.actions))
        self.ahead = control.advance(state, action)
        check_range(control, state, action, self.ahead)
        self.jumped = control.jump(self.ahead) if control.turnover else self.ahead
        if control.turnover:
            check_range(control, state, action, self.jumped)
        payoff = control.rough(state, action)
        below = (self.ahead < control.low - SLIP).any(axis=1) & control.cut
        self.payoff = np.where(below, -np.inf, payoff).reshape(self.shape)

    def solve(self, discount: float) -> tuple[Array, NDArray[np.intp]]:
        """Values at the nodes and the positions of the best actions: Howard's policy iteration."""
        q, rows = self.control.turnover, np.arange(self.shape[0])
        chosen = self.payoff.argmax(axis=1)
        matrix = self.grid.linear(self.ahead)
        if q:
            matrix = (1 - q) * matrix + q * self.grid.linear(self.jumped)
        values = np.zeros(self.shape[0])
        for _ in range(200):
            moves = matrix[rows * self.shape[1] + chosen].toarray()
            system = np.eye(self.shape[0]) - discount * moves
            values = np.linalg.solve(system, self.payoff[rows, chosen])
            worth = self.payoff + discount * (matrix @ values).reshape(self.shape)
            better = worth.argmax(axis=1)
            gain = worth[rows, better] - worth[rows, chosen]
            if not (gain > SETTLED * (1 + np.abs(values))).any():
                break
            chosen = np.where(gain > 0, better, chosen)
        return values, chosen


def solve_markov(
    tabulated: Tabulated,
    discount: float,
    tolerance: float,
    *,
    refine: int = 8,
) -> MarkovSolution:
    """The optimal policy; nodes are added until the Bellman residual is below `tolerance`.

    With two states a node is added to an axis wherever the residual is large anywhere across it.
    Adding ends after `refine` rounds, or with more nodes than MOST_NODES.
    """
    control, grid = tabulated.control, tabulated.grid
    values, chosen = tabulated.solve(discount)
    actions = tabulated.actions[chosen]
    most = MOST_NODES[len(grid.shape)]
    for round_ in range(refine + 1):
        values, actions = _polished(control, discount, grid, values, actions)
        probes = _between(grid)
        spline = grid.interpolant(values)
        found, tops = best_actions(control, discount, spline, probes)
        residuals = np.abs(tops - spline(probes))
        if residuals.max() <= tolerance or round_ == refine:
            break
        finer = _finer(grid, residuals, 0.3 * tolerance)
        if len(finer.points) > most:
            break
        values = spline(finer.points)
        actions = best_actions(control, discount, spline, finer.points, False)[0]
        grid = finer
    euler = euler_errors(control, discount, spline, probes, found)
    return MarkovSolution(
        control, discount, grid, values, actions, probes, residuals, euler, round_ + 1
    )


def _finer(grid: Grid, residuals: Array, bound: float) -> Grid:
    """Nodes halved on every axis where a residual across it is above the bound."""
    table = residuals.reshape([n - 1 for n in grid.shape])
    nodes = []
    for d, (old, middle) in enumerate(zip(grid.nodes, _middles(grid), strict=True)):
        across = tuple(k for k in range(table.ndim) if k != d)
        nodes.append(np.sort(np.concatenate([old, middle[table.max(axis=across) > bound]])))
    return Grid(nodes, grid.logarithmic)


def solve_quickly(tabulated: Tabulated, discount: float) -> tuple[Interpolant, Array]:
    """Value and actions at the nodes by the tabulated payoff alone, for maps and scans.

    Exact to the error of the table (some 1e-7 of payoff in the shipped models); nothing is refined.
    """
    control, grid = tabulated.control, tabulated.grid
    values, chosen = tabulated.solve(discount)
    values, actions = _polished(
        control, discount, grid, values, tabulated.actions[chosen], (False,)
    )
    return grid.interpolant(values), actions


def _middles(grid: Grid) -> list[Array]:
    """Between neighbouring nodes, the middle, axis by axis."""
    return [
        np.sqrt(n[1:] * n[:-1]) if grid.logarithmic else 0.5 * (n[1:] + n[:-1]) for n in grid.nodes
    ]


def _between(grid: Grid) -> Array:
    """States in the middle between neighbouring nodes."""
    mesh = np.meshgrid(*_middles(grid), indexing="ij")
    return np.stack([m.ravel() for m in mesh], axis=1)


def _polished(
    control: Control,
    discount: float,
    grid: Grid,
    values: Array,
    actions: Array,
    payoffs: tuple[bool, ...] = (False, True),
) -> tuple[Array, Array]:
    """Policy iteration with continuous actions and a cubic value, the payoff exact."""
    for exact in payoffs:  # The table brings most of the way.
        payoff = control.exact if exact else control.rough
        # Two states are interpolated no better than the looser bound.
        enough = 1e-11 if exact and len(grid.shape) == 1 else 1e-8
        for step in range(30):
            ahead = control.advance(grid.points, actions)
            before = values
            stage = payoff(grid.points, actions)
            values = _evaluated(control, discount, grid, stage, ahead, values)
            if step and np.abs(values - before).max() <= enough * (1 + np.abs(values).max()):
                break
            spline = grid.interpolant(values)
            actions = best_actions(control, discount, spline, grid.points, exact)[0]
    return values, actions


def _evaluated(
    control: Control, discount: float, grid: Grid, payoff: Array, ahead: Array, guess: Array
) -> Array:
    """The value of a policy: V = u + discount * E V(next), one linear system."""
    branches = [(1.0 - control.turnover, ahead)]
    if control.turnover:
        branches.append((control.turnover, control.jump(ahead)))
    if len(payoff) > DENSE:
        found = _iterated(discount, grid, payoff, branches, guess)
        if found is not None:
            return found
    matrix = sum(weight * grid.matrix(states) for weight, states in branches)
    return np.asarray(np.linalg.solve(np.eye(len(payoff)) - discount * matrix, payoff))


def _iterated(
    discount: float, grid: Grid, payoff: Array, branches: list[tuple[float, Array]], guess: Array
) -> Array | None:
    """The same by GMRES, without the matrix: None if it does not end."""
    from scipy.sparse.linalg import LinearOperator, gmres

    parts = [(weight, grid.factors(states)) for weight, states in branches]

    def apply(values: Array) -> Array:
        table = np.asarray(values).reshape(grid.shape)
        onward = sum(
            weight * np.einsum("ij,ij->i", first @ table, second)
            for weight, (first, second) in parts
        )
        return np.asarray(np.asarray(values).ravel() - discount * onward, dtype=np.float64)

    system = LinearOperator((len(payoff), len(payoff)), matvec=apply, dtype=np.float64)
    found, failed = gmres(system, payoff, x0=guess, rtol=1e-13, atol=0.0, restart=60, maxiter=40)
    return None if failed else np.asarray(found)


def best_actions(
    control: Control, discount: float, value: Interpolant, states: Array, exact: bool = True
) -> tuple[Array, Array]:
    """The best action in every state and what it is worth, each (case,): a global search.

    All actions of a grid are tried with the tabulated payoff, and every local peak that could be the
    best is climbed, with the exact one if `exact`: if the control is `thorough`, all of them, since a
    narrow peak may be much higher between two points of the grid than at them.
    """
    grid = action_grid(control)
    state, action = crossed(states, grid)
    ahead = control.advance(state, action)
    worth = control.rough(state, action) + discount * expected(control, value, ahead)
    worth = worth.reshape(len(states), len(grid))
    row, k = _every_peak(worth) if control.thorough else _peaks(worth)
    low, high = grid[np.maximum(k - 1, 0)], grid[np.minimum(k + 1, len(grid) - 1)]

    def worth_by(payoff: Payoff) -> Callable[[NDArray[np.intp], Array], Array]:
        def worth_of(which: NDArray[np.intp], tried: Array) -> Array:
            at = states[row[which]]
            onward = expected(control, value, control.advance(at, tried))
            return payoff(at, tried) + discount * onward

        return worth_of

    if control.tabulated:  # The table shows where to look closely.
        climbed, tops = climb(worth_by(control.rough), grid[k], low, high)
        if exact:
            closer = NEAR * (grid[-1] - grid[0])
            climbed, tops = climb(worth_by(control.exact), climbed, low, high, 4, closer)
    else:
        climbed, tops = climb(worth_by(control.exact), grid[k], low, high)
    best = np.full(len(states), -np.inf)
    np.maximum.at(best, row, tops)
    chosen = np.zeros(len(states))
    wins = tops >= best[row]
    chosen[row[wins][::-1]] = climbed[wins][::-1]
    return chosen, best


def _peaks(worth: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the local peaks that are high enough, at most PEAKS a row."""
    padded = np.pad(worth, ((0, 0), (1, 1)), constant_values=-np.inf)
    peak = (worth >= padded[:, :-2]) & (worth >= padded[:, 2:]) & np.isfinite(worth)
    top = worth.max(axis=1, keepdims=True)
    finite = np.where(np.isfinite(worth), worth, np.nan)
    spread = top[:, 0] - np.nanmin(finite, axis=1)
    peak &= worth >= top - (PEAK_SLACK * spread)[:, None] - 1e-12
    ranked = np.where(peak, worth, -np.inf)
    order = np.argsort(-ranked, axis=1, kind="stable")[:, :PEAKS]
    rows = np.repeat(np.arange(len(worth)), order.shape[1])
    columns = order.ravel()
    kept = peak[rows, columns]
    return rows[kept], columns[kept]


def _every_peak(worth: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of all local peaks, of a flat stretch the first point."""
    padded = np.pad(worth, ((0, 0), (1, 1)), constant_values=-np.inf)
    peak = (worth > padded[:, :-2]) & (worth >= padded[:, 2:])
    rows, columns = np.nonzero(peak)
    return rows, columns


def climb(
    function: Callable[[NDArray[np.intp], Array], Array],
    start: Array,
    low: Array,
    high: Array,
    rounds: int = 7,
    near: float = math.inf,
) -> tuple[Array, Array]:
    """Maximise many functions of one variable within [low, high] by parabolas that close in.

    `function(which, points)` gives the values of the functions `which`. The first three points lie
    within `near` of the start; the neighbourhood narrows unless its edge is best.
    """
    everyone = np.arange(len(start))
    here, top = start.copy(), np.asarray(function(everyone, start))
    span = np.clip(0.5 * (high - low), 1e-12, near)
    for step_ in range(rounds):
        centre = np.clip(here, low + span, high - span)
        points = centre[:, None] + span[:, None] * np.array([-1.0, 0.0, 1.0])
        values = np.asarray(function(np.repeat(everyone, 3), points.ravel())).reshape(-1, 3)
        with np.errstate(invalid="ignore", divide="ignore"):
            bend = values[:, 0] - 2 * values[:, 1] + values[:, 2]
            step = 0.5 * (values[:, 0] - values[:, 2]) / bend
        good = (bend < 0) & (np.abs(step) <= 3.0)
        vertex = np.clip(np.where(good, centre + step * span, here), low, high)
        last = np.asarray(function(everyone, vertex))
        points = np.concatenate([points, vertex[:, None]], axis=1)
        values = np.concatenate([values, last[:, None]], axis=1)
        at = values.argmax(axis=1)
        better = values[everyone, at] > top
        here = np.where(better, points[everyone, at], here)
        top = np.where(better, values[everyone, at], top)
        ends = (here <= low) | (here >= high)
        left = (np.abs(here - centre) >= 0.999 * span) & ~ends
        narrower = np.where(good & (at == 3), 0.08, np.where(ends, 0.1, 0.35))
        span = np.where(left, span, span * narrower)
        if step_ >= 3 and (span < 1e-7).all():
            break
    return here, top


def euler_errors(
    control: Control, discount: float, value: Interpolant, states: Array, actions: Array
) -> Array:
    """Residual of the first-order condition, in payoff per unit of action, shape (case,).

    The slope of the continuation is taken from the payoff and law of the period after (the envelope
    theorem), not from the spline alone: u_a + discount * (d next / d a) * (u_s + ...). At the ends of
    the range only a slope that points inside counts. docs/theory/dynamics; Judd (1992).
    """
    low, high = control.action
    h = 1e-5 * (high - low)
    up, down = np.minimum(actions + h, high), np.maximum(actions - h, low)

    branches: list[tuple[float, Callable[[Array], Array]]] = [
        (1 - control.turnover, lambda state: state)
    ]
    if control.turnover:
        branches.append((control.turnover, control.jump))
    middle = control.advance(states, actions)
    plans = [best_actions(control, discount, value, turn(middle))[0] for _, turn in branches]

    def worth(tried: Array) -> Array:
        ahead = control.advance(states, tried)
        total = control.exact(states, tried)
        for (weight, turn), plan in zip(branches, plans, strict=True):
            at = turn(ahead)
            onward = expected(control, value, control.advance(at, plan))
            total = total + discount * weight * (control.exact(at, plan) + discount * onward)
        return total

    slope = (worth(up) - worth(down)) / (up - down)
    slope = np.where(actions <= low + h, np.maximum(slope, 0.0), slope)
    slope = np.where(actions >= high - h, np.maximum(-slope, 0.0), slope)
    return np.abs(np.where(np.isfinite(slope), slope, 0.0))
