"""Credible threats: executions against all sets, equilibria against a payoff written by hand."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import re
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import InvalidValueError, UnsupportedFormError
from alliancegame.solve.leader.credible_gains import Deviating
from alliancegame.solve.leader.credible_response import answers
from alliancegame.solve.leader.execution import execute, stakes_at
from alliancegame.solve.result import result_from_dict
from tests.credible_hand import CredibleHand

CASES = ("saved", "lost", "bite", "left", "strength", "rise", "returned")


def random_stakes(rng: np.random.Generator, **forms: Any) -> tuple[Any, Any, Any]:
    n = int(rng.integers(2, 9))
    game = ag.BurdenSharingGame(
        [f"m{i}" for i in range(n)], "m0", np.exp(rng.normal(0, 1.2, n)), rng.uniform(0.01, 0.1, n),
        private_weight=0.001, return_spillin=rng.uniform(0.1, 1.5),
        execution_saving=float(rng.choice([0.002, 0.005, 0.01, 0.03])), **forms,
    )  # fmt: skip
    plan = ag.Plan(threat=rng.uniform(0, 1, n), demand=rng.uniform(0.01, 0.06, n))
    return game, plan, rng.uniform(0.001, 0.05, (10, n))


def by_hand(game: Any, plan: Any, x: Any, chosen: Any, trust: float) -> float:
    """The leader's consumption and security after executions, as docs/theory/equilibrium has them."""
    gdp, rho = game.by_member("gdp"), game.substitution
    g = gdp * x
    spent, forces = x[0], 0.0
    for j in range(1, game.size):
        bite = plan.threat[j] * max(0.0, 1 - x[j] / plan.demand[j]) * chosen[j]
        spent -= game.execution_saving * bite * gdp[j] / gdp[0]
        forces += (1 - bite) * g[j] ** rho
    security = (g[0] ** rho + (game.return_spillin * trust**game.cohesion) ** rho * forces) ** (
        1 / rho
    )
    used = math.log(1 - spent) if game.consumption == "log" else 1 - spent
    return used + game.by_member("security_weight")[0] * math.log(security)


@pytest.mark.parametrize("consumption", ["log", "linear"])
@pytest.mark.parametrize("rho", [1.0, 0.3, 0.7, -1.0])
def test_executions_against_all_sets(consumption: str, rho: float) -> None:
    rng = np.random.default_rng(int(10 * abs(rho)))
    mixed = 0
    for _ in range(8):
        game, plan, x = random_stakes(rng, consumption=consumption, substitution=rho, cohesion=0.5)
        stakes = stakes_at(game, plan, x, 0.9)
        chosen = execute(stakes)
        worth = stakes.worth(chosen)
        sets = np.array(list(itertools.product([False, True], repeat=game.size - 1)))
        sets = np.concatenate([np.ones((len(sets), 1), dtype=bool), sets], axis=1)
        for row, burdens in enumerate(x):
            values = [by_hand(game, plan, burdens, one, 0.9) for one in sets]
            nothing = by_hand(game, plan, burdens, np.zeros(game.size), 0.9)
            assert worth[row] == pytest.approx(max(values) - nothing, abs=1e-13)
            mixed += 0 < chosen[row, 1:].sum() < game.size - 1
        assert rho < 0 or chosen[:, 0].all()
    assert mixed > 0 or rho < 0


def test_hard_choices_are_branched_on() -> None:
    """Strong curvature in both sums: marginal rules settle little, and the answer is still the best."""
    rng = np.random.default_rng(3)
    for _ in range(40):
        game, plan, x = random_stakes(rng)
        base = stakes_at(game, plan, x[:1], 1.0)
        n = game.size
        hard = dataclasses.replace(
            base, saved=np.r_[0, rng.uniform(0.1, 2, n - 1)][None],
            lost=np.r_[0, rng.uniform(0.1, 1, n - 1)][None], bite=np.ones((1, n)),
            left=np.array([0.5]), strength=np.array([1.2 * n]), returned=np.ones(1), theta=1.5,
            rho=1.0, log=True,
        )  # fmt: skip
        got = float(hard.worth(execute(hard))[0])
        sets = np.array(list(itertools.product([0, 1], repeat=n)))
        many = dataclasses.replace(
            hard, **{k: np.repeat(getattr(hard, k), len(sets), axis=0) for k in CASES}
        )
        assert got == pytest.approx(many.worth(sets.astype(bool)).max(), abs=1e-13)


