"""Paths announced at the start: what a given path is worth, its gradient, and the best one.

A path has `horizon` periods of its own; its last plan is then kept for ever. Gradients are exact:
the stage's come from `slopes`, and one pass backwards through the law (the costates) adds what
lost trust costs later.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from alliancegame.errors import UnsupportedFormError
from alliancegame.game.parameters import Array
from alliancegame.solve.dynamic.course import Course
from alliancegame.solve.dynamic.law import AllianceLaw, Law
from alliancegame.solve.dynamic.slopes import slopes
from alliancegame.solve.dynamic.stage import Stage

STEP = 1e-30
"""Of complex steps, whose square vanishes beside everything."""
SCALE = 1e3
FLAT, STEEP = 1e-12, 1e-7
"""The optimiser sees payoff times SCALE, and ends when a step gains less or no slope is larger."""
BURDEN_UNIT = 0.05
"""The unit in which the optimiser sees burdens."""


@dataclasses.dataclass(frozen=True, eq=False)
class Announced(Course):
    """A game in which a path of threats and own burdens is announced once and for all.

    `actions` is 1 (uniform threats) or the number of groups of the law.
    """

    stage: Stage
    actions: int

    def worth(self, threats: Array, burdens: Array, tail: int) -> tuple[float, Array, Array]:
        """The value of a path and its slopes in threats (period, action) and burdens.

        Burdens of shape (period,) end with the one that is kept in the tail; of shape (period + tail,)
        they are taken as they are.
        """
        state, asked = self.states(threats, tail)
        periods, branches, _ = state.shape
        kept = len(burdens) == len(threats)
        own = np.concatenate([burdens, np.repeat(burdens[-1:], tail)]) if kept else burdens
        weight = self.weights(periods) * self.discount ** np.arange(periods)[:, None]
        weight[-1] /= 1 - self.discount
        live = np.flatnonzero(weight.ravel() > 0)
        when, flat = live // branches, state.reshape(periods * branches, -1)[live]
        threat = asked[when]
        trust = self.law.operating(flat, threat)
        found = slopes(self.stage, threat, trust, own[when])
        if not np.isfinite(found.payoff).all():
            return -np.inf, np.zeros_like(threats), np.zeros_like(burdens)
        counted = weight.ravel()[live]
        value = float(counted @ found.payoff)
        by_group = self._by_group(found.trust * self.stage.game.by_member("trust_ceiling"))
        by_threat = self._by_action(found.threat)
        jacobian = jacobians(self.law, flat, threat)
        direct_state = counted[:, None] * np.einsum("kg,kgs->ks", by_group, jacobian.trust_state)
        direct_threat = counted[:, None] * (
            by_threat + np.einsum("kg,kga->ka", by_group, jacobian.trust_threat)
        )
        slope_threat = np.zeros_like(asked)
        slope_burden = np.zeros(periods)
        np.add.at(slope_burden, when, counted * found.burden)
        rows = np.full(periods * branches, -1)
        rows[live] = np.arange(len(live))
        rows = rows.reshape(periods, branches)
        costate = np.zeros((branches, state.shape[2]))
        for t in range(periods - 1, -1, -1):
            used = rows[t][rows[t] >= 0]
            slope_threat[t] += direct_threat[used].sum(axis=0)
            if t < periods - 1:
                onward = costate[: len(used)]
                slope_threat[t] += np.einsum("ks,ksa->a", onward, jacobian.next_threat[used])
                back = np.einsum("ks,ksr->kr", onward, jacobian.next_state[used])
                if branches > 1:
                    back[0] += (
                        self._through_jump(costate[t + 1], state[t + 1, 0])
                        @ (jacobian.next_state[used[0]])
                    )
                    slope_threat[t] += (
                        self._through_jump(costate[t + 1], state[t + 1, 0])
                        @ (jacobian.next_threat[used[0]])
                    )
                costate = np.zeros_like(costate)
                costate[: len(used)] = back
            costate[: len(used)] += direct_state[used]
        horizon = len(threats)
        slope_threat[horizon - 1] += slope_threat[horizon:].sum(axis=0)
        if kept:
            slope_burden[horizon - 1] += slope_burden[horizon:].sum()
            slope_burden = slope_burden[:horizon]
        return value, slope_threat[:horizon], slope_burden

    def best_burdens(self, threats: Array, tail: int, guess: Array | None = None) -> Array:
        """The best own burden of every period without turnover, shape (period + tail,)."""
        state, asked = self.states(threats, tail)
        trust = self.law.operating(state[:, 0], asked)
        return self.stage.best(asked, trust, guess)[1]

    def _through_jump(self, costate: Array, state: Array) -> Array:
        """The costate of a branch that a turnover opens, as one of the state before the turnover."""
        columns = np.empty((len(state), len(state)))
        for s in range(len(state)):
            nudged = state[None].astype(complex)
            nudged[0, s] += STEP * 1j
            columns[:, s] = self.law.jump(nudged)[0].imag / STEP
        return np.asarray(costate @ columns)

    def _by_group(self, by_member: Array) -> Array:
        group = self.stage.group
        count = int(group.max()) + 1
        found = np.zeros((len(by_member), count))
        for i in self.stage._allies:
            found[:, group[i]] += by_member[:, i]
        return found

    def _by_action(self, by_member: Array) -> Array:
        if self.actions == 1:
            return np.asarray(by_member.sum(axis=1, keepdims=True))
        return self._by_group(by_member)


@dataclasses.dataclass(frozen=True, eq=False)
class Jacobians:
    """Slopes of a law: of operating trust and of the next state, in the state and in the threat."""

    trust_state: Array
    trust_threat: Array
    next_state: Array
    next_threat: Array


def jacobians(law: Law, state: Array, threat: Array) -> Jacobians:
    """Slopes of the law in every case: by complex steps for the model's law, else by differences.

    Without contagion groups do not touch each other, so that one step serves all of them.
    """
    cases, states = state.shape
    actions = threat.shape[1]
    groups = law.operating(state[:1], threat[:1]).shape[1]
    made = Jacobians(
        np.zeros((cases, groups, states)),
        np.zeros((cases, groups, actions)),
        np.zeros((cases, states, states)),
        np.zeros((cases, states, actions)),
    )
    exact = isinstance(law, AllianceLaw)
    apart = isinstance(law, AllianceLaw) and not law.game.contagion
    threat = np.maximum(threat, 1e-12)  # tau^nu has no slope at 0 if nu < 1.

    def step(seed: Array, of_state: bool) -> tuple[Array, Array]:
        if exact:
            move = STEP * 1j * seed
            s, a = (state + move, threat) if of_state else (state, threat + move)
            return law.operating(s, a).imag / STEP, law.advance(s, a).imag / STEP
        h = 1e-6
        pairs = []
        for sign in (1, -1):
            s, a = (
                (state + sign * h * seed, threat) if of_state else (state, threat + sign * h * seed)
            )
            s, a = np.clip(s, 0, 1), np.clip(a, 0, 1)
            moved = (s - state if of_state else a - threat)[:, seed.argmax()]
            pairs.append((law.operating(s, a), law.advance(s, a), moved))
        width = (pairs[0][2] - pairs[1][2])[:, None]
        return (pairs[0][0] - pairs[1][0]) / width, (pairs[0][1] - pairs[1][1]) / width

    for count, of_state, trusted, onward in (
        (states, True, made.trust_state, made.next_state),
        (actions, False, made.trust_threat, made.next_threat),
    ):
        if apart and count >= groups > 1:
            for block in range(count // groups):
                columns = block * groups + np.arange(groups)
                seed = np.zeros(count)
                seed[columns] = 1.0
                on_trust, on_next = step(seed, of_state)
                trusted[:, np.arange(groups), columns] = on_trust
                for other in range(states // groups):
                    rows = other * groups + np.arange(groups)
                    onward[:, rows, columns] = on_next[:, rows]
            continue
        for j in range(count):
            seed = np.zeros(count)
            seed[j] = 1.0
            trusted[:, :, j], onward[:, :, j] = step(seed, of_state)
    return made


@dataclasses.dataclass(frozen=True, eq=False)
class BestPath:
    """The best path found: threats (period, action), its value and how it was searched.

    `burdens` has shape (period,) under turnover (the last one is kept in the tail), else (period +
    tail,). `slope` is the largest slope that the bounds leave open, in payoff per unit of threat;
    `spread` by how much the worst end of a climb is worse than the best.
    """

    threats: Array
    burdens: Array
    value: float
    slope: float
    starts: int
    spread: float
    tail: int


def best_path(problem: Announced, starts: list[Array], iterations: int = 300) -> BestPath:
    """Climb from every start (period, action) with L-BFGS-B; the best end counts.

    Without turnover the own burden is maximised in every period (the envelope theorem gives the
    slopes); with it burdens are announced like threats, and climbed with them.
    """
    ends = [_climbed(problem, start, iterations) for start in starts]
    best = max(ends, key=lambda end: end.value)
    worst = min((end.value for end in ends if np.isfinite(end.value)), default=best.value)
    return dataclasses.replace(best, starts=len(starts), spread=best.value - worst)


def _climbed(problem: Announced, start: Array, iterations: int) -> BestPath:
    """One climb; a second one if the tail of the path that it finds is longer."""
    tail = problem.tail(problem.law.initial[None], start[-1:])
    for _ in range(2):
        start, burdens = _climb_once(problem, start, tail, iterations)
        longer = problem.tail(problem.law.initial[None], start[-1:])
        if longer <= tail:
            break
        tail = longer
    if not problem.law.turnover:
        burdens = problem.best_burdens(start, tail)
    value, slope, _ = problem.worth(start, burdens, tail)
    left_open = np.where(start <= 0, np.maximum(slope, 0), np.abs(slope))
    left_open = np.where(start >= 1, np.maximum(-slope, 0), left_open)
    return BestPath(start, burdens, value, float(left_open.max()), 1, 0.0, tail)


def _climb_once(
    problem: Announced, start: Array, tail: int, iterations: int
) -> tuple[Array, Array]:
    from scipy.optimize import minimize

    horizon, size = len(start), start.size
    low, high = problem.stage.burden_bounds
    weight = np.sqrt(np.maximum(problem.discount ** np.arange(horizon), 1e-4))
    unit = np.repeat(weight, problem.actions)
    lower, upper = np.zeros(size), np.ones(size)
    known = problem.best_burdens(start, tail)
    announced = bool(problem.law.turnover)
    z = start.ravel()
    if announced:
        z = np.concatenate([z, known[:horizon] / BURDEN_UNIT])
        unit = np.concatenate([unit, weight])
        lower = np.concatenate([lower, np.full(horizon, low / BURDEN_UNIT)])
        upper = np.concatenate([upper, np.full(horizon, high / BURDEN_UNIT)])
    first = problem.worth(start, known[:horizon] if announced else known, tail)[0]
    reference = first if np.isfinite(first) else 0.0
    last = {"burdens": known}

    def cost(y: Array) -> tuple[float, Array]:
        z = np.clip(y / unit, lower, upper)
        threats = z[:size].reshape(start.shape)
        if announced:
            burdens = z[size:] * BURDEN_UNIT
        else:
            burdens = last["burdens"] = problem.best_burdens(threats, tail, last["burdens"])
        value, by_threat, by_burden = problem.worth(threats, burdens, tail)
        if not np.isfinite(value):
            return 1e6, np.zeros_like(z)
        slope = by_threat.ravel()
        if announced:
            slope = np.concatenate([slope, by_burden * BURDEN_UNIT])
        return (reference - value) * SCALE, -slope / unit * SCALE

    found = minimize(
        cost, z * unit, jac=True, method="L-BFGS-B",
        bounds=list(zip(lower * unit, upper * unit, strict=True)),
        options={"maxiter": iterations, "maxfun": 2 * iterations, "ftol": FLAT, "gtol": STEEP,
                 "maxcor": 20},
    )  # fmt: skip
    z = np.clip(found.x / unit, lower, upper)
    threats = z[:size].reshape(start.shape)
    return threats, z[size:] * BURDEN_UNIT if announced else last["burdens"]


def require_mergeable(law: Law) -> None:
    """Turnover must forget the past of personal trust, or branches could not be merged."""
    if law.turnover and not isinstance(law, AllianceLaw):
        raise UnsupportedFormError(
            'a path announced for ever (concept "open-loop" or "stationary") with turnover needs the '
            'model\'s own two-component law; use concept="markov", or turnover = 0.'
        )
