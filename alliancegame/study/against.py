"""What results that set a plan's equilibrium against A have in common."""

from __future__ import annotations

import dataclasses

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.solve.result import Equilibrium, Result


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class AgainstBaseline(Result):
    """The equilibrium under a plan, `result`, and A, `baseline`."""

    baseline: Equilibrium
    result: Equilibrium

    @property
    def game(self) -> BurdenSharingGame:
        """The game."""
        return self.result.game

    @property
    def plan(self) -> Plan:
        """The plan."""
        return self.result.plan

    @property
    def delta_payoff(self) -> float:
        """The leader's payoff under the plan minus at A."""
        return self.result.leader_payoff - self.baseline.leader_payoff
