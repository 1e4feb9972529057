"""Which alliances are equilibria: all of them tried, most of them excluded by bounds, or a search.

An alliance is an equilibrium if nobody inside is better off outside, and nobody outside would be
better off inside, each at its best burden and with everything else as it is. What an ally gets outside
depends on nobody else, so that only "in or out" has to be enumerated: 2^(n - 1) alliances for 3^(n - 1)
alignments.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.parameters import Array
from alliancegame.solve import certificate, indifference
from alliancegame.solve.leaving.bounds import IN, OPEN, OUT, Bounds, Family, joined, not_covered
from alliancegame.solve.leaving.roster import Roster, Sets, Solved
from alliancegame.solve.leaving.roster import joined as together
from alliancegame.solve.tolerances import Tolerances

EXHAUSTIVE = 12
"""Allies up to which every alliance is solved."""
EXHAUSTIVE_ALONE = 7
"""The same where alliances are solved one at a time."""
MOST_EXHAUSTIVE = 16
"""Allies up to which that can be asked for."""
SEARCHED_INSIDE = 128
"""Inner games that are searched for several answers, where nothing proves that there is only one."""
EXPANDED = 6
"""Open allies at which a family's alliances are solved one by one."""
MOST_FAMILIES = 3000
MOST_SOLVED = 150_000
_AT_ONCE = 4096
_FAMILIES_AT_ONCE = 128
SEED = 20_240_601
RANDOM_STARTS = 40


@dataclasses.dataclass(frozen=True, eq=False)
class Enumeration:
    """Equilibrium alliances, the largest first; whether they are all, and how that is known."""

    alliances: Solved
    complete: bool
    method: str
    solved: int


def slack(roster: Roster, tolerances: Tolerances) -> float:
    """The gain that counts as none: what is proved of a deviation is exact where payoffs are concave."""
    return tolerances.certified if roster.concave else tolerances.approximate


def one_inside(roster: Roster) -> str:
    """Why no inner game is proved to have one answer; empty if each of them is.

    The theorem's conditions hold in every smaller game if they hold in the whole one at the most
    trust that there can be (docs/theory/equilibrium, What is proved).
    """
    game, plan = roster.game, roster.plan
    if indifference.degenerate(game).any():
        return "allies who may share a burden in any way"
    trust = np.array(game.by_member("trust"))
    if game.horizon == "stationary":
        trust = np.maximum(trust, game.by_member("trust_ceiling"))
    trust[roster.lead] = 1.0
    given = np.array(game.by_member("burden_max"))
    find = certificate.nash_unique if plan.burden is None else certificate.followers_unique
    state, reason = find(game, plan, given, trust)
    return "" if state == "proven" else reason


def enumerate_alliances(roster: Roster, tolerances: Tolerances, method: str) -> Enumeration:
    """Every equilibrium alliance that `method` finds: "auto", "exhaustive", "bounds" or "search"."""
    doubt = one_inside(roster)
    uncovered = not_covered(roster)
    if method == "auto":
        most = EXHAUSTIVE_ALONE if roster.one_by_one else EXHAUSTIVE
        method = "exhaustive" if roster.count <= most else "search" if uncovered else "bounds"
    if method == "exhaustive":
        return _judged(roster, tolerances, _all_sets(roster.count), doubt,
                       f"each of {2**roster.count} alliances was solved", "")  # fmt: skip
    if method == "bounds" and not uncovered:
        return _by_bounds(roster, tolerances, doubt)
    sets = _searched(roster, tolerances)
    how = f"a search: {len(sets)} alliances on paths of leaving and joining were solved"
    return _judged(roster, tolerances, sets, doubt, how, uncovered or "a search proves nothing")


def _judged(
    roster: Roster, tolerances: Tolerances, sets: Sets, doubt: str, how: str, missing: str
) -> Enumeration:
    """The equilibria among some alliances, and what may be said of the rest."""
    searched_inside = bool(doubt) and len(sets) <= SEARCHED_INSIDE
    fallen = 0
    parts, lost, solved = [], 0, 0
    for start in range(0, max(len(sets), 1), _AT_ONCE):
        found = _inner(roster, sets[start : start + _AT_ONCE], searched_inside)
        lost += int((~found.found).sum())
        solved += len(found.sets)
        parts.append(_equilibria(roster, found, slack(roster, tolerances)))
    alliances = together(parts)
    if not roster.concave:
        standing = _standing(roster, alliances, slack(roster, tolerances))
        alliances, fallen = alliances.take(standing), int((~standing).sum())
    order = np.lexsort((*alliances.sets.T[::-1], -alliances.sets.sum(axis=1)))
    reasons = [missing] if missing else []
    if not roster.concave and not roster.one_by_one:
        reasons.append("payoffs are not concave, and deviations are scanned")
    if fallen:
        reasons.append(
            f"in {fallen} alliances the conditions hold where somebody gains by a step, and no other "
            "answer was found"
        )
    if doubt:
        also = ", which was searched for" if searched_inside else ""
        reasons.append(f"an alliance may have several answers{also}: {doubt}")
    if lost:
        reasons.append(f"{lost} alliances have no answer with finite payoffs that was found")
    text = f"{how}; not known complete: {'; '.join(reasons)}" if reasons else f"{how}: complete"
    return Enumeration(alliances.take(order), not reasons, text, solved)


