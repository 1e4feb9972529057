"""What is measured. Each function returns rows; each row is one figure with its target, if it has one."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import alliancegame as ag
from alliancegame.solve import aggregative
from benchmarks.speed.clock import Finished, Timing, each, python, run, summary, timed
from benchmarks.speed.rival import Rival

MODEL = "nato-2024"
BURDEN = 0.0337
PLAN = ag.Plan(threat=0.5, demand=0.05, burden=BURDEN)
SIZES = (1_000, 10_000, 100_000, 1_000_000)
SAME_ACCURACY = 1e-12
"""Regret, in payoff, below which two profiles count as equally accurate."""
HEAVY = ("cvxpy", "matplotlib", "numba", "pandas", "scipy", "sympy", "xarray")


@dataclasses.dataclass(frozen=True)
class Row:
    """One figure. `unit` is "s" (then `best` is the quickest repetition) or "ratio", "slope", "payoff"."""

    item: str
    value: float
    unit: str = "s"
    target: str = ""
    reached: bool | None = None
    best: float | None = None
    repetitions: int = 1
    note: str = ""


def seconds(item: str, timing: Timing, most: float | None = None, note: str = "") -> Row:
    """The row of a timing, which is to stay below `most` seconds."""
    return Row(
        item,
        timing.median,
        target="" if most is None else f"< {_short(most)}",
        reached=None if most is None else timing.median < most,
        best=timing.best,
        repetitions=timing.repetitions,
        note=note,
    )


def _short(value: float) -> str:
    return f"{value * 1e3:g} ms" if value < 1 else f"{value:g} s"


def respond(quick: bool) -> list[Row]:
    """The allies' answer with its certificate, against scipy.optimize.root in the same run."""
    game = ag.load_model(MODEL)
    rows = []
    for demand in (0.05, 0.02):
        plan = PLAN.replace(demand=demand)
        answer = ag.respond(game, plan)
        at_demand = int((np.delete(answer.burdens, game.members.leader_index) == demand).sum())
        where = f"{MODEL}, demand {demand:g}, {at_demand} allies at the demand"
        rival = Rival(game, plan, bunching=at_demand > 0)
        theirs = np.insert(rival.solve(), game.members.leader_index, BURDEN)
        regret = ag.certify(game, theirs, plan).regret
        if max(regret, answer.certificate.regret) > SAME_ACCURACY:
            raise RuntimeError(f"not the same accuracy: {answer.certificate.regret}, {regret}")
        ours, engine, scipy = _alternating(
            partial(ag.respond, game, plan),
            partial(aggregative.solve_plan, game, plan),
            rival.solve,
            rounds=5 if quick else 25,
        )
        rows += [
            seconds(f"respond ({where})", ours, 1e-4, "warm, from Python, with certificate"),
            seconds(f"  the engine in it ({where})", engine, note="no certificate, no result"),
            seconds(
                f"  scipy.optimize.root ({where})",
                scipy,
                note="hybr, exact Jacobian, started at A; no certificate"
                + ("; normal map at the kink" if at_demand else ""),
            ),
            Row(
                f"  scipy over respond ({where})",
                scipy.median / ours.median,
                "ratio",
                repetitions=ours.repetitions,
                note=f"medians of one run; regret of scipy's burdens {regret:.0e}",
            ),
        ]
    return rows


def _alternating(*works: Callable[[], Any], rounds: int) -> list[Timing]:
    """Time several calls in turn, 40 of each a round, so that a busy moment strikes all of them."""
    found: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, times in zip(works, found, strict=True):
            times.extend(each(work, 40))
    return [summary(times) for times in found]


def stackelberg(quick: bool) -> list[Row]:
    """The best plan over the whole plane of threat and own burden."""
    game = ag.load_model(MODEL)
    found = ag.solve_stackelberg(game, ("threat", "burden"))
    timing = timed(lambda: ag.solve_stackelberg(game, ("threat", "burden")), 5 if quick else 40)
    plans = found.search.partition(" plans solved")[0].rpartition(" ")[2]
    return [
        seconds(
            f"global Stackelberg over threat and burden ({MODEL})",
            timing,
            0.02,
            f"warm; {plans} plans solved, leader_gap {found.leader_gap:.0e}",
        )
    ]


def fresh_process(quick: bool) -> list[Row]:
    """Import, and the first solution of a fresh interpreter whose kernels are on disk."""
    repetitions = 3 if quick else 9
    importing = (
        "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
    )
    ours = importing.format("alliancegame")
    python(f"{ours}; import sys; assert not set({HEAVY!r}) & set(sys.modules)")
    imports = summary([float(python(ours).printed) for _ in range(repetitions)])
    numpy = summary([float(python(importing.format("numpy")).printed) for _ in range(repetitions)])
    solve = (
        "import alliancegame as ag; "
        f"ag.respond(ag.load_model({MODEL!r}), ag.Plan(threat=0.5, burden=0.0337))"
    )
    python(solve)
    first = [python(solve) for _ in range(repetitions)]
    return [
        seconds("import alliancegame", imports, 0.25, "fresh interpreter, bytecode on disk"),
        seconds("  for comparison: import numpy", numpy, note="in the same way"),
        whole(
            f"first solution of a process ({MODEL})", first, 2.0, "import, load, calibrate, respond"
        ),
    ]


