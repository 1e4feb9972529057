"""Compare plans with the status quo A: outcome, decomposition, flags (docs/theory/outcomes)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self, overload

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import AllianceGameError, ConvergenceError, UnsupportedFormError
from alliancegame.game.checks import check_game
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.solve import measures
from alliancegame.solve.alignment import somebody_leaves
from alliancegame.solve.certificate import Certificate, consumption_share
from alliancegame.solve.dynamic.asked import check_discount
from alliancegame.solve.leaving.outside import has_outside
from alliancegame.solve.nash import solve_nash, status_quo
from alliancegame.solve.result import Equilibrium, Result, provenance
from alliancegame.solve.tolerances import DEFAULT, Tolerances
from alliancegame.study.against import AgainstBaseline
from alliancegame.study.lasting import Lasting, against_a
from alliancegame.study.outcomes import OUTCOMES, outcome, rounded, tolerance

if TYPE_CHECKING:
    import pandas as pd

NO_DECAY = "decay is 0: threats cost no trust in this game"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Comparison(AgainstBaseline):
    """A plan against the status quo.

    `commitment` + `leverage` + `trust_loss` = `delta_payoff`, exactly: what the leader gains by
    committing its own burden, by pressure if trust were unharmed, and by the trust that is lost
    (either sign). If one of them is minus infinity it brought the leader there, those after it are 0,
    and `note` says so. `versus_best_burden` is the payoff difference to the best burden that the leader
    could commit without pressure, V(0); nan if the plan names no burden. `lasting` is what the plan
    brings if it is kept for ever and trust carries over, None unless a discount factor was given.
    `flags` are those of docs/theory/outcomes; `influence_backfire` says that the leader loses and would
    have gained had its influence stayed. `collapse` says that somebody leaves: the largest equilibrium
    alliance is smaller than at A. It is asked only where the game has numbers for what allies have
    outside.
    """

    kind: ClassVar[str] = "comparison"

    commitment: float
    leverage: float
    trust_loss: float
    versus_best_burden: float
    collapse: bool = False
    lasting: Lasting | None = None

    @property
    def certificate(self) -> Certificate:
        """The certificate of the plan's equilibrium; A has its own in `baseline.certificate`."""
        return self.result.certificate

    @property
    def outcome(self) -> str:
        """What the plan brings the leader: one of OUTCOMES."""
        return outcome(self.baseline, self.result)

    @property
    def gain_usd_bn(self) -> float:
        """The leader's gain as a consumption equivalent, bn US$ a year."""
        return float(self._usd[self.game.members.leader_index])

    @property
    def delta_savings(self) -> float:
        """Change of the leader's savings."""
        return self.result.savings - self.baseline.savings

    @property
    def delta_influence(self) -> float:
        """Change of the leader's share of influence."""
        return self.result.leader_influence - self.baseline.leader_influence

    @property
    def note(self) -> str:
        """What a reader must know: threats that cost nothing, a part that is infinite; else empty."""
        parts = {
            "commitment": "the plan's own burden without any pressure",
            "leverage": "pressure, even with trust unharmed,",
            "trust_loss": "the trust that pressure costs",
        }
        for name, cause in parts.items():
            if getattr(self, name) == -math.inf:
                return (
                    f"{name} is minus infinity: {cause} leaves {self.game.leader} a payoff of minus "
                    "infinity, and what comes after it in the decomposition adds nothing"
                )
        costless = self.plan.pressure and self.game.trust_law.harmless
        return NO_DECAY if costless else ""

    @property
    def flags(self) -> tuple[str, ...]:
        """Warnings that hold, in a fixed order."""
        slack = tolerance(self.baseline, self.result)
        loses = self.delta_payoff < -slack
        worth = measures.influence_worth(self.game, self.result.leader_influence)
        worth -= measures.influence_worth(self.game, self.baseline.leader_influence)
        checks = {
            "spending_backfire": self.result.allied_burden < self.baseline.allied_burden - 1e-9,
            "influence_backfire": loses and self.delta_payoff - worth > slack,
            "collapse": self.collapse,
            "self_inflicted": loses and self.commitment <= self.delta_payoff + slack,
            "dynamic_backfire": self.dynamic_backfire is True,
        }
        return tuple(name for name, holds in checks.items() if holds)

    @property
    def dynamic_backfire(self) -> bool | None:
        """Whether the plan gains in its first period and loses in present value if kept for ever.

        None unless a discount factor was given to `compare`.
        """
        if self.lasting is None:
            return None
        slack = tolerance(self.baseline, self.result)
        return self.lasting.first > slack and self.lasting.value < -slack

    @property
    def present_value_usd_bn(self) -> float:
        """What the plan is worth if kept for ever, bn US$ at A; nan without a discount factor."""
        if self.lasting is None:
            return math.nan
        return self.lasting.usd_bn(self.game, self.baseline.burdens)

    @property
    def _delta(self) -> Any:
        return self.result.payoffs - self.baseline.payoffs

    @property
    def _share(self) -> Any:
        return consumption_share(self.game, self._delta, self.baseline.burdens)

    @property
    def _usd(self) -> Any:
        return self._share * self.game.by_member("gdp")

    @cached_property
    def table(self) -> pd.DataFrame:
        """Every member: burdens, spending, influence, delta_payoff, ev and bn US$.

        `ev` is the consumption equivalent of delta_payoff: a share of consumption (log) or of GDP
        (linear). `usd_bn` is its worth at A's burdens.
        """
        import pandas as pd

        ev = np.expm1(self._delta) if self.game.consumption == "log" else self._delta
        gdp = self.game.by_member("gdp")
        columns = {
            "burden_A": self.baseline.burdens,
            "burden_plan": self.result.burdens,
            "spending_change": (self.result.burdens - self.baseline.burdens) * gdp,
            "influence_A": self.baseline.influences,
            "influence_plan": self.result.influences,
            "trust": self.result.operating_trust,
            "delta_payoff": self._delta,
            "ev": ev,
            "usd_bn": self._usd,
        }
        return pd.DataFrame(columns, index=pd.Index(self.game.members.labels, name="member"))

    def national_interest(
        self, curvature: float = 0.0, weight: float | None = None
    ) -> dict[str, Any]:
        """The essay's two-good form W at A and under the plan, and whether it agrees with the payoff.

        `weight` is psi, by default the one whose slope at A matches the payoff. Returns a dict with
        weight, at_A, under_plan, change and agrees (None where W is not defined).
        """
        base, here = self.baseline, self.result
        lead = self.game.members.leader_index
        if weight is None:
            weight = measures.interest_weight(
                self.game,
                base.savings,
                base.leader_influence,
                float(base.securities[lead]),
                curvature,
            )
        before, after = (
            measures.national_interest(weight, e.savings, e.leader_influence, curvature)
            for e in (base, here)
        )
        change = after - before
        agrees = None if math.isnan(change) else (change > 0) == (self.delta_payoff > 0)
        return {
            "weight": weight, "at_A": before, "under_plan": after, "change": change, "agrees": agrees,
        }  # fmt: skip

    def row(self) -> dict[str, Any]:
        """The comparison as one row of a table."""
        lasting = {}
        if self.lasting is not None:
            lasting = {
                "discount": self.lasting.discount,
                "present_value_usd_bn": self.present_value_usd_bn,
            }
        return {
            "plan": self.plan.describe(),
            "outcome": self.outcome,
            "delta_payoff": self.delta_payoff,
            "usd_bn": self.gain_usd_bn,
            "commitment": self.commitment,
            "leverage": self.leverage,
            "trust_loss": self.trust_loss,
            "savings": self.result.savings,
            "influence": self.result.leader_influence,
            "leader_burden": float(self.result.burdens[self.game.members.leader_index]),
            "allied_burden": self.result.allied_burden,
            "versus_best_burden": self.versus_best_burden,
            **lasting,
            "flags": ", ".join(self.flags),
            "verdict": self.certificate.verdict,
        }

    def headline(self) -> str:
        """One line that says what was found."""
        return (
            f"{self.plan.describe()}: {self.outcome}; {self.game.leader} gains "
            f"{rounded(self.delta_payoff):+.3g} of "
            f"payoff ({self.gain_usd_bn:+.3g} bn US$ a year); {self.certificate.verdict}"
            + (f"; {self.note}" if self.note else "")
        )

    def to_frame(self) -> pd.DataFrame:
        """The table of every member."""
        return self.table

    def _content(self) -> dict[str, Any]:
        return {
            "baseline": self.baseline._content(),
            "result": self.result._content(),
            "outcome": self.outcome,
            "delta_payoff": self.delta_payoff,
            "gain_usd_bn": self.gain_usd_bn,
            "commitment": self.commitment,
            "leverage": self.leverage,
            "trust_loss": self.trust_loss,
            "versus_best_burden": self.versus_best_burden,
            "lasting": None if self.lasting is None else dataclasses.asdict(self.lasting),
            "flags": list(self.flags),
            "collapse": self.collapse,
            "provenance": provenance(self.game),
        }

    def _claims(self, of: str = "") -> list[dict[str, Any]]:
        parts = ("commitment", "leverage", "trust_loss", "versus_best_burden")
        return [
            *self.baseline._claims(f"{of}baseline"),
            *self.result._claims(f"{of}result"),
            {"of": of, "claim": "outcome", "outcome": self.outcome, "flags": list(self.flags)},
            {"of": of, "claim": "decomposition", **{name: getattr(self, name) for name in parts}},
        ]

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the comparison from its plain values."""
        names = ("commitment", "leverage", "trust_loss", "versus_best_burden")
        lasting = content.get("lasting")
        return cls(
            Equilibrium.from_content(content["baseline"]),
            Equilibrium.from_content(content["result"]),
            **{name: float(content[name]) for name in names},
            collapse=bool(content.get("collapse", False)),
            lasting=lasting and Lasting(**{name: float(value) for name, value in lasting.items()}),
        )


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Comparisons(Result):
    """Several plans against the same status quo; a sequence of Comparison."""

    kind: ClassVar[str] = "comparisons"

    items: tuple[Comparison, ...]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Comparison]:
        return iter(self.items)

    def __getitem__(self, index: int) -> Comparison:
        return self.items[index]

    def headline(self) -> str:
        """One line that says what was found."""
        counts = {name: sum(c.outcome == name for c in self.items) for name in OUTCOMES}
        found = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        return f"{len(self)} plans against the status quo: {found}"

    def to_frame(self) -> pd.DataFrame:
        """One row a plan."""
        import pandas as pd

        return pd.DataFrame([c.row() for c in self.items])

    def _content(self) -> dict[str, Any]:
        return {"items": [c._content() for c in self.items]}

    def _claims(self, of: str = "") -> list[dict[str, Any]]:
        parts = (item._claims(f"{of}items[{k}].") for k, item in enumerate(self.items))
        return [claim for claims in parts for claim in claims]

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the comparisons from their plain values."""
        return cls(tuple(Comparison.from_content(item) for item in content["items"]))


