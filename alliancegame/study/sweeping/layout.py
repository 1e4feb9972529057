"""The labelled arrays of a sweep: names, dimensions, units, and what stands in cells not solved yet."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import InvalidValueError
from alliancegame.game.congestion import final_note
from alliancegame.game.game import PARAMETERS, BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.solve.result import provenance
from alliancegame.solve.tolerances import Tolerances
from alliancegame.study.cells import OUTPUTS, STATUSES
from alliancegame.study.sweeping.axes import Design, label

if TYPE_CHECKING:
    import xarray as xr

UNSOLVED = -1
"""Status, and every code, of a cell without an answer (yet)."""

_PLAN = {
    "threat": ("1", "threat"),
    "demand": ("share of GDP", "demand"),
    "burden": ("share of GDP", "the leader's own burden"),
}


@dataclasses.dataclass(frozen=True)
class Variable:
    """An array with one entry for each cell, or for each cell and member. `dtype` may be "string"."""

    name: str
    member: bool
    dtype: str
    attrs: Mapping[str, Any]

    @property
    def fill(self) -> Any:
        """What stands where nothing is solved."""
        return {"float64": math.nan, "int8": UNSOLVED, "string": ""}[self.dtype]

    def blank(self, shape: Sequence[int]) -> NDArray[Any]:
        """An array without answers."""
        return np.full(shape, self.fill, dtype=object if self.dtype == "string" else self.dtype)


@dataclasses.dataclass(frozen=True, eq=False)
class Coordinate:
    """Labels along one dimension."""

    name: str
    dim: str
    values: NDArray[Any]
    attrs: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, eq=False)
class Layout:
    """All arrays of one sweep."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    members: tuple[str, ...]
    variables: tuple[Variable, ...]
    coordinates: tuple[Coordinate, ...]
    attrs: Mapping[str, Any]

    def dims_of(self, variable: Variable) -> tuple[str, ...]:
        """Names of a variable's dimensions."""
        return (*self.dims, "member") if variable.member else self.dims

    def shape_of(self, variable: Variable, cells: Sequence[int] | None = None) -> tuple[int, ...]:
        """The shape of a variable over the whole sweep, or over a box of cells."""
        shape = self.shape if cells is None else tuple(cells)
        return (*shape, len(self.members)) if variable.member else shape

    @property
    def bytes_per_cell(self) -> int:
        """8 for each number (and for the pointer to a reason), 1 for each code."""
        return sum(
            (1 if v.dtype == "int8" else 8) * (len(self.members) if v.member else 1)
            for v in self.variables
        )

    def dataset(self, arrays: Mapping[str, NDArray[Any]]) -> xr.Dataset:
        """The arrays in memory as a labelled Dataset."""
        import xarray as xr

        return xr.Dataset(
            {v.name: (self.dims_of(v), arrays[v.name], dict(v.attrs)) for v in self.variables},
            coords={c.name: ((c.dim,), c.values, dict(c.attrs)) for c in self.coordinates},
            attrs=dict(self.attrs),
        )


def lay_out(
    game: BurdenSharingGame,
    plan: Plan,
    design: Design,
    solve: str,
    outputs: Sequence[str],
    tolerances: Tolerances,
    *,
    search: bool,
    derived: str | None,
    seed: int | None,
    environment: Mapping[str, str],
) -> Layout:
    """The arrays that a sweep fills. Raises `InvalidValueError` for a dimension's name that is taken."""
    _check_dims(design)
    return Layout(
        design.dims,
        design.shape,
        game.members.labels,
        (*map(_output, outputs), _STATUS, _REASON),
        (*_coordinates(game, design), _member_labels(game)),
        _attributes(game, plan, design, solve, tolerances, search, derived, seed, environment),
    )


def _check_dims(design: Design) -> None:
    taken = {"member", "status", "reason", *OUTPUTS}
    for axis in design.axes:
        for name in (axis.name, *map(label, axis.columns)):
            if name in taken:
                raise InvalidValueError(
                    f"over cannot have a dimension or key named {name!r}: the result has an array of "
                    "that name. Choose another name."
                )


def _slug(text: str) -> str:
    return re.sub(r"\W+", "_", text).strip("_")


def _flags(codes: Mapping[int, str]) -> dict[str, Any]:
    """Codes and their meanings, as the CF conventions write them."""
    return {
        "flag_values": list(codes),
        "flag_meanings": " ".join(_slug(text) for text in codes.values()),
    }


def _output(name: str) -> Variable:
    output = OUTPUTS[name]
    attrs: dict[str, Any] = {"long_name": output.doc, "units": output.unit}
    if output.codes is None:
        return Variable(name, bool(output.dims), "float64", attrs)
    flags = _flags({UNSOLVED: "none", **output.codes})
    return Variable(name, bool(output.dims), "int8", attrs | flags)


_STATUS = Variable(
    "status",
    False,
    "int8",
    {"long_name": "what became of the cell", **_flags({UNSOLVED: "not solved yet", **STATUSES})},
)
_REASON = Variable(
    "reason", False, "string", {"long_name": "why the cell has no answer; empty if it has one"}
)


def _coordinates(game: BurdenSharingGame, design: Design) -> list[Coordinate]:
    found = []
    for axis in design.axes:
        for key, column in axis.columns.items():
            unit, doc = _meaning(key)
            attrs = {"long_name": doc, "units": unit}
            name, _, member = key.partition("[")
            note = final_note(game, name, member.rstrip("]") or None)
            found.append(
                Coordinate(label(key), axis.name, column, attrs | ({"note": note} if note else {}))
            )
    return found


def _meaning(key: str) -> tuple[str, str]:
    """Unit and meaning of a key."""
    name, _, member = key.partition("[")
    of = f" of {member.rstrip(']')}" if member else ""
    if name in _PLAN:
        unit, doc = _PLAN[name]
        return unit, doc + of
    if name in PARAMETERS:
        return PARAMETERS[name].unit, PARAMETERS[name].doc + of
    return "1", "value given to the function that derives the game"


def _member_labels(game: BurdenSharingGame) -> Coordinate:
    labels = np.array(game.members.labels, dtype=object)
    return Coordinate("member", "member", labels, {"long_name": "member of the alliance"})


def _attributes(
    game: BurdenSharingGame,
    plan: Plan,
    design: Design,
    solve: str,
    tolerances: Tolerances,
    search: bool,
    derived: str | None,
    seed: int | None,
    environment: Mapping[str, str],
) -> dict[str, Any]:
    """Provenance as plain text and numbers; what is nested is JSON text."""
    origin = provenance(game)
    model = origin["model"] or "a game"
    return {
        "title": f"{solve} over {', '.join(design.dims)}: {model}",
        "model": origin["model"],
        "leader": game.leader,
        "game_hash": game.hash,
        "game": as_json(game.to_dict()),
        "calibrated": as_json(origin["calibrated"]),
        "replaced": as_json(origin["replaced"]),
        "plan": as_json(plan.to_dict()),
        "solve": solve,
        "over": as_json([axis.to_dict() for axis in design.axes]),
        "derived_by": derived or "",
        "seed": "" if seed is None else seed,
        "tolerances": as_json(tolerances.to_dict()),
        "regret": "searched over every piece" if search else "bounded where payoffs are concave",
        "alliancegame_version": origin["version"],
        "processor": environment["processor"],
        "environment": as_json(environment),
    }


def as_json(value: Any) -> str:
    """JSON text in one order of keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
