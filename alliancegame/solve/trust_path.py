"""Trust over time: what the leader does when today's threat costs trust tomorrow (docs/theory/dynamics)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np

from alliancegame.errors import (
    UnsupportedFormError,
    ZeroTrustError,
    unknown_name,
)
from alliancegame.game.checks import check_game, check_whole
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import DEFAULT_DEMAND, Plan
from alliancegame.solve.dynamic import kept
from alliancegame.solve.dynamic.announced import Announced, best_path, require_mergeable
from alliancegame.solve.dynamic.asked import (
    check_discount,
    check_flag,
    check_floor,
    check_grid,
    check_threats,
    check_turnovers,
)
from alliancegame.solve.dynamic.checks import (
    CHECKED,
    DEVIATIONS,
    TOLERANCE,
    markov_checks,
    warn_if_coarse,
)
from alliancegame.solve.dynamic.control import FLOOR, GameControl, TrustControl
from alliancegame.solve.dynamic.law import TrustMotion, settled
from alliancegame.solve.dynamic.markov import (
    Tabulated,
    best_actions,
    solve_markov,
    solve_quickly,
)
from alliancegame.solve.dynamic.own import solve_control
from alliancegame.solve.dynamic.problem import (
    Problem,
    finish,
    next_state,
    policy_path,
)
from alliancegame.solve.dynamic.result import ControlPath, Policy, TrustPath

CONCEPTS = ("myopic", "stationary", "markov", "open-loop")
BEYOND, BEYOND_IF_DEAR = 20, 8
"""Periods that an announced path has beyond those shown, before its last plan is kept for ever."""


@overload
def solve_trust_path(
    game: BurdenSharingGame, concept: str = ..., periods: int = ..., discount: float = ..., *,
    demand: Any = ..., tariff: Any = ..., law: TrustMotion | None = ..., by_ally: bool = ...,
    turnovers: Sequence[int] = ..., tolerance: float | None = ..., nodes: int | None = ...,
    floor: float = ...,
) -> TrustPath: ...  # fmt: skip
@overload
def solve_trust_path(
    game: TrustControl, concept: str = ..., periods: int = ..., discount: float = ..., *,
    tolerance: float | None = ..., nodes: int | None = ...,
) -> ControlPath: ...  # fmt: skip
def solve_trust_path(
    game: BurdenSharingGame | TrustControl,
    concept: str = "markov",
    periods: int = 40,
    discount: float = 0.95,
    *,
    demand: Any = DEFAULT_DEMAND,
    tariff: Any = 0.0,
    law: TrustMotion | None = None,
    by_ally: bool = False,
    turnovers: Sequence[int] = (),
    tolerance: float | None = None,
    nodes: int | None = None,
    floor: float = FLOOR,
) -> TrustPath | ControlPath:
    """The leader's threats period by period, when trust carries over; the horizon is infinite.

    `concept` is "myopic" (every period's best plan), "stationary" (the best plan to keep for ever),
    "open-loop" (the best path announced at the start; by ally if `by_ally`) or "markov" (the optimal
    policy as a function of trust). Plans and the own burden are committed for the period, and allies
    answer at the trust left on impact, whatever the game's `horizon`. `periods` is the length shown.
    Threats are uniform but under `by_ally`; `demand` is as in a Plan, and so is `tariff`, which is levied
    in every period beside the threats (the path is then weighed against no pressure at all). `law`
    replaces the game's law; what a tariff costs of trust is then the law's own affair. `turnovers` are
    periods at whose end a new person leads in the path shown; values are always expectations.
    `tolerance` is the Bellman residual aimed at, `nodes` the nodes a state; `floor` the least trust (as
    a share of ceilings) of policies where the law sets no higher bound.

    A `TrustControl` instead of a game solves a user's own payoff and law.

    Raises `UnknownNameError` for a concept, `InvalidValueError` for a discount outside (0, 1), other
    bad numbers and laws that leave their bounds, `UnsupportedFormError` for more states than the
    concept can handle and for forms in which allies may have several answers to one plan (triggers,
    weakest link, best shot, substitution above 1), `ConvergenceError` if allies whose payoffs are not
    concave have no answer to some plan, `ZeroTrustError` if there is no trust to lose. Warns
    `CoarseGridWarning` if the residual stays above the tolerance. docs/theory/dynamics.

    >>> import alliancegame as ag
    >>> game = ag.load_model("three-allies").replace(recovery=0.1)
    >>> ag.solve_trust_path(game, "myopic", periods=2, discount=0.9).threats.shape
    (2, 4)
    """
    if concept not in CONCEPTS:
        raise unknown_name("concept", concept, CONCEPTS)
    delta = check_discount(discount)
    check_whole(periods, "periods", 1)
    check_grid(nodes, tolerance)
    check_floor(floor)
    check_flag(by_ally, "by_ally")
    turnovers = check_turnovers(turnovers)
    if isinstance(game, TrustControl):
        return solve_control(game, concept, int(periods), delta, tolerance, nodes)
    check_game(game, "solve_trust_path", also=" or a TrustControl", extremes=True)
    if by_ally and concept != "open-loop":
        raise UnsupportedFormError(
            f'by_ally=True needs concept="open-loop": "{concept}" threatens all allies alike.'
        )
    problem = Problem(game, delta, demand, law, by_ally, tariff)
    if concept == "markov":
        return _markov(problem, int(periods), turnovers, tolerance, nodes, floor)
    if concept == "myopic":
        return _myopic(problem, int(periods), turnovers, nodes)
    if concept == "stationary":
        return _stationary(problem, int(periods), turnovers)
    return _open_loop(problem, int(periods), turnovers)


def follow_trust_path(
    game: BurdenSharingGame,
    threats: Sequence[Any],
    periods: int = 40,
    discount: float = 0.95,
    *,
    demand: Any = DEFAULT_DEMAND,
    tariff: Any = 0.0,
    law: TrustMotion | None = None,
    turnovers: Sequence[int] = (),
) -> TrustPath:
    """What given threats lead to: one entry a period, the last one kept for ever.

    An entry is a number, or a dict by ally as in a Plan; a `tariff` as in a Plan is levied in every
    period. The leader spends what is best for it in
    every period. Raises as `solve_trust_path`.
    """
    check_game(game, "follow_trust_path", extremes=True)
    threats = check_threats(threats)
    delta = check_discount(discount)
    check_whole(periods, "periods", 1)
    turnovers = check_turnovers(turnovers)
    targeted = any(isinstance(t, Mapping) for t in threats)
    problem = Problem(game, delta, demand, law, targeted, tariff)
    rows = [Plan(threat=t).threat_by_member(game.members) for t in threats]
    asked = np.array([problem.actions_of(row) for row in rows])
    return _announced_path(
        problem, "given", asked, None, int(periods), turnovers, math.nan, "given"
    )


def _markov(
    problem: Problem,
    periods: int,
    turnovers: Sequence[int],
    tolerance: float | None,
    nodes: int | None,
    floor: float,
) -> TrustPath:
    control = problem.control(floor)
    count = len(control.states)
    aim = TOLERANCE[count] if tolerance is None else tolerance
    solution = solve_markov(Tabulated(control, nodes), problem.discount, aim)
    warn_if_coarse(solution.residual, aim, nodes)
    spline = solution.grid.interpolant(solution.values)

    def act(state: Array) -> Array:
        return best_actions(control, problem.discount, spline, state)[0]

    states, threats, own = policy_path(problem, control, act, periods, turnovers)
    tops = best_actions(control, problem.discount, spline, states)[1]
    value = float(tops[0])
    checks = markov_checks(control, solution, states, threats[:, 0], value, aim)
    cut = (
        f"; threats that would carry trust below {floor:g} of its ceiling are not admitted"
        if control.cut
        else ""
    )
    policy = Policy(control.states, solution.grid.points, solution.actions, solution.values)
    path = finish(
        problem, "markov", states, threats, own, value, turnovers, checks,
        f"policy iteration on {len(solution.values)} nodes, continuous threats, nodes added "
        f"{solution.rounds - 1} times; residuals measured at {len(solution.probes)} states between them",
        "uniform threats, own burden best in every period, allies who do not look ahead; trust in "
        + " x ".join(f"[{a:.3g}, {b:.3g}]" for a, b in zip(control.low, control.high, strict=True))
        + cut + "; the verdict rests on the states sampled, nothing proves those between",
        aim, policy,
    )  # fmt: skip
    if control.cut and (states < 1.05 * control.low).any():
        # The law would go on below: what is claimed of the value would rest on the floor.
        made = path.certificate
        scope = f"{made.scope}; the path reaches the floor: lower floor="
        made = dataclasses.replace(made, verdict="unverified", scope=scope)
        return dataclasses.replace(path, certificate=made)
    return path


def _myopic(
    problem: Problem, periods: int, turnovers: Sequence[int], nodes: int | None
) -> TrustPath:
    law = problem.law
    control = dataclasses.replace(
        problem.control(most_states=10**6), cut=False, low=np.zeros(len(law.states))
    )

    def act(state: Array) -> Array:
        return kept.myopic_actions(control, state)

    states, threats, own = policy_path(problem, control, act, periods, turnovers)
    value = (
        _myopic_value(problem, nodes) if law.turnover else _followed_value(problem, control, act)
    )
    payoff = control.exact(states, threats[:, 0])
    tried = np.linspace(0.0, 1.0, 2 * DEVIATIONS - 1)
    other = control.exact(np.repeat(states, len(tried), axis=0), np.tile(tried, len(states)))
    gain = float((other.reshape(len(states), -1).max(axis=1) - payoff).max())
    return finish(
        problem, "myopic", states, threats, own, value, turnovers,
        {"deviation_gain": max(gain, 0.0)},
        "every period's best plan by a grid of threats, the best peaks climbed from",
        "uniform threats; deviations are within the period, as the concept has it", 1e-8,
    )  # fmt: skip


def _followed_value(problem: Problem, control: GameControl, act: Any) -> float:
    """The value of a policy without turnover: its path until trust has settled, then for ever."""
    state = control.initial[None, :]
    value, weight = 0.0, 1.0
    for _ in range(2000):
        threat = act(state)
        payoff = float(control.exact(state, threat)[0])
        ahead = problem.law.advance(state, threat)
        over = settled(state, ahead) or weight < 1e-13
        value += weight * payoff / (1 - problem.discount if over else 1)
        if over:
            break
        state, weight = ahead, weight * problem.discount
    return value


def _myopic_value(problem: Problem, nodes: int | None) -> float:
    """The expected value of myopic plans under turnover, on a grid of at most two states."""
    control = problem.control()
    grid = Tabulated(control, nodes).grid
    values = kept.policy_value(
        control, problem.discount, grid, kept.myopic_actions(control, grid.points)
    )
    return float(grid.interpolant(values)(control.initial[None, :])[0])


def _stationary(problem: Problem, periods: int, turnovers: Sequence[int]) -> TrustPath:
    require_mergeable(problem.law)
    threat, own, gain = kept.best_kept_plan(problem.announced)
    asked = np.full((1, 1), threat)
    return _announced_path(
        problem, "stationary", asked, np.array([own]), periods, turnovers, math.nan,
        f"{kept.THREATS} threats with the best own burden of each, weighed over the whole path of "
        "trust, the best climbed from",
        gain,
    )  # fmt: skip


def _open_loop(problem: Problem, periods: int, turnovers: Sequence[int]) -> TrustPath:
    require_mergeable(problem.law)
    # A last plan that is kept for ever is a compromise: it stands beyond the periods shown.
    dear = problem.by_ally or problem.law.turnover > 0
    shape = (periods + (BEYOND_IF_DEAR if dear else BEYOND), problem.announced.actions)
    starts = [np.full(shape, 0.02), np.full(shape, 0.5)]
    if not problem.by_ally:
        once = np.zeros(shape)  # A threat that is never repeated may be a peak of its own.
        once[0] = 1.0
        starts = [np.zeros(shape), starts[1], once]
        if len(problem.law.states) == 1:
            starts.append(_roughly_best(problem, shape[0]))
    found = best_path(problem.announced, starts)
    own = found.burdens if problem.law.turnover else None
    return _announced_path(
        problem, "open-loop", found.threats, own, periods, turnovers, found.slope,
        f"L-BFGS-B with exact gradients from {found.starts} start(s), whose ends "
        f"differ by {found.spread:.2g}; the last threat is kept for ever",
    )  # fmt: skip


def _roughly_best(problem: Problem, periods: int) -> Array:
    """The path of the tabulated policy: climbs may miss its peak where trust has two long-run levels."""
    control = problem.control()
    value, _ = solve_quickly(Tabulated(control), problem.discount)
    state, threats = control.initial[None, :], np.zeros((periods, 1))
    for t in range(periods):
        threats[t] = best_actions(control, problem.discount, value, state, False)[0]
        state = np.maximum(problem.law.advance(state, threats[t]), control.low)
    return threats


def _announced_path(
    problem: Problem,
    concept: str,
    asked: Array,
    own: Array | None,
    periods: int,
    turnovers: Sequence[int],
    slope: float,
    method: str,
    gain: float = math.nan,
) -> TrustPath:
    """A path of actions (period, action) that goes on with its last one; burdens best if None."""
    law, announced = problem.law, problem.announced
    tail = announced.tail(law.initial[None], asked[-1:])
    if own is None and law.turnover:
        own = announced.best_burdens(asked, 1)[: len(asked)]
    burdens = announced.best_burdens(asked, tail) if own is None else own
    value = announced.worth(asked, burdens, tail)[0]
    if not math.isfinite(value):
        raise ZeroTrustError(
            f"trust is lost altogether on this path, and {problem.game.leader} values influence in logs: "
            "its payoff would be minus infinity. End the threats, or raise recovery."
        )
    states = np.empty((periods, len(law.states)))
    threats = np.empty((periods, asked.shape[1]))
    state = law.initial[None, :]
    for t in range(periods):
        states[t], threats[t] = state[0], asked[min(t, len(asked) - 1)]
        state = next_state(law, state, threats[t : t + 1], t, turnovers)
    if own is None:
        shown = problem.stage.best(threats, law.operating(states, threats))[1]
    else:
        shown = own[np.minimum(np.arange(periods), len(own) - 1)]
    checks = {"euler_error": slope, "deviation_gain": gain}
    scope = (
        "threats by ally" if problem.by_ally else "uniform threats"
    ) + ", allies who do not look ahead"
    if concept == "stationary":
        scope += "; deviations: another threat for ever"
    if concept == "open-loop" and not law.turnover:
        checks["deviation_gain"] = _deviations(problem, asked, tail, value)
        scope += f"; deviations: another threat in one of the first {CHECKED} periods" + (
            " to any one ally" if problem.by_ally else ""
        )
    scope += "; the verdict rests on the starts and deviations tried"
    return finish(
        problem, concept, states, threats, shown, value, turnovers, checks, method, scope, 1e-8
    )


def _deviations(problem: Problem, asked: Array, tail: int, value: float) -> float:
    """The largest gain from another threat in one period, the rest of the path kept."""
    announced = problem.announced
    levels = np.linspace(0.0, 1.0, 5 if problem.by_ally else DEVIATIONS)
    burdens = announced.best_burdens(asked, tail)
    paths = []
    periods = min(4 if problem.by_ally else CHECKED, len(asked))
    for t in range(periods):
        for a in range(announced.actions):
            for level in levels:
                other = asked.copy()
                other[t, a] = level
                paths.append(other)
    gains = _values_of(announced, np.array(paths), tail, burdens) - value
    return max(float(gains.max()), 0.0)


def _values_of(announced: Announced, paths: Array, tail: int, burdens: Array) -> Array:
    """Values of many paths (path, period, action) at given own burdens, no turnover; shape (path,)."""
    law = announced.law
    count, horizon = paths.shape[:2]
    periods = horizon + tail
    state = np.repeat(law.initial[None, :], count, axis=0)
    total = np.zeros(count)
    weight = 1.0
    for t in range(periods):
        threat = paths[:, min(t, horizon - 1)]
        payoff = announced.stage.payoff(
            threat, law.operating(state, threat), np.full(count, burdens[t])
        )
        total += weight * payoff / (1 - announced.discount if t == periods - 1 else 1)
        weight *= announced.discount
        state = law.advance(state, threat)
    return total
