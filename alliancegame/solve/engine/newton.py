"""Newton on every condition at once, in O(n) a step.

While it runs, allies stand packed eight abreast: a block holds the rows P_... of eight allies at
fixed distances, so that the compiler sees which numbers cannot overlap and takes eight members in
one instruction. Padding fills the last block and never moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import math

    import numpy as np

    from alliancegame.payoff.generated import (
        CELL,
        HUB,
        LANES,
        P_ALPHA,
        P_BELOW,
        P_BITE,
        P_BURDEN,
        P_CX,
        P_DEMAND,
        P_F,
        P_FC,
        P_FG,
        P_FX,
        P_FZ,
        P_HIGH,
        P_KIND,
        P_LEFT,
        P_LEVY,
        P_LOW,
        P_POSSIBLE,
        P_PRESSED,
        P_PRIVATE,
        P_RIGHT,
        P_RIVAL,
        P_SAFE,
        P_SCALE,
        P_SPILLIN,
        P_STEP,
        P_THETA,
        P_UMBRELLA,
        P_WEIGHT,
        P_WIDTH,
        P_ZX,
        TAXED,
        ally_conditions,
        ally_sweep,
        leader_conditions,
        power_m,
        power_rho,
    )
    from alliancegame.solve.engine.names import (
        ALPHA,
        BITE,
        DEMAND,
        GAIN_ACCEPTED,
        HIGH,
        LEAST_SLOPE,
        LEVY,
        LOW,
        NEAR,
        PACKED_FROM,
        PADDING,
        PRESSED,
        PRIVATE,
        RIVAL,
        SCALE,
        SINGULAR,
        SPILLIN,
        THETA,
        TINY,
        UMBRELLA,
        WEIGHT,
        WIDTH,
        Matrix,
        Vector,
    )
    from alliancegame.solve.engine.stage import contests, observe


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
        stage[LEVY, i],
        stage[RIVAL, i],
        stage[WIDTH, i],
        rho,
        m,
    )


def lane_at(
    cell: Vector, j: int, below: float, Z: float, C: float, G: float, rho: float, m: float
) -> tuple[float, float, float, float, float]:
    """`ally_at` for a packed ally."""
    return ally_conditions(
        cell[P_SAFE + j],
        below,
        Z,
        C,
        G,
        cell[P_SCALE + j],
        cell[P_THETA + j],
        cell[P_ALPHA + j],
        cell[P_PRIVATE + j],
        cell[P_SPILLIN + j],
        cell[P_UMBRELLA + j],
        cell[P_BITE + j],
        cell[P_DEMAND + j],
        cell[P_WEIGHT + j],
        cell[P_LEVY + j],
        cell[P_RIVAL + j],
        cell[P_WIDTH + j],
        rho,
        m,
    )


def leader_at(
    stage: Matrix, n: int, x: float, Z: float, C: float, returned: float, rho: float, m: float
) -> tuple[float, float, float, float]:
    """The leader's marginal payoff and its derivatives, the allies as they were observed."""
    k = n - 1
    share, share_x, share_xx = contests(stage, n, max(x, TINY), m)
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
        stage[LEVY, k],
        share,
        share_x,
        share_xx,
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
    return min(d, LEAST_SLOPE)


def bounded(x: float, step: float, left: float, right: float, singular: bool) -> float:
    """The new burden, within its piece; burdens with a singular marginal at 0 never reach it."""
    new = x + step
    if singular and new < 0.1 * x:
        new = 0.1 * x
    return min(max(new, left), right)


