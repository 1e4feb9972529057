"""Fresh processes and whole commands: what a person waits for."""

from __future__ import annotations

import itertools
import sys
import tempfile
from pathlib import Path

import pytest

from benchmarks.problems import BURDEN, MODEL
from benchmarks.speed.clock import python, run

GROUP = "Fresh processes and whole commands"
HEAVY = ("cvxpy", "matplotlib", "numba", "pandas", "scipy", "sympy", "xarray")
IMPORTING = "import {}"
SOLVING = (
    "import alliancegame as ag; "
    f"ag.respond(ag.load_model({MODEL!r}), ag.Plan(threat=0.5, burden={BURDEN}))"
)
REPORT = (sys.executable, "-m", "alliancegame.cli", "report", MODEL, "--out", "report")


@pytest.mark.parametrize("module", ["alliancegame", "numpy", "sys"])
def test_import(clock, module):
    """Whole processes; the interpreter's own start is the line of `sys`, which costs nothing more."""
    python(f"import alliancegame, sys; assert not set({HEAVY!r}) & set(sys.modules)")
    note = {"sys": "the interpreter alone", "numpy": "for comparison"}.get(module, "")
    clock(
        GROUP, f"process that imports {module}", lambda: python(f"import {module}"), rounds=11,
        most=0.25 if module == "alliancegame" else None, note=note, module=module,
    )  # fmt: skip


def test_first_solution(clock):
    clock(
        GROUP, "first solution of a process", lambda: python(SOLVING), rounds=7, most=2.0,
        note="import, load, calibrate, respond; kernels on disk",
    )  # fmt: skip


def test_report_warm(clock):
    clock(GROUP, f"alliancegame report {MODEL}, warm", lambda: run(*REPORT), rounds=3, most=8.0,
          note="kernels on disk")  # fmt: skip


def test_report_cold(clock):
    with tempfile.TemporaryDirectory() as caches:
        fresh = (Path(caches) / str(k) for k in itertools.count())

        def work():
            run(*REPORT, environment={"ALLIANCEGAME_CACHE_DIR": str(next(fresh))})

        clock(GROUP, f"alliancegame report {MODEL}, cold", work, rounds=1, warmup=0, most=60.0,
              note="kernels compiled; one repetition")  # fmt: skip
