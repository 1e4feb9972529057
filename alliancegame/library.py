"""Models by name: file to specification to (calibrated) game, and back.

Models that ship with the library stand in models/ of the repository, and inside the package in an
installed wheel; a user's own model is a TOML file anywhere, beside the tables that it cites.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from alliancegame.errors import (
    InvalidValueError,
    ModelFileError,
    UnknownNameError,
    did_you_mean,
    unknown_name,
)
from alliancegame.game import notebook
from alliancegame.game.checks import as_path, check_game, per_cent, shown
from alliancegame.game.files import errors_in, read, write
from alliancegame.game.game import PARAMETERS, BurdenSharingGame
from alliancegame.game.parameters import as_number
from alliancegame.game.plan import Plan
from alliancegame.game.spec import BURDEN, DEFAULT, ModelSpec, Origin
from alliancegame.game.tables import Citation

if TYPE_CHECKING:
    import pandas as pd

IN_PYTHON = Origin("assumed", "given in Python")
"""The origin of numbers that no file vouches for."""

_MEMBER, _NAME = "member", "name"


def models_folder() -> Path:
    """Where the shipped models are: inside an installed package, or beside it in the repository."""
    package = Path(__file__).resolve().parent
    installed = package / "_models"
    return installed if installed.is_dir() else package.parent / "models"


def load_model(name_or_path: str | os.PathLike[str]) -> BurdenSharingGame:
    """Load a shipped model by name, or a model file by path, calibrated if the file asks for it.

    The game's `provenance` keeps the model's name and title, the file's SHA-256, the members' full
    names, status and source of every parameter, the observed burdens, what was calibrated, the
    model's own plan (`default_plan` reads it), and the terms of the data.

    Raises `UnknownNameError` for a name that is neither, `ModelFileError` for a bad file, and
    `CalibrationError` if the observed burdens imply an inadmissible weight.

    >>> game = load_model("nato-2024")
    >>> game.size, game.leader, game.provenance["calibrated"]
    (31, 'USA', ['security_weight'])
    """
    path = find_model(name_or_path)
    with errors_in(path.name):
        return _game(read(path))


def find_model(name_or_path: str | os.PathLike[str]) -> Path:
    """The file of a model: a shipped name, or the path of a TOML file.

    Raises `UnknownNameError` for neither.
    """
    if not isinstance(name_or_path, (str, os.PathLike)):
        raise InvalidValueError(
            f"a model is a shipped name or the path of a TOML file, got {name_or_path!r}."
        )
    text = os.fspath(name_or_path)
    shipped = {path.stem: path for path in _shipped()}
    if text in shipped:
        return shipped[text]
    path = Path(text)
    if path.is_file():
        return path
    if path.suffix == ".toml" or path.name != text:
        near = did_you_mean(path.name, (found.name for found in path.parent.glob("*.toml")))
        raise UnknownNameError(f"there is no model file {text!r}.{near}")
    here = f" A file {text}.toml is here: give its path, {text + '.toml'!r}."
    hint = here if Path(text + ".toml").is_file() else " Or give the path of a model file (.toml)."
    raise UnknownNameError(f"{unknown_name('model', text, shipped)}{hint}")


def _game(spec: ModelSpec) -> BurdenSharingGame:
    """The game of a specification, calibrated to its observed burdens if it asks for that."""
    values: dict[str, Any] = dict(spec.values)
    if spec.free is not None:
        values[spec.free] = 0.0
    game = BurdenSharingGame(
        list(spec.members), spec.leader, provenance=spec.provenance(), **values
    )
    _check_plan(spec.plan, game)
    if spec.free is None or spec.observed is None:
        return game
    from alliancegame.study.calibrate import calibrate

    return calibrate(game, observed=dict(spec.observed), free=spec.free)


def default_plan(game: BurdenSharingGame) -> Plan:
    """The plan that the game's model file proposes; no pressure if it proposes none.

    >>> default_plan(load_model("nato-2024")).describe()
    'threat 0.5, demand 5 %'
    """
    check_game(game, "default_plan", extremes=True)
    return Plan(**game.provenance.get("plan", {}))


def _check_plan(plan: Plan, game: BurdenSharingGame) -> None:
    """The members that a plan names exist, and its numbers suit the game."""
    plan.threat_by_member(game.members)
    demand, limit = plan.demand_by_member(game.members), game.by_member("burden_max")
    for label, asked, most in zip(game.members, demand, limit, strict=True):
        if label != game.leader and asked > most:
            raise InvalidValueError(
                f"plan demand of {label} must be at most its burden_max {most:g}, got {asked:g}."
            )


def _shipped() -> list[Path]:
    return sorted(models_folder().glob("*.toml"), key=lambda path: path.stem)


@dataclasses.dataclass(frozen=True)
class ModelEntry:
    """One shipped model: what it is, and the terms of the data in it."""

    name: str
    title: str
    members: int
    year: int | None
    terms: tuple[str, ...]


@dataclasses.dataclass(frozen=True, repr=False)
class ModelList(Sequence[ModelEntry]):
    """The shipped models, in order of name."""

    entries: tuple[ModelEntry, ...]

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> ModelEntry: ...
    @overload
    def __getitem__(self, index: slice) -> ModelList: ...
    def __getitem__(self, index: int | slice) -> ModelEntry | ModelList:
        chosen = self.entries[index]
        return chosen if isinstance(chosen, ModelEntry) else ModelList(chosen)

    def __iter__(self) -> Iterator[ModelEntry]:
        return iter(self.entries)

    def to_frame(self) -> pd.DataFrame:
        """A table with one row for each model, indexed by name."""
        import pandas as pd

        rows = [dataclasses.asdict(entry) | {"terms": "; ".join(entry.terms)} for entry in self]
        columns = [field.name for field in dataclasses.fields(ModelEntry)]
        frame = pd.DataFrame(rows, columns=columns).set_index("name")
        return frame.astype({"year": "Int64"})

    def _repr_html_(self) -> str:
        return notebook.table(self.to_frame())

    def __repr__(self) -> str:
        head = ("name", "title", "members", "year", "terms of its data")
        rows = [head] + [
            (e.name, e.title, str(e.members), str(e.year or ""), "; ".join(e.terms)) for e in self
        ]
        widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
        return "\n".join(
            "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )


def list_models() -> ModelList:
    """List the shipped models with the terms on which their data may be used.

    >>> [entry.name for entry in list_models()]
    ['nato-2014', 'nato-2024', 'nato-2024-exit', 'three-allies', 'us-allies-2024']
    """
    specs = [read(path) for path in _shipped()]
    return ModelList(
        tuple(
            ModelEntry(
                spec.name,
                spec.title,
                len(spec.members),
                spec.year,
                tuple(citation.terms for citation in spec.data.values()),
            )
            for spec in specs
        )
    )


def save_model(
    game: BurdenSharingGame, path: str | os.PathLike[str], *, overwrite: bool = True
) -> Path:
    """Write a game as a model file that stands alone; `load_model` gives an equal game back.

    All numbers stand in the file, with the status and source that the game's provenance gives them;
    calibrated weights are written as numbers and not calibrated again. A file that is there is
    replaced, unless `overwrite=False`. Returns the path; raises `ModelFileError` if it cannot be
    written, or is there and must stay.
    """
    check_game(game, "save_model", extremes=True)
    path = as_path(path, "save_model")
    if not overwrite and path.exists():
        raise ModelFileError(f"{path} is there already: choose another name, or overwrite=True.")
    try:
        write(specification(game, path.stem), path)
    except OSError as error:
        raise ModelFileError(
            f"{path}: the model file cannot be written ({error.strerror or error})."
        ) from error
    return path


def specification(game: BurdenSharingGame, name: str) -> ModelSpec:
    """The specification under which a game can be saved: every number that is not a default."""
    known = game.provenance
    origins, values = {}, {}
    for parameter, value in game.values().items():
        origin = _origin(game, parameter)
        number = value.tolist() if hasattr(value, "tolist") else value
        if isinstance(number, list):
            number = dict(zip(game.members, number, strict=True))
        if PARAMETERS[parameter].unset:
            number = _given(number)
            if number is None:
                continue
        if number == PARAMETERS[parameter].default and origin in (DEFAULT, IN_PYTHON):
            continue
        values[parameter], origins[parameter] = number, origin
    names = known.get("names", {})
    observed = known.get("observed_burden")
    return ModelSpec(
        name=name,
        title=known.get("title") or name,
        description=known.get("description", ""),
        year=known.get("year"),
        leader=game.leader,
        members={label: names.get(label, label) for label in game.members},
        values=values,
        origins=origins,
        observed=observed,
        observed_origin=_stated(known.get("observed_origin")) if observed else None,
        free=None,
        plan=default_plan(game),
        plan_origin=Origin(**known["plan_origin"]) if "plan_origin" in known else DEFAULT,
        data={key: Citation(**cited) for key, cited in known.get("data", {}).items()},
    )


def _origin(game: BurdenSharingGame, parameter: str) -> Origin:
    """Where today's value of a parameter comes from: its file, unless it was changed since."""
    known = game.provenance
    if parameter in known.get("replaced", {}):
        return Origin("assumed", "replaced in Python")
    origin = _stated(known.get("parameters", {}).get(parameter))
    if parameter in known.get("calibrated", ()) and origin.status != "calibrated":
        return Origin("calibrated", "calibrated in Python to the observed burdens")
    return origin


