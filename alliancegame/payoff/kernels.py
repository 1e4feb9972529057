"""From the symbolic payoff to compiled kernels: SymPy, common subexpressions, Numba.

The text of a kernel module is the generated terms followed by those of the engine's own functions
that its entries need, so that Numba compiles and inlines both together and the disk cache holds
self-contained modules. What they do not need is not compiled.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import hashlib
import importlib.resources
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from types import ModuleType
from typing import TYPE_CHECKING, Any

from alliancegame.payoff.cache import is_kept, load_compiled

if TYPE_CHECKING:
    from alliancegame.payoff.form import Form
    from alliancegame.payoff.symbolic import MemberProblem

_HEADER = """\
import math
import numpy as np
from math import exp, log, tanh
from numba import njit, types

if not SEALED:
    from alliancegame.payoff.linking import LinkedCompiler

def inner(*signature, **options):
    # What comes from the cache is linked into the entries: nothing of it is compiled again.
    if SEALED:
        return njit(**options)
    return njit(*signature, pipeline_class=LinkedCompiler, **options)

"""

_LANES = 8  # Members that ally_sweep takes in one instruction.
# Rows of a block of packed allies: what ally_sweep reads, what it writes, what the engine adds.
_PACKED = (
    "SAFE", "BELOW", "SCALE", "THETA", "ALPHA", "PRIVATE", "SPILLIN", "UMBRELLA", "BITE", "DEMAND",
    "WEIGHT", "LEVY", "RIVAL", "WIDTH", "F", "FX", "FZ", "FC", "FG", "ZX", "CX",
    "LOW", "HIGH", "KIND", "PRESSED", "BURDEN", "LEFT", "RIGHT", "STEP", "POSSIBLE",
)  # fmt: skip
_LAYOUT = "\n".join(
    [
        f"LANES, CELL_ROWS, CELL = {_LANES}, {len(_PACKED)}, {_LANES * len(_PACKED)}",
        *(f"P_{row} = {_LANES * k}" for k, row in enumerate(_PACKED)),
    ]
)

# Kernels ask for no memory (see engine.stage.rooms), so that they need not count references to it, and
# have no expressions of whole arrays that could be rewritten.
_PLAIN = 'error_model="numpy", _nrt=False, no_rewrites=True'
# Only entries are called from Python: the rest needs no wrappers, and no machine code of its own.
_INNER = f"{_PLAIN}, no_cpython_wrapper=True, no_cfunc_wrapper=True"

_ALLY = ("x", "below", "Z", "C", "G", "scale", "theta", "alpha", "private", "spillin", "umbrella",
         "bite", "demand", "weight", "levy", "rival", "width", "rho", "m")  # fmt: skip
_AGAINST = tuple("others" if name == "Z" else name for name in _ALLY)
_LEADER = ("x", "Z", "C", "scale", "theta", "alpha", "private", "weight", "returned", "revenue",
           "share", "share_x", "share_xx", "rho", "m")  # fmt: skip
_CONTEST = ("x", "scale", "weight", "g", "rival", "m")
_STAGE_ROWS = (
    "scale",
    "theta",
    "alpha",
    "private",
    "spillin",
    "umbrella",
    "bite",
    "demand",
    "weight",
    "levy",
    "rival",
    "width",
)


def load_kernels(
    form: Form,
    group: str,
    engine: str,
    entries: Mapping[str, str],
    *,
    flags: Mapping[str, str] | None = None,
) -> ModuleType:
    """The compiled module of one form with one group of entries.

    `engine` is the text of a Python module whose functions use the names of `generated.pyi`;
    `entries` maps those that Python calls to their Numba signatures; `flags` adds Numba options to
    single entries. SymPy is imported only if the module is not in the cache.
    """
    flags = flags or {}
    return load_compiled(
        f"{form.name}-{group}",
        lambda: generated_source(form) + _decorated(engine, entries, flags),
        fingerprint=_fingerprint(form, engine, entries, flags),
    )


def kernels_kept(
    form: Form,
    group: str,
    engine: str,
    entries: Mapping[str, str],
    *,
    flags: Mapping[str, str] | None = None,
) -> bool | None:
    """Whether `load_kernels` need not compile, asked alike; None if nothing could be kept anyway."""
    mark = _fingerprint(form, engine, entries, flags or {})
    return is_kept(f"{form.name}-{group}", mark, fingerprint=mark)


def _fingerprint(
    form: Form, engine: str, entries: Mapping[str, str], flags: Mapping[str, str]
) -> str:
    """What changes whenever the text of a module does."""
    parts = [
        repr(form),
        version("sympy"),
        engine,
        repr(sorted(entries.items())),
        repr(sorted(flags.items())),
        _own_text(),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@functools.cache
def _own_text() -> str:
    folder = importlib.resources.files("alliancegame.payoff")
    return "\0".join(
        (folder / name).read_text("utf-8")
        for name in ("terms.py", "symbolic.py", "kernels.py", "linking.py")
    )


def generated_source(form: Form) -> str:
    """The text of the functions that `generated.pyi` declares, for one form."""
    import sympy as sp

    from alliancegame.payoff import symbolic as sy
    from alliancegame.payoff import terms

    ally, leader = sy.ally_problem(form), sy.leader_problem(form)
    alone = sy.ally_problem(form, against=True)
    pull, total, share = sp.symbols("pull total p", positive=True)
    decay, cost, contagion, others, tariff_decay, tariff, threat, curvature = sp.symbols(
        "decay cost contagion others_cost tariff_decay tariff threat curvature", nonnegative=True
    )
    impact, recovery, ceiling = sp.symbols("impact recovery ceiling", nonnegative=True)
    base, mean_trust, cohesion = sp.symbols("return_spillin mean_trust cohesion", nonnegative=True)
    scalar = functools.partial(_scalar_function, own_contribution=False)
    conditions = _conditions(ally, (sy.Z, sy.C, sy.G))
    contest = sy.hub_share(form)
    switches = f"HUB, TAXED, SMOOTH = {form.hub}, {form.taxed}, {form.logistic}"
    parts = [
        f"{_HEADER}{_LAYOUT}\n{switches}",
        scalar("power_rho", ("g", "rho"), _Parts([sy.g ** sy.substitution(form)])),
        scalar("power_m", ("g", "m"), _Parts([sy.g ** sy.decisiveness(form)])),
        _value_function("ally_value", _AGAINST, alone),
        _scalar_function("ally_marginal", _AGAINST, _marginal(alone)),
        _scalar_function("ally_conditions", _ALLY, conditions),
        _sweep_function("ally_sweep", ally, conditions),
        _scalar_function("ally_security_power", _AGAINST, _Parts([alone.security_power])),
        _value_function("leader_value", _LEADER, leader),
        _scalar_function("leader_conditions", _LEADER, _conditions(leader, (sy.Z, sy.C))),
        _scalar_function("leader_security_power", _LEADER, _Parts([leader.security_power])),
        scalar("shortfall", ("x", "below", "demand", "width"), _Parts([sy.shortfall(form)])),
        scalar(
            "hub_share",
            _CONTEST,
            _Parts([contest, sp.diff(contest, sy.x), sp.diff(contest, sy.x, 2)]),
        ),
        scalar(
            "influence_share", ("pull", "total"), _Parts([terms.council_influence(pull, total)])
        ),
        scalar(
            "influence_worth", ("p",), _Parts([terms.influence_value(form.influence_value, share)])
        ),
        scalar(
            "returned_spillin",
            ("return_spillin", "mean_trust", "cohesion"),
            _Parts([terms.returned_spillin(base, mean_trust, cohesion)]),
        ),
        scalar(
            "threat_cost", ("threat", "curvature"), _Parts([terms.threat_cost(threat, curvature)])
        ),
        scalar(
            "trust_impact",
            ("decay", "cost", "contagion", "others_cost", "tariff_decay", "tariff"),
            _Parts([terms.trust_impact(decay, cost, contagion, others, tariff_decay, tariff)]),
        ),
        scalar(
            "stationary_trust",
            ("impact", "recovery", "ceiling"),
            _Parts([terms.stationary_trust(impact, recovery, ceiling)]),
        ),
    ]
    return "\n\n".join(parts) + "\n\n"


def _marginal(problem: MemberProblem) -> _Parts:
    """The marginal payoff alone."""
    first = _conditions(problem, ())
    return _Parts(first.results[:1], first.named)


def _conditions(problem: MemberProblem, aggregates: tuple[Any, ...]) -> _Parts:
    """The marginal payoff, its own derivative, and its derivatives in the aggregates.

    Written for speed: divisions are the dear part of a sweep, so every power of a reciprocal goes
    through one division, and derivatives of ln Q go through the quotient rule with Q kept whole.
    """
    import sympy as sp

    from alliancegame.payoff import symbolic as sy

    def rates(expression: Any) -> list[Any]:
        return [problem.own(expression), *(sp.diff(expression, s) for s in aggregates)]

    def by_share(expression: Any) -> Any:
        """With scale = g / x: powers of g stay whole and 1 / g goes."""
        return sp.expand(expression.subs(sy.scale, sy.g / sy.x))

    Q, rho, whole = problem.security_power, problem.substitution, sp.Symbol("Q", positive=True)
    form_free = sp.expand if rho == 1 else by_share
    Q_x = form_free(problem.total(Q))
    results = [sp.Integer(0)] * (2 + len(aggregates))
    for term in problem.terms:
        weight = sp.Integer(1) if term.weight is None else term.weight
        if term.name == "security":
            parts = [Q_x / (rho * whole)]
            for dQ_x, dQ in zip(rates(problem.total(Q)), rates(Q), strict=True):
                parts.append(
                    form_free(dQ_x) / (rho * whole) - Q_x * form_free(dQ) / (rho * whole**2)
                )
        else:
            first = problem.total(term.value)
            # In a hub it would multiply out the contest, whose powers then cancel badly.
            council = term.name == "influence" and sy.C in problem.flow
            parts = [by_share(e) if council else e for e in (first, *rates(first))]
        results = [total + weight * part for total, part in zip(results, parts, strict=True)]
    return _Parts(results, {whole: Q})


@dataclasses.dataclass(frozen=True)
class _Parts:
    """Expressions, and named ones that they share."""

    results: list[Any]
    named: dict[Any, Any] = dataclasses.field(default_factory=dict)


def _body(parts: _Parts, indent: str) -> tuple[list[str], list[str]]:
    """Assignments of reciprocals and common subexpressions, and the text of each result."""
    import sympy as sp
    from sympy.printing.pycode import PythonCodePrinter

    from alliancegame.payoff import symbolic as sy

    printer = PythonCodePrinter({"fully_qualified_modules": False})
    bases = {b: sp.Symbol(f"over_{n}", positive=True) for b, n in _reciprocals(sy, parts)}

    def inverted(expression: Any) -> Any:
        return expression.replace(
            lambda e: e.is_Pow and e.exp.is_Integer and e.exp < 0 and _base(e.base, sy) in bases,
            lambda e: _sign(e, sy) * bases[_base(e.base, sy)] ** -e.exp,
        )

    named = {name: inverted(value) for name, value in parts.named.items()}
    results = [inverted(result) for result in parts.results]
    used = set().union(*(e.free_symbols for e in (*results, *named.values())))
    lines = [
        f"{indent}{symbol} = 1.0 / {'(' + printer.doprint(base) + ')'}"
        for base, symbol in bases.items()
        if symbol in used and base not in named
    ]
    for name, value in named.items():
        lines.append(f"{indent}{name} = {printer.doprint(value)}")
        lines.append(f"{indent}{bases[name]} = 1.0 / {name}")
    shared, short = sp.cse(results, symbols=sp.numbered_symbols("_s"), optimizations="basic")
    lines += [f"{indent}{symbol} = {printer.doprint(value)}" for symbol, value in shared]
    return lines, [printer.doprint(result) for result in short]


def _reciprocals(sy: Any, parts: _Parts) -> list[tuple[Any, str]]:
    """What is divided by, and a name for its reciprocal."""
    known = [(sy.x, "x"), (1 - sy.x, "left"), (sy.C, "C"), (sy.demand, "demand"), (sy.G, "G")]
    return known + [(name, str(name)) for name in parts.named]


def _base(base: Any, sy: Any) -> Any:
    """SymPy writes 1 - x as x - 1 where it likes; both are one base."""
    return 1 - sy.x if base == sy.x - 1 else base


def _sign(power: Any, sy: Any) -> int:
    return -1 if power.base == sy.x - 1 and power.exp % 2 else 1


def _scalar_function(
    name: str, arguments: tuple[str, ...], parts: _Parts, own_contribution: bool = True
) -> str:
    lines, results = _body(parts, "    ")
    own = ["    g = scale * x"] if own_contribution else []
    return "\n".join(
        [
            f"@inner({_INNER})",
            f"def {name}({', '.join(arguments)}):",
            *own,
            *lines,
            f"    return {', '.join(results)}",
        ]
    )


def _value_function(name: str, arguments: tuple[str, ...], problem: MemberProblem) -> str:
    """The payoff, each term behind its weight: a weight of zero removes the term, even ln 0."""
    text = [
        f"@inner({_INNER})",
        f"def {name}({', '.join(arguments)}):",
        "    g = scale * x",
    ]
    text.append("    total = 0.0")
    for term in problem.terms:
        indent = "    "
        if term.weight is not None:
            text.append(f"    if {term.weight} > 0.0:")
            indent = "        "
        lines, (value,) = _body(_Parts([term.value]), indent)
        factor = "" if term.weight is None else f"{term.weight} * "
        text += [*lines, f"{indent}total += {factor}({value})"]
    return "\n".join([*text, "    return total"])


def _sweep_function(name: str, problem: MemberProblem, conditions: _Parts) -> str:
    """The conditions of packed allies: blocks `first` to `last`, eight members in one instruction.

    A block is a view in which each row stands at a fixed distance: so the compiler knows that what
    is read and what is written do not overlap, without asking at run time.
    """
    import sympy as sp

    from alliancegame.payoff import symbolic as sy

    moved = [problem.flow.get(s, sp.Integer(0)) for s in (sy.Z, sy.C)]
    flows = [sp.expand(sp.sympify(rate).subs(sy.scale, sy.g / sy.x)) for rate in moved]
    indent = 12 * " "
    parts = _Parts([*conditions.results, *flows], conditions.named)
    lines, results = _body(parts, indent)
    read = {str(s) for e in (*parts.results, *parts.named.values()) for s in e.free_symbols}
    read.add("scale")
    outputs = (f"cell[P_{row} + j]" for row in ("F", "FX", "FZ", "FC", "FG", "ZX", "CX"))
    return "\n".join(
        [
            f"@inner({_INNER})",
            f"def {name}(cells, first, last, Z, C, G, rho, m):",
            "    for b in range(first, last):",
            "        cell = cells[b * CELL : (b + 1) * CELL]",
            "        for j in range(LANES):",
            f"{indent}x, below = cell[P_SAFE + j], cell[P_BELOW + j]",
            *(f"{indent}{row} = cell[P_{row.upper()} + j]" for row in _STAGE_ROWS if row in read),
            f"{indent}g = scale * x",
            *lines,
            *(f"{indent}{out} = {value}" for out, value in zip(outputs, results, strict=True)),
        ]
    )


def _decorated(engine: str, entries: Mapping[str, str], flags: Mapping[str, str]) -> str:
    """The engine's constants and those functions that the entries need, each made a Numba kernel."""
    tree = ast.parse(engine).body
    needed = _needed([node for node in tree if isinstance(node, ast.FunctionDef)], entries)
    parts = []
    for node in tree:
        if isinstance(node, ast.FunctionDef) and node.name in needed:
            extra = f", {flags[node.name]}" if node.name in flags else ""
            if node.name in entries:
                decorator = f"@njit({entries[node.name]}, cache=CACHE, {_PLAIN}{extra})"
            else:
                decorator = f"@inner({_declared(node)}{_INNER}{extra})"
            parts.append(f"{decorator}\n{_without_annotations(node)}")
        elif isinstance(node, ast.Assign):
            parts.append(ast.unparse(node))
    return "\n\n".join(parts) + "\n"


