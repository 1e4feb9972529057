"""Cells of a sweep: many parameter values at once, each an answer, or a status and a reason.

Batches answer whatever their kernels can prove; a cell outside the theorems (several simultaneous
Nash equilibria are possible, payoffs are not concave, linear allies may share a burden in any way)
is given to the scalar solvers, so that a sweep says what a single call would say.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import (
    AllianceGameError,
    ConvergenceError,
    InvalidValueError,
    ZeroTrustError,
    unknown_name,
)
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.aggregative import Batch
from alliancegame.solve.certificate import rounding_allowance
from alliancegame.solve.keys import check_key
from alliancegame.solve.nash import status_quo
from alliancegame.solve.scenarios import Mask, Scenarios, by_form
from alliancegame.solve.tolerances import DEFAULT, Tolerances
from alliancegame.study.compare import decompose
from alliancegame.study.lone_cells import lone_values
from alliancegame.study.outcomes import OUTCOMES, classify

__all__ = ["OUTPUTS", "SOLVES", "STATUSES", "Output", "Solved", "check_key", "solve_cells"]

SOLVES = ("respond", "nash", "compare", "stackelberg", "backfire_threshold")

INVALID, ERROR = 4, 5
STATUSES = {
    aggregative.NEWTON: "solved by the joint Newton iteration",
    aggregative.SAFEGUARD: "solved by the safeguard, or by the scalar solvers",
    aggregative.FAILED: "no equilibrium found to tolerance",
    aggregative.ZERO_TRUST: "trust has gone and the leader values influence in logs",
    INVALID: "the values are not admissible",
    ERROR: "another error",
}
"""What the status of a cell means; up to 1 it has an answer."""

VERDICTS = {0: "unverified", 1: "approximate", 2: "certified"}
UNIQUE = {0: "not proven", 1: "proven", 2: "multiple"}


@dataclasses.dataclass(frozen=True)
class Output:
    """One quantity of a sweep. `dims` is () or ("member",); `codes` names the values of a code."""

    name: str
    dims: tuple[str, ...]
    unit: str
    doc: str
    solves: frozenset[str]
    default: bool = False
    codes: Mapping[int, str] | None = None


def _outputs() -> dict[str, Output]:
    profile = frozenset(SOLVES) - {"backfire_threshold"}
    against = frozenset({"compare", "stackelberg"})
    rows: list[tuple[Any, ...]] = [
        ("burden", "member", "share of GDP", "defence spending / GDP", profile, True),
        ("spending", "member", "bn US$", "defence spending", profile),
        ("payoff", "member", "1", "payoff", profile),
        ("influence", "member", "1", "share of influence", profile),
        ("security", "member", "effective bn US$", "security", profile),
        ("trust", "member", "1", "operating trust; the leader's entry is the allies' mean", profile),
        ("leader_payoff", "", "1", "the leader's payoff", profile, True),
        ("leader_burden", "", "share of GDP", "the leader's burden", profile, True),
        ("leader_influence", "", "1", "the leader's share of influence", profile, True),
        ("savings", "", "1", "share of its security that the leader does not pay for", profile, True),
        ("allied_burden", "", "share of GDP", "the allies' spending over their GDP", profile, True),
        ("mean_trust", "", "1", "the allies' mean operating trust", profile),
        ("regret", "", "1", "largest gain from any unilateral deviation", profile, True),
        ("verdict", "", "code", "verdict of the certificate", profile, True, VERDICTS),
        ("unique", "", "code", "uniqueness", profile, True, UNIQUE),
        ("outcome", "", "code", "outcome against A", against, True, dict(enumerate(OUTCOMES))),
        ("delta_payoff", "", "1", "the leader's payoff minus at A", against, True),
        ("gain_usd_bn", "", "bn US$ a year", "the leader's gain in money", against, True),
        ("delta_savings", "", "1", "savings minus at A", against),
        ("delta_influence", "", "1", "influence minus at A", against),
        ("commitment", "", "1", "gain by committing the own burden", {"compare"}),
        ("leverage", "", "1", "gain by pressure, trust unharmed", {"compare"}),
        ("trust_loss", "", "1", "gain by lost trust", {"compare"}),
        ("best_threat", "", "1", "the best threat", {"stackelberg", "backfire_threshold"}, True),
        ("best_demand", "", "share of GDP", "the best demand", {"stackelberg"}),
        ("best_burden", "", "share of GDP", "the best own burden", {"stackelberg"}, True),
        ("leader_gap", "", "1", "what a better plan could gain, estimated", {"stackelberg"}, True),
        ("threshold", "", "1", "threat above which pressure backfires", {"backfire_threshold"}, True),
        ("best_gain", "", "1", "largest gain over no threat", {"backfire_threshold"}, True),
        ("best_gain_usd_bn", "", "bn US$ a year", "the same in money", {"backfire_threshold"}, True),
        ("break_even_decay", "", "1", "least decay that breaks even", {"backfire_threshold"}, True),
    ]  # fmt: skip
    made = {}
    for name, dim, unit, doc, solves, *rest in rows:
        dims = (dim,) if dim else ()
        made[name] = Output(name, dims, unit, doc, frozenset(solves), *rest)
    return made


OUTPUTS = _outputs()
"""Every output by name."""


@dataclasses.dataclass(frozen=True, eq=False)
class Solved:
    """Answers of cells.

    `values` maps outputs to arrays (cell,) or (cell, member), nan or -1 (codes) without an answer;
    `status` has shape (cell,) and means STATUSES; `reasons` says why for cells without an answer.
    """

    values: dict[str, NDArray[Any]]
    status: NDArray[np.int8]
    reasons: dict[int, str]


def default_outputs(solve: str) -> tuple[str, ...]:
    """What a sweep keeps if nothing is asked for."""
    return tuple(name for name, out in OUTPUTS.items() if out.default and solve in out.solves)


def check_outputs(solve: str, outputs: Sequence[str] | None) -> tuple[str, ...]:
    """The outputs of a sweep. Raises `UnknownNameError` for names that this solve does not have."""
    if solve not in SOLVES:
        raise unknown_name("solve", solve, SOLVES)
    if outputs is None:
        return default_outputs(solve)
    known = [name for name, out in OUTPUTS.items() if solve in out.solves]
    for name in outputs:
        if name not in known:
            raise unknown_name("output", name, known, f" of solve={solve!r}")
    return tuple(outputs)


def solve_cells(
    game: BurdenSharingGame,
    cells: Mapping[str, Any],
    plan: Plan | None = None,
    *,
    solve: str = "respond",
    outputs: Sequence[str] | None = None,
    tolerances: Tolerances = DEFAULT,
    search: bool = False,
) -> Solved:
    """Solve every cell; one call is one chunk, within which each solution starts from the last.

    `cells` maps keys ("threat", "decay", "decay[DEU]", "consumption", ...) to columns of shape
    (cell,): threat, demand and burden override the plan, every other key is a parameter. `search`
    replaces the bound on regret by a search of every piece of every action set.

    Raises for unknown keys and outputs, and for solve="respond" without a burden; never for a cell.
    """
    plan = Plan() if plan is None else plan
    chosen = check_outputs(solve, outputs)
    if solve == "respond" and plan.burden is None and "burden" not in cells:
        raise InvalidValueError(
            'solve="respond" needs the leader\'s burden, in plan or in over; without it the leader '
            'plays simultaneously: use solve="nash".'
        )
    groups = list(by_form(game, plan, cells))
    count = sum(group.count for group in groups)
    solved = Solved(
        {name: _blank(OUTPUTS[name], count, game.size) for name in chosen},
        np.full(count, INVALID, dtype=np.int8),
        {},
    )
    for group in groups:
        pressed = solve in ("stackelberg", "backfire_threshold")
        good = group.admissible(pressed)
        for k in np.flatnonzero(~good):
            solved.reasons[int(group.positions[k])] = group.reason(int(k), pressed)
        # What a batch bounds regret by holds where payoffs are concave, cell by cell.
        for part in (good & group.concave, good & ~group.concave):
            if part.any():
                _GroupSolver(group.take(part), solve, tolerances, search).fill(solved)
    return solved


def _blank(output: Output, count: int, members: int) -> NDArray[Any]:
    shape = (count, members) if output.dims else (count,)
    if output.codes is not None:
        return np.full(shape, -1, dtype=np.int8)
    return np.full(shape, np.nan)


def _coded(output: Output, value: Any) -> Any:
    """A value of a scalar solver as an array holds it: a word of a coded output by its number."""
    if output.codes is None:
        return value
    return next(code for code, word in output.codes.items() if word == value)


class _GroupSolver:
    """The cells of one form: what the kernel settles, and what it leaves to the scalar solvers."""

    def __init__(
        self, scenarios: Scenarios, solve: str, tolerances: Tolerances, search: bool
    ) -> None:
        self.scenarios, self.solve = scenarios, solve
        self.tolerances, self.search = tolerances, search

    def fill(self, solved: Solved) -> None:
        """Put every cell's answer, or its status and reason, in its place."""
        jumps = self.scenarios.game.shortfall == "trigger"
        if self.solve == "backfire_threshold" or jumps or not self.scenarios.concave.all():
            left = np.ones(self.scenarios.count, dtype=bool)
        else:
            left = self._fill_from_batch(solved)
        for k in np.flatnonzero(left):
            self._fill_alone(int(k), solved)

    def _fill_from_batch(self, solved: Solved) -> Mask:
        """Answer what batches can; return which cells are left."""
        cells = self.scenarios
        if self.solve == "stackelberg":
            cells, batch, plans = cells.best_plans(self.tolerances.grid)
            answers = _Answers(cells, batch, self.tolerances)
            alone = ~cells.settled(batch) | answers.compare(self.search)
            answers.plans(plans)
        else:
            batch = cells.solve(search=self.search)
            answers = _Answers(cells, batch, self.tolerances)
            alone = ~cells.settled(batch)
            if self.solve == "compare":
                alone |= answers.compare(self.search)
        alone |= answers("regret") > self.tolerances.approximate
        status = batch.column("status").astype(np.int8)
        status[alone] = INVALID
        for name, target in solved.values.items():
            here = answers(name)
            failed = status > aggregative.SAFEGUARD
            blank = -1 if OUTPUTS[name].codes is not None else np.nan
            target[cells.positions] = np.where(
                failed.reshape(-1, *([1] * (here.ndim - 1))), blank, here
            )
        solved.status[cells.positions] = status
        for k in np.flatnonzero((status > aggregative.SAFEGUARD) & ~alone):
            solved.reasons[int(cells.positions[k])] = aggregative.REASONS[int(status[k])]
        return alone

    def _fill_alone(self, k: int, solved: Solved) -> None:
        """One cell by the scalar solvers."""
        place = int(self.scenarios.positions[k])
        try:
            game, plan = self.scenarios.cell(k)
            found = lone_values(self.solve, game, plan, self.tolerances)
        except ZeroTrustError as error:
            solved.status[place], solved.reasons[place] = aggregative.ZERO_TRUST, str(error)
        except ConvergenceError as error:
            solved.status[place], solved.reasons[place] = aggregative.FAILED, str(error)
        except AllianceGameError as error:
            solved.status[place], solved.reasons[place] = ERROR, f"{type(error).__name__}: {error}"
        else:
            solved.status[place] = aggregative.SAFEGUARD
            for name, target in solved.values.items():
                target[place] = _coded(OUTPUTS[name], found(name))