def _standing(roster: Roster, solved: Solved, slack: float) -> NDArray[np.bool_]:
    """Alliances in which nobody gains by another burden, searched over whole action sets."""
    found = np.ones(len(solved.sets), dtype=bool)
    for k, stay in enumerate(solved.sets):
        if stay.any():
            places = roster.members(stay)
            found[k] = roster.deviations(places, solved.burdens[k, places]).gain.max() <= slack
    return found


def _all_sets(count: int) -> Sets:
    codes = np.arange(2**count)
    return np.asarray((codes[:, None] >> np.arange(count)) & 1, dtype=bool)


def _inner(roster: Roster, sets: Sets, search: bool) -> Solved:
    """Inner games solved; all their answers that `solve_nash` finds if a search is wanted."""
    solved = roster.solve(sets)
    doubtful = np.flatnonzero(~solved.found) if not search else np.arange(len(sets))
    if len(doubtful) > SEARCHED_INSIDE:
        return solved
    again = [_searched_inside(roster, solved, int(k)) for k in doubtful]
    kept = np.setdiff1d(np.arange(len(sets)), doubtful)
    return together([solved.take(kept), *again])


def _searched_inside(roster: Roster, solved: Solved, k: int) -> Solved:
    """One alliance with every answer that the scalar solver finds; as it was if that finds none."""
    from alliancegame.solve.nash import solve_nash

    stay = solved.sets[k]
    if not stay.any():
        return solved.take(np.array([k]))
    game, plan = roster.smaller(stay)
    answer = solve_nash(game, plan, throw=False)
    answers = [e for e in (answer, *answer.others) if e.certificate.verdict != "unverified"]
    if not answers:
        left = solved.take(np.array([k]))
        if not roster.concave:  # Conditions that hold make no answer there.
            left.found[:] = False
        return left
    places = np.sort(roster.members(stay))
    made = solved.take(np.full(len(answers), k))
    for row, e in enumerate(answers):
        made.burdens[row, places], made.payoffs[row, places] = e.burdens, e.payoffs
        made.influences[row, places], made.securities[row, places] = e.influences, e.securities
        made.trust[row, places] = e.operating_trust
        made.found[row] = bool(np.isfinite(e.payoffs).all())
    return made


def leaving_gains(roster: Roster, solved: Solved) -> Array:
    """What each ally inside would gain by leaving, shape (alliance, ally); nan for those outside."""
    gains = roster.outside_payoffs - solved.payoffs[:, roster.allies]
    return np.where(solved.sets, gains, np.nan)


def joining_gains(roster: Roster, solved: Solved) -> Array:
    """What each ally outside would gain by joining, its best burden chosen; nan for those inside."""
    if roster.concave:
        values = roster.joining(solved.sets, solved.burdens)
    else:
        values = np.full(solved.sets.shape, np.nan)
        for row, who in zip(*np.nonzero(~solved.sets), strict=True):
            values[row, who] = join_value(roster, solved.sets[row], solved.burdens[row], int(who))
    return values - roster.outside_payoffs


def join_value(roster: Roster, stay: NDArray[np.bool_], burdens: Array, who: int) -> float:
    """What ally `who` would get at best by joining one alliance, by a search of its whole action set."""
    wider = stay.copy()
    wider[who] = True
    places = roster.members(wider)
    column = int(np.flatnonzero(places == roster.allies[who])[0])
    return roster.best_as_member(places, burdens[places], column)


def _equilibria(roster: Roster, solved: Solved, slack: float) -> Solved:
    """Those alliances that nobody wants to leave or to join."""
    solved = solved.take(solved.found)
    leaving = (leaving_gains(roster, solved) > slack).any(axis=1)
    solved = solved.take(np.flatnonzero(~leaving))
    joining = (joining_gains(roster, solved) > slack).any(axis=1)
    return solved.take(np.flatnonzero(~joining))


