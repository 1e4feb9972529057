"""The stage game of a plan: what members face once trust has answered to the threat."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alliancegame.payoff.generated import (
        CELL_ROWS,
        HUB,
        LANES,
        TAXED,
        hub_share,
        power_m,
        power_rho,
        returned_spillin,
        shortfall,
        stationary_trust,
        threat_cost,
        trust_impact,
    )
    from alliancegame.solve.engine.names import (
        ALPHA,
        BITE,
        DEMAND,
        FORCES,
        HIGH,
        LEVY,
        LOW,
        PACKED_FROM,
        PRESSED,
        PRIVATE,
        RIVAL,
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
        S_TARIFF_DECAY,
        S_WIDTH,
        SCALE,
        SHARE,
        SINGULAR,
        SPILLIN,
        STAGE_ROWS,
        T_ALPHA,
        T_CEILING,
        T_CREDIBILITY,
        T_DECAY,
        T_EXPOSURE,
        T_HIGH,
        T_LOW,
        T_PRIVATE,
        T_RIVAL,
        T_SCALE,
        T_SHARE,
        T_SPILLIN,
        T_TARIFF,
        T_THETA,
        T_TRADE,
        T_TRUST,
        T_UMBRELLA,
        T_WEIGHT,
        THETA,
        THREAT,
        TINY,
        TRADE,
        UMBRELLA,
        WEIGHT,
        WIDTH,
        Given,
        Index,
        Matrix,
        Vector,
    )


def padded(n: int) -> int:
    """Slots of whole blocks of packed allies."""
    return LANES * ((n + LANES - 1) // LANES)


def rooms(space: Vector, n: int, rows: int) -> tuple[Matrix, Matrix, Matrix, Vector]:
    """The parts of a work space of SPACE_ROWS numbers a member, members counted in whole blocks.

    The stage of n members, what a solution needs beside it, `rows` rows of n numbers, and the rest.
    Python hands the space over: kernels that ask for no memory are compiled in half the time.
    """
    width = padded(n)
    works = STAGE_ROWS * width
    plain = works + (PACKED_FROM + CELL_ROWS) * width
    rest = plain + rows * n
    return (
        space[:works].reshape(STAGE_ROWS, width),
        space[works:plain].reshape(PACKED_FROM + CELL_ROWS, width),
        space[plain:rest].reshape(rows, n),
        space[rest:],
    )


def by_slot(given: Given, order: Index, table: Matrix) -> None:
    """A table (row, member) with its columns by slot: allies in their order, then the leader."""
    for j in range(table.shape[0]):
        for slot in range(order.size):
            table[j, slot] = given[j, order[slot]]


def mark_singular(stage: Matrix, n: int, scalars: Vector) -> None:
    """Mark whose marginal payoff grows without bound as the burden falls to zero."""
    influence = scalars[S_LOG_INFLUENCE] > 0.0 or scalars[S_M] < 1.0
    security = scalars[S_RHO] < 1.0
    for i in range(n):
        infinite = stage[PRIVATE, i] > 0.0
        infinite |= (stage[ALPHA, i] > 0.0) & influence
        infinite |= (stage[THETA, i] > 0.0) & security
        stage[SINGULAR, i] = 1.0 if infinite else 0.0


def long_run_trust(
    initial: float, ceiling: float, impact: float, cost: float, scalars: Vector
) -> float:
    """Trust when allies answer, under a plan kept for ever (docs/theory/model, Trust)."""
    if scalars[S_SCARRING] > 0.0 and cost > 0.0:
        return 0.0
    if scalars[S_RECOVERY] > 0.0:
        return stationary_trust(impact, scalars[S_RECOVERY], ceiling)
    return initial if impact == 1.0 else 0.0


def copy_row(table: Matrix, row: int, stage: Matrix, to: int) -> None:
    """One row of a table into a row of the stage."""
    for i in range(table.shape[1]):
        stage[to, i] = table[row, i]


def lay(table: Matrix, scalars: Vector, stage: Matrix) -> None:
    """The rows of the stage that no plan changes; tables, threats and demands stand by slot."""
    copy_row(table, T_SCALE, stage, SCALE)
    copy_row(table, T_THETA, stage, THETA)
    copy_row(table, T_ALPHA, stage, ALPHA)
    copy_row(table, T_PRIVATE, stage, PRIVATE)
    copy_row(table, T_SPILLIN, stage, SPILLIN)
    copy_row(table, T_WEIGHT, stage, WEIGHT)
    copy_row(table, T_LOW, stage, LOW)
    copy_row(table, T_HIGH, stage, HIGH)
    n = table.shape[1]
    mark_singular(stage, n, scalars)
    lead = n - 1
    stage[SPILLIN, lead] = stage[UMBRELLA, lead] = stage[THREAT, lead] = stage[BITE, lead] = 0.0
    stage[LEVY, lead] = stage[PRESSED, lead] = 0.0
    stage[DEMAND, lead] = 1.0
    for i in range(n):
        stage[WIDTH, i] = scalars[S_WIDTH]
    if HUB or TAXED:
        copy_row(table, T_RIVAL, stage, RIVAL)
        copy_row(table, T_SHARE, stage, SHARE)
        copy_row(table, T_TRADE, stage, TRADE)


def operating_trust(
    table: Matrix,
    scalars: Vector,
    threat: Vector,
    unharmed: bool,
    trust: Vector,
) -> float:
    """Every ally's trust by slot once it has answered to the threat; return its mean, the leader's."""
    n = threat.size
    total_cost = 0.0
    last_threat, last_cost = 0.0, 0.0
    for i in range(n - 1):  # Costs and impacts are powers: members alike share one.
        if threat[i] != last_threat:
            last_threat = threat[i]
            last_cost = threat_cost(last_threat, scalars[S_CURVATURE])
        cost = 0.0 if unharmed else last_cost
        trust[i] = cost
        total_cost += table[T_SHARE, i] * cost
    if scalars[S_CONTAGION] == 0.0:
        total_cost = 0.0
    mean_trust = 0.0
    last_decay, last_cost, last_others, impact = 0.0, 0.0, 0.0, 1.0
    for i in range(n - 1):
        cost, decay = trust[i], table[T_DECAY, i]
        others = total_cost - table[T_SHARE, i] * cost if total_cost > 0.0 else 0.0
        if TAXED:
            tariff = 0.0 if unharmed else table[T_TARIFF, i]
            impact = trust_impact(
                decay, cost, scalars[S_CONTAGION], others, scalars[S_TARIFF_DECAY], tariff
            )
        elif decay != last_decay or cost != last_cost or others != last_others:
            last_decay, last_cost, last_others = decay, cost, others
            impact = trust_impact(decay, cost, scalars[S_CONTAGION], others, 0.0, 0.0)
        operating = table[T_TRUST, i] * impact
        if scalars[S_HORIZON] > 0.0:
            operating = long_run_trust(
                table[T_TRUST, i], table[T_CEILING, i], impact, cost, scalars
            )
        trust[i] = operating
        mean_trust += table[T_SHARE, i] * operating
    trust[n - 1] = mean_trust
    return mean_trust


def press(
    table: Matrix,
    scalars: Vector,
    threat: Vector,
    demand: Vector,
    unharmed: bool,
    stage: Matrix,
    trust: Vector,
) -> tuple[float, float]:
    """What a plan does to a stage that is laid; return (mean trust, returned spill-in)."""
    lead = threat.size - 1
    mean_trust = operating_trust(table, scalars, threat, unharmed, trust)
    for i in range(lead):
        believed = table[T_CREDIBILITY, i] * threat[i]
        stage[UMBRELLA, i] = table[T_UMBRELLA, i] * trust[i]
        stage[THREAT, i] = believed
        bite = believed if stage[THETA, i] > 0.0 else 0.0
        stage[BITE, i] = bite
        stage[DEMAND, i] = demand[i]
        stage[LEVY, i] = table[T_EXPOSURE, i] * table[T_TARIFF, i] if TAXED else 0.0
        stage[PRESSED, i] = 1.0 if bite > 0.0 or stage[LEVY, i] > 0.0 else 0.0
        if HUB:
            stage[WEIGHT, i] = trust[i]
    stage[WEIGHT, lead] = table[T_WEIGHT, lead] * mean_trust
    return mean_trust, returned_spillin(scalars[S_RETURN], mean_trust, scalars[S_COHESION])


def start(stage: Matrix, x: Vector, n: int) -> None:
    """A first guess: what a member would spend whose own forces were half of its security."""
    for i in range(n):
        pull = stage[PRIVATE, i] + stage[ALPHA, i] + 0.5 * stage[THETA, i]
        x[i] = min(max(pull / (1.0 + pull), stage[LOW, i]), stage[HIGH, i])


def observe(stage: Matrix, x: Vector, n: int) -> None:
    """What the leader has to know of every ally, beyond the aggregates: forms beyond the plain ones.

    Each ally's g for the contests of a hub, and the revenue of a tariff in the leader's slot of LEVY.
    """
    if HUB:
        for i in range(n - 1):
            stage[FORCES, i] = stage[SCALE, i] * max(x[i], TINY)
    if TAXED:
        revenue = 0.0
        for i in range(n - 1):
            d = stage[DEMAND, i]
            missed = shortfall(x[i], 1.0 if x[i] < d else 0.0, d, stage[WIDTH, i])
            revenue += stage[LEVY, i] * missed * stage[TRADE, i]
        stage[LEVY, n - 1] = revenue


def contests(stage: Matrix, n: int, x: float, m: float) -> tuple[float, float, float]:
    """The leader's share of influence in a hub, and its derivatives in the leader's burden."""
    share, share_x, share_xx = 0.0, 0.0, 0.0
    if HUB:
        scale = stage[SCALE, n - 1]
        for i in range(n - 1):
            q, q_x, q_xx = hub_share(
                x, scale, stage[WEIGHT, i], stage[FORCES, i], stage[RIVAL, i], m
            )
            share += stage[SHARE, i] * q
            share_x += stage[SHARE, i] * q_x
            share_xx += stage[SHARE, i] * q_xx
    return share, share_x, share_xx


def totals(stage: Matrix, x: Vector, n: int, rho: float, m: float) -> tuple[float, float, float]:
    """The aggregates (Z, C, G) of a profile, which the leader then has observed."""
    if HUB or TAXED:
        observe(stage, x, n)
    allied, council = 0.0, 0.0
    for i in range(n - 1):
        g = stage[SCALE, i] * max(x[i], TINY)
        allied += power_rho(g, rho)
        council += stage[WEIGHT, i] * power_m(g, m)
    lead = stage[SCALE, n - 1] * max(x[n - 1], TINY)
    council += stage[WEIGHT, n - 1] * power_m(lead, m)
    return allied, council, lead
