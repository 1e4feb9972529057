"""Nash equilibrium between blocs: each maximises a weighted sum of its members' payoffs.

Single members are blocs of one (Nash), everybody together is one bloc (the social optimum); one
coalition against single outsiders is the partial agreement equilibrium (Chander and Tulkens 1997).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import ConvergenceError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.payoff.slopes import Stage, slopes
from alliancegame.solve import aggregative
from alliancegame.solve.nash import status_quo
from alliancegame.solve.planning.planner import Problem, plan_burdens, problem_of
from alliancegame.solve.planning.stages import as_planned, stage_of

ROUNDS = 30
"""How often blocs answer each other before Newton is tried again, and given up."""


SETTLED = 1e-8
"""A bloc's gain up to this, for each unit of all weights, is none."""


@dataclasses.dataclass(frozen=True, eq=False)
class BlocEquilibrium:
    """Burdens and payoffs of shape (n,), and the largest gain of any bloc from any joint deviation.

    `regret` is in the unit of weight times payoff. If `proved`, no deviation of any bloc gains more;
    if not, it is the largest gain that a search found.
    """

    burdens: Array
    payoffs: Array
    regret: float
    proved: bool


def solve_blocs(
    game: BurdenSharingGame,
    bloc_of: NDArray[np.int64],
    weights: Array,
    *,
    start: Array | None = None,
    enough: float = 1e-9,
) -> BlocEquilibrium:
    """The equilibrium between blocs without pressure; `bloc_of` numbers each member's bloc, (n,).

    A Newton iteration on all first-order conditions at once, then every bloc's best answer over its
    whole action set: by `plan_burdens` for several members, by the certificate's search for one. A
    bloc that could do better moves, and the iteration begins anew.

    Raises `ConvergenceError` if that does not settle. Nothing is claimed about uniqueness.
    """
    game = as_planned(game, Plan())
    stage = stage_of(game, Plan())
    low, high = (np.array(game.by_member(end)) for end in ("burden_min", "burden_max"))
    x = np.array(status_quo(game).burdens if start is None else start)
    x = np.clip(x, low + 1e-7 * (high - low), high)
    scale = float(weights.sum())
    for _ in range(ROUNDS):
        x = _newton(stage, bloc_of, weights, x, low, high)
        found = _answers(game, stage, bloc_of, weights, x, enough * scale)
        x, gain, regret, proved, payoffs = found
        if gain <= SETTLED * scale:
            return BlocEquilibrium(x, payoffs, regret, proved)
    raise ConvergenceError(
        f"no equilibrium between {len(set(bloc_of.tolist()))} blocs was found in {ROUNDS} rounds; some "
        f"bloc could still gain {gain:.2g}. Join other members, or change the weights a little."
    )


def _newton(
    stage: Stage, bloc_of: NDArray[np.int64], weights: Array, x: Array, low: Array, high: Array
) -> Array:
    """Newton steps on every bloc's conditions, bounds by an active set; ends where they stop helping."""
    together = (bloc_of[:, None] == bloc_of[None, :]) * weights[:, None]  # (payoff of, burden of)
    floor = np.where(low > 0, low, 0.0)

    def look(point: Array) -> tuple[Array, Array, float]:
        with np.errstate(all="ignore"):
            found = slopes(stage, point)
        F = np.nan_to_num((together * found.first).sum(axis=0))
        J = np.nan_to_num(np.einsum("ji,jih->ih", together, found.second))
        diagonal = np.maximum(np.abs(np.diag(J)), 1e-12)
        gap = point - np.clip(point + F / diagonal, low, high)
        return F, J, float(np.abs(gap / (point + 1e-9)).max())

    F, J, merit = look(x)
    for _ in range(60):
        if merit < 1e-14:
            break
        free = ~(((x <= low) & (F <= 0)) | ((x >= high) & (F >= 0)))
        step = np.zeros_like(x)
        size = np.maximum(x[free], 1e-9)  # Relative steps: burdens differ by orders of magnitude.
        try:
            step[free] = size * np.linalg.solve(J[np.ix_(free, free)] * size, -F[free])
        except np.linalg.LinAlgError:
            break
        length, moved = 1.0, False
        for _ in range(30):
            new = np.clip(x + length * step, np.maximum(floor, 0.1 * x * (low <= 0)), high)
            new = np.where((low <= 0) & (new < 1e-12), 0.0, new)
            there = look(new)
            if there[2] < merit:
                x, (F, J, merit), moved = new, there, True
                break
            length /= 2
        if not moved:
            break
    return x


def _answers(
    game: BurdenSharingGame,
    stage: Stage,
    bloc_of: NDArray[np.int64],
    weights: Array,
    x: Array,
    enough: float,
) -> tuple[Array, float, float, bool, Array]:
    """What every bloc's best answer says of a profile.

    (burdens, with blocs that gain moved to their best answers; the largest gain that was found; the
    largest that there could be, if that is proved; whether it is; payoffs).
    """
    at = aggregative.best_deviations(game, x, Plan())
    concave = aggregative.concave_in_own_burden(game)
    low, high = game.by_member("burden_min"), game.by_member("burden_max")
    gains, bounds, moved = [0.0], [0.0], x.copy()
    for bloc in np.unique(bloc_of):
        inside = bloc_of == bloc
        if inside.sum() == 1:
            i = int(np.flatnonzero(inside)[0])
            gains.append(float(weights[i] * at.gain[i]))
            bounds.append(gains[-1] if concave else np.inf)
            answer = at.reply
        else:
            problem = _problem(stage, inside, weights, x, low, high)
            planned = plan_burdens(problem, np.where(inside, np.maximum(x, 1e-9), x), enough=enough)
            nobody = np.zeros(len(x), dtype=bool)
            here = problem.evaluate(problem.coordinates(x), nobody, "whole")[0]
            gains.append(max(planned.value - here, 0.0))
            bounds.append(max(planned.bound - here, 0.0))
            answer = planned.burdens
        if gains[-1] > 1e-10 * weights.sum():
            moved[inside] = answer[inside]
    gain, bound = max(gains), max(bounds)
    proved = bool(np.isfinite(bound))
    settled = gain <= SETTLED * weights.sum()
    return x if settled else moved, gain, bound if proved else gain, proved, at.payoff


def _problem(
    stage: Stage, inside: NDArray[np.bool_], weights: Array, x: Array, low: Array, high: Array
) -> Problem:
    """A bloc's problem, the others' burdens given."""
    return problem_of(
        stage, np.where(inside, weights, 0.0), np.where(inside, low, x), np.where(inside, high, x)
    )


def one_against_singles(game: BurdenSharingGame, members: frozenset[int]) -> NDArray[np.int64]:
    """Blocs by member: one of `members`, every other member its own."""
    numbers = np.arange(game.size)
    return np.where(np.isin(numbers, list(members)), -1, numbers)
