"""Every failure of the library, one class each; the message says what to do about it.

All errors derive from `AllianceGameError`, and from the built-in class that a caller who does not
know this library would catch (`ValueError` for a bad value, `KeyError`-like lookups, ...).
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class AllianceGameError(Exception):
    """Base class of every error that this library raises on purpose."""


class InvalidValueError(AllianceGameError, ValueError):
    """A number, label or length is outside what the model admits."""


class UnknownNameError(AllianceGameError, ValueError):
    """A parameter, member, plan field or option does not exist; the message suggests the near one."""


class UnsupportedFormError(AllianceGameError, NotImplementedError):
    """The form belongs to the model, but this version cannot solve it; nothing is silently ignored."""


class ZeroTrustError(AllianceGameError, ValueError):
    """Trust has gone and the leader values influence in logs: its payoff would be minus infinity."""


class CalibrationError(AllianceGameError, ValueError):
    """Observed burdens imply an inadmissible weight; the message gives the members and the range."""


class CoalitionSizeError(AllianceGameError, ValueError):
    """A coalition game has too many players; the message gives the count and the limit."""


class EmptySetError(AllianceGameError, ValueError):
    """What was asked for does not exist, as the nucleolus of a game without imputations."""


class ConvergenceError(AllianceGameError, RuntimeError):
    """No equilibrium was found to tolerance; the message says what to try."""


class ModelFileError(AllianceGameError, ValueError):
    """A model file, or a table that it cites, cannot be read as one."""


class FrozenError(AllianceGameError, dataclasses.FrozenInstanceError):
    """Games, plans and results do not change; the message says how to get a changed copy."""


class ResultFileError(AllianceGameError, ValueError):
    """A result cannot be saved, or a saved one cannot be read back."""


class GameFileError(AllianceGameError, ValueError):
    """A file of a finite game (Gambit's .nfg) cannot be read as one, or cannot be written."""


class GameTooLargeError(AllianceGameError, ValueError):
    """A finite game is beyond what a method can search; the message gives the count and the limit."""


class SweepStoreError(AllianceGameError, OSError):
    """A sweep's store is not ours, of another sweep, damaged, in use, or cannot be written."""


class WorkerLostError(AllianceGameError, RuntimeError):
    """A sweep's worker processes ended again and again over the same chunk."""


class ClusterError(AllianceGameError, ConnectionError):
    """A cluster cannot be reached, has no workers, or went away; the message says how to go on."""


class MissingExtraError(AllianceGameError, ImportError):
    """An optional library is not installed; the message says how to install it."""


class KernelCacheWarning(UserWarning):
    """Compiled kernels could not be kept on disk; they were compiled in memory for this run only."""


class IllConditionedWarning(UserWarning):
    """The model is admissible, but numbers near this parameter value lose accuracy."""


class CoarseGridWarning(UserWarning):
    """A value function is less exact than was asked for; the message has the residual."""


def refusing_change(remedy: str) -> Callable[[type[T]], type[T]]:
    """For frozen dataclasses: setting an attribute raises `FrozenError` with the remedy."""

    def decorate(cls: type[T]) -> type[T]:
        def refuse(self: object, name: str, value: Any) -> None:
            raise FrozenError(f"{remedy.format(name=name, value=value)}.")

        cls.__setattr__ = refuse  # type: ignore[method-assign]
        return cls

    return decorate


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return `" Did you mean 'x'?"` for the nearest candidate, or an empty string if none is near."""
    pool = list(candidates)
    folded = {candidate.lower(): candidate for candidate in pool}
    near = difflib.get_close_matches(name.lower(), list(folded), n=1, cutoff=0.6)
    return f" Did you mean {folded[near[0]]!r}?" if near else ""


def unknown_member(
    label: object, members: Iterable[str], names: Mapping[str, str], where: str = ""
) -> UnknownNameError:
    """The error for a member that does not exist; labels and full names are near spellings.

    `names` maps labels to full names; labels without one stand for themselves.
    """
    labels = list(members)
    text = str(label).strip().lower()
    known = {names.get(m, m).lower(): m for m in labels}
    hit = known.get(text)
    if hit is None and len(text) >= 3:
        begins = [m for full, m in known.items() if full.startswith(text)]
        hit = begins[0] if len(begins) == 1 else None
    if hit is None:
        near = difflib.get_close_matches(text, [*known, *(m.lower() for m in labels)], n=1)
        folded = known | {m.lower(): m for m in labels}
        hit = folded[near[0]] if near else None
    full = names.get(hit, hit) if hit else None
    shown = f"{hit!r}" if full in (hit, None) else f"{hit!r} ({full})"
    suggestion = f" Did you mean {shown}?" if hit else ""
    return UnknownNameError(
        f"unknown member {label!r}{where}.{suggestion} Known: {', '.join(sorted(labels))}."
    )


def unknown_name(
    kind: str, name: object, candidates: Iterable[str], where: str = ""
) -> UnknownNameError:
    """The error for a name that does not exist: near spelling first, then the whole list if short."""
    pool = sorted(candidates)
    listing = ", ".join(pool) if len(pool) <= 60 else ", ".join(pool[:60]) + ", ..."
    suggestion = did_you_mean(str(name), pool)
    return UnknownNameError(f"unknown {kind} {name!r}{where}.{suggestion} Known: {listing}.")
