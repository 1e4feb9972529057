"""A worker process of a sweep: reads chunks from its standard input, answers on its output.

It is started by `workers.py` as a fresh interpreter, so that nothing of the calling script is run
again unless the user's own function lives there.
"""

from __future__ import annotations

import os
import pickle
import runpy
import signal
import sys
import traceback
import types
import warnings
from typing import IO, Any

MARK = "ALLIANCEGAME_SWEEP_WORKER"
"""Environment variable that is set in workers, which may not start workers of their own."""


def serve() -> None:
    """Answer chunks until there are no more: ("done", Done) or ("error", exception) for each."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends us.
    inbox = sys.stdin.buffer
    # Whatever else is printed must not get between the answers.
    outbox = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        main, packed = pickle.load(inbox)  # noqa: S301 (from our parent)
        if main is not None:
            _run_main(*main)
        work = pickle.loads(packed)  # noqa: S301
        _answer(outbox, ("ready", None))
    except Exception as error:  # noqa: BLE001 (the parent decides)
        _answer(outbox, ("error", _portable(error)))
        return
    from alliancegame.errors import IllConditionedWarning
    from alliancegame.study.sweeping.piece import solve_piece

    warnings.simplefilter("ignore", IllConditionedWarning)  # The parent has said so already.
    while True:
        try:
            piece = pickle.load(inbox)  # noqa: S301
        except EOFError:
            return
        try:
            answer: tuple[str, Any] = ("done", solve_piece(work, piece))
        except Exception as error:  # noqa: BLE001 (the parent raises it)
            answer = ("error", _portable(error))
        try:
            _answer(outbox, answer)
        except BrokenPipeError:
            return


def _answer(outbox: IO[bytes], answer: tuple[str, Any]) -> None:
    pickle.dump(answer, outbox, protocol=pickle.HIGHEST_PROTOCOL)
    outbox.flush()


def _portable(error: Exception) -> Exception:
    """An exception that can be unpickled at the other end."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301
    except Exception:  # noqa: BLE001 (anything may be wrong with a foreign exception)
        return RuntimeError("".join(traceback.format_exception(error)))
    return error


def _run_main(kind: str, where: str) -> None:
    """Run the calling script under another name, so that its functions can be found here.

    As multiprocessing does: what stands under `if __name__ == "__main__":` is not run.
    """
    if kind == "module":
        content = runpy.run_module(where, run_name="__mp_main__", alter_sys=True)
    else:
        content = runpy.run_path(where, run_name="__mp_main__")
    main = types.ModuleType("__mp_main__")
    main.__dict__.update(content)
    sys.modules["__main__"] = sys.modules["__mp_main__"] = main
