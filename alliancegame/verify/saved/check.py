"""Walking through a saved result: each of its claims is found true, false, or left open."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flint import ctx

from alliancegame.errors import AllianceGameError, InvalidValueError, ResultFileError
from alliancegame.game.checks import shown
from alliancegame.verify import claims
from alliancegame.verify.claims import ACCEPTED, OPEN, REFUSED, Answer
from alliancegame.verify.intervals import PRECISION, NotEnclosedError
from alliancegame.verify.payoffs import Stage
from alliancegame.verify.saved.kinds import KINDS, Checked, Kind
from alliancegame.verify.saved.reading import (
    PROFILES,
    Content,
    Equilibrium,
    RefusedError,
    demand,
    equilibrium_of,
    loads,
    number,
    places,
    said,
    same,
)  # fmt: skip
from alliancegame.verify.saved.report import Claim, VerificationReport

SCHEMA = 1
DAMAGE = (
    AllianceGameError, KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError,
    RecursionError, NotImplementedError, ArithmeticError,
)  # fmt: skip
"""What reading a damaged file can raise: it is then refused."""


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
            if str(result).lstrip().startswith("{"):
                raise InvalidValueError(
                    "verify needs a path or a dict, got JSON text: use verify(json.loads(text))."
                ) from None
            why = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise ResultFileError(f"{shown(os.fspath(result))} cannot be read: {why}.") from error
        read = lambda: text.decode("utf-8")  # noqa: E731
    else:
        raise InvalidValueError(
            "verify needs the path of a file that result.to_json(path, certificate=True) wrote, or its "
            f"content as a dict; got {shown(result)}."
        )
    kind, walk = "unreadable", _Walk()
    try:
        with warnings.catch_warnings(), ctx.workprec(PRECISION):
            warnings.simplefilter("ignore")
            data = loads(read())
            kind = str(data.get("kind", "no result"))
            walk.file(kind, data)
    except DAMAGE as error:
        if isinstance(error, json.JSONDecodeError):
            why = f"not JSON: {error}"
        elif isinstance(error, (AllianceGameError, RefusedError)):
            why = str(error)
        else:
            why = f"damaged: {shown(error)}"
        walk.say("file", "form", (REFUSED, why))
    return VerificationReport(kind, tuple(walk.found))


class _Walk:
    """One file: the claims that it lists, and what was found of each."""

    def __init__(self) -> None:
        self.found: list[Claim] = []
        self.listed: dict[tuple[str, str], dict[str, Any]] = {}

    def say(self, of: str, claim: str, answer: Answer) -> None:
        self.found.append(Claim(of, claim, *answer))

    def file(self, kind: str, data: Content) -> None:
        """A whole file."""
        content = {
            k: v for k, v in data.items() if k not in ("schema", "kind", "version", "claims")
        }
        demand(same(data["schema"], SCHEMA), f"schema {data['schema']!r}: this checks {SCHEMA}")
        if "claims" not in data:
            remedy = "none: write the result with to_json(path, certificate=True)"
            return self.say("", "claims", (OPEN, remedy))
        demand(isinstance(data["version"], str), "the version is no text")
        for claim in data["claims"]:
            key = (claim["of"], claim["claim"])
            demand(key not in self.listed, f"claimed twice: {key}")
            self.listed[key] = claim
        if kind == "equilibrium" and str(content["concept"]).startswith("credible"):
            what = "the checker has no rules for threats that must be credible"
            self.say(kind, "result", (OPEN, what))
        elif kind in KINDS:
            self.result("", KINDS[kind], {kind: content} if kind in PROFILES else content)
        elif not data["claims"]:
            self.say(kind, "result", (OPEN, "the checker has no rules for this kind of result"))
        for of, claim in self.listed:
            self.say(of, claim, (REFUSED, "a claim that this result does not make"))
        return None

    def result(self, of: str, kind: Kind, content: Content) -> None:
        """A result: the results and equilibria in it, whether they fit, and what it claims itself."""
        paths = [*kind.equilibria, *kind.results]
        keys = {name for stated, _ in kind.claims.values() for name in stated} | {*kind.entries}
        keys |= {path.partition(".")[0].removesuffix("[*]") for path in paths}
        lacking = sorted(keys - set(content))
        demand(not lacking, f"{of or 'the result'} lacks {lacking}")
        unread = sorted(k for k in set(content) - keys if said(content[k]))
        if unread:
            self.say(of, "further entries", (OPEN, f"not read: {', '.join(unread)}"))
        for path, inner in kind.results.items():
            for name, found in places(content, path):
                self.result(f"{of}{name}.", KINDS[inner], found)
        groups = [
            [
                self.alone(equilibrium_of(kind.of, f"{of}{name}", found))
                for name, found in places(content, path)
            ]
            for path in kind.equilibria
        ]
        parts = [part for group in groups for part in group]
        kind.fits(content, parts)
        for k, part in enumerate(parts):
            group = groups[0] if "[*]" in kind.equilibria[0] and k < len(groups[0]) else []
            parts[k] = self.beside_others(kind, part, [one for one in group if one is not part])
        for where, claim, answer in kind.remarks(content, parts):
            self.say(f"{of}{where}", claim, answer)
        for claim, (stated, find) in kind.claims.items():
            listed = self.listed.get((of, claim), {})
            says = {name: content[name] for name in stated} | _cited(listed, claim)
            self.settle(of, claim, says, functools.partial(find, content, parts, listed))

    def settle(self, of: str, claim: str, says: Content, find: Callable[[], Answer]) -> str:
        """Find out about a claim, once the list of claims says the same as the result itself."""
        listed = self.listed.pop((of, claim), None)
        answer = (REFUSED, f"the list of claims has {shown(listed)}, the result {shown(says)}")
        if same(listed, {"of": of, "claim": claim, **says}):
            try:
                answer = find()
            except NotEnclosedError as error:
                answer = (OPEN, str(error))
        self.say(of, claim, answer)
        return answer[0]

    def alone(self, read: Equilibrium) -> Checked:
        """The numbers and the regret of one equilibrium."""
        of, made, profile, savings = read.of, read.certificate, read.profile, math.nan
        if said(read.content.get("cycle")):
            self.say(of, "cycle", (OPEN, "not read: a cycle of replies"))
        if isinstance(profile, Stage):
            written = self.listed.get((of, "numbers"), {}).get("savings", "nan")
            savings = number(written)
            agree = functools.partial(claims.numbers, profile, read.numbers, savings)
            self.settle(of, "numbers", {"savings": written}, agree)
        else:
            agree = functools.partial(claims.payoffs, profile, read.numbers["payoff"])
            self.settle(of, "payoffs", {}, agree)
        says = {"verdict": made["verdict"], "bound": read.content["certificate"]["regret"]}
        gains = functools.partial(claims.regret, profile, made, read.content["concept"])
        return Checked(read, savings, self.settle(of, "regret", says, gains))

    def beside_others(self, kind: Kind, part: Checked, siblings: Sequence[Checked]) -> Checked:
        """What an equilibrium says of others: those that it lists, or else its siblings."""
        read, others = part.read, []
        for k, content in enumerate(read.content["others"]):
            beside = equilibrium_of(kind.of, f"{read.of}.others[{k}]", content)
            keys = {"game", "plan", "concept"} & set(content)
            alike = all(same(content[key], read.content[key]) for key in keys)
            demand(alike, f"{beside.of} is of another game or plan")
            demand(not content["others"], f"{beside.of} lists others of its own")
            others.append(self.alone(beside))
        for other in others:
            self.unique(other, [part, *(one for one in others if one is not other)])
        return dataclasses.replace(part, unique=self.unique(part, others or siblings))

    def unique(self, part: Checked, others: Sequence[Checked]) -> str:
        """Whether an equilibrium is the only one, or one of several, as it says."""
        read, listed = part.read, self.listed.get((part.read.of, "uniqueness"), {})
        state, profile = read.certificate["unique"], read.profile
        theorem, evidence = listed.get("theorem"), listed.get("evidence")

        def find() -> Answer:
            if state != "proven" and (theorem is not None or evidence is not None):
                return REFUSED, f"the theorem {theorem!r} is cited for uniqueness {state!r}"
            if state == "not proven":
                return ACCEPTED, "nothing is claimed"
            if part.regret == REFUSED:
                return REFUSED, "it is no equilibrium"
            if state == "multiple":
                return claims.several(profile, [_beside(one) for one in (part, *others)])
            if others or read.certificate["verdict"] == "unverified":
                return REFUSED, "further equilibria are listed, or the profile is unverified"
            return claims.only(theorem, profile, [profile.values], evidence)

        cites = (
            {"theorem": None} | _cited(listed, "uniqueness") if isinstance(profile, Stage) else {}
        )
        return self.settle(read.of, "uniqueness", {"state": state} | cites, find)


def _cited(listed: Content, claim: str) -> dict[str, Any]:
    """The proof that a claim of uniqueness or completeness cites, and its evidence."""
    keys = ("theorem", "evidence") if claim in ("uniqueness", "completeness") else ()
    return {key: listed[key] for key in keys if key in listed}


def _beside(part: Checked) -> tuple[Sequence[float], float, str]:
    return part.read.profile.values, part.read.certificate["regret"], part.regret
