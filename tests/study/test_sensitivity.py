"""Sobol indices: exact where they are known, as brute force finds them elsewhere."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import InvalidValueError, MissingExtraError, UnknownNameError
from alliancegame.study.cells import solve_cells
from alliancegame.study.sensitivity import Sensitivity, sobol_indices

pytest.importorskip("SALib")

PLAN = ag.Plan(threat=0.5)


@pytest.fixture(scope="module")
def small():
    return ag.load_model("three-allies")


@pytest.fixture(scope="module")
def joint_products():
    """K8 of the bank: linear, symmetric, so that each burden is theta / n + h."""
    return ag.BurdenSharingGame(
        ["L", "A", "B", "C"],
        "L",
        1.0,
        0.4,
        private_weight=0.1,
        consumption="linear",
        burden_max=10.0,
    )


@pytest.fixture(scope="module")
def found(small):
    ranges = {"decay": (0.2, 0.6), "threat": (0.2, 0.8), "return_spillin": (0.2, 0.8)}
    return ag.global_sensitivity(small, ranges, PLAN, n=512, second_order=True)


def test_an_additive_output(joint_products):
    """Burden = theta / n + h: each index is the share of the parameter's own variance."""
    ranges = {"security_weight": (0.2, 1.0), "private_weight": (0.1, 0.2)}
    found = ag.global_sensitivity(
        joint_products, ranges, ag.Plan(), "leader_burden", n=1024, second_order=True
    )
    parts = np.array([(0.8 / 4) ** 2, 0.1**2])
    exact = parts / parts.sum()
    assert found.first == pytest.approx(exact, abs=0.01)
    assert found.total == pytest.approx(exact, abs=0.01)
    assert found.second[0, 1] == pytest.approx(0, abs=0.01)
    assert found.mean == pytest.approx(0.15 + 0.15, abs=1e-3)
    assert found.deviation == pytest.approx(np.sqrt(parts.sum() / 12), rel=1e-2)


def test_a_product(joint_products):
    """Spending of a member = GDP (theta / n + h): the variance of a product, with its interaction."""
    ranges = {"gdp": (1.0, 3.0), "security_weight": (0.2, 1.0)}
    found = ag.global_sensitivity(
        joint_products, ranges, ag.Plan(), "spending[A]", n=2048, second_order=True
    )
    means, variances = np.array([2.0, 0.15 + 0.1]), np.array([4 / 12, 0.04 / 12])
    alone = variances * means[::-1] ** 2
    both = variances.prod()
    whole = alone.sum() + both
    assert found.first == pytest.approx(alone / whole, abs=0.01)
    assert found.total == pytest.approx((alone + both) / whole, abs=0.01)
    assert found.second[0, 1] == pytest.approx(both / whole, abs=0.02)
    assert found.unit == "bn US$"


def test_the_function_of_ishigami():
    def model(units):
        x, y, z = (2 * units - 1).T * np.pi
        return np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)

    found = sobol_indices(model, ["x", "y", "z"], 4096, second_order=True)
    assert found.first == pytest.approx([0.3139, 0.4424, 0.0], abs=0.01)
    assert found.total == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.01)
    assert found.second[0, 2] == pytest.approx(0.2437, abs=0.03)
    assert found.evaluations == 4096 * 8
    assert (found.first_error < 0.05).all()


def test_brute_force_finds_the_same(small, found):
    """Nested Monte Carlo: the variance of conditional means, and the mean of conditional variances."""
    rng = np.random.default_rng(0)
    low, high = np.array([0.2, 0.2, 0.2]), np.array([0.6, 0.8, 0.8])
    outer, inner = 300, 200
    even = (np.arange(outer)[:, None] + 0.5) / outer

    def gains(points):
        columns = dict(zip(found.keys, points.reshape(-1, 3).T, strict=True))
        solved = solve_cells(small, columns, PLAN, solve="compare", outputs=["gain_usd_bn"])
        return solved.values["gain_usd_bn"].reshape(points.shape[:-1])

    whole = gains(rng.uniform(low, high, (8192, 3))).var()
    for j in range(3):
        points = rng.uniform(low, high, (outer, inner, 3))
        points[:, :, j] = low[j] + (high[j] - low[j]) * even
        values = gains(points)
        noise = values.var(axis=1, ddof=1).mean() / inner
        first = (values.mean(axis=1).var(ddof=1) - noise) / whole
        assert found.first[j] == pytest.approx(first, abs=0.04)
        points = rng.uniform(low, high, (outer, 1, 3)).repeat(inner, axis=1)
        points[:, :, j] = rng.uniform(low[j], high[j], (outer, inner))
        total = gains(points).var(axis=1, ddof=1).mean() / whole
        assert found.total[j] == pytest.approx(total, abs=0.04)


def test_intervals_hold_what_more_points_find(small, found):
    ranges = {"decay": (0.2, 0.6), "threat": (0.2, 0.8), "return_spillin": (0.2, 0.8)}
    fine = ag.global_sensitivity(small, ranges, PLAN, n=8192, seed=1)
    assert (np.abs(found.first - fine.first) < 2 * found.first_error).all()
    assert (np.abs(found.total - fine.total) < 2 * found.total_error).all()
    assert (fine.first_error < 0.5 * found.first_error).all()


