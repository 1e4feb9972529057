"""Dominance: what is strictly dominated again and again, by pure or by mixed strategies.

The order of elimination does not matter for strict dominance; for weak dominance it can, so one
stated order is used (all strategies dominated in a round go together), and equilibria may be lost.
"""

from __future__ import annotations

import numpy as np

from alliancegame.game.finite import FiniteGame


def strictly_undominated(game: FiniteGame) -> list[list[int]]:
    """What survives iterated elimination of strategies strictly dominated by pure ones, by index.

    Comparisons are exact. No equilibrium, and no correlated equilibrium, plays anything else.
    """
    keep = [list(range(m)) for m in game.shape]
    changed = True
    while changed:
        changed = False
        for i in range(game.size):
            payoff = np.moveaxis(game.comparable[i][np.ix_(*keep)], i, 0)
            flat = payoff.reshape(len(keep[i]), -1)
            dominated = [k for k in range(len(flat)) if bool((flat > flat[k]).all(axis=1).any())]
            if dominated:
                keep[i] = [s for k, s in enumerate(keep[i]) if k not in dominated]
                changed = True
    return keep
