"""Solving games whose technology is an exact limit: all equilibria, the leader's best, certificates."""

from __future__ import annotations

import dataclasses

import numpy as np

from alliancegame.errors import ConvergenceError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, multiple
from alliancegame.solve.certificate import Certificate
from alliancegame.solve.extremes import best, search, weakest
from alliancegame.solve.extremes.found import (
    Completeness,
    Component,
    Found,
    certificate,
    equilibrium,
)
from alliancegame.solve.extremes.problem import Problem, problem
from alliancegame.solve.result import Equilibrium
from alliancegame.solve.tolerances import DEFAULT, Tolerances

CHAIN = 65
"""Equilibria looked at along a continuum for the leader's best."""


def equilibria(
    game: BurdenSharingGame,
    plan: Plan | None = None,
    *,
    tolerances: Tolerances = DEFAULT,
    function: str = "find_equilibria",
) -> Found:
    """Every pure equilibrium of a weakest-link or best-shot game, and what is known of completeness.

    Weakest link with log influence and no threat (or none that bites): one connected set from the least
    to the greatest, proven. With threats and a fixed leader: least and greatest, unique if they agree.
    With threats and a leader who plays: a scan of its burdens. Best shot with log influence: all
    assignments of roles, proven. Share influence: best replies from several starts, not known.

    Raises `UnsupportedFormError` for hub influence, tariffs, trigger or logistic shortfall under
    pressure and shares with decisiveness above 1; `ZeroTrustError` as `solve_nash`.
    """
    plan = Plan() if plan is None else plan
    aggregative.check_plan(game, plan)
    faced = problem(game, plan, function)
    if not faced.log_influence:
        return _searched(faced, tolerances)
    if not faced.weakest:
        return _roles(faced, tolerances)
    if faced.pressed.any() and plan.burden is None:
        return _scanned(faced, tolerances)
    return _between(faced, tolerances)


def solve(
    game: BurdenSharingGame,
    plan: Plan,
    *,
    tolerances: Tolerances = DEFAULT,
    throw: bool = True,
    function: str = "solve_nash",
) -> Equilibrium:
    """The equilibrium that is best for the leader, with the others that were found in `others`.

    Raises `ConvergenceError` if none is found; with `throw=False` the least burdens come back,
    unverified, and `message` says why.
    """
    found = equilibria(game, plan, tolerances=tolerances, function=function)
    if found.equilibria:
        return dataclasses.replace(found.equilibria[0], others=found.equilibria[1:])
    message = f"no equilibrium found under {plan.describe()}: {found.statement}"
    if throw:
        raise ConvergenceError(message)
    faced = problem(game, plan, function)
    return equilibrium(faced, faced.low, tolerances, message=message)


def certify(
    game: BurdenSharingGame, x: Array, plan: Plan, *, tolerances: Tolerances = DEFAULT
) -> Certificate:
    """Certify burdens of shape (n,), checked already; see `alliancegame.certify`."""
    faced = problem(game, plan, "certify")
    made = certificate(faced, x, tolerances, ("not proven", "nothing is known of others"))
    if made.verdict == "unverified":
        return made
    found = equilibria(game, plan, tolerances=tolerances, function="certify")
    unique = found.unique
    if found.single and not multiple.same(found.equilibria[0].burdens, x):
        unique = ("multiple", "solve_nash finds another equilibrium of this plan")
    return dataclasses.replace(made, unique=unique[0], reason=unique[1])


# --- Weakest link --------------------------------------------------------------------------------


def _between(faced: Problem, tolerances: Tolerances) -> Found:
    """One component from the least to the greatest equilibrium."""
    try:
        span = weakest.between(faced)
    except ConvergenceError as error:
        return Found((), (), "not known", str(error))
    if span is None:
        return Found(
            (),
            (),
            "proven",
            "none exists: replies from above come to a profile at which somebody has no security, "
            "and every equilibrium lies below it",
        )
    alone = span.low is not None and multiple.same(span.low, span.high)
    profiles = [span.high]
    if not alone:
        profiles += [] if span.low is None else [span.low]
        profiles += _leaders_choice(faced, span) if span.connected else []
    whole = span.settled and (span.connected or alone) and (span.low is not None or span.to_zero)
    known: Completeness = "proven" if whole else "not known"
    made = _certified(faced, profiles, tolerances)
    ends = [
        next((e for e in made if end is not None and multiple.same(e.burdens, end)), None)
        for end in (span.low, span.high)
    ]
    if ends[1] is None or (ends[0] is None and span.low is not None):
        return Found((), (), "not known", "the ends of the continuum were not reached")
    return _labelled(
        faced, made, [Component(ends[0], ends[1], span.limit)], known, _words(faced, span, alone)
    )


