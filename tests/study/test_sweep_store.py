"""Stores of sweeps: stopped at any moment they go on, and end with the same bytes."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

import alliancegame as ag
from alliancegame.errors import InvalidValueError, SweepStoreError
from alliancegame.study import sweep as room
from alliancegame.study.sweep import sobol, sweep, zipped
from alliancegame.study.sweeping import environment, lock
from alliancegame.study.sweeping.lock import StoreLock
from alliancegame.study.sweeping.target import HOUSE
from tests.study.sweep_tools import (
    CHUNK,
    CHUNKS,
    OVER,
    PLAN,
    SCRIPT,
    files,
    game,
    kill,
    run,
    small,
    start,
    wait_for,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A store that was never interrupted."""
    path = tmp_path_factory.mktemp("whole") / "whole.zarr"
    small(store=path)
    return path


@pytest.fixture
def store(whole, tmp_path):
    """A copy of it."""
    return Path(shutil.copytree(whole, tmp_path / "store.zarr"))


def again(store, **options):
    """The same sweep; how many chunks had to be solved."""
    told = []
    found = small(store=store, progress=told.append, **options)
    return found, (told[-1].done - told[0].resumed) // CHUNK


# --- what is in it ---------------------------------------------------------------------------------


def test_store_and_memory_are_alike(whole):
    found, solved = again(whole)
    assert solved == 0
    xr.testing.assert_identical(found, small())


def test_anybody_can_read_it(whole):
    with xr.open_zarr(whole) as plain:
        assert plain.attrs["game_hash"] == game().hash
        found = small()
        xr.testing.assert_equal(plain.drop_vars("reason").load(), found.drop_vars("reason"))
        assert plain.member.values.tolist() == list(game().members)
    group = zarr.open_group(whole, mode="r")
    assert group.metadata.zarr_format == 3
    assert group["burden"].metadata.dimension_names == ("decay", "threat", "member")


def test_answers_take_the_bytes_that_were_announced(whole):
    """8 bytes a number, 1 a code, members counted, no compression; reasons only where there are any."""
    size = sum(
        len(content) for name, content in files(whole).items()
        if "/c/" in name and name.split("/")[0] not in ("decay", "threat", "member")
    )  # fmt: skip
    outputs = 6 * 8 + 2 + 4 * 8  # six numbers, two codes, burdens of four members
    assert size == 600 * (outputs + 1)
    assert not (whole / "reason" / "c").exists()


def test_all_kinds_of_labels_and_reasons_come_back(tmp_path):
    over = {
        "influence_value": ["log", "share"],
        "pair": zipped({"decay": [0.1, -1.0, 0.3], "demand": [0.02, 0.03, 0.04]}),
        "draw": sobol({"threat": (0, 1)}, 4, seed=1),
    }
    found = sweep(game(), over, PLAN, store=tmp_path / "s.zarr", chunk=5)
    memory = sweep(game(), over, PLAN, chunk=5)
    xr.testing.assert_identical(found, memory)
    assert set(found.coords) == {"influence_value", "decay", "demand", "threat", "member"}
    assert "decay" in found.reason.values[0, 1, 0]
    resumed = sweep(game(), over, PLAN, store=tmp_path / "s.zarr")
    xr.testing.assert_identical(found, resumed)
    with xr.open_zarr(tmp_path / "s.zarr") as plain:
        assert set(plain.coords) == set(found.coords)
        assert plain.reason.values.tolist() == found.reason.values.tolist()


def test_long_and_foreign_labels(tmp_path):
    members = ["United States of America", "Türkiye", "Côte d'Azur, principality of"]
    made = ag.BurdenSharingGame(members, members[0], [20, 2, 1], 0.05)
    over = {
        "decay[Türkiye]": [0.1, 0.2],
        "case": zipped({"threat[Côte d'Azur, principality of]": [1]}),
    }
    found = sweep(made, over, PLAN, store=tmp_path / "s.zarr")
    assert found.member.values.tolist() == members
    xr.testing.assert_identical(found, sweep(made, over, PLAN))


