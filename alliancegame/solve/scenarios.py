"""Scenarios: one game under many parameter values, laid out as the engine's arrays.

A cell is one combination of values. Cells that share functional forms are solved in one call of the
kernel, in the order in which they come; what a kernel cannot settle by itself is
left to the scalar solvers by `study.cells`, where `solve_cells` and its outputs are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import AllianceGameError, InvalidValueError
from alliancegame.game.game import PARAMETERS, BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.aggregative import TABLE_ROWS, Batch
from alliancegame.solve.keys import PLAN_KEYS, Key, parse_key

_ROW = {"scale": 0, "spillin": 4, "umbrella": 5, "share": 13, "trade": 16}
_SCALARS = {
    "substitution": 0, "decisiveness": 1, "return_spillin": 2, "cohesion": 3, "curvature": 4,
    "contagion": 5, "recovery": 6, "scarring": 7, "width": 11, "tariff_decay": 12,
}  # fmt: skip
_DERIVED = ("gdp", "effectiveness", "spillin", "umbrella", "congestion", "deadweight")

Mask = NDArray[np.bool_]


class Scenarios:
    """Cells of one game that share functional forms: columns of numbers, each of shape (cell,).

    `game` already has the forms; `positions` are the cells' places in the whole set.
    """

    def __init__(
        self,
        game: BurdenSharingGame,
        plan: Plan,
        columns: Mapping[Key, Array],
        positions: NDArray[np.intp],
    ) -> None:
        self.game, self.plan, self.columns, self.positions = game, plan, dict(columns), positions
        self.count, self.size = len(positions), game.size

    def take(self, chosen: NDArray[np.intp] | Mask) -> Scenarios:
        """Some of the cells."""
        return Scenarios(
            self.game,
            self.plan,
            {key: column[chosen] for key, column in self.columns.items()},
            self.positions[chosen],
        )

    def changes(self, *names: str) -> bool:
        """Whether any column changes one of these."""
        return any(key.name in names for key in self.columns)

    def field(self, name: str) -> Array:
        """A parameter or plan field by cell: (cell or 1, member), or (cell or 1,) for a scalar."""
        if name == "burden":
            own = np.nan if self.plan.burden is None else self.plan.burden
            return self.columns.get(Key("burden"), np.array([own]))
        if name in PLAN_KEYS:
            values = getattr(self.plan, f"{name}_by_member")(self.game.members)
        elif PARAMETERS[name].by_member:
            values = self.game.by_member(name)
        else:
            return self.columns.get(Key(name), np.array([getattr(self.game, name)]))
        return self._laid_over(name, values[None, :])

    def _laid_over(self, name: str, base: Array) -> Array:
        """Columns of a parameter by member laid over today's values."""
        if Key(name) in self.columns:
            base = np.broadcast_to(self.columns[Key(name)][:, None], (self.count, self.size))
        single = [key for key in self.columns if key.name == name and key.member is not None]
        if single:
            base = np.array(np.broadcast_to(base, (self.count, self.size)))
            for key in single:
                base[:, self.game.members.index_of(key.member or "")] = self.columns[key]
        return base

    @cached_property
    def congested(self) -> tuple[Array, Array]:
        """Final spill-ins and umbrellas, each of shape (cell or 1, member)."""
        if not self.changes(*_DERIVED):
            spillin, umbrella = self.game.congested
            return spillin[None, :], umbrella[None, :]
        gdp = self.field("gdp")
        crowding = (gdp / gdp.sum(axis=1, keepdims=True)) ** self.field("congestion")[:, None]
        found = []
        for name in ("spillin", "umbrella"):
            value = getattr(self.game, name)
            if Key(name) in self.columns:
                base = self.columns[Key(name)][:, None] * crowding
            elif isinstance(value, np.ndarray):
                base = value[None, :]
            else:
                base = value * crowding
            hidden = {k: v for k, v in self.columns.items() if k != Key(name)}
            found.append(
                Scenarios(self.game, self.plan, hidden, self.positions)._laid_over(name, base)
            )
        return found[0], found[1]

    def admissible(self, pressed: bool = False) -> Mask:
        """Cells that the constructor would take; a test holds the two together.

        `pressed` says that threats are still to be chosen, so that every demand counts.
        """
        good = np.ones(self.count, dtype=bool)
        for key, column in self.columns.items():
            if not key.of_plan and not key.text:
                good &= PARAMETERS[key.name].contains(column)
        low, high = self.field("burden_min"), self.field("burden_max")
        lead = self.game.members.leader_index
        allies = np.arange(self.size) != lead
        good &= (low < high).all(axis=1)
        if self.game.consumption == "log":
            good &= (high < 1).all(axis=1)
        good &= (self.field("trust") <= self.field("trust_ceiling"))[:, allies].all(axis=1)
        good &= self._sound_technology(allies)
        if self.game.horizon == "stationary":
            good &= self.field("institutional_share") == 1
            good &= self.field("recovery_threshold") == 0
        threat, demand, burden, tariff = (self.field(name) for name in PLAN_KEYS)
        good &= ((threat >= 0) & (threat <= 1)).all(axis=1)
        good &= (np.isfinite(demand) & (demand > 0)).all(axis=1)
        good &= (np.isfinite(tariff) & (tariff >= 0)).all(axis=1)
        good &= self._bearable(tariff, demand, high)
        unasked = (threat == 0) & (tariff == 0) & (not pressed)
        good &= ((demand <= high) | unasked)[:, allies].all(axis=1)
        committed = np.isfinite(burden)
        given = committed | (np.isnan(burden) & (Key("burden") not in self.columns))
        within = (burden >= low[:, lead]) & (burden <= high[:, lead])
        good &= given & (within | ~committed)
        return good

    def _bearable(self, tariff: Array, demand: Array, high: Array) -> Mask:
        """Cells whose tariffs leave everybody something (`aggregative.check_plan`)."""
        losses = self.field("trade_exposure") * tariff
        fine = losses < 1
        if self.game.consumption == "log" and self.game.shortfall != "proportional":
            most = np.minimum(high, demand) if self.game.shortfall == "trigger" else high
            fine = fine & ((losses + most < 1) | (losses == 0))
        return np.asarray(fine.all(axis=1))

    def _sound_technology(self, allies: Mask) -> Mask:
        rho = self.field("substitution")
        weak = rho < 0
        if not weak.any():
            return np.asarray(rho != 0)
        busy = (self.field("private_weight") > 0) | (self.field("burden_min") > 0)
        fine = busy.all(axis=1) & (self.field("return_spillin") > 0)
        for values in (*self.congested, self.field("trust")):
            fine = fine & (values > 0)[:, allies].all(axis=1)
        return np.asarray((rho != 0) & (~weak | fine))

    @cached_property
    def concave(self) -> Mask:
        """Cells in which every payoff is concave in the own burden (`concave_in_own_burden`)."""
        valued = self.field("influence_weight") > 0
        if self.game.influence_value == "share":
            doubtful = valued.any(axis=1)
        elif self.game.influence == "hub":
            doubtful = valued[:, self.game.members.leader_index]
        else:
            doubtful = np.zeros(1, dtype=bool)
        concave = (self.field("substitution") <= 1) & ~((self.field("decisiveness") > 1) & doubtful)
        if self.game.shortfall == "logistic":
            concave = np.zeros_like(concave)
        return np.broadcast_to(concave, (self.count,))

    @cached_property
    def degenerate(self) -> Mask:
        """Cells in which somebody might share a burden in any way: the theorem's exceptions."""
        if self.game.consumption != "linear":
            return np.zeros(self.count, dtype=bool)
        spillin, _ = self.congested
        kind = (spillin == 1) & (self.field("influence_weight") == 0)
        kind = kind & (self.field("private_weight") == 0)
        kind = np.array(np.broadcast_to(kind, (self.count, self.size)))
        kind[:, self.game.members.leader_index] = False
        return np.asarray(kind.any(axis=1))

    @property
    def _indifferent_to_levies(self) -> Mask:
        """Cells with an ally as in `certificate.indifferent_to_levies`."""
        levy = self.field("tariff") * self.field("trade_exposure")
        idle = np.isclose(levy, self.field("demand"), rtol=1e-9, atol=0.0)
        for name in ("security_weight", "influence_weight", "private_weight"):
            idle = idle & (self.field(name) == 0)
        idle = np.array(np.broadcast_to(idle, (self.count, self.size)))
        idle[:, self.game.members.leader_index] = False
        return np.asarray(idle.any(axis=1))

    @cached_property
    def proved_followers(self) -> Mask:
        """The conditions of the theorem on followers (docs/theory/equilibrium), by cell."""
        allies = np.arange(self.size) != self.game.members.leader_index
        spillin, _ = self.congested
        weights = self.field("council_weight")[:, allies]
        valued = (self.field("influence_weight")[:, allies] > 0).any(axis=1)
        plain = (self.field("decisiveness") == 1) & (np.ptp(weights, axis=1) == 0)
        if self.game.influence != "council":
            plain = np.zeros_like(plain)
        proved = (self.field("substitution") == 1) & (plain | ~valued)
        if self.game.shortfall != "proportional":
            proved = np.zeros_like(proved)
        proved = proved & (spillin[:, allies] <= 1).all(axis=1) & ~self.degenerate
        proved = proved & ~self._indifferent_to_levies
        return np.broadcast_to(proved, (self.count,))

    @cached_property
    def single_followers(self) -> Mask:
        """Cells where one answer of the allies is taken for the only one, proved or not.

        Several answers are known with spill-ins above 1, with forces that complement each other
        strongly (rho < 0), and where payoffs are not concave. Elsewhere nothing is claimed, but
        nothing is searched either: a search of every cell would cost a sweep a thousandfold.
        """
        allies = np.arange(self.size) != self.game.members.leader_index
        spillin, _ = self.congested
        tame = (spillin[:, allies] <= 1).all(axis=1) & (self.field("substitution") > 0)
        return np.asarray((self.proved_followers | (tame & ~self.degenerate)) & self.concave)

    def proved_nash(self, batch: Batch) -> Mask:
        """The conditions of the theorem on simultaneous Nash (docs/theory/equilibrium), by cell.

        `batch` has the trust at which the cells were solved.
        """
        lead = self.game.members.leader_index
        allies = np.arange(self.size) != lead
        spillin, umbrella = self.congested
        weights = self.field("council_weight")[:, allies]
        plain = (self.field("decisiveness") == 1) & (np.ptp(weights, axis=1) == 0)
        if self.game.influence_value != "log" or self.game.influence != "council":
            plain = np.zeros_like(plain)
        valued = self.field("influence_weight")[:, lead] > 0
        # Revenue makes the leader's condition depend on more than the allies' total.
        levied = (self.field("tariff") * self.field("trade_exposure") > 0).any(axis=1)
        plain = plain & ~levied
        valued = valued | levied
        with np.errstate(invalid="ignore"):
            returned = self.field("return_spillin") * batch.column("mean_trust") ** self.field(
                "cohesion"
            )
            weak = (returned[:, None] * umbrella * batch.trust <= spillin)[:, allies].all(axis=1)
        return np.asarray(self.proved_followers & (plain | ~valued) & weak)

    @property
    def taxed(self) -> bool:
        """Whether any cell has a tariff, so that the kernel must know of them."""
        return bool(self.taxed_cells.any())

    @cached_property
    def taxed_cells(self) -> Mask:
        """Cells in which somebody pays a tariff."""
        paid = (self.field("tariff") > 0).any(axis=1)
        return np.broadcast_to(paid, (self.count,))

    def proved(self, batch: Batch) -> Mask:
        """Cells whose answer is proved to be the only one, degenerate ones left out."""
        committed = np.broadcast_to(np.isfinite(self.field("burden")), (self.count,))
        return np.where(committed, self.proved_followers, self.proved_nash(batch))

    def settled(self, batch: Batch) -> Mask:
        """Cells whose answer is taken for the only one: proved for Nash, see above for responses."""
        committed = np.broadcast_to(np.isfinite(self.field("burden")), (self.count,))
        return np.where(committed, self.single_followers, self.proved_nash(batch))

    def repeated(self, times: int) -> Scenarios:
        """Every cell so many times, one after another."""
        return self.take(np.repeat(np.arange(self.count), times))

    def solve_from(self, starts: Array, *, search: bool = False) -> Batch:
        """Solve every cell from a start of its own, shape (cell, member).

        The kernel starts each scenario from the one before it: a scenario that can only be at the
        start comes before each.
        """
        low, high = (
            np.array(np.broadcast_to(self.field(name), (self.count, self.size))).repeat(2, axis=0)
            for name in ("burden_min", "burden_max")
        )
        low[::2] = high[::2] = starts
        twice = self.repeated(2)
        columns = {
            key: column
            for key, column in twice.columns.items()
            if key.name not in ("burden_min", "burden_max")
        }
        for i, member in enumerate(self.game.members):
            columns[Key("burden_min", member)] = low[:, i]
            columns[Key("burden_max", member)] = high[:, i]
        pinned = Scenarios(self.game, self.plan, columns, twice.positions)
        both = pinned.solve(search=search)
        return Batch(*(getattr(both, field.name)[1::2] for field in dataclasses.fields(Batch)))

    def solve(
        self,
        *,
        threat: Array | None = None,
        burden: Array | None = None,
        unharmed: bool = False,
        whole: bool = True,
        search: bool = False,
    ) -> Batch:
        """Solve every cell; `threat` (cell or 1, member) and `burden` (cell,) replace the plan's."""
        shape = (self.count, self.size)
        made = aggregative.tables(self._prototype, self.taxed)
        places, values = self._places()
        burdens = self.field("burden") if burden is None else burden
        return aggregative.run(
            made,
            self._stacked(made.table),
            self._scalar_table(made.scalars),
            np.broadcast_to(self.field("threat") if threat is None else threat, shape),
            np.broadcast_to(self.field("demand"), shape),
            np.array(np.broadcast_to(burdens, (self.count,))),
            places,
            values,
            options=(unharmed, True, False, search, aggregative.TOLERANCE),
            whole=whole,
        )

    def best_plans(self, grid: int) -> tuple[Scenarios, Batch, Array]:
        """The best uniform threat and own burden of every cell, at its demand.

        `grid` points a dimension cover the box (denser where small: a small demand is met at a small
        threat, and beyond it threats only cost trust), then the two highest
        peaks are climbed from. Returns the cells with these plans in them, the allies' answers, and
        an array (cell, 4): threat, burden, what the grid could hide (an estimate), plans solved.
        """
        made = aggregative.tables(self._prototype, self.taxed)
        places, values = self._places()
        share = np.linspace(0.0, 1.0, max(grid, 25))
        plans = np.empty((self.count, 4))
        arrays = [np.empty((self.count, self.size)) for _ in range(5)]
        info = np.empty((self.count, len(aggregative.INFO)))
        made.leader_kernels.best_plans(
            self._stacked(made.table),
            self._scalar_table(made.scalars),
            made.order,
            np.broadcast_to(self.field("demand"), (self.count, self.size)),
            places,
            values,
            share**1.5,
            share**2,
            aggregative.TOLERANCE,
            plans,
            *arrays,
            info,
            aggregative.work_space(self.size, share.size**2 + 2 * share.size + 30),
        )
        kept = {k: v for k, v in self.columns.items() if k.name not in ("threat", "burden")}
        kept |= {Key("threat"): plans[:, 0], Key("burden"): plans[:, 1]}
        planned = Scenarios(self.game, self.plan, kept, self.positions)
        burden, payoff, influence, security, trust = arrays
        return planned, Batch(burden, payoff, influence, security, trust, info), plans

    @cached_property
    def _prototype(self) -> BurdenSharingGame:
        """The game whose kernel serves these cells: exponents of 1 have their own."""
        changes = {}
        for name in ("substitution", "decisiveness"):
            column = self.columns.get(Key(name))
            if column is not None and self.count:
                changes[name] = float(column[0])
        return self.game.replace(**changes) if changes else self.game

    def _stacked(self, table: Array) -> Array:
        """Tables by cell: one view unless a parameter that several rows depend on changes."""
        if self.plan.taxed:
            table = aggregative.with_tariffs(table, self.plan.tariff_by_member(self.game.members))
        stacked = np.broadcast_to(table, (self.count, *table.shape))
        if not self.changes(*_DERIVED):
            return stacked
        stacked = stacked.copy()
        gdp = self.field("gdp")
        stacked[:, _ROW["scale"]] = self.field("effectiveness") * gdp
        stacked[:, _ROW["spillin"]], stacked[:, _ROW["umbrella"]] = self.congested
        allied = np.array(gdp)
        allied[:, self.game.members.leader_index] = 0.0
        stacked[:, _ROW["share"]] = allied / allied.sum(axis=1, keepdims=True)
        kept = (1 - self.field("deadweight"))[:, None]
        own = gdp[:, self.game.members.leader_index][:, None]
        stacked[:, _ROW["trade"]] = allied * kept / own
        return stacked

    def _places(self) -> tuple[NDArray[np.int64], Array]:
        """Columns that stand in the table as they are: all members first, then single ones."""
        keys = [key for key in self.columns if key.name in TABLE_ROWS]
        keys.sort(key=lambda key: key.member is not None)
        places = np.empty((len(keys), 2), dtype=np.int64)
        values = np.empty((self.count, len(keys)))
        for j, key in enumerate(keys):
            who = -1 if key.member is None else self.game.members.index_of(key.member)
            places[j] = TABLE_ROWS[key.name], who
            values[:, j] = self.columns[key]
        return places, values

    def _scalar_table(self, scalars: Array) -> Array:
        table = np.broadcast_to(scalars, (self.count, scalars.size))
        swept = [key for key in self.columns if key.name in _SCALARS]
        if swept:
            table = table.copy()
            for key in swept:
                table[:, _SCALARS[key.name]] = self.columns[key]
        return table

    def cell(self, k: int) -> tuple[BurdenSharingGame, Plan]:
        """One cell as a game and a plan of its own. Raises as their constructors do."""
        changes: dict[str, Any] = {}
        plan: dict[str, Any] = {}
        for key, column in self.columns.items():
            target = plan if key.of_plan else changes
            value = float(column[k])
            if key.member is None:
                target[key.name] = value
        game = self.game.replace(**changes) if changes else self.game
        single: dict[str, dict[str, float]] = {}
        for key, column in self.columns.items():
            if key.member is not None:
                single.setdefault(key.name, {})[key.member] = float(column[k])
        own = {name: values for name, values in single.items() if name not in PLAN_KEYS}
        if own:
            game = game.replace(**own)
        announced = self.plan.replace(**plan) if plan else self.plan
        for name in set(single) & set(PLAN_KEYS):
            laid = dict(
                zip(
                    game.members,
                    getattr(announced, f"{name}_by_member")(game.members).tolist(),
                    strict=True,
                )
            )
            laid.pop(game.leader)
            announced = announced.replace(**{name: laid | single[name]})
        return game, announced

    def reason(self, k: int, pressed: bool = False) -> str:
        """Why a cell is not admissible (see `admissible`)."""
        try:
            game, plan = self.cell(k)
            aggregative.check_plan(game, plan.replace(threat=1.0) if pressed else plan)
        except AllianceGameError as error:
            return str(error)
        return "the values are not admissible together"


