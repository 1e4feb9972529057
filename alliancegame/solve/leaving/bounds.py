"""What every inner equilibrium of many alliances at once must satisfy: proved intervals.

A family of alliances is given by who is surely in, surely out, or open. In each equilibrium of each
alliance of the family every burden is the best reply to the others'. From intervals for the others
follow intervals for the best reply, since a marginal payoff falls in the own burden and moves in a
known direction with each of the three things that a member faces: Z (other allies' forces), w (the
umbrella) and C (others' pull in council). Repeating this narrows the intervals; they stay valid.
From them follow bounds on what an ally gets as a member, and so on who can possibly stay or leave.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.parameters import Array
from alliancegame.solve.aggregative import concave_in_own_burden
from alliancegame.solve.leaving.roster import Roster

IN, OPEN, OUT = 1, 0, -1
HALVINGS = 44
"""Closes any range of burdens to 1e-14; both ends of what is left stay outside the root."""
COARSE = 28
"""The same while intervals are narrowed: to 1e-9."""
SWEEPS = 24
ENOUGH = 1e-7
"""Intervals that narrow by less than this in one sweep, relative to burdens, are left as they are."""
ROOM = 1e-9
"""Allowance for rounding in a bound on a payoff."""

Status = NDArray[np.int8]
Ends = tuple[Array, Array]


@dataclasses.dataclass(frozen=True, eq=False)
class Family:
    """Families of alliances: `status` (family, ally) of IN, OPEN, OUT, and intervals for burdens.

    `low`, `high` have shape (family, ally); the leader's `lead_low`, `lead_high` (family,).
    """

    status: Status
    low: Array
    high: Array
    lead_low: Array
    lead_high: Array

    def take(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Family:
        """Some of the families."""
        return Family(*(getattr(self, f.name)[chosen] for f in dataclasses.fields(self)))


def joined(parts: list[Family]) -> Family:
    """Several lists of families in one."""
    names = [f.name for f in dataclasses.fields(Family)]
    return Family(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def not_covered(roster: Roster) -> str:
    """Why nothing can be bounded for this game and plan, in words; empty if it can."""
    game, plan = roster.game, roster.plan
    if game.influence != "council" or game.shortfall != "proportional":
        return "bounds hold for council influence and proportional shortfalls only"
    if plan.taxed:
        return "bounds do not cover tariffs"
    if not 0 < game.substitution <= 1:
        return "bounds need 0 < substitution <= 1"
    if not concave_in_own_burden(game):
        return "bounds need payoffs that are concave in the own burden"
    if plan.pressure and game.trust_law.contagion and game.horizon != "impact":
        return "bounds do not cover contagion of distrust in the long run"
    return ""


class Bounds:
    """The bounds of one roster; see `not_covered` for where they hold."""

    def __init__(self, roster: Roster) -> None:
        game = self.game = roster.game
        self.roster, self.plan = roster, roster.plan
        places, lead = roster.allies, roster.lead
        spillin, umbrella = game.congested
        self.rho, self.m = game.substitution, game.decisiveness
        scale = game.by_member("effectiveness") * game.by_member("gdp")

        def allied(name: str) -> Array:
            values: Array = game.by_member(name)[places]
            return values

        self.scale, self.lead_scale = scale[places], float(scale[lead])
        self.theta, self.alpha = allied("security_weight"), allied("influence_weight")
        self.private, self.weight = allied("private_weight"), allied("council_weight")
        self.floor, self.ceiling = allied("burden_min"), allied("burden_max")
        self.spill = spillin[places] ** self.rho
        self.umbrella = umbrella[places]
        threat = self.plan.threat_by_member(game.members)[places]
        self.demand = self.plan.demand_by_member(game.members)[places]
        self.bite = allied("credibility") * threat

    @cached_property
    def trust(self) -> Ends:
        """Operating trust of each ally in whatever alliance it is, least and most, shape (ally,)."""
        game, plan, roster = self.game, self.plan, self.roster
        calm = game.replace(contagion=0.0) if game.trust_law.contagion else game
        everybody = np.ones((1, roster.count), dtype=bool)
        most = Roster(calm, plan).solve(everybody).trust[0, roster.allies]
        if np.isnan(
            most
        ).any():  # Trust has gone in the full alliance: nothing is known of its law.
            most = np.maximum(game.by_member("trust"), game.by_member("trust_ceiling"))[
                roster.allies
            ]
            return np.zeros_like(most), most
        worst = plan.threat_by_member(game.members)[roster.allies].max() ** game.trust_law.curvature
        return most * np.exp(-game.trust_law.contagion * worst), most

    def whole(self) -> Family:
        """The family of all alliances."""
        low, high = (
            np.array([self.game.by_member(f"burden_{end}")[self.roster.lead]])
            for end in ("min", "max")
        )
        if self.plan.burden is not None:
            low = high = np.array([self.plan.burden])
        status = np.zeros((1, self.roster.count), dtype=np.int8)
        return Family(status, self.floor[None].copy(), self.ceiling[None].copy(), low, high)

    def narrowed(self, family: Family, sweeps: int = SWEEPS) -> Family:
        """Intervals narrowed by best replies to intervals, until they hardly move."""
        for _ in range(sweeps):
            before = family
            faced = self._faced(family)
            ends = self._root(faced)
            low = np.maximum(family.low, ends[0])
            high = np.minimum(family.high, ends[1])
            family = dataclasses.replace(family, low=low, high=np.maximum(high, low))
            if self.plan.burden is None:
                own = self._leader_reply(family)
                low = np.maximum(family.lead_low, own[0])
                high = np.maximum(np.minimum(family.lead_high, own[1]), low)
                family = dataclasses.replace(family, lead_low=low, lead_high=high)
            moved = max(
                float(np.max(before.high - before.low - family.high + family.low, initial=0.0)),
                float(np.max(before.lead_high - before.lead_low - family.lead_high
                             + family.lead_low, initial=0.0)),
            )  # fmt: skip
            if moved <= ENOUGH:
                break
        return family

    def values(self, family: Family) -> Ends:
        """Least and most that each ally can get as a member, shape (family, ally) each.

        For an ally inside that is its payoff there; for one outside, what joining would bring it.
        """
        z, w, c = self._faced(family)
        found = []
        for side in (0, 1):
            fixed = (z[side], z[side]), (w[side], w[side]), (c[1 - side], c[1 - side])
            low, high = self._root(fixed, HALVINGS)
            best = np.maximum(self._payoff(low, *fixed), self._payoff(high, *fixed))
            found.append(best + (2 * side - 1) * ROOM * (1 + np.abs(best)))
        return found[0], found[1]

    def _faced(self, family: Family) -> tuple[Ends, Ends, Ends]:
        """Least and most of Z, w and C that each ally can face, shape (family, ally)."""
        surely, maybe = family.status == IN, family.status != OUT
        low, high = self.scale * family.low, self.scale * family.high
        z = self._others(np.where(surely, low**self.rho, 0), np.where(maybe, high**self.rho, 0))
        pull = self._others(
            np.where(surely, self.weight * low**self.m, 0),
            np.where(maybe, self.weight * high**self.m, 0),
        )
        trust, mean = self.trust, self._mean_trust(maybe)
        lead = self.game.by_member("council_weight")[self.roster.lead]
        forces = self.lead_scale * family.lead_low, self.lead_scale * family.lead_high
        w = tuple(
            (self.umbrella * r * g[:, None]) ** self.rho for r, g in zip(trust, forces, strict=True)
        )
        c = tuple(
            p + lead * t * g[:, None] ** self.m for p, t, g in zip(pull, mean, forces, strict=True)
        )
        return z, (w[0], w[1]), (c[0], c[1])

    @staticmethod
    def _others(low: Array, high: Array) -> Ends:
        """Sums over all but the ally itself, rounded outwards."""
        least = low.sum(axis=1, keepdims=True) - low
        most = high.sum(axis=1, keepdims=True) - high
        slack = 1e-13 * high.sum(axis=1, keepdims=True)
        return np.maximum(least - slack, 0.0), most + slack

    def _mean_trust(self, maybe: NDArray[np.bool_]) -> Ends:
        """Least and most of mean trust in an alliance with each ally, shape (family, ally)."""
        least, most = self.trust
        low = np.where(maybe, least, np.inf).min(axis=1, keepdims=True)
        high = np.where(maybe, most, -np.inf).max(axis=1, keepdims=True)
        return np.minimum(low, least), np.maximum(high, most)

    def _root(self, faced: tuple[Ends, Ends, Ends], halvings: int = COARSE) -> Ends:
        """Where the least and the largest marginal payoff change sign: brackets of all best replies."""
        z, w, c = faced
        shape = np.broadcast_shapes(z[0].shape, w[0].shape, c[0].shape)
        ends = []
        for side in (0, 1):
            low, high = (np.broadcast_to(end, shape) for end in (self.floor, self.ceiling))
            for _ in range(halvings):
                middle = 0.5 * (low + high)
                rising = self._marginal(middle, z, w, c, side) > 0
                low, high = np.where(rising, middle, low), np.where(rising, high, middle)
            ends.append((low, high)[side])
        return ends[0], ends[1]

    def _marginal(self, x: Array, z: Ends, w: Ends, c: Ends, side: int) -> Array:
        """The least (side 0) or largest (1) marginal payoff of allies at burdens x."""
        pick = (np.minimum, np.maximum)[side]
        g = self.scale * x
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            below = x < self.demand
            kept = 1 - np.where(below, self.bite * (1 - x / self.demand), 0.0)
            gained = np.where(below, self.bite / self.demand, 0.0)
            own = g**self.rho + self.spill * z[1 - side]  # More forces of others: less is gained.
            front = g ** (self.rho - 1) * self.scale
            parts = [
                (front + v * kept ** (self.rho - 1) * gained) / (own + v * kept**self.rho)
                for v in w
            ]
            total = np.where(self.theta > 0, self.theta * pick(*parts), 0.0)
            pull = self.weight * g**self.m
            total = total + np.where(
                self.alpha > 0, self.alpha * self._influence_slope(x, pull, c, side), 0.0
            )
            total = total + np.where(self.private > 0, self.private / x, 0.0)
            cost = 1 / (1 - x) if self.game.consumption == "log" else 1.0
        return np.asarray(
            np.nan_to_num(total, nan=np.inf if side else -np.inf, posinf=np.inf) - cost
        )

    def _influence_slope(self, x: Array, pull: Array, c: Ends, side: int) -> Array:
        """D v(p) / d x at the worst or best C; p = pull / (pull + C)."""
        if self.game.influence_value == "log":
            faced = c[side]
            return np.asarray(self.m / x * faced / (pull + faced))
        p = pull / (pull + c[1]), pull / (pull + c[0])
        spread = [q * (1 - q) for q in p]
        if side == 0:
            best = np.minimum(*spread)
        else:
            best = np.where((p[0] <= 0.5) & (p[1] >= 0.5), 0.25, np.maximum(*spread))
        return np.asarray(self.m / x * best)

    def _payoff(self, x: Array, z: Ends, w: Ends, c: Ends) -> Array:
        """An ally's payoff at burdens x; Z, w and C are single values (both ends equal)."""
        g = self.scale * x
        with np.errstate(divide="ignore", invalid="ignore"):
            kept = 1 - np.where(x < self.demand, self.bite * (1 - x / self.demand), 0.0)
            power = g**self.rho + self.spill * z[0] + w[0] * kept**self.rho
            pull = self.weight * g**self.m
            p = pull / (pull + c[0])
            value = np.log(p) if self.game.influence_value == "log" else p
            total = np.log1p(-x) if self.game.consumption == "log" else 1 - x
            total = total + np.where(self.theta > 0, self.theta * np.log(power) / self.rho, 0.0)
            total = total + np.where(self.alpha > 0, self.alpha * value, 0.0)
            total = total + np.where(self.private > 0, self.private * np.log(x), 0.0)
        return np.nan_to_num(total, nan=-np.inf, neginf=-np.inf)

    def _leader_reply(self, family: Family) -> Ends:
        """Brackets of the leader's best reply, shape (family,)."""
        game, lead = self.game, self.roster.lead
        surely, maybe = family.status == IN, family.status != OUT
        low, high = self.scale * family.low, self.scale * family.high
        least, most = self.trust
        t_low = np.where(maybe, least, np.inf).min(axis=1, initial=np.inf)
        t_high = np.where(maybe, most, -np.inf).max(axis=1, initial=-np.inf)
        t_low, t_high = np.minimum(t_low, 1.0), np.maximum(t_high, 0.0)
        z = (
            np.where(surely, low**self.rho, 0).sum(axis=1) * (1 - 1e-13),
            np.where(maybe, high**self.rho, 0).sum(axis=1) * (1 + 1e-13),
        )
        returned = [game.return_spillin * t**game.cohesion for t in (t_low, t_high)]
        z = z[0] * returned[0] ** self.rho, z[1] * returned[1] ** self.rho
        pull = (
            np.where(surely, self.weight * low**self.m, 0).sum(axis=1) * (1 - 1e-13),
            np.where(maybe, self.weight * high**self.m, 0).sum(axis=1) * (1 + 1e-13),
        )
        theta, alpha, private, weight, floor, ceiling = (
            float(game.by_member(name)[lead])
            for name in ("security_weight", "influence_weight", "private_weight",
                         "council_weight", "burden_min", "burden_max")
        )  # fmt: skip
        ends = []
        for side in (0, 1):
            left, right = np.full(len(z[0]), floor), np.full(len(z[0]), ceiling)
            for _ in range(COARSE):
                x = 0.5 * (left + right)
                g = self.lead_scale * x
                total = private / x - (1 / (1 - x) if game.consumption == "log" else 1.0)
                total += theta * g ** (self.rho - 1) * self.lead_scale / (g**self.rho + z[1 - side])
                if alpha > 0:
                    total += (
                        alpha
                        * self.m
                        / x
                        * self._leader_rivalry(weight * g**self.m, (t_low, t_high), pull, side)
                    )
                left, right = np.where(total > 0, x, left), np.where(total > 0, right, x)
            ends.append((left, right)[side])
        return ends[0], ends[1]

    def _leader_rivalry(self, own: Array, trust: Ends, pull: Ends, side: int) -> Array:
        """Least or largest of 1 - p (log) or p (1 - p) for the leader."""
        with np.errstate(divide="ignore", invalid="ignore"):
            rest = [
                np.nan_to_num(c / (t * own + c))
                for t, c in ((trust[1], pull[0]), (trust[0], pull[1]))
            ]
        if self.game.influence_value == "log":
            return rest[side]
        spread = [q * (1 - q) for q in rest]
        if side == 0:
            return np.minimum(*spread)
        return np.where((rest[0] <= 0.5) & (rest[1] >= 0.5), 0.25, np.maximum(*spread))
