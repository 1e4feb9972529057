"""The kinds of results as data: which parts are equilibria, what is claimed, and what follows from it."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from alliancegame.verify import claims, theorems
from alliancegame.verify.claims import ACCEPTED, OPEN, REFUSED, Answer, agrees, apart
from alliancegame.verify.intervals import Interval, total
from alliancegame.verify.payoffs import Stage
from alliancegame.verify.saved import reading
from alliancegame.verify.saved.reading import Content, Equilibrium, demand, number, same

SMALL = 1e-6
"""Changes of savings and influence below this are none (docs/theory/outcomes)."""


Parts = Sequence[Equilibrium]
Finder = Callable[..., Answer]
"""What becomes of a claim, from the content of the result, its equilibria, and a proof that is cited."""
Remark = tuple[str, str, Answer]
"""On which part, a claim that the result makes without listing it, and what became of it."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of result.

    `equilibria` stand at these paths, profiles of kind `of`; `results` of other kinds at those. `claims`
    are each the entries that it states, and a finder; other `entries` it must have. `fits`, once all
    equilibria are checked, refuses what contradicts itself and remarks on what is claimed unlisted.
    """

    entries: tuple[str, ...] = ()
    equilibria: tuple[str, ...] = ()
    of: str = "equilibrium"
    results: Mapping[str, str] = dataclasses.field(default_factory=dict)
    claims: Mapping[str, tuple[tuple[str, ...], Finder]] = dataclasses.field(default_factory=dict)
    fits: Callable[[Content, Parts], Iterable[Remark] | None] = lambda content, parts: None


def _open(why: str) -> Finder:
    return lambda content, parts: (OPEN, why)


# --- Against A -------------------------------------------------------------------------------------


class Change:
    """What a plan changes for the leader: all numbers of a comparison are differences of these."""

    def __init__(self, parts: Parts) -> None:
        before, after = map(_leader, parts)
        self.gain, self.influence, self.saved, self.spent, self.esteem = (
            b - a for a, b in zip(before, after, strict=True)
        )
        self.slack = 1e-9 + 10 * max(part.certificate["regret"] for part in parts)
        self.doubt = claims.CLOSE * (abs(before[0]) + abs(after[0]))  # To which payoffs agree.

    def outcome(self, slack: float) -> str:
        """What the plan brings the leader (docs/theory/outcomes)."""
        if abs(self.gain) <= slack:
            moved = abs(self.saved) > SMALL or abs(self.influence) > SMALL
            return "break-even" if moved else "status quo"
        if self.gain > slack:
            return "success" if self.saved > SMALL and self.influence < -SMALL else "windfall"
        return "backfire" if self.saved > SMALL else "futile"


def _leader(part: Equilibrium) -> tuple[float, ...]:
    """The leader's payoff, influence and savings, allied spending / allied GDP, and alpha_l v(p_l)."""
    stage, lead, given = part.profile, part.profile.lead, part.numbers
    gdp, alpha = ([float(v) for v in stage.game.by_member(k)] for k in ("gdp", "influence_weight"))
    spent = sum(gdp[i] * stage.values[i] for i in stage.allies) / sum(gdp[i] for i in stage.allies)
    esteem = influence = given["influence"][lead]
    if alpha[lead] != 0 and stage.game.influence_value != "share":
        esteem = math.log(influence) if influence > 0 else -math.inf
    return given["payoff"][lead], influence, part.savings, spent, alpha[lead] * esteem


def _a_is_a(content: Content, parts: Parts) -> Iterator[Remark]:
    base, here = parts
    here.shares(base.content, "game")
    provenance = content.get("provenance", base.content["provenance"])
    reading.game_of({**base.content, "provenance": provenance})
    plan, lead = base.profile.plan, base.profile.lead
    demand(plan.threat == plan.tariff == 0 and plan.burden is None, "A is not without pressure")
    payoffs = [number(other["payoff"][lead]) for other in base.content["others"]]
    best = base.numbers["payoff"][lead] + 1e-9 + 10 * base.certificate["regret"]
    demand(all(payoff <= best for payoff in payoffs), "A is not the best for the leader")
    if not base.proven:
        why = "A is the equilibrium best for the leader: that no better one exists is not checked"
        yield base.of, "best for the leader", (OPEN, why)


