"""Nash equilibrium of all members, and the allies' response to a leader's burden."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import ConvergenceError, InvalidValueError, ZeroTrustError
from alliancegame.game.checks import check_game, check_plan_type
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative, certificate, extremes, multiple
from alliancegame.solve.aggregative import Batch
from alliancegame.solve.certificate import Certificate, Unique
from alliancegame.solve.proved_gains import global_gains
from alliancegame.solve.result import Equilibrium
from alliancegame.solve.tolerances import DEFAULT, Tolerances, check_tolerances
from alliancegame.solve.trigger.sides import without_jumps


def solve_nash(
    game: BurdenSharingGame,
    plan: Plan | None = None,
    *,
    tolerances: Tolerances = DEFAULT,
    throw: bool = True,
) -> Equilibrium:
    """The Nash equilibrium in burdens under a plan (docs/theory/equilibrium), `Plan()` by default.

    A burden named in the plan is held fixed, and the result is then the allies' response. Where the
    theorem on simultaneous Nash does not hold, every root of the leader's condition is searched;
    where several answers of the allies are to be expected (spill-ins above 1, rho < 0, payoffs that
    are not concave), best replies from several starts look for more. Elsewhere outside the theorem
    on followers one answer is given, and uniqueness "not proven". The best for the leader is
    returned, the rest stand in `others`; the certificate says how they were searched.

    Raises `ZeroTrustError` if trust has gone and the leader values influence in logs, and
    `ConvergenceError` if nothing is found; with `throw=False` the result then says "unverified" and
    its `message` why. Errors in the plan raise always.
    """
    plan = Plan() if plan is None else plan
    check_game(game, "solve_nash", extremes=True)
    check_tolerances(tolerances)
    aggregative.check_plan(game, plan)
    if game.technology != "ces":
        return extremes.solve(game, plan, tolerances=tolerances, throw=throw)
    if game.shortfall == "trigger":
        return _with_triggers(game, plan, tolerances, throw)
    if game.shortfall == "logistic" and not pressed(game, plan):
        plain = without_jumps(game)
        return _as_logistic(game, _smooth(plain, plan, tolerances, throw))
    return _smooth(game, plan, tolerances, throw)


def _smooth(
    game: BurdenSharingGame, plan: Plan, tolerances: Tolerances, throw: bool
) -> Equilibrium:
    """`solve_nash` of a game that the engine reads."""
    batch = aggregative.solve_plan(game, plan)
    failure = _failure(game, plan, batch)
    found = None if failure is not None else _equilibrium(game, plan, batch, tolerances)
    if not isinstance(failure, ZeroTrustError):
        if found is not None and found.certificate.verdict != "unverified":
            state = found.certificate.unique
        else:
            state, _ = _unique(game, plan, batch.burden[0], batch.trust[0])
        if state == "not proven":
            found = _all_found(game, plan, found, tolerances)
    if found is not None and found.certificate.verdict != "unverified":
        return found
    if found is not None:
        failure = ConvergenceError(_no_equilibrium(found))
    if isinstance(failure, ConvergenceError) and not aggregative.tables(game).concave:
        settled = _by_replies(game, plan, tolerances)
        if settled is not None:
            return settled
    if throw and failure is not None:  # Whatever was found and verified has been returned.
        raise failure
    if found is None:
        return _unverified(game, plan, batch, str(failure), tolerances)
    return dataclasses.replace(found, message=str(failure))


def pressed(game: BurdenSharingGame, plan: Plan) -> bool:
    """Whether anybody is under a threat that it believes, or under a levy.

    If nobody is, a missed demand means nothing, and its form does not matter: R_i = r_i whatever phi_i.
    """
    members, allies = game.members, np.arange(game.size) != game.members.leader_index
    threats = plan.threat_by_member(members) * game.by_member("credibility")
    levies = plan.tariff_by_member(members) * game.by_member("trade_exposure")
    return bool(((threats > 0) | (levies > 0))[allies].any())


def _as_logistic(game: BurdenSharingGame, found: Equilibrium) -> Equilibrium:
    """An equilibrium of the proportional game as one of the logistic game, where nobody is pressed."""
    others = tuple(_as_logistic(game, other) for other in found.others)
    return dataclasses.replace(found, game=game, others=others)


def _with_triggers(
    game: BurdenSharingGame, plan: Plan, tolerances: Tolerances, throw: bool
) -> Equilibrium:
    """Trigger threats: compliance sets if somebody is threatened, else the game without jumps."""
    from alliancegame.solve.trigger import answers
    from alliancegame.solve.trigger.sides import Sides

    sides = Sides.of(game, plan)
    if sides.choosing.any():
        answers.refuse_zero_trust(sides)
        return answers.solve_nash(game, plan, tolerances, throw)
    return answers.as_triggers(
        sides, solve_nash(sides.plain, plan, tolerances=tolerances, throw=throw)
    )


def _by_replies(game: BurdenSharingGame, plan: Plan, tolerances: Tolerances) -> Equilibrium | None:
    """An equilibrium by best replies over whole action sets, where payoffs are not concave.

    Everybody moves a part of the way to its best reply, from several starts. None if that does not
    settle (there need be no equilibrium), and for large alliances, where it would take long.
    """
    n, lead = game.size, game.members.leader_index
    low, high = game.by_member("burden_min"), game.by_member("burden_max")
    for share in (0.02, 0.1, 0.4) if n <= 40 else ():
        profile = low + share * (high - low)
        if plan.burden is not None:
            profile[lead] = plan.burden
        points = multiple.REPLY_POINTS  # On the way; who rests there is looked at more closely.
        for _ in range(50 * n):
            step = aggregative.best_deviations(game, profile, plan, points=points)
            if not step.gain.max() > 1e-15:
                if points == aggregative.SCAN_POINTS:
                    break
                points = aggregative.SCAN_POINTS
                step = aggregative.best_deviations(game, profile, plan)
            profile = profile + (step.reply - profile) / n
        made = _deviations_certified(game, profile, plan, tolerances)
        if made.verdict != "unverified":
            concept = "nash" if plan.burden is None else "response"
            arrays = (profile, step.payoff, step.influence, step.security, step.trust)
            return Equilibrium(game, plan, concept, *arrays, made, "settled by best replies")
    return None


def _no_equilibrium(found: Equilibrium) -> str:
    return (
        f"the profile at which every condition holds is no equilibrium under {found.plan.describe()}: "
        f"{found.certificate.worst} could gain {found.certificate.regret:.2g} of payoff by a large "
        'deviation. Where payoffs are not concave (influence_value="share" with decisiveness > 1) '
        'an equilibrium need not exist: lower decisiveness, or use influence_value="log".'
    )


def respond(
    game: BurdenSharingGame, plan: Plan, *, tolerances: Tolerances = DEFAULT, throw: bool = True
) -> Equilibrium:
    """The allies' answer to a plan that names the leader's burden (docs/theory/equilibrium).

    Raises `InvalidValueError` if the plan names none; otherwise as `solve_nash`.
    """
    check_game(game, "respond", extremes=True)
    check_plan_type(plan)
    if plan.burden is None:
        raise InvalidValueError(
            "respond needs plan.burden (the leader's defence spending / GDP); without it the leader "
            "plays simultaneously: use solve_nash."
        )
    return solve_nash(game, plan, tolerances=tolerances, throw=throw)


def status_quo(game: BurdenSharingGame) -> Equilibrium:
    """A: the Nash equilibrium without pressure, solved once for each game."""
    found: Equilibrium | None = game.__dict__.get("_status_quo")
    if found is None:
        found = solve_nash(game)
        object.__setattr__(game, "_status_quo", found)
    return found


def certify(
    game: BurdenSharingGame,
    burdens: Any,
    plan: Plan | None = None,
    *,
    tolerances: Tolerances = DEFAULT,
) -> Certificate:
    """Certify any profile of burdens, from anywhere: the true largest gain from any deviation.

    `burdens` is a dict or Series by member or an array of shape (n,), shares of GDP within bounds.
    If the plan names the leader's burden, the leader is no player and its entry must be that burden.

    Raises `InvalidValueError` for burdens outside their bounds.
    """
    plan = Plan() if plan is None else plan
    aggregative.check_plan(game, plan)
    profile = _profile(game, burdens, plan)
    if game.technology != "ces":
        return extremes.certify(game, profile, plan, tolerances=tolerances)
    if game.shortfall == "trigger":
        from alliancegame.solve.trigger import answers

        return answers.certify(game, profile, plan, tolerances)
    if game.shortfall == "logistic" and not pressed(game, plan):
        game = without_jumps(game)  # Whose payoffs are the same, and concave.
    made = _deviations_certified(game, profile, plan, tolerances)
    if made.unique != "not proven" or made.verdict == "unverified":
        return made
    known = solve_nash(game, plan, tolerances=tolerances, throw=False)
    if known.certificate.verdict == "unverified":
        return made
    others = [np.abs(one.burdens - profile).max() for one in (known, *known.others)]
    if min(others) > 1e-6:
        return _with_unique(made, "multiple", "solve_nash finds another equilibrium of this plan")
    return _with_unique(made, known.certificate.unique, known.certificate.reason)


def _deviations_certified(
    game: BurdenSharingGame, profile: Array, plan: Plan, tolerances: Tolerances
) -> Certificate:
    """The certificate of a profile from every member's best deviation, and what theorems say of it."""
    deviations = aggregative.best_deviations(game, profile, plan)
    finite = np.isfinite(deviations.payoff)
    gains = np.where(finite, deviations.gain, np.inf)
    gains[deviations.gain == 0] = 0.0
    gains[_players(game, plan) & ~finite] = np.inf
    unique = _unique(game, plan, profile, deviations.trust)
    proved = False
    if not aggregative.tables(game).concave:
        gains, proved = global_gains(
            game, plan, profile, dataclasses.replace(deviations, gain=gains)
        )
    made = certificate.build(
        game, plan, profile, gains, tolerances, unique, bounded=False, proved=proved
    )
    return _without_claim(made) if made.verdict == "unverified" else made


