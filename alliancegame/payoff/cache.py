"""Compiled kernels kept on disk between sessions, in a form that cannot crash the interpreter.

Numba can keep machine code by itself, but it unpickles and runs whatever it finds in its files: one
flipped bit ends the process. Here every set of kernels has a private folder with a manifest of
checksums, written aside, renamed into place, and verified before Numba may look at it. A folder
that is wrong in any way is thrown away, and its kernels are compiled again; where nothing can be
kept, they are compiled in memory.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import linecache
import logging
import os
import re
import shutil
import stat
import sys
import tempfile
import threading
import time
import uuid
import warnings
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from alliancegame.errors import InvalidValueError, KernelCacheWarning
from alliancegame.payoff.shelf import (
    Shelf,
    UnusableError,
    cache_statistics,
    numba_keeps_in,
    stop_saving,
)

__all__ = ["cache_directory", "cache_statistics", "clear_cache", "is_kept", "load_compiled"]

_FORMAT = 1
_MANIFEST = "manifest.json"
_SCRAP = ".alliancegame-scrap-"  # unfinished and discarded entries; no reader looks at them
_SCRAP_LIFETIME = 6 * 3600.0  # seconds; no compilation lasts so long, so its writer was killed
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_ENTRY = re.compile(r"[A-Za-z0-9_-]{1,80}-[0-9a-f]{32}")

# The settings of Numba that change the machine code, and that Numba's own cache key leaves out.
# fmt: off
_CODE_SETTINGS = (
    "BOUNDSCHECK", "CPU_FEATURES", "CPU_NAME", "DEBUGINFO_DEFAULT", "DISABLE_JIT", "ENABLE_AVX",
    "LOOP_VECTORIZE", "OPT", "SLP_VECTORIZE", "USING_SVML",
)
# fmt: on

_logger = logging.getLogger("alliancegame")
_loading = threading.RLock()
_loaded: dict[str, ModuleType] = {}  # by key, as sys.modules is by name


def load_compiled(
    name: str,
    source: str | Callable[[], str],
    *,
    directory: Path | None = None,
    fingerprint: str | None = None,
) -> ModuleType:
    """Return the module that `source` defines, compiled by Numba at most once for this machine.

    `source` is the text of a module that imports only numpy, math and numba, and whose functions
    have explicit signatures, `@njit("float64(float64)", cache=CACHE)`: the global `CACHE` is set
    before it runs, and `SEALED`, whether all
    entries come from the disk. If the text is itself dear, pass a function that makes it, called only when
    nothing is in the cache, and a `fingerprint`: text that changes whenever the source would.
    `directory` is the root of the cache, by default `cache_directory()`.

    One process executes the same name and source only once, whatever the directory. Threads and
    processes may ask at the same time. A damaged or outdated entry is discarded and compiled again.
    Where nothing can be kept (no room, no right to write, a root that others may write to), the
    kernels are compiled in memory, with one `KernelCacheWarning`.

    Raises
    ------
    InvalidValueError
        If `name` is not 1 to 80 ASCII letters, digits, underscores and hyphens.
    Exception
        Whatever making, compiling or executing the source raises.
    """
    if not _NAME.fullmatch(name):
        raise InvalidValueError(
            f"kernel name {name!r}: use 1 to 80 ASCII letters, digits, underscores and hyphens"
        )
    kernels = _identify(name, source, fingerprint)
    root = cache_directory() if directory is None else directory
    with _loading:
        if kernels.folder_name in _loaded:
            return _loaded[kernels.folder_name]
        module, trouble = _load_or_compile(kernels, root)
        _loaded[kernels.folder_name] = module
    if trouble is not None:
        warnings.warn(
            f"compiled kernels cannot be kept in {root}: {trouble}. They are compiled in memory, "
            "again in every session; set ALLIANCEGAME_CACHE_DIR to a folder to which you, and "
            "only you, can write",
            KernelCacheWarning,
            stacklevel=2,
        )
    return module


def is_kept(
    name: str,
    source: str | Callable[[], str],
    *,
    directory: Path | None = None,
    fingerprint: str | None = None,
) -> bool | None:
    """Whether `load_compiled` has this module, loaded or in the cache; None if it can keep nothing.

    An entry is verified only when it is loaded; if it proves damaged, it is compiled again then.
    """
    kernels = _identify(name, source, fingerprint)
    if kernels.folder_name in _loaded:
        return True
    numba: Any = importlib.import_module("numba")
    if numba.config.DISABLE_JIT:
        return None
    try:
        root = _open_root(cache_directory() if directory is None else directory)
        if (root / kernels.folder_name).is_dir():
            return True
        return False if os.access(root, os.W_OK) else None
    except (OSError, RuntimeError):  # No right to it, or no home.
        return None


def cache_directory() -> Path:
    """Return the root of the cache: ALLIANCEGAME_CACHE_DIR, or a folder in the user's cache."""
    chosen = os.environ.get("ALLIANCEGAME_CACHE_DIR")
    if chosen:
        return Path(chosen)
    platformdirs = importlib.import_module("platformdirs")
    return Path(platformdirs.user_cache_dir("alliancegame", appauthor=False)) / "kernels"


