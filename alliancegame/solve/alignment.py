"""Who stays in the alliance: equilibria in alignments and burdens (docs/theory/model, Leaving)."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import GameTooLargeError, InvalidValueError, unknown_name
from alliancegame.game.checks import check_game, shown
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, certificate
from alliancegame.solve.certificate import Certificate, Unique
from alliancegame.solve.leaving.enumerate import (
    MOST_EXHAUSTIVE,
    Enumeration,
    enumerate_alliances,
    join_value,
    joining_gains,
    leaving_gains,
    slack,
)
from alliancegame.solve.leaving.jumps import roster_of
from alliancegame.solve.leaving.outside import ALIGNED, outside_options
from alliancegame.solve.leaving.result import Alignments, Alliance, Departure
from alliancegame.solve.leaving.roster import Roster, Solved
from alliancegame.solve.result import Equilibrium
from alliancegame.solve.tolerances import DEFAULT, Tolerances, check_tolerances

METHODS = ("auto", "exhaustive", "bounds", "search")


def solve_alignment(
    game: BurdenSharingGame,
    plan: Plan | None = None,
    *,
    method: str = "auto",
    tolerances: Tolerances = DEFAULT,
) -> Alignments:
    """Equilibria in which every ally is aligned, autonomous or realigned, `Plan()` by default.

    Nobody gains by changing its alignment and its burden together, all else held; the leader answers
    simultaneously, or its burden is the plan's. An autonomous ally has its `deterrent` at a
    `deterrent_cost`, a realigned one the `rival_umbrella` at a `realignment_cost`; both have
    `outside_influence` (docs/theory/model, Leaving). Whoever leaves takes its forces along, and no
    pressure reaches it.

    `method` is "exhaustive" (all 2^(n - 1) alliances; at most 16 allies), "bounds" (families of
    alliances are excluded by intervals that hold for each of their equilibria), "search" (nothing is
    proved about the rest), or "auto": exhaustive up to 12 allies, then bounds where they hold. No
    equilibrium at all is an answer too. Under trigger threats every alliance is a game with compliance
    sets of its own, solved one at a time. Where payoffs are not concave, or jump, every answer that
    `solve_nash` finds inside an alliance is tried and deviations are searched over whole action sets;
    the list is then never called complete.

    Raises as `solve_nash` if influence at A is needed and A is not found; `GameTooLargeError` if too
    many alliances would be tried.
    """
    plan = Plan() if plan is None else plan
    check_game(game, "solve_alignment")
    check_tolerances(tolerances)
    aggregative.check_plan(game, plan)
    if not isinstance(method, str):
        raise InvalidValueError(f"method must be one of {', '.join(METHODS)}, got {shown(method)}.")
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    roster = roster_of(game, plan)
    if method == "exhaustive" and roster.count > MOST_EXHAUSTIVE:
        raise GameTooLargeError(
            f'method="exhaustive" solves 2^{roster.count} alliances of {roster.count} allies; it takes '
            f'at most {MOST_EXHAUSTIVE} allies: use method="auto".'
        )
    found = enumerate_alliances(roster, tolerances, method)
    alliances = tuple(
        _alliance(roster, found, k, tolerances) for k in range(len(found.alliances.sets))
    )
    rounds, returning = follow_cascade(roster, tolerances)
    return Alignments(game, plan, alliances, found.complete, found.method, rounds, returning)


def certify_alignment(
    roster: Roster, stay: NDArray[np.bool_], burdens: Array, tolerances: Tolerances = DEFAULT
) -> tuple[Array, Certificate]:
    """Gains by member, shape (n,), and the certificate of any profile of alignments and burdens.

    Whoever is not in `stay` (allies, member order) is outside at its best way out, whatever burden is
    given for it. Each gain is the largest by any joint change of own alignment and burden, searched
    over the whole action set apart from how the profile was found.
    """
    game, lead = roster.game, roster.lead
    gains = np.zeros(game.size)
    places = roster.members(stay)
    if stay.any():
        step = roster.deviations(places, burdens[places])
        gains[places] = np.where(np.isfinite(step.payoff), step.gain, np.inf)
        inside = roster.allies[stay]
        away = roster.outside_payoffs[stay] - step.payoff[:-1]
        gains[inside] = np.maximum(gains[inside], np.where(np.isfinite(away), away, np.inf))
        if roster.plan.burden is not None:
            gains[lead] = 0.0
    elif burdens[lead] != roster.leader_alone.burdens[lead]:
        gains[lead] = np.inf
    for who in np.flatnonzero(~stay):
        gained = join_value(roster, stay, burdens, int(who)) - roster.outside_payoffs[who]
        gains[roster.allies[who]] = max(gained, 0.0)
    plain: tuple[Unique, str] = ("not proven", "")
    made = certificate.build(
        roster.smooth, roster.plan, burdens, gains, tolerances, plain, bounded=False
    )
    held = "the plan fixes the leader's burden"
    if roster.plan.burden is None:
        held = f"the burden of {game.leader} over its whole range"
    scope = f"every ally's joint changes of alignment and burden; {held}; no coalitions"
    return gains, dataclasses.replace(made, scope=scope, method=roster.method or made.method)


def _alliance(roster: Roster, found: Enumeration, k: int, tolerances: Tolerances) -> Alliance:
    """One equilibrium with its certificate."""
    solved, game = found.alliances, roster.game
    stay = solved.sets[k]
    gains, made = certify_alignment(roster, stay, solved.burdens[k], tolerances)
    words = list(roster.outside.choices)
    for i in roster.allies[stay]:
        words[i] = ALIGNED
    state, reason = _unique(found)
    return Alliance(
        game.members.labels, game.leader, tuple(words), solved.burdens[k], solved.payoffs[k],
        solved.influences[k], solved.securities[k], solved.trust[k], gains,
        dataclasses.replace(made, unique=state, reason=reason),
    )  # fmt: skip


def _unique(found: Enumeration) -> tuple[Unique, str]:
    if len(found.alliances.sets) > 1:
        return "multiple", f"{len(found.alliances.sets)} equilibria in alignments were found"
    return ("proven" if found.complete else "not proven"), found.method


def follow_cascade(
    roster: Roster, tolerances: Tolerances, start: NDArray[np.bool_] | None = None
) -> tuple[tuple[Departure, ...], tuple[str, ...]]:
    """Leaving from the full alliance (or `start`) on, the ally that gains most first.

    Returns a round each, the last one without a leaver, and who would then want back.
    """
    stay = np.ones(roster.count, dtype=bool) if start is None else np.array(start)
    allowed = slack(roster, tolerances)
    rounds: list[Departure] = []
    while True:
        solved = roster.solve(stay[None, :])
        if not solved.found[0]:  # No answer with finite payoffs: nothing can be said of gains.
            return tuple(rounds), ()
        if not stay.any():
            break
        gains = leaving_gains(roster, solved)[0]
        who = int(np.nanargmax(gains))
        rounds.append(_departure(roster, solved, gains, who, allowed))
        if not gains[who] > allowed:
            break
        stay[who] = False
    back = joining_gains(roster, solved)[0] > allowed
    return tuple(rounds), tuple(roster.game.members[i] for i in roster.allies[back])


def _departure(roster: Roster, solved: Solved, gains: Array, who: int, allowed: float) -> Departure:
    game, burdens = roster.game, solved.burdens[0]
    inside = roster.allies[solved.sets[0]]
    member = roster.allies[who]
    gdp = game.by_member("gdp")
    share: Any = certificate.consumption_share(game, gains[who], burdens[member])
    return Departure(
        tuple(game.members[i] for i in inside),
        game.members[member],
        roster.outside.choices[member],
        bool(gains[who] > allowed),
        float(gains[who]),
        float(share * gdp[member]),
        tuple(game.members[roster.allies[i]] for i in np.flatnonzero(gains > allowed)),
        float(burdens[roster.lead]),
        float(np.sum(burdens[inside] * gdp[inside]) / np.sum(gdp[inside])),
        float(solved.payoffs[0, roster.lead]),
    )


def somebody_leaves(base: Equilibrium, result: Equilibrium, tolerances: Tolerances) -> bool:
    """Whether the largest equilibrium alliance under a plan is smaller than at A.

    `base` and `result` are the answers of the full alliance. Where nobody wants to leave it, it is the
    largest; alliances are enumerated only if somebody would leave it even at A.
    """
    game = base.game
    # Exact limits have no roster; whoever has what it had outside, to a search, stays.
    exact = game.technology == "ces"
    allowed = slack(roster_of(game, result.plan), tolerances) if exact else tolerances.approximate
    outside = outside_options(game).payoffs

    def kept(equilibrium: Equilibrium) -> bool:
        return bool(np.nanmin(equilibrium.payoffs - outside) >= -allowed)

    if kept(result):
        return False
    if kept(base):
        return True
    sizes = [
        max((a.size for a in solve_alignment(game, e.plan, tolerances=tolerances)), default=0)
        for e in (base, result)
    ]
    return sizes[1] < sizes[0]
