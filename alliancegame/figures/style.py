"""How every figure looks: sizes, colours, axes, and labels that keep out of each other's way.

Figures are made without pyplot and its global state, so they are cheap to import and safe in
threads. Colours are those of Okabe and Ito (jfly.uni-koeln.de/color), which colour-blind readers
tell apart; a second mark (shape, dash or text) always says the same as the colour.
"""

from __future__ import annotations

import dataclasses
import io
import textwrap
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patheffects import withStroke

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

    from alliancegame.game.parameters import Array

SINGLE, DOUBLE = 3.5, 7.1
"""Widths of one and of two columns of a journal page, inches."""

SMALL, NORMAL = 6.5, 7.5
"""Sizes of type, points: at these widths nothing is smaller than SMALL."""

BLACK, BLUE, VERMILLION, GREEN = "#000000", "#0072B2", "#D55E00", "#009E73"
ORANGE, SKY, PURPLE, YELLOW = "#E69F00", "#56B4E9", "#CC79A7", "#F0E442"
INK, GREY, FAINT = "#222222", "#6E6E6E", "#D9D9D9"

TINT = "#E8F1F8"

PNG_DPI = 200

GAPS = (6.5, 10.0, 15.0, 21.0, 28.0, 38.0, 50.0, 64.0, 80.0)
"""Distances from a point at which its label is tried, points."""
SIDES = ((1, 0), (0.7, 0.7), (0.7, -0.7), (-1, 0), (-0.7, 0.7), (-0.7, -0.7), (0, 1), (0, -1))
HINTING = 1.06
"""Type is a little wider at other resolutions than where it is measured."""
FAR = 2 * len(SIDES)
"""From the third distance on a thin line leads from the point to its label."""

Box = tuple[float, float, float, float]
"""Left, low, right, high."""


@dataclasses.dataclass(frozen=True)
class Mark:
    """How one plan looks wherever it is drawn."""

    color: str
    shape: str
    dash: Any


MARKS = (
    Mark(BLACK, "o", "solid"),
    Mark(BLUE, "s", (0, (6, 2))),
    Mark(ORANGE, "D", (0, (3, 1.5))),
    Mark(VERMILLION, "^", (0, (1.5, 1.2))),
    Mark(PURPLE, "v", (0, (6, 2, 1.5, 2))),
    Mark(GREEN, "P", (0, (3, 1.5, 1, 1.5, 1, 1.5))),
)
"""The status quo first, then plans in order; seven and more start again."""


def mark(index: int) -> Mark:
    """The mark of the plan at this place, the status quo being 0."""
    return MARKS[index] if index == 0 else MARKS[1 + (index - 1) % (len(MARKS) - 1)]


def canvas(
    width: float, height: float, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Figure, Any]:
    """A figure of this size in inches, and its axes: one, or an array of shape (rows, columns)."""
    figure = Figure((width, height), layout=ConstrainedLayoutEngine(w_pad=0.04, h_pad=0.04))
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, **options)


def plain(text: str) -> str:
    """Text from outside as it stands: two dollar signs must not make it a formula."""
    return text.replace("$", r"\$")


