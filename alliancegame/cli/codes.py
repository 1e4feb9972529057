"""Exit codes; `alliancegame --help` lists them."""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """What the exit code of a command says."""

    DONE = 0
    BAD_INPUT = 1
    USAGE = 2
    NOT_CERTIFIED = 3
    NO_SOLUTION = 4
    REFUSED = 5
    NOT_CHECKABLE = 6
    INTERNAL = 70
    INTERRUPTED = 130
    PIPE = 141
