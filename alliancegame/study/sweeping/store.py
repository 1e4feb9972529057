"""A sweep's Zarr store: made once, filled chunk by chunk, and taken up again where it was left.

    out.zarr/
      zarr.json               the group: provenance, and the metadata of all arrays (consolidated)
      <array>/zarr.json       one array for each output, status, reason, and the labels
      <array>/c/0/1/…         its chunks
      .alliancegame/
        sweep.json            what was asked (game, plan, axes, …), where, and sums of all metadata
        token                 tells this store from another that has taken its place
        journal               one line a chunk, synced after each: its digest
        lock                  who is writing
        unfinished/           files that are being written

A chunk counts if the journal has it and its files still have the digest noted there; anything else
is solved again. So of all that is written chunk by chunk, nothing but the journal needs to be synced.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import InvalidValueError, SweepStoreError
from alliancegame.study.sweeping import environment as surroundings
from alliancegame.study.sweeping.blocks import Blocks
from alliancegame.study.sweeping.journal import Journal
from alliancegame.study.sweeping.layout import Layout, as_json
from alliancegame.study.sweeping.lock import StoreLock
from alliancegame.study.sweeping.target import HOUSE, Target, create_array, quietly

if TYPE_CHECKING:
    import xarray as xr

FORMAT = 1

GO_ON = "Make the same call again and it goes on from there."


@dataclasses.dataclass(frozen=True, eq=False)
class Question:
    """What is swept, in plain values: a store serves one question only.

    `chunk` is the number of cells that the caller asked for, None if that is left open.
    """

    content: Mapping[str, Any]
    chunk: int | None


class SweepStore:
    """An open store, locked. Close it, or use it in a `with` statement.

    `journal` has the chunks noted, `blocks` how cells are cut. Raises `SweepStoreError`.
    """

    def __init__(
        self,
        path: Path,
        question: Question,
        layout: Layout,
        default: Blocks,
        *,
        allow_mixed: bool,
    ) -> None:
        self.path, self.layout = path, layout
        self._house = path / HOUSE
        self.journal = Journal(self._house / "journal")
        _check_names(layout)
        try:
            self._claim()
            self._lock = StoreLock(self._house / "lock", path)
        except SweepStoreError:
            raise
        except OSError as error:
            raise self.failure(error, "") from error
        try:
            if self._unfinished():
                self.blocks = default
                self._make(question)
            else:
                self.blocks = self._take_up(question, allow_mixed)
            self.journal.open()
        except BaseException as error:
            self.close()
            if isinstance(error, OSError) and not isinstance(error, SweepStoreError):
                raise self.failure(error, "") from error
            raise

    def __enter__(self) -> SweepStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store."""
        self.journal.close()
        self._lock.release()

    # --- making and recognising ----------------------------------------------------------------

    def _claim(self) -> None:
        """Make the folder ours, or find that it is. Raises if it is somebody else's."""
        if self._house.is_dir():
            return
        if self.path.exists():
            if not self.path.is_dir():
                raise SweepStoreError(f"{self.path} is a file, not a store: give another path.")
            found = sorted(entry.name for entry in self.path.iterdir())
            # A file system's own folder does not make a fresh disk somebody's store.
            if [name for name in found if name != "lost+found"]:
                raise SweepStoreError(
                    f"{self.path} is no store of a sweep (it holds {', '.join(found[:3])}"
                    f"{', …' if len(found) > 3 else ''}), and nothing in it is touched: give another "
                    "path, or move it away."
                )
        self._house.mkdir(parents=True, exist_ok=True)

    def _unfinished(self) -> bool:
        """Whether the store is still to be made; what a start cut short has left is cleared away."""
        journal = self._house / "journal"
        if (self._house / "sweep.json").exists() or (journal.exists() and journal.stat().st_size):
            return False
        if (self.path / "status" / "c").exists():
            raise self._damaged(f"{HOUSE}/sweep.json")
        for entry in self.path.iterdir():
            if entry.name == "zarr.json":
                entry.unlink()
            elif entry.is_dir() and entry.name != HOUSE and entry.name != "lost+found":
                if not (entry / "zarr.json").exists() and any(entry.iterdir()):
                    raise SweepStoreError(
                        f"{self.path} is no store of a sweep (it holds {entry.name}): give another path."
                    )
                shutil.rmtree(entry)
        return True

    def _make(self, question: Question) -> None:
        """Metadata and labels, then the journal, then the file that says that all this is complete."""
        (self._house / "unfinished").mkdir(exist_ok=True)
        files = _files(self.layout, self.blocks)
        for name, content in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            _write_synced(file, content)
        token = uuid.uuid4().hex
        (self._house / "token").write_text(token)
        body = {
            "format": FORMAT,
            "token": token,
            "question": dict(question.content),
            "chunk": question.chunk,
            "block": list(self.blocks.block),
            "environment": dict(surroundings.environment()),
            "files": {name: _sum(content) for name, content in sorted(files.items())},
        }
        (self._house / "journal").touch()
        aside = self._house / "sweep.new"
        _write_synced(aside, _sealed(body))
        aside.replace(self._house / "sweep.json")
        self.token = token

    def _take_up(self, question: Question, allow_mixed: bool) -> Blocks:
        """Check that this is the store of the same question, whole, and from a machine like this."""
        body = self._read()
        different = _differences(body["question"], question.content)
        if different:
            raise SweepStoreError(
                f"{self.path} holds another sweep: {'; '.join(different)}. Give another store, or "
                "make the call that began this one."
            )
        blocks = Blocks(self.layout.shape, tuple(body["block"]))
        if question.chunk not in (None, body["chunk"]):
            raise SweepStoreError(
                f"{self.path} was begun with chunk={body['chunk']}, not {question.chunk}, and chunks "
                "decide where solutions start from: leave chunk out, or give another store."
            )
        others = surroundings.differences(body["environment"], dict(surroundings.environment()))
        if others and not allow_mixed:
            raise SweepStoreError(
                f"{self.path} was begun elsewhere: {'; '.join(others)}. Answers may differ in their last "
                "bits. Go on with allow_mixed=True, or give another store."
            )
        for name, expected in body["files"].items():
            file = self.path / name
            if not file.is_file() or _sum(file.read_bytes()) != expected:
                raise self._damaged(name)
        try:
            self.journal.read()
        except FileNotFoundError as error:
            raise self._damaged(f"{HOUSE}/journal") from error
        self.token = str(body["token"])
        (self._house / "unfinished").mkdir(exist_ok=True)
        (self._house / "token").write_text(self.token)
        for left in (self._house / "unfinished").iterdir():
            left.unlink(missing_ok=True)
        return blocks

    def _read(self) -> dict[str, Any]:
        try:
            sealed = json.loads((self._house / "sweep.json").read_bytes())
            body: dict[str, Any] = sealed["body"]
            if sealed["sha256"] != _seal(body):
                raise ValueError
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._damaged(f"{HOUSE}/sweep.json") from error
        if body["format"] != FORMAT:
            raise SweepStoreError(
                f"{self.path} has format {body['format']} of sweep stores; this version reads {FORMAT}."
            )
        return body

    def _damaged(self, name: str) -> SweepStoreError:
        return SweepStoreError(
            f"{self.path} is damaged: {name} is missing or not as it was written, and without it no "
            "chunk can be trusted. Put that file back from a copy, or move the folder away and make "
            "the call again: it then begins anew."
        )

    # --- chunks ----------------------------------------------------------------------------------

    @property
    def target(self) -> Target:
        """Where chunks are written."""
        return Target(
            os.fspath(self.path.absolute()),
            self.token,
            self.blocks.block,
            len(self.layout.members),
            self.layout.variables,
        )

    def verified(self) -> dict[int, int]:
        """Chunks that are noted and whole, with how many of their cells failed."""
        target = self.target
        return {
            index: entry.failed
            for index, entry in sorted(self.journal.entries.items())
            if 0 <= index < self.blocks.count
            and target.digest(self.blocks.place(index)) == entry.digest
        }

    def failure(self, error: Exception, done: str) -> SweepStoreError:
        """The error for a file that could not be written; `done` says what is kept."""
        number = getattr(error, "number", None) or getattr(error, "errno", None)
        words = getattr(error, "words", None) or getattr(error, "strerror", None) or str(error)
        file = getattr(error, "file", None) or getattr(error, "filename", None) or self.path
        remedy = "make room" if _is_full(number) else "see to that"
        return SweepStoreError(
            f"{self.path} cannot be written: {words} ({file}). {done}"
            f"{remedy[0].upper()}{remedy[1:]}, then make the same call again"
            + (": it goes on from there." if done else ".")
        )

    def dataset(self, lazy: bool) -> xr.Dataset:
        """The store as a labelled Dataset, read when needed or at once."""
        import xarray as xr

        opened = xr.open_dataset(
            self.path, engine="zarr", chunks=None, consolidated=True, decode_times=False
        )
        labels = self.layout.coordinates
        opened = opened.set_coords([c.name for c in labels])
        # Few and often selected by: as the objects that xarray and pandas have always known.
        texts = {
            c.name: ((c.dim,), c.values, dict(c.attrs)) for c in labels if c.values.dtype == object
        }
        opened = opened.assign_coords(texts)[[v.name for v in self.layout.variables]]
        if lazy:
            return opened
        with opened:
            loaded = opened.load()
        loaded["reason"] = loaded["reason"].astype(object)
        return loaded.drop_encoding()


