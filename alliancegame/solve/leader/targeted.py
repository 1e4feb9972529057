"""Targeted pressure: threats and demands by ally, and the leader's own burden, searched together.

Dozens of variables, and a payoff with a ridge wherever an ally just bunches at its demand: there is
no grid to cover them and no bound on what is missed. From several starts, quasi-Newton climbs with
exact slopes alternate with sweeps over one ally at a time (its threat and demand on a lattice, 0
included, then closer and closer), which follow ridges and switch allies off and on. The best
uniform plan is one of the starts, so that nothing worse is ever returned.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.derivatives.inputs import Given, given
from alliancegame.solve.leader.adjoint import plan_slopes, ridge_threats

Value = Callable[[aggregative.Batch], Array]
"""What the leader maximises, from solved plans: shape (plan,), nan where there is no answer."""

SEED = 20_260_704
RANDOM_STARTS = 4
CLIMBED = 3
"""Ends of climbs that are swept ally by ally."""
SHARE_UNIT = 0.05
"""The unit in which the optimiser sees demands and burdens."""
LEAST_DEMAND = 0.02
"""Smallest demand tried, as a share of the largest."""
ENOUGH = 1e-11
SWEEPS = 12


@dataclasses.dataclass(frozen=True, eq=False)
class Targets:
    """What is searched: plans as rows (threat by member, demand by member, burden).

    `low` and `high`, shape (2 n + 1,), are equal where a number is given. A burden that is played
    simultaneously is nan.
    """

    game: BurdenSharingGame
    low: Array
    high: Array
    value: Value | None = None

    @property
    def free(self) -> Array:
        """Which numbers are chosen."""
        return np.asarray(self.low < self.high)

    def solve(self, rows: Array, *, whole: bool = False) -> aggregative.Batch:
        """Allies' answers to plans of shape (plan, 2 n + 1)."""
        n = self.game.size
        return aggregative.solve_plans(
            self.game, rows[:, :n], rows[:, n : 2 * n], rows[:, 2 * n],
            whole=whole or self.value is not None,
        )  # fmt: skip

    def values(self, rows: Array) -> Array:
        """What the leader maximises, (plan,), minus infinity where there is no answer."""
        batch = self.solve(rows)
        found = batch.leader_payoff if self.value is None else self.value(batch)
        return np.where(np.isfinite(found), found, -np.inf)

    def plan(self, row: Array) -> Plan:
        """A row as a plan, allies by label; demands are named where somebody is threatened."""
        n, members = self.game.size, self.game.members
        allies = [i for i in range(n) if i != members.leader_index]
        burden = None if np.isnan(row[2 * n]) else float(row[2 * n])
        return Plan(
            threat={members[i]: float(row[i]) for i in allies},
            demand={members[i]: float(row[n + i]) for i in allies},
            burden=burden,
        )

    @cached_property
    def base(self) -> Given:
        """The numbers of the game, for derivatives."""
        return given(self.game, Plan())

    def slopes(self, row: Array, x: Array) -> Array:
        """Slopes of the leader's payoff in all numbers of a plan, (2 n + 1,)."""
        n = self.game.size
        values = {**self.base, "threat": row[None, :n], "demand": row[None, n : 2 * n]}
        found = plan_slopes(self.game, values, x, committed=not np.isnan(row[2 * n]))
        return np.concatenate([found.threat, found.demand, [found.burden]])


@dataclasses.dataclass(frozen=True, eq=False)
class Aimed:
    """The best plan found: its row and value; `starts` and `evaluations`; the slope left open."""

    row: Array
    value: float
    starts: int
    evaluations: int
    slope: float


def row_of(game: BurdenSharingGame, plan: Plan) -> Array:
    """A plan as a row."""
    burden = np.nan if plan.burden is None else plan.burden
    by_member = plan.threat_by_member(game.members), plan.demand_by_member(game.members)
    return np.concatenate([*by_member, [burden]])


