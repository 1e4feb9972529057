"""The engine's kernels: what Python calls of them, and which of them serve a game.

They come in two groups, compiled when they are first needed: most questions never ask for the leader's
best plans, whose search takes as long to compile as everything else.

Kernels count no references to arrays. A Numba function of one's own that calls their inner functions
(benchmarks/speed does) must do likewise, `_nrt=False`, if an array is returned to it.
"""

from __future__ import annotations

import functools
from types import ModuleType

from alliancegame.game.game import BurdenSharingGame
from alliancegame.payoff.form import Form


def _read_only(dimensions: int) -> str:
    return f"types.Array(types.float64, {dimensions}, 'A', readonly=True)"


def _signature(*arguments: str) -> str:
    return f"types.void({', '.join(arguments)})"


_ENTRIES = {
    "solve": {
        "solve_batch": _signature(
            _read_only(3), _read_only(2), "types.int64[::1]", _read_only(2), _read_only(2),
            _read_only(1), "types.int64[:, ::1]", _read_only(2), *["types.boolean"] * 4,
            "types.float64", *["types.float64[:, ::1]"] * 6, "types.float64[::1]",
        ),
        "profile_marginals": _signature(
            _read_only(2), _read_only(1), "types.int64[::1]", _read_only(1), _read_only(1),
            _read_only(1), *["types.float64[::1]"] * 2,
        ),
        "certify_profile": _signature(
            _read_only(2), _read_only(1), "types.int64[::1]", _read_only(1), _read_only(1),
            _read_only(1), *["types.boolean"] * 2, "types.int64", *["types.float64[::1]"] * 7,
        ),
    },
    "leader": {
        "best_plans": _signature(
            _read_only(3), _read_only(2), "types.int64[::1]", _read_only(2), "types.int64[:, ::1]",
            _read_only(2), _read_only(1), _read_only(1), "types.float64",
            *["types.float64[:, ::1]"] * 7, "types.float64[::1]",
        ),
    },
}  # fmt: skip
"""What Python calls, in groups that are compiled when they are first needed, and the signatures."""

# Threads of a sweep solve chunks at the same time: the kernel lets go of the interpreter.
_FLAGS = {"solve_batch": "nogil=True", "best_plans": "nogil=True"}


@functools.cache
def compiled(form: Form, group: str) -> ModuleType:
    """The kernels of one form, of the group "solve" or "leader": from the cache, or compiled now."""
    from alliancegame.payoff.kernels import load_kernels
    from alliancegame.solve import engine

    return load_kernels(form, group, engine.text(), _ENTRIES[group], flags=_FLAGS)


def kept(form: Form, group: str) -> bool | None:
    """Whether `compiled` has these kernels without compiling; None if nothing can be kept on disk."""
    from alliancegame.payoff.kernels import kernels_kept
    from alliancegame.solve import engine

    return kernels_kept(form, group, engine.text(), _ENTRIES[group], flags=_FLAGS)


def form_of(game: BurdenSharingGame, taxed: bool = False) -> Form:
    """The form whose kernels serve a game; `taxed` those that know of tariffs."""
    return Form(
        game.consumption, game.influence_value, game.substitution == 1, game.decisiveness == 1,
        game.influence, game.shortfall, taxed,
    )  # fmt: skip
