"""Run the speed suite: `python -m benchmarks.speed [--quick] [--store NAME] [PART …]`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.speed.results import RESULTS, load, merged, save
from benchmarks.speed.table import as_text

HERE = Path(__file__).resolve().parent
PARTS = tuple(sorted(path.stem.removeprefix("test_") for path in HERE.glob("test_*.py")))
OUT = Path("out/benchmarks/speed.json")


def main(arguments: list[str] | None = None) -> int:
    """Measure by pytest-benchmark, print the table, keep the JSON; 1 if a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)"
    )
    parser.add_argument("--quick", action="store_true", help="few repetitions, no millions")
    parser.add_argument("-k", dest="keyword", help="pytest's -k: tests by words in their names")
    parser.add_argument("--out", type=Path, default=OUT, help=f"where the JSON goes ({OUT})")
    parser.add_argument(
        "--store", metavar="NAME",
        help="keep it in benchmarks/speed/results/NAME.json; what was not measured again stays there",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"there is no part {part!r}; there are: {', '.join(PARTS)}")
    files = [str(HERE / f"test_{part}.py") for part in options.parts or PARTS]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pytest", "-c", str(HERE / "pytest.ini"), *files]
        command += [f"--benchmark-json={report}", "--benchmark-quiet"]
        command += ["--quick"] if options.quick else []
        command += ["-k", options.keyword] if options.keyword else []
        code = subprocess.run(command, check=False).returncode
        if not report.exists() or not report.stat().st_size:
            return code or 1
        found = json.loads(report.read_text(encoding="utf-8"))
    stored = RESULTS / f"{options.store}.json" if options.store else None
    if stored is not None:
        save(merged(load(stored) if stored.exists() else None, found), stored)
    results = merged(None, found)
    save(results, options.out)
    print(as_text(results))
    print(f"\nwritten to {options.out}")
    return code or int(any(row["reached"] is False for row in results["rows"]))


if __name__ == "__main__":
    raise SystemExit(main())
