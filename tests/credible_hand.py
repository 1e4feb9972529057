"""Credible threats by hand: `oracle.Hand` with a leader who decides about executions once burdens are sunk.

All sets of executions are tried at every burden that anybody contemplates; ties are carried out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from tests.oracle import Hand, Number, ln, power


class CredibleHand(Hand):
    """A game under a plan in which threats are carried out only where the leader then wants to."""

    def __init__(self, game: Any, plan: Any = None) -> None:
        super().__init__(game, plan)
        self.saving = float(game.to_dict()["execution_saving"])

    def lost(self, i: int, x: Sequence[Number]) -> Number:
        return self.credibility[i] * self.threat[i] * self.shortfall(i, x[i])

    def leads(self, x: Sequence[Number], chosen: Sequence[bool]) -> float:
        """The leader's payoff if it abandons the chosen (by position)."""
        lead = self.lead
        gone = {j: self.lost(j, x) if chosen[j] else 0.0 for j in self.allies}
        spent = x[lead] - self.revenue(x)
        spent -= self.saving * sum(gone[j] * self.gdp[j] for j in self.allies) / self.gdp[lead]
        total = ln(1.0 - spent) if self.consumption == "log" else 1.0 - spent
        if self.security_weight[lead] > 0.0:
            rho = self.substitution
            worth = (self.return_spillin * self.mean_trust**self.cohesion) ** rho
            forces = sum((1.0 - gone[j]) * power(self.contribution(j, x), rho) for j in self.allies)
            whole = power(self.contribution(lead, x), rho) + worth * forces
            total += self.security_weight[lead] * ln(whole) / rho
        if self.influence_weight[lead] > 0.0:
            share = self.influence(lead, x)
            total += self.influence_weight[lead] * (
                ln(share) if self.influence_value == "log" else share
            )
        if self.private_weight[lead] > 0.0:
            total += self.private_weight[lead] * ln(x[lead])
        return float(total)

    def decided(self, x: Sequence[Number]) -> tuple[bool, ...]:
        """Whom the leader abandons: the largest best set among those who fall short."""
        short = [j for j in self.allies if self.lost(j, x) > 0.0]
        best: tuple[float, int, tuple[bool, ...]] = (-math.inf, -1, ())
        for choice in itertools.product((False, True), repeat=len(short)):
            chosen = [False] * self.n
            for j, gone in zip(short, choice, strict=True):
                chosen[j] = gone
            best = max(best, (self.leads(x, chosen), sum(choice), tuple(chosen)))
        return best[2]

    def security(self, i: int, x: Sequence[Number]) -> Number:
        self.executed = self.decided(x)
        return super().security(i, x)

    def reliability(self, i: int, x: Number) -> Number:
        return super().reliability(i, x) if self.executed[i] else self.r[i]

    def payoff(self, i: int, x: Sequence[Number]) -> Number:
        return self.leads(x, self.decided(x)) if i == self.lead else super().payoff(i, x)
