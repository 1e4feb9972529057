"""Aggregative games against a slow independent search, against the game written out, and differences."""

import numpy as np
import pytest
import sympy as sp

import alliancegame as ag
from alliancegame.payoff.sums import compiled_sums
from alliancegame.solve.custom import aggregative, sums
from tests.own_games import OWN, cournot, lottery

q, total, square, a, b, c, d = sp.symbols("q Q S a b c d")


def random_game(seed):
    """Log benefits of the sum, warm glow, linear cost and a kink at a demand, drawn at random."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    payoff = a * sp.log(0.1 + total) + b * sp.log(0.05 + q) - c * q - sp.Max(0, d - q) / 3
    values = {
        a: rng.uniform(0.2, 1, n),
        b: rng.uniform(0, 0.3, n),
        c: rng.uniform(0.5, 2, n),
        d: float(rng.uniform(0.05, 0.3)),
    }
    return ag.AggregativeGame(n, (q, 0, 2), payoff, {total: q}, values)


def slow(game, rounds=300):
    """Best replies in turn on a grid that closes in: nothing of the library's but the numbers."""
    p = {name: game.by_player_value(name) for name in game.parameters}
    x = np.full(game.size, 0.3)

    def u(i, v):
        everybody = x.sum() - x[i] + v
        return (
            p["a"][i] * np.log(0.1 + everybody)
            + p["b"][i] * np.log(0.05 + v)
            - p["c"][i] * v
            - np.maximum(0, p["d"][i] - v) / 3
        )

    for _ in range(rounds):
        before = x.copy()
        for i in range(game.size):
            low, high = 0.0, 2.0
            for _ in range(12):
                tried = np.linspace(low, high, 41)
                k = int(np.argmax(u(i, tried)))
                low, high = tried[max(k - 1, 0)], tried[min(k + 1, 40)]
            x[i] = tried[k]
        if np.max(np.abs(x - before)) < 1e-10:
            break
    return x


@pytest.fixture(scope="module")
def solved():
    return [ag.solve_nash(random_game(seed)) for seed in range(4)]


def test_random_games(solved):
    for result in solved:
        assert result.certificate.verdict == "certified"
        assert result.actions == pytest.approx(slow(result.game), abs=1e-6)


def test_bunching_at_the_kink_is_exact(solved):
    """Every marginal payoff jumps by 1/3 at the demand: some stand exactly there."""
    at = [float(x) == result.game.parameters["d"] for result in solved for x in result.actions]
    assert any(at)


def test_the_game_written_out_has_the_same_equilibria():
    game = ag.AggregativeGame(3, (q, 0, 10), q * (10 - total) - c * q, {total: q}, {c: [1, 2, 6]})
    together, apart = ag.solve_nash(game), ag.solve_nash(game.expanded())
    assert together.actions == pytest.approx(apart.actions, abs=1e-10)
    assert together.payoffs == pytest.approx(apart.payoffs, abs=1e-10)
    assert together.certificate.unique == "proven"
    found = ag.find_equilibria(game)
    assert found.complete
    assert len(found) == 1
    lead = ag.solve_stackelberg(game, leader="1")
    # One rival left: 1 is told apart from the game written by hand in `duopoly`.
    assert lead.payoff["1"] >= together.payoff["1"] - 1e-9


def test_many_players():
    rng = np.random.default_rng(4)
    costs = tuple(1 + rng.random(300))
    game = ag.AggregativeGame(300, (q, 0, 1), q / total - c * q, {total: q}, {c: costs})
    result = ag.solve_nash(game)
    assert result.actions == pytest.approx(lottery(costs), abs=1e-9)
    assert result.certificate.verdict == "certified"
    firms = tuple(rng.random(300) * 12)
    market = ag.AggregativeGame(300, (q, 0, 10), q * (10 - total) - c * q, {total: q}, {c: firms})
    x, arrived = aggregative.newton(compiled_sums(market), np.full(300, 0.01))
    assert arrived
    assert x == pytest.approx(cournot(firms), abs=1e-9)


def test_two_sums():
    """Council influence in squares beside a public good: against the written game's own search."""
    payoff = a * sp.log(total) + sp.log(q**2 / square) / 10 - q
    game = ag.AggregativeGame(
        3, (q, 0.001, 1), payoff, {total: q, square: q**2}, {a: [0.1, 0.2, 0.3]}
    )
    result = ag.solve_nash(game)
    assert result.certificate.verdict == "certified"
    other = ag.solve_nash(game.expanded())
    assert result.actions == pytest.approx(other.actions, abs=1e-9)


