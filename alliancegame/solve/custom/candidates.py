"""Candidates for equilibria: roles of actions, Newton on all of them at a time, and best replies in turn.

In an equilibrium each action is at a bound, at a knot (a kink or jump of its own), or free with a
marginal payoff of zero. All roles are tried together from several starts; whatever comes out is only a
candidate until its deviations are searched (`deviations`).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.parameters import Array
from alliancegame.payoff.custom import CompiledGame

FREE = -1
MOST_ROLES = 1024
"""Beyond so many combinations of roles a random sample of them is tried."""

STARTS = 24
NEWTON = 60
CLOSE = 1e-7
"""Profiles closer than this, relative to the ranges of actions, are the same."""


def stationary(functions: CompiledGame, starts: int = STARTS, seed: int = 0) -> tuple[Array, bool]:
    """Profiles (k, actions) that meet the first-order conditions in some roles.

    Also whether all combinations of roles were tried.
    """
    game = functions.game
    generator = np.random.default_rng(seed)
    roles, all_tried = _roles(functions, generator)
    span = game.high - game.low
    first = game.low + span * np.concatenate(
        [np.full((1, span.size), 0.5), generator.random((starts - 1, span.size))]
    )
    # Actions that matter near zero: half the starts lie close to the lower bounds.
    near = slice(starts // 2, None)
    first[near] = game.low + span * ((first[near] - game.low) / span) ** 6
    x = np.repeat(first[None], len(roles), axis=0)
    role = np.repeat(roles[:, None, :], starts, axis=1)
    x, role = x.reshape(-1, span.size), role.reshape(-1, span.size)
    ends = [np.array(functions.ends(k)) for k in range(span.size)]
    for k, places in enumerate(ends):
        held = role[:, k] != FREE
        x[held, k] = places[role[held, k]]
    free = role == FREE
    x = newton(functions, x, free)
    for k, places in enumerate(ends):  # What Newton brings to an end up to rounding stands there.
        for place in places:
            x[np.abs(x[:, k] - place) < 1e-13 * span[k], k] = place
    return distinct(x[resting(functions, x, free)], span), all_tried


def _roles(
    functions: CompiledGame, generator: np.random.Generator
) -> tuple[NDArray[np.intp], bool]:
    """Combinations of roles: FREE, or the place of an end or knot."""
    choices = [[FREE, *range(len(functions.ends(k)))] for k in range(len(functions.game.symbols))]
    count = 1
    for options in choices:
        count *= len(options)
    if count <= MOST_ROLES:
        return np.array(list(itertools.product(*choices)), dtype=np.intp), True
    sample = np.array(
        [
            [options[generator.integers(len(options))] for options in choices]
            for _ in range(MOST_ROLES)
        ],
        dtype=np.intp,
    )
    sample[0] = FREE
    return sample, False


def newton(functions: CompiledGame, x: Array, free: NDArray[np.bool_]) -> Array:
    """Newton on the free actions, steps cut at the bounds and at half the range."""
    game = functions.game
    span = game.high - game.low
    same = np.eye(span.size, dtype=bool)
    live = np.arange(x.shape[0])
    for _ in range(NEWTON):
        f = functions.marginal_at(x[live])
        j = functions.jacobian_at(x[live])
        open_here = free[live]
        f = np.where(open_here, f, 0.0)
        j = np.where(open_here[:, :, None], j, same)
        good = np.isfinite(f).all(axis=1) & np.isfinite(j).all(axis=(1, 2))
        live, f, j = live[good], f[good], j[good]
        if not live.size:
            break
        step = _solve(j, -f)
        limit = 0.5 * span
        step = np.clip(step, -limit, limit)
        moved = np.clip(x[live] + step, game.low, game.high)
        change = np.abs(moved - x[live]) / span
        x[live] = moved
        going = change.max(axis=1) > 1e-15
        live = live[going]
        if not live.size:
            break
    return x


def _solve(j: Array, f: Array) -> Array:
    """Newton steps; by least squares where a matrix is singular."""
    try:
        return np.asarray(np.linalg.solve(j, f[..., None])[..., 0])
    except np.linalg.LinAlgError:
        return np.asarray((np.linalg.pinv(j) @ f[..., None])[..., 0])


def resting(
    functions: CompiledGame, x: Array, free: NDArray[np.bool_], ignored: Sequence[int] = ()
) -> NDArray[np.bool_]:
    """The profiles whose marginal payoffs, but for those of actions ignored, ask for no move."""
    game = functions.game
    span = game.high - game.low
    f = functions.marginal_at(x) * span
    u = functions.value_at(x)
    scale = 1e-8 * (1 + np.abs(u).max(axis=1, initial=0.0, where=np.isfinite(u)))[:, None]
    low, high = x <= game.low, x >= game.high
    with np.errstate(invalid="ignore"):
        fine = np.where(low, f <= scale, np.where(high, f >= -scale, np.abs(f) <= scale))
    knotted = ~free & ~low & ~high
    # At a lower bound the marginal can be undefined (0/0) though the payoff is not; deviations decide.
    fine = fine | knotted | (~free & np.isnan(f))
    fine[:, list(ignored)] = True
    return np.asarray(fine.all(axis=1) & np.isfinite(u).all(axis=1))


def distinct(x: Array, span: Array) -> Array:
    """One of each group of profiles that are the same."""
    kept: list[Array] = []
    if x.shape[0]:
        _, first = np.unique(np.round((x / span) / CLOSE), axis=0, return_index=True)
        x = x[np.sort(first)]
    for profile in x:
        if not any(np.max(np.abs(profile - k) / span) < CLOSE for k in kept):
            kept.append(profile)
    return np.array(kept).reshape(-1, span.size)


def quick_gains(
    functions: CompiledGame, x: Array, points: int = 129, ignored: Sequence[int] = ()
) -> Array:
    """The most that any single action gains on a grid, (profiles,): what is plainly no equilibrium."""
    gains = np.zeros(x.shape[0])
    if not x.shape[0]:
        return gains
    now = functions.value_at(x)
    for k, owner in enumerate(functions.game.owner.tolist()):
        if k in ignored:
            continue
        tried = grid(functions, k, points)
        many = np.repeat(x[:, None, :], tried.size, axis=1)
        many[:, :, k] = tried
        u = functions.value_at(many.reshape(-1, x.shape[1]))[:, owner].reshape(x.shape[0], -1)
        gains = np.fmax(gains, np.nanmax(u, axis=1, initial=-np.inf) - now[:, owner])
    return gains


def grid(functions: CompiledGame, action: int, points: int) -> Array:
    """Numbers over an action's range, denser near its lower bound, with its knots and their sides."""
    low, *_, high = functions.ends(action)
    share = np.linspace(0, 1, points)
    knots = np.array(functions.knots[action])
    beside = 1e-9 * (high - low)
    made = [
        low + (high - low) * share,
        low + (high - low) * share**4,
        knots,
        knots - beside,
        knots + beside,
    ]
    return np.unique(np.clip(np.concatenate(made), low, high))


