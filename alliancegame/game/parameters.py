"""What a parameter is: its symbol, unit, admissible values and default, stated once.

The registry made from these entries drives validation, `replace`, model files, the command line,
sweeps and the reference table of the documentation.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import InvalidValueError, unknown_name

Array = NDArray[np.float64]
Scope = Literal["member", "ally", "scalar", "choice"]

REQUIRED: Any = object()
"""Default of a parameter that has none."""


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One parameter of the model (docs/theory/model).

    `scope` says who has one: `"member"` everybody, `"ally"` everybody but the leader (the leader's
    entry is ignored), `"scalar"` the game, `"choice"` a functional form picked by name. Bounds are
    closed unless `open_low` or `open_high`. `unset` says what stands in for a value by ally that is not
    given: such values are kept as nan.
    """

    name: str
    symbol: str
    scope: Scope
    default: Any
    doc: str
    unit: str = "1"
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    choices: tuple[str, ...] = ()
    latex: str = ""
    unset: str = ""

    @property
    def by_member(self) -> bool:
        """Whether a value by member is allowed."""
        return self.scope in ("member", "ally")

    @property
    def admissible(self) -> str:
        """The admissible range in words, for messages and tables."""
        if self.scope == "choice":
            return "one of " + ", ".join(repr(c) for c in self.choices)
        if math.isinf(self.low) and math.isinf(self.high):
            return "any finite number"
        if math.isinf(self.high):
            return f"{'>' if self.open_low else '>='} {self.low:g}"
        left, right = "(" if self.open_low else "[", ")" if self.open_high else "]"
        return f"in {left}{self.low:g}, {self.high:g}{right}"

    def contains(self, values: Array) -> NDArray[np.bool_]:
        """Elementwise: finite and inside the bounds."""
        above = values > self.low if self.open_low else values >= self.low
        below = values < self.high if self.open_high else values <= self.high
        inside = np.isfinite(values) & above & below
        return inside | np.isnan(values) if self.unset else inside


def as_number(value: Any, what: str) -> float:
    """A real, finite float, or an error of ours that names `what`."""
    if isinstance(value, (bool, np.bool_, str, bytes)) or value is None:
        raise InvalidValueError(f"{what} must be a number, got {value!r}.")
    if isinstance(value, (complex, np.complexfloating)):
        raise InvalidValueError(f"{what} must be real, got the complex number {value!r}.")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidValueError(f"{what} must be a number, got {value!r}.") from error
    if not math.isfinite(number):
        raise InvalidValueError(f"{what} must be finite, got {number!r}.")
    return number


def shape_of(value: Any, what: str) -> tuple[int, ...]:
    """The shape of numbers, () for anything that is no array; ragged or masked is an error of ours."""
    if isinstance(value, (str, bytes)):
        return ()
    if np.ma.is_masked(value):
        raise InvalidValueError(f"{what} has masked (missing) entries: give every member a number.")
    try:
        return np.shape(value)
    except ValueError as error:
        raise InvalidValueError(f"{what} must be numbers, got lists of unequal length.") from error


def _is_mapping_by_label(value: Any) -> bool:
    """A dict, or a pandas Series: known by its interface so that pandas need not be imported."""
    return isinstance(value, Mapping) or (hasattr(value, "to_dict") and hasattr(value, "index"))


