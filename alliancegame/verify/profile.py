"""What all profiles have: the players, and what each of them can gain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alliancegame.verify.deviations import Gain, Payoff, largest_gain
from alliancegame.verify.intervals import Interval


class Profile:
    """A profile of a game: an alliance's (`payoffs`), or of a game of one's own (`own`).

    `names` are all players, `playing` the places of those who may deviate, `values` the numbers of the
    profile, `units` the scale of each player's payoffs.
    """

    names: Sequence[str]
    playing: Sequence[int]
    values: Sequence[float]
    units: Sequence[float]

    def payoff(self, i: int) -> Payoff:
        """The payoff of a player."""
        raise NotImplementedError

    def paid(self, i: int) -> Interval:
        """What a player earns."""
        return self.payoff(i).now

    def stated(self, i: int) -> dict[str, Interval]:
        """What a file states of a player, by name."""
        return {"payoff": self.paid(i)}

    def gain(self, i: int, target: Any) -> Gain:
        """What a player can gain, as `largest_gain`."""
        return largest_gain(self.payoff(i), target)
