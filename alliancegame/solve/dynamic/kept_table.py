"""Plans kept for ever by table: one lattice of the stage game serves every law and discount factor."""

from __future__ import annotations

import numpy as np

from alliancegame.game.parameters import Array
from alliancegame.solve.dynamic.law import Law
from alliancegame.solve.dynamic.stage import Stage, StageTable

POINTS = (41, 33, 13)
"""Threats, levels of trust and own burdens of the lattice."""
AROUND = 0.03
"""How far burdens reach beyond the best ones of single periods, as a share of them."""
SETTLED, LONGEST = 1e-10, 3000


class KeptTable:
    """The leader's payoff over threat, trust and own burden, shape POINTS; one trust for all allies.

    Own burdens reach from the least to the largest that is best in some period of `table`: a burden
    kept for ever is a compromise between such.
    """

    def __init__(self, stage: Stage, table: StageTable) -> None:
        low, high = stage.burden_bounds
        ends = table.burdens.min() * (1 - AROUND), table.burdens.max() * (1 + AROUND) + 1e-9
        self.threats = np.linspace(0.0, 1.0, POINTS[0])
        self.levels = np.geomspace(table.levels[0], table.levels[-1], POINTS[1])
        self.burdens = np.linspace(max(ends[0], low), min(ends[1], high), POINTS[2])
        threat, level, own = (
            axis.ravel()
            for axis in np.meshgrid(self.threats, self.levels, self.burdens, indexing="ij")
        )
        self.payoffs = stage.payoff(threat, level[:, None], own).reshape(POINTS)

    def best_threat(self, law: Law, discount: float) -> float:
        """The uniform threat that is best if it is kept for ever, with the best burden kept so."""
        from scipy.interpolate import CubicSpline

        weights = self._weights(law, discount)
        with np.errstate(invalid="ignore"):
            worth = np.einsum("kb,kbc->kc", weights, self.payoffs)
        worth[~np.isfinite(worth).all(axis=1)] = worth[np.isfinite(worth)].min()
        fine = np.linspace(self.burdens[0], self.burdens[-1], 201)
        tops = CubicSpline(self.burdens, worth, axis=1)(fine).max(axis=1)
        many = np.linspace(0.0, 1.0, 2001)
        return float(many[CubicSpline(self.threats, tops)(many).argmax()])

    def _weights(self, law: Law, discount: float) -> Array:
        """How much every level counts on the path under every threat: (threat, level)."""
        from scipy.interpolate import CubicSpline

        state = np.repeat(law.initial[None, :], len(self.threats), axis=0)
        levels, weight = [], []
        for t in range(LONGEST):
            levels.append(law.operating(state, self.threats)[:, 0])
            weight.append(discount**t)
            ahead = law.advance(state, self.threats)
            if np.abs(ahead - state).max() < SETTLED or weight[-1] < SETTLED:
                break
            state = ahead
        weight[-1] /= 1 - discount
        axis = np.log(self.levels)
        path = np.log(np.clip(np.array(levels), self.levels[0], self.levels[-1]))
        basis = CubicSpline(axis, np.eye(len(axis)))(path)
        return np.asarray(np.einsum("t,tkb->kb", weight, basis), dtype=np.float64)
