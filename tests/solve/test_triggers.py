"""Trigger threats: compliance sets against slow independent searches, planted deviations, statements."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import ConvergenceError, ZeroTrustError
from alliancegame.solve import aggregative
from alliancegame.solve.tolerances import DEFAULT
from alliancegame.solve.trigger import compliance as compliance_module
from alliancegame.solve.trigger.compliance import compliance, cycle, missing
from alliancegame.solve.trigger.plans import best_and_worst
from alliancegame.solve.trigger.pruning import prune
from alliancegame.solve.trigger.sides import Sides
from alliancegame.solve.trigger.worth import Nodes, bounded
from tests.oracle import Hand

GOLDEN = (math.sqrt(5) - 1) / 2


class TriggerHand(Hand):
    """The payoff by hand, with a shortfall that jumps."""

    def __init__(self, game, plan):
        super().__init__(game.replace(shortfall="proportional"), plan)

    def shortfall(self, i, x):
        return 1.0 if x < self.demand[i] else 0.0

    def best(self, i, x, low, high):
        """Golden section on one side, whose payoff is concave."""

        def value(burden):
            return self.payoff(i, [*x[:i], burden, *x[i + 1 :]])

        a, b = low, high
        for _ in range(70):
            c, d = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
            if value(c) >= value(d):
                b = d
            else:
                a = c
        return max((low, high, 0.5 * (a + b)), key=value)

    def sides(self, i, low, high):
        if i == self.lead or self.threat[i] == 0:
            return [(low, high)]
        below = np.nextafter(self.demand[i], 0)
        return [(low, below), (self.demand[i], high)]

    def regret(self, x):
        """The most anybody gains by any deviation to any side."""
        players = [i for i in range(self.n) if i != self.lead or self.committed is None]
        gains = []
        for i in players:
            for low, high in self.sides(i, self.burden_min[i], self.burden_max[i]):
                reply = self.best(i, x, low, high)
                gains.append(self.payoff(i, [*x[:i], reply, *x[i + 1 :]]) - self.payoff(i, x))
        return max(gains)

    def slow_search(self):
        """Every equilibrium: on every compliance set best replies in turn, then all deviations."""
        players = [i for i in range(self.n) if i != self.lead or self.committed is None]
        found = []
        for sides in itertools.product((0, 1), repeat=len(self.allies)):
            bounds = {i: (self.burden_min[i], self.burden_max[i]) for i in players}
            for i, side in zip(self.allies, sides, strict=True):
                bounds[i] = self.sides(i, *bounds[i])[side]
            x = [bounds[i][0] if i in bounds else self.committed for i in range(self.n)]
            for _ in range(40):
                before = list(x)
                for i in players:
                    x[i] = self.best(i, x, *bounds[i])
                if max(abs(a - b) for a, b in zip(x, before, strict=True)) < 1e-9:
                    break
            if self.regret(x) < 1e-8:
                found.append(x)
        return found


def k6(**changes):
    return ag.BurdenSharingGame(
        ["L", "A"], "L", [1, 1], 0.04, consumption="linear", burden_max=0.5, shortfall="trigger",
        **changes,
    )  # fmt: skip


def k7():
    return ag.BurdenSharingGame(
        ["L", "A", "B"], "L", [1, 1, 1], 0.04, consumption="linear", spillin=0.5, burden_max=0.5,
        shortfall="trigger",
    )  # fmt: skip


def random_game(rng, n, free):
    """Allies nearly alike and a demand near indifference: several equilibria, or none, are common."""
    linear = rng.random() < 0.4
    beta = float(rng.choice([0.5, 0.9]))
    returned = float(rng.choice([0.3, 0.6]))
    game = ag.BurdenSharingGame(
        ["L", *(f"A{i}" for i in range(1, n))], "L", [2, *(1 + 0.05 * rng.random(n - 1))],
        rng.uniform(0.036, 0.044, n), influence_weight=float(rng.choice([0, 0.005, 0.02])),
        private_weight=float(rng.choice([0, 0.003])), spillin=beta,
        umbrella=float(rng.uniform(0.3, min(1, beta / returned))),
        return_spillin=returned, consumption="linear" if linear else "log", burden_max=0.9,
        shortfall="trigger", decay=float(rng.choice([0, 0.2])),
    )  # fmt: skip
    plain = ag.solve_nash(game.replace(shortfall="proportional"))
    burden = None if free else float(max(plain.burdens[0], 0.01) * rng.uniform(0.6, 1.4))
    plan = ag.Plan(threat=float(rng.uniform(0.2, 1)), burden=burden)
    low, high = 0.001, 0.6
    chosen = np.zeros((1, n), dtype=bool)
    chosen[0, 1 : 1 + int(rng.integers(0, n))] = True
    for _ in range(12):  # The demand at which the median ally is about indifferent.
        middle = 0.5 * (low + high)
        sides = Sides.of(game, plan.replace(demand=middle))
        gain = sides.other_sides(sides.solve(chosen), chosen)[0]
        worth = np.where(chosen[0], -gain, gain)[1:]
        low, high = (middle, high) if np.median(worth) > 0 else (low, middle)
    return game, plan.replace(demand=low)


def same_lists(one, other, digits=1e-6):
    a, b = (sorted(map(tuple, np.round(np.asarray(x), 9).tolist())) for x in (one, other))
    return len(a) == len(b) and (not a or np.allclose(a, b, atol=digits))


@pytest.mark.parametrize(("threat", "largest"), [(1.0, 0.074307), (0.1, 0.034016)])
def test_k6_the_largest_demand_that_is_met(threat, largest):
    for demand, met in ((largest - 2e-6, True), (largest + 2e-6, False)):
        found = ag.respond(k6(), ag.Plan(threat=threat, demand=demand, burden=0.02))
        assert (found.burdens[1] >= demand) == met
        assert found.certificate.verdict == "certified"
        assert found.certificate.unique == "proven"


def test_k6_by_its_formula():
    from scipy.special import lambertw

    theta, cover, threat = 0.04, 0.02, 0.35
    z = -lambertw(-np.exp(-1 - threat * cover / theta), -1).real
    demand = theta * z - cover
    both = ag.find_equilibria(k6(), ag.Plan(threat=threat, demand=float(demand), burden=0.02))
    assert both.complete
    assert len(both) == 2


def test_k7_has_exactly_two_equilibria():
    found = ag.find_equilibria(k7(), ag.Plan(threat=0.6, demand=0.04, burden=0.02))
    assert found.complete
    assert found.completeness == "proven"
    burdens = sorted(tuple(e.burdens[1:]) for e in found)
    np.testing.assert_allclose(burdens, [(0.012, 0.04), (0.04, 0.012)], atol=1e-12)
    assert all(e.certificate.verdict == "certified" for e in found)


def test_pruning_finds_k7_too():
    sides = Sides.of(k7(), ag.Plan(threat=0.6, demand=0.04, burden=0.02))
    pruned = prune(sides, 1000, 100)
    assert pruned.finished
    assert sorted(map(tuple, pruned.sets[:, 1:].tolist())) == [(False, True), (True, False)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("free", [False, True])
def test_against_a_slow_search_by_hand(seed, free):
    game, plan = random_game(np.random.default_rng(seed), 3, free)
    slow = TriggerHand(game, plan).slow_search()
    found = ag.find_equilibria(game, plan)
    assert same_lists([e.burdens for e in found], slow, 2e-5)


@pytest.mark.parametrize("free", [False, True])
def test_pruning_against_all_sets(free):
    """2^n sets tried, n to 8, against what the bounds leave."""
    rng = np.random.default_rng(5 + free)
    counts = []
    for _ in range(16):
        game, plan = random_game(rng, int(rng.integers(3, 9 if not free else 5)), free)
        if (
            free
        ):  # Near indifference the leader's range is cut into more pieces than a test can wait for.
            plan = plan.replace(demand=plan.demand * float(rng.uniform(0.8, 1.2)))
        sides = Sides.of(game, plan)
        assert not missing(sides)
        everything = compliance(sides, DEFAULT)
        assert everything.completeness == "proven"
        assert "all 2^" in everything.statement
        pruned = prune(sides, 800, 300)
        if not pruned.finished:
            continue
        kept = compliance_module._equilibria(sides, sides.solve(pruned.sets).burden, DEFAULT)
        assert same_lists(kept, everything.profiles, 1e-5)
        counts.append(len(kept))
    assert len(counts) >= 6
    assert free or max(counts) >= 2  # The comparison has met several equilibria.


def test_bounds_hold_on_every_set_between():
    """What compliance is worth on all sets and at burdens between lies within the bounds of a node."""
    rng = np.random.default_rng(11)
    for _ in range(4):
        game, plan = random_game(rng, 5, True)
        sides = Sides.of(game, plan)
        base = ag.solve_nash(game.replace(shortfall="proportional")).burdens[0]
        low, high = 0.97 * base, 1.03 * base
        root = Nodes.root(sides)
        node = Nodes(root.fixed, root.open, root.tried, np.array([low]), np.array([high]))
        bounds = bounded(sides, node)
        sets = np.array(list(itertools.product((False, True), repeat=4)))
        sets = np.concatenate([np.zeros((16, 1), dtype=bool), sets], axis=1)
        for burden in np.linspace(low, high, 4):
            gain = sides.other_sides(sides.solve(sets, np.full(16, burden)), sets)
            for row, here in zip(sets, gain, strict=True):
                for i in range(1, 5):
                    if row[i]:
                        assert -here[i] <= bounds.most[0, i] + 1e-9
                    else:
                        assert here[i] >= bounds.least[0, i] - 1e-9


def test_a_jump_deviation_comes_out_with_its_true_regret():
    """Both comply: each side's conditions hold, but either gains by jumping below the demand."""
    plan = ag.Plan(threat=0.6, demand=0.04, burden=0.02)
    made = ag.certify(k7(), [0.02, 0.04, 0.04], plan)
    assert made.verdict == "unverified"
    # Alone below: x + .5 * .04 + .4 * .02 = theta, so x = .012; linear consumption, by hand.
    stay = 1 - 0.04 + 0.04 * math.log(0.04 + 0.02 + 0.02)
    leave = 1 - 0.012 + 0.04 * math.log(0.012 + 0.02 + 0.008)
    assert made.regret == pytest.approx(leave - stay, rel=1e-9)
    assert made.worst in ("A", "B")


