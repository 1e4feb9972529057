"""TrustLaw: the parameters of the trust law as a value of its own."""

from __future__ import annotations

import dataclasses

import pytest

from alliancegame.game.game import BurdenSharingGame
from alliancegame.game.trust import TRUST_PARAMETERS, TrustLaw


def test_defaults_are_those_of_the_registry() -> None:
    assert TrustLaw().values() == {p.name: p.default for p in TRUST_PARAMETERS}


@pytest.mark.parametrize("name", ["decay", "contagion", "scarring"])
def test_trust_is_unharmed_only_without_any_loss(name: str) -> None:
    assert TrustLaw(trust=0.3, recovery=0.5, curvature=2.0).harmless
    assert not TrustLaw(**{name: 0.1}).harmless


def test_a_game_takes_a_law_and_gives_it_back() -> None:
    law = TrustLaw(trust=0.8, decay=0.3, recovery=0.1)
    game = BurdenSharingGame(["L", "A"], "L", [2, 1], 0.05, trust_law=law)
    assert game.trust_law.values() == law.values()
    assert game.decay == game.trust_law.decay == 0.3
    again = BurdenSharingGame(["L", "A"], "L", [2, 1], 0.05, trust=0.8, decay=0.3, recovery=0.1)
    assert again == game


def test_single_parameters_override_the_law() -> None:
    game = BurdenSharingGame(["L", "A"], "L", 1, 0.05, trust_law=TrustLaw(decay=0.3), decay=0.5)
    assert game.decay == 0.5
    assert game.replace(trust_law=TrustLaw(recovery=0.2), decay=0.4).trust_law.values() == {
        **TrustLaw(recovery=0.2, decay=0.4).values()
    }


def test_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrustLaw().decay = 0.3  # type: ignore[misc]
