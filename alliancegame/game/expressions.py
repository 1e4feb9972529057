"""A user's formulas: checked SymPy expressions, and the trees in which they are written to files.

Nothing is ever evaluated as program text: a file holds nested lists, ["Add", ["Symbol", "x"], 1],
and only the operations listed here are rebuilt.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

from alliancegame.errors import (
    InvalidValueError,
    UnknownNameError,
    UnsupportedFormError,
    did_you_mean,
)
from alliancegame.game.checks import shown

OPERATIONS = (
    "Add", "Mul", "Pow", "exp", "log", "Abs", "sign", "Max", "Min", "sin", "cos", "sinh", "cosh",
    "tanh", "atan", "Piecewise",
)  # fmt: skip
CONDITIONS = (
    "StrictLessThan", "LessThan", "StrictGreaterThan", "GreaterThan", "Equality", "Unequality",
    "And", "Or", "Not", "ITE",
)  # fmt: skip
CONSTANTS = ("pi", "E")

MOST_NODES = 100_000
MOST_POWER = 1024
"""The largest whole power of a number in a file: towers of powers would never end."""


def symbol_name(value: Any, what: str) -> str:
    """The name of a symbol, or of text that can be one. Raises `InvalidValueError`."""
    import sympy as sp

    name = value.name if isinstance(value, sp.Symbol) else value
    if not isinstance(name, str) or not name.strip():
        raise InvalidValueError(
            f"{what} must be a SymPy symbol such as Symbol('x'), got {shown(value)}."
        )
    return name


def symbol(name: str) -> Any:
    """The symbol of a game: real, whatever was assumed of the user's."""
    import sympy as sp

    return sp.Symbol(name, real=True)


def number(value: float) -> Any:
    """A parameter's value in a formula: whole numbers as such, so that powers stay powers."""
    import sympy as sp

    return sp.Integer(int(value)) if float(value).is_integer() else sp.Float(float(value))


def checked(value: Any, what: str, known: Iterable[str]) -> Any:
    """A formula with the game's own symbols. `known` are the names that it may have.

    Raises `InvalidValueError` for text and for what is no formula, `UnknownNameError` for symbols that
    are neither actions, aggregates nor parameters, and `UnsupportedFormError` for other functions.
    """
    import sympy as sp

    if isinstance(value, (str, bytes)):
        raise InvalidValueError(
            f"{what} must be a SymPy expression, got text {shown(value)}: text is never evaluated; "
            "write it with sympy.symbols."
        )
    if isinstance(value, bool) or not isinstance(value, (sp.Expr, numbers.Real)):
        raise InvalidValueError(
            f"{what} must be a SymPy expression or a number, got {shown(value)}."
        )
    expression = sp.S(value)
    names = sorted(set(known))
    for free in sorted(expression.free_symbols, key=str):
        if free.name not in names:
            raise UnknownNameError(
                f"{what} has the symbol {free.name!r}, which is no action and no parameter of the game."
                f"{did_you_mean(free.name, names)} Known: {', '.join(names)}."
            )
    own = {s: symbol(s.name) for s in expression.free_symbols}
    made = expression.xreplace(own).replace(lambda n: n.is_Float, lambda n: sp.Float(float(n)))
    for node in sp.preorder_traversal(made):
        _check_node(node, what)
    return made


def _check_node(node: Any, what: str) -> None:
    import sympy as sp

    kind = type(node).__name__
    if isinstance(node, (sp.Symbol, sp.Tuple)) or node in (sp.true, sp.false):
        return
    if not node.args:
        if not (node.is_number and node.is_real) or not math.isfinite(float(node)):
            raise InvalidValueError(f"{what} must be real and finite, and has {node} in it.")
        return
    if kind not in OPERATIONS and kind not in CONDITIONS and kind != "ExprCondPair":
        raise UnsupportedFormError(
            f"{what} has {shown(str(node))}, of type {kind}, which cannot be enclosed: use "
            f"{', '.join(OPERATIONS)} and comparisons."
        )


