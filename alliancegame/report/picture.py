"""A figure of the report with what is said of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure with its file's name, its caption, and its content in words for those who hear it."""

    name: str
    figure: Figure
    caption: str
    alt: str
