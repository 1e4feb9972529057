"""Stackelberg against dense grids of plain responses, and what its result says of itself."""

from __future__ import annotations

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import InvalidValueError, UnknownNameError, UnsupportedFormError
from alliancegame.solve import aggregative
from alliancegame.study.cells import solve_cells


@pytest.fixture(scope="module")
def game():
    return ag.load_model("three-allies")


def dense(game, threats, demands, burdens):
    """The leader's payoff on a dense grid, each plan solved by itself (cold)."""
    grid = np.stack(np.meshgrid(threats, demands, burdens, indexing="ij"), -1).reshape(-1, 3)
    batch = aggregative.solve_plans(game, *grid.T, warm=False)
    return grid, batch.leader_payoff


def test_threat_and_burden_against_a_dense_grid(game):
    found = ag.solve_stackelberg(game, ("threat", "burden"), demand=0.05)
    grid, values = dense(game, np.linspace(0, 1, 201), [0.05], np.linspace(0.001, 0.1, 400))
    top = np.nanargmax(values)
    assert found.leader_payoff >= values[top] - 1e-12
    assert found.leader_payoff == pytest.approx(values[top], abs=2e-7)
    assert found.plan.threat == pytest.approx(grid[top, 0], abs=0.01)
    assert 0 <= found.leader_gap <= 1e-7
    assert found.certificate.verdict == "certified"
    assert "32x25" in found.search


@pytest.mark.parametrize(
    ("theta", "gdp", "alpha", "back", "decay", "demand"),
    [
        ((0.08, 0.04, 0.053), (10, 5.1, 4.59), 0.023, 0.88, 11.77, 0.002),
        ((0.077, 0.087, 0.088), (10, 2.77, 3.0), 0.019, 0.77, 6.0, 0.005),
    ],
)
def test_a_small_demand_is_best_met_at_a_small_threat(theta, gdp, alpha, back, decay, demand):
    """A narrow peak between no threat and the first of 25 even steps; sweeps find it too."""
    game = ag.BurdenSharingGame(
        ["L", "a", "b"], "L", gdp, theta, influence_weight=[alpha, 0, 0], spillin=0.9,
        return_spillin=back, cohesion=2.0, decay=decay,
    )  # fmt: skip
    threats = np.unique(np.r_[np.linspace(0, 1, 101), np.geomspace(1e-4, 0.1, 300)])
    _, values = dense(game, threats, [demand], np.linspace(0.05, 0.1, 201))
    found = ag.solve_stackelberg(game, demand=demand)
    assert 0 < found.plan.threat < 0.04
    assert found.leader_payoff >= np.nanmax(values) - 1e-9
    swept = solve_cells(game, {"demand": [demand]}, solve="stackelberg", outputs=["leader_payoff"])
    assert swept.values["leader_payoff"][0] == pytest.approx(found.leader_payoff, abs=1e-8)


def test_two_peaks_in_a_real_game(game):
    """A threat whose trust cost is steep at first: no threat and a large one are both peaks."""
    planted = game.replace(curvature=0.25, decay=0.3)
    _grid, values = dense(planted, np.linspace(0, 1, 201), [0.05], np.linspace(0.02, 0.06, 200))
    ridge = np.nanmax(values.reshape(201, 200), axis=1)
    dips = (np.diff(ridge) < 0).any() and (np.diff(ridge) > 0).any()
    assert dips, "the planted game must have two peaks"
    found = ag.solve_stackelberg(planted, ("threat", "burden"))
    assert found.leader_payoff >= np.nanmax(values) - 1e-12
    best_start = max(ridge[0], ridge[-1])
    assert found.leader_payoff >= best_start - 1e-12


@pytest.mark.parametrize(
    "commit",
    [("threat",), ("demand",), ("burden",), ("demand", "burden"), ("threat", "demand", "burden")],
)
def test_every_subset_beats_its_own_grid(game, commit):
    given = {} if "threat" in commit else {"threat": 0.3}
    found = ag.solve_stackelberg(game, commit, **given)
    rng = np.random.default_rng(5)
    count = 400
    columns = {
        "threat": rng.uniform(0, 1, count) if "threat" in commit else np.full(count, 0.3),
        "demand": rng.uniform(0.002, 0.25, count) if "demand" in commit else np.full(count, 0.05),
        "burden": rng.uniform(0.005, 0.2, count) if "burden" in commit else np.full(count, np.nan),
    }
    tried = aggregative.solve_plans(game, *columns.values()).leader_payoff
    assert found.leader_payoff >= np.nanmax(tried) - 1e-12
    assert (found.plan.burden is not None) == ("burden" in commit)


