"""The report's sentences about time. Every number comes from the results."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from alliancegame.report.words import money, percent
from alliancegame.study.opinion import CAVEAT
from alliancegame.study.patience import LEAST_CHANGE
from alliancegame.study.trust_regimes import REGIMES

if TYPE_CHECKING:
    from alliancegame.report.dynamics import Dynamics
    from alliancegame.report.findings import Findings

SAID = {
    "never": "no threat at all",
    "fading": "threats that end",
    "lasting": "threats for ever",
    "collapse": "trust that collapses",
}


def over_time(found: Findings) -> list[str]:
    """What the section on trust over time says, a paragraph each."""
    made = found.dynamics
    if made is None:
        return []
    texts = [_verdict(found, made), _kept(found, made), _map(made), _polls(found, made)]
    return [text for text in texts if text]


def _verdict(found: Findings, made: Dynamics) -> str:
    leader = found.game.leader
    text = ""
    if "myopic" in made.paths:
        myopic = made.paths["myopic"]
        text = (
            f"Looking at one year only, {leader} threatens with {myopic.first_threat:.2g} at first"
            if myopic.first_threat > LEAST_CHANGE
            else f"Even looking at one year only, {leader} does not threaten"
        )
        text += ". "
    policy = made.policy
    if policy is None:
        return text
    living = f"Living with the trust that it loses, at a discount factor of {made.discount:g}, it"
    if policy.first_threat > LEAST_CHANGE:
        text += (
            f"{living} threatens with {policy.first_threat:.2g} at first, and gains "
            f"{money(policy.gain_usd_bn_a_year)} a year against never threatening"
        )
    elif not policy.threats.max() > LEAST_CHANGE:
        text += f"{living} never threatens"
    else:
        text += f"{living} does not threaten at first"
    patience = made.patience
    if patience is not None and math.isfinite(patience.never) and patience.never > 0:
        text += f"; no first threat is left from a discount factor of {patience.never:.2f} on"
    return text + "."


def _kept(found: Findings, made: Dynamics) -> str:
    """What the myopic leader loses, and how much trust."""
    myopic = made.paths.get("myopic")
    if myopic is None or not myopic.first_threat > LEAST_CHANGE:
        return ""
    lead = found.game.members.leader_index
    first, last = myopic.operating_trust[0, lead], myopic.operating_trust[-1, lead]
    value = myopic.present_value_usd_bn
    text = (
        f"The best plan of every single year leaves a mean trust of {first:.2f} in the first year and "
        f"{last:.2f} after {myopic.periods}; against never threatening it is worth {money(value)} in "
        "present value"
    )
    if myopic.dynamic_backfire:
        text += ": the first year gains, and the whole loses (a dynamic backfire)"
    recovery = found.game.recovery
    return text + (
        ". Recovery is 0 in this model: nothing that is lost returns."
        if recovery == 0
        else f". {percent(recovery, 2)} of the gap to full trust returns each year."
    )


def _map(made: Dynamics) -> str:
    regimes = made.regimes
    if regimes is None:
        return ""
    shares = [np.count_nonzero(regimes.regimes == k) / regimes.regimes.size for k in range(4)]
    told = ", ".join(
        f"{SAID[name]} in {percent(share, 2)}"
        for name, share in zip(REGIMES, shares, strict=True)
        if share
    )
    text = f"Over the map of decay and discount factor the optimal policy is {told} of the cells"
    two = (regimes.levels > 1) & np.isfinite(regimes.levels)
    if two.any():
        text += f"; in {np.count_nonzero(two)} of them trust has two long-run levels"
    return text + "."


def _polls(found: Findings, made: Dynamics) -> str:
    fit = made.fit
    if fit is None:
        return ""
    low, high = fit.decay_range
    country, person = (fit.estimates[name] for name in ("institutional", "personal"))
    decay = found.game.decay
    assumed = f"assumed at {decay:g}" if isinstance(decay, float) else "assumed, by ally"
    return (
        f"Decay is {assumed}. Polls measure a range for it beside: {low:.2f} log points by views of the "
        f"country (interval {country['impact'].low:.2f} to {country['impact'].high:.2f}), {high:.2f} by "
        f"confidence in the president ({person['impact'].low:.2f} to {person['impact'].high:.2f}), if "
        f"2017 was a full threat; recovery {country['recovery'].value:.2f} and "
        f"{person['recovery'].value:.2f} of the gap a year. {CAVEAT} How much weighs in elite reliance, "
        "state or person (institutional_share), the shares do not identify."
    )
