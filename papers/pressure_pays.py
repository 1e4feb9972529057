"""Picture 3 of the essay: the best threat takes the leader to B, on a higher isoquant than A's.

Run alone: python papers/pressure_pays.py [FOLDER]
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
    "Grey: threats from 0 to B's.\nThe gain is {share:.2%} of what the United States spends on defence, "
    "and rests on {assumed} assumed parameters and forms."
)


def picture() -> Figure:
    game = ag.load_model("nato-2024")
    best = ag.solve_stackelberg(game, ("threat",), demand=DEMAND)
    status_quo = best.baseline
    gain = ag.compare(game, best.plan).gain_usd_bn
    if best.outcome != "success":
        raise SystemExit(f"no plan of this family reaches B: the best one is a {best.outcome}.")
    label = f"B  threat {best.plan.threat:.2f}: {signed(gain)} bn US$"
    influences = np.linspace(0.2, 0.98, 400)
    curves = {
        name: np.column_stack([isoquant(game, e.leader_payoff, influences), influences])
        for name, e in (("A", status_quo), (label, best.response))
    }
    threats = np.linspace(0.0, best.plan.threat, 41)
    path = [ag.solve_nash(game, ag.Plan(threat=t, demand=DEMAND)) for t in threats]
    origins = game.provenance["parameters"].values()
    source = SOURCE.format(
        share=gain / status_quo.spending[game.leader],
        assumed=sum(
            o["status"] == "assumed" and o["source"] != "default of the model" for o in origins
        ),
    )
    return isoquants({"A": status_quo, label: best.response}, curves, path=path, source=source)


def main() -> None:
    here = Path(__file__).resolve().parents[1] / "out" / "papers"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else here
    folder.mkdir(parents=True, exist_ok=True)
    figure = picture()
    for kind in ("png", "pdf"):
        (folder / f"pressure_pays.{kind}").write_bytes(rendered(figure, kind, dpi=300))


if __name__ == "__main__":
    main()
