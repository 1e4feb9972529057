"""What Python calls: many scenarios in a row, and one given profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import math

    from alliancegame.solve.engine.deviations import (
        describe,
        deviations,
        member_value,
        searched_regret,
    )
    from alliancegame.solve.engine.names import (
        ALPHA,
        DEMAND,
        FAILED,
        HIGH,
        I_LEADER_MARGINAL,
        I_LEADER_PAYOFF,
        I_MEAN_TRUST,
        I_REGRET,
        I_STATUS,
        I_STEPS,
        I_WORST,
        LOW,
        S_CONCAVE,
        S_LOG_INFLUENCE,
        S_M,
        S_RHO,
        ZERO_TRUST,
        Given,
        Index,
        Matrix,
        Vector,
    )
    from alliancegame.solve.engine.newton import leader_at
    from alliancegame.solve.engine.safeguard import equilibrium, marginal
    from alliancegame.solve.engine.stage import (
        by_slot,
        lay,
        press,
        rooms,
        start,
        totals,
    )


def change(table: Matrix, row: int, member: int, leader: int, value: float) -> None:
    """Put a value in the table by slot for one member, or for all if the member is negative."""
    if member == leader:
        table[row, table.shape[1] - 1] = value
    elif member >= 0:
        table[row, member - 1 if member > leader else member] = value
    else:
        for i in range(table.shape[1]):
            table[row, i] = value


def blank(rows: Matrix, row: int) -> None:
    """No answer: a row of nan."""
    for j in range(rows.shape[1]):
        rows[row, j] = math.nan


def as_far(a: float, b: float, c: float) -> bool:
    """Whether three numbers are equally spaced, to rounding."""
    return abs((a - b) - (b - c)) <= 1e-9 * (abs(a) + abs(b) + abs(c))


def equal_steps(threats: Given, demands: Given, burdens: Given, values: Given, s: int) -> bool:
    """Whether scenario s is as far from the one before it as that one was from its own."""
    n = threats.shape[1]
    for i in (0, n - 1):
        if not as_far(threats[s, i], threats[s - 1, i], threats[s - 2, i]):
            return False
        if not as_far(demands[s, i], demands[s - 1, i], demands[s - 2, i]):
            return False
    for j in range(values.shape[1]):
        if not as_far(values[s, j], values[s - 1, j], values[s - 2, j]):
            return False
    if math.isfinite(burdens[s]):
        return as_far(burdens[s], burdens[s - 1], burdens[s - 2])
    return not math.isfinite(burdens[s - 1]) and not math.isfinite(burdens[s - 2])


def solve_batch(
    tables: Given,
    scalars: Given,
    order: Index,
    threats: Given,
    demands: Given,
    burdens: Given,
    places: Index,
    values: Given,
    unharmed: bool,
    warm: bool,
    safeguard_only: bool,
    search: bool,
    tolerance: float,
    profile: Given,
    payoff: Given,
    influence: Given,
    security: Given,
    trust: Given,
    info: Given,
    space: Vector,
) -> None:
    """Solve every scenario s; arrays are (scenario, member), and inputs may be broadcast views.

    A finite `burdens[s]` holds the leader's burden fixed; nan lets it play simultaneously. Change j
    puts `values[s, j]` in row `places[j, 0]` of the table, for member `places[j, 1]` or (-1) for all.
    Outputs of one row are work space only (the caller wants `info` alone). `warm` starts each
    scenario from the one before it, extrapolated where scenarios move in equal steps. `search`
    replaces the bound on regret by a search of every piece. `space` is work space (see `rooms`) that
    Python keeps from one call to the next.
    """
    count, n = threats.shape
    k = n - 1
    rows = tables.shape[1]
    stage, work, plain, numbers = rooms(space, n, rows + 6)
    table = plain[:rows]
    threat, demand, x = plain[rows], plain[rows + 1], plain[rows + 2]
    slot_trust, last, before = plain[rows + 3], plain[rows + 4], plain[rows + 5]
    whole = profile.shape[0] == count
    known = 0
    one_table = tables.strides[0] == 0 and scalars.strides[0] == 0
    for s in range(count):
        row = s if whole else 0
        rho, m = scalars[s, S_RHO], scalars[s, S_M]
        for i in range(n):
            member = order[i]
            threat[i], demand[i] = threats[s, member], demands[s, member]
        fresh = s == 0 or not one_table
        if fresh:
            by_slot(tables[s], order, table)
            for j in range(scalars.shape[1]):
                numbers[j] = scalars[s, j]
        for j in range(places.shape[0]):
            change(table, places[j, 0], places[j, 1], order[k], values[s, j])
        if fresh or places.shape[0] > 0:
            lay(table, numbers, stage)
        mean_trust, returned = press(table, numbers, threat, demand, unharmed, stage, slot_trust)
        leader_free = not math.isfinite(burdens[s])
        if mean_trust <= 0.0 and stage[ALPHA, k] > 0.0 and scalars[s, S_LOG_INFLUENCE] > 0.0:
            blank(info, s)
            info[s, I_STATUS] = ZERO_TRUST
            for output in (profile, payoff, influence, security, trust):
                blank(output, row)
            known = 0
            continue
        if not warm or known == 0:
            start(stage, x, n)
        elif known >= 2 and equal_steps(threats, demands, burdens, values, s):
            for i in range(n):
                ahead = 2.0 * last[i] - before[i]
                x[i] = min(max(ahead, 0.5 * last[i]), 2.0 * last[i])
        for i in range(n):
            x[i] = min(max(x[i], stage[LOW, i]), stage[HIGH, i])
        if not leader_free:
            x[k] = burdens[s]
        status, steps, gain, worst = equilibrium(
            stage, x, n, returned, rho, m, leader_free, work, safeguard_only, tolerance
        )
        if search:
            gain, worst = searched_regret(stage, x, n, returned, rho, m, leader_free)
        known = known + 1 if status != FAILED else 0
        for i in range(n):
            before[i], last[i] = last[i], x[i]
        Z, C, G = totals(stage, x, n, rho, m)
        info[s, I_STATUS] = status
        info[s, I_STEPS] = steps
        info[s, I_REGRET] = gain
        info[s, I_WORST] = order[worst]
        info[s, I_MEAN_TRUST] = mean_trust
        info[s, I_LEADER_MARGINAL] = leader_at(stage, n, x[k], Z, C, returned, rho, m)[0]
        info[s, I_LEADER_PAYOFF] = member_value(stage, k, n, x[k], Z, C, G, returned, rho, m)
        if whole:
            for i in range(n):
                profile[row, order[i]] = x[i]
                trust[row, order[i]] = slot_trust[i]
            describe(
                stage, x, n, returned, rho, m, payoff[row], influence[row], security[row], order
            )


def laid(
    given: Given,
    scalars: Given,
    order: Index,
    threat: Given,
    demand: Given,
    burden: Given,
    unharmed: bool,
    stage: Matrix,
    plain: Matrix,
    numbers: Vector,
) -> float:
    """The stage of one plan, from what Python gives by member; return the returned spill-in.

    `plain` has room for the table and four rows more: threats, demands, burdens and trust by slot.
    """
    n, rows = order.size, given.shape[0]
    table, threats = plain[:rows], plain[rows]
    by_slot(given, order, table)
    for j in range(scalars.size):
        numbers[j] = scalars[j]
    for i in range(n):
        member = order[i]
        threats[i], plain[rows + 1, i] = threat[member], demand[member]
        plain[rows + 2, i] = burden[member]
    lay(table, numbers, stage)
    return press(table, numbers, threats, plain[rows + 1], unharmed, stage, plain[rows + 3])[1]


def profile_marginals(
    table: Given,
    scalars: Given,
    order: Index,
    threat: Given,
    demand: Given,
    burden: Given,
    result: Given,
    space: Vector,
) -> None:
    """Marginal payoffs of all members at a profile, in member order."""
    n, rows = burden.size, table.shape[0]
    stage, _, plain, numbers = rooms(space, n, rows + 4)
    returned = laid(table, scalars, order, threat, demand, burden, False, stage, plain, numbers)
    x = plain[rows + 2]
    rho, m = numbers[S_RHO], numbers[S_M]
    Z, C, G = totals(stage, x, n, rho, m)
    for i in range(n):
        below = 1.0 if x[i] < stage[DEMAND, i] else 0.0
        result[order[i]] = marginal(stage, i, n, x[i], below, Z, C, G, returned, False, rho, m)


def certify_profile(
    table: Given,
    scalars: Given,
    order: Index,
    threat: Given,
    demand: Given,
    burden: Given,
    leader_free: bool,
    unharmed: bool,
    points: int,
    gains: Given,
    replies: Given,
    payoff: Given,
    influence: Given,
    security: Given,
    trust: Given,
    space: Vector,
) -> None:
    """Payoffs and every member's best deviation at a given profile, from wherever it comes.

    `points` is the resolution of the scan where payoffs are not concave.
    """
    n, rows = burden.size, table.shape[0]
    stage, work, plain, numbers = rooms(space, n, rows + 6)
    returned = laid(table, scalars, order, threat, demand, burden, unharmed, stage, plain, numbers)
    x, slot_trust = plain[rows + 2], plain[rows + 3]
    slot_gains, slot_replies = plain[rows + 4], plain[rows + 5]
    rho, m = numbers[S_RHO], numbers[S_M]
    concave = numbers[S_CONCAVE] > 0.0
    deviations(
        stage,
        x,
        n,
        returned,
        rho,
        m,
        leader_free,
        concave,
        points,
        slot_gains,
        slot_replies,
        work,
    )
    describe(stage, x, n, returned, rho, m, payoff, influence, security, order)
    for i in range(n):
        gains[order[i]], replies[order[i]] = slot_gains[i], slot_replies[i]
        trust[order[i]] = slot_trust[i]
