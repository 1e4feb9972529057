"""Users' own games: the most that a player can gain by other actions, from its formula alone.

The argument: the player's action set, a box, is cut into boxes until none can hide more than the
target. On a box, a `Max`, `Min`, `Abs` or `Piecewise` whose comparison is decided there is replaced by
its branch; where all are decided the payoff is smooth, and its derivatives bound it. Where one is not
decided, the payoff is enclosed as it stands, by the hull of its branches: nothing is said of derivatives.
Nor is it where the payoff may have a pole or a cusp (`_order`): a slope of one sign on both sides of a pole
bounds nothing.
"""

from __future__ import annotations

import functools
import heapq
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import sympy as sp
from flint import arb

from alliancegame.verify.deviations import Gain
from alliancegame.verify.intervals import (
    INFINITE,
    NEGATIVE,
    RULES,
    ZERO,
    Interval,
    NotEnclosedError,
)

BOXES = 20_000
"""Boxes tried for a player before the question is left open."""

Box = tuple[Interval, ...]
"""One interval for each of a player's own actions."""

UNDEFINED = sp.Symbol("undefined")
"""Stands where no branch of a `Piecewise` holds: nothing is known of the payoff there."""

_BENT = (sp.Max, sp.Min, sp.Abs, sp.sign, sp.Piecewise)
_ORDERS: dict[Any, Any] = {
    sp.StrictLessThan: lambda gap: True if gap.hi < 0 else False if gap.lo >= 0 else None,
    sp.LessThan: lambda gap: True if gap.hi <= 0 else False if gap.lo > 0 else None,
    sp.StrictGreaterThan: lambda gap: True if gap.lo > 0 else False if gap.hi <= 0 else None,
    sp.GreaterThan: lambda gap: True if gap.lo >= 0 else False if gap.hi < 0 else None,
    sp.Equality: lambda gap: True if gap.lo == gap.hi == 0 else False if _apart(gap) else None,
    sp.Unequality: lambda gap: False if gap.lo == gap.hi == 0 else True if _apart(gap) else None,
}
"""Comparisons a ? b, decided by the interval of a - b; None where it does not decide."""


def _apart(gap: Interval) -> bool:
    return bool(gap.lo > 0 or gap.hi < 0)


def _ball(y: Interval, function: Any) -> Interval:
    """A function of the whole interval as one ball: sines, which neither rise nor fall."""
    if y.lo == NEGATIVE or y.hi == INFINITE:
        return Interval(-1, 1)
    found = function(y.lo.union(y.hi))
    return Interval(max(found.lower(), arb(-1)), min(found.upper(), arb(1)))


def _product(parts: list[Interval]) -> Interval:
    """A product. Of a factor of which nothing is known, as of 1 / 0, not even 0 times it is."""
    if any(part.lo == NEGATIVE and part.hi == INFINITE for part in parts):
        return Interval(NEGATIVE, INFINITE)
    return RULES[sp.Mul](parts)


_RULES: dict[Any, Callable[[list[Interval]], Interval]] = {
    **RULES,
    sp.Mul: _product,
    sp.sinh: lambda parts: parts[0].rising(lambda end: end.sinh()),
    sp.atan: lambda parts: parts[0].rising(lambda end: end.atan()),
    sp.cosh: lambda parts: _cosh(parts[0]),
    sp.sin: lambda parts: _ball(parts[0], arb.sin),
    sp.cos: lambda parts: _ball(parts[0], arb.cos),
    sp.Abs: lambda parts: Interval(
        max(parts[0].lo, -parts[0].hi, ZERO), max(-parts[0].lo, parts[0].hi)
    ),
    sp.sign: lambda parts: Interval(
        *(int(end > 0) - int(end < 0) for end in (parts[0].lo, parts[0].hi))
    ),
}
_CONSTANTS: dict[Any, Callable[[], Interval]] = {
    sp.pi: lambda: Interval(arb.pi()),
    sp.E: lambda: Interval(arb(1).exp()),
    UNDEFINED: lambda: Interval(NEGATIVE, INFINITE),
}


def _cosh(y: Interval) -> Interval:
    up = y.rising(lambda end: ZERO if end == NEGATIVE else end.exp())
    down = (Interval(0) - y).rising(lambda end: ZERO if end == NEGATIVE else end.exp())
    return (up + down) / Interval(2)


def enclose(expression: Any, known: dict[Any, Interval]) -> Interval:
    """Every value of a user's formula whose symbols lie in `known`, as `intervals.enclose`.

    Raises `NotEnclosedError` for an operation without a rule.
    """
    if expression in known:
        return known[expression]
    if expression.is_Float:
        found = Interval(float(expression))
    elif expression.is_Rational:
        found = Interval(int(expression.p)) / Interval(int(expression.q))
    elif expression in _CONSTANTS:
        found = _CONSTANTS[expression]()
    elif expression.is_Pow:
        found = _power(expression, known)
    elif expression.func is sp.Piecewise:
        found = _hull([enclose(value, known) for value in _possible(expression, known)])
    elif expression.func in _RULES:
        found = _RULES[expression.func]([enclose(part, known) for part in expression.args])
    else:
        raise NotEnclosedError(f"no rule of enclosure for {expression.func}")
    known[expression] = found
    return found


