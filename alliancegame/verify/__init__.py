"""The independent checker of saved results: no solver, no compiled kernel, no cache.

It imports `game/` and `payoff/terms.py` alone, and evaluates the terms in interval arithmetic
(docs/howto/verify). `alliancegame.verify(...)` is the function of this package, which is why the
package can be called (see `alliancegame.report`). Read it in this order: `intervals`, `payoffs`,
`deviations`, `theorems`, `claims`, `outcomes`, `reading`, `check`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from alliancegame.verify.saved.check import Claim, VerificationReport, verify

__all__ = ["Claim", "VerificationReport", "verify"]


class _CallablePackage(ModuleType):
    """The package, which can be called as its function."""

    def __call__(self, *arguments: Any, **options: Any) -> VerificationReport:
        return verify(*arguments, **options)


sys.modules[__name__].__class__ = _CallablePackage
