"""Run named sweeps: `python -m benchmarks.sweeps [--workers N] [NAME …]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from alliancegame.errors import AllianceGameError
from benchmarks.sweeps.run import OUT, run
from benchmarks.sweeps.schema import load, names


def main(arguments: list[str] | None = None) -> int:
    """Run the sweeps named (all by default); 1 if a file or a sweep is in error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweeps", description=__doc__)
    parser.add_argument("sweeps", nargs="*", metavar="NAME", help="names; all if none is given")
    parser.add_argument("--workers", type=int, default=1, help="processes on this machine (1)")
    parser.add_argument(
        "--out", type=Path, default=OUT, help=f"where stores and pictures go ({OUT})"
    )
    parser.add_argument(
        "--list", action="store_true", help="list the names and titles, run nothing"
    )
    options = parser.parse_args(arguments)
    try:
        chosen = [load(name) for name in options.sweeps or names()]
        for named in chosen:
            if options.list:
                print(f"{named.name}: {named.title}")
                continue
            done = run(named, options.out, options.workers)
            print(f"{named.name} ({done.seconds:.1f} s) {done.line}")
            for path in (done.store, *done.pictures):
                print(f"    {path}")
            sys.stdout.flush()
    except AllianceGameError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
