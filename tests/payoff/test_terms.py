"""The terms, and the payoff assembled from them, against the payoff written by hand."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp

from alliancegame.game.plan import Plan
from alliancegame.payoff import symbolic, terms
from alliancegame.payoff.form import Form
from tests.oracle import Hand
from tests.problems import BANK, FAMILIES, FURTHER, alliance, random_alliance


@functools.cache
def compiled(form: Form, leads: bool, wanted: str) -> Callable[[dict[str, float]], Any]:
    """One expression of an assembled problem as a plain function of the symbols by name."""
    problem = symbolic.leader_problem(form) if leads else symbolic.ally_problem(form)
    expression = getattr(problem, wanted)
    names = sorted(expression.free_symbols, key=str)
    function = sp.lambdify(names, expression, modules="math")
    return lambda stage: function(*(stage[str(name)] for name in names))


def form_of(game: Any) -> Form:
    return Form(
        game.consumption, game.influence_value, game.substitution == 1, game.decisiveness == 1,
        game.influence, game.shortfall, taxed=True,
    )  # fmt: skip


def interior(game: Any, rng: np.random.Generator) -> list[float]:
    low, high = game.by_member("burden_min"), game.by_member("burden_max")
    return list(low + (np.minimum(high, 0.9) - low) * rng.uniform(0.02, 0.3, game.size))


@pytest.mark.parametrize("family", [*FAMILIES, *FURTHER])
def test_assembled_payoffs_are_the_payoffs_by_hand(family: str) -> None:
    rng = np.random.default_rng(11)
    for _ in range(20):
        game, plan = random_alliance(rng, family)
        # Zero weights remove their terms; here every term is kept, so that all are compared.
        weights = ("security_weight", "influence_weight", "private_weight")
        game = game.replace(**{name: rng.uniform(0.01, 0.3, game.size) for name in weights})
        hand, x = Hand(game, plan), interior(game, rng)
        for i in range(game.size):
            stage, leads = hand.stage(i, x), i == hand.lead
            value = functools.partial(compiled, form_of(game), leads)
            assert value("payoff")(stage) == pytest.approx(hand.payoff(i, x), rel=1e-12, abs=1e-12)
            assert value("influence")(stage) == pytest.approx(hand.influence(i, x), rel=1e-12)
            security = value("security_power")(stage) ** (1 / game.substitution)
            assert security == pytest.approx(hand.security(i, x), rel=1e-12)


def test_consumption() -> None:
    assert float(terms.consumption("log", 0.3)) == pytest.approx(math.log(0.7))
    assert float(terms.consumption("linear", 0.3)) == pytest.approx(0.7)


def test_security_of_an_ally_counts_own_others_and_umbrella() -> None:
    umbrella = terms.umbrella_worth(0.7 * 0.9, 0.8, 5.0, 0.5)
    power = terms.ally_security(2.0, 3.0**0.5, umbrella, 0.4, 0.5)
    parts = [2.0, 0.4 * 3.0, 0.7 * 0.9 * 0.8 * 5.0]
    assert power == pytest.approx(sum(part**0.5 for part in parts))


def test_security_of_the_leader_counts_allies_at_what_trust_returns() -> None:
    returned = terms.returned_spillin(0.5, 0.81, 0.5)
    assert returned == pytest.approx(0.45)
    assert terms.leader_security(4.0, 3.0, returned, 1.0) == pytest.approx(4.0 + 0.45 * 3.0)


def test_influence() -> None:
    pull = terms.council_pull(2.0, 3.0, 0.5)
    assert pull == pytest.approx(2 * math.sqrt(3))
    assert terms.council_influence(pull, 4 * pull) == pytest.approx(0.25)
    assert float(terms.influence_value("log", 0.25)) == pytest.approx(math.log(0.25))
    assert terms.influence_value("share", 0.25) == 0.25


def test_reliability_falls_with_the_shortfall_and_only_below_the_demand() -> None:
    shortfall = terms.proportional_shortfall(0.02, 0.05, 1.0)
    assert shortfall == pytest.approx(0.6)
    assert terms.reliability(0.5, shortfall) == pytest.approx(0.7)
    assert terms.reliability(0.5, terms.proportional_shortfall(0.07, 0.05, 0.0)) == 1.0


def test_trust_on_impact() -> None:
    cost = terms.threat_cost(0.5, 2.0)
    assert cost == pytest.approx(0.25)
    impact = float(terms.trust_impact(0.4, cost, 0.3, 0.1))
    assert impact == pytest.approx(math.exp(-0.1 - 0.03))


def test_stationary_trust_is_where_the_law_of_motion_ends() -> None:
    impact, recovery, ceiling = 0.7, 0.2, 0.9
    trust = 0.1
    for _ in range(2000):
        trust = terms.trust_recovery(trust * impact, recovery, ceiling)
    assert terms.stationary_trust(impact, recovery, ceiling) == pytest.approx(trust * impact)
    assert terms.stationary_trust(1.0, recovery, ceiling) == pytest.approx(ceiling)


def test_zero_weights_remove_their_term() -> None:
    """At a burden of zero with h = 0, and with no influence at alpha = 0, payoffs stay finite."""
    hand = Hand(BANK["corner contributors"].game)
    assert math.isfinite(hand.payoff(2, [0.3, 0.2, 0.0]))
    game = alliance((2, 1), 0.1, influence_weight=(0.01, 0.0))
    assert math.isfinite(Hand(game, Plan()).payoff(1, [0.1, 0.0]))
    assert Hand(game.replace(influence_weight=0.01)).payoff(1, [0.1, 0.0]) == -math.inf


def test_names_of_forms_are_distinct() -> None:
    forms = [
        Form(c, v, s, p)
        for c in ("log", "linear")
        for v in ("log", "share")
        for s in (True, False)
        for p in (True, False)
    ]
    assert len({form.name for form in forms}) == 16
