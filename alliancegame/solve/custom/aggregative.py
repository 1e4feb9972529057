"""Equilibria of an `AggregativeGame` in O(n): Newton on diagonal plus low rank, and share functions.

The structure is that of the alliance engine (docs/architecture): every player's condition depends on
the own action and on a few sums, so a Newton step eliminates each action in favour of the sums' changes,
solves a system as large as there are sums, and substitutes back. Actions move inside one smooth piece;
at its end they are held until a one-sided marginal payoff says otherwise. Where Newton does not arrive
and there is one sum, each action as a function of the sum and the sum by a scan and bisection take over
(Cornes and Hartley 2005); with several sums, damped replies.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.aggregative import AggregativeGame
from alliancegame.game.parameters import Array
from alliancegame.payoff.sums import CompiledSums, compiled_sums

ROUNDS = 60
ARRIVED = 1e-13
"""Newton has arrived when no action wants to move by more than this share of its range."""

REST = 1e-8
"""What counts as no gain to first order, relative to the payoff."""

SCAN = 161
"""Sums that are tried to find all of them, between their least and their most."""

MANY = 50
"""Beyond so many players Newton's other starts are left out where the scan found something."""

MOST_NUMBERS = 4_000_000
"""Numbers that a scan holds at a time."""


def newton(functions: CompiledSums, start: Array) -> tuple[Array, bool]:
    """Actions from Newton steps, and whether nobody wants to move by first order."""
    game = functions.game
    span = game.high - game.low
    x = np.clip(start, game.low, game.high)
    ends = _ends(functions)
    rest = np.inf
    for _ in range(ROUNDS):
        wish, f, own, cross, rates = _wish(functions, x)
        rest = float(np.max(np.abs(wish) / span))
        if rest < ARRIVED:
            break
        held = wish == 0
        step = _step(f, own, cross, rates, held)
        if not np.isfinite(step).all():
            return x, False
        x = _moved(functions, x, step, ends, wish)
    return x, at_rest(functions, x)


def at_rest(functions: CompiledSums, x: Array) -> bool:
    """Whether payoffs are finite and |marginal payoff| times the range left is nothing for everybody."""
    game = functions.game
    sums = functions.totals(x)
    u = functions.payoffs(x, sums)
    right, left, _ = _sides(functions, x, sums)
    gain = np.maximum(right * (game.high - x), -left * (x - game.low))
    return bool(np.isfinite(u).all() and np.all(gain <= REST * (1 + np.abs(u))))


def _sides(functions: CompiledSums, x: Array, sums: Any) -> tuple[Array, Array, NDArray[np.bool_]]:
    """One-sided marginal payoffs, and who stands at an end of a piece; elsewhere both are the marginal.

    Beyond a bound they are what holds a player there.
    """
    game = functions.game
    near = 1e-9 * (game.high - game.low)
    at_end = (x <= game.low) | (x >= game.high)
    for i, places in enumerate(functions.knots):
        at_end[i] |= float(x[i]) in places
    f = functions.marginals(x, sums)
    above = functions.marginals(np.minimum(x + near, game.high), sums)
    below = functions.marginals(np.maximum(x - near, game.low), sums)
    right = np.where(x >= game.high, -1.0, np.where(at_end, above, f))
    left = np.where(x <= game.low, 1.0, np.where(at_end, below, f))
    return right, left, at_end


def _wish(
    functions: CompiledSums, x: Array
) -> tuple[Array, Array, Array, list[Array], list[Array]]:
    """Where each player would go with the sums held, and the terms of a Newton step.

    At a bound or knot, zero if both one-sided marginal payoffs hold the player there.
    """
    game = functions.game
    span = game.high - game.low
    f, own, cross, rates = functions.newton_terms(x)
    near = 1e-9 * span
    right, left, at_end = _sides(functions, x, functions.totals(x))
    stuck = at_end & (right <= 0) & (left >= 0)
    # Leaving an end: the derivatives of the side to which it goes, just inside.
    leaving = at_end & ~stuck
    if leaving.any():
        inside = np.where(leaving, np.where(right > 0, x + near, x - near), x)
        f2, own2, cross2, rates2 = functions.newton_terms(inside)
        f, own = np.where(leaving, f2, f), np.where(leaving, own2, own)
        cross = [np.where(leaving, b, a) for a, b in zip(cross, cross2, strict=True)]
        rates = [np.where(leaving, b, a) for a, b in zip(rates, rates2, strict=True)]
    least = 1e-12 * np.maximum(np.abs(f) / span, 1e-300)
    safe = np.where(own < -least, own, -np.maximum(np.abs(own), np.abs(f) / span + 1e-300))
    wish = np.where(stuck, 0.0, np.clip(x - f / safe, game.low, game.high) - x)
    return wish, f, safe, cross, rates


def _step(
    f: Array, own: Array, cross: list[Array], rates: list[Array], held: NDArray[np.bool_]
) -> Array:
    """The Newton step: own d + sum over k of cross_k dZ_k = -f, dZ_k = sum of rate_k d."""
    size = len(cross)
    free = ~held
    matrix, right = np.eye(size), np.zeros(size)
    for k in range(size):
        along = np.where(free, rates[k] / own, 0.0)
        right[k] = -np.sum(np.where(free, along * f, 0.0))
        for m in range(size):
            matrix[k, m] += np.sum(np.where(free, along * cross[m], 0.0))
    try:
        dz = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return np.where(held, 0.0, -f / own)
    bent = f + sum(c * z for c, z in zip(cross, dz, strict=True))
    return np.where(held, 0.0, -bent / own)


