"""The kinds of results as data: which parts are equilibria, what is claimed, and what follows from it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from alliancegame.verify import claims, theorems
from alliancegame.verify.claims import ACCEPTED, OPEN, REFUSED, Answer, agrees, apart
from alliancegame.verify.intervals import Interval
from alliancegame.verify.payoffs import Stage
from alliancegame.verify.saved import reading
from alliancegame.verify.saved.reading import Content, Equilibrium, demand, number, same

SMALL = 1e-6
"""Changes of savings and influence below this are none (docs/theory/outcomes)."""


@dataclasses.dataclass(frozen=True)
class Checked:
    """An equilibrium, its savings, and what was found of its regret and its uniqueness."""

    read: Equilibrium
    savings: float
    regret: str
    unique: str = OPEN

    @property
    def proven(self) -> bool:
        """Whether it is proved to be the only one."""
        return self.unique == ACCEPTED and self.read.certificate["unique"] == "proven"


Parts = Sequence[Checked]
Finder = Callable[[Content, Parts, Content], Answer]
"""What becomes of a claim, from the content of the result, its equilibria, and the claim as listed."""
Remark = tuple[str, str, Answer]
"""On which part, a claim that the result makes without listing it, and what became of it."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of result.

    `equilibria` stand at these paths, profiles of kind `of`; `results` of other kinds at those. `claims`
    are each the entries that it states, and a finder; other `entries` it must have. `fits` refuses what
    contradicts itself; `remarks` are on what is claimed without being listed.
    """

    entries: tuple[str, ...] = ()
    equilibria: tuple[str, ...] = ()
    of: str = "equilibrium"
    results: Mapping[str, str] = dataclasses.field(default_factory=dict)
    claims: Mapping[str, tuple[tuple[str, ...], Finder]] = dataclasses.field(default_factory=dict)
    fits: Callable[[Content, Parts], None] = lambda content, parts: None
    remarks: Callable[[Content, Parts], Iterator[Remark]] = lambda content, parts: iter(())


def _open(why: str) -> Finder:
    return lambda content, parts, claim: (OPEN, why)


# --- Against A -------------------------------------------------------------------------------------


class Change:
    """What a plan changes for the leader: all numbers of a comparison are differences of these."""

    def __init__(self, parts: Parts) -> None:
        (base, before), (here, after) = ((part.read, _leader(part)) for part in parts)
        self.gain, self.influence, self.saved, self.spent, self.esteem = (
            b - a for a, b in zip(before, after, strict=True)
        )
        self.slack = 1e-9 + 10 * max(read.certificate["regret"] for read in (base, here))

    def outcome(self) -> str:
        """What the plan brings the leader (docs/theory/outcomes)."""
        if abs(self.gain) <= self.slack:
            moved = abs(self.saved) > SMALL or abs(self.influence) > SMALL
            return "break-even" if moved else "status quo"
        if self.gain > self.slack:
            return "success" if self.saved > SMALL and self.influence < -SMALL else "windfall"
        return "backfire" if self.saved > SMALL else "futile"


def _leader(part: Checked) -> tuple[float, ...]:
    """The leader's payoff, influence and savings, allied spending / allied GDP, and alpha_l v(p_l)."""
    stage, lead, given = part.read.profile, part.read.profile.lead, part.read.numbers
    gdp, alpha = ([float(v) for v in stage.game.by_member(k)] for k in ("gdp", "influence_weight"))
    spent = sum(gdp[i] * stage.values[i] for i in stage.allies) / sum(gdp[i] for i in stage.allies)
    esteem = influence = given["influence"][lead]
    if alpha[lead] != 0 and stage.game.influence_value != "share":
        esteem = math.log(influence) if influence > 0 else -math.inf
    return given["payoff"][lead], influence, part.savings, spent, alpha[lead] * esteem


