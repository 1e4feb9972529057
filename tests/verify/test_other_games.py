"""Profiles of users' own games and of finite games: true files accepted, tampered ones refused."""

from __future__ import annotations

import copy
import dataclasses
import functools
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
from flint import arb, ctx

import alliancegame as ag
from alliancegame.game import expressions as ex
from alliancegame.verify.deviations import Payoff, _ceiling, largest_gain
from alliancegame.verify.intervals import REAL, WHOLE, Interval, NotEnclosedError, enclose
from alliancegame.verify.own.formulas import exact
from alliancegame.verify.smooth import settled
from tests.own_games import OWN

x, y, z = (ex.symbol(name) for name in "xyz")
a, b = sp.symbols("a b")


def saved(result: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(result.to_json(certificate=True))
    return content


def status(content: dict[str, Any]) -> dict[str, str]:
    """What became of the claims of the result itself."""
    return {c.claim: c.status for c in ag.verify(content).claims if ".others" not in c.of}


@functools.cache
def solved(game: Any) -> Any:
    return ag.solve_nash(game, throw=False)


def claimed(game: Any, actions: Any, **certificate: Any) -> dict[str, Any]:
    """A file that says of any actions that they are a certified equilibrium, payoffs right."""
    found = solved(game)
    payoffs = payoffs_at(game, actions)
    made = dataclasses.replace(
        found.certificate,
        **{"verdict": "certified", "regret": 1e-10, "unique": "not proven", **certificate},
    )
    return saved(dataclasses.replace(
        found, actions=np.array(actions), payoffs=np.array(payoffs), certificate=made, others=(),
    ))  # fmt: skip


def payoffs_at(game: Any, actions: Any) -> list[float]:
    """Payoffs by substitution in the user's formulas."""
    whole = game.expanded() if isinstance(game, ag.AggregativeGame) else game
    at = dict(zip(whole.symbols, map(float, actions), strict=True))
    return [float(u.subs(at)) for u in whole.numeric]


# --- Enclosures ------------------------------------------------------------------------------------

FORMULAS = [
    sp.sin(x * y) + sp.cos(x) ** 2, sp.Abs(x - y) * x, sp.Max(x, y, x * y) - sp.Min(x, 1 - y),
    sp.Piecewise((x**2, x < y), (x + y, sp.And(x >= y, x < 1.5)), (sp.exp(-x), True)),
    sp.Piecewise((1, sp.Eq(x, y)), (2, sp.Or(x < 0.3, sp.Not(y < 0.5))), (3, True)),
    sp.sign(x - 0.7) * y, sp.cosh(x - y) - sp.sinh(y), sp.atan(x / (1 + y)) + sp.tanh(y - x),
    (x + 0.1) ** sp.Float(1.6) / (y + 1) ** y, sp.pi * x - sp.E * y,
    sp.Abs(sp.sin(7 * x)) ** sp.Rational(3, 2),
]  # fmt: skip


@pytest.mark.parametrize("formula", FORMULAS, ids=str)
def test_enclosures_hold_every_value(formula: Any) -> None:
    rng = np.random.default_rng(3)
    point = sp.lambdify([x, y], formula, "math")
    for _ in range(20):
        low = rng.uniform(0, 2, 2)
        wide = rng.choice([0.0, 1e-6, 0.3, 1.0], 2)
        known = {
            s: Interval(float(lo), float(lo + w))
            for s, lo, w in zip((x, y), low, wide, strict=True)
        }
        box = enclose(exact(formula, {}), dict(known))
        branch = settled(exact(formula, {}), dict(known))
        for _ in range(8):
            at = low + wide * rng.random(2)
            value = point(*map(float, at))
            assert float(box.lo) - 1e-12 <= value <= float(box.hi) + 1e-12
            assert math.isclose(
                float(branch.subs({x: at[0], y: at[1]})), value, rel_tol=1e-9, abs_tol=1e-12
            )


def test_an_undefined_branch_says_nothing() -> None:
    undefined = sp.Piecewise((x, x < 1))
    assert not enclose(undefined, {x: Interval(0, 2)}).hi.is_finite()
    assert settled(undefined, {x: Interval(2, 3)}) == undefined
    assert settled(undefined, {x: Interval(0, 0.5)}) == x


@pytest.mark.parametrize("kinked", [sp.sign(x - 1), sp.Heaviside(x - 1), sp.erf(x)])
def test_what_has_no_rule_is_never_taken_for_smooth(kinked: Any) -> None:
    with pytest.raises(NotEnclosedError):
        gain(kinked, (x,), [(0, 2)], [0.5], raw=True)


def gain(
    payoff: Any, own: Any, bounds: Any, at: Any, target: float = 1e-9, raw: bool = False
) -> tuple[float, float]:
    payoff = payoff if raw else exact(payoff, {})
    with ctx.workprec(160):
        box, here = tuple(Interval(*pair) for pair in bounds), tuple(map(Interval, at))
        now = enclose(payoff, dict(zip(own, here, strict=True)))
        found = largest_gain(Payoff(payoff, {}, own, here, [(box, {})], now), arb(target))
        return float(found.most), float(found.least)


def test_gains_of_one_action_against_a_dense_scan() -> None:
    """Wells, kinks and jumps: the bound holds and is close where nothing is gained."""
    rng = np.random.default_rng(5)
    for _ in range(12):
        c, d, e = rng.uniform(0.1, 0.9, 3)
        payoff = (
            sp.Piecewise((sp.sin(9 * x), x < c), (sp.cos(8 * x) + e, True))
            - sp.Abs(x - d)
            + sp.Max(x, e) / 2
        )
        fine = np.linspace(0, 1, 20001)
        values = sp.lambdify(x, payoff, "numpy")(fine)
        best = float(fine[values.argmax()])
        most, least = gain(payoff, (x,), [(0, 1)], [best], 1e-3)
        assert least <= most <= 1e-3
        elsewhere = float(rng.random())
        true = float(values.max() - sp.lambdify(x, payoff, "math")(elsewhere))
        most, least = gain(payoff, (x,), [(0, 1)], [elsewhere], max(true - 1e-3, 0.0))
        assert least > true - 1e-3 - 1e-9 or most <= true + 1e-3


@pytest.mark.parametrize(
    ("payoff", "at", "elsewhere"),
    [
        (1 / (x - sp.Rational(1, 3)), 1.0, 0.34),
        (sp.tanh(1 / (x - sp.Rational(1, 3))), 1.0, 0.34),
        (sp.atan(1 / (x - sp.Rational(1, 3))), 0.7, 0.34),
        (1 / sp.sinh(x - sp.Rational(1, 3)), 0.5, 0.34),
        (-1 / (x - sp.Rational(1, 3)) ** 2, 0.4, 1.0),
        (sp.log((x - sp.Rational(1, 3)) ** 2), 0.4, 1.0),
        (((x - sp.Rational(1, 3)) ** 2 * (x + 1)) ** sp.Rational(1, 4), 0.2, 1.0),
    ],
    ids=str,
)
def test_slopes_of_one_sign_on_both_sides_of_a_pole_bound_nothing(
    payoff: Any, at: float, elsewhere: float
) -> None:
    """Falling (or concave) where it is smooth, and better beyond the pole or the cusp all the same."""
    better = float(payoff.subs(x, elsewhere) - payoff.subs(x, at))
    assert better > 0.01
    most, _ = gain(payoff, (x,), [(at - 0.3, 1)], [at])
    assert most > 1e-9


def test_powers_are_real_where_something_is_said_of_them() -> None:
    root = sp.sqrt(x - sp.Rational(1, 2))
    assert not enclose(root, {x: Interval(0, 0.25)}).hi.is_finite()
    assert gain(-root - x, (x,), [(0, 1)], [0.5])[0] == math.inf
    # A root at an end of the action set is no cusp: what falls from there is bounded.
    assert gain(x - 2 * sp.sqrt(x), (x,), [(0, 1)], [0.0])[0] <= 1e-9
    assert gain(x ** sp.Rational(3, 2) - x, (x,), [(0, 1)], [0.0])[0] <= 1e-9


def test_a_root_of_an_absolute_value_is_known() -> None:
    """Some box always holds a third, which no double is: the root is real there all the same."""
    root = exact(sp.sqrt(sp.Abs(x - sp.Rational(1, 3))), {})
    found = enclose(root, {x: Interval(0, 1), REAL: WHOLE})
    assert 0 <= float(found.lo) <= float(found.hi) < 0.9
    game = ag.ContinuousGame(
        {"1": -sp.sqrt(sp.Abs(a - 0.3)), "2": -(b**2)}, {"1": (a, 0, 1), "2": (b, -1, 1)}
    )
    assert status(claimed(game, [0.3, 0.0]))["regret"] == "accepted"


@pytest.mark.parametrize("seed", range(6))
def test_ceilings_of_roots_hold_whatever_is_under_them(seed: int) -> None:
    """Roots of squares that SymPy cannot simplify, on whole boxes, at corners and on sides."""
    rng = np.random.default_rng(seed)
    inner = [
        sp.sqrt(y), sp.sqrt(z), sp.log(z + 2), sp.sqrt(x), sp.sqrt(x + y), sp.log(1 + x + y),
        (x + z) ** sp.Rational(3, 2),
    ]  # fmt: skip
    outer = [x, y, x + y, 2 * x, x - y, 1 - x, x * y, x**2, sp.Integer(1)]
    powers = [sp.Rational(*q) for q in ((1, 2), (1, 2), (1, 2), (1, 4), (3, 4), (3, 2))]
    sides = [(0, 1), (0, 2), (0.25, 1), (0.5, 0.5), (0, 0), (0.875, 1.25)]
    for _ in range(25):
        w = rng.choice(outer) - rng.choice(inner) / int(rng.integers(1, 3))
        base = rng.choice([w**2, w**2, w**2, w**2 * (1 + x)])
        root = int(rng.choice([1, 1, -1])) * base ** rng.choice(powers)
        payoff = exact(root - x * sp.Rational(int(rng.integers(3)), 10), {})
        box = tuple(sides[k] for k in rng.integers(len(sides), size=2))
        own = np.meshgrid(*(np.linspace(*side, 61) for side in box))
        with np.errstate(all="ignore"):
            values = sp.lambdify((x, y, z), payoff, "numpy")(*own, 0.5) + 0 * own[0]
        at = tuple(Interval(float(rng.choice([*side, 0.3]))) for side in box)
        with ctx.workprec(160):
            known = {REAL: WHOLE, z: Interval(0.5)}
            given = Payoff(payoff, known, (x, y), at, [], Interval(0))
            ceiling = float(_ceiling(given, tuple(Interval(*side) for side in box), {}))
        assert ceiling >= np.nanmax(values) - 1e-8


@pytest.mark.parametrize("best", [-sp.sqrt(x), -(x ** sp.Rational(3, 2)) - x])
def test_a_root_that_does_not_move_on_a_side_of_the_box_is_no_cusp(best: Any) -> None:
    most, _ = gain(best + y * (1 - y), (x, y), [(0, 1), (0, 1)], [0.0, 0.5])
    assert most <= 1e-20


def test_gains_of_several_actions_at_once() -> None:
    """A ridge along which only a joint change pays."""
    payoff = -((x - y) ** 2) + (x + y) / 10
    most, least = gain(payoff, (x, y), [(0, 1), (0, 1)], [0.5, 0.5])
    assert least > 1e-9
    most, _ = gain(payoff, (x, y), [(0, 1), (0, 1)], [1.0, 1.0])
    assert most <= 1e-9
    bowl = -((x - 0.3) ** 2) - (y - 0.6) ** 2 - x * y / 2 + x * 0.3 + y * 0.15
    most, _ = gain(bowl, (x, y), [(0, 1), (0, 1)], [0.3, 0.6])
    assert most <= 1e-9


# --- Users' own games ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(OWN))
def test_published_games(name: str) -> None:
    problem = OWN[name]
    for actions in problem.equilibria:
        assert status(claimed(problem.game, actions, regret=1e-9)) == {
            "payoffs": "accepted", "regret": "accepted", "uniqueness": "accepted",
        }  # fmt: skip
    if problem.equilibria:
        for actions in problem.wrong:
            content = claimed(problem.game, actions, regret=1e-9)
            if all(map(math.isfinite, content["payoff"])):
                assert status(content)["regret"] == "refused", actions


def test_a_list_and_its_profiles() -> None:
    game = OWN["decisive contest with an inactive player"].game
    found = ag.find_equilibria(game)
    report = ag.verify(saved(found))
    assert len(found) == 3
    assert [c.status for c in report.claims] == ["accepted"] * 9 + ["not checkable"]
    twice = saved(found)
    twice["equilibria"][1] = copy.deepcopy(twice["equilibria"][0])
    assert ag.verify(twice).status == "refused"


def two_actions() -> ag.ContinuousGame:
    u, v, w = sp.symbols("u v w")
    return ag.ContinuousGame(
        {"1": -((u - 0.3) ** 2) - (v - w / 2) ** 2 + u * v / 5, "2": w * (1 - v) - w**2},
        {"1": [(u, 0, 1), (v, 0, 1)], "2": (w, 0, 1)},
    )


def test_several_actions_of_one_player() -> None:
    found = saved(ag.solve_nash(two_actions()))
    assert ag.verify(found).accepted
    moved = copy.deepcopy(found)
    moved["action"][1] += 1e-4
    assert ag.verify(moved).status == "refused"


@pytest.fixture(scope="module")
def contest() -> dict[str, Any]:
    game = ag.ContinuousGame(
        {"1": 3 * a / (a + b) - a, "2": b / (a + b) - b},
        {"1": (a, 0.01, 3), "2": (b, 0.01, 3)},
    )
    return saved(ag.solve_nash(game))


TAMPERED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "action moved": lambda c: c["action"].__setitem__(0, c["action"][0] * 1.001),
    "payoff moved": lambda c: c["payoff"].__setitem__(0, c["payoff"][0] + 1e-6),
    "a bound changed": lambda c: c["game"]["actions"][0][0].__setitem__(2, 0.6),
    "a formula changed": lambda c: c["game"]["payoffs"].reverse(),
    "outside its bounds": lambda c: c["action"].__setitem__(0, 5.0),
    "uniqueness upgraded": lambda c: c["certificate"].update(unique="multiple"),
    "verdict upgraded": lambda c: c["certificate"].update(verdict="unverified"),
    "bound moved": lambda c: c["certificate"].update(regret=0.0),
    "tolerances loosened": lambda c: c["certificate"]["tolerances"].update(certified=1e-3),
    "a claim dropped": lambda c: c["claims"].pop(),
    "a claim twice": lambda c: c["claims"].append(c["claims"][0]),
    "worst is nobody": lambda c: c["certificate"].update(worst="9"),
    "an entry more": lambda c: c.update(extra=1),
    "an entry less": lambda c: c.pop("cycle"),
    "no number": lambda c: c["action"].__setitem__(0, "inf"),
    "others of another game": lambda c: c["others"].append({**c, "game": {}}),
    "others of nothing": lambda c: c.update(others={}),
    "a regret that is nobody's": lambda c: c["certificate"].update(worst=None),
    "a regret in money": lambda c: c["certificate"].update(regret_usd_bn=1.0),
    "a word for money": lambda c: c["certificate"].update(regret_usd_bn="much"),
    "a number for a word": lambda c: c["certificate"].update(reason=5),
}


