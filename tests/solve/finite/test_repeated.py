"""Repeated play and learning: textbook discount factors, minmax, folk-theorem sets, dynamics."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame import figures
from alliancegame.errors import AllianceGameError, UnsupportedFormError
from alliancegame.figures.style import rendered
from alliancegame.solve.finite.repeated import convex_hull
from tests.credible_hand import CredibleHand

PD = ag.FiniteGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], strategies=(("c", "d"), ("c", "d")))
PENNIES = ag.FiniteGame([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])


# --- Minmax and discount factors -----------------------------------------------------------------


def test_minmax_by_hand() -> None:
    assert ag.minmax(PD) == pytest.approx({"1": 1, "2": 1})
    assert ag.minmax(PENNIES) == pytest.approx({"1": 0, "2": 0}, abs=1e-12)
    assert ag.minmax(PENNIES, mixed=False) == {"1": 1, "2": 1}
    # Column mixing 1/2 holds the row player down to 0.
    game = ag.FiniteGame([[[-2, 1], [1, -2], [0, 0]], [[2, -2], [-2, 2], [1, 1]]])
    assert ag.minmax(game)["1"] == pytest.approx(0, abs=1e-12)
    three = ag.FiniteGame(list(np.random.default_rng(0).normal(size=(3, 2, 3, 2))))
    slow = {
        p: min(
            max(three.payoffs[i][tuple(np.insert(rest, i, own))] for own in range(three.shape[i]))
            for rest in np.ndindex(*np.delete(three.shape, i))
        )
        for i, p in enumerate(three.players)
    }
    assert ag.minmax(three, mixed=False) == pytest.approx(slow)
    with pytest.raises(AllianceGameError, match="has 3.*mixed=False"):
        ag.minmax(three)


def test_prisoners_dilemma() -> None:
    """Cooperation: (5 - 3) / (5 - 1) = 1/2, by every punishment."""
    for how in ("nash", "pure nash", "minmax", "pure minmax", ("d", "d")):
        found = ag.critical_discount(PD, ("c", "c"), how)
        assert found.critical == pytest.approx(0.5)
    assert "grim trigger" in found.statement
    assert "necessary" in ag.critical_discount(PD, ("c", "c"), "minmax").statement
    assert ag.critical_discount(PD, ("d", "d")).critical == 0
    unfair = ag.critical_discount(PD, ("d", "c"))
    assert math.isinf(unfair.critical)
    assert unfair.binding == "2"
    assert "no discount factor" in unfair.statement


def test_pure_minmax_is_a_bound_for_pure_punishments_only() -> None:
    """A stage equilibrium in mixed strategies punishes harder than any pure strategy here."""
    game = ag.FiniteGame([[[3, 1], [0, 3], [1, 4]], [[0, 1], [5, 4], [4, 0]]])
    assert ag.critical_discount(game, (1, 1), "nash").critical == pytest.approx(5 / 9)
    pure = ag.critical_discount(game, (1, 1), "pure minmax")
    assert math.isinf(pure.critical)
    assert "with pure punishments only" in pure.statement
    finite = ag.critical_discount(PD, ("c", "c"), "pure minmax").statement
    assert "with pure punishments only" in finite
    for words in (pure.statement, finite):
        assert "necessary" not in words
        assert "nothing" not in words
    bound = ag.critical_discount(game, (1, 1), "minmax")
    assert bound.critical <= 5 / 9
    assert "nothing sustains" in bound.statement
    assert "pure" not in bound.statement
    assert "pure" not in ag.critical_discount(PD, ("d", "c"), "minmax").statement


def test_the_one_shot_deviation_principle_by_simulation() -> None:
    """Just above the critical factor nobody gains by a deviation, just below somebody does."""
    random = np.random.default_rng(2)
    for _ in range(20):
        game = ag.FiniteGame(list(random.integers(0, 9, (2, 3, 3))))
        cell = tuple(int(k) for k in random.integers(0, 3, 2))
        found = ag.critical_discount(game, cell)
        if not 0 < found.critical < 1:
            continue
        i = game.index_of(found.binding)
        stay = float(game.payoffs[i][cell])
        deviation = float(game.payoffs[i].max(axis=i)[cell[1 - i]])
        for delta, gains in ((found.critical + 1e-6, False), (found.critical - 1e-6, True)):
            path = (1 - delta) * deviation + delta * float(found.punishment[i])
            assert (path > stay) is gains


def test_lotteries_and_payoffs_as_targets() -> None:
    lottery = {("c", "c"): 0.5, ("d", "d"): 0.5}
    found = ag.critical_discount(PD, lottery)
    assert found.payoff == pytest.approx([2, 2])
    assert found.critical == pytest.approx(2 / (2 + 1))
    by_payoffs = ag.critical_discount(PD, [3.0, 3.0])
    assert by_payoffs.critical == pytest.approx(0.5)
    assert by_payoffs.target[0, 0] == pytest.approx(1)
    even = ag.critical_discount(PD, [2.0, 2.0])
    assert even.target.sum() == pytest.approx(1)
    assert even.payoff == pytest.approx([2, 2])


def slowest_patience(game: ag.FiniteGame, wanted: Any, held: Any) -> float:
    """The least discount factor over every support with one lottery that pays `wanted`, one by one.

    Of cells that are affinely dependent fewer will do (Caratheodory), and fewer need no more.
    """
    cells, least = list(np.ndindex(*game.shape)), math.inf
    for count in range(1, len(cells) + 1):
        for support in itertools.combinations(cells, count):
            columns = np.array([[*(float(u[c]) for u in game.payoffs), 1.0] for c in support]).T
            if np.linalg.matrix_rank(columns) < count:
                continue
            totals = np.array([*wanted, 1.0])
            chances = np.linalg.lstsq(columns, totals, rcond=None)[0]
            if chances.min() < -1e-9 or np.abs(columns @ chances - totals).max() > 1e-9:
                continue
            needs = [0.0]
            for c, chance in zip(support, chances, strict=True):
                for i, u in enumerate(game.payoffs):
                    gain = float(u.max(axis=i)[tuple(np.delete(c, i))] - u[c])
                    if chance > 1e-9 and gain > 0:
                        rent = wanted[i] - held[i]
                        needs.append(gain / (gain + rent) if rent > 1e-12 else math.inf)
            least = min(least, max(needs))
    return least


def test_payoffs_are_paid_by_the_lottery_that_needs_the_least_patience() -> None:
    game = ag.FiniteGame([[[0, 0], [2, 0]], [[2, 5], [4, 0]]])
    found = ag.critical_discount(game, [0.47950031099023116, 2.984075431008371])
    assert found.critical == pytest.approx(0.959407, abs=1e-6)
    assert [float((found.target * u).sum()) for u in game.payoffs] == pytest.approx(found.payoff)
    random = np.random.default_rng(5)
    finite = 0
    for k in range(120):
        shape = [(2, 2), (2, 3), (2, 2, 2)][k % 3]
        game = ag.FiniteGame(list(random.integers(0, 7, (len(shape), *shape))))
        chances = random.dirichlet(np.full(math.prod(shape), 0.4)).reshape(shape)
        wanted = [float((chances * u).sum()) for u in game.payoffs]
        held = list(ag.minmax(game, mixed=False).values())
        found = ag.critical_discount(game, wanted, "pure minmax")
        expected = slowest_patience(game, wanted, held)
        if any(v < p - 1e-9 for v, p in zip(wanted, held, strict=True)):
            expected = math.inf
        assert found.critical == pytest.approx(expected, abs=1e-9)
        assert [float((found.target * u).sum()) for u in game.payoffs] == pytest.approx(wanted)
        assert found.target.min() >= 0
        again = {c: float(found.target[c]) for c in np.ndindex(*shape) if found.target[c]}
        lottery = ag.critical_discount(game, again, "pure minmax")
        assert lottery.critical == pytest.approx(found.critical, abs=1e-6)
        finite += math.isfinite(found.critical)
    assert finite >= 15
    steady = ag.FiniteGame([[[0.3, 0.3], [0.3, 0.3]], [[1, 2], [3, 1]]])
    assert ag.critical_discount(steady, [0.1 + 0.2, 2.0]).payoff == pytest.approx([0.3, 2])
    for wrong in (0.2, 1e300):
        with pytest.raises(AllianceGameError, match="infeasible"):
            ag.critical_discount(steady, [wrong, 2.0])


@pytest.mark.parametrize(
    ("target", "punishment", "words"),
    [
        ([9.0, 9.0], "nash", "infeasible"),
        ([math.nan, 1.0], "nash", "finite"),
        (("c", "x"), "nash", "unknown strategy 'x'"),
        ({("c", "c"): 0.5}, "nash", "add up to 1"),
        ({("c", "c"): -1, ("d", "d"): 2}, "nash", ">= 0"),
        (("c", "c"), "nsh", "Did you mean 'nash'"),
        (("c", "c"), ("c", "c"), "must be an equilibrium"),
    ],
)
def test_refusals(target: Any, punishment: Any, words: str) -> None:
    with pytest.raises(AllianceGameError) as caught:
        ag.critical_discount(PD, target, punishment)
    assert words in str(caught.value)
    with pytest.raises(AllianceGameError, match="no pure nash"):
        ag.critical_discount(PENNIES, (0, 0), "pure nash")


# --- Feasible payoffs ----------------------------------------------------------------------------


def test_feasible_set_of_the_prisoners_dilemma() -> None:
    """Corners (1,1), (5,0), (3,3), (0,5). Above (1,1): the line from (5,0) to (3,3) meets v2 = 1 at
    x = 5 - 2/3, so the part is the quadrangle (1,1), (13/3, 1), (3,3), (1, 13/3)."""
    found = ag.feasible_set(PD)
    assert found.minmax == pytest.approx((1, 1))
    assert {tuple(c) for c in found.corners} == {(1, 1), (5, 0), (3, 3), (0, 5)}
    expected = np.array([[1, 1], [13 / 3, 1], [3, 3], [1, 13 / 3]])
    x, y = expected.T
    area = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    assert found.area == pytest.approx(area)


def test_hulls_against_scipy() -> None:
    from scipy.spatial import ConvexHull

    for seed in range(5):
        points = np.random.default_rng(seed).normal(size=(30, 2))
        hull = ConvexHull(points)
        mine = convex_hull(points)
        assert {tuple(p) for p in mine} == {tuple(p) for p in points[hull.vertices]}
    flat = ag.feasible_set(PENNIES)
    assert flat.corners.shape == (2, 2)
    assert flat.area == 0
    assert flat.rational.tolist() == [[0, 0]] or np.allclose(flat.rational, 0)
    assert len(ag.feasible_set(ag.FiniteGame(np.ones((2, 2, 2)))).corners) == 1


# --- Threats of the alliance's leader --------------------------------------------------------------


def test_honouring_a_threat() -> None:
    """Cost and rent from the payoff written by hand: the leader's security without the abandoned part."""
    game = ag.load_model("three-allies")
    plan = ag.Plan(threat=0.5, demand=0.05)
    found = ag.honour_threat(game, plan)
    a = ag.solve_nash(game)
    lead = game.members.leader_index
    forces = game.by_member("effectiveness") * game.by_member("gdp") * a.burdens
    allies = np.arange(game.size) != lead
    under = ag.solve_nash(game, plan)
    worth = game.return_spillin * float(under.operating_trust[lead]) ** game.cohesion
    kept = 1 - 0.5 * game.by_member("credibility") * np.maximum(0, 1 - a.burdens / 0.05)
    before = forces[lead] + worth * forces[allies].sum()
    after = forces[lead] + worth * (kept * forces)[allies].sum()
    theta = game.by_member("security_weight")[lead]
    assert found.cost == pytest.approx(theta * math.log(before / after), rel=1e-9)
    assert found.rent == pytest.approx(under.leader_payoff - a.leader_payoff, abs=1e-12)
    assert found.discount == pytest.approx(found.cost / (found.cost + found.rent))
    hopeless = ag.honour_threat(game.replace(decay=5.0), plan)
    assert math.isinf(hopeless.discount)
    assert "no patience" in hopeless.statement
    assert ag.honour_threat(game.replace(return_spillin=0.0), plan).cost == 0
    with pytest.raises(AllianceGameError, match="threatens nobody"):
        ag.honour_threat(game, ag.Plan())


