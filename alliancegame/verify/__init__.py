"""The independent checker of saved results: no solver, no compiled kernel, no cache.

It imports `game/` and `payoff/terms.py` alone. That nobody gains is one argument in three files, in this
order: `intervals` (what a formula can be), `smooth` (where derivatives bound it), `deviations` (the most
that anybody can gain). `payoffs` has the formulas of an alliance, from the terms of the model (`verify`
writes them out if asked), and `claims` what an equilibrium says of itself. The folders are further claims
and games: `uniqueness` (when an equilibrium is the only one, and how many there are), `own` (users' own
games, finite ones). `saved` is bookkeeping: reading files, the kinds of results, the report.

`alliancegame.verify(...)` is the function of this package, which is why the package can be called (see
`alliancegame.report`). docs/howto/verify has the argument.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from alliancegame.verify.saved.check import verify
from alliancegame.verify.saved.report import Claim, VerificationReport

__all__ = ["Claim", "VerificationReport", "verify"]


class _CallablePackage(ModuleType):
    """The package, which can be called as its function."""

    def __call__(self, *arguments: Any, **options: Any) -> VerificationReport:
        return verify(*arguments, **options)


sys.modules[__name__].__class__ = _CallablePackage
