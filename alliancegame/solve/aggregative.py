"""The engine from Python: a game becomes tables once, and scenarios are solved as arrays.

One scenario is a batch of one, so that a single solution and a sweep cannot disagree.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import InvalidValueError
from alliancegame.game.checks import check_game, check_plain_forms, check_plan_type, per_cent
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array, by_member_values
from alliancegame.game.plan import Plan
from alliancegame.payoff.form import Form
from alliancegame.solve.engine.names import SPACE_ROWS
from alliancegame.solve.kernels import compiled, form_of

TOLERANCE = 1e-14
"""Newton stops when nobody could gain more than this, by concavity."""

SCAN_POINTS = 4000
"""Resolution of the deviation search where concavity is not proved."""

INFO = ("status", "steps", "regret", "worst", "mean_trust", "leader_marginal", "leader_payoff")
"""Columns of the information array of a batch."""

NEWTON, SAFEGUARD, FAILED, ZERO_TRUST = 0, 1, 2, 3
REASONS = {
    NEWTON: "solved by the joint Newton iteration",
    SAFEGUARD: "solved by share functions and a final Newton iteration",
    FAILED: "no equilibrium found to tolerance",
    ZERO_TRUST: "trust has gone: with log influence the leader's payoff would be minus infinity",
}


@dataclasses.dataclass(frozen=True, eq=False)
class Tables:
    """A game as the engine reads it: `table` (row, member), `scalars`, and members by slot."""

    table: Array
    scalars: Array
    order: NDArray[np.int64]
    form: Form
    concave: bool

    @property
    def kernels(self) -> ModuleType:
        """The compiled engine: solutions, and what is asked of given profiles."""
        return compiled(self.form, "solve")

    @property
    def leader_kernels(self) -> ModuleType:
        """The compiled search for the leader's best plans."""
        return compiled(self.form, "leader")


@dataclasses.dataclass(frozen=True, eq=False)
class Batch:
    """Solutions of many scenarios: arrays (scenario, member), and `info` (scenario, column of INFO).

    Where only information was asked for, the member arrays have one row without meaning.
    """

    burden: Array
    payoff: Array
    influence: Array
    security: Array
    trust: Array
    info: Array

    def column(self, name: str) -> Array:
        """One column of the information, shape (scenario,)."""
        values: Array = self.info[:, INFO.index(name)]
        return values

    @property
    def leader_payoff(self) -> Array:
        """The leader's payoff by scenario, nan where the scenario failed."""
        status = self.column("status")
        return np.where(
            (status == NEWTON) | (status == SAFEGUARD), self.column("leader_payoff"), np.nan
        )


def concave_in_own_burden(game: BurdenSharingGame) -> bool:
    """Whether every member's payoff is proved concave in its own burden, over its whole action set.

    Security: CES with rho <= 1 of functions concave and increasing in x (under proportional pressure
    reliability is the smaller of two increasing affine functions). Influence: ln p for every m, p
    itself for m <= 1; in a hub the leader's influence is a mean of shares, and ln of it for m <= 1.
    Consumption less proportional losses of a tariff, and private benefits, always. A logistic
    shortfall: nothing is proved. docs/theory/model.
    """
    if game.substitution > 1 or game.shortfall == "logistic":
        return False
    if game.decisiveness <= 1:
        return True
    valued = game.by_member("influence_weight") > 0
    if game.influence_value == "share":
        return not valued.any()
    return game.influence == "council" or not valued[game.members.leader_index]


def tables(game: BurdenSharingGame, taxed: bool = False) -> Tables:
    """The game's tables, made once for each game; `taxed` with a kernel that knows of tariffs."""
    name = "_taxed_tables" if taxed else "_tables"
    found: Tables | None = game.__dict__.get(name)
    if found is None:
        found = _build(game, taxed)
        object.__setattr__(game, name, found)
    return found


def table_of(game: BurdenSharingGame, plan: Plan) -> tuple[Tables, Array]:
    """The tables that serve a plan, and the table (row, member) with the plan's tariffs in it."""
    made = tables(game, plan.taxed)
    if not plan.taxed:
        return made, made.table
    return made, with_tariffs(made.table, plan.tariff_by_member(game.members))