def pack(stage: Matrix, x: Vector, k: int, cells: Vector) -> None:
    """Allies' rows of the stage and their burdens, eight abreast."""
    blocks = (k + LANES - 1) // LANES
    for b in range(blocks):
        cell = cells[b * CELL : (b + 1) * CELL]
        first = b * LANES
        for j in range(LANES):
            i = np.uint64(first) + np.uint64(
                j
            )  # Unsigned: no question whether it counts from the end.
            cell[P_SCALE + j] = stage[SCALE, i]
            cell[P_THETA + j] = stage[THETA, i]
            cell[P_ALPHA + j] = stage[ALPHA, i]
            cell[P_PRIVATE + j] = stage[PRIVATE, i]
            cell[P_SPILLIN + j] = stage[SPILLIN, i]
            cell[P_UMBRELLA + j] = stage[UMBRELLA, i]
            cell[P_BITE + j] = stage[BITE, i]
            cell[P_DEMAND + j] = stage[DEMAND, i]
            cell[P_WEIGHT + j] = stage[WEIGHT, i]
            cell[P_LEVY + j] = stage[LEVY, i]
            cell[P_RIVAL + j] = stage[RIVAL, i]
            cell[P_WIDTH + j] = stage[WIDTH, i]
            cell[P_PRESSED + j] = stage[PRESSED, i]
            cell[P_LOW + j] = stage[LOW, i]
            cell[P_HIGH + j] = stage[HIGH, i]
            cell[P_KIND + j] = stage[SINGULAR, i]
        real = min(k - first, LANES)
        for j in range(real):
            cell[P_BURDEN + j] = x[first + j]
        for j in range(real, LANES):
            for at in (P_THETA, P_ALPHA, P_PRIVATE, P_BITE, P_WEIGHT, P_LEVY, P_PRESSED, P_LOW):
                cell[at + j] = 0.0
            for at in (P_SCALE, P_SPILLIN, P_UMBRELLA, P_DEMAND, P_RIVAL, P_WIDTH, P_HIGH):
                cell[at + j] = 1.0
            cell[P_BURDEN + j], cell[P_KIND + j] = 0.5, PADDING
        for j in range(LANES):
            xi = cell[P_BURDEN + j]
            cell[P_SAFE + j] = max(xi, TINY)
            cell[P_BELOW + j] = 1.0 if xi < cell[P_DEMAND + j] else 0.0


