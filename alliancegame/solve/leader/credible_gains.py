"""What members gain by another burden when the leader decides about executions anew: scanned, proved.

An ally's payoff at a burden of its own is that with its threat where the leader would then execute it,
and that without elsewhere, which is never less. The leader's is the largest over all sets that it could
execute. Both are bounded on boxes of burdens by enclosures (`own_payoff`) and by what intervals say of
the leader's choice (`deciding`); branch and bound (`global_search`) then bounds the best deviation, jumps
included: where it is not decided whether an ally is executed, its payoff without the threat counts, and
where it is not decided whom the leader executes, what the open ones add alone.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.payoff import intervals as iv
from alliancegame.solve.global_search import Maximum, maximise_many
from alliancegame.solve.leader.credible_candidates import Index
from alliancegame.solve.leader.deciding import Deciding
from alliancegame.solve.leader.execution import Mask, execute, stakes_at
from alliancegame.solve.own_payoff import Facts, Functions

POINTS = 161
"""Burdens on each side of the demand at which deviations are scanned before the best is refined."""
NEAR = 28
"""Halvings of the distance to a demand, and to the burden itself, that a scan looks at."""
CLOSER = 7
"""Lattices of a scan, each 16 times finer: enough to come to a jump within rounding."""
TOLERANCE = 1e-11
"""How tightly best deviations are enclosed, in payoff."""
BUDGET = 4_000
"""Boxes for each piece of an action set."""


@dataclasses.dataclass(frozen=True, eq=False)
class Gains:
    """By member, (n,): what it could gain, the burden to go to, and whether the gain is a proved bound."""

    gain: Array
    reply: Array
    proved: NDArray[np.bool_]


class Deviating:
    """A profile under a plan; trust as solvers report it (the leader's entry is the allies' mean)."""

    def __init__(self, game: BurdenSharingGame, plan: Plan, x: Array, trust: Array) -> None:
        self.game, self.plan, self.x, self.trust = game, plan, np.asarray(x, dtype=float), trust
        self.lead = game.members.leader_index
        self.facts = Facts(game, plan, self.x, trust)
        self.mean = float(trust[self.lead])
        self.executed = execute(stakes_at(game, plan, self.x[None], self.mean))[0]
        self.groups: dict[Functions, list[int]] = {}
        for i in range(game.size):
            if i != self.lead:
                self.groups.setdefault(self.facts.functions(i, False), []).append(i)

    def scanned(self, points: int = POINTS) -> Gains:
        """The best deviations that a scan finds; 0 for a leader whose burden the plan names.

        A lattice over the whole action set, denser at small burdens, with the demand, drawn closer
        around its best point, and around the best at which the leader would spare an ally.
        """
        gain, reply = np.zeros(self.game.size), np.array(self.x)
        for functions, members in self.groups.items():
            who = np.array(members)
            self._scan(gain, reply, who, points, functools.partial(self._paid, functions, who))
        if self.plan.burden is None:
            self._scan(gain, reply, np.array([self.lead]), points, self._leads)
        return Gains(gain, reply, np.zeros(self.game.size, dtype=bool))

    def _scan(self, gain: Array, reply: Array, who: Index, points: int, paid: Any) -> None:
        low, high = (self.game.by_member(f"burden_{end}")[who] for end in ("min", "max"))
        demand = np.clip(self.facts.demand[who], low, high)
        share = np.linspace(0.0, 1.0, points) ** 2
        near = 0.5 ** np.arange(
            1, NEAR
        )  # Switches are often close below a demand, or to an answer.
        parts = [
            start[:, None] + (end - start)[:, None] * share
            for start, end in ((low, demand), (demand, high))
        ]
        parts += [
            middle[:, None] + (end - middle)[:, None] * near
            for middle in (demand, self.x[who])
            for end in (low, high)
        ]
        whole = np.sort(np.concatenate(parts, axis=1), axis=1)
        here = paid(self.x[who][:, None])[0][:, 0]
        best, where = np.array(here), np.array(self.x[who])
        rows = np.arange(len(who))
        first = paid(whole)
        for channel in range(len(first)):
            lattice = whole
            for turn in range(CLOSER):
                values = (paid(lattice) if turn else first)[channel]
                top = values.argmax(axis=1)
                better = values[rows, top] > best
                best = np.where(better, values[rows, top], best)
                where = np.where(better, lattice[rows, top], where)
                point = lattice[rows, top][:, None]  # Points may stand twice in a lattice.
                left = np.where(lattice < point, lattice, lattice[:, :1]).max(axis=1)
                right = np.where(lattice > point, lattice, lattice[:, -1:]).min(axis=1)
                lattice = left[:, None] + (right - left)[:, None] * np.linspace(0, 1, 33)
        with np.errstate(invalid="ignore"):
            gain[who] = np.where(np.isfinite(here), best - here, np.inf)
        reply[who] = where

    def _profiles(self, who: Index, own: Array) -> Array:
        """Profiles in which one member moves, (member, point, n)."""
        made = np.broadcast_to(self.x, (*own.shape, self.game.size)).copy()
        for row, i in enumerate(who):
            made[row, :, i] = own[row]
        return made

    def _paid(self, functions: Functions, who: Index, own: Array) -> tuple[Array, Array]:
        """Allies' payoffs at burdens of their own, (ally, point), executions chosen anew at each.

        And the same only where the leader spares the ally, -inf elsewhere.
        """
        profiles = self._profiles(who, own)
        stakes = stakes_at(self.game, self.plan, profiles.reshape(-1, self.game.size), self.mean)
        done = execute(stakes).reshape(profiles.shape)
        executed = np.array([done[row, :, i] for row, i in enumerate(who)])
        of = np.repeat(who[:, None], own.shape[1], axis=1)
        below = (own < self.facts.demand[who][:, None]).astype(float)
        bite = self.facts.numbers["bite"][of] * executed
        point = (own, own)
        found = functions.at(self.facts.boxes(functions, point, of, below, bite=bite))
        found = np.broadcast_to(found, own.shape)
        found = np.where(np.isnan(found), -np.inf, found)
        return found, np.where(executed, -np.inf, found)

    def _leads(self, own: Array) -> tuple[Array]:
        """The leader's payoff at burdens of its own, (1, point), executions chosen anew at each."""
        profiles = self._profiles(np.array([self.lead]), own)[0]
        stakes = stakes_at(self.game, self.plan, profiles, self.mean)
        functions = self.facts.functions(self.lead, True)
        of = np.full(own.shape, self.lead)
        base = functions.at(self.facts.boxes(functions, (own, own), of, np.zeros(own.shape)))
        found = np.broadcast_to(base, own.shape) + stakes.worth(execute(stakes))[None]
        return (np.where(np.isnan(found), -np.inf, found),)

    # --- Proofs ----------------------------------------------------------------------------------

    def proved(self) -> Gains:
        """Bounds on what everybody gains; the best that was found where the search did not end."""
        gain, reply = np.zeros(self.game.size), np.array(self.x)
        proved = np.ones(self.game.size, dtype=bool)
        for functions, members in self.groups.items():
            for i, found, now in self._allies(functions, members):
                self._note(gain, reply, proved, i, found, now)
        if self.plan.burden is None:
            found, now = self._leader()
            self._note(gain, reply, proved, self.lead, found, now)
        return Gains(gain, reply, proved)

    def _note(
        self, gain: Array, reply: Array, proved: Any, i: int, found: list[Maximum], now: float
    ) -> None:
        best = max(found, key=lambda piece: piece.value)
        sure = bool(found) and all(piece.proved for piece in found) and np.isfinite(now)
        reach = max(piece.bound for piece in found) if sure else best.value
        gain[i] = max(reach - now, 0.0) if np.isfinite(now) else np.inf
        proved[i] = sure
        if best.value > now and best.points.size:
            reply[i] = float(best.points[0])

    def _allies(
        self, functions: Functions, members: list[int]
    ) -> list[tuple[int, list[Maximum], float]]:
        """For each ally the maxima over its pieces, and the proved lower end of its payoff now."""
        facts = self.facts
        owners, cuts = [], []
        for i in members:
            for piece in facts.pieces(i, False):
                owners.append(i)
                cuts.append(piece)
        low, high, below = (np.array(column) for column in zip(*cuts, strict=True))
        who = np.array(owners)
        family = _Family(self, functions, who, below)
        found = maximise_many(
            family.value, family.slope, family.curvature, low, high,
            [[float(d)] if facts.form.logistic else [] for d in facts.demand[who]], TOLERANCE,
            start=[[float(self.x[i])] for i in who], budget=BUDGET,
        )  # fmt: skip
        made = []
        for i in members:
            pieces = [f for f, k in zip(found, owners, strict=True) if k == i]
            made.append((i, pieces, self._now(functions, i)))
        return made

    def _now(self, functions: Functions, i: int) -> float:
        """The proved lower end of an ally's payoff at the profile, -inf if the choice is not sure."""
        x = float(self.x[i])
        point = (np.array([x]), np.array([x]))
        for low, high, below in reversed(self.facts.pieces(i, False)):
            if low <= x <= high:
                family = _Family(self, functions, np.array([i]), np.array([below]))
                status = family.status(point, np.array([0]))
                if status[0] == 0:
                    return -np.inf
                return float(family.value(point, np.array([0]))[0][0])
        return -np.inf

    def _leader(self) -> tuple[list[Maximum], float]:
        """The maximum of the leader's payoff, and its payoff now."""
        family = _LeaderFamily(self)
        low, high = (
            np.array([self.game.by_member(f"burden_{end}")[self.lead]]) for end in ("min", "max")
        )
        found = maximise_many(
            family.value, family.slope, family.curvature, low, high, [[]], TOLERANCE,
            start=[[float(self.x[self.lead])]], budget=BUDGET,
        )  # fmt: skip
        x = np.array([self.x[self.lead]])
        now = family.with_sets(family.functions.value, (x, x), self.executed[None])
        return found, float(now[0][0])


