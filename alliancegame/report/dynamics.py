"""What the report says about time: paths by concept, patience, regimes, and what polls say of the law."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from alliancegame.errors import AllianceGameError, CoarseGridWarning
from alliancegame.game.game import BurdenSharingGame
from alliancegame.solve.dynamic.law import AllianceLaw, groups_of
from alliancegame.solve.trust_path import solve_trust_path
from alliancegame.study.opinion import TrustFit, fit_trust_law
from alliancegame.study.patience import Patience, patience_threshold
from alliancegame.study.trust_regimes import TrustRegimes, trust_regimes

if TYPE_CHECKING:
    from alliancegame.solve.dynamic.result import TrustPath

DISCOUNT, PERIODS = 0.95, 25
"""Weight of the next year, and years shown."""
DECAYS, DISCOUNTS = 7, 5
"""Cells of the map along decay and discount."""
LEAST_DECAY = 0.4
"""The map's decays reach one and a half times this, or the game's own where that is more."""
SECTION = "trust over time"


@dataclasses.dataclass(frozen=True)
class Dynamics:
    """Paths by concept (myopic, stationary, markov), and what is asked of them; None if left out.

    `fit` is the law as polls have it, for games whose members they cover.
    """

    discount: float
    paths: Mapping[str, TrustPath]
    patience: Patience | None
    regimes: TrustRegimes | None
    fit: TrustFit | None

    @property
    def policy(self) -> TrustPath | None:
        """The path of the optimal policy, if there is one."""
        return self.paths.get("markov")


def investigate_dynamics(
    game: BurdenSharingGame, demand: Any, omitted: dict[str, str]
) -> Dynamics | None:
    """Solve what the report says about time; what cannot be said goes to `omitted`, with the reason."""
    if game.trust_law.harmless:
        omitted[SECTION] = "no threat costs any trust here (decay, contagion and scarring are zero)"
        return None
    states = AllianceLaw(game, groups_of(game)).states
    one = len(states) == 1
    concepts = ("myopic", "stationary", "markov") if one else ("myopic", "stationary")
    paths: dict[str, TrustPath] = {}
    with warnings.catch_warnings():
        # The certificate beside the path says it.
        warnings.simplefilter("ignore", CoarseGridWarning)
        for concept in concepts:
            try:
                paths[concept] = solve_trust_path(game, concept, PERIODS, DISCOUNT, demand=demand)
            except AllianceGameError as error:
                omitted[f"{SECTION}, {concept} path"] = str(error)
    if not one:
        omitted[f"{SECTION}, policy and map"] = (
            f"the law of trust has {len(states)} states ({', '.join(states[:4])}); the policy is a "
            "function of one here (`alliancegame path --concept markov` solves two)"
        )
    if not paths:
        return None
    patience = regimes = None
    if "markov" in paths:
        try:
            patience = patience_threshold(game, demand=demand, tolerance=1e-3)
            regimes = _regimes(game, demand, omitted)
        except AllianceGameError as error:  # Other discount factors and decays reach other trust.
            omitted[f"{SECTION}, patience and map"] = str(error)
    return Dynamics(DISCOUNT, paths, patience, regimes, _opinion(game))


def _regimes(game: BurdenSharingGame, demand: Any, omitted: dict[str, str]) -> TrustRegimes | None:
    """The map over decay and discount; the nearest of its decays is moved to the game's own."""
    if not isinstance(game.decay, float):
        omitted[f"{SECTION}, map"] = "decay differs by ally, and the map is over a common one"
        return None
    decays = np.linspace(0.0, 1.5 * max(game.decay, LEAST_DECAY), DECAYS)
    decays[np.abs(decays - game.decay).argmin()] = game.decay
    return trust_regimes(
        game, {"decay": decays.tolist(), "discount": np.linspace(0.1, 0.95, DISCOUNTS).tolist()},
        demand=demand,
    )  # fmt: skip


def _opinion(game: BurdenSharingGame) -> TrustFit | None:
    """The law as polls about the United States have it, where that is the leader they are about."""
    if game.leader != "USA":
        return None
    return fit_trust_law()
