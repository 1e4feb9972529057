"""Cells outside the theorems: a sweep claims of them what the scalar solvers claim, and no more."""

from __future__ import annotations

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import AllianceGameError
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
    assert [STATUSES[int(code)] for code in found.status] == ["no equilibrium found to tolerance"] * 2


def test_uncertainty_over_contests_without_equilibria_counts_them():
    found = ag.uncertainty(
        contest(1.0), {"decisiveness": (0.5, 4.0)}, ag.Plan(burden=0.03, threat=0.3),
        n=16, replicates=8, method="monte-carlo",
    )
    assert found.n == 16
    assert np.isfinite(found.gains_usd_bn).sum() == found.n - found.failed
