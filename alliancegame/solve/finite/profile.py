"""Profile and EquilibriumSet: what solvers of finite games return, and what they claim."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame._version import __version__
from alliancegame.game.finite import FiniteGame, number
from alliancegame.solve.certificate import Certificate, Unique, Verdict
from alliancegame.solve.finite import mixtures as mixed
from alliancegame.solve.finite.mixtures import Mixture, Mixtures, Number
from alliancegame.solve.result import Result, list_claims, profile_claims
from alliancegame.solve.tolerances import DEFAULT, Tolerances

if TYPE_CHECKING:
    import pandas as pd

UNSETTLED: tuple[Unique, str] = ("not proven", "find_equilibria says how many there are")
_ROUNDING = 4 * float(np.finfo(float).eps)


def certificate(
    game: FiniteGame,
    mixtures: Mixtures,
    unique: tuple[Unique, str] = UNSETTLED,
    tolerances: Tolerances = DEFAULT,
) -> Certificate:
    """The regret of a profile: every pure deviation of every player, which is global.

    In exact games with exact mixtures the regret is exact, and so is the order of the payoffs of a
    pure profile. Elsewhere an allowance for rounding is added. Verdicts compare the regret with the
    tolerances times the range of the player's payoffs (payoffs of a finite game have no unit), and
    with the tolerances themselves if that is larger.
    """
    exact = game.exact and mixed.is_exact(mixtures)
    pure = all(max(mixture) == 1 for mixture in mixtures)
    gains = []
    for i in range(game.size):
        if exact:
            deviations = mixed.deviation_payoffs(game, mixtures, i)
            gains.append(float(max(deviations) - mixed.expected(deviations, mixtures[i])))
            continue
        levelled = game.levelled[i]
        earned = mixed.float_deviations(levelled, mixtures, i).tolist()
        gain = max(max(earned) - mixed.expected(earned, mixtures[i]), 0.0)
        # Of a pure profile these are entries of the game: nothing was rounded on the way.
        allowance = 0.0 if pure else _ROUNDING * sum(game.shape) * float(levelled.max())
        gains.append(float(gain) + allowance)
    spans = [max(float(a.max()), 1.0) for a in game.levelled]
    shares = [gain / span for gain, span in zip(gains, spans, strict=True)]
    worst = int(np.argmax(gains))
    regret = gains[worst]
    verdict: Verdict = "unverified"
    if max(shares) <= tolerances.approximate:
        verdict = "certified" if max(shares) <= tolerances.certified else "approximate"
    if verdict == "unverified":
        unique = ("not proven", "the profile is no equilibrium")
    return Certificate(
        verdict,
        regret,
        float("nan"),
        game.players[worst] if regret > 0 else None,
        *unique,
        "every pure deviation, in exact rational arithmetic"
        if exact
        else "every pure deviation, in floating point"
        + ("" if pure else " with an allowance for rounding"),
        "all mixed deviations (no mixture earns more than its best pure strategy); unilateral ones",
        tolerances,
    )


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Profile(Result):
    """A profile of mixed strategies of a finite game, with its certificate.

    `mixtures` holds each player's probabilities in order, `Fraction` where they are exact;
    `strategies` is the same as {player: {label: probability}} for strategies that are played, and
    `payoff` is {player: payoff}. `others` holds further equilibria where a solver found several;
    this one is then the best for the first player.
    """

    kind: ClassVar[str] = "profile"

    game: FiniteGame
    mixtures: Mixtures
    certificate: Certificate
    concept: str = "nash"
    message: str = ""
    others: tuple[Profile, ...] = ()

    @cached_property
    def strategies(self) -> dict[str, dict[str, Number]]:
        """Probabilities of the strategies that are played, by player and label."""
        return {
            player: {labels[k]: mixture[k] for k in mixed.support(mixture)}
            for player, labels, mixture in zip(
                self.game.players, self.game.strategies, self.mixtures, strict=True
            )
        }

    @cached_property
    def payoff(self) -> dict[str, Number]:
        """Expected payoff by player."""
        return dict(zip(self.game.players, self.payoffs, strict=True))

    @cached_property
    def payoffs(self) -> tuple[Number, ...]:
        """Expected payoffs in player order."""
        return tuple(
            mixed.expected(mixed.deviation_payoffs(self.game, self.mixtures, i), self.mixtures[i])
            for i in range(self.game.size)
        )

    @property
    def pure(self) -> bool:
        """Whether nobody mixes."""
        return all(len(mixed.support(m)) == 1 for m in self.mixtures)

    @property
    def cell(self) -> tuple[int, ...]:
        """The strategies' places in a pure profile; of a mixed one, the likeliest."""
        return tuple(max(range(len(m)), key=m.__getitem__) for m in self.mixtures)

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the result comes from: game hash, version, and what the game says of itself."""
        return provenance(self.game)

    def describe(self) -> str:
        """Who plays what, in one line."""
        parts = []
        for player, chances in self.strategies.items():
            if len(chances) == 1:
                parts.append(f"{player}: {next(iter(chances))}")
            else:
                mix = " + ".join(f"{number(p)} {label}" for label, p in chances.items())
                parts.append(f"{player}: {mix}")
        return "; ".join(parts)

    def headline(self) -> str:
        """One line that says what was found."""
        paid = ", ".join(number(u) for u in self.payoffs)
        return f"{self.concept}: {self.describe()}; payoffs {paid}; {self.certificate.verdict}"

    def to_frame(self) -> pd.DataFrame:
        """Every strategy: its probability, and what it would earn against the others."""
        import pandas as pd

        rows = [
            (player, label, float(p), float(u))
            for i, player in enumerate(self.game.players)
            for label, p, u in zip(
                self.game.strategies[i],
                self.mixtures[i],
                mixed.deviation_payoffs(self.game, self.mixtures, i),
                strict=True,
            )
        ]
        columns = ["player", "strategy", "probability", "payoff"]
        return pd.DataFrame(rows, columns=columns).set_index(["player", "strategy"])

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "strategies": {
                player: {label: plain(p) for label, p in chances.items()}
                for player, chances in self.strategies.items()
            },
            "probabilities": [[plain(p) for p in m] for m in self.mixtures],
            "payoff": {player: plain(u) for player, u in self.payoff.items()},
            "certificate": self.certificate.to_dict(),
            "concept": self.concept,
            "message": self.message,
            "others": [other._content() for other in self.others],
            "provenance": self.provenance,
        }

    def _claims(self, of: str = "") -> list[dict[str, Any]]:
        return profile_claims(self, of or self.kind)

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the profile from its plain values."""
        game = FiniteGame.from_dict(content["game"], content["provenance"]["game"])
        return cls(
            game,
            tuple(tuple(from_plain(p) for p in m) for m in content["probabilities"]),
            Certificate.from_dict(content["certificate"]),
            content["concept"],
            content["message"],
            tuple(cls.from_content(other) for other in content["others"]),
        )


