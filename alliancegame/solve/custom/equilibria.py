"""All pure equilibria of a `ContinuousGame`, with what is known of completeness."""

from __future__ import annotations

import dataclasses

import numpy as np

from alliancegame.game.custom import ContinuousGame
from alliancegame.game.parameters import Array
from alliancegame.payoff.custom import CompiledGame, compiled
from alliancegame.solve.certificate import Unique
from alliancegame.solve.custom import candidates as found_by
from alliancegame.solve.custom import nash
from alliancegame.solve.custom.deviations import regrets
from alliancegame.solve.custom.profile import ActionEquilibria, ActionProfile
from alliancegame.solve.custom.subdivision import MOST_ACTIONS, SMALLEST, Cover, cover
from alliancegame.solve.tolerances import DEFAULT, Tolerances

REFUTED = 1e-7
"""A deviation that gains more than this refutes a point."""

MOST_CONDITION = 1e12
"""Conditions with a larger condition number count as singular."""

MOST_TRIED = 12
"""Undecided boxes from which replies are tried."""

MATCH = 1e-5
"""A profile belongs to a box that is nearer than this, relative to the actions' ranges."""


def find_equilibria(game: ContinuousGame, *, tolerances: Tolerances = DEFAULT) -> ActionEquilibria:
    """Every equilibrium that the candidates give, with a proof of completeness where one ends."""
    functions = compiled(game)
    found, all_roles = nash.equilibria(game, tolerances)
    if len(game.symbols) > MOST_ACTIONS:
        return _result(game, found, "unknown", _unknown(game, all_roles))
    parts = cover(functions)
    found = [*found, *_from_undecided(functions, found, parts, tolerances)]
    found, doubtful = _completed(functions, found, parts, tolerances)
    completeness, statement = _claim(functions, found, doubtful, parts)
    singular = sum(_singular(functions, p.actions) for p in found)
    if singular and completeness != "proven":
        statement += f"; {singular} of them have singular conditions, as points of a continuum have"
    return _result(game, found, completeness, statement)


def _unknown(game: ContinuousGame, all_roles: bool) -> str:
    roles = "all combinations" if all_roles else "a random sample of the combinations"
    return (
        f"not known complete: {roles} of bounds, knots and interior were searched from "
        f"{found_by.STARTS} starts each; {len(game.symbols)} actions are too many to halve "
        f"(at most {MOST_ACTIONS})"
    )


