"""Users' own problems with several peaks: all concepts find the best one, or do not claim to."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.solve.dynamic import custom, own

CONCEPTS = ("myopic", "stationary", "open-loop", "markov")


def two_peaks(width: float, at: float = 0.93) -> ag.TrustControl:
    """A peak of 1 at 0.05 and one of 1.2 elsewhere; trust stays."""

    def payoff(s, a):
        return np.exp(-(((a - 0.05) / 0.03) ** 2)) + 1.2 * np.exp(-(((a - at) / width) ** 2))

    return ag.TrustControl(payoff, lambda s, a: s, initial=(1.0,))


@pytest.mark.parametrize("concept", CONCEPTS)
@pytest.mark.parametrize(
    ("width", "at"), [(0.03, 0.93), (0.012, 0.93), (0.012, 0.9297), (0.01, 0.5)]
)
def test_the_higher_of_two_peaks_is_found(concept: str, width: float, at: float) -> None:
    path = ag.solve_trust_path(two_peaks(width, at), concept, 3, 0.5)
    assert path.value == pytest.approx(2.4, abs=1e-6)  # 1.2 a period, for ever at 0.5.
    assert path.actions == pytest.approx([at] * 3, abs=1e-3)
    certificate = path.certificate
    assert certificate.verdict == "approximate"
    assert certificate.deviation_gain <= 1e-6
    assert "step 0.0156" in certificate.scope
    assert "step 0.00391" in certificate.scope


def test_a_path_at_the_lower_peak_is_not_verified() -> None:
    control = two_peaks(0.012)
    for concept, announced in (("open-loop", np.full(3, 0.05)), ("stationary", np.array([0.05]))):
        value = custom.path_value(control, 0.5, announced)
        low = own._path(
            control, concept, 3, 0.5, lambda _, t, a=announced: a[[min(t, len(a) - 1)]], value
        )
        assert low.certificate.verdict == "unverified"  # Nothing is claimed before it is checked.
        judged = own._judged(control, low, announced).certificate
        assert judged.verdict == "unverified"
        assert judged.deviation_gain == pytest.approx(
            {"open-loop": 0.2, "stationary": 0.4}[concept], abs=0.05
        )
    myopic = own._path(control, "myopic", 3, 0.5, lambda s, t: np.full(len(s), 0.05), 2.0)
    judged = own._judged(control, myopic, None).certificate
    assert judged.verdict == "unverified"
    assert judged.deviation_gain == pytest.approx(0.2, abs=0.05)


def test_a_peak_between_the_actions_searched_is_seen_by_the_check() -> None:
    # On the flank of the other peak, between 4 / 64 and 5 / 64: the search sees no peak there.
    for concept in CONCEPTS:
        found = ag.solve_trust_path(two_peaks(0.0006, 16.5 / 256), concept, 3, 0.5).certificate
        assert found.verdict == "unverified"
        assert found.deviation_gain > 0.1


def test_announced_paths_of_three_states_leave_a_lower_peak_by_deviations() -> None:
    flat = two_peaks(0.012)
    three = dataclasses.replace(flat, initial=(1.0, 1.0, 1.0), states=("x", "y", "z"))
    found = ag.solve_trust_path(three, "open-loop", 3, 0.5)
    assert found.value == pytest.approx(2.4, abs=1e-6)


def test_values_of_plans_are_those_of_their_paths() -> None:
    control = ag.TrustControl(
        lambda s, a: a * (1 - a) + s[:, 0],
        lambda s, a: 0.9 * s * (1 - 0.3 * a[:, None]),
        initial=0.8,
    )
    plans = np.random.default_rng(3).uniform(size=(4, 5))
    one_by_one = [custom.path_value(control, 0.7, plan) for plan in plans]
    assert custom.plan_values(control, 0.7, plans) == pytest.approx(one_by_one, abs=1e-12)


def test_forbidden_actions_do_not_stop_announced_paths() -> None:
    control = ag.TrustControl(
        lambda s, a: np.where(a > 0.8, -np.inf, 1 - (a - 0.6) ** 2), lambda s, a: s, initial=(1.0,)
    )
    found = ag.solve_trust_path(control, "open-loop", 3, 0.5)
    assert found.actions == pytest.approx([0.6] * 3, abs=1e-5)
    assert found.certificate.verdict == "approximate"
