"""Pictures of solved games: one function a figure, each returning a matplotlib `Figure`.

Nothing here solves anything, and nothing touches pyplot. `figure.savefig(path)` writes a file;
`alliancegame.figures.style.rendered` gives the bytes of one that is the same every time.
"""

from __future__ import annotations

from alliancegame.figures.burdens import burdens
from alliancegame.figures.channels import channels
from alliancegame.figures.decomposition import decomposition
from alliancegame.figures.exposure import exposure
from alliancegame.figures.finite import feasible_set, learning, quantal
from alliancegame.figures.isoquants import isoquants
from alliancegame.figures.plane import plane
from alliancegame.figures.regime_map import regime_map
from alliancegame.figures.sensitivity import sensitivity
from alliancegame.figures.signs import signs
from alliancegame.figures.specification_curve import specification_curve
from alliancegame.figures.swept import swept
from alliancegame.figures.threat import threat_curve
from alliancegame.figures.trust_paths import (
    lost_and_won_back,
    trust_levels,
    trust_paths,
    trust_policy,
    trust_regime_map,
)
from alliancegame.figures.uncertainty import uncertainty

__all__ = [
    "burdens",
    "channels",
    "decomposition",
    "exposure",
    "feasible_set",
    "isoquants",
    "learning",
    "lost_and_won_back",
    "plane",
    "quantal",
    "regime_map",
    "sensitivity",
    "signs",
    "specification_curve",
    "swept",
    "threat_curve",
    "trust_levels",
    "trust_paths",
    "trust_policy",
    "trust_regime_map",
    "uncertainty",
]
