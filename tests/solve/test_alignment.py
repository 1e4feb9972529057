"""solve_alignment against all alignments by hand; bounds; planted non-equilibria; the cascade."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import AllianceGameError, GameTooLargeError
from alliancegame.solve.alignment import certify_alignment, somebody_leaves
from alliancegame.solve.leaving.bounds import Bounds, not_covered
from alliancegame.solve.leaving.enumerate import (
    _all_sets,
    joining_gains,
    leaving_gains,
    one_inside,
)
from alliancegame.solve.leaving.outside import has_outside, outside_options
from alliancegame.solve.leaving.roster import Roster
from alliancegame.solve.nash import solve_nash
from alliancegame.solve.result import result_from_dict
from tests.alignments import ALIGNED, Slow, random_leaving

WORDS = {0: "aligned", 1: "autonomous", 2: "realigned"}


def game_of(p: dict[str, Any]) -> ag.BurdenSharingGame:
    labels = ["L", *(f"A{i}" for i in range(1, len(p["gdp"])))]
    rest = {k: v for k, v in p.items() if k not in ("gdp", "security_weight")}
    return ag.BurdenSharingGame(labels, "L", p["gdp"], p["security_weight"], **rest)


def drawn(
    seed: int, n: int, tariff: float = 0.0, **fixed: Any
) -> tuple[ag.BurdenSharingGame, ag.Plan, Slow]:
    p, threat, demand, own = random_leaving(seed, n, **fixed)
    plan = ag.Plan(threat=threat, demand=demand, burden=own, tariff=tariff)
    return game_of(p), plan, Slow(p, threat, demand, own, tariff)


TARIFF: dict[str, Any] = {
    "tariff": 0.3, "trade_exposure": 0.1, "deadweight": 0.3, "tariff_decay": 0.4,
}  # fmt: skip
HUB: dict[str, Any] = {
    "influence": "hub", "influence_value": "share", "consumption": "linear", "substitution": 0.8,
    "rival_pull": 0.05,
}  # fmt: skip
LOGISTIC: dict[str, Any] = {"shortfall": "logistic", "width": 0.008}
FORMS: list[dict[str, Any]] = [
    {},
    {"consumption": "linear"},
    {"substitution": 0.6},
    {"decisiveness": 1.4},
    {"influence_value": "share", "decisiveness": 0.8},
]


@pytest.mark.parametrize(
    ("seed", "n", "form"),
    [
        *((seed, 4, form) for seed in range(3) for form in FORMS),
        (3, 5, {}),
        (4, 6, {}),
        (101, 8, {}),
        *((seed, 4, form) for seed in range(3) for form in (TARIFF, HUB)),
        *(pytest.param(seed, 4, LOGISTIC, marks=pytest.mark.long) for seed in range(4)),
    ],
)
def test_equilibria_are_those_of_all_alignments_by_hand(
    seed: int, n: int, form: dict[str, Any]
) -> None:
    game, plan, slow = drawn(seed, n, **form)
    expected, doubtful, burdens = slow.equilibria()
    found = ag.solve_alignment(game, plan, method="exhaustive")
    here = {tuple(a.alignments) for a in found}
    hand = {tuple(WORDS[w] for w in words) for words in expected}
    unsure = {tuple(WORDS[w] for w in words) for words in doubtful}
    assert here - unsure == hand - unsure
    assert len(unsure) < len(burdens) / 4
    by_words = {tuple(WORDS[w] for w in words): x for words, x in burdens.items()}
    sure = "approximate" if form is LOGISTIC else "certified"
    for alliance in found:
        assert alliance.certificate.verdict == sure
        assert alliance.burdens == pytest.approx(by_words[alliance.alignments], abs=2e-6)
    assert ag.solve_alignment(game, plan).method == found.method
    if not not_covered(Roster(game, plan)):
        bounded = ag.solve_alignment(game, plan, method="bounds")
        assert [a.alignments for a in bounded] == [a.alignments for a in found]
        assert bounded.complete == found.complete


def test_random_games_reach_every_case() -> None:
    """Full alliances, empty ones, several equilibria, both ways out: else the test above says little."""
    sizes, ways, counts = set(), set(), set()
    for seed in range(30):
        game, plan, _ = drawn(seed, 5)
        found = ag.solve_alignment(game, plan)
        counts.add(len(found))
        for alliance in found:
            sizes.add(alliance.size)
            ways.update(alliance.alignments)
    assert {1, 2, 3, 4, 5} <= sizes
    assert ways == {"aligned", "autonomous", "realigned"}
    assert {1, 2} <= counts


@pytest.mark.parametrize("form", [f for f in FORMS if f.get("decisiveness") != 1.4])
@pytest.mark.parametrize("seed", range(4))
def test_bounds_hold_in_every_alliance(seed: int, form: dict[str, Any]) -> None:
    game, plan, _ = drawn(seed, 6, **form)
    roster = Roster(game, plan)
    assert not not_covered(roster)
    bounds = Bounds(roster)
    whole = bounds.narrowed(bounds.whole())
    low, high = bounds.values(whole)
    sets = _all_sets(roster.count)
    solved = roster.solve(sets)
    assert solved.found.all()
    inside, burdens = solved.burdens[:, roster.allies], solved.burdens[:, roster.lead]
    assert np.all((inside >= whole.low - 1e-12) | ~sets)
    assert np.all((inside <= whole.high + 1e-12) | ~sets)
    assert np.all((burdens >= whole.lead_low - 1e-12) & (burdens <= whole.lead_high + 1e-12))
    payoffs = solved.payoffs[:, roster.allies]
    joined = joining_gains(roster, solved) + roster.outside_payoffs
    value = np.where(sets, payoffs, joined)
    assert np.all((value >= low) & (value <= high))
    # With everybody decided they narrow further: to a point where members hardly depend on each other.
    status = np.where(sets, 1, -1).astype(np.int8)
    points = bounds.narrowed(
        type(whole)(
            status, *(np.tile(a, (len(sets), 1)) for a in (whole.low, whole.high)),
            np.tile(whole.lead_low, len(sets)), np.tile(whole.lead_high, len(sets)),
        ),
    )  # fmt: skip
    assert np.all((inside >= points.low - 1e-12) | ~sets)
    assert np.all((inside <= points.high + 1e-12) | ~sets)
    width = np.broadcast_to(whole.high - whole.low, sets.shape)[sets]
    assert np.median((points.high - points.low)[sets]) < 0.6 * np.median(width)


def test_smaller_games_are_what_the_scalar_solver_makes_of_them() -> None:
    game, plan, _ = drawn(3, 6)
    roster = Roster(game, plan)
    sets = _all_sets(roster.count)[1:]
    solved = roster.solve(sets)
    for k, stay in enumerate(sets):
        answer = solve_nash(*roster.smaller(stay))
        places = np.sort(roster.members(stay))
        for name, own in (("burdens", answer.burdens), ("payoffs", answer.payoffs),
                          ("trust", answer.operating_trust)):  # fmt: skip
            assert getattr(solved, name)[k, places] == pytest.approx(own, abs=1e-12)


def test_full_membership_without_outside_numbers_is_the_nash_equilibrium() -> None:
    game = ag.load_model("three-allies")
    found = ag.solve_alignment(game)
    assert not has_outside(game)
    assert found.largest is not None
    assert found.largest.burdens == pytest.approx(ag.solve_nash(game).burdens, abs=1e-12)


def test_outside_payoffs_by_hand() -> None:
    """No private benefit: x = (theta (1 - F) - N / s) / (1 + theta); linear: theta - N / s."""
    for form, expected in (
        ("log", (0.05 * 0.99 - 0.06 / 2) / 1.05),
        ("linear", 0.05 - 0.06 / 2),
    ):
        game = ag.BurdenSharingGame(
            ["L", "A"], "L", [9, 2], 0.05, consumption=form, influence_weight=0.01,
            deterrent=0.06, deterrent_cost=0.01, outside_influence=0.2,
        )  # fmt: skip
        ways = outside_options(game)
        left = 1 - expected - 0.01
        value = (math.log(left) if form == "log" else left) + 0.05 * math.log(2 * expected + 0.06)
        assert ways.burdens[1] == pytest.approx(expected, rel=1e-12)
        assert ways.autonomous[1] == pytest.approx(value + 0.01 * math.log(0.2), rel=1e-12)
        assert ways.choices == ("aligned", "autonomous")
        assert math.isnan(ways.payoffs[0])


def test_a_deterrent_so_large_that_nothing_more_is_spent_and_one_nobody_can_pay() -> None:
    game = ag.BurdenSharingGame(
        ["L", "A"], "L", [9, 2], 0.05, deterrent=5.0, deterrent_cost=0.5, rival_umbrella=5.0,
        realignment_cost=0.1,
    )  # fmt: skip
    ways = outside_options(game)
    assert ways.burdens[1] == 0.0
    assert ways.autonomous[1] == pytest.approx(math.log(0.5) + 0.05 * math.log(5), rel=1e-12)
    assert ways.realigned[1] == pytest.approx(-0.1 + 0.05 * math.log(5), rel=1e-12)
    assert ways.choices[1] == "realigned"
    dear = outside_options(game.replace(burden_min=0.1, deterrent_cost=0.95))
    assert dear.autonomous[1] == -math.inf


def test_influence_outside_is_that_at_A_unless_it_is_given() -> None:
    game = ag.load_model("three-allies")
    at_a = ag.solve_nash(game).influences
    assert outside_options(game).influences[1:] == pytest.approx(at_a[1:], abs=0)
    some = outside_options(game.replace(outside_influence={"Large": 0.4})).influences
    assert some[1] == 0.4
    assert some[2:] == pytest.approx(at_a[2:], abs=0)


def two_allies(**more: Any) -> ag.BurdenSharingGame:
    """The second ally pays as much as it takes; the first follows if it goes."""
    values = {
        "influence_weight": 0.003, "private_weight": 0.001, "decay": 0.5,
        "rival_umbrella": {"A1": 0.14, "A2": 0.165}, "realignment_cost": 0.001,
        "outside_influence": 0.1,
    }  # fmt: skip
    return ag.BurdenSharingGame(["L", "A1", "A2"], "L", [10, 4, 3], 0.04, **(values | more))


def test_planted_non_equilibria_come_out_with_their_true_regret() -> None:
    for seed in range(2):
        game, plan, slow = drawn(seed, 4)
        roster = Roster(game, plan)
        burdens, _ = slow.solve()
        for k, words in enumerate(slow.words):
            best = outside_options(game).choices
            if any(w != ALIGNED and WORDS[w] != best[i] for i, w in enumerate(words)):
                continue
            stay = words[1:] == ALIGNED
            _, made = certify_alignment(roster, stay, roster.solve(stay[None]).burdens[0])
            by_hand = 0.0
            for i in range(1, slow.n):
                here = slow.payoff(i, slow.words[k : k + 1], burdens[k : k + 1])
                for word in range(3):
                    other = slow.words[k : k + 1].copy()
                    other[:, i] = word
                    by_hand = max(
                        by_hand, float((slow.reply(i, other, burdens[k : k + 1])[1] - here)[0])
                    )
            assert made.regret == pytest.approx(by_hand, abs=1e-6)
            assert (made.verdict == "unverified") == (made.regret > 1e-6)


def test_a_moved_burden_is_refused() -> None:
    game = two_allies()
    found = ag.solve_alignment(game)
    roster = Roster(game, ag.Plan())
    alliance = found[0]
    stay = np.array([m in alliance.stayers for m in game.allies])
    moved = np.array(alliance.burdens)
    moved[0] += 0.01
    assert certify_alignment(roster, stay, moved)[1].verdict == "unverified"
    assert certify_alignment(roster, stay, alliance.burdens)[1].verdict == "certified"
    alone = np.zeros(2, dtype=bool)
    lonely = roster.solve(alone[None]).burdens[0]
    lonely[0] += 0.01
    assert certify_alignment(roster, alone, lonely)[1].regret == math.inf


def test_everybody_left_is_a_leader_alone() -> None:
    game = two_allies(rival_umbrella=3.0, realignment_cost=0.0)
    found = ag.solve_alignment(game, ag.Plan(threat=1.0))
    assert [a.size for a in found] == [1]
    alone = found[0]
    theta, h = 0.04, 0.001
    assert alone.leader_burden == pytest.approx((theta + h) / (1 + theta + h), rel=1e-12)
    assert alone.influences[0] == 1.0
    assert alone.certificate.verdict == "certified"
    assert alone.leavers == ("A1", "A2")
    assert math.isnan(alone.operating_trust[1])
    fixed = ag.solve_alignment(game, ag.Plan(threat=1.0, burden=0.03))
    assert fixed[0].leader_burden == 0.03


def test_largest_and_smallest_only_if_nested() -> None:
    seen = set()
    for seed in range(40):
        game, plan, _ = drawn(seed, 5, congestion=0.0)
        found = ag.solve_alignment(game, plan)
        sets = [set(a.stayers) for a in found]
        top = [s for s in sets if all(s >= other for other in sets)]
        assert (found.largest is not None) == bool(top)
        assert all(not any(set(a.stayers) < s for s in sets) for a in found.maximal)
        assert all(not any(set(a.stayers) > s for s in sets) for a in found.minimal)
        if found.largest is not None:
            assert set(found.largest.stayers) == top[0]
        seen.add((len(found), found.largest is not None))
    assert (1, True) in seen
    assert any(count > 1 for count, _ in seen)


def test_the_cascade_is_leaving_one_at_a_time() -> None:
    lengths = set()
    for seed in range(20):
        game, plan, _ = drawn(seed, 5)
        found = ag.solve_alignment(game, plan)
        roster = Roster(game, plan)
        stay = np.ones(roster.count, dtype=bool)
        for step in found.cascade:
            solved = roster.solve(stay[None])
            gains = leaving_gains(roster, solved)[0]
            assert step.gain == pytest.approx(np.nanmax(gains), abs=1e-14)
            assert step.stayers == tuple(np.array(game.allies)[stay])
            assert step.leaves == (step.gain > 1e-9)
            assert set(step.wanting) == {
                a for a, g in zip(game.allies, gains, strict=True) if g > 1e-9
            }
            stay[list(game.allies).index(step.ally)] &= not step.leaves
        assert not found.cascade[-1].leaves or not stay.any()
        lengths.add(len(found.cascade))
        if not found.returning:
            left = tuple(np.array(game.allies)[stay])
            assert left in [a.stayers for a in found]
    assert len(lengths) > 2


@pytest.mark.long
def test_completeness_is_claimed_only_where_every_inner_answer_is_proved_unique() -> None:
    game, plan, _ = drawn(1, 5)
    assert one_inside(Roster(game, plan)) == ""
    assert ag.solve_alignment(game, plan).complete
    assert not ag.solve_alignment(game, plan, method="search").complete
    strong = game.replace(umbrella=3.0)
    if plan.burden is None:
        assert not ag.solve_alignment(strong, plan).complete
    ces = ag.solve_alignment(game.replace(substitution=0.5), plan)
    assert not ces.complete
    assert "substitution" in ces.method
    share = game.replace(influence_value="share", decisiveness=2.0, influence_weight=0.02)
    assert not ag.solve_alignment(share, plan).complete


def test_several_answers_inside_are_all_tried() -> None:
    """MODEL's alliance with two Nash equilibria: nobody has a reason to leave either of them."""
    game = ag.BurdenSharingGame(
        ["L", "A1", "A2", "A3", "A4"], "L", [2, 1, 1, 1, 1], 0.04, influence_weight=0.002,
        private_weight=0.001, spillin=0.0, outside_influence=1e-6,
    )  # fmt: skip
    found = ag.solve_alignment(game)
    whole = sorted(a.leader_burden for a in found if a.size == 5)
    assert whole == pytest.approx([0.00738, 0.02446], abs=2e-5) or len(whole) >= 2
    assert not found.complete
    assert found[0].certificate.unique == "multiple"


