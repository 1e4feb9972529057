"""Where the allies' total lies while the leader's burden moves in a range: witnesses, each checked.

The theorem on followers says that every ally's share of the total X falls in X. So if each ally still
wants at least a_i at the total X_0, wherever the leader is in its range, and all a_i together come to X_0,
the total is no smaller; likewise from above. Witnesses are searched in floating point and then checked in
interval arithmetic: what fails the check says nothing.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from alliancegame.game.parameters import Array
from alliancegame.payoff import intervals as iv
from alliancegame.solve import aggregative
from alliancegame.solve.every.marginals import Alliance, Box, Mask

APART = 1e-9
"""Witnesses stand aside from where an ally is just content by this much, relatively,"""
CLEAR = 1e-11
"""and so far that its marginal payoff changes by this much: more than rounding."""
LEAST = 1e-150
"""Stands for a burden of zero, where some terms have no number."""
STEPS = 60
MUCH = 0.2
"""Bounds of an ally's burden come from what the others leave if that saves this share of the range."""


@dataclasses.dataclass(frozen=True, eq=False)
class Brackets:
    """Ranges of the leader's burden `low` to `high`, (cell,), and the totals that they allow.

    `least` and `most`, (cell, ally), are the witnesses of both ends of `total`.
    """

    low: Array
    high: Array
    total: Box
    least: Array
    most: Array

    def take(self, chosen: Mask) -> Brackets:
        """Some of the cells."""
        ends = self.total[0][chosen], self.total[1][chosen]
        return Brackets(
            self.low[chosen], self.high[chosen], ends, self.least[chosen], self.most[chosen]
        )

    def lead(self, alliance: Alliance) -> Box:
        """The leader's contribution, (cell, 1)."""
        return iv.multiply(alliance.unit, (self.low[:, None], self.high[:, None]))


def brackets(alliance: Alliance, low: Array, high: Array) -> Brackets:
    """The allies' total over ranges of the leader's burden, each (cell,)."""
    start = _answers(alliance, 0.5 * (low + high))
    scale = alliance.numbers["scale"]
    found = []
    for up in (False, True):
        total, burden = _end(alliance, low, high, start, up)
        bound = alliance.high if up else alliance.low
        given = _sum(scale, burden)
        enough = given[1] <= total if up else given[0] >= total
        wanted = _wanted(alliance, burden, total[:, None], total[:, None], (low, high), up)
        good = enough & (wanted | (burden == bound)).all(axis=1)
        burden = np.where(good[:, None], burden, bound)
        total = np.where(good, total, _sum(scale, burden)[1] if up else 0.0)
        found.append((total, burden))
    (least_total, least), (most_total, most) = found
    return Brackets(low, high, (least_total, most_total), least, most)


def within(alliance: Alliance, cells: Brackets) -> tuple[Array, Array]:
    """Burdens between which each ally stays in a cell, (cell, ally): proved, its bounds if need be."""
    low, high = cells.total[0][:, None], cells.total[1][:, None]
    ends = []
    for up, start in ((False, cells.least), (True, cells.most)):
        bound = alliance.high if up else alliance.low
        corner = _corner(alliance, low, high, (cells.low, cells.high), up)
        burden = _reply(alliance, corner, start, up)
        wanted = _wanted(alliance, burden, low, high, (cells.low, cells.high), up)
        ends.append(np.where(wanted, burden, bound))
    # What the others leave of the total may say more. Others count with what they want alone, so that no
    # two bounds rest on each other: whoever takes this rule counts with its own bounds there.
    least, most = ends
    wide = MUCH * (most - least)
    left = _left(alliance, cells, least, most)
    low_gains, high_gains = left[0] > least + wide, left[1] < most - wide
    sure = np.where(low_gains, alliance.low, least), np.where(high_gains, alliance.high, most)
    left = _left(alliance, cells, *sure)
    least = np.where(low_gains, np.maximum(least, left[0]), least)
    most = np.where(high_gains, np.minimum(most, left[1]), most)
    crossed = least > most
    return np.where(crossed, alliance.low, least), np.where(crossed, alliance.high, most)