def _is_full(number: int | None) -> bool:
    import errno

    return number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _check_names(layout: Layout) -> None:
    for coordinate in layout.coordinates:
        name = coordinate.name
        if (
            "/" in name
            or "\\" in name
            or name.startswith((".", "__"))
            or name in ("c", "zarr.json")
        ):
            raise InvalidValueError(
                f"{name!r} cannot name an array of a store; sweep without store=, or rename the member."
            )


def _files(layout: Layout, blocks: Blocks) -> dict[str, bytes]:
    """Metadata and labels of a store without answers, by file: made by Zarr in memory.

    In memory, because Zarr would take our own folder for a damaged array.
    """
    import zarr
    from zarr.storage import MemoryStore

    # Other readers find labels by this attribute, which lists names between spaces.
    extra = [c.name for c in layout.coordinates if c.name != c.dim and not set(c.name) & set(" \t")]
    attrs = dict(layout.attrs) | ({"coordinates": " ".join(extra)} if extra else {})
    kept: dict[str, Any] = {}
    memory = MemoryStore(kept)
    group = zarr.create_group(memory, zarr_format=3, attributes=attrs)
    for variable in layout.variables:
        chunks = (*blocks.block, len(layout.members)) if variable.member else blocks.block
        create_array(
            group, variable.name, layout.shape_of(variable), chunks, variable.dtype, variable.fill,
            dimension_names=layout.dims_of(variable), attributes=dict(variable.attrs),
        )  # fmt: skip
    for coordinate in layout.coordinates:
        values: NDArray[Any] = coordinate.values
        text = values.dtype == object
        made = create_array(
            group, coordinate.name, values.shape, (min(len(values), 1 << 20),),
            "string" if text else "float64", "" if text else np.nan,
            dimension_names=(coordinate.dim,), attributes=dict(coordinate.attrs),
        )  # fmt: skip
        made[:] = values
    with quietly():
        zarr.consolidate_metadata(memory)
    return {name: bytes(content.to_bytes()) for name, content in kept.items()}


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _seal(body: Any) -> str:
    return _sum(as_json(body).encode())


