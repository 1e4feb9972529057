"""Derivatives where security is an exact limit: the smallest or the largest of its components.

Along each component that binds a member's problem is smooth (`payoff.conditions`, `component`). Weakest
link: where components tie, a member stays on its condition along one of them, as long as that one stays
the smallest; or, if it would rather have less of what limits it and more of what does not, it keeps the
tie: it matches another's contribution and moves with it. Each way is tried, as at kinks
(`directions`); the demand is such a tie, of the umbrella under and over it. Where all who tie match
each other nothing says how far they go: a continuum, without derivatives. Best shot: one component counts,
and a member that does as well in another role ends the equilibrium on one side.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.payoff.conditions import Component, Role, Subject, derivatives
from alliancegame.payoff.form import Form
from alliancegame.solve.derivatives.directions import MOST_WAYS, ON, SINGULAR, SLACK
from alliancegame.solve.derivatives.implicit import Linear, Mask, rates_of
from alliancegame.solve.derivatives.inputs import (
    NIL,
    Given,
    facts_of,
    form_of,
    given,
    players,
    seen,
)
from alliancegame.solve.derivatives.moves import BOUNDS, Key, moved_by_key, pins_of
from alliancegame.solve.extremes.problem import Problem, problem

TIED = 1e-9
"""Components whose logarithms differ by less are equal."""

APART = 1e-6
"""Ways whose moves differ by more, relative to the largest, lead to different equilibria."""


@dataclasses.dataclass(frozen=True, eq=False)
class Row:
    """A function of one member at a profile: its value, and its changes with burdens (n,), keys (key,)."""

    value: float
    burdens: Array
    direct: Array

    def along(self, step: Array, sign: float) -> Array:
        """Its change in the direction `sign` as burdens take `step`, (n, key)."""
        return np.asarray(self.burdens @ step + self.direct * sign)


@dataclasses.dataclass(frozen=True, eq=False)
class Piece:
    """A member's condition and payoff with one component (of another ally: `link`) as its security."""

    kind: Component
    link: int | None
    condition: Row
    payoff: Row


@dataclasses.dataclass(frozen=True)
class Way:
    """How a member moves: along the condition of a piece, keeping a tie of two, or with a bound."""

    first: int = 0
    second: int | None = None
    pin: str = ""


@dataclasses.dataclass(frozen=True, eq=False)
class ExtremePoint:
    """A profile of burdens with everything that its one-sided derivatives need."""

    game: BurdenSharingGame
    plan: Plan
    form: Form
    values: Given
    x: Array
    keys: Sequence[Key]
    pieces: tuple[tuple[Piece, ...], ...]
    ways: tuple[tuple[Way, ...], ...]
    pins: Mapping[str, Array]
    begins: Mask

    @property
    def weakest(self) -> bool:
        """Whether the smallest component counts."""
        return self.game.technology == "weakest-link"

    @property
    def loose(self) -> tuple[int, ...]:
        """Members who may move in more than one way."""
        return tuple(i for i, ways in enumerate(self.ways) if len(ways) > 1)


