"""Inner functions of a kernel module: LLVM code that waits for the entries which it is linked into.

Numba makes each function ready to be called: optimised, with all that it calls inside it, and then
translated into machine code. Python calls the entries of a kernel module alone, so that for inner
functions all this is done in vain, a dozen times over for the innermost; it was half of the
compilation. With this compiler an inner function is typed and lowered once, and optimised and
translated where an entry needs it.

This is Numba's documented way to change its compiler (a `pipeline_class`). What the two classes below
presume of its internals is tested by every kernel, and was tried with Numba 0.60, 0.61, 0.62, 0.65 and
0.68; `payoff.cache` puts Numba's version in the key.
"""

from __future__ import annotations

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import NativeLowering

__all__ = ["LinkedCompiler"]


class _LinkedLibrary(JITCodeLibrary):
    """The code of one inner function and of those that it calls, to be linked and not to be run."""

    def finalize(self) -> None:
        """Add what is called; optimising and translating is left to the entries."""
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            if hasattr(self, "_reload_init"):  # Not in Numba 0.60 to 0.62.
                self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._final_module.verify()
        self._finalize_dynamic_globals()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _LinkedLowering(NativeLowering):
    """Numba's lowering, into such a library, and without machine code to be called from Python."""

    _name = "linked_lowering"

    def run_pass(self, state: Any) -> bool:
        """Lower the function and tell its callers where to find it."""
        state.library = _LinkedLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags = state.flags.copy()
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        # Callers look the code up by the function that Python would call. There is none: this one
        # only has to be unlike any other, and to raise.
        absent: Any = [].pop
        state.targetctx.insert_user_function(absent, lowered.fndesc, [state.library])
        state["cr"] = lowered._replace(cfunc=absent)
        return True


class LinkedCompiler(CompilerBase):
    """Numba's compiler, but for the end of it: see the top of this file."""

    def define_pipelines(self) -> list[Any]:
        """Numba's own passes, with the lowering replaced."""
        passes = PassManager("linked")
        for each, description in DefaultPassBuilder.define_nopython_pipeline(self.state).passes:
            passes.add_pass(_LinkedLowering if each is NativeLowering else each, description)
        passes.finalize()
        return [passes]
