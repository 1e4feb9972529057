"""Certificates: what is claimed of a profile, how it is known, and what was not searched."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alliancegame.game import notebook
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array
from alliancegame.game.plan import Plan
from alliancegame.solve import indifference
from alliancegame.solve.aggregative import tables
from alliancegame.solve.tolerances import Tolerances

Verdict = Literal["certified", "approximate", "unverified"]
Unique = Literal["proven", "multiple", "not proven"]

ROUNDING = 64 * float(np.finfo(float).eps)
"""Allowance for rounding in one marginal payoff, relative to its terms."""


@dataclasses.dataclass(frozen=True)
class Certificate:
    """The claim a result makes of itself.

    `regret` is the largest gain of any member from any unilateral deviation over its whole action
    set, in payoff; `regret_usd_bn` the same in bn US$; `worst` the member who could gain it.
    `verdict` is "certified" (regret <= 1e-9 and globality proved), "approximate" (<= 1e-6, or
    globality by a scan) or "unverified". `unique` is "proven", "multiple" or "not proven", with its
    `reason`. `method` says how globality is known, `scope` what was and was not searched. Payoffs of
    a finite game are no money: `regret_usd_bn` is nan there.
    """

    verdict: Verdict
    regret: float
    regret_usd_bn: float
    worst: str | None
    unique: Unique
    reason: str
    method: str
    scope: str
    tolerances: Tolerances = dataclasses.field(default_factory=Tolerances)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        data = dataclasses.asdict(self)
        for name in ("regret", "regret_usd_bn"):
            if not math.isfinite(data[name]):
                data[name] = repr(data[name])
        return data

    def _repr_html_(self) -> str:
        return notebook.facts(
            [
                ("verdict", self.verdict),
                ("regret", f"{self.regret:.2g} of payoff, {self.regret_usd_bn:.2g} bn US$"),
                ("of", self.worst or "nobody"),
                ("uniqueness", f"{self.unique}: {self.reason}"),
                ("method", self.method),
                ("scope", self.scope),
            ]
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Certificate:
        """The certificate that `to_dict` described."""
        numbers = {name: float(data[name]) for name in ("regret", "regret_usd_bn")}
        return cls(**{**data, **numbers, "tolerances": Tolerances(**data["tolerances"])})

    def __str__(self) -> str:
        money = "" if math.isnan(self.regret_usd_bn) else f" ({self.regret_usd_bn:.2g} bn US$)"
        amount = f"{self.regret:.2g} of payoff{money}"
        if self.verdict == "unverified" and self.worst is not None:
            found = f"{self.worst} could gain up to {amount} by a deviation"
        else:
            found = f"nobody gains more than {amount} by any deviation"
        return f"{self.verdict}: {found}; uniqueness {self.unique} ({self.reason})."


def consumption_share(game: BurdenSharingGame, gain: Any, burden: Any) -> Any:
    """A payoff difference as a consumption equivalent, shares of GDP (docs/theory/model)."""
    if game.consumption == "log":
        return np.expm1(gain) * (1 - np.asarray(burden))
    return np.asarray(gain, dtype=np.float64)


def usd_bn(game: BurdenSharingGame, gain: Array, burden: Array) -> Array:
    """Payoff differences of all members in bn US$, at the burdens of the baseline; shape (n,)."""
    worth: Array = consumption_share(game, gain, burden) * game.by_member("gdp")
    return worth


def build(
    game: BurdenSharingGame,
    plan: Plan,
    burden: Array,
    gains: Array,
    tolerances: Tolerances,
    unique: tuple[Unique, str],
    *,
    bounded: bool,
    proved: bool = False,
) -> Certificate:
    """A certificate from gains by member (bounds if `bounded`, best deviations if not).

    `proved` says that they are bounds which hold in spite of rounding, whatever the payoffs' shape.
    """
    concave = tables(game).concave
    worst = int(np.argmax(gains))  # The first nan, if there is one.
    regret = float(gains[worst]) + (0.0 if proved else _rounding(game, burden, worst))
    if math.isnan(regret):
        regret = math.inf
    money = math.inf  # Where exp would overflow, no sum of money makes up for it.
    if regret < 700:
        money = float(consumption_share(game, regret, burden[worst]) * game.by_member("gdp")[worst])
    if not regret <= tolerances.approximate:
        verdict: Verdict = "unverified"
    else:
        known = concave or proved
        verdict = "certified" if known and regret <= tolerances.certified else "approximate"
    return Certificate(
        verdict,
        regret,
        money,
        game.members[worst] if regret > 0 else None,
        *unique,
        _method(concave, bounded, proved),
        _scope(game, plan, concave or proved),
        tolerances,
    )


def _rounding(game: BurdenSharingGame, burden: Array, member: int) -> float:
    """What rounding of a member's marginal payoff could hide, over its range."""
    weight = sum(
        float(game.by_member(name)[member]) for name in ("security_weight", "private_weight")
    ) + max(1.0, game.decisiveness) * float(game.by_member("influence_weight")[member])
    span = float(game.by_member("burden_max")[member] - game.by_member("burden_min")[member])
    return float(rounding_allowance(float(burden[member]), weight, span, game.consumption))


