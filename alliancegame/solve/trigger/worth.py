"""What compliance is worth to an ally, bounded over all compliance sets between two.

Let the theorem on followers hold, and let the leader's burden lie in [a, b], a point if the plan names
it (docs/theory/equilibrium, Trigger threats). P_i is the umbrella term, K what the leader brings to the
council in the allies' units; both grow with the leader's burden.

1. A complier contributes at least its demand, a defier less: at every allied total X an ally's share
   is larger if it complies. Shares fall in X and in P_i and grow with K (influence in logs). So the
   root X of (sum of shares = 1) grows with the compliance set; it is least with P at b and K at a, and
   largest the other way round.
2. The leader's best burden against X in [X_L, X_H] lies between those with X_H in its security and
   X_L in council, and the other way round.
3. On one side, Z_i = X (1 - share of i) grows with X, and so, for a given burden of the leader, with who
   else complies.
4. D_i(Z) = best payoff complying minus best payoff defying against others' Z obeys
   D_i(Z') <= D_i(Z) + slack for Z < Z', slack = alpha_i ln((c + Z' + K) / (c + Z + K)), c the least own
   contribution; and slack = 0 where theta_i beta_i (g + Z + K)^2 >= alpha_i (g + beta_i Z + P_i)^2 over
   the range, P_i the umbrella of a defier. In the leader's burden it grows by at most
   theta_i ln of the growth of (d_i + beta_i Z + P_i) plus alpha_i ln of that of (c + Z + K), and falls
   by at most theta_i ln of the growth of (c + beta_i Z + P_i of a defier).

So where some allies comply (C), some defy, and the rest is open (U), worth is bounded by plain games at
C and at C + U.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.parameters import Array
from alliancegame.solve.trigger.sides import Bent, Mask, Sides

LOOSE = 1e-6
"""Solved burdens are taken to be this far off, relatively, where a range is concluded from them."""
ROUNDS = 6


@dataclasses.dataclass(frozen=True, eq=False)
class Nodes:
    """Who complies for certain, whose side is open, and whose was only tried, each (node, n).

    Those who were tried may turn out wrong. `low` and `high` are the leader's range, (node,).
    """

    fixed: Mask
    open: Mask
    tried: Mask
    low: Array
    high: Array

    @classmethod
    def root(cls, sides: Sides) -> Nodes:
        """One node in which everything is open."""
        low, high = (
            np.array([sides.game.by_member(f"burden_{end}")[sides.lead]])
            if np.isnan(sides.committed)
            else np.array([sides.committed])
            for end in ("min", "max")
        )
        open_ = np.array(sides.choosing)[None, :]
        nobody = np.zeros_like(open_)
        return cls(nobody, open_, nobody, low, high)

    def take(self, chosen: Mask | NDArray[np.intp]) -> Nodes:
        """Some of the nodes."""
        names = [field.name for field in dataclasses.fields(self)]
        return Nodes(*(getattr(self, name)[chosen] for name in names))

    @classmethod
    def joined(cls, *parts: Nodes) -> Nodes:
        """All nodes of several."""
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


@dataclasses.dataclass(frozen=True, eq=False)
class Bounds:
    """Of each node the most compliance can be worth to a complier, the least to a defier, (node, n).

    `low` and `high`, (node,), are what is left of the leader's range; `games` counts games solved.
    """

    most: Array
    least: Array
    low: Array
    high: Array
    games: int


def bounded(sides: Sides, nodes: Nodes) -> Bounds:
    """Bounds over all compliance sets and burdens of the leader that a node allows.

    Allies whose side is settled are not asked again, and bounds for them say nothing (+-inf).
    """
    count, n = nodes.fixed.shape
    least, most = nodes.fixed, nodes.fixed | nodes.open
    low_games, high_games = (
        _Ends.solved(sides, sets, nodes, up) for sets, up in ((least, False), (most, True))
    )
    low, high = nodes.low, nodes.high
    if np.isnan(sides.committed):
        low, high = _leader(sides, nodes, low_games, high_games)
    node, ally = np.nonzero(nodes.open)
    with_, without = least[node], most[node]
    rows = np.arange(len(node))
    with_[rows, ally], without[rows, ally] = True, False
    between = nodes.take(node)
    low_with = _Ends.solved(sides, with_, between, False)
    high_without = _Ends.solved(sides, without, between, True)
    upper, lower = np.full((count, n), np.inf), np.full((count, n), -np.inf)
    for side in (True, False):
        certain = nodes.tried & (nodes.fixed == side)
        where, who = np.nonzero(certain)
        ends = [(low_games.take(where), high_games.take(where)), (low_with, high_games.take(node))]
        if not side:
            ends[1] = (low_games.take(node), high_without)
        target = upper if side else lower
        for (some, members), (under, over) in zip(((where, who), (node, ally)), ends, strict=True):
            if len(some):
                question = _Question(sides, members, side, nodes.low[some], nodes.high[some])
                target[some, members] = question.bound(under, over)
    # What could not be solved excludes nothing.
    upper[np.isnan(upper)], lower[np.isnan(lower)] = np.inf, -np.inf
    return Bounds(upper, lower, low, high, 2 * count + 2 * len(node))


@dataclasses.dataclass(frozen=True, eq=False)
class _Ends:
    """Plain games at one end of what nodes allow: burdens (game, n) and the allied total (game,)."""

    burden: Array
    total: Array

    @classmethod
    def solved(cls, sides: Sides, sets: Mask, nodes: Nodes, up: bool) -> _Ends:
        """The largest total (`up`) has the leader least in security and most in council."""
        burden = sides.solve(sets, nodes.high, _bent(nodes.low, nodes.high, up)).burden
        total = (burden * scale_of(sides)).sum(axis=1)
        exact = nodes.low == nodes.high
        loose = np.where(exact, 1.0, 1 + LOOSE if up else 1 - LOOSE)
        return cls(burden, np.asarray(total * loose))

    def take(self, chosen: NDArray[np.intp]) -> _Ends:
        """Some of the games."""
        return _Ends(self.burden[chosen], self.total[chosen])


def _bent(low: Array, high: Array, up: bool) -> Bent:
    """With the leader at `high`: its burden is `low` in security (`up`) or in council (not)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(high > 0, low / high, 1.0)
    return Bent(umbrella=share) if up else Bent(council=share)


