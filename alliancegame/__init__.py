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
    from alliancegame.game.aggregative import AggregativeGame as AggregativeGame
    from alliancegame.game.coalition import CoalitionGame as CoalitionGame
    from alliancegame.game.custom import ContinuousGame as ContinuousGame
    from alliancegame.game.finite import FiniteGame as FiniteGame
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
    from alliancegame.solve.accumulation import solve_accumulation as solve_accumulation
    from alliancegame.solve.alignment import solve_alignment as solve_alignment
    from alliancegame.solve.certificate import Certificate as Certificate
    from alliancegame.solve.coalitions.core import core as core
    from alliancegame.solve.coalitions.nucleolus import nucleolus as nucleolus
    from alliancegame.solve.coalitions.values import banzhaf as banzhaf
    from alliancegame.solve.coalitions.values import shapley as shapley
    from alliancegame.solve.custom.profile import ActionEquilibria as ActionEquilibria
    from alliancegame.solve.custom.profile import ActionProfile as ActionProfile
    from alliancegame.solve.custom.slopes import action_sensitivities as action_sensitivities
    from alliancegame.solve.doors import certify as certify
    from alliancegame.solve.doors import find_equilibria as find_equilibria
    from alliancegame.solve.doors import solve_nash as solve_nash
    from alliancegame.solve.doors import solve_stackelberg as solve_stackelberg
    from alliancegame.solve.dynamic.control import TrustControl as TrustControl
    from alliancegame.solve.dynamic.law import TrustMotion as TrustMotion
    from alliancegame.solve.dynamic.result import TrustPath as TrustPath
    from alliancegame.solve.every.result import AllianceEquilibria as AllianceEquilibria
    from alliancegame.solve.finite.commitment import solve_commitment as solve_commitment
    from alliancegame.solve.finite.correlated import solve_correlated as solve_correlated
    from alliancegame.solve.finite.discretise import discretise as discretise
    from alliancegame.solve.finite.dominance import eliminate_dominated as eliminate_dominated
    from alliancegame.solve.finite.dominance import risk_dominance as risk_dominance
    from alliancegame.solve.finite.honour import honour_threat as honour_threat
    from alliancegame.solve.finite.learning import fictitious_play as fictitious_play
    from alliancegame.solve.finite.learning import replicator as replicator
    from alliancegame.solve.finite.profile import EquilibriumSet as EquilibriumSet
    from alliancegame.solve.finite.profile import Profile as Profile
    from alliancegame.solve.finite.quantal import quantal_response as quantal_response
    from alliancegame.solve.finite.repeated import critical_discount as critical_discount
    from alliancegame.solve.finite.repeated import feasible_set as feasible_set
    from alliancegame.solve.finite.repeated import minmax as minmax
    from alliancegame.solve.leader.credible import CredibleResult as CredibleResult
    from alliancegame.solve.leader.credible import CredibleTargets as CredibleTargets
    from alliancegame.solve.leader.credible import credible_targets as credible_targets
    from alliancegame.solve.leaving.result import Alignments as Alignments
    from alliancegame.solve.nash import respond as respond
    from alliancegame.solve.planning.social_optimum import (
        solve_social_optimum as solve_social_optimum,
    )
    from alliancegame.solve.result import Equilibrium as Equilibrium
    from alliancegame.solve.result import load_result as load_result
    from alliancegame.solve.tolerances import Tolerances as Tolerances
    from alliancegame.solve.trust_path import follow_trust_path as follow_trust_path
    from alliancegame.solve.trust_path import solve_trust_path as solve_trust_path
    from alliancegame.study.anarchy import price_of_anarchy as price_of_anarchy
    from alliancegame.study.backfire import backfire_threshold as backfire_threshold
    from alliancegame.study.calibrate import calibrate as calibrate
    from alliancegame.study.calibrate import identified_set as identified_set
    from alliancegame.study.channels import channels as channels
    from alliancegame.study.coalitions import coalition_game as coalition_game
    from alliancegame.study.compare import compare as compare
    from alliancegame.study.explain import explain as explain
    from alliancegame.study.frontier import frontier as frontier
    from alliancegame.study.long_run import long_run_trust as long_run_trust
    from alliancegame.study.maps import regime_map as regime_map
    from alliancegame.study.opinion import fit_trust_law as fit_trust_law
    from alliancegame.study.patience import dynamic_backfire as dynamic_backfire
    from alliancegame.study.patience import patience_threshold as patience_threshold
    from alliancegame.study.patience import recovery_time as recovery_time
    from alliancegame.study.robustness import Robustness as Robustness
    from alliancegame.study.robustness import robustness as robustness
    from alliancegame.study.sensitivities import Sensitivities as Sensitivities
    from alliancegame.study.sensitivities import sensitivities as sensitivities
    from alliancegame.study.sensitivity import global_sensitivity as global_sensitivity
    from alliancegame.study.shares import burden_shares as burden_shares
    from alliancegame.study.stability import coalition_stability as coalition_stability
    from alliancegame.study.stability import leave_one_out as leave_one_out
    from alliancegame.study.stability import stable_coalitions as stable_coalitions
    from alliancegame.study.stability import stable_sizes as stable_sizes
    from alliancegame.study.sweep import sweep as sweep
    from alliancegame.study.sweeping.axes import latin_hypercube as latin_hypercube
    from alliancegame.study.sweeping.axes import random_sample as random_sample
    from alliancegame.study.sweeping.axes import sobol as sobol
    from alliancegame.study.sweeping.axes import zipped as zipped
    from alliancegame.study.trust_regimes import trust_regimes as trust_regimes
    from alliancegame.study.uncertainty import uncertainty as uncertainty
    from alliancegame.study.unravelling import unravelling as unravelling
    from alliancegame.verify import verify as verify

