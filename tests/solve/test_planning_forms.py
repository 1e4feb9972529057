"""Planners beyond the plain forms: closed forms, another optimiser on the payoff by hand, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import UnsupportedFormError
from alliancegame.solve.planning.blocs import one_against_singles, solve_blocs
from tests.oracle import Hand
from tests.problems import BANK, FURTHER, alliance, random_alliance
from tests.solve.test_social_optimum import best_by_evolution

FAMILIES = [
    pytest.param(family, marks=pytest.mark.long if "m<1" in family else ()) for family in FURTHER
]
HUB: dict[str, Any] = {
    "influence": "hub", "influence_value": "share", "consumption": "linear", "substitution": 0.8,
}  # fmt: skip


def bounds(game: ag.BurdenSharingGame, plan: ag.Plan) -> tuple[Any, Any]:
    low, high = (np.array(game.by_member(end)) for end in ("burden_min", "burden_max"))
    if plan.burden is not None:
        low[game.members.leader_index] = high[game.members.leader_index] = plan.burden
    return low, high


def nothing_better(game: ag.BurdenSharingGame, plan: ag.Plan, weights: Any) -> ag.SocialOptimum:
    """The optimum, which SciPy's global optimiser on the payoff by hand must not beat."""
    found = ag.solve_social_optimum(game, weights, plan=plan)
    hand = Hand(game, plan)
    assert found.payoffs == pytest.approx(hand.payoffs(found.burdens.tolist()), abs=1e-10)
    best = best_by_evolution(hand, weights, *bounds(game, plan))
    assert found.welfare >= best - 1e-9 - 1e-9 * abs(best)
    return found


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(4))
def test_random_games_against_a_global_optimiser(family: str, seed: int) -> None:
    rng = np.random.default_rng(40 + seed)
    game, plan = random_alliance(rng, family)
    while game.size > 4:
        game, plan = random_alliance(rng, family)
    found = nothing_better(game, plan, rng.uniform(0.1, 2.0, game.size))
    searched = not found.certificate.reason.startswith("concave")
    assert (found.certificate.verdict == "certified") == (not searched)
    if searched:
        assert found.certificate.gap == np.inf
        assert "nothing proved" in found.certificate.method or "refined" in found.certificate.method


@pytest.mark.parametrize("deadweight", [0.0, 0.5, 1.0])
def test_a_planner_minds_what_a_tariff_wastes(deadweight: float) -> None:
    """Joint products only: an ally below its demand loses L (1 - x / d) and the leader gets the rest.

    Under GDP weights what is transferred cancels, so that x = h / (1 - lambda L / d).
    """
    h, d, levy = 0.02, 0.05, 0.02
    game = ag.BurdenSharingGame(
        ["L", "A", "B"], "L", [5.0, 2.0, 1.0], 0.0, private_weight=h, consumption="linear",
        trade_exposure=0.1, deadweight=deadweight, burden_max=0.5,
    )  # fmt: skip
    found = ag.solve_social_optimum(game, plan=ag.Plan(tariff=0.2, demand=d))
    x = h / (1 - deadweight * levy / d)
    assert found.burdens == pytest.approx([h, x, x], abs=1e-9)
    assert found.certificate.verdict == "approximate"
    assert "tariffs" in found.certificate.reason


def test_a_hub_of_two_is_a_contest_that_nobody_wins_together() -> None:
    """q + p = 1 without a rival: with one worth, the planner spends on it as little as it can."""
    game = alliance((1, 1), 0.0, influence_weight=0.3, private_weight=0.05, **HUB)
    found = ag.solve_social_optimum(game, "equal")
    assert found.burdens == pytest.approx([0.05, 0.05], abs=1e-8)
    assert ag.solve_nash(game).burdens.min() > 0.06


def test_forces_toward_best_shot_are_searched() -> None:
    """Substitution above 1 has a planner who concentrates forces; nothing is claimed of it."""
    game = alliance((3, 2, 1), (0.05, 0.04, 0.06), spillin=0.6, umbrella=0.7, return_spillin=0.5)
    found = nothing_better(game.replace(substitution=2.0), ag.Plan(), np.ones(3))
    assert found.certificate.reason == "not concave: substitution above 1"
    assert found.certificate.verdict == "approximate"