def reply(functions: CompiledGame, action: int, x: Array, rounds: int = 14) -> float:
    """The best choice of one action on a grid that closes in on it, all else at x."""
    owner = int(functions.game.owner[action])
    tried = grid(functions, action, 129)
    best = float(x[action])
    for _ in range(rounds):
        many = np.repeat(x[None, :], tried.size, axis=0)
        many[:, action] = tried
        u = functions.value_at(many)[:, owner]
        if np.isnan(u).all():
            return best
        place = int(np.nanargmax(u))
        best = float(tried[place])
        lower, upper = tried[max(place - 1, 0)], tried[min(place + 1, tried.size - 1)]
        tried = np.unique(np.concatenate([np.linspace(lower, upper, 25), [best]]))
    return best


def best_reply_path(functions: CompiledGame, x: Array, steps: int = 60) -> tuple[list[Array], str]:
    """Profiles along which players reply in turn, and how it ends: "rest", "cycle" or "neither"."""
    span = functions.game.high - functions.game.low
    path = [np.array(x)]
    for _ in range(steps):
        now = path[-1].copy()
        for k in range(span.size):
            now[k] = reply(functions, k, now)
        if np.max(np.abs(now - path[-1]) / span) < 1e-12:
            return [*path, now], "rest"
        for k, before in enumerate(path):
            if np.max(np.abs(now - before) / span) < 1e-9 and k < len(path) - 1:
                circle = [*path[k:], now]  # Rounding alone also makes a circle, a very small one.
                wide = np.max(np.ptp(circle, axis=0) / span) > 1e-6
                return circle, "cycle" if wide else "rest"
        path.append(now)
    return path, "neither"
