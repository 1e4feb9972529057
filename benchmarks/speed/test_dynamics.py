"""Paths of trust over time on the flagship: the optimal policy, and a path announced at the start."""

from __future__ import annotations

from functools import partial

import alliancegame as ag
from benchmarks.problems import MODEL

GROUP = "Trust over time"
PERIODS = 40


def solving():
    game = ag.load_model(MODEL).replace(recovery=0.15, decay=0.25)
    return partial(ag.solve_trust_path, game, periods=PERIODS, discount=0.6)


def test_policy(clock):
    solve = partial(solving(), "markov")
    residual = solve().certificate.bellman_residual
    assert residual <= 1e-8
    clock(
        GROUP, "optimal policy, one state of trust", solve, most=5.0, rounds=7,
        note=f"with certificate; Bellman residual {residual:.0e}",
    )  # fmt: skip


def test_announced_path(clock):
    solve = partial(solving(), "open-loop", by_ally=True)
    gain = solve().certificate.deviation_gain
    clock(
        GROUP, f"announced path, {PERIODS} periods, threats by ally", solve, most=30.0, rounds=3,
        note=f"two starts; best deviation gains {gain:.0e}",
    )  # fmt: skip
