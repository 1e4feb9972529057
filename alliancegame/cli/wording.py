"""What the library says in Python, in the words of the command line."""

from __future__ import annotations

import re

OPTIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r" \(the default\)", ""),
        (r"allow_large=True", "--allow-large"),
        (r"allow_mixed=True", "--allow-mixed"),
        (r"\bn must be\b", "--draws must be"),
        (r"or method=\"([\w-]+)\"", r"or --method \1"),
        (r"\bmethod=\"([\w-]+)\"", r"--method \1"),
        (r"\bsolve=[\"']([\w-]+)[\"']", r"--solve \1"),
        (r"sweep\(game, over, ag\.Plan\(burden=([\d.]+)\)\)", r"--burden \1"),
        (r"sweep\(game, over, (--solve \w+)\)", r"\1"),
        (r"take \S+ out of over\b", "take it out of --over"),
        (r"\bin over\b", "in --over"),
        (r", with game\.replace\b", ", with --set"),
        (r"\buse game\.replace\b", "use --set"),
        (r"ag\.Plan\(threat=0\.5\)", "threat=0.5"),
        (r"Make the same call again and it goes on from there\.",
         "Give the same command again to go on."),
        (r"\b(consumption|influence_value|horizon|influence)=\"(\w+)\"", r"--set \1=\2"),
    )
)  # fmt: skip


def typed(message: str) -> str:
    """The message with options of the command line where it names arguments of Python."""
    for pattern, said in OPTIONS:
        message = pattern.sub(said, message)
    return message
