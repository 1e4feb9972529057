"""Sweeps on a real Dask cluster of several worker processes."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

import pytest
import xarray as xr

from alliancegame.errors import (
    ClusterError,
    InvalidValueError,
    MissingExtraError,
    WorkerLostError,
)
from alliancegame.study import sweep as public
from alliancegame.study.sweeping import cluster as room
from alliancegame.study.sweeping.target import Target
from tests.study.sweep_tools import CHUNKS, files, small


@pytest.fixture(scope="module")
def distributed():
    return pytest.importorskip("distributed", reason="needs alliancegame[distributed]")


@pytest.fixture(scope="module")
def cluster(distributed):
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=":0",
        silence_logs=50,
    ) as made:  # fmt: skip
        yield made


@pytest.fixture(scope="module")
def alone():
    return small()


def test_a_cluster_gives_the_answers_of_one_process(cluster, tmp_path, alone):
    """Without a store answers come back; with one that the workers see, they write themselves."""
    xr.testing.assert_identical(small(cluster=cluster.scheduler_address), alone)
    small(store=tmp_path / "one.zarr")
    found = small(store=tmp_path / "many.zarr", cluster=cluster)
    xr.testing.assert_identical(found, alone)
    assert files(tmp_path / "one.zarr") == files(tmp_path / "many.zarr")


def test_a_worker_killed_in_the_middle(cluster, distributed, tmp_path, alone):
    killed = []

    def strike(now):
        if now.done >= 90 and not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    small(store=tmp_path / "one.zarr")
    with distributed.Client(cluster) as client:
        found = small(store=tmp_path / "many.zarr", cluster=client, progress=strike)
        assert client.status == "running", "a client that was given stays open"
    assert killed
    xr.testing.assert_identical(found, alone)
    assert files(tmp_path / "one.zarr") == files(tmp_path / "many.zarr")


def test_a_store_that_workers_do_not_see_is_written_here(cluster, tmp_path, alone, monkeypatch):
    """A worker that does not find the store's token sends its answers back."""
    real = Target.__getstate__
    monkeypatch.setattr(
        Target, "__getstate__", lambda self: real(self) | {"path": "/nowhere/on/this/machine"}
    )
    found = small(store=tmp_path / "s.zarr", cluster=cluster)
    xr.testing.assert_identical(found, alone)


def test_workers_of_another_kind_need_consent(cluster, monkeypatch, alone):
    real = dict(public.environment())
    monkeypatch.setattr(public, "environment", lambda: real | {"processor": "z80"})
    with pytest.raises(ClusterError, match="not like this process: processor 'z80'"):
        small(cluster=cluster)
    found = small(cluster=cluster, allow_mixed=True)
    assert "mixed_environments" in found.attrs
    xr.testing.assert_equal(found, alone)


def test_a_cluster_that_is_not_there(distributed, monkeypatch, tmp_path):
    monkeypatch.setattr(room, "CONNECT_SECONDS", 2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = time.monotonic()
    with pytest.raises(ClusterError, match="no Dask scheduler answers at"):
        small(cluster=f"tcp://127.0.0.1:{port}", store=tmp_path / "s.zarr")
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        with pytest.raises(ClusterError, match="no Dask scheduler answers at"):
            small(cluster=f"tcp://127.0.0.1:{mute.getsockname()[1]}")
    with pytest.raises(ClusterError, match="unknown address scheme"):
        small(cluster="foo://bar")
    assert time.monotonic() - start < 20


def test_a_cluster_without_workers(distributed, monkeypatch):
    monkeypatch.setattr(room, "WORKER_SECONDS", 1)
    with distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as empty:
        with pytest.raises(ClusterError, match="has had no workers for 1 s"):
            small(cluster=empty)


def test_a_scheduler_that_goes_away(distributed, tmp_path, alone, monkeypatch):
    """What is done stays, and the sweep goes on elsewhere."""
    import dask

    monkeypatch.setattr(room, "CONNECT_SECONDS", 4)

    path = tmp_path / "s.zarr"
    with dask.config.set({"distributed.comm.timeouts.connect": "2s"}):
        doomed = distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        )

        def strike(now):
            if now.done == 90:
                doomed.sync(doomed.scheduler.close)

        try:
            with pytest.raises(ClusterError, match=rf"of {CHUNKS} chunks are done and kept"):
                small(cluster=doomed, store=path, progress=strike)
        finally:
            doomed.close()
    xr.testing.assert_identical(small(store=path), alone)


@pytest.mark.parametrize("cluster", ["", 3, object()])
def test_what_is_no_cluster(distributed, cluster):
    with pytest.raises(InvalidValueError, match="cluster must be a scheduler's address"):
        small(cluster=cluster)


def test_a_client_that_is_closed(distributed, cluster):
    client = distributed.Client(cluster)
    client.close()
    with pytest.raises(ClusterError, match="is closed, not running"):
        small(cluster=client)


def test_without_dask_there_is_an_error_of_ours(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[distributed\]'"):
        small(cluster="tcp://127.0.0.1:1")


def test_a_chunk_that_always_kills_its_worker(distributed, tmp_path, monkeypatch):
    import dask

    (tmp_path / "deadly.py").write_text(
        "import os\ndef derive(game, cell):\n    os._exit(1)\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    )
    import deadly

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as mortal,
        pytest.raises(WorkerLostError, match="lost its worker again and again"),
    ):
        small(cluster=mortal, derive=deadly.derive)
    sys.modules.pop("deadly")
