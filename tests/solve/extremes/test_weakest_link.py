"""All equilibria of the weakest link: closed forms, exhaustive grids, random games."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import alliancegame as ag
from alliancegame.solve import extremes
from alliancegame.solve.extremes import search, weakest
from alliancegame.solve.extremes.problem import problem
from tests.solve.extremes.by_hand import Extreme, extreme_game, random_extreme


def ends(found: extremes.Found) -> tuple[np.ndarray, np.ndarray]:
    (component,) = found.components
    return component.limit, component.high.burdens


def test_hirshleifer_any_common_level() -> None:
    """Hirshleifer 1983: any common level up to what each would spend alone, theta / (1 + theta)."""
    found = extremes.equilibria(extreme_game("weakest-link"))
    low, high = ends(found)
    np.testing.assert_allclose(high, 0.2, rtol=1e-13)
    assert np.all(low == 0)
    assert found.components[0].low is None
    assert found.completeness == "proven"
    assert found.unique[0] == "multiple"


def test_private_benefits_bound_the_levels_from_below() -> None:
    """From h / (1 + h), private optimum, to (theta + h) / (1 + theta + h)."""
    found = extremes.equilibria(extreme_game("weakest-link", private_weight=0.02))
    low, high = ends(found)
    np.testing.assert_allclose(low, 0.02 / 1.02, rtol=1e-12)
    np.testing.assert_allclose(high, 0.27 / 1.27, rtol=1e-12)
    assert found.completeness == "proven"
    assert [e.certificate.verdict for e in found.equilibria] == ["certified"] * 2


def test_influence_moves_both_ends() -> None:
    """With alpha the conditions are x / (1 - x) = h + alpha (1 - p) (+ theta), p = 1/3."""
    game = extreme_game("weakest-link", private_weight=0.02, influence_weight=0.03)
    low, high = ends(extremes.equilibria(game))
    np.testing.assert_allclose(low / (1 - low), 0.04, rtol=1e-10)
    np.testing.assert_allclose(high / (1 - high), 0.29, rtol=1e-10)


def test_the_poorest_sets_the_level() -> None:
    """Different wishes: the weakest link's own optimum is the top; others stay at their private one."""
    game = extreme_game(
        "weakest-link", security_weight=[0.25, 0.25, 0.05], private_weight=[0.0, 0.1, 0.01],
        return_spillin=1.0,
    )  # fmt: skip
    low, high = ends(extremes.equilibria(game))
    weakest_top = 0.06 / 1.06
    np.testing.assert_allclose(high, [weakest_top, 0.1 / 1.1, weakest_top], rtol=1e-12)
    np.testing.assert_allclose(low, [0.01 / 1.01, 0.1 / 1.1, 0.01 / 1.01], rtol=1e-12)


def test_spill_ins_below_one_leave_the_private_optimum() -> None:
    """Two who each see 0.9 of the other's forces follow each other down to what they spend anyway."""
    found = extremes.equilibria(extreme_game("weakest-link", spillin=0.9, private_weight=0.02))
    assert found.single
    assert found.completeness == "proven"
    np.testing.assert_allclose(found.equilibria[0].burdens, 0.02 / 1.02, rtol=1e-12)
    assert ag.solve_nash(found.equilibria[0].game).certificate.unique == "proven"


def test_spill_ins_below_one_and_no_private_benefit_leave_nothing() -> None:
    found = extremes.equilibria(extreme_game("weakest-link", spillin=0.9))
    assert (found.equilibria, found.completeness) == ((), "proven")
    with pytest.raises(ag.errors.ConvergenceError, match="no equilibrium found under no pressure"):
        ag.solve_nash(extreme_game("weakest-link", spillin=0.9))
    failed = ag.solve_nash(extreme_game("weakest-link", spillin=0.9), throw=False)
    assert failed.certificate.verdict == "unverified"
    assert "no security" in failed.message