def _outcome(content: Content, parts: Parts) -> Answer:
    change = Change(parts)
    found, loose = (change.outcome(change.slack + more) for more in (0.0, change.doubt))
    if content["outcome"] != found:
        return REFUSED, f"the outcome is {found}"
    if loose != found:
        return OPEN, f"payoffs that agree to 1e-9 do not tell a gain of {change.gain:.2g} from none"
    return ACCEPTED, "it follows from A and the answer to the plan"


def _outcome_and_gain(content: Content, parts: Parts) -> Answer:
    change, flags, base = Change(parts), content["flags"], parts[0].profile
    loss = change.gain < -change.slack
    holds = {
        "spending_backfire": change.spent < -1e-9,
        "influence_backfire": loss and change.gain - change.esteem > change.slack,
        "self_inflicted": loss and number(content["commitment"]) <= change.gain + change.slack,
    }
    if wrong := [name for name, held in holds.items() if flags.count(name) != held]:
        return REFUSED, f"flags that are not as stated: {', '.join(wrong)}"
    if number(content["delta_payoff"]) != change.gain:
        return REFUSED, f"delta_payoff is {change.gain}"
    money = claims.worth(base, base.lead, change.gain)
    more = sorted(set(flags) - set(holds))
    return claims.gravest([
        _outcome(content, parts),
        agrees("gain_usd_bn", number(content["gain_usd_bn"]), money),
        (OPEN if more else ACCEPTED, f"flags that need more than is in the file: {', '.join(more)}"),
    ])  # fmt: skip


PARTS = ("commitment", "leverage", "trust_loss")


def _adds_up(content: Content, parts: Parts) -> Answer:
    commitment, *_ = given = [number(content[name]) for name in PARTS]
    number(content["versus_best_burden"])
    whole = agrees("their sum", sum(given), Interval(Change(parts).gain), claims.PAYOFF_CLOSE)
    if whole[0] == REFUSED:
        return whole
    if parts[1].profile.plan.burden is None and commitment != 0:
        return REFUSED, "there is no commitment: the plan names no burden"
    return OPEN, "they add up; each by itself needs equilibria that are not in the file"


def _one_a(content: Content, parts: Parts) -> None:
    games = [item["baseline"]["game"] for item in content["items"]]
    demand(bool(games), "no comparison is listed")
    demand(all(same(game, games[0]) for game in games), "comparisons with A of different games")


# --- The leader's best plan ------------------------------------------------------------------------

SELECTION = ("optimistic_value", "pessimistic_value", "epsilon", "inadmissible", "pessimistic_plan")
"""What a Stackelberg result says of several answers to a plan."""


def _committed(content: Content, parts: Parts) -> Iterator[Remark]:
    yield from _a_is_a(content, parts)  # It refuses only while it is walked through.
    commit, plan = content["commit"], content["plan"]
    demand(same(plan, parts[1].content["plan"]), "the response is to another plan")
    known = {"threat", "demand", "tariff", "burden"} & set(commit)
    demand(bool(commit) and sorted(commit) == sorted(known), f"nobody can commit {commit!r}")
    demand("burden" not in commit or plan["burden"] is not None, "the plan names no burden")
    demand(not number(content["leader_gap"]) < 0, "leader_gap is negative")
    best, worst, epsilon, _ = (number(content[name]) for name in SELECTION[:4])
    demand(not (worst > best or epsilon < 0), "the worst answer is better than the best")


# --- Lists of equilibria ---------------------------------------------------------------------------


def _profiles(parts: Parts, where: str) -> list[Stage]:
    return [part.profile for part in parts if part.of.startswith(where)]


def _of_one_game(content: Content, parts: Parts) -> None:
    reading.game_of(content)
    reading.distinct(parts)
    for part in parts:
        part.shares({**content, "concept": "nash"}, "game", "concept")


def _not_repeated(state: str, content: Content, parts: Parts) -> Answer:
    """Completeness of lists of a user's own game (words), or of a finite one (a truth value)."""
    known = content[state]
    if known is False or known == "unknown":
        return ACCEPTED, "nothing is claimed"
    if known is True or known in ("proven", "resolution"):
        return OPEN, claims.NOT_REPEATED
    return REFUSED, f"completeness is {known!r}"


