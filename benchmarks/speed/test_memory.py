"""Memory of a sweep through a Zarr store: peak of a process of its own, which must not grow with cells."""

from __future__ import annotations

import json

import pytest

from benchmarks.problems import BURDEN, DEMANDS, MODEL
from benchmarks.speed.clock import python

GROUP = "Memory of a sweep through a store"
BOUND = 4.0
"""GiB for 10 million cells."""

SWEEPING = f"""
import json, resource, sys
import numpy as np
import alliancegame as ag
from alliancegame.study.sweep import sweep
cells, outputs, workers = int(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])
if __name__ == "__main__":
    game = ag.load_model({MODEL!r})
    plan = ag.Plan(demand={DEMANDS[0]}, burden={BURDEN})
    ag.respond(game, plan)
    over = {{"decay": np.linspace(0, 1, 1000), "threat": np.linspace(0, 1, cells // 1000)}}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = sweep(game, over, plan, outputs=outputs, store="store.zarr", workers=workers, progress=False)
    assert int((found.status > 1).sum()) == 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(json.dumps([before, peak, child if workers > 1 else 0]))
"""
OUTPUTS = {
    "three outputs": ["leader_payoff", "regret", "verdict"],
    "main outputs, every member's burden": None,
}


@pytest.mark.parametrize(
    ("cells", "outputs", "workers"),
    [
        (100_000, "main outputs, every member's burden", 1),
        (1_000_000, "main outputs, every member's burden", 1),
        (10_000_000, "three outputs", 1),
        (10_000_000, "three outputs", 2),
        (10_000_000, "main outputs, every member's burden", 2),
    ],
)
def test_peak(clock, facts, quick, cells, outputs, workers):
    if quick and cells > 1_000_000:
        pytest.skip("ten million cells are left out with --quick")
    found = {}

    def work():
        done = python(SWEEPING, arguments=(str(cells), json.dumps(OUTPUTS[outputs]), str(workers)))
        before, peak, child = json.loads(done.printed)
        found.update(
            before_gib=before / 2**20, peak_gib=peak / 2**20, worker_gib=child / 2**20,
            total_gib=(peak + workers * child) / 2**20,
        )  # fmt: skip

    clock(GROUP, f"{cells:,} cells, {outputs}, {workers} process(es)", work, count=cells, unit="cells",
          rounds=1, warmup=0, cells=cells, workers=workers, bound_gib=BOUND)  # fmt: skip
    facts.update(found)
    if cells == 10_000_000:
        assert found["total_gib"] < BOUND
