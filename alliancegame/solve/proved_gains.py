"""What anybody could gain by any deviation where payoffs are not concave: proved, not scanned.

Each member's payoff as a function of its own burden, the others held, is enclosed with its first two
derivatives (`payoff.enclosures`), from the one symbolic definition; branch and bound over every smooth
piece (`global_search`) then bounds the best that a deviation reaches.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.payoff.form import Form
from alliancegame.solve import aggregative
from alliancegame.solve.global_search import Maximum, maximise_many

TOLERANCE = 1e-11
"""How tightly the best deviation is enclosed, in payoff."""
BUDGET = 6_000
"""Boxes for each piece of an action set."""
_WEIGHTS = ("theta", "alpha", "private")


@dataclasses.dataclass(frozen=True, eq=False)
class Gains:
    """By member, shape (n,): the most that it could gain (a bound), and the burden to go to.

    `proved` says for whom the bound is one; elsewhere the gain is the best that was found.
    """

    gain: Array
    reply: Array
    proved: NDArray[np.bool_]


def proved_gains(game: BurdenSharingGame, plan: Plan, profile: Array, trust: Array) -> Gains:
    """Bounds on every player's gain at a profile of shape (n,).

    `trust` is the operating trust that solvers report (the leader's entry is the allies' mean).
    """
    facts = _Facts(game, plan, profile, trust)
    lead = game.members.leader_index
    gain, reply = np.zeros(game.size), np.array(profile)
    proved = np.ones(game.size, dtype=bool)
    groups: dict[tuple[bool, tuple[bool, ...]], list[int]] = {}
    for i in range(game.size):
        if i == lead and plan.burden is not None:
            continue
        present = tuple(bool(facts.numbers[name][i] > 0) for name in _WEIGHTS)
        groups.setdefault((i == lead, present), []).append(i)
    for (leads, present), members in groups.items():
        contests = game.size - 1 if leads and game.influence == "hub" and present[1] else 0
        functions = _enclosures(facts.form, leads, present, contests)
        for i, (bound, best, at, settled) in zip(
            members, _search(facts, functions, members, leads), strict=True
        ):
            now = facts.worth(functions, i, leads)
            gain[i] = max(bound - now, 0.0) if np.isfinite(now) else np.inf
            proved[i] = settled
            if best > now:
                reply[i] = at
    return Gains(gain, reply, proved)


class _Facts:
    """The numbers behind every member's payoff at a profile, by the names of `payoff.symbolic`."""

    def __init__(self, game: BurdenSharingGame, plan: Plan, profile: Array, trust: Array) -> None:
        self.game, self.plan, self.profile = game, plan, profile
        self.form = Form(
            game.consumption, game.influence_value, game.substitution == 1, game.decisiveness == 1,
            game.influence, game.shortfall, plan.taxed,
        )  # fmt: skip
        lead = game.members.leader_index
        gdp = game.by_member("gdp")
        scale = game.by_member("effectiveness") * gdp
        force = scale * profile
        rho, m = game.substitution, game.decisiveness
        power = np.where(np.arange(game.size) == lead, 0.0, force**rho)
        hub = game.influence == "hub"
        weight = np.array(trust if hub else game.by_member("council_weight"))
        if not hub:
            weight[lead] *= trust[lead]
        pull = weight * force**m
        spillin, umbrella = game.congested
        believed = plan.threat_by_member(game.members) * game.by_member("credibility")
        levy = plan.tariff_by_member(game.members) * game.by_member("trade_exposure")
        demand = plan.demand_by_member(game.members)
        every = np.full(game.size, 1.0)
        self.pressed = (believed * (game.by_member("security_weight") > 0) > 0) | (levy > 0)
        self.pressed[lead] = False
        self.trade = gdp * (1 - game.deadweight) / gdp[lead]
        # Sums over the others alone: a difference next to a large part would lose its digits.
        self.numbers = {
            "scale": scale, "theta": game.by_member("security_weight"),
            "alpha": game.by_member("influence_weight"), "private": game.by_member("private_weight"),
            "spillin": spillin, "umbrella": umbrella * trust, "bite": believed, "demand": demand,
            "weight": weight, "levy": levy, "rival": game.by_member("rival_pull"),
            "width": every * game.width, "rho": every * rho, "m": every * m,
            "G": every * force[lead], "others": _without_each(power), "Z": every * power.sum(),
            "council": _without_each(pull),
            "returned": every * game.return_spillin * trust[lead] ** game.cohesion,
            "revenue": every * self._revenue(levy, demand),
        }  # fmt: skip
        share = gdp / (gdp.sum() - gdp[lead])
        for k, j in enumerate(np.flatnonzero(np.arange(game.size) != lead)):
            for name, values in (("share", share), ("trust", trust), ("force", force)):
                self.numbers[f"{name}{k}"] = every * values[j]
            self.numbers[f"pull{k}"] = every * self.numbers["rival"][j]

    def _revenue(self, levy: Array, demand: Array) -> float:
        """What the tariffs bring the leader, a share of its GDP."""
        if not self.plan.taxed:
            return 0.0
        if self.game.shortfall == "logistic":
            missed = 0.5 * (1 - np.tanh((self.profile - demand) / (2 * self.game.width)))
        else:
            missed = np.maximum(0.0, 1 - self.profile / demand)
        return float((levy * missed * self.trade).sum())

    def pieces(self, i: int, leads: bool) -> list[tuple[float, float, float]]:
        """(low, high, below) of every smooth piece of a member's action set."""
        low = float(self.game.by_member("burden_min")[i])
        high = float(self.game.by_member("burden_max")[i])
        d = float(self.numbers["demand"][i])
        if leads or not self.pressed[i] or self.form.logistic:
            return [(low, high, 0.0)]
        if d >= high:
            return [(low, high, 1.0)]
        if d <= low:
            return [(low, high, 0.0)]
        return [(low, d, 1.0), (d, high, 0.0)]

    def worth(self, functions: _Functions, i: int, leads: bool) -> float:
        """The proved lower end of a member's payoff at the profile."""
        x = float(self.profile[i])
        for low, high, below in self.pieces(i, leads):
            if low <= x <= high:
                point = np.array([x])
                found = functions.value(
                    *self.boxes(functions, (point, point), np.array([i]), np.array([below]))
                )
                return float(found[0][0])
        return -np.inf

    def boxes(self, functions: _Functions, box: Any, who: Any, below: Any) -> list[Any]:
        """One (lo, hi) for each symbol of the functions: the burden's box, the others' numbers."""
        made = [box]
        for name in functions.names:
            values = below if name == "below" else self.numbers[name][who]
            made.append((values, values))
        return made