def _words(faced: Problem, span: weakest.Range, alone: bool) -> str:
    if alone:
        return (
            "one equilibrium: best replies only rise from below and only fall from above (weakest "
            "link), and both come to it"
        )
    low = "the least equilibrium"
    if span.low is None:
        low = (
            "burdens near zero, not attained (no security there)"
            if span.to_zero
            else f"burdens of {weakest.FLOOR:g} of the greatest or less, followed no further"
        )
    if span.connected:
        return (
            f"a continuum, from {low} to the greatest: the set is connected, and nothing lies outside "
            "its ends (weakest link: best replies rise with the others', less than in proportion)"
        )
    return (
        f"from {low} to the greatest, and nothing outside; under threat it is not known which "
        "profiles between the two are equilibria"
    )


def _leaders_choice(faced: Problem, span: weakest.Range) -> list[Array]:
    """The equilibrium of a rising chain that is best for the leader, if the upper end is not.

    A leader who does not value influence gains by whatever others contribute: the upper end is best.
    """
    if faced.alpha[faced.lead] == 0:
        return []
    chain = weakest.along(faced, span, np.linspace(0.0, 1.0, CHAIN)[1:-1])
    worth = faced.payoffs(chain)[:, faced.lead]
    k = int(np.argmax(worth))
    ends = [faced.payoffs(x)[faced.lead] for x in (span.high, span.low) if x is not None]
    return [chain[k]] if worth[k] > max(ends) + 1e-12 else []


def _scanned(faced: Problem, tolerances: Tolerances) -> Found:
    """Along the leader's burden, the allies under threat."""
    scan = search.leader_scan(faced)
    made: list[Equilibrium] = []
    components = []
    for low, high in scan.segments:
        ends = [equilibrium(faced, x, tolerances) for x in ((low,) if low is high else (low, high))]
        if all(e.certificate.verdict != "unverified" for e in ends):
            if multiple.same(low, high):
                ends = ends[:1]
            made += ends
            components.append(Component(ends[0], ends[-1], ends[0].burdens))
    where = (
        f"leader's burdens scanned at {search.POINTS} points, the allies' least and greatest answer at "
        "each, every change refined"
    )
    known: Completeness = "to a resolution"
    if scan.doubtful:
        known = "not known"
        where += "; somewhere these two answers differ, and there may be more between them"
    if not made:
        return Found((), (), known, f"none found; {where}", _cycle(faced))
    runs = sum(not c.single for c in components)
    what = f"{len(components) - runs} single and {runs} continua" if runs else f"{len(components)}"
    return _labelled(faced, made, components, known, f"{what} found; {where}")


# --- Best shot, and searches ----------------------------------------------------------------------


def _roles(faced: Problem, tolerances: Tolerances) -> Found:
    profiles, whole = best.candidates(faced)
    made = _certified(faced, profiles, tolerances)
    known: Completeness = "proven" if whole else "not known"
    how = (
        "every assignment of roles (own forces, covered by allies, by the leader) enumerated or "
        "excluded by bounds"
        if whole
        else f"the first {best.NODES} branches of the assignments of roles"
    )
    if not made:
        none = "there is no pure one" if whole else "none found"
        return Found((), (), known, f"{none}: {how}", _cycle(faced))
    singles = [Component(e, e, e.burdens) for e in made]
    return _labelled(faced, made, singles, known, f"{len(made)} found: {how}")


def _searched(faced: Problem, tolerances: Tolerances) -> Found:
    profiles = search.settled(faced)
    made = _certified(faced, profiles, tolerances)
    how = search.describe_starts(faced)
    if not made:
        return Found((), (), "not known", f"none found; {how}", _cycle(faced))
    singles = [Component(e, e, e.burdens) for e in made]
    if faced.weakest:
        how += "; they may be points of one continuum"
    return _labelled(faced, made, singles, "not known", f"{len(made)} found by {how}")


def _cycle(faced: Problem) -> Array | None:
    """Profiles through which replies in turn go round, from all low."""
    return search.in_turn(faced, search.starts(faced)[0])[1]


def _certified(faced: Problem, profiles: list[Array], tolerances: Tolerances) -> list[Equilibrium]:
    """Distinct profiles whose certificate holds, in the order given."""
    made: list[Equilibrium] = []
    for x in profiles:
        if any(multiple.same(x, other.burdens) for other in made):
            continue
        one = equilibrium(faced, x, tolerances)
        if one.certificate.verdict != "unverified":
            made.append(one)
    return made


def _labelled(
    faced: Problem,
    made: list[Equilibrium],
    components: list[Component],
    known: Completeness,
    statement: str,
) -> Found:
    """The findings with what is known of their number in every certificate, the leader's best first."""
    unique = Found(tuple(made), tuple(components), known, statement).unique
    renamed = {
        id(e): dataclasses.replace(
            e,
            certificate=dataclasses.replace(e.certificate, unique=unique[0], reason=unique[1]),
            message="solved by exact best replies",
        )
        for e in made
    }

    def relabelled(c: Component) -> Component:
        low = None if c.low is None else renamed[id(c.low)]
        return Component(low, renamed[id(c.high)], c.limit)

    ordered = sorted(renamed.values(), key=lambda e: -e.leader_payoff)
    return Found(tuple(ordered), tuple(relabelled(c) for c in components), known, statement)
