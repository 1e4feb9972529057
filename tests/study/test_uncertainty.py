"""Priors become probabilities: against exact answers, with honest errors, and nothing dropped."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats

import alliancegame as ag
from alliancegame.errors import InvalidValueError, UnknownNameError
from alliancegame.study.maps import NO_ANSWER
from alliancegame.study.priors import METHODS, typed_prior
from alliancegame.study.uncertainty import LEVELS, Uncertainty

PLAN = ag.Plan(threat=0.5)


@pytest.fixture(scope="module")
def small():
    return ag.load_model("three-allies")


@pytest.fixture(scope="module")
def break_even(small):
    """The decay at which the plan brings nothing."""
    return optimize.brentq(
        lambda decay: ag.compare(small.replace(decay=decay), PLAN).delta_payoff, 0.2, 0.9
    )


@pytest.fixture(scope="module")
def found(small):
    priors = {
        "decay": stats.norm(0.3, 0.15),
        "return_spillin": (0.3, 0.7),
        "gdp[Large]": (7e3, 9e3),
    }
    return ag.uncertainty(small, priors, PLAN, n=1024)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_probability_known_exactly(small, break_even, method):
    """With one prior the probability of success is its distribution function at the break-even."""
    for prior, exact in (
        ((0.2, 0.9), (break_even - 0.2) / 0.7),
        (stats.beta(2, 3), stats.beta(2, 3).cdf(break_even)),
    ):
        result = ag.uncertainty(small, {"decay": prior}, PLAN, n=2048, method=method, seed=3)
        chance, error = result.probability_of_gain
        assert abs(chance - exact) < max(4 * error, 2e-3)
        assert error < (0.015 if method == "monte-carlo" else 0.002)
        assert result.probability("success") == result.probability_of_gain


@pytest.mark.parametrize("method", sorted(METHODS))
def test_standard_errors_are_honest(small, method):
    """Over many seeds estimates spread as their own standard errors say."""
    priors = {"decay": (0.2, 0.9), "return_spillin": (0.2, 0.8), "umbrella": (0.5, 0.9)}
    runs = [
        ag.uncertainty(small, priors, PLAN, n=128, method=method, seed=seed) for seed in range(40)
    ]
    for estimate in (
        [run.probability_of_gain for run in runs],
        [run.mean_gain_usd_bn for run in runs],
    ):
        values, errors = np.array(estimate).T
        assert 0.6 < values.std(ddof=1) / math.sqrt((errors**2).mean()) < 1.6


def test_quasi_random_draws_beat_random_ones(small):
    priors = {"decay": (0.2, 0.9), "return_spillin": (0.2, 0.8)}
    errors = {
        method: ag.uncertainty(small, priors, PLAN, n=2048, method=method).mean_gain_usd_bn[1]
        for method in METHODS
    }
    assert errors["sobol"] < 0.2 * errors["monte-carlo"]
    assert errors["latin-hypercube"] < 0.5 * errors["monte-carlo"]


def test_probabilities_count_every_draw(found):
    assert found.n == 1024
    assert found.failed == np.sum(found.draws[:, 0] < 0) > 0
    assert found.table["draws"].sum() == found.n
    assert found.table["probability"].sum() == pytest.approx(1.0, abs=1e-15)
    assert found.probability(NO_ANSWER)[0] == found.failed / found.n
    assert found.probability(NO_ANSWER)[0] == pytest.approx(stats.norm.cdf(-2), abs=0.01)
    ((why, count),) = found.reasons.items()
    assert why.startswith("decay must be >= 0")
    assert count == found.failed
    assert f"{found.failed} of 1024 draws have no answer" in found.headline()
    assert np.array_equal(np.isnan(found.gains_usd_bn), found.codes < 0)


def test_quantiles_by_member_are_those_of_single_comparisons(small):
    """Money counts each draw's own GDP; the leader's column is its gain."""
    priors = {"decay": (0.2, 0.6), "gdp[Large]": (6e3, 1e4), "threat": (0.2, 0.8)}
    result = ag.uncertainty(small, priors, PLAN, n=16, replicates=8)
    gains, burdens = [], []
    for decay, gdp, threat in result.draws:
        game = small.replace(decay=decay, gdp={"Large": gdp})
        one = ag.compare(game, ag.Plan(threat=threat))
        gains.append(one.table["usd_bn"].to_numpy())
        burdens.append(one.result.burdens)
    assert result.gain_quantiles == pytest.approx(np.quantile(gains, LEVELS, axis=0), abs=1e-8)
    assert result.burden_quantiles == pytest.approx(np.quantile(burdens, LEVELS, axis=0), abs=1e-11)
    assert result.gains_usd_bn == pytest.approx(np.array(gains)[:, 0], abs=1e-8)
    frame = result.by_member
    assert frame.loc["Leader", ("gain_usd_bn", 0.5)] == pytest.approx(
        np.median(result.gains_usd_bn)
    )
    assert frame.shape == (4, 10)


def test_quantile_errors_come_from_the_sets(found):
    size = found.n // found.replicates
    medians = [
        np.nanmedian(found.gains_usd_bn[k * size : (k + 1) * size]) for k in range(found.replicates)
    ]
    expected = np.std(medians, ddof=1) / math.sqrt(found.replicates)
    assert found.gain_errors[LEVELS.index(0.5), 0] == pytest.approx(expected, rel=1e-9)


def test_recalibrated_draws_keep_A():
    nato = ag.load_model("nato-2024")
    observed = nato.provenance["observed_burden"]
    priors = {"influence_weight[USA]": (0.0, 0.02), "umbrella": (0.5, 0.9)}
    kept = ag.uncertainty(nato, priors, PLAN, n=16, replicates=8, recalibrate=True)
    for k in range(0, 16, 5):
        alpha, umbrella = kept.draws[k]
        changed = nato.replace(influence_weight={"USA": alpha}, umbrella=umbrella)
        one = ag.compare(ag.calibrate(changed, observed), PLAN)
        assert kept.gains_usd_bn[k] == pytest.approx(one.gain_usd_bn, abs=1e-8)
    assert kept.recalibrated == "security_weight"
    moved = ag.uncertainty(nato, priors, PLAN, n=16, replicates=8)
    assert np.array_equal(moved.draws, kept.draws)
    assert np.abs(moved.gains_usd_bn - kept.gains_usd_bn).max() > 0.1


def test_priors_on_the_plan_alone_leave_A_as_it_is(small):
    result = ag.uncertainty(small, {"threat": (0.0, 1.0)}, ag.Plan(), n=16, replicates=8)
    for k in (0, 9):
        one = ag.compare(small, ag.Plan(threat=result.draws[k, 0]))
        assert result.gains_usd_bn[k] == pytest.approx(one.gain_usd_bn, abs=1e-9)


def test_seeds(small):
    one, same, other = (
        ag.uncertainty(small, {"decay": (0, 1)}, PLAN, n=64, seed=seed) for seed in (5, 5, 6)
    )
    assert one.to_json() == same.to_json()
    assert not np.array_equal(one.draws, other.draws)
    assert one.seed == 5


def test_no_answer_at_all(small):
    result = ag.uncertainty(small, {"decay": (-2, -1)}, PLAN, n=32)
    assert result.probability(NO_ANSWER) == (1.0, 0.0)
    assert result.probability_of_gain == (0.0, 0.0)
    assert math.isnan(result.mean_gain_usd_bn[0])
    assert np.isnan(result.gain_quantiles).all()
    result.to_json()


def test_round_trip(found, tmp_path):
    found.to_json(tmp_path / "u.json")
    back = ag.load_result(tmp_path / "u.json")
    assert isinstance(back, Uncertainty)
    assert back.to_json() == found.to_json()
    assert back.probability_of_gain == found.probability_of_gain
    assert back.priors == {
        "decay": "norm(0.3, 0.15)",
        "return_spillin": "uniform(0.3, 0.7)",
        "gdp[Large]": "uniform(7000, 9000)",
    }
    assert back.by_member.equals(found.by_member)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"priors": {}}, "priors are a dict"),
        ({"priors": {"dekay": (0, 1)}}, "Did you mean 'decay'"),
        ({"priors": {"decay": 0.4}}, "low, high"),
        ({"priors": {"decay": (1, 0)}}, "low < high"),
        ({"priors": {"consumption": ["log", "linear"]}}, "names a form"),
        ({"priors": {"decay": ["log", "linear"]}}, "of numbers"),
        ({"plan": None}, "needs a Plan"),
        ({"n": 1000}, "1024 would do"),
        ({"n": 1000, "method": "latin-hypercube"}, "multiple of replicates"),
        ({"n": 2**21}, "1,000,000"),
        ({"replicates": 4}, "from 8"),
        ({"method": "sobool"}, "Did you mean 'sobol'"),
        ({"seed": -1}, "seed"),
    ],
)
def test_refusals(small, arguments, words):
    given = {"priors": {"decay": (0, 1)}, "plan": PLAN, "n": 16 * 64} | arguments
    with pytest.raises((InvalidValueError, UnknownNameError), match=words):
        ag.uncertainty(small, **given)


@pytest.mark.parametrize(
    ("text", "mean", "quantile"),
    [
        ("uniform(0.2, 0.6)", 0.4, 0.4),
        ("normal(0.4,0.1)", 0.4, 0.4),
        ("lognormal(0.4,0.5)", 0.4 * math.exp(0.125), 0.4),
        ("triangular(0,0.3,0.6)", 0.3, 0.3),
        ("beta(2,2,0.2,0.6)", 0.4, 0.4),
        ("beta(2,2)", 0.5, 0.5),
    ],
)
def test_typed_priors(small, text, mean, quantile):
    prior = typed_prior(text, float)
    result = ag.uncertainty(small, {"decay": prior}, PLAN, n=1024)
    assert result.draws.mean() == pytest.approx(mean, rel=1e-2)
    assert np.median(result.draws) == pytest.approx(quantile, rel=1e-2)
    assert result.priors["decay"].replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    "text", ["0.4", "unifrm(0,1)", "uniform(0)", "beta(1,2,3)", "normal(0,0)", "triangular(0,2,1)"]
)
def test_typed_priors_that_are_none(text):
    with pytest.raises((InvalidValueError, UnknownNameError)):
        typed_prior(text, float)
