"""Which boxes of profiles can hold an equilibrium: exclusion and proof of existence, box by box.

Every action has a role: at a bound, at a knot, or free inside one of its pieces, where its marginal
payoff is zero. For each combination of roles the free actions' box is halved until every part is

- excluded, because a marginal payoff has one sign there that its role forbids, or because a deviation
  earns more than anything in the box does; or
- settled: Krawczyk's operator maps a box around it into itself, so that at most one point in it meets
  the first-order conditions (Krawczyk 1969; Hansen and Walster 2004, chapter 11); or
- too small to go on: it is left, and reported.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from alliancegame.game.parameters import Array
from alliancegame.payoff import intervals as iv
from alliancegame.payoff.custom import CompiledGame
from alliancegame.payoff.intervals import Flags
from alliancegame.solve.custom.candidates import grid

MOST_BOXES = 60_000
"""Boxes looked at, over all roles."""

SMALLEST = 1e-6
"""Boxes whose sides are below this share of the actions' ranges are not halved again."""

CUT = 0.4871
"""Where boxes are halved: not in the middle, so that no edge runs through a round number."""

INFLATION = 0.1
"""Krawczyk's operator is tried on a box wider by this share, so that solutions may lie on its edge."""

MOST_ACTIONS = 5
"""Beyond so many actions in all, halving cannot come to an end and is not begun."""


@dataclasses.dataclass(frozen=True)
class Cover:
    """What halving left: boxes (k, actions) with at most one point each, and boxes undecided."""

    settled: tuple[Array, Array]
    undecided: tuple[Array, Array]
    boxes: int

    @property
    def resolution(self) -> float:
        """0 where every box was decided."""
        return 0.0 if not self.undecided[0].size else SMALLEST


def cover(functions: CompiledGame, budget: int = MOST_BOXES) -> Cover:
    """Halve the set of all profiles; all roles that share their pieces together."""
    size = len(functions.game.symbols)
    groups: dict[tuple[int, ...], list[Any]] = {}
    for roles in itertools.product(*(_roles(functions, k) for k in range(size))):
        # A held action's marginal is taken in the piece beside it.
        pieces = tuple(min(p, len(functions.knots[k])) for k, (_, p) in enumerate(roles))
        groups.setdefault(pieces, []).append(roles)
    parts = []
    seen = 0
    with np.errstate(all="ignore"):
        for pieces, members in groups.items():
            part = _Part(functions, pieces)
            seen += part.run(part.boxes_of(members), budget - seen)
            parts.append(part)
    joined = [np.concatenate(b) for b in zip(*(p.settled.ends() for p in parts), strict=True)]
    left = [np.concatenate(b) for b in zip(*(p.undecided.ends() for p in parts), strict=True)]
    return Cover((joined[0], joined[1]), (left[0], left[1]), seen)


def _roles(functions: CompiledGame, action: int) -> list[tuple[str, int]]:
    """("free", piece), or ("end", place) for bounds and knots."""
    ends = functions.ends(action)
    return [*(("free", p) for p in range(len(ends) - 1)), *(("end", k) for k in range(len(ends)))]


@dataclasses.dataclass(frozen=True)
class _Boxes:
    """Boxes (k, actions) with what each action is in them: free, or held at its lower or upper bound."""

    lo: Array
    hi: Array
    free: Flags
    at_low: Flags
    at_high: Flags

    def __getitem__(self, which: Any) -> _Boxes:
        return _Boxes(*(getattr(self, f.name)[which] for f in dataclasses.fields(self)))

    @property
    def size(self) -> int:
        return int(self.lo.shape[0])

    def sides(self) -> list[tuple[Array, Array]]:
        return [(self.lo[:, k], self.hi[:, k]) for k in range(self.lo.shape[1])]

    def with_ends(self, lo: Array, hi: Array) -> _Boxes:
        return dataclasses.replace(self, lo=lo, hi=hi)


class _Kept:
    """Boxes put aside."""

    def __init__(self, actions: int) -> None:
        self.actions = actions
        self.made: list[tuple[Array, Array]] = []

    def add(self, boxes: _Boxes) -> None:
        self.made.append((boxes.lo, boxes.hi))

    def ends(self) -> tuple[Array, Array]:
        none = np.empty((0, self.actions))
        return (
            np.concatenate([none, *(lo for lo, _ in self.made)]),
            np.concatenate([none, *(hi for _, hi in self.made)]),
        )


