"""Values of coalition games: Shapley and Banzhaf, exact by bit masks or sampled with standard errors."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from alliancegame.errors import InvalidValueError, unknown_name
from alliancegame.game.checks import check_choice, check_flag, check_whole
from alliancegame.game.coalition import MAX_PLAYERS, CoalitionGame, check_is_game, coalition_sizes
from alliancegame.game.parameters import Array
from alliancegame.solve.result import Result, numbers

if TYPE_CHECKING:
    import pandas as pd

METHODS = ("auto", "exact", "sampled")
MOST_SAMPLES = 10**8
Method = Literal["auto", "exact", "sampled"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Allocation(Result):
    """What each player has, by one rule; `values` and `standard_errors` have shape (n,).

    `rule` names it ("shapley", "banzhaf", "nucleolus", ...). Exact values have standard errors of 0
    and no `samples`. `total` is the worth of everybody together, which efficient rules divide.
    """

    kind: ClassVar[str] = "allocation"

    players: tuple[Any, ...]
    rule: str
    values: Array
    standard_errors: Array
    total: float
    method: str
    samples: int = 0
    seed: int | None = None

    @cached_property
    def value(self) -> pd.Series[float]:
        """What each player has, by label."""
        return self.to_frame()["value"]

    def __getitem__(self, player: Any) -> float:
        if player not in self.players:
            raise unknown_name("player", player, [str(p) for p in self.players])
        return float(self.values[self.players.index(player)])

    def headline(self) -> str:
        """One line that says what was found."""
        listed = ", ".join(
            f"{p} {v:.5g}" for p, v in zip(self.players[:8], self.values, strict=False)
        )
        more = ", ..." if len(self.players) > 8 else ""
        return f"{self.rule}: {listed}{more} ({self.method})"

    def to_frame(self) -> pd.DataFrame:
        """Values and standard errors, a row a player."""
        import pandas as pd

        columns = {"value": self.values}
        if self.samples:
            columns["standard_error"] = self.standard_errors
        return pd.DataFrame(columns, index=pd.Index(self.players, name="player"))

    def _content(self) -> dict[str, Any]:
        return {
            "players": list(self.players), "rule": self.rule, "values": self.values.tolist(),
            "standard_errors": self.standard_errors.tolist(), "total": self.total,
            "method": self.method, "samples": self.samples, "seed": self.seed,
        }  # fmt: skip

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the allocation from its plain values."""
        return cls(
            tuple(content["players"]), content["rule"], numbers(content["values"]),
            numbers(content["standard_errors"]), float(content["total"]), content["method"],
            int(content["samples"]), content["seed"],
        )  # fmt: skip


def shapley(
    game: CoalitionGame, *, method: Method = "auto", samples: int = 10_000, seed: int = 0
) -> Allocation:
    """The Shapley value: each player's marginal worth, averaged over all orders of arrival.

    Exact to 20 players, over all 2^n coalitions at once; beyond that (`method="auto"`), or with
    `method="sampled"`, the mean over `samples` random orders, each taken with its reverse, with
    standard errors from the pairs. The sum is v(N), sampled or not.

    Raises `InvalidValueError` for bad options, `CoalitionSizeError` for an exact value of more than
    20 players. Source: Shapley (1953); sampling: Castro, Gómez and Tejada (2009).
    """
    check_is_game(game, "shapley")
    if _exact(game, method):
        n = game.size
        sizes = np.arange(n)
        weights = 1.0 / (n * np.array([math.comb(n - 1, int(s)) for s in sizes]))
        return _exact_result(game, "shapley", _weighted_marginals(game, weights))
    count, random = _checked_samples(samples), _generator(seed)
    total, squares = np.zeros(game.size), np.zeros(game.size)
    pairs = (count + 1) // 2
    for _ in range(pairs):
        order = random.permutation(game.size)
        mean = (_arrivals(game, order) + _arrivals(game, order[::-1])) / 2
        total += mean
        squares += mean**2
    return _sampled_result(game, "shapley", total, squares, pairs, seed, 2 * pairs)


