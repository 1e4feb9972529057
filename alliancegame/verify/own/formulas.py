"""Games of formulas: each player's payoff as a function of its own actions.

The argument: the other players' actions are numbers, or what their part of a sum comes to; the rest is
`deviations`. Formulas are taken as they stand in the file, but doubles become fractions, and
`sign` a `Piecewise`. Of a logarithm or a root of what may be negative nothing is known (`REAL`).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import sympy as sp
from flint import arb

from alliancegame.game import expressions as ex
from alliancegame.game.aggregative import AggregativeGame
from alliancegame.game.custom import ContinuousGame
from alliancegame.verify.deviations import Payoff
from alliancegame.verify.intervals import REAL, WHOLE, Interval, Known, enclose
from alliancegame.verify.profile import Profile


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
    formula, here = exact(formula, known), tuple(map(Interval, at))
    now = enclose(formula, known | dict(zip(symbols, here, strict=True)))
    box = tuple(map(Interval, map(float, low), map(float, high)))
    return Payoff(formula, known, symbols, here, [(box, {})], now)


def exact(formula: Any, known: Known) -> Any:
    """A formula without doubles, which SymPy would round: they are fractions.

    What is known of an exponent is put in, so that a power is one of an exact number where it can be. This
    comes first, as SymPy may make an `Abs` of it, the root of a square.
    """
    points = [s for s, y in known.items() if y.lo == y.hi == arb(float(y.lo))]
    modest = [s for s in points if abs(known[s].lo) <= ex.MOST_POWER]
    numbers = {s: sp.Rational(float(known[s].lo)) for s in modest}
    made = formula.xreplace({number: sp.Rational(number) for number in formula.atoms(sp.Float)})
    made = made.replace(lambda e: e.is_Pow, lambda e: e.base ** e.exp.xreplace(numbers))
    return made.replace(sp.sign, lambda y: sp.Piecewise((1, y > 0), (-1, y < 0), (0, True)))


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
        rest, own = sp.Dummy(name, real=True), exact(rule, {})
        whole[ex.symbol(name)], parts = rest + own, []
        for k, action in zip(known, actions, strict=True):
            parts.append(enclose(exact(own, k), k | {game.symbol: Interval(action)}))
        # Sums before and after a player: the whole less its own part would be less exact.
        before, after = Interval(0), list(itertools.accumulate(parts[::-1], initial=Interval(0)))
        for i, k in enumerate(known):
            k[rest] = before + after[game.size - 1 - i]
            before += parts[i]
    formula = exact(game.payoff, {}).xreplace(whole)
    each = zip(known, actions, game.low, game.high, strict=True)
    return [_payoff(formula, k, [(game.symbol, *own)]) for k, *own in each]