@pytest.mark.parametrize("what", sorted(TAMPERED))
def test_tampered_profiles_are_refused(contest: dict[str, Any], what: str) -> None:
    assert ag.verify(contest).status == "accepted"
    changed = copy.deepcopy(contest)
    TAMPERED[what](changed)
    assert ag.verify(changed).status == "refused"


def test_a_forger_who_does_the_sums(contest: dict[str, Any]) -> None:
    """Payoffs, hash and claims anew: only the regret is wrong, and that is found."""
    changed = copy.deepcopy(contest)
    changed["action"] = p, q = [0.56, 0.1875]
    changed["payoff"] = [3 * p / (p + q) - p, q / (p + q) - q]
    found = status(changed)
    assert (found["payoffs"], found["regret"]) == ("accepted", "refused")


def test_a_payoff_that_is_not_there_is_no_damage() -> None:
    """Nobody competes: both payoffs are 0 / 0, which the profile says of itself."""
    game = ag.ContinuousGame(
        {"1": a / (a + b) - a, "2": b / (a + b) - b}, {"1": (a, 0, 3), "2": (b, 0, 3)}
    )
    content = claimed(game, [0.0, 0.0], verdict="unverified", regret=math.inf)
    found = status(content | {"payoff": ["nan", "nan"]})
    assert (found["payoffs"], found["regret"]) == ("not checkable", "not checkable")
    assert "file" not in {c.of for c in ag.verify(content | {"payoff": ["nan", "nan"]}).claims}


