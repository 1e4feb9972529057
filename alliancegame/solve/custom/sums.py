"""Certified equilibria of an `AggregativeGame`, and the proof that there is only one."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import numpy as np

from alliancegame.errors import ConvergenceError
from alliancegame.game.aggregative import MOST_EXPANDED, AggregativeGame
from alliancegame.game.parameters import Array
from alliancegame.payoff import intervals as iv
from alliancegame.payoff.intervals import Interval
from alliancegame.payoff.sums import CompiledSums, compiled_sums
from alliancegame.solve.certificate import Certificate, Unique
from alliancegame.solve.custom import aggregative, equilibria, nash
from alliancegame.solve.custom.deviations import Regret
from alliancegame.solve.custom.profile import ActionEquilibria, ActionProfile
from alliancegame.solve.custom.subdivision import MOST_ACTIONS
from alliancegame.solve.global_search import maximise_many
from alliancegame.solve.tolerances import DEFAULT, Tolerances

SUM_BOXES = 64
SUM_ROUNDS = 26
"""Intervals of the sum to begin with, and halvings of those that stay open."""

MOST_SUM_BOXES = 1500
"""Intervals looked at before the proof is given up."""


def regrets(game: AggregativeGame, x: Array, budget: int = 4000) -> list[Regret]:
    """The regret of every player at a profile: all players' payoffs searched together."""
    functions = compiled_sums(game)
    others = _others(functions, x)

    def family(enclosed: Any) -> Any:
        def enclose(box: Interval, which: Any) -> Interval:
            at = _where(box, which)
            given = [(lo[at], hi[at]) for lo, hi in others] + functions.boxes(at)
            made: Interval = enclosed(given)(box)
            return made

        return enclose

    along = functions.along
    value = family(along.value)
    found = maximise_many(
        value,
        family(along.slope),
        family(along.curvature),
        game.low,
        game.high,
        functions.knots,
        1e-10,
        start=[[v] for v in x.tolist()],
        budget=budget,
        pieces=16 if game.size <= 64 else 4,
    )
    now = value((x, x), np.arange(game.size))
    return [
        Regret(
            max(m.value - float(now[1][i]), 0.0),
            _bound(m.bound, float(now[0][i])),
            m.points[:1] if m.points.size else x[i : i + 1],
            m.open,
        )
        for i, m in enumerate(found)
    ]


def _where(box: Interval, which: Any) -> Any:
    """Which player each box is about, shaped as the boxes."""
    return which if np.ndim(box[0]) == 1 else which[:, None]


def _bound(bound: float, now: float) -> float:
    if not (np.isfinite(bound) and np.isfinite(now)):
        return np.inf
    return max(float(np.nextafter(bound - now, np.inf)), 0.0)


def _others(functions: CompiledSums, x: Array) -> list[Interval]:
    """What the others add to each sum, enclosed: the exact total less the own part."""
    made = []
    for enclosed in functions.part_boxes:
        lo, hi = enclosed((x, x), *functions.boxes())
        total = (np.nextafter(_total(lo), -np.inf), np.nextafter(_total(hi), np.inf))
        low = np.nextafter(total[0] - lo, -np.inf)
        high = np.nextafter(total[1] - hi, np.inf)
        # Parts of one sign cannot add to less than nothing, whatever rounding says.
        if np.all(lo >= 0):
            low = np.maximum(low, 0.0)
        made.append(iv.ordered(low, high))
    return made


def _total(values: Array) -> float:
    return math.fsum(values.tolist()) if np.isfinite(values).all() else float(np.sum(values))


def certify(
    game: AggregativeGame, profile: Any, *, tolerances: Tolerances = DEFAULT,
    unique: tuple[Unique, str] = nash.UNSETTLED,
) -> Certificate:  # fmt: skip
    """The largest gain from any deviation, as a proved bound."""
    return nash.certificate(game.players, regrets(game, game.vector(profile)), unique, tolerances)


def _found(game: AggregativeGame, tolerances: Tolerances) -> list[ActionProfile]:
    functions = compiled_sums(game)
    made = []
    for x in aggregative.candidates(game):
        held = certify(game, x, tolerances=tolerances)
        if held.verdict != "unverified":
            made.append(ActionProfile(game, x, functions.payoffs(x), held))
    return sorted(made, key=lambda p: -float(p.payoffs[0]))


