"""The best plan of a leader whose threats must be credible: uniform, then ally by ally.

Values jump where executions switch, so that there are no slopes to climb: a lattice is drawn closer
around the best plan. Over profiles at which execution and answers agree values are computed for whole
lattices at a time; those are promises, and the best of them are looked at for deviations over jumps.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np

from alliancegame.errors import ConvergenceError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve.leader import box, credible_gains, targeted
from alliancegame.solve.leader.credible import CredibleResult, targets_of
from alliancegame.solve.leader.credible_candidates import Asked, Worth, promised
from alliancegame.solve.leader.credible_response import Answers, answers
from alliancegame.solve.leader.result import StackelbergResult, Targeted
from alliancegame.solve.tolerances import Tolerances

POINTS = {"threat": 21, "demand": 13, "tariff": 13, "burden": 31}
"""Lattice of the search by dimension."""
ROUNDS = 9
"""Times the lattice is drawn closer around the best plan."""
AROUND = {1: 11, 2: 11, 3: 7, 4: 5}
"""Points of a closer lattice in each dimension, by how many are committed."""
VERIFIED = 40
"""Plans of a lattice that are looked at for deviations over jumps, the most promising first, until one
keeps its promise; then every so many of the others."""
SKIPPED = 5
ROUGHLY = 33
"""Points of a first scan for deviations while plans are swept."""
SWEPT = 11
"""Points of a sweep over one ally's threat."""


@dataclasses.dataclass
class _Search:
    """What is searched, and how many plans were looked at."""

    game: BurdenSharingGame
    base: Plan
    chosen: tuple[str, ...]
    worth: Worth | None
    prove: bool = False
    count: int = 0
    failed: int = 0

    def plan(self, point: Array) -> Plan:
        """A point of the box as a plan."""
        return self.base.replace(**{k: float(v) for k, v in zip(self.chosen, point, strict=True)})

    def promised(self, points: Array) -> Array:
        """What plans promise, (plan,); nan where nothing agrees."""
        game, count = self.game, len(points)
        columns = dict(zip(self.chosen, points.T, strict=True))
        lead = game.members.leader_index
        rows = {}
        for name, idle in (("threat", 0.0), ("demand", 0.05), ("tariff", 0.0)):
            rows[name] = np.tile(getattr(self.base, f"{name}_by_member")(game.members), (count, 1))
            if name in columns:
                rows[name][:] = columns[name][:, None]
                rows[name][:, lead] = idle
        own = np.nan if self.base.burden is None else self.base.burden
        burdens = columns.get("burden", np.full(count, own))
        taxed = self.base.taxed or "tariff" in columns
        asked = Asked(rows["threat"], rows["demand"], burdens, rows["tariff"] if taxed else None)
        values = promised(game, asked, self.worth)
        self.count += count
        self.failed += int(np.isnan(values).sum())
        return values

    def answers(self, plan: Plan, points: int = credible_gains.POINTS) -> Answers:
        """The equilibria of one plan, the best first."""
        made = answers(self.game, plan, self.worth, points, prove=self.prove)
        self.failed += not len(made.value)
        return made


def solve_credible(
    believed: StackelbergResult, base: Plan, tolerances: Tolerances
) -> CredibleResult:
    """The best credible plan; the door is `solve_stackelberg(credible=True)`.

    `believed` is the best plan of a leader who is believed anyhow, under the same options.
    """
    game, interest = believed.game, believed.interest
    worth = None if interest is None else functools.partial(interest.of_batch, game)
    search = _Search(game, base, believed.commit, worth)
    plan, value = _uniform(search, believed)
    found = targets_of(game, plan, tolerances, worth)
    if not found.equilibria:  # A scan let through what the proof does not.
        search.prove = True
        plan, value = _uniform(search, believed)
        found = targets_of(game, plan, tolerances, worth)
    words = (
        f"uniform plans on a lattice ({'x'.join(str(POINTS[name]) for name in believed.commit)}) drawn "
        f"closer {ROUNDS} times around the best; {search.count} plans solved, {search.failed} without an "
        "equilibrium (inadmissible). Nothing bounds what was missed: payoffs jump where executions switch"
    )
    record = None
    if believed.targets is not None:
        plan, record, swept = _aimed(search, plan, value)
        words = f"{swept}; found so: {words}"
        found = targets_of(game, plan, tolerances, worth)
    return CredibleResult(
        believed.commit, plan, found, believed.baseline, believed, math.nan, words, search.failed,
        believed.objective, interest, record,
    )  # fmt: skip


