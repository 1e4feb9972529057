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
# What TeX does and the converter does not: thin space between a factor and the name of a function,
# and after the name unless a bracket follows; bars without room inside; braces that do not grow.
_THIN = '<mspace width="0.167em"></mspace>'
_TEX = (
    (re.compile(r"(</m(?!o>)\w+>\s*)(<mi>(?:ln|log|exp)</mi>)"), rf"\1{_THIN}\2"),
    (
        re.compile(r"(<mi>(?:ln|log|exp)</mi>\s*<mo>&ApplyFunction;</mo>)(?!\s*<mo\b)"),
        rf"\1{_THIN}",
    ),
    (
        re.compile(r'<mo stretchy="false">\|</mo>'),
        '<mo stretchy="false" lspace="0" rspace="0">|</mo>',
    ),
    (re.compile(r"<mo>([{}])</mo>"), r'<mo stretchy="false">\1</mo>'),
)


def mathml(tex: str, *, block: bool) -> str:
    """The MathML of a formula. Raises `ExtensionError`, naming the formula, if it cannot be made."""
    try:
        tex = _BAR.sub(r"\\operatorname{\1-\2}", _ALIGN.sub(r"\\\1{aligned}", tex))
        made = _NAMED.sub(r'<mi class="\1">\2</mi>', str(tex2mathml(tex, as_block=block)))
    except MathError as error:
        raise ExtensionError(f"this formula cannot be shown: {tex!r} ({error})") from error
    for pattern, instead in _TEX:
        made = pattern.sub(instead, made)
    return made


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
