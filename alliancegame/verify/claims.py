"""6. Claims: what an equilibrium says of itself, and what became of it.

The argument: its numbers agree with the terms (`agrees`); nobody gains more than its regret by any
deviation (`nobody_gains`); and it is the only one if the proof that it cites is one (`PROOFS`), or one of
several if a second one is there. What is neither proved nor disproved is left open.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flint import arb

from alliancegame.verify import boxes, theorems
from alliancegame.verify.deviations import largest_gain
from alliancegame.verify.intervals import Interval
from alliancegame.verify.payoffs import Stage

ACCEPTED, REFUSED, OPEN = "accepted", "refused", "not checkable"
Answer = tuple[str, str]
"""A status, and in words why."""

LIMITS = {"certified": 1e-9, "approximate": 1e-6}
"""The greatest regret of each verdict."""

CLOSE, PAYOFF_CLOSE = 1e-9, 1e-12
"""A number of the file agrees if it is CLOSE, relatively; a payoff also if it is PAYOFF_CLOSE."""

APART = 1e-3
"""Two profiles are distinct if some burden differs by more than this, relatively."""


def gravest(answers: Sequence[Answer]) -> Answer:
    """The first refusal; or else the first that is open; or else the first."""
    return min(answers, key=lambda answer: (REFUSED, OPEN, ACCEPTED).index(answer[0]))


def agrees(what: str, given: float, enclosed: Interval, absolute: float = 0.0) -> Answer:
    """Whether a number of the file agrees with the interval that the terms give."""
    if math.isinf(given):
        same = enclosed.lo == enclosed.hi == arb(given)
        return (ACCEPTED if same else REFUSED), f"{what} is {given}, the terms give {enclosed}"
    slack = Interval(absolute + CLOSE * abs(given))
    low, high = (Interval(given) - slack).lo, (Interval(given) + slack).hi
    if math.isnan(given) or enclosed.lo > high or enclosed.hi < low:
        return REFUSED, f"{what} is {given!r}, the terms give {enclosed}"
    inside = enclosed.inside(low, high)
    return (ACCEPTED, "") if inside else (OPEN, f"{what} is only enclosed by {enclosed}")


def numbers(stage: Stage, given: Mapping[str, Sequence[float]], savings: float) -> Answer:
    """Payoffs, influences, securities and trust of every member, and the leader's savings."""
    found = [(ACCEPTED, "payoff, influence, security, trust and savings agree to 1e-9")]
    for i, member in enumerate(stage.game.members):
        payoff = stage.payoff(i)
        here = {k: payoff.number(k, stage.burdens[i]) for k in ("payoff", "influence", "security")}
        for name, enclosed in {**here, "trust": stage.of["trust"][i]}.items():
            absolute = PAYOFF_CLOSE if name == "payoff" else 0.0
            found.append(agrees(f"{name} of {member}", given[name][i], enclosed, absolute))
        if i == stage.lead:
            found.append(_savings(stage, savings, here["security"]))
    return gravest(found)


def _savings(stage: Stage, given: float, security: Interval) -> Answer:
    """1 - g_l / S_l; where standing alone gives no security at all, it is not defined."""
    if stage.game.substitution < 0 or stage.game.technology == "weakest-link" or security.hi <= 0:
        status = ACCEPTED if math.isnan(given) else REFUSED
        return status, f"savings are {given}, but are not defined in this game"
    return agrees("savings", given, Interval(1) - stage.shared["leader"] / security, PAYOFF_CLOSE)


def worth(stage: Stage, i: int, gain: float) -> Interval:
    """A gain of payoff in bn US$: (exp(gain) - 1)(1 - x) Y, or gain Y with linear c."""
    share = Interval(gain)
    if stage.game.consumption == "log":
        left = Interval(1) - stage.of["x"][i]
        share = share.rising(lambda end: end.expm1()) * left
    return share * stage.of["gdp"][i]


def regret(stage: Stage, certificate: Mapping[str, Any]) -> Answer:
    """That no player gains more than `regret` by any deviation, and the verdict drawn from it."""
    verdict, bound, worst = certificate["verdict"], certificate["regret"], certificate["worst"]
    for name, most in LIMITS.items():
        if not 0 <= certificate["tolerances"][name] <= most:
            return REFUSED, f"a verdict {name!r} with that tolerance means nothing"
    if verdict == "unverified":
        return OPEN, "the result itself says that it is unverified: nothing is claimed"
    limit = certificate["tolerances"][verdict]
    if not 0 <= bound <= limit:
        return REFUSED, f"a regret of {bound:.3g} is not {verdict!r}, which means at most {limit:g}"
    if worst is None and bound > 0:
        return REFUSED, "a regret that is nobody's"
    of = stage.lead if worst is None else stage.game.members.index_of(worst)
    money = agrees("regret_usd_bn", certificate["regret_usd_bn"], worth(stage, of, bound))
    return gravest([nobody_gains(stage, bound), money])


def nobody_gains(stage: Stage, bound: float) -> Answer:
    """That no player gains more than `bound`: branch and bound over each whole action set."""
    most, unsettled = 0.0, ""
    for i in stage.players:
        payoff, burden, member = stage.payoff(i), stage.burdens[i], stage.game.members[i]
        here = payoff.number("payoff", burden)
        if here.hi == arb.neg_inf():
            return REFUSED, f"the payoff of {member} is minus infinity"
        if here.lo == arb.neg_inf():
            return OPEN, f"the payoff of {member} is not proved to be finite"
        gain = largest_gain(payoff, burden, arb(bound))
        if gain.least > bound:
            found = f"{member} gains at least {float(gain.least):.3g} by a deviation"
            return REFUSED, f"{found}, more than {bound:.3g}"
        if gain.most > bound:
            unsettled = f"the gain of {member} is only proved to be at most {_up(gain.most)}"
        most = max(most, float(gain.most))
    found = f"nobody gains more than {_up(most)} (claimed {bound:.3g}), over whole action sets"
    return (OPEN, unsettled) if unsettled else (ACCEPTED, found)


