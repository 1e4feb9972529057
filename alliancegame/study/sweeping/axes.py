"""What a sweep goes over: axes of single values, of cases side by side, and of samples."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import math
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliancegame.errors import InvalidValueError
from alliancegame.game.parameters import as_number

Column = NDArray[Any]
"""Values of one key, shape (n,): float64, or objects that are all text."""

Prior = Any
"""(low, high), a frozen distribution of scipy.stats, or a list of names of forms."""


_LABELS = {"burden": "plan_burden", "trust": "initial_trust", "influence": "influence_form"}


def label(key: str) -> str:
    """The name of a key's labels in the result: the key, unless an answer bears that name too."""
    return _LABELS.get(key, key)


@dataclasses.dataclass(frozen=True, eq=False)
class Cases:
    """Columns that change together, one case a row: what `zipped` returns."""

    columns: Mapping[str, Column]
    made: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, eq=False)
class Sample:
    """Points still to be drawn: what `latin_hypercube`, `sobol` and `random_sample` return."""

    method: str
    priors: Mapping[str, Prior]
    n: int
    seed: int | None

    def draw(self, seed: int | None = None, position: int = 0) -> Cases:
        """The points. Its own seed counts first; `position` tells samples under one `seed` apart.

        Raises `InvalidValueError` if there is no seed at all, or if a prior gives values that are
        not finite.
        """
        if self.seed is not None:
            generator = np.random.default_rng(self.seed)
        elif seed is not None:
            generator = np.random.default_rng([seed, position])
        else:
            raise InvalidValueError(
                "a sample needs a seed, so that the sweep can be resumed and repeated: give one to "
                f"{self.method}(…, seed=…) or to sweep(…, seed=…)."
            )
        uniform = _uniform_points(self.method, len(self.priors), self.n, generator)
        # Ends of the unit interval would be infinite draws of unbounded distributions.
        uniform = np.clip(uniform, 2.0**-54, 1 - 2.0**-53)
        columns = {
            key: _checked(key, _inverse(key, prior, uniform[:, j]))
            for j, (key, prior) in enumerate(self.priors.items())
        }
        made = {
            "method": self.method,
            "n": self.n,
            "seed": self.seed if self.seed is not None else [seed, position],
            "priors": {key: describe_prior(prior) for key, prior in self.priors.items()},
        }
        return Cases(columns, made)


def zipped(columns: Mapping[str, Any] | None = None, /, **named: Any) -> Cases:
    """Values that change together, side by side: `zipped(decay=[0.1, 0.4], threat=[1, 0.5])`.

    Keys that are no Python names come in a dict: `zipped({"decay[DEU]": […], "threat": […]})`.
    Every column is a sequence of the same length n. In a sweep they share one dimension, named by
    the key of `over` under which they stand.

    Raises `InvalidValueError` for columns that are empty, not finite, or of different lengths.
    """
    given = {**dict(columns or {}), **named}
    if not given:
        raise InvalidValueError("zipped needs at least one column of values.")
    if len(given) < len(columns or {}) + len(named):
        twice = sorted(set(columns or {}) & set(named))
        raise InvalidValueError(f"zipped names {', '.join(twice)} twice.")
    read = {key: read_column(key, values) for key, values in given.items()}
    if len({len(column) for column in read.values()}) > 1:
        lengths = ", ".join(f"{key} has {len(column)}" for key, column in read.items())
        raise InvalidValueError(
            f"zipped values stand side by side, so every column needs the same length: {lengths}."
        )
    return Cases(read, {"method": "zipped"})


def latin_hypercube(priors: Mapping[str, Prior], n: int, seed: int | None = None) -> Sample:
    """A Latin hypercube of n points: each key's values cover its n quantiles, one each.

    `priors` maps keys to (low, high) for a uniform distribution, to a frozen distribution of
    scipy.stats, or to a list of names of forms, equally likely. Without a `seed` of its own the
    sample takes that of the sweep. Source: McKay, Beckman and Conover 1979, through
    scipy.stats.qmc.LatinHypercube.

    Raises `InvalidValueError`.
    """
    return _sample("latin_hypercube", priors, n, seed)


def sobol(priors: Mapping[str, Prior], n: int, seed: int | None = None) -> Sample:
    """A scrambled Sobol sequence of n points, n a power of 2; `priors` as in `latin_hypercube`.

    Source: Sobol' 1967, Owen 1998, through scipy.stats.qmc.Sobol. Raises `InvalidValueError`.
    """
    sample = _sample("sobol", priors, n, seed)
    if n & (n - 1):
        below = 1 << (n.bit_length() - 1)
        raise InvalidValueError(
            f"sobol needs n to be a power of 2, got {n}: its balance is lost otherwise. "
            f"Use {below} or {2 * below}."
        )
    return sample


def random_sample(priors: Mapping[str, Prior], n: int, seed: int | None = None) -> Sample:
    """Independent random draws, n of them; `priors` as in `latin_hypercube`.

    Raises `InvalidValueError`.
    """
    return _sample("random_sample", priors, n, seed)


