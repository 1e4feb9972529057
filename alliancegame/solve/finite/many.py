"""More than two players: pure equilibria exhaustively, mixed ones support by support."""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import GameTooLargeError
from alliancegame.game.finite import FiniteGame
from alliancegame.game.parameters import Array
from alliancegame.solve.certificate import Unique
from alliancegame.solve.finite import homotopy
from alliancegame.solve.finite import mixtures as mixed
from alliancegame.solve.finite.bimatrix import all_equilibria as two_player_equilibria
from alliancegame.solve.finite.dominance import strictly_undominated
from alliancegame.solve.finite.mixtures import Mixtures
from alliancegame.solve.finite.profile import EquilibriumSet, Profile, certificate
from alliancegame.solve.tolerances import DEFAULT, Tolerances

MOST_PATHS = 20_000
"""Paths of polynomial continuation, over all supports, beyond which mixed equilibria are refused."""
MOST_SUPPORTS = 50_000
SEED = 20
_SAME = 1e-7

Support = tuple[tuple[int, ...], ...]


def pure_cells(game: FiniteGame) -> list[tuple[int, ...]]:
    """Every pure equilibrium, by exhaustion and exact comparison."""
    best = np.ones(game.shape, dtype=bool)
    for i, payoff in enumerate(game.comparable):
        best &= np.asarray(payoff == payoff.max(axis=i, keepdims=True), dtype=bool)
    return [tuple(int(k) for k in cell) for cell in np.argwhere(best)]


def all_equilibria(game: FiniteGame, tolerances: Tolerances = DEFAULT) -> EquilibriumSet:
    """The equilibria of a game of n players: all pure ones, and mixed ones on every support.

    Where at most two players keep a choice after iterated strict dominance, the enumeration for two
    players is used, and is complete. Raises `GameTooLargeError` beyond MOST_PATHS paths or
    MOST_SUPPORTS supports (3 players with 3 strategies need 1,000 paths at most, with 4 about 20,000).
    """
    keep = strictly_undominated(game)
    active = [i for i in range(game.size) if len(keep[i]) > 1]
    if len(active) <= 2:
        return _by_two(game, keep, active, tolerances)
    small = game.restrict(keep)
    supports = _supports(small)
    if all(bool((a == a.min(axis=i, keepdims=True)).all()) for i, a in enumerate(small.comparable)):
        return _indifferent(game, small, keep, tolerances)
    found, report = _mixed(small, supports)
    profiles = [mixed.pure(small, cell) for cell in pure_cells(small)] + found
    whole = [lifted(m, keep, game.shape) for m in profiles]
    made = [(m, certificate(game, m, tolerances=tolerances)) for m in whole]
    kept = [(m, c) for m, c in made if c.verdict != "unverified"]
    unique: tuple[Unique, str] = (
        ("multiple", f"{len(kept)} equilibria found")
        if len(kept) > 1
        else ("not proven", "one equilibrium found; continua are not excluded")
    )
    shown = [
        Profile(game, m, dataclasses.replace(c, unique=unique[0], reason=unique[1]))
        for m, c in kept
    ]
    shown.sort(key=lambda p: tuple(-float(u) for u in p.payoffs))
    degenerate = bool(report.singular) or any(_spare_replies(p) for p in shown)
    pure = sum(p.pure for p in shown)
    return EquilibriumSet(
        game,
        tuple(shown),
        False,
        report.statement(pure, len(shown) - pure, degenerate, _segments(shown)),
        (),
        degenerate or None,
        "pure profiles exhaustively; supports by multihomogeneous continuation",
    )


def _indifferent(
    game: FiniteGame, small: FiniteGame, keep: list[list[int]], tolerances: Tolerances
) -> EquilibriumSet:
    """The equilibria where nobody's own strategy matters to it: everything, of which corners are listed."""
    where = "" if small.shape == game.shape else " of strategies left by strict dominance"
    statement = (
        f"complete: nobody's own choice changes its payoff, so every profile{where}, mixed or pure, is "
        f"an equilibrium: one continuum; its {small.cells} pure profiles are listed"
    )
    listed = [lifted(mixed.pure(small, c), keep, game.shape) for c in np.ndindex(small.shape)]
    unique: tuple[Unique, str] = ("multiple", "every profile is an equilibrium")
    shown = [Profile(game, m, certificate(game, m, unique, tolerances)) for m in listed]
    shown.sort(key=lambda p: tuple(-float(u) for u in p.payoffs))
    return EquilibriumSet(game, tuple(shown), True, statement, (), True, "exact comparison")