def test_more_commitment_is_never_worse(game):
    payoffs = [
        ag.solve_stackelberg(game, commit).leader_payoff
        for commit in (("burden",), ("threat", "burden"), ("threat", "demand", "burden"))
    ]
    assert payoffs == sorted(payoffs)
    assert payoffs[0] >= ag.solve_nash(game).leader_payoff - 1e-12


def test_targeted_pressure_stays_as_given(game):
    plan = ag.Plan(threat={"Large": 0.4}, demand={"Large": 0.03})
    found = ag.solve_stackelberg(game, ("burden",), plan=plan)
    assert found.plan.threat == {"Large": 0.4}
    again = ag.respond(game, found.plan)
    assert again.burdens == pytest.approx(found.response.burdens, abs=1e-14)


def test_full_pressure_without_trust_cost_and_none_with_a_high_one():
    nato = ag.load_model("nato-2024")
    assert ag.solve_stackelberg(nato.replace(decay=0.0)).plan.threat == 1.0
    assert ag.solve_stackelberg(nato.replace(decay=0.8)).plan.threat == 0.0


def test_round_trip(game, tmp_path):
    found = ag.solve_stackelberg(game)
    found.to_json(tmp_path / "s.json")
    back = ag.load_result(tmp_path / "s.json")
    assert back.plan == found.plan
    assert back.leader_payoff == found.leader_payoff
    assert back.outcome == found.outcome == "success"


def test_refusals(game):
    with pytest.raises(UnsupportedFormError, match="credible"):
        ag.solve_stackelberg(game, ("threat",), credible=True, selection="pessimistic")
    with pytest.raises(UnknownNameError, match="'threat'"):
        ag.solve_stackelberg(game, ("thraet",))
    with pytest.raises(InvalidValueError, match="at least one"):
        ag.solve_stackelberg(game, ())
    with pytest.raises(InvalidValueError, match="threat is committed"):
        ag.solve_stackelberg(game, ("threat",), threat=0.4)
    with pytest.raises(InvalidValueError, match="trade_exposure"):
        ag.solve_stackelberg(game, ("tariff",))
    with pytest.raises(UnknownNameError, match="pessimistic"):
        ag.solve_stackelberg(game, selection="pesimistic")


def test_pessimistic_equals_optimistic_where_one_answer_is_taken(game):
    proven = ag.solve_stackelberg(game, selection="pessimistic")
    assert proven.leader_payoff == ag.solve_stackelberg(game).leader_payoff
    other = game.replace(substitution=0.8)
    low = ag.solve_stackelberg(other, ("burden",), selection="pessimistic")
    assert low.pessimistic_value == pytest.approx(low.optimistic_value, abs=1e-9)


def test_a_free_burden_is_the_equilibrium_that_solve_nash_selects():
    """Several simultaneous equilibria under every threat: the leader's best counts, not any root."""
    game = ag.BurdenSharingGame(
        list("Labcd"), "L", [2.76, 1, 1, 1, 1], 0.094, influence_weight=0.0036, private_weight=0.0017,
        umbrella=1.3, return_spillin=2.0, spillin=0.0, decay=0.3,
    )  # fmt: skip
    found = ag.solve_stackelberg(game, ("threat",), demand=0.005)
    alone = [
        ag.solve_nash(game, ag.Plan(threat=t, demand=0.005)).leader_payoff for t in (0, 0.5, 1)
    ]
    assert found.leader_payoff >= max(alone) - 1e-10
    assert found.leader_payoff == pytest.approx(-0.0787317, abs=1e-6)
    assert "simultaneous Nash is not proved unique" in found.search


def test_answers_that_are_not_proved_unique_are_selected_without_guarantee(game):
    found = ag.solve_stackelberg(game.replace(substitution=0.8), ("burden",))
    assert "selection not guaranteed" in found.search
    assert "selection" not in ag.solve_stackelberg(game, ("burden",)).search
