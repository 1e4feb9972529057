"""What solvers return: frozen results that print, tabulate, and travel as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame._version import __version__
from alliancegame.errors import ResultFileError
from alliancegame.game import notebook
from alliancegame.game.checks import as_path
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import measures
from alliancegame.solve.certificate import Certificate

if TYPE_CHECKING:
    import os

    import pandas as pd

SCHEMA = 1

BY_INTERVALS = "by intervals"
"""How the reason of a uniqueness begins that intervals prove (`every.proof`)."""

_KINDS: dict[str, type[Result]] = {}


class Result(ABC):
    """What every result can do. Subclasses are frozen dataclasses with a `kind` of their own."""

    kind: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.kind:
            _KINDS[cls.kind] = cls

    @abstractmethod
    def headline(self) -> str:
        """One line that says what was found."""

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """The result as a labelled table."""

    @abstractmethod
    def _content(self) -> dict[str, Any]:
        """What `from_content` needs, as plain values."""

    @classmethod
    @abstractmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from `_content`."""

    def to_dict(self) -> dict[str, Any]:
        """The whole result as plain values; `load_result` reads them back."""
        return {"schema": SCHEMA, "kind": self.kind, "version": __version__, **self._content()}

    def _claims(self, of: str = "") -> list[dict[str, Any]]:
        """What the result claims, each claim a record; `of` names the part of a larger result."""
        return []

    def to_json(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        indent: int | None = 2,
        certificate: bool = False,
    ) -> str:
        """The whole result as JSON text, also written to `path` if one is given.

        With `certificate` it also lists its claims, which `alliancegame.verify` checks without any
        solver (docs/howto/verify). Raises `ResultFileError` if the file cannot be written.
        """
        data = self.to_dict()
        if certificate:
            data["claims"] = self._claims()
        text = json.dumps(jsonable(data), indent=indent, allow_nan=False)
        if path is not None:
            file = as_path(path, "to_json")
            try:
                file.write_text(text + "\n", encoding="utf-8")
            except OSError as error:
                raise ResultFileError(f"{path} cannot be written: {error.strerror}.") from error
        return text

    def to_latex(self) -> str:
        """The table as LaTeX (booktabs)."""
        frame = self.to_frame()
        return str(frame.to_latex(float_format=lambda v: f"{v:.5g}", escape=True))

    def _shown(self) -> pd.DataFrame:
        """The table that a notebook shows."""
        return self.to_frame()

    def _repr_html_(self) -> str:
        parts = [notebook.paragraph(self.headline()), notebook.table(self._shown())]
        made = getattr(self, "certificate", None)
        return "".join([*parts, notebook.paragraph(str(made)) if made is not None else ""])

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.headline()}>"


def jsonable(value: Any) -> Any:
    """Numbers as JSON has them; nan and infinities as the text that `float` reads."""
    if isinstance(value, Mapping):
        return {str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(v) for v in value]
    if isinstance(value, np.ndarray):
        return jsonable(value.tolist())
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value