def _left(alliance: Alliance, cells: Brackets, least: Array, most: Array) -> tuple[Array, Array]:
    """Between what burdens each ally stays if the others stay between `least` and `most`, (cell, ally)."""
    scale = alliance.numbers["scale"]
    low, high = _sum(scale, least)[0][:, None], _sum(scale, most)[1][:, None]
    spare = 1e-12 * high
    return (
        (cells.total[0][:, None] - high + scale * most - spare) / scale,
        (cells.total[1][:, None] - low + scale * least + spare) / scale,
    )


def _sum(scale: Array, burden: Array) -> Box:
    """The sum of contributions, (cell,), enclosed: n + 2 roundings of numbers that are not negative."""
    total = (scale * burden).sum(axis=1)
    slack = total * (4 + burden.shape[1]) * np.finfo(float).eps + total * 1e-15
    return total - slack, total + slack


def _answers(alliance: Alliance, lead: Array) -> Array:
    """What the engine finds the allies to answer, (cell, ally): where searches start."""
    game, plan = alliance.game, alliance.plan
    wide = (len(lead), game.size)
    batch = aggregative.solve_plans(
        game,
        np.broadcast_to(plan.threat_by_member(game.members), wide),
        np.broadcast_to(plan.demand_by_member(game.members), wide),
        lead,
        whole=True,
        tariffs=plan.tariff_by_member(game.members) if plan.taxed else None,
    )
    found = batch.burden[:, alliance.allies]
    return np.clip(np.where(np.isfinite(found), found, 0.0), alliance.low, alliance.high)


@dataclasses.dataclass(frozen=True, eq=False)
class _Corner:
    """Where in a box an ally wants least (or most): numbers by name, (cell, ally) or (cell, 1)."""

    values: dict[str, Array]

    def take(self, rows: Mask) -> _Corner:
        return _Corner({k: v[rows] for k, v in self.values.items()})


def _corner(alliance: Alliance, low: Array, high: Array, lead: Box, up: bool) -> _Corner:
    """The corner of totals [low, high] and the leader's range that pulls an ally down (or `up`)."""
    scale, seat = alliance.leader["scale"], alliance.numbers["seat"]
    weight = alliance.numbers["weight"]
    ends = [scale * np.asarray(end)[:, None] for end in lead]
    councils = [weight * low + seat * ends[0], weight * high + seat * ends[1]]
    near, far = (1, 0) if up else (0, 1)
    # More cover and more spill-ins pull down, and so does little that threats bring back.
    return _Corner(
        {
            "Z": (high, low)[near], "G": ends[far], "given": ends[near],
            "takes": councils[near], "adds": councils[far],
        }
    )  # fmt: skip


def _wishes(
    alliance: Alliance, corner: _Corner, x: Array, below: Array
) -> tuple[Array, Array, Array]:
    """Marginal payoffs at burdens x, and their slopes in x and in the total; each (cell, ally)."""
    given = {**alliance.numbers, **corner.values, "x": np.maximum(x, LEAST), "below": below}
    names = alliance.functions.names["search"]
    with np.errstate(all="ignore"):
        made = alliance.functions.search(*(given[name] for name in names))
    value, own, total = (np.broadcast_to(part, x.shape) for part in made)
    return value, own, total


def _reply(alliance: Alliance, corner: _Corner, start: Array, up: bool) -> Array:
    """The burden at which each ally is content at a corner, moved aside a little (`up` or down)."""
    shape = start.shape
    low, high = (np.array(np.broadcast_to(b, shape)) for b in (alliance.low, alliance.high))
    demand = np.broadcast_to(alliance.numbers["demand"], shape)
    pressed = np.broadcast_to(alliance.pressed, shape)
    below = np.where(pressed & (demand >= high), 1.0, 0.0)
    kinked = pressed & (demand > low) & (demand < high)
    held = np.zeros(shape, dtype=bool)
    if kinked.any():
        lower, upper = (
            _wishes(alliance, corner, demand, np.full(shape, side))[0] for side in (1.0, 0.0)
        )
        over = kinked & (upper > 0)
        held = kinked & ~over & (lower > 0)
        under = kinked & ~over & ~held
        low, high = np.where(over, demand, low), np.where(under, demand, high)
        below = np.where(under, 1.0, below)
    at_low = _wishes(alliance, corner, low, below)[0] <= 0
    at_high = _wishes(alliance, corner, high, below)[0] >= 0
    x = np.clip(start, low, high)
    inside = ~(held | at_low | at_high)
    bottom, top = np.array(low), np.array(high)
    for _ in range(STEPS):
        value, own, _ = _wishes(alliance, corner, x, below)
        bottom, top = np.where(value > 0, x, bottom), np.where(value > 0, top, x)
        with np.errstate(all="ignore"):
            step = x - value / own
        middle = np.sqrt(np.maximum(bottom, 1e-6 * top) * top)
        ahead = np.where((step > bottom) & (step < top), step, middle)
        done = ~inside | (np.abs(ahead - x) <= 0.01 * APART * x)
        x = ahead
        if done.all():
            break
    aside = _aside(x, own) * (1.0 if up else -1.0)
    moved = np.clip(x + aside, alliance.low, alliance.high)
    x = np.where(at_low, low, np.where(at_high, high, moved))
    return np.asarray(np.where(held, demand, x))


