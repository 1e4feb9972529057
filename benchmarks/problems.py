"""The games that benchmarks solve: the flagship, other forms of it, and alliances of any size."""

from __future__ import annotations

import numpy as np

import alliancegame as ag

MODEL = "nato-2024"
BURDEN = 0.0337
"""The leader's own burden while allies answer, share of GDP."""
DEMANDS = (0.05, 0.02)
"""At 5 % of GDP no ally of the flagship bunches, at 2 % some do."""


def plan(demand: float = DEMANDS[0]) -> ag.Plan:
    """Half of full pressure, the leader's burden committed."""
    return ag.Plan(threat=0.5, demand=demand, burden=BURDEN)


def flagship(form: str = "log, summation, m = 1") -> ag.BurdenSharingGame:
    """`nato-2024`, or the same members with other functional forms."""
    game = ag.load_model(MODEL)
    changes = FORMS[form]
    return game.replace(**changes) if changes else game


FORMS: dict[str, dict[str, object]] = {
    "log, summation, m = 1": {},
    "linear consumption": {"consumption": "linear"},
    "influence by share": {"influence_value": "share"},
    "m = 1.5": {"decisiveness": 1.5},
    "CES, substitution 0.5": {"substitution": 0.5},
    "CES, m = 1.5": {"substitution": 0.5, "decisiveness": 1.5},
}
"""Forms of the flagship, by name."""


def alliance(size: int, **forms: object) -> ag.BurdenSharingGame:
    """A leader with twice its allies' GDP, and that many allies of random size and threat."""
    random = np.random.default_rng(2024)
    gdp = random.lognormal(6.0, 1.0, size)
    return ag.BurdenSharingGame(
        ["leader", *(f"ally {i}" for i in range(size))],
        "leader",
        gdp=np.r_[2 * gdp.sum(), gdp],
        security_weight=np.r_[0.04, random.uniform(0.02, 0.05, size)],
        influence_weight=0.005,
        private_weight=0.003,
        umbrella=0.7,
        return_spillin=0.5,
        congestion=1.0,
        decay=0.4,
        **forms,
    )


def k2() -> ag.BurdenSharingGame:
    """Four linear members who share much of each other's forces: naive best replies diverge.

    Simultaneous play; every burden is 1 / 2.8 (tests/problems.py, K2).
    """
    return ag.BurdenSharingGame(
        ["L", "A1", "A2", "A3"],
        "L",
        (1.0,) * 4,
        1.0,
        consumption="linear",
        spillin=0.6,
        umbrella=0.6,
        return_spillin=0.6,
        burden_max=10.0,
    )
