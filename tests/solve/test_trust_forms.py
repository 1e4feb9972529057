"""Trust over time beyond the plain forms: tariffs, hubs, logistic shortfalls; what is refused, and why."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import ConvergenceError, UnsupportedFormError
from alliancegame.game.parameters import Array
from alliancegame.solve.dynamic.announced import Announced
from alliancegame.solve.dynamic.law import AllianceLaw, groups_of
from alliancegame.solve.dynamic.slopes import slopes
from alliancegame.solve.dynamic.stage import Stage
from alliancegame.solve.result import result_from_dict
from tests.oracle import Hand

TARIFF: dict[str, Any] = {
    "trade_exposure": [0.0, 0.1, 0.2, 0.05], "deadweight": 0.3, "tariff_decay": 0.5,
}  # fmt: skip
HUB: dict[str, Any] = {
    "influence": "hub", "influence_value": "share", "consumption": "linear", "substitution": 0.8,
    "rival_pull": 20.0, "influence_weight": [0.05, 0.005, 0.005, 0.005],
}  # fmt: skip
LOGISTIC: dict[str, Any] = {"shortfall": "logistic", "width": 0.01}
FORMS = [
    pytest.param(TARIFF, 0.2, id="tariff"),
    pytest.param(HUB, 0.0, id="hub"),
    pytest.param(LOGISTIC, 0.0, id="logistic", marks=pytest.mark.long),
]


def small(**changes: Any) -> ag.BurdenSharingGame:
    return ag.load_model("three-allies").replace(recovery=0.2, **changes)


def levied(game: ag.BurdenSharingGame, tariff: float) -> Array | None:
    return ag.Plan(tariff=tariff).tariff_by_member(game.members) if tariff else None


@pytest.mark.parametrize(("form", "tariff"), FORMS)
def test_stage_slopes_against_differences(form: dict[str, Any], tariff: float) -> None:
    rng = np.random.default_rng(0)
    game = small(cohesion=0.4, trust_ceiling=0.9, trust=0.8, **form)
    rates = levied(game, tariff)
    law = AllianceLaw(game, groups_of(game, True, rates), rates)
    stage = Stage(game, law.group, np.full(game.size, 0.05), rates)
    threat, trust = rng.uniform(0.2, 0.8, (6, 3)), rng.uniform(0.4, 1, (6, 3))
    own, h = rng.uniform(0.02, 0.05, 6), 1e-5
    found = slopes(stage, threat, trust, own)
    for j in range(3):
        e = np.eye(3)[j] * h
        i = stage._allies[j]
        by_threat = stage.payoff(threat + e, trust, own) - stage.payoff(threat - e, trust, own)
        by_trust = stage.payoff(threat, trust + e, own) - stage.payoff(threat, trust - e, own)
        assert np.allclose(found.threat[:, i], by_threat / (2 * h), atol=1e-9)
        assert np.allclose(0.9 * found.trust[:, i], by_trust / (2 * h), atol=1e-9)
    by_own = stage.payoff(threat, trust, own + h) - stage.payoff(threat, trust, own - h)
    assert np.allclose(found.burden, by_own / (2 * h), atol=1e-6)
    problem = Announced(law, 0.8, stage, 3)
    threats, burdens = rng.uniform(0.1, 0.6, (4, 3)), rng.uniform(0.03, 0.04, 4)
    _, by_path, _ = problem.worth(threats, burdens, 10)
    for t in range(4):
        e = np.zeros_like(threats)
        e[t, 1] = h
        up, down = (problem.worth(threats + s * e, burdens, 10)[0] for s in (1, -1))
        assert by_path[t, 1] == pytest.approx((up - down) / (2 * h), abs=1e-9)


@pytest.mark.parametrize(("form", "tariff"), FORMS)
def test_announcing_is_worth_as_much_as_the_policy(form: dict[str, Any], tariff: float) -> None:
    game = small(**form).replace(decay=0.3)
    markov = ag.solve_trust_path(game, "markov", periods=6, discount=0.3, tariff=tariff)
    announced = ag.solve_trust_path(game, "open-loop", periods=6, discount=0.3, tariff=tariff)
    assert announced.value == pytest.approx(markov.value, abs=1e-7)
    assert markov.certificate.verdict == announced.certificate.verdict == "approximate"
    assert ("not concave" in markov.certificate.scope) == (form is LOGISTIC)


def test_every_period_by_hand() -> None:
    """Trust, payoffs and the value against no pressure; a tariff of its own on each ally."""
    game = small(**TARIFF)
    rates = {"Large": 0.3, "Frontier": 0.6}
    path = ag.follow_trust_path(game, [0.4, 0.1], periods=4, discount=0.5, tariff=rates)
    tariff = np.array([0.0, 0.3, 0.0, 0.6])
    trust = np.ones(4)
    for t in range(4):
        tau = 0.4 if t == 0 else 0.1
        hit = trust * np.exp(-0.4 * tau - 0.5 * tariff)
        assert path.operating_trust[t, 1:] == pytest.approx(hit[1:], abs=1e-15)
        still = game.replace(trust=hit, decay=0.0, tariff_decay=0.0)
        hand = Hand(still, ag.Plan(tau, 0.05, float(path.burdens[t, 0]), rates))
        x = hand.equilibrium(sweeps=400)
        assert x.settled
        assert path.burdens[t] == pytest.approx(x.burdens, abs=1e-9)
        assert path.payoffs[t] == pytest.approx(hand.payoffs(x.burdens), abs=1e-9)
        trust = hit + 0.2 * (1 - hit)
    none = ag.follow_trust_path(game, [0.0], periods=1, discount=0.5)
    assert path.never == pytest.approx(none.value, abs=1e-12)
    assert path.never_first == pytest.approx(none.payoffs[0, 0], abs=1e-12)
    back = result_from_dict(json.loads(path.to_json()))
    assert isinstance(back, ag.TrustPath)
    assert back.tariff == rates
    assert back.to_json() == path.to_json()
    assert "against no pressure" in path.headline()


def test_a_tariff_with_its_own_cost_of_trust_backfires_in_time() -> None:
    """It gains in the first period and loses for ever, by hand; without the cost of trust it gains."""
    dear = small(**TARIFF).replace(tariff_decay=0.4, recovery=0.0)
    plan = ag.Plan(tariff=0.1, demand=0.03, burden=0.034)
    flags = {cost: ag.compare(dear.replace(tariff_decay=cost), plan, discount=0.9).flags
             for cost in (0.0, 0.4)}  # fmt: skip
    assert "dynamic_backfire" in flags[0.4]
    assert "dynamic_backfire" not in flags[0.0]
    lasting = ag.compare(dear, plan, discount=0.5).lasting
    assert lasting is not None
    a, value, trust = ag.solve_nash(dear).leader_payoff, 0.0, 1.0
    for t in range(40):
        trust *= np.exp(-0.4 * 0.1)
        hand = Hand(dear.replace(trust=trust, tariff_decay=0.0), plan)
        x = hand.equilibrium(sweeps=400)
        value += 0.5**t * (hand.payoff(0, x.burdens) - a)
        if t == 0:
            assert lasting.first == pytest.approx(value, abs=1e-10)
    assert lasting.value == pytest.approx(value, abs=1e-9)


PRESSED = ag.Plan(threat=0.3, demand=0.02, burden=0.03)


@pytest.mark.parametrize(
    ("form", "plan"),
    [
        (TARIFF, ag.Plan(threat=0.3, tariff=0.2)),
        (HUB, PRESSED),
        (HUB, ag.Plan(threat=0.3)),
        ({"shortfall": "trigger"}, PRESSED),
        ({"technology": "best-shot", "umbrella": 0.3, "spillin": 0.5}, PRESSED),
        ({"technology": "weakest-link", "umbrella": 0.5}, ag.Plan(burden=0.03)),
        pytest.param(LOGISTIC, PRESSED, marks=pytest.mark.long),
    ],
)
def test_where_trust_returns_at_once_every_period_is_the_first(
    form: dict[str, Any], plan: ag.Plan
) -> None:
    game = small(**form).replace(recovery=1.0)
    found = ag.compare(game, plan, discount=0.8)
    assert found.lasting is not None
    assert found.lasting.first == pytest.approx(found.delta_payoff, abs=1e-9)
    assert found.lasting.value == pytest.approx(found.delta_payoff / 0.2, abs=1e-8)


def test_triggers_kept_for_ever_period_by_period() -> None:
    game = small(shortfall="trigger").replace(recovery=0.5)
    lasting = ag.compare(game, PRESSED, discount=0.5).lasting
    assert lasting is not None
    a, value, trust = ag.solve_nash(game).leader_payoff, 0.0, 1.0
    for t in range(45):
        trust *= np.exp(-0.4 * 0.3)
        period = ag.respond(game.replace(trust=trust, decay=0.0), PRESSED)
        value += 0.5**t * (period.leader_payoff - a)
        trust += 0.5 * (1 - trust)
    assert lasting.value == pytest.approx(value, abs=1e-10)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"shortfall": "trigger"}, "jump at their demand"),
        ({"technology": "best-shot"}, "best-shot"),
        ({"technology": "weakest-link"}, "weakest-link"),
        ({"substitution": 2.0}, "substitution = 2 > 1"),
    ],
)
def test_forms_with_several_answers_in_a_period_are_refused_by_name(
    form: dict[str, Any], words: str
) -> None:
    with pytest.raises(UnsupportedFormError, match=words):
        ag.solve_trust_path(small(**form), "markov", periods=2)


@pytest.mark.long
def test_what_is_no_answer_of_the_allies_is_not_verified() -> None:
    """So steep a shortfall that conditions hold where an ally gains by giving in, or by defying."""
    steep = small(shortfall="logistic", width=0.002).replace(decay=0.15)
    path = ag.follow_trust_path(steep, [0.8], periods=3, discount=0.5, demand=0.05)
    assert path.certificate.verdict == "unverified"
    period = steep.replace(trust=path.operating_trust[0], decay=0.0)
    plan = ag.Plan(0.8, 0.05, float(path.burdens[0, 0]))
    gains = Hand(period, plan).gains(path.burdens[0].tolist())
    assert max(gains) > 1e-4
    assert path.certificate.allied_regret >= max(gains) - 1e-9
    with pytest.raises(ConvergenceError, match="no answer of the allies"):
        ag.solve_trust_path(steep, "markov", periods=2, discount=0.5, demand=0.05)
