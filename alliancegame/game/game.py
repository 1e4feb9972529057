"""BurdenSharingGame: the members, the functional forms and the parameters, validated once."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from alliancegame.errors import (
    IllConditionedWarning,
    InvalidValueError,
    UnknownNameError,
    UnsupportedFormError,
    did_you_mean,
    refusing_change,
    unknown_name,
)
from alliancegame.game import notebook
from alliancegame.game.members import MEMBER_PARAMETERS, Members
from alliancegame.game.outside import OUTSIDE_PARAMETERS
from alliancegame.game.parameters import Array, Parameter, frozen_array, validate
from alliancegame.game.trust import TRUST_PARAMETERS, TrustLaw

FORM_PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "return_spillin", "b_l", "scalar", 1.0, "what allied forces are worth to the leader", low=0,
        latex=r"b_{\ell}",
    ),
    Parameter(
        "congestion", "eta", "scalar", 0.0, "0 pure public good, 1 fully congestible", low=0,
        latex=r"\eta",
    ),
    Parameter(
        "cohesion", "zeta", "scalar", 0.0, "how far lost trust costs the leader security", low=0,
        latex=r"\zeta",
    ),
    Parameter(
        "substitution", "rho", "scalar", 1.0,
        "1 summation, (0, 1) complementary forces, > 1 toward best shot, < 0 toward weakest link",
        low=-20, high=20, latex=r"\rho",
    ),
    Parameter(
        "technology", "S", "choice", "ces", "how forces add up: with substitution, or its limits",
        choices=("ces", "weakest-link", "best-shot"),
    ),
    Parameter(
        "decisiveness", "m", "scalar", 1.0, "how sharply contributions turn into influence", low=0,
        open_low=True, high=20, latex="m",
    ),
    Parameter(
        "execution_saving", "s", "scalar", 0.0,
        "what not defending an ally saves the leader, where threats must be credible",
        "share of the ally's GDP", low=0, latex="s",
    ),
    Parameter(
        "consumption", "c", "choice", "log", "utility of what is not spent on defence",
        choices=("log", "linear"),
    ),
    Parameter(
        "influence", "p", "choice", "council", "how contributions turn into influence",
        choices=("council", "hub"),
    ),
    Parameter(
        "influence_value", "v", "choice", "log", "value of influence: ln p, or the share p itself",
        choices=("log", "share"),
    ),
    Parameter(
        "shortfall", "phi", "choice", "proportional", "how a missed demand is measured",
        choices=("proportional", "trigger", "logistic"),
    ),
    Parameter(
        "width", "w_phi", "scalar", 0.005, "how gradual the logistic shortfall is around the demand",
        "share of GDP", low=0, open_low=True, latex=r"w_\varphi",
    ),
    Parameter(
        "deadweight", "omega", "scalar", 0.0, "share of a tariff's cost that nobody receives", low=0,
        high=1, latex=r"\lambda_T",
    ),
    Parameter(
        "horizon", "", "choice", "impact", "trust on impact, or in the long run under the plan",
        choices=("impact", "stationary"),
    ),
)  # fmt: skip

PARAMETERS: Mapping[str, Parameter] = MappingProxyType(
    {
        p.name: p
        for p in (*MEMBER_PARAMETERS, *FORM_PARAMETERS, *TRUST_PARAMETERS, *OUTSIDE_PARAMETERS)
    }
)
"""Every parameter of the game by name: the one registry."""

_TRUST_NAMES = frozenset(p.name for p in TRUST_PARAMETERS)


@refusing_change("games are frozen: use game.replace({name}={value!r})")
@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class BurdenSharingGame:
    """An alliance as a game: who pays how much of its GDP for the common defence.

    Values by member are a scalar, an array of shape (n,) in member order, or a dict by label
    (complete; for ally-only parameters the leader's entry may be missing and is ignored). They are
    kept as a float or a read-only array. `PARAMETERS` lists every name with symbol, unit, range
    and default; docs/theory/model give the mathematics.

    Raises `InvalidValueError`, `UnknownNameError` or `UnsupportedFormError` at the door.

    >>> game = BurdenSharingGame(["USA", "FRA", "DEU"], leader="USA", gdp=[30, 3, 5],
    ...                          security_weight=0.03)
    >>> game.replace(decay=0.3).decay
    0.3
    """

    members: Members
    gdp: float | Array
    security_weight: float | Array
    influence_weight: float | Array
    private_weight: float | Array
    effectiveness: float | Array
    burden_min: float | Array
    burden_max: float | Array
    spillin: float | Array
    umbrella: float | Array
    council_weight: float | Array
    credibility: float | Array
    trade_exposure: float | Array
    rival_pull: float | Array
    deterrent: float | Array
    deterrent_cost: float | Array
    rival_umbrella: float | Array
    realignment_cost: float | Array
    outside_influence: float | Array
    return_spillin: float
    congestion: float
    cohesion: float
    substitution: float
    technology: str
    decisiveness: float
    execution_saving: float
    consumption: str
    influence: str
    influence_value: str
    shortfall: str
    width: float
    deadweight: float
    horizon: str
    trust_law: TrustLaw
    provenance: Mapping[str, Any]

    def __init__(
        self,
        members: Sequence[str],
        leader: str,
        gdp: Any,
        security_weight: Any = None,
        *,
        trust_law: TrustLaw | None = None,
        provenance: Mapping[str, Any] | None = None,
        **parameters: Any,
    ) -> None:
        labels = Members(_labels(members), leader)
        given = {"gdp": gdp, "security_weight": security_weight, **parameters}
        if trust_law is not None:
            given = _law_values(trust_law) | given
        _check_names(given)
        if "recovery" in given:
            given.setdefault("personal_recovery", given["recovery"])
        if security_weight is None:
            raise InvalidValueError(
                "security_weight has no default: give the value of security, or give 0 and let "
                "calibrate() find the weights at which observed burdens are an equilibrium."
            )
        values = {
            name: _settle(p, validate(p, given.get(name, p.default), labels, leader), labels)
            for name, p in PARAMETERS.items()
        }
        object.__setattr__(self, "members", labels)
        law = {name: values.pop(name) for name in _TRUST_NAMES}
        object.__setattr__(self, "trust_law", TrustLaw(**law))
        for name, value in values.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "provenance", MappingProxyType(dict(provenance or {})))
        _check_together(self)

    def __getattr__(self, name: str) -> Any:
        """Trust parameters by their own name: `game.decay` is `game.trust_law.decay`."""
        if name in _TRUST_NAMES:
            return getattr(self.trust_law, name)
        near = "" if name.startswith("_") else did_you_mean(name, dir(self))
        raise AttributeError(f"BurdenSharingGame has no attribute {name!r}.{near}")

    def __dir__(self) -> list[str]:
        """What there is, parameters of the trust law included."""
        return sorted({*super().__dir__(), *_TRUST_NAMES})

    @property
    def leader(self) -> str:
        """The leader's label."""
        return self.members.leader

    @property
    def allies(self) -> tuple[str, ...]:
        """The allies' labels, in order."""
        return self.members.allies

    @property
    def size(self) -> int:
        """The number of members."""
        return len(self.members)

    def values(self) -> dict[str, Any]:
        """Every parameter by name, as kept."""
        return {name: getattr(self, name) for name in PARAMETERS}

    def by_member(self, name: str) -> Array:
        """A parameter as an array of shape (n,) in member order."""
        cached: Array | None = self._arrays.get(name)
        if cached is None:
            if name not in PARAMETERS or not PARAMETERS[name].by_member:
                raise unknown_name(
                    "parameter by member", name, [k for k, p in PARAMETERS.items() if p.by_member]
                )
            cached = frozen_array(np.broadcast_to(getattr(self, name), (self.size,)))
            self._arrays[name] = cached
        return cached

    @cached_property
    def _arrays(self) -> dict[str, Array]:
        """Parameters by member as arrays, made when first asked for."""
        return {}

    @cached_property
    def congested(self) -> tuple[Array, Array]:
        """The final spill-ins beta_i and umbrellas b_i, shapes (n,) (docs/theory/model, Security).

        A scalar is congested by (Y_i / sum Y)^eta; a value by member is final.
        """
        gdp = self.by_member("gdp")
        crowding = (gdp / gdp.sum()) ** self.congestion
        spillin, umbrella = (
            frozen_array(value if isinstance(value, np.ndarray) else value * crowding)
            for value in (self.spillin, self.umbrella)
        )
        return spillin, umbrella

    def replace(self, **changes: Any) -> BurdenSharingGame:
        """A new game in which what is named changes and nothing else (nothing is recalibrated).

        `members` and `leader` may be named too. A dict for a parameter by member may name some of
        the members only: the others keep their value. Raises as the constructor does.
        """
        labels = list(_labels(changes.pop("members", self.members.labels)))
        leader = changes.pop("leader", self.leader)
        provenance = dict(changes.pop("provenance", self.provenance))
        law = changes.pop("trust_law", None)
        if law is not None:
            changes = _law_values(law) | changes
        _check_names(changes)
        merged = self.values()
        if "recovery" in changes and self.personal_recovery == self.recovery:
            merged["personal_recovery"] = changes["recovery"]
        same_members = labels == list(self.members)
        for name in sorted(changes, key=lambda name: name in ("spillin", "umbrella")):
            value = changes[name]
            merged[name] = self._merged(name, value, merged) if same_members else value
        replaced = dict(provenance.get("replaced", {}))
        replaced.update({name: _plain(value) for name, value in changes.items()})
        if replaced:
            provenance["replaced"] = replaced
            provenance["history"] = [*provenance.get("history", []), {"replaced": sorted(changes)}]
        return BurdenSharingGame(labels, leader, provenance=provenance, **merged)

    def _merged(self, name: str, value: Any, merged: Mapping[str, Any]) -> Any:
        """A dict that names some members is laid over the values that hold without it.

        For spill-ins those are what congestion leaves of a scalar: values by member are final.
        """
        if not isinstance(value, Mapping) or not PARAMETERS[name].by_member:
            return value
        base = getattr(self, name)
        if name in ("spillin", "umbrella") and not isinstance(base, np.ndarray):
            gdp = validate(PARAMETERS["gdp"], merged["gdp"], self.members, self.leader)
            gdp = np.broadcast_to(gdp, (self.size,))
            base = base * (gdp / gdp.sum()) ** merged["congestion"]
        full = np.broadcast_to(base, (self.size,)).tolist()
        return dict(zip(self.members, full, strict=True)) | dict(value)

    def to_dict(self) -> dict[str, Any]:
        """Members, leader and every parameter as plain numbers, ready for JSON."""
        plain = {name: _plain(value) for name, value in self.values().items()}
        plain |= {name: _given(plain[name]) for name, p in PARAMETERS.items() if p.unset}
        return {"members": list(self.members), "leader": self.leader, **plain}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BurdenSharingGame:
        """The game that `to_dict` described."""
        return cls(**data)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the game's content (not its provenance): equal games have equal hashes."""
        text = json.dumps(self.to_dict(), sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BurdenSharingGame) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(self.hash)

    def _repr_html_(self) -> str:
        known = self.provenance
        title = str(known.get("title") or known.get("model") or "A game")
        shown = [("members", f"{self.size}, led by {self.leader}: {', '.join(self.members)}")]
        for name, parameter in PARAMETERS.items():
            value = getattr(self, name)
            given = (
                np.atleast_1d(value)[~np.isnan(np.atleast_1d(value))] if parameter.unset else value
            )
            if parameter.unset and not given.size:
                text = parameter.unset
            elif isinstance(value, np.ndarray):
                text = f"{np.min(given):.4g} to {np.max(given):.4g}"
            else:
                text = value if isinstance(value, str) else f"{value:.4g}"
            unit = "" if parameter.unit == "1" or parameter.choices else f" {parameter.unit}"
            shown.append((name, f"{text}{unit}: {parameter.doc}"))
        return notebook.paragraph(title) + notebook.facts(shown)

    def __repr__(self) -> str:
        name = self.provenance.get("model", "BurdenSharingGame")
        return f"<{name}: {self.size} members, leader {self.leader}>"


def _labels(members: Any) -> tuple[str, ...]:
    if isinstance(members, str) or not isinstance(members, Iterable):
        raise InvalidValueError(f"members must be a list of labels, got {members!r}.")
    return tuple(members)


def _law_values(law: Any) -> dict[str, Any]:
    if not isinstance(law, TrustLaw):
        raise InvalidValueError(f"trust_law must be a TrustLaw, got {law!r}.")
    return law.values()


def _check_names(names: Mapping[str, Any]) -> None:
    for name in names:
        if name in PARAMETERS:
            continue
        plain, _, member = name.partition("[")
        if member and plain in PARAMETERS:
            raise UnknownNameError(
                f"unknown parameter {name!r}: one member's value is a dict, such as "
                f"{plain}={{{member.rstrip(']')!r}: ...}}; the others keep theirs."
            )
        raise unknown_name("parameter", name, PARAMETERS)


def _settle(parameter: Parameter, value: Any, members: Members) -> Any:
    """Give the leader's ignored entry of an ally-only array the neutral default."""
    if parameter.scope != "ally" or not isinstance(value, np.ndarray):
        return value
    settled = np.array(value)
    settled[members.leader_index] = parameter.default
    return frozen_array(settled)


def _given(value: Any) -> Any:
    """Plain numbers in which None stands for what is not given, as JSON has it."""
    if isinstance(value, list):
        return [_given(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _plain(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return dict(value) if isinstance(value, Mapping) else value


def _check_together(game: BurdenSharingGame) -> None:
    """What no parameter shows alone: bounds, trust below its ceiling, the CES refusals."""
    low, high = game.by_member("burden_min"), game.by_member("burden_max")
    for i in np.flatnonzero(low >= high):
        raise InvalidValueError(
            f"burden_min of {game.members[i]} must be below its burden_max {high[i]:g}, got {low[i]:g}."
        )
    if game.consumption == "log":
        for i in np.flatnonzero(high >= 1):
            raise InvalidValueError(
                f"burden_max of {game.members[i]} must be below 1 with log consumption, got {high[i]:g}; "
                f'lower it or use consumption="linear".'
            )
    trust, ceiling = game.by_member("trust"), game.by_member("trust_ceiling")
    for i in np.flatnonzero(trust > ceiling):
        if game.members[i] != game.leader:
            raise InvalidValueError(
                f"trust of {game.members[i]} must be at most its trust_ceiling {ceiling[i]:g}, "
                f"got {trust[i]:g}."
            )
    if game.horizon == "stationary" and not game.trust_law.long_run_formula:
        raise UnsupportedFormError(
            'horizon="stationary" has a formula only for one component and even recovery '
            '(institutional_share = 1, recovery_threshold = 0); use horizon="impact", or ask '
            'solve_trust_path(game, concept="stationary").'
        )
    _check_technology(game)


def _check_technology(game: BurdenSharingGame) -> None:
    rho = game.substitution
    if game.technology != "ces":
        if rho != 1:
            raise InvalidValueError(
                f"technology={game.technology!r} is the limit of substitution itself: leave "
                f"substitution at 1, got {rho:g}."
            )
        if game.technology == "weakest-link":
            _check_links(game, 'technology="weakest-link"')
        return
    if rho == 0:
        raise InvalidValueError(
            "substitution = 0 is refused: the unnormalised limit does not exist; use a value with "
            "|substitution| >= 0.1."
        )
    if abs(rho) < 0.1:
        warnings.warn(
            f"substitution = {rho:g} is close to 0, where the technology is ill-conditioned; "
            "|substitution| >= 0.1 is safe.",
            IllConditionedWarning,
            stacklevel=4,
        )
    if rho > 0:
        return
    idle = (game.by_member("private_weight") == 0) & (game.by_member("burden_min") == 0)
    for i in np.flatnonzero(idle):
        raise InvalidValueError(
            f"substitution = {rho:g} < 0 needs private_weight > 0 or burden_min > 0 for "
            f"{game.members[i]}: one zero contribution would leave everybody without security."
        )
    _check_links(game, f"substitution = {rho:g} < 0")


def _check_links(game: BurdenSharingGame, what: str) -> None:
    """Refuse components that are zero whatever anybody spends, where one of them ends all security."""
    allies = np.array([label != game.leader for label in game.members])
    spillin, umbrella = game.congested
    trust = game.by_member("trust")
    for name, values in (("spillin", spillin), ("umbrella", umbrella), ("trust", trust)):
        for i in np.flatnonzero((values <= 0) & allies):
            raise InvalidValueError(
                f"{what} needs {name} > 0 for {game.members[i]}, got {values[i]:g}."
            )
    if game.return_spillin <= 0:
        raise InvalidValueError(f"{what} needs return_spillin > 0, got {game.return_spillin:g}.")
