"""What a model file cites: places in a TOML file, for messages, and CSV tables read by member."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from alliancegame.errors import ModelFileError, did_you_mean

_TOML_TYPES = {bool: "boolean", int: "integer", float: "float", str: "string"} | {
    list: "array",
    dict: "table",
}


def in_toml(value: Any) -> str:
    """A value with its TOML type, for messages: `the string "x"`."""
    kind = _TOML_TYPES.get(type(value), type(value).__name__)
    if isinstance(value, (list, dict)):
        return f"a TOML {kind}"
    shown = str(value).lower() if isinstance(value, bool) else value
    return f'the {kind} "{shown}"' if isinstance(value, str) else f"the {kind} {shown}"


@dataclasses.dataclass(frozen=True)
class Place:
    """A place in a model file: the file's name and the keys that lead there.

    Its methods check what stands at the place and raise `ModelFileError`s that name it.
    """

    file: str
    keys: tuple[str, ...] = ()

    def __truediv__(self, key: str) -> Place:
        """The place one key further in."""
        return Place(self.file, (*self.keys, key))

    def error(self, message: str) -> ModelFileError:
        """The error that says where."""
        where = ".".join(self.keys)
        return ModelFileError(f"{self.file}: {where}{where and ' '}{message}")

    def table(
        self, value: Any, allowed: Iterable[str] | None = None, required: Iterable[str] = ()
    ) -> dict[str, Any]:
        """A TOML table, with no other keys than the `allowed` (None: any), and all `required`."""
        if not isinstance(value, dict):
            raise self.error(f"must be a table, got {in_toml(value)}.")
        known = list(value if allowed is None else allowed)
        for key in value:
            if key not in known:
                raise (self / key).error(
                    f"is not known here.{did_you_mean(key, known)} Allowed: {', '.join(known)}."
                )
        for key in required:
            if key not in value:
                raise (self / key).error("is missing.")
        return value

    def text(self, value: Any) -> str:
        """Non-empty text."""
        if not isinstance(value, str) or not value.strip():
            raise self.error(f"must be a non-empty string, got {in_toml(value)}.")
        return value.strip()

    def number(self, value: Any) -> float:
        """A finite number."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.error(f"must be a number, got {in_toml(value)}.")
        if not math.isfinite(value):
            raise self.error(f"must be finite, got {value}.")
        return float(value)

    def whole(self, value: Any) -> int:
        """A whole number."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error(f"must be a whole number, got {in_toml(value)}.")
        return value

    def one_of(self, value: Any, names: Iterable[str], kind: str) -> str:
        """A name from a list."""
        known = list(names)
        if not isinstance(value, str) or value not in known:
            near = did_you_mean(value, known) if isinstance(value, str) else ""
            listing = ", ".join(known) or "there is none"
            raise self.error(f"must be {kind} ({listing}), got {in_toml(value)}.{near}")
        return value


@dataclasses.dataclass(frozen=True)
class Citation:
    """Where numbers come from and on what terms they may be used; the file and its SHA-256."""

    title: str
    source: str
    terms: str
    file: str = ""
    sha256: str = ""

    def to_dict(self) -> dict[str, str]:
        """Plain text by field."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Column:
    """How a quantity is made from a table: `column` x `multiply`, divided by another column."""

    column: str
    multiply: float = 1.0
    divide_by: str | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """A cited CSV: one row for each member, and the columns that give a model's quantities.

    `rows` maps a member's label to (line in the file, cells by column).
    """

    place: Place
    citation: Citation
    member: str
    header: tuple[str, ...]
    rows: Mapping[str, tuple[int, Mapping[str, str]]]
    gives: Mapping[str, Column]

    def value(self, quantity: str, label: str) -> float | None:
        """A member's quantity; None if the member has no row. Raises for blank or bad cells."""
        if label not in self.rows:
            return None
        rule = self.gives.get(quantity, Column(quantity))
        number = self.cell(label, rule.column) * rule.multiply
        if rule.divide_by is None:
            return number
        divisor = self.cell(label, rule.divide_by)
        if divisor == 0:
            raise self._bad(label, rule.divide_by, "is 0 and cannot divide")
        return number / divisor

    def blank(self, quantity: str, label: str) -> bool:
        """Whether the member has no row or an empty cell."""
        column = self.gives.get(quantity, Column(quantity)).column
        return label not in self.rows or not (self.rows[label][1].get(column) or "").strip()

    def cell(self, label: str, column: str) -> float:
        """The number in one cell."""
        if column not in self.header:
            raise self.place.error(
                f"has no column {column!r} in {self.citation.file}."
                f"{did_you_mean(column, self.header)} Columns: {', '.join(self.header)}."
            )
        text = (self.rows[label][1].get(column) or "").strip()
        if not text:
            raise self._bad(label, column, "is blank")
        try:
            number = float(text)
        except ValueError:
            hint = " (write 1234.5, without separators)" if text[0].isdigit() else ""
            raise self._bad(label, column, f"is not a number: {text!r}{hint}") from None
        if not math.isfinite(number):
            raise self._bad(label, column, f"must be finite, got {text!r}")
        return number

    def names(self, column: str | None) -> dict[str, str]:
        """The members' labels in file order, with their full names if a column has them."""
        return {
            label: (cells.get(column) or "").strip() or label if column else label
            for label, (_, cells) in self.rows.items()
        }

    def _bad(self, label: str, column: str, what: str) -> ModelFileError:
        line = self.rows[label][0]
        return self.place.error(f"{self.citation.file}, line {line}: {column} of {label} {what}.")


