"""How results show themselves in notebooks: rounded numbers, units, and no endless tables."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS, SHOWN_ROWS = 40, 11
"""Longer tables are shown at so many places, evenly spread."""


def paragraph(text: str) -> str:
    """Text as HTML."""
    return f"<p>{html.escape(text)}</p>"


def table(frame: pd.DataFrame) -> str:
    """A frame as HTML: units in the heads, shares in per cent, at most MOST_ROWS rows."""
    left_out = ""
    shown = frame
    if len(frame) > MOST_ROWS:
        last = len(frame) - 1
        places = sorted({round(i * last / (SHOWN_ROWS - 1)) for i in range(SHOWN_ROWS)})
        shown = frame.iloc[places]
        left_out = paragraph(f"{len(shown)} of {len(frame)} rows; to_frame() has all.")
    heads = {name: _head(str(name)) for name in frame.columns}
    cells = {heads[name]: _cells(str(name), shown[name].tolist()) for name in frame.columns}
    made = type(frame)(cells, index=shown.index)
    return made.to_html(escape=True) + left_out


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and what is to be said of them, as an HTML table."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
        f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
        for name, text in pairs
    )
    return f"<table>{rows}</table>"


def _is_share(name: str) -> bool:
    return "burden" in name or name in ("demand", "share", "probability")


def _unit(name: str) -> str:
    if _is_share(name):
        return "% of GDP" if "burden" in name or name == "demand" else "%"
    if "usd_bn" in name or name.startswith("spending"):
        return "bn US$"
    return {
        "contribution": "effective bn US$",
        "security": "effective bn US$",
        "gdp": "bn US$",
    }.get(name, "")


def _head(name: str) -> str:
    unit = _unit(name)
    words = name.replace("_usd_bn", "").replace("usd_bn", "worth").replace("_", " ")
    return f"{words} ({unit})" if unit else words


def _cells(name: str, values: list[Any]) -> list[str]:
    numbers = [v for v in values if isinstance(v, float) and math.isfinite(v)]
    largest = max((abs(v) for v in numbers), default=0.0)
    if _is_share(name):
        style: Callable[[float], str] = lambda v: f"{100 * v:.2f}"  # noqa: E731
    elif "usd_bn" in name or name.startswith("spending"):
        places = 2 if largest >= 0.1 else 5
        style = lambda v: f"{v:,.{places}f}"  # noqa: E731
    else:
        style = "{:.4g}".format
    return [style(v) if isinstance(v, float) else str(v) for v in values]
