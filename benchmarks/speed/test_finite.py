"""All equilibria of random two-player games, beside nashpy's vertex enumeration."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pytest

import alliancegame as ag

GROUP = "Finite games"


def bimatrix(size: int, seed: int) -> ag.FiniteGame:
    """Integers from so wide a range that ties are rare: nondegenerate, almost always."""
    random = np.random.default_rng(seed)
    return ag.FiniteGame(list(random.integers(-(10**6), 10**6, (2, size, size))))


def test_all_equilibria(clock, quick):
    games = [bimatrix(12, seed) for seed in range(5 if quick else 20)]
    assert all(ag.find_equilibria(game).complete for game in games)
    turn = itertools.cycle(games)
    clock(
        GROUP, "find_equilibria, 12 x 12", lambda: ag.find_equilibria(next(turn)), most=1.0,
        rounds=len(games), note="complete and exact, with certificates; a game a round",
    )  # fmt: skip


@pytest.mark.parametrize("method", ["complete", "vertex-enumeration"])
def test_small_games(clock, method):
    game = bimatrix(6, 0)
    count = len(ag.find_equilibria(game))
    assert len(ag.find_equilibria(game, method=method)) == count
    name = "find_equilibria" if method == "complete" else "nashpy's vertex enumeration"
    clock(
        GROUP, f"{name}, 6 x 6", partial(ag.find_equilibria, game, method=method), rounds=9,
        note=f"{count} equilibria",
    )  # fmt: skip
