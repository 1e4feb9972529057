"""Derivatives of equilibria against differences of solved games, at kinks and bounds too."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import (
    AllianceGameError,
    ConvergenceError,
    InvalidValueError,
    UnknownNameError,
    ZeroTrustError,
)
from alliancegame.solve import aggregative
from tests.problems import BANK, FAMILIES, alliance, random_alliance

SIDES = (("left", -1.0), ("right", 1.0))


def changed(game: Any, plan: Any, key: str, value: float) -> tuple[Any, Any]:
    """Game and plan with one key at another value, by the public doors."""
    match = re.fullmatch(r"(\w+)(?:\[(.+)\])?", key)
    name, label = match[1], match[2]
    if name == "burden":
        return game, plan.replace(burden=value)
    if name in ("threat", "demand"):
        if label is None:
            return game, plan.replace(**{name: value})
        by_member = np.array(getattr(plan, f"{name}_by_member")(game.members))
        by_member[game.members.index_of(label)] = value
        return game, plan.replace(**{name: by_member})
    return game.replace(**{name: value if label is None else {label: value}}), plan


def solved(game: Any, plan: Any) -> Any:
    batch = aggregative.solve_plan(game, plan)
    return np.concatenate([batch.burden[0], batch.payoff[0]])


def difference(game: Any, plan: Any, key: str, value: float, sign: float, here: Any) -> Any:
    """A one-sided derivative, extrapolated from four steps, and how sure it is."""
    weight = key.split("[", maxsplit=1)[0].endswith("_weight") and not key.startswith("council")
    step = max(abs(value), 1e-3 if weight else 2e-2) * 3e-4 * sign / 8
    table = [
        (solved(*changed(game, plan, key, value + step * k)) - here) / (step * k)
        for k in (1, 2, 4, 8)
    ]
    before = table
    for order in (1, 2, 3):
        before, table = (
            table,
            [(2**order * one - two) / (2**order - 1) for one, two in itertools.pairwise(table)],
        )
    return table[0], np.abs(table[0] - before[0])


def check(game: Any, plan: Any, keys: Any = None) -> int:
    """Hold every column of a game's derivatives against differences; how many could be held."""
    found = ag.sensitivities(ag.solve_nash(game, plan), keys)
    here, held = solved(game, plan), 0
    assert here[: game.size] == pytest.approx(found.equilibrium.burdens, abs=1e-12)
    for j, key in enumerate(found.keys):
        if key.startswith("trust_ceiling") and game.horizon == "impact":
            continue  # Has no effect there, and could not fall below trust.
        for side, sign in SIDES:
            column = np.concatenate([found.burdens[side][:, j], found.payoffs[side][:, j]])
            if np.isnan(column).all():
                continue
            try:
                expected, doubt = difference(game, plan, key, found.values[j], sign, here)
            except AllianceGameError:
                continue  # No game stands on this side.
            sure = np.isfinite(expected) & np.isfinite(column)
            assert not np.isnan(column).any(), key
            scale = np.abs(expected[sure]).max(initial=0.0) + 1e-4
            miss = np.abs(column - expected)[sure]
            assert (miss <= 1e-6 * scale + 10 * doubt[sure]).all(), (key, side, column, expected)
            held += bool((doubt[sure] <= 1e-6 * scale).all())
    return held


@pytest.mark.parametrize(
    "family",
    [pytest.param(f, marks=pytest.mark.long) if f.startswith("linear") else f for f in FAMILIES],
)
def test_random_games_against_differences(family: str) -> None:
    rng = np.random.default_rng(sum(map(ord, family)))
    held = 0
    while held < 30:
        game, plan = random_alliance(rng, family)
        if game.size > 5:
            continue
        try:
            held += check(game, plan)
        except (ZeroTrustError, ConvergenceError):
            continue


