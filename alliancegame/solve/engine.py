"""The aggregative engine: every member's condition at once, in O(n) a step.

This is ordinary Python over arrays. `payoff.kernels` puts the generated terms (declared in
`payoff/generated.pyi`) in front of it and Numba compiles both as one module; nothing here is called
uncompiled. Allies stand in slots 0 .. n-2 and the leader in slot n-1.

Method. A member's marginal payoff depends on its own burden and on the aggregates Z, C and G, so the
Jacobian of all conditions is diagonal plus low rank, and a Newton step costs O(n): eliminate each
burden in favour of (dZ, dC, dG), solve a 2x2 system, substitute back. Each member moves within one
smooth piece (between its bounds and the kink at the demand) and is put exactly on the end of a
piece that a step would cross; a member at such a point leaves it only if a one-sided marginal says
so. Share functions (Cornes & Hartley 2005) are the safeguard: each member's contribution as a
function of the aggregates, found by bisection, and the aggregates by nested bisection. Where those
are not monotone, members reply in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import math

    import numpy as np
    from numpy.typing import NDArray

    from alliancegame.payoff.generated import (
        ally_conditions,
        ally_security_power,
        ally_sweep,
        ally_value,
        influence_share,
        influence_worth,
        leader_conditions,
        leader_security_power,
        leader_value,
        power_m,
        power_rho,
        returned_spillin,
        stationary_trust,
        threat_cost,
        trust_impact,
    )

    Array = NDArray[np.float64]
    Index = NDArray[np.int64]

# Rows of a stage: what the conditions need, by slot. The first nine are the order of ally_sweep.
SCALE, THETA, ALPHA, PRIVATE, SPILLIN, UMBRELLA, BITE, DEMAND, WEIGHT, LOW, HIGH, SINGULAR = range(
    12
)
STAGE_ROWS = 12
# Rows of a table: what a game says of each member (MODEL.md sections 2 to 6).
T_SCALE, T_THETA, T_ALPHA, T_PRIVATE, T_SPILLIN, T_UMBRELLA, T_CREDIBILITY = range(7)
T_WEIGHT, T_LOW, T_HIGH, T_TRUST, T_CEILING, T_DECAY, T_SHARE = range(7, 14)
# Scalars of a game.
S_RHO, S_M, S_RETURN, S_COHESION, S_CURVATURE, S_CONTAGION, S_RECOVERY, S_SCARRING, S_HORIZON = (
    range(9)
)
S_LOG_INFLUENCE, S_CONCAVE = 9, 10
# What a solved case says of itself.
I_STATUS, I_STEPS, I_REGRET, I_WORST, I_MEAN_TRUST, I_LEADER_MARGINAL, I_LEADER_PAYOFF = range(7)
NEWTON, SAFEGUARD, FAILED, ZERO_TRUST = 0.0, 1.0, 2.0, 3.0
# Rows of the work space.
W_F, W_FX, W_FZ, W_FC, W_FG, W_ZX, W_CX, W_PIECE, W_STEP, W_LEFT, W_RIGHT, W_SAFE = range(12)
W_A, W_B = 12, 13
WORK_ROWS = 14

TINY = 1e-60  # Stands for a burden of zero where a term with zero weight would divide by it.
GAIN_TOLERANCE = 1e-13  # Newton stops when nobody could gain more than this, by concavity.
GAIN_ACCEPTED = 1e-10  # Or when rounding stops progress below this.
SCAN_POINTS = 4000  # Resolution of the deviation search where concavity is not proved.


def assemble(
    table: Array,
    scalars: Array,
    order: Index,
    threat: Array,
    demand: Array,
    unharmed: bool,
    stage: Array,
    trust: Array,
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
        stage[BITE, slot] = table[T_CREDIBILITY, i] * threat[i]
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
    stage[DEMAND, slot] = 1.0
    stage[WEIGHT, slot] = table[T_WEIGHT, i] * mean_trust
    stage[LOW, slot] = table[T_LOW, i]
    stage[HIGH, slot] = table[T_HIGH, i]
    for j in range(n):
        stage[SINGULAR, j] = 1.0 if infinite_at_zero(stage, j, scalars) else 0.0
    return mean_trust, returned_spillin(scalars[S_RETURN], mean_trust, scalars[S_COHESION])


def infinite_at_zero(stage: Array, i: int, scalars: Array) -> bool:
    """Whether a member's marginal payoff grows without bound as its burden falls to zero."""
    influence = scalars[S_LOG_INFLUENCE] > 0.0 or scalars[S_M] < 1.0
    return (
        stage[PRIVATE, i] > 0.0
        or (stage[ALPHA, i] > 0.0 and influence)
        or (stage[THETA, i] > 0.0 and scalars[S_RHO] < 1.0)
    )


