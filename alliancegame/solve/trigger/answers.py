"""Equilibria of games with trigger threats as certified results."""

from __future__ import annotations

import dataclasses

import numpy as np

from alliancegame.errors import ConvergenceError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, certificate
from alliancegame.solve.certificate import Certificate, Unique
from alliancegame.solve.result import Equilibrium
from alliancegame.solve.tolerances import Tolerances
from alliancegame.solve.trigger.compliance import Compliance, compliance, effective
from alliancegame.solve.trigger.sides import Sides

METHOD = (
    "each payoff is concave on either side of the demand: the best deviation is the better of the two "
    "sides', and a best burden just below the demand is no better than the demand itself"
)
SCANNED = "scan of each side of the demand, denser at small burdens, refined at its best point"


def trigger_equilibria(
    game: BurdenSharingGame, plan: Plan, tolerances: Tolerances
) -> tuple[list[Equilibrium], Compliance]:
    """Every equilibrium found, the leader's best first, and what is known of their number."""
    sides = Sides.of(game, plan)
    found = compliance(sides, tolerances)
    made = as_results(sides, found, tolerances)
    return made, found


def as_results(sides: Sides, found: Compliance, tolerances: Tolerances) -> list[Equilibrium]:
    """Profiles as certified results, the best for the leader first."""
    profiles = found.profiles
    if not len(profiles):
        return []
    gains, _ = sides.gains(profiles)
    at = sides.described(profiles)
    concept = "nash" if sides.plan.burden is None else "response"
    made = []
    for k, profile in enumerate(profiles):
        unique = _unique(sides, profile, found)
        proof = certified(sides, profile, gains[k], tolerances, unique)
        arrays = (profile, at.payoff[k], at.influence[k], at.security[k], at.trust[k])
        message = f"solved on its compliance set of {int(sides.comply(profiles)[k].sum())} allies"
        made.append(Equilibrium(sides.game, sides.plan, concept, *arrays, proof, message))
    return sorted(made, key=lambda e: -e.leader_payoff)


def _unique(sides: Sides, profile: Array, found: Compliance) -> tuple[Unique, str]:
    plain, plan = effective(sides, profile)
    ask = certificate.nash_unique if plan.burden is None else certificate.followers_unique
    state, reason = ask(plain, plan, profile, sides.trust)
    if state == "multiple":  # A continuum on its own set.
        return "multiple", reason
    if len(found.profiles) > 1:
        return "multiple", found.statement
    return ("proven" if found.completeness == "proven" else "not proven"), found.statement


def certified(
    sides: Sides,
    profile: Array,
    gains: Array,
    tolerances: Tolerances,
    unique: tuple[Unique, str],
) -> Certificate:
    """The certificate of a profile from every member's best deviation to either side."""
    made = certificate.build(
        sides.plain, sides.plan, profile, gains, tolerances, unique, bounded=False
    )
    concave = aggregative.tables(sides.plain).concave
    scope = made.scope.replace("its kinks", "the demand")
    return dataclasses.replace(made, method=METHOD if concave else SCANNED, scope=scope)


def best_for_leader(made: list[Equilibrium]) -> Equilibrium:
    """The first of several, with the others beside it."""
    return dataclasses.replace(made[0], others=tuple(made[1:]))


def none_found(game: BurdenSharingGame, plan: Plan, found: Compliance) -> ConvergenceError:
    """The error for a plan without a pure equilibrium."""
    return ConvergenceError(
        f"no pure equilibrium under {plan.describe()} with trigger threats: {found.statement}. "
        "find_equilibria(game, plan) gives a cycle of best replies as evidence; change the threat or the "
        'demand, or use shortfall="proportional".'
    )


def refuse_zero_trust(sides: Sides) -> None:
    """Raise `ZeroTrustError` where the leader's payoff would be minus infinity."""
    nobody = np.zeros((1, sides.game.size), dtype=bool)
    if int(sides.solve(nobody).column("status")[0]) == aggregative.ZERO_TRUST:
        from alliancegame.solve.nash import zero_trust

        raise zero_trust(sides.game, sides.plan)


def as_triggers(sides: Sides, found: Equilibrium) -> Equilibrium:
    """An equilibrium of the game without jumps as one of the trigger game, where nobody can choose."""
    at = sides.described(found.burdens[None, :])
    others = tuple(as_triggers(sides, other) for other in found.others)
    return dataclasses.replace(found, game=sides.game, securities=at.security[0], others=others)


def solve_nash(
    game: BurdenSharingGame, plan: Plan, tolerances: Tolerances, throw: bool
) -> Equilibrium:
    """As `nash.solve_nash`, for a game with trigger threats and somebody who is under one."""
    made, found = trigger_equilibria(game, plan, tolerances)
    if made:
        return best_for_leader(made)
    failure = none_found(game, plan, found)
    if throw:
        raise failure
    sides = Sides.of(game, plan)
    return unverified(sides, str(failure), tolerances)


def unverified(sides: Sides, message: str, tolerances: Tolerances) -> Equilibrium:
    """What is returned instead of an error: the answer if nobody complied, called unverified."""
    nobody = np.zeros((1, sides.game.size), dtype=bool)
    at = sides.solve(nobody)
    profile = at.burden[0]
    gains = np.full(sides.game.size, np.inf)
    if np.isfinite(profile).all():
        gains, at = sides.gains(at.burden)[0][0], sides.described(at.burden)
    unique: tuple[Unique, str] = ("not proven", "nothing was found")
    proof = certified(sides, profile, gains, tolerances, unique)
    concept = "nash" if sides.plan.burden is None else "response"
    arrays = (profile, at.payoff[0], at.influence[0], at.security[0], at.trust[0])
    return Equilibrium(sides.game, sides.plan, concept, *arrays, proof, message)


def certify(
    game: BurdenSharingGame, profile: Array, plan: Plan, tolerances: Tolerances
) -> Certificate:
    """The certificate of any profile: its true regret, jumps to the other side included."""
    sides = Sides.of(game, plan)
    gains = sides.gains(profile[None, :])[0][0]
    unknown: tuple[Unique, str] = ("not proven", "the profile is no equilibrium")
    made = certified(sides, profile, gains, tolerances, unknown)
    if made.verdict == "unverified":
        return made
    found = compliance(sides, tolerances)
    unique = _unique(sides, profile, found)
    elsewhere = [np.abs(other - profile).max() for other in found.profiles]
    if unique[0] != "multiple" and (not elsewhere or min(elsewhere) > 1e-6):
        unique = ("not proven", f"the profile is not among those found: {found.statement}")
    return dataclasses.replace(made, unique=unique[0], reason=unique[1])
