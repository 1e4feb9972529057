"""Derivatives of weakest-link and best-shot equilibria: against re-solved games, by hand, and none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import ConvergenceError, UnknownNameError
from tests.problems import alliance
from tests.study.test_sensitivities import changed

KEYS = ("security_weight", "gdp", "umbrella", "spillin", "private_weight", "return_spillin")


def nearest(game: Any, plan: Any, burdens: Any) -> Any:
    """Burdens and payoffs of the equilibrium of a game that is nearest to a profile."""
    found = ag.find_equilibria(game, plan)
    if not len(found):
        return np.full(2 * game.size, np.nan)
    best = min(found, key=lambda e: np.abs(e.burdens - burdens).max())
    return np.concatenate([best.burdens, best.payoffs])


def held(answer: Any, keys: Any = KEYS) -> int:
    """Hold one-sided derivatives against differences of re-solved games; how many were held."""
    game, plan = answer.game, answer.plan
    found, count = ag.sensitivities(answer, keys), 0
    here = np.concatenate([answer.burdens, answer.payoffs])
    for j, key in enumerate(found.keys):
        for side, sign in (("left", -1.0), ("right", 1.0)):
            column = np.concatenate([found.burdens[side][:, j], found.payoffs[side][:, j]])
            assert np.isnan(column).all() == bool(found.reasons[side][j])
            if np.isnan(column).all():
                continue
            step = sign * max(abs(found.values[j]), 2e-2) * 1e-5
            one, two = (
                nearest(*changed(game, plan, key, found.values[j] + k * step), answer.burdens)
                for k in (1, 2)
            )
            slope = (4 * one - 3 * here - two) / (2 * step)
            if np.isnan(slope).any():
                continue
            assert column == pytest.approx(slope, rel=2e-3, abs=2e-5 * (1 + np.abs(slope).max())), (
                key,
                side,
            )
            count += 1
    return count


@pytest.mark.parametrize("technology", ["weakest-link", "best-shot"])
@pytest.mark.parametrize(
    "plan",
    [ag.Plan(burden=0.03), ag.Plan(threat=0.5, demand=0.02, burden=0.03)],
    ids=["calm", "pressed"],
)
def test_components_in_order(technology: str, plan: Any) -> None:
    game = ag.load_model("three-allies").replace(technology=technology)
    keys = ("gdp", "security_weight", "umbrella[Large]", "decay", "burden", "demand", "threat")
    assert held(ag.respond(game, plan), keys) > 25


def test_random_weakest_links() -> None:
    rng = np.random.default_rng(0)
    for _ in range(2):
        game = alliance(
            rng.uniform(1, 3, 4), rng.uniform(0.02, 0.4, 4), technology="weakest-link",
            private_weight=0.003, spillin=rng.uniform(0.6, 1.3, 4), umbrella=rng.uniform(0.3, 2, 4),
            return_spillin=float(rng.uniform(0.5, 1.5)), influence_weight=0.01,
        )  # fmt: skip
        assert held(ag.solve_nash(game), ("gdp", "spillin", "umbrella")) > 15


def matching(umbrella: float) -> Any:
    """Three weakest links who match each other, and a leader with twice their GDP."""
    return alliance(
        (2, 1, 1), (0.3, 0.3, 0.05), technology="weakest-link", private_weight=0.002,
        umbrella=umbrella,
    )  # fmt: skip


def test_both_ends_of_a_continuum_move_with_whom_they_stop() -> None:
    game, plan = matching(0.5), ag.Plan(burden=0.03)
    greatest, least = sorted(ag.find_equilibria(game, plan), key=lambda e: -e.burdens[1])
    assert greatest.burdens == pytest.approx([0.03, 0.03, 0.03])
    assert least.burdens[1:] == pytest.approx(0.002 / 1.002)
    keys = (*KEYS, "burden")
    for end in (greatest, least):
        assert held(end, keys) > 20
    table = ag.sensitivities(greatest, keys).side("right")
    # The umbrella b g_l = .5 * 2 * .03 is what both match: by hand.
    assert table.loc[["A1", "A2"], "burden"].tolist() == pytest.approx([1.0, 1.0])
    assert table.loc["A1", "umbrella"] == pytest.approx(2 * 0.03)
    # Below the leader's umbrella nobody need follow the other down: the end of the set, by h alone.
    table = ag.sensitivities(least, keys).side("left")
    assert table.loc["A1", "private_weight"] == pytest.approx(1 / 1.002**2)


def test_no_derivative_where_a_continuum_ends_or_begins() -> None:
    """With less than full spill-ins nobody can match the other: the whole continuum is gone."""
    game = matching(0.5)
    found = ag.sensitivities(
        max(ag.find_equilibria(game, ag.Plan(burden=0.03)), key=lambda e: e.burdens[1])
    )
    assert found.sides["spillin"] == "right"
    assert "not exactly one move" in found.reasons["left"][found.keys.index("spillin")]
    # One equilibrium that becomes a continuum: nothing says where in it one goes.
    only = ag.solve_nash(game)
    split = ag.sensitivities(only, "private_weight[L]")
    assert split.sides.tolist() == ["left"]
    inside = ag.Plan(burden=0.03)
    middle = np.array([0.03, 0.01, 0.01])
    assert ag.certify(game, middle, inside).regret < 1e-12
    ends = ag.find_equilibria(game, inside)
    with pytest.raises(ConvergenceError, match="continuum"):
        ag.sensitivities(_at(ends.equilibria[0], middle))


def _at(answer: Any, burdens: Any) -> Any:
    """The same equilibrium result at another point of its continuum."""
    import dataclasses

    return dataclasses.replace(answer, burdens=burdens)


def test_a_champion_that_is_torn() -> None:
    """theta ln x - x against theta ln P with nothing of its own: the same at P = theta / e."""
    theta = 0.04
    game = ag.BurdenSharingGame(
        ["L", "A"], "L", [1, 1], theta, consumption="linear", technology="best-shot", burden_max=10
    )
    found = ag.find_equilibria(game, ag.Plan(burden=theta / np.e))
    fights, hides = sorted(found, key=lambda e: -e.burdens[1])
    assert (fights.burdens[1], hides.burdens[1]) == pytest.approx((theta, 0.0), abs=1e-9)
    one, other = (ag.sensitivities(e, ["burden", "security_weight[A]"]) for e in (fights, hides))
    assert one.sides.tolist() == ["left", "right"]
    assert other.sides.tolist() == ["right", "left"]
    assert one.side("right").loc["A", "security_weight[A]"] == pytest.approx(1.0)
    assert one.side("left").loc["A", "burden"] == other.side("right").loc["A", "burden"] == 0
    assert "does as well by another burden" in one.reasons["right"][0]
    # A first private benefit h lets who hides have h over its marginal cost, 1.
    begins = ag.sensitivities(hides, "private_weight[A]")
    assert begins.side("right").loc["A"].tolist() == pytest.approx([1.0])
    assert begins.side("right", payoffs=True).loc["A"].tolist() == [-np.inf]


def test_what_the_limits_have_not() -> None:
    answer = ag.solve_nash(ag.load_model("three-allies").replace(technology="weakest-link"))
    assert not any(key.startswith("substitution") for key in ag.sensitivities(answer).keys)
    with pytest.raises(UnknownNameError, match='needs technology="ces"'):
        ag.sensitivities(answer, "substitution")