def solve_nash(
    game: AggregativeGame, *, tolerances: Tolerances = DEFAULT, throw: bool = True
) -> ActionProfile:
    """An equilibrium with its certificate; further ones stand in `others`."""
    made = _found(game, tolerances)
    if not made:
        message = (
            f"no equilibrium of {game!r} was found: Newton from several starts, a scan of the sum and "
            "damped replies ended elsewhere, or there is none"
        )
        if throw:
            raise ConvergenceError(
                f"{message}. certify says what a profile leaves to gain; throw=False returns the last."
            )
        x = aggregative.damped_replies(compiled_sums(game), 0.5 * (game.low + game.high))
        held = certify(game, x, tolerances=tolerances)
        return ActionProfile(game, x, compiled_sums(game).payoffs(x), held, message=message)
    unique = _uniqueness(game, made)
    made = [_relabelled(p, unique) for p in made]
    return dataclasses.replace(made[0], others=tuple(made[1:]))


def _uniqueness(game: AggregativeGame, made: list[ActionProfile]) -> tuple[Unique, str]:
    if len(made) > 1:
        return "multiple", f"{len(made)} equilibria were found"
    proof = one_sum(game)
    return ("proven", proof) if proof is not None else nash.UNSETTLED


def _relabelled(profile: ActionProfile, unique: tuple[Unique, str]) -> ActionProfile:
    made = dataclasses.replace(profile.certificate, unique=unique[0], reason=unique[1])
    return dataclasses.replace(profile, certificate=made)


def find_equilibria(game: AggregativeGame, *, tolerances: Tolerances = DEFAULT) -> ActionEquilibria:
    """All equilibria found, and whether the sum can have one value only, or boxes prove the list."""
    made = _found(game, tolerances)
    proof = one_sum(game) if len(made) == 1 else None
    if proof is not None:
        made = [_relabelled(made[0], ("proven", proof))]
        return ActionEquilibria(game, tuple(made), "proven", f"complete and proven: {proof}", 0.0)
    if game.size <= min(MOST_ACTIONS - 1, MOST_EXPANDED):
        return _by_boxes(game, made, tolerances)
    unique: tuple[Unique, str] = nash.UNSETTLED
    if len(made) > 1:
        unique = ("multiple", f"{len(made)} equilibria were found")
    how = (
        "a scan of the sum and Newton"
        if len(game.aggregates) == 1
        else "Newton from several starts"
    )
    statement = f"not known complete: {how} found {len(made) or 'none'}"
    profiles = tuple(_relabelled(p, unique) for p in made)
    return ActionEquilibria(game, profiles, "unknown", statement)


def _by_boxes(
    game: AggregativeGame, made: list[ActionProfile], tolerances: Tolerances
) -> ActionEquilibria:
    """The few players' game written out, and its profiles halved."""
    written = equilibria.find_equilibria(game.expanded(), tolerances=tolerances)
    span = game.high - game.low
    profiles = list(made)
    for p in written:
        if not any(
            np.max(np.abs(p.actions - q.actions) / span) < equilibria.MATCH for q in profiles
        ):
            profiles.append(dataclasses.replace(p, game=game))
    several: tuple[Unique, str] = ("multiple", f"{len(profiles)} equilibria were found")
    if len(profiles) == 1:
        several = ("proven" if written.complete else "not proven", written.statement)
    return ActionEquilibria(
        game, tuple(_relabelled(p, several) for p in profiles), written.completeness, written.statement,
        written.resolution, written.cycle,
    )  # fmt: skip


def one_sum(game: AggregativeGame) -> str | None:
    """Why there is at most one equilibrium, if intervals prove it; None if they do not.

    For one sum and formulas without kinks. Over intervals of the sum Z: if every marginal payoff falls in
    the own action at given Z, each action is a function x_i(Z), enclosed by bisection. Where the sum of
    a(x_i(Z)) is never Z there is no equilibrium; on what is left, in one stretch, that sum less Z falls.
    """
    functions = compiled_sums(game)
    if len(functions.sums) != 1 or not functions.smooth or game.size > 200:
        return None
    ends = [
        functions.part_boxes[0]((edge, edge), *functions.boxes()) for edge in (game.low, game.high)
    ]
    hull = iv.hull(*ends)
    if not _parts_rise(functions):
        return None
    least, most = _total(hull[0]), _total(hull[1])
    if not (math.isfinite(least) and math.isfinite(most)):
        return None
    share = np.linspace(0, 1, SUM_BOXES + 1)
    cuts = np.unique(
        np.nextafter(least, -np.inf)
        + (most * (1 + 1e-15) - least) * np.concatenate([share, share**3])
    )
    lo, hi = cuts[:-1], cuts[1:]
    hi[-1] = np.nextafter(most, np.inf)
    falling: list[tuple[float, float]] = []
    seen = 0
    with np.errstate(all="ignore"):
        for _ in range(SUM_ROUNDS):
            seen += lo.size
            if seen > MOST_SUM_BOXES:
                return None
            none, falls = _sum_boxes(functions, lo, hi)
            falling += list(
                zip(lo[falls & ~none].tolist(), hi[falls & ~none].tolist(), strict=True)
            )
            lo, hi = lo[~none & ~falls], hi[~none & ~falls]
            if not lo.size:
                break
            middle = lo + 0.5 * (hi - lo)
            lo, hi = np.concatenate([lo, middle]), np.concatenate([middle, hi])
    if lo.size or not _one_stretch(falling):
        return None
    return (
        "every marginal payoff falls in the own action at a given sum, and the replies to a sum add up to "
        "it once at most: shown on intervals that cover all sums"
    )


