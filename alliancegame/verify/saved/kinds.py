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


Finder = Callable[[Content, Sequence[Checked], Content], Answer]
"""What becomes of a claim, from the content of the result, its equilibria, and the claim as listed."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of result.

    `equilibria` stand at these paths, `results` of other kinds at those. `claims` are each the entries
    that it states, and a finder; other `entries` it must have. `fits` refuses what contradicts itself.
    """

    entries: tuple[str, ...]
    equilibria: tuple[str, ...] = ()
    results: Mapping[str, str] = dataclasses.field(default_factory=dict)
    claims: Mapping[str, tuple[tuple[str, ...], Finder]] = dataclasses.field(default_factory=dict)
    fits: Callable[[Content, Sequence[Checked]], None] = lambda content, parts: None

    @property
    def lists(self) -> bool:
        """Whether its equilibria stand beside each other, each one of several."""
        return self.equilibria == LISTED


LISTED = ("equilibria[*]", "components[*].ends[*]")


def _open(why: str) -> Finder:
    return lambda content, parts, claim: (OPEN, why)


# --- Against A -------------------------------------------------------------------------------------


class Change:
    """What a plan changes for the leader: all numbers of a comparison are differences of these."""

    def __init__(self, parts: Sequence[Checked]) -> None:
        base, here = parts
        lead = base.read.stage.lead
        self.gain, self.influence = (
            here.read.numbers[k][lead] - base.read.numbers[k][lead] for k in ("payoff", "influence")
        )
        self.saved = here.savings - base.savings
        self.slack = 1e-9 + 10 * max(part.read.certificate["regret"] for part in parts)
        self.spent = _allied_burden(here) - _allied_burden(base)
        self.esteem = _esteem(here) - _esteem(base)

    def outcome(self) -> str:
        """What the plan brings the leader (docs/theory/outcomes)."""
        if abs(self.gain) <= self.slack:
            moved = abs(self.saved) > SMALL or abs(self.influence) > SMALL
            return "break-even" if moved else "status quo"
        if self.gain > self.slack:
            return "success" if self.saved > SMALL and self.influence < -SMALL else "windfall"
        return "backfire" if self.saved > SMALL else "futile"


def _allied_burden(part: Checked) -> float:
    """Allied spending, a share of allied GDP."""
    stage = part.read.stage
    gdp = [float(y) for y in stage.game.by_member("gdp")]
    spent = sum(gdp[i] * stage.burdens[i] for i in stage.allies)
    return spent / sum(gdp[i] for i in stage.allies)


def _esteem(part: Checked) -> float:
    """alpha_l v(p_l)."""
    stage = part.read.stage
    alpha, influence = (
        float(values[stage.lead])
        for values in (stage.game.by_member("influence_weight"), part.read.numbers["influence"])
    )
    if alpha == 0 or stage.game.influence_value == "share":
        return alpha * influence
    return alpha * math.log(influence) if influence > 0 else -math.inf


def _a_is_a(content: Content, parts: Sequence[Checked]) -> None:
    base, here = (part.read for part in parts)
    alike = same(base.content["game"], here.content["game"])
    demand(alike, "A and the plan are of different games")
    provenance, plan = content.get("provenance", base.content["provenance"]), base.content["plan"]
    hashed = provenance["game_hash"] == base.stage.game.hash
    demand(hashed, "the game is not the one whose hash (SHA-256) is stated")
    quiet = plan["threat"] == plan["tariff"] == 0 and plan["burden"] is None
    demand(quiet, "A is not without pressure")
    lead = base.stage.lead
    payoffs = [number(other["payoff"][lead]) for other in base.content["others"]]
    best = base.numbers["payoff"][lead] + 1e-9 + 10 * base.certificate["regret"]
    demand(all(payoff <= best for payoff in payoffs), "A is not the best for the leader")


def _outcome(content: Content, parts: Sequence[Checked], claim: Content) -> Answer:
    found = Change(parts).outcome()
    if content["outcome"] != found:
        return REFUSED, f"the outcome is {found}"
    return ACCEPTED, "it follows from A and the answer to the plan"


def _outcome_and_gain(content: Content, parts: Sequence[Checked], claim: Content) -> Answer:
    change, flags, base = Change(parts), content["flags"], parts[0].read.stage
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
    found = agrees("gain_usd_bn", number(content["gain_usd_bn"]), money)
    answers = [_outcome(content, parts, claim), found]
    if refused := [answer for answer in answers if answer[0] == REFUSED]:
        return refused[0]
    if more := sorted(set(flags) - set(holds)):
        return OPEN, f"flags that need more than is in the file: {', '.join(more)}"
    return answers[0] if found[0] == ACCEPTED else found


PARTS = ("commitment", "leverage", "trust_loss")


def _adds_up(content: Content, parts: Sequence[Checked], claim: Content) -> Answer:
    commitment, *_ = given = [number(content[name]) for name in PARTS]
    number(content["versus_best_burden"])
    whole = agrees("their sum", sum(given), Interval(Change(parts).gain), claims.PAYOFF_CLOSE)
    if whole[0] == REFUSED:
        return whole
    if parts[1].read.stage.plan.burden is None and commitment != 0:
        return REFUSED, "there is no commitment: the plan names no burden"
    return OPEN, "they add up; each by itself needs equilibria that are not in the file"


