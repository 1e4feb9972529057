"""The command line's own help, as the pages show it."""

from __future__ import annotations

from page import Markdown
from typer.main import get_command
from typer.testing import CliRunner

from alliancegame.cli.app import app

PLAIN = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "96", "TERMINAL_WIDTH": "96"}


def usage() -> Markdown:
    """The help of the program and of each command."""
    names = list(get_command(app).commands)  # type: ignore[attr-defined]
    return Markdown("\n\n".join(_help(*name) for name in ((), *((name,) for name in names))))


def _help(*command: str) -> str:
    runner = CliRunner(env=PLAIN)
    text = runner.invoke(app, [*command, "--help"], prog_name="alliancegame").output
    lines = "\n".join(line.rstrip() for line in text.strip("\n").splitlines())
    title = " ".join(("alliancegame", *command))
    return f"## `{title}`\n\n```text\n{lines}\n```"
