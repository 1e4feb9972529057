"""Repeated play: what patience sustains. Minmax values, critical discount factors, feasible payoffs.

Payoffs are discounted averages with a common discount factor. A deviation is punished for ever, by
stage equilibria (Nash reversion, Friedman, 1971: a subgame-perfect equilibrium), by one given
equilibrium (grim trigger), or at a minmax value. Nobody can be held below its minmax value in mixed
strategies, so that one gives a bound: with less patience the target cannot be sustained by any
strategies at all. That in pure strategies is a bound for pure punishments only: mixed ones can be
harsher.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from alliancegame.errors import ConvergenceError, InvalidValueError, unknown_name
from alliancegame.game.checks import check_flag
from alliancegame.game.finite import FiniteGame, check_finite_game
from alliancegame.game.parameters import Array, as_number
from alliancegame.solve.finite import mixtures as mixed
from alliancegame.solve.finite.many import pure_cells
from alliancegame.solve.finite.nash import find_equilibria
from alliancegame.solve.finite.plainly import PlainResult
from alliancegame.solve.finite.programs import FEASIBLE, maximise_least

if TYPE_CHECKING:
    import pandas as pd

PUNISHMENTS = ("nash", "pure nash", "minmax", "pure minmax")


def minmax(game: FiniteGame, *, mixed: bool = True) -> dict[str, float]:
    """What the others can hold each player down to, by player.

    With `mixed` (two players only) by a mixed strategy: a zero-sum game, by linear programming with
    its bound re-checked. Otherwise by pure strategies, exhaustively, for any number of players.
    """
    check_finite_game(game, "minmax")
    check_flag(mixed, "mixed")
    floors = _floors(game, mixed)
    return {
        player: float(Fraction(floor) + least)
        for player, floor, least in zip(game.players, floors, game.smallest, strict=True)
    }


def _floors(game: FiniteGame, mixed: bool) -> list[float]:
    """Minmax values above each player's smallest payoff, so that no digits go to what is common."""
    if not mixed:
        return [float(payoff.max(axis=i).min()) for i, payoff in enumerate(game.levelled)]
    if game.size != 2:
        raise InvalidValueError(
            f"mixed minmax values are for two players, and this game has {game.size} (independent "
            "punishers of one player are no linear program): use mixed=False."
        )
    values = []
    for i, payoff in enumerate(game.levelled):
        own = payoff if i == 0 else payoff.T  # (own strategy, punisher's)
        found, _ = maximise_least(-own, np.zeros((0, own.shape[1])))
        values.append(-found.value)
    return values


def _given(game: FiniteGame, levelled: Any) -> Array:
    """Payoffs by player from those above the smallest."""
    pairs = zip(levelled, game.smallest, strict=True)
    return np.array([float(Fraction(float(u)) + least) for u, least in pairs])