def clear_cache(directory: Path | None = None) -> int:
    """Remove every entry below `directory`, by default `cache_directory()`; return how many.

    Modules that are loaded stay loaded. What other processes are writing is left to them.

    Raises
    ------
    OSError
        If the directory cannot be read, or an entry in it cannot be removed.
    """
    root = _real_path(cache_directory() if directory is None else directory)
    try:
        entries = [path for path in root.iterdir() if _ENTRY.fullmatch(path.name)]
    except (FileNotFoundError, NotADirectoryError):
        return 0
    for entry in entries:
        _discard(entry)
    _sweep(root)
    return len(entries)


@dataclass(frozen=True)
class _Kernels:
    """One source, and all that decides whether machine code made from it fits this process."""

    name: str
    source: str | Callable[[], str]
    identity: dict[str, Any]

    @cached_property
    def text(self) -> str:
        return self.source if isinstance(self.source, str) else self.source()

    @cached_property
    def folder_name(self) -> str:
        key = _sha256(json.dumps(self.identity, sort_keys=True).encode())
        return f"{self.name}-{key[:32]}"


def _identify(
    name: str, source: str | Callable[[], str], fingerprint: str | None = None
) -> _Kernels:
    numba: Any = importlib.import_module("numba")
    binding: Any = importlib.import_module("llvmlite.binding")
    numba.config.reload_config()  # as the compiler will: the key must see the same settings
    try:
        features = binding.get_host_cpu_features().flatten()
    except RuntimeError:  # LLVM does not know this processor
        features = ""
    if fingerprint is None:
        source = source if isinstance(source, str) else source()
        fingerprint = source
    identity = {
        "format": _FORMAT,
        "name": name,
        "source": _sha256(fingerprint.encode()),
        "python": f"{sys.version} [{sys.implementation.cache_tag}]",
        "numba": numba.__version__,
        "llvmlite": importlib.import_module("llvmlite").__version__,
        "numpy": importlib.import_module("numpy").__version__,
        "target": binding.get_process_triple(),
        "cpu": binding.get_host_cpu_name(),
        "cpu_features": features,
        "settings": {key: str(getattr(numba.config, key, None)) for key in _CODE_SETTINGS},
    }
    return _Kernels(name, source, identity)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# --- From disk, else compiled to disk, else compiled in memory -----------------------------------


def _load_or_compile(kernels: _Kernels, root: Path) -> tuple[ModuleType, str | None]:
    """Return the module, and why it could not be kept on disk, if it could not."""
    numba: Any = importlib.import_module("numba")
    if numba.config.DISABLE_JIT:  # plain Python, for a debugger: there is nothing to keep
        return _execute(kernels, None), None
    try:
        root = _open_root(root)
        module = _load_entry(kernels, root)
        if module is None:
            _logger.info("Compiling the %s kernels, once for this machine", kernels.name)
            module = _compile_entry(kernels, root)
    except Exception as error:  # noqa: BLE001
        # Whatever the system, pickle or Numba object to, memory remains. An error in the source
        # itself comes up again there, and is raised from there.
        # Of a system error only the text is kept: the path in it may be random, and a warning that
        # differs from call to call would be shown more than once.
        trouble = getattr(error, "strerror", None) or str(error) or type(error).__name__
    else:
        return module, None
    _logger.info("Compiling the %s kernels in memory: %s", kernels.name, trouble)
    return _execute(kernels, None), trouble.rstrip(".")


def _load_entry(kernels: _Kernels, root: Path) -> ModuleType | None:
    """Return the module from its verified entry; None, and no entry is left, if there is none."""
    entry = root / kernels.folder_name
    if not os.path.lexists(entry):
        return None
    manifest = _verified_manifest(entry, kernels)
    if manifest is not None:
        # An entry that Numba cannot load after all is of no more use than a damaged one.
        with suppress(Exception):
            (file,) = entry.glob("*.py")
            module = _execute(kernels, Shelf(entry, file, sealed=True))
            # Numba has read the files again: they must have stayed the same until now.
            if _verified_manifest(entry, kernels) == manifest:
                return module
    _logger.debug("discarding unusable kernels in %s", entry)
    _discard(entry)
    return None


def _compile_entry(kernels: _Kernels, root: Path) -> ModuleType:
    _sweep(root)
    entry = root / kernels.folder_name
    scrap = Path(tempfile.mkdtemp(prefix=_SCRAP, dir=root))  # 0700
    try:
        file = scrap / f"{_unique_name(kernels)}.py"
        file.write_bytes(kernels.text.encode())
        module = _execute(kernels, Shelf(scrap, entry / file.name, sealed=False))
        _seal(scrap, kernels)
        _publish(scrap, entry, kernels)
    finally:
        shutil.rmtree(scrap, ignore_errors=True)  # unless it was renamed into place
    return module


