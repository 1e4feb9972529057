"""Every pure equilibrium of an alliance game, by what is known of its form."""

from __future__ import annotations

import dataclasses

import numpy as np

from alliancegame.errors import ConvergenceError
from alliancegame.game.checks import check_game
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, certificate, extremes, nash
from alliancegame.solve.every import active, continua, enclosure
from alliancegame.solve.every.result import AllianceEquilibria, Continuum
from alliancegame.solve.extremes.problem import problem
from alliancegame.solve.result import Equilibrium
from alliancegame.solve.tolerances import DEFAULT, Tolerances
from alliancegame.solve.trigger import answers
from alliancegame.solve.trigger.compliance import Completeness, Turn, compliance, cycle
from alliancegame.solve.trigger.sides import Sides


def find_equilibria(
    game: BurdenSharingGame, plan: Plan | None = None, *, tolerances: Tolerances = DEFAULT
) -> AllianceEquilibria:
    """Every pure equilibrium under a plan that can be found, with what is known of the list.

    A burden named in the plan is held fixed: then the allies' answers are listed. Complete and proven
    where the theorems of docs/theory/equilibrium leave one equilibrium, or one continuum, and for
    trigger threats where they leave one on every compliance set; complete to the resolution of a scan
    where the leader's condition may have several roots along allied answers that are proved unique;
    elsewhere searched from many starts and sets of active members, and nothing is claimed. That
    there is none is an answer too, with a cycle of best replies if one is met.

    Raises `ZeroTrustError`, `UnsupportedFormError`, and what wrong games and plans raise.
    """
    plan = Plan() if plan is None else plan
    check_game(game, "find_equilibria", extremes=True)
    aggregative.check_plan(game, plan)
    if game.technology != "ces":
        return _of_extremes(game, plan, tolerances)
    if game.shortfall == "trigger":
        sides = Sides.of(game, plan)
        if sides.choosing.any():
            return _with_triggers(sides, tolerances)
        return _as_triggers(sides, find_equilibria(sides.plain, plan, tolerances=tolerances))
    return _without_jumps(game, plan, tolerances)


def _of_extremes(game: BurdenSharingGame, plan: Plan, tolerances: Tolerances) -> AllianceEquilibria:
    """Weakest link and best shot have solvers of their own."""
    found = extremes.equilibria(game, plan, tolerances=tolerances)
    parts = tuple(_between(c) for c in found.components if not c.single)
    turns = () if found.cycle is None else _turns(game, plan, found.cycle)
    return AllianceEquilibria(
        game, plan, found.equilibria, found.completeness, found.statement, parts, turns
    )


def _between(component: extremes.Component) -> Continuum:
    high, game = component.high, component.high.game
    moved = ~np.isclose(component.limit, high.burdens, rtol=1e-9, atol=1e-12)
    names = tuple(m for m, moves in zip(game.members, moved, strict=True) if moves)
    if component.low is None:
        least = ", ".join(
            f"{m} {x:.4g}" for m, x in zip(game.members, component.limit, strict=True)
        )
        words = f"from the greatest equilibrium down to, but without, ({least})"
        return Continuum(names, (high,), words, listed=False)
    words = (
        "one connected set, rising from its least to its greatest equilibrium: its ends are given"
    )
    return Continuum(names, (component.low, high), words)


def _turns(game: BurdenSharingGame, plan: Plan, profiles: Array) -> tuple[Turn, ...]:
    """Best replies that come round in a circle, shape (profile, member), one move at a time."""
    faced = problem(game, plan)
    turns = []
    for here, there in zip(profiles, np.roll(profiles, -1, axis=0), strict=True):
        who = int(np.argmax(np.abs(there - here)))
        moved = np.array(here)
        moved[who] = there[who]
        gain = float(faced.payoffs(moved)[who] - faced.payoffs(here)[who])
        turns.append(Turn(tuple(here.tolist()), game.members[who], float(there[who]), gain))
    return tuple(turns)