def targets(
    game: BurdenSharingGame, base: Plan, chosen: tuple[str, ...], value: Value | None = None
) -> Targets:
    """The box of plans: what is chosen within its bounds, the rest as in the base plan."""
    n, lead = game.size, game.members.leader_index
    low, high = row_of(game, base), row_of(game, base)
    allies = np.flatnonzero(np.arange(n) != lead)
    limit = game.by_member("burden_max")
    if "threat" in chosen:
        low[allies], high[allies] = 0.0, 1.0
    if "demand" in chosen:
        low[n + allies], high[n + allies] = LEAST_DEMAND * limit[allies], limit[allies]
    if "burden" in chosen:
        low[2 * n], high[2 * n] = game.by_member("burden_min")[lead], limit[lead]
    return Targets(game, low, high, value)


def aim(box: Targets, uniform: Array, points: int = 25) -> Aimed:
    """Search the box from the best uniform plan and other starts."""
    counted = _Counted(box)
    starts = _starts(box, uniform)
    ends = [(float(counted.values(row[None])[0]), row) for row in starts]
    if box.value is None:
        ends += [_climbed(box, counted, row) for _, row in ends]
    ends.sort(key=lambda end: -end[0])
    best = ends[0]
    tried: list[Array] = []
    for value, row in ends:
        if len(tried) == CLIMBED:
            break
        if any(np.allclose(row, other, rtol=1e-4, atol=1e-6, equal_nan=True) for other in tried):
            continue
        tried.append(row)
        best = max(best, _settled(box, counted, value, row, points), key=lambda end: end[0])
    best = _settled(box, counted, *best, points, width=0.15)
    slope = _open_slope(box, best[1]) if box.value is None else np.nan
    return Aimed(best[1], best[0], len(starts), counted.count, slope)


class _Counted:
    """The objective, counting the plans that are solved."""

    def __init__(self, box: Targets) -> None:
        self.box, self.count = box, 0

    def values(self, rows: Array) -> Array:
        self.count += len(rows)
        return self.box.values(rows)


def _starts(box: Targets, uniform: Array) -> list[Array]:
    """The best uniform plan; nobody, everybody, the larger and the smaller half threatened; random."""
    n = box.game.size
    low, high = box.low, box.high
    gdp = box.game.by_member("gdp")
    large = gdp >= np.median(np.delete(gdp, box.game.members.leader_index))
    found = [np.clip(uniform, low, high) if not np.isnan(uniform[-1]) else uniform.copy()]
    for who in (np.full(n, False), np.full(n, True), large, ~large):
        row = found[0].copy()
        row[:n] = np.where(low[:n] < high[:n], np.where(who, 1.0, 0.0), row[:n])
        found.append(row)
    rng = np.random.default_rng(SEED)
    span = np.nan_to_num(high - low)
    for _ in range(RANDOM_STARTS):
        row = found[0].copy()
        share = rng.random(len(row))
        row[: 2 * n] = (low + span * share)[: 2 * n]
        if span[2 * n] > 0:
            row[2 * n] = np.clip(row[2 * n] * (0.7 + 0.6 * share[2 * n]), low[2 * n], high[2 * n])
        found.append(row)
    return found


def _climbed(box: Targets, counted: _Counted, row: Array) -> tuple[float, Array]:
    """A quasi-Newton climb with exact slopes; where it ends, and its value."""
    from scipy.optimize import minimize

    free, n = box.free, box.game.size
    unit = np.where(np.arange(2 * n + 1) < n, 1.0, SHARE_UNIT)[free]
    first = float(counted.values(row[None])[0])
    if not np.isfinite(first) or not free.any():
        return first, row

    def cost(z: Array) -> tuple[float, Array]:
        here = row.copy()
        here[free] = np.clip(z * unit, box.low[free], box.high[free])
        batch = box.solve(here[None], whole=True)
        counted.count += 1
        value = float(batch.leader_payoff[0])
        if not np.isfinite(value):
            return 1e6, np.zeros_like(z)
        slope = box.slopes(here, batch.burden[0])[free]
        return (first - value) * 1e3, -np.nan_to_num(slope * unit) * 1e3

    found = minimize(
        cost, row[free] / unit, jac=True, method="L-BFGS-B",
        bounds=list(zip(box.low[free] / unit, box.high[free] / unit, strict=True)),
        options={"maxiter": 40, "maxfun": 50, "ftol": 1e-12, "gtol": 1e-7, "maxcor": 15},
    )  # fmt: skip
    end = row.copy()
    end[free] = np.clip(found.x * unit, box.low[free], box.high[free])
    value = float(counted.values(end[None])[0])
    return (value, end) if value > first else (first, row)


