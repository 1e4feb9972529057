"""Stackelberg: the leader commits to part of its plan, then allies answer (docs/theory/equilibrium)."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from alliancegame.errors import (
    ConvergenceError,
    InvalidValueError,
    UnsupportedFormError,
    ZeroTrustError,
    unknown_name,
)
from alliancegame.game.checks import (
    check_game,
    check_plan_type,
    check_smooth,
    shown,
)
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, certificate, multiple
from alliancegame.solve.keys import Key
from alliancegame.solve.leader import box
from alliancegame.solve.leader import targeted as targeted_search
from alliancegame.solve.leader.interest import Interest, checked_interest
from alliancegame.solve.leader.result import StackelbergResult, Targeted
from alliancegame.solve.leader.search import Found, maximise
from alliancegame.solve.leader.selection import (
    Selection,
    one_answer,
    pessimistic,
    search_triggers,
    triggered,
)
from alliancegame.solve.nash import solve_nash, status_quo
from alliancegame.solve.result import Equilibrium
from alliancegame.solve.scenarios import Scenarios
from alliancegame.solve.tolerances import DEFAULT, Tolerances
from alliancegame.solve.trigger.plans import TRIED
from alliancegame.solve.trigger.sides import without_jumps

__all__ = ["StackelbergResult", "solve_stackelberg"]

COMMITTABLE = ("threat", "demand", "tariff", "burden")
OBJECTIVES = ("payoff", "national_interest")


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
    objective: str = "payoff",
    interest_weight: float | None = None,
    interest_curvature: float = 0.0,
    targeted: bool = False,
    tolerances: Tolerances = DEFAULT,
    throw: bool = True,
) -> Any:
    """The plan that is best for an alliance's leader: see the door, `solve.doors.solve_stackelberg`."""
    check_game(game, "solve_stackelberg")
    chosen = _commitment(commit)
    _check_choices(chosen, selection, objective, credible, targeted)
    given = {"threat": threat, "demand": demand, "burden": burden, "tariff": tariff}
    base = _base_plan(plan, given, chosen)
    if targeted and game.shortfall == "trigger" and game.size - 1 > TRIED:
        raise UnsupportedFormError(
            f'targeted=True with shortfall="trigger" tries every compliance set of every plan, which is '
            f"done for up to {TRIED} allies; this game has {game.size - 1}: leave out targeted, or use "
            "another shortfall."
        )
    if credible:
        check_smooth(game, "credible=True")
    aggregative.check_plan(game, _checkable(game, base, chosen))
    interest = None
    if objective == "national_interest":
        interest = checked_interest(status_quo(game), interest_weight, interest_curvature)
    elif interest_weight is not None or interest_curvature != 0:
        raise InvalidValueError(
            "interest_weight and interest_curvature belong to national interest: give them with "
            'objective="national_interest".'
        )
    if credible:
        from alliancegame.solve.leader.credible_search import solve_credible

        believed = solve_stackelberg(
            game, chosen, plan=base, objective=objective, interest_weight=interest_weight,
            interest_curvature=interest_curvature, targeted=targeted, tolerances=tolerances,
        )  # fmt: skip
        return solve_credible(believed, base, tolerances)
    axes = [box.axis(game, name, max(tolerances.grid, 25)) for name in chosen]
    found = _search(game, base, chosen, axes, tolerances, interest)
    best = base.replace(**{k: float(v) for k, v in zip(chosen, found.point, strict=True)})
    if interest is None:
        both = _both_values(game, base, chosen, axes, tolerances, found, best, selection)
    else:
        both = Selection(math.nan, math.nan, best, math.nan, False, found.failed)
    if selection == "pessimistic":
        best = both.pessimistic_plan
    response = solve_nash(game, best, tolerances=tolerances, throw=throw)
    if selection == "pessimistic" and response.others:
        response = worst_first(response)
    if interest is not None:
        response = best_first(response, interest)
    result = StackelbergResult(
        chosen,
        best,
        response,
        status_quo(game),
        found.gap,
        _describe(found, chosen, axes) + _selection_note(response, "burden" in chosen, game),
        selection,
        objective,
        interest,
        None,
        max(both.optimistic_value, both.pessimistic_value)
        if math.isfinite(both.pessimistic_value)
        else both.optimistic_value,
        both.pessimistic_value,
        both.pessimistic_plan,
        both.epsilon,
        both.inadmissible,
    )
    return _aimed(result, base, tolerances) if targeted else result


