"""Which threats a leader carries out once burdens are sunk (docs/theory/equilibrium, Credible threats).

The leader picks a in {0, 1}^allies. With q_j = c_j tau_j phi_j, A_j = s q_j Y_j / Y_l and
B_j = q_j g_j^rho its payoff depends on two sums,

    f(a) = c(x_l - tariffs - sum a_j A_j) + (theta_l / rho) ln(K - r sum a_j B_j),
    K = g_l^rho + r Z, r = (b_l Tbar^zeta)^rho.

Influence does not depend on executions, and tariffs are collected whatever is executed.

For rho > 0 both terms are concave functions of sums of non-negative numbers, so that f is submodular:
what one more execution gains never rises with the set to which it is added. Hence (Goldengorin et
al. 1999) an ally whose execution gains even beside all others that are still open belongs to an
optimum, and one that loses even beside none of them does not. These rules are applied until they
settle nothing more; what is left is branched on, bounded by f plus the positive gains, so that the
choice is exact. For rho < 0 f rises in both sums, and everything is executed.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import measures

Mask = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, eq=False)
class Stakes:
    """What executions save and cost, in cases of burdens: (case, n), and (case,).

    `left` is the leader's consumption without executions, `strength` K, `rise` its slope in the
    leader's burden, and `returned` r, each (case,), `bite` q;
    `settled` says that nothing is saved and something lost, so that no threat is carried out.
    """

    saved: Array
    lost: Array
    bite: Array
    left: Array
    strength: Array
    rise: Array
    returned: Array
    theta: float
    rho: float
    log: bool
    settled: bool

    def gains(self, sums: tuple[Array, Array], rows: Array | slice = slice(None)) -> Array:
        """What executing each ally gains beside sums (case, n or 1) of what is saved and lost."""
        saved, lost = sums
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.log:
                first = np.log1p(self.saved[rows] / (self.left[rows][:, None] + saved))
            else:
                first = self.saved[rows]
            second = np.zeros_like(first)
            if self.theta > 0:
                returned = self.returned[rows][:, None]
                rest = self.strength[rows][:, None] - returned * lost
                second = self.theta / self.rho * np.log1p(-returned * self.lost[rows] / rest)
                second = np.where(returned * self.lost[rows] == 0, 0.0, second)
        return np.asarray(first + np.where(np.isnan(second), -np.inf, second))

    def worth(self, chosen: Mask) -> Array:
        """f(a) - f(0), (case,)."""
        saved = (self.saved * chosen).sum(axis=1)
        lost = (self.lost * chosen).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            first = np.log1p(saved / self.left) if self.log else saved
            if self.theta > 0:
                gone = np.where(lost > 0, self.returned * lost / self.strength, 0.0)
                first = first + self.theta / self.rho * np.log1p(-gone)
        return np.asarray(first)

    def slope(self, chosen: Mask) -> Array:
        """The derivative of `worth` in the leader's own burden, the choice as it is; (case,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            made = np.zeros(len(self.left))
            if self.log:
                made += 1 / self.left - 1 / (self.left + (self.saved * chosen).sum(axis=1))
            if self.theta > 0:
                rest = self.strength - self.returned * (self.lost * chosen).sum(axis=1)
                made += self.theta / self.rho * self.rise * (1 / rest - 1 / self.strength)
        return np.asarray(made)

    def security(self, chosen: Mask) -> Array:
        """The leader's security without the forces of those it abandons, (case,)."""
        rest = self.strength - self.returned * (self.lost * chosen).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(rest > 0, rest, np.nan if self.rho < 0 else 0.0)) ** (
                1 / self.rho
            )


def stakes_at(game: BurdenSharingGame, plan: Plan, x: Array, mean_trust: float) -> Stakes:
    """What is at stake at burdens of shape (case, n), once trust has answered to the plan."""
    threats, demands, tariffs = (
        getattr(plan, f"{name}_by_member")(game.members)[None]
        for name in ("threat", "demand", "tariff")
    )
    mean = np.full(len(x), mean_trust)
    return stakes_of(game, threats, demands, x, mean, tariffs if plan.taxed else None)


