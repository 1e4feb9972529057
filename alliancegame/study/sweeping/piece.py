"""One chunk of a sweep: solved alike wherever it is solved, from its own cells only."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import AllianceGameError, InvalidValueError
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.scenarios import by_form
from alliancegame.solve.tolerances import Tolerances
from alliancegame.study.cells import ERROR, INVALID, OUTPUTS, Solved, solve_cells
from alliancegame.study.sweeping.axes import Column, cells
from alliancegame.study.sweeping.environment import differences, environment
from alliancegame.study.sweeping.layout import UNSOLVED, Variable
from alliancegame.study.sweeping.target import Target

Derive = Callable[[BurdenSharingGame, dict[str, Any]], BurdenSharingGame]


@dataclasses.dataclass(frozen=True, eq=False)
class Work:
    """What all chunks of a sweep have in common, in a form that can travel to other processes.

    `own` are the keys that only `derive` understands. With a `target` a chunk's arrays are written
    where they are solved; without one they come back. `environment` is what every process must
    have unless it is None.
    """

    game: Mapping[str, Any]
    plan: Mapping[str, Any]
    solve: str
    outputs: tuple[str, ...]
    tolerances: Mapping[str, Any]
    search: bool
    derive: Derive | None
    own: tuple[str, ...]
    variables: tuple[Variable, ...]
    target: Target | None
    environment: Mapping[str, str] | None

    @cached_property
    def _game(self) -> BurdenSharingGame:
        return BurdenSharingGame.from_dict(self.game)

    @cached_property
    def _plan(self) -> Plan:
        return Plan(**self.plan)

    def __getstate__(self) -> dict[str, Any]:
        """The fields; what was made from them stays behind."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}


@dataclasses.dataclass(frozen=True, eq=False)
class Piece:
    """One chunk: its number, its place among the chunks, and the values of its cells by axis."""

    index: int
    place: tuple[int, ...]
    part: tuple[dict[str, Column], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells along each dimension."""
        return tuple(len(next(iter(columns.values()))) for columns in self.part)


@dataclasses.dataclass(frozen=True, eq=False)
class Done:
    """A chunk that is solved: its arrays, or the digest of what was written of them."""

    index: int
    failed: int
    arrays: dict[str, NDArray[Any]] | None
    digest: str | None
    environment: Mapping[str, str]


class OtherEnvironmentError(AllianceGameError):
    """A worker has another processor type or other versions."""


def solve_piece(work: Work, piece: Piece) -> Done:
    """Solve one chunk, and write it if there is somewhere to write to."""
    here = dict(environment())
    if work.environment is not None:
        different = differences(work.environment, here, "in the main process", "in a worker")
        if different:
            raise OtherEnvironmentError("; ".join(different))
    arrays, failed = _solve(work, piece)
    if work.target is not None and work.target.reachable():
        digest = work.target.write(piece.place, arrays)
        return Done(piece.index, failed, None, digest, here)
    return Done(piece.index, failed, arrays, None, here)


def _solve(work: Work, piece: Piece) -> tuple[dict[str, NDArray[Any]], int]:
    """Arrays of a chunk in the shape of its box, and how many cells have no answer."""
    columns = cells(piece.part)
    solved = _derived(work, columns) if work.derive is not None else _batch(work, columns)
    arrays: dict[str, NDArray[Any]] = {}
    for variable in work.variables:
        if variable.name == "status":
            values: NDArray[Any] = solved.status
        elif variable.name == "reason":
            values = variable.blank(solved.status.shape)
            for k, why in solved.reasons.items():
                values[k] = why
        else:
            values = solved.values[variable.name]
        kind = object if variable.dtype == "string" else variable.dtype
        arrays[variable.name] = np.ascontiguousarray(values, dtype=kind).reshape(
            piece.shape + values.shape[1:]
        )
    return arrays, int((solved.status > aggregative.SAFEGUARD).sum())


def _batch(work: Work, columns: Mapping[str, Column]) -> Solved:
    """All cells in one call; should that fail as a whole, one by one: no cell may end a sweep."""
    try:
        return _call(work, work._game, columns, work._plan)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 (whatever it is belongs to a cell, and becomes its reason)
        return _one_by_one(
            work,
            len(next(iter(columns.values()))),
            lambda k: _call(work, work._game, _row(columns, k), work._plan),
        )


def _call(work: Work, game: BurdenSharingGame, columns: Mapping[str, Column], plan: Plan) -> Solved:
    return solve_cells(
        game,
        columns,
        plan,
        solve=work.solve,
        outputs=work.outputs,
        tolerances=Tolerances(**work.tolerances),
        search=work.search,
    )


def _row(columns: Mapping[str, Column], k: int) -> dict[str, Column]:
    return {key: column[k : k + 1] for key, column in columns.items()}


def _one_by_one(work: Work, count: int, solve: Callable[[int], Solved]) -> Solved:
    """Every cell by a call of its own; whatever is raised becomes the cell's status and reason."""
    members = len(work.game["members"])
    together = Solved(
        {
            name: np.full((count, members) if OUTPUTS[name].dims else (count,), np.nan)
            if OUTPUTS[name].codes is None
            else np.full(count, UNSOLVED, dtype=np.int8)
            for name in work.outputs
        },
        np.full(count, ERROR, dtype=np.int8),
        {},
    )
    for k in range(count):
        try:
            one = solve(k)
        except MemoryError:
            raise
        except AllianceGameError as error:
            together.status[k] = INVALID
            together.reasons[k] = str(error)
        except Exception as error:  # noqa: BLE001 (a user's function, or a fault in one cell)
            together.reasons[k] = f"{type(error).__name__}: {error}"
        else:
            together.status[k] = one.status[0]
            if one.reasons:
                together.reasons[k] = one.reasons[0]
            for name, values in one.values.items():
                together.values[name][k] = values[0]
    return together


def _derived(work: Work, columns: Mapping[str, Column]) -> Solved:
    """Every cell with the game that the user's function makes for it."""
    known = {key: column for key, column in columns.items() if key not in work.own}
    count = len(next(iter(columns.values())))
    cell_of: dict[int, Callable[[], tuple[BurdenSharingGame, Plan]]] = {}
    if known:
        for group in by_form(work._game, work._plan, known):
            for k, position in enumerate(group.positions):
                cell_of[int(position)] = lambda group=group, k=k: group.cell(k)  # type: ignore[misc]

    def solve(k: int) -> Solved:
        game, plan = cell_of[k]() if known else (work._game, work._plan)
        cell = {
            key: column[k] if column.dtype == object else float(column[k])
            for key, column in columns.items()
        }
        made = _call_derive(work, game, cell)
        # A batch needs a column: this one changes nothing.
        return _call(work, made, {"curvature": np.array([made.curvature])}, plan)

    return _one_by_one(work, count, solve)


def _call_derive(work: Work, game: BurdenSharingGame, cell: dict[str, Any]) -> BurdenSharingGame:
    assert work.derive is not None  # noqa: S101
    try:
        made = work.derive(game, cell)
    except MemoryError:
        raise
    except Exception as error:
        raise RuntimeError(f"derive raised {type(error).__name__}: {error}") from error
    if not isinstance(made, BurdenSharingGame):
        raise InvalidValueError(f"derive must return a BurdenSharingGame, got {made!r}.")
    if list(made.members) != list(work.game["members"]) or made.leader != work.game["leader"]:
        raise InvalidValueError("derive must keep the members, their order and the leader.")
    return made
