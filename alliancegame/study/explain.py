"""explain: a comparison in plain sentences, every number taken from the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.study.compare import Comparison

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

_FLAGS = {
    "spending_backfire": "Allied spending falls under the plan.",
    "influence_backfire": "Had its influence stayed, {leader} would have gained: lost influence turns "
    "the balance.",
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
        f"Plan: {comparison.plan.describe()}. {_VERDICTS[comparison.outcome].format(leader=leader)}",
        _spending(comparison),
        _influence(comparison),
        _decomposition(comparison),
        _members(comparison),
        " ".join(_FLAGS[flag].format(leader=leader) for flag in comparison.flags),
        _certainty(comparison),
    ]
    return "\n\n".join(text for text in paragraphs if text)


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
    return (
        f"{c.game.leader}'s share of influence goes from {c.baseline.leader_influence:.4f} to "
        f"{c.result.leader_influence:.4f}; the share of its security that it does not pay for goes from "
        f"{c.baseline.savings:.4f} to {c.result.savings:.4f}.{trust}"
    )


def _decomposition(c: Comparison) -> str:
    parts = []
    if c.plan.burden is not None:
        parts.append(f"{c.commitment:+.3g} from committing its own burden")
    parts.append(f"{c.leverage:+.3g} from pressure if trust stayed unharmed")
    parts.append(f"{c.trust_loss:+.3g} from lost trust")
    best = (
        f" Against the best burden it could commit without pressure the difference is "
        f"{c.versus_best_burden:+.3g}."
        if c.plan.burden is not None
        else ""
    )
    return (
        f"The payoff of {c.game.leader} changes by {c.delta_payoff:+.4g}, worth "
        f"{c.gain_usd_bn:+.3g} bn US$ a year: {', '.join(parts)}.{best}"
    )


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
