"""Whom the leader executes all over a box of an ally's burden: decided by intervals, or left open.

An ally i moves over a box, the others stay. With V1 and V0 the leader's best payoffs with and without
executing it, V1 - V0 is at least what executing i adds to a best choice without it, and at most what it
adds to a best choice with it, i taken out. What one more execution adds falls with what is saved and
with what is lost already (`execution`), so that sets known to contain, or to be contained in, those best
choices bound it. They are found by the same two rules that decide the choice itself, on the box. The
same holds where the leader moves; what is open then adds no more than the sum of what each adds alone.
For rho < 0 everything is executed.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.payoff.intervals import Interval
from alliancegame.solve import measures
from alliancegame.solve.leader.execution import Mask, Stakes, stakes_at

Index = NDArray[np.intp]

SLACK = 1e-10
"""Gains are compared beyond this share of their terms, far more than rounding."""


@dataclasses.dataclass(frozen=True, eq=False)
class Deciding:
    """The leader's choice around a profile: what is at stake there, (1, n) and (1,)."""

    game: BurdenSharingGame
    plan: Plan
    x: Array
    stakes: Stakes

    @classmethod
    def of(cls, game: BurdenSharingGame, plan: Plan, x: Array, mean: float) -> Deciding:
        """At a profile of shape (n,), the allies' mean trust given."""
        return cls(game, plan, x, stakes_at(game, plan, x[None], mean))

    def status(self, who: Index, box: Interval) -> NDArray[np.int64]:
        """1 where `who` (box,) is executed at every burden of its box, -1 where at none, 0 elsewhere."""
        stakes = self.stakes
        if stakes.settled:
            return np.full(len(who), -1, dtype=np.int64)
        if stakes.rho < 0:
            return np.ones(len(who), dtype=np.int64)
        facts = _Boxes.of(self, who, box)
        low = facts.added(*facts.sets(executed=False), least=True)
        high = facts.added(*facts.sets(executed=True), least=False)
        return np.asarray(np.where(low >= 0, 1, np.where(high < 0, -1, 0)))

    def around(self, box: Interval) -> tuple[Mask, Mask, Array]:
        """When the leader moves over boxes: a set that its choice contains, and one that contains it.

        And what the rest of the second could add to the first at most, (box,).
        """
        stakes, count = self.stakes, len(box[0])
        if stakes.settled or stakes.rho < 0:
            chosen = np.tile((stakes.bite > 0) & (not stakes.settled), (count, 1))
            return chosen, chosen, np.zeros(count)
        facts = _Boxes.of_leader(self, box)
        sure, possible = facts.sets(executed=False)
        return sure, possible, facts.more(sure, possible)