def test_nothing_over_nothing_is_not_nothing() -> None:
    """At (0, 0) this payoff is -0 / 0: a forger calls it 0, from which every deviation loses."""
    game = ag.ContinuousGame(
        {"1": -a / (a + b) - a, "2": -b / (a + b) - b}, {"1": (a, 0, 3), "2": (b, 0, 3)}
    )
    content = claimed(game, [0.5, 0.5])
    forged = content | {"action": [0.0, 0.0], "payoff": [0.0, 0.0]}
    assert "accepted" not in (status(forged)["payoffs"], status(forged)["regret"])


@pytest.mark.parametrize("made", [sp.tanh, sp.atan, lambda u: sp.Max(u, 0)])
def test_what_is_made_of_a_logarithm_that_does_not_exist(made: Any) -> None:
    """log(a - 1) is no number below 1, though tanh(log(a - 1)) would be -1 if it were minus infinity."""
    game = ag.ContinuousGame(
        {"1": made(sp.log(a - 1)) + a / 9, "2": -b}, {"1": (a, 0, 2), "2": (b, 0, 1)}
    )
    found = status(claimed(game, [2.0, 0.0]) | {"payoff": [2 / 9, 0.0]})
    assert (found["payoffs"], found["regret"]) == ("accepted", "not checkable")
    here = status(claimed(game, [2.0, 0.0]) | {"action": [0.5, 0.0], "payoff": [-1.05, 0.0]})
    assert "accepted" not in (here["payoffs"], here["regret"])


