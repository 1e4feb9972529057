"""Mixed strategies: reading them, and what each pure strategy earns against them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.game.finite import FiniteGame
from alliancegame.game.parameters import Array

Number = Fraction | float
Mixture = tuple[Number, ...]
Mixtures = tuple[Mixture, ...]

SUM_SLACK = 1e-9
"""How far given probabilities may be from adding up to one; they are then divided by their sum."""


def pure(game: FiniteGame, cell: Sequence[int]) -> Mixtures:
    """The pure profile of a cell as mixed strategies."""
    return tuple(
        tuple(Fraction(int(k == chosen)) for k in range(m))
        for chosen, m in zip(cell, game.shape, strict=True)
    )


def support(mixture: Mixture) -> tuple[int, ...]:
    """The strategies played with positive probability."""
    return tuple(k for k, p in enumerate(mixture) if p)


def is_exact(mixtures: Mixtures) -> bool:
    """Whether every probability is a fraction."""
    return all(isinstance(p, Fraction) for mixture in mixtures for p in mixture)


def deviation_payoffs(game: FiniteGame, mixtures: Mixtures, player: int) -> list[Number]:
    """What each pure strategy of a player earns against the others' mixtures.

    Fractions if the game and the mixtures are exact, floats otherwise.
    """
    if game.exact and is_exact(mixtures):
        return _exact_deviations(game, mixtures, player)
    return [float(x) for x in float_deviations(game.payoffs[player], mixtures, player)]


def float_deviations(payoff: Array, mixtures: Sequence[Any], player: int) -> Array:
    """The same in floats, shape (m_player,)."""
    values = np.moveaxis(payoff, player, 0)
    for j in reversed([j for j in range(payoff.ndim) if j != player]):
        values = values @ np.array([float(p) for p in mixtures[j]])
    return values


def _exact_deviations(game: FiniteGame, mixtures: Mixtures, player: int) -> list[Number]:
    supports = [
        range(game.shape[j]) if j == player else support(mixtures[j]) for j in range(game.size)
    ]
    values = np.moveaxis(game.fractions[player][np.ix_(*supports)], player, 0)
    for j in reversed([j for j in range(game.size) if j != player]):
        values = values @ np.array([mixtures[j][k] for k in supports[j]], dtype=object)
    return [Fraction(x) for x in values]


def expected(deviations: Sequence[Number], mixture: Mixture) -> Number:
    """The payoff of a mixture whose pure strategies earn these."""
    terms = [p * u for p, u in zip(mixture, deviations, strict=True) if p]
    if all(isinstance(term, Fraction) for term in terms):
        return sum(terms, Fraction(0))
    return math.fsum(float(term) for term in terms)


def read_profile(game: FiniteGame, profile: Any) -> Mixtures:
    """A profile from anywhere as mixtures: a result, a dict by player, or a list in player order.

    A player's part is a pure strategy (label or index), a dict {label: probability}, or an array of
    probabilities. Raises `InvalidValueError` or `UnknownNameError`.
    """
    if hasattr(profile, "mixtures"):
        profile = list(profile.mixtures)
    if isinstance(profile, Mapping):
        parts = {game.index_of(player): part for player, part in profile.items()}
        missing = [p for i, p in enumerate(game.players) if i not in parts]
        if missing:
            raise InvalidValueError(f"the profile has no strategy for {', '.join(missing)}.")
        given = [parts[i] for i in range(game.size)]
    elif isinstance(profile, (str, bytes)) or not hasattr(profile, "__len__") or _scalar(profile):
        raise InvalidValueError(
            f"a profile is a dict by player or one strategy for each player, got {profile!r}."
        )
    else:
        given = list(profile)
    if len(given) != game.size:
        raise InvalidValueError(
            f"the profile has {len(given)} strategies for {game.size} players "
            f"({', '.join(game.players)})."
        )
    return tuple(read_mixture(game, i, part) for i, part in enumerate(given))


def read_mixture(game: FiniteGame, player: int, part: Any) -> Mixture:
    """One player's mixture, checked; probabilities that are fractions stay fractions."""
    who, labels = game.players[player], game.strategies[player]
    if isinstance(part, (str, int, np.integer)) and not isinstance(part, bool):
        chosen = game.strategy_index(player, part if isinstance(part, str) else int(part))
        return tuple(Fraction(int(k == chosen)) for k in range(len(labels)))
    if isinstance(part, Mapping):
        chances = {game.strategy_index(player, label): p for label, p in part.items()}
        values = [chances.get(k, Fraction(0)) for k in range(len(labels))]
    elif hasattr(part, "__len__") and not isinstance(part, bytes) and not _scalar(part):
        values = list(part)
    else:
        raise InvalidValueError(
            f"the strategy of {who} must be a label, a dict {{label: probability}} or probabilities, "
            f"got {part!r}."
        )
    if len(values) != len(labels):
        raise InvalidValueError(
            f"{who} has {len(labels)} strategies ({', '.join(labels)}), got {len(values)} "
            "probabilities."
        )
    return _distribution(
        [_chance(p, f"probability of {s} ({who})") for p, s in zip(values, labels, strict=True)],
        who,
    )


def _scalar(value: Any) -> bool:
    """Whether this is an array without dimensions, which has a length by name only."""
    return isinstance(value, np.ndarray) and value.ndim == 0


def _chance(value: Any, what: str) -> Number:
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, Fraction, np.integer, np.floating)
    ):
        raise InvalidValueError(f"{what} must be a number, got {value!r}.")
    size = float(value)
    if not math.isfinite(size) or size < 0:
        raise InvalidValueError(f"{what} must be in [0, 1], got {size:g}.")
    if isinstance(value, Fraction):
        return value
    return Fraction(int(value)) if isinstance(value, (int, np.integer)) else size


def _distribution(values: list[Number], who: str) -> Mixture:
    fractions = [p for p in values if isinstance(p, Fraction)]
    exact = len(fractions) == len(values)
    total: Number = sum(fractions, Fraction(0)) if exact else math.fsum(map(float, values))
    if abs(float(total - 1)) > (0 if exact else SUM_SLACK):
        raise InvalidValueError(
            f"probabilities of {who} must add up to 1, got {float(total):.12g}."
        )
    if exact:
        return tuple(values)
    if set(values) <= {0.0, 1.0}:
        return tuple(Fraction(int(p)) for p in values)
    return tuple(float(p) / float(total) for p in values)
