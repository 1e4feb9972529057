"""The model written a second time, by hand, from docs/theory/model and from nothing else.

Plain Python over lists, one member at a time, components written out: slow, and independent of
`alliancegame.payoff` and `alliancegame.solve`, of which it imports nothing. It reads the facts of a
game from `to_dict()` and those of a plan from `to_dict()`. Burdens may be complex, so that slopes
come from a complex step, exact to rounding.

Beside the payoffs stand a slow search for best deviations (a grid that contains the kink, then
golden section) and a slow search for equilibria (exact best replies, one member after another).
"""

from __future__ import annotations

import cmath
import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
STEP = 1e-25
"""The complex step, relative to the burden: its square vanishes beside everything."""
LEAST = 1e-15
"""Stands for a burden of zero where a slope is wanted."""

Number = Any
"""A float, or a complex number on its way to a slope."""


def ln(value: Number) -> Number:
    if isinstance(value, complex):
        return cmath.log(value)
    return math.log(value) if value > 0.0 else -math.inf


def power(base: Number, exponent: float) -> Number:
    if base == 0.0 and exponent < 0.0:
        return math.inf
    return base**exponent


class Hand:
    """A game under a plan, computed by hand. Members go by their position."""

    def __init__(self, game: Any, plan: Any = None, *, unharmed: bool = False) -> None:
        facts = game.to_dict()
        self.members: list[str] = facts["members"]
        self.n = len(self.members)
        self.lead = self.members.index(facts["leader"])
        self.allies = [i for i in range(self.n) if i != self.lead]
        for name in (
            "gdp", "security_weight", "influence_weight", "private_weight", "effectiveness",
            "burden_min", "burden_max", "council_weight", "credibility", "trust", "trust_ceiling",
            "decay", "trade_exposure", "rival_pull",
        ):  # fmt: skip
            setattr(self, name, self._each(facts[name]))
        for name in (
            "return_spillin", "cohesion", "substitution", "decisiveness", "consumption",
            "influence_value", "horizon", "curvature", "contagion", "recovery", "scarring",
            "technology", "width", "deadweight", "tariff_decay",
        ):  # fmt: skip
            setattr(self, name, facts[name])
        self.hub = facts["influence"] == "hub"
        self.form_of_shortfall = facts["shortfall"]
        total = sum(self.gdp)
        for name in ("spillin", "umbrella"):
            value = facts[name]
            if isinstance(value, list):
                setattr(self, name, value)
            else:
                crowded = [value * (y / total) ** facts["congestion"] for y in self.gdp]
                setattr(self, name, crowded)
        announced = {} if plan is None else plan.to_dict()
        self.threat = self._announced(announced.get("threat", 0.0), 0.0)
        self.demand = self._announced(announced.get("demand", 0.05), 0.05)
        self.tariff = self._announced(announced.get("tariff", 0.0), 0.0)
        self.committed: float | None = announced.get("burden")
        nothing = [0.0] * self.n
        self.r = self._operating_trust(
            *((nothing, nothing) if unharmed else (self.threat, self.tariff))
        )
        allied = sum(self.gdp[i] for i in self.allies)
        self.mean_trust = sum(self.gdp[i] / allied * self.r[i] for i in self.allies)

    def _each(self, value: Any) -> list[float]:
        return list(value) if isinstance(value, list) else [value] * self.n

    def _announced(self, value: Any, missing: float) -> list[float]:
        if isinstance(value, dict):
            return [value.get(label, missing) for label in self.members]
        return self._each(value)

    # --- Section 6: trust ------------------------------------------------------------------------

    def _operating_trust(self, threat: list[float], tariff: list[float]) -> list[float]:
        allied = sum(self.gdp[i] for i in self.allies)
        cost = [t**self.curvature if t > 0.0 else 0.0 for t in threat]
        trust = [math.nan] * self.n
        for i in self.allies:
            others = sum(self.gdp[j] / allied * cost[j] for j in self.allies if j != i)
            impact = math.exp(-self.decay[i] * cost[i] - self.contagion * others)
            impact *= math.exp(-self.tariff_decay * tariff[i])
            if self.horizon == "impact":
                trust[i] = self.trust[i] * impact
            elif self.scarring > 0.0 and threat[i] > 0.0:
                trust[i] = 0.0
            elif self.recovery > 0.0:
                top = impact * self.recovery * self.trust_ceiling[i]
                trust[i] = top / (1.0 - (1.0 - self.recovery) * impact)
            else:
                trust[i] = self.trust[i] if impact == 1.0 else 0.0
        return trust

    # --- Sections 2, 3 and 5: contributions, pressure, security ----------------------------------

    def contribution(self, i: int, x: Sequence[Number]) -> Number:
        return self.effectiveness[i] * self.gdp[i] * x[i]

    def shortfall(self, i: int, x: Number) -> Number:
        if self.form_of_shortfall == "logistic":
            away = (x - self.demand[i]) / self.width
            return 1.0 / (1.0 + cmath.exp(away)) if isinstance(away, complex) else _sigmoid(-away)
        if self.form_of_shortfall == "trigger":
            return 1.0 if _real(x) < self.demand[i] else 0.0
        return 1.0 - x / self.demand[i] if _real(x) < self.demand[i] else 0.0

    def losses(self, i: int, x: Number) -> Number:
        return self.trade_exposure[i] * self.tariff[i] * self.shortfall(i, x)

    def revenue(self, x: Sequence[Number]) -> Number:
        kept = (1.0 - self.deadweight) / self.gdp[self.lead]
        return sum(self.losses(i, x[i]) * self.gdp[i] * kept for i in self.allies)

    def reliability(self, i: int, x: Number) -> Number:
        return self.r[i] * (1.0 - self.credibility[i] * self.threat[i] * self.shortfall(i, x))

    def security(self, i: int, x: Sequence[Number]) -> Number:
        own, lead = self.contribution(i, x), self.contribution(self.lead, x)
        parts = [own]
        if i == self.lead:
            worth = self.return_spillin * self.mean_trust**self.cohesion
            parts += [worth * self.contribution(j, x) for j in self.allies]
        else:
            parts += [self.spillin[i] * self.contribution(j, x) for j in self.allies if j != i]
            parts.append(self.umbrella[i] * self.reliability(i, x[i]) * lead)
        if self.technology == "weakest-link":
            return min(parts, key=_real)
        if self.technology == "best-shot":
            return max(parts, key=_real)
        if self.substitution == 1.0:
            return sum(parts)
        return power(sum(power(part, self.substitution) for part in parts), 1.0 / self.substitution)

    # --- Section 4: influence and payoff ---------------------------------------------------------

    def contest(self, i: int, x: Sequence[Number]) -> tuple[Number, Number]:
        """What the leader and ally i get of their contest, in a hub."""
        m = self.decisiveness
        lead = self.r[i] * power(self.contribution(self.lead, x), m)
        own = power(self.contribution(i, x), m)
        whole = lead + own + self.rival_pull[i]
        return lead / whole, own / whole

    def influence(self, i: int, x: Sequence[Number]) -> Number:
        if self.hub:
            if i != self.lead:
                return self.contest(i, x)[1]
            allied = sum(self.gdp[j] for j in self.allies)
            return sum(self.gdp[j] / allied * self.contest(j, x)[0] for j in self.allies)
        weight = list(self.council_weight)
        weight[self.lead] *= self.mean_trust
        pull = [
            weight[j] * power(self.contribution(j, x), self.decisiveness) for j in range(self.n)
        ]
        return pull[i] / sum(pull) if sum(pull) != 0.0 else weight[i] / sum(weight)

    def payoff(self, i: int, x: Sequence[Number]) -> Number:
        used = x[i] - self.revenue(x) if i == self.lead else x[i] + self.losses(i, x[i])
        total = ln(1.0 - used) if self.consumption == "log" else 1.0 - used
        if self.security_weight[i] > 0.0:
            total += self.security_weight[i] * ln(self.security(i, x))
        if self.influence_weight[i] > 0.0:
            share = self.influence(i, x)
            worth = ln(share) if self.influence_value == "log" else share
            total += self.influence_weight[i] * worth
        if self.private_weight[i] > 0.0:
            total += self.private_weight[i] * ln(x[i])
        return total

    def payoffs(self, x: Sequence[float]) -> list[float]:
        return [self.payoff(i, list(x)) for i in range(self.n)]

    def securities(self, x: Sequence[float]) -> list[float]:
        return [self.security(i, list(x)) for i in range(self.n)]

    def influences(self, x: Sequence[float]) -> list[float]:
        return [self.influence(i, list(x)) for i in range(self.n)]

    def trusts(self) -> list[float]:
        """Operating trust by member, the allies' mean at the leader."""
        return [self.mean_trust if i == self.lead else self.r[i] for i in range(self.n)]

    @property
    def players(self) -> list[int]:
        return self.allies if self.committed is not None else list(range(self.n))

    def stage(self, i: int, x: Sequence[float]) -> dict[str, float]:
        """What the payoff of i depends on, under the names of `payoff.symbolic`."""
        weight = self.council_weight[i] * (self.mean_trust if i == self.lead else 1.0)
        pull = [
            self.council_weight[j] * (self.mean_trust if j == self.lead else 1.0)
            * power(self.contribution(j, x), self.decisiveness)
            for j in range(self.n)
        ]  # fmt: skip
        facts = {
            "x": x[i],
            "g": self.contribution(i, x),
            "Z": sum(power(self.contribution(j, x), self.substitution) for j in self.allies),
            "C": sum(pull),
            "G": self.contribution(self.lead, x),
            "scale": self.effectiveness[i] * self.gdp[i],
            "theta": self.security_weight[i],
            "alpha": self.influence_weight[i],
            "private": self.private_weight[i],
            "weight": weight,
            "rho": self.substitution,
            "m": self.decisiveness,
        }
        if i == self.lead:
            facts["returned"] = self.return_spillin * self.mean_trust**self.cohesion
            facts["revenue"] = self.revenue(x)
            if self.hub:
                facts |= self._shares(x)
            return facts
        if self.hub:
            facts["weight"] = self.r[i]
        return facts | {
            "levy": self.trade_exposure[i] * self.tariff[i],
            "rival": self.rival_pull[i],
            "width": self.width,
            "spillin": self.spillin[i],
            "umbrella": self.umbrella[i] * self.r[i],
            "bite": self.credibility[i] * self.threat[i],
            "demand": self.demand[i],
            "below": 1.0 if x[i] < self.demand[i] else 0.0,
        }

    def _shares(self, x: Sequence[float]) -> dict[str, float]:
        """The leader's influence in a hub and its derivatives in its burden, by differences."""
        here, step = x[self.lead], 1e-4 * x[self.lead]

        def share(own: Number) -> Number:
            moved: list[Number] = list(x)
            moved[self.lead] = own
            return self.influence(self.lead, moved)

        def slope(own: float) -> float:
            return float(share(complex(own, STEP * own)).imag / (STEP * own))

        bend = (slope(here + step) - slope(here - step)) / (2 * step)
        return {"share": share(here), "share_x": slope(here), "share_xx": bend}

    # --- Deviations ------------------------------------------------------------------------------

    def along(self, i: int, x: Sequence[float]) -> Callable[[Number], Number]:
        """The payoff of i as a function of its own burden."""
        profile: list[Number] = list(x)

        def value(own: Number) -> Number:
            profile[i] = own
            return self.payoff(i, profile)

        return value

    def slope(self, i: int, x: Sequence[float], own: float | None = None) -> float:
        """du_i/dx_i by a complex step, on the piece to the right at the kink."""
        point = max(x[i] if own is None else own, LEAST)
        return self.along(i, x)(complex(point, STEP * point)).imag / (STEP * point)

    def pieces(self, i: int) -> list[tuple[float, float]]:
        """The smooth pieces of the action set of i: cut at the demand if it is threatened."""
        low, high, d = self.burden_min[i], self.burden_max[i], self.demand[i]
        pressed = self.threat[i] * self.credibility[i] + self.trade_exposure[i] * self.tariff[i]
        if i != self.lead and pressed > 0.0 and low < d < high:
            return [(low, d), (d, high)]
        return [(low, high)]

    def best_deviation(
        self, i: int, x: Sequence[float], points: int = 600, keep: int = 1
    ) -> tuple[float, float]:
        """The best burden of i against the others, and its gain: grid, then golden section.

        The cells beside each of the `keep` best grid points are refined. Assumes nothing about the
        shape of the payoff within the resolution of the grid.
        """
        value = self.along(i, x)
        best, best_value = x[i], value(x[i])
        now = best_value
        for low, high in self.pieces(i):
            grid = [low + (high - low) * (k / points) ** 3 for k in range(points + 1)]
            values = [value(point) for point in grid]
            for k in sorted(range(points + 1), key=lambda k: -values[k])[:keep]:
                a, b = grid[max(k - 1, 0)], grid[min(k + 1, points)]
                for point in (grid[k], golden(value, a, b)):
                    reached = value(point)
                    if reached > best_value:
                        best, best_value = point, reached
        if best_value == now:
            return x[i], 0.0
        return best, best_value - now if math.isfinite(now) else math.inf

    def gains(self, x: Sequence[float], points: int = 600) -> list[float]:
        """What each player could gain at most by a deviation; 0 for a leader who is committed."""
        return [
            self.best_deviation(i, x, points)[1] if i in self.players else 0.0
            for i in range(self.n)
        ]

    # --- Equilibria ------------------------------------------------------------------------------

    def reply(self, i: int, x: Sequence[float]) -> float:
        """The exact best reply of i where its payoff is concave: the slope crosses zero once."""
        for low, high in self.pieces(i):
            if self.slope(i, x, high - (high - low) * 1e-15) > 0.0:
                continue  # The payoff still rises at the end of this piece.
            if self.slope(i, x, low) <= 0.0:
                return low
            return self._level(i, x, low, high)
        return self.burden_max[i]

    def _level(self, i: int, x: Sequence[float], low: float, high: float) -> float:
        """Where the slope, positive at low and not at high, crosses zero: bisection to the end."""
        middle = 0.5 * (low + high)
        while low < middle < high:
            if self.slope(i, x, middle) > 0.0:
                low = middle
            else:
                high = middle
            middle = 0.5 * (low + high)
        return middle

    def equilibrium(
        self, start: Sequence[float] | None = None, sweeps: int = 600, settled: float = 1e-13
    ) -> Found:
        """Best replies one member after another, each to the newest burdens, until nobody moves."""
        x = list(start) if start is not None else [
            self.burden_min[i] + 0.1 * (min(self.burden_max[i], 1.0) - self.burden_min[i])
            for i in range(self.n)
        ]  # fmt: skip
        if self.committed is not None:
            x[self.lead] = self.committed
        moved = math.inf
        for sweep in range(sweeps):
            moved = 0.0
            for i in self.players:
                new = self.reply(i, x)
                moved = max(moved, abs(new - x[i]))
                x[i] = new
            if moved <= settled:
                return Found(x, sweep, moved)
        return Found(x, sweeps, moved)


@dataclasses.dataclass(frozen=True)
class Found:
    """Where the search ended, after how many sweeps, and the last move."""

    burdens: list[float]
    sweeps: int
    moved: float

    @property
    def settled(self) -> bool:
        return self.moved <= 1e-12


def golden(value: Callable[[float], float], a: float, b: float) -> float:
    """The highest point of a single-peaked function on [a, b], by golden section."""
    p, q = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
    at_p, at_q = value(p), value(q)
    for _ in range(90):
        if at_p >= at_q:
            b, q, at_q = q, p, at_p
            p = b - GOLDEN * (b - a)
            at_p = value(p)
        else:
            a, p, at_p = p, q, at_q
            q = a + GOLDEN * (b - a)
            at_q = value(q)
    return p if at_p >= at_q else q


def _sigmoid(away: float) -> float:
    return 1.0 / (1.0 + math.exp(-away)) if away > -700.0 else 0.0


def _real(value: Number) -> float:
    return value.real if isinstance(value, complex) else value
