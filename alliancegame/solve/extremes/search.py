"""Looking for equilibria where nothing enumerates them: best replies, and a scan of the leader's range.

Both are searches: what they find is certified elsewhere, and what they miss is not known.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.parameters import Array
from alliancegame.solve.extremes.crossing import QUARTERS, crossing
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
ROOT = (16.0, 1e-17)
"""Width of a bracket about the leader's choice that is done, in its last place and in absolute terms."""


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
    greatest = np.array([[False], [True]])
    wish, x, rests = along.wish(np.tile(grid, (2, 1)), greatest)
    # The reply rises with the answer, of which what still creeps up (down) is a lower (upper) bound.
    doubtful = bool((~rests & np.where(greatest, wish >= 0, wish <= 0)).any())
    doubtful |= bool(((wish[0] < 0) & (wish[1] > 0)).any())
    which, k = np.nonzero(wish[:, :-1] * wish[:, 1:] < 0)
    roots = along.roots(grid[k], grid[k + 1], wish[which, k] > 0, which == 1)
    pairs = zip(roots, roots, strict=True)
    segments = [*zip(which.tolist(), pairs, strict=True), *along.runs(grid, wish, x)]
    # Of the least answers first.
    segments.sort(key=lambda found: found[0])
    return Scanned(_apart([ends for _, ends in segments]), doubtful)


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

    def wish(
        self, burdens: Array, greatest: NDArray[np.bool_] | bool
    ) -> tuple[Array, Array, NDArray[np.bool_]]:
        """(the leader's reply minus its burden, the answer, whether that is at rest) at burdens (...).

        `greatest` says, for all or one by one, whether it is the allies' greatest answer or their least.
        """
        reply, x, rests = self.reply(burdens, greatest)
        wish = reply - burdens
        return np.where(np.abs(wish) <= ZERO * burdens, 0.0, wish), x, rests

    def reply(
        self, burdens: Array, greatest: NDArray[np.bool_] | bool
    ) -> tuple[Array, Array, NDArray[np.bool_]]:
        """The same with the leader's reply itself."""
        faced, lead = self.faced, self.faced.lead
        start = np.where(np.expand_dims(np.asarray(greatest), -1), faced.high, faced.low)
        start = np.array(np.broadcast_to(start, (*burdens.shape, faced.size)))
        start[..., lead] = burdens
        x, rests = self.matching.rest(start, np.arange(faced.size) == lead)
        return self.matching.reply(x, self.matching.span(x))[..., lead], x, rests

    def roots(
        self, low: Array, high: Array, falls: NDArray[np.bool_], greatest: NDArray[np.bool_]
    ) -> Array:
        """Answers where the leader wants neither more nor less, between burdens at which it does, (k, n).

        A wish that rounding alone made is none, and the burden at which it was seen is the place.
        """
        if not low.size:
            return np.empty((0, self.faced.size))
        sign = np.where(falls, 1.0, -1.0)
        first = low + (high - low) * QUARTERS[:, None]

        def falling(at: Array) -> Array:
            return sign * (self.reply(at, greatest)[0] - at)

        at = crossing(falling, low, high, first, *ROOT)
        # Where the answer jumps, the side on which the leader wants less may be nearly an equilibrium.
        at = at + np.array([-1, 0, 1])[:, None] * ROOT[0] * np.spacing(at)
        reply, x, _ = self.reply(at, greatest)
        return np.asarray(x[np.abs(reply - at).argmin(axis=0), np.arange(at.shape[1])])

    def runs(self, grid: Array, wish: Array, x: Array) -> list[tuple[int, tuple[Array, Array]]]:
        """The ends of every run of burdens at which the leader wants nothing else, and of which answers.

        `wish` and `x` are those of the allies' least answers and of their greatest, (2, k) and (2, k, n).
        """
        edge = np.zeros((2, 1), dtype=bool)
        still = np.concatenate([edge, wish == 0, edge], axis=1)
        starts = np.argwhere(still[:, 1:-1] & ~still[:, :-2])
        ends = np.argwhere(still[:, 1:-1] & ~still[:, 2:])
        step = np.repeat([-1, 1], [len(starts), len(ends)])
        which, inside = np.concatenate([starts, ends]).T
        at = self._edges(grid, x[which, inside], inside, inside + step, which == 1)
        pairs = zip(at[: len(starts)], at[len(starts) :], strict=True)
        return list(zip(starts[:, 0].tolist(), pairs, strict=True))

    def _edges(
        self,
        grid: Array,
        x: Array,
        inside: NDArray[np.int64],
        outside: NDArray[np.int64],
        greatest: NDArray[np.bool_],
    ) -> Array:
        """The last profiles of runs on the way to points of the grid that are not in them, (k, n)."""
        at, good = np.array(x), grid[inside]
        free = (outside >= 0) & (outside < len(grid))
        bad = np.where(free, grid[np.clip(outside, 0, len(grid) - 1)], good)
        for _ in range(13 if free.any() else 0):  # Sixteen parts at once: about 52 halvings.
            points = good + (bad - good) * np.arange(1, 16)[:, None] / 16
            wish, answer, _ = self.wish(points, greatest)
            # The last point up to which the leader wants nothing else, and the first at which it does.
            along = np.concatenate([good[None], points, bad[None]])
            answers = np.concatenate([at[None], answer])
            holds = (np.append(wish != 0, np.full((1, len(at)), True), axis=0)).argmax(axis=0)
            good, bad = (np.take_along_axis(along, k[None], 0)[0] for k in (holds, holds + 1))
            at = answers[holds, np.arange(len(at))]
        return np.asarray(np.where(free[:, None], at, x))
