"""What the flagship finds, beside the independent orientation figures that its issue gives."""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Callable
from functools import cache

import numpy as np
from page import Markdown, table

import alliancegame as ag
from alliancegame.library import models_folder
from alliancegame.study.backfire import Backfire

DECAYS = (0.0, 0.2, 0.4, 0.6, 0.8)


@cache
def game() -> ag.BurdenSharingGame:
    """The flagship."""
    return ag.load_model("nato-2024")


@cache
def threshold(decay: float) -> Backfire:
    """V(tau) of the flagship at another decay."""
    return ag.backfire_threshold(game().replace(decay=decay))


def facts() -> Markdown:
    """The alliance without pressure."""
    g, a = game(), ag.solve_nash(game())
    gdp = g.by_member("gdp")
    lead = g.members.leader_index
    umbrella = g.congested[1] * gdp[lead] * a.burdens[lead]
    rows = [
        ("members with forces", f"{g.size}"),
        ("GDP of the leader", f"{gdp[lead]:,.0f} bn US$"),
        ("GDP of the allies", f"{np.delete(gdp, lead).sum():,.0f} bn US$"),
        ("burden of the leader in A", f"{a.burdens[lead]:.2%} of GDP"),
        ("burden of the allies in A", f"{a.allied_burden:.2%} of GDP"),
        ("influence of the leader in A", f"{a.leader_influence:.3f}"),
        ("savings of the leader in A", f"{a.savings:.3f}"),
        (
            "the umbrella, over allied GDP",
            f"{np.delete(umbrella, lead).sum() / np.delete(gdp, lead).sum():.2%}",
        ),
        ("A", f"{a.certificate.verdict}, uniqueness {a.certificate.unique}"),
    ]
    return Markdown(table(("", "nato-2024"), rows, right=(1,)))


@dataclasses.dataclass(frozen=True)
class Orientation:
    """A figure that others computed roughly: their words, ours, and whether the two agree."""

    what: str
    theirs: str
    show: Callable[[], str]
    agrees: Callable[[], bool]


def near(value: float, target: float, within: float) -> bool:
    """Whether a value rounds to the target, or is about it."""
    return math.isfinite(value) and abs(value - target) <= within


def distance_correlation() -> float:
    """Spearman's correlation of allies' calibrated theta with the distance from Russia."""
    from scipy.stats import spearmanr

    path = models_folder() / "data" / "distance_to_russia.csv"
    with path.open(encoding="utf-8", newline="") as file:
        distance = {row["iso3"]: float(row["min_border_km_russia"]) for row in csv.DictReader(file)}
    theta = dict(zip(game().members, game().by_member("security_weight"), strict=True))
    allies = list(game().allies)
    return float(spearmanr([theta[m] for m in allies], [distance[m] for m in allies])[0])


def signed(value: float, digits: int) -> str:
    """A number with its sign; a plain 0 where nothing is left after rounding."""
    text = f"{value:+.{digits}f}"
    return "0" if float(text) == 0 else text.replace("-", "−")


def _plan() -> ag.Plan:
    return ag.Plan(threat=0.5, demand=0.05)


ORIENTATION = (
    Orientation(
        "allied burden without pressure",
        "2.01 %",
        lambda: f"{ag.solve_nash(game()).allied_burden:.2%}",
        lambda: near(ag.solve_nash(game()).allied_burden, 0.0201, 5e-5),
    ),
    Orientation(
        "allied burden at threat 0.5",
        "about 2.35 %",
        lambda: f"{ag.solve_nash(game(), _plan()).allied_burden:.2%}",
        lambda: near(ag.solve_nash(game(), _plan()).allied_burden, 0.0235, 1e-4),
    ),
    Orientation(
        "largest V(τ) − V(0)",
        "about 0.51e-4 of payoff",
        lambda: f"{threshold(0.4).best_gain:.3e}",
        lambda: near(threshold(0.4).best_gain, 0.51e-4, 0.01e-4),
    ),
    Orientation(
        "the same in money",
        "some 1.4 bn US$ a year",
        lambda: f"{threshold(0.4).best_gain_usd_bn:.2f} bn US$ a year",
        lambda: near(threshold(0.4).best_gain_usd_bn, 1.4, 0.05),
    ),
    Orientation(
        "threat at which it is largest",
        "near 0.23",
        lambda: f"{threshold(0.4).best:.4f}",
        lambda: near(threshold(0.4).best, 0.23, 0.01),
    ),
    Orientation(
        "threat at which V(τ) − V(0) crosses zero",
        "near 0.457",
        lambda: f"{threshold(0.4).threshold:.4f}",
        lambda: near(threshold(0.4).threshold, 0.457, 1e-3),
    ),
    Orientation(
        "best threat at κ = 0",
        "full pressure",
        lambda: f"{threshold(0.0).best:g}",
        lambda: threshold(0.0).best == 1.0,
    ),
    Orientation(
        "best threat at κ = 0.8",
        "none",
        lambda: f"{threshold(0.8).best:g}",
        lambda: threshold(0.8).best == 0.0,
    ),
    Orientation(
        "rank correlation of θ with distance to Russia",
        "about −0.75",
        lambda: f"{distance_correlation():.3f}".replace("-", "−"),
        lambda: near(distance_correlation(), -0.75, 0.01),
    ),
)
"""The orientation figures of the project's first issue, as it states them."""