def test_large_alliances_by_bounds_agree_with_solving_every_alliance() -> None:
    game, plan, _ = drawn(7, 13)
    full = ag.solve_alignment(game, plan, method="exhaustive")
    quick = ag.solve_alignment(game, plan, method="bounds")
    searched = ag.solve_alignment(game, plan, method="search")
    assert full.complete
    assert quick.complete
    assert "4096" in full.method
    assert [a.alignments for a in quick] == [a.alignments for a in full]
    assert {a.alignments for a in searched} <= {a.alignments for a in full}


def test_results_travel() -> None:
    found = ag.solve_alignment(two_allies(), ag.Plan(threat=0.5, demand=0.04))
    back = result_from_dict(json.loads(found.to_json()))
    assert isinstance(back, ag.Alignments)
    assert back.to_json() == found.to_json()
    assert "complete" in found.headline()
    assert list(found.to_frame().columns)[:2] == ["members", "outside"]
    assert list(found[0].to_frame().index) == ["L", "A1", "A2"]
    assert list(found.options.index) == ["A1", "A2"]
    assert len(found.cascade_frame) == len(found.cascade)
    assert "tabular" in found.to_latex()
    assert "<table" in found._repr_html_()


def test_collapse_is_flagged_where_somebody_leaves() -> None:
    game = two_allies()
    calm, harsh = ag.Plan(threat=0.01, demand=0.02), ag.Plan(threat=1.0, demand=0.06)
    quiet, loud = ag.compare(game, calm), ag.compare(game, harsh)
    sizes = [
        max(a.size for a in ag.solve_alignment(game, plan)) for plan in (ag.Plan(), calm, harsh)
    ]
    assert sizes[0] == sizes[1] > sizes[2]
    assert "collapse" not in quiet.flags
    assert "collapse" in loud.flags
    assert result_from_dict(json.loads(loud.to_json())).flags == loud.flags
    assert "collapse" not in ag.compare(ag.load_model("three-allies"), harsh).flags