def test_honouring_in_other_forms() -> None:
    """A gradual shortfall by the payoff written by hand; triggers and tariffs have other costs."""
    game = ag.load_model("three-allies").replace(shortfall="logistic", execution_saving=0.0)
    plan = ag.Plan(threat=0.5)
    found = ag.honour_threat(game, plan)
    hand, a = CredibleHand(game, plan), ag.solve_nash(game).burdens
    everybody = hand.leads(a, [True] * 4)
    assert found.cost == pytest.approx(hand.leads(a, [False] * 4) - everybody, abs=1e-12)
    assert ag.honour_threat(game.replace(execution_saving=0.01), plan).cost == found.cost
    plain = game.replace(shortfall="proportional", trade_exposure=0.1)
    for refused, asked in (
        (plain.replace(shortfall="trigger"), plan),
        (plain, plan.replace(tariff=0.1)),
    ):
        with pytest.raises(UnsupportedFormError, match="honour_threat is not written for"):
            ag.honour_threat(refused, asked)
    with pytest.raises(AllianceGameError, match="threatens nobody"):
        ag.honour_threat(plain, ag.Plan(tariff=0.1))


# --- Learning ------------------------------------------------------------------------------------


def test_fictitious_play_of_zero_sum_games_converges() -> None:
    """Robinson (1951); and the same seed gives the same path without touching the global generator."""
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one, other = (ag.fictitious_play(PENNIES, 2000, seed=7) for _ in range(2))
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert all((a == b).all() for a, b in zip(one.shares, other.shares, strict=True))
    assert one.certificate.regret < 0.1
    assert len(one.times) == 2000
    assert one.shares[0].sum(axis=1) == pytest.approx(1)


