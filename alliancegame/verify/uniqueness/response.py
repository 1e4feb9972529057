"""The allies' response to the leader's burden: marginal payoffs as functions of one allied total.

The argument: under the theorem on followers (`theorems`) each ally's marginal payoff depends on its own
burden x, the allied total X and the leader's contribution g_l; the leader's on its own burden, X and what
tariffs bring (`revenue`). So in the formulas of `payoffs` what others give is X less the own
contribution.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import sympy as sp

from alliancegame.verify.intervals import Interval, Known, enclose, total
from alliancegame.verify.payoffs import Stage, symbol, term, x

Row = Sequence[float]
"""A burden for each ally."""

X, leader, revenue, other_weight = map(symbol, ["X", "leader", "revenue", "other_weight"])
"""The allied total, g_l, what tariffs bring, and a council weight: to an ally the leader's, to the leader
that which all allies have."""
scale, spillin, weight, others = map(symbol, ["scale", "spillin", "weight", "others"])
rest, below = map(symbol, ["rest", "below"])


@functools.lru_cache(maxsize=256)
def _marginal(payoff: Any, leads: bool) -> dict[Any, Any]:
    """The marginal payoff, and its derivatives in x, X, g_l and revenue, by the symbol of each."""
    slope = sp.diff(payoff, x)

    def of_total(
        security: Any,
    ) -> Any:  # g + beta (X - g) = (1 - beta) g + beta X: x stands in one place.
        return security - scale * x - spillin * others + scale * (1 - spillin) * x + spillin * X

    if leads:
        slope = slope.xreplace({others: X, rest: other_weight * X})
    else:
        slope = slope.replace(lambda e: e.is_Add and spillin * others in e.args, of_total)
        slope = slope.xreplace({rest: weight * X - weight * scale * x + other_weight * leader})
    return {"payoff": slope} | {by: sp.diff(slope, by) for by in (x, X, leader, revenue)}


class Response:
    """Marginal payoffs, from a stage at which everybody contributes.

    A `box` holds the ranges of X and of g_l. An ally whose pressure is felt (`felt`) has another
    marginal payoff below its demand (`missed`) than above.
    """

    def __init__(self, stage: Stage) -> None:
        self.of, self.allies, self.lead = stage.of, stage.allies, stage.lead
        self.demand, self.ends = stage.demand, (stage.low, stage.high)
        payoffs = [stage.payoff(i) for i in stage.members]
        self.marginals = [_marginal(p.formula, i == self.lead) for i, p in enumerate(payoffs)]
        self.known = [payoff.known for payoff in payoffs]
        for i, known in enumerate(self.known):
            for replaced in (others, rest):  # By X: where it is not, there is no rule.
                known.pop(replaced, None)
            known[other_weight] = self.of["weight"][self.allies[0] if i == self.lead else self.lead]
        threats = zip(stage.product("bite", "security_weight"), self.of["shelter"], strict=True)
        self.felt = [
            (a * b).hi > 0 or self.of["levy"][i].hi > 0 for i, (a, b) in enumerate(threats)
        ]
        losses = term("tariff_losses", shortfall=term("proportional_shortfall", below=1))
        self.brings = stage.term("tariff_revenue", losses=losses)

    def marginal(
        self, i: int, own: Interval, box: Known, missed: int = 0, by: Any = "payoff"
    ) -> Interval:
        """A member's marginal payoff, or how it moves `by` a symbol."""
        known = {**self.known[i], **box, x: own, below: Interval(missed)}
        return enclose(self.marginals[i][by], known)

    def wants(self, i: int, burden: float, up: int, box: Known) -> bool:
        """With `up` 0: that an ally wants more than a burden all over a box, or that it is its least.

        With `up` 1: that it wants less, or that it is its most. At its demand its marginal payoff is that
        to the left (right).
        """
        if burden == self.ends[up][i]:
            return True
        missed = self.felt[i] and (burden < self.demand[i] if up else burden <= self.demand[i])
        slope = self.marginal(i, Interval(burden), box, int(missed))
        return bool(slope.hi < 0 if up else slope.lo > 0)

    def given(self, row: Row) -> list[Interval]:
        """The allies' contributions."""
        return [self.of["scale"][i] * Interval(b) for i, b in zip(self.allies, row, strict=True)]

    def brought(self, row: Row) -> Interval:
        """What tariffs bring the leader, a share of its GDP."""
        short = [(i, b) for i, b in zip(self.allies, row, strict=True) if b < self.demand[i]]
        return total(enclose(self.brings, {**self.known[i], x: Interval(b)}) for i, b in short)