def test_what_is_saved_decides() -> None:
    """With nothing saved nobody is abandoned; ties (nothing to lose, nothing saved) are carried out."""
    game = ag.load_model("three-allies")
    plan = ag.Plan(threat=0.5, burden=0.034)
    x = np.full((1, 4), 0.02)
    assert execute(stakes_at(game, plan, x, 1.0))[0].tolist() == [True, False, False, False]
    careless = game.replace(return_spillin=0.0)
    assert execute(stakes_at(careless, plan, x, 1.0))[0].all()
    assert execute(stakes_at(game.replace(execution_saving=1.0), plan, x, 1.0))[0].all()


def test_no_threat_is_credible_where_nothing_is_saved() -> None:
    game = ag.load_model("three-allies")
    plan = ag.Plan(threat=0.6, burden=0.034)
    found = ag.credible_targets(game, plan)
    assert found.targets == ()
    assert "no threat is credible" in found.headline()
    assert set(found.to_frame()["status"]) == {"not credible"}
    assert (found.to_frame()["gain"] < 0).all()
    # Trust is lost all the same: allies answer as if they believed nothing.
    deaf = ag.respond(game.replace(credibility=0.0), plan)
    assert found.equilibrium.burdens == pytest.approx(deaf.burdens, abs=1e-12)
    assert found.equilibrium.leader_payoff == pytest.approx(deaf.leader_payoff, abs=1e-12)


def ally_payoff(game: Any, plan: Any, x: Any, i: int, own: float, trust: Any) -> float:
    """An ally's payoff at a burden, with whom the leader would then abandon, by hand (rho = m = 1)."""
    x = np.array(x)
    x[i] = own
    sets = itertools.product([1, 0], repeat=game.size - 1)
    free = dataclasses.replace(plan, threat=plan.threat_by_member(game.members),
                               demand=plan.demand_by_member(game.members))  # fmt: skip
    best = max(sets, key=lambda a: by_hand(game, free, x, (1, *a), trust[0]))
    gdp = game.by_member("gdp")
    g = gdp * x
    spillin, umbrella = game.congested
    fear = free.threat[i] * max(0.0, 1 - own / free.demand[i]) * best[i - 1]
    security = g[i] + spillin[i] * (g[1:].sum() - g[i])
    security += umbrella[i] * trust[i] * (1 - fear) * g[0]
    pull = g * np.r_[trust[0], np.ones(game.size - 1)]
    return (
        math.log(1 - own)
        + game.by_member("security_weight")[i] * math.log(security)
        + game.by_member("influence_weight")[i] * math.log(pull[i] / pull.sum())
        + game.by_member("private_weight")[i] * math.log(own)
    )


@pytest.mark.parametrize(("saving", "threat"), [(0.005, 0.3), (0.05, 0.3), (0.05, 1.0), (0.2, 0.7)])
def test_equilibria_by_hand(saving: float, threat: float) -> None:
    game = ag.load_model("three-allies").replace(execution_saving=saving)
    plan = ag.Plan(threat=threat, burden=0.034)
    found = ag.credible_targets(game, plan)
    assert len(found.equilibria) == 1
    assert found.complete
    one = found.equilibrium
    assert one.certificate.verdict == "certified"
    assert one.certificate.unique == "proven"
    for i in range(1, game.size):
        here = ally_payoff(game, plan, one.burdens, i, one.burdens[i], one.operating_trust)
        assert one.payoffs[i] == pytest.approx(here, abs=1e-11)
        lattice = np.r_[np.linspace(1e-4, 0.08, 160), one.burdens[i] + np.linspace(-1e-3, 1e-3, 21)]
        tried = [ally_payoff(game, plan, one.burdens, i, v, one.operating_trust) for v in lattice]
        assert max(tried) <= here + 1e-9
    assert (found.targets == ()) == (saving < 0.01)
    again = result_from_dict(json.loads(found.to_json()))
    assert again.to_json() == found.to_json()


