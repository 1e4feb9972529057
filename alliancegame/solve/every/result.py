"""What `find_equilibria` returns for an alliance game: equilibria, continua, and an honest statement."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import ResultFileError
from alliancegame.game import notebook
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan
from alliancegame.solve.every.proof import Proof
from alliancegame.solve.result import Equilibrium, Result, evidence_of, provenance, set_claims
from alliancegame.solve.trigger.compliance import Completeness, Turn

if TYPE_CHECKING:
    import pandas as pd

COMPLETENESS: tuple[Completeness, ...] = ("proven", "to a resolution", "not known")
"""What may be known of a list of equilibria, from much to little."""


@dataclasses.dataclass(frozen=True, eq=False)
class Continuum:
    """Equilibria that hang together.

    `members` are those whose burdens differ along it; `ends` are its end points, each certified. Where
    members share one sum of contributions it is the convex hull of its ends, the extreme ways to share;
    with weakest-link forces it rises from its least to its greatest end, and `statement` says so.
    `listed` is False if not all ends are given: there are too many, or one is not attained.
    """

    members: tuple[str, ...]
    ends: tuple[Equilibrium, ...]
    statement: str
    listed: bool = True

    @property
    def dimension(self) -> int:
        """The dimension of the hull of the ends."""
        points = np.array([end.burdens for end in self.ends])
        return int(np.linalg.matrix_rank(points - points[0], tol=1e-9))


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class AllianceEquilibria(Result):
    """The pure equilibria of an alliance game under a plan that were found.

    Iterable, the best for the leader first. `completeness` is "proven" (nothing can be missing),
    "to a resolution" (what a stated scan could miss is missing) or "not known"; `complete` is True
    for "proven" alone, and `statement` says how it is known and what was not searched. `components`
    are continua with their end points. `cycle` is evidence where no equilibrium was found: at each
    of these profiles one member gains by its best reply, and they come round in a circle. `proof` has
    the ranges of the leader's burden on which intervals prove the list complete, where they do; they travel
    with `to_json(certificate=True)`.
    """

    kind: ClassVar[str] = "alliance-equilibria"

    game: BurdenSharingGame
    plan: Plan
    equilibria: tuple[Equilibrium, ...]
    completeness: Completeness
    statement: str
    components: tuple[Continuum, ...] = ()
    cycle: tuple[Turn, ...] = ()
    proof: Proof | None = None

    @property
    def complete(self) -> bool:
        """Whether it is proved that no equilibrium is missing."""
        return self.completeness == "proven"

    def __len__(self) -> int:
        return len(self.equilibria)

    def __getitem__(self, index: int) -> Equilibrium:
        return self.equilibria[index]

    def __iter__(self) -> Iterator[Equilibrium]:
        return iter(self.equilibria)

    def headline(self) -> str:
        """One line that says what was found."""
        count = f"{len(self)} {'equilibrium' if len(self) == 1 else 'equilibria'}"
        return f"{count} under {self.plan.describe()}, completeness {self.completeness}: {self.statement}"

    def to_frame(self) -> pd.DataFrame:
        """A row for each equilibrium: everybody's burden, the leader's payoff, regret, verdict."""
        import pandas as pd

        rows = [
            {
                **{
                    f"burden of {m}": float(x)
                    for m, x in zip(e.game.members, e.burdens, strict=True)
                },
                "leader_payoff": e.leader_payoff,
                "allied_burden": e.allied_burden,
                "regret": e.certificate.regret,
                "verdict": e.certificate.verdict,
            }
            for e in self.equilibria
        ]
        names = [f"burden of {m}" for m in self.game.members]
        columns = [*names, "leader_payoff", "allied_burden", "regret", "verdict"]
        return pd.DataFrame(rows, columns=columns)

    @cached_property
    def cycle_frame(self) -> pd.DataFrame:
        """The cycle as a table: burdens by member, who moves, where to, and what it gains."""
        import pandas as pd

        rows = [
            {
                **dict(zip(self.game.members, turn.burdens, strict=True)),
                "moves": turn.member,
                "to": turn.reply,
                "gain": turn.gain,
            }
            for turn in self.cycle
        ]
        return pd.DataFrame(rows, columns=[*self.game.members, "moves", "to", "gain"])

    def _repr_html_(self) -> str:
        parts = [notebook.paragraph(self.headline()), notebook.table(self.to_frame())]
        parts += [notebook.paragraph(f"continuum: {c.statement}") for c in self.components]
        if self.cycle:
            parts += [
                notebook.paragraph("best replies in a circle"),
                notebook.table(self.cycle_frame),
            ]
        return "".join(parts)

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "plan": self.plan.to_dict(),
            "equilibria": [e._content() for e in self.equilibria],
            "completeness": self.completeness,
            "complete": self.complete,
            "statement": self.statement,
            "components": [
                {
                    "members": list(c.members),
                    "ends": [e._content() for e in c.ends],
                    "statement": c.statement,
                    "listed": c.listed,
                }
                for c in self.components
            ],
            "cycle": [dataclasses.asdict(turn) for turn in self.cycle],
            "provenance": provenance(self.game),
        }

    def _claims(self, of: str = "") -> list[dict[str, Any]]:
        evidence = None if self.proof is None else self.proof.content()
        return set_claims(
            self.equilibria, [c.ends for c in self.components], self.completeness, evidence
        )

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the set from its plain values."""
        known = content["completeness"]
        if known not in COMPLETENESS:
            raise ResultFileError(f"completeness must be one of {COMPLETENESS}, got {known!r}.")
        game = BurdenSharingGame.from_dict(
            {**content["game"], "provenance": content["provenance"].get("game", {})}
        )
        evidence = evidence_of(content, "completeness")
        proof = None if evidence is None else Proof.from_content(evidence)
        return cls(
            game,
            Plan(**content["plan"]),
            with_evidence((Equilibrium.from_content(e) for e in content["equilibria"]), proof),
            known,
            content["statement"],
            tuple(
                Continuum(
                    tuple(c["members"]),
                    tuple(Equilibrium.from_content(e) for e in c["ends"]),
                    c["statement"],
                    bool(c["listed"]),
                )
                for c in content["components"]
            ),
            tuple(
                Turn(
                    tuple(float(x) for x in t["burdens"]), t["member"], float(t["reply"]),
                    float(t["gain"]),
                )
                for t in content["cycle"]
            ),
            proof,
        )  # fmt: skip


def with_evidence(
    equilibria: Iterable[Equilibrium], proof: Proof | None
) -> tuple[Equilibrium, ...]:
    """Equilibria of a list that a proof leaves, each with what its own uniqueness rests on."""
    made = tuple(equilibria)
    alone = [one.certificate.unique == "proven" for one in made]
    return tuple(
        dataclasses.replace(one, evidence=proof.content() if proof and only else None)
        for one, only in zip(made, alone, strict=True)
    )