def _power(expression: Any, known: dict[Any, Interval]) -> Interval:
    """y^q for one exact q, or exp(q ln y) for y >= 0. Where it is not real nothing is known."""
    base, q = enclose(expression.base, known), _exponent(expression, known)
    if q is not None:
        real = q.is_Integer or base.hi >= 0
        return base.power(q) if real else Interval(NEGATIVE, INFINITE)
    if base.lo < 0:
        return Interval(NEGATIVE, INFINITE)
    product = enclose(expression.exp, known) * base.log()
    return product.rising(lambda end: ZERO if end == NEGATIVE else end.exp())


def _exponent(power: Any, known: dict[Any, Interval]) -> sp.Rational | None:
    """The exponent of a power if it is one exact number."""
    if power.exp.is_Rational:
        return power.exp
    there = enclose(power.exp, known)
    q = float(there.lo)
    return sp.Rational(q) if there.lo == there.hi == arb(q) else None


def _order(expression: Any, known: dict[Any, Interval]) -> int:
    """How many derivatives of a payoff without branches bound it on a box: 2, 1 (no jump) or none.

    Logarithms and powers are smooth away from 0, y^q up to 0 as well if q > 1, and continuous there if
    q > 0; all other operations are smooth.
    """
    order = 2
    for part in sp.preorder_traversal(expression):
        if part.func is sp.log:
            order = min(order, 2 if enclose(part.args[0], known).lo > 0 else 0)
        elif part.is_Pow:
            order = min(order, _order_of_power(part, known))
    return order


def _order_of_power(power: Any, known: dict[Any, Interval]) -> int:
    base, q = enclose(power.base, known), _exponent(power, known)
    if base.lo > 0 or (q is not None and q.is_Integer and (q >= 0 or base.hi < 0)):
        return 2
    if q is None or q < 0 or base.lo < 0:
        return 0
    return 2 if q > 1 else 1


def _hull(parts: Sequence[Interval]) -> Interval:
    return Interval(min(p.lo for p in parts), max(p.hi for p in parts))


def _possible(pieces: Any, known: dict[Any, Interval]) -> list[Any]:
    """The branches of a `Piecewise` that may hold, up to the first that does; anything if none does."""
    found = []
    for value, condition in pieces.args:
        holds = _decided(condition, known)
        if holds is not False:
            found.append(value)
        if holds:
            return found
    return [*found, UNDEFINED]


def _decided(condition: Any, known: dict[Any, Interval]) -> bool | None:
    """Whether a condition holds for all, or for no, values in `known`; None if that is not decided."""
    if condition in (sp.true, sp.false):
        return bool(condition)
    if condition.func in _ORDERS:
        gap = enclose(condition.lhs, known) - enclose(condition.rhs, known)
        return _ORDERS[condition.func](gap)  # type: ignore[no-any-return]
    inner = [_decided(part, known) for part in condition.args]
    if condition.func is sp.Not:
        return None if inner[0] is None else not inner[0]
    if condition.func is sp.ITE:
        return None if inner[0] is None else inner[1] if inner[0] else inner[2]
    decisive = condition.func is sp.Or  # One true makes Or true, one false makes And false.
    if decisive in inner:
        return decisive
    return None if None in inner else not decisive


def settled(expression: Any, known: dict[Any, Interval]) -> Any:
    """The expression with every branch that is decided on `known` in place of its `Max`, `Abs`, ..."""
    if not expression.has(*_BENT):
        return expression
    if expression.func is sp.Piecewise:
        left = _possible(expression, known)
        return settled(left[0], known) if len(left) == 1 and left[0] != UNDEFINED else expression
    made = expression.func(*(settled(part, known) for part in expression.args))
    if made.func in (sp.Abs, sp.sign):
        inner = enclose(made.args[0], known)
        sign = 1 if inner.lo > 0 else -1 if inner.hi < 0 else 0
        if sign:
            return sign * made.args[0] if made.func is sp.Abs else sp.Integer(sign)
    elif made.func in (sp.Max, sp.Min):
        parts = [(part, enclose(part, known)) for part in made.args]
        for part, own in parts:
            rest = [other for which, other in parts if which is not part]
            above = all(own.lo >= other.hi for other in rest)
            below = all(own.hi <= other.lo for other in rest)
            if above if made.func is sp.Max else below:
                return part
    return made


