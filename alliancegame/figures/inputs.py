"""What a figure is drawn from: another kind of result is refused, with where to get the right one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from alliancegame.errors import InvalidValueError
from alliancegame.game.checks import shown

Draw = TypeVar("Draw", bound=Callable[..., Any])


def drawn_from(kind: str, source: str) -> Callable[[Draw], Draw]:
    """A figure whose first argument is a result of the class `kind`, which `source` makes."""

    def check(name: str, found: Any) -> None:
        if not _is(found, kind):
            raise InvalidValueError(
                f"{name} is drawn from a result such as {source}, got {shown(found)}."
            )

    return _checking(check)


def drawn_from_each(kind: str, source: str) -> Callable[[Draw], Draw]:
    """A figure whose first argument maps labels to such results."""

    def check(name: str, found: Any) -> None:
        if not isinstance(found, Mapping):
            raise InvalidValueError(
                f"{name} is drawn from a dict of labels and results such as "
                f'{{"my label": {source}}}, got {shown(found)}.'
            )
        for label, one in found.items():
            if not _is(one, kind):
                raise InvalidValueError(
                    f"{name} is drawn from results such as {source}; {label!r} is {shown(one)}."
                )

    return _checking(check)


def _is(found: Any, kind: str) -> bool:
    """By name: figures import no solver to draw what is solved already."""
    return any(base.__name__ == kind for base in type(found).__mro__)


def _checking(check: Callable[[str, Any], None]) -> Callable[[Draw], Draw]:
    def decorate(draw: Draw) -> Draw:
        signature = inspect.signature(draw)

        @functools.wraps(draw)
        def checked(*given: Any, **options: Any) -> Any:
            first, *_ = signature.bind(*given, **options).arguments.values()
            check(draw.__name__, first)
            return draw(*given, **options)

        return checked  # type: ignore[return-value]

    return decorate
