"""Which allies comply with a trigger threat: every compliance set that is an equilibrium.

Three ways, the first that applies. Where the theorems hold (docs/theory/equilibrium), sets are branched
and pruned by proved bounds, and the answer is complete. Otherwise up to 2^12 sets are tried one and
all. Otherwise allies change sides one at a time from several sets, and nothing is claimed.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.checks import further_forms
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, certificate, indifference, multiple, sharing
from alliancegame.solve.keys import Key
from alliancegame.solve.own_payoff import OUT_OF_REACH
from alliancegame.solve.scenarios import Scenarios
from alliancegame.solve.tolerances import Tolerances
from alliancegame.solve.trigger.pruning import prune
from alliancegame.solve.trigger.sides import Mask, Sides

Completeness = Literal["proven", "to a resolution", "not known"]

EXHAUSTED = 12
"""Up to so many allies who can choose, all sets are tried where nothing can be pruned by proof."""
FEW = 8
"""Up to so many allies trying all sets is quicker than bounds."""
MOST_NODES = 500
MOST_SETS = 300
MOST_TURNS = 200
SCANNED = 97
"""Leader's burdens scanned on each set for roots of its condition."""


@dataclasses.dataclass(frozen=True)
class Turn:
    """One step of a cycle of best replies: at `burdens`, `member` gains `gain` by spending `reply`."""

    burdens: tuple[float, ...]
    member: str
    reply: float
    gain: float


@dataclasses.dataclass(frozen=True, eq=False)
class Compliance:
    """Equilibria of a trigger game, (equilibrium, n), with what is known of their number."""

    profiles: Array
    completeness: Completeness
    statement: str


def compliance(sides: Sides, tolerances: Tolerances) -> Compliance:
    """The equilibria of a game under trigger threats, none left out if `completeness` is "proven"."""
    count = int(sides.choosing.sum())
    doubts = missing(sides)
    if not doubts and count > FEW:
        pruned = prune(sides, MOST_NODES, MOST_SETS)
        if pruned.finished:
            profiles = _equilibria(sides, sides.solve(pruned.sets).burden, tolerances)
            how = (
                f"{pruned.games} games without jumps bound what compliance is worth to each of {count} "
                f"threatened allies, and leave {len(pruned.sets)} of 2^{count} compliance sets; "
                f"{_one_each(sides)}"
            )
            return Compliance(profiles, "proven", f"{_all_of(profiles)}: {how}")
        doubts = ["the bounds leave too many sets"]
    if count <= EXHAUSTED:
        return _exhausted(sides, doubts, tolerances)
    return _searched(sides, doubts, tolerances)


def _one_each(sides: Sides) -> str:
    unique = "followers" if sides.plan.burden is not None else "simultaneous Nash"
    return f"on each set the theorem on {unique} leaves one equilibrium at most"


def missing(sides: Sides) -> list[str]:
    """What the proof of pruning needs and the game does not have, in words; empty if it holds."""
    found = certificate.missing_conditions(sides.plain) + further_forms(sides.plain)
    if not aggregative.tables(sides.plain).concave:
        found.append("payoffs that are not concave on each side")
    free = sides.plan.burden is None
    if np.sum(indifference.degenerate(sides.plain)) >= (1 if free else 2):
        found.append("linear allies who may share a burden in any way")
    if free and not found:
        floor = np.array(sides.game.by_member("burden_min"))
        state, reason = certificate.nash_unique(
            sides.plain, Plan(tariff=sides.plan.tariff), floor, sides.trust
        )
        if state != "proven":
            found.append(reason)
        elif sides.game.influence_value != "log" and sides.game.by_member("influence_weight").any():
            found.append("shares of influence while the leader plays")
    return found


def _found(profiles: Array) -> str:
    if not len(profiles):
        return "no pure equilibrium"
    return f"{len(profiles)} {'equilibrium' if len(profiles) == 1 else 'equilibria'}"