class _Facts:
    """What members face at a profile, and how keys move it."""

    def __init__(
        self, game: BurdenSharingGame, form: Form, values: Given, x: Array, keys: Sequence[Key]
    ) -> None:
        self.game, self.form, self.keys = game, form, keys
        self.lead = game.members.leader_index
        below = x < values["demand"][0]
        self.at = {
            name: np.array(np.broadcast_to(value, (1, game.size))[0], dtype=np.float64)
            for name, value in seen(game, form, values, x, below).items()
        }
        for name in ("spillin", "umbrella"):
            self.at[name] = np.maximum(self.at[name], NIL)
        self.rates = rates_of(game, form, self.at, x)
        self.moves = moved_by_key(game, form, values, keys, x, below)

    def values(self, i: int, kind: Component, link: int | None, below: bool) -> dict[str, float]:
        """What one member faces, with another ally's contribution as its link."""
        found = {name: value[i] for name, value in self.at.items()}
        found["below"] = float(below)
        return found | ({} if link is None else {"link": self.at["g"][link]})

    def payoff(self, i: int, kind: Component, link: int | None, below: bool) -> float:
        """The payoff with one component as security."""
        call = derivatives(self.form, self._role(i), "payoff", ("value",), kind)
        with np.errstate(all="ignore"):
            return float(call(self.values(i, kind, link, below))[0])

    def row(self, of: Subject, i: int, kind: Component, link: int | None, below: bool) -> Row:
        """Condition or payoff of one member with one component as security, linearised."""
        names = tuple(name for name in facts_of(self.form) if name != "rho")
        call = derivatives(self.form, self._role(i), of, ("value", "own", "link", *names), kind)
        with np.errstate(all="ignore"):
            value, own, by_link, *rest = map(float, call(self.values(i, kind, link, below)))
        partial = dict(zip(names, rest, strict=True))
        burdens = sum(
            (partial[k] * rate for k, rate in self.rates.items()), np.zeros(self.game.size)
        )
        burdens[i] += own
        moves = {name: self.moves[name][:, [i]] for name in names}
        moved = Linear(
            np.zeros(1), np.zeros((1, 1)), {k: np.array([v]) for k, v in partial.items()}
        )
        direct = moved.along(moves)[:, 0]
        if link is not None:
            burdens[link] += by_link * self.at["scale"][link]
            direct = direct + by_link * self.moves["g"][:, link]
        return Row(value, burdens, direct)

    def _role(self, i: int) -> Role:
        return "leader" if i == self.lead else "ally"


def extreme_point(
    game: BurdenSharingGame, plan: Plan, x: Array, keys: Sequence[Key]
) -> ExtremePoint:
    """Linearise what binds at a profile of shape (n,)."""
    form = dataclasses.replace(form_of(game), summation=True, proportional=False)
    values = given(game, plan)
    facts = _Facts(game, form, values, x, keys)
    pieces = tuple(_pieces(facts, x, i) for i in range(game.size))
    chooses = players(game, plan)
    low = np.abs(x - game.by_member("burden_min")) <= ON
    high = np.abs(x - game.by_member("burden_max")) <= ON
    ways = tuple(
        _ways(own, bool(low[i]), bool(high[i])) if chooses[i] else (Way(pin="burden"),)
        for i, own in enumerate(pieces)
    )
    marginals = np.array([min(piece.condition.value for piece in own) for own in pieces])
    pins, begins = pins_of(game, keys, x, marginals)
    return ExtremePoint(
        game, plan, form, values, x, keys, pieces, _fewer(ways, pieces), pins, begins
    )


def _pieces(facts: _Facts, x: Array, i: int) -> tuple[Piece, ...]:
    """The components that bind for a member; the umbrella twice where it is on its demand."""
    game, lead, at = facts.game, facts.lead, facts.at
    weakest, theta = game.technology == "weakest-link", at["theta"][i]
    below = bool(x[i] < at["demand"][i])
    tried: list[tuple[Component, int | None, bool]] = [("own", None, below)]
    if theta > 0:
        tried += [("others", j, below) for j in range(game.size) if j not in (i, lead)]
        if i != lead:
            tried.append(("umbrella", None, below))
            if abs(x[i] - at["demand"][i]) <= ON and at["bite"][i] > 0:
                tried[-1] = ("umbrella", None, False)
                tried.append(("umbrella", None, True))
    payoffs = np.array([facts.payoff(i, *one) for one in tried])
    top = payoffs.min() if weakest else payoffs.max()
    binding = np.abs(payoffs - top) <= TIED * max(theta, 1e-3) if len(tried) > 1 else [True]
    return tuple(
        Piece(one[0], one[1], facts.row("marginal", i, *one), facts.row("payoff", i, *one))
        for one, binds in zip(tried, binding, strict=True)
        if binds
    )


def _ways(pieces: tuple[Piece, ...], low: bool, high: bool) -> tuple[Way, ...]:
    """What a member may do in the first order, from where it is and its marginals by piece."""
    slopes = np.array([piece.condition.value for piece in pieces])
    smooth = np.ptp(slopes) == 0 if np.isfinite(slopes).all() else len(slopes) == 1
    found: list[Way] = []
    kinds = set()
    for k, piece in enumerate(pieces):
        if (piece.kind, slopes[k]) in kinds:
            continue  # Others who are alike make one condition.
        kinds.add((piece.kind, slopes[k]))
        if (smooth and not low and not high and not found) or abs(slopes[k]) <= SLACK:
            found.append(Way(k))
    if low and slopes.min() <= SLACK:
        found.append(Way(int(slopes.argmin()), pin="burden_min"))
    if high and slopes.max() >= -SLACK:
        found.append(Way(int(slopes.argmax()), pin="burden_max"))
    for a, b in itertools.permutations(range(len(pieces)), 2):
        if slopes[a] > slopes[b] and slopes[a] >= -SLACK and slopes[b] <= SLACK:
            found.append(Way(a, b))
    return tuple(found)


