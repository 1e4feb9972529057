"""Several answers to one plan: where to look for them if nothing proves that there is only one.

Two searches. The leader's condition is scanned over its whole range of burdens, the allies answering
each of them, and every change of sign is closed in on (`leader_roots`). Where even the allies' answer
may be one of several, members reply in turn from stated starts (`settled_from`), and Newton finishes
what they come to. Neither search is proved complete.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.aggregative import Batch
from alliancegame.solve.keys import Key
from alliancegame.solve.scenarios import Mask, Scenarios

SMALL = 12
"""Members of an alliance that is searched in full; in larger ones replies take long."""
SEED = 20_240_601
"""Random starts are the same in every run."""
AT_REST = 1e-12
"""Largest gain at a profile that counts as settled without Newton."""
SCANNED = 97
"""Leader's burdens scanned for each plan of a search."""
SAME = 1e-6
"""Profiles nearer to each other than this, relative to the larger burden, are one."""
MOST_PATTERNS = 4
REPLY_POINTS = 400
"""Scan of an action set for a reply on the way to an answer; the answer itself is certified."""
HALVINGS = 60
_AT_ONCE = 200_000


def describe_starts(game: BurdenSharingGame) -> str:
    """The starts of `settled_from` in words, for certificates."""
    alone, random = len(_lone(game)), _random_starts(game)
    who = "each ally" if alone == game.size - 1 else f"each of the {alone} largest allies"
    return (
        f"best replies from {alone + 2 + random} starts: all low, all high, {who} alone high, "
        f"{random} at random with a fixed seed"
    )


def _random_starts(game: BurdenSharingGame) -> int:
    return 6 if game.size <= SMALL and aggregative.tables(game).concave else 2


def one_game(game: BurdenSharingGame, plan: Plan) -> Scenarios:
    """One game under one plan as a single cell."""
    return Scenarios(game, plan, {}, np.arange(1))


def distinct(profiles: Array) -> Array:
    """Profiles of shape (profile, member) without those that an earlier one equals."""
    kept: list[Array] = []
    for profile in profiles:
        if not any(same(profile, other) for other in kept):
            kept.append(profile)
    return np.array(kept).reshape(len(kept), profiles.shape[1])


def same(one: Array, other: Array) -> bool:
    """Whether two profiles are one, to rounding."""
    return bool(np.allclose(one, other, rtol=SAME, atol=1e-9))


def _lone(game: BurdenSharingGame) -> NDArray[np.intp]:
    """The allies who are tried high alone, in member order."""
    gdp = np.array(game.by_member("gdp"))
    gdp[game.members.leader_index] = -1.0
    count = game.size - 1 if game.size <= SMALL else 4
    return np.sort(np.argsort(-gdp, kind="stable")[:count])


def _starts(game: BurdenSharingGame, plan: Plan) -> Array:
    """Where replies start from, shape (start, member).

    High is what a member would spend if the others spent as little as they can, or the demand if
    that is more.
    """
    lead = game.members.leader_index
    low, limit = game.by_member("burden_min"), game.by_member("burden_max")
    bare = np.array(low)
    if plan.burden is not None:
        bare[lead] = plan.burden
    lone = aggregative.best_deviations(game, bare, plan).reply
    high = np.clip(np.nan_to_num(lone, nan=0.0), low, limit)
    asked = np.minimum(plan.demand_by_member(game.members), limit)
    pressed = plan.threat_by_member(game.members) + plan.tariff_by_member(game.members) > 0
    pressed[lead] = False
    high = np.where(pressed, np.maximum(high, asked), high)
    random = np.random.default_rng(SEED).random((_random_starts(game), game.size))
    made = [bare, high, *(low + random * (high - low))]
    for i in _lone(game):
        start = np.array(bare)
        start[i] = high[i]
        made.append(start)
    starts = np.array(made)
    if plan.burden is not None:
        starts[:, lead] = plan.burden
    return starts


