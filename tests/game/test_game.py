"""BurdenSharingGame: validated once, frozen, replaced, hashed."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from alliancegame.errors import (
    IllConditionedWarning,
    InvalidValueError,
    UnknownNameError,
    UnsupportedFormError,
)
from alliancegame.game.game import LATER_PARAMETERS, PARAMETERS, BurdenSharingGame
from tests.problems import BANK


def small(**changes: Any) -> BurdenSharingGame:
    facts = {
        "members": ["USA", "FRA", "DEU"],
        "leader": "USA",
        "gdp": [30, 3, 5],
        "security_weight": 0.03,
    }
    return BurdenSharingGame(**(facts | changes))  # type: ignore[arg-type]


def test_values_are_kept_as_floats_or_read_only_arrays() -> None:
    game = small(decay={"FRA": 0.1, "DEU": 0.2})
    assert game.security_weight == 0.03
    assert game.gdp.tolist() == [30.0, 3.0, 5.0]  # type: ignore[union-attr]
    assert not game.gdp.flags.writeable  # type: ignore[union-attr]
    assert game.by_member("security_weight").tolist() == [0.03] * 3
    assert not game.by_member("security_weight").flags.writeable
    assert game.decay.tolist() == [0.0, 0.1, 0.2]
    assert (game.leader, game.allies, game.size) == ("USA", ("FRA", "DEU"), 3)


def test_defaults_are_those_of_the_registry() -> None:
    values = small().values()
    assert list(values) == list(PARAMETERS)
    for name, parameter in PARAMETERS.items():
        if parameter.default is not None:
            assert values[name] == parameter.default


def test_the_leaders_entry_of_ally_parameters_is_ignored() -> None:
    odd, plain = small(credibility=[7.0, 0.5, 0.6]), small(credibility={"FRA": 0.5, "DEU": 0.6})
    assert odd == plain
    assert odd.hash == plain.hash
    assert odd.credibility.tolist() == [1.0, 0.5, 0.6]  # type: ignore[union-attr]


def test_scalar_spill_ins_are_congested_and_values_by_member_are_final() -> None:
    gdp = np.array([30.0, 3.0, 5.0])
    spillin, umbrella = small(spillin=0.9, umbrella=[0.0, 0.4, 0.5], congestion=0.5).congested
    assert spillin == pytest.approx(0.9 * np.sqrt(gdp / 38.0))
    assert umbrella[1:].tolist() == [0.4, 0.5]
    pure, _ = small(spillin=0.9).congested
    assert pure.tolist() == [0.9] * 3


def test_replace_changes_what_is_named_and_nothing_else() -> None:
    game = small(influence_weight=[0.01, 0.02, 0.03])
    changed = game.replace(influence_weight={"FRA": 0.5}, decay=0.3, leader="FRA")
    assert changed.by_member("influence_weight").tolist() == [0.01, 0.5, 0.03]
    assert (changed.decay, changed.leader) == (0.3, "FRA")
    assert game.by_member("influence_weight").tolist() == [0.01, 0.02, 0.03]
    assert changed.replace(influence_weight=[0.01, 0.02, 0.03], decay=0.0, leader="USA") == game


def test_replace_remembers_what_was_replaced() -> None:
    twice = small().replace(decay=0.3).replace(gdp={"FRA": 4}, decay=0.4)
    assert twice.provenance["replaced"] == {"decay": 0.4, "gdp": {"FRA": 4}}
    assert "replaced" not in small().replace().provenance
    assert twice.hash != small().hash
    assert small().replace(decay=0.0).hash == small().hash  # Content counts, not history.


def test_replace_can_change_the_members() -> None:
    two = small().replace(members=["USA", "FRA"], gdp=[30, 3])
    assert two.members.labels == ("USA", "FRA")
    with pytest.raises(InvalidValueError, match=r"gdp must be.*2 numbers"):
        small().replace(members=["USA", "FRA"])


@pytest.mark.parametrize("name", list(BANK))
def test_dicts_round_trip(name: str) -> None:
    game = BANK[name].game
    again = BurdenSharingGame.from_dict(json.loads(json.dumps(game.to_dict())))
    assert again == game
    assert again.hash == game.hash
    assert hash(again) == hash(game)


def test_equality_is_of_content() -> None:
    assert small() == small(security_weight=[0.03] * 3).replace(security_weight=0.03)
    assert small() != small(security_weight=0.04)
    assert small() != "game"


def test_is_frozen_and_says_what_it_is() -> None:
    game = small(provenance={"model": "mine"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        game.gdp = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        game.provenance["model"] = "yours"  # type: ignore[index]
    assert repr(game) == "<mine: 3 members, leader USA>"
    assert repr(small()) == "<BurdenSharingGame: 3 members, leader USA>"
    with pytest.raises(AttributeError, match="no attribute 'dekay'"):
        _ = game.dekay


def test_by_member_knows_its_parameters() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'gdp'"):
        small().by_member("gpd")
    with pytest.raises(UnknownNameError, match="congestion"):
        small().by_member("congestion")


# --- Refused at the door --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"burden_min": 0.3}, "burden_min of USA must be below its burden_max 0.25, got 0.3"),
        (
            {"burden_max": [0.2, 1.0, 0.3]},
            'burden_max of FRA must be below 1.*consumption="linear"',
        ),
        (
            {"trust": 0.9, "trust_ceiling": [0.1, 1.0, 0.8]},
            "trust of DEU must be at most.*0.8, got 0.9",
        ),
        ({"substitution": 0}, "substitution = 0 is refused"),
        ({"substitution": -21}, r"substitution must be in \[-20, 20\], got -21"),
        ({"substitution": "weakest-link"}, "substitution must be a number, got 'weakest-link'"),
        ({"security_weight": None}, "security_weight has no default"),
        ({"members": "USA"}, "members must be a list of labels, got 'USA'"),
        ({"members": None}, "members must be a list of labels"),
        ({"trust_law": {"decay": 0.3}}, "trust_law must be a TrustLaw"),
    ],
)
def test_bad_games(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        small(**change)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"private_weight": 0.0}, r"private_weight > 0 or burden_min > 0 for USA"),
        ({"spillin": 0.0}, "needs spillin > 0 for FRA"),
        ({"umbrella": {"FRA": 0.2, "DEU": 0.0}}, "needs umbrella > 0 for DEU"),
        ({"trust": {"FRA": 0.0, "DEU": 0.5}}, "needs trust > 0 for FRA"),
        ({"return_spillin": 0.0}, "needs return_spillin > 0"),
    ],
)
def test_weak_links_need_every_component(change: dict[str, Any], words: str) -> None:
    good = {"substitution": -1.0, "private_weight": 0.01}
    assert small(**good).substitution == -1.0
    assert small(substitution=-1.0, burden_min=0.01).substitution == -1.0
    with pytest.raises(InvalidValueError, match=words):
        small(**(good | change))


def test_technologies_near_the_missing_limit_warn() -> None:
    with pytest.warns(IllConditionedWarning, match="close to 0") as caught:
        small(substitution=0.05)
    assert caught[0].filename == __file__  # At the caller's line, not inside the library.
    small(substitution=0.1)


@pytest.mark.parametrize("name", sorted(LATER_PARAMETERS))
def test_parameters_of_later_forms_are_refused_not_ignored(name: str) -> None:
    with pytest.raises(UnsupportedFormError, match=f"{name} belongs to the model"):
        small(**{name: 0.1})
    with pytest.raises(UnsupportedFormError, match=name):
        small().replace(**{name: 0.1})


def test_unknown_parameters_suggest_the_near_one() -> None:
    with pytest.raises(
        UnknownNameError, match=r"'security_wieght'.*Did you mean 'security_weight'"
    ):
        small(security_wieght=0.1)
    with pytest.raises(UnknownNameError, match="Did you mean 'decay'"):
        small().replace(dekay=0.1)
