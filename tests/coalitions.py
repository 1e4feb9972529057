"""Coalition games whose solutions are published, each with its source; and random ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.coalition import CoalitionGame

Array = NDArray[np.float64]


def gloves(left: int, right: int) -> CoalitionGame:
    """A pair of gloves is worth 1; single ones nothing."""
    players = [f"l{i}" for i in range(left)] + [f"r{i}" for i in range(right)]
    return CoalitionGame(
        lambda s: min(sum(p[0] == "l" for p in s), sum(p[0] == "r" for p in s)), players
    )


def bankruptcy(estate: float, claims: Sequence[float]) -> CoalitionGame:
    """What is left of the estate when all others have their claims (Aumann and Maschler 1985)."""
    players = range(len(claims))
    return CoalitionGame(
        lambda s: max(0.0, estate - sum(claims[i] for i in players if i not in s)), list(players)
    )


def airport(costs: Sequence[float]) -> CoalitionGame:
    """A runway must be long enough for the largest aircraft; worths are minus the costs."""
    return CoalitionGame(
        lambda s: -max((costs[i] for i in s), default=0.0), list(range(len(costs)))
    )


def security_council() -> CoalitionGame:
    """Nine of fifteen votes, all five permanent ones among them."""
    players = [f"P{i}" for i in range(5)] + [f"E{i}" for i in range(10)]
    return CoalitionGame(lambda s: float(len(s) >= 9 and sum(p[0] == "P" for p in s) == 5), players)


def random_game(rng: np.random.Generator, n: int, family: str) -> CoalitionGame:
    """Worths of shape (2^n,): continuous, rough (many ties: degenerate programs), or simple."""
    sizes = np.array([m.bit_count() for m in range(2**n)])
    if family == "continuous":
        values = sizes**1.5 + rng.normal(0, 1, 2**n)
    elif family == "rough":
        values = rng.integers(0, 4, 2**n).astype(float) + sizes
    else:
        weights = rng.integers(1, 6, n)
        held = np.array([sum(int(weights[k]) for k in range(n) if m >> k & 1) for m in range(2**n)])
        values = (held > weights.sum() / 2).astype(float)
    values[0] = 0.0
    # The nucleolus needs imputations: everybody together can have at least what each has alone.
    values[-1] = max(values[-1], sum(values[1 << k] for k in range(n)))
    return CoalitionGame(values)


def kohlberg(game: CoalitionGame, x: Any, *, pre: bool = False, slack: float = 1e-7) -> bool:
    """Whether x is the (pre)nucleolus, by Kohlberg's criterion (1971); Sobolev (1975) for `pre`.

    For every number a, the coalitions with an excess of at least a must be balanced with positive
    weights; players held at their own worth may help with weights >= 0 (not for `pre`). One linear
    program a level; nothing of the library's own programs has a part in this.
    """
    from scipy.optimize import linprog

    n, x = game.size, np.asarray(x, dtype=float)
    masks = np.arange(1, 2**n - 1)
    member = (masks[:, None] >> np.arange(n)) & 1
    excess = game.values[masks] - member @ x
    size = max(1.0, float(np.abs(game.values).max()))
    single = game.values[2 ** np.arange(n)]
    if abs(x.sum() - game.values[-1]) > slack * size:
        return False
    if not pre and (x < single - slack * size).any():
        return False
    held = np.flatnonzero(np.abs(x - single) <= slack * size) if not pre else np.zeros(0, dtype=int)
    for level in sorted(set(np.round(excess / (slack * size)) * slack * size), reverse=True):
        chosen = member[excess >= level - slack * size]
        rows = np.concatenate([chosen, np.eye(n)[held]]).T
        # Weights w = t + u with u >= 0 for the chosen: the largest common part t must be positive.
        A = np.column_stack([rows, chosen.sum(axis=0)])
        c = np.zeros(A.shape[1])
        c[-1] = -1.0
        found = linprog(c, A_eq=A, b_eq=np.ones(n), method="highs")
        if found.status != 0 or -found.fun <= 1e-9:
            return False
    return True
