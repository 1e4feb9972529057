"""Continua of equilibria on compliance sets of games with trigger threats: their ends, by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

import alliancegame as ag
from tests.oracle import Hand

GAME = ag.BurdenSharingGame(
    ["L", "A", "B", "C"], "L", [2, 1, 1, 0.8], [0.04, 0.05, 0.05, 0.03], consumption="linear",
    burden_max=0.2, shortfall="trigger",
)  # fmt: skip


def gain(profile, plan):
    """The most that anybody gains, jumps to the other side included."""
    return max(Hand(GAME, plan).gains(list(profile), points=400))


def test_nobody_complies_and_two_share():
    """Both defy: worth theta Y - b (1 - tau) g_l = .05 - .1 * .02 = .048, shared in any way."""
    plan = ag.Plan(threat=0.9, demand=0.1, burden=0.01)
    found = ag.find_equilibria(GAME, plan)
    (part,) = found.components
    assert (part.members, part.listed, part.dimension) == (("A", "B"), True, 1)
    ends = sorted(tuple(e.burdens[1:3].round(12)) for e in part.ends)
    assert ends == [(0.0, 0.048), (0.048, 0.0)]
    assert {e.certificate.verdict for e in part.ends} == {"certified"}
    assert len(found) == 1  # One of the continuum; its ends stand there.
    for share in (0.0, 0.3, 1.0):
        assert gain([0.01, 0.048 * share, 0.048 * (1 - share), 0], plan) < 1e-9


def test_bounds_of_compliers_are_their_demands():
    """Both comply with .015 at least, and give .05 - .01 = .04 together."""
    plan = ag.Plan(threat=0.5, demand=0.015, burden=0.005)
    found = ag.find_equilibria(GAME, plan)
    (part,) = found.components
    ends = sorted(tuple(e.burdens[1:3].round(12)) for e in part.ends)
    assert ends == [(0.015, 0.025), (0.025, 0.015)]
    assert part.listed


def test_ends_stop_where_somebody_changes_sides():
    """Together .05 - .7 * .01 = .043; whoever gives much would rather comply with .045."""
    plan = ag.Plan(threat=0.3, demand=0.045, burden=0.005)
    found = ag.find_equilibria(GAME, plan)
    (part,) = found.components
    assert not part.listed
    assert "changing sides" in part.statement
    for end in part.ends:
        assert end.certificate.verdict == "certified"
        a, b = end.burdens[1:3]
        assert a + b == pytest.approx(0.043, abs=1e-12)
        assert gain(end.burdens, plan) < 2e-9
        step = 1e-4 * np.sign(a - b)
        further = [0.005, a + step, b - step, 0.0]
        assert gain(further, plan) > 1e-7
        assert gain([0.005, a - step, b + step, 0.0], plan) < 1e-9
    assert {tuple(e.burdens[1:3].round(6)) for e in found} == {
        (0.045, 0.0), (0.0, 0.045), (0.0215, 0.0215),
    }  # fmt: skip


def test_they_travel():
    plan = ag.Plan(threat=0.9, demand=0.1, burden=0.01)
    found = ag.find_equilibria(GAME, plan)
    content = json.loads(found.to_json(certificate=True))
    assert ag.verify(content).status != "refused"
    content["components"][0]["ends"][0]["burden"][1] *= 0.9
    assert ag.verify(content).status == "refused"