def _segments(shown: Sequence[Profile]) -> tuple[int, int]:
    """Pairs of equilibria in which one player alone differs: all, and those of pure profiles.

    Both strategies are best replies to the same, and the others' payoffs are linear in them, so that
    whatever lies between two such equilibria is one.
    """
    made = [0, 0]
    for left in range(len(shown[0].game.shape) if shown else 0):
        rest: dict[tuple[tuple[float, ...], ...], list[Profile]] = defaultdict(list)
        for profile in shown:
            others = [m for i, m in enumerate(profile.mixtures) if i != left]
            rest[tuple(tuple(round(float(p), 9) for p in m) for m in others)].append(profile)
        for group in rest.values():
            for one, other in itertools.combinations(group, 2):
                made[0] += 1
                made[1] += one.pure and other.pure
    return made[0], made[1]


def _by_two(
    game: FiniteGame, keep: list[list[int]], active: list[int], tolerances: Tolerances
) -> EquilibriumSet:
    """The game in which at most two players have a choice left, solved as a bimatrix game."""
    pair = (active + [i for i in range(game.size) if i not in active])[:2]
    pair.sort()
    at = tuple(slice(None) if i in pair else keep[i][0] for i in range(game.size))
    arrays = [game.fractions[i][at] for i in pair]
    mesh = np.ix_(*[keep[i] for i in pair])
    small = FiniteGame([a[mesh] for a in arrays])
    object.__setattr__(small, "exact", game.exact)
    solved = two_player_equilibria(small, tolerances)
    shown = []
    for profile in solved:
        blocks: list[tuple[mixed.Number, ...]] = [(Fraction(1),)] * game.size
        for i, mixture in zip(pair, profile.mixtures, strict=True):
            blocks[i] = mixture
        whole = lifted(tuple(blocks), keep, game.shape)
        unique = profile.certificate.unique, profile.certificate.reason
        shown.append(Profile(game, whole, certificate(game, whole, unique, tolerances)))
    where = "strict dominance leaves at most two players a choice; "
    return EquilibriumSet(
        game, tuple(shown), True, where + solved.statement, (), solved.degenerate, solved.method
    )


def lifted(mixtures: Mixtures, keep: list[list[int]], shape: Sequence[int]) -> Mixtures:
    """Mixtures of a game with fewer strategies as mixtures of the whole game."""
    made = []
    for mixture, kept, size in zip(mixtures, keep, shape, strict=True):
        whole: list[mixed.Number] = [Fraction(0)] * size
        for k, p in zip(kept, mixture, strict=True):
            whole[k] = p
        made.append(tuple(whole))
    return tuple(made)


# --- Supports ------------------------------------------------------------------------------------


def _supports(game: FiniteGame) -> dict[tuple[int, ...], list[Support]]:
    """Supports that could carry a mixed equilibrium, by their sizes.

    Left out are supports on which a strategy is strictly dominated while the others keep to theirs,
    and those whose conditions have no isolated solution (more conditions than unknowns somewhere).
    """
    number = 1.0
    for m in game.shape:
        number *= 2**m - 1
    if number > MOST_SUPPORTS:
        raise GameTooLargeError(
            f"this game has {number:,.0f} supports after iterated dominance, and mixed equilibria of "
            f"more than two players are searched up to {MOST_SUPPORTS:,}: use fewer strategies, or "
            'method="pure" for the pure equilibria alone.'
        )
    choices = [
        [s for k in range(1, m + 1) for s in itertools.combinations(range(m), k)]
        for m in game.shape
    ]
    by_size: dict[tuple[int, ...], list[Support]] = defaultdict(list)
    counts: dict[tuple[int, ...], int] = {}
    paths = 0
    for support in itertools.product(*choices):
        sizes = tuple(len(s) for s in support)
        if sizes not in counts:
            counts[sizes] = 0 if max(sizes) == 1 else homotopy.path_count(sizes)
        if counts[sizes] and not _dominated(game, support):
            by_size[sizes].append(support)
            paths += counts[sizes]
            if paths > MOST_PATHS:
                raise GameTooLargeError(
                    f"mixed equilibria of this game of shape {game.shape} need more than "
                    f"{MOST_PATHS:,} paths of polynomial continuation, the limit: use fewer "
                    'strategies or players, or method="pure" for the pure equilibria alone.'
                )
    return by_size


def _dominated(game: FiniteGame, support: Support) -> bool:
    """Whether some strategy of the support is strictly dominated against the others' supports."""
    for i, own in enumerate(support):
        mesh = [range(m) if j == i else support[j] for j, m in enumerate(game.shape)]
        flat = np.moveaxis(game.comparable[i][np.ix_(*mesh)], i, 0).reshape(game.shape[i], -1)
        for k in own:
            if (flat > flat[k]).all(axis=1).any():
                return True
    return False


