"""What one equilibrium claims of itself: its numbers, its regret, its uniqueness."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from flint import arb

from alliancegame.verify import theorems
from alliancegame.verify.deviations import largest_gain
from alliancegame.verify.intervals import Interval
from alliancegame.verify.payoffs import Stage
from alliancegame.verify.reading import number

ACCEPTED, REFUSED, OPEN = "accepted", "refused", "not checkable"
Answer = tuple[str, str]
"""A status, and in words why."""

LIMITS = {"certified": 1e-9, "approximate": 1e-6}
"""The greatest regret of each verdict."""

CLOSE = 1e-9
"""A carried number agrees if it is this near, relatively; PAYOFF_CLOSE is the same absolutely."""
PAYOFF_CLOSE = 1e-12

APART = 1e-3
"""Two profiles are distinct if some burden differs by more than this, relatively."""


def carried(name: str, given: float, enclosed: Interval, absolute: float = 0.0) -> Answer:
    """Whether a number of the file agrees with the interval that the terms give."""
    if math.isnan(given):
        return REFUSED, f"{name} is no number"
    if math.isinf(given):
        same = enclosed.lo == enclosed.hi == (arb.pos_inf() if given > 0 else arb.neg_inf())
        return (ACCEPTED if same else REFUSED), f"{name} is {given}, the terms give {enclosed}"
    slack = Interval(absolute + CLOSE * abs(given))
    low, high = (Interval(given) - slack).lo, (Interval(given) + slack).hi
    if enclosed.inside(low, high):
        return ACCEPTED, ""
    if enclosed.lo > high or enclosed.hi < low:
        return REFUSED, f"{name} is {given!r}, the terms give {enclosed}"
    return OPEN, f"{name} is only enclosed by {enclosed}"


def numbers(stage: Stage, content: Mapping[str, Sequence[float]], savings: float) -> Answer:
    """Payoffs, influences, securities and trust of every member, and the leader's savings."""
    found = [(ACCEPTED, "payoff, influence, security, trust and savings agree to 1e-9")]
    for i, member in enumerate(stage.game.members):
        payoff, burden = stage.payoff(i), stage.burdens[i]
        for name in ("payoff", "influence", "security"):
            absolute = PAYOFF_CLOSE if name == "payoff" else 0.0
            enclosed = payoff.number(name, burden)
            found.append(carried(f"{name} of {member}", content[name][i], enclosed, absolute))
        found.append(carried(f"trust of {member}", content["trust"][i], stage.trust[i]))
    security = stage.payoff(stage.lead).number("security", stage.burdens[stage.lead])
    weak = stage.game.substitution < 0 or stage.game.technology == "weakest-link"
    if weak or security.hi <= 0:  # Standing alone means nothing there.
        if not math.isnan(savings):
            found.append((REFUSED, f"savings are {savings}, but are not defined in this game"))
    else:
        share = Interval(1) - stage.g[stage.lead] / security
        found.append(carried("savings", savings, share, PAYOFF_CLOSE))
    return gravest(found)


def gravest(answers: Sequence[Answer]) -> Answer:
    """The first refusal; or else the first that is open; or else the first."""
    for status in (REFUSED, OPEN):
        for answer in answers:
            if answer[0] == status:
                return answer
    return answers[0]


def regret(stage: Stage, certificate: Mapping[str, Any]) -> Answer:
    """That no player gains more than `regret` by any deviation, and the verdict drawn from it."""
    verdict, bound = certificate["verdict"], number(certificate["regret"])
    for name, most in LIMITS.items():
        if not 0 <= number(certificate["tolerances"][name]) <= most:
            return REFUSED, f"a verdict {name!r} with that tolerance means nothing"
    if verdict == "unverified":
        return OPEN, "the result itself says that it is unverified: nothing is claimed"
    limit = number(certificate["tolerances"][verdict])
    if not 0 <= bound <= limit:
        return REFUSED, f"a regret of {bound:.3g} is not {verdict!r}, which means at most {limit:g}"
    if not _money_agrees(stage, certificate, bound):
        return REFUSED, f"regret_usd_bn is not the worth of the regret {bound:.3g}"
    return nobody_gains(stage, bound)


def nobody_gains(stage: Stage, bound: float) -> Answer:
    """That no player gains more than `bound`: branch and bound over each whole action set."""
    most, open_of = 0.0, ""
    for i in stage.members if stage.plan.burden is None else stage.allies:
        payoff, burden, member = stage.payoff(i), stage.burdens[i], stage.game.members[i]
        here = payoff.number("payoff", burden)
        if not here.lo > arb.neg_inf():
            ruined = here.hi == arb.neg_inf()
            what = "minus infinity" if ruined else "not proved to be finite"
            return (REFUSED if ruined else OPEN), f"the payoff of {member} is {what}"
        gain = largest_gain(payoff, burden, arb(bound))
        if gain.least > bound:
            found = f"{member} gains at least {float(gain.least):.3g} by a deviation"
            return REFUSED, f"{found}, more than {bound:.3g}"
        if gain.most > bound:
            open_of = f"the gain of {member} is only proved to be at most {_up(gain.most)}"
        most = max(most, float(gain.most))
    if open_of:
        return OPEN, open_of
    return (
        ACCEPTED,
        f"nobody gains more than {_up(most)} (claimed {bound:.3g}), over whole action sets",
    )


