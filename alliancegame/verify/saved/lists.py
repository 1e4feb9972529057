"""Lists of equilibria: whether they are distinct, complete, and what of continua and cycles is so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.verify import claims
from alliancegame.verify.claims import ACCEPTED, OPEN, REFUSED, Answer, agrees
from alliancegame.verify.intervals import total
from alliancegame.verify.payoffs import Stage
from alliancegame.verify.saved import reading
from alliancegame.verify.saved.reading import Content, Parts, Remark, demand, number
from alliancegame.verify.uniqueness import continua, proofs
from alliancegame.verify.uniqueness.proofs import apart


def _profiles(parts: Parts, where: str) -> list[Stage]:
    return [part.profile for part in parts if part.of.startswith(where)]


def of_one_game(content: Content, parts: Parts) -> None:
    """That the equilibria of a list are distinct ones of its game."""
    reading.game_of(content)
    reading.distinct(parts)
    for part in parts:
        part.shares({**content, "concept": "nash"}, "game", "concept")


def not_repeated(state: str, content: Content, parts: Parts) -> Answer:
    """Completeness of lists of a user's own game (words), or of a finite one (a truth value)."""
    known = content[state]
    if known is False or known == "unknown":
        return ACCEPTED, "nothing is claimed"
    if known is True or known in ("proven", "resolution"):
        return OPEN, proofs.NOT_REPEATED
    return REFUSED, f"completeness is {known!r}"


def listed_once(content: Content, parts: Parts) -> Iterator[Remark]:
    """An alliance's list: distinct equilibria, ends of continua, and a cycle that is one."""
    game, plan = reading.game_of(content), reading.plan_of(content)
    for part in parts:
        part.shares(content, "game", "plan")
    listed = [profile.values for profile in _profiles(parts, "equilibria")]
    for k, one in enumerate(listed):
        demand(all(apart(one, two) for two in listed[:k]), f"equilibria[{k}] is listed before")
    complete = content["completeness"] == "proven"
    demand(content["complete"] is complete, "complete and completeness contradict each other")
    for k, component in enumerate(content["components"]):
        of = f"components[{k}]"
        yield of, "continuum", _component(of, component["members"], _profiles(parts, f"{of}."))
    demand(isinstance(content["cycle"], list), "the cycle is no list")
    demand(not (content["cycle"] and content["equilibria"]), "a cycle, and an equilibrium")
    _cycle(game, plan, content["cycle"])


def _component(of: str, names: Sequence[str], ends: Sequence[Stage]) -> Answer:
    """A continuum along which the named members move, from its ends."""
    demand(bool(ends), f"{of} has no end")
    members, burdens = ends[0].names, [end.values for end in ends]
    demand(sorted(names) == sorted({*names} & {*members}), f"{of} names {names!r}")
    demand(all(burdens.count(one) == 1 for one in burdens), f"an end of {of} is listed twice")
    for name, b in zip(members, zip(*burdens, strict=True), strict=True):
        demand(name in names or not apart([min(b)], [max(b)]), f"{name} moves along {of}")
    return _continuum(names, ends)


def _cycle(game: BurdenSharingGame, plan: Plan, turns: Sequence[Content]) -> None:
    """A circle of best replies: each leads to the next, and the last to the first."""
    path = [reading.profile_of("the cycle", game, plan, turn["burdens"]) for turn in turns]
    for turn, now, then in zip(turns, path, path[1:] + path[:1], strict=True):
        after = dict(zip(game.members, now, strict=True)) | {
            turn["member"]: _turn(Stage(game, plan, now), turn)
        }
        joined = not apart([*after.values()], then, by=1e-9)
        demand(joined, "the cycle is none: a step does not lead to the next")


def _turn(stage: Stage, turn: Content) -> float:
    """The reply in a circle of best replies: the member gains what is said, or so just below its demand."""
    i, reply, gain = stage.names.index(turn["member"]), number(turn["reply"]), number(turn["gain"])
    sides = {reply < stage.demand[i], reply <= stage.demand[i]}
    rises = [stage.number("payoff", i, reply, below) - stage.paid(i) for below in sides]
    found = [agrees("a gain", gain, rise, claims.PAYOFF_CLOSE)[0] for rise in rises]
    right = i in stage.playing and stage.low[i] <= reply <= stage.high[i] and gain > 0
    demand(right and ACCEPTED in found, f"{turn['member']} does not gain {gain} in the cycle")
    return reply


def _continuum(names: Sequence[str], ends: Sequence[Stage]) -> Answer:
    """Whether equilibria hang together.

    Proved where the ends share one sum: if nobody gains in their middle, and all who move can take back
    there what another gives, with one worth, so can they all over the hull of the ends.
    """
    game, burdens = ends[0].game, zip(*(end.values for end in ends), strict=True)
    # No farther than the ends, rounding or not.
    stage = Stage(game, ends[0].plan, [min(max(sum(b) / len(b), min(b)), max(b)) for b in burdens])
    if game.technology == "ces" and len(ends) > 1:
        status, why = claims.nobody_gains(stage, claims.LIMITS["approximate"])
        if status != ACCEPTED:
            return status, f"in the middle of the ends {why}"
        sharing = {stage.names[i] for pair in continua.exchangeable(stage) for i in pair}
        sums = [float(total(end.of["g"][i] for i in end.allies).hi) for end in ends]
        one_sum = set(names) <= sharing and max(sums) - min(sums) <= 1e-9 * max(sums)
        if game.shortfall != "trigger" and one_sum:
            return ACCEPTED, "its members share one sum of contributions at no gain or loss"
    return OPEN, "that profiles between the ends are equilibria is not checked"


def complete(content: Content, parts: Parts, theorem: Any = None, evidence: Any = None) -> Answer:
    """That an alliance's list has all equilibria."""
    known, listed = content["completeness"], _profiles(parts, "equilibria")
    if known == "not known":
        return ACCEPTED, "nothing is claimed"
    if known not in ("proven", "to a resolution"):
        return REFUSED, f"completeness is {known!r}"
    if known == "proven" and any(map(continua.exchangeable, listed)):
        return OPEN, "that allies share a burden in no other ways than those listed is not checked"
    if theorem is not None:
        game, plan = reading.game_of(content), reading.plan_of(content)
        stage = listed[0] if listed else Stage(game, plan, game.by_member("burden_min").tolist())
        return proofs.only(theorem, stage, [profile.values for profile in listed], evidence)
    if known == "proven" and len(listed) == 1 and parts[0].proven:
        return ACCEPTED, "a theorem proves that there is only one"
    return OPEN, "no theorem that is checked here proves the list complete"
