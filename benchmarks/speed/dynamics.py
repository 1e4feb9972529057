"""Speed of paths of trust over time."""

from __future__ import annotations

from functools import partial

import alliancegame as ag
from benchmarks.speed.clock import timed
from benchmarks.speed.items import MODEL, Row, seconds

RECOVERY, DISCOUNT, PERIODS = 0.15, 0.6, 40


def trust_path(quick: bool) -> list[Row]:
    """The optimal policy of one state, and an announced path with trust and threats by ally."""
    game = ag.load_model(MODEL).replace(recovery=RECOVERY, decay=0.25)
    solve = partial(ag.solve_trust_path, game, periods=PERIODS, discount=DISCOUNT)
    policy = solve("markov")
    residual = policy.certificate.bellman_residual
    if residual > 1e-8:
        raise RuntimeError(f"not exact enough to be timed: residual {residual}")
    announced = solve("open-loop", by_ally=True)
    repetitions = 3 if quick else 7
    return [
        seconds(
            f"optimal policy, one state of trust ({MODEL})",
            timed(partial(solve, "markov"), repetitions),
            5.0,
            f"warm, with certificate; Bellman residual {residual:.0e}",
        ),
        seconds(
            f"announced path, {PERIODS} periods, threats by ally ({MODEL})",
            timed(partial(solve, "open-loop", by_ally=True), 1 if quick else 3),
            30.0,
            f"warm, two starts; best deviation gains {announced.certificate.deviation_gain:.0e}",
        ),
    ]
