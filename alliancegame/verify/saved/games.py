"""Profiles of users' own games and of finite games: read, and their claims settled."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

import sympy as sp
from flint import arb, fmpq

from alliancegame.game import expressions as ex
from alliancegame.game.aggregative import AggregativeGame
from alliancegame.game.custom import ContinuousGame
from alliancegame.game.finite import FiniteGame
from alliancegame.verify.claims import (
    ACCEPTED,
    LIMITS,
    OPEN,
    REFUSED,
    Answer,
    agrees,
    apart,
    gravest,
)
from alliancegame.verify.deviations import Gain
from alliancegame.verify.finite import earned
from alliancegame.verify.intervals import Interval
from alliancegame.verify.own import enclose, largest_gain
from alliancegame.verify.saved.reading import (
    CERTIFICATE,
    WORDS,
    Content,
    demand,
    number,
    record,
    same,
)

NOT_REPEATED = (
    "proved by halving the set of profiles, or by enumeration, which is not repeated here"
)


class Settle(Protocol):
    """Find out about a claim, once the file's list of claims says the same as the result."""

    def __call__(self, of: str, claim: str, says: Content, find: Callable[[], Answer]) -> str:
        """The status that was found."""


class Played(NamedTuple):
    """A profile: what each player earns, what a deviation can gain, and the unit of its regret."""

    players: Sequence[str]
    profile: Sequence[float]
    paid: Sequence[Interval]
    gain: Callable[[int, Any], Gain]
    unit: Sequence[float]


# --- Users' own games ------------------------------------------------------------------------------


def _of_formulas(content: Content) -> Played:
    """A profile of actions in a game of formulas."""
    types: Mapping[str, Any] = {"continuous": ContinuousGame, "aggregative": AggregativeGame}
    game = types[content["game"]["type"]].from_dict(content["game"])
    _hashed(game, content)
    actions = [number(value) for value in content["action"]]
    inside = all(a <= x <= b for a, x, b in zip(game.low, actions, game.high, strict=True))
    demand(inside, "an action is outside its bounds")
    sides = (_sums if isinstance(game, AggregativeGame) else _payoffs)(game, actions)

    def gain(i: int, target: Any) -> Gain:
        formula, known, own, box, at = sides[i]
        return largest_gain(formula, known, own, box, at, target)

    paid = [
        enclose(formula, known | {s: Interval(x) for s, x in zip(own, at, strict=True)})
        for formula, known, own, _, at in sides
    ]
    return Played(game.players, actions, paid, gain, [1.0] * game.size)


def _payoffs(game: ContinuousGame, actions: Sequence[float]) -> list[Any]:
    """Each player's payoff, what is known of the others, its own symbols, bounds and actions."""
    known = {ex.symbol(name): Interval(value) for name, value in game.parameters.items()}
    known |= {s: Interval(x) for s, x in zip(game.symbols, actions, strict=True)}
    found = []
    for player in range(game.size):
        mine = game.own(player)
        own = tuple(game.symbols[k] for k in mine)
        others = {s: value for s, value in known.items() if s not in own}
        box = tuple(Interval(float(game.low[k]), float(game.high[k])) for k in mine)
        formula = game.payoffs[game.players[player]]
        found.append((formula, others, own, box, [actions[k] for k in mine]))
    return found


def _sums(game: AggregativeGame, actions: Sequence[float]) -> list[Any]:
    """The same where payoffs depend on sums: an own part, and the sum over all others."""
    own = (game.symbol,)
    each = [
        {
            ex.symbol(name): Interval(float(game.by_player_value(name)[i]))
            for name in game.parameters
        }
        for i in range(game.size)
    ]
    rest = {name: sp.Symbol(f"others {name}", real=True) for name in game.aggregates}
    for name, rule in game.aggregates.items():
        parts = [
            enclose(rule, k | {own[0]: Interval(x)}) for k, x in zip(each, actions, strict=True)
        ]
        # Sums before and after a player: the whole less its own part would be less exact.
        before, after = [Interval(0)], [Interval(0)]
        for one, other in zip(parts, reversed(parts), strict=True):
            before.append(before[-1] + one)
            after.append(after[-1] + other)
        for i in range(game.size):
            each[i][rest[name]] = before[i] + after[game.size - 1 - i]
    whole = {ex.symbol(name): rest[name] + rule for name, rule in game.aggregates.items()}
    formula = game.payoff.xreplace(whole)
    return [
        (formula, each[i], own, (Interval(float(a), float(b)),), [actions[i]])
        for i, (a, b) in enumerate(zip(game.low, game.high, strict=True))
    ]


