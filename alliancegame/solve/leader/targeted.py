"""Targeted pressure: threats, demands and tariffs by ally, and the leader's own burden, together.

Dozens of variables, and a payoff with a ridge wherever an ally just bunches at its demand: there is
no grid to cover them and no bound on what is missed. From several starts, quasi-Newton climbs with
exact slopes alternate with sweeps over one ally at a time (its threat and demand on a lattice, 0
included, its tariff and demand on another, then closer and closer), which follow ridges and switch
allies off and on. The best uniform plan is one of the starts, so that nothing worse is ever returned.
Sweeps need no slopes: they alone serve other objectives than the payoff, and triggers.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.payoff.form import Form
from alliancegame.solve import aggregative
from alliancegame.solve.derivatives.inputs import PLANNED, Given, form_of, given
from alliancegame.solve.leader.adjoint import plan_slopes, ridges
from alliancegame.solve.trigger.plans import best_and_worst

Rate = Literal["threat", "tariff"]
Value = Callable[[Array], Array]
"""What the leader maximises, from rows: shape (plan,), nan where there is no answer."""

CONFIRMED = 8
"""Most rows of a lattice that are looked at again where values are only promised."""

SEED = 20_260_704
RANDOM_STARTS = 4
CLIMBED = 3
"""Ends of climbs that are swept ally by ally."""
SHARE_UNIT = 0.05
"""The unit in which the optimiser sees demands and burdens."""
LEAST_DEMAND = 0.02
"""Smallest demand tried, as a share of the largest."""
ENOUGH = 1e-11
DECEPTIVE = 1e-6
"""A profile that meets every condition is no answer if somebody gains more than this by a jump."""
SWEEPS = 12


@dataclasses.dataclass(frozen=True, eq=False)
class Targets:
    """What is searched: plans as rows (threat, demand and tariff by member, burden).

    `low` and `high`, shape (3 n + 1,), are equal where a number is given. A burden that is played
    simultaneously is nan. `value` gives what is maximised at rows, (plan,), nan where there is no
    answer: the leader's payoff if None, for which there are exact slopes. If that is only promised,
    `confirm` says what one row is worth in fact.
    """

    game: BurdenSharingGame
    low: Array
    high: Array
    value: Value | None = None
    confirm: Callable[[Array], float] | None = None

    def maximising(self, value: Callable[[aggregative.Batch], Array]) -> Targets:
        """The same box for something else than the payoff, of answers to rows."""
        return dataclasses.replace(self, value=lambda rows: self._answered(rows, value))

    @property
    def free(self) -> NDArray[np.bool_]:
        """Which numbers are chosen."""
        return np.asarray(self.low < self.high)

    @property
    def smooth(self) -> bool:
        """Whether slopes lead anywhere: the payoff is maximised, and answers do not jump."""
        return self.value is None and self.game.shortfall != "trigger"

    def part(self, name: str) -> slice:
        """Where a row has the threats, demands or tariffs."""
        n = self.game.size
        return slice(n * PLANNED.index(name), n * (PLANNED.index(name) + 1))

    def fields(self, rows: Array) -> dict[str, Array]:
        """Threats, demands and tariffs of rows, each (plan, n)."""
        return {name: rows[..., self.part(name)] for name in PLANNED}

    @functools.cached_property
    def units(self) -> Array:
        """The unit in which the optimiser sees each number."""
        units = np.ones(3 * self.game.size + 1)
        units[self.part("demand")] = units[-1] = SHARE_UNIT
        return units

    @functools.cached_property
    def concave(self) -> bool:
        """Whether conditions are all there is to an answer; otherwise deviations have to be searched."""
        return aggregative.concave_in_own_burden(self.game)

    def solve(self, rows: Array, *, whole: bool = False) -> aggregative.Batch:
        """Allies' answers to plans of shape (plan, 3 n + 1)."""
        fields = self.fields(rows)
        return aggregative.solve_plans(
            self.game, fields["threat"], fields["demand"], rows[:, -1], tariffs=fields["tariff"],
            whole=whole, search=not self.concave,
        )  # fmt: skip

    def values(self, rows: Array) -> Array:
        """What the leader maximises, (plan,), minus infinity where there is no answer."""
        found = self._answered(rows) if self.value is None else self.value(rows)
        return np.where(np.isfinite(found), found, -np.inf)

    def _answered(
        self, rows: Array, value: Callable[[aggregative.Batch], Array] | None = None
    ) -> Array:
        """The leader's payoff, or a value of answers to rows, (plan,); nan where there is none."""
        if self.game.shortfall == "trigger":
            fields = self.fields(rows)
            del fields["tariff"]  # Never chosen with triggers: the same in all rows.
            plan = Plan(tariff=self.low[self.part("tariff")])
            return best_and_worst(self.game, plan, {**fields, "burden": rows[:, -1]}, value)[0]
        batch = self.solve(rows, whole=value is not None)
        found = batch.leader_payoff if value is None else value(batch)
        if self.concave:
            return found
        return np.where(batch.column("regret") <= DECEPTIVE, found, np.nan)

    def plan(self, row: Array) -> Plan:
        """A row as a plan, allies by label; demands are named where somebody is threatened."""
        members = self.game.members
        allies = [i for i in range(self.game.size) if i != members.leader_index]
        fields = self.fields(row)
        by_label: dict[str, Any] = {
            name: {members[i]: float(values[i]) for i in allies} for name, values in fields.items()
        }
        if not fields["tariff"].any():
            del by_label["tariff"]
        return Plan(burden=None if np.isnan(row[-1]) else float(row[-1]), **by_label)

    @functools.cached_property
    def base(self) -> Given:
        """The numbers of the game, for derivatives."""
        return given(self.game, Plan())

    @functools.cached_property
    def form(self) -> Form:
        """The functional forms of all plans in the box."""
        return form_of(self.game, bool(self.high[self.part("tariff")].any()))

    def given(self, row: Array) -> Given:
        """The numbers of the game and of one plan."""
        return {**self.base, **self.fields(row[None])}

    def slopes(self, row: Array, x: Array) -> Array:
        """Slopes of the leader's payoff in all numbers of a plan, (3 n + 1,)."""
        committed = not np.isnan(row[-1])
        found = plan_slopes(self.game, self.form, self.given(row), x, committed=committed)
        return np.concatenate([*(found.by_ally[name] for name in PLANNED), [found.burden]])


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
    by_member = (getattr(plan, f"{name}_by_member")(game.members) for name in PLANNED)
    return np.concatenate([*by_member, [burden]])


