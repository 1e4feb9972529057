"""The allies' answers when a threat is carried out only where the leader then wants to.

An ally reckons with what the leader would do at the burden that it contemplates, so that its payoff
jumps where execution switches, upwards towards no execution. No ally stays at such a point: a little
further it gains the jump. In an equilibrium every ally is therefore inside a region on which its own
execution is settled, where its payoff is that of the game in which just those threats exist that are
carried out; so the profile is an answer of that game, and all equilibria are found by trying the sets
of executed threats, keeping those that the leader then chooses (`execution`) and from which nobody
gains by any deviation, jumps included.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.payoff.conditions import derivatives
from alliancegame.solve import aggregative, certificate
from alliancegame.solve.aggregative import Batch
from alliancegame.solve.certificate import Certificate, usd_bn
from alliancegame.solve.derivatives import inputs
from alliancegame.solve.derivatives.implicit import form_of
from alliancegame.solve.leader.execution import Mask, execute, never_executed, stakes_at, stakes_of
from alliancegame.solve.result import Equilibrium
from alliancegame.solve.tolerances import Tolerances

Index = NDArray[np.intp]

MOST_ENUMERATED = 10
"""Threatened allies up to whose number every set of executions is tried."""
FEW = 6
"""The same while plans are searched."""
POINTS = 161
"""Burdens at which each ally's deviations are looked for before the best is refined."""
GAINS = 1e-9
"""Gains below this are rounding."""


@dataclasses.dataclass(frozen=True, eq=False)
class Answers:
    """Equilibria under one plan: burdens (equilibrium, member), who is executed, regrets.

    `tried` sets of executions were tried, `complete` says whether these were all; `tempted` maps allies
    to what they gain by leaving where no equilibrium was found.
    """

    batch: Batch
    executed: Mask
    payoff: Array
    regret: Array
    worst: tuple[int, ...]
    tried: int
    complete: bool
    tempted: tuple[tuple[str, float], ...]


def _solve(
    game: BurdenSharingGame, threats: Array, demands: Array, burdens: Array, sets: Mask
) -> tuple[Batch, Mask]:
    """Allies' answers where just the threats of a set exist, and whom the leader then abandons.

    All by case: threats and demands (case, n), burdens (case,), sets (case, n).
    """
    credibility = game.by_member("credibility")
    changes: dict[str | tuple[str, str], Array] = {
        ("credibility", member): credibility[i] * sets[:, i]
        for i, member in enumerate(game.members)
        if member != game.leader
    }
    batch = aggregative.solve_plans(game, threats, demands, burdens, whole=True, changes=changes)
    x, mean = np.nan_to_num(batch.burden), np.nan_to_num(batch.column("mean_trust"))
    return batch, execute(stakes_of(game, threats, demands, x, mean))


def _under(game: BurdenSharingGame, plan: Plan, sets: Mask) -> tuple[Batch, Mask]:
    """The same under one plan."""
    count = len(sets)
    threats = np.tile(plan.threat_by_member(game.members), (count, 1))
    demands = np.tile(plan.demand_by_member(game.members), (count, 1))
    return _solve(game, threats, demands, np.full(count, plan.burden), sets)


def promised(
    game: BurdenSharingGame, threats: Array, demands: Array, burdens: Array, rounds: int = 8
) -> Array:
    """The leader's best payoff over profiles at which execution and answers agree, (plan,); nan if none.

    Few allies: every set; else the sets to which one leads the other from all and from none. Deviations
    over jumps are not looked for: who takes such a plan has to ask `answers`.
    """
    plans, n = threats.shape
    at = np.flatnonzero(
        (game.by_member("credibility") * game.by_member("security_weight") > 0)
        & (np.arange(n) != game.members.leader_index)
    )
    found = np.full(plans, np.nan)

    def offer(batch: Batch, executed: Mask, sets: Mask, rows: Index) -> None:
        relevant = (threats[rows][:, at] > 0) & ~never_executed(game)
        good = ((executed[:, at] == sets[:, at]) | ~relevant).all(axis=1)
        stakes = stakes_of(
            game, threats[rows], demands[rows], np.nan_to_num(batch.burden),
            np.nan_to_num(batch.column("mean_trust")),
        )  # fmt: skip
        payoff = np.where(good, batch.leader_payoff + stakes.worth(executed), np.nan)
        np.fmax.at(found, rows, payoff)

    if never_executed(game):
        sets = np.zeros((plans, n), dtype=bool)
        offer(*_solve(game, threats, demands, burdens, sets), sets, np.arange(plans))
    elif len(at) <= FEW:
        for choice in itertools.product((True, False), repeat=len(at)):
            sets = np.zeros((plans, n), dtype=bool)
            sets[:, at] = choice
            offer(*_solve(game, threats, demands, burdens, sets), sets, np.arange(plans))
    else:
        for start in (True, False):
            sets = np.zeros((plans, n), dtype=bool)
            sets[:, at] = start
            for _ in range(rounds):
                batch, executed = _solve(game, threats, demands, burdens, sets)
                offer(batch, executed, sets, np.arange(plans))
                sets = np.zeros((plans, n), dtype=bool)
                sets[:, at] = executed[:, at]
    return found


