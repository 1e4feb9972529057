"""The report: what pressure does in an alliance, in one page with its figures, tables and results.

`alliancegame.report(...)` is the function of this package. Importing a package sets an attribute of
its name on its parent, here over the function of the same name, so the package can be called too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.library import load_model
from alliancegame.report.write import ReportFiles, check_folder, publish

if TYPE_CHECKING:
    from alliancegame.report.findings import Findings

__all__ = ["ReportFiles", "report"]


def report(
    model_or_game: str | os.PathLike[str] | BurdenSharingGame,
    out: str | os.PathLike[str],
    plan: Plan | None = None,
    *,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    progress: Callable[[str], None] | None = None,
) -> ReportFiles:
    """Write the report on a model into a folder, and return where everything is.

    Discusses the best plan to which the leader can commit (threat and own burden), `plan` (the
    model's own if None), and full pressure, all at the plan's demand. Writes report.html, which
    needs no other file; figures as PNG and PDF; tables as CSV; results as JSON; model.tex. `ranges`
    says over what the signs of the gains are asked (`study.signs.gain_signs`). `progress` is told
    what is being done. What has no meaning for a model is left out, and the page says why.

    Raises what `load_model` and `solve_nash` raise, `InvalidValueError` if `out` is a file, and
    `ResultFileError` if it cannot be written; then nothing of a new report is left behind.
    """
    from alliancegame.report.contents import contents
    from alliancegame.report.findings import investigate

    tell = progress or _silent
    folder = check_folder(out)
    if isinstance(model_or_game, BurdenSharingGame):
        game = model_or_game
    else:
        tell("loading the model")
        game = load_model(model_or_game)
    found: Findings = investigate(game, plan, ranges, tell)
    return publish(folder, contents(found, tell))


def _silent(_: str) -> None:
    pass


class _CallablePackage(ModuleType):
    """The package, which can be called as its function."""

    def __call__(self, *arguments: Any, **options: Any) -> ReportFiles:
        return report(*arguments, **options)


sys.modules[__name__].__class__ = _CallablePackage
