"""Continua of equilibria, with their end points: members whose gifts replace each other exactly."""

from __future__ import annotations

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import multiple, nash, sharing
from alliancegame.solve.every.result import Continuum
from alliancegame.solve.result import Equilibrium
from alliancegame.solve.sharing import Shared
from alliancegame.solve.tolerances import Tolerances
from alliancegame.solve.trigger import answers
from alliancegame.solve.trigger.compliance import Compliance, effective
from alliancegame.solve.trigger.sides import Sides

HALVINGS = 50


def components(
    game: BurdenSharingGame, plan: Plan, known: list[Equilibrium], tolerances: Tolerances
) -> tuple[Continuum, ...]:
    """The continua through known equilibria (docs/theory/equilibrium, the degenerate linear game).

    Linear allies of one worth share their sum in any way, and a linear leader and such an ally
    theirs; every end point is certified, and a continuum with an end that is not is left out.
    """
    found: list[Continuum] = []
    for one in known:
        for shared in sharing.ways(game, plan, one.burdens, one.operating_trust):
            profiles = multiple.distinct(shared.profiles)
            ends = nash._certified_at(game, plan, profiles, tolerances, "an end of a continuum")
            if len(ends) > 1 and all(e.certificate.verdict != "unverified" for e in ends):
                made = _made(game, shared, ends, shared.listed, "")
                found += [] if any(_same(made, other) for other in found) else [made]
    return tuple(found)


def on_compliance_sets(
    sides: Sides, known: list[Equilibrium], tolerances: Tolerances
) -> tuple[tuple[Continuum, ...], list[Equilibrium]]:
    """The continua through equilibria of a game with trigger threats, and one equilibrium for each.

    Each continuum lies on its compliance set; equilibria that lie on none are all there.

    Along a continuum of the game without jumps somebody may come to gain by changing sides. An end at
    which that is so is no equilibrium; the last profile on the way there at which nobody gains stands in
    its place, and the continuum is then not `listed` in full.
    """
    found: list[Continuum] = []
    kept: list[Equilibrium] = []
    for one in known:
        through: list[Continuum] = []
        plain, plan = effective(sides, one.burdens)
        for shared in sharing.ways(plain, plan, one.burdens, sides.trust):
            profiles = _kept(sides, one.burdens, multiple.distinct(shared.profiles), tolerances)
            words = "an end of a continuum on its compliance set"
            whole = np.array_equal(profiles, multiple.distinct(shared.profiles))
            note = "" if whole else "; beyond these somebody would gain by changing sides"
            compliance = Compliance(multiple.distinct(profiles), "not known", words)
            ends = answers.as_results(sides, compliance, tolerances)
            ends = [e for e in ends if e.certificate.verdict != "unverified"]
            if len(ends) > 1:
                through.append(_made(sides.game, shared, ends, shared.listed and whole, note))
        new = [part for part in through if not any(_same(part, other) for other in found)]
        if new or not through:
            kept.append(one)
        found += new
    return tuple(found), kept


def _kept(sides: Sides, burdens: Array, ends: Array, tolerances: Tolerances) -> Array:
    """Ends, (end, n), each drawn towards the equilibrium until nobody gains."""
    low, high = np.zeros(len(ends)), np.ones(len(ends))

    def at(share: Array) -> Array:
        return np.asarray(burdens + share[:, None] * (ends - burdens))

    def gains(share: Array) -> Array:
        profiles = np.where(share[:, None] == 1, ends, at(share))
        return np.asarray(sides.gains(profiles)[0].max(axis=1))

    fine = gains(high) <= tolerances.certified
    if fine.all():
        return ends
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        good = gains(middle) <= 0.5 * tolerances.certified
        low, high = np.where(good, middle, low), np.where(good, high, middle)
    return np.where(fine[:, None], ends, at(low))


def _made(
    game: BurdenSharingGame, shared: Shared, ends: list[Equilibrium], listed: bool, note: str
) -> Continuum:
    names = tuple(game.members[i] for i in shared.who)
    if game.leader in names:
        words = (
            f"{names[0]} and {names[1]} replace each other's contributions between two end points"
        )
        return Continuum(names, tuple(ends), words + note, listed)
    words = (
        f"{', '.join(names)} share contributions of {shared.total:.6g} in any way within their bounds: "
        f"{len(ends)} end points"
    )
    if not shared.listed:
        words += ", one for each who carries all it can; others are not listed"
    return Continuum(names, tuple(ends), words + note, listed)


def _same(one: Continuum, other: Continuum) -> bool:
    return len(one.ends) == len(other.ends) and all(
        any(multiple.same(a.burdens, b.burdens) for b in other.ends) for a in one.ends
    )
