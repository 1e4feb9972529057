"""Leaving, a second time: all 3^(n - 1) alignments by hand, slowly, from the mathematics alone.

Nothing here imports a solver. Payoffs are written from docs/theory/model; burdens are found by best
replies in turn, each by golden section over the whole action set, for all alignments side by side
(arrays (alignment, member)); the leader is member 0.
"""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import Any

import numpy as np

ALIGNED, AUTONOMOUS, REALIGNED = 0, 1, 2
GOLDEN = (np.sqrt(5) - 1) / 2


class Slow:
    """A game from plain numbers: `p` has arrays of shape (n,), leader first, and scalars."""

    def __init__(
        self, p: dict[str, Any], tau: Any, demand: Any, own: float | None, tariff: Any = 0.0
    ) -> None:
        self.p, self.own = p, own
        self.n = len(p["gdp"])
        self.tau, self.d, rates = (np.broadcast_to(v, (self.n,)) for v in (tau, demand, tariff))
        self.rates = rates
        self.levy = np.asarray(p.get("trade_exposure", 0.0)) * rates
        self.hub = p.get("influence") == "hub"
        self.logistic = p.get("shortfall") == "logistic"
        self.trigger = p.get("shortfall") == "trigger"
        y = np.asarray(p["gdp"], dtype=float)
        crowd = (y / y.sum()) ** p["congestion"]
        self.beta, self.b = p["spillin"] * crowd, p["umbrella"] * crowd

    @cached_property
    def words(self) -> Any:
        """All alignments, shape (alignment, member)."""
        return np.array([(0, *w) for w in itertools.product((0, 1, 2), repeat=self.n - 1)])

    def c(self, used: Any) -> Any:
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.p["consumption"] == "log":
                return np.where(used < 1, np.log(np.maximum(1 - used, 1e-300)), -np.inf)
            return 1 - used

    def v(self, share: Any) -> Any:
        with np.errstate(divide="ignore"):
            return np.log(share) if self.p["influence_value"] == "log" else share

    def phi(self, i: int, x: Any) -> Any:
        """The shortfall of member i at its burden."""
        if self.logistic:
            return 1 / (1 + np.exp((x - self.d[i]) / self.p["width"]))
        if self.trigger:
            return np.where(x < self.d[i], 1.0, 0.0)
        return np.maximum(0.0, 1 - x / self.d[i])

    def trust(self, words: Any) -> Any:
        """Operating trust on impact; contagion from those inside, by their GDP among those inside."""
        p, y = self.p, np.asarray(self.p["gdp"], dtype=float)
        inside = words == ALIGNED
        inside[:, 0] = False
        weight = inside * y
        total = weight.sum(axis=1, keepdims=True)
        omega = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
        cost = np.where(inside, self.tau ** p["curvature"], 0.0)
        spread = (omega * cost).sum(axis=1, keepdims=True) - omega * cost
        r = np.asarray(p["trust"]) * np.exp(
            -np.asarray(p["decay"]) * cost
            - p["contagion"] * spread
            - p.get("tariff_decay", 0.0) * self.rates
        )
        return r, (omega * r).sum(axis=1)

    def payoff(self, i: int, words: Any, x: Any) -> Any:
        """Member i's payoff in every row: words and x have shape (row, member)."""
        p = self.p
        y, e, t = (
            np.asarray(p[k], dtype=float) for k in ("gdp", "effectiveness", "council_weight")
        )
        theta, alpha, h = (
            p[k][i] for k in ("security_weight", "influence_weight", "private_weight")
        )
        rho, m = p["substitution"], p["decisiveness"]
        g = e * y * x
        inside = words == ALIGNED
        r, mean = self.trust(words)
        some = inside[:, 1:].any(axis=1)
        forces = np.where(inside, g, 0.0)
        z = (forces[:, 1:] ** rho).sum(axis=1) if rho > 0 else None
        pull = np.where(inside, t * g**m, 0.0)
        pull[:, 0] *= np.where(some, mean, 1.0)
        total = pull.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(total > 0, pull[:, i] / total, 1.0)
            if self.hub:
                share = self.contest(i, inside, g, r)
            if i == 0:
                back = p["return_spillin"] * mean ** p["cohesion"]
                s = (g[:, 0] ** rho + back**rho * z) ** (1 / rho)
                kept = (1 - p.get("deadweight", 0.0)) * y / y[0]
                paid = sum(
                    inside[:, j] * self.levy[j] * self.phi(j, x[:, j]) * kept[j]
                    for j in range(1, self.n)
                )
                used, minus = x[:, 0] - paid, 0.0
            else:
                phi = self.phi(i, x[:, i])
                reach = (
                    self.b[i] * r[:, i] * (1 - p["credibility"][i] * self.tau[i] * phi) * g[:, 0]
                )
                others = z - np.where(inside[:, i], g[:, i] ** rho, 0.0)
                s = (g[:, i] ** rho + self.beta[i] ** rho * others + reach**rho) ** (1 / rho)
                lone, rival = words[:, i] == AUTONOMOUS, words[:, i] == REALIGNED
                s = np.where(lone, g[:, i] + p["deterrent"][i], s)
                s = np.where(rival, g[:, i] + p["rival_umbrella"][i], s)
                share = np.where(lone | rival, p["outside_influence"][i], share)
                used = x[:, i] + np.where(lone, p["deterrent_cost"][i], 0.0)
                used = used + np.where(lone | rival, 0.0, self.levy[i] * phi)
                minus = np.where(rival, p["realignment_cost"][i], 0.0)
            u = self.c(used) - minus
            for weight, value in ((theta, np.log(s)), (alpha, self.v(share)), (h, np.log(x[:, i]))):
                u = u + (weight * value if weight > 0 else 0.0)
        return np.nan_to_num(u, nan=-np.inf, neginf=-np.inf)

    def contest(self, i: int, inside: Any, g: Any, r: Any) -> Any:
        """Influence in a hub: an ally's share of its contest, or the leader's mean over those inside."""
        y, m = np.asarray(self.p["gdp"], dtype=float), self.p["decisiveness"]
        rival = np.broadcast_to(self.p.get("rival_pull", 0.0), (self.n,))
        lead = r * g[:, :1] ** m
        whole = lead + g**m + rival
        if i > 0:
            return g[:, i] ** m / whole[:, i]
        weight = (inside * y)[:, 1:]
        some = weight.sum(axis=1)
        return np.where(some > 0, (weight * (lead / whole)[:, 1:]).sum(axis=1) / some, 1.0)

    def reply(self, i: int, words: Any, x: Any) -> tuple[Any, Any]:
        """Member i's best burden and payoff in every row, by golden section and at the corners.

        With a logistic shortfall payoffs may have several peaks: the cells beside the best point of a grid.
        """
        low = np.full(len(x), float(self.p["burden_min"][i]))
        high = np.full(len(x), float(self.p["burden_max"][i]))

        def at(burden: Any) -> Any:
            own = x.copy()
            own[:, i] = burden
            return self.payoff(i, words, own)

        a, b = low.copy(), high.copy()
        if self.logistic and i > 0:
            grid = np.linspace(0.0, 1.0, 301)[:, None] ** 2 * (high - low) + low
            top = np.argmax(np.array([at(burden) for burden in grid]), axis=0)
            a = grid[np.maximum(top - 1, 0), np.arange(len(x))]
            b = grid[np.minimum(top + 1, 300), np.arange(len(x))]
        d = np.clip(np.full_like(a, self.d[i]), low, high)
        pieces = [(low, d), (d, high)] if self.trigger and i > 0 else [(a, b)]
        tried = [*(golden(at, *piece) for piece in pieces), low, high, d]
        values = np.array([at(burden) for burden in tried])
        best = np.argmax(values, axis=0)
        rows = np.arange(len(a))
        return np.array(tried)[best, rows], values[best, rows]

    def solve(self) -> tuple[Any, Any]:
        """Burdens in every alignment, and how far the last round moved them."""
        x = np.full(self.words.shape, 0.02)
        x = np.clip(x, self.p["burden_min"], self.p["burden_max"])
        players = range(self.n)
        if self.own is not None:
            x[:, 0] = self.own
            players = range(1, self.n)
        moved = np.full(len(x), np.inf)
        for _ in range(120):
            before = x.copy()
            for i in players:
                x[:, i] = self.reply(i, self.words, x)[0]
            moved = np.abs(x - before).max(axis=1)
            if moved.max() < 3e-8:
                break
        return x, moved

    def equilibria(self) -> tuple[set[tuple[int, ...]], set[tuple[int, ...]], Any]:
        """Alignments that are equilibria, those too close to say, and burdens by alignment."""
        x, moved = self.solve()
        worst = np.full(len(x), -np.inf)
        for i in range(1, self.n):
            here = self.payoff(i, self.words, x)
            for word in (ALIGNED, AUTONOMOUS, REALIGNED):
                other = self.words.copy()
                other[:, i] = word
                gain = self.reply(i, other, x)[1] - here
                worst = np.maximum(worst, np.where(other[:, i] == self.words[:, i], -np.inf, gain))
        close = (np.abs(worst) < 1e-6) | (moved > 1e-6)
        sure = (worst < 0) & ~close
        as_words = [tuple(int(w) for w in row) for row in self.words]
        found = {w for w, good in zip(as_words, sure, strict=True) if good}
        doubtful = {w for w, near in zip(as_words, close, strict=True) if near}
        return found, doubtful, dict(zip(as_words, x, strict=True))


