"""Worker processes on this machine: spawned, one chunk at a time each, replaced when they are lost.

They are fresh interpreters that import this package and nothing of the calling script, so a script
needs no `if __name__ == "__main__"`; only a user's function that lives in the script does.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from alliancegame.errors import InvalidValueError, WorkerLostError
from alliancegame.study.sweeping.piece import Done, Piece, Work
from alliancegame.study.sweeping.worker import MARK

ATTEMPTS = 3
"""How often a chunk is tried whose worker is lost."""

_START = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from alliancegame.study.sweeping.worker import serve; serve()"
)
_SERIAL = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class _LostError(Exception):
    """The process has ended; its exit code says how."""


def packed(work: Work) -> tuple[tuple[str, str] | None, bytes]:
    """The work as bytes, and the script to run first if a function of the user lives in it.

    Raises `InvalidValueError` for a function that cannot travel to another process.
    """
    try:
        content = pickle.dumps(work, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise InvalidValueError(
            f"derive={work.derive!r} cannot travel to worker processes ({error}): define it with def at "
            "the top of a module, or use workers=1."
        ) from error
    if getattr(work.derive, "__module__", None) != "__main__":
        return None, content
    main = sys.modules["__main__"]
    module = getattr(getattr(main, "__spec__", None), "name", None)
    if module is not None:
        return ("module", module), content
    file = getattr(main, "__file__", None)
    if file is None or not Path(file).is_file():
        raise InvalidValueError(
            "derive is defined in an interactive session, where worker processes cannot find it: "
            "define it in a module of its own, or use workers=1."
        )
    return ("path", str(Path(file).resolve())), content


class _Worker:
    """One process and the pipes to it."""

    def __init__(self) -> None:
        environment = {**os.environ, MARK: "1", **dict.fromkeys(_SERIAL, "1")}
        # A group of its own: Ctrl-C reaches the parent alone, which then ends its workers.
        apart: dict[str, Any] = {"process_group": 0}
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self.process = subprocess.Popen(  # noqa: S603 (this very interpreter)
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            **apart,
        )

    def greet(self, header: bytes) -> None:
        """Tell it what all chunks have in common, and wait until it is ready."""
        self._send(header)
        self._receive()

    def solve(self, piece: Piece) -> Done:
        """Have a chunk solved. Raises what was raised there, or `_LostError`."""
        self._send(pickle.dumps(piece, protocol=pickle.HIGHEST_PROTOCOL))
        done: Done = self._receive()
        return done

    def _send(self, content: bytes) -> None:
        assert self.process.stdin is not None  # noqa: S101
        try:
            self.process.stdin.write(content)
            self.process.stdin.flush()
        except OSError as error:
            raise _LostError from error

    def _receive(self) -> Any:
        assert self.process.stdout is not None  # noqa: S101
        try:
            kind, value = pickle.load(self.process.stdout)  # noqa: S301 (from our child)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise _LostError from error
        if kind == "error":
            raise value
        return value

    def kill(self) -> None:
        """End the process, whatever it does: chunk files are whole or absent at any moment."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class _Crew:
    """As many threads as workers; each feeds one process and passes on what it answers."""

    def __init__(self, count: int, work: Work, pieces: Sequence[Piece]) -> None:
        main, content = packed(work)
        self._header = pickle.dumps(list(sys.path)) + pickle.dumps((main, content))
        self._waiting: queue.SimpleQueue[Piece] = queue.SimpleQueue()
        for piece in pieces:
            self._waiting.put(piece)
        self.answers: queue.SimpleQueue[Done | BaseException] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._guard = threading.Lock()
        self._workers: set[_Worker] = set()
        self._threads = [
            threading.Thread(target=self._feed, name=f"sweep worker {k}", daemon=True)
            for k in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def next_answer(self) -> Done | BaseException:
        """What is ready next. Ctrl-C is heard in between on every system."""
        while True:
            with contextlib.suppress(queue.Empty):
                return self.answers.get(timeout=0.5)

    def stop(self) -> None:
        """End all workers."""
        self._stopped.set()
        with self._guard:
            for worker in self._workers:
                worker.process.kill()
        for thread in self._threads:
            thread.join()

    def _feed(self) -> None:
        try:
            self._feed_one()
        except BaseException as error:  # noqa: BLE001 (raised in the main thread)
            if not self._stopped.is_set():
                self.answers.put(error)

    def _feed_one(self) -> None:
        worker: _Worker | None = None
        try:
            while not self._stopped.is_set():
                try:
                    piece = self._waiting.get_nowait()
                except queue.Empty:
                    return
                attempts = 0
                while True:
                    attempts += 1
                    try:
                        if worker is None:
                            worker = self._start()
                            worker.greet(self._header)
                        self.answers.put(worker.solve(piece))
                        break
                    except _LostError as error:
                        code = self._dismiss(worker)
                        worker = None
                        if self._stopped.is_set():
                            return
                        if attempts == ATTEMPTS:
                            raise _lost(piece, code) from error
        finally:
            self._dismiss(worker)

    def _start(self) -> _Worker:
        worker = _Worker()
        with self._guard:
            self._workers.add(worker)
        if self._stopped.is_set():
            worker.process.kill()
        return worker

    def _dismiss(self, worker: _Worker | None) -> int | None:
        if worker is None:
            return None
        with self._guard:
            self._workers.discard(worker)
        worker.kill()
        return worker.process.returncode


def _lost(piece: Piece, code: int | None) -> WorkerLostError:
    how = "could not start"
    if code is not None:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    hint = ""
    if code == -9:
        hint = (
            " Signal 9 often means that memory ran out: a smaller chunk or fewer workers need less."
        )
    return WorkerLostError(
        f"the worker that solved chunk {piece.index} {how}, {ATTEMPTS} times in a row.{hint}"
    )


def in_workers(count: int, work: Work, pieces: Sequence[Piece]) -> Iterator[Done]:
    """Solve chunks in `count` processes; answers come in the order in which they are ready.

    Raises `WorkerLostError` if a chunk has lost its worker too often, and what workers raise.
    """
    if os.environ.get(MARK):
        raise InvalidValueError(
            "a worker of a sweep cannot start workers of its own. If this is your script running "
            'again in a worker, put its call of sweep under `if __name__ == "__main__":`.'
        )
    crew = _Crew(min(count, len(pieces)), work, pieces)
    try:
        for _ in pieces:
            answer = crew.next_answer()
            if isinstance(answer, BaseException):
                raise answer
            yield answer
    finally:
        crew.stop()
