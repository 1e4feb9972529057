"""Who pays, who leads, and what pressure buys in a military alliance.

>>> import alliancegame as ag
>>> game = ag.load_model("three-allies")
>>> ag.compare(game, ag.Plan(threat=0.5)).outcome
'success'

The names below are resolved when first used: importing the package loads NumPy at most.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from alliancegame import errors as errors
from alliancegame._version import __version__

if TYPE_CHECKING:
    from alliancegame.errors import AllianceGameError as AllianceGameError
    from alliancegame.game.game import PARAMETERS as PARAMETERS
    from alliancegame.game.game import BurdenSharingGame as BurdenSharingGame
    from alliancegame.game.members import Members as Members
    from alliancegame.game.plan import Plan as Plan
    from alliancegame.game.trust import TrustLaw as TrustLaw
    from alliancegame.library import default_plan as default_plan
    from alliancegame.library import from_frame as from_frame
    from alliancegame.library import list_models as list_models
    from alliancegame.library import load_model as load_model
    from alliancegame.library import new_model as new_model
    from alliancegame.library import save_model as save_model
    from alliancegame.payoff.cache import clear_cache as clear_cache
    from alliancegame.payoff.latex import latex as latex
    from alliancegame.report import report as report
    from alliancegame.solve.certificate import Certificate as Certificate
    from alliancegame.solve.nash import certify as certify
    from alliancegame.solve.nash import respond as respond
    from alliancegame.solve.nash import solve_nash as solve_nash
    from alliancegame.solve.result import Equilibrium as Equilibrium
    from alliancegame.solve.result import load_result as load_result
    from alliancegame.solve.stackelberg import solve_stackelberg as solve_stackelberg
    from alliancegame.solve.tolerances import Tolerances as Tolerances
    from alliancegame.study.backfire import backfire_threshold as backfire_threshold
    from alliancegame.study.calibrate import calibrate as calibrate
    from alliancegame.study.calibrate import identified_set as identified_set
    from alliancegame.study.compare import compare as compare
    from alliancegame.study.explain import explain as explain
    from alliancegame.study.frontier import frontier as frontier
    from alliancegame.study.maps import regime_map as regime_map
    from alliancegame.study.sensitivity import global_sensitivity as global_sensitivity
    from alliancegame.study.sweep import sweep as sweep
    from alliancegame.study.sweeping.axes import latin_hypercube as latin_hypercube
    from alliancegame.study.sweeping.axes import random_sample as random_sample
    from alliancegame.study.sweeping.axes import sobol as sobol
    from alliancegame.study.sweeping.axes import zipped as zipped
    from alliancegame.study.uncertainty import uncertainty as uncertainty

_HOMES = {
    "alliancegame.errors": ("AllianceGameError",),
    "alliancegame.game.game": ("PARAMETERS", "BurdenSharingGame"),
    "alliancegame.game.members": ("Members",),
    "alliancegame.game.plan": ("Plan",),
    "alliancegame.game.trust": ("TrustLaw",),
    "alliancegame.library": (
        "default_plan", "from_frame", "list_models", "load_model", "new_model", "save_model",
    ),
    "alliancegame.payoff.cache": ("clear_cache",),
    "alliancegame.payoff.latex": ("latex",),
    "alliancegame.report": ("report",),
    "alliancegame.solve.certificate": ("Certificate",),
    "alliancegame.solve.nash": ("certify", "respond", "solve_nash"),
    "alliancegame.solve.result": ("Equilibrium", "load_result"),
    "alliancegame.solve.stackelberg": ("solve_stackelberg",),
    "alliancegame.solve.tolerances": ("Tolerances",),
    "alliancegame.study.backfire": ("backfire_threshold",),
    "alliancegame.study.calibrate": ("calibrate", "identified_set"),
    "alliancegame.study.compare": ("compare",),
    "alliancegame.study.explain": ("explain",),
    "alliancegame.study.frontier": ("frontier",),
    "alliancegame.study.maps": ("regime_map",),
    "alliancegame.study.sensitivity": ("global_sensitivity",),
    "alliancegame.study.sweep": ("sweep",),
    "alliancegame.study.sweeping.axes": ("latin_hypercube", "random_sample", "sobol", "zipped"),
    "alliancegame.study.uncertainty": ("uncertainty",),
}  # fmt: skip

_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", "errors", *sorted(_HOME)]  # noqa: PLE0604 (the names stand in _HOMES)


def __getattr__(name: str) -> Any:
    """Resolve a public name when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module 'alliancegame' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