def _unique_name(kernels: _Kernels) -> str:
    # The names of functions in machine code begin with that of their module. If a process compiles
    # what it has loaded and found wanting, the linker must not take the old code for the new.
    return f"{kernels.name}_{uuid.uuid4().hex[:16]}"


def _execute(kernels: _Kernels, shelf: Shelf | None) -> ModuleType:
    """Execute the source, whose decorators make Numba load or compile every function."""
    module = ModuleType(
        "alliancegame_kernels_" + (shelf.file.stem if shelf else _unique_name(kernels))
    )
    if shelf is None:
        text, filename = kernels.text, f"<{kernels.name} kernels>"
        # Tracebacks and Numba's messages quote the source from here.
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    else:
        # From its folder, scrap or final, but under the final name, which tracebacks will look for.
        text, filename = (shelf.folder / shelf.file.name).read_bytes().decode(), str(shelf.file)
    sealed = shelf is not None and shelf.sealed
    vars(module).update(__file__=filename, CACHE=shelf is not None, SEALED=sealed)
    code = compile(text, filename, "exec", dont_inherit=True, optimize=0)
    sys.modules[module.__name__] = module  # Numba imports it by name when it loads machine code
    try:
        with nullcontext() if shelf is None else numba_keeps_in(shelf):
            exec(code, vars(module))  # noqa: S102
        if shelf is not None:
            stop_saving(module, shelf)
    except BaseException:
        sys.modules.pop(module.__name__, None)
        raise
    return module


# --- Files ---------------------------------------------------------------------------------------


def _real_path(root: Path) -> Path:
    return Path(os.path.realpath(root.expanduser()))


def _open_root(root: Path) -> Path:
    """Return the real path of the root, created if it is missing, if only its owner can write."""
    root = _real_path(root)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_private(root.stat(), forbidden=stat.S_IWGRP | stat.S_IWOTH):
        raise UnusableError("it belongs to somebody else, or others can write to it")
    return root


def _is_private(status: os.stat_result, forbidden: int = stat.S_IRWXG | stat.S_IRWXO) -> bool:
    private = True  # on Windows, folders of a user are closed to others by inheritance
    if sys.platform != "win32":
        private = status.st_uid == os.geteuid() and not status.st_mode & forbidden
    return private


def _survey(entry: Path, kernels: _Kernels) -> bytes:
    """Return the manifest that an entry with these files ought to have.

    Raises
    ------
    OSError
        If something in it is unreadable, open to others, or no ordinary file.
    """
    status = entry.lstat()
    if not (stat.S_ISDIR(status.st_mode) and _is_private(status)):
        raise UnusableError("not a private folder")
    files = {}
    for path in entry.iterdir():
        status = path.lstat()
        if not (stat.S_ISREG(status.st_mode) and _is_private(status)):
            raise UnusableError("not a private file")
        if path.name != _MANIFEST:
            content = path.read_bytes()
            files[path.name] = {"size": len(content), "sha256": _sha256(content)}
    manifest = {"identity": kernels.identity, "files": files}
    return (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode()


def _verified_manifest(entry: Path, kernels: _Kernels) -> bytes | None:
    """Return the manifest of an entry if it is true to the byte, which spares parsing it."""
    try:
        manifest = _survey(entry, kernels)
        return manifest if manifest == (entry / _MANIFEST).read_bytes() else None
    except OSError:
        return None


def _seal(scrap: Path, kernels: _Kernels) -> None:
    """Make the files private, write their manifest, and bring all of it to the disk."""
    for path in scrap.iterdir():
        path.chmod(0o600)
    manifest = _survey(scrap, kernels)
    (scrap / _MANIFEST).touch(mode=0o600)
    (scrap / _MANIFEST).write_bytes(manifest)
    for path in scrap.iterdir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    _sync_folder(scrap)


def _sync_folder(folder: Path) -> None:
    # Some systems cannot; there a power failure may damage the entry, and the next reader sees it.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _publish(scrap: Path, entry: Path, kernels: _Kernels) -> None:
    """Rename a finished folder into place, unless another process was first with a good one."""
    attempts = 20  # more than one only if yet another process comes between
    while True:
        try:
            scrap.rename(entry)
        except OSError:
            attempts -= 1
            if not attempts:
                raise
        else:
            _sync_folder(entry.parent)
            return
        if _verified_manifest(entry, kernels) is not None:
            return
        _discard(entry)


def _discard(path: Path) -> None:
    """Remove a file or folder in one step for every reader, and its contents after that."""
    scrap = path.with_name(f"{_SCRAP}{uuid.uuid4().hex}")
    with suppress(FileNotFoundError):  # another process was faster
        path.rename(scrap)
        _remove(scrap)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sweep(root: Path) -> None:
    """Remove what killed writers have left behind."""
    for path in root.glob(f"{_SCRAP}*"):
        with suppress(OSError):
            if time.time() - path.lstat().st_mtime > _SCRAP_LIFETIME:
                _remove(path)
