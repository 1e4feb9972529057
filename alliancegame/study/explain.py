"""explain: a comparison in plain sentences, every number taken from the result."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.study.compare import Comparison
from alliancegame.study.outcomes import rounded

if TYPE_CHECKING:
    from alliancegame.solve.result import Equilibrium

_VERDICTS = {
    "success": "Pressure pays (B): {leader} gives up influence, saves more, and is better off.",
    "windfall": "{leader} is better off, and not by trading influence for savings.",
    "break-even": "{leader} is as well off as without the plan, at another place.",
    "status quo": "Nothing changes.",
    "futile": "{leader} is worse off and does not even save more.",
    "backfire": "Pressure backfires (C): {leader} saves more, but is worse off than without the plan.",
}

_WITHOUT_THREAT = {
    "success": "Commitment pays, no threat is made: {leader} gives up influence, saves more, and is "
    "better off.",
    "backfire": "Commitment backfires, no threat is made: {leader} saves more, but is worse off than "
    "at A.",
}
"""Verdicts that must not speak of pressure where the plan has none."""

_FLAGS = {
    "spending_backfire": "Allied spending falls under the plan.",
    "influence_backfire": "Had its influence stayed, {leader} would have gained: lost influence turns "
    "the balance.",
    "dynamic_backfire": "Kept for ever the plan loses in present value what its first year gains: the "
    "trust that it costs is missing in later years.",
    "self_inflicted": "The burden to which {leader} commits explains the loss by itself.",
}


def explain(comparison: Comparison) -> str:
    """Say what a plan does, to whom, why, and how sure that is.

    Raises `InvalidValueError` for anything but the result of `compare`.
    """
    if not isinstance(comparison, Comparison):
        raise InvalidValueError(f"explain takes the result of compare, got {comparison!r}.")
    leader = comparison.game.leader
    paragraphs = [
        f"Plan: {comparison.plan.describe()}. {_verdict(comparison).format(leader=leader)}",
        _spending(comparison),
        _influence(comparison),
        _decomposition(comparison),
        _members(comparison),
        " ".join(_FLAGS[flag].format(leader=leader) for flag in comparison.flags),
        _certainty(comparison),
    ]
    return "\n\n".join(text for text in paragraphs if text)


def _verdict(c: Comparison) -> str:
    said = _VERDICTS[c.outcome]
    return said if c.plan.pressure else _WITHOUT_THREAT.get(c.outcome, said)


def _spending(c: Comparison) -> str:
    leader, i = c.game.leader, c.game.members.leader_index
    before, after = c.baseline, c.result
    gdp = c.game.by_member("gdp")
    allied = float(np.delete((after.burdens - before.burdens) * gdp, i).sum())
    own = float((after.burdens - before.burdens)[i] * gdp[i])
    return (
        f"The allies spend {after.allied_burden:.2%} of their GDP instead of {before.allied_burden:.2%} "
        f"({allied:+.4g} bn US$ a year); {leader} spends {after.burdens[i]:.2%} instead of "
        f"{before.burdens[i]:.2%} ({own:+.4g} bn US$)."
    )


def _influence(c: Comparison) -> str:
    i = c.game.members.leader_index
    trust = (
        f" Allies' mean trust falls from {c.baseline.operating_trust[i]:.3g} to "
        f"{c.result.operating_trust[i]:.3g}."
        if c.result.operating_trust[i] < c.baseline.operating_trust[i]
        else ""
    )
    saved = (
        ""  # Without a meaning where one missing component leaves no security.
        if math.isnan(c.delta_savings)
        else "; the share of its security that it does not pay for goes from "
        f"{c.baseline.savings:.4f} to {c.result.savings:.4f}"
    )
    return (
        f"{c.game.leader}'s share of influence goes from {c.baseline.leader_influence:.4f} to "
        f"{c.result.leader_influence:.4f}{saved}.{trust}"
    )


def _decomposition(c: Comparison) -> str:
    parts = []
    if c.plan.burden is not None:
        parts.append(f"{_payoff(c.commitment)} from committing its own burden")
    if c.plan.pressure:
        parts.append(f"{_payoff(c.leverage)} from pressure if trust stayed unharmed")
        parts.append(f"{_payoff(c.trust_loss)} from lost trust")
    best = (
        f" Against the best burden it could commit without pressure the difference is "
        f"{_payoff(c.versus_best_burden)}."
        if not math.isnan(c.versus_best_burden)
        else ""
    )
    note = f" {c.note[0].upper()}{c.note[1:]}." if c.note else ""
    why = f": {', '.join(parts)}" if parts else ""
    return (
        f"The payoff of {c.game.leader} changes by {_payoff(c.delta_payoff, 4)}, worth "
        f"{c.gain_usd_bn:+.3g} bn US$ a year{why}.{best}{note}"
    )


def _payoff(value: float, digits: int = 3) -> str:
    """A payoff difference; what only rounding makes is 0."""
    return f"{rounded(value):+.{digits}g}" if rounded(value) else "0"


def _members(c: Comparison) -> str:
    allies = c.table.drop(index=c.game.leader)
    losers = int((allies["delta_payoff"] < 0).sum())
    rises = allies["burden_plan"] - allies["burden_A"]
    worst, most = str(allies["usd_bn"].idxmin()), str(rises.idxmax())
    return (
        f"{losers} of {len(allies)} allies are worse off; {worst} loses most in money "
        f"({float(allies['usd_bn'][worst]):+.3g} bn US$ a year). {most} raises its burden most "
        f"({float(rises[most]) * 100:+.2g} points of GDP)."
    )


def _certainty(c: Comparison) -> str:
    return f"A is {_claim(c.baseline)}. The plan's equilibrium is {_claim(c.result)}."


def _claim(e: Equilibrium) -> str:
    certificate = e.certificate
    return (
        f"{certificate.verdict} (no member gains more than {certificate.regret:.1e} of payoff by "
        f"any deviation; uniqueness {certificate.unique})"
    )
