"""Trust over time: what the leader does when today's threat costs tomorrow's trust (MODEL.md section 7)."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np

from alliancegame.errors import (
    CoarseGridWarning,
    InvalidValueError,
    UnsupportedFormError,
    ZeroTrustError,
    unknown_name,
)
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array, as_number
from alliancegame.game.plan import DEFAULT_DEMAND, Plan
from alliancegame.solve import aggregative
from alliancegame.solve.certificate import consumption_share
from alliancegame.solve.dynamic import custom, kept
from alliancegame.solve.dynamic.announced import Announced, best_path, require_mergeable
from alliancegame.solve.dynamic.control import (
    FLOOR,
    Control,
    GameControl,
    TrustControl,
    check_range,
    game_control,
    game_stage,
    law_of,
)
from alliancegame.solve.dynamic.law import Law, TrustMotion
from alliancegame.solve.dynamic.markov import (
    MarkovSolution,
    Tabulated,
    best_actions,
    solve_markov,
)
from alliancegame.solve.dynamic.result import ControlPath, PathCertificate, Policy, TrustPath
from alliancegame.solve.dynamic.stage import Stage
from alliancegame.solve.nash import status_quo

CONCEPTS = ("myopic", "stationary", "markov", "open-loop")
TOLERANCE = {1: 1e-8, 2: 1e-4}
"""Bellman residuals above which a grid counts as too coarse, by the number of states."""
DEVIATIONS = 33
"""Threats tried in every period for one-shot deviations."""
BEYOND, BEYOND_BY_ALLY = 20, 10
"""Periods that an announced path has beyond those shown, before its last plan is kept for ever."""
CHECKED = 12
"""Periods of an announced path in which they are tried."""


@overload
def solve_trust_path(
    game: BurdenSharingGame, concept: str = ..., periods: int = ..., discount: float = ..., *,
    demand: Any = ..., law: TrustMotion | None = ..., by_ally: bool = ..., turnovers: Sequence[int] = ...,
    tolerance: float | None = ..., nodes: int | None = ..., floor: float = ...,
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
    Threats are uniform but under `by_ally`; `demand` is as in a Plan. `law` replaces the game's law.
    `turnovers` are periods at whose end a new person leads in the path shown; values are always
    expectations. `tolerance` is the Bellman residual aimed at, `nodes` the nodes a state; `floor` the
    least trust (as a share of ceilings) of policies where the law sets no higher bound.

    A `TrustControl` instead of a game solves a user's own payoff and law.

    Raises `UnknownNameError` for a concept, `InvalidValueError` for a discount outside (0, 1), other
    bad numbers and laws that leave their bounds, `UnsupportedFormError` for more states than the
    concept can handle, `ZeroTrustError` if there is no trust to lose. Warns `CoarseGridWarning` if the
    residual stays above the tolerance. MODEL.md sections 6 and 7.

    >>> import alliancegame as ag
    >>> game = ag.load_model("three-allies").replace(recovery=0.1)
    >>> ag.solve_trust_path(game, "myopic", periods=2, discount=0.9).threats.shape
    (2, 4)
    """
    if concept not in CONCEPTS:
        raise unknown_name("concept", concept, CONCEPTS)
    delta = check_discount(discount)
    if not isinstance(periods, (int, np.integer)) or periods < 1:
        raise InvalidValueError(f"periods must be a whole number >= 1, got {periods!r}.")
    if nodes is not None and not 8 <= nodes <= 400:
        raise InvalidValueError(f"nodes must be in [8, 400], got {nodes!r}.")
    if not 0 < as_number(floor, "floor") < 0.9:
        raise InvalidValueError(f"floor must be in (0, 0.9), got {floor:g}.")
    if isinstance(game, TrustControl):
        return _solve_control(game, concept, int(periods), delta, tolerance, nodes)
    if by_ally and concept != "open-loop":
        raise UnsupportedFormError(
            f'by_ally=True needs concept="open-loop": "{concept}" threatens all allies alike.'
        )
    problem = _Problem(game, delta, demand, law, by_ally)
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
    law: TrustMotion | None = None,
    turnovers: Sequence[int] = (),
) -> TrustPath:
    """What given threats lead to: one entry a period, the last one kept for ever.

    An entry is a number, or a dict by ally as in a Plan. The leader spends what is best for it in
    every period. Raises as `solve_trust_path`.
    """
    if isinstance(threats, (str, Mapping)) or not len(threats):
        raise InvalidValueError("threats must be a sequence with one entry a period.")
    delta = check_discount(discount)
    targeted = any(isinstance(t, Mapping) for t in threats)
    problem = _Problem(game, delta, demand, law, targeted)
    rows = [Plan(threat=t).threat_by_member(game.members) for t in threats]
    asked = np.array([problem.actions_of(row) for row in rows])
    return _announced_path(
        problem, "given", asked, None, int(periods), turnovers, math.nan, "given"
    )