def settled_from(game: BurdenSharingGame, plan: Plan) -> Array:
    """Distinct profiles to which members replying in turn come, shape (profile, member).

    They are candidates: whoever asks has to certify them.
    """
    starts = _starts(game, plan)
    rough = distinct(np.array([_replies(game, plan, start) for start in starts]))
    solved = np.empty((0, game.size))
    if aggregative.tables(game).concave:
        finished = one_game(game, plan).repeated(len(rough)).solve_from(rough)
        solved = finished.burden[np.isfinite(finished.leader_payoff)]
    # Newton may go elsewhere from a profile at which nobody gains anything.
    rested = [
        profile
        for profile in rough
        if not any(np.allclose(profile, other, rtol=1e-3, atol=1e-6) for other in solved)
        and aggregative.best_deviations(game, profile, plan).gain.max() <= AT_REST
    ]
    return distinct(np.concatenate([solved, np.array(rested).reshape(-1, game.size)]))


def _replies(game: BurdenSharingGame, plan: Plan, start: Array) -> Array:
    """Where best replies lead: in turn in small alliances, all a part of the way in large ones."""
    profile = np.array(start)
    players = [i for i in range(game.size) if plan.burden is None or i != game.members.leader_index]
    # Whoever starts high comes last: the others get to answer first.
    players.sort(key=lambda i: start[i])
    if game.size > SMALL:
        for _ in range(2 * game.size):
            step = aggregative.best_deviations(game, profile, plan, points=REPLY_POINTS)
            profile = profile + 3.0 / game.size * (step.reply - profile)
        return profile
    met: set[bytes] = set()
    for _ in range(60):
        before = np.array(profile)
        for i in players:
            step = aggregative.best_deviations(game, profile, plan, points=REPLY_POINTS)
            profile[i] = step.reply[i]
        mark = profile.round(7).tobytes()
        turns = np.abs(profile - before).max()
        if turns < 1e-14 or (turns > 1e-4 and mark in met):  # At rest, or going round in a circle.
            break
        met.add(mark)
    return profile


@dataclasses.dataclass(frozen=True, eq=False)
class Roots:
    """Where the leader's condition holds along the allies' answers.

    `cell` (root,) says of which cell, `burden` (root, member) where, `payoff` (root,) what the leader
    has there; `failed` counts burdens to which no answer was found.
    """

    cell: NDArray[np.intp]
    burden: Array
    payoff: Array
    failed: int


def leader_roots(cells: Scenarios, points: int) -> Roots:
    """Every root of the leader's condition that a scan of its whole range shows, cell by cell.

    `points` burdens are scanned, denser at small ones; ends of the range count where the condition
    pushes against them.
    """
    lead = cells.game.members.leader_index
    low, high = (
        np.broadcast_to(cells.field(name), (cells.count, cells.size))[:, lead]
        for name in ("burden_min", "burden_max")
    )
    share = np.linspace(0.0, 1.0, points) ** 2
    grid = low[:, None] + (high - low)[:, None] * share
    wide = cells.repeated(points)
    scan = wide.solve(burden=grid.ravel())
    marginal = scan.column("leader_marginal").reshape(cells.count, points)
    ok = np.isfinite(scan.leader_payoff).reshape(cells.count, points)
    exact = ok & (marginal == 0)
    exact[:, 0] |= ok[:, 0] & (marginal[:, 0] < 0)
    exact[:, -1] |= ok[:, -1] & (marginal[:, -1] > 0)
    crossing = ok[:, :-1] & ok[:, 1:] & (np.sign(marginal[:, :-1]) * np.sign(marginal[:, 1:]) < 0)
    row, left = np.nonzero(crossing)
    starts = scan.burden.reshape(cells.count, points, cells.size)[row, left]
    ends = grid[row, left + 1]
    found = _close_in(cells.take(row), starts, ends, marginal[row, left])
    here, at = np.nonzero(exact)
    at_points = here * points + at
    return Roots(
        np.concatenate([row, here]),
        np.concatenate([found.burden, scan.burden[at_points]]),
        np.concatenate([found.leader_payoff, scan.leader_payoff[at_points]]),
        int((scan.column("status") == aggregative.FAILED).sum()),
    )


def root_between(cell: Scenarios, low: float, high: float) -> Array:
    """The root of the leader's condition between two of its burdens at which that has opposite signs.

    Shape (1, member); `cell` is one game under one plan. Equal burdens are that burden.
    """
    ends = _committed(cell.repeated(2), np.array([low, high])).solve()
    if low == high:
        return ends.burden[:1]
    sign = ends.column("leader_marginal")[:1]
    return _close_in(cell, ends.burden[:1], np.array([high]), sign).burden