def _without_claim(made: Certificate) -> Certificate:
    return _with_unique(made, "not proven", "the profile is no equilibrium")


def _with_unique(made: Certificate, unique: Unique, reason: str) -> Certificate:
    return dataclasses.replace(made, unique=unique, reason=reason)


def _profile(game: BurdenSharingGame, burdens: Any, plan: Plan) -> Array:
    """Checked burdens, shape (n,); the leader's is the plan's if the plan names one."""
    profile = aggregative.checked_profile(game, burdens)
    lead = game.members.leader_index
    if plan.burden is not None and profile[lead] != plan.burden:
        raise InvalidValueError(
            f"burden of {game.leader} must be the {plan.burden:g} that the plan names, "
            f"got {profile[lead]:g}."
        )
    return profile


def _failure(game: BurdenSharingGame, plan: Plan, batch: Batch) -> Exception | None:
    status = int(batch.info[0, 0])
    if status == aggregative.ZERO_TRUST:
        return zero_trust(game, plan)
    if status == aggregative.FAILED:
        return ConvergenceError(
            f"no equilibrium found to tolerance under {plan.describe()}: try another start by "
            "changing burden_min, burden_max or substitution a little, or split the plan."
        )
    vain = _unattained(game, batch.burden[0])
    if vain is not None:
        return ConvergenceError(
            f"no equilibrium under {plan.describe()}: nobody else has any influence, so that {vain} would "
            "give as little as possible, but not nothing; give the leader a burden above zero, or "
            "somebody a burden_min."
        )
    lost = _players(game, plan) & ~np.isfinite(batch.payoff[0])
    if lost.any():
        names = ", ".join(m for m, is_lost in zip(game.members, lost, strict=True) if is_lost)
        return ConvergenceError(
            f"no equilibrium under {plan.describe()}: the payoff of {names} is minus infinity whatever "
            "it spends. With substitution < 0 one missing component (a leader who spends nothing, "
            "trust that has gone) leaves an ally without security: name a burden above zero, lower "
            "the threat, or use substitution > 0."
        )
    return None