# --- Finite games ----------------------------------------------------------------------------------


def _of_strategies(content: Content) -> Played:
    """A profile of mixtures in a game in normal form."""
    game = FiniteGame.from_dict(content["game"])
    _hashed(game, content)
    mixtures = [[_fraction(p) for p in row] for row in content["probabilities"]]
    fits = tuple(map(len, mixtures)) == game.shape
    fits = fits and all(p >= 0 for row in mixtures for p in row)
    close = all(abs(sum(row, Fraction(-1))) <= Fraction(1, 10**12) for row in mixtures)
    demand(fits and close, "the probabilities are none")
    sides = zip(game.players, game.strategies, content["probabilities"], strict=True)
    played = {
        player: {label: p for label, p in zip(labels, row, strict=True) if _fraction(p) > 0}
        for player, labels, row in sides
    }
    demand(
        same(played, content["strategies"]), "strategies and probabilities contradict each other"
    )
    found = earned(game, mixtures)
    exact = [Interval(arb(fmpq(u.numerator, u.denominator))) for u, _ in found]
    gains = [arb(fmpq(g.numerator, g.denominator)) for _, g in found]
    spans = [max(float(max(t.flat) - min(t.flat)), 1.0) for t in game.fractions]
    flat = [float(p) for row in mixtures for p in row]
    return Played(
        game.players, flat, exact, lambda i, target: Gain(gains[i].upper(), gains[i].lower()), spans
    )


def _fraction(value: Any) -> Fraction:
    """A number of a finite game: a fraction is text."""
    return Fraction(value) if isinstance(value, str) else Fraction(number(value))


def _hashed(game: Any, content: Content) -> None:
    right = content["provenance"]["game_hash"] == game.hash and same(
        game.to_dict(), content["game"]
    )
    demand(right, "the game is not the one whose hash (SHA-256) is stated")


# --- What profiles claim ---------------------------------------------------------------------------


class Form(NamedTuple):
    """How a kind of profile is written: its entries, and what reads them."""

    entries: set[str]
    read: Callable[[Content], Played]
    lists: str


SHARED = {"game", "payoff", "certificate", "concept", "message", "others", "provenance"}
FORMS = {
    "action-profile": Form(SHARED | {"action", "cycle"}, _of_formulas, "completeness"),
    "profile": Form(SHARED | {"probabilities", "strategies"}, _of_strategies, "complete"),
}
LISTS = {"action-equilibria": "action-profile", "equilibrium-set": "profile"}


def settle(kind: str, content: Content, find: Settle) -> None:
    """Settle the claims of a profile, or of a list of profiles."""
    if kind in FORMS:
        _profile(kind, FORMS[kind], content, (), find)
        return
    inner = LISTS[kind]
    listed = content["equilibria"]
    demand(isinstance(listed, list), "the equilibria are no list")
    demand(all(same(one["game"], content["game"]) for one in listed), "profiles of other games")
    parts = [_alone(f"equilibria[{k}]", FORMS[inner], one, find) for k, one in enumerate(listed)]
    for k, (of, one, status, played) in enumerate(parts):
        rest = [(p.profile, s) for j, (_, _, s, p) in enumerate(parts) if j != k]
        _unique(of, one, (played.profile, status), rest, find)
        demand(all(one["concept"] == "nash" for one in listed), "profiles that are no equilibria")
    entry = FORMS[inner].lists
    known = content[entry]
    demand(known in ("proven", "resolution", "unknown", True, False), f"{entry} is {known!r}")
    answer = (
        (ACCEPTED, "nothing is claimed") if known in ("unknown", False) else (OPEN, NOT_REPEATED)
    )
    find("", "completeness", {entry: known}, lambda: answer)


def _profile(of: str, form: Form, content: Content, others: Sequence[Any], find: Settle) -> None:
    _, one, status, played = _alone(of, form, content, find)
    rest = []
    for k, other in enumerate(content["others"]):
        demand(same(other["game"], content["game"]), f"{of}.others[{k}] is of another game")
        demand(not other["others"], f"{of}.others[{k}] lists others of its own")
        name, inner, found, beside = _alone(f"{of}.others[{k}]", form, other, find)
        _unique(name, inner, (beside.profile, found), [(played.profile, status)], find)
        rest.append((beside.profile, found))
    _unique(of, one, (played.profile, status), rest, find)


