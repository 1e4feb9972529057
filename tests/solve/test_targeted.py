"""Targeted pressure and national interest: slopes against differences, plans against brute force."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import (
    AllianceGameError,
    InvalidValueError,
    UnknownNameError,
    UnsupportedFormError,
)
from alliancegame.solve import aggregative, measures
from alliancegame.solve.leader import targeted
from alliancegame.solve.result import result_from_dict
from tests.problems import FAMILIES, FURTHER, random_alliance


@pytest.fixture(scope="module")
def game() -> Any:
    return ag.load_model("three-allies")


@pytest.fixture(scope="module")
def two_allies() -> Any:
    """One ally that fears and spends, one whom a threat only offends."""
    return ag.BurdenSharingGame(
        ["L", "a", "b"], "L", [10, 4, 2], [0.05, 0.06, 0.03], influence_weight=[0.02, 0.002, 0.004],
        private_weight=[0, 0.002, 0.002], decay=[0, 0.1, 1.0], umbrella=0.6, return_spillin=0.8,
    )  # fmt: skip


@pytest.mark.parametrize("family", [*FAMILIES, *FURTHER, "logistic"])
def test_slopes_against_differences(family: str) -> None:
    rng = np.random.default_rng(len(family))
    held = 0
    while held < 25:
        game, plan = random_alliance(rng, "log, summation" if family == "logistic" else family)
        if game.size > 7:
            continue
        if family == "logistic":
            game = game.replace(shortfall="logistic", width=float(rng.uniform(0.005, 0.03)))
        try:
            answer = ag.solve_nash(game, plan).burdens
        except AllianceGameError:
            continue
        row = targeted.row_of(game, plan)
        box = targeted.Targets(game, row, row)
        if not np.allclose(box.solve(row[None], whole=True).burden[0], answer, atol=1e-11):
            continue
        slopes, n = box.slopes(row, answer), game.size
        for j in range(3 * n + 1):
            if np.isnan(row[j]) or (j < 3 * n and j % n == game.members.leader_index):
                continue
            if 2 * n <= j < 3 * n and not plan.taxed:
                continue

            def slope(step: float, j: int = j, row: Any = row, box: Any = box) -> float:
                ahead = np.repeat(row[None], 3, axis=0)
                offsets = np.array([-1, 0, 1] if row[j] > step else [0, 1, 2]) * step
                ahead[:, j] += offsets
                a, b, c = box.solve(ahead).leader_payoff
                return (c - a) / 2 / step if row[j] > step else (4 * b - 3 * a - c) / 2 / step

            h = max(row[j], 1e-2) * 1e-4
            one, two = slope(h), slope(h / 2)
            if abs(one - two) > 1e-5 * max(abs(two), 1e-4):
                continue  # A kink within the step.
            assert slopes[j] == pytest.approx(two, rel=1e-4, abs=1e-7), (j, n)
            held += 1


def brute(game: Any, axes: list[Any], row_for: Any) -> float:
    """The leader's best payoff over a product of axes."""
    points = np.array(list(itertools.product(*axes)))
    n = game.size
    rows = np.array([row_for(point) for point in points])
    values = aggregative.solve_plans(game, rows[:, :n], rows[:, n : 2 * n], rows[:, 2 * n])
    return float(np.nanmax(values.leader_payoff))


def test_threats_by_ally_against_a_grid(two_allies: Any) -> None:
    found = ag.solve_stackelberg(two_allies, ("threat",), burden=0.04, targeted=True)
    axis = np.linspace(0, 1, 121)
    top = brute(two_allies, [axis, axis], lambda p: [0, *p, 0.05, 0.05, 0.05, 0.04])
    assert top - 1e-12 <= found.leader_payoff <= top + 1e-5
    assert found.gain_over_uniform > 1e-5
    assert found.plan.threat["a"] > found.plan.threat["b"]
    assert np.isnan(found.leader_gap)
    assert found.certificate.verdict == "certified"


def test_threats_and_demands_by_ally_against_a_grid(two_allies: Any) -> None:
    found = ag.solve_stackelberg(two_allies, ("threat", "demand"), burden=0.04, targeted=True)
    threats, demands = np.linspace(0, 1, 13), np.linspace(0.005, 0.12, 14)
    top = brute(two_allies, [threats, threats, demands, demands],
                lambda p: [0, p[0], p[1], 0.05, p[2], p[3], 0.04])  # fmt: skip
    assert found.leader_payoff >= top - 1e-12
    assert found.leader_payoff <= top + 3e-4


@pytest.fixture(scope="module")
def taxed(two_allies: Any) -> Any:
    """The same two allies, who export to the leader."""
    return two_allies.replace(
        trade_exposure={"a": 0.08, "b": 0.02}, deadweight=0.3, tariff_decay=0.4
    )