def _without_each(values: Array) -> Array:
    """The sums of all entries but each; shape (n,)."""
    before = np.concatenate([[0.0], np.cumsum(values)[:-1]])
    after = np.concatenate([np.cumsum(values[::-1])[::-1][1:], [0.0]])
    return np.asarray(before + after)


@dataclasses.dataclass(frozen=True, eq=False)
class _Functions:
    """Enclosures of a payoff and its derivatives in the own burden; `names` of their other symbols."""

    value: Any
    slope: Any
    curvature: Any
    names: tuple[str, ...]


@functools.cache
def _enclosures(form: Form, leads: bool, present: tuple[bool, ...], contests: int) -> _Functions:
    """The functions of one form: terms that are `present`, `contests` in the leader's hub."""
    import sympy as sp

    from alliancegame.payoff import symbolic as sy
    from alliancegame.payoff.enclosures import enclosure

    problem = sy.leader_problem(form) if leads else sy.ally_problem(form, against=True)
    kept = dict(zip(_WEIGHTS, present, strict=True))
    payoff = sp.Add(
        *(
            t.value if t.weight is None else t.weight * t.value
            for t in problem.terms
            if t.weight is None or kept[str(t.weight)]
        )
    )
    council = sp.Symbol("council", nonnegative=True)
    if contests:
        hub = sy.hub_share(form)
        parts = []
        for k in range(contests):
            share, trust, force, pull = sp.symbols(
                f"share{k} trust{k} force{k} pull{k}", positive=True
            )
            parts.append(share * hub.subs({sy.weight: trust, sy.g: force, sy.rival: pull}))
        payoff = payoff.subs(sy.share, sp.Add(*parts))
    own = sy.scale * sy.x
    payoff = payoff.subs(sy.C, council + sy.weight * own ** sy.decisiveness(form)).subs(sy.g, own)
    symbols = sorted(payoff.free_symbols - {sy.x}, key=str)
    slope = sp.diff(payoff, sy.x)
    value, first, second = (
        enclosure(expression, [sy.x, *symbols])
        for expression in (payoff, slope, sp.diff(slope, sy.x))
    )
    return _Functions(value, first, second, tuple(str(s) for s in symbols))


