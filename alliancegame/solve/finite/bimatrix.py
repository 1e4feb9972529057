"""Two players: all extreme equilibria, and the components that they span.

An equilibrium of a bimatrix game is a pair of points of the two best-reply polytopes that together
have every label (each strategy is unplayed or a best reply). The extreme ones are pairs of vertices;
every equilibrium lies in a maximal Nash subset, the product of the hulls of a maximal clique of the
bipartite graph of extreme equilibria (Winkels, 1979; Avis, Rosenberg, Savani and von Stengel, 2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from alliancegame.errors import GameTooLargeError
from alliancegame.game.finite import FiniteGame
from alliancegame.solve.certificate import Unique
from alliancegame.solve.finite.dominance import strictly_undominated
from alliancegame.solve.finite.linear import rank
from alliancegame.solve.finite.mixtures import Mixture, Mixtures
from alliancegame.solve.finite.polytope import Vertices, best_reply_vertices
from alliancegame.solve.finite.profile import (
    Component,
    EquilibriumSet,
    NashSubset,
    Profile,
    certificate,
)
from alliancegame.solve.tolerances import DEFAULT, Tolerances

MOST_EQUILIBRIA = 20_000
MOST_SUBSETS = 20_000
_BLOCK = 20_000_000

Pairs = list[tuple[int, int]]


def all_equilibria(game: FiniteGame, tolerances: Tolerances = DEFAULT) -> EquilibriumSet:
    """Every extreme equilibrium and every component of a two-player game, in exact arithmetic.

    Raises `GameTooLargeError` beyond the stated limits (200,000 vertices of a best-reply polytope,
    20,000 extreme rays of a degenerate one, 20,000 extreme equilibria).
    """
    game.two_players("complete enumeration")
    keep = strictly_undominated(game)
    small = game.restrict(keep)
    rows, columns = small.integers
    first, second = best_reply_vertices(columns), best_reply_vertices(rows.T)
    pairs = _complementary(first, second)
    xs = {v: _lifted(first.point(v), keep[0], game.shape[0]) for v in sorted({a for a, _ in pairs})}
    ys = {
        v: _lifted(second.point(v), keep[1], game.shape[1]) for v in sorted({b for _, b in pairs})
    }
    degenerate = not (first.simple and second.simple)
    components = _components(pairs)
    unique = _unique(pairs)
    shown = [_profile(game, (xs[a], ys[b]), unique, tolerances) for a, b in pairs]
    order = sorted(range(len(pairs)), key=lambda e: (-shown[e].payoffs[0], -shown[e].payoffs[1], e))
    place = {old: new for new, old in enumerate(order)}
    made = [_component(c, pairs, xs, ys, place) for c in components]
    made.sort(key=lambda c: c.equilibria)
    return EquilibriumSet(
        game,
        tuple(shown[e] for e in order),
        True,
        _statement(game, len(pairs), degenerate, made),
        tuple(made),
        degenerate,
        "complete enumeration: vertices of the best-reply polytopes",
    )


def _complementary(first: Vertices, second: Vertices) -> Pairs:
    """Pairs of vertices that together have every label."""
    m = first.matrix.shape[0]
    ours = ~first.labels
    theirs = ~np.hstack([second.labels[:, -m:], second.labels[:, :-m]])
    if first.simple and second.simple:
        # Both have just enough labels: what one misses is what the other has.
        keys = {row.tobytes(): b for b, row in enumerate(~theirs)}
        matches = [(a, keys.get(row.tobytes())) for a, row in enumerate(ours)]
        return [(a, b) for a, b in matches if b is not None]
    pairs: Pairs = []
    block = max(1, _BLOCK // max(len(theirs), 1))
    right = theirs.astype(np.float32).T
    for start in range(0, len(ours), block):
        missing = ours[start : start + block].astype(np.float32) @ right
        pairs += [(int(a) + start, int(b)) for a, b in np.argwhere(missing == 0)]
        if len(pairs) > MOST_EQUILIBRIA:
            raise GameTooLargeError(
                f"this game has more than {MOST_EQUILIBRIA:,} extreme equilibria, the limit of complete "
                "enumeration: remove duplicate strategies, or ask solve_nash for one equilibrium."
            )
    return pairs


def _lifted(point: Mixture, kept: Sequence[int], size: int) -> Mixture:
    made = [Fraction(0)] * size
    for k, p in zip(kept, point, strict=True):
        made[k] = Fraction(p)
    return tuple(made)


def _unique(pairs: Pairs) -> tuple[Unique, str]:
    if len(pairs) == 1:
        return "proven", "complete enumeration finds no other"
    return "multiple", f"complete enumeration finds {len(pairs)} extreme equilibria"


def _profile(
    game: FiniteGame, mixtures: Mixtures, unique: tuple[Unique, str], tolerances: Tolerances
) -> Profile:
    if not game.exact:
        mixtures = tuple(_floats(m) for m in mixtures)
    return Profile(game, mixtures, certificate(game, mixtures, unique, tolerances))


def _floats(mixture: Mixture) -> Mixture:
    """A mixture of a game of floats: pure ones stay exact, others are rounded once, at the end."""
    return mixture if max(mixture) == 1 else tuple(float(p) for p in mixture)


# --- Components -------------------------------------------------------------------------------


def _components(pairs: Pairs) -> list[list[int]]:
    """Connected components of the bipartite graph, as places of its edges."""
    parent: dict[tuple[int, int], tuple[int, int]] = {}

    def root(node: tuple[int, int]) -> tuple[int, int]:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b in pairs:
        parent[root((0, a))] = root((1, b))
    groups: dict[tuple[int, int], list[int]] = {}
    for e, (a, _) in enumerate(pairs):
        groups.setdefault(root((0, a)), []).append(e)
    return list(groups.values())


def maximal_cliques(edges: Pairs) -> list[tuple[list[int], list[int]]]:
    """Maximal complete bipartite subgraphs: both sides, sorted.

    Their second sides are the intersections of neighbourhoods, closed step by step.
    """
    neighbours: dict[int, frozenset[int]] = {}
    for a, b in edges:
        neighbours[a] = neighbours.get(a, frozenset()) | {b}
    closed: set[frozenset[int]] = set()
    for reached in neighbours.values():
        closed |= {reached} | {known & reached for known in closed if known & reached}
        if len(closed) > MOST_SUBSETS:
            raise GameTooLargeError(
                f"a component of this game has more than {MOST_SUBSETS:,} maximal Nash subsets, "
                "the limit: remove duplicate strategies."
            )
    found = [
        (sorted(a for a, reached in neighbours.items() if side <= reached), sorted(side))
        for side in closed
    ]
    return sorted(found)


def _component(
    edges: Sequence[int],
    pairs: Pairs,
    xs: dict[int, Mixture],
    ys: dict[int, Mixture],
    place: dict[int, int],
) -> Component:
    number = {pairs[e]: place[e] for e in edges}
    subsets = []
    for left, right in maximal_cliques([pairs[e] for e in edges]):
        hulls = tuple(xs[a] for a in left), tuple(ys[b] for b in right)
        members = tuple(sorted(number[a, b] for a in left for b in right))
        subsets.append(NashSubset(hulls, members, sum(_dimension(hull) for hull in hulls)))
    return Component(tuple(subsets), tuple(sorted(number.values())))


def _dimension(hull: Sequence[Mixture]) -> int:
    """The dimension of a convex hull of rational points."""
    base = hull[0]
    return rank(
        [[Fraction(p) - Fraction(q) for p, q in zip(x, base, strict=True)] for x in hull[1:]]
    )


def _statement(
    game: FiniteGame, count: int, degenerate: bool, components: Sequence[Component]
) -> str:
    arithmetic = (
        "in exact rational arithmetic"
        if game.exact
        else "computed exactly for the payoffs as the binary numbers that they are (ties that hold "
        "only up to rounding count as differences; rounded() makes them ties)"
    )
    if not degenerate:
        return f"complete: the game is nondegenerate and has exactly {count}, {arithmetic}"
    subsets = sum(len(c.subsets) for c in components)
    continua = sum(not c.isolated for c in components)
    tail = "all equilibria are isolated"
    if continua:
        tail = (
            f"all equilibria: {_counted(subsets, 'maximal Nash subset')} in "
            f"{_counted(len(components), 'component')}, "
            + ("a continuum" if len(components) == 1 else f"{continua} of them continua")
        )
    return (
        f"complete: {_counted(count, 'extreme equilibrium', 'extreme equilibria')}, {arithmetic}; "
        f"best-reply polytopes are degenerate; {tail}"
    )


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