class _LeaderFamily:
    """The leader's payoff on boxes of its burden, with its best set as far as intervals decide which."""

    def __init__(self, at: Deviating) -> None:
        game, self.facts, self.lead = at.game, at.facts, at.lead
        self.functions = at.facts.functions(at.lead, True, taxed=True)
        self.stakes = stakes_at(game, at.plan, at.x[None], at.mean)
        self.deciding = Deciding.of(game, at.plan, at.x, at.mean)
        power = (at.facts.numbers["scale"] * np.maximum(at.x, 1e-60)) ** game.substitution
        self.power = np.where(np.arange(game.size) == at.lead, 0.0, power)

    def with_sets(self, function: Any, box: Any, chosen: Mask) -> Any:
        """A function with a set (box, n) executed on each box."""
        who = np.full(len(chosen), self.lead)
        forces = (self.power * (1 - self.stakes.bite[0] * chosen)).sum(axis=1)
        revenue = self.facts.numbers["revenue"][who] + (self.stakes.saved * chosen).sum(axis=1)
        instead = {"Z": forces, "revenue": revenue}
        return function(*self.facts.boxes(self.functions, box, who, np.zeros(len(who)), **instead))

    def value(self, box: Any, which: Index) -> Any:
        sure, possible, more = self.deciding.around(box)
        lo, hi = self.with_sets(self.functions.value, box, sure)
        return lo, np.where((sure == possible).all(axis=1), hi, iv.add((hi, hi), (more, more))[1])

    def slope(self, box: Any, which: Index) -> Any:
        return self._where_decided(self.functions.slope, box)

    def curvature(self, box: Any, which: Index) -> Any:
        return self._where_decided(self.functions.curvature, box)

    def _where_decided(self, function: Any, box: Any) -> Any:
        sure, possible, _ = self.deciding.around(box)
        lo, hi = self.with_sets(function, box, sure)
        decided = (sure == possible).all(axis=1)
        return np.where(decided, lo, iv.WHOLE[0]), np.where(decided, hi, iv.WHOLE[1])


