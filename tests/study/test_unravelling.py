"""unravelling: thresholds against closed-form margins and single calls, switches, bad input."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import AllianceGameError
from alliancegame.solve.leaving.outside import outside_options
from alliancegame.solve.result import result_from_dict


def small(**more: Any) -> ag.BurdenSharingGame:
    values = {
        "influence_weight": 0.003, "private_weight": 0.001, "decay": 0.5,
        "rival_umbrella": {"A1": 0.14, "A2": 0.165}, "realignment_cost": 0.001,
        "outside_influence": 0.1,
    }  # fmt: skip
    return ag.BurdenSharingGame(["L", "A1", "A2"], "L", [10, 4, 3], 0.04, **(values | more))


def tuned(threat: float, demand: float) -> ag.BurdenSharingGame:
    """A game in which A1 is indifferent at one known threat: its political cost is made so."""
    game = small(rival_umbrella={"A1": 0.5, "A2": 0.0}, realignment_cost=0.0)
    inside = ag.solve_nash(game, ag.Plan(threat=threat, demand=demand)).payoffs[1]
    cost = float(outside_options(game).realigned[1] - inside)
    assert cost > 0
    return game.replace(realignment_cost={"A1": cost, "A2": 5.0})


@pytest.mark.parametrize("threat", [0.037, 0.5, 0.951])
def test_the_threshold_is_where_an_ally_was_made_indifferent(threat: float) -> None:
    game = tuned(threat, 0.06)
    found = ag.unravelling(game, ag.Plan(demand=0.06))
    assert found.threshold == pytest.approx(threat, abs=1e-6)
    assert found.first == "A1"
    assert found.switches[0].moves == "out"
    assert len(found.switches) == 1
    assert "A1" not in found.after
    below, above = (
        ag.solve_alignment(game, ag.Plan(threat=threat + d, demand=0.06)) for d in (-1e-4, 1e-4)
    )
    assert below.largest is not None
    assert below.largest.size == 3
    assert all(a.size < 3 for a in above)


def test_margins_are_payoff_differences() -> None:
    game = small()
    found = ag.unravelling(game, ag.Plan(demand=0.06), points=5)
    assert found.threats.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    for k, threat in enumerate(found.threats):
        inside = ag.solve_nash(game, ag.Plan(threat=float(threat), demand=0.06)).payoffs
        expected = (inside - outside_options(game).payoffs)[1:]
        assert found.margins[k] == pytest.approx(expected, abs=1e-12)
    assert found.resolution == 0.25
    assert found.least == pytest.approx(found.margins.min(axis=1))


def test_an_alliance_of_some_watches_those_outside_too() -> None:
    game = small(rival_umbrella=0.0, outside_influence=1e-9)
    found = ag.unravelling(game, alliance=["A1"])
    assert found.threshold == 0.0
    assert found.first == "A2"  # It would rather be in.
    largest = ag.unravelling(game, alliance="largest")
    assert largest.alliance == ("A1", "A2")
    assert math.isnan(largest.threshold)
    assert largest.first == ""
    assert "at any threat" in largest.headline()


def test_results_travel() -> None:
    found = ag.unravelling(small(), ag.Plan(demand=0.06), points=11)
    back = result_from_dict(json.loads(found.to_json()))
    assert back.to_json() == found.to_json()
    assert list(found.to_frame().columns) == ["A1", "A2"]
    assert len(found.to_frame()) == 11
    assert np.all(np.isfinite(found.margins))


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("three-allies",), {}, "needs a game"),
        (("G", 0.3), {}, "plan must be a Plan"),
        (("G", ag.Plan(demand=0.9)), {}, "up to its burden_max"),
        (("G",), {"points": 1}, "points must be a whole number, at least 2"),
        (("G",), {"points": 2.5}, "points must be a whole number"),
        (("G",), {"points": True}, "points must be a whole number"),
        (("G",), {"alliance": "whole"}, 'alliance must be "full", "largest" or a list'),
        (("G",), {"alliance": 3}, 'alliance must be "full", "largest" or a list'),
        (("G",), {"alliance": None}, 'alliance must be "full", "largest" or a list'),
        (("G",), {"alliance": ["L"]}, "L leads"),
        (("G",), {"alliance": ["A9"]}, "unknown member 'A9'"),
        (("G",), {"alliance": [3]}, "unknown member '3'"),
    ],
)
def test_bad_calls(arguments: tuple[Any, ...], options: dict[str, Any], words: str) -> None:
    given = [small() if a == "G" else a for a in arguments]
    with pytest.raises(AllianceGameError, match=words):
        ag.unravelling(*given, **options)