def _check_choices(
    chosen: tuple[str, ...],
    selection: object,
    objective: object,
    credible: object,
    targeted: object,
) -> None:
    """Options that are no options, and combinations that cannot be searched."""
    if selection not in ("optimistic", "pessimistic"):
        raise unknown_name("selection", selection, ("optimistic", "pessimistic"))
    if objective not in OBJECTIVES:
        raise unknown_name("objective", objective, OBJECTIVES)
    for name, value in (("credible", credible), ("targeted", targeted)):
        if not isinstance(value, (bool, np.bool_)):
            raise InvalidValueError(f"{name} must be True or False, got {shown(value)}.")
    if credible and selection != "optimistic":
        raise UnsupportedFormError(
            'credible=True takes the equilibrium best for the leader: use selection="optimistic".'
        )
    if objective != "payoff" and selection != "optimistic":
        raise UnsupportedFormError(
            "national interest is searched with the answer best for the leader: use "
            'selection="optimistic".'
        )
    if targeted and selection != "optimistic":
        raise UnsupportedFormError(
            'targeted=True takes the answer best for the leader: use selection="optimistic".'
        )
    if targeted and not {"threat", "demand", "tariff"} & set(chosen):
        raise InvalidValueError(
            "targeted pressure needs threat, demand or tariff in commit: there is nothing else to aim."
        )


def _aimed(found: StackelbergResult, base: Plan, tolerances: Tolerances) -> StackelbergResult:
    """The best targeted plan, from the best uniform one; the uniform one if nothing beats it."""
    game, interest = found.game, found.interest
    most = box.most_tariffs(game) if "tariff" in found.commit else None
    searched = targeted_search.targets(game, base, found.commit, most)
    if interest is not None:
        searched = searched.maximising(functools.partial(interest.of_batch, game))
    row = targeted_search.row_of(game, found.plan)
    made = targeted_search.aim(searched, row, tolerances.grid)
    uniform = found.objective_value
    plan, response = found.plan, found.response
    if made.value > uniform:
        aimed = searched.plan(made.row)
        answer = solve_nash(game, aimed, tolerances=tolerances, throw=False)
        if interest is not None:
            answer = best_first(answer, interest)
        worth = answer.leader_payoff if interest is None else interest.of(answer)
        if answer.certificate.verdict != "unverified" and worth > uniform:
            plan, response = aimed, answer
    record = Targeted(uniform, found.plan.to_dict(), made.starts, made.evaluations, made.slope)
    words = (
        f"by ally, {int(searched.free.sum())} numbers: {made.starts} starts (the best uniform plan, "
        "nobody, everybody, the larger and the smaller half threatened, random ones with a fixed seed), "
        f"{'climbs with exact slopes and ' if searched.smooth else ''}sweeps ally by ally; "
        f"{made.evaluations} plans solved. Nothing bounds what was missed, but the plan is never worse "
        f"than the best uniform one, found so: {found.search}"
    )
    worth = response.leader_payoff if interest is None else math.nan
    alone = response.certificate.unique == "proven"
    return dataclasses.replace(
        found, plan=plan, response=response, leader_gap=np.nan, search=words, targets=record,
        optimistic_value=worth, pessimistic_value=worth if alone else math.nan,
        pessimistic_plan=plan, epsilon=0.0 if alone else math.nan,
    )  # fmt: skip


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


def best_first(response: Equilibrium, interest: Interest) -> Equilibrium:
    """The answer that is best for national interest, with the others beside it."""
    answers = (response, *response.others)
    top = int(np.argmax(np.nan_to_num([interest.of(one) for one in answers], nan=-np.inf)))
    kept = tuple(dataclasses.replace(e, others=()) for k, e in enumerate(answers) if k != top)
    return response if top == 0 else dataclasses.replace(answers[top], others=kept)


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
    if not isinstance(commit, Iterable):
        raise InvalidValueError(
            f'commit must be names such as ("threat", "burden"), got {shown(commit)}.'
        )
    names = (commit,) if isinstance(commit, str) else tuple(commit)
    for name in names:
        if name not in COMMITTABLE:
            raise unknown_name("commitment", name, COMMITTABLE)
    if not names:
        raise InvalidValueError(f"commit must name at least one of {', '.join(COMMITTABLE)}.")
    return tuple(name for name in COMMITTABLE if name in names)


def _base_plan(plan: Plan | None, given: dict[str, Any], chosen: tuple[str, ...]) -> Plan:
    base = Plan() if plan is None else plan
    check_plan_type(base)
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
        changes["demand"] = box.most_demand(game)
    if "threat" in chosen:
        changes["threat"] = 1.0
    if "tariff" in chosen:
        changes["tariff"] = box.most_tariff(game)
    return base.replace(**changes)


def _search(
    game: BurdenSharingGame, base: Plan, chosen: tuple[str, ...], axes: list[Array], tol: Tolerances,
    interest: Interest | None,
) -> Found:  # fmt: skip
    if triggered(game, base, chosen):
        value = None if interest is None else functools.partial(interest.of_batch, game)
        return search_triggers(game, base, chosen, axes, tol, value)
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
        if interest is not None:
            return interest.of_batch(game, plans(points).solve())
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