def long_run_trust(
    initial: float, ceiling: float, impact: float, cost: float, scalars: Array
) -> float:
    """Trust when allies answer, under a plan kept for ever (MODEL.md section 6)."""
    if scalars[S_SCARRING] > 0.0 and cost > 0.0:
        return 0.0
    if scalars[S_RECOVERY] > 0.0:
        return stationary_trust(impact, scalars[S_RECOVERY], ceiling)
    return initial if impact == 1.0 else 0.0


def start(stage: Array, x: Array, n: int) -> None:
    """A first guess: what a member would spend whose own forces were half of its security."""
    for i in range(n):
        pull = stage[PRIVATE, i] + stage[ALPHA, i] + 0.5 * stage[THETA, i]
        x[i] = min(max(pull / (1.0 + pull), stage[LOW, i]), stage[HIGH, i])


def totals(stage: Array, x: Array, n: int, rho: float, m: float) -> tuple[float, float, float]:
    """The aggregates (Z, C, G) of a profile."""
    allied, council = 0.0, 0.0
    for i in range(n - 1):
        g = stage[SCALE, i] * max(x[i], TINY)
        allied += power_rho(g, rho)
        council += stage[WEIGHT, i] * power_m(g, m)
    lead = stage[SCALE, n - 1] * max(x[n - 1], TINY)
    council += stage[WEIGHT, n - 1] * power_m(lead, m)
    return allied, council, lead


def ally_at(
    stage: Array, i: int, x: float, below: float, Z: float, C: float, G: float, rho: float, m: float
) -> tuple[float, float, float, float, float]:
    """An ally's marginal payoff and its derivatives, on the piece that `below` names."""
    return ally_conditions(
        max(x, TINY),
        below,
        Z,
        C,
        G,
        stage[SCALE, i],
        stage[THETA, i],
        stage[ALPHA, i],
        stage[PRIVATE, i],
        stage[SPILLIN, i],
        stage[UMBRELLA, i],
        stage[BITE, i],
        stage[DEMAND, i],
        stage[WEIGHT, i],
        rho,
        m,
    )


def leader_at(
    stage: Array, n: int, x: float, Z: float, C: float, returned: float, rho: float, m: float
) -> tuple[float, float, float, float]:
    """The leader's marginal payoff and its derivatives."""
    k = n - 1
    return leader_conditions(
        max(x, TINY),
        Z,
        C,
        stage[SCALE, k],
        stage[THETA, k],
        stage[ALPHA, k],
        stage[PRIVATE, k],
        stage[WEIGHT, k],
        returned,
        rho,
        m,
    )


def diagonal(f: float, f_x: float, x: float, singular: bool) -> float:
    """The diagonal of the Newton matrix: of F, or of x F where that is nearly linear (log terms)."""
    d = f_x
    if singular:
        scaled = f_x + f / max(x, TINY)
        if scaled <= 0.3 * f_x:
            d = scaled
    return min(d, -1e-8)  # Linear games can have none; the step stays finite and the root the same.


def bounded(x: float, step: float, left: float, right: float, singular: bool) -> float:
    """The new burden, within its piece; burdens with a singular marginal at 0 never reach it."""
    new = x + step
    if singular and new < 0.1 * x:
        new = 0.1 * x
    return min(max(new, left), right)