def _a_is_a(content: Content, parts: Parts) -> None:
    base, here = (part.read for part in parts)
    alike = same(base.content["game"], here.content["game"])
    demand(alike, "A and the plan are of different games")
    provenance = content.get("provenance", base.content["provenance"])
    hashed = provenance["game_hash"] == base.profile.game.hash
    demand(hashed, "the game is not the one whose hash (SHA-256) is stated")
    plan = base.profile.plan
    demand(plan.threat == plan.tariff == 0 and plan.burden is None, "A is not without pressure")
    lead = base.profile.lead
    payoffs = [number(other["payoff"][lead]) for other in base.content["others"]]
    best = base.numbers["payoff"][lead] + 1e-9 + 10 * base.certificate["regret"]
    demand(all(payoff <= best for payoff in payoffs), "A is not the best for the leader")


def _best_a(content: Content, parts: Parts) -> Iterator[Remark]:
    if not parts[0].proven:
        why = "A is the equilibrium best for the leader: that no better one exists is not checked"
        yield parts[0].read.of, "best for the leader", (OPEN, why)


def _outcome(content: Content, parts: Parts, claim: Content) -> Answer:
    found = Change(parts).outcome()
    if content["outcome"] != found:
        return REFUSED, f"the outcome is {found}"
    return ACCEPTED, "it follows from A and the answer to the plan"


def _outcome_and_gain(content: Content, parts: Parts, claim: Content) -> Answer:
    change, flags, base = Change(parts), content["flags"], parts[0].read.profile
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
        _outcome(content, parts, claim),
        agrees("gain_usd_bn", number(content["gain_usd_bn"]), money),
        (OPEN if more else ACCEPTED, f"flags that need more than is in the file: {', '.join(more)}"),
    ])  # fmt: skip


PARTS = ("commitment", "leverage", "trust_loss")


def _adds_up(content: Content, parts: Parts, claim: Content) -> Answer:
    commitment, *_ = given = [number(content[name]) for name in PARTS]
    number(content["versus_best_burden"])
    whole = agrees("their sum", sum(given), Interval(Change(parts).gain), claims.PAYOFF_CLOSE)
    if whole[0] == REFUSED:
        return whole
    if parts[1].read.profile.plan.burden is None and commitment != 0:
        return REFUSED, "there is no commitment: the plan names no burden"
    return OPEN, "they add up; each by itself needs equilibria that are not in the file"


def _one_a(content: Content, parts: Parts) -> None:
    games = [item["baseline"]["game"] for item in content["items"]]
    demand(bool(games), "no comparison is listed")
    demand(all(same(game, games[0]) for game in games), "comparisons with A of different games")


# --- The leader's best plan ------------------------------------------------------------------------

SELECTION = ("optimistic_value", "pessimistic_value", "pessimistic_plan", "epsilon", "inadmissible")
"""What a Stackelberg result says of several answers to a plan."""


def _committed(content: Content, parts: Parts) -> None:
    _a_is_a(content, parts)
    commit, plan = content["commit"], content["plan"]
    demand(same(plan, parts[1].read.content["plan"]), "the response is to another plan")
    known = {"threat", "demand", "tariff", "burden"}
    once = len(set(commit)) == len(commit) > 0
    demand(once and set(commit) <= known, f"nobody can commit {commit!r}")
    named = "burden" not in commit or plan["burden"] is not None
    demand(named, "the burden is committed, and the plan names none")
    demand(not number(content["leader_gap"]) < 0, "leader_gap is negative")
    names = ("optimistic_value", "pessimistic_value", "epsilon", "inadmissible")
    best, worst, epsilon, _ = (number(content[name]) for name in names)
    demand(not (worst > best or epsilon < 0), "the worst answer is better than the best")


# --- Lists of equilibria ---------------------------------------------------------------------------


def _listed(parts: Parts) -> list[Equilibrium]:
    return [part.read for part in parts if part.read.of.startswith("equilibria")]