def targets(
    game: BurdenSharingGame,
    base: Plan,
    chosen: tuple[str, ...],
    most_tariff: Array | None = None,
) -> Targets:
    """The box of plans: what is chosen within its bounds, the rest as in the base plan.

    `most_tariff`, shape (n,), bounds the tariffs that are tried, if they are chosen.
    """
    lead = game.members.leader_index
    box = Targets(game, row_of(game, base), row_of(game, base))
    limit, least = game.by_member("burden_max"), game.by_member("burden_min")
    for name, low, high in (
        ("threat", 0.0, 1.0),
        ("demand", LEAST_DEMAND * limit, limit),
        ("tariff", 0.0, most_tariff),
    ):
        if name in chosen:
            for end, values in ((box.low, low), (box.high, high)):
                keep = end[box.part(name)][lead]
                end[box.part(name)] = values
                end[box.part(name)][lead] = keep
    if "burden" in chosen:
        box.low[-1], box.high[-1] = least[lead], limit[lead]
    return box


def aim(box: Targets, uniform: Array, points: int = 25) -> Aimed:
    """Search the box from the best uniform plan and other starts."""
    counted = _Counted(box)
    starts = _starts(box, uniform)
    ends = [counted.best(row[None], -np.inf) or (-np.inf, row) for row in starts]
    if box.smooth:
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
    slope = _open_slope(box, best[1]) if box.smooth else np.nan
    return Aimed(best[1], best[0], len(starts), counted.count, slope)


class _Counted:
    """The objective, counting the plans that are solved."""

    def __init__(self, box: Targets) -> None:
        self.box, self.count = box, 0

    def values(self, rows: Array) -> Array:
        self.count += len(rows)
        return self.box.values(rows)

    def best(self, rows: Array, floor: float) -> tuple[float, Array] | None:
        """The best of some rows, if it is better than the floor."""
        values = self.values(rows)
        if self.box.confirm is None:
            k = int(values.argmax())
            return (float(values[k]), rows[k].copy()) if values[k] > floor else None
        for k in np.argsort(-values, kind="stable")[:CONFIRMED]:
            if not values[k] > floor:
                return None
            self.count += 1
            real = self.box.confirm(rows[k])
            if real > floor:
                return real, rows[k].copy()
        return None


