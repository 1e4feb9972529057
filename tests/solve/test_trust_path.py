"""Trust paths: known answers, limits, a slow value iteration, certificates, bad input."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

import alliancegame as ag
from alliancegame.errors import (
    CoarseGridWarning,
    InvalidValueError,
    UnknownNameError,
    UnsupportedFormError,
    ZeroTrustError,
)
from alliancegame.solve import aggregative
from alliancegame.solve.dynamic import markov as policies
from alliancegame.solve.dynamic.announced import Announced
from alliancegame.solve.dynamic.law import AllianceLaw, groups_of
from alliancegame.solve.dynamic.slopes import slopes
from alliancegame.solve.dynamic.stage import Stage


@pytest.fixture(scope="module")
def game():
    """Interior, corner and no threat occur in it, as the leader's patience goes."""
    return ag.load_model("three-allies").replace(recovery=0.2)


# --- K9: a user's own law and payoff --------------------------------------------------------------

B, C, KAPPA, V, DELTA, MU = 1.0, 1.0, 0.2, 0.4, 0.95, 0.05


def k9(**changes):
    given = {
        "payoff": lambda s, a: B * a - C * a * a / 2 + V * s[:, 0],
        "motion": lambda s, a: s + MU * (1 - s) - KAPPA * a[:, None],
        "initial": (1.0,),
        "action": (0.0, 0.25),
    }
    return ag.TrustControl(**{**given, **changes})


@pytest.mark.parametrize("concept", ["markov", "open-loop"])
def test_known_answer_k9(concept: str) -> None:
    price = DELTA * V / (1 - DELTA * (1 - MU))
    best = (B - KAPPA * price) / C
    assert best == pytest.approx(0.220513, abs=5e-7)
    path = ag.solve_trust_path(k9(), concept, periods=20, discount=DELTA)
    assert np.allclose(path.actions, best, atol=1e-6)
    # The value: u is linear in r, so that V(1) follows from the constant action.
    r, total = 1.0, 0.0
    for t in range(2000):
        total += DELTA**t * (B * best - C * best**2 / 2 + V * r)
        r = r + MU * (1 - r) - KAPPA * best
    assert path.value == pytest.approx(total, abs=1e-9)
    assert path.certificate.verdict == "approximate"


def test_k9_policy_is_constant_and_value_linear_in_trust() -> None:
    path = ag.solve_trust_path(k9(), "markov", discount=DELTA)
    frame = path.policy.to_frame()
    assert np.ptp(frame["threat"]) < 1e-7
    slope = np.gradient(frame["value"], frame["trust"])
    assert np.allclose(slope, V / (1 - DELTA * (1 - MU)), atol=1e-8)
    assert path.certificate.bellman_residual < 1e-12


def test_k9_other_concepts() -> None:
    myopic = ag.solve_trust_path(k9(action=(0.0, 0.24)), "myopic", periods=3, discount=DELTA)
    assert np.allclose(myopic.actions, 0.24)  # b/c = 1 is beyond the range.
    kept = ag.solve_trust_path(k9(), "stationary", periods=3, discount=DELTA)
    markov = ag.solve_trust_path(k9(), "markov", periods=3, discount=DELTA)
    assert kept.value == pytest.approx(markov.value, abs=1e-9)  # The optimum is constant here.
    assert myopic.value < markov.value


def test_a_law_that_leaves_its_bounds_names_the_state() -> None:
    with pytest.raises(InvalidValueError, match="trust becomes -0.003"):
        ag.solve_trust_path(k9(action=(0.0, 1.0)), "markov", discount=DELTA)
    fast = ag.TrustMotion(
        impact=lambda s, t: s[:, 0], recover=lambda s, t: s + 0.5, states=("goodwill",)
    )
    with pytest.raises(InvalidValueError, match="goodwill becomes"):
        ag.solve_trust_path(ag.load_model("three-allies"), "markov", law=fast)


def test_three_states_are_too_many_for_markov(game) -> None:
    three = k9(
        payoff=lambda s, a: s.sum(axis=1), motion=lambda s, a: s, initial=(1, 1, 1),
        states=("x", "y", "z"),
    )  # fmt: skip
    with pytest.raises(UnsupportedFormError, match="3 states"):
        ag.solve_trust_path(three, "markov")
    each = game.replace(decay={"Large": 0.2, "Middle": 0.3, "Frontier": 0.4})
    with pytest.raises(UnsupportedFormError, match="3 states.*Large.*open-loop"):
        ag.solve_trust_path(each, "markov")
    with pytest.raises(UnsupportedFormError, match="3 states"):
        ag.solve_trust_path(game.replace(institutional_share=0.5, scarring=0.1), "markov")