def _with_triggers(sides: Sides, tolerances: Tolerances) -> AllianceEquilibria:
    answers.refuse_zero_trust(sides)
    found = compliance(sides, tolerances)
    made = tuple(answers.as_results(sides, found, tolerances))
    turns = () if made else cycle(sides)
    statement = found.statement if made else found.statement + _evidence(turns)
    return AllianceEquilibria(
        sides.game, sides.plan, made, found.completeness, statement, (), turns
    )


def _evidence(turns: object) -> str:
    return "; best replies go round in a circle" if turns else "; no cycle of best replies was met"


def _as_triggers(sides: Sides, found: AllianceEquilibria) -> AllianceEquilibria:
    """The set of the game without jumps as that of the trigger game, where nobody can choose."""
    made = tuple(answers.as_triggers(sides, e) for e in found)
    parts = tuple(
        Continuum(
            c.members, tuple(answers.as_triggers(sides, e) for e in c.ends), c.statement, c.listed
        )
        for c in found.components
    )
    return AllianceEquilibria(
        sides.game, sides.plan, made, found.completeness, found.statement, parts, found.cycle
    )


def _without_jumps(
    game: BurdenSharingGame, plan: Plan, tolerances: Tolerances
) -> AllianceEquilibria:
    """Theorems first; then the leader's condition; then searches."""
    try:
        first = nash.solve_nash(game, plan, tolerances=tolerances)
    except ConvergenceError:
        first = None
    known = [] if first is None else [first, *first.others]
    unsure = certificate.missing_conditions(game) or not aggregative.tables(game).concave
    unsure = unsure or bool(certificate.indifferent_to_levies(game, plan).any())
    if unsure:
        known, searched = active.searched(game, plan, known, tolerances)
        turns = () if known else active.cycle(game, plan)
        statement = f"{_count(known)} found: {searched}; others may exist"
        if not known:
            statement += _evidence(turns)
        return _set(game, plan, known, "not known", statement, turns=turns)
    if first is None:
        return _set(game, plan, [], "not known", "no equilibrium found to tolerance")
    parts = continua.components(game, plan, known, tolerances)
    state, reason = nash._unique(game, plan, first.burdens, first.operating_trust)
    if state == "proven":
        return _set(game, plan, known, "proven", f"one equilibrium: {reason}")
    if plan.burden is not None and parts:
        return _set(game, plan, known, "proven", f"one continuum: {reason}", parts)
    scanned = (
        f"{_count(known)} found: every root of the leader's condition along the allies' answers, which "
        f"are proved unique, among {tolerances.roots} of its burdens, refined; roots nearer to each "
        "other than that scan could be missed"
    )
    scanned += _enclosed(game, plan)
    completeness: Completeness = "to a resolution"
    if parts:
        completeness, scanned = "not known", f"{scanned}; {reason}"
    return _set(game, plan, known, completeness, scanned, parts)


def _enclosed(game: BurdenSharingGame, plan: Plan) -> str:
    """What bounds prove of where equilibria are, in words; empty where they do not apply."""
    ranges = enclosure.leader_ranges(game, plan) if enclosure.applies(game, plan) else None
    if ranges is None or not len(ranges):
        return ""
    places = ", ".join(f"[{low:.6g}, {high:.6g}]" for low, high in ranges)
    return f"; bounds prove that {game.leader}'s burden lies in {places} in every equilibrium"


def _count(known: list[Equilibrium]) -> str:
    if not known:
        return "no pure equilibrium"
    return f"{len(known)} {'equilibrium' if len(known) == 1 else 'equilibria'}"


def _set(
    game: BurdenSharingGame,
    plan: Plan,
    known: list[Equilibrium],
    completeness: Completeness,
    statement: str,
    parts: tuple[Continuum, ...] = (),
    turns: tuple[Turn, ...] = (),
) -> AllianceEquilibria:
    flat = [dataclasses.replace(e, others=()) for e in known]
    flat.sort(key=lambda e: -e.leader_payoff)
    return AllianceEquilibria(game, plan, tuple(flat), completeness, statement, parts, turns)