def worth(game: Any, rows: Any) -> Any:
    """The leader's payoff under (threats, demands, tariffs, burden) by row."""
    n = game.size
    rows = np.asarray(rows, dtype=float)
    return aggregative.solve_plans(
        game, rows[:, :n], rows[:, n : 2 * n], rows[:, 3 * n], tariffs=rows[:, 2 * n : 3 * n]
    ).leader_payoff


def test_tariffs_by_ally_against_a_grid(taxed: Any) -> None:
    found = ag.solve_stackelberg(taxed, ("tariff",), burden=0.04, threat=0.1, targeted=True)
    axis = np.linspace(0, 1, 101)
    rows = [[0, 0.1, 0.1, 0.05, 0.05, 0.05, 0, a, b, 0.04] for a in axis for b in axis]
    top = np.nanmax(worth(taxed, rows))
    assert top - 1e-12 <= found.leader_payoff <= top + 1e-5
    assert found.plan.tariff["a"] != pytest.approx(found.plan.tariff["b"], abs=0.01)
    assert found.leader_payoff >= found.targets.uniform
    assert found.certificate.verdict == "certified"
    again = result_from_dict(json.loads(found.to_json()))
    assert again.to_json() == found.to_json()


def test_threats_and_tariffs_together_beat_either(taxed: Any) -> None:
    alone = [
        ag.solve_stackelberg(taxed, (name,), burden=0.04, targeted=True).leader_payoff
        for name in ("threat", "tariff")
    ]
    both = ag.solve_stackelberg(taxed, ("threat", "tariff"), burden=0.04, targeted=True)
    assert both.leader_payoff >= max(alone) - 1e-9
    rng = np.random.default_rng(3)
    rows = np.zeros((4000, 10))
    rows[:, [1, 2, 7, 8]] = rng.random((4000, 4)) * (rng.random((4000, 4)) < 0.7)
    rows[:, 3:6], rows[:, 9] = 0.05, 0.04
    assert both.leader_payoff >= np.nanmax(worth(taxed, rows)) - 1e-12


def test_exposure_bounds_the_tariffs_that_are_tried(taxed: Any) -> None:
    """Who exports nothing is not taxed; who exports much keeps something."""
    game = taxed.replace(trade_exposure={"a": 3.0, "b": 0.0})
    found = ag.solve_stackelberg(game, ("tariff",), burden=0.04, targeted=True)
    _, a, b = found.plan.tariff_by_member(game.members)
    assert b == 0
    assert 0 < a <= 0.33


def test_trigger_threats_by_ally_against_a_grid(two_allies: Any) -> None:
    game = two_allies.replace(shortfall="trigger")
    found = ag.solve_stackelberg(game, ("threat",), burden=0.04, demand=0.03, targeted=True)
    top = -np.inf
    for a, b in itertools.product(np.linspace(0, 1, 9), repeat=2):
        plan = ag.Plan(threat={"a": a, "b": b}, demand=0.03, burden=0.04)
        top = max(top, ag.solve_nash(game, plan).leader_payoff)
    assert found.leader_payoff >= max(top, found.targets.uniform) - 1e-9
    assert np.isnan(found.targets.slope)
    assert found.leader_payoff == pytest.approx(
        ag.solve_nash(game, found.plan).leader_payoff, abs=1e-13
    )
    with pytest.raises(UnsupportedFormError, match="up to 6 allies"):
        ag.solve_stackelberg(ag.load_model("nato-2024").replace(shortfall="trigger"), targeted=True)


def test_national_interest_with_triggers_is_that_of_its_answer(two_allies: Any) -> None:
    game = two_allies.replace(shortfall="trigger")
    found = ag.solve_stackelberg(
        game, ("threat",), burden=0.04, demand=0.03, objective="national_interest"
    )
    plans = [ag.Plan(threat=t, demand=0.03, burden=0.04) for t in np.linspace(0, 1, 21)]
    answers = [e for plan in plans for e in ag.find_equilibria(game, plan)]
    assert found.objective_value >= max(map(found.interest.of, answers)) - 1e-9
    assert found.objective_value == found.interest.of(found.response)


@pytest.mark.parametrize("forms", [{"influence": "hub", "decisiveness": 0.6}])
def test_a_hub_is_never_worse_targeted(two_allies: Any, forms: Any) -> None:
    game = two_allies.replace(**forms)
    found = ag.solve_stackelberg(game, ("threat",), burden=0.04, targeted=True)
    axis = np.linspace(0, 1, 81)
    top = brute(game, [axis, axis], lambda p: [0, *p, 0.05, 0.05, 0.05, 0.04])
    assert top - 1e-12 <= found.leader_payoff <= top + 1e-5


