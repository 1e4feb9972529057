"""Maps of outcomes: the grid says what compare says, and boundaries stand where outcomes change."""

from __future__ import annotations

import re

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import InvalidValueError, UnknownNameError
from alliancegame.study.maps import GAINS, LOSSES, NO_ANSWER, RegimeMap
from alliancegame.study.regions import area

DECAY, THREAT = ("decay", (0.0, 1.0)), ("threat", (0.0, 1.0))


@pytest.fixture(scope="module")
def nato():
    return ag.load_model("nato-2024")


@pytest.fixture(scope="module")
def small():
    return ag.load_model("three-allies")


@pytest.fixture(scope="module")
def found(nato):
    return ag.regime_map(nato, DECAY, THREAT, points=21)


def outcome(game, key_x, key_y, x, y, plan=None):
    """One point by the scalar solvers."""
    changes, of_plan = {}, {}
    for key, value in ((key_x, x), (key_y, y)):
        (of_plan if key in ("threat", "demand", "burden", "tariff") else changes)[key] = float(
            value
        )
    game = game.replace(**changes) if changes else game
    return ag.compare(game, (plan or ag.Plan()).replace(**of_plan))


def test_the_grid_says_what_compare_says(nato, found):
    for i, j in ((0, 0), (3, 5), (20, 20), (10, 2), (7, 13)):
        one = outcome(nato, "decay", "threat", found.x_values[j], found.y_values[i])
        assert found.outcomes[i, j] == one.outcome
        assert found.gains_usd_bn[i, j] == pytest.approx(one.gain_usd_bn, abs=1e-9)


def test_a_tariff_is_an_axis_and_has_a_prior_like_any_other_field_of_a_plan(small):
    trading = small.replace(trade_exposure=0.1, deadweight=0.2)
    found = ag.regime_map(trading, ("tariff", (0.0, 0.5)), THREAT, points=3, refine=0)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        one = outcome(trading, "tariff", "threat", found.x_values[j], found.y_values[i])
        assert found.gains_usd_bn[i, j] == pytest.approx(one.gain_usd_bn, abs=1e-9)
    drawn = ag.uncertainty(trading, {"tariff[Large]": (0.0, 0.5)}, ag.Plan(threat=0.2), n=64)
    assert drawn.failed == 0


def test_regions_fill_the_rectangle(found):
    assert sum(found.shares.values()) == pytest.approx(1.0, abs=1e-12)
    assert list(found.shares.values()) == sorted(found.shares.values(), reverse=True)
    assert set(found.shares) >= {"success", "backfire", "status quo"}
    assert found.failed == 0
    assert found.reasons == {}
    assert found.worst_regret < 1e-9
    assert found.not_certified == 0


def test_boundaries_stand_where_the_outcome_changes(nato, found):
    """Every corner of the line is an edge crossing: at the tolerance beside it outcomes differ."""
    (line,) = [line for line in found.lines if line.between == ("success", "backfire")]
    assert len(line.points) > 15
    for x, y in line.points[line.points[:, 1] > 0.1][1:-1:3]:
        steps = [-2e-6, 2e-6]
        around = {outcome(nato, "decay", "threat", x + a, y + a).outcome for a in steps}
        assert around == {"success", "backfire"}


def test_the_break_even_decay_of_backfire_threshold(nato):
    """At full threat, the leader playing simultaneously, the map's boundary is a known root."""
    exact = ag.backfire_threshold(nato, burden="simultaneous").break_even_decay[0]
    found = ag.regime_map(nato, DECAY, ("threat", (0.5, 1.0)), points=9)
    (line,) = found.break_even
    top = line[np.argmax(line[:, 1])]
    assert top[1] == 1.0
    assert top[0] == pytest.approx(exact, abs=1e-6)


def test_more_points_change_shares_little(small):
    coarse, fine = (ag.regime_map(small, points=n).shares for n in (11, 41))
    assert coarse["success"] == pytest.approx(fine["success"], abs=1e-3)


def test_lines_have_their_first_outcome_on_the_left(small):
    found = ag.regime_map(small, ("threat", (0.0, 1.0)), ("burden", (0.025, 0.05)), points=11)
    for line in found.lines:
        if len(line.points) < 6 or NO_ANSWER in line.between:
            continue
        k = len(line.points) // 2
        p, q = line.points[k - 1], line.points[k]
        scale = np.array([1.0, 0.025])
        along = (q - p) / scale
        away = 4e-3 * np.array([-along[1], along[0]]) / np.hypot(*along) * scale
        sides = [outcome(small, "threat", "burden", *((p + q) / 2 + s * away)) for s in (1, -1)]
        assert tuple(side.outcome for side in sides) == line.between


def test_every_outcome_that_commitment_brings(small):
    found = ag.regime_map(small, ("threat", (0.0, 1.0)), ("burden", (0.025, 0.05)), points=21)
    assert {"success", "futile", "backfire"} <= set(found.shares)
    assert found.break_even
    for line in found.break_even:
        for x, y in line[1:-1:5]:
            gain = outcome(small, "threat", "burden", x, y).gain_usd_bn
            assert abs(gain) < 1e-3 * np.abs(found.gains_usd_bn).max()


def test_recalibrated_maps_are_maps_of_calibrated_games(nato):
    x = ("influence_weight[USA]", (0.0, 0.03))
    found = ag.regime_map(nato, x, THREAT, points=5, recalibrate=True)
    assert found.recalibrated == "security_weight"
    observed = nato.provenance["observed_burden"]
    for j, value in enumerate(found.x_values):
        game = ag.calibrate(nato.replace(influence_weight={"USA": value}), observed)
        for i, threat in enumerate(found.y_values):
            one = ag.compare(game, ag.Plan(threat=threat))
            assert found.gains_usd_bn[i, j] == pytest.approx(one.gain_usd_bn, abs=1e-8)
            assert found.outcomes[i, j] == one.outcome
    plain = ag.regime_map(nato, x, THREAT, points=5)
    assert plain.recalibrated == ""
    assert np.abs(plain.gains_usd_bn - found.gains_usd_bn).max() > 1.0