def _targets(game: BurdenSharingGame, plan: Plan) -> Index:
    """Allies whose burden a threat that is carried out would move."""
    bite = plan.threat_by_member(game.members) * game.by_member("credibility")
    return np.flatnonzero(bite * game.by_member("security_weight") > 0)


def answers(game: BurdenSharingGame, plan: Plan, points: int = POINTS) -> Answers:
    """All equilibria that are found under a plan that names the leader's burden."""
    at = _targets(game, plan)
    n = game.size
    lasting = never_executed(game)
    if lasting or not len(at):
        sets, complete = np.zeros((1, n), dtype=bool), True
    elif len(at) <= MOST_ENUMERATED:
        combinations = list(itertools.product((True, False), repeat=len(at)))
        sets = np.zeros((len(combinations), n), dtype=bool)
        sets[:, at] = np.array(combinations)
        complete = True
    else:
        sets, complete = _chased(game, plan, at), False
    batch, chosen = _under(game, plan, sets)
    solved = np.isfinite(batch.leader_payoff)
    agree = solved & (chosen[:, at] == sets[:, at]).all(axis=1)
    if lasting:
        agree = solved
    kept: list[int] = []
    regret: list[float] = []
    worst: list[int] = []
    tempted: dict[str, float] = {}
    for k in np.flatnonzero(agree).tolist():
        if any(np.allclose(batch.burden[k], batch.burden[j], atol=1e-10) for j in kept):
            continue
        gains = deviations(game, plan, batch.burden[k], batch.trust[k], points)
        if gains.max() <= GAINS:
            kept.append(k)
            regret.append(float(gains.max()))
            worst.append(int(gains.argmax()))
        else:
            who = int(gains.argmax())
            tempted[game.members[who]] = float(gains[who])
    mean = batch.column("mean_trust")
    worth = np.array(
        [stakes_at(game, plan, batch.burden[[k]], mean[k]).worth(chosen[[k]])[0] for k in kept]
    )
    picked = Batch(*(getattr(batch, f.name)[kept] for f in dataclasses.fields(Batch)))
    payoff = picked.leader_payoff + worth if kept else np.zeros(0)
    order = np.argsort(-payoff, kind="stable")
    picked = Batch(*(getattr(picked, f.name)[order] for f in dataclasses.fields(Batch)))
    return Answers(
        picked, chosen[kept][order], payoff[order], np.array(regret)[order],
        tuple(worst[k] for k in order), len(sets), complete, tuple(tempted.items()),
    )  # fmt: skip


def _chased(game: BurdenSharingGame, plan: Plan, at: Index) -> Mask:
    """Sets to which execution and answers lead, from all and from none, and their neighbours."""
    found: dict[bytes, Mask] = {}
    for start in (True, False):
        now = np.zeros(game.size, dtype=bool)
        now[at] = start
        for _ in range(30):
            if now.tobytes() in found:
                break
            found[now.tobytes()] = now
            batch, wanted = _under(game, plan, now[None])
            if not np.isfinite(batch.leader_payoff[0]):
                break
            now = np.zeros(game.size, dtype=bool)
            now[at] = wanted[0, at]
    for base in list(found.values()):
        for i in at:
            flipped = base.copy()
            flipped[i] = ~flipped[i]
            found.setdefault(flipped.tobytes(), flipped)
    return np.array(list(found.values()))


def deviations(
    game: BurdenSharingGame, plan: Plan, x: Array, trust: Array, points: int = POINTS
) -> Array:
    """What each ally gains at most by another burden, executions chosen anew there; (n,), 0 for the leader.

    A lattice over the whole action set, denser at small burdens, with the demand, refined three times
    around its best point.
    """
    lead, n = game.members.leader_index, game.size
    allies = [i for i in range(n) if i != lead]
    low, high = game.by_member("burden_min")[allies], game.by_member("burden_max")[allies]
    demand = np.clip(plan.demand_by_member(game.members)[allies], low, high)
    share = np.linspace(0.0, 1.0, points) ** 2
    below, above = (
        start[:, None] + (end - start)[:, None] * share
        for start, end in ((low, demand), (demand, high))
    )
    lattice = np.sort(np.concatenate([below, above], axis=1), axis=1)
    here = _payoffs(game, plan, x, trust, allies, x[allies][:, None])[:, 0]
    best = np.full(len(allies), -np.inf)
    rows = np.arange(len(allies))
    for _ in range(4):
        values = _payoffs(game, plan, x, trust, allies, lattice)
        top = values.argmax(axis=1)
        best = np.maximum(best, values[rows, top])
        left = lattice[rows, np.maximum(top - 1, 0)]
        right = lattice[rows, np.minimum(top + 1, lattice.shape[1] - 1)]
        lattice = left[:, None] + (right - left)[:, None] * np.linspace(0, 1, 33)
    gains = np.zeros(n)
    gains[allies] = np.where(np.isfinite(here), np.maximum(best - here, 0.0), np.inf)
    return gains


