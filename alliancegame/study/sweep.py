"""Sweeps: one game under many values, a labelled array for every answer, resumable at any moment."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alliancegame.errors import (
    ClusterError,
    InvalidValueError,
    WorkerLostError,
)
from alliancegame.game.checks import check_game, check_plan_type
from alliancegame.game.game import PARAMETERS, BurdenSharingGame
from alliancegame.game.parameters import validate
from alliancegame.game.plan import Plan
from alliancegame.solve import aggregative
from alliancegame.solve.keys import PLAN_KEYS
from alliancegame.solve.tolerances import DEFAULT, Tolerances, check_tolerances
from alliancegame.study.cells import check_key, check_outputs
from alliancegame.study.sweeping.axes import (
    Design,
    checked_seed,
    latin_hypercube,
    random_sample,
    read_over,
    sobol,
    zipped,
)
from alliancegame.study.sweeping.blocks import Blocks, cut, default_cells
from alliancegame.study.sweeping.cluster import on_cluster
from alliancegame.study.sweeping.digest import function_digest
from alliancegame.study.sweeping.environment import environment
from alliancegame.study.sweeping.layout import Layout, as_json, lay_out
from alliancegame.study.sweeping.piece import (
    Done,
    OtherEnvironmentError,
    Piece,
    Work,
    solve_piece,
)
from alliancegame.study.sweeping.progress import Hook, Meter, Progress, listening
from alliancegame.study.sweeping.store import GO_ON, Question, SweepStore
from alliancegame.study.sweeping.target import CannotWriteError
from alliancegame.study.sweeping.workers import in_workers

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Progress", "latin_hypercube", "random_sample", "sobol", "sweep", "zipped"]

LIMIT = 10_000_000
"""Most cells without the caller's consent."""

IN_MEMORY = 2 * 2**30
"""Most bytes of answers that are kept in memory without the caller's consent."""

READ_AT_ONCE = 64 * 2**20
"""Stores with fewer bytes of answers are read into memory at the end; larger ones when needed."""

_CHOSEN = {"stackelberg": ("threat", "burden"), "backfire_threshold": ("threat", "burden")}
"""Parts of the plan that a solver chooses itself."""


