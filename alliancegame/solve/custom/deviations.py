"""What a player could gain by any deviation: proved bounds on regret in users' own games."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from alliancegame.game.custom import ContinuousGame
from alliancegame.game.parameters import Array
from alliancegame.payoff.custom import CompiledGame, compiled
from alliancegame.payoff.enclosures import enclosure
from alliancegame.payoff.lines import derivative
from alliancegame.solve.custom.boxes import bound_in_box
from alliancegame.solve.global_search import Maximum, maximise_1d

TOLERANCE = 1e-10
"""To this the deviation search encloses a player's best payoff."""

BUDGET = 20_000


@dataclasses.dataclass(frozen=True)
class Regret:
    """A player's regret: at least `found`, at most `bound` (proved); `best` is the deviation found."""

    found: float
    bound: float
    best: Array
    open: int

    @property
    def settled(self) -> bool:
        """Whether the search ended with nothing left open."""
        return self.open == 0


def regrets(game: ContinuousGame, x: Array, *, budget: int = BUDGET) -> list[Regret]:
    """The regret of every player at a profile, searched over the whole action set."""
    functions = compiled(game)
    return [_regret(functions, i, x, budget) for i in range(game.size)]


def _regret(functions: CompiledGame, player: int, x: Array, budget: int) -> Regret:
    lo, hi = functions.values[player](*((v, v) for v in x))
    now = (float(lo), float(hi))
    if not np.isfinite(functions.value_at(x[None, :])[0, player]):
        return Regret(
            np.inf, np.inf, x[functions.game.own(player)], 0
        )  # No payoff, no equilibrium.
    own = functions.game.own(player)
    if len(own) == 1:
        value, bound, best, left = best_deviation(functions, own[0], x, budget)
        return Regret(max(value - now[1], 0.0), _bound(bound, now[0]), np.array([best]), left)
    return _several(functions, player, own, x, now, budget)


def _bound(bound: float, now: float) -> float:
    """The difference rounded up; infinite where either says nothing."""
    if not (np.isfinite(bound) and np.isfinite(now)):
        return np.inf
    return max(float(np.nextafter(bound - now, np.inf)), 0.0)


def best_deviation(
    functions: CompiledGame, action: int, x: Array, budget: int = BUDGET
) -> tuple[float, float, float, int]:
    """(value, proved bound, place, boxes left open) of the best choice of one action, all else at x.

    Each piece between knots is searched on its own, closed, so that one-sided limits at jumps count
    in the bound; the knots themselves are looked at with the payoff that holds there.
    """
    others = np.delete(x, action).tolist()
    player = int(functions.game.owner[action])
    ends = functions.ends(action)
    value, bound, best = -np.inf, -np.inf, float(x[action])
    left = 0

    def weigh(place: float) -> float:
        """Take a choice if it is better and its payoff exists; the upper end of its payoff."""
        nonlocal value, best
        at = np.array(x)
        at[action] = place
        lo, hi = (float(v) for v in functions.values[player](*((v, v) for v in at)))
        if lo > value and np.isfinite(functions.value_at(at[None, :])[0, player]):
            value, best = lo, place
        return hi

    for knot in [*ends, float(x[action])]:
        bound = max(bound, weigh(knot))
    for piece in range(len(ends) - 1):
        found = _in_piece(functions, action, piece, others, float(x[action]), budget)
        bound, left = max(bound, found.bound), left + found.open
        for point in found.points[:4].tolist():
            weigh(point)
    return value, bound, best, left


def _in_piece(
    functions: CompiledGame, action: int, piece: int, others: list[float], near: float, budget: int
) -> Maximum:
    low, high = functions.ends(action)[piece : piece + 2]
    along = functions.along(action, piece).functions(others)
    return maximise_1d(*along, low, high, (), TOLERANCE, start=[near], budget=budget)


def _several(
    functions: CompiledGame,
    player: int,
    own: list[int],
    x: Array,
    now: tuple[float, float],
    budget: int,
) -> Regret:
    """Several actions: local searches from many starts for `found`, boxes for `bound`."""
    game = functions.game
    best, value = local_best(functions, player, x)
    symbols = [game.symbols[k] for k in own]
    u = functions.payoffs[player]
    slopes = [derivative(u, s) for s in symbols]
    bends = [[derivative(f, s) for s in symbols] for f in slopes]
    bound, left = bound_in_box(
        enclosure(game.numeric[player], game.symbols),
        [enclosure(f, game.symbols) for f in slopes],
        [[enclosure(h, game.symbols) for h in row] for row in bends],
        own,
        np.array(x),
        game.low,
        game.high,
        [best, x[own]],
        TOLERANCE,
        budget,
    )
    return Regret(max(value - now[1], 0.0), _bound(bound, now[0]), best, left)


def local_best(
    functions: CompiledGame, player: int, x: Array, starts: int = 12
) -> tuple[Array, float]:
    """A player's best reply by local searches (scipy's L-BFGS-B) from several starts, x among them."""
    from scipy.optimize import minimize

    game = functions.game
    own = game.own(player)
    low, high = game.low[own], game.high[own]
    generator = np.random.default_rng(0)

    def loss(point: Array) -> tuple[float, Array]:
        at = np.array(x)
        at[own] = point
        u = float(functions.value_at(at[None, :])[0, player])
        slope = functions.marginal_at(at[None, :])[0, own]
        if not np.isfinite(u):
            return 1e300, np.zeros(len(own))
        return -u, -np.nan_to_num(slope, posinf=1e6, neginf=-1e6)

    tries = [np.array(x)[own], 0.5 * (low + high)]
    tries += list(low + (high - low) * generator.random((starts, len(own))))
    best, value = tries[0], -loss(tries[0])[0]
    bounds: Any = list(zip(low.tolist(), high.tolist(), strict=True))
    for start in tries:
        done = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
        if -float(done.fun) > value:
            best, value = np.clip(done.x, low, high), -float(done.fun)
    return best, value
