"""Claims about games beyond the plain forms that were once too wide: each with its counterexample."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import ConvergenceError
from tests.oracle import Hand

TAXED: dict[str, Any] = {
    "members": ["L", "A", "B"], "leader": "L", "gdp": [5.0, 2.0, 1.0],
    "security_weight": [0.05, 0.04, 0.03], "influence_weight": [0.02, 0.01, 0.01],
    "private_weight": [0, 0.003, 0.003], "decay": 0.4, "trade_exposure": 0.1, "deadweight": 0.3,
    "tariff_decay": 0.5,
}  # fmt: skip
PLAN = ag.Plan(threat=0.3, demand=0.05, tariff=0.6, burden=0.03)


def test_an_ally_whose_levy_is_its_demand_is_indifferent() -> None:
    """chi T = d and nothing else valued: 1 - x - chi T (1 - x / d) is flat, a continuum of answers."""
    game = ag.BurdenSharingGame(
        ["L", "A", "B"],
        "L",
        [2.0, 1.0, 1.0],
        [0.05, 0, 0.05],
        burden_max=0.25,
        trade_exposure=0.25,
    )
    plan = ag.Plan(demand=0.125, tariff=0.5, burden=0.03)
    other = float(ag.respond(game, plan).burdens[2])
    for own in (0.0, 0.05, 0.1):
        assert Hand(game, plan).best_deviation(1, [0.03, own, other], 200)[1] < 1e-15
    found = ag.find_equilibria(game, plan)
    assert found.completeness == "not known"
    assert all(e.certificate.unique != "proven" for e in found)
    made = json.loads(ag.respond(game, plan).to_json(certificate=True))
    made["certificate"]["unique"] = "proven"
    for claim in made["claims"]:
        if claim["claim"] == "uniqueness":
            claim |= {"state": "proven", "theorem": "followers"}
    assert not ag.verify(made).accepted


@pytest.mark.parametrize("value", ["log", "share"])
def test_a_supremum_that_nobody_attains_is_no_equilibrium(value: str) -> None:
    """Alone in the council, A has half of it with nothing and all of it with anything."""
    game = ag.BurdenSharingGame(
        ["L", "A"],
        "L",
        [2.0, 1.0],
        [0.05, 0],
        consumption="linear",
        influence_weight=[0.0, 0.1],
        influence_value=value,
    )
    assert len(ag.find_equilibria(game, ag.Plan(burden=0.0))) == 0
    with pytest.raises(ConvergenceError):
        ag.respond(game, ag.Plan(burden=0.0))


def test_trust_that_a_tariff_costs_is_trust_lost() -> None:
    """leverage and trust_loss by hand: the same plan with operating trust as without pressure."""
    game = ag.BurdenSharingGame(**TAXED)
    c = ag.compare(game, PLAN)
    kept = game.replace(decay=0.0, tariff_decay=0.0)
    unharmed = Hand(kept, PLAN)
    x = unharmed.equilibrium(sweeps=400)
    assert x.settled
    quiet = Hand(game, ag.Plan(burden=0.03))
    base = quiet.payoff(0, quiet.equilibrium(sweeps=400).burdens)
    leverage = unharmed.payoff(0, x.burdens) - base
    assert c.leverage == pytest.approx(leverage, abs=1e-9)
    assert c.trust_loss < -1e-3
    assert c.commitment + c.leverage + c.trust_loss == pytest.approx(c.delta_payoff, abs=1e-12)


def test_a_tariff_that_falls_on_nobody_takes_no_theorem_away() -> None:
    game = ag.load_model("three-allies")
    taxed = ag.solve_nash(game, ag.Plan(threat=0.5, tariff=0.1))
    plain = ag.solve_nash(game, ag.Plan(threat=0.5))
    assert taxed.certificate.unique == plain.certificate.unique == "proven"
    assert taxed.burdens == pytest.approx(plain.burdens, rel=1e-12)


@pytest.mark.parametrize("plan", [ag.Plan(), ag.Plan(burden=0.03), ag.Plan(demand=0.05)])
def test_without_pressure_a_logistic_game_is_the_proportional_one(plan: ag.Plan) -> None:
    """A missed demand means nothing then: one payoff, one answer, and the theorems that prove it."""
    plain = ag.load_model("three-allies")
    game = plain.replace(shortfall="logistic")
    found, same = ag.solve_nash(game, plan), ag.solve_nash(plain, plan)
    assert found.game == game
    np.testing.assert_array_equal(found.burdens, same.burdens)
    np.testing.assert_array_equal(found.payoffs, same.payoffs)
    assert found.certificate == same.certificate
    assert (found.certificate.verdict, found.certificate.unique) == ("certified", "proven")
    assert max(Hand(game, plan).gains(found.burdens.tolist(), 300)) < 1e-9
    again = ag.certify(game, found.burdens, plan)
    assert (again.verdict, again.unique) == ("certified", "proven")
    checked = ag.verify(json.loads(found.to_json(certificate=True)))
    assert checked.accepted, checked
