"""Records of a file as numbers, game, plan and equilibria; anything unexpected is a refusal."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from alliancegame.game.checks import shown
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.verify.payoffs import Stage

Content = Mapping[str, Any]

NUMBERS = ("burden", "payoff", "influence", "security", "trust")
EQUILIBRIUM = {
    "game", "plan", "concept", "members", *NUMBERS, "certificate", "message", "others", "provenance",
}  # fmt: skip
CERTIFICATE = {
    "verdict", "regret", "regret_usd_bn", "worst", "unique", "reason", "method", "scope", "tolerances",
}  # fmt: skip
WORDS = {
    "verdict": ("certified", "approximate", "unverified"),
    "unique": ("proven", "multiple", "not proven"),
}


class RefusedError(ValueError):
    """The file contradicts itself, or is not of the form that results have."""


def demand(holds: bool, otherwise: str) -> None:
    """Refuse the file unless something holds."""
    if not holds:
        raise RefusedError(otherwise)


def loads(text: str) -> Any:
    """JSON, in which no entry stands twice and every number is one."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        demand(len({key for key, _ in pairs}) == len(pairs), "an entry stands twice")
        return dict(pairs)

    def no_constant(text: str) -> None:
        raise RefusedError(f"{text} is no number")

    return json.loads(text, object_pairs_hook=once, parse_constant=no_constant)


def same(one: Any, two: Any) -> bool:
    """Whether two values are written alike: True is not 1, and 1 not 1.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)


def number(value: Any) -> float:
    """A number as results write it: infinities and nan are text."""
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    demand(plain or value in ("nan", "inf", "-inf"), f"{shown(value)} is no number")
    return float(value)


def record(value: Any, keys: set[str], what: str) -> Content:
    """A dict with these keys and no other."""
    demand(isinstance(value, dict), f"{what} is no record")
    odd = sorted(set(value) ^ keys)
    demand(not odd, f"{what} has missing or unknown entries: {odd}")
    return dict(value)


def game_of(content: Content) -> BurdenSharingGame:
    """The game, whose hash the file must state."""
    game = BurdenSharingGame.from_dict(content["game"])
    hashed = content["provenance"]["game_hash"] == game.hash
    right = hashed and game.to_dict() == content["game"]
    demand(right, "the game is not the one whose hash (SHA-256) is stated")
    return game


def plan_of(content: Content) -> Plan:
    """The plan, written as `Plan.to_dict` writes it."""
    plan = Plan(**content["plan"])
    demand(plan.to_dict() == content["plan"], "the plan is not written as plans are")
    return plan


def profile_of(of: str, game: BurdenSharingGame, plan: Plan, values: Sequence[Any]) -> list[float]:
    """Burdens within their bounds, the leader's as the plan says."""
    burdens, low, high = (
        [number(v) for v in values],
        *map(game.by_member, ("burden_min", "burden_max")),
    )
    inside = all(a <= b <= c for a, b, c in zip(low, burdens, high, strict=True))
    demand(inside, f"a burden of {of} is outside its bounds")
    named = plan.burden in (None, burdens[game.members.leader_index])
    demand(named, f"the leader's burden of {of} is not the one that the plan names")
    return burdens


@dataclasses.dataclass(frozen=True)
class Equilibrium:
    """An equilibrium of a file: its name, its record, and what that says as numbers."""

    of: str
    content: Content
    stage: Stage
    certificate: Content
    numbers: Mapping[str, Sequence[float]]


def equilibrium_of(of: str, content: Any) -> Equilibrium:
    """Read an equilibrium. Whether it is one is another question."""
    content = record(content, EQUILIBRIUM, of)
    made = dict(record(content["certificate"], CERTIFICATE, f"certificate of {of}"))
    game, plan = game_of(content), plan_of(content)
    demand(content["members"] == list(game.members), f"{of} has other members than its game")
    numbers = {name: [number(v) for v in content[name]] for name in NUMBERS}
    sizes = {len(values) for values in numbers.values()}
    demand(sizes == {game.size}, f"{of} has not one number for each member")
    burdens = profile_of(of, game, plan, content["burden"])
    concept = "nash" if plan.burden is None else "response"
    demand(content["concept"] == concept, f"{of} is no {content['concept']!r} under its plan")
    for name, values in (*WORDS.items(), ("worst", (None, *game.members))):
        demand(made[name] in values, f"{name} of {of} is {shown(made[name])}")
    texts = (content["message"], *(made[name] for name in ("reason", "method", "scope")))
    demand(all(isinstance(text, str) for text in texts), f"{of} has words that are no text")
    demand(isinstance(content["others"], list), f"others of {of} are no list")
    made |= {name: number(made[name]) for name in ("regret", "regret_usd_bn")}
    made["tolerances"] = {name: number(value) for name, value in made["tolerances"].items()}
    return Equilibrium(of, content, Stage(game, plan, burdens), made, numbers)


def places(content: Content, path: str) -> Iterator[tuple[str, Any]]:
    """The names and values at a path such as "components[*].ends[*]"."""
    first, _, rest = path.partition(".")
    name = first.removesuffix("[*]")
    here = [(name, content[name])]
    if first != name:
        demand(isinstance(content[name], list), f"{name} is no list")
        here = [(f"{name}[{k}]", value) for k, value in enumerate(content[name])]
    for name, value in here:
        if rest:
            yield from ((f"{name}.{after}", found) for after, found in places(value, rest))
        else:
            yield name, value
