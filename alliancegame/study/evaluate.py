"""Parameter values in, answers out: what maps, uncertainty and sensitivity share.

Values are solved in chunks of one size, in the order in which they come: memory stays bounded, and
an answer depends on its own chunk only.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import InvalidValueError
from alliancegame.game.congestion import final_note, final_value, is_spread
from alliancegame.game.game import PARAMETERS, BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve.keys import PLAN_KEYS, parse_key
from alliancegame.study.cells import OUTPUTS, STATUSES, Solved, solve_cells
from alliancegame.study.refit import Refit, refitted

CHUNK = 4096
"""Cells solved by one call."""

Progress = Callable[[int], object]
"""Called with the number of cells solved so far."""

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d.]*(e[-+]?\d+)?")

_PLAN_FACTS = {
    "threat": (r"\tau", "share of protection withdrawn from an ally that pays nothing", "1"),
    "demand": ("d", "demanded defence spending", "share of GDP"),
    "burden": (r"x_{\ell}", "the leader's own burden, committed", "share of GDP"),
    "tariff": ("T", "tariff on an ally that misses its demand", "rate"),
}


@dataclasses.dataclass(frozen=True)
class Quantity:
    """What a key stands for: its symbol (LaTeX), words, unit, and the game's own value.

    `own` is nan where members have different values, or the plan names none.
    """

    key: str
    symbol: str
    words: str
    unit: str
    own: float
    note: str = ""

    def label(self) -> str:
        """For an axis: name, symbol, words and unit, and on which scale a spill-in is."""
        said = "; ".join(
            text for text in ("" if self.unit == "1" else self.unit, self.note) if text
        )
        unit = f" ({said})" if said else ""
        symbol = f" ${self.symbol}$" if self.symbol else ""
        return f"{self.key}{symbol}: {self.words}{unit}"


def quantity(game: BurdenSharingGame, plan: Plan, text: str) -> Quantity:
    """The facts about a key with numbers.

    Raises `UnknownNameError` for a key that does not exist, `InvalidValueError` for a form's name,
    which has no numbers.
    """
    key = parse_key(game, text)
    if key.text:
        raise InvalidValueError(
            f"{text} names a form ({PARAMETERS[key.name].admissible}) and has no range of numbers: "
            "take one map or analysis for each form, with game.replace."
        )
    if key.of_plan:
        symbol, words, unit = _PLAN_FACTS[key.name]
    else:
        parameter = PARAMETERS[key.name]
        symbol, words, unit = parameter.latex, parameter.doc, parameter.unit
    note = final_note(game, key.name, key.member)
    return Quantity(text, symbol, words, unit, _own(game, plan, key.name, key.member), note)


def _own(game: BurdenSharingGame, plan: Plan, name: str, member: str | None) -> float:
    if name == "burden":
        return np.nan if plan.burden is None else plan.burden
    if name == "threat" and not plan.pressure:
        return np.nan
    if member is not None and is_spread(game, name):
        return final_value(game, name, member)
    if name in PLAN_KEYS:
        values: Array = getattr(plan, f"{name}_by_member")(game.members)
    elif not PARAMETERS[name].by_member or np.ndim(getattr(game, name)) == 0:
        return float(getattr(game, name))
    else:
        values = game.by_member(name)
    if member is not None:
        return float(values[game.members.index_of(member)])
    counted = np.arange(game.size) != game.members.leader_index
    if name not in PLAN_KEYS and PARAMETERS[name].scope == "member":
        counted[:] = True
    same = np.ptp(values[counted]) == 0
    return float(values[counted][0]) if same else np.nan


class Evaluator:
    """Solves points of a parameter space, shape (point, key): one game, one plan, one question.

    With a `refit` every point is calibrated again. `count` is the number of points solved so far.
    """

    def __init__(
        self,
        game: BurdenSharingGame,
        plan: Plan,
        keys: Sequence[str],
        *,
        solve: str,
        outputs: Sequence[str],
        refit: Refit | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.game, self.plan, self.keys = game, plan, tuple(keys)
        self.solve, self.outputs = solve, tuple(outputs)
        self.refit, self.progress = refit, progress
        self.count = 0

    def __call__(self, points: Array) -> Solved:
        """Answers at points, in their order."""
        parts = [
            self._chunk(points[start : start + CHUNK]) for start in range(0, len(points), CHUNK)
        ]
        reasons = {
            CHUNK * i + k: why for i, part in enumerate(parts) for k, why in part.reasons.items()
        }
        if not parts:
            return self._nothing()
        values = {
            name: np.concatenate([part.values[name] for part in parts]) for name in self.outputs
        }
        return Solved(values, np.concatenate([part.status for part in parts]), reasons)

    def _nothing(self) -> Solved:
        empty: dict[str, NDArray[Any]] = {
            name: np.empty((0, self.game.size) if OUTPUTS[name].dims else 0)
            for name in self.outputs
        }
        return Solved(empty, np.empty(0, dtype=np.int8), {})

    def _chunk(self, points: Array) -> Solved:
        cells: dict[str, Any] = {key: points[:, j] for j, key in enumerate(self.keys)}
        reasons: dict[int, str] = {}
        if self.refit is not None:
            cells, reasons = refitted(self.game, cells, self.refit)
        solved = solve_cells(self.game, cells, self.plan, solve=self.solve, outputs=self.outputs)
        solved.reasons.update({k: why for k, why in reasons.items() if k in solved.reasons})
        self.count += len(points)
        if self.progress is not None:
            self.progress(self.count)
        return solved


def answered(solved: Solved) -> NDArray[np.bool_]:
    """Which points have an answer."""
    return np.asarray(solved.status <= 1)


def reason_counts(solved: Solved) -> dict[str, int]:
    """How often each reason for having no answer was met, the most frequent first.

    Reasons that differ in their numbers only are one: an example stands for them.
    """
    found: dict[str, tuple[str, int]] = {}
    for k in np.flatnonzero(~answered(solved)):
        why = solved.reasons.get(int(k), STATUSES[int(solved.status[k])])
        general = _NUMBER.sub("#", why)
        example, count = found.get(general, (why, 0))
        found[general] = example, count + 1
    return dict(sorted(found.values(), key=lambda pair: -pair[1]))