def test_collapse_where_even_A_is_not_full() -> None:
    """Alliances are enumerated where somebody leaves even without pressure."""
    game = two_allies(rival_umbrella={"A1": 0.14, "A2": 3.0})
    base = ag.solve_nash(game)
    for plan in (ag.Plan(threat=0.001), ag.Plan(threat=1.0, demand=0.06)):
        sizes = [
            max((a.size for a in ag.solve_alignment(game, p)), default=0) for p in (ag.Plan(), plan)
        ]
        assert sizes[0] < 3
        assert somebody_leaves(base, ag.solve_nash(game, plan), ag.Tolerances()) == (
            sizes[1] < sizes[0]
        )


def test_outside_numbers_change_nothing_else() -> None:
    plain = ag.load_model("three-allies")
    more = plain.replace(
        deterrent=1.0, deterrent_cost=0.01, rival_umbrella=2.0, realignment_cost=0.1,
        outside_influence={"Large": 0.3},
    )  # fmt: skip
    for plan in (ag.Plan(), ag.Plan(threat=0.7), ag.Plan(threat=0.3, burden=0.03)):
        one, two = ag.solve_nash(plain, plan), ag.solve_nash(more, plan)
        assert one.burdens.tolist() == two.burdens.tolist()
        assert one.payoffs.tolist() == two.payoffs.tolist()


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("nato-2024",), {}, "needs a game"),
        ((None,), {}, "needs a game"),
        ((5,), {}, "needs a game"),
        (("G", 0.5), {}, "plan must be a Plan"),
        (("G", ag.Plan(threat={"X": 1.0})), {}, "unknown member 'X'"),
        (("G", ag.Plan(threat=1.0, demand=0.9)), {}, "up to its burden_max"),
        (("G", ag.Plan(burden=0.9)), {}, "burden of the plan must be in"),
        (("G",), {"method": "bound"}, "Did you mean 'bounds'"),
        (("G",), {"method": 3}, "method must be one of"),
        (("G",), {"method": None}, "method must be one of"),
    ],
)
def test_bad_calls(arguments: tuple[Any, ...], options: dict[str, Any], words: str) -> None:
    given = [two_allies() if a == "G" else a for a in arguments]
    with pytest.raises(AllianceGameError, match=words):
        ag.solve_alignment(*given, **options)


