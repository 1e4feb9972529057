"""National interest as a leader's objective: the two-good form W of docs/theory/outcomes, in arrays."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from alliancegame.errors import InvalidValueError, UnsupportedFormError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array, as_number
from alliancegame.solve import measures
from alliancegame.solve.aggregative import Batch
from alliancegame.solve.result import Equilibrium


@dataclasses.dataclass(frozen=True)
class Interest:
    """W = (psi I^lambda + (1 - psi) cs^lambda)^(1/lambda): `weight` is psi, `curvature` lambda."""

    weight: float
    curvature: float = 0.0

    def of(self, found: Equilibrium) -> float:
        """W of an equilibrium; nan where savings or influence are not positive."""
        return measures.national_interest(
            self.weight, found.savings, found.leader_influence, self.curvature
        )

    def of_batch(self, game: BurdenSharingGame, batch: Batch) -> Array:
        """W of every scenario of a batch with member arrays, (scenario,); nan without an answer."""
        lead = game.members.leader_index
        own = measures.leader_scale(game) * batch.burden[:, lead]
        with np.errstate(all="ignore"):
            saved, influence = 1 - own / batch.security[:, lead], batch.influence[:, lead]
            if self.curvature == 0:
                found = influence**self.weight * saved ** (1 - self.weight)
            else:
                total = self.weight * influence**self.curvature
                total = total + (1 - self.weight) * saved**self.curvature
                found = total ** (1 / self.curvature)
        good = np.isfinite(batch.leader_payoff) & (saved > 0) & (influence > 0)
        return np.where(good, found, np.nan)


def interest_of(
    baseline: Equilibrium, weight: float | None = None, curvature: float = 0.0
) -> Interest:
    """W for a game whose A is `baseline`; psi matches the slope of the payoff at A if none is given."""
    if weight is None:
        weight = measures.interest_weight(
            baseline.game,
            baseline.savings,
            baseline.leader_influence,
            float(baseline.securities[baseline.game.members.leader_index]),
            curvature,
        )
    return Interest(float(weight), float(curvature))


def checked_interest(baseline: Equilibrium, weight: object, curvature: object) -> Interest:
    """W from what a user gives. Raises errors of ours."""
    bend = as_number(curvature, "interest_curvature")
    if bend > 1:
        raise InvalidValueError(
            f"interest_curvature must be at most 1 (perfect substitutes), got {bend:g}."
        )
    share = None if weight is None else as_number(weight, "interest_weight")
    if share is not None and not 0 <= share <= 1:
        raise InvalidValueError(f"interest_weight must be in [0, 1], got {share:g}.")
    found = interest_of(baseline, share, bend)
    if math.isnan(found.of(baseline)):
        raise UnsupportedFormError(
            'objective="national_interest" needs positive savings and influence at A, which this game '
            'does not have (savings mean nothing for substitution < 0); use objective="payoff".'
        )
    return found