@overload
def compare(
    game: BurdenSharingGame,
    plan: Plan,
    *,
    discount: float | None = ...,
    tolerances: Tolerances = ...,
) -> Comparison: ...
@overload
def compare(
    game: BurdenSharingGame,
    plan: Iterable[Plan],
    *,
    discount: float | None = ...,
    tolerances: Tolerances = ...,
) -> Comparisons: ...
def compare(
    game: BurdenSharingGame,
    plan: Plan | Iterable[Plan],
    *,
    discount: float | None = None,
    tolerances: Tolerances = DEFAULT,
) -> Comparison | Comparisons:
    """Compare one plan, or several, with A, the Nash equilibrium without pressure.

    Gives the outcome, every member's payoff difference with its consumption equivalent and bn US$,
    the exact decomposition of the leader's part, and flags. With a `discount` factor in (0, 1) also
    what the plan is worth if it is kept for ever and trust carries over by the game's law (the one-shot
    answer is the first period), and the flag `dynamic_backfire`: the first period gains, the present
    value loses. Raises as `solve_nash`.
    """
    check_game(game, "compare", extremes=True)
    delta = None if discount is None else check_discount(discount)

    def one_of(plan: Plan) -> Comparison:
        made = _compare(game, plan, tolerances)
        if delta is None:
            return made
        return dataclasses.replace(made, lasting=against_a(game, plan, delta))

    if not isinstance(plan, Plan):
        return Comparisons(tuple(one_of(one) for one in _plans(plan)))
    return one_of(plan)


