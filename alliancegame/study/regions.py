"""Regions of a rectangle, from a function that names what holds at a point.

A grid of points is labelled; where neighbours differ, the change is closed in on by bisection along
the grid edge. Within a grid cell two changes are joined by a straight line; cells in which the
boundary bends, or with more changes (three regions meet, or a saddle), are halved again and again,
and at the last size their changes meet in one point. What is smaller than a cell and touches none
of its edges is not seen, and a strip that is thinner than the smallest cell becomes a line.

All pieces share their corners exactly, so the regions fill the rectangle without gaps or overlaps.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.parameters import Array

LabelAt = Callable[[Array], NDArray[Any]]
"""Labels (integers) of points of shape (point, 2)."""

Node = tuple[int, int]
Edge = tuple[int, int, int, int]
"""Left, low, axis (0 along x, 1 along y), length: in steps of the finest lattice."""
Cell = tuple[int, int, int]
"""Left, low, size."""
Change = tuple[float, int, int]
"""Place along an edge, and the labels before and after."""

MOST_CHANGES = 8
"""Changes of label that are told apart along one edge."""

FLAT = 0.02
"""How far a boundary may leave the straight line of its cell, in grid cells: beyond, it is halved."""


class Turn(NamedTuple):
    """A place around a cell: the label of what follows, whether it changes there, and a name."""

    place: tuple[float, float]
    label: int
    changes: bool
    name: Any


@dataclasses.dataclass(frozen=True, eq=False)
class Region:
    """Where one label holds.

    `rings` are closed lines of shape (corner, 2), the first corner not repeated, with the region on
    their left: outlines run counterclockwise, holes clockwise.
    """

    label: int
    rings: tuple[Array, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Boundary:
    """A line between two labels, shape (point, 2); closed if its last point is its first.

    The first label is on the left, as one walks from the first point to the last.
    """

    labels: tuple[int, int]
    points: Array


@dataclasses.dataclass(frozen=True, eq=False)
class Partition:
    """A rectangle divided: labels of the grid, shape (y, x), regions, and the lines between them."""

    labels: NDArray[np.int64]
    regions: tuple[Region, ...]
    boundaries: tuple[Boundary, ...]


def area(rings: Iterable[Array]) -> float:
    """The area that rings enclose, holes taken away."""
    total = 0.0
    for ring in rings:
        x, y = (ring - ring.mean(axis=0)).T
        total += float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2
    return total


def partition(
    labels: NDArray[Any],
    label_at: LabelAt,
    x: Array,
    y: Array,
    *,
    tolerance: float = 1e-6,
    refine: int = 6,
) -> Partition:
    """Divide the rectangle of a grid into regions of one label.

    `x` and `y` rise evenly, and `labels`, shape (y, x), holds on their grid. Changes along an edge
    are found to `tolerance` times the side of the rectangle; complicated cells are halved up to
    `refine` times.
    """
    return _Partitioner(label_at, x, y, tolerance, refine).run(np.asarray(labels, dtype=np.int64))


class _Partitioner:
    def __init__(
        self, label_at: LabelAt, x: Array, y: Array, tolerance: float, refine: int
    ) -> None:
        self.label_at, self.sides, self.tolerance = label_at, (x, y), tolerance
        self.step = 2**refine
        self.labels: dict[Node, int] = {}
        self.split: set[Edge] = set()
        self.changes: dict[Edge, list[Change]] = {}
        self.points: list[tuple[float, float]] = []
        self.vertices: dict[Any, int] = {}

    # --- Points ----------------------------------------------------------------------------------

    def place(self, axis: int, at: Any) -> Any:
        """Coordinates of places on the lattice, exact at the grid's own values."""
        side = self.sides[axis]
        return np.interp(np.asarray(at) / self.step, np.arange(len(side)), side)

    def look(self, nodes: Iterable[Node]) -> None:
        """Label nodes that have none yet."""
        fresh = sorted({node for node in nodes if node not in self.labels})
        if not fresh:
            return
        lattice = np.array(fresh)
        found = self.label_at(
            np.column_stack([self.place(axis, lattice[:, axis]) for axis in (0, 1)])
        )
        self.labels.update(zip(fresh, found.tolist(), strict=True))

    # --- The grid --------------------------------------------------------------------------------

    def run(self, grid: NDArray[np.int64]) -> Partition:
        s = self.step
        self.labels = {
            (i * s, j * s): label
            for j, row in enumerate(grid.tolist())
            for i, label in enumerate(row)
        }
        cells = self._settle(self._active(grid), grid.shape)
        edges = self._directed_edges(cells, grid)
        return Partition(grid, self._regions(edges), self._boundaries(edges))

    def _active(self, grid: NDArray[np.int64]) -> set[Cell]:
        """Cells with different corners."""
        corners = np.stack([grid[:-1, :-1], grid[1:, :-1], grid[:-1, 1:], grid[1:, 1:]])
        mixed = np.argwhere(np.ptp(corners, axis=0) > 0)
        s = self.step
        return {(int(i) * s, int(j) * s, s) for j, i in mixed}

    # --- Changes along edges ---------------------------------------------------------------------

    def leaves(self, edge: Edge) -> Iterator[Edge]:
        """The undivided edges of which an edge consists."""
        if edge not in self.split:
            yield edge
            return
        u, v, axis, length = edge
        half = length // 2
        yield from self.leaves((u, v, axis, half))
        yield from self.leaves((u + half * (axis == 0), v + half * (axis == 1), axis, half))

    @staticmethod
    def ends(edge: Edge) -> tuple[Node, Node]:
        u, v, axis, length = edge
        return (u, v), (u + length * (axis == 0), v + length * (axis == 1))

    def _find_changes(self, edges: Iterable[Edge]) -> None:
        """Bisect every edge that has not been looked at, all at once."""
        todo = []
        for edge in edges:
            if edge in self.changes:
                continue
            self.changes[edge] = []
            first, last = (self.labels[node] for node in self.ends(edge))
            if first != last:
                todo.append((edge, 0.0, first))
        for _ in range(MOST_CHANGES):
            if not todo:
                break
            todo = self._bisect(todo)
        for edge, start, label in todo:
            last = self.labels[self.ends(edge)[1]]
            self.changes[edge].append(((start + edge[3]) / 2, label, last))
        for edge in {edge for edge in self.changes if len(self.changes[edge]) > 1}:
            self.changes[edge] = self._merged(edge)

    def _bisect(self, todo: list[tuple[Edge, float, int]]) -> list[tuple[Edge, float, int]]:
        """The first change on each stretch (edge, from where, label there); what is left to do."""
        lattice = np.array([edge for edge, _, _ in todo], dtype=np.float64)
        axis = lattice[:, 2].astype(int)
        low = np.array([start for _, start, _ in todo])
        high = lattice[:, 3].copy()
        before = np.array([label for _, _, label in todo])
        after = np.array([self.labels[self.ends(edge)[1]] for edge, _, _ in todo])
        slack = self.tolerance * (np.array([len(side) for side in self.sides]) - 1) * self.step
        while True:
            wide = np.flatnonzero(high - low > slack[axis])
            if not wide.size:
                break
            middle = (low[wide] + high[wide]) / 2
            places = lattice[wide, :2].copy()
            places[np.arange(wide.size), axis[wide]] += middle
            found = self.label_at(np.column_stack([self.place(k, places[:, k]) for k in (0, 1)]))
            same = found == before[wide]
            low[wide[same]] = middle[same]
            high[wide[~same]] = middle[~same]
            after[wide[~same]] = found[~same]
        left = []
        for k, (edge, _, label) in enumerate(todo):
            new = int(after[k])
            self.changes[edge].append((float(low[k] + high[k]) / 2, label, new))
            if new != self.labels[self.ends(edge)[1]]:
                left.append((edge, float(high[k]), new))
        return left

    def _merged(self, edge: Edge) -> list[Change]:
        """Changes that are no further apart than the smallest cell are one, or none."""
        kept: list[Change] = []
        for change in self.changes[edge]:
            if kept and change[0] - kept[-1][0] <= 1:
                at, before, _ = kept.pop()
                if before != change[2]:
                    kept.append(((at + change[0]) / 2, before, change[2]))
            else:
                kept.append(change)
        return kept

    # --- Cells -----------------------------------------------------------------------------------

    @staticmethod
    def perimeter(cell: Cell) -> tuple[tuple[Edge, bool], ...]:
        """The four sides counterclockwise from the low left corner; whether each runs forward."""
        u, v, s = cell
        return (
            ((u, v, 0, s), True),
            ((u + s, v, 1, s), True),
            ((u, v + s, 0, s), False),
            ((u, v, 1, s), False),
        )

    def _settle(self, cells: set[Cell], shape: tuple[int, ...]) -> set[Cell]:
        """Halve cells until each has two changes at most or is as small as cells get."""
        fresh = set(cells)
        while fresh:
            sides = {cell: [edge for edge, _ in self.perimeter(cell)] for cell in fresh}
            self._find_changes(
                leaf for edges in sides.values() for edge in edges for leaf in self.leaves(edge)
            )
            large = [cell for cell in fresh if cell[2] > 1]
            split = [cell for cell in large if self._complicated(sides[cell])]
            split += self._bent(sorted(set(large) - set(split)))
            self._halve(split)
            cells -= set(split)
            fresh = {child for cell in split for child in self._children(cell)}
            cells |= fresh
            fresh |= self._touched(split, cells, shape)
            cells |= fresh
        return cells

    def _complicated(self, sides: list[Edge]) -> bool:
        """More than two changes around, or two on one side."""
        by_side = [sum(len(self.changes[leaf]) for leaf in self.leaves(edge)) for edge in sides]
        return sum(by_side) > 2 or max(by_side) > 1

    def _bent(self, cells: list[Cell]) -> list[Cell]:
        """Cells whose boundary is not where the straight line is, half way along it."""
        slack = FLAT * self.step
        tried, spots, expected = [], [], []
        for cell in cells:
            if cell[2] <= 2 * slack:
                continue
            turns = [turn for turn in self._ring(cell) if turn.changes]
            if len(turns) != 2:
                continue
            p, q = (np.array(turn.place) for turn in turns)
            along = q - p
            length = float(np.hypot(*along))
            if length <= slack:
                continue
            across = slack * np.array([-along[1], along[0]]) / length
            tried.append(cell)
            spots += [(p + q) / 2 + across, (p + q) / 2 - across]
            expected += [turns[1].label, turns[0].label]
        if not tried:
            return []
        places = np.array(spots)
        most = (np.array([len(side) for side in self.sides]) - 1) * self.step
        places = np.clip(places, 0, most)
        found = self.label_at(np.column_stack([self.place(k, places[:, k]) for k in (0, 1)]))
        straight = (found == np.array(expected)).reshape(-1, 2).all(axis=1)
        return [cell for cell, fine in zip(tried, straight, strict=True) if not fine]

    @staticmethod
    def _children(cell: Cell) -> list[Cell]:
        u, v, s = cell
        h = s // 2
        return [(u + a, v + b, h) for a in (0, h) for b in (0, h)]

    def _halve(self, cells: list[Cell]) -> None:
        nodes = []
        for u, v, s in cells:
            h = s // 2
            nodes += [(u + h, v + h), (u + h, v), (u + h, v + s), (u, v + h), (u + s, v + h)]
            self.split.update(edge for edge, _ in self.perimeter((u, v, s)))
        self.look(nodes)

    def _touched(self, split: list[Cell], cells: set[Cell], shape: tuple[int, ...]) -> set[Cell]:
        """Cells beside halved ones, of whatever size they are: their sides were divided."""
        found = set()
        most = ((shape[1] - 1) * self.step, (shape[0] - 1) * self.step)
        for u, v, s in split:
            for a, b in ((u - 1, v), (u + s, v), (u, v - 1), (u, v + s)):
                if 0 <= a < most[0] and 0 <= b < most[1]:
                    found |= self._cells_along((a, b), s, cells)
        return found

    def _cells_along(self, corner: Node, size: int, cells: set[Cell]) -> set[Cell]:
        """The leaf that holds this unit square, if it is as large as `size` or larger.

        Smaller ones have their own, smaller sides, which were divided before or are not concerned.
        """
        s = size
        while s <= self.step:
            cell = (corner[0] // s * s, corner[1] // s * s, s)
            if cell in cells:
                return {cell}
            s *= 2
        whole = (corner[0] // self.step * self.step, corner[1] // self.step * self.step, self.step)
        return set() if self._was_halved(whole) else {whole}

    def _was_halved(self, cell: Cell) -> bool:
        u, v, s = cell
        return (u + s // 2, v + s // 2) in self.labels

    # --- Pieces ----------------------------------------------------------------------------------

    def vertex(self, name: Any, at: tuple[float, float]) -> int:
        """The number of a corner; `name` tells corners apart, `at` is its place on the lattice."""
        found = self.vertices.get(name)
        if found is None:
            found = self.vertices[name] = len(self.points)
            self.points.append((float(self.place(0, at[0])), float(self.place(1, at[1]))))
        return found

    def _ring(self, cell: Cell) -> list[Turn]:
        """Places around a cell, counterclockwise."""
        ring = []
        for side, forward in self.perimeter(cell):
            leaves = list(self.leaves(side))
            for edge in leaves if forward else reversed(leaves):
                start = self.ends(edge)[0 if forward else 1]
                ring.append(Turn(start, self.labels[start], False, start))
                changes = self.changes.get(edge, [])
                for k in range(len(changes)) if forward else reversed(range(len(changes))):
                    at, before, after = changes[k]
                    place = (edge[0] + at * (edge[2] == 0), edge[1] + at * (edge[2] == 1))
                    ring.append(Turn(place, after if forward else before, True, (edge, k)))
        return ring

    def _pieces(self, cell: Cell) -> Iterator[tuple[int, list[int]]]:
        """A cell's parts of one label, counterclockwise."""
        ring = self._ring(cell)
        corners = [self.vertex(turn.name, turn.place) for turn in ring]
        turns = [i for i, turn in enumerate(ring) if turn.changes]
        if not turns:
            yield ring[0].label, corners
            return
        middle = []
        if len(turns) > 2:
            spot = np.array([ring[i].place for i in turns]).mean(axis=0)
            middle = [self.vertex(cell, (float(spot[0]), float(spot[1])))]
        for start, end in zip(turns, [*turns[1:], turns[0] + len(ring)], strict=True):
            arc = [corners[i % len(ring)] for i in range(start, end + 1)]
            yield ring[start].label, arc + middle

    def _directed_edges(
        self, cells: set[Cell], grid: NDArray[np.int64]
    ) -> dict[tuple[int, int], list[int]]:
        """Edges with the labels on their left, after those with the same label on both sides left."""
        edges: dict[tuple[int, int], list[int]] = defaultdict(list)

        def add(start: int, end: int, label: int) -> None:
            back = edges.get((end, start))
            if back and label in back:
                back.remove(label)
            else:
                edges[start, end].append(label)

        for cell in sorted(cells):
            for label, corners in self._pieces(cell):
                for start, end in itertools.pairwise([*corners, corners[0]]):
                    add(start, end, label)
        for cell, label in self._plain_cells(cells, grid):
            corners = [self.vertex(n, n) for n in self._corners(cell)]
            for start, end in itertools.pairwise([*corners, corners[0]]):
                add(start, end, label)
        return {edge: labels for edge, labels in edges.items() if labels}

    @staticmethod
    def _corners(cell: Cell) -> list[Node]:
        u, v, s = cell
        return [(u, v), (u + s, v), (u + s, v + s), (u, v + s)]

    def _plain_cells(self, cells: set[Cell], grid: NDArray[np.int64]) -> Iterator[tuple[Cell, int]]:
        """Grid cells of one label that were never looked into, and their label."""
        s = self.step
        taken = {(u // s, v // s) for u, v, _ in cells}
        for j in range(grid.shape[0] - 1):
            for i in range(grid.shape[1] - 1):
                if (i, j) not in taken:
                    yield (i * s, j * s, s), int(grid[j, i])

    # --- Regions and boundaries ------------------------------------------------------------------

    def _regions(self, edges: Mapping[tuple[int, int], list[int]]) -> tuple[Region, ...]:
        by_label: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for edge, labels in edges.items():
            for label in labels:
                by_label[label].append(edge)
        return tuple(
            Region(label, tuple(self._rings(by_label[label]))) for label in sorted(by_label)
        )

    def _rings(self, edges: list[tuple[int, int]]) -> Iterator[Array]:
        """Closed lines out of directed edges."""
        following: dict[int, list[int]] = defaultdict(list)
        for start, end in edges:
            following[start].append(end)
        points = np.array(self.points)
        for first in sorted(following):
            while following[first]:
                ring, here = [first], following[first].pop()
                while here != first:
                    ring.append(here)
                    here = following[here].pop()
                yield _straightened(points[ring], closed=True)

    def _boundaries(self, edges: Mapping[tuple[int, int], list[int]]) -> tuple[Boundary, ...]:
        """Lines between two labels, cut where others meet them."""
        by_pair: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for (start, end), labels in edges.items():
            for label, other in zip(labels, edges.get((end, start), []), strict=False):
                if label < other:
                    by_pair[label, other].append((start, end))
        points = np.array(self.points)
        return tuple(
            Boundary(pair, _straightened(points[line]))
            for pair in sorted(by_pair)
            for line in _chained(by_pair[pair])
        )


def _chained(edges: list[tuple[int, int]]) -> Iterator[list[int]]:
    """Lines out of directed edges, as long as they can be without passing a crossing."""
    following: dict[int, list[int]] = defaultdict(list)
    met: Counter[int] = Counter()
    for start, end in edges:
        following[start].append(end)
        met.update((start, end))
    cuts = {vertex for vertex, count in met.items() if count != 2}
    for first in [*sorted(cuts), *sorted(met)]:
        while following[first]:
            line = [first, following[first].pop()]
            while line[-1] != first and line[-1] not in cuts:
                line.append(following[line[-1]].pop())
            yield line


def _straightened(points: Array, closed: bool = False) -> Array:
    """The same line without corners at which it goes straight on along the grid."""
    if len(points) < 3:
        return points
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    straight = ((points == before) & (points == after)).any(axis=1)
    if not closed:
        straight[[0, -1]] = False
    kept: Array = points[~straight]
    return kept