def _stated(entry: Mapping[str, str] | None) -> Origin:
    return Origin(**entry) if entry else IN_PYTHON


def new_model(name: str, path: str | os.PathLike[str] | None = None) -> Path:
    """Write NAME.toml, with comments, and an example NAME.csv that is to be replaced.

    They are written into the folder `path` (default: the current one), never over a file that is
    there. Returns the path of the TOML file; raises `ModelFileError` or `InvalidValueError`.
    """
    if not name or name != Path(name).name or name.startswith(".") or '"' in name:
        raise InvalidValueError(
            f"a model's name must be a file name: no folder, quote or leading dot; got {name!r}."
        )
    if name in {shipped.stem for shipped in _shipped()}:
        raise InvalidValueError(f"{name!r} is a model that ships with the library: choose another.")
    folder = Path.cwd() if path is None else as_path(path, "new_model")
    template = models_folder() / "template"
    written = {suffix: folder / f"{name}{suffix}" for suffix in (".csv", ".toml")}
    for file in written.values():
        if file.exists():
            raise ModelFileError(f"{file} is there already: choose another name, or remove it.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, file in written.items():
            text = (template / f"template{suffix}").read_text(encoding="utf-8")
            file.write_text(text.replace("@NAME@", name), encoding="utf-8")
    except OSError as error:
        raise ModelFileError(
            f"{folder}: the model cannot be written there ({error.strerror or error})."
        ) from error
    return written[".toml"]


def from_frame(frame: pd.DataFrame, leader: str, **parameters: Any) -> BurdenSharingGame:
    """Make a game from a table with one row for each member.

    Labels are the index, or a column `member`; a column `name` may hold full names. The other
    columns are parameters by member (`gdp` in bn US$, `security_weight`, …), and `burden`, the
    observed burden (share of GDP). `parameters` are the rest, by name. If `security_weight` is
    given nowhere and burdens are, it is calibrated to them; if both are given, nothing is
    calibrated, and burdens are only kept in the provenance as what was observed.

    Raises `UnknownNameError` for a column that is no parameter (with the near spelling),
    `InvalidValueError` for blank, wrong or doubly given values, `CalibrationError` as `calibrate`.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"gdp": [20000, 4000], "burden": [0.035, 0.02]}, index=["USA", "DEU"])
    >>> game = from_frame(table, leader="USA", congestion=1, umbrella=0.7)
    >>> game.provenance["calibrated"]
    ['security_weight']
    """
    if not (hasattr(frame, "columns") and hasattr(frame, "index")):
        raise InvalidValueError(
            "from_frame needs a pandas DataFrame with a row for each member, such as "
            f"pandas.DataFrame({{'gdp': [...], 'burden': [...]}}, index=labels); got {shown(frame)}."
        )
    columns = list(frame.columns)
    _check_columns(columns, parameters)
    labels = _labels(frame[_MEMBER] if _MEMBER in columns else frame.index)
    names = dict(zip(labels, map(str, frame[_NAME]), strict=True)) if _NAME in columns else {}
    by_member = {
        column: _cells(column, frame[column], labels)
        for column in columns
        if column not in (_MEMBER, _NAME)
    }
    observed = by_member.pop(BURDEN, None)
    values = by_member | parameters
    free = None
    if observed is not None and "security_weight" not in values:
        free = "security_weight"
    for required in ("gdp", "security_weight"):
        if required not in values and required != free:
            raise InvalidValueError(
                f"{required} is missing: add a column {required!r} to the table, or give it by name"
                + ("." if required == "gdp" else f"; or add a column {BURDEN!r} to calibrate it.")
            )
    origins = dict.fromkeys(values, IN_PYTHON)
    if free is not None:
        _check_shares(observed or {})
        origins[free] = Origin("calibrated", f"first-order conditions at the column {BURDEN!r}")
    return _game(
        ModelSpec(
            name="table",
            title="A table given in Python",
            description="",
            year=None,
            leader=leader,
            members={label: names.get(label, label) for label in labels},
            values=values,
            origins=origins,
            observed=observed,
            observed_origin=IN_PYTHON if observed else None,
            free=free,
            plan=Plan(),
            plan_origin=DEFAULT,
            data={},
        )
    )


def _check_shares(observed: Mapping[str, float]) -> None:
    """Burdens are shares of GDP: a number such as 3.5 is meant as per cent."""
    for label, burden in observed.items():
        if per_cent(burden):
            raise InvalidValueError(
                f"burden of {label} must be a share of GDP below 1, got {burden:g}.{per_cent(burden)}"
            )


def _check_columns(columns: Sequence[Any], parameters: Mapping[str, Any]) -> None:
    by_member = [name for name, parameter in PARAMETERS.items() if parameter.by_member]
    for i, column in enumerate(columns):
        if column in columns[:i]:
            raise InvalidValueError(f"the table has two columns {column!r}: remove one.")
        if column in parameters:
            raise InvalidValueError(f"{column} is given twice: as a column and by name.")
        if column in PARAMETERS and column not in by_member:
            raise InvalidValueError(
                f"column {column!r}: {column} is one value for the alliance; give it by name."
            )
        if column not in (_MEMBER, _NAME, BURDEN, *by_member):
            wrong = unknown_name("column", column, (_MEMBER, _NAME, BURDEN, *by_member))
            raise UnknownNameError(
                f"{wrong} If it is no parameter, drop it: frame.drop(columns={column!r})."
            )


def _labels(labels: Iterable[Any]) -> list[str]:
    """Members' labels; a default index 0, 1, … means that the labels were forgotten."""
    found = list(labels)
    for label in found:
        if not isinstance(label, str):
            raise InvalidValueError(
                f"a member's label must be text, got {label!r}: "
                f"put labels into the table's index or a column {_MEMBER!r}."
            )
        if found.count(label) > 1:
            raise InvalidValueError(f"duplicate member {label!r}: labels must be unique.")
    return found


def _given(number: Any) -> Any:
    """What a model file can hold of a parameter that need not be given; None if that is nothing."""
    if isinstance(number, dict):
        return {label: entry for label, entry in number.items() if not math.isnan(entry)} or None
    return None if isinstance(number, float) and math.isnan(number) else number


def _cells(column: str, cells: Iterable[Any], labels: Sequence[str]) -> dict[str, float]:
    named = dict(zip(labels, cells, strict=True))
    if column in PARAMETERS and PARAMETERS[column].unset:
        named = {label: cell for label, cell in named.items() if cell is not None and cell == cell}
    return {label: as_number(cell, f"{column} of {label}") for label, cell in named.items()}
