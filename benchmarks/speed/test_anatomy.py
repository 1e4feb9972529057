"""Where the time of a response goes, phase by phase, and what the processor could do.

Each phase of the engine is called alone, again and again, on the flagship as it stands while it is
solved; the calibration loops measure on the same machine how fast it divides, multiplies and takes
logarithms eight abreast, and how long a cycle is.
"""

from __future__ import annotations

import ast
import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from numba import njit

import alliancegame as ag
from alliancegame.payoff.form import Form
from alliancegame.payoff.kernels import generated_source
from alliancegame.solve import aggregative
from benchmarks.problems import flagship, plan

TIMES = 20_000
"""Calls of a phase in one repetition."""


@dataclasses.dataclass(frozen=True, eq=False)
class Ready:
    """The flagship's arrays, as `solve_batch` has them before it starts Newton."""

    kernels: Any
    n: int
    table: Any
    scalars: Any
    threat: Any
    demand: Any
    stage: Any
    work: Any
    trust: Any
    x: Any
    cells: Any
    totals: tuple[float, float, float]


def ready() -> Ready:
    game, asked = flagship(), plan()
    made = aggregative.tables(game)
    kernels, n, order = made.kernels, game.size, made.order
    lay, press, start = kernels.lay, kernels.press, kernels.start

    @njit
    def prepare(table, scalars, threat, demand, x, trust, stage):
        lay(table, scalars, stage)
        press(table, scalars, threat, demand, False, stage, trust)
        start(stage, x, x.size)

    table = np.ascontiguousarray(made.table[:, order])
    threat = np.ascontiguousarray(asked.threat_by_member(game.members)[order])
    demand = np.ascontiguousarray(asked.demand_by_member(game.members)[order])
    x, trust = np.empty(n), np.empty(n)
    width = kernels.LANES * -(-n // kernels.LANES)
    stage = np.empty((kernels.STAGE_ROWS, width))
    work = np.empty((kernels.PACKED_FROM + kernels.CELL_ROWS, width))
    prepare(table, made.scalars.copy(), threat, demand, x, trust, stage)
    x[:] = ag.respond(game, asked).burdens[order]
    scale = stage[kernels.SCALE, :n]
    Z, G = float(scale[:-1] @ x[:-1]), float(scale[-1] * x[-1])
    C = float(stage[kernels.WEIGHT, :n] @ (scale * x))
    cells = packed(kernels, stage, x)
    return Ready(
        kernels,
        n,
        table,
        made.scalars.copy(),
        threat,
        demand,
        stage,
        work,
        trust,
        x,
        cells,
        (Z, C, G),
    )


def packed(kernels: Any, stage: Any, x: Any) -> Any:
    """The allies as the engine packs them (newton.pack), eight abreast; padding is like the last one."""
    rows = ("SCALE", "THETA", "ALPHA", "PRIVATE", "SPILLIN", "UMBRELLA", "BITE", "DEMAND", "WEIGHT",
            "LOW", "HIGH")  # fmt: skip
    allies = len(x) - 1
    blocks = -(-allies // kernels.LANES)
    at = np.minimum(np.arange(blocks * kernels.LANES), allies - 1)
    cells = np.zeros((blocks, kernels.CELL_ROWS, kernels.LANES))

    def put(name: str, values: Any) -> None:
        cells[:, getattr(kernels, f"P_{name}") // kernels.LANES] = values.reshape(blocks, -1)

    for name in rows:
        put(name, stage[getattr(kernels, name)][at])
    put("KIND", stage[kernels.SINGULAR][at])
    put("BURDEN", x[at])
    put("SAFE", x[at])
    put("BELOW", (x[at] < stage[kernels.DEMAND][at]).astype(float))
    return cells.reshape(-1)


def phases(r: Ready) -> dict[str, Any]:  # noqa: C901
    """A function of the number of calls for every phase; what it does each time is one response's."""
    k, n = r.kernels, r.n
    lay, press, start, member_value = k.lay, k.press, k.start, k.member_value
    ally_sweep, framed, advance, packed_totals = k.ally_sweep, k.framed, k.advance, k.packed_totals
    stage, cells, (Z, C, G) = r.stage, r.cells, r.totals
    blocks = len(cells) // k.CELL

    @njit(error_model="numpy")
    def laying(table, scalars, stage, times):
        for _ in range(times):
            lay(table, scalars, stage)

    @njit(error_model="numpy")
    def pressing(table, scalars, threat, demand, stage, trust, times):
        for _ in range(times):
            press(table, scalars, threat, demand, False, stage, trust)

    @njit(error_model="numpy")
    def starting(stage, x, n, times):
        for _ in range(times):
            start(stage, x, n)

    @njit(error_model="numpy")
    def sweeping(cells, blocks, times):
        for _ in range(times):
            ally_sweep(cells, 0, blocks, Z, C, G, 1.0, 1.0)

    @njit(error_model="numpy")
    def framing(cells, blocks, times):
        edges = 0
        for _ in range(times):
            edges += framed(cells, 0, blocks)
        return edges

    @njit(error_model="numpy")
    def totalling(cells, n, times):
        total = 0.0
        for _ in range(times):
            z, c = packed_totals(cells, 0, blocks, n - 1, 0.0, 0.0, 1.0, 1.0)
            total += z + c
            cells[0] += 1e-300 * total  # Else the compiler would take the loop's body out of it.
        return total

    @njit(error_model="numpy")
    def advancing(cells, blocks, times):
        for _ in range(times):
            advance(cells, 0, blocks, 1e-9, 1e-9, 0.0, 1.0)

    @njit(error_model="numpy")
    def valuing(stage, n, x, times):
        total = 0.0
        for _ in range(times):
            total += member_value(stage, n - 1, n, x, Z + 1e-9 * total, C, G, 0.4, 1.0, 1.0)
        return total

    sweeping(cells, blocks, 1)
    marginals = cells.reshape(blocks, -1, k.LANES)[:, k.P_F // k.LANES].ravel()[: n - 1]
    assert (
        np.abs(marginals).max() < 1e-6
    )  # The profile is the answer: what is timed is the real thing.
    return {
        "lay: parameters into the stage": lambda t: laying(r.table, r.scalars, stage, t),
        "press: trust and the plan": lambda t: pressing(
            r.table, r.scalars, r.threat, r.demand, stage, r.trust, t
        ),
        "start: a first guess": lambda t: starting(stage, r.x.copy(), n, t),
        "step: sweep (conditions and derivatives)": lambda t: sweeping(cells, blocks, t),
        "step: framed (pieces, gains, steps)": lambda t: framing(cells, blocks, t),
        "step: totals (Z and C)": lambda t: totalling(cells, n, t),
        "step: advance (burdens)": lambda t: advancing(cells, blocks, t),
        "the leader's payoff (logarithms)": lambda t: valuing(stage, n, r.x[n - 1], t),
    }  # fmt: skip


PHASES = (
    "lay: parameters into the stage", "press: trust and the plan", "start: a first guess",
    "step: sweep (conditions and derivatives)",
    "step: framed (pieces, gains, steps)", "step: totals (Z and C)", "step: advance (burdens)",
    "the leader's payoff (logarithms)",
)  # fmt: skip


@pytest.fixture(scope="module")
def found_phases():
    return phases(ready())


@pytest.mark.parametrize("phase", PHASES)
def test_phase(clock, found_phases, phase):
    work = found_phases[phase]
    clock(
        "Phases of a response", phase, lambda: work(TIMES), count=TIMES, unit="times", rounds=9,
        phase=phase, members=30, lanes=32,
    )  # fmt: skip


# --- what the processor can do --------------------------------------------------------------------

LENGTH = 256
"""Numbers of a calibration loop: 32 vectors of eight, well within the nearest cache."""


@njit(error_model="numpy")
def dividing(a, times):
    for _ in range(times):
        for i in range(a.size):
            a[i] = 1.0 / a[i]


@njit(error_model="numpy")
def multiplying(a, c, d, times):
    for _ in range(times):
        for i in range(a.size):
            v = a[i]
            v = v * c + d
            v = v * c + d
            v = v * c + d
            v = v * c + d
            v = v * c + d
            v = v * c + d
            v = v * c + d
            v = v * c + d
            a[i] = v


@njit(error_model="numpy")
def copying(a, b, times):
    for _ in range(times):
        for i in range(a.size):
            a[i] = b[i] + a[i]


@njit(error_model="numpy")
def logarithms(a, times):
    total = 0.0
    for _ in range(times):
        for i in range(a.size):
            total += math.log(a[i] + 1e-300 * total)
    return total


@njit(error_model="numpy")
def raising(a, p, times):
    total = 0.0
    for _ in range(times):
        for i in range(a.size):
            total += (a[i] + 1e-300 * total) ** p
    return total


@njit
def chained(x, a, c, times):
    for _ in range(times):
        x = x * a + c
    return x


def _loops() -> dict[str, tuple[Any, int]]:
    """Each loop as a function of the number of passes, and how many operations a pass has."""
    values = np.random.default_rng(3).uniform(0.5, 2.0, LENGTH)
    other = values.copy()
    return {
        "division": (lambda t: dividing(values, t), LENGTH),
        "multiplication or addition": (lambda t: multiplying(values, 0.5, 0.7, t), 16 * LENGTH),
        "load, add, store": (lambda t: copying(values, other, t), LENGTH),
        "logarithm, one after another": (lambda t: logarithms(other, t), LENGTH),
        "power, one after another": (lambda t: raising(other, 0.7, t), LENGTH),
        "cycle": (lambda t: chained(12345, 6364136223846793005, 1442695040888963407, 64 * t), 256),
    }


LOOPS = ("division", "multiplication or addition", "load, add, store",
         "logarithm, one after another", "power, one after another", "cycle")  # fmt: skip


@pytest.mark.parametrize("loop", LOOPS)
def test_calibration(clock, loop):
    """A cycle: a chain of 64-bit multiply (3 cycles) and add (1), as on all current x86 cores."""
    work, operations = _loops()[loop]
    passes = 2_000
    clock(
        "What the processor can do", loop, lambda: work(passes), count=passes * operations,
        unit="operations", rounds=9, loop=loop, **(operation_counts() if loop == "division" else {}),
    )  # fmt: skip


def operation_counts() -> dict[str, Any]:
    """Operations of one ally in one `ally_sweep`, counted in its generated text."""
    module = ast.parse(generated_source(Form("log", "log", True, True)))
    (function,) = (
        node
        for node in module.body
        if isinstance(node, ast.FunctionDef) and node.name == "ally_sweep"
    )
    (loop,) = (n for n in ast.walk(function) if isinstance(n, ast.For) and n.target.id == "j")
    counts = {"divisions": 0, "multiplications_additions": 0, "loads": 0, "stores": 0}
    shared = {"Z", "C", "G", "rho", "m"}
    for statement in loop.body:
        names = {node.id for node in ast.walk(statement.value) if isinstance(node, ast.Name)}
        if names <= shared:  # The same for all members: once for all of them.
            continue
        for node in ast.walk(statement.value):
            if isinstance(node, ast.BinOp):
                if isinstance(node.op, ast.Div):
                    counts["divisions"] += 1
                elif isinstance(node.op, ast.Pow):
                    counts["multiplications_additions"] += 1  # Squares only.
                    assert ast.literal_eval(node.right) == 2
                else:
                    counts["multiplications_additions"] += 1
            counts["loads"] += isinstance(node, ast.Subscript)
        targets = statement.targets
        counts["stores"] += sum(isinstance(t, ast.Subscript) for t in targets)
    # The address arithmetic `P_X + j` is no arithmetic of the member.
    addresses = sum(
        isinstance(node, ast.Subscript) for s in loop.body for node in ast.walk(s.value)
    )
    counts["multiplications_additions"] -= addresses
    return {"sweep_operations": counts}
