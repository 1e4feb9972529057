"""Payoffs, and the best a member can do by deviating from a profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import math

    from alliancegame.payoff.generated import (
        HUB,
        ally_security_power,
        ally_value,
        influence_share,
        influence_worth,
        leader_security_power,
        leader_value,
        power_m,
        power_rho,
    )
    from alliancegame.solve.engine.names import (
        ALPHA,
        BITE,
        DEMAND,
        HIGH,
        LEVY,
        LOW,
        PRESSED,
        PRIVATE,
        RIVAL,
        SCALE,
        SPILLIN,
        THETA,
        THREAT,
        TINY,
        UMBRELLA,
        W_A,
        W_B,
        WEIGHT,
        WIDTH,
        Index,
        Matrix,
        Vector,
    )
    from alliancegame.solve.engine.newton import ally_at, leader_at
    from alliancegame.solve.engine.safeguard import falling_root, marginal
    from alliancegame.solve.engine.stage import contests, observe, totals


def member_value(
    stage: Matrix,
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
    """A member's payoff at its burden: Z is what the other allies contribute, C everybody's council sum."""
    alpha = stage[ALPHA, i]
    seat = 0.0
    if (
        not HUB and alpha > 0.0 and C <= 0.0
    ):  # Nobody contributes: influence goes by council weight alone.
        weight = 0.0
        for j in range(n):
            weight += stage[WEIGHT, j]
        seat = alpha * influence_worth(influence_share(stage[WEIGHT, i], weight))
        alpha = 0.0
    if i == n - 1:
        share, share_x, share_xx = contests(stage, n, x, m)
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
            stage[LEVY, i],
            share,
            share_x,
            share_xx,
            rho,
            m,
        )
    below = 1.0 if stage[PRESSED, i] > 0.0 and x < stage[DEMAND, i] else 0.0
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
        stage[LEVY, i],
        stage[RIVAL, i],
        stage[WIDTH, i],
        rho,
        m,
    )


def value_against(
    stage: Matrix,
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
    C = council + stage[WEIGHT, i] * power_m(stage[SCALE, i] * x, m)
    return member_value(stage, i, n, x, others, C, G, returned, rho, m)


def scanned_reply(
    stage: Matrix,
    i: int,
    n: int,
    others: float,
    council: float,
    G: float,
    returned: float,
    rho: float,
    m: float,
    points: int,
) -> float:
    """The best burden on a grid that contains the kink, then refined within the two cells beside it."""
    low, high, d = stage[LOW, i], stage[HIGH, i], stage[DEMAND, i]
    best, best_value = low, value_against(stage, i, n, low, others, council, G, returned, rho, m)
    if low < d < high:
        value = value_against(stage, i, n, d, others, council, G, returned, rho, m)
        if value > best_value:
            best, best_value = d, value
    for j in range(1, points + 1):
        share = j / points
        point = low + (high - low) * share * share  # Denser where burdens are small.
        value = value_against(stage, i, n, point, others, council, G, returned, rho, m)
        if value > best_value:
            best, best_value = point, value
    share = math.sqrt(max((best - low) / (high - low), 0.0))
    a = low + (high - low) * max(share - 1.0 / points, 0.0) ** 2
    b = low + (high - low) * min(share + 1.0 / points, 1.0) ** 2
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
    stage: Matrix,
    x: Vector,
    n: int,
    returned: float,
    rho: float,
    m: float,
    leader_free: bool,
    concave: bool,
    points: int,
    gains: Vector,
    replies: Vector,
    work: Matrix,
) -> None:
    """Each member's best reply to the others over its whole action set, and what it gains by it.

    Where payoffs are concave in the own burden the reply is the root of a falling marginal; else it
    is the best of a scan of so many points. The others' sums come from both sides, so that no own
    part is subtracted.
    """
    k = n - 1
    observe(stage, x, n)
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
            reply = scanned_reply(stage, i, n, others, council, G, returned, rho, m, points)
        now = value_against(stage, i, n, x[i], others, council, G, returned, rho, m)
        then = value_against(stage, i, n, reply, others, council, G, returned, rho, m)
        if not HUB and council == 0.0 and reply == 0.0 and stage[ALPHA, i] > 0.0:
            # Alone in the council, the least positive contribution takes all influence: a supremum.
            least = stage[LOW, i] + 1e-12 * (stage[HIGH, i] - stage[LOW, i])
            alone = value_against(stage, i, n, least, others, council, G, returned, rho, m)
            if alone > then:
                reply, then = least, alone
        if not now >= then:
            gains[i] = then - now if math.isfinite(now) else math.inf
            replies[i] = reply


def reply_on_piece(
    stage: Matrix,
    i: int,
    n: int,
    a: float,
    b: float,
    below: float,
    guess: float,
    Z: float,
    C: float,
    G: float,
    returned: float,
    rho: float,
    m: float,
) -> float:
    """The best burden on one concave piece [a, b], Z and C being the others': bracketed Newton.

    An end is asked for its marginal payoff only when a step would cross it.
    """
    x = min(max(guess, a), b)
    low_known, high_known = False, False  # Whether the marginal payoff at an end points inwards.
    for _ in range(100):
        safe = max(x, TINY)
        g = stage[SCALE, i] * safe
        pull = stage[WEIGHT, i] * power_m(g, m)
        if i < n - 1:
            power = power_rho(g, rho)
            f, f_x, f_z, f_c, _ = ally_at(stage, i, x, below, Z + power, C + pull, G, rho, m)
            slope = f_x + f_z * rho * power / safe + f_c * m * pull / safe
        else:
            f, f_x, _, f_c = leader_at(stage, n, x, Z, C + pull, returned, rho, m)
            slope = f_x + f_c * m * pull / safe
        new = x - f / slope
        if abs(new - x) <= 1e-15 * b and a <= new <= b:
            break
        if f > 0.0:
            a, low_known = x, True
            if not new < b and not high_known:
                if marginal(stage, i, n, b, below, Z, C, G, returned, True, rho, m) >= 0.0:
                    return b
                high_known = True
        else:
            b, high_known = x, True
            if not new > a and not low_known:
                if marginal(stage, i, n, a, below, Z, C, G, returned, True, rho, m) <= 0.0:
                    return a
                low_known = True
        if not a < new < b:
            new = 0.5 * (a + b)
            if not a < new < b:
                break
        x = new
    return x


def without_own(stage: Matrix, x: Vector, n: int, i: int, Z: float, rho: float) -> float:
    """What the other allies contribute to Z: the difference, or their sum where that loses digits."""
    if i == n - 1:
        return Z
    own = power_rho(stage[SCALE, i] * x[i], rho)
    if own <= 0.5 * Z:
        return Z - own
    others = 0.0
    for j in range(n - 1):
        if j != i:
            others += power_rho(stage[SCALE, j] * x[j], rho)
    return others


def searched_regret(
    stage: Matrix,
    x: Vector,
    n: int,
    returned: float,
    rho: float,
    m: float,
    leader_free: bool,
) -> tuple[float, int]:
    """The largest gain of any member from its best burden on every piece: (gain, slot).

    Each piece must be concave; unlike the bound from one marginal, this compares payoffs. A piece
    whose best burden is the kink adds nothing: the kink belongs to the other piece as well.
    """
    Z, C, G = totals(stage, x, n, rho, m)
    largest, worst = 0.0, 0
    for i in range(n if leader_free else n - 1):
        low, high, d, xi = stage[LOW, i], stage[HIGH, i], stage[DEMAND, i], x[i]
        g = stage[SCALE, i] * max(xi, TINY)
        others = without_own(stage, x, n, i, Z, rho)
        council = max(C - stage[WEIGHT, i] * power_m(g, m), 0.0)
        a, b, below, other = low, high, 1.0 if d >= high else 0.0, xi
        if stage[PRESSED, i] > 0.0 and low < d < high:
            if xi <= d:
                b, below, above = d, 1.0, 0.0
                away = marginal(stage, i, n, d, above, others, council, G, returned, True, rho, m)
                if away > 0.0:
                    other = reply_on_piece(
                        stage, i, n, d, high, above, d, others, council, G, returned, rho, m
                    )
            else:
                a, below, above = d, 0.0, 1.0
                away = marginal(stage, i, n, d, above, others, council, G, returned, True, rho, m)
                if away < 0.0:
                    other = reply_on_piece(
                        stage, i, n, low, d, above, d, others, council, G, returned, rho, m
                    )
        reply = reply_on_piece(stage, i, n, a, b, below, xi, others, council, G, returned, rho, m)
        if reply == xi and other == xi:
            continue
        now = value_against(stage, i, n, xi, others, council, G, returned, rho, m)
        then = value_against(stage, i, n, reply, others, council, G, returned, rho, m)
        if other != xi:
            then = max(
                then, value_against(stage, i, n, other, others, council, G, returned, rho, m)
            )
        if then - now > largest:
            largest, worst = then - now, i
    return largest, worst


def hub_influence(stage: Matrix, i: int, n: int, x: float, G: float, m: float) -> float:
    """A member's influence in a hub: its share of its contest, the leader's the mean over allies."""
    if i == n - 1:
        return contests(stage, n, x, m)[0]
    own = power_m(stage[SCALE, i] * x, m)
    return influence_share(own, stage[WEIGHT, i] * power_m(G, m) + own + stage[RIVAL, i])


def describe(
    stage: Matrix,
    x: Vector,
    n: int,
    returned: float,
    rho: float,
    m: float,
    payoff: Vector,
    influence: Vector,
    security: Vector,
    order: Index,
) -> None:
    """Payoff, influence and security of every member, in member order."""
    k = n - 1
    observe(stage, x, n)
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
        others = without_own(stage, x, n, i, Z, rho)
        payoff[member] = member_value(stage, i, n, x[i], others, C, G, returned, rho, m)
        pull = stage[WEIGHT, i] * power_m(stage[SCALE, i] * x[i], m)
        influence[member] = influence_share(pull, C) if C > 0.0 else stage[WEIGHT, i] / weights
        if HUB:
            influence[member] = hub_influence(stage, i, n, x[i], G, m)
        if i < k:
            below = 1.0 if stage[THREAT, i] > 0.0 and x[i] < stage[DEMAND, i] else 0.0
            power = ally_security_power(
                x[i],
                below,
                others,
                C,
                G,
                stage[SCALE, i],
                stage[THETA, i],
                stage[ALPHA, i],
                stage[PRIVATE, i],
                stage[SPILLIN, i],
                stage[UMBRELLA, i],
                stage[THREAT, i],
                stage[DEMAND, i],
                stage[WEIGHT, i],
                stage[LEVY, i],
                stage[RIVAL, i],
                stage[WIDTH, i],
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
                0.0,
                0.0,
                0.0,
                0.0,
                rho,
                m,
            )
        security[member] = power if rho == 1.0 else power ** (1.0 / rho)
