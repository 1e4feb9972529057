"""The kernel cache: a hit is a hit, damage is noticed before it is loaded, nothing ever crashes."""

from __future__ import annotations

import json
import logging
import os
import shutil
import stat
import subprocess
import sys
import textwrap
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from alliancegame.errors import InvalidValueError, KernelCacheWarning
from alliancegame.payoff import cache
from alliancegame.payoff.cache import (
    cache_directory,
    cache_statistics,
    clear_cache,
    load_compiled,
)

SOURCE = """\
import math
from numba import njit

@njit("float64(float64)", cache=CACHE, error_model="numpy")
def half(x):
    return 0.5 * x

@njit("float64(float64)", cache=CACHE, error_model="numpy")
def root_of_half(x):
    return math.sqrt(half(x))
"""
# The same, but it stops half way if it is asked to.
HANGING = SOURCE.replace(
    "    return 0.5 * x\n",
    """\
    return 0.5 * x

import os, time
if os.environ.get("HANG"):
    print("half", flush=True)
    time.sleep(600)
""",
)
FROM_DISK, COMPILED = (2, 0), (0, 2)


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_loaded", {})


def forget() -> None:
    """Let the next load go to the disk again, as in a new process."""
    cache._loaded.clear()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with one valid entry, made by another process."""
    root = tmp_path_factory.mktemp("filled") / "kernels"
    assert child(LOAD, root=root)["statistics"] == list(COMPILED)
    return root


@pytest.fixture
def root(filled: Path, tmp_path: Path) -> Path:
    """A copy of that cache, to be spoilt."""
    return shutil.copytree(filled, tmp_path / "kernels")


LOAD = """
    module = load_compiled("tiny", SOURCE)
    report(module)
