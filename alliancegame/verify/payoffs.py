"""Every member's payoff as a function of its own burden, from the terms of the model.

The formulas are those of `payoff/terms.py` (docs/theory/model); nothing of them is repeated here.
What is written here is who gets which number: spill-ins, trust, and what the others contribute, all
in intervals, from the game, the plan and the profile of a file.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

import sympy as sp

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.payoff import terms
from alliancegame.verify.intervals import Interval, enclose, total

x = sp.Symbol("x", positive=True)
"""The own burden; every other symbol is a number of the member, by the name of its parameter."""


def symbol(name: str) -> Any:
    """The symbol for a number of a member."""
    return sp.Symbol(name, positive=True)


@dataclasses.dataclass(frozen=True)
class Curve:
    """A smooth function of the own burden, its slope and its bend (second derivative)."""

    value: Any
    slope: Any
    bend: Any


@dataclasses.dataclass(frozen=True)
class Payoff:
    """A payoff: on each piece of the action set the best of `worst_of`, each the least of its curves.

    Minimum and maximum technologies make several curves; every other form has one. `known` are the
    member's numbers; on a piece (low, high, below) the symbol `below` is 1 under the demand, else 0.
    """

    formulas: dict[str, Any]
    worst_of: tuple[tuple[Curve, ...], ...]
    known: dict[Any, Interval]
    pieces: tuple[tuple[float, float, int], ...]

    def on_piece(self, below: int) -> dict[Any, Interval]:
        """The member's numbers on a piece."""
        return {**self.known, symbol("below"): Interval(below)}

    def number(self, name: str, burden: float) -> Interval:
        """payoff, security or influence at the burden of the profile."""
        known = self.on_piece(next(p[2] for p in self.pieces if p[0] <= burden <= p[1]))
        if self.pieces[-1][0] <= burden:  # At the demand itself it is met.
            known = self.on_piece(self.pieces[-1][2])
        seat = symbol("seat")
        if burden == 0 and seat in known:
            known[seat] = known[symbol("idle_seat")]
        return enclose(self.formulas[name], {**known, x: Interval(burden)})