def conditions(
    stage: Array,
    x: Array,
    n: int,
    Z: float,
    C: float,
    G: float,
    rho: float,
    m: float,
    work: Array,
) -> tuple[float, int]:
    """Every ally's condition, the piece in which it moves, and minus the inverse of its diagonal.

    An ally that stays where it is (at a bound or at the kink, and no one-sided marginal drives it
    away) gets a step of zero. Returns the largest gain that any ally could make, and its slot.
    """
    k = n - 1
    F, F_x, F_Z, F_C, F_G = work[W_F], work[W_FX], work[W_FZ], work[W_FC], work[W_FG]
    piece, safe, step = work[W_PIECE], work[W_SAFE], work[W_STEP]
    left, right = work[W_LEFT], work[W_RIGHT]
    for i in range(k):
        safe[i] = max(x[i], TINY)
        piece[i] = 1.0 if x[i] < stage[DEMAND, i] else 0.0
    ally_sweep(
        k, safe, piece, Z, C, G, stage, rho, m, F, F_x, F_Z, F_C, F_G, work[W_ZX], work[W_CX]
    )
    gain, worst = 0.0, 0
    for i in range(k):
        f, xi, low, high = F[i], x[i], stage[LOW, i], stage[HIGH, i]
        left[i], right[i] = low, high
        rightward, leftward = f, f
        smooth = low < xi < high
        if stage[BITE, i] > 0.0:
            d = stage[DEMAND, i]
            if xi < d:
                right[i] = min(high, d)
            else:
                left[i] = max(low, d)
                if xi == d:
                    smooth = False
                    leftward = ally_at(stage, i, xi, 1.0, Z, C, G, rho, m)[0]
        if not smooth:
            if xi >= high:
                rightward = -math.inf
            if xi <= low:
                leftward = math.inf
            if rightward <= 0.0 <= leftward:
                step[i] = 0.0
                continue
            if rightward <= 0.0:  # It leaves for the piece on its left: take the derivatives there.
                under = xi <= stage[DEMAND, i]
                f, F_x[i], F_Z[i], F_C[i], F_G[i] = ally_at(
                    stage, i, xi, 1.0 if under else 0.0, Z, C, G, rho, m
                )
                F[i] = f
                if stage[BITE, i] > 0.0 and under:
                    left[i], right[i] = low, min(high, stage[DEMAND, i])
        possible = f * (high - xi) if f > 0.0 else -f * (xi - low)
        if not possible <= gain:
            gain, worst = possible, i
        step[i] = -1.0 / diagonal(f, F_x[i], xi, stage[SINGULAR, i] > 0.0)
    return gain, worst


def joint_newton(
    stage: Array,
    x: Array,
    n: int,
    returned: float,
    rho: float,
    m: float,
    leader_free: bool,
    work: Array,
    most: int,
) -> tuple[bool, int, float, int]:
    """Newton on all conditions at once: (converged, steps, largest possible gain, its slot).

    With s_i = -1 / D_i each burden moves by s_i (F_i + F_Z dZ + F_C dC + F_G dG); summing what that
    does to the aggregates leaves two equations in (dZ, dC), the leader's step being affine in them.
    """
    k = n - 1
    F, F_Z, F_C, F_G = work[W_F], work[W_FZ], work[W_FC], work[W_FG]
    Z_x, C_x, step = work[W_ZX], work[W_CX], work[W_STEP]
    left, right = work[W_LEFT], work[W_RIGHT]
    previous = math.inf
    gain, worst = math.inf, 0
    for count in range(most):
        Z, C, G = totals(stage, x, n, rho, m)
        gain, worst = conditions(stage, x, n, Z, C, G, rho, m, work)
        g0, gz, gc, lead_step = 0.0, 0.0, 0.0, 0.0
        xl, low, high = x[k], stage[LOW, k], stage[HIGH, k]
        if leader_free:
            f, f_x, f_z, f_c = leader_at(stage, n, xl, Z, C, returned, rho, m)
            if not ((xl <= low and f <= 0.0) or (xl >= high and f >= 0.0)):
                possible = f * (high - xl) if f > 0.0 else -f * (xl - low)
                if not possible <= gain:
                    gain, worst = possible, k
                lead_step = -stage[SCALE, k] / diagonal(f, f_x, xl, stage[SINGULAR, k] > 0.0)
                g0, gz, gc = lead_step * f, lead_step * f_z, lead_step * f_c
        if gain <= GAIN_TOLERANCE or (gain <= GAIN_ACCEPTED and gain >= 0.5 * previous):
            return True, count, gain, worst
        if not math.isfinite(gain):
            return False, count, gain, worst
        previous = gain
        zz, zc, zg, z0, cz, cc, cg, c0 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(k):
            z, c = Z_x[i] * step[i], C_x[i] * step[i]
            zz += z * F_Z[i]
            zc += z * F_C[i]
            zg += z * F_G[i]
            z0 += z * F[i]
            cz += c * F_Z[i]
            cc += c * F_C[i]
            cg += c * F_G[i]
            c0 += c * F[i]
        cg += m * stage[WEIGHT, k] * power_m(G, m) / G  # The leader's own part of the council.
        a11, a12, b1 = 1.0 - zz - zg * gz, -zc - zg * gc, z0 + zg * g0
        a21, a22, b2 = -cz - cg * gz, 1.0 - cc - cg * gc, c0 + cg * g0
        det = a11 * a22 - a12 * a21
        dZ = (b1 * a22 - a12 * b2) / det
        dC = (a11 * b2 - a21 * b1) / det
        dG = g0 + gz * dZ + gc * dC
        if not (math.isfinite(dZ) and math.isfinite(dC) and math.isfinite(dG)):
            return False, count, gain, worst
        damping = 1.0 if count < 15 else 0.5
        for i in range(k):
            if step[i] != 0.0:
                change = step[i] * (F[i] + F_Z[i] * dZ + F_C[i] * dC + F_G[i] * dG)
                x[i] = bounded(x[i], damping * change, left[i], right[i], stage[SINGULAR, i] > 0.0)
        if lead_step != 0.0:
            x[k] = bounded(xl, damping * dG / stage[SCALE, k], low, high, stage[SINGULAR, k] > 0.0)
    return False, most, gain, worst