def report(quick: bool) -> list[Row]:
    """The main job, with kernels on disk and without."""
    program = str(Path(sys.executable).with_name("alliancegame"))
    command = (program, "report", MODEL, "--out", "report")
    run(*command)
    warm = [run(*command) for _ in range(1 if quick else 5)]
    cold = []
    for _ in range(1 if quick else 3):
        with tempfile.TemporaryDirectory() as cache:
            cold.append(run(*command, environment={"ALLIANCEGAME_CACHE_DIR": cache}))
    return [
        whole(f"alliancegame report {MODEL}, warm", warm, 8.0, "kernels on disk"),
        whole(f"alliancegame report {MODEL}, cold", cold, 60.0, "kernels compiled"),
    ]


def whole(item: str, runs: Sequence[Finished], most: float, note: str) -> Row:
    """The row of whole processes, from the start of the interpreter to its end."""
    processor = statistics.median(one.processor for one in runs)
    clock = summary([one.seconds for one in runs])
    return seconds(item, clock, most, f"{note}; {processor:.1f} s of processor")


def members(quick: bool) -> list[Row]:
    """The allies' answer as the alliance grows to a million: random allies, the flagship's forms."""
    rows, times = [], []
    for size in SIZES[: 3 if quick else None]:
        game = _alliance(size)
        answer = ag.respond(game, PLAN)
        assert answer.certificate.verdict == "certified"
        timing = timed(partial(ag.respond, game, PLAN), 3 if size > 100_000 else 9 if quick else 25)
        times.append(timing.median)
        rows.append(
            seconds(
                f"respond with {size:,} allies",
                timing,
                2.0 if size == 1_000_000 else None,
                f"warm, with certificate; regret {answer.certificate.regret:.0e}",
            )
        )
    slope = statistics.linear_regression(
        [math.log(size) for size in SIZES[: len(times)]], [math.log(t) for t in times]
    ).slope
    rows.append(
        Row(
            "  growth of time with allies, log-log slope", slope, "slope", "< 1.1", slope < 1.1,
            note=f"least squares over {SIZES[0]:,} to {SIZES[len(times) - 1]:,} allies",
        )
    )  # fmt: skip
    return rows


def _alliance(size: int) -> ag.BurdenSharingGame:
    """A leader with twice its allies' GDP, and that many allies of random size and threat."""
    random = np.random.default_rng(2024)
    gdp = random.lognormal(6.0, 1.0, size)
    return ag.BurdenSharingGame(
        ["leader", *(f"ally {i}" for i in range(size))],
        "leader",
        gdp=np.r_[2 * gdp.sum(), gdp],
        security_weight=np.r_[0.04, random.uniform(0.02, 0.05, size)],
        influence_weight=0.005,
        private_weight=0.003,
        umbrella=0.7,
        return_spillin=0.5,
        congestion=1.0,
        decay=0.4,
    )


def finite(quick: bool) -> list[Row]:
    """All equilibria of random bimatrix games, against nashpy and (if it is installed) pygambit."""
    rows = []
    games = [_bimatrix(12, seed) for seed in range(5 if quick else 20)]
    found = [ag.find_equilibria(game) for game in games]
    assert all(one.complete and one.degenerate is False for one in found)
    clock = summary([each(partial(ag.find_equilibria, game), 1)[0] for game in games])
    count = statistics.median(len(one) for one in found)
    rows.append(
        seconds("find_equilibria, 12 x 12", clock, 1.0, f"{count:g} equilibria, complete, exact")
    )
    game = _bimatrix(6, 0)
    ours = ag.find_equilibria(game)
    rounds = 3 if quick else 9
    rivals = {
        "nashpy vertex enumeration": partial(ag.find_equilibria, game, method="vertex-enumeration")
    }
    if importlib.util.find_spec("pygambit") is not None:
        rivals["pygambit enummixed, rational"] = partial(_gambit, game)
    mine = timed(partial(ag.find_equilibria, game), rounds)
    rows.append(seconds("find_equilibria, 6 x 6", mine, note=f"{len(ours)} equilibria, exact"))
    for name, work in rivals.items():
        if len(work()) != len(ours):
            raise RuntimeError(f"{name} finds {len(work())} equilibria, not {len(ours)}")
        theirs = timed(work, rounds)
        rows += [
            seconds(f"  {name}, 6 x 6", theirs, note="the same equilibria"),
            Row(f"  {name} over ours", theirs.median / mine.median, "ratio", repetitions=rounds),
        ]
    return rows


def _bimatrix(size: int, seed: int) -> ag.FiniteGame:
    """Integers from so wide a range that ties are rare: nondegenerate, almost always."""
    random = np.random.default_rng(seed)
    return ag.FiniteGame(list(random.integers(-(10**6), 10**6, (2, size, size))))


def _gambit(game: ag.FiniteGame) -> list[Any]:
    """What pygambit (GPL; never needed by the library) makes of the same file."""
    import pygambit

    with tempfile.NamedTemporaryFile("w", suffix=".nfg") as file:
        file.write(game.to_nfg())
        file.flush()
        return list(pygambit.nash.enummixed_solve(pygambit.read_nfg(file.name)).equilibria)


def trust_path(quick: bool) -> list[Row]:
    """Paths of trust over time: see `benchmarks.speed.dynamics`."""
    from benchmarks.speed.dynamics import trust_path as measured

    return measured(quick)


ITEMS = {
    "respond": respond,
    "stackelberg": stackelberg,
    "fresh-process": fresh_process,
    "report": report,
    "members": members,
    "finite": finite,
    "trust-path": trust_path,
}
"""Every item by name, in the order in which they run."""
