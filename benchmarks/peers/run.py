"""One run of the comparison: every peer, every game, every start."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import statistics
import time
from typing import Any

import numpy as np

import alliancegame as ag
from alliancegame.errors import AllianceGameError
from benchmarks.peers.games import Array, Game
from benchmarks.peers.solvers import PEERS, NotApplicable, Solver

ACCURACY = 1e-9
"""Largest regret, in payoff, of a solution that counts."""

ENOUGH = 20.0
"""Seconds after which no further start of a game is tried on a peer."""


@dataclasses.dataclass(frozen=True)
class Row:
    """A peer on a game: starts tried and solved, median seconds of a solved one, times our seconds."""

    game: str
    peer: str
    tried: int
    solved: int
    seconds: float | None
    ratio: float | None
    worst_regret: float | None
    note: str


def regret(g: Game, found: Array) -> float:
    """The largest gain that any free member had by a deviation, from the library's certificate."""
    bounds = g.game.by_member("burden_min")[g.free], g.game.by_member("burden_max")[g.free]
    if not np.isfinite(found).all() or (found < bounds[0]).any() or (found > bounds[1]).any():
        return float("inf")
    return float(ag.certify(g.game, g.whole(found), g.plan).regret)


def compare(g: Game) -> list[Row]:
    """All peers on one game. The library is called first; its median is what ratios refer to."""
    rows: list[Row] = []
    base: float | None = None
    for name, make in PEERS.items():
        row = _one(g, name, make, base)
        if base is None:
            base = row.seconds
        rows.append(row)
    return rows


def _one(g: Game, name: str, make: Any, base: float | None) -> Row:
    try:
        solve = make(g)
    except NotApplicable as reason:
        return Row(g.name, name, 0, 0, None, None, None, f"skipped: {reason}")
    seconds, worst, tried, why = [], 0.0, 0, ""
    begun = time.perf_counter()
    for start in g.starts():
        if time.perf_counter() - begun > ENOUGH:
            break
        tried += 1
        found, trouble = _attempt(solve, start)
        if found is None:
            why = trouble
            continue
        gain = regret(g, found)
        if gain > ACCURACY:
            why = f"regret {gain:.0e}"
            continue
        worst = max(worst, gain)
        seconds.append(_timed(solve, start))
    median = statistics.median(seconds) if seconds else None
    ratio = median / base if median is not None and base is not None else None
    return Row(g.name, name, tried, len(seconds), median, ratio, worst if seconds else None, why)


def _attempt(solve: Solver, start: Array) -> tuple[Array | None, str]:
    try:
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            return solve(start), ""
    except (RuntimeError, ArithmeticError, ValueError, AllianceGameError) as error:
        return None, str(error).splitlines()[0][:60]


def _timed(solve: Solver, start: Array) -> float:
    """Median seconds of a call that was made before: as often as half a second allows, 25 at most."""
    times: list[float] = []
    while len(times) < 25 and (not times or sum(times) < 0.5):
        begun = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            solve(start)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)
