"""ContinuousGame and AggregativeGame: what they hold, how they travel, what they refuse."""

import json

import numpy as np
import pytest
import sympy as sp

import alliancegame as ag
from alliancegame.errors import (
    AllianceGameError,
    FrozenError,
    InvalidValueError,
    UnknownNameError,
    UnsupportedFormError,
)
from alliancegame.game import expressions as ex
from alliancegame.solve.custom.sums import one_sum
from tests.own_games import OWN

x, y, v, q, total = sp.symbols("x y v q Q")


def duel(**more):
    return ag.ContinuousGame(
        {"1": v * x / (x + y) - x, "2": y / (x + y) - y},
        {"1": (x, 0, 3), "2": (y, 0, 3)},
        {v: 3},
        **more,
    )


@pytest.mark.parametrize("name", OWN)
def test_games_travel(name):
    game = OWN[name].game
    text = json.dumps(game.to_dict())
    back = type(game).from_dict(json.loads(text))
    assert back == game
    assert hash(back) == hash(game)
    assert back.hash == game.hash
    assert "sympy" not in text
    assert ag.latex(game).startswith("\\begin{align}")
    assert repr(game).startswith(f"<{type(game).__name__}")
    assert "<table" in game._repr_html_()


def test_every_operation_travels():
    payoff = (
        sp.Piecewise(
            (sp.exp(x) * sp.log(y + 1), sp.And(x < y, sp.Or(x > 0.1, sp.Not(y > 2)))),
            (sp.Max(x, y, 1) + sp.Min(x, sp.Rational(1, 3)), sp.Ne(x, y)),
            (sp.sqrt(x) ** 3 + sp.Abs(x - y) + sp.sign(x - 1) + sp.pi * sp.E, True),
        )
        + sp.sin(x) * sp.cos(y) * sp.tanh(x)
        - sp.sinh(x) / sp.cosh(y) * sp.atan(x)
        + 2**80
        + 1e-300
    )
    game = ag.ContinuousGame({"1": payoff, "2": y}, {"1": (x, 0, 1), "2": (y, 0, 1)})
    back = ag.ContinuousGame.from_dict(json.loads(json.dumps(game.to_dict())))
    assert back.payoffs == game.payoffs
    assert back == game


def test_changed_copies_and_frozen():
    game = duel()
    other = game.replace(v=4, title="more at stake")
    assert (other.parameters["v"], game.parameters["v"]) == (4.0, 3.0)
    assert other.title == "more at stake"
    assert other != game
    with pytest.raises(FrozenError, match="replace"):
        game.title = "x"
    with pytest.raises(UnknownNameError, match="v"):
        game.replace(w=1)


def test_aggregative_games_written_out():
    game = OWN["Cournot with firms that stay out"].game
    written = game.expanded()
    assert written.players == game.players
    at = dict(zip(written.symbols, (3.0, 2.0, 1.0, 0.5, 0.1), strict=True))
    price = 10 - 6.6
    for player, amount, cost in zip(game.players, at.values(), (1, 2, 3, 6, 8), strict=True):
        assert float(written.payoffs[player].subs(at)) == pytest.approx(amount * (price - cost))
    with pytest.raises(InvalidValueError, match="at most"):
        ag.AggregativeGame(20, (q, 0, 1), -total, {total: q}).expanded()


def test_assumptions_of_the_users_symbols_do_not_matter():
    strong = sp.Symbol("x", positive=True)
    game = ag.ContinuousGame({"1": sp.sqrt(strong) - strong}, {"1": (strong, 0, 1)})
    plain = ag.ContinuousGame({"1": sp.sqrt(x) - x}, {"1": (x, 0, 1)})
    assert game == plain