def _plans(plans: Any) -> Sequence[Plan]:
    from alliancegame.errors import InvalidValueError

    if not isinstance(plans, Iterable) or isinstance(plans, (str, Mapping)):
        raise InvalidValueError(
            f"compare takes a Plan such as ag.Plan(threat=0.5), or a list of them, got {plans!r}."
        )
    listed = list(plans)
    if not listed:
        raise InvalidValueError(
            "compare got an empty list of plans: name at least one, such as ag.Plan(threat=0.5)."
        )
    for one in listed:
        if not isinstance(one, Plan):
            raise InvalidValueError(f"compare takes a Plan or several, got {one!r}.")
    return listed


def compare_without_best(game: BurdenSharingGame, plan: Plan, tolerances: Tolerances) -> Comparison:
    """A comparison whose `versus_best_burden`, which takes a search of its own, is left out (nan)."""
    return _compare(game, plan, tolerances, search_best=False)


def compare_without_parts(
    game: BurdenSharingGame, plan: Plan, tolerances: Tolerances
) -> Comparison:
    """A comparison without its parts and `versus_best_burden` (nan): A and the plan, and no more."""
    base = status_quo(game)
    result = solve_nash(game, plan, tolerances=tolerances)
    leaves = has_outside(game) and somebody_leaves(base, result, tolerances)
    return Comparison(base, result, math.nan, math.nan, math.nan, math.nan, leaves)


