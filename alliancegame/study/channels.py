"""Through which channels a plan changes the leader's payoff: an exact Shapley decomposition."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.game.checks import check_choice, check_game, check_plan_type
from alliancegame.game.coalition import CoalitionGame
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, measures
from alliancegame.solve.coalitions.values import shapley
from alliancegame.solve.extremes.problem import problem
from alliancegame.solve.nash import solve_nash, status_quo
from alliancegame.solve.result import Equilibrium, numbers, provenance
from alliancegame.solve.tolerances import DEFAULT, Tolerances
from alliancegame.solve.trigger.sides import Sides
from alliancegame.study.against import AgainstBaseline

if TYPE_CHECKING:
    import pandas as pd

CHANNELS = {
    "own burden": "the leader's burden moves from A to what it is under the plan",
    "compliance": "burdens of the allies that then spend more move",
    "hedging": "burdens of the allies that then spend less move (hedging, free-riding)",
    "trust": "operating trust moves from A to what the plan leaves of it",
    "revenue": "the leader collects its tariffs, at the burdens there are",
}
"""The switches between A and the plan's equilibrium, in this order: bits 0 to 4.

The last one there is under tariffs only.
"""
UNHARMED = {"decay": 0.0, "contagion": 0.0, "tariff_decay": 0.0, "scarring": 0.0}
"""A trust law under which trust is as without pressure."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Channels(AgainstBaseline):
    """The leader's payoff difference between A and a plan's equilibrium, channel by channel.

    `names` are the channels, those of `CHANNELS` that the plan has. `switched`, shape (2^channels,), is
    the leader's payoff with some channels moved and the others as in A (bit k of the index: channel k);
    `parts`, shape (channels,), are the channels' Shapley values. They add up to `delta_payoff` exactly.
    `unit_usd_bn` is what a unit of the leader's payoff is worth at A, bn US$ a year to first order, at
    which parts are shown in money.
    """

    kind: ClassVar[str] = "channels"

    switched: Array
    parts: Array
    unit_usd_bn: float

    def __getitem__(self, channel: str) -> float:
        check_choice(channel, "channel", self.names)
        return float(self.parts[self.names.index(channel)])

    @property
    def names(self) -> tuple[str, ...]:
        """The channels that the plan has."""
        return _names(self.plan)

    @property
    def coalition_game(self) -> CoalitionGame:
        """What each set of channels would change alone, as a coalition game of channels."""
        return CoalitionGame(self.switched - self.switched[0], list(self.names))

    def headline(self) -> str:
        """One line that says what was found."""
        listed = ", ".join(
            f"{name} {part:+.3g}" for name, part in zip(self.names, self.parts, strict=True)
        )
        return f"{self.plan.describe()}: {self.delta_payoff:+.3g} for {self.game.leader}: {listed}"

    def to_frame(self) -> pd.DataFrame:
        """A row a channel: its part in payoff and bn US$, alone and last, and who is in it."""
        import pandas as pd

        one, every = 1 << np.arange(len(self.names)), len(self.switched) - 1
        alone = self.switched[one] - self.switched[0]
        last = self.switched[every] - self.switched[every ^ one]
        columns = {
            "payoff": self.parts,
            "usd_bn": self.parts * self.unit_usd_bn,
            "alone": alone,
            "last": last,
            "members": self.members,
        }
        return pd.DataFrame(columns, index=pd.Index(list(self.names), name="channel"))

    @property
    def members(self) -> list[int]:
        """How many members' burdens, or trust, move in each channel; how many pay a tariff."""
        lead = self.game.members.leader_index
        allies = np.arange(self.game.size) != lead
        change = self.result.burdens - self.baseline.burdens
        trust = (self.result.operating_trust != self.baseline.operating_trust) & allies
        levy = self.plan.tariff_by_member(self.game.members) * self.game.by_member("trade_exposure")
        found = [int(change[lead] != 0), int((change[allies] > 0).sum()),
                 int((change[allies] < 0).sum()), int(trust.sum()), int((levy > 0).sum())]  # fmt: skip
        return found[: len(self.names)]

    def _content(self) -> dict[str, Any]:
        return {
            "baseline": self.baseline._content(),
            "result": self.result._content(),
            "channels": list(self.names),
            "parts": self.parts.tolist(),
            "switched": self.switched.tolist(),
            "delta_payoff": self.delta_payoff,
            "unit_usd_bn": self.unit_usd_bn,
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        return cls(
            Equilibrium.from_content(content["baseline"]),
            Equilibrium.from_content(content["result"]),
            numbers(content["switched"]),
            numbers(content["parts"]),
            float(content["unit_usd_bn"]),
        )


def channels(game: BurdenSharingGame, plan: Plan, *, tolerances: Tolerances = DEFAULT) -> Channels:
    """How much of what a plan changes for the leader comes from its own burden, allies, and trust.

    Between A and the plan's equilibrium four switches are moved (`CHANNELS`): the leader's burden,
    burdens of allies that rise, burdens of allies that fall, and operating trust; under tariffs a fifth,
    their revenue. The leader's payoff is evaluated at all 2^4 (2^5) mixtures, and each channel's part is
    its Shapley value, the mean of what moving it changes over all orders. The parts add up to the whole
    difference.

    Mixtures are profiles, not equilibria: burdens are switched as they came out, so that "trust" is
    what lost trust costs at given burdens, and what it does to burdens is in theirs. The other
    decomposition, `compare`, solves anew without lost trust. Every form and technology is taken.
    Raises as `solve_nash`.
    """
    check_game(game, "channels", extremes=True)
    check_plan_type(plan)
    base = status_quo(game)
    result = solve_nash(game, plan, tolerances=tolerances)
    lead = game.members.leader_index
    change = result.burdens - base.burdens
    allies = np.arange(game.size) != lead
    groups = [~allies, allies & (change > 0), allies & (change < 0)]
    names = _names(plan)
    payoffs = np.empty(2 ** len(names))
    # The leader's payoff knows a plan by the trust that it leaves and by what tariffs bring in.
    kept, spent = UNHARMED, {"deadweight": 1.0}
    games = [game.replace(**off) for off in (kept | spent, spent, kept, {})]
    for mask in range(len(payoffs)):
        moved = np.any([g & bool(mask >> k & 1) for k, g in enumerate(groups)], axis=0)
        burdens = np.where(moved, result.burdens, base.burdens)
        payoffs[mask] = _payoffs(games[mask >> 3], plan, burdens)[lead]
    found = shapley(CoalitionGame(payoffs - payoffs[0], list(names)))
    unit = float(measures.payoff_worth(game, base.burdens)[lead])
    return Channels(base, result, payoffs, found.values, unit)


def _names(plan: Plan) -> tuple[str, ...]:
    """The channels of a plan: revenue only where there is a tariff."""
    return tuple(CHANNELS) if plan.taxed else tuple(CHANNELS)[:-1]


def _payoffs(game: BurdenSharingGame, plan: Plan, burdens: Array) -> Array:
    """Everybody's payoff at a profile, (n,)."""
    if game.technology != "ces":
        return problem(game, plan, "channels").payoffs(burdens)
    if game.shortfall == "trigger":
        return np.asarray(Sides.of(game, plan).described(burdens[None]).payoff[0])
    return aggregative.best_deviations(game, burdens, plan).payoff