def test_a_cycle_is_evidence_that_is_not_read(contest: dict[str, Any]) -> None:
    told = contest | {"cycle": [[0.1, 0.2], [0.2, 0.1], [0.1, 0.2]]}
    assert ag.verify(told).status == "not checkable"


def test_lists_say_what_of_them_is_not_read() -> None:
    found = saved(ag.find_equilibria(OWN["decisive contest with an inactive player"].game))
    assert ag.verify(found).status == "not checkable"
    found["completeness"] = found["claims"][-1]["completeness"] = "unknown"
    assert ag.verify(found).status == "accepted"
    for change, status_ in (
        ({"cycle": [[0.0]]}, "not checkable"), ({"proof": 0}, "not checkable"),
        ({"provenance": {"game_hash": "0" * 64}}, "refused"),
    ):  # fmt: skip
        assert ag.verify(found | change).status == status_
    cited = copy.deepcopy(found)
    cited["claims"][-1]["theorem"] = "hope"
    assert ag.verify(cited).status == "refused"
    empty = found | {"equilibria": [], "claims": found["claims"][-1:]}
    assert ag.verify(empty).status == "accepted"
    empty["game"] = empty["game"] | {"payoffs": [["eval", "1"]] * len(empty["game"]["payoffs"])}
    assert ag.verify(empty).status == "refused"


