"""Through which channels a plan changes the leader's payoff: an exact Shapley decomposition."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.game.checks import check_choice, check_game, check_plain_forms, check_plan_type
from alliancegame.game.coalition import CoalitionGame
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, measures
from alliancegame.solve.coalitions.values import shapley
from alliancegame.solve.nash import solve_nash, status_quo
from alliancegame.solve.result import Equilibrium, numbers, provenance
from alliancegame.solve.tolerances import DEFAULT, Tolerances
from alliancegame.study.against import AgainstBaseline

if TYPE_CHECKING:
    import pandas as pd

CHANNELS = {
    "own burden": "the leader's burden moves from A to what it is under the plan",
    "compliance": "burdens of the allies that then spend more move",
    "hedging": "burdens of the allies that then spend less move (hedging, free-riding)",
    "trust": "operating trust moves from A to what the plan leaves of it",
}
"""The switches between A and the plan's equilibrium, in this order: bits 0 to 3."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Channels(AgainstBaseline):
    """The leader's payoff difference between A and a plan's equilibrium, channel by channel.

    `switched`, shape (16,), is the leader's payoff with some channels moved and the others as in A
    (bit k of the index: channel k of `CHANNELS`); `parts`, shape (4,), are the channels' Shapley
    values. They add up to `delta_payoff` exactly. `unit_usd_bn` is what a unit of the leader's
    payoff is worth at A, bn US$ a year to first order, at which parts are shown in money.
    """

    kind: ClassVar[str] = "channels"

    switched: Array
    parts: Array
    unit_usd_bn: float

    def __getitem__(self, channel: str) -> float:
        check_choice(channel, "channel", CHANNELS)
        return float(self.parts[list(CHANNELS).index(channel)])

    @property
    def coalition_game(self) -> CoalitionGame:
        """What each set of channels would change alone, as a coalition game of channels."""
        return CoalitionGame(self.switched - self.switched[0], list(CHANNELS))

    def headline(self) -> str:
        """One line that says what was found."""
        listed = ", ".join(
            f"{name} {part:+.3g}" for name, part in zip(CHANNELS, self.parts, strict=True)
        )
        return f"{self.plan.describe()}: {self.delta_payoff:+.3g} for {self.game.leader}: {listed}"

    def to_frame(self) -> pd.DataFrame:
        """A row a channel: its part in payoff and bn US$, alone and last, and who is in it."""
        import pandas as pd

        alone = self.switched[1 << np.arange(4)] - self.switched[0]
        last = self.switched[15] - self.switched[15 ^ (1 << np.arange(4))]
        columns = {
            "payoff": self.parts,
            "usd_bn": self.parts * self.unit_usd_bn,
            "alone": alone,
            "last": last,
            "members": self.members,
        }
        return pd.DataFrame(columns, index=pd.Index(list(CHANNELS), name="channel"))

    @property
    def members(self) -> list[int]:
        """How many members' burdens (or trust) move in each channel."""
        lead = self.game.members.leader_index
        allies = np.arange(self.game.size) != lead
        change = self.result.burdens - self.baseline.burdens
        trust = (self.result.operating_trust != self.baseline.operating_trust) & allies
        return [int(change[lead] != 0), int((change[allies] > 0).sum()),
                int((change[allies] < 0).sum()), int(trust.sum())]  # fmt: skip

    def _content(self) -> dict[str, Any]:
        return {
            "baseline": self.baseline._content(),
            "result": self.result._content(),
            "channels": list(CHANNELS),
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
    burdens of allies that rise, burdens of allies that fall, and operating trust. The leader's
    payoff is evaluated at all 2^4 mixtures, and each channel's part is its Shapley value, the mean
    of what moving it changes over all orders. The parts add up to the whole difference.

    Mixtures are profiles, not equilibria: burdens are switched as they came out, so that "trust" is
    what lost trust costs at given burdens, and what it does to burdens is in theirs. The other
    decomposition, `compare`, solves anew without lost trust. Raises as `solve_nash`.
    """
    check_game(game, "channels")
    check_plan_type(plan)
    check_plain_forms(game, "channels", plan)
    base = status_quo(game)
    result = solve_nash(game, plan, tolerances=tolerances)
    lead = game.members.leader_index
    change = result.burdens - base.burdens
    allies = np.arange(game.size) != lead
    groups = [~allies, allies & (change > 0), allies & (change < 0)]
    payoffs = np.empty(16)
    for mask in range(16):
        moved = np.any([g & bool(mask >> k & 1) for k, g in enumerate(groups)], axis=0)
        burdens = np.where(moved, result.burdens, base.burdens)
        # The leader's payoff knows the plan by the trust that it leaves, and by nothing else.
        under = plan if mask >> 3 & 1 else Plan()
        payoffs[mask] = aggregative.best_deviations(game, burdens, under).payoff[lead]
    found = shapley(CoalitionGame(payoffs - payoffs[0], list(CHANNELS)))
    unit = float(measures.payoff_worth(game, base.burdens)[lead])
    return Channels(base, result, payoffs, found.values, unit)
