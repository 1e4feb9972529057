"""What passes between the leader and one ally alone, with derivatives, in NumPy.

The contests of a hub and the shortfalls behind tariffs enter the leader's payoff ally by ally, beside
the aggregates. From the one symbolic definition (`payoff.symbolic`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from alliancegame.payoff.form import Form


class Contest(NamedTuple):
    """q_i, the leader's share of one contest, and its derivatives, arrays of one shape.

    `x` is the leader's burden, `g` the ally's contribution, `w` the ally's trust.
    """

    q: Any
    x: Any
    g: Any
    w: Any
    xx: Any
    gg: Any
    xg: Any


class Shortfall(NamedTuple):
    """phi_i of a burden, and its first and second derivative in it."""

    value: Any
    first: Any
    second: Any


@functools.cache
def contest(form: Form) -> Callable[..., Contest]:
    """From (leader's burden, its scale, the ally's trust, g and rival pull, m) to a `Contest`."""
    import sympy as sp

    from alliancegame.payoff import symbolic as sy

    q = sy.hub_share(form)
    moves: Sequence[tuple[Any, ...]] = (
        (), (sy.x,), (sy.g,), (sy.weight,), (sy.x, sy.x), (sy.g, sy.g), (sy.x, sy.g),
    )  # fmt: skip
    arguments = [sy.x, sy.scale, sy.weight, sy.g, sy.rival, sy.m_symbol]
    call = sp.lambdify(arguments, [sp.diff(q, *by) if by else q for by in moves], "numpy", cse=True)
    return lambda *values: Contest(*call(*values))


@functools.cache
def shortfall(form: Form) -> Callable[..., Shortfall]:
    """From (burden, demand, whether under it, width) to a `Shortfall`."""
    import sympy as sp

    from alliancegame.payoff import symbolic as sy

    phi = sy.shortfall(form)
    arguments = [sy.x, sy.demand, sy.below, sy.width]
    call = sp.lambdify(
        arguments, [phi, sp.diff(phi, sy.x), sp.diff(phi, sy.x, 2)], "numpy", cse=True
    )
    return lambda *values: Shortfall(*call(*values))