def dress(axes: Axes, xlabel: str = "", ylabel: str = "", title: str = "") -> None:
    """Thin axes on two sides, small type, units on the labels."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set(linewidth=0.6, color=INK)
    axes.tick_params(labelsize=SMALL, width=0.6, length=2.5, color=INK, labelcolor=INK)
    figure = axes.get_figure(root=True)
    inches = np.array(axes.get_position().size) * (figure.get_size_inches() if figure else 3.0)
    for label, put, length in (
        (xlabel, axes.set_xlabel, inches[0]),
        (ylabel, axes.set_ylabel, inches[1]),
    ):
        put(wrapped(plain(label), max(int(length * 20), 12)), fontsize=NORMAL, color=INK)
    if title:
        axes.set_title(plain(title), fontsize=NORMAL + 0.5, color=INK, loc="left")


def wrapped(text: str, width: int) -> str:
    """Text on lines of about one length, so that no word is left alone on the last."""
    lines = textwrap.wrap(text, width)
    if len(lines) < 2:
        return text
    for narrower in range(width - 1, 0, -1):
        tried = textwrap.wrap(text, narrower, break_long_words=False)
        if len(tried) > len(lines) or max(map(len, tried), default=0) > width:
            break
        lines = tried
    return "\n".join(lines)


def credit(figure: Figure, text: str) -> None:
    """A source line at the foot of a figure."""
    figure.supxlabel(text, x=0.01, ha="left", fontsize=SMALL - 0.5, color=GREY)


def signed(value: float) -> str:
    """A number with its sign and three digits, the minus a real one; what is only rounding is 0."""
    if abs(value) < 1e-12:
        return "0"
    return f"{value:+.3g}".replace("-", "−")


def settle(figure: Figure) -> None:
    """Lay the figure out once and keep the positions: later drawing is quicker and moves nothing."""
    if isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine):
        figure.draw_without_rendering()
        figure.set_layout_engine("none")


def place_labels(
    axes: Axes,
    points: Array,
    texts: Sequence[str],
    *,
    avoid: Array | None = None,
    kept_free: Sequence[Box] = (),
    size: float = NORMAL,
) -> list[Text]:
    """Write a label beside each point, clear of the others, of the points and of lines to avoid.

    `points` has shape (points, 2) and `avoid` (samples, 2), both in data coordinates; `kept_free`
    are boxes in fractions of the axes. Settles the figure's layout. Labels try places around their
    point, near ones first, and take the clearest; one that ends up far away gets a thin line.
    """
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes belong to no figure")
    settle(figure)
    scale = figure.dpi / 72
    at = axes.transData.transform(np.asarray(points, dtype=float).reshape(-1, 2))
    samples = np.asarray(() if avoid is None else avoid, dtype=float).reshape(-1, 2)
    lines = axes.transData.transform(samples)
    room = np.array(axes.get_window_extent().extents)
    corners = [axes.transAxes.transform(np.reshape(box, (2, 2))).ravel() for box in kept_free]
    to_data = axes.transData.inverted()
    made = []
    for (x, y), text in zip(at, texts, strict=True):
        label = axes.text(
            0, 0, plain(text), fontsize=size, color=INK, va="bottom", ha="left", zorder=6,
            path_effects=[withStroke(linewidth=2.2, foreground="white")],
        )  # fmt: skip
        width, height = HINTING * np.array(label.get_window_extent().size)
        boxes = _candidates(x, y, width, height, scale)
        costs = [
            _crowding(box, at, lines, corners, room, scale) + 0.1 * k for k, box in enumerate(boxes)
        ]
        k = int(np.argmin(costs))
        left, low = to_data.transform(boxes[k][:2])
        label.set_position((float(left), float(low)))
        if k >= FAR:
            near = np.clip((x, y), boxes[k][:2], boxes[k][2:])
            (x0, y0), (x1, y1) = to_data.transform([(x, y), near])
            axes.plot([x0, x1], [y0, y1], color=GREY, linewidth=0.5, zorder=4)
        corners.append(boxes[k])
        made.append(label)
    return made


def _candidates(x: float, y: float, width: float, height: float, scale: float) -> list[Array]:
    """Boxes (x0, y0, x1, y1) around a point in pixels, at growing distances."""
    boxes = []
    for gap in GAPS:
        for dx, dy in SIDES:
            left = x + dx * gap * scale - width * (1 - np.sign(dx)) / 2
            low = y + dy * gap * scale - height * (1 - np.sign(dy)) / 2
            boxes.append(np.array([left, low, left + width, low + height]))
    return boxes


def _crowding(
    box: Array, points: Array, lines: Array, taken: Sequence[Array], room: Array, scale: float
) -> float:
    """How badly a box sits: points or lines under it, other labels, parts outside the axes."""
    cost = 20.0 * _inside(points, box, 4.0 * scale)
    cost += min(_inside(lines, box, 1.5 * scale), 20)
    pad = 1.5 * scale
    for other in taken:
        wide = min(box[2], other[2]) - max(box[0], other[0]) + pad
        high = min(box[3], other[3]) - max(box[1], other[1]) + pad
        cost += 200.0 if wide > 0 and high > 0 else 0.0
    outside = box[0] < room[0] or box[1] < room[1] or box[2] > room[2] or box[3] > room[3]
    return cost + (100.0 if outside else 0.0)


def _inside(spots: Array, box: Array, pad: float) -> int:
    """How many spots lie in a box made larger by a margin."""
    return int(((spots > box[:2] - pad) & (spots < box[2:] + pad)).all(axis=1).sum())


def spread(positions: Array, gap: float, low: float, high: float) -> Array:
    """Positions moved apart until neighbours are `gap` away, within bounds; shape (positions,)."""
    order = np.argsort(positions, kind="stable")
    room = high - low
    gap = min(gap, room / max(len(positions) - 1, 1))
    placed = np.array(positions, dtype=float)
    floor = low
    for i in order:
        placed[i] = max(placed[i], floor)
        floor = placed[i] + gap
    ceiling = high
    for i in order[::-1]:
        placed[i] = min(placed[i], ceiling)
        ceiling = placed[i] - gap
    return placed


_SAVING = threading.Lock()

TRUETYPE, TYPE3 = 42, 3
"""Fonts in PDF files: what journals' checks accept, and what is embedded in half the time."""


def rendered(figure: Figure, kind: str, dpi: int = PNG_DPI, *, pdf_fonts: int = TRUETYPE) -> bytes:
    """The figure as the bytes of a file: "png", "pdf" or "svg", the same every time.

    The canvas is asked directly: `savefig` would draw everything twice.
    """
    settings: dict[Any, Any] = {"pdf.fonttype": pdf_fonts, "svg.hashsalt": "alliancegame"}
    settle(figure)
    stream, before = io.BytesIO(), figure.dpi
    with _SAVING, mpl.rc_context(settings):
        try:
            _print(figure, kind, dpi, stream)
        finally:
            figure.dpi = before
            FigureCanvasAgg(figure)
    return stream.getvalue()


def _print(figure: Figure, kind: str, dpi: int, stream: io.BytesIO) -> None:
    canvas: Any
    if kind == "png":
        figure.dpi = dpi
        canvas = FigureCanvasAgg(figure)
        canvas.print_png(stream, metadata={"Software": None})
    elif kind == "pdf":
        from matplotlib.backends.backend_pdf import FigureCanvasPdf

        canvas = FigureCanvasPdf(figure)
        canvas.print_pdf(stream, metadata={"CreationDate": None})
    elif kind == "svg":
        from matplotlib.backends.backend_svg import FigureCanvasSVG

        canvas = FigureCanvasSVG(figure)
        canvas.print_svg(stream, metadata={"Date": None})
    else:
        raise ValueError(f'kind must be "png", "pdf" or "svg", got {kind!r}.')