def marginal(
    stage: Array,
    i: int,
    n: int,
    x: float,
    below: float,
    Z: float,
    C: float,
    G: float,
    returned: float,
    own: bool,
    rho: float,
    m: float,
) -> float:
    """A member's marginal payoff. With `own`, Z and C are the others' and the own share is added."""
    if own:
        g = stage[SCALE, i] * max(x, TINY)
        C += stage[WEIGHT, i] * power_m(g, m)
        if i < n - 1:
            Z += power_rho(g, rho)
    if i < n - 1:
        return ally_at(stage, i, x, below, Z, C, G, rho, m)[0]
    return leader_at(stage, n, x, Z, C, returned, rho, m)[0]


def falling_root(
    stage: Array,
    i: int,
    n: int,
    Z: float,
    C: float,
    G: float,
    returned: float,
    own: bool,
    rho: float,
    m: float,
) -> float:
    """Where a falling marginal payoff crosses zero: a bound, the kink, or a root by bisection."""
    low, high, d = stage[LOW, i], stage[HIGH, i], stage[DEMAND, i]
    kinked = stage[BITE, i] > 0.0
    below = 1.0
    if marginal(stage, i, n, low, 1.0 if low < d else 0.0, Z, C, G, returned, own, rho, m) <= 0.0:
        return low
    if (
        marginal(stage, i, n, high, 1.0 if high <= d else 0.0, Z, C, G, returned, own, rho, m)
        >= 0.0
    ):
        return high
    if kinked and low < d < high:
        if marginal(stage, i, n, d, 1.0, Z, C, G, returned, own, rho, m) < 0.0:
            high = d
        elif marginal(stage, i, n, d, 0.0, Z, C, G, returned, own, rho, m) <= 0.0:
            return d
        else:
            low, below = d, 0.0
    elif kinked and low >= d:
        below = 0.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle <= low or middle >= high:
            break
        if marginal(stage, i, n, middle, below, Z, C, G, returned, own, rho, m) > 0.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def replacements(
    stage: Array,
    x: Array,
    n: int,
    Z: float,
    C: float,
    G: float,
    returned: float,
    rho: float,
    m: float,
) -> float:
    """Each ally's burden if the aggregates were (Z, C, G): its share function; return their Z."""
    total = 0.0
    for i in range(n - 1):
        x[i] = falling_root(stage, i, n, Z, C, G, returned, False, rho, m)
        total += power_rho(stage[SCALE, i] * max(x[i], TINY), rho)
    return total


def allied_root(
    stage: Array,
    x: Array,
    n: int,
    C: float,
    tied: bool,
    G: float,
    returned: float,
    rho: float,
    m: float,
    work: Array,
) -> None:
    """The allies' burdens at the one Z that their share functions reproduce (rho > 0).

    With `tied` the council follows from Z (C is then the leader's part, and allies weigh alike).
    A member whose share jumps there (linear payoffs) takes up the slack.
    """
    low, high = 0.0, 0.0
    for i in range(n - 1):
        low += power_rho(stage[SCALE, i] * max(stage[LOW, i], TINY), rho)
        high += power_rho(stage[SCALE, i] * stage[HIGH, i], rho)
    upper, lower = work[W_A], work[W_B]
    weight = stage[WEIGHT, 0]
    at_low = replacements(
        stage, upper, n, low, C + weight * low if tied else C, G, returned, rho, m
    )
    at_high = replacements(
        stage, lower, n, high, C + weight * high if tied else C, G, returned, rho, m
    )
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle <= low or middle >= high:
            break
        total = replacements(
            stage, x, n, middle, C + weight * middle if tied else C, G, returned, rho, m
        )
        if total > middle:
            low, at_low = middle, total
            for i in range(n - 1):
                upper[i] = x[i]
        else:
            high, at_high = middle, total
            for i in range(n - 1):
                lower[i] = x[i]
    mix = 0.0
    if at_low > at_high:
        mix = min(max((0.5 * (low + high) - at_high) / (at_low - at_high), 0.0), 1.0)
    for i in range(n - 1):
        x[i] = lower[i] + mix * (upper[i] - lower[i])


