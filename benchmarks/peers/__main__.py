"""Compare with peers: `python -m benchmarks.peers [--quick] [--store NAME]`."""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
import sys
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.peers.games import bank
from benchmarks.peers.run import compare
from benchmarks.peers.table import as_text

OUT = Path("out/benchmarks/peers.json")
RESULTS = Path(__file__).with_name("results")


def main(arguments: list[str] | None = None) -> int:
    """Run all peers on all games and print the table; 1 if the library itself failed anywhere."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small games only")
    parser.add_argument("--out", type=Path, default=OUT, help=f"where the JSON goes ({OUT})")
    parser.add_argument(
        "--store", metavar="NAME", help="keep it as benchmarks/peers/results/NAME.json"
    )
    options = parser.parse_args(arguments)
    machine, rows = describe(), []
    for game in bank(options.quick):
        print(f"comparing on {game.name} ...", file=sys.stderr, flush=True)
        rows += [dataclasses.asdict(row) for row in compare(game)]
    results = {
        "schema": 1,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "quick": options.quick,
        "machine": machine,
        "rows": rows,
    }
    stored = [RESULTS / f"{options.store}.json"] if options.store else []
    for path in (options.out, *stored):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(as_text(rows))
    print(f"\nwritten to {options.out}")
    return int(any(r["peer"] == "alliancegame" and r["solved"] < r["tried"] for r in rows))


if __name__ == "__main__":
    raise SystemExit(main())