class _Family:
    """Allies' payoffs on boxes of their own burdens, with what is sure of the leader's choice."""

    def __init__(self, at: Deviating, functions: Functions, who: Index, below: Array) -> None:
        self.at, self.functions, self.who, self.below = at, functions, who, below
        self.deciding = Deciding.of(at.game, at.plan, at.x, at.mean)

    def status(self, box: Any, which: Index) -> NDArray[np.int64]:
        """1 where the leader executes the ally all over the box, -1 where nowhere, 0 where unknown.

        Where there is no threat both are the same: 1.
        """
        made = np.ones(len(which), dtype=np.int64)
        who, below = self.who[which], self.below[which]
        bites = self.at.facts.numbers["bite"][who] > 0
        if not self.at.facts.form.logistic:
            bites &= below > 0
        ask = np.flatnonzero(bites)
        if len(ask):
            made[ask] = self.deciding.status(who[ask], (box[0][ask], box[1][ask]))
        return made

    def _both(self, function: Any, box: Any, which: Index) -> tuple[NDArray[np.int64], Any, Any]:
        """Status, and the function with the threat and without."""
        who, below = self.who[which], self.below[which]
        status, facts = self.status(box, which), self.at.facts
        bite = facts.numbers["bite"][who]
        sure = function(
            *facts.boxes(self.functions, box, who, below, bite=np.where(status < 0, 0.0, bite))
        )
        if not (status == 0).any():
            return status, sure, sure
        spared = function(*facts.boxes(self.functions, box, who, below, bite=np.zeros(len(who))))
        return status, sure, spared

    def value(self, box: Any, which: Index) -> Any:
        status, sure, spared = self._both(self.functions.value, box, which)
        return sure[0], np.where(status == 0, np.maximum(spared[1], sure[1]), sure[1])

    def slope(self, box: Any, which: Index) -> Any:
        return self._where_sure(self.functions.slope, box, which)

    def curvature(self, box: Any, which: Index) -> Any:
        return self._where_sure(self.functions.curvature, box, which)

    def _where_sure(self, function: Any, box: Any, which: Index) -> Any:
        """A derivative, and the whole line where the payoff may jump inside the box."""
        status, sure, _ = self._both(function, box, which)
        jumps = status == 0
        return np.where(jumps, iv.WHOLE[0], sure[0]), np.where(jumps, iv.WHOLE[1], sure[1])
