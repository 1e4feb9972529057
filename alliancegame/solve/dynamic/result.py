"""Paths of trust as results: labelled, certified, in payoff and in money."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve.certificate import consumption_share
from alliancegame.solve.nash import status_quo
from alliancegame.solve.result import Result, numbers, provenance

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True)
class PathCertificate:
    """What a path claims of itself. Numbers are in payoff, `..._usd_bn` in bn US$; nan: does not apply.

    `bellman_residual` is the largest |TV - V| at states between the nodes of the policy (T with a
    global search of the action and the exact payoff); the value is off by at most this over 1 -
    discount, if the states tried are the worst ones. `euler_error` is the largest residual of the
    first-order condition there, per unit of threat. `deviation_gain` is the largest gain from another
    threat in one period of the path; `grid_error` by how much the first value moves from a grid half
    as fine; `allied_regret` the largest gain of an ally in a period. `verdict` is "approximate" at the
    best: states are sampled, and nothing proves what lies between them.
    """

    verdict: str
    bellman_residual: float
    bellman_residual_usd_bn: float
    euler_error: float
    euler_error_usd_bn: float
    deviation_gain: float
    deviation_gain_usd_bn: float
    grid_error: float
    grid_error_usd_bn: float
    allied_regret: float
    method: str
    scope: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The certificate that `to_dict` described."""
        words = ("verdict", "method", "scope")
        content: dict[str, Any] = {k: v if k in words else float(v) for k, v in data.items()}
        return cls(**content)

    def __str__(self) -> str:
        parts = [
            (self.bellman_residual, "Bellman residual"),
            (self.euler_error, "Euler error"),
            (self.deviation_gain, "gain from one deviation"),
            (self.grid_error, "grid error"),
        ]
        known = ", ".join(f"{name} {v:.2g}" for v, name in parts if math.isfinite(v))
        return f"{self.verdict}: {known}; {self.method}."


