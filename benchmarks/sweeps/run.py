"""Run a named sweep: a Zarr store, pictures, and one line that says what was found."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import alliancegame as ag
from alliancegame.figures.style import rendered
from alliancegame.study.outcomes import OUTCOMES
from alliancegame.study.refit import Refit, refit_for
from alliancegame.study.sweep import sweep
from benchmarks.sweeps.schema import NamedSweep, priors

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

OUT = Path("out/benchmarks/sweeps")


@dataclasses.dataclass(frozen=True, eq=False)
class Finished:
    """What a run left: answers and their store, pictures, a line of words, the seconds of solving."""

    found: xr.Dataset
    store: Path
    pictures: tuple[Path, ...]
    line: str
    seconds: float


def recalibrated(
    game: ag.BurdenSharingGame, cell: dict[str, Any], refit: Refit
) -> ag.BurdenSharingGame:
    """A cell's game with the weights at which A is what was observed."""
    return ag.calibrate(game, refit.observed, free=refit.free)


def run(named: NamedSweep, folder: Path = OUT, workers: int = 1, progress: Any = None) -> Finished:
    """Sweep into `folder`/NAME.zarr (going on where a stopped run was), and draw its pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    game = named.game()
    derive = functools.partial(recalibrated, refit=refit_for(game)) if named.recalibrate else None
    store = folder / f"{named.name}.zarr"
    start = time.perf_counter()
    found = sweep(
        game,
        named.over(),
        named.plan,
        solve=named.solve,
        outputs=named.outputs,
        search=named.search,
        derive=derive,
        workers=workers,
        store=store,
        progress=progress,
    )
    seconds = time.perf_counter() - start
    drawn, said = [], ""
    for picture in named.pictures:
        figure, words = draw(named, game, found, picture)
        said = said or words
        for kind in ("png", "pdf"):
            path = folder / f"{named.name}.{picture}.{kind}"
            path.write_bytes(rendered(figure, kind))
            drawn.append(path)
    return Finished(found, store, tuple(drawn), f"{named.title}: {said or summary(found)}", seconds)


def draw(
    named: NamedSweep, game: ag.BurdenSharingGame, found: xr.Dataset, picture: str
) -> tuple[Figure, str]:
    """One picture, and the words that go with it."""
    from alliancegame import figures
    from alliancegame.figures.swept import swept

    if picture == "regime-map":
        (x, across), (y, up) = named.axes.items()
        regions = ag.regime_map(
            game,
            (x, (across["from"], across["to"])),
            (y, (up["from"], up["to"])),
            named.plan,
            (across["count"], up["count"]),
            recalibrate=named.recalibrate,
        )
        other = differing(found, regions.codes)
        words = regions.headline()
        if other:
            words += f"; {other} of {regions.codes.size} grid points differ from the sweep"
        return figures.regime_map(regions), words
    if picture == "uncertainty":
        (axis,) = named.axes.values()
        drawn = ag.uncertainty(
            game,
            priors(axis),
            named.plan,
            axis["count"],
            method=axis["sample"],
            recalibrate=named.recalibrate,
            seed=axis["seed"],
        )
        return figures.uncertainty(drawn), drawn.headline()
    return swept(found, picture), ""


def differing(found: xr.Dataset, codes: Any) -> int:
    """At how many grid points the sweep and the map, which solve in other orders, name other outcomes."""
    return int(np.sum(codes != found["outcome"].values.T))


def summary(found: xr.Dataset) -> str:
    """Cells, failures, and what there is to say of outcomes or of the first number."""
    status = found["status"].values
    words = [f"{status.size} cells"]
    failed = int((status > 1).sum())
    if failed:
        words.append(f"{failed} without an answer")
    if "outcome" in found:
        counts = Counter(int(code) for code in found["outcome"].values.ravel() if code >= 0)
        words += [f"{OUTCOMES[c]} {k / status.size:.1%}" for c, k in counts.most_common()]
    else:
        for name in ("best_threat", "threshold", "allied_burden", "leader_payoff"):
            if name in found and np.isfinite(found[name].values).any():
                low, high = np.nanmin(found[name].values), np.nanmax(found[name].values)
                words.append(f"{name} {low:.4g} to {high:.4g}")
    return ", ".join(words)