def test_recalibration_changes_nothing_where_A_does_not_depend_on_it(nato):
    kept, moved = (
        ag.regime_map(nato, DECAY, THREAT, points=6, recalibrate=flag) for flag in (True, False)
    )
    assert np.array_equal(kept.codes, moved.codes)
    assert kept.gains_usd_bn == pytest.approx(moved.gains_usd_bn, abs=1e-9)


def test_cells_without_an_answer_are_a_region(small):
    found = ag.regime_map(small, ("decay", (-0.25, 0.75)), ("demand", (0.05, 0.45)),
                          ag.Plan(threat=0.5), points=11)  # fmt: skip
    assert found.shares[NO_ANSWER] == pytest.approx(1 - 0.75 * 0.5, abs=1e-5)
    assert found.failed == np.sum(found.codes < 0) == np.sum(np.isnan(found.gains_usd_bn))
    assert sum(found.reasons.values()) == found.failed
    assert {why.split()[0] for why in found.reasons} == {"decay", "demand"}
    assert NO_ANSWER in found.to_frame().index
    assert f"no answer at {found.failed} of 121" in found.headline()


def test_negative_weights_are_a_region_with_a_reason(small):
    x = ("private_weight[Large]", (0.0, 0.04))
    found = ag.regime_map(small, x, THREAT, points=9, recalibrate=True)
    (why,) = found.reasons
    assert "negative security_weight: Large" in why
    limit = ag.identified_set(small, ag.solve_nash(small).burdens).loc[
        "Large", "private_weight_max"
    ]
    assert found.shares[NO_ANSWER] == pytest.approx(1 - limit / 0.04, abs=1e-5)


@pytest.mark.long
def test_forms_that_only_the_scalar_solvers_know(small):
    """Influence as a share with m > 1 is not concave: every cell is solved by itself."""
    game = small.replace(influence_value="share", decisiveness=1.5)
    found = ag.regime_map(game, DECAY, ("threat", (0.2, 0.8)), points=3, tolerance=0.1, refine=0)
    one = outcome(game, "decay", "threat", 0.5, 0.5)
    assert found.outcomes[1, 1] == one.outcome
    assert found.gains_usd_bn[1, 1] == pytest.approx(one.gain_usd_bn, rel=1e-9)


def test_what_is_the_same_everywhere(nato):
    plan = ag.Plan(threat=0.5, demand=0.03, burden=0.034)
    found = ag.regime_map(nato, DECAY, ("demand", (0.02, 0.05)), plan, points=3, refine=0)
    assert re.fullmatch(r"threat 0.5, own burden 3.40? ?%; all weights as they are", found.fixed())
    assert found.own == (0.4, 0.03)
    quiet = ag.regime_map(nato, DECAY, THREAT, points=3, refine=0, recalibrate=True)
    assert quiet.fixed().startswith("demand 5 %; security_weight calibrated anew")
    assert np.isnan(quiet.own[1])


def test_tables(found):
    frame = found.to_frame()
    assert frame["share"].sum() == pytest.approx(1.0)
    assert frame["points"].sum() == 21 * 21
    assert (
        frame.loc["success", "least_gain_usd_bn"] > 0 > frame.loc["backfire", "least_gain_usd_bn"]
    )
    points = found.points()
    assert len(points) == 21 * 21
    assert list(points.columns) == ["decay", "threat", "outcome", "gain_usd_bn"]
    assert "success" in found.to_latex()
    assert "success" in found._repr_html_()


def test_round_trip(found, tmp_path):
    found.to_json(tmp_path / "map.json")
    back = ag.load_result(tmp_path / "map.json")
    assert isinstance(back, RegimeMap)
    assert back.to_dict() == found.to_dict()
    assert back.shares == found.shares
    assert back.game == found.game
    rings = found.regions["success"]
    assert area(back.regions["success"]) == area(rings)


def test_progress_and_counts(small):
    seen: list[int] = []
    found = ag.regime_map(small, points=(7, 5), progress=seen.append)
    assert found.codes.shape == (5, 7)
    assert seen == sorted(seen)
    assert seen[0] == 35
    assert seen[-1] == found.solved


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"x": ("dekay", (0, 1))}, "Did you mean 'decay'"),
        ({"x": ("decay[Larje]", (0, 1))}, "Did you mean 'Large'"),
        ({"x": ("consumption", (0, 1))}, "names a form"),
        ({"x": ("threat", (0, 1))}, "must be different"),
        ({"x": ("decay", (1, 0))}, "low, high"),
        ({"x": ("decay", (0, float("nan")))}, "finite"),
        ({"x": "decay"}, "an axis of a map is a key and its range"),
        ({"points": 1}, "whole number from 2"),
        ({"points": (3, 4, 5)}, "one for x and one for y"),
        ({"points": 5000}, "at most 1,000,000"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"refine": 1.5}, "refine"),
        ({"x": ("security_weight", (0, 1)), "recalibrate": True}, "cannot be varied"),
    ],
)
def test_refusals(small, arguments, words):
    with pytest.raises((InvalidValueError, UnknownNameError), match=words):
        ag.regime_map(small, **arguments)


def test_names_of_outcomes():
    assert not set(GAINS) & set(LOSSES)
