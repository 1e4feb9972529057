"""What an ally is worth to itself outside the alliance, in SymPy (docs/theory/model, Leaving).

One payoff serves both ways out. Standing alone an ally has its own deterrent as `cover` and pays its
`cost`; with the rival it has the rival's umbrella as `cover` and pays a `politics` of leaving. Nobody
else's choice enters: that is what being outside means.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import sympy as sp

from alliancegame.payoff import terms
from alliancegame.payoff.symbolic import Term, alpha, g, private, scale, theta, x

Expr = Any

cover, cost, influence, politics = (
    sp.Symbol(name, nonnegative=True) for name in ("cover", "cost", "influence", "politics")
)
ARGUMENTS = (x, g, scale, cover, cost, influence, politics)


def outside_security(g: Expr, cover: Expr) -> Expr:
    """S_i outside: own forces, and a deterrent of one's own or the rival's umbrella."""
    return g + cover


def outside_terms(consumption: str, influence_value: str) -> tuple[Term, ...]:
    """The payoff outside term by term: c(x + F) + theta ln(g + N) + alpha v(p) + h ln x - f."""
    return (
        Term("consumption", None, terms.consumption(consumption, x + cost)),
        Term("security", theta, sp.log(outside_security(g, cover))),
        Term("influence", alpha, terms.influence_value(influence_value, influence)),
        Term("private", private, terms.private_benefit(x)),
        Term("politics", None, -politics),
    )


@functools.cache
def functions(
    consumption: str, influence_value: str
) -> tuple[tuple[str, Callable[..., Any], Callable[..., Any]], ...]:
    """(name of the weight, value, slope in the own burden) of every term, for NumPy arrays."""
    made = []
    for term in outside_terms(consumption, influence_value):
        slope = sp.diff(term.value, x) + sp.diff(term.value, g) * scale
        calls = (sp.lambdify(ARGUMENTS, each, "numpy") for each in (term.value, slope))
        made.append(("" if term.weight is None else str(term.weight), *calls))
    return tuple(made)