def _sample(method: str, priors: Any, n: Any, seed: Any) -> Sample:
    if not isinstance(priors, Mapping) or not priors:
        raise InvalidValueError(f"{method} needs a dict from keys to priors, got {priors!r}.")
    if not _is_whole(n) or n < 1:
        raise InvalidValueError(f"{method} needs a whole number of points n >= 1, got {n!r}.")
    for key, prior in priors.items():
        _check_prior(key, prior)
    return Sample(method, dict(priors), int(n), checked_seed(seed))


def checked_seed(seed: Any) -> int | None:
    """A seed is a whole number >= 0, which provenance can record. Raises `InvalidValueError`."""
    if seed is None:
        return None
    if not _is_whole(seed) or seed < 0:
        raise InvalidValueError(f"seed must be a whole number >= 0, got {seed!r}.")
    return int(seed)


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _quantile_function(prior: Prior) -> Any:
    """`ppf` of the frozen distributions of scipy.stats, `icdf` of its newer random variables."""
    return getattr(prior, "ppf", None) or getattr(prior, "icdf", None)


def _check_prior(key: str, prior: Prior) -> None:
    if _quantile_function(prior) is not None:
        if callable(prior):  # a family, not one of its members
            name = getattr(prior, "name", "norm")
            raise InvalidValueError(
                f"the prior of {key} is the family scipy.stats.{name}: give its parameters as well, as "
                "in scipy.stats.norm(0.4, 0.1)."
            )
        return
    if isinstance(prior, Sequence) and not isinstance(prior, str) and len(prior):
        if all(isinstance(value, str) for value in prior):
            return
        if len(prior) == 2:
            low, high = (as_number(value, f"an end of the range of {key}") for value in prior)
            if low < high:
                return
            raise InvalidValueError(
                f"the range of {key} must be (low, high) with low < high, got ({low:g}, {high:g})."
            )
    raise InvalidValueError(
        f"the prior of {key} must be (low, high), a frozen distribution of scipy.stats such as "
        f"scipy.stats.beta(2, 5), or a list of names of forms; got {prior!r}."
    )


def describe_prior(prior: Prior) -> Any:
    """A prior in words or plain numbers, for provenance."""
    if _quantile_function(prior) is None:
        return [value if isinstance(value, str) else float(value) for value in prior]
    if hasattr(prior, "dist") and hasattr(prior, "args"):
        parts = [f"{value!r}" for value in prior.args]
        parts += [f"{name}={value!r}" for name, value in prior.kwds.items()]
        return f"{prior.dist.name}({', '.join(parts)})"
    return repr(prior)


