"""The comparison as a table, in text or Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

HEAD = ("game", "solver", "solved", "median", "times ours", "worst regret", "why the others failed")


def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """One row."""
    seconds, ratio, regret = row["seconds"], row["ratio"], row["worst_regret"]
    return (
        row["game"],
        row["peer"],
        f"{row['solved']} of {row['tried']}" if row["tried"] else "-",
        "-" if seconds is None else f"{1e3 * seconds:.3g} ms",
        "-" if ratio is None else f"{ratio:,.3g}",
        "-" if regret is None else f"{regret:.0e}",
        row["note"],
    )


def as_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Aligned columns, a blank line between games."""
    body = [HEAD, *(cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in body) for i in range(len(HEAD))]
    lines, last = [], ""
    for line in body:
        if last and line[0] != last:
            lines.append("")
        last = line[0]
        lines.append("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip())
    return "\n".join(lines)


def as_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The same as a Markdown table."""
    body = [HEAD, ("---",) * len(HEAD), *(cells(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in body)
