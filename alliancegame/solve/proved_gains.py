"""What anybody could gain by any deviation where payoffs are not concave: proved, not scanned.

Each member's payoff as a function of its own burden, the others held, is enclosed with its first two
derivatives (`payoff.enclosures`), from the one symbolic definition; branch and bound over every smooth
piece (`global_search`) then bounds the best that a deviation reaches.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.global_search import Maximum, maximise_many
from alliancegame.solve.own_payoff import Facts, Functions

TOLERANCE = 1e-11
"""How tightly the best deviation is enclosed, in payoff."""
BUDGET = 6_000
"""Boxes for each piece of an action set."""


@dataclasses.dataclass(frozen=True, eq=False)
class Gains:
    """By member, shape (n,): the most that it could gain (a bound), and the burden to go to.

    `proved` says for whom the bound is one; elsewhere the gain is the best that was found.
    """

    gain: Array
    reply: Array
    proved: NDArray[np.bool_]


def proved_gains(game: BurdenSharingGame, plan: Plan, profile: Array, trust: Array) -> Gains:
    """Bounds on every player's gain at a profile of shape (n,).

    `trust` is the operating trust that solvers report (the leader's entry is the allies' mean).
    """
    facts = Facts(game, plan, profile, trust)
    lead = game.members.leader_index
    gain, reply = np.zeros(game.size), np.array(profile)
    proved = np.ones(game.size, dtype=bool)
    groups: dict[Functions, list[int]] = {}
    for i in range(game.size):
        if i == lead and plan.burden is not None:
            continue
        groups.setdefault(facts.functions(i, i == lead), []).append(i)
    for functions, members in groups.items():
        leads = members == [lead]
        for i, (bound, best, at, settled) in zip(
            members, _search(facts, functions, members, leads), strict=True
        ):
            now = facts.worth(functions, i, leads)
            gain[i] = max(bound - now, 0.0) if np.isfinite(now) else np.inf
            proved[i] = settled
            if best > now:
                reply[i] = at
    return Gains(gain, reply, proved)


def _search(
    facts: Facts, functions: Functions, members: list[int], leads: bool
) -> list[tuple[float, float, float, bool]]:
    """(bound, best value, where, proved) for each member, over all pieces of its action set."""
    owners, cuts = [], []
    for k, i in enumerate(members):
        for piece in facts.pieces(i, leads):
            owners.append(k)
            cuts.append(piece)
    low, high, below = (np.array(column) for column in zip(*cuts, strict=True))
    who = np.array(members)[owners]

    def family(function: Any) -> Any:
        return lambda box, which: function(*facts.boxes(functions, box, who[which], below[which]))

    demand = facts.demand[who]
    found = maximise_many(
        family(functions.value),
        family(functions.slope),
        family(functions.curvature),
        low,
        high,
        [[float(d)] if facts.form.logistic else [] for d in demand],
        TOLERANCE,
        start=[[float(facts.profile[i])] for i in who],
        budget=BUDGET,
    )
    return [_together([f for f, k in zip(found, owners, strict=True) if k == j])
            for j in range(len(members))]  # fmt: skip


def _together(pieces: list[Maximum]) -> tuple[float, float, float, bool]:
    best = max(pieces, key=lambda piece: piece.value)
    where = float(best.points[0]) if best.points.size else np.nan
    return (
        max(piece.bound for piece in pieces),
        best.value,
        where,
        all(piece.proved for piece in pieces),
    )


def provable(game: BurdenSharingGame) -> bool:
    """Whether the search covers the game: payoffs continuous on every piece, in the kernel's forms."""
    return game.technology == "ces" and game.shortfall != "trigger"


def global_gains(
    game: BurdenSharingGame, plan: Plan, profile: Array, scanned: aggregative.Deviations
) -> tuple[Array, bool]:
    """Gains by member where payoffs are not concave, and whether all of them are proved.

    `scanned` are the best deviations of a scan: where they are large already nothing is proved, and
    where the search finds more than the scan did, its gain counts.
    """
    if not provable(game) or not scanned.gain.max() <= 1e-6:
        return scanned.gain, False
    if _alone(game, profile):
        return scanned.gain, False
    found = proved_gains(game, plan, profile, scanned.trust)
    if found.proved.all() and np.isfinite(found.gain).all():
        return found.gain, True
    return np.where(found.proved, found.gain, scanned.gain), False


def _alone(game: BurdenSharingGame, profile: Array) -> bool:
    """Whether somebody who values influence meets no other contribution: its payoff then jumps at 0."""
    if game.influence == "hub":
        idle = profile[game.members.leader_index] == 0
        return bool(idle and np.any(game.by_member("influence_weight")))
    busy = profile > 0
    alone = (busy.sum() - busy) == 0
    return bool((alone & (game.by_member("influence_weight") > 0)).any())
