"""Commitment: what a leader gains by choosing first, strong and weak, pure and mixed, against types.

Strong Stackelberg: an indifferent follower does what the leader prefers; the optimum is attained,
and found by one linear program for each answer (von Stengel and Zamir, 2010; Conitzer and Sandholm,
2006). Weak: an indifferent follower does the worst for the leader; the supremum runs over answers
that are strictly best somewhere (up to answers the follower cannot tell apart), and a strategy near
it, with a unique answer, gets as close as one likes. Against types with probabilities, answers are
one for each type; they are searched exactly, by branch and bound over linear programs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import GameTooLargeError, InvalidValueError
from alliancegame.game.finite import FiniteGame, number
from alliancegame.game.parameters import Array, as_number
from alliancegame.solve.certificate import Certificate, Verdict
from alliancegame.solve.finite.mixtures import Mixture
from alliancegame.solve.finite.nash import find_equilibria
from alliancegame.solve.finite.profile import EquilibriumSet, from_plain, plain, provenance
from alliancegame.solve.finite.programs import maximise_on_simplex
from alliancegame.solve.result import Result
from alliancegame.solve.tolerances import DEFAULT, Tolerances

if TYPE_CHECKING:
    import pandas as pd

MOST_PROGRAMS = 20_000
_INSIDE = 1e-9
_TIE = 1e-9


@dataclasses.dataclass(frozen=True, eq=False)
class _Type:
    """One type of the follower: probability, leader's and own payoffs (strategy of leader, answer)."""

    chance: float
    leader: Array
    follower: Array
    labels: tuple[str, ...]

    def alike(self, answer: int) -> list[int]:
        """Answers that earn this type the same whatever the leader does."""
        same = (self.follower == self.follower[:, [answer]]).all(axis=0)
        return [int(k) for k in np.flatnonzero(same)]

    def better(self, answer: int, *, strict: bool = False) -> Array:
        """Rows whose product with x must be <= 0 for `answer` to be best; equal ones left out if strict."""
        difference = (self.follower - self.follower[:, [answer]]).T
        return difference[(difference != 0).any(axis=1)] if strict else np.asarray(difference)

    def replies(self, x: Array) -> list[int]:
        """Best answers to x, up to a tie of 1e-9 of the range of payoffs."""
        earned = x @ self.follower
        slack = _TIE * max(float(np.ptp(self.follower)), 1e-300)
        return [int(k) for k in np.flatnonzero(earned >= earned.max() - slack)]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Commitment(Result):
    """The leader's best commitments.

    `strategy` is the strong optimum (an indifferent follower helps), worth `value`, `answers` the
    answer of each type. `pessimistic_value` is the supremum if indifferent followers harm;
    `pessimistic_strategy` gets within `epsilon` of it with unique answers, and `attained` says
    whether the supremum itself is attained. `pure_strategy`, `pure_value` and
    `pure_pessimistic_value` are the same without mixing. `gap` bounds what a better strong
    commitment could gain (linear programming duality, re-checked). `nash` are the equilibria of the
    game without commitment, None if they were not enumerated.
    """

    kind: ClassVar[str] = "commitment"

    games: tuple[FiniteGame, ...]
    chances: tuple[float, ...]
    leader: int
    strategy: Mixture
    value: float
    answers: tuple[str, ...]
    pessimistic_value: float
    pessimistic_strategy: Mixture
    epsilon: float
    attained: bool
    pure_strategy: str
    pure_value: float
    pure_pessimistic_strategy: str
    pure_pessimistic_value: float
    gap: float
    certificate: Certificate
    nash_payoffs: tuple[float, float] | None

    @property
    def game(self) -> FiniteGame:
        """The game, or the first type's."""
        return self.games[0]

    @property
    def interval(self) -> tuple[float, float]:
        """What commitment is worth, from the pessimistic to the optimistic value."""
        return self.pessimistic_value, self.value

    @property
    def value_of_commitment(self) -> float:
        """The strong value minus the leader's best Nash payoff; nan if that is not known."""
        return float("nan") if self.nash_payoffs is None else self.value - self.nash_payoffs[1]

    def headline(self) -> str:
        """One line that says what was found."""
        labels = self.game.strategies[self.leader]
        mix = " + ".join(
            f"{number(p)} {label}" if p != 1 else label
            for p, label in zip(self.strategy, labels, strict=True)
            if p
        )
        return (
            f"{self.game.players[self.leader]} commits to {mix}: {number(self.value, 6)} if indifferent "
            f"followers help, {number(self.pessimistic_value, 6)} (supremum) if they harm; answers "
            f"{', '.join(self.answers)}; {self.certificate.verdict}"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row for each way to commit: value, strategy."""
        import pandas as pd

        labels = self.game.strategies[self.leader]

        def chances(mixture: Mixture) -> dict[str, float]:
            return dict(zip(labels, map(float, mixture), strict=True))

        def alone(label: str) -> dict[str, float]:
            return {s: float(s == label) for s in labels}

        rows = {
            "mixed, strong": {"value": self.value} | chances(self.strategy),
            "mixed, weak (supremum)": {"value": self.pessimistic_value}
            | chances(self.pessimistic_strategy),
            "pure, strong": {"value": self.pure_value} | alone(self.pure_strategy),
            "pure, weak": {"value": self.pure_pessimistic_value}
            | alone(self.pure_pessimistic_strategy),
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def _content(self) -> dict[str, Any]:
        content = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return content | {
            "games": [game.to_dict() for game in self.games],
            "strategy": [plain(p) for p in self.strategy],
            "pessimistic_strategy": [plain(p) for p in self.pessimistic_strategy],
            "certificate": self.certificate.to_dict(),
            "provenance": [provenance(game) for game in self.games],
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        values = {f.name: content[f.name] for f in dataclasses.fields(cls)}
        for name in ("strategy", "pessimistic_strategy"):
            values[name] = tuple(from_plain(p) for p in content[name])
        for name in ("chances", "answers"):
            values[name] = tuple(content[name])
        nash = content["nash_payoffs"]
        values |= {
            "games": tuple(
                FiniteGame.from_dict(g, known["game"])
                for g, known in zip(content["games"], content["provenance"], strict=True)
            ),
            "certificate": Certificate.from_dict(content["certificate"]),
            "nash_payoffs": None if nash is None else tuple(nash),
        }
        return cls(**values)


def solve_commitment(
    game: FiniteGame | None = None,
    leader: str | int = 0,
    types: Sequence[tuple[float, FiniteGame]] | None = None,
    *,
    epsilon: float = 1e-3,
    tolerances: Tolerances = DEFAULT,
) -> Commitment:
    """The leader's optimal commitment in a two-player game, pure and mixed, strong and weak.

    `types` gives a follower of unknown type instead: pairs (probability, game), games in which the
    leader has the same strategies; the leader does not see the type. `epsilon` is how near, in shares
    of the range of the leader's payoffs, the pessimistic strategy comes to the supremum.

    Raises `InvalidValueError` for more than two players, probabilities that do not add up to 1 or
    games that do not fit, and `GameTooLargeError` beyond 20,000 linear programs.

    >>> game = FiniteGame([[[2, 4], [1, 3]], [[1, 0], [0, 1]]])  # Conitzer and Sandholm (2006)
    >>> found = solve_commitment(game)
    >>> found.strategy, found.value, found.pure_value
    ((Fraction(1, 2), Fraction(1, 2)), 3.5, 3.0)
    """
    games, chances = _games(game, types)
    place = games[0].index_of(leader)
    _check(games, place, epsilon)
    against = [_type(g, place, p) for g, p in zip(games, chances, strict=True)]
    span = max(float(np.ptp(np.concatenate([t.leader.ravel() for t in against]))), 1e-300)

    strong = _search(against, weak=False)
    weak = _search(against, weak=True)
    x = _exactly(games, place, against, strong.answers, strong.x)
    floats = np.array([float(p) for p in x])
    value = _worth(against, strong.answers, floats)
    near, loss = _inside_point(against, weak, epsilon * span)
    replies = [t.replies(weak.x) for t in against]
    attained_value = sum(
        t.chance * min(float(weak.x @ t.leader[:, k]) for k in ks)
        for t, ks in zip(against, replies, strict=True)
    )
    rows = range(len(floats))
    pure = {kind: [_pure_worth(against, i, kind) for i in rows] for kind in (max, min)}
    best = int(np.argmax(pure[max]))
    safest = int(np.argmax(pure[min]))
    labels = games[0].strategies[place]
    gap = max(strong.bound - value, 0.0)
    regret = max(
        float((floats @ t.follower).max() - floats @ t.follower[:, k])
        for t, k in zip(against, strong.answers, strict=True)
    )
    return Commitment(
        games,
        tuple(chances),
        place,
        x,
        value,
        tuple(t.labels[k] for t, k in zip(against, strong.answers, strict=True)),
        weak.value,
        tuple(near.tolist()),
        loss,
        bool(attained_value >= weak.value - 1e-9 * span),
        labels[best],
        pure[max][best],
        labels[safest],
        pure[min][safest],
        gap,
        _certificate(games, place, gap, regret, span, tolerances),
        _nash(games, place),
    )


def _certificate(
    games: Sequence[FiniteGame], leader: int, gap: float, regret: float, span: float,
    tolerances: Tolerances,
) -> Certificate:  # fmt: skip
    scale = max(span, *(float(np.ptp(g.payoffs[1 - leader])) for g in games))
    worst = max(gap, regret)
    verdict: Verdict = "unverified"
    if worst <= tolerances.approximate * scale:
        verdict = "certified" if worst <= tolerances.certified * scale else "approximate"
    players = games[0].players
    return Certificate(
        verdict,
        worst,
        float("nan"),
        None if worst == 0 else players[leader] if gap >= regret else players[1 - leader],
        "not proven",
        "other optimal commitments can exist",
        "a linear program for each answer; bounds from multipliers, recomputed",
        "all mixed commitments of the leader; the follower's answer among all its strategies",
        tolerances,
    )


def _nash(games: Sequence[FiniteGame], leader: int) -> tuple[float, float] | None:
    """The leader's lowest and highest Nash payoffs without commitment, one type."""
    if len(games) > 1:
        return None
    try:
        found: EquilibriumSet = find_equilibria(games[0])
    except GameTooLargeError:
        return None
    earned = [float(p.payoffs[leader]) for p in found]
    return min(earned), max(earned)


# --- Reading -------------------------------------------------------------------------------------


def _games(
    game: FiniteGame | None, types: Sequence[tuple[float, FiniteGame]] | None
) -> tuple[tuple[FiniteGame, ...], list[float]]:
    if types is None:
        if not isinstance(game, FiniteGame):
            raise InvalidValueError(
                f"solve_commitment needs a FiniteGame, or types; got {type(game).__name__}."
            )
        return (game,), [1.0]
    if game is not None:
        raise InvalidValueError("give a game or types, not both: types hold games of their own.")
    pairs = list(types)
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise InvalidValueError("types must be a list of pairs (probability, FiniteGame).")
    chances = [as_number(p, f"probability of type {k + 1}") for k, (p, _) in enumerate(pairs)]
    for k, p in enumerate(chances):
        if not 0 < p <= 1:
            raise InvalidValueError(f"probability of type {k + 1} must be in (0, 1], got {p:g}.")
    if abs(sum(chances) - 1) > 1e-9:
        raise InvalidValueError(
            f"probabilities of types must add up to 1, got {sum(chances):.12g}."
        )
    for k, (_, one) in enumerate(pairs):
        if not isinstance(one, FiniteGame):
            raise InvalidValueError(f"type {k + 1} must be a FiniteGame, got {type(one).__name__}.")
    return tuple(one for _, one in pairs), chances


def _check(games: Sequence[FiniteGame], leader: int, epsilon: float) -> None:
    for k, game in enumerate(games):
        game.two_players("solve_commitment")
        if game.strategies[leader] != games[0].strategies[leader]:
            raise InvalidValueError(
                f"the leader has other strategies in the game of type {k + 1} than in the first: "
                f"{', '.join(game.strategies[leader])}."
            )
    if not 0 < as_number(epsilon, "epsilon") <= 1:
        raise InvalidValueError(f"epsilon must be in (0, 1], got {epsilon:g}.")


def _type(game: FiniteGame, leader: int, chance: float) -> _Type:
    sides = [np.asarray(a if leader == 0 else a.T) for a in game.payoffs]
    return _Type(chance, sides[leader], sides[1 - leader], game.strategies[1 - leader])


# --- Search --------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, eq=False)
class _Found:
    value: float
    bound: float
    x: Array
    answers: tuple[int, ...]
    inside: Array | None = None


def _search(against: Sequence[_Type], *, weak: bool) -> _Found:
    """The best answers by branch and bound: types are given answers in turn, likely ones first.

    The bound of a branch is its program with the types decided so far, plus the most that the others
    could be worth alone.
    """
    m = len(against[0].leader)
    most = [t.chance * float(t.leader.max()) for t in against]
    best: _Found | None = None
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


def _options(one: _Type, weak: bool) -> list[int]:
    """Answers to try; of answers that the type cannot tell apart the first, if it harms."""
    count = one.follower.shape[1]
    return [k for k in range(count) if not weak or one.alike(k)[0] == k]


def _program(against: Sequence[_Type], answers: Sequence[int], weak: bool, m: int) -> _Found | None:
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
        return _Found(found.value, found.bound, found.point, tuple(answers), inside)
    return _worst_of_alike(pairs, constraints, inside, m)


def _worst_of_alike(
    pairs: Sequence[tuple[_Type, int]], constraints: Array, inside: Array | None, m: int
) -> _Found | None:
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
    return _Found(float(value), bound, x, tuple(k for _, k in pairs), inside)


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


def _inside_point(against: Sequence[_Type], weak: _Found, allowed: float) -> tuple[Array, float]:
    """A strategy with unique answers (up to equal ones) that loses at most `allowed`, and its loss."""
    assert weak.inside is not None  # noqa: S101 (set by every weak program)
    share = 1.0
    for _ in range(60):
        x = (1 - share) * weak.x + share * weak.inside
        worth = sum(
            t.chance * min(float(x @ t.leader[:, k]) for k in t.alike(answer))
            for t, answer in zip(against, weak.answers, strict=True)
        )
        if weak.value - worth <= allowed:
            return x, max(weak.value - worth, 0.0)
        share /= 2
    return weak.inside, 0.0


def _worth(against: Sequence[_Type], answers: Sequence[int], x: Array) -> float:
    return float(
        sum(t.chance * float(x @ t.leader[:, k]) for t, k in zip(against, answers, strict=True))
    )


def _pure_worth(against: Sequence[_Type], row: int, pick: Any) -> float:
    """What a pure commitment is worth if indifferent followers help (max) or harm (min)."""
    total = 0.0
    for t in against:
        best = np.flatnonzero(t.follower[row] == t.follower[row].max())
        total += t.chance * float(pick(t.leader[row, best]))
    return total


def _exactly(
    games: Sequence[FiniteGame],
    leader: int,
    against: Sequence[_Type],
    answers: Sequence[int],
    x: Array,
) -> Mixture:
    """The strategy from its tight constraints, in fractions, where they determine it and it is feasible."""
    rough: Mixture = tuple(float(p) for p in x)
    if not all(game.exact for game in games):
        return tuple(Fraction(int(p)) for p in x) if max(x) == 1 else rough
    support = [i for i, p in enumerate(x) if p > 1e-9]
    rows: list[list[Fraction]] = [[Fraction(1)] * len(support) + [Fraction(1)]]
    conditions = []
    for game, t, answer in zip(games, against, answers, strict=True):
        own = game.fractions[1 - leader] if leader == 0 else game.fractions[1 - leader].T
        size = max(float(np.ptp(t.follower)), 1e-300)
        for k in range(own.shape[1]):
            difference = own[:, k] - own[:, answer]
            conditions.append(difference)
            if abs(float(x @ (t.follower[:, k] - t.follower[:, answer]))) <= 1e-8 * size:
                rows.append([Fraction(difference[i]) for i in support] + [Fraction(0)])
    point = _unique_solution(rows, len(support))
    if point is None or min(point) < 0:
        return rough
    whole = [Fraction(0)] * len(x)
    for i, p in zip(support, point, strict=True):
        whole[i] = p
    if any(sum(p * d for p, d in zip(whole, row, strict=True)) > 0 for row in conditions):
        return rough
    return tuple(whole)


def _unique_solution(rows: list[list[Fraction]], unknowns: int) -> list[Fraction] | None:
    """The solution of a system of at least as many equations, if it has exactly one."""
    rows = [list(row) for row in rows]
    for column in range(unknowns):
        found = next((r for r in range(column, len(rows)) if rows[r][column]), None)
        if found is None:
            return None
        rows[column], rows[found] = rows[found], rows[column]
        lead = rows[column][column]
        rows[column] = [value / lead for value in rows[column]]
        for r, row in enumerate(rows):
            if r != column and row[column]:
                factor = row[column]
                rows[r] = [a - factor * b for a, b in zip(row, rows[column], strict=True)]
    if any(row[unknowns] for row in rows[unknowns:]):
        return None
    return [rows[k][unknowns] for k in range(unknowns)]