def sweep(
    game: BurdenSharingGame,
    over: Any,
    plan: Plan | None = None,
    *,
    solve: str = "respond",
    outputs: Sequence[str] | str | None = None,
    workers: int = 1,
    store: str | os.PathLike[str] | None = None,
    cluster: Any = None,
    chunk: int | None = None,
    progress: bool | Hook | None = None,
    derive: Callable[[BurdenSharingGame, dict[str, Any]], BurdenSharingGame] | None = None,
    limit: int = LIMIT,
    allow_large: bool = False,
    allow_mixed: bool = False,
    seed: int | None = None,
    search: bool = False,
    tolerances: Tolerances = DEFAULT,
) -> xr.Dataset:
    """Solve a game for all combinations of values, and return the answers as a labelled Dataset.

    Parameters
    ----------
    game
        The game whose parameters change.
    over
        What to go over: a dict whose entries are the dimensions of the result. An entry is either
        a key with its values, `"decay": [0, 0.2, 0.4]`, or a name of your own with cases or a sample,
        `"case": zipped(decay=[…], threat=[…])`, `"draw": sobol({"decay": (0, 1)}, n=256)`. Keys are
        parameters ("decay"), one member's ("decay[DEU]"), forms ("consumption": ["log", "linear"]),
        and threat, demand, burden and tariff, which override the plan. All dimensions are combined;
        the last varies fastest. Cases or a sample alone may stand without a dict.
    plan
        What is not swept of the plan; `Plan()` if none is given.
    solve
        The question: "respond" (needs a burden in `plan` or `over`), "nash", "compare",
        "stackelberg" (the leader commits threat and burden) or "backfire_threshold".
    outputs
        Names of what to keep (`alliancegame.study.cells.OUTPUTS`); the main ones by default. Each takes
        8 bytes a cell, or 8 bytes a cell and member; codes take 1.
    workers
        Processes on this machine; 1 solves in this one. The answers are the same, bit for bit.
    store
        Folder of a Zarr store to which answers go chunk by chunk. Without one they stay in memory.
        A sweep that was stopped in any way goes on if the same call is made again.
    cluster
        Address of a Dask scheduler, or a `distributed.Client`, whose workers solve the chunks. They
        write to the store themselves where they see it, and send answers back where they do not.
    chunk
        Most cells in a chunk: what is solved in one go, starting each solution from the last, and
        lost if a sweep is stopped. Decided by `solve` and the number of members if not given.
    progress
        True for a bar, False for silence, or a function called with a `Progress` after each chunk.
        None shows the bar if standard error is a terminal.
    derive
        `derive(game, cell)` returns the game to solve for a cell: `game` already has the cell's
        parameters, `cell` maps every key to its value, and keys that are no parameter are for this
        function alone. Members must stay. Slow: one call, one solution at a time.
    limit, allow_large
        More than `limit` cells, or more than 2 GiB of answers in memory, need `allow_large=True`.
    allow_mixed
        Go on with a store of another processor type or other versions, or use a cluster whose
        workers have others: answers may then differ in their last bits.
    seed
        Whole number for samples that have no seed of their own.
    search
        Search every piece of every action set for the regret, instead of bounding it.
    tolerances
        Decide verdicts; recorded in the result.

    Returns
    -------
    xarray.Dataset
        Dimensions as in `over`, and `member`. Labels bear the names of their keys, except
        plan_burden, initial_trust and influence_form, whose keys are also names of answers. A cell
        without an answer is nan, or -1 in codes (meanings in the attribute `flag_meanings`), with a
        `status` and a `reason`. Attributes hold provenance. Read lazily from a large store.

    Raises
    ------
    InvalidValueError, UnknownNameError, UnsupportedFormError
        At the door, before anything is solved. Cells fail alone, never the sweep.
    SweepStoreError
        The store is not ours, of another sweep, damaged, in use, or cannot be written.
    WorkerLostError, ClusterError
        What is done stays in the store.
    MissingExtraError
        `cluster` needs the extra `distributed`.
    KeyboardInterrupt
        On Ctrl-C; its message says how to go on.

    Examples
    --------
    >>> import alliancegame as ag
    >>> game = ag.load_model("three-allies")
    >>> found = ag.sweep(game, {"decay": [0.0, 0.4], "threat": [0.0, 0.5, 1.0]}, ag.Plan(burden=0.035))
    >>> dict(found.sizes)
    {'decay': 2, 'threat': 3, 'member': 4}
    >>> int((found.status > 1).sum())
    0
    """
    asked = _Asked(
        game,
        over,
        Plan() if plan is None else plan,
        solve,
        outputs,
        derive=derive,
        seed=seed,
        search=search,
        tolerances=tolerances,
    )
    _check_counts(workers, chunk, limit)
    if cluster is not None and workers != 1:
        raise InvalidValueError(
            "give workers (processes here) or cluster (processes there), not both."
        )
    if store is not None and not isinstance(store, (str, os.PathLike)):
        raise InvalidValueError(f"store must be the path of a folder, got {store!r}.")
    if store is not None and "://" in os.fspath(store):
        raise InvalidValueError(
            f"store must be a folder that this machine can write to, got {store}."
        )
    _check_size(asked, limit, allow_large, store is not None)
    blocks = cut(asked.design.shape, asked.default_chunk() if chunk is None else int(chunk))
    run = _Run(asked, int(workers), cluster, allow_mixed)
    with listening(progress) as listener:
        if store is None:
            return run.in_memory(blocks, listener)
        path, asked_chunk = Path(store).expanduser(), None if chunk is None else int(chunk)
        return run.in_store(path, blocks, asked_chunk, listener)


class _Asked:
    """The question, checked at the door."""

    def __init__(
        self,
        game: BurdenSharingGame,
        over: Any,
        plan: Plan,
        solve: str,
        outputs: Sequence[str] | str | None,
        *,
        derive: Any,
        seed: Any,
        search: bool,
        tolerances: Tolerances,
    ) -> None:
        _check_types(game, plan, derive, tolerances)
        self.game, self.plan, self.solve, self.derive = game, plan, solve, derive
        self.search, self.tolerances, self.seed = bool(search), tolerances, checked_seed(seed)
        named = (outputs,) if isinstance(outputs, str) else outputs
        if named is not None and not isinstance(named, (Sequence, Set)):
            raise InvalidValueError(f"outputs must be names of outputs, got {outputs!r}.")
        self.outputs = tuple(dict.fromkeys(check_outputs(solve, named)))
        self.design = read_over(over, self.seed)
        self.derived = function_digest(derive)
        self.own = _check_keys(game, self.design, solve, derive)
        if solve == "respond" and plan.burden is None and "burden" not in self.design.columns:
            raise InvalidValueError(
                'solve="respond" (the default) needs the leader\'s burden, in plan or in over, such as '
                "sweep(game, over, ag.Plan(burden=0.033)); without it the leader plays "
                'simultaneously: sweep(game, over, solve="nash"). solve="compare" compares with A.'
            )
        self.layout: Layout = lay_out(
            game,
            plan,
            self.design,
            solve,
            self.outputs,
            tolerances,
            search=self.search,
            derived=_function_name(derive),
            seed=self.seed,
            environment=environment(),
        )

    def default_chunk(self) -> int:
        """Cells in a chunk if the caller does not say: decided by the question alone, not by speed."""
        game = self.game
        names = {key.partition("[")[0] for key in self.design.columns}
        forms = ("substitution", "decisiveness", "influence_value", "consumption")
        slow = any(name in names or getattr(game, name) not in (1, "log") for name in forms)
        if self.solve in ("nash", "compare"):
            # Outside the theorem on simultaneous Nash every root is looked for, cell by cell.
            spillin, umbrella = game.congested
            slow |= bool((game.return_spillin * umbrella > spillin).any())
            slow |= not names.isdisjoint(
                ("return_spillin", "umbrella", "spillin", "council_weight")
            )
        return default_cells(self.solve, game.size, slow=slow, derived=self.derive is not None)

    def content(self) -> dict[str, Any]:
        """Everything that decides the answers, in plain values."""
        return {
            "game": self.game.to_dict(),
            "plan": self.plan.to_dict(),
            "solve": self.solve,
            "outputs": list(self.outputs),
            "over": [axis.to_dict() for axis in self.design.axes],
            "tolerances": self.tolerances.to_dict(),
            "search": self.search,
            "derive": self.derived,
        }


