"""What the report is about: everything solved once, before a word is written or a line drawn."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from alliancegame.errors import AllianceGameError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.library import default_plan, models_folder
from alliancegame.payoff.latex import latex
from alliancegame.report.dynamics import Dynamics, investigate_dynamics
from alliancegame.solve.leader.stackelberg import StackelbergResult, solve_stackelberg
from alliancegame.solve.nash import status_quo
from alliancegame.solve.result import Equilibrium
from alliancegame.study.backfire import Backfire, backfire_threshold
from alliancegame.study.compare import Comparison, compare
from alliancegame.study.frontier import Frontier, frontier, isoquant
from alliancegame.study.signs import Signs, gain_signs

if TYPE_CHECKING:
    import pandas as pd

LETTERS = {"success": "B", "backfire": "C"}
"""The essay's letters for two of the outcomes; A is the status quo."""

FRONTIER_POINTS, ISOQUANT_POINTS, CURVE_POINTS = 401, 301, 41
ASSUMED_DECAYS = (0.0, 0.2, 0.4)
"""Decays shown beside a game without any."""

DISTANCES = "distance_to_russia.csv"


@dataclasses.dataclass(frozen=True)
class Case:
    """One plan that the report discusses; `stackelberg` only for the best plan."""

    key: str
    title: str
    comparison: Comparison
    stackelberg: StackelbergResult | None = None

    @property
    def letter(self) -> str:
        """B if pressure pays, C if it backfires, else empty."""
        return LETTERS.get(self.comparison.outcome, "") if self.comparison.plan.pressure else ""

    @property
    def label(self) -> str:
        """The letter, if there is one, and the title: a name for figures and tables."""
        return f"{self.letter}  {self.title}" if self.letter else self.title


@dataclasses.dataclass(frozen=True)
class Exposure:
    """Allies' values of security and their distance from Russia, Series with the same labels."""

    values: pd.Series[float]
    distances: pd.Series[float]
    correlation: float


@dataclasses.dataclass(frozen=True)
class Findings:
    """All results of a report. What could not be found stands in `omitted`, with the reason."""

    game: BurdenSharingGame
    name: str
    baseline: Equilibrium
    cases: tuple[Case, ...]
    curves: Mapping[str, Backfire]
    own_curve: str | None
    frontiers: Mapping[str, Frontier]
    isoquants: Mapping[str, Array]
    signs: Signs | None
    dynamics: Dynamics | None
    exposure: Exposure | None
    latex: str
    omitted: Mapping[str, str]

    def case(self, key: str) -> Case | None:
        """The case of this key ("best", "plan", "full"), if there is one."""
        return next((case for case in self.cases if case.key == key), None)

    @property
    def points(self) -> dict[str, Equilibrium]:
        """A and every plan's equilibrium by label, A first."""
        return {"A": self.baseline, **{c.label: c.comparison.result for c in self.cases}}

    @property
    def comparisons(self) -> dict[str, Comparison]:
        """The comparisons by label."""
        return {case.label: case.comparison for case in self.cases}


Progress = Callable[[str], None]


def investigate(
    game: BurdenSharingGame,
    plan: Plan | None,
    ranges: Mapping[str, tuple[float, float]] | None,
    progress: Progress,
) -> Findings:
    """Solve A, the plans, the curves and the signs. Errors at A are raised, later ones recorded."""
    omitted: dict[str, str] = {}
    progress("solving the alliance without pressure")
    baseline = status_quo(game)
    cases = _cases(game, plan, omitted, progress)
    demand = (default_plan(game) if plan is None else plan).demand
    progress("tracing the leader's payoff against the threat")
    curves, own = _curves(game, demand, omitted)
    progress("tracing frontiers and isoquants")
    frontiers, isoquants = _plane(baseline, cases, omitted)
    progress("varying what is assumed")
    found = None
    if cases:
        found = gain_signs(game, {c.label: c.comparison.plan for c in cases}, ranges=ranges)
        omitted |= {f"signs for {key}": reason for key, reason in found.left_out.items()}
    progress("following trust over time")
    dynamics = investigate_dynamics(game, demand, omitted)
    return Findings(
        game=game,
        name=str(game.provenance.get("model") or "game"),
        baseline=baseline,
        cases=cases,
        curves=curves,
        own_curve=own,
        frontiers=frontiers,
        isoquants=isoquants,
        signs=found,
        dynamics=dynamics,
        exposure=_exposure(game, omitted),
        latex=latex(game),
        omitted=omitted,
    )


