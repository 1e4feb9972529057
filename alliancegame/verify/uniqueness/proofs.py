"""Uniqueness and completeness: what is said of further equilibria, and what became of it.

The argument: an equilibrium is the only one, and a list is complete, if the proof that is cited is one
(`PROOFS`); it is one of several if a second one is there, or can be made.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from alliancegame.verify.claims import ACCEPTED, LIMITS, OPEN, REFUSED, Answer, nobody_gains
from alliancegame.verify.payoffs import Stage
from alliancegame.verify.profile import Profile
from alliancegame.verify.uniqueness import cells, continua, theorems

NOT_REPEATED = "proved by halving the set of profiles or by enumeration: that is not repeated here"

APART = 1e-3
"""Two profiles are distinct if some burden differs by more than this, relatively."""


Profiles = Sequence[Sequence[float]]
Proof = Callable[[Stage, Profiles, Any], Answer]
"""That a game under a plan (of a stage) has no equilibria but the given profiles, from evidence."""


def _theorem(name: str, stage: Stage, profiles: Profiles, evidence: Any) -> Answer:
    fitting = "followers" if stage.plan.burden is not None else "simultaneous Nash"
    if evidence is not None or name != fitting:
        return REFUSED, f"the theorem on {name} is not about this, or is given evidence"
    if len(profiles) != 1:
        return REFUSED, f"the theorem on {name} leaves one equilibrium, not {len(profiles)}"
    why = theorems.why_not(stage)
    return (REFUSED, why) if why else (ACCEPTED, f"the conditions of the theorem on {name} hold")


def _enumeration(stage: Stage, profiles: Profiles, evidence: Any) -> Answer:
    trigger = stage.game.shortfall == "trigger" and any(map(stage.pressed, stage.allies))
    if evidence is not None or not (trigger or stage.game.technology != "ces"):
        return REFUSED, "there are no compliance sets or roles of members to enumerate"
    return OPEN, "a proof by enumeration (compliance sets, roles of members) is not checked here"


def _intervals(stage: Stage, profiles: Profiles, evidence: Any) -> Answer:
    if evidence is None:
        return OPEN, "the boxes of the proof are not in the file"
    game, plan = stage.game, stage.plan
    stages = [stage, *(Stage(game, plan, list(p)) for p in profiles[1:])]
    why = next(filter(None, map(theorems.why_not_by_total, stages)), "")
    found = why or cells.places(Stage(game, plan, stage.high), evidence)
    if isinstance(found, str):
        return REFUSED, found
    inside = [sum(low <= p[stage.lead] <= high for p in profiles) for low, high in found]
    if inside != [1] * len(profiles):
        return REFUSED, f"boxes prove {len(found)} equilibria, and not those that are listed"
    return ACCEPTED, f"{len(evidence)} boxes prove that there are {len(found)}: those listed"


PROOFS: dict[str, Proof] = {
    "followers": functools.partial(_theorem, "followers"),
    "simultaneous Nash": functools.partial(_theorem, "simultaneous Nash"),
    "intervals": _intervals,
    "enumeration": _enumeration,
}
"""The proofs that a claim of uniqueness or completeness may cite as its `theorem`.

This is where a further proof is hooked in: a function in a file of its own, and a line here. Its evidence
(say, boxes that hold no equilibrium) is what the claim carries as `evidence`, next to `theorem`.
"""


def only(cited: Any, profile: Profile, profiles: Profiles, evidence: Any) -> Answer:
    """That there are no equilibria but these, by the proof that is cited."""
    if not isinstance(profile, Stage):
        return OPEN, NOT_REPEATED
    if cited not in PROOFS:
        return REFUSED, f"no proof of that is known by the name of {cited!r}"
    return PROOFS[cited](profile, profiles, evidence)


def apart(one: Sequence[float], two: Sequence[float], by: float = APART) -> bool:
    """Whether two profiles are distinct, by more than what any tolerance leaves open."""
    return any(abs(a - b) > 1e-9 + by * max(abs(a), abs(b)) for a, b in zip(one, two, strict=True))


def several(profile: Profile, others: Sequence[tuple[Sequence[float], float, str]]) -> Answer:
    """At least two equilibria: itself, the first of `others`, and one more of them, or of a continuum.

    Each is given as profile, regret, and what became of its regret.
    """
    if isinstance(profile, Stage) and not theorems.why_not(profile):
        return REFUSED, "a theorem proves that there is only one"
    if len(others) < 2:
        moved = isinstance(profile, Stage) and _moved_along(profile)
        return moved or (OPEN, "several are claimed, and no second one is in the file")
    found = [one for one, _, _ in others]
    if any(found.count(one) > 1 for one in found) or not any(apart(found[0], one) for one in found):
        return REFUSED, "one profile is listed twice"
    if any(status == REFUSED for _, _, status in others[1:]):
        return REFUSED, "a further equilibrium is refused"
    limit = LIMITS["certified"] * min(profile.units)
    sure = [one for one, r, status in others if r <= limit and status == ACCEPTED]
    if found[0] not in sure or not any(apart(found[0], one) for one in sure):
        return OPEN, "regrets this large do not tell one equilibrium from another"
    return ACCEPTED, f"a distinct profile has a regret of at most {limit:g} too"


def _moved_along(stage: Stage) -> Answer | None:
    """A second profile of a continuum: another ally gives half of what one ally could give less."""
    for (i, j), room in list(continua.exchangeable(stage).items())[:1]:
        moved = list(stage.values)
        for k, more in ((i, -room / 2), (j, room / 2)):
            moved[k] += more / float(stage.of["scale"][k].hi)
        gains, _ = nobody_gains(Stage(stage.game, stage.plan, moved), LIMITS["certified"])
        if gains == ACCEPTED and apart(moved, stage.values):
            names = " and ".join(stage.names[k] for k in (i, j))
            return ACCEPTED, f"where {names} share otherwise, regret is at most 1e-9 too"
    return None
