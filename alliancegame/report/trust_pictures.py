"""The report's figures about time, for which there is something to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alliancegame.figures.trust_paths import (
    lost_and_won_back,
    trust_paths,
    trust_policy,
    trust_regime_map,
)
from alliancegame.report.picture import Picture
from alliancegame.study.trust_regimes import REGIMES

if TYPE_CHECKING:
    from alliancegame.report.findings import Findings
    from alliancegame.solve.dynamic.result import TrustPath


def _paths(found: Findings) -> Picture | None:
    if found.dynamics is None:
        return None
    paths = found.dynamics.paths
    lead = found.game.members.leader_index
    told = "; ".join(
        f"{concept}: first threat {path.first_threat:.2f}, trust {path.operating_trust[-1, lead]:.2f} "
        f"after {path.periods} years"
        for concept, path in paths.items()
    )
    return Picture(
        "trust_paths",
        trust_paths(paths),
        "Paths by concept: every year's best plan (myopic), the best plan to keep for ever (stationary), "
        "and the optimal policy as a function of trust (markov), which an announced path (open-loop) "
        f"equals in value without turnover. Discount factor {found.dynamics.discount:g}.",
        f"Four panels by year: threat, mean trust, allied spending, the leader's gain. {told}.",
    )


def _policy(found: Findings) -> Picture | None:
    path = None if found.dynamics is None else found.dynamics.policy
    if path is None or path.policy is None:
        return None
    threats = path.policy.threats
    return Picture(
        "trust_policy",
        trust_policy(path),
        "The optimal threat and the value of the future against trust; dots: the path's first years.",
        f"Two curves against trust: the optimal threat, between {threats.min():.2f} and "
        f"{threats.max():.2f}, and the value of the future to {found.game.leader}.",
    )


def _lost(found: Findings) -> Picture | None:
    path = None if found.dynamics is None else found.dynamics.paths.get("myopic")
    if path is None or path.states.shape[1] != 1 or not path.threats.max() > 0:
        return None
    returns = found.game.recovery > 0
    return Picture(
        "trust_lost",
        lost_and_won_back(path),
        "Trust that the myopic leader's threats destroy each year, and what time gives back"
        + ("." if returns else " (nothing, since recovery is 0)."),
        "Bars by year: the share of full trust lost to the threat, and the share won back; lost in the "
        f"first year {_first_loss(path):.3f}.",
    )


def _first_loss(path: TrustPath) -> float:
    """The share of full trust that the first year's threat destroys."""
    scale = float(np.max(path.game.by_member("trust_ceiling")))
    after = path.operating_trust[0, path.game.members.leader_index] / scale
    return float(path.states[0, 0] - after)


def _regimes(found: Findings) -> Picture | None:
    if found.dynamics is None or found.dynamics.regimes is None:
        return None
    regimes, fit = found.dynamics.regimes, found.dynamics.fit
    counts = ", ".join(
        f"{name} {np.count_nonzero(regimes.regimes == k)}" for k, name in enumerate(REGIMES)
    )
    measured = None if fit is None else fit.decay_range
    return Picture(
        "trust_regimes",
        trust_regime_map(regimes, assumed=float(found.game.decay), measured=measured),
        "What the optimal policy does, by decay of trust and discount factor, and its first threat. "
        "Dashed: the model's own decay"
        + (
            "."
            if measured is None
            else "; the bar above: the range that polls give for it (an arrow: it goes on beyond the map)."
        ),
        f"Map of decay by discount factor, cells by regime: {counts}.",
    )


TRUST_MAKERS = (_paths, _policy, _lost, _regimes)
