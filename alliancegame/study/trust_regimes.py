"""Who threatens how much, and where trust ends, over two parameters of the law of trust."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import InvalidValueError, UnsupportedFormError, unknown_name
from alliancegame.game.checks import check_game, shown
from alliancegame.game.game import PARAMETERS, BurdenSharingGame
from alliancegame.game.parameters import Array, as_number
from alliancegame.game.plan import DEFAULT_DEMAND, Plan
from alliancegame.game.trust import TRUST_PARAMETERS
from alliancegame.solve import aggregative
from alliancegame.solve.dynamic.asked import check_discount, check_floor
from alliancegame.solve.dynamic.control import (
    FLOOR,
    game_control,
    game_stage,
    least_operating,
    least_reachable,
)
from alliancegame.solve.dynamic.kept import myopic_actions
from alliancegame.solve.dynamic.kept_table import KeptTable
from alliancegame.solve.dynamic.law import AllianceLaw, Law, groups_of
from alliancegame.solve.dynamic.markov import Tabulated, best_actions, solve_quickly
from alliancegame.solve.dynamic.stage import StageTable
from alliancegame.solve.result import Result, numbers, provenance
from alliancegame.study.long_run import crossings
from alliancegame.study.patience import LEAST_CHANGE

if TYPE_CHECKING:
    import pandas as pd

LONG_RUN = 400
"""Periods after which a path under the optimal policy is taken to have arrived."""
LEVELS = 201
"""Levels of trust at which a cell's policy is asked for."""
COLLAPSED = 0.1
"""Trust below this share of its ceiling counts as collapsed."""
REGIMES = ("never", "fading", "lasting", "collapse")
"""No threat at first; threats that end; threats for ever; trust below COLLAPSED in the long run."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class TrustRegimes(Result):
    """Threats by concept over two parameters. Arrays have shape (first axis, second axis).

    `first_threats` (of the optimal policy, "markov"), `myopic_threats` and `stationary_threats` are
    those of the first period; `open_loop_threats` are those of the optimal policy, since a law with one
    state has no turnover and an announced path is then the policy's. `long_threats` and `long_trust`
    (mean trust at the beginning of a period, as a share of the ceilings) those after 400 periods
    without turnover. `levels` is the number of long-run levels of trust under the policy (inf: every
    level is one, as where no trust returns), `thresholds` the lowest trust from which a path leads up
    and below which one leads down (nan if there is none). `regimes` are positions in REGIMES, -1 where
    the cell has no answer.
    """

    kind: ClassVar[str] = "trust regimes"

    game: BurdenSharingGame
    names: tuple[str, str]
    axes: tuple[Array, Array]
    first_threats: Array
    myopic_threats: Array
    stationary_threats: Array
    long_threats: Array
    long_trust: Array
    levels: Array
    thresholds: Array
    regimes: Array
    reasons: tuple[str, ...]

    @property
    def open_loop_threats(self) -> Array:
        """First threats of the best announced path: those of the policy, for want of turnover."""
        return self.first_threats

    def headline(self) -> str:
        """One line that says what was found."""
        total = self.regimes.size
        shares = ", ".join(
            f"{name} {np.count_nonzero(self.regimes == k) / total:.0%}"
            for k, name in enumerate(REGIMES)
        )
        return f"{self.names[0]} by {self.names[1]}, {total} cells: {shares}"

    def to_frame(self) -> pd.DataFrame:
        """A row for each cell."""
        import pandas as pd

        first, second = np.meshgrid(*self.axes, indexing="ij")
        named = [REGIMES[k] if k >= 0 else "no answer" for k in self.regimes.ravel().astype(int)]
        columns = {self.names[0]: first.ravel(), self.names[1]: second.ravel()}
        columns |= {
            f"{concept}_threat": getattr(self, name).ravel() for concept, name in CONCEPTS.items()
        }
        columns |= {name: getattr(self, name).ravel() for name in _CELLS[3:-1]}
        return pd.DataFrame(columns).assign(regime=named)

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "names": list(self.names),
            "axes": [axis.tolist() for axis in self.axes],
            **{name: getattr(self, name).tolist() for name in _CELLS},
            "reasons": list(self.reasons),
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        game = BurdenSharingGame.from_dict(
            {**content["game"], "provenance": content["provenance"].get("game", {})}
        )
        first, second = (numbers(axis) for axis in content["axes"])
        tables = {
            name: np.array([[float(v) for v in row] for row in content[name]]) for name in _CELLS
        }
        return cls(
            game,
            tuple(content["names"]),
            (first, second),
            **tables,
            reasons=tuple(content["reasons"]),
        )


_CELLS = (
    "first_threats", "myopic_threats", "stationary_threats", "long_threats", "long_trust", "levels",
    "thresholds", "regimes",
)  # fmt: skip
CONCEPTS = {
    "myopic": "myopic_threats", "stationary": "stationary_threats", "open-loop": "open_loop_threats",
    "markov": "first_threats",
}  # fmt: skip
"""Where the first threat of each concept stands."""
_ALLOWED = tuple(p.name for p in TRUST_PARAMETERS if p.name != "trust_ceiling")


def trust_regimes(
    game: BurdenSharingGame,
    over: Mapping[str, Sequence[float]],
    *,
    discount: float = 0.95,
    demand: Any = DEFAULT_DEMAND,
    floor: float = FLOOR,
) -> TrustRegimes:
    """Who threatens how much, and where trust ends, over two of the law's parameters or the discount.

    `over` maps two names ("discount", "decay", "recovery", ...) to values that rise. The law must
    have one state. One table of the stage game serves all cells: it does not depend on the law. Threats
    are good to about 0.001 (0.01 for the plan kept for ever).

    Raises `UnknownNameError`, `InvalidValueError`, `UnsupportedFormError`.
    """
    check_game(game, "trust_regimes")
    check_discount(discount)
    check_floor(floor)
    if not isinstance(over, Mapping):
        raise InvalidValueError(
            'over must map two parameters to values, such as {"decay": [0.2, 0.4], "discount": [0.5, '
            f"0.9]}}, got {shown(over)}."
        )
    names = tuple(over)
    if len(names) != 2:
        raise InvalidValueError(f"over must name two parameters, got {len(names)}: {names!r}.")
    for name in names:
        if name not in ("discount", *_ALLOWED):
            raise unknown_name("parameter of a trust regime", name, ("discount", *_ALLOWED))
    axes = tuple(_axis(name, over[name]) for name in names)
    for name, axis in zip(names, axes, strict=True):
        for value in axis:
            if name == "discount":
                check_discount(value)
            elif not PARAMETERS[name].contains(np.float64(value)):  # type: ignore[arg-type]
                raise InvalidValueError(
                    f"{name} must be {PARAMETERS[name].admissible}, got {value:g}."
                )
    plan = Plan(threat=1.0, demand=demand)
    aggregative.check_plan(game, plan)
    return _over_cells(game, names, axes, discount, plan.demand_by_member(game.members), floor)  # type: ignore[arg-type]


def _axis(name: str, values: Any) -> Array:
    """The values of one axis, as numbers that rise."""
    bare = isinstance(values, (str, Mapping)) or not hasattr(values, "__len__") or not len(values)
    if bare:
        raise InvalidValueError(
            f"over[{name!r}] must be a list of values that rise, got {shown(values)}."
        )
    axis = np.array([as_number(v, name) for v in values])
    if (np.diff(axis) <= 0).any():
        raise InvalidValueError(
            f"over[{name!r}] must be a list of values that rise, got {shown(values)}."
        )
    return axis


def _over_cells(
    game: BurdenSharingGame,
    names: tuple[str, str],
    axes: tuple[Array, Array],
    discount: float,
    demand: Array,
    floor: float,
) -> TrustRegimes:
    shape = (len(axes[0]), len(axes[1]))
    tables = {name: np.full(shape, np.nan) for name in _CELLS}
    tables["regimes"][:] = -1
    reasons: list[str] = []
    laws: dict[tuple[float, ...], tuple[Law, Tabulated, float]] = {}
    table = _table(game, names, axes, demand, floor)
    kept = KeptTable(table.stage, table)
    for i, j in np.ndindex(shape):
        cell = {names[0]: float(axes[0][i]), names[1]: float(axes[1][j])}
        delta = cell.pop("discount", discount)
        key = tuple(cell.values())
        try:
            if key not in laws:
                control = game_control(
                    game.replace(**cell), demand, floor=floor, most_states=1, table=table
                )
                myopic = float(myopic_actions(control, control.initial[None])[0])
                laws[key] = control.law, Tabulated(control), myopic
            found = _cell(*laws[key], kept, delta)
        except InvalidValueError as error:
            reasons.append(f"{cell}: {error}")
            continue
        for name, value in found.items():
            tables[name][i, j] = value
    return TrustRegimes(game, names, axes, **tables, reasons=tuple(reasons))


def _table(
    game: BurdenSharingGame,
    names: tuple[str, str],
    axes: tuple[Array, Array],
    demand: Array,
    floor: float,
) -> StageTable:
    """A table of the stage game that reaches down to the least trust of any cell."""
    lowest, stage = 1.0, game_stage(game, demand, AllianceLaw(game, groups_of(game)))
    for i, j in np.ndindex(len(axes[0]), len(axes[1])):
        cell = {names[0]: float(axes[0][i]), names[1]: float(axes[1][j])}
        cell.pop("discount", None)
        there = game.replace(**cell)
        law = AllianceLaw(there, groups_of(there))
        if len(law.states) > 1:
            raise UnsupportedFormError(
                "trust_regimes needs a law with one state (a common decay and trust, no scarring, one "
                f"component); here it has {len(law.states)}: {', '.join(law.states)}."
            )
        low, _ = least_reachable(law, floor)
        lowest = min(lowest, least_operating(law, low))
        stage = game_stage(there, demand, law)
        if not set(names) - {"discount"}:
            break
    return StageTable(stage, lowest)


def _cell(
    law: Law, tabulated: Tabulated, myopic: float, kept: KeptTable, discount: float
) -> dict[str, float]:
    """One cell: first threats by concept, long-run threat and trust, levels and the threshold."""
    control = tabulated.control
    value, _ = solve_quickly(tabulated, discount)
    start = np.asarray(control.initial)[None, :]
    trust = np.linspace(control.low[0], control.high[0], LEVELS)[:, None]
    threats, _ = best_actions(control, discount, value, np.concatenate([start, trust]), False)
    first, policy = float(threats[0]), threats[1:]
    levels, threshold = _levels(trust[:, 0], control.advance(trust, policy)[:, 0])
    state = start
    for _ in range(LONG_RUN):
        threat = np.interp(state[:, 0], trust[:, 0], policy)
        moved = control.advance(state, threat)
        if np.abs(moved - state).max() < 1e-13:
            break
        state = np.clip(moved, control.low, control.high)
    long_trust = float(state[0, 0])
    long_threat = float(np.interp(long_trust, trust[:, 0], policy))
    if long_trust < COLLAPSED:
        regime = 3
    elif long_threat > LEAST_CHANGE:
        regime = 2
    else:
        regime = 1 if first > LEAST_CHANGE else 0
    return {
        "first_threats": first, "myopic_threats": myopic,
        "stationary_threats": kept.best_threat(law, discount), "long_threats": long_threat,
        "long_trust": long_trust, "levels": levels, "thresholds": threshold, "regimes": regime,
    }  # fmt: skip


def _levels(trust: Array, ahead: Array) -> tuple[float, float]:
    """The number of long-run levels (inf: every one), and the lowest threshold between two."""
    stable, unstable, everywhere = crossings(trust, ahead)
    if everywhere:
        return np.inf, np.nan
    k = unstable[:1]
    return float(len(stable)), float((0.5 * (trust[k] + trust[k + 1]))[0]) if k.size else np.nan
