"""alliancegame verify: check saved results without any solver."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alliancegame.cli import inputs, output
from alliancegame.cli.codes import Exit

if TYPE_CHECKING:
    from alliancegame.verify import VerificationReport


def verify(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="RESULT.json...",
            help="Results that result.to_json(path, certificate=True) wrote.",
        ),
    ],
    payoffs: Annotated[
        bool,
        typer.Option("--payoffs", help="Write out the payoffs whose gains were bounded."),
    ] = False,
    json: inputs.Json = False,
) -> int:
    """Check saved results claim by claim, without any solver.

    Evaluates the terms of the model in interval arithmetic; imports no solver and no compiled kernel.
    Exit code 0 says that every claim of every file is accepted, 5 that one is refused, 6 that one is
    not checkable and none is refused.
    """
    from alliancegame.verify import verify as check

    reports = [check(path, payoffs=payoffs) for path in files]
    if json:
        rows = [{"file": str(f), **r.to_dict()} for f, r in zip(files, reports, strict=True)]
        output.write(jsonlib.dumps(rows, indent=2, allow_nan=False) + "\n")
    else:
        for path, report in zip(files, reports, strict=True):
            _print(path, report)
    statuses = {report.status for report in reports}
    if "refused" in statuses:
        return Exit.REFUSED
    return Exit.NOT_CHECKABLE if "not checkable" in statuses else Exit.DONE


def _print(path: Path, report: VerificationReport) -> None:
    output.print_title(f"{path}: {report.headline()}")
    output.print_facts(
        (f"{c.of} {c.claim}".strip(), output.headed(c.status, f": {c.detail}" if c.detail else ""))
        for c in report.claims
    )
    for of, players in report.payoffs.items():
        output.print_text()
        output.print_title(f"payoffs of {of}, by the own action; numbers rounded to six digits")
        output.print_facts((player, "\n".join(pieces)) for player, pieces in players.items())
    output.print_text()