def check_discount(discount: float) -> float:
    """The discount factor, in (0, 1)."""
    delta = as_number(discount, "discount")
    if not 0 < delta < 1:
        raise InvalidValueError(
            f"discount must be in (0, 1), the weight of the next period against this one; got {delta:g}."
        )
    return delta


class _Problem:
    """A game, a law, a discount factor and a demand, as the solvers of announced paths see them."""

    def __init__(
        self,
        game: BurdenSharingGame,
        discount: float,
        demand: Any,
        law: TrustMotion | None,
        by_ally: bool,
    ) -> None:
        plan = Plan(threat=1.0, demand=demand)
        aggregative.check_plan(game, plan)
        self.game, self.discount, self.user_law = game, discount, law
        self.demand = plan.demand
        self.asked = plan.demand_by_member(game.members)
        self.by_ally = by_ally and law is None
        if by_ally and law is not None:
            raise UnsupportedFormError(
                "a law of your own has one trust common to all allies: threats by ally need the game's."
            )
        self.law: Law = law_of(game, law, each=self.by_ally)
        self.stage: Stage = game_stage(game, self.asked, self.law)
        actions = int(self.stage.group.max()) + 1 if self.by_ally else 1
        self.announced = Announced(self.stage, self.law, discount, actions)
        _check_trust(self.stage, self.law, game)

    def actions_of(self, threat: Array) -> Array:
        """A threat by member as actions."""
        allies = self.stage._allies
        if not self.by_ally:
            return threat[allies][:1]
        found = np.empty(self.announced.actions)
        found[self.stage.group[allies]] = threat[allies]
        return found

    def control(self, floor: float = FLOOR, most_states: int = 2) -> GameControl:
        """The problem under uniform threats, for policies."""
        return game_control(
            self.game, self.asked, self.user_law, floor=floor, most_states=most_states
        )

    def never(self) -> tuple[float, float]:
        """What never threatening is worth, and its first period."""
        zero = np.zeros((1, self.announced.actions))
        tail = self.announced.tail(self.law.initial[None], zero)
        state, asked = self.announced.states(zero, tail)
        periods, branches, _ = state.shape
        weight = self.announced.weights(periods) * self.discount ** np.arange(periods)[:, None]
        weight[-1] /= 1 - self.discount
        live = np.flatnonzero(weight.ravel() > 0)
        threat = asked[live // branches]
        trust = self.law.operating(state.reshape(periods * branches, -1)[live], threat)
        distinct, back = np.unique(np.round(trust, 13), axis=0, return_inverse=True)
        payoff = self.stage.best(np.zeros((len(distinct), 1)), distinct)[0][back.ravel()]
        return float(weight.ravel()[live] @ payoff), float(payoff[0])

    def money(self, gain: float) -> float:
        """A payoff of one period in bn US$ at A's burden."""
        lead = self.game.members.leader_index
        own = status_quo(self.game).burdens[lead]
        return float(consumption_share(self.game, gain, own) * self.game.by_member("gdp")[lead])


def _check_trust(stage: Stage, law: Law, game: BurdenSharingGame) -> None:
    trust = law.operating(law.initial[None, :], np.zeros(1))
    if not np.isfinite(stage.best(np.zeros((1, 1)), trust)[0]).all():
        raise ZeroTrustError(
            f"trust of every ally is zero even without a threat, and {game.leader} values influence in "
            'logs: raise trust, or use influence_value="share".'
        )


def _shown(
    problem: _Problem, states: Array, threats: Array, own: Array
) -> tuple[Array, Array, Array, Array, Array, float]:
    """Tables by period and member of a path of states, actions and own burdens."""
    trust = problem.law.operating(states, threats)
    batch = problem.stage.solve(threats, trust, own, whole=True)
    game, allies = problem.game, problem.stage._allies
    by_member = np.zeros((len(states), game.size))
    by_member[:, allies] = (
        threats if threats.shape[1] == 1 else threats[:, problem.stage.group[allies]]
    )
    operating = batch.trust.copy()
    regret = float(np.nanmax(batch.column("regret")))
    return by_member, operating, batch.burden, batch.payoff, batch.influence, regret


def _finish(
    problem: _Problem,
    concept: str,
    states: Array,
    threats: Array,
    own: Array,
    value: float,
    turnovers: Sequence[int],
    checks: dict[str, float],
    method: str,
    scope: str,
    tolerance: float,
    policy: Policy | None = None,
) -> TrustPath:
    by_member, trust, burdens, payoffs, influences, regret = _shown(problem, states, threats, own)
    never, never_first = problem.never()
    known = {"bellman_residual": math.nan, "euler_error": math.nan, "grid_error": math.nan} | checks
    sound = regret <= 1e-9 and all(
        not math.isfinite(known[name]) or known[name] <= limit
        for name, limit in (("bellman_residual", tolerance), ("deviation_gain", 1e-6))
    )
    certificate = PathCertificate(
        "approximate" if sound else "unverified",
        **{
            key: amount
            for name in ("bellman_residual", "euler_error", "deviation_gain", "grid_error")
            for key, amount in ((name, known[name]), (f"{name}_usd_bn", problem.money(known[name])))
        },  # fmt: skip
        allied_regret=regret,
        method=method,
        scope=scope,
    )
    return TrustPath(
        problem.game, concept, problem.discount, problem.demand, problem.law.states, states,
        by_member, trust, burdens, payoffs, influences, value, never, never_first,
        tuple(int(t) for t in turnovers), certificate, policy,
    )  # fmt: skip


def _next(law: Law, state: Array, threat: Array, period: int, turnovers: Sequence[int]) -> Array:
    ahead = law.advance(state, threat)
    return law.jump(ahead) if period in turnovers else ahead


def _policy_path(
    problem: _Problem, control: GameControl, act: Any, periods: int, turnovers: Sequence[int]
) -> tuple[Array, Array, Array]:
    """States, threats (period, 1) and own burdens of following a policy from the start."""
    state = control.initial[None, :]
    states, threats = np.empty((periods, len(control.states))), np.empty(periods)
    for t in range(periods):
        states[t] = state[0]
        if t and np.array_equal(states[t], states[t - 1]):
            threats[t] = threats[t - 1]
        else:
            threats[t] = act(state)[0]
        state = _next(problem.law, state, threats[t : t + 1], t, turnovers)
        check_range(control, states[t : t + 1], threats[t : t + 1], state)
    own = control.best(states, threats)[1]
    return states, threats[:, None], own


def _markov(
    problem: _Problem,
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
    _warn_if_coarse(solution.residual, aim, nodes)
    spline = solution.grid.interpolant(solution.values)

    def act(state: Array) -> Array:
        return best_actions(control, problem.discount, spline, state)[0]

    states, threats, own = _policy_path(problem, control, act, periods, turnovers)
    tops = best_actions(control, problem.discount, spline, states)[1]
    value = float(tops[0])
    checks = _markov_checks(control, solution, states, threats[:, 0], value, aim)
    cut = (
        f"; threats that would carry trust below {floor:g} of its ceiling are not admitted"
        if control.cut
        else ""
    )
    policy = Policy(control.states, solution.grid.points, solution.actions, solution.values)
    return _finish(
        problem, "markov", states, threats, own, value, turnovers, checks,
        f"policy iteration on {len(solution.values)} nodes, continuous threats, nodes added "
        f"{solution.rounds - 1} times; residuals measured at {len(solution.probes)} states between them",
        "uniform threats, own burden best in every period, allies who do not look ahead; trust in "
        + " x ".join(f"[{a:.3g}, {b:.3g}]" for a, b in zip(control.low, control.high, strict=True))
        + cut + "; the verdict rests on the states sampled, nothing proves those between",
        aim, policy,
    )  # fmt: skip


def _warn_if_coarse(residual: float, aim: float, nodes: int | None) -> None:
    if residual > aim:
        warnings.warn(
            f"the grid is too coarse: the Bellman residual is {residual:.2g}, above the {aim:.2g} aimed "
            f"at; raise nodes (now {nodes or 'the default'}), or accept the error with tolerance=.",
            CoarseGridWarning,
            stacklevel=4,
        )


def _markov_checks(
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
    tried = np.linspace(*control.action, DEVIATIONS)
    state = np.repeat(states[shown], DEVIATIONS, axis=0)
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

    other = worth(state, action).reshape(-1, DEVIATIONS).max(axis=1)
    kept_to = worth(states[shown], actions[shown])
    half = max(solution.grid.shape[0] // 2, 8) if len(control.states) == 1 else 13
    coarse = solve_markov(Tabulated(control, half), discount, aim, refine=0)
    start = np.asarray(control.initial)[None, :]
    there = best_actions(control, discount, coarse.grid.interpolant(coarse.values), start)[1]
    return {
        "bellman_residual": solution.residual,
        "euler_error": float(solution.euler.max()),
        "deviation_gain": max(float((other - kept_to).max()), 0.0),
        "grid_error": abs(float(there[0]) - value),
    }


def _myopic(
    problem: _Problem, periods: int, turnovers: Sequence[int], nodes: int | None
) -> TrustPath:
    law = problem.law
    control = dataclasses.replace(
        problem.control(most_states=10**6), cut=False, low=np.zeros(len(law.states))
    )

    def act(state: Array) -> Array:
        return kept.myopic_actions(control, state)

    states, threats, own = _policy_path(problem, control, act, periods, turnovers)
    if law.turnover:
        value = _myopic_value(problem, nodes)
    else:
        value = _followed_value(problem, control, act)
    payoff = control.exact(states, threats[:, 0])
    tried = np.linspace(0.0, 1.0, 2 * DEVIATIONS - 1)
    other = control.exact(np.repeat(states, len(tried), axis=0), np.tile(tried, len(states)))
    gain = float((other.reshape(len(states), -1).max(axis=1) - payoff).max())
    return _finish(
        problem, "myopic", states, threats, own, value, turnovers,
        {"deviation_gain": max(gain, 0.0)},
        "every period's best plan by a grid of threats, the best peaks climbed from",
        "uniform threats; deviations are within the period, as the concept has it", 1e-8,
    )  # fmt: skip


def _followed_value(problem: _Problem, control: GameControl, act: Any) -> float:
    """The value of a policy without turnover: its path until trust has settled, then for ever."""
    state = control.initial[None, :]
    value, weight = 0.0, 1.0
    for _ in range(2000):
        threat = act(state)
        payoff = float(control.exact(state, threat)[0])
        ahead = problem.law.advance(state, threat)
        settled = np.abs(ahead - state).max() < 1e-12 or weight < 1e-13
        value += weight * payoff / (1 - problem.discount if settled else 1)
        if settled:
            break
        state, weight = ahead, weight * problem.discount
    return value


def _myopic_value(problem: _Problem, nodes: int | None) -> float:
    """The expected value of myopic plans under turnover, on a grid of at most two states."""
    control = problem.control()
    grid = Tabulated(control, nodes).grid
    values = kept.policy_value(
        control, problem.discount, grid, kept.myopic_actions(control, grid.points)
    )
    return float(grid.interpolant(values)(control.initial[None, :])[0])


def _stationary(problem: _Problem, periods: int, turnovers: Sequence[int]) -> TrustPath:
    require_mergeable(problem.law)
    threat, own = kept.best_kept_plan(problem.announced)
    asked = np.full((1, 1), threat)
    return _announced_path(
        problem, "stationary", asked, np.array([own]), periods, turnovers, 0.0,
        "a grid of threats and own burdens, each weighed over its whole path of trust, the best "
        "climbed from",
    )  # fmt: skip


def _open_loop(problem: _Problem, periods: int, turnovers: Sequence[int]) -> TrustPath:
    require_mergeable(problem.law)
    # A last plan that is kept for ever is a compromise: it stands beyond the periods shown.
    shape = (periods + (BEYOND_BY_ALLY if problem.by_ally else BEYOND), problem.announced.actions)
    once = np.zeros(shape)  # A threat that is never repeated may be a peak of its own.
    once[0] = 1.0
    starts = [np.full(shape, 0.02), np.full(shape, 0.5)]
    if problem.law.turnover:
        starts = [once]
    elif not problem.by_ally:
        starts = [np.zeros(shape), starts[1], once]
    found = best_path(problem.announced, starts)
    own = found.burdens if problem.law.turnover else None
    return _announced_path(
        problem, "open-loop", found.threats, own, periods, turnovers, found.slope,
        f"L-BFGS-B with exact gradients from {found.starts} start(s), whose ends "
        f"differ by {found.spread:.2g}; the last threat is kept for ever",
    )  # fmt: skip


def _announced_path(
    problem: _Problem,
    concept: str,
    asked: Array,
    own: Array | None,
    periods: int,
    turnovers: Sequence[int],
    slope: float,
    method: str,
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
        state = _next(law, state, threats[t : t + 1], t, turnovers)
    if own is None:
        shown = problem.stage.best(threats, law.operating(states, threats))[1]
    else:
        shown = own[np.minimum(np.arange(periods), len(own) - 1)]
    checks = {"euler_error": slope, "deviation_gain": math.nan}
    scope = (
        "threats by ally" if problem.by_ally else "uniform threats"
    ) + ", allies who do not look ahead"
    if concept in ("open-loop", "stationary") and not law.turnover:
        checks["deviation_gain"] = _deviations(problem, asked, tail, value, concept == "stationary")
        scope += (
            "; deviations: another threat for ever"
            if concept == "stationary"
            else f"; deviations: another threat in one of the first {CHECKED} periods"
            + (" to any one ally" if problem.by_ally else "")
        )
    scope += "; the verdict rests on the starts and deviations tried"
    return _finish(
        problem, concept, states, threats, shown, value, turnovers, checks, method, scope, 1e-8
    )


def _deviations(problem: _Problem, asked: Array, tail: int, value: float, whole: bool) -> float:
    """The largest gain from another threat in one period (or for ever), the rest of the path kept."""
    announced = problem.announced
    if whole:
        tried = np.linspace(0.0, 1.0, DEVIATIONS)
        return max(0.0, *(kept._best_burden(announced, float(t))[0] - value for t in tried))
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
    count, horizon, actions = paths.shape
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


def _solve_control(
    control: TrustControl,
    concept: str,
    periods: int,
    discount: float,
    tolerance: float | None,
    nodes: int | None,
) -> ControlPath:
    """The same concepts for a user's own payoff and law."""
    count = len(control.states)
    if concept == "markov" and count > 2:
        raise UnsupportedFormError(
            f'{count} states ({", ".join(control.states)}): concept="markov" handles two at the most; '
            'use concept="open-loop".'
        )
    if concept in ("open-loop", "stationary") and control.turnover:
        raise UnsupportedFormError(
            f'concept="{concept}" with turnover needs the model\'s own two-component law; use "markov".'
        )
    policy, checks = None, {"bellman_residual": math.nan, "euler_error": math.nan}
    checks |= {"deviation_gain": math.nan, "grid_error": math.nan}
    aim = TOLERANCE.get(count, 1e-8) if tolerance is None else tolerance
    if concept == "markov":
        solution = solve_markov(Tabulated(control, nodes), discount, aim)
        _warn_if_coarse(solution.residual, aim, nodes)
        spline = solution.grid.interpolant(solution.values)
        policy = Policy(control.states, solution.grid.points, solution.actions, solution.values)

        def act(state: Array, _: int) -> Array:
            return best_actions(control, discount, spline, state)[0]
    elif concept == "myopic":

        def act(state: Array, _: int) -> Array:
            return kept.myopic_actions(control, state)
    else:
        if concept == "stationary":
            path = np.array([custom.best_kept_action(control, discount)])
        else:
            path, _ = custom.best_announced(control, discount, periods)

        def act(state: Array, t: int) -> Array:
            return path[min(t, len(path) - 1)][None]

    states, actions = np.empty((periods, count)), np.empty(periods)
    state = np.asarray(control.initial, dtype=np.float64)[None, :]
    for t in range(periods):
        states[t], actions[t] = state[0], act(state, t)[0]
        ahead = control.advance(state, actions[t : t + 1])
        check_range(control, state, actions[t : t + 1], ahead)
        state = ahead
    if concept == "markov":
        value = float(best_actions(control, discount, spline, states[:1])[1][0])
        checks |= _markov_checks(control, solution, states, actions, value, aim)
    elif concept == "myopic" and control.turnover:
        grid = Tabulated(control, nodes).grid
        worth = kept.policy_value(
            control, discount, grid, kept.myopic_actions(control, grid.points)
        )
        value = float(grid.interpolant(worth)(states[:1])[0])
    elif concept == "myopic":
        path = _long(control, discount, lambda s: act(s, 0))
        value = custom.path_value(control, discount, path)
    else:
        value = custom.path_value(control, discount, path)
    good = not checks["bellman_residual"] > aim and not checks["deviation_gain"] > 1e-6
    certificate = PathCertificate(
        "approximate" if good else "unverified", checks["bellman_residual"], math.nan,
        checks["euler_error"], math.nan, checks["deviation_gain"], math.nan, checks["grid_error"],
        math.nan, math.nan, f"{concept} path of a user's own problem",
        "money and allies have no meaning here; the verdict rests on the states sampled",
    )  # fmt: skip
    payoffs = np.array(control.exact(states, actions))
    return ControlPath(
        concept, discount, control.states, states, actions, payoffs, value, certificate, policy
    )


def _long(control: TrustControl, discount: float, act: Any) -> Array:
    """A policy's actions until nothing counts any more."""
    actions = []
    state = np.asarray(control.initial, dtype=np.float64)[None, :]
    for _ in range(custom.tail_of(control, discount)):
        actions.append(act(state))
        state = control.advance(state, actions[-1])
    return np.concatenate(actions)