def _of_one_game(content: Content, parts: Parts) -> None:
    reading.game_of(content)
    listed = [part.read.profile.values for part in parts]
    demand(all(listed.count(one) == 1 for one in listed), "one profile is listed twice")
    for part in parts:
        alike = same(part.read.content["game"], content["game"])
        nash = part.read.content["concept"] == "nash"
        demand(alike and nash, f"{part.read.of} is of another game, or no Nash equilibrium")


def _not_repeated(content: Content, parts: Parts, claim: Content) -> Answer:
    """Completeness of lists of a user's own game (words), or of a finite one (a truth value)."""
    known = content.get("completeness", content.get("complete"))
    if not {"theorem", "evidence"}.isdisjoint(claim):
        return REFUSED, "a proof is cited that no list of such a game has"
    if known is False or known == "unknown":
        return ACCEPTED, "nothing is claimed"
    if known is True or known in ("proven", "resolution"):
        return OPEN, claims.NOT_REPEATED
    return REFUSED, f"completeness is {known!r}"


def _listed_once(content: Content, parts: Parts) -> None:
    game, plan = reading.game_of(content), reading.plan_of(content)
    for part in parts:
        alike = all(same(part.read.content[key], content[key]) for key in ("game", "plan"))
        demand(alike, f"{part.read.of} is of another game or plan")
    listed = [read.profile.values for read in _listed(parts)]
    for k, one in enumerate(listed):
        demand(all(apart(one, two) for two in listed[:k]), f"equilibria[{k}] is listed before")
    complete = content["completeness"] == "proven"
    demand(content["complete"] is complete, "complete and completeness contradict each other")
    for k, component in enumerate(content["components"]):
        names, ends = component["members"], [end["burden"] for end in component["ends"]]
        demand(bool(ends), f"components[{k}] has no end")
        known = len(set(names)) == len(names) and set(names) <= set(game.members)
        demand(known, f"components[{k}] names {names!r}")
        once = all(one != two for one in ends for two in ends if one is not two)
        demand(once, f"an end of components[{k}] is listed twice")
        for i, name in enumerate(game.members):
            moves = any(apart(a[i : i + 1], b[i : i + 1]) for a in ends for b in ends)
            demand(not moves or name in names, f"{name} moves along components[{k}]")
    demand(isinstance(content["cycle"], list), "the cycle is no list")
    quiet = not (content["cycle"] and content["equilibria"])
    demand(quiet, "a cycle is evidence that there is no equilibrium, and there is one")
    for turn in content["cycle"]:
        _turn(Stage(game, plan, reading.profile_of("the cycle", game, plan, turn["burdens"])), turn)


def _turn(stage: Stage, turn: Content) -> None:
    """A step of a circle of best replies: the member gains what is said, or so just below its demand."""
    i, reply, gain = stage.names.index(turn["member"]), number(turn["reply"]), number(turn["gain"])
    low, high = (stage.of[f"burden_{end}"][i].lo for end in ("min", "max"))
    sides = {reply < stage.demand[i], reply <= stage.demand[i]}
    rises = [stage.number("payoff", i, reply, below) - stage.paid(i) for below in sides]
    found = [agrees("a gain", gain, rise, claims.PAYOFF_CLOSE)[0] for rise in rises]
    right = i in stage.playing and low <= reply <= high and gain > 0 and ACCEPTED in found
    demand(right, f"{turn['member']} does not gain {gain} in the cycle")


