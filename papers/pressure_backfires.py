"""Picture 4 of the essay: the same pressure pushed until C lies below A's isoquant.

Run alone: python papers/pressure_backfires.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import alliancegame as ag
from alliancegame.figures.isoquants import isoquants
from alliancegame.figures.style import rendered, signed
from alliancegame.study.frontier import isoquant

DEMAND = 0.05
SOURCE = (
    "Computed on nato-2024 (data: NATO, June 2024; weights calibrated or assumed), demand 5 % of GDP. "
    "Grey: threats from 0 to 1."
)
STEPS = "\nFrom A to C the allies spend more at every step; trust and influence fall."


def picture() -> Figure:
    game = ag.load_model("nato-2024")
    best = ag.solve_stackelberg(game, ("threat",), demand=DEMAND)
    plans = {"B": best.plan, "C": ag.Plan(threat=1.0, demand=DEMAND)}
    comparisons = {letter: ag.compare(game, plan) for letter, plan in plans.items()}
    found = [c.outcome for c in comparisons.values()]
    if found != ["success", "backfire"]:
        raise SystemExit(f"the best threat and full pressure bring {found}, not B and C.")
    points = {"A": best.baseline} | {
        f"{letter}  threat {c.plan.threat:.2g}: {signed(c.gain_usd_bn)} bn US$": c.result
        for letter, c in comparisons.items()
    }
    influences = np.linspace(0.2, 0.98, 400)
    curves = {
        label: np.column_stack([isoquant(game, e.leader_payoff, influences), influences])
        for label, e in points.items()
    }
    path = [ag.solve_nash(game, ag.Plan(threat=t, demand=DEMAND)) for t in np.linspace(0, 1, 81)]
    rising = np.diff([e.allied_burden for e in path])
    falling = np.diff([[e.leader_influence, e.trust[game.leader]] for e in path], axis=0)
    steps = STEPS if (rising > 0).all() and (falling < 0).all() else ""
    return isoquants(points, curves, path=path, source=SOURCE + steps)


def main() -> None:
    here = Path(__file__).resolve().parents[1] / "out" / "papers"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else here
    folder.mkdir(parents=True, exist_ok=True)
    figure = picture()
    for kind in ("png", "pdf"):
        (folder / f"pressure_backfires.{kind}").write_bytes(rendered(figure, kind, dpi=300))


if __name__ == "__main__":
    main()
