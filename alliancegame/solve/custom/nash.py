"""Nash equilibria of a `ContinuousGame`, and certificates of profiles from anywhere."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from alliancegame.errors import ConvergenceError
from alliancegame.game.custom import ContinuousGame
from alliancegame.game.parameters import Array
from alliancegame.payoff.custom import CompiledGame, compiled
from alliancegame.solve.certificate import Certificate, Unique, Verdict
from alliancegame.solve.custom import candidates as found_by
from alliancegame.solve.custom.deviations import Regret, regrets
from alliancegame.solve.custom.profile import ActionProfile
from alliancegame.solve.tolerances import DEFAULT, Tolerances

UNSETTLED: tuple[Unique, str] = ("not proven", "find_equilibria says what is known of others")
BESIDE = 1e-5
"""Where replies rest this near to a point of Newton's, relative to the actions' ranges, it is the same."""

NEAR = 1e-3
"""Profiles this near to each other, relative to the actions' ranges, may be one that is not sharp."""

METHOD = "branch and bound of each player's payoff over its action set, in interval arithmetic"


def certificate(
    players: Any, searched: list[Regret], unique: tuple[Unique, str], tolerances: Tolerances,
    several: bool = False,
) -> Certificate:  # fmt: skip
    """A certificate from proved regrets: every bound holds, whether its search ended or not."""
    bounds = [r.bound for r in searched]
    worst = int(np.argmax(bounds))
    regret = bounds[worst]
    verdict: Verdict = "unverified"
    if regret <= tolerances.approximate:
        verdict = "certified" if regret <= tolerances.certified else "approximate"
    else:
        unique = (
            "not proven",
            "the profile is no equilibrium, or its deviations could not be bounded",
        )
    left = sum(r.open for r in searched)
    scope = "unilateral deviations of every player over the whole action set; no coalitions"
    if several:
        scope += "; joint deviations of a player's several actions, started by local searches"
    if math.isinf(regret):
        scope += (
            f"; the payoff of {players[worst]} could not be bounded: it must be defined and bounded above "
            "everywhere between the bounds of its actions"
        )
    elif left:
        scope += f"; {left} boxes were left open, their bounds are counted"
    return Certificate(
        verdict, regret, float("nan"), players[worst] if regret > 0 else None, *unique,
        METHOD, scope, tolerances,
    )  # fmt: skip


def certify(
    game: ContinuousGame, profile: Any, *, tolerances: Tolerances = DEFAULT,
    unique: tuple[Unique, str] = UNSETTLED,
) -> Certificate:  # fmt: skip
    """The largest gain from any deviation, as a proved bound."""
    x = game.vector(profile)
    several = any(len(a) > 1 for a in game.actions.values())
    return certificate(game.players, regrets(game, x), unique, tolerances, several)


def profile_of(game: ContinuousGame, x: Array, made: Certificate, **more: Any) -> ActionProfile:
    """A result from numbers in action order."""
    return ActionProfile(game, x, compiled(game).value_at(x[None, :])[0], made, **more)


def equilibria(
    game: ContinuousGame, tolerances: Tolerances = DEFAULT
) -> tuple[list[ActionProfile], bool]:
    """All equilibria that the candidates give, the first player's best first.

    Also whether all combinations of roles were tried.
    """
    functions = compiled(game)
    x, all_roles = found_by.stationary(functions)
    span = game.high - game.low
    # Where payoffs are flat, replies come to rest beside a point that Newton has to the last digit.
    rests = [
        r for r in _rests(functions) if not np.any(np.abs(x - r).max(axis=1) < BESIDE * span.max())
    ]
    x = found_by.distinct(np.concatenate([x, np.reshape(rests, (-1, span.size))]), span)
    gains = found_by.quick_gains(functions, x)
    scale = 1e-6 * (1 + np.abs(functions.value_at(x)).max(axis=1, initial=0.0))
    made = []
    for profile in x[gains <= scale]:
        held = certify(game, profile, tolerances=tolerances)
        if held.verdict != "unverified":
            made.append(profile_of(game, profile, held))
    made = _told_apart(game, made, tolerances)
    return sorted(made, key=lambda p: -float(p.payoffs[0])), all_roles


def _told_apart(
    game: ContinuousGame, found: list[ActionProfile], tolerances: Tolerances
) -> list[ActionProfile]:
    """One of those near each other with nothing but equilibria, as far as is known, between them.

    Where payoffs are flat, all points around an equilibrium are approximate ones.
    """
    span, kept = game.high - game.low, list[ActionProfile]()
    for one in sorted(found, key=lambda p: p.certificate.regret):
        for other in kept:
            if np.max(np.abs(one.actions - other.actions) / span) < NEAR:
                between = (one.actions + other.actions) / 2
                if certify(game, between, tolerances=tolerances).verdict != "unverified":
                    break
        else:
            kept.append(one)
    return kept


def _rests(functions: CompiledGame) -> Array:
    """Where best replies in turn come to rest, from a few starts."""
    game = functions.game
    span = game.high - game.low
    ends = []
    for share in (0.5, 0.1, 0.9):
        path, how = found_by.best_reply_path(functions, game.low + share * span, 30)
        if how != "cycle":
            ends.append(path[-1])
    return np.array(ends).reshape(-1, span.size)


def cycle_of(functions: CompiledGame) -> Array | None:
    """Best replies in turn that run in a circle, from a few starts; None if none do."""
    game = functions.game
    for share in (0.5, 0.1, 0.9, 0.3):
        start = game.low + share * (game.high - game.low)
        path, how = found_by.best_reply_path(functions, start)
        if how == "cycle":
            return np.array(path)
    return None


def solve_nash(
    game: ContinuousGame, *, tolerances: Tolerances = DEFAULT, throw: bool = True
) -> ActionProfile:
    """An equilibrium with its certificate; the others that were found stand in `others`."""
    made, _ = equilibria(game, tolerances)
    if made:
        several: tuple[Unique, str] = ("multiple", f"{len(made)} equilibria were found")
        if len(made) > 1:
            made = [_relabelled(p, several) for p in made]
        return _with_others(made[0], tuple(made[1:]))
    functions = compiled(game)
    cycle = cycle_of(functions)
    message = "no pure equilibrium was found" + (
        f"; best replies in turn run in a circle of {len(cycle) - 1} rounds"
        if cycle is not None
        else ""
    )
    if throw:
        raise ConvergenceError(
            f"{message}. find_equilibria says whether there is none; throw=False returns the last profile."
        )
    path, _ = found_by.best_reply_path(functions, 0.5 * (game.low + game.high), 30)
    last = path[-1]
    return profile_of(
        game, last, certify(game, last, tolerances=tolerances), message=message, cycle=cycle
    )


def _relabelled(profile: ActionProfile, unique: tuple[Unique, str]) -> ActionProfile:
    made = dataclasses.replace(profile.certificate, unique=unique[0], reason=unique[1])
    return dataclasses.replace(profile, certificate=made)


def _with_others(profile: ActionProfile, others: tuple[ActionProfile, ...]) -> ActionProfile:
    return dataclasses.replace(profile, others=others)
