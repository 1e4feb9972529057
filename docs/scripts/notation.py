"""The notation table, made from the library's own registry of parameters."""

from __future__ import annotations

from page import Markdown, table

from alliancegame.game.game import PARAMETERS
from alliancegame.game.parameters import REQUIRED, Parameter

WHOSE = {
    "member": "every member",
    "ally": "every ally",
    "scalar": "the alliance",
    "choice": "the alliance (a form)",
}
GREEK = {"phi": r"\varphi"}


def symbol(parameter: Parameter) -> str:
    """The symbol as mathematics; nothing for the few without one."""
    tex = parameter.latex or GREEK.get(parameter.symbol, parameter.symbol)
    return f"${tex}$" if tex else ""


def default(parameter: Parameter) -> str:
    """The default as text."""
    value = parameter.default
    if parameter.unset:
        return parameter.unset
    if value is None or value is REQUIRED:
        return "none: must be given"
    return f'`"{value}"`' if isinstance(value, str) else f"{value:g}"


def admissible(parameter: Parameter) -> str:
    """The admissible values as text."""
    if parameter.scope == "choice":
        return ", ".join(f'`"{choice}"`' for choice in parameter.choices)
    words = parameter.admissible
    for python, mathematics in ((">=", "≥"), ("in ", ""), ("1e+06", "10⁶"), ("-", "−")):
        words = words.replace(python, mathematics)
    return words


def plain(text: str) -> str:
    """Text in which a dollar is a dollar and no mathematics."""
    return text.replace("$", r"\$")


def notation() -> Markdown:
    """Every parameter: symbol, name in code, meaning, unit, range, default."""
    rows = [
        (
            symbol(p),
            f"`{name}`",
            plain(p.doc),
            WHOSE[p.scope],
            "" if p.scope == "choice" or p.unit == "1" else plain(p.unit),
            admissible(p),
            default(p),
        )
        for name, p in PARAMETERS.items()
    ]
    head = ("symbol", "name", "meaning", "of", "unit", "admissible", "default")
    return Markdown(table(head, rows))