@pytest.mark.parametrize(
    "name", ["K1", "K4", "bunching", "designed, trust impact", "designed, stationary trust",
             "all at the upper bound", "designed, congestion"]
)  # fmt: skip
def test_the_bank_against_differences(name: str) -> None:
    problem = BANK[name]
    assert check(problem.game, problem.plan) > 30


def test_closed_forms() -> None:
    """K8: x = theta/n + h; two members, nothing shared: x = theta/(1 + theta)."""
    found = ag.sensitivities(ag.solve_nash(BANK["K8"].game))
    table = found.to_frame()
    assert table.loc["L":"A4", "private_weight"].to_numpy() == pytest.approx(1.0, abs=1e-12)
    assert table.loc["L":"A4", "security_weight"].to_numpy() == pytest.approx(0.2, abs=1e-12)
    game = alliance((2, 1), (0.3, 0.1), spillin=0, umbrella=0, return_spillin=0)
    alone = ag.sensitivities(ag.solve_nash(game)).to_frame()
    assert alone.loc["A1", "security_weight[A1]"] == pytest.approx(1 / 1.1**2, rel=1e-12)
    assert alone.loc["L", "security_weight[A1]"] == 0


def test_an_ally_that_bunches_moves_with_its_demand() -> None:
    game = ag.load_model("three-allies")
    plan = ag.Plan(threat=1.0, demand=0.03, burden=0.034)
    answer = ag.respond(game, plan)
    bunched = [m for m in game.allies if answer.burden[m] == 0.03]
    assert bunched
    table = ag.sensitivities(answer).to_frame()
    for ally in bunched:
        assert table.loc[ally, f"demand[{ally}]"] == 1.0
        assert table.loc[ally, f"security_weight[{ally}]"] == 0.0
    assert table.loc[game.leader, "burden"] == 1.0


def planted_kink() -> tuple[Any, Any, str]:
    """A demand at which an ally stops bunching: its marginal above the demand is exactly 0 there."""
    game = alliance((2, 1, 1), (0.05, 0.2, 0.3), spillin=0.0, umbrella=0.8)
    free = ag.respond(game, ag.Plan(burden=0.04)).burden["A1"]
    return game, ag.Plan(threat=0.5, demand=float(free), burden=0.04), "A1"


def test_left_and_right_differ_where_an_ally_begins_to_bunch() -> None:
    """Alone: x = d for d just above the free burden x0, x0 below it. By hand: slopes 1 and 0."""
    game, plan, ally = planted_kink()
    found = ag.sensitivities(ag.respond(game, plan))
    assert found.kinks == (ally,)
    key = f"demand[{ally}]"
    assert found.sides[key] == "different"
    assert found.side("left").loc[ally, key] == pytest.approx(0.0, abs=1e-9)
    assert found.side("right").loc[ally, key] == pytest.approx(1.0, abs=1e-9)
    table = found.to_frame()
    assert {f"{key}, left", f"{key}, right"} <= set(table.columns)
    # More value of security lets it leave the demand upwards, less leaves it bunching.
    key = f"security_weight[{ally}]"
    assert found.side("left").loc[ally, key] == 0
    x = plan.demand
    worth = 0.8 * 2 * 0.04
    assert found.side("right").loc[ally, key] == pytest.approx((1 + worth) / 1.2**2, rel=1e-6)
    assert x == pytest.approx((0.2 - worth) / 1.2, rel=1e-9)
    assert check(game, plan) > 60


def test_left_and_right_differ_at_a_bound_that_just_binds() -> None:
    free = alliance((3, 1), (0.3, 0.2), spillin=0.0, umbrella=0.0)
    top = ag.solve_nash(free).burden["A1"]
    game = free.replace(burden_max={"A1": float(top)})
    found = ag.sensitivities(ag.solve_nash(game))
    assert found.kinks == ("A1",)
    right, left = found.side("right").loc["A1"], found.side("left").loc["A1"]
    assert (right["security_weight[A1]"], right["burden_max[A1]"]) == (0.0, 0.0)
    assert left["security_weight[A1]"] == pytest.approx(1 / 1.2**2, rel=1e-9)
    assert left["burden_max[A1]"] == 1.0


