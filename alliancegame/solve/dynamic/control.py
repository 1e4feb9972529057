"""What dynamic solvers solve: a payoff and a law of motion over a few states and one action.

A game becomes a control problem by `game_control`; a user's own one is a `TrustControl`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from alliancegame.errors import InvalidValueError, UnsupportedFormError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.solve.dynamic import asked
from alliancegame.solve.dynamic.law import AllianceLaw, Law, TrustMotion, groups_of
from alliancegame.solve.dynamic.stage import Stage, StageTable

FLOOR = 0.02
"""Least trust (as a share of the ceiling) in policies, where the law itself sets no higher bound."""
SLIP = 1e-9
"""How far rounding may carry a state out of its bounds."""
LONGEST = 20_000
"""Periods in which the least reachable trust is sought."""

Payoff = Callable[[Array, Array], Array]


class Control(Protocol):
    """States, one action, a payoff and a law. Arrays are (case, state) and (case,)."""

    @property
    def states(self) -> tuple[str, ...]:
        """The names of the states."""

    @property
    def initial(self) -> Array:
        """The state in which the first period begins, shape (state,)."""

    @property
    def low(self) -> Array:
        """The lower bound of every state."""

    @property
    def high(self) -> Array:
        """The upper bound of every state."""

    @property
    def cut(self) -> bool:
        """Whether the lower bound is a floor below which the law itself would lead."""

    @property
    def action(self) -> tuple[float, float]:
        """The range of the action."""

    @property
    def turnover(self) -> float:
        """The probability per period of a turnover."""

    @property
    def logarithmic(self) -> bool:
        """Whether nodes are spaced in logarithms."""

    @property
    def tabulated(self) -> bool:
        """Whether `rough` is a table, cheaper than `exact`."""

    @property
    def thorough(self) -> bool:
        """Whether every local peak of the action grid is climbed, the low ones as well."""

    def rough(self, state: Array, action: Array) -> Array:
        """The payoff of a period, from a table if there is one, shape (case,)."""

    def exact(self, state: Array, action: Array) -> Array:
        """The payoff of a period, shape (case,)."""

    def advance(self, state: Array, action: Array) -> Array:
        """The next period's state without turnover, shape (case, state)."""

    def jump(self, state: Array) -> Array:
        """What a turnover makes of a state, shape (case, state)."""


@dataclasses.dataclass(frozen=True, eq=False)
class TrustControl:
    """A user's own problem: any payoff and any law of motion of one or two states in [0, 1].

    `payoff(state, action)` returns shape (case,) and `motion(state, action)` the next period's state,
    shape (case, state), for `state` (case, state) and `action` (case,) within `action`. A turnover, of
    probability `turnover` per period, turns the next state into `after_turnover(state)`. `bounds`
    are those of every state. Both functions are vectorised and must not keep state of their own.

    Raises `InvalidValueError` for bounds, actions or initial states that make no sense, and for
    functions that raise or return another shape (tried at once at the initial state with three actions;
    a single number counts for all cases).
    """

    payoff: Payoff
    motion: Callable[[Array, Array], Array]
    initial: Any
    action: tuple[float, float] = (0.0, 1.0)
    states: tuple[str, ...] = ("trust",)
    bounds: tuple[float, float] = (0.0, 1.0)
    turnover: float = 0.0
    after_turnover: Callable[[Array], Array] | None = None

    def __post_init__(self) -> None:
        for what in ("payoff", "motion"):
            asked.check_function(getattr(self, what), what)
        asked.check_function(self.after_turnover, "after_turnover", optional=True)
        checked: dict[str, Any] = {
            "states": asked.check_names(self.states),
            "bounds": asked.check_pair(self.bounds, "bounds"),
            "action": asked.check_pair(self.action, "action"),
            "turnover": asked.check_probability(self.turnover, "turnover"),
        }
        checked["initial"] = asked.check_start(self.initial, checked["states"], *checked["bounds"])
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        # Three cases: with one, an array of the wrong shape may look right.
        state = np.tile(self.initial, (3, 1))
        tried = np.linspace(*self.action, 3)
        asked.returned(self.payoff, (state, tried), (3,), "payoff")
        self.jump(self.advance(state, tried))

    cut = False
    logarithmic = False
    tabulated = False
    thorough = True

    @property
    def low(self) -> Array:
        """The lower bound of every state."""
        return np.full(len(self.states), float(self.bounds[0]))

    @property
    def high(self) -> Array:
        """The upper bound of every state."""
        return np.full(len(self.states), float(self.bounds[1]))

    def rough(self, state: Array, action: Array) -> Array:
        """The payoff of a period, shape (case,)."""
        return self.exact(state, action)

    def exact(self, state: Array, action: Array) -> Array:
        """The payoff of a period, shape (case,)."""
        found = asked.returned(self.payoff, (state, action), (len(state),), "payoff")
        wrong = np.flatnonzero(np.isnan(found) | (found == np.inf))
        if wrong.size:
            k = wrong[0]
            at = ", ".join(f"{n} {v:g}" for n, v in zip(self.states, state[k], strict=True))
            raise InvalidValueError(
                f"payoff is {found[k]:g} at {at} under the action {action[k]:g}: it must be a number "
                "(minus infinity forbids an action)."
            )
        return found

    def advance(self, state: Array, action: Array) -> Array:
        """The next period's state without turnover, shape (case, state)."""
        return asked.returned(self.motion, (state, action), state.shape, "motion")

    def jump(self, state: Array) -> Array:
        """What a turnover makes of a state, shape (case, state)."""
        if self.after_turnover is None:
            return state
        return asked.returned(self.after_turnover, (state,), state.shape, "after_turnover")