def test_large_stores_are_read_when_needed(store, monkeypatch):
    monkeypatch.setattr(room, "READ_AT_ONCE", 0)
    with small(store=store) as lazy:
        assert not lazy.burden.variable._in_memory
        assert lazy.burden.dims == ("decay", "threat", "member")
        expected = small()
        xr.testing.assert_equal(lazy.drop_vars("reason").load(), expected.drop_vars("reason"))
        assert (lazy.reason == "").all()


def test_a_label_that_cannot_name_a_file(tmp_path):
    made = ag.BurdenSharingGame(["L", "A/B"], "L", [20, 2], 0.05)
    with pytest.raises(InvalidValueError, match="cannot name an array"):
        sweep(made, {"decay[A/B]": [0.1]}, PLAN, store=tmp_path / "s.zarr")
    assert not (tmp_path / "s.zarr").exists()
    assert sweep(made, {"decay[A/B]": [0.1]}, PLAN).sizes["decay[A/B]"] == 1


# --- killed, interrupted, damaged ------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_several_moments_it_ends_with_the_same_bytes(tmp_path, whole, workers):
    path = tmp_path / "killed.zarr"
    moments = [(0, 0.0), (90, 0.01), (240, 0.0), (480, 0.003)]
    for cells, pause in moments[workers - 1 :]:
        with start(tmp_path, SCRIPT, path, 0.02, workers) as process:
            wait_for(process, cells)
            time.sleep(pause)
            kill(process)
    found, solved = again(path)
    assert 0 < solved < CHUNKS
    assert files(path) == files(whole)
    xr.testing.assert_identical(found, small())


def test_killed_before_the_store_is_complete(tmp_path, whole):
    """Whatever a start that was cut short has left: the next one begins anew."""
    for left in ([], ["zarr.json"], ["zarr.json", "burden/zarr.json"], ["burden/"]):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.zarr"
        (path / HOUSE / "unfinished").mkdir(parents=True)
        (path / HOUSE / "journal").touch()
        for name in left:
            (path / name).parent.mkdir(exist_ok=True)
            (path / name).mkdir() if name.endswith("/") else (path / name).write_text("{")
        small(store=path)
        assert files(path) == files(whole)


@pytest.mark.parametrize("workers", [1, 2])
def test_control_c_says_how_to_go_on(tmp_path, whole, workers):
    path = tmp_path / "interrupted.zarr"
    with start(tmp_path, SCRIPT, path, 0.05, workers, start_new_session=True) as process:
        wait_for(process, 120)
        # As a terminal does: to the whole group, workers included.
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    assert "KeyboardInterrupt: sweep interrupted; " in errors
    assert f"of {CHUNKS} chunks are done and kept in {path}" in errors
    assert "Make the same call again" in errors
    done = int(errors.rpartition("interrupted; ")[2].split()[0])
    found, solved = again(path)
    assert solved == CHUNKS - done
    assert files(path) == files(whole)
    xr.testing.assert_identical(found, small())


def test_chunks_that_are_not_as_they_were_written_are_solved_again(store, whole):
    content = (store / "burden/c/3/0/0").read_bytes()
    (store / "burden/c/3/0/0").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    (store / "savings/c/5/0").unlink()
    (store / "status/c/7/0").write_bytes(b"")
    (store / "reason/c/8").mkdir(parents=True)
    (store / "reason/c/8/0").write_bytes(b"not there before")
    assert again(store)[1] == 4
    assert files(store) == files(whole)
    assert again(store)[1] == 0


def test_a_torn_journal_loses_its_last_line_only(store, whole):
    journal = store / HOUSE / "journal"
    content = journal.read_bytes()
    journal.write_bytes(content[:-7])
    assert again(store)[1] == 1
    assert journal.read_bytes().count(b"\n") == content.count(b"\n")
    lines = journal.read_bytes().split(b"\n")
    lines[4] = lines[4].replace(b"chunk", b"chunc")
    journal.write_bytes(b"\n".join(lines))
    assert again(store)[1] == 1
    assert files(store) == files(whole)


