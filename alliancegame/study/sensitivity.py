"""Sensitivity: which parameters the spread of an answer comes from (Sobol indices)."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import InvalidValueError, MissingExtraError, unknown_name
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array, as_number
from alliancegame.game.plan import Plan
from alliancegame.solve.result import Result, numbers, provenance
from alliancegame.study.cells import OUTPUTS, SOLVES
from alliancegame.study.evaluate import Evaluator, Progress, reason_counts
from alliancegame.study.priors import checked_priors, checked_seed, in_words, values_at
from alliancegame.study.refit import refit_for

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Indices", "Sensitivity", "global_sensitivity", "sobol_indices"]

MOST_EVALUATIONS = 2_000_000

_MEMBER_OUTPUT = re.compile(r"([a-z_]+)\[(.+)\]")
_INDICES = ("first", "first_error", "total", "total_error")


@dataclasses.dataclass(frozen=True, eq=False)
class Indices:
    """Sobol indices, arrays of shape (key,); `second` and its errors (key, key), nan off the upper part.

    Errors are half the widths of confidence intervals. `missing` answers of `evaluations` were
    replaced by `mean`, the mean of the others; `deviation` is the standard deviation after that.
    """

    first: Array
    first_error: Array
    total: Array
    total_error: Array
    second: Array | None
    second_error: Array | None
    mean: float
    deviation: float
    evaluations: int
    missing: int


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Sensitivity(Result):
    """Where the variance of an output comes from.

    By key, arrays of shape (key,): `first`, the share of the variance that goes if the parameter is
    known, and `total`, the share that stays if everything else is known (interactions included);
    `first_error` and `total_error` are half the widths of their confidence intervals at `level`.
    `second` and `second_error`, shape (key, key) above the diagonal, are the interactions of pairs,
    None unless asked for. `missing` of `evaluations` had no value of the output and were given
    `mean`, that of the others; `reasons` says why. `deviation` is the output's standard deviation.
    """

    kind: ClassVar[str] = "sensitivity"

    game: BurdenSharingGame
    plan: Plan
    priors: Mapping[str, str]
    output: str
    unit: str
    n: int
    seed: int
    level: float
    recalibrated: str
    first: Array
    first_error: Array
    total: Array
    total_error: Array
    second: Array | None
    second_error: Array | None
    mean: float
    deviation: float
    evaluations: int
    missing: int
    reasons: Mapping[str, int]

    @property
    def keys(self) -> tuple[str, ...]:
        """The parameters, in the order of the arrays."""
        return tuple(self.priors)

    def headline(self) -> str:
        """One line that says what was found."""
        order = np.argsort(-self.total, kind="stable")
        found = ", ".join(f"{self.keys[j]} {self.total[j]:.2f}" for j in order[:4])
        more = ", ..." if len(order) > 4 else ""
        missing = f"; {self.missing} of {self.evaluations} without a value" if self.missing else ""
        return f"total Sobol indices of {self.output} under {self.plan.describe()}: {found}{more}{missing}"

    def to_frame(self) -> pd.DataFrame:
        """A row for each parameter: first, first_error, total, total_error."""
        import pandas as pd

        index = pd.Index(self.keys, name="parameter")
        return pd.DataFrame({name: getattr(self, name) for name in _INDICES}, index=index)

    def pairs(self) -> pd.DataFrame:
        """A row for each pair of parameters: second and second_error. Raises if not asked for."""
        import pandas as pd

        if self.second is None or self.second_error is None:
            raise InvalidValueError(
                "interactions of pairs need global_sensitivity(second_order=True)."
            )
        i, j = np.triu_indices(len(self.keys), 1)
        index = pd.MultiIndex.from_tuples(
            [(self.keys[a], self.keys[b]) for a, b in zip(i, j, strict=True)]
        )
        columns = {"second": self.second[i, j], "second_error": self.second_error[i, j]}
        return pd.DataFrame(columns, index=index)

    def _content(self) -> dict[str, Any]:
        plain = (
            "output", "unit", "n", "seed", "level", "recalibrated", "mean", "deviation", "evaluations",
            "missing",
        )  # fmt: skip
        return {
            "game": self.game.to_dict(),
            "plan": self.plan.to_dict(),
            "priors": dict(self.priors),
            **{name: getattr(self, name) for name in plain},
            **{name: getattr(self, name).tolist() for name in _INDICES},
            "second": None if self.second is None else self.second.tolist(),
            "second_error": None if self.second_error is None else self.second_error.tolist(),
            "reasons": dict(self.reasons),
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""

        def square(name: str) -> Array | None:
            rows = content[name]
            return None if rows is None else np.array([numbers(row) for row in rows])

        made = content["provenance"].get("game", {})
        arrays: dict[str, Any] = {name: numbers(content[name]) for name in _INDICES}
        return cls(
            game=BurdenSharingGame.from_dict({**content["game"], "provenance": made}),
            plan=Plan(**content["plan"]),
            priors=dict(content["priors"]),
            output=content["output"],
            unit=content["unit"],
            n=int(content["n"]),
            seed=int(content["seed"]),
            level=float(content["level"]),
            recalibrated=content["recalibrated"],
            **arrays,
            second=square("second"),
            second_error=square("second_error"),
            mean=float(content["mean"]),
            deviation=float(content["deviation"]),
            evaluations=int(content["evaluations"]),
            missing=int(content["missing"]),
            reasons={str(why): int(count) for why, count in content["reasons"].items()},
        )


def global_sensitivity(
    game: BurdenSharingGame,
    ranges: Mapping[str, Any],
    plan: Plan,
    output: str = "gain_usd_bn",
    n: int = 1024,
    *,
    solve: str = "compare",
    second_order: bool = False,
    recalibrate: bool = False,
    max_missing: float = 0.05,
    level: float = 0.95,
    resamples: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
) -> Sensitivity:
    """Sobol indices of an output over independent parameters, through SALib.

    `ranges` maps keys to (low, high) or to frozen distributions of scipy.stats. `output` is any
    number that `solve` gives (`alliancegame.study.cells.OUTPUTS`), or one member's: "burden[DEU]".
    `n` is a power of two; n (d + 2) points are solved for d keys, n (2 d + 2) with `second_order`.

    The design needs an answer at every point. Points without one (no game, no equilibrium, no value
    of the output) get the mean of the others, and are counted: the indices are then those of the
    output so completed. More than a share `max_missing` of them is refused. Intervals at `level` are
    1.96 (at 95 %) standard deviations of `resamples` bootstrap resamples.

    Sources: Saltelli et al. 2010 (first and total order), Saltelli 2002 (pairs).

    Raises `MissingExtraError` without SALib, `UnknownNameError`, `InvalidValueError`.
    """
    if not isinstance(plan, Plan):
        raise InvalidValueError(f"global_sensitivity needs a Plan, got {plan!r}.")
    priors = checked_priors(game, plan, ranges, "global_sensitivity")
    name, member = _output(game, solve, output)
    refit = refit_for(game) if recalibrate else None
    solver = Evaluator(
        game, plan, list(priors), solve=solve, outputs=(name,), refit=refit, progress=progress
    )
    reasons: dict[str, int] = {}

    def model(units: Array) -> Array:
        solved = solver(values_at(priors, units))
        values = solved.values[name].astype(np.float64)
        values = values if member is None else values[:, member]
        reasons.update(reason_counts(solved))
        blank = int(np.sum(~np.isfinite(values))) - sum(reasons.values())
        if blank:
            reasons[f"{output} has no finite value"] = blank
        return values

    found = sobol_indices(
        model, list(priors), n, second_order=second_order, max_missing=max_missing, level=level,
        resamples=resamples, seed=seed, reasons=reasons, what=output,
    )  # fmt: skip
    return Sensitivity(
        game,
        plan,
        {key: in_words(prior) for key, prior in priors.items()},
        output,
        OUTPUTS[name].unit,
        int(n),
        int(seed),
        float(level),
        "" if refit is None else refit.free,
        found.first,
        found.first_error,
        found.total,
        found.total_error,
        found.second,
        found.second_error,
        found.mean,
        found.deviation,
        found.evaluations,
        found.missing,
        reasons,
    )


def sobol_indices(
    model: Callable[[Array], Array],
    names: list[str],
    n: int,
    *,
    second_order: bool = False,
    max_missing: float = 0.05,
    level: float = 0.95,
    resamples: int = 200,
    seed: int = 0,
    reasons: Mapping[str, int] | None = None,
    what: str = "the output",
) -> Indices:
    """Sobol indices of a function of points of the unit cube, shape (point, name) to (point,).

    Values that are not finite are missing. Raises as `global_sensitivity`, whose engine this is.
    """
    sample, analyze = _salib()
    start = checked_seed(seed)
    _check_size(n, len(names), second_order)
    _check_shares(max_missing, level, resamples)
    problem = {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}
    # SALib takes a seed of 0 for none; a generator is always taken.
    first, second = (np.random.default_rng(c) for c in np.random.SeedSequence(start).spawn(2))
    values = model(sample.sample(problem, n, calc_second_order=second_order, seed=first))
    known = np.isfinite(values)
    missing = int(np.sum(~known))
    if missing > max_missing * values.size:
        why = "; ".join(f"{text} ({count})" for text, count in (reasons or {}).items())
        raise InvalidValueError(
            f"{missing} of {values.size} points have no value of {what}, more than max_missing = "
            f"{max_missing:.0%}: narrow the ranges, or accept more. {why}"
        )
    mean = float(values[known].mean())
    filled = np.where(known, values, mean)
    deviation = float(filled.std())
    if not deviation > 1e-12 * max(abs(mean), 1e-300):
        raise InvalidValueError(
            f"{what} is {mean:g} at every point: it does not depend on {', '.join(names)}, and a "
            "variance of zero has no shares."
        )
    found = analyze.analyze(
        problem, filled, calc_second_order=second_order, num_resamples=resamples, conf_level=level,
        seed=second,
    )  # fmt: skip
    return Indices(
        np.array(found["S1"]),
        np.array(found["S1_conf"]),
        np.array(found["ST"]),
        np.array(found["ST_conf"]),
        np.array(found["S2"]) if second_order else None,
        np.array(found["S2_conf"]) if second_order else None,
        mean,
        deviation,
        values.size,
        missing,
    )


def _salib() -> tuple[Any, Any]:
    try:
        from SALib.analyze import sobol as analyze
        from SALib.sample import sobol as sample
    except ImportError as error:
        raise MissingExtraError(
            "global_sensitivity needs SALib, which is not installed: "
            "pip install '.[sensitivity]' in the project's folder, or pip install SALib."
        ) from error
    return sample, analyze


def _output(game: BurdenSharingGame, solve: str, text: Any) -> tuple[str, int | None]:
    """An output's name, and the position of the member meant."""
    if solve not in SOLVES:
        raise unknown_name("solve", solve, SOLVES)
    match = _MEMBER_OUTPUT.fullmatch(text) if isinstance(text, str) else None
    name, member = match.groups() if match else (text, None)
    known = [out.name for out in OUTPUTS.values() if solve in out.solves and out.codes is None]
    if name not in known:
        codes = name in OUTPUTS and OUTPUTS[name].codes is not None
        hint = " (a name, which has no variance)" if codes else ""
        raise unknown_name("output", text, known, f" of solve={solve!r}{hint}")
    if OUTPUTS[name].dims and member is None:
        raise InvalidValueError(
            f'{name} has a value by member: name one, as in "{name}[{game.allies[0]}]".'
        )
    if member is not None and not OUTPUTS[name].dims:
        raise InvalidValueError(f"{name} has no value by member: write {name!r}, not {text!r}.")
    return name, None if member is None else game.members.index_of(member)


def _check_size(n: Any, keys: int, second_order: bool) -> None:
    whole = isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n > 1
    if not whole or n & (n - 1):
        near = 2 ** max(round(math.log2(n)), 1) if whole else 1024
        raise InvalidValueError(f"n must be a power of two, such as {near}; got {n!r}.")
    points = int(n) * (keys * (2 if second_order else 1) + 2)
    if points > MOST_EVALUATIONS:
        raise InvalidValueError(
            f"n = {n} with {keys} parameters needs {points:,} points, more than {MOST_EVALUATIONS:,}."
        )


def _check_shares(max_missing: Any, level: Any, resamples: Any) -> None:
    if not 0 <= as_number(max_missing, "max_missing") < 1:
        raise InvalidValueError(
            f"max_missing is a share and must be in [0, 1), got {max_missing:g}."
        )
    if not 0 < as_number(level, "level") < 1:
        raise InvalidValueError(f"level must be in (0, 1), such as 0.95, got {level:g}.")
    if not isinstance(resamples, int) or resamples < 10:
        raise InvalidValueError(f"resamples must be a whole number from 10, got {resamples!r}.")
