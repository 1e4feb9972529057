"""The assembled payoff of a member, its first-order condition and its derivatives, in SymPy.

A member's payoff depends on its own burden x and on at most three aggregates:
Z (the allies' sum of g^rho), C (the council's sum of t g^m) and G (the leader's contribution).
The aggregates contain the member's own contribution, so the marginal payoff is a total derivative.
In a hub there is no council: an ally's influence depends on its own contribution and G, the leader's
(`share`, with its derivatives `share_x` and `share_xx`) on everybody's. Tariffs add `revenue`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import sympy as sp

from alliancegame.payoff import terms
from alliancegame.payoff.form import Form

Expr = Any


def _positive(*names: str) -> tuple[Any, ...]:
    return tuple(sp.Symbol(name, positive=True) for name in names)


x, g, Z, C, G = _positive("x", "g", "Z", "C", "G")
others = sp.Symbol("others", positive=True)
scale, theta, alpha, private = _positive("scale", "theta", "alpha", "private")
spillin, umbrella, bite, demand, weight = _positive(
    "spillin", "umbrella", "bite", "demand", "weight"
)
returned, rho_symbol, m_symbol = _positive("returned", "rho", "m")
rival, width, share = _positive("rival", "width", "share")
share_x, share_xx = sp.symbols("share_x share_xx", real=True)
levy, revenue = sp.symbols("levy revenue", nonnegative=True)
below = sp.Symbol("below", nonnegative=True)


def substitution(form: Form) -> Expr:
    """rho: the number 1 under summation, or a symbol."""
    return sp.Integer(1) if form.summation else rho_symbol


def decisiveness(form: Form) -> Expr:
    """m: the number 1, or a symbol."""
    return sp.Integer(1) if form.proportional else m_symbol


@dataclasses.dataclass(frozen=True)
class Term:
    """One term of a payoff: absent where its weight is zero (`weight` None: always there)."""

    name: str
    weight: Expr
    value: Expr


@dataclasses.dataclass(frozen=True)
class MemberProblem:
    """A member's payoff term by term, and how the aggregates move with its own burden.

    `flow` maps each symbol that moves with x to its derivative in x.
    """

    terms: tuple[Term, ...]
    substitution: Expr
    influence: Expr
    security_power: Expr
    flow: dict[Expr, Expr]

    @property
    def payoff(self) -> Expr:
        """The whole payoff u_i."""
        return sp.Add(*(t.value if t.weight is None else t.weight * t.value for t in self.terms))

    @property
    def marginal(self) -> Expr:
        """F_i: the total derivative of the payoff in the own burden."""
        return sp.Add(
            *(self.total(t.value) * (1 if t.weight is None else t.weight) for t in self.terms)
        )

    def total(self, expression: Expr) -> Expr:
        """Derivative in x with everything that moves with it."""
        return sp.Add(*(sp.diff(expression, s) * rate for s, rate in self.flow.items()))

    def own(self, expression: Expr) -> Expr:
        """Derivative in x with the aggregates held (the diagonal of the Newton matrix)."""
        held = {s: rate for s, rate in self.flow.items() if s not in (Z, C, G)}
        return sp.Add(*(sp.diff(expression, s) * rate for s, rate in held.items()))


def ally_problem(form: Form, *, against: bool = False) -> MemberProblem:
    """An ally's payoff under pressure, on the piece that `below` selects.

    `weight` is t_i in a council; in a hub it is the ally's operating trust r_i. It is a function of
    the aggregate Z; or, `against` others, of their sum without the own part, as where the own part must
    not be subtracted: next to a large g^rho the difference loses its digits.
    """
    rho, m = substitution(form), decisiveness(form)
    alone = others if against else Z - g**rho
    missed = shortfall(form)
    left = terms.reliability(bite, missed)
    power = terms.ally_security(
        g, alone, terms.umbrella_worth(umbrella, left, G, rho), spillin, rho
    )
    flow = {x: sp.Integer(1), g: scale}
    if not against:
        flow[Z] = sp.diff(g**rho, g) * scale
    if form.hub:
        influence = terms.hub_influence(g**m, terms.hub_contest(weight, G, g, rival, m))
    else:
        influence = _in_council(flow, m)
    used = x + terms.tariff_losses(levy, missed) if form.taxed else x
    return _problem(form, used, power, influence, flow, rho)


def shortfall(form: Form) -> Expr:
    """phi_i of an ally, on the piece that `below` selects."""
    if form.logistic:
        return terms.logistic_shortfall(x, demand, width)
    return terms.proportional_shortfall(x, demand, below)


def leader_problem(form: Form) -> MemberProblem:
    """The leader's payoff; `weight` already contains the allies' mean trust."""
    rho, m = substitution(form), decisiveness(form)
    power = terms.leader_security(g, Z, returned, rho)
    flow = {x: sp.Integer(1), g: scale}
    if form.hub:
        influence = share
        flow |= {share: share_x, share_x: share_xx}
    else:
        influence = _in_council(flow, m)
    used = x - revenue if form.taxed else x
    return _problem(form, used, power, influence, flow, rho)


def hub_share(form: Form) -> Expr:
    """q_i: the leader's share of the contest with one ally, as a function of the leader's burden x.

    `weight` is that ally's trust, g its contribution, `scale` the leader's e_l Y_l.
    """
    m = decisiveness(form)
    pull = terms.council_pull(weight, scale * x, m)
    return terms.hub_influence(pull, terms.hub_contest(weight, scale * x, g, rival, m))


def _in_council(flow: dict[Expr, Expr], m: Expr) -> Expr:
    """A member's share of the council; what its own contribution adds to C goes into `flow`."""
    pull = terms.council_pull(weight, g, m)
    flow[C] = sp.diff(pull, g) * scale
    return terms.council_influence(pull, C)


def _problem(
    form: Form, used: Expr, power: Expr, influence: Expr, flow: dict[Expr, Expr], rho: Expr
) -> MemberProblem:
    return MemberProblem(
        terms=(
            Term("consumption", None, terms.consumption(form.consumption, used)),
            Term("security", theta, sp.log(power) / rho),
            Term("influence", alpha, terms.influence_value(form.influence_value, influence)),
            Term("private", private, terms.private_benefit(x)),
        ),
        substitution=rho,
        influence=influence,
        security_power=power,
        flow=flow,
    )