def test_one_profile_twice_in_a_list_that_claims_nothing() -> None:
    found = saved(ag.find_equilibria(OWN["decisive contest with an inactive player"].game))
    for one in found["equilibria"]:
        one["certificate"]["unique"] = "not proven"
    for claim in found["claims"]:
        claim.update({"state": "not proven"} if "state" in claim else {})
    assert ag.verify(found).status == "not checkable"
    found["equilibria"][2] = found["equilibria"][1]
    assert ag.verify(found).status == "refused"


def test_near_profiles_of_a_continuum_are_no_profile_twice() -> None:
    """Whoever matches the other is content: a continuum, of which a list holds points close together."""
    game = ag.ContinuousGame(
        {"1": -((a - b) ** 2), "2": -((a - b) ** 2)}, {"1": (a, 0, 1), "2": (b, 0, 1)}
    )
    first = claimed(game, [0.5, 0.5], unique="multiple")
    rest = [claimed(game, [z, z], unique="multiple") for z in (0.5002, 0.9)]
    entries = ("schema", "kind", "version", "claims")
    first["others"] = [{k: v for k, v in one.items() if k not in entries} for one in rest]
    for k in range(2):
        of = f"action-profile.others[{k}]"
        first["claims"] += [{**c, "of": of} for c in rest[k]["claims"]]
    found = ag.verify(first)
    assert found.accepted, found.to_dict()


