"""Many plans with trigger threats at once: the best and the worst answer for the leader of each.

A search for plans asks thousands of times, so nothing is proved here: up to six allies who can choose
all sets are tried, and beyond that allies change sides from two sets until nobody gains. The plan that
is chosen is then answered in full (`compliance`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.aggregative import Batch
from alliancegame.solve.trigger.sides import Mask, Sides

Value = Callable[[Batch], Array]
"""What is best or worst for the leader instead of its payoff: shape (row,), nan where undefined."""
TRIED = 6
AT_ONCE = 4096
INDIFFERENT = 1e-9
TURNS = 60
ALL_MOVE = 4
"""Rounds in which whoever gains changes sides, before one at a time does."""


def best_and_worst(
    game: BurdenSharingGame,
    plan: Plan,
    fields: dict[str, Array],
    value: Value | None = None,
) -> tuple[Array, Array]:
    """The leader's payoff in its best and its worst answer to each plan, each (plan,); nan for none.

    `fields` has threats, demands and burdens that replace the plan's: each of shape (plan,), threats and
    demands by ally (plan, n). `value` replaces the leader's payoff.
    """
    count = len(next(iter(fields.values())))
    best, worst = np.full(count, np.nan), np.full(count, np.nan)
    allies = game.size - 1
    each = 2**allies if allies <= TRIED else 2
    step = max(1, AT_ONCE // each)
    for k in range(0, count, step):
        part = slice(k, k + step)
        some = {name: values[part] for name, values in fields.items()}
        rows = len(next(iter(some.values())))
        copies = {name: np.repeat(values, each, axis=0) for name, values in some.items()}
        sides = Sides.of_plans(game, plan, copies)
        payoff = (_tried if allies <= TRIED else _settled)(sides, rows, each, value)
        here = payoff.reshape(rows, each)
        known = ~np.isnan(here)
        high = np.where(known, here, -np.inf).max(axis=1)
        low = np.where(known, here, np.inf).min(axis=1)
        found = known.any(axis=1)
        best[part], worst[part] = np.where(found, high, np.nan), np.where(found, low, np.nan)
    return best, worst


def _tried(sides: Sides, plans: int, each: int, value: Value | None) -> Array:
    """The leader's payoff on each set that is an equilibrium, nan on others; shape (row,)."""
    n = sides.game.size
    allies = np.flatnonzero(np.arange(n) != sides.lead)
    codes = np.arange(each)
    sets = np.zeros((each, n), dtype=bool)
    sets[:, allies] = (codes[:, None] >> np.arange(len(allies))) & 1
    rows = np.tile(sets, (plans, 1))
    # A set that differs only in those who cannot choose is the same set again.
    same = (rows & ~sides.choosing).any(axis=1)
    chosen = np.flatnonzero(~same)
    payoff = np.full(len(rows), np.nan)
    some, sets = sides.take(chosen), rows[chosen]
    batch = some.solve(sets)
    gain = some.other_sides(batch, sets).max(axis=1)
    payoff[chosen] = np.where(gain <= INDIFFERENT, _paid(sides, batch, value), np.nan)
    return payoff


def _paid(sides: Sides, batch: Batch, value: Value | None) -> Array:
    """What the leader gets (its payoff, or `value`) where the engine found an answer, else nan."""
    solved = batch.column("status") <= aggregative.SAFEGUARD
    if value is not None:
        return np.where(solved, value(batch), np.nan)
    return np.where(solved, batch.payoff[:, sides.lead], np.nan)


def _settled(sides: Sides, plans: int, each: int, value: Value | None) -> Array:
    """The same where allies come to rest, from nobody and from everybody complying."""
    sets: Mask = np.tile(np.array([[False], [True]]), (plans, 1)) & sides.choosing
    payoff = np.full(len(sets), np.nan)
    going = np.arange(len(sets))
    for turn in range(TURNS):
        some, here = sides.take(going), sets[going]
        batch = some.solve(here)
        gain = np.nan_to_num(some.other_sides(batch, here), nan=-np.inf)
        moving = gain > INDIFFERENT
        rest = ~moving.any(axis=1)
        payoff[going[rest]] = _paid(sides, batch, value)[rest]
        if turn >= ALL_MOVE:
            moving &= np.arange(gain.shape[1]) == gain.argmax(axis=1)[:, None]
        sets[going] = here ^ moving
        going = going[~rest]
        if not len(going):
            break
    return payoff
