"""TrustLaw: how threats wear out trust and how it recovers (docs/theory/model, Trust)."""

from __future__ import annotations

import dataclasses
from typing import Any

from alliancegame.game.parameters import Array, Parameter

TRUST_PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "trust", "r_i^0", "ally", 1.0, "initial trust in the leader", low=0, high=1,
        latex=r"r_i^0",
    ),
    Parameter(
        "trust_ceiling", "r_i^max", "ally", 1.0, "ceiling to which trust recovers", low=0, high=1,
        latex=r"r_i^{\max}",
    ),
    Parameter(
        "decay", "kappa_i", "ally", 0.0, "trust destroyed by a full threat (log points)", low=0,
        latex=r"\kappa_i",
    ),
    Parameter(
        "curvature", "nu", "scalar", 1.0, "curvature of the trust cost in the threat", low=0,
        open_low=True, latex=r"\nu",
    ),
    Parameter(
        "contagion", "xi", "scalar", 0.0, "trust lost when others are threatened", low=0,
        latex=r"\xi",
    ),
    Parameter(
        "tariff_decay", "kappa_T", "scalar", 0.0, "trust destroyed by a tariff of 100 %", low=0,
        latex=r"\kappa_T",
    ),
    Parameter(
        "recovery", "mu", "scalar", 0.0, "share of the gap to the ceiling won back per period",
        low=0, high=1, latex=r"\mu",
    ),
    Parameter(
        "scarring", "iota", "scalar", 0.0, "loss of the ceiling itself under threat", low=0,
        latex=r"\iota",
    ),
    Parameter(
        "recovery_threshold", "r_h", "scalar", 0.0,
        "share of the ceiling at which recovery is half as quick (0: equally quick everywhere)",
        low=0, high=1, open_high=True, latex=r"\hat{r}",
    ),
    Parameter(
        "recovery_sharpness", "k", "scalar", 4.0, "how sharply recovery slows below that threshold",
        low=1, high=20, latex="k",
    ),
    Parameter(
        "institutional_share", "w", "scalar", 1.0,
        "weight of trust in the state; the rest is trust in the person who leads it", low=0, high=1,
        open_low=True, latex="w",
    ),
    Parameter(
        "personal_recovery", "mu_P", "scalar", 0.0,
        "recovery of trust in the person (as recovery, if not given)", low=0, high=1,
        latex=r"\mu^P",
    ),
    Parameter(
        "turnover", "q", "scalar", 0.0, "probability per period that a new person leads", low=0,
        high=1, latex="q",
    ),
)  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False)
class TrustLaw:
    """The parameters of the trust law; `game.trust_law` holds one.

    `trust`, `trust_ceiling` and `decay` are floats or read-only arrays of shape (n,) in member
    order (the leader's entry is ignored); the rest are floats. A `personal_recovery` of None becomes
    `recovery`. Source: docs/theory/model, Trust; recovery_threshold and recovery_sharpness give a
    convex-concave recovery, as in shallow-lake problems (Skiba 1978).
    """

    trust: float | Array = 1.0
    trust_ceiling: float | Array = 1.0
    decay: float | Array = 0.0
    curvature: float = 1.0
    contagion: float = 0.0
    tariff_decay: float = 0.0
    recovery: float = 0.0
    scarring: float = 0.0
    recovery_threshold: float = 0.0
    recovery_sharpness: float = 4.0
    institutional_share: float = 1.0
    personal_recovery: float | None = None
    turnover: float = 0.0

    def __post_init__(self) -> None:
        if self.personal_recovery is None:
            object.__setattr__(self, "personal_recovery", self.recovery)

    @property
    def long_run_formula(self) -> bool:
        """Whether the closed form of stationary trust holds: one component, even recovery."""
        return self.institutional_share == 1 and self.recovery_threshold == 0

    def values(self) -> dict[str, Any]:
        """The parameters by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @property
    def harmless(self) -> bool:
        """Whether no pressure can cost any trust (both decays, contagion and scarring all zero)."""
        import numpy as np

        return not (np.any(self.decay) or self.contagion or self.tariff_decay or self.scarring)
