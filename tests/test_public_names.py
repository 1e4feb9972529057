"""The public names: complete, typed, resolved when first used, and light to import."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import alliancegame as ag

SLOW = ("scipy", "pandas", "numba", "sympy", "cvxpy", "matplotlib", "xarray", "zarr", "nashpy")
PROMISED = (
    "AggregativeGame", "AllianceGameError", "BurdenSharingGame", "CoalitionGame", "ContinuousGame",
    "Equilibrium", "FiniteGame",
    "Plan", "Tolerances", "TrustLaw", "backfire_threshold", "banzhaf", "burden_shares",
    "calibrate", "certify", "channels", "coalition_game", "coalition_stability", "compare",
    "core", "credible_targets", "discretise", "errors", "explain", "find_equilibria", "from_frame",
    "frontier",
    "global_sensitivity", "latex", "latin_hypercube", "leave_one_out", "list_models",
    "load_model", "load_result", "nucleolus", "price_of_anarchy", "random_sample", "regime_map",
    "respond", "robustness", "sensitivities", "shapley", "sobol", "solve_accumulation", "solve_alignment",
    "solve_commitment", "solve_nash", "unravelling",
    "solve_social_optimum", "solve_stackelberg", "solve_trust_path", "stable_coalitions",
    "stable_sizes", "sweep", "uncertainty", "verify", "zipped",
)  # fmt: skip
"""What ARCHITECTURE.md puts on the doors, as far as this version goes."""


def run(code: str) -> Any:
    """What a fresh interpreter prints, as JSON."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_importing_the_package_loads_numpy_at_most() -> None:
    loaded = run(
        "import sys, json, alliancegame\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    assert not set(SLOW) & set(loaded)


def test_describing_a_game_and_a_plan_loads_numpy_at_most() -> None:
    """What a user types first must not cost a second."""
    loaded = run(
        "import sys, json, alliancegame as ag\n"
        "game = ag.BurdenSharingGame(['L', 'A'], leader='L', gdp=[2, 1], security_weight=0.05)\n"
        "ag.Plan(threat=0.5).threat_by_member(game.members), game.replace(decay=0.3).hash\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    assert not set(SLOW) & set(loaded)


@pytest.mark.parametrize("name", sorted(ag.__all__))
def test_every_public_name_resolves(name: str) -> None:
    value = getattr(ag, name)
    assert value is getattr(ag, name)
    assert name in dir(ag)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert value.__module__.startswith("alliancegame.")
        assert inspect.getdoc(value), f"{name} has no docstring"


def test_the_names_on_the_doors_are_there() -> None:
    assert set(PROMISED) <= set(ag.__all__)
    assert len(ag.__all__) == len(set(ag.__all__))


def test_homes_agree_with_what_type_checkers_see() -> None:
    """`_HOMES` serves the interpreter, the imports under TYPE_CHECKING everybody else."""
    tree = ast.parse(Path(ag.__file__).read_text(encoding="utf-8"))
    checked = {
        alias.name: node.module
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    homes = {name: home for home, names in ag._HOMES.items() for name in names}
    assert checked == homes
    for block in ast.walk(tree):
        if isinstance(block, ast.ImportFrom):  # `import a as a` marks a public name for them.
            assert all(a.asname in (None, a.name) for a in block.names)


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'solve_nsah'"):
        _ = ag.solve_nsah  # type: ignore[attr-defined]
    assert not hasattr(ag, "np_")


def test_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert ag.__version__ == version("alliancegame")


def test_types_are_shipped() -> None:
    assert (Path(ag.__file__).parent / "py.typed").is_file()


def test_every_error_is_one_of_ours() -> None:
    from alliancegame import errors

    ours = {
        name: value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and value.__module__ == "alliancegame.errors"
    }
    for name, value in ours.items():
        assert inspect.getdoc(value)
        if name.endswith("Warning"):
            assert issubclass(value, UserWarning)
        elif name != "AllianceGameError":
            assert issubclass(value, errors.AllianceGameError)
