"""Which boxes of profiles can hold an equilibrium: exclusion and proof of existence, box by box.

Every action has a role: at a bound, at a knot, or free inside one of its pieces, where its marginal
payoff is zero. For each combination of roles the free actions' box is halved until every part is

- excluded, because a marginal payoff has one sign there that its role forbids, or because a deviation
  earns more than anything in the box does; or
- settled: Krawczyk's operator maps the box into itself, so that exactly one point in it meets the
  first-order conditions (Krawczyk 1969; Hansen and Walster 2004, chapter 11); or
- too small to go on: it is left, and reported.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.parameters import Array
from alliancegame.payoff import intervals as iv
from alliancegame.payoff.custom import CompiledGame, Pieces
from alliancegame.solve.custom.candidates import grid

MOST_BOXES = 60_000
"""Boxes looked at, over all roles."""

SMALLEST = 1e-6
"""Boxes whose sides are below this share of the actions' ranges are not halved again."""

MOST_ACTIONS = 5
"""Beyond so many actions in all, halving cannot come to an end and is not begun."""


@dataclasses.dataclass(frozen=True)
class Cover:
    """What halving left: boxes (k, actions) with exactly one point each, and boxes undecided."""

    settled: tuple[Array, Array]
    undecided: tuple[Array, Array]
    boxes: int

    @property
    def resolution(self) -> float:
        """0 where every box was decided."""
        return 0.0 if not self.undecided[0].size else SMALLEST


def cover(functions: CompiledGame, budget: int = MOST_BOXES) -> Cover:
    """Halve the set of all profiles, role by role."""
    size = len(functions.game.symbols)
    settled: list[tuple[Array, Array]] = []
    undecided: list[tuple[Array, Array]] = []
    seen = 0
    with np.errstate(all="ignore"):
        for roles in itertools.product(*(_roles(functions, k) for k in range(size))):
            part = _Part(functions, roles)
            seen += part.run(budget - seen)
            settled += part.settled
            undecided += part.undecided
    return Cover(_joined(settled, size), _joined(undecided, size), seen)


def _roles(functions: CompiledGame, action: int) -> list[tuple[str, int]]:
    """("free", piece), or ("end", place) for bounds and knots."""
    ends = functions.ends(action)
    return [*(("free", p) for p in range(len(ends) - 1)), *(("end", k) for k in range(len(ends)))]


def _joined(boxes: Sequence[tuple[Array, Array]], size: int) -> tuple[Array, Array]:
    if not boxes:
        return np.empty((0, size)), np.empty((0, size))
    return np.array([b[0] for b in boxes]), np.array([b[1] for b in boxes])


