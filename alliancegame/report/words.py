"""The report's own sentences. Every number and every adjective comes from the results."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from alliancegame.figures.style import signed
from alliancegame.library import specification
from alliancegame.study.outcomes import rounded
from alliancegame.study.sign_series import GAIN, LOSS, NO_ANSWER, NOTHING, SignSeries
from alliancegame.study.signs import RECHOSEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alliancegame.game.spec import Origin
    from alliancegame.report.findings import Findings
    from alliancegame.study.compare import Comparison

TINY, SMALL = 0.01, 0.05
"""A gain below these shares of the leader's own defence spending is called tiny, or small."""

CLOSE = 0.5
"""A gain below this share of what pressure would bring without loss of trust is a small difference."""

OUTCOMES = {
    "success": "pressure pays (B)",
    "windfall": "better off, not by trading influence for savings",
    "break-even": "no better, no worse, at another place",
    "status quo": "nothing changes",
    "futile": "worse off, and nothing saved",
    "backfire": "pressure backfires (C)",
}


WITHOUT_THREAT = {
    "success": "commitment pays; no threat is made",
    "backfire": "commitment backfires; no threat is made",
}
"""Verdicts on plans that threaten nobody: they must not speak of pressure."""


def verdict(comparison: Comparison, *, best: bool = False) -> str:
    """The verdict on a plan in a few words; of the best plan it says that no threat is best."""
    outcome = comparison.outcome
    if comparison.plan.pressure:
        return OUTCOMES[outcome]
    said = WITHOUT_THREAT.get(outcome, OUTCOMES[outcome])
    return said.replace("no threat is made", "no threat is best") if best else said


def size(share: float) -> str:
    """An adjective for a gain that is this share of the leader's defence spending."""
    share = abs(share)
    return "tiny" if share < TINY else "small" if share < SMALL else "sizeable"


def money(value: float) -> str:
    """Bn US$ with a sign, three digits."""
    return signed(value) + " bn US$"


def percent(share: float, digits: int = 3) -> str:
    """A share as per cent with this many digits, never in powers of ten."""
    value = 100 * share
    if value == 0 or not math.isfinite(value):
        return f"{value:g} %"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f} %".replace("-", "−")


def status_quo(found: Findings) -> str:
    """A in one sentence."""
    base, leader = found.baseline, found.game.leader
    own = float(base.burdens[found.game.members.leader_index])
    saved = (
        f" and does not pay for {percent(base.savings)} of its security"
        if math.isfinite(base.savings)
        else ""
    )
    return (
        f"Without pressure (A) {leader} spends {percent(own)} of its GDP on defence and the allies "
        f"{percent(base.allied_burden)} of theirs; {leader} holds {percent(base.leader_influence)} of "
        f"the influence{saved}."
    )


def stakes(found: Findings) -> list[str]:
    """How much the best plan brings, beside what the leader has and spends."""
    case = found.case("best")
    if case is None or case.stackelberg is None:
        return []
    c, leader = case.comparison, found.game.leader
    lead = found.game.members.leader_index
    gdp = float(found.game.by_member("gdp")[lead])
    spending = float(found.baseline.burdens[lead]) * gdp
    worth = c.gain_usd_bn
    told = (
        f"The best plan to which {leader} can commit ({c.plan.describe()}) is worth {money(worth)} a year "
        f"to it: {percent(worth / gdp, 2)} of its GDP"
    )
    if spending > 0:
        share = worth / spending
        told += f", {percent(share, 2)} of what it spends on defence. That is {size(share)}"
    texts = [told + "."]
    if not c.plan.pressure:
        texts[0] += " The plan has no threat: commitment pays, and no threat is best."
        return texts
    rate = worth / c.delta_payoff if c.delta_payoff else 0.0
    texts.append(
        f"Of it, {money(c.versus_best_burden * rate)} come from pressure; the rest {leader} could have "
        f"by committing its own burden without a threat. {_balance(c, rate)}"
    )
    return texts


def _balance(c: Comparison, rate: float) -> str:
    """Leverage against lost trust, at a worth of payoff in bn US$."""
    leverage, lost = money(c.leverage * rate), money(c.trust_loss * rate)
    if not rounded(c.trust_loss):
        return f"Pressure brings {leverage}, and costs no trust."
    if c.leverage > 0 > c.trust_loss and c.delta_payoff < CLOSE * c.leverage:
        return (
            f"The gain is the small difference of two larger numbers: {leverage} that pressure would "
            f"bring if it cost no trust, and {lost} through the trust that it costs."
        )
    return f"Pressure would bring {leverage} if it cost no trust; lost trust adds {lost}."


