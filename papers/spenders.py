"""Picture 1 of the essay: what the big spenders spend on defence, as observed.

Run alone: python papers/spenders.py [FOLDER]
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from matplotlib.figure import Figure

from alliancegame.figures.style import (
    BLUE,
    DOUBLE,
    INK,
    ORANGE,
    SKY,
    SMALL,
    canvas,
    credit,
    dress,
    rendered,
)
from alliancegame.game.files import read
from alliancegame.library import find_model, models_folder

SOURCES = (
    "Data: NATO Public Diplomacy Division, Defence Expenditure of NATO Countries (2014-2024), "
    "17 June 2024 (estimates for 2024);\nSIPRI Military Expenditure Database, 28 April 2025, single "
    "figures for states outside NATO (* SIPRI's estimate).\nTheir definitions differ a little. "
    "Missing: Saudi Arabia and North Korea, for which there is no figure at hand."
)
LOOKS = {
    "the United States": (BLUE, ""),
    "its allies": (SKY, ""),
    "other states": (ORANGE, "//"),
}


def observed() -> list[dict[str, str]]:
    """The rows of the table of big spenders, the largest first."""
    path = models_folder() / "data" / "big_spenders_2024.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return sorted(rows, key=lambda row: -float(row["spending_usd_bn"]))


def group(iso3: str, allies: set[str]) -> str:
    if iso3 == "USA":
        return "the United States"
    return "its allies" if iso3 in allies else "other states"


def picture() -> Figure:
    rows = observed()
    allies = set(read(find_model("us-allies-2024")).members)
    figure, axes = canvas(DOUBLE, 3.9)
    dress(axes, "defence spending in 2024 (bn US$, current prices and exchange rates)")
    for height, row in enumerate(reversed(rows)):
        spending = float(row["spending_usd_bn"])
        color, hatch = LOOKS[group(row["iso3"], allies)]
        axes.barh(height, spending, 0.72, color=color, hatch=hatch, edgecolor="white", linewidth=0)
        mark = "*" if row["source"] == "SIPRI" and row["is_estimate"] == "1" else ""
        axes.text(
            spending + 8, height, f"{spending:,.0f}{mark}  ({float(row['pct_gdp']):.1f} % of GDP)",
            va="center", fontsize=SMALL, color=INK,
        )  # fmt: skip
    names = [row["country"] for row in reversed(rows)]
    axes.set_yticks(range(len(rows)), names)
    axes.set_xlim(0, 1.16 * float(rows[0]["spending_usd_bn"]))
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    for label, (color, hatch) in LOOKS.items():
        axes.bar(0, 0, color=color, hatch=hatch, edgecolor="white", linewidth=0, label=label)
    axes.legend(loc="center right", fontsize=SMALL, frameon=False)
    credit(figure, SOURCES)
    return figure


def main() -> None:
    here = Path(__file__).resolve().parents[1] / "out" / "papers"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else here
    folder.mkdir(parents=True, exist_ok=True)
    figure = picture()
    for kind in ("png", "pdf"):
        (folder / f"spenders.{kind}").write_bytes(rendered(figure, kind, dpi=300))


if __name__ == "__main__":
    main()