# --- Against a slow value iteration ---------------------------------------------------------------


def slow_values(game, discount: float, demand: float = 0.05):
    """Value iteration with linear interpolation; own burdens by brute force. Shares no solver code."""
    law = game.trust_law
    threats, levels = np.linspace(0, 1, 41), np.linspace(0.2, 1, 33)
    own = np.linspace(0.02, 0.06, 401)
    plain = game.replace(decay=0.0)
    t, s, x = (m.ravel() for m in np.meshgrid(threats, levels, own, indexing="ij"))
    found = aggregative.solve_plans(
        plain, t, np.full(len(t), demand), x, changes={"trust": s}
    ).leader_payoff
    stage = found.reshape(len(threats), len(levels), len(own)).max(axis=2)
    payoff = RegularGridInterpolator((threats, levels), stage, method="cubic")
    trust, tried = np.linspace(0.3, 1, 701), np.linspace(0, 1, 401)
    r, a = np.meshgrid(trust, tried, indexing="ij")
    hit = r * np.exp(-law.decay * a**law.curvature)
    worth = payoff(np.column_stack([a.ravel(), np.clip(hit, 0.2, 1).ravel()])).reshape(r.shape)
    after = hit + law.recovery * (1 - hit)
    values = np.zeros(len(trust))
    for _ in range(2000):
        total = worth + discount * np.interp(after, trust, values)
        new = total.max(axis=1)
        if np.abs(new - values).max() < 1e-12:
            break
        values = new
    return trust, values, tried[total.argmax(axis=1)]


@pytest.mark.parametrize(("decay", "discount"), [(0.4, 0.3), (0.15, 0.8)])
def test_markov_agrees_with_a_slow_value_iteration(game, decay: float, discount: float) -> None:
    law = game.replace(decay=decay)
    path = ag.solve_trust_path(law, "markov", discount=discount)
    trust, values, threats = slow_values(law, discount)
    assert 0 < path.first_threat < 1
    assert path.first_threat == pytest.approx(threats[-1], abs=0.012)
    assert path.value == pytest.approx(values[-1], abs=2e-7)
    covered = trust > path.policy.states.min() + 0.05
    ours = np.interp(trust[covered], path.policy.states[:, 0], path.policy.values)
    assert np.abs(ours - values[covered]).max() < 2e-5  # Linear interpolation between nodes.
    assert path.certificate.bellman_residual <= 1e-8
    assert path.certificate.verdict == "approximate"


# --- K12 and turnover -----------------------------------------------------------------------------


@pytest.mark.parametrize(("decay", "discount"), [(0.4, 0.3), (0.15, 0.8)])
def test_k12_without_turnover_announcing_is_worth_as_much(game, decay, discount) -> None:
    law = game.replace(decay=decay)
    markov = ag.solve_trust_path(law, "markov", periods=30, discount=discount)
    announced = ag.solve_trust_path(law, "open-loop", periods=30, discount=discount)
    assert announced.value == pytest.approx(markov.value, abs=1e-7)
    assert np.allclose(announced.threats[:5], markov.threats[:5], atol=2e-3)
    assert announced.certificate.deviation_gain < 1e-8


def test_with_turnover_a_policy_is_at_least_as_good(game) -> None:
    law = game.replace(
        decay=0.3, institutional_share=0.5, recovery=0.1, personal_recovery=0.3, turnover=0.3
    )
    markov = ag.solve_trust_path(law, "markov", periods=4, discount=0.6, nodes=13)
    announced = ag.solve_trust_path(law, "open-loop", periods=4, discount=0.6)
    kept = ag.solve_trust_path(law, "stationary", periods=4, discount=0.6)
    error = markov.certificate.bellman_residual / (1 - 0.6)
    assert error < 0.05 * markov.gain
    assert markov.value >= announced.value - error
    assert announced.value >= kept.value - 1e-9
    given, shown = (
        ag.follow_trust_path(law, [0.3], periods=8, discount=0.6, turnovers=when)
        for when in ((), [4])
    )
    assert np.array_equal(shown.states[:5], given.states[:5])
    assert given.states[5, 1] < shown.states[5, 1] == 1.0
    assert shown.value == given.value


