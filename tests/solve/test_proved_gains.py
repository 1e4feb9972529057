"""Proved gains where payoffs are not concave: against the payoff by hand, at profiles of all kinds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.solve import aggregative
from alliancegame.solve.nash import pressed
from alliancegame.solve.proved_gains import proved_gains
from tests.oracle import Hand
from tests.problems import alliance, random_alliance

FORMS: dict[str, dict[str, Any]] = {
    "shares, m > 1": {"influence_value": "share", "decisiveness": 1.7},
    "towards best shot": {"substitution": 2.5},
    "hub, m > 1": {"influence": "hub", "decisiveness": 2.0, "rival_pull": 0.05},
    "logistic": {"shortfall": "logistic", "width": 0.004},
    "shares in a hub, towards best shot": {  # A kernel that random games use as well.
        "influence": "hub", "influence_value": "share", "substitution": 1.5, "consumption": "linear",
    },
}  # fmt: skip


def games(form: str, count: int) -> Any:
    """Random games and plans of one form, and a random profile of each."""
    rng = np.random.default_rng(17)
    found = 0
    while found < count:
        base, plan = random_alliance(rng, "log, summation")
        high = np.minimum(base.by_member("burden_max"), 0.4)
        if base.size > 7 or not high.min() > 0.06:
            continue
        game = base.replace(burden_max=high, **FORMS[form])
        x = game.by_member("burden_min") + 0.3 * high * rng.random(game.size)
        if plan.burden is not None:
            plan = plan.replace(burden=min(plan.burden, 0.05))
            x[game.members.leader_index] = plan.burden
        found += 1
        yield game, plan, x


LONG = ("hub, m > 1", "logistic")


@pytest.mark.parametrize(
    "form", [pytest.param(f, marks=pytest.mark.long) if f in LONG else f for f in FORMS]
)
def test_bounds_hold_and_are_tight(form: str) -> None:
    """No deviation found by hand gains more, and the best of them gains nearly as much."""
    for game, plan, x in games(form, 5):
        trust = aggregative.best_deviations(game, x, plan).trust
        found = proved_gains(game, plan, x, trust)
        hand = Hand(game, plan)
        assert found.proved.all()
        for i in hand.players:
            _, gain = hand.best_deviation(i, x.tolist(), points=400, keep=3)
            assert found.gain[i] >= gain - 1e-13
            assert found.gain[i] <= gain + 1e-9
            moved = list(x)
            moved[i] = found.reply[i]
            earned = hand.payoff(i, moved) - hand.payoff(i, x.tolist())
            assert earned == pytest.approx(found.gain[i], abs=1e-9)


@pytest.mark.parametrize(
    "form", ["shares, m > 1", pytest.param("logistic", marks=pytest.mark.long)]
)
def test_equilibria_of_such_games_are_certified(form: str) -> None:
    certified = 0
    for game, plan, _ in games(form, 4):
        found = ag.solve_nash(game, plan, throw=False)
        # Where nobody is pressed a missed demand means nothing, and a logistic game is a concave one.
        quiet = form == "logistic" and not pressed(game, plan)
        assert found.certificate.unique != "proven" or form == "shares, m > 1" or quiet
        if found.certificate.verdict == "unverified":
            continue  # There need be none.
        certified += found.certificate.verdict == "certified"
        if not (
            aggregative.tables(game).concave or quiet
        ):  # Shares that nobody values leave it concave.
            assert "interval arithmetic" in found.certificate.method
        assert max(Hand(game, plan).gains(found.burdens.tolist(), 300)) < 1e-9
    assert certified >= 2


def test_a_double_well_is_not_believed() -> None:
    """One contribution replaces the other towards best shot: stationary points are no equilibria.

    With rho = 4 two equal members who share the burden equally satisfy every first-order condition,
    and each would rather leave the whole of it to the other.
    """
    game = alliance((1, 1), 0.5, consumption="linear", substitution=4.0)
    share = 0.25  # theta / 2: the first-order condition of the symmetric profile.
    made = ag.certify(game, [share, share])
    hand = Hand(game)
    assert abs(hand.slope(0, [share, share])) < 1e-12
    gain = max(hand.gains([share, share], 2000))
    assert gain > 1e-3
    assert made.verdict == "unverified"
    assert made.regret == pytest.approx(gain, abs=1e-9)