def test_missing_answers_are_filled_and_counted(small):
    ranges = {"decay": (-0.02, 0.98), "return_spillin": (0.2, 0.8)}
    found = ag.global_sensitivity(small, ranges, PLAN, n=512)
    assert found.missing == sum(found.reasons.values())
    assert found.missing / found.evaluations == pytest.approx(0.02, abs=0.005)
    assert next(iter(found.reasons)).startswith("decay must be >= 0")
    assert f"{found.missing} of {found.evaluations} without a value" in found.headline()
    whole = ag.global_sensitivity(small, ranges | {"decay": (0.0, 0.98)}, PLAN, n=512)
    assert whole.missing == 0
    assert found.total == pytest.approx(whole.total, abs=0.08)


def test_too_many_missing_answers_are_refused(small):
    ranges = {"decay": (-0.5, 0.5), "return_spillin": (0.2, 0.8)}
    with pytest.raises(InvalidValueError, match=r"more than max_missing = 5%.*decay must be >= 0"):
        ag.global_sensitivity(small, ranges, PLAN, n=64)
    assert ag.global_sensitivity(small, ranges, PLAN, n=64, max_missing=0.6).missing > 0


def test_values_that_are_not_finite_are_missing(small):
    """A threshold is nan where pressure never backfires."""
    found = ag.global_sensitivity(
        small, {"decay": (0.0, 1.0), "umbrella": (0.6, 0.8)}, ag.Plan(), "threshold", n=4,
        solve="backfire_threshold", max_missing=0.9, resamples=10,
    )  # fmt: skip
    assert found.reasons == {"threshold has no finite value": found.missing}


def test_recalibrated(small):
    nato = ag.load_model("nato-2024")
    ranges = {"decay": (0.2, 0.6), "return_spillin": (0.3, 0.7)}
    kept, moved = (
        ag.global_sensitivity(nato, ranges, PLAN, n=64, recalibrate=flag) for flag in (True, False)
    )
    assert kept.recalibrated == "security_weight"
    assert moved.recalibrated == ""
    assert np.abs(kept.total - moved.total).max() > 1e-3


@pytest.mark.parametrize("seed", [0, 7])
def test_the_same_seed_gives_the_same_result(small, seed):
    """Also 0, which SALib itself takes for no seed."""
    one, same = (
        ag.global_sensitivity(small, {"decay": (0, 1), "threat": (0, 1)}, PLAN, n=32, seed=seed)
        for _ in range(2)
    )
    assert one.to_json() == same.to_json()


def test_tables_and_round_trip(found, tmp_path):
    assert list(found.to_frame().index) == ["decay", "threat", "return_spillin"]
    pairs = found.pairs()
    assert pairs.index.tolist()[0] == ("decay", "threat")
    assert np.isfinite(pairs.to_numpy()).all()
    found.to_json(tmp_path / "s.json")
    back = ag.load_result(tmp_path / "s.json")
    assert isinstance(back, Sensitivity)
    assert back.to_json() == found.to_json()
    assert back.second[0, 1] == found.second[0, 1]


def test_pairs_must_be_asked_for(small):
    found = ag.global_sensitivity(small, {"decay": (0, 1), "threat": (0, 1)}, PLAN, n=16)
    with pytest.raises(InvalidValueError, match="second_order"):
        found.pairs()


def test_without_the_extra(small, monkeypatch):
    monkeypatch.setitem(sys.modules, "SALib.analyze", None)
    with pytest.raises(MissingExtraError, match=r"\.\[sensitivity\]"):
        ag.global_sensitivity(small, {"decay": (0, 1)}, PLAN, n=16)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"ranges": {"dekay": (0, 1)}}, "Did you mean 'decay'"),
        ({"plan": 0.5}, "needs a Plan"),
        ({"output": "gain"}, "Known: "),
        ({"output": "outcome"}, "no variance"),
        ({"output": "burden"}, r"burden\[Large\]"),
        ({"output": "burden[Larje]"}, "Did you mean 'Large'"),
        ({"output": "regret[Large]"}, "no value by member"),
        ({"solve": "nahs"}, "Did you mean 'nash'"),
        ({"n": 100}, "power of two, such as 128"),
        ({"n": 2**22}, "2,000,000"),
        ({"level": 95}, "level"),
        ({"max_missing": 1.0}, "max_missing"),
        ({"resamples": 1}, "resamples"),
        (
            {"output": "burden[Large]", "plan": ag.Plan(), "solve": "nash"},
            "does not depend on decay",
        ),
    ],
)
def test_refusals(small, arguments, words):
    given = {"ranges": {"decay": (0.0, 1.0)}, "plan": PLAN, "n": 16} | arguments
    with pytest.raises((InvalidValueError, UnknownNameError), match=words):
        ag.global_sensitivity(small, **given)
