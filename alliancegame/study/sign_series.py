"""Signs: what a plan does to the leader's payoff along ranges of parameters; made by `gain_signs`."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import unknown_name
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve.result import Result, numbers, provenance

if TYPE_CHECKING:
    import pandas as pd

GAIN, LOSS, NOTHING, NO_ANSWER = "gain", "loss", "nothing", "no answer"
SIGNS = (GAIN, NOTHING, LOSS, NO_ANSWER)
"""What a plan does to the leader's payoff at one value of a parameter."""


@dataclasses.dataclass(frozen=True)
class Axis:
    """One parameter to vary: key, symbol, words, unit, the game's own value and the values tried.

    `relative` says that the values are multiples of the game's own (several members, one factor);
    `moves_status_quo` that the parameter changes the alliance without pressure.
    """

    key: str
    symbol: str
    words: str
    unit: str
    base: float
    values: tuple[float, ...]
    relative: bool
    moves_status_quo: bool

    def show(self, value: float) -> str:
        """A value of this axis as text, three digits: `"0.4"`, `"5 %"`, `"× 1.09"`."""
        if self.relative:
            return f"× {value:.3g}"
        return f"{100 * value:.3g} %" if self.key == "demand" else f"{value:.3g}"


@dataclasses.dataclass(frozen=True, eq=False)
class SignSeries:
    """The gain of one plan along one axis.

    Arrays have shape (values,): `gains` the leader's payoff difference to A (nan: no answer),
    `usd_bn` its worth in bn US$ a year, `threats` the uniform threat at each value (nan for one by
    ally). `signs` are of SIGNS, `reasons` say why a value has no answer. `intervals` are (low, high,
    sign), their ends closed in on. `recalibrated` is None where A does not depend on the parameter.
    """

    plan: str
    axis: Axis
    recalibrated: bool | None
    gains: Array
    usd_bn: Array
    threats: Array
    signs: tuple[str, ...]
    reasons: tuple[str, ...]
    intervals: tuple[tuple[float, float, str], ...]

    @property
    def values(self) -> Array:
        """The values tried, shape (values,)."""
        return np.array(self.axis.values)

    @property
    def firm(self) -> bool:
        """Whether the sign is the same at every value that has an answer."""
        return len({sign for sign in self.signs if sign != NO_ANSWER}) <= 1

    def at_base(self) -> str:
        """The sign at the game's own value."""
        return self.signs[self.axis.values.index(self.axis.base)]

    def weights(self) -> str:
        """What was done with the security weights, in words."""
        if self.recalibrated is None:
            return "not touched: A does not depend on it"
        return "refitted: A stays as it is" if self.recalibrated else "as they are: A moves"

    def statement(self) -> str:
        """The sign along the axis in words: `"gain below 0.39, loss above 0.39"`."""
        if set(self.signs) == {NO_ANSWER}:
            return f"no answer: {self.reasons[0]}"
        if len(self.intervals) == 1:
            return f"{self.intervals[0][2]} at all {len(self.signs)} values"
        show = self.axis.show
        (_, first, sign), *middle, (last, _, end) = self.intervals
        texts = [f"{sign} below {show(first)}"]
        texts += [f"{sign} from {show(low)} to {show(high)}" for low, high, sign in middle]
        return ", ".join([*texts, f"{end} above {show(last)}"])

    @property
    def turns(self) -> tuple[float, ...]:
        """Where the gain changes its sign."""
        pairs = itertools.pairwise(self.intervals)
        return tuple(a[1] for a, b in pairs if NO_ANSWER not in (a[2], b[2]))


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Signs(Result):
    """The signs of several plans' gains along several axes; a sequence of SignSeries.

    `left_out` says by key why an axis was not varied.
    """

    kind: ClassVar[str] = "signs"

    game: BurdenSharingGame
    plans: Mapping[str, Plan]
    series: tuple[SignSeries, ...]
    left_out: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.series)

    def __iter__(self) -> Iterator[SignSeries]:
        return iter(self.series)

    def __getitem__(self, index: int) -> SignSeries:
        return self.series[index]

    def of(self, plan: str) -> tuple[SignSeries, ...]:
        """The series of one plan. Raises `UnknownNameError`."""
        known = list(dict.fromkeys(series.plan for series in self.series))
        if plan not in known:
            raise unknown_name("plan", plan, known)
        return tuple(series for series in self.series if series.plan == plan)

    def headline(self) -> str:
        """One line that says what was found."""
        firm = sum(series.firm for series in self.series)
        return f"{len(self)} series of the leader's gain, {firm} with one sign throughout"

    def summary(self) -> pd.DataFrame:
        """One row a series: the range, what was done with the weights, and the sign in words."""
        import pandas as pd

        rows = [
            {
                "plan": s.plan,
                "parameter": s.axis.key,
                "words": s.axis.words,
                "unit": s.axis.unit,
                "base": s.axis.base,
                "low": s.axis.values[0],
                "high": s.axis.values[-1],
                "security_weights": s.weights(),
                "sign_at_base": s.at_base(),
                "sign": s.statement(),
                "lowest_usd_bn": _extreme(s.usd_bn, np.min),
                "highest_usd_bn": _extreme(s.usd_bn, np.max),
            }
            for s in self.series
        ]
        return pd.DataFrame(rows)

    def to_frame(self) -> pd.DataFrame:
        """Every value of every series, a row each."""
        import pandas as pd

        frames = [
            pd.DataFrame(
                {
                    "plan": s.plan,
                    "parameter": s.axis.key,
                    "security_weights": s.weights(),
                    "value": s.values,
                    "threat": s.threats,
                    "gain": s.gains,
                    "usd_bn": s.usd_bn,
                    "sign": s.signs,
                    "reason": s.reasons,
                }
            )
            for s in self.series
        ]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "plans": {label: plan.to_dict() for label, plan in self.plans.items()},
            "series": [
                {
                    **{f.name: getattr(s, f.name) for f in dataclasses.fields(s)},
                    "axis": dataclasses.asdict(s.axis),
                }
                for s in self.series
            ],
            "left_out": dict(self.left_out),
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the signs from their plain values."""
        described = {**content["game"], "provenance": content["provenance"].get("game", {})}
        return cls(
            BurdenSharingGame.from_dict(described),
            {label: Plan(**plan) for label, plan in content["plans"].items()},
            tuple(_series_from(item) for item in content["series"]),
            dict(content["left_out"]),
        )


def _extreme(values: Array, pick: Any) -> float:
    finite = values[np.isfinite(values)]
    return float(pick(finite)) if finite.size else math.nan


def _series_from(item: Mapping[str, Any]) -> SignSeries:
    axis = Axis(**{**item["axis"], "values": tuple(float(v) for v in item["axis"]["values"])})
    return SignSeries(
        item["plan"],
        axis,
        item["recalibrated"],
        numbers(item["gains"]),
        numbers(item["usd_bn"]),
        numbers(item["threats"]),
        tuple(item["signs"]),
        tuple(item["reasons"]),
        tuple((float(a), float(b), str(sign)) for a, b, sign in item["intervals"]),
    )
