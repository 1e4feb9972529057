"""The stage game of a plan: what members face once trust has answered to the threat."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alliancegame.payoff.generated import (
        power_m,
        power_rho,
        returned_spillin,
        stationary_trust,
        threat_cost,
        trust_impact,
    )
    from alliancegame.solve.engine.names import (
        ALPHA,
        BITE,
        DEMAND,
        HIGH,
        LOW,
        PRIVATE,
        S_COHESION,
        S_CONTAGION,
        S_CURVATURE,
        S_HORIZON,
        S_LOG_INFLUENCE,
        S_M,
        S_RECOVERY,
        S_RETURN,
        S_RHO,
        S_SCARRING,
        SCALE,
        SINGULAR,
        SPILLIN,
        T_ALPHA,
        T_CEILING,
        T_CREDIBILITY,
        T_DECAY,
        T_HIGH,
        T_LOW,
        T_PRIVATE,
        T_SCALE,
        T_SHARE,
        T_SPILLIN,
        T_THETA,
        T_TRUST,
        T_UMBRELLA,
        T_WEIGHT,
        THETA,
        THREAT,
        TINY,
        UMBRELLA,
        WEIGHT,
        Index,
        Matrix,
        Vector,
    )


def infinite_at_zero(stage: Matrix, i: int, scalars: Vector) -> bool:
    """Whether a member's marginal payoff grows without bound as its burden falls to zero."""
    influence = scalars[S_LOG_INFLUENCE] > 0.0 or scalars[S_M] < 1.0
    return (
        stage[PRIVATE, i] > 0.0
        or (stage[ALPHA, i] > 0.0 and influence)
        or (stage[THETA, i] > 0.0 and scalars[S_RHO] < 1.0)
    )


def long_run_trust(
    initial: float, ceiling: float, impact: float, cost: float, scalars: Vector
) -> float:
    """Trust when allies answer, under a plan kept for ever (MODEL.md section 6)."""
    if scalars[S_SCARRING] > 0.0 and cost > 0.0:
        return 0.0
    if scalars[S_RECOVERY] > 0.0:
        return stationary_trust(impact, scalars[S_RECOVERY], ceiling)
    return initial if impact == 1.0 else 0.0


def assemble(
    table: Matrix,
    scalars: Vector,
    order: Index,
    threat: Vector,
    demand: Vector,
    unharmed: bool,
    stage: Matrix,
    trust: Vector,
) -> tuple[float, float]:
    """Fill the stage game and operating trust by slot; return (mean trust, returned spill-in)."""
    n = order.size
    total_cost = 0.0
    last_threat, last_cost = 0.0, 0.0
    for slot in range(n - 1):
        i = order[slot]
        if threat[i] != last_threat:
            last_threat = threat[i]
            last_cost = threat_cost(last_threat, scalars[S_CURVATURE])
        cost = 0.0 if unharmed else last_cost
        trust[slot] = cost
        total_cost += table[T_SHARE, i] * cost
    mean_trust = 0.0
    last_decay, last_cost, last_others, impact = 0.0, 0.0, 0.0, 1.0
    for slot in range(n - 1):
        i = order[slot]
        cost = trust[slot]
        others = total_cost - table[T_SHARE, i] * cost
        if scalars[S_CONTAGION] == 0.0:
            others = 0.0
        decay = table[T_DECAY, i]
        if decay != last_decay or cost != last_cost or others != last_others:
            last_decay, last_cost, last_others = decay, cost, others
            impact = trust_impact(decay, cost, scalars[S_CONTAGION], others)
        operating = table[T_TRUST, i] * impact
        if scalars[S_HORIZON] > 0.0:
            operating = long_run_trust(
                table[T_TRUST, i], table[T_CEILING, i], impact, cost, scalars
            )
        trust[slot] = operating
        mean_trust += table[T_SHARE, i] * operating
        stage[SCALE, slot] = table[T_SCALE, i]
        stage[THETA, slot] = table[T_THETA, i]
        stage[ALPHA, slot] = table[T_ALPHA, i]
        stage[PRIVATE, slot] = table[T_PRIVATE, i]
        stage[SPILLIN, slot] = table[T_SPILLIN, i]
        stage[UMBRELLA, slot] = table[T_UMBRELLA, i] * operating
        stage[THREAT, slot] = table[T_CREDIBILITY, i] * threat[i]
        stage[BITE, slot] = stage[THREAT, slot] if stage[THETA, slot] > 0.0 else 0.0
        stage[DEMAND, slot] = demand[i]
        stage[WEIGHT, slot] = table[T_WEIGHT, i]
        stage[LOW, slot] = table[T_LOW, i]
        stage[HIGH, slot] = table[T_HIGH, i]
    slot = n - 1
    i = order[slot]
    trust[slot] = mean_trust
    stage[SCALE, slot] = table[T_SCALE, i]
    stage[THETA, slot] = table[T_THETA, i]
    stage[ALPHA, slot] = table[T_ALPHA, i]
    stage[PRIVATE, slot] = table[T_PRIVATE, i]
    stage[SPILLIN, slot] = 0.0
    stage[UMBRELLA, slot] = 0.0
    stage[BITE, slot] = 0.0
    stage[THREAT, slot] = 0.0
    stage[DEMAND, slot] = 1.0
    stage[WEIGHT, slot] = table[T_WEIGHT, i] * mean_trust
    stage[LOW, slot] = table[T_LOW, i]
    stage[HIGH, slot] = table[T_HIGH, i]
    for j in range(n):
        stage[SINGULAR, j] = 1.0 if infinite_at_zero(stage, j, scalars) else 0.0
    return mean_trust, returned_spillin(scalars[S_RETURN], mean_trust, scalars[S_COHESION])


def start(stage: Matrix, x: Vector, n: int) -> None:
    """A first guess: what a member would spend whose own forces were half of its security."""
    for i in range(n):
        pull = stage[PRIVATE, i] + stage[ALPHA, i] + 0.5 * stage[THETA, i]
        x[i] = min(max(pull / (1.0 + pull), stage[LOW, i]), stage[HIGH, i])


def totals(stage: Matrix, x: Vector, n: int, rho: float, m: float) -> tuple[float, float, float]:
    """The aggregates (Z, C, G) of a profile."""
    allied, council = 0.0, 0.0
    for i in range(n - 1):
        g = stage[SCALE, i] * max(x[i], TINY)
        allied += power_rho(g, rho)
        council += stage[WEIGHT, i] * power_m(g, m)
    lead = stage[SCALE, n - 1] * max(x[n - 1], TINY)
    council += stage[WEIGHT, n - 1] * power_m(lead, m)
    return allied, council, lead
