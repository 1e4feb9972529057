"""A user's own game in LaTeX: payoffs, sums, first-order conditions and the sets of actions."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp

from alliancegame.game.aggregative import AggregativeGame
from alliancegame.game.custom import ContinuousGame
from alliancegame.game.expressions import symbol
from alliancegame.payoff.lines import derivative


def latex_of_own(game: ContinuousGame | AggregativeGame) -> str:
    """One `align` environment (amsmath)."""
    lines = _of_sums(game) if isinstance(game, AggregativeGame) else _of_actions(game)
    body = " \\\\\n".join(f"  {left} &{right}" for left, right in lines)
    return "\\begin{align}\n" + body + "\n\\end{align}\n"


def _of_actions(game: ContinuousGame) -> list[tuple[str, str]]:
    lines = []
    for player in game.players:
        u = game.payoffs[player]
        name = rf"\mathrm{{{_escaped(player)}}}"
        lines.append((f"u_{{{name}}}", f"= {sp.latex(u)}"))
        for action in game.actions[player]:
            x = sp.latex(action.symbol)
            slope = derivative(u, action.symbol)
            left = rf"\frac{{\partial u_{{{name}}}}}{{\partial {x}}}"
            lines.append((left, f"= {sp.latex(slope)}"))
            lines.append((x, rf"\in [{action.low:g}, {action.high:g}]"))
    return lines


def _of_sums(game: AggregativeGame) -> list[tuple[str, str]]:
    """Own action and parameters by player with an index i, sums without."""
    own = [game.action, *(p for p, v in game.parameters.items() if np.ndim(v) > 0)]
    names = {symbol(name): f"{{{sp.latex(symbol(name))}}}_{{i}}" for name in own}
    summed = {symbol(name): f"{{{sp.latex(symbol(name))}}}_{{j}}" for name in own}
    x = names[game.symbol]

    def shown(expression: Any, how: dict[Any, str]) -> str:
        return str(sp.latex(expression, symbol_names=how))

    lines = [("u_i", f"= {shown(game.payoff, names)}")]
    slope = derivative(game.payoff, game.symbol)
    for z, rule in game.aggregates.items():
        lines.append((sp.latex(symbol(z)), rf"= \sum_j {_bracketed(shown(rule, summed), rule)}"))
        slope += derivative(game.payoff, symbol(z)) * derivative(rule, game.symbol)
    left = rf"\frac{{\mathrm{{d}} u_i}}{{\mathrm{{d}} {x}}}"
    lines.append((left, f"= {shown(slope, names)}"))
    same = np.ptp(game.low) == 0 and np.ptp(game.high) == 0
    bounds = (
        f"[{game.low[0]:g}, {game.high[0]:g}]"
        if same
        else rf"[\underline{{{x}}}, \overline{{{x}}}]"
    )
    lines.append((x, rf"\in {bounds}"))
    return lines


def _bracketed(text: str, rule: Any) -> str:
    return rf"\left( {text} \right)" if rule.is_Add else text


def _escaped(label: str) -> str:
    return "".join("\\" + c if c in "#$%&_{}" else c for c in label)
