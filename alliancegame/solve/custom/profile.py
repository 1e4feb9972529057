"""ActionProfile and ActionEquilibria: results for users' own games, and what they claim."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame._version import __version__
from alliancegame.errors import ResultFileError
from alliancegame.game.aggregative import AggregativeGame
from alliancegame.game.custom import ContinuousGame
from alliancegame.game.parameters import Array
from alliancegame.solve.certificate import Certificate
from alliancegame.solve.result import Result, list_claims, numbers, profile_claims

if TYPE_CHECKING:
    import pandas as pd

CustomGame = ContinuousGame | AggregativeGame


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ActionProfile(Result):
    """Actions in a user's own game, with their certificate.

    `actions` and `payoffs` are arrays in action and in player order; `action` is {player: number, or
    array for several actions}, `payoff` {player: number}. `others` holds further equilibria that were
    found. `cycle`, where no equilibrium was found, holds profiles through which best replies run in a
    circle, shape (steps, actions).
    """

    kind: ClassVar[str] = "action-profile"

    game: CustomGame
    actions: Array
    payoffs: Array
    certificate: Certificate
    concept: str = "nash"
    message: str = ""
    others: tuple[ActionProfile, ...] = ()
    cycle: Array | None = None

    @cached_property
    def action(self) -> dict[str, float | Array]:
        """What every player chooses."""
        return self.game.by_player(self.actions)

    @cached_property
    def payoff(self) -> dict[str, float]:
        """Payoff by player."""
        return dict(zip(self.game.players, self.payoffs.tolist(), strict=True))

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the result comes from: game hash, version, and what the game says of itself."""
        return provenance(self.game)

    def describe(self, most: int = 6) -> str:
        """Who does what, in one line."""
        parts = [f"{p}: {_text(a)}" for p, a in list(self.action.items())[:most]]
        more = self.game.size - most
        return "; ".join(parts) + (f"; and {more} more" if more > 0 else "")

    def headline(self) -> str:
        """One line that says what was found."""
        return f"{self.concept}: {self.describe()}; {self.certificate.verdict}"

    def to_frame(self) -> pd.DataFrame:
        """A row for each action: bounds, what is chosen, and the player's payoff."""
        import pandas as pd

        if isinstance(self.game, AggregativeGame):
            players, names = list(self.game.players), [self.game.action] * self.game.size
            earned = self.payoffs
        else:
            players = [self.game.players[i] for i in self.game.owner]
            names = [a.name for a in self.game.every_action]
            earned = self.payoffs[self.game.owner]
        columns = {
            "low": self.game.low,
            "action": self.actions,
            "high": self.game.high,
            "payoff": earned,
        }
        index = pd.MultiIndex.from_arrays([players, names], names=["player", "symbol"])
        return pd.DataFrame(columns, index=index)

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "action": self.actions.tolist(),
            "payoff": self.payoffs.tolist(),
            "certificate": self.certificate.to_dict(),
            "concept": self.concept,
            "message": self.message,
            "others": [other._content() for other in self.others],
            "cycle": None if self.cycle is None else self.cycle.tolist(),
            "provenance": self.provenance,
        }

    def _claims(self, of: str = "") -> list[dict[str, Any]]:
        return profile_claims(self, of or self.kind)

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the profile from its plain values."""
        game = game_from_dict(content["game"], content["provenance"]["game"])
        actions, payoffs = numbers(content["action"]), numbers(content["payoff"])
        if actions.shape != game.low.shape or payoffs.shape != (game.size,):
            raise ResultFileError(
                f"the profile has {actions.size} actions and {payoffs.size} payoffs for a game of "
                f"{game.low.size} actions and {game.size} players."
            )
        cycle = content["cycle"]
        return cls(
            game,
            actions,
            payoffs,
            Certificate.from_dict(content["certificate"]),
            content["concept"],
            content["message"],
            tuple(cls.from_content(other) for other in content["others"]),
            None if cycle is None else np.array([numbers(row) for row in cycle]),
        )


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ActionEquilibria(Result):
    """The pure equilibria of a user's own game that were found, and what is known of all of them.

    Iterable. `completeness` is "proven" (every box of profiles was excluded or holds exactly one
    point that meets the first-order conditions), "resolution" (all but boxes of at most `resolution` of the
    actions' ranges were) or "unknown"; `statement` says it in words. With no equilibrium, `cycle` may
    hold best replies that run in a circle, shape (steps, actions).
    """

    kind: ClassVar[str] = "action-equilibria"

    game: CustomGame
    profiles: tuple[ActionProfile, ...]
    completeness: str
    statement: str
    resolution: float = float("nan")
    cycle: Array | None = None

    @property
    def complete(self) -> bool:
        """Whether it is proven that nothing is missing."""
        return self.completeness == "proven"

    def __len__(self) -> int:
        return len(self.profiles)

    def __getitem__(self, index: int) -> ActionProfile:
        return self.profiles[index]

    def __iter__(self) -> Iterator[ActionProfile]:
        return iter(self.profiles)

    def headline(self) -> str:
        """One line that says what was found."""
        if not self.profiles:
            return self.statement
        what = "equilibrium" if len(self) == 1 else "equilibria"
        return f"{len(self)} pure {what} found: {self.statement}"

    def to_frame(self) -> pd.DataFrame:
        """A row for each equilibrium: what everybody does and earns, and the regret."""
        import pandas as pd

        rows = []
        for profile in self.profiles:
            row: dict[str, Any] = {}
            for player, action in profile.action.items():
                values = np.atleast_1d(np.asarray(action)).tolist()
                names = (
                    [player]
                    if len(values) == 1
                    else [f"{player}.{k + 1}" for k in range(len(values))]
                )
                row |= dict(zip(names, values, strict=True))
            row |= {f"payoff of {p}": u for p, u in profile.payoff.items()}
            row["regret"] = profile.certificate.regret
            rows.append(row)
        return pd.DataFrame(rows)

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "equilibria": [profile._content() for profile in self.profiles],
            "completeness": self.completeness,
            "statement": self.statement,
            "resolution": self.resolution,
            "cycle": None if self.cycle is None else self.cycle.tolist(),
            "provenance": provenance(self.game),
        }

    def _claims(self, of: str = "") -> list[dict[str, Any]]:
        return list_claims(self.profiles, {"completeness": self.completeness})

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the set from its plain values."""
        cycle = content["cycle"]
        return cls(
            game_from_dict(content["game"], content["provenance"]["game"]),
            tuple(ActionProfile.from_content(p) for p in content["equilibria"]),
            content["completeness"],
            content["statement"],
            float(content["resolution"]),
            None if cycle is None else np.array([numbers(row) for row in cycle]),
        )


def game_from_dict(data: Mapping[str, Any], given: Mapping[str, Any] | None = None) -> CustomGame:
    """The game that `to_dict` of either class described."""
    kinds = {"continuous": ContinuousGame, "aggregative": AggregativeGame}
    if data.get("type") not in kinds:
        raise ResultFileError(
            f"the game is of unknown type {data.get('type')!r}; known: {sorted(kinds)}."
        )
    made: Any = kinds[data["type"]]
    game: CustomGame = made.from_dict(data, given)
    return game


def provenance(game: CustomGame) -> dict[str, Any]:
    """The provenance that every result of a user's own game carries."""
    return {
        "game_hash": game.hash,
        "version": __version__,
        "title": game.title,
        "game": dict(game.provenance),
    }


def _text(action: Any) -> str:
    values = np.atleast_1d(np.asarray(action, dtype=float)).tolist()
    text = ", ".join(f"{v:.5g}" for v in values)
    return text if len(values) == 1 else f"({text})"
