"""What the suite's tests share: the machine's description, and one way to time and label a figure."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from benchmarks.machine import describe


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick", action="store_true", help="few repetitions, at most 100,000 allies or scenarios"
    )


def pytest_benchmark_generate_machine_info() -> dict[str, Any]:
    return describe()  # Without the machine's name, which the plugin would add.


def pytest_benchmark_generate_commit_info() -> dict[str, Any]:
    return {}


@pytest.fixture(scope="session")
def quick(pytestconfig: pytest.Config) -> bool:
    return bool(pytestconfig.getoption("--quick"))


@pytest.fixture
def clock(benchmark: Any, quick: bool) -> Callable[..., None]:
    """Time `work` and label the figure.

    `count` pieces of work are done in each call, of which `unit` is one. `most` is a target in
    seconds for a call, `least` one in pieces a second. `note` says what is to be known beside it.
    """

    def measure(
        group: str,
        item: str,
        work: Callable[[], Any],
        *,
        count: int = 1,
        unit: str = "call",
        most: float | None = None,
        least: float | None = None,
        rounds: int = 25,
        iterations: int = 1,
        warmup: int = 1,
        note: str = "",
        **facts: Any,
    ) -> None:
        benchmark.group = group
        benchmark.extra_info.update(
            item=item, count=count, unit=unit, most=most, least=least, note=note
        )
        benchmark.extra_info.setdefault("facts", {}).update(facts)
        fewer = min(rounds, 3) if quick else rounds
        benchmark.pedantic(work, rounds=fewer, iterations=iterations, warmup_rounds=warmup)

    return measure


@pytest.fixture
def facts(benchmark: Any) -> dict[str, Any]:
    """Facts beside the figure that are known only once the work is done."""
    found: dict[str, Any] = benchmark.extra_info.setdefault("facts", {})
    return found


CHUNK = 32_768
"""Scenarios of one call of the kernel: as many as a sweep's chunk has."""


def in_chunks(solve: Callable[[slice], Any], count: int, threads: int) -> Callable[[], None]:
    """Work that solves `count` scenarios chunk by chunk, in threads that take turns at chunks."""
    parts = [slice(k, min(k + CHUNK, count)) for k in range(0, count, CHUNK)]

    def work() -> None:
        if threads == 1:
            for part in parts:
                solve(part)
            return
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(solve, parts):
                pass

    return work


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shuffled(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same values in a random order."""
    return np.random.default_rng(1).permutation(values)