def _by_bounds(roster: Roster, tolerances: Tolerances, doubt: str) -> Enumeration:
    """Families of alliances are excluded by what is proved of all their equilibria; the rest is solved."""
    bounds = Bounds(roster)
    allowed = slack(roster, tolerances)
    waiting: list[Family] = [bounds.whole()]
    left: list[Sets] = []
    families, remaining = 0, 0
    while waiting and families <= MOST_FAMILIES and remaining <= MOST_SOLVED:
        batch = joined(waiting)
        now, later = batch.take(np.arange(len(batch.status)) < _FAMILIES_AT_ONCE), None
        if len(batch.status) > _FAMILIES_AT_ONCE:
            later = batch.take(np.arange(len(batch.status)) >= _FAMILIES_AT_ONCE)
        families += len(now.status)
        now = _settled(bounds, now, allowed)
        few = (now.status == OPEN).sum(axis=1) <= EXPANDED
        for status in now.status[few]:
            left.append(_expanded(status))
            remaining += len(left[-1])
        split = now.take(~few)
        waiting = ([_branched(bounds, split)] if len(split.status) else []) + (
            [] if later is None else [later]
        )
    sets = np.concatenate(left) if left else np.zeros((0, roster.count), dtype=bool)
    how = (
        f"bounds on all equilibria excluded all but {len(sets)} of 2^{roster.count} alliances "
        f"({families} families), which were solved"
    )
    missing = ""
    if waiting:
        sets = np.unique(np.concatenate([sets, _searched(roster, tolerances)]), axis=0)
        missing = f"too many alliances were left open after {families} families"
        how = f"bounds, then a search: {len(sets)} alliances were solved"
    return _judged(roster, tolerances, sets, doubt, how, missing)


def _settled(bounds: Bounds, family: Family, allowed: float) -> Family:
    """Families with everybody decided who can be; those without any equilibrium are dropped."""
    outside = bounds.roster.outside_payoffs
    for _ in range(bounds.roster.count + 1):
        family = bounds.narrowed(family)
        low, high = bounds.values(family)
        leaves, stays = high < outside - allowed, low > outside + allowed
        dead = ((family.status == IN) & leaves) | ((family.status == OUT) & stays)
        status = np.where((family.status == OPEN) & leaves, OUT, family.status)
        status = np.where((status == OPEN) & stays, IN, status).astype(np.int8)
        changed = bool((status != family.status).any())
        alive = ~dead.any(axis=1)
        family = dataclasses.replace(family, status=status).take(alive)
        if not changed or not alive.any():
            break
    return family


def _branched(bounds: Bounds, family: Family) -> Family:
    """Each family in two: with the open ally of most forces, and without it."""
    forces = np.where(family.status == OPEN, bounds.scale * family.high, -1.0)
    who = np.argmax(forces, axis=1)
    rows = np.arange(len(who))
    halves = []
    for value in (IN, OUT):
        status = family.status.copy()
        status[rows, who] = value
        halves.append(dataclasses.replace(family, status=status))
    return joined(halves)


def _expanded(status: NDArray[Any]) -> Sets:
    """Every alliance of one family."""
    free = np.flatnonzero(status == OPEN)
    sets = np.tile(status == IN, (2 ** len(free), 1))
    sets[:, free] = _all_sets(len(free))
    return sets


def _searched(roster: Roster, tolerances: Tolerances) -> Sets:
    """Alliances on paths: from all, from none and from random ones, the most eager mover moving first."""
    allowed = slack(roster, tolerances)
    random = np.random.default_rng(SEED).random((RANDOM_STARTS, roster.count))
    shares = np.linspace(0.05, 0.95, RANDOM_STARTS)[:, None]
    ends = np.array([np.ones(roster.count), np.zeros(roster.count)], dtype=bool)
    now = np.concatenate([ends, random < shares])
    met = [now]
    for _ in range(3 * roster.count):
        solved = roster.solve(now)
        solved = solved.take(solved.found)
        if not len(solved.sets):
            break
        gains = np.where(solved.sets, leaving_gains(roster, solved), joining_gains(roster, solved))
        best = np.argmax(gains, axis=1)
        rows = np.arange(len(best))
        moves = gains[rows, best] > allowed
        now = solved.sets.copy()
        now[rows, best] ^= moves
        now = np.unique(now[moves], axis=0)
        if not len(now):
            break
        met.append(now)
    return np.unique(np.concatenate(met), axis=0)