def rounding_allowance(burden: Any, weight: Any, span: Any, consumption: str) -> Any:
    """What rounding of marginal payoffs could hide over ranges `span`; numbers or arrays of one shape.

    `weight` is the sum of the weights (influence times decisiveness above 1), whose marginal terms are
    at most weight / burden together. With linear consumption the marginal payoff is therefore below
    -1/2 from 2 * weight on, whatever the rounding: nothing hides beyond that, nor below zero.
    """
    if consumption != "log":
        span = np.minimum(span, np.maximum(2 * np.asarray(weight), burden))
    x = np.maximum(burden, 1e-12)
    cost = 1 / (1 - x) if consumption == "log" else 1.0
    return ROUNDING * (cost + np.minimum(weight / x, cost)) * span


def _method(concave: bool, bounded: bool, proved: bool) -> str:
    if proved:
        return (
            "branch and bound over every smooth piece of each action set, payoffs and their first two "
            "derivatives enclosed by interval arithmetic: no deviation gains more, rounding included"
        )
    if not concave:
        return (
            "scan of each member's action set, denser at small burdens, refined at its best point"
        )
    if bounded:
        return (
            "each payoff is concave in the own burden, kink included, so no deviation gains more "
            "than |marginal payoff| times the range left in its direction"
        )
    return (
        "each payoff is concave in the own burden: the best deviation is the root of its marginal"
    )


def _scope(game: BurdenSharingGame, plan: Plan, concave: bool) -> str:
    players = "every member" if plan.burden is None else "every ally (the plan fixes the leader)"
    resolution = "whole action set" if concave else "action set at 4000 points and its kinks"
    return f"unilateral pure deviations of {players} over the {resolution}; no coalitions"


def followers_unique(
    game: BurdenSharingGame, plan: Plan, burden: Array, trust: Array
) -> tuple[Unique, str]:
    """What is proved (docs/theory/equilibrium) about the allies' answer to the leader's `burden`."""
    missing = missing_conditions(game)
    if missing:
        return "not proven", "the theorem on followers does not cover " + ", ".join(missing)
    if plan.taxed and (idle := indifferent_to_levies(game, plan)).any():
        names = ", ".join(m for m, may in zip(game.members, idle, strict=True) if may)
        return (
            "not proven",
            f"the levy takes from {names} just what a burden below the demand costs",
        )
    shared = indifference.exchangeable(game, plan, burden, trust)
    if shared is not None:
        names = ", ".join(m for m, may in zip(game.members, shared.who, strict=True) if may)
        return "multiple", f"a continuum with one allied total: {names} may share it in any way"
    return "proven", "theorem on followers (theory, What is proved): the sum of shares has one root"


