"""What the pages compute in their cells: Markdown that says what the library found."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Markdown:
    """Text that a notebook shows as Markdown."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text

    def __str__(self) -> str:
        return self.text


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """A Markdown table; columns in `right` are aligned to the right."""
    rule = ["---:" if i in right else "---" for i in range(len(head))]
    cleaned = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in (list(head), rule, *cleaned))


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure of the library, as a notebook shows it."""

    figure: Any

    def _repr_png_(self) -> bytes:
        from alliancegame.figures.style import rendered

        return rendered(self.figure, "png")
