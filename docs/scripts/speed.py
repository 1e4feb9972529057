"""The stored results of the speed suite, as the page shows them."""

from __future__ import annotations

import json

from page import Markdown

import benchmarks.speed.__main__ as suite
from benchmarks.speed.table import as_markdown, machine


def stored() -> Markdown:
    """Every stored run: the machine, and its table."""
    parts = []
    for path in sorted(suite.RESULTS.glob("*.json")):
        results = json.loads(path.read_text(encoding="utf-8"))
        parts.append(
            f"## {path.stem}\n\nRead on {results['date']} on: {machine(results['machine'])}.\n\n"
            + as_markdown(results)
        )
    return Markdown("\n\n".join(parts) or "No run is stored yet.")
