"""The law of trust in arrays, with as few states as the game allows.

Allies whose trust moves alike share a state: trust is homogeneous of degree one, so that what counts
is trust relative to the ally's ceiling. States, each in [0, 1], are (in this order) the
institutional trust of every group, the personal trust of every group (two components), and the
ceiling of every group (scarring), all as shares of the ceilings of the first period.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.solve.dynamic import asked

Index = NDArray[np.intp]


class Law(Protocol):
    """A law of motion: what trust operates in a period, and which state the next one begins with.

    Arrays are (case, state), threats (case,) or (case, group), trust (case, group) as shares of the
    allies' first ceilings.
    """

    @property
    def states(self) -> tuple[str, ...]:
        """The names of the states."""

    @property
    def initial(self) -> Array:
        """The state in which the first period begins, shape (state,)."""

    @property
    def turnover(self) -> float:
        """The probability per period of a turnover, after recovery."""

    def operating(self, state: Array, threat: Array) -> Array:
        """The trust at which allies answer, shape (case, group)."""

    def advance(self, state: Array, threat: Array) -> Array:
        """The state of the next period if there is no turnover, shape (case, state)."""

    def jump(self, state: Array) -> Array:
        """The state that a turnover makes of one, shape (case, state)."""


STILL, GONE = 1e-12, 1e-150
"""Trust has settled if it moves by less than a share of itself, or is as good as none."""


def settled(state: Array, ahead: Array) -> bool:
    """Whether trust does not move any more (a share, since influence may count in logarithms)."""
    return bool(((np.abs(ahead - state) <= STILL * np.abs(state)) | (np.abs(ahead) < GONE)).all())


def groups_of(game: BurdenSharingGame, each: bool = False, tariff: Array | None = None) -> Index:
    """The group of every member, shape (n,), -1 for the leader; `each` ally its own if asked for.

    Allies share a group if their decay, their trust relative to the ceiling, what a `tariff` (rates,
    shape (n,)) costs of it and (with contagion) their weight in the alliance are the same.
    """
    lead = game.members.leader_index
    found: dict[tuple[float, ...], int] = {}
    group = np.full(game.size, -1, dtype=np.intp)
    share = allied_share(game)
    standing = initial_standing(game)
    decay, levied = game.by_member("decay"), tariff_strain(game, tariff)
    for i in range(game.size):
        if i == lead:
            continue
        key: tuple[float, ...] = (
            decay[i], standing[i], share[i] if game.contagion else 0.0, levied[i],
        )  # fmt: skip
        group[i] = len(found) if each else found.get(key, len(found))
        found[(*key, float(i)) if each else key] = int(group[i])
    return group


def tariff_strain(game: BurdenSharingGame, tariff: Array | None) -> Array:
    """kappa_T T_i, shape (n,): what tariffs cost of trust in every period, in log points."""
    if tariff is None:
        return np.zeros(game.size)
    return np.asarray(game.tariff_decay * tariff)


def allied_share(game: BurdenSharingGame) -> Array:
    """omega_j: GDP shares among allies, shape (n,), 0 for the leader."""
    allied = np.array(game.by_member("gdp"))
    allied[game.members.leader_index] = 0.0
    return np.asarray(allied / allied.sum())


def initial_standing(game: BurdenSharingGame) -> Array:
    """Initial trust over its ceiling, shape (n,); 0 where the ceiling is 0."""
    ceiling = game.by_member("trust_ceiling")
    return np.divide(game.by_member("trust"), ceiling, out=np.zeros(game.size), where=ceiling > 0)


@dataclasses.dataclass(frozen=True, eq=False)
class AllianceLaw:
    """The trust law of a game (docs/theory/dynamics), for the groups of allies in `group`, shape (n,).

    `tariff` has the rates that are levied in every period, shape (n,); none by default.
    """

    game: BurdenSharingGame
    group: Index
    tariff: Array | None = None

    @cached_property
    def count(self) -> int:
        """The number of groups."""
        return int(self.group.max()) + 1

    @property
    def two(self) -> bool:
        """Whether trust has two components."""
        return bool(self.game.institutional_share < 1)

    @property
    def scarred(self) -> bool:
        """Whether threats wear out the ceiling, so that it is a state."""
        return bool(self.game.scarring > 0)

    @property
    def turnover(self) -> float:
        """The probability per period that a new person leads; without effect on one component."""
        return float(self.game.turnover) if self.two else 0.0

    @cached_property
    def states(self) -> tuple[str, ...]:
        """The names of the states."""
        kinds = ["institutional trust", "personal trust"] if self.two else ["trust"]
        kinds += ["ceiling"] if self.scarred else []
        if self.count == 1:
            return tuple(kinds)
        return tuple(f"{kind} of {name}" for kind in kinds for name in self.names)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What each group is called: its only ally, or its first one and how many follow."""
        called = []
        for g in range(self.count):
            who = [self.game.members[i] for i in np.flatnonzero(self.group == g)]
            called.append(who[0] if len(who) == 1 else f"{who[0]} and {len(who) - 1} more")
        return tuple(called)

    @cached_property
    def initial(self) -> Array:
        """The state in which the first period begins, shape (state,)."""
        standing = initial_standing(self.game)
        first = np.array([standing[self.group == g][0] for g in range(self.count)])
        parts = [first, first] if self.two else [first]
        return np.concatenate([*parts, np.ones(self.count)] if self.scarred else parts)

    @cached_property
    def _decay(self) -> Array:
        decay = self.game.by_member("decay")
        return np.array([decay[self.group == g][0] for g in range(self.count)])

    @cached_property
    def _levied(self) -> Array:
        strain = tariff_strain(self.game, self.tariff)
        return np.array([strain[self.group == g][0] for g in range(self.count)])

    @cached_property
    def _weight(self) -> tuple[Array, Array]:
        """The weight of each group, and of one ally of it."""
        share = allied_share(self.game)
        whole = np.array([share[self.group == g].sum() for g in range(self.count)])
        one = np.array([share[self.group == g][0] for g in range(self.count)])
        return whole, one

    def _cost(self, threat: Array, cases: int) -> Array:
        """tau^nu by group, shape (case, group)."""
        asked = np.asarray(threat)
        asked = asked[:, None] if asked.ndim == 1 else asked
        cost: Array = np.broadcast_to(asked, (cases, self.count)) ** self.game.curvature
        return cost

    def impact(self, cost: Array) -> Array:
        """E by group: exp(-kappa tau^nu - xi sum over the others of omega tau^nu - kappa_T T)."""
        strain = self._decay * cost + self._levied
        if self.game.contagion:
            whole, one = self._weight
            strain = strain + self.game.contagion * ((cost @ whole)[:, None] - one * cost)
        return np.asarray(np.exp(-strain))

    def _parts(self, state: Array) -> tuple[Array, Array | None, Array]:
        k = self.count
        personal = state[:, k : 2 * k] if self.two else None
        ceiling = state[:, -k:] if self.scarred else np.ones((len(state), k))
        return state[:, :k], personal, ceiling

    def operating(self, state: Array, threat: Array) -> Array:
        """r+ = r E, relative to the first ceilings, shape (case, group)."""
        first, personal, _ = self._parts(state)
        hit = self.impact(self._cost(threat, len(state)))
        if personal is None:
            return np.asarray(first * hit)
        share = self.game.institutional_share
        return np.asarray(first**share * personal ** (1 - share) * hit)

    def advance(self, state: Array, threat: Array) -> Array:
        """Impact, recovery, scarring: the next period's state without turnover."""
        first, personal, ceiling = self._parts(state)
        cost = self._cost(threat, len(state))
        hit = self.impact(cost)
        parts = [self._recovered(first * hit, ceiling, self.game.recovery)]
        if personal is not None:
            parts.append(self._recovered(personal * hit, ceiling, self.game.personal_recovery))
        if self.scarred:
            parts.append(ceiling * np.exp(-self.game.scarring * cost))
        return np.concatenate(parts, axis=1)

    def _recovered(self, trust: Array, ceiling: Array, speed: float) -> Array:
        pace: Array | float = 1.0
        if self.game.recovery_threshold:
            k = self.game.recovery_sharpness
            standing = np.divide(trust, ceiling, out=np.zeros_like(trust), where=ceiling > 0) ** k
            pace = standing / (standing + self.game.recovery_threshold**k)
        return np.asarray(trust + speed * pace * (ceiling - trust))

    def jump(self, state: Array) -> Array:
        """A new person leads: personal trust is at its ceiling again."""
        if not self.two:
            return state
        moved = state.copy()
        k = self.count
        moved[:, k : 2 * k] = self._parts(state)[2]
        return moved


@dataclasses.dataclass(frozen=True, eq=False)
class TrustMotion:
    """A user's own law of trust for an alliance; trust is common to all allies.

    `impact(state, threat)` gives the trust at which allies answer, shape (case,), as a share of
    their ceilings; `recover(state, threat)` the next period's state, shape (case, state). `state` is
    an array (case, state) with values in [0, 1], `threat` (case,). `after_turnover(state)` is the
    state that a turnover, of probability `turnover` per period, makes of one.
    """

    impact: Callable[[Array, Array], Array]
    recover: Callable[[Array, Array], Array]
    initial: tuple[float, ...] = (1.0,)
    states: tuple[str, ...] = ("trust",)
    turnover: float = 0.0
    after_turnover: Callable[[Array], Array] | None = None

    def __post_init__(self) -> None:
        for what in ("impact", "recover"):
            asked.check_function(getattr(self, what), what)
        asked.check_function(self.after_turnover, "after_turnover", optional=True)
        names = asked.check_names(self.states)
        first = asked.check_start(self.initial, names, 0.0, 1.0)
        object.__setattr__(self, "states", names)
        object.__setattr__(self, "initial", tuple(first.tolist()))
        object.__setattr__(self, "turnover", asked.check_probability(self.turnover, "turnover"))
