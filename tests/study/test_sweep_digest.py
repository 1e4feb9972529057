"""A store goes on only with the function that began it: text, and everything it carries, count."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import InvalidValueError, SweepStoreError
from alliancegame.study.sweep import sweep
from alliancegame.study.sweeping.digest import function_digest

LEVEL = 0.1


def with_closure(level):
    return lambda game, cell: game.replace(decay=level)


def with_default(level):
    def derive(game, cell, level=level):
        return game.replace(decay=level)

    return derive


def with_keyword(level):
    def derive(game, cell, *, level=level):
        return game.replace(decay=level)

    return derive


def wear(level, game, cell):
    return game.replace(decay=level)


def with_partial(level):
    return functools.partial(wear, level)


class Wear:
    def __init__(self, level):
        self.level = level

    def __call__(self, game, cell):
        return game.replace(decay=self.level)

    def method(self, game, cell):
        return self(game, cell)


def with_method(level):
    return Wear(level).method


def with_array(level):
    table = {"levels": np.array([0.0, level])}
    return lambda game, cell: game.replace(decay=float(table["levels"][1]))


def nested(level):
    inner = with_closure(level)
    return lambda game, cell: inner(game, cell)


def with_global(game, cell):
    return game.replace(decay=LEVEL)


MAKERS = [
    with_closure, with_default, with_keyword, with_partial, Wear, with_method, with_array, nested,
]  # fmt: skip


@pytest.mark.parametrize("make", MAKERS)
def test_what_a_function_carries_is_part_of_it(make):
    assert function_digest(make(0.1)) == function_digest(make(0.1))
    assert function_digest(make(0.1)) != function_digest(make(0.2))


def test_data_and_functions_of_its_module_are_part_of_it(monkeypatch):
    before = function_digest(with_global)
    assert function_digest(with_global) == before
    monkeypatch.setitem(globals(), "LEVEL", 0.2)
    assert function_digest(with_global) != before


def test_two_functions_in_one_line_are_two():
    one, two = (lambda game, cell: game), (lambda game, cell: game.replace(decay=0.5))
    assert function_digest(one) != function_digest(two)


def test_a_store_of_another_derived_game_is_refused(tmp_path):
    game = ag.load_model("three-allies")
    over, plan = {"growth": [0.0, 1.0]}, ag.Plan(burden=0.03, threat=0.5)
    for make in (with_closure, with_partial):
        store = tmp_path / make.__name__
        first = sweep(game, over, plan, derive=make(0.1), store=store)
        again = sweep(game, over, plan, derive=make(0.1), store=store)
        assert again.leader_payoff.values.tolist() == first.leader_payoff.values.tolist()
        with pytest.raises(SweepStoreError):
            sweep(game, over, plan, derive=make(0.9), store=store)


def test_what_cannot_be_seen_is_refused():
    hidden = (value for value in (1, 2))
    with pytest.raises(InvalidValueError, match=r"hidden.*generator.*cannot be seen"):
        sweep(
            ag.load_model("three-allies"), {"growth": [0.0]}, ag.Plan(burden=0.03),
            derive=lambda game, cell: game.replace(decay=float(next(hidden))),
        )  # fmt: skip