def _up(number: Any) -> str:
    """Two digits, rounded up."""
    return f"{1.1 * float(number):.1e}" if number > 0 else "0"


def _money_agrees(stage: Stage, certificate: Mapping[str, Any], bound: float) -> bool:
    """The regret of `worst` in bn US$: (exp(regret) - 1)(1 - x) Y, or regret Y with linear c."""
    money, worst = number(certificate["regret_usd_bn"]), certificate["worst"]
    if worst is None:
        return bound == 0 == money
    i = stage.game.members.index_of(worst)
    worth = bound * float(stage.game.by_member("gdp")[i])
    if stage.game.consumption == "log":
        worth = math.expm1(bound) * (1 - stage.burdens[i]) * float(stage.game.by_member("gdp")[i])
    return abs(money - worth) <= CLOSE * worth


@dataclasses.dataclass(frozen=True)
class Beside:
    """Another profile of the same game and plan: its claimed regret, and what was found of that."""

    burdens: Sequence[float]
    regret: float
    status: str


def unique(
    stage: Stage, certificate: Mapping[str, Any], theorem: Any, others: Sequence[Beside]
) -> Answer:
    """What is claimed of uniqueness: "proven" by the theorem that is cited, "multiple", or nothing."""
    state, nash = certificate["unique"], stage.plan.burden is None
    fitting = "simultaneous Nash" if nash else "followers"
    by_cases = stage.jumps or stage.game.technology != "ces"
    if state == "proven" and theorem == "enumeration" and by_cases and not others:
        return (
            OPEN,
            "a proof by enumeration (compliance sets, roles of members) is not checked here",
        )
    if theorem != (fitting if state == "proven" else None):
        return REFUSED, f"the theorem {theorem!r} is cited for uniqueness {state!r}"
    if state == "not proven":
        return ACCEPTED, "nothing is claimed"
    if state == "proven" and others:
        return REFUSED, "further equilibria are listed"
    why_not = (theorems.simultaneous if nash else theorems.followers)(stage)
    if state == "multiple":
        if not why_not:
            return REFUSED, "a theorem proves that there is only one"
        return _several(stage, number(certificate["regret"]), others)
    if why_not or certificate["verdict"] == "unverified":
        return REFUSED, why_not or "the profile is unverified"
    return ACCEPTED, f"the conditions of the theorem on {fitting} hold"


def _several(stage: Stage, bound: float, others: Sequence[Beside]) -> Answer:
    """At least two equilibria: those listed, or a second one of the continuum that is claimed."""
    if not others:
        return _continuum(stage)
    profiles = [stage.burdens, *(other.burdens for other in others)]
    for k, one in enumerate(profiles):
        if not all(apart(one, two) for two in profiles[:k]):
            return REFUSED, "one profile is listed twice"
    if any(other.status == REFUSED for other in others):
        return REFUSED, "a further equilibrium is refused"
    largest = max(bound, *(other.regret for other in others))
    if largest > LIMITS["certified"] or any(other.status != ACCEPTED for other in others):
        return OPEN, "regrets this large do not tell one equilibrium from another"
    return ACCEPTED, f"{len(profiles)} distinct profiles, each with a regret of at most 1e-9"


def apart(one: Sequence[float], two: Sequence[float]) -> bool:
    """Whether two profiles are distinct, by more than what any tolerance leaves open."""
    return any(abs(a - b) > 1e-9 + APART * max(a, b) for a, b in zip(one, two, strict=True))


def _continuum(stage: Stage) -> Answer:
    """A second profile from this one: another ally gives half of what one ally could give less."""
    pairs = theorems.exchangeable(stage)
    if not pairs:
        return OPEN, "several are claimed, and no second one is in the file"
    i, j = pairs[0]
    unit = [float(stage.scale[k].hi) for k in (i, j)]
    room = float(stage.game.by_member("burden_max")[j]) - stage.burdens[j]
    step = min((stage.burdens[i] - theorems.floor(stage, i)) * unit[0], room * unit[1]) / 2
    moved = list(stage.burdens)
    moved[i], moved[j] = moved[i] - step / unit[0], moved[j] + step / unit[1]
    status, _ = nobody_gains(Stage(stage.game, stage.plan, moved), LIMITS["certified"])
    if status != ACCEPTED or not apart(moved, stage.burdens):
        return OPEN, "a continuum is claimed, and no second profile was found"
    names = " and ".join(stage.game.members[k] for k in (i, j))
    return ACCEPTED, f"where {names} share otherwise, regret is at most 1e-9 too"
