"""What was found of a saved result: each of its claims, and what became of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alliancegame.verify.claims import ACCEPTED, OPEN, REFUSED, gravest

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True)
class Claim:
    """One claim: `of` which part of the result, what is claimed, the `status` and in words why."""

    of: str
    claim: str
    status: str
    detail: str


@dataclasses.dataclass(frozen=True)
class VerificationReport:
    """What the checker found: every claim "accepted", "refused" or "not checkable".

    `payoffs` are, if asked for, by equilibrium and player the functions whose gains were bounded, as text:
    on each piece of the action set (below the demand, above it) one.
    """

    kind: str
    claims: tuple[Claim, ...]
    payoffs: Mapping[str, Mapping[str, tuple[str, ...]]] = dataclasses.field(default_factory=dict)

    @property
    def status(self) -> str:
        """The gravest status of any claim."""
        return gravest([(c.status, "") for c in self.claims])[0]

    @property
    def accepted(self) -> bool:
        """Whether every claim is accepted."""
        return self.status == ACCEPTED

    def headline(self) -> str:
        """One line: how many claims have which status."""
        counts = {s: sum(c.status == s for c in self.claims) for s in (ACCEPTED, REFUSED, OPEN)}
        found = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
        return f"{self.kind}: {self.status} ({found})"

    def to_frame(self) -> pd.DataFrame:
        """A row for each claim."""
        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(claim) for claim in self.claims])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        rows = [dataclasses.asdict(claim) for claim in self.claims]
        found = {"kind": self.kind, "status": self.status, "claims": rows}
        return {**found, "payoffs": self.payoffs} if self.payoffs else found

    def __repr__(self) -> str:
        return f"<VerificationReport: {self.headline()}>"