def to_tree(expression: Any) -> Any:
    """The expression as nested lists, names and numbers, for JSON."""
    import sympy as sp

    if isinstance(expression, sp.Symbol):
        return ["Symbol", expression.name]
    if expression in (sp.true, sp.false):
        return bool(expression)
    if expression is sp.pi or expression is sp.E:
        return ["Constant", "pi" if expression is sp.pi else "E"]
    if expression.is_Integer:
        return int(expression) if abs(expression) < 2**53 else ["Rational", str(expression), "1"]
    if expression.is_Rational:
        return ["Rational", str(expression.p), str(expression.q)]
    if expression.is_Float:
        return ["Float", float(expression).hex()]
    if isinstance(expression, sp.Piecewise):
        return ["Piecewise", *([to_tree(value), to_tree(when)] for value, when in expression.args)]
    return [type(expression).__name__, *(to_tree(a) for a in expression.args)]


def from_tree(tree: Any, what: str) -> Any:
    """The expression that `to_tree` wrote. Raises `InvalidValueError` for anything else."""
    left = [MOST_NODES]

    def build(node: Any, depth: int = 0) -> Any:
        left[0] -= 1
        if left[0] < 0 or depth > 300:
            raise InvalidValueError(f"{what} is too large a formula to be read.")
        return _build(node, lambda inner: build(inner, depth + 1))

    try:
        return build(tree)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError, RecursionError) as error:
        raise InvalidValueError(f"{what} is no formula of this library: {error}") from error


def _build(node: Any, build: Any) -> Any:
    import sympy as sp

    if isinstance(node, bool):
        return sp.true if node else sp.false
    if isinstance(node, int):
        return sp.Integer(node)
    if not isinstance(node, list) or not node or not isinstance(node[0], str):
        raise ValueError(f"unexpected {shown(node)}.")
    name, args = node[0], node[1:]
    leaf = _leaf(name, args)
    if leaf is not None:
        return leaf
    if name == "Piecewise" and all(isinstance(a, list) and len(a) == 2 for a in args):
        return sp.Piecewise(*((build(value), build(when)) for value, when in args))
    if name not in OPERATIONS and name not in CONDITIONS:
        raise ValueError(f"unknown operation {shown(name)}.")
    made = [build(a) for a in args]
    if name == "Pow" and not _modest(*made):
        raise ValueError("a number is raised to too high a power.")
    return getattr(sp, name)(*made)


def _leaf(name: str, args: list[Any]) -> Any:
    """A symbol or a number; None for anything else."""
    import sympy as sp

    if name == "Symbol" and len(args) == 1 and isinstance(args[0], str):
        return symbol(args[0])
    if name == "Constant" and args in (["pi"], ["E"]):
        return sp.pi if args == ["pi"] else sp.E
    if name == "Rational" and len(args) == 2 and all(isinstance(a, str) for a in args):
        numerator, denominator = (int(a) for a in args)
        if denominator == 0:
            raise ValueError("a fraction has the denominator 0.")
        return sp.Rational(numerator, denominator)
    if name == "Float" and len(args) == 1 and isinstance(args[0], str):
        number = float.fromhex(args[0])
        if not math.isfinite(number):
            raise ValueError(f"the number {args[0]} is not finite.")
        return sp.Float(number)
    return None


def _modest(base: Any, exponent: Any) -> bool:
    return not (base.is_number and exponent.is_number and not abs(float(exponent)) <= MOST_POWER)


def checked_parameters(parameters: Any, taken: Iterable[str]) -> dict[str, Any]:
    """Parameter values by name, still as given. Raises for clashes with symbols that are `taken`."""
    if parameters is None:
        return {}
    if not isinstance(parameters, Mapping):
        raise InvalidValueError(
            f"parameters must be a dict {{symbol or name: value}}, got {shown(parameters)}."
        )
    made: dict[str, Any] = {}
    reserved = set(taken)
    for key, value in parameters.items():
        name = symbol_name(key, "a parameter")
        if name in reserved or name in made:
            raise InvalidValueError(
                f"the name {name!r} is used twice: names of symbols must differ."
            )
        made[name] = value
    return made
