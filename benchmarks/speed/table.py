"""Results as tables for people, in text or Markdown; used by the documentation too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

HEAD = ("", "median", "rate", "target", "", "note")


def amount(seconds: float) -> str:
    """A time with its unit, three figures."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def rounded(value: float) -> str:
    """A rate to three figures, thousands parted."""
    digits = max(0, 3 - len(f"{value:.0f}")) if value < 100 else 0
    scale = 10 ** max(0, len(f"{value:.0f}") - 3)
    return f"{round(value / scale) * scale:,.{digits}f}" if value >= 1 else f"{value:.3g}"


def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """One row of the table; of many pieces in one call, the time of one."""
    verdict = {None: "", True: "reached", False: "MISSED"}[row["reached"]]
    target = ""
    if row["most"] is not None:
        target = f"< {amount(row['most'])}"
    elif row["least"] is not None:
        target = f"{row['least']:,} {row['unit']}/s"
    several = row["count"] > 1
    rate = f"{rounded(row['rate'])} {row['unit']}/s" if several else ""
    note = row["note"]
    if "total_gib" in row["facts"]:
        facts = row["facts"]
        note = f"peak {facts['total_gib']:.2f} GiB ({facts['before_gib']:.2f} before it began)"
        target = f"< {facts['bound_gib']:g} GiB" if row["count"] == 10_000_000 else ""
        verdict = (
            ("reached" if facts["total_gib"] < facts["bound_gib"] else "MISSED") if target else ""
        )
    return row["item"], amount(row["median"] / row["count"]), rate, target, verdict, note


def machine(found: Mapping[str, Any]) -> str:
    """The machine in one line."""
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    return (
        f"{found['processor']}, {found['cores']} cores, {found['memory_gb']} GB, {found['system']}, "
        f"Python {found['python']}, {packages}; load {found['load_before']} when the run began"
    )


def groups(results: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """Rows by group, in the order in which they come."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in results["rows"]:
        found.setdefault(row["group"], []).append(row)
    return found


def as_text(results: Mapping[str, Any]) -> str:
    """The whole run as aligned text."""
    lines = [machine(results["machine"])]
    for group, rows in groups(results).items():
        body = [(group, *HEAD[1:]), *(cells(row) for row in rows)]
        widths = [max(len(line[i]) for line in body) for i in range(len(HEAD))]
        lines.append("")
        lines += [
            "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip()
            for line in body
        ]
    return "\n".join(lines)


def as_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows of a group as a Markdown table."""
    head = ("what", *HEAD[1:])
    body = [head, ("---",) * len(head), *(cells(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in body)