def test_replicator_dynamics() -> None:
    """Free-riding takes over the dilemma; hawks settle at 1/3 of the chicken game's population; the
    logit of a dominant strategy grows by its advantage (closed form where that is constant)."""
    assert ag.replicator(PD).shares[0][-1, 1] > 0.999
    chicken = ag.FiniteGame([[[0, 7], [2, 6]], [[0, 2], [7, 6]]])
    assert ag.replicator(chicken).shares[0][-1, 0] == pytest.approx(1 / 3, abs=1e-4)
    steady = ag.FiniteGame([[[1, 1], [2, 2]], [[1, 2], [1, 2]]])
    path = ag.replicator(steady, [0.5, 0.5], until=5, points=11)
    assert path.shares[0][:, 1] == pytest.approx(1 / (1 + np.exp(-path.times)), abs=1e-5)
    two = ag.replicator(PENNIES, until=5)
    assert len(two.shares) == 2
    assert ag.replicator(PD, populations=2).shares[1][-1, 1] > 0.999
    assert ag.replicator(PD).to_frame().shape == (501, 2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ag.fictitious_play(PD, 0), "rounds must be a whole number, from 1"),
        (lambda: ag.fictitious_play(ag.FiniteGame(np.zeros((3, 2, 2, 2)))), "two players"),
        (lambda: ag.replicator(PENNIES, populations=1), "not symmetric"),
        (lambda: ag.replicator(PD, until=-1), "until must be > 0"),
        (lambda: ag.replicator(PD, [0.5, 0.6]), "add up to 1"),
        (lambda: ag.replicator(PENNIES, [[0.5, 0.5]]), "each of 2 populations"),
    ],
)
def test_learning_refusals(call: Any, words: str) -> None:
    with pytest.raises(AllianceGameError) as caught:
        call()
    assert words in str(caught.value)