def _all_of(profiles: Array) -> str:
    return f"{_found(profiles)}, and no others" if len(profiles) else _found(profiles)


def _equilibria(sides: Sides, profiles: Array, tolerances: Tolerances) -> Array:
    """Those of the profiles from which nobody gains, each once.

    Where an ally is nearly indifferent between its sides, a profile with a gain just above rounding
    stands beside an equilibrium, or beside none: where gains are exact it does not count.
    """
    profiles = profiles[np.isfinite(profiles).all(axis=1)]
    if not len(profiles):
        return profiles
    exact = aggregative.tables(sides.plain).concave
    limit = tolerances.certified if exact else tolerances.approximate
    return multiple.distinct(profiles[sides.gains(profiles)[0].max(axis=1) <= limit])


def _exhausted(sides: Sides, doubts: list[str], tolerances: Tolerances) -> Compliance:
    """Every set tried; on each the answers that are found."""
    who = np.flatnonzero(sides.choosing)
    codes = np.arange(2 ** len(who))
    sets = np.zeros((len(codes), sides.game.size), dtype=bool)
    sets[:, who] = (codes[:, None] >> np.arange(len(who))) & 1
    tried = f"all 2^{len(who)} compliance sets tried"
    candidates = [sides.solve(sets).burden]
    if not missing(sides):
        profiles = _equilibria(sides, candidates[0], tolerances)
        how = f"{tried}; {_one_each(sides)}"
        return Compliance(profiles, "proven", f"{_all_of(profiles)}: {how}")
    free = sides.plan.burden is None
    how = "on each the answer of the engine"
    if free:
        candidates.append(multiple.leader_roots(_cells(sides, sets), SCANNED).burden)
        how = (
            f"on each every root of the leader's condition among {SCANNED} of its burdens, refined"
        )
    candidates.append(_ends(sides, np.concatenate(candidates)))
    profiles = _equilibria(sides, np.concatenate(candidates), tolerances)
    known: Completeness = "to a resolution" if free and _followers_proved(sides) else "not known"
    doubt = "" if known != "not known" else "; a set may have further answers"
    return Compliance(
        profiles,
        known,
        f"{_found(profiles)} found: {tried}, {how}{doubt} (no proof: {'; '.join(doubts)})",
    )


def _ends(sides: Sides, profiles: Array) -> Array:
    """Ends of the continua through answers on their sets, (end, n): one may be an equilibrium alone."""
    found = [np.empty((0, sides.game.size))]
    if indifference.degenerate(sides.plain).any():
        for profile in multiple.distinct(profiles[np.isfinite(profiles).all(axis=1)]):
            found += [
                w.profiles for w in sharing.ways(*effective(sides, profile), profile, sides.trust)
            ]
    return np.concatenate(found)


def _followers_proved(sides: Sides) -> bool:
    """Whether the allies' answer to every burden of the leader is proved unique on every set."""
    fine = not (certificate.missing_conditions(sides.plain) + further_forms(sides.plain))
    concave = aggregative.tables(sides.plain).concave
    return fine and concave and not indifference.degenerate(sides.plain).any()


def _cells(sides: Sides, sets: Mask) -> Scenarios:
    """Compliance sets as cells of the plain game, for searches of the leader's condition."""
    low, high = sides.bounds(sets)
    asked = sides.asked(sets)
    columns = {}
    for i in np.flatnonzero(sides.choosing):
        member = sides.game.members[int(i)]
        columns[Key("burden_min", member)] = low[:, i]
        columns[Key("burden_max", member)] = high[:, i]
        columns[Key("demand", member)] = asked[:, i]
    plan = sides.plan.replace(demand=OUT_OF_REACH)
    return Scenarios(sides.plain, plan, columns, np.arange(len(sets)))