def share_response(
    stage: Array, x: Array, n: int, returned: float, rho: float, m: float, work: Array
) -> None:
    """The allies' answer to the leader's burden by share functions (0 < rho <= 1, beta <= 1)."""
    k = n - 1
    G = stage[SCALE, k] * max(x[k], TINY)
    own = stage[WEIGHT, k] * power_m(G, m)
    tied = rho == m
    indifferent = True
    for i in range(k):
        tied = tied and stage[WEIGHT, i] == stage[WEIGHT, 0]
        indifferent = indifferent and stage[ALPHA, i] == 0.0
    if tied or indifferent:
        allied_root(stage, x, n, own, tied, G, returned, rho, m, work)
        return
    low, high = own, own
    for i in range(k):
        low += stage[WEIGHT, i] * power_m(stage[SCALE, i] * max(stage[LOW, i], TINY), m)
        high += stage[WEIGHT, i] * power_m(stage[SCALE, i] * stage[HIGH, i], m)
    for _ in range(100):
        middle = 0.5 * (low + high)
        if middle <= low or middle >= high:
            break
        allied_root(stage, x, n, middle, False, G, returned, rho, m, work)
        if totals(stage, x, n, rho, m)[1] > middle:
            low = middle
        else:
            high = middle


def replies_in_turn(
    stage: Array, x: Array, n: int, returned: float, rho: float, m: float, leader_free: bool
) -> None:
    """Best replies one after another, each to the newest burdens of the others."""
    for _ in range(400):
        moved = 0.0
        Z, C, G = totals(stage, x, n, rho, m)
        for i in range(n if leader_free else n - 1):
            g = stage[SCALE, i] * max(x[i], TINY)
            power, pull = power_rho(g, rho), stage[WEIGHT, i] * power_m(g, m)
            others = max(Z - power, 0.0) if i < n - 1 else Z
            new = falling_root(stage, i, n, others, max(C - pull, 0.0), G, returned, True, rho, m)
            moved = max(moved, abs(new - x[i]) / stage[HIGH, i])
            x[i] = new
            Z, C, G = totals(stage, x, n, rho, m)
        if moved <= 1e-9:
            return


def safeguarded(
    stage: Array,
    x: Array,
    n: int,
    returned: float,
    rho: float,
    m: float,
    leader_free: bool,
    work: Array,
) -> None:
    """A start from which Newton converges, found without Newton."""
    k = n - 1
    monotone = rho > 0.0
    for i in range(k):
        monotone = monotone and stage[SPILLIN, i] <= 1.0
    committed = x[k]
    start(stage, x, n)
    if not leader_free:
        x[k] = committed
    if not monotone:
        replies_in_turn(stage, x, n, returned, rho, m, leader_free)
        return
    if not leader_free:
        share_response(stage, x, n, returned, rho, m, work)
        return
    low, high = stage[LOW, k], stage[HIGH, k]
    for _ in range(100):
        x[k] = 0.5 * (low + high)
        if x[k] <= low or x[k] >= high:
            return
        share_response(stage, x, n, returned, rho, m, work)
        Z, C, _ = totals(stage, x, n, rho, m)
        if leader_at(stage, n, x[k], Z, C, returned, rho, m)[0] > 0.0:
            low = x[k]
        else:
            high = x[k]
    if low == stage[LOW, k]:
        x[k] = low