def test_there_may_be_no_equilibrium() -> None:
    """Executed, an ally spends so much that it is spared; spared, so little that it is not."""
    game = ag.load_model("three-allies").replace(execution_saving=0.02)
    found = ag.credible_targets(game, ag.Plan(threat=1.0, burden=0.034))
    assert found.equilibria == ()
    assert found.equilibrium is None
    assert "no equilibrium" in found.headline()
    assert found.to_frame().empty


def test_the_leader_s_best_credible_plan() -> None:
    game = ag.load_model("three-allies")
    found = ag.solve_stackelberg(game, credible=True)
    quiet = ag.solve_stackelberg(game, ("burden",))
    assert not found.plan.pressure
    assert found.leader_payoff == pytest.approx(quiet.leader_payoff, abs=1e-8)
    assert found.cost == pytest.approx(
        ag.solve_stackelberg(game).leader_payoff - quiet.leader_payoff, abs=1e-8
    )
    assert found.headline().startswith("no threat is credible")
    again = result_from_dict(json.loads(found.to_json()))
    assert again.to_json() == found.to_json()
    saving = game.replace(execution_saving=0.05)
    found = ag.solve_stackelberg(saving, ("threat",), burden=0.034, credible=True)
    assert found.targets
    values = [
        one.leader_payoff
        for t in np.linspace(0, 1, 21)
        for one in ag.credible_targets(saving, ag.Plan(threat=float(t), burden=0.034)).equilibria
    ]
    assert max(values) - 1e-12 <= found.leader_payoff <= max(values) + 1e-4


def test_a_continuum_is_not_called_unique() -> None:
    """Two allies may split their total in any way: linear, nothing but security, alike in it."""
    game = ag.BurdenSharingGame(
        ["L", "A", "B"], "L", [4, 2, 1], [0.3, 0.1, 0.2], consumption="linear", burden_max=10.0
    )
    found = ag.credible_targets(game, ag.Plan(threat=0.5, burden=0.01))
    assert all(one.certificate.unique != "proven" for one in found.equilibria)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((5, ag.Plan(burden=0.03)), "needs a game"),
        (("G", 5), "plan must be a Plan"),
        (("G", None), "plan must be a Plan"),
        (("G", ag.Plan(threat=0.5, burden=0.5)), "burden of the plan must be in"),
    ],
    ids=str,
)
def test_bad_calls(arguments: tuple[Any, ...], words: str) -> None:
    game = ag.load_model("three-allies")
    given = [game if one == "G" else one for one in arguments]
    with pytest.raises(InvalidValueError, match=re.escape(words)):
        ag.credible_targets(*given)


def test_what_stays_refused() -> None:
    game = ag.load_model("three-allies")
    with pytest.raises(InvalidValueError, match="execution_saving must be >= 0"):
        game.replace(execution_saving=-1)
    with pytest.raises(UnsupportedFormError, match="best for the leader"):
        ag.solve_stackelberg(game, credible=True, selection="pessimistic")
    with pytest.raises(UnsupportedFormError, match="credible=True is not written for shortfall"):
        ag.solve_stackelberg(game.replace(shortfall="trigger"), credible=True)
    with pytest.raises(
        UnsupportedFormError, match="credible_targets is not written for technology"
    ):
        ag.credible_targets(game.replace(technology="best-shot"), ag.Plan(burden=0.03))
    many = ag.load_model("nato-2024").replace(shortfall="trigger", execution_saving=0.01)
    with pytest.raises(UnsupportedFormError, match="at most 7 allies under pressure here; got 30"):
        ag.credible_targets(many, ag.Plan(threat=0.5, burden=0.034))


# --- The leader's burden played with the allies' ---------------------------------------------------


