"""The peers. Each solves a game from a start and returns burdens of the free members, or raises."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import alliancegame as ag
from benchmarks.peers.games import Array, Game, payoff
from benchmarks.peers.vectorised import Rival

ROUNDS = 200
"""Rounds of best replies after which a loop gives up."""

REST = 1e-7
"""A move that counts as none: minimisers that see payoffs alone tell burdens no further apart."""

Solver = Callable[[Array], Array]


class NotApplicable(Exception):  # noqa: N818
    """A peer cannot be given a game; the text says why."""


def ours(g: Game) -> Solver:
    """`respond` or `solve_nash`: certificate and labels included; it needs no start."""
    call = ag.solve_nash if g.plan.burden is None else ag.respond
    return lambda start: call(g.game, g.plan).burdens[g.free]


def best_replies(g: Game) -> Solver:
    """Members reply in turn, each by scipy.optimize.minimize_scalar, until nobody moves."""
    from scipy.optimize import minimize_scalar

    if g.size > 200:
        raise NotApplicable("n payoffs of n terms each in every round: minutes")
    low, high = g.game.by_member("burden_min"), g.game.by_member("burden_max")

    def solve(start: Array) -> Array:
        everybody = g.whole(start)
        for _ in range(ROUNDS):
            before = everybody.copy()
            for i in g.free:

                def loss(x: float, i: int = i) -> float:
                    return -float(payoff(g, i, x, everybody, np))

                found = minimize_scalar(
                    loss, bounds=(max(low[i], 1e-12), high[i]), method="bounded",
                    options={"xatol": 1e-12},
                )  # fmt: skip
                everybody[i] = found.x
            if np.abs(everybody - before).max() < REST:
                return everybody[g.free]
        raise RuntimeError(f"no rest after {ROUNDS} rounds")

    return solve


def root(g: Game) -> Solver:
    """scipy.optimize.root on all conditions, vectorised, exact Jacobian (a normal map at kinks)."""
    forms = (g.game.consumption, g.game.substitution, g.game.decisiveness, g.game.influence_value)
    if forms != ("log", 1.0, 1.0, "log") or g.plan.burden is None:
        raise NotApplicable("written for the flagship's forms alone")
    if g.size > 2_000:
        raise NotApplicable("a dense Jacobian")
    answer = ag.respond(g.game, g.plan)
    bunching = bool((answer.burdens[g.free] == g.demand[g.free]).any())
    rival = Rival(g.game, g.plan, bunching=bunching)
    return rival.solve_from


def nashopt(g: Game) -> Solver:
    """NashOpt (`nashopt.GNEP`): the KKT conditions of all members, derivatives by JAX."""
    if importlib.util.find_spec("nashopt") is None or importlib.util.find_spec("qpsolvers") is None:
        raise NotApplicable("nashopt and qpsolvers are not installed (extra: peers)")
    if g.size > 12:
        raise NotApplicable("it compiles one function a member in every call: minutes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jax
        import jax.numpy as jnp
        from nashopt import GNEP

        jax.config.update("jax_enable_x64", True)
        base = jnp.asarray(g.whole(np.zeros(len(g.free))))

        def loss(k: int, i: int) -> Callable[[Any], Any]:
            def value(x: Any) -> Any:
                return -payoff(g, i, x[k], base.at[g.free].set(x), jnp)

            return value

        low = np.maximum(g.game.by_member("burden_min")[g.free], 1e-12)
        high = g.game.by_member("burden_max")[g.free]
        problem = GNEP(
            [1] * len(g.free), [loss(k, int(i)) for k, i in enumerate(g.free)], lb=low, ub=high
        )

    def solve(start: Array) -> Array:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = problem.solve(x0=np.clip(start, low, high), verbose=0)
        return np.asarray(found.x, dtype=np.float64)

    return solve


PEERS: dict[str, Callable[[Game], Solver]] = {
    "alliancegame": ours,
    "best replies (SciPy)": best_replies,
    "root (SciPy)": root,
    "NashOpt": nashopt,
}
"""Every solver by name, ours first."""