def _up(number: Any) -> str:
    """Two digits, rounded up."""
    return f"{1.1 * float(number):.1e}" if number > 0 else "0"


# --- Uniqueness and completeness -------------------------------------------------------------------

Proof = Callable[[Stage, Sequence[Sequence[float]], Any], Answer]
"""That a game under a plan (of a stage) has no equilibria but the given profiles, from evidence."""


def _theorem(name: str) -> Proof:
    def proof(stage: Stage, profiles: Sequence[Sequence[float]], evidence: Any) -> Answer:
        fitting = "followers" if stage.plan.burden is not None else "simultaneous Nash"
        if evidence is not None or name != fitting:
            return REFUSED, f"the theorem on {name} is not about this, or is given evidence"
        if len(profiles) != 1:
            return REFUSED, f"the theorem on {name} leaves one equilibrium, not {len(profiles)}"
        if why := theorems.why_not(stage):
            return REFUSED, why
        return ACCEPTED, f"the conditions of the theorem on {name} hold"

    return proof


def _enumeration(stage: Stage, profiles: Sequence[Sequence[float]], evidence: Any) -> Answer:
    trigger = stage.game.shortfall == "trigger" and any(map(stage.pressed, stage.allies))
    if evidence is not None or not (trigger or stage.game.technology != "ces"):
        return REFUSED, "there are no compliance sets or roles of members to enumerate"
    return OPEN, "a proof by enumeration (compliance sets, roles of members) is not checked here"


def _intervals(stage: Stage, profiles: Sequence[Sequence[float]], evidence: Any) -> Answer:
    if evidence is None:
        return OPEN, "the boxes of the proof are not in the file"
    game, plan, lead = stage.game, stage.plan, stage.lead
    everybody = Stage(game, plan, [float(b) for b in game.by_member("burden_max")])
    why = theorems.why_not_by_total([Stage(game, plan, list(p)) for p in profiles])
    found = why or boxes.places(everybody, evidence)
    if isinstance(found, str):
        return REFUSED, found
    inside = [sum(low <= p[lead] <= high for p in profiles) for low, high in found]
    if inside != [1] * len(profiles):
        return REFUSED, f"boxes prove {len(found)} equilibria, and not those that are listed"
    return ACCEPTED, f"{len(evidence)} boxes prove that there are {len(found)}: those listed"


PROOFS: dict[str, Proof] = {
    "followers": _theorem("followers"),
    "simultaneous Nash": _theorem("simultaneous Nash"),
    "intervals": _intervals,
    "enumeration": _enumeration,
}
"""The proofs that a claim of uniqueness or completeness may cite as its `theorem`.

This is where a further proof is hooked in: a function in a file of its own, and a line here. Its evidence
(say, boxes that hold no equilibrium) is what the claim carries as `evidence`, next to `theorem`.
"""


def only(cited: Any, stage: Stage, profiles: Sequence[Sequence[float]], evidence: Any) -> Answer:
    """That there are no equilibria but these, by the proof that is cited."""
    if cited not in PROOFS:
        return REFUSED, f"no proof of that is known by the name of {cited!r}"
    return PROOFS[cited](stage, profiles, evidence)


def apart(one: Sequence[float], two: Sequence[float]) -> bool:
    """Whether two profiles are distinct, by more than what any tolerance leaves open."""
    return any(abs(a - b) > 1e-9 + APART * max(a, b) for a, b in zip(one, two, strict=True))


def several(stage: Stage, others: Sequence[tuple[Sequence[float], float, str]]) -> Answer:
    """At least two equilibria: those listed (profile, regret, status), or a second of a continuum."""
    if not theorems.why_not(stage):
        return REFUSED, "a theorem proves that there is only one"
    if len(others) < 2:
        return _continuum(stage)
    for k, (one, _, _) in enumerate(others):
        if not all(apart(one, two) for two, _, _ in others[:k]):
            return REFUSED, "one profile is listed twice"
    if any(status == REFUSED for _, _, status in others[1:]):
        return REFUSED, "a further equilibrium is refused"
    if any(r > LIMITS["certified"] or status != ACCEPTED for _, r, status in others):
        return OPEN, "regrets this large do not tell one equilibrium from another"
    return ACCEPTED, f"{len(others)} distinct profiles, each with a regret of at most 1e-9"


def _continuum(stage: Stage) -> Answer:
    """A second profile from this one: another ally gives half of what one ally could give less."""
    for i, j in theorems.exchangeable(stage)[:1]:
        unit = [float(stage.of["scale"][k].hi) for k in (i, j)]
        less, more = (theorems.side(stage, k, k == j, stage.shared["leader"]) for k in (i, j))
        step = min(less.room * unit[0], more.room * unit[1]) / 2 if less and more else 0.0
        moved = list(stage.burdens)
        moved[i], moved[j] = moved[i] - step / unit[0], moved[j] + step / unit[1]
        gains, _ = nobody_gains(Stage(stage.game, stage.plan, moved), LIMITS["certified"])
        if gains == ACCEPTED and apart(moved, stage.burdens):
            names = " and ".join(stage.game.members[k] for k in (i, j))
            return ACCEPTED, f"where {names} share otherwise, regret is at most 1e-9 too"
    return OPEN, "several are claimed, and no second one is in the file"
