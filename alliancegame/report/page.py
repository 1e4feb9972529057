"""The page: findings and pictures laid out as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import dataclasses
import importlib.resources
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from alliancegame._version import __version__
from alliancegame.figures.style import signed
from alliancegame.report import tables, words
from alliancegame.report.trust_words import over_time
from alliancegame.report.words import percent
from alliancegame.study.explain import explain
from alliancegame.study.outcomes import rounded

if TYPE_CHECKING:
    import pandas as pd

    from alliancegame.report.findings import Case, Findings
    from alliancegame.report.picture import Picture


SMALL_ELL = "b\N{LATIN SUBSCRIPT SMALL LETTER L}"
"""Hardly to be read in small type."""

UNBROKEN = "\N{NO-BREAK SPACE}"

KEPT_TOGETHER = {
    loose: loose.replace(" ", UNBROKEN) for loose in (" %", "× ", " bn US$", " (B)", " (C)")
}
"""Where a line of the page must not end."""


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of text: column heads, rows whose first cell is their head, and which are numbers."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[int] = frozenset()


@dataclasses.dataclass(frozen=True)
class Section:
    """What the page says about one plan."""

    anchor: str
    title: str
    verdict: str
    plan: str
    paragraphs: Sequence[str]
    signs: Table | None
    firmness: str


def page(found: Findings, drawn: Sequence[Picture], images: Mapping[str, bytes]) -> str:
    """The report as HTML text. `images` has the PNG bytes of every picture by name."""
    from jinja2 import Environment, StrictUndefined

    here = importlib.resources.files("alliancegame.report")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(here.joinpath("page.html.j2").read_text("utf-8"))
    shown = {
        picture.name: {
            "data": base64.b64encode(images[picture.name]).decode("ascii"),
            "width": round(picture.figure.get_figwidth() * 96),
            "height": round(picture.figure.get_figheight() * 96),
            "caption": picture.caption,
            "alt": picture.alt,
        }
        for picture in drawn
    }
    game = found.game
    text = template.render(
        style=here.joinpath("page.css").read_text("utf-8"),
        title=game.provenance.get("title") or found.name,
        description=game.provenance.get("description", ""),
        leader=game.leader,
        name=found.name,
        size=game.size,
        figures=shown,
        status_quo=words.status_quo(found),
        plainly=words.plainly(found),
        stakes=words.stakes(found),
        caveat=words.caveat(found),
        threats=words.threats(found),
        over_time=over_time(found),
        trust_paths=_trust_paths(found),
        exposure=words.exposure(found),
        summary=_summary(found),
        parts=_parts(found),
        cases=[_section(found, case) for case in found.cases],
        anew=_anew(found),
        members=_members(found),
        parameters=_parameters(found),
        certificates=_certificates(found),
        methods=_methods(found),
        search=[c.stackelberg.search for c in found.cases if c.stackelberg is not None],
        omitted=sorted(found.omitted.items()),
        latex=found.latex,
        sources=[dict(cited) for cited in game.provenance.get("data", {}).values()],
        replaced=game.provenance.get("replaced", {}),
        version=__version__,
        hash=game.hash,
        file=game.provenance.get("file", ""),
        sha256=game.provenance.get("sha256", ""),
    )
    for loose, bound in KEPT_TOGETHER.items():
        text = text.replace(loose, bound)
    return text.replace(SMALL_ELL, "b<sub>ℓ</sub>")


def _number(value: float, digits: int = 4) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}".replace("-", "−")


def _summary(found: Findings) -> Table:
    """A and every plan in one table, the sign's turning points beside the verdict."""
    base, lead = found.baseline, found.game.members.leader_index
    rows = []
    for label, result in found.points.items():
        case = next((c for c in found.cases if c.label == label), None)
        rows.append(
            [
                label,
                result.plan.describe(),
                words.verdict(case.comparison, best=case.key == "best")
                if case
                else "the alliance as it is",
                signed(case.comparison.gain_usd_bn) if case else "0",
                _turning_points(found, label) if case else "",
                percent(float(result.burdens[lead])),
                percent(result.allied_burden),
                _number(result.savings),
                _number(result.leader_influence),
                f"{float(result.operating_trust[lead]):.3f}",
            ]
        )
    head = [
        "place", "plan", f"for {base.game.leader}", "gain, bn US$ a year", "gain turns at", "own burden",
        "allied burden", "savings", "influence", "mean trust",
    ]  # fmt: skip
    return Table("Places on the plane", head, rows, frozenset({3, 5, 6, 7, 8, 9}))


