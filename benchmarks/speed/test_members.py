"""Growth with the number of members: random alliances with the flagship's forms, 3 to a million."""

from __future__ import annotations

import functools
from functools import partial

import pytest

import alliancegame as ag
from benchmarks.problems import alliance, plan

SIZES = (3, 10, 31, 100, 1_000, 10_000, 100_000, 1_000_000)
MOST = {"respond": SIZES[-1], "solve_nash": SIZES[-1], "certify": 100_000, "compare": 100_000,
        "solve_stackelberg": 1_000, "calibrate": 1_000}  # fmt: skip
"""Largest alliance for each solver: beyond it a call takes longer than a suite should."""


@functools.cache
def game_of(size: int) -> ag.BurdenSharingGame:
    return alliance(size)


def _work(solver: str, size: int):
    game = game_of(size)
    pressed = ag.Plan(threat=0.5, demand=0.05)
    if solver == "respond":
        return partial(ag.respond, game, plan())
    if solver == "solve_nash":
        return partial(ag.solve_nash, game, pressed)
    if solver == "compare":
        return partial(ag.compare, game, pressed)
    if solver == "certify":
        return partial(ag.certify, game, ag.respond(game, plan()).burdens, plan())
    if solver == "calibrate":
        return partial(ag.calibrate, game, ag.solve_nash(game).burdens)
    return partial(ag.solve_stackelberg, game, ("threat", "burden"))


@pytest.mark.parametrize(
    ("solver", "size"), [(s, size) for s, most in MOST.items() for size in SIZES if size <= most]
)
def test_growth(clock, quick, solver, size):
    if quick and size > 100_000:
        pytest.skip("a million allies are left out with --quick")
    clock(
        "Growth with members", f"{solver}, {size:,} allies", _work(solver, size),
        rounds=3 if size >= 100_000 or solver == "solve_stackelberg" else 9 if size >= 1_000 else 25,
        most=2.0 if size == 1_000_000 and solver == "respond" else None,
        solver=solver, size=size,
    )  # fmt: skip
