"""The stage game in trust: the leader's payoff over threat, operating trust and own burden.

Solved by the batch kernel, never one plan at a time. Operating trust is given, so that the law of
motion does not matter here: the same table serves every law.
"""

from __future__ import annotations

import dataclasses
import math
from functools import cached_property
from typing import Any

import numpy as np

from alliancegame.errors import ConvergenceError, UnsupportedFormError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.payoff.form import Form
from alliancegame.solve import aggregative
from alliancegame.solve.aggregative import Batch
from alliancegame.solve.dynamic.law import Index

COARSE = 33
"""Own burdens tried before the best is refined; they lie denser where small."""
NARROW = 1 / 24
"""Half the width of the neighbourhood of a guess, as a share of the guess."""
ROUNDS = 5
NO_ANSWER = 1e-6
"""A gain in an ally's answer from which on it is none, where payoffs are not concave."""


def check_forms(game: BurdenSharingGame) -> None:
    """Raise `UnsupportedFormError` for forms that leave a period without one answer of the allies."""
    several = ""
    if game.technology != "ces":
        several = f"technology={game.technology!r}: allies have continua of answers, or several"
    elif game.shortfall == "trigger":
        several = 'shortfall="trigger": allies jump at their demand, with several answers or none'
    elif game.substitution > 1:
        several = f"substitution = {game.substitution:g} > 1: allies have several answers or none"
    if several:
        raise UnsupportedFormError(
            f"trust over time is not written for {several}, and a policy needs one in every period. "
            "compare(..., discount=) weighs a plan that is kept for ever in each of these forms; for "
            'paths use technology="ces" with substitution <= 1, and shortfall="proportional" or '
            '"logistic".'
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Stage:
    """One period of a game: allies, in groups with a common trust, answer a threat and a burden.

    `group` is the group of every member, shape (n,), -1 for the leader; `demand` and `tariff` (rates
    that are levied in every period, none by default) have shape (n,).
    """

    game: BurdenSharingGame
    group: Index
    demand: Array
    tariff: Array | None = None

    def __post_init__(self) -> None:
        check_forms(self.game)

    @cached_property
    def levy(self) -> Array:
        """chi_i T_i by member, shape (n,): what a tariff takes at most."""
        if self.tariff is None:
            return np.zeros(self.game.size)
        return np.asarray(self.game.by_member("trade_exposure") * self.tariff)

    @cached_property
    def form(self) -> Form:
        """The functional forms of the period."""
        game = self.game
        return Form(
            game.consumption, game.influence_value, game.substitution == 1, game.decisiveness == 1,
            game.influence, game.shortfall, bool(np.any(self.levy)),
        )  # fmt: skip

    @cached_property
    def concave(self) -> bool:
        """Whether payoffs are concave in the own burden, so that conditions make an answer."""
        return aggregative.concave_in_own_burden(self.game)

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
            self._plain, asked, demands, burden, unharmed=True, whole=whole, changes=changes,
            search=not self.concave, tariffs=self.tariff,
        )  # fmt: skip

    def payoff(self, threat: Array, trust: Array, burden: Array) -> Array:
        """The leader's payoff, shape (case,); minus infinity where allies have no answer."""
        batch = self.solve(threat, trust, burden)
        found = batch.leader_payoff
        answered = np.isfinite(found)
        if not self.concave:  # The conditions hold, and somebody may gain by a step all the same.
            answered &= batch.column("regret") <= NO_ANSWER
        return np.where(answered, found, -np.inf)

    def regret(self, threat: Array, trust: Array, batch: Batch) -> float:
        """The largest gain of an ally in any of the cases of a `batch` with member arrays.

        By the bound of concave payoffs, or by a scan of every action set.
        """
        if self.concave:
            return float(np.nanmax(batch.column("regret")))
        asked = np.asarray(threat, dtype=np.float64).reshape(len(trust), -1)
        picked = (
            self.group[self._allies] if asked.shape[1] > 1 else np.zeros(len(self._allies), int)
        )
        ceiling, largest = self.game.by_member("trust_ceiling"), 0.0
        still: dict[str, Any] = {
            "decay": 0.0,
            "contagion": 0.0,
            "scarring": 0.0,
            "tariff_decay": 0.0,
        }
        for k, burdens in enumerate(batch.burden):
            if not np.isfinite(burdens).all():
                return math.inf
            by_member = np.zeros((2, self.game.size))
            standing = np.minimum(trust[k, self.group[self._allies]], 1.0)  # Rounding apart it is.
            by_member[0, self._allies] = standing * ceiling[self._allies]
            by_member[1, self._allies] = asked[k, picked]
            plan = Plan(
                by_member[1], self.demand, float(burdens[self.game.members.leader_index]),
                0.0 if self.tariff is None else self.tariff,
            )  # fmt: skip
            period = self._plain.replace(trust=by_member[0], **still)
            largest = max(
                largest, float(aggregative.best_deviations(period, burdens, plan).gain.max())
            )
        return largest

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

    def require_answers(self, threat: Array, trust: Array, top: Array) -> None:
        """Raise `ConvergenceError` where allies, whose payoffs are not concave, have no answer."""
        lost = np.flatnonzero(~np.isfinite(top))
        if self.concave or not lost.size:
            return
        k = lost[0]
        raise ConvergenceError(
            f"no answer of the allies was found under threat {np.max(threat[k]):.3g} at trust "
            f"{np.min(trust[k]):.3g} of its ceiling: payoffs are not concave, and allies may have none, or "
            "jump from one to another. A policy needs one at every trust: make the shortfall more gradual "
            "(width), or lower decisiveness or the demand."
        )

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
        stage.require_answers(threat, level[:, None], values)
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
