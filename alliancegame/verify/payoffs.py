"""4. Payoffs: every member's payoff as a function of its own burden, from the terms of the model.

The argument: the formulas are those of `payoff/terms.py` (docs/theory/model), called by their names;
none is repeated. The arguments of a term are symbols of the same names; what is written here is which
number each name has for a member, given the game, the plan and the profile of a file.

Names that are not those of parameters: `scale` e Y, `g` e Y x, `bite` c tau, `levy` chi T, `crowd` the
congestion of spill-ins, `shelter` b r and `returned` b_l T^zeta (what an ally and the leader have of each
other's forces), `pull` t g^m and `rest` that of all others, `seat` the influence of a member that is alone
in the council, `idle` what it has if it gives nothing either.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import sympy as sp

from alliancegame.game.game import PARAMETERS, BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.payoff import terms
from alliancegame.verify.deviations import Payoff
from alliancegame.verify.intervals import RULES, Interval, Known, enclose, total
from alliancegame.verify.profile import Profile


def symbol(name: str) -> Any:
    """The symbol for a number of a member. It may be 0 too: "positive" only lets SymPy join powers."""
    return sp.Symbol(name, positive=True)


x = symbol("x")
"""The own burden."""


def term(name: str, **given: Any) -> Any:
    """A term of the model by its name; each argument that is not given is the symbol of its name."""
    function = getattr(terms, name)
    return function(*(given.get(k, symbol(k)) for k in inspect.signature(function).parameters))


def value(name: str, **given: Any) -> Interval:
    """A term at numbers: intervals, and exact fractions."""
    known = {symbol(k): v for k, v in given.items() if isinstance(v, Interval)}
    return enclose(term(name, **{k: v for k, v in given.items() if symbol(k) not in known}), known)


def cut(low: float, high: float, demand: float) -> list[tuple[float, float, int]]:
    """A range of burdens, cut at the demand, and of each part whether it is below (1) or not (0)."""
    below = [(low, min(high, demand), 1)] * (low < demand)
    return below + [(max(low, demand), high, 0)] * (high >= demand)


class Stage(Profile):
    """A game under a plan at a profile of burdens.

    `of[name][i]` is a number of member i, `shared[name]` one of all; `exact` are the game's parameters
    that have one value, as fractions, since they may be exponents. Burdens go from `low[i]` to `high[i]`.
    """

    def __init__(self, game: BurdenSharingGame, plan: Plan, burdens: list[float]) -> None:
        self.game, self.plan, self.values, self.names = game, plan, burdens, list(game.members)
        self.members, self.lead = range(game.size), game.members.leader_index
        self.allies = [i for i in self.members if i != self.lead]
        self.playing = self.allies if plan.burden is not None else list(self.members)
        self.units = [1.0] * game.size
        self.demand = [float(d) for d in plan.demand_by_member(game.members)]
        self.low, self.high = (game.by_member(f"burden_{end}").tolist() for end in ("min", "max"))
        scalars = [name for name, parameter in PARAMETERS.items() if parameter.scope == "scalar"]
        self.exact = {name: sp.Rational(getattr(game, name)) for name in scalars}
        self.exact |= {"rho": self.exact["substitution"], "m": self.exact["decisiveness"]}
        self.term: Callable[..., Any] = functools.partial(term, **self.exact)
        names = [k for k, p in PARAMETERS.items() if p.by_member and not p.unset]
        given: dict[str, Any] = {name: game.by_member(name) for name in names}
        given |= {"threat": plan.threat_by_member(game.members), "demand": self.demand}
        given |= {"tariff": plan.tariff_by_member(game.members), "x": burdens}
        given["below"] = [int(b < d) for b, d in zip(burdens, self.demand, strict=True)]
        self.of = of = {k: [Interval(float(v)) for v in values] for k, values in given.items()}
        self.shared = {"leader_gdp": of["gdp"][self.lead]}

        of["scale"] = self.product("effectiveness", "gdp")
        of["g"] = self.product("scale", "x")
        of["bite"] = self.product("credibility", "threat")
        of["levy"] = self.product("trade_exposure", "tariff")
        of["cost"] = self.each("threat_cost")
        whole, self.allied = total(of["gdp"]), total(of["gdp"][i] for i in self.allies)
        of["share"] = [y / self.allied for y in of["gdp"]]
        of["crowd"] = [(y / whole).power(self.exact["congestion"]) for y in of["gdp"]]
        for name in ("spillin", "umbrella"):  # One number is spread; a value by member is final.
            if isinstance(getattr(game, name), float):
                of[name] = self.product(name, "crowd")
        of["trust"] = self._trust()
        of["shelter"] = self.product("umbrella", "trust")
        mean = of["trust"][self.lead]
        of["weight"] = list(of["council_weight"])
        of["weight"][self.lead] *= mean
        of["pull"] = self.each("council_pull")
        self.shared["returned"] = value("returned_spillin", mean_trust=mean, **self.exact)
        self.shared["leader"] = of["g"][self.lead]
        of["shortfall"] = self.each(f"{game.shortfall}_shortfall")
        of["losses"] = self.each("tariff_losses")
        self.shared["revenue"] = total(self.each("tariff_revenue"))  # The leader itself pays none.

    def numbers(self, i: int) -> dict[str, Interval]:
        """All numbers of a member, by name."""
        return {**self.shared, **{name: numbers[i] for name, numbers in self.of.items()}}

    def each(self, name: str) -> list[Interval]:
        """A term at the numbers of each member."""
        return [value(name, **self.exact, **self.numbers(i)) for i in self.members]

    def product(self, one: str, other: str) -> list[Interval]:
        """The products of two numbers of each member."""
        return [a * b for a, b in zip(self.of[one], self.of[other], strict=True)]

    def mean(self, values: list[Interval]) -> Interval:
        """The mean over allies, weighed by GDP."""
        return total(self.of["gdp"][i] * values[i] for i in self.allies) / self.allied

    def pressed(self, i: int) -> bool:
        """Whether the shortfall of an ally matters to it."""
        return bool(i != self.lead and (self.of["bite"][i].hi > 0 or self.of["levy"][i].hi > 0))

    def _trust(self) -> list[Interval]:
        """Operating trust by ally; at the leader's place the mean (docs/theory/model, Trust)."""
        nothing, cost, recovers = Interval(0), self.of["cost"], self.exact["recovery"] > 0
        trust = [nothing for _ in self.members]
        for i in self.allies:
            start, top = self.of["trust"][i], self.of["trust_ceiling"][i]
            others = self.mean([c if j != i else nothing for j, c in enumerate(cost)])
            impact = value("trust_impact", others_cost=others, **self.exact, **self.numbers(i))
            if self.game.horizon == "impact":
                trust[i] = start * impact
            elif self.exact["scarring"] > 0 and cost[i].hi > 0:
                trust[i] = nothing
            elif impact.lo == 1 == impact.hi:
                trust[i] = top if recovers else start
            elif recovers:
                trust[i] = value("stationary_trust", impact=impact, ceiling=top, **self.exact)
        trust[self.lead] = self.mean(trust)
        return trust

    def payoff(self, i: int) -> Payoff:
        """The payoff of a member in its own burden, on both sides of the demand if it is felt."""
        known, formulas = self.member(i)
        kinked = self.pressed(i) and self.game.shortfall != "logistic"
        pieces = cut(self.low[i], self.high[i], self.demand[i] if kinked else 0)
        return Payoff(
            formulas["payoff"], known, (x,), (Interval(self.values[i]),),
            [((Interval(a, b),), {symbol("below"): Interval(k)}) for a, b, k in pieces],
            self.number("payoff", i, self.values[i]),
        )  # fmt: skip

    def stated(self, i: int) -> dict[str, Interval]:
        """What a file states of a member."""
        here = ("payoff", "influence", "security")
        found = {name: self.number(name, i, self.values[i]) for name in here}
        return {**found, "trust": self.of["trust"][i]}

    def number(self, name: str, i: int, burden: float, below: int | None = None) -> Interval:
        """payoff, security or influence of a member at a burden; at the demand itself it is met."""
        known, formulas = self.member(i)
        missed = burden < self.demand[i] if below is None else below
        known = {**known, symbol("below"): Interval(int(missed)), x: Interval(burden)}
        if burden == 0 and symbol("idle") in known:
            known[symbol("seat")] = known[symbol("idle")]
        return enclose(formulas[name], known)

    def member(self, i: int) -> tuple[Known, dict[str, Any]]:
        """What is known to a member but its own burden, and its payoff, security and influence."""
        of, known = self.of, {symbol(name): number for name, number in self.numbers(i).items()}
        known[symbol("umbrella")] = of["shelter"][i]  # b_i r_i: operating trust is in it.
        known[symbol("rest")] = total(of["pull"][j] for j in self.members if j != i)
        others = [of["g"][j] for j in self.allies if j != i]
        if self.game.technology == "ces":
            known[symbol("others")] = total(g.power(self.exact["rho"]) for g in others)
        elif others:
            pick = sp.Min if self.game.technology == "weakest-link" else sp.Max
            known[symbol("others")] = RULES[pick](*others)
        if self.game.influence == "council" and known[symbol("rest")].hi == 0:
            # Alone: all influence for anything, a share for nothing; none for whom nobody trusts.
            idle = known[symbol("idle")] = of["weight"][i] / total(of["weight"])
            known[symbol("seat")] = Interval(1) if of["weight"][i].lo > 0 else idle
        for j in self.allies if i == self.lead else ():
            known |= {symbol(f"{k}_{j}"): of[k][j] for k in ("share", "trust", "g", "rival_pull")}
        return known, self._formulas(i, known)

    def _formulas(self, i: int, known: Known) -> dict[str, Any]:
        """u_i = c(used) + theta ln S + alpha v(p) + h ln x. A weight of 0 takes its term away."""
        game, rho, s, term = self.game, self.exact["rho"], symbol, self.term
        g, others = s("scale") * x, s("others")
        if i == self.lead:
            used = x - s("revenue")
            parts = [g, s("returned") * others]
            power = term("leader_security", g=g, allied=others)
        else:
            shortfall = term(f"{game.shortfall}_shortfall") if self.pressed(i) else 0
            left = term("reliability", shortfall=shortfall)
            used = x + term("tariff_losses", shortfall=shortfall)
            parts = [g, s("spillin") * others, s("umbrella") * left * s("leader")]
            power = term("ally_security", g=g, umbrella=term("umbrella_worth", reliability=left))
        security, worth = power ** (1 / rho), sp.log(power) / rho
        if game.technology != "ces":
            there = [part for part in parts if others in known or not part.has(others)]
            security = term(game.technology.replace("-", "_"), components=there)
            worth = sp.log(security)
        influence = s("seat") if s("seat") in known else self._influence(i, g)
        payoff = term("consumption", form=game.consumption, used=used)
        esteem = term("influence_value", form=game.influence_value, influence=influence)
        benefits = {"security": worth, "influence": esteem, "private": term("private_benefit")}
        for name, benefit in benefits.items():
            weight = s(f"{name}_weight")
            payoff += weight * benefit if known[weight].hi > 0 else 0
        return {"payoff": _apart(payoff), "security": security, "influence": influence}

    def _influence(self, i: int, g: Any) -> Any:
        """p_i: a share of the council; or of an ally's contest with the leader, or their mean."""
        s, term, mean = symbol, self.term, sp.Integer(0)
        if self.game.influence == "council":
            pull = term("council_pull", g=g)
            return term("council_influence", pull=pull, total=pull + s("rest"))
        if i != self.lead:
            contest = term("hub_contest", g=g, rival=s("rival_pull"))
            return term("hub_influence", pull=term("council_pull", weight=1, g=g), contest=contest)
        for j in self.allies:
            trust, theirs, rival = (s(f"{name}_{j}") for name in ("trust", "g", "rival_pull"))
            contest = term("hub_contest", trust=trust, leader=g, g=theirs, rival=rival)
            pull = term("council_pull", weight=trust, g=g)
            mean += s(f"share_{j}") * term("hub_influence", pull=pull, contest=contest)
        return mean


@functools.lru_cache(maxsize=256)
def _apart(payoff: Any) -> Any:
    """Products under a logarithm as sums: they are enclosed better apart."""
    return sp.expand_log(payoff, force=True)