def _settled(
    box: Targets, counted: _Counted, value: float, row: Array, points: int, width: float = 1.0
) -> tuple[float, Array]:
    """Sweep ally by ally, closer and closer, and climb again, until nothing is gained."""
    for turn in range(SWEEPS):
        before = value
        value, row = _swept(box, counted, value, row, width, points)
        if box.value is None and turn % 3 == 2:
            value, row = max((value, row), _climbed(box, counted, row), key=lambda end: end[0])
        width *= 0.35
        if value - before < ENOUGH and width < 1e-3:
            break
    return value, row


def _swept(
    box: Targets, counted: _Counted, value: float, row: Array, width: float, points: int
) -> tuple[float, Array]:
    """One ally after another takes the best of a lattice around its threat and demand; then the burden.

    A lattice reaches `width` of the range to both sides; no threat is always on it.
    """
    n = box.game.size
    low, high, free = box.low, box.high, box.free
    row = row.copy()

    def axis(k: int, count: int, *more: float) -> Array:
        if not free[k]:
            return row[k : k + 1]
        reach = width * (high[k] - low[k])
        axis = np.linspace(max(low[k], row[k] - reach), min(high[k], row[k] + reach), count)
        return np.unique(np.concatenate([axis, [row[k]], more]))

    both = free[:n].any() and free[n : 2 * n].any()
    count = 7 if both else points
    for i in range(n):
        if not (free[i] or free[n + i]):
            continue
        demands = axis(n + i, count)
        threats = np.repeat(axis(i, count, *([0.0] if free[i] else []))[None], len(demands), axis=0)
        if free[i]:
            threats = np.concatenate([threats, _ridge(box, row, i, demands, width)], axis=1)
        rows = np.repeat(row[None], threats.size, axis=0)
        rows[:, i], rows[:, n + i] = threats.ravel(), np.repeat(demands, threats.shape[1])
        values = counted.values(rows)
        best = int(values.argmax())
        if values[best] > value:
            value, row = float(values[best]), rows[best].copy()
    if free[2 * n]:
        tried = axis(2 * n, points)
        rows = np.repeat(row[None], len(tried), axis=0)
        rows[:, 2 * n] = tried
        values = counted.values(rows)
        best = int(values.argmax())
        if values[best] > value:
            value, row = float(values[best]), rows[best].copy()
    return value, row


def _ridge(box: Targets, row: Array, member: int, demands: Array, width: float) -> Array:
    """Threats about those at which an ally just bunches at each demand, (demand, 4)."""
    n = box.game.size
    x = box.solve(row[None], whole=True).burden[0]
    values = {**box.base, "threat": row[None, :n], "demand": row[None, n : 2 * n]}
    at = ridge_threats(box.game, values, x, member, demands)
    near = at[:, None] * (1.0 + min(width, 0.1) * np.array([-0.3, 0.0, 0.1, 1.0]))
    return np.asarray(np.clip(np.where(np.isfinite(near), near, row[member]), 0.0, 1.0))


def _open_slope(box: Targets, row: Array) -> float:
    """The largest slope of the payoff that the bounds leave open, per unit of threat or 5 % of GDP.

    At a ridge (an ally that just bunches) slopes differ by side, and this is one of them.
    """
    n = box.game.size
    slope = box.slopes(row, box.solve(row[None], whole=True).burden[0])
    slope = slope * np.where(np.arange(2 * n + 1) < n, 1.0, SHARE_UNIT)
    slope = np.where(row <= box.low, np.maximum(slope, 0.0), slope)
    slope = np.where(row >= box.high, np.minimum(slope, 0.0), slope)
    open_: Array = np.abs(slope[box.free])
    return float(open_.max(initial=0.0))
