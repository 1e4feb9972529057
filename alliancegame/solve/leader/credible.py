"""Credible threats: which are carried out under a plan, the best plan with them, and what that costs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import ConvergenceError, InvalidValueError, UnsupportedFormError
from alliancegame.game.checks import check_game, check_plain_forms, check_plan_type
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.certificate import Certificate
from alliancegame.solve.leader.credible_response import answers, equilibria_of, promised
from alliancegame.solve.leader.execution import never_executed, stakes_at
from alliancegame.solve.leader.result import StackelbergResult
from alliancegame.solve.nash import status_quo
from alliancegame.solve.result import Equilibrium, Result, provenance
from alliancegame.solve.tolerances import DEFAULT, Tolerances

if TYPE_CHECKING:
    import pandas as pd

POINTS = {"threat": 21, "demand": 13, "burden": 31}
"""Lattice of the search by dimension."""
ROUNDS = 9
"""Times the lattice is drawn closer around the best plan."""
VERIFIED = 40
"""Most plans of a lattice that are looked at for deviations over jumps, the most promising first."""

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
            mean = float(self.equilibrium.operating_trust[members.leader_index])
            gains = _single_gains(self.game, self.plan, x, mean, self.targets)
            for i, member in enumerate(members):
                if threats[i] == 0:
                    continue
                short = max(0.0, 1 - x[i] / demands[i])
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
    threats are believed anyhow; `failed` plans of those searched had no equilibrium and were left out.
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
    def cost(self) -> float:
        """What credibility costs the leader, in payoff: commitment's payoff less this one.

        A threat that is believed without being carried out costs and saves nothing in the model;
        where carrying threats out pays by itself, this can be negative.
        """
        return self.commitment.leader_payoff - self.leader_payoff

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
        return (
            f"{never}committing {', '.join(self.commit)} with credible threats: best plan "
            f"{self.plan.describe()}, carried out against {who}; credibility costs "
            f"{self.cost:.3g} of payoff; {self.certificate.verdict}, {self.failed} plans had no equilibrium"
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
        )


def credible_targets(
    game: BurdenSharingGame, plan: Plan, *, tolerances: Tolerances = DEFAULT
) -> CredibleTargets:
    """Which threats of a plan the leader would carry out, and how allies answer who know it.

    After burdens are sunk the leader abandons those for whom that raises its payoff, as threatened
    and as far as they fall short: it loses what their forces are worth to it and saves
    `execution_saving` of their GDP; ties are carried out (docs/theory/equilibrium). The plan must name
    the leader's burden. Up to ten threatened allies every set of executions is tried; beyond that, those
    to which execution and answers lead. There may be several equilibria, or none.

    Raises `InvalidValueError` if the plan names no burden; otherwise as `respond`.
    """
    check_game(game, "credible_targets")
    check_plan_type(plan)
    check_plain_forms(game, "credible_targets", plan)
    if plan.burden is None:
        raise InvalidValueError(
            "credible_targets needs plan.burden (the leader's defence spending / GDP): threats are carried "
            "out once it is sunk. Use plan.replace(burden=...)."
        )
    aggregative.check_plan(game, plan)
    return _targets_of(game, plan, tolerances)


def _targets_of(game: BurdenSharingGame, plan: Plan, tolerances: Tolerances) -> CredibleTargets:
    found = answers(game, plan)
    equilibria = equilibria_of(game, plan, found, tolerances)
    demands = plan.demand_by_member(game.members)
    threats = plan.threat_by_member(game.members) * game.by_member("credibility")
    executed = tuple(
        tuple(
            m
            for i, m in enumerate(game.members)
            if mask[i] and threats[i] > 0 and one.burdens[i] < demands[i] and m != game.leader
        )
        for one, mask in zip(equilibria, found.executed, strict=True)
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


def solve_credible(
    game: BurdenSharingGame, chosen: tuple[str, ...], base: Plan, tolerances: Tolerances
) -> CredibleResult:
    """The best uniform plan with credible threats; the door is `solve_stackelberg(credible=True)`."""
    from alliancegame.solve.leader.stackelberg import solve_stackelberg

    if "burden" not in chosen and base.burden is None:
        raise UnsupportedFormError(
            "credible=True needs the leader's burden, which is sunk before threats are carried out: add "
            "burden to commit, or give one. A burden played simultaneously is not supported here."
        )
    commitment = solve_stackelberg(game, chosen, plan=base, tolerances=tolerances)
    axes = [_axis(game, name) for name in chosen]
    bounds = [(axis[0], axis[-1]) for axis in axes]
    point = np.array([float(getattr(commitment.plan, name)) for name in chosen])
    offered, best, count, failed = point[None], -np.inf, 0, 0
    for turn in range(ROUNDS):
        mesh = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(chosen))
        points = np.concatenate([offered, mesh])
        values = _promised(game, base, chosen, points)
        count, failed = count + len(points), failed + int(np.isnan(values).sum())
        order = np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")[:VERIFIED]
        for k in order[values[order] > best]:
            made = answers(game, _plan_at(base, chosen, points[k]))
            if len(made.payoff) and made.payoff[0] > best:
                best, point = float(made.payoff[0]), points[k]
            if len(made.payoff) and made.payoff[0] >= values[k] - 1e-12:
                break
            failed += not len(made.payoff)
        if not np.isfinite(best):
            raise ConvergenceError(
                "no plan that was tried has an equilibrium with credible threats: raise or lower "
                "execution_saving, or commit other parts of the plan."
            )
        width = 0.4 ** (turn + 1)
        axes = [
            np.unique(np.clip(x + width * (high - low) * np.linspace(-1, 1, 11), low, high))
            for x, (low, high) in zip(point, bounds, strict=True)
        ]
        offered = point[None]
    plan = _plan_at(base, chosen, point)
    found = _targets_of(game, plan, tolerances)
    words = (
        f"uniform plans on a lattice ({'x'.join(str(POINTS[name]) for name in chosen)}) drawn closer "
        f"{ROUNDS} times around the best; {count} plans solved, {failed} without an equilibrium "
        "(inadmissible). Nothing bounds what was missed: payoffs jump where executions switch"
    )
    return CredibleResult(
        chosen, plan, found, status_quo(game), commitment, math.nan, words, failed
    )


def _plan_at(base: Plan, chosen: tuple[str, ...], point: Array) -> Plan:
    return base.replace(**{k: float(v) for k, v in zip(chosen, point, strict=True)})


def _promised(game: BurdenSharingGame, base: Plan, chosen: tuple[str, ...], points: Array) -> Array:
    """`promised` for plans given as points, (plan,)."""
    count = len(points)
    columns = {name: points[:, j] for j, name in enumerate(chosen)}
    lead = game.members.leader_index
    rows = []
    for name in ("threat", "demand"):
        values = np.tile(getattr(base, f"{name}_by_member")(game.members), (count, 1))
        if name in columns:
            values[:] = columns[name][:, None]
            values[:, lead] = 0.0 if name == "threat" else 0.05
        rows.append(values)
    burdens = columns.get("burden", np.full(count, base.burden, dtype=np.float64))
    return promised(game, rows[0], rows[1], burdens)


def _axis(game: BurdenSharingGame, name: str) -> Array:
    """The points of one dimension, denser at small burdens and demands."""
    lead = game.members.leader_index
    share = np.linspace(0.0, 1.0, POINTS[name])
    if name == "threat":
        return share
    highs = game.by_member("burden_max")
    if name == "burden":
        low = float(game.by_member("burden_min")[lead])
        return low + (float(highs[lead]) - low) * share**2
    most = float(np.delete(highs, lead).min())
    return most * np.linspace(0.1, 1.0, POINTS[name]) ** 2
