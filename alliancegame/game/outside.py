"""What an ally has outside the alliance: its own deterrent, a rival's umbrella, what leaving costs.

These numbers matter only where allies may leave (docs/theory/model, Leaving); no burden of the alliance
depends on them.
"""

from __future__ import annotations

import math

from alliancegame.game.parameters import Parameter

OUTSIDE_PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "deterrent", "N_i", "ally", 0.0, "own deterrent of an ally that leaves and stands alone",
        "effective bn US$", low=0, latex="N_i",
    ),
    Parameter(
        "deterrent_cost", "F_i", "ally", 0.0, "what keeping that deterrent costs when alone",
        "share of GDP", low=0, high=1, open_high=True, latex="F_i",
    ),
    Parameter(
        "rival_umbrella", "N_i^R", "ally", 0.0, "umbrella of the rival to an ally that realigns",
        "effective bn US$", low=0, latex="N_i^R",
    ),
    Parameter(
        "realignment_cost", "f_i", "ally", 0.0, "political cost of realigning, in payoff", low=0,
        latex="f_i",
    ),
    Parameter(
        "outside_influence", "p_i^out", "ally", math.nan, "influence of an ally that has left",
        low=0, high=1, latex=r"p_i^{\mathrm{out}}", unset="its influence at A",
    ),
)  # fmt: skip