def zero_trust(game: BurdenSharingGame, plan: Plan) -> ZeroTrustError:
    """The error for trust that has gone where the leader values influence in logs."""
    return ZeroTrustError(
        f"trust of every ally is zero under {plan.describe()} (horizon={game.horizon!r}), and "
        f"{game.leader} values influence in logs: its payoff is minus infinity. Lower the threat "
        'or decay, raise recovery, or use influence_value="share".'
    )


def _unattained(game: BurdenSharingGame, burdens: Array) -> str | None:
    """Who takes all influence with next to nothing: a supremum, which no burden attains."""
    tiny = burdens <= 1e-9 * game.by_member("burden_max")
    if not tiny.any() or game.by_member("burden_min").any():
        return None
    for i in np.flatnonzero(tiny & (burdens > 0) & (game.by_member("influence_weight") > 0)):
        if not np.delete(burdens, i).any():
            return str(game.members[i])
    return None


def _players(game: BurdenSharingGame, plan: Plan) -> NDArray[np.bool_]:
    """Who plays: everybody, or the allies alone if the plan names the leader's burden."""
    players = np.full(game.size, True)
    players[game.members.leader_index] = plan.burden is None
    return players


def _equilibrium(
    game: BurdenSharingGame, plan: Plan, batch: Batch, tolerances: Tolerances, row: int = 0
) -> Equilibrium:
    """One row of a batch as a certified result."""
    burdens = batch.burden[row]
    concave = aggregative.tables(game).concave
    if concave:
        gains = np.zeros(game.size)
        gains[int(batch.column("worst")[row])] = batch.column("regret")[row]
        unique = _unique(game, plan, burdens, batch.trust[row])
        made = certificate.build(game, plan, burdens, gains, tolerances, unique, bounded=True)
    else:
        made = _deviations_certified(game, burdens, plan, tolerances)
    return Equilibrium(
        game,
        plan,
        "nash" if plan.burden is None else "response",
        burdens,
        batch.payoff[row],
        batch.influence[row],
        batch.security[row],
        batch.trust[row],
        made,
        aggregative.REASONS[int(batch.column("status")[row])],
    )


