"""Alliances under trigger threats: each is a game with compliance sets, solved and searched by itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.leaving.roster import Roster, Sets, Solved
from alliancegame.solve.trigger.answers import METHOD, SCANNED
from alliancegame.solve.trigger.sides import Sides, without_jumps


class JumpRoster(Roster):
    """A roster whose payoffs jump at the demand: `solve_nash` answers, `Sides` searches deviations."""

    one_by_one = True

    @property
    def concave(self) -> bool:
        """They jump."""
        return False

    @property
    def smooth(self) -> BurdenSharingGame:
        """The same members and numbers without jumps."""
        return without_jumps(self.game)

    @property
    def method(self) -> str:
        """How deviations are searched, for certificates."""
        return METHOD if aggregative.tables(self.smooth).concave else SCANNED

    def solve(self, sets: Sets) -> Solved:
        """Every alliance's inner game, in the answer best for the leader."""
        from alliancegame.solve.nash import solve_nash

        sets = np.asarray(sets, dtype=bool).reshape(-1, self.count)
        solved = self._outside_all(sets)
        for row, stay in enumerate(sets):
            if not stay.any():
                self._fill_alone(solved, np.array([row]))
                continue
            places = np.sort(self.members(stay))
            answer = solve_nash(*self.smaller(stay), throw=False)
            solved.burdens[row, places], solved.payoffs[row, places] = (
                answer.burdens,
                answer.payoffs,
            )
            solved.influences[row, places] = answer.influences
            solved.securities[row, places] = answer.securities
            solved.trust[row, places] = answer.operating_trust
            finite = np.isfinite(answer.payoffs).all()
            solved.found[row] = bool(finite) and answer.certificate.verdict != "unverified"
        return solved

    def deviations(self, places: NDArray[np.intp], burdens: Array) -> aggregative.Deviations:
        """Everybody's best deviation within one alliance, to either side of the demand."""
        stay = np.isin(self.allies, places)
        game, plan = self.smaller(stay)
        inner = np.argsort(np.argsort(places))  # Smaller games keep the members' order.
        profile = np.empty(len(places))
        profile[inner] = burdens
        sides = Sides.of(game, plan)
        at = sides.described(profile[None, :])
        gain, reply = (values[0] for values in sides.gains(profile[None, :]))
        found = (gain, reply, at.payoff[0], at.influence[0], at.security[0], at.trust[0])
        return aggregative.Deviations(*(values[inner] for values in found))


def roster_of(game: BurdenSharingGame, plan: Plan) -> Roster:
    """The roster of a game under a plan; without pressure no payoff jumps."""
    if game.shortfall != "trigger":
        return Roster(game, plan)
    return JumpRoster(game, plan) if plan.pressure else Roster(without_jumps(game), plan)
