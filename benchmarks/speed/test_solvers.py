"""Every solver from Python, on the flagship: whole calls, warm."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.solve import aggregative
from benchmarks.problems import DEMANDS, FORMS, MODEL, flagship, plan

GROUP = f"Solvers on {MODEL}"


@pytest.mark.parametrize("demand", DEMANDS)
def test_respond(clock, demand):
    game, asked = flagship(), plan(demand)
    answer = ag.respond(game, asked)
    assert answer.certificate.verdict == "certified"
    at_demand = int((np.delete(answer.burdens, game.members.leader_index) == demand).sum())
    clock(
        GROUP, f"respond, demand {demand:g}", partial(ag.respond, game, asked), most=1e-4, rounds=50,
        iterations=20, note=f"certificate included; {at_demand} allies at the demand",
    )  # fmt: skip


@pytest.mark.parametrize("demand", DEMANDS)
def test_engine(clock, demand):
    game, asked = flagship(), plan(demand)
    clock(
        GROUP, f"the engine in it, demand {demand:g}", partial(aggregative.solve_plan, game, asked),
        rounds=50, iterations=20, note="a batch of one: no certificate object, no result",
    )  # fmt: skip


@pytest.mark.parametrize("form", [form for form in FORMS if FORMS[form]])
def test_respond_in_other_forms(clock, form):
    game, asked = flagship(form), plan()
    verdict = ag.respond(game, asked).certificate.verdict
    clock(
        GROUP, f"respond, {form}", partial(ag.respond, game, asked), rounds=15, iterations=5,
        note=f"certificate: {verdict}",
    )  # fmt: skip


def test_solve_nash(clock):
    game = flagship()
    clock(GROUP, "solve_nash", partial(ag.solve_nash, game), rounds=50, iterations=10)


def test_solve_stackelberg(clock):
    game = flagship()
    found = ag.solve_stackelberg(game, ("threat", "burden"))
    clock(
        GROUP, "solve_stackelberg, threat and burden",
        partial(ag.solve_stackelberg, game, ("threat", "burden")),
        most=0.02, rounds=40, note=f"global; leader_gap {found.leader_gap:.0e}",
    )  # fmt: skip


def test_solve_stackelberg_with_demand(clock):
    game = flagship()
    free = ("threat", "demand", "burden")
    clock(
        GROUP, "solve_stackelberg, threat, demand and burden", partial(ag.solve_stackelberg, game, free),
        rounds=3, note="global",
    )  # fmt: skip


def test_certify(clock):
    game, asked = flagship(), plan()
    burdens = ag.respond(game, asked).burdens
    clock(
        GROUP, "certify a given profile", partial(ag.certify, game, burdens, asked), rounds=50,
        iterations=10, note="every member's best deviation",
    )  # fmt: skip


def test_compare(clock):
    game, asked = flagship(), ag.Plan(threat=0.5, demand=0.05)
    clock(GROUP, "compare with A", partial(ag.compare, game, asked), rounds=25, iterations=4)


def test_backfire_threshold(clock):
    game = flagship()
    clock(GROUP, "backfire_threshold", partial(ag.backfire_threshold, game), rounds=7)


def test_frontier(clock):
    game = flagship()
    clock(GROUP, "frontier", partial(ag.frontier, game), rounds=7)


def test_calibrate(clock):
    game = flagship()
    observed = ag.solve_nash(game).burdens
    clock(GROUP, "calibrate", partial(ag.calibrate, game, observed), rounds=25, iterations=4)


@pytest.mark.parametrize("burden", [None, 0.0337])
def test_find_equilibria_with_triggers(clock, burden):
    game = flagship().replace(shortfall="trigger")
    asked = ag.Plan(threat=0.5, demand=0.03, burden=burden)
    found = ag.find_equilibria(game, asked)
    assert found.complete
    who = "simultaneous" if burden is None else "responses"
    clock(
        GROUP, f"find_equilibria, trigger threats, {who}", partial(ag.find_equilibria, game, asked),
        most=1.0, rounds=5, note=f"{len(found)} of 2^30 compliance sets, proven complete",
    )  # fmt: skip
