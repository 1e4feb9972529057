"""7. Boxes: how many equilibria there are, where the leader's burden alone decides.

The argument. Under the theorem on followers the allies have one answer to each burden of the leader, with
a total X of contributions, since everybody's share of X falls in X. So if at X_0 each ally wants at least
a_i, and these come to X_0, the total is no less than X_0; and so from above. The leader's payoff is
concave in its own burden: equilibria are roots of its marginal payoff F along the answer, and ends of its
range where F points outwards. Cells cover that range; in each F has one sign ("more", "less") or moves one
way ("falling", "rising"). As the leader can go neither below its range nor above it, "more" counts below,
and "less" above. Then each change of sign is exactly one equilibrium, and there are no others.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp

from alliancegame.verify.intervals import INFINITE, WHOLE, Interval, Known, enclose, hull, total
from alliancegame.verify.payoffs import Stage, cut, symbol, term, x

Row = Sequence[float]
SIGNS, WAYS = ("more", "less"), ("falling", "rising")
scale, spillin, weight, others = map(symbol, ["scale", "spillin", "weight", "others"])
X, partner, leader, rest = map(symbol, ["X", "partner", "leader", "rest"])
revenue, below = map(symbol, ["revenue", "below"])


def places(stage: Stage, cells: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]] | str:
    """Ranges of the leader's burden with exactly one equilibrium each, or why that is not proved.

    A cell says, of the burdens of the leader in `leader`: the allies' contributions come to `total`, since
    each ally wants `least` at its lower end, and no more than `most` at its upper one; their burdens lie
    `within` two rows; `slope` holds how the total moves with the leader's burden; and the `verdict`.
    """
    answer = Answer(stage)
    low, high = (end[stage.lead] for end in answer.ends)
    sign, way, start, here, found = "more", "", low, low, []
    for cell in cells:
        (left, right), verdict = cell["leader"], cell["verdict"]
        if not left == here < right:
            return f"the cells do not join at {here!r}"
        if why := answer.doubt(cell):
            return f"{verdict!r} is not proved in [{left!r}, {right!r}]: {why}"
        if verdict in SIGNS:
            found += [(start, left)] if verdict != sign else []
            sign, start, way = verdict, right, ""
        elif way not in ("", verdict) or (verdict == "rising" and (left == low or right == high)):
            return f"several equilibria are not excluded around {left!r}"
        else:
            way = verdict
        here = right
    if here != high:
        return f"the cells end at {here!r}"
    return [*found, (start, high)] if sign == "more" else found


@functools.lru_cache(maxsize=256)
def _along(payoff: Any, leads: bool) -> dict[Any, Any]:
    """A marginal payoff in x, X and g_l (or what tariffs bring), and how it moves with each of them."""
    slope = sp.diff(payoff, x)

    def of_total(security: Any) -> Any:  # g + beta (X - g) + ..., with x in one place.
        return security - scale * x - spillin * others + scale * (1 - spillin) * x + spillin * X

    if leads:
        wish = slope.xreplace({others: X, rest: partner * X})
    else:
        wish = slope.replace(lambda e: e.is_Add and spillin * others in e.args, of_total)
        wish = wish.xreplace({rest: weight * X - weight * scale * x + partner * leader})
    return {"wish": wish} | {by: sp.diff(wish, by) for by in (x, X, leader, revenue)}


class Answer:
    """Marginal payoffs along the allies' answer, from a stage at which everybody contributes."""

    def __init__(self, stage: Stage) -> None:
        self.of, self.allies, self.lead = stage.of, stage.allies, stage.lead
        payoffs, self.demand = [stage.payoff(i) for i in stage.members], stage.demand
        self.wishes = [_along(p.formula, i == self.lead) for i, p in enumerate(payoffs)]
        self.known = [payoff.known for payoff in payoffs]
        for i, known in enumerate(self.known):
            for replaced in (others, rest):  # By X: where it is not, there is no rule.
                known.pop(replaced, None)
            known[partner] = self.of["weight"][self.allies[0] if i == self.lead else self.lead]
        missed = term("proportional_shortfall", below=1)
        lost = term("tariff_losses", shortfall=missed)
        self.brings = stage.term("tariff_revenue", losses=lost)
        felt = zip(stage.product("bite", "security_weight"), self.of["shelter"], strict=True)
        self.bends = [(a * b).hi > 0 or self.of["levy"][i].hi > 0 for i, (a, b) in enumerate(felt)]
        self.ends = [stage.low, stage.high]

    def doubt(self, cell: Mapping[str, Any]) -> str:
        """What of a cell is not proved; empty if all is."""
        ends = [[end[i] for i in self.allies] for end in self.ends]
        least, most, (low, high) = cell["least"], cell["most"], cell["within"] or ends
        numbers = [*cell["leader"], *cell["total"], *(cell["slope"] or ())]
        rows = zip(ends[0], least, most, low, high, ends[1], strict=True)
        if not all(a <= min(row) and max(row) <= c for a, *row, c in rows):
            return "burdens within their bounds"
        if cell["verdict"] not in (*SIGNS, *WAYS) or not all(map(math.isfinite, numbers)):
            return "a verdict on numbers"
        lead, x_l = self.lead, Interval(*cell["leader"])
        box = {X: Interval(*cell["total"]), leader: self.of["scale"][lead] * x_l}
        if not (self._reaches(least, 0, box) and self._reaches(most, 1, box)):
            return "the allies' total"
        if cell["within"] is not None and not self._stays(low, high, box):
            return "the allies' burdens"
        box[revenue] = Interval(self._brought(high).lo, self._brought(low).hi)
        if cell["verdict"] in SIGNS:  # The marginal payoff falls in the own burden.
            more = cell["verdict"] == "more"
            wish = self._at(lead, "wish", Interval(x_l.hi if more else x_l.lo), box)
            return "" if (wish.lo > 0 if more else wish.hi < 0) else "the sign"
        moved = [self._moved(*each, box) for each in zip(self.allies, low, high, strict=True)]
        slope = Interval(*cell["slope"])
        if not (self._excess(moved, slope.lo).lo >= 0 and self._excess(moved, slope.hi).hi <= 0):
            return "the slope of the total"
        own, by_X, by_revenue = (self._at(lead, by, x_l, box) for by in (x, X, revenue))
        change = own + by_X * slope + by_revenue * self._brings(moved, low, high, slope)
        falls = cell["verdict"] == "falling"
        return "" if (change.hi < 0 if falls else change.lo > 0) else "the slope"

    def _at(self, i: int, what: Any, own: Interval, box: Known, missed: int = 0) -> Interval:
        """A member's marginal payoff (`"wish"`), or how it moves with a symbol."""
        known = {**self.known[i], **box, x: own, below: Interval(missed)}
        return enclose(self.wishes[i][what], known)

    def _wants(self, i: int, burden: float, up: int, box: Known) -> bool:
        """That an ally wants more than a burden (`up`: less) all over a box, or can have no less (more).

        At its demand its marginal payoff is that to the left (right).
        """
        if burden == self.ends[up][i]:
            return True
        missed = self.bends[i] and (burden < self.demand[i] if up else burden <= self.demand[i])
        wish = self._at(i, "wish", Interval(burden), box, int(missed))
        return bool(wish.hi < 0 if up else wish.lo > 0)

    def _given(self, row: Row) -> list[Interval]:
        return [self.of["scale"][i] * Interval(b) for i, b in zip(self.allies, row, strict=True)]

    def _reaches(self, row: Row, up: int, box: Known) -> bool:
        """That what allies want at an end of X comes to no less (`up`: no more) than that."""
        end, given = box[X].hi if up else box[X].lo, total(self._given(row))
        there = {**box, X: Interval(end)}
        wanted = all(self._wants(i, b, up, there) for i, b in zip(self.allies, row, strict=True))
        return wanted and bool(given.hi <= end if up else given.lo >= end)

    def _stays(self, low: Row, high: Row, box: Known) -> bool:
        """That allies stay between `low` and `high`: they want to, or the others leave no more of X."""
        sure = []
        for up, row in enumerate((low, high)):
            each = zip(self.allies, row, strict=True)
            sure.append([b if self._wants(i, b, up, box) else self.ends[up][i] for i, b in each])
        given = [Interval(a.lo, b.hi) for a, b in zip(*map(self._given, sure), strict=True)]
        for k, own in enumerate(zip(self._given(low), self._given(high), strict=True)):
            left = box[X] - total(given[:k] + given[k + 1 :])
            above = sure[0][k] == low[k] or own[0].hi <= left.lo
            under = sure[1][k] == high[k] or own[1].lo >= left.hi
            if not (above and under and low[k] <= high[k]):
                return False
        return True

    def _brought(self, row: Row) -> Interval:
        """What tariffs bring the leader, a share of its GDP."""
        short = [(i, b) for i, b in zip(self.allies, row, strict=True) if b < self.demand[i]]
        return total(enclose(self.brings, {**self.known[i], x: Interval(b)}) for i, b in short)

    def _moved(self, i: int, low: float, high: float, box: Known) -> Any:
        """How far an ally moves with x_l if X moves by v: a function of v.

        A free ally moves by (M_X v + M_g e_l Y_l) / |M_x|, one at a bound or at its demand not at all.
        """
        d, parts = self.demand[i], []
        for a, b, missed in cut(low, high, d if self.bends[i] else 0) if low < high else []:
            own, by_X, by_g = (
                self._at(i, by, Interval(a, b), box, missed) for by in (x, X, leader)
            )
            free = Interval(max(-own.hi, 0), max(-own.lo, 0)).reciprocal()
            free = Interval(max(free.lo, 0), free.hi)
            parts.append((free, by_X, by_g * self.of["scale"][self.lead]))
        held = low == self.ends[0][i] or high == self.ends[1][i]
        held = held or not parts or (self.bends[i] and low <= d <= high)

        def moved(v: Interval) -> Interval:
            found = [Interval(0)] if held else []
            for free, by_X, by_g in parts:
                pull = by_X * v + by_g
                bounded = free.hi < INFINITE or pull.lo > 0 or pull.hi < 0
                found.append(free * pull if bounded else WHOLE)
            return hull(found)

        return moved

    def _excess(self, moved: Sequence[Any], v: Any) -> Interval:
        """What the allies' moves come to, less v: it falls in v, and is 0 at dX / dx_l."""
        each = zip(self.allies, moved, strict=True)
        return total(self.of["scale"][i] * move(Interval(v)) for i, move in each) - Interval(v)

    def _brings(self, moved: Sequence[Any], low: Row, high: Row, slope: Interval) -> Interval:
        """How what tariffs bring moves with x_l: what an ally adds is also what others leave of dX."""
        parts, units = [Interval(0)], [self.of["scale"][i] for i in self.allies]
        adds = [unit * move(slope) for unit, move in zip(units, moved, strict=True)]
        for k, i in enumerate(self.allies):
            if low[k] >= self.demand[i] or self.of["levy"][i].hi <= 0:
                continue
            left = slope - total(adds[:k] + adds[k + 1 :])
            move = Interval(max(adds[k].lo, left.lo), min(adds[k].hi, left.hi)) / units[k]
            part = enclose(sp.diff(self.brings, x), dict(self.known[i])) * move
            parts.append(hull([part, Interval(0)]) if high[k] > self.demand[i] else part)
        return total(parts)