def golden(at: Any, a: Any, b: Any) -> Any:
    """Where functions with one peak each between a and b, shape (row,), have it."""
    left, right = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
    at_left, at_right = at(left), at(right)
    for _ in range(44):
        up = at_right > at_left
        a, b = np.where(up, left, a), np.where(up, b, right)
        new = np.where(up, a + GOLDEN * (b - a), b - GOLDEN * (b - a))
        value = at(new)
        left, right, at_left, at_right = (
            np.where(up, right, new), np.where(up, new, left),
            np.where(up, at_right, value), np.where(up, value, at_left),
        )  # fmt: skip
    return 0.5 * (a + b)


def random_leaving(
    seed: int, n: int, **fixed: Any
) -> tuple[dict[str, Any], Any, float, float | None]:
    """A random game in plain numbers (leader first), a threat by member, a demand, an own burden.

    Outside options are drawn so that staying and leaving are both common.
    """
    rng = np.random.default_rng(seed)
    gdp = np.sort(rng.lognormal(0.0, 1.0, n))[::-1] * 3.0
    gdp[0] *= rng.uniform(1.0, 3.0)
    p: dict[str, Any] = {
        "gdp": gdp,
        "effectiveness": rng.uniform(0.8, 1.2, n),
        "security_weight": rng.uniform(0.02, 0.06, n),
        "influence_weight": rng.uniform(0.0, 0.01, n),
        "private_weight": rng.uniform(0.001, 0.006, n),
        "council_weight": np.ones(n),
        "credibility": rng.uniform(0.5, 1.0, n),
        "burden_min": np.zeros(n),
        "burden_max": np.full(n, 0.25),
        "trust": rng.uniform(0.7, 1.0, n),
        "decay": rng.uniform(0.0, 0.8, n),
        "spillin": float(rng.uniform(0.7, 1.0)),
        "umbrella": float(rng.uniform(0.2, 0.7)),
        "return_spillin": float(rng.uniform(0.2, 0.8)),
        "congestion": float(rng.choice([0.0, 0.5, 1.0])),
        "cohesion": float(rng.choice([0.0, 0.5])),
        "contagion": float(rng.choice([0.0, 0.3])),
        "curvature": float(rng.choice([1.0, 1.5])),
        "substitution": 1.0,
        "decisiveness": 1.0,
        "consumption": "log",
        "influence_value": "log",
        "outside_influence": rng.uniform(0.02, 0.3, n),
        "deterrent_cost": rng.uniform(0.0, 0.004, n),
        "realignment_cost": rng.uniform(0.0, 0.02, n),
    }  # fmt: skip
    p |= fixed
    y = p["gdp"]
    crowd = (y / y.sum()) ** p["congestion"]
    security = 0.03 * y + p["spillin"] * crowd * 0.02 * y.sum()
    p["deterrent"] = security * rng.uniform(0.0, 1.1, n)
    p["rival_umbrella"] = security * rng.uniform(0.0, 1.1, n)
    threat = np.where(np.arange(n) > 0, rng.uniform(0, 1, n) * rng.choice([0.0, 1.0]), 0.0)
    own = float(rng.uniform(0.02, 0.05)) if rng.random() < 0.3 else None
    return p, threat, float(rng.uniform(0.015, 0.05)), own
