"""Sentences: no pressure where nobody is threatened, no rounding, and what threats cost."""

from __future__ import annotations

import dataclasses

import pytest

import alliancegame as ag
from alliancegame.report import words
from alliancegame.report.findings import Case
from alliancegame.study.compare import NO_DECAY
from alliancegame.study.outcomes import rounded


@pytest.fixture(scope="module")
def game():
    return ag.load_model("nato-2024").replace(decay=0.8)


@pytest.fixture(scope="module")
def quiet(game):
    """The best plan at a decay at which no threat is best: a success by commitment."""
    return ag.compare(game, ag.Plan(burden=0.0326))


def test_commitment_is_not_called_pressure(quiet) -> None:
    assert quiet.outcome == "success"
    told = ag.explain(quiet)
    assert "Commitment pays" in told
    assert "ressure pays" not in told
    assert "from pressure" not in told
    assert words.verdict(quiet) == "commitment pays; no threat is made"
    assert words.verdict(quiet, best=True) == "commitment pays; no threat is best"
    assert Case("best", "best plan", quiet).label == "best plan"


def test_pressure_is(game) -> None:
    c = ag.compare(game.replace(decay=0.1), ag.Plan(threat=0.5))
    assert "Pressure pays (B)" in ag.explain(c)
    assert Case("best", "best plan", c).label == "B  best plan"


def test_rounding_is_no_difference(quiet) -> None:
    assert rounded(-2.78e-17) == 0
    assert rounded(-2.78e-9) == -2.78e-9
    told = ag.explain(dataclasses.replace(quiet, versus_best_burden=-2.78e-17))
    assert "the difference is 0." in told
    assert "e-17" not in told


def test_free_threats_are_said_to_be_free(game) -> None:
    free = ag.compare(game.replace(decay=0.0), ag.Plan(threat=0.5))
    assert free.note == NO_DECAY
    assert "Decay is 0: threats cost no trust in this game." in ag.explain(free)
    assert NO_DECAY in repr(free)
    assert ag.compare(game, ag.Plan(threat=0.5)).note == ""
    assert ag.compare(game.replace(decay=0.0), ag.Plan(burden=0.033)).note == ""
