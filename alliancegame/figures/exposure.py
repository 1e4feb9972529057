"""What allies were found to value, against a fact that was not used to find it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from alliancegame.errors import InvalidValueError
from alliancegame.figures.style import BLUE, DOUBLE, INK, SMALL, canvas, dress, place_labels, signed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def exposure(
    values: Any, distances: Any, *, correlation: float, to: str, height: float = 3.2
) -> Figure:
    """Values of security against distance from a threat, a labelled dot by ally.

    `values` and `distances` (km) are Series with the same labels; `correlation` is their rank
    correlation, computed by the caller, and `to` names what the distance is to.

    Raises `InvalidValueError` if the labels differ.
    """
    if list(values.index) != list(distances.index):
        raise InvalidValueError("values and distances must have the same labels in the same order.")
    figure, axes = canvas(DOUBLE, height)
    dress(axes, f"distance to {to} (km, least distance of the territories)", "value of security θ")
    axes.plot(distances, values, "o", color=BLUE, markersize=3.5, zorder=3)
    axes.margins(x=0.04, y=0.08)
    axes.text(
        0.98, 0.97, f"rank correlation {signed(round(correlation, 2))}, {len(values)} allies",
        transform=axes.transAxes, fontsize=SMALL + 0.5, color=INK, ha="right", va="top",
    )  # fmt: skip
    spots = np.column_stack([distances, values])
    place_labels(
        axes, spots, list(values.index), size=SMALL - 0.5, kept_free=[(0.7, 0.9, 1.0, 1.0)]
    )
    return figure
