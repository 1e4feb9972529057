"""What `solve_alignment` returns: equilibrium alliances, how they were found, and who leaves first."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve.certificate import Certificate
from alliancegame.solve.leaving.outside import ALIGNED, Outside, outside_options
from alliancegame.solve.result import Result, numbers, provenance

if TYPE_CHECKING:
    import pandas as pd

_ARRAYS = ("burdens", "payoffs", "influences", "securities", "operating_trust", "gains")


@dataclasses.dataclass(frozen=True, eq=False)
class Alliance:
    """One equilibrium: every member's alignment and burden, and what they mean.

    `alignments` has a word for each member in member order ("aligned" for the leader). Arrays have
    shape (n,): burdens (shares of GDP), payoffs, influences, securities (effective bn US$),
    operating trust (nan for those who have left), and `gains`, what each could gain at most by
    changing its alignment and burden together.
    """

    members: tuple[str, ...]
    leader: str
    alignments: tuple[str, ...]
    burdens: Array
    payoffs: Array
    influences: Array
    securities: Array
    operating_trust: Array
    gains: Array
    certificate: Certificate

    @property
    def stayers(self) -> tuple[str, ...]:
        """The allies inside, in member order."""
        return tuple(
            m
            for m, a in zip(self.members, self.alignments, strict=True)
            if a == ALIGNED and m != self.leader
        )

    @property
    def leavers(self) -> tuple[str, ...]:
        """The allies outside, in member order."""
        return tuple(m for m, a in zip(self.members, self.alignments, strict=True) if a != ALIGNED)

    @property
    def size(self) -> int:
        """The number of members inside, leader included."""
        return 1 + len(self.stayers)

    @property
    def leader_payoff(self) -> float:
        """The leader's payoff."""
        return float(self.payoffs[self.members.index(self.leader)])

    @property
    def leader_burden(self) -> float:
        """The leader's defence spending / GDP."""
        return float(self.burdens[self.members.index(self.leader)])

    def to_frame(self) -> pd.DataFrame:
        """Every member's alignment and numbers, a row each."""
        import pandas as pd

        columns = {"alignment": self.alignments} | {name: getattr(self, name) for name in _ARRAYS}
        return pd.DataFrame(columns, index=pd.Index(self.members, name="member"))

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "alignments": list(self.alignments),
            **{name: getattr(self, name).tolist() for name in _ARRAYS},
            "certificate": self.certificate.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], game: BurdenSharingGame) -> Alliance:
        """The alliance that `to_dict` described."""
        arrays = {name: numbers(data[name]) for name in _ARRAYS}
        words = tuple(data["alignments"])
        if any(a.shape != (game.size,) for a in arrays.values()) or len(words) != game.size:
            raise ValueError(f"an alliance needs {game.size} numbers and alignments")
        made = Certificate.from_dict(data["certificate"])
        return cls(game.members.labels, game.leader, words, **arrays, certificate=made)

    def __repr__(self) -> str:
        left = ", ".join(self.leavers) or "nobody"
        return f"<Alliance: {self.size} of {len(self.members)} members, outside {left}>"