def _uniform(search: _Search, believed: StackelbergResult) -> tuple[Plan, float]:
    """The best uniform plan and what it is worth."""
    game, chosen = search.game, search.chosen
    axes = [box.axis(game, name, POINTS[name]) for name in chosen]
    bounds = [(axis[0], axis[-1]) for axis in axes]
    first = believed.plan
    if believed.targets is not None:
        first = Plan(**believed.targets.uniform_plan)
    point = np.array([float(getattr(first, name)) for name in chosen])
    quiet = np.where(np.isin(chosen, ("threat", "tariff")), 0.0, point)
    offered, best = np.stack([point, quiet]), -np.inf
    for turn in range(ROUNDS):
        mesh = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(chosen))
        points = np.concatenate([offered, mesh])
        values = search.promised(points)
        order = np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")
        order = order[values[order] > best]
        for k in np.concatenate([order[:VERIFIED], order[VERIFIED::SKIPPED]]):
            made = search.answers(search.plan(points[k]))
            if len(made.value) and made.value[0] > best:
                best, point = float(made.value[0]), points[k]
            if best >= values[k] - 1e-12:
                break
        if not np.isfinite(best):
            raise ConvergenceError(
                "no plan that was tried has an equilibrium with credible threats: raise or lower "
                "execution_saving, or commit other parts of the plan."
            )
        reach, steps = 0.4 ** (turn + 1), AROUND[len(chosen)]
        axes = [
            np.unique(np.clip(x + reach * (high - low) * np.linspace(-1, 1, steps), low, high))
            for x, (low, high) in zip(point, bounds, strict=True)
        ]
        offered = point[None]
    return search.plan(point), best


def _aimed(search: _Search, uniform: Plan, floor: float) -> tuple[Plan, Targeted, str]:
    """The best plan by ally from the best uniform one, which stays if nothing beats it."""
    game = search.game
    most = box.most_tariffs(game) if "tariff" in search.chosen else None
    taxed = search.base.taxed or most is not None

    def value(rows: Array) -> Array:
        push = wide.fields(rows)
        tariffs = push["tariff"] if taxed else None
        asked = Asked(push["threat"], push["demand"], rows[:, -1], tariffs)
        return promised(game, asked, search.worth)

    def confirm(row: Array) -> float:
        made = search.answers(wide.plan(row), ROUGHLY)
        return float(made.value[0]) if len(made.value) else -math.inf

    wide = dataclasses.replace(
        targeted.targets(game, search.base, search.chosen, most), value=value, confirm=confirm
    )
    made = targeted.aim(wide, targeted.row_of(game, uniform), SWEPT)
    record = Targeted(floor, uniform.to_dict(), made.starts, made.evaluations, made.slope)
    words = (
        f"by ally, {int(wide.free.sum())} numbers: {made.starts} starts (the best uniform plan, nobody, "
        "everybody, the larger and the smaller half threatened, random ones with a fixed seed), sweeps "
        f"ally by ally; {made.evaluations} plans solved. The plan is never worse than the best uniform one"
    )
    if made.value > floor:
        search.prove = True
        sure = search.answers(wide.plan(made.row))
        if len(sure.value) and sure.value[0] > floor:
            return wide.plan(made.row), record, words
    return uniform, record, words