def equilibrium(
    stage: Array,
    x: Array,
    n: int,
    returned: float,
    rho: float,
    m: float,
    leader_free: bool,
    work: Array,
    safeguard_only: bool,
) -> tuple[float, int, float, int]:
    """Newton, or the safeguard and Newton after it: (status, steps, largest possible gain, slot)."""
    done, steps, gain, worst = False, 0, math.inf, 0
    if not safeguard_only:
        done, steps, gain, worst = joint_newton(
            stage, x, n, returned, rho, m, leader_free, work, 40
        )
        if done:
            return NEWTON, steps, gain, worst
    safeguarded(stage, x, n, returned, rho, m, leader_free, work)
    done, more, gain, worst = joint_newton(stage, x, n, returned, rho, m, leader_free, work, 60)
    return (SAFEGUARD if done else FAILED), steps + more, gain, worst


def member_value(
    stage: Array,
    i: int,
    n: int,
    x: float,
    Z: float,
    C: float,
    G: float,
    returned: float,
    rho: float,
    m: float,
) -> float:
    """A member's payoff at its burden, given the aggregates with its own contribution in them."""
    alpha = stage[ALPHA, i]
    seat = 0.0
    if alpha > 0.0 and C <= 0.0:  # Nobody contributes: influence goes by council weight alone.
        weight = 0.0
        for j in range(n):
            weight += stage[WEIGHT, j]
        seat = alpha * influence_worth(influence_share(stage[WEIGHT, i], weight))
        alpha = 0.0
    if i == n - 1:
        return seat + leader_value(
            x,
            Z,
            C,
            stage[SCALE, i],
            stage[THETA, i],
            alpha,
            stage[PRIVATE, i],
            stage[WEIGHT, i],
            returned,
            rho,
            m,
        )
    below = 1.0 if stage[BITE, i] > 0.0 and x < stage[DEMAND, i] else 0.0
    return seat + ally_value(
        x,
        below,
        Z,
        C,
        G,
        stage[SCALE, i],
        stage[THETA, i],
        alpha,
        stage[PRIVATE, i],
        stage[SPILLIN, i],
        stage[UMBRELLA, i],
        stage[BITE, i],
        stage[DEMAND, i],
        stage[WEIGHT, i],
        rho,
        m,
    )


def value_against(
    stage: Array,
    i: int,
    n: int,
    x: float,
    others: float,
    council: float,
    G: float,
    returned: float,
    rho: float,
    m: float,
) -> float:
    """A member's payoff from a burden, given what the others contribute."""
    g = stage[SCALE, i] * x
    Z, C = others, council
    if g > 0.0 or m > 0.0:
        C += stage[WEIGHT, i] * power_m(g, m)
    if i < n - 1:
        Z += power_rho(g, rho)
    return member_value(stage, i, n, x, Z, C, G, returned, rho, m)


def scanned_reply(
    stage: Array,
    i: int,
    n: int,
    others: float,
    council: float,
    G: float,
    returned: float,
    rho: float,
    m: float,
) -> float:
    """The best burden on a grid that contains the kink, then refined within the two cells beside it."""
    low, high, d = stage[LOW, i], stage[HIGH, i], stage[DEMAND, i]
    best, best_value = low, value_against(stage, i, n, low, others, council, G, returned, rho, m)
    if low < d < high:
        value = value_against(stage, i, n, d, others, council, G, returned, rho, m)
        if value > best_value:
            best, best_value = d, value
    for j in range(1, SCAN_POINTS + 1):
        share = j / SCAN_POINTS
        point = low + (high - low) * share * share  # Denser where burdens are small.
        value = value_against(stage, i, n, point, others, council, G, returned, rho, m)
        if value > best_value:
            best, best_value = point, value
    share = math.sqrt(max((best - low) / (high - low), 0.0))
    a = low + (high - low) * max(share - 1.0 / SCAN_POINTS, 0.0) ** 2
    b = low + (high - low) * min(share + 1.0 / SCAN_POINTS, 1.0) ** 2
    for _ in range(80):
        p, q = a + 0.381966011250105 * (b - a), a + 0.618033988749895 * (b - a)
        if value_against(stage, i, n, p, others, council, G, returned, rho, m) > value_against(
            stage, i, n, q, others, council, G, returned, rho, m
        ):
            b = q
        else:
            a = p
    middle = 0.5 * (a + b)
    if value_against(stage, i, n, middle, others, council, G, returned, rho, m) > best_value:
        best = middle
    return best


