"""Derivatives of payoffs and first-order conditions in whatever they depend on, in NumPy, by name.

From the one symbolic definition (`payoff.symbolic`). What a form depends on is read off its own
expressions, so that a form with further terms needs nothing here. What the leader observes of every
ally beyond the aggregates (its share of each contest in a hub, the revenue of a tariff) stands in
`observations`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, Literal

from alliancegame.errors import UnsupportedFormError
from alliancegame.payoff.form import Form

Role = Literal["ally", "leader"]
Subject = Literal["payoff", "marginal"]
Component = Literal["own", "others", "umbrella"]
"""What security is made of: own forces, one other ally's contribution `link`, the umbrella."""
Evaluate = Callable[[Mapping[str, Any]], tuple[Any, ...]]
"""From values by the symbols' names (numbers or arrays of one shape) to derivatives."""


@functools.cache
def derivatives(
    form: Form,
    role: Role,
    of: Subject,
    names: tuple[str, ...],
    component: Component | None = None,
) -> Evaluate:
    """Functions of a member's payoff, or of its condition F_i, one for each of `names`.

    A name is that of a symbol (its partial derivative, 0 where the form does not have it), "value",
    "own" (the derivative in the own burden with the aggregates held) or "total" (with the aggregates).
    `component` leaves one of the components of security alone in it (exact limits of the technology).

    Raises `UnsupportedFormError` at evaluation if a form depends on what is not given.
    """
    import sympy as sp

    from alliancegame.payoff import symbolic

    problem = (symbolic.ally_problem if role == "ally" else symbolic.leader_problem)(form)
    if component is not None:
        problem = _alone(problem, form, role, component)
    whole = problem.payoff if of == "payoff" else problem.marginal
    symbols = {symbol.name: symbol for symbol in whole.free_symbols}
    special = {"value": lambda: whole, "own": lambda: problem.own(whole),
               "total": lambda: problem.total(whole)}  # fmt: skip
    expressions = [
        special[name]() if name in special
        else sp.diff(whole, symbols[name]) if name in symbols
        else sp.Integer(0)
        for name in names
    ]  # fmt: skip
    symbols = {s.name: s for e in expressions for s in e.free_symbols}
    used = sorted(symbols)
    call = sp.lambdify([symbols[name] for name in used], expressions, "numpy", cse=True)

    def evaluate(values: Mapping[str, Any]) -> tuple[Any, ...]:
        missing = [name for name in used if name not in values]
        if missing:
            raise UnsupportedFormError(
                f"derivatives of this form are not there yet: it depends on {', '.join(missing)}."
            )
        return tuple(call(*(values[name] for name in used)))

    return evaluate


def _alone(problem: Any, form: Form, role: Role, component: Component) -> Any:
    """A member's problem with one component as its security: an addend at substitution 1."""
    import sympy as sp

    from alliancegame.payoff import symbolic, terms

    link = sp.Symbol("link", positive=True)
    left = terms.reliability(symbolic.bite, symbolic.shortfall(form))
    cover = terms.umbrella_worth(symbolic.umbrella, left, symbolic.G, 1)
    worth = symbolic.returned if role == "leader" else symbolic.spillin
    alone = {
        "own": terms.ally_security(symbolic.g, 0, 0, worth, 1),
        "others": terms.ally_security(0, link, 0, worth, 1),
        "umbrella": terms.ally_security(0, 0, cover, 0, 1),
    }[component]
    kept = tuple(
        dataclasses.replace(term, value=sp.log(alone)) if term.name == "security" else term
        for term in problem.terms
    )
    return dataclasses.replace(problem, terms=kept, security_power=alone)


@functools.cache
def observations(form: Form) -> Mapping[str, Callable[[Mapping[str, Any]], tuple[Any, Any]]]:
    """Each ally's part of what the leader observes, and its slope in that ally's burden.

    By the names of `payoff.symbolic`, those that the form has: `revenue`; `share`, `share_x` and
    `share_xx` of the ally's contest, before it is weighed with the ally's GDP. Values by name are the
    ally's; the leader's are `lead_x`, `lead_scale` and `lead_gdp`. Complex ones are taken too.
    """
    import sympy as sp

    from alliancegame.payoff import symbolic, terms

    lead_x, lead_scale = sp.symbols("lead_x lead_scale", positive=True)
    gdp, lead_gdp, deadweight = sp.symbols("gdp lead_gdp deadweight", positive=True)
    made = {}
    if form.taxed:
        lost = terms.tariff_losses(symbolic.levy, symbolic.shortfall(form))
        revenue = terms.tariff_revenue(lost, gdp, deadweight, lead_gdp)
        made["revenue"] = revenue, sp.diff(revenue, symbolic.x)
    if form.hub:
        contest = symbolic.hub_share(form)
        own = {symbolic.x: lead_x, symbolic.scale: lead_scale}
        for order, name in enumerate(("share", "share_x", "share_xx")):
            part = sp.diff(contest, symbolic.x, order).subs(own, simultaneous=True)
            made[name] = part, sp.diff(part, symbolic.g) * symbolic.scale

    def compiled(pair: tuple[Any, Any]) -> Callable[[Mapping[str, Any]], tuple[Any, Any]]:
        used = sorted({s.name for part in pair for s in part.free_symbols})
        symbols = {s.name: s for part in pair for s in part.free_symbols}
        call = sp.lambdify([symbols[name] for name in used], list(pair), "numpy", cse=True)
        return lambda values: tuple(call(*(values[name] for name in used)))

    return {name: compiled(pair) for name, pair in made.items()}


@functools.cache
def trust_terms() -> Mapping[str, Callable[..., Any]]:
    """The trust law's terms as functions of arrays, complex ones included."""
    import sympy as sp

    from alliancegame.payoff import terms

    def compiled(term: Callable[..., Any], *names: str) -> Callable[..., Any]:
        symbols = [sp.Symbol(name, positive=True) for name in names]
        made: Callable[..., Any] = sp.lambdify(symbols, term(*symbols), "numpy")
        return made

    return {
        "cost": compiled(terms.threat_cost, "threat", "curvature"),
        "impact": compiled(
            terms.trust_impact, "decay", "cost", "contagion", "others", "tariff_decay", "tariff"
        ),
        "stationary": compiled(terms.stationary_trust, "impact", "recovery", "ceiling"),
        "returned": compiled(terms.returned_spillin, "b", "trust", "cohesion"),
    }