def test_any_profile_has_the_regret_by_hand():
    rng = np.random.default_rng(3)
    for free in (False, True):
        game, plan = random_game(rng, 4, free)
        for _ in range(3):
            profile = rng.uniform(0.005, 0.08, 4)
            if plan.burden is not None:
                profile[0] = plan.burden
            made = ag.certify(game, profile, plan)
            slow = TriggerHand(game, plan).regret(profile.tolist())
            assert made.regret == pytest.approx(slow, rel=1e-6)


def test_payoffs_are_those_by_hand():
    game, plan = random_game(np.random.default_rng(4), 4, False)
    found = ag.respond(game, plan)
    by_hand = TriggerHand(game, plan)
    np.testing.assert_allclose(found.payoffs, by_hand.payoffs(found.burdens.tolist()), rtol=1e-12)
    np.testing.assert_allclose(
        found.securities, by_hand.securities(found.burdens.tolist()), rtol=1e-12
    )


def test_no_equilibrium_is_an_answer_with_a_cycle():
    rng = np.random.default_rng(3)
    for _ in range(60):
        game, plan = random_game(rng, int(rng.integers(2, 5)), True)
        found = ag.find_equilibria(game, plan)
        if len(found) == 0:
            break
    else:
        pytest.fail("no game without an equilibrium was met")
    assert found.complete
    assert "no pure equilibrium" in found.statement
    assert len(found.cycle) >= 2
    by_hand = TriggerHand(game, plan)
    for turn in found.cycle:  # Every step is a gain, by hand.
        i = list(game.members).index(turn.member)
        moved = list(turn.burdens)
        moved[i] = turn.reply
        gain = by_hand.payoff(i, moved) - by_hand.payoff(i, list(turn.burdens))
        assert gain == pytest.approx(turn.gain, rel=1e-6, abs=1e-12)
        assert gain > 0
    with pytest.raises(ConvergenceError, match="no pure equilibrium"):
        ag.solve_nash(game, plan)
    soft = ag.solve_nash(game, plan, throw=False)
    assert soft.certificate.verdict == "unverified"
    assert soft.certificate.regret > 1e-9
    assert ag.find_equilibria(game, plan).cycle_frame["gain"].min() > 0


