"""Equilibria when a threat is carried out only where the leader then wants to.

An ally reckons with what the leader would do at the burden that it contemplates, so that its payoff
jumps where execution switches, upwards towards no execution. No ally stays at such a point: a little
further it gains the jump. In an equilibrium every ally is therefore inside a region on which its own
execution is settled, where its payoff is that of the game in which just those threats exist that are
carried out. With its threat the ally is then at its best in that game: elsewhere it could have at least
as much. Without, it is at a peak of its payoff without a threat, which is the best of all where that is
concave (else equilibria can be missed). So the profile is an answer of
that game, and equilibria are found by trying the sets of executed threats (`credible_candidates`),
keeping those that the leader then chooses (`execution`) and from which nobody gains by any deviation,
jumps included (`credible_gains`).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from alliancegame.errors import UnsupportedFormError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import certificate
from alliancegame.solve.aggregative import Batch
from alliancegame.solve.certificate import Certificate, Unique, Verdict, usd_bn
from alliancegame.solve.leader.credible_candidates import (
    Asked,
    Candidates,
    Index,
    Worth,
    all_sets,
    all_sides,
    candidates,
)
from alliancegame.solve.leader.credible_gains import POINTS, Deviating, Gains
from alliancegame.solve.leader.execution import Mask, never_executed
from alliancegame.solve.result import Equilibrium
from alliancegame.solve.tolerances import Tolerances

MOST_ENUMERATED = {False: 10, True: 7}
"""Threatened allies up to whose number every set of executions is tried, by whether the leader plays
its burden: each set then takes a scan."""
MOST_SIDES = {False: 7, True: 4}
"""The same with triggers, where each ally has three sides."""
ROOTS = 121
"""Burdens of the leader that are scanned for roots."""
GAINS = 1e-9
"""Gains below this are rounding."""


@dataclasses.dataclass(frozen=True, eq=False)
class Answers:
    """Equilibria under one plan, the best for the leader first: `kept` candidates and their `gains`.

    `bounds` are proved gains, where they were asked for; `tried` sets of executions were tried,
    `complete` says whether these were all; `tempted` maps members to what they gain by leaving a profile
    at which execution and answers agree.
    """

    kept: Candidates
    value: Array
    gains: tuple[Gains, ...]
    bounds: tuple[Gains, ...]
    tried: int
    complete: bool
    tempted: tuple[tuple[str, float], ...]


def answers(
    game: BurdenSharingGame,
    plan: Plan,
    worth: Worth | None = None,
    points: int = POINTS,
    *,
    prove: bool = False,
) -> Answers:
    """All equilibria that are found under a plan; `worth` says what the leader ranks them by.

    Deviations are scanned at so many `points` on either side of a demand, and closer from there; with
    `prove` what a scan lets through is searched by branch and bound as well.
    """
    asked, sets, complete = _tried(game, plan)
    found = candidates(game, asked, sets, ROOTS)
    found = found.take(found.agree)
    kept: list[int] = []
    gains: list[Gains] = []
    bounds: list[Gains] = []
    tempted: dict[str, float] = {}
    for k in range(len(found.payoff)):
        if any(np.allclose(found.batch.burden[k], found.batch.burden[j], atol=1e-9) for j in kept):
            continue
        at = Deviating(game, plan, found.batch.burden[k], found.batch.trust[k])
        made = [at.scanned(points)]
        if prove and made[0].gain.max() <= GAINS:
            made.append(at.proved())
        sure = np.where(made[-1].proved, made[-1].gain, made[0].gain)
        if sure.max() <= GAINS:
            kept.append(k)
            gains.append(made[0])
            bounds += made[1:]
        else:
            who = int(sure.argmax())
            tempted[game.members[who]] = float(sure[who])
    found = found.take(np.array(kept, dtype=np.intp))
    value = found.payoff if worth is None else worth(found.batch)
    order = np.argsort(-value, kind="stable")
    return Answers(
        found.take(order), value[order], tuple(gains[k] for k in order),
        tuple(bounds[k] for k in order) if prove else (), len(sets), complete, tuple(tempted.items()),
    )  # fmt: skip


def _tried(game: BurdenSharingGame, plan: Plan) -> tuple[Asked, Mask, bool]:
    """The sets of executions to try, each with its plan, and whether these are all."""
    asked = Asked.of(game, plan, 1)
    never = never_executed(game)
    if game.shortfall == "trigger":
        pressed = int(asked.pressed(game).sum())
        most = MOST_SIDES[asked.simultaneous]
        if pressed > most:
            raise UnsupportedFormError(
                f"credible_targets tries every side of every ally with triggers, for at most {most} allies "
                f"under pressure here; got {pressed}: threaten fewer, or use "
                'shortfall="proportional".'
            )
        return *all_sides(game, plan, not never), True
    at = np.flatnonzero(asked.relevant(game)[0])
    if never or not len(at):
        sets, complete = np.zeros((1, game.size), dtype=bool), True
    elif len(at) <= MOST_ENUMERATED[asked.simultaneous]:
        sets, complete = np.array(list(all_sets(game.size, at))), True
    else:
        sets, complete = _chased(game, plan, at), False
    return Asked.of(game, plan, len(sets)), sets, complete


def _chased(game: BurdenSharingGame, plan: Plan, at: Index) -> Mask:
    """Sets to which execution and answers lead, from all and from none, and their neighbours."""
    found: dict[bytes, Mask] = {}
    asked = Asked.of(game, plan, 1)
    for start in (True, False):
        now = np.zeros(game.size, dtype=bool)
        now[at] = start
        for _ in range(30):
            if now.tobytes() in found:
                break
            found[now.tobytes()] = now
            made = candidates(game, asked, now[None])
            solved = np.flatnonzero(np.isfinite(made.payoff))
            if not len(solved):
                break
            best = solved[int(made.payoff[solved].argmax())]
            now = np.zeros(game.size, dtype=bool)
            now[at] = made.executed[best, at]
    for base in list(found.values()):
        for i in at:
            flipped = base.copy()
            flipped[i] = ~flipped[i]
            found.setdefault(flipped.tobytes(), flipped)
    return np.array(list(found.values()))


def equilibria_of(
    game: BurdenSharingGame, plan: Plan, found: Answers, tolerances: Tolerances
) -> tuple[Equilibrium, ...]:
    """Proved answers as results: payoffs with what is carried out, the leader's with what it saves."""
    batch: Batch = found.kept.batch
    made = []
    for k, (scanned, bounds) in enumerate(zip(found.gains, found.bounds, strict=True)):
        x, trust = batch.burden[k], batch.trust[k]
        payoffs = batch.payoff[k].copy()
        payoffs[game.members.leader_index] = found.kept.payoff[k]
        proof = _certificate(game, plan, found, x, trust, scanned, bounds, tolerances)
        made.append(
            Equilibrium(
                game, plan, f"credible {'nash' if plan.burden is None else 'response'}", x, payoffs,
                batch.influence[k], batch.security[k], trust, proof,
                "credible threats only: those of allies that the leader wants to carry out",
            )
        )  # fmt: skip
    return tuple(made)