def stakes_of(
    game: BurdenSharingGame,
    threats: Array,
    demands: Array,
    x: Array,
    mean_trust: Array,
    tariffs: Array | None = None,
) -> Stakes:
    """The same under many plans: threats, demands and tariffs (case or 1, n), mean trust (case,)."""
    lead = game.members.leader_index
    allies = np.arange(game.size) != lead
    gdp, rho = game.by_member("gdp"), game.substitution
    shortfall = measures.shortfalls(game, x, demands)
    bite = np.where(allies, threats * game.by_member("credibility") * shortfall, 0.0)
    g = game.by_member("effectiveness") * gdp * np.maximum(x, 1e-60 if rho < 0 else 0.0)
    returned = (game.return_spillin * mean_trust**game.cohesion) ** rho
    theta = float(game.by_member("security_weight")[lead])
    power = g**rho
    left = 1 - x[:, lead]
    if tariffs is not None:
        left = left + measures.tariff_revenue(game, x, demands, tariffs)
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = rho * measures.leader_scale(game) * g[:, lead] ** (rho - 1)
    return Stakes(
        game.execution_saving * bite * gdp / gdp[lead],
        bite * power,
        bite,
        left,
        power[:, lead] + returned * (power * allies).sum(axis=1),
        rise,
        returned,
        theta,
        rho,
        game.consumption == "log",
        never_executed(game),
    )


def never_executed(game: BurdenSharingGame) -> bool:
    """Whether no threat can be credible: nothing is saved, and allied forces are worth something."""
    theta = game.by_member("security_weight")[game.members.leader_index]
    valued = bool(theta * game.return_spillin > 0)
    return game.execution_saving == 0 and valued and game.substitution > 0


def execute(stakes: Stakes) -> Mask:
    """Whom the leader abandons, (case, n): the largest best choice (ties execute), exactly.

    An ally that is not threatened, or meets its demand, counts as executed: nothing happens to it.
    """
    nothing = stakes.bite == 0
    if stakes.settled:
        return np.asarray(nothing)
    if stakes.rho < 0:
        return np.full(stakes.bite.shape, True)
    sure, open_ = nothing, ~nothing
    while True:
        sure, open_, moved = _fixed(stakes, sure, open_)
        if not moved:
            break
    for row in np.flatnonzero(open_.any(axis=1)).tolist():
        _, sure[row] = _branch(_row(stakes, row), sure[row], open_[row])
    return np.asarray(sure)


def _fixed(stakes: Stakes, sure: Mask, open_: Mask) -> tuple[Mask, Mask, bool]:
    """One round of the two rules, on all cases at once."""
    most = sure | open_
    kept_saved = (stakes.saved * most).sum(axis=1, keepdims=True) - stakes.saved
    kept_lost = (stakes.lost * most).sum(axis=1, keepdims=True) - stakes.lost
    takes = open_ & (stakes.gains((kept_saved, kept_lost)) >= 0)
    least = (
        (stakes.saved * sure).sum(axis=1, keepdims=True),
        (stakes.lost * sure).sum(axis=1, keepdims=True),
    )
    drops = open_ & ~takes & (stakes.gains(least) < 0)
    return sure | takes, open_ & ~takes & ~drops, bool(takes.any() or drops.any())


def _row(stakes: Stakes, row: int) -> Stakes:
    changes = {
        name: getattr(stakes, name)[row : row + 1]
        for name in ("saved", "lost", "bite", "left", "strength", "rise", "returned")
    }
    return dataclasses.replace(stakes, **changes)


def _branch(stakes: Stakes, sure: Mask, open_: Mask, floor: float = -np.inf) -> tuple[float, Mask]:
    """The best choice between `sure` and `sure` with all open ones; (-inf, sure) if below `floor`."""
    one, two, moved = sure[None], open_[None], True
    while moved:
        one, two, moved = _fixed(stakes, one, two)
    value = float(stakes.worth(one)[0])
    if not two.any():
        return value, one[0]
    sums = (
        (stakes.saved * one).sum(axis=1, keepdims=True),
        (stakes.lost * one).sum(axis=1, keepdims=True),
    )
    gains = np.where(two, stakes.gains(sums), 0.0)[0]
    if value + np.maximum(gains, 0.0).sum() < floor:
        return -np.inf, one[0]
    j = int(gains.argmax())
    rest = two[0].copy()
    rest[j] = False
    with_j = one[0].copy()
    with_j[j] = True
    best = _branch(stakes, with_j, rest, floor)
    other = _branch(stakes, one[0], rest, max(floor, best[0]))
    return best if best[0] >= other[0] else other
