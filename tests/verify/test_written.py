"""The payoffs that a report writes out are those of the model, and of users' games."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import sympy as sp

import alliancegame as ag
from tests.problems import alliance
from tests.verify import by_hand

FORMS: dict[str, dict[str, Any]] = {
    "plain": {}, "linear": {"consumption": "linear"}, "share": {"influence_value": "share"},
    "hub": {"influence": "hub", "decisiveness": 1.5, "rival_pull": 0.02},
    "logistic": {"shortfall": "logistic"}, "trigger": {"shortfall": "trigger"},
    "complements": {"substitution": -0.5}, "substitutes": {"substitution": 3.0},
    "weakest link": {"technology": "weakest-link"}, "best shot": {"technology": "best-shot"},
    "stationary": {"horizon": "stationary", "recovery": 0.1},
}  # fmt: skip


def value(pieces: tuple[str, ...], point: dict[str, float]) -> float:
    """Of the pieces of a written payoff the last in which the point lies."""
    found = []
    for piece in pieces:
        where, formula = piece.split(": ", 1)
        if all(bool(sp.sympify(part).subs(point)) for part in map(_both, where.split(", "))):
            found.append(float(sp.sympify(formula).subs(point)))
    return found[-1]


def _both(chain: str) -> str:
    low, name, high = chain.split(" <= ")
    return f"({low} <= {name}) & ({name} <= {high})"


@pytest.mark.parametrize("form", FORMS)
def test_members_payoffs_are_those_of_the_model(form: str) -> None:
    game = alliance(
        (5, 2, 1), (0.04, 0.03, 0.05), influence_weight=0.01, private_weight=0.004, decay=0.4,
        burden_max=0.2, trade_exposure=0.1, deadweight=0.3, umbrella=0.7, spillin=0.6,
        **FORMS[form],
    )  # fmt: skip
    plan = ag.Plan(threat=0.4, demand=0.04, tariff=0.1)
    burdens = [0.03, 0.02, 0.05]
    content = by_hand.file(by_hand.record(game, plan, burdens))
    found = ag.verify(content, payoffs=True).payoffs["equilibrium"]
    hand = by_hand.Alliance(game, plan)
    assert list(found) == list(game.members)
    for i, name in enumerate(game.members):
        for own in (0.001, 0.02, 0.0399, 0.06, 0.2):
            profile = [own if j == i else b for j, b in enumerate(burdens)]
            assert value(found[name], {"x": own}) == pytest.approx(
                hand.payoff(i, profile), abs=2e-5
            )


def test_payoffs_of_formulas_are_the_users_own() -> None:
    a, b, c = sp.symbols("a b c")
    game = ag.ContinuousGame(
        {"1": sp.Max(a, 2 * a - c) - a**2 + a * b, "2": -sp.Abs(b - 0.3)},
        {"1": (a, 0, 2), "2": (b, 0, 1)}, {c: 0.75},
    )  # fmt: skip
    content = json.loads(ag.solve_nash(game).to_json(certificate=True))
    found = ag.verify(content, payoffs=True).payoffs["action-profile"]
    at = dict(zip("ab", content["action"], strict=True))
    for k, own in (("1", "a"), ("2", "b")):
        for x in np.linspace(0, 1, 7):
            point = at | {own: float(x)}
            true = game.numeric[game.players.index(k)].subs(
                {s: point[s.name] for s in game.symbols}
            )
            assert value(found[k], point) == pytest.approx(float(true), abs=2e-5)


def test_without_being_asked_nothing_is_written() -> None:
    game = ag.FiniteGame([[[3, 0], [0, 2]], [[2, 0], [0, 3]]])
    finite = json.loads(ag.solve_nash(game).to_json(certificate=True))
    assert ag.verify(finite, payoffs=True).payoffs == {}
    three = ag.load_model("three-allies")
    plain = json.loads(ag.solve_nash(three).to_json(certificate=True))
    assert "payoffs" not in ag.verify(plain).to_dict()
    assert list(ag.verify(plain, payoffs=True).to_dict()["payoffs"]) == ["equilibrium"]
