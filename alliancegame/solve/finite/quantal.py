"""Quantal response: the principal branch of the logit correspondence, traced through its folds.

With precision lambda a player chooses strategy s with probability proportional to
exp(lambda u(s)) (McKelvey and Palfrey, 1995). The branch from uniform play at lambda = 0 leads to a
Nash equilibrium for almost all games. It is followed in arc length, in logarithms of probabilities
(Turocy, 2005), so that it may turn back in lambda.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import ConvergenceError, InvalidValueError
from alliancegame.game.finite import FiniteGame, check_finite_game
from alliancegame.game.parameters import Array, as_number, frozen_array
from alliancegame.solve.finite.mixtures import Mixtures, float_deviations
from alliancegame.solve.finite.profile import certificate, provenance
from alliancegame.solve.result import Result, numbers

if TYPE_CHECKING:
    import pandas as pd

MOST_POINTS = 20_000
_LONGEST = 2.0


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class QuantalPath(Result):
    """The principal branch: precisions, shape (points,), and choice probabilities (points, strategies).

    Strategies of all players stand side by side, in order. `residual` is the largest error of the
    logit conditions at any point; `limit` are the mixtures at its end and `regret` theirs.
    """

    kind: ClassVar[str] = "quantal-path"

    game: FiniteGame
    precisions: Array
    probabilities: Array
    residual: float

    def at(self, precision: float) -> Mixtures:
        """Mixtures where the branch first has this precision, interpolated between points."""
        number = as_number(precision, "precision")
        reached = np.flatnonzero(self.precisions >= number)
        if number < 0 or not reached.size:
            raise InvalidValueError(
                f"precision must be in [0, {self.precisions.max():g}], where the branch was traced; "
                f"got {number:g}."
            )
        k = max(int(reached[0]), 1)
        low, high = self.precisions[k - 1], self.precisions[k]
        share = 1.0 if high == low else (number - low) / (high - low)
        return self._split((1 - share) * self.probabilities[k - 1] + share * self.probabilities[k])

    @property
    def limit(self) -> Mixtures:
        """The mixtures at the end of the branch."""
        return self._split(self.probabilities[-1])

    @property
    def regret(self) -> float:
        """The largest gain from deviating at the end of the branch; it falls with precision."""
        return certificate(self.game, self.limit).regret

    @property
    def turns(self) -> int:
        """How often the branch turns back in precision."""
        steps = np.sign(np.diff(self.precisions))
        return int((steps[1:] * steps[:-1] < 0).sum())

    def _split(self, row: Array) -> Mixtures:
        parts = np.split(row, np.cumsum(self.game.shape)[:-1])
        return tuple(tuple((part / part.sum()).tolist()) for part in parts)

    def headline(self) -> str:
        """One line that says what was found."""
        return (
            f"logit branch to precision {self.precisions[-1]:.4g} in {len(self.precisions)} points, "
            f"{self.turns} turns; regret at its end {self.regret:.2g}, residual {self.residual:.1g}"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row for each point: precision, and the probability of every strategy."""
        import pandas as pd

        pairs = [
            (p, s)
            for p, own in zip(self.game.players, self.game.strategies, strict=True)
            for s in own
        ]
        frame = pd.DataFrame(self.probabilities, columns=pd.MultiIndex.from_tuples(pairs))
        frame.index = pd.Index(self.precisions, name="precision")
        return frame

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "precisions": self.precisions.tolist(),
            "probabilities": self.probabilities.tolist(),
            "residual": self.residual,
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the branch from its plain values."""
        return cls(
            FiniteGame.from_dict(content["game"], content["provenance"]["game"]),
            numbers(content["precisions"]),
            np.array(content["probabilities"], dtype=np.float64),
            float(content["residual"]),
        )


def quantal_response(game: FiniteGame, *, until: float | None = None) -> QuantalPath:
    """Trace the logit branch from uniform play until precision `until`.

    Precision is in units of one over payoff; by default it ends at 100 over the smallest range of a
    player's payoffs. Raises `InvalidValueError` for a precision that is not positive and
    `ConvergenceError` if the branch cannot be followed so far.
    """
    check_finite_game(game, "quantal_response")
    spans = [float(a.max()) for a in game.levelled]
    positive = [s for s in spans if s > 0] or [1.0]
    end = 100 / min(positive) if until is None else as_number(until, "until")
    if end <= 0:
        raise InvalidValueError(f"until must be > 0, got {end:g}.")
    scale = max(positive)
    branch = _Branch([np.asarray(a) / scale for a in game.levelled], game.shape)
    points = branch.trace(end * scale)
    logs = np.array([z[:-1] for z in points])
    residual = max(float(np.abs(branch.conditions(z)).max()) for z in points)
    return QuantalPath(
        game,
        frozen_array([z[-1] / scale for z in points]),
        frozen_array(np.exp(logs)),
        residual,
    )


class _Branch:
    """Unknowns z: logarithms of all probabilities, then the precision."""

    def __init__(self, payoffs: list[Array], shape: tuple[int, ...]) -> None:
        self.payoffs, self.shape = payoffs, shape
        self.ends = np.cumsum(shape)
        self.starts = self.ends - np.array(shape)

    def _mixtures(self, z: Array) -> list[Array]:
        return [np.exp(z[a:b]) for a, b in zip(self.starts, self.ends, strict=True)]

    def conditions(self, z: Array) -> Array:
        """Log-odds against each player's first strategy less what precision makes of payoffs; sums."""
        x, precision = self._mixtures(z), z[-1]
        made = []
        for i, (a, b) in enumerate(zip(self.starts, self.ends, strict=True)):
            u = float_deviations(self.payoffs[i], x, i)
            made.append(np.array([x[i].sum() - 1]))
            made.append(z[a + 1 : b] - z[a] - precision * (u[1:] - u[0]))
        return np.concatenate(made)

    def jacobian(self, z: Array) -> Array:
        """Derivatives of the conditions, shape (strategies, strategies + 1)."""
        x, precision = self._mixtures(z), z[-1]
        n, total = len(self.shape), int(self.ends[-1])
        made = np.zeros((total, total + 1))
        for i, (a, b) in enumerate(zip(self.starts, self.ends, strict=True)):
            made[a, a:b] = x[i]
            made[a + 1 : b, a] = -1
            made[a + 1 : b, a + 1 : b] += np.eye(b - a - 1)
            for j in range(n):
                if j == i:
                    continue
                slope = self._slope(x, i, j) * x[j]
                made[a + 1 : b, self.starts[j] : self.ends[j]] = -precision * (
                    slope[1:] - slope[:1]
                )
            u = float_deviations(self.payoffs[i], x, i)
            made[a + 1 : b, -1] = -(u[1:] - u[0])
        return made

    def _slope(self, x: list[Array], i: int, j: int) -> Array:
        """Payoffs of i by own strategy and j's, the others' mixtures averaged out."""
        values = np.moveaxis(self.payoffs[i], (i, j), (0, 1))
        for k in reversed([k for k in range(len(self.shape)) if k not in (i, j)]):
            values = values @ x[k]
        return values

    def trace(self, end: float) -> list[Array]:
        """Points from precision 0 to `end`, by tangent steps and Newton corrections at right angles."""
        z = np.r_[np.concatenate([np.full(m, -np.log(m)) for m in self.shape]), 0.0]
        tangent = self._tangent(z, None)
        points, step = [z], 0.05
        while points[-1][-1] < end:
            if len(points) > MOST_POINTS or step < 1e-10:
                raise ConvergenceError(
                    f"the logit branch could not be followed beyond precision {points[-1][-1]:.4g} "
                    f"(in units of one over the range of payoffs) in {len(points)} points: trace less "
                    "of it with until=..., or perturb payoffs if the game is symmetric."
                )
            guess = points[-1] + step * tangent
            if guess[-1] > end and tangent[-1] > 0:
                guess = points[-1] + (end - points[-1][-1]) / tangent[-1] * tangent
                found, turns = self._correct(guess, np.eye(len(z))[-1])
            else:
                found, turns = self._correct(guess, tangent)
            if found is None:
                step /= 2
                continue
            turned = self._tangent(found, tangent)
            if float(turned @ tangent) < 0.95:
                step /= 2
                continue
            points.append(found)
            tangent = turned
            if turns <= 3:
                step = min(1.5 * step, _LONGEST)
        return points

    def _tangent(self, z: Array, before: Array | None) -> Array:
        """The unit direction along the branch, pointing as before (at first, to higher precision)."""
        basis = np.linalg.svd(self.jacobian(z))[2]
        tangent: Array = basis[-1]
        onward = tangent[-1] if before is None else tangent @ before
        return tangent if onward > 0 else -tangent

    def _correct(self, z: Array, normal: Array) -> tuple[Array | None, int]:
        base = z
        for turn in range(8):
            residual = np.r_[self.conditions(z), normal @ (z - base)]
            size = float(np.abs(residual).max())
            if size < 1e-11 * max(1.0, abs(float(z[-1]))):
                return z, turn
            if not np.isfinite(size) or size > 50:
                return None, turn
            try:
                z = z - np.linalg.solve(np.vstack([self.jacobian(z), normal]), residual)
            except np.linalg.LinAlgError:
                return None, turn
        return None, 8
