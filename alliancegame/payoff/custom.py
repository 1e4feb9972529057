"""A user's game as functions: payoffs, marginal payoffs and their derivatives, in floats and boxes.

One definition, the user's formulas: what is differentiated here is what `ag.latex` prints.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from alliancegame.game.custom import ContinuousGame
from alliancegame.game.parameters import Array
from alliancegame.payoff.enclosures import Enclosure, enclosure
from alliancegame.payoff.lines import Line, as_pieces, derivative, line


@functools.lru_cache(maxsize=64)
def compiled(game: ContinuousGame) -> CompiledGame:
    """The functions of a game, made once."""
    return CompiledGame(game)


@dataclasses.dataclass(frozen=True, eq=False)
class CompiledGame:
    """Floats take profiles of shape (batch, actions); boxes take a pair (lo, hi) for each action."""

    game: ContinuousGame

    @cached_property
    def payoffs(self) -> tuple[Any, ...]:
        """Payoffs with kinks written as pieces."""
        return tuple(as_pieces(u) for u in self.game.numeric)

    @cached_property
    def marginals(self) -> tuple[Any, ...]:
        """Each action's marginal payoff to the player who chooses it."""
        return tuple(
            sp.diff(self.payoffs[i], s)
            for i, s in zip(self.game.owner.tolist(), self.game.symbols, strict=True)
        )

    @cached_property
    def jacobian(self) -> tuple[tuple[Any, ...], ...]:
        """Derivatives of marginal payoffs in all actions."""
        return tuple(tuple(sp.diff(f, s) for s in self.game.symbols) for f in self.marginals)

    @cached_property
    def value_at(self) -> Callable[[Array], Array]:
        """Payoffs, (batch, players)."""
        return numeric(self.game.symbols, self.payoffs)

    @cached_property
    def marginal_at(self) -> Callable[[Array], Array]:
        """Marginal payoffs, (batch, actions)."""
        return numeric(self.game.symbols, self.marginals)

    @cached_property
    def jacobian_at(self) -> Callable[[Array], Array]:
        """Derivatives of marginal payoffs, (batch, actions, actions)."""
        size = len(self.game.symbols)
        flat = numeric(self.game.symbols, [entry for row in self.jacobian for entry in row])
        return lambda x: flat(x).reshape(-1, size, size)

    @cached_property
    def knots(self) -> tuple[tuple[float, ...], ...]:
        """For each action, the numbers at which a Max, Abs or Piecewise in it alone changes branch."""
        conditions = {c for u in self.payoffs for c in u.atoms(sp.core.relational.Relational)}
        return tuple(_roots(conditions, a.symbol, a.low, a.high) for a in self.game.every_action)

    @functools.cache  # noqa: B019 (kept with the game's functions, which are few)
    def along(self, action: int, piece: int) -> Line:
        """The owner's payoff along an action, in a piece between two knots."""
        symbols = self.game.symbols
        others = [s for k, s in enumerate(symbols) if k != action]
        owner = self.game.owner[action]
        settled = on_piece(self.payoffs[owner], symbols[action], self.middle(action, piece))
        return line(settled, symbols[action], others, self.game.numeric[owner])

    def ends(self, action: int) -> list[float]:
        """The ends of an action's pieces."""
        one = self.game.every_action[action]
        return [one.low, *self.knots[action], one.high]

    def middle(self, action: int, piece: int) -> float:
        """A number inside a piece."""
        ends = self.ends(action)
        return 0.5 * (ends[piece] + ends[piece + 1])

    @cached_property
    def values(self) -> tuple[Enclosure, ...]:
        """Enclosures of the payoffs as the user wrote them."""
        return tuple(enclosure(u, self.game.symbols) for u in self.game.numeric)

    @functools.cache  # noqa: B019
    def on_pieces(self, pieces: tuple[int, ...]) -> Pieces:
        """Enclosures of marginal payoffs and their derivatives in a product of pieces."""
        inside = {
            s: self.middle(k, p)
            for k, (s, p) in enumerate(zip(self.game.symbols, pieces, strict=True))
        }
        payoffs = list(self.payoffs)
        for s, middle in inside.items():
            payoffs = [on_piece(u, s, middle) for u in payoffs]
        symbols = self.game.symbols
        marginals = [
            derivative(payoffs[i], s)
            for i, s in zip(self.game.owner.tolist(), symbols, strict=True)
        ]
        return Pieces(
            tuple(enclosure(u, symbols) for u in payoffs),
            tuple(enclosure(f, symbols) for f in marginals),
            tuple(tuple(enclosure(sp.diff(f, s), symbols) for s in symbols) for f in marginals),
            numeric(symbols, marginals),
        )


@dataclasses.dataclass(frozen=True)
class Pieces:
    """Enclosures in one product of pieces, and the marginal payoffs in floats."""

    values: tuple[Enclosure, ...]
    marginals: tuple[Enclosure, ...]
    jacobian: tuple[tuple[Enclosure, ...], ...]
    marginal_at: Callable[[Array], Array]


def numeric(symbols: Sequence[Any], expressions: Sequence[Any]) -> Callable[[Array], Array]:
    """Expressions as a function of arrays of shape (batch, symbols); nan where undefined."""
    # NumPy's `select`, as which ITE is printed, would make floats of truth values.
    plain = [
        e.replace(sp.ITE, lambda c, a, b: (c & a) | (~c & b)) if e.has(sp.ITE) else e
        for e in map(sp.S, expressions)
    ]
    made = sp.lambdify(list(symbols), plain, "numpy", cse=True)

    def evaluate(x: Array) -> Array:
        with np.errstate(all="ignore"):
            values = made(*np.asarray(x, dtype=np.float64).T)
        out = np.empty((x.shape[0], len(expressions)))
        for k, value in enumerate(values):
            out[:, k] = np.where(np.isreal(value), np.real(value), np.nan)
        return out

    return evaluate


def on_piece(expression: Any, symbol: Any, middle: float) -> Any:
    """The expression with conditions in `symbol` alone settled as they are at `middle`."""
    at = sp.Float(middle)
    settled = {}
    for condition in expression.atoms(sp.core.relational.Relational):
        if condition.free_symbols == {symbol}:
            with contextlib.suppress(TypeError):  # It compares what is not real there.
                settled[condition] = condition.subs(symbol, at)
    return expression.xreplace(settled) if settled else expression


def _roots(conditions: set[Any], symbol: Any, low: float, high: float) -> tuple[float, ...]:
    found: set[float] = set()
    for condition in conditions:
        if condition.free_symbols != {symbol}:
            continue
        try:
            roots = sp.solve(condition.lhs - condition.rhs, symbol)
        except NotImplementedError:
            continue
        numbers = [r.evalf() for r in roots if not isinstance(r, dict)]
        found |= {float(r) for r in numbers if r.is_real and low < float(r) < high}
    return tuple(sorted(found))
