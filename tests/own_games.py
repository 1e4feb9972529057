"""Published games as users would write them, with equilibria known in closed form.

Each comes with its derivation. `wrong` are profiles that are no equilibria: first-order points from
which a jump pays, corners, or the answer moved a little.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import sympy as sp

from alliancegame.game.aggregative import AggregativeGame
from alliancegame.game.custom import ContinuousGame


@dataclasses.dataclass(frozen=True)
class OwnProblem:
    """A game, its pure equilibria (in action order; none if empty), and profiles that are none."""

    name: str
    game: ContinuousGame | AggregativeGame
    equilibria: tuple[tuple[float, ...], ...]
    wrong: tuple[tuple[float, ...], ...] = ()


OWN: dict[str, OwnProblem] = {}


def _add(name: str, game: Any, *equilibria: tuple[float, ...], wrong: Any = ()) -> None:
    OWN[name] = OwnProblem(name, game, equilibria, tuple(wrong))


q, total, cost, wealth, own, w = sp.symbols("q Q c w a g")
x1, x2, x3, x4 = sp.symbols("x1 x2 x3 x4")

# --- Contests -----------------------------------------------------------------------------------------

# K10: two groups, values 3 and 1, effort linear. First-order conditions V_i x_j / (x_1 + x_2)^2 = 1 give
# x_1 / x_2 = V_1 / V_2 and x_i = V_i^2 V_j / (V_1 + V_2)^2 (Hillman & Riley 1989).
_add(
    "K10",
    ContinuousGame(
        {"1": 3 * x1 / (x1 + x2) - x1, "2": x2 / (x1 + x2) - x2},
        {"1": (x1, 0, 3), "2": (x2, 0, 3)},
    ),
    (0.5625, 0.1875),
    wrong=[(0.1875, 0.5625), (0.56, 0.1875), (0.75, 0.0)],
)

# Groups with members: a group's prize is a public good to it, so only the member who values it most
# pays (Baik 1993). Values (3, 2) and (1, 1/2).
_EFFORT = x1 + x2 + x3 + x4
_add(
    "groups with members",
    ContinuousGame(
        {
            "A1": 3 * (x1 + x2) / _EFFORT - x1,
            "A2": 2 * (x1 + x2) / _EFFORT - x2,
            "B1": (x3 + x4) / _EFFORT - x3,
            "B2": (x3 + x4) / _EFFORT / 2 - x4,
        },
        {"A1": (x1, 0, 1), "A2": (x2, 0, 1), "B1": (x3, 0, 1), "B2": (x4, 0, 1)},
    ),
    (0.5625, 0.0, 0.1875, 0.0),
    wrong=[(0.28125, 0.28125, 0.1875, 0.0), (0.0, 0.5625, 0.1875, 0.0)],
)


def lottery(costs: tuple[float, ...]) -> tuple[float, ...]:
    """Prize 1, marginal costs c_i: with k active, Q = (k - 1) / (their costs), q_i = Q (1 - c_i Q).

    Players are active while c_i Q < 1, cheapest first (Stein 2002).
    """
    order = sorted(range(len(costs)), key=costs.__getitem__)
    for k in range(len(costs), 1, -1):
        effort = (k - 1) / sum(costs[i] for i in order[:k])
        if costs[order[k - 1]] * effort < 1:
            return tuple(max(0.0, effort * (1 - c * effort)) for c in costs)
    raise AssertionError("two players are always active")


COSTS = (1.0, 2.5, 1.2, 4.0, 1.5)
_add(
    "lottery with inactive players",
    AggregativeGame(5, (q, 0, 1), q / total - cost * q, {total: q}, {cost: COSTS}),
    lottery(COSTS),
    wrong=[(0.2, 0.1, 0.2, 0.0, 0.1), (0.25, 0.0, 0.25, 0.0, 0.0)],
)

# Decisiveness 1.6, three players alike: the symmetric first-order point 2m/9 earns 1/3 - 2m/9 < 0, so
# each would rather leave; with one inactive, the others play m/4 (Perez-Castrillo & Verdier 1992).
_M = 1.6


def _won(mine: Any, *others: Any) -> Any:
    power = sp.Rational(8, 5)
    return mine**power / sp.Add(mine**power, *(o**power for o in others))


_add(
    "decisive contest with an inactive player",
    ContinuousGame(
        {"1": _won(x1, x2, x3) - x1, "2": _won(x2, x1, x3) - x2, "3": _won(x3, x1, x2) - x3},
        {"1": (x1, 0, 1), "2": (x2, 0, 1), "3": (x3, 0, 1)},
    ),
    (_M / 4, _M / 4, 0.0),
    (_M / 4, 0.0, _M / 4),
    (0.0, _M / 4, _M / 4),
    wrong=[(2 * _M / 9,) * 3],
)

# Decisiveness 3, two players: the only interior first-order point is 3/4 each, which earns 1/2 - 3/4 < 0;
# and whoever faces 0 wants to spend next to nothing. No pure equilibrium (Baye, Kovenock & de Vries 1994).
_HALF = sp.Rational(1, 2)
_add(
    "contest beyond existence",
    ContinuousGame(
        {
            "1": sp.Piecewise((_HALF, sp.Eq(x1 + x2, 0)), (x1**3 / (x1**3 + x2**3), True)) - x1,
            "2": sp.Piecewise((_HALF, sp.Eq(x1 + x2, 0)), (x2**3 / (x1**3 + x2**3), True)) - x2,
        },
        {"1": (x1, 0, 2), "2": (x2, 0, 2)},
    ),
    wrong=[(0.75, 0.75), (0.0, 0.0), (1.0, 0.0)],
)

# --- Public goods ------------------------------------------------------------------------------------

# K1: ln(w - g) + ln G. Contributors have w_i - g_i = G, so G = (10 + 6) / 3, and 2 < G stays out.
_add(
    "K1",
    AggregativeGame(
        3, (q, 0, (10, 6, 2)), sp.log(wealth - q) + sp.log(total), {total: q}, {wealth: (10, 6, 2)}
    ),
    (14 / 3, 2 / 3, 0.0),
    wrong=[(14 / 3 - 0.1, 2 / 3 + 0.1, 0.0), (4.0, 4 / 3, 0.0), (5.0, 0.0, 0.0)],
)

# Warm glow (Andreoni 1990), ln(w - g) + 0.5 ln G + 0.2 ln g: designed, wealth is what makes 1/(w - g) =
# 0.5/G + 0.2/g hold at the contributions chosen.
_GIVEN = (0.3, 0.2, 0.5)
_G = sum(_GIVEN)
_WEALTH = tuple(g + 1 / (0.5 / _G + 0.2 / g) for g in _GIVEN)
_add(
    "warm glow",
    AggregativeGame(
        3,
        (q, 0, 0.8),
        sp.log(wealth - q) + sp.log(total) / 2 + sp.log(q) / 5,
        {total: q},
        {wealth: _WEALTH},
    ),
    _GIVEN,
    wrong=[(0.3, 0.2, 0.4), (0.2, 0.2, 0.2)],
)

# Impure public good (Cornes & Sandler 1984): a unit gives one of the private characteristic, of which
# 0.1 comes from elsewhere, and one of the public: ln(w - q) + 0.3 ln(0.1 + q) + 0.5 ln Q, n alike.
# 1/(w - q) = 0.3/(0.1 + q) + 0.5/(n q) is a quadratic in q.
_N, _W = 4, 2.0
_quadratic = [
    q_ for q_ in sp.solve(1 / (_W - own) - 0.3 / (0.1 + own) - 0.5 / (_N * own), own) if 0 < q_ < _W
]
_IMPURE = float(_quadratic[0])
_add(
    "impure public good",
    AggregativeGame(
        _N, (q, 0, 1.9), sp.log(_W - q) + 0.3 * sp.log(0.1 + q) + sp.log(total) / 2, {total: q}
    ),
    (_IMPURE,) * _N,
    wrong=[(_IMPURE * 1.01,) * _N],
)

# --- Oligopoly ----------------------------------------------------------------------------------------


def cournot(costs: tuple[float, ...], size: float = 10.0) -> tuple[float, ...]:
    """Price size - Q: active firms sell price - c_i, the price is (size + active costs) / (k + 1)."""
    active = list(range(len(costs)))
    while True:
        price = (size + sum(costs[i] for i in active)) / (len(active) + 1)
        left = [i for i in active if costs[i] < price]
        if left == active:
            return tuple(max(0.0, price - c) for c in costs)
        active = left


_FIRMS = (1.0, 2.0, 3.0, 6.0, 8.0)
_add(
    "Cournot with firms that stay out",
    AggregativeGame(5, (q, 0, 10), q * (10 - total) - cost * q, {total: q}, {cost: _FIRMS}),
    cournot(_FIRMS),
    wrong=[(3.0, 2.0, 1.0, 0.5, 0.0), (2.0,) * 5],
)


# --- Commitment -----------------------------------------------------------------------------------------


def sequential(values: tuple[float, float]) -> tuple[ContinuousGame, tuple[float, float]]:
    """Varian (1994): quasi-linear players, values a_i ln G - g_i; player 1 moves first.

    Player 2 fills up to a_2. So player 1 pays a_1 on its own, or nothing if a_1 ln a_2 is more than
    a_1 ln a_1 - a_1, that is ln(a_1 / a_2) < 1.
    """
    game = ContinuousGame(
        {"1": values[0] * sp.log(x1 + x2) - x1, "2": values[1] * sp.log(x1 + x2) - x2},
        {"1": (x1, 0, 5), "2": (x2, 0, 5)},
    )
    free_ride = math.log(values[0] / values[1]) < 1
    return game, ((0.0, values[1]) if free_ride else (values[0], 0.0))


def duopoly(followers: int) -> tuple[ContinuousGame, tuple[float, ...]]:
    """Linear demand 10 - Q, unit cost 1: the leader sells 9/2, each of n followers 9 / (2 (n + 1))."""
    sold = sp.symbols(f"s0:{followers + 1}")
    names = ["leader", *(f"follower {k}" for k in range(1, followers + 1))]
    game = ContinuousGame(
        {p: s * (10 - sp.Add(*sold)) - s for p, s in zip(names, sold, strict=True)},
        {p: (s, 0, 10) for p, s in zip(names, sold, strict=True)},
    )
    return game, (4.5, *((9 / (2 * (followers + 1)),) * followers))