def _compare(
    game: BurdenSharingGame, plan: Plan, tolerances: Tolerances, search_best: bool = True
) -> Comparison:
    base = status_quo(game)
    result = solve_nash(game, plan, tolerances=tolerances)
    unharmed = result.leader_payoff
    if plan.pressure and _costs_trust(game):
        unharmed = _unharmed_payoff(game, plan, tolerances)
    quiet, best = base.leader_payoff, math.nan
    if plan.burden is not None:
        without = solve_nash(game, Plan(burden=plan.burden), tolerances=tolerances)
        quiet = without.leader_payoff
        if search_best:
            best = result.leader_payoff - _best_quiet_payoff(game, tolerances)
    parts = decompose(base.leader_payoff, quiet, unharmed, result.leader_payoff)
    commitment, leverage, lost = (float(part) for part in parts)
    leaves = has_outside(game) and somebody_leaves(base, result, tolerances)
    return Comparison(base, result, commitment, leverage, lost, best, leaves)


def decompose(
    base: Any, quiet: Any, unharmed: Any, payoff: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(commitment, leverage, trust_loss) from the leader's payoffs; any common shape.

    `quiet` is that at the plan's burden without pressure (A's if it names none), `unharmed` that of
    the plan with trust unharmed. What comes after a payoff of minus infinity adds nothing: the part
    that brought it there is minus infinity, and the parts still sum to the whole.
    """

    def step(before: Any, after: Any) -> NDArray[np.float64]:
        before, after = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
        same = (before == after) & np.isinf(before)
        with np.errstate(invalid="ignore"):
            return np.where(same, 0.0, after - before)

    return step(base, quiet), step(quiet, unharmed), step(unharmed, payoff)


def _costs_trust(game: BurdenSharingGame) -> bool:
    """Whether pressure can change trust at all; if not, trust_loss is exactly zero."""
    law = game.trust_law
    return bool(
        np.any(game.by_member("decay")) or law.contagion or law.tariff_decay or law.scarring
    )


def _unharmed_payoff(game: BurdenSharingGame, plan: Plan, tolerances: Tolerances) -> float:
    """The leader's payoff under the same plan and solver, with operating trust as without pressure."""
    kept = game.replace(decay=0.0, contagion=0.0, tariff_decay=0.0, scarring=0.0)
    try:
        return solve_nash(kept, plan, tolerances=tolerances).leader_payoff
    except AllianceGameError as error:
        raise type(error)(
            f"the plan with trust unharmed, for the decomposition: {error}"
        ) from error


def _best_quiet_payoff(game: BurdenSharingGame, tolerances: Tolerances) -> float:
    """V(0): the leader's best payoff by committing its burden without pressure, once for each game."""
    from alliancegame.solve.leader.stackelberg import solve_stackelberg

    found: float | None = game.__dict__.get("_best_quiet_payoff")
    if found is None:
        try:
            found = solve_stackelberg(game, ("burden",), tolerances=tolerances).leader_payoff
        except (ConvergenceError, UnsupportedFormError):
            # Without concave payoffs no burden need have an answer; some forms have no such search.
            found = math.nan
        object.__setattr__(game, "_best_quiet_payoff", found)
    return found