GOOD = ({"1": x - x**2, "2": -y}, {"1": (x, 0, 1), "2": (y, 0, 1)})
BAD = [
    (lambda: ag.ContinuousGame(5, {}), "payoffs must be a dict"),
    (lambda: ag.ContinuousGame(None, None), "payoffs must be a dict"),
    (lambda: ag.ContinuousGame({}, {}), "payoffs must be a dict"),
    (lambda: ag.ContinuousGame({1: x}, {1: (x, 0, 1)}), "must be text"),
    (lambda: ag.ContinuousGame({"1": x}, {"2": (x, 0, 1)}), "unknown player '2'"),
    (lambda: ag.ContinuousGame({"1": x, "2": x}, {"1": (x, 0, 1)}), "no action for 2"),
    (lambda: ag.ContinuousGame({"1": "x**2"}, {"1": (x, 0, 1)}), "text is never evaluated"),
    (lambda: ag.ContinuousGame({"1": None}, {"1": (x, 0, 1)}), "SymPy expression"),
    (lambda: ag.ContinuousGame({"1": True}, {"1": (x, 0, 1)}), "SymPy expression"),
    (lambda: ag.ContinuousGame({"1": [x]}, {"1": (x, 0, 1)}), "SymPy expression"),
    (lambda: ag.ContinuousGame({"1": x > 0}, {"1": (x, 0, 1)}), "SymPy expression"),
    (lambda: ag.ContinuousGame({"1": float("nan")}, {"1": (x, 0, 1)}), "real and finite"),
    (lambda: ag.ContinuousGame({"1": sp.I * x}, {"1": (x, 0, 1)}), "real and finite"),
    (lambda: ag.ContinuousGame({"1": x + y}, {"1": (x, 0, 1)}), "symbol 'y'"),
    (lambda: ag.ContinuousGame({"1": sp.gamma(x)}, {"1": (x, 0, 1)}), "gamma"),
    (lambda: ag.ContinuousGame({"1": x}, {"1": x}), r"\(symbol, low, high\)"),
    (lambda: ag.ContinuousGame({"1": x}, {"1": (x, 0)}), r"\(symbol, low, high\)"),
    (lambda: ag.ContinuousGame({"1": x}, {"1": (3, 0, 1)}), "SymPy symbol"),
    (lambda: ag.ContinuousGame({"1": x}, {"1": (x, 1, 0)}), "low < high"),
    (lambda: ag.ContinuousGame({"1": x}, {"1": (x, 1, 1)}), "low < high"),
    (lambda: ag.ContinuousGame({"1": x}, {"1": (x, 0, float("inf"))}), "finite"),
    (lambda: ag.ContinuousGame({"1": x}, {"1": (x, "a", 1)}), "must be a number"),
    (lambda: ag.ContinuousGame({"1": x, "2": x}, {"1": (x, 0, 1), "2": (x, 0, 1)}), "twice"),
    (lambda: ag.ContinuousGame({"1": x}, {"1": (x, 0, 1)}, [1]), "parameters must be a dict"),
    (lambda: ag.ContinuousGame({"1": x}, {"1": (x, 0, 1)}, {x: 1}), "used twice"),
    (lambda: ag.ContinuousGame({"1": v * x}, {"1": (x, 0, 1)}, {v: None}), "must be a number"),
    (lambda: ag.ContinuousGame({"1": x}, {"1": (x, 0, 1)}, title=3), "title"),
    (lambda: ag.AggregativeGame(0, (q, 0, 1), q, {total: q}), "players must be"),
    (lambda: ag.AggregativeGame(True, (q, 0, 1), q, {total: q}), "players must be"),
    (lambda: ag.AggregativeGame(["a", "a"], (q, 0, 1), q, {total: q}), "duplicate"),
    (lambda: ag.AggregativeGame(2, q, q, {total: q}), "action must be"),
    (lambda: ag.AggregativeGame(2, (q, 0, [1, 0]), q, {total: q}), "low < high"),
    (lambda: ag.AggregativeGame(2, (q, 0, [1, 1, 1]), q, {total: q}), "bound of q"),
    (lambda: ag.AggregativeGame(2, (q, 0, 1), q, None), "aggregates must be"),
    (lambda: ag.AggregativeGame(2, (q, 0, 1), q, {q: q}), "used twice"),
    (lambda: ag.AggregativeGame(2, (q, 0, 1), q, {total: total}), "symbol 'Q'"),
    (lambda: ag.AggregativeGame(2, (q, 0, 1), q * v, {total: q}), "symbol 'v'"),
    (lambda: ag.AggregativeGame(2, (q, 0, 1), q * v, {total: q}, {v: [1, 2, 3]}), "parameter v"),
    (lambda: ag.certify(duel(), 5), "profile is"),
    (lambda: ag.certify(duel(), [1.0]), "2 numbers"),
    (lambda: ag.certify(duel(), [1.0, 5.0]), r"in \[0, 3\]"),
    (lambda: ag.certify(duel(), {"1": 1}), "no action for 2"),
    (lambda: ag.certify(duel(), {"1": 1, "3": 1}), "unknown player"),
    (lambda: ag.certify(duel(), [1.0, None]), "must be a number"),
    (lambda: ag.certify(duel(), [1.0, 1.0], ag.Plan()), "no plan"),
    (lambda: ag.find_equilibria(duel(), method="pure"), "method"),
    (lambda: ag.solve_stackelberg(duel()), "leader"),
    (lambda: ag.solve_stackelberg(duel(), leader="3"), "unknown player"),
    (lambda: ag.solve_stackelberg(duel(), leader="1", selection="x"), "selection"),
    (lambda: ag.solve_stackelberg(duel(), "threat", leader="1"), "leader="),
    (lambda: ag.action_sensitivities(5), "equilibrium"),
    (lambda: ag.solve_nash(5), "needs a game"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[str(k) for k in range(len(BAD))])
def test_bad_calls(call, message):
    with pytest.raises(AllianceGameError, match=message):
        call()


@pytest.mark.parametrize(
    "tree",
    [
        "x", None, 1.5, [], [[]], ["Symbol"], ["Symbol", 3], ["eval", 1], ["__import__", ["Symbol", "os"]],
        ["Float", "nan"], ["Float", "inf"], ["Rational", "1", "0"], ["Rational", 1, 2], ["Constant", "I"],
        ["Pow", 10, ["Pow", 10, 10]], ["Pow", 10, 100000], ["Piecewise", 3], ["Rational", "9" * 10000, "1"],
        ["Lambda", ["Symbol", "x"], 1],
    ],
    ids=lambda t: str(t)[:24],
)  # fmt: skip
def test_trees_that_are_no_formulas(tree):
    with pytest.raises(InvalidValueError):
        ex.from_tree(tree, "the payoff")


def test_trees_without_end():
    deep = 1
    for _ in range(5000):
        deep = ["Add", deep, ["Symbol", "x"]]
    with pytest.raises(InvalidValueError):
        ex.from_tree(deep, "the payoff")


def test_near_names_are_suggested():
    strength = sp.Symbol("strenght")
    with pytest.raises(UnknownNameError, match="Did you mean 'strength'"):
        ag.ContinuousGame({"1": x * strength}, {"1": (x, 0, 1)}, {"strength": 1})
    with pytest.raises(UnsupportedFormError, match="tanh"):
        ag.ContinuousGame({"1": sp.tan(x)}, {"1": (x, 0, 1)})


def test_no_claim_beyond_the_proof():
    """Kinks, several sums and sums of many values: the theorem on one sum is not cited."""
    s = sp.Symbol("S")
    kinked = ag.AggregativeGame(2, (q, 0, 1), sp.Min(q, 1 - total), {total: q})
    two = ag.AggregativeGame(2, (q, 0, 1), q - q**2 - total * s, {total: q, s: q**2})
    assert one_sum(kinked) is None
    assert one_sum(two) is None
    assert np.isfinite(ag.solve_nash(two).payoffs).all()
