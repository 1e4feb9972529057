"""The command line as a program of its own: start-up, streams, pipes and terminals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SLOW = ("cvxpy", "matplotlib", "numba", "pandas", "scipy", "sympy", "xarray")

PROGRAM = [sys.executable, "-m", "alliancegame.cli"]


def alliancegame(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.run(
        [*PROGRAM, *words], text=True, encoding="utf-8", timeout=120, check=False, **streams
    )


def test_help_and_models_import_nothing_slow() -> None:
    code = f"""
import sys
from alliancegame.cli.app import app
app(["--help"], standalone_mode=False)
slow = {{*{SLOW!r}}}
assert not (slow | {{"numpy", "rich"}}) & set(sys.modules)
app(["models"], standalone_mode=False)
assert not slow & set(sys.modules), slow & set(sys.modules)
"""
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    for words in ("Exit codes", "not certified", "nato-2014"):
        assert words in found.stdout


def test_json_is_all_there_is() -> None:
    found = alliancegame("solve", "nato-2024", "--threat", "0.5", "--json")
    assert found.returncode == 0

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not strict JSON")

    data = json.loads(found.stdout, parse_constant=refuse)
    assert data["certificate"]["verdict"] == "certified"
    assert len(data["burden"]) == 31


def test_errors_have_no_traceback() -> None:
    found = alliancegame("show", "nato2024")
    assert found.returncode == 1
    assert found.stdout == ""
    assert found.stderr.count("\n") == 1
    assert found.stderr.startswith("error: unknown model 'nato2024'. Did you mean 'nato-2024'?")


def test_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    found = alliancegame("new", "mine", "--dir", str(tmp_path / "file" / "folder"))
    assert found.returncode == 1
    assert found.stderr.startswith("error: ")
    assert "cannot be written" in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.skipif(os.name != "posix", reason="pipes end otherwise elsewhere")
def test_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    found = alliancegame("show", "three-allies", stdout=writer)
    os.close(writer)
    assert found.returncode == 141
    assert found.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_a_message() -> None:
    with Path("/dev/full").open("w") as full:
        found = alliancegame("models", "--json", stdout=full)
    assert found.returncode == 1
    assert found.stderr == "error: No space left on device\n"


@pytest.mark.skipif(os.name != "posix", reason="needs pseudo-terminals")
@pytest.mark.parametrize("no_color", [False, True])
def test_colour_only_where_it_is_wanted(no_color: bool) -> None:
    import pty

    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    environment.pop("NO_COLOR", None)
    if no_color:
        environment["NO_COLOR"] = "1"
    found = alliancegame("show", "nato2024", stderr=follower, env=environment)
    os.close(follower)
    shown = os.read(leader, 65536).decode()
    os.close(leader)
    assert found.returncode == 1
    assert "Did you mean" in shown
    assert ("\x1b[1;31m" in shown) is not no_color
