"""The terms of the model, each a small symbolic expression (docs/theory/model).

This is the one definition of the payoff. Solvers, batch kernels, LaTeX and the independent checker
are derived from it; a test holds it against a payoff written by hand.

Each function takes SymPy expressions (or numbers) and returns one. `x` is a burden (defence
spending / GDP), `g` a contribution (effective bn US$).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

Expr = Any
"""A SymPy expression; SymPy ships no types that strict checking could use."""


def consumption(form: str, used: Expr) -> Expr:
    """c(used): utility of the share of GDP that is left. docs/theory/model."""
    return sp.log(1 - used) if form == "log" else 1 - used


def ally_security(g: Expr, others: Expr, umbrella: Expr, spillin: Expr, rho: Expr) -> Expr:
    """S_i^rho of an ally: own forces, spill-ins of the other allies, the leader's umbrella.

    `others` is the sum of g_j^rho over the other allies; `umbrella` is (b_i R_i g_l)^rho.
    docs/theory/model, Security.
    """
    return g**rho + spillin**rho * others + umbrella


def umbrella_worth(umbrella: Expr, reliability: Expr, leader: Expr, rho: Expr) -> Expr:
    """(b_i r_i * R * g_l)^rho, operating trust in b_i r_i; factor by factor, so that zeros stay exact."""
    return umbrella**rho * reliability**rho * leader**rho


def leader_security(g: Expr, allied: Expr, returned: Expr, rho: Expr) -> Expr:
    """S_l^rho of the leader; `returned` is b_l Tbar^zeta. docs/theory/model, Security."""
    return g**rho + returned**rho * allied


def returned_spillin(return_spillin: Expr, mean_trust: Expr, cohesion: Expr) -> Expr:
    """b_l Tbar^zeta: how far allied forces protect a leader whom allies trust Tbar."""
    return return_spillin * mean_trust**cohesion


def weakest_link(components: Sequence[Expr]) -> Expr:
    """S as the smallest of its components (own forces, spill-ins, umbrella): rho to minus infinity."""
    return sp.Min(*components)


def best_shot(components: Sequence[Expr]) -> Expr:
    """S as the largest of its components: rho to infinity."""
    return sp.Max(*components)


def hub_contest(trust: Expr, leader: Expr, g: Expr, rival: Expr, m: Expr) -> Expr:
    """D_i of an ally's contest with the leader: r_i g_l^m + g_i^m + s_i. docs/theory/model, Influence."""
    return trust * leader**m + g**m + rival


def hub_influence(pull: Expr, contest: Expr) -> Expr:
    """A share of a bilateral contest: the leader's q_i (pull r_i g_l^m) or the ally's own (g_i^m)."""
    return pull / contest


def council_pull(weight: Expr, g: Expr, m: Expr) -> Expr:
    """t_i g_i^m: what a member brings to the council. docs/theory/model, Influence."""
    return weight * g**m


def council_influence(pull: Expr, total: Expr) -> Expr:
    """p_i: a member's share of the council. docs/theory/model, Influence."""
    return pull / total


def influence_value(form: str, influence: Expr) -> Expr:
    """v(p): ln p, or p itself."""
    return sp.log(influence) if form == "log" else influence


def private_benefit(x: Expr) -> Expr:
    """Ln x: the country-specific (joint-product) benefit."""
    return sp.log(x)


def proportional_shortfall(x: Expr, demand: Expr, below: Expr) -> Expr:
    """max(0, 1 - x/d) on the piece that `below` (1 under the demand, 0 above it) selects. Section 5."""
    return below * (1 - x / demand)


def trigger_shortfall(below: Expr) -> Expr:
    """1 under the demand, 0 from it on: `below` itself. docs/theory/model, Pressure."""
    return below


def logistic_shortfall(x: Expr, demand: Expr, width: Expr) -> Expr:
    """1 / (1 + exp((x - d) / width)), smooth around the demand. docs/theory/model, Pressure.

    Written with the hyperbolic tangent, which is the same and does not overflow far above the demand.
    """
    return (1 - sp.tanh((x - demand) / (2 * width))) / 2


def tariff_losses(levy: Expr, shortfall: Expr) -> Expr:
    """losses_i = chi_i T_i phi_i, a share of the ally's GDP; `levy` is chi_i T_i."""
    return levy * shortfall


def tariff_revenue(losses: Expr, gdp: Expr, deadweight: Expr, leader_gdp: Expr) -> Expr:
    """What an ally's losses add to the leader's consumption, a share of the leader's GDP."""
    return losses * gdp * (1 - deadweight) / leader_gdp


def reliability(bite: Expr, shortfall: Expr) -> Expr:
    """R_i / r_i = 1 - c_i tau_i phi_i: what a threat leaves. docs/theory/model, Pressure."""
    return 1 - bite * shortfall


def threat_cost(threat: Expr, curvature: Expr) -> Expr:
    """tau^nu: what a threat weighs in the trust law. docs/theory/model, Trust."""
    return threat**curvature


def trust_impact(
    decay: Expr,
    cost: Expr,
    contagion: Expr,
    others_cost: Expr,
    tariff_decay: Expr = 0,
    tariff: Expr = 0,
) -> Expr:
    """E_i: the factor by which trust falls on impact; `others_cost` sums omega_j tau_j^nu over j != i."""
    return sp.exp(-decay * cost - contagion * others_cost - tariff_decay * tariff)


def trust_recovery(trust: Expr, recovery: Expr, ceiling: Expr) -> Expr:
    """r'_i: next period's trust from the trust that operated in this one."""
    return trust + recovery * (ceiling - trust)


def stationary_trust(impact: Expr, recovery: Expr, ceiling: Expr) -> Expr:
    """Trust when allies answer, under a plan kept for ever, recovery > 0: the fixed point of the law."""
    return impact * recovery * ceiling / (1 - (1 - recovery) * impact)


def recovery_pace(standing: Expr, threshold: Expr, sharpness: Expr) -> Expr:
    """How quickly trust recovers that stands at `standing` shares of its ceiling, relative to mu.

    Convex at first, then concave (a Hill function), half at the threshold. docs/theory/dynamics.
    """
    return standing**sharpness / (standing**sharpness + threshold**sharpness)


def composed_trust(institutional: Expr, personal: Expr, share: Expr) -> Expr:
    """Trust in the state and in the person who leads it: r = (r^I)^w (r^P)^(1 - w). Section 6."""
    return institutional**share * personal ** (1 - share)
