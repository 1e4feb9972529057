"""Model files: TOML to a checked specification, and back.

A model file names the members and the leader, gives every parameter with its status ("observed",
"calibrated" or "assumed") and source, cites the tables that numbers are read from, and may ask for
calibration. docs/ and `new_model` show the form; everything in it is checked here, at the door.
"""

from __future__ import annotations

import dataclasses
import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from alliancegame.errors import InvalidValueError, ModelFileError, UnknownNameError, did_you_mean
from alliancegame.game.game import PARAMETERS
from alliancegame.game.parameters import Parameter
from alliancegame.game.plan import Plan
from alliancegame.game.spec import (
    BURDEN,
    DEFAULT,
    SCHEMA,
    STATUSES,
    WEIGHTS,
    ModelSpec,
    Origin,
    Value,
)
from alliancegame.game.tables import Citation, Place, Table, in_toml, read_citation, read_table

_SECTIONS = ("schema", "model", "members", "data", "parameters", "observed", "calibration", "plan")
_PLAN_FIELDS = tuple(field.name for field in dataclasses.fields(Plan))
_CONGESTED = ("spillin", "umbrella")


def read(path: str | Path) -> ModelSpec:
    """Read and check a model file; tables that it cites are looked for beside it.

    Raises `ModelFileError`, naming the file, the key or cell, the value, what is allowed and the
    near spelling; `UnsupportedFormError` for forms that this version cannot solve.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"{path}: the model file cannot be read ({error.strerror or error})."
        ) from error
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelFileError(f"{path.name}: not a UTF-8 text file: {error}.") from error
    return parse(text, path)


def parse(text: str, path: str | Path = "model.toml") -> ModelSpec:
    """Check the text of a model file; `path` gives its name, and the folder of its tables."""
    path = Path(path)
    root = Place(path.name)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        twice = " (a name stands twice)" if "overwrite" in str(error) else ""
        raise root.error(f"not well-formed TOML: {error}{twice}.") from error
    _check_schema(root, document)
    root.table(document, _SECTIONS, ("model", "parameters"))
    model = (root / "model").table(
        document["model"],
        ("name", "title", "description", "year", "leader", "members"),
        ("leader",),
    )
    data = (root / "data").table(document.get("data", {}))
    citations, tables = _read_data(root / "data", data, path.parent)
    members = _read_members(root, model, document, data, tables)
    leader = (root / "model" / "leader").one_of(model["leader"], members, "a member")
    reader = _Numbers(tuple(members), leader, tables)
    given = (root / "parameters").table(document["parameters"])
    values, origins = _read_parameters(root / "parameters", given, reader)
    observed, observed_origin = _read_observed(root / "observed", document, reader)
    free = _read_calibration(root / "calibration", document, observed is not None, values, origins)
    plan, plan_origin = _read_plan(root / "plan", document, members, leader)

    def words(key: str, default: str) -> str:
        return (root / "model" / key).text(model.get(key, default)) if key in model else default

    name = words("name", path.stem)
    return ModelSpec(
        name=name,
        title=words("title", name),
        description=" ".join(words("description", "").split()),
        year=(root / "model" / "year").whole(model["year"]) if "year" in model else None,
        leader=leader,
        members=MappingProxyType(members),
        values=MappingProxyType(values),
        origins=MappingProxyType(origins),
        observed=observed,
        observed_origin=observed_origin,
        free=free,
        plan=plan,
        plan_origin=plan_origin,
        data=MappingProxyType(citations),
        path=path,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def _check_schema(root: Place, document: Mapping[str, Any]) -> None:
    if "schema" not in document:
        raise root.error(f"schema is missing: write `schema = {SCHEMA}` on the first line.")
    schema = (root / "schema").whole(document["schema"])
    if schema != SCHEMA:
        raise (root / "schema").error(
            f"is {schema}, but this version of alliancegame reads only schema {SCHEMA}: "
            "use the version that wrote the file, or write the file anew."
        )


def _read_data(
    place: Place, data: Mapping[str, Any], folder: Path
) -> tuple[dict[str, Citation], dict[str, Table]]:
    citations, tables = {}, {}
    for key, entry in data.items():
        if isinstance(entry, dict) and "file" in entry:
            tables[key] = read_table(place / key, entry, folder)
            citations[key] = tables[key].citation
        else:
            citations[key], _ = read_citation(place / key, entry)
    return citations, tables


def _read_members(
    root: Place,
    model: Mapping[str, Any],
    document: Mapping[str, Any],
    data: Mapping[str, Any],
    tables: Mapping[str, Table],
) -> dict[str, str]:
    """Labels and full names: the section [members], or all rows of the table model.members."""
    place = root / "members"
    if ("members" in document) == ("members" in model):
        raise place.error(
            'must be given once: a section [members] of LABEL = "name", or `members` in [model] '
            "as the name of a data table whose rows are the members."
        )
    if "members" in model:
        place = root / "model" / "members"
        key = place.one_of(model["members"], tables, "a data table with a file")
        members = tables[key].names(data[key].get("name"))
    else:
        entries = place.table(document["members"])
        members = {label: (place / label).text(name) for label, name in entries.items()}
    if len(members) < 2:
        raise place.error(f"must name at least two members, got {len(members)}.")
    return members


@dataclasses.dataclass(frozen=True)
class _Numbers:
    """Reads the number, or the numbers by member, of one entry."""

    members: tuple[str, ...]
    leader: str
    tables: Mapping[str, Table]

    def entry(
        self, place: Place, entry: Any, quantity: str, parameter: Parameter | None = None
    ) -> tuple[Value, Origin]:
        """An entry { value | by_member | data, status, source }."""
        keys = ("value", "by_member", "data", "status", "source")
        if not isinstance(entry, dict):
            raise place.error(
                'must be a table { value = …, status = "assumed", source = "…" }, '
                f"got {in_toml(entry)}: every number says what it is and where it comes from."
            )
        table = place.table(entry, keys, ("status", "source"))
        if ("data" in table) == ("value" in table or "by_member" in table):
            raise place.error("must have one of: value (and by_member), by_member, data.")
        optional = (self.leader,) if parameter is not None and parameter.scope == "ally" else ()
        by_member = parameter is None or parameter.by_member
        for key in ("by_member", "data"):
            if key in table and not by_member:
                raise (place / key).error("is not possible: this is one number for the alliance.")
        origin = read_origin(place, table)
        if "data" in table:
            return self._from_data(place / "data", table["data"], quantity, optional), origin
        if "by_member" not in table:
            return _plain_value(place / "value", table["value"], parameter), origin
        if "value" in table and quantity in _CONGESTED:
            raise (place / "by_member").error(
                "cannot stand beside value: a value for everybody is spread by congestion, a value "
                "by member is final. Give every ally's own value in by_member, or one value."
            )
        given = self.by_member(place / "by_member", table["by_member"])
        if "value" in table:
            rest = (place / "value").number(table["value"])
            return {m: given.get(m, rest) for m in self.members}, origin
        partial = parameter is not None and bool(parameter.unset)
        missing = [m for m in self.members if m not in given and m not in optional]
        if missing and not partial:
            raise (place / "by_member").error(
                f"has no number for {', '.join(missing)}: give every member one, or a value."
            )
        return {m: given[m] for m in self.members if m in given}, origin

    def by_member(self, place: Place, entry: Any) -> dict[str, float]:
        """Numbers by label, for any of the members."""
        given = place.table(entry, self.members)
        return {label: (place / label).number(number) for label, number in given.items()}

    def _from_data(
        self, place: Place, keys: Any, quantity: str, optional: tuple[str, ...]
    ) -> dict[str, float]:
        """Every member's number, from the first of the tables in which the member has a row."""
        names = keys if isinstance(keys, list) and keys else [keys]
        found: dict[str, float] = {}
        for key in names:
            table = self.tables[place.one_of(key, self.tables, "a data table with a file")]
            for label in self.members:
                if label in found or (label in optional and table.blank(quantity, label)):
                    continue
                number = table.value(quantity, label)
                if number is not None:
                    found[label] = number
        for label in self.members:
            if label not in found and label not in optional:
                raise place.error(self._no_row(label, [self.tables[key] for key in names]))
        return {label: found[label] for label in self.members if label in found}

    def _no_row(self, label: str, tables: list[Table]) -> str:
        files = ", ".join(table.citation.file for table in tables)
        rows = [row for table in tables for row in table.rows]
        return f"has no row for member {label!r} in {files}.{did_you_mean(label, rows)}"