def test_spill_ins_above_one_leave_the_own_optimum() -> None:
    """Everybody sees more than the own forces: these bind, from every start."""
    game = extreme_game("weakest-link", spillin=1.5, umbrella=1.5, return_spillin=1.5)
    found = extremes.equilibria(game)
    assert found.single
    assert found.completeness == "proven"
    np.testing.assert_allclose(found.equilibria[0].burdens, 0.2, rtol=1e-12)


def test_a_committed_leader_is_the_weakest_link() -> None:
    game = extreme_game("weakest-link", private_weight=0.02)
    found = extremes.equilibria(game, ag.Plan(burden=0.05))
    low, high = ends(found)
    np.testing.assert_allclose(high, 0.05, rtol=1e-12)
    np.testing.assert_allclose(low[1:], 0.02 / 1.02, rtol=1e-12)
    best = ag.respond(game, ag.Plan(burden=0.05))
    np.testing.assert_allclose(best.burdens, 0.05, rtol=1e-12)
    assert best.multiple
    assert len(best.others) == 1


def test_a_leader_who_spends_nothing_leaves_no_security() -> None:
    game = extreme_game("weakest-link", private_weight=0.02)
    with pytest.raises(ag.errors.ConvergenceError, match="no security"):
        ag.respond(game, ag.Plan(burden=0.0))


@pytest.mark.parametrize("n", [2, 3])
def test_every_profile_of_a_grid_agrees(n: int) -> None:
    """The diagonal up to 20 %, and nothing else, out of 15^n profiles."""
    game = extreme_game("weakest-link", n)
    levels = [round(0.02 * k, 10) for k in range(1, 16)]
    on_grid = Extreme(game).grid_equilibria(levels)
    assert on_grid == {(level,) * n for level in levels if level <= 0.2}
    _, high = ends(extremes.equilibria(game))
    np.testing.assert_allclose(high, max(x[0] for x in on_grid), rtol=1e-12)


def test_every_profile_of_a_grid_agrees_with_unequal_members() -> None:
    """Gdp (2, 1, 1): contributions are matched, not burdens; the allies' optimum is the top."""
    game = extreme_game("weakest-link", gdp=[2.0, 1.0, 1.0])
    levels = [0.025 * k for k in range(1, 13)]
    on_grid = Extreme(game).grid_equilibria(levels, lead=0.5)
    low, high = ends(extremes.equilibria(game))
    assert on_grid == {(level / 2, level, level) for level in levels[:8]}
    np.testing.assert_allclose(high, [0.1, 0.2, 0.2], rtol=1e-12)
    assert np.all(low == 0)


@settings(max_examples=4)
@given(st.integers(0, 10**6))
def test_random_games(seed: int) -> None:
    """Equilibria are certified by hand; nothing that replies come to lies outside the components."""
    game, plan = random_extreme(seed, "weakest-link")
    game = game.replace(influence_value="log")
    plan = plan if plan.burden is not None else plan.replace(threat=0.0)
    found = extremes.equilibria(game, plan)
    hand, faced = Extreme(game, plan), problem(game, plan)
    for one in found.equilibria:
        assert max(hand.gains(list(one.burdens), 300)) <= 1e-9
    rng = np.random.default_rng(seed)
    for _ in range(2):
        x = rng.uniform(faced.low, faced.high)
        for _ in range(60):
            x = faced.replies(x)[0]
        if np.isfinite(faced.payoffs(x)[faced.players]).all() and faced.gains(x).max() < 1e-11:
            (component,) = found.components
            assert np.all(x >= component.limit * (1 - 1e-6))
            assert np.all(x <= component.high.burdens * (1 + 1e-6))


