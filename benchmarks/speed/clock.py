"""Processes of their own, for what must be cold or whole."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Finished:
    """A process from start to end: seconds on the clock, seconds of processor, what it printed."""

    seconds: float
    processor: float
    printed: str


def _here() -> str:
    """The search path of this interpreter: the process solves with the code that is measured."""
    root = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])


def run(*command: str, environment: Mapping[str, str] | None = None) -> Finished:
    """Run a process in an empty folder, which is removed afterwards.

    Raises `CalledProcessError` if it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        before = os.times()
        start = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": _here(), **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - start
        after = os.times()
    if done.returncode:
        sys.stderr.write(done.stderr)
        done.check_returncode()
    processor = sum(after[2:4]) - sum(before[2:4])  # user and system, of the children
    return Finished(seconds, processor, done.stdout)


def python(code: str, arguments: Sequence[str] = ()) -> Finished:
    """`run` for a few lines of Python in a fresh interpreter: a file, so that workers can read it."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.py"
        script.write_text(code, encoding="utf-8")
        return run(sys.executable, str(script), *arguments)
