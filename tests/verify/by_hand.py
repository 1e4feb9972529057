"""Every form of the model by hand in floats, and results written as files without any solver.

Independent of `alliancegame.payoff`, `alliancegame.solve` and `alliancegame.verify`: payoffs from
docs/theory/model alone, equilibria by best replies on grids.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan


class Alliance:
    """A game under a plan; members go by position."""

    def __init__(self, game: BurdenSharingGame, plan: Plan) -> None:
        self.game, self.plan, self.n = game, plan, game.size
        self.lead = game.members.leader_index
        self.allies = [i for i in range(self.n) if i != self.lead]
        for name in (
            "gdp", "security_weight", "influence_weight", "private_weight", "effectiveness",
            "council_weight", "credibility", "trade_exposure", "rival_pull", "decay", "trust",
            "trust_ceiling", "burden_min", "burden_max",
        ):  # fmt: skip
            setattr(self, name, [float(v) for v in game.by_member(name)])
        self.threat = plan.threat_by_member(game.members)
        self.tariff = plan.tariff_by_member(game.members)
        self.demand = plan.demand_by_member(game.members)
        crowd = [y / sum(self.gdp) for y in self.gdp]  # type: ignore[attr-defined]
        for name in ("spillin", "umbrella"):
            value = getattr(game, name)
            final = (
                value
                if isinstance(value, np.ndarray)
                else [value * c**game.congestion for c in crowd]
            )
            setattr(self, name, [float(v) for v in final])
        self.r = self._trust()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def _trust(self) -> list[float]:
        law, gdp = self.game.trust_law, self.gdp
        allied = sum(gdp[i] for i in self.allies)
        cost = [t**law.curvature if t > 0 else 0.0 for t in self.threat]
        trust = [0.0] * self.n
        for i in self.allies:
            others = sum(gdp[j] / allied * cost[j] for j in self.allies if j != i)
            impact = math.exp(
                -self.decay[i] * cost[i]
                - law.contagion * others
                - law.tariff_decay * self.tariff[i]
            )
            if self.game.horizon == "impact":
                trust[i] = self.trust[i] * impact
            elif law.scarring > 0 and self.threat[i] > 0:
                trust[i] = 0.0
            elif law.recovery > 0:
                trust[i] = (
                    impact
                    * law.recovery
                    * self.trust_ceiling[i]
                    / (1 - (1 - law.recovery) * impact)
                )
            else:
                trust[i] = self.trust[i] if impact == 1 else 0.0
        trust[self.lead] = sum(gdp[i] / allied * trust[i] for i in self.allies)
        return trust

    def short(self, i: int, x: float) -> float:
        d = self.demand[i]
        if self.game.shortfall == "trigger":
            return 1.0 if x < d else 0.0
        if self.game.shortfall == "logistic":
            return 1 / (1 + math.exp((x - d) / self.game.width))
        return max(0.0, 1 - x / d)

    def losses(self, i: int, x: float) -> float:
        return 0.0 if i == self.lead else self.trade_exposure[i] * self.tariff[i] * self.short(i, x)

    def security(self, i: int, x: Sequence[float]) -> float:
        g = [self.effectiveness[j] * self.gdp[j] * x[j] for j in range(self.n)]
        if i == self.lead:
            worth = self.game.return_spillin * self.r[i] ** self.game.cohesion
            parts = [g[i], *(worth * g[j] for j in self.allies)]
        else:
            left = 1 - self.credibility[i] * self.threat[i] * self.short(i, x[i])
            parts = [g[i], *(self.spillin[i] * g[j] for j in self.allies if j != i)]
            parts.append(self.umbrella[i] * self.r[i] * left * g[self.lead])
        if self.game.technology != "ces":
            return min(parts) if self.game.technology == "weakest-link" else max(parts)
        rho = self.game.substitution
        if rho < 0 and min(parts) <= 0:
            return 0.0
        return sum(p**rho for p in parts) ** (1 / rho)

    def influence(self, i: int, x: Sequence[float]) -> float:
        m, lead = self.game.decisiveness, self.lead
        g = [self.effectiveness[j] * self.gdp[j] * x[j] for j in range(self.n)]
        if self.game.influence == "hub":
            contest = {
                j: self.r[j] * g[lead] ** m + g[j] ** m + self.rival_pull[j] for j in self.allies
            }
            if i != lead:
                return g[i] ** m / contest[i]
            allied = sum(self.gdp[j] for j in self.allies)
            return sum(
                self.gdp[j] / allied * self.r[j] * g[lead] ** m / contest[j] for j in self.allies
            )
        weight = list(self.council_weight)
        weight[lead] *= self.r[lead]
        pull = [w * c**m for w, c in zip(weight, g, strict=True)]
        return pull[i] / sum(pull) if sum(pull) > 0 else weight[i] / sum(weight)

    def payoff(self, i: int, x: Sequence[float]) -> float:
        used = x[i] + self.losses(i, x[i])
        if i == self.lead:
            used -= sum(
                self.losses(j, x[j]) * self.gdp[j] * (1 - self.game.deadweight) / self.gdp[i]
                for j in self.allies
            )
        value = _ln(1 - used) if self.game.consumption == "log" else 1 - used
        if self.security_weight[i] > 0:
            value += self.security_weight[i] * _ln(self.security(i, x))
        if self.influence_weight[i] > 0:
            p = self.influence(i, x)
            value += self.influence_weight[i] * (
                _ln(p) if self.game.influence_value == "log" else p
            )
        if self.private_weight[i] > 0:
            value += self.private_weight[i] * _ln(x[i])
        return value

    def reply(self, i: int, x: Sequence[float]) -> float:
        """The best burden: a grid, refined five times around its best point; the demand is tried."""
        low, high = self.burden_min[i], self.burden_max[i]
        profile = list(x)

        def value(own: float) -> float:
            profile[i] = own
            return self.payoff(i, profile)

        tried = [x[i], low, high]
        if i != self.lead and low <= self.demand[i] <= high:
            tried.append(float(self.demand[i]))
        a, b = low, high
        for _ in range(9):
            grid = np.linspace(a, b, 41)
            best = max(grid, key=value)
            tried.append(float(best))
            width = (b - a) / 40
            a, b = max(low, best - width), min(high, best + width)
        return max(tried, key=value)

    def equilibrium(self, start: Sequence[float], sweeps: int = 60) -> list[float]:
        x = list(start)
        if self.plan.burden is not None:
            x[self.lead] = self.plan.burden
        players = range(self.n) if self.plan.burden is None else self.allies
        for _ in range(sweeps):
            before = list(x)
            for i in players:
                x[i] = self.reply(i, x)
            if max(abs(a - b) for a, b in zip(x, before, strict=True)) < 3e-10:
                break
        return x


def _ln(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def record(
    game: BurdenSharingGame,
    plan: Plan,
    burdens: Sequence[float],
    *,
    regret: float = 1e-6,
    verdict: str = "approximate",
    unique: str = "not proven",
    others: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """An equilibrium as results write it, its numbers by hand."""
    hand = Alliance(game, plan)
    x = [float(b) for b in burdens]
    worth = math.expm1(regret) * (1 - x[0]) if game.consumption == "log" else regret
    return {
        "game": game.to_dict(), "plan": plan.to_dict(),
        "concept": "nash" if plan.burden is None else "response", "members": list(game.members),
        "burden": x, "payoff": [hand.payoff(i, x) for i in range(hand.n)],
        "influence": [hand.influence(i, x) for i in range(hand.n)],
        "security": [hand.security(i, x) for i in range(hand.n)], "trust": hand.r,
        "certificate": {
            "verdict": verdict, "regret": regret, "regret_usd_bn": worth * hand.gdp[0],
            "worst": game.members[0], "unique": unique, "reason": "", "method": "", "scope": "",
            "tolerances": {
                "certified": 1e-9, "approximate": 1e-6, "grid": 25, "roots": 401, "refine": 12,
                "leader_gap": 1e-9,
            },
        },
        "message": "", "others": list(others),
        "provenance": {
            "game_hash": game.hash, "version": "0", "model": "", "calibrated": [], "replaced": {},
            "game": {},
        },
    }  # fmt: skip


def record_keys() -> tuple[str, ...]:
    """The entries of an equilibrium's record."""
    return (
        "game", "plan", "concept", "members", "burden", "payoff", "influence", "security", "trust",
        "certificate", "message", "others", "provenance",
    )  # fmt: skip


