"""The terms of a payoff as NumPy functions with their slopes, made from `payoff.terms` by SymPy.

With an exact limit of the technology, security is the smallest or the largest of a member's
components. Along the own burden each component is a smooth piece, and so is each other term of the
payoff: these pieces, and the slope of each, are all that the solvers of this folder evaluate.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]


@dataclasses.dataclass(frozen=True)
class Pieces:
    """Terms of the payoff, and their slopes in the own burden, as functions of arrays.

    `consumption(x)`; `influence(pull, others)` is p, `pull(weight, g, m)`; `esteem(g, others, weight,
    m)` is v(p) with `esteem_slope` in g; `private(x)`; the components `own(g)`, `spill(spillin, g_j)`
    and `umbrella(x, worth, G, bite, demand, below)`; `cover_slope` is the slope of the umbrella's
    logarithm in x.
    """

    consumption: Function
    consumption_slope: Function
    pull: Function
    influence: Function
    esteem: Function
    esteem_slope: Function
    private: Function
    private_slope: Function
    own: Function
    spill: Function
    returned: Function
    umbrella: Function
    cover_slope: Function


@functools.cache
def pieces(consumption: str, influence_value: str) -> Pieces:
    """The pieces of a form; made once."""
    import sympy as sp

    from alliancegame.payoff import terms

    x, g, other, G, others = sp.symbols("x g other G others", positive=True)
    weight, m, spillin, worth, bite, demand, below = sp.symbols(
        "weight m spillin worth bite demand below", positive=True
    )
    used = terms.consumption(consumption, x)
    pull = terms.council_pull(weight, g, m)
    esteem = terms.influence_value(influence_value, terms.council_influence(pull, pull + others))
    left = terms.reliability(bite, terms.proportional_shortfall(x, demand, below))
    covered = terms.umbrella_worth(worth, left, G, 1)
    total = sp.Symbol("total", positive=True)
    share = sp.Symbol("share", positive=True)

    def function(arguments: tuple[Any, ...], expression: Any) -> Function:
        made: Function = sp.lambdify(arguments, expression, "numpy")
        return made

    # One component at a time: the addends of the technology at substitution 1.
    return Pieces(
        function((x,), used),
        function((x,), sp.diff(used, x)),
        function((weight, g, m), pull),
        function((share, total), terms.council_influence(share, total)),
        function((g, others, weight, m), esteem),
        function((g, others, weight, m), sp.simplify(sp.diff(esteem, g))),
        function((x,), terms.private_benefit(x)),
        function((x,), sp.diff(terms.private_benefit(x), x)),
        function((g,), terms.ally_security(g, 0, 0, spillin, 1)),
        function((spillin, other), terms.ally_security(0, other, 0, spillin, 1)),
        function((spillin, other), terms.leader_security(0, other, spillin, 1)),
        function((x, worth, G, bite, demand, below), terms.ally_security(0, 0, covered, 0, 1)),
        # Not simplified: under a full threat the quotient is positive over zero at a burden of zero.
        function((x, bite, demand, below), sp.diff(left, x) / left),
    )
