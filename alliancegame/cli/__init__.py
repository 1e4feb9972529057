"""The command line: a thin user of the public names; `alliancegame --help` lists the commands.

Nothing slow is imported until a command needs it: help and the list of models stay quick.
"""

from __future__ import annotations

import sys


def main() -> None:
    """The console script `alliancegame`."""
    try:
        from alliancegame.cli.app import app

        app(prog_name="alliancegame")
    except KeyboardInterrupt:  # before or after the command itself, which has its own message
        sys.exit(130)