def firmness(found: Findings, label: str) -> str:
    """How far the sign of one plan's gain holds over the stated ranges, and where it turns first."""
    if found.signs is None:
        return ""
    own = found.signs.of(label) if any(s.plan == label for s in found.signs) else ()
    if not own:
        return ""
    firm = [s for s in own if s.firm]
    if len(firm) == len(own):
        return f"The sign is the same over all {len(own)} ranges tried: {own[0].at_base()}."
    near = min(
        (
            (abs(t - s.axis.base) / abs(s.axis.base), t, s)
            for s in own
            for t in s.turns
            if s.axis.base
        ),
        key=lambda item: item[0],
        default=None,
    )
    text = f"The sign turns inside {len(own) - len(firm)} of the {len(own)} ranges tried"
    if near is None:
        return text + "."
    distance, at, series = near
    usual = "own" if series.axis.relative else series.axis.show(series.axis.base)
    return (
        f"{text}. The nearest turn: {series.axis.words} ({series.axis.symbol}) at "
        f"{series.axis.show(at)}, a change of {percent(distance, 2)} from the model's {usual}."
    )


def plainly(found: Findings) -> str:
    """The verdict on pressure in plain words: how large, how firm, and resting on what."""
    case = found.case("best")
    if case is None:
        return ""
    leader, worth = found.game.leader, case.comparison.gain_usd_bn
    spending = float(found.baseline.spending.iloc[found.game.members.leader_index])
    assumed = [k for k, origin in _origins(found).items() if origin.status == "assumed"]
    adjective = size(worth / spending) if spending > 0 else "of unknown size"
    ground = f"it rests on {len(assumed)} assumed parameters and forms" if assumed else ""
    series = [s for s in found.signs or () if s.plan == case.label]
    turning = [s for s in series if not s.firm]
    firm = ""
    if turning:
        firm = (
            f"its sign turns inside {len(turning)} of the {len(series)} ranges over which assumptions "
            "were varied, one at a time"
        )
    elif series:
        firm = f"its sign holds over all {len(series)} ranges over which assumptions were varied"
    reasons = "; ".join(told for told in (ground, firm) if told)
    if not worth > 0:
        return f"No plan found makes {leader} better off than at A" + (
            f": {reasons}." if reasons else "."
        )
    return (
        f"In plain words: the most that {leader} can gain by a uniform threat and its own burden is "
        f"{adjective}, {money(worth)} a year"
        + ("" if case.comparison.plan.pressure else ", by its own burden alone: no threat is best")
        + (f"; {reasons}." if reasons else ".")
    )


def _origins(found: Findings) -> Mapping[str, Origin]:
    return specification(found.game, "report").origins


def caveat(found: Findings) -> list[str]:
    """What the verdicts rest on: assumed parameters, and how little it takes to turn them."""
    named: dict[str, list[str]] = {"assumed": [], "observed": [], "calibrated": []}
    for name, origin in _origins(found).items():
        named[origin.status].append(name.replace("_", " "))
    texts = [
        "; ".join(f"{kind}: {', '.join(names) or 'none'}" for kind, names in named.items())
        + ". Parameters that the model does not name are defaults."
    ]
    texts[0] = texts[0][0].upper() + texts[0][1:]
    texts += [f"{case.title[0].upper()}{case.title[1:]}: {told}" for case in found.cases
              if (told := firmness(found, case.label))]  # fmt: skip
    if found.signs is not None:
        anew = [s for s in found.signs if s.plan == RECHOSEN and NOTHING in s.signs]
        if anew:
            where = "; ".join(f"{s.axis.words}: {s.statement()}" for s in anew)
            texts.append(
                "Even if the threat is chosen anew for each value, there are values at which the best "
                f"threat is none ({where})."
            )
    return texts


def threats(found: Findings) -> list[str]:
    """What the curve against the threat says."""
    if found.own_curve is None:
        return []
    curve, leader = found.curves[found.own_curve], found.game.leader
    best = "none"
    if curve.best > 0:
        best = f"{curve.best:.3g}, worth {money(curve.best_gain_usd_bn)} a year over none"
    texts = [f"If {leader} commits the best own burden to each threat, the best threat is {best}."]
    if math.isnan(curve.threshold):
        texts.append("No threat is worse than none.")
    else:
        texts.append(f"Above a threat of {curve.threshold:.3g} pressure is worse than none.")
    roots = [k for k in curve.break_even_decay if math.isfinite(k)]
    if roots:
        at = " and ".join(f"{k:.3g}" for k in roots)
        texts.append(
            f"A threat of {curve.break_even_threat:g} is worth exactly nothing at a decay of trust of {at}."
        )
    return texts


def exposure(found: Findings) -> str:
    """How the calibrated weights fit distance, which was not used to find them."""
    fit = found.exposure
    if fit is None:
        return ""
    found_out = "it does" if fit.correlation < -0.3 else "it does not, or hardly"
    number = f"{fit.correlation:+.2f}".replace("-", "−")
    return (
        "Calibration finds for each ally the value of security that explains its burden. If that "
        "value is perceived danger, it should fall with distance to Russia, which was not used to "
        f"find it; the rank correlation over {len(fit.values)} allies is {number}: {found_out}."
    )


def sign_word(series: SignSeries) -> str:
    """The sign at the model's own value in a word."""
    words = {GAIN: "gain", LOSS: "loss", NOTHING: "no difference", NO_ANSWER: "no answer"}
    return words[series.at_base()]
