"""Every equilibrium of the exact weakest link.

Without a threat that bites, the best reply of member i to the others' contributions g is

    F_i(g) = max(P_i, min(Q_i, M_i)),

M_i the smallest of the other components (the weakest link that i sees), P_i the private optimum (what i
would spend if security did not depend on it), Q_i the optimum if own forces were all of security.
With log influence P_i and Q_i rise with the others' contributions, and by less than in proportion: if
everybody spends k > 1 times as much, x c'(x) = h + alpha m (1 - p) + (theta) holds at the same p and
too large an x. So F rises, and F(k g) <= k F(g): it is nonexpansive in the logarithms, in the
largest difference. Hence (Tarski 1955) there are a least and a greatest equilibrium, and (Baillon 1988,
on nonexpansive maps in hyperconvex spaces) the set of all positive ones is connected: ONE component,
from the least to the greatest, a point if they are one. Equilibria with a zero component of
security have payoffs of minus infinity and do not count.

A threat bends this. An ally's umbrella component rises with its own burden, so M_i is matched at a burden
that a larger leader lowers. With the leader's burden fixed F still rises (least and greatest exist), but
more than in proportion; with a free leader it need not rise. Then the leader's range is scanned.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import ConvergenceError
from alliancegame.game.parameters import Array
from alliancegame.solve.extremes.crossing import UNITS
from alliancegame.solve.extremes.problem import OWN, UMBRELLA, Problem

ROUNDS = 400
STEPS = 3000
BLOCK, LEAPS = 8, (512, 64, 8)
"""Steps after which to see whether many can be taken at once; twice how many."""
PROPORTION = 1e-6
"""Relative change of a factor that counts as none."""
AT_REST = 1e-14
"""Largest relative change of a profile at rest."""
CLOSE = 1e-14
"""Share of a burden by which rounding may move a kink."""
GONE = 1e-13
"""Burdens that fall below this share of their bound, with no private optimum to stop them, fall to zero."""
FLOOR = 1e-9
"""Continua that reach down towards zero are followed to this share of their upper end."""


@dataclasses.dataclass(frozen=True, eq=False)
class Matching:
    """F for one problem, on profiles of shape (..., n)."""

    faced: Problem

    def span(self, x: Array, first: Array | None = None) -> Array:
        """(P, Q) as burdens: the private optimum, and what own forces would be worth alone.

        Shape (2, ..., n). `first` has the points at which to look first, shape (k, 2, ..., n).
        """
        faced = self.faced
        pull, lead_x = faced.others_pull(x), x[..., faced.lead]

        def slope(y: Array) -> Array:
            made, y = faced.plain_slope(y, pull), y[:, 1]
            own = faced.security_slope(y, OWN)
            if faced.pressed.any():
                own = np.where(faced.pressed, self._pressed_slope(y, lead_x, own), own)
            made[:, 1] += own
            return made

        shape = (2, *pull.shape)
        if first is None:
            first = faced.first(shape, *self._crossed(lead_x))
        return faced.peak(slope, shape, first)

    def _crossed(self, lead_x: Array) -> list[Array]:
        """Burdens on both sides of where the umbrella may cross an ally's own forces, each (..., n)."""
        faced = self.faced
        full = np.asarray(lead_x)[..., None] * (faced.scale[faced.lead] * faced.worth)
        with np.errstate(divide="ignore", invalid="ignore"):
            short = full * (1 - faced.bite) / (faced.scale - full * faced.bite / faced.demand)
        ways = (1 - CLOSE, 1 + CLOSE)
        return [at * way for at in (short, full / faced.scale) for way in ways]

    def _pressed_slope(self, y: Array, lead_x: Array, at_own: Array) -> Array:
        """The slope of the smaller of own forces and the umbrella."""
        own, cover = self.faced.contributions(y), self.faced.cover(y, lead_x)
        at_cover = self.faced.security_slope(y, UMBRELLA)
        first = np.where(own < cover, at_own, at_cover)
        return np.where(own == cover, np.minimum(at_own, at_cover), first)

    def match(self, x: Array) -> Array:
        """The burden from which on more is of no use, the others' components being what they are."""
        faced = self.faced
        link, lead_x = faced.spilled(x), x[..., faced.lead]
        full = faced.cover(np.broadcast_to(faced.high, x.shape), lead_x)
        free = ~faced.pressed
        link = np.where(free, np.minimum(link, full), link)
        own = link / faced.scale
        if free.all():
            return np.asarray(own)
        force = np.asarray(lead_x)[..., None] * (faced.scale[faced.lead] * faced.worth)
        with np.errstate(divide="ignore", invalid="ignore"):
            needed = faced.demand * (1 - (1 - link / force) / faced.bite)
        # Where the link is beyond all of the umbrella, the umbrella itself binds (see `span`).
        needed = np.where(link >= force, np.inf, np.maximum(needed, own))
        return np.asarray(np.where(free, own, needed))

    def rest(
        self, start: Array, held: NDArray[np.bool_] | None = None
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Where best replies lead from profiles from which they only rise, or only fall, (..., n).

        Members of `held` keep their burdens. P and Q stand still while members match each other, then
        follow: from above and from below alike that leads to the nearest fixed point. Also whether each
        profile came to rest; one that only creeps keeps the others waiting for `STEPS`, and no longer.
        """
        faced = self.faced
        x = np.array(start).reshape(-1, faced.size)
        keep = np.zeros(faced.size, dtype=bool) if held is None else held
        constant = not faced.alpha.any() and not faced.pressed.any()
        rests = np.ones(len(x), dtype=bool)
        on = np.arange(len(x))
        ends: Array | None = None
        first: Array | None = None
        for _ in range(ROUNDS):
            before = x[on]
            last, ends = ends, self.span(before, first)
            # From now on the ends move less and less, and hardly at all where a kink keeps them.
            if last is not None:
                off = np.maximum(np.abs(ends - last), UNITS * np.spacing(ends))
                first = np.stack([ends - off, ends, ends + off])
            x[on], rests[on] = self._matched(before, ends, keep)
            moves = rests[on] & ~at_rest(x[on], before)
            if constant or not moves.any():
                break
            on, ends = on[moves], ends[:, moves]
            first = None if first is None else first[:, :, moves]
        else:
            rests[on] = False
        return x.reshape(np.shape(start)), rests.reshape(np.shape(start)[:-1])

    def _matched(
        self, start: Array, ends: Array, keep: NDArray[np.bool_]
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Profiles (k, n) once members have matched each other between (P, Q), and which are at rest."""
        x, on = np.array(start), np.arange(len(start))
        left, rests = np.full(len(x), STEPS), np.zeros(len(x), dtype=bool)
        while on.size:
            path = [x[on]]
            for _ in range(BLOCK):
                path.append(self._step(path[-1], ends[:, on], keep))
                still = at_rest(path[-1], path[-2])
                if still.all():
                    break
            x[on], rests[on] = path[-1], still
            left[on] -= len(path) - 1
            goes = ~still & (left[on] > 0)
            on = on[goes]
            # With the leader held this is a scan. What is claimed as proven waits for every step.
            if on.size and keep.any():
                x[on], steps = self._leapt([at[goes] for at in path], ends[:, on], keep, left[on])
                left[on] -= steps
        return x, rests

    def _step(self, x: Array, ends: Array, keep: NDArray[np.bool_]) -> Array:
        """One reply of everybody but those who keep their burdens, (k, n)."""
        new = np.where(keep, x, self.reply(x, ends))
        gone = (ends[0] == 0) & (new < GONE * self.faced.high) & (new < x)
        return np.where(gone, 0.0, new)

    def _leapt(
        self, path: list[Array], ends: Array, keep: NDArray[np.bool_], left: NDArray[np.int64]
    ) -> tuple[Array, NDArray[np.int64]]:
        """Profiles many steps on from those of a path, and how many, where members move in proportion.

        Of the allies the weakest looks at the second, and all others at the weakest: while nobody
        reaches a kink, two steps change by the same factor each time. That is checked on the way.
        """
        a, b, c, x = path[-7::2]
        with np.errstate(all="ignore"):
            factor, earlier = np.nan_to_num((x - c) / (c - b)), np.nan_to_num((c - b) / (b - a))
            steady = (np.abs(factor - earlier) <= PROPORTION).all(axis=-1)
            taken = np.zeros(len(x), dtype=np.int64)
            for pairs in LEAPS:
                many = (pairs * np.arange(1, 9) // 8)[:, None, None]
                grown = np.where(factor == 1, many, (factor**many - 1) / (factor - 1))
                ahead = x + (x - c) * factor * grown
                after = self._step(self._step(ahead, ends, keep), ends, keep)
                expected = (x - c) * factor ** (many + 1)
                miss = np.abs(after - ahead - expected)
                good = miss <= PROPORTION * np.abs(expected) + AT_REST * ahead
                leaps = steady & good.all(axis=(0, -1)) & (taken == 0) & (left > 2 * pairs + BLOCK)
                taken = np.where(leaps, 2 * pairs, taken)
                x = np.where(leaps[:, None], ahead[-1], x)
        return x, taken

    def reply(self, x: Array, ends: Array) -> Array:
        """F at profiles x with these (P, Q)."""
        private, own = ends
        return np.asarray(np.maximum(private, np.minimum(own, self.match(x))))


def at_rest(one: Array, other: Array) -> NDArray[np.bool_]:
    """Whether profiles of shape (..., n) are the same to rounding, burden by burden: (...)."""
    return np.asarray((np.abs(one - other) <= AT_REST * np.maximum(one, other)).all(axis=-1))


def near(one: Array, other: Array, tolerance: float = AT_REST) -> bool:
    """Whether two profiles are one to rounding, burden by burden."""
    return bool(np.all(np.abs(one - other) <= tolerance * np.maximum(one, other)))


@dataclasses.dataclass(frozen=True, eq=False)
class Range:
    """The least and the greatest equilibrium; `low` None if it is not attained (`limit`).

    `connected` says that everything between them that is an equilibrium is one connected set;
    `settled` that both ends were reached. Where `low` is None, `to_zero` says that the set is known to
    come down to `limit`, some of whose burdens are zero; otherwise it was followed to `FLOOR` of its
    upper end.
    """

    low: Array | None
    high: Array
    limit: Array
    connected: bool
    settled: bool
    to_zero: bool = False


def alive(faced: Problem, x: Array) -> bool:
    """Whether every player has a finite payoff."""
    return bool(np.isfinite(faced.payoffs(x)[faced.players]).all())


def between(faced: Problem) -> Range | None:
    """The least and the greatest equilibrium with finite payoffs; None if there is none.

    For log influence, and threats only where the leader's burden is fixed. Raises `ConvergenceError`
    if replies from above do not come to rest.
    """
    F = Matching(faced)
    connected = not faced.pressed.any()
    high, fell = F.rest(faced.high)
    if not fell:
        raise ConvergenceError(
            f"best replies from above did not come to rest under {faced.plan.describe()}: spill-ins "
            "just below 1 make members follow each other down in tiny steps; move spillin, umbrella or "
            "return_spillin a little away from 1, or to 1."
        )
    if not alive(faced, high):
        return None
    low, rose = F.rest(faced.low)
    if alive(faced, low):
        connected = connected or _untouched(faced, low, high)
        return Range(low, high, low, connected, bool(rose))
    if not connected:
        return Range(None, high, low, False, False)
    # F(k x) >= k F(x) for k < 1: from a share of the upper end replies only rise.
    floor = FLOOR * high
    bottom, rose = F.rest(floor)
    touching = (bottom <= floor * (1 + 1e-6)) & faced.players
    if not touching.any():
        # All equilibria above the floor are inside it, and the set is connected: nothing is below.
        return Range(bottom, high, bottom, True, bool(rose))
    private, _ = F.span(bottom)
    to_zero = not faced.alpha.any() and not private[touching].any()
    return Range(None, high, np.where(touching, 0.0, bottom), True, bool(rose), to_zero)


def _untouched(faced: Problem, low: Array, high: Array) -> bool:
    """Whether no threat matters between two equilibria: then F there is what it is without threats.

    Either the demand is met throughout, or the umbrella stays above the own forces at both ends, and so
    between them, being concave. (With the leader's burden fixed.)
    """
    ends = np.array([low, high])
    spare = faced.cover(ends, ends[:, faced.lead]) >= faced.contributions(ends)
    return bool(np.all(~faced.pressed | (low >= faced.demand) | spare.all(axis=0)))


def along(faced: Problem, found: Range, shares: Array) -> Array:
    """Equilibria of a connected range that rise with `shares` (k,), from its lower to its upper end.

    From the larger of the lower end and a share of the upper one replies only rise. Shape (k, n).
    """
    base = found.limit if found.low is None else found.low
    x, _ = Matching(faced).rest(np.maximum(base, shares[:, None] * found.high))
    return x
