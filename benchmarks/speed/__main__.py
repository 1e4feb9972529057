"""Run the speed suite: `python -m benchmarks.speed [--quick] [--store NAME] [ITEM …]`."""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.speed.items import ITEMS
from benchmarks.speed.machine import describe
from benchmarks.speed.table import as_text

OUT = Path("out/benchmarks/speed.json")
RESULTS = Path(__file__).with_name("results")


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, write the JSON; 1 if a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument(
        "items", nargs="*", metavar="ITEM", help=f"of {', '.join(ITEMS)} (default: all)"
    )
    parser.add_argument("--quick", action="store_true", help="few repetitions, no million allies")
    parser.add_argument("--out", type=Path, default=OUT, help=f"where the JSON goes ({OUT})")
    parser.add_argument(
        "--store", metavar="NAME", help="keep the JSON as benchmarks/speed/results/NAME.json"
    )
    options = parser.parse_args(arguments)
    for name in options.items:
        if name not in ITEMS:
            parser.error(f"there is no item {name!r}; there are: {', '.join(ITEMS)}")
    chosen = options.items or list(ITEMS)
    machine = describe()
    rows = []
    for name in chosen:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        rows += ITEMS[name](options.quick)
    results: dict[str, Any] = {
        "schema": 1,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "quick": options.quick,
        "machine": machine,
        "rows": [dataclasses.asdict(row) for row in rows],
    }
    stored = [RESULTS / f"{options.store}.json"] if options.store else []
    for path in (options.out, *stored):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(as_text(results))
    print(f"\nwritten to {options.out}")
    return int(any(row.reached is False for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