def _end(
    alliance: Alliance, low: Array, high: Array, start: Array, up: bool
) -> tuple[Array, Array]:
    """One end of the total, (cell,), and what the allies want there, (cell, ally)."""
    scale = alliance.numbers["scale"]
    most = (scale * alliance.high).sum()
    bottom, top = np.zeros(len(low)), np.full(len(low), most)
    total = np.clip((scale * start).sum(axis=1), 1e-12 * most, most)
    burden, going = np.array(start), np.ones(len(low), dtype=bool)
    for _ in range(STEPS):
        x = total[going]
        corner = _corner(alliance, x[:, None], x[:, None], (low[going], high[going]), up)
        burden[going] = _reply(alliance, corner, burden[going], up)
        spare = (scale * burden[going]).sum(axis=1) - x
        bottom[going] = np.where(spare > 0, x, bottom[going])
        top[going] = np.where(spare > 0, top[going], x)
        ahead = x + spare / _weight(alliance, corner, burden[going])[0]
        lower, upper = bottom[going], top[going]
        middle = np.sqrt(np.maximum(lower, 1e-6 * upper) * upper)
        ahead = np.where((ahead > lower) & (ahead < upper), ahead, middle)
        total[going] = ahead
        settled = (np.abs(ahead - x) <= APART * x) | (upper - lower <= APART * upper)
        going[np.flatnonzero(going)[settled]] = False
        if not going.any():
            break
    corner = _corner(alliance, total[:, None], total[:, None], (low, high), up)
    lost = 10 * APART * total + 10 * _weight(alliance, corner, burden)[1]
    total = np.maximum(total + lost if up else total - lost, 0.0)
    corner = _corner(alliance, total[:, None], total[:, None], (low, high), up)
    return total, _reply(alliance, corner, burden, up)


def _aside(x: Array, own: Array) -> Array:
    """How far a witness stands from where its ally is content; `own` is the slope there."""
    with np.errstate(all="ignore"):
        return np.asarray(APART * x + np.minimum(CLEAR / np.abs(own), 1e-3))


def _weight(alliance: Alliance, corner: _Corner, burden: Array) -> tuple[Array, Array]:
    """How the sum of what allies want falls behind the total as that grows, and the witnesses' distance.

    Each (cell,); the distance is in contributions.
    """
    scale, demand = alliance.numbers["scale"], alliance.numbers["demand"]
    below = alliance.pressed & (burden < demand)
    _, own, total = _wishes(alliance, corner, burden, below.astype(float))
    kink = alliance.pressed & (burden == demand)
    free = (burden > alliance.low) & (burden < alliance.high) & ~kink
    with np.errstate(all="ignore"):
        moved = np.where(free, -scale * total / own, 0.0)
    found = 1 - moved.sum(axis=1)
    lost = np.where(free, scale * _aside(burden, own), 0.0).sum(axis=1)
    return np.where(found > 0, found, 1.0), lost


def _wanted(
    alliance: Alliance,
    burden: Array,
    low: Array,
    high: Array,
    lead: Box,
    up: bool,
) -> Mask:
    """Whether it is proved that each ally wants more (`up`: less) than its burden, (cell, ally).

    Anywhere in totals [low, high] and the leader's range; one-sided at the demand.
    """
    demand = alliance.numbers["demand"]
    below = alliance.pressed & ((burden < demand) if up else (burden <= demand))
    contribution = iv.multiply(alliance.unit, (lead[0][:, None], lead[1][:, None]))
    made = alliance.ally("ally", (burden, burden), (low, high), contribution, below.astype(float))
    if up:
        return np.asarray(made[1] < 0)
    return np.asarray(made[0] > 0)
