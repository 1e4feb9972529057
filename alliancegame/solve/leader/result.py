"""The result of a leader's search: the plan, the allies' answer, and what is known of better plans."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.solve.certificate import Certificate, usd_bn
from alliancegame.solve.leader.interest import Interest, interest_of
from alliancegame.solve.result import Equilibrium, Result

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True)
class Targeted:
    """How a search for targeted pressure went.

    `uniform` is what the best uniform plan is worth (its plan in `uniform_plan`), `slope` the largest
    slope left open at the plan found, in payoff per unit of threat or per 5 % of GDP (nan where
    national interest is maximised; at a ridge, where an ally just bunches, it need not be small).
    """

    uniform: float
    uniform_plan: Mapping[str, Any]
    starts: int
    evaluations: int
    slope: float


def sign(value: float) -> int:
    """-1, 0 or 1; differences below 1e-9 count as none, nan too."""
    return int(value > 1e-9) - int(value < -1e-9)


def rebuilt(kind: Any, content: Any) -> Any:
    """A small record from its plain values; numbers may have travelled as text."""
    if content is None:
        return None
    fields = {f.name: content[f.name] for f in dataclasses.fields(kind)}
    return kind(**{k: float(v) if isinstance(v, str) else v for k, v in fields.items()})


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class StackelbergResult(Result):
    """The best plan to which the leader can commit, and the allies' answer.

    `leader_gap` estimates how much better a plan the search could have missed, in payoff (bn US$ in
    `leader_gap_usd_bn`), in national interest if that is the `objective`; `search` says at what
    resolution. `baseline` is A. For targeted pressure nothing bounds what was missed: `leader_gap` is
    nan, `targets` says how the search went, and `uniform` what the best uniform plan is worth.

    `optimistic_value` is what the leader gets if allies answer as it likes best, `pessimistic_value`
    the supremum if they answer as it likes least: the same where answers are proved unique, nan where
    it was not asked for. `pessimistic_plan` comes within `epsilon` of it, 0 if it is attained.
    `inadmissible` counts plans of the search without a pure answer (without triggers also those whose
    answer leaves the leader a payoff of minus infinity, unless answers are proved unique).
    """

    kind: ClassVar[str] = "stackelberg"

    commit: tuple[str, ...]
    plan: Plan
    response: Equilibrium
    baseline: Equilibrium
    leader_gap: float
    search: str
    selection: str = "optimistic"
    objective: str = "payoff"
    interest: Interest | None = None
    targets: Targeted | None = None
    optimistic_value: float = math.nan
    pessimistic_value: float = math.nan
    pessimistic_plan: Plan | None = None
    epsilon: float = 0.0
    inadmissible: int = 0

    @property
    def attained(self) -> bool:
        """Whether the pessimistic supremum is attained by a plan, as far as the search could tell."""
        return self.epsilon == 0.0

    @property
    def game(self) -> BurdenSharingGame:
        """The game."""
        return self.response.game

    @property
    def certificate(self) -> Certificate:
        """The certificate of the allies' answer (the leader's own search is in `leader_gap`)."""
        return self.response.certificate

    @property
    def leader_payoff(self) -> float:
        """The leader's payoff under the plan."""
        return self.response.leader_payoff

    @property
    def leader_gap_usd_bn(self) -> float:
        """`leader_gap` in bn US$ at the plan's burdens."""
        gain = np.full(self.game.size, self.leader_gap)
        return float(usd_bn(self.game, gain, self.response.burdens)[self.game.members.leader_index])

    @property
    def outcome(self) -> str:
        """The plan's outcome against A (docs/theory/outcomes)."""
        from alliancegame.study.outcomes import outcome

        return outcome(self.baseline, self.response)

    @property
    def comparison(self) -> Any:
        """The full comparison with A."""
        from alliancegame.study.compare import compare

        return compare(self.game, self.plan)

    @property
    def gain_over_uniform(self) -> float:
        """What aiming at single allies adds to the best uniform plan; nan for a uniform search."""
        if self.targets is None:
            return math.nan
        return self.objective_value - self.targets.uniform

    @property
    def objective_value(self) -> float:
        """What was maximised, at the plan: the leader's payoff, or national interest W."""
        return self.leader_payoff if self.interest is None else self.interest.of(self.response)

    @property
    def directions(self) -> dict[str, Any]:
        """Payoff and national interest of the plan less those at A, and whether their signs agree.

        W counts as in docs/theory/outcomes (by default Cobb-Douglas, psi from the slope at A).
        """
        weigh = self.interest or interest_of(self.baseline)
        payoff = self.leader_payoff - self.baseline.leader_payoff
        worth = weigh.of(self.response) - weigh.of(self.baseline)
        return {
            "payoff": payoff,
            "national_interest": worth,
            "weight": weigh.weight,
            "curvature": weigh.curvature,
            "agree": sign(payoff) == sign(worth),
        }

    def doubt(self) -> str:
        """What is known about better plans, in words."""
        if self.targets is not None:
            return (
                f"the best of {self.targets.starts} starts, {self.gain_over_uniform:.2g} better than "
                f"the best uniform plan; nothing bounds what the search missed"
            )
        return f"a better plan could gain {self.leader_gap:.2g} at most by the search's estimate"

    def headline(self) -> str:
        """One line that says what was found."""
        quiet = "" if self.plan.pressure else " (no threat is best)"
        aim = "targeted " if self.targets is not None else ""
        best = "best plan" if self.interest is None else "plan best for national interest"
        return (
            f"committing {aim}{', '.join(self.commit)}: {best} {self.plan.describe()}; outcome "
            f"{self.outcome}{quiet}; {self.certificate.verdict}, {self.doubt()}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Every member's numbers under the plan."""
        return self.response.to_frame()

    def _shown(self) -> pd.DataFrame:
        """Against A, as a notebook shows it."""
        table: pd.DataFrame = self.comparison.to_frame()
        return table

    def _content(self) -> dict[str, Any]:
        return {
            "commit": list(self.commit),
            "plan": self.plan.to_dict(),
            "response": self.response._content(),
            "baseline": self.baseline._content(),
            "leader_gap": self.leader_gap,
            "search": self.search,
            "selection": self.selection,
            "outcome": self.outcome,
            "objective": self.objective,
            "interest": None if self.interest is None else dataclasses.asdict(self.interest),
            "targets": None if self.targets is None else dataclasses.asdict(self.targets),
            **self._values_of_both(),
        }

    def _claims(self, of: str = "") -> list[dict[str, Any]]:
        return [
            *self.baseline._claims(f"{of}baseline"),
            *self.response._claims(f"{of}response"),
            {"of": of, "claim": "outcome", "outcome": self.outcome},
            {"of": of, "claim": "leader gap", "leader_gap": self.leader_gap},
            {"of": of, "claim": "selection", **self._values_of_both()},
        ]

    def _values_of_both(self) -> dict[str, Any]:
        worst = self.pessimistic_plan
        return {
            "optimistic_value": self.optimistic_value,
            "pessimistic_value": self.pessimistic_value,
            "pessimistic_plan": None if worst is None else worst.to_dict(),
            "epsilon": self.epsilon,
            "inadmissible": self.inadmissible,
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        return cls(
            tuple(content["commit"]),
            Plan(**content["plan"]),
            Equilibrium.from_content(content["response"]),
            Equilibrium.from_content(content["baseline"]),
            float(content["leader_gap"]),
            content["search"],
            content["selection"],
            content.get("objective", "payoff"),
            rebuilt(Interest, content.get("interest")),
            rebuilt(Targeted, content.get("targets")),
            float(content.get("optimistic_value", math.nan)),
            float(content.get("pessimistic_value", math.nan)),
            Plan(**worst) if (worst := content.get("pessimistic_plan")) else None,
            float(content.get("epsilon", 0.0)),
            int(content.get("inadmissible", 0)),
        )