def _fewer(
    ways: tuple[tuple[Way, ...], ...], pieces: tuple[tuple[Piece, ...], ...]
) -> tuple[tuple[Way, ...], ...]:
    """Where there are too many ways, ties to those who move by themselves, if there are any."""
    if np.prod([len(own) for own in ways], dtype=float) <= MOST_WAYS:
        return ways
    moving = {i for i, own in enumerate(ways) if any(way.second is None for way in own)}

    def near(i: int, way: Way) -> bool:
        if way.second is None:
            return True
        links = {pieces[i][way.first].link, pieces[i][way.second].link} - {None}
        return bool(links & moving) or not links

    fewer = [tuple(way for way in own if near(i, way)) for i, own in enumerate(ways)]
    return tuple(few or own for few, own in zip(fewer, ways, strict=True))


def directional_extremes(point: ExtremePoint, sign: float) -> tuple[Array, Array]:
    """Derivatives of burdens and payoffs, (n, key) each, as keys move in the direction `sign`.

    nan where no way agrees in sign, or the conditions are singular; and where several agree that lead
    apart, so that more than one equilibrium begins there.
    """
    n, cases = point.game.size, len(point.keys)
    burdens, payoffs = np.full((n, cases), np.nan), np.full((n, cases), np.nan)
    found, apart = np.full(cases, False), np.full(cases, False)
    for chosen in _combinations(point):
        step = _step(point, chosen, sign)
        if step is None:
            continue
        good = np.isfinite(step).all(axis=0) & _agrees(point, chosen, step, sign)
        first = good & ~found
        paid = np.array([_counts(point, i, step, sign)[1] for i in range(n)])
        burdens[:, first], payoffs[:, first] = step[:, first] * sign, paid[:, first] * sign
        size = np.abs(step).max(axis=0) + 1e-12
        apart |= good & found & (np.abs(step * sign - burdens).max(axis=0) > APART * size)
        found |= good
    # A weight that begins to count at a burden of 0 brings h ln h, whose slope is infinite.
    payoffs[point.begins & found] = -np.inf
    burdens[:, apart] = payoffs[:, apart] = np.nan
    return burdens, payoffs


def _combinations(point: ExtremePoint) -> Iterator[tuple[Way, ...]]:
    """All ways of all members, unless there are too many, or somebody has none."""
    if np.prod([len(own) for own in point.ways], dtype=float) <= MOST_WAYS:
        yield from itertools.product(*point.ways)


def _step(point: ExtremePoint, chosen: Sequence[Way], sign: float) -> Array | None:
    """The moves of one way, (n, key); None if they are not determined."""
    n = len(chosen)
    matrix, right = np.zeros((n, n)), np.zeros((n, len(point.keys)))
    for i, way in enumerate(chosen):
        if way.pin:
            matrix[i, i], right[i] = 1.0, point.pins[way.pin][i] * sign
            continue
        row, direct = _equation(point, i, way)
        size = np.abs(row).max()
        if not (np.isfinite(row).all() and size > 0):
            return None
        matrix[i], right[i] = row / size, -direct * sign / size
    if not np.linalg.cond(matrix) < SINGULAR:
        return None
    return np.asarray(np.linalg.solve(matrix, right))


def _equation(point: ExtremePoint, i: int, way: Way) -> tuple[Array, Array]:
    """What stays 0: a condition, or the difference of two components that tie."""
    first = point.pieces[i][way.first]
    if way.second is None:
        return first.condition.burdens, first.condition.direct
    second = point.pieces[i][way.second]
    return (
        first.payoff.burdens - second.payoff.burdens,
        first.payoff.direct - second.payoff.direct,
    )