def with_tariffs(table: Array, tariffs: Array) -> Array:
    """A copy of tables (..., row, member) in which allies pay these rates."""
    taxed = np.array(table)
    taxed[..., TABLE_ROWS["tariff"], :] = tariffs
    return taxed


def _build(game: BurdenSharingGame, taxed: bool) -> Tables:
    if game.shortfall == "trigger" or game.technology != "ces":
        check_plain_forms(game, "solving many plans at once")
    gdp = game.by_member("gdp")
    lead = game.members.leader_index
    allied = gdp.copy()
    allied[lead] = 0.0
    spillin, umbrella = game.congested
    rows = [
        game.by_member("effectiveness") * gdp,
        game.by_member("security_weight"),
        game.by_member("influence_weight"),
        game.by_member("private_weight"),
        spillin,
        umbrella,
        game.by_member("credibility"),
        game.by_member("council_weight"),
        game.by_member("burden_min"),
        game.by_member("burden_max"),
        game.by_member("trust"),
        game.by_member("trust_ceiling"),
        game.by_member("decay"),
        allied / allied.sum(),
        game.by_member("trade_exposure"),
        np.zeros(game.size),  # Tariffs belong to a plan.
        allied * (1 - game.deadweight) / gdp[lead],
        game.by_member("rival_pull"),
    ]
    concave = concave_in_own_burden(game)
    law = game.trust_law
    scalars = np.array(
        [
            game.substitution, game.decisiveness, game.return_spillin, game.cohesion, law.curvature,
            law.contagion, law.recovery, law.scarring, float(game.horizon == "stationary"),
            float(game.influence_value == "log"), float(concave), game.width, law.tariff_decay,
        ]
    )  # fmt: skip
    order = np.array([i for i in range(game.size) if i != lead] + [lead], dtype=np.int64)
    return Tables(np.array(rows), scalars, order, form_of(game, taxed), concave)


def check_plan(game: BurdenSharingGame, plan: Plan) -> None:
    """What only game and plan together show: demands and the leader's burden within bounds."""
    check_game(game, "this function", extremes=True)
    check_plan_type(plan)
    _check_tariffs(game, plan)
    demand = plan.demand_by_member(game.members)
    high = game.by_member("burden_max")
    lead = game.members.leader_index
    if plan.pressure and (demand > high).any():
        asked = plan.threat_by_member(game.members) + plan.tariff_by_member(game.members) > 0
        for i in np.flatnonzero((demand > high) & asked):
            raise InvalidValueError(
                f"demand on {game.members[i]} must be in (0, {high[i]:g}], up to its burden_max; "
                f"got {demand[i]:g}.{per_cent(demand[i])}"
            )
    low = game.by_member("burden_min")[lead]
    if plan.burden is not None and not low <= plan.burden <= high[lead]:
        raise InvalidValueError(
            f"burden of the plan must be in [{low:g}, {high[lead]:g}], the bounds of {game.leader}, "
            f"got {plan.burden:g}.{per_cent(plan.burden)}"
        )


def _check_tariffs(game: BurdenSharingGame, plan: Plan) -> None:
    """Losses of a tariff must leave an ally something, whatever it spends."""
    if not plan.taxed:
        return
    losses = game.by_member("trade_exposure") * plan.tariff_by_member(game.members)
    exposed = "its trade_exposure times the tariff"
    for i in np.flatnonzero(losses >= 1):
        raise InvalidValueError(
            f"tariff on {game.members[i]} must leave {exposed} below 1, got {losses[i]:g}: lower the "
            "tariff."
        )
    if game.consumption != "log" or game.shortfall == "proportional":
        return
    most = game.by_member("burden_max")
    if game.shortfall == "trigger":  # Nobody pays who meets the demand.
        most = np.minimum(most, plan.demand_by_member(game.members))
    for i in np.flatnonzero((losses > 0) & (losses + most >= 1)):
        raise InvalidValueError(
            f"tariff on {game.members[i]} must leave {exposed} below {1 - most[i]:g}, what the most "
            f"it spends under the tariff leaves with log consumption; got {losses[i]:g}."
        )


