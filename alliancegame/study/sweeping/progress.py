"""How far a sweep or another long question has come: on a terminal, to a function, or to nobody."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from alliancegame.errors import InvalidValueError


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where a sweep stands: what a `progress` function is given after each chunk.

    Of `cells`, `done` are solved, `resumed` of them in earlier runs; `failed` have no answer.
    `seconds` is the time of this run. `things` says what is counted, if not cells: kernels that are
    compiled first, or specifications.
    """

    cells: int
    done: int
    resumed: int
    failed: int
    seconds: float
    things: str = "cells"

    @property
    def rate(self) -> float:
        """Cells per second in this run."""
        return (self.done - self.resumed) / self.seconds if self.seconds > 0 else 0.0

    @property
    def remaining(self) -> float:
        """Seconds left at this rate; infinite as long as there is none."""
        return (self.cells - self.done) / self.rate if self.rate > 0 else float("inf")


Hook = Callable[[Progress], object]


class Meter:
    """Counts cells and tells whoever listens."""

    def __init__(
        self, cells: int, resumed: int, failed: int, listener: Hook | None, things: str = "cells"
    ) -> None:
        self._cells, self._done, self._resumed, self._failed = cells, resumed, resumed, failed
        self._things = things
        self._listener = listener
        self._start = time.monotonic()
        self.tell()

    def add(self, cells: int, failed: int) -> None:
        """A chunk is done."""
        self._done += cells
        self._failed += failed
        self.tell()

    def tell(self) -> None:
        """Say where the sweep stands."""
        if self._listener is not None:
            seconds = time.monotonic() - self._start
            self._listener(
                Progress(
                    self._cells, self._done, self._resumed, self._failed, seconds, self._things
                )
            )


@contextlib.contextmanager
def listening(progress: Any, title: str = "sweep") -> Iterator[Hook | None]:
    """Who is told: a function; or a bar on a terminal if `progress` is True, or None on a terminal."""
    if progress is None:
        progress = sys.stderr is not None and sys.stderr.isatty()
    if callable(progress):
        yield progress
    elif progress is True:
        with _bar(title) as show:
            yield show
    elif progress is False:
        yield None
    else:
        raise InvalidValueError(
            f"progress must be True, False, None or a function of a Progress, got {progress!r}."
        )


@contextlib.contextmanager
def _bar(title: str) -> Iterator[Hook]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn(title),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[say]}"),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None, say="")

        def show(now: Progress) -> None:
            bar.update(task, total=now.cells, completed=now.done, say=in_words(now))

        yield show


def in_words(now: Progress) -> str:
    """One line: cells, rate, time left, failures."""
    parts = [f"{now.done:,} of {now.cells:,} {now.things}"]
    if now.rate > 0:
        if now.rate >= 1:
            parts.append(f"{now.rate:,.0f} a second")
        if now.done < now.cells:
            parts.append(f"{_duration(now.remaining)} left")
    if now.failed:
        parts.append(f"{now.failed:,} without an answer")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
