"""All equilibria of random two-player games, beside nashpy's and Gambit's vertex enumeration."""

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


@pytest.mark.parametrize("rational", [True, False], ids=["rational", "float"])
def test_gambit(clock, rational):
    """Gambit's enummixed on the first of the 12 x 12 games above; skipped without the extra `peers`."""
    gambit = pytest.importorskip("pygambit")
    game = bimatrix(12, 0)
    count = len(ag.find_equilibria(game))
    theirs = gambit.Game.from_arrays(*(u.astype(int) for u in game.payoffs))
    solve = partial(gambit.nash.enummixed_solve, theirs, rational=rational)
    found = len(solve().equilibria)
    # Gambit in rationals is exact and must agree; in floats it may miss some, and the note says so.
    assert found == count or not rational
    numbers = "rationals" if rational else "floats"
    clock(
        GROUP, f"Gambit's enummixed in {numbers}, 12 x 12", solve, rounds=3, warmup=0,
        note=f"{found} of {count} equilibria, one game",
    )  # fmt: skip
