"""What the tests of sweeps share: one small sweep, its files, and scripts in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import alliancegame as ag
from alliancegame.study.sweep import sweep
from alliancegame.study.sweeping.target import HOUSE

OVER = {"decay": np.linspace(0, 1, 20), "threat": np.linspace(0, 1, 30)}
PLAN = ag.Plan(burden=0.035)
CHUNK = 30
CHUNKS = 20
"""The small sweep has 600 cells in 20 chunks."""


def game() -> ag.BurdenSharingGame:
    return ag.load_model("three-allies")


def small(**options: Any) -> Any:
    """The small sweep."""
    return sweep(game(), OVER, PLAN, **({"chunk": CHUNK} | options))


def files(store: Path) -> dict[str, bytes]:
    """Everything in a store that Zarr reads."""
    return {
        path.relative_to(store).as_posix(): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file() and HOUSE not in path.relative_to(store).parts
    }


SCRIPT = """
    import sys, time
    import numpy as np
    import alliancegame as ag
    from alliancegame.study.sweep import sweep

    def slowly(now):
        print(now.done, flush=True)
        time.sleep(float(sys.argv[2]))

    over = {"decay": np.linspace(0, 1, 20), "threat": np.linspace(0, 1, 30)}
    sweep(ag.load_model("three-allies"), over, ag.Plan(burden=0.035), chunk=30, store=sys.argv[1],
          workers=int(sys.argv[3]), progress=slowly)
"""
"""The small sweep as a script without a guard: STORE, seconds of pause after each chunk, WORKERS."""


def start(folder: Path, text: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    """Start a script in a process of its own; what it prints can be read line by line."""
    script = folder / "script.py"
    script.write_text(textwrap.dedent(text), encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(script), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def run(folder: Path, text: str, *arguments: object, **options: Any) -> tuple[int, str, str]:
    """Run a script to its end: exit code, output, errors."""
    with start(folder, text, *arguments, **options) as process:
        out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def wait_for(process: subprocess.Popen[str], cells: int) -> None:
    """Read until the script says that so many cells are done."""
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= cells:
            return
    raise AssertionError(f"the script ended before {cells} cells: {process.stderr.read()}")  # type: ignore[union-attr]


def kill(process: subprocess.Popen[str]) -> None:
    """End a process as the kernel does when memory runs out."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


def workers_of(pid: int | None = None) -> list[int]:
    """Worker processes of a sweep that a process, by default this one, has started."""
    found = []
    for task in Path(f"/proc/{pid or os.getpid()}/task").iterdir():
        for child in (task / "children").read_text().split():
            command = Path(f"/proc/{child}/cmdline")
            if command.exists() and b"sweeping.worker" in command.read_bytes():
                found.append(int(child))
    return found


def gone(pids: Sequence[int], seconds: float = 20) -> bool:
    """Whether these processes end within some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(_runs(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