def _above(game: FiniteGame, payoffs: Any) -> list[float]:
    """Payoffs by player as those above the smallest; exact fractions lose no digits."""
    return [float(Fraction(u) - least) for u, least in zip(payoffs, game.smallest, strict=True)]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Sustained(PlainResult):
    """How patient everybody must be for a target: a row of arrays for each player, in order.

    `payoff` is the target's, `gain` the largest gain from a deviation in any cell of the target,
    `punishment` what a deviator gets ever after, `discount` the least discount factor of each player
    (inf if no patience suffices), and `critical` the largest of them. `target` is the distribution
    over cells, the same in every period (drawn in public if it is no single cell).
    """

    kind: ClassVar[str] = "sustained"

    game: FiniteGame
    target: Array
    payoff: Array
    gain: Array
    punishment: Array
    discount: Array
    by: str

    @property
    def critical(self) -> float:
        """The least common discount factor; inf if there is none below 1."""
        return float(self.discount.max())

    @property
    def binding(self) -> str:
        """The player who needs it."""
        return self.game.players[int(np.argmax(self.discount))]

    @property
    def statement(self) -> str:
        """What has been shown."""
        pure = self.by.startswith("pure minmax")
        if math.isinf(self.critical):
            only = "with pure punishments only, " if pure else ""
            return (
                f"{only}no discount factor below 1 sustains the target against {self.binding}: "
                f"{self.by}"
            )
        if pure:
            return (
                f"with a discount factor below {self.critical:.6g} the target is not sustained against "
                f"{self.binding} with pure punishments only ({self.by}: mixed ones may be harsher)"
            )
        if "minmax" in self.by:
            return (
                f"with a discount factor below {self.critical:.6g} nothing sustains the target against "
                f"{self.binding} ({self.by}: a necessary condition)"
            )
        return (
            f"sustained from a discount factor of {self.critical:.6g} on; {self.binding} needs it "
            f"({self.by})"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row for each player."""
        import pandas as pd

        columns = {
            name: getattr(self, name) for name in ("payoff", "gain", "punishment", "discount")
        }
        return pd.DataFrame(columns, index=pd.Index(self.game.players, name="player"))

    def headline(self) -> str:
        """One line that says what was found."""
        return self.statement


def critical_discount(game: FiniteGame, target: Any, punishment: Any = "nash") -> Sustained:
    """The discount factor from which a target is sustained, by player and for all.

    `target` is a pure profile (labels or indices, or a dict by player), a dict {profile: probability}
    for a public lottery in every period, or payoffs by player (numbers of which one is a float at
    least: integers alone name a cell), for which a lottery is found that needs the least discount
    factor of all that pay them, and of those one with the least sum of deviation gains.

    `punishment` is "nash" (for each deviator its worst stage equilibrium), "pure nash", "minmax" (two
    players; with less patience nothing sustains the target: a necessary condition), "pure minmax" (any
    number of players; the same for pure punishments only, as mixed ones can be harsher), or a profile:
    grim trigger to it, which must be a stage equilibrium.

    A player with gain g, target payoff v and punishment p needs a discount of g / (g + v - p).
    Raises `InvalidValueError` for infeasible payoffs and for a punishment that is no equilibrium.

    >>> pd = FiniteGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
    >>> critical_discount(pd, (0, 0)).critical
    0.5
    """
    check_finite_game(game, "critical_discount")
    wanted = _wanted(game, target)
    lottery = _target(game, target) if wanted is None else np.zeros(game.shape)
    held, by = _punishments(game, punishment)
    gains = np.array([(a.max(axis=i, keepdims=True) - a) for i, a in enumerate(game.levelled)])
    if wanted is not None:
        paid = np.array(_above(game, wanted))
        found = _lottery(game, paid, gains, _discounts(game, gains, paid, held).max(axis=0))
        lottery = _infeasible(game, wanted) if found is None else found
    else:
        paid = np.array([float((lottery * a).sum()) for a in game.levelled])
    largest = gains[:, lottery > 0].max(axis=1)
    needed = _discounts(game, largest, paid, held)
    return Sustained(game, lottery, _given(game, paid), largest, _given(game, held), needed, by)


def _discounts(game: FiniteGame, gains: Array, paid: Array, held: Array) -> Array:
    """The discount factor that each gain needs, shape (players, ...) as `gains`; inf if none will do."""
    spans = np.array([max(float(a.max()), 1e-300) for a in game.levelled])
    margin = paid - held
    spans, margin = (x.reshape(-1, *[1] * (gains.ndim - 1)) for x in (spans, margin))
    needed = np.where(gains <= 1e-12 * spans, 0.0, np.inf)
    able = (gains > 1e-12 * spans) & (margin > 1e-12 * spans)
    np.divide(gains, gains + margin, out=needed, where=able)
    # Even without a gain today nobody obeys a target that pays less than its punishment.
    return np.where(margin < -1e-9 * spans, np.inf, needed)


def _punishments(game: FiniteGame, punishment: Any) -> tuple[Array, str]:
    """What deviators get ever after, above each player's smallest payoff, and by what."""
    if isinstance(punishment, str) and punishment not in game.players:
        if punishment not in PUNISHMENTS:
            raise unknown_name("punishment", punishment, PUNISHMENTS)
        if "minmax" in punishment:
            return np.array(_floors(game, punishment == "minmax")), f"{punishment} punishment"
        if punishment == "nash":
            found = find_equilibria(game)
            earned = [_levelled_payoffs(game, profile.mixtures) for profile in found]
            known = "" if found.complete else " found"
        else:
            earned = [[float(a[cell]) for a in game.levelled] for cell in pure_cells(game)]
            known = ""
        if not earned:
            raise ConvergenceError(
                f"the stage game has no {punishment} equilibrium to punish with."
            )
        kind = "pure equilibrium" if punishment == "pure nash" else "equilibrium"
        return np.min(earned, axis=0), f"Nash reversion to the deviator's worst stage {kind}{known}"
    profile = mixed.read_profile(game, punishment)
    from alliancegame.solve.finite.profile import certificate

    made = certificate(game, profile)
    if made.verdict == "unverified":
        raise InvalidValueError(
            f"the punishment must be an equilibrium of the stage game; {made.worst} could gain "
            f"{made.regret:.3g} by deviating from it."
        )
    return np.array(_levelled_payoffs(game, profile)), "grim trigger to the given equilibrium"


def _levelled_payoffs(game: FiniteGame, profile: mixed.Mixtures) -> list[float]:
    """Expected payoffs above each player's smallest."""
    if game.exact and mixed.is_exact(profile):
        earned = (mixed.deviation_payoffs(game, profile, i) for i in range(game.size))
        return _above(game, [mixed.expected(u, x) for u, x in zip(earned, profile, strict=True)])
    deviations = (mixed.float_deviations(a, profile, i) for i, a in enumerate(game.levelled))
    return [float(mixed.expected(u.tolist(), x)) for u, x in zip(deviations, profile, strict=True)]


def _wanted(game: FiniteGame, target: Any) -> Array | None:
    """The payoffs that a target names; None if it names cells."""
    if not _is_payoffs(target, game.size):
        return None
    payoffs = np.array([float(u) for u in target])
    if not np.isfinite(payoffs).all():
        raise InvalidValueError(f"target payoffs must be finite, got {payoffs.tolist()}.")
    return payoffs


def _target(game: FiniteGame, target: Any) -> Array:
    """A target that names cells, as a distribution over them."""
    lottery = np.zeros(game.shape)
    if isinstance(target, Mapping) and target and all(isinstance(k, tuple) for k in target):
        for profile, chance in target.items():
            share = as_number(chance, f"probability of {profile}")
            if share < 0:
                raise InvalidValueError(f"probability of {profile} must be >= 0, got {share:g}.")
            lottery[game.profile_index(profile)] += share
        if abs(lottery.sum() - 1) > 1e-9:
            raise InvalidValueError(
                f"probabilities of the target must add up to 1, got {lottery.sum():g}."
            )
        shares: Array = lottery / lottery.sum()
        return shares
    lottery[game.profile_index(target)] = 1.0
    return lottery


def _is_payoffs(target: Any, size: int) -> bool:
    """Whether a target is payoffs: numbers, one of them no integer at least (integers name a cell)."""
    if isinstance(target, np.ndarray):
        target = target.tolist()
    if not isinstance(target, (list, tuple)) or len(target) != size:
        return False
    real = all(isinstance(u, (float, int, np.floating, np.integer)) for u in target)
    return real and any(isinstance(u, (float, np.floating)) for u in target)


def _lottery(game: FiniteGame, wanted: Array, gains: Array, needed: Array) -> Array | None:
    """A lottery over cells that pays `wanted` (levelled) and needs the least discount factor.

    What a lottery needs is the largest of what its cells need (`needed`, of the game's shape), which
    payoffs alone determine. So the least is the first of these numbers whose cells, and those that
    need less, can pay `wanted`: more cells can pay whatever fewer can, and bisection finds it. Among
    the lotteries over these cells the sum of the gains is least. None if no lottery pays `wanted`.
    """
    spans = np.array([float(a.max()) or 1.0 for a in game.levelled])
    if (np.abs(wanted - spans / 2) > (0.5 + FEASIBLE) * spans).any():
        return None
    cost = (gains / spans.reshape(-1, *[1] * game.size)).sum(axis=0)

    def within(most: float) -> Array | None:
        return _paying(game, wanted / spans, spans, np.where(needed <= most, cost, np.inf))

    steps = np.unique(needed)
    best = within(steps[-1])
    if best is None:
        return None
    # The answer is in steps[low..high], and `best` belongs to `high`.
    low, high = 0, len(steps) - 1
    while low < high:
        middle = (low + high) // 2
        found = within(steps[middle])
        if found is None:
            low = middle + 1
        else:
            best, high = found, middle
    return best


def _paying(game: FiniteGame, shares: Array, spans: Array, cost: Array) -> Array | None:
    """The cheapest lottery over the cells of finite cost that pays these shares of each span."""
    from scipy.optimize import linprog

    allowed = np.isfinite(cost)
    rows = np.array([a[allowed] / span for a, span in zip(game.levelled, spans, strict=True)])
    conditions, totals = np.vstack([rows, np.ones(rows.shape[1])]), np.r_[shares, 1.0]
    # The solver's usual tolerance, 1e-7, would let cells pay what they cannot.
    strict = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    found = linprog(cost[allowed], A_eq=conditions, b_eq=totals, method="highs", options=strict)
    if found.x is None:
        if found.status != 2:
            raise ConvergenceError(
                f"the linear program of a lottery was not solved ({found.message}): rescale payoffs."
            )
        return None
    chances = np.where(found.x < FEASIBLE, 0.0, found.x)
    if np.abs(conditions @ chances - totals).max() > rows.shape[1] * FEASIBLE:
        return None
    lottery = np.zeros(game.shape)
    lottery[allowed] = chances / chances.sum()
    return lottery


def _infeasible(game: FiniteGame, payoffs: Array) -> NoReturn:
    """Refuse payoffs, and say between which numbers each can be."""
    low, high = (_given(game, [end(a) for a in game.levelled]) for end in (np.min, np.max))
    ranges = ", ".join(
        f"{p} [{a:g}, {b:g}]" for p, a, b in zip(game.players, low, high, strict=True)
    )
    raise InvalidValueError(
        f"payoffs {payoffs.tolist()} are infeasible: no lottery over cells pays them (each "
        f"alone can be in {ranges})."
    )


# --- The feasible and individually rational set ---------------------------------------------------


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class FeasibleSet(PlainResult):
    """Two players' feasible payoffs: corners in order, those that are individually rational, minmax.

    `corners` and `rational` have shape (corners, 2), counter-clockwise; `rational` may be empty.
    `area` is that of the individually rational part.
    """

    kind: ClassVar[str] = "feasible-set"

    game: FiniteGame
    corners: Array
    rational: Array
    minmax: tuple[float, float]
    area: float

    def headline(self) -> str:
        """One line that says what was found."""
        low, high = self.minmax
        return (
            f"{len(self.corners)} corners of feasible payoffs; individually rational above "
            f"({low:.6g}, {high:.6g}), area {self.area:.4g}"
        )

    def to_frame(self) -> pd.DataFrame:
        """The corners of the feasible set, then those of its individually rational part."""
        import pandas as pd

        players = list(self.game.players)
        parts = {"feasible": self.corners, "individually rational": self.rational}
        frames = {name: pd.DataFrame(part, columns=players) for name, part in parts.items()}
        return pd.concat(frames, names=["set", "corner"])


def feasible_set(game: FiniteGame) -> FeasibleSet:
    """The convex hull of the payoffs, and its part above both (mixed) minmax values.

    By the folk theorem (Fudenberg and Maskin, 1986) every payoff inside that part is sustained by
    patient enough players. Raises `InvalidValueError` for more than two players.
    """
    check_finite_game(game, "feasible_set")
    game.two_players("feasible_set")
    points = np.column_stack([a.ravel() for a in game.levelled])
    hull = convex_hull(points)
    low, high = _floors(game, mixed=True)
    rational = hull
    for axis, floor in ((0, low), (1, high)):
        rational = _clip(rational, axis, floor)
    corners, part = (
        np.array([_given(game, corner) for corner in set_]).reshape(-1, 2)
        for set_ in (hull, rational)
    )
    least, most = _given(game, (low, high))
    return FeasibleSet(game, corners, part, (float(least), float(most)), _area(rational))


def convex_hull(points: Array) -> Array:
    """Corners of the convex hull of points in the plane, counter-clockwise (Andrew, 1979)."""
    ordered = sorted({(float(x), float(y)) for x, y in points})
    if len(ordered) <= 2:
        return np.array(ordered).reshape(-1, 2)

    def half(sequence: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for p in sequence:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], p) <= 0:
                kept.pop()
            kept.append(p)
        return kept

    lower, upper = half(ordered), half(ordered[::-1])
    return np.array(lower[:-1] + upper[:-1])


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _clip(corners: Array, axis: int, floor: float) -> Array:
    """The part of a polygon (or segment, or point) in which one coordinate is at least `floor`."""
    kept: list[Array] = []
    slack = 1e-12 * max(1.0, abs(floor))
    count = len(corners)
    for k in range(count):
        here, after = corners[k], corners[(k + 1) % count]
        if here[axis] >= floor - slack:
            kept.append(here)
        if (here[axis] - floor) * (after[axis] - floor) < 0 and (count > 2 or k == 0):
            share = (floor - here[axis]) / (after[axis] - here[axis])
            kept.append(here + share * (after - here))
    return np.array(kept).reshape(-1, 2)


def _area(corners: Array) -> float:
    if len(corners) < 3:
        return 0.0
    x, y = corners.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)