def _needed(functions: list[ast.FunctionDef], entries: Iterable[str]) -> set[str]:
    """The names of the entries and of all functions that they use, directly or not."""
    uses = {
        function.name: {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        for function in functions
    }
    needed: set[str] = set()
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += uses[name] & uses.keys()
    return needed


_TYPES = {
    "float": "types.float64",
    "int": "types.int64",
    "bool": "types.boolean",
    "None": "types.none",
    "Vector": "types.float64[::1]",
    "Matrix": "types.float64[:, ::1]",
    "Index": "types.int64[::1]",
}
"""What the annotations of the engine mean to Numba."""


def _declared(node: ast.FunctionDef) -> str:
    """A function's signature from its annotations, so that it is compiled once; else nothing."""
    annotations = [ast.unparse(a.annotation) for a in node.args.args if a.annotation is not None]
    if any(name not in _TYPES for name in annotations) or node.returns is None:
        return ""
    returned = ast.unparse(node.returns)
    if returned.startswith("tuple["):
        parts = ", ".join(_TYPES[part.strip()] for part in returned[6:-1].split(","))
        result = f"types.Tuple(({parts},))"
    else:
        result = _TYPES[returned]
    return f"{result}({', '.join(_TYPES[name] for name in annotations)}), "


def _without_annotations(node: ast.FunctionDef) -> str:
    """Numba compiles the code; annotations would only need their names."""
    node.returns = None
    for argument in node.args.args:
        argument.annotation = None
    return ast.unparse(node)