def scale_of(sides: Sides) -> Array:
    """Effective forces of each ally per unit of burden, 0 for the leader; shape (n,)."""
    scale = sides.game.by_member("effectiveness") * sides.game.by_member("gdp")
    return np.where(np.arange(sides.game.size) == sides.lead, 0.0, scale)


def _leader(sides: Sides, nodes: Nodes, under: _Ends, over: _Ends) -> tuple[Array, Array]:
    """What is left of the leader's range, by (2); empty ranges have low above high."""
    with np.errstate(divide="ignore", invalid="ignore"):
        more, less = over.total / under.total, under.total / over.total
    known = np.isfinite(more) & (under.total > 0)
    replies = [
        sides.leader_replies(ends.burden, np.where(known, factor, 1.0))
        for ends, factor in ((under, more), (over, less))
    ]
    known &= np.isfinite(replies[0]) & np.isfinite(replies[1])
    low = np.where(known, np.maximum(nodes.low, replies[0] * (1 - LOOSE)), nodes.low)
    high = np.where(known, np.minimum(nodes.high, replies[1] * (1 + LOOSE) + 1e-12), nodes.high)
    return low, high


@dataclasses.dataclass(frozen=True, eq=False)
class _Question:
    """What compliance is worth to `members`, (question,), who comply if `side`, else defy."""

    sides: Sides
    members: NDArray[np.intp]
    side: bool
    low: Array
    high: Array

    def bound(self, under: _Ends, over: _Ends) -> Array:
        """The most it is worth to a complier, the least to a defier; shape (question,)."""
        z_low, z_high = self._others(under, over)
        rows = np.arange(len(self.members))
        ends, total = (under, z_low) if self.side else (over, z_high)
        profiles = np.array(ends.burden)
        if not self._exact:
            scale = scale_of(self.sides)
            given = profiles * scale
            rest = given.sum(axis=1) - given[rows, self.members]
            with np.errstate(divide="ignore", invalid="ignore"):
                profiles *= np.where(rest > 0, total / rest, 0.0)[:, None]
        profiles[:, self.sides.lead] = self.low
        paid = [
            self.sides.replies(profiles, self.members, np.full(len(rows), side))[1]
            for side in (True, False)
        ]
        worth = paid[0] - paid[1]
        slack = self._slack(z_low, z_high)
        return np.asarray(worth + slack if self.side else worth - slack)

    @property
    def _exact(self) -> bool:
        return bool(np.all(self.low == self.high))

    def _others(self, under: _Ends, over: _Ends) -> tuple[Array, Array]:
        """Bounds on what the others contribute, by (3)."""
        rows = np.arange(len(self.members))
        own = scale_of(self.sides)[self.members]
        if self._exact:
            return (
                under.total - under.burden[rows, self.members] * own,
                over.total - over.burden[rows, self.members] * own,
            )
        asked = self.sides.demand[self.members] * own
        floor = self.sides.game.by_member("burden_min")[self.members] * own
        if self.side:  # Its own contribution is at most the largest share of the largest total,
            most = np.minimum(over.total, over.total * self._share(under, True) * (1 + LOOSE))
            return np.maximum(under.total - most, 0.0), over.total - asked
        # and at least the smallest share of the smallest.
        least = np.maximum(floor, under.total * self._share(over, False) * (1 - LOOSE))
        return np.maximum(under.total - asked, 0.0), over.total - least

    def _share(self, ends: _Ends, largest: bool) -> Array:
        """A bound on its share of the total at `ends`, whatever the leader does in its range.

        Shares fall in the total: a share at any total that is no larger is a bound from above, and
        one at any total that is no smaller a bound from below. Totals are tried, from what the
        others contribute, until one is on that side.
        """
        rows = np.arange(len(self.members))
        scale = scale_of(self.sides)
        given = ends.burden * scale
        own = given[rows, self.members]
        rest = given.sum(axis=1) - own
        bent = _bent(self.low, self.high, largest)
        side = np.full(len(rows), self.side)
        others = np.maximum(ends.total - own, 0.0)
        found = np.full(len(rows), 1.0 if largest else 0.0)
        for _ in range(ROUNDS):
            with np.errstate(divide="ignore", invalid="ignore"):
                profiles = ends.burden * np.where(rest > 0, others / rest, 0.0)[:, None]
            profiles[:, self.sides.lead] = self.high
            reply = self.sides.replies(profiles, self.members, side, bent)[0] * scale[self.members]
            total = others + reply
            over = total - ends.total
            good = (over <= 0) if largest else (over >= 0)
            with np.errstate(divide="ignore", invalid="ignore"):
                share = reply / total
            good &= np.isfinite(share)
            found = np.where(
                good, np.minimum(found, share) if largest else np.maximum(found, share), found
            )
            if good.all():
                break
            step = np.where(good, 0.0, 1.2 * over + (1 if largest else -1) * LOOSE * ends.total)
            others = np.maximum(others - step, 0.0)
        return found

    def _slack(self, z_low: Array, z_high: Array) -> Array:
        """How much the worth may differ from that at the end that was solved, by (4)."""
        sides, i = self.sides, self.members
        game = sides.game
        alpha, theta = (game.by_member(f"{w}_weight")[i] for w in ("influence", "security"))
        spillin, umbrella = (values[i] for values in game.congested)
        own = scale_of(sides)[i]
        low, high = (game.by_member(f"burden_{end}")[i] * own for end in ("min", "max"))
        weights, trust = game.by_member("council_weight"), sides.trust
        scale = game.by_member("effectiveness")[sides.lead] * game.by_member("gdp")[sides.lead]
        council = trust[sides.lead] * weights[sides.lead] / weights[i] * scale
        cover = umbrella * trust[i] * scale
        bite = (game.by_member("credibility") * sides.threat)[i]
        single = np.ones(len(i), dtype=bool)
        root, pull = np.sqrt(theta * spillin), np.sqrt(alpha)
        for g in (low, high):
            for Z in (z_low, z_high):
                for x in (self.low, self.high):
                    P = (1 - bite) * cover * x
                    single &= root * (g + Z + council * x) >= pull * (g + spillin * Z + P)
        K = council * self.low
        slack = np.where(
            single | (z_high <= z_low) | (alpha == 0),
            0.0,
            _growth(alpha, low + z_low + K, low + z_high + K),
        )
        if self._exact:
            return slack
        if not self.side:
            base = low + spillin * z_high
            return slack + _growth(
                theta, base + (1 - bite) * cover * self.low, base + (1 - bite) * cover * self.high
            )
        base = sides.demand[i] * own + spillin * z_low
        slack = slack + _growth(theta, base + cover * self.low, base + cover * self.high)
        seat = low + z_low
        return slack + _growth(alpha, seat + K, seat + council * self.high)


def _growth(weight: Array, before: Array, after: Array) -> Array:
    """How much weight * ln grows from `before` to `after`; nothing where the weight is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        grown = weight * np.log(after / before)
    return np.where(
        (weight == 0) | (after == before), 0.0, np.where(np.isnan(grown), np.inf, grown)
    )
