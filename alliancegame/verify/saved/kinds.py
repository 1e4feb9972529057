"""The kinds of results as data: which parts are equilibria, what is claimed, and what follows from it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping

from alliancegame.verify.claims import OPEN, Answer
from alliancegame.verify.saved import lists, outcomes, reading
from alliancegame.verify.saved.reading import Content, Parts, Remark

Finder = Callable[..., Answer]
"""What becomes of a claim, from the content of the result, its equilibria, and a proof that is cited."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of result.

    `equilibria` stand at these paths, profiles of kind `of`; `results` of other kinds at those. `claims`
    are each the entries that it states, and a finder; other `entries` it must have. `fits`, once all
    equilibria are checked, refuses what contradicts itself and remarks on what is claimed unlisted.
    """

    entries: tuple[str, ...] = ()
    equilibria: tuple[str, ...] = ()
    of: str = "equilibrium"
    results: Mapping[str, str] = dataclasses.field(default_factory=dict)
    claims: Mapping[str, tuple[tuple[str, ...], Finder]] = dataclasses.field(default_factory=dict)
    fits: Callable[[Content, Parts], Iterable[Remark] | None] = lambda content, parts: None


def _open(why: str) -> Finder:
    return lambda content, parts: (OPEN, why)


def _own_list(of: str, state: str, entry: str) -> Kind:
    return Kind(
        entries=("game", "statement", entry, "provenance"),
        equilibria=("equilibria[*]",),
        of=of,
        claims={"completeness": ((state,), functools.partial(lists.not_repeated, state))},
        fits=lists.of_one_game,
    )


KINDS = {
    **{kind: Kind(equilibria=(kind,), of=kind) for kind in reading.PROFILES},
    "comparison": Kind(
        entries=("delta_payoff", "gain_usd_bn", "provenance"),
        equilibria=("baseline", "result"),
        claims={
            "outcome": (("outcome", "flags"), outcomes.outcome_and_gain),
            "decomposition": ((*outcomes.PARTS, "versus_best_burden"), outcomes.adds_up),
        },
        fits=outcomes.a_is_a,
    ),
    "comparisons": Kind(results={"items[*]": "comparison"}, fits=outcomes.one_a),
    "stackelberg": Kind(
        entries=("commit", "plan", "search", "selection", "objective"),
        equilibria=("baseline", "response"),
        claims={
            "outcome": (("outcome",), outcomes.outcome),
            "selection": (
                outcomes.SELECTION,
                _open("both come from a search, which is not repeated"),
            ),
            "leader gap": (("leader_gap",), _open("an estimate: a better plan is not excluded")),
        },
        fits=outcomes.committed,
    ),
    "alliance-equilibria": Kind(
        entries=("game", "plan", "complete", "statement", "cycle", "provenance"),
        equilibria=("equilibria[*]", "components[*].ends[*]"),
        claims={"completeness": (("completeness",), lists.complete)},
        fits=lists.listed_once,
    ),
    "action-equilibria": _own_list("action-profile", "completeness", "resolution"),
    "equilibrium-set": _own_list("profile", "complete", "method"),
}