def read_origin(place: Place, table: Mapping[str, Any]) -> Origin:
    """The `status` and `source` of an entry."""
    status = (place / "status").one_of(table["status"], STATUSES, "one of the three")
    return Origin(status, (place / "source").text(table["source"]))


def _plain_value(place: Place, value: Any, parameter: Parameter | None) -> Value:
    if parameter is not None and parameter.scope == "choice":
        return place.text(value)
    return place.number(value)


def _read_parameters(
    place: Place, given: Mapping[str, Any], reader: _Numbers
) -> tuple[dict[str, Value], dict[str, Origin]]:
    values: dict[str, Value] = {}
    origins: dict[str, Origin] = {}
    for name, entry in given.items():
        parameter = PARAMETERS.get(name)
        if parameter is None:
            near = did_you_mean(name, PARAMETERS)
            raise (place / name).error(
                f"is not a parameter.{near} Known: {', '.join(sorted(PARAMETERS))}."
            )
        values[name], origins[name] = reader.entry(place / name, entry, name, parameter)
    if "gdp" not in values:
        raise (place / "gdp").error("is missing: every member needs its GDP (bn US$).")
    return values, origins


def _read_observed(
    place: Place, document: Mapping[str, Any], reader: _Numbers
) -> tuple[Mapping[str, float] | None, Origin | None]:
    if "observed" not in document:
        return None, None
    entries = place.table(document["observed"], (BURDEN,), (BURDEN,))
    value, origin = reader.entry(place / BURDEN, entries[BURDEN], BURDEN)
    if not isinstance(value, Mapping):
        raise (place / BURDEN).error("must be given by member: by_member or data.")
    for label, burden in value.items():
        if burden < 0:
            raise (place / BURDEN).error(f"of {label} must be >= 0 (share of GDP), got {burden:g}.")
    return MappingProxyType(dict(value)), origin


