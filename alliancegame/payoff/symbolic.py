"""The assembled payoff of a member, its first-order condition and its derivatives, in SymPy.

A member's payoff depends on its own burden x and on at most three aggregates:
Z (the allies' sum of g^rho), C (the council's sum of t g^m) and G (the leader's contribution).
The aggregates contain the member's own contribution, so the marginal payoff is a total derivative.
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
    """An ally's payoff under proportional pressure, on the piece that `below` selects.

    It is a function of the aggregate Z; or, `against` others, of their sum without the own part, as
    where the own part must not be subtracted: next to a large g^rho the difference loses its digits.
    """
    rho, m = substitution(form), decisiveness(form)
    alone = others if against else Z - g**rho
    left = terms.reliability(bite, terms.proportional_shortfall(x, demand, below))
    power = terms.ally_security(
        g, alone, terms.umbrella_worth(umbrella, left, G, rho), spillin, rho
    )
    flow = {x: sp.Integer(1), g: scale}
    if not against:
        flow[Z] = sp.diff(g**rho, g) * scale
    return _problem(form, power, flow, rho, m)


def leader_problem(form: Form) -> MemberProblem:
    """The leader's payoff; `weight` already contains the allies' mean trust."""
    rho, m = substitution(form), decisiveness(form)
    power = terms.leader_security(g, Z, returned, rho)
    return _problem(form, power, {x: sp.Integer(1), g: scale}, rho, m)


def _problem(form: Form, power: Expr, flow: dict[Expr, Expr], rho: Expr, m: Expr) -> MemberProblem:
    pull = terms.council_pull(weight, g, m)
    influence = terms.council_influence(pull, C)
    return MemberProblem(
        terms=(
            Term("consumption", None, terms.consumption(form.consumption, x)),
            Term("security", theta, sp.log(power) / rho),
            Term("influence", alpha, terms.influence_value(form.influence_value, influence)),
            Term("private", private, terms.private_benefit(x)),
        ),
        substitution=rho,
        influence=influence,
        security_power=power,
        flow={**flow, C: sp.diff(pull, g) * scale},
    )