class _Part:
    """All combinations of roles with marginal payoffs from one product of pieces."""

    def __init__(self, functions: CompiledGame, pieces: tuple[int, ...]) -> None:
        self.functions = functions
        self.made = functions.on_pieces(pieces)
        self.span = functions.game.high - functions.game.low
        self.owner = functions.game.owner.tolist()
        self.tried = [grid(functions, k, 9)[::2] for k in range(len(pieces))]
        self.settled, self.undecided = _Kept(len(pieces)), _Kept(len(pieces))

    def boxes_of(self, members: Sequence[Sequence[tuple[str, int]]]) -> _Boxes:
        """The first box of each combination of roles."""
        ends = [self.functions.ends(k) for k in range(len(self.owner))]
        free = np.array([[kind == "free" for kind, _ in roles] for roles in members])
        place = np.array([[p for _, p in roles] for roles in members])
        lo = np.array([[e[p] for e, p in zip(ends, row, strict=True)] for row in place])
        hi = np.array([[e[p] for e, p in zip(ends, row, strict=True)] for row in place + free])
        last = np.array([len(e) - 1 for e in ends])
        return _Boxes(lo, hi, free, ~free & (place == 0), ~free & (place == last))

    def run(self, boxes: _Boxes, budget: int) -> int:
        """Halve until nothing is left or the budget ends; the number of boxes looked at."""
        seen = 0
        while boxes.size:
            if seen + boxes.size > budget:
                self.undecided.add(boxes)
                break
            seen += boxes.size
            boxes = self._step(boxes)
        return seen

    def _possible(self, boxes: _Boxes) -> _Boxes:
        boxes = boxes[~self._excluded_by_slopes(boxes)]
        return boxes[~self._excluded_by_deviations(boxes)] if boxes.size else boxes

    def _step(self, boxes: _Boxes) -> _Boxes:
        boxes = self._possible(boxes)
        if not boxes.size:
            return boxes
        boxes, empty, single = self._krawczyk(boxes)
        self.settled.add(boxes[single])
        boxes = boxes[~empty & ~single]
        small = ((boxes.hi - boxes.lo) / self.span).max(axis=1, initial=0.0) < SMALLEST
        self.undecided.add(self._possible(boxes[small]))
        boxes = boxes[~small]
        side = np.argmax((boxes.hi - boxes.lo) / self.span, axis=1)
        rows = np.arange(boxes.size)
        middle = (boxes.lo + CUT * (boxes.hi - boxes.lo))[rows, side]
        left_hi, right_lo = boxes.hi.copy(), boxes.lo.copy()
        left_hi[rows, side], right_lo[rows, side] = middle, middle
        return boxes[np.tile(rows, 2)].with_ends(
            np.concatenate([boxes.lo, right_lo]), np.concatenate([left_hi, boxes.hi])
        )

    def _excluded_by_slopes(self, boxes: _Boxes) -> Flags:
        """A free marginal is zero, one at the lower bound not positive, at the upper not negative."""
        sides = boxes.sides()
        out = np.zeros(boxes.size, dtype=bool)
        for k, owner in enumerate(self.owner):
            low, high = self.made.marginals[k](*sides)
            # Where the payoff may jump, a slope says nothing of it; at a bound the user's own counts.
            whole = self.made.values[owner].levelled(*sides)[2] >= iv.CONTINUOUS
            own = self.functions.values[owner]
            if own.expression != self.made.values[owner].expression:
                own_whole = own.levelled(*sides)[2] >= iv.CONTINUOUS
                whole = own_whole | (whole & boxes.free[:, k])
            never_low = (boxes.free | boxes.at_low)[:, k] & (low > 0)
            never_high = (boxes.free | boxes.at_high)[:, k] & (high < 0)
            out |= whole & (never_low | never_high)
        return out

    def _excluded_by_deviations(self, boxes: _Boxes) -> Flags:
        """Some fixed choice earns more against the whole box than anything in the box."""
        sides = boxes.sides()
        out = np.zeros(boxes.size, dtype=bool)
        for k, owner in enumerate(self.owner):
            value = self.functions.values[owner]
            _, most = value(*sides)
            others = [(lo[:, None], hi[:, None]) for lo, hi in sides]
            others[k] = (self.tried[k][None, :],) * 2
            earned, _, level = value.levelled(*others)
            # What is undefined somewhere (0/0) is no deviation there.
            out |= ((earned > most[:, None]) & (level >= iv.CONTINUOUS)).any(axis=1)
        return out

    def _krawczyk(self, boxes: _Boxes) -> tuple[_Boxes, Flags, Flags]:
        """Boxes cut by Krawczyk's operator; which hold no solution, and which at most one."""
        lo, hi = boxes.lo, boxes.hi
        more = np.where(boxes.free, INFLATION * (hi - lo) + 1e-12 * self.span, 0.0)
        new_lo, new_hi, empty, single = self._operator(boxes.with_ends(lo - more, hi + more))
        # Where a solution is known to be single it is closed in on; it may lie outside the box itself.
        for _ in range(4):
            if not single.any():
                break
            again = boxes[single].with_ends(new_lo[single], new_hi[single])
            new_lo[single], new_hi[single], _, _ = self._operator(again)
        cut_lo = np.where(single[:, None], new_lo, np.maximum(new_lo, lo))
        cut_hi = np.where(single[:, None], new_hi, np.minimum(new_hi, hi))
        outside = ((new_lo > hi) | (new_hi < lo)).any(axis=1)
        return boxes.with_ends(cut_lo, cut_hi), empty | outside, single & ~outside

    def _operator(self, boxes: _Boxes) -> tuple[Array, Array, Flags, Flags]:
        """K(X) = c - Y F(c) + (I - Y J(X)) (X - c) cut with X; empty; and inside X.

        Held actions have the equation x = c, so that all roles go together.
        """
        lo, hi, free = boxes.lo, boxes.hi, boxes.free
        many, size = lo.shape
        centre = np.where(free, lo + 0.5 * (hi - lo), lo)
        sides = boxes.sides()
        at = boxes.with_ends(centre, centre).sides()
        same = np.eye(size)
        f_lo, f_hi = np.zeros((many, size)), np.zeros((many, size))
        j_lo, j_hi = (np.broadcast_to(same, (many, size, size)).copy() for _ in range(2))
        good = np.ones(many, dtype=bool)
        for k in np.flatnonzero(free.any(axis=0)).tolist():
            here = free[:, k]
            good &= ~here | (self.made.marginals[k].levelled(*sides)[2] >= iv.SMOOTH)
            low, high = self.made.marginals[k](*at)
            f_lo[:, k], f_hi[:, k] = np.where(here, low, 0.0), np.where(here, high, 0.0)
            for m in range(size):
                low, high = self.made.jacobian[k][m](*sides)
                j_lo[:, k, m] = np.where(here, low, same[k, m])
                j_hi[:, k, m] = np.where(here, high, same[k, m])
        good &= np.isfinite(j_lo).all(axis=(1, 2)) & np.isfinite(j_hi).all(axis=(1, 2))
        middle = np.where(good[:, None, None], 0.5 * (j_lo + j_hi), same)
        try:
            y = np.linalg.inv(middle)
        except np.linalg.LinAlgError:
            y = np.linalg.pinv(middle)
        good &= np.isfinite(y).all(axis=(1, 2))
        y = np.where(good[:, None, None], y, same)
        image: iv.Interval = (centre, centre)
        entry: iv.Interval = (np.broadcast_to(same, y.shape),) * 2
        for b in range(size):
            column = y[:, :, b]
            image = iv.subtract(
                image, iv.multiply((column,) * 2, (f_lo[:, b, None], f_hi[:, b, None]))
            )
            row = (j_lo[:, b, None, :], j_hi[:, b, None, :])
            entry = iv.subtract(entry, iv.multiply((column[:, :, None],) * 2, row))
        reach = iv.subtract((lo, hi), (centre, centre))
        for m in range(size):
            part = (entry[0][:, :, m], entry[1][:, :, m])
            image = iv.add(image, iv.multiply(part, (reach[0][:, m, None], reach[1][:, m, None])))
        cut = iv.intersect((lo, hi), image)
        crossed = (cut[0] > cut[1]) & free
        empty = good & crossed.any(axis=1)
        inside = good & (~free | ((image[0] > lo) & (image[1] < hi))).all(axis=1) & ~empty
        better = good[:, None] & free & ~crossed
        return np.where(better, cut[0], lo), np.where(better, cut[1], hi), empty, inside