def _uniform_points(
    method: str, dimensions: int, n: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Points of the unit cube, shape (n, dimensions)."""
    if method == "random_sample":
        return generator.random((n, dimensions))
    from scipy.stats import qmc

    engine = {"latin_hypercube": qmc.LatinHypercube, "sobol": qmc.Sobol}[method]
    # SciPy 1.15 renamed the argument.
    name = "rng" if "rng" in inspect.signature(engine).parameters else "seed"
    points: NDArray[np.float64] = engine(d=dimensions, **{name: generator}).random(n)
    return points


def _inverse(key: str, prior: Prior, uniform: NDArray[np.float64]) -> Column:
    """Values of a prior at the given probabilities."""
    quantile = _quantile_function(prior)
    if quantile is not None:
        values = np.asarray(quantile(uniform), dtype=np.float64)
        if values.shape != uniform.shape:
            raise InvalidValueError(
                f"the prior of {key} must be a distribution of one number, "
                f"but it gives an array of shape {values.shape[1:]} a draw."
            )
        return values
    if isinstance(prior[0], str):
        names = np.array(prior, dtype=object)
        return names[np.floor(uniform * len(names)).astype(np.intp)]
    low, high = (float(value) for value in prior)
    return low + (high - low) * uniform


def read_column(key: str, values: Any) -> Column:
    """The values of a key: a flat sequence of finite numbers, or of names of forms."""
    if isinstance(values, (str, bytes, Mapping, Set)) or not isinstance(values, Iterable):
        raise InvalidValueError(
            f"{key} must go over a list of values, got {values!r}; a single value belongs in the game "
            "or the plan, or in a list of one."
        )
    try:
        array = np.asarray(values if hasattr(values, "__array__") else list(values))
    except ValueError as error:
        raise InvalidValueError(f"{key} must go over a flat list of values.") from error
    if np.ma.isMaskedArray(values) and np.ma.getmaskarray(values).any():
        raise InvalidValueError(
            f"{key} goes over a masked array with masked values, which no game can have: leave them out "
            "(values.compressed())."
        )
    if array.ndim != 1:
        raise InvalidValueError(
            f"{key} must go over a flat list of values, got an array of shape {array.shape}. One "
            f'member\'s value is a key of its own, such as "{key}[DEU]".'
        )
    if not array.size:
        raise InvalidValueError(f"{key} goes over no values: the grid is empty.")
    return _checked(key, array)


def _checked(key: str, array: NDArray[Any]) -> Column:
    if array.dtype.kind in "iuf":
        numbers = array.astype(np.float64)
        bad = np.flatnonzero(~np.isfinite(numbers))
        if bad.size:
            raise InvalidValueError(
                f"value {bad[0]} of {key} is {numbers[bad[0]]}; every value must be finite."
            )
        return numbers
    entries = array.tolist()
    if all(isinstance(value, str) for value in entries):
        return np.array(entries, dtype=object)
    return np.array([as_number(value, f"value {i} of {key}") for i, value in enumerate(entries)])


@dataclasses.dataclass(frozen=True, eq=False)
class Axis:
    """One dimension of a sweep: the columns that change along it, and how they were made."""

    name: str
    columns: Mapping[str, Column]
    made: Mapping[str, Any]

    @property
    def size(self) -> int:
        """Number of values."""
        return len(next(iter(self.columns.values())))

    def to_dict(self) -> dict[str, Any]:
        """Name, size, keys, a digest of the values, and how they were made."""
        digest = hashlib.sha256()
        for key, column in self.columns.items():
            text = column.dtype == object
            content = "\0".join(column).encode() if text else column.tobytes()
            digest.update(f"{key}\0{'text' if text else 'float64'}\0{len(content)}\0".encode())
            digest.update(content)
        return {
            "name": self.name,
            "size": self.size,
            "keys": list(self.columns),
            "values": digest.hexdigest(),
            "made": dict(self.made),
        }


@dataclasses.dataclass(frozen=True, eq=False)
class Design:
    """Everything a sweep goes over: one axis a dimension; cells are their product, last axis fastest."""

    axes: tuple[Axis, ...]

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the dimensions."""
        return tuple(axis.name for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the dimensions."""
        return tuple(axis.size for axis in self.axes)

    @property
    def count(self) -> int:
        """Number of cells."""
        return math.prod(self.shape)

    @property
    def columns(self) -> dict[str, Column]:
        """Every key's values."""
        return {key: column for axis in self.axes for key, column in axis.columns.items()}

    def part(self, box: Sequence[slice]) -> tuple[dict[str, Column], ...]:
        """The values that a box of cells needs, axis by axis; `cells` makes them columns."""
        return tuple(
            {key: column[piece] for key, column in axis.columns.items()}
            for axis, piece in zip(self.axes, box, strict=True)
        )


def cells(part: Sequence[Mapping[str, Column]]) -> dict[str, Column]:
    """The product of axes as columns of shape (cell,), the last axis fastest."""
    shape = tuple(len(next(iter(columns.values()))) for columns in part)
    laid = {}
    for position, columns in enumerate(part):
        across = [1] * len(shape)
        across[position] = shape[position]
        for key, column in columns.items():
            laid[key] = np.broadcast_to(column.reshape(across), shape).ravel()
    return laid


def read_over(over: Any, seed: int | None = None) -> Design:
    """Read `over` (see `sweep`). Raises `InvalidValueError`."""
    if isinstance(over, Cases):
        over = {"case": over}
    elif isinstance(over, Sample):
        over = {"sample": over}
    if not isinstance(over, Mapping):
        raise InvalidValueError(
            f"over must be a dict from keys to values, zipped(…), or a sample; got {over!r}."
        )
    if not over:
        raise InvalidValueError('over is empty: name what to go over, such as {"decay": [0, 0.5]}.')
    axes = []
    home: dict[str, str] = {}
    for position, (name, given) in enumerate(over.items()):
        axis = _axis(name, given, seed, position)
        for key in axis.columns:
            if key in home:
                raise InvalidValueError(
                    f"{key} stands twice in over, in {home[key]!r} and in {name!r}."
                )
            home[key] = name
        axes.append(axis)
    for name, axis in zip(over, axes, strict=True):
        if name in home and name not in axis.columns:
            raise InvalidValueError(
                f"the dimension {name!r} of over bears the name of a key in {home[name]!r}: rename it."
            )
    if len({axis.name for axis in axes}) < len(axes):
        raise InvalidValueError(f"two dimensions of over have one name: {', '.join(over)}.")
    return Design(tuple(axes))


def _axis(name: Any, given: Any, seed: int | None, position: int) -> Axis:
    if not isinstance(name, str) or not name:
        raise InvalidValueError(f"a key of over must be text, got {name!r}.")
    if isinstance(given, Sample):
        given = given.draw(seed, position)
    if isinstance(given, Cases):
        return Axis(name, given.columns, given.made)
    if _quantile_function(given) is not None:
        raise InvalidValueError(
            f"{name} goes over a distribution: say how many draws, as in "
            f'over={{"draw": random_sample({{{name!r}: …}}, n=1000)}}.'
        )
    return Axis(label(name), {name: read_column(name, given)}, {"method": "grid"})
