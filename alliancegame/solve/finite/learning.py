"""Learning and evolution: fictitious play and replicator dynamics, through nashpy."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.game.checks import check_whole, listed
from alliancegame.game.finite import FiniteGame, check_finite_game
from alliancegame.game.parameters import Array, as_number
from alliancegame.solve.certificate import Certificate
from alliancegame.solve.finite.mixtures import Mixtures, read_mixture
from alliancegame.solve.finite.plainly import PlainResult
from alliancegame.solve.finite.profile import certificate

if TYPE_CHECKING:
    import pandas as pd

MOST_ROUNDS = 10**6


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Trajectory(PlainResult):
    """How play moves: `times` (points,), and shares of strategies by player, (points, strategies).

    `process` is "fictitious play" (frequencies of past play, times are rounds), or "replicator
    dynamics" (one array if a single population plays itself, otherwise two).
    """

    kind: ClassVar[str] = "trajectory"

    game: FiniteGame
    process: str
    times: Array
    shares: tuple[Array, ...]

    @property
    def limit(self) -> Mixtures:
        """Shares at the end, one mixture for each player."""
        ends = [tuple((s[-1] / s[-1].sum()).tolist()) for s in self.shares]
        return (ends[0], ends[-1])

    @property
    def certificate(self) -> Certificate:
        """How far the end is from an equilibrium. Convergence itself is not proved."""
        return certificate(self.game, self.limit)

    def to_frame(self) -> pd.DataFrame:
        """A row for each time: the share of every strategy."""
        import pandas as pd

        keys = [
            (p, s)
            for p, own in zip(self.game.players, self.game.strategies, strict=True)
            for s in own
        ]
        keys = keys[: sum(s.shape[1] for s in self.shares)]
        frame = pd.DataFrame(np.hstack(self.shares), columns=pd.MultiIndex.from_tuples(keys))
        frame.index = pd.Index(self.times, name="round" if "play" in self.process else "time")
        return frame

    def headline(self) -> str:
        """One line that says what was found."""
        points = f"{self.process}, {len(self.times)} points"
        return f"{points}; regret at the end {self.certificate.regret:.2g}"


def fictitious_play(game: FiniteGame, rounds: int = 1000, *, seed: int = 0) -> Trajectory:
    """Each round both players answer the other's past frequencies (Brown, 1951); ties by lot.

    `seed` makes it repeatable. Raises `InvalidValueError` for more than two players or no rounds.
    """
    import nashpy

    check_finite_game(game, "fictitious_play")
    game.two_players("fictitious_play")
    check_whole(rounds, "rounds", 1, MOST_ROUNDS)
    check_whole(seed, "seed", 0, 2**32 - 1)
    played = nashpy.Game(*game.levelled)
    before = np.random.get_state()  # noqa: NPY002 (nashpy draws from the global generator)
    try:
        np.random.seed(seed)  # noqa: NPY002
        counts = [
            tuple(np.array(side, dtype=np.float64) for side in pair)
            for pair in played.fictitious_play(iterations=int(rounds))
        ][1:]
    finally:
        np.random.set_state(before)  # noqa: NPY002
    sides = [np.array([pair[k] for pair in counts]) for k in (0, 1)]
    shares = tuple(side / side.sum(axis=1, keepdims=True) for side in sides)
    return Trajectory(game, "fictitious play", np.arange(1.0, len(counts) + 1), shares)


def replicator(
    game: FiniteGame,
    start: Any = None,
    *,
    until: float = 50.0,
    points: int = 501,
    populations: int | None = None,
) -> Trajectory:
    """Shares grow with payoff above the average (Taylor and Jonker, 1978).

    `start` is a mixture, or a pair of them for two populations; slightly off uniform by default.
    `populations` is 1 for a symmetric game (the same strategies, and the second player's payoffs are
    the first's transposed, up to a constant) and 2 otherwise. `until` is the time at the last of
    `points` points.

    Raises `InvalidValueError` for more than two players, a game that is not symmetric with
    `populations=1`, or a start or time that makes no sense.
    """
    import nashpy

    check_finite_game(game, "replicator")
    game.two_players("replicator")
    A, B = game.levelled
    symmetric = game.strategies[0] == game.strategies[1] and np.array_equal(A, B.T)
    count = (1 if symmetric else 2) if populations is None else populations
    check_whole(count, "populations", 1, 2)
    if count == 1 and not symmetric:
        raise InvalidValueError(
            "populations must be 2, got 1: this game is not symmetric, so that one population cannot "
            "play both parts."
        )
    check_whole(points, "points", 2, MOST_ROUNDS)
    end = as_number(until, "until")
    if not end > 0:
        raise InvalidValueError(f"until must be > 0, got {end:g}.")
    times = np.linspace(0.0, end, int(points))
    begun = _starts(game, start, count)
    played = nashpy.Game(A, B)
    if count == 1:
        sides = [played.replicator_dynamics(y0=begun[0], timepoints=times)]
    else:
        sides = list(
            played.asymmetric_replicator_dynamics(x0=begun[0], y0=begun[1], timepoints=times)
        )
    clean = [np.clip(np.asarray(side), 0.0, None) for side in sides]
    return Trajectory(
        game, "replicator dynamics", times, tuple(s / s.sum(axis=1, keepdims=True) for s in clean)
    )


def _starts(game: FiniteGame, start: Any, count: int) -> list[Array]:
    if start is None:
        made = []
        for m in game.shape[:count]:
            shares = 1.0 + 0.02 * np.arange(m)[::-1]
            made.append(shares / shares.sum())
        return made
    parts = [start] if count == 1 else listed(start, "start", "mixtures, one for each population")
    if len(parts) != count:
        raise InvalidValueError(f"start must have a mixture for each of {count} populations.")
    return [
        np.array([float(p) for p in read_mixture(game, i, part)]) for i, part in enumerate(parts)
    ]
