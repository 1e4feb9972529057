"""Results made of several equilibria: comparisons with A, the leader's best plan, sets of equilibria."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from alliancegame.verify.claims import ACCEPTED, OPEN, REFUSED, Answer, apart, carried
from alliancegame.verify.intervals import Interval
from alliancegame.verify.reading import RefusedError, number, record

SMALL = 1e-6
"""Changes of savings and influence below this are none (docs/theory/outcomes)."""

PARTS = ("commitment", "leverage", "trust_loss")
UNCHECKED = (*PARTS, "versus_best_burden")


class _Seen:
    """What outcomes need of an equilibrium, from its record."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        game = record["game"]
        self.game, self.lead = game, record["members"].index(game["leader"])
        values = {
            k: float(record[k][self.lead]) for k in ("payoff", "influence", "security", "burden")
        }
        self.payoff, self.influence = values["payoff"], values["influence"]
        self.burden, self.gdp = values["burden"], self.each("gdp")
        own = self.each("effectiveness")[self.lead] * self.gdp[self.lead] * self.burden
        weak = game["substitution"] < 0 or game["technology"] == "weakest-link"
        defined = not weak and values["security"] > 0
        self.savings = 1 - own / values["security"] if defined else math.nan
        self.regret = float(record["certificate"]["regret"])
        allies = [i for i in range(len(record["members"])) if i != self.lead]
        spent = sum(self.gdp[i] * float(record["burden"][i]) for i in allies)
        self.allied_burden = spent / sum(self.gdp[i] for i in allies)

    def each(self, name: str) -> list[float]:
        value = self.game[name]
        return value if isinstance(value, list) else [value] * len(self.game["members"])

    def influence_worth(self) -> float:
        """alpha_l v(p_l)."""
        alpha = self.each("influence_weight")[self.lead]
        if alpha == 0 or self.game["influence_value"] == "share":
            return float(alpha * self.influence)
        return float(alpha) * math.log(self.influence) if self.influence > 0 else -math.inf


def outcome(base: _Seen, here: _Seen) -> str:
    """What the plan brings the leader against A (docs/theory/outcomes)."""
    gain, slack = here.payoff - base.payoff, 1e-9 + 10 * max(base.regret, here.regret)
    saved, influence = here.savings - base.savings, here.influence - base.influence
    if abs(gain) <= slack:
        return "break-even" if abs(saved) > SMALL or abs(influence) > SMALL else "status quo"
    if gain > slack:
        return "success" if saved > SMALL and influence < -SMALL else "windfall"
    return "backfire" if saved > SMALL else "futile"


def _pair(checking: Any, of: str, content: Mapping[str, Any], plan: str) -> tuple[_Seen, _Seen]:
    """A and the answer to a plan: both checked, of one game, A without pressure."""
    base, here = content["baseline"], content[plan]
    if base["game"] != here["game"]:
        raise RefusedError("A and the plan are of different games")
    quiet = (
        all(base["plan"][k] == 0 for k in ("threat", "tariff")) and base["plan"]["burden"] is None
    )
    if not quiet:
        raise RefusedError("A is not without pressure")
    checking.equilibrium(f"{of}baseline", base)
    checking.equilibrium(f"{of}{plan}", here)
    if base["certificate"]["unique"] != "proven":
        best = (
            OPEN,
            "A is the equilibrium best for the leader: that no better one exists is not checked",
        )
        checking.say(f"{of}baseline", "best for the leader", best)
    return _Seen(base), _Seen(here)