@dataclasses.dataclass(frozen=True, eq=False)
class _Boxes:
    """Ends over boxes: what the moving ally and the others save, lose, and keep; the leader's rest."""

    log: bool
    theta: float
    rho: float
    returned: float
    own: Interval
    left: Interval
    others_saved: Array
    others_lost: Array
    others_power: Array
    saved: Interval
    lost: Interval
    power: Interval

    @classmethod
    def of(cls, at: Deciding, who: Index, box: Interval) -> _Boxes:
        game, plan, stakes = at.game, at.plan, at.stakes
        n, rows = game.size, np.arange(len(who))
        gdp, lead = game.by_member("gdp"), game.members.leader_index
        demand = plan.demand_by_member(game.members)
        believed = plan.threat_by_member(game.members) * game.by_member("credibility")
        scale = game.by_member("effectiveness") * gdp

        def moved(own: Array) -> Array:
            if (
                game.shortfall == "trigger"
            ):  # Below the demand, where the box is up to its closed end.
                own = np.minimum(own, np.nextafter(demand[who], 0.0))
            profile = np.tile(at.x, (len(who), 1))
            profile[rows, who] = own
            return profile

        ends = box
        most, least = (
            believed[who] * measures.shortfalls(game, moved(end), demand)[rows, who] for end in ends
        )
        q = least, most
        power = tuple((scale[who] * end) ** stakes.rho for end in ends)
        rate = game.execution_saving * gdp[who] / gdp[lead]
        left = np.full(len(who), 1 - at.x[lead]), np.full(len(who), 1 - at.x[lead])
        if plan.taxed:
            tariffs = plan.tariff_by_member(game.members)
            made = [measures.tariff_revenue(game, moved(end), demand, tariffs) for end in ends]
            wide = np.minimum(*made), np.maximum(*made)
            left = left[0] + wide[0], left[1] + wide[1]
        mask = np.arange(n)[None] != who[:, None]
        mask[:, lead] = False
        forces = (scale * np.maximum(at.x, 0.0)) ** stakes.rho
        return cls(
            stakes.log, stakes.theta, stakes.rho, float(stakes.returned[0]),
            (forces[lead], forces[lead]), left,
            np.where(mask, stakes.saved, 0.0), np.where(mask, stakes.lost, 0.0),
            np.where(mask, forces[None], 0.0), (rate * q[0], rate * q[1]),
            (q[0] * power[0], q[1] * power[1]), power,
        )  # fmt: skip

    @classmethod
    def of_leader(cls, at: Deciding, box: Interval) -> _Boxes:
        """The same when the leader moves, and no ally."""
        game, stakes, count = at.game, at.stakes, len(box[0])
        lead, scale = game.members.leader_index, measures.contributions(game, np.ones(game.size))
        none = np.zeros(count)
        idle = none, none
        own = tuple((scale[lead] * end) ** stakes.rho for end in box)
        others = np.arange(game.size) != lead
        forces = np.where(others, (scale * np.maximum(at.x, 0.0)) ** stakes.rho, 0.0)
        base = float(stakes.left[0]) + at.x[lead]
        wide = (count, game.size)
        return cls(
            stakes.log, stakes.theta, stakes.rho, float(stakes.returned[0]), own,
            (base - box[1], base - box[0]), np.broadcast_to(stakes.saved, wide),
            np.broadcast_to(stakes.lost, wide), np.broadcast_to(forces, wide), idle, idle, idle,
        )  # fmt: skip

    def more(self, sure: Mask, possible: Mask) -> Array:
        """What executing more than the sure ones adds at most: the sum of what each adds alone, (box,)."""
        saved = (self.others_saved * sure).sum(axis=1, keepdims=True)
        alone = self.marginal(
            self.others_saved, self.others_lost, self.left[0][:, None] + saved,
            self.rest(sure, False, True)[:, None], False,
        )  # fmt: skip
        open_ = possible & ~sure
        return np.asarray(np.where(open_, np.maximum(alone, 0.0), 0.0).sum(axis=1))

    def rest(self, chosen: Mask, executed: bool, high: bool) -> Array:
        """The leader's S^rho when the chosen of the others are executed: an end of it, (box,)."""
        kept = (self.others_power - self.others_lost * chosen).sum(axis=1)
        own = self.power[int(high)]
        if executed:
            gone = self.lost[int(not high)]
            own = np.maximum(own - gone, 0.0)
        return np.asarray(self.own[int(high)] + self.returned * (kept + own))

    def marginal(self, saved: Array, lost: Array, left: Array, rest: Array, lowest: bool) -> Array:
        """What an execution adds, with slack towards the end that is asked for."""
        with np.errstate(all="ignore"):
            first = np.log1p(saved / left) if self.log else saved + 0.0 * left
            second = np.zeros_like(first)
            if self.theta > 0:
                share = self.returned * lost / rest
                second = self.theta / self.rho * np.log1p(-np.minimum(share, 1.0))
                second = np.where(self.returned * lost == 0, 0.0, second)
            slack = SLACK * (np.abs(first) + np.abs(second))
            found = first + second + np.where(lowest, -slack, slack)
        return np.asarray(np.where(np.isnan(found), -np.inf if lowest else np.inf, found))

    def sets(self, executed: bool) -> tuple[Mask, Mask]:
        """(sure, possible) of the others' best choice, the moving ally executed or not; (box, n)."""
        threatened = (self.others_saved > 0) | (self.others_lost > 0)
        sure = np.zeros(threatened.shape, dtype=bool)
        possible = np.asarray(threatened)
        base = self.saved if executed else (np.zeros_like(self.saved[0]),) * 2
        for _ in range(threatened.shape[1]):
            open_ = possible & ~sure
            if not open_.any():
                break
            most_saved = (self.others_saved * possible).sum(axis=1, keepdims=True)
            least = self.marginal(
                self.others_saved, self.others_lost,
                (self.left[1] + base[1])[:, None] + most_saved - self.others_saved,
                self.rest(possible, executed, False)[:, None] + self.returned * self.others_lost, True,
            )  # fmt: skip
            some_saved = (self.others_saved * sure).sum(axis=1, keepdims=True)
            most = self.marginal(
                self.others_saved, self.others_lost, (self.left[0] + base[0])[:, None] + some_saved,
                self.rest(sure, executed, True)[:, None], False,
            )  # fmt: skip
            takes = open_ & (least >= 0)
            drops = open_ & ~takes & (most <= 0)  # Some best choice does without.
            if not (takes.any() or drops.any()):
                break
            sure, possible = np.asarray(sure | takes), np.asarray(possible & ~drops)
        return sure, possible

    def added(self, sure: Mask, possible: Mask, *, least: bool) -> Array:
        """A bound on what executing the moving ally adds to the others' best choice, (box,)."""
        chosen = possible if least else sure
        saved = (self.others_saved * chosen).sum(axis=1)
        return self.marginal(
            self.saved[int(not least)], self.lost[int(least)],
            self.left[int(least)] + saved, self.rest(chosen, False, not least), least,
        )  # fmt: skip
