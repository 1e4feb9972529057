"""The one bank of problems: named games whose equilibrium is known without any solver.

K1 to K5 and K8 are known answers of the literature. The others are derived by hand, in one of four ways:

- a closed form (symmetric members, independent allies, corner contributors);
- a bound that every marginal payoff points at;
- design: burdens are chosen first, and each member's value of security is what its first-order
  condition then says (docs/howto/calibrate); this reaches every feature of the model;
- docs/theory/equilibrium, What is proved, where there are several equilibria.

Every solver's tests draw on `BANK`. `random_alliance` draws games with no known answer, for the
comparison with the slow search of `tests.oracle`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Problem:
    """A game, a plan, and the equilibrium burdens that theory gives, in member order.

    `others` are further equilibria. `unique` is what a certificate must say. Where only the allies'
    total contribution is determined, `burdens` is None and `allied` has it. `digits` is the relative
    accuracy to which the answer is known.
    """

    name: str
    game: BurdenSharingGame
    plan: Plan
    burdens: tuple[float, ...] | None
    unique: str = "proven"
    others: tuple[tuple[float, ...], ...] = ()
    allied: float | None = None
    digits: float = 1e-11

    @property
    def committed(self) -> Plan:
        """The same plan with the leader's burden named, so that only the allies play."""
        assert self.burdens is not None
        return self.plan.replace(burden=self.burdens[self.game.members.leader_index])


BANK: dict[str, Problem] = {}


def _add(
    name: str, game: BurdenSharingGame, burdens: Sequence[float] | None, plan: Plan | None = None,
    **more: Any,
) -> None:  # fmt: skip
    answer = None if burdens is None else tuple(float(x) for x in burdens)
    BANK[name] = Problem(name, game, Plan() if plan is None else plan, answer, **more)


def alliance(gdp: Sequence[float], security_weight: Any, **parameters: Any) -> BurdenSharingGame:
    """A game with members L (the leader), A1, A2, ...; wide bounds on burdens."""
    labels = ["L", *(f"A{i}" for i in range(1, len(gdp)))]
    wide = 0.999 if parameters.get("consumption", "log") == "log" else 10.0
    return BurdenSharingGame(
        labels, "L", gdp, security_weight, **({"burden_max": wide} | parameters)
    )


# --- Known answers ------------------------------------------------------------------------------------

_add("K1", alliance((10, 6, 2), 1.0), (14 / 30, 2 / 3 / 6, 0.0))
_add(
    "K2",
    alliance((1,) * 4, 1.0, consumption="linear", spillin=0.6, umbrella=0.6, return_spillin=0.6),
    (1 / 2.8,) * 4,
)
_add(
    "K3",
    alliance((1,) * 3, (3, 2, 1), consumption="linear", substitution=0.5),
    (9 / 6, 4 / 6, 1 / 6),
    unique="not proven",
)
_add(
    "K4",
    alliance(
        (1,) * 3,
        0.0,
        consumption="linear",
        influence_value="share",
        influence_weight=(1, 1 / 1.5, 1 / 4),
    ),
    (0.24, 0.16, 0.0),
    unique="not proven",
)
_add(
    "K5",
    alliance(
        (30, 5, 3, 1),
        (0.05, 0.03, 0.03, 0.03),
        consumption="linear",
        influence_weight=(0.02, 0.02, 0.015, 0.03),
    ),
    (0.0465837, 0.0206548, 0.0154406, 0.0300),
    digits=1e-5,
)
_add(
    "K8",
    alliance((1,) * 5, 0.5, consumption="linear", private_weight=0.07),
    (0.5 / 5 + 0.07,) * 5,
)

# --- Closed forms: symmetric members --------------------------------------------------------------


def symmetric(
    n: int, theta: float, alpha: float = 0.0, h: float = 0.0, spill: float = 1.0, **forms: Any
) -> tuple[BurdenSharingGame, list[float]]:
    """Members alike, every spill-in `spill`: the first-order condition has one unknown.

    x c'(x) = A = theta / (1 + spill^rho (n - 1)) + alpha m p' + h, where p' = (n - 1)/n for ln p
    and (n - 1)/n^2 for p; hence x = A (linear) or A / (1 + A) (log).
    """
    rho, m = forms.get("substitution", 1.0), forms.get("decisiveness", 1.0)
    seat = (n - 1) / n if forms.get("influence_value", "log") == "log" else (n - 1) / n**2
    pull = theta / (1 + spill**rho * (n - 1)) + alpha * m * seat + h
    game = alliance(
        (3.7,) * n, theta, influence_weight=alpha, private_weight=h, spillin=spill, umbrella=spill,
        return_spillin=spill, **forms,
    )  # fmt: skip
    x = pull if forms.get("consumption") == "linear" else pull / (1 + pull)
    return game, [x] * n


