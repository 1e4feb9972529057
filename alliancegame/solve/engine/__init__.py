"""The aggregative engine: every member's condition at once, in O(n) a step.

The files of this folder are ordinary Python over arrays. `payoff.kernels` puts the generated terms
(declared in `payoff/generated.pyi`) in front of them and Numba compiles both as one module; nothing
here is called uncompiled. Allies stand in slots 0 .. n-2 and the leader in slot n-1.

Method. A member's marginal payoff depends on its own burden and on the aggregates Z, C and G, so the
Jacobian of all conditions is diagonal plus low rank, and a Newton step costs O(n): eliminate each
burden in favour of (dZ, dC, dG), solve a 2x2 system, substitute back. Each member moves within one
smooth piece (between its bounds and the kink at the demand) and is put exactly on the end of a
piece that a step would cross; a member at such a point leaves it only if a one-sided marginal says
so. Share functions (Cornes & Hartley 2005) are the safeguard: each member's contribution as a
function of the aggregates, found by bisection, and the aggregates by nested bisection. Where those
are not monotone, members reply in turn.
"""

from __future__ import annotations

import importlib.resources

ROOMS = ("names", "stage", "newton", "safeguard", "deviations", "batch", "leader")
"""The files in the order in which they are compiled: each uses those before it only."""


def text() -> str:
    """The engine as one text, for `payoff.kernels`."""
    folder = importlib.resources.files("alliancegame.solve.engine")
    return "\n\n".join((folder / f"{room}.py").read_text("utf-8") for room in ROOMS)
