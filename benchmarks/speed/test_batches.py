"""Throughput of batches: ordered and random scenarios, cold and warm, one thread and one a core."""

from __future__ import annotations

import math

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.solve import aggregative
from alliancegame.study.cells import solve_cells
from alliancegame.study.sweep import sweep
from benchmarks.problems import BURDEN, DEMANDS, FORMS, flagship, plan
from benchmarks.speed.conftest import cores, in_chunks, shuffled

RESPONSES, SEARCHED, STACKELBERG = 800_000, 250_000, 2_000
"""Targets on two cores, a second."""

COUNT = 2**17
"""Scenarios of a throughput."""


def threats(order: str, count: int = COUNT):
    """Threats from 0 to 1, from the smallest or in random order."""
    ordered = np.linspace(0.0, 1.0, count)
    return ordered if order == "ordered" else shuffled(ordered)


def solver(game, order: str, demand: float = DEMANDS[0], count: int = COUNT, **options):
    """Solve a part of the scenarios by the batch layer, certificate included."""
    given = threats(order, count)
    same, own = np.full(count, demand), np.full(count, BURDEN)

    def solve(part: slice):
        return aggregative.solve_plans(game, given[part], same[part], own[part], **options)

    return solve


def threaded(least: float) -> dict[int, float | None]:
    """Threads to measure; the target holds for two cores."""
    return {1: None, 2: least} if cores() >= 2 else {1: None}


@pytest.mark.parametrize("threads", threaded(0))
@pytest.mark.parametrize("start", ["warm", "cold"])
@pytest.mark.parametrize("order", ["ordered", "random"])
@pytest.mark.parametrize("demand", DEMANDS)
def test_responses(clock, demand, order, start, threads):
    solve = solver(flagship(), order, demand, warm=start == "warm")
    info = solve(slice(0, COUNT))
    assert (info.column("status") <= 1).all()
    assert info.column("regret").max() <= 1e-9
    clock(
        "Responses with certificate", f"demand {demand:g}, {order}, {start}, {threads} thread(s)",
        in_chunks(solve, COUNT, threads), count=COUNT, unit="responses", rounds=5,
        least=RESPONSES if threads == 2 else None,
        note=f"{info.column('steps').mean():.2f} Newton steps each", threads=threads, order=order,
        start=start, demand=demand, steps=float(info.column("steps").mean()),
    )  # fmt: skip


