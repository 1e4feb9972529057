"""Users' own games: the published ones of `tests.own_games`, planted wrong profiles, completeness."""

import json

import numpy as np
import pytest
import sympy as sp

import alliancegame as ag
from alliancegame.errors import ConvergenceError
from tests.own_games import OWN, duopoly, sequential

x, y, z = sp.symbols("x y z")
KNOWN = [name for name in OWN if OWN[name].equilibria]


@pytest.fixture(scope="module")
def solved():
    return {name: ag.solve_nash(OWN[name].game) for name in KNOWN}


@pytest.mark.parametrize("name", KNOWN)
def test_known_answers(name, solved):
    result = solved[name]
    found = [result.actions, *(other.actions for other in result.others)]
    for answer in OWN[name].equilibria:
        assert min(np.max(np.abs(f - np.array(answer))) for f in found) < 1e-8
    assert len(found) == len(OWN[name].equilibria)
    assert result.certificate.verdict == "certified"
    assert result.certificate.regret <= 1e-9


@pytest.mark.parametrize("name", OWN)
def test_known_answers_are_certified_and_wrong_profiles_refused(name):
    problem = OWN[name]
    for answer in problem.equilibria:
        held = ag.certify(problem.game, list(answer))
        assert held.verdict == "certified"
    for wrong in problem.wrong:
        held = ag.certify(problem.game, list(wrong))
        assert held.verdict == "unverified"
        assert held.regret > 1e-7
        assert held.unique == "not proven"


def test_the_win_probability_of_k10(solved):
    one, two = solved["K10"].actions
    assert one / (one + two) == pytest.approx(0.75, abs=1e-12)
    assert solved["K10"].action == {"1": pytest.approx(0.5625), "2": pytest.approx(0.1875)}
    assert solved["K10"].payoff["1"] == pytest.approx(3 * 0.75 - 0.5625)


def test_true_regret_of_a_first_order_point():
    """All three active: the first-order point from which leaving gains 2m/9 - 1/3."""
    problem = OWN["decisive contest with an inactive player"]
    held = ag.certify(problem.game, list(problem.wrong[0]))
    assert held.regret == pytest.approx(2 * 1.6 / 9 - 1 / 3, abs=1e-9)


def test_no_pure_equilibrium_is_an_answer():
    game = OWN["contest beyond existence"].game
    found = ag.find_equilibria(game)
    assert len(found) == 0
    assert found.completeness == "resolution"
    assert "circle" in found.statement
    # The circle is one of best replies: nobody gains by moving on to another reply than the next.
    assert found.cycle is not None
    assert np.max(np.abs(found.cycle[0] - found.cycle[-1])) < 1e-6
    with pytest.raises(ConvergenceError, match="circle"):
        ag.solve_nash(game)
    last = ag.solve_nash(game, throw=False)
    assert last.certificate.verdict == "unverified"
    assert "no pure equilibrium" in last.message


def test_complete_and_proven():
    duel = ag.ContinuousGame(
        {"1": 3 * x / (x + y) - x, "2": y / (x + y) - y}, {"1": (x, 0.01, 3), "2": (y, 0.01, 3)}
    )
    found = ag.find_equilibria(duel)
    assert found.complete
    assert found[0].certificate.unique == "proven"
    assert found[0].actions == pytest.approx([0.5625, 0.1875], abs=1e-12)


def test_every_equilibrium_of_a_cubic():
    """x = y and y = x^3 on [-2, 2]: 0 and 1 and -1, and the corners, where y = 8 is out of reach."""
    game = ag.ContinuousGame(
        {"1": -((x - y) ** 2), "2": -((y - x**3) ** 2)}, {"1": (x, -2, 2), "2": (y, -2, 2)}
    )
    found = ag.find_equilibria(game)
    assert found.complete
    assert sorted(round(p.actions[0], 9) for p in found) == [-2, -1, 0, 1, 2]
    assert {p.certificate.unique for p in found} == {"multiple"}


