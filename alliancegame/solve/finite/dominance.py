"""Dominance: what rational players do not play, and which of two equilibria they might expect.

The order of elimination does not matter for strict dominance. For weak dominance it can, so one
stated order is used (all strategies dominated in a round go together), and equilibria can be lost.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.game.checks import check_flag
from alliancegame.game.finite import FiniteGame, check_finite_game
from alliancegame.game.parameters import Array
from alliancegame.solve.finite.plainly import PlainResult, encoded

if TYPE_CHECKING:
    import pandas as pd


def strictly_undominated(game: FiniteGame) -> list[list[int]]:
    """What survives iterated elimination of strategies strictly dominated by pure ones, by index.

    Comparisons are exact. No equilibrium, and no correlated equilibrium, plays anything else.
    """
    keep = [list(range(m)) for m in game.shape]
    changed = True
    while changed:
        changed = False
        for i in range(game.size):
            payoff = np.moveaxis(game.comparable[i][np.ix_(*keep)], i, 0)
            flat = payoff.reshape(len(keep[i]), -1)
            dominated = [k for k in range(len(flat)) if bool((flat > flat[k]).all(axis=1).any())]
            if dominated:
                keep[i] = [s for k, s in enumerate(keep[i]) if k not in dominated]
                changed = True
    return keep


@dataclasses.dataclass(frozen=True)
class Step:
    """One elimination: the round, the player, its strategy, and what dominates it."""

    round: int
    player: str
    strategy: str
    dominator: dict[str, Fraction]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Elimination(PlainResult):
    """Iterated dominance: the steps, what is left, and how strong the notion was.

    `dominance` is "strict" or "weak", `by` "pure" or "mixed" dominators. Every step was checked in
    exact arithmetic.
    """

    kind: ClassVar[str] = "elimination"

    original: FiniteGame
    game: FiniteGame
    steps: tuple[Step, ...]
    dominance: str
    by: str

    @property
    def solved(self) -> bool:
        """Whether a single profile is left."""
        return self.game.cells == 1

    @property
    def statement(self) -> str:
        """What may be concluded."""
        left = " x ".join(map(str, self.game.shape))
        head = f"{len(self.steps)} strategies {self.dominance}ly dominated by {self.by} ones; {left} left"
        if self.dominance == "strict":
            return f"{head}; no equilibrium is lost, and the order does not matter"
        return f"{head}; equilibria can be lost, and another order could leave others"

    def to_frame(self) -> pd.DataFrame:
        """A row for each elimination."""
        import pandas as pd

        rows = [
            (
                s.round,
                s.player,
                s.strategy,
                " + ".join(f"{p} {label}" for label, p in s.dominator.items()),
            )
            for s in self.steps
        ]
        return pd.DataFrame(rows, columns=["round", "player", "strategy", "dominated by"])

    def headline(self) -> str:
        """One line that says what was found."""
        return self.statement

    def _content(self) -> dict[str, Any]:
        steps = [[s.round, s.player, s.strategy, encoded(s.dominator)] for s in self.steps]
        return super()._content() | {"steps": steps}

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        found = super().from_content(content)
        steps: Any = found.steps  # Tuples of their fields, so far.
        return dataclasses.replace(found, steps=tuple(Step(*values) for values in steps))


def eliminate_dominated(
    game: FiniteGame, *, strict: bool = True, mixed: bool = True
) -> Elimination:
    """Eliminate dominated strategies again and again, all those of a round together.

    `strict` asks for a dominator that is better against everything, otherwise one that is never
    worse and somewhere better. `mixed` admits mixed dominators (found by linear programs, then
    checked with fractions: what is not surely dominated stays).

    >>> pd = FiniteGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
    >>> eliminate_dominated(pd).solved
    True
    """
    check_finite_game(game, "eliminate_dominated")
    check_flag(strict, "strict")
    check_flag(mixed, "mixed")
    keep = [list(range(m)) for m in game.shape]
    steps: list[Step] = []
    for turn in itertools.count(1):
        gone: list[tuple[int, int]] = []
        for i in range(game.size):
            rows = np.moveaxis(game.integers[i][np.ix_(*keep)], i, 0).reshape(len(keep[i]), -1)
            for k in range(len(rows)):
                weights = _dominator(rows, k, strict, mixed)
                if weights is not None:
                    labels = [game.strategies[i][s] for s in keep[i]]
                    chances = {labels[s]: w for s, w in weights.items()}
                    steps.append(Step(turn, game.players[i], labels[k], chances))
                    gone.append((i, keep[i][k]))
        if not gone:
            break
        keep = [[s for s in own if (i, s) not in gone] for i, own in enumerate(keep)]
    return Elimination(
        game,
        game.restrict(keep),
        tuple(steps),
        "strict" if strict else "weak",
        "pure or mixed" if mixed else "pure",
    )


def _dominator(rows: Any, k: int, strict: bool, mixed: bool) -> dict[int, Fraction] | None:
    """Weights on rows that dominate row k, checked exactly; None if none is found."""
    for s in range(len(rows)):
        if s != k and _dominates(rows[s], rows[k], strict):
            return {s: Fraction(1)}
    if not mixed or len(rows) < 3:
        return None
    others = [s for s in range(len(rows)) if s != k]
    scale = max(1, int(max(abs(x) for x in rows.flat)))
    gains = np.array(
        [[(x - y) / scale for x, y in zip(rows[s], rows[k], strict=True)] for s in others]
    )
    guess = _strict_guess(gains) if strict else _weak_guess(gains)
    if guess is None:
        return None
    for denominator in (12, 1000, 10**6, 10**9):
        weights = [Fraction(float(w)).limit_denominator(denominator) for w in guess]
        total = sum(weights)
        if total <= 0:
            continue
        mixture = [w / total for w in weights]
        combined = sum((w * rows[s] for w, s in zip(mixture, others, strict=True)), 0 * rows[k])
        if _dominates(combined, rows[k], strict):
            return {s: w for s, w in zip(others, mixture, strict=True) if w}
    return None


def _dominates(one: Any, other: Any, strict: bool) -> bool:
    if strict:
        return bool((one > other).all())
    return bool((one >= other).all() and (one > other).any())


def _strict_guess(gains: Array) -> Array | None:
    """Weights whose least gain is largest, if it is positive."""
    from scipy.optimize import linprog

    count, cells = gains.shape
    found = linprog(
        np.r_[np.zeros(count), -1.0],
        A_ub=np.hstack([-gains.T, np.ones((cells, 1))]),
        b_ub=np.zeros(cells),
        A_eq=np.r_[np.ones(count), 0.0][None],
        b_eq=[1.0],
        bounds=[*[(0, None)] * count, (None, None)],
        method="highs",
    )
    return None if found.x is None or found.x[-1] <= 0 else np.maximum(found.x[:-1], 0.0)


def _weak_guess(gains: Array) -> Array | None:
    """Weights that lose nowhere and gain most in all."""
    from scipy.optimize import linprog

    count, cells = gains.shape
    found = linprog(
        -gains.sum(axis=1),
        A_ub=-gains.T,
        b_ub=np.zeros(cells),
        A_eq=np.ones((1, count)),
        b_eq=[1.0],
        method="highs",
    )
    return None if found.x is None or found.fun >= -1e-12 else np.maximum(found.x, 0.0)


# --- Which equilibrium ----------------------------------------------------------------------------


def risk_dominance(game: FiniteGame) -> pd.DataFrame:
    """Every pair of strict pure equilibria of a two-player game, and which one dominates how.

    Risk dominance is Harsanyi and Selten's (1988): in the 2 x 2 game of the two equilibria, the one
    with the larger product of losses from deviating alone (pairs that share a strategy have no such
    game and are left out). Payoff dominance: nobody earns less, and somebody more.
    `risk` and `payoff` name the dominant equilibrium, "neither" if there is none; products are exact
    in exact games. Raises `InvalidValueError` for more than two players.
    """
    import pandas as pd

    check_finite_game(game, "risk_dominance")
    game.two_players("risk_dominance")
    A, B = game.fractions if game.exact else game.payoffs
    strict = [
        (int(i), int(j))
        for i, j in np.ndindex(game.shape)
        if (A[:, j] < A[i, j]).sum() == game.shape[0] - 1
        and (B[i, :] < B[i, j]).sum() == game.shape[1] - 1
    ]
    rows = []
    for one, other in itertools.combinations(strict, 2):
        (i, j), (k, h) = one, other
        if i == k or j == h:
            continue
        products = (
            (A[i, j] - A[k, j]) * (B[i, j] - B[i, h]),
            (A[k, h] - A[i, h]) * (B[k, h] - B[k, j]),
        )
        gains = A[i, j] - A[k, h], B[i, j] - B[k, h]
        first, second = (
            ", ".join(s[c] for s, c in zip(game.strategies, cell, strict=True))
            for cell in (one, other)
        )
        payoff = "neither"
        if min(gains) >= 0 and max(gains) > 0:
            payoff = first
        elif max(gains) <= 0 and min(gains) < 0:
            payoff = second
        risk = (
            "neither"
            if products[0] == products[1]
            else first
            if products[0] > products[1]
            else second
        )
        rows.append((first, second, *map(float, products), risk, payoff))
    columns = ["one", "other", "product of one", "product of other", "risk", "payoff"]
    return pd.DataFrame(rows, columns=columns)
