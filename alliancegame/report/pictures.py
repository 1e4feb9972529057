"""The report's figures: which are drawn from the findings, what they say, and which are left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from alliancegame.figures.burdens import burdens
from alliancegame.figures.decomposition import decomposition
from alliancegame.figures.exposure import exposure
from alliancegame.figures.plane import plane
from alliancegame.figures.signs import signs
from alliancegame.figures.style import signed
from alliancegame.figures.threat import threat_curve
from alliancegame.report.picture import Picture
from alliancegame.report.trust_pictures import TRUST_MAKERS

if TYPE_CHECKING:
    from alliancegame.report.findings import Findings

NAMES = (
    "plane",
    "threat_curve",
    "decomposition",
    "burdens",
    "signs",
    "exposure",
    "trust_paths",
    "trust_policy",
    "trust_lost",
    "trust_regimes",
)
"""Names of the figures' files, in order of the report."""


CLOSE = 0.02
"""Isoquants nearer than this share of the picture's points lie on each other."""


def pictures(found: Findings) -> Iterator[Picture]:
    """The figures for which there is something to draw, one after another."""
    for make in (_plane, _threat_curve, _decomposition, _burdens, _signs, _exposure, *TRUST_MAKERS):
        picture = make(found)
        if picture is not None:
            yield picture


Maker = Callable[["Findings"], "Picture | None"]


def _plane(found: Findings) -> Picture | None:
    if not found.frontiers:
        return None
    leader = found.game.leader
    places = "; ".join(
        f"{label.replace('  ', ', ')}: savings {e.savings:.3f}, influence {e.leader_influence:.3f}"
        for label, e in found.points.items()
    )
    return Picture(
        "plane",
        plane(found.points, found.frontiers, found.isoquants),
        f"Where plans lead {leader}. (a) Savings against influence: what {leader} can have of both as "
        "its own burden varies, at A's trust (black) and at the trust that each plan leaves. "
        "(b) Compensated savings (security held at A's) against influence, with exact isoquants: "
        f"in the tinted field {leader} is better off than at A. The two horizontal axes differ."
        f"{_coincident(found)}",
        f"Plane of savings and influence of {leader}. {places}.",
    )


def _coincident(found: Findings) -> str:
    """Which isoquants cannot be told from A's in the picture; empty if all can."""
    base = found.baseline.compensated_savings
    spread = [e.compensated_savings for e in found.points.values()]
    width = max(max(spread) - min(spread), 1e-9)
    curve = found.isoquants["A"]
    hidden = []
    for label, e in found.points.items():
        at = float(np.interp(e.leader_influence, curve[:, 1], curve[:, 0]))
        if label != "A" and abs(e.compensated_savings - at) < CLOSE * width:
            hidden.append(label.replace("  ", ", "))
    if not hidden or not math.isfinite(base):
        return ""
    return f" In (b) the isoquants of A and of {' and of '.join(hidden)} all but coincide."


def _threat_curve(found: Findings) -> Picture | None:
    if found.own_curve is None:
        return None
    own = found.curves[found.own_curve]
    leader = found.game.leader
    ends = "; ".join(
        f"{label}: best threat {curve.best:.2f}, "
        + (
            "never worse than no threat"
            if math.isnan(curve.threshold)
            else f"backfires above {curve.threshold:.2f}"
        )
        for label, curve in found.curves.items()
    )
    return Picture(
        "threat_curve",
        threat_curve(found.curves, found.own_curve),
        f"Gain of {leader} over no threat when it commits the best own burden to each threat, at a "
        f"demand of {100 * own.demand:.3g} % of GDP. Dots: best threat; crosses: the threat above which "
        "pressure is worse than none. (b) is the model's own decay, on a scale of its own.",
        f"Curves of the gain of {leader} in bn US$ a year against the threat. {ends}.",
    )


def _decomposition(found: Findings) -> Picture | None:
    if not found.cases:
        return None
    sums = "; ".join(
        f"{case.title}: {signed(case.comparison.gain_usd_bn)} bn US$" for case in found.cases
    )
    return Picture(
        "decomposition",
        decomposition(found.comparisons),
        "Why: the payoff difference to A, split exactly into committing the own burden, pressure "
        "if it had cost no trust, and the trust that it costs; in bn US$ a year at the worth of a "
        "unit of payoff at A.",
        f"Bars that split the payoff difference of {found.game.leader} by plan. Sums: {sums}.",
    )


def _burdens(found: Findings) -> Picture | None:
    if not found.cases:
        return None
    means = "; ".join(
        f"{label.replace('  ', ', ')}: {e.allied_burden:.2%}" for label, e in found.points.items()
    )
    return Picture(
        "burdens",
        burdens(found.comparisons),
        "Burdens by member without pressure (A) and under each plan.",
        f"Dot chart of defence spending over GDP by member. The allies together: {means}.",
    )


def _signs(found: Findings) -> Picture | None:
    if found.signs is None or not len(found.signs):
        return None
    refitted = any(s.recalibrated for s in found.signs)
    how = (
        "Where the parameter would move A, the values of security are refitted so that A stays."
        if refitted
        else "The values of security are left as they are."
    )
    statements = "; ".join(
        f"{s.plan.replace('  ', ', ')}, {s.axis.words}: {s.statement()}"
        for s in found.signs
        if s.recalibrated in (None, refitted)
    )
    return Picture(
        "signs",
        signs(found.signs, recalibrated=refitted),
        "Sign of the leader's gain along the range of each assumption, the others fixed; the black "
        f"line is the model's own value. {how} “Chosen anew” asks at each value whether any "
        "uniform threat pays.",
        f"Strips coloured by sign. {statements}.",
    )


def _exposure(found: Findings) -> Picture | None:
    fit = found.exposure
    if fit is None:
        return None
    return Picture(
        "exposure",
        exposure(fit.values, fit.distances, correlation=fit.correlation, to="Russia"),
        "Calibrated values of security against the least distance of the territories (2019, "
        "Kaliningrad included; CShapes 2.0, CC BY-NC-SA 4.0). Distance was not used to find them.",
        f"Scatter of value of security against distance to Russia for {len(fit.values)} allies; "
        f"rank correlation {fit.correlation:+.2f}.",
    )
