"""Profiles at which a set of executed threats and everybody's answer to it could go together.

Allies face the game in which just the threats of a set exist. The leader's burden is the plan's; or it
is played simultaneously: then it is a root of the leader's own condition along the allies' answers, with
what the set saves and loses in it. (A burden that is best when the set is chosen anew everywhere is
best for the set that is executed there, too.) With triggers every ally is on one side of its demand as
well. Deviations over jumps are not looked for here.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.aggregative import Batch
from alliancegame.solve.leader.execution import Mask, Stakes, execute, never_executed, stakes_of
from alliancegame.solve.own_payoff import OUT_OF_REACH
from alliancegame.solve.trigger.sides import without_jumps

Index = NDArray[np.intp]
Worth = Callable[[Batch], Array]
"""What a leader maximises, from answers after executions; (case,), nan where there is none."""

FEW = 6
"""Threatened allies up to whose number every set is tried while plans are searched."""
ROUNDS = 8
"""Beyond that: how often execution and answers lead from one set to the next."""
ROOTS = 41
"""Burdens of the leader that are scanned for roots while plans are searched."""
CLOSER = 40
"""Times a bracket of a root is drawn closer."""


@dataclasses.dataclass(frozen=True, eq=False)
class Asked:
    """Plans: threats, demands and tariffs (case, n), the leader's burdens (case,), nan if it plays too.

    `complies` (case, n) says who meets its demand, with triggers only.
    """

    threats: Array
    demands: Array
    burdens: Array
    tariffs: Array | None = None
    complies: Mask | None = None

    @classmethod
    def of(cls, game: BurdenSharingGame, plan: Plan, count: int) -> Asked:
        """One plan, so many times."""

        def tiled(name: str) -> Array:
            return np.tile(getattr(plan, f"{name}_by_member")(game.members), (count, 1))

        burden = np.nan if plan.burden is None else plan.burden
        tariffs = tiled("tariff") if plan.taxed else None
        return cls(tiled("threat"), tiled("demand"), np.full(count, burden), tariffs)

    def take(self, rows: Index) -> Asked:
        """Some of the plans, or all of them several times."""
        return Asked(
            self.threats[rows], self.demands[rows], self.burdens[rows],
            None if self.tariffs is None else self.tariffs[rows],
            None if self.complies is None else self.complies[rows],
        )  # fmt: skip

    def pressed(self, game: BurdenSharingGame) -> Mask:
        """Who feels on which side of its demand it is, and can be on either; (case, n)."""
        felt = self.threats * game.by_member("credibility") * game.by_member("security_weight") > 0
        if self.tariffs is not None:
            felt |= self.tariffs * game.by_member("trade_exposure") > 0
        felt &= game.by_member("burden_min") < self.demands
        felt[:, game.members.leader_index] = False
        return np.asarray(felt)

    @property
    def simultaneous(self) -> bool:
        """Whether the leader's burden is played with the allies'."""
        return bool(np.isnan(self.burdens).any())

    def relevant(self, game: BurdenSharingGame) -> Mask:
        """Whose execution changes anybody's burden, (case, n)."""
        felt = self.threats * game.by_member("credibility") > 0
        if not self.simultaneous:
            felt &= game.by_member("security_weight") > 0
        felt[:, game.members.leader_index] = False
        return np.asarray(felt)

    def stakes(self, game: BurdenSharingGame, batch: Batch) -> Stakes:
        """What is at stake at solutions, one for each plan."""
        x, mean = np.nan_to_num(batch.burden), np.nan_to_num(batch.column("mean_trust"))
        return stakes_of(game, self.threats, self.demands, x, mean, self.tariffs)

    def solve(
        self, game: BurdenSharingGame, sets: Mask, burdens: Array | None = None
    ) -> Batch:  # fmt: skip
        """Allies' answers where just the threats of the sets (case, n) exist."""
        credibility = game.by_member("credibility")
        changes: dict[str | tuple[str, str], Array] = {
            ("credibility", member): credibility[i] * sets[:, i]
            for i, member in enumerate(game.members)
            if member != game.leader
        }
        own = self.burdens if burdens is None else burdens
        demands = self.demands
        if self.complies is not None:
            changes |= self._sides(game)
            demands = np.where(self.complies, demands, OUT_OF_REACH)
            game = without_jumps(game)
        return aggregative.solve_plans(
            game, self.threats, demands, own, whole=True, changes=changes, tariffs=self.tariffs
        )

    def _sides(self, game: BurdenSharingGame) -> dict[str | tuple[str, str], Array]:
        """The bounds of allies on their sides of the demand."""
        found: dict[str | tuple[str, str], Array] = {}
        low, high = game.by_member("burden_min"), game.by_member("burden_max")
        pressed = self.pressed(game)
        complying, defying = (
            pressed & np.asarray(self.complies),
            pressed & ~np.asarray(self.complies),
        )
        least = np.where(complying, np.maximum(self.demands, low), low)
        most = np.where(defying, np.minimum(high, np.nextafter(self.demands, 0.0)), high)
        for i in np.flatnonzero(pressed.any(axis=0)).tolist():
            found["burden_min", game.members[i]] = least[:, i]
            found["burden_max", game.members[i]] = most[:, i]
        return found