_DATA_KEYS = ("title", "source", "terms", "file", "member", "name", "where", "gives")


def read_citation(place: Place, entry: Any) -> tuple[Citation, dict[str, Any]]:
    """The words of a `[data.…]` section, and the section itself, checked."""
    table = place.table(entry, _DATA_KEYS, ("title", "source", "terms"))
    words = {key: (place / key).text(table[key]) for key in ("title", "source", "terms")}
    for key in ("member", "name", "where", "gives"):
        if key in table and "file" not in table:
            raise (place / key).error("needs a file to read from: add file = …")
    return Citation(**words), table


def read_table(place: Place, entry: Any, folder: Path) -> Table:
    """Read the CSV that a `[data.…]` section cites; its path is relative to the TOML file.

    Raises `ModelFileError` for a missing or undecodable file, missing columns, no row where the
    section asks, and a member with two rows.
    """
    citation, table = read_citation(place, entry)
    file = (place / "file").text(table["file"])
    raw = _bytes(place / "file", folder / file)
    citation = dataclasses.replace(citation, file=file, sha256=hashlib.sha256(raw).hexdigest())
    try:
        reader = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        header = tuple(name.strip() for name in reader.fieldnames or ())
        reader.fieldnames = list(header)
        lines = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise (place / "file").error(f"{file} is not a UTF-8 CSV table: {error}.") from error
    if not header:
        raise (place / "file").error(f"{file} is empty: its first line must name the columns.")
    if len(header) == 1 and ";" in header[0]:
        raise (place / "file").error(
            f"{file}: fields seem separated by ';': save the table with commas."
        )
    member = (place / "member").one_of(table.get("member", "member"), header, f"a column of {file}")
    if "name" in table:
        (place / "name").one_of(table["name"], header, f"a column of {file}")
    lines = _filtered(place / "where", table.get("where", {}), file, header, lines)
    rows: dict[str, tuple[int, Mapping[str, str]]] = {}
    for line, row in lines:
        label = (row[member] or "").strip()
        if not label:
            raise place.error(f"{file}, line {line}: {member} is blank.")
        if label in rows:
            raise place.error(
                f"{file}, line {line}: duplicate member {label!r}, first on line "
                f"{rows[label][0]}; give each member one row, or choose rows with `where`."
            )
        rows[label] = (line, row)
    gives = _columns(place / "gives", table.get("gives", {}), file, header)
    return Table(place, citation, member, header, rows, gives)


def _bytes(place: Place, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        near = did_you_mean(path.name, (p.name for p in path.parent.glob("*.csv")))
        raise place.error(
            f"names {path.name!r}, which cannot be read in {path.parent} "
            f"({error.strerror or error}).{near}"
        ) from error


def _filtered(
    place: Place,
    where: Any,
    file: str,
    header: tuple[str, ...],
    lines: list[tuple[int, dict[str, str]]],
) -> list[tuple[int, dict[str, str]]]:
    """Rows in which every named column holds the named value."""
    for column, wanted in place.table(where).items():
        place.one_of(column, header, f"a column of {file}")
        if isinstance(wanted, bool) or not isinstance(wanted, (int, str)):
            raise (place / column).error(f"must be text or a whole number, got {in_toml(wanted)}.")
        there = sorted({(row[column] or "").strip() for _, row in lines} - {""})
        lines = [line for line in lines if (line[1][column] or "").strip() == str(wanted)]
        if not lines:
            shown = ", ".join(there if len(there) <= 12 else [*there[:5], "...", *there[-5:]])
            raise (place / column).error(
                f"= {wanted!r} is in no row of {file}; there are: {shown}."
            )
    return lines


def _columns(place: Place, entry: Any, file: str, header: tuple[str, ...]) -> dict[str, Column]:
    columns = {}
    for quantity, rule in place.table(entry).items():
        at = place / quantity
        given = at.table(rule, ("column", "multiply", "divide_by"), ("column",))
        for key in ("column", "divide_by"):
            if key in given:
                (at / key).one_of(given[key], header, f"a column of {file}")
        columns[quantity] = Column(
            given["column"],
            (at / "multiply").number(given.get("multiply", 1.0)),
            given.get("divide_by"),
        )
    return columns