def _searched(sides: Sides, doubts: list[str], tolerances: Tolerances) -> Compliance:
    """From several sets, whoever gains most by changing sides does, until nobody gains."""
    starts = _starts(sides)
    sets, at_rest = np.array(starts), [np.empty((0, sides.game.size))]
    met: set[bytes] = set()
    for _ in range(MOST_TURNS):
        # A path that comes to where another has been, or itself, leads where that one leads.
        new = {row.tobytes(): k for k, row in enumerate(sets) if row.tobytes() not in met}
        met.update(new)
        sets = sets[list(new.values())]
        if not len(sets):
            break
        batch = sides.solve(sets)
        gain = np.nan_to_num(sides.other_sides(batch, sets), nan=-np.inf)
        best = gain.argmax(axis=1)
        rows = np.arange(len(sets))
        moving = gain[rows, best] > INDIFFERENT
        at_rest.append(batch.burden[~moving])
        sets[rows[moving], best[moving]] ^= True
        sets = sets[moving]
    profiles = _equilibria(sides, np.concatenate(at_rest), tolerances)
    return Compliance(
        profiles,
        "not known",
        f"{_found(profiles)} found: {len(starts)} of 2^{int(sides.choosing.sum())} compliance sets were "
        "starts, from which the ally that gains most by changing sides does; others may exist "
        f"(no proof: {'; '.join(doubts)})",
    )


INDIFFERENT = 1e-12
"""An ally that gains less by changing sides stays."""


def _starts(sides: Sides) -> Mask:
    """Nobody, everybody, and the first so many in the order of what compliance is worth to them."""
    nobody = np.zeros((1, sides.game.size), dtype=bool)
    gain = sides.other_sides(sides.solve(nobody), nobody)[0]
    order = [int(i) for i in np.argsort(-gain, kind="stable") if sides.choosing[i]]
    rows = [nobody[0]]
    for i in order:
        row = np.array(rows[-1])
        row[i] = True
        rows.append(row)
    return np.array(rows)


def cycle(sides: Sides) -> tuple[Turn, ...]:
    """Allies changing sides in a circle: evidence that no compliance set is at rest.

    From the set of nobody, whoever gains most by changing sides does, and all others settle again
    within their sides; the part that comes back to where it was. Empty if it comes to rest.
    """
    row = np.zeros((1, sides.game.size), dtype=bool)
    turns: list[Turn] = []
    met: dict[bytes, int] = {}
    for _ in range(MOST_TURNS):
        mark = row.tobytes()
        if mark in met:
            return tuple(turns[met[mark] :])
        met[mark] = len(turns)
        batch = sides.solve(row)
        gain = np.nan_to_num(sides.other_sides(batch, row)[0], nan=-np.inf)
        i = int(gain.argmax())
        if not gain[i] > INDIFFERENT:
            return ()
        who: NDArray[np.intp] = np.array([i])
        reply, _ = sides.replies(batch.burden, who, ~row[:, i])
        turns.append(
            Turn(
                tuple(batch.burden[0].tolist()),
                sides.game.members[i],
                float(reply[0]),
                float(gain[i]),
            )
        )
        row = np.array(row)
        row[0, i] ^= True
    return ()


def effective(sides: Sides, profile: Array) -> tuple[BurdenSharingGame, Plan]:
    """The game without threats that is played on the compliance set of a profile.

    A defier's umbrella is what the threat leaves of it. Theorems are asked about this game.
    """
    low, high = (bound[0] for bound in sides.bounds(sides.comply(profile[None, :])))
    missed = profile < sides.demand
    bite = sides.game.by_member("credibility") * sides.threat
    spillin, umbrella = sides.game.congested
    plain = sides.plain.replace(
        burden_min=np.minimum(low, np.nextafter(high, 0.0)),
        burden_max=high,
        spillin=np.array(spillin),
        umbrella=umbrella * np.where(missed, 1 - bite, 1.0),
    )
    return plain, Plan(burden=sides.plan.burden)
