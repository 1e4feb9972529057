"""Records of a file as numbers, games, plans and profiles; anything unexpected is a refusal."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from alliancegame.game.aggregative import AggregativeGame
from alliancegame.game.checks import shown
from alliancegame.game.custom import ContinuousGame
from alliancegame.game.finite import FiniteGame
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.verify.claims import ACCEPTED, Answer
from alliancegame.verify.own.finite import Mixtures
from alliancegame.verify.own.formulas import Actions
from alliancegame.verify.payoffs import Stage
from alliancegame.verify.profile import Profile
from alliancegame.verify.uniqueness.proofs import apart

Content = Mapping[str, Any]

CERTIFICATE = {
    "verdict", "regret", "regret_usd_bn", "worst", "unique", "reason", "method", "scope", "tolerances",
}  # fmt: skip
TYPES: Mapping[Any, Any] = {"continuous": ContinuousGame, "aggregative": AggregativeGame}
"""What games of formulas say of their type."""
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

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        raise RefusedError(f"not JSON: {error}") from error


def same(one: Any, two: Any) -> bool:
    """Whether two values are written alike: True is not 1, and 1 not 1.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)


def said(value: Any) -> bool:
    """Whether an entry says anything."""
    return json.dumps(value) not in ("null", "false", "[]")


def number(value: Any) -> float:
    """A number as results write it: infinities and nan are text."""
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    demand(plain or value in ("nan", "inf", "-inf"), f"{shown(value)} is no number")
    return float(value)


def numbers(values: Any, count: int, what: str) -> list[float]:
    """A list of so many numbers."""
    found = [number(value) for value in values]
    demand(len(found) == count, f"{what} are {len(found)} numbers, not {count}")
    return found


def record(value: Any, keys: set[str], what: str) -> Content:
    """A dict with these keys and no other."""
    demand(isinstance(value, dict), f"{what} is no record")
    odd = sorted(set(value) ^ keys)
    demand(not odd, f"{what} has missing or unknown entries: {odd}")
    return dict(value)


def game_of(content: Content) -> Any:
    """The game, whose hash the file must state."""
    data = content["game"]
    kind = FiniteGame if "strategies" in data else BurdenSharingGame
    game = TYPES.get(data.get("type"), kind).from_dict(data)
    right = content["provenance"]["game_hash"] == game.hash and same(game.to_dict(), data)
    demand(right, "the game is not the one whose hash (SHA-256) is stated")
    return game


def plan_of(content: Content) -> Plan:
    """The plan, written as `Plan.to_dict` writes it."""
    plan = Plan(**content["plan"])
    demand(plan.to_dict() == content["plan"], "the plan is not written as plans are")
    return plan


def _within(what: str, values: Sequence[float], low: Any, high: Any) -> None:
    inside = all(a <= b <= c for a, b, c in zip(low, values, high, strict=True))
    demand(inside, f"{what} is outside its bounds")


def profile_of(of: str, game: BurdenSharingGame, plan: Plan, values: Sequence[Any]) -> list[float]:
    """Burdens within their bounds, the leader's as the plan says."""
    burdens, ends = numbers(values, game.size, f"burdens of {of}"), ("burden_min", "burden_max")
    _within(f"a burden of {of}", burdens, *map(game.by_member, ends))
    named = plan.burden in (None, burdens[game.members.leader_index])
    demand(named, f"the leader's burden of {of} is not the one that the plan names")
    return burdens


# --- Profiles of each kind of game -----------------------------------------------------------------

Read = tuple[Profile, Mapping[str, Sequence[float]]]
"""A profile, and what the file says of its numbers."""


def _alliance(of: str, content: Content) -> Read:
    game, plan = game_of(content), plan_of(content)
    demand(content["members"] == list(game.members), f"{of} has other members than its game")
    concept = "nash" if plan.burden is None else "response"
    demand(content["concept"] == concept, f"{of} is no {content['concept']!r} under its plan")
    stage = Stage(game, plan, profile_of(of, game, plan, content["burden"]))
    names = ("payoff", "influence", "security", "trust")
    return stage, {name: numbers(content[name], game.size, f"{name} of {of}") for name in names}


def _actions(of: str, content: Content) -> Read:
    game = game_of(content)
    actions = numbers(content["action"], len(game.low), f"actions of {of}")
    _within(f"an action of {of}", actions, game.low, game.high)
    paid = numbers(content["payoff"], game.size, f"payoffs of {of}")
    return Actions(game, actions), {"payoff": paid}


