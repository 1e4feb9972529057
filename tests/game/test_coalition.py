"""Coalition games at the door: three ways in, and what is refused."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import CoalitionSizeError, InvalidValueError, UnknownNameError
from alliancegame.game.coalition import CoalitionGame, coalition_sizes, subset_sums
from tests.coalitions import bankruptcy, gloves


def everything(players: Any, worth: Any) -> dict[frozenset[Any], float]:
    return {
        frozenset(s): float(worth(frozenset(s)))
        for r in range(len(players) + 1)
        for s in itertools.combinations(players, r)
    }


def test_three_ways_to_say_the_same() -> None:
    def worth(s: frozenset[str]) -> float:
        return len(s) ** 2 + (3.0 if "b" in s else 0.0)

    listed = ag.CoalitionGame(everything("abc", worth))
    called = ag.CoalitionGame(worth, ["a", "b", "c"])
    table = ag.CoalitionGame(called.values, ["a", "b", "c"])
    assert listed.players == called.players == table.players == ("a", "b", "c")
    for game in (called, table):
        assert game.values.tolist() == listed.values.tolist()
    assert listed({"a", "b"}) == 7.0
    assert listed.grand == 12.0
    assert listed.coalition(listed.mask({"a", "c"})) == {"a", "c"}
    assert listed.to_frame()["value"]["{a, b}"] == 7.0


def test_order_of_players_is_kept() -> None:
    game = CoalitionGame(everything("xyz", len), ["z", "x", "y"])
    assert game.players == ("z", "x", "y")
    assert CoalitionGame(everything([3, 1, 2], len)).players == (1, 2, 3)
    assert CoalitionGame({frozenset({"b", 1}): 1, frozenset({"b"}): 0, frozenset({1}): 0}).size == 2


def test_worths_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        gloves(1, 2).values[1] = 3.0


def test_a_function_that_raises_is_named_with_the_coalition() -> None:
    with pytest.raises(InvalidValueError, match=r"value of \{\}.*ZeroDivisionError") as caught:
        CoalitionGame(lambda s: 1 / 0, ["a", "b"])
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    late = CoalitionGame(lambda s: 1 / (2 - len(s)) if s else 0, ["a", "b"])
    for call in (lambda: late.values, lambda: late({"b", "a"}), lambda: ag.shapley(late)):
        with pytest.raises(InvalidValueError, match=r"value of \{a, b\}.*ZeroDivisionError"):
            call()

    def refuse(s: frozenset[str]) -> float:
        raise CoalitionSizeError("our own")

    with pytest.raises(CoalitionSizeError, match="^our own$"):
        CoalitionGame(refuse, ["a"])


def test_subset_sums_and_sizes() -> None:
    parts = np.array([1.0, 10.0, 100.0])
    assert subset_sums(parts).tolist() == [0, 1, 10, 11, 100, 101, 110, 111]
    assert coalition_sizes(3).tolist() == [0, 1, 1, 2, 1, 2, 2, 3]
    assert coalition_sizes(0).tolist() == [0]


def test_convex_and_superadditive() -> None:
    assert bankruptcy(200, (100, 200, 300)).convex  # Curiel, Maschler and Tijs (1987).
    assert gloves(2, 2).superadditive
    assert not gloves(1, 2).convex
    worse = CoalitionGame([0, 1, 1, 1.5])
    assert not worse.superadditive
    assert not worse.convex


@pytest.mark.parametrize(
    ("value", "players", "message"),
    [
        (
            {frozenset("ab"): 1.0, frozenset("a"): 0.0},
            None,
            "1 of the 3 coalitions of 2 players.*{b}",
        ),
        ({frozenset("a"): math.nan}, None, "value of {a} must be finite"),
        ({frozenset("a"): "much"}, None, "value of {a} must be a number"),
        ({frozenset(): 2.0, frozenset("a"): 1.0}, None, "empty coalition must be worth 0, got 2"),
        ({"ab": 1.0}, None, "a coalition is a frozenset of players, got 'ab'"),
        ({3: 1.0}, None, "a coalition is a frozenset of players, got 3"),
        ({("a", "b"): 1.0, ("b", "a"): 2.0}, None, "{a, b} stands twice"),
        ({}, None, "at least one player"),
        (len, None, "needs players="),
        (len, ["a", "a"], "players has 'a' twice"),
        (len, [], "at least one player"),
        (len, "ab", "list of labels"),
        (lambda s: 1.0, ["a"], "empty coalition must be worth 0, got 1"),
        ([0, 1, 2], None, r"shape \(2\^n,\), one number each, got \(3,\)"),
        ([[0, 1], [1, 2]], None, "shape"),
        ([0.0], None, "shape"),
        ([0, math.inf], ["a"], "value of {a} must be finite, got inf"),
        ([0.5, 1], None, "empty coalition"),
        ([0, 1], ["a", "b"], "2 numbers are for 1 players, got 2"),
        (3.0, None, "shape"),
        (object(), None, "made from a dict by coalition"),
    ],
)
def test_bad_games(value: Any, players: Any, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        CoalitionGame(value, players)


def test_strangers() -> None:
    with pytest.raises(UnknownNameError, match="unknown player 'c' in a coalition"):
        CoalitionGame(everything("abc", len), ["a", "b"])
    with pytest.raises(UnknownNameError, match="unknown player 'leftt'.*Did you mean 'left'"):
        CoalitionGame(len, ["left", "right"])({"leftt"})
    with pytest.raises(InvalidValueError, match="got the text 'l0'"):
        gloves(1, 2)("l0")


def test_too_many_players() -> None:
    with pytest.raises(CoalitionSizeError, match="at most 1000 players, got 1001"):
        CoalitionGame(len, range(1001))
    big = CoalitionGame(len, range(21))
    assert big(range(21)) == 21.0
    with pytest.raises(CoalitionSizeError, match="at most 20 players, got 21"):
        _ = big.values
    with pytest.raises(CoalitionSizeError, match="at most 20 players, got 21"):
        CoalitionGame(np.zeros(2**21))
    with pytest.raises(CoalitionSizeError, match="got 25"):
        CoalitionGame({frozenset(range(25)): 1.0})


def test_a_function_that_fails_says_where() -> None:
    game = CoalitionGame(lambda s: math.nan if len(s) == 2 else 0.0, ["a", "b"])
    with pytest.raises(InvalidValueError, match="value of {a, b} must be finite"):
        _ = game.values