def deviations(
    stage: Array,
    x: Array,
    n: int,
    returned: float,
    rho: float,
    m: float,
    leader_free: bool,
    concave: bool,
    gains: Array,
    replies: Array,
    work: Array,
) -> None:
    """Each member's best reply to the others over its whole action set, and what it gains by it.

    Where payoffs are concave in the own burden the reply is the root of a falling marginal; else it
    is the best of a scan. The others' sums come from both sides, so that no own part is subtracted.
    """
    k = n - 1
    suffix_z, suffix_c = work[W_A], work[W_B]
    z, c = 0.0, 0.0
    for j in range(n):
        i = k - j
        suffix_z[i], suffix_c[i] = z, c
        g = stage[SCALE, i] * x[i]
        c += stage[WEIGHT, i] * power_m(g, m)
        if i < k:
            z += power_rho(g, rho)
    G = stage[SCALE, k] * x[k]
    prefix_z, prefix_c = 0.0, 0.0
    for i in range(n):
        others, council = prefix_z + suffix_z[i], prefix_c + suffix_c[i]
        g = stage[SCALE, i] * x[i]
        prefix_c += stage[WEIGHT, i] * power_m(g, m)
        if i < k:
            prefix_z += power_rho(g, rho)
        gains[i], replies[i] = 0.0, x[i]
        if i == k and not leader_free:
            continue
        safe_g = max(G, TINY)
        if concave:
            reply = falling_root(stage, i, n, others, council, safe_g, returned, True, rho, m)
        else:
            reply = scanned_reply(stage, i, n, others, council, G, returned, rho, m)
        now = value_against(stage, i, n, x[i], others, council, G, returned, rho, m)
        then = value_against(stage, i, n, reply, others, council, G, returned, rho, m)
        if council == 0.0 and reply == 0.0 and stage[ALPHA, i] > 0.0:
            # Alone in the council, the least positive contribution takes all influence: a supremum.
            least = stage[LOW, i] + 1e-12 * (stage[HIGH, i] - stage[LOW, i])
            alone = value_against(stage, i, n, least, others, council, G, returned, rho, m)
            if alone > then:
                reply, then = least, alone
        if not now >= then:
            gains[i] = then - now if math.isfinite(now) else math.inf
            replies[i] = reply


def describe(
    stage: Array,
    x: Array,
    n: int,
    returned: float,
    rho: float,
    m: float,
    payoff: Array,
    influence: Array,
    security: Array,
    order: Index,
) -> None:
    """Payoff, influence and security of every member, in member order."""
    k = n - 1
    Z, C, weights = 0.0, 0.0, 0.0
    for i in range(n):
        g = stage[SCALE, i] * x[i]
        C += stage[WEIGHT, i] * power_m(g, m)
        weights += stage[WEIGHT, i]
        if i < k:
            Z += power_rho(g, rho)
    G = stage[SCALE, k] * x[k]
    for i in range(n):
        member = order[i]
        payoff[member] = member_value(stage, i, n, x[i], Z, C, G, returned, rho, m)
        pull = stage[WEIGHT, i] * power_m(stage[SCALE, i] * x[i], m)
        influence[member] = influence_share(pull, C) if C > 0.0 else stage[WEIGHT, i] / weights
        if i < k:
            below = 1.0 if stage[BITE, i] > 0.0 and x[i] < stage[DEMAND, i] else 0.0
            power = ally_security_power(
                x[i],
                below,
                Z,
                C,
                G,
                stage[SCALE, i],
                stage[THETA, i],
                stage[ALPHA, i],
                stage[PRIVATE, i],
                stage[SPILLIN, i],
                stage[UMBRELLA, i],
                stage[BITE, i],
                stage[DEMAND, i],
                stage[WEIGHT, i],
                rho,
                m,
            )
        else:
            power = leader_security_power(
                x[i],
                Z,
                C,
                stage[SCALE, i],
                stage[THETA, i],
                stage[ALPHA, i],
                stage[PRIVATE, i],
                stage[WEIGHT, i],
                returned,
                rho,
                m,
            )
        security[member] = power if rho == 1.0 else power ** (1.0 / rho)


