"""Walking through a saved result: each of its claims is found true, false, or left open."""

from __future__ import annotations

import functools
import json
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
from alliancegame.verify.saved import reading, written
from alliancegame.verify.saved.kinds import KINDS, Finder, Kind
from alliancegame.verify.saved.reading import Content, Equilibrium, demand, number, said, same
from alliancegame.verify.saved.report import Claim, VerificationReport
from alliancegame.verify.uniqueness import proofs

SCHEMA = 1
HEADER = ("schema", "kind", "version", "claims")
DAMAGE = (LookupError, TypeError, ValueError, AttributeError, RuntimeError, ArithmeticError)
"""What reading a damaged file can raise: it is then refused."""


def verify(
    result: str | os.PathLike[str] | Mapping[str, Any], *, payoffs: bool = False
) -> VerificationReport:
    """Check a result that `to_json(certificate=True)` wrote, given as a path or as the dict in it.

    Imports no solver, no compiled kernel and no cache: the terms of the model are evaluated in
    interval arithmetic (docs/howto/verify). A file that is damaged, or contradicts itself, is refused
    by the report. With `payoffs` the report holds, written out, the functions whose gains were bounded: of
    each equilibrium, each player's payoff in its own actions at the numbers of all others. Raises
    `ResultFileError` if the file cannot be read, `InvalidValueError` for anything that is neither path nor
    dict.
    """
    read: Callable[[], str] = functools.partial(json.dumps, result)
    if isinstance(result, (str, os.PathLike)):
        try:
            read = Path(result).read_bytes().decode
        except (OSError, ValueError) as error:
            if str(result).lstrip().startswith("{"):
                raise InvalidValueError(
                    "verify needs a path or a dict, got JSON text: use verify(json.loads(text))."
                ) from None
            why = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise ResultFileError(f"{shown(os.fspath(result))} cannot be read: {why}.") from error
    elif not isinstance(result, Mapping):
        raise InvalidValueError(
            f"verify needs a file of to_json(path, certificate=True), or its dict; got {shown(result)}."
        )
    kind, walk = "unreadable", _Walk(payoffs)
    try:
        with warnings.catch_warnings(), ctx.workprec(PRECISION):
            warnings.simplefilter("ignore")
            data = reading.loads(read())
            kind = str(data.get("kind", "no result"))
            walk.file(kind, data)
    except (AllianceGameError, *DAMAGE) as error:
        told = isinstance(error, (AllianceGameError, reading.RefusedError))
        walk.say("file", "form", (REFUSED, str(error) if told else f"damaged: {shown(error)}"))
    return VerificationReport(kind, tuple(walk.found), walk.written)


