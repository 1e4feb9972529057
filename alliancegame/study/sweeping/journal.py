"""Which chunks of a store are done: a text file to which one line a chunk is added and synced."""

from __future__ import annotations

import dataclasses
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

from alliancegame.study.sweeping.target import CannotWriteError


@dataclasses.dataclass(frozen=True)
class Entry:
    """A chunk that was written: the digest of its files, how many cells failed, and where."""

    digest: str
    failed: int
    environment: int


class Journal:
    """Lines `chunk INDEX DIGEST FAILED ENVIRONMENT` and `environment JSON`, each after its CRC-32.

    A line that is torn or damaged counts as not written: its chunk is solved again. The last line
    of a chunk counts.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.entries: dict[int, Entry] = {}
        self.environments: list[dict[str, str]] = []
        self._descriptor = -1

    def read(self) -> None:
        """Read what is there."""
        for line in self._file.read_bytes().split(b"\n"):
            text = _checked(line)
            if text is None:
                continue
            kind, _, rest = text.partition(" ")
            if kind == "environment":
                self.environments.append(json.loads(rest))
            elif kind == "chunk":
                index, digest, failed, environment = rest.split()
                self.entries[int(index)] = Entry(digest, int(failed), int(environment))

    def open(self) -> None:
        """Make it ready for more lines, beginning a new one if the last was torn."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        self._descriptor = os.open(self._file, flags, 0o644)
        content = self._file.read_bytes()
        if content and not content.endswith(b"\n"):
            os.ftruncate(self._descriptor, content.rfind(b"\n") + 1)

    def add(self, index: int, digest: str, failed: int, environment: Mapping[str, str]) -> None:
        """Note a chunk that is written. On return the line is on the disk."""
        known = dict(environment)
        try:
            if known not in self.environments:
                self._append(f"environment {json.dumps(known, sort_keys=True)}")
                self.environments.append(known)
            entry = Entry(digest, failed, self.environments.index(known))
            self._append(f"chunk {index} {entry.digest} {entry.failed} {entry.environment}")
            os.fsync(self._descriptor)
        except OSError as error:
            raise CannotWriteError.of(error, self._file) from error
        self.entries[index] = entry

    def _append(self, text: str) -> None:
        line = f"{zlib.crc32(text.encode()):08x} {text}\n".encode()
        while line:
            line = line[os.write(self._descriptor, line) :]

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _checked(line: bytes) -> str | None:
    """The text of a line whose sum is right."""
    mark, _, text = line.partition(b" ")
    try:
        if int(mark, 16) != zlib.crc32(text):
            return None
        return text.decode()
    except ValueError:
        return None