def test_any_flipped_bit_is_mended_or_refused(store, whole):
    """What comes back is right, or there is an error of ours that says what to do."""
    generator = np.random.default_rng(1)
    paths = [p for p in sorted(store.rglob("*")) if p.is_file() and p.stat().st_size]
    refused = 0
    for path in generator.choice(np.array(paths, dtype=object), 40):
        good = path.read_bytes()
        bad = bytearray(good)
        bad[generator.integers(len(bad))] ^= 1 << int(generator.integers(8))
        path.write_bytes(bytes(bad))
        try:
            small(store=store)
        except SweepStoreError as error:
            assert "Put that file back" in str(error) or "format" in str(error)
            refused += 1
            path.write_bytes(good)
        assert files(store) == files(whole)
    assert 0 < refused < 40


@pytest.mark.parametrize(
    "name",
    ["zarr.json", "burden/zarr.json", "decay/c/0", f"{HOUSE}/sweep.json", f"{HOUSE}/journal"],
)
def test_missing_metadata_says_how_to_go_on(store, name):
    (store / name).unlink()
    with pytest.raises(SweepStoreError, match="move the folder away and make the call again") as e:
        small(store=store)
    assert name in str(e.value)


def test_a_lost_token_is_no_loss(store):
    (store / HOUSE / "token").unlink()
    shutil.rmtree(store / HOUSE / "unfinished")
    (store / "burden/c/3/0/0").unlink()
    assert again(store)[1] == 1


def test_answers_without_their_identity_are_not_thrown_away(store):
    (store / HOUSE / "sweep.json").unlink()
    (store / HOUSE / "journal").unlink()
    before = files(store)
    with pytest.raises(SweepStoreError, match="move the folder away"):
        small(store=store)
    assert files(store) == before


# --- not ours, or of another sweep -----------------------------------------------------------------


def test_what_is_not_ours_is_left_alone(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "thesis.tex").write_text("all of it")
    file = tmp_path / "file.zarr"
    file.write_text("text")
    foreign = tmp_path / "foreign.zarr"
    zarr.create_group(foreign, zarr_format=3).create_array("x", shape=(3,), dtype="float64")
    before = files(foreign)
    for path, words in (
        (folder, "thesis.tex"),
        (file, "is a file"),
        (foreign, "no store of a sweep"),
    ):
        with pytest.raises(SweepStoreError, match=words):
            small(store=path)
    assert (folder / "thesis.tex").read_text() == "all of it"
    assert [p.name for p in folder.iterdir()] == ["thesis.tex"]
    assert files(foreign) == before


def test_an_empty_folder_and_missing_parents_will_do(tmp_path):
    (tmp_path / "empty").mkdir()
    small(store=tmp_path / "empty")
    small(store=tmp_path / "a" / "b" / "c.zarr")


OTHERS = {
    "game": (lambda: {"game": game().replace(contagion=0.2)}, "the game differs in contagion"),
    "plan": (lambda: {"plan": PLAN.replace(demand=0.03)}, "plan is .* there"),
    "question": (lambda: {"solve": "nash", "plan": ag.Plan()}, 'solve is "respond" there, "nash" here'),
    "values": (
        lambda: {"over": OVER | {"threat": np.linspace(0, 0.9, 30)}}, "other values of threat",
    ),
    "sizes": (
        lambda: {"over": OVER | {"threat": [0.1]}}, r"threat \(30\) there, .*threat \(1\) here",
    ),
    "order": (lambda: {"over": dict(reversed(OVER.items()))}, r"decay \(20\) x threat \(30\) there"),
    "outputs": (lambda: {"outputs": ["regret"]}, "outputs is"),
    "derive": (lambda: {"derive": lambda game, cell: game}, "derive is null there"),
    "tolerances": (lambda: {"tolerances": ag.Tolerances(grid=31)}, "tolerances is"),
    "search": (lambda: {"search": True}, "search is false there, true here"),
    "chunk": (lambda: {"chunk": 31}, "begun with chunk=30, not 31"),
}  # fmt: skip