def checked_profile(game: BurdenSharingGame, burdens: Any, what: str = "burden") -> Array:
    """Burdens by member from a dict, Series or array, within their bounds; shape (n,)."""
    values = by_member_values(burdens, what=what, members=game.members)
    profile = np.array(np.broadcast_to(values, (game.size,)))
    low, high = game.by_member("burden_min"), game.by_member("burden_max")
    for i in np.flatnonzero((profile < low) | (profile > high)):
        raise InvalidValueError(
            f"{what} of {game.members[i]} must be in [{low[i]:g}, {high[i]:g}], got {profile[i]:g}."
            f"{per_cent(profile[i])}"
        )
    return profile


def solve_plans(
    game: BurdenSharingGame,
    threats: Array,
    demands: Array,
    burdens: Array,
    *,
    unharmed: bool = False,
    whole: bool = False,
    warm: bool = True,
    safeguard_only: bool = False,
    search: bool = False,
    tolerance: float = TOLERANCE,
    tariffs: Array | None = None,
    changes: Mapping[str | tuple[str, str], Array] | None = None,
) -> Batch:
    """Solve one game under many plans.

    `threats` and `demands` have shape (scenario,) for uniform or (scenario, member) for targeted
    pressure; `burdens` has shape (scenario,), nan where the leader plays simultaneously. `unharmed`
    keeps operating trust as without a threat. `whole` asks for the member arrays. `search` searches
    every piece of every action set for the regret instead of bounding it. `tariffs`, shape (member,)
    or (scenario, member), are rates. `changes` maps parameters
    of TABLE_ROWS, or (parameter, member), to values of shape (scenario,); they are taken as they
    are, without validation.
    """
    taxed = tariffs is not None and bool(np.any(tariffs))
    made = tables(game, taxed)
    count = len(burdens)
    places, values = _changes(game, count, changes or {})
    stacked = np.broadcast_to(made.table, (count, *made.table.shape))
    if tariffs is not None and taxed:
        same = tariffs.ndim == 1
        table = with_tariffs(made.table if same else stacked, tariffs)
        stacked = np.broadcast_to(table, stacked.shape)
    return run(
        made,
        stacked,
        np.broadcast_to(made.scalars, (count, made.scalars.size)),
        _by_member(threats, count, game.size),
        _by_member(demands, count, game.size),
        np.asarray(burdens, dtype=np.float64),
        places,
        values,
        options=(unharmed, warm, safeguard_only, search, tolerance),
        whole=whole,
    )


def run(
    made: Tables,
    stacked: Array,
    scalars: Array,
    threats: Array,
    demands: Array,
    burdens: Array,
    places: NDArray[np.int64],
    values: Array,
    *,
    options: tuple[bool, bool, bool, bool, float],
    whole: bool,
) -> Batch:
    """Call the kernel on arrays as it reads them (see engine.solve_batch); outputs are allocated here."""
    count, n = threats.shape
    rows = count if whole else 1
    info = np.empty((count, len(INFO)))
    profile, payoff, influence, security, trust = (np.empty((rows, n)) for _ in range(5))
    made.kernels.solve_batch(
        stacked, scalars, made.order, threats, demands, burdens, places, values, *options,
        profile, payoff, influence, security, trust, info, work_space(n),
    )  # fmt: skip
    return Batch(profile, payoff, influence, security, trust, info)


_kept = threading.local()
_KEPT_BYTES = 64 << 20


def work_space(members: int, more: int = 0) -> Array:
    """Work space for the engine (see engine.stage.rooms), each thread's own, of `more` numbers more.

    It is kept from one call to the next, unless it is large: memory that is asked for anew is handed
    over page by page, which costs as much as solving. NumPy asks for large pages, a kernel cannot.
    """
    size = SPACE_ROWS * (members + 8) + more
    space: Array | None = getattr(_kept, "space", None)
    if space is None or space.size < size:
        space = np.empty(size)
        if space.nbytes <= _KEPT_BYTES:
            _kept.space = space
    return space


