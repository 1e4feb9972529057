"""Files of the report: made whole in a folder beside, then put in place one by one, the page last."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from alliancegame.errors import InvalidValueError, ResultFileError
from alliancegame.game.checks import as_path

PAGE, LATEX = "report.html", "model.tex"
FIGURES, TABLES, RESULTS = "figures", "tables", "results"


@dataclasses.dataclass(frozen=True)
class ReportFiles:
    """Where a report was written: its folder, the page, and everything beside it."""

    folder: Path
    html: Path
    latex: Path
    figures: tuple[Path, ...]
    tables: tuple[Path, ...]
    results: tuple[Path, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file."""
        return (self.html, self.latex, *self.figures, *self.tables, *self.results)


def check_folder(out: str | os.PathLike[str]) -> Path:
    """The folder to write into, absolute, known to be writable before anything is solved.

    Raises `InvalidValueError` if a file is in its place, `ResultFileError` if nothing can be written.
    """
    folder = as_path(out, "report").absolute()
    for path in (folder, *folder.parents):
        if path.exists():
            if path.is_dir():
                _try_to_write(path, folder)
                break
            raise InvalidValueError(
                f"out must be a folder, and {path} is a file: name another one."
            )
    return folder


def _try_to_write(existing: Path, folder: Path) -> None:
    """Make the folder's neighbour for a moment: permissions alone do not tell for every system."""
    try:
        Path(tempfile.mkdtemp(prefix=".report-", dir=existing)).rmdir()
    except OSError as error:
        raise ResultFileError(
            f"{folder}: nothing can be written there ({error.strerror or error}): name another folder."
        ) from error


def publish(folder: Path, files: Mapping[str, bytes]) -> ReportFiles:
    """Write files (paths inside the folder to bytes) so that no reader meets half of one.

    The page goes last: an interrupted report leaves the old page, which needs no other file.
    Figures, tables and results of an earlier report that this one does not have are removed.
    Raises `ResultFileError` if the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".report-", dir=folder))
        try:
            _fill(stage, files)
            for name in sorted(files, key=lambda name: name == PAGE):
                target = folder / name
                target.parent.mkdir(exist_ok=True)
                (stage / name).replace(target)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        _sweep(folder, files)
    except OSError as error:
        raise ResultFileError(
            f"{folder}: the report cannot be written there ({error.strerror or error})."
        ) from error
    listed = {
        part: tuple(sorted(folder / name for name in files if name.startswith(f"{part}/")))
        for part in (FIGURES, TABLES, RESULTS)
    }
    return ReportFiles(folder, folder / PAGE, folder / LATEX, **listed)


def _fill(stage: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = stage / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def _sweep(folder: Path, files: Mapping[str, bytes]) -> None:
    """Remove what only an earlier report had: files with the kinds of names that a report gives."""
    from alliancegame.report.contents import ALL_NAMES

    for name in ALL_NAMES:
        if name not in files:
            (folder / name).unlink(missing_ok=True)