for _name, _forms, _unique in (
    ("symmetric log", {"spill": 0.8}, "proven"),
    ("symmetric linear", {"spill": 0.5, "consumption": "linear"}, "proven"),
    ("symmetric rho=-2", {"spill": 0.7, "substitution": -2.0, "decisiveness": 0.6}, "not proven"),
    ("symmetric rho=-0.5", {"spill": 0.9, "substitution": -0.5, "decisiveness": 2.0}, "not proven"),
    ("symmetric rho=0.3", {"spill": 0.6, "substitution": 0.3, "decisiveness": 0.7}, "not proven"),
    ("symmetric rho=0.8", {"spill": 1.0, "substitution": 0.8, "decisiveness": 1.5}, "not proven"),
    ("symmetric share m<1", {"influence_value": "share", "decisiveness": 0.5}, "not proven"),
):
    _game, _burdens = symmetric(4, 0.06, 0.02, 0.004, **_forms)  # type: ignore[arg-type]
    _add(_name, _game, _burdens, unique=_unique)

# --- Closed forms: corners, bounds, kinks, a continuum --------------------------------------------

# Pure public good: w_i - g_i = G / theta_i for those with theta_i w_i > G, nothing from the others.
_add("corner contributors", alliance((6, 10, 8), (1.0, 0.5, 0.25)), (2 / 6, 2 / 10, 0.0))
_add(
    "all at the upper bound",
    alliance((3, 2, 1), 0.5, burden_max=(0.02, 0.03, 0.01)),
    (0.02, 0.03, 0.01),
)
_add(
    "all at the lower bound",
    alliance((1, 1, 1), 0.01, consumption="linear", burden_min=(0.05, 0.06, 0.07)),
    (0.05, 0.06, 0.07),
)


def independent(
    theta: Sequence[float], trust: float = 1.0, **pressure: Any
) -> tuple[BurdenSharingGame, list[float], Plan]:
    """Allies without spill-ins (beta = 0) under a committed leader: each answers on its own.

    With P = b r g_l, threat times credibility t and demand d: S = x + P above the demand and
    P (1 - t) + (1 + P t / d) x below it. Log consumption, GDP 1.
    """
    lead, t, d = 0.04, pressure["threat"] * pressure.get("credibility", 1.0), pressure["demand"]
    P = 0.8 * trust * 2.0 * lead
    burdens = [lead]
    for weight in theta:
        slope = 1 + P * t / d
        below = max((weight * slope - P * (1 - t)) / (slope * (1 + weight)), 0.0)
        above = max((weight - P) / (1 + weight), 0.0)
        burdens.append(below if below < d else max(above, d))
    game = alliance(
        (2, *[1] * len(theta)), (0.05, *theta), spillin=0.0, umbrella=0.8, trust=trust,
        credibility=pressure.get("credibility", 1.0),
    )  # fmt: skip
    return game, burdens, Plan(threat=pressure["threat"], demand=d, burden=lead)


# Below, exactly on, and above the demand, in one game; then with less trust and less belief.
for _name, _trust, _belief in (("bunching", 1.0, 1.0), ("bunching, little trust", 0.7, 0.6)):
    _game, _burdens, _plan = independent(
        (0.005, 0.03, 0.055, 0.07, 0.2), _trust, threat=0.6, demand=0.03, credibility=_belief
    )
    assert min(_burdens[1:]) < 0.03 < max(_burdens)
    assert _burdens.count(0.03) >= 2
    _add(_name, _game, _burdens, _plan)

# Two allies with the same theta e Y - b r g_l: any split of their total is an equilibrium.
_add(
    "continuum",
    alliance((4, 2, 1), (0.3, 0.1, 0.2), consumption="linear"),
    None,
    Plan(burden=0.01),
    unique="multiple",
    allied=0.2 - 0.04,
)

# docs/theory/equilibrium has this game. The leader's condition is continuous and falls
# from plus to minus infinity, so that the number of (transversal) roots is odd: there is a third.
_add(
    "three equilibria",
    alliance((2, 1, 1, 1, 1), 0.04, influence_weight=0.002, private_weight=0.001, spillin=0.0),
    (0.007381765839681, *[0.027921524266723] * 4),
    unique="multiple",
    others=(
        (0.018107694455861, *[0.013226585466182] * 4),
        (0.024457394689350, *[0.008826074313853] * 4),
    ),
    digits=1e-12,
)

