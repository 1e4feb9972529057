"""Analytic derivatives against complex steps through the payoff written by hand."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp

from alliancegame.payoff import symbolic as sy
from alliancegame.payoff.form import Form
from tests.oracle import Hand
from tests.problems import FAMILIES, FURTHER, random_alliance

STEP = 1e-30


@functools.cache
def conditions(
    form: Form, leads: bool
) -> tuple[sy.MemberProblem, list[Callable[..., Any]], list[str]]:
    """The marginal, its own derivative, its derivatives in Z, C, G, and the names they take."""
    problem = sy.leader_problem(form) if leads else sy.ally_problem(form)
    F = problem.marginal
    wanted = [F, problem.own(F), *(sp.diff(F, s) for s in (sy.Z, sy.C, sy.G))]
    names = sorted(set().union(*(w.free_symbols for w in wanted)) | {sy.x, sy.g}, key=str)
    functions = [sp.lambdify(names, w, modules="numpy") for w in wanted]
    return problem, functions, [str(name) for name in names]


def cases(family: str) -> Any:
    """Members of random games at interior burdens, with weights on every term."""
    rng = np.random.default_rng(5)
    for _ in range(15):
        game, plan = random_alliance(rng, family)
        weights = ("security_weight", "influence_weight", "private_weight")
        game = game.replace(**{name: rng.uniform(0.01, 0.3, game.size) for name in weights})
        low, high = game.by_member("burden_min"), np.minimum(game.by_member("burden_max"), 0.9)
        x = list(low + (high - low) * rng.uniform(0.02, 0.3, game.size))
        form = Form(
            game.consumption, game.influence_value, game.substitution == 1, game.decisiveness == 1,
            game.influence, game.shortfall, taxed=True,
        )  # fmt: skip
        hand = Hand(game, plan)
        for i in range(game.size):
            yield hand, i, x, *conditions(form, i == hand.lead)


def evaluate(function: Callable[..., Any], names: list[str], stage: dict[str, Any]) -> Any:
    return function(*(stage[name] for name in names))


@pytest.mark.parametrize("family", [*FAMILIES, *FURTHER])
def test_marginal_payoffs_are_the_slopes_of_the_payoff_by_hand(family: str) -> None:
    for hand, i, x, _, (marginal, *_), names in cases(family):
        value = evaluate(marginal, names, hand.stage(i, x))
        assert value == pytest.approx(hand.slope(i, x), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("family", [*FAMILIES, *FURTHER])
def test_derivatives_of_marginal_payoffs(family: str) -> None:
    """Each aggregate moved alone, the own burden moved with the aggregates held."""
    for hand, i, x, _, (marginal, own, *partials), names in cases(family):
        stage = hand.stage(i, x)
        moved = stage | {"x": stage["x"] + 1j * STEP, "g": stage["g"] + 1j * STEP * stage["scale"]}
        if "share" in stage:
            moved["share"] = stage["share"] + 1j * STEP * stage["share_x"]
            moved["share_x"] = stage["share_x"] + 1j * STEP * stage["share_xx"]
        slope = evaluate(marginal, names, moved).imag / STEP
        assert evaluate(own, names, stage) == pytest.approx(slope, rel=1e-9)
        for name, partial in zip("ZCG", partials, strict=True):
            step = STEP * stage[name]
            slope = (
                np.imag(evaluate(marginal, names, stage | {name: stage[name] + 1j * step})) / step
            )
            assert evaluate(partial, names, stage) == pytest.approx(slope, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("family", [*FAMILIES, *FURTHER])
def test_total_second_derivative_against_finite_differences(family: str) -> None:
    """Own burden and the aggregates that contain it move together."""
    for hand, i, x, problem, (_, own, in_z, in_c, _), names in cases(family):
        stage = hand.stage(i, x)
        flows = {str(s): rate for s, rate in problem.flow.items()}
        rates = {
            name: float(flows[name].subs({s: stage[str(s)] for s in flows[name].free_symbols}))
            if name in flows
            else 0.0
            for name in "ZC"
        }
        total = (
            evaluate(own, names, stage)
            + evaluate(in_z, names, stage) * rates["Z"]
            + evaluate(in_c, names, stage) * rates["C"]
        )
        h = 1e-5 * x[i]
        if any(abs(x[i] - d) < 2 * h for d in (hand.demand[i],)):
            continue
        difference = (hand.slope(i, x, x[i] + h) - hand.slope(i, x, x[i] - h)) / (2 * h)
        assert total == pytest.approx(difference, rel=1e-6, abs=1e-7)


def test_terms_are_behind_their_weights() -> None:
    for problem in (sy.ally_problem(Form()), sy.leader_problem(Form())):
        assert [(t.name, t.weight) for t in problem.terms] == [
            ("consumption", None),
            ("security", sy.theta),
            ("influence", sy.alpha),
            ("private", sy.private),
        ]
        bare = problem.payoff.subs({sy.theta: 0, sy.alpha: 0, sy.private: 0})
        assert bare == sp.log(1 - sy.x)


def test_exponents_of_one_are_numbers() -> None:
    assert sy.rho_symbol not in sy.ally_problem(Form()).payoff.free_symbols
    assert sy.m_symbol not in sy.ally_problem(Form()).payoff.free_symbols
    general = sy.ally_problem(Form(summation=False, proportional=False)).payoff.free_symbols
    assert {sy.rho_symbol, sy.m_symbol} <= general


def test_pressure_is_smooth_but_for_the_kink() -> None:
    """The two pieces meet at the demand in value and not in slope."""
    problem = sy.ally_problem(Form())
    meet = {sy.x: sy.demand}
    below, above = ({**meet, sy.below: piece} for piece in (1, 0))
    assert sp.simplify(problem.security_power.subs(below) - problem.security_power.subs(above)) == 0
    jump = problem.marginal.subs({**above, sy.g: 1}) - problem.marginal.subs({**below, sy.g: 1})
    values = {s: sp.Rational(k + 2, 30) for k, s in enumerate(sorted(jump.free_symbols, key=str))}
    assert jump.subs(values) < 0  # The marginal falls at the kink: the payoff stays concave.
