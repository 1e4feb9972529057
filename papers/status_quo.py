"""Picture 2 of the essay: A, the alliance as it is, and the isoquant through it.

Run alone: python papers/status_quo.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import alliancegame as ag
from alliancegame.figures.isoquants import isoquants
from alliancegame.figures.style import rendered
from alliancegame.study.frontier import isoquant

SOURCE = (
    "Computed on nato-2024 (data: NATO, June 2024;\n"
    "weights calibrated or assumed). csᶜ: savings at\nA's security that give the payoff."
)


def picture() -> Figure:
    game = ag.load_model("nato-2024")
    status_quo = ag.solve_nash(game)
    influences = np.linspace(0.2, 0.98, 400)
    curve = np.column_stack([isoquant(game, status_quo.leader_payoff, influences), influences])
    return isoquants({"A": status_quo}, {"A": curve}, span=0.3, source=SOURCE)


def main() -> None:
    here = Path(__file__).resolve().parents[1] / "out" / "papers"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else here
    folder.mkdir(parents=True, exist_ok=True)
    figure = picture()
    for kind in ("png", "pdf"):
        (folder / f"status_quo.{kind}").write_bytes(rendered(figure, kind, dpi=300))


if __name__ == "__main__":
    main()