# --- Design: burdens first ------------------------------------------------------------------------


def operating_trust(parameters: dict[str, Any], gdp: Array, threat: Array) -> Array:
    """docs/theory/model, Trust in arrays: trust when the allies answer, shape (n,), leader first."""
    law = {"trust": 1.0, "trust_ceiling": 1.0, "decay": 0.0, "curvature": 1.0} | parameters
    cost = np.where(threat > 0, threat ** law["curvature"], 0.0)
    share = np.where(np.arange(len(gdp)) > 0, gdp, 0.0) / gdp[1:].sum()
    others = (share * cost).sum() - share * cost
    impact = np.exp(-np.asarray(law["decay"]) * cost - law.get("contagion", 0.0) * others)
    if law.get("horizon", "impact") == "impact":
        return np.asarray(law["trust"] * impact)
    mu = law["recovery"]
    return np.asarray(impact * mu * law["trust_ceiling"] / (1 - (1 - mu) * impact))


def design(
    gdp: Sequence[float], burdens: Sequence[float], plan: Plan | None = None, **parameters: Any
) -> tuple[BurdenSharingGame, Plan]:
    """The game whose values of security make `burdens` satisfy every first-order condition.

    theta_i = [c'(x) - h/x - alpha v' dp/dx] S_i / (dS_i/dx_i), docs/howto/calibrate; no ally may sit
    on its demand. Payoffs are concave in the own burden, so that this is enough.
    """
    given = {
        "effectiveness": 1.0, "influence_weight": 0.0, "private_weight": 0.0, "spillin": 1.0,
        "umbrella": 1.0, "return_spillin": 1.0, "congestion": 0.0, "cohesion": 0.0,
        "council_weight": 1.0, "credibility": 1.0, "substitution": 1.0, "decisiveness": 1.0,
        "consumption": "log", "influence_value": "log",
    } | parameters  # fmt: skip
    plan = Plan() if plan is None else plan
    Y, x, n = np.asarray(gdp, dtype=float), np.asarray(burdens, dtype=float), len(gdp)
    ally = np.arange(n) > 0
    threat = np.where(ally, plan.threat * np.ones(n), 0.0)
    demand = plan.demand * np.ones(n)
    r = operating_trust(given, Y, threat)
    mean = float((Y * r)[1:].sum() / Y[1:].sum())
    rho, m = given["substitution"], given["decisiveness"]
    crowding = (Y / Y.sum()) ** given["congestion"]
    beta, b = (
        v * crowding if np.isscalar(v) else np.asarray(v)
        for v in (given["spillin"], given["umbrella"])
    )
    scale = np.asarray(given["effectiveness"]) * Y
    g = scale * x
    Z = (g**rho)[1:].sum()
    bite = threat * given["credibility"]
    R = r * (1 - bite * np.maximum(0, 1 - x / demand))
    R_x = np.where(x < demand, r * bite / demand, 0.0)
    S_power = g**rho + beta**rho * (Z - g**rho) + (b * R * g[0]) ** rho
    S_power[0] = g[0] ** rho + (given["return_spillin"] * mean ** given["cohesion"]) ** rho * Z
    S_slope = (
        scale * g ** (rho - 1) + np.where(ally, (b * g[0]) ** rho * R ** (rho - 1) * R_x, 0.0)
    ) / S_power
    pull = given["council_weight"] * np.where(ally, 1.0, mean) * g**m
    p = pull / pull.sum()
    seat = m * (1 - p) / x * (1.0 if given["influence_value"] == "log" else p)
    cost = 1 / (1 - x) if given["consumption"] == "log" else np.ones(n)
    theta = (cost - given["private_weight"] / x - given["influence_weight"] * seat) / S_slope
    assert theta.min() > 0
    return alliance(gdp, theta, **parameters), plan


_GDP = (20.0, 7.0, 3.0, 1.0)
_X = (0.034, 0.015, 0.021, 0.038)
_SEATS = {
    "influence_weight": (0.01, 0.004, 0.005, 0.006),
    "private_weight": (0.0, 0.003, 0.002, 0.004),
}
_PRESSED = Plan(threat=0.5, demand=0.03)