def _cases(
    game: BurdenSharingGame, plan: Plan | None, omitted: dict[str, str], progress: Progress
) -> tuple[Case, ...]:
    """The best plan, the plan asked about (or the model's own), and full pressure."""
    asked = default_plan(game) if plan is None else plan
    title = "the model's plan" if plan is None else "the plan"
    full = Plan(threat=1.0, demand=asked.demand)
    cases = []
    progress("searching the best plan")
    try:
        best = solve_stackelberg(game, ("threat", "burden"), demand=asked.demand)
        cases.append(Case("best", "best plan", compare(game, best.plan), best))
    except AllianceGameError as error:
        omitted["the best plan"] = str(error)
    progress("comparing plans")
    wanted = {"plan": (title, asked), "full": ("full pressure", full)}
    if not asked.pressure and asked.burden is None:
        omitted[title] = "it has no pressure and names no burden of the leader"
        del wanted["plan"]
    elif full == asked:
        omitted["full pressure"] = f"it is {title}"
        del wanted["full"]
    for key, (name, one) in wanted.items():
        try:
            cases.append(Case(key, name, compare(game, one)))
        except AllianceGameError as error:
            if plan is not None and key == "plan":
                raise
            omitted[name] = str(error)
    return tuple(cases)


def _curves(
    game: BurdenSharingGame, demand: object, omitted: dict[str, str]
) -> tuple[dict[str, Backfire], str | None]:
    """V(threat) at the game's own decay and at others, by label; and the own label."""
    what = "the leader's payoff against the threat"
    if not isinstance(demand, float):
        omitted[what] = "the demand differs by ally, and the curve is for a uniform one"
        return {}, None
    decay = game.decay
    if isinstance(decay, float):
        others = {0.0, decay / 2, 2 * decay} if decay else set(ASSUMED_DECAYS)
        decays = {f"κ = {k:.3g}": k for k in sorted(others | {decay})}
        own = f"κ = {decay:.3g}"
    else:
        decays = {f"κ × {factor:g}": factor * decay for factor in (0.0, 0.5, 1.0, 2.0)}
        own = "κ × 1"
    curves = {}
    for label, value in decays.items():
        at = game if label == own else game.replace(decay=value)
        try:
            points = 101 if label == own else CURVE_POINTS
            curve = backfire_threshold(at, demand, points=points)
        except AllianceGameError as error:
            omitted[f"{what}, {label}"] = str(error)
            continue
        if np.isfinite(curve.values).sum() > 1:
            curves[label] = curve
        else:
            omitted[f"{what}, {label}"] = "no threat leaves the leader a finite payoff"
    return curves, own if own in curves else None


def _plane(
    baseline: Equilibrium, cases: tuple[Case, ...], omitted: dict[str, str]
) -> tuple[dict[str, Frontier], dict[str, Array]]:
    """Frontiers and isoquants under the labels of their points."""
    if not np.isfinite(
        [e.savings for e in (baseline, *(c.comparison.result for c in cases))]
    ).all():
        omitted["the plane, frontiers and isoquants"] = (
            "savings, the share of its security that the leader does not pay for, have no meaning "
            "where forces are weaker than their sum (substitution < 0) or security is zero"
        )
        return {}, {}
    game = baseline.game
    points = {"A": baseline, **{c.label: c.comparison.result for c in cases}}
    influences = np.linspace(0.004, 0.996, ISOQUANT_POINTS)
    frontiers = {}
    for label, point in points.items():
        try:
            frontiers[label] = frontier(game, point.plan, points=FRONTIER_POINTS)
        except AllianceGameError as error:
            omitted[f"the frontier of {label}"] = str(error)
    isoquants = {
        label: np.column_stack([isoquant(game, point.leader_payoff, influences), influences])
        for label, point in points.items()
    }
    return frontiers, isoquants


def _exposure(game: BurdenSharingGame, omitted: dict[str, str]) -> Exposure | None:
    """Calibrated values of security against distance, if all allies are in the shipped table."""
    import pandas as pd

    what = "values of security against distance to Russia"
    if "security_weight" not in game.provenance.get("calibrated", ()):
        omitted[what] = "the values of security were given, not calibrated to burdens"
        return None
    with (models_folder() / "data" / DISTANCES).open(encoding="utf-8", newline="") as file:
        known = {row["iso3"]: float(row["min_border_km_russia"]) for row in csv.DictReader(file)}
    unknown = [ally for ally in game.allies if ally not in known]
    if unknown:
        omitted[what] = f"the table of distances has no {', '.join(unknown[:6])}"
        return None
    weights = dict(zip(game.members, game.by_member("security_weight").tolist(), strict=True))
    labels = pd.Index(game.allies, name="member")
    values = pd.Series([weights[a] for a in game.allies], index=labels, name="security_weight")
    distances = pd.Series([known[a] for a in game.allies], index=labels, name="km")
    ranks = np.corrcoef(values.rank(), distances.rank())
    return Exposure(values, distances, float(ranks[0, 1]))