def test_regrets_of_many_are_those_of_one():
    game = OWN["lottery with inactive players"].game
    wrong = np.array([0.2, 0.1, 0.2, 0.05, 0.1])
    many = sums.regrets(game, wrong)
    written = ag.certify(game.expanded(), wrong)
    assert max(r.bound for r in many) == pytest.approx(written.regret, abs=1e-9)
    for i, r in enumerate(many):
        others = wrong.sum() - wrong[i]
        cost = game.by_player_value("c")[i]
        best = max((max(np.sqrt(others / cost) - others, 0.0), 0.0))
        u = best / (best + others) - cost * best
        assert r.bound == pytest.approx(u - (wrong[i] / wrong.sum() - cost * wrong[i]), abs=1e-9)
        assert r.found <= r.bound


@pytest.mark.parametrize("written", [False, True])
def test_derivatives_against_differences(written):
    payoff = a * sp.log(0.1 + total) + b * sp.log(0.05 + q) - c * q
    values = {"a": [0.6, 0.5, 0.1], "b": 0.1, "c": [1.0, 0.8, 3.0]}
    game = ag.AggregativeGame(3, (q, 0, 2), payoff, {total: q}, values)
    if written:
        x1, x2 = sp.symbols("x1 x2")
        game = ag.ContinuousGame(
            {
                "1": a * sp.log(0.1 + x1 + x2) + b * sp.log(0.05 + x1) - x1,
                "2": a * sp.log(0.1 + x1 + x2) + b * sp.log(0.05 + x2) - c * x2,
            },
            {"1": (x1, 0, 2), "2": (x2, 0, 2)},
            {"a": 0.6, "b": 0.1, "c": 0.9},
        )
    equilibrium = ag.solve_nash(game)
    table = ag.action_sensitivities(equilibrium)
    frame = table.to_frame()
    step = 1e-5

    def moved(name, which, by):
        value = game.parameters[name]
        new = np.array(value, dtype=float)
        new = new + by if which is None else new + by * (np.arange(new.size) == which)
        return ag.solve_nash(game.replace(**{name: float(new) if new.ndim == 0 else new})).actions

    for column in frame.columns[:1] if written else frame.columns[::2]:
        name, _, player = str(column).partition(" of ")
        which = game.players.index(player) if player else None
        slope = (moved(name, which, step) - moved(name, which, -step)) / (2 * step)
        assert frame[column].to_numpy() == pytest.approx(slope, abs=1e-5)


def test_derivatives_travel_and_say_what_is_held(tmp_path):
    game = OWN["Cournot with firms that stay out"].game
    table = ag.action_sensitivities(ag.solve_nash(game))
    assert table.held == (False, False, False, True, True)
    assert not any(table.sided)
    table.to_json(tmp_path / "slopes.json")
    back = ag.load_result(tmp_path / "slopes.json")
    assert back.to_dict() == table.to_dict()
    assert "d q of" in table.headline()


def test_a_continuum_has_no_derivatives():
    """Linear benefits from a sum: only the sum is determined."""
    game = ag.AggregativeGame(2, (q, 0, 1), a * sp.log(total) - q, {total: q}, {a: 0.5})
    held = ag.certify(game, [0.2, 0.3])
    assert held.verdict == "certified"
    profile = ag.ActionProfile(
        game, np.array([0.2, 0.3]), compiled_sums(game).payoffs(np.array([0.2, 0.3])), held
    )
    with pytest.raises(ag.errors.UnsupportedFormError, match="continuum"):
        ag.action_sensitivities(profile)


def test_uniqueness_is_not_claimed_where_there_are_two():
    """Coordination through the sum: u = -(q - T(Q))^2 with T crossing the diagonal three times."""
    target = total / 2 + sp.sin(2 * sp.pi * total) / 8
    game = ag.AggregativeGame(2, (q, 0.05, 0.95), -((q - target) ** 2), {total: q})
    assert sums.one_sum(game) is None
    assert ag.solve_nash(game).certificate.unique != "proven"


def test_the_alliance_model_written_by_hand():
    """Full spill-ins and the council: one public good and shares of it, by either engine."""
    gdp, theta, alpha = (10.0, 3.0, 2.0), (0.05, 0.04, 0.06), (0.02, 0.01, 0.015)
    alliance = ag.BurdenSharingGame(
        ["L", "A", "B"], "L", gdp, theta, influence_weight=alpha, burden_max=0.9
    )
    income = sp.Symbol("Y")
    by_hand = ag.AggregativeGame(
        ["L", "A", "B"],
        (q, 1e-6, [0.9 * y for y in gdp]),
        sp.log(1 - q / income) + a * sp.log(total) + b * sp.log(q / total),
        {total: q},
        {income: gdp, a: theta, b: alpha},
    )
    spending = ag.solve_nash(alliance).spending.to_numpy()
    assert ag.solve_nash(by_hand).actions == pytest.approx(spending, rel=1e-9)