def indifferent_to_levies(game: BurdenSharingGame, plan: Plan) -> NDArray[np.bool_]:
    """Allies who value neither security nor private benefits and whose levy is their demand: chi T = d.

    Below the demand 1 - x - chi T (1 - x / d) does not depend on x then. Influence alone settles nothing: a
    lone ally may have all of it whatever it gives.
    """
    found = np.zeros(game.size, dtype=bool)
    if plan.taxed:
        levy = plan.tariff_by_member(game.members) * game.by_member("trade_exposure")
        found = np.isclose(levy, plan.demand_by_member(game.members), rtol=1e-9, atol=0.0)
        for name in ("security_weight", "private_weight"):
            found &= game.by_member(name) == 0
        found[game.members.leader_index] = False
    return np.asarray(found)


def missing_conditions(game: BurdenSharingGame) -> list[str]:
    """The conditions of the theorem on followers that the game does not meet, in words."""
    found: list[str] = _remembered(game, "_missing_conditions", _missing_conditions)
    return found


def _remembered(
    game: BurdenSharingGame, name: str, find: Callable[[BurdenSharingGame], Any]
) -> Any:
    """What depends on the game alone is found once."""
    if name not in game.__dict__:
        object.__setattr__(game, name, find(game))
    return game.__dict__[name]


def _missing_conditions(game: BurdenSharingGame) -> list[str]:
    """The conditions of the theorem on followers that the game does not meet."""
    allies = np.array([m != game.leader for m in game.members])
    weights = game.by_member("council_weight")[allies]
    spillin, _ = game.congested
    missing = []
    if game.technology != "ces":
        missing.append(f"the {game.technology} technology")
    if game.substitution != 1:
        missing.append("substitution other than 1")
    if game.shortfall != "proportional":
        missing.append(f"a {game.shortfall} shortfall")
    if np.any(game.by_member("influence_weight")[allies]):
        if game.influence != "council":
            missing.append("influence in a hub")
        if game.decisiveness != 1:
            missing.append("decisiveness other than 1")
        if np.ptp(weights) > 0:
            missing.append("unequal council weights among allies")
    if np.any(spillin[allies] > 1):
        missing.append("spill-ins above 1")
    return missing


def nash_unique(
    game: BurdenSharingGame, plan: Plan, burden: Array, trust: Array
) -> tuple[Unique, str]:
    """What is proved (docs/theory/equilibrium) about simultaneous Nash; `trust` has its mean."""
    state, reason = followers_unique(game, plan, burden, trust)
    if state != "proven":
        return state, reason
    partners = [i for i, _, _ in indifference.with_leader(game, plan, burden, trust)]
    if partners:
        names = ", ".join(game.members[i] for i in partners)
        return "multiple", f"a continuum: {game.leader} and {names} may share it in any way"
    lead = game.members.leader_index
    spillin, umbrella = game.congested
    levy = (
        plan.tariff_by_member(game.members) * game.by_member("trade_exposure") if plan.taxed else 0
    )
    if np.any(levy):
        return "not proven", "the theorem on simultaneous Nash does not cover tariffs"
    if game.influence == "hub" and game.by_member("influence_weight")[lead] > 0:
        return "not proven", "the theorem on simultaneous Nash does not cover influence in a hub"
    # Allies who value a share can give up contributions faster than the leader adds them.
    if game.influence_value == "share" and np.any(game.by_member("influence_weight") > 0):
        return "not proven", "the theorem on simultaneous Nash needs log influence"
    if game.decisiveness != 1 and game.by_member("influence_weight")[lead] > 0:
        return (
            "not proven",
            "the theorem on simultaneous Nash does not cover decisiveness other than 1",
        )
    allies = np.arange(game.size) != lead
    unequal = np.ptp(game.by_member("council_weight")[allies]) > 0
    if unequal and game.by_member("influence_weight")[lead] > 0:
        return (
            "not proven",
            "the theorem on simultaneous Nash does not cover unequal council weights among allies",
        )
    returned = game.return_spillin * trust[lead] ** game.cohesion
    if np.all((returned * umbrella * trust <= spillin)[allies]):
        return (
            "proven",
            (
                "theorem on simultaneous Nash (theory, What is proved): b_l T^zeta b_i r_i <= beta_i "
                "for every ally"
            ),
        )
    return (
        "not proven",
        "some b_l T^zeta b_i r_i exceeds beta_i, where simultaneous Nash may be multiple",
    )
