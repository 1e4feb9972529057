"""The leader's best plan by scenario: cover (threat, burden), then climb from the best peaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import math

    from alliancegame.solve.engine.batch import blank, change
    from alliancegame.solve.engine.deviations import describe, member_value
    from alliancegame.solve.engine.names import (
        ALPHA,
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
        S_LOG_INFLUENCE,
        S_M,
        S_RHO,
        T_HIGH,
        T_LOW,
        ZERO_TRUST,
        Given,
        Index,
        Matrix,
        Vector,
    )
    from alliancegame.solve.engine.newton import leader_at
    from alliancegame.solve.engine.safeguard import equilibrium
    from alliancegame.solve.engine.stage import (
        by_slot,
        lay,
        press,
        rooms,
        start,
        totals,
    )

COARSE = 1e-8  # Tolerance of the responses that only rank plans; an error e in x costs e^2 ... e.
FINEST = 1e-4  # Of the range of threats: a fit at this spacing is exact to its square.
SLIGHT = 1e-12  # Second differences of payoff that no kink need explain.
PLAN_THREAT, PLAN_BURDEN, PLAN_GAP, PLAN_EVALUATIONS = range(4)
# Rows of work space, each as long as there are members: what is kept by slot, and pairs of numbers
# (of a threat and a burden, or of two sides).
L_X, L_DEMAND, L_THREAT, L_TRUST, L_BEFORE, L_PLAN, L_TRIAL, L_SPANS = range(8)
L_HERE, L_SPAN, L_CENTRE, L_TOPS, L_PLACES, L_LIMITS, L_UPPER, LEADER_ROWS = range(8, 16)


def announce(
    table: Matrix,
    scalars: Vector,
    level: float,
    threat: Vector,
    demand: Vector,
    stage: Matrix,
    trust: Vector,
) -> tuple[float, float, bool]:
    """The stage of a uniform threat: (mean trust, returned spill-in, whether the leader can bear it)."""
    n = demand.size
    for i in range(n):
        threat[i] = level
    threat[n - 1] = 0.0
    mean_trust, returned = press(table, scalars, threat, demand, False, stage, trust)
    lost = mean_trust <= 0.0 and stage[ALPHA, n - 1] > 0.0 and scalars[S_LOG_INFLUENCE] > 0.0
    return mean_trust, returned, not lost


def answer(
    stage: Matrix,
    x: Vector,
    n: int,
    burden: float,
    returned: float,
    rho: float,
    m: float,
    work: Matrix,
    tolerance: float,
) -> float:
    """The leader's payoff when the allies answer its burden (from the start in x); nan if they do not."""
    for i in range(n):
        x[i] = min(max(x[i], stage[LOW, i]), stage[HIGH, i])
    x[n - 1] = burden
    status, _, _, _ = equilibrium(stage, x, n, returned, rho, m, False, work, False, tolerance)
    if status == FAILED:
        start(stage, x, n)
        return math.nan
    Z, C, G = totals(stage, x, n, rho, m)
    return member_value(stage, n - 1, n, burden, Z, C, G, returned, rho, m)


def cover(
    table: Matrix,
    scalars: Vector,
    threats: Vector,
    burdens: Vector,
    demand: Vector,
    stage: Matrix,
    x: Vector,
    work: Matrix,
    rows: Matrix,
    values: Matrix,
) -> int:
    """The leader's payoff on the whole grid (threat, burden), nan as -inf; return how many failed."""
    n = demand.size
    rho, m = scalars[S_RHO], scalars[S_M]
    threat, trust, before = rows[L_THREAT], rows[L_TRUST], rows[L_BEFORE]
    failed = 0
    for a in range(threats.size):
        _, returned, bearable = announce(table, scalars, threats[a], threat, demand, stage, trust)
        if not bearable:
            for b in range(burdens.size):
                values[a, b] = -math.inf
            failed += burdens.size
            continue
        start(stage, x, n)
        for b in range(burdens.size):
            if b >= 2:
                ratio = (burdens[b] - burdens[b - 1]) / (burdens[b - 1] - burdens[b - 2])
                for i in range(n):
                    ahead = x[i] + ratio * (x[i] - before[i])
                    before[i] = x[i]
                    x[i] = min(max(ahead, 0.5 * before[i]), 2.0 * before[i])
            else:
                for i in range(n):
                    before[i] = x[i]
            value = answer(stage, x, n, burdens[b], returned, rho, m, work, COARSE)
            if math.isfinite(value):
                values[a, b] = value
            else:
                values[a, b] = -math.inf
                failed += 1
    return failed


