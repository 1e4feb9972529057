"""False claims that a hostile reader once got accepted, each planted again."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest
import sympy as sp
from scipy.optimize import brentq

import alliancegame as ag
from tests.verify import by_hand
from tests.verify.test_other_games import a, b, claimed, status

KEPT = {"regret": 1e-9, "verdict": "certified"}


def found(content: dict[str, Any]) -> dict[str, str]:
    return {c.claim: c.status for c in ag.verify(content).claims if not c.of.count(".")}


def record(game: Any, plan: Any, burdens: Any, **more: Any) -> dict[str, Any]:
    return by_hand.file(by_hand.record(game, plan, burdens, **KEPT, **more))


# --- Theorems --------------------------------------------------------------------------------------


def test_allies_who_value_a_share_give_up_faster_than_the_leader_adds() -> None:
    """g + sqrt(a k g) - k g = theta has three roots: so many equilibria, where a theorem spoke of one."""
    game = ag.BurdenSharingGame(
        ["L", "A"], "L", [1, 1], [0.02, 0.0], influence_weight=[0, 0.1], influence_value="share",
        council_weight=[10, 1], umbrella=0.0, consumption="linear", burden_max=0.25,
    )  # fmt: skip

    def ally(g: float) -> float:
        return max(0.0, float(np.sqrt(0.1 * 10 * g)) - 10 * g)

    def over(g: float) -> float:
        return g + ally(g) - 0.02

    roots = [
        brentq(over, *ends, xtol=1e-16) for ends in ((1e-6, 3e-3), (3e-3, 0.01), (0.011, 0.03))
    ]
    for root in roots:
        made = record(game, ag.Plan(), [root, ally(root)], unique="proven")
        assert found(made) == {"numbers": "accepted", "regret": "accepted", "uniqueness": "refused"}
    solved = ag.solve_nash(game)
    assert solved.certificate.unique == "multiple"
    assert len(solved.others) == 2


@pytest.mark.parametrize("shift", [0.0, 1e-9, 1e-7])
def test_a_continuum_is_not_hidden_by_moving_the_leader(shift: float) -> None:
    game = ag.BurdenSharingGame(
        ["L", "A", "B"], "L", [1, 1, 1], [3 / 64, 5 / 128, 9 / 256],
        umbrella={"A": 0.5, "B": 0.25}, consumption="linear",
    )  # fmt: skip
    for given in (1 / 128, 3 / 128):
        burdens = [(1 + shift) / 64, given, 1 / 32 - given]
        made = record(game, ag.Plan(), burdens, unique="proven")
        assert found(made)["regret"] == "accepted"
        assert found(made)["uniqueness"] == "refused"


@pytest.mark.parametrize("beyond", [-1e-12, 0.0, 1e-12])
def test_a_continuum_is_not_hidden_behind_the_demand(beyond: float) -> None:
    game = ag.BurdenSharingGame(
        ["L", "A", "B"], "L", [1, 1, 1], [0.05, 1 / 64, 1 / 32], umbrella=0.0,
        consumption="linear", trade_exposure={"A": 1 / 64, "B": 0},
    )  # fmt: skip
    plan = ag.Plan(burden=1 / 64, demand=1 / 32, tariff={"A": 1.0})
    burdens = [1 / 64, 1 / 32 + beyond, max(0.0, -beyond)]
    made = record(game, plan, burdens, unique="proven")
    assert (found(made)["regret"], found(made)["uniqueness"]) == ("accepted", "refused")


def test_influence_of_a_lone_ally_settles_nothing() -> None:
    """All influence is its own whatever it gives, and a levy takes just what a burden costs."""
    game = ag.BurdenSharingGame(
        ["L", "A"], "L", [1, 1], [0.05, 0], influence_weight=[0, 0.01], trade_exposure={"A": 1 / 32}
    )
    plan = ag.Plan(burden=0.0, demand=1 / 32, tariff=1.0)
    for given in (1 / 128, 1 / 64, 1 / 32):
        made = record(game, plan, [0.0, given], unique="proven")
        assert (found(made)["regret"], found(made)["uniqueness"]) == ("accepted", "refused")
    assert ag.respond(game, plan).certificate.unique != "proven"


def test_a_leader_whom_nobody_trusts_has_no_influence() -> None:
    game = ag.BurdenSharingGame(
        ["L", "A"], "L", [1, 1], [0.02, 0.0], influence_weight=[0.1, 0], influence_value="share",
        trust=0.0,
    )  # fmt: skip
    made = by_hand.record(game, ag.Plan(), [0.02 / 1.02, 0.0], **KEPT)
    assert made["influence"][0] == 0
    assert ag.verify(by_hand.file(made)).accepted
    made["influence"][0] = 1.0
    made["payoff"][0] += 0.1
    assert found(by_hand.file(made))["numbers"] == "refused"


# --- Games of one's own ----------------------------------------------------------------------------


def test_names_of_users_are_not_those_of_the_checker() -> None:
    q, total, p = sp.symbols("q Q"), sp.Symbol("Q"), sp.Symbol("others Q")
    q = q[0]
    game = ag.AggregativeGame(2, (q, 0, 1), p * q - q**2 / 2 + 0 * total, {total: q}, {p: 0.3})
    content = claimed(game, [0.3, 0.3])
    assert status(content)["regret"] == "accepted"
    forged = content | {"action": [0.9, 0.9], "payoff": [0.405, 0.405]}
    assert status(forged)["payoffs"] == "refused"
    assert status(forged)["regret"] == "refused"


def test_doubles_are_fractions_before_anything_cancels() -> None:
    q, one, two = sp.symbols("q one two")
    game = ag.AggregativeGame(
        2, (q, 0, 1), one + q - two, {one: sp.Float(1e20) * q, two: sp.Float(1e20) * q}
    )
    forged = claimed(game, [1.0, 1.0]) | {"action": [0.0, 0.0], "payoff": [0.0, 0.0]}
    assert status(forged)["regret"] == "refused"


@pytest.mark.parametrize(
    ("payoff", "low"),
    [
        (-(sp.log(a) ** 2), -1), (sp.cos(sp.log(a)), -2), (sp.Min(sp.sqrt(a), 0), -1),
        (1 - sp.Abs(sp.sqrt(a) - 1), -1), (-sp.cosh(sp.log(a)), -1),
    ],
    ids=str,
)  # fmt: skip
def test_what_does_not_exist_is_not_known_again(payoff: Any, low: float) -> None:
    game = ag.ContinuousGame({"1": payoff, "2": -(b**2)}, {"1": (a, low, 3), "2": (b, -1, 1)})
    content = claimed(game, [1.0, 0.0])
    assert status(content) == {
        "payoffs": "accepted", "regret": "not checkable", "uniqueness": "accepted",
    }  # fmt: skip


@pytest.mark.parametrize(("base", "value"), [(2, 1e11), (sp.Rational(3, 2), 1.2e8)])
def test_huge_powers_do_not_hang(base: Any, value: float) -> None:
    p = sp.Symbol("p")
    game = ag.ContinuousGame(
        {"1": -(a**2) + base ** (-p), "2": -(b**2)}, {"1": (a, -1, 1), "2": (b, -1, 1)}, {p: 1.0}
    )
    content = claimed(game, [0.0, 0.0])
    content["game"]["parameters"]["p"] = value
    content["provenance"]["game_hash"] = ag.ContinuousGame.from_dict(content["game"]).hash
    assert ag.verify(content).claims


def test_fractions_that_would_fill_the_memory_are_refused() -> None:
    game = ag.FiniteGame([[[3, 0], [0, 2]], [[2, 0], [0, 3]]])
    content = json.loads(ag.solve_nash(game).to_json(certificate=True))
    content["payoff"][next(iter(content["payoff"]))] = "1e-400000000"
    assert ag.verify(content).status == "refused"


def test_completeness_is_read_where_it_stands() -> None:
    game = ag.FiniteGame([[[3, 0], [0, 2]], [[2, 0], [0, 3]]])
    content = json.loads(ag.find_equilibria(game).to_json(certificate=True))
    content |= {"completeness": False, "components": [], "equilibria": content["equilibria"][:1]}
    content["equilibria"][0]["certificate"]["unique"] = "not proven"
    kept = [c for c in content["claims"] if c["of"] in ("", "equilibria[0]")]
    for claim in kept:
        claim.update({"state": "not proven"} if "state" in claim else {})
    content["claims"] = kept
    assert content["complete"] is True
    assert found(content)["completeness"] == "not checkable"


# --- Lists and what stands beside ------------------------------------------------------------------


def test_copies_beside_a_profile_are_refused() -> None:
    game = ag.BurdenSharingGame(["L", "A"], "L", [1, 1], [0.05, 0.05], private_weight=0.01)
    burdens = [float(x) for x in ag.solve_nash(game).burdens]
    for factor in (1.0, 1 + 1e-11):
        other = by_hand.record(game, ag.Plan(), [burdens[0], burdens[1] * factor], **KEPT)
        made = by_hand.record(game, ag.Plan(), burdens, others=[other], **KEPT)
        assert ag.verify(by_hand.file(made)).status == "refused"


def test_a_cycle_leads_back() -> None:
    game = ag.load_model("three-allies").replace(technology="best-shot")
    true = json.loads(ag.find_equilibria(game).to_json(certificate=True))
    assert "refused" not in found(true).values()
    assert len(true["cycle"]) > 2
    for change in (lambda c: c.pop(), lambda c: c.pop(1), lambda c: c.reverse()):
        broken = copy.deepcopy(true)
        change(broken["cycle"])
        assert ag.verify(broken).status == "refused"


def test_an_outcome_that_hangs_on_the_last_digits_is_open() -> None:
    """Payoffs agree to 1e-9: where they are large, that is more than what tells a gain from none."""
    game = ag.BurdenSharingGame(
        ["L", "A"], "L", [1e13, 1e12], [1.0, 0.5], influence_weight=[0.001, 0.001], decay=0.0
    )
    made = json.loads(ag.compare(game, ag.Plan(threat=0.0)).to_json(certificate=True))
    gain = 5e-9 * abs(made["result"]["payoff"][0]) / 10
    assert gain > 5e-9
    made["result"]["payoff"][0] += gain
    made["delta_payoff"] = made["result"]["payoff"][0] - made["baseline"]["payoff"][0]
    made["gain_usd_bn"] = float(
        np.expm1(made["delta_payoff"]) * (1 - made["baseline"]["burden"][0]) * 1e13
    )
    made["outcome"] = "windfall"
    for claim in made["claims"]:
        if claim["claim"] == "outcome":
            claim["outcome"] = "windfall"
    assert found(made)["outcome"] == "not checkable"


p = sp.Symbol("p")


@pytest.mark.parametrize(
    ("payoff", "low", "at"),
    [
        (sp.sqrt((a - sp.sqrt(b)) ** 2) - a**2 / 100, 0, 0.0),
        (sp.sqrt((a - sp.log(p + 2)) ** 2) - a / 10, 0, 0.0),
        (((a - sp.sqrt(b)) ** 2) ** (p / 2) - a / 10, 0, 0.2),
        (
            sp.Min(sp.Piecewise((sp.sqrt((a - sp.log(p + 2)) ** 2), b > 0), (0, True)), 5) - a / 10,
            0,
            0.0,
        ),
    ],
    ids=str,
)
def test_a_cusp_where_a_root_is_taken_of_a_square_is_no_slope(
    payoff: Any, low: float, at: float
) -> None:
    """SymPy does not know w real in sqrt(w^2), and takes its second derivative for 0: it is |w|."""
    game = ag.ContinuousGame(
        {"1": payoff, "2": -((b - 1) ** 2)}, {"1": (a, low, 3), "2": (b, 0.5, 2)},
        {p: 1.0} if p in payoff.free_symbols else {},
    )  # fmt: skip
    content = claimed(game, [at, 1.0])
    assert status(content)["payoffs"] == "accepted"
    assert status(content)["regret"] == "refused"
