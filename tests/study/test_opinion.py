"""The law of trust from opinion: planted parameters come back; the shipped shares; bad input."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import InvalidValueError, UnknownNameError
from alliancegame.study.opinion import MEASURES


def planted(path, impact: dict[str, float], recovery: float, rebound: float, noise: float) -> None:
    rng = np.random.default_rng(5)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["iso3", "year", "measure", "percent"])
        for component, measure in MEASURES.items():
            for i in range(30):
                ceiling = 50 + i
                gap = 1 - math.exp(-impact[component])
                for year in range(2013, 2022):
                    share = 1.0
                    if 2017 <= year <= 2020:
                        share = 1 - gap * (1 - recovery) ** (year - 2017)
                    if year == 2021:
                        share = 1 - gap * (1 - recovery) ** 3 * (1 - rebound)
                    shown = ceiling * (share + noise * rng.normal())
                    out.writerow([f"C{i:02d}", year, measure, shown])


def test_planted_parameters_come_back(tmp_path) -> None:
    impact = {"personal": 0.9, "institutional": 0.3}
    planted(tmp_path / "exact.csv", impact, 0.15, 0.8, 0.0)
    found = ag.fit_trust_law(tmp_path / "exact.csv", draws=100)
    for component, rows in found.estimates.items():
        assert rows["impact"].value == pytest.approx(impact[component], abs=1e-6)
        assert rows["recovery"].value == pytest.approx(0.15, abs=1e-6)
        assert rows["rebound"].value == pytest.approx(0.8, abs=1e-9)
    planted(tmp_path / "noisy.csv", impact, 0.15, 0.8, 0.02)
    noisy = ag.fit_trust_law(tmp_path / "noisy.csv", draws=400)
    for component, rows in noisy.estimates.items():
        assert rows["impact"].low < impact[component] < rows["impact"].high
        assert rows["impact"].high - rows["impact"].low < 0.1


def test_shipped_shares() -> None:
    found = ag.fit_trust_law(draws=400)
    low, high = found.decay_range
    assert low < 0.4 < high  # The flagship's assumed decay lies between.
    personal, country = found.estimates["personal"], found.estimates["institutional"]
    assert personal["impact"].low > country["impact"].high
    assert personal["rebound"].low > 0.5  # Opinion came back within a year of the change.
    assert "not elite reliance" in found.headline()
    again = ag.fit_trust_law(draws=400)
    assert again.to_frame().equals(found.to_frame())
    law = found.law()
    game = ag.load_model("nato-2024").replace(**law)
    assert game.recovery == law["recovery"]


def test_a_subset_and_round_trip(tmp_path) -> None:
    some = ["DEU", "FRA", "GBR", "ITA", "ESP", "CAN", "JPN", "AUS"]
    found = ag.fit_trust_law(countries=some, draws=200)
    assert found.estimates["personal"]["impact"].countries == 8
    found.to_json(tmp_path / "f.json")
    assert ag.load_result(tmp_path / "f.json").to_frame().equals(found.to_frame())


def test_bad_input(tmp_path) -> None:
    with pytest.raises(UnknownNameError, match="DEU"):
        ag.fit_trust_law(countries=["DUE"])
    with pytest.raises(InvalidValueError, match="too few"):
        ag.fit_trust_law(countries=["BEL"])
    with pytest.raises(InvalidValueError, match="coverage"):
        ag.fit_trust_law(coverage=1.0)
    with pytest.raises(InvalidValueError, match="cannot be read"):
        ag.fit_trust_law(tmp_path / "none.csv")
