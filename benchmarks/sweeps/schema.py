"""What a named sweep may say: its TOML file becomes checked, plain data, or a clear error."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import alliancegame as ag
from alliancegame.errors import AllianceGameError, InvalidValueError, unknown_name
from alliancegame.study.cells import OUTPUTS, SOLVES
from alliancegame.study.priors import TYPED, typed_prior
from alliancegame.study.sweeping.axes import latin_hypercube, random_sample, sobol, zipped

FOLDER = Path(__file__).with_name("named")
SCHEMA = 1
PICTURES = ("regime-map", "uncertainty")
"""Pictures that are no single output."""

SAMPLES = {"sobol": sobol, "latin-hypercube": latin_hypercube, "monte-carlo": random_sample}

_KEYS = (
    "schema", "title", "model", "set", "plan", "recalibrate", "over", "solve", "outputs", "pictures",
    "search",
)  # fmt: skip
_REQUIRED = ("schema", "title", "model", "over")
_FORMS = {
    "range": ("from", "to", "count"),
    "values": ("values",),
    "cases": ("cases",),
    "sample": ("sample", "count", "seed", "priors"),
}
_PLAN = ("threat", "demand", "burden")


class SweepFileError(AllianceGameError, ValueError):
    """A file of a named sweep cannot be read as one; the message names file, key and remedy."""


@dataclasses.dataclass(frozen=True, eq=False)
class NamedSweep:
    """One sweep: a model with its changes, a plan, axes, a question, and the pictures of the answer."""

    name: str
    title: str
    model: str
    changes: Mapping[str, Any]
    plan: ag.Plan
    recalibrate: bool
    axes: Mapping[str, Mapping[str, Any]]
    solve: str
    outputs: tuple[str, ...] | None
    pictures: tuple[str, ...]
    search: bool

    def game(self) -> ag.BurdenSharingGame:
        """The model with the changes of the file."""
        game = ag.load_model(self.model)
        return game.replace(**self.changes) if self.changes else game

    def over(self) -> dict[str, Any]:
        """The axes as `alliancegame.study.sweep.sweep` takes them."""
        return {key: values(axis) for key, axis in self.axes.items()}


def values(axis: Mapping[str, Any]) -> Any:
    """One axis: numbers or names, cases side by side, or a sample."""
    if "values" in axis:
        return list(axis["values"])
    if "cases" in axis:
        return zipped(axis["cases"])
    if "sample" in axis:
        return SAMPLES[axis["sample"]](priors(axis), n=axis["count"], seed=axis["seed"])
    return np.linspace(axis["from"], axis["to"], axis["count"])


def priors(axis: Mapping[str, Any]) -> dict[str, Any]:
    """The priors of a sample, from words such as "uniform(0.2,0.6)"."""
    return {key: typed_prior(text, float) for key, text in axis["priors"].items()}


def names() -> tuple[str, ...]:
    """Every named sweep, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load(name: str, folder: Path = FOLDER) -> NamedSweep:
    """Read and check a named sweep. Raises `UnknownNameError` and `SweepFileError`."""
    path = folder / f"{name}.toml"
    if not path.is_file():
        raise unknown_name("sweep", name, [p.stem for p in folder.glob("*.toml")])
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SweepFileError(f"{path.name} is not TOML: {error}") from error
    try:
        return parse(name, content)
    except SweepFileError:
        raise
    except AllianceGameError as error:
        raise SweepFileError(f"{path.name}: {error}") from error


def parse(name: str, content: Mapping[str, Any]) -> NamedSweep:
    """Check a file's content. Raises `InvalidValueError` and `UnknownNameError`."""
    _known(content, _KEYS, "key")
    for key in _REQUIRED:
        if key not in content:
            raise InvalidValueError(
                f"the key {key!r} is missing; needed are {', '.join(_REQUIRED)}."
            )
    if content["schema"] != SCHEMA:
        raise InvalidValueError(f"schema must be {SCHEMA}, got {content['schema']!r}.")
    plan = _table(content, "plan")
    _known(plan, _PLAN, "key", " of [plan]")
    axes = _table(content, "over")
    if not axes:
        raise InvalidValueError("[over] must name at least one axis.")
    for key, axis in axes.items():
        _check_axis(key, axis)
    solve = _typed(content, "solve", str, "compare")
    if solve not in SOLVES:
        raise unknown_name("solve", solve, SOLVES)
    outputs = _words(content, "outputs")
    pictures = _words(content, "pictures") or ()
    drawn = [out for out, facts in OUTPUTS.items() if solve in facts.solves and not facts.dims]
    for chosen in outputs or ():
        if chosen not in OUTPUTS or solve not in OUTPUTS[chosen].solves:
            known = [out for out, facts in OUTPUTS.items() if solve in facts.solves]
            raise unknown_name("output", chosen, known, f" of solve = {solve!r}")
    for picture in pictures:
        _check_picture(picture, drawn, axes, solve, outputs)
    found = NamedSweep(
        name,
        _typed(content, "title", str, ""),
        _typed(content, "model", str, ""),
        _table(content, "set"),
        ag.Plan(**plan),
        _typed(content, "recalibrate", bool, False),
        axes,
        solve,
        outputs,
        pictures,
        _typed(content, "search", bool, False),
    )
    models = [entry.name for entry in ag.list_models()]
    if found.model not in models:
        raise unknown_name("model", found.model, models)
    return found