_HOMES = {
    "alliancegame.errors": ("AllianceGameError",),
    "alliancegame.game.aggregative": ("AggregativeGame",),
    "alliancegame.game.coalition": ("CoalitionGame",),
    "alliancegame.game.custom": ("ContinuousGame",),
    "alliancegame.game.finite": ("FiniteGame",),
    "alliancegame.game.game": ("BurdenSharingGame", "PARAMETERS"),
    "alliancegame.game.members": ("Members",),
    "alliancegame.game.plan": ("Plan",),
    "alliancegame.game.trust": ("TrustLaw",),
    "alliancegame.library": (
        "default_plan", "from_frame", "list_models", "load_model", "new_model", "save_model",
    ),
    "alliancegame.payoff.cache": ("clear_cache",),
    "alliancegame.payoff.latex": ("latex",),
    "alliancegame.report": ("report",),
    "alliancegame.solve.accumulation": ("solve_accumulation",),
    "alliancegame.solve.alignment": ("solve_alignment",),
    "alliancegame.solve.certificate": ("Certificate",),
    "alliancegame.solve.coalitions.core": ("core",),
    "alliancegame.solve.coalitions.nucleolus": ("nucleolus",),
    "alliancegame.solve.coalitions.values": ("banzhaf", "shapley"),
    "alliancegame.solve.custom.profile": ("ActionEquilibria", "ActionProfile"),
    "alliancegame.solve.custom.slopes": ("action_sensitivities",),
    "alliancegame.solve.doors": ("certify", "find_equilibria", "solve_nash", "solve_stackelberg"),
    "alliancegame.solve.dynamic.control": ("TrustControl",),
    "alliancegame.solve.dynamic.law": ("TrustMotion",),
    "alliancegame.solve.dynamic.result": ("TrustPath",),
    "alliancegame.solve.every.result": ("AllianceEquilibria",),
    "alliancegame.solve.finite.commitment": ("solve_commitment",),
    "alliancegame.solve.finite.correlated": ("solve_correlated",),
    "alliancegame.solve.finite.discretise": ("discretise",),
    "alliancegame.solve.finite.dominance": ("eliminate_dominated", "risk_dominance"),
    "alliancegame.solve.finite.honour": ("honour_threat",),
    "alliancegame.solve.finite.learning": ("fictitious_play", "replicator"),
    "alliancegame.solve.finite.profile": ("EquilibriumSet", "Profile"),
    "alliancegame.solve.finite.quantal": ("quantal_response",),
    "alliancegame.solve.finite.repeated": ("critical_discount", "feasible_set", "minmax"),
    "alliancegame.solve.leader.credible": ("CredibleResult", "CredibleTargets", "credible_targets"),
    "alliancegame.solve.leaving.result": ("Alignments",),
    "alliancegame.solve.nash": ("respond",),
    "alliancegame.solve.planning.social_optimum": ("solve_social_optimum",),
    "alliancegame.solve.result": ("Equilibrium", "load_result"),
    "alliancegame.solve.tolerances": ("Tolerances",),
    "alliancegame.solve.trust_path": ("follow_trust_path", "solve_trust_path"),
    "alliancegame.study.anarchy": ("price_of_anarchy",),
    "alliancegame.study.backfire": ("backfire_threshold",),
    "alliancegame.study.calibrate": ("calibrate", "identified_set"),
    "alliancegame.study.channels": ("channels",),
    "alliancegame.study.coalitions": ("coalition_game",),
    "alliancegame.study.compare": ("compare",),
    "alliancegame.study.explain": ("explain",),
    "alliancegame.study.frontier": ("frontier",),
    "alliancegame.study.long_run": ("long_run_trust",),
    "alliancegame.study.maps": ("regime_map",),
    "alliancegame.study.opinion": ("fit_trust_law",),
    "alliancegame.study.patience": ("dynamic_backfire", "patience_threshold", "recovery_time"),
    "alliancegame.study.robustness": ("Robustness", "robustness"),
    "alliancegame.study.sensitivities": ("Sensitivities", "sensitivities"),
    "alliancegame.study.sensitivity": ("global_sensitivity",),
    "alliancegame.study.shares": ("burden_shares",),
    "alliancegame.study.stability": (
        "coalition_stability", "leave_one_out", "stable_coalitions", "stable_sizes",
    ),
    "alliancegame.study.sweep": ("sweep",),
    "alliancegame.study.sweeping.axes": ("latin_hypercube", "random_sample", "sobol", "zipped"),
    "alliancegame.study.trust_regimes": ("trust_regimes",),
    "alliancegame.study.uncertainty": ("uncertainty",),
    "alliancegame.study.unravelling": ("unravelling",),
    "alliancegame.verify": ("verify",),
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
    return sorted(__all__)