@pytest.mark.long
def test_a_logistic_shortfall_is_searched_under_pressure_only() -> None:
    game = ag.load_model("three-allies").replace(shortfall="logistic", width=0.004)
    plan = ag.Plan(threat=0.6, demand=0.03, burden=0.03)
    pressed = nothing_better(game, plan, np.ones(4))
    assert "logistic" in pressed.certificate.reason
    plain = ag.load_model("three-allies")
    calm = [ag.solve_social_optimum(g) for g in (game, plain)]
    assert calm[0].burdens == pytest.approx(calm[1].burdens, abs=1e-9)
    assert calm[0].certificate.verdict == calm[1].certificate.verdict == "certified"


def test_triggers_have_no_jumps_without_pressure() -> None:
    plain = ag.load_model("three-allies")
    game = plain.replace(shortfall="trigger")
    found = ag.solve_social_optimum(game)
    assert found.game == game
    assert found.burdens == pytest.approx(ag.solve_social_optimum(plain).burdens, abs=1e-12)
    assert found.certificate.verdict == "certified"
    assert ag.coalition_game(game)(game.members) == pytest.approx(
        ag.coalition_game(plain)(plain.members)
    )


@pytest.mark.parametrize("inside", [{0, 1}, {1, 2}, {0, 1, 2}])
def test_coalitions_in_a_hub_by_hand(inside: set[int]) -> None:
    """No bloc gains by any joint deviation: slopes by hand, and another optimiser from several starts."""
    from scipy.optimize import minimize

    game = alliance(
        (4, 2, 1), (0.05, 0.04, 0.06), influence_weight=(0.1, 0.05, 0.08), private_weight=0.004,
        spillin=0.6, umbrella=0.7, return_spillin=0.5, rival_pull=0.1, burden_max=0.5, **HUB,
    )  # fmt: skip
    blocs, weights = one_against_singles(game, frozenset(inside)), np.array([1.0, 0.7, 1.2])
    found, hand = solve_blocs(game, blocs, weights), Hand(game)
    assert not found.proved
    assert found.payoffs == pytest.approx(hand.payoffs(found.burdens.tolist()), abs=1e-12)
    for bloc in np.unique(blocs):
        mine = np.flatnonzero(blocs == bloc)

        def loss(z: Any, mine: Any = mine) -> float:
            moved = found.burdens.copy()
            moved[mine] = z
            return -sum(float(weights[i] * hand.payoff(i, moved.tolist())) for i in mine)

        here = loss(found.burdens[mine])
        for start in (0.005, 0.05, 0.2):
            end = minimize(
                loss, np.full(len(mine), start), method="L-BFGS-B", bounds=[(1e-9, 0.5)] * len(mine)
            )
            assert end.fun >= here - 1e-7


def test_single_blocs_in_a_hub_are_nash() -> None:
    problem = BANK["a hub of two"]
    found = solve_blocs(problem.game, np.arange(2), np.ones(2))
    assert found.burdens == pytest.approx(problem.burdens, abs=1e-9)


@pytest.mark.parametrize(
    ("form", "plan", "words"),
    [
        ({"technology": "best-shot"}, ag.Plan(), "technology='best-shot'"),
        ({"technology": "weakest-link"}, ag.Plan(), "technology='weakest-link'"),
        ({"shortfall": "trigger"}, ag.Plan(threat=0.1), "jumps at every demand"),
    ],
)
def test_what_planners_are_not_written_for(form: Any, plan: ag.Plan, words: str) -> None:
    with pytest.raises(UnsupportedFormError, match=words):
        ag.solve_social_optimum(ag.load_model("three-allies").replace(**form), plan=plan)


@pytest.mark.parametrize(
    ("form", "words"),
    [({"influence": "hub"}, "hub"), ({"substitution": 1.5}, "substitution = 1.5 > 1")],
)
def test_lindahl_prices_need_a_council_and_convex_wants(form: Any, words: str) -> None:
    with pytest.raises(UnsupportedFormError, match=words):
        ag.burden_shares(ag.load_model("three-allies").replace(**form))
