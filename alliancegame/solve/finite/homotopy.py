"""All solutions of the indifference conditions on supports, by multihomogeneous continuation.

On a support of sizes k, player i's k_i - 1 indifference conditions are linear in every other
player's probabilities. In homogeneous coordinates z_j of each block such a system has at most as
many isolated solutions as a product of linear forms with the same degrees (the multihomogeneous
Bezout number; McKelvey and McLennan, 1997, show that generic games reach it). That product is the
start of the homotopy: its solutions are known, and as many paths lead from them to those wanted
(Morgan and Sommese, 1987). A random complex factor keeps paths apart; the factor and the forms come
from a seeded generator. Conditions and start are tensors of one shape, so one function evaluates
the whole homotopy, for all paths at once.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex128]

TRACKED = 1e-9
"""Newton corrections below this, relative to z, put a point on its path."""
SMALLEST_STEP = 1e-7
MOST_STEPS = 600


def path_count(sizes: Sequence[int]) -> int:
    """The number of paths of a support of these sizes: its multihomogeneous Bezout number."""
    return sum(1 for _ in assignments(sizes)) if min(sizes) > 0 else 0


def assignments(sizes: Sequence[int]) -> Iterator[tuple[tuple[int, ...], ...]]:
    """For each player, which block each of its conditions determines; blocks are filled exactly."""
    n = len(sizes)

    def place(i: int, room: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], ...]]:
        if i == n:
            if not any(room):
                yield ()
            return
        blocks = [j for j in range(n) if j != i]
        for chosen in itertools.product(blocks, repeat=sizes[i] - 1):
            left = list(room)
            for j in chosen:
                left[j] -= 1
            if min(left) >= 0:
                for rest in place(i + 1, tuple(left)):
                    yield (chosen, *rest)

    yield from place(0, tuple(k - 1 for k in sizes))


@dataclasses.dataclass(frozen=True, eq=False)
class Endpoints:
    """Where the paths of a batch of supports end.

    `owner` says to which support a path belongs; `points` are the blocks' probabilities (complex,
    adding up to one in each block); `finite` says that a path ended inside the affine chart;
    `arrived` that it could be followed to its end with a regular Jacobian.
    """

    owner: NDArray[np.intp]
    points: tuple[Complex, ...]
    finite: NDArray[np.bool_]
    arrived: NDArray[np.bool_]


def solve(tensors: Sequence[NDArray[np.float64]], sizes: Sequence[int], seed: int) -> Endpoints:
    """Follow every path of every support of these sizes.

    `tensors[i]` has shape (support, k_i - 1, k_j for the other j in order): payoff differences of
    player i between its strategies and its first one.
    """
    random = np.random.default_rng(seed)

    def draw(*shape: int) -> Complex:
        return random.normal(size=shape) + 1j * random.normal(size=shape)

    n, count = len(sizes), len(tensors[0])
    forms = {
        (i, r, j): draw(sizes[j]) for i in range(n) for r in range(sizes[i] - 1) for j in range(n)
        if j != i
    }  # fmt: skip
    patches = [draw(k) for k in sizes]
    starts = _starts(forms, patches, sizes)
    paths = len(starts[0])
    owner = np.repeat(np.arange(count), paths)
    z = [np.tile(block, (count, 1)) for block in starts]
    twist = np.exp(2j * np.pi * random.uniform())
    begin = [twist * _products(forms, i, sizes)[None] for i in range(n)]
    system = _System(sizes, [t.astype(np.complex128) for t in tensors], begin, patches)
    arrived = system.follow(z, owner)
    totals = [block.sum(axis=1, keepdims=True) for block in z]
    finite = np.all(
        [np.abs(t[:, 0]) > 1e-7 * np.abs(b).max(axis=1) for t, b in zip(totals, z, strict=True)],
        axis=0,
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        points = tuple(b / t for b, t in zip(z, totals, strict=True))
    return Endpoints(owner, points, finite, arrived)


def _starts(
    forms: dict[tuple[int, int, int], Complex], patches: list[Complex], sizes: Sequence[int]
) -> list[Complex]:
    """The start system's solutions: in each block, the point where its linear forms vanish."""
    n = len(sizes)
    found: list[list[Complex]] = [[] for _ in range(n)]
    for chosen in assignments(sizes):
        rows: list[list[Complex]] = [[] for _ in range(n)]
        for i, blocks in enumerate(chosen):
            for r, j in enumerate(blocks):
                rows[j].append(forms[i, r, j])
        for j in range(n):
            matrix = np.array([*rows[j], patches[j]])
            found[j].append(np.linalg.solve(matrix, np.eye(sizes[j])[-1].astype(complex)))
    return [np.array(block).reshape(-1, k) for block, k in zip(found, sizes, strict=True)]


def _products(forms: dict[tuple[int, int, int], Complex], i: int, sizes: Sequence[int]) -> Complex:
    """Player i's start conditions as tensors of shape (k_i - 1, k_j for the other j)."""
    others = [j for j in range(len(sizes)) if j != i]
    made = np.empty((sizes[i] - 1, *[sizes[j] for j in others]), dtype=np.complex128)
    for r in range(sizes[i] - 1):
        tensor: Any = np.ones(())
        for j in others:
            tensor = np.multiply.outer(tensor, forms[i, r, j])
        made[r] = tensor
    return made


