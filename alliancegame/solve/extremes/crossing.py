"""Where functions that fall change sign, many at once, to the last digits.

Marginal payoffs are smooth but for a few kinks, and times the burden nearly straight: the chord across
a bracket misses the change of sign by about the square of its width. Where there is a kink, or little is
known yet, brackets are cut into equal parts as well.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from alliancegame.game.parameters import Array

SECTIONS = (np.arange(1, 16) / 16) ** 2
"""Where to look first if nothing is known, as shares of the interval: closer towards its lower end."""
QUARTERS, SIXTEENTHS = np.arange(1, 4) / 4, np.arange(1, 16) / 16
SMALL = 300
"""Arrays of fewer places take their time whatever their size: they are cut into sixteenths."""
NARROW = 1 / 16
"""Brackets narrower than this share of where they are may be left to their chords."""
UNITS = 8.0
"""Width of a bracket that is done, in the last place: what rounding hides of marginal payoffs."""
ROUNDS = 1100
"""More than halving any interval of floating-point numbers can take."""


def crossing(
    falling: Callable[[Array], Array],
    low: Array,
    high: Array,
    first: Array | None = None,
    units: float = UNITS,
    least: float = 0.0,
) -> Array:
    """Where functions that fall are no longer positive, between `low` and `high` (any common shape).

    `falling` maps points, shape (k, ...), to values. Upper ends of brackets come back that are at most
    `units` in the last place wide, or `least`; `low` where nothing is positive, `high` where everything
    is. `first` has the points at which to look first, in rising order or not, shape (k, ...).
    """
    if first is None:
        first = sections(low, high, low.shape)
    points = _within(first, low, high)
    values = falling(points)
    up = values > 0
    inside = np.where(up.all(0), (points == high).any(0), up.any(0) | (points == low).any(0))
    if not inside.all():
        points = np.concatenate([low[None], high[None], points])
        values = np.concatenate([falling(points[:2]), values])
    earlier = np.full(low.shape, np.inf)
    for _ in range(ROUNDS):
        up = values > 0
        before_it = np.where(up, points, -np.inf).argmax(0)
        after_it = np.where(up, np.inf, points).argmin(0)
        lower = np.where(up.any(0), before_it, after_it)
        ends = np.stack([lower, np.where(up.all(0), before_it, after_it)])
        points, values = (np.take_along_axis(a, ends, 0) for a in (points, values))
        low, high = points
        width = high - low
        wide = width > np.maximum(units * np.spacing(high), least)
        if not wide.any():
            break
        at = _chord(points, values)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            off = width * (width / at) / 4 + units / 2 * np.spacing(at)
        tries = np.stack([at - off, at, at + off])
        if (wide & ((width > NARROW * at) | (width > earlier / 4))).any():
            cuts = SIXTEENTHS if low.size < SMALL else QUARTERS
            tries = np.concatenate([tries, _parts(low, high, cuts)])
        earlier = width
        tries = _within(tries, low, high)
        points = np.concatenate([points, tries])
        values = np.concatenate([values, falling(tries)])
    return np.asarray(high)


def sections(low: Array, high: Array, shape: tuple[int, ...]) -> Array:
    """Where to look first between `low` and `high` if nothing is known, shape (k, *shape)."""
    low, high = np.broadcast_to(low, shape), np.broadcast_to(high, shape)
    return _parts(low, high, SECTIONS)


def _parts(low: Array, high: Array, shares: Array) -> Array:
    return np.asarray(low + (high - low) * np.reshape(shares, (-1, *[1] * low.ndim)))


def _within(points: Array, low: Array, high: Array) -> Array:
    """Points moved between the ends; those that are no numbers to the lower one."""
    return np.asarray(np.fmin(np.fmax(points, low), high))


def _chord(ends: Array, values: Array) -> Array:
    """Where the chord of the functions times their points is zero; the middle if it has no slope."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        (low, high), (above, below) = ends, ends * values
        share = above / (above - below)
        share = np.where((share > 0) & (share <= 1) & np.isfinite(below), share, 0.5)
    return np.asarray(low + (high - low) * share)
