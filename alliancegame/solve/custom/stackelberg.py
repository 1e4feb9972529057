"""One leader and several followers in a user's own game: the leader commits, then the followers play Nash.

The leader's actions are searched as plans are (`solve/search`): a grid, cells that could hide
something better halved, the best points polished. At each point all the followers' equilibria that
roles and Newton find are weighed: the leader's best of them (optimistic) or its worst (pessimistic).
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import ConvergenceError, InvalidValueError, unknown_name
from alliancegame.game.custom import ContinuousGame
from alliancegame.game.parameters import Array
from alliancegame.payoff.custom import CompiledGame, compiled
from alliancegame.solve.certificate import Certificate, Unique
from alliancegame.solve.custom import candidates as found_by
from alliancegame.solve.custom import nash
from alliancegame.solve.custom.deviations import regrets
from alliancegame.solve.custom.profile import ActionProfile
from alliancegame.solve.leader.search import maximise
from alliancegame.solve.result import Result
from alliancegame.solve.tolerances import DEFAULT, Tolerances

if TYPE_CHECKING:
    import pandas as pd

SELECTIONS = ("optimistic", "pessimistic")
STARTS = 5
MOST_ROWS = 200_000
"""Profiles that Newton works on at a time."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Commitment(Result):
    """The leader's best commitment in a user's own game, and the followers' answer.

    `response` is the whole profile; its certificate is about the followers. `optimistic` and
    `pessimistic` are the leader's payoffs at this commitment under its best and its worst of the
    followers' `answers` equilibria; they are equal if there is one. `leader_gap` estimates how much
    better a commitment the search could have missed; `search` says at what resolution.
    """

    kind: ClassVar[str] = "commitment-in-actions"

    leader: str
    response: ActionProfile
    leader_gap: float
    search: str
    selection: str
    optimistic: float
    pessimistic: float
    answers: int

    @property
    def game(self) -> ContinuousGame:
        """The game."""
        return self.response.game  # type: ignore[return-value]

    @property
    def action(self) -> dict[str, float | Array]:
        """What every player chooses."""
        return self.response.action

    @property
    def payoff(self) -> dict[str, float]:
        """Payoff by player."""
        return self.response.payoff

    @property
    def leader_payoff(self) -> float:
        """The leader's payoff."""
        return self.payoff[self.leader]

    @property
    def certificate(self) -> Certificate:
        """The certificate of the followers' answer."""
        return self.response.certificate

    def headline(self) -> str:
        """One line that says what was found."""
        return (
            f"{self.leader} leads ({self.selection}): {self.response.describe()}; it earns "
            f"{self.leader_payoff:.5g}, a better commitment could gain {self.leader_gap:.2g} at most by "
            f"the search's estimate; followers {self.certificate.verdict}"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row for each action."""
        return self.response.to_frame()

    def _content(self) -> dict[str, Any]:
        return {
            "leader": self.leader,
            "response": self.response._content(),
            "leader_gap": self.leader_gap,
            "search": self.search,
            "selection": self.selection,
            "optimistic": self.optimistic,
            "pessimistic": self.pessimistic,
            "answers": self.answers,
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        return cls(
            content["leader"],
            ActionProfile.from_content(content["response"]),
            float(content["leader_gap"]),
            content["search"],
            content["selection"],
            float(content["optimistic"]),
            float(content["pessimistic"]),
            int(content["answers"]),
        )


def solve_stackelberg(
    game: ContinuousGame,
    leader: str,
    *,
    selection: Any = "optimistic",
    tolerances: Tolerances = DEFAULT,
) -> Commitment:
    """The leader's best commitment to its actions.

    Raises `UnknownNameError`, `InvalidValueError` (no followers), and `ConvergenceError` if no
    commitment that was tried has an answer of the followers.
    """
    if selection not in SELECTIONS:
        raise unknown_name("selection", selection, SELECTIONS)
    first = game.index_of(leader)
    if game.size < 2:
        raise InvalidValueError(
            "a game with a leader needs followers, and this one has one player."
        )
    functions = compiled(game)
    mine = game.own(first)
    axes = [_axis(functions, k, tolerances, len(mine)) for k in mine]

    def worth(points: Array) -> Array:
        made = [
            _of_leader(functions, first, x, selection) for x in answers(functions, mine, points)
        ]
        return np.array(made)

    try:
        found = maximise(worth, axes, tolerances)
    except ValueError as error:
        if "finite payoff" not in str(error):
            raise
        raise ConvergenceError(
            f"no commitment of {leader} that was tried has an answer: the followers have no pure "
            "equilibrium that was found. find_equilibria says more of their game."
        ) from error
    possible = answers(functions, mine, found.point[None, :])[0]
    certified = _certified(game, first, possible, tolerances)
    paid = [float(p.payoffs[first]) for p in certified]
    best = int(np.argmax(paid) if selection == "optimistic" else np.argmin(paid))
    grid = " × ".join(str(n) for n in found.grid)
    search = (
        f"grid of {grid} commitments, refined to a spacing of {float(np.max(found.spacing)):.2g}; "
        f"{found.evaluations} were tried, {found.failed} without an answer; at each, the "
        f"followers' equilibria from all roles and {STARTS} starts"
    )
    return Commitment(
        leader, certified[best], found.gap, search, selection, max(paid), min(paid), len(paid)
    )


def _axis(functions: CompiledGame, action: int, tolerances: Tolerances, dimensions: int) -> Array:
    ends = functions.ends(action)
    points = max(tolerances.grid, 65 if dimensions == 1 else 25)
    return np.unique(np.concatenate([np.linspace(ends[0], ends[-1], points), ends]))


def _of_leader(functions: CompiledGame, first: int, x: Array, selection: str) -> float:
    if not x.shape[0]:
        return float("nan")
    paid = functions.value_at(x)[:, first]
    return float(np.max(paid) if selection == "optimistic" else np.min(paid))


def answers(functions: CompiledGame, mine: list[int], points: Array) -> list[Array]:
    """For each commitment (points, leader's actions) the followers' equilibria found, (k, actions)."""
    game = functions.game
    theirs = [k for k in range(len(game.symbols)) if k not in mine]
    choices = [[found_by.FREE, *range(len(functions.ends(k)))] for k in theirs]
    roles = np.array(list(itertools.islice(itertools.product(*choices), found_by.MOST_ROLES)))
    rows = roles.shape[0] * STARTS
    made: list[Array] = []
    for part in np.array_split(points, max(1, points.shape[0] * rows // MOST_ROWS)):
        made += _answers(functions, mine, theirs, roles, part)
    return made


def _answers(
    functions: CompiledGame, mine: list[int], theirs: list[int], roles: Any, points: Array
) -> list[Array]:
    game = functions.game
    span = game.high - game.low
    generator = np.random.default_rng(0)
    shares = np.concatenate([[[0.5] * len(theirs)], generator.random((STARTS - 1, len(theirs)))])
    shares[STARTS // 2 + 1 :] **= 4
    count = (points.shape[0], roles.shape[0], STARTS)
    x = np.empty((*count, span.size))
    x[..., mine] = points[:, None, None, :]
    x[..., theirs] = game.low[theirs] + span[theirs] * shares
    free = np.zeros(x.shape, dtype=bool)
    for j, k in enumerate(theirs):
        ends = np.array(functions.ends(k))
        held = roles[:, j] != found_by.FREE
        place = ends[np.maximum(roles[:, j], 0)]
        x[..., k] = np.where(held[None, :, None], place[None, :, None], x[..., k])
        free[..., k] = ~held[None, :, None]
    which = np.repeat(np.arange(points.shape[0]), count[1] * count[2])
    flat, open_ = x.reshape(-1, span.size), free.reshape(-1, span.size)
    flat = found_by.newton(functions, flat, open_)
    keep = found_by.resting(functions, flat, open_, ignored=mine)
    flat, which = flat[keep], which[keep]
    rounded = np.column_stack([which, np.round(flat[:, theirs] / span[theirs] / found_by.CLOSE)])
    _, once = np.unique(rounded, axis=0, return_index=True)
    flat, which = flat[once], which[once]
    u = functions.value_at(flat)
    gains = found_by.quick_gains(functions, flat, 65, ignored=mine)
    fine = gains <= 1e-6 * (1 + np.abs(u).max(axis=1, initial=0.0))
    return [found_by.distinct(flat[fine & (which == p)], span) for p in range(points.shape[0])]


def _certified(
    game: ContinuousGame, first: int, possible: Array, tolerances: Tolerances
) -> list[ActionProfile]:
    """The followers' answers with certificates about the followers; those refuted are left out."""
    made = []
    unique: tuple[Unique, str] = (
        ("not proven", "one answer of the followers was found")
        if possible.shape[0] == 1
        else ("multiple", f"{possible.shape[0]} answers of the followers were found")
    )
    followers = [p for i, p in enumerate(game.players) if i != first]
    several = any(len(game.actions[p]) > 1 for p in followers)
    for x in possible:
        searched = [r for i, r in enumerate(regrets(game, x)) if i != first]
        held = nash.certificate(followers, searched, unique, tolerances, several)
        held = dataclasses.replace(held, scope=f"the followers only: {held.scope}")
        made.append(nash.profile_of(game, x, held, concept="stackelberg"))
    good = [p for p in made if p.certificate.verdict != "unverified"]
    return good or made
