"""Looking for equilibria where nothing enumerates them: best replies, and a scan of the leader's range.

Both are searches: what they find is certified elsewhere, and what they miss is not known.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from alliancegame.game.parameters import Array
from alliancegame.solve.extremes.problem import Problem
from alliancegame.solve.extremes.weakest import Matching, near
from alliancegame.solve.multiple import same

SEED = 20_240_601
RANDOM = 6
TURNS = 60
POINTS = 201
"""Burdens of the leader scanned."""
ZERO = 1e-12
"""The leader's wish to move, relative to its burden, that counts as none."""


def settled(faced: Problem) -> list[Array]:
    """Profiles at which members replying in turn come to rest, from several starts."""
    if faced.weakest:  # Everybody at once: members who match each other come to rest quickly.
        return list(Matching(faced).rest(np.array(starts(faced)))[0])
    found = []
    for start in starts(faced):
        x, cycle = in_turn(faced, start)
        if cycle is None:
            found.append(x)
    return found


def describe_starts(faced: Problem) -> str:
    """The starts of `settled` in words."""
    return (
        f"best replies in turn from {len(starts(faced))} starts: all low, all at a middling level, "
        f"each player alone high, {RANDOM} at random with a fixed seed"
    )


def starts(faced: Problem) -> list[Array]:
    """All low, all middling, each player alone high, and some at random; low means next to nothing."""
    span = faced.high - faced.low
    made = [faced.low + share * span for share in (1e-3, 0.3)]
    for i in np.flatnonzero(faced.players):
        alone = faced.low + 1e-3 * span
        alone[i] = faced.low[i] + 0.3 * span[i]
        made.append(alone)
    made += list(faced.low + np.random.default_rng(SEED).random((RANDOM, faced.size)) * span)
    return made


def in_turn(faced: Problem, start: Array) -> tuple[Array, Array | None]:
    """(where replies in turn end, the profiles they go round through; None if they come to rest)."""
    x = np.array(start)
    # Whoever starts high comes last: the others get to answer first.
    order = [i for i in np.argsort(start, kind="stable") if faced.players[i]]
    met: dict[bytes, int] = {}
    path: list[Array] = []
    for _ in range(TURNS):
        before = np.array(x)
        for i in order:
            x[i] = faced.replies(x)[0][i]
            path.append(np.array(x))
        if near(x, before, 1e-11):
            return x, None
        mark = x.round(10).tobytes()
        if mark in met:
            cycle = distinct_in_turn(path[met[mark] :])
            return x, cycle if len(cycle) > 2 else None
        met[mark] = len(path)
    return x, None


def distinct_in_turn(path: list[Array]) -> Array:
    """The profiles of a path, each change once."""
    kept = [path[0]]
    for x in path[1:]:
        if not near(x, kept[-1], 1e-9):
            kept.append(x)
    return np.array(kept)


@dataclasses.dataclass(frozen=True, eq=False)
class Scanned:
    """Where the leader's own condition holds along its burden.

    `segments` are pairs of profiles, the ends of a run of burdens at which it holds throughout, or one
    profile twice; `doubtful` says that somewhere the allies' least answer makes the leader want less
    and their greatest makes it want more, so that there may be equilibria between the two, or that an
    answer was not reached.
    """

    segments: list[tuple[Array, Array]]
    doubtful: bool