class _Part:
    """One combination of roles."""

    def __init__(self, functions: CompiledGame, roles: Sequence[tuple[str, int]]) -> None:
        self.functions, self.roles = functions, roles
        ends = [functions.ends(k) for k in range(len(roles))]
        self.low = np.array([e[p] for e, (_, p) in zip(ends, roles, strict=True)])
        self.high = np.array(
            [e[p + 1] if kind == "free" else e[p] for e, (kind, p) in zip(ends, roles, strict=True)]
        )
        self.free = np.array([kind == "free" for kind, _ in roles])
        self.knot = np.array(
            [kind == "end" and 0 < p < len(e) - 1 for e, (kind, p) in zip(ends, roles, strict=True)]
        )
        # A held action's marginal is taken in the piece beside it.
        last = [len(e) - 2 for e in ends]
        self.pieces = tuple(min(p, most) for (_, p), most in zip(roles, last, strict=True))
        self.at_low = np.array([kind == "end" and p == 0 for kind, p in roles])
        self.at_high = ~self.free & ~self.at_low & ~self.knot
        self.span = functions.game.high - functions.game.low
        self.tried = [grid(functions, k, 9)[::2] for k in range(len(roles))]
        self.settled: list[tuple[Array, Array]] = []
        self.undecided: list[tuple[Array, Array]] = []

    def run(self, budget: int) -> int:
        """Halve until nothing is left or the budget ends; the number of boxes looked at."""
        lo, hi = self.low[None, :], self.high[None, :]
        seen = 0
        made = self.functions.on_pieces(self.pieces)
        while lo.shape[0]:
            if seen + lo.shape[0] > budget:
                self.undecided += list(zip(lo, hi, strict=True))
                break
            seen += lo.shape[0]
            lo, hi = self._step(made, lo, hi)
        return seen

    def _step(self, made: Pieces, lo: Array, hi: Array) -> tuple[Array, Array]:
        keep = ~self._excluded_by_slopes(made, lo, hi)
        lo, hi = lo[keep], hi[keep]
        if lo.shape[0]:
            keep = ~self._excluded_by_deviations(lo, hi)
            lo, hi = lo[keep], hi[keep]
        if not lo.shape[0]:
            return lo, hi
        lo, hi, empty, unique = self._krawczyk(made, lo, hi)
        self.settled += list(zip(lo[unique], hi[unique], strict=True))
        lo, hi = lo[~empty & ~unique], hi[~empty & ~unique]
        width = (hi - lo) / self.span
        small = width.max(axis=1) < SMALLEST
        self.undecided += list(zip(lo[small], hi[small], strict=True))
        lo, hi = lo[~small], hi[~small]
        side = np.argmax((hi - lo) / self.span, axis=1)
        rows = np.arange(lo.shape[0])
        middle = (lo + 0.5 * (hi - lo))[rows, side]
        left, right = hi.copy(), lo.copy()
        left[rows, side], right[rows, side] = middle, middle
        return np.concatenate([lo, right]), np.concatenate([left, hi])

    def _boxes(self, lo: Array, hi: Array) -> list[tuple[Array, Array]]:
        return [(lo[:, k], hi[:, k]) for k in range(lo.shape[1])]

    def _excluded_by_slopes(self, made: Pieces, lo: Array, hi: Array) -> NDArray[np.bool_]:
        """A free marginal is zero, one at the lower bound not positive, at the upper not negative."""
        box = self._boxes(lo, hi)
        owner = self.functions.game.owner
        out = np.zeros(lo.shape[0], dtype=bool)
        true = self.functions.values
        for k in np.flatnonzero(~self.knot).tolist():
            # Where the payoff may jump a slope says nothing; at a held end it is the true payoff's.
            low, high = made.marginals[k](*box)
            whole = made.values[owner[k]].levelled(*box)[2] >= iv.CONTINUOUS
            if not self.free[k]:
                whole = whole & self._continuous_there(true[owner[k]], k, lo, hi)
            if self.free[k]:
                out |= whole & ((low > 0) | (high < 0))
            else:
                out |= whole & ((low > 0) if self.at_low[k] else (high < 0))
        return out

    def _continuous_there(self, value: Any, action: int, lo: Array, hi: Array) -> NDArray[np.bool_]:
        """Whether the user's own payoff equals the piece's at the end that the action is held at."""
        made = self.functions.on_pieces(self.pieces).values[self.functions.game.owner[action]]
        if value.expression == made.expression:
            return np.ones(lo.shape[0], dtype=bool)
        return np.asarray(value.levelled(*self._boxes(lo, hi))[2] >= iv.CONTINUOUS)

    def _excluded_by_deviations(self, lo: Array, hi: Array) -> NDArray[np.bool_]:
        """Some fixed choice earns more against the whole box than anything in the box."""
        box = self._boxes(lo, hi)
        out = np.zeros(lo.shape[0], dtype=bool)
        owner = self.functions.game.owner
        for k in range(lo.shape[1]):
            value = self.functions.values[owner[k]]
            _, most = value(*box)
            for deviation in self.tried[k]:
                moved = list(box)
                moved[k] = (np.full(lo.shape[0], deviation),) * 2
                out |= value(*moved)[0] > most
        return out

    def _krawczyk(
        self, made: Pieces, lo: Array, hi: Array
    ) -> tuple[Array, Array, NDArray[np.bool_], NDArray[np.bool_]]:
        """Boxes cut by Krawczyk's operator; which are empty, and which hold exactly one solution."""
        free = np.flatnonzero(self.free)
        boxes, size = lo.shape[0], free.size
        if size == 0:
            return lo, hi, np.zeros(boxes, dtype=bool), np.ones(boxes, dtype=bool)
        box = self._boxes(lo, hi)
        centre = lo + 0.5 * (hi - lo)
        at = self._boxes(centre, centre)
        smooth = np.ones(boxes, dtype=bool)
        j_lo, j_hi = np.empty((boxes, size, size)), np.empty((boxes, size, size))
        f: list[iv.Interval] = []
        for a, k in enumerate(free):
            smooth &= made.marginals[k].levelled(*box)[2] >= iv.SMOOTH
            f.append(made.marginals[k](*at))
            for b, m in enumerate(free):
                j_lo[:, a, b], j_hi[:, a, b] = made.jacobian[k][m](*box)
        finite = smooth & np.isfinite(j_lo).all(axis=(1, 2)) & np.isfinite(j_hi).all(axis=(1, 2))
        middle = np.where(finite[:, None, None], 0.5 * (j_lo + j_hi), np.eye(size))
        try:
            y = np.linalg.inv(middle)
        except np.linalg.LinAlgError:
            y = np.linalg.pinv(middle)
        new_lo, new_hi = lo.copy(), hi.copy()
        empty, inside = np.zeros(boxes, dtype=bool), finite.copy()
        for a, k in enumerate(free):
            shift: iv.Interval = (np.zeros(boxes), np.zeros(boxes))
            for b in range(size):
                shift = iv.add(shift, iv.multiply((y[:, a, b],) * 2, f[b]))
            image = iv.subtract((centre[:, k],) * 2, shift)
            for m, action in enumerate(free):
                entry: iv.Interval = (np.full(boxes, float(a == m)),) * 2
                for b in range(size):
                    entry = iv.subtract(
                        entry, iv.multiply((y[:, a, b],) * 2, (j_lo[:, b, m], j_hi[:, b, m]))
                    )
                reach = iv.subtract((lo[:, action], hi[:, action]), (centre[:, action],) * 2)
                image = iv.add(image, iv.multiply(entry, reach))
            inside &= (image[0] > lo[:, k]) & (image[1] < hi[:, k])
            cut = iv.intersect((lo[:, k], hi[:, k]), image)
            empty |= finite & (cut[0] > cut[1])
            better = finite & (cut[0] <= cut[1])
            new_lo[:, k] = np.where(better, cut[0], lo[:, k])
            new_hi[:, k] = np.where(better, cut[1], hi[:, k])
        return new_lo, new_hi, empty, inside & ~empty