def test_pictures_show_what_was_found() -> None:
    path = ag.quantal_response(PD, until=5)
    drawn = figures.quantal(path)
    (left, right) = drawn.axes
    for panel, columns in ((left, (0, 1)), (right, (2, 3))):
        for line, k in zip(panel.lines, columns, strict=True):
            assert (line.get_ydata() == path.probabilities[:, k]).all()
    moved = ag.replicator(PD)
    (panel,) = figures.learning(moved).axes
    assert (panel.lines[1].get_ydata() == moved.shares[0][:, 1]).all()
    found = figures.feasible_set(ag.feasible_set(PD))
    points = [
        line.get_xydata()[0].tolist() for line in found.axes[0].lines if line.get_marker() == "o"
    ]
    assert sorted(points) == [[0, 5], [1, 1], [3, 3], [5, 0]]
    for figure in (drawn, found, figures.learning(ag.fictitious_play(PENNIES, 50))):
        assert len(rendered(figure, "png")) > 5000


def test_results_travel() -> None:
    from alliancegame.solve.result import result_from_dict

    mixed = ag.FiniteGame([[[3, 0], [0, 3], [1, 1]], [[1, 1], [1, 1], [0, 0]]])
    results = [
        ag.critical_discount(PD, ("c", "c")),
        ag.critical_discount(PD, ("d", "c")),
        ag.feasible_set(PD),
        ag.feasible_set(PENNIES),
        ag.fictitious_play(PENNIES, 20),
        ag.replicator(PD, points=5),
        ag.eliminate_dominated(mixed),
        ag.honour_threat(ag.load_model("three-allies"), ag.Plan(threat=0.5)),
    ]
    for result in results:
        again = result_from_dict(json.loads(result.to_json()))
        assert type(again) is type(result)
        assert again.to_json() == result.to_json()
        assert again.headline() == result.headline()
        assert again.to_frame().equals(result.to_frame())
        assert result._repr_html_()


