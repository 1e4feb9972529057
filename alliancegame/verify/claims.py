"""5. Claims: what an equilibrium says of itself, and what became of it.

The argument: its numbers agree with the terms (`agrees`), and nobody gains more than its regret by any
deviation (`nobody_gains`). What is neither proved nor disproved is left open.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from flint import arb

from alliancegame.verify.intervals import INFINITE, NEGATIVE, Interval
from alliancegame.verify.payoffs import Stage
from alliancegame.verify.profile import Profile

ACCEPTED, REFUSED, OPEN = "accepted", "refused", "not checkable"
Answer = tuple[str, str]
"""A status, and in words why."""

LIMITS = {"certified": 1e-9, "approximate": 1e-6}
"""The greatest regret of each verdict."""

CLOSE, PAYOFF_CLOSE = 1e-9, 1e-12
"""A number agrees if it is CLOSE, relatively; PAYOFF_CLOSE, in units of payoffs, is allowed beside that."""


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
        share = share.increasing(arb.expm1) * (Interval(1) - stage.of["x"][i])
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
