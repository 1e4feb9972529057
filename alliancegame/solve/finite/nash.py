"""Nash equilibria of finite games: all of them, one of them, and whether a profile is one."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from alliancegame.errors import ConvergenceError, GameTooLargeError
from alliancegame.game.checks import check_choice
from alliancegame.game.finite import FiniteGame
from alliancegame.solve.certificate import Certificate
from alliancegame.solve.finite import bimatrix, many
from alliancegame.solve.finite import mixtures as mixed
from alliancegame.solve.finite.dominance import strictly_undominated
from alliancegame.solve.finite.lemke_howson import MOST_PIVOTS, path_end
from alliancegame.solve.finite.linear import solve_exactly
from alliancegame.solve.finite.mixtures import Mixtures
from alliancegame.solve.finite.profile import EquilibriumSet, Profile, certificate
from alliancegame.solve.tolerances import DEFAULT, Tolerances

METHODS = ("complete", "pure", "support-enumeration", "vertex-enumeration", "lemke-howson")

ENUMERATED = 14
"""solve_nash enumerates completely if both players keep at most so many strategies."""


def find_equilibria(
    game: FiniteGame, *, method: str = "complete", tolerances: Tolerances = DEFAULT
) -> EquilibriumSet:
    """The Nash equilibria of a finite game, with a statement of what is known to be all.

    `method` "complete" (default) gives, for two players, every extreme equilibrium and every
    component; for more, every pure equilibrium and mixed ones by polynomial continuation on every
    support. "pure" searches pure profiles only. For two players there are also
    "support-enumeration" and "vertex-enumeration", nashpy's, as it gives them, and "lemke-howson",
    the ends of all paths; they can miss equilibria, and the statement says so. Every profile carries
    its own certificate.

    Raises `GameTooLargeError` beyond the stated limits.
    """
    check_choice(method, "method", METHODS)
    if method == "pure":
        return _pure(game, tolerances)
    if method != "complete":
        return _by_method(game, method, tolerances)
    if game.size == 2:
        return bimatrix.all_equilibria(game, tolerances)
    return many.all_equilibria(game, tolerances)


def solve_nash(
    game: FiniteGame, *, tolerances: Tolerances = DEFAULT, throw: bool = True
) -> Profile:
    """One Nash equilibrium: where all are enumerated, the best for the first player.

    The rest stand in `others`. In larger games a pure equilibrium (the best for the first player),
    else, for two players, one by Lemke and Howson's path. Raises `ConvergenceError` if none is
    found; with `throw=False` the result then is "unverified".
    """
    keep = strictly_undominated(game)
    if game.size != 2 or max(map(len, keep)) <= ENUMERATED:
        try:
            found = find_equilibria(game, tolerances=tolerances)
        except GameTooLargeError:
            found = _pure(game, tolerances)
        if len(found):
            return dataclasses.replace(found[0], others=found.profiles[1:], message=found.statement)
        return _failed(game, tolerances, throw, found.statement)
    pure = _pure(game, tolerances)
    if len(pure):
        return dataclasses.replace(pure[0], others=pure.profiles[1:], message=pure.statement)
    mixtures = path_end(game.restrict(keep))
    if mixtures is None:
        return _failed(game, tolerances, throw, f"a path of more than {MOST_PIVOTS:,} pivots")
    whole = _as_given(game, many.lifted(mixtures, keep, game.shape))
    made = certificate(game, whole, tolerances=tolerances)
    return Profile(game, whole, made, message="one equilibrium, by Lemke and Howson's path")


def certify(game: FiniteGame, profile: Any, *, tolerances: Tolerances = DEFAULT) -> Certificate:
    """Certify any profile of a finite game: its regret over every deviation.

    `profile` is a result, a dict {player: strategy}, or a list in player order; a strategy is a label,
    an index, a dict {label: probability}, or an array of probabilities.
    """
    return certificate(game, mixed.read_profile(game, profile), tolerances=tolerances)


def _failed(game: FiniteGame, tolerances: Tolerances, throw: bool, reason: str) -> Profile:
    message = (
        f"no equilibrium was found ({reason}): use fewer strategies, or rounded() if payoffs are "
        "nearly tied."
    )
    if throw:
        raise ConvergenceError(message)
    profile = mixed.pure(game, [0] * game.size)
    return Profile(
        game, profile, certificate(game, profile, tolerances=tolerances), message=message
    )


def _pure(game: FiniteGame, tolerances: Tolerances) -> EquilibriumSet:
    cells = many.pure_cells(game)
    cells.sort(key=lambda cell: tuple(-float(a[cell]) for a in game.payoffs))
    statement = f"all {len(cells)} pure equilibria, by exhaustion; mixed ones were not searched"
    unique: Any = ("multiple", statement) if len(cells) > 1 else ("not proven", statement)
    profiles = [mixed.pure(game, cell) for cell in cells]
    shown = [Profile(game, m, certificate(game, m, unique, tolerances)) for m in profiles]
    return EquilibriumSet(game, tuple(shown), False, statement, method="exhaustion")


# --- Methods that need not find all --------------------------------------------------------------


def _by_method(game: FiniteGame, method: str, tolerances: Tolerances) -> EquilibriumSet:
    """What an incomplete method finds, each profile certified, duplicates left out."""
    game.two_players(method)
    found: dict[Mixtures, Certificate] = {}
    whose = "nashpy's " if method != "lemke-howson" else ""
    for mixtures in _lemke_howson(game) if method == "lemke-howson" else _nashpy(game, method):
        if mixtures not in found:
            found[mixtures] = certificate(game, mixtures, tolerances=tolerances)
    kept = {m: c for m, c in found.items() if c.verdict != "unverified"}
    refused = len(found) - len(kept)
    statement = (
        f"{len(kept)} found by {whose}{method.replace('-', ' ')}"
        + (f", and {refused} refused by their regret" if refused else "")
        + '; others can be missing: method="complete" has all'
    )
    profiles = tuple(Profile(game, m, c) for m, c in kept.items())
    return EquilibriumSet(game, profiles, False, statement, method=f"{whose}{method}")


def _lemke_howson(game: FiniteGame) -> Iterator[Mixtures]:
    """The ends of the paths from the artificial equilibrium, one for each label."""
    for label in range(sum(game.shape)):
        mixtures = path_end(game, label)
        if mixtures is not None:
            yield _as_given(game, mixtures)


def _nashpy(game: FiniteGame, method: str) -> Iterator[Mixtures]:
    """What an algorithm of nashpy yields, exactly where its supports determine the probabilities."""
    import nashpy

    played = nashpy.Game(*game.levelled)
    enumerate_ = {
        "support-enumeration": played.support_enumeration,
        "vertex-enumeration": played.vertex_enumeration,
    }[method]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            pairs = list(enumerate_())
        except Exception as error:
            raise ConvergenceError(
                f"nashpy's {method.replace('-', ' ')} failed ({type(error).__name__}: {error}); "
                'method="complete" solves this game.'
            ) from error
    for x, y in pairs:
        if np.isfinite(x).all() and np.isfinite(y).all():
            yield _settled(game, x, y)


def _as_given(game: FiniteGame, mixtures: Mixtures) -> Mixtures:
    """Fractions in exact games; elsewhere floats, rounded once, but for pure strategies."""
    if game.exact:
        return mixtures
    return tuple(m if max(m) == 1 else tuple(float(p) for p in m) for m in mixtures)


def _settled(game: FiniteGame, x: Any, y: Any) -> Mixtures:
    """The profile on the same supports from the indifference conditions, if they determine it."""
    rough = tuple(np.where(np.abs(p) < 1e-9, 0.0, p) for p in (x, y))
    rows, columns = (list(np.flatnonzero(p)) for p in rough)
    floats = tuple(tuple((p / p.sum()).tolist()) for p in rough)
    if len(rows) != len(columns):
        return floats
    found = []
    for payoff, own, other in (
        (game.integers[1].T, columns, rows),
        (game.integers[0], rows, columns),
    ):
        system = [
            [payoff[own[k + 1], j] - payoff[own[0], j] for j in other] for k in range(len(own) - 1)
        ]
        solution = solve_exactly([*system, [1] * len(other)], [0] * len(system) + [1])
        if solution is None or min(solution) < 0:
            return floats
        found.append(solution)
    made = []
    for solution, support, m in zip(found, (rows, columns), game.shape, strict=True):
        whole = [Fraction(0)] * m
        for k, p in zip(support, solution, strict=True):
            whole[k] = p
        made.append(tuple(whole))
    return _as_given(game, tuple(made))