def bend_at(values: Matrix, axis: Vector, p: int, q: int, along_threat: bool) -> float:
    """|second derivative| at a grid point along one axis, 0 where a neighbour is missing."""
    k = p if along_threat else q
    k = min(max(k, 1), axis.size - 2)
    if along_threat:
        left, here, right = values[k - 1, q], values[k, q], values[k + 1, q]
    else:
        left, here, right = values[p, k - 1], values[p, k], values[p, k + 1]
    if not (math.isfinite(left) and math.isfinite(here) and math.isfinite(right)):
        return 0.0
    after, before = axis[k + 1] - axis[k], axis[k] - axis[k - 1]
    return abs(((right - here) / after - (here - left) / before) / (0.5 * (after + before)))


def hidden(values: Matrix, threats: Vector, burdens: Vector, best: float) -> float:
    """What the grid could hide beyond the best plan, by second differences; see solve.leader.search."""
    most = 0.0
    for a in range(threats.size - 1):
        for b in range(burdens.size - 1):
            top = max(values[a, b], values[a + 1, b], values[a, b + 1], values[a + 1, b + 1])
            if not math.isfinite(top):
                continue
            bend = 0.0
            for p in (a, a + 1):
                for q in (b, b + 1):
                    bend = max(bend, bend_at(values, threats, p, q, True))
            rise = bend * (threats[a + 1] - threats[a]) ** 2
            bend = 0.0
            for p in (a, a + 1):
                for q in (b, b + 1):
                    bend = max(bend, bend_at(values, burdens, p, q, False))
            rise += bend * (burdens[b + 1] - burdens[b]) ** 2
            most = max(most, top + rise / 8.0 - best)
    return most


def top_of_fit(
    v: Matrix, left: float, right: float, below: float, above: float
) -> tuple[float, float]:
    """Where the quadratic through 3x3 points is highest in a box, in units of their spacing.

    Where it is not concave in threats, the best column's own top; nan if it is not concave in burdens.
    """
    fx, fy = 0.5 * (v[2, 1] - v[0, 1]), 0.5 * (v[1, 2] - v[1, 0])
    fxx, fyy = v[2, 1] - 2.0 * v[1, 1] + v[0, 1], v[1, 2] - 2.0 * v[1, 1] + v[1, 0]
    fxy = 0.25 * (v[2, 2] - v[2, 0] - v[0, 2] + v[0, 0])
    det = fxx * fyy - fxy * fxy
    if not fyy < 0.0:
        return math.nan, math.nan
    if fxx < 0.0 and det > 0.0:
        p = (fxy * fy - fyy * fx) / det
    else:
        p, best = 0.0, -math.inf
        for a in range(3):
            highest = max(v[a, 0], v[a, 1], v[a, 2])
            if highest > best:
                p, best = a - 1.0, highest
    p = min(max(p, left), right)
    q = min(max(-(fy + fxy * p) / fyy, below), above)
    if fxx < 0.0:  # Where a bound stops the burden, the threat is best for that burden.
        p = min(max(-(fx + fxy * q) / fxx, left), right)
    return p, q


def bends(v: Matrix) -> tuple[float, float]:
    """Second differences of 3x3 values along threats and along burdens, in size."""
    return abs(v[2, 1] - 2.0 * v[1, 1] + v[0, 1]), abs(v[1, 2] - 2.0 * v[1, 1] + v[1, 0])