# --- Limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("concept", ["myopic", "stationary", "markov", "open-loop"])
def test_without_decay_every_period_is_the_static_answer(game, concept: str) -> None:
    free = game.replace(decay=0.0)
    s = ag.solve_stackelberg(free, demand=0.05)
    path = ag.solve_trust_path(free, concept, periods=4, discount=0.7)
    assert np.allclose(path.threats[:, 1:], s.plan.threat, atol=1e-6)
    assert np.allclose(path.burdens[:, 0], s.plan.burden, atol=1e-6)
    assert path.value == pytest.approx(s.leader_payoff / 0.3, abs=1e-9)
    assert np.allclose(path.operating_trust, 1.0)


def test_the_impatient_leader_is_myopic(game) -> None:
    myopic = ag.solve_trust_path(game, "myopic", periods=6, discount=1e-6)
    s = ag.solve_stackelberg(game, demand=0.05)
    assert myopic.first_threat == pytest.approx(s.plan.threat, abs=1e-5)
    for concept in ("markov", "open-loop"):
        path = ag.solve_trust_path(game, concept, periods=6, discount=1e-6)
        assert path.first_threat == pytest.approx(myopic.first_threat, abs=1e-4)
    path = ag.solve_trust_path(game, "markov", periods=6, discount=1e-6)
    assert np.allclose(path.threats, myopic.threats, atol=1e-4)


def test_full_recovery_makes_periods_independent(game) -> None:
    quick = game.replace(recovery=1.0)
    s = ag.solve_stackelberg(quick, demand=0.05)
    for concept in ("markov", "stationary", "open-loop", "myopic"):
        path = ag.solve_trust_path(quick, concept, periods=4, discount=0.9)
        assert np.allclose(path.threats[:, 1:], s.plan.threat, atol=1e-5), concept
        assert path.value == pytest.approx(s.leader_payoff / 0.1, abs=1e-8)


def test_value_rises_with_trust_where_allies_do_not_care(game) -> None:
    """Without an umbrella trust enters the leader's influence alone, and never hurts it."""
    path = ag.solve_trust_path(game.replace(umbrella=0.0), "markov", discount=0.8)
    assert np.all(np.diff(path.policy.values) > 0)
    assert path.first_threat == 0  # A threat cannot move anybody.


def test_concepts_in_order_of_value(game) -> None:
    law = game.replace(decay=0.15)
    value = {c: ag.solve_trust_path(law, c, periods=25, discount=0.8).value
             for c in ("myopic", "stationary", "markov")}  # fmt: skip
    assert value["markov"] > value["stationary"] > value["myopic"]


# --- The law --------------------------------------------------------------------------------------


def by_hand(game, threats, periods: int):
    """The law of trust period by period, one ally at a time: operating trust and ceilings."""
    law, lead = game.trust_law, game.members.leader_index
    n, gdp = game.size, game.by_member("gdp")
    allies = [i for i in range(n) if i != lead]
    share = gdp / gdp[allies].sum()
    get = game.by_member
    first = {i: [get("trust")[i], get("trust")[i]] for i in allies}
    ceiling = {i: get("trust_ceiling")[i] for i in allies}
    rows = []
    for t in range(periods):
        tau = threats[t]
        row = np.zeros(n)
        for i in allies:
            others = sum(share[j] * tau[j] ** law.curvature for j in allies if j != i)
            hit = np.exp(-get("decay")[i] * tau[i] ** law.curvature - law.contagion * others)
            w = law.institutional_share
            row[i] = (first[i][0] * hit) ** w * (first[i][1] * hit) ** (1 - w)
            for k, speed in enumerate((law.recovery, law.personal_recovery)):
                r = first[i][k] * hit
                h, k_ = law.recovery_threshold, law.recovery_sharpness
                z = (r / ceiling[i]) ** k_
                pace = z / (z + h**k_) if h else 1.0
                first[i][k] = r + speed * pace * (ceiling[i] - r)
        for i in allies:
            ceiling[i] *= np.exp(-law.scarring * tau[i] ** law.curvature)
        row[lead] = sum(share[i] * row[i] for i in allies)
        rows.append(row)
    return np.array(rows)