def regrets_on_a_grid(saving: float, threat: float, low: float, high: float) -> Any:
    """A leader and one ally, rho = m = 1, by hand: burdens, and the larger gain at each pair of them."""
    x = np.linspace(low, high, 701)
    own, ally = x[:, None], x[None]
    demand, leader, small = 0.05, 10.0, 4.0
    q = threat * np.maximum(0.0, 1 - ally / demand)

    def leads(gone: Any) -> Any:
        used = own - saving * gone * small / leader
        safe = leader * own + 0.8 * small * ally * (1 - gone)
        share = np.log(leader * own / (leader * own + small * ally))
        return np.log(1 - used) + 0.04 * np.log(safe) + 0.005 * share

    kept, left = leads(0.0 * q), leads(q)
    executed = left >= kept
    spread = small / (leader + small)
    safe = small * ally + 0.7 * spread * (1 - q * executed) * leader * own
    pays = np.log(1 - ally) + 0.03 * np.log(safe) + 0.003 * np.log(ally)
    pays = pays + 0.004 * np.log(small * ally / (leader * own + small * ally))
    best = np.maximum(kept, left)
    return x, np.maximum(best.max(axis=0)[None] - best, pays.max(axis=1)[:, None] - pays)


@pytest.mark.parametrize("saving", [0.0, 0.005, 0.008, 0.012, 0.016, 0.02, 0.03, 0.06])
@pytest.mark.parametrize("threat", [0.4, 1.0])
def test_simultaneous_equilibria_against_a_dense_grid(saving: float, threat: float) -> None:
    """Whatever is (nearly) an equilibrium on the grid is found, and nothing else is."""
    game = ag.BurdenSharingGame(
        ["L", "A"], "L", [10.0, 4.0], [0.04, 0.03], influence_weight=[0.005, 0.004],
        private_weight=[0.0, 0.003], return_spillin=0.8, umbrella=0.7, congestion=1.0,
        execution_saving=saving,
    )  # fmt: skip
    found = ag.credible_targets(game, ag.Plan(threat=threat))
    assert found.complete
    x, regret = regrets_on_a_grid(saving, threat, 0.004, 0.06)
    near = np.argwhere(regret <= 2e-7)
    points = [np.array(one.burdens) for one in found.equilibria]
    for one in found.equilibria:
        assert one.concept == "credible nash"
        assert one.certificate.verdict == "certified"
        k = [int(np.abs(x - value).argmin()) for value in one.burdens]
        assert regret[k[0], k[1]] <= 2e-7
    for k in near:
        assert min(np.abs(points_of - x[k]).max() for points_of in points) < 1e-3
    assert len(near) > 0 or not points


def test_a_leader_who_plays_knows_what_it_will_do() -> None:
    """Against the payoff by hand: nobody gains, the leader included; and its best threat."""
    game = ag.load_model("three-allies").replace(execution_saving=0.05)
    plan = ag.Plan(threat=0.7)
    one = ag.credible_targets(game, plan).equilibrium
    assert one is not None
    hand = CredibleHand(game, plan)
    assert one.payoffs == pytest.approx(hand.payoffs(list(one.burdens)), abs=1e-13)
    assert max(hand.gains(list(one.burdens), points=60)) < 1e-11
    found = ag.solve_stackelberg(game, ("threat",), credible=True)
    assert found.plan.burden is None
    values = [
        one.leader_payoff
        for t in np.linspace(0, 1, 11)
        for one in ag.credible_targets(game, ag.Plan(threat=float(t))).equilibria
    ]
    assert max(values) - 1e-9 <= found.leader_payoff <= max(values) + 1e-4


# --- By ally, for national interest, and in other forms --------------------------------------------


def test_the_best_plan_by_ally() -> None:
    game = ag.load_model("three-allies").replace(execution_saving=0.01)
    found = ag.solve_stackelberg(game, ("threat",), burden=0.034, credible=True, targeted=True)
    assert found.aimed is not None
    assert found.gain_over_uniform >= 0
    uniform = ag.solve_stackelberg(game, ("threat",), burden=0.034, credible=True)
    assert found.aimed.uniform == pytest.approx(uniform.leader_payoff, abs=1e-9)
    assert found.certificate.verdict == "certified"
    hand = CredibleHand(game, found.plan)
    assert found.leader_payoff == pytest.approx(
        hand.payoffs(list(found.response.burdens))[0], abs=1e-13
    )
    assert max(hand.gains(list(found.response.burdens), points=60)) < 1e-9
    # On a coarse lattice over everybody's threat nothing is better.
    for threats in itertools.product([0.0, 0.02, 0.4, 1.0], repeat=3):
        aimed = ag.Plan(threat=dict(zip(game.members[1:], threats, strict=True)), burden=0.034)
        for one in answers(game, aimed).value:
            assert one <= found.leader_payoff + 1e-9
    again = result_from_dict(json.loads(found.to_json()))
    assert again.to_json() == found.to_json()
    assert again.gain_over_uniform == found.gain_over_uniform