def test_cycle_is_empty_where_somebody_rests():
    assert cycle(Sides.of(k7(), ag.Plan(threat=0.6, demand=0.04, burden=0.02))) == ()


def test_solve_nash_gives_the_leaders_best_first():
    game, plan = k7().replace(gdp=[1, 1, 1.3]), ag.Plan(threat=0.6, demand=0.035, burden=0.02)
    found = ag.solve_nash(game, plan)
    listed = ag.find_equilibria(game, plan)
    assert len(found.others) == len(listed) - 1
    assert found.leader_payoff == max(e.leader_payoff for e in listed)


def test_without_a_threat_it_is_the_game_without_jumps():
    game = ag.load_model("three-allies").replace(shortfall="trigger")
    plain = ag.load_model("three-allies")
    np.testing.assert_array_equal(ag.solve_nash(game).burdens, ag.solve_nash(plain).burdens)
    assert ag.solve_nash(game).game == game
    assert ag.find_equilibria(game).complete


def test_defiers_are_solved_by_newton_where_forces_do_not_add_up():
    """What defiers are asked for is out of reach, and must not overflow in powers of it."""
    game = ag.load_model("three-allies").replace(shortfall="trigger", substitution=0.7)
    sides = Sides.of(game, ag.Plan(threat=0.6, demand=0.05))
    sets = np.array([[False] * 4, [True, True, False, False], [True] * 4])
    batch = sides.solve(sets)
    assert set(batch.column("status")) == {aggregative.NEWTON}
    hand = TriggerHand(game, sides.plan)
    for x, chosen in zip(batch.burden.tolist(), sets, strict=True):
        (low,), (high,) = sides.bounds(chosen[None, :])
        now = hand.payoffs(x)
        for i, burden in enumerate(x):
            for step in (-1e-4, 1e-4):
                moved = [*x[:i], min(max(burden + step, low[i]), high[i]), *x[i + 1 :]]
                assert hand.payoffs(moved)[i] <= now[i]