# --- Mixed equilibria ----------------------------------------------------------------------------


@dataclasses.dataclass
class _Report:
    """What happened to the paths, support by support."""

    supports: int = 0
    proved: int = 0
    singular: int = 0
    lost: int = 0

    def statement(
        self, pure: int, mixed_ones: int, degenerate: bool, segments: tuple[int, int]
    ) -> str:
        """What may be said of the equilibria that were found; `segments` as `_segments` counts."""
        head = f"all {pure} pure equilibria (exhaustive) and {mixed_ones} mixed"
        if self.proved == self.supports:
            tail = (
                f"every isolated solution on all {self.supports} supports is accounted for (as many "
                "certified roots as the Bezout number allows)"
            )
        else:
            tail = (
                f"on {self.proved} of {self.supports} supports every isolated solution is accounted "
                "for; on the others fewer roots could be certified than the Bezout number allows "
                f"({self.lost} paths went to infinity or to singular points), so that isolated "
                "solutions are probably all here, but this is not proved"
            )
        pairs, certain = segments
        if pairs:
            tail += (
                f"; there is a continuum: in {pairs} {'pair' if pairs == 1 else 'pairs'} of the "
                "equilibria listed one player alone differs, and everything between the two is an "
                "equilibrium" + ("" if certain else ", to rounding")
            )
        elif degenerate:
            tail += (
                "; the game is degenerate: continua may exist, of which single points are listed"
            )
        return f"not known complete: {head}; {tail}"


def _mixed(
    game: FiniteGame, supports: dict[tuple[int, ...], list[Support]]
) -> tuple[list[Mixtures], _Report]:
    report = _Report()
    found: list[Mixtures] = []
    scaled = [a / max(float(a.max()), 1e-300) for a in game.levelled]
    for sizes, listed in sorted(supports.items()):
        tensors, regular = _conditions(scaled, listed, sizes)
        report.supports += len(listed)
        report.singular += int((~regular).sum())
        kept = [s for s, fine in zip(listed, regular, strict=True) if fine]
        if not kept:
            continue
        tensors = [t[regular] for t in tensors]
        ends = homotopy.solve(tensors, sizes, SEED)
        roots = ends.finite & ends.arrived
        report.lost += int((~roots).sum())
        expected = homotopy.path_count(sizes)
        for s, support in enumerate(kept):
            mine = np.flatnonzero((ends.owner == s) & roots)
            own = [t[s] for t in tensors]
            points = [_polished(own, [p[k] for p in ends.points]) for k in mine]
            certified = _distinct(own, points)
            report.proved += certified == expected
            for point in points:
                made = _as_mixtures(game, support, point)
                if made is not None and not _known(made, found):
                    found.append(made)
    return found, report


