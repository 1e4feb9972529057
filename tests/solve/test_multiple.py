"""Several answers to one plan: found where they are known to exist, and claimed no further."""

from __future__ import annotations

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.solve import multiple
from alliancegame.solve.keys import Key
from alliancegame.solve.scenarios import Scenarios
from alliancegame.study.cells import solve_cells
from tests.oracle import Hand

PLAN = ag.Plan(threat=0.5, demand=0.03, burden=0.03)


def four(**changes):
    """Spill-ins above 1: whoever pays, the others need not."""
    facts = {"spillin": 2.5, "umbrella": 0.3, "return_spillin": 0.5}
    gdp, theta = [4, 2, 2.2, 1.9], [0.05, 0.06, 0.06, 0.06]
    return ag.BurdenSharingGame(list("Labc"), "L", gdp, theta, **(facts | changes))


def contest(decisiveness):
    """A contest for shares, whose payoffs are not concave for a decisiveness above 1."""
    return ag.BurdenSharingGame(
        ["L", "a", "b"], "L", [1, 1, 1], 0.05, influence_weight=0.5, influence_value="share",
        umbrella=0.5, return_spillin=0.5, decisiveness=decisiveness,
    )  # fmt: skip


def profiles(found):
    return np.array([one.burdens for one in (found, *found.others)])


def test_nash_equilibria_outside_the_followers_theorem_are_looked_for():
    game = four()
    found = ag.solve_nash(game)
    assert found.burdens == pytest.approx([0.03790239, 0, 0.03709997, 0], abs=1e-7)
    assert found.leader_payoff == pytest.approx(-0.12104, abs=5e-6)
    assert -0.12360 in [round(one.leader_payoff, 5) for one in found.others]
    for one in (found, *found.others):
        assert one.certificate.verdict == "certified"
        assert one.certificate.unique == "multiple"
        assert "not known to be complete" in one.certificate.reason
        assert max(Hand(game).gains(one.burdens.tolist(), 60)) < 1e-9


def test_each_ally_alone_can_be_the_answer_to_one_plan():
    game = four()
    found = ag.respond(game, PLAN)
    payers = [np.flatnonzero(row[1:]).tolist() for row in profiles(found)]
    assert sorted(payers) == [[0], [1], [2]]
    payoffs = [one.leader_payoff for one in (found, *found.others)]
    assert payoffs == sorted(payoffs, reverse=True)
    for one in (found, *found.others):
        assert max(Hand(game, PLAN).gains(one.burdens.tolist(), 60)) < 1e-9
        made = ag.certify(game, one.burdens, PLAN)
        assert (made.verdict, made.unique) == ("certified", "multiple")


def test_one_answer_that_is_not_proved_the_only_one_says_how_it_was_searched():
    game = ag.load_model("three-allies").replace(substitution=-0.5, private_weight=0.003)
    found = ag.respond(game, ag.Plan(threat=0.5, burden=0.03))
    assert found.others == ()
    assert found.certificate.unique == "not proven"
    assert "substitution" in found.certificate.reason
    assert "8 starts" in found.certificate.reason or "11 starts" in found.certificate.reason
    assert "not known to be complete" in found.certificate.reason


def test_where_several_answers_are_not_expected_none_are_searched_and_nothing_is_claimed():
    """Sweeps over forms stay as quick as their kernel."""
    game = ag.load_model("three-allies").replace(substitution=0.8)
    found = ag.respond(game, ag.Plan(threat=0.5, burden=0.03))
    assert (found.certificate.verdict, found.certificate.unique) == ("certified", "not proven")
    assert "starts" not in found.certificate.reason
    swept = solve_cells(game, {"burden": [0.03]}, ag.Plan(threat=0.5), outputs=["burden", "unique"])
    assert swept.values["burden"][0] == pytest.approx(found.burdens, abs=1e-12)
    assert swept.values["unique"][0] == 0


def test_answers_that_jump_with_the_leaders_burden_are_no_error():
    """The allies' answer to neighbouring burdens may come from different branches."""
    game = ag.BurdenSharingGame(
        list("Labc"), "L", [3.2, 2.5, 4, 3.8], [0.07, 0.08, 0.05, 0.03],
        spillin=3.0, umbrella=1.0, return_spillin=1.0,
    )  # fmt: skip
    plan = ag.Plan(threat=0.3, demand=0.02)
    found = ag.solve_nash(game, plan)
    assert found.certificate.verdict == "certified"
    for row in profiles(found):
        assert max(Hand(game, plan).gains(row.tolist(), 60)) < 1e-9


def test_contests_without_concave_payoffs_give_an_answer_or_say_why_not():
    found = ag.solve_nash(contest(2.6))
    assert found.certificate.verdict == "certified"
    assert max(Hand(contest(2.6)).gains(found.burdens.tolist(), 200)) < 1e-9
    for plan in (ag.Plan(threat=0.3), ag.Plan(threat=0.3, burden=0.03)):
        missing = ag.solve_nash(contest(2.6), plan, throw=False)
        assert missing.certificate.verdict in ("certified", "unverified")


def test_a_start_is_where_newton_starts_from():
    """Cells follow the start that they are given to the answer beside it."""
    cells = Scenarios(four(), PLAN, {}, np.arange(1)).repeated(3)
    answers = profiles(ag.respond(four(), PLAN))
    found = cells.solve_from(answers)
    assert found.burden == pytest.approx(answers, abs=1e-9)
    assert found.column("regret").max() < 1e-12
    assert len(answers) == len(multiple.distinct(answers.round(3))) == 3


def test_the_best_answer_for_the_leader_in_many_cells_at_once():
    """Against solve_nash, cell by cell."""
    game = ag.BurdenSharingGame(
        list("Labcd"), "L", [2, 1, 1, 1, 1], 0.04,
        influence_weight=0.002, private_weight=0.001, spillin=0.0, decay=0.4,
    )  # fmt: skip
    threats = np.linspace(0, 1, 5)
    cells = Scenarios(game, ag.Plan(demand=0.02), {Key("threat"): threats}, np.arange(5))
    payoff, burden = multiple.best_answers(cells)
    for k, threat in enumerate(threats):
        one = ag.solve_nash(game, ag.Plan(threat=threat, demand=0.02))
        assert payoff[k] == pytest.approx(one.leader_payoff, abs=1e-10)
        assert burden[k] == pytest.approx(one.burdens[0], abs=1e-9)
