"""What the pages show of their cells: Markdown that says what the library found, and pictures."""

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


def draw_figures() -> None:
    """Have the notebook that runs this show figures, which no pyplot knows, as pictures.

    Every page's kernel begins with it (`conf.py`). matplotlib is imported by whoever draws.
    """
    from IPython import get_ipython

    pictures = get_ipython().display_formatter.formatters["image/png"]
    pictures.for_type_by_name("matplotlib.figure", "Figure", _png)


def _png(figure: Any) -> bytes:
    from alliancegame.figures.style import rendered

    return rendered(figure, "png")
