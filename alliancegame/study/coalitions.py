"""Characteristic functions from the alliance model: what each coalition of members can gain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import CoalitionSizeError, InvalidValueError
from alliancegame.game.checks import (
    check_choice,
    check_game,
    check_names,
    check_unique,
    listed,
    shown,
)
from alliancegame.game.coalition import CoalitionGame
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.solve import measures
from alliancegame.solve.nash import status_quo
from alliancegame.solve.planning.blocs import solve_blocs
from alliancegame.solve.result import provenance

CONVENTIONS = {
    "gamma": "outsiders play singly, in Nash equilibrium with the coalition",
    "delta": "outsiders form one coalition, in Nash equilibrium with the coalition",
}
"""What outsiders do, after Hart and Kurz (1983)."""

MAX_ALLIANCE = 10
"""Players of a characteristic function: every coalition is an equilibrium to be solved."""


def coalition_game(
    game: BurdenSharingGame,
    players: Mapping[str, Sequence[str]] | None = None,
    *,
    convention: str = "gamma",
) -> CoalitionGame:
    """What every coalition of members can gain over A by acting as one, bn US$ a year.

    The worth of a coalition is the sum over its members of lambda_i (u_i - u_i in A), where its
    burdens maximise that sum and outsiders answer as `convention` says ("gamma": singly, "delta": as
    one coalition). lambda_i is what a unit of payoff is worth to member i in A in dollars of its
    consumption: Y_i (1 - x_i) with log consumption, Y_i with linear. So worths can be transferred:
    exactly with linear consumption; with log consumption at the marginal utilities of A, a
    convention that is good for gains that are small beside consumption. Without pressure.

    `players` joins members into blocs that always act as one, `{"Europe": [...], ...}`; whoever is
    not named is a player alone. At most 10 players. Each equilibrium is checked: its regret, bloc by
    bloc, is in `provenance["regret_usd_bn"]`, and whether all best answers are proved to be global
    in `provenance["proved"]`. Single members are worth 0 under gamma unless A is not unique.

    Raises `CoalitionSizeError`, `UnknownNameError`, `InvalidValueError`, and `ConvergenceError`.
    """
    check_game(game, "coalition_game")
    check_choice(convention, "convention", CONVENTIONS)
    names, bloc_of = blocs_of(game, players)
    count = len(names)
    if count > MAX_ALLIANCE:
        raise CoalitionSizeError(
            f"a characteristic function is solved for at most {MAX_ALLIANCE} players, got {count}: "
            'join members into blocs, as in players={"Europe": [...]}.'
        )
    base, worth = status_quo(game), money_weights(game)
    table = np.zeros(2**count)
    regret, proved = 0.0, True
    for mask in range(1, 2**count):
        inside = (mask >> bloc_of) & 1 == 1
        outside = np.where(convention == "delta", -2, bloc_of)
        found = solve_blocs(game, np.where(inside, -1, outside), worth)
        table[mask] = float((worth * (found.payoffs - base.payoffs))[inside].sum())
        regret, proved = max(regret, found.regret), proved and found.proved
    table[np.abs(table) < 1e-9 * worth.sum()] = 0.0
    about = {
        "convention": f"{convention}: {CONVENTIONS[convention]}",
        "unit": "bn US$ a year over A, at A's marginal utility of consumption",
        "regret_usd_bn": regret,
        "proved": proved,
        **provenance(game),
    }
    return CoalitionGame(table, names, provenance=about)


def money_weights(game: BurdenSharingGame) -> Array:
    """What a unit of payoff is worth to each member in A, bn US$ a year, shape (n,)."""
    return measures.payoff_worth(game, status_quo(game).burdens)


def blocs_of(
    game: BurdenSharingGame, players: Mapping[str, Sequence[str]] | None
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Players' names, and each member's player, shape (n,)."""
    taken: dict[str, str] = {}
    named = check_names(players, "players") or {}
    for name, members in named.items():
        if not isinstance(name, str):
            raise InvalidValueError(f"a player's name must be text, got {shown(name)}.")
        own = listed(members, f"player {name!r}", "members", ordered=False)
        if not own:
            raise InvalidValueError(f"player {name!r} must be a list of members, got none.")
        for member in own:
            game.members.index_of(member)
            if member in taken:
                raise InvalidValueError(
                    f"member {member} is in two players, {taken[member]!r} and {name!r}."
                )
            taken[member] = name
    alone = [m for m in game.members if m not in taken]
    for name in named:
        if name in alone:
            raise InvalidValueError(
                f"player {name!r} has the name of a member who plays alone: choose another name."
            )
    names = (*named, *alone)
    place = {name: k for k, name in enumerate(names)}
    bloc_of = np.array([place[taken.get(m, m)] for m in game.members], dtype=np.int64)
    return names, bloc_of


def checked_coalition(game: BurdenSharingGame, coalition: Any) -> frozenset[int]:
    """Positions of the members of a coalition; everybody if it is None."""
    if coalition is None:
        return frozenset(range(game.size))
    named = listed(coalition, "a coalition", "members", ordered=False)
    check_some(named)
    return frozenset(game.members.index_of(m) for m in named)


def check_some(coalition: Sequence[Any]) -> None:
    """Raise `InvalidValueError` for a coalition of nobody, or with somebody in it twice."""
    if not coalition:
        raise InvalidValueError(
            "the coalition has no members: name at least one, or leave it out for everybody."
        )
    check_unique(coalition, "the coalition")