def _continua(content: Content, parts: Parts) -> Iterator[Remark]:
    """Whether equilibria hang together as each of the `components` says.

    Proved where its ends share one sum: if nobody gains in their middle, and all who move can take back
    there what another gives, with one worth, so can they all over the hull of the ends.
    """
    game, plan = reading.game_of(content), reading.plan_of(content)
    for k, component in enumerate(content["components"]):
        ends = [[number(b) for b in end["burden"]] for end in component["ends"]]
        middle = [
            min(max(sum(b) / len(b), min(b)), max(b))  # No farther than the ends, rounding or not.
            for b in zip(*ends, strict=True)
        ]
        stage = Stage(game, plan, middle)
        answer = (OPEN, "that profiles between the ends are equilibria is not checked")
        if game.technology == "ces" and len(ends) > 1:
            found = claims.nobody_gains(stage, claims.LIMITS["approximate"])
            if found[0] != ACCEPTED:
                answer = (found[0], f"in the middle of the ends {found[1]}")
            elif game.shortfall != "trigger" and _one_sum(stage, component["members"], ends):
                answer = (ACCEPTED, "its members share one sum of contributions at no gain or loss")
        yield f"components[{k}]", "continuum", answer


def _one_sum(stage: Stage, names: Sequence[str], ends: Sequence[Sequence[float]]) -> bool:
    """Whether allies who move give what others take back, and one sum at all ends."""
    pairs = {stage.names[i] for pair in theorems.exchangeable(stage) for i in pair}
    sums = [sum(float(stage.of["scale"][i].hi) * end[i] for i in stage.allies) for end in ends]
    return set(names) <= pairs and max(sums) - min(sums) <= 1e-9 * max(sums)


def _complete(content: Content, parts: Parts, claim: Content) -> Answer:
    known, listed = content["completeness"], _listed(parts)
    if known != "proven" and not {"theorem", "evidence"}.isdisjoint(claim):
        return REFUSED, f"a proof is cited for completeness {known!r}"
    if known == "proven" and any(theorems.exchangeable(read.profile) for read in listed):
        return OPEN, "that allies share a burden in no other ways than those listed is not checked"
    if known == "proven" and "theorem" in claim:
        game, plan = reading.game_of(content), reading.plan_of(content)
        stage = Stage(game, plan, [float(b) for b in game.by_member("burden_min")])
        stage = listed[0].profile if listed else stage
        profiles = [read.profile.values for read in listed]
        return claims.only(claim["theorem"], stage, profiles, claim.get("evidence"))
    if known == "proven" and len(listed) == 1 and parts[0].proven:
        return ACCEPTED, "a theorem proves that there is only one"
    if known in ("proven", "to a resolution"):
        return OPEN, "no theorem that is checked here proves the list complete"
    status = ACCEPTED if known == "not known" else REFUSED
    return status, "nothing is claimed" if known == "not known" else f"completeness is {known!r}"


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
        remarks=_best_a,
    ),
    "comparisons": Kind(results={"items[*]": "comparison"}, fits=_one_a),
    "stackelberg": Kind(
        entries=("commit", "plan", "search", "selection", "objective"),
        equilibria=("baseline", "response"),
        claims={
            "outcome": (("outcome",), _outcome),
            "selection": (
                SELECTION,
                _open("both values come from a search, which is not repeated"),
            ),
            "leader gap": (("leader_gap",), _open("an estimate: a better plan is not excluded")),
        },
        fits=_committed,
        remarks=_best_a,
    ),
    "alliance-equilibria": Kind(
        entries=("game", "plan", "complete", "statement", "cycle", "provenance"),
        equilibria=("equilibria[*]", "components[*].ends[*]"),
        claims={"completeness": (("completeness",), _complete)},
        fits=_listed_once,
        remarks=_continua,
    ),
    "action-equilibria": Kind(
        entries=("game", "statement", "resolution", "provenance"),
        equilibria=("equilibria[*]",),
        of="action-profile",
        claims={"completeness": (("completeness",), _not_repeated)},
        fits=_of_one_game,
    ),
    "equilibrium-set": Kind(
        entries=("game", "statement", "method", "provenance"),
        equilibria=("equilibria[*]",),
        of="profile",
        claims={"completeness": (("complete",), _not_repeated)},
        fits=_of_one_game,
    ),
}
