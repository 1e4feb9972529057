"""What members face under an exact limit of the technology, and what each of them does best.

Arrays have members last, shape (..., n): many profiles are worked on at once. A member's payoff is

    u_i = f_i(x) + theta_i ln S_i(x),    f_i(x) = c(x) + alpha_i v(p_i) + h_i ln x,

and S_i the smallest or the largest of three components: own forces, the other allies' weakest or
strongest contribution times the spill-in, the leader's umbrella. f_i is concave (log influence, or
shares with m <= 1), and so is the logarithm of each component along the own burden: under a
proportional threat the umbrella is the smaller of two affine functions. Hence the smallest makes a
concave payoff, whose best point is where the marginal changes sign; and the largest makes the largest
of three concave payoffs, whose best point is the best of theirs. Nothing is scanned.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import UnsupportedFormError, ZeroTrustError
from alliancegame.game.game import PARAMETERS, BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.extremes.crossing import crossing, sections
from alliancegame.solve.extremes.pieces import Pieces, pieces

OWN, SPILL, UMBRELLA = range(3)
"""The components of security, in this order along a leading axis."""
KINDS = ("own forces", "the other allies", "the leader's umbrella")


@dataclasses.dataclass(frozen=True, eq=False)
class Problem:
    """A game under a plan, as arrays of shape (n,).

    `worth` is b_i r_i; `spill` beta_i, the leader's entry b_l T^zeta; `weight` the council weight, the
    leader's times mean trust; `bite` c_i tau_i; `trust` the operating one. `players` are those who
    choose; a leader whose burden the plan names has it as both bounds.
    """

    game: BurdenSharingGame
    plan: Plan
    pieces: Pieces
    lead: int
    players: NDArray[np.bool_]
    scale: Array
    theta: Array
    alpha: Array
    private: Array
    weight: Array
    spill: Array
    worth: Array
    bite: Array
    demand: Array
    low: Array
    high: Array
    trust: Array

    @property
    def weakest(self) -> bool:
        """Whether the smallest component counts; otherwise the largest does."""
        return self.game.technology == "weakest-link"

    @property
    def size(self) -> int:
        """The number of members."""
        return self.scale.size

    @property
    def log_influence(self) -> bool:
        """Whether influence enters in logs, or nobody values it."""
        return self.game.influence_value == "log" or not self.alpha.any()

    @property
    def pressed(self) -> NDArray[np.bool_]:
        """Allies for whom a threat changes anything within their bounds."""
        return (self.bite > 0) & (self.demand > self.low) & (self.theta > 0)

    # --- What the others bring ---------------------------------------------------------------

    def contributions(self, x: Array) -> Array:
        """g_i = e_i Y_i x_i."""
        return np.asarray(self.scale * x)

    def others_pull(self, x: Array) -> Array:
        """The council's pull without the own one, from both sides: no difference loses digits."""
        pull = self.pieces.pull(self.weight, self.contributions(x), self.game.decisiveness)
        nothing = np.zeros((*pull.shape[:-1], 1))
        before = np.concatenate([nothing, np.cumsum(pull, axis=-1)[..., :-1]], axis=-1)
        after = np.cumsum(pull[..., ::-1], axis=-1)[..., ::-1]
        return np.asarray(before + np.concatenate([after[..., 1:], nothing], axis=-1))

    def others_extreme(self, x: Array) -> Array:
        """The weakest (strongest) contribution of the other allies; infinite (0) if there are none."""
        g = np.array(self.contributions(x))
        sign = 1.0 if self.weakest else -1.0
        g = sign * g
        g[..., self.lead] = np.inf
        at = np.argmin(g, axis=-1)[..., None]
        first = np.take_along_axis(g, at, -1)
        rest = np.array(g)
        np.put_along_axis(rest, at, np.inf, -1)
        second = rest.min(axis=-1)[..., None]
        found = np.where(np.arange(self.size) == at, second, first)
        return np.where(np.isinf(found), np.inf if self.weakest else 0.0, sign * found)

    def spilled(self, x: Array) -> Array:
        """The component that the other allies make."""
        other = self.others_extreme(x)
        with np.errstate(invalid="ignore"):
            made = np.array(self.pieces.spill(self.spill, other))
            made[..., self.lead] = self.pieces.returned(
                self.spill[self.lead], other[..., self.lead]
            )
        made[np.isinf(other)] = np.inf
        return made

    def cover(self, x: Array, lead_x: Any) -> Array:
        """The umbrella at burdens x under a leader's burden `lead_x`; neutral for the leader."""
        force = np.asarray(lead_x)[..., None] * self.scale[self.lead]
        made = np.array(
            self.pieces.umbrella(x, self.worth, force, self.bite, self.demand, self._below(x))
        )
        made[..., self.lead] = np.inf if self.weakest else 0.0
        return made

    def _below(self, x: Array) -> Array:
        """1 where a demand is missed, 0 from it on."""
        return np.asarray((x < self.demand).astype(np.float64))

    def securities(self, x: Array) -> Array:
        """S by member."""
        parts = np.stack(self._components(x, self.spilled(x), x[..., self.lead]))
        return np.asarray(parts.min(axis=0) if self.weakest else parts.max(axis=0))

    def _components(self, x: Array, spilled: Array, lead_x: Any) -> tuple[Array, Array, Array]:
        own = np.asarray(self.pieces.own(self.contributions(x)))
        return own, np.broadcast_to(spilled, own.shape), self.cover(x, lead_x)

    # --- Payoffs -----------------------------------------------------------------------------

    def influences(self, x: Array) -> Array:
        """Influence p by member; shares of the weights if nobody brings anything."""
        pull = self.pieces.pull(self.weight, self.contributions(x), self.game.decisiveness)
        total = pull.sum(axis=-1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = self.pieces.influence(pull, total)
            idle = self.weight / self.weight.sum()
        return np.asarray(np.where(total > 0, shares, idle))

    def payoffs(self, x: Array) -> Array:
        """Payoffs u by member."""
        p = self.influences(x)
        with np.errstate(divide="ignore"):
            value = np.log(p) if self.game.influence_value == "log" else p
            return np.asarray(
                self.pieces.consumption(x)
                + weighed(self.theta, np.log(self.securities(x)))
                + weighed(self.alpha, value)
                + weighed(self.private, self.pieces.private(x))
            )

    def plain(self, x: Array, pull: Array) -> Array:
        """f: the payoff without security, against the others' pull (p is 1 against nobody)."""
        g = self.contributions(x)
        with np.errstate(divide="ignore", invalid="ignore"):
            esteem = self.pieces.esteem(g, pull, self.weight, self.game.decisiveness)
            alone = 0.0 if self.game.influence_value == "log" else 1.0
            esteem = np.where(pull > 0, esteem, alone)
            return np.asarray(
                self.pieces.consumption(x)
                + weighed(self.alpha, esteem)
                + weighed(self.private, self.pieces.private(x))
            )

    def plain_slope(self, x: Array, pull: Array) -> Array:
        """The slope of f in the own burden."""
        g = self.contributions(x)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            esteem = self.pieces.esteem_slope(g, pull, self.weight, self.game.decisiveness)
            esteem = np.where((pull > 0) & ~np.isnan(esteem), esteem * self.scale, 0.0)
            return np.asarray(
                self.pieces.consumption_slope(x)
                + weighed(self.alpha, esteem)
                + weighed(self.private, self.pieces.private_slope(x))
            )

    def security_slope(self, x: Array, kind: int) -> Array:
        """The slope to the right, times theta, of the logarithm of one component."""
        with np.errstate(divide="ignore", over="ignore"):
            if kind == OWN:
                return weighed(self.theta, 1.0 / x)
            if kind == SPILL:
                return np.zeros_like(x)
            rate = self.pieces.cover_slope(x, self.bite, self.demand, self._below(x))
            slope = np.array(np.broadcast_to(rate, x.shape))
            slope[..., self.lead] = 0.0
            return weighed(self.theta, slope)

    # --- Best replies --------------------------------------------------------------------------

    def best_plain(self, pull: Array, kind: int) -> Array:
        """The best burden if one component is all there is to security: f + theta ln(component).

        It depends on the others through their pull alone.
        """
        return self.peak(
            lambda x: self.plain_slope(x, pull) + self.security_slope(x, kind), pull.shape
        )

    def best_in_role(self, pull: Array, kind: NDArray[np.int64]) -> Array:
        """The same with a component for each member, shape (n,)."""
        umbrella = bool((kind == UMBRELLA).any())

        def slope(x: Array) -> Array:
            gain = np.where(kind == OWN, self.security_slope(x, OWN), 0.0)
            if umbrella:
                gain = np.where(kind == UMBRELLA, self.security_slope(x, UMBRELLA), gain)
            return self.plain_slope(x, pull) + gain

        return self.peak(slope, pull.shape)

    def peak(self, slope: Any, shape: tuple[int, ...], first: Array | None = None) -> Array:
        """Where slopes (to the right, falling) change sign between the bounds, to a few last places.

        Exactly at a demand if it is there. `first` has the points at which to look first, (k, *shape).
        """
        low, high = (np.broadcast_to(end, shape) for end in (self.low, self.high))
        return crossing(slope, low, high, self.first(shape) if first is None else first)

    def first(self, shape: tuple[int, ...], *more: Array) -> Array:
        """Burdens at which to look first for a peak if nothing is known, with `more`, (k, *shape)."""
        kinks = (np.nextafter(self.demand, 0.0), self.demand, *more)
        known = np.stack([np.broadcast_to(kink, shape) for kink in kinks])
        return np.concatenate([sections(self.low, self.high, shape), known])

    def replies(self, x: Array) -> tuple[Array, Array]:
        """Every member's best burden against the others', and its payoff there; global, and proved.

        A leader whose burden the plan names keeps it.
        """
        pull, spilled, lead_x = self.others_pull(x), self.spilled(x), x[..., self.lead]
        if self.weakest:
            reply = self.peak(lambda y: self._weakest_slope(y, pull, spilled, lead_x), x.shape)
            value = self._value(reply, pull, spilled, lead_x, None)
        else:
            tries = [self.best_plain(pull, kind) for kind in range(3)]
            values = [self._value(y, pull, spilled, lead_x, kind) for kind, y in enumerate(tries)]
            best = np.argmax(values, axis=0)[None]
            reply = np.take_along_axis(np.array(tries), best, 0)[0]
            value = np.take_along_axis(np.array(values), best, 0)[0]
        return np.where(self.players, reply, x), np.where(self.players, value, self.payoffs(x))

    def _weakest_slope(self, y: Array, pull: Array, spilled: Array, lead_x: Any) -> Array:
        parts = np.stack(self._components(y, spilled, lead_x))
        slopes = np.stack([self.security_slope(y, kind) for kind in range(3)])
        binding = parts == parts.min(axis=0)
        least: Array = np.where(binding, slopes, np.inf).min(axis=0)
        return self.plain_slope(y, pull) + least

    def _value(self, y: Array, pull: Array, spilled: Array, lead_x: Any, kind: int | None) -> Array:
        """The payoff at own burdens y if one component counts; if None, the smallest."""
        parts = self._components(y, spilled, lead_x)
        with np.errstate(divide="ignore"):
            security = np.log(np.stack(parts).min(axis=0) if kind is None else parts[kind])
        return self.plain(y, pull) + weighed(self.theta, security)

    def gains(self, x: Array) -> Array:
        """What each member could gain at most, shape (n,); infinite for a player without a payoff."""
        here = self.payoffs(x)
        _, best = self.replies(x)
        with np.errstate(invalid="ignore"):
            gain = np.where(self.players, np.maximum(best - here, 0.0), 0.0)
        return np.where(self.players & ~np.isfinite(here), np.inf, gain)


def weighed(weight: Array, value: Any) -> Array:
    """The term weight * value; one whose weight is zero is absent, whatever its value."""
    with np.errstate(invalid="ignore"):
        return np.where(weight > 0, weight * value, 0.0)


def check_forms(game: BurdenSharingGame, plan: Plan, function: str) -> None:
    """Refuse what these solvers are not written for. Raises `UnsupportedFormError`."""
    refused = []
    valued = game.by_member("influence_weight").any()
    if game.influence != "council":  # Even if nobody values it: results report it.
        refused.append(f'influence="{game.influence}" (use "council")')
    if game.influence_value == "share" and game.decisiveness > 1 and valued:
        refused.append(
            'influence_value="share" with decisiveness > 1 (payoffs are not concave then)'
        )
    if game.shortfall != "proportional" and plan.pressure:
        refused.append(f'shortfall="{game.shortfall}" (use "proportional")')
    if plan.taxed:
        refused.append("a tariff (leave it at 0)")
    if refused:
        raise UnsupportedFormError(
            f"{function} with technology={game.technology!r} is not written for "
            f"{', '.join(refused)}."
        )


def operating_trust(game: BurdenSharingGame, plan: Plan) -> Array:
    """Trust by ally once it has answered the plan, the mean at the leader's place; shape (n,).

    The trust law knows nothing of the forms of the payoff: the kernels' own is asked, with the usual
    forms, so that no others need be compiled for it.
    """
    defaults = {
        name: PARAMETERS[name].default
        for name in (
            "technology", "shortfall", "influence", "influence_value", "consumption", "decisiveness",
            "burden_min", "burden_max",
        )
    }  # fmt: skip
    half = np.full(game.size, PARAMETERS["burden_max"].default / 2)
    return aggregative.best_deviations(game.replace(**defaults), half, plan).trust


def problem(game: BurdenSharingGame, plan: Plan, function: str = "solve_nash") -> Problem:
    """The problem of a game under a plan.

    Raises `UnsupportedFormError` for forms that are not covered, and `ZeroTrustError` if trust has
    gone and the leader values influence in logs.
    """
    check_forms(game, plan, function)
    lead = game.members.leader_index
    trust = operating_trust(game, plan)
    alpha = game.by_member("influence_weight")
    plays = plan.burden is None
    if trust[lead] == 0 and alpha[lead] > 0 and game.influence_value == "log" and plays:
        raise ZeroTrustError(
            f"trust of every ally is zero under {plan.describe()} (horizon={game.horizon!r}), and "
            f"{game.leader} values influence in logs: its payoff is minus infinity. Lower the threat "
            'or decay, raise recovery, or use influence_value="share".'
        )
    spillin, umbrella = game.congested
    spill = np.array(spillin)
    spill[lead] = game.return_spillin * trust[lead] ** game.cohesion
    weight = np.array(game.by_member("council_weight"))
    weight[lead] *= trust[lead]
    players = np.full(game.size, True)
    players[lead] = plays
    low, high = np.array(game.by_member("burden_min")), np.array(game.by_member("burden_max"))
    if plan.burden is not None:
        low[lead] = high[lead] = plan.burden
    return Problem(
        game,
        plan,
        pieces(game.consumption, game.influence_value),
        lead,
        players,
        game.by_member("effectiveness") * game.by_member("gdp"),
        game.by_member("security_weight"),
        alpha,
        game.by_member("private_weight"),
        weight,
        spill,
        umbrella * trust,
        plan.threat_by_member(game.members) * game.by_member("credibility"),
        plan.demand_by_member(game.members),
        low,
        high,
        trust,
    )
