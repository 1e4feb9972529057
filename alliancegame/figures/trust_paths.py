"""Pictures of trust over time: paths, policy and value, what is lost and won back, regimes, levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from alliancegame.errors import InvalidValueError
from alliancegame.figures.inputs import drawn_from, drawn_from_each
from alliancegame.figures.style import (
    BLUE,
    DOUBLE,
    FAINT,
    GREEN,
    GREY,
    INK,
    SMALL,
    VERMILLION,
    canvas,
    dress,
    mark,
    signed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from alliancegame.solve.dynamic.result import TrustPath
    from alliancegame.study.trust_regimes import TrustRegimes

REGIME_COLORS = ("#F2F2F2", "#BBD7EA", "#56B4E9", "#D55E00")
REGIME_NAMES = ("no threat", "threats that end", "threats for ever", "trust collapses")


@drawn_from_each("TrustPath", "ag.solve_trust_path(game)")
def trust_paths(paths: Mapping[str, TrustPath], *, height: float = 4.4) -> Figure:
    """Threat, trust, allied spending and the leader's payoff by period, a line for each path.

    The payoff is in bn US$ a year against never threatening in the first period. Raises
    `InvalidValueError` if there is no path.
    """
    if not paths:
        raise InvalidValueError("trust_paths needs at least one path.")
    figure, axes = canvas(DOUBLE, height, 2, 2)
    titles = (
        ("threat", "a  threat (mean over allies)"),
        ("operating_trust", "b  allies' mean trust"),
        ("allied_burden", "c  allied spending (% of GDP)"),
        ("gain", "d  leader against no threat (bn US$ a year)"),
    )
    for panel, (what, title) in zip(axes.ravel(), titles, strict=True):
        dress(panel, "period (years)", "", title)
        for k, (label, path) in enumerate(paths.items()):
            look = mark(k)
            panel.plot(
                np.arange(path.periods), _series(path, what), color=look.color, linestyle=look.dash,
                marker=look.shape, markersize=2.6, linewidth=1.1, label=label,
            )  # fmt: skip
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[1, 1].axhline(0, color=FAINT, linewidth=0.8, zorder=0)
    axes[0, 0].set_ylim(bottom=-0.02)
    words = [
        f"{label} ({signed(round(path.present_value_usd_bn, 4))} bn US$)"
        for label, path in paths.items()
    ]
    handles, _ = axes[0, 0].get_legend_handles_labels()
    figure.legend(
        handles, [w.replace("$", r"\$") for w in words], loc="outside lower center",
        ncols=min(len(paths), 3), fontsize=SMALL, frameon=False,
        title="present value of all periods against never threatening", title_fontsize=SMALL,
    )  # fmt: skip
    return figure


def _series(path: TrustPath, what: str) -> Any:
    if what == "gain":
        lead = path.game.members.leader_index
        gains = path.payoffs[:, lead] - path.never_first
        return np.array([path._money(float(gain)) for gain in gains])
    values = path.to_frame()[what].to_numpy()
    return 100 * values if what == "allied_burden" else values


@drawn_from("TrustPath", "ag.solve_trust_path(game)")
def trust_policy(path: TrustPath, *, height: float = 2.7) -> Figure:
    """The optimal threat and the value against trust, with the first periods' states.

    Raises `InvalidValueError` for a path without a policy in one state.
    """
    policy = path.policy
    if policy is None or policy.states.shape[1] != 1:
        raise InvalidValueError(
            'trust_policy needs a path of concept "markov" whose law has one state.'
        )
    figure, (left, right) = canvas(DOUBLE, height, 1, 2)
    trust = policy.states[:, 0]
    dress(left, "trust at the beginning of the period (1: full)", "threat", "a  optimal threat")
    title = "b  value against full trust (bn US$ a year)"
    dress(right, "trust at the beginning of the period (1: full)", "", title)
    left.plot(trust, policy.threats, color=BLUE, linewidth=1.3)
    worth = np.array(
        [path._money((1 - path.discount) * float(v - policy.values[-1])) for v in policy.values]
    )
    right.plot(trust, worth, color=BLUE, linewidth=1.3)
    shown = path.states[:12, 0]
    left.plot(shown, path.to_frame()["threat"].to_numpy()[:12], "o", color=VERMILLION, markersize=3)
    right.plot(shown, np.interp(shown, trust, worth), "o", color=VERMILLION, markersize=3)
    left.plot([], [], "o", color=VERMILLION, markersize=3, label="first 12 periods of the path")
    left.legend(loc="upper left", fontsize=SMALL, frameon=False)
    left.set_ylim(-0.02, max(1.25 * float(policy.threats.max()), 0.05))
    return figure


@drawn_from("TrustPath", "ag.solve_trust_path(game)")
def lost_and_won_back(path: TrustPath, *, height: float = 2.6) -> Figure:
    """By period, the share of the ceiling that the threat destroyed and that was won back.

    Raises `InvalidValueError` for a law with several states.
    """
    figure, axes = canvas(DOUBLE, height)
    dress(axes, "period (years)", "share of full trust", "")
    lead = path.game.members.leader_index
    trust = path.operating_trust[:, lead]
    before = path.states[:, 0]
    if path.states.shape[1] != 1:
        raise InvalidValueError("lost_and_won_back needs a law with one state.")
    scale = float(np.max(path.game.by_member("trust_ceiling")))
    after = trust / scale
    lost, won = before - after, np.append(before[1:] - after[:-1], np.nan)
    periods = np.arange(path.periods)
    axes.bar(periods, -lost, width=0.8, color=VERMILLION, label="lost to the threat")
    axes.bar(periods, won, width=0.8, color=GREEN, label="won back afterwards")
    axes.axhline(0, color=INK, linewidth=0.6)
    low, high = -np.nanmax(lost), np.nanmax(won)
    room = max(high, 1e-3) + 0.25 * (max(high, 1e-3) - low)
    axes.set_ylim(1.1 * min(low, -1e-3), room)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="upper right", fontsize=SMALL, frameon=False, ncols=2)
    return figure


def _named(names: tuple[str, str]) -> tuple[str, str]:
    """Two parameters with their units."""
    first, second = (f"{name} ({_UNITS.get(name, 'as in the model')})" for name in names)
    return first, second


_UNITS = {"decay": "log points", "discount": "per period", "recovery": "share per period"}


@drawn_from("TrustRegimes", "ag.trust_regimes(game, x, y)")
def trust_regime_map(
    found: TrustRegimes,
    *,
    assumed: float | None = None,
    measured: tuple[float, float] | None = None,
    height: float = 2.9,
) -> Figure:
    """Regimes over two parameters, and the first threat beside them.

    A cell of the map is a cell of the grid; nothing is interpolated. `assumed` is a value of the first
    parameter to be marked, `measured` a range of it, drawn as a bar above the map (an arrow where it
    goes beyond).
    """
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    figure, (left, right) = canvas(DOUBLE, height, 1, 2)
    x, y = found.axes
    for axes, title in ((left, "a  what the patient leader does"), (right, "b  first threat")):
        dress(axes, *_named(found.names), title)
    kinds = ListedColormap(REGIME_COLORS)
    norm = BoundaryNorm(np.arange(-0.5, 4.5), 4)
    shown = np.where(found.regimes >= 0, found.regimes, np.nan)
    left.pcolormesh(_edges(x), _edges(y), shown.T, cmap=kinds, norm=norm, linewidth=0)
    mesh = right.pcolormesh(
        _edges(x), _edges(y), found.first_threats.T, cmap="Blues", vmin=0, vmax=1, linewidth=0
    )
    for panel in (left, right):
        if min(len(x), len(y)) > 1:
            panel.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    for panel in (left, right):
        _marked(panel, assumed, measured)
    bar = figure.colorbar(mesh, ax=right)
    bar.ax.tick_params(labelsize=SMALL, labelcolor=INK)
    present = [k for k in range(4) if np.any(found.regimes == k)]
    patches = [
        Patch(facecolor=REGIME_COLORS[k], edgecolor=GREY, linewidth=0.4, label=REGIME_NAMES[k])
        for k in present
    ]
    if np.any((found.levels > 1) & np.isfinite(found.levels)):
        first, second = np.nonzero((found.levels > 1) & np.isfinite(found.levels))
        left.plot(x[first], y[second], "x", color=INK, markersize=4)
    figure.legend(handles=patches, loc="outside lower left", ncols=4, fontsize=SMALL, frameon=False)
    return figure


def _marked(panel: Axes, assumed: float | None, measured: tuple[float, float] | None) -> None:
    """The assumed value as a dashed line, the measured range as a bar at the top edge."""
    if assumed is not None:
        panel.axvline(assumed, color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
    if measured is None:
        return
    left, right = panel.get_xlim()
    low, high = max(measured[0], left), min(measured[1], right)
    if low >= high:
        return
    across = panel.get_xaxis_transform()
    panel.plot(
        [low, high], [0.97, 0.97], transform=across, color=INK, linewidth=2.2, solid_capstyle="butt"
    )
    for at, whole, shape in ((low, measured[0] >= left, "<"), (high, measured[1] <= right, ">")):
        kind = "|" if whole else shape
        panel.plot([at], [0.97], kind, transform=across, color=INK, markersize=5, clip_on=False)


def _edges(points: Any) -> Any:
    """Cell edges between points that need not be evenly spaced."""
    points = np.asarray(points, dtype=np.float64)
    if len(points) == 1:
        return np.array([points[0] - 0.5, points[0] + 0.5])
    middle = 0.5 * (points[1:] + points[:-1])
    return np.concatenate(
        [[points[0] - (middle[0] - points[0])], middle, [2 * points[-1] - middle[-1]]]
    )
