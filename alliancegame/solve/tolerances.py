"""Tolerances: the numbers behind every verdict, passed as an argument and recorded in certificates."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Tolerances:
    """What counts as an equilibrium, and how finely leaders' plans are searched.

    `certified` and `approximate` bound the global regret (in payoff) of the two verdicts;
    `grid` is the number of points by committed dimension in a Stackelberg search (at least 25);
    `roots` the number of leader's burdens scanned where simultaneous Nash may be multiple;
    `refine` the number of rounds in which cells that could still hide a better plan are halved;
    `leader_gap` the payoff below which such cells are left alone.
    """

    certified: float = 1e-9
    approximate: float = 1e-6
    grid: int = 25
    roots: int = 401
    refine: int = 12
    leader_gap: float = 1e-9

    def to_dict(self) -> dict[str, float]:
        """Plain numbers for certificates and files."""
        return dataclasses.asdict(self)


DEFAULT = Tolerances()