def orientation() -> Markdown:
    """The comparison, a row each."""
    rows = [(o.what, o.theirs, o.show(), "yes" if o.agrees() else "**no**") for o in ORIENTATION]
    return Markdown(table(("", "orientation", "this library", "agrees"), rows))


def verdict() -> Markdown:
    """One sentence about the comparison."""
    agreed = sum(o.agrees() for o in ORIENTATION)
    which = "All" if agreed == len(ORIENTATION) else f"{agreed} of"
    return Markdown(f"{which} {len(ORIENTATION)} figures agree, to the digits that were given.")


def decay_range() -> Markdown:
    """The impact of 2017 on opinion beside the assumed decay."""
    rows = [("assumed in the model", f"{game().decay:g}", "", "")]
    fit = ag.fit_trust_law()
    names = {"institutional": "views of the country", "personal": "confidence in the president"}
    for component, name in names.items():
        found = fit.estimates[component]["impact"]
        interval = f"{found.low:.2f} to {found.high:.2f}"
        rows.append((name, f"{found.value:.2f}", interval, str(found.countries)))
    head = ("decay κ, log points", "value", f"{fit.coverage:.0%} interval", "countries")
    return Markdown(table(head, rows))


def by_decay() -> Markdown:
    """Best threat, gain and backfire threshold at several decays."""
    rows = []
    for decay in DECAYS:
        t = threshold(decay)
        limit = "never" if math.isnan(t.threshold) else f"{t.threshold:.3f}"
        rows.append((f"{decay:g}", f"{t.best:.3f}", signed(t.best_gain_usd_bn, 2), limit))
    head = ("decay κ", "best threat", "its gain, bn US$ a year", "backfires above")
    return Markdown(table(head, rows, right=(0, 1, 2, 3)))


VARIANTS = (
    ("as shipped", {}),
    ("allies' α = 0.003", {"influence_weight": (0.01, 0.003)}),
    ("allies' α = 0.007", {"influence_weight": (0.01, 0.007)}),
    ("leader's α = 0.005", {"influence_weight": (0.005, 0.005)}),
    ("leader's α = 0.02", {"influence_weight": (0.02, 0.005)}),
    ("h = 0.001", {"private_weight": (0.0, 0.001)}),
    ("b = 0.5", {"umbrella": 0.5}),
    ("b = 1", {"umbrella": 1.0}),
    ("b_ℓ = 0.2", {"return_spillin": 0.2}),
    ("b_ℓ = 1", {"return_spillin": 1.0}),
    ("κ = 0.2", {"decay": 0.2}),
    ("κ = 0.8", {"decay": 0.8}),
    ("d = 3 %", {"demand": 0.03}),
    ("d = 3.5 %", {"demand": 0.035}),
)
"""Assumed numbers changed one at a time, A kept by calibrating again; pairs are (leader, allies)."""


def robustness() -> Markdown:
    """What the sign of the flagship's verdicts rests on."""
    observed = game().provenance["observed_burden"]
    rows = []
    for name, changes in VARIANTS:
        given = dict(changes)
        demand = given.pop("demand", 0.05)
        for key, value in given.items():
            if isinstance(value, tuple):
                leader, ally = value
                given[key] = {m: leader if m == game().leader else ally for m in game().members}
        g = ag.calibrate(game().replace(**given), observed=observed) if given else game()
        best = ag.solve_stackelberg(g, ("threat", "burden"), demand=demand).comparison
        gdp = g.by_member("gdp")[g.members.leader_index]
        gain = math.expm1(best.versus_best_burden) * gdp * (1 - best.baseline.burden[g.leader])
        c = ag.compare(g, ag.Plan(threat=0.5, demand=demand))
        rows.append(
            (name, f"{best.plan.threat:.3f}", signed(gain, 2), c.outcome, signed(c.gain_usd_bn, 1))
        )
    head = (
        "", "best threat", "it gains, bn US$ a year", "threat 0.5", "it gains, bn US$ a year",
    )  # fmt: skip
    return Markdown(table(head, rows, right=(1, 2, 4)))


def size() -> Markdown:
    """How large the best gain is beside the economy that it belongs to."""
    t = threshold(0.4)
    gdp = game().by_member("gdp")[game().members.leader_index]
    return Markdown(
        f"The best threat gains {t.best_gain_usd_bn:.2f} bn US$ a year for an economy of "
        f"{gdp:,.0f} bn: {t.best_gain_usd_bn / gdp:.4%} of its GDP."
    )
