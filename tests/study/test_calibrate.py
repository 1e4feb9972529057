"""Calibration inverts the equilibrium, and says what it cannot know."""

from __future__ import annotations

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import CalibrationError, InvalidValueError, UnknownNameError


@pytest.fixture(scope="module")
def game():
    return ag.load_model("three-allies")


FORMS = [
    {},
    {"consumption": "linear"},
    {"substitution": 0.8},
    {"cohesion": 0.5, "council_weight": [1.0, 2.0, 0.5, 1.0]},
]


@pytest.mark.parametrize("forms", FORMS)
@pytest.mark.parametrize("free", ["security_weight", "influence_weight", "private_weight"])
def test_observed_burdens_become_the_equilibrium(game, forms, free):
    base = game.replace(security_weight=[0.02, 0.01, 0.01, 0.01], **forms)
    observed = {"Leader": 0.033, "Large": 0.019, "Middle": 0.021, "Frontier": 0.028}
    calibrated = ag.calibrate(base, observed, free=free)
    found = ag.solve_nash(calibrated)
    if found.multiple:
        profiles = [found, *found.others]
        gaps = [np.abs(e.burdens - list(observed.values())).max() for e in profiles]
        assert min(gaps) < 1e-12
    else:
        assert found.burdens == pytest.approx(list(observed.values()), abs=1e-13)
    assert ag.certify(calibrated, observed).verdict == "certified"
    for other in {"security_weight", "influence_weight", "private_weight"} - {free}:
        assert np.array_equal(calibrated.by_member(other), base.by_member(other))


def test_the_flagship_formula_by_hand():
    """theta_i = [1/(1-x) - h/x - alpha (1-p)/x] S_i / Y_i, docs/howto/calibrate, written out."""
    nato = ag.load_model("nato-2024")
    gdp, x = nato.by_member("gdp"), np.array(list(nato.provenance["observed_burden"].values()))
    lead = nato.members.leader_index
    spent, share = gdp * x, gdp / gdp.sum()
    allied = spent.sum() - spent[lead]
    security = spent + share * (allied - spent) + 0.7 * share * spent[lead]
    security[lead] = spent[lead] + 0.5 * allied
    alpha, private = np.full(31, 0.005), np.full(31, 0.003)
    alpha[lead], private[lead] = 0.01, 0.0
    p = spent / spent.sum()
    by_hand = (1 / (1 - x) - private / x - alpha * (1 - p) / x) * security / gdp
    assert nato.by_member("security_weight") == pytest.approx(by_hand, rel=1e-12)


def test_recalibration_is_recorded_and_replacement_is_not_recalibrated(game):
    observed = {"Leader": 0.033, "Large": 0.019, "Middle": 0.021, "Frontier": 0.028}
    calibrated = ag.calibrate(game, observed)
    assert calibrated.provenance["calibrated"] == ["security_weight"]
    moved = calibrated.replace(umbrella=0.5)
    assert np.array_equal(
        moved.by_member("security_weight"), calibrated.by_member("security_weight")
    )
    assert moved.provenance["replaced"] == {"umbrella": 0.5}
    again = ag.calibrate(moved.replace(security_weight=0.1), observed)
    assert "security_weight" not in again.provenance["replaced"]


def test_inadmissible_calibration_names_members_and_range(game):
    observed = {"Leader": 0.033, "Large": 0.019, "Middle": 0.004, "Frontier": 0.028}
    with pytest.raises(CalibrationError) as caught:
        ag.calibrate(game, observed)
    text = str(caught.value)
    assert "Middle" in text
    assert "Frontier" not in text
    assert "negative security_weight" in text
    limit = float(text.split("influence_weight at most ")[1].split(maxsplit=1)[0].rstrip(";)."))
    alpha = {"Leader": 0.01, "Large": 0.005, "Middle": limit * 0.999, "Frontier": 0.005}
    assert ag.calibrate(game.replace(influence_weight=alpha), observed)
    alpha["Middle"] = limit * 1.001
    with pytest.raises(CalibrationError):
        ag.calibrate(game.replace(influence_weight=alpha), observed)


def test_bad_input(game):
    with pytest.raises(UnknownNameError, match="security_weight"):
        ag.calibrate(game, 0.02, free="security_wieght")
    with pytest.raises(InvalidValueError, match="Large"):
        ag.calibrate(game, {"Leader": 0.03, "Large": 0.3, "Middle": 0.02, "Frontier": 0.02})
    with pytest.raises(CalibrationError, match="at its bounds"):
        ag.calibrate(game, {"Leader": 0.03, "Large": 0.0, "Middle": 0.02, "Frontier": 0.02})


def test_identified_set_is_the_range_of_admissible_weights(game):
    observed = ag.solve_nash(game).burden
    table = ag.identified_set(game, observed)
    assert table["security_weight"].to_numpy() == pytest.approx(
        game.by_member("security_weight"), rel=1e-10
    )
    most = table.loc["Large", "influence_weight_max"]
    weights = {"Leader": 0.01, "Large": most * (1 - 1e-9), "Middle": 0.005, "Frontier": 0.005}
    at_edge = ag.calibrate(game.replace(influence_weight=weights), observed)
    assert at_edge.by_member("security_weight")[1] == pytest.approx(0, abs=1e-9)
