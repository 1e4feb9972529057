"""What the solvers of this folder find: equilibria, the continua that they span, and what is known."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from alliancegame.game.parameters import Array
from alliancegame.solve.certificate import (
    Certificate,
    Unique,
    Verdict,
    consumption_share,
    rounding_allowance,
)
from alliancegame.solve.extremes.problem import Problem
from alliancegame.solve.result import Equilibrium
from alliancegame.solve.tolerances import Tolerances

Completeness = Literal["proven", "to a resolution", "not known"]

CONCAVE = (
    "each payoff is concave in the own burden, kinks included: the best deviation is where the "
    "marginal changes sign"
)
LARGEST = (
    "each payoff is the largest of three concave ones (own forces, the others', the umbrella): the "
    "best deviation is the best of their three peaks"
)


@dataclasses.dataclass(frozen=True, eq=False)
class Component:
    """A connected set of equilibria between two ends; a single equilibrium has one end twice.

    `low` is None where the lower end is approached and not attained (nobody has any security there);
    `limit` has the burdens of that end in any case, shape (n,).
    """

    low: Equilibrium | None
    high: Equilibrium
    limit: Array

    @property
    def single(self) -> bool:
        """Whether it is one equilibrium alone."""
        return self.low is self.high


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """Every equilibrium found, and what is known of the set of all.

    `equilibria` are certified, the best for the leader first; ends of continua are among them.
    `completeness` is "proven" (nothing outside the components exists), "to a resolution" or "not
    known"; `statement` says it in words. `cycle` has the profiles through which best replies go round
    where there is no equilibrium, shape (profile, member), else none.
    """

    equilibria: tuple[Equilibrium, ...]
    components: tuple[Component, ...]
    completeness: Completeness
    statement: str
    cycle: Array | None = None

    @property
    def single(self) -> bool:
        """Whether one equilibrium and no other was found."""
        return len(self.components) == 1 and self.components[0].single

    @property
    def unique(self) -> tuple[Unique, str]:
        """What a certificate may say of the number of equilibria."""
        if self.single:
            return ("proven" if self.completeness == "proven" else "not proven"), self.statement
        return ("multiple" if self.equilibria else "not proven"), self.statement


def certificate(
    faced: Problem, x: Array, tolerances: Tolerances, unique: tuple[Unique, str]
) -> Certificate:
    """The certificate of a profile from every member's best deviation, which is global by proof."""
    gains = faced.gains(x)
    worst = int(np.argmax(gains))
    regret = float(gains[worst] + rounding(faced, x, worst))
    money = float("inf")
    if regret < 700:
        share = consumption_share(faced.game, regret, x[worst])
        money = float(share * faced.game.by_member("gdp")[worst])
    verdict: Verdict = "unverified"
    if regret <= tolerances.approximate:
        verdict = "certified" if regret <= tolerances.certified else "approximate"
    if verdict == "unverified":
        unique = ("not proven", "the profile is no equilibrium")
    leader = "" if faced.plan.burden is None else " (the plan fixes the leader)"
    who = "every member" if faced.plan.burden is None else "every ally"
    return Certificate(
        verdict,
        regret,
        money,
        faced.game.members[worst] if regret > 0 else None,
        *unique,
        CONCAVE if faced.weakest else LARGEST,
        f"unilateral pure deviations of {who}{leader} over the whole action set; no coalitions",
        tolerances,
    )


def rounding(faced: Problem, x: Array, member: int) -> float:
    """What rounding of a member's marginal payoff could hide, over its range."""
    weight = faced.theta + faced.private + max(1.0, faced.game.decisiveness) * faced.alpha
    span = faced.high[member] - faced.low[member]
    return float(
        rounding_allowance(
            float(x[member]), float(weight[member]), float(span), faced.game.consumption
        )
    )


def equilibrium(
    faced: Problem,
    x: Array,
    tolerances: Tolerances,
    unique: tuple[Unique, str] = ("not proven", "nothing is known of others"),
    message: str = "",
) -> Equilibrium:
    """A profile as a result, with its certificate."""
    return Equilibrium(
        faced.game,
        faced.plan,
        "nash" if faced.plan.burden is None else "response",
        np.array(x),
        faced.payoffs(x),
        faced.influences(x),
        faced.securities(x),
        faced.trust,
        certificate(faced, x, tolerances, unique),
        message,
    )
