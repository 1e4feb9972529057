"""Draw docs/_static/plane.png, the picture of the README and of the first page.

`python docs/scripts/draw_plane.py` writes it. The file carries the coordinates that it shows, so
that a test can tell whether the library still says the same.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import alliancegame as ag
from alliancegame import figures
from alliancegame.figures.style import rendered
from alliancegame.study.frontier import isoquant

FILE = Path(__file__).resolve().parent.parent / "_static" / "plane.png"
DPI = 160


def points() -> dict[str, ag.Equilibrium]:
    """A, the leader's best plan, and full pressure, on the flagship."""
    game = ag.load_model("nato-2024")
    return {
        "A": ag.solve_nash(game),
        "B": ag.solve_stackelberg(game, ("threat", "burden")).response,
        "C": ag.solve_nash(game, ag.Plan(threat=1.0)),
    }


def coordinates() -> dict[str, list[float]]:
    """Savings, compensated savings and influence of each point."""
    return {
        label: [e.savings, e.compensated_savings, e.leader_influence]
        for label, e in points().items()
    }


def shown() -> dict[str, list[float]]:
    """The coordinates that the picture in the repository carries."""
    with Image.open(FILE) as picture:
        found: dict[str, list[float]] = json.loads(picture.info["coordinates"])
    return found


def picture() -> bytes:
    """The plane as a PNG."""
    solved = points()
    game = solved["A"].game
    influences = np.linspace(0.3, 0.8, 101)
    frontiers = {label: ag.frontier(game, e.plan) for label, e in solved.items()}
    isoquants = {
        label: np.column_stack([isoquant(game, e.leader_payoff, influences), influences])
        for label, e in solved.items()
    }
    return rendered(figures.plane(solved, frontiers, isoquants), "png", DPI)


def main() -> None:
    """Write the picture, in few colours, with its coordinates."""
    note = PngInfo()
    note.add_text("coordinates", json.dumps(coordinates()))
    with Image.open(io.BytesIO(picture())) as drawn:
        drawn.convert("RGB").quantize(64).save(FILE, optimize=True, pnginfo=note)
    print(f"{FILE.name}: {FILE.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
