"""What decides the answers of a user's function, as one digest: its text and everything it carries."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import pickle
import types
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.game.game import BurdenSharingGame

_PLAIN = (type(None), bool, int, float, complex, str, bytes)


def function_digest(derive: Any) -> str | None:
    """SHA-256 of a function: text, defaults, closure, data it names in its module, or an object's state.

    Functions that it calls count if they stand in its own module; those of other modules by name
    alone. Raises `InvalidValueError` for what cannot be told apart between two calls.
    """
    if derive is None:
        return None
    digest = hashlib.sha256()
    for part in _parts(derive, "derive", {}):
        digest.update(f"{len(part)}:".encode() + part)
    return digest.hexdigest()


def _parts(value: Any, where: str, met: dict[int, tuple[int, Any]]) -> Iterator[bytes]:
    """The content of a value, piece by piece; `met` are the values already on the way."""
    if isinstance(value, _PLAIN):
        yield f"{type(value).__name__} {value!r}".encode()
        return
    if id(value) in met:
        yield f"again {met[id(value)][0]}".encode()
        return
    met[id(value)] = (len(met), value)
    if isinstance(value, types.FunctionType):
        yield from _function(value, where, met)
    elif isinstance(value, types.MethodType):
        yield from _all(where, met, "method", value.__func__, value.__self__)
    elif isinstance(value, functools.partial):
        yield from _all(where, met, "partial", value.func, value.args, value.keywords)
    elif isinstance(value, (types.BuiltinFunctionType, types.ModuleType, np.ufunc)):
        yield from _built_in(value, where, met)
    elif isinstance(value, type):
        yield from _class(value)
    else:
        yield from _data(value, where, met)


def _built_in(value: Any, where: str, met: dict[int, tuple[int, Any]]) -> Iterator[bytes]:
    """What stands in a library, by its name; a bound method also by the object that it belongs to."""
    home = getattr(value, "__module__", None)
    yield f"named {home} {getattr(value, '__qualname__', value.__name__)}".encode()
    owner = getattr(value, "__self__", None)
    if owner is not None and not isinstance(owner, types.ModuleType):
        yield from _parts(owner, where, met)


def _data(value: Any, where: str, met: dict[int, tuple[int, Any]]) -> Iterator[bytes]:
    """Games, arrays, containers, and objects with a state."""
    if isinstance(value, BurdenSharingGame):
        yield f"game {value.hash}".encode()
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield f"array {value.dtype.str} {value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, (list, tuple)):
        yield from _all(where, met, f"{type(value).__qualname__} {len(value)}", *value)
    elif isinstance(value, Mapping) and type(value) in (dict, types.MappingProxyType):
        items = [part for pair in value.items() for part in pair]
        yield from _all(where, met, f"dict {len(value)}", *items)
    elif isinstance(value, (set, frozenset)):
        entries = sorted(b"".join(_parts(entry, where, dict(met))) for entry in value)
        yield f"set {len(entries)}".encode()
        yield from entries
    else:
        yield from _object(value, where, met)


def _all(where: str, met: dict[int, tuple[int, Any]], kind: str, *values: Any) -> Iterator[bytes]:
    yield kind.encode()
    for value in values:
        yield from _parts(value, where, met)


def _function(value: types.FunctionType, where: str, met: dict[int, Any]) -> Iterator[bytes]:
    yield f"function {value.__qualname__}".encode()
    try:
        text = inspect.getsource(value)
    except (OSError, TypeError):
        text = ""
    yield text.encode()
    if not text or value.__name__ == "<lambda>":  # Two of them may stand in one line.
        yield from _code(value.__code__)
    yield from _all(where, met, "defaults", value.__defaults__, value.__kwdefaults__)
    for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
        yield f"closure {name}".encode()
        try:
            content = cell.cell_contents
        except ValueError:  # Not bound yet.
            continue
        yield from _parts(content, f"{name}, in the closure of {value.__qualname__}", met)
    for name in sorted(_names(value.__code__)):
        if name in value.__globals__:
            yield from _named(name, value.__globals__[name], value, met)


def _named(
    name: str, content: Any, owner: types.FunctionType, met: dict[int, Any]
) -> Iterator[bytes]:
    """A global name that a function uses: data and functions of its own module, others by name."""
    yield f"global {name}".encode()
    foreign = getattr(content, "__module__", None) != owner.__module__
    if isinstance(content, (types.FunctionType, type)) and foreign:
        yield f"{content.__module__}.{content.__qualname__}".encode()
        return
    yield from _parts(content, f"{name}, which {owner.__qualname__} uses", met)


def _names(code: types.CodeType) -> set[str]:
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _names(constant)
    return found


def _code(code: types.CodeType) -> Iterator[bytes]:
    yield code.co_code
    yield repr((code.co_names, code.co_varnames)).encode()
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code(constant)
        else:
            yield repr(constant).encode()


def _class(value: type) -> Iterator[bytes]:
    yield f"class {value.__module__} {value.__qualname__}".encode()
    try:
        yield inspect.getsource(value).encode()
    except (OSError, TypeError):
        return


def _object(value: Any, where: str, met: dict[int, Any]) -> Iterator[bytes]:
    """An object by its class and its state; without a state of plain attributes by its pickle."""
    yield from _class(type(value))
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        yield from _parts(fields, where, met)
        return
    own = getattr(value, "__dict__", None)
    if own is not None and type(value).__module__ in (
        "__main__",
        getattr(value, "__module__", None),
    ):
        plain: bool = vars(object)["__reduce_ex__"] is getattr(type(value), "__reduce_ex__")  # noqa: B009
        if plain and not hasattr(type(value), "__slots__"):
            for name, content in sorted(own.items()):
                yield name.encode()
                yield from _parts(content, f"{name} of {type(value).__qualname__}", met)
            return
    try:
        yield pickle.dumps(value, protocol=4)
    except Exception as error:
        raise InvalidValueError(
            f"derive depends on {where}: a {type(value).__qualname__}, whose content cannot be seen "
            f"({type(error).__name__}). A sweep could then not be told from another one: pass plain data, "
            "arrays or functions."
        ) from error
