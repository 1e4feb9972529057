"""Wrong arguments are met at the door, with an error of ours."""

from __future__ import annotations

import json

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import AllianceGameError, InvalidValueError, ResultFileError
from alliancegame.solve.tolerances import Tolerances
from alliancegame.study.sweep import sweep

PLAN = ag.Plan(burden=0.03, threat=0.3)


@pytest.fixture(scope="module")
def game():
    return ag.load_model("three-allies")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda g: ag.frontier(g, burdens=["a", "b"]), r"burdens must be.*'a'"),
        (lambda g: ag.frontier(g, burdens={"a": 1}), "burdens must be"),
        (
            lambda g: ag.frontier(g, points=2.5),
            "points must be a whole number, at least 2, got 2.5",
        ),
        (lambda g: ag.frontier(g, points="a"), "points must be a whole number"),
        (lambda g: ag.uncertainty(g, {3: (0, 1)}, PLAN, n=32), "keys, got 3"),
        (lambda g: ag.global_sensitivity(g, {3: (0, 1)}, PLAN, n=8), "keys, got 3"),
        (lambda g: ag.load_model(5), "a shipped name or the path.*got 5"),
        (lambda g: sweep(g, {"decay": [0.1]}, PLAN, outputs=5), "outputs must be names.*got 5"),
        (
            lambda g: sweep(g, {"decay": np.ma.masked_array([0.1, 999.0, 0.3], [0, 1, 0])}, PLAN),
            "decay goes over a masked array",
        ),
    ],
)
def test_wrong_arguments(game, call, words):
    with pytest.raises(AllianceGameError, match=words):
        call(game)


def test_a_masked_array_without_masked_values_is_an_array(game):
    found = sweep(game, {"decay": np.ma.masked_array([0.1, 0.3], [0, 0])}, PLAN)
    assert found.decay.values.tolist() == [0.1, 0.3]


@pytest.mark.parametrize("kind", [[], {}, 3, None])
def test_results_of_no_kind(tmp_path, kind):
    file = tmp_path / "r.json"
    file.write_text(json.dumps({"schema": 1, "kind": kind}), encoding="utf-8")
    with pytest.raises(ResultFileError, match="unknown kind"):
        ag.load_result(file)


@pytest.mark.parametrize(
    "fields",
    [
        {"roots": 0}, {"roots": 2.5}, {"roots": True}, {"grid": float("nan")}, {"grid": "a"},
        {"refine": -1}, {"certified": 10, "approximate": 10}, {"certified": 1e-8},
        {"approximate": 1e-5}, {"certified": 1e-10, "approximate": 1e-11}, {"certified": -1e-12},
        {"leader_gap": float("nan")}, {"leader_gap": "a"}, {"certified": None},
    ],
)  # fmt: skip
def test_tolerances_that_mean_nothing(fields):
    with pytest.raises(InvalidValueError, match="Tolerances"):
        Tolerances(**fields)


def test_tolerances_travel_as_plain_numbers():
    given = Tolerances(grid=np.int64(30), certified=0)
    assert type(given.grid) is int
    assert type(given.certified) is float
    assert Tolerances(**json.loads(json.dumps(given.to_dict()))) == given


def test_errors_of_quantiles_need_draws_in_every_set(game):
    few = ag.uncertainty(game, {"decay": (0.2, 0.6)}, PLAN, n=128)
    assert np.isnan(few.gain_errors).all()
    assert np.isnan(few.burden_errors).all()
    assert np.isfinite(few.gain_quantiles).all()
    assert few.probability_of_gain[1] >= 0
    enough = ag.uncertainty(game, {"decay": (0.2, 0.6)}, PLAN, n=512, replicates=8)
    assert np.isfinite(enough.gain_errors).all()


@pytest.mark.parametrize("most", [10.0, 1e5, 1e6])
def test_bounds_far_away_cost_no_verdict(most):
    """Rounding of a marginal payoff hides nothing where the payoff falls anyway."""
    game = ag.BurdenSharingGame(
        ["a", "b", "c"], "a", [30, 5, 3], [0.05, 0.03, 0.03], consumption="linear",
        influence_weight=[0.02, 0.02, 0.015], burden_max=most,
    )  # fmt: skip
    found = ag.solve_nash(game)
    assert found.certificate.verdict == "certified"
    assert found.certificate.regret < 1e-12
    swept = sweep(game, {"threat": [0.0]}, solve="nash")
    assert int(swept.verdict[0]) == 2
