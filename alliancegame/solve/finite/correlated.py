"""Correlated and coarse correlated equilibria: the best by any linear objective, by linear programming.

A mediator draws a cell and tells each player its own part of it. In a correlated equilibrium (Aumann,
1974) nobody gains by doing something else than told; in a coarse one (Moulin and Vial, 1978) nobody
gains by choosing without listening.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import GameTooLargeError, InvalidValueError, unknown_name
from alliancegame.game.checks import check_flag, shown
from alliancegame.game.finite import FiniteGame, check_finite_game, number
from alliancegame.game.parameters import Array, as_number
from alliancegame.solve.certificate import Certificate, Verdict
from alliancegame.solve.finite.profile import provenance
from alliancegame.solve.finite.programs import maximise_least
from alliancegame.solve.result import Result
from alliancegame.solve.tolerances import DEFAULT, Tolerances, check_tolerances

if TYPE_CHECKING:
    import pandas as pd

MOST_CELLS = 20_000
OBJECTIVES = ("alliance", "fairest", "leader")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CorrelatedEquilibrium(Result):
    """A distribution over cells that is best by its objective among all such equilibria.

    `distribution` has the shape of the game; `payoffs` are expected payoffs in player order; `value`
    is what the objective attains and `gap` bounds what another such equilibrium could add. `coarse`
    says which kind. The certificate's regret is the largest gain of any player from disobeying.
    """

    kind: ClassVar[str] = "correlated-equilibrium"

    game: FiniteGame
    distribution: Array
    objective: str
    value: float
    gap: float
    coarse: bool
    certificate: Certificate

    @property
    def payoffs(self) -> tuple[float, ...]:
        """Expected payoffs in player order."""
        return tuple(float((a * self.distribution).sum()) for a in self.game.payoffs)

    @property
    def payoff(self) -> dict[str, float]:
        """Expected payoff by player."""
        return dict(zip(self.game.players, self.payoffs, strict=True))

    def headline(self) -> str:
        """One line that says what was found."""
        kind = "coarse correlated" if self.coarse else "correlated"
        paid = ", ".join(number(u) for u in self.payoffs)
        return (
            f"{kind} equilibrium, best for {self.objective}: payoffs {paid}; "
            f"{self.certificate.verdict}, duality gap {self.gap:.1g}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Cells with a probability, and what everybody earns there."""
        import pandas as pd

        rows = []
        for cell in np.argwhere(self.distribution > 0):
            at = tuple(int(k) for k in cell)
            played = [s[k] for s, k in zip(self.game.strategies, at, strict=True)]
            earned = [float(a[at]) for a in self.game.payoffs]
            rows.append([*played, float(self.distribution[at]), *earned])
        columns = [*self.game.players, "probability"]
        return pd.DataFrame(
            rows, columns=[*columns, *(f"payoff of {p}" for p in self.game.players)]
        )

    def _content(self) -> dict[str, Any]:
        content = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return content | {
            "game": self.game.to_dict(),
            "distribution": self.distribution.ravel().tolist(),
            "payoff": self.payoff,
            "certificate": self.certificate.to_dict(),
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        values = {f.name: content[f.name] for f in dataclasses.fields(cls)}
        game = FiniteGame.from_dict(content["game"], content["provenance"]["game"])
        return cls(
            **values
            | {
                "game": game,
                "distribution": np.array(content["distribution"]).reshape(game.shape),
                "certificate": Certificate.from_dict(content["certificate"]),
            }
        )


def solve_correlated(
    game: FiniteGame,
    objective: Any = "alliance",
    *,
    coarse: bool = False,
    tolerances: Tolerances = DEFAULT,
) -> CorrelatedEquilibrium:
    """The correlated (or coarse correlated) equilibrium that is best by an objective.

    `objective` is "leader" (the first player's payoff), "alliance" (the sum of payoffs), "fairest"
    (the least payoff, as large as can be), a player's label, a dict {player: weight}, or an array of
    the game's shape. Payoffs are compared as they are: rescale them first if their units differ.

    Raises `GameTooLargeError` beyond 20,000 cells, `InvalidValueError`, `UnknownNameError`.

    >>> chicken = FiniteGame([[[0, 7], [2, 6]], [[0, 2], [7, 6]]])
    >>> [round(u, 9) for u in solve_correlated(chicken).payoffs]  # Aumann (1974)
    [5.25, 5.25]
    """
    check_finite_game(game, "solve_correlated")
    check_flag(coarse, "coarse")
    check_tolerances(tolerances)
    if game.cells > MOST_CELLS:
        raise GameTooLargeError(
            f"the game has {game.cells:,} cells, and linear programs over cells are limited to "
            f"{MOST_CELLS:,}: use fewer strategies."
        )
    rows, offset, words = _objectives(game, objective)
    constraints = incentives(game, coarse=coarse)
    found, _ = maximise_least(rows, constraints)
    gains = _gains(game, found.point.reshape(game.shape), coarse)
    return CorrelatedEquilibrium(
        game,
        found.point.reshape(game.shape),
        words,
        float(Fraction(found.value) + offset),
        found.gap,
        coarse,
        _certificate(game, gains, tolerances),
    )


def incentives(game: FiniteGame, *, coarse: bool) -> Array:
    """Rows (constraint, cell): products with the distribution are gains from disobeying."""
    rows = []
    for i, payoff in enumerate(game.levelled):
        for other in range(game.shape[i]):
            gain = np.expand_dims(payoff.take(other, axis=i), i) - payoff
            if coarse:
                rows.append(gain.ravel())
                continue
            for told in range(game.shape[i]):
                if told != other:
                    row = np.zeros(game.shape)
                    at = tuple(told if j == i else slice(None) for j in range(game.size))
                    row[at] = gain[at]
                    rows.append(row.ravel())
    return np.array(rows).reshape(-1, game.cells)


def _gains(game: FiniteGame, distribution: Array, coarse: bool) -> list[float]:
    """The most that each player gains by the best plan of disobedience, recomputed from payoffs."""
    made = []
    for i, payoff in enumerate(game.levelled):
        p = np.moveaxis(distribution, i, 0).reshape(game.shape[i], -1)
        u = np.moveaxis(payoff, i, 0).reshape(game.shape[i], -1)
        if coarse:
            made.append(float((p.sum(axis=0) @ u.T).max() - (p * u).sum()))
        else:
            by_told = p @ u.T  # (told, done)
            made.append(float((by_told.max(axis=1) - np.diag(by_told)).sum()))
    return made


def _certificate(game: FiniteGame, gains: list[float], tolerances: Tolerances) -> Certificate:
    spans = [max(float(a.max()), 1e-300) for a in game.levelled]
    worst = int(np.argmax(gains))
    share = max(g / s for g, s in zip(gains, spans, strict=True))
    verdict: Verdict = "unverified"
    if share <= tolerances.approximate:
        verdict = "certified" if share <= tolerances.certified else "approximate"
    return Certificate(
        verdict,
        max(gains[worst], 0.0),
        float("nan"),
        game.players[worst] if gains[worst] > 0 else None,
        "not proven",
        "the optimum of a linear program need not be unique",
        "every plan of disobedience, recomputed; optimality by a bound from multipliers",
        "unilateral deviations that depend on what a player is told",
        tolerances,
    )


def _objectives(game: FiniteGame, objective: Any) -> tuple[Array, Fraction, str]:
    """Objectives whose least is maximised, shape (objectives, cells), less an offset, and their name.

    All payoffs are taken less the first player's smallest, so that no digits go to what they share.
    """
    base = game.smallest[0]
    shifts = [float(least - base) for least in game.smallest]
    payoffs = np.array([a.ravel() + d for a, d in zip(game.levelled, shifts, strict=True)])
    if isinstance(objective, str):
        if objective == "leader":
            return payoffs[:1], base, f"the leader ({game.players[0]})"
        if objective == "alliance":
            return payoffs.sum(axis=0, keepdims=True), game.size * base, "the sum of payoffs"
        if objective == "fairest":
            return payoffs, base, "the worst-off player"
        if objective not in game.players:
            raise unknown_name("objective", objective, (*OBJECTIVES, *game.players))
        place = game.index_of(objective)
        return payoffs[[place]], base, objective
    if isinstance(objective, Mapping):
        weights = np.zeros(game.size)
        for player, weight in objective.items():
            weights[game.index_of(player)] = as_number(weight, f"weight of {player}")
        words = "weights " + ", ".join(f"{w:g}" for w in weights)
        return (weights @ payoffs)[None], sum(map(Fraction, weights), Fraction(0)) * base, words
    array = _numbers(objective)
    if array is None or array.shape != game.shape:
        raise InvalidValueError(
            f"objective must be one of {', '.join(map(repr, OBJECTIVES))}, a player, a dict "
            f"{{player: weight}}, or finite numbers of shape {game.shape}; got {shown(objective)}."
        )
    return array.reshape(1, -1), Fraction(0), "the given objective"


def _numbers(values: Any) -> Array | None:
    """Finite numbers as an array; None for anything else."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return array if np.isfinite(array).all() else None
