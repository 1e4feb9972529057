"""The social optimum: one planner, the weighted sum of all payoffs (docs/theory/equilibrium)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import AllianceGameError, ConvergenceError, InvalidValueError, unknown_name
from alliancegame.game.checks import check_game
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array, by_member_values
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, measures
from alliancegame.solve.certificate import Verdict
from alliancegame.solve.nash import solve_nash
from alliancegame.solve.planning.planner import Planned, Problem, plan_burdens, problem_of
from alliancegame.solve.planning.stages import as_planned, stage_of
from alliancegame.solve.result import Result, numbers, provenance
from alliancegame.solve.tolerances import DEFAULT, Tolerances, check_tolerances

if TYPE_CHECKING:
    import pandas as pd

WEIGHTS = ("gdp", "equal")
"""Weights by name: in proportion to GDP (mean 1), or 1 for everybody."""

SCANNED = 25
"""Leader's burdens tried where the product of two burdens leaves nothing proved."""


@dataclasses.dataclass(frozen=True)
class OptimumCertificate:
    """What is claimed of a planner's optimum.

    `gap` is the most by which any profile within the bounds could be better, in payoff for each unit
    of weight (infinite where nothing is proved); `residual` the largest slope of the weighted sum in
    a burden that still points into the bounds, divided likewise. `verdict` is "certified" (gap <=
    1e-9, proved), "approximate" (a larger gap, or a search) or "unverified" (the residual says that
    it is no local optimum either). `reason` says what the proof rests on, or why there is none.
    """

    verdict: Verdict
    gap: float
    residual: float
    reason: str
    method: str
    scope: str = (
        "burdens within their bounds, trust as under the plan; no transfers between members"
    )
    tolerances: Tolerances = dataclasses.field(default_factory=Tolerances)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The certificate that `to_dict` described."""
        found = {name: float(data[name]) for name in ("gap", "residual")}
        return cls(**{**data, **found, "tolerances": Tolerances(**data["tolerances"])})

    def __str__(self) -> str:
        return (
            f"{self.verdict}: no profile is better by more than {self.gap:.2g} of payoff for each unit "
            f"of weight; {self.reason}."
        )


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class SocialOptimum(Result):
    """The burdens that a planner would choose, and what they mean for every member.

    Arrays of shape (n,) in member order: `weights`, `burdens` (shares of GDP), `payoffs`,
    `influences`, `securities` (effective bn US$), `operating_trust` (the mean at the leader).
    """

    kind: ClassVar[str] = "social optimum"

    game: BurdenSharingGame
    plan: Plan
    weighting: str
    weights: Array
    burdens: Array
    payoffs: Array
    influences: Array
    securities: Array
    operating_trust: Array
    certificate: OptimumCertificate

    @property
    def welfare(self) -> float:
        """The planner's objective: the weighted sum of payoffs."""
        return float(self.weights @ self.payoffs)

    @cached_property
    def burden(self) -> pd.Series[float]:
        """Defence spending / GDP by member."""
        return self.to_frame()["burden"]

    @property
    def allied_burden(self) -> float:
        """The allies' spending over their joint GDP."""
        return measures.allied_burden(self.game, self.burdens)

    @property
    def total_spending(self) -> float:
        """Everybody's defence spending, bn US$ a year."""
        return float(self.burdens @ self.game.by_member("gdp"))

    def headline(self) -> str:
        """One line that says what was found."""
        lead = self.burdens[self.game.members.leader_index]
        return (
            f"social optimum, weights {self.weighting}: {self.game.leader} spends {lead:.2%} of GDP, the "
            f"allies {self.allied_burden:.2%}; {self.certificate.verdict}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Every member's numbers, a row each."""
        import pandas as pd

        columns = {
            "weight": self.weights,
            "burden": self.burdens,
            "spending": self.burdens * self.game.by_member("gdp"),
            "security": self.securities,
            "influence": self.influences,
            "payoff": self.payoffs,
        }
        return pd.DataFrame(columns, index=pd.Index(self.game.members.labels, name="member"))

    def _content(self) -> dict[str, Any]:
        arrays = {
            name: getattr(self, name).tolist()
            for name in (
                "weights",
                "burdens",
                "payoffs",
                "influences",
                "securities",
                "operating_trust",
            )
        }
        return {
            "game": self.game.to_dict(),
            "plan": self.plan.to_dict(),
            "weighting": self.weighting,
            **arrays,
            "welfare": self.welfare,
            "certificate": self.certificate.to_dict(),
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the optimum from its plain values."""
        origin = {"provenance": content["provenance"].get("game", {})}
        game = BurdenSharingGame.from_dict({**content["game"], **origin})
        arrays = tuple(
            numbers(content[name])
            for name in (
                "weights",
                "burdens",
                "payoffs",
                "influences",
                "securities",
                "operating_trust",
            )
        )
        made = OptimumCertificate.from_dict(content["certificate"])
        weights, burdens, payoffs, influences, securities, trust = arrays
        return cls(
            game, Plan(**content["plan"]), content["weighting"], weights, burdens, payoffs, influences,
            securities, trust, made,
        )  # fmt: skip


def solve_social_optimum(
    game: BurdenSharingGame,
    weights: Any = "gdp",
    *,
    plan: Plan | None = None,
    tolerances: Tolerances = DEFAULT,
) -> SocialOptimum:
    """The burdens that maximise the weighted sum of all members' payoffs, within their bounds.

    `weights` are "gdp" (in proportion to GDP, mean 1: a dollar of consumption counts about the same
    wherever it is spent), "equal" (a member counts the same, however small), or numbers >= 0 by
    member. Without a `plan` nobody threatens. A plan's threats cost trust and umbrellas also here,
    and a burden that it names is held fixed. There are no transfers.

    Where the sum is concave (`solve.planner.problem_shape` gives the cases) it is solved as a convex
    program in cvxpy and finished by Newton steps, whose slopes bound every other point. Influence in
    logs makes it a difference of concave functions; it is then solved globally by a search over one
    price, with a bound that is proved. Elsewhere climbs from many starts, or a scan of the leader's
    burden, give the best that was found, and the certificate says that nothing is proved: in a hub,
    under tariffs (whose deadweight the planner would save), with a logistic shortfall under pressure, with
    substitution above 1, and in the further cases of `problem_shape`.

    Raises `InvalidValueError` for bad weights, `UnsupportedFormError` for weakest link, best shot and
    trigger threats, `ZeroTrustError` as `solve_nash`, and `ConvergenceError` if no profile with finite
    payoffs is found.
    """
    check_game(game, "solve_social_optimum", extremes=True)
    check_tolerances(tolerances)
    plan = Plan() if plan is None else plan
    aggregative.check_plan(game, plan)
    name, numbers_ = checked_weights(game, weights)
    low, high = (np.array(game.by_member(end)) for end in ("burden_min", "burden_max"))
    lead = game.members.leader_index
    if plan.burden is not None:
        low[lead] = high[lead] = plan.burden
    problem = problem_of(stage_of(game, plan), numbers_, low, high)
    start = _start(game, plan, low, high)
    products = problem.kind == "searched" and "product" in problem.reason
    planned = _scan_leader(problem, start, lead) if products else plan_burdens(problem, start)
    return _result(game, plan, name, numbers_, problem, planned, tolerances)


def checked_weights(game: BurdenSharingGame, weights: Any) -> tuple[str, Array]:
    """(name, weights of shape (n,)): by name, or numbers >= 0 of which one is positive."""
    if isinstance(weights, str):
        if weights not in WEIGHTS:
            raise unknown_name("weights", weights, WEIGHTS)
        gdp = game.by_member("gdp")
        return weights, gdp / gdp.mean() if weights == "gdp" else np.ones(game.size)
    values = by_member_values(weights, what="weights", members=game.members)
    found = np.array(np.broadcast_to(values, (game.size,)), dtype=np.float64)
    for i in np.flatnonzero(~(found >= 0)):
        raise InvalidValueError(f"weight of {game.members[i]} must be >= 0, got {found[i]:g}.")
    if not found.any():
        raise InvalidValueError("weights are 0 for everybody: give some member a positive one.")
    return "given", found


def _start(game: BurdenSharingGame, plan: Plan, low: Array, high: Array) -> Array:
    """The equilibrium's burdens, moved off zero; a tenth of the range if there is none."""
    try:
        burdens = solve_nash(game, plan).burdens
    except AllianceGameError:
        burdens = low + 0.1 * (high - low)
    return np.clip(burdens, low + 1e-4 * (high - low), high)


def _scan_leader(problem: Problem, start: Array, lead: int) -> Planned:
    """The best of many burdens of the leader, the rest solved for each; then refined."""
    from scipy.optimize import minimize_scalar

    low, high = float(problem.low[lead]), float(problem.high[lead])

    def given(burden: float, enough: float = 1e-7) -> Planned:
        pinned = [
            np.where(np.arange(len(start)) == lead, burden, v) for v in (problem.low, problem.high)
        ]
        inner = problem_of(problem.stage, problem.weights, *pinned)
        return plan_burdens(inner, np.clip(start, *pinned), enough=enough)

    tried = low + (high - low) * np.linspace(0.0, 1.0, SCANNED + 1)[1:] ** 2
    found = [given(float(b)) for b in tried]
    k = int(np.argmax([f.value for f in found]))
    edges = (tried[k - 1] if k else low + 1e-9 * (high - low), tried[min(k + 1, SCANNED - 1)])
    refined = minimize_scalar(
        lambda b: -given(float(b)).value, bounds=edges, method="bounded", options={"xatol": 1e-7}
    )
    # The search stays a little inside its edges, and the lower one may be the best.
    last = (tried[k], refined.x, *((edges[0], low) if k == 0 else ()))
    ends = [given(float(b), 1e-11) for b in last]
    best = max(ends, key=lambda end: end.value if math.isfinite(end.value) else -math.inf)
    text = (
        f"the best of {SCANNED} burdens of the leader in [{low:g}, {high:g}], denser where small, and "
        "refined; for each, the allies' burdens are solved globally"
    )
    return dataclasses.replace(best, bound=math.inf, method=text)


def _result(
    game: BurdenSharingGame,
    plan: Plan,
    name: str,
    weights: Array,
    problem: Problem,
    planned: Planned,
    tolerances: Tolerances,
) -> SocialOptimum:
    at = aggregative.best_deviations(as_planned(game, plan), planned.burdens, plan, points=1)
    with np.errstate(invalid="ignore"):
        welfare = float((weights * np.where(weights > 0, at.payoff, 0.0)).sum())
    # Two computations of one definition: the compiled kernel and the NumPy derivatives.
    agree = abs(welfare - planned.value) <= 1e-9 * max(abs(welfare), float(weights.sum()))
    if not (math.isfinite(welfare) and agree):
        raise ConvergenceError(
            f"no social optimum with finite payoffs was found under {plan.describe()} "
            f"(objective {planned.value:.6g}, payoffs {welfare:.6g}): raise burden_min above 0, or name "
            "another burden of the leader."
        )
    rounding = 64 * np.finfo(float).eps * float((weights * (1 + np.abs(at.payoff))).sum())
    total = float(weights.sum())
    gap = (planned.gap + rounding) / total
    residual = planned.residual / total
    verdict: Verdict = "certified" if gap <= tolerances.certified else "approximate"
    if gap > tolerances.approximate and residual > 1e-5:
        verdict = "unverified"
    made = OptimumCertificate(
        verdict, gap, residual, problem.reason, planned.method, tolerances=tolerances
    )
    return SocialOptimum(
        game,
        plan,
        name,
        weights,
        planned.burdens,
        at.payoff,
        at.influence,
        at.security,
        at.trust,
        made,
    )
