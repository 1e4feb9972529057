"""Reading what a finite game is made of: payoffs, exact where they are rational, and labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import InvalidValueError, unknown_name
from alliancegame.game.checks import listed, shown
from alliancegame.game.parameters import Array

PLACES = 9
"""Floats that are decimals of at most so many places are read as those decimals."""
LARGEST = 1e100
"""Payoffs are at most so large: their products, and sums over cells, are then still numbers."""
LARGEST_DECIMAL = 1e6
"""Above it only integers are read exactly: a float has no room for nine places there."""

Exact = NDArray[Any]
"""Arrays of fractions or of Python integers."""


def scaled_to_integers(values: Exact) -> Exact:
    """Fractions times their least common denominator, as Python integers."""
    scale = math.lcm(*{x.denominator for x in values.flat})
    whole = np.empty(values.shape, dtype=object)
    whole.ravel()[:] = [x.numerator * (scale // x.denominator) for x in values.flat]
    return whole


def read_payoffs(payoffs: Any) -> tuple[tuple[Array, ...], tuple[Exact, ...] | None, bool]:
    """Checked payoffs as floats, as fractions if any were given as such, and whether all are rational."""
    if isinstance(payoffs, (str, bytes)) or not _sized(payoffs):
        raise InvalidValueError(
            f"payoffs must be one array for each player, got {type(payoffs).__name__}."
        )
    n = len(payoffs)
    if n < 2:
        raise InvalidValueError(f"payoffs must be arrays for at least two players, got {n}.")
    raw = [_raw(a, i) for i, a in enumerate(payoffs)]
    shape = raw[0].shape
    for i, a in enumerate(raw):
        if a.shape != shape:
            raise InvalidValueError(
                f"payoffs of player {i + 1} have shape {a.shape}, those of player 1 {shape}: "
                "every player needs one payoff for each profile."
            )
    if len(shape) != n:
        raise InvalidValueError(
            f"{n} payoff arrays are for {n} players and need {n} dimensions, one for each player's "
            f"strategies; got shape {shape}. Give {len(shape)} arrays of this shape, or more dimensions."
        )
    if 0 in shape:
        raise InvalidValueError(f"every player needs a strategy, got payoffs of shape {shape}.")
    if any(a.dtype == object for a in raw):
        given = [_objects(a, i) for i, a in enumerate(raw)]
        floats = tuple(_frozen(np.array(a, dtype=np.float64)) for a, _ in given)
        exact = all(rational for _, rational in given)
        return floats, tuple(a for a, _ in given), exact
    floats = tuple(_frozen(np.array(a, dtype=np.float64)) for a in raw)
    for i, a in enumerate(floats):
        bad = np.argwhere(~(np.abs(a) <= LARGEST))  # Not a number, infinite, or too large.
        if len(bad):
            cell = tuple(int(k) for k in bad[0])
            _in_range(float(a[cell]), f"payoff of player {i + 1} at {cell}")
    return floats, None, all(_decimal(a) for a in floats)


def _raw(values: Any, player: int) -> NDArray[Any]:
    what = f"payoffs of player {player + 1}"
    if np.ma.is_masked(values):
        raise InvalidValueError(f"{what} have masked (missing) entries.")
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InvalidValueError(f"{what} must be an array, got lists of unequal length.") from error
    if array.ndim == 0:
        raise InvalidValueError(f"{what} must be an array, got {shown(values)}.")
    if array.dtype.kind in "iuf":
        if array.dtype.kind != "f" and array.size and np.abs(array.astype(object)).max() > 2**53:
            return array.astype(object)
        return array
    return array.astype(object)


def _objects(values: NDArray[Any], player: int) -> tuple[Exact, bool]:
    """Fractions cell by cell, and whether all of them were rational as given."""
    made = np.empty(values.shape, dtype=object)
    rational = True
    for cell in np.ndindex(values.shape):
        made[cell], exactly = _as_fraction(values[cell], f"payoff of player {player + 1} at {cell}")
        rational = rational and exactly
    made.setflags(write=False)
    return made, rational


def _as_fraction(value: Any, what: str) -> tuple[Fraction, bool]:
    if isinstance(value, (bool, np.bool_, complex, np.complexfloating)) or value is None:
        raise InvalidValueError(f"{what} must be a real number, got {value!r}.")
    if isinstance(value, (np.integer, Rational)):
        exact = Fraction(int(value.numerator), int(value.denominator))
        _in_range(exact, what)
        return exact, True
    if isinstance(value, (float, np.floating)):
        value = float(value)
        _in_range(value, what)
        decimal = bool(_decimal(np.array([value])))
        return fraction_of(value, decimal=decimal), decimal
    try:
        text = str(value)
        if "e" in text.lower():
            # Before a fraction is made of it: 1e999999999 would fill the memory.
            _in_range(float(text), what)
            if float(text) == 0 and Decimal(text) != 0:
                raise InvalidValueError(
                    f"{what} is too small for a number of this machine, got {shown(value)}: give "
                    "payoffs in a smaller unit."
                )
        exact = Fraction(text)
    except (ValueError, ArithmeticError) as error:
        if isinstance(error, InvalidValueError):
            raise
        raise InvalidValueError(
            f"{what} must be a finite number or a fraction such as '1/3', got {shown(value)}."
        ) from error
    _in_range(exact, what)
    return exact, True


def _in_range(value: Any, what: str) -> None:
    """Raise `InvalidValueError` for what is no finite number, or too large."""
    if not abs(value) <= LARGEST:
        finite = isinstance(value, Fraction) or math.isfinite(value)
        text = f"{value!r}" if not finite else _size(value)
        remedy = f" and at most {LARGEST:g} in size" if finite else ""
        raise InvalidValueError(
            f"{what} must be finite{remedy}, got {text}"
            + (": give payoffs in a larger unit." if finite else ".")
        )


def _size(value: Fraction | float) -> str:
    """A large number in a message."""
    if isinstance(value, float):
        return f"{value:g}"
    digits = len(str(abs(value.numerator) // value.denominator)) - 1 if abs(value) < 10**4000 else 0
    return (
        f"about {'-' if value < 0 else ''}1e{digits}"
        if digits
        else "a number of thousands of digits"
    )


def _sized(value: Any) -> bool:
    """Whether something has a length (arrays without dimensions have none)."""
    try:
        len(value)
    except TypeError:
        return False
    return True


def checked_text(value: Any, what: str) -> str:
    """The value if it is text; raises `InvalidValueError` otherwise."""
    if not isinstance(value, str):
        raise InvalidValueError(f"{what} must be text, got {shown(value)}.")
    return value


def _decimal(values: Array) -> bool:
    """Whether all floats are integers, or decimals of at most PLACES places."""
    whole = values == np.rint(values)
    small = np.where(np.abs(values) <= LARGEST_DECIMAL, values, np.inf)
    short = np.round(small, PLACES) == values
    return bool((whole | short).all())


def fraction_of(value: float, *, decimal: bool) -> Fraction:
    """A float as the decimal that was meant, or as the binary number that it is."""
    if decimal and value != int(value):
        return Fraction(round(value * 10**PLACES), 10**PLACES)
    return Fraction(value)


def fractions_of(values: Array, *, decimal: bool) -> Exact:
    """An array of floats as fractions; see `fraction_of`."""
    made = np.empty(values.shape, dtype=object)
    made.ravel()[:] = [fraction_of(x, decimal=decimal) for x in values.ravel().tolist()]
    made.setflags(write=False)
    return made


def _frozen(values: Array) -> Array:
    values.setflags(write=False)
    return values


def read_labels(kind: str, labels: Any, count: int) -> tuple[str, ...]:
    """Given labels, or "1", "2", ... by default."""
    if labels is None:
        return tuple(str(k + 1) for k in range(count))
    made = tuple(listed(labels, f"labels of {_many(kind)}", "text"))
    for label in made:
        if not isinstance(label, str) or not label.strip():
            raise InvalidValueError(f"a label of a {kind} must be text, got {label!r}.")
    if len(made) != count:
        raise InvalidValueError(
            f"{count} labels of {_many(kind)} are needed, got {len(made)}: {', '.join(made)}."
        )
    return _unique(made, kind)


def _many(kind: str) -> str:
    return "strategies" if kind == "strategy" else f"{kind}s"


def _unique(labels: tuple[str, ...], kind: str) -> tuple[str, ...]:
    for k, label in enumerate(labels):
        if label in labels[:k]:
            raise InvalidValueError(f"duplicate {kind} {label!r}: labels must be unique.")
    return labels


def read_strategies(strategies: Any, shape: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
    """Given labels of all players' strategies, or "1", "2", ... by default."""
    if strategies is None:
        return tuple(read_labels("strategy", None, m) for m in shape)
    strategies = listed(strategies, "strategies", "labels for each player")
    if len(strategies) != len(shape):
        raise InvalidValueError(
            f"strategies must be one list of labels for each of {len(shape)} players, "
            f"got {len(strategies)}."
        )
    return tuple(read_labels("strategy", s, m) for s, m in zip(strategies, shape, strict=True))


def place_of(name: str | int, labels: Sequence[str], kind: str, where: str = "") -> int:
    """The place of a label, or of an index from 0; raises if there is none."""
    if isinstance(name, (int, np.integer)) and not isinstance(name, bool):
        if not 0 <= name < len(labels):
            raise InvalidValueError(
                f"index of a {kind}{where} must be from 0 to {len(labels) - 1}, got {name}."
            )
        return int(name)
    if not isinstance(name, str) or name not in labels:
        raise unknown_name(kind, name if isinstance(name, str) else shown(name), labels, where)
    return list(labels).index(name)