def _starts(box: Targets, uniform: Array) -> list[Array]:
    """The best uniform plan; nobody, everybody, the larger and the smaller half threatened; random."""
    n = box.game.size
    low, high = box.low, box.high
    gdp = box.game.by_member("gdp")
    large = gdp >= np.median(np.delete(gdp, box.game.members.leader_index))
    found = [np.clip(uniform, low, high) if not np.isnan(uniform[-1]) else uniform.copy()]
    threats, tariffs = box.part("threat"), box.part("tariff")
    for who in (np.full(n, False), np.full(n, True), large, ~large):
        row = found[0].copy()
        row[threats] = np.where(box.free[threats], np.where(who, 1.0, 0.0), row[threats])
        row[tariffs] = np.where(box.free[tariffs] & ~who, 0.0, row[tariffs])
        found.append(row)
    rng = np.random.default_rng(SEED)
    span = np.nan_to_num(high - low)
    for _ in range(RANDOM_STARTS):
        row = found[0].copy()
        share = rng.random(len(row))
        row[:-1] = (low + span * share)[:-1]
        if span[-1] > 0:
            row[-1] = np.clip(row[-1] * (0.7 + 0.6 * share[-1]), low[-1], high[-1])
        found.append(row)
    return found


def _climbed(box: Targets, counted: _Counted, row: Array) -> tuple[float, Array]:
    """A quasi-Newton climb with exact slopes; where it ends, and its value."""
    from scipy.optimize import minimize

    free = box.free
    unit = box.units[free]
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
        if box.smooth and turn % 3 == 2:
            value, row = max((value, row), _climbed(box, counted, row), key=lambda end: end[0])
        width *= 0.35
        if value - before < ENOUGH and width < 1e-3:
            break
    return value, row


def _swept(
    box: Targets, counted: _Counted, value: float, row: Array, width: float, points: int
) -> tuple[float, Array]:
    """One ally after another takes the best of a lattice; then the burden.

    One around its threat and demand, then one around its tariff and demand. A lattice reaches `width`
    of the range to both sides; no threat and no tariff are always on it.
    """
    low, high, free = box.low, box.high, box.free
    row = row.copy()

    def axis(k: int, count: int, *more: float) -> Array:
        if not free[k]:
            return row[k : k + 1]
        reach = width * (high[k] - low[k])
        axis = np.linspace(max(low[k], row[k] - reach), min(high[k], row[k] + reach), count)
        return np.unique(np.concatenate([axis, [row[k]], more]))

    demand = box.part("demand")
    rates: list[Rate] = [name for name in ("threat", "tariff") if free[box.part(name)].any()] or [
        "threat"
    ]
    both = free[demand].any() and free[box.part(rates[0])].any()
    count = 7 if both else points
    for i in range(box.game.size):
        for name in rates:
            k, at = box.part(name).start + i, demand.start + i
            if not (free[k] or free[at]):
                continue
            demands = axis(at, count)
            pushes = axis(k, count, *([0.0] if free[k] else []))
            tried = np.repeat(pushes[None], len(demands), axis=0)
            if free[k]:
                tried = np.concatenate([tried, _ridge(box, row, i, demands, width, name)], axis=1)
            rows = np.repeat(row[None], tried.size, axis=0)
            rows[:, k], rows[:, at] = tried.ravel(), np.repeat(demands, tried.shape[1])
            value, row = counted.best(rows, value) or (value, row)
    if free[-1]:
        tried = axis(len(row) - 1, points)
        rows = np.repeat(row[None], len(tried), axis=0)
        rows[:, -1] = tried
        value, row = counted.best(rows, value) or (value, row)
    return value, row


def _ridge(
    box: Targets, row: Array, member: int, demands: Array, width: float, name: Rate
) -> Array:
    """Threats or tariffs about those at which an ally just bunches at each demand, (demand, 4)."""
    k = box.part(name).start + member
    if box.game.shortfall != "proportional":
        return np.full((len(demands), 0), row[k])
    x = box.solve(row[None], whole=True).burden[0]
    at = ridges(box.game, box.form, box.given(row), x, member, demands, name)
    near = at[:, None] * (1.0 + min(width, 0.1) * np.array([-0.3, 0.0, 0.1, 1.0]))
    return np.asarray(np.clip(np.where(np.isfinite(near), near, row[k]), box.low[k], box.high[k]))


def _open_slope(box: Targets, row: Array) -> float:
    """The largest slope of the payoff that the bounds leave open, per unit of threat or 5 % of GDP.

    At a ridge (an ally that just bunches) slopes differ by side, and this is one of them.
    """
    slope = box.slopes(row, box.solve(row[None], whole=True).burden[0]) * box.units
    slope = np.where(row <= box.low, np.maximum(slope, 0.0), slope)
    slope = np.where(row >= box.high, np.minimum(slope, 0.0), slope)
    open_: Array = np.abs(slope[box.free])
    return float(open_.max(initial=0.0))