for _name, _forms, _plan, _unique in (
    ("designed, status quo", _SEATS, Plan(), "proven"),
    ("designed, effectiveness", _SEATS | {"effectiveness": (1.0, 0.6, 1.3, 0.9)}, _PRESSED, "proven"),
    ("designed, congestion", _SEATS | {"congestion": 1.0, "umbrella": 0.7}, _PRESSED, "proven"),
    (
        "designed, council weights",
        _SEATS | {"council_weight": (2.0, 1.0, 0.5, 3.0)},
        _PRESSED,
        "not proven",
    ),
    (
        "designed, trust impact",
        _SEATS | {"decay": (0.0, 0.3, 0.8, 0.1), "contagion": 0.4, "curvature": 1.5, "cohesion": 0.5,
                  "trust": (1.0, 0.9, 0.8, 0.7), "credibility": (1.0, 0.9, 0.5, 0.7)},
        Plan(threat=(0.0, 0.4, 0.9, 0.2), demand=(1.0, 0.02, 0.04, 0.025)),
        "proven",
    ),
    (
        "designed, stationary trust",
        _SEATS | {"decay": 0.6, "contagion": 0.2, "recovery": 0.3, "trust_ceiling": (1.0, 0.9, 0.8, 1.0),
                  "trust": 0.5, "horizon": "stationary", "umbrella": (0.0, 0.9, 0.5, 0.3), "cohesion": 1.0},
        _PRESSED,
        "proven",
    ),
    (
        "designed, everything by ally",
        _SEATS | {"spillin": (0.0, 0.4, 0.9, 0.2), "umbrella": (0.0, 1.5, 0.6, 2.0), "return_spillin": 2.0,
                  "effectiveness": (1.2, 0.8, 1.1, 0.5), "decay": (0.0, 0.5, 0.1, 0.9)},
        Plan(threat=(0.0, 0.2, 1.0, 0.6), demand=(1.0, 0.06, 0.03, 0.05)),
        "not proven",
    ),
    ("designed, spill-ins above 1", _SEATS | {"spillin": 1.3}, _PRESSED, "not proven"),
    ("designed, leader alone has a say", {"influence_weight": (0.01, 0, 0, 0)}, _PRESSED, "proven"),
    ("designed, linear", _SEATS | {"consumption": "linear", "umbrella": 0.6}, _PRESSED, "proven"),
    (
        "designed, rho=-2",
        _SEATS | {"substitution": -2.0, "private_weight": (0.001, 0.003, 0.002, 0.004),
                  "decisiveness": 1.7, "umbrella": 0.4, "decay": 0.5, "cohesion": 0.3},
        _PRESSED,
        "not proven",
    ),
    (
        "designed, rho=0.3",
        _SEATS | {"substitution": 0.3, "decisiveness": 0.7, "spillin": (0.0, 0.4, 0.9, 0.2),
                  "council_weight": (1.5, 1.0, 2.0, 0.7), "decay": 0.4, "contagion": 0.1},
        _PRESSED,
        "not proven",
    ),
    (
        "designed, share m<1",
        _SEATS | {"influence_value": "share", "decisiveness": 0.6},
        _PRESSED,
        "not proven",
    ),
):  # fmt: skip
    _game, _plan = design(_GDP, _X, _plan, **_forms)
    _add(_name, _game, _X, _plan, unique=_unique)


def nato_like(members: int = 31, seed: int = 7) -> tuple[BurdenSharingGame, Array]:
    """As large and as unequal as NATO, congested, threatened: burdens first, weights from them."""
    rng = np.random.default_rng(seed)
    gdp = np.concatenate([[28000.0], np.sort(np.exp(rng.normal(5.5, 1.6, members - 1)))[::-1]])
    burdens = np.concatenate([[0.034], rng.uniform(0.011, 0.042, members - 1)])
    game, _ = design(
        gdp, burdens, congestion=1.0, umbrella=0.7, return_spillin=0.5,
        influence_weight=np.where(np.arange(members) > 0, 0.005, 0.01),
        private_weight=np.where(np.arange(members) > 0, 0.003, 0.0),
    )  # fmt: skip
    return game, burdens


_game, _x = nato_like()
_add("nato-like", _game, _x)

# --- Games without a known answer -----------------------------------------------------------------

FAMILIES: dict[str, dict[str, Any]] = {
    "log, summation": {"consumption": "log", "influence_value": "log"},
    "linear, summation": {"consumption": "linear", "influence_value": "log"},
    "log, CES, m": {
        "consumption": "log", "influence_value": "log",
        "substitution": (-2.0, -0.5, 0.3, 0.8), "decisiveness": (0.5, 2.0),
    },
    "linear, CES": {
        "consumption": "linear", "influence_value": "log", "substitution": (-2.0, -0.5, 0.3, 0.8),
    },
    "log, share, m<1": {
        "consumption": "log", "influence_value": "share", "decisiveness": (0.4, 0.8),
    },
    "linear, share": {"consumption": "linear", "influence_value": "share"},
}  # fmt: skip
"""Plain forms from which random games are drawn: a tuple is drawn from. One kernel each."""

