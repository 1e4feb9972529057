"""Calibration of many cells at once: at every parameter value A stays the alliance that was observed.

The first-order conditions are linear in the weights (see `calibrate`), so every cell has a closed
form of its own; the terms come from the kernels' derivatives, as they do for one game.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from alliancegame.errors import CalibrationError, InvalidValueError, unknown_name
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.game.spec import WEIGHTS
from alliancegame.solve import aggregative
from alliancegame.solve.keys import parse_key
from alliancegame.solve.nash import status_quo
from alliancegame.solve.scenarios import Scenarios, by_form

_UNITS = np.concatenate([np.zeros((1, 3, 1)), np.eye(3)[:, :, None]])
"""Weights (security, influence, private) at which marginal payoffs are taken apart."""


@dataclasses.dataclass(frozen=True, eq=False)
class Refit:
    """What is held and what is found: observed burdens, shape (n,), and the `free` weights."""

    observed: Array
    free: str

    def describe(self) -> str:
        """A phrase for tables and titles."""
        return f"{self.free} calibrated anew at every value, so that A stays as observed"


def refit_for(game: BurdenSharingGame, observed: Any = None, free: str | None = None) -> Refit:
    """How a game's cells are calibrated again.

    `observed` is by default what the model was calibrated to, else the game's own A; `free` the
    weight that the model calibrates, else security_weight.

    Raises `CalibrationError` for burdens at their bounds, `UnknownNameError` for another weight,
    `InvalidValueError` if the weight was replaced by hand.
    """
    weight = (
        [*game.provenance.get("calibrated", []), "security_weight"][0] if free is None else free
    )
    if weight not in WEIGHTS:
        raise unknown_name("free weight", weight, WEIGHTS)
    if weight in game.provenance.get("replaced", {}):
        raise InvalidValueError(
            f"recalibrate finds {weight}, which was also replaced in this game: take one of the two away."
        )
    if observed is None:
        recorded = game.provenance.get("observed_burden") or {}
        kept = set(recorded) == set(game.members)
        observed = recorded if kept else status_quo(game).burdens
    burdens = aggregative.checked_profile(game, observed, "observed burden")
    low, high = game.by_member("burden_min"), game.by_member("burden_max")
    for i in np.flatnonzero((burdens <= low) | (burdens >= high)):
        raise CalibrationError(
            f"recalibrate needs observed burdens inside their bounds, but {game.members[i]} spends "
            f"{burdens[i]:g} (bounds [{low[i]:g}, {high[i]:g}]): a burden at a bound identifies no "
            "weight; widen the bounds or leave the member out."
        )
    return Refit(burdens, weight)


def refitted(
    game: BurdenSharingGame, cells: Mapping[str, Any], refit: Refit
) -> tuple[dict[str, Any], dict[int, str]]:
    """The same cells with the weights at which the observed burdens are each cell's A.

    Returns the columns, to which one by member of the free weight was added, and the reasons why
    cells have none (their columns are then nan). Cells that no game could have are left as they are.

    Raises `InvalidValueError` if the cells change the free weight themselves.
    """
    keys = {text: parse_key(game, text) for text in cells}
    for text, key in keys.items():
        if key.name == refit.free:
            raise InvalidValueError(
                f"{text} cannot be varied while {refit.free} is calibrated anew at every value: set "
                "recalibrate=False, or free another weight."
            )
    count = len(next(iter(cells.values())))
    bare = {text: cells[text] for text, key in keys.items() if not key.of_plan}
    weights, reasons = _weights(game, bare, count, refit)
    found = {f"{refit.free}[{m}]": weights[:, i] for i, m in enumerate(game.members)}
    return {**cells, **found}, reasons


def _weights(
    game: BurdenSharingGame, bare: Mapping[str, Any], count: int, refit: Refit
) -> tuple[Array, dict[int, str]]:
    """Weights of shape (cell, member), and reasons; each distinct game is calibrated once."""
    if not bare:
        bare = {"curvature": np.array([game.curvature])}
    rows = [np.unique(np.asarray(column), return_inverse=True)[1] for column in bare.values()]
    _, first, place = np.unique(
        np.stack(rows, axis=1), axis=0, return_index=True, return_inverse=True
    )
    distinct = {text: np.asarray(column)[first] for text, column in bare.items()}
    weights = np.full((len(first), game.size), np.nan)
    why: dict[int, str] = {}
    for group in by_form(game, Plan(), distinct):
        good = group.admissible()
        at = group.positions[~good]
        weights[at] = game.by_member(refit.free)
        if good.any():
            _fill(group.take(good), refit, weights, why)
    place = np.broadcast_to(place.ravel(), (count,))
    reasons = {int(k): why[int(place[k])] for k in np.flatnonzero(np.isin(place, list(why)))}
    return weights[place], reasons


def _fill(cells: Scenarios, refit: Refit, weights: Array, why: dict[int, str]) -> None:
    """Calibrate the games of one form; see `calibrate.calibrate` for one."""
    cost, worth = _marginals(cells, refit.observed)
    k = WEIGHTS.index(refit.free)
    rest = cost - sum(cells.field(WEIGHTS[j]) * worth[j] for j in range(3) if j != k)
    with np.errstate(divide="ignore", invalid="ignore"):
        implied = np.where(worth[k] > 0, rest / worth[k], np.nan)
    low, high = cells.field("burden_min"), cells.field("burden_max")
    inside = np.broadcast_to((refit.observed > low) & (refit.observed < high), implied.shape)
    bad = ~(implied >= 0) | ~inside
    for i in np.flatnonzero(bad.any(axis=1)):
        members = [cells.game.members[j] for j in np.flatnonzero(bad[i])]
        text = (
            f"observed burdens imply a negative {refit.free}"
            if inside[i].all()
            else "observed burdens at or outside their bounds identify no weight"
        )
        why[int(cells.positions[i])] = f"{text}: {', '.join(members)}"
        implied[i] = np.nan
    weights[cells.positions] = implied


def _marginals(cells: Scenarios, burdens: Array) -> tuple[Array, Array]:
    """Marginal costs (cell, member), and worths of a unit of each weight (3, cell, member)."""
    game = cells.game
    made = aggregative.tables(cells._prototype)
    tables, scalars = cells._stacked(made.table), cells._scalar_table(made.scalars)
    places, values = cells._places()
    quiet = Plan()
    threats, demands = quiet.threat_by_member(game.members), quiet.demand_by_member(game.members)
    found = np.empty((4, cells.count, game.size))
    space = aggregative.work_space(game.size)
    for c in range(cells.count):
        table = tables[c].copy()
        for (row, who), value in zip(places, values[c], strict=True):
            table[row, who if who >= 0 else slice(None)] = value
        for j, weights in enumerate(_UNITS):
            table[1:4] = weights
            made.kernels.profile_marginals(
                table, scalars[c], made.order, threats, demands, burdens, found[j, c], space
            )
    cost = -found[0]
    return cost, found[1:] + cost
