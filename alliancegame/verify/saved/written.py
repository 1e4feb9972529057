"""The payoffs that were bounded, written out: what a reader compares with the formula of the paper."""

from __future__ import annotations

from typing import Any

import sympy as sp

from alliancegame.verify.deviations import Payoff
from alliancegame.verify.own.finite import Mixtures
from alliancegame.verify.profile import Profile

DIGITS = 6


def payoffs(profile: Profile) -> dict[str, tuple[str, ...]]:
    """By player, its payoff in its own actions with the numbers of all others, on each piece of its set.

    The numbers are rounded to six digits; those that the checker bounds are exact. Of finite games,
    whose payoffs are tables, there is nothing to write.
    """
    if isinstance(profile, Mixtures):
        return {}
    return {profile.names[i]: _pieces(profile.payoff(i)) for i in profile.playing}


def _pieces(payoff: Payoff) -> tuple[str, ...]:
    found = []
    for box, piece in payoff.pieces:
        known = {**payoff.known, **piece}
        numbers = {s: _number(known[s]) for s in payoff.formula.free_symbols - {*payoff.own}}
        sides = zip(payoff.own, box, strict=True)
        where = ", ".join(f"{float(y.lo):g} <= {s} <= {float(y.hi):g}" for s, y in sides)
        found.append(f"{where}: {payoff.formula.xreplace(numbers)}")
    return tuple(found)


def _number(known: Any) -> Any:
    middle = (float(known.lo) + float(known.hi)) / 2
    return sp.Integer(int(middle)) if middle in (0, 1) else sp.Float(middle, DIGITS)
