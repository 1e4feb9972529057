"""Where a path of threats leads trust: states by period, with every turnover that there may be."""

from __future__ import annotations

import dataclasses

import numpy as np

from alliancegame.game.parameters import Array
from alliancegame.solve.dynamic.law import STILL, Law, settled

MOST_TAIL = 4000


@dataclasses.dataclass(frozen=True, eq=False)
class Course:
    """A law of trust under a path of threats that is announced once and for all."""

    law: Law
    discount: float

    def tail(self, state: Array, threat: Array) -> int:
        """Periods until trust under a plan kept for ever has settled, or no longer counts."""
        for t in range(self.most_tail):
            ahead = self.law.advance(state, threat)
            if settled(state, ahead):
                return t + 1
            state = ahead
        return self.most_tail

    @property
    def most_tail(self) -> int:
        """Periods after which what is left no longer counts."""
        return min(int(np.ceil(np.log(STILL) / np.log(self.discount))), MOST_TAIL)

    def states(self, threats: Array, tail: int) -> tuple[Array, Array]:
        """States by period and branch, and threats by period: the path, then its last plan.

        States have shape (period, branch, state). Branch 0 is the one without turnover; branch k
        had its last turnover before period k.
        """
        periods = len(threats) + tail
        asked = np.concatenate([threats, np.repeat(threats[-1:], tail, axis=0)])
        branches = periods if self.law.turnover else 1
        state = np.empty((periods, branches, len(self.law.states)))
        state[0] = self.law.initial
        for t in range(1, periods):
            used = min(t, branches)
            before = state[t - 1, :used]
            state[t, :used] = self.law.advance(before, np.repeat(asked[t - 1][None], used, axis=0))
            if branches > 1:
                state[t, t] = self.law.jump(state[t, :1])[0]
        return state, asked

    def weights(self, periods: int) -> Array:
        """The probability of every branch in every period, shape (period, branch)."""
        q = self.law.turnover
        if not q:
            return np.ones((periods, 1))
        t, k = np.meshgrid(np.arange(periods), np.arange(periods), indexing="ij")
        weight = np.where(k == 0, (1 - q) ** t, q * (1 - q) ** np.maximum(t - k, 0))
        return np.where(k <= t, weight, 0.0)
