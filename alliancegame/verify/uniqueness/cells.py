"""Cells: how many equilibria there are, where the leader's burden alone decides.

The argument (docs/theory/equilibrium, How many). Under the theorem on followers the allies have one answer
to each burden of the leader. The leader's payoff is concave in its own burden: equilibria are the roots of
its marginal payoff F along that answer, and the ends of its range where F points outwards. Cells cover that
range; in each F has one sign ("more", "less") or moves one way ("falling", "rising"). As the leader can go
neither below its range nor above it, "more" counts below, and "less" above. Then each change of sign is
exactly one equilibrium, and there are no others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from alliancegame.verify.intervals import Interval, Known, total
from alliancegame.verify.payoffs import Stage
from alliancegame.verify.uniqueness.response import Response, Row, X, leader, revenue
from alliancegame.verify.uniqueness.slopes import leader_slope

SIGNS, WAYS = ("more", "less"), ("falling", "rising")

Cell = Mapping[str, Any]
"""What is said of the burdens of the leader in `leader`.

The allies' contributions come to `total`, since each ally wants `least` at its lower end, and no more than
`most` at its upper one; their burdens lie `within` two rows; `slope` holds how the total moves with the
leader's burden; and the `verdict`.
"""


def places(stage: Stage, cells: Sequence[Cell]) -> list[tuple[float, float]] | str:
    """Ranges of the leader's burden with exactly one equilibrium each, or why that is not proved."""
    response = Response(stage)
    low, high = (end[stage.lead] for end in response.ends)
    sign, way, start, here, found = "more", "", low, low, []
    for cell in cells:
        (left, right), verdict = cell["leader"], cell["verdict"]
        if not left == here < right:
            return f"the cells do not join at {here!r}"
        if why := doubt(response, cell):
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


def doubt(response: Response, cell: Cell) -> str:
    """What of a cell is not proved; empty if all of it is proved."""
    ends = [[end[i] for i in response.allies] for end in response.ends]
    least, most, (low, high) = cell["least"], cell["most"], cell["within"] or ends
    numbers = [*cell["leader"], *cell["total"], *(cell["slope"] or ())]
    rows = zip(ends[0], least, most, low, high, ends[1], strict=True)
    if not all(a <= min(row) and max(row) <= c for a, *row, c in rows):
        return "burdens within their bounds"
    if cell["verdict"] not in (*SIGNS, *WAYS) or not all(map(math.isfinite, numbers)):
        return "a verdict on numbers"
    lead, x_l = response.lead, Interval(*cell["leader"])
    box = {X: Interval(*cell["total"]), leader: response.of["scale"][lead] * x_l}
    if not (_bounds_total(response, least, 0, box) and _bounds_total(response, most, 1, box)):
        return "the allies' total"
    if cell["within"] is not None and not _stays(response, low, high, box):
        return "the allies' burdens"
    box[revenue] = Interval(response.brought(high).lo, response.brought(low).hi)
    if cell["verdict"] in SIGNS:  # The marginal payoff falls in the own burden.
        more = cell["verdict"] == "more"
        marginal = response.marginal(lead, Interval(x_l.hi if more else x_l.lo), box)
        return "" if (marginal.lo > 0 if more else marginal.hi < 0) else "the sign"
    slope = leader_slope(response, low, high, x_l, box, Interval(*cell["slope"]))
    if slope is None:
        return "the slope of the total"
    falls = cell["verdict"] == "falling"
    return "" if (slope.hi < 0 if falls else slope.lo > 0) else "the slope"


def _bounds_total(response: Response, row: Row, up: int, box: Known) -> bool:
    """That the total is no less (`up`: no more) than the end of X, where allies want the burdens of a row.

    Everybody's share of X falls in X: what they want there comes to X or more, so that X is too small.
    """
    end, given = box[X].hi if up else box[X].lo, total(response.given(row))
    there = {**box, X: Interval(end)}
    each = zip(response.allies, row, strict=True)
    wanted = all(response.wants(i, burden, up, there) for i, burden in each)
    return wanted and bool(given.hi <= end if up else given.lo >= end)


def _stays(response: Response, low: Row, high: Row, box: Known) -> bool:
    """That allies stay between `low` and `high`: they want to, or X less all others' part lies there."""
    sure = []
    for up, row in enumerate((low, high)):
        each = zip(response.allies, row, strict=True)
        sure.append([b if response.wants(i, b, up, box) else response.ends[up][i] for i, b in each])
    given = [Interval(a.lo, b.hi) for a, b in zip(*map(response.given, sure), strict=True)]
    for k, own in enumerate(zip(response.given(low), response.given(high), strict=True)):
        left = box[X] - total(given[:k] + given[k + 1 :])
        above = sure[0][k] == low[k] or own[0].hi <= left.lo
        under = sure[1][k] == high[k] or own[1].lo >= left.hi
        if not (above and under and low[k] <= high[k]):
            return False
    return True