def _parts_rise(functions: CompiledSums) -> bool:
    """Whether every a(x) rises with the action, so that its values at the bounds enclose all."""
    game = functions.game
    _, _, _, rate = functions.condition_boxes
    none = np.zeros(game.size)
    with np.errstate(all="ignore"):
        lo, _ = rate((game.low, game.high), (none, none), *functions.boxes())
    return bool(np.all(lo >= 0))


def _one_stretch(falling: list[tuple[float, float]]) -> bool:
    """Whether the intervals follow each other without a gap."""
    ordered = sorted(falling)
    return all(a[1] == b[0] for a, b in itertools.pairwise(ordered))


def _sum_boxes(functions: CompiledSums, lo: Array, hi: Array) -> tuple[Any, Any]:
    """Intervals of the sum without an equilibrium, and those on which the excess falls."""
    game = functions.game
    f, own, cross, rate = functions.condition_boxes
    z = lo[:, None], hi[:, None]
    given = [(v[0][None, :], v[1][None, :]) for v in functions.boxes()]
    shape = (lo.size, game.size)
    low, high = np.broadcast_to(game.low, shape), np.broadcast_to(game.high, shape)
    concave = own((low, high), z, *given)[1] < 0
    smooth = f.levelled((low, high), z, *given)[2] >= iv.SMOOTH
    # Only for falling marginals are replies what bisection says.
    sure = (concave & smooth).all(axis=1)
    if not sure.any():
        return sure, sure
    # Below `first` every marginal payoff is positive, above `last` negative.
    first, last = low.copy(), high.copy()
    for _ in range(40):
        middle = 0.5 * (first + last)
        down, up = f((middle, middle), z, *given)
        first, last = np.where(down > 0, middle, first), np.where(up < 0, middle, last)
        if not ((down > 0) | (up < 0)).any():
            break
    # A reply inside an interval not yet narrowed: its ends are tightened one by one.
    first, last = _tightened(f, z, given, first, last)
    at_low, at_high = f((low, low), z, *given), f((high, high), z, *given)
    last = np.where(at_low[1] < 0, low, last)
    first = np.where(at_high[0] > 0, high, first)
    parts = functions.part_boxes[0]((first, last), *given)
    excess = _added(parts)
    excess = iv.subtract(excess, (lo, hi))
    none = sure & ((excess[0] > 0) | (excess[1] < 0))
    here = (first, last)
    slope = iv.negative(iv.multiply(cross(here, z, *given), iv.reciprocal(own(here, z, *given))[0]))
    slope = iv.multiply(slope, rate(here, z, *given))
    slope = iv.hull(slope, (np.zeros(shape), np.zeros(shape)))  # At a bound the reply stays.
    _, most = _added(slope)
    return none, sure & (most < 1)


def _tightened(f: Any, z: Any, given: Any, first: Array, last: Array) -> tuple[Array, Array]:
    """Bisection for the two ends apart: the last point known positive, the first known negative."""
    a, b = first.copy(), last.copy()
    for _ in range(30):
        middle = 0.5 * (a + b)
        down, _ = f((middle, middle), z, *given)
        a, b = np.where(down > 0, middle, a), np.where(down > 0, b, middle)
    c, d = first.copy(), last.copy()
    for _ in range(30):
        middle = 0.5 * (c + d)
        _, up = f((middle, middle), z, *given)
        c, d = np.where(up < 0, c, middle), np.where(up < 0, middle, d)
    return a, d


def _added(parts: Interval) -> Interval:
    """The sum over players, rounded outward."""
    total: Interval = (np.zeros(parts[0].shape[0]), np.zeros(parts[0].shape[0]))
    for k in range(parts[0].shape[1]):
        total = iv.add(total, (parts[0][:, k], parts[1][:, k]))
    return total
