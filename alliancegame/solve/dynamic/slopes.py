"""Slopes of the leader's stage payoff in threats, trust and its own burden, allies answering.

The implicit function theorem on the allies' conditions, in adjoint form: O(n) a case. Derivatives
come from the one symbolic definition of the payoff. Allies at a bound or on their demand do not move.
In a hub, and under tariffs, the leader's payoff depends on every ally's burden by itself, beside the
aggregates: that is one more term of the source.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from alliancegame.game.parameters import Array
from alliancegame.payoff import bilateral
from alliancegame.payoff.conditions import derivatives
from alliancegame.payoff.form import Form
from alliancegame.solve.dynamic.stage import Stage

TINY = 1e-60
ON_DEMAND = 1e-12
"""Burdens this close to the demand or a bound are on it."""

_ALLY = ("own", "Z", "C", "G", "bite", "umbrella", "weight")
_LEADER = ("total", "Z", "C", "weight", "returned", "share", "revenue")


@dataclasses.dataclass(frozen=True, eq=False)
class Slopes:
    """The leader's payoff, shape (case,), and its slopes.

    `threat` and `trust` have shape (case, n), 0 for the leader: one ally's threat, one ally's operating
    trust. `burden` has shape (case,).
    """

    payoff: Array
    threat: Array
    trust: Array
    burden: Array


def slopes(stage: Stage, threat: Array, trust: Array, burden: Array) -> Slopes:
    """Solve the allies' answers and differentiate the leader's payoff through them.

    `threat` has shape (case, group), `trust` (case, group) as shares of ceilings, `burden` (case,).
    """
    game = stage.game
    allies = stage._allies
    lead = game.members.leader_index
    batch = stage.solve(threat, trust, burden, whole=True)
    n, cases = game.size, len(burden)
    value = {
        name: game.by_member(name)
        for name in (
            "security_weight", "influence_weight", "private_weight", "council_weight", "credibility",
        )
    }  # fmt: skip
    rho, m = game.substitution, game.decisiveness
    scale = game.by_member("effectiveness") * game.by_member("gdp")
    spillin, umbrella = game.congested
    operating = stage.trust_by_member(trust)
    share = game.by_member("gdp")[allies] / game.by_member("gdp")[allies].sum()
    mean = operating[:, allies] @ share
    x = np.maximum(batch.burden, TINY)
    g = scale * x
    Z = (g[:, allies] ** rho).sum(axis=1)
    weight = value["council_weight"][lead] * mean
    C = (value["council_weight"] * g**m)[:, allies].sum(axis=1) + weight * g[:, lead] ** m
    G = g[:, lead]
    believed = np.where(value["security_weight"] > 0, value["credibility"], 0.0)
    bite = np.asarray(threat, dtype=np.float64)
    bite = bite if bite.shape[1] == 1 else bite[:, stage.group[allies]]
    bite = believed[allies] * bite
    demand = stage.demand[allies]
    xa, ga = x[:, allies], g[:, allies]
    below = (xa < demand).astype(np.float64)
    form = stage.form
    alone = _by_ally(stage, form, x, operating[:, allies], below)
    found = derivatives(form, "ally", "marginal", _ALLY)(
        {
            "x": xa, "g": ga, "Z": Z[:, None], "C": C[:, None], "G": G[:, None], "below": below,
            "scale": scale[allies], "theta": value["security_weight"][allies],
            "alpha": value["influence_weight"][allies], "private": value["private_weight"][allies],
            "spillin": spillin[allies], "umbrella": umbrella[allies] * operating[:, allies],
            "bite": bite, "demand": demand, "levy": stage.levy[allies], "width": game.width,
            "weight": operating[:, allies] if form.hub else value["council_weight"][allies],
            "rival": game.by_member("rival_pull")[allies], "rho": rho, "m": m,
        }
    )  # fmt: skip
    shape = (cases, len(allies))
    own, F_Z, F_C, F_G, F_bite, F_umbrella, F_weight = (np.broadcast_to(f, shape) for f in found)
    mine = derivatives(form, "leader", "payoff", _LEADER)(
        {
            "x": x[:, lead], "g": g[:, lead], "Z": Z, "C": C, "scale": scale[lead],
            "theta": value["security_weight"][lead], "alpha": value["influence_weight"][lead],
            "private": value["private_weight"][lead], "weight": weight,
            "returned": game.return_spillin * mean**game.cohesion, "rho": rho, "m": m,
            "share": alone.share, "share_x": alone.share_x, "revenue": alone.revenue,
        }
    )  # fmt: skip
    U_x, U_Z, U_C, U_weight, U_returned, U_share, U_revenue = (
        np.broadcast_to(f, (cases,)) for f in mine
    )
    kinked = ((bite > 0) | (stage.levy[allies] > 0)) & (not form.logistic)
    free = (np.abs(xa - demand) > ON_DEMAND) | ~kinked
    free &= (xa > game.by_member("burden_min")[allies] + ON_DEMAND) & (
        xa < game.by_member("burden_max")[allies] - ON_DEMAND
    )
    inverse = np.where(free, 1 / np.where(own == 0, -1.0, own), 0.0)
    Z_x = rho * ga ** (rho - 1) * scale[allies]
    C_x = value["council_weight"][allies] * m * ga ** (m - 1) * scale[allies]
    direct = U_share[:, None] * alone.share_ally + U_revenue[:, None] * alone.revenue_ally
    a = 1 + (Z_x * F_Z * inverse).sum(axis=1)
    b = (Z_x * F_C * inverse).sum(axis=1)
    c = (C_x * F_Z * inverse).sum(axis=1)
    d = 1 + (C_x * F_C * inverse).sum(axis=1)
    det = a * d - b * c
    by_Z = U_Z - (direct * F_Z * inverse).sum(axis=1)
    by_C = U_C - (direct * F_C * inverse).sum(axis=1)
    v_Z, v_C = (d * by_Z - c * by_C) / det, (a * by_C - b * by_Z) / det
    source = -(v_Z[:, None] * Z_x + v_C[:, None] * C_x + direct) * inverse
    by_threat, by_trust = np.zeros((cases, n)), np.zeros((cases, n))
    by_threat[:, allies] = source * F_bite * believed[allies]
    pull = value["council_weight"][lead] * g[:, lead] ** m
    mean_slope = v_C * pull + U_weight * value["council_weight"][lead]
    if game.cohesion:
        mean_slope = mean_slope + (
            U_returned * game.return_spillin * game.cohesion * mean ** (game.cohesion - 1)
        )
    faced = F_umbrella * umbrella[allies] + (F_weight if form.hub else 0.0)
    by_trust[:, allies] = source * faced + mean_slope[:, None] * share
    by_trust[:, allies] += U_share[:, None] * alone.share_trust
    C_lead = weight * m * g[:, lead] ** (m - 1) * scale[lead]
    by_burden = U_x + (v_C - U_C) * C_lead + (source * F_G).sum(axis=1) * scale[lead]
    return Slopes(batch.leader_payoff, by_threat, by_trust, by_burden)


@dataclasses.dataclass(frozen=True, eq=False)
class _ByAlly:
    """What the leader has of its allies one by one: influence in a hub, revenue of tariffs.

    `share`, `share_x` (its slope in the leader's burden) and `revenue` have shape (case,); slopes in
    an ally's burden (`share_ally`, `revenue_ally`) and trust (`share_trust`) (case, ally).
    """

    share: Array
    share_x: Array
    share_ally: Array
    share_trust: Array
    revenue: Array
    revenue_ally: Array


def _by_ally(stage: Stage, form: Form, x: Array, trust: Array, below: Array) -> _ByAlly:
    """Both parts at burdens x (case, member); zero where the form does not have them."""
    game, allies, lead = stage.game, stage._allies, stage.game.members.leader_index
    gdp, none = game.by_member("gdp"), np.zeros(len(x))
    scale = game.by_member("effectiveness") * gdp
    still = np.zeros(trust.shape)
    share, share_x, share_ally, share_trust = none, none, still, still
    if form.hub:
        omega = gdp[allies] / gdp[allies].sum()
        found = bilateral.contest(form)(
            x[:, [lead]], scale[lead], trust, scale[allies] * x[:, allies],
            game.by_member("rival_pull")[allies], game.decisiveness,
        )  # fmt: skip
        share, share_x = (found.q * omega).sum(axis=1), (found.x * omega).sum(axis=1)
        share_ally, share_trust = found.g * scale[allies] * omega, found.w * omega
    revenue, revenue_ally = none, still
    if form.taxed:
        missed = bilateral.shortfall(form)(x[:, allies], stage.demand[allies], below, game.width)
        kept = stage.levy[allies] * gdp[allies] * (1 - game.deadweight) / gdp[lead]
        revenue, revenue_ally = (missed.value * kept).sum(axis=1), missed.first * kept
    return _ByAlly(share, share_x, share_ally, share_trust, revenue, revenue_ally)
