"""What patience does to threats, how long trust takes to return, and where it goes in the long run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import InvalidValueError, UnsupportedFormError, unknown_name
from alliancegame.game.checks import check_game, check_whole, shown
from alliancegame.game.game import PARAMETERS, BurdenSharingGame
from alliancegame.game.parameters import Array, as_number
from alliancegame.game.plan import DEFAULT_DEMAND, Plan
from alliancegame.game.trust import TRUST_PARAMETERS
from alliancegame.solve import aggregative
from alliancegame.solve.dynamic.asked import check_discount, check_floor
from alliancegame.solve.dynamic.control import (
    FLOOR,
    GameControl,
    game_control,
    game_stage,
    least_operating,
    least_reachable,
)
from alliancegame.solve.dynamic.kept import myopic_actions
from alliancegame.solve.dynamic.law import AllianceLaw, groups_of
from alliancegame.solve.dynamic.markov import Tabulated, best_actions, solve_quickly
from alliancegame.solve.dynamic.result import TrustPath
from alliancegame.solve.dynamic.stage import StageTable
from alliancegame.solve.result import Result, numbers, provenance
from alliancegame.solve.trust_path import follow_trust_path

if TYPE_CHECKING:
    import pandas as pd

SCANNED = 25
LEAST_CHANGE = 1e-3
"""A first threat counts as lower than the myopic one by this much, and as none below it."""
LONG_RUN = 400
"""Periods after which a path under the optimal policy is taken to have arrived."""
COLLAPSED = 0.1
"""Trust below this share of its ceiling counts as collapsed."""
REGIMES = ("never", "fading", "lasting", "collapse")
"""No threat at first; threats that end; threats for ever; trust below COLLAPSED in the long run."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Patience(Result):
    """First threats under the optimal policy by discount factor, each (point,).

    `below` is the least discount factor from which the first threat falls short of the `myopic` one by
    more than 0.001, `never` the least one from which the leader does not threaten at first; nan if
    that does not happen below the largest factor tried.
    """

    kind: ClassVar[str] = "patience"

    game: BurdenSharingGame
    demand: Any
    discounts: Array
    first_threats: Array
    myopic: float
    below: float
    never: float

    def headline(self) -> str:
        """One line that says what was found."""
        never = (
            f"none from a discount factor of {self.never:.4f} on"
            if math.isfinite(self.never)
            else f"some up to {self.discounts[-1]:g}"
        )
        below = (
            f"below that from {self.below:.4f} on" if math.isfinite(self.below) else "never below"
        )
        return f"first threat: {self.myopic:.4g} if myopic, {below}, {never}"

    def to_frame(self) -> pd.DataFrame:
        """First threat by discount factor."""
        import pandas as pd

        return pd.DataFrame({"discount": self.discounts, "first_threat": self.first_threats})

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "demand": self.demand,
            "discounts": self.discounts.tolist(),
            "first_threats": self.first_threats.tolist(),
            "myopic": self.myopic,
            "below": self.below,
            "never": self.never,
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        game = BurdenSharingGame.from_dict(
            {**content["game"], "provenance": content["provenance"].get("game", {})}
        )
        return cls(
            game,
            content["demand"],
            numbers(content["discounts"]),
            numbers(content["first_threats"]),
            *(float(content[name]) for name in ("myopic", "below", "never")),
        )