TABLE_ROWS = {
    "security_weight": 1,
    "influence_weight": 2,
    "private_weight": 3,
    "credibility": 6,
    "council_weight": 7,
    "burden_min": 8,
    "burden_max": 9,
    "trust": 10,
    "trust_ceiling": 11,
    "decay": 12,
    "trade_exposure": 14,
    "tariff": 15,
    "rival_pull": 17,
}
"""Parameters that stand in the tables as they are, and their rows (engine.T_...)."""


def _changes(
    game: BurdenSharingGame, count: int, changes: Mapping[str | tuple[str, str], Array]
) -> tuple[NDArray[np.int64], Array]:
    """Places in the table and values by scenario, as the kernel reads them."""
    places = np.empty((len(changes), 2), dtype=np.int64)
    values = np.empty((count, len(changes)))
    for j, (key, column) in enumerate(changes.items()):
        name, member = key if isinstance(key, tuple) else (key, None)
        places[j] = TABLE_ROWS[name], -1 if member is None else game.members.index_of(member)
        values[:, j] = column
    return places, values


def _by_member(values: Array, count: int, n: int) -> Array:
    array = np.asarray(values, dtype=np.float64)
    return np.broadcast_to(array[:, None] if array.ndim == 1 else array, (count, n))


def solve_plan(
    game: BurdenSharingGame, plan: Plan, *, unharmed: bool = False, safeguard_only: bool = False
) -> Batch:
    """Solve one plan: a batch of one, with its member arrays."""
    return solve_plans(
        game,
        plan.threat_by_member(game.members)[None, :],
        plan.demand_by_member(game.members)[None, :],
        np.array([np.nan if plan.burden is None else plan.burden]),
        tariffs=plan.tariff_by_member(game.members) if plan.taxed else None,
        unharmed=unharmed,
        whole=True,
        safeguard_only=safeguard_only,
    )


@dataclasses.dataclass(frozen=True, eq=False)
class Deviations:
    """What each member could gain at a profile: arrays of shape (n,)."""

    gain: Array
    reply: Array
    payoff: Array
    influence: Array
    security: Array
    trust: Array


def best_deviations(
    game: BurdenSharingGame,
    burden: Array,
    plan: Plan,
    *,
    unharmed: bool = False,
    points: int = SCAN_POINTS,
) -> Deviations:
    """Every member's best unilateral deviation over its whole action set.

    Where payoffs are not concave action sets are scanned at so many `points`.
    """
    made, table = table_of(game, plan)
    return deviations_at(
        dataclasses.replace(made, table=table),
        plan.threat_by_member(game.members),
        plan.demand_by_member(game.members),
        burden,
        leader_free=plan.burden is None,
        unharmed=unharmed,
        points=points,
    )


def deviations_at(
    made: Tables,
    threat: Array,
    demand: Array,
    burden: Array,
    *,
    leader_free: bool,
    unharmed: bool = False,
    points: int = SCAN_POINTS,
) -> Deviations:
    """`best_deviations` from tables; threats, demands and burdens by member, shape (n,)."""
    n = made.order.size
    outputs = [np.empty(n) for _ in range(6)]
    made.kernels.certify_profile(
        made.table, made.scalars, made.order, threat, demand,
        np.ascontiguousarray(burden, dtype=np.float64), leader_free, unharmed, points, *outputs,
        work_space(n),
    )  # fmt: skip
    return Deviations(*outputs)


def marginal_payoffs(
    game: BurdenSharingGame,
    burden: Array,
    plan: Plan | None = None,
    *,
    weights: Any = None,
) -> Array:
    """Every member's marginal payoff in its own burden at a profile, shape (n,).

    At a kink it is the marginal above the demand.
    `weights` replaces everybody's (security, influence, private) weights by three numbers: marginal
    payoffs are linear in them.
    """
    plan = Plan() if plan is None else plan
    made, table = table_of(game, plan)
    if weights is not None:
        table = table.copy()
        table[1:4] = np.asarray(weights, dtype=np.float64)[:, None]
    result = np.empty(game.size)
    made.kernels.profile_marginals(
        table,
        made.scalars,
        made.order,
        plan.threat_by_member(game.members),
        plan.demand_by_member(game.members),
        np.ascontiguousarray(burden, dtype=np.float64),
        result,
        work_space(game.size),
    )
    return result
