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
from alliancegame.game.checks import listed, shown
from alliancegame.game.finite import FiniteGame, number
from alliancegame.game.parameters import as_number
from alliancegame.solve.certificate import Certificate, Verdict
from alliancegame.solve.finite.commitment_programs import (
    FollowerType,
    exact_strategy,
    follower_types,
    in_payoffs,
    inside_point,
    least_worth,
    pure_worths,
    search_answers,
    worth,
)
from alliancegame.solve.finite.mixtures import Mixture, Number
from alliancegame.solve.finite.nash import find_equilibria
from alliancegame.solve.finite.profile import EquilibriumSet, from_plain, plain, provenance
from alliancegame.solve.result import Result
from alliancegame.solve.tolerances import DEFAULT, Tolerances, check_tolerances

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Commitment(Result):
    """The leader's best commitments.

    `strategy` is the strong optimum (an indifferent follower helps), worth `value`, `answers` the
    answer of each type. `pessimistic_value` is the supremum if indifferent followers harm;
    `pessimistic_strategy` gets within `epsilon` of it with unique answers, and `attained` says
    whether the supremum itself is attained. `pure_strategy`, `pure_value` and
    `pure_pessimistic_value` are the same without mixing. `gap` bounds what a better strong
    commitment could gain (linear programming duality, re-checked). `nash_payoffs` are the leader's
    lowest and highest in the game without commitment, None if its equilibria were not enumerated;
    `value_of_commitment` is the strong value minus the highest, nan if that is not known.
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
    value_of_commitment: float

    @property
    def game(self) -> FiniteGame:
        """The game, or the first type's."""
        return self.games[0]

    @property
    def interval(self) -> tuple[float, float]:
        """What commitment is worth, from the pessimistic to the optimistic value."""
        return self.pessimistic_value, self.value

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
    of the range of the leader's payoffs, the pessimistic strategy comes to the supremum. Answers count
    as strictly best somewhere if they are so by more than 1e-9 of the range of the follower's payoffs.

    Raises `InvalidValueError` for more than two players, probabilities that do not add up to 1 or
    games that do not fit, and `GameTooLargeError` beyond 20,000 linear programs.

    >>> game = FiniteGame([[[2, 4], [1, 3]], [[1, 0], [0, 1]]])  # Conitzer and Sandholm (2006)
    >>> found = solve_commitment(game)
    >>> found.strategy, found.value, found.pure_value
    ((Fraction(1, 2), Fraction(1, 2)), 3.5, 3.0)
    """
    check_tolerances(tolerances)
    games, chances = _games(game, types)
    place = games[0].index_of(leader)
    _check(games, place, epsilon)
    against, unit = follower_types(games, place, chances)
    strong = search_answers(against, weak=False)
    weak = search_answers(against, weak=True)
    x = exact_strategy(against, strong.answers, strong.x)
    value = worth(against, strong.answers, x)
    supremum = min(least_worth(against, weak), value)
    near, loss = inside_point(against, weak, epsilon)
    harmed = sum(
        t.chance * min(float(weak.x @ t.leader[:, k]) for k in t.replies(weak.x)) for t in against
    )
    helped, least = pure_worths(against, max), pure_worths(against, min)
    best, safest = helped.index(max(helped)), least.index(max(least))
    labels = games[0].strategies[place]
    gap = float(max(in_payoffs(against, unit, strong.bound) - value, Fraction(0)))
    lost = [t.regret(x, k) for t, k in zip(against, strong.answers, strict=True)]
    nash = _nash(games, place)
    return Commitment(
        games,
        tuple(chances),
        place,
        x,
        float(value),
        tuple(t.labels[k] for t, k in zip(against, strong.answers, strict=True)),
        float(supremum),
        tuple(near.tolist()),
        loss * unit,
        bool(harmed >= weak.value - 1e-9),
        labels[best],
        float(helped[best]),
        labels[safest],
        float(least[safest]),
        gap,
        _certificate(games[0].players, place, against, (gap, unit), lost, tolerances),
        None if nash is None else (float(nash[0]), float(nash[1])),
        float("nan") if nash is None else float(value - Fraction(nash[1])),
    )


def _certificate(
    players: Sequence[str], leader: int, against: Sequence[FollowerType], gap: tuple[float, float],
    lost: Sequence[float], tolerances: Tolerances,
) -> Certificate:  # fmt: skip
    """What is claimed: `gap` (and the leader's range) and what each type loses, in shares of ranges."""
    losses = [gap, *((loss, t.span) for loss, t in zip(lost, against, strict=True))]
    shares = [loss / span if span > 0 else 0.0 for loss, span in losses]
    worst = int(np.argmax(shares))
    verdict: Verdict = "unverified"
    if shares[worst] <= tolerances.approximate:
        verdict = "certified" if shares[worst] <= tolerances.certified else "approximate"
    whose = players[leader] if worst == 0 else players[1 - leader]
    return Certificate(
        verdict,
        losses[worst][0],
        float("nan"),
        whose if shares[worst] > 0 else None,
        "not proven",
        "other optimal commitments can exist",
        "a linear program for each answer; bounds from multipliers, recomputed",
        "all mixed commitments of the leader; the follower's answer among all its strategies",
        tolerances,
    )


def _nash(games: Sequence[FiniteGame], leader: int) -> tuple[Number, Number] | None:
    """The leader's lowest and highest Nash payoffs without commitment, one type."""
    if len(games) > 1:
        return None
    try:
        found: EquilibriumSet = find_equilibria(games[0])
    except GameTooLargeError:
        return None
    earned = [p.payoffs[leader] for p in found]
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
    what = "types must be a list of pairs (probability, FiniteGame)"
    pairs = listed(types, "types", "pairs (probability, FiniteGame)")
    if not pairs:
        raise InvalidValueError(f"{what}, got none.")
    for k, pair in enumerate(pairs):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise InvalidValueError(f"{what}; type {k + 1} is {shown(pair)}.")
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
