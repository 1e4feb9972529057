"""Cubic interpolation of values over one or two states, and its matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.game.parameters import Array


class Grid:
    """Nodes along one or two states; interpolation is by cubic splines, in logarithms if asked for.

    `points` has shape (node, state), the last state varying fastest.
    """

    def __init__(self, nodes: Sequence[Array], logarithmic: bool) -> None:
        self.nodes, self.logarithmic = tuple(nodes), logarithmic
        mesh = np.meshgrid(*self.nodes, indexing="ij")
        self.points = np.stack([m.ravel() for m in mesh], axis=1)
        self.shape = tuple(len(n) for n in self.nodes)
        self._axes = [self._scaled(n) for n in self.nodes]

    def _scaled(self, states: Array) -> Array:
        return np.log(states) if self.logarithmic else np.asarray(states, dtype=np.float64)

    def _clipped(self, states: Array) -> list[Array]:
        return [self._scaled(np.clip(states[:, d], n[0], n[-1])) for d, n in enumerate(self.nodes)]

    def factors(self, states: Array) -> list[Array]:
        """One matrix for each state, (case, node of its axis): interpolation is their product."""
        from scipy.interpolate import CubicSpline

        return [
            CubicSpline(axis, np.eye(len(axis)))(x)
            for axis, x in zip(self._axes, self._clipped(states), strict=True)
        ]

    def matrix(self, states: Array) -> Array:
        """The interpolation matrix: (case, node), to be multiplied with values at the nodes."""
        parts = self.factors(states)
        if len(parts) == 1:
            return np.asarray(parts[0])
        first, second = parts
        return np.asarray((first[:, :, None] * second[:, None, :]).reshape(len(states), -1))

    def interpolant(self, values: Array) -> Interpolant:
        """The spline through these values at the nodes."""
        return Interpolant(self, values)

    def linear(self, states: Array) -> Any:
        """The sparse matrix of (multi)linear interpolation, whose weights are never negative."""
        from scipy.sparse import csr_array

        rows = np.arange(len(states))
        columns, weights = np.zeros((len(states), 1), dtype=np.intp), np.ones((len(states), 1))
        for axis, x in zip(self._axes, self._clipped(states), strict=True):
            right = np.clip(np.searchsorted(axis, x), 1, len(axis) - 1)
            share = (x - axis[right - 1]) / (axis[right] - axis[right - 1])
            at, weight = np.stack([right - 1, right], 1), np.stack([1 - share, share], 1)
            columns = (columns[:, :, None] * len(axis) + at[:, None, :]).reshape(len(rows), -1)
            weights = (weights[:, :, None] * weight[:, None, :]).reshape(len(rows), -1)
        where = (np.repeat(rows, columns.shape[1]), columns.ravel())
        return csr_array((weights.ravel(), where), shape=(len(states), len(self.points)))


class Interpolant:
    """A cubic spline over a grid, called with states (case, state)."""

    def __init__(self, grid: Grid, values: Array) -> None:
        from scipy.interpolate import CubicSpline, RectBivariateSpline

        self.grid, self.values = grid, values
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            at = ", ".join(f"{v:g}" for v in grid.points[bad[0]])
            raise InvalidValueError(
                f"no action has a finite payoff in the state ({at}): the value is {values[bad[0]]:g} "
                "there; narrow the bounds of the states, or raise floor."
            )
        if len(grid.shape) == 1:
            self._one = CubicSpline(grid._axes[0], values)
        else:
            self._two = RectBivariateSpline(*grid._axes, values.reshape(grid.shape), s=0)

    def __call__(self, states: Array) -> Array:
        """The value of every state, shape (case,)."""
        axes = self.grid._clipped(states)
        if len(axes) == 1:
            return np.asarray(self._one(axes[0]))
        return np.asarray(self._two.ev(*axes))


def spaced(low: float, high: float, points: int, logarithmic: bool) -> Array:
    """Nodes evenly spaced, in logarithms if asked for; the ends are exact."""
    nodes = np.geomspace(low, high, points) if logarithmic else np.linspace(low, high, points)
    nodes[0], nodes[-1] = low, high
    return nodes
