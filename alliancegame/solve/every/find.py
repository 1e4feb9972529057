"""Every pure equilibrium of an alliance game, by what is known of its form."""

from __future__ import annotations

import dataclasses

import numpy as np

from alliancegame.errors import ConvergenceError
from alliancegame.game.checks import check_game
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, certificate, extremes, multiple, nash
from alliancegame.solve.every import active, continua
from alliancegame.solve.every.proof import Proof, applies, prove
from alliancegame.solve.every.result import AllianceEquilibria, Continuum, with_evidence
from alliancegame.solve.extremes.problem import problem
from alliancegame.solve.result import BY_INTERVALS, Equilibrium
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
    trigger threats where they leave one on every compliance set. Where the leader's condition may have
    several roots along allied answers that are proved unique, its whole range is cut into ranges until
    intervals prove how many there are (complete and proven); what they leave undecided is complete to the
    resolution of a scan. Elsewhere searched from many starts and sets of active members, and nothing is
    claimed. That there is none is an answer too, with a cycle of best replies if one is met.

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
    made = answers.as_results(sides, found, tolerances)
    parts, kept = continua.on_compliance_sets(sides, made, tolerances)
    turns = () if made else cycle(sides)
    statement = found.statement if made else found.statement + _evidence(turns)
    if len(kept) < len(made):
        statement += f"; {len(made) - len(kept)} of them on continua of which one is listed"
    return AllianceEquilibria(
        sides.game, sides.plan, tuple(kept), found.completeness, statement, parts, turns
    )


def _evidence(turns: object) -> str:
    return "; best replies go round in a circle" if turns else "; no cycle of best replies was met"


def _as_triggers(sides: Sides, found: AllianceEquilibria) -> AllianceEquilibria:
    """The set of the game without jumps as that of the trigger game, where nobody can choose.

    A proof by intervals speaks of the game without jumps: it goes along where no pressure tells them apart.
    """
    proof = None if sides.plan.pressure else found.proof
    made = with_evidence((answers.as_triggers(sides, e) for e in found), proof)
    parts = tuple(
        Continuum(
            c.members, tuple(answers.as_triggers(sides, e) for e in c.ends), c.statement, c.listed
        )
        for c in found.components
    )
    return AllianceEquilibria(
        sides.game, sides.plan, made, found.completeness, found.statement, parts, found.cycle, proof
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
    state, reason = nash._unique(game, plan, first.burdens, first.operating_trust)
    if state == "proven":
        return _set(game, plan, known, "proven", f"one equilibrium: {reason}")
    proof = prove(game, plan) if applies(game, plan) else None
    if proof is not None:
        known = _placed(game, plan, known, proof, tolerances)
    parts = continua.components(game, plan, known, tolerances)
    if plan.burden is not None and parts:
        return _set(game, plan, known, "proven", f"one continuum: {reason}", parts)
    if proof is not None and _complete(game, plan, known, parts, proof):
        if not parts:
            known = _counted(known, proof)
        return _set(
            game, plan, known, "proven", _proved(game, known, parts, proof), parts, proof=proof
        )
    scanned = (
        f"{_count(known)} found: every root of the leader's condition along the allies' answers, which "
        f"are proved unique, among {tolerances.roots} of its burdens, refined; roots nearer to each "
        "other than that scan could be missed"
    )
    if proof is not None:
        scanned += _left(game, proof)
    completeness: Completeness = "to a resolution"
    if parts:
        completeness, scanned = "not known", f"{scanned}; {reason}"
    return _set(game, plan, known, completeness, scanned, parts)


def _placed(
    game: BurdenSharingGame,
    plan: Plan,
    known: list[Equilibrium],
    proof: Proof,
    tolerances: Tolerances,
) -> list[Equilibrium]:
    """What is known, with what a proof says is missing, and the best of several where one is proved."""
    lead = game.members.leader_index
    if proof.undecided:
        return known
    cell = multiple.one_game(game, plan)
    for place in proof.lacks(np.array([e.burdens[lead] for e in known])):
        profiles = multiple.root_between(cell, *place)
        made = nash._certified_at(game, plan, profiles, tolerances, "a root that intervals prove")
        known = [*known, *(e for e in made if e.certificate.verdict != "unverified")]
    kept: list[Equilibrium] = []
    for low, high in proof.places:
        here = [e for e in known if low <= e.burdens[lead] <= high]
        kept += sorted(here, key=lambda e: e.certificate.regret)[:1]
    return kept + [e for e in known if not _in(e.burdens[lead], proof.places)]


def _in(burden: float, places: tuple[tuple[float, float], ...]) -> bool:
    return any(low <= burden <= high for low, high in places)


def _complete(
    game: BurdenSharingGame,
    plan: Plan,
    known: list[Equilibrium],
    parts: tuple[Continuum, ...],
    proof: Proof,
) -> bool:
    """Whether the proof leaves no burden of the leader out, and each has the profiles listed alone."""
    lead = game.members.leader_index
    if not proof.covers(np.array([e.burdens[lead] for e in known])):
        return False
    for one in known:
        followers = certificate.followers_unique(game, plan, one.burdens, one.operating_trust)
        through = (
            c
            for c in parts
            if game.leader not in c.members and c.ends[0].burdens[lead] == one.burdens[lead]
        )
        if followers[0] != "proven" and next(through, None) is None:
            return False
    return all(game.leader not in c.members for c in parts)


def _proved(
    game: BurdenSharingGame,
    known: list[Equilibrium],
    parts: tuple[Continuum, ...],
    proof: Proof,
) -> str:
    """A closed proof in words."""
    low, high = proof.range
    places = ", ".join(f"[{a:.6g}, {b:.6g}]" if a < b else f"{a:.6g}" for a, b in proof.places)
    on = f" and {_continua(parts)} through them" if parts else ""
    return (
        f"{_count(known)}{on}, and no others: intervals prove it on {len(proof.cells)} ranges that cover "
        f"[{low:g}, {high:g}], each with bounds on the allies' total; in each {game.leader}'s marginal "
        f"payoff along the allies' answers has one sign, or moves one way; it changes sign once in {places}"
    )


def _counted(known: list[Equilibrium], proof: Proof) -> list[Equilibrium]:
    """Equilibria whose certificates say how many there are."""
    roots = "one root" if len(known) == 1 else f"{len(known)} roots"
    reason = (
        f"{BY_INTERVALS}: on {len(proof.cells)} ranges of the leader's burden, which hold {roots}"
    )
    state: certificate.Unique = "proven" if len(known) == 1 else "multiple"
    return [
        dataclasses.replace(e, certificate=nash._with_unique(e.certificate, state, reason))
        for e in known
    ]


def _left(game: BurdenSharingGame, proof: Proof) -> str:
    """What a proof that did not close leaves, in words."""
    if not proof.undecided:
        return "; intervals prove another number of roots, which were not found"
    ranges = ", ".join(f"[{low:.6g}, {high:.6g}]" for low, high in proof.undecided[:3])
    more = f" and {len(proof.undecided) - 3} more" if len(proof.undecided) > 3 else ""
    return f"; intervals decide all burdens of {game.leader} but those in {ranges}{more}"


def _continua(parts: tuple[Continuum, ...]) -> str:
    return f"{len(parts)} {'continuum' if len(parts) == 1 else 'continua'}"


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
    proof: Proof | None = None,
) -> AllianceEquilibria:
    flat = [dataclasses.replace(e, others=()) for e in known]
    flat.sort(key=lambda e: -e.leader_payoff)
    made = with_evidence(flat, proof)
    return AllianceEquilibria(game, plan, made, completeness, statement, parts, turns, proof)
