"""Many games calibrated at once: each weight is what `calibrate` finds for that game alone."""

from __future__ import annotations

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import AllianceGameError, CalibrationError, InvalidValueError
from alliancegame.solve.scenarios import by_form
from alliancegame.study.cells import solve_cells
from alliancegame.study.refit import refit_for, refitted


@pytest.fixture(scope="module")
def nato():
    return ag.load_model("nato-2024")


@pytest.fixture(scope="module")
def small():
    return ag.load_model("three-allies")


def random_cells(count, leader, seed=0):
    rng = np.random.default_rng(seed)
    form = rng.integers(3, size=count)  # few forms: each has kernels of its own
    return {
        "threat": rng.uniform(0, 1, count),
        "decay": rng.uniform(0, 1, count),
        "umbrella": rng.uniform(0.2, 1.2, count),
        f"influence_weight[{leader}]": rng.uniform(0, 0.03, count),
        "private_weight": rng.uniform(0, 0.008, count),
        "return_spillin": rng.uniform(0.1, 1.5, count),
        "congestion": rng.uniform(0.5, 1.5, count),
        "substitution": np.where(form == 1, 0.8, 1.0),
        "decisiveness": np.where(form == 1, 1.3, 1.0),
        "consumption": np.where(form == 2, "linear", "log"),
        "horizon": rng.choice(["impact", "stationary"], count),
        "trust_ceiling": rng.choice([0.9, 1.0], count, p=[0.2, 0.8]),
    }


@pytest.mark.parametrize("model", ["nato-2024", "three-allies"])
def test_every_cell_is_calibrated_as_one_game_would_be(model):
    game = ag.load_model(model)
    refit = refit_for(game)
    cells = random_cells(60, game.leader)
    found, reasons = refitted(game, cells, refit)
    weights = np.column_stack([found[f"security_weight[{m}]"] for m in game.members])
    calibrated = 0
    for group in by_form(game, ag.Plan(), {k: v for k, v in cells.items() if k != "threat"}):
        for k in range(group.count):
            place = int(group.positions[k])
            try:
                alone = ag.calibrate(group.cell(k)[0], refit.observed)
            except CalibrationError as error:
                assert "negative" in str(error)
                assert "negative security_weight" in reasons[place]
                assert np.isnan(weights[place]).any()
                continue
            except AllianceGameError:  # no game at all (trust above its ceiling)
                assert np.array_equal(weights[place], game.by_member("security_weight"))
                continue
            calibrated += 1
            assert weights[place] == pytest.approx(alone.by_member("security_weight"), rel=1e-13)
    assert calibrated > 10


def test_observed_burdens_are_A_in_every_cell(nato):
    """Wherever A is unique it is what was observed, to the solver's accuracy."""
    rng = np.random.default_rng(1)
    cells = {"return_spillin": rng.uniform(0.2, 0.9, 50), "umbrella": rng.uniform(0.4, 1.0, 50)}
    refit = refit_for(nato)
    solved = solve_cells(nato, refitted(nato, cells, refit)[0], solve="nash", outputs=["burden"])
    assert (solved.status == 0).all()
    assert solved.values["burden"] == pytest.approx(np.tile(refit.observed, (50, 1)), abs=1e-13)


def test_what_was_observed(nato, small):
    recorded = nato.provenance["observed_burden"]
    assert refit_for(nato.replace(decay=0.9)).observed.tolist() == list(recorded.values())
    assert refit_for(small).observed.tolist() == ag.solve_nash(small).burdens.tolist()
    assert refit_for(small).free == "security_weight"


def test_a_member_whose_weight_would_be_negative_is_named(small):
    found, reasons = refitted(
        small, {"private_weight[Large]": np.array([0.003, 0.5])}, refit_for(small)
    )
    assert list(reasons) == [1]
    assert reasons[1] == "observed burdens imply a negative security_weight: Large"
    assert np.isfinite(found["security_weight[Large]"][0])


def test_bounds_that_exclude_what_was_observed_identify_nothing(small):
    _, reasons = refitted(small, {"burden_max": np.array([0.25, 0.02])}, refit_for(small))
    assert list(reasons) == [1]
    assert "bounds" in reasons[1]


def test_other_free_weights(small):
    refit = refit_for(small, free="private_weight")
    found, _ = refitted(small, {"influence_weight[Large]": np.array([0.0, 0.004])}, refit)
    for k, value in enumerate((0.0, 0.004)):
        alone = ag.calibrate(
            small.replace(influence_weight={"Large": value}), refit.observed, free="private_weight"
        )
        here = [found[f"private_weight[{m}]"][k] for m in small.members]
        assert here == pytest.approx(alone.by_member("private_weight"), rel=1e-12, abs=1e-15)


def test_contradictions_are_refused(small):
    with pytest.raises(InvalidValueError, match=r"security_weight\[Large\] cannot be varied"):
        refitted(small, {"security_weight[Large]": np.array([0.1])}, refit_for(small))
    with pytest.raises(InvalidValueError, match="also replaced"):
        refit_for(small.replace(security_weight=0.03))
    with pytest.raises(CalibrationError, match="Large spends 0"):
        refit_for(small, observed={"Leader": 0.03, "Large": 0.0, "Middle": 0.02, "Frontier": 0.02})
