"""Generated kernels against the symbolic definition, for all plain forms and the others; zeros stay exact.

The text is executed as plain Python (`py_func`), so that no form has to be compiled for this.
"""

from __future__ import annotations

import ast
import functools
import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp

from alliancegame.payoff import cache, kernels
from alliancegame.payoff import symbolic as sy
from alliancegame.payoff.form import Form
from alliancegame.payoff.kernels import generated_source
from alliancegame.solve import engine

FORMS = [
    Form(*choice)
    for choice in itertools.product(
        ("log", "linear"), ("log", "share"), (True, False), (True, False)
    )
]
FORMS += [
    Form("log", "log", True, False, "hub"),
    Form("log", "log", True, True, "council", "logistic"),
    Form("log", "log", True, True, "council", "proportional", True),
]
ALLY = (
    "x", "below", "Z", "C", "G", "scale", "theta", "alpha", "private", "spillin", "umbrella",
    "bite", "demand", "weight", "levy", "rival", "width", "rho", "m",
)  # fmt: skip
LEADER = (
    "x", "Z", "C", "scale", "theta", "alpha", "private", "weight", "returned", "revenue", "share",
    "share_x", "share_xx", "rho", "m",
)  # fmt: skip
AGAINST = tuple("others" if name == "Z" else name for name in ALLY)
ROWS = (
    "scale", "theta", "alpha", "private", "spillin", "umbrella", "bite", "demand", "weight", "levy",
    "rival", "width",
)  # fmt: skip


@functools.cache
def generated(form: Form) -> Mapping[str, Any]:
    """The generated functions as plain Python, and the layout of packed allies."""
    names: dict[str, Any] = {"SEALED": True}  # Nothing is compiled.
    exec(compile(generated_source(form), f"<{form.name}>", "exec"), names)
    return {name: getattr(value, "py_func", value) for name, value in names.items()}


def draw(rng: np.random.Generator, form: Form) -> dict[str, float]:
    """A point in the domain of a member's payoff, with every term present."""
    rho = 1.0 if form.summation else float(rng.choice([-2.0, -0.5, 0.3, 0.8]))
    m = 1.0 if form.proportional else float(rng.choice([0.5, 1.7]))
    below = float(rng.integers(2))
    demand = float(rng.uniform(0.01, 0.1))
    x = demand * float(rng.uniform(0.1, 1.0) if below else rng.uniform(1.0, 3.0))
    point = {
        "x": x, "below": below, "demand": demand, "rho": rho, "m": m,
        "scale": float(rng.uniform(0.5, 20)), "G": float(rng.uniform(0.1, 2.0)),
    }  # fmt: skip
    for name in ("theta", "alpha", "private", "spillin", "umbrella", "bite", "weight", "returned",
                 "rival", "share"):  # fmt: skip
        point[name] = float(rng.uniform(0.05, 0.95))
    for name in ("levy", "revenue", "width", "share_x", "share_xx"):
        point[name] = float(rng.uniform(0.005, 0.05))
    point["g"] = point["scale"] * x
    point["others"] = float(rng.uniform(0.1, 3.0))
    point["Z"] = point["g"] ** rho + point["others"]
    point["C"] = point["weight"] * point["g"] ** m + float(rng.uniform(0.1, 3.0))
    return point


def exact(expression: Any, point: Mapping[str, float]) -> float:
    return float(expression.evalf(30, subs={s: point[str(s)] for s in expression.free_symbols}))


def problem_of(form: Form, leads: bool) -> sy.MemberProblem:
    return sy.leader_problem(form) if leads else sy.ally_problem(form)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("leads", [False, True], ids=["ally", "leader"])