def test_forced_compliers_are_under_no_threat():
    """burden_min above the demand: nobody can miss it, and the threat is never carried out."""
    game = k6(burden_min=[0, 0.03])
    quiet = ag.respond(game, ag.Plan(burden=0.02))
    threatened = ag.respond(game, ag.Plan(threat=1.0, demand=0.02, burden=0.02))
    np.testing.assert_allclose(threatened.burdens, quiet.burdens)
    np.testing.assert_allclose(threatened.payoffs, quiet.payoffs)
    both = k7().replace(burden_min={"A": 0.05})
    x = ag.respond(both, ag.Plan(threat=0.6, demand=0.04, burden=0.02))
    by_hand = TriggerHand(both, x.plan)
    np.testing.assert_allclose(x.payoffs, by_hand.payoffs(x.burdens.tolist()), rtol=1e-12)


def test_best_and_worst_of_many_plans():
    """The batch that searches use, against every plan by itself."""
    rng = np.random.default_rng(8)
    game, plan = random_game(rng, 4, False)
    fields = {
        "threat": rng.uniform(0, 1, 12),
        "burden": plan.burden * rng.uniform(0.7, 1.3, 12),
    }
    best, worst = best_and_worst(game, plan, fields)
    for k in range(12):
        one = plan.replace(threat=float(fields["threat"][k]), burden=float(fields["burden"][k]))
        payoffs = [e.leader_payoff for e in ag.find_equilibria(game, one)]
        assert best[k] == pytest.approx(max(payoffs), abs=1e-9)
        assert worst[k] == pytest.approx(min(payoffs), abs=1e-9)


@pytest.fixture(scope="module")
def nato():
    return ag.load_model("nato-2024").replace(shortfall="trigger")


@pytest.mark.parametrize("burden", [None, 0.0338])
def test_thirty_allies_are_complete(nato, burden):
    found = ag.find_equilibria(nato, ag.Plan(threat=0.5, demand=0.03, burden=burden))
    assert found.complete
    assert len(found) >= 1
    for e in found:
        assert e.certificate.verdict == "certified"
        assert ag.certify(nato, e.burden, e.plan).verdict == "certified"


def test_too_many_sets_are_searched_and_called_so():
    """Too many sets are left: the search stops in time and claims nothing."""
    game = ag.BurdenSharingGame(
        ["L", *(f"A{i}" for i in range(13))], "L", [10] + [1] * 13, 0.04, consumption="linear",
        spillin=0.5, umbrella=0.1, burden_max=0.5, shortfall="trigger",
    )  # fmt: skip
    plan = ag.Plan(threat=0.8, demand=0.03, burden=0.02)
    found = ag.find_equilibria(game, plan)
    assert found.completeness in ("proven", "not known")
    if found.completeness == "not known":
        assert "others may exist" in found.statement


@pytest.mark.parametrize(
    "changes",
    [
        {"substitution": 0.8},
        {"spillin": 1.5},
        {
            "influence_weight": 0.01,
            "influence_value": "share",
            "decisiveness": 1.75,
            "consumption": "log",
        },
    ],
)
def test_forms_outside_the_theorem_claim_nothing(changes):
    game = k7().replace(private_weight=0.002, **changes)
    found = ag.find_equilibria(game, ag.Plan(threat=0.6, demand=0.03, burden=0.02))
    assert found.completeness == "not known"
    assert all(e.certificate.unique != "proven" for e in found)
    for e in found:
        assert TriggerHand(game, e.plan).regret(e.burdens.tolist()) < 1e-6


def test_tariffs_trigger_too():
    """A tariff alone: an ally meets the demand or pays; by hand."""
    game = k6(trade_exposure=0.1)
    plan = ag.Plan(tariff=0.2, demand=0.03, burden=0.02)
    found = ag.find_equilibria(game, plan)
    assert found.complete
    assert len(found) == 1
    met = 1 - 0.03 + 0.04 * math.log(0.03 + 0.02)
    missed = 1 - 0.02 - 0.1 * 0.2 + 0.04 * math.log(0.04)
    assert found[0].payoffs[1] == pytest.approx(max(met, missed), rel=1e-12)
    assert (found[0].burdens[1] >= 0.03) == (met >= missed)


def test_zero_trust_is_refused():
    game = ag.load_model("three-allies").replace(shortfall="trigger", trust=0.0, trust_ceiling=0.0)
    with pytest.raises(ZeroTrustError):
        ag.solve_nash(game, ag.Plan(threat=0.5))
    with pytest.raises(ZeroTrustError):
        ag.find_equilibria(game, ag.Plan(threat=0.5))
