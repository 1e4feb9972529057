"""The frontier identity of docs/theory/outcomes, and isoquants."""

from __future__ import annotations

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import InvalidValueError, UnsupportedFormError
from alliancegame.study.frontier import isoquant


@pytest.fixture(scope="module")
def game():
    return ag.load_model("nato-2024")


def test_downward_frontier_is_an_identity_at_q_one(game):
    f = ag.frontier(game.replace(return_spillin=1.0))
    assert f.savings + f.influences == pytest.approx(np.ones(len(f.savings)), abs=1e-12)
    assert (np.diff(f.savings) < 0).all()


@pytest.mark.parametrize("cohesion", [0.0, 0.6])
def test_lost_trust_bows_it_inward(game, cohesion):
    plan = ag.Plan(threat=0.7)
    g = game.replace(cohesion=cohesion)
    f = ag.frontier(g, plan)
    trust = ag.solve_nash(g, plan).trust[g.leader]
    q = trust * 0.5 * trust**cohesion
    formula = q * (1 - f.savings) / (q * (1 - f.savings) + f.savings)
    assert f.influences == pytest.approx(formula, abs=1e-12)
    whole = ag.frontier(g)
    at_same_savings = np.interp(f.savings, whole.savings[::-1], whole.influences[::-1])
    inner = (f.savings > 0.05) & (f.savings < 0.95)
    assert (f.influences[inner] < at_same_savings[inner]).all()


def test_every_point_is_the_response_there(game):
    f = ag.frontier(game, burdens=[0.02, 0.05])
    for k, burden in enumerate((0.02, 0.05)):
        e = ag.respond(game, ag.Plan(burden=burden))
        assert f.savings[k] == pytest.approx(e.savings, abs=1e-12)
        assert f.payoffs[k] == pytest.approx(e.leader_payoff, abs=1e-13)


def test_isoquants_decrease_and_are_convex_for_log(game):
    a = ag.solve_nash(game)
    influences = np.linspace(0.2, 0.9, 50)
    savings = isoquant(game, a.leader_payoff, influences)
    assert (np.diff(savings) < 0).all()
    assert (np.diff(savings, 2) > 0).all()
    assert isoquant(game, a.leader_payoff, [a.leader_influence])[0] == pytest.approx(a.savings)


def test_isoquants_are_vertical_where_influence_is_worth_nothing(game):
    g = game.replace(influence_weight={"USA": 0.0})
    a = ag.solve_nash(g)
    savings = isoquant(g, a.leader_payoff, [0.2, 0.5, 0.9])
    assert savings == pytest.approx(np.full(3, savings[0]), abs=1e-13)


def test_with_private_benefits_the_falling_branch_is_taken(game):
    g = game.replace(private_weight={"USA": 0.004})
    a = ag.solve_nash(g)
    assert a.compensated_savings == pytest.approx(a.savings, abs=1e-10)
    assert np.isnan(isoquant(g, a.leader_payoff + 10.0, [0.5])[0])


def test_a_very_good_plan_may_save_more_than_everything(game):
    a = ag.solve_nash(game)
    assert isoquant(game, a.leader_payoff + 0.05, [a.leader_influence])[0] > 1


@pytest.mark.parametrize("door", [ag.frontier, ag.backfire_threshold])
def test_triggers_are_refused_by_name(door):
    with pytest.raises(UnsupportedFormError, match=f"{door.__name__} is not written for shortfall"):
        door(ag.load_model("three-allies").replace(shortfall="trigger"))
    with pytest.raises(UnsupportedFormError, match=f"{door.__name__} is not .* technology"):
        door(ag.load_model("three-allies").replace(technology="best-shot"))
    with pytest.raises(InvalidValueError, match=f"{door.__name__} needs a game"):
        door("three-allies")


def test_bad_input_and_round_trip(game, tmp_path):
    with pytest.raises(InvalidValueError, match="at least 2"):
        ag.frontier(game, points=1)
    with pytest.raises(InvalidValueError, match=r"0\.25"):
        ag.frontier(game, burdens=[0.1, 0.4])
    f = ag.frontier(game, points=11)
    f.to_json(tmp_path / "f.json")
    back = ag.load_result(tmp_path / "f.json")
    assert np.array_equal(back.savings, f.savings)