def banzhaf(
    game: CoalitionGame,
    *,
    normalised: bool = False,
    method: Method = "auto",
    samples: int = 10_000,
    seed: int = 0,
) -> Allocation:
    """The Banzhaf value: each player's marginal worth, averaged over all coalitions of the others.

    `normalised` divides by the sum, as for voting power (standard errors are then those of the
    numerators, divided by the same sum). Exact to 20 players; sampled as in `shapley`, each random
    coalition taken with its complement.

    Raises as `shapley`, and `InvalidValueError` if values that add up to 0 are to be normalised.
    Source: Banzhaf (1965), Owen (1975).
    """
    check_is_game(game, "banzhaf")
    check_flag(normalised, "normalised")
    if _exact(game, method):
        weights = np.full(game.size, 0.5 ** (game.size - 1))
        made = _exact_result(game, "banzhaf", _weighted_marginals(game, weights))
    else:
        pairs, random = (_checked_samples(samples) + 1) // 2, _generator(seed)
        total, squares = np.zeros(game.size), np.zeros(game.size)
        for _ in range(pairs):
            inside = random.random(game.size) < 0.5
            mean = (_swings(game, inside) + _swings(game, ~inside)) / 2
            total += mean
            squares += mean**2
        made = _sampled_result(game, "banzhaf", total, squares, pairs, seed, 2 * pairs)
    return _normalised(made) if normalised else made


def _weighted_marginals(game: CoalitionGame, weights: Array) -> Array:
    """Sum over S without i of weights[|S|] (v(S + i) - v(S)), for every i; shape (n,)."""
    n, v = game.size, game.values
    by_coalition = weights[coalition_sizes(n - 1)]
    found = np.empty(n)
    for i in range(n):
        # Bit i splits the table into those without i and those with i, in the same order.
        split = v.reshape(2 ** (n - 1 - i), 2, 2**i)
        found[i] = float((by_coalition * (split[:, 1] - split[:, 0]).ravel()).sum())
    return found


def _arrivals(game: CoalitionGame, order: Any) -> Array:
    """What each player adds when players arrive in this order, shape (n,)."""
    marginal = np.empty(game.size)
    present: frozenset[Any] = frozenset()
    before = 0.0
    for i in order:
        present = present | {game.players[i]}
        now = game(present)
        marginal[i] = now - before
        before = now
    return marginal


def _swings(game: CoalitionGame, inside: Any) -> Array:
    """What each player adds to a coalition from which it is taken first, shape (n,)."""
    members = frozenset(p for p, is_in in zip(game.players, inside, strict=True) if is_in)
    whole = game(members)
    return np.array(
        [whole - game(members - {p}) if p in members else game(members | {p}) - whole
         for p in game.players]
    )  # fmt: skip


def _exact(game: CoalitionGame, method: Any) -> bool:
    check_choice(method, "method", METHODS)
    return method == "exact" or (method == "auto" and game.size <= MAX_PLAYERS)


def _checked_samples(samples: Any) -> int:
    check_whole(samples, "samples", 4, MOST_SAMPLES)
    return int(samples)


def _generator(seed: Any) -> np.random.Generator:
    check_whole(seed, "seed", 0)
    return np.random.default_rng(int(seed))


def _exact_result(game: CoalitionGame, rule: str, values: Array) -> Allocation:
    method = f"exact, over {2**game.size} coalitions"
    return Allocation(game.players, rule, values, np.zeros(game.size), game.grand, method)


def _sampled_result(
    game: CoalitionGame, rule: str, total: Array, squares: Array, pairs: int, seed: int, count: int
) -> Allocation:
    mean = total / pairs
    spread = np.maximum(squares / pairs - mean**2, 0.0) * pairs / (pairs - 1)
    method = f"sampled, {count} draws in {pairs} antithetic pairs, seed {seed}"
    return Allocation(
        game.players, rule, mean, np.sqrt(spread / pairs), game.grand, method, count, int(seed)
    )


def _normalised(made: Allocation) -> Allocation:
    total = float(made.values.sum())
    if total == 0:
        raise InvalidValueError("Banzhaf values add up to 0 and cannot be normalised.")
    return dataclasses.replace(
        made,
        rule="banzhaf, normalised",
        values=made.values / total,
        standard_errors=made.standard_errors / abs(total),
        total=1.0,
    )
