"""What is asked of a path: horizons, grids, turnovers and users' functions, checked at the door."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from alliancegame.errors import AllianceGameError, InvalidValueError
from alliancegame.game.checks import check_whole, shown
from alliancegame.game.parameters import Array, as_number

NODES_BETWEEN = (8, 400)


def check_discount(discount: Any) -> float:
    """The discount factor, in (0, 1)."""
    delta = as_number(discount, "discount")
    if not 0 < delta < 1:
        raise InvalidValueError(
            f"discount must be in (0, 1), the weight of the next period against this one; got {delta:g}."
        )
    return delta


def check_floor(floor: Any) -> float:
    """The least trust of policies, in (0, 0.9)."""
    least = as_number(floor, "floor")
    if not 0 < least < 0.9:
        raise InvalidValueError(f"floor must be in (0, 0.9), got {least:g}.")
    return least


def check_grid(nodes: Any, tolerance: Any) -> None:
    """The nodes a state and the residual aimed at; None leaves either to the solver."""
    if nodes is not None:
        low, high = NODES_BETWEEN
        check_whole(nodes, "nodes", low)
        if nodes > high:
            raise InvalidValueError(f"nodes must be in [{low}, {high}], got {nodes}.")
    if tolerance is not None and not as_number(tolerance, "tolerance") > 0:
        raise InvalidValueError(
            f"tolerance must be > 0, the Bellman residual aimed at; got {tolerance:g}."
        )


def check_turnovers(turnovers: Any) -> tuple[int, ...]:
    """The periods at whose end a new person leads."""
    if isinstance(turnovers, (str, Mapping)) or not isinstance(turnovers, Iterable):
        raise InvalidValueError(
            f"turnovers must be a list of periods such as [4], got {shown(turnovers)}."
        )
    listed = list(turnovers)
    for period in listed:
        check_whole(period, "a period of turnovers", 0)
    return tuple(int(period) for period in listed)


def check_flag(value: Any, what: str) -> None:
    """Raise `InvalidValueError` for anything but True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise InvalidValueError(f"{what} must be True or False, got {shown(value)}.")


def check_threats(threats: Any) -> Sequence[Any]:
    """One threat a period: a number, or a dict by ally."""
    if isinstance(threats, (str, Mapping)) or not hasattr(threats, "__len__") or not len(threats):
        raise InvalidValueError(
            "threats must be a sequence with one entry a period, such as [0.2, 0.0], got "
            f"{shown(threats)}."
        )
    return list(threats)


def check_function(function: Any, what: str, *, optional: bool = False) -> None:
    """Raise `InvalidValueError` for what cannot be called."""
    if not callable(function) and not (optional and function is None):
        raise InvalidValueError(f"{what} must be a function, got {shown(function)}.")


def check_names(states: Any) -> tuple[str, ...]:
    """The names of a user's states."""
    names = () if isinstance(states, str) or not isinstance(states, Iterable) else tuple(states)
    if not names or not all(isinstance(n, str) and n for n in names) or len({*names}) < len(names):
        raise InvalidValueError(
            f'states must be distinct names such as ("trust",), got {shown(states)}.'
        )
    return names


def check_pair(pair: Any, what: str) -> tuple[float, float]:
    """A range (lower, higher)."""
    given = () if isinstance(pair, (str, Mapping)) or not hasattr(pair, "__len__") else tuple(pair)
    if len(given) != 2:
        raise InvalidValueError(f"{what} must be (lower, higher), got {shown(pair)}.")
    low, high = (as_number(v, f"a bound of {what}") for v in given)
    if not low < high:
        raise InvalidValueError(f"{what} must be (lower, higher), got ({low:g}, {high:g}).")
    return low, high


def check_start(initial: Any, names: Sequence[str], low: float, high: float) -> Array:
    """A user's initial state, one number for each name."""
    given = [initial] if np.ndim(initial) == 0 else list(initial)
    first = np.array([as_number(v, "initial state") for v in given])
    if len(first) != len(names):
        raise InvalidValueError(
            f"initial has {len(first)} numbers for {len(names)} states: {', '.join(names)}."
        )
    for name, value in zip(names, first, strict=True):
        if not low <= value <= high:
            raise InvalidValueError(
                f"initial {name} must be in [{low:g}, {high:g}], got {value:g}."
            )
    return first


def check_probability(value: Any, what: str) -> float:
    """A probability, in [0, 1]."""
    number = as_number(value, what)
    if not 0 <= number <= 1:
        raise InvalidValueError(f"{what} must be in [0, 1], got {number:g}.")
    return number


def returned(
    function: Callable[..., Any], arguments: tuple[Array, ...], shape: tuple[int, ...], what: str
) -> Array:
    """What a user's vectorised function returns: numbers of this shape, or one number for all.

    Other shapes are refused, not spread: NumPy would turn a mean over cases into a payoff without a
    word. Raises `InvalidValueError` with the name of the function and both shapes, or with what the
    function itself raised.
    """
    try:
        found = function(*arguments)
    except AllianceGameError:
        raise
    except Exception as error:
        given = ", ".join(str(np.shape(argument)) for argument in arguments)
        raise InvalidValueError(
            f"{what} raised {type(error).__name__} ({error}) for arguments of shape {given}: it must "
            "return numbers for every state in the bounds and every action in its range."
        ) from error
    try:
        numbers = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidValueError(
            f"{what} must return numbers of shape {shape}, got {shown(found)}."
        ) from error
    if numbers.shape not in ((), shape):
        raise InvalidValueError(
            f"{what} must return numbers of shape {shape}, the first axis being the cases (or one "
            f"number for all); got shape {numbers.shape} for arguments of shape "
            f"{', '.join(str(np.shape(argument)) for argument in arguments)}."
        )
    return np.broadcast_to(numbers, shape)