def _check_picture(
    picture: str,
    drawn: Collection[str],
    axes: Mapping[str, Mapping[str, Any]],
    solve: str,
    outputs: tuple[str, ...] | None,
) -> None:
    ranges = [axis for axis in axes.values() if "from" in axis]
    samples = [axis for axis in axes.values() if "sample" in axis]
    if picture not in (*PICTURES, *drawn):
        raise unknown_name("picture", picture, (*PICTURES, *drawn))
    if picture in PICTURES and solve != "compare":
        raise InvalidValueError(f'the picture {picture!r} needs solve = "compare", got {solve!r}.')
    if picture == "regime-map" and not len(axes) == len(ranges) == 2:
        raise InvalidValueError('the picture "regime-map" needs two axes with from, to and count.')
    if picture == "uncertainty" and not len(axes) == len(samples) == 1:
        raise InvalidValueError('the picture "uncertainty" needs one axis, a sample.')
    if picture not in PICTURES and outputs is not None and picture not in outputs:
        raise InvalidValueError(
            f"the picture {picture!r} is drawn from an output: add it to outputs."
        )


def _check_axis(key: str, axis: Any) -> None:
    where = f" of the axis {key!r}"
    if not isinstance(axis, dict):
        raise InvalidValueError(
            f"the axis {key!r} must be a table like {{ from = 0, to = 1, count = 41 }}, got {axis!r}."
        )
    _known(axis, [name for form in _FORMS.values() for name in form], "key", where)
    form = next((name for name, keys in _FORMS.items() if set(axis) == set(keys)), None)
    if form is None:
        forms = "; ".join(", ".join(keys) for keys in _FORMS.values())
        raise InvalidValueError(f"the keys{where} must be one of these sets: {forms}.")
    if "count" in axis and (not _whole(axis["count"]) or axis["count"] < 2):
        raise InvalidValueError(
            f"count{where} must be a whole number from 2, got {axis['count']!r}."
        )
    if form == "range":
        for end in ("from", "to"):
            if isinstance(axis[end], bool) or not isinstance(axis[end], (int, float)):
                raise InvalidValueError(f"{end}{where} must be a number, got {axis[end]!r}.")
    if form == "sample":
        if axis["sample"] not in SAMPLES:
            raise unknown_name("sample", axis["sample"], SAMPLES, where)
        if not _whole(axis["seed"]):
            raise InvalidValueError(f"seed{where} must be a whole number, got {axis['seed']!r}.")
        texts = axis["priors"]
        if not isinstance(texts, dict) or not all(isinstance(t, str) for t in texts.values()):
            known = ", ".join(form for _, form in TYPED.values())
            raise InvalidValueError(f"priors{where} must map keys to words like {known}.")
    values(axis)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _known(
    content: Mapping[str, Any], allowed: Collection[str], kind: str, where: str = ""
) -> None:
    for key in content:
        if key not in allowed:
            raise unknown_name(kind, key, allowed, where)


def _typed(content: Mapping[str, Any], key: str, kind: type, default: Any) -> Any:
    value = content.get(key, default)
    if not isinstance(value, kind):
        raise InvalidValueError(f"{key} must be of type {kind.__name__}, got {value!r}.")
    return value


def _table(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = _typed(content, key, dict, {})
    return found


def _words(content: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    if key not in content:
        return None
    given = content[key]
    if not isinstance(given, list) or not all(isinstance(word, str) for word in given):
        raise InvalidValueError(f"{key} must be a list of names, got {given!r}.")
    return tuple(given)
