"""Finite games: what a player can gain by another strategy.

The argument: no mixture earns more than its best pure strategy; payoffs and probabilities are fractions
(doubles are, too), so that a gain is known exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, fmpq

from alliancegame.game.finite import FiniteGame
from alliancegame.verify.deviations import Gain
from alliancegame.verify.intervals import Interval
from alliancegame.verify.profile import Profile


class Mixtures(Profile):
    """A profile of mixtures in a finite game, the probabilities of each scaled to add up to 1."""

    def __init__(self, game: FiniteGame, mixtures: Sequence[Sequence[Fraction]]) -> None:
        self.names, self.playing = game.players, range(game.size)
        self.values = [float(p) for mixture in mixtures for p in mixture]
        self.units = [max(float(max(t.flat) - min(t.flat)), 1.0) for t in game.fractions]
        self.shares = [np.array([p / sum(mixture) for p in mixture]) for mixture in mixtures]
        self.tables = game.fractions

    def _by_strategy(self, i: int) -> Any:
        table = self.tables[i]
        for j in reversed(self.playing):
            if j != i:
                table = np.tensordot(table, self.shares[j], axes=(j, 0))
        return table

    def paid(self, i: int) -> Interval:
        """What a player earns."""
        return Interval(_ball(self._by_strategy(i) @ self.shares[i]))

    def gain(self, i: int, target: Any) -> Gain:
        """What another strategy adds."""
        table = self._by_strategy(i)
        gain = _ball(max(table) - table @ self.shares[i])
        return Gain(gain.upper(), gain.lower())


def _ball(value: Any) -> Any:
    exact = Fraction(value)
    return arb(fmpq(exact.numerator, exact.denominator))