def _from_undecided(
    functions: CompiledGame, found: list[ActionProfile], parts: Cover, tolerances: Tolerances
) -> list[ActionProfile]:
    """Equilibria where replies in turn come to rest from boxes that stayed undecided, as at kinks."""
    game = functions.game
    span = game.high - game.low
    centres = 0.5 * (parts.undecided[0] + parts.undecided[1])
    made: list[ActionProfile] = []
    for centre in centres[:: max(1, centres.shape[0] // MOST_TRIED)][:MOST_TRIED]:
        if any(np.max(np.abs(p.actions - centre) / span) < MATCH for p in [*found, *made]):
            continue
        x = found_by.best_reply_path(functions, centre, 8)[0][-1]
        if any(np.max(np.abs(p.actions - x) / span) < MATCH for p in [*found, *made]):
            continue
        if found_by.quick_gains(functions, x[None, :])[0] > REFUTED:
            continue
        held = nash.certify(game, x, tolerances=tolerances)
        if held.verdict != "unverified":
            made.append(nash.profile_of(game, x, held))
    return made


def _completed(
    functions: CompiledGame, found: list[ActionProfile], parts: Cover, tolerances: Tolerances
) -> tuple[list[ActionProfile], int]:
    """The equilibria found, those at settled boxes that the search missed, and boxes in doubt.

    In doubt are settled points that are neither certified nor refuted by a deviation.
    """
    game = functions.game
    span = game.high - game.low
    found = _one_for_each_box(found, parts, span)
    doubtful = sum(p.certificate.verdict != "certified" for p in found)
    for lo, hi in zip(*parts.settled, strict=True):
        if any(_near(p.actions, lo, hi, span) for p in found):
            continue
        x = np.clip(0.5 * (lo + hi), game.low, game.high)
        if found_by.quick_gains(functions, x[None, :])[0] > REFUTED:
            continue
        searched = regrets(game, x)
        if max(r.found for r in searched) > REFUTED:
            continue
        several = any(len(a) > 1 for a in game.actions.values())
        made = nash.certificate(game.players, searched, nash.UNSETTLED, tolerances, several)
        if made.verdict != "unverified":
            found = [*found, nash.profile_of(game, x, made)]
        doubtful += made.verdict != "certified"
    return sorted(found, key=lambda p: -float(p.payoffs[0])), doubtful


def _singular(functions: CompiledGame, x: Array) -> bool:
    """Whether the conditions of the actions that are free do not determine them."""
    game = functions.game
    free = [
        k
        for k in range(x.size)
        if not np.any(
            np.abs(np.array(functions.ends(k)) - x[k]) <= 1e-9 * (game.high - game.low)[k]
        )
    ]
    if not free:
        return False
    matrix = functions.jacobian_at(x[None, :])[0][np.ix_(free, free)]
    return bool(not np.isfinite(matrix).all() or np.linalg.cond(matrix) > MOST_CONDITION)


def _one_for_each_box(found: list[ActionProfile], parts: Cover, span: Array) -> list[ActionProfile]:
    """A settled box holds one point at most: of several profiles beside it the one nearest stays."""
    for lo, hi in zip(*parts.settled, strict=True):
        beside = [p for p in found if _near(p.actions, lo, hi, span)]
        if len(beside) > 1:
            best = min(
                beside, key=lambda p: float(np.max(np.abs(p.actions - 0.5 * (lo + hi)) / span))
            )
            found = [p for p in found if p is best or not any(p is q for q in beside)]
    return found


def _near(x: Array, lo: Array, hi: Array, span: Array) -> bool:
    return bool(np.all((x >= lo - MATCH * span) & (x <= hi + MATCH * span)))


def _claim(
    functions: CompiledGame, found: list[ActionProfile], doubtful: int, parts: Cover
) -> tuple[str, str]:
    """What the boxes say of the list."""
    game = functions.game
    span = game.high - game.low
    left = [(lo, hi) for lo, hi in zip(*parts.undecided, strict=True) if not _single(lo, hi, parts)]
    wide = [b for b in left if np.max((b[1] - b[0]) / span) > 2 * SMALLEST]
    if wide:
        return "unknown", (
            f"not known complete: {len(wide)} boxes were left undecided when {parts.boxes} boxes had been "
            "looked at"
        )
    if not left and not doubtful and _stand_alone(found, parts, span):
        return "proven", (
            f"complete and proven: of {parts.boxes} boxes of profiles, every one is excluded or holds "
            f"at most one point that meets the first-order conditions ({len(parts.settled[0])} do), and "
            "the deviations of each such point were bounded"
        )
    if not left:
        return "unknown", (
            f"not known complete: every box is decided, but {doubtful} points that meet the first-order "
            "conditions could neither be certified nor refuted"
        )
    stray = [b for b in left if not any(_near(p.actions, *b, span) for p in found)]
    where = ""
    if stray:
        middle = np.mean([0.5 * (lo + hi) for lo, hi in stray], axis=0)
        where = f", {len(stray)} of them away from the equilibria found (around {_text(middle)})"
    count = "1 box" if len(left) == 1 else f"{len(left)} boxes"
    return "resolution", (
        f"complete up to a resolution of {SMALLEST:g} of the actions' ranges: {count} of that size "
        f"not decided{where}"
    )


def _single(lo: Array, hi: Array, parts: Cover) -> bool:
    """Whether a box lies inside one that is settled."""
    inside = (parts.settled[0] <= lo) & (hi <= parts.settled[1])
    return bool(inside.all(axis=1).any())


def _stand_alone(found: list[ActionProfile], parts: Cover, span: Array) -> bool:
    """Whether every equilibrium found has a settled box of its own, and no box two."""
    boxes = list(zip(*parts.settled, strict=True))
    return all(any(_near(p.actions, lo, hi, span) for lo, hi in boxes) for p in found)


def _text(x: Array) -> str:
    return "(" + ", ".join(f"{v:.4g}" for v in x) + ")"


def _result(
    game: ContinuousGame, found: list[ActionProfile], completeness: str, statement: str
) -> ActionEquilibria:
    cycle = None
    if not found:
        cycle = nash.cycle_of(compiled(game))
        statement = "no pure equilibrium found; " + statement
        if cycle is not None:
            statement += f"; best replies in turn run in a circle of {len(cycle) - 1} rounds"
    unique: tuple[Unique, str] = ("multiple", f"{len(found)} equilibria were found")
    if len(found) == 1:
        unique = ("proven", statement) if completeness == "proven" else ("not proven", statement)
    profiles = tuple(
        dataclasses.replace(
            p,
            certificate=dataclasses.replace(p.certificate, unique=unique[0], reason=unique[1]),
        )
        for p in found
    )
    resolution = SMALLEST if completeness == "resolution" else 0.0
    if completeness == "unknown":
        resolution = float("nan")
    return ActionEquilibria(game, profiles, completeness, statement, resolution, cycle)
