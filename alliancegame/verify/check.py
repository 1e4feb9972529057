"""Reading a saved result, and checking claim by claim what it says."""

from __future__ import annotations

import dataclasses
import json
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flint import ctx

from alliancegame.errors import AllianceGameError, InvalidValueError, ResultFileError
from alliancegame.game.checks import shown
from alliancegame.verify import claims, outcomes
from alliancegame.verify.claims import ACCEPTED, OPEN, REFUSED, Answer
from alliancegame.verify.intervals import PRECISION, NotEnclosedError
from alliancegame.verify.payoffs import Stage
from alliancegame.verify.reading import (
    RefusedError,
    burdens_of,
    game_of,
    no_constant,
    number,
    once,
    plan_of,
    record,
)

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 1
NUMBERS = ("burden", "payoff", "influence", "security", "trust")
EQUILIBRIUM = {
    "game", "plan", "concept", "members", *NUMBERS, "certificate", "message", "others", "provenance",
}  # fmt: skip
CERTIFICATE = {
    "verdict", "regret", "regret_usd_bn", "worst", "unique", "reason", "method", "scope", "tolerances",
}  # fmt: skip
WORDS = {
    "verdict": ("certified", "approximate", "unverified"),
    "unique": ("proven", "multiple", "not proven"),
}
DAMAGE = (
    AllianceGameError, KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError,
    RecursionError, NotImplementedError, ArithmeticError,
)  # fmt: skip
"""What reading a damaged file can raise: it is then refused."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """One claim: `of` which part of the result, what is claimed, the `status` and in words why."""

    of: str
    claim: str
    status: str
    detail: str


@dataclasses.dataclass(frozen=True)
class VerificationReport:
    """What the checker found: every claim "accepted", "refused" or "not checkable"."""

    kind: str
    claims: tuple[Claim, ...]

    @property
    def status(self) -> str:
        """The gravest status of any claim."""
        return claims.gravest([(c.status, "") for c in self.claims])[0]

    @property
    def accepted(self) -> bool:
        """Whether every claim is accepted."""
        return self.status == ACCEPTED

    def headline(self) -> str:
        """One line: how many claims have which status."""
        counts = {s: sum(c.status == s for c in self.claims) for s in (ACCEPTED, REFUSED, OPEN)}
        found = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
        return f"{self.kind}: {self.status} ({found})"

    def to_frame(self) -> pd.DataFrame:
        """A row for each claim."""
        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(claim) for claim in self.claims])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        rows = [dataclasses.asdict(claim) for claim in self.claims]
        return {"kind": self.kind, "status": self.status, "claims": rows}

    def __repr__(self) -> str:
        return f"<VerificationReport: {self.headline()}>"


def verify(result: str | os.PathLike[str] | Mapping[str, Any]) -> VerificationReport:
    """Check a result that `to_json(certificate=True)` wrote, given as a path or as the dict in it.

    Imports no solver, no compiled kernel and no cache: the terms of the model are evaluated in
    interval arithmetic (docs/howto/verify). A file that is damaged, or contradicts itself, is refused
    by the report. Raises `ResultFileError` if the file cannot be read, `InvalidValueError` for anything
    that is neither path nor dict.
    """
    if isinstance(result, Mapping):
        read: Callable[[], str] = lambda: json.dumps(result)  # noqa: E731
    elif isinstance(result, (str, os.PathLike)):
        try:
            text = Path(result).read_bytes()
        except (OSError, ValueError) as error:
            raise ResultFileError(f"{shown(os.fspath(result))} cannot be read: {error}.") from error
        read = lambda: text.decode("utf-8")  # noqa: E731
    else:
        raise InvalidValueError(
            "verify needs the path of a file that result.to_json(path, certificate=True) wrote, or its "
            f"content as a dict; got {shown(result)}."
        )
    kind, checking = "unreadable", _Checking()
    try:
        with warnings.catch_warnings(), ctx.workprec(PRECISION):
            warnings.simplefilter("ignore")
            data = json.loads(read(), object_pairs_hook=once, parse_constant=no_constant)
            kind = str(data.get("kind"))
            checking.result(kind, data)
    except DAMAGE as error:
        ours = isinstance(error, (AllianceGameError, RefusedError))
        what = str(error) if ours else f"damaged: {shown(error)}"
        checking.say("file", "form", (REFUSED, what))
    return VerificationReport(kind, tuple(checking.found))


@dataclasses.dataclass(frozen=True)
class Part:
    """An equilibrium inside a result: its name, its record, and what was found of it."""

    of: str
    content: Mapping[str, Any]
    stage: Stage
    beside: claims.Beside


class _Checking:
    """One result being checked: the claims that its file lists, and what was found of each."""

    def __init__(self) -> None:
        self.found: list[Claim] = []
        self.proven: set[str] = set()
        self.listed: dict[tuple[str, str], Any] = {}

    def say(self, of: str, claim: str, answer: Answer) -> None:
        self.found.append(Claim(of, claim, *answer))

    def settle(
        self, of: str, claim: str, stated: Mapping[str, Any], find: Callable[[], Answer]
    ) -> str:
        """Find out about a claim, once the list of claims says the same as the result itself."""
        listed = self.listed.pop((of, claim), None)
        try:
            if listed != {"of": of, "claim": claim, **stated}:
                what = f"the list of claims has {shown(listed)}, the result {shown(dict(stated))}"
                answer = (REFUSED, what)
            else:
                answer = find()
        except NotEnclosedError as error:
            answer = (OPEN, str(error))
        self.say(of, claim, answer)
        return answer[0]

    def result(self, kind: str, data: Mapping[str, Any]) -> None:
        """Check a whole result."""
        content = {
            k: v for k, v in data.items() if k not in ("schema", "kind", "version", "claims")
        }
        if data["schema"] != SCHEMA or isinstance(data["schema"], bool):
            raise RefusedError(f"schema {data['schema']!r}: this version checks schema {SCHEMA}")
        if "claims" not in data:
            self.say(
                "", "claims", (OPEN, "none: write the result with to_json(path, certificate=True)")
            )
            return
        if not isinstance(data["version"], str):
            raise RefusedError("the version is no text")
        for claim in data["claims"]:
            key = (claim["of"], claim["claim"])
            if key in self.listed:
                raise RefusedError(f"claimed twice: {key}")
            self.listed[key] = claim
        if kind == "equilibrium":
            self.equilibrium("equilibrium", content)
        elif kind in outcomes.KINDS:
            outcomes.KINDS[kind](self, content)
        elif not data["claims"]:
            self.say(kind, "result", (OPEN, "the checker has no rules for this kind of result"))
        for of, claim in self.listed:
            self.say(of, claim, (REFUSED, "a claim that this result does not make"))

    def entries(self, of: str, content: Any, keys: set[str]) -> None:
        """A record must have these entries; others that say something are not read, and that is said."""
        if not isinstance(content, dict) or not keys <= set(content):
            raise RefusedError(f"{of or 'the result'} lacks some of {sorted(keys)}")
        if more := sorted(k for k in set(content) - keys if content[k] not in (None, False)):
            self.say(of, "further entries", (OPEN, f"not read: {', '.join(more)}"))

    def equilibrium(self, of: str, content: Mapping[str, Any]) -> None:
        """Check an equilibrium and its `others`."""
        self.uniqueness(self.part(of, content), [])

    def part(self, of: str, content: Mapping[str, Any], same: Part | None = None) -> Part:
        """Check the numbers and the regret of one equilibrium, of one game and plan with `same`."""
        record(content, EQUILIBRIUM, of)
        certificate = record(content["certificate"], CERTIFICATE, f"certificate of {of}")
        game, plan = game_of(content), plan_of(content)
        if same and any(content[k] != same.content[k] for k in ("game", "plan", "concept")):
            raise RefusedError(f"{of} is of another game or plan")
        stage = Stage(game, plan, burdens_of(game, plan, content))
        carried = {name: [number(v) for v in content[name]] for name in NUMBERS}
        if any(len(values) != game.size for values in carried.values()):
            raise RefusedError(f"{of} has not one number for each member")
        if content["concept"] != ("nash" if plan.burden is None else "response"):
            raise RefusedError(f"{of} is no {content['concept']!r} under its plan")
        for name, values in (*WORDS.items(), ("worst", (None, *game.members))):
            if certificate[name] not in values:
                raise RefusedError(f"{name} of {of} is {shown(certificate[name])}")
        savings = self.listed.get((of, "numbers"), {}).get("savings")
        agree = lambda: claims.numbers(stage, carried, number(savings))  # noqa: E731
        self.settle(of, "numbers", {"savings": savings}, agree)
        stated = {"verdict": certificate["verdict"], "bound": certificate["regret"]}
        status = self.settle(of, "regret", stated, lambda: claims.regret(stage, certificate))
        beside = claims.Beside(stage.burdens, number(certificate["regret"]), status)
        return Part(of, content, stage, beside)

    def uniqueness(self, part: Part, siblings: list[Part]) -> None:
        """Check what an equilibrium says of others: those that it lists, or else its siblings."""
        others = []
        for k, content in enumerate(part.content["others"]):
            other = self.part(f"{part.of}.others[{k}]", content, part)
            if content["others"]:
                raise RefusedError(f"{other.of} lists others of its own")
            self._unique(other, [part])
            others.append(other)
        self._unique(part, others or siblings)

    def _unique(self, part: Part, others: list[Part]) -> None:
        certificate = part.content["certificate"]
        theorem = self.listed.get((part.of, "uniqueness"), {}).get("theorem")
        beside = [other.beside for other in others]
        found = self.settle(
            part.of,
            "uniqueness",
            {"state": certificate["unique"], "theorem": theorem},
            lambda: claims.unique(part.stage, certificate, theorem, beside),
        )
        if found == ACCEPTED and certificate["unique"] == "proven":
            self.proven.add(part.of)
