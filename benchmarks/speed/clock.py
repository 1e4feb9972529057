"""Repetitions, medians, and processes of their own for what must be cold."""

from __future__ import annotations

import dataclasses
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Timing:
    """Seconds: the median of `repetitions`, and the quickest."""

    median: float
    best: float
    repetitions: int


def timed(work: Callable[[], Any], repetitions: int) -> Timing:
    """Time a call in this process, after one call that does not count."""
    return summary(each(work, repetitions))


def each(work: Callable[[], Any], repetitions: int) -> list[float]:
    """Seconds of each repetition of a call, after one call that does not count."""
    work()
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return seconds


def summary(seconds: Sequence[float]) -> Timing:
    """The timing that these repetitions give."""
    return Timing(statistics.median(seconds), min(seconds), len(seconds))


@dataclasses.dataclass(frozen=True)
class Finished:
    """A process from start to end: seconds on the clock, seconds of processor, what it printed."""

    seconds: float
    processor: float
    printed: str


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
            env={**os.environ, **(environment or {})},
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


def python(code: str, environment: Mapping[str, str] | None = None) -> Finished:
    """`run` for a few lines of Python in a fresh interpreter."""
    return run(sys.executable, "-c", code, environment=environment)
