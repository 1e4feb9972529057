"""The README's example and what it prints: `python docs/scripts/readme.py` puts the one below the other."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent.parent / "README.md"
EXAMPLE = re.compile(
    r"^```python\n(?P<code>.*?)^```\n\n```text\n(?P<shown>.*?)^```$", re.MULTILINE | re.DOTALL
)


def example() -> tuple[str, str]:
    """The example's code, and the output that the README shows below it."""
    (found,) = EXAMPLE.finditer(FILE.read_text(encoding="utf-8"))
    return found["code"], found["shown"]


def printed(code: str) -> str:
    """What the code prints."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})  # noqa: S102
    return stream.getvalue()


def main() -> None:
    """Write what the example prints below it."""
    code, shown = example()
    now = printed(code)
    text = FILE.read_text(encoding="utf-8")
    FILE.write_text(text.replace(f"```text\n{shown}```", f"```text\n{now}```"), encoding="utf-8")
    print("unchanged" if now == shown else now)


if __name__ == "__main__":
    main()
