"""Bad input at the doors of everything about time: errors of ours, never anybody's traceback."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import AllianceGameError, InvalidValueError

GAME = ag.load_model("three-allies").replace(recovery=0.2)
CONTROL: dict[str, Any] = {
    "payoff": lambda s, a: a * (1 - a) + s[:, 0], "motion": lambda s, a: 0.9 * s, "initial": 1.0,
}  # fmt: skip
MOTION: dict[str, Any] = {"impact": lambda s, t: s[:, 0], "recover": lambda s, t: 0.9 * s}
RATES = {"depreciation": 0.1, "interest": 0.05}

WRONG = (None, -1, math.nan, math.inf, "x", [], True, {}, object(), [None], 1 + 2j)
CALLS: dict[str, tuple[Callable[[Any], Any], tuple[Any, ...]]] = {
    # What is asked, with the values of WRONG that it takes.
    "game": (lambda v: ag.solve_trust_path(v), ()),
    "concept": (lambda v: ag.solve_trust_path(GAME, v), ()),
    "periods": (lambda v: ag.solve_trust_path(GAME, "myopic", v), ()),
    "discount": (lambda v: ag.solve_trust_path(GAME, "myopic", 3, v), ()),
    "demand": (lambda v: ag.solve_trust_path(GAME, "myopic", 3, demand=v), ({},)),
    "law": (lambda v: ag.solve_trust_path(GAME, "myopic", 3, law=v), (None,)),
    "by_ally": (lambda v: ag.solve_trust_path(GAME, "open-loop", 3, by_ally=v), (True,)),
    "turnovers": (lambda v: ag.solve_trust_path(GAME, "myopic", 3, turnovers=v), ([], {})),
    "tolerance": (lambda v: ag.solve_trust_path(GAME, "markov", 3, tolerance=v), (None,)),
    "nodes": (lambda v: ag.solve_trust_path(GAME, "markov", 3, nodes=v), (None,)),
    "floor": (lambda v: ag.solve_trust_path(GAME, "markov", 3, floor=v), ()),
    "followed game": (lambda v: ag.follow_trust_path(v, [0.1]), ()),
    "threats": (lambda v: ag.follow_trust_path(GAME, v), ()),
    "a threat": (lambda v: ag.follow_trust_path(GAME, [v], 2), ({},)),
    "followed periods": (lambda v: ag.follow_trust_path(GAME, [0.1], v), ()),
    "followed turnovers": (lambda v: ag.follow_trust_path(GAME, [0.1], 2, turnovers=v), ([], {})),
    "backfire": (lambda v: ag.dynamic_backfire(GAME, v), ()),
    "backfire discount": (lambda v: ag.dynamic_backfire(GAME, [0.1], v), ()),
    "patient game": (lambda v: ag.patience_threshold(v), ()),
    "patient demand": (lambda v: ag.patience_threshold(GAME, demand=v), ({},)),
    "most": (lambda v: ag.patience_threshold(GAME, most=v), ()),
    "patient tolerance": (lambda v: ag.patience_threshold(GAME, tolerance=v), ()),
    "patient floor": (lambda v: ag.patience_threshold(GAME, floor=v), ()),
    "recovering game": (lambda v: ag.recovery_time(v), ()),
    "recovery threat": (lambda v: ag.recovery_time(GAME, v), ({},)),
    "share": (lambda v: ag.recovery_time(GAME, share=v), ()),
    "longest": (lambda v: ag.recovery_time(GAME, longest=v), ()),
    "regimes game": (lambda v: ag.trust_regimes(v, {"decay": [0.1], "discount": [0.3]}), ()),
    "over": (lambda v: ag.trust_regimes(GAME, v), ()),
    "axis": (lambda v: ag.trust_regimes(GAME, {"decay": v, "discount": [0.3]}), ()),
    "value": (lambda v: ag.trust_regimes(GAME, {"decay": [v], "discount": [0.3]}), ()),
    "regimes discount": (
        lambda v: ag.trust_regimes(GAME, {"decay": [0.1], "recovery": [0.3]}, discount=v), (),
    ),
    "regimes floor": (
        lambda v: ag.trust_regimes(GAME, {"decay": [0.1], "discount": [0.3]}, floor=v), (),
    ),
    "data": (lambda v: ag.fit_trust_law(v), (None,)),
    "countries": (lambda v: ag.fit_trust_law(countries=v), (None,)),
    "coverage": (lambda v: ag.fit_trust_law(coverage=v), ()),
    "draws": (lambda v: ag.fit_trust_law(draws=v), ()),
    "seed": (lambda v: ag.fit_trust_law(seed=v), ()),
    "benefit": (lambda v: ag.solve_accumulation(v, **RATES), ()),
    "saturation": (lambda v: ag.solve_accumulation(saturation=v, **RATES), ()),
    "cost": (lambda v: ag.solve_accumulation(cost=v, **RATES), ()),
    "depreciation": (lambda v: ag.solve_accumulation(**(RATES | {"depreciation": v})), ()),
    "interest": (lambda v: ag.solve_accumulation(**(RATES | {"interest": v})), ()),
    "members": (lambda v: ag.solve_accumulation(members=v, **RATES), ()),
    "start": (lambda v: ag.solve_accumulation(start=v, **RATES), (-1,)),
    "stock concept": (lambda v: ag.solve_accumulation(**RATES).path(v, [1.0]), ()),
    "times": (lambda v: ag.solve_accumulation(**RATES).path("feedback", v), ([],)),
    **{
        f"control {name}": (lambda v, name=name: ag.TrustControl(**(CONTROL | {name: v})), fine)
        for name, fine in (
            ("payoff", ()), ("motion", ()), ("initial", ()), ("action", ()), ("states", ("x",)),
            ("bounds", ()), ("turnover", ()), ("after_turnover", (None,)),
        )
    },
    **{
        f"motion {name}": (lambda v, name=name: ag.TrustMotion(**(MOTION | {name: v})), fine)
        for name, fine in (
            ("impact", ()), ("recover", ()), ("initial", ()), ("states", ("x",)), ("turnover", ()),
            ("after_turnover", (None,)),
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_wrong_values_are_refused_at_the_door(name: str) -> None:
    call, fine = CALLS[name]
    for value in WRONG:
        if name.endswith("states") and value == "x":
            with pytest.raises(InvalidValueError, match="distinct names"):
                call(value)
        elif not any(value is f or (value == f and type(value) is type(f)) for f in fine):
            with pytest.raises(AllianceGameError) as caught:
                call(value)
            assert len(str(caught.value)) > 20, value


@pytest.mark.parametrize("concept", ["myopic", "stationary", "open-loop", "markov"])
@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"impact": lambda s, t: 2 * s[:, 0]}, r"leaves \[0, 1\]: operating trust becomes 2 from 1"),
        ({"recover": lambda s, t: s + 0.3}, r"leaves \[0, 1\]: trust becomes 1.3 from 1"),
        ({"recover": lambda s, t: s * math.nan}, "trust becomes nan"),
        ({"impact": lambda s, t: np.ones(7)}, "impact must return numbers of shape"),
        ({"recover": lambda s, t: "x"}, "recover must return numbers of shape"),
    ],
)  # fmt: skip
def test_laws_that_leave_their_bounds_are_refused_by_every_concept(
    concept: str, change: dict[str, Any], match: str
) -> None:
    with pytest.raises(InvalidValueError, match=match):
        ag.solve_trust_path(GAME, concept, 3, 0.3, law=ag.TrustMotion(**(MOTION | change)))


@pytest.mark.parametrize("concept", ["myopic", "stationary", "open-loop", "markov"])
@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"motion": lambda s, a: s + 0.3}, r"leaves \[0, 1\]: trust becomes 1\."),
        ({"motion": lambda s, a: np.ones(3)}, "motion must return numbers of shape"),
        ({"payoff": lambda s, a: a * math.nan}, "payoff is nan at trust"),
        ({"payoff": lambda s, a: np.ones(3)}, "payoff must return numbers of shape"),
    ],
)  # fmt: skip
def test_users_problems_are_checked_by_every_concept(
    concept: str, change: dict[str, Any], match: str
) -> None:
    with pytest.raises(InvalidValueError, match=match):
        ag.solve_trust_path(ag.TrustControl(**(CONTROL | change)), concept, 3, 0.3)


def test_a_state_without_a_finite_payoff_is_refused() -> None:
    hopeless = ag.TrustControl(**(CONTROL | {"payoff": lambda s, a: -np.inf}))
    with pytest.raises(InvalidValueError, match="no action has a finite payoff"):
        ag.solve_trust_path(hopeless, "markov", 3, 0.3)


def test_axes_of_regimes_rise() -> None:
    with pytest.raises(InvalidValueError, match="values that rise"):
        ag.trust_regimes(GAME, {"decay": [0.2, 0.1], "discount": [0.3]})


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"payoff": lambda s, a: np.array([0.5])}, r"payoff must .* shape \(3,\).*got shape \(1,\)"),
        ({"payoff": lambda s, a: s * a[:, None]}, r"payoff must .* \(3,\).*got shape \(3, 1\)"),
        ({"motion": lambda s, a: 0.9 * s[:, 0]}, r"motion must .* \(3, 1\).*got shape \(3,\)"),
        ({"motion": lambda s, a: s * a}, r"motion must .* \(3, 1\).*got shape \(3, 3\)"),
        (
            {"motion": lambda s, a: np.array([0.5, 0.5]), "states": ("x", "y"), "initial": (1, 1)},
            r"motion must .* \(3, 2\).*got shape \(2,\)",
        ),
        ({"after_turnover": lambda s: s[0]}, r"after_turnover must .* \(3, 1\).*got shape \(1,\)"),
        ({"payoff": lambda s, a: 1 / 0}, r"payoff raised ZeroDivisionError \(division by zero\)"),
        ({"motion": lambda s, a: s[:, 3]}, "motion raised IndexError"),
        ({"after_turnover": lambda s: {}["x"]}, "after_turnover raised KeyError"),
    ],
)  # fmt: skip
def test_users_functions_of_wrong_shape_or_that_raise_are_named_at_once(
    change: dict[str, Any], match: str
) -> None:
    with pytest.raises(InvalidValueError, match=match) as caught:
        ag.TrustControl(**(CONTROL | change))
    if "raised" in match:
        assert caught.value.__cause__ is not None


@pytest.mark.parametrize("concept", ["myopic", "stationary", "open-loop", "markov"])
@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"impact": lambda s, t: 1 / 0}, "impact raised ZeroDivisionError"),
        ({"recover": lambda s, t: s[:, 5]}, "recover raised IndexError"),
        ({"recover": lambda s, t: np.full((7, 1), 0.5)}, r"recover must .*got shape \(7, 1\)"),
    ],
)  # fmt: skip
def test_users_laws_that_raise_are_named(concept: str, change: dict[str, Any], match: str) -> None:
    with pytest.raises(InvalidValueError, match=match):
        ag.solve_trust_path(GAME, concept, 3, 0.3, law=ag.TrustMotion(**(MOTION | change)))


def test_one_number_counts_for_all_cases() -> None:
    still = ag.TrustControl(**(CONTROL | {"payoff": lambda s, a: 1.0, "motion": lambda s, a: 0.5}))
    assert ag.solve_trust_path(still, "myopic", 3, 0.5).value == pytest.approx(2.0)