def test_law_in_full_by_hand(game) -> None:
    full = game.replace(
        trust={"Large": 0.9, "Middle": 0.8, "Frontier": 0.7}, trust_ceiling=0.95, contagion=0.3,
        decay={"Large": 0.2, "Middle": 0.3, "Frontier": 0.5}, curvature=1.4, scarring=0.05,
        institutional_share=0.6, personal_recovery=0.5, recovery_threshold=0.3,
    )  # fmt: skip
    plans = [{"Large": 0.3}, {"Middle": 1.0, "Frontier": 0.5}, {}, {"Large": 0.6}]
    path = ag.follow_trust_path(full, plans, periods=6, discount=0.8)
    assert np.allclose(path.operating_trust, by_hand(full, path.threats, 6), atol=1e-14)
    assert len(path.state_names) == 9


def test_law_is_that_of_the_terms(game) -> None:
    from alliancegame.payoff import terms

    law = AllianceLaw(game.replace(recovery_threshold=0.4), groups_of(game))
    r, tau = 0.7, 0.3
    hit = float(terms.trust_impact(0.4, terms.threat_cost(tau, 1.0), 0.0, 0.0))
    pace = terms.recovery_pace(r * hit, 0.4, 4.0)
    expected = terms.trust_recovery(r * hit, 0.2 * pace, 1.0)
    found = law.advance(np.array([[r]]), np.array([tau]))
    assert found[0, 0] == pytest.approx(float(expected), abs=1e-15)
    assert float(terms.composed_trust(0.5, 0.8, 0.25)) == pytest.approx(0.5**0.25 * 0.8**0.75)


def test_slow_recovery_of_the_distrusted_gives_two_long_run_levels(game) -> None:
    """Under one threat kept for ever, trust ends high or low, as it begins above or below a threshold."""
    two = game.replace(recovery=0.5, recovery_threshold=0.5, decay=0.4)
    ends = {}
    for start in (0.15, 0.9):
        path = ag.follow_trust_path(two.replace(trust=start), [0.3], periods=150, discount=0.5)
        ends[start] = path.operating_trust[-1, 0]
    assert ends[0.9] > 0.6
    assert ends[0.15] < 0.05


def test_trust_of_ones_own_law(game) -> None:
    """The game's law given as a TrustMotion changes nothing."""
    own = ag.TrustMotion(
        impact=lambda s, t: s[:, 0] * np.exp(-0.4 * t),
        recover=lambda s, t: s * np.exp(-0.4 * t)[:, None] * 0.8 + 0.2,
    )
    for concept in ("markov", "open-loop"):
        ours = ag.solve_trust_path(game, concept, periods=3, discount=0.3)
        user = ag.solve_trust_path(game, concept, periods=3, discount=0.3, law=own)
        assert user.value == pytest.approx(ours.value, abs=1e-9), concept
        assert np.allclose(user.threats, ours.threats, atol=1e-4), concept


# --- Gradients ------------------------------------------------------------------------------------


def test_stage_slopes_against_differences(game) -> None:
    rng = np.random.default_rng(0)
    rich = game.replace(cohesion=0.4, trust_ceiling=0.9, trust=0.8)
    law = AllianceLaw(rich, groups_of(rich, each=True))
    stage = Stage(rich, law.group, np.full(rich.size, 0.05))
    threat, trust = rng.uniform(0.2, 0.8, (6, 3)), rng.uniform(0.4, 1, (6, 3))
    own, h = rng.uniform(0.02, 0.05, 6), 1e-5
    found = slopes(stage, threat, trust, own)
    for j in range(3):
        e = np.eye(3)[j] * h
        i = stage._allies[j]
        by_threat = stage.payoff(threat + e, trust, own) - stage.payoff(threat - e, trust, own)
        by_trust = stage.payoff(threat, trust + e, own) - stage.payoff(threat, trust - e, own)
        assert np.allclose(found.threat[:, i], by_threat / (2 * h), atol=1e-9)
        assert np.allclose(0.9 * found.trust[:, i], by_trust / (2 * h), atol=1e-9)
    by_own = stage.payoff(threat, trust, own + h) - stage.payoff(threat, trust, own - h)
    assert np.allclose(found.burden, by_own / (2 * h), atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "each"),
    [
        ({"decay": 0.3}, False),
        ({"decay": 0.3, "contagion": 0.2, "scarring": 0.05, "curvature": 1.3}, True),
        ({"institutional_share": 0.6, "personal_recovery": 0.5, "turnover": 0.3, "scarring": 0.1}, False),
    ],
)  # fmt: skip
def test_gradients_of_paths_against_differences(game, changes, each: bool) -> None:
    law = game.replace(**changes)
    motion = AllianceLaw(law, groups_of(law, each))
    stage = Stage(law, motion.group, np.full(law.size, 0.05))
    problem = Announced(motion, 0.8, stage, motion.count if each else 1)
    rng = np.random.default_rng(1)
    threats, own = rng.uniform(0.1, 0.6, (4, problem.actions)), rng.uniform(0.03, 0.04, 4)
    _, by_threat, by_own = problem.worth(threats, own, 10)
    h = 1e-5
    for t in range(4):
        e = np.zeros_like(threats)
        e[t, 0] = h
        change = problem.worth(threats + e, own, 10)[0] - problem.worth(threats - e, own, 10)[0]
        assert by_threat[t, 0] == pytest.approx(change / (2 * h), abs=1e-9)
        e = np.zeros(4)
        e[t] = h
        change = problem.worth(threats, own + e, 10)[0] - problem.worth(threats, own - e, 10)[0]
        assert by_own[t] == pytest.approx(change / (2 * h), abs=1e-5)