def leader_scan(faced: Problem) -> Scanned:
    """Equilibria of the weakest link under threat, along the leader's burden.

    At a fixed leader's burden the allies have a least and a greatest answer, L and H (see `weakest`). The
    leader's reply B rises with theirs: an equilibrium at g_l needs B(L) <= g_l <= B(H).
    """
    along = _Along(faced)
    first = along.matching.span(faced.low)[0][faced.lead]
    last = along.matching.span(faced.high)[1][faced.lead]
    grid = first + (last - first) * np.linspace(0.0, 1.0, POINTS) ** 2
    segments: list[tuple[Array, Array]] = []
    wishes, doubtful = [], False
    for greatest in (False, True):
        wish, x, rests = along.wish(grid, greatest)
        wishes.append(wish)
        # The reply rises with the answer, of which what still creeps up (down) is a lower (upper) bound.
        doubtful |= bool((~rests & ((wish >= 0) if greatest else (wish <= 0))).any())
        for k in np.flatnonzero(wish[:-1] * wish[1:] < 0):
            root = _root(along, greatest, grid[k], grid[k + 1])
            at = along.wish(np.array([root]), greatest)[1][0]
            segments.append((at, at))
        segments += along.runs(grid, wish, x, greatest)
    doubtful |= bool(((wishes[0] < 0) & (wishes[1] > 0)).any())
    return Scanned(_apart(segments), doubtful)


def _root(along: _Along, greatest: bool, low: float, high: float) -> float:
    """Where the leader wants neither more nor less, between two burdens at which it does."""

    def wish(burden: float) -> float:
        return float(along.wish(np.array([burden]), greatest)[0][0])

    ends = wish(low), wish(high)
    if ends[0] * ends[1] >= 0:  # A wish that rounding alone made: worked out by itself it is none.
        return low if abs(ends[0]) <= abs(ends[1]) else high
    return float(brentq(wish, low, high, xtol=1e-17, rtol=1e-15))


def _apart(segments: list[tuple[Array, Array]]) -> list[tuple[Array, Array]]:
    """Segments without those that another one repeats."""
    kept: list[tuple[Array, Array]] = []
    for low, high in segments:
        if not any(same(low, a) and same(high, b) for a, b in kept):
            kept.append((low, high))
    return kept


@dataclasses.dataclass(frozen=True, eq=False)
class _Along:
    """The allies' least and greatest answers, and what the leader then wants."""

    faced: Problem

    @property
    def matching(self) -> Matching:
        return Matching(self.faced)

    def wish(self, burdens: Array, greatest: bool) -> tuple[Array, Array, NDArray[np.bool_]]:
        """(the leader's reply minus its burden, the answer, whether that is at rest) at burdens (k,)."""
        faced, lead = self.faced, self.faced.lead
        start = np.tile(faced.high if greatest else faced.low, (len(burdens), 1))
        start[:, lead] = burdens
        x, rests = self.matching.rest(start, np.arange(faced.size) == lead)
        private, own = self.matching.span(x)
        reply = np.maximum(private, np.minimum(own, self.matching.match(x)))[:, lead]
        wish = reply - burdens
        wish[np.abs(wish) <= ZERO * burdens] = 0.0
        return wish, x, rests

    def runs(self, grid: Array, wish: Array, x: Array, greatest: bool) -> list[tuple[Array, Array]]:
        """The ends of every run of burdens at which the leader wants nothing else."""
        still = np.concatenate([[False], wish == 0, [False]])
        starts = np.flatnonzero(still[1:-1] & ~still[:-2])
        ends = np.flatnonzero(still[1:-1] & ~still[2:])
        return [
            (
                self._edge(grid, x, a, a - 1, greatest),
                self._edge(grid, x, b, b + 1, greatest),
            )
            for a, b in zip(starts.tolist(), ends.tolist(), strict=True)
        ]

    def _edge(self, grid: Array, x: Array, inside: int, outside: int, greatest: bool) -> Array:
        """The last profile of a run on the way to a point of the grid that is not in it."""
        at, good = np.array(x[inside]), grid[inside]
        if not 0 <= outside < len(grid):
            return at
        bad = grid[outside]
        for _ in range(13):  # Sixteen parts at once: about 52 halvings.
            points = good + (bad - good) * np.arange(1, 16) / 16
            wish, answer, _ = self.wish(points, greatest)
            holds = int(np.argmax(np.append(wish != 0, True)))
            bad = bad if holds == len(points) else points[holds]
            if holds:
                good, at = points[holds - 1], answer[holds - 1]
        return at
