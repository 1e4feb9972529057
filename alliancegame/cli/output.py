"""What is printed: tables and facts on the standard output, everything else on the standard error.

rich is imported when the first table is made. Tables keep whole labels and numbers: what does not
fit into the terminal is left out by column, and named, rather than cut.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table
    from rich.text import Text

STYLES = {
    "certified": "green", "approximate": "yellow", "unverified": "bold red",
    "success": "green", "windfall": "green", "futile": "red", "backfire": "red",
    "accepted": "green", "refused": "bold red", "not checkable": "yellow",
}  # fmt: skip
"""Colours of verdicts and outcomes; the words say it all without them."""

NO_NUMBER = "-"


# --- Streams -------------------------------------------------------------------------------------


def write(text: str) -> None:
    """Write to the standard output; characters that it cannot show become question marks."""
    _tolerant(_standard_output()).write(text)


def error(message: str) -> None:
    """One message on the standard error."""
    _say(f"error: {message}", "bold red")


def note(message: str) -> None:
    """A remark on the standard error."""
    _say(message, "yellow")


def _say(message: str, style: str) -> None:
    if sys.stderr is None:  # closed by the caller (2>&-)
        return
    with contextlib.suppress(OSError):  # nobody is listening, and there is nobody to tell
        if sys.stderr.isatty():
            console(sys.stderr).print(message, style=style)
        else:
            _tolerant(sys.stderr).write(message + "\n")
            sys.stderr.flush()


def _standard_output() -> TextIO:
    if sys.stdout is None:
        raise OSError("the standard output is closed")
    return sys.stdout


def _tolerant(stream: TextIO) -> TextIO:
    if (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "") != "utf8":
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[attr-defined]
    return stream


def drop_pending() -> None:
    """Let text that cannot be written vanish, so that it is not tried again when the program ends."""
    try:
        _standard_output().flush()
    except OSError:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def console(stream: TextIO | None = None) -> Console:
    """A rich console that prints what it is given: no markup, no guessing at numbers."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    file = _tolerant(_standard_output() if stream is None else stream)
    return Plain(file=file, markup=False, emoji=False, highlight=False, soft_wrap=False)


# --- Numbers -------------------------------------------------------------------------------------


def fixed(values: Iterable[float], digits: int = 5, *, signed: bool = False) -> list[str]:
    """Numbers of one column with the same decimals, enough to show `digits` of the largest."""
    column = [float(v) for v in values]
    largest = max((abs(v) for v in column if math.isfinite(v)), default=0.0)
    before = math.floor(math.log10(largest)) + 1 if largest > 0 else 1
    places = min(max(digits - before, 0), 8)
    return [_number(v, f"{'+' if signed else ''},.{places}f") for v in column]


def percent(values: Iterable[float], places: int = 2, *, signed: bool = False) -> list[str]:
    """Shares as per cent."""
    return [_number(100 * float(v), f"{'+' if signed else ''}.{places}f") for v in values]


def short(value: float, *, signed: bool = False) -> str:
    """One number by itself, to three digits."""
    return _number(float(value), "+.3g" if signed else ".3g")


def rounded(difference: float) -> float:
    """A payoff difference as it is to be printed: what only rounding makes is 0."""
    from alliancegame.study import outcomes

    return outcomes.rounded(difference)


def share(value: float) -> str:
    """One share as per cent, with its sign."""
    text = percent([value])[0]
    return text if text == NO_NUMBER else f"{text} %"


def _number(value: float, style: str) -> str:
    if math.isnan(value):
        return NO_NUMBER
    text = format(value, style)
    # What rounds to zero has no sign.
    return text.lstrip("+-") if not text.strip("+-0.,") else text


# --- Tables --------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of text; those with the largest `drop` are left out first where room is short."""

    header: str
    cells: Sequence[str]
    drop: int = 0
    left: bool = False


