"""Patience, recovery times and regimes, against paths solved one by one and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import InvalidValueError, UnknownNameError, UnsupportedFormError
from alliancegame.study.trust_regimes import REGIMES, _levels


@pytest.fixture(scope="module")
def game():
    return ag.load_model("three-allies").replace(recovery=0.2)


def test_patience_thresholds_agree_with_paths(game) -> None:
    found = ag.patience_threshold(game)
    assert found.myopic == pytest.approx(ag.solve_stackelberg(game).plan.threat, abs=1e-5)
    assert 0 < found.below < found.never < 1
    for discount, threatens in ((found.never - 0.02, True), (found.never + 0.02, False)):
        path = ag.solve_trust_path(game, "markov", periods=2, discount=discount)
        assert (path.first_threat > 1e-3) == threatens
    at = float(np.interp(0.3, found.discounts, found.first_threats))
    path = ag.solve_trust_path(game, "markov", periods=2, discount=0.3)
    assert path.first_threat == pytest.approx(at, abs=2e-3)


def test_an_own_corner_lasts_up_to_some_patience(game) -> None:
    """With little decay the myopic threat is a full one, and a little patience does not change it."""
    found = ag.patience_threshold(game.replace(decay=0.1))
    assert found.myopic == 1.0
    assert found.below > 0.5
    assert found.first_threats[0] == 1.0


def test_flagship_agrees_with_an_independent_value_iteration() -> None:
    """That one found no threat from a discount factor of 0.5 on, the one-shot optimum being 0.23."""
    found = ag.patience_threshold(ag.load_model("nato-2024"))
    assert found.myopic == pytest.approx(0.2251, abs=1e-4)
    assert 0.3 < found.never < 0.5
    assert np.all(found.first_threats[found.discounts >= 0.5] == 0)


def test_recovery_time_in_closed_form(game) -> None:
    """Without components (1 - mu)^k of the loss is left after k periods."""
    for share in (0.5, 0.9):
        found = ag.recovery_time(game, 1.0, share=share)
        assert found.periods == math.ceil(math.log(1 - share) / math.log(0.8))
        assert found.expected == found.periods
        assert found.lost == pytest.approx(1 - math.exp(-0.4))
    assert ag.recovery_time(game.replace(recovery=0.0)).periods == math.inf
    assert ag.recovery_time(game, 0.0).periods == 0


def test_recovery_time_over_turnover_by_simulation(game) -> None:
    law = game.replace(institutional_share=0.5, recovery=0.05, personal_recovery=0.1, turnover=0.25)
    found = ag.recovery_time(law, 1.0, share=0.6)
    rng = np.random.default_rng(3)
    waits = []
    for _ in range(20_000):
        institution, person, passed = 1.0, 1.0, 0
        institution, person = (v * math.exp(-0.4) for v in (institution, person))
        goal = math.exp(-0.4) + 0.6 * (1 - math.exp(-0.4))
        while math.sqrt(institution * person) < goal - 1e-12:
            institution += 0.05 * (1 - institution)
            person += 0.1 * (1 - person)
            if rng.random() < 0.25:
                person = 1.0
            passed += 1
        waits.append(passed)
    assert found.expected == pytest.approx(np.mean(waits), abs=4 * np.std(waits) / 141)
    assert found.periods == max(waits)


def test_marriage_trust_that_never_returns() -> None:
    """One threat, recovery zero: what the first year gains, all later years lose."""
    game = ag.load_model("three-allies")
    path = ag.dynamic_backfire(game, [0.3, 0.0], discount=0.95, periods=30)
    assert path.dynamic_backfire
    assert np.allclose(path.operating_trust[:, 1:], math.exp(-0.4 * 0.3))
    losses = path.payoffs[1:, 0] - path.never_first
    assert np.all(losses < 0)
    assert ag.recovery_time(game, 0.3).periods == math.inf
    impatient = ag.dynamic_backfire(game, [0.3, 0.0], discount=0.05, periods=3)
    assert not impatient.dynamic_backfire


@pytest.mark.long
def test_regimes_agree_with_paths(game, tmp_path) -> None:
    over = {"decay": [0.05, 0.8], "discount": [0.2, 0.8]}
    found = ag.trust_regimes(game, over)
    frame = found.to_frame()
    for row in frame.itertuples():
        path = ag.solve_trust_path(
            game.replace(decay=row.decay), "markov", periods=60, discount=row.discount
        )
        assert path.first_threat == pytest.approx(row.markov_threat, abs=1e-3)
        assert path.states[-1, 0] == pytest.approx(row.long_trust, abs=2e-3)
    for k, row in enumerate(frame.itertuples()):
        other = game.replace(decay=row.decay)
        myopic = ag.solve_trust_path(other, "myopic", periods=1, discount=row.discount)
        assert row.myopic_threat == pytest.approx(myopic.first_threat, abs=1e-4)
        if k == 1:
            kept = ag.solve_trust_path(other, "stationary", periods=1, discount=row.discount)
            assert row.stationary_threat == pytest.approx(kept.first_threat, abs=0.01)
    assert (found.open_loop_threats == found.first_threats).all()  # K12: a law without turnover.
    assert frame["regime"].iloc[0] == "lasting"
    assert frame["regime"].iloc[-1] == "never"
    assert set(frame["regime"]) <= set(REGIMES)
    found.to_json(tmp_path / "r.json")
    assert ag.load_result(tmp_path / "r.json").to_frame().equals(frame)


def test_collapse_and_levels_of_long_run_trust(game) -> None:
    """A leader without a tomorrow, decay that outruns slow recovery: trust collapses."""
    lost = game.replace(
        influence_weight={"Leader": 0.0}, recovery=0.3, recovery_threshold=0.6, trust=1.0
    )
    found = ag.trust_regimes(lost, {"decay": [0.5], "discount": [0.05, 0.3]})
    assert found.to_frame()["regime"].eq("collapse").all()


def test_levels_of_a_map() -> None:
    x = np.linspace(0, 1, 401)
    pull = x + 0.4 * (x - 0.201) * (x - 0.503) * (0.897 - x)
    levels, threshold = _levels(x, pull)
    assert levels == 2
    assert threshold == pytest.approx(0.503, abs=3e-3)
    assert _levels(x, 0.5 + 0.5 * (x - 0.5))[0] == 1
    assert _levels(x, x)[0] == math.inf


def test_bad_input(game) -> None:
    with pytest.raises(InvalidValueError, match="two parameters"):
        ag.trust_regimes(game, {"decay": [0.1]})
    with pytest.raises(UnknownNameError, match="discount"):
        ag.trust_regimes(game, {"decay": [0.1], "discont": [0.5]})
    with pytest.raises(InvalidValueError, match="discount must be in"):
        ag.trust_regimes(game, {"decay": [0.1], "discount": [1.0]})
    with pytest.raises(InvalidValueError, match="recovery must be in"):
        ag.trust_regimes(game, {"recovery": [1.1], "discount": [0.5]})
    with pytest.raises(UnsupportedFormError, match="one state"):
        ag.trust_regimes(game.replace(scarring=0.1), {"decay": [0.1], "discount": [0.5]})
    with pytest.raises(InvalidValueError, match="most"):
        ag.patience_threshold(game, most=1.0)
    with pytest.raises(InvalidValueError, match="share"):
        ag.recovery_time(game, share=0.0)
