"""What members gain where the leader decides anew: proofs and scans against a payoff by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.solve.leader.credible_gains import Deviating
from tests.credible_hand import CredibleHand

FORMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "linear, shares": {"consumption": "linear", "influence_value": "share", "cohesion": 0.6},
    "synergy": {"substitution": 0.5, "decisiveness": 1.4},
    "towards best shot": {"substitution": 1.5},
    "hub": {"influence": "hub", "rival_pull": 20.0},
    "logistic": {"shortfall": "logistic", "width": 0.01},
    "tariff": {"trade_exposure": 0.1, "deadweight": 0.3},
    "trigger": {"shortfall": "trigger"},
}


def a_case(name: str, seed: int) -> tuple[Any, Any, Any]:
    """A game, a plan (the leader's burden open) and a profile near where such games are played."""
    rng = np.random.default_rng([seed, *name.encode()])
    game = ag.load_model("three-allies").replace(
        execution_saving=float(rng.choice([0.005, 0.01, 0.015, 0.02, 0.03])), **FORMS[name]
    )
    plan = ag.Plan(
        threat=rng.uniform(0.1, 1, 4), demand=rng.uniform(0.02, 0.06, 4),
        tariff=rng.uniform(0, 0.3) if name == "tariff" else 0.0,
    )  # fmt: skip
    return game, plan, np.array([0.035, 0.02, 0.023, 0.034]) * rng.uniform(0.6, 1.3, 4)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", FORMS)
def test_planted_profiles_come_out_with_their_true_regret(name: str, seed: int) -> None:
    """No profile here is an equilibrium; several members gain by jumping over a switch."""
    game, plan, x = a_case(name, seed)
    hand = CredibleHand(game, plan)
    at = Deviating(game, plan, x, np.array(hand.trusts()))
    assert at.executed[1:].tolist() == [
        gone or hand.lost(i, x) == 0 for i, gone in enumerate(hand.decided(x)) if i
    ]
    proved, scanned = at.proved(), at.scanned()
    assert proved.proved.all()
    for i in range(game.size):
        best = hand.best_deviation(i, x, points=120, keep=3)[1]
        assert best <= proved.gain[i] + 1e-12
        assert scanned.gain[i] == pytest.approx(proved.gain[i], abs=3e-10)
        assert proved.gain[i] <= best + 1e-5
        moved = np.array(x)
        moved[i] = proved.reply[i]
        assert hand.payoff(i, moved) - hand.payoff(i, x) == pytest.approx(proved.gain[i], abs=2e-10)
