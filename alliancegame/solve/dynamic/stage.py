"""The stage game in trust: the leader's payoff over threat, operating trust and own burden.

Solved by the batch kernel, never one plan at a time. Operating trust is given, so that the law of
motion does not matter here: the same table serves every law.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

import numpy as np

from alliancegame.game.checks import check_plain_forms
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.solve import aggregative
from alliancegame.solve.aggregative import Batch
from alliancegame.solve.dynamic.law import Index

COARSE = 33
"""Own burdens tried before the best is refined; they lie denser where small."""
NARROW = 1 / 24
"""Half the width of the neighbourhood of a guess, as a share of the guess."""
ROUNDS = 5


@dataclasses.dataclass(frozen=True, eq=False)
class Stage:
    """One period of a game: allies, in groups with a common trust, answer a threat and a burden.

    `group` is the group of every member, shape (n,), -1 for the leader; `demand` has shape (n,).
    """

    game: BurdenSharingGame
    group: Index
    demand: Array

    def __post_init__(self) -> None:
        check_plain_forms(self.game, "trust over time")

    @cached_property
    def _plain(self) -> BurdenSharingGame:
        return self.game.replace(horizon="impact")

    @cached_property
    def _allies(self) -> Index:
        return np.flatnonzero(self.group >= 0)

    def trust_by_member(self, trust: Array) -> Array:
        """Operating trust by member from shares of ceilings by group; 0 for the leader."""
        whole = np.zeros((len(trust), self.game.size))
        ceiling = self.game.by_member("trust_ceiling")
        whole[:, self._allies] = trust[:, self.group[self._allies]] * ceiling[self._allies]
        return whole

    def solve(self, threat: Array, trust: Array, burden: Array, whole: bool = False) -> Batch:
        """The allies' answers: threats (case,) or (case, group), trust (case, group), burdens (case,)."""
        trust = np.asarray(trust, dtype=np.float64)
        changes: dict[Any, Array] = {}
        ceiling = self.game.by_member("trust_ceiling")[self._allies]
        if trust.shape[1] == 1 and np.ptp(ceiling) == 0:
            changes["trust"] = trust[:, 0] * ceiling[0]
        else:
            by_member = self.trust_by_member(trust)
            for i in self._allies:
                changes["trust", self.game.members[i]] = by_member[:, i]
        asked = np.asarray(threat, dtype=np.float64)
        if asked.ndim == 2:
            threats = np.zeros((len(asked), self.game.size))
            picked = self.group[self._allies] if asked.shape[1] > 1 else 0
            threats[:, self._allies] = asked[:, picked] if asked.shape[1] > 1 else asked
            asked = threats
        demands = np.broadcast_to(self.demand, (len(burden), self.game.size))
        return aggregative.solve_plans(
            self._plain, asked, demands, burden, unharmed=True, whole=whole, changes=changes
        )

    def payoff(self, threat: Array, trust: Array, burden: Array) -> Array:
        """The leader's payoff, shape (case,); minus infinity where allies have no answer."""
        found = self.solve(threat, trust, burden).leader_payoff
        return np.where(np.isfinite(found), found, -np.inf)

    @property
    def burden_bounds(self) -> tuple[float, float]:
        """The leader's range of burdens."""
        lead = self.game.members.leader_index
        return (
            float(self.game.by_member("burden_min")[lead]),
            float(self.game.by_member("burden_max")[lead]),
        )

    def best(self, threat: Array, trust: Array, guess: Array | None = None) -> tuple[Array, Array]:
        """The leader's largest payoff over its own burden, and that burden; each (case,).

        Without a guess the whole range is scanned (COARSE points); then, or around the guess,
        parabolas narrow it down.
        """
        threat, trust = np.asarray(threat, dtype=np.float64), np.asarray(trust, dtype=np.float64)
        low, high = self.burden_bounds
        cases = len(trust)
        if guess is None:
            axis = low + (high - low) * np.linspace(0.0, 1.0, COARSE) ** 2
            values = self._lattice(threat, trust, np.broadcast_to(axis, (cases, COARSE)))
            at = values.argmax(axis=1)
            here, top = axis[at], values[np.arange(cases), at]
            below, above = axis[np.maximum(at - 1, 0)], axis[np.minimum(at + 1, COARSE - 1)]
            span = 0.5 * (above - below)
            rounds = ROUNDS + 2
        else:
            here, top = np.clip(guess, low, high), np.full(cases, -np.inf)
            span, rounds = NARROW * np.maximum(here, 1e-3 * (high - low)), ROUNDS
        return self._narrowed(threat, trust, here, top, span, rounds)

    def _narrowed(
        self, threat: Array, trust: Array, here: Array, top: Array, span: Array, rounds: int
    ) -> tuple[Array, Array]:
        """Climb by parabolas through three points that close in; the best point ever seen is kept."""
        low, high = self.burden_bounds
        rows = np.arange(len(here))
        for _ in range(rounds):
            centre = np.clip(here, low + span, high - span)
            points = centre[:, None] + span[:, None] * np.array([-1.0, 0.0, 1.0])
            values = self._lattice(threat, trust, points)
            with np.errstate(invalid="ignore", divide="ignore"):
                bend = values[:, 0] - 2 * values[:, 1] + values[:, 2]
                step = 0.5 * (values[:, 0] - values[:, 2]) / bend
            good = (bend < 0) & (np.abs(step) <= 2.0)
            vertex = np.clip(np.where(good, centre + step * span, here), low, high)
            points = np.concatenate([points, vertex[:, None]], axis=1)
            values = np.concatenate([values, self.payoff(threat, trust, vertex)[:, None]], axis=1)
            at = values.argmax(axis=1)
            better = values[rows, at] > top
            here = np.where(better, points[rows, at], here)
            top = np.where(better, values[rows, at], top)
            outside = np.abs(here - centre) >= 0.999 * span
            span = np.where(outside, span, span * np.where(good & (at == 3), 0.1, 0.3))
        return top, here

    def _lattice(self, threat: Array, trust: Array, burdens: Array) -> Array:
        """Payoffs of every case at each of its burdens, shape (case, points)."""
        cases, points = burdens.shape
        values = self.payoff(
            np.repeat(threat, points, axis=0), np.repeat(trust, points, axis=0), burdens.ravel()
        )
        return values.reshape(cases, points)