def test_followers_of_a_leader_are_not_checkable() -> None:
    duopoly = ag.ContinuousGame(
        {"1": a * (10 - a - b) - a, "2": b * (10 - a - b) - b}, {"1": (a, 0, 10), "2": (b, 0, 10)}
    )
    response = ag.solve_stackelberg(duopoly, leader="1").response
    assert status(saved(response))["regret"] == "not checkable"


# --- Finite games ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bimatrix() -> ag.FiniteGame:
    return ag.FiniteGame([[[2, 0], [0, 1]], [[1, 0], [0, 2]]])


def test_finite_profiles_are_checked_exactly(bimatrix: ag.FiniteGame) -> None:
    found = ag.find_equilibria(bimatrix)
    assert len(found) == 3
    report = ag.verify(saved(found))
    assert {c.status for c in report.claims} == {"accepted", "not checkable"}
    left = [c.claim for c in report.claims if c.status != "accepted"]
    assert left == ["further entries", "completeness"]  # Components, which are not read.
    mixed = saved(next(p for p in found if not p.pure))
    assert status(mixed)["regret"] == "accepted"
    nudged = copy.deepcopy(mixed)
    nudged["probabilities"][0] = ["333/1000", "667/1000"]
    label = next(iter(nudged["strategies"]))
    nudged["strategies"][label] = dict(
        zip(nudged["strategies"][label], nudged["probabilities"][0], strict=True)
    )
    assert status(nudged)["regret"] == "refused"


FINITE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "payoff": lambda c: c["payoff"].update({next(iter(c["payoff"])): "7"}),
    "table": lambda c: c["game"]["payoffs"][0].__setitem__(0, "5"),
    "no distribution": lambda c: c["probabilities"].__setitem__(0, ["1", "1"]),
    "labels": lambda c: c["strategies"].update({next(iter(c["strategies"])): {"nothing": "1"}}),
    "negative": lambda c: c["probabilities"].__setitem__(0, ["2", "-1"]),
    "players": lambda c: c.update(payoff=dict(reversed(c["payoff"].items()))),
}


@pytest.mark.parametrize("what", sorted(FINITE))
def test_tampered_finite_profiles_are_refused(bimatrix: ag.FiniteGame, what: str) -> None:
    content = saved(ag.solve_nash(bimatrix))
    assert "refused" not in status(content).values()
    FINITE[what](content)
    assert ag.verify(content).status == "refused"


def test_three_players_in_floats() -> None:
    rng = np.random.default_rng(0)
    game = ag.FiniteGame([rng.random((3, 3, 2)) for _ in range(3)])
    for profile in ag.find_equilibria(game):
        assert status(saved(profile))["regret"] == "accepted"