def test_threats_by_ally_are_worth_more_than_uniform_ones(game) -> None:
    law = game.replace(decay={"Large": 0.1, "Middle": 0.3, "Frontier": 0.6})
    each = ag.solve_trust_path(law, "open-loop", periods=3, discount=0.5, by_ally=True)
    same = ag.solve_trust_path(law, "open-loop", periods=3, discount=0.5)
    assert each.value > same.value
    assert np.ptp(each.threats[0, 1:]) > 0.1
    assert each.certificate.deviation_gain < 1e-7


# --- Results, flags, certificates -----------------------------------------------------------------


@pytest.mark.long
def test_two_blocs_are_two_states(game) -> None:
    blocs = game.replace(decay={"Large": 0.2, "Middle": 0.2, "Frontier": 0.4})
    path = ag.solve_trust_path(blocs, "markov", periods=2, discount=0.3, nodes=8, tolerance=1e-3)
    assert path.state_names == ("trust of Large and 1 more", "trust of Frontier")
    announced = ag.solve_trust_path(blocs, "open-loop", periods=2, discount=0.3)
    assert path.value == pytest.approx(announced.value, abs=5e-6)


@pytest.mark.long
def test_two_states_are_refined_until_the_residual_is_small(game) -> None:
    """Scarring, without turnover: the policy's value is that of the announced path (K12)."""
    scarred = game.replace(recovery=0.3, scarring=0.05, decay=0.3)
    path = ag.solve_trust_path(
        scarred, "markov", periods=6, discount=0.4, nodes=16, tolerance=4e-6, floor=0.2
    )
    assert path.state_names == ("trust", "ceiling")
    assert path.certificate.bellman_residual <= 4e-6
    assert path.certificate.verdict == "approximate"
    assert len(path.policy.values) > 16 * 16
    announced = ag.solve_trust_path(scarred, "open-loop", periods=6, discount=0.4)
    assert path.gain > 1e-4
    assert abs(path.value - announced.value) <= 4e-6 / (1 - 0.4)
    assert np.allclose(path.threats[:4], announced.threats[:4], atol=0.01)


def test_policies_on_many_nodes_are_evaluated_without_a_matrix(monkeypatch) -> None:
    two = k9(
        payoff=lambda s, a: B * a - C * a * a / 2 + V * s[:, 0] * s[:, 1], initial=(1.0, 0.9),
        motion=lambda s, a: s + MU * (1 - s) - KAPPA * a[:, None] * s, states=("x", "y"),
        turnover=0.2, after_turnover=lambda s: np.column_stack([s[:, 0], np.ones(len(s))]),
    )  # fmt: skip
    dense = ag.solve_trust_path(two, "markov", discount=0.8, nodes=12)
    monkeypatch.setattr(policies, "DENSE", 0)
    sparse = ag.solve_trust_path(two, "markov", discount=0.8, nodes=12)
    assert sparse.value == pytest.approx(dense.value, abs=1e-11)
    assert np.allclose(sparse.policy.values, dense.policy.values, atol=1e-11)


def test_dynamic_backfire_of_the_myopic_leader(game) -> None:
    path = ag.solve_trust_path(game, "myopic", periods=10, discount=0.8)
    assert path.dynamic_backfire
    assert path.flags == ("dynamic_backfire",)
    assert path.present_value_usd_bn < 0 < path.first_gain
    again = ag.follow_trust_path(game, path.threats[:, 1], periods=10, discount=0.8)
    assert np.allclose(again.payoffs, path.payoffs, atol=1e-12)