def _listed_once(content: Content, parts: Parts) -> Iterator[Remark]:
    game, plan = reading.game_of(content), reading.plan_of(content)
    for part in parts:
        part.shares(content, "game", "plan")
    listed = [profile.values for profile in _profiles(parts, "equilibria")]
    for k, one in enumerate(listed):
        demand(all(apart(one, two) for two in listed[:k]), f"equilibria[{k}] is listed before")
    complete = content["completeness"] == "proven"
    demand(content["complete"] is complete, "complete and completeness contradict each other")
    for k, component in enumerate(content["components"]):
        of, names = f"components[{k}]", component["members"]
        ends = _profiles(parts, f"{of}.")
        burdens = [end.values for end in ends]
        demand(bool(ends), f"{of} has no end")
        demand(sorted(names) == sorted({*names} & {*game.members}), f"{of} names {names!r}")
        demand(all(burdens.count(one) == 1 for one in burdens), f"an end of {of} is listed twice")
        for name, b in zip(game.members, zip(*burdens, strict=True), strict=True):
            demand(name in names or not apart([min(b)], [max(b)]), f"{name} moves along {of}")
        yield of, "continuum", _continuum(names, ends)
    demand(isinstance(content["cycle"], list), "the cycle is no list")
    demand(not (content["cycle"] and content["equilibria"]), "a cycle, and an equilibrium")
    path = [
        reading.profile_of("the cycle", game, plan, turn["burdens"]) for turn in content["cycle"]
    ]
    for turn, now, then in zip(content["cycle"], path, path[1:] + path[:1], strict=True):
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
        sharing = {stage.names[i] for pair in theorems.exchangeable(stage) for i in pair}
        sums = [float(total(end.of["g"][i] for i in end.allies).hi) for end in ends]
        one_sum = set(names) <= sharing and max(sums) - min(sums) <= 1e-9 * max(sums)
        if game.shortfall != "trigger" and one_sum:
            return ACCEPTED, "its members share one sum of contributions at no gain or loss"
    return OPEN, "that profiles between the ends are equilibria is not checked"


def _complete(content: Content, parts: Parts, theorem: Any = None, evidence: Any = None) -> Answer:
    known, listed = content["completeness"], _profiles(parts, "equilibria")
    if known == "not known":
        return ACCEPTED, "nothing is claimed"
    if known not in ("proven", "to a resolution"):
        return REFUSED, f"completeness is {known!r}"
    if known == "proven" and any(map(theorems.exchangeable, listed)):
        return OPEN, "that allies share a burden in no other ways than those listed is not checked"
    if theorem is not None:
        game, plan = reading.game_of(content), reading.plan_of(content)
        stage = listed[0] if listed else Stage(game, plan, game.by_member("burden_min").tolist())
        return claims.only(theorem, stage, [profile.values for profile in listed], evidence)
    if known == "proven" and len(listed) == 1 and parts[0].proven:
        return ACCEPTED, "a theorem proves that there is only one"
    return OPEN, "no theorem that is checked here proves the list complete"


def _own_list(of: str, state: str, entry: str) -> Kind:
    return Kind(
        entries=("game", "statement", entry, "provenance"),
        equilibria=("equilibria[*]",),
        of=of,
        claims={"completeness": ((state,), functools.partial(_not_repeated, state))},
        fits=_of_one_game,
    )


KINDS = {
    **{kind: Kind(equilibria=(kind,), of=kind) for kind in reading.PROFILES},
    "comparison": Kind(
        entries=("delta_payoff", "gain_usd_bn", "provenance"),
        equilibria=("baseline", "result"),
        claims={
            "outcome": (("outcome", "flags"), _outcome_and_gain),
            "decomposition": ((*PARTS, "versus_best_burden"), _adds_up),
        },
        fits=_a_is_a,
    ),
    "comparisons": Kind(results={"items[*]": "comparison"}, fits=_one_a),
    "stackelberg": Kind(
        entries=("commit", "plan", "search", "selection", "objective"),
        equilibria=("baseline", "response"),
        claims={
            "outcome": (("outcome",), _outcome),
            "selection": (SELECTION, _open("both come from a search, which is not repeated")),
            "leader gap": (("leader_gap",), _open("an estimate: a better plan is not excluded")),
        },
        fits=_committed,
    ),
    "alliance-equilibria": Kind(
        entries=("game", "plan", "complete", "statement", "cycle", "provenance"),
        equilibria=("equilibria[*]", "components[*].ends[*]"),
        claims={"completeness": (("completeness",), _complete)},
        fits=_listed_once,
    ),
    "action-equilibria": _own_list("action-profile", "completeness", "resolution"),
    "equilibrium-set": _own_list("profile", "complete", "method"),
}
