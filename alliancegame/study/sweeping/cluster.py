"""A sweep on a Dask cluster: chunk by chunk, to shared storage where workers see it."""

from __future__ import annotations

import asyncio
import collections
import concurrent.futures
import contextlib
import importlib
import time
from collections.abc import Iterator, Sequence
from typing import Any

from alliancegame.errors import (
    AllianceGameError,
    ClusterError,
    InvalidValueError,
    MissingExtraError,
    WorkerLostError,
)
from alliancegame.study.sweeping.piece import Done, Piece, Work, solve_piece
from alliancegame.study.sweeping.target import CannotWriteError

CONNECT_SECONDS = 15
"""How long a scheduler may take to answer."""

WORKER_SECONDS = 60
"""How long a cluster may be without any worker before the sweep gives up."""

WAIT_SECONDS = 2

RETRIES = 2


def on_cluster(cluster: Any, work: Work, pieces: Sequence[Piece]) -> Iterator[Done]:
    """Solve chunks on a cluster; answers come in the order in which they are ready.

    `cluster` is the address of a scheduler, a `distributed.Client`, or a cluster object that has a
    `scheduler_address`. The scheduler gives the chunks of lost workers to others.

    Raises `ClusterError` if the cluster cannot be reached, has no workers for a minute or goes
    away, `WorkerLostError` if a chunk loses its worker again and again, and what workers raise.
    """
    distributed = _distributed()
    with _client(distributed, cluster) as client:
        yield from _Tasks(distributed, client, work, pieces).run()


def _distributed() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError as error:
        raise MissingExtraError(
            "cluster= needs Dask's package distributed: pip install '.[distributed]' in the "
            "project's folder, or pip install distributed."
        ) from error


@contextlib.contextmanager
def _client(distributed: Any, cluster: Any) -> Iterator[Any]:
    """A client of the cluster; closed at the end unless it is the caller's."""
    if isinstance(cluster, distributed.Client):
        if cluster.asynchronous:
            raise InvalidValueError("cluster needs a Client that is not asynchronous.")
        if cluster.status != "running":
            raise ClusterError(f"the Client given as cluster is {cluster.status}, not running.")
        yield cluster
        return
    address = getattr(cluster, "scheduler_address", cluster)
    if not isinstance(address, str) or not address:
        raise InvalidValueError(
            f"cluster must be a scheduler's address such as 'tcp://10.0.0.1:8786', or a "
            f"distributed.Client; got {cluster!r}."
        )
    try:
        _knock(distributed, address)
        client = distributed.Client(
            address, timeout=CONNECT_SECONDS, set_as_default=False, name="alliancegame"
        )
    except (OSError, ValueError, TimeoutError) as error:
        why = f": {error}" if str(error) else ""
        raise ClusterError(
            f"no Dask scheduler answers at {address} within {CONNECT_SECONDS} s{why}. Check the "
            "address, and that this machine may connect to it."
        ) from error
    try:
        yield client
    finally:
        with contextlib.suppress(Exception):  # It may be gone; its own errors are reported before.
            client.close(timeout=5)


def _knock(distributed: Any, address: str) -> None:
    """See whether a scheduler answers: a Client that fails to connect may hang when it is discarded.

    In a thread of its own, since a notebook already has a loop in this one.
    """
    arguments = distributed.Security().get_connection_args("client")

    async def meet() -> None:
        # The time limit of `connect` does not hold for somebody who accepts and then says nothing.
        connecting = distributed.comm.connect(address, timeout=CONNECT_SECONDS, **arguments)
        comm = await asyncio.wait_for(connecting, CONNECT_SECONDS)
        comm.abort()

    with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(lambda: asyncio.run(meet())).result()


class _Tasks:
    """Chunks handed to the scheduler, a few for each thread at a time."""

    def __init__(self, distributed: Any, client: Any, work: Work, pieces: Sequence[Piece]) -> None:
        self._distributed, self._client, self._work = distributed, client, work
        self._waiting = list(reversed(pieces))
        self._running: dict[Any, Piece] = {}
        self._last_worker = time.monotonic()
        self._lost: collections.Counter[int] = collections.Counter()

    def run(self) -> Iterator[Done]:
        try:
            while self._waiting or self._running:
                self._hand_out()
                for future in self._ready():
                    piece = self._running.pop(future)
                    if not self._again(future, piece):
                        yield self._result(future, piece)
                    future.release()
        finally:
            with contextlib.suppress(Exception):
                if self._running:
                    self._client.cancel(list(self._running))

    def _hand_out(self) -> None:
        """Keep every thread of the cluster busy, with one chunk each in reserve."""
        try:
            threads = sum(self._client.nthreads().values())
        except Exception as error:
            raise self._gone(error) from error
        if threads:
            self._last_worker = time.monotonic()
        elif time.monotonic() - self._last_worker > WORKER_SECONDS:
            raise ClusterError(
                f"the cluster at {self._address} has had no workers for {WORKER_SECONDS} s."
            )
        while self._waiting and len(self._running) < max(2 * threads, 2):
            piece = self._waiting.pop()
            future = self._client.submit(
                solve_piece, self._work, piece, pure=False, retries=RETRIES
            )
            self._running[future] = piece

    def _ready(self) -> list[Any]:
        """Futures that have ended, after a short wait if none has."""
        if self._client.status != "running":
            raise self._gone(None)
        with self._client.as_current(), contextlib.suppress(TimeoutError):
            self._distributed.wait(
                list(self._running), timeout=WAIT_SECONDS, return_when="FIRST_COMPLETED"
            )
        return [future for future in self._running if future.done()]

    def _again(self, future: Any, piece: Piece) -> bool:
        """Hand a chunk out again whose answer went down with its worker; a few times at most."""
        if future.status not in ("cancelled", "lost") or self._client.status != "running":
            return False
        self._lost[piece.index] += 1
        if self._lost[piece.index] > RETRIES:
            return False
        self._waiting.append(piece)
        return True

    def _result(self, future: Any, piece: Piece) -> Done:
        if future.status == "finished":
            done: Done = future.result(timeout=WORKER_SECONDS)
            return done
        if future.status in ("cancelled", "lost"):
            raise self._gone(None)
        error = future.exception(timeout=WORKER_SECONDS)
        if isinstance(error, (AllianceGameError, CannotWriteError)):
            raise error
        if isinstance(error, self._distributed.scheduler.KilledWorker):
            raise WorkerLostError(
                f"chunk {piece.index} lost its worker again and again: {error}"
            ) from error
        raise ClusterError(
            f"chunk {piece.index} failed on the cluster with {type(error).__name__}: {error}. Workers "
            "need the same version of alliancegame as here."
        ) from error

    def _gone(self, error: Exception | None) -> ClusterError:
        why = f" ({type(error).__name__}: {error})" if error is not None else ""
        return ClusterError(f"the cluster at {self._address} went away{why}.")

    @property
    def _address(self) -> str:
        scheduler = getattr(self._client, "scheduler", None)
        return str(getattr(scheduler, "address", "an unknown address"))
