"""Alliances of some of the allies, solved many at a time: the leader plus whoever stays, a smaller game.

Spill-ins and umbrellas of those who stay keep their values of full membership; trust is averaged over
those who stay; nobody outside is pressed or counted (docs/theory/model, Leaving).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import PARAMETERS, BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.aggregative import NEWTON, SAFEGUARD
from alliancegame.solve.engine.names import T_HIGH, T_LOW, T_SHARE
from alliancegame.solve.leaving.outside import Alone, Outside, best_alone, outside_options

Sets = NDArray[np.bool_]
"""Alliances: (alliance, ally), allies in member order without the leader."""

AT_ONCE = 1 << 21
"""Numbers of a table that are laid out at a time."""


_COLUMNS = {
    "burdens": "burden", "payoffs": "payoff", "influences": "influence",
    "securities": "security", "trust": "trust",
}  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False)
class Solved:
    """Inner games: who stays, shape (alliance, ally); arrays of shape (alliance, member).

    Whoever is outside has its best way out in `burdens`, `payoffs`, `influences`, `securities`, and
    no trust (nan). `found` says which inner games have an answer with finite payoffs.
    """

    sets: Sets
    burdens: Array
    payoffs: Array
    influences: Array
    securities: Array
    trust: Array
    found: NDArray[np.bool_]

    def take(self, chosen: Sets | NDArray[np.intp]) -> Solved:
        """Some of the alliances."""
        return Solved(*(getattr(self, f.name)[chosen] for f in dataclasses.fields(self)))


def joined(parts: list[Solved]) -> Solved:
    """Several answers in one, in their order."""
    names = [f.name for f in dataclasses.fields(Solved)]
    return Solved(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


class Roster:
    """One game under one plan, and every alliance that its allies might form around the leader."""

    one_by_one = False
    """Whether alliances are solved one at a time, which takes long."""

    def __init__(self, game: BurdenSharingGame, plan: Plan) -> None:
        self.game, self.plan = game, plan
        self.lead = game.members.leader_index
        self.allies = np.array([i for i in range(game.size) if i != self.lead])
        self.count = len(self.allies)

    @property
    def smooth(self) -> BurdenSharingGame:
        """The game as the engine reads it."""
        return self.game

    @property
    def method(self) -> str:
        """How deviations are searched, for certificates, if that is not said by the forms alone."""
        return ""

    @property
    def concave(self) -> bool:
        """Whether every payoff is concave in the own burden."""
        return aggregative.tables(self.game).concave

    @property
    def outside(self) -> Outside:
        """Every ally's best way out."""
        return outside_options(self.game)

    @cached_property
    def outside_payoffs(self) -> Array:
        """What every ally gets outside, shape (ally,)."""
        payoffs: Array = self.outside.payoffs[self.allies]
        return payoffs

    @cached_property
    def _made(self) -> aggregative.Tables:
        made, table = aggregative.table_of(self.game, self.plan)
        return dataclasses.replace(made, table=table)

    @cached_property
    def leader_alone(self) -> Alone:
        """The leader whom everybody has left: all influence, no forces but its own."""
        n = self.game.size
        nothing, all_say = np.zeros(n), np.ones(n)
        low, high = self.game.by_member("burden_min"), self.game.by_member("burden_max")
        if self.plan.burden is not None:
            low = high = np.full(n, self.plan.burden)
        return best_alone(self.game, nothing, nothing, all_say, nothing, low, high)

    def members(self, stay: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Places of the members of one alliance, the leader last."""
        return np.append(self.allies[stay], self.lead)

    def solve(self, sets: Sets) -> Solved:
        """Every alliance's inner game: the leader and those who stay, under the plan.

        The plan names the leader's burden or it plays simultaneously, as in `solve_nash`.
        """
        sets = np.asarray(sets, dtype=bool).reshape(-1, self.count)
        solved = self._outside_all(sets)
        for rows, places in self._by_size(sets):
            if places.shape[1] == 1:
                self._fill_alone(solved, rows)
                continue
            burdens = np.full(len(rows), np.nan if self.plan.burden is None else self.plan.burden)
            batch = self._run(places, burdens)
            status = batch.column("status")
            good = (status == NEWTON) | (status == SAFEGUARD)
            take = rows[:, None], places
            for name, column in _COLUMNS.items():
                getattr(solved, name)[take] = getattr(batch, column)
            players = batch.payoff if self.plan.burden is None else batch.payoff[:, :-1]
            solved.found[rows] = good & np.isfinite(players).all(axis=1)
        return solved

    def joining(self, sets: Sets, burdens: Array) -> Array:
        """What each ally outside would get as a member, all others' burdens held, at its best burden.

        `burdens` has shape (alliance, member). Returns shape (alliance, ally); nan for those inside.
        Only where payoffs are concave in the own burden is this the global best (see `deviations`).
        """
        values = np.full(sets.shape, np.nan)
        which, who = np.nonzero(~sets)
        with_them = sets[which].copy()
        with_them[np.arange(len(who)), who] = True
        for rows, places in self._by_size(with_them):
            entrant = self.allies[who[rows]]
            held = np.take_along_axis(burdens[which[rows]], places, axis=1)
            batch = self._run(places, held[:, -1], held, places == entrant[:, None])
            status = batch.column("status")
            good = (status == NEWTON) | (status == SAFEGUARD)
            column = np.argmax(places == entrant[:, None], axis=1)
            payoff = np.take_along_axis(batch.payoff, column[:, None], axis=1)[:, 0]
            for k in np.flatnonzero(~good):
                payoff[k] = self.best_as_member(places[k], held[k], int(column[k]))
            values[which[rows], who[rows]] = payoff
        return values

    def deviations(self, places: NDArray[np.intp], burdens: Array) -> aggregative.Deviations:
        """Everybody's best deviation within one alliance: members at `places`, the leader last."""
        threats, demands = self._pressure(places[None, :])
        table = np.ascontiguousarray(self._tables(places[None, :])[0])
        return aggregative.deviations_at(
            dataclasses.replace(self._made, table=table, order=np.arange(len(places))),
            threats[0],
            demands[0],
            burdens,
            leader_free=self.plan.burden is None,
        )

    def best_as_member(self, places: NDArray[np.intp], burdens: Array, column: int) -> float:
        """A member's best payoff in an alliance, the others' burdens held; global (see the engine)."""
        low, high = (self.game.by_member(f"burden_{end}")[places[column]] for end in ("min", "max"))
        own = np.array(burdens)
        own[column] = 0.5 * (low + high)  # Away from payoffs of minus infinity.
        step = self.deviations(places, own)
        return float(step.payoff[column] + step.gain[column])

    def smaller(self, stay: NDArray[np.bool_]) -> tuple[BurdenSharingGame, Plan]:
        """One alliance as a game and a plan of their own; members keep their order."""
        places = np.sort(self.members(stay))
        labels = [self.game.members[i] for i in places]
        values = self.game.values()
        values["spillin"], values["umbrella"] = self.game.congested
        for name, value in values.items():
            if PARAMETERS[name].by_member and isinstance(value, np.ndarray):
                values[name] = value[places]
        fields = {
            name: getattr(self.plan, f"{name}_by_member")(self.game.members)[places]
            for name in ("threat", "demand", "tariff")
        }
        made = BurdenSharingGame(labels, self.game.leader, **values)
        return made, self.plan.replace(**fields)

    def _outside_all(self, sets: Sets) -> Solved:
        """Arrays in which everybody is outside; those who stay are filled in later."""
        ways, rows = self.outside, len(sets)

        def spread(values: Array) -> Array:
            return np.tile(values, (rows, 1))

        return Solved(
            sets,
            spread(ways.burdens),
            spread(ways.payoffs),
            spread(ways.influences),
            spread(ways.securities),
            np.full((rows, self.game.size), np.nan),
            np.zeros(rows, dtype=bool),
        )

    def _fill_alone(self, solved: Solved, rows: NDArray[np.intp]) -> None:
        alone = self.leader_alone
        solved.burdens[rows, self.lead] = alone.burdens[self.lead]
        solved.payoffs[rows, self.lead] = alone.payoffs[self.lead]
        solved.influences[rows, self.lead] = 1.0
        solved.securities[rows, self.lead] = alone.securities[self.lead]
        finite = np.isfinite(alone.payoffs[self.lead]) or self.plan.burden is not None
        solved.found[rows] = finite

    def _by_size(self, sets: Sets) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Rows of alliances of one size, and their members' places (row, member), the leader last."""
        sizes = sets.sum(axis=1)
        for size in np.unique(sizes):
            rows = np.flatnonzero(sizes == size)
            step = max(1, AT_ONCE // (len(self._made.table) * (int(size) + 1)))
            for start in range(0, len(rows), step):
                part = rows[start : start + step]
                columns = np.nonzero(sets[part])[1].reshape(len(part), int(size))
                places = np.empty((len(part), int(size) + 1), dtype=np.intp)
                places[:, :-1] = self.allies[columns]
                places[:, -1] = self.lead
                yield part, places

    def _tables(self, places: NDArray[np.intp]) -> Array:
        """The game's table for the members at `places`: (alliance, row, member)."""
        tables: Array = np.moveaxis(self._made.table[:, places], 0, 1).copy()
        weight = self.game.by_member("gdp")[places].copy()
        weight[:, -1] = 0.0
        tables[:, T_SHARE] = weight / weight.sum(axis=1, keepdims=True)
        return tables

    def _pressure(self, places: NDArray[np.intp]) -> tuple[Array, Array]:
        members = self.game.members
        return (
            self.plan.threat_by_member(members)[places],
            self.plan.demand_by_member(members)[places],
        )

    def _run(
        self,
        places: NDArray[np.intp],
        leader: Array,
        held: Array | None = None,
        free: Sets | None = None,
    ) -> aggregative.Batch:
        """Solve alliances of one size; where `held` is given, all but the `free` stay at it."""
        tables = self._tables(places)
        if held is not None and free is not None:
            for row in (T_LOW, T_HIGH):
                tables[:, row] = np.where(free, tables[:, row], held)
        count = len(places)
        threats, demands = self._pressure(places)
        made = dataclasses.replace(self._made, order=np.arange(places.shape[1]))
        return aggregative.run(
            made,
            tables,
            np.broadcast_to(made.scalars, (count, made.scalars.size)),
            threats,
            demands,
            np.ascontiguousarray(leader, dtype=np.float64),
            np.empty((0, 2), dtype=np.int64),
            np.empty((count, 0)),
            options=(False, False, False, False, aggregative.TOLERANCE),
            whole=True,
        )