@settings(max_examples=4)
@given(st.integers(0, 10**6), st.floats(0.05, 0.95))
def test_continua_are_continua(seed: int, share: float) -> None:
    """Between the ends there is an equilibrium for every share, and the leader's best is returned."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.05, 0.3, 3)
    influence = rng.choice([0, 1]) * rng.uniform(0, 0.05, 3)
    game = extreme_game(
        "weakest-link", security_weight=weights, private_weight=0.01, influence_weight=influence
    )
    faced = problem(game, ag.Plan())
    span = weakest.between(faced)
    assert span is not None
    (x,) = weakest.along(faced, span, np.array([share]))
    assert faced.gains(x).max() < 1e-11
    assert Extreme(game).gains(list(x), 200) == pytest.approx([0.0] * 3, abs=1e-9)
    best = ag.solve_nash(game).leader_payoff
    assert best >= faced.payoffs(x)[0] - 1e-4


def test_under_threat_a_free_leader_is_scanned() -> None:
    """Levels from the demand up are matched as without a threat; below it the umbrella binds first."""
    game = extreme_game("weakest-link", private_weight=0.02)
    found = extremes.equilibria(game, ag.Plan(threat=0.5, demand=0.1))
    assert found.completeness != "proven"
    low, high = ends(found)
    np.testing.assert_allclose(low, 0.1, rtol=1e-9)
    np.testing.assert_allclose(high, 0.27 / 1.27, rtol=1e-9)


def test_under_threat_with_a_fixed_leader_ends_are_certified() -> None:
    game = extreme_game("weakest-link", private_weight=0.02)
    found = extremes.equilibria(game, ag.Plan(threat=0.5, demand=0.1, burden=0.1))
    low, high = ends(found)
    np.testing.assert_allclose(high, 0.1, rtol=1e-12)
    np.testing.assert_allclose(low, [0.1, 0.02 / 1.02, 0.02 / 1.02], rtol=1e-9)
    assert found.completeness == "proven"  # The umbrella stays above the allies' own forces.


def test_share_influence_is_searched_and_says_so() -> None:
    game = extreme_game(
        "weakest-link", private_weight=0.02, influence_weight=0.01, influence_value="share"
    )
    found = extremes.equilibria(game)
    assert found.completeness == "not known"
    assert len(found.equilibria) > 1
    assert all(e.certificate.verdict == "certified" for e in found.equilibria)


def test_answers_do_not_wait_for_one_that_creeps():
    """One burden of the leader at which replies creep does not leave all others half-way."""
    game = ag.load_model("three-allies").replace(
        technology="weakest-link", influence_weight=[0.002, 0.001, 0.001, 0.001]
    )
    faced = problem(game, ag.Plan(threat=1.0, demand=0.05), "solve_nash")
    along = search._Along(faced)
    burdens = 0.0400208156 * np.linspace(0, 1, search.POINTS) ** 2
    for greatest in (False, True):
        together, answers, rests = along.wish(burdens, greatest)
        for k in range(0, len(burdens), 8):
            alone, answer, rest = along.wish(burdens[k : k + 1], greatest)
            assert rest[0] == rests[k]
            np.testing.assert_allclose(alone[0], together[k], atol=1e-12)
            np.testing.assert_allclose(answer[0], answers[k], rtol=1e-10)
    assert ag.solve_nash(game, ag.Plan(threat=1.0, demand=0.05)).certificate.verdict == "certified"


def test_many_steps_at_once_lead_where_they_lead_one_by_one(monkeypatch: pytest.MonkeyPatch):
    """Under full threat allies follow each other by nearly the same factor for thousands of steps."""
    game = ag.load_model("three-allies").replace(
        technology="weakest-link", influence_weight=[0.018125, 0.005, 0.005, 0.005]
    )
    along = search._Along(problem(game, ag.Plan(threat=1.0, demand=0.05), "solve_nash"))
    burdens = np.array([0.01244, 0.01255, 0.01255158, 0.012551583295, 0.0125516, 0.01256, 0.03])
    leapt = along.wish(np.tile(burdens, (2, 1)), np.array([[False], [True]]))
    monkeypatch.setattr(weakest, "LEAPS", ())
    step_by_step = along.wish(np.tile(burdens, (2, 1)), np.array([[False], [True]]))
    np.testing.assert_array_equal(leapt[2], step_by_step[2])
    at_rest = leapt[2]
    np.testing.assert_allclose(leapt[1][at_rest], step_by_step[1][at_rest], rtol=1e-10)