def _ends(functions: CompiledSums) -> list[Array]:
    game = functions.game
    return [
        np.array([a, *places, b])
        for a, places, b in zip(game.low.tolist(), functions.knots, game.high.tolist(), strict=True)
    ]


def _moved(functions: CompiledSums, x: Array, step: Array, ends: list[Array], wish: Array) -> Array:
    """The step, each action stopping at the end of its piece, halved while it makes things worse."""
    game = functions.game
    span = game.high - game.low
    low, high = game.low.copy(), game.high.copy()
    for i, places in enumerate(ends):
        if places.size > 2:
            low[i] = places[places < x[i]][-1] if (places < x[i]).any() else places[0]
            high[i] = places[places > x[i]][0] if (places > x[i]).any() else places[-1]
    before = float(np.sum((wish / span) ** 2))
    share = 1.0
    for _ in range(12):
        moved = np.clip(x + share * step, low, high)
        after = float(np.sum((_wish(functions, moved)[0] / span) ** 2))
        if after < before or not np.isfinite(before):
            return moved
        share *= 0.5
    return np.asarray(np.clip(x + 0.5 * wish, low, high))


def replies_to_sum(functions: CompiledSums, total: Array) -> Array:
    """x_i(Z), (batch, n): where the marginal payoff at the given sum (batch, 1) changes sign.

    With one sum; by bisection, which finds the only root where the marginal falls in the own action.
    """
    game = functions.game
    low = np.broadcast_to(game.low, (total.shape[0], game.size)).copy()
    high = np.broadcast_to(game.high, low.shape).copy()
    for _ in range(64):
        middle = 0.5 * (low + high)
        up = functions.marginals(middle, [total]) > 0
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    made = 0.5 * (low + high)
    # Bisection ends beside a bound, never on it.
    span = game.high - game.low
    made = np.where(made - game.low < 1e-15 * span, game.low, made)
    return np.asarray(np.where(game.high - made < 1e-15 * span, game.high, made))


def by_shares(functions: CompiledSums) -> list[Array]:
    """All profiles that a scan of the one sum finds, each polished by Newton."""
    from scipy.optimize import brentq

    game = functions.game
    ends = [functions.totals(edge)[0][0] for edge in (game.low, game.high)]
    least, most = float(min(ends)), float(max(ends))
    if not (np.isfinite(least) and np.isfinite(most) and least < most):
        return []
    points = max(33, min(SCAN, MOST_NUMBERS // game.size))
    share = np.linspace(0, 1, points)
    tried = np.unique(
        np.concatenate([least + (most - least) * share, least + (most - least) * share**4])
    )
    tried = tried[1:]

    def excess(total: float) -> float:
        x = replies_to_sum(functions, np.array([[total]]))
        return float(functions.totals(x)[0][0, 0]) - total

    values = np.concatenate([
        functions.totals(replies_to_sum(functions, part[:, None]))[0][:, 0] - part
        for part in np.array_split(tried, max(1, tried.size * game.size // MOST_NUMBERS + 1))
    ])  # fmt: skip
    found = []
    for k in range(tried.size - 1):
        a, b = values[k], values[k + 1]
        if np.isfinite(a) and np.isfinite(b) and (a > 0) != (b > 0):
            root = brentq(excess, tried[k], tried[k + 1], xtol=1e-15, rtol=1e-14)
            x = replies_to_sum(functions, np.array([[root]]))[0]
            polished, arrived = newton(functions, x)
            if arrived or at_rest(functions, x):
                found.append(polished if arrived else x)
    return found


def damped_replies(functions: CompiledSums, start: Array, rounds: int = 400) -> Array:
    """Players reply together, by bisection against what the others add, and go part of the way."""
    game = functions.game
    x = start.copy()
    for _ in range(rounds):
        others = [
            total - part
            for total, part in zip(functions.totals(x), functions.parts(x), strict=True)
        ]
        low, high = game.low.copy(), game.high.copy()
        for _ in range(50):
            middle = 0.5 * (low + high)
            sums = [r + a for r, a in zip(others, functions.parts(middle), strict=True)]
            up = functions.marginals(middle, sums) > 0
            low, high = np.where(up, middle, low), np.where(up, high, middle)
        reply = 0.5 * (low + high)
        x = x + (reply - x) / (1 + 0.5 * game.size)
    return np.asarray(x)


def candidates(game: AggregativeGame, seed: int = 0) -> list[Array]:
    """Profiles at rest by first order: Newton from several starts, then what is slower and surer."""
    functions = compiled_sums(game)
    span = game.high - game.low
    generator = np.random.default_rng(seed)
    shares = [np.full(game.size, s) for s in (0.5, 0.05, 0.9)] + [
        generator.random(game.size) for _ in range(3)
    ]
    found: list[Array] = []
    if len(functions.sums) == 1:
        found += by_shares(functions)
    for share in shares:
        if found and game.size > MANY:
            break
        x, arrived = newton(functions, game.low + share * span)
        if arrived:
            found.append(x)
    if not found:
        x, arrived = newton(functions, damped_replies(functions, game.low + 0.5 * span))
        found += [x] if arrived else []
    kept: list[Array] = []
    for x in found:
        if not any(np.max(np.abs(x - y) / span) < 1e-7 for y in kept):
            kept.append(x)
    return kept