def test_a_continuum_is_not_called_complete():
    """Two players who only want to meet, anywhere: every u = v is an equilibrium."""
    game = ag.ContinuousGame(
        {"1": -((x - y) ** 2), "2": -((x - y) ** 2)}, {"1": (x, 0, 1), "2": (y, 0, 1)}
    )
    found = ag.find_equilibria(game)
    assert found.completeness == "unknown" or found.completeness == "resolution"
    assert "continuum" in found.statement
    assert {p.certificate.unique for p in found} == {"multiple"}


def test_undefined_is_no_equilibrium():
    held = ag.certify(OWN["K10"].game, [0.0, 0.0])
    assert held.verdict == "unverified"
    assert held.regret == np.inf
    assert "defined" in held.scope


def test_flat_payoffs_do_not_make_one_equilibrium_many():
    """Curvature of 0.01: replies come to rest within 1e-6 of each other, and there is one equilibrium."""
    q, total = sp.symbols("q Q")
    wish = 0.3 + sp.sin(3 * total) / 10
    game = ag.AggregativeGame(2, (q, 0, 1), -((q - wish) ** 2) / 200, {total: q}).expanded()
    found = ag.find_equilibria(game)
    assert len(found) == 1
    assert found.complete
    assert not ag.solve_nash(game).others


def test_zero_origin_is_said_to_be_undecided():
    found = ag.find_equilibria(OWN["K10"].game)
    assert len(found) == 1
    assert found.completeness == "resolution"
    assert "away from the equilibria" in found.statement
    assert found[0].certificate.unique == "not proven"


def test_jumps_and_kinks():
    """A trigger: 0.3 if the action reaches 0.5. The equilibrium stands exactly at the jump."""
    trigger = ag.ContinuousGame(
        {
            "1": sp.Piecewise((0, x < sp.Rational(1, 2)), (0.3, True)) - x**2,
            "2": -sp.Abs(y - x) - sp.Max(0, y - sp.Rational(1, 4)) / 2,
        },
        {"1": (x, 0, 1), "2": (y, 0, 1)},
    )
    result = ag.solve_nash(trigger)
    assert result.actions == pytest.approx([0.5, 0.5], abs=1e-9)
    assert result.certificate.verdict == "certified"
    assert ag.certify(trigger, [0.0, 0.0]).regret == pytest.approx(0.05, abs=1e-9)


def test_a_saddle_and_a_double_well_are_refused():
    well = ag.ContinuousGame(
        {"1": -((x**2 - 1) ** 2) + x / 10 * y, "2": -((y - 1) ** 2)},
        {"1": (x, -2, 2), "2": (y, 0, 2)},
    )
    result = ag.solve_nash(well)
    assert result.actions[0] > 1
    root = min(np.roots([-4, 0, 4, 0.1]).real, key=lambda r: abs(r + 1))
    lower = ag.certify(well, [float(root), 1.0])
    assert lower.verdict == "unverified"
    top = max(np.roots([-4, 0, 4, 0.1]).real)

    def u(v):
        return -((v**2 - 1) ** 2) + v / 10

    assert lower.regret == pytest.approx(u(top) - u(root), abs=1e-8)
    assert ag.certify(well, [0.0, 1.0]).regret > 0.9


def test_several_actions():
    a, b = sp.symbols("a b")
    game = ag.ContinuousGame(
        {"1": -((a - y) ** 2) - (b - 0.3) ** 2 + a * b / 4, "2": -((y - a / 2) ** 2)},
        {"1": [(a, 0, 1), (b, 0, 1)], "2": (y, 0, 1)},
    )
    result = ag.solve_nash(game)
    # y = a/2, 2(a - y) = b/4 so a = b/4, and 2(b - 0.3) = a/4 = b/16.
    at_b = 0.6 / (2 - 1 / 16)
    assert result.action["1"] == pytest.approx([at_b / 4, at_b], abs=1e-9)
    assert result.certificate.verdict == "certified"
    assert "several actions" in result.certificate.scope
    moved = ag.certify(game, {"1": [0.1, 0.2], "2": 0.3})
    best = max(
        -((p - 0.3) ** 2) - (r - 0.3) ** 2 + p * r / 4
        for p in np.linspace(0, 1, 401)
        for r in np.linspace(0, 1, 401)
    )
    now = -((0.1 - 0.3) ** 2) - (0.2 - 0.3) ** 2 + 0.1 * 0.2 / 4
    assert moved.regret == pytest.approx(best - now, abs=1e-5)
    assert moved.worst == "1"


