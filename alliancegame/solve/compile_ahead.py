"""Kernels of many forms compiled ahead, several at a time, each in a process of its own.

A question over functional forms needs a kernel for each, ten seconds of work the first time. Nothing
here changes an answer: what was compiled is loaded from the cache as ever, and what could not be
compiled here is compiled where it is needed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from alliancegame.payoff.form import Form
from alliancegame.solve.kernels import compiled, kept

GROUP = "solve"
MOST = 4
"""Processes at most: each takes as much memory as a session that has compiled a form."""

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.stdin.readline()); "
    "from alliancegame.solve.compile_ahead import serve; serve()"
)


def missing(forms: Iterable[Form]) -> list[Form]:
    """Forms whose kernels would have to be compiled and could be kept, each once, in order."""
    return [form for form in dict.fromkeys(forms) if kept(form, GROUP) is False]


def compile_ahead(
    forms: Iterable[Form],
    *,
    processes: int | None = None,
    tell: Callable[[], object] = lambda: None,
) -> None:
    """Compile the kernels of these forms in processes, so that they can be loaded from the cache.

    `processes` are by default as many as there are processors for this one, at most MOST; with one,
    nothing is done. `tell` is called whenever a form is done, whether it could be compiled or not.
    Processes that fail or end are missed by nobody: a form that they leave is compiled when needed.
    """
    waiting: queue.SimpleQueue[Form] = queue.SimpleQueue()
    count = 0
    for form in forms:
        waiting.put(form)
        count += 1
    crew = min(_processors() if processes is None else processes, MOST, count)
    if crew < 2:
        return
    done: queue.SimpleQueue[bool] = queue.SimpleQueue()
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(_process()) for _ in range(crew)]
        threads = [
            threading.Thread(target=_feed, args=(worker, waiting, done), daemon=True)
            for worker in workers
        ]
        for thread in threads:
            thread.start()
        left = crew
        while left:
            try:
                answered = done.get(timeout=0.5)  # So that Ctrl-C is heard on every system.
            except queue.Empty:
                continue
            if answered:
                tell()
            else:
                left -= 1


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def _process() -> Iterator[subprocess.Popen[str]]:
    """A fresh interpreter that imports this package and nothing of the calling script."""
    # A group of its own: Ctrl-C reaches the parent alone, which then ends it.
    apart: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    process = subprocess.Popen(  # noqa: S603 (this very interpreter)
        [sys.executable, "-c", _START],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        **apart,
    )
    try:
        yield process
    finally:
        process.kill()  # An entry of the cache is whole or absent at any moment.
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _feed(
    process: subprocess.Popen[str],
    waiting: queue.SimpleQueue[Form],
    done: queue.SimpleQueue[bool],
) -> None:
    """Hand one process form after form: True for each that it answers, False when no more follow."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018
    with contextlib.suppress(OSError, ValueError):
        _say(process.stdin, sys.path)
        while True:
            try:
                form = waiting.get_nowait()
            except queue.Empty:
                break
            _say(process.stdin, dataclasses.asdict(form))
            if not process.stdout.readline():
                break
            done.put(True)
    done.put(False)


def _say(pipe: IO[str], content: Any) -> None:
    pipe.write(json.dumps(content) + "\n")
    pipe.flush()


def serve() -> None:
    """Compile forms that the standard input names, one a line, and answer each with a line."""
    # Whatever else is printed must not get between the answers.
    with os.fdopen(os.dup(1), "w") as outbox:
        os.dup2(2, 1)
        for line in sys.stdin:
            with contextlib.suppress(Exception):
                compiled(Form(**json.loads(line)), GROUP)
            _say(outbox, "done")
