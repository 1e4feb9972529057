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

    @property
    def name(self) -> str:
        """Short name of the kernel that serves this form."""
        return "-".join(
            (
                self.consumption,
                self.influence_value,
                "sum" if self.summation else "ces",
                "m1" if self.proportional else "m",
            )
        )