def by_form(game: BurdenSharingGame, plan: Plan, cells: Mapping[str, Any]) -> Iterator[Scenarios]:
    """Split cells into groups that share functional forms and exponents of 1.

    Raises for keys that do not exist, columns of different lengths, and forms that cannot be solved.
    """
    keys = {parse_key(game, text): np.asarray(values) for text, values in cells.items()}
    lengths = {len(column) for column in keys.values()}
    if len(lengths) != 1:
        raise InvalidValueError(
            "every column of cells needs the same length; got "
            + ", ".join(f"{key} {len(column)}" for key, column in keys.items())
        )
    (count,) = lengths
    numbers = {
        key: np.ascontiguousarray(column, dtype=np.float64)
        for key, column in keys.items()
        if not key.text
    }
    labels = [(key.name, column.astype(str)) for key, column in keys.items() if key.text]
    marks = [np.unique(column, return_inverse=True)[1] for _, column in labels]
    marks += [
        (numbers[Key(name)] == 1).astype(np.intp)
        for name in ("substitution", "decisiveness")
        if Key(name) in numbers
    ]
    if not marks:
        yield Scenarios(game, plan, numbers, np.arange(count))
        return
    _, group = np.unique(np.stack(marks, axis=1), axis=0, return_inverse=True)
    group = group.ravel()
    for code in range(int(group.max()) + 1):
        chosen = np.flatnonzero(group == code)
        forms = {name: str(column[chosen[0]]) for name, column in labels}
        formed = game.replace(**forms) if forms else game
        yield Scenarios(formed, plan, {k: v[chosen] for k, v in numbers.items()}, chosen)