def _counts(point: ExtremePoint, i: int, step: Array, sign: float) -> tuple[Array, Array]:
    """How payoffs change along each piece, (piece, key), and which of them counts there, (key,)."""
    changes = np.array([piece.payoff.along(step, sign) for piece in point.pieces[i]])
    # Best shot: the umbrella under and over the demand is still the smaller of two.
    smallest = point.weakest or point.pieces[i][0].kind == "umbrella"
    return changes, changes.min(axis=0) if smallest else changes.max(axis=0)


def _agrees(point: ExtremePoint, chosen: Sequence[Way], step: Array, sign: float) -> Mask:
    """Where the signs of a way agree, (key,): its piece goes on to bind, and nobody sits unheld."""
    good = np.full(len(point.keys), True)
    game, x = point.game, point.x
    for i in point.loose:
        way, own, pieces = chosen[i], step[i], point.pieces[i]
        room = 1e-9 * np.maximum(np.abs(own), 1e-12)
        for name, side in zip(BOUNDS, (1.0, -1.0), strict=True):
            if abs(x[i] - game.by_member(name)[i]) <= ON:
                good &= side * (own - point.pins[name][i] * sign) >= -room
        changes, counts = _counts(point, i, step, sign)
        size = np.abs(changes).max(axis=0)
        if not way.pin:
            mine = [
                k for k, piece in enumerate(pieces)
                if k == way.first or (piece.kind == pieces[way.first].kind == "others")
            ]  # fmt: skip
            mine = [way.first] if way.second is not None else mine
            best = changes[mine].min(axis=0) if point.weakest else changes[mine].max(axis=0)
            good &= np.abs(best - counts) <= 1e-9 * size + 1e-15
        held = []
        if way.second is not None:
            held = [(pieces[way.first], 1.0), (pieces[way.second], -1.0)]
        elif way.pin in BOUNDS:
            held = [(pieces[way.first], 1.0 if way.pin == "burden_max" else -1.0)]
        for piece, side in held:
            if abs(piece.condition.value) > SLACK:
                continue
            change = piece.condition.along(step, sign)
            small = 1e-9 * (np.abs(piece.condition.burdens) @ np.abs(step) + 1e-12)
            good &= side * change >= -small
    return good


def torn_roles(point: ExtremePoint) -> tuple[tuple[int, Array, Component, int | None], ...]:
    """Members of a best-shot game who do as well in another role: profile, component and its link."""
    if point.weakest:
        return ()
    faced = problem(point.game, point.plan, "sensitivities")
    found = []
    now, pull = faced.payoffs(point.x), faced.others_pull(point.x)
    kinds: tuple[Component, ...] = ("own", "others", "umbrella")
    for role, kind in enumerate(kinds):
        replies = faced.best_plain(pull, role)
        for i in np.flatnonzero(faced.players & (faced.theta > 0)):
            other = point.x.copy()
            other[i] = replies[i]
            if kind == point.pieces[i][0].kind or abs(replies[i] - point.x[i]) <= ON:
                continue
            if faced.payoffs(other)[i] >= now[i] - SLACK:
                found.append((int(i), other, kind, _champion(faced, other, int(i), kind)))
    return tuple(found)


def _champion(faced: Problem, x: Array, member: int, kind: Component) -> int | None:
    """The other ally whose contribution is the largest, for the component that others make."""
    if kind != "others":
        return None
    g = np.array(faced.contributions(x))
    g[[member, faced.lead]] = -np.inf
    return int(g.argmax())


def role_ended(
    point: ExtremePoint, torn: tuple[int, Array, Component, int | None], burdens: Array,
    payoffs: Array, sign: float,
) -> Mask:  # fmt: skip
    """Keys that move the comparison of roles against the one that a member has, (key,)."""
    i, other, kind, link = torn
    facts = _Facts(point.game, point.form, point.values, other, point.keys)
    row = facts.row("payoff", i, kind, link, bool(other[i] < facts.at["demand"][i]))
    there = burdens.copy()
    bounds = [name for name in BOUNDS if abs(other[i] - point.game.by_member(name)[i]) <= ON]
    there[i] = point.pins[bounds[0]][i] if bounds else 0.0
    moves = row.burdens[:, None] * there
    gap = row.direct + moves.sum(axis=0) - payoffs[i]
    size = np.abs(row.direct) + np.abs(moves).sum(axis=0) + np.abs(payoffs[i])
    return np.asarray(gap * sign > 1e-9 * size)
