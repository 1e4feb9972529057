"""The four channels of a plan: each by hand, their sum exactly, and what must be zero."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import UnknownNameError
from alliancegame.solve.result import result_from_dict
from alliancegame.study.channels import CHANNELS
from tests.oracle import Hand
from tests.problems import BANK

NATO = ag.load_model("nato-2024")
SMALL = ag.load_model("three-allies")
TAXED = SMALL.replace(trade_exposure=0.05, deadweight=0.3, tariff_decay=0.3)
PRESSED = ag.Plan(threat={"Large": 0.9}, demand=0.05, burden=0.03)


def by_orders(game: Any, plan: ag.Plan) -> list[float]:
    """The mean over all orders in which the switches are moved, with the payoff by hand."""
    before, after = ag.solve_nash(game), ag.solve_nash(game, plan)
    lead, count = game.members.leader_index, 5 if plan.taxed else 4
    hands = [
        Hand(game.replace(deadweight=1.0), plan, unharmed=True),
        Hand(game.replace(deadweight=1.0), plan),
        Hand(game, plan, unharmed=True),
        Hand(game, plan),
    ]
    change = after.burdens - before.burdens
    groups = [
        [lead],
        [i for i in range(game.size) if i != lead and change[i] > 0],
        [i for i in range(game.size) if i != lead and change[i] < 0],
    ]

    def payoff(moved: set[int]) -> float:
        x = before.burdens.tolist()
        for k in moved - {3, 4}:
            for i in groups[k]:
                x[i] = float(after.burdens[i])
        return float(hands[(3 in moved) + 2 * (4 in moved)].payoff(lead, x))

    parts = [0.0] * count
    for order in itertools.permutations(range(count)):
        for k, switch in enumerate(order):
            parts[switch] += payoff(set(order[: k + 1])) - payoff(set(order[:k]))
    return [part / math.factorial(count) for part in parts]


@pytest.mark.parametrize(
    ("game", "plan"),
    [
        (SMALL, PRESSED),
        (SMALL, ag.Plan(threat=1.0)),
        (SMALL.replace(decay=1.5, cohesion=0.5), ag.Plan(threat=0.8, burden=0.04)),
        (TAXED, ag.Plan(threat=0.4, tariff={"Large": 0.5, "Middle": 0.2}, demand=0.03)),
        (TAXED, ag.Plan(tariff=0.3, burden=0.034)),
        (SMALL.replace(shortfall="trigger"), ag.Plan(threat=0.5, demand=0.02)),
        (
            TAXED.replace(shortfall="trigger"),
            ag.Plan(threat=0.1, tariff=0.3, demand=0.03, burden=0.034),
        ),
        (SMALL.replace(technology="weakest-link"), ag.Plan(threat=0.5, burden=0.02)),
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


def test_revenue_is_a_channel_of_tariffs_only() -> None:
    found = ag.channels(TAXED, ag.Plan(tariff=0.3, burden=0.034))
    assert found.names == tuple(CHANNELS)
    assert found["revenue"] > 0
    assert ag.channels(TAXED.replace(deadweight=1.0), found.plan)["revenue"] == 0.0
    assert found.members[4] == 3
    assert result_from_dict(found.to_dict()).to_dict() == found.to_dict()
    plain = ag.channels(TAXED, ag.Plan(threat=0.3))
    assert "revenue" not in plain.to_frame().index
    with pytest.raises(UnknownNameError):
        plain["revenue"]


def test_no_pressure_changes_nothing() -> None:
    found = ag.channels(SMALL, ag.Plan())
    assert found.parts.tolist() == [0.0] * 4
    assert found.members == [0, 0, 0, 0]


def test_flagship() -> None:
    found = ag.channels(NATO, ag.Plan(threat=1.0))
    frame = found.to_frame()
    assert list(frame.index) == list(CHANNELS)[:4]
    assert frame["payoff"].sum() == pytest.approx(found.delta_payoff, abs=1e-15)
    assert frame["usd_bn"].sum() == pytest.approx(-12.7, abs=0.1)  # The README's figure.
    assert found.coalition_game.grand == pytest.approx(found.delta_payoff, abs=1e-15)
    assert np.isfinite(found.switched).all()
    assert result_from_dict(found.to_dict()).to_dict() == found.to_dict()
