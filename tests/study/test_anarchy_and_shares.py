"""The price of anarchy and sharing rules: closed forms, and Lindahl's conditions checked by hand."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import InvalidValueError
from alliancegame.solve.result import result_from_dict
from alliancegame.study.shares import RULES, lindahl_burdens, marginal_benefits
from tests.oracle import Hand
from tests.problems import BANK, alliance


def test_price_of_anarchy_of_k8() -> None:
    """Linear, n alike: u = theta ln(n x) + h ln x - x, x = theta / n + h against theta + h."""
    theta, h, n = 0.5, 0.07, 5
    found = ag.price_of_anarchy(BANK["K8"].game)
    nash, best = theta / n + h, theta + h

    def u(x: float) -> float:
        return theta * math.log(n * x) + h * math.log(x) + 1 - x

    row = found.row(found.equilibria[0])
    assert row["welfare_loss"] == pytest.approx(n * (u(best) - u(nash)))
    assert row["gift"] == pytest.approx(u(best) - u(nash))
    assert row["gift_usd_bn"] == pytest.approx(n * (u(best) - u(nash)))
    assert found.price == pytest.approx(1 + (u(best) - u(nash)) / (1 - nash))


def test_price_of_anarchy_in_logs_is_the_gift_that_makes_up_for_it() -> None:
    """With consumption (1 + gift) times as large in A, the weighted sum is the optimum's."""
    game = ag.load_model("three-allies")
    plan = ag.Plan(threat=1.0)
    found = ag.price_of_anarchy(game, plan, weights=[3.0, 1.0, 2.0, 0.5])
    weights = found.optimum.weights
    for equilibrium in found.equilibria:
        row = found.row(equilibrium)
        hand = Hand(game, equilibrium.plan)
        payoffs = np.array(hand.payoffs(equilibrium.burdens.tolist()))
        richer = payoffs + math.log(1 + row["gift"])
        assert float(weights @ richer) == pytest.approx(found.optimum.welfare, abs=1e-12)
        cost = row["gift"] * game.by_member("gdp") * (1 - equilibrium.burdens)
        assert row["gift_usd_bn"] == pytest.approx(cost.sum())
        assert row["price"] > 1
    frame = found.to_frame()
    assert list(frame.index) == ["A, no pressure", plan.describe()]
    assert result_from_dict(found.to_dict()).to_dict() == found.to_dict()
    for equilibrium in found.equilibria:
        row = found.row(equilibrium)
        assert f"{row['price']:.4f} in {row['situation']}" in found.headline()
    assert "more" not in found.headline()
    many = dataclasses.replace(found, equilibria=found.equilibria + 3 * found.equilibria[1:])
    assert "1 more in to_frame()" in many.headline()


def test_rules_add_up() -> None:
    game = ag.load_model("three-allies")
    found = ag.burden_shares(game)
    gdp = game.by_member("gdp")
    assert list(found.burdens) == list(RULES)
    total = found.optimum.total_spending
    for rule in ("gdp", "benefit"):
        assert float(found.burdens[rule] @ gdp) == pytest.approx(total)
    assert np.ptp(found.burdens["gdp"]) == 0
    assert found.burdens["nato"].tolist() == [0.02] * 4
    frame = found.to_frame()
    assert frame[[f"share_{rule}" for rule in RULES]].sum().tolist() == pytest.approx([1.0] * 6)
    assert found.totals.loc["A", "usd_bn"] == 0
    best = found.totals["welfare_change"]
    assert best.idxmax() == "optimum"
    assert result_from_dict(found.to_dict()).to_dict() == found.to_dict()


def test_payoffs_of_a_rule_are_those_by_hand() -> None:
    game = ag.load_model("three-allies")
    found = ag.burden_shares(game, pledge=0.05)
    for rule, burdens in found.burdens.items():
        assert found.payoffs(rule) == pytest.approx(Hand(game).payoffs(burdens.tolist()))
    outside = ag.burden_shares(game, pledge=0.3)
    assert np.isnan(outside.payoffs("nato")).all()
    assert math.isnan(outside.totals.loc["nato", "welfare_change"])


