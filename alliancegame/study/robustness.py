"""Does a conclusion survive another functional form? The same question over many specifications.

A specification is one choice of every form: how contributions turn into influence and what influence
is worth, how forces add up, what a missed demand is, how consumption is valued. Each is calibrated
anew, so that all have the same status quo, A; what differs is what the plan then does.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from alliancegame.errors import AllianceGameError, InvalidValueError, unknown_name
from alliancegame.game.checks import check_game, check_plan_type
from alliancegame.game.game import PARAMETERS, BurdenSharingGame
from alliancegame.game.parameters import Array, frozen_array, validate
from alliancegame.game.plan import Plan
from alliancegame.payoff.form import Form
from alliancegame.solve import aggregative
from alliancegame.solve.compile_ahead import compile_ahead, missing
from alliancegame.solve.kernels import form_of
from alliancegame.solve.nash import pressed, status_quo
from alliancegame.solve.result import Result, numbers, provenance
from alliancegame.solve.tolerances import DEFAULT, Tolerances, check_tolerances
from alliancegame.solve.trigger.sides import without_jumps
from alliancegame.study.calibrate import calibrate
from alliancegame.study.compare import compare_without_parts
from alliancegame.study.outcomes import OUTCOMES
from alliancegame.study.sweeping.progress import Hook, Meter, listening

if TYPE_CHECKING:
    import pandas as pd

FORMS: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "influence": ("council", "hub"),
        "influence_value": ("log", "share"),
        "substitution": (1.0, 0.7, 0.4),
        "consumption": ("log", "linear"),
        "shortfall": ("proportional", "trigger", "logistic"),
    }
)
"""The forms that are varied unless others are named, each with its values."""

VARIABLE = ("influence", "influence_value", "substitution", "technology", "decisiveness",
            "consumption", "shortfall", "width", "congestion", "horizon")  # fmt: skip
"""What a specification may vary: forms, and the exponents that shape them."""

NO_ANSWER = "no answer"
MOST = 2_000


@dataclasses.dataclass(frozen=True)
class Specification:
    """One specification and what the plan brings the leader in it.

    `forms` has a value for every form that was varied. `outcome` is one of OUTCOMES, or "no answer",
    and `message` then says why. `delta_payoff` and `gain_usd_bn` (a year) are against A; `verdict` and
    `unique` are the certificate's of the equilibrium under the plan. `own` says that the forms are those
    of the game as it was given.
    """

    forms: Mapping[str, Any]
    outcome: str
    delta_payoff: float
    gain_usd_bn: float
    allied_change: float
    influence_change: float
    verdict: str
    unique: str
    message: str
    own: bool


def robustness(
    game: BurdenSharingGame,
    plan: Plan,
    *,
    forms: Mapping[str, Sequence[Any]] | None = None,
    observed: Any = None,
    recalibrate: bool = True,
    tolerances: Tolerances = DEFAULT,
    progress: Any = None,
) -> Robustness:
    """Ask what a plan brings the leader in every combination of functional forms.

    `forms` maps names among VARIABLE to the values that are tried, `FORMS` by default; all
    combinations are. Each specification is calibrated to the burdens `observed` (by member, shares of
    GDP), by default the burdens at A of the game as given, by its security weights; so that every
    specification has the same A. Where influence is valued by its share instead of its logarithm, or
    in a hub instead of a council, the value of influence is carried over: a point of influence is
    worth the same to every member at A. `recalibrate=False` keeps all weights as they are.

    A specification that cannot be calibrated or solved is listed with its reason, never left out.
    Forms that this machine has not met before are compiled first, several at a time in processes of
    their own. `progress` is True for a bar on standard error, None for one if that is a terminal, False
    for none, or a function that is given a `Progress` of "kernels" and then of "specifications".

    Raises `UnknownNameError` for forms that do not exist, `InvalidValueError` for values out of range
    and for more than 2,000 combinations.
    """
    check_game(game, "robustness")
    check_tolerances(tolerances)
    check_plan_type(plan)
    aggregative.check_plan(game, plan)
    varied = _checked(game, FORMS if forms is None else forms)
    count = int(np.prod([len(values) for values in varied.values()]))
    if count > MOST:
        raise InvalidValueError(
            f"robustness takes at most {MOST} specifications, got {count}: name fewer forms or values."
        )
    given = status_quo(game)
    burdens = given.burdens if observed is None else aggregative.checked_profile(game, observed)
    asked = [
        dict(zip(varied, values, strict=True)) for values in itertools.product(*varied.values())
    ]
    with listening(progress, "robustness") as listener:
        _compile_ahead(game, plan, asked, listener)
        meter = Meter(len(asked), 0, 0, listener, "specifications")
        found = []
        for forms_of_one in asked:
            one = _specification(game, plan, forms_of_one, burdens, recalibrate, tolerances)
            found.append(one)
            meter.add(1, one.outcome == NO_ANSWER)
    return Robustness(game, plan, tuple(found), frozen_array(burdens), recalibrate)


def _compile_ahead(
    game: BurdenSharingGame, plan: Plan, asked: Sequence[dict[str, Any]], listener: Hook | None
) -> None:
    """Have the kernels that the cache lacks compiled, in processes."""
    needed: list[Form] = []
    for forms in asked:
        with contextlib.suppress(AllianceGameError):  # It has no answer, and will say why.
            needed += _kernels_of(game.replace(**forms), plan)
    lacking = missing(needed)
    if len(lacking) > 1:
        meter = Meter(len(lacking), 0, 0, listener, "kernels")
        compile_ahead(lacking, tell=lambda: meter.add(1, 0))


def _kernels_of(game: BurdenSharingGame, plan: Plan) -> list[Form]:
    """The kernels that a specification takes: without pressure, and under the plan."""
    if game.technology != "ces":
        return []  # Its solver asks the engine for the trust law alone, in the usual forms.
    needed = [form_of(without_jumps(game))]
    # On each compliance set a trigger game is a plain one.
    under = without_jumps(game) if game.shortfall == "trigger" else game
    if pressed(game, plan):
        needed.append(form_of(under, plan.taxed))
    return needed


def _checked(game: BurdenSharingGame, forms: Any) -> dict[str, tuple[Any, ...]]:
    if not isinstance(forms, Mapping) or not forms:
        raise InvalidValueError(
            f'forms must be a dict such as {{"influence": ["council", "hub"]}}, got {forms!r}.'
        )
    checked: dict[str, tuple[Any, ...]] = {}
    for name, values in forms.items():
        if name not in VARIABLE:
            raise unknown_name("form", str(name), VARIABLE)
        if isinstance(values, (str, bytes)) or not isinstance(values, (Sequence, np.ndarray)):
            raise InvalidValueError(f"{name} needs a list of values, got {values!r}.")
        if not len(values):
            raise InvalidValueError(f"{name} needs at least one value, got none.")
        kept: list[Any] = []
        for value in values:
            one = validate(PARAMETERS[name], value, game.members, game.leader)
            if one in kept:
                raise InvalidValueError(f"{name} has the value {one!r} twice.")
            kept.append(one)
        checked[name] = tuple(kept)
    return checked


def _specification(
    game: BurdenSharingGame,
    plan: Plan,
    forms: dict[str, Any],
    burdens: Array,
    recalibrate: bool,
    tolerances: Tolerances,
) -> Specification:
    own = all(getattr(game, name) == value for name, value in forms.items())
    try:
        formed = game if own else game.replace(**forms)
        if recalibrate:
            formed = calibrate(_influence_carried_over(game, formed, burdens), burdens)
        compared = compare_without_parts(formed, plan, tolerances)
    except AllianceGameError as error:
        nothing = float("nan")
        return Specification(
            forms, NO_ANSWER, nothing, nothing, nothing, nothing, "unverified", "not proven",
            str(error), own,
        )  # fmt: skip
    base, result = compared.baseline, compared.result
    return Specification(
        forms,
        compared.outcome,
        compared.delta_payoff,
        compared.gain_usd_bn,
        result.allied_burden - base.allied_burden,
        result.leader_influence - base.leader_influence,
        compared.certificate.verdict,
        compared.certificate.unique,
        "",
        own,
    )


def _influence_carried_over(
    game: BurdenSharingGame, formed: BurdenSharingGame, burdens: Array
) -> BurdenSharingGame:
    """The formed game with influence weights at which a point of influence is worth the same at A."""
    before, after = (
        aggregative.best_deviations(without_jumps(one), burdens, Plan()).influence
        for one in (game, formed)
    )
    worth = game.by_member("influence_weight")
    worth = worth / before if game.influence_value == "log" else worth
    weights = worth * after if formed.influence_value == "log" else worth
    if np.array_equal(weights, game.by_member("influence_weight")):
        return formed
    return formed.replace(influence_weight=np.where(worth > 0, weights, 0.0))


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Robustness(Result):
    """What a plan brings the leader, specification by specification.

    A sequence of `Specification`. `observed` are the burdens to which each was calibrated (if
    `recalibrated`), in member order.
    """

    kind: ClassVar[str] = "robustness"

    game: BurdenSharingGame
    plan: Plan
    specifications: tuple[Specification, ...]
    observed: Array
    recalibrated: bool

    def __len__(self) -> int:
        return len(self.specifications)

    def __getitem__(self, index: int) -> Specification:
        return self.specifications[index]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many specifications have each outcome; "no answer" stands last."""
        found = [s.outcome for s in self.specifications]
        return {name: found.count(name) for name in (*OUTCOMES, NO_ANSWER) if name in found}

    @property
    def answered(self) -> int:
        """Specifications that have an answer."""
        return len(self) - self.counts.get(NO_ANSWER, 0)

    @cached_property
    def shares(self) -> dict[str, float]:
        """Shares of the outcomes among the specifications that have an answer."""
        return {
            name: count / self.answered for name, count in self.counts.items() if name != NO_ANSWER
        }

    @property
    def better_off(self) -> float:
        """The share of answered specifications in which the leader gains; nan if there are none."""
        if not self.answered:
            return float("nan")
        return sum(self.shares.get(name, 0.0) for name in OUTCOMES[:2])

    @property
    def agreement(self) -> float:
        """The share of answered specifications with the outcome that most of them have."""
        return max(self.shares.values(), default=float("nan"))

    def headline(self) -> str:
        """One line that says what was found."""
        found = ", ".join(
            f"{share:.0%} {name}" for name, share in self.shares.items()
        )  # fmt: skip
        missing = len(self) - self.answered
        without = f" of those with an answer; {missing} without one" if missing else ""
        anew = "each calibrated to the same status quo" if self.recalibrated else "weights kept"
        return (
            f"{self.plan.describe()} in {len(self)} specifications, {anew}: "
            f"{found or 'no answer'}{without}"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row a specification: its forms, and what the plan brings the leader."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    **s.forms,
                    "outcome": s.outcome,
                    "delta_payoff": s.delta_payoff,
                    "gain_usd_bn": s.gain_usd_bn,
                    "allied_change": s.allied_change,
                    "influence_change": s.influence_change,
                    "verdict": s.verdict,
                    "unique": s.unique,
                    "own": s.own,
                    "message": s.message,
                }
                for s in self.specifications
            ]
        )

    def by_form(self) -> pd.DataFrame:
        """How much each form matters: among the answered, by value, how many gain, and the mean gain."""
        import pandas as pd

        frame = self.to_frame()
        frame = frame[frame["outcome"] != NO_ANSWER]
        rows = []
        for name in self.specifications[0].forms:
            for value, some in frame.groupby(name, sort=False):
                rows.append(
                    {
                        "form": name,
                        "value": value,
                        "specifications": len(some),
                        "better off": float((some["outcome"].isin(OUTCOMES[:2])).mean()),
                        "mean gain_usd_bn": float(some["gain_usd_bn"].mean()),
                    }
                )
        return pd.DataFrame(rows)

    def _content(self) -> dict[str, Any]:
        return {
            "game": self.game.to_dict(),
            "plan": self.plan.to_dict(),
            "specifications": [
                {**dataclasses.asdict(s), "forms": dict(s.forms)} for s in self.specifications
            ],
            "observed": self.observed.tolist(),
            "recalibrated": self.recalibrated,
            "provenance": provenance(self.game),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild the result from its plain values."""
        game = BurdenSharingGame.from_dict(
            {**content["game"], "provenance": content["provenance"].get("game", {})}
        )
        changes = ("delta_payoff", "gain_usd_bn", "allied_change", "influence_change")
        return cls(
            game,
            Plan(**content["plan"]),
            tuple(
                Specification(**{**s, **{name: float(s[name]) for name in changes}})
                for s in content["specifications"]
            ),
            numbers(content["observed"]),
            content["recalibrated"],
        )