def test_too_many_to_try() -> None:
    game, plan, _ = drawn(0, 18)
    with pytest.raises(GameTooLargeError, match="at most 16 allies"):
        ag.solve_alignment(game, plan, method="exhaustive")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"deterrent": -1.0}, r"deterrent must be >= 0, got -1"),
        ({"deterrent": {"A1": 1.0}}, "deterrent has no value for A2"),
        ({"deterrent": math.nan}, "deterrent must be finite"),
        ({"deterrent_cost": 1.0}, r"deterrent_cost must be in \[0, 1\), got 1"),
        ({"rival_umbrella": "x"}, "rival_umbrella must be a number, got 'x'"),
        ({"rival_umbrella": None}, "rival_umbrella must be a number, got None"),
        ({"realignment_cost": [1, 2]}, "realignment_cost must be a number, 3 numbers"),
        ({"outside_influence": 1.5}, r"outside_influence must be in \[0, 1\], got 1.5"),
        ({"outside_influence": {"A1": -0.1}}, "outside_influence for A1 must be in"),
        ({"outside_influence": {"A3": 0.1}}, "unknown member 'A3' in outside_influence"),
        ({"outside_influence": [0.1, 0.2]}, "3 numbers in member order"),
        ({"outside_influence": True}, "outside_influence must be a number, got True"),
        ({"outside_influence": "x"}, "outside_influence must be a number, got 'x'"),
        ({"outside_influence": math.inf}, "outside_influence must be finite"),
    ],
)
def test_bad_numbers_of_leaving(given: dict[str, Any], words: str) -> None:
    with pytest.raises(AllianceGameError, match=words):
        two_allies(**given)
