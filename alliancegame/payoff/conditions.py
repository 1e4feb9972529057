"""Derivatives of payoffs and first-order conditions in whatever they depend on, in NumPy, by name.

From the one symbolic definition (`payoff.symbolic`). What a form depends on is read off its own
expressions, so that a form with further terms needs nothing here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Literal

from alliancegame.errors import UnsupportedFormError
from alliancegame.payoff.form import Form

Role = Literal["ally", "leader"]
Subject = Literal["payoff", "marginal"]
Evaluate = Callable[[Mapping[str, Any]], tuple[Any, ...]]
"""From values by the symbols' names (numbers or arrays of one shape) to derivatives."""


@functools.cache
def derivatives(form: Form, role: Role, of: Subject, names: tuple[str, ...]) -> Evaluate:
    """Functions of a member's payoff, or of its condition F_i, one for each of `names`.

    A name is that of a symbol (its partial derivative, 0 where the form does not have it), "value",
    "own" (the derivative in the own burden with the aggregates held) or "total" (with the aggregates).

    Raises `UnsupportedFormError` at evaluation if a form depends on what is not given.
    """
    import sympy as sp

    from alliancegame.payoff import symbolic

    problem = (symbolic.ally_problem if role == "ally" else symbolic.leader_problem)(form)
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
        "impact": compiled(terms.trust_impact, "decay", "cost", "contagion", "others"),
        "stationary": compiled(terms.stationary_trust, "impact", "recovery", "ceiling"),
        "returned": compiled(terms.returned_spillin, "b", "trust", "cohesion"),
    }
