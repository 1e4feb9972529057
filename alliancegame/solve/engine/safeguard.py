"""Share functions and replies in turn: a start from which Newton converges, found without Newton."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import math

    from alliancegame.payoff.generated import HUB, ally_marginal, power_m, power_rho
    from alliancegame.solve.engine.names import (
        ALPHA,
        BITE,
        DEMAND,
        FAILED,
        HIGH,
        LEVY,
        LOW,
        NEWTON,
        PRESSED,
        PRIVATE,
        RIVAL,
        SAFEGUARD,
        SCALE,
        SPILLIN,
        THETA,
        TINY,
        UMBRELLA,
        W_A,
        W_B,
        WEIGHT,
        WIDTH,
        Matrix,
        Vector,
    )
    from alliancegame.solve.engine.newton import ally_at, joint_newton, leader_at
    from alliancegame.solve.engine.stage import start, totals


def marginal(
    stage: Matrix,
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
        C += stage[WEIGHT, i] * power_m(stage[SCALE, i] * max(x, TINY), m)
    if own and i < n - 1:
        return ally_marginal(
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
    if i < n - 1:
        return ally_at(stage, i, x, below, Z, C, G, rho, m)[0]
    return leader_at(stage, n, x, Z, C, returned, rho, m)[0]


def falling_root(
    stage: Matrix,
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
    kinked = stage[PRESSED, i] > 0.0
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
    stage: Matrix,
    x: Vector,
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
    stage: Matrix,
    x: Vector,
    n: int,
    C: float,
    tied: bool,
    G: float,
    returned: float,
    rho: float,
    m: float,
    work: Matrix,
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
    stage: Matrix, x: Vector, n: int, returned: float, rho: float, m: float, work: Matrix
) -> None:
    """The allies' answer to the leader's burden by share functions (0 < rho <= 1, beta <= 1)."""
    k = n - 1
    G = stage[SCALE, k] * max(x[k], TINY)
    own = stage[WEIGHT, k] * power_m(G, m)
    tied = rho == m and not HUB
    indifferent = True
    for i in range(k):
        tied = tied and stage[WEIGHT, i] == stage[WEIGHT, 0]
        indifferent = indifferent and (HUB or stage[ALPHA, i] == 0.0)
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
    stage: Matrix, x: Vector, n: int, returned: float, rho: float, m: float, leader_free: bool
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
    stage: Matrix,
    x: Vector,
    n: int,
    returned: float,
    rho: float,
    m: float,
    leader_free: bool,
    work: Matrix,
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
    stage: Matrix,
    x: Vector,
    n: int,
    returned: float,
    rho: float,
    m: float,
    leader_free: bool,
    work: Matrix,
    safeguard_only: bool,
    tolerance: float,
) -> tuple[float, int, float, int]:
    """Newton, or the safeguard and Newton after it: (status, steps, largest possible gain, slot)."""
    done, steps, gain, worst = False, 0, math.inf, 0
    if not safeguard_only:
        done, steps, gain, worst = joint_newton(
            stage, x, n, returned, rho, m, leader_free, work, 40, tolerance
        )
        if done:
            return NEWTON, steps, gain, worst
    safeguarded(stage, x, n, returned, rho, m, leader_free, work)
    done, more, gain, worst = joint_newton(
        stage, x, n, returned, rho, m, leader_free, work, 60, tolerance
    )
    return (SAFEGUARD if done else FAILED), steps + more, gain, worst