@functools.lru_cache(maxsize=4096)
def _derivatives(payoff: Any, own: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any]:
    slopes = tuple(sp.diff(payoff, s) for s in own)
    return slopes, tuple(tuple(sp.diff(slope, s) for s in own) for slope in slopes)


def largest_gain(
    payoff: Any, known: dict[Any, Interval], own: tuple[Any, ...], bounds: Box, at: Sequence[float],
    target: Any,
) -> Gain:  # fmt: skip
    """Bound what a player gains by actions other than `at`, until it is known whether that is > `target`.

    `known` has the other players' actions and the parameters, `bounds` the player's action set.
    """
    here = tuple(Interval(value) for value in at)
    now = enclose(payoff, known | dict(zip(own, here, strict=True)))
    if not now.lo.is_finite():  # The payoff of the profile itself is not proved to exist.
        return Gain(INFINITE, ZERO)
    order, found = itertools.count(), ZERO
    heap: list[Any] = []

    def consider(box: Box) -> None:
        most = _ceiling(payoff, known, own, box, here) - now.lo
        heapq.heappush(heap, (-most.upper(), next(order), box))

    consider(bounds)
    for _ in range(BOXES):
        most, _, box = heapq.heappop(heap)
        if -most <= target:
            return Gain(max(-most, ZERO), found)
        middle = tuple(Interval(((side.lo + side.hi) / 2).lower()) for side in box)
        there = enclose(payoff, known | dict(zip(own, middle, strict=True)))
        found = max(found, (there.lo - now.hi).lower())
        widths = [
            (side.hi - side.lo) / (whole.hi - whole.lo)
            for side, whole in zip(box, bounds, strict=True)
        ]
        j = max(range(len(box)), key=lambda k: widths[k].mid())
        cut, side = _cut(box[j], here[j]), box[j]
        if found > target or not side.lo < cut < side.hi:
            return Gain(-most, found)
        for half in (Interval(side.lo, cut), Interval(cut, side.hi)):
            consider((*box[:j], half, *box[j + 1 :]))
    return Gain(-heap[0][0], found)


def _cut(side: Interval, here: Interval) -> Any:
    """Where a side is cut: at the profile if that is well inside, else in the middle."""
    quarter = (side.hi - side.lo) / 4
    if side.lo + quarter < here.lo < side.hi - quarter:
        return here.lo
    return ((side.lo + side.hi) / 2).lower()


def _ceiling(
    payoff: Any, known: dict[Any, Interval], own: tuple[Any, ...], box: Box, here: Box
) -> Any:
    """An upper bound of the payoff over a box.

    Along an action in which it rises (or falls) all over the box, the end of the box is best. Along the
    others, from the point p of the box nearest to the profile: u(p) + G (y - p), with G the gradient
    over the box; or, where it is concave, u(p) + g (y - p) - mu |y - p|^2 / 2, with g the gradient at p
    and mu by Gershgorin's discs.
    """
    inside = known | dict(zip(own, box, strict=True))
    whole = enclose(payoff, inside)
    smooth = settled(payoff, inside)
    order = 0 if smooth.has(*_BENT) else _order(smooth, inside)
    if order == 0:
        return whole.hi
    slopes, bends = _derivatives(smooth, own)
    over = [enclose(slope, inside) for slope in slopes]
    point, free = [], []
    for j, (side, p) in enumerate(zip(box, here, strict=True)):
        if over[j].lo >= 0 or over[j].hi <= 0:
            point.append(Interval(side.hi if over[j].lo >= 0 else side.lo))
            continue
        free.append(j)
        point.append(Interval(min(max(p.lo, side.lo), side.hi)))
    face = {s: point[j] if j not in free else box[j] for j, s in enumerate(own)}
    there = known | dict(zip(own, point, strict=True))
    base = enclose(smooth, there).hi
    if not free:
        return min(whole.hi, base)
    on_face = known | face
    linear, steep = base, []
    for j in free:
        step = box[j] - point[j]
        linear = (linear + (enclose(slopes[j], on_face) * step).hi).upper()
        reach = enclose(slopes[j], there) * step
        steep.append((j, max(reach.hi, ZERO)))
    curved = []
    for j in free:
        row = [enclose(bends[j][k], on_face) for k in free if k != j]
        across = sum((max(r.hi, -r.lo) for r in row), ZERO)
        curved.append((-enclose(bends[j][j], on_face).hi - across).lower())
    best = min(whole.hi, linear)
    mu = min(curved)
    if not mu >= 0 or order < 2:
        return best
    bowed = base
    for j, rise in steep:
        g = enclose(slopes[j], there)
        size = max(g.hi, -g.lo)
        most = min(rise, (size * size / (2 * mu)).upper()) if mu > 0 else rise
        bowed = (bowed + most).upper()
    return min(best, bowed)
