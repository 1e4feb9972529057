"""What patience does to threats, and how long trust takes to return."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.game.checks import check_game, check_whole
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array, as_number
from alliancegame.game.plan import DEFAULT_DEMAND, Plan
from alliancegame.solve import aggregative
from alliancegame.solve.dynamic.asked import check_floor
from alliancegame.solve.dynamic.control import (
    FLOOR,
    game_control,
)
from alliancegame.solve.dynamic.kept import myopic_actions
from alliancegame.solve.dynamic.law import AllianceLaw, groups_of
from alliancegame.solve.dynamic.markov import Tabulated, best_actions, solve_quickly
from alliancegame.solve.dynamic.result import TrustPath
from alliancegame.solve.result import Result, numbers, provenance
from alliancegame.solve.trust_path import follow_trust_path

if TYPE_CHECKING:
    import pandas as pd

SCANNED = 25
LEAST_CHANGE = 1e-3
"""A first threat counts as lower than the myopic one by this much, and as none below it."""


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