def test_money_is_the_consumption_equivalent(game) -> None:
    path = ag.solve_trust_path(game, "markov", periods=3, discount=0.3)
    a = ag.solve_nash(game)
    yearly = np.expm1(0.7 * path.gain) * (1 - a.burdens[0]) * 24000
    assert path.gain_usd_bn_a_year == pytest.approx(yearly, rel=1e-12)
    assert path.present_value_usd_bn == pytest.approx(yearly / 0.7, rel=1e-12)


def test_tables_and_round_trip(game, tmp_path) -> None:
    path = ag.solve_trust_path(game, "markov", periods=5, discount=0.3)
    frame = path.to_frame()
    assert frame.index.name == "period"
    assert {"trust", "threat", "operating_trust", "leader_burden"} <= set(frame.columns)
    assert path.by_member("burden").shape == (5, 4)
    with pytest.raises(UnknownNameError, match="burden"):
        path.by_member("burdens")
    path.to_json(tmp_path / "p.json")
    back = ag.load_result(tmp_path / "p.json")
    assert back.to_frame().equals(frame)
    assert back.certificate == path.certificate
    assert back.present_value_usd_bn == path.present_value_usd_bn
    assert "markov" in path.headline()


def test_too_coarse_a_grid_warns_with_the_residual(game) -> None:
    with pytest.warns(CoarseGridWarning, match="residual is"):
        path = ag.solve_trust_path(game, "markov", discount=0.3, tolerance=1e-15, nodes=150)
    assert path.certificate.verdict == "unverified"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ag.solve_trust_path(game, "markov", discount=0.3)


def test_a_path_that_ends_on_the_floor_is_not_verified(game) -> None:
    """Nothing holds back a leader who does not value influence; the floor would decide the value."""
    careless = game.replace(recovery=0.0, influence_weight={"Leader": 0.0})
    path = ag.solve_trust_path(careless, "markov", periods=12, discount=0.9)
    assert path.certificate.verdict == "unverified"
    assert "reaches the floor" in path.certificate.scope
    assert ag.solve_trust_path(game, "markov", discount=0.3).certificate.verdict == "approximate"


@pytest.mark.parametrize("discount", [0.0, 1.0, -0.5, 1.5])
def test_discount_is_inside_its_bounds(game, discount: float) -> None:
    with pytest.raises(InvalidValueError, match=r"discount must be in \(0, 1\)"):
        ag.solve_trust_path(game, discount=discount)


def test_bad_input(game) -> None:
    for name, value in (("recovery", 1.2), ("recovery", -0.1), ("decay", -1.0), ("turnover", 2.0),
                        ("institutional_share", 0.0), ("personal_recovery", 1.1),
                        ("recovery_threshold", 1.0), ("recovery_sharpness", 0.5)):  # fmt: skip
        with pytest.raises(InvalidValueError, match=name):
            game.replace(**{name: value})
    with pytest.raises(UnknownNameError, match="markov"):
        ag.solve_trust_path(game, "markow")
    with pytest.raises(InvalidValueError, match="periods"):
        ag.solve_trust_path(game, periods=0)
    with pytest.raises(UnsupportedFormError, match="open-loop"):
        ag.solve_trust_path(game, "markov", by_ally=True)
    with pytest.raises(InvalidValueError, match="TrustMotion"):
        ag.solve_trust_path(game, law=lambda r: r)
    with pytest.raises(ZeroTrustError, match="trust of every ally is zero"):
        ag.solve_trust_path(game.replace(trust=0.0))
    with pytest.raises(UnsupportedFormError, match="horizon"):
        game.replace(horizon="stationary", institutional_share=0.5)
    with pytest.raises(InvalidValueError, match="initial trust"):
        k9(initial=(1.5,))
    with pytest.raises(InvalidValueError, match="threats"):
        ag.follow_trust_path(game, [])


def test_personal_recovery_follows_recovery_until_it_is_given(game) -> None:
    assert game.personal_recovery == game.recovery == 0.2
    assert game.replace(recovery=0.4).personal_recovery == 0.4
    own = game.replace(personal_recovery=0.7)
    assert own.replace(recovery=0.4).personal_recovery == 0.7