def _payoffs(
    game: BurdenSharingGame, plan: Plan, x: Array, trust: Array, allies: list[int], own: Array
) -> Array:
    """Allies' payoffs at burdens of their own, (ally, point), executions chosen anew at each."""
    n, lead = game.size, game.members.leader_index
    count, points = own.shape
    profiles = np.repeat(np.tile(x, (count, 1))[:, None, :], points, axis=1)
    for row, i in enumerate(allies):
        profiles[row, :, i] = own[row]
    flat = profiles.reshape(-1, n)
    done = execute(stakes_at(game, plan, flat, float(trust[lead]))).reshape(count, points, n)
    executed = np.array([done[row, :, i] for row, i in enumerate(allies)])
    facts = {
        name: np.broadcast_to(value, (1, n))[0][allies][:, None]
        for name, value in inputs.seen(
            game,
            form_of(game),
            inputs.given(game, plan),
            x,
            x < plan.demand_by_member(game.members),
        ).items()
    }
    rho, m = game.substitution, game.decisiveness
    own = np.maximum(own, inputs.TINY)
    g = facts["scale"] * own
    there = {
        **facts, "x": own, "g": g, "rho": rho, "m": m, "bite": facts["bite"] * executed,
        "below": (own < facts["demand"]).astype(float),
        "Z": facts["Z"] + g**rho - facts["g"] ** rho,
        "C": facts["C"] + facts["weight"] * (g**m - facts["g"] ** m),
    }  # fmt: skip
    there = {name: np.broadcast_to(value, own.shape) for name, value in there.items()}
    with np.errstate(all="ignore"):
        found = derivatives(form_of(game), "ally", "payoff", ("value",))(there)[0]
    return np.where(np.isnan(found), -np.inf, found)


def equilibria_of(
    game: BurdenSharingGame, plan: Plan, found: Answers, tolerances: Tolerances
) -> tuple[Equilibrium, ...]:
    """The answers as results: payoffs with what is carried out, the leader's with what it saves."""
    lead = game.members.leader_index
    made = []
    quiet = plan.replace(threat=0.0)
    for k in range(len(found.payoff)):
        x = found.batch.burden[k]
        payoffs, securities = found.batch.payoff[k].copy(), found.batch.security[k].copy()
        payoffs[lead] = found.payoff[k]
        stakes = stakes_at(game, plan, x[None], float(found.batch.trust[k][lead]))
        gone = float(stakes.returned[0]) * float((stakes.lost[0] * found.executed[k]).sum())
        power = max(float(stakes.strength[0]) - gone, 0.0)
        securities[lead] = power ** (1 / stakes.rho) if power > 0 or stakes.rho > 0 else np.nan
        regret = found.regret[k]
        gain = np.full(game.size, regret)
        # Members who may share a burden in any way may do so with the threat or without it.
        proved = found.complete and all(
            certificate.followers_unique(game, one, x, found.batch.trust[k])[0] == "proven"
            for one in (plan, quiet)
        )
        several = len(found.payoff) > 1
        reason = (
            f"{len(found.payoff)} found among {found.tried} sets of executions"
            if several or not proved
            else f"all {found.tried} sets of executions tried; the theorem on followers holds for each"
        )
        made.append(
            Equilibrium(
                game, plan, "response", x, payoffs, found.batch.influence[k], securities,
                found.batch.trust[k],
                Certificate(
                    "approximate", regret, float(usd_bn(game, gain, x)[found.worst[k]]),
                    game.members[found.worst[k]] if regret > 0 else None,
                    "multiple" if several else "proven" if proved else "not proven", reason,
                    "scan of each ally's action set, executions chosen anew at each burden, refined "
                    "at its best point",
                    f"unilateral deviations of every ally at {2 * POINTS} burdens; no coalitions",
                    tolerances,
                ),
                "credible threats only: those of allies that the leader wants to carry out",
            )
        )  # fmt: skip
    return tuple(made)