def test_never_worse_than_the_best_uniform_plan(game: Any) -> None:
    for commit in (("threat", "burden"), ("threat",)):
        uniform = ag.solve_stackelberg(game, commit)
        found = ag.solve_stackelberg(game, commit, targeted=True)
        assert found.targets.uniform == pytest.approx(uniform.leader_payoff, abs=1e-13)
        assert found.leader_payoff >= uniform.leader_payoff
        assert found.gain_over_uniform >= 0
        assert ag.solve_nash(game, found.plan).leader_payoff == pytest.approx(
            found.leader_payoff, abs=1e-13
        )
        assert "uniform" in found.headline()
        assert str(found.targets.starts) in found.search
    again = result_from_dict(json.loads(found.to_json()))
    assert again.to_json() == found.to_json()


def test_allies_who_are_alike_need_not_be_treated_alike() -> None:
    """Where threats ruin trust, one ally is made to pay and the other is left its trust."""
    game = ag.BurdenSharingGame(
        ["L", "a", "b"], "L", [10, 3, 3], 0.04, influence_weight=0.002, private_weight=0.002,
        decay=50.0,
    )  # fmt: skip
    found = ag.solve_stackelberg(game, targeted=True)
    assert found.gain_over_uniform > 1e-3
    assert min(found.plan.threat.values()) == 0 < max(found.plan.threat.values())
    axis = np.linspace(0, 1, 41)
    best = brute(game, [axis, axis, np.linspace(0.02, 0.04, 41)],
                 lambda p: [0, p[0], p[1], 0.05, 0.05, 0.05, p[2]])  # fmt: skip
    assert best - 1e-12 <= found.leader_payoff <= best + 1e-4


def test_national_interest_against_a_dense_grid(game: Any) -> None:
    found = ag.solve_stackelberg(game, objective="national_interest")
    status = ag.solve_nash(game)
    weight = measures.interest_weight(
        game, status.savings, status.leader_influence, status.securities[0]
    )
    best = -np.inf
    for threat in np.linspace(0, 1, 21):
        batch = aggregative.solve_plans(
            game, np.full(120, threat), np.full(120, 0.05), np.linspace(0.002, 0.1, 120), whole=True
        )
        for burdens, influence, security in zip(
            batch.burden, batch.influence, batch.security, strict=True
        ):
            saved = measures.savings(game, burdens, security)
            best = max(best, measures.national_interest(weight, saved, float(influence[0])))
    assert best - 1e-12 <= found.objective_value <= best + 1e-3
    turned = found.directions
    assert turned["agree"] is False
    assert turned["national_interest"] > 0 > turned["payoff"]
    assert found.interest.weight == pytest.approx(weight)
    aimed = ag.solve_stackelberg(game, objective="national_interest", targeted=True)
    assert aimed.objective_value >= found.objective_value
    bent = ag.solve_stackelberg(game, objective="national_interest", interest_weight=0.9,
                                interest_curvature=-1.0)  # fmt: skip
    assert (bent.interest.weight, bent.interest.curvature) == (0.9, -1.0)
    assert result_from_dict(json.loads(bent.to_json())).to_json() == bent.to_json()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"targeted": 1}, "targeted must be True or False"),
        ({"targeted": "yes"}, "targeted must be True or False"),
        ({"targeted": None}, "targeted must be True or False"),
        ({"credible": 5}, "credible must be True or False"),
        ({"objective": "pay"}, "unknown objective 'pay'"),
        ({"objective": None}, "unknown objective None"),
        ({"selection": 3}, "unknown selection 3"),
        (
            {"objective": "national_interest", "interest_weight": 2},
            "interest_weight must be in [0, 1]",
        ),
        ({"objective": "national_interest", "interest_curvature": 3}, "at most 1"),
        ({"objective": "national_interest", "interest_curvature": "x"}, "must be a number"),
        ({"interest_weight": 0.5}, "belong to national interest"),
        ({"targeted": True, "commit": ("burden",)}, "needs threat, demand or tariff"),
        ({"targeted": True, "selection": "pessimistic"}, "best for the leader"),
        ({"selection": "pessimistic", "credible": True}, "the equilibrium best for the leader"),
        ({"commit": 5}, "commit must be names"),
        ({"commit": ()}, "at least one"),
        ({"plan": 5}, "plan must be a Plan"),
    ],
    ids=str,
)
def test_bad_calls(game: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(
        (InvalidValueError, UnknownNameError, UnsupportedFormError), match=re.escape(words)
    ):
        ag.solve_stackelberg(game, **options)
    with pytest.raises(InvalidValueError, match="needs a game"):
        ag.solve_stackelberg("three-allies")
