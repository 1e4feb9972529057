"""How firm is the sign of a plan's gain? One parameter at a time, over stated ranges.

A gain that is small beside what is assumed deserves its sign over the range of each assumption:
the verdict "pressure pays" is worth as much as the range in which it stays true. Decay, the value
of influence (the leader's, everybody's), the return spill-in and the demand are varied, each with
the others fixed. What moves A (influence and return spill-in) is varied twice: with the security
weights refitted, so that A stays the alliance that it is, and with all weights as they are.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from alliancegame.errors import AllianceGameError, InvalidValueError, unknown_name
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array, as_number
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.certificate import consumption_share
from alliancegame.solve.nash import solve_nash, status_quo
from alliancegame.study.calibrate import calibrate
from alliancegame.study.outcomes import tolerance
from alliancegame.study.sign_series import (
    GAIN,
    LOSS,
    NO_ANSWER,
    NOTHING,
    Axis,
    Signs,
    SignSeries,
)

__all__ = ["RECHOSEN", "Axis", "SignSeries", "Signs", "default_ranges", "gain_signs"]

RECHOSEN = "best threat, chosen anew"
"""Label of the series in which the leader chooses a uniform threat again at every value."""

BISECTIONS = 8
"""Changes of sign are closed in on to 1/256 of the spacing of the values."""

THREATS = np.concatenate([[0.0, 1e-3, 3e-3, 0.01], np.linspace(0.025, 1.0, 40)])
"""Threats among which the best is chosen anew, before it is refined once."""


def gain_signs(
    game: BurdenSharingGame,
    plans: Plan | Mapping[str, Plan],
    *,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    points: int = 21,
) -> Signs:
    """Ask the sign of the leader's gain from each plan as one parameter after another varies.

    `plans` maps labels to plans. `ranges` maps keys to (low, high), default `default_ranges`:
    "decay", "influence_weight" (everybody's), "influence_weight[LEADER]", "return_spillin" and
    "demand". Where members differ the values are multiples of the game's own. `points` values of
    each are tried, and the game's own among them: what happens and unhappens between two neighbours
    is not seen.

    The security weights are refitted to A's burdens where the parameter would move A, and left alone
    in a second series. One more plan is followed where A stays as it is: the best uniform threat
    chosen anew at every value (the first plan's demand, the own burden a reply). A value at which
    something fails is a cell that says why.

    Raises `UnknownNameError`, `InvalidValueError`.
    """
    labelled = {"plan": plans} if isinstance(plans, Plan) else dict(plans)
    if not labelled:
        raise InvalidValueError("gain_signs needs at least one plan.")
    if points < 2:
        raise InvalidValueError(f"points must be at least 2, got {points}.")
    first = next(iter(labelled.values()))
    axes, left_out = _axes(game, first, ranges, points)
    obstacle = _cannot_refit(game)
    series = []
    for axis in axes:
        variants: tuple[bool | None, ...] = (True, False) if axis.moves_status_quo else (None,)
        if axis.moves_status_quo and obstacle:
            variants = (False,)
            left_out[f"{axis.key}, security weights refitted"] = obstacle
        for recalibrated in variants:
            at = _Varied(game, axis, recalibrated)
            for label, plan in labelled.items():
                if axis.key != "demand" or plan.pressure:
                    series.append(_fixed_plan(at, label, plan))
            if recalibrated == variants[0]:
                series.append(_chosen_anew(at, first))
    order = [*labelled, RECHOSEN]
    series.sort(key=lambda s: order.index(s.plan))
    return Signs(game, labelled, tuple(series), left_out)


def _cannot_refit(game: BurdenSharingGame) -> str:
    """Why A's burdens cannot be kept by refitting the security weights; empty if they can."""
    if game.technology != "ces":
        return f"calibrate is not written for technology={game.technology!r}"
    burdens = status_quo(game).burdens
    edge = (burdens <= game.by_member("burden_min")) | (burdens >= game.by_member("burden_max"))
    names = [label for label, at_bound in zip(game.members, edge, strict=True) if at_bound]
    if not names:
        return ""
    return f"at A {', '.join(names)} stand at a bound of the burden, which identifies no weight"


def default_ranges(game: BurdenSharingGame, plan: Plan) -> dict[str, tuple[float, float]]:
    """The range of each key: from 0 to twice the game's own value at least; demand 2 % to 10 %."""
    decay, influence = game.decay, game.by_member("influence_weight")
    lead = float(influence[game.members.leader_index])
    ranges = {
        "decay": (0.0, 2.0 if _by_member(decay) else max(1.0, 2 * float(decay))),
        f"influence_weight[{game.leader}]": (0.0, 2 * lead if lead > 0 else 0.02),
        "influence_weight": (0.0, 2.0),
        "return_spillin": (0.0, max(1.0, 2 * game.return_spillin)),
        "demand": (0.02, 0.10),
    }
    if np.ndim(_demand(plan)) > 0:
        ranges["demand"] = (0.5, 2.0)
    return ranges


def _by_member(value: Any) -> bool:
    return np.ndim(value) > 0


def _demand(plan: Plan) -> Any:
    demand = plan.demand
    return np.array(list(demand.values())) if isinstance(demand, Mapping) else demand


def _axes(
    game: BurdenSharingGame,
    plan: Plan,
    given: Mapping[str, tuple[float, float]] | None,
    points: int,
) -> tuple[list[Axis], dict[str, str]]:
    """The axes to vary, and why others are left out."""
    known = default_ranges(game, plan)
    ranges = known if given is None else dict(given)
    influence = game.by_member("influence_weight")
    lead = float(influence[game.members.leader_index])
    decays, demands = game.decay, _demand(plan)
    leader = game.leader
    facts: dict[str, tuple[str, str, str, float, bool]] = {
        "decay": (
            "κ", "decay of trust", "log points lost at full threat", _own(decays), _by_member(decays)
        ),
        f"influence_weight[{leader}]": (
            f"α of {leader}", f"value of influence to {leader}", "payoff", lead, False
        ),
        "influence_weight": ("α", "everybody's value of influence", "payoff", 1.0, True),
        "return_spillin": (
            "bₗ", f"what allied forces are worth to {leader}", "share", game.return_spillin, False
        ),
        "demand": ("d", "demand", "share of GDP", _own(demands), _by_member(demands)),
    }  # fmt: skip
    axes, left_out = [], {}
    for key, bounds in ranges.items():
        if key not in facts:
            raise unknown_name("range", key, facts)
        if key == "influence_weight" and not influence.any():
            left_out[key] = (
                "nobody in this game values influence, so a multiple of it is still none"
            )
            continue
        symbol, words, unit, base, relative = facts[key]
        low, high = (as_number(bound, f"range of {key}") for bound in bounds)
        if not low < high:
            raise InvalidValueError(
                f"range of {key} must be (low, high) with low < high, got ({low:g}, {high:g})."
            )
        values = {float(v) for v in np.linspace(low, high, points)} | {base}
        unit = "times the model's" if relative else unit
        moves = key not in ("decay", "demand")
        tried = tuple(sorted(values))
        axes.append(Axis(key, symbol, words, unit, base, tried, relative, moves))
    return axes, left_out


def _own(value: Any) -> float:
    return 1.0 if _by_member(value) else float(value)


class _Varied:
    """The game and the plans at one value of an axis; games are made once for all plans."""

    def __init__(self, game: BurdenSharingGame, axis: Axis, recalibrated: bool | None) -> None:
        self.game, self.axis, self.recalibrated = game, axis, recalibrated
        self._games: dict[float, BurdenSharingGame] = {}

    def game_at(self, value: float) -> BurdenSharingGame:
        """The game at this value. Raises errors of ours where there is none."""
        if value == self.axis.base or self.axis.key == "demand":
            return self.game
        if value not in self._games:
            changed = self.game.replace(**self._change(value))
            if self.recalibrated:
                changed = calibrate(changed, status_quo(self.game).burdens)
            self._games[value] = changed
        return self._games[value]

    def _change(self, value: float) -> dict[str, Any]:
        name, _, member = self.axis.key.partition("[")
        own = getattr(self.game, name)
        if member:
            return {name: {member.rstrip("]"): value}}
        return {name: value * own if self.axis.relative else value}

    def plan_at(self, plan: Plan, value: float) -> Plan:
        """The plan at this value."""
        if self.axis.key != "demand":
            return plan
        if not self.axis.relative:
            return plan.replace(demand=value)
        if isinstance(plan.demand, Mapping):
            return plan.replace(demand={k: v * value for k, v in plan.demand.items()})
        return plan.replace(demand=plan.demand * value)


@dataclasses.dataclass(frozen=True)
class _Cell:
    """What was found at one value."""

    sign: str
    gain: float
    usd_bn: float
    threat: float
    reason: str = ""


def _cell(game: BurdenSharingGame, gain: float, slack: float, threat: float) -> _Cell:
    lead = game.members.leader_index
    worth = consumption_share(game, gain, status_quo(game).burdens[lead])
    sign = NOTHING if abs(gain) <= slack else GAIN if gain > 0 else LOSS
    return _Cell(sign, gain, float(worth * game.by_member("gdp")[lead]), threat)


def _fixed_plan(at: _Varied, label: str, plan: Plan) -> SignSeries:
    """The same plan at every value; only the demand changes along its own axis."""
    uniform = np.ndim(plan.threat) == 0 and not isinstance(plan.threat, Mapping)
    threat = float(plan.threat) if uniform else math.nan

    def cell(value: float) -> _Cell:
        try:
            game = at.game_at(value)
            before, after = status_quo(game), solve_nash(game, at.plan_at(plan, value))
        except AllianceGameError as error:
            return _Cell(NO_ANSWER, math.nan, math.nan, threat, str(error))
        gain = after.leader_payoff - before.leader_payoff
        return _cell(game, gain, tolerance(before, after), threat)

    cells = {value: cell(value) for value in at.axis.values}
    intervals = _intervals(cells, lambda value: cell(value).sign)
    return _series(label, at.axis, at.recalibrated, list(cells.values()), intervals)


def _chosen_anew(at: _Varied, plan: Plan) -> SignSeries:
    """The best uniform threat at every value; the own burden is a reply, so that none gives A."""

    def cell(value: float) -> _Cell:
        try:
            game = at.game_at(value)
            before = status_quo(game)
            demand = at.plan_at(plan, value).demand_by_member(game.members)
            aggregative.check_plan(game, Plan(threat=1.0, demand=demand))
            threat, payoff, regret = _best_threat(game, demand, before.leader_payoff)
        except AllianceGameError as error:
            return _Cell(NO_ANSWER, math.nan, math.nan, math.nan, str(error))
        slack = 1e-9 + 10 * max(before.certificate.regret, regret)
        return _cell(game, payoff - before.leader_payoff, slack, threat)

    cells = {value: cell(value) for value in at.axis.values}
    intervals = _intervals(cells, lambda value: cell(value).sign)
    return _series(RECHOSEN, at.axis, at.recalibrated, list(cells.values()), intervals)


def _best_threat(game: BurdenSharingGame, demand: Array, none: float) -> tuple[float, float, float]:
    """The best threat of a grid refined once, the leader's payoff there, and the regret."""
    best, found = 0.0, (0.0, none, 0.0)
    near = THREATS
    for _ in range(2):
        shape = (len(near), game.size)
        batch = aggregative.solve_plans(
            game,
            np.broadcast_to(near[:, None], shape),
            np.broadcast_to(demand, shape),
            np.full(len(near), np.nan),
        )
        payoffs = np.where(np.isfinite(batch.leader_payoff), batch.leader_payoff, -np.inf)
        top = int(payoffs.argmax())
        if payoffs[top] > found[1]:
            best = float(near[top])
            found = (best, float(payoffs[top]), float(batch.column("regret")[top]))
        step = 0.025 if best > 0.025 else 0.01
        near = np.linspace(max(best - step, 0.0), min(best + step, 1.0), 21)
    return found


def _series(
    label: str,
    axis: Axis,
    recalibrated: bool | None,
    cells: Sequence[_Cell],
    intervals: tuple[tuple[float, float, str], ...],
) -> SignSeries:
    return SignSeries(
        label,
        axis,
        recalibrated,
        np.array([cell.gain for cell in cells]),
        np.array([cell.usd_bn for cell in cells]),
        np.array([cell.threat for cell in cells]),
        tuple(cell.sign for cell in cells),
        tuple(cell.reason for cell in cells),
        intervals,
    )


def _intervals(
    cells: Mapping[float, _Cell], sign_at: Callable[[float], str]
) -> tuple[tuple[float, float, str], ...]:
    """Stretches of one sign, with the changes between neighbouring values closed in on."""
    values = sorted(cells)
    start, found = values[0], []
    for left, right in itertools.pairwise(values):
        sign = cells[left].sign
        if cells[right].sign != sign:
            edge = _edge(left, right, sign, sign_at)
            found.append((start, edge, sign))
            start = edge
    return (*found, (start, values[-1], cells[values[-1]].sign))


def _edge(left: float, right: float, sign: str, sign_at: Callable[[float], str]) -> float:
    """Where the sign on the left ends, by bisection."""
    for _ in range(BISECTIONS):
        middle = (left + right) / 2
        if sign_at(middle) == sign:
            left = middle
        else:
            right = middle
    return (left + right) / 2