def _conditions(
    payoffs: Sequence[Array], supports: list[Support], sizes: tuple[int, ...]
) -> tuple[list[Array], NDArray[np.bool_]]:
    """Payoff differences on each support, each condition scaled to largest entry 1; which are regular.

    Not regular are supports with a condition that holds identically: a continuum or nothing.
    """
    tensors = []
    regular = np.ones(len(supports), dtype=bool)
    for i, payoff in enumerate(payoffs):
        others = [j for j in range(len(sizes)) if j != i]
        stacked = np.empty((len(supports), sizes[i] - 1, *[sizes[j] for j in others]))
        for s, support in enumerate(supports):
            part = np.moveaxis(payoff[np.ix_(*support)], i, 0)
            stacked[s] = part[1:] - part[:1]
        largest = np.abs(stacked).max(axis=tuple(range(2, stacked.ndim)), initial=0.0)
        regular &= (largest > 1e-13).all(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            stacked = stacked / largest.reshape(*largest.shape, *[1] * len(others))
        tensors.append(stacked)
    return tensors, regular


def _affine(
    tensors: Sequence[Array], point: Sequence[NDArray[np.complex128]]
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """The conditions and 'probabilities add up to one' at a point, and their Jacobian."""
    sizes = [len(p) for p in point]
    n, total = len(sizes), sum(sizes)
    ends = np.cumsum(sizes)
    F = np.empty(total, dtype=np.complex128)
    J = np.zeros((total, total), dtype=np.complex128)
    row = 0
    for i in range(n):
        rows = slice(row, row + sizes[i] - 1)
        row = rows.stop
        if rows.start == rows.stop:
            continue
        others = [j for j in range(n) if j != i]
        blocks = [point[j][None] for j in others]
        F[rows] = homotopy.contract(tensors[i][None], blocks)[0]
        for place, j in enumerate(others):
            J[rows, ends[j] - sizes[j] : ends[j]] = homotopy.contract(
                tensors[i][None], blocks, skip=place
            )[0]
    for j in range(n):
        F[row] = point[j].sum() - 1
        J[row, ends[j] - sizes[j] : ends[j]] = 1
        row += 1
    return F, J


def _polished(
    tensors: Sequence[Array], point: list[NDArray[np.complex128]]
) -> list[NDArray[np.complex128]]:
    """A few Newton steps; real points become real."""
    ends = np.cumsum([len(p) for p in point])[:-1]
    for _ in range(4):
        F, J = _affine(tensors, point)
        try:
            change = np.linalg.solve(J, F)
        except np.linalg.LinAlgError:
            return point
        moved = np.concatenate(point) - change
        if not np.isfinite(moved).all():
            return point
        if np.abs(moved.imag).max() < _SAME:
            moved = moved.real.astype(np.complex128)
        point = list(np.split(moved, ends))
    return point


def _distinct(tensors: Sequence[Array], points: list[list[NDArray[np.complex128]]]) -> int:
    """How many of the points are certainly near solutions of their own (Kantorovich's theorem).

    With b = |J^-1 F| (rounding included) and K a bound of |J^-1 (J(x) - J(y))| / |x - y| within
    distance 1 of the point, b K < 1/2 gives one solution within 2 b.
    """
    balls: list[tuple[NDArray[np.complex128], float]] = []
    for point in points:
        F, J = _affine(tensors, point)
        try:
            inverse = np.linalg.inv(J)
        except np.linalg.LinAlgError:
            continue
        flat = np.concatenate(point)
        sizes = np.array([len(p) for p in point])
        rounding = 8e-16 * sizes.sum() * (np.abs(J) @ np.abs(flat) + np.abs(F) + 1)
        step = float((np.abs(inverse @ F) + np.abs(inverse) @ rounding).max())
        bend = float((np.abs(inverse) @ _curvature(tensors, point)).max())
        if 2 * step * bend >= 1 or 2 * step >= 1:
            continue
        if all(float(np.abs(flat - other).max()) > 2 * step + radius for other, radius in balls):
            balls.append((flat, 2 * step))
    return len(balls)


def _curvature(tensors: Sequence[Array], point: list[NDArray[np.complex128]]) -> Array:
    """How fast each row of the Jacobian can change within distance 1 of the point (maximum norm)."""
    made: list[Array] = []
    for i, tensor in enumerate(tensors):
        others = [j for j in range(len(tensors)) if j != i]
        wide = [np.abs(point[j])[None] + 1 for j in others]
        total = np.zeros(tensor.shape[0])
        for a, b in itertools.permutations(range(len(others)), 2):
            blocks = [np.ones_like(w) if place in (a, b) else w for place, w in enumerate(wide)]
            total = total + homotopy.contract(np.abs(tensor)[None], blocks)[0].real
        made.append(total)
    return np.concatenate([*made, np.zeros(len(tensors))])


def _as_mixtures(
    game: FiniteGame, support: Support, point: list[NDArray[np.complex128]]
) -> Mixtures | None:
    """The point as a profile of the game, if it is real and nonnegative."""
    made = []
    for s, block, m in zip(support, point, game.shape, strict=True):
        chances = block.real
        if (
            not np.isfinite(block).all()
            or np.abs(block.imag).max() > _SAME
            or chances.min() < -1e-10
        ):
            return None
        chances = np.where(chances < 1e-12, 0.0, chances)
        whole = np.zeros(m)
        whole[list(s)] = chances / chances.sum()
        made.append(
            tuple(Fraction(int(p)) for p in whole) if whole.max() == 1 else tuple(whole.tolist())
        )
    if all(max(mixture) == 1 for mixture in made):
        return None  # A pure profile: these are listed exhaustively.
    profile = tuple(made)
    return profile if certificate(game, profile).verdict != "unverified" else None


def _known(profile: Mixtures, found: list[Mixtures]) -> bool:
    flat = np.concatenate([np.array(m, dtype=float) for m in profile])
    return any(
        np.abs(flat - np.concatenate([np.array(m, dtype=float) for m in other])).max() < _SAME
        for other in found
    )


def _spare_replies(profile: Profile) -> bool:
    """Whether somebody has a best reply that it does not play: a sign of degeneracy."""
    for i, mixture in enumerate(profile.mixtures):
        levelled = profile.game.levelled[i]
        deviations = mixed.float_deviations(levelled, profile.mixtures, i)
        best = int((deviations >= deviations.max() - 1e-10 * float(levelled.max())).sum())
        if best > len(mixed.support(mixture)):
            return True
    return False
