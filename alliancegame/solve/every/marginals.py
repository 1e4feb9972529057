"""Marginal payoffs along the allies' answer, as intervals: of an ally given the total, of the leader.

Under the conditions of the theorem on followers (docs/theory/equilibrium) an ally's marginal payoff is a
function of its own burden, the allies' total X of contributions and the leader's contribution; the
leader's is one of its own burden, X, and what tariffs bring. Both come from the one symbolic definition
(`payoff.symbolic`), as enclosures for proofs and as plain functions for searches.
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
from alliancegame.payoff import intervals as iv
from alliancegame.payoff.form import Form
from alliancegame.solve import aggregative
from alliancegame.solve.trigger.sides import UMBRELLA_ROW

Mask = NDArray[np.bool_]
Box = tuple[Any, Any]

ROUNDED = 1e-13
"""Numbers of the game that are computed (trust, spill-ins, ...) are this near to the truth, relatively."""


@dataclasses.dataclass(frozen=True)
class Marginals:
    """Functions of one form. Arguments go by name: `names` of each function, symbol by symbol.

    Enclosures: `ally`, its slopes `own` (in the own burden), `total` (in X) and `lead` (in the leader's
    contribution); `leader` and its slopes `leader_own`, `leader_total`, `leader_revenue`. `search` gives
    numbers (ally, own, total) in which the council's sum stands apart where it adds and where it takes.
    """

    enclosures: dict[str, Any]
    search: Any
    names: dict[str, tuple[str, ...]]


@functools.cache
def marginals(form: Form) -> Marginals:
    """The functions of one form, derived and written once."""
    import sympy as sp

    from alliancegame.payoff import symbolic as sy
    from alliancegame.payoff.enclosures import enclosure

    given, seat = sp.Symbol("given", positive=True), sp.Symbol("seat", positive=True)
    adds, takes = sp.symbols("adds takes", positive=True)
    problem = sy.ally_problem(form)
    own = sy.scale * sy.x
    shelter = sp.Add(*(a for a in problem.security_power.args if a.has(sy.G)))
    bare = sp.collect(sp.expand((problem.security_power - shelter).subs(sy.g, own)), sy.x)
    # The umbrella that a burden brings back stands apart from the one that covers: each once.
    gained = sp.expand(problem.total(problem.security_power)).subs(sy.G, given)
    spent, _, influence, private = (problem.total(t.value) for t in problem.terms)
    parts = sp.Add.make_args(sp.expand(sp.expand(influence).subs(sy.g, own)))
    pull = sp.Add(*(p.subs(sy.C, takes if p.could_extract_minus_sign() else adds) for p in parts))
    ally = (
        spent + sy.theta * gained / (bare + shelter) + sy.alpha * pull + sy.private * private
    ).subs(sy.g, own)

    def council(value: Any) -> Any:
        return sp.diff(value, adds) + sp.diff(value, takes)

    functions = {
        "ally": ally,
        "own": sp.diff(ally, sy.x),
        "total": sp.diff(ally, sy.Z) + sy.weight * council(ally),
        "lead": sp.diff(ally, sy.G) + sp.diff(ally, given) + seat * council(ally),
    }
    leading = sy.leader_problem(form)
    spent, security, influence, private = (leading.total(t.value) for t in leading.terms)
    pull = sp.expand(influence)
    leader = (
        spent + sy.theta * security + sy.alpha * pull + sy.private * private
    ).subs(sy.g, own).subs(sy.C, sy.weight * own + seat * sy.Z)  # fmt: skip
    functions |= {
        "leader": leader,
        "leader_own": sp.diff(leader, sy.x),
        "leader_total": sp.diff(leader, sy.Z),
        "leader_revenue": sp.diff(leader, sy.revenue),
    }
    symbols = {
        name: tuple(sorted(value.free_symbols, key=str)) for name, value in functions.items()
    }
    three = tuple(sorted(set().union(*(symbols[n] for n in ("ally", "own", "total"))), key=str))
    written = sp.lambdify(
        three, [functions[n] for n in ("ally", "own", "total")], "numpy", cse=True
    )
    names = {name: tuple(str(s) for s in found) for name, found in symbols.items()}
    return Marginals(
        {name: enclosure(value, symbols[name]) for name, value in functions.items()},
        written,
        {**names, "search": tuple(str(s) for s in three)},
    )


@dataclasses.dataclass(frozen=True, eq=False)
class Alliance:
    """The numbers of a game under a plan, allies in member order, arrays of shape (ally,).

    `numbers` goes by the names of `payoff.symbolic`; `leader` holds the leader's. `trade` is what an
    ally's losses add to the leader's consumption, a share of its GDP, 0 where that does not matter.
    """

    game: BurdenSharingGame
    plan: Plan
    functions: Marginals
    allies: NDArray[np.intp]
    numbers: dict[str, Array]
    leader: dict[str, float]
    low: Array
    high: Array
    pressed: Mask
    trade: Array

    @classmethod
    def of(cls, game: BurdenSharingGame, plan: Plan) -> Alliance:
        """The numbers that the engine works with, whose trust is worked out once."""
        lead = game.members.leader_index
        allies = np.flatnonzero(np.arange(game.size) != lead)
        _, table = aggregative.table_of(game, plan)
        floor = np.array(game.by_member("burden_min"))
        trust = aggregative.best_deviations(game, floor, plan).trust
        gdp, taxed = game.by_member("gdp"), plan.taxed
        bite = plan.threat_by_member(game.members) * game.by_member("credibility")
        levy = plan.tariff_by_member(game.members) * game.by_member("trade_exposure")
        scale = game.by_member("effectiveness") * gdp
        # Where nobody values influence, weights in council need not be equal, and do not matter.
        seats = game.by_member("council_weight")
        rows = {
            "scale": scale, "theta": game.by_member("security_weight"),
            "alpha": game.by_member("influence_weight"), "private": game.by_member("private_weight"),
            "spillin": game.congested[0], "umbrella": table[UMBRELLA_ROW] * trust, "bite": bite,
            "demand": plan.demand_by_member(game.members), "weight": np.full(game.size, seats[allies[0]]),
            "levy": levy, "seat": np.full(game.size, seats[lead] * trust[lead]),
        }  # fmt: skip
        leader = {
            "scale": float(scale[lead]), "theta": float(rows["theta"][lead]),
            "alpha": float(rows["alpha"][lead]), "private": float(rows["private"][lead]),
            "returned": float(game.return_spillin * trust[lead] ** game.cohesion),
            "weight": float(seats[lead] * trust[lead]), "seat": float(seats[allies[0]]),
        }  # fmt: skip
        felt = (bite * (rows["theta"] * rows["umbrella"] > 0) > 0) | (levy > 0)
        kept = (1 - game.deadweight) * gdp / gdp[lead] if game.consumption == "log" else 0.0 * gdp
        form = Form(game.consumption, game.influence_value, taxed=taxed)
        return cls(
            game, plan, marginals(form), allies,
            {name: np.asarray(row[allies]) for name, row in rows.items()}, leader,
            game.by_member("burden_min")[allies], game.by_member("burden_max")[allies],
            felt[allies], (kept * levy)[allies],
        )  # fmt: skip

    @property
    def taxing(self) -> bool:
        """Whether what tariffs bring moves the leader's marginal payoff."""
        return bool((self.trade > 0).any())

    @property
    def unit(self) -> Box:
        """The leader's contribution by burden, e_l Y_l."""
        return _near(self.leader["scale"])

    @property
    def range(self) -> tuple[float, float]:
        """The leader's bounds."""
        lead = self.game.members.leader_index
        low, high = (self.game.by_member(f"burden_{end}")[lead] for end in ("min", "max"))
        return float(low), float(high)

    def ally(self, name: str, x: Box, total: Box, lead: Box, below: Array) -> Box:
        """An enclosure of an ally's marginal payoff or of a slope of it; boxes (cell, ally)."""
        council = iv.add(
            iv.multiply(_near(self.numbers["weight"]), total),
            iv.multiply(_near(self.numbers["seat"]), lead),
        )
        boxes = {
            "x": x, "Z": total, "G": lead, "given": lead, "adds": council, "takes": council,
            "below": (below, below),
        }  # fmt: skip
        made = self.functions.enclosures[name]
        return self._filled(made, name, boxes, self.numbers)

    def lead(self, name: str, x: Box, total: Box, revenue: Box) -> Box:
        """An enclosure of the leader's marginal payoff or of a slope of it; boxes (cell,)."""
        boxes = {"x": x, "Z": total, "revenue": revenue}
        return self._filled(self.functions.enclosures[name], name, boxes, self.leader)

    def _filled(self, function: Any, name: str, boxes: dict[str, Box], numbers: Any) -> Box:
        found: Box = function(
            *(boxes[s] if s in boxes else _near(numbers[s]) for s in self.functions.names[name])
        )
        return found


def _near(value: Any) -> Box:
    """An interval around a number that was computed; what is zero is zero."""
    slack = ROUNDED * np.abs(value)
    return value - slack, value + slack
