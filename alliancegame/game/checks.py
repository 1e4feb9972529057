"""What is given where a game or a plan is needed: checked at the door, with the remedy."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np

from alliancegame.errors import InvalidValueError, UnsupportedFormError, unknown_name
from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.plan import Plan


def check_game(game: Any, function: str, *, also: str = "", extremes: bool = False) -> None:
    """Raise `InvalidValueError` for anything but a game; a model's name gets the remedy.

    `also` names what else the function takes. Exact limits of the technology raise
    `UnsupportedFormError` unless the function takes them (`extremes`).
    """
    if isinstance(game, BurdenSharingGame):
        if game.technology != "ces" and not extremes:
            raise UnsupportedFormError(
                f"{function} is not written for technology={game.technology!r}: solve_nash, respond, "
                "find_equilibria, certify, compare, channels and sensitivities are. Elsewhere use "
                'technology="ces", with substitution for how forces add up.'
            )
        return
    remedy = f"ag.load_model({game!r})" if isinstance(game, str) else 'ag.load_model("nato-2024")'
    raise InvalidValueError(f"{function} needs a game such as {remedy}{also}, got {shown(game)}.")


def check_plan_type(plan: Any) -> None:
    """Raise `InvalidValueError` for anything but a plan; numbers and dicts get the remedy."""
    if not isinstance(plan, Plan):
        raise InvalidValueError(
            f"plan must be a Plan such as ag.Plan(threat=0.5), got {shown(plan)}."
        )


def check_whole(value: Any, what: str, least: int, most: int | None = None) -> None:
    """Raise `InvalidValueError` for anything but a whole number from `least` on (to `most`)."""
    whole = not isinstance(value, bool) and isinstance(value, (int, np.integer))
    if not whole or value < least or (most is not None and value > most):
        limits = f"at least {least}" if most is None else f"from {least:,} to {most:,}"
        raise InvalidValueError(f"{what} must be a whole number, {limits}, got {shown(value)}.")


def check_flag(value: Any, what: str) -> None:
    """Raise `InvalidValueError` for anything but True or False: other values are rarely meant."""
    if not isinstance(value, (bool, np.bool_)):
        raise InvalidValueError(f"{what} must be True or False, got {shown(value)}.")


def check_choice(value: Any, kind: str, choices: Iterable[str]) -> None:
    """Raise `UnknownNameError` for anything but one of the names."""
    listed = tuple(choices)
    if not isinstance(value, str) or value not in listed:
        raise unknown_name(kind, value if isinstance(value, str) else shown(value), listed)


def check_names(value: Any, what: str) -> Mapping[Any, Any] | None:
    """A dict or None; raise `InvalidValueError` for anything else."""
    if value is not None and not isinstance(value, Mapping):
        raise InvalidValueError(f"{what} must be a dict, got {shown(value)}.")
    return value


def listed(value: Any, what: str, of: str, *, ordered: bool = True) -> list[Any]:
    """The entries of a list; text, dicts, and sets where the order counts, raise `InvalidValueError`."""
    refused = (str, bytes, Mapping, *((Set,) if ordered else ()))
    try:
        if not isinstance(value, refused):
            return list(value)
    except TypeError:
        pass
    raise InvalidValueError(f"{what} must be a list of {of}, got {shown(value)}.")


def check_unique(values: Sequence[Any], what: str) -> None:
    """Raise `InvalidValueError` for an entry that cannot be a label, or that stands twice."""
    seen: set[Any] = set()
    for value in values:
        try:
            if value in seen:
                raise InvalidValueError(f"{what} has {value!r} twice: name each once.")
            seen.add(value)
        except TypeError as error:
            raise InvalidValueError(
                f"{what} has {shown(value)}, which cannot be a label: use text or numbers."
            ) from error


def as_path(value: Any, function: str) -> Path:
    """A path that a function was given, as text or as a `Path`. Raises `InvalidValueError`."""
    if not isinstance(value, (str, os.PathLike)):
        raise InvalidValueError(
            f'{function} needs a path such as "results/nato.json", got {shown(value)}.'
        )
    return Path(value)


def shown(value: Any) -> str:
    """A value in a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def per_cent(share: float) -> str:
    """A hint for what was meant as per cent: shares of GDP above 1 are; else empty."""
    return f" Shares of GDP: {share:g} % is {share / 100:g}." if 1 <= share <= 100 else ""


def further_forms(game: BurdenSharingGame, plan: Plan | None = None) -> list[str]:
    """The forms of a game and plan beyond the plain ones, in words.

    Plain: forces that add up with substitution up to 1, a council, a shortfall proportional to what
    is missing, no tariff. Theorems, closed forms and formulas written for those ask here.
    """
    found = []
    for name, usual in (
        ("technology", "ces"),
        ("influence", "council"),
        ("shortfall", "proportional"),
    ):
        form = getattr(game, name)
        if form != usual:
            found.append(f'{name}="{form}"')
    if game.substitution > 1:
        found.append(f"substitution = {game.substitution:g} > 1")
    if plan is not None and plan.taxed:
        found.append("a tariff")
    return found


def check_plain_forms(game: BurdenSharingGame, function: str, plan: Plan | None = None) -> None:
    """Refuse forms that `function` is not written for. Raises `UnsupportedFormError`."""
    found = further_forms(game, plan)
    if found:
        raise UnsupportedFormError(
            f"{function} is not written for {', '.join(found)}: use the plain forms "
            '(technology="ces" with substitution <= 1, influence="council", '
            'shortfall="proportional", no tariff).'
        )


def check_smooth(game: BurdenSharingGame, function: str) -> None:
    """Refuse trigger shortfalls, which `function` is not written for. Raises `UnsupportedFormError`."""
    if game.shortfall == "trigger":
        raise UnsupportedFormError(
            f'{function} is not written for shortfall="trigger": use "proportional" or "logistic".'
        )
