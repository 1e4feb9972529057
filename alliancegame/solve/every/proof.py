"""How many simultaneous equilibria there are, proved: the leader's range cut into cells.

For a fixed burden of the leader the allies' answer is unique (docs/theory/equilibrium), and the leader's
payoff is concave in its own burden. Equilibria are therefore the roots of the leader's marginal payoff
along the answer, and the ends of its range at which that pushes outward. Each cell of the range says one
of four things: the leader would give "more" everywhere in it, "less" everywhere, or what it would give
more is "falling" or "rising" through it. A run of cells in which it falls (or rises), between one where
it has one sign and one where it has the other, holds exactly one equilibrium; all others hold none.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import certificate
from alliancegame.solve.every.brackets import Brackets, brackets, within
from alliancegame.solve.every.marginals import Alliance, Box, Mask
from alliancegame.solve.every.slopes import brought, leader_slope, total_slope
from alliancegame.solve.result import jsonable

Verdict = Literal["more", "less", "falling", "rising"]

FIRST = 24
"""Cells to begin with, denser at small burdens."""
MOST_CELLS = 1500
"""Cells looked at before what is left is called undecided."""
NARROW = 1e-8
"""Cells narrower than this, relative to their upper end, are not halved."""
CLEAR = 1e-2
"""A slope has a sign if its enclosure stays away from 0 by this share of its size: whoever checks it may
enclose it a little less tightly."""
SURE = 1e-9
"""A marginal payoff has a sign if its enclosure stays away from 0 by this; marginal costs are about 1."""
CUT = 0.4871
"""Where cells are cut: not in the middle, so that no cut runs through a round number."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """A range of the leader's burden and what is proved there, with all that the proof needs.

    `total` bounds the allies' contributions (effective bn US$): each ally wants at least its entry of
    `least` at the lower end and at most that of `most` at the upper, wherever the leader is in the cell.
    `within` bounds each ally's burden in the cell and `slope` dX / dx_l, where the verdict needs them.
    """

    leader: tuple[float, float]
    total: tuple[float, float]
    least: tuple[float, ...]
    most: tuple[float, ...]
    verdict: Verdict
    within: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    slope: tuple[float, float] | None = None

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """The cell that plain values describe."""
        within, slope = content["within"], content["slope"]
        return cls(
            _pair(content["leader"]),
            _pair(content["total"]),
            _row(content["least"]),
            _row(content["most"]),
            content["verdict"],
            None if within is None else (_row(within[0]), _row(within[1])),
            None if slope is None else _pair(slope),
        )


def _row(values: Iterable[Any]) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def _pair(values: Iterable[Any]) -> tuple[float, float]:
    low, high = _row(values)
    return low, high


@dataclasses.dataclass(frozen=True)
class Proof:
    """Cells that cover the leader's range, in order, and ranges in which nothing was proved.

    If nothing is undecided, `places` are ranges of the leader's burden with exactly one equilibrium each,
    and there are no others. Below its range the leader would give "more", above it "less", as it cannot
    give other than what is in between: so an end of the range counts as a place where that turns out wrong.
    """

    range: tuple[float, float]
    cells: tuple[Cell, ...]
    undecided: tuple[tuple[float, float], ...]

    @property
    def places(self) -> tuple[tuple[float, float], ...]:
        """Where the leader's burden lies in equilibrium, one range for each."""
        low, high = self.range
        sign, start, found = "more", low, []
        for cell in self.cells:
            if cell.verdict in ("more", "less"):
                if cell.verdict != sign:
                    found.append((start, cell.leader[0]))
                sign, start = cell.verdict, cell.leader[1]
        return (*found, (start, high)) if sign == "more" else tuple(found)

    def lacks(self, burdens: Array) -> tuple[tuple[float, float], ...]:
        """Places in which none of these burdens of the leader lies."""
        return tuple(
            (low, high)
            for low, high in self.places
            if not ((low <= burdens) & (burdens <= high)).any()
        )

    def covers(self, burdens: Array) -> bool:
        """Whether these burdens are all: nothing undecided, and exactly one of them in each place."""
        counts = [int(((lo <= burdens) & (burdens <= hi)).sum()) for lo, hi in self.places]
        return not self.undecided and counts == [1] * len(burdens)

    @classmethod
    def from_content(cls, content: Iterable[Mapping[str, Any]]) -> Self:
        """The closed proof whose cells `content` described."""
        cells = tuple(Cell.from_content(cell) for cell in content)
        if not cells:
            raise ValueError("a proof without cells")
        return cls((cells[0].leader[0], cells[-1].leader[1]), cells, ())

    def content(self) -> list[dict[str, Any]]:
        """The cells as plain values."""
        return [jsonable(dataclasses.asdict(cell)) for cell in self.cells]