def load_result(path: str | os.PathLike[str]) -> Any:
    """Read a result that `to_json` wrote. Raises `ResultFileError` for anything else."""
    file = as_path(path, "load_result")
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultFileError(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ResultFileError(f"{file} is not JSON: {error}.") from error
    return result_from_dict(data, str(file))


def result_from_dict(data: Any, where: str = "the result") -> Any:
    """The result that `to_dict` described. Raises `ResultFileError`."""
    if not isinstance(data, dict) or "kind" not in data:
        raise ResultFileError(f"{where} is not a result of this library: it has no 'kind'.")
    if data.get("schema") != SCHEMA:
        raise ResultFileError(
            f"{where} has schema {data.get('schema')!r}; this version reads schema {SCHEMA}."
        )
    _register_all()
    if not isinstance(data["kind"], str) or data["kind"] not in _KINDS:
        raise ResultFileError(
            f"{where} is of unknown kind {data['kind']!r}; known: {sorted(_KINDS)}."
        )
    try:
        return _KINDS[data["kind"]].from_content(data)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ResultFileError(
            f"{where} is incomplete or damaged: {type(error).__name__} {error}."
        ) from error


def _register_all() -> None:
    """Import the modules that define results, so that their kinds are known."""
    import alliancegame.solve.accumulation
    import alliancegame.solve.coalitions.core
    import alliancegame.solve.coalitions.nucleolus
    import alliancegame.solve.coalitions.values
    import alliancegame.solve.custom.profile
    import alliancegame.solve.custom.stackelberg
    import alliancegame.solve.dynamic.result
    import alliancegame.solve.every.result
    import alliancegame.solve.finite.commitment
    import alliancegame.solve.finite.correlated
    import alliancegame.solve.finite.dominance
    import alliancegame.solve.finite.honour
    import alliancegame.solve.finite.learning
    import alliancegame.solve.finite.profile
    import alliancegame.solve.finite.quantal
    import alliancegame.solve.finite.repeated
    import alliancegame.solve.leader.credible
    import alliancegame.solve.leader.stackelberg
    import alliancegame.solve.leaving.result
    import alliancegame.solve.planning.social_optimum
    import alliancegame.study.anarchy
    import alliancegame.study.backfire
    import alliancegame.study.channels
    import alliancegame.study.compare
    import alliancegame.study.frontier
    import alliancegame.study.long_run
    import alliancegame.study.maps
    import alliancegame.study.opinion
    import alliancegame.study.patience
    import alliancegame.study.robustness
    import alliancegame.study.sensitivities
    import alliancegame.study.sensitivity
    import alliancegame.study.shares
    import alliancegame.study.sign_series
    import alliancegame.study.stability
    import alliancegame.study.trust_regimes
    import alliancegame.study.uncertainty
    import alliancegame.study.unravelling  # noqa: F401


def set_claims(
    equilibria: Iterable[Equilibrium],
    continua: Iterable[Iterable[Equilibrium]],
    completeness: str,
    evidence: Any = None,
) -> list[dict[str, Any]]:
    """What a set of equilibria claims: each of its own, each end of a continuum, and completeness.

    `evidence` is that of a proof by intervals.
    """
    parts = [e._claims(f"equilibria[{k}]") for k, e in enumerate(equilibria)]
    parts += [
        end._claims(f"components[{k}].ends[{j}]")
        for k, ends in enumerate(continua)
        for j, end in enumerate(ends)
    ]
    of_all: dict[str, Any] = {"of": "", "claim": "completeness", "completeness": completeness}
    if evidence is not None:
        of_all |= {"theorem": "intervals", "evidence": evidence}
    return [*(claim for part in parts for claim in part), of_all]


def profile_claims(profile: Any, of: str) -> list[dict[str, Any]]:
    """What a profile of a user's own game, or of a finite one, claims, with its `others`."""
    made = profile.certificate
    own = [
        {"of": of, "claim": "payoffs"},
        {"of": of, "claim": "regret", "verdict": made.verdict, "bound": made.regret},
        {"of": of, "claim": "uniqueness", "state": made.unique},
    ]
    more = (profile_claims(o, f"{of}.others[{k}]") for k, o in enumerate(profile.others))
    return [*own, *(claim for claims in more for claim in claims)]


def list_claims(profiles: Iterable[Any], known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a list of such profiles claims: each its own, and what is known of the list."""
    parts = (profile_claims(p, f"equilibria[{k}]") for k, p in enumerate(profiles))
    whole = {"of": "", "claim": "completeness", **known}
    return [*(claim for part in parts for claim in part), whole]


def numbers(values: Any) -> Array:
    """An array from JSON, where nan and infinities are text."""
    return np.array([float(v) for v in values], dtype=np.float64)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Equilibrium(Result):
    """Burdens that nobody wants to change, and what they mean for every member.

    The arrays `burdens` (shares of GDP), `payoffs`, `influences`, `securities` (effective bn US$)
    and `operating_trust` have shape (n,) in member order; `burden`, `payoff`, ... are the same as
    pandas Series by member. `others` holds further equilibria of the same plan if any were found;
    this one is then the best for the leader. `concept` is "nash" or "response"; "credible nash" or
    "credible response" where threats are carried out only where the leader then wants to. `evidence`
    is what a proof of uniqueness by intervals needs (`every.proof`), as plain values.
    """

    kind: ClassVar[str] = "equilibrium"

    game: BurdenSharingGame
    plan: Plan
    concept: str
    burdens: Array
    payoffs: Array
    influences: Array
    securities: Array
    operating_trust: Array
    certificate: Certificate
    message: str = ""
    others: tuple[Equilibrium, ...] = ()
    evidence: Any = None

    def _series(self, values: Array, name: str) -> pd.Series[float]:
        import pandas as pd

        return pd.Series(values, index=pd.Index(self.game.members.labels, name="member"), name=name)

    @cached_property
    def burden(self) -> pd.Series[float]:
        """Defence spending / GDP by member."""
        return self._series(self.burdens, "burden")

    @cached_property
    def spending(self) -> pd.Series[float]:
        """Defence spending by member, bn US$."""
        return self._series(self.burdens * self.game.by_member("gdp"), "spending")

    @cached_property
    def contribution(self) -> pd.Series[float]:
        """Effective forces by member, effective bn US$."""
        return self._series(measures.contributions(self.game, self.burdens), "contribution")

    @cached_property
    def payoff(self) -> pd.Series[float]:
        """Payoff by member."""
        return self._series(self.payoffs, "payoff")

    @cached_property
    def influence(self) -> pd.Series[float]:
        """Share of influence by member."""
        return self._series(self.influences, "influence")

    @cached_property
    def security(self) -> pd.Series[float]:
        """Security by member, effective bn US$."""
        return self._series(self.securities, "security")

    @cached_property
    def trust(self) -> pd.Series[float]:
        """Operating trust by ally; the leader's entry is the allies' mean trust."""
        return self._series(self.operating_trust, "trust")

    @property
    def multiple(self) -> bool:
        """Whether several equilibria of this plan are known."""
        return self.certificate.unique == "multiple"

    @property
    def leader_payoff(self) -> float:
        """The leader's payoff."""
        return float(self.payoffs[self.game.members.leader_index])

    @property
    def leader_influence(self) -> float:
        """The leader's share of influence."""
        return float(self.influences[self.game.members.leader_index])

    @property
    def allied_burden(self) -> float:
        """The allies' spending over their joint GDP."""
        return measures.allied_burden(self.game, self.burdens)

    @property
    def savings(self) -> float:
        """The share of its security that the leader does not pay for; nan for substitution < 0."""
        return measures.savings(self.game, self.burdens, self.securities)

    @cached_property
    def compensated_savings(self) -> float:
        """Savings at which (savings, influence) with A's security gives the leader its payoff."""
        from alliancegame.solve.nash import status_quo

        return measures.compensated_savings(
            self.game, status_quo(self.game).securities, self.leader_influence, self.leader_payoff
        )

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the result comes from: game hash, version, what was calibrated or replaced."""
        return provenance(self.game)

    def headline(self) -> str:
        """One line that says what was found."""
        lead = self.burdens[self.game.members.leader_index]
        return (
            f"{self.concept} equilibrium under {self.plan.describe()}: {self.game.leader} spends "
            f"{lead:.2%} of GDP, the allies {self.allied_burden:.2%}; {self.certificate.verdict}, "
            f"uniqueness {self.certificate.unique}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Every member's numbers, a row each."""
        import pandas as pd

        columns = (
            self.burden, self.spending, self.contribution, self.security, self.influence,
            self.trust, self.payoff,
        )  # fmt: skip
        return pd.concat(columns, axis=1)

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "plan": self.plan.to_dict(),
            "concept": self.concept,
            "members": list(self.game.members),
            "burden": self.burdens.tolist(),
            "payoff": self.payoffs.tolist(),
            "influence": self.influences.tolist(),
            "security": self.securities.tolist(),
            "trust": self.operating_trust.tolist(),
            "certificate": self.certificate.to_dict(),
            "message": self.message,
            "others": [other._content() for other in self.others],
            "provenance": self.provenance,
        }

    def _claims(self, of: str = "") -> list[dict[str, Any]]:
        if self.concept.startswith("credible"):  # Numbers of another game than the plan's alone.
            return []
        of, made = of or self.kind, self.certificate
        theorem = "simultaneous Nash" if self.concept == "nash" else "followers"
        if made.reason.startswith(BY_INTERVALS):
            theorem = "intervals"
        elif not made.reason.startswith("theorem on"):  # By cases: triggers, extremes.
            theorem = "enumeration"
        own: list[dict[str, Any]] = [
            {"of": of, "claim": "numbers", "savings": self.savings},
            {"of": of, "claim": "regret", "verdict": made.verdict, "bound": made.regret},
            {
                "of": of,
                "claim": "uniqueness",
                "state": made.unique,
                "theorem": theorem if made.unique == "proven" else None,
            },
        ]
        if made.unique == "proven" and self.evidence is not None:
            own[-1]["evidence"] = self.evidence
        others = (other._claims(f"{of}.others[{k}]") for k, other in enumerate(self.others))
        return [*own, *(claim for claims in others for claim in claims)]

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the equilibrium from its plain values."""
        game = BurdenSharingGame.from_dict(
            {**content["game"], "provenance": content["provenance"].get("game", {})}
        )

        def by_member(name: str) -> Array:
            values = numbers(content[name])
            if values.shape != (game.size,):
                raise ResultFileError(f"{name} has {values.size} numbers for {game.size} members.")
            return values

        return cls(
            game,
            Plan(**content["plan"]),
            content["concept"],
            by_member("burden"),
            by_member("payoff"),
            by_member("influence"),
            by_member("security"),
            by_member("trust"),
            Certificate.from_dict(content["certificate"]),
            content["message"],
            tuple(cls.from_content(other) for other in content["others"]),
            evidence_of(content, "uniqueness"),
        )


def evidence_of(content: Mapping[str, Any], claim: str) -> Any:
    """The evidence of a claim in a file that was written with its claims, if it has any."""
    for one in content.get("claims", ()):
        if one["claim"] == claim and "evidence" in one:
            return one["evidence"]
    return None


def provenance(game: BurdenSharingGame) -> dict[str, Any]:
    """The provenance that every result of a game carries."""
    return {
        "game_hash": game.hash,
        "version": __version__,
        "model": game.provenance.get("model", ""),
        "calibrated": game.provenance.get("calibrated", []),
        "replaced": game.provenance.get("replaced", {}),
        "game": dict(game.provenance),
    }
