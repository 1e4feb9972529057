"""Measures of a solved profile (docs/theory/outcomes): savings, influence, national interest."""

from __future__ import annotations

import math

import numpy as np

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array


def contributions(game: BurdenSharingGame, burdens: Array) -> Array:
    """g_i = e_i Y_i x_i, effective bn US$, shape (n,)."""
    effective: Array = game.by_member("effectiveness") * game.by_member("gdp") * burdens
    return effective


def shortfalls(game: BurdenSharingGame, burdens: Array, demands: Array) -> Array:
    """phi_i(x_i): what is missing of demands, in numbers; any shapes that broadcast to (..., n)."""
    if game.shortfall == "trigger":
        return np.asarray((burdens < demands).astype(np.float64))
    if game.shortfall == "logistic":
        return np.asarray(0.5 * (1 - np.tanh((burdens - demands) / (2 * game.width))))
    return np.asarray(np.maximum(0.0, 1 - burdens / demands))


def tariff_revenue(
    game: BurdenSharingGame, burdens: Array, demands: Array, tariffs: Array
) -> Array:
    """What tariffs bring the leader, a share of its GDP; (..., n) to (...,)."""
    gdp = game.by_member("gdp")
    kept = gdp * (1 - game.deadweight) / gdp[game.members.leader_index]
    levied = tariffs * game.by_member("trade_exposure") * shortfalls(game, burdens, demands)
    return np.asarray((levied * kept).sum(axis=-1))


def allied_burden(game: BurdenSharingGame, burdens: Array) -> float:
    """The allies' spending over their joint GDP."""
    gdp = game.by_member("gdp")
    allies = np.arange(game.size) != game.members.leader_index
    return float((gdp * burdens)[allies].sum() / gdp[allies].sum())


def payoff_worth(game: BurdenSharingGame, burdens: Array) -> Array:
    """What a unit of payoff is worth to each member at these burdens, bn US$ a year, shape (n,).

    To first order: consumption, Y_i (1 - x_i), if it counts in logs, and Y_i if it counts linearly.
    """
    gdp = game.by_member("gdp")
    return np.asarray(gdp * (1 - burdens)) if game.consumption == "log" else gdp


def leader_scale(game: BurdenSharingGame) -> float:
    """e_l Y_l: the leader's effective forces per unit of burden, effective bn US$."""
    lead = game.members.leader_index
    return float(game.by_member("effectiveness")[lead] * game.by_member("gdp")[lead])


def nothing_alone(game: BurdenSharingGame) -> bool:
    """Whether a member whose partners spend nothing has no security at all."""
    return game.substitution < 0 or game.technology == "weakest-link"


def savings(game: BurdenSharingGame, burdens: Array, securities: Array) -> float:
    """Cs = 1 - g_l / S_l: the share of its security that the leader does not pay for.

    nan for substitution < 0 and the weakest link, where standing alone means nothing, and where
    security is zero.
    """
    lead = game.members.leader_index
    if nothing_alone(game) or not securities[lead] > 0:
        return math.nan
    return float(1 - contributions(game, burdens)[lead] / securities[lead])


def influence_worth(game: BurdenSharingGame, influence: float) -> float:
    """alpha_l v(p): what a share of influence is worth to the leader."""
    alpha = float(game.by_member("influence_weight")[game.members.leader_index])
    if alpha == 0:
        return 0.0
    if game.influence_value == "share":
        return alpha * influence
    return alpha * math.log(influence) if influence > 0 else -math.inf


def compensated_savings(
    game: BurdenSharingGame, status_quo_securities: Array, influence: float, payoff: float
) -> float:
    """cs^c: with security held at A's, the savings at which the leader has exactly this payoff.

    Solves c(x) + h ln x = payoff - theta ln S_A - alpha v(I) for the burden x = (1 - cs^c) S_A /
    (e_l Y_l) that pays for the rest. With h = 0 the root is unique and x may be negative (cs^c > 1);
    with h > 0 it is the root on the falling branch, x >= x_hat. nan if there is none, for
    substitution < 0 and for the weakest link. docs/theory/outcomes.
    """
    lead = game.members.leader_index
    security = float(status_quo_securities[lead])
    if nothing_alone(game) or not security > 0:
        return math.nan
    theta = float(game.by_member("security_weight")[lead])
    private = float(game.by_member("private_weight")[lead])
    target = (
        payoff - influence_worth(game, influence) - (theta * math.log(security) if theta else 0.0)
    )
    if not math.isfinite(target):
        return math.nan
    log_form = game.consumption == "log"
    if private == 0:
        burden = -math.expm1(target) if log_form else 1 - target
    else:
        burden = _falling_root(private, target, log_form)
    return float(1 - burden * leader_scale(game) / security)


def _falling_root(private: float, target: float, log_form: bool) -> float:
    """The root of c(x) + h ln x = target on the branch where the left side falls; nan if none."""
    from scipy.optimize import brentq

    def excess(x: float) -> float:
        used = math.log1p(-x) if log_form else 1 - x
        return used + private * math.log(x) - target

    peak = private / (1 + private) if log_form else private
    if excess(peak) < 0:
        return math.nan
    upper = math.nextafter(1.0, 0.0) if log_form else max(2 * peak, 1.0)
    while not log_form and excess(upper) > 0:
        upper *= 2
    if excess(upper) > 0:
        return math.nan
    return float(brentq(excess, peak, upper, xtol=1e-15, rtol=1e-14))


def interest_weight(
    game: BurdenSharingGame, saved: float, influence: float, security: float, curvature: float = 0.0
) -> float:
    """Psi at which the slope of W at A matches the leader's own trade-off there.

    `saved`, `influence` and `security` are the leader's at A. docs/theory/outcomes gives psi for
    Cobb-Douglas (curvature 0), log consumption, log influence and h = 0; this is the same condition
    for every form. 0 if the leader does not value influence, nan where savings are not positive.
    """
    lead = game.members.leader_index
    alpha = float(game.by_member("influence_weight")[lead])
    private = float(game.by_member("private_weight")[lead])
    if alpha == 0:
        return 0.0
    if not (saved > 0 and influence > 0):
        return math.nan
    size = security / leader_scale(game)
    x = (1 - saved) * size
    cost = 1 / (1 - x) if game.consumption == "log" else 1.0
    value_of_savings = size * (cost - (private / x if private else 0.0))
    value_of_influence = alpha / influence if game.influence_value == "log" else alpha
    slope = value_of_savings / value_of_influence
    return float(1 / (1 + slope * (influence / saved) ** (curvature - 1)))


def national_interest(
    weight: float, saved: float, influence: float, curvature: float = 0.0
) -> float:
    """W = (psi I^lambda + (1 - psi) cs^lambda)^(1/lambda); Cobb-Douglas at lambda = 0.

    The essay's two-good form. nan where savings or influence are not positive and a power or a
    logarithm needs them to be.
    """
    if not (saved > 0 and influence > 0):
        return math.nan
    if curvature == 0:
        return float(influence**weight * saved ** (1 - weight))
    total = weight * influence**curvature + (1 - weight) * saved**curvature
    return float(total ** (1 / curvature))
