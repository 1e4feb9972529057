"""A sweep over one or two dimensions: a line, or a field of colours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from alliancegame.errors import InvalidValueError, unknown_name
from alliancegame.figures.inputs import drawn_from
from alliancegame.figures.regime_map import FILLS
from alliancegame.figures.style import (
    BLUE,
    DOUBLE,
    FAINT,
    GREY,
    INK,
    NORMAL,
    SMALL,
    canvas,
    dress,
    plain,
    wrapped,
)
from alliancegame.game.plan import Plan
from alliancegame.study.outcomes import OUTCOMES

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT, LOW = 4.1, 3.0
"""Of a field and of a line, inches."""

MARKED = 30
"""Lines of more points have no dots."""

FEW = 6
"""So many values have a tick each, and none between them."""

SMOOTH = 8
"""From so many values on along both axes, the line of no gain is drawn."""

PREFERRED = ("gain_usd_bn", "threshold", "allied_burden")
"""What is drawn if nothing is asked for: the first of these that there is."""


@drawn_from("Dataset", "ag.sweep(game, axes)")
def swept(found: xr.Dataset, output: str | None = None) -> Figure:
    """One output of a sweep (`alliancegame.sweep`) over its one dimension, or its two.

    Cells without an answer are gaps on a line, and grey on a field.

    Raises `InvalidValueError` for a sweep of more dimensions, or of samples or cases, whose values
    lie on no grid; `UnknownNameError` for an output that it does not have by cell.
    """
    dims = [str(dim) for dim in found.sizes if dim != "member"]
    if len(dims) > 2 or any(dim not in found.coords for dim in dims):
        raise InvalidValueError(
            f"a picture shows a grid of one or two dimensions; this sweep goes over {', '.join(dims)}."
        )
    scalars = [str(name) for name in found.data_vars if list(found[name].dims) == dims]
    known = [name for name in scalars if name not in ("status", "reason")]
    chosen = (
        next((n for n in (*PREFERRED, *known) if n in known), None) if output is None else output
    )
    if chosen is None or chosen not in known:
        raise unknown_name("output", chosen or output, known, " of the sweep")
    figure, axes = canvas(DOUBLE, HEIGHT if len(dims) == 2 else LOW)
    dress(axes)
    if len(dims) == 1:
        _line(axes, found, dims[0], chosen)
    else:
        _field(figure, axes, found, (dims[0], dims[1]), chosen)
    axes.set_title(plain(_title(found)), fontsize=SMALL, color=GREY, loc="left")
    return figure


def _title(found: xr.Dataset) -> str:
    """What was solved over what, and what of the plan was the same everywhere."""
    title = str(found.attrs.get("title", ""))
    try:
        plan = Plan(**json.loads(str(found.attrs.get("plan", ""))))
    except (ValueError, TypeError):
        return title
    gone_over = {name.partition("[")[0] for name in map(str, found.coords)}
    solve = str(found.attrs.get("solve", ""))
    free = {"threat", "burden"} if solve in ("stackelberg", "backfire_threshold") else set()
    pressed = plan if plan.pressure else plan.replace(threat=1.0)
    if not plan.pressure and not {"threat"} & (gone_over | free):
        pressed = Plan(burden=plan.burden)
    named = {"plan_burden": "own burden", "burden": "own burden"}
    skipped = tuple(named.get(name, name) for name in gone_over | free)
    parts = [part for part in pressed.describe().split(", ") if not part.startswith(skipped)]
    return "; ".join([title, ", ".join(parts)]) if parts else title


def _line(axes: Axes, found: xr.Dataset, dim: str, output: str) -> None:
    places = _axis(axes, found, dim, "x")
    values = found[output]
    heights = np.asarray(values.values, dtype=np.float64)
    if "flag_values" in values.attrs:
        names = _names(values)
        axes.plot(places, heights, "o", color=BLUE, markersize=4)
        met = sorted({int(code) for code in heights})
        axes.set_yticks(met, [names[code] for code in met])
    else:
        shape = "o-" if len(places) <= MARKED else "-"
        axes.plot(places, heights, shape, color=BLUE, markersize=3, linewidth=1.1)
        if np.nanmin(heights, initial=0.0) < 0 < np.nanmax(heights, initial=0.0):
            axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
    axes.set_ylabel(wrapped(_words(found, output), 40), fontsize=NORMAL, color=INK)
    _percent(found, output, axes.yaxis)


def _field(
    figure: Figure, axes: Axes, found: xr.Dataset, dims: tuple[str, str], output: str
) -> None:
    """The first dimension across, the second up."""
    import matplotlib as mpl

    across, up = _axis(axes, found, dims[0], "x"), _axis(axes, found, dims[1], "y")
    values = np.asarray(found[output].values, dtype=np.float64).T
    axes.set_facecolor(FAINT)
    if "flag_values" in found[output].attrs:
        _codes(figure, axes, (across, up, values), _names(found[output]))
        _frame(axes, found, dims, (across, up))
        return
    known = np.ma.masked_invalid(values)
    most = float(np.abs(known).max()) if known.count() else 1.0
    signed = known.count() > 0 and known.min() < 0 < known.max()
    mesh = axes.pcolormesh(
        across, up, known, shading="nearest", rasterized=True,
        cmap=mpl.colormaps["RdBu" if signed else "cividis"],
        vmin=-most if signed else None, vmax=most if signed else None,
    )  # fmt: skip
    _frame(axes, found, dims, (across, up))
    if signed and min(known.shape) >= SMOOTH:
        sure = np.ma.masked_where(np.abs(known) <= 1e-9 * most, known)  # no lines through rounding
        lines = axes.contour(across, up, sure, [0.0], colors=INK, linewidths=1.1)
        axes.clabel(lines, fmt="0", fontsize=SMALL)
    bar = figure.colorbar(mesh, ax=axes, pad=0.02, aspect=30)
    bar.set_label(wrapped(_words(found, output), 60), fontsize=NORMAL, color=INK)
    bar.ax.tick_params(labelsize=SMALL, width=0.6, length=2.5)
    bar.outline.set_visible(False)
    _percent(found, output, bar.ax.yaxis)


def _frame(axes: Axes, found: xr.Dataset, dims: tuple[str, str], ends: tuple[Any, Any]) -> None:
    """Axes of numbers end at the first and last value: beyond them nothing was solved."""
    for dim, places, name in zip(dims, ends, ("xlim", "ylim"), strict=True):
        if found[dim].dtype.kind in "iuf" and np.ptp(places) > 0:
            axes.set(**{name: (float(places.min()), float(places.max()))})


def _codes(figure: Figure, axes: Axes, grid: tuple[Any, Any, Any], names: dict[int, str]) -> None:
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    across, up, values = grid
    met = sorted({int(code) for code in values.ravel() if code >= 0})
    fills = [FILLS.get(names[code], (f"{0.9 - 0.25 * i:.2f}", ""))[0] for i, code in enumerate(met)]
    shown = np.full(values.shape, np.nan)
    for i, code in enumerate(met):
        shown[values == code] = i
    if met:
        axes.pcolormesh(
            across, up, np.ma.masked_invalid(shown), shading="nearest", rasterized=True,
            cmap=ListedColormap(fills), norm=BoundaryNorm(np.arange(len(met) + 1) - 0.5, len(met)),
        )  # fmt: skip
    shades = [*zip(fills, (names[code] for code in met), strict=True)]
    shades += [(FAINT, "no answer")] if (values < 0).any() else []
    handles = [
        Patch(facecolor=fill, edgecolor=GREY, linewidth=0.4, label=name) for fill, name in shades
    ]
    figure.legend(
        handles=handles, loc="outside upper left", ncols=4, fontsize=SMALL, frameon=False,
        labelcolor=INK,
    )  # fmt: skip


def _names(values: xr.DataArray) -> dict[int, str]:
    """What codes mean, in words."""
    words = str(values.attrs["flag_meanings"]).split()
    codes = [int(code) for code in values.attrs["flag_values"]]
    plain_names = {name.replace("-", "_").replace(" ", "_"): name for name in OUTCOMES}
    return {
        code: plain_names.get(word, word.replace("_", " "))
        for code, word in zip(codes, words, strict=True)
    }


def _axis(axes: Axes, found: xr.Dataset, dim: str, name: str) -> Any:
    """Places along an axis, its label and its ticks; names of forms stand at whole numbers."""
    axis = axes.xaxis if name == "x" else axes.yaxis
    values = found[dim].values
    (axes.set_xlabel if name == "x" else axes.set_ylabel)(
        wrapped(_words(found, dim), 70), fontsize=NORMAL, color=INK
    )
    if values.dtype.kind not in "iuf":
        places = np.arange(len(values), dtype=np.float64)
        axis.set_ticks(places, [plain(str(value)) for value in values])
        return places
    _percent(found, dim, axis)
    if len(values) <= FEW:
        axis.set_ticks(np.asarray(values, dtype=np.float64))
    return np.asarray(values, dtype=np.float64)


def _words(found: xr.Dataset, name: str) -> str:
    facts = found[name].attrs
    unit = str(facts.get("units", "1"))
    long = str(facts.get("long_name", name))
    said = long if long.startswith(name) or name not in found.coords else f"{name}: {long}"
    parts = [unit if unit not in ("1", "code") else "", str(facts.get("note", ""))]
    inside = "; ".join(part for part in parts if part)
    return plain(f"{said} ({inside})" if inside else said)


def _percent(found: xr.Dataset, name: str, axis: Any) -> None:
    if found[name].attrs.get("units") == "share of GDP":
        axis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
