"""Plan: what the leader announces (docs/theory/model, Pressure)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from alliancegame.errors import (
    InvalidValueError,
    refusing_change,
    unknown_name,
)
from alliancegame.game import notebook
from alliancegame.game.members import Members
from alliancegame.game.parameters import (
    Array,
    as_number,
    by_member_values,
    frozen_array,
    shape_of,
)

DEFAULT_DEMAND = 0.05

Values = float | Mapping[str, float] | Array


@refusing_change("plans are frozen: use plan.replace({name}={value!r})")
@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """A threat, a tariff, the demand behind both, and (if the leader commits it) its own burden.

    `threat` in [0, 1], `tariff` >= 0 (a rate) and `demand` in (0, burden_max] (a share of GDP) are
    scalars, dicts by ally (a missing threat or tariff is 0, a missing demand 0.05), or arrays in
    member order whose leader entry is ignored. `burden` is the leader's own defence spending / GDP,
    held fixed wherever the plan is used; None means the leader plays it simultaneously. `Plan()` is
    no pressure.

    Raises `InvalidValueError` or `UnknownNameError`.
    """

    threat: Any = 0.0
    demand: Any = DEFAULT_DEMAND
    burden: float | None = None
    tariff: Any = 0.0

    def __post_init__(self) -> None:
        for name, low, high, open_low in (
            ("threat", 0.0, 1.0, False),
            ("demand", 0.0, np.inf, True),
            ("tariff", 0.0, np.inf, False),
        ):
            object.__setattr__(self, name, _checked(name, getattr(self, name), low, high, open_low))
        if self.burden is not None:
            burden = as_number(self.burden, "burden of the plan")
            if burden < 0:
                raise InvalidValueError(f"burden of the plan must be >= 0, got {burden:g}.")
            object.__setattr__(self, "burden", burden)

    def replace(self, **changes: Any) -> Plan:
        """A new plan with the named fields changed."""
        known = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            if name not in known:
                raise unknown_name("plan field", name, known)
        return dataclasses.replace(self, **changes)

    @cached_property
    def pressure(self) -> bool:
        """Whether anybody is threatened or taxed."""
        return bool(np.any(_numbers(self.threat))) or self.taxed

    @cached_property
    def taxed(self) -> bool:
        """Whether there is a tariff on anybody."""
        return bool(np.any(_numbers(self.tariff)))

    def threat_by_member(self, members: Members) -> Array:
        """Threats, shape (n,), 0 for the leader."""
        return self._by_member("threat", members, 0.0)

    def demand_by_member(self, members: Members) -> Array:
        """Demands, shape (n,); the leader's entry has no meaning and is the default."""
        return self._by_member("demand", members, DEFAULT_DEMAND)

    def tariff_by_member(self, members: Members) -> Array:
        """Tariff rates, shape (n,), 0 for the leader."""
        return self._by_member("tariff", members, 0.0)

    def _by_member(self, name: str, members: Members, neutral: float) -> Array:
        cached: Array | None = self._arrays.get((name, members))
        if cached is None:
            cached = self._arrays[name, members] = self._laid_out(name, members, neutral)
        return cached

    @cached_property
    def _arrays(self) -> dict[tuple[str, Members], Array]:
        """Threats and demands by member, made when first asked for."""
        return {}

    def _laid_out(self, name: str, members: Members, neutral: float) -> Array:
        value = getattr(self, name)
        if isinstance(value, Mapping) and members.leader in value:
            raise InvalidValueError(
                f"{name} of the plan names the leader {members.leader}: a plan's dict names allies "
                "only."
            )
        checked = by_member_values(value, what=f"{name} of the plan", members=members, fill=neutral)
        full = np.full(len(members), checked)
        full[members.leader_index] = neutral
        full.setflags(write=False)
        return full

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(repr(self.to_dict()))

    def _repr_html_(self) -> str:
        return notebook.paragraph(f"Plan: {self.describe()}")

    def describe(self) -> str:
        """One short phrase for tables and titles."""
        parts = []
        if np.any(_numbers(self.threat)):
            parts.append(f"threat {_span(self.threat)}")
        if self.taxed:
            parts.append(f"tariff {_span(self.tariff, percent=True)}")
        if parts:
            parts.append(f"demand {_span(_one_demand(self.demand), percent=True)}")
        if self.burden is not None:
            parts.append(f"own burden {self.burden * 100:.4g} %")
        return ", ".join(parts) or "no pressure"


def _numbers(value: Any) -> Array:
    return np.asarray(
        list(value.values()) if isinstance(value, Mapping) else value, dtype=np.float64
    )


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return dict(value) if isinstance(value, Mapping) else value


def _one_demand(demand: Any) -> Any:
    """A demand by ally as one number where it is the default for everybody, named or not."""
    usual = isinstance(demand, Mapping) and all(d == DEFAULT_DEMAND for d in demand.values())
    return DEFAULT_DEMAND if usual else demand


def _span(value: Any, percent: bool = False) -> str:
    numbers = _numbers(value)
    if (
        numbers.ndim
        and numbers.size
        and numbers.min() == numbers.max()
        and not isinstance(value, Mapping)
    ):
        numbers = numbers[0]
    style = "{:.4g}" if not percent else "{:.4g} %"
    scale = 100.0 if percent else 1.0
    if numbers.ndim == 0:
        return style.format(float(numbers) * scale)
    low, high = float(numbers.min()) * scale, float(numbers.max()) * scale
    span = f"{style.format(low)} to {style.format(high)}"
    if not isinstance(value, Mapping):
        return f"by ally ({span})"
    named = [f"{ally} {style.format(number * scale)}" for ally, number in value.items() if number]
    if len(named) <= 6:
        return f"by ally ({'; '.join(named) or span})"
    return f"by ally ({span}: {'; '.join(named[:6])} and {len(named) - 6} more)"


def _checked(name: str, value: Any, low: float, high: float, open_low: bool) -> Any:
    """The scalar, dict or array with every number inside its range."""
    rule = (
        (f"> {low:g}" if open_low else f">= {low:g}")
        if np.isinf(high)
        else f"in [{low:g}, {high:g}]"
    )

    def check(given: Any, what: str) -> float:
        number = as_number(given, what)
        if not (low < number if open_low else low <= number) or number > high:
            raise InvalidValueError(f"{what} must be {rule}, got {number:g}.")
        return number

    if hasattr(value, "to_dict") and hasattr(value, "index"):
        value = value.to_dict()
    if isinstance(value, Mapping):
        return {str(k): check(v, f"{name} of {k}") for k, v in value.items()}
    shape = shape_of(value, f"{name} of the plan")
    if shape == ():
        return check(
            value.item() if isinstance(value, np.ndarray) else value, f"{name} of the plan"
        )
    if len(shape) != 1:
        raise InvalidValueError(
            f"{name} of the plan must be a number, a dict by ally, or one number for each member; "
            f"got an array of shape {shape}."
        )
    return frozen_array([check(v, f"{name} of member {i}") for i, v in enumerate(value)])