@pytest.mark.parametrize("threads", threaded(0))
@pytest.mark.parametrize("order", ["ordered", "random"])
@pytest.mark.parametrize("demand", DEMANDS)
def test_searched(clock, demand, order, threads):
    solve = solver(flagship(), order, demand, search=True)
    clock(
        "Responses with a search of both pieces of every action set",
        f"demand {demand:g}, {order}, {threads} thread(s)",
        in_chunks(solve, COUNT // 2, threads), count=COUNT // 2, unit="responses", rounds=5,
        least=SEARCHED if threads == 2 else None, threads=threads, order=order, demand=demand,
    )  # fmt: skip


@pytest.mark.parametrize("threads", threaded(0))
def test_stackelberg(clock, threads):
    game, count = flagship(), 1024
    decay = np.linspace(0.0, 1.0, count)
    solve_part = lambda part: solve_cells(  # noqa: E731
        game, {"decay": decay[part]}, ag.Plan(demand=DEMANDS[0]), solve="stackelberg"
    )
    assert (solve_part(slice(0, 16)).status <= 1).all()
    import benchmarks.speed.conftest as shared

    chunk = 128
    parts = [slice(k, k + chunk) for k in range(0, count, chunk)]

    def work():
        if threads == 1:
            for part in parts:
                solve_part(part)
        else:
            with shared.ThreadPoolExecutor(threads) as pool:
                list(pool.map(solve_part, parts))

    clock(
        "Global Stackelberg solutions over threat and burden", f"25 x 25 and climb, {threads} thread(s)",
        work, count=count, unit="solutions", rounds=5,
        least=STACKELBERG if threads == 2 else None, threads=threads,
        note="solve_cells: compared with A, certificate at the optimum",
    )  # fmt: skip


@pytest.mark.parametrize("order", ["ordered", "random"])
@pytest.mark.parametrize("form", FORMS)
def test_forms(clock, form, order):
    count = COUNT // 8
    solve = solver(flagship(form), order, count=count)
    found = solve(slice(0, count))
    clock(
        "Responses in other forms, one thread", f"{form}, {order}", in_chunks(solve, count, 1),
        count=count, unit="responses", rounds=5, form=form, order=order,
        steps=float(found.column("steps").mean()),
        safeguarded=float((found.column("status") == 1).mean()),
        note=f"{found.column('steps').mean():.2f} Newton steps, "
        f"{(found.column('status') == 1).mean():.1%} by the safeguard, "
        f"{(found.column('status') > 1).mean():.1%} failed",
    )  # fmt: skip


SCENARIOS = tuple(10**k for k in range(7))


@pytest.mark.parametrize("count", SCENARIOS)
@pytest.mark.parametrize("layer", ["solve_plans", "solve_cells"])
def test_scenarios(clock, quick, layer, count):
    if quick and count > 100_000:
        pytest.skip("a million scenarios are left out with --quick")
    game = flagship()
    if layer == "solve_plans":
        solve = solver(game, "ordered", count=count)
    else:
        given = threats("ordered", count)

        def solve(part):
            return solve_cells(game, {"threat": given[part]}, plan())

    clock(
        "Growth with scenarios, one thread", f"{layer}, {count:,} scenarios", in_chunks(solve, count, 1),
        count=count, unit="responses", rounds=3 if count >= 100_000 else 15,
        iterations=max(1, 100 // count), layer=layer, scenarios=count,
    )  # fmt: skip


BY_CELLS = {
    "respond": (2**18, {}),
    "respond, search": (2**17, {"search": True}),
    "nash": (2**17, {}),
    "compare": (2**16, {}),
    "backfire_threshold": (8, {}),
}


@pytest.mark.parametrize("threads", threaded(0))
@pytest.mark.parametrize("question", BY_CELLS)
def test_cells(clock, question, threads):
    count, options = BY_CELLS[question]
    game, solve_as = flagship(), question.partition(",")[0]
    key = "decay" if solve_as == "backfire_threshold" else "threat"
    given = np.linspace(0.2, 0.6, count) if key == "decay" else threats("ordered", count)
    asked = ag.Plan(
        threat=0.5 if key == "decay" else 0.0,
        demand=DEMANDS[0],
        burden=BURDEN if solve_as == "respond" else None,
    )

    def solve(part):
        return solve_cells(game, {key: given[part]}, asked, solve=solve_as, **options)

    targets = {"respond": RESPONSES, "respond, search": SEARCHED}
    clock(
        "Cells with all main outputs (solve_cells)", f"{question}, {threads} thread(s)",
        in_chunks(solve, count, threads), count=count, unit="cells", rounds=3,
        least=targets.get(question) if threads == 2 else None, threads=threads, question=question,
    )  # fmt: skip


SWEEPS = {
    "respond, three outputs": (2**21, "respond", ("leader_payoff", "regret", "verdict")),
    "respond, main outputs": (2**20, "respond", None),
    "nash": (2**18, "nash", None),
    "compare": (2**17, "compare", None),
    "stackelberg": (2**12, "stackelberg", None),
    "backfire_threshold": (16, "backfire_threshold", None),
}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("question", SWEEPS)
def test_sweep(clock, quick, question, workers):
    count, solve_as, outputs = SWEEPS[question]
    if quick:
        count = max(4, count // 16)
    game = flagship()
    asked = ag.Plan(demand=DEMANDS[0], burden=BURDEN if solve_as == "respond" else None)
    if solve_as in ("stackelberg", "backfire_threshold"):
        over = {"decay": np.linspace(0.2, 0.6, count)}
    else:
        side = 2 ** (int(math.log2(count)) // 2)
        over = {
            "decay": np.linspace(0.0, 1.0, side),
            "threat": np.linspace(0.0, 1.0, count // side),
        }

    def work():
        return sweep(game, over, asked, solve=solve_as, outputs=outputs, workers=workers,
                     progress=False)  # fmt: skip

    targets = {"respond, three outputs": RESPONSES, "stackelberg": STACKELBERG}
    clock(
        "Whole sweeps in memory (sweep)", f"{question}, {workers} process(es)", work, count=count,
        unit="cells", rounds=1, warmup=0, least=targets.get(question) if workers == 2 else None,
        note=f"{count:,} cells, start of processes and labelled result included", question=question,
        workers=workers,
    )  # fmt: skip