class _System:
    """The homotopy (1 - t) start + t target over batches of paths; blocks z are changed in place."""

    def __init__(
        self,
        sizes: Sequence[int],
        target: list[Complex],
        start: list[Complex],
        patches: list[Complex],
    ) -> None:
        self.sizes, self.target, self.start, self.patches = list(sizes), target, start, patches
        self.ends = np.cumsum(sizes)
        self.total = int(sum(sizes))

    def evaluate(
        self, z: list[Complex], t: NDArray[np.float64], owner: NDArray[np.intp]
    ) -> tuple[Complex, Complex, Complex]:
        """H, its Jacobian in z, and its derivative in t; rows are conditions, then patches."""
        n, paths = len(self.sizes), len(t)
        H = np.empty((paths, self.total), dtype=np.complex128)
        J = np.zeros((paths, self.total, self.total), dtype=np.complex128)
        Ht = np.zeros((paths, self.total), dtype=np.complex128)
        row = 0
        for i in range(n):
            rows = slice(row, row + self.sizes[i] - 1)
            row = rows.stop
            if rows.start == rows.stop:
                continue
            others = [j for j in range(n) if j != i]
            shape = (paths, *[1] * (n))
            target, start = self.target[i][owner], self.start[i]
            weight = t.reshape(shape)
            tensor = (1 - weight) * start + weight * target
            blocks = [z[j] for j in others]
            H[:, rows] = contract(tensor, blocks)
            Ht[:, rows] = contract(target - start, blocks)
            for place, j in enumerate(others):
                columns = slice(self.ends[j] - self.sizes[j], self.ends[j])
                J[:, rows, columns] = contract(tensor, blocks, skip=place)
        for j in range(n):
            columns = slice(self.ends[j] - self.sizes[j], self.ends[j])
            H[:, row] = z[j] @ self.patches[j] - 1
            J[:, row, columns] = self.patches[j]
            row += 1
        return H, J, Ht

    def split(self, flat: Complex) -> list[Complex]:
        """Blocks of a flat vector of unknowns."""
        return [flat[:, e - k : e] for e, k in zip(self.ends, self.sizes, strict=True)]

    def follow(self, z: list[Complex], owner: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Lead every path from t = 0 to t = 1; says which arrived."""
        flat = np.concatenate(z, axis=1)
        t = np.zeros(len(flat))
        step = np.full(len(flat), 0.05)
        going = np.arange(len(flat))
        streak = np.zeros(len(flat), dtype=int)
        for _ in range(MOST_STEPS):
            if not going.size:
                break
            h = np.minimum(step[going], 1 - t[going])
            here, who = flat[going], owner[going]
            guess = self._predict(here, t[going], h, who)
            there = t[going] + h
            guess, good = self._correct(guess, there, who)
            moved = going[good]
            flat[moved], t[moved] = guess[good], there[good]
            streak[moved] += 1
            longer = moved[streak[moved] >= 3]
            step[longer] = np.minimum(2 * step[longer], 0.2)
            streak[longer] = 0
            failed = going[~good]
            step[failed] /= 2
            streak[failed] = 0
            lost = step[going] < SMALLEST_STEP
            going = going[~lost & (t[going] < 1)]
        for block, value in zip(z, self.split(flat), strict=True):
            block[:] = value
        arrived: NDArray[np.bool_] = t >= 1
        return arrived

    def _slope(self, x: Complex, t: NDArray[np.float64], owner: NDArray[np.intp]) -> Complex:
        _, J, Ht = self.evaluate(self.split(x), t, owner)
        return -_solved(J, Ht)

    def _predict(
        self, x: Complex, t: NDArray[np.float64], h: NDArray[np.float64], owner: NDArray[np.intp]
    ) -> Complex:
        """A Runge-Kutta step of fourth order along the path."""
        s = h[:, None]
        k1 = self._slope(x, t, owner)
        k2 = self._slope(x + s / 2 * k1, t + h / 2, owner)
        k3 = self._slope(x + s / 2 * k2, t + h / 2, owner)
        k4 = self._slope(x + s * k3, t + h, owner)
        predicted: Complex = x + s / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return predicted

    def _correct(
        self, x: Complex, t: NDArray[np.float64], owner: NDArray[np.intp]
    ) -> tuple[Complex, NDArray[np.bool_]]:
        """Three Newton corrections; good are those whose last one is small, and no first one large."""
        for turn in range(3):
            H, J, _ = self.evaluate(self.split(x), t, owner)
            change = _solved(J, H)
            x = x - change
            size = np.abs(change).max(axis=1) / np.maximum(np.abs(x).max(axis=1), 1e-300)
            if turn == 0:
                first = size
        with np.errstate(invalid="ignore"):
            good = (size < TRACKED) & (first < 1e-2)
        return x, good


def contract(tensor: Any, blocks: Sequence[Any], skip: int = -1) -> Any:
    """Tensors (path, r, a, b, ...) times a vector in each block, but for the block to skip."""
    result = tensor
    for place in reversed(range(len(blocks))):
        if place == skip:
            continue
        vector = blocks[place]
        axis = 2 + place
        shape = [len(vector)] + [1] * (result.ndim - 1)
        shape[axis] = vector.shape[1]
        result = (result * vector.reshape(shape)).sum(axis=axis)
    return result


def _solved(matrix: Complex, right: Complex) -> Complex:
    """Solutions of a batch of systems; nan where a matrix is singular."""
    try:
        solution: Complex = np.linalg.solve(matrix, right[..., None])[..., 0].astype(complex)
        return solution
    except np.linalg.LinAlgError:
        made = np.full_like(right, np.nan)
        for k in range(len(matrix)):
            try:
                made[k] = np.linalg.solve(matrix[k], right[k])
            except np.linalg.LinAlgError:
                continue
        return made