class _Answers:
    """Outputs of a batch, by name."""

    def __init__(self, cells: Scenarios, batch: Batch, tolerances: Tolerances) -> None:
        self.cells, self.batch, self.tolerances = cells, batch, tolerances
        self.lead = cells.game.members.leader_index
        self.extra: dict[str, NDArray[Any]] = {}

    def __call__(self, name: str) -> NDArray[Any]:
        if name in self.extra:
            return self.extra[name]
        found: NDArray[Any] = getattr(self, f"_{name}")()
        return found

    def _burden(self) -> Array:
        return self.batch.burden

    def _spending(self) -> Array:
        return np.asarray(self.batch.burden * self.cells.field("gdp"))

    def _payoff(self) -> Array:
        return self.batch.payoff

    def _influence(self) -> Array:
        return self.batch.influence

    def _security(self) -> Array:
        return self.batch.security

    def _trust(self) -> Array:
        return self.batch.trust

    def _leader_payoff(self) -> Array:
        return self.batch.payoff[:, self.lead]

    def _leader_burden(self) -> Array:
        return self.batch.burden[:, self.lead]

    def _leader_influence(self) -> Array:
        return self.batch.influence[:, self.lead]

    def _savings(self) -> Array:
        return savings(self.cells, self.batch)

    def _allied_burden(self) -> Array:
        gdp = np.broadcast_to(self.cells.field("gdp"), self.batch.burden.shape)
        allies = np.arange(self.cells.size) != self.lead
        spent = (gdp * self.batch.burden)[:, allies].sum(axis=1)
        return np.asarray(spent / gdp[:, allies].sum(axis=1))

    def _mean_trust(self) -> Array:
        return self.batch.column("mean_trust")

    def _regret(self) -> Array:
        return self.batch.column("regret") + self._allowance()

    def _allowance(self) -> Array:
        """The rounding that the scalar certificate allows for, at the member with the largest gain."""
        worst = np.nan_to_num(self.batch.column("worst")).astype(np.intp)
        rows = np.arange(self.cells.count)

        def at_worst(name: str) -> Array:
            values = np.broadcast_to(self.cells.field(name), self.batch.burden.shape)
            picked: Array = values[rows, worst]
            return picked

        weight = sum(at_worst(f"{kind}_weight") for kind in ("security", "private"))
        weight = weight + at_worst("influence_weight") * np.maximum(
            1.0, self.cells.field("decisiveness")
        )
        return np.asarray(
            rounding_allowance(
                self.batch.burden[rows, worst],
                weight,
                at_worst("burden_max") - at_worst("burden_min"),
                self.cells.game.consumption,
            )
        )

    def _verdict(self) -> NDArray[np.int8]:
        regret = self._regret()
        strict, loose = self.tolerances.certified, self.tolerances.approximate
        codes = np.where(regret <= strict, 2, np.where(regret <= loose, 1, 0))
        return codes.astype(np.int8)

    def _unique(self) -> NDArray[np.int8]:
        return self.cells.proved(self.batch).astype(np.int8)

    def plans(self, plans: Array) -> None:
        """Add the best plans of a Stackelberg search."""
        lead = self.cells.game.members.leader_index
        demand = np.delete(self.cells.field("demand"), lead, axis=1)
        uniform = np.where(np.ptp(demand, axis=1) == 0, demand[:, 0], np.nan)
        self.extra |= {
            "best_threat": plans[:, 0],
            "best_demand": np.broadcast_to(uniform, (self.cells.count,)),
            "best_burden": plans[:, 1],
            "leader_gap": plans[:, 2],
        }

    def compare(self, search: bool) -> Mask:
        """Add what stands against A; return the cells that must be compared one by one."""
        cells, batch = self.cells, self.batch
        base, alone = _baselines(cells, search)
        lead_payoff = batch.payoff[:, self.lead]
        burden = np.broadcast_to(cells.field("burden"), (cells.count,))
        pressed = np.broadcast_to((cells.field("threat") > 0).any(axis=1), (cells.count,))
        kept = cells.solve(unharmed=True)
        # With its trust unharmed the same plan may have several answers, or none that is found.
        alone = alone | (pressed & ~(cells.settled(kept) & ~np.isnan(kept.leader_payoff)))
        unharmed = np.where(pressed, kept.leader_payoff, lead_payoff)
        quiet = base.payoff[:, self.lead]
        if np.isfinite(burden).any():
            still = cells.solve(threat=np.zeros((1, cells.size)), whole=False).leader_payoff
            quiet = np.where(np.isfinite(burden), still, quiet)
        gain = lead_payoff - base.payoff[:, self.lead]
        saved = savings(cells, batch) - savings(cells, base)
        influence = batch.influence[:, self.lead] - base.influence[:, self.lead]
        regret = np.maximum(self._regret(), _Answers(cells, base, self.tolerances)._regret())
        spent = base.burden[:, self.lead]
        share = np.expm1(gain) * (1 - spent) if cells.game.consumption == "log" else gain
        commitment, leverage, trust_loss = decompose(
            base.payoff[:, self.lead], quiet, unharmed, lead_payoff
        )
        self.extra = {
            "outcome": classify(gain, saved, influence, 1e-9 + 10 * regret).astype(np.int8),
            "delta_payoff": gain,
            "gain_usd_bn": share * cells.field("gdp")[:, self.lead],
            "delta_savings": saved,
            "delta_influence": influence,
            "commitment": commitment,
            "leverage": leverage,
            "trust_loss": trust_loss,
        }
        return alone


