"""One planner for several members: the largest weighted sum of their payoffs over their burdens.

Where that is a concave function, in burdens or in their logarithms, one climb finds the optimum and
proves it. Influence in logs makes it a difference of concave functions: ln p_i = ln t_i g_i^m - ln C,
and -ln C is convex. It depends on the one aggregate C, so that a price on C turns the rest into a
concave problem for every value of the price, and the search is one-dimensional with a bound that is
proved (`price_search`). `problem_shape` says which case holds.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.parameters import Array
from alliancegame.payoff.slopes import (
    BASE,
    TERMS,
    Stage,
    aggregates,
    at_constant_council,
    local,
    summed,
)
from alliancegame.payoff.slopes import Local as Payoffs
from alliancegame.solve.planning.ascent import Hill, Summit, climb, residual_slope

Kind = Literal["direct", "priced", "shared", "searched"]
Coordinate = Literal["burden", "power", "log"]
Mode = Literal["whole", "pulled", "base"]

LEAST = 1e-300
"""Where logarithms of burdens begin."""


@dataclasses.dataclass(frozen=True, eq=False)
class Problem:
    """Maximise weights @ payoffs over burdens between `low` and `high` (equal: not to be chosen).

    Everything has shape (n,). `coordinate` is what the problem is climbed in: burdens, their power
    min(m, 1), or their logarithms.
    """

    stage: Stage
    weights: Array
    low: Array
    high: Array
    kind: Kind
    coordinate: Coordinate
    reason: str

    @property
    def power(self) -> float:
        """The exponent of the power coordinate."""
        return min(self.stage.m, 1.0)

    @property
    def stakes(self) -> Array:
        """What influence is worth to the planner, by member: weight times alpha."""
        return np.asarray(self.weights * self.stage.rows["alpha"])

    def coordinates(self, x: Array) -> Array:
        """Burdens as coordinates."""
        if self.coordinate == "log":
            return np.asarray(np.log(np.maximum(x, LEAST)))
        return np.asarray(x**self.power) if self.coordinate == "power" else x

    def burdens(self, z: Array) -> Array:
        """Coordinates as burdens, exact where they are not to be chosen."""
        x = z
        if self.coordinate == "log":
            x = np.exp(z)
        elif self.coordinate == "power":
            x = z ** (1 / self.power)
        return np.asarray(np.clip(x, self.low, self.high))

    def _rates(self, x: Array) -> tuple[Array, Array]:
        """First and second derivatives of burdens in coordinates."""
        if self.coordinate == "log":
            return x, x
        if self.coordinate == "power":
            k = 1 / self.power
            safe = np.maximum(x, LEAST)
            return k * safe ** (1 - 1 / k), k * (k - 1) * safe ** (1 - 2 / k)
        return np.ones_like(x), np.zeros_like(x)

    def evaluate(
        self, z: Array, under: NDArray[np.bool_], mode: Mode = "whole", price: Any = 0.0
    ) -> tuple[float, Array, Array]:
        """The planner's objective, its gradient and Hessian in coordinates.

        `mode` "pulled" leaves ln C out of influence, "base" all of influence; `price` (one, or one
        by member) times members' pulls in the council is taken off.
        """
        x = self.burdens(z)
        with np.errstate(all="ignore"):
            sums = aggregates(self.stage, x, below=under)
            value, first, second = summed(self._payoffs(x, sums.totals, under, mode), sums)
            prices = np.broadcast_to(price, x.shape)
            value -= float(prices @ sums.parts[1])
            first = first - prices * sums.first[1]
            second = second - np.diag(prices * sums.second[1])
            rate, bend = self._rates(x)
            second = second * np.outer(rate, rate) + np.diag(first * bend)
            first = first * rate
        return (
            (value if np.isfinite(value) else -np.inf),
            np.nan_to_num(first),
            np.nan_to_num(second),
        )

    def _payoffs(self, x: Array, totals: Array, under: NDArray[np.bool_], mode: Mode) -> Payoffs:
        if mode == "whole":
            return local(self.stage, x, totals, TERMS, below=under).weighted(self.weights)
        found = local(self.stage, x, totals, BASE, below=under).weighted(self.weights)
        if mode == "base":
            return found
        pull = at_constant_council(self.stage, x, totals, ("influence",), under)
        pull = pull.weighted(self.weights)
        return Payoffs(
            found.value + pull.value, found.first + pull.first, found.second + pull.second
        )

    def pulls(self, z: Array) -> Array:
        """Members' parts of C at a point, shape (n,)."""
        return np.asarray(aggregates(self.stage, self.burdens(z)).parts[1])

    def council(self, z: Array) -> float:
        """C at a point."""
        return float(aggregates(self.stage, self.burdens(z)).totals[1])

    def hill(self, mode: Mode = "whole", price: Any = 0.0) -> Hill:
        """The objective as something to climb."""
        low, high = self.coordinates(self.low), self.coordinates(self.high)
        free = self.low < self.high
        kinks = np.where(free & kinked(self.stage, self.weights), self.stage.rows["demand"], np.nan)
        inside = (kinks > self.low) & (kinks < self.high)
        kinks = np.where(inside, kinks, np.nan)

        def evaluate(z: Array, under: NDArray[np.bool_]) -> tuple[float, Array, Array]:
            # Who has no kink inside its range is on one piece all along.
            below = np.where(inside, under, self.burdens(z) < self.stage.rows["demand"])
            return self.evaluate(z, below, mode, price)

        return Hill(evaluate, low, high, kinks, free & self._steep(mode))

    def _steep(self, mode: Mode) -> NDArray[np.bool_]:
        """Who never spends nothing, as the objective's slope is infinite there."""
        if self.coordinate == "log":
            return np.zeros(self.stage.size, dtype=bool)
        steep = self.weights * self.stage.rows["private"] > 0
        if mode != "base" and self.stage.form.influence_value == "log":
            steep |= self.stakes > 0
        return np.asarray(steep & (self.low <= 0))