@pytest.mark.parametrize("consumption", ["log", "linear"])
def test_benefits_are_theta_times_consumption(consumption: str) -> None:
    """Security is homogeneous of degree one in all forces: no derivative is needed to know them."""
    game = alliance(
        (5, 2, 1), (0.2, 0.1, 0.3), consumption=consumption, spillin=0.6, umbrella=0.4,
        return_spillin=0.3, substitution=0.8, influence_weight=0.1,
    )  # fmt: skip
    x = np.array([0.05, 0.02, 0.1])
    dollar = np.array([5.0, 2, 1]) * (1 - x if consumption == "log" else 1.0)
    expected = np.array([0.2, 0.1, 0.3]) * dollar
    assert marginal_benefits(game, x) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("consumption", ["log", "linear"])
@pytest.mark.parametrize("rho", [1.0, 0.5])
def test_lindahl_prices_cover_costs_and_everybody_wants_the_same(
    consumption: str, rho: float
) -> None:
    """The equilibrium itself, by hand: forces g, personal prices, payments, and each one's demand.

    Forces maximise the sum of lambda_i (theta_i ln S_i + h_i ln g_i) minus their cost, lambda_i being
    the inverse marginal utility of a dollar at the payments. Prices are what a dollar's worth of
    each force is worth to each member at the margin.
    """
    from scipy.optimize import minimize

    Y, theta, h = np.array([9.0, 4, 2]), np.array([0.2, 0.3, 0.25]), np.array([0.05, 0.04, 0.06])
    game = alliance(
        Y, theta, private_weight=h, consumption=consumption, spillin=0.6, umbrella=0.7,
        return_spillin=0.5, substitution=rho,
    )  # fmt: skip
    hand = Hand(game)
    paid = lindahl_burdens(game) * Y
    dollar = Y - paid if consumption == "log" else Y

    def goods(i: int, g: Any) -> Any:
        x = [v / y for v, y in zip(g, Y, strict=True)]
        return theta[i] * np.log(hand.security(i, x)) + h[i] * np.log(x[i])

    def loss(logs: Any) -> float:
        g = np.exp(logs)
        return float(g.sum() - sum(dollar[i] * goods(i, g) for i in range(3)))

    found = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-10})
    g = np.exp(found.x)
    prices = np.empty((3, 3))  # of force j to member i
    for j in range(3):
        moved = g.astype(complex)
        moved[j] += 1e-25j
        for i in range(3):
            prices[i, j] = dollar[i] * complex(goods(i, moved)).imag / 1e-25
    assert prices.sum(axis=0) == pytest.approx([1.0] * 3, abs=1e-6)  # Samuelson: costs are covered.
    assert prices @ g == pytest.approx(paid, rel=1e-6)  # And payments are the shares claimed.
    for i in range(3):
        # Scaling all forces up or down at these prices helps nobody.
        for factor in (0.7, 0.95, 1.05, 1.4):
            left = Y[i] - factor * paid[i]
            of_left = np.log(left / Y[i]) if consumption == "log" else left / Y[i]
            of_now = np.log(1 - paid[i] / Y[i]) if consumption == "log" else 1 - paid[i] / Y[i]
            assert of_left + goods(i, factor * g) < of_now + goods(i, g)


def test_nobody_values_security() -> None:
    game = alliance((2, 1), 0.0, private_weight=0.1)
    found = ag.burden_shares(game)
    assert found.burdens["benefit"] == pytest.approx(found.burdens["gdp"])


def test_bad_pledge() -> None:
    for pledge in (0.0, -0.1, math.nan, "two"):
        with pytest.raises(InvalidValueError, match="pledge"):
            ag.burden_shares(alliance((2, 1), 0.1), pledge=pledge)  # type: ignore[arg-type]