@pytest.mark.parametrize("case", OTHERS)
def test_the_store_of_another_sweep_is_refused(store, case):
    make, words = OTHERS[case]
    before = files(store)
    arguments = {"game": game(), "over": OVER, "plan": PLAN, "chunk": CHUNK} | make()
    with pytest.raises(SweepStoreError, match=words):
        sweep(store=store, **arguments)
    assert files(store) == before
    assert again(store, chunk=None)[1] == 0, "chunk may be left out"


def test_a_store_of_a_later_format(store):
    from alliancegame.study.sweeping.store import _sealed

    file = store / HOUSE / "sweep.json"
    body = json.loads(file.read_text())["body"]
    file.write_bytes(_sealed({**body, "format": 2}))
    with pytest.raises(SweepStoreError, match="has format 2"):
        small(store=store)


def test_another_processor_or_version_needs_consent(store, whole, monkeypatch):
    (store / "burden/c/3/0/0").unlink()
    here = dict(environment.environment())
    elsewhere = here | {"processor": "z80", "numba": "0.1"}
    for name in ("alliancegame.study.sweep", "alliancegame.study.sweeping.piece"):
        monkeypatch.setattr(f"{name}.environment", lambda: elsewhere)
    monkeypatch.setattr(environment, "environment", lambda: elsewhere)
    with pytest.raises(SweepStoreError, match="allow_mixed=True") as refusal:
        small(store=store)
    assert f"processor '{here['processor']}' there, 'z80' here" in str(refusal.value)
    assert "numba" in str(refusal.value)
    found, solved = again(store, allow_mixed=True)
    assert solved == 1
    names = [e["processor"] for e in json.loads(found.attrs["mixed_environments"])]
    assert names == [here["processor"], "z80"]
    assert files(store) == files(whole)


# --- two at once -----------------------------------------------------------------------------------


def test_two_sweeps_cannot_share_a_store(tmp_path, whole):
    path = tmp_path / "shared.zarr"
    with start(tmp_path, SCRIPT, path, 0.2, 1) as process:
        wait_for(process, 30)
        with pytest.raises(
            SweepStoreError, match=f"process {process.pid} on {socket.gethostname()}"
        ):
            small(store=path)
        kill(process)
    small(store=path)
    assert files(path) == files(whole)


def test_nor_can_two_threads_of_one_process(store):
    with StoreLock(store / HOUSE / "lock", store), pytest.raises(SweepStoreError, match="in use"):
        small(store=store)
    small(store=store)


def holder(**changes):
    return json.dumps(lock._myself() | changes)


def test_the_locks_that_the_dead_leave(store):
    file = store / HOUSE / "lock"
    file.write_text(holder(pid=4_000_000))
    small(store=store)
    file.write_text(holder(boot="before the machine was last started"))
    small(store=store)
    file.write_text("no JSON")
    small(store=store)
    assert file.read_text() == ""


def test_the_lock_of_another_machine_is_respected(store):
    file = store / HOUSE / "lock"
    file.write_text(holder(boot="another", host="elsewhere"))
    with pytest.raises(SweepStoreError, match=r"on elsewhere.*delete .*lock"):
        small(store=store)
    file.unlink()
    small(store=store)


def test_where_the_system_has_no_locks_the_process_is_looked_for(store, monkeypatch):
    import fcntl

    def unsupported(*_):
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    file = store / HOUSE / "lock"
    file.write_text(holder())
    with pytest.raises(SweepStoreError, match="in use"):
        small(store=store)
    file.write_text(holder(started="long ago"))
    small(store=store)
    file.write_text(holder(pid=4_000_000))
    small(store=store)


