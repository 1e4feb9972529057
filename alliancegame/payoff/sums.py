"""An `AggregativeGame` as functions: one formula for all players, its derivatives, and enclosures.

A player's payoff is u(x, Z_1, ..., Z_k) with Z_k = sum of a_k(x_j). Its marginal payoff is the total
derivative F = u_x + sum over k of u_{Z_k} a_k', and the matrix of all derivatives of F is diagonal
(F in the own action, sums held) plus rank k (F in the sums, times a_k').
"""

from __future__ import annotations

import dataclasses
import functools
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from alliancegame.game.aggregative import AggregativeGame
from alliancegame.game.expressions import symbol
from alliancegame.game.parameters import Array
from alliancegame.payoff.enclosures import Enclosure, enclosure
from alliancegame.payoff.intervals import Interval
from alliancegame.payoff.lines import Line, as_pieces, line


@functools.lru_cache(maxsize=64)
def compiled_sums(game: AggregativeGame) -> CompiledSums:
    """The functions of a game, made once."""
    return CompiledSums(game)


@dataclasses.dataclass(frozen=True, eq=False)
class CompiledSums:
    """Actions are arrays (n,) or (batch, n), sums tuples of arrays that broadcast against them."""

    game: AggregativeGame

    @cached_property
    def sums(self) -> tuple[Any, ...]:
        """The symbols of the aggregates."""
        return tuple(symbol(z) for z in self.game.aggregates)

    @cached_property
    def parameters(self) -> tuple[Any, ...]:
        """The symbols of the parameters."""
        return tuple(symbol(name) for name in self.game.parameters)

    @cached_property
    def given(self) -> tuple[Array, ...]:
        """The parameters' values by player."""
        return tuple(self.game.by_player_value(name) for name in self.game.parameters)

    @cached_property
    def payoff(self) -> Any:
        """U with kinks as pieces."""
        return as_pieces(self.game.payoff)

    @cached_property
    def rules(self) -> tuple[Any, ...]:
        """a_k with kinks as pieces."""
        return tuple(as_pieces(rule) for rule in self.game.aggregates.values())

    @cached_property
    def rates(self) -> tuple[Any, ...]:
        """a_k'."""
        return tuple(sp.diff(rule, self.game.symbol) for rule in self.rules)

    @cached_property
    def marginal(self) -> Any:
        """F, the total derivative of the payoff in the own action."""
        terms = [
            sp.diff(self.payoff, z) * rate for z, rate in zip(self.sums, self.rates, strict=True)
        ]
        return sp.Add(sp.diff(self.payoff, self.game.symbol), *terms)

    @cached_property
    def _symbols(self) -> tuple[Any, ...]:
        return (self.game.symbol, *self.sums, *self.parameters)

    @cached_property
    def _newton(self) -> Any:
        f = self.marginal
        parts = [f, sp.diff(f, self.game.symbol), *(sp.diff(f, z) for z in self.sums), *self.rates]
        return sp.lambdify(list(self._symbols), parts, "numpy", cse=True)

    @cached_property
    def _marginal(self) -> Any:
        return sp.lambdify(list(self._symbols), [self.marginal], "numpy", cse=True)

    @cached_property
    def _payoff(self) -> Any:
        return sp.lambdify(list(self._symbols), [self.payoff], "numpy", cse=True)

    @cached_property
    def _rules(self) -> Any:
        return sp.lambdify(
            [self.game.symbol, *self.parameters], list(self.rules), "numpy", cse=True
        )

    def _call(self, made: Any, x: Array, *sums: Any) -> list[Array]:
        with np.errstate(all="ignore"):
            values = made(x, *sums, *self.given)
        return [np.broadcast_to(np.asarray(v, dtype=float), x.shape) for v in values]

    def parts(self, x: Array) -> list[Array]:
        """a_k(x) for every player."""
        return self._call(self._rules, x)

    def totals(self, x: Array) -> list[Any]:
        """The aggregates, with a last axis of length 1."""
        return [np.sum(a, axis=-1, keepdims=True) for a in self.parts(x)]

    def newton_terms(self, x: Array) -> tuple[Array, Array, list[Array], list[Array]]:
        """F, its derivatives in the own action and in each sum, and a_k'."""
        k = len(self.sums)
        made = self._call(self._newton, x, *self.totals(x))
        return made[0], made[1], made[2 : 2 + k], made[2 + k :]

    def marginals(self, x: Array, sums: Any) -> Array:
        """F at actions and given sums."""
        return self._call(self._marginal, x, *sums)[0]

    def payoffs(self, x: Array, sums: Any = None) -> Array:
        """U at actions and, unless given, their own sums."""
        return self._call(self._payoff, x, *(self.totals(x) if sums is None else sums))[0]

    @cached_property
    def knots(self) -> list[list[float]]:
        """For each player the actions at which a Max, Abs or Piecewise changes branch, sums apart."""
        own = {self.game.symbol}
        known = own | set(self.parameters)
        made: list[list[float]] = [[] for _ in range(self.game.size)]
        formulas = [self.payoff, *self.rules]
        conditions = {c for f in formulas for c in f.atoms(sp.core.relational.Relational)}
        for condition in conditions:
            if not own <= condition.free_symbols <= known:
                continue
            for root in sp.solve(condition.lhs - condition.rhs, self.game.symbol):
                at = sp.lambdify(list(self.parameters), [root], "numpy")(*self.given)[0]
                places = np.broadcast_to(np.asarray(at), (self.game.size,))
                for i, place in enumerate(places.tolist()):
                    if np.isreal(place) and self.game.low[i] < np.real(place) < self.game.high[i]:
                        made[i].append(float(np.real(place)))
        return [sorted(set(places)) for places in made]

    @property
    def smooth(self) -> bool:
        """Whether no formula has a kink or a second branch."""
        return not any(f.has(sp.Piecewise) for f in (self.payoff, *self.rules))

    # Enclosures --------------------------------------------------------------------------------------

    @cached_property
    def others(self) -> tuple[Any, ...]:
        """Symbols for what the others add to each sum."""
        return tuple(sp.Symbol(f"others of {z}", real=True) for z in self.game.aggregates)

    @cached_property
    def along(self) -> Line:
        """The payoff along the own action, given what others add to the sums."""
        pieces, plain = (
            u.subs({z: r + a for z, r, a in zip(self.sums, self.others, rules, strict=True)})
            for u, rules in (
                (self.payoff, self.rules), (self.game.payoff, self.game.aggregates.values())
            )
        )  # fmt: skip
        return line(pieces, self.game.symbol, [*self.others, *self.parameters], plain)

    @cached_property
    def part_boxes(self) -> tuple[Enclosure, ...]:
        """Enclosures of a_k."""
        symbols = [self.game.symbol, *self.parameters]
        return tuple(enclosure(rule, symbols) for rule in self.game.aggregates.values())

    @cached_property
    def condition_boxes(self) -> tuple[Enclosure, ...]:
        """Enclosures of F, its derivative in the own action, those in each sum, and a_k'."""
        f = self.marginal
        made = [f, sp.diff(f, self.game.symbol), *(sp.diff(f, z) for z in self.sums), *self.rates]
        return tuple(enclosure(e, self._symbols) for e in made)

    def boxes(self, which: Any = slice(None)) -> list[Interval]:
        """The parameters' values as boxes."""
        return [(v[which], v[which]) for v in self.given]
