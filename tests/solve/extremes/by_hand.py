"""The weakest link and the best shot by hand, and a slow search for every equilibrium.

The payoff is `tests.oracle.Hand`'s, with the smallest or largest component in place of the sum. The
search knows nothing of concavity or of roles: it looks at every profile of a grid.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import alliancegame as ag
from tests.oracle import Hand, Number

Array = NDArray[np.float64]


class Extreme(Hand):
    """A game with an exact limit of the technology, under a plan."""

    def __init__(self, game: Any, plan: Any = None) -> None:
        super().__init__(game, plan)
        self.technology: str = game.to_dict()["technology"]

    def security(self, i: int, x: Sequence[Number]) -> Number:
        parts = [self.contribution(i, x)]
        if i == self.lead:
            worth = self.return_spillin * self.mean_trust**self.cohesion
            parts += [worth * self.contribution(j, x) for j in self.allies]
        else:
            parts += [self.spillin[i] * self.contribution(j, x) for j in self.allies if j != i]
            lead = self.contribution(self.lead, x)
            parts.append(self.umbrella[i] * self.reliability(i, x[i]) * lead)
        return min(parts) if self.technology == "weakest-link" else max(parts)

    def grid_equilibria(self, levels: Sequence[float], lead: float = 1.0) -> set[tuple[float, ...]]:
        """Profiles of a grid from which nobody gains by moving to another point of it.

        The leader's levels are the allies' times `lead`.
        """
        choices = [[x * (lead if i == self.lead else 1.0) for x in levels] for i in range(self.n)]
        values = {x: self.payoffs(x) for x in itertools.product(*choices)}
        found = set()
        for x, here in values.items():
            best = [
                max(values[(*x[:i], y, *x[i + 1 :])][i] for y in choices[i]) for i in range(self.n)
            ]
            if np.isfinite(here).all() and all(
                b <= h + 1e-12 for b, h in zip(best, here, strict=True)
            ):
                found.add(x)
        return found


def extreme_game(technology: str, n: int = 3, **changes: Any) -> ag.BurdenSharingGame:
    """Equal members, security 0.25: alone each would spend 20 % (log consumption)."""
    facts: dict[str, Any] = {
        "members": ["L", *(f"A{i}" for i in range(1, n))], "leader": "L", "gdp": [1.0] * n,
        "security_weight": 0.25, "burden_max": 0.9, "technology": technology,
    }  # fmt: skip
    return ag.BurdenSharingGame(**(facts | changes))


def random_extreme(seed: int, technology: str) -> tuple[ag.BurdenSharingGame, ag.Plan]:
    """Two to four members of every kind, under every kind of plan."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    facts = {
        "gdp": rng.uniform(0.5, 5, n),
        "effectiveness": rng.uniform(0.7, 1.3, n),
        "security_weight": rng.uniform(0.01, 0.3, n),
        "private_weight": rng.choice([0, 1]) * rng.uniform(0.001, 0.02, n),
        "influence_weight": rng.choice([0, 0, 1]) * rng.uniform(0, 0.03, n),
        "spillin": rng.uniform(0.3, 1.6, n),
        "umbrella": rng.uniform(0.3, 1.6, n),
        "return_spillin": float(rng.uniform(0.3, 1.6)),
        "cohesion": float(rng.choice([0, 0.5])),
        "decay": float(rng.choice([0, 0.5])),
        "decisiveness": float(rng.choice([1, 0.7])),
        "consumption": str(rng.choice(["log", "linear"])),
        "influence_value": str(rng.choice(["log", "log", "share"])),
        "burden_max": 0.5,
    }
    game = extreme_game(technology, n, **facts)
    plan = ag.Plan(threat=float(rng.choice([0, 0.5, 1])), demand=float(rng.uniform(0.02, 0.3)))
    if rng.random() < 0.4:
        plan = plan.replace(burden=float(rng.uniform(0.01, 0.3)))
    return game, plan