def golden(
    table: Matrix,
    scalars: Vector,
    plan: Vector,
    best: float,
    spans: Vector,
    limits: Matrix,
    demand: Vector,
    stage: Matrix,
    x: Vector,
    work: Matrix,
    rows: Matrix,
    tolerance: float,
) -> tuple[float, int]:
    """Golden section over threats of the best burden at each, itself by golden section."""
    n = demand.size
    rho, m = scalars[S_RHO], scalars[S_M]
    threat, trust = rows[L_THREAT], rows[L_TRUST]
    a = max(plan[0] - spans[0], limits[0, 0])
    b = min(plan[0] + spans[0], limits[0, 1])
    rounds = 34
    if plan[0] <= limits[0, 0] or plan[0] >= limits[0, 1]:  # At full or no threat: burdens alone.
        a, b, rounds = plan[0], plan[0], 1
    middle = plan[1]
    done = 0
    tops, places = rows[L_TOPS], rows[L_PLACES]
    for step in range(rounds):
        for side in range(2):
            ratio = 0.381966011250105 if side == 0 else 0.618033988749895
            level = a + ratio * (b - a)
            _, returned, bearable = announce(table, scalars, level, threat, demand, stage, trust)
            tops[side], places[side] = -math.inf, middle
            if not bearable:
                continue
            width = spans[1] * max(0.7**step, 1e-6)
            low = max(middle - width, limits[1, 0])
            high = min(middle + width, limits[1, 1])
            for _ in range(30):
                p, q = (
                    low + 0.381966011250105 * (high - low),
                    low + 0.618033988749895 * (high - low),
                )
                at_p = answer(stage, x, n, p, returned, rho, m, work, tolerance)
                at_q = answer(stage, x, n, q, returned, rho, m, work, tolerance)
                done += 2
                if at_p >= at_q:
                    high = q
                    value, place = at_p, p
                else:
                    low = p
                    value, place = at_q, q
                if value > tops[side]:
                    tops[side], places[side] = value, place
            if tops[side] > best:
                best = tops[side]
                plan[0], plan[1] = level, places[side]
        if tops[0] >= tops[1]:
            b, middle = a + 0.618033988749895 * (b - a), places[0]
        else:
            a, middle = a + 0.381966011250105 * (b - a), places[1]
    return best, done


