"""Who would leave where payoffs jump, and at exact limits of the technology."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import alliancegame as ag
from alliancegame.errors import AllianceGameError
from alliancegame.solve.leaving.outside import outside_options
from tests.alignments import Slow
from tests.solve.test_alignment import WORDS, drawn, game_of, two_allies


@pytest.mark.parametrize("seed", range(5))
def test_under_trigger_threats_by_hand(seed: int) -> None:
    """Alliances have several answers there: each one found stands, and what replies come to is found."""
    _, plan, slow = drawn(seed, 4, shortfall="trigger")
    less = {name: 0.4 * slow.p[name] for name in ("deterrent", "rival_umbrella")}
    game = game_of(slow.p | less)
    plan = plan.replace(threat=0.3 if seed % 2 else 0.1, demand=0.03)
    slow = Slow(slow.p | less, plan.threat_by_member(game.members), 0.03, slow.own)
    expected, doubtful, _ = slow.equilibria()
    found = ag.solve_alignment(game, plan)
    here = {tuple(a.alignments) for a in found}
    assert {tuple(WORDS[w] for w in words) for words in expected - doubtful} <= here
    assert not found.complete
    numbers = {word: number for number, word in WORDS.items()}
    for alliance in found:
        words = np.array([[numbers[word] for word in alliance.alignments]])
        x = alliance.burdens[None, :]
        assert alliance.certificate.verdict != "unverified"
        for i in range(0 if plan.burden is None else 1, slow.n):
            here_now = slow.payoff(i, words, x)[0]
            assert alliance.payoffs[i] == pytest.approx(here_now, abs=1e-10)
            for word in range(3 if i else 1):
                other = words.copy()
                other[:, i] = word if i else words[0, 0]
                assert slow.reply(i, other, x)[1][0] - here_now < 1e-7


@pytest.mark.parametrize(
    "form", [{"shortfall": "trigger"}, {"technology": "best-shot", "rival_umbrella": 0.01}]
)
def test_collapse_is_asked_in_forms_with_jumps_and_limits(form: dict[str, Any]) -> None:
    """The full alliance's own answer, against what everybody has outside, by hand."""
    game = two_allies(**form)
    for plan in (
        ag.Plan(threat=0.01, demand=0.02, burden=0.03),
        ag.Plan(threat=1.0, demand=0.06, burden=0.03),
    ):
        found = ag.compare(game, plan)
        outside = outside_options(game).payoffs[1:]
        stays = [
            bool((e.payoffs[1:] >= outside - 1e-6).all()) for e in (found.baseline, found.result)
        ]
        assert stays[0]
        assert found.collapse == (not stays[1])


def test_unravelling_under_triggers_is_refused_by_name() -> None:
    with pytest.raises(AllianceGameError, match="unravelling is not written for"):
        ag.unravelling(two_allies(shortfall="trigger"))