def _read_calibration(
    place: Place,
    document: Mapping[str, Any],
    observed: bool,
    values: Mapping[str, Value],
    origins: dict[str, Origin],
) -> str | None:
    """The weight to calibrate; its origin is entered among the parameters'."""
    if "calibration" not in document:
        return None
    table = place.table(document["calibration"], ("free", "observed", "source"), ("free",))
    free = (place / "free").one_of(table["free"], WEIGHTS, "one of the weights")
    (place / "observed").one_of(table.get("observed", BURDEN), (BURDEN,), "the observed quantity")
    if not observed:
        raise place.error("needs observed burdens: add [observed] with burden = { data = … }.")
    if free in values:
        raise (place / "free").error(
            f"is {free}, which [parameters] also gives: remove it there, or remove [calibration]."
        )
    source = table.get("source", "first-order conditions at the observed burdens")
    origins[free] = Origin("calibrated", (place / "source").text(source))
    return free


def _read_plan(
    place: Place, document: Mapping[str, Any], members: Mapping[str, str], leader: str
) -> tuple[Plan, Origin]:
    if "plan" not in document:
        return Plan(), DEFAULT
    required = ("status", "source")
    table = place.table(document["plan"], (*_PLAN_FIELDS, *required), required)
    allies = [label for label in members if label != leader]
    fields: dict[str, Any] = {}
    for key in _PLAN_FIELDS:
        if key not in table:
            continue
        at, value = place / key, table[key]
        if isinstance(value, dict) and key != BURDEN:
            entries = at.table(value, allies)
            fields[key] = {label: (at / label).number(number) for label, number in entries.items()}
        else:
            fields[key] = at.number(value)
    with errors_in(place.file):
        plan = Plan(**fields)
    return plan, read_origin(place, table)


@contextmanager
def errors_in(file: str) -> Iterator[None]:
    """Turn a bad value or name found further on into a `ModelFileError` that names the file."""
    try:
        yield
    except (InvalidValueError, UnknownNameError) as error:
        raise ModelFileError(f"{file}: {error}") from error


def write(spec: ModelSpec, path: str | Path) -> None:
    """Write a specification as a model file that stands alone: all numbers in it, no tables.

    `read` gives the same specification back, but for its path, sum and the tables' names.
    """
    import tomli_w

    Path(path).write_text(tomli_w.dumps(to_document(spec)), encoding="utf-8")


def to_document(spec: ModelSpec) -> dict[str, Any]:
    """The specification as the TOML document that `write` writes."""
    head = {"name": spec.name, "title": spec.title, "description": spec.description}
    model = {key: text for key, text in head.items() if text}
    year = {} if spec.year is None else {"year": spec.year}
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "model": model | year | {"leader": spec.leader},
        "members": dict(spec.members),
        "data": {
            key: {"title": cited.title, "source": cited.source, "terms": cited.terms}
            for key, cited in spec.data.items()
        },
        "parameters": {
            name: _entry(value, spec.origins[name]) for name, value in spec.values.items()
        },
    }
    if spec.observed is not None and spec.observed_origin is not None:
        document["observed"] = {BURDEN: _entry(spec.observed, spec.observed_origin)}
    if spec.free is not None:
        document["calibration"] = {"free": spec.free, "source": spec.origins[spec.free].source}
    if spec.plan != Plan():
        usual = Plan().to_dict()
        fields = {k: v for k, v in spec.plan.to_dict().items() if v != usual[k]}
        document["plan"] = fields | dataclasses.asdict(spec.plan_origin)
    return document


def _entry(value: Value, origin: Origin) -> dict[str, Any]:
    key = "by_member" if isinstance(value, Mapping) else "value"
    number = dict(value) if isinstance(value, Mapping) else value
    return {key: number} | dataclasses.asdict(origin)