def climb(
    table: Matrix,
    scalars: Vector,
    plan: Vector,
    best: float,
    spans: Vector,
    limits: Matrix,
    demand: Vector,
    stage: Matrix,
    x: Vector,
    work: Matrix,
    rows: Matrix,
    local: Matrix,
    tolerance: float,
) -> tuple[float, int]:
    """Climb from a plan (threat, burden): fit a quadratic to 3x3 points, go to its top, narrow.

    Where the payoff has a kink (allies that bunch at the demand) second differences do not fall as
    fast as their spacing squared; the neighbourhood is then searched by golden sections, burdens
    within threats. `local` is room for the 3x3 payoffs.
    """
    n = demand.size
    rho, m = scalars[S_RHO], scalars[S_M]
    threat, trust = rows[L_THREAT], rows[L_TRUST]
    here, span, centre = rows[L_HERE], rows[L_SPAN], rows[L_CENTRE]
    here[0], here[1], span[0], span[1] = plan[0], plan[1], spans[0], spans[1]
    bent, before = (0.0, 0.0), (0.0, 0.0)
    done, kinked = 0, False
    for _ in range(40):
        for d in range(2):  # The 3x3 points stay inside the box.
            span[d] = min(span[d], 0.5 * (limits[d, 1] - limits[d, 0]))
            centre[d] = min(max(here[d], limits[d, 0] + span[d]), limits[d, 1] - span[d])
        moved = False
        for trial in range(10):
            a, b = trial // 3 - 1.0, trial % 3 - 1.0
            if trial == 9:
                a, b = top_of_fit(
                    local,
                    (limits[0, 0] - centre[0]) / span[0],
                    (limits[0, 1] - centre[0]) / span[0],
                    (limits[1, 0] - centre[1]) / span[1],
                    (limits[1, 1] - centre[1]) / span[1],
                )
                if not (abs(a) <= 3.0 and abs(b) <= 3.0):
                    continue
            level = min(max(centre[0] + a * span[0], limits[0, 0]), limits[0, 1])
            burden = min(max(centre[1] + b * span[1], limits[1, 0]), limits[1, 1])
            if trial % 3 == 0:
                _, returned, bearable = announce(
                    table, scalars, level, threat, demand, stage, trust
                )
            value = -math.inf
            if bearable:
                value = answer(stage, x, n, burden, returned, rho, m, work, tolerance)
                done += 1
            if trial < 9:
                local[trial // 3, trial % 3] = value if math.isfinite(value) else -math.inf
            if value > best:
                best, moved = value, True
                here[0], here[1] = level, burden
        inside = (
            abs(here[0] - centre[0]) < 0.9 * span[0] and abs(here[1] - centre[1]) < 0.9 * span[1]
        )
        if moved and not inside:
            continue
        # Spacing shrinks to a fifth: a smooth payoff's second differences to a 25th, a kink's to a 5th.
        earlier, before, bent = before, bent, bends(local)
        kinked = (bent[0] > max(earlier[0] / 125.0, SLIGHT) and earlier[0] > 0.0) or (
            bent[1] > max(earlier[1] / 125.0, SLIGHT) and earlier[1] > 0.0
        )
        span[0] *= 0.2
        span[1] *= 0.2
        if span[0] < FINEST * (limits[0, 1] - limits[0, 0]):
            break
    plan[0], plan[1] = here[0], here[1]
    if kinked:
        best, more = golden(
            table, scalars, plan, best, spans, limits, demand, stage, x, work, rows, tolerance
        )
        done += more
    return best, done


def is_peak(values: Matrix, a: int, b: int) -> bool:
    """Whether no neighbour along an axis is higher."""
    here = values[a, b]
    if a > 0 and values[a - 1, b] > here:
        return False
    if a < values.shape[0] - 1 and values[a + 1, b] > here:
        return False
    if b > 0 and values[a, b - 1] > here:
        return False
    return not (b < values.shape[1] - 1 and values[a, b + 1] > here)


def best_plans(
    tables: Given,
    scalars: Given,
    order: Index,
    demands: Given,
    places: Index,
    changes: Given,
    threats: Given,
    shares: Given,
    tolerance: float,
    plans: Given,
    profile: Given,
    payoff: Given,
    influence: Given,
    security: Given,
    trust: Given,
    info: Given,
    space: Vector,
) -> None:
    """The best (threat, burden) of every scenario, the allies' answer to it, and what is left open.

    `threats` and `shares` are the grid: uniform threats, and burdens as shares of the leader's range.
    The best point and the best local peak elsewhere are climbed from. `space` is work space (see
    `rooms`) with so many numbers more as the grid has points and sides, and thirty.
    """
    count, n = demands.shape
    k = n - 1
    rows, steps_up, steps_on = tables.shape[1], threats.size, shares.size
    stage, work, plain, rest = rooms(space, n, rows + LEADER_ROWS)
    table, kept = plain[:rows], plain[rows:]
    x, demand, threat, slot_trust = kept[L_X], kept[L_DEMAND], kept[L_THREAT], kept[L_TRUST]
    plan, trial, spans = kept[L_PLAN], kept[L_TRIAL], kept[L_SPANS]
    limits = kept[L_LIMITS : L_UPPER + 1]  # Of each row only the first two numbers are used.
    local, numbers = rest[:9].reshape(3, 3), rest[9:30]
    levels, burdens = rest[30 : 30 + steps_up], rest[30 + steps_up : 30 + steps_up + steps_on]
    first = 30 + steps_up + steps_on
    values = rest[first : first + steps_up * steps_on].reshape(steps_up, steps_on)
    for a in range(steps_up):
        levels[a] = threats[a]
    for s in range(count):
        by_slot(tables[s], order, table)
        for i in range(n):
            demand[i] = demands[s, order[i]]
        for j in range(places.shape[0]):
            change(table, places[j, 0], places[j, 1], order[k], changes[s, j])
        rho, m = scalars[s, S_RHO], scalars[s, S_M]
        for j in range(scalars.shape[1]):
            numbers[j] = scalars[s, j]
        lay(table, numbers, stage)
        low, high = table[T_LOW, k], table[T_HIGH, k]
        for b in range(shares.size):
            burdens[b] = low + (high - low) * shares[b]
        limits[0, 0], limits[0, 1], limits[1, 0], limits[1, 1] = threats[0], threats[-1], low, high
        failed = cover(table, numbers, levels, burdens, demand, stage, x, work, kept, values)
        best, a0, b0 = -math.inf, -1, -1
        for a in range(threats.size):
            for b in range(burdens.size):
                if values[a, b] > best:
                    best, a0, b0 = values[a, b], a, b
        if a0 < 0:
            blank(info, s)
            info[s, I_STATUS] = ZERO_TRUST if failed == values.size else FAILED
            for output in (plans, profile, payoff, influence, security, trust):
                blank(output, s)
            continue
        second, a1, b1 = -math.inf, -1, -1
        for a in range(threats.size):
            for b in range(burdens.size):
                far = abs(a - a0) > 1 or abs(b - b0) > 1
                if far and values[a, b] > second and is_peak(values, a, b):
                    second, a1, b1 = values[a, b], a, b
        top, evaluations = -math.inf, values.size
        plan[0], plan[1] = threats[a0], burdens[b0]
        for a, b in ((a0, b0), (a1, b1)):
            if a < 0:
                continue
            trial[0], trial[1] = threats[a], burdens[b]
            spans[0] = threats[min(a + 1, threats.size - 1)] - threats[max(a - 1, 0)]
            spans[1] = burdens[min(b + 1, burdens.size - 1)] - burdens[max(b - 1, 0)]
            spans[0], spans[1] = 0.5 * spans[0], 0.5 * spans[1]
            _, returned, _ = announce(table, numbers, trial[0], threat, demand, stage, slot_trust)
            start(stage, x, n)
            value = answer(stage, x, n, trial[1], returned, rho, m, work, tolerance)
            if not math.isfinite(value):
                continue
            value, done = climb(
                table,
                numbers,
                trial,
                value,
                spans,
                limits,
                demand,
                stage,
                x,
                work,
                kept,
                local,
                tolerance,
            )
            evaluations += done
            if value > top:
                top = value
                plan[0], plan[1] = trial[0], trial[1]
        mean_trust, returned, _ = announce(
            table, numbers, plan[0], threat, demand, stage, slot_trust
        )
        start(stage, x, n)
        x[k] = plan[1]
        status, steps, gain, worst = equilibrium(
            stage, x, n, returned, rho, m, False, work, False, tolerance
        )
        Z, C, G = totals(stage, x, n, rho, m)
        info[s, I_STATUS], info[s, I_STEPS] = status, steps
        info[s, I_REGRET], info[s, I_WORST] = gain, order[worst]
        info[s, I_MEAN_TRUST] = mean_trust
        info[s, I_LEADER_MARGINAL] = leader_at(stage, n, x[k], Z, C, returned, rho, m)[0]
        info[s, I_LEADER_PAYOFF] = member_value(stage, k, n, x[k], Z, C, G, returned, rho, m)
        plans[s, PLAN_THREAT], plans[s, PLAN_BURDEN] = plan[0], plan[1]
        plans[s, PLAN_GAP] = hidden(values, levels, burdens, top)
        plans[s, PLAN_EVALUATIONS] = evaluations
        for i in range(n):
            profile[s, order[i]], trust[s, order[i]] = x[i], slot_trust[i]
        describe(stage, x, n, returned, rho, m, payoff[s], influence[s], security[s], order)
