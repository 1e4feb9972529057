"""Derivatives of equilibria against differences of solved games, at kinks and bounds too."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest
from scipy import special

import alliancegame as ag
from alliancegame.errors import (
    AllianceGameError,
    ConvergenceError,
    InvalidValueError,
    UnknownNameError,
    ZeroTrustError,
)
from alliancegame.solve import aggregative
from alliancegame.solve.trigger.sides import Sides
from tests.problems import BANK, FAMILIES, alliance, random_alliance

SIDES = (("left", -1.0), ("right", 1.0))


def changed(game: Any, plan: Any, key: str, value: float) -> tuple[Any, Any]:
    """Game and plan with one key at another value, by the public doors."""
    match = re.fullmatch(r"(\w+)(?:\[(.+)\])?", key)
    name, label = match[1], match[2]
    if name == "burden":
        return game, plan.replace(burden=value)
    if name in ("threat", "demand", "tariff"):
        if label is None:
            return game, plan.replace(**{name: value})
        by_member = np.array(getattr(plan, f"{name}_by_member")(game.members))
        by_member[game.members.index_of(label)] = value
        return game, plan.replace(**{name: by_member})
    return game.replace(**{name: value if label is None else {label: value}}), plan


def solved(game: Any, plan: Any, meets: Any = None) -> Any:
    """Burdens and payoffs; with triggers on the compliance set of those who meet their demand."""
    if game.shortfall == "trigger":
        batch = Sides.of(game, plan).solve(meets[None])
    else:
        batch = aggregative.solve_plan(game, plan)
    return np.concatenate([batch.burden[0], batch.payoff[0]])


def difference(
    game: Any, plan: Any, key: str, value: float, sign: float, here: Any, meets: Any, noise: float
) -> Any:
    """A one-sided derivative, extrapolated from four steps, and how sure it is."""
    weight = key.split("[", maxsplit=1)[0].endswith("_weight") and not key.startswith("council")
    step = max(abs(value), 1e-3 if weight else 2e-2) * 3e-4 * sign / 8
    table = [
        (solved(*changed(game, plan, key, value + step * k), meets) - here) / (step * k)
        for k in (1, 2, 4, 8)
    ]
    before = table
    for order in (1, 2, 3):
        before, table = (
            table,
            [(2**order * one - two) / (2**order - 1) for one, two in itertools.pairwise(table)],
        )
    rounding = noise * np.maximum(np.abs(here), 1e-3) / abs(step)
    return table[0], np.abs(table[0] - before[0]) + rounding


def check(game: Any, plan: Any, keys: Any = None, noise: float = 1e-15) -> int:
    """Hold every column of a game's derivatives against differences; how many could be held.

    `noise` is how exact solved burdens and payoffs are, relative to themselves.
    """
    found = ag.sensitivities(ag.solve_nash(game, plan), keys)
    meets = found.equilibrium.burdens >= plan.demand_by_member(game.members)
    here, held = solved(game, plan, meets), 0
    assert here[: game.size] == pytest.approx(found.equilibrium.burdens, abs=1e-12)
    for j, key in enumerate(found.keys):
        if key.startswith("trust_ceiling") and game.horizon == "impact":
            continue  # Has no effect there, and could not fall below trust.
        for side, sign in SIDES:
            column = np.concatenate([found.burdens[side][:, j], found.payoffs[side][:, j]])
            if np.isnan(column).all():
                continue
            try:
                expected, doubt = difference(
                    game, plan, key, found.values[j], sign, here, meets, noise
                )
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


FURTHER = {
    "log, summation, tariff": {},
    "log, hub, m<1, tariff": {},
    "linear, share in a hub, CES": {},
    "logistic": {"shortfall": "logistic", "width": 0.01},
    "trigger": {"shortfall": "trigger"},
}


@pytest.mark.parametrize("family", FURTHER)
def test_forms_beyond_the_plain_ones_against_differences(family: str) -> None:
    rng = np.random.default_rng(sum(map(ord, family)))
    forms, held = FURTHER[family], 0
    while held < 60:
        game, plan = random_alliance(rng, "log, summation" if forms else family)
        if not 3 <= game.size <= 5:
            continue
        game = game.replace(**forms)
        try:
            held += check(game, plan, noise=1e-12 if forms else 1e-15)
        except (ZeroTrustError, ConvergenceError):
            continue


def taxed(demand: Any, threat: Any = 0.0) -> tuple[Any, Any]:
    """Three members, a leader who values influence and keeps part of what tariffs bring."""
    game = alliance(
        (4, 2, 1), (0.05, 0.06, 0.05), influence_weight=(0.02, 0.01, 0.01), spillin=0.6,
        trade_exposure=(0, 0.1, 0.2), deadweight=0.3, tariff_decay=0.4, private_weight=0.002,
    )  # fmt: skip
    return game, ag.Plan(threat=threat, tariff=(0, 0.3, 0.4), demand=(0.05, *demand))


def test_a_tariff_alone_makes_a_kink_and_the_leader_feels_both_sides() -> None:
    """A1 just stops bunching: below its demand it pays, and the leader collects."""
    low, high = 0.02, 0.2
    for _ in range(60):  # The demand from which on A1 pays rather than to meet it.
        middle = (low + high) / 2
        game, plan = taxed((middle, 0.01))
        meets = ag.solve_nash(game, plan).burden["A1"] >= middle
        low, high = (middle, high) if meets else (low, middle)
    game, plan = taxed((low, 0.01))
    answer = ag.solve_nash(game, plan)
    assert answer.burden["A1"] == low
    found = ag.sensitivities(answer)
    assert found.kinks == ("A1",)
    assert found.sides["demand[A1]"] == "different"
    left, right = (found.side(side)["demand[A1]"] for side in ("left", "right"))
    assert left["A1"] == 1.0
    assert right["A1"] < 1.0
    assert right["L"] != pytest.approx(
        left["L"], rel=1e-3
    )  # Revenue moves the leader's consumption.
    assert check(game, plan, noise=1e-13) > 60


def test_tariffs_join_where_they_are_felt() -> None:
    game, plan = taxed((0.03, 0.03))
    names = {key.split("[")[0] for key in ag.sensitivities(ag.solve_nash(game, plan)).keys}
    assert {"tariff", "trade_exposure", "deadweight", "tariff_decay"} <= names
    assert not {"rival_pull", "width"} & names
    quiet = ag.sensitivities(ag.solve_nash(game))
    names = {key.split("[")[0] for key in quiet.keys}
    assert "tariff" in names
    assert not {"trade_exposure", "deadweight", "tariff_decay"} & names
    assert quiet.sides["tariff"] == "right"
    assert quiet.to_frame().loc["A1", "tariff[A1]"] > 0
    bare = ag.sensitivities(ag.solve_nash(game.replace(trade_exposure=0.0, tariff_decay=0.0)))
    assert not any(key.startswith("tariff") for key in bare.keys)
    for asked, words in (("tariff", "needs trade_exposure"), ("width", "logistic")):
        with pytest.raises(UnknownNameError, match=words):
            ag.sensitivities(bare.equilibrium, asked)
    assert r"$T_{\mathrm{A1}}$" in quiet.to_latex(members=["A1"])


def test_a_hub_by_hand() -> None:
    """One ally, no security: 1/(1 - x) = alpha m (1 - p)/x for both, p = x^m / (x^m + y^m)."""
    m, alpha = 0.5, np.array([0.1, 0.2])
    game = alliance((1, 1), 0.0, influence_weight=alpha, influence="hub", decisiveness=m)
    found = ag.sensitivities(ag.solve_nash(game))
    x = found.equilibrium.burdens
    p = x**m / (x**m).sum()
    assert alpha * m * (1 - p) / x == pytest.approx(1 / (1 - x), rel=1e-9)
    bend = alpha * m**2 * p * (1 - p) / x
    rows = np.diag(-((1 - x) ** -2) - alpha * m * (1 - p) / x**2 - bend / x)
    rows[[0, 1], [1, 0]] = bend / x[::-1]
    by_hand = np.linalg.solve(rows, [-m * (1 - p[0]) / x[0], 0.0])
    table = found.to_frame()
    assert table["influence_weight[L]"].to_numpy()[:2] == pytest.approx(by_hand, rel=1e-9)
    assert not any(key.startswith("council_weight") for key in found.keys)
    assert "rival_pull[A1]" in found.keys


def test_an_ally_that_is_torn_has_a_derivative_on_one_side() -> None:
    """K6: at the largest demand that is met, asking more or threatening less ends it."""
    game = ag.BurdenSharingGame(
        ["L", "A"], "L", [1, 1], 0.04, consumption="linear", shortfall="trigger", burden_max=10
    )
    z = float(-special.lambertw(-np.exp(-1 - 0.02 / 0.04), -1).real)
    demand = 0.04 * z - 0.02
    found = ag.find_equilibria(game, ag.Plan(threat=1.0, demand=demand, burden=0.02))
    meets, misses = sorted(found, key=lambda e: -e.burdens[1])
    assert (meets.burdens[1], misses.burdens[1]) == pytest.approx((demand, 0.04), abs=1e-9)
    keys = ["demand[A]", "security_weight[A]", "burden", "threat[A]"]
    here, there = ag.sensitivities(meets, keys), ag.sensitivities(misses, keys)
    # Asking less, valuing security more, a larger umbrella: compliance is safe, and defiance is over.
    assert here.sides.tolist() == ["left", "right", "right", "none"]
    assert there.sides.tolist() == ["right", "left", "left", "left"]
    assert here.to_frame().loc["A"].tolist()[:3] == [1.0, 0.0, 0.0]
    assert there.to_frame().loc["A"].tolist() == pytest.approx([0.0, 1.0, 0.0, 0.02], abs=1e-9)
    assert "does as well by another burden" in here.reasons["right"][0]
    assert here.reasons["right"][3] == "the parameter stands at the end of its range"
    again = type(here).from_content(here.to_dict())
    assert again.reasons == here.reasons


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
        (("EQ", "turnover"), "no derivative here"),
        (("EQ", "deterrent"), "outside the alliance"),
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
