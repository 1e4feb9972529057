"""What a plan brings the leader against A, in one word (docs/theory/outcomes)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.solve.result import Equilibrium

OUTCOMES = ("success", "windfall", "break-even", "status quo", "futile", "backfire")
"""Every outcome of a plan, from good to bad for the leader. Success is B, backfire C."""
SUCCESS, WINDFALL, BREAK_EVEN, STATUS_QUO, FUTILE, BACKFIRE = range(6)

SMALL_CHANGE = 1e-6
"""Changes of savings and influence below this are none (docs/theory/outcomes)."""


ROUNDING = 1e-12
"""Payoff differences below this come from rounding, and are printed as none."""


def rounded(difference: float) -> float:
    """A payoff difference as it is to be printed: what only rounding makes is 0."""
    return 0.0 if abs(difference) < ROUNDING else difference


def tolerance(baseline: Equilibrium, result: Equilibrium) -> float:
    """The payoff difference that counts as none: 1e-9 + 10 * regret, the larger regret of the two."""
    return 1e-9 + 10 * max(baseline.certificate.regret, result.certificate.regret)


def outcome(baseline: Equilibrium, result: Equilibrium) -> str:
    """What a plan brings the leader against A: one of OUTCOMES."""
    code = classify(
        result.leader_payoff - baseline.leader_payoff,
        result.savings - baseline.savings,
        result.leader_influence - baseline.leader_influence,
        tolerance(baseline, result),
    )
    return OUTCOMES[int(code)]


def classify(gain: Any, saved: Any, influence: Any, slack: Any) -> NDArray[np.int64]:
    """Outcomes as positions in OUTCOMES, from the leader's differences to A; any common shape.

    docs/theory/outcomes. Savings that are nan count as unchanged; a payoff of -inf is a loss.
    """
    gain = np.nan_to_num(np.asarray(gain, dtype=np.float64), nan=-np.inf, posinf=np.inf)
    saves = np.asarray(saved) > SMALL_CHANGE
    moved = (np.abs(np.nan_to_num(saved)) > SMALL_CHANGE) | (np.abs(influence) > SMALL_CHANGE)
    yields = np.asarray(influence) < -SMALL_CHANGE
    better = np.where(saves & yields, SUCCESS, WINDFALL)
    even = np.where(moved, BREAK_EVEN, STATUS_QUO)
    worse = np.where(saves, BACKFIRE, FUTILE)
    return np.where(np.abs(gain) <= slack, even, np.where(gain > 0, better, worse)).astype(np.int64)
