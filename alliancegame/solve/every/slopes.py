"""How the leader's marginal payoff moves along the allies' answer, over ranges of its burden.

An ally that is free moves by lambda_i (M_X dX + M_G dG), lambda_i = 1 / |M_x|; one at a bound or at its
demand does not. Where either may be, lambda_i lies between 0 and that. The total then moves by the v
with sum of e_i Y_i lambda_i (M_G e_l Y_l + M_X v) = v, and the left side less the right falls in v: a bound
on v is a v at which it has one sign, whatever the lambdas are.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from alliancegame.game.parameters import Array
from alliancegame.payoff import intervals as iv
from alliancegame.solve.every.brackets import Brackets
from alliancegame.solve.every.marginals import Alliance, Box, Mask

STEPS = 12
ASIDE = 1e-3
"""Bounds on the total's slope stand aside from the sharpest by this much, relatively."""


@dataclasses.dataclass(frozen=True, eq=False)
class _Moves:
    """lambda e Y of each ally, M_G e_l Y_l and M_X, enclosed, each (cell, ally)."""

    weight: Box
    lead: Box
    total: Box

    def excess(self, v: Array, up: bool) -> Array:
        """An end of the sum less v, (cell,): the upper one (`up`) or the lower one."""
        terms = self.terms((v[:, None], v[:, None]))[1 if up else 0]
        slack = terms.shape[1] * np.finfo(float).eps * np.abs(terms).sum(axis=1)
        with np.errstate(invalid="ignore"):
            found = terms.sum(axis=1) - v
            rounding = slack + 4 * np.finfo(float).eps * np.abs(v)
            return np.asarray(found + rounding if up else found - rounding)

    def terms(self, v: Box) -> Box:
        """What each ally adds if the total moves by v: lambda e Y (M_G e_l Y_l + M_X v); (cell, ally)."""
        pull = iv.add(self.lead, iv.multiply(self.total, v))
        lo, hi = iv.multiply(self.weight, pull)
        # Without a bound on lambda the pull must have a sign.
        free = np.isinf(self.weight[1]) & (pull[0] <= 0) & (pull[1] >= 0)
        return np.where(free, -np.inf, lo), np.where(free, np.inf, hi)


def total_slope(alliance: Alliance, cells: Brackets, least: Array, most: Array) -> Box:
    """Bounds on dX / dx_l, (cell,), where each ally stays within `least` and `most`, (cell, ally)."""
    moves = _moves(alliance, cells, least, most)
    return _response(moves, up=False), _response(moves, up=True)


def leader_slope(alliance: Alliance, cells: Brackets, least: Array, most: Array, slope: Box) -> Box:
    """Bounds on the slope of the leader's marginal payoff along the answer, (cell,)."""
    x, revenue = (cells.low, cells.high), brought(alliance, least, most)
    own, total = (
        alliance.lead(f"leader_{name}", x, cells.total, revenue) for name in ("own", "total")
    )
    found = iv.add(own, iv.multiply(total, slope))
    if alliance.taxing:
        lo, hi = _each(_moves(alliance, cells, least, most), slope)
        rate = alliance.trade / (alliance.numbers["demand"] * alliance.numbers["scale"])
        missing = (alliance.trade > 0) & (least < alliance.numbers["demand"])
        whole = missing & (most <= alliance.numbers["demand"])
        fall = np.where(whole, rate, 0.0) * (1 - 1e-12), np.where(missing, rate, 0.0) * (1 + 1e-12)
        lost = iv.multiply(fall, iv.negative((lo, hi)))
        size = np.abs(lost[0]) + np.abs(lost[1])
        slack = (size * lost[0].shape[1] * np.finfo(float).eps).sum(axis=1)
        change = lost[0].sum(axis=1) - slack, lost[1].sum(axis=1) + slack
        worth = alliance.lead("leader_revenue", x, cells.total, revenue)
        found = iv.add(found, iv.multiply(worth, change))
    return found


