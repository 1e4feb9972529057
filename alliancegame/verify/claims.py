"""What one equilibrium claims of itself: its numbers, its regret, its uniqueness."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from flint import arb

from alliancegame.verify import theorems
from alliancegame.verify.deviations import largest_gain
from alliancegame.verify.intervals import Interval
from alliancegame.verify.payoffs import Stage

ACCEPTED, REFUSED, OPEN = "accepted", "refused", "not checkable"
Answer = tuple[str, str]
"""A status, and in words why."""

LIMITS = {"certified": 1e-9, "approximate": 1e-6}
"""The greatest regret of each verdict."""

CLOSE = 1e-9
"""A carried number agrees if it is this near, relatively; PAYOFF_CLOSE is the same absolutely."""
PAYOFF_CLOSE = 1e-12

APART = 1e-6
"""Profiles that differ by less count as one."""


def carried(name: str, given: float, enclosed: Interval, absolute: float = 0.0) -> Answer:
    """Whether a number of the file agrees with the interval that the terms give."""
    if math.isinf(given):
        same = enclosed.lo == enclosed.hi == (arb.pos_inf() if given > 0 else arb.neg_inf())
        return (
            (ACCEPTED, "") if same else (REFUSED, f"{name} is {given}, the terms give {enclosed}")
        )
    slack = Interval(absolute + CLOSE * abs(given))
    low, high = (Interval(given) - slack).lo, (Interval(given) + slack).hi
    if enclosed.inside(low, high):
        return ACCEPTED, ""
    if math.isnan(given) or enclosed.lo > high or enclosed.hi < low:
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
    if stage.game.substitution < 0 or security.hi <= 0:  # Standing alone means nothing there.
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
    verdict, bound = certificate["verdict"], float(certificate["regret"])
    if verdict == "unverified":
        return OPEN, "the result itself says that it is unverified: nothing is claimed"
    limit = LIMITS[verdict]
    if not 0 <= bound <= min(limit, float(certificate["tolerances"][verdict])):
        return REFUSED, f"a regret of {bound:.3g} is not {verdict!r}, which means at most {limit:g}"
    if not _money_agrees(stage, certificate, bound):
        return (
            REFUSED,
            f"{certificate['regret_usd_bn']} bn US$ is not the worth of the regret {bound:.3g}",
        )
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
    money, worst = float(certificate["regret_usd_bn"]), certificate["worst"]
    if worst is None:
        return bound == 0 == money
    i = stage.game.members.index_of(worst)
    worth = bound * float(stage.game.by_member("gdp")[i])
    if stage.game.consumption == "log":
        worth = math.expm1(bound) * (1 - stage.burdens[i]) * float(stage.game.by_member("gdp")[i])
    return abs(money - worth) <= CLOSE * worth


def unique(
    stage: Stage,
    certificate: Mapping[str, Any],
    theorem: Any,
    others: Sequence[tuple[list[float], str]],
) -> Answer:
    """What is claimed of uniqueness; `others` are further profiles with what was found of them."""
    state, nash = certificate["unique"], stage.plan.burden is None
    if state == "proven":
        name, prove = (
            ("simultaneous Nash", theorems.simultaneous)
            if nash
            else ("followers", theorems.followers)
        )
        why_not = (
            prove(stage) if theorem == name else f"the theorem to cite is {name!r}, not {theorem!r}"
        )
        if others:
            why_not = "further equilibria are listed beside it"
        if certificate["verdict"] == "unverified":
            why_not = "the profile is unverified"
        if why_not:
            return REFUSED, why_not
        return ACCEPTED, f"the conditions of the theorem on {name} hold"
    if theorem is not None:
        return REFUSED, f"the theorem {theorem!r} is cited, but uniqueness is {state!r}"
    profiles = [stage.burdens, *(profile for profile, _ in others)]
    for k, one in enumerate(profiles):
        if any(_distance(one, two) <= APART for two in profiles[:k]):
            return REFUSED, "one profile is listed twice"
    if state == "not proven":
        return (
            (REFUSED, "further equilibria are listed")
            if others
            else (ACCEPTED, "nothing is claimed")
        )
    if not (theorems.simultaneous if nash else theorems.followers)(stage):
        return REFUSED, "a theorem proves that there is only one"
    if others:
        first = gravest([(status, "a further equilibrium is not accepted") for _, status in others])
        return (
            first if first[0] != ACCEPTED else (ACCEPTED, f"{len(profiles)} profiles, each checked")
        )
    return _continuum(stage)


def _distance(one: Sequence[float], two: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, two, strict=True))


def _continuum(stage: Stage) -> Answer:
    """A second profile from this one: half of what an ally can give up is given by another instead."""
    pairs = theorems.exchangeable(stage)
    if not pairs:
        return OPEN, "several are claimed, and no second one is in the file"
    i, j = pairs[0]
    unit = [float(stage.scale[k].hi) for k in (i, j)]
    floor = stage.demand[i] if stage.pressed(i) else 0.0
    floor = max(floor, float(stage.game.by_member("burden_min")[i]))
    room = float(stage.game.by_member("burden_max")[j]) - stage.burdens[j]
    step = min((stage.burdens[i] - floor) * unit[0], room * unit[1]) / 2
    moved = list(stage.burdens)
    moved[i], moved[j] = moved[i] - step / unit[0], moved[j] + step / unit[1]
    status, _ = nobody_gains(Stage(stage.game, stage.plan, moved), LIMITS["certified"])
    if status != ACCEPTED or _distance(moved, stage.burdens) <= APART:
        return OPEN, "a continuum is claimed, and no second profile was found"
    names = " and ".join(stage.game.members[k] for k in (i, j))
    return (
        ACCEPTED,
        f"another profile, in which {names} share otherwise, has a regret of at most 1e-9",
    )
