"""Which of several answers a leader reckons with: the best for it, or the worst.

Optimistic: the leader's best plan if allies answer as it likes best. Pessimistic: the supremum over
plans of its payoff in the worst answer; it need not be attained (a demand that an ally is just
indifferent to meet is met in one answer and not in the other), so there are a plan that comes within
epsilon of it, and epsilon. A plan without a pure answer is inadmissible, and counted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from alliancegame.errors import ConvergenceError, UnsupportedFormError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, certificate, indifference, multiple
from alliancegame.solve.keys import Key
from alliancegame.solve.leader.search import Found, maximise
from alliancegame.solve.scenarios import Scenarios
from alliancegame.solve.tolerances import Tolerances
from alliancegame.solve.trigger.plans import Value, best_and_worst

BACK = 2e-6
"""How far a plan stands back from an edge at which an answer jumps, as a share of its range."""
JUMP = 1e-9
"""Payoffs that fall by less, relative to their size, have not jumped."""
CLEAR = 1e-3
"""Standing back may cost no more: otherwise another answer has jumped in."""

Values = Callable[[Array], Array]


@dataclasses.dataclass(frozen=True, eq=False)
class Selection:
    """What a plan is worth by either rule.

    `optimistic_value` and `pessimistic_value` are the two values; `pessimistic_plan` comes within
    `epsilon` of the second, which is reached only if `attained`. `inadmissible` counts the plans
    met in the search that have no pure answer.
    """

    optimistic_value: float
    pessimistic_value: float
    pessimistic_plan: Plan
    epsilon: float
    attained: bool
    inadmissible: int


def triggered(game: BurdenSharingGame, base: Plan, chosen: Sequence[str]) -> bool:
    """Whether compliance sets have to be searched: trigger threats that some plan may carry."""
    pressed = "threat" in chosen or "tariff" in chosen or base.pressure
    return game.shortfall == "trigger" and pressed


def one_answer(game: BurdenSharingGame, base: Plan, chosen: Sequence[str]) -> bool:
    """Whether every plan of the search has one answer by the theorem on followers."""
    if triggered(game, base, chosen):
        return False
    from alliancegame.solve.trigger.sides import without_jumps

    plain = without_jumps(game) if game.shortfall == "trigger" else game
    committed = "burden" in chosen or base.burden is not None
    proved = not certificate.missing_conditions(plain) and aggregative.tables(plain).concave
    return bool(proved and committed and indifference.degenerate(plain).sum() < 2)


def search_triggers(
    game: BurdenSharingGame,
    base: Plan,
    chosen: Sequence[str],
    axes: list[Array],
    tol: Tolerances,
    value: Value | None = None,
) -> Found:
    """The best plan of a game with trigger threats, the leader's best answer taken to each.

    `value` of solved plans replaces the leader's payoff. Answers jump, so that what a cell could hide
    says little: the grid is not halved, but peaks are climbed to the edges.

    Raises `ConvergenceError` if no plan has an answer.
    """
    if "tariff" in chosen:
        raise UnsupportedFormError(
            'a tariff cannot be committed with shortfall="trigger" in this version: give it '
            "(tariff=...), or use another shortfall."
        )
    best, _ = _trigger_values(game, base, chosen, value)
    return _highest(best, axes, tol)


def pessimistic(
    game: BurdenSharingGame,
    base: Plan,
    chosen: Sequence[str],
    axes: list[Array],
    tol: Tolerances,
    found: Found,
) -> Selection:
    """Both values, the optimistic one from `found`."""
    if triggered(game, base, chosen):
        _, worst = _trigger_values(game, base, chosen)
    else:
        worst = _worst_values(game, base, chosen, axes)
    low = _highest(worst, axes, tol)
    supremum, point, epsilon = _stand_back(worst, low, axes)
    plan = base.replace(**{k: float(v) for k, v in zip(chosen, point, strict=True)})
    return Selection(
        found.value, supremum, plan, epsilon, epsilon == 0.0, max(found.failed, low.failed)
    )


def _trigger_values(
    game: BurdenSharingGame, base: Plan, chosen: Sequence[str], value: Value | None = None
) -> tuple[Values, Values]:
    """The leader's payoff in the best and in the worst answer, as functions of points."""

    def values(points: Array) -> tuple[Array, Array]:
        fields = {name: np.array(column) for name, column in zip(chosen, points.T, strict=True)}
        return best_and_worst(game, base, fields, value)

    return (lambda points: values(points)[0]), (lambda points: values(points)[1])


def _worst_values(
    game: BurdenSharingGame, base: Plan, chosen: Sequence[str], axes: list[Array]
) -> Values:
    """The same without triggers: the worst among the answers that the searches of `multiple` find."""

    def plans(points: Array) -> Scenarios:
        columns = {Key(name): column for name, column in zip(chosen, points.T, strict=True)}
        return Scenarios(game, base, columns, np.arange(len(points)))

    middle = np.array([axis[len(axis) // 2] for axis in axes])
    ends = np.array([[axis[0] for axis in axes], [axis[-1] for axis in axes], middle])
    starts = multiple.patterns(plans(ends))
    return lambda points: multiple.best_answers(plans(points), starts, worst=True)[0]


def _highest(values: Values, axes: list[Array], tol: Tolerances) -> Found:
    try:
        return maximise(values, axes, dataclasses.replace(tol, refine=0))
    except ValueError as error:
        raise ConvergenceError(
            "no plan in the box has a pure answer: change the demand or the threats, or use "
            'shortfall="proportional".'
        ) from error


def _stand_back(values: Values, low: Found, axes: list[Array]) -> tuple[float, Array, float]:
    """The supremum, a plan clear of any edge that the best one stands at, and what that costs.

    The cost is 0 if there is no edge, and the supremum is then attained. At a jump a payoff falls by
    as much at half the distance; where it is continuous by about half as much.
    """
    ends = np.array([[axis[0], axis[-1]] for axis in axes])
    step = BACK * (ends[:, 1] - ends[:, 0])
    moves = np.concatenate([np.diag(step), -np.diag(step)])

    def fall(share: float) -> Array:
        near = np.clip(low.point + share * moves, ends[:, 0], ends[:, 1])
        return low.value - np.where(np.isnan(beside := values(near)), -np.inf, beside)

    far, half = fall(1.0), fall(0.5)
    with np.errstate(invalid="ignore"):
        jumps = (half > JUMP * max(1.0, abs(low.value))) & ~(half < 0.75 * far)
    if not jumps.any():
        return low.value, low.point, 0.0
    supremum = low.value
    for move in moves[jumps]:
        supremum = max(supremum, _edge(values, low, move))
    back = np.clip(low.point - moves[jumps].sum(axis=0), ends[:, 0], ends[:, 1])
    reached = float(values(back[None, :])[0])
    if not reached >= supremum - CLEAR:  # No room behind the edge: stay at it.
        back, reached = low.point, low.value
    return supremum, back, max(supremum - reached, float(np.finfo(float).eps))


def _edge(values: Values, low: Found, move: Array) -> float:
    """The payoff to which the best plan comes as it moves on to the edge; by halving."""
    inside, outside, best = 0.0, 1.0, low.value
    for _ in range(40):
        middle = 0.5 * (inside + outside)
        here = float(values((low.point + middle * move)[None, :])[0])
        if here >= low.value - JUMP:
            inside, best = middle, max(best, here)
        else:
            outside = middle
    return best