def claims(content: dict[str, Any], of: str = "equilibrium") -> list[dict[str, Any]]:
    """What an equilibrium claims."""
    made, game = content["certificate"], content["game"]
    lead = game["members"].index(game["leader"])
    theorem = "simultaneous Nash" if content["concept"] == "nash" else "followers"
    each = {k: v if isinstance(v, list) else [v] * len(game["members"]) for k, v in game.items()}
    own = each["effectiveness"][lead] * each["gdp"][lead] * content["burden"][lead]
    security = content["security"][lead]
    weak = game["substitution"] < 0 or game["technology"] == "weakest-link"
    defined = not weak and security > 0
    found = [
        {"of": of, "claim": "numbers", "savings": 1 - own / security if defined else "nan"},
        {"of": of, "claim": "regret", "verdict": made["verdict"], "bound": made["regret"]},
        {
            "of": of, "claim": "uniqueness", "state": made["unique"],
            "theorem": theorem if made["unique"] == "proven" else None,
        },
    ]  # fmt: skip
    for k, other in enumerate(content["others"]):
        found += claims(other, f"{of}.others[{k}]")
    return found


def file(content: dict[str, Any]) -> dict[str, Any]:
    """The whole file of an equilibrium."""
    return {
        "schema": 1, "kind": "equilibrium", "version": "0", "claims": claims(content), **content,
    }  # fmt: skip
