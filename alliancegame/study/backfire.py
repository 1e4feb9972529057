"""At which threat does pressure stop paying? V(tau), its acceptable set, and break-even decay."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import ConvergenceError, InvalidValueError, unknown_name
from alliancegame.game.checks import check_game, check_smooth, check_whole
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array, as_number
from alliancegame.game.plan import DEFAULT_DEMAND, Plan
from alliancegame.solve import aggregative, multiple
from alliancegame.solve.certificate import consumption_share
from alliancegame.solve.keys import Key
from alliancegame.solve.nash import status_quo
from alliancegame.solve.result import Result, numbers, provenance
from alliancegame.solve.scenarios import Scenarios

if TYPE_CHECKING:
    import pandas as pd

BURDEN_POINTS = 65
"""Own burdens tried at every threat before the best is refined."""
DECAY_POINTS = 65
MOST_LOSS = 8.0
"""Decay * threat^curvature at the end of the fine scan for break-even: 0.03 % of trust is left."""
FAR_LOSSES = (16.0, 32.0, 64.0, 128.0, 256.0, 512.0)
"""The same beyond it: with influence in logs even a loss that leaves e^-512 of trust may be worth it."""
SLACK = 1e-12
"""Payoff differences below this are rounding."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Backfire(Result):
    """The leader's payoff against a uniform threat, when it re-chooses its own burden.

    `threats`, `values` and `own_burdens` have shape (points,). `threshold` is the largest threat up
    to which no threat is worse than none, nan if V never falls below V(0); `acceptable` the whole set
    {V >= V(0)} as intervals; `best` the threat with the largest V; `break_even_decay` every root in
    the (common) decay of V(break_even_threat) = V(0), smallest first, (inf,) if there is none.
    """

    kind: ClassVar[str] = "backfire"

    game: BurdenSharingGame
    demand: float
    burden: str
    threats: Array
    values: Array
    own_burdens: Array
    threshold: float
    acceptable: tuple[tuple[float, float], ...]
    best: float
    break_even_threat: float
    break_even_decay: tuple[float, ...]
    best_value: float

    @property
    def gains(self) -> Array:
        """V(tau) - V(0), shape (points,)."""
        gained: Array = self.values - self.values[0]
        return gained

    @property
    def gains_usd_bn(self) -> Array:
        """V(tau) - V(0) in bn US$ a year at A's burdens, shape (points,)."""
        return np.asarray(self._usd_bn(self.gains))

    def _usd_bn(self, gain: Any) -> Any:
        lead = self.game.members.leader_index
        share = consumption_share(self.game, gain, status_quo(self.game).burdens[lead])
        return share * self.game.by_member("gdp")[lead]

    @property
    def best_gain(self) -> float:
        """V(best) - V(0), the largest gain."""
        return float(self.best_value - self.values[0])

    @property
    def best_gain_usd_bn(self) -> float:
        """V(best) - V(0) in bn US$ a year at A's burdens."""
        return float(self._usd_bn(self.best_gain))

    def headline(self) -> str:
        """One line that says what was found."""
        limit = (
            "never backfires"
            if math.isnan(self.threshold)
            else f"backfires above {self.threshold:.4g}"
        )
        return (
            f"demand {self.demand:.3%}, own burden {self.burden}: best threat {self.best:.4g} gains "
            f"{self.best_gain:.3g} ({self.best_gain_usd_bn:.3g} bn US$ a year); {limit}"
        )

    def to_frame(self) -> pd.DataFrame:
        """V by threat, a row each."""
        import pandas as pd

        return pd.DataFrame(
            {
                "threat": self.threats,
                "value": self.values,
                "gain": self.gains,
                "gain_usd_bn": self.gains_usd_bn,
                "own_burden": self.own_burdens,
            }
        )

    def _content(self) -> dict[str, Any]:
        names = ("demand", "burden", "threshold", "best", "break_even_threat", "best_value")
        return {
            "game": self.game.to_dict(),
            **{name: getattr(self, name) for name in names},
            "threats": self.threats.tolist(),
            "values": self.values.tolist(),
            "own_burdens": self.own_burdens.tolist(),
            "acceptable": [list(interval) for interval in self.acceptable],
            "break_even_decay": list(self.break_even_decay),
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        return cls(
            BurdenSharingGame.from_dict(
                {**content["game"], "provenance": content["provenance"].get("game", {})}
            ),
            float(content["demand"]),
            content["burden"],
            numbers(content["threats"]),
            numbers(content["values"]),
            numbers(content["own_burdens"]),
            float(content["threshold"]),
            tuple((float(a), float(b)) for a, b in content["acceptable"]),
            float(content["best"]),
            float(content["break_even_threat"]),
            tuple(float(k) for k in content["break_even_decay"]),
            float(content["best_value"]),
        )


def backfire_threshold(
    game: BurdenSharingGame,
    demand: float = DEFAULT_DEMAND,
    *,
    burden: str = "committed",
    points: int = 101,
    break_even_threat: float = 1.0,
) -> Backfire:
    """V(tau) over [0, 1], the threat at which it falls below V(0), and the decay that breaks even.

    `burden` says what the leader does with its own burden at each threat: "committed" (it re-chooses
    and commits it; the default) or "simultaneous". `break_even_threat` is the threat at which
    `break_even_decay` is asked (full pressure by default); a decay by member is then replaced by a
    common one. Threats are uniform; V is scanned at `points` threats and roots are refined.

    Where several answers to a threat are possible, V takes the best for the leader of those found.

    Raises `InvalidValueError`, `UnknownNameError`; `UnsupportedFormError` for triggers and the exact limits
    of the technology; `ZeroTrustError` or `ConvergenceError` if there is no V(0).
    """
    check_game(game, "backfire_threshold")
    if burden not in ("committed", "simultaneous"):
        raise unknown_name("burden", burden, ("committed", "simultaneous"))
    demand = as_number(demand, "demand")
    at = as_number(break_even_threat, "break_even_threat")
    if not 0 < at <= 1:
        raise InvalidValueError(f"break_even_threat must be in (0, 1], got {at:g}.")
    check_whole(points, "points", 3)
    check_smooth(game, "backfire_threshold")
    aggregative.check_plan(game, Plan(threat=1.0, demand=demand))
    status_quo(game)  # Says so if trust has gone before anybody is threatened.
    value = _Value(game, demand, burden)
    threats = np.linspace(0.0, 1.0, points)
    values, own = value(threats)
    if not np.isfinite(values[0]):
        raise ConvergenceError(
            f"without a threat {game.leader} has no finite payoff at any burden of its own, so there "
            "is no V(0) to compare with: see solve_nash(game)."
        )
    best_threat, best_value = _peak(value, threats, values)
    acceptable = _acceptable(value, threats, values)
    better = best_value > values[0] + SLACK
    falls = not (len(acceptable) == 1 and acceptable[0] == (0.0, 1.0))
    return Backfire(
        game,
        demand,
        burden,
        threats,
        values,
        own,
        acceptable[0][1] if falls else math.nan,
        acceptable,
        best_threat if better else 0.0,
        at,
        _break_even(game, demand, burden, at),
        best_value if better else float(values[0]),
    )


class _Value:
    """V(tau): the leader's payoff with its own burden re-chosen, for many threats at once.

    `decays`, shape (threats,), replaces the game's decay by a common one for each threat.
    """

    def __init__(
        self, game: BurdenSharingGame, demand: float, burden: str, decays: Array | None = None
    ) -> None:
        self.game, self.demand, self.burden, self.decays = game, demand, burden, decays
        self.single = bool(multiple.one_game(game, Plan()).single_followers.all())

    def _payoffs(self, threats: Array, burdens: Array) -> Array:
        """The leader's payoff from burdens of its own; `threats` repeats each threat equally often."""
        if not self.single:
            return self._best(threats, burdens)[0]
        demands = np.full(len(threats), self.demand)
        changes: dict[str | tuple[str, str], Array] = {}
        if self.decays is not None:
            changes["decay"] = np.repeat(self.decays, len(threats) // len(self.decays))
        batch = aggregative.solve_plans(self.game, threats, demands, burdens, changes=changes)
        return batch.leader_payoff

    def _best(self, threats: Array, burdens: Array | None) -> tuple[Array, Array]:
        """(payoff, own burden) in the leader's best answer; `threats` repeats each threat equally often."""
        columns = {Key("threat"): threats}
        if burdens is not None:
            columns[Key("burden")] = burdens
        if self.decays is not None:
            columns[Key("decay")] = np.repeat(self.decays, len(threats) // len(self.decays))
        plan = Plan(demand=self.demand)
        cells = Scenarios(self.game, plan, columns, np.arange(len(threats)))
        return multiple.best_answers(cells)

    def __call__(self, threats: Array) -> tuple[Array, Array]:
        """(V, own burden) at each threat, shape (threats,); nan where the leader has no finite payoff."""
        threats = np.asarray(threats, dtype=np.float64)
        if self.burden == "simultaneous":
            return self._best(threats, None)
        return self._committed(threats)

    def _committed(self, threats: Array) -> tuple[Array, Array]:
        """Scan the own burden at every threat, then close in on the best of each by thirds."""
        lead = self.game.members.leader_index
        low = float(self.game.by_member("burden_min")[lead])
        high = float(self.game.by_member("burden_max")[lead])
        count = len(threats)
        grid = low + (high - low) * np.linspace(0.0, 1.0, BURDEN_POINTS) ** 2
        scanned = self._payoffs(np.repeat(threats, grid.size), np.tile(grid, count)).reshape(
            count, -1
        )
        scanned = np.where(np.isfinite(scanned), scanned, -np.inf)
        top = scanned.argmax(axis=1)
        rows = np.arange(count)
        best, where = scanned[rows, top], grid[top]
        left, right = grid[np.maximum(top - 1, 0)], grid[np.minimum(top + 1, grid.size - 1)]
        shares = np.linspace(0.0, 1.0, 7)
        for _ in range(18):
            points = left[:, None] + shares * (right - left)[:, None]
            values = self._payoffs(np.repeat(threats, 7), points.ravel()).reshape(count, 7)
            values = np.where(np.isfinite(values), values, -np.inf)
            top = values.argmax(axis=1)
            better = values[rows, top] > best
            best = np.where(better, values[rows, top], best)
            where = np.where(better, points[rows, top], where)
            width = (right - left) / 6
            left, right = np.maximum(where - width, low), np.minimum(where + width, high)
        return np.where(np.isfinite(best), best, np.nan), where


def _peak(value: _Value, threats: Array, values: Array) -> tuple[float, float]:
    """The threat with the largest V, refined around the best point of the scan."""
    if not np.isfinite(values).any():
        return math.nan, math.nan
    top = int(np.nanargmax(values))
    best, at = float(values[top]), float(threats[top])
    left, right = threats[max(top - 1, 0)], threats[min(top + 1, len(threats) - 1)]
    for _ in range(8):
        points = np.linspace(left, right, 9)
        found, _own = value(points)
        k = int(np.nanargmax(np.where(np.isfinite(found), found, -np.inf)))
        if found[k] > best:
            best, at = float(found[k]), float(points[k])
        width = (right - left) / 8
        left, right = max(at - width, 0.0), min(at + width, 1.0)
    return at, best


def _acceptable(value: _Value, threats: Array, values: Array) -> tuple[tuple[float, float], ...]:
    """{V >= V(0)} as intervals, their ends refined."""
    excess = values - values[0]
    good = np.where(np.isfinite(excess), excess, -np.inf) >= -SLACK
    intervals = []
    start = 0.0
    for i in range(1, len(threats)):
        if good[i] == good[i - 1]:
            continue
        root = _root(
            lambda t: float(value(np.array([t]))[0][0] - values[0]), threats[i - 1], threats[i]
        )
        if good[i]:
            start = root
        else:
            intervals.append((start, root))
    if good[-1]:
        intervals.append((start, 1.0))
    return tuple(intervals)


def _root(excess: Callable[[float], float], low: float, high: float) -> float:
    """Where an excess changes sign between two points; a missing value counts as below zero.

    A sign that has changed right beside `low` means `low` itself: V falls at once.
    """
    from scipy.optimize import brentq

    def sign(t: float) -> float:
        found = excess(t)
        return found if math.isfinite(found) else -1.0

    start, end = sign(low), sign(high)
    if abs(start) <= SLACK:
        near = low + 1e-7 * (high - low)
        if sign(near) * end > 0:
            return float(low)
        low = near
    if sign(low) * end >= 0:
        return float(low)
    return float(brentq(sign, low, high, xtol=1e-10))


def _break_even(
    game: BurdenSharingGame, demand: float, burden: str, threat: float
) -> tuple[float, ...]:
    """Every decay at which the threat is worth exactly nothing, (inf,) if there is none.

    What decay does to trust is a matter of decay * threat^curvature: that is what is scanned.
    """
    quiet = float(_Value(game, demand, burden)(np.zeros(1))[0][0])

    def gains(decays: Array) -> Array:
        values, _ = _Value(game, demand, burden, decays)(np.full(len(decays), threat))
        return values - quiet

    losses = np.append(MOST_LOSS * np.linspace(0.0, 1.0, DECAY_POINTS) ** 2, FAR_LOSSES)
    decays = losses * threat**-game.trust_law.curvature
    found = gains(decays)
    found = np.where(np.isfinite(found), found, -1.0)
    roots = [float(decays[i]) for i in np.flatnonzero(np.abs(found) <= SLACK)]
    roots += [
        _root(lambda k: float(gains(np.array([k]))[0]), decays[i - 1], decays[i])
        for i in range(1, len(decays))
        if found[i - 1] * found[i] < 0 and min(abs(found[i - 1]), abs(found[i])) > SLACK
    ]
    return tuple(sorted(roots)) or (math.inf,)
