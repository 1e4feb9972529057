"""The games of the comparison, each written out in plain numbers, as a user of another tool would."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

import alliancegame as ag
from benchmarks.problems import alliance, flagship, k2, plan

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class Game:
    """A game, a plan, and what its payoffs need: arrays (free member,) unless said otherwise.

    `free` are the members whose burdens are sought: all, or the allies of a committed leader.
    """

    name: str
    game: ag.BurdenSharingGame
    plan: ag.Plan
    free: NDArray[np.intp]
    scale: Array
    theta: Array
    alpha: Array
    private: Array
    spillin: Array
    umbrella: Array
    bite: Array
    demand: Array
    leader: int
    pull: Array
    returned: float

    @property
    def size(self) -> int:
        """Members of the whole game."""
        return self.game.size

    def whole(self, x: Any) -> Array:
        """Burdens of all members from those that are free."""
        burdens = np.full(self.size, 0.0 if self.plan.burden is None else self.plan.burden)
        burdens[self.free] = x
        return burdens

    def starts(self) -> list[Array]:
        """Where every solver starts: near the answer's size, far below it, far above it, and random."""
        random = np.random.default_rng(7)
        most = self.game.by_member("burden_max")[self.free]
        return [
            np.minimum(0.02, 0.5 * most),
            np.minimum(0.001, 0.1 * most),
            0.6 * most,
            random.uniform(0.02, 0.9, len(self.free)) * most,
            random.uniform(0.002, 0.1, len(self.free)),
        ]


def written_out(name: str, game: ag.BurdenSharingGame, asked: ag.Plan) -> Game:
    """The numbers of a game under a plan."""
    lead = game.members.leader_index
    spillin, umbrella = game.congested
    trust = ag.solve_nash(game, asked).operating_trust
    scale = game.by_member("effectiveness") * game.by_member("gdp")
    weight = game.by_member("council_weight").copy()
    weight[lead] *= trust[lead]
    everyone = np.arange(game.size)
    return Game(
        name,
        game,
        asked,
        everyone if asked.burden is None else np.delete(everyone, lead),
        scale,
        game.by_member("security_weight"),
        game.by_member("influence_weight"),
        game.by_member("private_weight"),
        spillin,
        umbrella * trust,
        asked.threat_by_member(game.members) * game.by_member("credibility"),
        asked.demand_by_member(game.members),
        lead,
        weight,
        game.return_spillin * trust[lead] ** game.cohesion,
    )


def payoff(g: Game, i: int, x: Any, everybody: Any, np: Any) -> Any:
    """Member i's payoff if it spends x while the others spend as in `everybody`, shape (member,).

    `np` is NumPy, or a library with its functions (jax.numpy): one payoff for every peer.
    """
    rho, m = g.game.substitution, g.game.decisiveness
    own = g.scale[i] * x
    powers = (g.scale * everybody) ** rho
    if i == g.leader:
        others = np.sum(powers) - powers[i]
        security = (own**rho + g.returned**rho * others) ** (1 / rho)
    else:
        others = np.sum(powers) - powers[i] - powers[g.leader]
        left = 1 - g.bite[i] * np.maximum(0.0, 1 - x / g.demand[i])
        umbrella = g.umbrella[i] * left * g.scale[g.leader] * everybody[g.leader]
        security = (own**rho + g.spillin[i] ** rho * others + umbrella**rho) ** (1 / rho)
    total = np.log(1 - x) if g.game.consumption == "log" else -x
    total = total + g.theta[i] * np.log(security)
    if g.alpha[i] > 0:
        pulls = g.pull * (g.scale * everybody) ** m
        mine = g.pull[i] * own**m
        total = total + g.alpha[i] * (np.log(mine) - np.log(np.sum(pulls) - pulls[i] + mine))
    if g.private[i] > 0:
        total = total + g.private[i] * np.log(x)
    return total


def bank(quick: bool) -> list[Game]:
    """The games that every peer is given."""
    games = [
        written_out(f"nato-2024, demand {demand:g}", flagship(), plan(demand))
        for demand in (0.05, 0.025, 0.02)
    ]
    games.append(written_out("K2, simultaneous", k2(), ag.Plan()))
    games.append(
        written_out("nato-2024, CES 0.5, demand 0.05", flagship("CES, substitution 0.5"), plan())
    )
    sizes = (10, 31) if quick else (10, 31, 100, 1_000)
    games += [written_out(f"{size:,} random allies", alliance(size), plan()) for size in sizes]
    return games
