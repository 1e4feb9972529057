"""The rival: the allies' conditions in plain NumPy, handed to `scipy.optimize.root`.

Written as a competent user would who has this one model (summation, m = 1, log consumption, log
influence): every condition vectorised, with the exact Jacobian. It returns burdens alone, without a
certificate; `benchmarks.peers.run` checks with the library's own certificate how accurate they are.

Where allies bunch at the demand their conditions jump, and a root-finder needs a continuous
problem. The normal map makes one: an ally's unknown y walks along its burden up to the demand,
then through the jump (a stretch of WIDTH in which the burden stays at the demand and the marginal
payoff goes from the left one to the right one), then along the burden again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import alliancegame as ag

Array = NDArray[np.float64]

WIDTH = 0.002
"""Length of the stretch that stands for the jump, in shares of GDP: the size of a usual step."""


class Rival:
    """One game and plan, ready to be solved again and again by SciPy."""

    def __init__(self, game: ag.BurdenSharingGame, plan: ag.Plan, *, bunching: bool) -> None:
        lead = game.members.leader_index
        spillin, umbrella = game.congested

        def allies(values: Any) -> Array:
            return np.delete(np.asarray(values, dtype=np.float64), lead)

        trust = ag.solve_nash(game, plan).operating_trust
        gdp = game.by_member("gdp") * game.by_member("effectiveness")
        self.scale = allies(gdp)
        self.theta, self.alpha, self.private = (
            allies(game.by_member(name))
            for name in ("security_weight", "influence_weight", "private_weight")
        )
        self.spillin = allies(spillin)
        assert plan.burden is not None
        self.umbrella = allies(umbrella * trust) * gdp[lead] * plan.burden
        self.bite = allies(plan.threat_by_member(game.members) * game.by_member("credibility"))
        self.demand = allies(plan.demand_by_member(game.members))
        self.leader_pull = trust[lead] * gdp[lead] * plan.burden
        self.bunching = bunching

    def conditions(self, x: Array, below: Array | float) -> tuple[Array, Array, Array]:
        """Marginal payoffs F, and dF = own * dx + shared * dX, X being the allies' sum."""
        g = self.scale * x
        total = g.sum()
        council = total + self.leader_pull
        left = 1 - self.bite * below * (1 - x / self.demand)
        slope = self.umbrella * self.bite * below / self.demand
        security = (1 - self.spillin) * g + self.spillin * total + self.umbrella * left
        gain = self.scale + slope
        F = (
            -1 / (1 - x)
            + self.theta * gain / security
            + self.alpha * (1 / x - self.scale / council)
            + self.private / x
        )
        pull = self.theta * gain / security**2
        own = (
            -1 / (1 - x) ** 2
            - pull * ((1 - self.spillin) * self.scale + slope)
            - (self.alpha + self.private) / x**2
        )
        shared = -pull * self.spillin + self.alpha * self.scale / council**2
        return F, own, shared

    def smooth(self, x: Array) -> tuple[Array, Array]:
        """Conditions and Jacobian where nobody comes near the demand."""
        F, own, shared = self.conditions(x, 1.0)
        return F, np.diag(own) + np.outer(shared, self.scale)

    def burdens(self, y: Array) -> Array:
        """The burdens that the unknowns of the normal map stand for."""
        return np.where(
            y < self.demand, y, np.where(y < self.demand + WIDTH, self.demand, y - WIDTH)
        )

    def normal_map(self, y: Array) -> tuple[Array, Array]:
        """Conditions and Jacobian in the unknowns of the normal map."""
        x = self.burdens(y)
        across = np.clip((y - self.demand) / WIDTH, 0.0, 1.0)
        moving = ((across == 0) | (across == 1)).astype(float)
        before, own0, shared0 = self.conditions(x, 1.0)
        after, own1, shared1 = self.conditions(x, 0.0)
        F = before + across * (after - before)
        own = moving * (own0 + across * (own1 - own0)) + (1 - moving) * (after - before) / WIDTH
        shared = shared0 + across * (shared1 - shared0)
        return F, np.diag(own) + np.outer(shared, self.scale * moving)

    def unknowns(self, x: Array) -> Array:
        """The unknowns of the normal map that stand for burdens off the demand."""
        return np.where(x < self.demand, x, x + WIDTH)

    def solve_from(self, start: Array) -> Array:
        """The allies' burdens, shape (allies,). Raises `RuntimeError` where SciPy finds nothing."""
        from scipy.optimize import root

        problem = self.normal_map if self.bunching else self.smooth
        first = self.unknowns(start) if self.bunching else start
        found = root(problem, first, jac=True, method="hybr")
        if not found.success:
            raise RuntimeError(" ".join(found.message.split()))
        return self.burdens(found.x) if self.bunching else found.x
