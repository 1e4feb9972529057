"""Form: which functional forms a kernel is compiled for. Plain data, so that SymPy can stay away."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Form:
    """The functional forms that shape the expressions; exponents of 1 are worth their own kernel."""

    consumption: str = "log"
    influence_value: str = "log"
    summation: bool = True
    proportional: bool = True
    influence: str = "council"
    shortfall: str = "proportional"
    taxed: bool = False

    @property
    def hub(self) -> bool:
        """Whether influence is decided in bilateral contests with the leader."""
        return self.influence == "hub"

    @property
    def logistic(self) -> bool:
        """Whether the shortfall is smooth at the demand."""
        return self.shortfall == "logistic"

    @property
    def name(self) -> str:
        """Short name of the kernel that serves this form."""
        parts = [
            self.consumption,
            self.influence_value,
            "sum" if self.summation else "ces",
            "m1" if self.proportional else "m",
        ]
        further = (("hub", self.hub), ("logistic", self.logistic), ("tariff", self.taxed))
        return "-".join([*parts, *(name for name, has in further if has)])