class _Walk:
    """One file: the claims that it lists, and what was found of each."""

    def __init__(self, payoffs: bool) -> None:
        self.found: list[Claim] = []
        self.payoffs, self.written = payoffs, dict[str, dict[str, tuple[str, ...]]]()
        self.listed: dict[tuple[str, str], dict[str, Any]] = {}

    def say(self, of: str, claim: str, answer: Answer) -> None:
        self.found.append(Claim(of, claim, *answer))

    def file(self, kind: str, data: Content) -> None:
        """A whole file."""
        content = {name: entry for name, entry in data.items() if name not in HEADER}
        demand(same(data["schema"], SCHEMA), f"schema {data['schema']!r}: this checks {SCHEMA}")
        if "claims" not in data:
            self.say("", "claims", (OPEN, "none: write it with to_json(path, certificate=True)"))
            return
        demand(isinstance(data["version"], str), "the version is no text")
        self.listed = {(claim["of"], claim["claim"]): claim for claim in data["claims"]}
        demand(len(self.listed) == len(data["claims"]), "a claim is listed twice")
        credible = kind == "equilibrium" and str(content["concept"]).startswith("credible")
        if kind in KINDS and not credible:
            self.result("", KINDS[kind], {kind: content} if kind in reading.PROFILES else content)
        elif not data["claims"]:
            self.say(kind, "result", (OPEN, "no rules for such a result, or for credible threats"))
        for of, claim in self.listed:
            self.say(of, claim, (REFUSED, "a claim that this result does not make"))

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
            for name, found in reading.places(content, path, of):
                self.result(f"{name}.", KINDS[inner], found)
        every = [place for path in kind.equilibria for place in reading.places(content, path, of)]
        parts = [self.alone(reading.equilibrium_of(kind.of, name, found)) for name, found in every]
        listed = [part for part in parts if part.of.startswith("equilibria")]
        for part in parts:
            siblings = [one for one in listed if one is not part] if part in listed else []
            self.beside_others(kind, part, siblings)
        for where, claim, answer in kind.fits(content, parts) or ():
            self.say(f"{of}{where}", claim, answer)
        for claim, (stated, find) in kind.claims.items():
            says = {name: content[name] for name in stated}
            finds = functools.partial(find, content, parts)
            self.settle(of, claim, says, finds, cites=kind.of == "equilibrium")

    def settle(self, of: str, claim: str, says: Content, find: Finder, cites: bool = False) -> str:
        """Find out about a claim, once the list of claims says the same as the result itself.

        What the result says is proven may have (`cites`) its proof in the list: `theorem` and `evidence`.
        """
        listed = self.listed.pop((of, claim), {})
        keys = ("theorem", "evidence") if cites and "proven" in says.values() else ()
        proof = {key: listed[key] for key in keys if listed.get(key) is not None}
        says = {"of": of, "claim": claim, **says, **proof}
        odd = [k for k in {**says, **listed} if not same(listed.get(k, "-"), says.get(k, "-"))]
        answer = (REFUSED, f"the list of claims differs from the result in {', '.join(odd)}")
        if same(listed, says):
            try:
                answer = find(**proof)
            except NotEnclosedError as error:
                answer = (OPEN, str(error))
        self.say(of, claim, answer)
        return answer[0]

    def alone(self, one: Equilibrium) -> Equilibrium:
        """The numbers and the regret of one equilibrium."""
        made, stage, says = one.certificate, isinstance(one.profile, Stage), {}
        if self.payoffs and (found := written.payoffs(one.profile)):
            self.written[one.of] = found
        if said(one.content.get("cycle")):
            self.say(one.of, "cycle", (OPEN, "not read: a cycle of replies"))
        if stage:
            says = {"savings": self.listed.get((one.of, "numbers"), {}).get("savings", "nan")}
            one.savings = number(says["savings"])
        agree = functools.partial(claims.numbers, one.profile, one.numbers, one.savings)
        self.settle(one.of, "numbers" if stage else "payoffs", says, agree)
        says = {"verdict": made["verdict"], "bound": one.content["certificate"]["regret"]}
        gains = functools.partial(claims.regret, one.profile, made, one.content["concept"])
        one.regret = self.settle(one.of, "regret", says, gains)
        return one

    def beside_others(self, kind: Kind, part: Equilibrium, siblings: list[Equilibrium]) -> None:
        """What an equilibrium says of others: those that it lists, or else its siblings."""
        others = []
        for k, content in enumerate(part.content["others"]):
            other = reading.equilibrium_of(kind.of, f"{part.of}.others[{k}]", content)
            other.shares(part.content, *({"game", "plan", "concept"} & set(content)))
            demand(not content["others"], f"{other.of} lists others of its own")
            others.append(self.alone(other))
        reading.distinct([part, *others])
        for other in others:
            self.unique(other, [part, *(one for one in others if one is not other)])
        self.unique(part, others or siblings)

    def unique(self, one: Equilibrium, others: Sequence[Equilibrium]) -> None:
        """Whether an equilibrium is the only one, or one of several, as it says."""
        profile, state = one.profile, one.certificate["unique"]

        def find(theorem: Any = None, evidence: Any = None) -> Answer:
            if state == "not proven":
                return ACCEPTED, "nothing is claimed"
            if one.regret == REFUSED:
                return REFUSED, "it is no equilibrium"
            if state == "multiple":
                found = [
                    (e.profile.values, e.certificate["regret"], e.regret) for e in (one, *others)
                ]
                return proofs.several(profile, found)
            if others or one.certificate["verdict"] == "unverified":
                return REFUSED, "further equilibria are listed, or the profile is unverified"
            return proofs.only(theorem, profile, [profile.values], evidence)

        stage = isinstance(profile, Stage)
        says = {"state": state} | ({"theorem": None} if stage else {})
        one.unique = self.settle(one.of, "uniqueness", says, find, cites=stage)