def _check_types(game: Any, plan: Any, derive: Any, tolerances: Any) -> None:
    check_game(game, "sweep")
    check_plan_type(plan)
    if derive is not None and not callable(derive):
        raise InvalidValueError(f"derive must be a function of (game, cell), got {derive!r}.")
    check_tolerances(tolerances)


def _check_keys(
    game: BurdenSharingGame, design: Design, solve: str, derive: Any
) -> tuple[str, ...]:
    """Raise for keys and forms that do not exist; return the keys that only `derive` knows."""
    own = []
    for key, column in design.columns.items():
        name = key.partition("[")[0]
        if derive is not None and name not in (*PLAN_KEYS, *PARAMETERS):
            own.append(key)
            continue
        check_key(game, key)
        text = column.dtype == object
        if text != (name in PARAMETERS and PARAMETERS[name].scope == "choice"):
            expected = "numbers" if text else "names of forms"
            raise InvalidValueError(f"{key} goes over {expected}, got {column[0]!r}.")
        if text:
            for value in dict.fromkeys(column.tolist()):
                validate(PARAMETERS[name], value, game.members, game.leader)
        if name in _CHOSEN.get(solve, ()):
            raise InvalidValueError(
                f"solve={solve!r} chooses {name} itself: take {key} out of over."
            )
    return tuple(own)


def _check_counts(workers: Any, chunk: Any, limit: Any) -> None:
    for name, value in (("workers", workers), ("chunk", chunk), ("limit", limit)):
        if value is None and name == "chunk":
            continue
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
            raise InvalidValueError(f"{name} must be a whole number >= 1, got {value!r}.")


def _check_size(asked: _Asked, limit: int, allow_large: bool, stored: bool) -> None:
    if allow_large:
        return
    count = asked.design.count
    shape = " x ".join(
        f"{size} {dim}" for dim, size in zip(asked.design.dims, asked.design.shape, strict=True)
    )
    if count > limit:
        raise InvalidValueError(
            f"the sweep has {count:,} cells ({shape}), above the limit of {limit:,}: take fewer values, "
            "or agree with allow_large=True."
        )
    size = count * asked.layout.bytes_per_cell
    if not stored and size > IN_MEMORY:
        raise InvalidValueError(
            f"the answers of {count:,} cells take {size / 2**30:.1f} GiB of memory "
            f"({asked.layout.bytes_per_cell} bytes a cell): give a store, ask for fewer outputs, or agree "
            "with allow_large=True."
        )


def _function_name(derive: Any) -> str | None:
    if derive is None:
        return None
    name = getattr(derive, "__qualname__", type(derive).__qualname__)
    return f"{getattr(derive, '__module__', '?')}.{name}"