def _close_in(cells: Scenarios, left: Array, end: Array, sign: Array) -> Batch:
    """Halve brackets of the leader's condition, following the answer from its left end.

    Where the answer jumps inside a bracket there need be no root in it: what comes out is then no
    equilibrium, and its certificate says so.
    """
    lead = cells.game.members.leader_index
    left, end = np.array(left), np.array(end)
    for _ in range(HALVINGS):
        middle = 0.5 * (left[:, lead] + end)
        inside = (middle > left[:, lead]) & (middle < end)
        if not inside.any():
            break
        start = np.array(left)
        start[:, lead] = middle
        batch = _committed(cells, middle).solve_from(start)
        onwards = batch.column("leader_marginal") * sign > 0
        good = onwards & inside & np.isfinite(batch.leader_payoff)
        left[good] = batch.burden[good]
        end = np.where(inside & ~good, middle, end)
    return _committed(cells, left[:, lead]).solve_from(left)


def _committed(cells: Scenarios, burden: Array) -> Scenarios:
    """The cells with these burdens of the leader, shape (cell,), as part of their plans."""
    columns = {**cells.columns, Key("burden"): np.array(burden)}
    return Scenarios(cells.game, cells.plan, columns, cells.positions)


def best_answers(
    cells: Scenarios, patterns: Array | None = None, *, worst: bool = False
) -> tuple[Array, Array]:
    """(the leader's payoff, its burden) of every cell, each (cell,), in the answer best for it.

    Where the answer is settled (see `Scenarios.settled`) it is the kernel's. Where the leader plays
    simultaneously and uniqueness is not proved, `SCANNED` burdens of it are scanned for every root.
    Where several answers of the allies are to be expected, `patterns` (start, member) are starts from
    which others are looked for. Cells without an answer have nan. `worst` asks for the answer that
    is worst for the leader instead.
    """
    lead = cells.game.members.leader_index
    search = not cells.concave.all()
    batch = cells.solve(search=search)
    payoff = np.where(_sound(batch), batch.leader_payoff, np.nan)
    burden = np.array(batch.burden[:, lead])
    open_ = ~cells.settled(batch) | ~cells.concave
    open_ &= batch.column("status") != aggregative.ZERO_TRUST
    free = np.broadcast_to(np.isnan(cells.field("burden")), (cells.count,))

    def offer(some: NDArray[np.intp], found: Batch) -> None:
        for k in np.flatnonzero(_sound(found)):
            place, value = some[k], found.leader_payoff[k]
            kept = payoff[place] <= value if worst else payoff[place] >= value
            if not kept:
                payoff[place], burden[place] = value, found.burden[k, lead]

    for some in _parts(np.flatnonzero(open_ & free), _AT_ONCE // SCANNED):
        part = cells.take(some)
        roots = leader_roots(part, SCANNED)
        finished = part.take(roots.cell).solve_from(roots.burden, search=search)
        offer(some[roots.cell], finished)
    unproved = np.flatnonzero(open_ & ~cells.single_followers)
    if patterns is not None and len(patterns) > 1:
        for some in _parts(unproved, _AT_ONCE):
            part = cells.take(some)
            for start in patterns:
                offer(some, part.solve_from(np.tile(start, (part.count, 1)), search=search))
    return payoff, burden


def patterns(cells: Scenarios) -> Array | None:
    """Distinct answers at these cells (few), from which those to plans between them are followed.

    None where one answer of the allies is taken for the only one.
    """
    if cells.single_followers.all():
        return None
    found = [settled_from(*cells.cell(k)) for k in range(cells.count)]
    most = MOST_PATTERNS if cells.concave.all() else 2  # Scans of action sets take long.
    return distinct(np.concatenate(found))[:most]


def _sound(batch: Batch) -> Mask:
    """Answers whose regret is known to be small."""
    return np.isfinite(batch.leader_payoff) & (batch.column("regret") <= SAME)


def _parts(chosen: NDArray[np.intp], most: int) -> list[NDArray[np.intp]]:
    return [chosen[i : i + most] for i in range(0, len(chosen), most)]