@pytest.mark.parametrize("values", [(2.0, 1.0), (3.0, 1.0)])
def test_sequential_contributions(values):
    game, answer = sequential(values)
    result = ag.solve_stackelberg(game, leader="1")
    assert result.response.actions == pytest.approx(answer, abs=1e-4)
    assert result.certificate.verdict == "certified"
    together = ag.solve_nash(game)
    assert sum(together.actions) == pytest.approx(max(values), abs=1e-9)
    assert sum(answer) <= sum(together.actions) + 1e-9  # Varian's result: never more in sequence.


@pytest.mark.parametrize("followers", [1, 3])
def test_a_leader_and_its_followers(followers):
    game, answer = duopoly(followers)
    result = ag.solve_stackelberg(game, leader="leader")
    assert result.response.actions == pytest.approx(answer, abs=1e-5)
    assert result.optimistic == result.pessimistic
    assert result.leader_payoff == pytest.approx(4.5 * (9 - sum(answer)), abs=1e-8)


def test_optimistic_and_pessimistic():
    """Followers meet at u = v = 0, 1/2 or 1, whatever the leader does: it hopes for 1, or fears 0."""
    lead, u, v = sp.symbols("l u v")
    game = ag.ContinuousGame(
        {"L": u - lead**2 / 4, "A": -((u - v**2 * (3 - 2 * v)) ** 2), "B": -((v - u) ** 2)},
        {"L": (lead, 0, 1), "A": (u, 0, 1), "B": (v, 0, 1)},
    )
    best = ag.solve_stackelberg(game, leader="L")
    worst = ag.solve_stackelberg(game, leader="L", selection="pessimistic")
    assert best.answers == worst.answers == 3
    assert (best.optimistic, best.pessimistic) == pytest.approx((1, 0), abs=1e-6)
    assert best.leader_payoff == pytest.approx(1, abs=1e-6)
    assert worst.leader_payoff == pytest.approx(0, abs=1e-6)
    assert best.certificate.unique == "multiple"


def test_results_travel(tmp_path, solved):
    for name in ("K10", "K1", "decisive contest with an inactive player"):
        result = solved[name]
        file = tmp_path / "result.json"
        result.to_json(file)
        back = ag.load_result(file)
        assert back.to_dict() == result.to_dict()
        assert back.game == result.game
        assert len(back.to_frame()) == result.actions.size
        assert r"\toprule" in back.to_latex()
        assert "certified" in back._repr_html_()
    found = ag.find_equilibria(OWN["contest beyond existence"].game)
    found.to_json(tmp_path / "set.json")
    assert ag.load_result(tmp_path / "set.json").to_dict() == json.loads(found.to_json())
    game, _ = duopoly(1)
    lead = ag.solve_stackelberg(game, leader="leader")
    lead.to_json(tmp_path / "lead.json")
    assert ag.load_result(tmp_path / "lead.json").to_dict() == json.loads(lead.to_json())


def test_a_damaged_result_is_refused(tmp_path, solved):
    data = json.loads(solved["K10"].to_json())
    for change in (
        {"game": {**data["game"], "payoffs": [["__import__", "os"], 1]}},
        {"game": {**data["game"], "type": "other"}},
        {"action": [0.5]},
    ):
        file = tmp_path / "bad.json"
        file.write_text(json.dumps({**data, **change}))
        with pytest.raises(ag.errors.AllianceGameError):
            ag.load_result(file)


def drawn(seed):
    """Two players with random products, cubes, waves and a kink: neither concave nor monotone."""
    rng = np.random.default_rng(seed)

    def payoff(own, other):
        c = [float(v) for v in np.round(rng.normal(size=7), 2)]
        smooth = c[0] * own * other + c[1] * own**2 * other + c[2] * own - abs(c[3]) * own**2
        return (
            smooth
            + c[4] * own**3 / 2
            + c[5] * sp.sin(3 * own * other)
            + c[6] * sp.Max(0, own - 0.4)
        )

    return ag.ContinuousGame(
        {"1": payoff(x, y), "2": payoff(y, x)}, {"1": (x, 0, 1), "2": (y, 0, 1)}
    )