@dataclasses.dataclass(frozen=True)
class Departure:
    """One round of the cascade: an alliance, and the ally that gains most by leaving it.

    `gain` is what `ally` would gain in payoff, `gain_usd_bn` in bn US$; where nobody gains, `ally` is
    the one that is nearest to leaving, `gain` is negative and `leaves` is false. `wanting` are all
    allies who would gain. Burdens are shares of GDP; the allies' is that of those inside, together.
    """

    stayers: tuple[str, ...]
    ally: str
    alignment: str
    leaves: bool
    gain: float
    gain_usd_bn: float
    wanting: tuple[str, ...]
    leader_burden: float
    allied_burden: float
    leader_payoff: float


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Alignments(Result):
    """Every equilibrium alliance that was found, the largest first.

    `complete` says whether these are proved to be all; `method` how they were found and, if not, why.
    `cascade` has one `Departure` a round, from the full alliance on, the ally that gains most leaving
    first; `returning` are the allies outside who would want back after the last round.
    """

    kind: ClassVar[str] = "alignments"

    game: BurdenSharingGame
    plan: Plan
    alliances: tuple[Alliance, ...]
    complete: bool
    method: str
    cascade: tuple[Departure, ...]
    returning: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.alliances)

    def __iter__(self) -> Iterator[Alliance]:
        return iter(self.alliances)

    def __getitem__(self, index: int) -> Alliance:
        return self.alliances[index]

    @property
    def maximal(self) -> tuple[Alliance, ...]:
        """Equilibrium alliances that no other one contains."""
        return self._extreme(lambda one, other: one < other)

    @property
    def minimal(self) -> tuple[Alliance, ...]:
        """Equilibrium alliances that contain no other one."""
        return self._extreme(lambda one, other: one > other)

    def _extreme(self, beaten: Any) -> tuple[Alliance, ...]:
        sets = [frozenset(a.stayers) for a in self.alliances]
        return tuple(
            a
            for a, own in zip(self.alliances, sets, strict=True)
            if not any(beaten(own, other) for other in sets)
        )

    @property
    def largest(self) -> Alliance | None:
        """The alliance that contains all others, if there is one; else see `maximal`."""
        return self._one(self.maximal)

    @property
    def smallest(self) -> Alliance | None:
        """The alliance that all others contain, if there is one; else see `minimal`."""
        return self._one(self.minimal)

    @staticmethod
    def _one(found: tuple[Alliance, ...]) -> Alliance | None:
        """All others contain, or are contained in, the only extreme one of finitely many."""
        return found[0] if len({a.stayers for a in found}) == 1 else None

    @property
    def outside(self) -> Outside:
        """Every ally's best way out."""
        return outside_options(self.game)

    @property
    def certificate(self) -> Certificate | None:
        """The certificate of the first alliance; None if there is none."""
        return self.alliances[0].certificate if self.alliances else None

    @cached_property
    def options(self) -> pd.DataFrame:
        """Every ally's way out: payoffs of both, the better one, and what it does and has there."""
        import pandas as pd

        ways = self.outside
        columns = {
            "best": ways.choices, "payoff": ways.payoffs, "autonomous": ways.autonomous,
            "realigned": ways.realigned, "burden": ways.burdens, "influence": ways.influences,
            "security": ways.securities,
        }  # fmt: skip
        index = pd.Index(self.game.members.labels, name="member")
        return pd.DataFrame(columns, index=index).drop(index=self.game.leader)

    @property
    def cascade_frame(self) -> pd.DataFrame:
        """The cascade as a table, a row a round."""
        import pandas as pd

        rows = [dataclasses.asdict(d) | {"members": 1 + len(d.stayers)} for d in self.cascade]
        for row in rows:
            row["wanting"] = ", ".join(row["wanting"])
            del row["stayers"]
        return pd.DataFrame(rows, index=pd.Index(range(len(rows)), name="round"))

    def headline(self) -> str:
        """One line that says what was found."""
        count = len(self)
        sizes = " and ".join(str(a.size) for a in self.alliances[:4]) + (
            " ..." if count > 4 else ""
        )
        found = (
            "no equilibrium alliance"
            if not count
            else f"{count} equilibrium alliance{'s' if count > 1 else ''}, of {sizes} members"
        )
        known = "complete" if self.complete else "not known complete"
        verdicts = sorted({a.certificate.verdict for a in self.alliances})
        checked = f"; {' and '.join(verdicts)}" if verdicts else ""
        return f"{self.plan.describe()}: {found} of {self.game.size}, {known}{checked}"

    def to_frame(self) -> pd.DataFrame:
        """One row an alliance."""
        import pandas as pd

        rows = [
            {
                "members": a.size,
                "outside": ", ".join(a.leavers),
                "leader_burden": a.leader_burden,
                "leader_payoff": a.leader_payoff,
                "leader_influence": float(a.influences[a.members.index(a.leader)]),
                "regret": a.certificate.regret,
                "verdict": a.certificate.verdict,
            }
            for a in self.alliances
        ]
        return pd.DataFrame(rows, index=pd.Index(range(len(rows)), name="alliance"))

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "plan": self.plan.to_dict(),
            "members": list(self.game.members),
            "alliances": [a.to_dict() for a in self.alliances],
            "complete": self.complete,
            "method": self.method,
            "cascade": [dataclasses.asdict(d) for d in self.cascade],
            "returning": list(self.returning),
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        game = BurdenSharingGame.from_dict(
            {**content["game"], "provenance": content["provenance"].get("game", {})}
        )
        return cls(
            game,
            Plan(**content["plan"]),
            tuple(Alliance.from_dict(a, game) for a in content["alliances"]),
            bool(content["complete"]),
            content["method"],
            tuple(_departure(entry) for entry in content["cascade"]),
            tuple(content["returning"]),
        )


def _departure(entry: Mapping[str, Any]) -> Departure:
    """The round that `dataclasses.asdict` described."""
    values: dict[str, Any] = dict(entry)
    for name in ("gain", "gain_usd_bn", "leader_burden", "allied_burden", "leader_payoff"):
        values[name] = float(values[name])
    for name in ("stayers", "wanting"):
        values[name] = tuple(values[name])
    return Departure(**values)