def _alone(of: str, form: Form, content: Any, find: Settle) -> tuple[str, Content, str, Played]:
    """The payoffs and the regret of one profile."""
    content = record(content, form.entries, of)
    made = record(content["certificate"], CERTIFICATE, f"certificate of {of}")
    played = form.read(content)
    paid = content["payoff"]
    if isinstance(paid, dict):
        demand(list(paid) == list(played.players), f"payoffs of {of} are of other players")
        paid = list(paid.values())
    given = [number(u) if u in ("nan", "inf", "-inf") else float(_fraction(u)) for u in paid]
    for name, values in (*WORDS.items(), ("worst", (None, *played.players))):
        demand(made[name] in values, f"{name} of {of} is {made[name]!r}")
    for name, most in LIMITS.items():
        demand(0 <= number(made["tolerances"][name]) <= most, f"tolerances of {of} mean nothing")
    find(of, "payoffs", {}, lambda: _payoffs_agree(played, given))
    says = {"verdict": made["verdict"], "bound": made["regret"]}
    status = find(of, "regret", says, lambda: _nobody_gains(content["concept"], made, played))
    return of, content, status, played


def _payoffs_agree(played: Played, given: Sequence[float]) -> Answer:
    sides = zip(played.players, given, played.paid, played.unit, strict=True)
    found = [_agrees(f"payoff of {player}", u, there, unit) for player, u, there, unit in sides]
    return gravest([(ACCEPTED, "payoffs agree to 1e-9"), *found])


def _agrees(what: str, given: float, enclosed: Interval, unit: float) -> Answer:
    """Whether a payoff agrees; one that is not finite does not contradict an enclosure without an end."""
    open_ = not (enclosed.lo.is_finite() and enclosed.hi.is_finite())
    if not math.isfinite(given) and open_ and enclosed.lo < enclosed.hi:
        return OPEN, f"{what} is {given!r}, and the formula is only enclosed by {enclosed}"
    return agrees(what, given, enclosed, 1e-12 * unit)


def _nobody_gains(concept: str, made: Content, played: Played) -> Answer:
    """That no player gains more than the regret, nor more than the verdict allows."""
    verdict, bound = made["verdict"], number(made["regret"])
    if verdict == "unverified":
        return OPEN, "the result itself says that it is unverified: nothing is claimed"
    if concept != "nash":
        return OPEN, f"a profile of concept {concept!r}: who may deviate is not in the file"
    most, unsettled, limit = 0.0, "", number(made["tolerances"][verdict])
    for i, player in enumerate(played.players):
        target = min(bound, limit * played.unit[i])
        gain = played.gain(i, arb(target))
        if gain.least > target:
            found = f"{player} gains at least {float(gain.least):.3g} by a deviation"
            return REFUSED, f"{found}, more than {target:.3g}"
        if not gain.most <= target:
            unsettled = f"the gain of {player} is only proved to be at most {float(gain.most):.3g}"
        most = max(most, float(gain.most))
    found = f"nobody gains more than {1.1 * most:.1e} (claimed {bound:.3g}), over whole action sets"
    return (OPEN, unsettled) if unsettled else (ACCEPTED, found)


def _unique(
    of: str, content: Content, own: tuple[Any, str], rest: Sequence[tuple[Any, str]], find: Settle
) -> None:
    state = content["certificate"]["unique"]

    def answer() -> Answer:
        if state == "not proven":
            return ACCEPTED, "nothing is claimed"
        if state == "proven":
            return (REFUSED, "further equilibria are listed") if rest else (OPEN, NOT_REPEATED)
        if not rest:
            return OPEN, "several are claimed, and no second one is in the file"
        if not all(apart(own[0], other) for other, _ in rest):
            return REFUSED, "one profile is listed twice"
        fine = own[1] == ACCEPTED and any(status == ACCEPTED for _, status in rest)
        return (ACCEPTED, "a second profile is one too") if fine else (OPEN, "regrets are open")

    find(of, "uniqueness", {"state": state}, answer)
