"""How the cells of a sweep are cut into chunks: boxes that follow the order of the cells."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

CELLS = {
    "respond": 32_768,
    "nash": 32_768,
    "compare": 16_384,
    "stackelberg": 128,
    "backfire_threshold": 16,
}
"""Most cells in a chunk by kind of question, unless asked otherwise: seconds of work at most."""

SLOW = 1_024
"""Most cells in a chunk where cells may need the scalar solvers."""

DERIVED = 256
"""Most cells in a chunk where every cell has a game of its own."""

ROWS = 1 << 20
"""Most rows (cell, member) in a chunk: bounds the memory that solving it takes."""


def default_cells(solve: str, members: int, *, slow: bool, derived: bool) -> int:
    """How many cells a chunk has at most, if the caller does not say."""
    most = min(CELLS[solve], SLOW if slow else CELLS[solve], DERIVED if derived else CELLS[solve])
    return max(1, min(most, ROWS // members))


@dataclasses.dataclass(frozen=True)
class Blocks:
    """A grid of cells of a shape, cut into boxes of at most `block` cells along each dimension."""

    shape: tuple[int, ...]
    block: tuple[int, ...]

    @property
    def grid(self) -> tuple[int, ...]:
        """Number of boxes along each dimension."""
        return tuple(-(-n // b) for n, b in zip(self.shape, self.block, strict=True))

    @property
    def count(self) -> int:
        """Number of boxes."""
        return math.prod(self.grid)

    def place(self, index: int) -> tuple[int, ...]:
        """Coordinates of a box in the grid of boxes, the last fastest."""
        place = []
        for n in reversed(self.grid):
            index, here = divmod(index, n)
            place.append(here)
        return tuple(reversed(place))

    def box(self, index: int) -> tuple[slice, ...]:
        """The cells of a box, a slice for each dimension."""
        return tuple(
            slice(p * b, min((p + 1) * b, n))
            for p, b, n in zip(self.place(index), self.block, self.shape, strict=True)
        )

    def size(self, index: int) -> int:
        """Number of cells in a box."""
        return math.prod(piece.stop - piece.start for piece in self.box(index))

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.count))


def cut(shape: tuple[int, ...], most: int) -> Blocks:
    """Boxes of at most `most` cells that are runs of cells in their order.

    The last dimensions are whole, one is cut into parts as equal as can be, those before it go one
    by one: neighbours in the order, from which a solution may start, stay together.
    """
    block = [1] * len(shape)
    for d in reversed(range(len(shape))):
        if most >= shape[d]:
            block[d] = shape[d]
            most //= shape[d]
        else:
            parts = -(-shape[d] // most)
            block[d] = -(-shape[d] // parts)
            break
    return Blocks(shape, tuple(block))