def test_range_ends_have_one_side() -> None:
    found = ag.sensitivities(ag.solve_nash(ag.load_model("three-allies")))
    assert found.sides["threat"] == "right"
    assert found.sides["credibility"] == "left"
    assert found.sides["gdp[Leader]"] == "both"
    assert found.to_frame().loc["Large", "threat[Large]"] > 0


def test_a_weight_that_begins_to_count() -> None:
    """K1's third member has no forces: with h ln x it has h / -F(0), and -F(0) is 1 - 2/5.333."""
    found = ag.sensitivities(ag.solve_nash(BANK["K1"].game), "private_weight")
    assert found.side("right").loc["A2", "private_weight[A2]"] == pytest.approx(
        1 / (1 - 2 / (16 / 3)), rel=1e-9
    )
    assert found.side("right", payoffs=True).loc["A2", "private_weight[A2]"] == -np.inf


def test_singular_conditions_are_refused() -> None:
    problem = BANK["continuum"]
    with pytest.raises(ConvergenceError, match="no derivatives"):
        ag.sensitivities(ag.solve_nash(problem.game, problem.plan))


def test_a_jump_of_long_run_trust_has_no_derivative() -> None:
    game = ag.load_model("three-allies").replace(horizon="stationary", recovery=0.2, scarring=0.1)
    found = ag.sensitivities(ag.solve_nash(game), ["threat", "decay"])
    assert found.sides["threat"] == "none"
    assert found.sides["decay"] == "right" or found.sides["decay"] == "both"


def test_travels_and_prints() -> None:
    game, plan, ally = planted_kink()
    found = ag.sensitivities(ag.respond(game, plan), ["demand", "gdp[L]", "substitution"])
    assert found.keys == ("demand", "demand[A1]", "demand[A2]", "gdp[L]", "substitution")
    again = type(found).from_content(found.to_dict())
    assert again.to_json() == found.to_json()
    text = found.to_latex(members=["L", ally])
    assert r"$d_{\mathrm{A1}}$ (left)" in text
    assert r"$Y_{\mathrm{L}}$" in text
    assert "A2 &" not in text.splitlines()[2]
    assert ally in found.headline()
    assert "parameter" in found._repr_html_()
    elastic = found.elasticities()
    assert elastic.loc[ally, "demand[A1], right"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((None,), "needs an equilibrium"),
        ((5,), "needs an equilibrium"),
        (("nato-2024",), "needs an equilibrium"),
        (("EQ", 5), "parameters must be names"),
        (("EQ", [5]), "named as"),
        (("EQ", []), "names none"),
        (("EQ", [None]), "named as"),
        (("EQ", "gpd"), "Did you mean 'gdp'"),
        (("EQ", "gdp[DEU"), "named as"),
        (("EQ", "gdp[Atlantis]"), "unknown member 'Atlantis'"),
        (("EQ", "turnover"), "no derivative in a static game"),
        (("EQ", "spillin[Leader]"), "belongs to allies"),
        (("EQ", "congestion[Large]"), "belongs to nobody"),
        (("EQ", "burden"), "plan names the leader's burden"),
        (("EQ", {"gdp": 1}), "parameters must be names"),
    ],
    ids=str,
)
def test_bad_calls(arguments: tuple[Any, ...], words: str) -> None:
    equilibrium = ag.solve_nash(ag.load_model("three-allies"))
    given = [equilibrium if one == "EQ" else one for one in arguments]
    with pytest.raises((InvalidValueError, UnknownNameError), match=re.escape(words)):
        ag.sensitivities(*given)
    with pytest.raises(UnknownNameError):
        ag.sensitivities(equilibrium, "gdp").to_latex(members=["Atlantis"])
    with pytest.raises(UnknownNameError):
        ag.sensitivities(equilibrium, "gdp").side("middle")