# --- full disks ------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A real file system of a given size."""
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder],
        capture_output=True,
        text=True,
    )
    if made.returncode:
        pytest.skip(f"no right to mount: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_keeps_what_is_done(tmp_path, whole, workers):
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, "512k"):
        path = disk / "full.zarr"
        with pytest.raises(SweepStoreError, match="No space left on device") as full:
            small(store=path, workers=workers)
        message = str(full.value)
        assert "chunks are done and kept" in message
        assert "Make room, then make the same call again: it goes on from there." in message
        with pytest.raises(SweepStoreError, match="No space left"):
            small(store=path)
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        found, solved = again(path)
        assert 0 < solved < CHUNKS
        assert files(path) == files(whole)
        xr.testing.assert_identical(found, small())


def test_a_disk_without_room_for_the_store_itself(tmp_path, whole):
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, "24k"):
        with pytest.raises(SweepStoreError, match="No space left on device"):
            small(store=disk)
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        small(store=disk)
        assert files(disk) == files(whole)


LIMITED = """
    import resource, sys
    import numpy as np
    import alliancegame as ag
    from alliancegame.study.sweep import sweep

    game = ag.load_model("three-allies")
    over = {"decay": np.linspace(0, 1, 20), "threat": np.linspace(0, 1, 30)}
    ag.respond(game, ag.Plan(burden=0.035))
    # Metadata and labels fit, chunks of members' burdens do not.
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    sweep(game, over, ag.Plan(burden=0.035), chunk=30, store=sys.argv[1])
"""


def test_files_that_may_not_grow(tmp_path, whole):
    path = tmp_path / "limited.zarr"
    code, _, errors = run(tmp_path, LIMITED, path, 900)
    assert code == 1
    assert "File too large" in errors
    shutil.rmtree(path)
    longest = max(len(content) for content in files(whole).values())
    sealed = (whole / HOUSE / "sweep.json").stat().st_size
    assert max(longest, sealed) < 64_000
    code, _, errors = run(tmp_path, LIMITED, path, 64_000)
    assert code == 0, errors
    assert files(path) == files(whole)


def test_a_folder_that_may_not_be_written(tmp_path):
    if os.geteuid() == 0:
        path = Path("/proc/alliancegame-sweep.zarr")
    else:
        path = tmp_path / "read-only" / "s.zarr"
        path.parent.mkdir(mode=0o555)
    with pytest.raises(SweepStoreError, match="cannot be written"):
        small(store=path)


# --- memory ----------------------------------------------------------------------------------------

LARGE = """
    import re, sys
    from pathlib import Path
    import numpy as np
    import alliancegame as ag
    from alliancegame.study.sweep import sweep

    def status(field):
        return int(re.search(field + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024

    def go(rows, store):
        over = {"decay": np.linspace(0, 1, rows), "threat": np.linspace(0, 1, 1000)}
        outputs = ["burden", "payoff", "leader_payoff"]
        game, plan = ag.load_model("three-allies"), ag.Plan(burden=0.035)
        return sweep(game, over, plan, store=store, outputs=outputs)

    go(1, sys.argv[1] + ".first")
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # The peak counts from here.
    found = go(int(sys.argv[2]), sys.argv[1])
    assert not found.burden.variable._in_memory
    print(status("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux how much memory was taken")
def test_memory_does_not_grow_with_the_sweep(tmp_path):
    """Answers of a million cells would take 73 MiB; how many there are makes no difference."""
    grown = []
    for rows in (1000, 1800):
        code, out, errors = run(tmp_path, LARGE, tmp_path / f"{rows}.zarr", rows)
        assert code == 0, errors
        grown.append(float(out))
    assert max(grown) < 300, "MiB"
    assert grown[1] - grown[0] < 30, "MiB"


def test_journal_lines_have_sums(whole):
    for line in (whole / HOUSE / "journal").read_bytes().splitlines():
        mark, _, text = line.partition(b" ")
        assert int(mark, 16) == zlib.crc32(text)
