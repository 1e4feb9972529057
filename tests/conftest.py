"""What the whole suite shares: one set of kernels, and reproducible random examples."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from alliancegame.payoff import kernels

# The same examples on every machine and in every run: a failure is never a matter of luck.
settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")


@pytest.fixture(scope="session", autouse=True)
def _compile_once() -> Iterator[None]:
    """Let one worker compile a form while the others wait for what it puts in the cache."""
    patch = pytest.MonkeyPatch()
    load = kernels.load_compiled

    def alone(name: str, *arguments: Any, **options: Any) -> Any:
        with _lock(name):
            return load(name, *arguments, **options)

    patch.setattr(kernels, "load_compiled", alone)
    yield
    patch.undo()


@contextlib.contextmanager
def _lock(name: str) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # No such locks on Windows: two workers may compile one form at a time.
        yield
        return
    folder = Path(tempfile.gettempdir()) / f"alliancegame-tests-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
