"""Finite games: what a player can gain by another strategy, in fractions. Nothing is rounded.

The argument: no mixture earns more than its best pure strategy, so the pure deviations are all; and
payoffs and probabilities are rational numbers (doubles are, too), so that a gain is known exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from alliancegame.game.finite import FiniteGame

Mixtures = Sequence[Sequence[Fraction]]


class Earned(NamedTuple):
    """What a player earns in a profile, and the most that another strategy would add."""

    payoff: Fraction
    gain: Fraction


def earned(game: FiniteGame, mixtures: Mixtures) -> list[Earned]:
    """Payoffs and gains of all players, the probabilities of each scaled to add up to 1."""
    shares = [np.array([p / sum(mixture) for p in mixture]) for mixture in mixtures]
    found = []
    for i, payoffs in enumerate(game.fractions):
        table = payoffs
        for j in reversed(range(game.size)):
            if j != i:
                table = np.tensordot(table, shares[j], axes=(j, 0))
        payoff = Fraction(table @ shares[i])
        found.append(Earned(payoff, Fraction(max(table)) - payoff))
    return found