def _each(moves: _Moves, slope: Box) -> Box:
    """What each ally adds as the total moves by `slope`, also as what the others leave of it."""
    v = slope[0][:, None], slope[1][:, None]
    lo, hi = moves.terms(v)
    own = np.eye(lo.shape[1], dtype=bool)
    others = [np.where(own, 0.0, end[:, None, :]) for end in (lo, hi)]
    slack = sum(np.abs(end).sum(axis=2) for end in others) * lo.shape[1] * np.finfo(float).eps
    rest = others[0].sum(axis=2) - slack, others[1].sum(axis=2) + slack
    return iv.intersect((lo, hi), iv.subtract(v, rest))


def brought(alliance: Alliance, least: Array, most: Array) -> Box:
    """What tariffs bring the leader, a share of its GDP, (cell,), allies within these burdens."""
    demand = alliance.numbers["demand"]
    ends = [
        (alliance.trade * np.maximum(0.0, 1 - burden / demand)).sum(axis=1)
        for burden in (most, least)
    ]
    return ends[0] * (1 - 1e-12), ends[1] * (1 + 1e-12)


def _moves(alliance: Alliance, cells: Brackets, least: Array, most: Array) -> _Moves:
    numbers, demand = alliance.numbers, alliance.numbers["demand"]
    total = cells.total[0][:, None], cells.total[1][:, None]
    lead = cells.lead(alliance)
    parts: list[tuple[Mask, Box, Box, Box]] = []
    for below in (1.0, 0.0):
        kink = np.where(alliance.pressed, demand, 0.0 if not below else np.inf)
        there = (alliance.pressed & (least < demand)) if below else (most >= kink)
        if not there.any():
            continue
        box = (
            (np.minimum(least, kink), np.minimum(most, kink))
            if below
            else (np.maximum(least, kink), np.maximum(most, kink))
        )
        own, by_total, by_lead = (
            alliance.ally(name, box, total, lead, np.full_like(least, below))
            for name in ("own", "total", "lead")
        )
        size = -own[0], np.maximum(-own[1], 0.0)
        inverse, _ = iv.reciprocal((size[1], size[0]))
        parts.append((there, inverse, by_total, by_lead))
    boxes = []
    for k in (1, 2, 3):
        lo = np.min([np.where(p[0], p[k][0], np.inf) for p in parts], axis=0)
        hi = np.max([np.where(p[0], p[k][1], -np.inf) for p in parts], axis=0)
        boxes.append((lo, hi))
    free, by_total, by_lead = boxes
    at_demand = alliance.pressed & (least <= demand) & (demand <= most)
    may_hold = (least <= alliance.low) | (most >= alliance.high) | at_demand
    held = least == most
    weight = iv.multiply(
        (numbers["scale"] * (1 - 1e-15), numbers["scale"] * (1 + 1e-15)),
        (np.where(may_hold | held, 0.0, free[0]), np.where(held, 0.0, free[1])),
    )
    return _Moves(weight, iv.multiply(by_lead, alliance.unit), by_total)


def _response(moves: _Moves, up: bool) -> Array:
    """A bound on the total's slope, (cell,), the upper one or the lower; infinite if none is proved."""
    sign = 1.0 if up else -1.0
    with np.errstate(all="ignore"):
        # Where lambda has no bound the pull must not go the wrong way.
        open_ = np.isinf(moves.weight[1])
        ratios = np.stack([-end / t for end in moves.lead for t in moves.total])
        edge = ratios.max(axis=0) if up else ratios.min(axis=0)
        edge = np.where(open_, edge, -sign * np.inf)
        start = edge.max(axis=1) if up else edge.min(axis=1)
        start = np.where(np.isfinite(start), start * (1 + sign * np.sign(start) * 1e-6), 0.0)
        v = np.array(start)
        for _ in range(STEPS):
            gap = moves.excess(v, up)
            step = 1e-6 * np.maximum(np.abs(v), 1.0)
            slope = (moves.excess(v + sign * step, up) - gap) / (sign * step)
            ahead = v - gap / slope
            v = np.where(np.isfinite(ahead) & (slope < 0), ahead, v)
            v = np.where(open_.any(axis=1), np.maximum(sign * v, sign * start) * sign, v)
        v = v + sign * (ASIDE * np.abs(v) + 1e-12)
        gap = moves.excess(v, up)
    proved = (gap <= 0) if up else (gap >= 0)
    return np.where(proved, v, sign * np.inf)
