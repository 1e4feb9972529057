"""What is kept of a run: one row a figure, and its verdict against its target."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")


def rows(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of pytest-benchmark's JSON: seconds of one call (median and best), and the rate."""
    found = []
    for one in report["benchmarks"]:
        facts, stats = one["extra_info"], one["stats"]
        median = stats["median"]
        rate = facts["count"] / median
        reached = None
        if facts["most"] is not None:
            reached = median < facts["most"]
        elif facts["least"] is not None:
            reached = rate >= facts["least"]
        found.append(
            {
                "group": one["group"],
                **{key: facts[key] for key in ("item", "count", "unit", "most", "least")},
                "median": median,
                "best": stats["min"],
                "rounds": stats["rounds"],
                "rate": rate,
                "reached": reached,
                "note": facts["note"],
                "facts": facts["facts"],
            }
        )
    return found


def merged(old: Mapping[str, Any] | None, report: Mapping[str, Any]) -> dict[str, Any]:
    """A run's results; rows of an older run on the same machine stay unless measured again."""
    new = rows(report)
    machine = report["machine_info"]
    kept = []
    if old is not None and old["machine"]["processor"] == machine["processor"]:
        again = {(row["group"], row["item"]) for row in new}
        kept = [row for row in old["rows"] if (row["group"], row["item"]) not in again]
    return {
        "schema": 2,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": machine,
        "rows": [*kept, *new],
    }


def load(path: Path) -> dict[str, Any]:
    """Results as they were kept."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def save(results: Mapping[str, Any], path: Path) -> None:
    """Keep results, one row a line so that changes can be read."""
    head = {key: value for key, value in results.items() if key != "rows"}
    lines = ",\n".join("  " + json.dumps(row) for row in results["rows"])
    text = json.dumps(head, indent=1)[:-2] + ',\n "rows": [\n' + lines + "\n ]\n}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
