"""Searches where nothing is proved: many starts, and sets of members who contribute nothing."""

from __future__ import annotations

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, multiple, nash
from alliancegame.solve.keys import Key
from alliancegame.solve.result import Equilibrium
from alliancegame.solve.scenarios import Mask, Scenarios
from alliancegame.solve.tolerances import Tolerances
from alliancegame.solve.trigger.compliance import Turn

MOST_SETS = 1024
"""Sets of active members that are tried: all of them up to ten who may stay out."""
SHARES = (0.02, 0.1, 0.3)
"""Where active members start between what they give least and their reply to nobody."""


def searched(
    game: BurdenSharingGame, plan: Plan, known: list[Equilibrium], tolerances: Tolerances
) -> tuple[list[Equilibrium], str]:
    """More equilibria than `known`, and in words where they were looked for.

    Members who may stay out do so, set by set; the others start from several burdens, and Newton and
    best replies go on from there. Each profile is then certified against deviations over whole
    action sets, so that a point where only first-order conditions hold falls out.
    """
    candidates = [multiple.settled_from(game, plan)]
    how = [multiple.describe_starts(game)]
    inactive, complete = _sets(game, plan)
    if len(inactive):
        candidates.append(_on_sets(game, plan, inactive))
        every = "all" if complete else "some"
        how.append(
            f"{every} {len(inactive)} sets of members who give their least "
            f"({len(SHARES)} starts of the others each)"
        )
    profiles = [p for part in candidates for p in part if np.isfinite(p).all()]
    profiles = [p for p in profiles if not any(multiple.same(p, e.burdens) for e in known)]
    new = multiple.distinct(np.array(profiles).reshape(-1, game.size))
    made = nash._certified_at(game, plan, new, tolerances, "found from a set of active members")
    found = [*known, *(e for e in made if e.certificate.verdict != "unverified")]
    return nash._distinct(found), "; ".join(how)


def _players(game: BurdenSharingGame, plan: Plan) -> Mask:
    free = np.ones(game.size, dtype=bool)
    free[game.members.leader_index] = plan.burden is None
    return free


def _sets(game: BurdenSharingGame, plan: Plan) -> tuple[Mask, bool]:
    """Rows of who gives its least, (set, n), and whether these are all sets."""
    drawn = game.by_member("private_weight") > 0
    if game.influence_value == "log":
        drawn = drawn | (game.by_member("influence_weight") > 0)
    may = np.flatnonzero(_players(game, plan) & ~drawn)
    if not len(may):
        return np.zeros((0, game.size), dtype=bool), True
    if 2 ** len(may) <= MOST_SETS:
        codes = np.arange(2 ** len(may))
        rows = np.zeros((len(codes), game.size), dtype=bool)
        rows[:, may] = (codes[:, None] >> np.arange(len(may))) & 1
        return rows, True
    # Those to whom most is worth least stay out first: members in the order of their weights.
    scale = game.by_member("gdp") * game.by_member("effectiveness")
    worth = (game.by_member("influence_weight") + game.by_member("security_weight")) * scale
    order = may[np.argsort(worth[may], kind="stable")]
    rows = np.zeros((len(may) + 1, game.size), dtype=bool)
    for k in range(1, len(may) + 1):
        rows[k:, order[k - 1]] = True
    return rows, False


def _on_sets(game: BurdenSharingGame, plan: Plan, inactive: Mask) -> Array:
    """Where the conditions of the active members hold on each set, from several starts."""
    low, high = game.by_member("burden_min"), game.by_member("burden_max")
    bare = np.array(low)
    lead = game.members.leader_index
    if plan.burden is not None:
        bare[lead] = plan.burden
    lone = aggregative.best_deviations(game, bare, plan).reply
    reach = np.clip(np.nan_to_num(lone, nan=0.0), low, high)
    # A contest that nobody enters is won by the least burden: start from what winning is worth.
    worth = sum(game.by_member(f"{w}_weight") for w in ("influence", "security", "private"))
    reach = np.minimum(np.maximum(reach, low + 0.5 * worth), high)
    rows = np.repeat(inactive, len(SHARES), axis=0)
    share = np.tile(np.array(SHARES) / max(SHARES), len(inactive))[:, None]
    starts = np.where(rows, low, low + share * (reach - low))
    columns = {}
    for i, member in enumerate(game.members):
        if inactive[:, i].any():
            columns[Key("burden_max", member)] = np.where(rows[:, i], low[i], high[i])
    cells = Scenarios(game, plan, columns, np.arange(len(rows)))
    if plan.burden is not None:
        starts[:, lead] = plan.burden
    batch = cells.solve_from(starts)
    good = np.isfinite(batch.burden).all(axis=1)
    return multiple.distinct(batch.burden[good])


def cycle(game: BurdenSharingGame, plan: Plan) -> tuple[Turn, ...]:
    """Members reply in turn until they come back to where they were: evidence of no equilibrium."""
    players = np.flatnonzero(_players(game, plan))
    profile = np.array(game.by_member("burden_min")) + 1e-3
    if plan.burden is not None:
        profile[game.members.leader_index] = plan.burden
    turns: list[Turn] = []
    met: dict[bytes, int] = {}
    for _ in range(60):
        mark = profile.round(7).tobytes()
        if mark in met:
            return tuple(turns[met[mark] :])
        met[mark] = len(turns)
        for i in players:
            step = aggregative.best_deviations(game, profile, plan)
            if step.gain[i] > 1e-9:
                reply, gain = float(step.reply[i]), float(step.gain[i])
                turns.append(Turn(tuple(profile.tolist()), game.members[int(i)], reply, gain))
                profile[i] = reply
    return ()
