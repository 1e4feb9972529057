"""First and second derivatives of every member's payoff in every member's burden, in NumPy.

From the one symbolic definition (`payoff.symbolic`): a payoff is a function of the own burden and of
the aggregates (Z, C, G; in a hub and under tariffs also of what the leader has of each ally, summed: its
share of influence and its revenue); the rest is the chain rule. The compiled kernels have each member's own
conditions only, which is all that equilibria need; a planner or a coalition needs the rest.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.parameters import Array
from alliancegame.payoff import bilateral
from alliancegame.payoff.form import Form

SHARE, REVENUE = 3, 4
"""Where the leader's influence in a hub and its revenue stand among the aggregates, behind Z, C, G."""

TINY = 1e-60
"""Stands for a burden of zero, as in the engine."""

TERMS = ("consumption", "security", "influence", "private")
BASE = ("consumption", "security", "private")

_WEIGHTS = {"security": "theta", "influence": "alpha", "private": "private"}
_ROWS = ("scale", "theta", "alpha", "private", "spillin", "umbrella", "bite", "demand", "weight")
_FURTHER = ("levy", "rival", "width")
"""Rows of forms beyond the plain ones; 0 where they are not given."""


@dataclasses.dataclass(frozen=True, eq=False)
class Stage:
    """What members face once trust has answered to a plan; rows of shape (n,) by member.

    `rows` has scale, theta, alpha, private, spillin, umbrella (times operating trust), bite, demand
    and weight (the leader's times the mean trust; in a hub an ally's trust), under the names of
    `payoff.symbolic`. Forms beyond the plain ones add levy, rival and width, the allies' `share` of
    GDP (hub) and `trade`, an ally's GDP over the leader's less deadweight (tariffs).
    """

    form: Form
    lead: int
    rows: Mapping[str, Array]
    returned: float
    rho: float
    m: float

    @property
    def size(self) -> int:
        """The number of members."""
        return len(self.rows["scale"])

    @property
    def one_by_one(self) -> bool:
        """Whether the leader's payoff depends on allies one by one, beside Z, C and G."""
        return self.form.hub or self.form.taxed


