"""What a plan brings the leader, against A: the equilibrium without pressure (the status quo).

A comparison, or a leader's best plan, holds two equilibria, A and the answer to the plan; what it says of
the outcome are differences between the two.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from alliancegame.verify import claims
from alliancegame.verify.claims import ACCEPTED, OPEN, REFUSED, Answer, agrees
from alliancegame.verify.intervals import Interval
from alliancegame.verify.saved import reading
from alliancegame.verify.saved.reading import (
    Content,
    Equilibrium,
    Parts,
    Remark,
    demand,
    number,
    same,
)

SMALL = 1e-6
"""Changes of savings and influence below this are none (docs/theory/outcomes)."""

PARTS = ("commitment", "leverage", "trust_loss")
"""Of what a change of payoff is made up."""
SELECTION = ("optimistic_value", "pessimistic_value", "epsilon", "inadmissible", "pessimistic_plan")
"""What a Stackelberg result says of several answers to a plan."""


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


def a_is_a(content: Content, parts: Parts) -> Iterator[Remark]:
    """That A is an equilibrium of the same game without pressure, the best of those listed."""
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


def outcome(content: Content, parts: Parts) -> Answer:
    """What is said of the outcome, once payoffs tell it from others."""
    change = Change(parts)
    found, loose = (change.outcome(change.slack + more) for more in (0.0, change.doubt))
    if content["outcome"] != found:
        return REFUSED, f"the outcome is {found}"
    if loose != found:
        return OPEN, f"payoffs that agree to 1e-9 do not tell a gain of {change.gain:.2g} from none"
    return ACCEPTED, "it follows from A and the answer to the plan"


def outcome_and_gain(content: Content, parts: Parts) -> Answer:
    """What a comparison says beside that: the leader's gain, and flags."""
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
        outcome(content, parts),
        agrees("gain_usd_bn", number(content["gain_usd_bn"]), money),
        (OPEN if more else ACCEPTED, f"flags that need more than is in the file: {', '.join(more)}"),
    ])  # fmt: skip


def adds_up(content: Content, parts: Parts) -> Answer:
    """That the parts of a decomposition come to the gain."""
    commitment, *_ = given = [number(content[name]) for name in PARTS]
    number(content["versus_best_burden"])
    whole = agrees("their sum", sum(given), Interval(Change(parts).gain), claims.PAYOFF_CLOSE)
    if whole[0] == REFUSED:
        return whole
    if parts[1].profile.plan.burden is None and commitment != 0:
        return REFUSED, "there is no commitment: the plan names no burden"
    return OPEN, "they add up; each by itself needs equilibria that are not in the file"


def one_a(content: Content, parts: Parts) -> None:
    """That several comparisons are with one A."""
    games = [item["baseline"]["game"] for item in content["items"]]
    demand(bool(games), "no comparison is listed")
    demand(all(same(game, games[0]) for game in games), "comparisons with A of different games")


def committed(content: Content, parts: Parts) -> Iterator[Remark]:
    """That a leader's best plan is the one answered, and that nothing of it contradicts itself."""
    yield from a_is_a(content, parts)  # It refuses only while it is walked through.
    commit, plan = content["commit"], content["plan"]
    demand(same(plan, parts[1].content["plan"]), "the response is to another plan")
    known = {"threat", "demand", "tariff", "burden"} & set(commit)
    demand(bool(commit) and sorted(commit) == sorted(known), f"nobody can commit {commit!r}")
    demand("burden" not in commit or plan["burden"] is not None, "the plan names no burden")
    demand(not number(content["leader_gap"]) < 0, "leader_gap is negative")
    best, worst, epsilon, _ = (number(content[name]) for name in SELECTION[:4])
    demand(not (worst > best or epsilon < 0), "the worst answer is better than the best")