def _one_a(content: Content, parts: Sequence[Checked]) -> None:
    games = [item["baseline"]["game"] for item in content["items"]]
    demand(bool(games), "no comparison is listed")
    demand(all(same(game, games[0]) for game in games), "comparisons with A of different games")


# --- The leader's best plan ------------------------------------------------------------------------

SELECTION = ("optimistic_value", "pessimistic_value", "pessimistic_plan", "epsilon", "inadmissible")
"""What a Stackelberg result says of several answers to a plan."""


def _committed(content: Content, parts: Sequence[Checked]) -> None:
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


# --- Sets of equilibria ----------------------------------------------------------------------------

COMPLETENESS = ("proven", "to a resolution", "not known")


def _listed_once(content: Content, parts: Sequence[Checked]) -> None:
    game, plan = reading.game_of(content), reading.plan_of(content)
    for part in parts:
        alike = all(same(part.read.content[key], content[key]) for key in ("game", "plan"))
        demand(alike, f"{part.read.of} is of another game or plan")
    listed = [part.read.stage.burdens for part in parts if part.read.of.startswith("equilibria")]
    for k, one in enumerate(listed):
        demand(all(apart(one, two) for two in listed[:k]), f"equilibria[{k}] is listed before")
    complete = content["completeness"] == "proven"
    demand(content["completeness"] in COMPLETENESS, "completeness is none of the known words")
    demand(content["complete"] is complete, "complete and completeness contradict each other")
    quiet = not (content["cycle"] and content["equilibria"])
    demand(quiet, "a cycle is evidence that there is no equilibrium, and there is one")
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
    for turn in content["cycle"]:
        _turn(Stage(game, plan, reading.profile_of("the cycle", game, plan, turn["burdens"])), turn)


def continua(content: Content) -> Iterator[tuple[str, Answer]]:
    """Whether equilibria hang together as each of the `components` says: its name, and the answer.

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
        yield f"components[{k}]", answer


def _one_sum(stage: Stage, names: Sequence[str], ends: Sequence[Sequence[float]]) -> bool:
    """Whether allies who move give what others take back, and one sum at all ends."""
    pairs = {i for pair in theorems.exchangeable(stage) for i in pair}
    who = {stage.game.members.index_of(name) for name in names}
    sums = [sum(float(stage.of["scale"][i].hi) * end[i] for i in stage.allies) for end in ends]
    return who <= pairs and max(sums) - min(sums) <= 1e-9 * max(sums)


def _turn(stage: Stage, turn: Content) -> None:
    """A step of a circle of best replies: the member gains what is said, or so just below its demand."""
    i = list(stage.game.members).index(turn["member"])
    payoff, reply, gain = stage.payoff(i), number(turn["reply"]), number(turn["gain"])
    now = payoff.number("payoff", stage.burdens[i])
    found = [
        agrees("a gain", gain, payoff.number("payoff", reply, below) - now, claims.PAYOFF_CLOSE)
        for low, high, below in payoff.pieces
        if low <= reply <= high
    ]
    right = i in stage.players and gain > 0 and any(status == ACCEPTED for status, _ in found)
    demand(right, f"{turn['member']} does not gain {gain} in the cycle")


def _complete(content: Content, parts: Sequence[Checked], claim: Content) -> Answer:
    known = content["completeness"]
    listed = [part for part in parts if part.read.of.startswith("equilibria")]
    if known == "not known":
        return ACCEPTED, "nothing is claimed"
    if known == "proven" and any(theorems.exchangeable(part.read.stage) for part in listed):
        return OPEN, "that allies share a burden in no other ways than those listed is not checked"
    if "theorem" in claim and known == "proven":
        profiles = [part.read.stage.burdens for part in listed]
        game = reading.game_of(content)
        least = [float(b) for b in game.by_member("burden_min")]
        stage = listed[0].read.stage if listed else Stage(game, reading.plan_of(content), least)
        return claims.only(claim["theorem"], stage, profiles, claim.get("evidence"))
    if known == "proven" and len(listed) == 1 and listed[0].proven:
        return ACCEPTED, "a theorem proves that there is only one"
    return OPEN, "no theorem that is checked here proves the list complete"


KINDS = {
    "equilibrium": Kind(entries=(), equilibria=("equilibrium",)),
    "comparison": Kind(
        entries=("delta_payoff", "gain_usd_bn", "provenance"),
        equilibria=("baseline", "result"),
        claims={
            "outcome": (("outcome", "flags"), _outcome_and_gain),
            "decomposition": ((*PARTS, "versus_best_burden"), _adds_up),
        },
        fits=_a_is_a,
    ),
    "comparisons": Kind(entries=(), results={"items[*]": "comparison"}, fits=_one_a),
    "stackelberg": Kind(
        entries=("commit", "plan", "search", "selection", "objective"),
        equilibria=("baseline", "response"),
        claims={
            "outcome": (("outcome",), _outcome),
            "selection": (
                SELECTION,
                _open("both values come from a search of plans, which is not repeated"),
            ),
            "leader gap": (
                ("leader_gap",),
                _open("an estimate of the search: whether some plan is better is not checked"),
            ),
        },
        fits=_committed,
    ),
    "alliance-equilibria": Kind(
        entries=("game", "plan", "complete", "statement", "cycle", "provenance"),
        equilibria=LISTED,
        claims={"completeness": (("completeness",), _complete)},
        fits=_listed_once,
    ),
}
