"""Where a chunk's arrays are written, by whichever process solved it: chunk files of a Zarr store.

Numbers stand in their files as Zarr's `bytes` codec has them, little-endian in C order, without
compression (answers hardly compress, and their size is then known beforehand). Reasons are encoded
by Zarr itself. Files are written aside and renamed into place, so that whoever is killed leaves
whole files only, and two processes that solve the same chunk cannot disturb each other.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import uuid
import warnings
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.study.sweeping.layout import Variable

HOUSE = ".alliancegame"
"""Folder inside a store for what Zarr does not read: identity, journal, lock, unfinished files."""


Content = bytes | memoryview


class CannotWriteError(Exception):
    """A file of the store cannot be written: the system's error number, its words, and the file."""

    def __init__(self, number: int, words: str, file: str) -> None:
        super().__init__(number, words, file)
        self.number, self.words, self.file = number, words, file

    @classmethod
    def of(cls, error: OSError, file: Path) -> CannotWriteError:
        """The same for an error of the system."""
        return cls(error.errno or 0, error.strerror or str(error), str(file))


@dataclasses.dataclass(frozen=True, eq=False)
class Target:
    """The arrays of a store, as a process needs them to write chunks.

    `block` are the cells of a whole chunk along each dimension. `token` tells this store from
    another one that has taken its place.
    """

    path: str
    token: str
    block: tuple[int, ...]
    members: int
    variables: tuple[Variable, ...]

    @property
    def _house(self) -> Path:
        return Path(self.path) / HOUSE

    def reachable(self) -> bool:
        """Whether this very store is seen from this machine."""
        try:
            return (self._house / "token").read_text() == self.token
        except OSError:
            return False

    def write(self, place: tuple[int, ...], arrays: Mapping[str, NDArray[Any]]) -> str:
        """Write a chunk's files; the digest of their contents. Raises `CannotWriteError`."""
        contents = [self._encoded(v, arrays[v.name]) for v in self.variables]
        for variable, content in zip(self.variables, contents, strict=True):
            self._put(self._file(variable, place), content)
        return _digest(self.variables, contents)

    def digest(self, place: tuple[int, ...]) -> str | None:
        """The digest of a chunk's files as they are now; None if they cannot be read."""
        contents: list[Content | None] = []
        for variable in self.variables:
            try:
                contents.append(self._file(variable, place).read_bytes())
            except FileNotFoundError:
                contents.append(None)
            except OSError:
                return None
        return _digest(self.variables, contents)

    def _file(self, variable: Variable, place: tuple[int, ...]) -> Path:
        whole = (*place, 0) if variable.member else place
        return Path(self.path, variable.name, "c", *map(str, whole))

    def _shape(self, variable: Variable) -> tuple[int, ...]:
        return (*self.block, self.members) if variable.member else self.block

    def _encoded(self, variable: Variable, values: NDArray[Any]) -> Content | None:
        """A chunk as its file has it: padded to full size; None where Zarr would leave it out."""
        if variable.dtype == "string":
            return self._texts.encode(values) if (values != "").any() else None
        whole = values
        shape = self._shape(variable)
        if values.shape != shape:
            whole = variable.blank(shape)
            whole[tuple(slice(n) for n in values.shape)] = values
        kind = np.dtype(variable.dtype).newbyteorder("<")
        return np.ascontiguousarray(whole, dtype=kind).data.cast("B")

    @cached_property
    def _texts(self) -> _Texts:
        return _Texts(self.block)

    def __getstate__(self) -> dict[str, Any]:
        """The fields; what was made from them stays behind."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    def _put(self, file: Path, content: Content | None) -> None:
        """Write aside and rename; a chunk that is left out is removed."""
        try:
            if content is None:
                file.unlink(missing_ok=True)
                return
            aside = self._house / "unfinished" / uuid.uuid4().hex
            try:
                _write(aside, content)
                try:
                    aside.replace(file)
                except FileNotFoundError:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    aside.replace(file)
            except BaseException:
                aside.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise CannotWriteError.of(error, file) from error


def _write(file: Path, content: Content) -> None:
    with file.open("wb", buffering=0) as stream:
        rest = memoryview(content)
        while rest:
            rest = rest[stream.write(rest) :]


class _Texts:
    """Zarr's own encoding of text, through an array of one chunk in memory."""

    def __init__(self, block: tuple[int, ...]) -> None:
        import zarr
        from zarr.storage import MemoryStore

        self._kept: dict[str, Any] = {}
        self._array = create_array(
            zarr.create_group(MemoryStore(self._kept)), "text", block, block, "string", ""
        )
        self._key = "text/c/" + "/".join("0" for _ in block)

    def encode(self, values: NDArray[Any]) -> bytes:
        """The file of a chunk of text."""
        whole = np.full(self._array.shape, "", dtype=object)
        whole[tuple(slice(n) for n in values.shape)] = values
        self._array[...] = whole
        return bytes(self._kept[self._key].to_bytes())


def create_array(
    group: Any, name: str, shape: tuple[int, ...], chunks: tuple[int, ...], dtype: str, fill: Any,
    **more: Any,
) -> Any:  # fmt: skip
    """An array of a store: numbers as they are, text compressed."""
    kind, compressors = (str, "auto") if dtype == "string" else (dtype, None)
    with quietly():
        return group.create_array(
            name, shape=shape, chunks=chunks, dtype=kind, fill_value=fill, compressors=compressors,
            **more,
        )  # fmt: skip


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without Zarr's notes on what the text of its format does not say yet.

    They concern consolidated metadata and, before Zarr 3.1, text: both are what xarray writes too.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*currently not part in the Zarr format 3 specification")
        yield


def _digest(variables: tuple[Variable, ...], contents: list[Content | None]) -> str:
    whole = hashlib.sha256()
    for variable, content in zip(variables, contents, strict=True):
        size = "none" if content is None else len(content)
        whole.update(f"{variable.name}\0{size}\0".encode())
        if content is not None:
            whole.update(content)
    return whole.hexdigest()
