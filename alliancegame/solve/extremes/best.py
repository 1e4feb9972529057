"""Every equilibrium of best shot: who is the champion, and who is covered by whom.

A member's payoff is the largest of three concave ones: its own forces are its security, or the
strongest of the other allies, or the leader's umbrella. So at an equilibrium each member stands at the
peak X_k of the one of the three that counts for it (its role), and these peaks depend on the others
through the sum in council alone. Given everybody's roles, with log influence, the peaks rise with the
others' contributions, and by less than in proportion. So there is at most one such profile with positive
burdens: of two, x and y, let k > 1 be the largest ratio x_i / y_i; then x <= k y, and
x_i = X_i(x) <= X_i(k y) < k X_i(y) = k y_i for every i, against the choice of k.
Enumerating roles therefore enumerates equilibria.

There are 2^n or 3^n assignments of roles. Branching on one member at a time, bounds on everybody's
contribution give bounds on what each role is worth, and a role that is worth less than another
whatever the undecided do is struck out:

    V_spill - V_own = theta ln M + W_0(C) - W_1(C),   falling in the others' pull C, rising in M,

W_k(C) = max f + theta ln(own part of the component), because the peak that spends more minds the pull
of the others less; and likewise for the other pairs.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.parameters import Array
from alliancegame.solve.extremes.problem import OWN, SPILL, UMBRELLA, Problem
from alliancegame.solve.extremes.weakest import near

Roles = NDArray[np.bool_]
"""Roles still possible, shape (3, n): own forces, spill-ins, umbrella."""

NODES = 4000
"""Assignments looked into before the enumeration gives up."""
TIGHTENED = 4
SLACK = 1e-11
"""A role is struck out only if it is worse by more than rounding."""
ROUNDS = 500


@dataclasses.dataclass(frozen=True, eq=False)
class Bounds:
    """Least and greatest burdens, shape (n,), and the roles still possible within them."""

    low: Array
    high: Array
    roles: Roles


def candidates(faced: Problem) -> tuple[list[Array], bool]:
    """The profile of each assignment of roles that survives, and whether none was left out.

    They contain every equilibrium (for log influence); they are not yet certified.
    """
    roles = np.ones((3, faced.size), dtype=bool)
    roles[SPILL] = faced.others_extreme(faced.high) > 0
    roles[UMBRELLA] = faced.cover(faced.high, faced.high[faced.lead]) > 0
    # Without a threat it does not matter for the burden who covers: one role stands for both.
    roles[UMBRELLA] &= faced.pressed
    roles[SPILL] |= ~faced.pressed
    roles[:, ~faced.players] = False
    roles[OWN, ~faced.players] = True
    roles[OWN] |= faced.theta == 0
    roles[1:, faced.theta == 0] = False
    waiting = [Bounds(np.array(faced.low), np.array(faced.high), roles)]
    found: list[Array] = []
    settled = True
    for _ in range(NODES):
        if not waiting:
            return found, settled
        node = _tightened(faced, waiting.pop())
        if node is None:
            continue
        open_ = node.roles.sum(axis=0) > 1
        if not open_.any():
            x, at_rest = settle(faced, node.roles, node.high)
            settled &= at_rest
            found.append(x)
            continue
        waiting += _branches(faced, node, open_)
    return found, False


def _branches(faced: Problem, node: Bounds, open_: NDArray[np.bool_]) -> list[Bounds]:
    """A node for each role of the undecided member who could bring most."""
    reach = np.where(open_, faced.contributions(node.high) * (1 + faced.spill), -1.0)
    who = int(np.argmax(reach))
    made = []
    for kind in np.flatnonzero(node.roles[:, who]):
        roles = np.array(node.roles)
        roles[:, who] = False
        roles[kind, who] = True
        made.append(Bounds(node.low, node.high, roles))
    return made


def _tightened(faced: Problem, node: Bounds) -> Bounds | None:
    """Bounds and roles that follow from each other; None if somebody has no role left."""
    for _ in range(TIGHTENED):
        low_pull, high_pull = faced.others_pull(node.low), faced.others_pull(node.high)
        pull = np.array([low_pull, high_pull])
        peaks = np.array([faced.best_plain(pull, kind) for kind in range(3)])
        worth = [_worth(faced, peaks[kind], pull, kind) for kind in range(3)]
        roles = node.roles & ~_worse(faced, node, np.array(worth))
        if not roles.any(axis=0).all():
            return None
        low = np.where(roles, peaks[:, 0], np.inf).min(axis=0)
        high = np.where(roles, peaks[:, 1], -np.inf).max(axis=0)
        fixed = ~faced.players
        low, high = np.where(fixed, faced.low, low), np.where(fixed, faced.low, high)
        same = np.array_equal(roles, node.roles) and near(low, node.low) and near(high, node.high)
        node = Bounds(low, np.maximum(low, high), roles)
        if same:
            break
    return node


def _worth(faced: Problem, x: Array, pull: Array, kind: int) -> Array:
    """W_k at a peak: the payoff with the own part of a component, without what others bring to it."""
    value = faced.plain(x, pull)
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == OWN:
            part = np.log(faced.contributions(x))
        elif kind == SPILL:
            return value
        else:
            unit = faced.cover(x, np.full(x.shape[:-1], 1.0))
            part = np.log(np.where(unit > 0, unit, 1.0))
        return value + np.where(faced.theta > 0, faced.theta * part, 0.0)


def _worse(faced: Problem, node: Bounds, worth: Array) -> Roles:
    """Roles worth less than another at every profile within the bounds; `worth` (kind, end, n)."""
    strongest = _strongest(faced, node)
    lead = np.array([node.low[faced.lead], node.high[faced.lead]])
    with np.errstate(divide="ignore", invalid="ignore"):
        force = faced.theta * np.log(strongest)
        leader = np.broadcast_to(faced.theta * np.log(lead)[:, None], force.shape)
    struck = np.zeros((3, faced.size), dtype=bool)
    kept = (faced.theta > 0) & faced.players

    def beaten(loser: int, winner: int, least_gap: Array, possible: NDArray[np.bool_]) -> None:
        struck[loser] |= kept & possible & (least_gap > SLACK)

    own, spill, umbrella = worth
    with np.errstate(invalid="ignore"):
        covers = faced.worth > 0
        covers[faced.lead] = False
        # Each gap at its least: (others' strength, pull) at the ends that its slopes name.
        beaten(OWN, SPILL, force[0] + spill[1] - own[1], strongest[0] > 0)
        beaten(SPILL, OWN, own[0] - force[1] - spill[0], np.isfinite(own[0]))
        beaten(OWN, UMBRELLA, leader[0] + umbrella[1] - own[1], covers & faced.pressed)
        beaten(UMBRELLA, OWN, own[0] - leader[1] - umbrella[0], np.isfinite(own[0]))
        beaten(UMBRELLA, SPILL, force[0] - leader[1] + spill[1] - umbrella[1], strongest[0] > 0)
        beaten(
            SPILL, UMBRELLA, leader[0] + umbrella[0] - force[1] - spill[0], covers & faced.pressed
        )
    return struck


def _strongest(faced: Problem, node: Bounds) -> Array:
    """The strongest cover at both ends, shape (2, n): the other allies, and an umbrella without threat."""
    ends = np.array([node.low, node.high])
    covered = faced.spilled(ends)
    umbrella = faced.cover(ends, ends[:, faced.lead])
    return np.where(faced.pressed, covered, np.maximum(covered, umbrella))


def settle(faced: Problem, roles: Roles, start: Array) -> tuple[Array, bool]:
    """The one profile at which everybody stands at the peak of its role, and whether it was reached."""
    x = np.array(start)
    kind = np.argmax(roles, axis=0)
    for _ in range(ROUNDS):
        new = np.where(faced.players, faced.best_in_role(faced.others_pull(x), kind), x)
        if near(new, x) or not faced.alpha.any():
            return np.asarray(new), True
        x = new
    return x, False