def test_national_interest_is_that_of_what_is_left() -> None:
    """Executed forces count for nothing in savings; what executions save is not in W at all."""
    game = ag.load_model("three-allies").replace(execution_saving=0.05)
    found = ag.solve_stackelberg(
        game, ("threat",), burden=0.034, credible=True, objective="national_interest",
        interest_weight=0.2,
    )  # fmt: skip
    at = found.response
    forces = np.array(game.by_member("gdp") * at.burdens)
    hand = CredibleHand(game, found.plan)
    gone = hand.decided(list(at.burdens))
    left = [forces[i] * (1 - gone[i] * hand.lost(i, list(at.burdens))) for i in range(1, 4)]
    saved = 1 - forces[0] / (forces[0] + 0.5 * sum(left))
    share = hand.influence(0, list(at.burdens))
    assert found.objective_value == pytest.approx(share**0.2 * saved**0.8, rel=1e-12)
    assert found.cost == found.commitment.objective_value - found.objective_value
    assert found.interest == found.commitment.interest
    assert result_from_dict(json.loads(found.to_json())).to_json() == found.to_json()
    assert "of national interest" in found.headline()


@pytest.mark.parametrize(
    ("forms", "saving"),
    [
        ({"trade_exposure": 0.05, "deadweight": 0.3}, 0.03),
        ({"shortfall": "trigger"}, 0.02),
        ({"shortfall": "trigger", "trade_exposure": 0.02}, 0.012),
        pytest.param({"influence": "hub", "rival_pull": 20.0}, 0.05, marks=pytest.mark.long),
        pytest.param({"shortfall": "logistic", "width": 0.01}, 0.05, marks=pytest.mark.long),
    ],
)
def test_other_forms_by_hand(forms: dict[str, Any], saving: float) -> None:
    game = ag.load_model("three-allies").replace(execution_saving=saving, **forms)
    tariff = 0.1 if "trade_exposure" in forms else 0.0
    found = 0
    for plan in (
        ag.Plan(threat=t, demand=d, tariff=tariff, burden=own)
        for t, d in ((0.3, 0.05), (1.0, 0.03))
        for own in (0.034, None)
    ):
        hand = CredibleHand(game, plan)
        for one in ag.credible_targets(game, plan).equilibria:
            found += 1
            assert one.certificate.verdict == "certified"
            x = list(one.burdens)
            assert one.payoffs == pytest.approx(hand.payoffs(x), abs=1e-12)
            assert max(hand.gains(x, points=40)) < 1e-9
            gone = hand.decided(x)
            assert one.securities[0] == pytest.approx(forces_left(hand, x, gone), rel=1e-12)
    assert found


def forces_left(hand: CredibleHand, x: list[float], gone: tuple[bool, ...]) -> float:
    """The leader's security without what it has abandoned, rho = 1."""
    left = sum(hand.contribution(j, x) * (1 - gone[j] * hand.lost(j, x)) for j in hand.allies)
    worth = hand.return_spillin * hand.mean_trust**hand.cohesion
    return float(hand.contribution(0, x) + worth * left)


def test_the_checker_knows_that_it_has_no_rules_for_this() -> None:
    """The numbers are not those of the plan if every threat were believed: not checkable, not refused."""
    pytest.importorskip("flint")
    game = ag.load_model("three-allies").replace(execution_saving=0.05)
    one = ag.credible_targets(game, ag.Plan(threat=1.0, burden=0.034)).equilibrium
    saved = json.loads(one.to_json(certificate=True))
    assert ag.verify(saved).status == "not checkable"
    believed = ag.respond(game, one.plan)
    claimed = json.loads(believed.to_json(certificate=True))
    assert ag.verify({**claimed, "concept": "credible response"}).status == "refused"
    assert ag.verify({**claimed, "concept": "credible nash"}).status == "refused"