@dataclasses.dataclass(frozen=True, eq=False)
class Candidates:
    """Profiles (k, n): of which plan, whom the leader abandons there, and its payoff with that.

    `agree` says whether that is the set with which they were solved. `batch` has the leader's security
    after executions, but its payoff before them.
    """

    case: Index
    batch: Batch
    sets: Mask
    executed: Mask
    payoff: Array
    agree: Mask

    def take(self, rows: Index | Mask) -> Candidates:
        """Some of the candidates."""
        batch = Batch(*(getattr(self.batch, f.name)[rows] for f in dataclasses.fields(Batch)))
        return Candidates(
            self.case[rows], batch, self.sets[rows], self.executed[rows], self.payoff[rows],
            self.agree[rows],
        )  # fmt: skip


def candidates(
    game: BurdenSharingGame, asked: Asked, sets: Mask, points: int = ROOTS
) -> Candidates:
    """What answers the plans where just the threats of the sets (case, n) exist."""
    if asked.simultaneous:
        case, batch = _roots(game, asked, sets, points)
    else:
        case, batch = np.arange(len(sets)), asked.solve(game, sets)
    asked, sets = asked.take(case), sets[case]
    stakes = asked.stakes(game, batch)
    executed = execute(stakes)
    agree = (executed == sets) | (stakes.bite == 0) | ~asked.relevant(game)
    solved = np.isfinite(batch.leader_payoff)
    security = np.array(batch.security)
    security[:, game.members.leader_index] = stakes.security(executed)
    with np.errstate(invalid="ignore"):
        payoff = batch.leader_payoff + stakes.worth(executed)
    return Candidates(
        case, dataclasses.replace(batch, security=security), sets, executed, payoff,
        agree.all(axis=1) & solved,
    )  # fmt: skip


def _roots(game: BurdenSharingGame, asked: Asked, sets: Mask, points: int) -> tuple[Index, Batch]:
    """Where the leader's condition holds, executions given, along the allies' answers."""
    lead, count = game.members.leader_index, len(sets)
    low, high = (float(game.by_member(f"burden_{end}")[lead]) for end in ("min", "max"))
    grid = low + (high - low) * np.linspace(0.0, 1.0, points) ** 2
    every = np.repeat(np.arange(count), points)
    batch, slope = _along(game, asked.take(every), sets[every], np.tile(grid, count))
    slope = slope.reshape(count, points)
    ends = np.zeros(slope.shape, dtype=bool)
    ends[:, 0] = slope[:, 0] <= 0
    ends[:, -1] = slope[:, -1] >= 0
    ends |= slope == 0
    case, at = np.nonzero(ends)
    resting = Batch(
        *(getattr(batch, f.name)[case * points + at] for f in dataclasses.fields(Batch))
    )
    row, left = np.nonzero(slope[:, :-1] * slope[:, 1:] < 0)
    if not len(row):
        return case, resting
    found = _close_in(
        game, asked.take(row), sets[row], grid[left], grid[left + 1], slope[row, left],
        slope[row, left + 1],
    )  # fmt: skip
    joined = Batch(
        *(
            np.concatenate([getattr(resting, f.name), getattr(found, f.name)])
            for f in dataclasses.fields(Batch)
        )
    )
    return np.concatenate([case, row]), joined


