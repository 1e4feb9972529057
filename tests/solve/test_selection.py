"""Optimistic and pessimistic selection, and what the rest of the library does with triggers."""

from __future__ import annotations

import json

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import UnsupportedFormError
from alliancegame.solve.result import result_from_dict
from tests.solve.test_triggers import TriggerHand, k6


@pytest.fixture(scope="module")
def triggers():
    return ag.load_model("three-allies").replace(shortfall="trigger")


def test_k6_supremum_is_not_attained():
    """The largest demand complied with: met in one answer, not in the other; by the formula."""
    most = 0.0743070678  # theta z - P, z = -W_{-1}(-exp(-1 - P / theta)).
    top = 1 - 0.02 + 0.04 * np.log(0.02 + most)
    kind = ag.solve_stackelberg(k6(), ("demand",), threat=1.0, burden=0.02)
    assert kind.plan.demand == pytest.approx(most, abs=1e-8)
    assert kind.optimistic_value == pytest.approx(top, abs=1e-8)
    assert kind.pessimistic_value == pytest.approx(top, abs=1e-8)
    assert not kind.attained
    grim = ag.solve_stackelberg(k6(), ("demand",), threat=1.0, burden=0.02, selection="pessimistic")
    assert grim.plan.demand < most
    assert grim.response.certificate.unique == "proven"
    assert 0 < grim.epsilon < 1e-5
    assert grim.leader_payoff == pytest.approx(grim.pessimistic_value - grim.epsilon, abs=1e-9)
    assert result_from_dict(json.loads(grim.to_json())).to_json() == grim.to_json()


def test_one_answer_has_one_value():
    game = ag.load_model("three-allies")
    for selection in ("optimistic", "pessimistic"):
        found = ag.solve_stackelberg(game, selection=selection)
        assert found.optimistic_value == found.pessimistic_value
        assert found.attained
        assert found.inadmissible == 0


def test_worst_root_where_simultaneous_nash_is_multiple():
    """Three equilibria whatever the threat, which asks for next to nothing: the worst counts."""
    game = ag.BurdenSharingGame(
        ["L", "A", "B", "C", "D"], "L", [2, 1, 1, 1, 1], 0.04, influence_weight=0.002,
        private_weight=0.001, spillin=0.0,
    )  # fmt: skip
    low = ag.solve_stackelberg(game, ("threat",), demand=0.0001, selection="pessimistic")
    payoffs = [e.leader_payoff for e in ag.find_equilibria(game, low.plan)]
    assert len(payoffs) == 3
    assert low.leader_payoff == pytest.approx(min(payoffs), abs=1e-9)
    assert low.pessimistic_value < low.optimistic_value - 0.02


def test_stackelberg_with_triggers_beats_plans_by_hand(triggers):
    found = ag.solve_stackelberg(triggers, ("threat",), demand=0.02, burden=0.03)
    assert found.certificate.verdict == "certified"
    for threat in np.linspace(0, 1, 9):
        plan = ag.Plan(threat=float(threat), demand=0.02, burden=0.03)
        for other in ag.find_equilibria(triggers, plan):
            assert other.leader_payoff <= found.leader_payoff + 1e-9
            by_hand = TriggerHand(triggers, plan)
            assert by_hand.payoff(0, other.burdens.tolist()) == pytest.approx(other.leader_payoff)


def test_compare_with_triggers(triggers):
    plan = ag.Plan(threat=0.4, demand=0.02, burden=0.03)
    c = ag.compare(triggers, plan)
    assert c.commitment + c.leverage + c.trust_loss == pytest.approx(c.delta_payoff, abs=1e-12)
    assert np.isfinite(c.versus_best_burden)
    assert c.outcome in ag.explain(c) or "Plan" in ag.explain(c)


def test_cells_with_triggers_are_single_calls(triggers):
    plan = ag.Plan(burden=0.03)
    swept = ag.sweep(triggers, {"threat": [0.1, 0.6], "demand": [0.015, 0.03]}, plan)
    assert (swept["status"].values <= 1).all()
    for threat in (0.1, 0.6):
        for demand in (0.015, 0.03):
            one = ag.respond(triggers, ag.Plan(threat=threat, demand=demand, burden=0.03))
            cell = swept.sel(threat=threat, demand=demand)
            np.testing.assert_allclose(cell["burden"].values, one.burdens, rtol=1e-12)
    both = ag.sweep(
        triggers,
        {"shortfall": ["trigger", "proportional"]},
        ag.Plan(threat=0.5, demand=0.04, burden=0.03),
    )
    assert both["leader_payoff"].values[0] != both["leader_payoff"].values[1]


def test_calibration_takes_no_notice_of_triggers(triggers):
    a = ag.solve_nash(triggers)
    again = ag.calibrate(triggers, observed=a.burden)
    assert again.shortfall == "trigger"
    np.testing.assert_allclose(
        again.by_member("security_weight"), triggers.by_member("security_weight"), rtol=1e-6
    )


def test_what_is_not_written_for_triggers_says_so(triggers):
    plan = ag.Plan(threat=0.4, demand=0.02)
    for call in (
        lambda: ag.backfire_threshold(triggers, demand=0.02),
        lambda: ag.solve_stackelberg(
            triggers.replace(trade_exposure=0.1), ("tariff",), demand=0.02
        ),
        lambda: ag.frontier(triggers),
        lambda: ag.discretise(triggers, plans=[ag.Plan(), plan], burdens=[0.01, 0.02]),
        lambda: ag.solve_trust_path(triggers, concept="myopic"),
    ):
        with pytest.raises(UnsupportedFormError, match="trigger"):
            call()
