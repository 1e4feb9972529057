"""The linear programs under commitment: what each type of the follower answers, and the best strategy.

Everything here is in units in which digits are not lost: a type's payoffs less the leader's smallest,
over the largest range of the leader's payoffs; differences of the follower's own are taken exactly
before they become floats. `worth` turns a strategy back into payoffs, in fractions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from alliancegame.errors import GameTooLargeError
from alliancegame.game.finite import FiniteGame
from alliancegame.game.finite_payoffs import Exact
from alliancegame.game.parameters import Array
from alliancegame.solve.finite.linear import unique_solution
from alliancegame.solve.finite.mixtures import Mixture
from alliancegame.solve.finite.programs import maximise_on_simplex

MOST_PROGRAMS = 20_000
_INSIDE = 1e-9
_TIE = 1e-9


@dataclasses.dataclass(frozen=True, eq=False)
class FollowerType:
    """One type of the follower: probability, and payoffs by (leader's strategy, answer).

    `leader` is the leader's payoff less `offset`, in units of the common range; `mine` and `own` are
    both players' payoffs as they are compared (rational numbers of exact games), `span` the range of
    the follower's.
    """

    chance: float
    leader: Array
    offset: Fraction
    mine: Exact
    own: Exact
    span: float
    labels: tuple[str, ...]

    def alike(self, answer: int) -> list[int]:
        """Answers that earn this type the same whatever the leader does."""
        same = (self.own == self.own[:, [answer]]).all(axis=0)
        return [int(k) for k in np.flatnonzero(same)]

    def better(self, answer: int, *, strict: bool = False) -> Array:
        """Rows whose product with x must be <= 0 for `answer` to be best; equal ones left out if strict.

        In shares of the range of this type's payoffs.
        """
        kept = [k for k in range(self.own.shape[1]) if not strict or k not in self.alike(answer)]
        difference = (self.own[:, kept] - self.own[:, [answer]]).T
        return np.asarray((difference / self._width).astype(np.float64))

    def replies(self, x: Array) -> list[int]:
        """Best answers to x, up to a tie of 1e-9 of the range of payoffs."""
        earned = self.better(0) @ x
        return [int(k) for k in np.flatnonzero(earned >= earned.max() - _TIE)]

    def regret(self, x: Mixture, answer: int) -> float:
        """What this type loses by `answer` against x; exact where x and the game are."""
        if all(isinstance(p, Fraction) for p in x) and self.own.dtype == object:
            earned = [
                sum(p * Fraction(u) for p, u in zip(x, c, strict=True) if p) for c in self.own.T
            ]
            return float((max(earned) - earned[answer]) / Fraction(self._width)) * self.span
        gains = self.better(answer) @ np.array([float(p) for p in x])
        return max(float(gains.max()), 0.0) * self.span

    @property
    def _width(self) -> Any:
        """The range of the follower's payoffs as they are compared; 1 if they are all the same."""
        return (self.own.max() - self.own.min()) or 1


def follower_types(
    games: Sequence[FiniteGame], leader: int, chances: Sequence[float]
) -> tuple[list[FollowerType], float]:
    """The types of the follower, and the unit: the largest range of the leader's payoffs."""
    span = max(float(game.levelled[leader].max()) for game in games)
    unit = max(span, 1e-300)
    made = []
    for game, chance in zip(games, chances, strict=True):
        exact = game.fractions if game.exact else game.payoffs
        compared = game.integers if game.exact else game.payoffs
        sides = [np.asarray(a if leader == 0 else a.T) for a in (*exact, *compared, *game.levelled)]
        mine, own, levelled = sides[leader], sides[2 + 1 - leader], sides[4 + leader]
        made.append(
            FollowerType(
                float(chance),
                levelled / unit,
                game.smallest[leader],
                mine,
                own,
                float(game.levelled[1 - leader].max()),
                game.strategies[1 - leader],
            )
        )
    return made, unit


def worth(against: Sequence[FollowerType], answers: Sequence[int], x: Mixture) -> Fraction:
    """What the leader expects of x, in payoffs, if each type answers as named."""
    total = Fraction(0)
    for t, k in zip(against, answers, strict=True):
        gained = sum(
            Fraction(p) * (Fraction(u) - t.offset)
            for p, u in zip(x, t.mine[:, k], strict=True)
            if p
        )
        total += Fraction(t.chance) * (t.offset + gained)
    return total


def least_worth(against: Sequence[FollowerType], weak: Found) -> Fraction:
    """What a pessimistic optimum is worth: of answers that a type cannot tell apart the least."""
    x = exact_strategy(against, weak.answers, weak.x)
    total = Fraction(0)
    for t, k in zip(against, weak.answers, strict=True):
        one = dataclasses.replace(t, chance=1.0)
        total += Fraction(t.chance) * min(worth([one], [s], x) for s in t.alike(k))
    return total


def in_payoffs(against: Sequence[FollowerType], unit: float, value: float) -> Fraction:
    """An expected value in units as one in payoffs."""
    return sum((Fraction(t.chance) * t.offset for t in against), Fraction(unit) * Fraction(value))


def pure_worths(against: Sequence[FollowerType], pick: Any) -> list[Fraction]:
    """What each pure commitment is worth if indifferent followers help (`pick` max) or harm (min)."""
    made = []
    for row in range(len(against[0].leader)):
        total = Fraction(0)
        for t in against:
            best = np.flatnonzero(t.own[row] == t.own[row].max())
            total += Fraction(t.chance) * Fraction(pick(t.mine[row, best].tolist()))
        made.append(total)
    return made


# --- The search ----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """The best strategy for given answers, its value and bound in units, and a point of unique answers."""

    value: float
    bound: float
    x: Array
    answers: tuple[int, ...]
    inside: Array | None = None


def search_answers(against: Sequence[FollowerType], *, weak: bool) -> Found:
    """The best answers by branch and bound: types are given answers in turn, likely ones first.

    The bound of a branch is its program with the types decided so far, plus the most that the others
    could be worth alone.
    """
    m = len(against[0].leader)
    most = [t.chance * float(t.leader.max()) for t in against]
    best: Found | None = None
    highest = -np.inf
    programs = 0
    stack: list[tuple[int, ...]] = [()]
    while stack:
        answers = stack.pop()
        depth = len(answers)
        if depth:
            programs += 1
            if programs > MOST_PROGRAMS:
                raise GameTooLargeError(
                    f"more than {MOST_PROGRAMS:,} linear programs are needed, the limit: use fewer "
                    "types or strategies."
                )
            solved = _program(against[:depth], answers, weak, m)
            if solved is None:
                continue
            rest = sum(most[depth:])
            if best is not None and solved.bound + rest <= best.value:
                continue
            if depth == len(against):
                highest = max(highest, solved.bound)
                if best is None or solved.value > best.value:
                    best = solved
                continue
        following = against[depth]
        options = sorted(_options(following, weak), key=lambda k: following.leader[:, k].max())
        stack += [(*answers, k) for k in options]
    if best is None:
        raise ArithmeticError("no answer is best anywhere")
    return dataclasses.replace(best, bound=max(highest, best.value))


def _options(one: FollowerType, weak: bool) -> list[int]:
    """Answers to try; of answers that the type cannot tell apart the first, if it harms."""
    count = one.own.shape[1]
    return [k for k in range(count) if not weak or one.alike(k)[0] == k]


def _program(
    against: Sequence[FollowerType], answers: Sequence[int], weak: bool, m: int
) -> Found | None:
    """The best x to which these answers are best; with `weak`, they must be strictly best somewhere."""
    pairs = list(zip(against, answers, strict=True))
    constraints = np.vstack([t.better(k) for t, k in pairs])
    inside = None
    if weak:
        inside = _interior([t.better(k, strict=True) for t, k in pairs], m)
        if inside is None:
            return None
    helpful = not weak or all(len(t.alike(k)) == 1 for t, k in pairs)
    if helpful:
        objective = sum((t.chance * t.leader[:, k] for t, k in pairs), np.zeros(m))
        found = maximise_on_simplex(objective, constraints)
        if found is None:
            return None
        return Found(found.value, found.bound, found.point, tuple(answers), inside)
    return _worst_of_alike(pairs, constraints, inside, m)


def _worst_of_alike(
    pairs: Sequence[tuple[FollowerType, int]], constraints: Array, inside: Array | None, m: int
) -> Found | None:
    """The same where a type has answers it cannot tell apart: the least of them counts.

    A program in (x, v) with v below what each of them is worth. Its multipliers weigh these answers,
    and the weighted payoff less the other multipliers times their constraints bounds the optimum.
    """
    from scipy.optimize import linprog

    T = len(pairs)
    chances = np.array([t.chance for t, _ in pairs])
    rows, groups = [], []
    for k, (t, answer) in enumerate(pairs):
        for same in t.alike(answer):
            row = np.zeros(m + T)
            row[:m], row[m + k] = -t.leader[:, same], 1.0
            rows.append(row)
            groups.append(k)
    bounds: Any = [*[(0, None)] * m, *[(None, None)] * T]
    wide = np.hstack([constraints, np.zeros((len(constraints), T))])
    found = linprog(
        -np.r_[np.zeros(m), chances], A_ub=np.vstack([*rows, wide]),
        b_ub=np.zeros(len(rows) + len(wide)), A_eq=np.r_[np.ones(m), np.zeros(T)][None], b_eq=[1.0],
        bounds=bounds, method="highs",
    )  # fmt: skip
    if found.x is None:
        return None
    multipliers = np.maximum(-found.ineqlin.marginals, 0.0)
    weights = multipliers[: len(rows)]
    objective = np.zeros(m)
    for k, (t, answer) in enumerate(pairs):
        mine = [r for r, group in enumerate(groups) if group == k]
        total = weights[mine].sum()
        for r, same in zip(mine, t.alike(answer), strict=True):
            share = weights[r] / total if total > 0 else 1 / len(mine)
            objective += t.chance * share * t.leader[:, same]
    bound = float((objective - multipliers[len(rows) :] @ constraints).max())
    x = np.maximum(found.x[:m], 0.0)
    x = x / x.sum()
    value = sum(t.chance * min(float(x @ t.leader[:, s]) for s in t.alike(k)) for t, k in pairs)
    return Found(float(value), bound, x, tuple(k for _, k in pairs), inside)


def _interior(strict: Sequence[Array], m: int) -> Array | None:
    """A point at which all these rows are negative, as far as possible; None if there is none."""
    from scipy.optimize import linprog

    rows = np.vstack([*strict, -np.eye(m)])
    size = np.abs(rows).max(axis=1)
    rows = rows / size[:, None]
    found = linprog(
        np.r_[np.zeros(m), -1.0],
        A_ub=np.hstack([rows, np.ones((len(rows), 1))]),
        b_ub=np.zeros(len(rows)),
        A_eq=np.r_[np.ones(m), 0.0][None],
        b_eq=[1.0],
        bounds=[*[(0, None)] * m, (None, None)],
        method="highs",
    )
    if found.x is None:
        return None
    x = np.maximum(found.x[:m], 0.0)
    x = x / x.sum()
    return x if float((rows @ x).max()) < -_INSIDE else None


def inside_point(
    against: Sequence[FollowerType], weak: Found, allowed: float
) -> tuple[Array, float]:
    """A strategy with unique answers (up to equal ones) that loses at most `allowed`, and its loss."""
    assert weak.inside is not None  # noqa: S101 (set by every weak program)
    share = 1.0
    for _ in range(60):
        x = (1 - share) * weak.x + share * weak.inside
        least = sum(
            t.chance * min(float(x @ t.leader[:, k]) for k in t.alike(answer))
            for t, answer in zip(against, weak.answers, strict=True)
        )
        if weak.value - least <= allowed:
            return x, max(weak.value - least, 0.0)
        share /= 2
    return weak.inside, 0.0


def exact_strategy(against: Sequence[FollowerType], answers: Sequence[int], x: Array) -> Mixture:
    """The strategy from its tight constraints, in fractions, where they determine it and it is feasible.

    Floats where they do not, or where payoffs are floats (pure strategies are exact there as well).
    """
    rough: Mixture = tuple(float(p) for p in x)
    if any(t.own.dtype != object for t in against):
        return tuple(Fraction(int(p)) for p in x) if max(x) == 1 else rough
    support = [i for i, p in enumerate(x) if p > 1e-9]
    rows: list[list[Fraction]] = [[Fraction(1)] * len(support) + [Fraction(1)]]
    conditions = []
    for t, answer in zip(against, answers, strict=True):
        tight = np.abs(t.better(answer) @ x) <= 1e-8
        for k in range(t.own.shape[1]):
            difference = t.own[:, k] - t.own[:, answer]
            conditions.append(difference)
            if tight[k]:
                rows.append([Fraction(difference[i]) for i in support] + [Fraction(0)])
    point = unique_solution(rows, len(support))
    if point is None or min(point) < 0:
        return rough
    whole = [Fraction(0)] * len(x)
    for i, p in zip(support, point, strict=True):
        whole[i] = p
    if any(sum(p * d for p, d in zip(whole, row, strict=True)) > 0 for row in conditions):
        return rough
    return tuple(whole)
