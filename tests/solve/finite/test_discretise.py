"""The alliance model on a grid: every cell is the model's payoff, and nothing is silently changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import AllianceGameError, GameTooLargeError
from alliancegame.solve import aggregative

PLANS = [ag.Plan(), ag.Plan(threat=0.5, demand=0.02), ag.Plan(threat=1, demand=0.05, burden=0.03)]
FORMS: list[dict[str, Any]] = [
    {},
    {"substitution": 0.6, "decisiveness": 1.5},
    {"consumption": "linear", "influence_value": "share"},
    {"horizon": "stationary", "recovery": 0.5},
]


@pytest.mark.parametrize("changes", FORMS, ids=str)
def test_cells_are_the_payoffs_that_certificates_use(changes: dict[str, Any]) -> None:
    """`certify` evaluates single profiles with another kernel."""
    game = ag.load_model("three-allies").replace(**changes)
    base = ag.solve_nash(game).burdens
    lead = game.members.leader_index
    allies = [i for i in range(game.size) if i != lead]
    gdp = game.by_member("gdp")
    burdens = [0.005, 0.02, 0.05]
    grid = ag.discretise(game, PLANS, burdens)
    for i, plan in enumerate(PLANS):
        for j, burden in enumerate(burdens):
            profile = np.full(game.size, burden)
            profile[lead] = base[lead] if plan.burden is None else plan.burden
            payoffs = aggregative.best_deviations(game, profile, plan).payoff
            mean = payoffs[allies] @ gdp[allies] / gdp[allies].sum()
            assert grid.payoffs[0][i, j] == pytest.approx(payoffs[lead], abs=1e-14)
            assert grid.payoffs[1][i, j] == pytest.approx(mean, abs=1e-14)


def test_the_equilibrium_on_the_grid_is_the_equilibrium_of_the_model() -> None:
    """A grid that has A's burdens in it: A is a cell, with A's payoffs, and an equilibrium of the grid
    in which every ally is a player of its own."""
    game = ag.load_model("three-allies")
    a = ag.solve_nash(game)
    burdens = {
        ally: {f"{k:g}": float(a.burden[ally]) * k for k in (0.5, 0.9, 1, 1.1, 2)}
        for ally in game.allies
    }
    plans = {f"{k:g}": ag.Plan(burden=float(a.burden["Leader"]) * k) for k in (0.8, 1, 1.2)}
    grid = ag.discretise(game, plans, burdens, players={m: [m] for m in game.allies})
    assert grid.shape == (3, 5, 5, 5)
    cell = grid.profile_index(["1", "1", "1", "1"])
    for i, member in enumerate(grid.players):
        assert grid.payoffs[i][cell] == pytest.approx(float(a.payoff[member]), abs=1e-12)
    found = ag.find_equilibria(grid, method="pure")
    assert [p.cell for p in found] == [cell]


def test_money_is_an_affine_change() -> None:
    game = ag.load_model("three-allies")
    grids = [ag.discretise(game, PLANS, [0.01, 0.02, 0.03], units=u) for u in ("payoff", "usd_bn")]
    plain, money = (g.payoffs[0].ravel() for g in grids)
    slope = np.diff(money)[0] / np.diff(plain)[0]
    assert slope > 0
    assert money == pytest.approx(slope * (plain - plain[0]) + money[0], rel=1e-9)
    at_a = ag.discretise(game, [ag.Plan()], ["status quo"], units="usd_bn")
    assert [float(p[0, 0]) for p in at_a.payoffs] == pytest.approx([0.0, 0.0], abs=1e-9)


def test_blocs_and_ways_to_name_burdens() -> None:
    game = ag.load_model("three-allies")
    a = ag.solve_nash(game)
    answer = ag.solve_nash(game, PLANS[1])
    grid = ag.discretise(
        game,
        {"calm": PLANS[0], "threat": PLANS[1]},
        {
            "big": {"as at A": "status quo", "answer": answer, "two": 0.02},
            "front": [0.01, "status quo"],
        },
        players={"big": ["Large", "Middle"], "front": ["Frontier"]},
    )
    assert grid.players == ("Leader", "big", "front")
    assert grid.strategies[1:] == (("as at A", "answer", "two"), ("1 %", "status quo"))
    cell = grid.profile_index({"Leader": "calm", "big": "as at A", "front": "status quo"})
    assert grid.payoffs[0][cell] == pytest.approx(a.leader_payoff, abs=1e-12)
    assert grid.provenance["blocs"] == {"big": ["Large", "Middle"], "front": ["Frontier"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"plans": []}, ("plans", "empty")),
        ({"plans": [0.5]}, ("Plan", "0.5")),
        ({"plans": [ag.Plan(), ag.Plan()]}, ("two plans", "'no pressure'", "dict")),
        ({"plans": [ag.Plan(threat=1, demand=0.9)]}, ("demand on",)),
        ({"burdens": []}, ("burdens of allies", "empty")),
        ({"burdens": [0.5]}, ("burden (allies)", "[0, 0.25]", "0.5")),
        ({"burdens": ["status qou"]}, ("'status qou'", "Did you mean 'status quo'")),
        ({"burdens": {"x": {"Larg": 0.1}}}, ("'Larg'", "Did you mean 'Large'")),
        ({"burdens": [{"Large": 0.1}]}, ("need labels",)),
        ({"burdens": 0.02}, ("burdens of allies", "0.02")),
        ({"players": {"a": ["Leader"]}}, ("'a'", "leader", "allies")),
        ({"players": {"a": ["Large"], "b": ["Large"]}}, ("Large", "'a'", "'b'")),
        ({"players": {"a": []}}, ("'a'", "no members")),
        ({"players": {"a": ["Lrge"]}}, ("'Lrge'", "Did you mean 'Large'")),
        ({"players": ["Large"]}, ("players must be a dict",)),
        ({"units": "usd"}, ("'usd'", "Did you mean 'usd_bn'")),
    ],
    ids=str,
)
def test_refusals(arguments: dict[str, Any], words: tuple[str, ...]) -> None:
    game = ag.load_model("three-allies")
    with pytest.raises(AllianceGameError) as caught:
        ag.discretise(game, **({"plans": [ag.Plan()], "burdens": [0.02]} | arguments))
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_too_many_cells() -> None:
    game = ag.load_model("three-allies")
    plans = {str(k): ag.Plan(threat=k / 2000) for k in range(1001)}
    with pytest.raises(GameTooLargeError, match=r"1001 x 1000 = 1,001,000 cells.*1,000,000"):
        ag.discretise(game, plans, {str(k): 0.02 for k in range(1000)})


def test_payoffs_without_a_number_are_refused() -> None:
    game = ag.load_model("three-allies")
    with pytest.raises(AllianceGameError, match="not finite"):
        ag.discretise(game, [ag.Plan(burden=0)], [0.0])
