"""5. Users' own games, and finite ones: each player's payoff, and what it can gain.

The argument: in a game of formulas the other players' actions are numbers, or what their part of a sum
comes to; the rest is `deviations`. In a finite game no mixture earns more than its best pure strategy, and
payoffs and probabilities are fractions (doubles are, too), so that a gain is known exactly.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from flint import arb, fmpq

from alliancegame.game import expressions as ex
from alliancegame.game.aggregative import AggregativeGame
from alliancegame.game.custom import ContinuousGame
from alliancegame.game.finite import FiniteGame
from alliancegame.verify.deviations import Gain, Payoff, Profile
from alliancegame.verify.intervals import REAL, WHOLE, Interval, Known, enclose


class Actions(Profile):
    """A profile of actions in a game of formulas."""

    def __init__(self, game: ContinuousGame | AggregativeGame, actions: Sequence[float]) -> None:
        self.names, self.values, self.playing = game.players, list(actions), range(game.size)
        self.units = [1.0] * game.size
        of: Any = _of_sums if isinstance(game, AggregativeGame) else _of_actions
        self.payoffs: list[Payoff] = of(game, actions)

    def payoff(self, i: int) -> Payoff:
        """The payoff of a player."""
        return self.payoffs[i]


def _payoff(formula: Any, known: Known, own: Sequence[tuple[Any, float, float, float]]) -> Payoff:
    """The payoff of a player whose own actions are given: symbol, number, and both bounds of each."""
    symbols, at, low, high = zip(*own, strict=True)
    known = {s: y for s, y in known.items() if s not in symbols}
    formula, here = _exact(formula, known), tuple(map(Interval, at))
    now = enclose(formula, known | dict(zip(symbols, here, strict=True)))
    box = tuple(map(Interval, map(float, low), map(float, high)))
    return Payoff(formula, known, symbols, here, [(box, {})], now)


def _exact(formula: Any, known: Known) -> Any:
    """A formula of a file without doubles, which SymPy would round: they are fractions.

    What is known of an exponent is put in, so that a power is one of an exact number where it can be.
    """
    points = [s for s, y in known.items() if y.lo == y.hi == arb(float(y.lo))]
    modest = [s for s in points if abs(known[s].lo) <= ex.MOST_POWER]
    numbers = {s: sp.Rational(float(known[s].lo)) for s in modest}
    made = formula.xreplace({number: sp.Rational(number) for number in formula.atoms(sp.Float)})
    return made.replace(lambda e: e.is_Pow, lambda e: e.base ** e.exp.xreplace(numbers))


def _of_actions(game: ContinuousGame, actions: Sequence[float]) -> list[Payoff]:
    known = {ex.symbol(name): Interval(value) for name, value in game.parameters.items()}
    known |= {s: Interval(a) for s, a in zip(game.symbols, actions, strict=True)} | {REAL: WHOLE}
    every = list(zip(game.symbols, actions, game.low, game.high, strict=True))
    own = [[every[k] for k in game.own(i)] for i in range(game.size)]
    return [_payoff(game.payoffs[p], known, own[i]) for i, p in enumerate(game.players)]


def _of_sums(game: AggregativeGame, actions: Sequence[float]) -> list[Payoff]:
    """Each sum as an own part and the sum over all others."""
    given = {ex.symbol(name): game.by_player_value(name) for name in game.parameters}
    known: list[Known] = [
        {REAL: WHOLE} | {s: Interval(float(values[i])) for s, values in given.items()}
        for i in range(game.size)
    ]
    whole = {}
    for name, rule in game.aggregates.items():
        rest, own = sp.Dummy(name, real=True), _exact(rule, {})
        whole[ex.symbol(name)], parts = rest + own, []
        for k, action in zip(known, actions, strict=True):
            parts.append(enclose(_exact(own, k), k | {game.symbol: Interval(action)}))
        # Sums before and after a player: the whole less its own part would be less exact.
        before, after = Interval(0), list(itertools.accumulate(parts[::-1], initial=Interval(0)))
        for i, k in enumerate(known):
            k[rest] = before + after[game.size - 1 - i]
            before += parts[i]
    formula = _exact(game.payoff, {}).xreplace(whole)
    each = zip(known, actions, game.low, game.high, strict=True)
    return [_payoff(formula, k, [(game.symbol, *own)]) for k, *own in each]


class Mixtures(Profile):
    """A profile of mixtures in a finite game, the probabilities of each scaled to add up to 1."""

    def __init__(self, game: FiniteGame, mixtures: Sequence[Sequence[Fraction]]) -> None:
        self.names, self.playing = game.players, range(game.size)
        self.values = [float(p) for mixture in mixtures for p in mixture]
        self.units = [max(float(max(t.flat) - min(t.flat)), 1.0) for t in game.fractions]
        self.shares = [np.array([p / sum(mixture) for p in mixture]) for mixture in mixtures]
        self.tables = game.fractions

    def _by_strategy(self, i: int) -> Any:
        table = self.tables[i]
        for j in reversed(self.playing):
            if j != i:
                table = np.tensordot(table, self.shares[j], axes=(j, 0))
        return table

    def paid(self, i: int) -> Interval:
        """What a player earns."""
        return Interval(_ball(self._by_strategy(i) @ self.shares[i]))

    def gain(self, i: int, target: Any) -> Gain:
        """What another strategy adds."""
        table = self._by_strategy(i)
        gain = _ball(max(table) - table @ self.shares[i])
        return Gain(gain.upper(), gain.lower())


def _ball(value: Any) -> Any:
    exact = Fraction(value)
    return arb(fmpq(exact.numerator, exact.denominator))