def _unique(
    game: BurdenSharingGame, plan: Plan, burdens: Array, trust: Array
) -> tuple[Unique, str]:
    if plan.burden is None:
        return certificate.nash_unique(game, plan, burdens, trust)
    return certificate.followers_unique(game, plan, burdens, trust)


def _unverified(
    game: BurdenSharingGame, plan: Plan, batch: Batch, message: str, tolerances: Tolerances
) -> Equilibrium:
    made = certificate.build(
        game,
        plan,
        batch.burden[0],
        np.full(game.size, np.inf),
        tolerances,
        ("not proven", "nothing was found"),
        bounded=False,
    )
    arrays = (
        batch.burden[0],
        batch.payoff[0],
        batch.influence[0],
        batch.security[0],
        batch.trust[0],
    )
    concept = "nash" if plan.burden is None else "response"
    return Equilibrium(game, plan, concept, *arrays, made, message)


def _all_found(
    game: BurdenSharingGame, plan: Plan, found: Equilibrium | None, tolerances: Tolerances
) -> Equilibrium | None:
    """Every answer that the searches of `multiple` find, the best for the leader first.

    `found` is the answer that is known already, if one is. None if there is none at all.
    """
    if found is not None and plan.burden is not None and _single_followers(game):
        return found
    solutions = [] if found is None else [found]
    searched = []
    if plan.burden is None:
        roots = multiple.leader_roots(multiple.one_game(game, plan), tolerances.roots)
        profiles = _beside(found, roots.burden, game, tolerances)
        searched.append(_scanned(game, roots.failed, tolerances))
        solutions += _certified_at(
            game, plan, profiles, tolerances, "a root of the leader's condition"
        )
    if not _single_followers(game):
        profiles = multiple.settled_from(game, plan)
        searched.append(multiple.describe_starts(game))
        known = [s.burdens for s in solutions if s.certificate.verdict != "unverified"]
        fresh = [p for p in profiles if not any(multiple.same(other, p) for other in known)]
        solutions += _certified_at(
            game, plan, np.array(fresh), tolerances, "settled by best replies"
        )
    kept = _distinct([s for s in solutions if s.certificate.verdict != "unverified"])
    if not kept:
        return found
    kept.sort(key=lambda s: -s.leader_payoff)
    return _labelled(kept, game, "; ".join(searched))


