"""8. Claims: what an equilibrium says of itself, and what became of it.

The argument: its numbers agree with the terms (`agrees`); nobody gains more than its regret by any
deviation (`nobody_gains`); and it is the only one if the proof that it cites is one (`PROOFS`), or one of
several if a second one is there. What is neither proved nor disproved is left open.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flint import arb

from alliancegame.verify import boxes, theorems
from alliancegame.verify.deviations import Profile
from alliancegame.verify.intervals import INFINITE, NEGATIVE, Interval
from alliancegame.verify.payoffs import Stage

ACCEPTED, REFUSED, OPEN = "accepted", "refused", "not checkable"
Answer = tuple[str, str]
"""A status, and in words why."""

LIMITS = {"certified": 1e-9, "approximate": 1e-6}
"""The greatest regret of each verdict."""

CLOSE, PAYOFF_CLOSE = 1e-9, 1e-12
"""A number of the file agrees if it is CLOSE, relatively; a payoff also if it is PAYOFF_CLOSE."""

NOT_REPEATED = "proved by halving the set of profiles or by enumeration: that is not repeated here"

APART = 1e-3
"""Two profiles are distinct if some burden differs by more than this, relatively."""


def gravest(answers: Sequence[Answer]) -> Answer:
    """The first refusal; or else the first that is open; or else the first."""
    return min(answers, key=lambda answer: (REFUSED, OPEN, ACCEPTED).index(answer[0]))


def agrees(what: str, given: float, enclosed: Interval, absolute: float = 0.0) -> Answer:
    """Whether a number of the file agrees with the interval that the formulas give."""
    if not math.isfinite(given):
        same = enclosed.lo == enclosed.hi == arb(given)  # Nothing is the same as nan.
        status = ACCEPTED if same else OPEN if enclosed.hi - enclosed.lo == INFINITE else REFUSED
        return status, f"{what} is {given}, the formulas give {enclosed}"
    slack = Interval(absolute + CLOSE * abs(given))
    low, high = (Interval(given) - slack).lo, (Interval(given) + slack).hi
    if enclosed.lo > high or enclosed.hi < low:
        return REFUSED, f"{what} is {given!r}, the formulas give {enclosed}"
    inside = low <= enclosed.lo and enclosed.hi <= high
    return (ACCEPTED, "") if inside else (OPEN, f"{what} is only enclosed by {enclosed}")


def numbers(profile: Profile, given: Mapping[str, Sequence[float]], savings: float) -> Answer:
    """What is stated of every player; in an alliance also what the leader saves."""
    found = [(ACCEPTED, "all numbers agree to 1e-9")]
    for i, player in enumerate(profile.names):
        for name, enclosed in profile.stated(i).items():
            absolute = PAYOFF_CLOSE * profile.units[i] if name == "payoff" else 0.0
            found.append(agrees(f"{name} of {player}", given[name][i], enclosed, absolute))
    return gravest([*found, _savings(profile, savings)] if isinstance(profile, Stage) else found)


def _savings(stage: Stage, given: float) -> Answer:
    """1 - g_l / S_l; where standing alone gives no security at all, it is not defined."""
    game, security = stage.game, stage.stated(stage.lead)["security"]
    if game.substitution < 0 or game.technology == "weakest-link" or security.hi <= 0:
        status = ACCEPTED if math.isnan(given) else REFUSED
        return status, f"savings are {given}, but are not defined in this game"
    return agrees("savings", given, Interval(1) - stage.shared["leader"] / security, PAYOFF_CLOSE)


def worth(stage: Stage, i: int, gain: float) -> Interval:
    """A gain of payoff in bn US$: (exp(gain) - 1)(1 - x) Y, or gain Y with linear c."""
    share = Interval(gain)
    if stage.game.consumption == "log":
        share = share.rising(arb.expm1) * (Interval(1) - stage.of["x"][i])
    return share * stage.of["gdp"][i]


def regret(profile: Profile, certificate: Mapping[str, Any], concept: str) -> Answer:
    """That no player gains more than `regret` by any deviation, and the verdict drawn from it."""
    verdict, bound, worst = certificate["verdict"], certificate["regret"], certificate["worst"]
    for name, most in LIMITS.items():
        if not 0 <= certificate["tolerances"][name] <= most:
            return REFUSED, f"a verdict {name!r} with that tolerance means nothing"
    if verdict == "unverified":
        return OPEN, "the result itself says that it is unverified: nothing is claimed"
    if not isinstance(profile, Stage) and concept != "nash":
        return OPEN, f"a profile of concept {concept!r}: who may deviate is not in the file"
    limits = [certificate["tolerances"][verdict] * unit for unit in profile.units]
    if not 0 <= bound <= max(limits):
        return REFUSED, f"a regret of {bound:.3g} is not {verdict!r}: at most {max(limits):g} is"
    if worst is None and bound > 0:
        return REFUSED, "a regret that is nobody's"
    gains = nobody_gains(profile, bound, limits)
    if not isinstance(profile, Stage):
        unit = math.isnan(certificate["regret_usd_bn"])
        return gains if unit else (REFUSED, "a regret in money, where payoffs have no unit")
    of = profile.lead if worst is None else profile.names.index(worst)
    money = agrees("regret_usd_bn", certificate["regret_usd_bn"], worth(profile, of, bound))
    return gravest([gains, money])


def nobody_gains(profile: Profile, bound: float, limits: Sequence[float] | None = None) -> Answer:
    """That no player gains more than `bound`, or its own limit: branch and bound over action sets."""
    most, unsettled = 0.0, ""
    for i in profile.playing:
        player, target = profile.names[i], min(bound, limits[i]) if limits else bound
        if profile.paid(i).hi == NEGATIVE:
            return REFUSED, f"the payoff of {player} is minus infinity"
        gain = profile.gain(i, arb(target))
        if gain.least > target:
            found = f"{player} gains at least {float(gain.least):.3g} by a deviation"
            return REFUSED, f"{found}, more than {target:.3g}"
        if not gain.most <= target:
            unsettled = f"the gain of {player} is only proved to be at most {_up(gain.most)}"
        most = max(most, float(gain.most))
    found = f"nobody gains more than {_up(most)} (claimed {bound:.3g}), over whole action sets"
    return (OPEN, unsettled) if unsettled else (ACCEPTED, found)


def _up(number: Any) -> str:
    """Two digits, rounded up."""
    return f"{1.1 * float(number):.1e}" if number > 0 else "0"


# --- Uniqueness and completeness -------------------------------------------------------------------

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
    found = why or boxes.places(Stage(game, plan, stage.high), evidence)
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
    for (i, j), room in list(theorems.exchangeable(stage).items())[:1]:
        moved = list(stage.values)
        for k, more in ((i, -room / 2), (j, room / 2)):
            moved[k] += more / float(stage.of["scale"][k].hi)
        gains, _ = nobody_gains(Stage(stage.game, stage.plan, moved), LIMITS["certified"])
        if gains == ACCEPTED and apart(moved, stage.values):
            names = " and ".join(stage.names[k] for k in (i, j))
            return ACCEPTED, f"where {names} share otherwise, regret is at most 1e-9 too"
    return None