def patience_threshold(
    game: BurdenSharingGame,
    *,
    demand: Any = DEFAULT_DEMAND,
    most: float = 0.98,
    tolerance: float = 1e-4,
    floor: float = FLOOR,
) -> Patience:
    """The discount factors at which the first threat falls below its myopic level, and to nothing.

    The optimal ("markov") policy is solved on one table of the stage game for a scan of discount
    factors up to `most`; each threshold is then bisected to `tolerance`, within the scanned interval
    in which it is crossed for the last time.

    Raises as `solve_trust_path`.
    """
    check_game(game, "patience_threshold")
    if not 0 < as_number(most, "most") < 1:
        raise InvalidValueError(f"most must be in (0, 1), got {most:g}.")
    if not 1e-12 <= as_number(tolerance, "tolerance") < 1:
        raise InvalidValueError(
            f"tolerance must be in [1e-12, 1), a difference of discount factors; got {tolerance:g}."
        )
    check_floor(floor)
    plan = Plan(threat=1.0, demand=demand)
    aggregative.check_plan(game, plan)
    control = game_control(game, plan.demand_by_member(game.members), floor=floor)
    tabulated = Tabulated(control)
    start = np.asarray(control.initial)[None, :]
    myopic = float(myopic_actions(control, start)[0])

    def first(discount: float) -> float:
        value, _ = solve_quickly(tabulated, discount)
        return float(best_actions(control, discount, value, start, False)[0][0])

    discounts = np.linspace(0.0, most, SCANNED)[1:]
    threats = np.array([first(d) for d in discounts])

    def crossing(level: float) -> float:
        """The last discount factor at which the first threat is above a level."""
        above = threats > level
        if above[-1]:
            return math.nan
        last = np.flatnonzero(above)
        low = float(discounts[last[-1]]) if last.size else 0.0
        high = float(discounts[last[-1] + 1]) if last.size else float(discounts[0])
        if not last.size and myopic <= level:
            return 0.0
        while high - low > tolerance:
            middle = 0.5 * (low + high)
            low, high = (middle, high) if first(middle) > level else (low, middle)
        return 0.5 * (low + high)

    return Patience(
        game, plan.demand, discounts, threats, myopic, crossing(myopic - LEAST_CHANGE),
        crossing(LEAST_CHANGE),
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class RecoveryTime:
    """Periods until a share of the trust lost to a threat has been won back.

    `periods` without turnover (inf if never), `expected` over turnover; `lost` is the share of mean
    trust that the threat cost, and `trust` the mean trust that is waited for.
    """

    periods: float
    expected: float
    lost: float
    trust: float


def recovery_time(
    game: BurdenSharingGame, threat: Any = 1.0, *, share: float = 0.5, longest: int = 10_000
) -> RecoveryTime:
    """How long after one period of a threat a `share` of the lost mean trust takes to return.

    Counted in periods from the threat's own, at the moment allies answer, with no threat afterwards.
    With turnover at most one new leader matters, since personal trust is then at its ceiling.

    Raises `InvalidValueError` for a share outside (0, 1].
    """
    check_game(game, "recovery_time")
    if not 0 < as_number(share, "share") <= 1:
        raise InvalidValueError(f"share must be in (0, 1], got {share:g}.")
    check_whole(longest, "longest", 1)
    law = AllianceLaw(game, groups_of(game, each=True))
    weight = _group_weight(game, law)
    asked = Plan(threat=threat).threat_by_member(game.members)
    action = np.empty((1, law.count))
    action[0, law.group[law.group >= 0]] = asked[law.group >= 0]
    calm = np.zeros((1, law.count))

    def mean(state: Array) -> float:
        return float((law.operating(state, calm) @ weight)[0])

    before = mean(law.initial[None])
    after = float((law.operating(law.initial[None], action) @ weight)[0])
    goal = after + share * (before - after)
    if before - after <= 0:
        return RecoveryTime(0.0, 0.0, 0.0, before)
    slack = 1e-12

    def wait(state: Array, passed: int) -> float:
        for t in range(longest):
            if mean(state) >= goal - slack:
                return float(passed + t)
            ahead = law.advance(state, calm)
            if np.abs(ahead - state).max() < 1e-15:
                break
            state = ahead
        return math.inf

    state = law.advance(law.initial[None], action)
    alone = wait(state, 1)
    q, reached, expected = law.turnover, 1.0, 0.0
    if not q:
        return RecoveryTime(alone, alone, 1 - after / before, goal)
    t = 1
    while reached > 1e-12 and t < longest and t <= alone:
        # A turnover at the end of the period before t: the state that t begins with has jumped.
        expected += reached * q * wait(law.jump(state), t)
        reached *= 1 - q
        if mean(state) >= goal - slack:
            break
        state, t = law.advance(state, calm), t + 1
    expected += reached * alone if math.isfinite(alone) else (math.inf if reached > 1e-9 else 0.0)
    return RecoveryTime(alone, expected, 1 - after / before, goal)


def _group_weight(game: BurdenSharingGame, law: AllianceLaw) -> Array:
    gdp, ceiling = game.by_member("gdp"), game.by_member("trust_ceiling")
    allies = law.group >= 0
    share = gdp * ceiling / gdp[allies].sum()
    return np.array([share[law.group == g].sum() for g in range(law.count)])


def dynamic_backfire(
    game: BurdenSharingGame, threats: Sequence[Any], discount: float = 0.95, **options: Any
) -> TrustPath:
    """Follow given threats; `.dynamic_backfire` of the path says whether they gain first and lose in all.

    `options` are those of `follow_trust_path`.
    """
    return follow_trust_path(game, threats, discount=discount, **options)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class TrustRegimes(Result):
    """The optimal policy over two parameters. Arrays have shape (first axis, second axis).

    `first_threats` and `myopic_threats` are those of the first period; `long_threats` and `long_trust`
    (mean trust at the beginning of a period, as a share of the ceilings) those after 400 periods
    without turnover. `levels` is the number of long-run levels of trust under the policy (inf: every
    level is one, as where no trust returns), `thresholds` the lowest trust from which a path leads up
    and below which one leads down (nan if there is none). `regimes` are positions in REGIMES, -1 where
    the cell has no answer.
    """

    kind: ClassVar[str] = "trust regimes"

    game: BurdenSharingGame
    names: tuple[str, str]
    axes: tuple[Array, Array]
    first_threats: Array
    myopic_threats: Array
    long_threats: Array
    long_trust: Array
    levels: Array
    thresholds: Array
    regimes: Array
    reasons: tuple[str, ...]

    def headline(self) -> str:
        """One line that says what was found."""
        total = self.regimes.size
        shares = ", ".join(
            f"{name} {np.count_nonzero(self.regimes == k) / total:.0%}"
            for k, name in enumerate(REGIMES)
        )
        return f"{self.names[0]} by {self.names[1]}, {total} cells: {shares}"

    def to_frame(self) -> pd.DataFrame:
        """A row for each cell."""
        import pandas as pd

        first, second = np.meshgrid(*self.axes, indexing="ij")
        named = [REGIMES[k] if k >= 0 else "no answer" for k in self.regimes.ravel().astype(int)]
        columns = {self.names[0]: first.ravel(), self.names[1]: second.ravel()}
        columns |= {name: getattr(self, name).ravel() for name in _CELLS[:-1]}
        return pd.DataFrame(columns).assign(regime=named)

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "names": list(self.names),
            "axes": [axis.tolist() for axis in self.axes],
            **{name: getattr(self, name).tolist() for name in _CELLS},
            "reasons": list(self.reasons),
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        game = BurdenSharingGame.from_dict(
            {**content["game"], "provenance": content["provenance"].get("game", {})}
        )
        first, second = (numbers(axis) for axis in content["axes"])
        tables = {
            name: np.array([[float(v) for v in row] for row in content[name]]) for name in _CELLS
        }
        return cls(
            game,
            tuple(content["names"]),
            (first, second),
            **tables,
            reasons=tuple(content["reasons"]),
        )


_CELLS = (
    "first_threats", "myopic_threats", "long_threats", "long_trust", "levels", "thresholds", "regimes",
)  # fmt: skip
_ALLOWED = tuple(p.name for p in TRUST_PARAMETERS if p.name != "trust_ceiling")


def trust_regimes(
    game: BurdenSharingGame,
    over: Mapping[str, Sequence[float]],
    *,
    discount: float = 0.95,
    demand: Any = DEFAULT_DEMAND,
    floor: float = FLOOR,
) -> TrustRegimes:
    """Who threatens how much, and where trust ends, over two of the law's parameters or the discount.

    `over` maps two names ("discount", "decay", "recovery", ...) to values. The law must have one
    state. One table of the stage game serves all cells: it does not depend on the law. Without
    turnover an announced path is worth as much as the policy (K12), so that only the myopic leader
    is shown beside it.

    Raises `UnknownNameError`, `InvalidValueError`, `UnsupportedFormError`.
    """
    check_game(game, "trust_regimes")
    check_discount(discount)
    check_floor(floor)
    if not isinstance(over, Mapping):
        raise InvalidValueError(
            'over must map two parameters to values, such as {"decay": [0.2, 0.4], "discount": [0.5, '
            f"0.9]}}, got {shown(over)}."
        )
    names = tuple(over)
    if len(names) != 2:
        raise InvalidValueError(f"over must name two parameters, got {len(names)}: {names!r}.")
    for name in names:
        if name not in ("discount", *_ALLOWED):
            raise unknown_name("parameter of a trust regime", name, ("discount", *_ALLOWED))
    axes = tuple(_axis(name, over[name]) for name in names)
    for name, axis in zip(names, axes, strict=True):
        for value in axis:
            if name == "discount":
                check_discount(value)
            elif not PARAMETERS[name].contains(np.float64(value)):  # type: ignore[arg-type]
                raise InvalidValueError(
                    f"{name} must be {PARAMETERS[name].admissible}, got {value:g}."
                )
    plan = Plan(threat=1.0, demand=demand)
    aggregative.check_plan(game, plan)
    return _over_cells(game, names, axes, discount, plan.demand_by_member(game.members), floor)  # type: ignore[arg-type]


def _axis(name: str, values: Any) -> Array:
    """The values of one axis, as numbers that rise."""
    bare = isinstance(values, (str, Mapping)) or not hasattr(values, "__len__") or not len(values)
    if bare:
        raise InvalidValueError(
            f"over[{name!r}] must be a list of values that rise, got {shown(values)}."
        )
    axis = np.array([as_number(v, name) for v in values])
    if (np.diff(axis) <= 0).any():
        raise InvalidValueError(
            f"over[{name!r}] must be a list of values that rise, got {shown(values)}."
        )
    return axis


def _over_cells(
    game: BurdenSharingGame,
    names: tuple[str, str],
    axes: tuple[Array, Array],
    discount: float,
    demand: Array,
    floor: float,
) -> TrustRegimes:
    shape = (len(axes[0]), len(axes[1]))
    tables = {name: np.full(shape, np.nan) for name in _CELLS}
    tables["regimes"][:] = -1
    reasons: list[str] = []
    laws: dict[tuple[float, ...], Tabulated] = {}
    table = _table(game, names, axes, demand, floor)
    for i, j in np.ndindex(shape):
        cell = {names[0]: float(axes[0][i]), names[1]: float(axes[1][j])}
        delta = cell.pop("discount", discount)
        key = tuple(cell.values())
        try:
            if key not in laws:
                laws[key] = Tabulated(
                    game_control(
                        game.replace(**cell), demand, floor=floor, most_states=1, table=table
                    )
                )
            found = _cell(laws[key], delta)
        except InvalidValueError as error:
            reasons.append(f"{cell}: {error}")
            continue
        for name, value in found.items():
            tables[name][i, j] = value
    return TrustRegimes(game, names, axes, **tables, reasons=tuple(reasons))


def _table(
    game: BurdenSharingGame,
    names: tuple[str, str],
    axes: tuple[Array, Array],
    demand: Array,
    floor: float,
) -> StageTable:
    """A table of the stage game that reaches down to the least trust of any cell."""
    lowest, stage = 1.0, game_stage(game, demand, AllianceLaw(game, groups_of(game)))
    for i, j in np.ndindex(len(axes[0]), len(axes[1])):
        cell = {names[0]: float(axes[0][i]), names[1]: float(axes[1][j])}
        cell.pop("discount", None)
        there = game.replace(**cell)
        law = AllianceLaw(there, groups_of(there))
        if len(law.states) > 1:
            raise UnsupportedFormError(
                "trust_regimes needs a law with one state (a common decay and trust, no scarring, one "
                f"component); here it has {len(law.states)}: {', '.join(law.states)}."
            )
        low, _ = least_reachable(law, floor)
        lowest = min(lowest, least_operating(law, low))
        stage = game_stage(there, demand, law)
        if not set(names) - {"discount"}:
            break
    return StageTable(stage, lowest)


def _cell(tabulated: Tabulated, discount: float) -> dict[str, float]:
    """One cell: first and long-run threats, long-run trust, levels and the threshold between."""
    control = tabulated.control
    value, _ = solve_quickly(tabulated, discount)
    start = np.asarray(control.initial)[None, :]
    trust = np.linspace(control.low[0], control.high[0], 401)[:, None]
    threats, _ = best_actions(control, discount, value, np.concatenate([start, trust]), False)
    first, policy = float(threats[0]), threats[1:]
    ahead = control.advance(trust, policy)[:, 0]
    levels, threshold = _levels(trust[:, 0], ahead)
    state = start
    for _ in range(LONG_RUN):
        threat = np.interp(state[:, 0], trust[:, 0], policy)
        moved = control.advance(state, threat)
        if np.abs(moved - state).max() < 1e-13:
            break
        state = np.clip(moved, control.low, control.high)
    long_trust = float(state[0, 0])
    long_threat = float(np.interp(long_trust, trust[:, 0], policy))
    myopic = float(_myopic(control, start))
    if long_trust < COLLAPSED:
        regime = 3
    elif long_threat > LEAST_CHANGE:
        regime = 2
    else:
        regime = 1 if first > LEAST_CHANGE else 0
    return {
        "first_threats": first, "myopic_threats": myopic, "long_threats": long_threat,
        "long_trust": long_trust, "levels": levels, "thresholds": threshold, "regimes": regime,
    }  # fmt: skip


def _myopic(control: GameControl | Any, start: Array) -> float:
    return float(myopic_actions(control, start)[0])


def _levels(trust: Array, ahead: Array) -> tuple[float, float]:
    """Stable long-run levels of a map of trust into next period's, and the lowest threshold."""
    move = ahead - trust
    sign = np.where(np.abs(move) < 1e-7 * np.maximum(trust, 1e-3), 0, np.sign(move))
    if np.count_nonzero(sign == 0) > 5:
        return math.inf, math.nan
    inside = sign[sign != 0]
    where = trust[sign != 0]
    stable = np.flatnonzero((inside[:-1] > 0) & (inside[1:] < 0))
    unstable = np.flatnonzero((inside[:-1] < 0) & (inside[1:] > 0))
    # The ends count where trust is carried into them.
    count = len(stable) + int(inside[0] < 0) + int(inside[-1] > 0)
    threshold = 0.5 * (where[unstable[0]] + where[unstable[0] + 1]) if unstable.size else math.nan
    return float(count), float(threshold)
