"""Priors: what is believed of parameters, draws from several of them at once, and how they are typed."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from alliancegame.errors import InvalidValueError, unknown_name
from alliancegame.game.checks import check_game, check_plan_type
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.parameters import Array, as_number
from alliancegame.game.plan import Plan
from alliancegame.study.evaluate import quantity
from alliancegame.study.sweeping.axes import (
    _inverse,
    describe_prior,
    latin_hypercube,
    random_sample,
    sobol,
)

METHODS = {"sobol": sobol, "latin-hypercube": latin_hypercube, "monte-carlo": random_sample}
"""How draws are spread: scrambled Sobol points, Latin hypercubes, or independently."""

EDGE = 2.0**-33
"""Points of the unit interval keep this distance from its ends, where quantiles may be infinite."""


def checked_priors(
    game: BurdenSharingGame, plan: Plan, given: Any, function: str
) -> dict[str, Any]:
    """Priors by key: (low, high) for a uniform one, or frozen distributions of scipy.stats.

    `function` is the one that asks, for the message about a game that it does not take.

    Raises `UnknownNameError` for keys that do not exist, `InvalidValueError` for anything else.
    """
    if not isinstance(given, Mapping) or not given:
        raise InvalidValueError(
            'priors are a dict such as {"decay": (0.2, 0.6)}, with a pair (low, high) or a frozen '
            f"distribution of scipy.stats for each key; got {given!r}."
        )
    check_game(game, function)
    check_plan_type(plan)
    for key in given:
        if not isinstance(key, str):
            raise InvalidValueError(f'priors need names such as "decay" as keys, got {key!r}.')
    priors = {quantity(game, plan, key).key: value for key, value in given.items()}
    for key, value in priors.items():
        if isinstance(value, (list, tuple)) and any(isinstance(part, str) for part in value):
            raise InvalidValueError(f"the prior of {key} must be of numbers, got {value!r}.")
    latin_hypercube(priors, 1, 0)
    return priors


def in_words(prior: Any) -> str:
    """A prior as one would write it."""
    said = describe_prior(prior)
    return said if isinstance(said, str) else f"uniform({said[0]:g}, {said[1]:g})"


def draw(priors: Mapping[str, Any], method: str, n: int, replicates: int, seed: int) -> Array:
    """Draws of shape (n, key): `replicates` independent sets, one after another.

    Each set is spread evenly by itself (unless the method is "monte-carlo"), and the sets are
    independent, so that the spread of their answers is an honest standard error.
    """
    parts = []
    for child in np.random.SeedSequence(seed).generate_state(replicates, np.uint64):
        found = METHODS[method](priors, n // replicates, int(child)).draw().columns
        parts.append(np.column_stack([found[key] for key in priors]))
    return np.concatenate(parts).astype(np.float64)


def values_at(priors: Mapping[str, Any], units: Array) -> Array:
    """Parameter values at points of the unit cube, both of shape (point, key)."""
    inside = np.clip(units, EDGE, 1 - EDGE)
    columns = [_inverse(key, prior, inside[:, j]) for j, (key, prior) in enumerate(priors.items())]
    return np.column_stack(columns).astype(np.float64)


def checked_seed(seed: Any) -> int:
    """A whole number from 0, which the result records."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InvalidValueError(f"seed must be a whole number from 0, got {seed!r}.")
    return int(seed)


def check_draws(method: str, n: Any, replicates: Any) -> None:
    """Raise unless `n` draws can be made in as many replicates."""
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    for name, value, least in (("n", n, 2), ("replicates", replicates, 8)):
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
            raise InvalidValueError(f"{name} must be a whole number from {least}, got {value!r}.")
    size = n // replicates
    if method != "sobol":
        if n % replicates or size < 2:
            near = max(round(n / replicates), 2) * replicates
            raise InvalidValueError(
                f"n must be a multiple of replicates = {replicates}, and twice as many at least; got "
                f"{n}, and {near} would do."
            )
    elif n % replicates or size < 2 or size & (size - 1):
        near = replicates * 2 ** max(round(math.log2(max(n / replicates, 2))), 1)
        raise InvalidValueError(
            f"with Sobol points n must be replicates = {replicates} times a power of two; got {n}, and "
            f'{near} would do (or method="latin-hypercube").'
        )


# --- Distributions as they are typed -------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Typed:
    """A distribution as it was typed, so that results say it in the same words."""

    text: str
    quantile: Callable[[Any], Any] = dataclasses.field(repr=False)

    def ppf(self, q: Any) -> Any:
        """Values at probabilities."""
        return self.quantile(q)

    def __repr__(self) -> str:
        return self.text


def _uniform(low: float, high: float) -> Any:
    return (low, high)


def _normal(mean: float, sd: float) -> Any:
    from scipy import stats

    return stats.norm(mean, _positive("sd", sd))


def _lognormal(median: float, sigma: float) -> Any:
    from scipy import stats

    return stats.lognorm(_positive("sigma", sigma), scale=_positive("median", median))


def _triangular(low: float, mode: float, high: float) -> Any:
    from scipy import stats

    if not (low <= mode <= high and low < high):
        raise InvalidValueError(
            f"triangular(low, mode, high) needs low <= mode <= high, got {low:g}, {mode:g}, {high:g}."
        )
    return stats.triang((mode - low) / (high - low), loc=low, scale=high - low)


def _beta(a: float, b: float, low: float = 0.0, high: float = 1.0) -> Any:
    from scipy import stats

    if not low < high:
        raise InvalidValueError(f"beta(a, b, low, high) needs low < high, got {low:g}, {high:g}.")
    return stats.beta(_positive("a", a), _positive("b", b), loc=low, scale=high - low)


def _positive(name: str, value: float) -> float:
    if not value > 0:
        raise InvalidValueError(f"{name} of a prior must be positive, got {value:g}.")
    return value


TYPED: Mapping[str, tuple[Callable[..., Any], str]] = {
    "uniform": (_uniform, "uniform(low,high)"),
    "normal": (_normal, "normal(mean,sd)"),
    "lognormal": (_lognormal, "lognormal(median,sigma)"),
    "triangular": (_triangular, "triangular(low,mode,high)"),
    "beta": (_beta, "beta(a,b) or beta(a,b,low,high)"),
}
"""Distributions that can be typed, and how."""


def typed_prior(text: str, number: Callable[[str], Any]) -> Any:
    """A prior from text such as "uniform(0.2,0.6)"; `number` reads one number.

    Raises `UnknownNameError` or `InvalidValueError`.
    """
    found = re.fullmatch(r"\s*([a-z]+)\s*\(([^()]*)\)\s*", text)
    if found is None:
        raise InvalidValueError(
            f"{text!r} is no prior: write one of {', '.join(form for _, form in TYPED.values())}."
        )
    name, inside = found.groups()
    if name not in TYPED:
        raise unknown_name("prior", name, TYPED)
    make, form = TYPED[name]
    given = [as_number(number(part.strip()), f"{text!r}") for part in inside.split(",")]
    least, most = {"triangular": (3, 3), "beta": (2, 4)}.get(name, (2, 2))
    if not least <= len(given) <= most or (name == "beta" and len(given) == 3):
        raise InvalidValueError(f"{text!r} has {len(given)} numbers: write {form}.")
    made = make(*given)
    words = f"{name}({', '.join(f'{value:g}' for value in given)})"
    return made if isinstance(made, tuple) else Typed(words, made.ppf)