FURTHER: dict[str, dict[str, Any]] = {
    "log, summation, tariff": {"consumption": "log", "influence_value": "log"},
    "log, hub, m<1, tariff": {
        "consumption": "log", "influence_value": "log", "influence": "hub", "decisiveness": (0.4, 0.8),
    },
    "linear, share in a hub, CES": {
        "consumption": "linear", "influence_value": "share", "influence": "hub",
        "substitution": (0.3, 0.8),
    },
}  # fmt: skip
"""Forms beyond the plain ones in which payoffs are concave still."""


def random_alliance(rng: np.random.Generator, family: str) -> tuple[BurdenSharingGame, Plan]:
    """A game and a plan that touch every parameter: corners, bounds, kinks and zeros included."""
    forms = {
        name: float(rng.choice(choice)) if isinstance(choice, tuple) else choice
        for name, choice in (FAMILIES | FURTHER)[family].items()
    }
    weak_links = forms.get("substitution", 1.0) < 0
    n = int(rng.choice((2, 3, 4, 5, 6, 7, 9, 10, 17)))  # Engines take eight allies at a time.
    size = float(rng.choice([0.05, 0.3, 1.5]))
    if forms["consumption"] == "log":
        bound = float(rng.choice([0.25, 0.6, 0.999]))
    else:
        bound = float(rng.choice([0.3, 1.5, 10.0]))

    def some(share: float, low: float, high: float) -> Array:
        """By member, zero for some."""
        return rng.uniform(low, high, n) * (rng.random(n) < share)

    def perhaps(values: Array, neutral: float = 1.0) -> Any:
        return values if rng.random() < 0.5 else neutral

    game = BurdenSharingGame(
        [f"m{i}" for i in range(n)],
        leader=f"m{rng.integers(n)}",
        gdp=np.exp(rng.normal(0.0, rng.choice([0.3, 1.5]), n)),
        security_weight=some(0.9, 0.01, size),
        influence_weight=some(float(rng.choice([0.0, 0.6, 1.0])), 0.001, size / 3),
        private_weight=some(
            1.0 if weak_links else float(rng.choice([0.0, 0.6, 1.0])), 5e-4, size / 4
        ),
        effectiveness=perhaps(rng.uniform(0.6, 1.4, n)),
        council_weight=perhaps(rng.uniform(0.4, 2.0, n)),
        spillin=perhaps(rng.uniform(0.05, 1.0, n) * float(rng.choice([1.0, 1.0, 1.8]))),
        umbrella=perhaps(rng.uniform(0.02, 2.0, n)),
        return_spillin=float(rng.choice([0.05, 0.5, 1.0, 2.0])),
        congestion=float(rng.choice([0.0, 0.5, 1.0])),
        cohesion=float(rng.choice([0.0, 0.7])),
        credibility=perhaps(rng.uniform(0.3, 1.0, n)),
        burden_min=float(rng.choice([0.0, 0.0, 0.01])),
        burden_max=perhaps(rng.uniform(0.05, 1.0, n) * bound, bound),
        trust=rng.uniform(0.3, 0.9, n),
        trust_ceiling=rng.uniform(0.9, 1.0, n),
        decay=perhaps(rng.uniform(0.0, 2.0, n), 0.0),
        curvature=float(rng.choice([0.6, 1.0, 2.0])),
        contagion=float(rng.choice([0.0, 0.4])),
        recovery=float(rng.choice([0.1, 0.4])),
        horizon=str(rng.choice(["impact", "impact", "stationary"])),
        **forms,
    )
    high = game.by_member("burden_max")
    tariff: Any = 0.0
    if family in FURTHER:
        game = game.replace(
            trade_exposure=some(0.8, 0.0, 0.3),
            rival_pull=perhaps(rng.uniform(0.0, 0.2, n), 0.0),
            deadweight=float(rng.choice([0.0, 0.4])),
            tariff_decay=float(rng.choice([0.0, 0.5])),
        )
    if "tariff" in family:
        tariff = perhaps(some(0.8, 0.0, 1.0), 0.4)
    return game, Plan(
        tariff=tariff,
        threat=perhaps(some(0.7, 0.0, 1.0), float(rng.choice([0.0, 0.3, 0.9]))),
        demand=np.minimum(perhaps(rng.uniform(0.002, 0.2, n), 0.03), high),
        burden=None if rng.random() < 0.6 else float(rng.uniform(0.01, high.min())),
    )