def test_kernels_compute_the_symbolic_definition(form: Form, leads: bool) -> None:
    rng = np.random.default_rng(3)
    problem, who, arguments = problem_of(form, leads), *(
        ("leader", LEADER) if leads else ("ally", ALLY)
    )  # fmt: skip
    F, functions = problem.marginal, generated(form)
    aggregates = (sy.Z, sy.C) if leads else (sy.Z, sy.C, sy.G)
    wanted = [F, problem.own(F), *(sp.diff(F, s) for s in aggregates)]
    for _ in range(3):
        point = draw(rng, form)
        values = [point[name] for name in arguments]
        against = values if leads else [point[name] for name in AGAINST]
        assert functions[f"{who}_value"](*against) == pytest.approx(exact(problem.payoff, point))
        power = functions[f"{who}_security_power"](*against)
        assert power == pytest.approx(exact(problem.security_power, point), rel=1e-12)
        if not leads:
            marginal = functions["ally_marginal"](*against)
            assert marginal == pytest.approx(exact(F, point), rel=1e-9, abs=1e-11)
        found = functions[f"{who}_conditions"](*values)
        assert found == pytest.approx([exact(w, point) for w in wanted], rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_sweep_is_the_conditions_of_all_allies(form: Form) -> None:
    rng = np.random.default_rng(4)
    points = [draw(rng, form) for _ in range(16)]
    shared = {name: points[0][name] for name in ("Z", "C", "G", "rho", "m")}
    points = [point | shared for point in points]
    Z, C, G, rho, m = shared.values()
    made = generated(form)
    lanes, size = made["LANES"], made["CELL"]
    cells = np.full(3 * size, np.nan)
    places = [size * block + lane for block in (0, 1) for lane in range(lanes)]
    for place, point in zip(places, points, strict=True):
        for row in ("below", *ROWS):
            cells[place + made[f"P_{row.upper()}"]] = point[row]
        cells[place + made["P_SAFE"]] = point["x"]
    before = cells.copy()
    made["ally_sweep"](cells, 1, 2, Z, C, G, rho, m)
    others = np.r_[0:size, 2 * size : 3 * size]
    assert np.array_equal(cells[others], before[others], equal_nan=True)
    made["ally_sweep"](cells, 0, 2, Z, C, G, rho, m)
    for place, point in zip(places, points, strict=True):
        out = [cells[place + made[f"P_{row}"]] for row in ("F", "FX", "FZ", "FC", "FG", "ZX", "CX")]
        alone = made["ally_conditions"](*(point[name] for name in ALLY))
        assert out[:5] == pytest.approx(alone, rel=1e-9, abs=1e-12)
        g = point["scale"] * point["x"]
        assert out[5] == pytest.approx(rho * g**rho / point["x"])
        council = 0.0 if form.hub else m * point["weight"] * g**m / point["x"]
        assert out[6] == pytest.approx(council)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_zero_weights_remove_their_term(form: Form) -> None:
    """ln 0 behind a weight of zero is never taken: in Python it would raise."""
    point = draw(np.random.default_rng(5), form) | {"x": 0.0, "below": 1.0, "rho": 1.0}
    point |= {"private": 0.0, "alpha": 0.0, "levy": 0.0, "revenue": 0.0, "width": 1e-6}
    value = generated(form)["ally_value"](*(point[name] for name in AGAINST))
    reliability = 1 - point["bite"]
    security = point["spillin"] * point["others"] + point["umbrella"] * reliability * point["G"]
    one = 0.0 if form.consumption == "log" else 1.0
    assert value == pytest.approx(one + point["theta"] * math.log(security))
    point |= {"theta": 0.0, "others": 0.0, "Z": 0.0, "G": 0.0, "C": 0.0}
    assert generated(form)["ally_value"](*(point[name] for name in AGAINST)) == one
    assert generated(form)["leader_value"](*(point[name] for name in LEADER)) == one


def test_trust_functions() -> None:
    functions = generated(Form())
    assert functions["threat_cost"](0.25, 0.5) == 0.5
    assert functions["trust_impact"](0.4, 0.5, 0.3, 0.2, 0.5, 0.1) == pytest.approx(math.exp(-0.31))
    assert functions["shortfall"](0.01, 1.0, 0.04, 0.005) == 0.75
    assert generated(Form(shortfall="logistic"))["shortfall"](0.04, 1.0, 0.04, 0.005) == 0.5
    assert functions["stationary_trust"](0.5, 0.2, 0.9) == pytest.approx(0.5 * 0.2 * 0.9 / 0.6)
    assert functions["returned_spillin"](0.5, 0.81, 0.5) == pytest.approx(0.45)
    assert functions["influence_share"](1.0, 4.0) == 0.25
    assert functions["influence_worth"](0.25) == math.log(0.25)
    assert generated(Form(influence_value="share"))["influence_worth"](0.25) == 0.25


def test_text_is_reproducible() -> None:
    """The cache is keyed by what makes the text; the text itself must not depend on the run."""
    assert generated_source(FORMS[5]) == generated_source(FORMS[5])


@pytest.mark.parametrize("form", FORMS[:1], ids=lambda form: form.name)
def test_no_name_of_a_kernel_module_is_given_twice(form: Form) -> None:
    """Generated terms and engine share one namespace: a second meaning would depend on the order."""
    names: list[str] = []
    for node in ast.parse(generated_source(form) + engine.text()).body:
        if isinstance(node, ast.FunctionDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
    assert sorted(names) == sorted(set(names))


def test_only_what_the_entries_need_is_compiled() -> None:
    text = """
ROWS = 3
def least(x: float) -> float:
    return x * ROWS
def middle(x: float) -> float:
    return least(x)
def other(x: float) -> float:
    return middle(x)
def entry(x: float) -> float:
    return middle(x)
"""
    made = kernels._decorated(text, {"entry": "types.float64(types.float64)"}, {})
    assert [word for word in ("least", "middle", "other", "entry") if f"def {word}(" in made] == [
        "least", "middle", "entry",
    ]  # fmt: skip
    assert "ROWS = 3" in made


LINKED = """
from numba import njit

if not SEALED:
    from alliancegame.payoff.linking import LinkedCompiler

def inner(*signature, **options):
    if SEALED:
        return njit(**options)
    return njit(*signature, pipeline_class=LinkedCompiler, **options)

@inner("float64(float64)", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def half(x):
    return 0.5 * x

@inner("float64(float64)", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def more(x):
    return half(x) + 1.0

@njit("float64(float64)", cache=CACHE)
def once(x):
    return more(x)

@njit("float64(float64)", cache=CACHE)
def twice(x):
    return more(more(x)) + half(x)
"""


def test_inner_functions_are_linked_into_every_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled and loaded alike; what has no machine code of its own cannot be called by mistake."""
    monkeypatch.setattr(cache, "_loaded", {})
    assert cache.is_kept("linked", LINKED, directory=tmp_path) is False
    made = cache.load_compiled("linked", LINKED, directory=tmp_path)
    assert cache.is_kept("linked", LINKED, directory=tmp_path) is True
    with pytest.raises((TypeError, IndexError)):
        made.half(1.0)
    cache._loaded.clear()
    assert cache.is_kept("linked", LINKED, directory=tmp_path) is True
    read = cache.load_compiled("linked", LINKED, directory=tmp_path)
    assert cache.cache_statistics(read) == (2, 0)
    for module in (made, read):
        assert (module.once(3.0), module.twice(3.0)) == (2.5, 3.75)


def test_nothing_is_kept_where_nothing_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert cache.is_kept("linked", LINKED, directory=tmp_path / "file" / "kernels") is None
