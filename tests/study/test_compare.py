"""Comparisons: the decomposition is exact, verdicts follow docs/theory/outcomes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import InvalidValueError
from alliancegame.solve import measures
from alliancegame.study.outcomes import OUTCOMES, outcome


@pytest.fixture(scope="module")
def game():
    return ag.load_model("nato-2024")


PLANS = [
    ag.Plan(threat=0.2),
    ag.Plan(threat=0.5),
    ag.Plan(threat=0.5, burden=0.03),
    ag.Plan(threat=1.0, demand=0.02),
    ag.Plan(burden=0.04),
    ag.Plan(),
]


@pytest.mark.parametrize("plan", PLANS, ids=lambda p: p.describe())
def test_decomposition_adds_up(game, plan):
    c = ag.compare(game, plan)
    total = c.commitment + c.leverage + c.trust_loss
    assert total == pytest.approx(c.delta_payoff, abs=1e-15)
    if plan.burden is None:
        assert c.commitment == 0
    if not plan.pressure:
        assert c.leverage == c.trust_loss == 0


def test_parts_are_what_they_are_called(game):
    plan = ag.Plan(threat=0.5, burden=0.03)
    c = ag.compare(game, plan)
    quiet = ag.respond(game, ag.Plan(burden=0.03))
    harmless = ag.respond(game.replace(decay=0.0), plan)
    a = ag.solve_nash(game)
    assert c.commitment == pytest.approx(quiet.leader_payoff - a.leader_payoff, abs=1e-15)
    assert c.leverage == pytest.approx(harmless.leader_payoff - quiet.leader_payoff, abs=1e-15)
    best = ag.solve_stackelberg(game, ("burden",)).leader_payoff
    assert c.versus_best_burden == pytest.approx(c.result.leader_payoff - best, abs=1e-15)


def test_flagship_verdicts(game):
    assert ag.compare(game, ag.Plan(threat=0.2)).outcome == "success"
    backfire = ag.compare(game, ag.Plan(threat=0.9))
    assert backfire.outcome == "backfire"
    assert "influence_backfire" in backfire.flags
    assert ag.compare(game, ag.Plan()).outcome == "status quo"


def test_a_harmful_commitment_explains_its_loss(game):
    c = ag.compare(game, ag.Plan(burden=0.08))
    assert c.outcome == "futile"
    assert "self_inflicted" in c.flags


def test_allied_spending_alone_says_nothing(game):
    """With and without decay it is nearly the same while the leader's gain has opposite signs."""
    plan = ag.Plan(threat=0.6)
    harmless, harmful = (ag.compare(game.replace(decay=k), plan) for k in (0.0, 0.6))
    assert harmless.result.allied_burden == pytest.approx(harmful.result.allied_burden, rel=0.02)
    assert harmless.delta_payoff > 0 > harmful.delta_payoff


def test_money_is_the_consumption_equivalent(game):
    c = ag.compare(game, ag.Plan(threat=0.5))
    gdp, x = game.by_member("gdp"), c.baseline.burdens
    for i, member in enumerate(game.members):
        row = c.table.loc[member]
        assert row["ev"] == pytest.approx(np.expm1(row["delta_payoff"]), rel=1e-12)
        assert row["usd_bn"] == pytest.approx(row["ev"] * gdp[i] * (1 - x[i]), rel=1e-12)
    richer = np.log(1 - x[0] + (1 - x[0]) * c.table["ev"].iloc[0]) - np.log(1 - x[0])
    assert richer == pytest.approx(c.table["delta_payoff"].iloc[0], abs=1e-14)


def _moved(e, payoff=0.0, saved=0.0, influence=0.0):
    """The same equilibrium with the leader's payoff, savings and influence moved."""
    lead = e.game.members.leader_index
    payoffs, influences = e.payoffs.copy(), e.influences.copy()
    securities = e.securities.copy()
    payoffs[lead] += payoff
    influences[lead] += influence
    spent = measures.contributions(e.game, e.burdens)[lead]
    securities[lead] = spent / (1 - (e.savings + saved))
    return dataclasses.replace(e, payoffs=payoffs, influences=influences, securities=securities)


@pytest.mark.parametrize(
    ("payoff", "saved", "influence", "expected"),
    [
        (1e-5, 1e-3, -1e-3, "success"),
        (1e-5, 1e-3, 1e-3, "windfall"),
        (1e-5, -1e-3, -1e-3, "windfall"),
        (-1e-5, 1e-3, -1e-3, "backfire"),
        (-1e-5, -1e-3, -1e-3, "futile"),
        (0.0, 1e-3, -1e-3, "break-even"),
        (1e-10, 0.0, 0.0, "status quo"),
    ],
)
def test_every_outcome(game, payoff, saved, influence, expected):
    a = ag.solve_nash(game)
    assert outcome(a, _moved(a, payoff, saved, influence)) == expected
    assert expected in OUTCOMES


def test_compensated_savings_place_plans_on_the_right_side_of_the_isoquant(game):
    """On (cs^c, I) a plan lies above A's isoquant exactly if the leader is better off."""
    from alliancegame.study.frontier import isoquant

    a = ag.solve_nash(game)
    assert a.compensated_savings == pytest.approx(a.savings, abs=1e-12)
    for threat in (0.1, 0.3, 0.44, 0.5, 0.8, 1.0):
        e = ag.solve_nash(game, ag.Plan(threat=threat))
        on_curve = isoquant(game, a.leader_payoff, [e.leader_influence])[0]
        assert (e.compensated_savings > on_curve) == (e.leader_payoff > a.leader_payoff)


