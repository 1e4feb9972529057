"""Make the CSV files beside this script from the folder of the full tables.

Usage: python models/data/extract.py FOLDER [--check]

FOLDER holds nato_defence_expenditure.csv (NATO, long format), military_expenditure_panel.csv
(SIPRI), alliances.csv and us_confidence.csv; README.md in this folder says what each is and what
may be shipped. With --check nothing is written; the exit code is 1 if a shipped file differs.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
YEAR = "2024"
EXPENDITURE, GDP = "defexp_usd_current_mn", "gdp_usd_current_mn"
AGGREGATES = ("XNE", "XNT")
PACIFIC_ALLIES = ("AUS", "JPN", "KOR", "PHL")
OUTSIDE_NATO = ("CHN", "IND", "ISR", "RUS", "UKR", *PACIFIC_ALLIES)
BIG_SPENDER_USD_BN = 30.0
FIRST_VIEWS = 2013

Row = dict[str, str]


def read(path: Path) -> list[Row]:
    """Rows of a CSV file, as text."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def nato(folder: Path) -> list[Row]:
    """NATO's current-price expenditure and GDP, one row for each member and year."""
    rows: dict[tuple[str, str], Row] = {}
    for cell in read(folder / "nato_defence_expenditure.csv"):
        if cell["variable"] not in (EXPENDITURE, GDP):
            continue
        row = rows.setdefault(
            (cell["iso3"], cell["year"]),
            {"iso3": cell["iso3"], "country": cell["country"], "year": cell["year"]}
            | {EXPENDITURE: "", GDP: "", "is_estimate": cell["is_estimate"], "nato_table": ""}
            | {"edition": cell["edition"]},
        )
        row[cell["variable"]] = cell["value"]
        tables = {*filter(None, row["nato_table"].split("; ")), cell["nato_table"]}
        row["nato_table"] = "; ".join(sorted(tables))
    return [rows[key] for key in sorted(rows)]


def sipri(folder: Path) -> dict[str, Row]:
    """SIPRI's figures for 2024, by ISO code."""
    panel = read(folder / "military_expenditure_panel.csv")
    return {row["iso3"]: row for row in panel if row["year"] == YEAR}


def pacific_allies(folder: Path) -> list[Row]:
    """SIPRI's figures for the four allies of the United States outside NATO."""
    panel = sipri(folder)
    columns = ("iso3", "country", "year", "milex_usd_bn", "milex_pct_gdp", "gdp_usd_bn_implied")
    return [
        {name: panel[code][name] for name in columns} | {"sipri_flag": panel[code]["sipri_flag"]}
        for code in PACIFIC_ALLIES
    ]


def big_spenders(folder: Path) -> list[Row]:
    """States that spent 30 bn US$ or more: NATO's figure for its members, else SIPRI's."""
    found = [
        {
            "iso3": row["iso3"],
            "country": row["country"],
            "year": YEAR,
            "spending_usd_bn": f"{float(row[EXPENDITURE]) / 1000:.6g}",
            "pct_gdp": f"{100 * float(row[EXPENDITURE]) / float(row[GDP]):.4g}",
            "source": "NATO",
            "is_estimate": row["is_estimate"],
        }
        for row in nato(folder)
        if row["year"] == YEAR and row[EXPENDITURE] and row["iso3"] not in AGGREGATES
    ]
    panel = sipri(folder)
    found += [
        {
            "iso3": code,
            "country": panel[code]["country"],
            "year": YEAR,
            "spending_usd_bn": panel[code]["milex_usd_bn"],
            "pct_gdp": f"{float(panel[code]['milex_pct_gdp']):.4g}",
            "source": "SIPRI",
            "is_estimate": str(int(panel[code]["sipri_flag"] != "")),
        }
        for code in OUTSIDE_NATO
    ]
    big = [row for row in found if float(row["spending_usd_bn"]) >= BIG_SPENDER_USD_BN]
    return sorted(big, key=lambda row: -float(row["spending_usd_bn"]))


def distance_to_russia(folder: Path) -> list[Row]:
    """Kilometres from each NATO ally with forces to Russia."""
    with_forces = {
        row["iso3"] for row in nato(folder) if row["year"] == YEAR and row[EXPENDITURE]
    } - {*AGGREGATES, "USA"}
    columns = ("iso3", "country", "min_border_km_russia", "capital_km_moscow")
    return [
        {name: row[name] for name in columns}
        for row in read(folder / "alliances.csv")
        if row["iso3"] in with_forces
    ]


def us_confidence(folder: Path) -> list[Row]:
    """Views of the United States among its allies from 2013 on, per cent of adults asked."""
    wanted = {row["iso3"] for row in nato(folder)} - {*AGGREGATES, "USA"} | {*PACIFIC_ALLIES}
    measures = ("confidence_us_president_pct", "favorable_us_pct")
    columns = (
        "iso3",
        "country",
        "year",
        "measure",
        "percent",
        "us_president",
        "provenance",
        "source",
    )
    rows = [
        {name: row[name] for name in columns}
        for row in read(folder / "us_confidence.csv")
        if row["iso3"] in wanted and row["measure"] in measures and int(row["year"]) >= FIRST_VIEWS
    ]
    return sorted(rows, key=lambda row: (row["measure"], row["iso3"], row["year"]))


FILES = {
    "nato_defence_expenditure.csv": nato,
    "pacific_allies_2024.csv": pacific_allies,
    "big_spenders_2024.csv": big_spenders,
    "distance_to_russia.csv": distance_to_russia,
    "us_confidence.csv": us_confidence,
}


def as_csv(rows: list[Row]) -> str:
    """Write rows as CSV text with one header line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def main(arguments: list[str] | None = None) -> int:
    """Write (or check) every file; the exit code says whether a checked file differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="the folder of the full tables")
    parser.add_argument("--check", action="store_true", help="write nothing; compare")
    options = parser.parse_args(arguments)
    differing = []
    for name, make in FILES.items():
        text, path = as_csv(make(options.folder)), HERE / name
        if options.check:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                differing.append(name)
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{name}: {text.count(chr(10)) - 1} rows")
    if differing:
        print("differ from the full tables: " + ", ".join(differing))
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