def unpack(cells: Vector, k: int, x: Vector) -> None:
    """The allies' burdens, one after another again."""
    for b in range((k + LANES - 1) // LANES):
        cell = cells[b * CELL : (b + 1) * CELL]
        for j in range(min(k - b * LANES, LANES)):
            x[b * LANES + j] = cell[P_BURDEN + j]


def packed_totals(
    cells: Vector, first: int, last: int, k: int, Z: float, C: float, rho: float, m: float
) -> tuple[float, float]:
    """Z and the council sum with the contributions of these blocks added."""
    for b in range(first, last):
        cell = cells[b * CELL : (b + 1) * CELL]
        for j in range(min(k - b * LANES, LANES)):
            g = cell[P_SCALE + j] * cell[P_SAFE + j]
            Z += power_rho(g, rho)
            C += cell[P_WEIGHT + j] * power_m(g, m)
    return Z, C


def framed(cells: Vector, first: int, last: int) -> int:
    """Each ally's piece, its step per unit of marginal payoff, and what it could gain at most.

    Written without branches; returns how many allies stand at a bound or at the kink, where
    one-sided marginals decide.
    """
    edges = 0
    for b in range(first, last):
        cell = cells[b * CELL : (b + 1) * CELL]
        for j in range(LANES):
            f, f_x, xi = cell[P_F + j], cell[P_FX + j], cell[P_BURDEN + j]
            low, high, d = cell[P_LOW + j], cell[P_HIGH + j], cell[P_DEMAND + j]
            pressed, under = cell[P_PRESSED + j] > 0.0, xi < d
            real = cell[P_KIND + j] >= 0.0
            cell[P_LEFT + j] = max(low, d) if pressed & (not under) else low
            cell[P_RIGHT + j] = min(high, d) if pressed & under else high
            possible = f * (high - xi) if f > 0.0 else f * (low - xi)
            cell[P_POSSIBLE + j] = possible if real else 0.0
            scaled = f_x + f / cell[P_SAFE + j]
            nearly_linear = (cell[P_KIND + j] > 0.0) & (scaled <= 0.3 * f_x)
            step = -1.0 / min(LEAST_SLOPE, scaled if nearly_linear else f_x)
            cell[P_STEP + j] = step if real else 0.0
            edges += 1 if (xi <= low) | (xi >= high) | (pressed & (xi == d)) else 0
    return edges


def settle(cell: Vector, j: int, Z: float, C: float, G: float, rho: float, m: float) -> None:
    """An ally at a bound or at the kink: it stays, with a step of zero, or leaves for one side."""
    xi, low, high = cell[P_BURDEN + j], cell[P_LOW + j], cell[P_HIGH + j]
    d, pressed = cell[P_DEMAND + j], cell[P_PRESSED + j] > 0.0
    rightward, leftward = cell[P_F + j], cell[P_F + j]
    if pressed and xi == d:
        leftward = lane_at(cell, j, 1.0, Z, C, G, rho, m)[0]
    if xi >= high:
        rightward = -math.inf
    if xi <= low:
        leftward = math.inf
    if rightward <= 0.0 <= leftward:
        cell[P_STEP + j] = cell[P_POSSIBLE + j] = 0.0
        return
    if rightward <= 0.0:  # It leaves for the piece on its left: take the derivatives there.
        under = xi <= d
        f, f_x, f_z, f_c, f_g = lane_at(cell, j, 1.0 if under else 0.0, Z, C, G, rho, m)
        cell[P_F + j], cell[P_FX + j] = f, f_x
        cell[P_FZ + j], cell[P_FC + j], cell[P_FG + j] = f_z, f_c, f_g
        cell[P_STEP + j] = -1.0 / diagonal(f, f_x, xi, cell[P_KIND + j] > 0.0)
        cell[P_POSSIBLE + j] = -f * (xi - low)
        if pressed and under:
            cell[P_LEFT + j], cell[P_RIGHT + j] = low, min(high, d)


def settle_edges(
    cells: Vector, first: int, last: int, Z: float, C: float, G: float, rho: float, m: float
) -> None:
    """Settle every ally that stands at a bound or at the kink."""
    for b in range(first, last):
        cell = cells[b * CELL : (b + 1) * CELL]
        for j in range(LANES):
            xi, pressed = cell[P_BURDEN + j], cell[P_PRESSED + j] > 0.0
            at_bound = xi <= cell[P_LOW + j] or xi >= cell[P_HIGH + j]
            if at_bound or (pressed and xi == cell[P_DEMAND + j]):
                settle(cell, j, Z, C, G, rho, m)


def advance(
    cells: Vector, first: int, last: int, dZ: float, dC: float, dG: float, damping: float
) -> None:
    """Every ally's step, given what the aggregates do; within its piece, as in `bounded`."""
    for b in range(first, last):
        cell = cells[b * CELL : (b + 1) * CELL]
        for j in range(LANES):
            s, xi = cell[P_STEP + j], cell[P_BURDEN + j]
            pull = cell[P_F + j] + cell[P_FZ + j] * dZ + cell[P_FC + j] * dC + cell[P_FG + j] * dG
            new = xi + (damping * s * pull if s != 0.0 else 0.0)
            new = max(0.1 * xi if cell[P_KIND + j] > 0.0 else -math.inf, new)
            new = min(cell[P_RIGHT + j], max(cell[P_LEFT + j], new))
            cell[P_BURDEN + j] = new
            cell[P_SAFE + j] = max(new, TINY)
            cell[P_BELOW + j] = 1.0 if new < cell[P_DEMAND + j] else 0.0


def iterate(
    stage: Matrix,
    cells: Vector,
    x: Vector,
    n: int,
    returned: float,
    rho: float,
    m: float,
    leader_free: bool,
    most: int,
    tolerance: float,
) -> tuple[bool, int, float, int]:
    """The iteration of `joint_newton` on packed allies; of x it moves the leader's burden only.

    With s_i = -1 / D_i each burden moves by s_i (F_i + F_Z dZ + F_C dC + F_G dG); summing what that
    does to the aggregates leaves two equations in (dZ, dC), the leader's step being affine in them.
    """
    k = n - 1
    blocks = (k + LANES - 1) // LANES
    low, high, scale = stage[LOW, k], stage[HIGH, k], stage[SCALE, k]
    weight, singular = stage[WEIGHT, k], stage[SINGULAR, k] > 0.0
    previous = math.inf
    gain, worst = math.inf, 0
    Z, council = packed_totals(cells, 0, blocks, k, 0.0, 0.0, rho, m)
    for count in range(most):
        xl = x[k]
        G = scale * max(xl, TINY)
        own = weight * power_m(G, m)
        C = council + own
        if HUB or TAXED:
            unpack(cells, k, x)
            observe(stage, x, n)
        gain, worst = 0.0, 0
        zz, zc, zg, z0, cz, cc, cg, c0 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for first in range(0, blocks, NEAR):  # As many at a time as stay in the nearest cache.
            last = min(first + NEAR, blocks)
            ally_sweep(cells, first, last, Z, C, G, rho, m)
            if framed(cells, first, last) > 0:
                settle_edges(cells, first, last, Z, C, G, rho, m)
            for b in range(first, last):
                cell = cells[b * CELL : (b + 1) * CELL]
                for j in range(LANES):
                    step = cell[P_STEP + j]
                    z, c = cell[P_ZX + j] * step, cell[P_CX + j] * step
                    f, f_z = cell[P_F + j], cell[P_FZ + j]
                    f_c, f_g = cell[P_FC + j], cell[P_FG + j]
                    zz += z * f_z
                    zc += z * f_c
                    zg += z * f_g
                    z0 += z * f
                    cz += c * f_z
                    cc += c * f_c
                    cg += c * f_g
                    c0 += c * f
                    if not cell[P_POSSIBLE + j] <= gain:
                        gain, worst = cell[P_POSSIBLE + j], b * LANES + j
        g0, gz, gc, lead_step = 0.0, 0.0, 0.0, 0.0
        if leader_free:
            f, f_x, f_z, f_c = leader_at(stage, n, xl, Z, C, returned, rho, m)
            if not ((xl <= low and f <= 0.0) or (xl >= high and f >= 0.0)):
                possible = f * (high - xl) if f > 0.0 else -f * (xl - low)
                if not possible <= gain:
                    gain, worst = possible, k
                lead_step = -scale / diagonal(f, f_x, xl, singular)
                g0, gz, gc = lead_step * f, lead_step * f_z, lead_step * f_c
        if gain <= tolerance or (gain <= GAIN_ACCEPTED and gain >= 0.5 * previous):
            return True, count, gain, worst
        if not math.isfinite(gain):
            return False, count, gain, worst
        previous = gain
        # What moves the leader's revenue and its contests is left out: each step sees them anew.
        cg += m * own / G  # The leader's own part of the council.
        a11, a12, b1 = 1.0 - zz - zg * gz, -zc - zg * gc, z0 + zg * g0
        a21, a22, b2 = -cz - cg * gz, 1.0 - cc - cg * gc, c0 + cg * g0
        det = a11 * a22 - a12 * a21
        dZ = (b1 * a22 - a12 * b2) / det
        dC = (a11 * b2 - a21 * b1) / det
        dG = g0 + gz * dZ + gc * dC
        if not (math.isfinite(dZ) and math.isfinite(dC) and math.isfinite(dG)):
            return False, count, gain, worst
        damping = 1.0 if count < 15 else 0.5
        Z, council = 0.0, 0.0
        for first in range(0, blocks, NEAR):
            last = min(first + NEAR, blocks)
            advance(cells, first, last, dZ, dC, dG, damping)
            Z, council = packed_totals(cells, first, last, k, Z, council, rho, m)
        if lead_step != 0.0:
            x[k] = bounded(xl, damping * dG / scale, low, high, singular)
    return False, most, gain, worst


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
    """Newton on all conditions at once: (converged, steps, largest possible gain, its slot)."""
    k = n - 1
    cells = work.reshape(work.size)[PACKED_FROM * work.shape[1] :]
    pack(stage, x, k, cells)
    found = iterate(stage, cells, x, n, returned, rho, m, leader_free, most, tolerance)
    unpack(cells, k, x)
    return found
