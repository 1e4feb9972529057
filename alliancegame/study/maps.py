"""Maps of outcomes: where, over two parameters, pressure pays, backfires or changes nothing."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import InvalidValueError
from alliancegame.game.checks import check_game, check_plan_type
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array, as_number
from alliancegame.game.plan import Plan
from alliancegame.solve.keys import parse_key
from alliancegame.solve.result import Result, numbers, provenance
from alliancegame.study.evaluate import (
    Evaluator,
    Progress,
    Quantity,
    answered,
    quantity,
    reason_counts,
)
from alliancegame.study.outcomes import OUTCOMES
from alliancegame.study.refit import refit_for
from alliancegame.study.regions import area, partition

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GAINS", "LOSSES", "NO_ANSWER", "Line", "RegimeMap", "regime_map"]

NO_ANSWER = "no answer"
"""What holds where a cell failed."""

GAINS, LOSSES = ("success", "windfall"), ("futile", "backfire")
"""Outcomes with which the leader is better off, and worse off."""

LEAST_SHARE = 5e-4
"""Regions smaller than this share of the rectangle are lines to the eye: pictures leave them out."""

MOST_POINTS = 1_000_000
"""Grid points of one map."""

_OUTPUTS = ("outcome", "gain_usd_bn", "regret", "verdict")


def _name(code: int) -> str:
    return OUTCOMES[code] if code >= 0 else NO_ANSWER


@dataclasses.dataclass(frozen=True, eq=False)
class Line:
    """A boundary: points of shape (point, 2) in the units of x and y, between two outcomes.

    The first outcome is on the left, as one walks from the first point to the last. Closed lines
    end where they begin.
    """

    between: tuple[str, str]
    points: Array


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class RegimeMap(Result):
    """The outcome of a plan over two parameters, with its boundaries.

    `x` and `y` are the keys varied, `x_values` and `y_values` the grid. `codes` and `gains_usd_bn`
    (the leader's gain, bn US$ a year) have shape (y, x); a code is a position in OUTCOMES, -1 where
    there is no answer. `regions` maps outcomes to closed rings of shape (corner, 2), outlines
    counterclockwise and holes clockwise: together they fill the rectangle exactly. `lines` are the
    boundaries between them: exact to `tolerance` of each range along grid edges, and between these
    points straight lines that keep within 2 % of a grid cell. `recalibrated` says which weight was
    calibrated anew at every value (empty if none), `reasons` why grid points have no answer, and how
    many.
    """

    kind: ClassVar[str] = "regime-map"

    game: BurdenSharingGame
    plan: Plan
    x: str
    y: str
    x_values: Array
    y_values: Array
    codes: NDArray[np.int64]
    gains_usd_bn: Array
    regions: Mapping[str, tuple[Array, ...]]
    lines: tuple[Line, ...]
    tolerance: float
    refine: int
    recalibrated: str
    worst_regret: float
    not_certified: int
    reasons: Mapping[str, int]
    solved: int

    @property
    def outcomes(self) -> NDArray[np.str_]:
        """The outcome's name at every grid point, shape (y, x)."""
        names = np.array([*OUTCOMES, NO_ANSWER])
        found: NDArray[np.str_] = names[self.codes]
        return found

    @property
    def failed(self) -> int:
        """Grid points without an answer."""
        return int(np.sum(self.codes < 0))

    @cached_property
    def shares(self) -> dict[str, float]:
        """The share of the rectangle on which each outcome holds, largest first; they sum to 1."""
        whole = np.ptp(self.x_values) * np.ptp(self.y_values)
        found = {name: area(rings) / float(whole) for name, rings in self.regions.items()}
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))

    @property
    def break_even(self) -> tuple[Array, ...]:
        """The lines at which a gain turns into a loss, each of shape (point, 2)."""
        return tuple(
            line.points
            for line in self.lines
            if any(name in GAINS for name in line.between)
            and any(name in LOSSES for name in line.between)
        )

    @property
    def quantities(self) -> tuple[Quantity, Quantity]:
        """What x and y stand for."""
        return quantity(self.game, self.plan, self.x), quantity(self.game, self.plan, self.y)

    @property
    def own(self) -> tuple[float, float]:
        """The game's and the plan's own x and y; nan where they have none."""
        return self.quantities[0].own, self.quantities[1].own

    def fixed(self) -> str:
        """What is the same everywhere: the rest of the plan, and what was done with the weights."""
        pressed = self.plan if self.plan.pressure else self.plan.replace(threat=1.0)
        varied = {parse_key(self.game, key).name for key in (self.x, self.y)}
        never = not self.plan.pressure and "threat" not in varied
        words = ("no threat" if never else pressed.describe()).split(", ")
        if never and self.plan.burden is not None:
            words.append(self.plan.describe())
        starts = tuple("own burden" if name == "burden" else name for name in varied)
        parts = [text for text in words if not text.startswith(starts)]
        weights = f"{self.recalibrated} calibrated anew everywhere, A stays as observed"
        settled = weights if self.recalibrated else "all weights as they are"
        return "; ".join(text for text in (", ".join(parts), settled) if text)

    def headline(self) -> str:
        """One line that says what was found."""
        found = ", ".join(
            f"{name} {share:.1%}" for name, share in self.shares.items() if share >= LEAST_SHARE
        )
        failed = f"; no answer at {self.failed} of {self.codes.size} points" if self.failed else ""
        return (
            f"{self.y} {self.y_values[0]:g} to {self.y_values[-1]:g} over {self.x} "
            f"{self.x_values[0]:g} to {self.x_values[-1]:g}: {found}{failed}"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row for each outcome: share of the rectangle, grid points, and the leader's gains there."""
        import pandas as pd

        rows = {}
        for name, share in self.shares.items():
            here = self.gains_usd_bn[self.outcomes == name]
            met = here.size > 0 and name != NO_ANSWER
            rows[name] = {
                "share": share,
                "points": int(here.size),
                "least_gain_usd_bn": float(here.min()) if met else math.nan,
                "greatest_gain_usd_bn": float(here.max()) if met else math.nan,
            }
        frame = pd.DataFrame.from_dict(rows, orient="index")
        return frame.rename_axis("outcome")

    def points(self) -> pd.DataFrame:
        """The grid, a row for each point: x, y, outcome and gain_usd_bn."""
        import pandas as pd

        across, up = np.meshgrid(self.x_values, self.y_values)
        columns = {
            self.x: across.ravel(),
            self.y: up.ravel(),
            "outcome": self.outcomes.ravel(),
            "gain_usd_bn": self.gains_usd_bn.ravel(),
        }
        return pd.DataFrame(columns)

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "plan": self.plan.to_dict(),
            "x": self.x,
            "y": self.y,
            "x_values": self.x_values.tolist(),
            "y_values": self.y_values.tolist(),
            "codes": self.codes.tolist(),
            "outcomes": [*OUTCOMES],
            "gains_usd_bn": self.gains_usd_bn.tolist(),
            "regions": {
                name: [ring.tolist() for ring in rings] for name, rings in self.regions.items()
            },
            "lines": [
                {"between": list(line.between), "points": line.points.tolist()}
                for line in self.lines
            ],
            "shares": self.shares,
            "tolerance": self.tolerance,
            "refine": self.refine,
            "recalibrated": self.recalibrated,
            "worst_regret": self.worst_regret,
            "not_certified": self.not_certified,
            "reasons": dict(self.reasons),
            "solved": self.solved,
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the map from its plain values."""
        return cls(
            BurdenSharingGame.from_dict(
                {**content["game"], "provenance": content["provenance"].get("game", {})}
            ),
            Plan(**content["plan"]),
            content["x"],
            content["y"],
            numbers(content["x_values"]),
            numbers(content["y_values"]),
            np.array(content["codes"], dtype=np.int64),
            np.array([numbers(row) for row in content["gains_usd_bn"]]),
            {
                name: tuple(np.array(ring, dtype=np.float64) for ring in rings)
                for name, rings in content["regions"].items()
            },
            tuple(
                Line(
                    (line["between"][0], line["between"][1]),
                    np.array(line["points"], dtype=np.float64),
                )
                for line in content["lines"]
            ),
            float(content["tolerance"]),
            int(content["refine"]),
            content["recalibrated"],
            float(content["worst_regret"]),
            int(content["not_certified"]),
            {str(why): int(count) for why, count in content["reasons"].items()},
            int(content["solved"]),
        )


def regime_map(
    game: BurdenSharingGame,
    x: tuple[str, tuple[float, float]] = ("decay", (0.0, 1.0)),
    y: tuple[str, tuple[float, float]] = ("threat", (0.0, 1.0)),
    plan: Plan | None = None,
    points: int | tuple[int, int] = 41,
    *,
    tolerance: float = 1e-6,
    refine: int = 6,
    recalibrate: bool = False,
    progress: Progress | None = None,
) -> RegimeMap:
    """Map a plan's outcome against A over two parameters.

    `x` and `y` are a key and its range: any parameter ("decay", "decay[DEU]", "return_spillin", ...)
    or plan field ("threat", "demand", "burden", "tariff"); the rest is as in `game` and `plan`. `points` is
    the number of grid values, or one number for x and one for y. Where neighbouring points differ,
    the change is bisected along their edge to `tolerance` times the range; grid cells in which more
    than two regions meet, or a boundary bends, are halved up to `refine` times. What is smaller than
    a grid cell and touches none of its edges is not seen: more points look closer. A strip thinner
    than the smallest cell (such as exact break-even) becomes a line.

    With `recalibrate` the weights that the model calibrates are found anew at every value, so that A
    stays the alliance that was observed (or, if nothing was, the game's own A); otherwise nothing
    but x and y changes, and A moves with them. Cells that have no equilibrium, or no admissible
    weights, are regions of their own, "no answer".

    `progress` is called with the number of equilibria solved so far.

    Raises `UnknownNameError` and `InvalidValueError`, never for a cell.

    >>> import alliancegame as ag
    >>> found = ag.regime_map(ag.load_model("three-allies"), points=11)
    >>> found
    <RegimeMap: threat 0 to 1 over decay 0 to 1: success 52.1%, backfire 47.9%>
    """
    plan = Plan() if plan is None else plan
    check_game(game, "regime_map")
    check_plan_type(plan)
    keys = [_axis_key(game, plan, axis) for axis in (x, y)]
    if parse_key(game, keys[0]) == parse_key(game, keys[1]):
        raise InvalidValueError(f"x and y must be different, both are {keys[0]!r}.")
    counts = _counts(points)
    grid = [
        np.linspace(*_bounds(key, axis[1]), count)
        for key, axis, count in zip(keys, (x, y), counts, strict=True)
    ]
    _check_accuracy(tolerance, refine)
    refit = refit_for(game) if recalibrate else None
    solve = Evaluator(
        game, plan, keys, solve="compare", outputs=_OUTPUTS, refit=refit, progress=progress
    )
    first = solve(np.column_stack([axis.ravel() for axis in np.meshgrid(*grid)]))
    shape = (counts[1], counts[0])

    def outcome_at(places: Array) -> NDArray[Any]:
        return solve(places).values["outcome"]

    made = partition(
        first.values["outcome"].reshape(shape),
        outcome_at,
        *grid,
        tolerance=tolerance,
        refine=refine,
    )
    good = answered(first)
    return RegimeMap(
        game,
        plan,
        keys[0],
        keys[1],
        grid[0],
        grid[1],
        made.labels,
        first.values["gain_usd_bn"].reshape(shape),
        {_name(region.label): region.rings for region in made.regions},
        tuple(
            Line((_name(line.labels[0]), _name(line.labels[1])), line.points)
            for line in made.boundaries
        ),
        float(tolerance),
        int(refine),
        "" if refit is None else refit.free,
        float(first.values["regret"][good].max()) if good.any() else math.nan,
        int(np.sum(first.values["verdict"][good] != 2)),
        reason_counts(first),
        solve.count,
    )


def _axis_key(game: BurdenSharingGame, plan: Plan, axis: Any) -> str:
    try:
        key, (_, _) = axis
    except (TypeError, ValueError):
        key = None
    if not isinstance(key, str):
        raise InvalidValueError(
            f'an axis of a map is a key and its range, like ("decay", (0, 1)); got {axis!r}.'
        )
    return quantity(game, plan, key).key


def _bounds(key: str, bounds: Any) -> tuple[float, float]:
    low, high = (as_number(bound, f"range of {key}") for bound in bounds)
    if not low < high:
        raise InvalidValueError(
            f"range of {key} must be (low, high) with low < high, got ({low:g}, {high:g})."
        )
    return low, high


def _counts(points: Any) -> tuple[int, int]:
    pair = (points, points) if np.ndim(points) == 0 else tuple(points)
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in pair)
    if len(pair) != 2 or not whole or min(pair) < 2 or pair[0] * pair[1] > MOST_POINTS:
        raise InvalidValueError(
            "points must be a whole number from 2, or one for x and one for y, and a map has at most "
            f"{MOST_POINTS:,} grid points; got {points!r}."
        )
    return int(pair[0]), int(pair[1])


def _check_accuracy(tolerance: Any, refine: Any) -> None:
    if not 1e-12 <= as_number(tolerance, "tolerance") <= 0.1:
        raise InvalidValueError(
            f"tolerance is a share of each range and must be in [1e-12, 0.1], got {tolerance:g}."
        )
    if not isinstance(refine, int) or not 0 <= refine <= 12:
        raise InvalidValueError(f"refine must be a whole number from 0 to 12, got {refine!r}.")