def _sealed(body: Any) -> bytes:
    plain = json.loads(as_json(body))
    return json.dumps({"sha256": _seal(plain), "body": plain}, indent=1).encode() + b"\n"


def _write_synced(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    """What two questions differ in, in words."""
    plain = json.loads(as_json(ours))
    found = [
        f"{name} is {_short(theirs.get(name))} there, {_short(plain.get(name))} here"
        for name in ("solve", "outputs", "search", "derive", "tolerances", "plan")
        if theirs.get(name) != plain.get(name)
    ]
    game, mine = theirs.get("game", {}), plain["game"]
    changed = sorted(key for key in {*game, *mine} if game.get(key) != mine.get(key))
    if changed:
        found.append(f"the game differs in {', '.join(changed)}")
    if theirs.get("over") != plain["over"]:
        found.append(_over_difference(theirs.get("over", []), plain["over"]))
    return found


def _over_difference(theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> str:
    def sizes(axes: list[dict[str, Any]]) -> str:
        return " x ".join(f"{axis['name']} ({axis['size']})" for axis in axes)

    if sizes(theirs) != sizes(ours):
        return f"over is {sizes(theirs)} there, {sizes(ours)} here"
    names = [a["name"] for a, b in zip(theirs, ours, strict=True) if a != b]
    return f"over has other values of {', '.join(names)}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "…"
