"""Credible threats: executions against all sets, equilibria against a payoff written by hand."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import re
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import InvalidValueError, UnsupportedFormError
from alliancegame.solve.leader.execution import execute, stakes_at
from alliancegame.solve.result import result_from_dict

CASES = ("saved", "lost", "bite", "left", "strength", "returned")


def random_stakes(rng: np.random.Generator, **forms: Any) -> tuple[Any, Any, Any]:
    n = int(rng.integers(2, 9))
    game = ag.BurdenSharingGame(
        [f"m{i}" for i in range(n)], "m0", np.exp(rng.normal(0, 1.2, n)), rng.uniform(0.01, 0.1, n),
        private_weight=0.001, return_spillin=rng.uniform(0.1, 1.5),
        execution_saving=float(rng.choice([0.002, 0.005, 0.01, 0.03])), **forms,
    )  # fmt: skip
    plan = ag.Plan(threat=rng.uniform(0, 1, n), demand=rng.uniform(0.01, 0.06, n))
    return game, plan, rng.uniform(0.001, 0.05, (10, n))


def by_hand(game: Any, plan: Any, x: Any, chosen: Any, trust: float) -> float:
    """The leader's consumption and security after executions, as docs/theory/equilibrium has them."""
    gdp, rho = game.by_member("gdp"), game.substitution
    g = gdp * x
    spent, forces = x[0], 0.0
    for j in range(1, game.size):
        bite = plan.threat[j] * max(0.0, 1 - x[j] / plan.demand[j]) * chosen[j]
        spent -= game.execution_saving * bite * gdp[j] / gdp[0]
        forces += (1 - bite) * g[j] ** rho
    security = (g[0] ** rho + (game.return_spillin * trust**game.cohesion) ** rho * forces) ** (
        1 / rho
    )
    used = math.log(1 - spent) if game.consumption == "log" else 1 - spent
    return used + game.by_member("security_weight")[0] * math.log(security)


@pytest.mark.parametrize("consumption", ["log", "linear"])
@pytest.mark.parametrize("rho", [1.0, 0.3, 0.7, -1.0])
def test_executions_against_all_sets(consumption: str, rho: float) -> None:
    rng = np.random.default_rng(int(10 * abs(rho)))
    mixed = 0
    for _ in range(8):
        game, plan, x = random_stakes(rng, consumption=consumption, substitution=rho, cohesion=0.5)
        stakes = stakes_at(game, plan, x, 0.9)
        chosen = execute(stakes)
        worth = stakes.worth(chosen)
        sets = np.array(list(itertools.product([False, True], repeat=game.size - 1)))
        sets = np.concatenate([np.ones((len(sets), 1), dtype=bool), sets], axis=1)
        for row, burdens in enumerate(x):
            values = [by_hand(game, plan, burdens, one, 0.9) for one in sets]
            nothing = by_hand(game, plan, burdens, np.zeros(game.size), 0.9)
            assert worth[row] == pytest.approx(max(values) - nothing, abs=1e-13)
            mixed += 0 < chosen[row, 1:].sum() < game.size - 1
        assert rho < 0 or chosen[:, 0].all()
    assert mixed > 0 or rho < 0


def test_hard_choices_are_branched_on() -> None:
    """Strong curvature in both sums: marginal rules settle little, and the answer is still the best."""
    rng = np.random.default_rng(3)
    for _ in range(40):
        game, plan, x = random_stakes(rng)
        base = stakes_at(game, plan, x[:1], 1.0)
        n = game.size
        hard = dataclasses.replace(
            base, saved=np.r_[0, rng.uniform(0.1, 2, n - 1)][None],
            lost=np.r_[0, rng.uniform(0.1, 1, n - 1)][None], bite=np.ones((1, n)),
            left=np.array([0.5]), strength=np.array([1.2 * n]), returned=np.ones(1), theta=1.5,
            rho=1.0, log=True,
        )  # fmt: skip
        got = float(hard.worth(execute(hard))[0])
        sets = np.array(list(itertools.product([0, 1], repeat=n)))
        many = dataclasses.replace(
            hard, **{k: np.repeat(getattr(hard, k), len(sets), axis=0) for k in CASES}
        )
        assert got == pytest.approx(many.worth(sets.astype(bool)).max(), abs=1e-13)


def test_what_is_saved_decides() -> None:
    """With nothing saved nobody is abandoned; ties (nothing to lose, nothing saved) are carried out."""
    game = ag.load_model("three-allies")
    plan = ag.Plan(threat=0.5, burden=0.034)
    x = np.full((1, 4), 0.02)
    assert execute(stakes_at(game, plan, x, 1.0))[0].tolist() == [True, False, False, False]
    careless = game.replace(return_spillin=0.0)
    assert execute(stakes_at(careless, plan, x, 1.0))[0].all()
    assert execute(stakes_at(game.replace(execution_saving=1.0), plan, x, 1.0))[0].all()


def test_no_threat_is_credible_where_nothing_is_saved() -> None:
    game = ag.load_model("three-allies")
    plan = ag.Plan(threat=0.6, burden=0.034)
    found = ag.credible_targets(game, plan)
    assert found.targets == ()
    assert "no threat is credible" in found.headline()
    assert set(found.to_frame()["status"]) == {"not credible"}
    assert (found.to_frame()["gain"] < 0).all()
    # Trust is lost all the same: allies answer as if they believed nothing.
    deaf = ag.respond(game.replace(credibility=0.0), plan)
    assert found.equilibrium.burdens == pytest.approx(deaf.burdens, abs=1e-12)
    assert found.equilibrium.leader_payoff == pytest.approx(deaf.leader_payoff, abs=1e-12)