@dataclasses.dataclass(frozen=True, eq=False)
class Local:
    """Payoffs in their k local variables (own burden, aggregates): (n,), (n, k) and (n, k, k)."""

    value: Array
    first: Array
    second: Array

    def weighted(self, weights: Array) -> Local:
        """Every member's payoff times a number."""
        return Local(
            self.value * weights,
            self.first * weights[:, None],
            self.second * weights[:, None, None],
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Slopes:
    """Payoffs (n,), their slopes (n, n) and curvatures (n, n, n): member first, then burdens."""

    value: Array
    first: Array
    second: Array


@dataclasses.dataclass(frozen=True, eq=False)
class Aggregates:
    """Z, C, G at a profile, and each member's part of them with its derivatives: (3, n) each.

    In a hub, or under tariffs, the leader's share of influence and its revenue follow: (5, n).
    """

    totals: Array
    parts: Array
    first: Array
    second: Array
    cross: Array
    """Second derivatives of the share in an ally's burden and the leader's, shape (n,)."""


def aggregates(stage: Stage, x: Array, *, below: NDArray[np.bool_] | None = None) -> Aggregates:
    """Z (allies only), C and G; each is a sum over members, so that second derivatives are diagonal.

    The leader's share in a hub is the exception: each contest moves with two burdens. `below` as in
    `local`.
    """
    x = np.maximum(x, TINY)
    parts = sums(stage, x)
    cross = np.zeros(stage.size)
    if stage.one_by_one:
        share, cross = _contests(stage, x)
        under = (x < stage.rows["demand"]) if below is None else below
        parts = np.concatenate([parts, [share, _revenue(stage, x, under)]])
    return Aggregates(parts[:, 0].sum(axis=1), parts[:, 0], parts[:, 1], parts[:, 2], cross)


def sums(stage: Stage, x: Array) -> Array:
    """Members' parts of Z, C and G, and their first and second derivatives, (3, 3, n)."""
    x = np.maximum(x, TINY)
    values = _sums(stage.form)(x, stage.rows["scale"], stage.rows["weight"], stage.rho, stage.m)
    parts: Array = np.array([np.broadcast_to(v, x.shape) for v in values]).reshape(3, 3, -1)
    lead = np.arange(stage.size) == stage.lead
    parts[0][:, lead] = 0.0
    parts[2][:, ~lead] = 0.0
    return parts


def _contests(stage: Stage, x: Array) -> tuple[Array, Array]:
    """Parts of the leader's share in a hub and their derivatives, (3, n), and cross derivatives (n,)."""
    parts, cross, lead = np.zeros((3, stage.size)), np.zeros(stage.size), stage.lead
    if not stage.form.hub:
        return parts, cross
    allies = np.arange(stage.size) != lead
    scale, omega = stage.rows["scale"], stage.rows["share"][allies]
    found = bilateral.contest(stage.form)(
        x[lead], scale[lead], stage.rows["weight"][allies], (scale * x)[allies],
        stage.rows["rival"][allies], stage.m,
    )  # fmt: skip
    own = scale[allies]
    parts[:, allies] = omega * found.q, omega * found.g * own, omega * found.gg * own**2
    parts[1:, lead] = (omega * found.x).sum(), (omega * found.xx).sum()
    cross[allies] = omega * found.xg * own
    return parts, cross


def _revenue(stage: Stage, x: Array, under: NDArray[np.bool_]) -> Array:
    """Parts of the leader's revenue and their derivatives, (3, n)."""
    if not stage.form.taxed:
        return np.zeros((3, stage.size))
    found = bilateral.shortfall(stage.form)(
        x, stage.rows["demand"], under.astype(float), stage.rows["width"]
    )
    paid = stage.rows["levy"] * stage.rows["trade"]
    return np.array([paid * np.broadcast_to(part, x.shape) for part in found])


def local(
    stage: Stage,
    x: Array,
    totals: Array,
    terms: tuple[str, ...] = TERMS,
    *,
    below: NDArray[np.bool_] | None = None,
) -> Local:
    """Payoffs, or some of their terms, in the own burden and the aggregates, held independent.

    A term whose weight is 0 is absent. `below` says who is on the piece under its demand (by
    default those whose burden is under it).
    """
    n, x = stage.size, np.maximum(x, TINY)
    k = 1 + len(totals)
    value, first, second = np.zeros(n), np.zeros((n, k)), np.zeros((n, k, k))
    under = (x < stage.rows["demand"]) if below is None else below
    for role, of_role in (
        ("ally", np.arange(n) != stage.lead),
        ("leader", np.arange(n) == stage.lead),
    ):
        for term in terms:
            weight = stage.rows[_WEIGHTS[term]] if term in _WEIGHTS else np.ones(n)
            members = np.flatnonzero(of_role & (weight > 0))
            if not len(members):
                continue
            arguments = [x[members], *totals, under[members].astype(float)]
            arguments += [stage.rows[name][members] for name in _ROWS]
            arguments += [
                stage.rows[name][members] if name in stage.rows else 0.0 for name in _FURTHER
            ]
            made = _functions(stage.form)[role, term]
            worth = weight[members]
            results = made.call(*arguments, stage.returned, stage.rho, stage.m)
            for place, result in zip(made.places, results, strict=True):
                if len(place) == 0:
                    value[members] += worth * result
                elif len(place) == 1:
                    first[members, place[0]] += worth * result
                else:
                    second[members, place[0], place[1]] += worth * result
                    if place[0] != place[1]:
                        second[members, place[1], place[0]] += worth * result
    return Local(value, first, second)


def at_constant_council(
    stage: Stage,
    x: Array,
    totals: Array,
    terms: tuple[str, ...],
    below: NDArray[np.bool_] | None = None,
) -> Local:
    """Payoffs as if the council's sum were 1 and did not move: ln p is then ln of the own pull."""
    found = local(stage, x, np.array([totals[0], 1.0, *totals[2:]]), terms, below=below)
    found.first[:, 2] = 0.0
    found.second[:, 2, :] = 0.0
    found.second[:, :, 2] = 0.0
    return found


def chained(found: Local, sums: Aggregates) -> Slopes:
    """Derivatives in all burdens: the own burden moves all aggregates, and they move everybody."""
    n = len(found.value)
    inner = np.zeros((n, found.first.shape[1], n))  # d local_k of member j / d x_i
    inner[np.arange(n), 0, np.arange(n)] = 1.0
    inner[:, 1:] = sums.first
    first = np.einsum("jk,jki->ji", found.first, inner)
    second = np.einsum("jki,jkl,jlh->jih", inner, found.second, inner, optimize=True)
    second[:, np.arange(n), np.arange(n)] += found.first[:, 1:] @ sums.second
    if sums.cross.any():
        second += found.first[:, 1 + SHARE, None, None] * _crossed(sums)
    return Slopes(found.value, first, second)


def summed(found: Local, sums: Aggregates) -> tuple[float, Array, Array]:
    """The members' sum of (weighted) payoffs, its gradient (n,) and its Hessian (n, n) in burdens."""
    rates, bends = found.first[:, 1:].sum(axis=0), found.second[:, 1:, 1:].sum(axis=0)
    cross = found.second[:, 0, 1:] @ sums.first
    second = cross + cross.T + sums.first.T @ bends @ sums.first
    diagonal = found.second[:, 0, 0] + rates @ sums.second
    second[np.arange(len(diagonal)), np.arange(len(diagonal))] += diagonal
    if sums.cross.any():
        second += rates[SHARE] * _crossed(sums)
    return float(found.value.sum()), found.first[:, 0] + rates @ sums.first, second


def _crossed(sums: Aggregates) -> Array:
    """Second derivatives of the leader's share in an ally's burden and the leader's, shape (n, n)."""
    lead = int(np.flatnonzero(sums.parts[2])[0])  # G is the leader's alone.
    found = np.zeros((len(sums.cross), len(sums.cross)))
    found[lead] = found[:, lead] = sums.cross
    return found


def slopes(stage: Stage, x: Array, *, below: NDArray[np.bool_] | None = None) -> Slopes:
    """Every member's payoff, and its derivatives in every burden, at a profile of shape (n,)."""
    sums = aggregates(stage, x, below=below)
    return chained(local(stage, x, sums.totals, below=below), sums)


@dataclasses.dataclass(frozen=True, eq=False)
class _Term:
    """A term's value and those of its derivatives that are not zero: (), (k,) or (k, l), k <= l."""

    places: tuple[tuple[int, ...], ...]
    call: Callable[..., Any]


@functools.cache
def _functions(form: Form) -> dict[Any, _Term]:
    """NumPy functions of a form: each term by role with its derivatives."""
    import sympy as sp

    from alliancegame.payoff import symbolic as sy

    places = [sy.x, sy.Z, sy.C, sy.G]
    if form.hub or form.taxed:
        places += [sy.share, sy.revenue]
    arguments = [
        *places, sy.below, sy.scale, sy.theta, sy.alpha, sy.private, sy.spillin, sy.umbrella, sy.bite,
        sy.demand, sy.weight, sy.levy, sy.rival, sy.width, sy.returned, sy.rho_symbol, sy.m_symbol,
    ]  # fmt: skip
    made: dict[Any, _Term] = {}
    for role, problem in (("ally", sy.ally_problem(form)), ("leader", sy.leader_problem(form))):
        for term in problem.terms:
            value = term.value.subs(sy.g, sy.scale * sy.x)
            parts: dict[tuple[int, ...], Any] = {(): value}
            for k, one in enumerate(places):
                parts[k,] = sp.diff(value, one)
                for other in range(k, len(places)):
                    parts[k, other] = sp.diff(value, one, places[other])
            kept = {place: part for place, part in parts.items() if part != 0}
            call = sp.lambdify(arguments, list(kept.values()), "numpy", cse=True)
            made[role, term.name] = _Term(tuple(kept), call)
    return made


@functools.cache
def _sums(form: Form) -> Callable[..., Any]:
    """Each member's part of Z, C and G, each with its first and second derivative in the burden."""
    import sympy as sp

    from alliancegame.payoff import symbolic as sy
    from alliancegame.payoff import terms

    g = sy.scale * sy.x
    pull = terms.council_pull(sy.weight, g, sy.decisiveness(form))
    parts = [g ** sy.substitution(form), pull, g]
    table = [d for part in parts for d in (part, sp.diff(part, sy.x), sp.diff(part, sy.x, 2))]
    arguments = [sy.x, sy.scale, sy.weight, sy.rho_symbol, sy.m_symbol]
    made: Callable[..., Any] = sp.lambdify(arguments, table, "numpy", cse=True)
    return made
