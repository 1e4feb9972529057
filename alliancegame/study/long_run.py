"""Where trust goes under the optimal policy: its long-run levels, and the thresholds between them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import UnsupportedFormError
from alliancegame.game.checks import check_game
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import DEFAULT_DEMAND, Plan
from alliancegame.solve import aggregative
from alliancegame.solve.dynamic.asked import check_discount, check_floor
from alliancegame.solve.dynamic.checks import warn_if_coarse
from alliancegame.solve.dynamic.control import FLOOR, GameControl, game_control
from alliancegame.solve.dynamic.interpolation import Interpolant
from alliancegame.solve.dynamic.law import TrustMotion
from alliancegame.solve.dynamic.markov import Tabulated, best_actions, solve_markov
from alliancegame.solve.result import Result, numbers, provenance

if TYPE_CHECKING:
    import pandas as pd

POINTS = 401
"""Levels of trust at which the policy is tabulated."""
AIM, KINKED = 1e-7, 1e-6
"""The Bellman residual aimed at, and the one that is let pass: the value has a kink at a threshold."""
STILL = 1e-7
"""Trust that moves less than this share of itself in a period stays."""
STRETCH = 5
"""More neighbouring levels than these that stay are a stretch, not a rounded crossing."""
NEARLY_ALL = 0.98
"""The share of levels that stay from which on every level of trust is said to."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LongRun(Result):
    """The optimal policy's map of trust, and where it leads.

    `trust`, `ahead`, `threats` and `values` have shape (point,): trust at the beginning of a period and
    of the next one (shares of the ceiling), the optimal threat, and the value. From above each of the
    `thresholds` trust goes up to the next of the `levels`, from below down to the one before; where the
    threat jumps there, the leader is indifferent between two courses (Skiba 1978). A level at `floor`
    means that trust goes on falling (`floor` is 0 where the law sets a higher bound). `levels` is empty
    if every trust stays where it is; `still` are the stretches (lowest, highest) in which it does, or
    moves by less than 1e-7 of itself in a period (slow recovery near the floor is such a stretch).
    """

    kind: ClassVar[str] = "long run"

    game: BurdenSharingGame
    discount: float
    demand: Any
    floor: float
    trust: Array
    ahead: Array
    threats: Array
    values: Array
    levels: tuple[float, ...]
    thresholds: tuple[float, ...]
    residual: float

    @property
    def collapses(self) -> bool:
        """Whether the lowest level is trust that goes on falling, as far as `floor` lets it."""
        return bool(self.levels) and self.levels[0] <= 1.05 * self.floor

    @property
    def still(self) -> tuple[tuple[float, float], ...]:
        """Stretches of trust, each (lowest, highest), that moves by less than 1e-7 of itself."""
        return tuple(
            (float(self.trust[first]), float(self.trust[last]))
            for first, last in _stretches(_signs(self.trust, self.ahead) == 0)
        )

    def headline(self) -> str:
        """One line that says what was found."""
        stays = ", ".join(f"[{low:.4g}, {high:.4g}]" for low, high in self.still)
        if not self.levels and crossings(self.trust, self.ahead)[2]:
            return f"discount {self.discount:g}: every level of trust stays where it is"
        if not self.levels:
            return f"discount {self.discount:g}: trust stays where it is in {stays}"
        shown = [f"{v:.4g}" for v in self.levels]
        if self.collapses:
            shown[0] = "none"
        between = ", ".join(f"{v:.4g}" for v in self.thresholds)
        return (
            f"discount {self.discount:g}: long-run trust {' or '.join(shown)}"
            + (f", the threshold between at {between}" if between else "")
            + (f", next to no movement in {stays}" if stays else "")
            + f"; Bellman residual {self.residual:.1e}"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row for each level of trust."""
        import pandas as pd

        names = ("trust", "ahead", "threats", "values")
        return pd.DataFrame({name: getattr(self, name) for name in names})

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "discount": self.discount,
            "demand": self.demand,
            "floor": self.floor,
            **{name: getattr(self, name).tolist() for name in _TABLES},
            "levels": list(self.levels),
            "thresholds": list(self.thresholds),
            "residual": self.residual,
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
            float(content["discount"]),
            content["demand"],
            float(content["floor"]),
            **{name: numbers(content[name]) for name in _TABLES},
            levels=tuple(float(v) for v in content["levels"]),
            thresholds=tuple(float(v) for v in content["thresholds"]),
            residual=float(content["residual"]),
        )


_TABLES = ("trust", "ahead", "threats", "values")


def long_run_trust(
    game: BurdenSharingGame,
    discount: float = 0.95,
    *,
    demand: Any = DEFAULT_DEMAND,
    law: TrustMotion | None = None,
    floor: float = FLOOR,
) -> LongRun:
    """Where trust ends under the optimal policy from every level at which it may begin.

    The policy is that of `solve_trust_path(concept="markov")`, over trust from the least that full
    threats lead to (or `floor`, if they lead below it) to the ceiling; the initial trust does not
    matter. Levels and thresholds are bisected. With a convex-concave recovery (`recovery_threshold`, or
    a `law` of one's own) there can be two levels with a threshold between. The law must have one state.

    Raises as `solve_trust_path`; warns `CoarseGridWarning` if the Bellman residual stays above 1e-6.
    """
    check_game(game, "long_run_trust")
    delta, floor = check_discount(discount), check_floor(floor)
    plan = Plan(threat=1.0, demand=demand)
    aggregative.check_plan(game, plan)
    anywhere = game.replace(trust=game.trust_ceiling)
    motion = law
    if isinstance(law, TrustMotion):
        motion = dataclasses.replace(law, initial=(1.0,) * len(law.states))
    control = game_control(anywhere, plan.demand_by_member(game.members), motion, floor=floor)
    if len(control.states) > 1:
        raise UnsupportedFormError(
            "long_run_trust needs a law with one state (a common decay and trust, no scarring, one "
            f"component); here it has {len(control.states)}: {', '.join(control.states)}."
        )
    solution = solve_markov(Tabulated(control), delta, AIM)
    warn_if_coarse(solution.residual, KINKED, None)
    spline = solution.grid.interpolant(solution.values)
    trust = np.geomspace(control.low[0], 1.0, POINTS)
    trust[[0, -1]] = control.low[0], 1.0
    threats, values = best_actions(control, delta, spline, trust[:, None])
    ahead = control.advance(trust[:, None], threats)[:, 0]
    levels, thresholds = _refined(control, delta, spline, trust, ahead)
    floor = float(floor if control.cut else 0.0)
    return LongRun(
        game, delta, plan.demand, floor, trust, ahead, threats, values, levels, thresholds,
        solution.residual,
    )  # fmt: skip


def crossings(trust: Array, ahead: Array) -> tuple[NDArray[np.intp], NDArray[np.intp], bool]:
    """Where a map of trust crosses the diagonal: (stable, unstable, everywhere).

    Positions k say that it does between trust[k] and trust[k + 1]; -1 stands for the lower end, to
    which trust falls, and len(trust) - 1 for the upper one. `everywhere`: nearly all levels stay as they
    are. Fewer that stay do not hide the crossings of the others; a stretch of them at an end is what
    trust comes to from the side, in place of that end.
    """
    sign = _signs(trust, ahead)
    if np.mean(sign == 0) >= NEARLY_ALL:
        return np.array([], dtype=np.intp), np.array([], dtype=np.intp), True
    at, last = np.flatnonzero(sign), len(trust) - 1
    inside = sign[at]
    stable = at[:-1][(inside[:-1] > 0) & (inside[1:] < 0)]
    unstable = at[:-1][(inside[:-1] < 0) & (inside[1:] > 0)]
    bottom = [at[0] - 1 if at[0] > STRETCH else -1] if inside[0] < 0 else []
    top = [at[-1] if last - at[-1] > STRETCH else last] if inside[-1] > 0 else []
    return np.concatenate([bottom, stable, top]).astype(np.intp), unstable, False


def _signs(trust: Array, ahead: Array) -> Array:
    """Whether trust rises (1), falls (-1) or stays (0) in a period."""
    move = ahead - trust
    return np.where(np.abs(move) < STILL * np.maximum(trust, 1e-3), 0.0, np.sign(move))


def _stretches(still: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last positions of runs of more than STRETCH levels that stay."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], still, [False]]).astype(int)))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2) if b - a > STRETCH]


def _refined(
    control: GameControl, discount: float, spline: Interpolant, trust: Array, ahead: Array
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Levels and thresholds, bisected; a jump of the policy across the diagonal is found as well."""
    stable, unstable, everywhere = crossings(trust, ahead)
    if everywhere:
        return (), ()

    def rises(level: float) -> bool:
        state = np.array([[level]])
        threat, _ = best_actions(control, discount, spline, state)
        return bool(control.advance(state, threat)[0, 0] > level)

    def bisected(k: int, up_above: bool) -> float:
        low, high = float(trust[k]), float(trust[min(k + 2, len(trust) - 1)])
        while high - low > 1e-7:
            middle = math.sqrt(low * high)
            low, high = (low, middle) if rises(middle) == up_above else (middle, high)
        return 0.5 * (low + high)

    ends = {-1: float(trust[0]), len(trust) - 1: float(trust[-1])}
    levels = tuple(ends[int(k)] if int(k) in ends else bisected(int(k), False) for k in stable)
    return levels, tuple(bisected(int(k), True) for k in unstable)
