"""Worker processes: the same bytes as one process, whatever happens to them."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import xarray as xr

from alliancegame.errors import ClusterError, InvalidValueError, WorkerLostError
from alliancegame.study.sweep import sweep
from alliancegame.study.sweeping import workers as room
from alliancegame.study.sweeping.worker import MARK
from tests.study.sweep_tools import (
    CHUNKS,
    OVER,
    PLAN,
    SCRIPT,
    files,
    game,
    gone,
    kill,
    run,
    small,
    start,
    workers_of,
)


@pytest.fixture(scope="module")
def alone():
    return small()


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of the user's: workers find it because they are given the path of this process."""

    def write(text):
        (tmp_path / "users_module.py").write_text(textwrap.dedent(text))
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "users_module", raising=False)
        import users_module

        return users_module

    yield write
    sys.modules.pop("users_module", None)


def test_many_workers_give_the_answers_of_one(tmp_path, alone):
    one, many = tmp_path / "one.zarr", tmp_path / "many.zarr"
    small(store=one)
    xr.testing.assert_identical(small(store=many, workers=2), alone)
    assert files(one) == files(many)
    xr.testing.assert_identical(small(workers=2), alone)


def test_workers_that_are_killed_are_replaced(tmp_path, module):
    made = module("""
        import os, time

        def derive(game, cell):
            time.sleep(0.01 if os.environ.get("ALLIANCEGAME_SWEEP_WORKER") else 0)
            return game
    """)
    over = {"decay": np.linspace(0, 1, 10), "threat": np.linspace(0, 1, 20)}
    killed = []

    def strike(now):
        if now.done >= 40 * (len(killed) + 1) and len(killed) < 2:
            killed.append(workers_of()[0])
            os.kill(killed[-1], signal.SIGKILL)

    def go(**options):
        return sweep(game(), over, PLAN, derive=made.derive, chunk=20, **options)

    found = go(store=tmp_path / "s.zarr", workers=2, progress=strike)
    assert len(set(killed)) == 2
    xr.testing.assert_identical(found, go())
    assert gone(workers_of())


def test_a_chunk_that_always_loses_its_worker(tmp_path, module):
    made = module("""
        import os, signal
        from pathlib import Path

        def derive(game, cell):
            if cell["decay"] == 0.5 and Path(__file__).with_name("armed").exists():
                with Path(__file__).with_name("tries").open("a") as file:
                    file.write("x")
                os.kill(os.getpid(), signal.SIGKILL)
            return game
    """)
    (tmp_path / "armed").touch()
    over = {"decay": [0.1, 0.2, 0.5, 0.6], "threat": [0.0, 0.5]}

    def go(**options):
        return sweep(game(), over, PLAN, derive=made.derive, chunk=2, **options)

    path = tmp_path / "s.zarr"
    with pytest.raises(WorkerLostError, match="was ended by signal 9, 3 times in a row") as lost:
        go(store=path, workers=2)
    assert "chunk 2" in str(lost.value)
    assert "of 4 chunks are done and kept" in str(lost.value)
    assert (tmp_path / "tries").read_text() == "x" * room.ATTEMPTS
    (tmp_path / "armed").unlink()
    xr.testing.assert_identical(go(store=path, workers=2), go())


def test_what_is_printed_does_not_get_between(module, capfd):
    made = module("""
        import subprocess
        def derive(game, cell):
            print("hello", flush=True)
            subprocess.run(["echo", "world"], check=True)
            return game
    """)
    over = {"decay": [0.1, 0.2]}
    found = sweep(game(), over, PLAN, derive=made.derive, chunk=1, workers=2)
    assert (found.status == 0).all()
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("hello") == err.count("world") == 2


def test_workers_end_with_their_parent(tmp_path):
    with start(tmp_path, SCRIPT, tmp_path / "s.zarr", 0.1, 2) as process:
        end, workers = time.monotonic() + 60, []
        while not workers and process.poll() is None and time.monotonic() < end:
            workers = workers_of(process.pid)
        assert workers
        kill(process)
    assert gone(workers)


GUARDED = """
    import sys
    import alliancegame as ag
    from alliancegame.study.sweep import sweep

    def derive(game, cell):
        return game.replace(decay=cell["loss"])

    print("running as", __name__)
    {guard}
        game, plan = ag.load_model("three-allies"), ag.Plan(burden=0.035)
        found = sweep(game, {{"loss": [0.1, 0.4], "threat": [0.5]}}, plan, derive=derive, chunk=1,
                      workers=2)
        print(found.leader_payoff.values.ravel().tolist())
"""


def test_a_function_in_a_script_needs_its_guard(tmp_path):
    code, out, errors = run(tmp_path, GUARDED.format(guard='if __name__ == "__main__":'))
    assert code == 0, errors
    expected = [
        sweep(game().replace(decay=loss), {"threat": [0.5]}, PLAN).leader_payoff.item()
        for loss in (0.1, 0.4)
    ]
    *_, last = out.splitlines()
    assert eval(last) == pytest.approx(expected, abs=1e-15)
    code, _, errors = run(tmp_path, GUARDED.format(guard="if True:"))
    assert code == 1
    assert 'put its call of sweep under `if __name__ == "__main__":`' in errors


def test_a_function_in_a_module_that_is_run(tmp_path):
    text = GUARDED.format(guard='if __name__ == "__main__":')
    (tmp_path / "program.py").write_text(textwrap.dedent(text))
    done = subprocess.run(
        [sys.executable, "-m", "program"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_a_script_from_standard_input_needs_no_guard():
    text = textwrap.dedent(GUARDED.format(guard="if True:")).replace("derive=derive, ", "")
    text = text.replace('"loss"', '"decay"')
    done = subprocess.run(
        [sys.executable, "-"], input=text, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    refused = subprocess.run(
        [sys.executable, "-"],
        input=textwrap.dedent(GUARDED.format(guard="if True:")),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert refused.returncode == 1
    assert "interactive session" in refused.stderr


def test_a_function_that_cannot_travel():
    with pytest.raises(InvalidValueError, match="define it with def at the top of a module"):
        sweep(game(), OVER, PLAN, derive=lambda game, cell: game, chunk=300, workers=2)


def test_workers_have_no_workers(monkeypatch):
    monkeypatch.setenv(MARK, "1")
    with pytest.raises(InvalidValueError, match="workers of its own"):
        small(workers=2)
    small(workers=1)


def test_an_error_in_a_worker_comes_through(monkeypatch):
    from alliancegame.study import sweep as public

    real = dict(public.environment())
    monkeypatch.setattr(public, "environment", lambda: real | {"numba": "0.1"})
    with pytest.raises(ClusterError, match="not like this process: numba '0.1'"):
        small(workers=2)
    found = small(workers=2, allow_mixed=True)
    assert "mixed_environments" in found.attrs


def test_one_chunk_needs_no_process(monkeypatch):
    monkeypatch.setattr(room, "_Crew", lambda *_: pytest.fail("a process was started"))
    small(workers=4, chunk=600)
    assert CHUNKS > 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_shows_a_bar_with_rate_and_time_left(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT).replace("progress=slowly", "progress=None"))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "s.zarr"), "0", "1"],
        stderr=theirs,
        stdout=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:
        pass  # The other end is closed.
    finally:
        os.close(ours)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == b""
    assert b"600 of 600 cells" in shown
    assert b"a second" in shown
