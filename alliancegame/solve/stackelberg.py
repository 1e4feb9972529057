"""Stackelberg: the leader commits to part of its plan, then allies answer (docs/theory/equilibrium)."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import (
    ConvergenceError,
    InvalidValueError,
    UnsupportedFormError,
    ZeroTrustError,
    unknown_name,
)
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, certificate, multiple
from alliancegame.solve.certificate import Certificate, usd_bn
from alliancegame.solve.nash import solve_nash, status_quo
from alliancegame.solve.result import Equilibrium, Result
from alliancegame.solve.scenarios import Key, Scenarios
from alliancegame.solve.search import Found, maximise
from alliancegame.solve.selection import (
    Selection,
    one_answer,
    pessimistic,
    search_triggers,
    triggered,
)
from alliancegame.solve.tolerances import DEFAULT, Tolerances
from alliancegame.solve.trigger.sides import without_jumps

if TYPE_CHECKING:
    import pandas as pd

COMMITTABLE = ("threat", "demand", "tariff", "burden")
MOST_LOST = 0.99
"""Of an ally's GDP by a committed tariff."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class StackelbergResult(Result):
    """The best plan to which the leader can commit, and the allies' answer.

    `leader_gap` estimates how much better a plan the search could have missed, in payoff (bn US$ in
    `leader_gap_usd_bn`); `search` says at what resolution. `baseline` is A.

    `optimistic_value` is what the leader gets if allies answer as it likes best, `pessimistic_value`
    the supremum if they answer as it likes least: the same where answers are proved unique, nan where
    it was not asked for. `pessimistic_plan` comes within `epsilon` of it, 0 if it is attained.
    `inadmissible` counts plans of the search without a pure answer (without triggers also those whose
    answer leaves the leader a payoff of minus infinity, unless answers are proved unique).
    """

    kind: ClassVar[str] = "stackelberg"

    commit: tuple[str, ...]
    plan: Plan
    response: Equilibrium
    baseline: Equilibrium
    leader_gap: float
    search: str
    selection: str = "optimistic"
    optimistic_value: float = math.nan
    pessimistic_value: float = math.nan
    pessimistic_plan: Plan | None = None
    epsilon: float = 0.0
    inadmissible: int = 0

    @property
    def attained(self) -> bool:
        """Whether the pessimistic supremum is attained by a plan, as far as the search could tell."""
        return self.epsilon == 0.0

    @property
    def game(self) -> BurdenSharingGame:
        """The game."""
        return self.response.game

    @property
    def certificate(self) -> Certificate:
        """The certificate of the allies' answer (the leader's own search is in `leader_gap`)."""
        return self.response.certificate

    @property
    def leader_payoff(self) -> float:
        """The leader's payoff under the plan."""
        return self.response.leader_payoff

    @property
    def leader_gap_usd_bn(self) -> float:
        """`leader_gap` in bn US$ at the plan's burdens."""
        gain = np.full(self.game.size, self.leader_gap)
        return float(usd_bn(self.game, gain, self.response.burdens)[self.game.members.leader_index])

    @property
    def outcome(self) -> str:
        """The plan's outcome against A (docs/theory/outcomes)."""
        from alliancegame.study.compare import outcome

        return outcome(self.baseline, self.response)

    @property
    def comparison(self) -> Any:
        """The full comparison with A."""
        from alliancegame.study.compare import compare

        return compare(self.game, self.plan)

    def headline(self) -> str:
        """One line that says what was found."""
        quiet = "" if self.plan.pressure else " (no threat is best)"
        return (
            f"committing {', '.join(self.commit)}: best plan {self.plan.describe()}; outcome "
            f"{self.outcome}{quiet}; {self.certificate.verdict}, a better plan could gain "
            f"{self.leader_gap:.2g} at most by the search's estimate"
        )

    def to_frame(self) -> pd.DataFrame:
        """Every member's numbers under the plan."""
        return self.response.to_frame()

    def _shown(self) -> pd.DataFrame:
        """Against A, as a notebook shows it."""
        table: pd.DataFrame = self.comparison.to_frame()
        return table

    def _content(self) -> dict[str, Any]:
        worst = self.pessimistic_plan
        return {
            "commit": list(self.commit),
            "plan": self.plan.to_dict(),
            "response": self.response._content(),
            "baseline": self.baseline._content(),
            "leader_gap": self.leader_gap,
            "search": self.search,
            "selection": self.selection,
            "outcome": self.outcome,
            "optimistic_value": self.optimistic_value,
            "pessimistic_value": self.pessimistic_value,
            "pessimistic_plan": None if worst is None else worst.to_dict(),
            "epsilon": self.epsilon,
            "inadmissible": self.inadmissible,
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        return cls(
            tuple(content["commit"]),
            Plan(**content["plan"]),
            Equilibrium.from_content(content["response"]),
            Equilibrium.from_content(content["baseline"]),
            float(content["leader_gap"]),
            content["search"],
            content["selection"],
            float(content.get("optimistic_value", math.nan)),
            float(content.get("pessimistic_value", math.nan)),
            Plan(**worst) if (worst := content.get("pessimistic_plan")) else None,
            float(content.get("epsilon", 0.0)),
            int(content.get("inadmissible", 0)),
        )


def solve_stackelberg(
    game: BurdenSharingGame,
    commit: Sequence[str] = ("threat", "burden"),
    *,
    plan: Plan | None = None,
    threat: Any = None,
    demand: Any = None,
    burden: float | None = None,
    tariff: Any = None,
    selection: str = "optimistic",
    credible: bool = False,
    tolerances: Tolerances = DEFAULT,
    throw: bool = True,
) -> StackelbergResult:
    """The plan that is best for the leader among those it can commit to.

    `commit` is any non-empty subset of threat, demand, tariff and burden. What is not committed stays as
    in `plan` (or in `threat`, `demand`, `tariff`, `burden`, which override it); a burden that is neither
    committed nor given is played simultaneously. Committed threats, demands and tariffs are uniform over
    allies, tariffs at most 100 %.

    The search covers the whole box of plans at `tolerances.grid` points a dimension, halves every
    cell that could still hide a better plan, and polishes the best points.

    With several answers to a plan, `selection` "optimistic" takes the leader's best, "pessimistic" the
    plan whose worst answer is best (within `epsilon` of the supremum where that is not attained).
    Both values stand on the result with trigger threats, and wherever answers are proved unique;
    elsewhere the pessimistic one if it was asked for.

    Raises `InvalidValueError`, `UnknownNameError`; `UnsupportedFormError` for credible=True;
    `ZeroTrustError` or `ConvergenceError` if no plan has an answer.
    """
    chosen = _commitment(commit)
    if credible:
        raise UnsupportedFormError(
            "credible=True belongs to the model, but this version cannot solve it yet; use credible=False."
        )
    if selection not in ("optimistic", "pessimistic"):
        raise unknown_name("selection", selection, ("optimistic", "pessimistic"))
    base = _base_plan(
        plan, {"threat": threat, "demand": demand, "burden": burden, "tariff": tariff}, chosen
    )
    aggregative.check_plan(game, _checkable(game, base, chosen))
    axes = [_axis(game, name, tolerances) for name in chosen]
    found = _search(game, base, chosen, axes, tolerances)
    best = base.replace(**{k: float(v) for k, v in zip(chosen, found.point, strict=True)})
    both = _both_values(game, base, chosen, axes, tolerances, found, best, selection)
    if selection == "pessimistic":
        best = both.pessimistic_plan
    response = solve_nash(game, best, tolerances=tolerances, throw=throw)
    if selection == "pessimistic" and response.others:
        response = worst_first(response)
    return StackelbergResult(
        chosen,
        best,
        response,
        status_quo(game),
        found.gap,
        _describe(found, chosen, axes) + _selection_note(response, "burden" in chosen, game),
        selection,
        both.optimistic_value,
        both.pessimistic_value,
        both.pessimistic_plan,
        both.epsilon,
        both.inadmissible,
    )


def _both_values(
    game: BurdenSharingGame,
    base: Plan,
    chosen: tuple[str, ...],
    axes: list[Array],
    tolerances: Tolerances,
    found: Found,
    best: Plan,
    selection: str,
) -> Selection:
    """The values of both selections; where answers are not unique the second takes a search."""
    if one_answer(game, base, chosen):
        return Selection(found.value, found.value, best, 0.0, True, 0)
    if selection == "pessimistic" or triggered(game, base, chosen):
        return pessimistic(game, base, chosen, axes, tolerances, found)
    return Selection(found.value, math.nan, best, math.nan, False, found.failed)


def worst_first(response: Equilibrium) -> Equilibrium:
    """The answer that is worst for the leader, with the others beside it."""
    *others, last = (response, *response.others)
    kept = tuple(dataclasses.replace(e, others=()) for e in others)
    return dataclasses.replace(last, others=kept)


def _selection_note(response: Equilibrium, committed: bool, game: BurdenSharingGame) -> str:
    """What is known of the answers among which the leader's best was taken."""
    fixed = committed or response.plan.burden is not None
    if game.shortfall == "trigger":
        if not response.plan.pressure:
            return ""
        return (
            "; payoffs jump where allies change sides, so the gap says little; the plan that was found "
            "is answered in full, those on the way by sets that come to rest"
        )
    if certificate.missing_conditions(game) or not aggregative.tables(game).concave:
        return (
            "; selection not guaranteed: the allies' answer is not proved unique, and answers better "
            "or worse for the leader than those found may exist"
        )
    if fixed or response.certificate.unique == "proven":
        return ""
    return (
        f"; where simultaneous Nash is not proved unique, its best root for the leader among "
        f"{multiple.SCANNED} burdens scanned for each plan"
    )


def _commitment(commit: Sequence[str]) -> tuple[str, ...]:
    names = (commit,) if isinstance(commit, str) else tuple(commit)
    for name in names:
        if name not in COMMITTABLE:
            raise unknown_name("commitment", name, COMMITTABLE)
    if not names:
        raise InvalidValueError(f"commit must name at least one of {', '.join(COMMITTABLE)}.")
    return tuple(name for name in COMMITTABLE if name in names)


def _base_plan(plan: Plan | None, given: dict[str, Any], chosen: tuple[str, ...]) -> Plan:
    base = Plan() if plan is None else plan
    for name, value in given.items():
        if value is None:
            continue
        if name in chosen:
            raise InvalidValueError(
                f"{name} is committed, so the search chooses it: take it out of commit or do not give it."
            )
        base = base.replace(**{name: value})
    if "burden" in chosen:
        base = base.replace(burden=None)
    return base


def _checkable(game: BurdenSharingGame, base: Plan, chosen: tuple[str, ...]) -> Plan:
    """The plan as far as it is given: what the search chooses can be anything within bounds."""
    changes: dict[str, float] = {}
    if "demand" in chosen:
        changes["demand"] = _most_demand(game)
    if "threat" in chosen:
        changes["threat"] = 1.0
    if "tariff" in chosen:
        changes["tariff"] = _most_tariff(game)
    return base.replace(**changes)


def _most_demand(game: BurdenSharingGame) -> float:
    """The largest uniform demand that every ally could meet."""
    return float(np.delete(game.by_member("burden_max"), game.members.leader_index).min())


def _most_tariff(game: BurdenSharingGame) -> float:
    """The largest uniform tariff that is searched: 100 %, or what leaves every ally something."""
    exposed = float(np.delete(game.by_member("trade_exposure"), game.members.leader_index).max())
    if exposed == 0:
        raise InvalidValueError(
            "a tariff is to be committed, but no ally has trade_exposure > 0: it would do nothing."
        )
    most = MOST_LOST
    if game.consumption == "log" and game.shortfall != "proportional":
        most -= float(game.by_member("burden_max").max())
    return min(1.0, max(most, 0.0) / exposed)


def _axis(game: BurdenSharingGame, name: str, tolerances: Tolerances) -> Array:
    """The points of one committed dimension, denser at small threats, burdens and demands."""
    share = np.linspace(0.0, 1.0, max(tolerances.grid, 25))
    if name == "tariff":
        return _most_tariff(game) * share**2
    if name == "threat":
        # A small demand is met at a small threat: beyond, threats only cost trust.
        return np.union1d(share, share[1] * 0.5 ** np.arange(1, 8))
    lead = game.members.leader_index
    highs = game.by_member("burden_max")
    if name == "burden":
        low, high = float(game.by_member("burden_min")[lead]), float(highs[lead])
        return low + (high - low) * share**2
    return _most_demand(game) * np.linspace(0.02, 1.0, len(share)) ** 2


def _search(
    game: BurdenSharingGame, base: Plan, chosen: tuple[str, ...], axes: list[Array], tol: Tolerances
) -> Found:
    if triggered(game, base, chosen):
        return search_triggers(game, base, chosen, axes, tol)
    if game.shortfall == "trigger":
        game = without_jumps(game)

    def plans(points: Array) -> Scenarios:
        columns = {Key(name): column for name, column in zip(chosen, points.T, strict=True)}
        return Scenarios(game, base, columns, np.arange(len(points)))

    corners = np.array(list(itertools.product(*((axis[0], axis[-1]) for axis in axes))))
    starts = multiple.patterns(plans(np.concatenate([corners, corners.mean(axis=0)[None, :]])))
    if starts is not None and (len(starts) > 1 or not aggregative.tables(game).concave):
        # Every answer is followed at every plan, which takes long: cells are then not halved, and
        # what they could hide stands in the gap.
        tol = dataclasses.replace(tol, refine=0)

    def evaluate(points: Array) -> Array:
        return multiple.best_answers(plans(points), starts)[0]

    try:
        return maximise(evaluate, axes, tol, starts=_kernel_plan(game, base, chosen, tol))
    except ValueError as error:
        nothing = aggregative.solve_plans(
            game, np.zeros(1), np.full(1, 0.05), np.full(1, np.nan)
        ).column("status")[0]
        if nothing == aggregative.ZERO_TRUST:
            raise ZeroTrustError(
                f"trust of every ally is zero even without a threat, and {game.leader} values influence "
                'in logs: raise trust, or use influence_value="share".'
            ) from error
        raise ConvergenceError(
            "no plan in the box has an equilibrium with a finite payoff: narrow burden_min and "
            "burden_max, or check the weights."
        ) from error


def _kernel_plan(
    game: BurdenSharingGame, base: Plan, chosen: tuple[str, ...], tol: Tolerances
) -> Array | None:
    """The plan that sweeps find: their kernel follows the ridges that bunching allies make."""
    if chosen != ("threat", "burden") or not aggregative.tables(game).concave:
        return None
    _, _, plans = Scenarios(game, base, {}, np.arange(1)).best_plans(tol.grid)
    return plans[:, :2] if np.isfinite(plans[0, :2]).all() else None


def _describe(found: Found, chosen: tuple[str, ...], axes: list[Array]) -> str:
    ranges = ", ".join(
        f"{name} in [{axis[0]:.4g}, {axis[-1]:.4g}]"
        for name, axis in zip(chosen, axes, strict=True)
    )
    finest = ", ".join(
        f"{spacing:.2g} in {name}" for name, spacing in zip(chosen, found.spacing, strict=True)
    )
    failed = f"; {found.failed} plans had no answer" if found.failed else ""
    return (
        f"uniform {ranges}: {'x'.join(map(str, found.grid))} grid, cells that could hide a better plan "
        f"halved down to {finest}, best points polished; {found.evaluations} plans solved{failed}. "
        "The gap is an estimate from second differences, not a proof. Not searched: plans that treat "
        "allies differently"
    )