"""


def start(*script: str, root: Path, **environment: str) -> subprocess.Popen[str]:
    prelude = f"""
        import json, os, resource, sys, warnings
        from pathlib import Path
        from alliancegame.payoff import cache
        from alliancegame.payoff.cache import cache_statistics, load_compiled

        SOURCE = {SOURCE!r}
        HANGING = {HANGING!r}

        def report(module, **more):
            value = module.root_of_half(8.0)
            print(json.dumps({{"statistics": cache_statistics(module), "value": value, **more}}))
    """
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", "".join(map(textwrap.dedent, (prelude, *script)))],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "ALLIANCEGAME_CACHE_DIR": str(root),
            **environment,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> Any:
    output, errors = process.communicate("go\n", timeout=120)
    assert process.returncode == 0, errors
    return json.loads(output.splitlines()[-1])


def child(*script: str, root: Path, **environment: str) -> Any:
    return finish(start(*script, root=root, **environment))


def entries(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if not path.name.startswith(".")]


def only_entry(root: Path) -> Path:
    (entry,) = root.iterdir()  # and nothing beside it
    return entry


def snapshot(root: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file()
    }


# --- What it is for ------------------------------------------------------------------------------


def test_a_fresh_process_loads_what_another_compiled(filled: Path, tmp_path: Path) -> None:
    before = snapshot(filled)
    assert child(LOAD, root=filled) == {"statistics": list(FROM_DISK), "value": 2.0}
    assert snapshot(filled) == before


def test_settings_of_numba_cannot_divert_the_files(tmp_path: Path) -> None:
    diverted = tmp_path / "diverted"
    settings = {
        "NUMBA_CACHE_DIR": str(diverted),
        "NUMBA_CACHE_LOCATOR_CLASSES": "UserWideCacheLocator",
        "XDG_CACHE_HOME": str(diverted),
    }
    root = tmp_path / "kernels"
    assert child(LOAD, root=root, **settings)["statistics"] == list(COMPILED)
    assert child(LOAD, root=root, **settings)["statistics"] == list(FROM_DISK)
    assert not diverted.exists()


def test_a_warm_load_needs_no_right_to_write(filled: Path) -> None:
    no_writing = "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    assert child(no_writing, LOAD, root=filled)["statistics"] == list(FROM_DISK)


def test_a_costly_source_is_made_only_when_nothing_is_cached(tmp_path: Path) -> None:
    made: list[str] = []

    def make() -> str:
        made.append("once")
        return SOURCE

    module = load_compiled("tiny", make, directory=tmp_path, fingerprint="form A")
    assert cache_statistics(module) == COMPILED
    assert made == ["once"]
    script = """
        assert not {"numba", "pandas", "scipy", "sympy"} & set(sys.modules)
        module = load_compiled("tiny", lambda: 1 / 0, fingerprint="form A")
        assert not {"pandas", "sympy"} & set(sys.modules)  # Numba itself imports SciPy
        report(module)
    """
    assert child(script, root=tmp_path) == {"statistics": list(FROM_DISK), "value": 2.0}


def test_a_source_without_a_fingerprint_is_its_own(tmp_path: Path) -> None:
    module = load_compiled("tiny", lambda: SOURCE, directory=tmp_path)
    assert load_compiled("tiny", SOURCE, directory=tmp_path) is module


def test_a_process_executes_a_source_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        modules = list(
            pool.map(lambda _: load_compiled("tiny", SOURCE, directory=tmp_path), range(16))
        )
    assert len(set(map(id, modules))) == 1
    assert cache_statistics(modules[0]) == COMPILED
    only_entry(tmp_path)


def test_names_and_sources_have_their_own_entries(tmp_path: Path) -> None:
    changed = SOURCE.replace("0.5", "0.25")
    values = [
        load_compiled(name, source, directory=tmp_path).root_of_half(16.0)
        for name, source in [("tiny", SOURCE), ("tiny-2", SOURCE), ("tiny", changed)]
    ]
    assert values == [8.0**0.5, 8.0**0.5, 2.0]
    assert len(entries(tmp_path)) == 3


@pytest.mark.parametrize("setting", ["BOUNDSCHECK", "CPU_NAME", "ENABLE_AVX", "OPT"])
def test_settings_that_change_the_machine_code_change_the_entry(
    setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numba

    usual = cache._identify("tiny", SOURCE).folder_name
    assert cache._identify("tiny", SOURCE).folder_name == usual
    monkeypatch.setattr(numba.config, setting, "other")
    assert cache._identify("tiny", SOURCE).folder_name != usual


def test_everything_is_private(tmp_path: Path) -> None:
    root = tmp_path / "new" / "kernels"
    usual = os.umask(0)
    try:
        load_compiled("tiny", SOURCE, directory=root)
    finally:
        os.umask(usual)
    entry = only_entry(root)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (root, entry)} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in entry.iterdir()} == {0o600}


def test_the_root_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    module = load_compiled("tiny", SOURCE, directory=tmp_path / "link")
    assert cache_statistics(module) == FROM_DISK


def test_compiling_is_announced_and_loading_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="alliancegame")
    load_compiled("tiny", SOURCE, directory=tmp_path)
    assert caplog.messages == ["Compiling the tiny kernels, once for this machine"]
    forget()
    load_compiled("tiny", SOURCE, directory=tmp_path)
    assert len(caplog.messages) == 1


def test_the_directory_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALLIANCEGAME_CACHE_DIR", str(tmp_path))
    assert cache_directory() == tmp_path
    load_compiled("tiny", SOURCE)
    only_entry(tmp_path)
    monkeypatch.setenv("ALLIANCEGAME_CACHE_DIR", "")
    assert cache_directory().name == "kernels"
    assert "alliancegame" in cache_directory().parts


def test_clearing_removes_entries_and_nothing_else(tmp_path: Path) -> None:
    for name in ("tiny", "tiny-2"):
        load_compiled(name, SOURCE, directory=tmp_path)
    (tmp_path / "thesis.tex").touch()
    assert clear_cache(tmp_path) == 2
    assert only_entry(tmp_path).name == "thesis.tex"
    assert clear_cache(tmp_path) == 0
    assert clear_cache(tmp_path / "missing") == 0


@pytest.mark.parametrize("name", ["", "../tiny", "a/b", "tiny.", "été", "x" * 81, "tiny\n"])
def test_a_name_is_no_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="kernel name"):
        load_compiled(name, SOURCE, directory=tmp_path)


def test_without_a_compiler_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numba

    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    assert load_compiled("tiny", SOURCE, directory=tmp_path).root_of_half(8.0) == 2.0
    assert not entries(tmp_path)


# --- Damage --------------------------------------------------------------------------------------

# One child does it all, so that a crash of the interpreter is a failed test. The cases are lambdas
# of the entry or of one file in it.
DAMAGE_ALL = """
    import shutil

    def flip(path, place):
        content = bytearray(path.read_bytes())
        content[int(place * (len(content) - 1))] ^= 0x10
        path.write_bytes(content)

    def replace_by_link(path):
        path.rename(path.parent.parent / "elsewhere")
        path.symlink_to(path.parent.parent / "elsewhere")

    def replace_by_file(entry):
        shutil.rmtree(entry)
        entry.write_text("no folder")

    def replace_by_empty_folder(entry):
        shutil.rmtree(entry)
        entry.mkdir(mode=0o700)

    of_a_file = {
        "missing": lambda path: path.unlink(),
        "empty": lambda path: path.write_bytes(b""),
        "cut in the middle": lambda path: os.truncate(path, path.stat().st_size // 2),
        "cut by a byte": lambda path: os.truncate(path, path.stat().st_size - 1),
        "longer": lambda path: path.write_bytes(path.read_bytes() + b"\\0"),
        **{
            f"a bit flipped at {place}": lambda path, place=place: flip(path, place)
            for place in (0.0, 0.2, 0.5, 0.8, 1.0)
        },
        "open to others": lambda path: path.chmod(0o644),
        "a link": replace_by_link,
        "a pipe": lambda path: (path.unlink(), os.mkfifo(path, 0o600)),
    }
    of_the_entry = {
        "one file more": lambda entry: (entry / "kernels.more-1.py311.nbi").touch(mode=0o600),
        "a folder more": lambda entry: (entry / "__pycache__").mkdir(mode=0o700),
        "open to others": lambda entry: entry.chmod(0o755),
        "a link": replace_by_link,
        "a file": replace_by_file,
        "an empty folder": replace_by_empty_folder,
        "made by another Numba": lambda entry: (entry / "manifest.json").write_text(
            (entry / "manifest.json").read_text().replace('"numba": "', '"numba": "9')
        ),
    }

    root = Path(os.environ["ALLIANCEGAME_CACHE_DIR"])
    (entry,) = root.iterdir()
    functions = [f"*.{f}-*.{kind}" for f in ("half", "root_of_half") for kind in ("nbi", "nbc")]
    patterns = ["*.py", "manifest.json", *functions]
    files = [path for pattern in patterns for path in entry.glob(pattern)]
    assert sorted(files) == sorted(entry.iterdir())
    unnoticed = []

    def try_it(case, damage, path):
        damage(path)
        module = load_compiled("tiny", SOURCE)
        if cache_statistics(module) != (0, 2) or module.root_of_half(8.0) != 2.0:
            unnoticed.append([path.name, case])
        cache._loaded.clear()
        repaired = load_compiled("tiny", SOURCE)
        if cache_statistics(repaired) != (2, 0) or repaired.root_of_half(8.0) != 2.0:
            unnoticed.append([path.name, case, "not repaired"])
        cache._loaded.clear()
        (root / "elsewhere").exists() and cache._remove(root / "elsewhere")

    for pattern in patterns:
        for case, damage in of_a_file.items():
            (path,) = entry.glob(pattern)
            try_it(case, damage, path)
    for case, damage in of_the_entry.items():
        try_it(case, damage, entry)
    print(json.dumps(unnoticed))
"""


def test_all_damage_is_noticed_and_repaired(root: Path) -> None:
    assert child(DAMAGE_ALL, root=root) == []
    only_entry(root)
    assert child(LOAD, root=root)["statistics"] == list(FROM_DISK)


def test_an_intact_entry_that_numba_refuses_is_compiled_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = only_entry(root)
    next(entry.glob("*root_of_half*.nbc")).unlink()
    manifest = cache._survey(entry, cache._identify("tiny", SOURCE))
    (entry / "manifest.json").write_bytes(manifest)
    before, discarded = snapshot(root), []
    discard = cache._discard

    def look_and_discard(path: Path) -> None:
        discarded.append(snapshot(root))
        discard(path)

    monkeypatch.setattr(cache, "_discard", look_and_discard)
    module = load_compiled("tiny", SOURCE, directory=root)
    assert cache_statistics(module) == COMPILED
    assert discarded == [before]  # Numba has not mended it by writing into it
    forget()
    assert cache_statistics(load_compiled("tiny", SOURCE, directory=root)) == FROM_DISK
    only_entry(root)


def test_an_entry_damaged_while_it_is_loaded_is_compiled_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute, entry = cache._execute, only_entry(root)

    def damage_and_execute(kernels: Any, shelf: Any) -> Any:
        monkeypatch.setattr(cache, "_execute", execute)
        next(entry.glob("*.py")).write_text("")
        return execute(kernels, shelf)

    monkeypatch.setattr(cache, "_execute", damage_and_execute)
    module = load_compiled("tiny", SOURCE, directory=root)
    assert cache_statistics(module) == COMPILED
    assert module.root_of_half(8.0) == 2.0


def test_the_manifest_vouches_for_every_file_and_version(root: Path) -> None:
    entry = only_entry(root)
    manifest = json.loads((entry / "manifest.json").read_text())
    assert set(manifest["files"]) == {path.name for path in entry.iterdir()} - {"manifest.json"}
    assert {"python", "numba", "llvmlite", "numpy", "cpu", "cpu_features", "format"} <= set(
        manifest["identity"]
    )


# --- Nowhere to keep it --------------------------------------------------------------------------


def assert_compiled_in_memory(root: Path) -> str:
    with pytest.warns(KernelCacheWarning) as caught:
        module = load_compiled("tiny", SOURCE, directory=root)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert module.CACHE is False
    assert cache_statistics(module) == COMPILED
    assert module.root_of_half(8.0) == 2.0
    assert load_compiled("tiny", SOURCE, directory=root) is module  # and says nothing more
    return str(caught[0].message)


def test_a_root_that_cannot_exist(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "Not a directory" in assert_compiled_in_memory(tmp_path / "file" / "kernels")


def test_a_root_on_a_file_system_that_refuses(tmp_path: Path) -> None:
    assert_compiled_in_memory(Path("/proc/nonexistent/kernels"))


def test_a_root_of_a_user_without_a_home() -> None:
    assert "home" in assert_compiled_in_memory(Path("~no-such-user/kernels"))


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_root_that_others_can_write_to(mode: int, root: Path) -> None:
    before = snapshot(root)
    root.chmod(mode)
    assert "others can write" in assert_compiled_in_memory(root)
    assert snapshot(root) == before


def test_a_root_of_somebody_else(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: root.stat().st_uid + 1)
    assert "somebody else" in assert_compiled_in_memory(root)


NO_ROOM = """
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        module = load_compiled("tiny", SOURCE)
    report(module, warnings=[str(each.message) for each in caught])
"""


@pytest.mark.parametrize("limit", [0, 500, 4000, 10000])
def test_no_room(limit: int, tmp_path: Path) -> None:
    # Reached in turn by the source, by Numba's index, and by each of its code files.
    outcome = child(f"limit = {limit}", NO_ROOM, root=tmp_path)
    (message,) = outcome.pop("warnings")
    assert "File too large" in message
    assert outcome == {"statistics": list(COMPILED), "value": 2.0}
    assert list(tmp_path.iterdir()) == []


def test_damage_and_no_room_to_repair_it(root: Path) -> None:
    code = next(only_entry(root).glob("*.nbc"))
    code.write_bytes(code.read_bytes()[::-1])
    outcome = child("limit = 100", NO_ROOM, root=root)
    assert len(outcome.pop("warnings")) == 1
    assert outcome == {"statistics": list(COMPILED), "value": 2.0}
    assert list(root.iterdir()) == []


def test_code_that_numba_cannot_save_is_compiled_in_memory(tmp_path: Path) -> None:
    # A pointer into this process: the file would be useless to any other one.
    pointer = """\
import ctypes
pointer = ctypes.CDLL(None).sqrt
pointer.argtypes, pointer.restype = [ctypes.c_double], ctypes.c_double
"""
    source = SOURCE.replace("import math\n", pointer).replace("math.sqrt", "pointer")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        module = load_compiled("tiny", source, directory=tmp_path)
    assert [each.category for each in caught].count(KernelCacheWarning) == 1
    assert module.root_of_half(8.0) == 2.0
    assert list(tmp_path.iterdir()) == []


def test_an_error_in_the_source_is_the_callers(tmp_path: Path) -> None:
    import numba

    with pytest.raises(numba.TypingError, match="nowhere"):
        load_compiled("tiny", SOURCE.replace("0.5", "nowhere"), directory=tmp_path)
    with pytest.raises(ZeroDivisionError):
        load_compiled("tiny", lambda: str(1 / 0), directory=tmp_path, fingerprint="bad")
    assert list(tmp_path.iterdir()) == []
    assert not cache._loaded


# --- Several processes ---------------------------------------------------------------------------


@pytest.mark.parametrize("damaged", [False, True])
def test_four_writers_at_once(damaged: bool, root: Path) -> None:
    if damaged:
        os.truncate(only_entry(root) / "manifest.json", 10)
    else:
        shutil.rmtree(only_entry(root))
    script = """
        cache._identify("tiny", SOURCE)  # Numba is imported before the start
        print("ready", flush=True)
        sys.stdin.readline()
    """
    writers = [start(script, LOAD, root=root) for _ in range(4)]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    outcomes = [finish(writer) for writer in writers]
    assert {outcome["value"] for outcome in outcomes} == {2.0}
    assert list(COMPILED) in [outcome["statistics"] for outcome in outcomes]
    assert cache_statistics(load_compiled("tiny", SOURCE, directory=root)) == FROM_DISK


def test_a_killed_writer_leaves_no_entry_and_its_rubbish_is_swept(tmp_path: Path) -> None:
    writer = start('load_compiled("tiny", HANGING)', root=tmp_path, HANG="1")
    assert writer.stdout is not None
    assert writer.stdout.readline() == "half\n"
    writer.kill()
    writer.communicate()
    scrap = only_entry(tmp_path)
    assert scrap.name.startswith(".")
    assert list(scrap.glob("*.nbc"))

    module = load_compiled("tiny", HANGING, directory=tmp_path)
    assert cache_statistics(module) == COMPILED
    assert scrap.exists()  # it might be at work still
    long_ago = time.time() - 24 * 3600
    os.utime(scrap, (long_ago, long_ago))
    load_compiled("tiny", SOURCE, directory=tmp_path)
    assert not scrap.exists()
    assert len(entries(tmp_path)) == 2


def test_a_winner_is_left_in_place(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshot(root)
    # This process looks before the winner's rename, and publishes after it.
    monkeypatch.setattr(cache, "_load_entry", lambda *_: None)
    assert cache_statistics(load_compiled("tiny", SOURCE, directory=root)) == COMPILED
    assert snapshot(root) == before
    only_entry(root)
