"""The four channels of a plan: each by hand, their sum exactly, and what must be zero."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.solve.result import result_from_dict
from alliancegame.study.channels import CHANNELS
from tests.oracle import Hand
from tests.problems import BANK

NATO = ag.load_model("nato-2024")
SMALL = ag.load_model("three-allies")
PRESSED = ag.Plan(threat={"Large": 0.9}, demand=0.05, burden=0.03)


def by_orders(game: Any, plan: ag.Plan) -> list[float]:
    """The mean over all 24 orders in which the switches are moved, with the payoff by hand."""
    before, after = ag.solve_nash(game), ag.solve_nash(game, plan)
    lead = game.members.leader_index
    calm, pressed = Hand(game), Hand(game, plan)
    change = after.burdens - before.burdens
    groups = [
        [lead],
        [i for i in range(game.size) if i != lead and change[i] > 0],
        [i for i in range(game.size) if i != lead and change[i] < 0],
    ]

    def payoff(moved: set[int]) -> float:
        x = before.burdens.tolist()
        for k in moved - {3}:
            for i in groups[k]:
                x[i] = float(after.burdens[i])
        return float((pressed if 3 in moved else calm).payoff(lead, x))

    parts = [0.0] * 4
    for order in itertools.permutations(range(4)):
        for k, switch in enumerate(order):
            parts[switch] += payoff(set(order[: k + 1])) - payoff(set(order[:k]))
    return [part / math.factorial(4) for part in parts]


@pytest.mark.parametrize(
    ("game", "plan"),
    [
        (SMALL, PRESSED),
        (SMALL, ag.Plan(threat=1.0)),
        (SMALL.replace(decay=1.5, cohesion=0.5), ag.Plan(threat=0.8, burden=0.04)),
        (BANK["designed, linear"].game, BANK["designed, linear"].plan),
        (BANK["designed, trust impact"].game, BANK["designed, trust impact"].plan),
    ],
)
def test_against_all_orders_by_hand(game: Any, plan: ag.Plan) -> None:
    found = ag.channels(game, plan)
    assert found.parts == pytest.approx(by_orders(game, plan), abs=1e-12)
    assert found.parts.sum() == pytest.approx(found.delta_payoff, abs=1e-15)
    assert found.delta_payoff == pytest.approx(ag.compare(game, plan).delta_payoff, abs=1e-14)


def test_own_burden_alone() -> None:
    """Nobody is pressed and the allies cannot move: only the leader's burden does."""
    fixed = ag.solve_nash(SMALL).burdens
    pinned = SMALL.replace(
        burden_min=dict(zip(SMALL.allies, fixed[1:] * (1 - 1e-13), strict=True)),
        burden_max=dict(zip(SMALL.allies, fixed[1:], strict=True)),
    )
    found = ag.channels(pinned, ag.Plan(burden=0.03))
    assert found["own burden"] == pytest.approx(found.delta_payoff, rel=1e-6)
    assert abs(found["compliance"]) + abs(found["hedging"]) < 1e-12
    assert found["trust"] == 0.0


def test_compliance_without_a_cost_in_trust() -> None:
    """Threats that cost no trust: allies spend more, and that is nearly all there is."""
    found = ag.channels(SMALL.replace(decay=0.0), ag.Plan(threat=1.0))
    assert found["trust"] == 0.0
    assert found["hedging"] == 0.0
    assert found["compliance"] > 0
    assert found.members == [1, 3, 0, 0]


def test_hedging_where_some_are_pressed_and_the_others_ride_free() -> None:
    found = ag.channels(SMALL, PRESSED.replace(burden=None))
    assert found.members[1:] == [1, 2, 1]
    assert found["hedging"] < 0 < found["compliance"]
    assert (found.result.burdens < found.baseline.burdens)[2:].all()


def test_trust_at_given_burdens() -> None:
    """Influence in logs and no cohesion: lost trust costs the leader its weight in the council."""
    game, plan = SMALL, ag.Plan(threat=0.5)
    found = ag.channels(game, plan)
    before, after = found.baseline, found.result
    hand = Hand(game, plan)
    alone = hand.payoff(0, before.burdens.tolist()) - Hand(game).payoff(0, before.burdens.tolist())
    frame = found.to_frame()
    assert frame.loc["trust", "alone"] == pytest.approx(alone, abs=1e-15)
    assert found["trust"] < 0
    assert (after.operating_trust < before.operating_trust).all()


def test_no_pressure_changes_nothing() -> None:
    found = ag.channels(SMALL, ag.Plan())
    assert found.parts.tolist() == [0.0] * 4
    assert found.members == [0, 0, 0, 0]


def test_flagship() -> None:
    found = ag.channels(NATO, ag.Plan(threat=1.0))
    frame = found.to_frame()
    assert list(frame.index) == list(CHANNELS)
    assert frame["payoff"].sum() == pytest.approx(found.delta_payoff, abs=1e-15)
    assert frame["usd_bn"].sum() == pytest.approx(-12.7, abs=0.1)  # The README's figure.
    assert found.coalition_game.grand == pytest.approx(found.delta_payoff, abs=1e-15)
    assert np.isfinite(found.switched).all()
    assert result_from_dict(found.to_dict()).to_dict() == found.to_dict()