def _baselines(cells: Scenarios, search: bool) -> tuple[Batch, Mask]:
    """A of every cell, and the cells whose A the batch cannot settle."""
    nobody = np.full(cells.count, np.nan)
    if any(not key.of_plan for key in cells.columns):
        bare = {key: column for key, column in cells.columns.items() if not key.of_plan}
        quiet = Scenarios(cells.game, Plan(), bare, cells.positions)
        batch = quiet.solve(burden=nobody, search=search)
        return batch, ~quiet.settled(batch)
    a = status_quo(cells.game)
    one = a.certificate

    def same(values: Array) -> Array:
        return np.broadcast_to(values, (cells.count, cells.size))

    info = np.zeros((cells.count, len(aggregative.INFO)))
    info[:, aggregative.INFO.index("regret")] = one.regret
    worst = 0 if one.worst is None else cells.game.members.index_of(one.worst)
    info[:, aggregative.INFO.index("worst")] = worst
    batch = Batch(
        same(a.burdens),
        same(a.payoffs),
        same(a.influences),
        same(a.securities),
        same(a.operating_trust),
        info,
    )
    return batch, np.zeros(cells.count, dtype=bool)


def savings(cells: Scenarios, batch: Batch) -> Array:
    """The leader's savings by cell (measures.savings for arrays)."""
    lead = cells.game.members.leader_index
    own = cells.field("effectiveness")[:, lead] * cells.field("gdp")[:, lead]
    security = batch.security[:, lead]
    with np.errstate(divide="ignore", invalid="ignore"):
        saved = 1 - own * batch.burden[:, lead] / security
    return np.where((cells.field("substitution") < 0) | ~(security > 0), np.nan, saved)