class StageTable:
    """The stage game with one common trust, tabulated: own burden maximised, cubic in between.

    `threats` has shape (a,), `levels` (trust as a share of the ceilings) shape (b,); `values` and
    `burdens` have shape (a, b). Levels are spaced evenly in logarithms.
    """

    def __init__(
        self,
        stage: Stage,
        lowest: float,
        highest: float = 1.0,
        most_threat: float = 1.0,
        points: tuple[int, int] = (65, 65),
    ) -> None:
        from scipy.interpolate import RectBivariateSpline

        self.stage = stage
        self.threats = np.linspace(0.0, most_threat, points[0])
        self.levels = np.geomspace(lowest, highest, points[1])
        threat, level = (a.ravel() for a in np.meshgrid(self.threats, self.levels, indexing="ij"))
        values, burdens = _tabulated(stage, self.threats, self.levels, threat, level)
        self.values = values.reshape(points)
        self.burdens = burdens.reshape(points)
        axis = np.log(self.levels)
        self._value = RectBivariateSpline(self.threats, axis, self.values, s=0)
        self._burden = RectBivariateSpline(self.threats, axis, self.burdens, s=0)

    def value(self, threat: Array, level: Array) -> Array:
        """The leader's best payoff, shape (case,)."""
        return np.asarray(self._value.ev(threat, self._axis(level)))

    def burden(self, threat: Array, level: Array) -> Array:
        """The burden that gives it, shape (case,); a guess for the exact one."""
        low, high = self.stage.burden_bounds
        return np.asarray(np.clip(self._burden.ev(threat, self._axis(level)), low, high))

    def _axis(self, level: Array) -> Array:
        return np.asarray(np.log(np.clip(level, self.levels[0], self.levels[-1])))


def _tabulated(
    stage: Stage, threats: Array, levels: Array, threat: Array, level: Array
) -> tuple[Array, Array]:
    """The whole table: a coarse one by full scans, from which the guesses of the fine one come.

    Where the fine value falls behind the coarse one the optimum has jumped, and the scan is full.
    """
    from scipy.interpolate import RegularGridInterpolator

    few = threats[:: max(len(threats) // 16, 1)]
    some = np.log(levels[:: max(len(levels) // 16, 1)])
    coarse_threat, coarse = (a.ravel() for a in np.meshgrid(few, some, indexing="ij"))
    top, own = stage.best(coarse_threat, np.exp(coarse)[:, None])
    shape = (len(few), len(some))
    options = {"method": "linear", "bounds_error": False, "fill_value": None}
    points = np.column_stack([threat, np.log(level)])
    guess = RegularGridInterpolator((few, some), own.reshape(shape), **options)(points)
    expected = RegularGridInterpolator((few, some), top.reshape(shape), **options)(points)
    values, burdens = stage.best(threat, level[:, None], guess)
    span = float(np.ptp(top[np.isfinite(top)])) if np.isfinite(top).any() else 0.0
    behind = ~(values >= expected - 0.01 * span)
    if behind.any():
        again, found = stage.best(threat[behind], level[behind][:, None])
        better = again > values[behind]
        values[behind] = np.where(better, again, values[behind])
        burdens[behind] = np.where(better, found, burdens[behind])
    return values, burdens