def test_tariffs_beside_threats_are_always_carried_out() -> None:
    """Where no threat is credible a tariff still moves allies; it can be committed too."""
    game = ag.load_model("three-allies").replace(trade_exposure=0.05)
    plan = ag.Plan(threat=0.5, tariff=0.2, burden=0.034)
    found = ag.credible_targets(game, plan)
    assert found.targets == ()
    # Trust bears threat and tariff; nothing else is left of the threat.
    deaf = ag.respond(game.replace(credibility=0.0), plan)
    assert found.equilibrium.burdens == pytest.approx(deaf.burdens, abs=1e-12)
    assert found.equilibrium.payoffs == pytest.approx(deaf.payoffs, abs=1e-12)
    best = ag.solve_stackelberg(game, ("tariff",), burden=0.034, credible=True)
    assert best.plan.taxed
    assert best.leader_payoff == pytest.approx(best.commitment.leader_payoff, abs=1e-7)


def test_a_switch_right_beside_an_answer_is_seen() -> None:
    """Large would be spared a little above its answer: a needle that a lattice steps over."""
    game = ag.load_model("three-allies").replace(execution_saving=0.01)
    plan = ag.Plan(threat={"Large": 0.012501331718749998}, burden=0.034205031111111)
    believed = ag.respond(game, plan)
    at = Deviating(game, plan, believed.burdens, believed.operating_trust)
    assert at.executed.all()
    proved, scanned = at.proved(), at.scanned()
    assert proved.gain[1] > 1e-5
    assert scanned.gain == pytest.approx(proved.gain, abs=1e-10)
    moved = np.array(believed.burdens)
    moved[1] = proved.reply[1]
    hand = CredibleHand(game, plan)
    assert not hand.decided(list(moved))[1]
    gain = hand.payoff(1, list(moved)) - hand.payoff(1, list(believed.burdens))
    assert gain == pytest.approx(proved.gain[1], abs=1e-10)
    assert all("Large" not in names for names in ag.credible_targets(game, plan).executed)


def test_a_search_in_which_most_plans_have_no_equilibrium_falls_back_to_quiet_ones() -> None:
    """The plans that promise most tempt somebody over a jump; without a threat nobody is tempted."""
    game = ag.load_model("three-allies").replace(execution_saving=0.02)
    found = ag.solve_stackelberg(game, ("threat",), demand=0.2, credible=True)
    assert found.failed > 0
    assert found.leader_payoff >= ag.solve_nash(game).leader_payoff - 1e-12
    assert found.certificate.verdict == "certified"


def test_derivatives_of_believed_threats_are_not_passed_off_as_those_of_credible_ones() -> None:
    """The remedy of the refusal holds: who is spared has no credibility, and allies answer alike."""
    game, plan = (
        ag.load_model("three-allies").replace(execution_saving=0.0),
        ag.Plan(0.3, burden=0.034),
    )
    found = ag.credible_targets(game, plan)
    with pytest.raises(UnsupportedFormError, match="sensitivities is not written for .* credible"):
        ag.sensitivities(found.equilibrium)
    spared = {member: 0.0 for member in game.allies if member not in found.targets}
    alike = ag.solve_nash(game.replace(credibility=spared), plan)
    assert np.allclose(alike.burdens, found.equilibrium.burdens, atol=1e-12)
    rates = ag.sensitivities(alike, "security_weight[Large]").side("left").to_numpy()[:, 0]
    at, h = game.by_member("security_weight")[1], 1e-6
    ends = [
        ag.credible_targets(game.replace(security_weight={"Large": at + step}), plan)
        for step in (-h, h)
    ]
    below, above = (end.equilibrium.burdens for end in ends)
    assert np.allclose(rates, (above - below) / (2 * h), atol=1e-6)