@pytest.mark.parametrize("seed", range(6))
def test_random_games_against_a_dense_grid(seed):
    """No profile of a grid is an equilibrium that was not found, and regrets are true."""
    game = drawn(seed)
    found = ag.find_equilibria(game)
    assert found.completeness == "proven"
    t = np.linspace(0, 1, 501)
    real = sp.symbols("x y", real=True)
    one, two = (sp.lambdify(real, u, "numpy") for u in game.numeric)
    u, v = (np.broadcast_to(f(t[:, None], t[None, :]), (501, 501)) for f in (one, two))
    gain = np.maximum(u.max(axis=0, keepdims=True) - u, v.max(axis=1, keepdims=True) - v)
    for i, j in np.argwhere(gain < 1e-7):
        assert min(np.max(np.abs(p.actions - (t[i], t[j]))) for p in found) < 1e-2
    fine = np.linspace(0, 1, 20_001)
    for a, b in [tuple(p.actions) for p in found] + [(0.3, 0.7), (0.9, 0.1)]:
        best = max(np.max(one(fine, b)) - one(a, b), np.max(two(a, fine)) - two(a, b))
        regret = ag.certify(game, [a, b]).regret
        assert best - 1e-12 <= regret <= best + 1e-4


def test_flat_payoffs_give_one_equilibrium_and_not_several():
    """Around a flat maximum all points are approximate equilibria: they are one, not a multitude."""
    games = [
        ag.ContinuousGame(
            {"1": (x + 0.2) ** 0.7 - 0.9 * x, "2": -((y - 0.3) ** 4) + x / 3},
            {"1": (x, 0, 1), "2": (y, 0, 1)},
        ),
        ag.ContinuousGame(
            {
                "1": -((z - 0.4) ** 2) - (x - y) ** 2 - (y - z) ** 2,
                "2": -((x - sp.Symbol("w")) ** 2),
            },
            {"1": [(x, 0, 1), (y, 0, 1), (z, 0, 1)], "2": (sp.Symbol("w"), 0, 1)},
        ),
    ]
    for game in games:
        found = ag.solve_nash(game)
        assert found.certificate.verdict == "certified"
        assert found.certificate.unique == "not proven"
        assert not found.others


def test_rounding_is_no_circle_of_replies():
    """Replies that come to rest to ten digits, and circle in the eleventh, have come to rest."""
    for seed in range(8):
        draw = np.random.default_rng(seed).uniform(0.2, 1, 6)
        game = ag.ContinuousGame(
            {
                "1": sp.sin(draw[0] * x + y) - draw[1] * x**2 + sp.Min(x, y),
                "2": sp.sin(draw[2] * y + z) - draw[3] * y**2,
                "3": sp.sin(draw[4] * z + x) - draw[5] * z**2,
            },
            {"1": (x, 0, 1), "2": (y, 0, 1), "3": (z, 0, 1)},
        )
        found = ag.solve_nash(game, throw=False)
        if found.cycle is not None:
            assert np.ptp(found.cycle, axis=0).max() > 1e-6
            assert found.certificate.verdict == "unverified"


def test_the_least_of_three_linear_terms():
    """Nested comparisons, which are no numbers."""
    a, b = sp.symbols("a b")
    game = ag.ContinuousGame(
        {"1": sp.Min(x, y, 1 - x) - y / 5, "2": -sp.Abs(a - x) - sp.Abs(b - y) / 2 + a * b / 8},
        {"1": [(x, 0, 1), (y, 0, 1)], "2": [(a, 0, 1), (b, 0, 1)]},
    )
    np.testing.assert_allclose(ag.solve_nash(game).actions, 0.5, atol=1e-9)


def test_a_kink_where_the_payoff_does_not_exist_is_no_error():
    game = ag.ContinuousGame(
        {"1": sp.Max(sp.log(x - 1), 0) + x / 9, "2": -y}, {"1": (x, 0, 2), "2": (y, 0, 1)}
    )
    found = ag.solve_nash(game, throw=False)
    assert found.certificate.verdict == "unverified"
    assert "could not be bounded" in found.certificate.scope