def by_member_values(
    value: Any,
    *,
    what: str,
    members: Sequence[str],
    optional: Sequence[str] = (),
    fill: float | None = None,
) -> float | Array:
    """Read a scalar, an array in member order, or values by label.

    Shapes: a scalar stays a float; anything else becomes a read-only array of shape (n,). Labels
    missing from a dict take `fill` if it is given, or 0 if they are `optional`; otherwise they are
    an error. Raises `InvalidValueError` or `UnknownNameError`.
    """
    if _is_mapping_by_label(value):
        given = dict(value.to_dict() if hasattr(value, "to_dict") else value)
        for label in given:
            if label not in members:
                raise unknown_name("member", label, members, f" in {what}")
        if fill is None:
            missing = [m for m in members if m not in given and m not in optional]
            if missing:
                raise InvalidValueError(
                    f"{what} has no value for {', '.join(missing)}: give every member one."
                )
        default = 0.0 if fill is None else fill
        numbers = [
            as_number(given[m], f"{what} of {m}") if m in given else default for m in members
        ]
        return frozen_array(numbers)
    shape = shape_of(value, what)
    if shape == ():
        return as_number(value, what)
    if (
        isinstance(value, np.ndarray)
        and value.dtype == np.float64
        and value.shape == (len(members),)
    ):
        bad = np.flatnonzero(~np.isfinite(value))
        if not bad.size:
            return frozen_array(value)
    entries = list(np.asarray(value, dtype=object)) if len(shape) == 1 else None
    if entries is None or len(entries) != len(members):
        raise InvalidValueError(
            f"{what} must be a number, {len(members)} numbers in member order, or a dict by member; "
            f"got an array of shape {shape}."
        )
    _refuse_complex(entries, what, members)
    return frozen_array(
        [as_number(v, f"{what} of {m}") for v, m in zip(entries, members, strict=True)]
    )


def _refuse_complex(entries: Sequence[Any], what: str, members: Sequence[str]) -> None:
    """Name the complex entry itself: one makes all entries of a NumPy array complex."""
    for entry, label in zip(entries, members, strict=True):
        if isinstance(entry, (complex, np.complexfloating)) and entry.imag:
            as_number(entry, f"{what} of {label}")


def frozen_array(values: Any) -> Array:
    """A read-only float64 copy."""
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array


def validate(parameter: Parameter, value: Any, members: Sequence[str], leader: str) -> Any:
    """Check one parameter at the door; return a float, a read-only (n,) array, or a form's name."""
    name = parameter.name
    if parameter.scope == "choice":
        return _validate_choice(parameter, value)
    if not parameter.by_member:
        number = as_number(value, name)
        if not parameter.contains(np.float64(number)):  # type: ignore[arg-type]
            raise InvalidValueError(f"{name} must be {parameter.admissible}, got {number:g}.")
        return number
    ignored = [leader] if parameter.scope == "ally" else []
    if parameter.unset:
        checked = _partly_given(value, name, members)
    else:
        checked = by_member_values(value, what=name, members=members, optional=ignored)
    counted = np.ones(len(members), dtype=bool)
    if ignored:
        counted[list(members).index(leader)] = False
    full = np.broadcast_to(np.asarray(checked, dtype=np.float64), (len(members),))
    bad = np.flatnonzero(~parameter.contains(full) & counted)
    if bad.size:
        where = f" for {members[bad[0]]}" if isinstance(checked, np.ndarray) else ""
        raise InvalidValueError(
            f"{name}{where} must be {parameter.admissible}, got {full[bad[0]]:g}."
        )
    return checked


def _partly_given(value: Any, name: str, members: Sequence[str]) -> float | Array:
    """As `by_member_values`, where nan and None are members, or everybody, without a value."""

    def missing(entry: Any) -> bool:
        return entry is None or (isinstance(entry, (float, np.floating)) and math.isnan(entry))

    if missing(value):
        return math.nan
    given: Any = value
    absent: list[bool] = []
    if _is_mapping_by_label(value):
        entries = dict(value.to_dict() if hasattr(value, "to_dict") else value)
        absent = [missing(entries.get(m)) for m in members]
        given = dict.fromkeys(members, 0.0) | {
            label: 0.0 if missing(entry) else entry for label, entry in entries.items()
        }
    elif len(shape_of(value, name)) == 1:
        absent = [missing(entry) for entry in value]
        given = [0.0 if missing(entry) else entry for entry in value]
    checked = by_member_values(given, what=name, members=members)
    if absent and all(absent):
        return math.nan
    return frozen_array(np.where(absent, np.nan, checked)) if any(absent) else checked


def _validate_choice(parameter: Parameter, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidValueError(f"{parameter.name} must be {parameter.admissible}, got {value!r}.")
    if value not in parameter.choices:
        raise unknown_name(f"{parameter.name} form", value, parameter.choices)
    return value
