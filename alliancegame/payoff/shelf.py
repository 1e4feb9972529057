"""Where Numba keeps machine code: in one folder of ours, by names of ours, and nowhere else.

Numba's cache finds its files through "locators". For the time in which a set of kernels is executed
one of ours stands before all others (`payoff.cache` says what the folders are).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

__all__ = ["Shelf", "UnusableError", "cache_statistics", "numba_keeps_in", "stop_saving"]


class UnusableError(OSError):
    """The cache, or one entry of it, cannot be relied on."""


@dataclass(frozen=True)
class Shelf:
    """Tells Numba in which folder the machine code of one source file is (a "cache locator").

    Numba's own locators obey NUMBA_CACHE_DIR, leave a folder that is read-only for another one that
    nobody verifies, and in older versions distrust a file whose time stamp has changed.
    """

    folder: Path
    file: Path
    sealed: bool
    line: int = 0

    @property
    def _py_file(self) -> str:  # the name under which Numba's warnings look for the file
        return str(self.file)

    def from_function(self, py_func: FunctionType, py_file: str) -> Shelf | None:
        """The locator of one function, None where the function is none of ours."""
        if py_file != str(self.file):  # another thread compiles something of its own
            return None
        return replace(self, line=py_func.__code__.co_firstlineno)

    def get_cache_path(self) -> str:
        """The folder."""
        return str(self.folder)

    def get_source_stamp(self) -> str:
        """What has to be the same when the code is loaded: the name of the entry."""
        return self.file.parent.name  # ends in the key

    def get_disambiguator(self) -> str:
        """What tells functions of one name apart: their first lines."""
        return str(self.line)

    def ensure_cache_path(self) -> None:
        """Refuse to have anything saved in an entry that has been verified."""
        # Numba asks before it saves, hence after it has missed something. A verified entry lacks
        # nothing and must stay as it is.
        if self.sealed:
            raise UnusableError("Numba does not find its machine code in a verified entry")


@contextmanager
def numba_keeps_in(shelf: Shelf) -> Iterator[None]:
    """Meanwhile Numba looks on this shelf, and on no other if the source is its own."""
    config: Any = importlib.import_module("numba").config
    caching: Any = importlib.import_module("numba.core.caching").CacheImpl
    locators, override = caching._locator_classes, getattr(config, "CACHE_LOCATOR_CLASSES", "")
    caching._locator_classes = [shelf, *locators]
    config.CACHE_LOCATOR_CLASSES = ""  # NUMBA_CACHE_LOCATOR_CLASSES would hide the list
    try:
        yield
    finally:
        caching._locator_classes, config.CACHE_LOCATOR_CLASSES = locators, override


def stop_saving(module: ModuleType, shelf: Shelf) -> None:
    """Check that Numba has kept what it was asked to keep; nothing may follow the manifest."""
    asked = [each for each in _dispatchers(module) if each.stats.cache_path is not None]
    for dispatcher in asked:
        dispatcher._cache.disable()
    compiled = sum(each.stats.cache_misses.total() for each in asked)
    if not shelf.sealed and compiled > sum(1 for _ in shelf.folder.glob("*.nbc")):
        raise UnusableError("Numba cannot save all of these functions")


def _dispatchers(module: ModuleType) -> list[Any]:
    dispatcher: Any = importlib.import_module("numba.core.dispatcher").Dispatcher
    return [value for value in vars(module).values() if isinstance(value, dispatcher)]


def cache_statistics(module: ModuleType) -> tuple[int, int]:
    """Return how many functions of a loaded module came from disk, and how many were compiled.

    A function counts once for each of its signatures.
    """
    statistics = [dispatcher.stats for dispatcher in _dispatchers(module)]
    return (
        sum(each.cache_hits.total() for each in statistics),
        sum(each.cache_misses.total() for each in statistics),
    )