def comparison(checking: Any, content: Mapping[str, Any], of: str = "") -> None:
    """A plan against A: outcome, gain and flags follow from both; the parts of the gain must add up."""
    keys = ("outcome", "delta_payoff", "gain_usd_bn", *PARTS, "versus_best_burden", "flags")
    checking.entries(of, content, {"baseline", "result", "provenance", *keys})
    base, here = _pair(checking, of, content, "result")
    parts = {k: number(content[k]) for k in PARTS}

    def follows() -> Answer:
        gain = here.payoff - base.payoff
        worth = (
            gain if base.game["consumption"] == "linear" else math.expm1(gain) * (1 - base.burden)
        )
        slack = 1e-9 + 10 * max(base.regret, here.regret)
        lost = here.influence_worth() - base.influence_worth()
        flags = {
            "spending_backfire": here.allied_burden < base.allied_burden - 1e-9,
            "influence_backfire": gain < -slack and gain - lost > slack,
            "self_inflicted": gain < -slack and parts["commitment"] <= gain + slack,
        }
        if wrong := [
            name for name, holds in flags.items() if holds is not (name in content["flags"])
        ]:
            return REFUSED, f"flags that are not as stated: {', '.join(wrong)}"
        if more := sorted(set(content["flags"]) - set(flags)):
            return OPEN, f"flags that need more than is in the file: {', '.join(more)}"
        if content["outcome"] != outcome(base, here):
            return REFUSED, f"the outcome is {outcome(base, here)}"
        if number(content["delta_payoff"]) != gain:
            return REFUSED, f"delta_payoff is {gain}"
        money = Interval(worth * base.gdp[base.lead])
        return carried("gain_usd_bn", number(content["gain_usd_bn"]), money)

    def adds_up() -> Answer:
        answer = carried(
            "their sum", sum(parts.values()), Interval(here.payoff - base.payoff), 1e-12
        )
        if answer[0] == REFUSED:
            return answer
        if content["result"]["plan"]["burden"] is None and parts["commitment"] != 0:
            return REFUSED, "there is no commitment: the plan names no burden"
        return OPEN, "they add up; each by itself needs equilibria that are not in the file"

    checking.settle(of, "outcome", {k: content[k] for k in ("outcome", "flags")}, follows)
    checking.settle(of, "decomposition", {k: content[k] for k in UNCHECKED}, adds_up)


def comparisons(checking: Any, content: Mapping[str, Any]) -> None:
    """Several plans against A."""
    for k, item in enumerate(record(content, {"items"}, "comparisons")["items"]):
        comparison(checking, item, f"items[{k}].")


SELECTION = ("optimistic_value", "pessimistic_value", "pessimistic_plan", "epsilon", "inadmissible")
"""What a Stackelberg result says of several answers to a plan."""


def stackelberg(checking: Any, content: Mapping[str, Any]) -> None:
    """The best plan that was found: the allies' answer is checked, that no plan is better is not."""
    words = {
        "commit",
        "plan",
        "leader_gap",
        "search",
        "selection",
        "objective",
        "outcome",
        *SELECTION,
    }
    checking.entries("", content, {"response", "baseline", *words})
    if content["plan"] != content["response"]["plan"]:
        raise RefusedError("the response is to another plan")
    base, here = _pair(checking, "", content, "response")
    found, said = outcome(base, here), {"outcome": content["outcome"]}
    right = (ACCEPTED, "it follows from A and the response")
    wrong = (REFUSED, f"the outcome is {found}")
    checking.settle("", "outcome", said, lambda: right if content["outcome"] == found else wrong)
    values = {k: content[k] for k in SELECTION}
    search = (OPEN, "both values come from a search of plans, which is not repeated")
    checking.settle("", "selection", values, lambda: search)
    gap = (OPEN, "an estimate of the search: whether some plan is better is not checked")
    checking.settle("", "leader gap", {"leader_gap": content["leader_gap"]}, lambda: gap)


def equilibrium_set(checking: Any, content: Mapping[str, Any]) -> None:
    """Equilibria of one game and plan, and whether they are all."""
    words = {"completeness", "complete", "statement", "provenance"}
    checking.entries("", content, {"game", "plan", "equilibria", "components", "cycle", *words})
    if content["cycle"] and content["equilibria"]:
        raise RefusedError("a cycle is evidence that there is no equilibrium, and there is one")
    parts = [checking.part(f"equilibria[{k}]", e) for k, e in enumerate(content["equilibria"])]
    for k, part in enumerate(parts):
        if any(part.content[key] != content[key] for key in ("game", "plan")):
            raise RefusedError(f"{part.of} is of another game or plan")
        if not all(apart(part.stage.burdens, other.stage.burdens) for other in parts[:k]):
            raise RefusedError(f"{part.of} is listed before")
        checking.uniqueness(part, [other for other in parts if other is not part])
    for k, component in enumerate(content["components"]):
        for j, end in enumerate(component["ends"]):
            checking.equilibrium(f"components[{k}].ends[{j}]", end)
    known = content["completeness"]

    def complete() -> Answer:
        if content["complete"] is not (known == "proven"):
            return REFUSED, f"complete is {content['complete']}, completeness {known!r}"
        if known == "not known":
            return ACCEPTED, "nothing is claimed"
        if known == "proven" and len(parts) == 1 and parts[0].of in checking.proven:
            return ACCEPTED, "a theorem proves that there is only one"
        return OPEN, "no theorem that is checked here proves the list complete"

    checking.settle("", "completeness", {"completeness": known}, complete)


KINDS = {
    "comparison": comparison, "comparisons": comparisons, "stackelberg": stackelberg,
    "alliance-equilibria": equilibrium_set,
}  # fmt: skip