def print_table(
    columns: Sequence[Column], *, bold: Sequence[int] = (), footer: int = 0, colour: bool = False
) -> None:
    """Print columns side by side; the last `footer` rows stand under a line.

    `bold` rows stand out; with `colour`, cells that are verdicts or outcomes have their colour.
    """
    from rich.measure import Measurement

    target = console()
    kept = list(columns)
    roomy = target.options.update(max_width=10**4)
    while True:
        made = _table(kept, bold, footer, colour)
        needed = Measurement.get(target, roomy, made).maximum
        spare = max(kept, key=lambda column: column.drop)
        if needed <= target.width or not spare.drop:
            break
        kept.remove(spare)
    room, target.width = target.width, max(needed, target.width)
    _print(target, made)
    target.width = room
    left_out = [_one_line(c.header) for c in columns if c not in kept]
    if left_out:
        _print(target, f"(no room for: {'; '.join(left_out)})", style="dim")


def _one_line(header: str) -> str:
    return header.replace("-\n", "").replace("\n", " ").strip()


def _table(columns: Sequence[Column], bold: Sequence[int], footer: int, colour: bool) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    lines = box.Box("    \n    \n ── \n    \n ── \n    \n    \n    \n")
    made = Table(box=lines, show_edge=False, pad_edge=False, padding=(0, 0, 0, 1))
    for column in columns:
        side: Any = "left" if column.left else "right"
        made.add_column(Text(column.header), justify=side, vertical="bottom", no_wrap=True)
    rows = len(columns[0].cells)
    for i in range(rows):
        if footer and i == rows - footer:
            made.add_section()
        cells = [column.cells[i] for column in columns]
        made.add_row(
            *(Text(cell, style=STYLES.get(cell, "") if colour else "") for cell in cells),
            style="bold" if i in bold else None,
        )
    return made


def print_facts(facts: Iterable[tuple[str, str | Text]]) -> None:
    """Print names and what is to be said of them, side by side."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in facts:
        grid.add_row(Text(name, style="dim"), text if isinstance(text, Text) else Text(text))
    _print(console(), grid)


def headed(word: str, rest: str) -> Text:
    """A verdict or outcome in its colour, and the rest of the sentence."""
    from rich.text import Text

    return Text.assemble((word, STYLES.get(word, "") or "bold"), rest)


def print_title(text: str) -> None:
    """The first line of an answer, and a blank one."""
    _print(console(), f"{text}\n", style="bold")


def print_text(text: str = "") -> None:
    """A paragraph."""
    _print(console(), text)


def _print(target: Console, what: Any, **options: Any) -> None:
    """Print without the blanks with which rich fills lines."""
    with target.capture() as captured:
        target.print(what, **options)
    write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def write_json(value: Any) -> None:
    """Strict JSON and nothing else."""
    import json

    from alliancegame.solve.result import jsonable

    write(json.dumps(jsonable(value), indent=2, allow_nan=False) + "\n")


# --- What takes time -----------------------------------------------------------------------------


class Working(logging.Handler):
    """Shows on the standard error what is being done while it lasts.

    In a terminal it is one line with a clock, which vanishes; elsewhere a plain line for each step.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._bar: Progress | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Show a log record of the library, such as kernels being compiled."""
        self.say(record.getMessage().partition("\n")[0])

    def say(self, what: object, *_more: object) -> None:
        """Show a step."""
        if sys.stderr is None:
            return
        target = console(sys.stderr)
        if not target.is_terminal or target.is_dumb_terminal:
            note(
                f"{what} (some ten seconds) ..."
                if str(what).startswith("Compiling")
                else f"{what} ..."
            )
            return
        if self._bar is None:
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                TimeElapsedColumn(),
                console=target,
                transient=True,
            )
            self._bar.add_task(str(what), total=None)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], description=str(what))

    def stop(self) -> None:
        """Remove the line."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


@contextlib.contextmanager
def working() -> Iterator[Working]:
    """Show what the library logs, and what is said to it, while the block runs."""
    logger = logging.getLogger("alliancegame")
    shown, level = Working(), logger.level
    logger.addHandler(shown)
    logger.setLevel(logging.INFO)
    try:
        yield shown
    finally:
        shown.stop()
        logger.removeHandler(shown)
        logger.setLevel(level)