@dataclasses.dataclass(frozen=True, eq=False)
class GameControl:
    """An alliance game with a law of trust: the action is a threat to all allies alike.

    The own burden is maximised inside the period: trust does not depend on it.
    """

    stage: Stage
    law: Law
    table: StageTable | None
    low: Array
    high: Array
    cut: bool
    action: tuple[float, float] = (0.0, 1.0)
    logarithmic: bool = True
    thorough: bool = False

    @property
    def states(self) -> tuple[str, ...]:
        """The names of the states."""
        return self.law.states

    @property
    def initial(self) -> Array:
        """The state in which the first period begins."""
        return self.law.initial

    @property
    def turnover(self) -> float:
        """The probability per period of a turnover."""
        return self.law.turnover

    @property
    def tabulated(self) -> bool:
        """Whether there is a table."""
        return self.table is not None

    def rough(self, state: Array, action: Array) -> Array:
        """The payoff of a period from the table, shape (case,)."""
        if self.table is None:
            return self.exact(state, action)
        return self.table.value(action, self.law.operating(state, action)[:, 0])

    def exact(self, state: Array, action: Array) -> Array:
        """The payoff of a period with the best own burden, by the kernel, shape (case,)."""
        return self.best(state, action)[0]

    def best(self, state: Array, action: Array) -> tuple[Array, Array]:
        """The payoff of a period and the own burden that gives it, each (case,)."""
        trust = self.law.operating(state, action)
        guess = None if self.table is None else self.table.burden(action, trust[:, 0])
        top, own = self.stage.best(action, trust, guess)
        self.stage.require_answers(action, trust, top)
        return top, own

    def advance(self, state: Array, action: Array) -> Array:
        """The next period's state without turnover, shape (case, state)."""
        return self.law.advance(state, action)

    def jump(self, state: Array) -> Array:
        """What a turnover makes of a state, shape (case, state)."""
        return self.law.jump(state)


@dataclasses.dataclass(frozen=True, eq=False)
class _MotionLaw:
    """A user's `TrustMotion` as a law with one group."""

    motion: TrustMotion

    @property
    def states(self) -> tuple[str, ...]:
        return self.motion.states

    @property
    def initial(self) -> Array:
        return np.array(self.motion.initial, dtype=np.float64)

    @property
    def turnover(self) -> float:
        return self.motion.turnover

    def operating(self, state: Array, threat: Array) -> Array:
        common = _common(state, threat)
        found = asked.returned(self.motion.impact, (state, common), (len(state),), "impact")
        found = found[:, None]
        self._inside(("operating trust",), state, common, found)
        return found

    def advance(self, state: Array, threat: Array) -> Array:
        common = _common(state, threat)
        found = asked.returned(self.motion.recover, (state, common), state.shape, "recover")
        self._inside(self.states, state, common, found)
        return found

    def jump(self, state: Array) -> Array:
        if self.motion.after_turnover is None:
            return state
        found = asked.returned(self.motion.after_turnover, (state,), state.shape, "after_turnover")
        self._inside(self.states, state, np.zeros(len(state)), found)
        return found

    def _inside(self, names: tuple[str, ...], state: Array, threat: Array, found: Array) -> None:
        """Raise if what the user's law gives is no share of the ceilings."""
        bad = np.argwhere(~((found >= -SLIP) & (found <= 1 + SLIP)))
        if len(bad):
            k, s = bad[0]
            before = ", ".join(f"{v:g}" for v in state[k])
            raise InvalidValueError(
                f"the law leaves [0, 1]: {names[s]} becomes {found[k, s]:g} from {before} under the "
                f"action {threat[k]:g}; change the law."
            )


