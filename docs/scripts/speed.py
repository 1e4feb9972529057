"""The stored results of the benchmarks, as the page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from page import Markdown, table

import benchmarks.peers.__main__ as peers
from alliancegame.figures.style import (
    BLACK,
    BLUE,
    DOUBLE,
    GREY,
    INK,
    NORMAL,
    SMALL,
    VERMILLION,
    canvas,
    dress,
)
from benchmarks.peers.table import as_markdown as peers_table
from benchmarks.speed.results import RESULTS, load
from benchmarks.speed.table import amount, as_markdown, groups, machine, rounded

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = Mapping[str, Any]


def run() -> dict[str, Any]:
    """The first stored run."""
    return load(min(RESULTS.glob("*.json")))


def where() -> Markdown:
    """The machine of the run."""
    found = run()
    return Markdown(f"Read on {found['date']} on: {machine(found['machine'])}.")


def tables(*names: str) -> Markdown:
    """Tables of groups whose names begin so."""
    parts = [
        f"**{group}**\n\n{as_markdown(rows)}"
        for group, rows in groups(run()).items()
        if group.startswith(names)
    ]
    return Markdown("\n\n".join(parts) or "Not measured yet.")


def targets() -> Markdown:
    """Every figure that has a target."""
    rows = [row for row in run()["rows"] if row["reached"] is not None]
    rows += [
        row for row in run()["rows"] if row["facts"].get("total_gib") and row["count"] == 10**7
    ]
    return Markdown(as_markdown(rows))


def against_peers() -> Markdown:
    """The comparison with other solvers."""
    stored = sorted(peers.RESULTS.glob("*.json"))
    return Markdown(peers_table(load(stored[0])["rows"]) if stored else "Not measured yet.")


def _group(name: str) -> Sequence[Row]:
    return [row for row in run()["rows"] if row["group"].startswith(name)]


def throughputs() -> Figure:
    """Rates against their targets."""
    chosen = [
        row
        for name in ("Responses with certificate", "Responses with a search", "Cells with")
        for row in _group(name)
        if row["facts"].get("question", "respond").startswith("respond")
    ]
    figure, axes = canvas(DOUBLE, 0.6 + 0.19 * len(chosen))
    dress(axes)
    goals = {"Responses with c": 800_000, "Responses with a": 250_000}
    for place, row in enumerate(reversed(chosen)):
        two = row["facts"]["threads"] == 2
        axes.barh(place, row["rate"] / 1e3, color=BLUE if two else "#BBD5E8", height=0.7)
        searched = "search" in row["group"] or "search" in row["item"]
        goal = goals["Responses with a"] if searched else goals["Responses with c"]
        if two:
            axes.plot(
                [goal / 1e3] * 2, [place - 0.45, place + 0.45], color=VERMILLION, linewidth=1.6
            )
    kind = {
        "Responses with certificate": "certified",
        "Responses with a": "searched",
        "Cells": "cells",
    }
    for colour, words in (("#BBD5E8", "1 thread"), (BLUE, "2 threads")):
        axes.barh([0], [0], color=colour, label=words)
    axes.plot([], [], color=VERMILLION, linewidth=1.6, label="target on two cores")
    axes.legend(fontsize=SMALL, frameon=False, labelcolor=INK, loc="lower right")
    names = [
        next(word for start, word in kind.items() if row["group"].startswith(start))
        + f": {row['item'].rpartition(',')[0]}"
        for row in reversed(chosen)
    ]
    shown = [name if k % 2 == 0 else "" for k, name in enumerate(names)]  # A name for each pair.
    axes.set_yticks(range(len(names)), shown, fontsize=SMALL - 0.5)
    axes.set_ylim(-0.7, len(names) - 0.3)
    figure.get_layout_engine().set(rect=(0.02, 0, 0.98, 1))
    axes.set_xlabel("thousand answers a second", fontsize=NORMAL, color=INK)
    return figure


def growth() -> Figure:
    """Time against members and against scenarios, both logarithmic."""
    figure, axes = _two_panels()
    colours = dict(
        zip(
            ("respond", "solve_nash", "certify", "compare", "solve_stackelberg", "calibrate"),
            (BLUE, VERMILLION, "#009E73", "#CC79A7", BLACK, GREY),
            strict=True,
        )
    )
    for solver, colour in colours.items():
        rows = [r for r in _group("Growth with members") if r["facts"]["solver"] == solver]
        x, y = [r["facts"]["size"] for r in rows], [r["median"] for r in rows]
        axes[0].loglog(x, y, "o-", color=colour, markersize=3, linewidth=1, label=solver)
    for layer, colour in (("solve_plans", BLUE), ("solve_cells", VERMILLION)):
        rows = [r for r in _group("Growth with scenarios") if r["facts"]["layer"] == layer]
        x, y = [r["facts"]["scenarios"] for r in rows], [r["median"] for r in rows]
        axes[1].loglog(x, y, "o-", color=colour, markersize=3, linewidth=1, label=layer)
    for one, label in zip(axes, ("allies", "scenarios of nato-2024"), strict=True):
        one.set_xlabel(label, fontsize=NORMAL, color=INK)
        one.set_ylabel("seconds a call", fontsize=NORMAL, color=INK)
        one.legend(fontsize=SMALL, frameon=False, labelcolor=INK)
    return figure


def _two_panels() -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(DOUBLE, 3.2), layout="constrained")
    axes = figure.subplots(1, 2)
    for one in axes:
        dress(one)
    return figure, axes


# --- where the time goes --------------------------------------------------------------------------


def _nano(row: Row) -> float:
    return 1e9 * row["median"] / row["count"]


def _anatomy() -> dict[str, float]:
    """Nanoseconds: phases, costs of operations, and what whole responses take."""
    found = {row["item"]: _nano(row) for row in _group("Phases") + _group("What the processor")}
    whole = {
        (row["facts"]["order"], row["facts"]["start"]): row
        for row in _group("Responses with certificate")
        if row["facts"]["threads"] == 1 and row["facts"]["demand"] == 0.05
    }
    warm, cold = whole["ordered", "warm"], whole["ordered", "cold"]
    found["warm"], found["cold"] = _nano(warm), _nano(cold)
    found["warm steps"], found["cold steps"] = warm["facts"]["steps"], cold["facts"]["steps"]
    return found


def phases() -> Markdown:
    """The phases of a response, and what is left."""
    a = _anatomy()
    names = [name for name in a if name.startswith("step: ")]
    often = {"lay": "where parameters change", "start": "cold starts", "step": "every evaluation"}
    rows = [
        (name, f"{a[name]:.0f}", often.get(name.partition(":")[0], "once"), "alone")
        for name in (row["item"] for row in _group("Phases"))
    ]
    # A response evaluates the conditions once more than it steps: the last evaluation is the proof.
    step = (a["cold"] - a["warm"]) / (a["cold steps"] - a["warm steps"])
    sums = step - sum(a[name] for name in names)
    once = a["press: trust and the plan"] + a["the leader's payoff (logarithms)"]
    evaluation = step - a["step: advance (burdens)"]
    rest = a["warm"] - once - a["warm steps"] * step - evaluation
    rows += [
        ("step: sums over allies and the 2 x 2 system", f"{sums:.0f}", often["step"], "difference"),
        ("**a Newton step**", f"**{step:.0f}**", "", "from cold and warm responses"),
        ("packing, scenario in, answer out", f"{rest:.0f}", "once", "difference"),
        ("**a warm response**", f"**{a['warm']:.0f}**", "", f"{a['warm steps']:.2f} steps"),
        ("**a cold response**", f"**{a['cold']:.0f}**", "", f"{a['cold steps']:.2f} steps"),
    ]
    return Markdown(table(("phase", "ns", "how often", ""), rows, right=(1,)))


def bounds() -> Markdown:
    """The sweep against what the processor can do, from the operations in its generated text."""
    a = _anatomy()
    (row,) = [row for row in _group("What the processor") if row["item"] == "division"]
    counts = row["facts"]["sweep_operations"]
    lanes = next(r["facts"]["lanes"] for r in _group("Phases"))
    cycle = a["cycle"]
    sweep = a["step: sweep (conditions and derivatives)"]
    by = {
        "divisions": counts["divisions"] * a["division"],
        "multiplications and additions": counts["multiplications_additions"]
        * a["multiplication or addition"],
    }
    power = a["power, one after another"]
    text = (
        f"A cycle takes {cycle:.3f} ns ({1 / cycle:.2f} GHz). Eight divisions at once take "
        f"{8 * a['division'] / cycle:.1f} cycles, eight multiplications or additions "
        f"{8 * a['multiplication or addition'] / cycle:.2f}; one logarithm takes "
        f"{a['logarithm, one after another'] / cycle:.0f} cycles and one power {power / cycle:.0f}, as "
        f"much as {power / a['division']:.0f} divisions eight abreast."
    )
    lines = [text, ""]
    rows = [
        (f"{name}: {counts[key]} a member", f"{value * lanes:.1f}", f"{value / cycle:.2f}",
         f"{value * lanes / sweep:.0%}")
        for (name, value), key in zip(by.items(), counts, strict=False)
    ]  # fmt: skip
    rows.append(("measured", f"{sweep:.1f}", f"{sweep / lanes / cycle:.2f}", "100%"))
    lines.append(
        table(
            ("conditions and derivatives of 32 lanes", "ns", "cycles a member", "of measured"),
            rows, right=(1, 2, 3),
        )
    )  # fmt: skip
    step = (a["cold"] - a["warm"]) / (a["cold steps"] - a["warm steps"])
    ideal = by["divisions"] * lanes
    words = (
        f"A whole step takes {step:.0f} ns, or {step / lanes / cycle:.1f} cycles a member and "
        f"{step / ideal:.1f} times what its divisions alone would; a warm response takes "
        f"{a['warm'] / (2 * ideal):.0f} times what the divisions of its two evaluations would."
    )
    lines += ["", words]
    return Markdown("\n".join(lines))


def cells_cost() -> Markdown:
    """What the labelled layers add to the kernel."""
    kernel = next(
        r for r in _group("Responses with certificate")
        if r["item"].startswith("demand 0.05, ordered, warm, 1 ")
    )  # fmt: skip
    rows = [
        (
            "kernel, no member arrays",
            amount(kernel["median"] / kernel["count"]),
            rounded(kernel["rate"]),
        )
    ]
    chosen = (
        ("Cells with", "respond, 1 "),
        ("Whole sweeps", "respond, three outputs, 1 "),
        ("Whole sweeps", "respond, main outputs, 1 "),
    )
    rows += [
        (
            f"{row['group']}: {row['item']}",
            amount(row["median"] / row["count"]),
            rounded(row["rate"]),
        )
        for group, item in chosen
        for row in _group(group)
        if row["item"].startswith(item)
    ]
    return Markdown(table(("one thread or process", "an answer", "answers/s"), rows, right=(1, 2)))
