"""The leader's frontier between savings and influence, and its isoquants (docs/theory/outcomes)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.game.checks import check_game, check_plan_type, check_smooth, check_whole
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, measures
from alliancegame.solve.nash import status_quo
from alliancegame.solve.result import Result, numbers, provenance

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Frontier(Result):
    """What the leader can have of savings and influence as its own burden varies, allies answering.

    Arrays of shape (points,), in order of the leader's burden: `burdens`, `savings`, `influences`,
    `payoffs`, `securities` (effective bn US$), `allied_burdens`. Burdens to which the allies have no
    answer, or that leave the leader without a finite payoff, are left out and counted in `failed`.
    """

    kind: ClassVar[str] = "frontier"

    game: BurdenSharingGame
    plan: Plan
    burdens: Array
    savings: Array
    influences: Array
    payoffs: Array
    securities: Array
    allied_burdens: Array
    worst_regret: float
    failed: int

    def headline(self) -> str:
        """One line that says what was found."""
        return (
            f"frontier under {self.plan.describe()}: {len(self.burdens)} burdens of "
            f"{self.game.leader} from {self.burdens[0]:.2%} to {self.burdens[-1]:.2%}, "
            f"largest regret {self.worst_regret:.1e}"
        )

    def to_frame(self) -> pd.DataFrame:
        """The points, a row each."""
        import pandas as pd

        return pd.DataFrame(
            {
                "burden": self.burdens,
                "savings": self.savings,
                "influence": self.influences,
                "payoff": self.payoffs,
                "security": self.securities,
                "allied_burden": self.allied_burdens,
            }
        )

    def _content(self) -> dict[str, Any]:
        arrays = ("burdens", "savings", "influences", "payoffs", "securities", "allied_burdens")
        return {
            "game": self.game.to_dict(),
            "plan": self.plan.to_dict(),
            **{name: getattr(self, name).tolist() for name in arrays},
            "worst_regret": self.worst_regret,
            "failed": self.failed,
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the frontier from its plain values."""
        return cls(
            BurdenSharingGame.from_dict(
                {**content["game"], "provenance": content["provenance"].get("game", {})}
            ),
            Plan(**content["plan"]),
            numbers(content["burdens"]),
            numbers(content["savings"]),
            numbers(content["influences"]),
            numbers(content["payoffs"]),
            numbers(content["securities"]),
            numbers(content["allied_burdens"]),
            float(content["worst_regret"]),
            int(content["failed"]),
        )


def frontier(
    game: BurdenSharingGame, plan: Plan | None = None, *, points: int = 201, burdens: Any = None
) -> Frontier:
    """Trace (savings, influence) over the leader's burden, the allies answering under `plan`.

    Without a plan it is the frontier at A's trust; with one, the frontier that lost trust leaves
    (the plan's own burden is ignored). `burdens` gives the leader's burdens, shape (points,);
    otherwise `points` of them cover its whole range, denser at small ones.

    Raises `InvalidValueError` for fewer than two points or burdens outside the leader's bounds,
    `UnsupportedFormError` for triggers and the exact limits of the technology.
    """
    plan = Plan() if plan is None else plan
    check_game(game, "frontier")
    check_smooth(game, "frontier")
    check_plan_type(plan)
    plan = plan.replace(burden=None)
    aggregative.check_plan(game, plan)
    grid = _grid(game, points, burdens)
    shape = (len(grid), game.size)
    batch = aggregative.solve_plans(
        game,
        np.broadcast_to(plan.threat_by_member(game.members), shape),
        np.broadcast_to(plan.demand_by_member(game.members), shape),
        grid,
        tariffs=plan.tariff_by_member(game.members),
        whole=True,
    )
    lead = game.members.leader_index
    kept = np.flatnonzero(np.isfinite(batch.leader_payoff))
    if not kept.size:
        raise InvalidValueError(
            f"no burden of {game.leader} in [{grid[0]:g}, {grid[-1]:g}] gives it a finite payoff."
        )
    return Frontier(
        game,
        plan,
        grid[kept],
        np.array([measures.savings(game, batch.burden[k], batch.security[k]) for k in kept]),
        batch.influence[kept, lead],
        batch.payoff[kept, lead],
        batch.security[kept, lead],
        np.array([measures.allied_burden(game, batch.burden[k]) for k in kept]),
        float(batch.column("regret")[kept].max()),
        len(grid) - len(kept),
    )


def _grid(game: BurdenSharingGame, points: int, burdens: Any) -> Array:
    lead = game.members.leader_index
    low, high = game.by_member("burden_min")[lead], game.by_member("burden_max")[lead]
    if burdens is None:
        check_whole(points, "points", 2)
        return np.asarray(low + (high - low) * np.linspace(0.0, 1.0, points) ** 2)
    try:
        grid = np.sort(np.asarray(burdens, dtype=np.float64).ravel())
    except (TypeError, ValueError) as error:
        raise InvalidValueError(
            f"burdens must be at least two numbers in [{low:g}, {high:g}], the bounds of "
            f"{game.leader}; got {burdens!r}."
        ) from error
    if grid.size < 2 or not np.all((grid >= low) & (grid <= high)):
        raise InvalidValueError(
            f"burdens must be at least two numbers in [{low:g}, {high:g}], the bounds of {game.leader}."
        )
    return grid


def isoquant(game: BurdenSharingGame, payoff: float, influences: Any) -> Array:
    """Compensated savings at which each influence gives the leader `payoff`, security held at A's.

    `influences` has shape (points,); so has the result, nan where no savings do it. Isoquants belong
    on the plane of compensated savings and influence, not on that of the frontier.
    """
    securities = status_quo(game).securities
    return np.array(
        [
            measures.compensated_savings(game, securities, float(p), payoff) if p > 0 else math.nan
            for p in np.asarray(influences, dtype=np.float64).ravel()
        ]
    )
