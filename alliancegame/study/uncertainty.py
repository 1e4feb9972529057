"""Uncertainty: what priors on parameters mean for the outcome of a plan."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import InvalidValueError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve.keys import parse_key
from alliancegame.solve.result import Result, numbers, provenance
from alliancegame.solve.scenarios import Scenarios
from alliancegame.study.evaluate import Evaluator, Progress, answered, reason_counts
from alliancegame.study.maps import GAINS, NO_ANSWER
from alliancegame.study.outcomes import OUTCOMES
from alliancegame.study.priors import check_draws, checked_priors, checked_seed, draw, in_words
from alliancegame.study.refit import Refit, refit_for

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Uncertainty", "uncertainty"]

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles that are kept by member."""

LEAST_FOR_QUANTILES = 64
"""Draws in a replicate from which its quantiles are good enough for standard errors."""

MOST_DRAWS = 1_000_000

_OUTPUTS = ("outcome", "gain_usd_bn", "payoff", "burden", "regret", "verdict")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Uncertainty(Result):
    """What draws from priors say about a plan.

    `draws` has shape (n, key); `codes` (n,) are positions in OUTCOMES, -1 for draws without an
    answer, and `gains_usd_bn` (n,) the leader's gains over A, bn US$ a year. They stand in
    `replicates` independent sets of equal size, one after another, from which standard errors are
    computed. `gain_quantiles` (bn US$ a year) and `burden_quantiles` (shares of GDP) have shape
    (level, member), over the draws that have an answer; `gain_errors` and `burden_errors` are their
    standard errors, nan with fewer than 64 draws in a replicate: quantiles of so few say too little
    about their own spread. `priors` says what was drawn from, `recalibrated` which weight was calibrated
    anew for every draw (empty if none), `reasons` why draws have no answer, and how many.
    """

    kind: ClassVar[str] = "uncertainty"

    game: BurdenSharingGame
    plan: Plan
    priors: Mapping[str, str]
    method: str
    replicates: int
    seed: int
    draws: Array
    codes: NDArray[np.int64]
    gains_usd_bn: Array
    levels: tuple[float, ...]
    gain_quantiles: Array
    gain_errors: Array
    burden_quantiles: Array
    burden_errors: Array
    recalibrated: str
    worst_regret: float
    not_certified: int
    reasons: Mapping[str, int]

    @property
    def n(self) -> int:
        """The number of draws."""
        return len(self.codes)

    @property
    def failed(self) -> int:
        """Draws without an answer."""
        return int(np.sum(self.codes < 0))

    def probability(self, *outcomes: str) -> tuple[float, float]:
        """The probability of any of these outcomes (or "no answer"), and its standard error.

        Every draw counts, so that the probabilities of all outcomes and of "no answer" sum to 1.
        """
        wanted = [-1 if name == NO_ANSWER else OUTCOMES.index(name) for name in outcomes]
        return self._mean(np.isin(self.codes, wanted).astype(np.float64))

    @property
    def probability_of_gain(self) -> tuple[float, float]:
        """The probability that the leader is better off than at A, and its standard error."""
        return self.probability(*GAINS)

    @property
    def mean_gain_usd_bn(self) -> tuple[float, float]:
        """The leader's mean gain over the draws with an answer, bn US$ a year, and its standard error."""
        if self.failed == self.n:
            return math.nan, math.nan
        return self._mean(self.gains_usd_bn)

    def _mean(self, values: Array) -> tuple[float, float]:
        """The mean of what is known, and its standard error by the method of the draws."""
        known = values[np.isfinite(values)]
        if self.method == "monte-carlo":
            return float(known.mean()), float(known.std(ddof=1) / math.sqrt(known.size))
        return float(known.mean()), _standard_error(
            np.array([_or_nan(np.mean, part) for part in values.reshape(self.replicates, -1)])
        )

    @cached_property
    def table(self) -> pd.DataFrame:
        """Every outcome that was met: probability, standard_error and draws."""
        import pandas as pd

        names = [*OUTCOMES, NO_ANSWER]
        rows = {name: (*self.probability(name), self._count(name)) for name in names}
        frame = pd.DataFrame.from_dict(
            {name: row for name, row in rows.items() if row[2]},
            orient="index",
            columns=["probability", "standard_error", "draws"],
        )
        return frame.rename_axis("outcome")

    def _count(self, name: str) -> int:
        return int(np.sum(self.codes == (-1 if name == NO_ANSWER else OUTCOMES.index(name))))

    @cached_property
    def by_member(self) -> pd.DataFrame:
        """Quantiles by member: columns (quantity, level), gain in bn US$ a year, burden in % of GDP."""
        import pandas as pd

        parts = {
            ("gain_usd_bn", level): self.gain_quantiles[i] for i, level in enumerate(self.levels)
        } | {("burden", level): self.burden_quantiles[i] for i, level in enumerate(self.levels)}
        frame = pd.DataFrame(parts, index=pd.Index(self.game.members.labels, name="member"))
        frame.columns = pd.MultiIndex.from_tuples(list(parts), names=["quantity", "quantile"])
        return frame

    def headline(self) -> str:
        """One line that says what was found."""
        chance, error = self.probability_of_gain
        middle = self.gain_quantiles[len(self.levels) // 2, self.game.members.leader_index]
        failed = f"; {self.failed} of {self.n} draws have no answer" if self.failed else ""
        return (
            f"{self.plan.describe()}, {self.n} draws of {', '.join(self.priors)}: {self.game.leader} "
            f"gains with probability {chance:.1%} ± {error:.1%} (median {middle:+.3g} bn US$ a "
            f"year){failed}"
        )

    def to_frame(self) -> pd.DataFrame:
        """The table of outcomes."""
        return self.table

    def _content(self) -> dict[str, Any]:
        arrays = ("draws", "codes", "gains_usd_bn", *_QUANTILES)
        return {
            "game": self.game.to_dict(),
            "plan": self.plan.to_dict(),
            "priors": dict(self.priors),
            "method": self.method,
            "n": self.n,
            "replicates": self.replicates,
            "seed": self.seed,
            "failed": self.failed,
            "reasons": dict(self.reasons),
            "probabilities": {
                name: {"probability": p, "standard_error": e, "draws": count}
                for name, (p, e, count) in zip(
                    self.table.index, self.table.itertuples(index=False), strict=True
                )
            },
            "recalibrated": self.recalibrated,
            "worst_regret": self.worst_regret,
            "not_certified": self.not_certified,
            "outcomes": [*OUTCOMES],
            "levels": list(self.levels),
            "members": list(self.game.members),
            **{name: getattr(self, name).tolist() for name in arrays},
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        made = content["provenance"].get("game", {})
        arrays: dict[str, Any] = {
            name: np.array([numbers(row) for row in content[name]])
            for name in ("draws", *_QUANTILES)
        }
        return cls(
            game=BurdenSharingGame.from_dict({**content["game"], "provenance": made}),
            plan=Plan(**content["plan"]),
            priors=dict(content["priors"]),
            method=content["method"],
            replicates=int(content["replicates"]),
            seed=int(content["seed"]),
            codes=np.array(content["codes"], dtype=np.int64),
            gains_usd_bn=numbers(content["gains_usd_bn"]),
            levels=tuple(content["levels"]),
            **arrays,
            recalibrated=content["recalibrated"],
            worst_regret=float(content["worst_regret"]),
            not_certified=int(content["not_certified"]),
            reasons={str(why): int(count) for why, count in content["reasons"].items()},
        )


_QUANTILES = ("gain_quantiles", "gain_errors", "burden_quantiles", "burden_errors")


def uncertainty(
    game: BurdenSharingGame,
    priors: Mapping[str, Any],
    plan: Plan,
    n: int = 4096,
    *,
    method: str = "sobol",
    recalibrate: bool = False,
    replicates: int = 16,
    seed: int = 0,
    progress: Progress | None = None,
) -> Uncertainty:
    """Draw parameters from independent priors, and compare `plan` with A at each draw.

    `priors` maps keys ("decay", "decay[DEU]", "return_spillin", "threat", ...) to (low, high) for a
    uniform distribution or to any frozen distribution of scipy.stats. `n` draws are made by `method`
    ("sobol", "latin-hypercube" or "monte-carlo"), in `replicates` independent sets (8 at least):
    quasi-random draws are not independent of each other, but their sets are, and standard errors
    come from how these differ. Those of quantiles need 64 draws in each set, n >= 64 * replicates, and
    are nan otherwise. With Sobol points n must be replicates times a power of two.

    With `recalibrate` the weights that the model calibrates are found anew for every draw, so that A
    stays the alliance that was observed; otherwise A moves with the draws. Draws that no game can
    have (a negative decay, say), or that have no equilibrium, are counted as "no answer": they are
    part of the probabilities, and no part of quantiles. Nothing is redrawn.

    The same seed gives the same result. `progress` is called with the number of equilibria solved.

    Raises `UnknownNameError` and `InvalidValueError`, never for a draw.

    >>> import alliancegame as ag
    >>> found = ag.uncertainty(
    ...     ag.load_model("three-allies"), {"decay": (0.2, 0.6)}, ag.Plan(threat=0.5), n=128
    ... )
    >>> found.replicates, found.failed
    (16, 0)
    """
    if not isinstance(plan, Plan):
        raise InvalidValueError(f"uncertainty needs a Plan, got {plan!r}.")
    check_draws(method, n, replicates)
    if n > MOST_DRAWS:
        raise InvalidValueError(f"n must be at most {MOST_DRAWS:,}, got {n:,}.")
    start = checked_seed(seed)
    believed = checked_priors(game, plan, priors, "uncertainty")
    keys = list(believed)
    draws = draw(believed, method, n, replicates, start)
    refit = refit_for(game) if recalibrate else None
    solve = Evaluator(
        game, plan, keys, solve="compare", outputs=_OUTPUTS, refit=refit, progress=progress
    )
    found = solve(draws)
    good = answered(found)
    gains = _member_gains(game, keys, draws, found.values["payoff"], refit)
    burdens = found.values["burden"]
    return Uncertainty(
        game,
        plan,
        {key: in_words(prior) for key, prior in believed.items()},
        method,
        int(replicates),
        start,
        draws,
        found.values["outcome"].astype(np.int64),
        found.values["gain_usd_bn"],
        LEVELS,
        *_quantiles(gains, replicates),
        *_quantiles(burdens, replicates),
        "" if refit is None else refit.free,
        float(found.values["regret"][good].max()) if good.any() else math.nan,
        int(np.sum(found.values["verdict"][good] != 2)),
        reason_counts(found),
    )


def _member_gains(
    game: BurdenSharingGame, keys: Sequence[str], draws: Array, payoffs: Array, refit: Refit | None
) -> Array:
    """Every member's gain over A, bn US$ a year, shape (draw, member); nan without an answer."""
    parsed = [parse_key(game, key) for key in keys]
    own = [j for j, key in enumerate(parsed) if not key.of_plan]
    quiet = Evaluator(
        game,
        Plan(),
        [*(keys[j] for j in own), "threat"],
        solve="nash",
        outputs=("payoff", "burden"),
        refit=refit,
    )
    base = quiet(np.column_stack([draws[:, own], np.zeros(len(draws))])).values
    columns = {parsed[j]: draws[:, j] for j in own}
    gdp = Scenarios(game, Plan(), columns, np.arange(len(draws))).field("gdp")
    gain = payoffs - base["payoff"]
    share = np.expm1(gain) * (1 - base["burden"]) if game.consumption == "log" else gain
    return np.asarray(share * gdp)


def _quantiles(values: Array, replicates: int) -> tuple[Array, Array]:
    """Quantiles of shape (level, member) over the rows that are known, and their standard errors.

    The extreme quantiles of a small set are biased inwards and vary too little: no errors then.
    """
    sets = values.reshape(replicates, -1, values.shape[1])
    each = np.stack([_known_quantiles(part) for part in sets])
    if sets.shape[1] < LEAST_FOR_QUANTILES:
        each = np.full_like(each, np.nan)
    return _known_quantiles(values), np.apply_along_axis(_standard_error, 0, each)


def _known_quantiles(values: Array) -> Array:
    known = values[np.isfinite(values).all(axis=1)]
    if not len(known):
        return np.full((len(LEVELS), values.shape[1]), np.nan)
    return np.asarray(np.quantile(known, LEVELS, axis=0))


def _standard_error(by_set: Array) -> float:
    """The standard error of a mean over independent sets; nan for fewer than two."""
    known = by_set[np.isfinite(by_set)]
    return float(known.std(ddof=1) / math.sqrt(known.size)) if known.size > 1 else math.nan


def _or_nan(statistic: Any, values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(statistic(known)) if known.size else math.nan
