"""Docstrings are plain text in which `code` stands between backticks; reST would see more in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import alliancegame
import alliancegame.errors

ERRORS = frozenset(vars(alliancegame.errors))
"""Names that the page documents with their module."""

_CODE = re.compile(r"(`+[^`]+`+)")
MADE_BY_SOLVERS = frozenset(
    ("Backfire", "Certificate", "Commitment", "Comparison", "Comparisons", "Component",
     "CorrelatedEquilibrium", "Elimination", "Equilibrium", "EquilibriumSet", "FeasibleSet", "Frontier",
     "Honour", "NashSubset", "Profile", "QuantalPath", "StackelbergResult", "Sustained", "Trajectory")
)  # fmt: skip
_ALIAS = re.compile(r"TypeAliasForwardRef\('(\w+)'\)")
_SPECIAL = re.compile(r"([*|\\])|(?<=\w)(_)(?!\w)")


def literal(line: str) -> str:
    """The line with the signs that reST would take for markup escaped, outside code."""
    parts = _CODE.split(line)
    parts[::2] = [_SPECIAL.sub(r"\\\g<0>", part) for part in parts[::2]]
    return "".join(parts)


def escape(app: Sphinx, what: str, name: str, target: Any, options: Any, lines: list[str]) -> None:
    """Escape a docstring, but not its examples."""
    example = False
    for i, line in enumerate(lines):
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        if not example:
            lines[i] = literal(line)


def shorten(
    app: Sphinx, what: str, name: str, target: Any, options: Any, call: str | None, back: str | None
) -> tuple[str | None, str | None]:
    """Show an alias of a type by its name, and no call of what only solvers make."""
    if what == "class" and name.rpartition(".")[2] in MADE_BY_SOLVERS:
        return "", None
    made = [None if part is None else _ALIAS.sub(r"\1", part) for part in (call, back)]
    return made[0], made[1]


class RestOfPublicNames(SphinxDirective):
    """Documents the public names that the page does not name itself, so that none is missing."""

    def run(self) -> list[nodes.Node]:
        """An autodoc directive for each of them, in alphabetical order."""
        page = Path(self.env.doc2path(self.env.docname)).read_text(encoding="utf-8")
        lines = []
        for name in alliancegame.__all__:
            value = getattr(alliancegame, name)
            if f"alliancegame.{name}\n" not in page and callable(value) and name not in ERRORS:
                kind = "class" if isinstance(value, type) else "function"
                lines += [f".. auto{kind}:: alliancegame.{name}", ""]
        return self.parse_text_to_nodes("\n".join(lines))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register, before napoleon reads the sections."""
    app.add_directive("rest-of-public-names", RestOfPublicNames)
    app.connect("autodoc-process-docstring", escape, priority=400)
    app.connect("autodoc-process-signature", shorten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
