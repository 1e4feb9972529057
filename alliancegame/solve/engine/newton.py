"""Newton on every condition at once, in O(n) a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import math

    from alliancegame.payoff.generated import (
        ally_conditions,
        ally_sweep,
        leader_conditions,
        power_m,
    )
    from alliancegame.solve.engine.names import (
        ALPHA,
        BITE,
        DEMAND,
        GAIN_ACCEPTED,
        HIGH,
        LOW,
        PRIVATE,
        SCALE,
        SINGULAR,
        SPILLIN,
        THETA,
        TINY,
        UMBRELLA,
        W_CX,
        W_F,
        W_FC,
        W_FG,
        W_FX,
        W_FZ,
        W_LEFT,
        W_PIECE,
        W_RIGHT,
        W_SAFE,
        W_STEP,
        W_ZX,
        WEIGHT,
        Matrix,
        Vector,
    )
    from alliancegame.solve.engine.stage import totals


def ally_at(
    stage: Matrix,
    i: int,
    x: float,
    below: float,
    Z: float,
    C: float,
    G: float,
    rho: float,
    m: float,
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
    stage: Matrix, n: int, x: float, Z: float, C: float, returned: float, rho: float, m: float
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
    stage: Matrix,
    x: Vector,
    n: int,
    Z: float,
    C: float,
    G: float,
    rho: float,
    m: float,
    work: Matrix,
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
    stage: Matrix,
    x: Vector,
    n: int,
    returned: float,
    rho: float,
    m: float,
    leader_free: bool,
    work: Matrix,
    most: int,
    tolerance: float,
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
        if gain <= tolerance or (gain <= GAIN_ACCEPTED and gain >= 0.5 * previous):
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