def _turning_points(found: Findings, label: str) -> str:
    """Where the sign of this plan's gain changes, one parameter after another, in a cell."""
    if found.signs is None or all(s.plan != label for s in found.signs):
        return ""
    texts = []
    for series in found.signs.of(label):
        if series.recalibrated is False and any(
            other.axis.key == series.axis.key and other.recalibrated
            for other in found.signs.of(label)
        ):
            continue
        at = [series.axis.show(t) for t in series.turns]
        told = f"{series.axis.symbol} {', '.join(at) or 'nowhere'}"
        texts.append(told.replace(" ", UNBROKEN))
    return "\n".join(texts)


def _parts(found: Findings) -> Table | None:
    """The decomposition in a power of ten that leaves three digits before the point."""
    if not found.cases:
        return None
    names = ("commitment", "leverage", "trust_loss", "delta_payoff", "versus_best_burden")
    table = np.array([[getattr(case.comparison, name) for name in names] for case in found.cases])
    largest = float(np.nanmax(np.abs(table)))
    power = math.floor(math.log10(largest)) - 2 if largest > 0 else 0
    rows = [
        [case.label, *(_scaled(value, power) for value in values), _agreement(case)]
        for case, values in zip(found.cases, table, strict=True)
    ]
    head = [
        "plan", "commitment", "leverage", "trust lost", "sum", "to the best burden without threat",
        "the essay's W",
    ]  # fmt: skip
    unit = f"10{str(power).translate(SUPERSCRIPTS)}" if power else "1"
    caption = f"The leader's payoff difference to A and its parts, in {unit} of payoff"
    return Table(caption, head, rows, frozenset(range(1, 6)))


SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _scaled(value: float, power: int) -> str:
    if math.isnan(value):
        return "–"
    return "0" if not rounded(value) else f"{value / 10.0**power:+.1f}".replace("-", "−")


def _agreement(case: Case) -> str:
    agrees = case.comparison.national_interest()["agrees"]
    return "not defined" if agrees is None else "agrees" if agrees else "disagrees"


def _section(found: Findings, case: Case) -> Section:
    paragraphs = [_known(text) for text in explain(case.comparison).split("\n\n")]
    return Section(
        f"plan-{case.key}",
        case.title,
        words.verdict(case.comparison, best=case.key == "best"),
        case.comparison.plan.describe(),
        paragraphs,
        _signs(found, case.label),
        words.firmness(found, case.label),
    )


def _known(text: str) -> str:
    """A paragraph as the page writes numbers, without clauses about what is not defined (savings)."""
    text = re.sub(r"; [^;.]*\bnan\b[^;.]*", "", text)
    text = re.sub(r"(?<=\d)%", " %", text)
    return re.sub(r"(?<![\w.])-(?=\d)|(?<=e)-(?=\d)", "−", text)


def _signs(found: Findings, label: str) -> Table | None:
    if found.signs is None or all(s.plan != label for s in found.signs):
        return None
    rows = [
        [
            f"{s.axis.words}, {s.axis.symbol}",
            " to ".join(s.axis.show(s.axis.values[k]) for k in (0, -1)),
            s.axis.show(s.axis.base),
            s.weights(),
            words.sign_word(s),
            s.statement(),
        ]
        for s in found.signs.of(label)
    ]
    head = [
        "varied",
        "range",
        "the model's",
        "values of security",
        "sign there",
        "sign over the range",
    ]
    return Table("Sign of the leader's gain", head, rows)


def _anew(found: Findings) -> Table | None:
    """The plan chosen anew along each axis."""
    from alliancegame.study.signs import RECHOSEN

    return _signs(found, RECHOSEN)