def _proved_followers(game: BurdenSharingGame) -> bool:
    """Whether the theorem on followers holds, continua left to it, and no payoff is doubtful."""
    return not certificate.missing_conditions(game) and aggregative.tables(game).concave


def _single_followers(game: BurdenSharingGame) -> bool:
    """Whether one answer of the allies is taken for the only one (see `Scenarios`)."""
    return bool(multiple.one_game(game, Plan()).single_followers.all())


def _scanned(game: BurdenSharingGame, failed: int, tolerances: Tolerances) -> str:
    lead = game.members.leader_index
    low, high = game.by_member("burden_min")[lead], game.by_member("burden_max")[lead]
    return (
        f"every root of the leader's condition among {tolerances.roots} burdens of {game.leader} "
        f"in [{low:g}, {high:g}], refined"
        + (f"; {failed} of them found no response" if failed else "")
    )


def _beside(
    found: Equilibrium | None, profiles: Array, game: BurdenSharingGame, tolerances: Tolerances
) -> Array:
    """Roots that are not the one already known.

    Where the condition is flat that one would come out a little elsewhere, and be taken for another:
    where the allies' answer is proved unique, a root in its bracket of the scan is the same.
    """
    if found is None or not _proved_followers(game):
        return profiles
    lead = game.members.leader_index
    low, high = game.by_member("burden_min")[lead], game.by_member("burden_max")[lead]
    grid = low + (high - low) * np.linspace(0.0, 1.0, tolerances.roots) ** 2
    here = float(found.burdens[lead])
    slack = 1e-3 * np.diff(grid)
    near = (grid[:-1] - slack <= here) & (here <= grid[1:] + slack)
    left, right = grid[:-1][near], grid[1:][near]
    x = profiles[:, lead]
    # Only inside: an end of the range is a root of its own.
    again = ((x[:, None] > left) & (x[:, None] < right)).any(axis=1)
    again |= np.isclose(x, here, rtol=1e-6, atol=1e-12)
    chosen: Array = profiles[~again]
    return chosen


def _certified_at(
    game: BurdenSharingGame, plan: Plan, profiles: Array, tolerances: Tolerances, message: str
) -> list[Equilibrium]:
    """Profiles as results, each certified from every member's best deviation."""
    made = []
    concept = "nash" if plan.burden is None else "response"
    for profile in profiles:
        step = aggregative.best_deviations(game, profile, plan)
        proof = _deviations_certified(game, profile, plan, tolerances)
        arrays = (profile, step.payoff, step.influence, step.security, step.trust)
        made.append(Equilibrium(game, plan, concept, *arrays, proof, message))
    return made


def _distinct(solutions: list[Equilibrium]) -> list[Equilibrium]:
    """Solutions without those whose profile an earlier one has."""
    kept: list[Equilibrium] = []
    for one in solutions:
        if not any(multiple.same(one.burdens, other.burdens) for other in kept):
            kept.append(one)
    return kept


def _labelled(kept: list[Equilibrium], game: BurdenSharingGame, searched: str) -> Equilibrium:
    """The best solution with the others, and in all of them what is known of their number."""
    best = kept[0]
    incomplete = "" if _proved_followers(game) else "; the list is not known to be complete"
    kind = "equilibria" if best.concept == "nash" else "responses"
    if len(kept) > 1:
        unique: tuple[Unique, str] = (
            "multiple",
            f"{len(kept)} {kind} found ({searched}); the best for {game.leader} stands first{incomplete}",
        )
    elif best.certificate.unique == "multiple":
        unique = (best.certificate.unique, best.certificate.reason)
    else:
        one = "one root" if best.concept == "nash" else "one response"
        unique = (
            "not proven",
            f"{best.certificate.reason}; {one} found ({searched}){incomplete}",
        )
    labelled = [
        dataclasses.replace(s, certificate=_with_unique(s.certificate, *unique)) for s in kept
    ]
    return dataclasses.replace(labelled[0], others=tuple(labelled[1:]))