def biting(stage: Stage, weights: Array) -> NDArray[np.bool_]:
    """Allies whose threatened umbrella the planner minds."""
    found = (weights > 0) & (stage.rows["bite"] > 0) & (stage.rows["umbrella"] > 0)
    found[stage.lead] = False
    return np.asarray(found)


def levied(stage: Stage, weights: Array) -> NDArray[np.bool_]:
    """Allies whose tariff the planner minds, on their side or on the leader's."""
    found = stage.rows["levy"] > 0
    if not weights[stage.lead] > 0:
        found &= weights > 0
    found[stage.lead] = False
    return np.asarray(found)


def kinked(stage: Stage, weights: Array) -> NDArray[np.bool_]:
    """Allies at whose demand the planner's objective has a kink."""
    if stage.form.logistic:
        return np.zeros(stage.size, dtype=bool)
    return np.asarray(biting(stage, weights) | levied(stage, weights))


def problem_of(stage: Stage, weights: Array, low: Array, high: Array) -> Problem:
    """The planner's problem, in the coordinates in which most is proved about it."""
    return Problem(stage, weights, low, high, *problem_shape(stage, weights, low, high))


def problem_shape(
    stage: Stage, weights: Array, low: Array, high: Array
) -> tuple[Kind, Coordinate, str]:
    """Which case holds, with its reason: what is proved, and by what.

    1. Without influence in the sum (or with shares p_i of one and the same worth, which add up to a
       constant) the objective is concave in burdens: ln(1 - x), ln x, and ln S, S being CES with
       rho <= 1 of functions that are affine in burdens.
    2. With influence in logs and rho < 0 it is concave in y = ln x: ln C and the sums in
       ln S = (1 / rho) ln sum (a exp y)^rho are log-sum-exp, convex, with negative factors.
    3. With influence in logs and rho <= k = min(m, 1) it is, in z = x^k, a concave function minus
       A ln C with C convex in z: a price on C makes it concave (m < 1: x = z^(1/k) is convex, so
       that consumption stays concave; ln S is CES with rho / k <= 1).
    4. With shares of influence of unequal worth a_i, rho <= k = m <= 1, pulls are linear in z = x^m;
       where the sum of a_i p_i is s, any multiple of sum (a_i - s) t_i g_i^m may be added, and the
       search over the one number s has a bound that is proved (`share_search`).
    5. Otherwise nothing is proved. So it is where an ally under threat and the leader both choose:
       the umbrella R_i(x_i) g_l is a product; with rho > 1 (ln S is not concave); in a hub (the
       contests of two burdens); under tariffs (the leader's revenue is convex in allies' burdens, and
       with log consumption even their sum is not concave); under pressure with a logistic shortfall.

    Kinks at demands are concave where the leader's burden is given.
    """
    free = low < high
    bites = biting(stage, weights) & free
    beyond = _beyond(stage, weights, free)
    if beyond:
        return "searched", "burden", beyond
    if bites.any() and free[stage.lead]:
        return "searched", "burden", "threatened umbrellas are products of two burdens to be chosen"
    stakes = weights * stage.rows["alpha"]
    if not stakes.any():
        return "direct", "burden", "concave in burdens: no influence in the sum"
    if stage.form.influence_value == "share":
        if np.ptp(stakes) <= 1e-15 * stakes.max():
            return (
                "direct",
                "burden",
                "concave in burdens: shares of equal worth add up to a constant",
            )
        m = stage.m
        if m > 1 or stage.rho > m or (m < 1 and bites.any()):
            return "searched", "burden", "shares of influence of unequal worth are not concave"
        return (
            "shared",
            "burden" if m == 1 else "power",
            ("not concave: shares of influence; concave once their worth together is given"),
        )
    if stage.rho < 0 and not bites.any():
        return "direct", "log", "concave in log burdens: rho < 0, influence in logs"
    k = min(stage.m, 1.0)
    if stage.rho <= k and (k == 1 or not bites.any()):
        coordinate: Coordinate = "burden" if k == 1 else "power"
        return (
            "priced",
            coordinate,
            ("not concave: minus ln C of influence is convex; concave once C has a price"),
        )
    return "searched", "burden", "not concave: substitution above min(decisiveness, 1)"