def _along(
    game: BurdenSharingGame, asked: Asked, sets: Mask, burdens: Array
) -> tuple[Batch, Array]:
    """Answers to burdens of the leader, and its marginal payoff there with the set executed."""
    batch = asked.solve(game, sets, burdens)
    stakes = asked.stakes(game, batch)
    slope = batch.column("leader_marginal") + stakes.slope(sets & (stakes.bite > 0))
    return batch, np.where(np.isfinite(batch.leader_payoff), slope, np.nan)


def _close_in(
    game: BurdenSharingGame, asked: Asked, sets: Mask, a: Array, b: Array, fa: Array, fb: Array
) -> Batch:
    """The roots in brackets: regula falsi with the end that stays put halved, and bisection between."""
    for turn in range(CLOSER):
        with np.errstate(divide="ignore", invalid="ignore"):
            middle = b - fb * (b - a) / (fb - fa)
        inside = (middle > np.minimum(a, b)) & (middle < np.maximum(a, b))
        middle = np.where(inside & (turn % 3 < 2), middle, 0.5 * (a + b))
        _, f = _along(game, asked, sets, middle)
        f = np.nan_to_num(f)
        crossed = f * fb < 0
        a, fa = np.where(crossed, b, a), np.where(crossed, fb, 0.5 * fa)
        b, fb = middle, f
        if np.all((f == 0) | (np.abs(b - a) <= 1e-15)):
            break
    return asked.solve(game, sets, b)


def all_sets(n: int, members: Index) -> Iterator[Mask]:
    """Every set of some of n members, the largest first, (n,)."""
    for choice in itertools.product((True, False), repeat=len(members)):
        made = np.zeros(n, dtype=bool)
        made[members] = choice
        yield made


def all_sides(game: BurdenSharingGame, plan: Plan, executable: bool) -> tuple[Asked, Mask]:
    """With triggers: every ally complies, defies and is executed, or defies and is spared.

    `executable` says whether any threat can be carried out.
    """
    asked = Asked.of(game, plan, 1)
    pressed, relevant = asked.pressed(game)[0], asked.relevant(game)[0] & executable
    # (complies, executed): what cannot be on two sides meets its demand.
    choices = [
        ([(True, True)] if not pressed[i] else [(True, True), (False, False)])
        + ([(False, True)] if pressed[i] and relevant[i] else [])
        for i in range(game.size)
    ]
    cases = np.array(list(itertools.product(*choices)))
    wide = dataclasses.replace(
        asked.take(np.zeros(len(cases), dtype=np.intp)), complies=cases[:, :, 0]
    )
    sets = cases[:, :, 1]
    sets[:, game.members.leader_index] = False
    return wide, sets


def promised(
    game: BurdenSharingGame, asked: Asked, worth: Worth | None = None
) -> Array:  # fmt: skip
    """The leader's best over profiles at which execution and answers agree, (case,); nan if none.

    `worth` says what it maximises if not its payoff. Few allies: every set; else the sets to which one
    leads the other from all and from none. Who takes such a plan has to look for deviations over jumps.
    """
    count, n = asked.threats.shape
    found = np.full(count, np.nan)
    at = np.flatnonzero(asked.relevant(game).any(axis=0))

    def offer(sets: Mask) -> Candidates:
        made = candidates(game, asked, sets)
        value = made.payoff if worth is None else worth(made.batch)
        np.fmax.at(found, made.case, np.where(made.agree, value, np.nan))
        return made

    if never_executed(game):
        offer(np.zeros((count, n), dtype=bool))
    elif len(at) <= FEW:
        for chosen in all_sets(n, at):
            offer(np.tile(chosen, (count, 1)))
    else:
        for start in (True, False):
            sets = np.zeros((count, n), dtype=bool)
            sets[:, at] = start
            for _ in range(ROUNDS):
                made = offer(sets)
                sets = np.array(sets)
                sets[made.case] = made.executed
                sets[:, game.members.leader_index] = False
    return found