def test_national_interest_has_the_slope_of_the_payoff_at_a(game):
    c = ag.compare(game, ag.Plan(threat=0.2))
    a = c.baseline
    weight = c.national_interest()["weight"]
    lead = game.members.leader_index
    size = a.securities[lead] / measures.leader_scale(game)
    published = 1 / (
        1 + (a.savings / 0.01) * size / (1 - (1 - a.savings) * size)
    )  # docs/theory/outcomes
    assert weight == pytest.approx(published, rel=1e-12)
    for curvature in (0.0, 0.5, -1.0):
        psi = c.national_interest(curvature)["weight"]

        def interest(saved, influence, psi=psi, curvature=curvature):
            return measures.national_interest(psi, saved, influence, curvature)

        def worth(saved, influence):
            return np.log(1 - (1 - saved) * size) + 0.01 * np.log(influence)

        h, point = 1e-6, (a.savings, a.leader_influence)
        slopes = [
            (f(point[0] + h, point[1]) - f(point[0] - h, point[1]))
            / (f(point[0], point[1] + h) - f(point[0], point[1] - h))
            for f in (interest, worth)
        ]
        assert slopes[0] == pytest.approx(slopes[1], rel=1e-6)


def test_several_plans_and_round_trip(game, tmp_path):
    cs = ag.compare(game, [ag.Plan(threat=0.2), ag.Plan(threat=0.9)])
    assert [c.outcome for c in cs] == ["success", "backfire"]
    assert len(cs.to_frame()) == 2
    cs.to_json(tmp_path / "c.json")
    back = ag.load_result(tmp_path / "c.json")
    assert [c.delta_payoff for c in back] == [c.delta_payoff for c in cs]
    assert "success" in cs[0].to_latex() or "USA" in cs[0].to_latex()


def test_explain_takes_every_number_from_the_result(game):
    c = ag.compare(game, ag.Plan(threat=0.5))
    text = ag.explain(c)
    assert "backfires (C)" in text
    assert f"{c.result.allied_burden:.2%}" in text
    assert f"{c.trust_loss:+.3g}" in text
    assert "certified" in text
    with pytest.raises(InvalidValueError, match="compare"):
        ag.explain(c.result)


def test_compare_refuses_what_is_no_plan(game):
    with pytest.raises(InvalidValueError, match="Plan"):
        ag.compare(game, [0.3])


def test_with_a_discount_factor_a_plan_kept_for_ever_is_weighed() -> None:
    """First period and present value against A for ever, period by period by hand."""
    small = ag.load_model("three-allies").replace(recovery=0.2, trust=0.9)
    for plan in (ag.Plan(threat=0.3, burden=0.035), ag.Plan(threat={"Large": 0.5, "Middle": 0.1})):
        c = ag.compare(small, plan, discount=0.8)
        pressed, quiet, total = np.full(4, 0.9), 0.9, 0.0
        hit = np.exp(-0.4 * plan.threat_by_member(small.members))
        for t in range(160):
            there = small.replace(trust=pressed * hit, decay=0.0)
            calm = small.replace(trust=quiet)
            gain = ag.solve_nash(there, plan).leader_payoff - ag.solve_nash(calm).leader_payoff
            if t == 0:
                assert c.lasting.first == pytest.approx(gain, abs=1e-12)
                assert gain == pytest.approx(c.delta_payoff, abs=1e-12)
            total += 0.8**t * gain
            pressed, quiet = pressed * hit + 0.2 * (1 - pressed * hit), quiet + 0.2 * (1 - quiet)
        assert c.lasting.value == pytest.approx(total, abs=1e-9)
        yearly = np.expm1(0.2 * total) * (1 - c.baseline.burdens[0]) * 24000
        assert c.present_value_usd_bn == pytest.approx(yearly / 0.2, rel=1e-9)


def test_trust_at_a_ceiling_of_many_digits_is_kept_for_ever() -> None:
    """Periods solved one by one: trust is rounded there, and must not be refused as above its ceiling."""
    ceiling = [1.0, 0.77325098765432178, 1 - 2**-53, 2 / 3]
    game = ag.load_model("three-allies").replace(
        trust=ceiling, trust_ceiling=ceiling, recovery=1.0, shortfall="trigger"
    )
    plan = ag.Plan(threat=0.2, burden=0.034)
    found = ag.compare(game, plan, discount=0.5)
    assert found.lasting.first == pytest.approx(found.delta_payoff, abs=1e-12)
    assert found.lasting.value == pytest.approx(2 * found.delta_payoff, abs=1e-11)


def test_dynamic_backfire_is_a_flag_only_with_a_discount_factor(game, tmp_path) -> None:
    plan = ag.Plan(threat=0.2)
    once = ag.compare(game, plan)
    assert once.delta_payoff > 0
    assert once.dynamic_backfire is None
    assert "dynamic_backfire" not in once.flags
    patient, hasty = (ag.compare(game, plan, discount=d) for d in (0.95, 0.05))
    assert patient.dynamic_backfire is True
    assert patient.flags == (*once.flags, "dynamic_backfire")
    assert hasty.dynamic_backfire is False
    assert patient.outcome == once.outcome == "success"
    assert "present value" in ag.explain(patient)
    assert patient.row()["discount"] == 0.95
    patient.to_json(tmp_path / "c.json")
    back = ag.load_result(tmp_path / "c.json")
    assert back.lasting == patient.lasting
    assert back.flags == patient.flags
    both = ag.compare(game, [plan, ag.Plan()], discount=0.9)
    assert [c.dynamic_backfire for c in both] == [True, False]
    for bad in (0, 1, "x", np.nan, [], True):
        with pytest.raises(InvalidValueError, match="discount"):
            ag.compare(game, plan, discount=bad)
