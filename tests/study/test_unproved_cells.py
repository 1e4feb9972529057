"""Cells outside the theorems: a sweep claims of them what the scalar solvers claim, and no more."""

from __future__ import annotations

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import AllianceGameError, InvalidValueError
from alliancegame.solve.tolerances import Tolerances
from alliancegame.study.cells import STATUSES, VERDICTS
from alliancegame.study.sweep import sweep
from tests.solve.test_multiple import contest

PLAN = ag.Plan(burden=0.03)


@pytest.mark.parametrize(
    ("game", "over"),
    [
        (contest(1.0), {"decisiveness": [0.5, 4.0]}),
        (contest(4.0).replace(influence_weight=0.0), {"influence_weight": [0.0, 0.5]}),
        (contest(4.0).replace(influence_weight=0.0), {"influence_weight[a]": [0.0, 0.3]}),
    ],
)
@pytest.mark.parametrize("solve", ["respond", "nash"])
def test_concavity_is_judged_cell_by_cell(game, over, solve):
    found = sweep(game, over, PLAN, solve=solve)
    ((key, values),) = over.items()
    for k, value in enumerate(values):
        name, _, member = key.partition("[")
        one = game.replace(**{name: {member[:-1]: value} if member else value})
        verdict = int(found.verdict[k])
        if verdict < 0:
            with pytest.raises(AllianceGameError):
                ag.solve_nash(one, PLAN)
            continue
        alone = ag.solve_nash(one, PLAN)
        assert VERDICTS[verdict] == alone.certificate.verdict
        profile = found.burden[k].values
        assert profile == pytest.approx(alone.burdens, abs=1e-9)
        assert float(found.regret[k]) >= ag.certify(one, profile, PLAN).regret - 1e-12


def test_sweeps_and_single_calls_choose_the_same_answer():
    game = ag.BurdenSharingGame(
        list("Lab"), "L", [3.5, 2.1, 1.2], [0.02, 0.09, 0.09],
        spillin=2.0, umbrella=0.5, return_spillin=0.5,
    )  # fmt: skip
    plan = ag.Plan(demand=0.03, burden=0.03)
    found = sweep(game, {"threat": [0, 0.25, 0.5, 0.75, 1]}, plan)
    for k, threat in enumerate(found.threat.values):
        one = ag.respond(game, plan.replace(threat=float(threat)))
        assert found.burden[k].values == pytest.approx(one.burdens, abs=1e-12)
        assert int(found.unique[k]) == (2 if one.others else 0)


def test_tolerances_decide_verdicts():
    three = ag.load_model("three-allies")
    strict = Tolerances(certified=1e-300)
    found = sweep(three, {"threat": [0.0, 0.5]}, PLAN, tolerances=strict)
    assert [VERDICTS[int(code)] for code in found.verdict] == ["approximate"] * 2
    none = Tolerances(certified=1e-301, approximate=1e-300)
    found = sweep(three, {"threat": [0.0, 0.5]}, PLAN, tolerances=none)
    assert (found.verdict == -1).all()
    assert [STATUSES[int(code)] for code in found.status] == [
        "no equilibrium found to tolerance"
    ] * 2


def test_contests_without_an_answer_are_cells_with_a_reason():
    """Batches whose neighbours come from different branches once ended a whole study."""
    over = {"decisiveness": [0.7, 2.6]}
    found = sweep(contest(1.0), over, ag.Plan(burden=0.03, threat=0.3), solve="compare")
    assert int(found.status[0]) <= 1
    assert STATUSES[int(found.status[1])] == "no equilibrium found to tolerance"
    assert "could gain" in str(found.reason[1].values)


def test_a_plan_without_burden_has_a_decomposition_that_adds_up():
    three = ag.load_model("three-allies")
    names = ["commitment", "leverage", "trust_loss", "delta_payoff", "outcome"]
    found = sweep(
        three, {"threat": [0.0, 0.5]}, ag.Plan(burden=0.0), solve="compare", outputs=names
    )
    for k, threat in enumerate((0.0, 0.5)):
        one = ag.compare(three, ag.Plan(threat=threat, burden=0.0))
        assert one.outcome == "backfire"
        assert (one.commitment, one.leverage, one.trust_loss) == (-np.inf, 0.0, 0.0)
        assert "commitment is minus infinity" in one.note
        assert one.note in one.headline()
        assert [float(found[name][k]) for name in names] == [-np.inf, 0.0, 0.0, -np.inf, 5]
    assert ag.compare(three, ag.Plan(threat=0.5)).note == ""


def test_without_trust_cost_no_loss_is_laid_on_trust():
    """A game of several equilibria: plan and plan with trust unharmed are one and the same."""
    two = ag.BurdenSharingGame(
        list("Labcd"), "L", [2, 1, 1, 1, 1], 0.04,
        influence_weight=0.002, private_weight=0.001, spillin=0.0,
    )  # fmt: skip
    plan = ag.Plan(threat=0.001, demand=0.02)
    found = ag.compare(two, plan)
    assert found.trust_loss == 0.0
    assert abs(found.leverage) < 1e-9
    # With a trust cost the unharmed plan is solved as the plan is: every root, the best of them.
    worn = ag.compare(two.replace(decay=0.4), plan.replace(threat=0.5))
    unharmed = ag.solve_nash(two, plan.replace(threat=0.5)).leader_payoff
    assert worn.trust_loss == pytest.approx(worn.result.leader_payoff - unharmed, abs=1e-12)
    assert worn.commitment + worn.leverage + worn.trust_loss == pytest.approx(worn.delta_payoff)
    swept = sweep(
        two.replace(decay=0.4), {"threat": [0.001, 0.5]}, plan, solve="compare",
        outputs=["trust_loss", "leverage"],
    )  # fmt: skip
    assert float(swept.trust_loss[1]) == pytest.approx(worn.trust_loss, abs=1e-12)


def test_a_search_over_threats_needs_a_demand_that_allies_can_meet():
    game = ag.load_model("three-allies")
    low = game.replace(burden_max={m: 0.03 if m == "Frontier" else 0.25 for m in game.members})
    for solve in ("stackelberg", "backfire_threshold"):
        found = sweep(low, {"demand": [0.05, 0.03]}, solve=solve)
        assert found.status.values.tolist()[0] == 4
        assert "demand on Frontier must be in (0, 0.03]" in str(found.reason[0].values)
        assert int(found.status[1]) <= 1
    with pytest.raises(InvalidValueError):
        ag.solve_stackelberg(low, ("threat", "burden"), demand=0.05)
    chosen = ag.solve_stackelberg(low, ("demand",), threat=0.3)
    assert chosen.plan.demand <= 0.03
