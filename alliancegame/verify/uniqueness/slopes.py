"""Slopes: how the leader's marginal payoff moves with its burden, along the allies' answer.

The argument (docs/theory/equilibrium, How many, 3). An ally that is free moves so that its marginal payoff
M stays 0; one at a bound, or at a demand whose pressure it feels, does not move. What all add moves X.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sympy as sp

from alliancegame.verify.intervals import INFINITE, WHOLE, Interval, Known, enclose, hull, total
from alliancegame.verify.payoffs import cut, x
from alliancegame.verify.uniqueness.response import Response, Row, X, leader, revenue

Move = Callable[[Interval], Interval]
"""How far an ally's contribution moves with the leader's burden if X moves by so much."""


def leader_slope(
    response: Response, low: Row, high: Row, x_l: Interval, box: Known, slope: Interval
) -> Interval | None:
    """How F moves where allies lie between `low` and `high`; None if `slope` may not hold dX / dx_l."""
    moves = [_move(response, *each, box) for each in zip(response.allies, low, high, strict=True)]

    def excess(v: Interval) -> Interval:  # 0 at dX / dx_l; it falls in v, as shares fall in X.
        return total(move(v) for move in moves) - v

    if not (excess(Interval(slope.lo)).lo >= 0 and excess(Interval(slope.hi)).hi <= 0):
        return None
    own, by_X, by_revenue = (
        response.marginal(response.lead, x_l, box, by=by) for by in (x, X, revenue)
    )
    brings = _brings(response, low, high, [move(slope) for move in moves], slope)
    return own + by_X * slope + by_revenue * brings


def _move(response: Response, i: int, low: float, high: float, box: Known) -> Move:
    """A free ally moves by (M_X dX + M_g dg_l) / |M_x|."""
    d, scale, parts = response.demand[i], response.of["scale"], []
    for a, b, missed in cut(low, high, d if response.felt[i] else 0) if low < high else []:
        own, by_X, by_g = (
            response.marginal(i, Interval(a, b), box, missed, by) for by in (x, X, leader)
        )
        # 1 / |M_x|, where M_x <= 0: the payoff is concave in the own burden.
        free = Interval(max(-own.hi, 0), max(-own.lo, 0)).reciprocal()
        free = scale[i] * Interval(max(free.lo, 0), free.hi)
        parts.append((free, by_X, by_g * scale[response.lead]))
    held = low == response.ends[0][i] or high == response.ends[1][i]
    held = held or not parts or (response.felt[i] and low <= d <= high)

    def move(v: Interval) -> Interval:
        found = [Interval(0)] if held else []
        for free, by_X, by_g in parts:
            pull = by_X * v + by_g
            # Infinitely often what may be 0 is not known.
            bounded = free.hi < INFINITE or pull.lo > 0 or pull.hi < 0
            found.append(free * pull if bounded else WHOLE)
        return hull(found)

    return move


def _brings(
    response: Response, low: Row, high: Row, adds: Sequence[Interval], slope: Interval
) -> Interval:
    """How what tariffs bring moves: what an ally `adds` is also what the others leave of dX."""
    parts = []
    for k, i in enumerate(response.allies):
        if low[k] >= response.demand[i] or response.of["levy"][i].hi <= 0:
            continue
        left = slope - total([*adds[:k], *adds[k + 1 :]])
        move = Interval(max(adds[k].lo, left.lo), min(adds[k].hi, left.hi))
        move = move / response.of["scale"][i]
        part = enclose(sp.diff(response.brings, x), dict(response.known[i])) * move
        parts.append(hull([part, Interval(0)]) if high[k] > response.demand[i] else part)
    return total(parts)
