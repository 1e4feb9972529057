"""A proved upper bound of a payoff over a box of several actions, by halving the longest sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from alliancegame.game.parameters import Array
from alliancegame.payoff import intervals as iv
from alliancegame.payoff.enclosures import Enclosure


def bound_in_box(
    value: Enclosure,
    slopes: Sequence[Enclosure],
    bends: Sequence[Sequence[Enclosure]],
    own: Sequence[int],
    x: Array,
    low: Array,
    high: Array,
    tries: Sequence[Array],
    tolerance: float,
    budget: int,
) -> tuple[float, int]:
    """(bound, boxes left open) of the payoff over the actions `own`, others fixed at x.

    A box is bounded by its enclosure, and where its slopes exist by the slopes from its centre; where
    the second derivatives prove it concave (diagonally dominant), by the tangent at the best of the
    points tried inside it. It goes if that is below the best value plus the tolerance.
    """
    with np.errstate(all="ignore"):
        return _bound(value, slopes, bends, list(own), x, low, high, tries, tolerance, budget)


def _bound(
    value: Enclosure, slopes: Sequence[Enclosure], bends: Sequence[Sequence[Enclosure]], own: list[int],
    x: Array, low: Array, high: Array, tries: Sequence[Array], tolerance: float, budget: int,
) -> tuple[float, int]:  # fmt: skip
    a, b = low[own][None, :], high[own][None, :]
    fixed = [(v, v) for v in x]

    def boxes_of(lo: Array, hi: Array) -> list[Any]:
        made = list(fixed)
        for j, k in enumerate(own):
            made[k] = (lo[:, j], hi[:, j])
        return made

    points = np.array(tries)
    best = float(np.max(value(*boxes_of(points, points))[0]))
    bound, seen = best, 0
    while a.shape[0] and seen + a.shape[0] <= budget:
        seen += a.shape[0]
        centre = a + 0.5 * (b - a)
        box, at = boxes_of(a, b), boxes_of(centre, centre)
        low_here, high_here = value(*at)
        best = max(best, float(np.max(low_here)))
        _, upper, level = value.levelled(*box)
        rates = [f(*box) for f in slopes]
        smooth = level >= iv.CONTINUOUS
        along = _rise(high_here, rates, a, centre, b)
        upper = np.where(smooth, np.minimum(upper, along), upper)
        concave = smooth & (level >= iv.SMOOTH) & _concave(box, slopes, bends)
        if concave.any():
            for point in [*points, *centre[concave][:1]]:
                inside = concave & np.all((a <= point) & (point <= b), axis=1)
                if inside.any():
                    here = np.broadcast_to(point, a.shape)
                    at_point = boxes_of(here, here)
                    tangent = _rise(value(*at_point)[1], [f(*at_point) for f in slopes], a, here, b)
                    upper = np.where(inside, np.minimum(upper, tangent), upper)
        gone = upper <= best + tolerance
        bound = max(bound, float(np.max(upper[gone], initial=-np.inf)))
        a, b, last = a[~gone], b[~gone], upper[~gone]
        if not a.shape[0]:
            break
        # Halve where the slopes make the payoff vary most.
        spread = [
            np.where(np.isfinite(r[0] + r[1]), np.maximum(np.abs(r[0]), np.abs(r[1])), 1.0)
            for r in rates
        ]
        extent = np.stack(spread, axis=1)[~gone] * (b - a)
        side = np.argmax(np.where(extent > 0, extent, b - a), axis=1)
        middle = (a + 0.5 * (b - a))[np.arange(a.shape[0]), side]
        left_b, right_a = b.copy(), a.copy()
        left_b[np.arange(a.shape[0]), side] = middle
        right_a[np.arange(a.shape[0]), side] = middle
        a, b = np.concatenate([a, right_a]), np.concatenate([left_b, b])
        last = np.concatenate([last, last])
    if a.shape[0]:
        bound = max(bound, float(np.max(last if seen else np.full(1, np.inf))))
    return bound, int(a.shape[0])


def _rise(at: Array, rates: Sequence[iv.Interval], a: Array, point: Array, b: Array) -> Array:
    """The most that a function with such slopes reaches from its value `at` a point."""
    total = (at, at)
    for j, (lo, hi) in enumerate(rates):
        p = point[:, j]
        _, right = iv.multiply((hi, hi), iv.subtract((b[:, j],) * 2, (p, p)))
        _, left = iv.multiply(iv.negative((lo, lo)), iv.subtract((p, p), (a[:, j],) * 2))
        rise = np.maximum(np.maximum(right, left), 0.0)
        total = iv.add(total, (rise, rise))
    return np.asarray(total[1])


def _concave(box: Any, slopes: Sequence[Enclosure], bends: Sequence[Sequence[Enclosure]]) -> Any:
    """Boxes on which every Hessian is diagonally dominant with a diagonal that is not positive."""
    proved: Any = np.True_
    for j, row in enumerate(bends):
        proved = proved & (slopes[j].levelled(*box)[2] >= iv.SMOOTH)
        others = 0.0
        for k, entry in enumerate(row):
            lo, hi = entry(*box)
            if k != j:
                others = np.nextafter(others + np.maximum(np.abs(lo), np.abs(hi)), np.inf)
        proved = proved & (row[j](*box)[1] + others <= 0)
    return proved