def test_players_without_a_choice_have_a_minmax_too() -> None:
    wide = ag.FiniteGame([[[1, 2, 3]], [[3, 3, 1]]])
    assert list(ag.minmax(wide).values()) == pytest.approx([1, 3])
    assert ag.feasible_set(wide).minmax == pytest.approx([1, 3])
    tall = ag.FiniteGame([[[1], [2]], [[1], [2]]])
    assert list(ag.minmax(tall).values()) == pytest.approx([2, 1])


def test_punishers_whose_choice_does_not_matter() -> None:
    """The second player gets 2 or 3 by its own strategy alone: nobody can hold it below 3."""
    game = ag.FiniteGame([[[0, 1], [2, 1]], [[2, 3], [2, 3]]])
    assert list(ag.minmax(game).values()) == pytest.approx([1, 3])
    assert ag.critical_discount(game, (1, 1), "minmax").critical == 0


@pytest.mark.parametrize("offset", [10**18, -(10**30)])
def test_no_digit_goes_to_an_offset(offset: int) -> None:
    """Payoffs far from 0: discount factors, minmax values and areas are those of the game near 0."""
    near = ag.FiniteGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
    far = ag.FiniteGame(
        [[[int(u) + offset for u in row] for row in M.tolist()] for M in near.payoffs]
    )
    for punishment in ("nash", "pure nash", "minmax", "pure minmax", (1, 1)):
        found = ag.critical_discount(far, (0, 0), punishment)
        assert found.critical == ag.critical_discount(near, (0, 0), punishment).critical == 0.5
    assert ag.minmax(far) == {"1": float(offset + 1), "2": float(offset + 1)}
    assert ag.feasible_set(far).area == pytest.approx(ag.feasible_set(near).area)
    coarse = ag.solve_correlated(far, "fairest", coarse=True)
    assert coarse.certificate.verdict == "certified"
    assert coarse.distribution == pytest.approx(
        ag.solve_correlated(near, "fairest", coarse=True).distribution
    )
    assert ag.quantal_response(far).precisions == pytest.approx(
        ag.quantal_response(near).precisions
    )