@dataclasses.dataclass(frozen=True, eq=False)
class NashSubset:
    """A maximal Nash subset: any mixture of the first player's vertices with any of the second's.

    `hulls` holds, for each player, the extreme strategies whose convex hull it is (Millham, 1974;
    Winkels, 1979); `dimension` is that of the product of the two hulls.
    """

    hulls: tuple[tuple[Mixture, ...], ...]
    equilibria: tuple[int, ...]
    dimension: int

    def contains(self, mixtures: Mixtures) -> bool:
        """Whether a profile lies in it, up to 1e-9 of probability."""
        from scipy.optimize import nnls

        for hull, mixture in zip(self.hulls, mixtures, strict=True):
            corners = np.array([[float(p) for p in corner] for corner in hull]).T
            system = np.vstack([corners, np.ones(len(hull))])
            target = np.array([*map(float, mixture), 1.0])
            if nnls(system, target)[1] > 1e-9:
                return False
        return True


@dataclasses.dataclass(frozen=True, eq=False)
class Component:
    """A connected component of the set of equilibria: a union of maximal Nash subsets.

    `equilibria` are the places of its extreme equilibria in the set that it belongs to.
    """

    subsets: tuple[NashSubset, ...]
    equilibria: tuple[int, ...]

    @property
    def isolated(self) -> bool:
        """Whether it is a single point."""
        return len(self.equilibria) == 1

    @property
    def dimension(self) -> int:
        """The largest dimension of its subsets; 0 for a point."""
        return max(subset.dimension for subset in self.subsets)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class EquilibriumSet(Result):
    """The equilibria that were found, and what is known of the set of all of them.

    Iterable. `complete` is True only if nothing can be missing; `statement` says in words what was
    found, how, and what was not searched. For two players the profiles are the extreme equilibria,
    and `components` the connected components of the whole set; elsewhere each isolated profile is
    a component of its own only where that is known, and `components` may be empty.
    """

    kind: ClassVar[str] = "equilibrium-set"

    game: FiniteGame
    profiles: tuple[Profile, ...]
    complete: bool
    statement: str
    components: tuple[Component, ...] = ()
    degenerate: bool | None = None
    method: str = ""

    def __len__(self) -> int:
        return len(self.profiles)

    def __getitem__(self, index: int) -> Profile:
        return self.profiles[index]

    def __iter__(self) -> Iterator[Profile]:
        return iter(self.profiles)

    @property
    def pure(self) -> tuple[Profile, ...]:
        """The pure ones."""
        return tuple(p for p in self.profiles if p.pure)

    def headline(self) -> str:
        """One line that says what was found."""
        return f"{len(self)} {'equilibrium' if len(self) == 1 else 'equilibria'}: {self.statement}"

    def to_frame(self) -> pd.DataFrame:
        """A row for each equilibrium: what everybody plays and earns, regret and component."""
        import pandas as pd

        where = {e: c for c, one in enumerate(self.components) for e in one.equilibria}
        rows = []
        for e, profile in enumerate(self.profiles):
            played = [part.split(": ", 1)[1] for part in profile.describe().split("; ")]
            row: dict[str, Any] = dict(zip(self.game.players, played, strict=True))
            for player, u in profile.payoff.items():
                row[f"payoff of {player}"] = float(u)
            row |= {"component": where.get(e, -1), "regret": profile.certificate.regret}
            rows.append(row)
        return pd.DataFrame(rows)

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "equilibria": [profile._content() for profile in self.profiles],
            "complete": self.complete,
            "statement": self.statement,
            "components": [
                {
                    "equilibria": list(c.equilibria),
                    "dimension": c.dimension,
                    "subsets": [
                        {
                            "hulls": [[[plain(p) for p in m] for m in hull] for hull in s.hulls],
                            "equilibria": list(s.equilibria),
                            "dimension": s.dimension,
                        }
                        for s in c.subsets
                    ],
                }
                for c in self.components
            ],
            "degenerate": self.degenerate,
            "method": self.method,
            "provenance": provenance(self.game),
        }

    def _claims(self, of: str = "") -> list[dict[str, Any]]:
        return list_claims(self.profiles, {"complete": self.complete})

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the set from its plain values."""
        return cls(
            FiniteGame.from_dict(content["game"], content["provenance"]["game"]),
            tuple(Profile.from_content(p) for p in content["equilibria"]),
            content["complete"],
            content["statement"],
            tuple(_component(c) for c in content["components"]),
            content["degenerate"],
            content["method"],
        )


def _component(content: Mapping[str, Any]) -> Component:
    subsets = tuple(
        NashSubset(
            tuple(tuple(tuple(from_plain(p) for p in m) for m in hull) for hull in s["hulls"]),
            tuple(s["equilibria"]),
            s["dimension"],
        )
        for s in content["subsets"]
    )
    return Component(subsets, tuple(content["equilibria"]))


def provenance(game: FiniteGame) -> dict[str, Any]:
    """The provenance that every result of a finite game carries."""
    return {
        "game_hash": game.hash,
        "version": __version__,
        "title": game.title,
        "game": dict(game.provenance),
    }


def plain(value: Any) -> str | float:
    """A number as JSON can hold it: fractions as text, which `from_plain` reads back."""
    return str(value) if isinstance(value, Fraction) else float(value)


def from_plain(value: Any) -> Number:
    """The number that `plain` wrote."""
    return Fraction(value) if isinstance(value, str) and "n" not in value else float(value)