class Stage:
    """A game under a plan at a profile of burdens, in intervals."""

    def __init__(self, game: BurdenSharingGame, plan: Plan, burdens: list[float]) -> None:
        self.game, self.plan, self.burdens = game, plan, burdens
        self.members, self.lead = range(game.size), game.members.leader_index
        self.allies = [i for i in self.members if i != self.lead]
        self.threat = _exact(plan.threat_by_member(game.members))
        self.tariff = _exact(plan.tariff_by_member(game.members))
        self.demand = [float(d) for d in plan.demand_by_member(game.members)]
        self.rho = sp.Rational(game.substitution)
        self.m = sp.Rational(game.decisiveness)
        self.scale = [e * y for e, y in zip(self.each("effectiveness"), self.gdp, strict=True)]
        self.g = [s * Interval(b) for s, b in zip(self.scale, burdens, strict=True)]
        self.bite = [c * t for c, t in zip(self.each("credibility"), self.threat, strict=True)]
        self.levy = [c * t for c, t in zip(self.each("trade_exposure"), self.tariff, strict=True)]
        self._curves: dict[Any, tuple[tuple[Curve, ...], ...]] = {}

    def each(self, name: str) -> list[Interval]:
        """A parameter by member."""
        return _exact(self.game.by_member(name))

    def one(self, name: str) -> Interval:
        """A parameter of the game."""
        return Interval(float(getattr(self.game, name)))

    @cached_property
    def gdp(self) -> list[Interval]:
        """Y_i."""
        return self.each("gdp")

    def congested(self, name: str) -> list[Interval]:
        """beta_i or b_i: one number is spread by (Y_i / sum Y)^eta, a value by member is final."""
        if not isinstance(getattr(self.game, name), float):
            return self.each(name)
        eta, whole = sp.Rational(self.game.congestion), total(self.gdp)
        each = zip(self.each(name), self.gdp, strict=True)
        return [value * (y / whole).power(eta) for value, y in each]

    def pressed(self, i: int) -> bool:
        """Whether the shortfall of an ally matters to it."""
        return bool(i != self.lead and (self.bite[i].hi > 0 or self.levy[i].hi > 0))

    @property
    def jumps(self) -> bool:
        """Whether a trigger threat or tariff hangs over anybody."""
        return self.game.shortfall == "trigger" and any(map(self.pressed, self.allies))

    @cached_property
    def trust(self) -> list[Interval]:
        """Operating trust by ally; at the leader's place the mean that GDP weighs."""
        game, law = self.game, self.game.trust_law
        allied = total(self.gdp[i] for i in self.allies)
        mu, iota = sp.Rational(law.recovery), law.scarring
        cost = [
            Interval(0) if t.hi == 0 else t.power(sp.Rational(law.curvature)) for t in self.threat
        ]
        decay, start, top = self.each("decay"), self.each("trust"), self.each("trust_ceiling")
        names = ("decay", "cost", "contagion", "others_cost", "tariff_decay", "tariff")
        impact_of = terms.trust_impact(*(symbol(n) for n in names))
        lasting = terms.stationary_trust(symbol("impact"), mu, symbol("top"))
        trust = [Interval(0) for _ in self.members]
        for i in self.allies:
            others = total(self.gdp[j] * cost[j] for j in self.allies if j != i) / allied
            values = (
                decay[i], cost[i], self.one("contagion"), others, self.one("tariff_decay"), self.tariff[i],
            )  # fmt: skip
            impact = enclose(impact_of, dict(zip(map(symbol, names), values, strict=True)))
            unhurt = impact.lo == 1 == impact.hi
            if game.horizon == "impact":
                trust[i] = start[i] * impact
            elif iota > 0 and self.threat[i].hi > 0:
                trust[i] = Interval(0)
            elif mu == 0:
                trust[i] = start[i] if unhurt else Interval(0)
            else:
                at = {symbol("impact"): impact, symbol("top"): top[i]}
                trust[i] = top[i] if unhurt else enclose(lasting, at)
        trust[self.lead] = total(self.gdp[i] * trust[i] for i in self.allies) / allied
        return trust

    @cached_property
    def returned(self) -> Interval:
        """b_l Tbar^zeta."""
        zeta = sp.Rational(self.game.cohesion)
        return self.one("return_spillin") * self.trust[self.lead].power(zeta)

    @cached_property
    def pull(self) -> list[Interval]:
        """t_i g_i^m; the leader's weight times the mean trust."""
        return [w * g.power(self.m) for w, g in zip(self.seats, self.g, strict=True)]

    @cached_property
    def seats(self) -> list[Interval]:
        """t_i, the leader's times the mean trust."""
        weights = self.each("council_weight")
        weights[self.lead] = weights[self.lead] * self.trust[self.lead]
        return weights

    def payoff(self, i: int) -> Payoff:
        """The payoff of a member against the others' burdens."""
        low, high = (float(self.game.by_member(f"burden_{end}")[i]) for end in ("min", "max"))
        pieces: tuple[tuple[float, float, int], ...] = ((low, high, 0),)
        if self.pressed(i) and self.game.shortfall != "logistic":
            d = self.demand[i]
            pieces = ((low, min(d, high), 1),) if low < d else ()
            pieces += ((max(d, low), high, 0),) if d <= high else ()
        known = self._known(i)
        formulas = self._formulas(i, known)
        key = formulas["payoff"]
        if key not in self._curves:
            self._curves[key] = _curves(key)
        return Payoff(formulas, self._curves[key], known, pieces)

    def _known(self, i: int) -> dict[Any, Interval]:
        """The numbers in a member's payoff."""
        others = [j for j in self.allies if j != i]
        rest = total(self.pull[j] for j in self.members if j != i)
        by_name = {
            "scale": self.scale[i], "theta": self.each("security_weight")[i],
            "alpha": self.each("influence_weight")[i], "private": self.each("private_weight")[i],
            "weight": self.seats[i], "rest": rest, "leader": self.g[self.lead],
            "bite": self.bite[i], "levy": self.levy[i], "demand": Interval(self.demand[i]),
            "width": self.one("width"), "trust": self.trust[i], "rival": self.each("rival_pull")[i],
        }  # fmt: skip
        if self.game.technology == "ces":
            by_name["others"] = total(self.g[j].power(self.rho) for j in others)
        elif others:
            pick = min if self.game.technology == "weakest-link" else max
            given = [self.g[j] for j in others]
            by_name["others"] = Interval(pick(g.lo for g in given), pick(g.hi for g in given))
        if (
            rest.hi == 0
        ):  # Alone in the council: all of it for anything, a share by weight for nothing.
            by_name |= {"seat": Interval(1), "idle_seat": self.seats[i] / total(self.seats)}
        if i == self.lead:
            by_name |= {"returned": self.returned, "revenue": self._revenue()}
            allied = total(self.gdp[j] for j in self.allies)
            for j in self.allies:
                by_name |= {f"trust_{j}": self.trust[j], f"rival_{j}": self.each("rival_pull")[j]}
                by_name |= {f"g_{j}": self.g[j], f"share_{j}": self.gdp[j] / allied}
        else:
            by_name |= {"spillin": self.congested("spillin")[i]}
            by_name |= {"umbrella": self.congested("umbrella")[i] * self.trust[i]}
        return {symbol(name): value for name, value in by_name.items()}

    def _shortfall(self) -> Any:
        """phi_i(x)."""
        if self.game.shortfall == "trigger":
            return terms.trigger_shortfall(symbol("below"))
        if self.game.shortfall == "logistic":
            return terms.logistic_shortfall(x, symbol("demand"), symbol("width"))
        return terms.proportional_shortfall(x, symbol("demand"), symbol("below"))

    def _revenue(self) -> Interval:
        """What tariffs add to the leader's consumption, a share of its GDP."""
        parts = []
        names = ("losses", "gdp", "deadweight", "leader_gdp")
        formula = terms.tariff_revenue(*(symbol(n) for n in names))
        for j in self.allies:
            if self.levy[j].hi > 0:
                lost = self.payoff(j).number("losses", self.burdens[j])
                values = (lost, self.gdp[j], self.one("deadweight"), self.gdp[self.lead])
                parts.append(enclose(formula, dict(zip(map(symbol, names), values, strict=True))))
        return total(parts)

    def _formulas(self, i: int, known: dict[Any, Interval]) -> dict[str, Any]:
        """Payoff, security, influence (and an ally's losses) as functions of x; weights of 0: absent."""
        s, game = symbol, self.game
        g, phi = s("scale") * x, self._shortfall() if self.pressed(i) else sp.Integer(0)
        losses = terms.tariff_losses(s("levy"), phi)
        if i == self.lead:
            used = x - s("revenue")
            parts = [g, s("returned") * s("others")]
            power = terms.leader_security(g, s("others"), s("returned"), self.rho)
        else:
            used = x + losses
            left = terms.reliability(s("bite"), phi)
            parts = [g, s("spillin") * s("others"), s("umbrella") * left * s("leader")]
            shelter = terms.umbrella_worth(s("umbrella"), left, s("leader"), self.rho)
            power = terms.ally_security(g, s("others"), shelter, s("spillin"), self.rho)
        if game.technology == "ces":
            security, worth = power ** (1 / self.rho), sp.log(power) / self.rho
        else:
            parts = [p for p in parts if s("others") in known or not p.has(s("others"))]
            limit = terms.weakest_link if game.technology == "weakest-link" else terms.best_shot
            security = limit(parts)
            worth = sp.log(security)
        influence = self._influence(i, g, known)
        payoff = terms.consumption(game.consumption, used)
        for name, value in (
            ("theta", worth),
            ("alpha", terms.influence_value(game.influence_value, influence)),
            ("private", terms.private_benefit(x)),
        ):
            payoff += s(name) * value if known[s(name)].hi > 0 else 0
        return {"payoff": payoff, "security": security, "influence": influence, "losses": losses}

    def _influence(self, i: int, g: Any, known: dict[Any, Interval]) -> Any:
        """p_i(x): a share of the council; or of an ally's contest with the leader, or their mean."""
        s = symbol
        if self.game.influence == "hub":
            if i != self.lead:
                contest = terms.hub_contest(s("trust"), s("leader"), g, s("rival"), self.m)
                return terms.hub_influence(g**self.m, contest)
            mean = sp.Integer(0)
            for j in self.allies:
                contest = terms.hub_contest(
                    s(f"trust_{j}"), g, s(f"g_{j}"), s(f"rival_{j}"), self.m
                )
                pull = terms.council_pull(s(f"trust_{j}"), g, self.m)
                mean += s(f"share_{j}") * terms.hub_influence(pull, contest)
            return mean
        if s("seat") in known:
            return s("seat")
        pull = terms.council_pull(s("weight"), g, self.m)
        return terms.council_influence(pull, pull + s("rest"))


def _exact(values: Any) -> list[Interval]:
    return [Interval(float(value)) for value in values]


def _curves(payoff: Any) -> tuple[tuple[Curve, ...], ...]:
    """A payoff as the best of the worst of smooth curves; it rises in its one minimum or maximum."""
    limits = payoff.atoms(sp.Min, sp.Max)
    if not limits:
        return ((_curve(payoff),),)
    (limit,) = limits
    branches = tuple(_curve(payoff.xreplace({limit: part})) for part in limit.args)
    return (branches,) if limit.func is sp.Min else tuple((branch,) for branch in branches)


def _curve(value: Any) -> Curve:
    value = sp.expand_log(value, force=True)
    slope = sp.diff(value, x)
    return Curve(value, slope, sp.diff(slope, x))
