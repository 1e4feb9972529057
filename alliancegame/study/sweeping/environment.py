"""Processor type and versions: where two runs agree on these, they give the same bytes."""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.metadata
import importlib.resources
import platform
import sys
from collections.abc import Iterator, Mapping
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from alliancegame._version import __version__

_CODE = ("game", "payoff", "solve", "study/cells.py", "study/compare.py", "study/backfire.py")
"""Folders and files of this package whose code decides what the numbers are."""


@functools.cache
def environment() -> Mapping[str, str]:
    """What decides the last bits of an answer in this process, by name.

    `features` is a digest of the processor's instruction sets and `code` one of this package's
    source: a version number alone would not tell two states of a working copy apart.
    """
    binding: Any = importlib.import_module("llvmlite.binding")
    config: Any = importlib.import_module("numba").config
    try:
        features = binding.get_host_cpu_features().flatten()
    except RuntimeError:  # LLVM does not know this processor.
        features = platform.processor()
    interpreted = bool(getattr(config, "DISABLE_JIT", 0))
    found = {
        "processor": str(getattr(config, "CPU_NAME", None) or binding.get_host_cpu_name()),
        "features": _digest(str(getattr(config, "CPU_FEATURES", None) or features).encode()),
        "system": f"{binding.get_process_triple()} {' '.join(platform.libc_ver())}".strip(),
        "python": f"{platform.python_implementation()} {'.'.join(map(str, sys.version_info[:2]))}",
        **{
            name: importlib.metadata.version(name)
            for name in ("numpy", "scipy", "sympy", "numba", "llvmlite")
        },
        "compiled": "no" if interpreted else "yes",
        "alliancegame": __version__,
        "code": _code(),
    }
    return MappingProxyType(found)


def differences(
    theirs: Mapping[str, str], ours: Mapping[str, str], there: str = "there", here: str = "here"
) -> list[str]:
    """What differs between two environments, in words."""
    return [
        f"{name} {theirs.get(name, 'unknown')!r} {there}, {ours.get(name, 'unknown')!r} {here}"
        for name in sorted({*theirs, *ours})
        if theirs.get(name) != ours.get(name)
    ]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _code() -> str:
    package = importlib.resources.files("alliancegame")
    whole = hashlib.sha256()
    for place in _CODE:
        for name, file in sorted(
            _sources(package.joinpath(place), place), key=lambda pair: pair[0]
        ):
            whole.update(f"{name}\0{_digest(file.read_bytes())}\n".encode())
    return whole.hexdigest()[:16]


def _sources(entry: Traversable, name: str) -> Iterator[tuple[str, Traversable]]:
    if entry.is_dir():
        for inner in entry.iterdir():
            yield from _sources(inner, f"{name}/{inner.name}")
    elif name.endswith(".py"):
        yield name, entry
