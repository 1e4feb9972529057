"""Every member's payoff as a function of its own burden, the others held: numbers and enclosures.

Derived from the one symbolic definition (`payoff.symbolic`), for every form of the kernels and for
triggers. `Facts` has the numbers behind a profile, `functions_of` the payoff with its first two
derivatives, in interval arithmetic and in plain NumPy.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.payoff.form import Form
from alliancegame.solve import measures

WEIGHTS = ("theta", "alpha", "private")
OUT_OF_REACH = 1e20
"""What who defies a trigger is asked for: 1 - x / d is then 1 to the last digit.

Not more: where forces do not add up conditions have its cube, and an overflow sends the engine from
Newton to its safeguard, which takes a hundred thousand times as long.
"""


class Facts:
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
        self.demand = demand
        every = np.full(game.size, 1.0)
        self.pressed = (believed * (game.by_member("security_weight") > 0) > 0) | (levy > 0)
        self.pressed[lead] = False
        # Sums over the others alone: a difference next to a large part would lose its digits.
        self.numbers = {
            "scale": scale, "theta": game.by_member("security_weight"),
            "alpha": game.by_member("influence_weight"), "private": game.by_member("private_weight"),
            "spillin": spillin, "umbrella": umbrella * trust, "bite": believed,
            "demand": every * OUT_OF_REACH if game.shortfall == "trigger" else demand,
            "weight": weight, "levy": levy, "rival": game.by_member("rival_pull"),
            "width": every * game.width, "rho": every * rho, "m": every * m,
            "G": every * force[lead], "others": _without_each(power), "Z": every * power.sum(),
            "council": _without_each(pull),
            "returned": every * game.return_spillin * trust[lead] ** game.cohesion,
            "revenue": np.zeros(game.size),
        }  # fmt: skip
        if plan.taxed:
            tariffs = plan.tariff_by_member(game.members)
            self.numbers["revenue"] += measures.tariff_revenue(game, profile, demand, tariffs)
        share = gdp / (gdp.sum() - gdp[lead])
        for k, j in enumerate(np.flatnonzero(np.arange(game.size) != lead)):
            for name, values in (("share", share), ("trust", trust), ("force", force)):
                self.numbers[f"{name}{k}"] = every * values[j]
            self.numbers[f"pull{k}"] = every * self.numbers["rival"][j]

    def pieces(self, i: int, leads: bool) -> list[tuple[float, float, float]]:
        """(low, high, below) of every smooth piece of a member's action set."""
        low = float(self.game.by_member("burden_min")[i])
        high = float(self.game.by_member("burden_max")[i])
        d = float(self.demand[i])
        if leads or not self.pressed[i] or self.form.logistic:
            return [(low, high, 0.0)]
        if d >= high:
            return [(low, high, 1.0)]
        if d <= low:
            return [(low, high, 0.0)]
        return [(low, d, 1.0), (d, high, 0.0)]

    def worth(self, functions: Functions, i: int, leads: bool) -> float:
        """The proved lower end of a member's payoff at the profile."""
        x = float(self.profile[i])
        for low, high, below in reversed(self.pieces(i, leads)):
            if low <= x <= high:
                point = np.array([x])
                found = functions.value(
                    *self.boxes(functions, (point, point), np.array([i]), np.array([below]))
                )
                return float(found[0][0])
        return -np.inf

    def functions(self, i: int, leads: bool, *, taxed: bool = False) -> Functions:
        """The functions of a member's payoff; `taxed` gives a leader's `revenue` without tariffs too."""
        form = dataclasses.replace(self.form, taxed=True) if taxed else self.form
        present = tuple(bool(self.numbers[name][i] > 0) for name in WEIGHTS)
        contests = self.game.size - 1 if leads and self.form.hub and present[1] else 0
        return _functions(form, leads, present, contests)

    def boxes(
        self, functions: Functions, box: Any, who: Any, below: Any, **instead: Any
    ) -> list[Any]:
        """One (lo, hi) for each symbol of the functions: the burden's box, the others' numbers.

        `instead` has values, one for each box, of symbols that are not as in the profile.
        """
        made = [box]
        for name in functions.names:
            if name == "below":
                values = below
            else:
                values = instead[name] if name in instead else self.numbers[name][who]
            made.append((values, values))
        return made


def _without_each(values: Array) -> Array:
    """The sums of all entries but each; shape (n,)."""
    before = np.concatenate([[0.0], np.cumsum(values)[:-1]])
    after = np.concatenate([np.cumsum(values[::-1])[::-1][1:], [0.0]])
    return np.asarray(before + after)


@dataclasses.dataclass(frozen=True, eq=False)
class Functions:
    """Enclosures of a payoff and its derivatives in the own burden; `names` of their other symbols."""

    value: Any
    slope: Any
    curvature: Any
    names: tuple[str, ...]

    def at(self, boxes: list[Any]) -> Array:
        """Values at points, without enclosures: quicker, and of the same shape."""
        points = [np.asarray(lo, dtype=np.float64) for lo, _ in boxes]
        with np.errstate(all="ignore"):
            return np.asarray(_plain(self)(*points))


@functools.cache
def _plain(functions: Functions) -> Any:
    import sympy as sp

    value = functions.value
    return sp.lambdify(list(value.symbols), value.expression, "numpy", cse=True)


@functools.cache
def _functions(form: Form, leads: bool, present: tuple[bool, ...], contests: int) -> Functions:
    """The functions of one form: terms that are `present`, `contests` in the leader's hub."""
    import sympy as sp

    from alliancegame.payoff import symbolic as sy
    from alliancegame.payoff.enclosures import enclosure

    problem = sy.leader_problem(form) if leads else sy.ally_problem(form, against=True)
    kept = dict(zip(WEIGHTS, present, strict=True))
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
    return Functions(value, first, second, tuple(str(s) for s in symbols))