def _mixtures(of: str, content: Content) -> Read:
    game, rows = game_of(content), content["probabilities"]
    mixtures = [[_fraction(p) for p in row] for row in rows]
    fits = all(min(row) >= 0 and abs(sum(row, Fraction(-1))) <= 1e-12 for row in mixtures)
    fits = fits and tuple(map(len, mixtures)) == game.shape
    demand(fits, f"the probabilities of {of} are none")
    played = {
        player: {label: p for label, p in zip(labels, row, strict=True) if _fraction(p) > 0}
        for player, labels, row in zip(game.players, game.strategies, rows, strict=True)
    }
    demand(same(played, content["strategies"]), f"strategies of {of} are not those played")
    demand(list(content["payoff"]) == list(game.players), f"payoffs of {of} are of other players")
    paid = [float(_fraction(u)) for u in content["payoff"].values()]
    return Mixtures(game, mixtures), {"payoff": paid}


def _fraction(value: Any) -> Fraction:
    """A number of a finite game: a fraction is text."""
    if isinstance(value, str):
        demand(set(value) <= set("-/0123456789"), f"{shown(value)} is no fraction")
        return Fraction(value)
    return Fraction(number(value))


PROFILES: Mapping[str, tuple[set[str], Callable[[str, Content], Read]]] = {
    "equilibrium": ({"plan", "members", "burden", "influence", "security", "trust"}, _alliance),
    "action-profile": ({"action", "cycle"}, _actions),
    "profile": ({"probabilities", "strategies"}, _mixtures),
}
"""The kinds of profiles: the entries of their own, and what reads them."""
SHARED = {"game", "payoff", "certificate", "concept", "message", "others", "provenance"}
"""The entries of every profile."""


@dataclasses.dataclass(eq=False)
class Equilibrium:
    """What a file calls an equilibrium: its name, its record, and what that says as numbers.

    `savings` are the leader's in an alliance; `regret` and `unique` say what was found of its claims.
    """

    of: str
    content: Content
    profile: Any
    certificate: Content
    numbers: Mapping[str, Sequence[float]]
    savings: float = math.nan
    regret: str = ""
    unique: str = ""

    @property
    def proven(self) -> bool:
        """Whether it is proved to be the only one."""
        return self.unique == ACCEPTED and self.certificate["unique"] == "proven"

    def shares(self, content: Content, *keys: str) -> None:
        """Refuse it if it is not of the same game, plan, ..., as what it stands in."""
        alike = all(same(self.content[key], content[key]) for key in keys)
        demand(alike, f"{self.of} is of another {' or '.join(keys)}")


Parts = Sequence[Equilibrium]
Remark = tuple[str, str, Answer]
"""On which part, a claim that the result makes without listing it, and what became of it."""


def equilibrium_of(kind: str, of: str, content: Any) -> Equilibrium:
    """Read an equilibrium. Whether it is one is another question."""
    entries, read = PROFILES[kind]
    content = record(content, SHARED | entries, of)
    made = dict(record(content["certificate"], CERTIFICATE, f"certificate of {of}"))
    profile, found = read(of, content)
    for name, values in (*WORDS.items(), ("worst", (None, *profile.names))):
        demand(made[name] in values, f"{name} of {of} is {shown(made[name])}")
    texts = (content["message"], *(made[name] for name in ("reason", "method", "scope")))
    demand(all(isinstance(text, str) for text in texts), f"{of} has words that are no text")
    demand(isinstance(content["others"], list), f"others of {of} are no list")
    made |= {name: number(made[name]) for name in ("regret", "regret_usd_bn")}
    made["tolerances"] = {name: number(value) for name, value in made["tolerances"].items()}
    return Equilibrium(of, content, profile, made, found)


def distinct(parts: Sequence[Equilibrium]) -> None:
    """No profile may stand twice, not even moved by a millionth. Of a continuum points may stand near."""
    for k, one in enumerate(parts):
        for other in parts[:k]:
            moved = apart(one.profile.values, other.profile.values, by=1e-6)
            demand(moved, f"{one.of} is the same profile as {other.of}")


def places(content: Content, path: str, of: str = "") -> Iterator[tuple[str, Any]]:
    """The names (after `of`) and values at a path such as "components[*].ends[*]"."""
    first, _, rest = path.partition(".")
    name = first.removesuffix("[*]")
    here = [(f"{of}{name}", content[name])]
    if first != name:
        demand(isinstance(content[name], list), f"{name} is no list")
        here = [(f"{of}{name}[{k}]", value) for k, value in enumerate(content[name])]
    for where, value in here:
        yield from places(value, rest, f"{where}.") if rest else [(where, value)]