def _members(found: Findings) -> Table:
    frame = tables.members(found)
    head = ["member", "GDP, bn US$", "value of security θ", "burden at A"]
    for case in found.cases:
        head += [f"burden, {case.label}", f"worth to it, {case.label}, bn US$"]
    worth = frame[[f"worth_{case.key}_usd_bn" for case in found.cases]].abs().to_numpy()
    largest = float(worth.max(initial=1e-300))
    places = min(max(4 - math.floor(math.log10(largest)), 1), 9)
    rows = []
    for label, row in frame.iterrows():
        name = str(row["name"])
        cells = [
            name if name == label else f"{name} ({label})",
            f"{row['gdp_usd_bn']:,.1f}",
            f"{row['security_weight']:.4f}",
            percent(row["burden_A"]),
        ]
        for case in found.cases:
            cells += [
                percent(row[f"burden_{case.key}"]),
                f"{row[f'worth_{case.key}_usd_bn']:+.{places}f}".replace("-", "−"),
            ]
        rows.append(cells)
    return Table("Every member", head, rows, frozenset(range(1, len(head))))


def _parameters(found: Findings) -> Table:
    frame = tables.parameters(found.game).drop(columns=["least", "largest"])
    rows = [[str(name), *(str(cell) for cell in row)] for name, row in _rows(frame)]
    head = ["parameter", "symbol", "meaning", "value", "unit", "status", "source"]
    return Table("Parameters and where they come from", head, rows)


def _rows(frame: pd.DataFrame) -> list[tuple[object, list[object]]]:
    return [(label, list(row)) for label, row in zip(frame.index, frame.to_numpy(), strict=True)]


def _certificates(found: Findings) -> Table:
    rows = []
    gaps = {c.label: c.stackelberg for c in found.cases if c.stackelberg is not None}
    for label, result in found.points.items():
        made = result.certificate
        best = gaps.get(label)
        rows.append(
            [
                label,
                made.verdict,
                f"{made.regret:.1e}".replace("-", "−"),
                f"{made.regret_usd_bn:.1e}".replace("-", "−"),
                made.worst or "nobody",
                f"{made.unique}: {made.reason}",
                "" if best is None else f"{best.leader_gap:.1e}".replace("-", "−"),
            ]
        )
    head = [
        "place", "verdict", "regret, payoff", "regret, bn US$", "of", "unique",
        "gap of the leader's search, payoff",
    ]  # fmt: skip
    return Table("Certificates", head, rows, frozenset({2, 3, 6}))


def _trust_paths(found: Findings) -> Table | None:
    """Paths by concept: first and last threat and trust, present value, and what is certified."""
    if found.dynamics is None:
        return None
    lead = found.game.members.leader_index
    rows = []
    for concept, path in found.dynamics.paths.items():
        made = path.certificate
        known = {
            "Bellman residual": made.bellman_residual,
            "one deviation gains": made.deviation_gain,
        }
        rows.append(
            [
                CONCEPTS[concept],
                _number(path.first_threat, 3),
                _number(float(path.threats[-1].max()), 3),
                _number(float(path.operating_trust[-1, lead]), 3),
                signed(round(path.present_value_usd_bn, 4)),
                "dynamic backfire" if path.dynamic_backfire else "",
                "; ".join(
                    [
                        made.verdict,
                        *(
                            f"{name} {value:.1e}".replace("-", "−") if value else f"{name} 0"
                            for name, value in known.items()
                            if math.isfinite(value)
                        ),
                    ]
                ),
            ]
        )
    head = [
        "concept", "first threat", "last threat shown", "last mean trust",
        "present value, bn US$", "flag", "certificate",
    ]  # fmt: skip
    caption = (
        f"Trust over time by concept, discount factor {found.dynamics.discount:g}; present value of all "
        "years against never threatening"
    )
    return Table(caption, head, rows, frozenset({1, 2, 3, 4}))


CONCEPTS = {"myopic": "myopic", "stationary": "stationary", "markov": "markov, open-loop"}
"""Without turnover an announced path is worth as much as the policy (docs/theory/dynamics)."""


def _methods(found: Findings) -> list[str]:
    """How globality is known and what was searched, each statement once."""
    said: dict[str, list[str]] = {}
    for label, result in found.points.items():
        text = f"{result.certificate.method}. Scope: {result.certificate.scope}."
        said.setdefault(text, []).append(label)
    return [f"{', '.join(labels)}: {text}" for text, labels in said.items()]
