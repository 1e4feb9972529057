"""Stability of coalitions: whether a member would rather leave, or an outsider rather join."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import CoalitionSizeError, InvalidValueError, unknown_name
from alliancegame.game.checks import (
    check_flag,
    check_game,
    check_unique,
    check_whole,
    listed,
    shown,
)
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array, as_number
from alliancegame.solve.planning.blocs import one_against_singles, solve_blocs
from alliancegame.solve.planning.social_optimum import checked_weights
from alliancegame.solve.result import Result, numbers
from alliancegame.study.coalitions import MAX_ALLIANCE, check_some, checked_coalition, money_weights

if TYPE_CHECKING:
    import pandas as pd

MOST_ALIKE = 10**6
"""Players in `stable_sizes` at most."""

SLACK = 1e-9
"""A gain up to this, relative to the largest payoff, is none: indifferent members stay."""

Payoffs = Callable[[frozenset[Any]], Any]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Stability(Result):
    """A coalition's stability when members move one at a time and the others stay as they are.

    `gains`, of shape (n,) by player, is what a member of the coalition would gain by leaving it (it
    then plays singly against the rest of the coalition), and what an outsider would gain by joining,
    in payoff. `worth` turns payoff into money (1 for a user's own game). The coalition is internally
    stable if no member gains, externally stable if no outsider does. `surplus` is what its members
    have together over what each would have by leaving, in money: if it is not negative, transfers
    could make the coalition internally stable (`potential`; Carraro, Eyckmans and Finus 2006).
    """

    kind: ClassVar[str] = "stability"

    players: tuple[Any, ...]
    coalition: tuple[Any, ...]
    gains: Array
    worth: Array
    unit: str
    slack: float
    regret: float = 0.0

    @property
    def _inside(self) -> Any:
        return np.array([p in self.coalition for p in self.players])

    @property
    def internal(self) -> bool:
        """Whether nobody gains by leaving."""
        return bool((self.gains[self._inside] <= self.slack).all())

    @property
    def external(self) -> bool | None:
        """Whether nobody gains by joining; None if that was not asked (`gains` are then nan)."""
        gains = self.gains[~self._inside]
        return None if np.isnan(gains).any() else bool((gains <= self.slack).all())

    @property
    def stable(self) -> bool:
        """Whether nobody gains by leaving or by joining."""
        return self.internal and bool(self.external)

    @property
    def surplus(self) -> float:
        """What members have together over what each would have by leaving, in money."""
        inside = self._inside
        return -float((self.gains * self.worth)[inside].sum())

    @property
    def potential(self) -> bool:
        """Whether transfers among its members could keep all of them in."""
        return self.surplus >= -self.slack * float(self.worth.sum())

    @property
    def leavers(self) -> tuple[Any, ...]:
        """Members who gain by leaving, those who gain most (in payoff) first."""
        return self._movers(self._inside)

    @property
    def joiners(self) -> tuple[Any, ...]:
        """Outsiders who gain by joining, those who gain most (in payoff) first."""
        return self._movers(~self._inside)

    def _movers(self, of: Any) -> tuple[Any, ...]:
        order = np.argsort(-self.gains, kind="stable")
        return tuple(self.players[k] for k in order if of[k] and self.gains[k] > self.slack)

    def headline(self) -> str:
        """One line that says what was found."""
        inside = "internally stable" if self.internal else f"{len(self.leavers)} would leave"
        outside = "externally stable" if self.external else f"{len(self.joiners)} would join"
        outside = "outsiders not asked" if self.external is None else outside
        could = "could" if self.potential else "could not"
        return (
            f"coalition of {len(self.coalition)}: {inside}, {outside}; transfers {could} keep its "
            "members in"
        )

    def to_frame(self) -> pd.DataFrame:
        """Every player: inside or outside, and what moving would bring it."""
        import pandas as pd

        columns = {
            "inside": self._inside,
            "gain_from_moving": self.gains,
            "worth": self.gains * self.worth,
        }
        return pd.DataFrame(columns, index=pd.Index(self.players, name="player"))

    def _content(self) -> dict[str, Any]:
        return {
            "players": list(self.players), "coalition": list(self.coalition),
            "gains": self.gains.tolist(), "worth": self.worth.tolist(), "unit": self.unit,
            "slack": self.slack, "regret": self.regret, "internal": self.internal,
            "external": self.external, "surplus": self.surplus,
        }  # fmt: skip

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        return cls(
            tuple(content["players"]), tuple(content["coalition"]), numbers(content["gains"]),
            numbers(content["worth"]), content["unit"], float(content["slack"]),
            float(content["regret"]),
        )  # fmt: skip


def coalition_stability(
    game: BurdenSharingGame | Payoffs,
    coalition: Iterable[Any] | None = None,
    *,
    players: Sequence[Any] | None = None,
    weights: Any = "gdp",
) -> Stability:
    """Whether a coalition (by default everybody) is internally and externally stable.

    `game` is an alliance, or a function that takes the coalition (a frozenset of `players`) and
    returns everybody's payoffs, a dict by player or numbers in order. In an alliance the coalition
    maximises the sum of its members' payoffs at `weights` (as in `solve_social_optimum`), outsiders
    play singly, all at once, without pressure; what moving brings is in payoff, its worth in bn US$
    a year at A's marginal utility of consumption. There are no transfers, so that a coalition that
    is good for all together may lose those whom it costs most. To leave is to play singly here, not
    to lose the umbrella: leaving an alliance is a model of its own.

    Raises `InvalidValueError`, `UnknownNameError`, `ConvergenceError`.
    Source: d'Aspremont, Jacquemin, Gabszewicz and Weymark (1983); Barrett (1994).
    """
    if isinstance(game, BurdenSharingGame):
        _no_players(players)
        inside = checked_coalition(game, coalition)
        return _of_alliance(AlliancePayoffs(game, weights), inside)
    named = _checked_players(game, players)
    everyone = named
    if coalition is not None:
        everyone = tuple(listed(coalition, "a coalition", "players", ordered=False))
        check_some(everyone)
    for player in everyone:
        if player not in named:
            raise unknown_name("player", player, [str(p) for p in named], " in the coalition")
    return _stability(_user_payoffs(game, named), named, frozenset(everyone))


def stable_coalitions(
    game: BurdenSharingGame | Payoffs,
    *,
    players: Sequence[Any] | None = None,
    weights: Any = "gdp",
    among: Iterable[Any] | None = None,
    external: bool = True,
) -> tuple[Stability, ...]:
    """Every coalition of at least two that is internally and externally stable, small ones first.

    As `coalition_stability`. With `among`, coalitions of these players are looked at (the others of
    the alliance stay outside and answer singly), at most 10; otherwise those of everybody. With
    `external=False` a coalition needs to be internally stable only, and outsiders are not asked,
    which takes far fewer equilibria. Raises `CoalitionSizeError` for more than 10 players.
    """
    check_flag(external, "external")
    if isinstance(game, BurdenSharingGame):
        _no_players(players)
        named: tuple[Any, ...] = tuple(game.members)
    else:
        named = _checked_players(game, players)
    chosen = named if among is None else tuple(listed(among, "among", "players", ordered=False))
    check_unique(chosen, "among")
    for player in chosen:
        if player not in named:
            raise unknown_name("player", player, [str(p) for p in named], " in among")
    if len(chosen) > MAX_ALLIANCE:
        raise CoalitionSizeError(
            f"stable coalitions are listed for at most {MAX_ALLIANCE} players, got {len(chosen)}: "
            "choose some with among=[...], or ask for one coalition with coalition_stability."
        )
    found: AlliancePayoffs | Payoffs
    if isinstance(game, BurdenSharingGame):
        found, order = AlliancePayoffs(game, weights), tuple(map(named.index, chosen))
    else:
        found, order = _user_payoffs(game, named), chosen
    results: list[Stability] = []
    for count in range(2, len(chosen) + 1):
        for members in itertools.combinations(order, count):
            group = frozenset(members)
            if isinstance(found, AlliancePayoffs):
                results.append(_of_alliance(found, group, external=external))
            else:
                results.append(_stability(found, named, group, external=external))
    return tuple(one for one in results if (one.stable if external else one.internal))


def leave_one_out(game: BurdenSharingGame, weights: Any = "gdp") -> tuple[Stability, ...]:
    """The whole alliance's stability, then that of everybody but one, by the order of members.

    As `coalition_stability`. About n^2 / 2 equilibria are solved, each once.
    """
    check_game(game, "leave_one_out")
    found = AlliancePayoffs(game, weights)
    whole = frozenset(range(game.size))
    return tuple(_of_alliance(found, whole - left) for left in (set(), *({k} for k in whole)))


def stable_sizes(
    member: Callable[[int], float], outsider: Callable[[int], float], n: int
) -> tuple[int, ...]:
    """Sizes of agreements, 2 to n, that are stable where all n players are alike.

    `member(k)` and `outsider(k)` are the payoffs of a signatory of an agreement of k and of one who
    has not signed. Stable: member(k) >= outsider(k - 1) and outsider(k) >= member(k + 1); players who
    are indifferent stay as they are. An agreement of one is none.

    Raises `InvalidValueError` if n is not a whole number from 2 or a payoff is no number.
    Source: Barrett (1994), "Self-enforcing international environmental agreements".
    """
    check_whole(n, "n", 2, MOST_ALIKE)
    for name, payoff in (("member", member), ("outsider", outsider)):
        if not callable(payoff):
            raise InvalidValueError(
                f"{name} must be a function of the number of signatories that gives a payoff, got "
                f"{shown(payoff)}."
            )
    inside = [math.nan] + [as_number(member(k), f"member({k})") for k in range(1, n + 1)]
    outside = [as_number(outsider(k), f"outsider({k})") for k in range(n)] + [math.nan]
    slack = SLACK * max(map(abs, [*inside[1:], *outside[:-1]]))

    def stable(k: int) -> bool:
        stays = inside[k] >= outside[k - 1] - slack
        return stays and (k == n or outside[k] >= inside[k + 1] - slack)

    return tuple(k for k in range(2, n + 1) if stable(k))


def _of_alliance(
    payoffs: AlliancePayoffs, inside: frozenset[int], *, external: bool = True
) -> Stability:
    """Stability of members of an alliance, given by position, with labels and money."""
    game = payoffs.game
    labels = tuple(game.members)
    return dataclasses.replace(
        _stability(payoffs, tuple(range(game.size)), inside, external=external),
        players=labels,
        coalition=tuple(labels[k] for k in sorted(inside)),
        worth=money_weights(game),
        unit="bn US$ a year",
        regret=payoffs.regret,
    )


class AlliancePayoffs:
    """Everybody's payoffs, shape (n,), when some members (by position) act as one; solved once each."""

    def __init__(self, game: BurdenSharingGame, weights: Any) -> None:
        self.game = game
        self.weights = checked_weights(game, weights)[1]
        self.regret = 0.0
        self._known: dict[frozenset[int], Array] = {}

    def __call__(self, members: frozenset[int]) -> Array:
        """Payoffs in the equilibrium of the coalition against single outsiders."""
        members = members if len(members) > 1 else frozenset()
        if members not in self._known:
            blocs = one_against_singles(self.game, members)
            found = solve_blocs(self.game, blocs, self.weights)
            self.regret = max(self.regret, found.regret)
            self._known[members] = found.payoffs
        return self._known[members]


def _stability(
    payoffs: Payoffs, players: tuple[Any, ...], inside: frozenset[Any], *, external: bool = True
) -> Stability:
    now = payoffs(inside)
    gains = np.full(len(players), np.nan)
    for k, player in enumerate(players):
        if external or player in inside:
            gains[k] = payoffs(inside ^ {player})[k] - now[k]
    slack = SLACK * max(float(np.abs(now).max()), 1e-300)
    order = tuple(p for p in players if p in inside)
    return Stability(players, order, gains, np.ones(len(players)), "payoff", slack)


def _checked_players(game: Any, players: Sequence[Any] | None) -> tuple[Any, ...]:
    if not callable(game):
        raise InvalidValueError(
            "stability needs an alliance, or a function of a coalition that returns everybody's "
            f"payoffs; got {type(game).__name__}."
        )
    named = tuple(listed(players, "players of a function", "labels, players=[...]"))
    if not named:
        raise InvalidValueError("a function needs players=[...], and got none.")
    check_unique(named, "players")
    return named


def _no_players(players: Any) -> None:
    if players is not None:
        raise InvalidValueError(
            "players belong to a function of coalitions; those of an alliance are its members. Leave "
            "players out."
        )


def _named(members: Iterable[Any]) -> str:
    return "{" + ", ".join(sorted(map(str, members))) + "}"


def _user_payoffs(game: Payoffs, players: tuple[Any, ...]) -> Payoffs:
    """A user's payoffs as checked numbers in the order of players, asked for once each."""
    known: dict[frozenset[Any], Array] = {}

    def payoffs(members: frozenset[Any]) -> Array:
        if members not in known:
            given = game(members)
            if isinstance(given, Mapping):
                missing = [p for p in players if p not in given]
                if missing:
                    raise InvalidValueError(f"payoffs of {missing[0]!r} are missing.")
                given = [given[p] for p in players]
            given = listed(given, f"payoffs of {_named(members)}", "numbers, one for each player")
            if len(given) != len(players):
                raise InvalidValueError(
                    f"payoffs must be {len(players)} numbers, one for each player, got {len(given)}."
                )
            known[members] = np.array(
                [as_number(v, f"payoff of {p}") for p, v in zip(players, given, strict=True)]
            )
        return known[members]

    return payoffs
