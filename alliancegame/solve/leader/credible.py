"""Credible threats: which are carried out under a plan, the best plan with them, and what that costs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.game.checks import check_game, check_plan_type
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, measures
from alliancegame.solve.certificate import Certificate
from alliancegame.solve.leader.credible_candidates import Worth
from alliancegame.solve.leader.credible_response import answers, equilibria_of
from alliancegame.solve.leader.execution import never_executed, stakes_at
from alliancegame.solve.leader.interest import Interest
from alliancegame.solve.leader.result import StackelbergResult, Targeted, rebuilt
from alliancegame.solve.result import Equilibrium, Result, provenance
from alliancegame.solve.tolerances import DEFAULT, Tolerances, check_tolerances

if TYPE_CHECKING:
    import pandas as pd

NEVER = (
    "no threat is credible: carrying one out would save {leader} nothing (execution_saving = 0) and cost "
    "it what the ally's forces are worth to it"
)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CredibleTargets(Result):
    """What becomes of a plan's threats if only those are believed that the leader would carry out.

    `equilibria` are those found, the best for the leader first (none is an answer too); `executed` has
    for each the allies whom the leader abandons as far as they fall short. `complete` says whether all
    sets of executions were tried; `message` what was found, in words.
    """

    kind: ClassVar[str] = "credible-targets"

    game: BurdenSharingGame
    plan: Plan
    equilibria: tuple[Equilibrium, ...]
    executed: tuple[tuple[str, ...], ...]
    complete: bool
    message: str

    @property
    def targets(self) -> tuple[str, ...]:
        """The credible targets: allies with a shortfall who are abandoned as threatened."""
        return self.executed[0] if self.executed else ()

    @property
    def equilibrium(self) -> Equilibrium | None:
        """The equilibrium best for the leader; None if there is none."""
        return self.equilibria[0] if self.equilibria else None

    def headline(self) -> str:
        """One line that says what was found."""
        return f"credible threats under {self.plan.describe()}: {self.message}"

    def to_frame(self) -> pd.DataFrame:
        """A row for each threatened ally in the first equilibrium: threat, demand, burden, shortfall.

        `gain` is what carrying the threat out gains the leader, others' threats as they are, in payoff;
        `status` is "carried out", "meets the demand" or "not credible". Empty without an equilibrium.
        """
        import pandas as pd

        members = self.game.members
        threats = self.plan.threat_by_member(members)
        demands = self.plan.demand_by_member(members)
        names = ["threat", "demand", "burden", "shortfall", "gain", "status"]
        index, rows = [], []
        if self.equilibrium is not None:
            x = self.equilibrium.burdens
            gains = _single_gains(self.game, self.plan, x, _mean(self.equilibrium), self.targets)
            missed = measures.shortfalls(self.game, x, demands)
            for i, member in enumerate(members):
                if threats[i] == 0:
                    continue
                short = missed[i]
                status = "not credible" if short else "meets the demand"
                if member in self.targets:
                    status = "carried out"
                index.append(member)
                rows.append([threats[i], demands[i], x[i], short, gains[i], status])
        return pd.DataFrame(rows, index=pd.Index(index, name="ally"), columns=names)

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "provenance": provenance(self.game),
            "plan": self.plan.to_dict(),
            "equilibria": [one._content() for one in self.equilibria],
            "executed": [list(names) for names in self.executed],
            "complete": self.complete,
            "message": self.message,
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        origin = content["provenance"].get("game", {})
        return cls(
            BurdenSharingGame.from_dict({**content["game"], "provenance": origin}),
            Plan(**content["plan"]),
            tuple(Equilibrium.from_content(one) for one in content["equilibria"]),
            tuple(tuple(names) for names in content["executed"]),
            bool(content["complete"]),
            content["message"],
        )


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CredibleResult(Result):
    """The best plan if threats are carried out only where the leader then wants to.

    `response` and `targets` are those of the plan; `commitment` is the best plan of a leader whose
    threats are believed anyhow, searched with the same options; `failed` plans of those searched had no
    equilibrium and were left out. `aimed` says how a search by ally went, None for uniform plans.
    """

    kind: ClassVar[str] = "credible"

    commit: tuple[str, ...]
    plan: Plan
    found: CredibleTargets
    baseline: Equilibrium
    commitment: StackelbergResult
    leader_gap: float
    search: str
    failed: int
    objective: str = "payoff"
    interest: Interest | None = None
    aimed: Targeted | None = None

    @property
    def game(self) -> BurdenSharingGame:
        """The game."""
        return self.found.game

    @property
    def response(self) -> Equilibrium:
        """The allies' answer; the leader's payoff includes what it carries out."""
        return self.found.equilibria[0]

    @property
    def targets(self) -> tuple[str, ...]:
        """Allies who are abandoned as threatened."""
        return self.found.targets

    @property
    def certificate(self) -> Certificate:
        """The certificate of the allies' answer."""
        return self.response.certificate

    @property
    def leader_payoff(self) -> float:
        """The leader's payoff, with what it saves and loses by what it carries out."""
        return self.response.leader_payoff

    @property
    def objective_value(self) -> float:
        """What was maximised, at the plan: the leader's payoff, or national interest W."""
        return self.leader_payoff if self.interest is None else self.interest.of(self.response)

    @property
    def gain_over_uniform(self) -> float:
        """What aiming at single allies adds to the best uniform plan; nan for a uniform search."""
        return math.nan if self.aimed is None else self.objective_value - self.aimed.uniform

    @property
    def cost(self) -> float:
        """What credibility costs the leader: what it maximises under commitment, less that here.

        A threat that is believed without being carried out costs and saves nothing in the model;
        where carrying threats out pays by itself, this can be negative.
        """
        return self.commitment.objective_value - self.objective_value

    def price(self) -> str:
        """`cost` in words; it is negative where carrying threats out pays by itself."""
        from alliancegame.study.outcomes import rounded

        unit = "payoff" if self.interest is None else "national interest"
        cost = rounded(self.cost)
        if cost >= 0:
            return f"credibility costs {cost:.3g} of {unit} against commitment"
        return f"{-cost:.3g} of {unit} more than under commitment, as carrying out pays"

    @cached_property
    def outcome(self) -> str:
        """The plan's outcome against A (docs/theory/outcomes)."""
        from alliancegame.study.outcomes import outcome

        return outcome(self.baseline, self.response)

    def headline(self) -> str:
        """One line that says what was found."""
        who = ", ".join(self.targets) or "nobody"
        never = ""
        if never_executed(self.game):
            never = f"{NEVER.format(leader=self.game.leader)}; "
        aim = "" if self.aimed is None else "targeted "
        return (
            f"{never}committing {aim}{', '.join(self.commit)} with credible threats: best plan "
            f"{self.plan.describe()}, carried out against {who}; {self.price()}; "
            f"{self.certificate.verdict}, {self.failed} plans had no equilibrium"
        )

    def to_frame(self) -> pd.DataFrame:
        """Every member's numbers under the plan."""
        return self.response.to_frame()

    def _content(self) -> dict[str, Any]:
        return {
            "commit": list(self.commit),
            "plan": self.plan.to_dict(),
            "found": self.found._content(),
            "baseline": self.baseline._content(),
            "commitment": self.commitment._content(),
            "leader_gap": self.leader_gap,
            "search": self.search,
            "failed": self.failed,
            "objective": self.objective,
            "interest": None if self.interest is None else dataclasses.asdict(self.interest),
            "targets": None if self.aimed is None else dataclasses.asdict(self.aimed),
            "cost": self.cost,
            "outcome": self.outcome,
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        return cls(
            tuple(content["commit"]),
            Plan(**content["plan"]),
            CredibleTargets.from_content(content["found"]),
            Equilibrium.from_content(content["baseline"]),
            StackelbergResult.from_content(content["commitment"]),
            float(content["leader_gap"]),
            content["search"],
            int(content["failed"]),
            content.get("objective", "payoff"),
            rebuilt(Interest, content.get("interest")),
            rebuilt(Targeted, content.get("targets")),
        )


def credible_targets(
    game: BurdenSharingGame, plan: Plan, *, tolerances: Tolerances = DEFAULT
) -> CredibleTargets:
    """Which threats of a plan the leader would carry out, and how allies answer who know it.

    After burdens are sunk the leader abandons those for whom that raises its payoff, as threatened
    and as far as they fall short: it loses what their forces are worth to it and saves
    `execution_saving` of their GDP; ties are carried out, tariffs always (docs/theory/equilibrium). If
    the plan names no burden the leader plays it at the same time as the allies, and knows what it will
    carry out. Up to ten threatened allies (seven if the leader plays) every set of executions is tried;
    beyond that, those to which execution and answers lead. There may be several equilibria, or none.

    With triggers every side of every ally is tried, for up to seven allies (four if the leader plays).

    Raises `UnsupportedFormError` for more, and for the exact limits of the technology; otherwise as
    `respond`.
    """
    check_game(game, "credible_targets")
    check_tolerances(tolerances)
    check_plan_type(plan)
    aggregative.check_plan(game, plan)
    return targets_of(game, plan, tolerances)


def targets_of(
    game: BurdenSharingGame, plan: Plan, tolerances: Tolerances, worth: Worth | None = None
) -> CredibleTargets:
    """The same without checks; `worth` says what equilibria are ranked by if not the leader's payoff."""
    found = answers(game, plan, worth, prove=True)
    equilibria = equilibria_of(game, plan, found, tolerances)
    biting = [stakes_at(game, plan, e.burdens[None], _mean(e)).bite[0] > 0 for e in equilibria]
    executed = tuple(
        tuple(m for m, gone in zip(game.members, mask & bites, strict=True) if gone)
        for mask, bites in zip(found.kept.executed, biting, strict=True)
    )
    searched = f"{found.tried} sets of executions tried" + ("" if found.complete else ", not all")
    if not equilibria:
        words = f"no equilibrium found ({searched})"
        if found.tempted:
            words += "; " + ", ".join(
                f"{m} would gain {g:.2g} by leaving" for m, g in found.tempted
            )
        else:
            words += (
                "; a threat that is carried out makes an ally spend so much that the leader would spare "
                "it, and one that is not so little that it would not"
            )
    elif never_executed(game):
        words = NEVER.format(leader=game.leader)
    else:
        who = ", ".join(executed[0]) or "nobody"
        several = f"; {len(equilibria)} equilibria" if len(equilibria) > 1 else ""
        words = f"carried out against {who}{several} ({searched})"
    return CredibleTargets(game, plan, equilibria, executed, found.complete, words)


def _mean(found: Equilibrium) -> float:
    """The allies' mean trust at an equilibrium."""
    return float(found.operating_trust[found.game.members.leader_index])


def _single_gains(
    game: BurdenSharingGame, plan: Plan, x: Array, mean: float, executed: tuple[str, ...]
) -> Array:
    """What executing each ally gains the leader, the other executions as they are; (n,)."""
    stakes = stakes_at(game, plan, x[None], mean)
    chosen = np.array([m in executed for m in game.members])[None]
    without = (
        (stakes.saved * chosen).sum(axis=1, keepdims=True) - stakes.saved * chosen,
        (stakes.lost * chosen).sum(axis=1, keepdims=True) - stakes.lost * chosen,
    )
    return np.asarray(stakes.gains(without)[0])
