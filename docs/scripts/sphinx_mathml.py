"""Mathematics as MathML, which browsers draw by themselves: no script from a network is needed.

docutils ships the converter; this is its use as a Sphinx math renderer.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

_ALIGN = re.compile(r"\\(begin|end)\{align\*?\}")
# A bar over or under one letter is drawn by the style sheet: many fonts put it inside the letter.
_BAR = re.compile(r"\\(bar|overline|underline)\{([A-Za-z])\}")
_NAMED = re.compile(r'<mi mathvariant="normal">(bar|overline|underline)-([A-Za-z])</mi>')


def mathml(tex: str, *, block: bool) -> str:
    """The MathML of a formula. Raises `ExtensionError`, naming the formula, if it cannot be made."""
    try:
        tex = _BAR.sub(r"\\operatorname{\1-\2}", _ALIGN.sub(r"\\\1{aligned}", tex))
        return _NAMED.sub(r'<mi class="\1">\2</mi>', str(tex2mathml(tex, as_block=block)))
    except MathError as error:
        raise ExtensionError(f"this formula cannot be shown: {tex!r} ({error})") from error


def inline(self: Any, node: nodes.math) -> None:
    """A formula in a line."""
    self.body.append(mathml(node.astext(), block=False))
    raise nodes.SkipNode


def display(self: Any, node: nodes.math_block) -> None:
    """A formula by itself."""
    self.body.append(f'<div class="math-block">{mathml(node.astext(), block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
