"""The bimatrix as papers print it, in LaTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alliancegame.game.finite import number

if TYPE_CHECKING:
    from alliancegame.game.finite import FiniteGame

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def escape(text: str) -> str:
    """Text in which LaTeX sees no commands."""
    return "".join(_SPECIAL.get(letter, letter) for letter in text)


def bimatrix(game: FiniteGame, digits: int) -> str:
    """A tabular: best replies underlined, cells where both are in bold (the pure equilibria)."""
    rows, columns = game.strategies
    best = [
        np.asarray(a == a.max(axis=i, keepdims=True), dtype=bool)
        for i, a in enumerate(game.comparable)
    ]
    lines = [
        rf"\begin{{tabular}}{{ll{'c' * len(columns)}}}",
        r"\toprule",
        rf" & & \multicolumn{{{len(columns)}}}{{c}}{{{escape(game.players[1])}}} \\",
        rf"\cmidrule(l){{3-{len(columns) + 2}}}",
        " & & " + " & ".join(map(escape, columns)) + r" \\",
        r"\midrule",
    ]
    for i, label in enumerate(rows):
        cells = []
        for j in range(len(columns)):
            marks = [bool(b[i, j]) for b in best]
            parts = [_payoff(number(game.entry(k, (i, j)), digits), marks[k]) for k in (0, 1)]
            inner = ",\\;".join(parts)
            cells.append(rf"$\mathbf{{{inner}}}$" if all(marks) else f"${inner}$")
        head = escape(game.players[0]) if i == 0 else ""
        lines.append(f"{head} & {escape(label)} & " + " & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _payoff(text: str, best: bool) -> str:
    if "e" in text:
        base, power = text.split("e")
        text = rf"{base}\cdot 10^{{{int(power)}}}"
    return rf"\underline{{{text}}}" if best else text
