"""Rows, columns and tolerances of the engine's arrays, and the types in its signatures.

`Vector` and `Matrix` are contiguous arrays of the engine's own, `Index` is contiguous integers; each
function is compiled once, for the types that it declares. `Given` is what Python hands to an entry:
its signature stands in `solve.aggregative`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]
    Matrix = NDArray[np.float64]
    Index = NDArray[np.int64]
    Given = NDArray[np.float64]

# Rows of a stage: what the conditions need, by slot. The first nine are the order of ally_sweep.
# THREAT is the threat as it is believed; BITE is that, or zero where security is worth nothing.
# WEIGHT is t_i in a council (the leader's times mean trust), in a hub the ally's trust.
SCALE, THETA, ALPHA, PRIVATE, SPILLIN, UMBRELLA, BITE, DEMAND, WEIGHT, LOW, HIGH, SINGULAR = range(
    12
)
# LEVY is chi_i T_i; PRESSED whether the payoff has a kink at the demand. What only further forms need:
# an ally's GDP share among allies and its GDP over the leader's (less deadweight), and, observed at a
# profile, its g; the leader's REVENUE stands in its own slot of LEVY.
THREAT, LEVY, RIVAL, WIDTH, PRESSED, SHARE, TRADE, FORCES, STAGE_ROWS = range(12, 21)
# Rows of a table: what a game says of each member (docs/theory/model).
T_SCALE, T_THETA, T_ALPHA, T_PRIVATE, T_SPILLIN, T_UMBRELLA, T_CREDIBILITY = range(7)
T_WEIGHT, T_LOW, T_HIGH, T_TRUST, T_CEILING, T_DECAY, T_SHARE = range(7, 14)
T_EXPOSURE, T_TARIFF, T_TRADE, T_RIVAL = range(14, 18)
# Scalars of a game.
S_RHO, S_M, S_RETURN, S_COHESION, S_CURVATURE, S_CONTAGION, S_RECOVERY, S_SCARRING, S_HORIZON = (
    range(9)
)
S_LOG_INFLUENCE, S_CONCAVE, S_WIDTH, S_TARIFF_DECAY = range(9, 13)
# What a solved case says of itself.
I_STATUS, I_STEPS, I_REGRET, I_WORST, I_MEAN_TRUST, I_LEADER_MARGINAL, I_LEADER_PAYOFF = range(7)
NEWTON, SAFEGUARD, FAILED, ZERO_TRUST = 0.0, 1.0, 2.0, 3.0
PADDING = -1.0  # Kind of a packed lane without an ally; else whether its marginal is singular.
NEAR = 14  # Blocks of packed allies that fit into the nearest cache together.
# Rows of the work space: two of the safeguard's and the deviations', then the packed allies.
W_A, W_B, PACKED_FROM = 0, 1, 2
SPACE_ROWS = 88  # Numbers a member in the work space: stage, work, table and sixteen vectors.
LEAST_SLOPE = -1e-8  # Linear games can have none; the step stays finite and the root the same.
TINY = 1e-60  # Stands for a burden of zero where a term with zero weight would divide by it.
GAIN_ACCEPTED = 1e-10  # Or when rounding stops progress below this.