def _common(state: Array, threat: Array) -> Array:
    """The threat common to all allies, shape (case,)."""
    asked = np.asarray(threat, dtype=np.float64).reshape(-1)
    return np.broadcast_to(asked, (len(state),))


def law_of(
    game: BurdenSharingGame,
    law: TrustMotion | None,
    each: bool = False,
    tariff: Array | None = None,
) -> Law:
    """The game's own law under a tariff that is kept, or the user's (which knows what a tariff costs)."""
    if law is None:
        return AllianceLaw(game, groups_of(game, each, tariff), tariff)
    if not isinstance(law, TrustMotion):
        raise InvalidValueError(f"law must be a TrustMotion, got {law!r}.")
    return _MotionLaw(law)


def game_stage(
    game: BurdenSharingGame, demand: Array, law: Law, tariff: Array | None = None
) -> Stage:
    """The stage game whose groups are those of the law."""
    if isinstance(law, AllianceLaw):
        return Stage(game, law.group, demand, tariff)
    group = np.where(np.arange(game.size) == game.members.leader_index, -1, 0)
    return Stage(game, group, demand, tariff)


def game_control(
    game: BurdenSharingGame,
    demand: Array,
    law: TrustMotion | None = None,
    *,
    tariff: Array | None = None,
    floor: float = FLOOR,
    most_states: int = 2,
    table: StageTable | None = None,
) -> GameControl:
    """The control problem of a game under a uniform threat; `table` may be one made before.

    Raises `UnsupportedFormError` if the law needs more than `most_states` states.
    """
    motion = law_of(game, law, tariff=tariff)
    if len(motion.states) > most_states:
        raise UnsupportedFormError(
            f"the law needs {len(motion.states)} states ({', '.join(motion.states)}), and "
            f'concept="markov" handles {most_states} at the most: give allies a common decay, trust and '
            'tariff, drop scarring or the second component, or use concept="open-loop".'
        )
    stage = game_stage(game, demand, motion, tariff)
    low, cut = least_reachable(motion, floor)
    one_group = motion.operating(motion.initial[None, :], np.zeros(1)).shape[1] == 1
    if one_group and table is None:
        table = StageTable(stage, least_operating(motion, low))
    return GameControl(
        stage, motion, table if one_group else None, low, np.ones(len(motion.states)), cut
    )


def least_operating(law: Law, low: Array) -> float:
    """The least trust that can operate in states from `low` up."""
    corners = np.stack(np.meshgrid(*[(v, 1.0) for v in low], indexing="ij"), axis=-1)
    points = np.repeat(corners.reshape(-1, len(low)), 2, axis=0)
    threats = np.tile([0.0, 1.0], len(points) // 2)
    return float(max(law.operating(points, threats).min(), 1e-6))


def least_reachable(law: Law, floor: float) -> tuple[Array, bool]:
    """The least state that full threats lead to, and whether `floor` cuts it off.

    The law rises in trust and falls in the threat, so that full threats from the start give the
    lower bound of everything reachable. The range is at least a twentieth wide.
    """
    state = law.initial[None, :].copy()
    least = state.copy()
    one = np.ones(1)
    for _ in range(LONGEST):
        ahead = law.advance(state, one)
        least = np.minimum(least, ahead)
        if np.all(np.abs(ahead - state) < 1e-13) or np.all(least < floor):
            break
        state = ahead
    bottom = np.minimum(least[0], 0.95)
    return np.maximum(bottom, floor), bool((bottom < floor).any())


def check_range(control: Control, state: Array, action: Array, ahead: Array) -> None:
    """Raise if the law leaves the bounds of a state (those cut off by a floor may be left below)."""
    for s, name in enumerate(control.states):
        over = ahead[:, s] > control.high[s] + SLIP
        under = (ahead[:, s] < control.low[s] - SLIP) & (not control.cut)
        bad = np.flatnonzero(over | under | ~np.isfinite(ahead[:, s]))
        if bad.size:
            k = bad[0]
            raise InvalidValueError(
                f"the law leaves [{control.low[s]:g}, {control.high[s]:g}]: {name} becomes "
                f"{ahead[k, s]:g} from {state[k, s]:g} under the action {action[k]:g}; change the "
                "law, or narrow the range of the action."
            )
