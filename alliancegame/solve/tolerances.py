"""Tolerances: the numbers behind every verdict, passed as an argument and recorded in certificates."""

from __future__ import annotations

import dataclasses
import operator

from alliancegame.errors import InvalidValueError
from alliancegame.game.parameters import as_number

MOST_CERTIFIED, MOST_APPROXIMATE = 1e-9, 1e-6
"""What the verdicts mean at the most: they can be made stricter, never looser."""


@dataclasses.dataclass(frozen=True)
class Tolerances:
    """What counts as an equilibrium, and how finely leaders' plans are searched.

    `certified` and `approximate` bound the global regret (in payoff) of the two verdicts;
    `grid` is the number of points by committed dimension in a Stackelberg search (at least 25);
    `roots` the number of leader's burdens scanned where simultaneous Nash may be multiple;
    `refine` the number of rounds in which cells that could still hide a better plan are halved;
    `leader_gap` the payoff below which such cells are left alone.

    Verdicts can be made stricter, never looser than their documented levels. Raises
    `InvalidValueError` for anything else than 0 <= certified <= 1e-9, certified <= approximate <= 1e-6,
    whole grid >= 2, roots >= 2 and refine >= 0, and leader_gap >= 0.
    """

    certified: float = 1e-9
    approximate: float = 1e-6
    grid: int = 25
    roots: int = 401
    refine: int = 12
    leader_gap: float = 1e-9

    def __post_init__(self) -> None:
        for name, least in (("grid", 2), ("roots", 2), ("refine", 0)):
            object.__setattr__(self, name, _whole(getattr(self, name), name, least))
        for name in ("certified", "approximate", "leader_gap"):
            number = as_number(getattr(self, name), f"{name} of Tolerances")
            if number < 0:
                raise InvalidValueError(f"{name} of Tolerances must be >= 0, got {number:g}.")
            object.__setattr__(self, name, number)
        for name, most in (("certified", MOST_CERTIFIED), ("approximate", MOST_APPROXIMATE)):
            if getattr(self, name) > most:
                raise InvalidValueError(
                    f"{name} of Tolerances must be at most {most:g}, which is what the verdict means; "
                    f"got {getattr(self, name):g}."
                )
        if self.certified > self.approximate:
            raise InvalidValueError(
                f"certified of Tolerances must be at most approximate, got {self.certified:g} and "
                f"{self.approximate:g}."
            )

    def to_dict(self) -> dict[str, float]:
        """Plain numbers for certificates and files."""
        return dataclasses.asdict(self)


def _whole(value: object, name: str, least: int) -> int:
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = -1
    if number < least:
        raise InvalidValueError(
            f"{name} of Tolerances must be a whole number >= {least}, got {value!r}."
        )
    return number


def check_tolerances(tolerances: object) -> None:
    """Raise `InvalidValueError` for anything but `Tolerances`."""
    if not isinstance(tolerances, Tolerances):
        raise InvalidValueError(
            f"tolerances must be ag.Tolerances(...), got {tolerances!r}: leave it out for the defaults."
        )


DEFAULT = Tolerances()
