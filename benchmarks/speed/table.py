"""Results as a table for people, in text or Markdown; used by the documentation too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HEAD = ("", "median", "best", "target", "", "note")


def amount(value: float, unit: str) -> str:
    """A figure with its unit."""
    if unit == "ratio":
        return f"{value:.1f} x"
    if unit == "slope":
        return f"{value:.2f}"
    if value < 1e-3:
        return f"{value * 1e3:.3f} ms"
    return f"{value * 1e3:.1f} ms" if value < 0.1 else f"{value:.2f} s"


def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """One row of the table."""
    verdict = {None: "", True: "reached", False: "MISSED"}[row["reached"]]
    best = "" if row["best"] is None else amount(row["best"], row["unit"])
    return row["item"], amount(row["value"], row["unit"]), best, row["target"], verdict, row["note"]


def machine(found: Mapping[str, Any]) -> str:
    """The machine in one line."""
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    return (
        f"{found['processor']}, {found['cores']} cores, {found['memory_gb']} GB, {found['system']}, "
        f"Python {found['python']}, {packages}; load {found['load_before']} when the run began"
    )


def as_text(results: Mapping[str, Any]) -> str:
    """The whole run as aligned text."""
    rows = [HEAD, *(cells(row) for row in results["rows"])]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([machine(results["machine"]), "", *lines])


def as_markdown(results: Mapping[str, Any]) -> str:
    """The rows as a Markdown table."""
    head = ("what", "median", "best", "target", "", "note")
    body = [[cell.strip() for cell in cells(row)] for row in results["rows"]]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *body))