def _beyond(stage: Stage, weights: Array, free: NDArray[np.bool_]) -> str:
    """The form beyond the plain ones because of which nothing is proved; empty if there is none."""
    if stage.rho > 1 and np.any(weights * stage.rows["theta"] > 0):
        return "not concave: substitution above 1"
    if stage.form.hub and np.any(weights * stage.rows["alpha"] > 0):
        return "not concave: contests in a hub move with two burdens"
    if (levied(stage, weights) & free).any():
        return "not concave: what tariffs bring the leader is convex in the allies' burdens"
    if stage.form.logistic and (biting(stage, weights) & free).any():
        return "not concave: a logistic shortfall under pressure"
    return ""


@dataclasses.dataclass(frozen=True, eq=False)
class Planned:
    """The best burdens found, and how good the best could be.

    `bound` is an upper bound of the objective that is proved (infinite where nothing is), `residual`
    the largest slope that still points into the box, in payoff for each unit of burden.
    """

    burdens: Array
    value: float
    bound: float
    residual: float
    method: str

    @property
    def gap(self) -> float:
        """What could be missed at most."""
        return max(self.bound - self.value, 0.0)


def plan_burdens(problem: Problem, start: Array, *, enough: float = 1e-12) -> Planned:
    """Solve a planner's problem from a start with finite payoffs; see `problem_shape`."""
    if problem.kind == "direct":
        return _convex(problem, start, enough)
    if problem.kind == "priced":
        from alliancegame.solve.planning.price_search import price_search

        return price_search(problem, start, enough)
    if problem.kind == "shared":
        from alliancegame.solve.planning.share_search import share_search

        return share_search(problem, start, enough)
    return many_starts(problem, start)


def _convex(problem: Problem, start: Array, enough: float) -> Planned:
    """The optimum of a concave objective: a conic program, and Newton steps that check and finish it."""
    from alliancegame.payoff.convex import program_optimum

    logs = problem.stage.form.influence_value == "log"
    ends = [climb(problem.hill(), problem.coordinates(start), enough=enough / 10)]
    conic = None
    if (problem.stage.rho < 0) == (problem.coordinate == "log"):
        conic = program_optimum(
            problem.stage, problem.weights, problem.low, problem.high, influence=logs
        )
    if conic is not None:
        ends.append(climb(problem.hill(), problem.coordinates(conic), enough=enough / 10))
    found = min(ends, key=lambda end: end.gap)
    solved = "a convex program (cvxpy) and " if conic is not None else ""
    text = f"{solved}projected Newton in {_words(problem)}; its slopes bound every other point"
    return _planned(problem, found, found.value + found.gap, text)


def _words(problem: Problem) -> str:
    return {"burden": "burdens", "power": "powers of burdens", "log": "log burdens"}[
        problem.coordinate
    ]


def _planned(problem: Problem, found: Summit, bound: float, text: str) -> Planned:
    x = problem.burdens(found.point)
    return Planned(x, found.value, bound, residual_of(problem, x), text)


def residual_of(problem: Problem, x: Array) -> float:
    """The largest slope in a burden that still points into the box at a profile (KKT)."""
    plain = dataclasses.replace(problem, coordinate="burden")
    return residual_slope(plain.hill(), x)


def many_starts(problem: Problem, start: Array) -> Planned:
    """Climbs from many places, and nothing proved: the share of the range, one member alone high."""
    low, high = problem.low, problem.high
    span, free = high - low, problem.low < problem.high
    starts = [start, *(low + s * span for s in (0.003, 0.01, 0.03, 0.1, 0.3, 0.6))]
    for i in np.flatnonzero(free)[:40]:
        for share in (0.02, 0.3):
            one = np.array(start)
            one[i] = low[i] + share * span[i]
            starts.append(one)
    hill = problem.hill()
    found = [climb(hill, problem.coordinates(np.where(free, s, low))) for s in starts]
    best = max(found, key=lambda s: s.value)
    text = f"the best of {len(starts)} climbs from different starts; nothing proved about others"
    return _planned(problem, best, np.inf, text)
