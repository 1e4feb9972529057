"""What polls say about the law of trust: one blow, and how much of it is won back.

Opinion is not elite reliance: the shares are of people who have confidence in the president of the
United States, or a favourable view of the country. A government may rely on an ally whose leader its
public dislikes, and the other way round. The estimates give orders of magnitude, no more.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import InvalidValueError, unknown_name
from alliancegame.game.checks import check_whole, shown
from alliancegame.game.parameters import Array, as_number
from alliancegame.solve.result import Result

if TYPE_CHECKING:
    import pandas as pd

MEASURES = {
    "personal": "confidence_us_president_pct",
    "institutional": "favorable_us_pct",
}
"""Which series stands for which component: confidence in the person, views of the country."""
CALM = (2013, 2016)
BLOW = (2017, 2019)
"""The years of the blow and of the recovery under the same leader; 2020 is left out (the pandemic)."""
TURNOVER = (2020, 2021)
QUANTITIES = ("impact", "recovery", "rebound")
NOT_IDENTIFIED = ("institutional_share", "curvature", "contagion", "scarring", "turnover")
"""Parameters of the law about which these data say nothing: no series shows reliance as a whole, and
there is one blow, which hit every country at once, and one change of leader."""
CAVEAT = (
    "Opinion is not elite reliance: shares of people, not what governments count on. One change of "
    "leader, one blow whose strength is taken as a full threat, and levels of 2013 to 2016 taken as "
    "the ceiling."
)


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A number with its interval: `value`, `low`, `high` (of the stated coverage), and its data.

    `countries` and `points` are how many countries and shares it rests on.
    """

    value: float
    low: float
    high: float
    countries: int
    points: int

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}] ({self.countries} countries)"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class TrustFit(Result):
    """The law of trust as opinion has it, by component ("personal", "institutional") and quantity.

    `impact` is what the blow of 2017 destroyed, in log points: comparable with `decay`, if the blow was
    a full threat. `recovery` is the share of the gap to the ceiling won back per year under the
    same leader (negative if the gap grew). `rebound` is the share won back in the year in which the
    leader changed. Intervals come from resampling countries. `not_identified` names what no share says.
    """

    kind: ClassVar[str] = "trust fit"

    estimates: Mapping[str, Mapping[str, Estimate]]
    countries: tuple[str, ...]
    coverage: float
    draws: int
    seed: int

    @property
    def not_identified(self) -> tuple[str, ...]:
        """Parameters of the law about which the shares say nothing, institutional_share before all."""
        return NOT_IDENTIFIED

    @property
    def decay_range(self) -> tuple[float, float]:
        """From the smaller component's impact to the larger one's: a measured range for `decay`."""
        found = [rows["impact"].value for rows in self.estimates.values()]
        return min(found), max(found)

    def law(self) -> dict[str, float]:
        """The two recovery speeds as parameters of a game, cut to [0, 1]."""
        speeds = {
            "recovery": self.estimates["institutional"]["recovery"].value,
            "personal_recovery": self.estimates["personal"]["recovery"].value,
        }
        return {name: min(max(value, 0.0), 1.0) for name, value in speeds.items()}

    def headline(self) -> str:
        """One line that says what was found, and what it is not."""
        low, high = self.decay_range
        return (
            f"impact between {low:.2f} (views of the country) and {high:.2f} (confidence in the "
            f"president) log points in {len(self.countries)} countries. {CAVEAT}"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row for each component and quantity."""
        import pandas as pd

        rows = [
            {"component": component, "quantity": quantity, **dataclasses.asdict(estimate)}
            for component, found in self.estimates.items()
            for quantity, estimate in found.items()
        ]
        return pd.DataFrame(rows).set_index(["component", "quantity"])

    def _content(self) -> dict[str, Any]:
        return {
            "estimates": {
                component: {name: dataclasses.asdict(e) for name, e in found.items()}
                for component, found in self.estimates.items()
            },
            "countries": list(self.countries),
            "coverage": self.coverage,
            "draws": self.draws,
            "seed": self.seed,
            "caveat": CAVEAT,
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        estimates = {
            component: {
                name: Estimate(
                    float(e["value"]),
                    float(e["low"]),
                    float(e["high"]),
                    e["countries"],
                    e["points"],
                )
                for name, e in found.items()
            }
            for component, found in content["estimates"].items()
        }
        return cls(
            estimates, tuple(content["countries"]), float(content["coverage"]), content["draws"],
            content["seed"],
        )  # fmt: skip


Shares = dict[str, dict[int, float]]
"""Per cent by country and year."""


def fit_trust_law(
    data: str | PathLike[str] | None = None,
    *,
    countries: Sequence[str] | None = None,
    coverage: float = 0.9,
    draws: int = 2000,
    seed: int = 0,
) -> TrustFit:
    """Fit impact and the two recovery speeds to shares of people by country and year.

    With y_it the share and c_i its mean over 2013 to 2016, the model is y_it / c_i = 1 - (1 -
    exp(-impact)) (1 - recovery)^(t - 2017) for 2017 to 2019: one blow, then the law's recovery under
    the same leader. Least squares over all countries, each share once. The rebound is the share of the
    gap of 2020 that was gone in 2021. Intervals are percentiles over `draws` resamples of countries.

    `data` is a CSV file with the columns iso3, year, measure, percent (the shipped one by default).
    Opinion is not elite reliance.

    Raises `InvalidValueError`, `UnknownNameError` for a country without data.
    """
    if not 0 < as_number(coverage, "coverage") < 1:
        raise InvalidValueError(f"coverage must be in (0, 1), got {coverage:g}.")
    check_whole(draws, "draws", 100)
    check_whole(seed, "seed", 0)
    if data is not None and not isinstance(data, (str, PathLike)):
        raise InvalidValueError(f"data must be the path of a CSV file, got {shown(data)}.")
    if countries is not None and (isinstance(countries, str) or not hasattr(countries, "__len__")):
        raise InvalidValueError(
            f'countries must be a list of codes such as ["DEU", "FRA"], got {shown(countries)}.'
        )
    series = _read(data)
    known = sorted(set().union(*series.values()))
    chosen = known if countries is None else list(countries)
    for country in chosen:
        if country not in known:
            raise unknown_name("country", country, known)
    rng = np.random.default_rng(seed)
    estimates = {
        component: _estimates(
            {k: v for k, v in series[component].items() if k in chosen}, coverage, draws, rng
        )
        for component in MEASURES
    }
    return TrustFit(estimates, tuple(chosen), coverage, draws, seed)


def _read(data: str | PathLike[str] | None) -> dict[str, Shares]:
    from alliancegame.library import models_folder

    path = models_folder() / "data" / "us_confidence.csv" if data is None else Path(data)
    found: dict[str, Shares] = {component: {} for component in MEASURES}
    component_of = {measure: component for component, measure in MEASURES.items()}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                component = component_of.get(row["measure"])
                if component is not None:
                    by_year = found[component].setdefault(row["iso3"], {})
                    by_year[int(row["year"])] = float(row["percent"])
    except (OSError, KeyError, ValueError) as error:
        raise InvalidValueError(
            f"{path.name} cannot be read as shares with columns iso3, year, measure, percent: {error}."
        ) from error
    return found


def _relative(shares: Shares) -> dict[str, dict[int, float]]:
    """Shares over each country's mean of the calm years, for countries that have one."""
    found = {}
    for country, by_year in shares.items():
        calm = [v for year, v in by_year.items() if CALM[0] <= year <= CALM[1]]
        if calm:
            ceiling = sum(calm) / len(calm)
            found[country] = {year: v / ceiling for year, v in by_year.items()}
    return found


def _estimates(
    shares: Shares, coverage: float, draws: int, rng: np.random.Generator
) -> dict[str, Estimate]:
    relative = _relative(shares)
    blown = {
        country: [(year - BLOW[0], v) for year, v in by_year.items() if BLOW[0] <= year <= BLOW[1]]
        for country, by_year in relative.items()
    }
    blown = {country: points for country, points in blown.items() if points}
    turned = {
        country: (1 - by_year[TURNOVER[0]], 1 - by_year[TURNOVER[1]])
        for country, by_year in relative.items()
        if all(year in by_year for year in TURNOVER)
    }
    if len(blown) < 2 or not any(k for points in blown.values() for k, _ in points):
        raise InvalidValueError(
            "too few countries with shares in 2013 to 2016 and 2017 to 2019 to fit impact and recovery: "
            "name more countries."
        )
    lists = list(blown.values())
    sets = rng.integers(len(lists), size=(draws, len(lists)))
    by_country = np.array([_sums(points) for points in lists])
    best = _fitted(by_country.sum(axis=0, keepdims=True))
    drawn = _fitted(by_country[sets].sum(axis=1))
    points = sum(map(len, lists))
    found = {
        name: _interval(best[k][0], drawn[k], coverage, len(lists), points)
        for k, name in enumerate(("impact", "recovery"))
    }
    if turned:
        gaps = np.array(list(turned.values()))
        sets = rng.integers(len(gaps), size=(draws, len(gaps)))
        sums = gaps[sets].sum(axis=1)
        total = gaps.sum(axis=0)
        found["rebound"] = _interval(
            float(1 - total[1] / total[0]),
            1 - sums[:, 1] / sums[:, 0],
            coverage,
            len(gaps),
            gaps.size,
        )
    return found


def _sums(points: Sequence[tuple[int, float]]) -> Array:
    """All that the fit needs to know of points (k, share): by k, their number and the sum of gaps."""
    found = np.zeros((BLOW[1] - BLOW[0] + 1, 2))
    for k, share in points:
        found[k] += 1.0, 1.0 - share
    return found


def _fitted(sums: Array) -> tuple[Array, Array]:
    """Least squares of gap_k = g s^k in many samples (sample, k, 2): impact -ln(1 - g), recovery 1 - s.

    Given s the best g is a ratio, so that one variable is searched: on a grid, then by halving its
    neighbourhood. Recovery is nan in samples without a later year.
    """
    count, gaps = sums[..., 0], sums[..., 1]
    power = np.arange(sums.shape[1])

    def first_and_fit(s: Array) -> tuple[Array, Array]:
        """G and what it explains of the gaps' squares, each (sample, point) for s (sample, point)."""
        weight = s[..., None] ** power
        cross = np.einsum("ik,ipk->ip", gaps, weight)
        square = np.einsum("ik,ipk->ip", count, weight**2)
        return cross / square, cross**2 / square

    low, high = 0.0, 2.0
    centre, span = np.full(len(sums), 0.5 * (low + high)), 0.5 * (high - low)
    steps = np.linspace(-1.0, 1.0, 41)
    while span > 1e-9:
        tried = np.clip(centre[:, None] + span * steps, low, high)
        centre = tried[np.arange(len(sums)), first_and_fit(tried)[1].argmax(axis=1)]
        span *= 0.1
    later = count[:, 1:].any(axis=1)
    s = np.where(later, centre, 1.0)
    g = first_and_fit(s[:, None])[0][:, 0]
    return -np.log(np.maximum(1 - g, 1e-9)), np.where(later, 1 - s, np.nan)


def _interval(value: float, drawn: Array, coverage: float, countries: int, points: int) -> Estimate:
    tail = 50 * (1 - coverage)
    low, high = np.nanpercentile(drawn, [tail, 100 - tail])
    return Estimate(float(value), float(low), float(high), countries, points)