def applies(game: BurdenSharingGame, plan: Plan) -> bool:
    """Whether the allies' answer is proved unique, and the leader's payoff concave and of one total."""
    if plan.burden is not None or certificate.missing_conditions(game):
        return False
    if certificate.indifferent_to_levies(game, plan).any():
        return False
    lead = game.members.leader_index
    if not game.by_member("influence_weight")[lead]:
        return True
    seats = np.delete(game.by_member("council_weight"), lead)
    return bool(game.influence == "council" and game.decisiveness == 1 and np.ptp(seats) == 0)


def prove(game: BurdenSharingGame, plan: Plan) -> Proof:
    """Cut the leader's range into cells until each is decided, or too small, or too many are met.

    That the conditions hold (`applies`) is the caller's to check.
    """
    alliance = Alliance.of(game, plan)
    low, high = alliance.range
    edges = low + (high - low) * np.linspace(0.0, 1.0, FIRST + 1) ** 2
    edges[-1] = high
    left, right = edges[:-1], edges[1:]
    done: list[Cell] = []
    undecided: list[tuple[float, float]] = []
    seen = 0
    while len(left):
        seen += len(left)
        if seen > MOST_CELLS:
            undecided += zip(left.tolist(), right.tolist(), strict=True)
            break
        with np.errstate(all="ignore"):  # Enclosures reach to infinity where a burden may be 0.
            made, open_ = _decided(alliance, brackets(alliance, left, right))
        done += made
        left, right = left[open_], right[open_]
        small = right - left <= NARROW * right
        undecided += zip(left[small].tolist(), right[small].tolist(), strict=True)
        left, right = left[~small], right[~small]
        cut = left + CUT * (right - left)
        left, right = np.concatenate([left, cut]), np.concatenate([cut, right])
    cells = tuple(sorted(done, key=lambda c: c.leader))
    return Proof((low, high), cells, _joined(undecided + turning(cells)))


def turning(cells: Iterable[Cell]) -> list[tuple[float, float]]:
    """Runs in which the marginal payoff falls here and rises there: how often it is 0 is then open."""
    found = []
    for signed, run in itertools.groupby(cells, lambda cell: cell.verdict in ("more", "less")):
        part = list(run)
        if not signed and len({cell.verdict for cell in part}) > 1:
            found.append((part[0].leader[0], part[-1].leader[1]))
    return found


def _joined(ranges: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    found: list[tuple[float, float]] = []
    for low, high in sorted(ranges):
        if found and found[-1][1] == low:
            found[-1] = (found[-1][0], high)
        else:
            found.append((low, high))
    return tuple(found)


def _decided(alliance: Alliance, cells: Brackets) -> tuple[list[Cell], Mask]:
    """The cells that are decided, and which are not, (cell,)."""
    inside: tuple[Array, Array] | None = None
    if alliance.taxing:
        inside = within(alliance, cells)
    signs = _signs(alliance, cells, inside)
    made = _cells(cells, np.where(signs > 0, "more", "less"), signs != 0, inside, None)
    rest = signs == 0
    if not rest.any():
        return made, rest
    some = cells.take(rest)
    least, most = within(alliance, some) if inside is None else (e[rest] for e in inside)
    slope = total_slope(alliance, some, least, most)
    lo, hi = leader_slope(alliance, some, least, most, slope)
    margin = CLEAR * np.maximum(np.abs(lo), np.abs(hi))
    falls, rises = hi < -margin, lo > margin
    # Where it rises to or from an end of the range, that end may be an equilibrium too.
    low, high = alliance.range
    rises &= (some.low > low) & (some.high < high)
    words = np.where(falls, "falling", "rising")
    made += _cells(some, words, falls | rises, (least, most), slope)
    open_ = np.array(rest)
    open_[np.flatnonzero(rest)[falls | rises]] = False
    return made, open_


def _signs(
    alliance: Alliance, cells: Brackets, inside: tuple[Array, Array] | None
) -> NDArray[np.intp]:
    """1 where the leader would give more everywhere in the cell, -1 where less, 0 where unknown.

    Its marginal payoff falls in its own burden: it is enclosed at the ends of the range.
    """
    zero = np.zeros_like(cells.low)
    revenue = (zero, zero) if inside is None else brought(alliance, *inside)
    most, least = (
        alliance.lead("leader", (x, x), cells.total, revenue) for x in (cells.low, cells.high)
    )
    return np.where(least[0] > SURE, 1, np.where(most[1] < -SURE, -1, 0))


def _cells(
    cells: Brackets,
    words: Any,
    chosen: Mask,
    inside: tuple[Array, Array] | None,
    slope: Box | None,
) -> list[Cell]:
    """Cells with a verdict as records."""
    return [
        Cell(
            (float(cells.low[k]), float(cells.high[k])),
            (float(cells.total[0][k]), float(cells.total[1][k])),
            tuple(cells.least[k].tolist()),
            tuple(cells.most[k].tolist()),
            str(words[k]),  # type: ignore[arg-type]
            None
            if inside is None
            else (tuple(inside[0][k].tolist()), tuple(inside[1][k].tolist())),
            None if slope is None else (float(slope[0][k]), float(slope[1][k])),
        )
        for k in np.flatnonzero(chosen)
    ]