def _search(
    facts: _Facts, functions: _Functions, members: list[int], leads: bool
) -> list[tuple[float, float, float, bool]]:
    """(bound, best value, where, proved) for each member, over all pieces of its action set."""
    owners, cuts = [], []
    for k, i in enumerate(members):
        for piece in facts.pieces(i, leads):
            owners.append(k)
            cuts.append(piece)
    low, high, below = (np.array(column) for column in zip(*cuts, strict=True))
    who = np.array(members)[owners]

    def family(function: Any) -> Any:
        return lambda box, which: function(*facts.boxes(functions, box, who[which], below[which]))

    demand = facts.numbers["demand"][who]
    found = maximise_many(
        family(functions.value),
        family(functions.slope),
        family(functions.curvature),
        low,
        high,
        [[float(d)] if facts.form.logistic else [] for d in demand],
        TOLERANCE,
        start=[[float(facts.profile[i])] for i in who],
        budget=BUDGET,
    )
    return [_together([f for f, k in zip(found, owners, strict=True) if k == j])
            for j in range(len(members))]  # fmt: skip


def _together(pieces: list[Maximum]) -> tuple[float, float, float, bool]:
    best = max(pieces, key=lambda piece: piece.value)
    where = float(best.points[0]) if best.points.size else np.nan
    return (
        max(piece.bound for piece in pieces),
        best.value,
        where,
        all(piece.proved for piece in pieces),
    )


def provable(game: BurdenSharingGame) -> bool:
    """Whether the search covers the game: payoffs continuous on every piece, in the kernel's forms."""
    return game.technology == "ces" and game.shortfall != "trigger"


def global_gains(
    game: BurdenSharingGame, plan: Plan, profile: Array, scanned: aggregative.Deviations
) -> tuple[Array, bool]:
    """Gains by member where payoffs are not concave, and whether all of them are proved.

    `scanned` are the best deviations of a scan: where they are large already nothing is proved, and
    where the search finds more than the scan did, its gain counts.
    """
    if not provable(game) or not scanned.gain.max() <= 1e-6:
        return scanned.gain, False
    if _alone(game, profile):
        return scanned.gain, False
    found = proved_gains(game, plan, profile, scanned.trust)
    if found.proved.all() and np.isfinite(found.gain).all():
        return found.gain, True
    return np.where(found.proved, found.gain, scanned.gain), False


def _alone(game: BurdenSharingGame, profile: Array) -> bool:
    """Whether somebody who values influence meets no other contribution: its payoff then jumps at 0."""
    if game.influence == "hub":
        idle = profile[game.members.leader_index] == 0
        return bool(idle and np.any(game.by_member("influence_weight")))
    busy = profile > 0
    alone = (busy.sum() - busy) == 0
    return bool((alone & (game.by_member("influence_weight") > 0)).any())
