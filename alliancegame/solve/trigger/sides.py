"""A game with trigger threats, side by side: on a given compliance set it is a plain game.

Whoever complies spends at least its demand and is under no threat; whoever defies spends less, and
the whole threat is carried out whatever it spends. Written in the terms of the engine: a complier's
least burden is its demand; a defier's largest one is the last number below it, and what it is asked
for is out of reach, so that all of it is missing. Threats stay as they are, and trust with them.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.aggregative import TABLE_ROWS, Batch, Tables
from alliancegame.solve.own_payoff import OUT_OF_REACH

Mask = NDArray[np.bool_]

MOST_AT_ONCE = 20_000
"""Scenarios of one call of the kernel; it bounds memory."""


UMBRELLA_ROW, RETURN_SCALAR = 5, 2
"""Where umbrellas and the leader's spill-in stand in the engine's tables."""


@dataclasses.dataclass(frozen=True, eq=False)
class Bent:
    """Factors by scenario, each of shape (scenario,) or None, from which bounds are made.

    On every umbrella, on the leader's weight in council, on what allied forces are worth to it. With
    the first two a leader's contribution can be one number in security and another in council.
    """

    umbrella: Array | None = None
    council: Array | None = None
    returned: Array | None = None

    def take(self, chosen: slice) -> Bent:
        """Some of the scenarios."""
        values = (getattr(self, field.name) for field in dataclasses.fields(self))
        return Bent(*(None if v is None else v[chosen] for v in values))


def without_jumps(game: BurdenSharingGame) -> BurdenSharingGame:
    """The same members and numbers with a proportional shortfall, which the engine can read.

    Without pressure it is the same game: a missed demand then means nothing.
    """
    if game.shortfall == "proportional":
        return game
    found: BurdenSharingGame | None = game.__dict__.get("_without_jumps")
    if found is None:
        found = game.replace(shortfall="proportional")
        object.__setattr__(game, "_without_jumps", found)
    return found


def who_chooses(game: BurdenSharingGame, plan: Plan, demand: Array, threat: Array) -> Mask:
    """Allies who can be on either side and feel which, in the shape of `demand`."""
    _, umbrella = game.congested
    felt = (threat * game.by_member("credibility") > 0) & (umbrella > 0)
    felt &= game.by_member("security_weight") > 0
    felt |= plan.tariff_by_member(game.members) * game.by_member("trade_exposure") > 0
    choosing = felt & (game.by_member("burden_min") < demand)
    choosing[..., game.members.leader_index] = False
    return np.asarray(choosing)


@dataclasses.dataclass(frozen=True, eq=False)
class Sides:
    """A trigger game under a plan. `choosing` marks the allies who can be on either side, shape (n,).

    Others have one piece: the leader, allies without a threat or to whom it means nothing, and
    those whose least burden meets the demand. A compliance set is a row of booleans, shape (n,), of
    which only the entries of `choosing` count; sets have shape (set, n).

    `choosing`, `demand` and `threat` may also have shape (row, n), and `burdens` (row,): then every
    row is of a plan of its own, and sets and profiles go by row.
    """

    game: BurdenSharingGame
    plan: Plan
    plain: BurdenSharingGame
    choosing: Mask
    demand: Array
    threat: Array
    burdens: Array | None = None

    @classmethod
    def of(cls, game: BurdenSharingGame, plan: Plan) -> Sides:
        """The sides of a game under a plan."""
        demand, threat = (
            np.array(values)
            for values in (plan.demand_by_member(game.members), plan.threat_by_member(game.members))
        )
        choosing = who_chooses(game, plan, demand, threat)
        return cls(game, plan, without_jumps(game), choosing, demand, threat)

    @classmethod
    def of_plans(cls, game: BurdenSharingGame, plan: Plan, fields: dict[str, Array]) -> Sides:
        """A row for each of several plans: `plan` with some fields changed.

        A field has shape (row,), or (row, n) where allies differ; tariffs are those of `plan`.
        """
        count = len(next(iter(fields.values())))

        def laid(name: str, own: Array) -> Array:
            if name not in fields:
                return np.array(np.broadcast_to(own, (count, game.size)))
            given = fields[name] if fields[name].ndim == 2 else fields[name][:, None]
            rows = np.array(np.broadcast_to(given, (count, game.size)))
            rows[:, game.members.leader_index] = own[game.members.leader_index]
            return rows

        demand = laid("demand", plan.demand_by_member(game.members))
        threat = laid("threat", plan.threat_by_member(game.members))
        own = np.nan if plan.burden is None else plan.burden
        burdens = np.array(fields.get("burden", np.full(count, own)))
        choosing = who_chooses(game, plan, demand, threat)
        return cls(game, plan, without_jumps(game), choosing, demand, threat, burdens)

    def take(self, rows: NDArray[np.intp]) -> Sides:
        """The sides of some rows; the same where one plan holds for all."""
        if self.burdens is None:
            return self
        return dataclasses.replace(
            self,
            choosing=self.choosing[rows],
            demand=self.demand[rows],
            threat=self.threat[rows],
            burdens=self.burdens[rows],
        )

    @property
    def lead(self) -> int:
        """The leader's position."""
        return self.game.members.leader_index

    @property
    def committed(self) -> float:
        """The leader's burden that the plan names; nan if it plays."""
        return np.nan if self.plan.burden is None else self.plan.burden

    @property
    def tables(self) -> Tables:
        """The plain game as the engine reads it."""
        return aggregative.tables(self.plain, self.plan.taxed)

    @cached_property
    def trust(self) -> Array:
        """Operating trust under the plan, shape (n,); the leader's entry is the allies' mean."""
        floor = np.array(self.game.by_member("burden_min"))
        found: Array = aggregative.best_deviations(self.plain, floor, self.plan).trust
        return found

    def comply(self, profiles: Array) -> Mask:
        """Who of `choosing` meets its demand, shape (profile, n)."""
        return np.asarray((profiles >= self.demand) & self.choosing)

    def bounds(self, sets: Mask) -> tuple[Array, Array]:
        """Least and largest burdens on each set, shapes (set, n)."""
        low, high = self.game.by_member("burden_min"), self.game.by_member("burden_max")
        least = np.where(sets & self.choosing, np.maximum(low, self.demand), low)
        defies = ~sets & self.choosing
        # burden_min below the demand: the last number below it is no smaller.
        return least, np.where(defies, np.nextafter(self.demand, 0.0), high)

    def asked(self, sets: Mask) -> Array:
        """Demands that make the engine see who is missing what, shape (set, n)."""
        meets = (sets & self.choosing) | (self.game.by_member("burden_min") >= self.demand)
        return np.where(meets, 0.5 * self.demand, OUT_OF_REACH)

    def _missing(self, profiles: Array) -> Array:
        """The same for given burdens, whoever can choose or not; shape (profile, n)."""
        return np.where(profiles >= self.demand, 0.5 * self.demand, OUT_OF_REACH)

    def solve(self, sets: Mask, burdens: Array | None = None, bent: Bent | None = None) -> Batch:
        """The plain game of each set, solved; member arrays have shape (set, n).

        `burdens` of the leader, shape (set,), replace the plan's.
        """
        low, high = self.bounds(sets)
        if burdens is None:
            burdens = np.full(len(sets), self.committed) if self.burdens is None else self.burdens
        return self._run(self.asked(sets), low, high, burdens, bent)

    def leader_replies(self, profiles: Array, returned: Array) -> Array:
        """The leader's best burdens against allies' burdens, shape (profile,).

        What allied forces are worth to it is multiplied by `returned`, shape (profile,).
        """
        low, high = np.array(profiles), np.array(profiles)
        for bound, name in ((low, "burden_min"), (high, "burden_max")):
            bound[:, self.lead] = self.game.by_member(name)[self.lead]
        asked = np.full(profiles.shape, OUT_OF_REACH)
        free = np.full(len(profiles), np.nan)
        batch = self._run(asked, low, high, free, Bent(returned=returned))
        return np.asarray(batch.burden[:, self.lead])

    def replies(
        self,
        profiles: Array,
        members: NDArray[np.intp],
        comply: Mask,
        bent: Bent | None = None,
    ) -> tuple[Array, Array]:
        """Best burdens and payoffs of `members` on one side, the others as they are.

        All three have one entry a question; profiles (question, n). The side of whoever has only one
        piece is ignored. A defier's best may be the last number below its demand: payoffs there tell
        the supremum, which complying at the demand reaches or exceeds.
        """
        rows = np.arange(len(members))
        side = np.zeros((len(members), self.game.size), dtype=bool)
        side[rows, members] = comply
        low, high = self.bounds(side)
        least, most = np.array(profiles), np.array(profiles)
        least[rows, members], most[rows, members] = low[rows, members], high[rows, members]
        burdens = np.where(members == self.lead, np.nan, profiles[:, self.lead])
        asked = self._missing(profiles)  # The leader collects from whoever misses its demand.
        asked[rows, members] = self.asked(side)[rows, members]
        if not self.tables.concave:
            for k in rows:
                one = self.take(rows[k : k + 1])
                best = one._scanned(asked[k], low[k], high[k], profiles[k], int(members[k]))
                least[k, members[k]] = most[k, members[k]] = best
        # Cold: the burden at which this member was held a question ago is no start.
        batch = self._run(asked, least, most, burdens, bent, warm=False)
        return batch.burden[rows, members], batch.payoff[rows, members]

    def _scanned(self, asked: Array, low: Array, high: Array, profile: Array, member: int) -> float:
        """A best reply on one side where payoffs are not concave, by the engine's scan."""
        made, given = aggregative.table_of(self.plain, self.plan)
        table = np.array(given)
        table[TABLE_ROWS["burden_min"], member] = low[member]
        table[TABLE_ROWS["burden_max"], member] = high[member]
        start = np.array(profile)
        start[member] = min(max(start[member], low[member]), high[member])
        found = aggregative.deviations_at(
            dataclasses.replace(made, table=table),
            self.threat if self.threat.ndim == 1 else self.threat[0],
            asked,
            start,
            leader_free=True,
        )
        return float(found.reply[member])

    def described(self, profiles: Array) -> Batch:
        """Payoffs, influence, security and trust at given profiles, shape (profile, n)."""
        return self._run(self._missing(profiles), profiles, profiles, profiles[:, self.lead])

    def gains(self, profiles: Array) -> tuple[Array, Array]:
        """The most each member can gain by any deviation, and by which burden; shapes (profile, n).

        Every member's best reply on its own side, and of those who can choose on the other. The
        leader is no player if the plan names its burden.
        """
        count, n = profiles.shape
        now = self.described(profiles).payoff
        sides = self.comply(profiles)
        players = np.ones(n, dtype=bool)
        players[self.lead] = np.isnan(self.committed)
        row, member = np.nonzero(np.broadcast_to(players, (count, n)))
        other_row, other = np.nonzero(np.broadcast_to(self.choosing, (count, n)))
        rows = np.concatenate([row, other_row])
        members = np.concatenate([member, other])
        comply = np.concatenate([sides[row, member], ~sides[other_row, other]])
        reply, payoff = self.replies(profiles[rows], members, comply)
        gain, best = np.zeros((count, n)), np.array(profiles)
        for part in (slice(None, len(row)), slice(len(row), None)):
            r, i = rows[part], members[part]
            with np.errstate(invalid="ignore"):
                more = payoff[part] - now[r, i]
            more = np.where(np.isnan(more), np.inf, more)
            better = more > gain[r, i]
            gain[r[better], i[better]] = more[better]
            best[r[better], i[better]] = reply[part][better]
        return gain, best

    def other_sides(self, batch: Batch, sets: Mask) -> Array:
        """What `choosing` would gain by changing sides from solved sets, shape (set, n); -inf elsewhere."""
        rows, members = np.nonzero(np.broadcast_to(self.choosing, sets.shape))
        gain = np.full(sets.shape, -np.inf)
        if len(rows):
            some = self.take(rows)
            _, payoff = some.replies(batch.burden[rows], members, ~sets[rows, members])
            gain[rows, members] = payoff - batch.payoff[rows, members]
        return gain

    def _run(
        self,
        asked: Array,
        low: Array,
        high: Array,
        burdens: Array,
        bent: Bent | None = None,
        warm: bool = True,
    ) -> Batch:
        """The engine on scenarios with demands and bounds of their own, each of shape (scenario, n)."""
        parts = []
        for k in range(0, max(len(asked), 1), MOST_AT_ONCE):
            part = slice(k, k + MOST_AT_ONCE)
            turned = None if bent is None else bent.take(part)
            threat = self.threat if self.threat.ndim == 1 else self.threat[part]
            bounds = asked[part], low[part], high[part], burdens[part], threat
            parts.append(self._run_part(*bounds, turned, warm))
        if len(parts) == 1:
            return parts[0]
        names = [field.name for field in dataclasses.fields(Batch)]
        return Batch(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))

    def _run_part(
        self,
        asked: Array,
        low: Array,
        high: Array,
        burdens: Array,
        threat: Array,
        bent: Bent | None,
        warm: bool,
    ) -> Batch:
        (made, table), (count, n) = aggregative.table_of(self.plain, self.plan), asked.shape
        rows = [TABLE_ROWS["burden_min"], TABLE_ROWS["burden_max"]]
        places = [(row, i) for row in rows for i in range(n)]
        values = [low, high]
        scalars = np.broadcast_to(made.scalars, (count, made.scalars.size))
        if bent is not None and bent.umbrella is not None:
            places += [(UMBRELLA_ROW, i) for i in range(n)]
            values.append(self.plain.congested[1] * bent.umbrella[:, None])
        if bent is not None and bent.council is not None:
            places.append((TABLE_ROWS["council_weight"], self.lead))
            weight = self.game.by_member("council_weight")[self.lead]
            values.append(weight * bent.council[:, None])
        if bent is not None and bent.returned is not None:
            scalars = np.array(scalars)
            scalars[:, RETURN_SCALAR] *= bent.returned
        return aggregative.run(
            made,
            np.broadcast_to(table, (count, *table.shape)),
            scalars,
            np.broadcast_to(threat, (count, n)),
            asked,
            np.asarray(burdens, dtype=np.float64),
            np.array(places, dtype=np.int64),
            np.hstack(values),
            options=(False, warm, False, False, aggregative.TOLERANCE),
            whole=True,
        )