def _certificate(
    game: BurdenSharingGame, plan: Plan, found: Answers, x: Array, trust: Array, scanned: Gains,
    bounds: Gains, tolerances: Tolerances,
) -> Certificate:  # fmt: skip
    """What is proved of a profile: bounds on everybody's gains if they can be had, else a scan's."""
    sure = bool(bounds.proved.all())
    gain = np.where(bounds.proved, bounds.gain, scanned.gain)
    worst = int(gain.argmax())
    regret = float(gain[worst])
    verdict: Verdict = "certified" if sure and regret <= tolerances.certified else "approximate"
    players = "every ally" if plan.burden is not None else "every member"
    return Certificate(
        verdict, regret, float(usd_bn(game, gain, x)[worst]),
        game.members[worst] if regret > 0 else None,
        *_unique(game, plan, found, x, trust), _method(game, bounds),
        f"unilateral deviations of {players}, executions chosen anew at each burden; no coalitions",
        tolerances,
    )  # fmt: skip


def _method(game: BurdenSharingGame, bounds: Gains) -> str:
    if bounds.proved.all():
        return (
            "branch and bound over every action set: payoffs with the threat and without enclosed by "
            "interval arithmetic, and the leader's choice decided on every box or left open"
        )
    names = ", ".join(m for m, sure in zip(game.members, bounds.proved, strict=True) if not sure)
    return (
        "scan of each action set, executions chosen anew at each burden, refined at its best point; no "
        f"proof for {names}"
    )


def _unique(
    game: BurdenSharingGame, plan: Plan, found: Answers, x: Array, trust: Array
) -> tuple[Unique, str]:
    """What is known of the number of equilibria."""
    count = len(found.gains)
    if count > 1:
        return "multiple", f"{count} found among {found.tried} sets of executions"
    quiet = plan.replace(threat=0.0)
    if plan.burden is None:
        if never_executed(game):
            return certificate.nash_unique(game, quiet, x, trust)
        return (
            "not proven",
            f"one found among {found.tried} sets of executions, the leader's burden scanned at {ROOTS}",
        )
    # Members who may share a burden in any way may do so with the threat or without it.
    proved = found.complete and all(
        certificate.followers_unique(game, one, x, trust)[0] == "proven" for one in (plan, quiet)
    )
    if proved:
        return (
            "proven",
            f"all {found.tried} sets of executions tried; the theorem on followers holds for each",
        )
    return "not proven", f"1 found among {found.tried} sets of executions"