class _Run:
    """One run over the chunks that are not done yet."""

    def __init__(self, asked: _Asked, workers: int, cluster: Any, allow_mixed: bool) -> None:
        self.asked, self.workers, self.cluster = asked, workers, cluster
        self.allow_mixed = allow_mixed

    def in_memory(self, blocks: Blocks, listener: Hook | None) -> xr.Dataset:
        """Solve everything and keep it here."""
        layout = self.asked.layout
        arrays = {v.name: v.blank(layout.shape_of(v)) for v in layout.variables}
        meter = Meter(self.asked.design.count, 0, 0, listener)
        seen = [dict(environment())]
        with contextlib.closing(self._solve(self._work(None), blocks, list(blocks))) as answers:
            for done in answers:
                for name, values in (done.arrays or {}).items():
                    arrays[name][blocks.box(done.index)] = values
                if dict(done.environment) not in seen:
                    seen.append(dict(done.environment))
                meter.add(blocks.size(done.index), done.failed)
        return _with_mixture(layout.dataset(arrays), seen)

    def in_store(
        self, path: Path, blocks: Blocks, chunk: int | None, listener: Hook | None
    ) -> xr.Dataset:
        """Solve what the store does not have yet, write it there, and open it."""
        question = Question(self.asked.content(), chunk)
        with SweepStore(
            path, question, self.asked.layout, blocks, allow_mixed=self.allow_mixed
        ) as store:
            done = store.verified()
            left = [index for index in store.blocks if index not in done]
            resumed = sum(store.blocks.size(index) for index in done)
            meter = Meter(self.asked.design.count, resumed, sum(done.values()), listener)
            with self._explaining(store):
                self._fill(store, left, meter)
            size = self.asked.design.count * self.asked.layout.bytes_per_cell
            return _with_mixture(
                store.dataset(lazy=size > READ_AT_ONCE), store.journal.environments
            )

    def _fill(self, store: SweepStore, left: list[int], meter: Meter) -> None:
        """Solve chunks; each is written and noted in a second thread while the next is solved."""
        here = self.cluster is None and min(self.workers, len(left)) <= 1
        target = store.target
        work = self._work(None if here else target)

        def keep(done: Done) -> Done:
            digest = done.digest
            if digest is None:
                digest = target.write(store.blocks.place(done.index), done.arrays or {})
            store.journal.add(done.index, digest, done.failed, done.environment)
            return done

        def tell(kept: concurrent.futures.Future[Done]) -> None:
            done = kept.result()
            meter.add(store.blocks.size(done.index), done.failed)

        with (
            concurrent.futures.ThreadPoolExecutor(max_workers=1) as writer,
            contextlib.closing(self._solve(work, store.blocks, left)) as answers,
        ):
            last: concurrent.futures.Future[Done] | None = None
            for done in answers:
                if last is not None:
                    tell(last)
                last = writer.submit(keep, done)
            if last is not None:
                tell(last)

    @contextlib.contextmanager
    def _explaining(self, store: SweepStore) -> Iterator[None]:
        """Say what is kept and how to go on, whatever stops the run."""

        def kept() -> str:
            done = [index for index in store.journal.entries if 0 <= index < store.blocks.count]
            cells = sum(store.blocks.size(index) for index in done)
            whole = self.asked.design.count
            return (
                f"{len(done)} of {store.blocks.count} chunks are done and kept in {store.path} "
                f"({cells:,} of {whole:,} cells)."
            )

        try:
            yield
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"sweep interrupted; {kept()} {GO_ON}") from None
        except (WorkerLostError, ClusterError) as error:
            raise type(error)(f"{error} {kept()} {GO_ON}") from error
        except CannotWriteError as error:
            raise store.failure(error, f"{kept()} ") from error

    def _work(self, target: Any) -> Work:
        asked = self.asked
        origin = json.loads(as_json(dict(asked.game.provenance)))
        return Work(
            {**asked.game.to_dict(), "provenance": origin},
            asked.plan.to_dict(),
            asked.solve,
            asked.outputs,
            asked.tolerances.to_dict(),
            asked.search,
            asked.derive,
            asked.own,
            asked.layout.variables,
            target,
            None if self.allow_mixed else dict(environment()),
        )

    def _solve(
        self, work: Work, blocks: Blocks, left: Sequence[int]
    ) -> Generator[Done, None, None]:
        """Solve chunks here, in processes, or on a cluster."""
        if not left:
            return
        pieces = [
            Piece(index, blocks.place(index), self.asked.design.part(blocks.box(index)))
            for index in left
        ]
        try:
            if self.cluster is not None:
                yield from on_cluster(self.cluster, work, pieces)
            elif min(self.workers, len(pieces)) > 1:
                made = aggregative.tables(self.asked.game, self.asked.plan.taxed)
                _ = made.kernels  # Compiled once, here, what all workers then load.
                if self.asked.solve in _CHOSEN:
                    _ = made.leader_kernels
                yield from in_workers(self.workers, work, pieces)
            else:
                yield from (solve_piece(work, piece) for piece in pieces)
        except OtherEnvironmentError as error:
            raise ClusterError(
                f"a worker is not like this process: {error}. Answers may differ in their last bits. "
                "Use workers of one kind, or agree with allow_mixed=True."
            ) from error


def _with_mixture(found: xr.Dataset, environments: Sequence[Mapping[str, str]]) -> xr.Dataset:
    """Name all environments in which chunks were solved, where there were several."""
    if len(environments) > 1:
        found.attrs["mixed_environments"] = as_json([dict(e) for e in environments])
    return found