def ally_payoff(game: Any, plan: Any, x: Any, i: int, own: float, trust: Any) -> float:
    """An ally's payoff at a burden, with whom the leader would then abandon, by hand (rho = m = 1)."""
    x = np.array(x)
    x[i] = own
    sets = itertools.product([1, 0], repeat=game.size - 1)
    free = dataclasses.replace(plan, threat=plan.threat_by_member(game.members),
                               demand=plan.demand_by_member(game.members))  # fmt: skip
    best = max(sets, key=lambda a: by_hand(game, free, x, (1, *a), trust[0]))
    gdp = game.by_member("gdp")
    g = gdp * x
    spillin, umbrella = game.congested
    fear = free.threat[i] * max(0.0, 1 - own / free.demand[i]) * best[i - 1]
    security = g[i] + spillin[i] * (g[1:].sum() - g[i])
    security += umbrella[i] * trust[i] * (1 - fear) * g[0]
    pull = g * np.r_[trust[0], np.ones(game.size - 1)]
    return (
        math.log(1 - own)
        + game.by_member("security_weight")[i] * math.log(security)
        + game.by_member("influence_weight")[i] * math.log(pull[i] / pull.sum())
        + game.by_member("private_weight")[i] * math.log(own)
    )


@pytest.mark.parametrize(("saving", "threat"), [(0.005, 0.3), (0.05, 0.3), (0.05, 1.0), (0.2, 0.7)])
def test_equilibria_by_hand(saving: float, threat: float) -> None:
    game = ag.load_model("three-allies").replace(execution_saving=saving)
    plan = ag.Plan(threat=threat, burden=0.034)
    found = ag.credible_targets(game, plan)
    assert len(found.equilibria) == 1
    assert found.complete
    one = found.equilibrium
    assert one.certificate.verdict == "approximate"
    assert one.certificate.unique == "proven"
    for i in range(1, game.size):
        here = ally_payoff(game, plan, one.burdens, i, one.burdens[i], one.operating_trust)
        assert one.payoffs[i] == pytest.approx(here, abs=1e-11)
        lattice = np.r_[np.linspace(1e-4, 0.08, 160), one.burdens[i] + np.linspace(-1e-3, 1e-3, 21)]
        tried = [ally_payoff(game, plan, one.burdens, i, v, one.operating_trust) for v in lattice]
        assert max(tried) <= here + 1e-9
    assert (found.targets == ()) == (saving < 0.01)
    again = result_from_dict(json.loads(found.to_json()))
    assert again.to_json() == found.to_json()


def test_there_may_be_no_equilibrium() -> None:
    """Executed, an ally spends so much that it is spared; spared, so little that it is not."""
    game = ag.load_model("three-allies").replace(execution_saving=0.02)
    found = ag.credible_targets(game, ag.Plan(threat=1.0, burden=0.034))
    assert found.equilibria == ()
    assert found.equilibrium is None
    assert "no equilibrium" in found.headline()
    assert found.to_frame().empty


def test_the_leader_s_best_credible_plan() -> None:
    game = ag.load_model("three-allies")
    found = ag.solve_stackelberg(game, credible=True)
    quiet = ag.solve_stackelberg(game, ("burden",))
    assert not found.plan.pressure
    assert found.leader_payoff == pytest.approx(quiet.leader_payoff, abs=1e-8)
    assert found.cost == pytest.approx(
        ag.solve_stackelberg(game).leader_payoff - quiet.leader_payoff, abs=1e-8
    )
    assert found.headline().startswith("no threat is credible")
    again = result_from_dict(json.loads(found.to_json()))
    assert again.to_json() == found.to_json()
    saving = game.replace(execution_saving=0.05)
    found = ag.solve_stackelberg(saving, ("threat",), burden=0.034, credible=True)
    assert found.targets
    values = [
        one.leader_payoff
        for t in np.linspace(0, 1, 21)
        for one in ag.credible_targets(saving, ag.Plan(threat=float(t), burden=0.034)).equilibria
    ]
    assert max(values) - 1e-12 <= found.leader_payoff <= max(values) + 1e-4


def test_a_continuum_is_not_called_unique() -> None:
    """Two allies may split their total in any way: linear, nothing but security, alike in it."""
    game = ag.BurdenSharingGame(
        ["L", "A", "B"], "L", [4, 2, 1], [0.3, 0.1, 0.2], consumption="linear", burden_max=10.0
    )
    found = ag.credible_targets(game, ag.Plan(threat=0.5, burden=0.01))
    assert all(one.certificate.unique != "proven" for one in found.equilibria)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((5, ag.Plan(burden=0.03)), "needs a game"),
        (("G", 5), "plan must be a Plan"),
        (("G", None), "plan must be a Plan"),
        (("G", ag.Plan(threat=0.5)), "needs plan.burden"),
        (("G", ag.Plan(threat=0.5, burden=0.5)), "burden of the plan must be in"),
    ],
    ids=str,
)
def test_bad_calls(arguments: tuple[Any, ...], words: str) -> None:
    game = ag.load_model("three-allies")
    given = [game if one == "G" else one for one in arguments]
    with pytest.raises(InvalidValueError, match=re.escape(words)):
        ag.credible_targets(*given)


def test_a_simultaneous_burden_is_refused() -> None:
    with pytest.raises(UnsupportedFormError, match="burden"):
        ag.solve_stackelberg(ag.load_model("three-allies"), ("threat",), credible=True)
    with pytest.raises(InvalidValueError, match="execution_saving must be >= 0"):
        ag.load_model("three-allies").replace(execution_saving=-1)