@dataclasses.dataclass(frozen=True, eq=False)
class Policy:
    """A policy over the grid of states: `states` (node, state), `threats` and `values` (node,)."""

    names: tuple[str, ...]
    states: Array
    threats: Array
    values: Array

    def to_frame(self) -> pd.DataFrame:
        """A row for each node."""
        import pandas as pd

        frame = pd.DataFrame(self.states, columns=list(self.names))
        return frame.assign(threat=self.threats, value=self.values)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class TrustPath(Result):
    """Threats, trust and burdens period by period, and what the whole of the future is worth.

    Arrays by period and member, shape (period, n): `threats` and `operating_trust` (when allies
    answer; the leader's entry is the allies' mean), `burdens`, `payoffs`, `influences`. `states` has
    shape (period, state), as shares of the first ceilings, at the beginning of the period. `value` is
    the discounted payoff of the leader for ever (the expectation over turnover), `never` the same
    without any pressure, neither threats nor the `tariff` that is levied beside them, if it spends what
    is then best for it. `turnovers` are the periods at whose end
    a new person leads in the path shown. Money is in bn US$ at A's burden (docs/theory/outcomes).
    """

    kind: ClassVar[str] = "trust path"

    game: BurdenSharingGame
    concept: str
    discount: float
    demand: Any
    state_names: tuple[str, ...]
    states: Array
    threats: Array
    operating_trust: Array
    burdens: Array
    payoffs: Array
    influences: Array
    value: float
    never: float
    never_first: float
    turnovers: tuple[int, ...]
    certificate: PathCertificate
    policy: Policy | None = None
    tariff: Any = 0.0

    @property
    def periods(self) -> int:
        """The number of periods shown."""
        return len(self.threats)

    @property
    def first_threat(self) -> float:
        """The largest threat of the first period."""
        return float(self.threats[0].max())

    @property
    def gain(self) -> float:
        """The value minus that of no pressure ever, in payoff, discounted."""
        return self.value - self.never

    @property
    def gain_usd_bn_a_year(self) -> float:
        """The constant yearly sum that is worth the gain, bn US$."""
        return self._money((1 - self.discount) * self.gain)

    @property
    def present_value_usd_bn(self) -> float:
        """The gain over no pressure ever as a present value, bn US$."""
        return self.gain_usd_bn_a_year / (1 - self.discount)

    @property
    def first_gain(self) -> float:
        """The first period's payoff minus that without pressure."""
        return float(self.payoffs[0, self.game.members.leader_index]) - self.never_first

    @property
    def dynamic_backfire(self) -> bool:
        """Whether the first period gains and the present value loses, against no pressure ever."""
        return self.first_gain > 1e-9 and self.gain < -1e-9

    @property
    def flags(self) -> tuple[str, ...]:
        """`dynamic_backfire` if it holds."""
        return ("dynamic_backfire",) if self.dynamic_backfire else ()

    @property
    def _taxed(self) -> bool:
        """Whether a tariff is levied beside the threats."""
        return Plan(tariff=self.tariff).taxed

    def _money(self, gain: float) -> float:
        lead = self.game.members.leader_index
        own = status_quo(self.game).burdens[lead]
        gdp = float(self.game.by_member("gdp")[lead])
        return float(consumption_share(self.game, gain, own)) * gdp

    @cached_property
    def mean_trust(self) -> pd.Series[float]:
        """The allies' mean operating trust by period."""
        return self.by_member("trust")[self.game.leader].rename("mean trust")

    def by_member(self, what: str) -> pd.DataFrame:
        """A table period × member: "threat", "trust", "burden", "spending", "payoff" or "influence"."""
        import pandas as pd

        from alliancegame.errors import unknown_name

        tables = {
            "threat": self.threats,
            "trust": self.operating_trust,
            "burden": self.burdens,
            "spending": self.burdens * self.game.by_member("gdp"),
            "payoff": self.payoffs,
            "influence": self.influences,
        }
        if what not in tuple(tables):
            raise unknown_name("table", what, tables)
        return pd.DataFrame(
            tables[what],
            index=pd.RangeIndex(self.periods, name="period"),
            columns=pd.Index(self.game.members.labels, name="member"),
        )

    def to_frame(self) -> pd.DataFrame:
        """A row for each period: threat, trust, burdens and the leader's payoff."""
        import pandas as pd

        lead = self.game.members.leader_index
        gdp = self.game.by_member("gdp")
        allies = np.arange(self.game.size) != lead
        weight = gdp * allies / gdp[allies].sum()
        frame = pd.DataFrame(self.states, columns=list(self.state_names))
        frame.index = pd.RangeIndex(self.periods, name="period")
        return frame.assign(
            threat=self.threats @ weight,
            operating_trust=self.operating_trust[:, lead],
            leader_burden=self.burdens[:, lead],
            allied_burden=self.burdens @ weight,
            leader_influence=self.influences[:, lead],
            leader_payoff=self.payoffs[:, lead],
        )

    def headline(self) -> str:
        """One line that says what was found."""
        flag = "; dynamic backfire" if self.dynamic_backfire else ""
        against = "no pressure" if self._taxed else "never threatening"
        return (
            f"{self.concept} path, discount {self.discount:g}: first threat {self.first_threat:.4g}, "
            f"trust {self.operating_trust[-1, self.game.members.leader_index]:.3g} after "
            f"{self.periods} periods, present value {self.present_value_usd_bn:+.2f} bn US$ against "
            f"{against}{flag}; {self.certificate.verdict}"
        )

    def _content(self) -> dict[str, Any]:
        policy = None
        if self.policy is not None:
            policy = {
                "names": list(self.policy.names),
                "states": self.policy.states.tolist(),
                "threats": self.policy.threats.tolist(),
                "values": self.policy.values.tolist(),
            }
        return {
            "game": self.game.to_dict(),
            "concept": self.concept,
            "discount": self.discount,
            "demand": _plain(self.demand),
            "tariff": _plain(self.tariff),
            "state_names": list(self.state_names),
            "members": list(self.game.members),
            **{name: getattr(self, name).tolist() for name in _TABLES},
            "value": self.value,
            "never": self.never,
            "never_first": self.never_first,
            "present_value_usd_bn": self.present_value_usd_bn,
            "flags": list(self.flags),
            "turnovers": list(self.turnovers),
            "certificate": self.certificate.to_dict(),
            "policy": policy,
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the path from its plain values."""
        game = BurdenSharingGame.from_dict(
            {**content["game"], "provenance": content["provenance"].get("game", {})}
        )
        found = content["policy"]
        policy = found and Policy(
            tuple(found["names"]),
            _rows(found["states"]),
            numbers(found["threats"]),
            numbers(found["values"]),
        )
        fields: dict[str, Any] = {name: _rows(content[name]) for name in _TABLES}
        fields |= {name: float(content[name]) for name in ("value", "never", "never_first")}
        return cls(
            game,
            content["concept"],
            float(content["discount"]),
            content["demand"],
            tuple(content["state_names"]),
            **fields,
            turnovers=tuple(content["turnovers"]),
            certificate=PathCertificate.from_dict(content["certificate"]),
            policy=policy,
            tariff=content.get("tariff", 0.0),
        )


def _plain(values: Any) -> Any:
    """Values of a plan, ready for JSON."""
    return values.tolist() if isinstance(values, np.ndarray) else values


_TABLES = ("states", "threats", "operating_trust", "burdens", "payoffs", "influences")


def _rows(values: Sequence[Sequence[Any]]) -> Array:
    return np.array([[float(v) for v in row] for row in values])


@dataclasses.dataclass(frozen=True, eq=False)
class ControlPath:
    """The path of a user's own `TrustControl`: `states` (period, state), `actions`, `payoffs` (period,).

    `value` is the discounted payoff for ever (the expectation over turnover). `policy` stands where
    the concept is "markov".
    """

    concept: str
    discount: float
    state_names: tuple[str, ...]
    states: Array
    actions: Array
    payoffs: Array
    value: float
    certificate: PathCertificate
    policy: Policy | None = None

    def to_frame(self) -> pd.DataFrame:
        """A row for each period."""
        import pandas as pd

        frame = pd.DataFrame(self.states, columns=list(self.state_names))
        frame.index = pd.RangeIndex(len(self.actions), name="period")
        return frame.assign(action=self.actions, payoff=self.payoffs)
