"""The flagship over all 72 default specifications: measured and stored by this script, shown by a page.

`python docs/scripts/specifications.py` takes minutes and writes `specifications/*.json` anew.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from page import Markdown, table

import alliancegame as ag
from alliancegame.figures import specification_curve

STORE = Path(__file__).parent / "specifications"
PLANS = {
    "pressure": ag.Plan(threat=0.9, demand=0.05),
    "commitment": ag.Plan(threat=0.2251, demand=0.05, burden=0.03284),
}
"""The flagship's plan, and the leader's best plan as README.md has it."""


def measure(name: str) -> float:
    """Run one plan, kernels compiled before, store what was found, and return the processor's seconds."""
    game = ag.load_model("nato-2024")
    began = time.process_time()
    found = ag.robustness(game, PLANS[name], progress=False)
    taken = time.process_time() - began
    STORE.mkdir(exist_ok=True)
    found.to_json(STORE / f"{name}.json")
    return round(taken, 1)


def _stored(name: str) -> Any:
    return ag.load_result(STORE / f"{name}.json")


def outcomes() -> Markdown:
    """How many specifications have which outcome, by plan."""
    seconds = json.loads((STORE / "times.json").read_text(encoding="utf-8"))
    rows = []
    for name in PLANS:
        found = _stored(name)
        certified = sum(s.verdict == "certified" for s in found.specifications)
        proven = sum(s.unique == "proven" for s in found.specifications)
        counts = ", ".join(f"{count} {outcome}" for outcome, count in found.counts.items())
        rows.append(
            [found.plan.describe(), counts, str(certified), str(proven),
             f"{seconds[name]:.0f} s"]
        )  # fmt: skip
    head = ["plan", "outcomes", "certified", "proved unique", "processor time, kernels compiled"]
    return Markdown(table(head, rows, right=(2, 3, 4)))


def curve(name: str) -> Figure:
    """The specification curve of one plan."""
    return specification_curve(_stored(name))


if __name__ == "__main__":
    times = {name: measure(name) for name in PLANS}
    (STORE / "times.json").write_text(json.dumps(times) + "\n", encoding="utf-8")
