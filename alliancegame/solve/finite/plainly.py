"""Results whose fields say everything: they travel as JSON field by field."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Self

import numpy as np

from alliancegame.game.finite import FiniteGame
from alliancegame.game.plan import Plan
from alliancegame.solve.result import Result

_NUMBERS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


class PlainResult(Result):
    """A frozen dataclass of games, plans, arrays, numbers, text, and collections of these."""

    def _content(self) -> dict[str, Any]:
        return {f.name: encoded(getattr(self, f.name)) for f in _fields(self)}

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        return cls(**{f.name: _decoded(content[f.name]) for f in _fields(cls)})


def _fields(of: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(of)


def encoded(value: Any) -> Any:
    """A value as JSON can hold it, tagged where its type would be lost."""
    if isinstance(value, FiniteGame):
        return {"finite_game": value.to_dict(), "provenance": dict(value.provenance)}
    if isinstance(value, Plan):
        return {"plan": value.to_dict()}
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "shape": list(value.shape)}
    if isinstance(value, Fraction):
        return {"fraction": str(value)}
    if isinstance(value, Mapping):
        return {"mapping": [[k, encoded(v)] for k, v in value.items()]}
    if isinstance(value, (tuple, list)):
        return [encoded(v) for v in value]
    return None if dataclasses.is_dataclass(value) else value


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decoded(v) for v in value)
    if isinstance(value, str):
        return _NUMBERS.get(value, value)
    if not isinstance(value, Mapping):
        return value
    if "finite_game" in value:
        return FiniteGame.from_dict(value["finite_game"], value["provenance"])
    if "plan" in value:
        return Plan(**value["plan"])
    if "array" in value:
        return np.array(value["array"], dtype=np.float64).reshape(value["shape"])
    if "fraction" in value:
        return Fraction(value["fraction"])
    return {k: _decoded(v) for k, v in value["mapping"]}
