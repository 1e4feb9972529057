"""ModelSpec: what a model file says, checked, with the origin of every number."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alliancegame.game.game import PARAMETERS
from alliancegame.game.plan import Plan
from alliancegame.game.tables import Citation

SCHEMA = 1
"""The version of the form that this library reads and writes."""

STATUSES = ("observed", "calibrated", "assumed")
WEIGHTS = ("security_weight", "influence_weight", "private_weight")
BURDEN = "burden"

Value = float | str | Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Origin:
    """What kind of number something is, and where it comes from."""

    status: str
    source: str


DEFAULT = Origin("assumed", "default of the model")
"""The origin of a parameter that a file does not name."""


@dataclasses.dataclass(frozen=True)
class ModelSpec:
    """A model file, checked: everything that is needed to build the game, and its provenance.

    `members` maps labels to full names, in order. `values` holds a number, a form's name, or
    numbers by label for each parameter that the file names; `origins` has an entry for each of
    them. `observed` holds observed burdens (shares of GDP) by label if there are any, `free` the
    weight that is to be calibrated to them, if one is. `data` holds the citations and terms.
    """

    name: str
    title: str
    description: str
    year: int | None
    leader: str
    members: Mapping[str, str]
    values: Mapping[str, Value]
    origins: Mapping[str, Origin]
    observed: Mapping[str, float] | None
    observed_origin: Origin | None
    free: str | None
    plan: Plan
    plan_origin: Origin
    data: Mapping[str, Citation]
    path: Path | None = None
    sha256: str = ""

    def provenance(self) -> dict[str, Any]:
        """What a game built from this keeps: plain text and numbers, no machine's paths."""
        origins = {name: self.origins.get(name, DEFAULT) for name in PARAMETERS}
        return {
            "model": self.name,
            "title": self.title,
            "description": self.description,
            "year": self.year,
            "file": self.path.name if self.path else "",
            "sha256": self.sha256,
            "names": dict(self.members),
            "parameters": {k: dataclasses.asdict(origin) for k, origin in origins.items()},
            "observed_burden": None if self.observed is None else dict(self.observed),
            "observed_origin": self.observed_origin and dataclasses.asdict(self.observed_origin),
            "calibrated": [self.free] if self.free else [],
            "plan": self.plan.to_dict(),
            "plan_origin": dataclasses.asdict(self.plan_origin),
            "data": {key: citation.to_dict() for key, citation in self.data.items()},
        }