def solve_batch(
    tables: Array,
    scalars: Array,
    order: Index,
    threats: Array,
    demands: Array,
    burdens: Array,
    unharmed: bool,
    warm: bool,
    safeguard_only: bool,
    profile: Array,
    payoff: Array,
    influence: Array,
    security: Array,
    trust: Array,
    info: Array,
) -> None:
    """Solve every scenario s; arrays are (scenario, member), and inputs may be broadcast views.

    A finite `burdens[s]` holds the leader's burden fixed; nan lets it play simultaneously. Outputs of
    one row are work space only (the caller wants `info` alone). `warm` starts each scenario from the
    one before it.
    """
    count, n = threats.shape
    k = n - 1
    stage = np.empty((STAGE_ROWS, n))
    work = np.empty((WORK_ROWS, n))
    x, slot_trust = np.empty(n), np.empty(n)
    whole = profile.shape[0] == count
    ready = False
    for s in range(count):
        row = s if whole else 0
        rho, m = scalars[s, S_RHO], scalars[s, S_M]
        mean_trust, returned = assemble(
            tables[s], scalars[s], order, threats[s], demands[s], unharmed, stage, slot_trust
        )
        leader_free = not math.isfinite(burdens[s])
        info[s, I_MEAN_TRUST] = mean_trust
        if mean_trust <= 0.0 and stage[ALPHA, k] > 0.0 and scalars[s, S_LOG_INFLUENCE] > 0.0:
            info[s, :] = math.nan
            info[s, I_STATUS] = ZERO_TRUST
            profile[row, :], payoff[row, :] = math.nan, math.nan
            influence[row, :], security[row, :], trust[row, :] = math.nan, math.nan, math.nan
            ready = False
            continue
        if not (warm and ready):
            start(stage, x, n)
        for i in range(n):
            x[i] = min(max(x[i], stage[LOW, i]), stage[HIGH, i])
        if not leader_free:
            x[k] = burdens[s]
        status, steps, gain, worst = equilibrium(
            stage, x, n, returned, rho, m, leader_free, work, safeguard_only
        )
        ready = status != FAILED
        Z, C, G = totals(stage, x, n, rho, m)
        info[s, I_STATUS] = status
        info[s, I_STEPS] = steps
        info[s, I_REGRET] = gain
        info[s, I_WORST] = order[worst]
        info[s, I_LEADER_MARGINAL] = leader_at(stage, n, x[k], Z, C, returned, rho, m)[0]
        info[s, I_LEADER_PAYOFF] = member_value(stage, k, n, x[k], Z, C, G, returned, rho, m)
        if whole:
            for i in range(n):
                profile[row, order[i]] = x[i]
                trust[row, order[i]] = slot_trust[i]
            describe(
                stage, x, n, returned, rho, m, payoff[row], influence[row], security[row], order
            )


def profile_marginals(
    table: Array,
    scalars: Array,
    order: Index,
    threat: Array,
    demand: Array,
    burden: Array,
    result: Array,
) -> None:
    """Marginal payoffs of all members at a profile, in member order."""
    n = burden.size
    stage, slot_trust, x = np.empty((STAGE_ROWS, n)), np.empty(n), np.empty(n)
    _, returned = assemble(table, scalars, order, threat, demand, False, stage, slot_trust)
    for i in range(n):
        x[i] = burden[order[i]]
    rho, m = scalars[S_RHO], scalars[S_M]
    Z, C, G = totals(stage, x, n, rho, m)
    for i in range(n):
        below = 1.0 if x[i] < stage[DEMAND, i] else 0.0
        result[order[i]] = marginal(stage, i, n, x[i], below, Z, C, G, returned, False, rho, m)


def certify_profile(
    table: Array,
    scalars: Array,
    order: Index,
    threat: Array,
    demand: Array,
    burden: Array,
    leader_free: bool,
    unharmed: bool,
    gains: Array,
    replies: Array,
    payoff: Array,
    influence: Array,
    security: Array,
    trust: Array,
) -> None:
    """Payoffs and every member's best deviation at a given profile, from wherever it comes."""
    n = burden.size
    stage = np.empty((STAGE_ROWS, n))
    work = np.empty((WORK_ROWS, n))
    x, slot_trust = np.empty(n), np.empty(n)
    slot_gains, slot_replies = np.empty(n), np.empty(n)
    _, returned = assemble(table, scalars, order, threat, demand, unharmed, stage, slot_trust)
    for i in range(n):
        x[i] = burden[order[i]]
    rho, m = scalars[S_RHO], scalars[S_M]
    deviations(
        stage,
        x,
        n,
        returned,
        rho,
        m,
        leader_free,
        scalars[S_CONCAVE] > 0.0,
        slot_gains,
        slot_replies,
        work,
    )
    describe(stage, x, n, returned, rho, m, payoff, influence, security, order)
    for i in range(n):
        gains[order[i]], replies[order[i]] = slot_gains[i], slot_replies[i]
        trust[order[i]] = slot_trust[i]
